"""Stan models that BridgeStan has compiled, as densities of this process."""
from __future__ import annotations

from typing import Any

import numpy as np

from aisivi.density import Density
from aisivi.parameters import Real
from aisivi.results import Floats


def _names(model: Any) -> dict[str, int]:
    """BridgeStan's names of the coordinates, "theta.1" and "theta.2", as names and their counts."""
    counts: dict[str, int] = {}
    for name in model.param_unc_names():
        # The parts of a tuple are called "a:1".
        stem = name.split(".")[0].replace(":", "_")
        counts[stem] = counts.get(stem, 0) + 1
    return counts


def from_bridgestan(
    model: Any, *, name: str = "", deadline: float = 30, patience: float = 60, check: bool = True
) -> Density:
    """A bridgestan.StanModel as a density on its unconstrained scale, with all constants.

    Its draws are the unconstrained coordinates by the names of the parameters, in the model's
    order: model.param_constrain takes them to the constrained scale. Where the program rejects,
    the density is zero.
    """
    counts = _names(model)

    def evaluate(**values: Floats) -> tuple[Floats, dict[str, Floats]]:
        points = np.concatenate([values[stem] for stem in counts], axis=1)
        log_p, score = np.full(len(points), -np.inf), np.zeros(points.shape)
        for i, point in enumerate(points):
            try:
                log_p[i], score[i] = model.log_density_gradient(
                    point, propto=False, jacobian=True
                )
            except RuntimeError:  # BridgeStan's of a rejection
                continue
        ends = np.cumsum(list(counts.values()))[:-1]
        return log_p, dict(zip(counts, np.split(score, ends, axis=1)))

    parameters = {stem: Real(count) for stem, count in counts.items()}
    # The C++ of a model takes its points one by one, at no cost worth a warning.
    return Density(
        evaluate,
        parameters,
        name=name or str(model.name()),
        deadline=deadline,
        patience=patience,
        check=check,
    )
