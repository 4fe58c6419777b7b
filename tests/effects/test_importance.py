"""Importance sampling beside distributions whose moments are known."""

import numpy as np
import pytest
from scipy.stats import multivariate_t

from rewarm.effects.importance import importance_draws, pareto_fit, smoothed, student, student_log_density, systematic


def test_weighted_draws_have_the_targets_moments():
    """A correlated normal distribution, proposed from elsewhere and too wide."""
    cov = np.array([[1.0, 0.6], [0.6, 0.5]])
    precision = np.linalg.inv(cov)

    def log_target(x):
        return -0.5 * np.einsum("ki,ij,kj->k", x - 3.0, precision, x - 3.0)

    rng = np.random.default_rng(1)
    theta, weights, pareto_k = importance_draws(log_target, np.zeros(2), 4 * np.eye(2), rng, draws=4000, rounds=5)
    mean = weights @ theta
    assert mean == pytest.approx([3, 3], abs=0.1)
    assert (theta - mean).T @ ((theta - mean) * weights[:, None]) == pytest.approx(cov, abs=0.1)
    assert pareto_k < 0.7


def test_a_target_far_from_every_proposal_is_told_by_its_shape():
    rng = np.random.default_rng(1)
    _, _, pareto_k = importance_draws(
        lambda x: -0.5 * ((x[:, 0] - 40.0) / 0.01) ** 2, np.zeros(1), np.eye(1), rng, draws=500, rounds=1
    )
    assert pareto_k > 0.7


def test_density_is_that_of_the_multivariate_t():
    cov = np.array([[2.0, 0.3], [0.3, 1.0]])
    centre, lower = np.array([1.0, -1.0]), np.linalg.cholesky(cov)
    theta = student(centre, lower, 20_000, np.random.default_rng(2))
    expected = multivariate_t(centre, cov, df=5).logpdf(theta[:20])
    assert student_log_density(theta[:20], centre, lower) == pytest.approx(expected, abs=1e-9)
    assert np.cov(theta.T) == pytest.approx(cov * 5 / 3, abs=0.2)


def test_pareto_fit_finds_the_shape():
    rng = np.random.default_rng(1)
    for shape in (-0.2, 0.3, 0.8):
        sample = np.sort(2.0 * np.expm1(-shape * np.log(rng.random(4000))) / shape)
        assert pareto_fit(sample)[0] == pytest.approx(shape, abs=0.08)


def test_smoothing_tames_the_largest_weight():
    rng = np.random.default_rng(3)
    log_weights = rng.standard_t(2, 500)
    evened, _ = smoothed(log_weights)
    assert evened.max() <= 0.0
    assert np.sort(evened)[:300] == pytest.approx(np.sort(log_weights - log_weights.max())[:300])


def test_systematic_draws_follow_the_weights():
    picked = systematic(np.array([0.5, 0.0, 0.25, 0.25]), 8, np.random.default_rng(1))
    assert np.bincount(picked, minlength=4).tolist() == [4, 0, 2, 2]
