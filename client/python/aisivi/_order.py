"""Stan's order of the elements of arrays: the first index runs fastest."""
from __future__ import annotations

import math
from typing import Sequence

import numpy as np

from aisivi.results import Floats


def arrays_of(rows: Floats, shapes: Sequence[tuple[int, ...]]) -> list[Floats]:
    """N × P numbers as arrays (N, *shape), of P elements in all; they can be written to."""
    found, at = [], 0
    for shape in shapes:
        size = math.prod(shape)
        block = rows[:, at : at + size].reshape(len(rows), *reversed(shape))
        axes = (0, *range(len(shape), 0, -1))
        found.append(np.array(block.transpose(axes), dtype=np.float64, order="C"))
        at += size
    return found


def rows_of(arrays: Sequence[Floats]) -> Floats:
    """The inverse: such arrays as N × P numbers, which may be those of an array."""
    if len(arrays) == 1 and arrays[0].ndim <= 2:
        return arrays[0].reshape(len(arrays[0]), -1)
    sizes = [math.prod(array.shape[1:]) for array in arrays]
    rows = np.empty((len(arrays[0]), sum(sizes)))
    at = 0
    for array, size in zip(arrays, sizes):
        axes = (0, *range(array.ndim - 1, 0, -1))
        rows[:, at : at + size] = array.transpose(axes).reshape(len(array), size)
        at += size
    return rows
