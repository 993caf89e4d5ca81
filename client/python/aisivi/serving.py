"""Serving a density to the fits of other processes."""
from __future__ import annotations

import sys
from typing import Callable

from aisivi.client import Client
from aisivi.density import Density


def _announce(name: str) -> None:
    print(f"serving {name}; Ctrl-C ends", file=sys.stderr, flush=True)


def serve(
    client: Client,
    density: Density,
    name: str = "",
    *,
    announce: Callable[[str], None] | None = _announce,
    patience: float = 60,
    timeout: float | None = None,
) -> None:
    """Answers for a density on this thread until the server ends it, or Ctrl-C does.

    Any process can fit it by its name: client.fit("remote", {"density": name}).

    name      "densities/{id}" of one that is there: this process then answers as well
    announce  is called with the name once fits can find it; default: a line on standard error
    patience  seconds for which a broken connection is taken up again; a density that nobody serves
              is gone after a minute

    What the function raises ends this, and the fit that asked. NotFoundError when there is no such
    density (any more), InvalidArgumentError or DensityError when it does not pass the tests at its
    opening, UnavailableError.
    """
    serving = client.open_density(density, name, patience=patience, timeout=timeout)
    try:
        if announce is not None:
            announce(serving.name)
        serving.serve()
        if serving.error is not None:
            raise serving.error
    finally:
        serving.close()
