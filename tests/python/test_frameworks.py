"""What a density's function may answer, and what it may not."""
from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from fake_service import batch as response_of
from fake_service import numbers

import aisivi
from aisivi import Density, DensityError, Positive, Real, _api


def batch(number, values, score=True):
    return response_of(number, values, score).batch


def answer_of(density, to):
    return type(_api.message("ServeDensityRequest")).FromString(density.answer(to)).answer


PARAMETERS = {"theta": Real(2, 3), "tau": Positive()}
POINTS = np.arange(1.0, 15.0).reshape(2, 7)
# The first index runs fastest.
THETA = np.array([[[1, 3, 5], [2, 4, 6]], [[8, 10, 12], [9, 11, 13]]], dtype=float)
TAU = np.array([7.0, 14.0])


def log_p_of(theta, tau):
    return (theta**2).sum(axis=(-1, -2)) * tau


def with_gradient(theta, tau):
    scale = np.asarray(tau)[..., None, None]
    return log_p_of(theta, tau), {"tau": (theta**2).sum(axis=(-1, -2)), "theta": 2 * theta * scale}


def answered(density, score=True):
    answer = answer_of(density, batch(5, POINTS, score))
    assert answer.id == 5 and not answer.error
    return numbers(answer.log_density), numbers(answer.score)


EXPECTED_SCORE = np.stack(
    [
        np.concatenate([(2 * t * s).T.ravel(), [(t**2).sum()]])
        for t, s in zip(THETA, TAU)
    ]
).ravel()


def assert_right(density):
    log_p, score = answered(density)
    assert np.allclose(log_p, log_p_of(THETA, TAU), rtol=1e-12, atol=0)
    assert np.allclose(score, EXPECTED_SCORE, rtol=1e-12, atol=0)
    alone, none = answered(density, score=False)
    assert np.array_equal(alone, log_p) and not none.size


def test_a_function_sees_arrays_by_name_and_answers_gradients():
    seen = {}

    @aisivi.density(parameters=PARAMETERS)
    def density(theta, tau):
        seen.update(theta=theta.copy(), tau=tau.copy())
        answer = with_gradient(theta, tau)
        theta[:] = tau[:] = 0  # its own to write to
        return answer

    assert_right(density)
    assert np.array_equal(seen["theta"], THETA) and np.array_equal(seen["tau"], TAU)
    assert density(theta=np.ones((1, 2, 3)), tau=np.ones(1))[0] == [6.0]
    assert repr(density) == "<Density density(theta[2, 3], tau)>"


def test_one_point_at_a_time_is_warned_of():
    with pytest.warns(RuntimeWarning, match="one point at a time is slow"):
        density = aisivi.density(parameters=PARAMETERS, batched=False)(with_gradient)
    assert_right(density)


def test_infinities_are_answers():
    infinite = Density(lambda x: (np.array([-np.inf, np.nan]), {"x": x}), {"x": Real()})
    log_p = numbers(answer_of(infinite, batch(1, [[1.0], [2.0]])).log_density)
    assert log_p[0] == -np.inf and np.isnan(log_p[1])


@pytest.mark.parametrize(
    "answer, what",
    [
        (lambda t, s: log_p_of(t, s), "the gradient is missing: return"),
        (lambda t, s: (log_p_of(t, s)[:, None], {}), r"density has the shape \(2, 1\), not \(2,\)"),
        (lambda t, s: (1.0, {}), r"shape \(\), not \(2,\); a function of one point"),
        (lambda t, s: (log_p_of(t, s).astype("f4"), {}), "float32, too coarse .* float64"),
        (lambda t, s: (log_p_of(t, s) + 0j, {}), "complex128, not float64"),
        (lambda t, s: (None, {}), "log density has the type object"),
        (lambda t, s: ([[1], [1, 2]], {}), "log density is no array"),
        (lambda t, s: (log_p_of(t, s), {"tau": s}), "^theta: the gradient is missing"),
        (lambda t, s: (log_p_of(t, s), {"tau": s, "theta": t, "x": s}), "^x: a gradient of no"),
        (lambda t, s: (log_p_of(t, s), {"tau": s, "theta": t[:, 0]}),
         r"^theta: the gradient has the shape \(2, 3\), not \(2, 2, 3\)"),
        (lambda t, s: (log_p_of(t, s), {"tau": s.astype("f4"), "theta": t}), "^tau: .* float32"),
    ],
)
def test_a_wrong_answer_is_named(answer, what):
    density = Density(lambda theta, tau: answer(theta, tau), PARAMETERS)
    with pytest.raises(DensityError, match=what):
        density.answer(batch(1, POINTS))


def test_one_point_has_its_own_shapes():
    parameters = {"x": Real(3)}
    for function, what in (
        (lambda x: (np.ones(1), {"x": x}), r"log density has the shape \(1,\), not \(\)"),
        (lambda x: (1.0, {"x": x[:2]}), r"^x: the gradient has the shape \(1, 2\), not \(1, 3\)"),
        (lambda x: 1.0, "gradient is missing"),
    ):
        with pytest.raises(DensityError, match=what):
            Density(function, parameters, batched=False).answer(batch(1, np.ones((2, 3))))


def test_a_batch_of_another_size_is_the_servers_fault():
    with pytest.raises(DensityError, match="7 for each: the server is at fault"):
        Density(with_gradient, PARAMETERS).answer(batch(1, np.ones((2, 6))))


