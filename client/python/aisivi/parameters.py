"""The parameters that a density is written in: shapes and constraints, as in Stan.

    parameters={"theta": Real(8), "tau": Positive(), "w": Simplex(3)}

Numbers after a constraint's own are the shape, none for a scalar; constraints of vectors go along
the last index, those of matrices over the last two. parameter.proto has the transforms.
"""
from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from typing import Any, Callable, Mapping

from aisivi import _api
from aisivi.errors import wrong_field

# The limits of parameter.proto and density_service.proto.
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,62}")
_MOST_INDICES = 8
_MOST_COORDINATES = 4096


@dataclass(frozen=True)
class Parameter:
    """A parameter's constraint, by its name in parameter.proto, and its shape."""

    constraint: str
    shape: tuple[int, ...] = ()
    lower: float = 0.0
    upper: float = 0.0
    offset: float = 0.0
    multiplier: float = 1.0

    @property
    def elements(self) -> int:
        """Numbers that a value of it has."""
        return math.prod(self.shape)

    @property
    def coordinates(self) -> int:
        """Unconstrained coordinates that stand for it."""
        count = _COORDINATES.get(self.constraint)
        if count is None:
            return self.elements
        indices = _INDICES[self.constraint]
        return int(math.prod(self.shape[:-indices]) * count(*self.shape[-indices:]))


def Real(*shape: int) -> Parameter:
    """Any number."""
    return Parameter("unspecified", shape)


def Positive(*shape: int) -> Parameter:
    """Above 0."""
    return Parameter("lower", shape)


def Lower(lower: float, *shape: int) -> Parameter:
    """Above `lower`."""
    return Parameter("lower", shape, lower=lower)


def Upper(upper: float, *shape: int) -> Parameter:
    """Below `upper`."""
    return Parameter("upper", shape, upper=upper)


def Interval(lower: float, upper: float, *shape: int) -> Parameter:
    """Between `lower` and `upper`."""
    return Parameter("interval", shape, lower=lower, upper=upper)


def Affine(offset: float, multiplier: float, *shape: int) -> Parameter:
    """Any number, fitted as offset + multiplier · y; multiplier above 0."""
    return Parameter("affine", shape, offset=offset, multiplier=multiplier)


def Ordered(*shape: int) -> Parameter:
    """x_1 < x_2 < …"""
    return Parameter("ordered", shape)


def PositiveOrdered(*shape: int) -> Parameter:
    """0 < x_1 < x_2 < …"""
    return Parameter("positive_ordered", shape)


def Simplex(*shape: int) -> Parameter:
    """Positive numbers with sum 1."""
    return Parameter("simplex", shape)


def SumToZero(*shape: int) -> Parameter:
    """Numbers with sum 0."""
    return Parameter("sum_to_zero", shape)


def CholeskyFactorCov(*shape: int) -> Parameter:
    """Lower triangular matrices with a positive diagonal: M × N with M at least N."""
    return Parameter("cholesky_factor_cov", shape)


def CovMatrix(*shape: int) -> Parameter:
    """Symmetric positive definite matrices, K × K."""
    return Parameter("cov_matrix", shape)


def CholeskyFactorCorr(*shape: int) -> Parameter:
    """Cholesky factors of correlation matrices, K × K."""
    return Parameter("cholesky_factor_corr", shape)


def CorrMatrix(*shape: int) -> Parameter:
    """Correlation matrices, K × K."""
    return Parameter("corr_matrix", shape)


# Unconstrained coordinates of one vector or matrix, where they are not one for each element.
_COORDINATES: dict[str, Callable[..., Any]] = {
    "simplex": lambda k: k - 1,
    "sum_to_zero": lambda k: k - 1,
    "cholesky_factor_cov": lambda m, n: n * (n + 1) // 2 + (m - n) * n,
    "cov_matrix": lambda k, _: k * (k + 1) // 2,
    "cholesky_factor_corr": lambda k, _: k * (k - 1) // 2,
    "corr_matrix": lambda k, _: k * (k - 1) // 2,
}
# How many of the last indices a constraint is about, where that is any.
_INDICES = {
    "ordered": 1,
    "positive_ordered": 1,
    "simplex": 1,
    "sum_to_zero": 1,
    "cholesky_factor_cov": 2,
    "cov_matrix": 2,
    "cholesky_factor_corr": 2,
    "corr_matrix": 2,
}
_SQUARE = ("cov_matrix", "cholesky_factor_corr", "corr_matrix")
_NUMBERS = ("lower", "upper", "offset", "multiplier")


