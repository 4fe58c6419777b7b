"""Importance sampling in a dozen dimensions: a t distribution that adapts to its target, smoothed weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.special import gammaln, logsumexp

Floats = NDArray[np.float64]

_DEGREES: Final = 5.0
_GOOD_K: Final = 0.5
_GOOD_SHARE: Final = 0.5
"""Effective draws, as a share of those of one round, that are enough."""


def importance_draws(
    log_target: Callable[[Floats], Floats],
    centre: Floats,
    covariance: Floats,
    rng: np.random.Generator,
    *,
    draws: int,
    rounds: int,
) -> tuple[Floats, Floats, float]:
    """Vectors (K, n), their normalised weights (K,), and the Pareto shape that tells whether to trust them.

    The proposal is a t distribution with ``centre`` and ``covariance``. While the weights are poor it is moved to what
    they say and ``draws`` more are made, at most ``rounds`` times; all draws are kept, as draws of the mixture of all
    proposals (Cornuet et al. 2012, doi 10.1111/j.1467-9469.2011.00756.x).
    """
    theta, log_values = np.zeros((0, len(centre))), np.zeros(0)
    proposals: list[tuple[Floats, Floats]] = []
    while True:
        lower = np.linalg.cholesky(covariance + 1e-9 * np.eye(len(centre)))
        proposals.append((centre, np.asarray(lower, dtype=np.float64)))
        made = student(*proposals[-1], draws, rng)
        theta, log_values = np.concatenate([theta, made]), np.concatenate([log_values, log_target(made)])
        mixture = logsumexp([student_log_density(theta, *item) for item in proposals], axis=0)
        log_weights, pareto_k = smoothed(log_values - mixture)
        weights = np.exp(log_weights - log_weights.max())
        weights /= weights.sum()
        good = pareto_k < _GOOD_K and 1.0 / np.sum(weights**2) > draws * _GOOD_SHARE
        if good or len(proposals) == rounds:
            return theta, weights, pareto_k
        centre = weights @ theta
        spread = (theta - centre).T @ ((theta - centre) * weights[:, None])
        covariance = 0.8 * spread + 0.2 * covariance


def student(centre: Floats, lower: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Draws (count, n) of a multivariate t with the scale matrix lower·lowerᵀ."""
    normal = rng.standard_normal((count, len(centre)))
    chi = rng.chisquare(_DEGREES, count) / _DEGREES
    return np.asarray(centre + (normal @ lower.T) / np.sqrt(chi)[:, None])


def student_log_density(theta: Floats, centre: Floats, lower: Floats) -> Floats:
    """Log density of that distribution at ``theta`` (K, n)."""
    n = len(centre)
    squared = np.sum(solve_triangular(lower, (theta - centre).T, lower=True) ** 2, axis=0)
    constant = gammaln((_DEGREES + n) / 2) - gammaln(_DEGREES / 2) - 0.5 * n * np.log(_DEGREES * np.pi)
    spread = np.log(np.diag(lower)).sum()
    return np.asarray(constant - spread - 0.5 * (_DEGREES + n) * np.log1p(squared / _DEGREES))


def smoothed(log_weights: Floats) -> tuple[Floats, float]:
    """Pareto-smoothed log weights and the fitted shape k (Vehtari et al. 2024; fit after Zhang & Stephens 2009)."""
    log_weights = log_weights - log_weights.max()
    n = len(log_weights)
    tail = int(min(0.2 * n, 3 * np.sqrt(n)))
    order = np.argsort(log_weights)
    cut = np.exp(log_weights[order[-tail - 1]])
    exceed = np.sort(np.exp(log_weights[order[-tail:]]) - cut)
    if exceed[-1] <= 1e-12:
        return log_weights, -np.inf
    k, sigma = pareto_fit(np.maximum(exceed, 1e-300))
    share = (np.arange(1, tail + 1) - 0.5) / tail
    quantile = -sigma * np.log1p(-share) if abs(k) < 1e-9 else sigma * np.expm1(-k * np.log1p(-share)) / k
    evened = log_weights.copy()
    evened[order[-tail:]] = np.minimum(np.log(np.maximum(quantile + cut, 1e-300)), 0.0)
    return evened, float(k)


def pareto_fit(x: Floats) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution (Zhang & Stephens 2009, doi 10.1198/tech.2009.08017)."""
    n = len(x)
    m = 30 + int(np.sqrt(n))
    quartile = x[int(n / 4 + 0.5) - 1]
    b = 1.0 / x[-1] + (1.0 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))) / (3.0 * max(quartile, 1e-300))
    k = np.mean(np.log1p(-b[:, None] * x), axis=1)
    log_profile = n * (np.log(-b / k) - k - 1.0)
    weights = np.exp(log_profile - log_profile.max())
    centre = float(np.sum(b * weights) / weights.sum())
    shape = float(np.mean(np.log1p(-centre * x)))
    return (shape * n + 5.0) / (n + 10.0), -shape / centre


def systematic(weights: Floats, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices drawn by their weights, which sum to 1, each as often as its weight says but for one."""
    points = (rng.random() + np.arange(count)) / count
    return np.minimum(np.searchsorted(np.cumsum(weights), points), len(weights) - 1).astype(np.int64)
