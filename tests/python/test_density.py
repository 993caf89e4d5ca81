"""Densities of this process, fitted by a server."""
from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import aisivi
from aisivi import Positive, Real, Simplex

QUICK = {"iterations": 60, "evidence_draws": 500, "evidence_inner_samples": 16, "seed": 2}
GENERATOR = np.random.default_rng(5)
X = np.column_stack([np.ones(40), GENERATOR.normal(size=(40, 2))])
Y = (GENERATOR.random(40) < 1 / (1 + np.exp(-X @ [0.5, 1.0, -1.0]))).astype(float)
PRECISION = 0.1


@aisivi.density(parameters={"beta": Real(3)})
def logistic(beta):
    """target.proto's logistic regression."""
    linear = beta @ X.T
    log_p = (Y * linear - np.logaddexp(0, linear)).sum(axis=1)
    log_p += 0.5 * (3 * np.log(PRECISION / (2 * np.pi)) - PRECISION * (beta**2).sum(axis=1))
    return log_p, {"beta": (Y - 1 / (1 + np.exp(-linear))) @ X - PRECISION * beta}


def test_a_density_is_fitted_as_the_target_built_in(client):
    remote = client.fit(logistic, **QUICK).wait(progress=False)
    data = {"x": X, "y": Y, "prior_precision": PRECISION}
    built_in = client.fit("logistic_regression", data, **QUICK).wait(progress=False)
    assert remote.log_evidence().log_z == pytest.approx(built_in.log_evidence().log_z, abs=1e-6)
    assert np.allclose(
        remote.draws(100)["beta"], built_in.draws_array(100, unconstrained=True), atol=1e-6)
    assert not remote.log_evidence().relative
    # What needs the density again has it, as long as the client lives.
    assert np.isfinite(remote.draw_set(20).log_p).all()
    assert np.isfinite(remote.log_evidence(draws=100, seed=4).log_z)


def test_constraints_are_the_servers_and_its_draws_keep_them(client):
    @aisivi.density(parameters={"w": Simplex(3), "tau": Positive()}, unnormalised=True)
    def density(w, tau):
        # Dirichlet(2, 3, 4) without its constant, and Gamma(3, 1) without its.
        log_p = np.log(w) @ [1.0, 2.0, 3.0] + 2 * np.log(tau) - tau
        return log_p, {"w": np.array([1.0, 2.0, 3.0]) / w, "tau": 2 / tau - 1}

    fit = client.fit(density, seed=1, time_limit=30).wait(progress=False)
    draws = fit.draws(4000)
    assert np.allclose(draws["w"].sum(axis=1), 1) and (draws["tau"] > 0).all()
    assert np.allclose(draws["w"].mean(axis=0), np.array([2, 3, 4]) / 9, atol=0.02)
    assert draws["tau"].mean() == pytest.approx(3, abs=0.25)
    assert fit.log_evidence().relative
    # Γ(2) Γ(3) Γ(4) / Γ(9), times Γ(3).
    constant = np.log(1 * 2 * 6 / 40320 * 2)
    assert fit.log_evidence().log_z == pytest.approx(constant, abs=0.1)


def test_a_wrong_gradient_is_named_at_the_opening(client):
    wrong = aisivi.Density(
        lambda mu, tau: (-(mu**2) - tau, {"mu": mu, "tau": -np.ones_like(tau)}),
        {"mu": Real(), "tau": Positive()},
    )
    with pytest.raises(aisivi.InvalidArgumentError, match="mu"):
        client.fit(wrong)


def test_what_the_function_raises_ends_the_fit(client):
    calls = []

    @aisivi.density(parameters={"x": Real()}, check=False)
    def density(x):
        calls.append(len(x))
        if len(calls) > 20:
            raise RuntimeError("no more")
        return -0.5 * x**2, {"x": -x}

    with pytest.raises(RuntimeError, match="no more"):
        client.fit(density).wait(progress=False)


PROGRAM = """
import sys, aisivi
@aisivi.density(parameters={"x": aisivi.Real(2)})
def density(x):
    return -0.5 * (x**2).sum(axis=1) - 1.8378770664093453, {"x": -x}
client = aisivi.Client(sys.argv[1])
aisivi.serve(client, density, *sys.argv[2:], announce=lambda name: print(name, flush=True))
"""


def test_another_process_serves_and_a_second_one_takes_over(server, client):
    def start(*arguments):
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, server.address, *arguments],
            stdout=subprocess.PIPE, text=True,
        )

    children = [start()]
    try:
        name = children[0].stdout.readline().strip()
        children.append(start(name))
        assert children[1].stdout.readline().strip() == name
        fit = client.fit("remote", {"density": name}, iterations=200, seed=1)

        def kill_the_first(event):
            if event.progress.iteration > 0:
                children[0].kill()

        fit.watch(kill_the_first)
        assert fit.state == "succeeded" and fit.termination != "target_lost"
        assert fit.log_evidence().log_z == pytest.approx(0, abs=0.1)
        with pytest.raises(aisivi.NotFoundError):
            client.fit("remote", {"density": "densities/" + "0" * 32})
    finally:
        for child in children:
            child.kill()
            child.wait()
