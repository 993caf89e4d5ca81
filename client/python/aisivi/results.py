"""What a fit yields, as plain data. Logarithms are natural, in nats; None: not known."""
from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aisivi import _api

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """N draws of D coordinates.

    The log densities have N entries, or none where they were not asked for; log_weight has none for
    resampled draws either, which all weigh the same.
    """

    names: tuple[str, ...]
    values: Floats  # N×D
    log_p: Floats  # log p̃(z)
    log_q: Floats  # log q̂(z)
    log_weight: Floats  # log_p − log_q


@dataclass(frozen=True)
class CoordinateSummary:
    """Of one coordinate; the quantiles by their probabilities."""

    mean: float
    sd: float
    quantiles: dict[float, float]


@dataclass(frozen=True)
class Criterion:
    """A number that the verdict rests on: good up to a threshold, or from it on (`at_least`)."""

    name: str
    value: float | None
    good_threshold: float
    usable_threshold: float | None
    at_least: bool
    grade: str
    explanation: str


@dataclass(frozen=True)
class Verdict:
    """Whether a fit can be trusted: "good", "usable" or "do_not_trust", and why."""

    grade: str
    sentence: str
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True)
class LogEvidence:
    """log Z with its standard error, and bounds of the ELBO (fit.proto says how they come about).

    A fit by "reference" has log_z, standard_error, ess and draws alone.
    """

    log_z: float | None
    standard_error: float | None
    elbo_lower: float | None
    elbo_lower_se: float | None
    elbo_upper: float | None
    elbo_upper_se: float | None
    ess: float | None
    pareto_k: float | None
    draws: int
    inner_samples: int
    non_finite: int


@dataclass(frozen=True)
class TargetParameter:
    """A parameter of a target; `kind` is number, integer, vector, matrix or matrix_list."""

    name: str
    kind: str
    doc: str
    default: str
    required: bool


@dataclass(frozen=True)
class TargetInfo:
    """A target that can be fitted."""

    name: str
    doc: str
    dimension_rule: str
    parameters: tuple[TargetParameter, ...]
    known_log_z: float | None
    takes_dataset: bool


@dataclass(frozen=True)
class Dataset:
    """An uploaded table; `name` is derived from its bytes."""

    name: str
    display_name: str
    rows: int
    columns: tuple[str, ...]
    size_bytes: int


def verdict_of(message: Any) -> Verdict:
    """From a FitVerdict."""
    criteria = tuple(
        Criterion(
            c.name,
            _api.optional(c, "value"),
            c.good_threshold,
            _api.optional(c, "usable_threshold"),
            c.at_least,
            _api.enum_text(c, "grade"),
            c.explanation,
        )
        for c in message.criteria
    )
    return Verdict(_api.enum_text(message, "grade"), message.sentence, criteria)


def evidence_of(message: Any) -> LogEvidence:
    """From a LogEvidence."""
    counts = ("draws", "inner_samples", "non_finite")
    values = {
        field.name: getattr(message, field.name)
        if field.name in counts
        else _api.optional(message, field.name)
        for field in fields(LogEvidence)
    }
    return LogEvidence(**values)


def target_info_of(message: Any) -> TargetInfo:
    """From a TargetInfo."""
    parameters = tuple(
        TargetParameter(p.name, _api.enum_text(p, "kind"), p.doc, p.default_value, p.required)
        for p in message.parameters
    )
    return TargetInfo(
        message.name,
        message.doc,
        message.dimension_rule,
        parameters,
        _api.optional(message, "known_log_z"),
        message.takes_dataset,
    )


def dataset_of(message: Any) -> Dataset:
    """From a Dataset."""
    columns = tuple(column.name for column in message.columns)
    return Dataset(
        message.name, message.display_name, message.rows, columns, message.size_bytes
    )
