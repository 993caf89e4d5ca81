"""Parameters of densities: their messages, and what is refused before it is sent."""
from __future__ import annotations

import math

import numpy as np
import pytest

import aisivi
from aisivi import InvalidArgumentError
from aisivi.parameters import checked, to_message

# Each constructor, its kind in parameter.proto, and how many coordinates stand for it, by hand.
ALL = [
    (aisivi.Real(), "UNSPECIFIED", 1),
    (aisivi.Real(2, 3), "UNSPECIFIED", 6),
    (aisivi.Positive(4), "LOWER", 4),
    (aisivi.Lower(-1), "LOWER", 1),
    (aisivi.Upper(2, 2), "UPPER", 2),
    (aisivi.Interval(-1, 1, 3), "INTERVAL", 3),
    (aisivi.Affine(1, 2), "AFFINE", 1),
    (aisivi.Ordered(3), "ORDERED", 3),
    (aisivi.PositiveOrdered(3), "POSITIVE_ORDERED", 3),
    (aisivi.Simplex(5, 3), "SIMPLEX", 10),
    (aisivi.SumToZero(4), "SUM_TO_ZERO", 3),
    (aisivi.CholeskyFactorCov(3, 3), "CHOLESKY_FACTOR_COV", 6),
    (aisivi.CholeskyFactorCov(4, 2), "CHOLESKY_FACTOR_COV", 7),
    (aisivi.CovMatrix(2, 3, 3), "COV_MATRIX", 12),
    (aisivi.CholeskyFactorCorr(4, 4), "CHOLESKY_FACTOR_CORR", 6),
    (aisivi.CorrMatrix(4, 4), "CORR_MATRIX", 6),
]


@pytest.mark.parametrize("parameter, kind, coordinates", ALL)
def test_a_parameter_is_what_the_api_calls_it(parameter, kind, coordinates):
    (found,) = checked({"p": parameter}).values()
    message = to_message("p", found)
    kinds = type(message.constraint).DESCRIPTOR.enum_types_by_name["Kind"].values_by_number
    assert kinds[message.constraint.kind].name == f"KIND_{kind}"
    assert tuple(message.shape) == parameter.shape and message.name == "p"
    assert found.coordinates == coordinates and found.elements == math.prod(parameter.shape)


def test_every_constraint_of_the_api_can_be_said():
    kinds = type(to_message("p", aisivi.Real()).constraint).DESCRIPTOR.enum_types_by_name["Kind"]
    assert {f"KIND_{kind}" for _, kind, _ in ALL} == {v.name for v in kinds.values}


def test_numbers_of_constraints_are_sent():
    interval = to_message("p", aisivi.Interval(-1, 2.5)).constraint
    assert (interval.lower, interval.upper) == (-1, 2.5) and not interval.HasField("multiplier")
    affine = to_message("p", aisivi.Affine(3, 0.5)).constraint
    assert (affine.offset, affine.multiplier) == (3, 0.5)


@pytest.mark.parametrize(
    "parameters, field, what",
    [
        ({}, "parameters", "at least one"),
        ([aisivi.Real()], "parameters", "not a dictionary"),
        ({"1a": aisivi.Real()}, "parameters.1a", "the name does not match"),
        ({"a" * 64: aisivi.Real()}, "parameters.", "the name does not match"),
        ({"a": 3}, "parameters.a", "not one of Real"),
        ({"a": aisivi.Real}, "parameters.a", "say Real()"),
        ({"a": aisivi.Real(0)}, "parameters.a", "each at least 1"),
        ({"a": aisivi.Real(*[1] * 9)}, "parameters.a", "at most 8"),
        ({"a": aisivi.Real(1.5)}, "parameters.a", "not of whole numbers"),
        ({"a": aisivi.Simplex()}, "parameters.a", "is a vector"),
        ({"a": aisivi.CovMatrix(3)}, "parameters.a", "is a matrix"),
        ({"a": aisivi.CovMatrix(3, 2)}, "parameters.a", "is square"),
        ({"a": aisivi.CholeskyFactorCov(2, 3)}, "parameters.a", "more columns than rows"),
        ({"a": aisivi.Lower("b")}, "parameters.a.lower", "not a number"),
        ({"a": aisivi.Upper(np.nan)}, "parameters.a.upper", "not finite"),
        ({"a": aisivi.Interval(1, 1)}, "parameters.a.upper", "not above lower"),
        ({"a": aisivi.Affine(0, 0)}, "parameters.a.multiplier", "not positive"),
        ({"a": aisivi.Real(4097)}, "parameters", "4097 unconstrained coordinates"),
        ({"a": aisivi.Simplex(1)}, "parameters", "0 unconstrained coordinates"),
    ],
)
def test_what_is_wrong_is_named(parameters, field, what):
    with pytest.raises(InvalidArgumentError, match=what.replace("(", r"\(").replace(")", r"\)")) as e:
        checked(parameters)
    assert e.value.violations[0].field.startswith(field)
