"""The named arrays that a draw has."""
from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Sequence

from aisivi import _order
from aisivi.results import Draws, Floats

_INDEXED = re.compile(r"^(.+)\[([^\[\]]+)\]$")


@dataclass(frozen=True)
class Variable:
    """A parameter, or what is computed from the parameters (`derived`).

    shape is () for a scalar; labels name its elements in Stan's order, the first index fastest, or
    there are none and the elements go by their indices.
    """

    name: str
    shape: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    derived: bool = False

    @property
    def elements(self) -> int:
        """Numbers that a draw has of it."""
        return math.prod(self.shape)


def variables_of(message: Any) -> tuple[Variable, ...]:
    """Fit.variables."""
    return tuple(
        Variable(v.name, tuple(v.shape), tuple(v.labels), v.derived) for v in message.variables
    )


def _grid(indices: list[str]) -> tuple[int, ...] | None:
    """The shape whose elements these are, in Stan's order ("1,1", "2,1", …); None: of none."""
    if not all(re.fullmatch(r"\d+(,\d+)*", index) for index in indices):
        return None
    tuples = [tuple(map(int, index.split(","))) for index in indices]
    shape = tuples[-1]
    if math.prod(shape) != len(tuples):
        return None
    for number, found in enumerate(tuples):
        for size, index in zip(shape, found):
            if index != number % size + 1:
                return None
            number //= size
        if len(found) != len(shape):
            return None
    return shape


def variables_of_names(names: Sequence[str]) -> tuple[Variable, ...]:
    """From the names of elements alone: "beta[1]" and "beta[2]" are a vector "beta"."""
    groups: list[tuple[str, list[str]]] = []
    for name in names:
        match = _INDEXED.match(name)
        if match and groups and groups[-1][0] == match.group(1) and groups[-1][1]:
            groups[-1][1].append(match.group(2))
        elif match:
            groups.append((match.group(1), [match.group(2)]))
        else:
            groups.append((name, []))
    found = []
    for name, indices in groups:
        if not indices:
            found.append(Variable(name))
            continue
        shape = _grid(indices)
        found.append(
            Variable(name, (len(indices),), tuple(indices)) if shape is None else
            Variable(name, shape)
        )
    return tuple(found)


def fitting(variables: Sequence[Variable], names: Sequence[str]) -> tuple[Variable, ...]:
    """The variables of draws whose columns have these names.

    Earlier servers, and fits that they have stored, tell none: the names do then.
    """
    known = sum(variable.elements for variable in variables) == len(names)
    return tuple(variables) if variables and known else variables_of_names(names)


def arrays(draws: Draws) -> dict[str, Floats]:
    """The draws of each variable: arrays (N, *shape)."""
    variables = fitting(draws.variables, draws.names)
    found = _order.arrays_of(draws.values, [variable.shape for variable in variables])
    return {variable.name: array for variable, array in zip(variables, found)}
