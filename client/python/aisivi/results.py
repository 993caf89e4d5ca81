"""What a fit yields, as plain data. Logarithms are natural, in nats; None: not known."""
from __future__ import annotations

import html
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from aisivi import _api

if TYPE_CHECKING:
    from aisivi.variables import Variable

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """N draws of P numbers: the elements of variables, or the D coordinates.

    The log densities, those of the coordinates either way, have N entries, or none where they were
    not asked for; log_weight has none for resampled draws either, which all weigh the same.
    """

    names: tuple[str, ...]
    values: Floats  # N×P
    log_p: Floats  # log p̃(z)
    log_q: Floats  # log q̂(z)
    log_weight: Floats  # log_p − log_q
    variables: tuple[Variable, ...] = ()  # what the columns are the elements of


@dataclass(frozen=True)
class CoordinateSummary:
    """Of one number of a draw; the quantiles by their probabilities."""

    mean: float
    sd: float
    quantiles: dict[float, float]


class Summary(dict[str, CoordinateSummary]):
    """Summaries by the names of the numbers, for instance "theta[1]"; a table for people."""

    def _rows(self) -> list[list[str]]:
        quantiles: list[float] = next((list(found.quantiles) for found in self.values()), [])
        rows = [["", "mean", "sd", *(f"{100 * q:g} %" for q in quantiles)]]
        for name, found in self.items():
            numbers = (found.mean, found.sd, *found.quantiles.values())
            rows.append([name, *(f"{number:.4g}" for number in numbers)])
        return rows

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = (
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
            for row in rows
        )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in self._rows())
        return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


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

    A fit by "reference" has log_z, standard_error, ess and draws alone. `relative`: the density is
    known up to a constant only, and all but ess and pareto_k are relative to it.
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
    relative: bool = False


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
    unavailable: str = ""  # why this server cannot fit it; "": it can


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


def evidence_of(message: Any, relative: bool) -> LogEvidence:
    """From a LogEvidence."""
    counts = ("draws", "inner_samples", "non_finite")
    values = {
        field.name: getattr(message, field.name)
        if field.name in counts
        else _api.optional(message, field.name)
        for field in fields(LogEvidence)
        if field.name != "relative"
    }
    return LogEvidence(**values, relative=relative)


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
        message.unavailable,
    )


def dataset_of(message: Any) -> Dataset:
    """From a Dataset."""
    columns = tuple(column.name for column in message.columns)
    return Dataset(
        message.name, message.display_name, message.rows, columns, message.size_bytes
    )
