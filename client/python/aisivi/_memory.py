"""Memory for the temporary arrays of a density's function."""
from __future__ import annotations

import ctypes
import os

# Of glibc's <malloc.h>; the second is the most that it takes.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT, _FROM_THE_SYSTEM = 64 << 20, 32 << 20  # bytes

_OF_THE_USER = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")


def keep_temporaries() -> bool:
    """Has the process keep up to 64 MB that arrays gave back, where its C library is glibc.

    As it comes, glibc gives arrays of a few hundred kB back to the system and takes them again page
    by page: of a NumPy function of 128 x 400 numbers that was two thirds of the time. What the
    environment says of this goes before. Whether it is so now.
    """
    if any(name in os.environ for name in _OF_THE_USER):
        return False
    if "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _KEPT)) and bool(
        mallopt(_MMAP_THRESHOLD, _FROM_THE_SYSTEM)
    )