@pytest.mark.parametrize(
    "arguments, field",
    [
        ({"framework": "tensorflow"}, "framework"),
        ({"deadline": 0.01}, "deadline"),
        ({"deadline": float("nan")}, "deadline"),
        ({"patience": 0}, "patience"),
        ({"parameters": {}}, "parameters"),
    ],
)
def test_wrong_arguments_are_named(arguments, field):
    with pytest.raises(aisivi.InvalidArgumentError) as caught:
        aisivi.density(**{"parameters": PARAMETERS, **arguments})(with_gradient)
    assert caught.value.violations[0].field == field


def test_the_offer_is_the_decorators():
    density = aisivi.density(
        parameters=PARAMETERS, unnormalised=True, name="mine", deadline=1.5, patience=7.25, check=False
    )(with_gradient)
    offer = density.offer("densities/9").offer
    assert (offer.density, offer.display_name, offer.unnormalised) == ("densities/9", "mine", True)
    assert (offer.deadline.seconds, offer.deadline.nanos) == (1, 500_000_000) and offer.omit_check
    assert (offer.patience.seconds, offer.patience.nanos) == (7, 250_000_000)
    assert [(p.name, list(p.shape)) for p in offer.parameters] == [("theta", [2, 3]), ("tau", [])]


def test_a_framework_that_is_missing_is_said_so(monkeypatch):
    for name in ("torch", "jax"):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(ImportError, match=name):
            Density(with_gradient, PARAMETERS, framework=name)


def small_jax(x64):
    """The few functions of JAX that are called, by differences in the complex plane."""
    jax = ModuleType("jax")
    jax.config = SimpleNamespace(jax_enable_x64=x64)
    jax.jit = lambda function: function

    def value_and_grad(function, has_aux=False):
        def both(arguments):
            gradients = {name: np.zeros(np.shape(value)) for name, value in arguments.items()}
            for name, value in arguments.items():
                for index in np.ndindex(np.shape(value)):
                    moved = np.array(value, dtype=complex)
                    moved[index] += 1e-30j
                    stepped = function({**arguments, name: moved})
                    gradients[name][index] = (stepped[0] if has_aux else stepped).imag / 1e-30
            return function(arguments), gradients

        return both

    def vmap(function):
        def mapped(arguments):
            count = len(next(iter(arguments.values())))
            found = [function({k: v[i] for k, v in arguments.items()}) for i in range(count)]
            if not isinstance(found[0], tuple):
                return np.stack(found)
            gradients = {k: np.stack([g[k] for _, g in found]) for k in arguments}
            return np.stack([v for v, _ in found]), gradients

        return mapped

    jax.value_and_grad, jax.vmap = value_and_grad, vmap
    return jax


def test_jax_makes_batches_and_gradients(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", small_jax(True))
    assert_right(aisivi.density(parameters=PARAMETERS, framework="jax")(log_p_of))
    assert_right(aisivi.density(parameters=PARAMETERS, framework="jax", batched=True)(log_p_of))


def test_jax_in_float32_is_refused_with_the_way_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", small_jax(False))
    density = aisivi.density(parameters=PARAMETERS, framework="jax")(log_p_of)
    with pytest.raises(DensityError, match='jax.config.update."jax_enable_x64", True'):
        density.answer(batch(1, POINTS))


class FakeBridgeStan:
    """A model of BridgeStan's methods that are called: −½ Σ z², rejecting where z₀ is negative."""

    def name(self):
        return "squares_model"

    def param_unc_names(self):
        return ["mu", "theta.1", "theta.2", "pair:1"]

    def log_density_gradient(self, z, propto, jacobian):
        assert (propto, jacobian) == (False, True)
        if z[0] < 0:
            raise RuntimeError("log_density_gradient() failed")
        return -0.5 * z @ z, -z


def test_bridgestan_models_are_densities_with_their_constants():
    density = aisivi.from_bridgestan(FakeBridgeStan())
    assert {name: p.shape for name, p in density.parameters.items()} == {
        "mu": (1,), "theta": (2,), "pair_1": (1,)}
    points = np.array([[1.0, 2.0, 3.0, 4.0], [-1.0, 2.0, 3.0, 4.0]])
    answer = answer_of(density, batch(1, points))
    assert numbers(answer.log_density).tolist() == [-15.0, -np.inf]
    assert numbers(answer.score).reshape(2, 4).tolist() == [[-1, -2, -3, -4], [0, 0, 0, 0]]
    assert density.name == "squares_model"


def torch_log_p(theta, tau):
    return (theta**2).sum(dim=(-1, -2)) * tau


def test_torch_makes_gradients():
    assert_right(aisivi.density(parameters=PARAMETERS, framework="torch")(torch_log_p))
    own = aisivi.density(parameters=PARAMETERS, framework="torch")(
        lambda theta, tau: (
            torch_log_p(theta, tau),
            {"theta": 2 * theta * tau[:, None, None], "tau": (theta**2).sum(dim=(-1, -2))},
        )
    )
    assert_right(own)
    with pytest.warns(RuntimeWarning):
        points = aisivi.density(parameters=PARAMETERS, framework="torch", batched=False)
        assert_right(points(torch_log_p))


def test_torch_functions_are_held_to_float64_and_to_their_tensors():
    import torch

    for function, what in (
        (lambda theta, tau: torch_log_p(theta.float(), tau.float()), "float32.*torch.set_default"),
        (lambda theta, tau: torch.ones(2, dtype=torch.float64), "does not depend"),
        (lambda theta, tau: theta, r"shape \(2, 2, 3\), not \(2,\)"),
    ):
        with pytest.raises(DensityError, match=what):
            Density(function, PARAMETERS, framework="torch").answer(batch(1, POINTS))
    # What the density does not depend on has the gradient 0.
    alone = Density(lambda theta, tau: tau, PARAMETERS, framework="torch")
    assert answered(alone)[1].reshape(2, 7).tolist() == [[0] * 6 + [1]] * 2
