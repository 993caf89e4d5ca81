"""Comparing models by their evidence."""
from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import Sequence

import numpy as np

from aisivi.fit import Fit


@dataclass(frozen=True)
class ComparedFit:
    """A model among others. Standard errors are those of Monte Carlo (delta method)."""

    name: str
    display_name: str
    log_z: float
    log_z_error: float
    probability: float  # posterior probability of the model
    probability_error: float
    log_bayes_factor: float  # log Z minus that of the best model
    log_bayes_factor_error: float
    verdict: str  # of the fit: a probability is worth no more


@dataclass(frozen=True)
class Comparison:
    """Models, the most probable first."""

    rows: tuple[ComparedFit, ...]

    def __str__(self) -> str:
        lines = [f"{'model':<24} {'log Z':>18} {'probability':>18}  verdict"]
        for row in self.rows:
            log_z = f"{row.log_z:.3f} ± {row.log_z_error:.2g}"
            probability = f"{row.probability:.4f} ± {row.probability_error:.1g}"
            lines.append(
                f"{row.display_name or row.name:<24} {log_z:>18} {probability:>18}  {row.verdict}"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cells = [("model", "log Z", "probability", "verdict")] + [
            (
                row.display_name or row.name,
                f"{row.log_z:.3f} ± {row.log_z_error:.2g}",
                f"{row.probability:.4f} ± {row.probability_error:.1g}",
                row.verdict,
            )
            for row in self.rows
        ]
        lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in line) for line in cells)
        return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def compare(fits: Sequence[Fit], prior: Sequence[float] | None = None) -> Comparison:
    """Posterior probabilities of the models that fits of the same data stand for.

    fits   at least two, all ended with an estimate of log Z
    prior  a positive weight for each model, default: all equal

    ValueError names a fit without an evidence, or with one that is only relative. With p the
    probabilities and s the standard errors of log Z, the error of p_i is
    p_i √((1 − p_i)² s_i² + Σ_{j≠i} p_j² s_j²); 1 where an s is infinite.
    """
    if len(fits) < 2:
        raise ValueError("fits: a comparison takes at least two")
    weights = np.ones(len(fits)) if prior is None else np.asarray(prior, dtype=np.float64)
    if weights.shape != (len(fits),) or not np.all(np.isfinite(weights) & (weights > 0)):
        raise ValueError("prior: one positive weight is needed for each fit")
    pairs = []
    for fit in fits:
        evidence = fit.log_evidence()
        if evidence.log_z is None or evidence.standard_error is None:
            raise ValueError(f"fits: {fit.name} has no estimate of log Z")
        if evidence.relative:
            text = "log Z is relative to a constant that is not known"
            raise ValueError(f"fits: {fit.name}: its density is unnormalised, {text}")
        pairs.append((evidence.log_z, evidence.standard_error))
    log_z, errors = np.array(pairs).T
    scaled = log_z + np.log(weights)
    p = np.exp(scaled - scaled.max())
    p /= p.sum()
    best = int(np.argmax(log_z))
    rows = []
    for i, fit in enumerate(fits):
        slope = np.where(np.arange(len(fits)) == i, 1 - p, p)  # of log p_i by each log Z, in size
        finite = bool(np.all(np.isfinite(errors)))
        error = float(p[i] * np.sqrt(np.sum((slope * errors) ** 2))) if finite else 1.0
        rows.append(
            ComparedFit(
                name=fit.name,
                display_name=fit.display_name,
                log_z=float(log_z[i]),
                log_z_error=float(errors[i]),
                probability=float(p[i]),
                probability_error=error,
                log_bayes_factor=float(log_z[i] - log_z[best]),
                log_bayes_factor_error=0.0 if i == best else math.hypot(errors[i], errors[best]),
                verdict=fit.verdict.grade if fit.verdict is not None else "",
            )
        )
    return Comparison(tuple(sorted(rows, key=lambda row: -row.probability)))
