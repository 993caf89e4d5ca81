"""Keyword arguments become the right messages; no server is asked."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from aisivi import Client, InvalidArgumentError, Stan
from aisivi._settings import build_fit


class FakeChannel:
    """A channel whose service answers a CreateFit with the fit that it was sent."""

    def __init__(self):
        self.requests = []

    def unary_unary(self, path, request_serializer, response_deserializer):
        assert path == "/aisivi.v1.FitService/CreateFit"

        def call(request, timeout):
            self.requests.append((request, timeout))
            return response_deserializer(request.fit.SerializeToString())

        return call


def test_client_sends_the_fit_once_named_and_within_its_timeout():
    channel = FakeChannel()
    client = Client(channel=channel, timeout=7)
    for timeout in (None, 2):
        fit = client.fit("banana", timeout=timeout, display_name="one")
        assert (fit.target, fit.display_name) == ("banana", "one")
    (first, default), (second, own) = channel.requests
    assert (default, own) == (7, 2)
    assert first.request_id and first.request_id != second.request_id


def test_settings_find_their_groups():
    fit = build_fit(
        "banana",
        None,
        {
            "seed": 2**64 - 1, "preset": "aisivi_banana", "method": "bsivi",
            "labels": {"owner": "ann"},
            "inner_samples": 32, "iterations": np.int64(100), "learning_rate": 0.01,
            "adaptive": False, "time_limit": 2.3, "latent": "uniform", "sigma": "VECTOR",
            "coupling": "spline", "flow_steps": 1e1, "warm_start": "none", "restarts": 2,
            "evidence_draws": 500, "hidden": None,
        },
    )
    assert fit.seed == 2**64 - 1 and fit.preset == "aisivi_banana" and fit.labels["owner"] == "ann"
    assert fit.method.WhichOneof("method") == "bsivi" and fit.method.bsivi.inner_samples == 32
    assert fit.schedule.iterations == 100 and fit.schedule.learning_rate == 0.01
    assert fit.schedule.HasField("adaptive") and not fit.schedule.adaptive
    assert (fit.schedule.time_limit.seconds, fit.schedule.time_limit.nanos) == (2, 300_000_000)
    assert (fit.family.latent, fit.family.sigma) == (2, 1)
    assert not fit.family.HasField("hidden")
    assert (fit.proposal.coupling, fit.proposal.flow_steps) == (2, 10)
    assert (fit.start.warm_start, fit.start.restarts) == (3, 2)
    assert fit.evidence_settings.evidence_draws == 500


@pytest.mark.parametrize(
    "settings, method",
    [
        ({}, "aisivi"),
        ({"preset": "kpg_is_logistic"}, "kpg_is"),
        ({"preset": "kpg_is_logistic", "method": "sivi"}, "sivi"),
    ],
)
def test_options_are_those_of_the_method_that_preset_or_name_choose(settings, method):
    fit = build_fit("banana", None, {**settings, "inner_samples": 8})
    assert fit.method.WhichOneof("method") == method


def test_expiry_is_an_instant():
    zone = timezone(timedelta(hours=2))
    fit = build_fit("banana", None, {"expire_time": datetime(2030, 1, 1, 2, 0, 0, 5, zone)})
    assert (fit.expire_time.seconds, fit.expire_time.nanos) == (1893456000, 5000)


def test_targets_take_arrays():
    covariance = np.array([[2, 1], [1, 2]])
    fit = build_fit("gaussian", {"mean": np.arange(2), "covariance": covariance.T}, {})
    gaussian = fit.target.gaussian
    assert list(gaussian.mean) == [0, 1]
    assert (gaussian.covariance.rows, gaussian.covariance.columns) == (2, 2)
    assert list(gaussian.covariance.values) == [2, 1, 1, 2]
    means = np.arange(6.0).reshape(2, 3)
    covariances = np.array([np.eye(3)] * 2)
    data = {"weights": [0.5, 0.5], "means": means[:, ::-1], "covariances": covariances}
    mixture = build_fit("gaussian_mixture", data, {}).target.gaussian_mixture
    assert list(mixture.means.values) == [2, 1, 0, 5, 4, 3]
    assert [list(c.values) for c in mixture.covariances] == [list(np.eye(3).ravel())] * 2
    steps = build_fit("conditioned_diffusion", {"observation_steps": [1, 2]}, {})
    assert list(steps.target.conditioned_diffusion.observation_steps) == [1, 2]


def test_data_sets_are_named_with_their_columns():
    settings = {"dataset": "abc", "response": "y", "predictors": ["a", "b"], "intercept": True}
    target = build_fit("logistic_regression", {"prior_precision": 1}, settings).target
    regression = target.logistic_regression
    assert regression.dataset == "datasets/abc" and regression.response == "y"
    assert list(regression.predictors) == ["a", "b"] and regression.intercept


@pytest.mark.parametrize(
    "target, data, settings, field, what",
    [
        ("bananas", None, {}, "fit.target", "no target is called 'bananas'; known: banana, "),
        ("banana", {"x": 1}, {}, "fit.target.banana.x", "no such field"),
        ("banana", [1], {}, "fit.target.banana", "not a dictionary"),
        ("banana", None, {"dataset": "a"}, "fit.target.banana.dataset", "no such field"),
        ("gaussian", {"mean": [[1]]}, {}, "fit.target.gaussian.mean", "not a vector"),
        ("gaussian", {"mean": ["a"]}, {}, "fit.target.gaussian.mean", "not an array"),
        ("gaussian", {"covariance": [1]}, {}, "fit.target.gaussian.covariance", "not a matrix"),
        ("banana", None, {"method": "mcmc"}, "fit.method", "no method is called 'mcmc'"),
        ("banana", None, {"chunk": 1}, "fit.chunk", "the method aisivi has no such setting"),
        ("banana", None, {"kernel": "imq"}, "fit.kernel", "has no such setting"),
        ("banana", None, {"iterations": 1.5}, "fit.schedule.iterations", "not a whole number"),
        ("banana", None, {"iterations": True}, "fit.schedule.iterations", "not a number"),
        ("banana", None, {"iterations": 1 << 70}, "fit.schedule.iterations", "out of range"),
        ("banana", None, {"iterations": float("nan")}, "fit.schedule.iterations", "whole number"),
        ("banana", None, {"seed": -1}, "fit.seed", "out of range"),
        ("banana", None, {"adaptive": 1}, "fit.schedule.adaptive", "neither True nor False"),
        ("banana", None, {"latent": "cauchy"}, "fit.family.latent", "one of gaussian, uniform"),
        ("banana", None, {"time_limit": "1"}, "fit.schedule.time_limit", "not a number"),
        ("banana", None, {"time_limit": 1e300}, "fit.schedule.time_limit", "seconds"),
        ("banana", None, {"display_name": 1}, "fit.display_name", "not a text"),
        ("banana", None, {"display_name": "\ud800"}, "fit.display_name", "UTF-8"),
        ("banana", None, {"expire_time": datetime(2030, 1, 1)}, "fit.expire_time", "time zone"),
        ("poisson_regression", None, {"predictors": "a"},
         "fit.target.poisson_regression.predictors", "not a list"),
    ],
)
def test_what_is_wrong_is_named(target, data, settings, field, what):
    with pytest.raises(InvalidArgumentError) as caught:
        build_fit(target, data, settings)
    (violation,) = caught.value.violations
    assert violation.field == field and what in violation.description
    assert str(caught.value).startswith(field) and isinstance(caught.value, ValueError)


PROGRAM = "data { int N; vector[N] y; }\nparameters { real mu; }\nmodel { y ~ normal(mu, 1); }\n"


def test_stan_data_are_as_cmdstan_reads_them(tmp_path):
    data = {
        "N": 3, "y": np.array([1.0, np.nan, 0.1]), "n": np.arange(2), "x": [[1, 2.5], [3, -np.inf]],
        "none": [], "flag": np.bool_(True), "bound": np.inf, "big": 2**53 + 1,
    }
    target = build_fit(Stan(PROGRAM), data, {"seed": 1}).target.stan
    assert target.program == PROGRAM
    assert target.data == (
        '{"N":3,"y":[1.0,"NaN",0.1],"n":[0,1],"x":[[1.0,2.5],[3.0,"-Infinity"]],"none":[],"flag":1,'
        '"bound":"Infinity","big":9007199254740993}')
    file = tmp_path / "model.stan"
    file.write_text(PROGRAM)
    for path in (file, str(file)):
        target = build_fit(Stan(path, {"N": 1, "y": [0.5]}), {"N": np.int32(2)}, {}).target.stan
        assert target.program == PROGRAM and target.data == '{"N":2,"y":[0.5]}'
    assert build_fit(Stan(PROGRAM), None, {}).target.stan.data == ""
    with pytest.raises(FileNotFoundError):
        Stan("missing.stan")


@pytest.mark.parametrize(
    "data, field",
    [
        ([1], "fit.target.stan.data"),
        ({"y": [[1], [1, 2]]}, "fit.target.stan.data.y"),
        ({"y": "text"}, "fit.target.stan.data.y"),
        ({"y": None}, "fit.target.stan.data.y"),
        ({"y": 1j}, "fit.target.stan.data.y"),
        ({1: 1}, "fit.target.stan.data"),
    ],
)
def test_stan_data_that_are_no_numbers_are_named(data, field):
    with pytest.raises(InvalidArgumentError) as caught:
        build_fit(Stan(PROGRAM), data, {})
    assert caught.value.violations[0].field == field


def test_a_target_of_no_kind_is_refused():
    with pytest.raises(InvalidArgumentError, match="fit.target: 3 is no target's name"):
        build_fit(3, None, {})


def test_stan_programs_wait_for_their_compiler():
    channel = FakeChannel()
    client = Client(channel=channel, timeout=7)
    client.fit(Stan(PROGRAM))
    client.fit(Stan(PROGRAM), timeout=5)
    assert [timeout for _, timeout in channel.requests] == [300, 5]
