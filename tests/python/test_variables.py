"""Draws as named arrays, and the forms of other packages, against a server that the test writes."""
from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
from fake_service import FakeService

import aisivi
from aisivi import Variable, _api
from aisivi.fit import Fit
from aisivi.variables import variables_of_names

VARIABLES = [
    {"name": "mu"},
    {"name": "beta", "shape": [2], "labels": ["age", "a/b"]},
    {"name": "theta", "shape": [2, 3]},
    {"name": "y_new", "shape": [2], "derived": True},
]
# Stan's order: the first index runs fastest.
NAMES = ["mu", "beta[age]", "beta[a/b]", "theta[1,1]", "theta[2,1]", "theta[1,2]", "theta[2,2]",
         "theta[1,3]", "theta[2,3]", "y_new[1]", "y_new[2]"]
COORDINATES = ["mu", "beta.1"]
VALUES = np.arange(33.0).reshape(3, 11)
FIT = _api.message(
    "Fit", name="fits/1", state=3, has_posterior=True, variables=VARIABLES,
    coordinate_names=COORDINATES,
    target={"stan": {"program": "p", "data": '{"N":3,"y":[1,2.5,"NaN"],"x":[[1,2],[3,4]]}'}},
)


class Posterior:
    """Answers with VALUES in two chunks, or with two coordinates."""

    def __init__(self, fit=FIT):
        self.requests = []
        self.fit = fit

    def draws(self, request, context):
        self.requests.append(request)
        names, values = NAMES, VALUES
        if request.scale == 2:
            names, values = COORDINATES, VALUES[:, :2]
        for rows in (values[:2], values[2:]):
            yield _api.message(
                "DrawsChunk", count=len(rows), dimension=len(names), values=rows.ravel(),
                log_p=[-1.0] * len(rows), log_q=[-2.0] * len(rows), log_weight=[1.0] * len(rows),
                coordinate_names=names if not rows[0][0] else (),
            )

    def summary(self, request, context):
        self.requests.append(request)
        entry = {"name": "mu", "mean": 1.25, "sd": 2, "quantiles": [0, 3]}
        return _api.message("PosteriorSummary", coordinates=[entry], probabilities=[0.1, 0.9])

    def log_density(self, request, context):
        self.requests.append(request)
        rows = np.array(request.points.values).reshape(request.points.rows, -1)
        yield _api.message("LogDensityChunk", log_q=rows @ [1.0, 10.0])

    def download(self, request, context):
        chunk = _api.method("FitService", "DownloadFit").output_type.name
        yield _api.message(chunk, data=self.fit.SerializeToString())

    def methods(self):
        return {
            "PosteriorService/StreamDraws": self.draws,
            "PosteriorService/SummarizePosterior": self.summary,
            "PosteriorService/EvaluateLogDensity": self.log_density,
            "FitService/DownloadFit": self.download,
            "FitService/GetFit": lambda request, context: self.fit,
        }


@pytest.fixture(scope="module")
def posterior():
    return Posterior()


@pytest.fixture(scope="module")
def fit(posterior):
    with FakeService(posterior.methods()) as fake:
        yield fake.client.get_fit("fits/1")


def test_draws_are_arrays_by_name(fit, posterior):
    draws = fit.draws(3, seed=5)
    assert list(draws) == ["mu", "beta", "theta", "y_new"]
    assert draws["mu"].tolist() == [0, 11, 22] and draws["beta"].shape == (3, 2)
    assert draws["theta"].shape == (3, 2, 3)
    for i in range(2):
        for j in range(3):
            column = NAMES.index(f"theta[{i + 1},{j + 1}]")
            assert draws["theta"][:, i, j].tolist() == VALUES[:, column].tolist()
    assert np.array_equal(fit.draws_array(3), VALUES)
    assert list(fit.generated(3)) == ["y_new"]
    assert fit.variables[1] == Variable("beta", (2,), ("age", "a/b"))
    assert [request.scale for request in posterior.requests] == [1, 1, 1]
    assert posterior.requests[0].seed == 5 and posterior.requests[0].omit_densities


def test_unconstrained_draws_are_the_coordinates_that_log_prob_takes(fit, posterior):
    draws = fit.draws(3, unconstrained=True)
    assert {name: list(values) for name, values in draws.items()} == {
        "mu": [0, 11, 22], "beta.1": [1, 12, 23]}
    assert fit.log_prob(draws).tolist() == [10, 131, 252]
    assert fit.log_prob(fit.draws_array(3, unconstrained=True)).tolist() == [10, 131, 252]
    assert fit.log_prob({"beta.1": 2.0, "mu": 1.0}) == 21
    with pytest.raises(ValueError, match="unconstrained=True"):
        fit.log_prob(fit.draws(3))
    fit.summary(unconstrained=True)
    assert posterior.requests[-1].scale == 2