def _checked_shape(path: str, parameter: Parameter) -> tuple[int, ...]:
    try:
        shape = tuple(operator.index(size) for size in parameter.shape)
    except TypeError:
        raise wrong_field(path, f"the shape {parameter.shape} is not of whole numbers") from None
    if len(shape) > _MOST_INDICES or any(size < 1 for size in shape):
        text = f"the shape {shape} is not of at most {_MOST_INDICES} sizes, each at least 1"
        raise wrong_field(path, text)
    indices = _INDICES.get(parameter.constraint, 0)
    if len(shape) < indices:
        kind = {1: "a vector", 2: "a matrix"}[indices]
        raise wrong_field(path, f"a {parameter.constraint} is {kind}: its shape is {shape}")
    if parameter.constraint in _SQUARE and shape[-1] != shape[-2]:
        raise wrong_field(path, f"a {parameter.constraint} is square: its shape is {shape}")
    if parameter.constraint == "cholesky_factor_cov" and shape[-2] < shape[-1]:
        raise wrong_field(path, f"has more columns than rows: its shape is {shape}")
    return shape


def _checked_numbers(path: str, parameter: Parameter) -> tuple[float, ...]:
    found = []
    for name in _NUMBERS:
        try:
            value = float(getattr(parameter, name))
        except (TypeError, ValueError):
            raise wrong_field(f"{path}.{name}", "is not a number") from None
        if not math.isfinite(value):
            raise wrong_field(f"{path}.{name}", f"{value} is not finite")
        found.append(value)
    if parameter.constraint == "interval" and not found[0] < found[1]:
        raise wrong_field(f"{path}.upper", f"{found[1]} is not above lower, {found[0]}")
    if parameter.constraint == "affine" and not found[3] > 0:
        raise wrong_field(f"{path}.multiplier", f"{found[3]} is not positive")
    return tuple(found)


def checked(parameters: Mapping[str, Any]) -> dict[str, Parameter]:
    """The same parameters; InvalidArgumentError names what is wrong."""
    if not isinstance(parameters, Mapping) or not parameters:
        raise wrong_field("parameters", "is not a dictionary with at least one parameter")
    found: dict[str, Parameter] = {}
    for name, parameter in parameters.items():
        path = f"parameters.{str(name)[:100]}"
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise wrong_field(path, f"the name does not match {_NAME.pattern}")
        if not isinstance(parameter, Parameter):
            text = f"{parameter!r} is not one of Real(…), Positive(…), …"
            raise wrong_field(path, text + (": say Real()" if parameter is Real else ""))
        shape = _checked_shape(path, parameter)
        found[name] = Parameter(parameter.constraint, shape, *_checked_numbers(path, parameter))
    coordinates = sum(parameter.coordinates for parameter in found.values())
    if not 1 <= coordinates <= _MOST_COORDINATES:
        text = f"{coordinates} unconstrained coordinates, not 1 to {_MOST_COORDINATES}"
        raise wrong_field("parameters", text)
    return found


def to_message(name: str, parameter: Parameter) -> Any:
    """A Parameter of parameter.proto."""
    message = _api.message("Parameter", name=name, shape=parameter.shape)
    kinds = type(message.constraint).DESCRIPTOR.enum_types_by_name["Kind"].values_by_name
    message.constraint.kind = kinds[f"KIND_{parameter.constraint.upper()}"].number
    for field in _NUMBERS:
        # A multiplier that is there would be taken for one that was asked for.
        if field != "multiplier" or parameter.constraint == "affine":
            setattr(message.constraint, field, getattr(parameter, field))
    return message
