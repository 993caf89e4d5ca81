"""Stan programs through a server that can compile them."""
from __future__ import annotations

import numpy as np
import pytest

import aisivi

# Normal data with known variance, a normal prior: all is known in closed form.
PROGRAM = """
data {
  int<lower=1> N;
  vector[N] y;
}
parameters {
  real mu;
}
model {
  mu ~ normal(0, 10);
  y ~ normal(mu, 1);
}
generated quantities {
  matrix[2, 3] m;
  real y_new = normal_rng(mu, 1);
  for (i in 1:2) for (j in 1:3) m[i, j] = mu + 10 * i + j;
}
"""


def normal_evidence(y):
    """log ∫ N(mu; 0, 10²) Π N(y_i; mu, 1) dmu: y ~ N(0, I + 100 1 1ᵀ)."""
    covariance = np.eye(len(y)) + 100.0
    _, log_determinant = np.linalg.slogdet(covariance)
    quadratic = y @ np.linalg.solve(covariance, y)
    return -0.5 * (quadratic + log_determinant + len(y) * np.log(2 * np.pi))


def test_a_program_is_fitted_with_named_draws(client):
    y = np.array([1.0, 2.0, 4.0])
    fit = client.fit(aisivi.Stan(PROGRAM), data={"N": 3, "y": y}, seed=1, time_limit=60)
    fit.wait(progress=False)
    assert fit.state == "succeeded" and fit.verdict.grade == "good"
    evidence = fit.log_evidence()
    assert abs(evidence.log_z - normal_evidence(y)) < 5 * evidence.standard_error + 0.02
    draws = fit.draws(2000, seed=3)
    precision = 3 + 0.01
    error = 1 / np.sqrt(2000 * precision)
    assert draws["mu"].mean() == pytest.approx(y.sum() / precision, abs=5 * error)
    assert draws["m"].shape == (2000, 2, 3)
    assert np.allclose(draws["m"][:, 1, 2], draws["mu"] + 23)
    generated = fit.generated(2000, seed=3)
    assert set(generated) == {"m", "y_new"}
    assert np.array_equal(generated["y_new"], draws["y_new"])
    assert draws["y_new"].std() == pytest.approx(np.sqrt(1 + 1 / precision), rel=0.1)
    assert list(fit.summary(count=1000))[:3] == ["mu", "m[1,1]", "m[2,1]"]
    assert list(fit.draws(5, unconstrained=True)) == ["mu"]


def test_what_the_compiler_says_is_raised(client):
    broken = PROGRAM.replace("real mu;", "real mu")
    with pytest.raises(aisivi.InvalidArgumentError) as caught:
        client.fit(aisivi.Stan(broken), data={"N": 1, "y": [1.0]})
    (violation,) = caught.value.violations
    assert violation.field == "fit.target.stan.program" and "line" in violation.description


def test_data_that_do_not_fit_are_named(client):
    for data in ({"N": 2, "y": [1.0]}, {"N": 0, "y": []}, {"y": [1.0]}):
        with pytest.raises(aisivi.InvalidArgumentError) as caught:
            client.fit(aisivi.Stan(PROGRAM), data=data)
        assert caught.value.violations[0].field.startswith("fit.target.stan.data")