def test_a_summary_is_a_table(fit):
    summary = fit.summary()
    assert summary["mu"].quantiles == {0.1: 0, 0.9: 3}
    assert str(summary).splitlines() == ["    mean  sd  10 %  90 %", "mu  1.25   2     0     3"]
    assert "<td>mu</td><td>1.25</td>" in summary._repr_html_()
    assert str(aisivi.Summary()) and "<table>" in aisivi.Summary()._repr_html_()


def test_frames_and_data_sets_have_names_and_labels(fit):
    frame = fit.to_dataframe(3)
    assert list(frame.columns) == NAMES and np.array_equal(frame.to_numpy(), VALUES)
    found = fit.to_xarray(3)
    assert found["theta"].dims == ("chain", "draw", "theta_dim_0", "theta_dim_1")
    assert found["theta"].sel(theta_dim_0=2, theta_dim_1=3).values.tolist() == [[8, 19, 30]]
    assert found["beta"].sel(beta_dim_0="a/b").values.tolist() == [[2, 13, 24]]
    assert dict(fit.to_xarray(3, unconstrained=True).sizes) == {"chain": 1, "draw": 3}


def test_inference_data_has_its_groups(fit, tmp_path, monkeypatch):
    import xarray

    file = tmp_path / "posterior.nc"
    fit.to_netcdf(file, count=3)
    load = lambda group: xarray.load_dataset(file, group=group, engine="h5netcdf")
    posterior, stats = load("posterior"), load("sample_stats")
    assert posterior["theta"].dims[:2] == ("chain", "draw") and posterior.sizes["chain"] == 1
    assert {"inference_library", "created_at"} <= set(posterior.attrs)
    assert stats["lp"].values.tolist() == [[-1, -1, -1]]
    assert {"log_q", "log_weight"} <= set(stats.data_vars)
    observed, constant = load("observed_data"), load("constant_data")
    assert observed["y"].values[:2].tolist() == [1, 2.5] and np.isnan(observed["y"].values[2])
    assert constant["N"].values == 3 and constant["x"].shape == (2, 2)
    fit.to_netcdf(file, count=3, observed=("x",))
    assert set(load("observed_data").data_vars) == {"x"}

    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "arviz", None)
        with pytest.raises(ImportError, match="arviz .by pip."):
            fit.to_arviz(3)
    arviz = ModuleType("arviz")
    arviz.InferenceData = dict
    monkeypatch.setitem(sys.modules, "arviz", arviz)
    groups = fit.to_arviz(3)
    assert set(groups) == {"posterior", "sample_stats", "observed_data", "constant_data"}


def test_without_variables_the_names_tell_them():
    fit = _api.message("Fit", name="fits/1", coordinate_names=["mu"])
    with FakeService(Posterior(fit).methods()) as fake:
        draws = fake.client.get_fit("fits/1").draws(3)
    assert list(draws) == ["mu", "beta", "theta", "y_new"] and draws["theta"].shape == (3, 2, 3)
    assert draws["theta"][:, 1, 2].tolist() == [8, 19, 30]
    assert draws["beta"].shape == (3, 2)


def test_a_fit_of_a_list_asks_for_its_variables():
    with FakeService(Posterior().methods()) as fake:
        listed = Fit(fake.client._transport, _api.message("Fit", name="fits/1"), 5)
        assert list(listed.generated(3)) == ["y_new"]


@pytest.mark.parametrize(
    "names, variables",
    [
        (["a", "b[1]", "b[2]", "c"], [("a", ()), ("b", (2,)), ("c", ())]),
        (["t[1,1]", "t[2,1]"], [("t", (2, 1))]),
        (["t[1,1]", "t[1,2]"], [("t", (1, 2))]),
        (["b[2]", "b[1]"], [("b", (2,), ("2", "1"))]),
        (["b[1]", "b[1,1]"], [("b", (2,), ("1", "1,1"))]),
        (["b[x]", "b[y]", "b"], [("b", (2,), ("x", "y")), ("b", ())]),
        (["z.1", "z.2"], [("z.1", ()), ("z.2", ())]),
    ],
)
def test_names_are_read_as_stans(names, variables):
    assert variables_of_names(names) == tuple(Variable(*fields) for fields in variables)


def test_relative_evidences_say_so_and_are_not_compared():
    evidence = _api.message("LogEvidence", log_z=1.0, standard_error=0.1)
    target = {"remote": {"density": "densities/1", "unnormalised": True}}
    fit = Fit(None, _api.message("Fit", name="fits/1", evidence=evidence, target=target), None)
    assert fit.log_evidence().relative and "log Z, relative: 1.000" in repr(fit)
    with pytest.raises(ValueError, match="fits/1: its density is unnormalised"):
        aisivi.compare([fit, fit])
