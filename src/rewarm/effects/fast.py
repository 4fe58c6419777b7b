"""The effects model without a sampler: Gaussian terms integrated in closed form, the rest by importance sampling.

Digits of one limb that were treated alike are first averaged (:mod:`rewarm.effects.cells`): what they differ by says
nothing about the effect on their mean. Given the spreads and the course's three parameters everything else is Gaussian,
so the marginal likelihood is exact and costs one small Cholesky factor a person. The parameters left are drawn from a
multivariate t around the mode, adapted, and weighted (Pareto-smoothed; Vehtari et al., doi 10.48550/arXiv.1507.02646).
Hundreds of studies can be simulated so. Censored outcomes are not Gaussian and need the sampler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln

from rewarm.effects.cells import is_common, mean_cells
from rewarm.effects.draws import Draws, treated_names
from rewarm.effects.model import ENROLMENT, Floats, ModelData, course
from rewarm.errors import InvalidInputError

_DRAWS: Final = 600
_DEGREES: Final = 5.0
_STEP: Final = 0.05
_MEMORY: Final = 4_000_000
"""Numbers in one stack of covariance matrices."""
PARETO_LIMIT: Final = 0.7
COURSE: Final = ("onset", "duration", "shape")


@dataclass(frozen=True, eq=False)
class _Blocks:
    """The cells by person, padded to one length m: arrays (people, m, ...); ``held`` is False in the padding."""

    y: Floats
    fixed: Floats
    day: Floats
    treated: Floats
    noise: Floats
    known: Floats
    same: dict[str, Floats]
    held: NDArray[np.bool_]


def fit_fast(data: ModelData, *, draws: int = 1000, seed: int = 1) -> Draws:
    """Draws from the posterior of the effects model; ``seed`` makes them repeatable.

    Raises :class:`InvalidInputError` for censored outcomes.
    """
    if not data.reached.all():
        raise InvalidInputError(
            f"{data.outcome.name}: expected no censored value for the fast estimator; found "
            f"{int((~data.reached).sum())}. Use the sampler: leave --fast out"
        )
    blocks = _blocks(data)
    rng = np.random.default_rng(seed)
    mode = _mode(data, blocks)
    theta, log_weights, pareto_k = _importance(data, blocks, mode, rng)
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    picked = theta[_systematic(weights, draws, rng)]
    effects, population, coefficients = _conditional(data, blocks, picked, rng)
    spreads = np.exp(picked)
    course_at = len(_spreads(data))
    unit = data.unit
    others = {f"sd_{name}": spreads[:, i] * unit for i, name in enumerate(_spreads(data))}
    others |= {f"b_{name}": coefficients[:, i] * unit for i, name in enumerate(np.array(data.names)[is_common(data)])}
    effective = float(1.0 / np.sum(weights**2))
    trouble = ""
    if pareto_k > PARETO_LIMIT or effective < 50:
        trouble = (
            f"The fast estimator's draws are not reliable here (Pareto k {pareto_k:.2f}, {effective:.0f} effective): "
            "use the sampler"
        )
    return Draws(
        people=treated_names(data),
        last_day=data.last_day[data.treated_people],
        person=effects * unit,
        population=population * unit,
        onset=spreads[:, course_at],
        duration=np.repeat(spreads[:, [course_at + 1]], len(data.treated_people), axis=1),
        shape=spreads[:, course_at + 2],
        others=others,
        diagnostics={"pareto_k": pareto_k, "effective_draws": effective},
        method="importance sampling of the exact marginal likelihood",
        trouble=trouble,
    )


def _blocks(data: ModelData) -> _Blocks:
    cells = mean_cells(data)
    people = len(data.people)
    counts = np.bincount(cells.person, minlength=people)
    m = int(counts.max())
    place = np.arange(len(cells.y)) - np.repeat(np.cumsum(counts) - counts, counts)
    at = (cells.person, place)

    def padded(values: NDArray[np.generic], fill: float = 0.0) -> Floats:
        block = np.full((people, m, *values.shape[1:]), fill)
        block[at] = values
        return block

    held = np.zeros((people, m), dtype=bool)
    held[at] = True
    both = held[:, :, None] & held[:, None, :]

    def same(codes: NDArray[np.int64]) -> Floats:
        block = padded(codes, -1.0)
        return np.asarray(((block[:, :, None] == block[:, None, :]) & both).astype(np.float64))

    visits, groups = same(cells.visit), same(cells.group)
    u_visit, digit_sd = padded(data.u_visit[cells.visit]), padded(cells.digit_sd)
    known = visits * u_visit[:, :, None] ** 2 + groups * digit_sd[:, :, None] ** 2
    slopes = padded(cells.slopes) * data.slope_sd
    known += slopes @ slopes.transpose(0, 2, 1)
    after = padded(cells.after)
    return _Blocks(
        y=padded(cells.y),
        fixed=padded(cells.columns),
        day=padded(cells.day),
        treated=padded(cells.treated),
        noise=padded(cells.noise_sd**2),
        known=known,
        same={
            "person": both.astype(np.float64),
            "limb": same(cells.limb),
            "visit": visits,
            "visit_limb": same(cells.visit_limb),
            "change": after[:, :, None] * after[:, None, :],
        },
        held=held,
    )


def _spreads(data: ModelData) -> tuple[str, ...]:
    """Standard deviations that means over digits can still tell; those of single digits are plugged in."""
    return tuple(name for name in data.spreads if name not in ("digit", "residual", "effect_digit"))


def _log_prior(data: ModelData, theta: Floats) -> Floats:
    """Log prior of the logarithms of all parameters, (K,), up to a constant."""
    priors = data.priors
    total = np.zeros(len(theta))
    for i, name in enumerate(_spreads(data)):
        total += 2.0 * theta[:, i] - 2.0 / priors.spreads[name] * np.exp(theta[:, i])
    for j, (mean, sd) in enumerate((priors.log_onset, priors.log_duration, priors.log_shape)):
        total -= 0.5 * ((theta[:, len(_spreads(data)) + j] - mean) / sd) ** 2
    return total


def _covariances(data: ModelData, blocks: _Blocks, theta: Floats) -> tuple[Floats, Floats, dict[str, Floats]]:
    """Covariance matrices (K, people, m, m), the effect's column (K, people, m), variances by name (K,)."""
    n = len(_spreads(data))
    variance = {name: np.exp(2.0 * theta[:, i]) for i, name in enumerate(_spreads(data))}
    onset, duration, shape = (np.exp(theta[:, n + j])[:, None, None] for j in range(3))
    effect = course(blocks.day[None], onset, duration, shape) * blocks.treated[None]
    v = np.broadcast_to(blocks.known, (len(theta), *blocks.known.shape)).copy()
    for name, matrix in blocks.same.items():
        if name in variance:
            v += variance[name][:, None, None, None] * matrix
    both = effect[:, :, :, None] * effect[:, :, None, :]
    v += both * variance["effect_person"][:, None, None, None]
    at = np.arange(v.shape[-1])
    v[:, :, at, at] += np.where(blocks.held, blocks.noise, 1.0)
    return v, effect, variance


@dataclass(frozen=True, eq=False)
class _Solved:
    """For K parameter vectors: log marginal likelihood, and what the conditional posterior needs."""

    log_likelihood: Floats
    q: Floats
    h: Floats
    lower: Floats
    design: Floats
    effect: Floats
    variance: dict[str, Floats]


def _coefficient_priors(data: ModelData, visit_variance: Floats) -> tuple[Floats, Floats]:
    """Means and standard deviations of the fixed coefficients and the effect, (K, p + 1)."""
    kept = is_common(data)
    count = len(visit_variance)
    mean = np.tile(np.append(data.prior_mean[kept], 0.0), (count, 1))
    sd = np.tile(np.append(data.prior_sd[kept], data.priors.effect_sd), (count, 1))
    scaled = np.append(np.array(data.names)[kept] == ENROLMENT, False)
    between_visits = np.sqrt(visit_variance)[:, None]
    return np.where(scaled, mean * between_visits, mean), np.where(scaled, sd * between_visits, sd)


def _solve(data: ModelData, blocks: _Blocks, theta: Floats) -> _Solved:
    v, effect, variance = _covariances(data, blocks, theta)
    lower = np.linalg.cholesky(v)
    design = np.concatenate(
        [np.broadcast_to(blocks.fixed, (len(theta), *blocks.fixed.shape)), effect[..., None]], axis=-1
    )
    y = np.broadcast_to(blocks.y, (len(theta), *blocks.y.shape))
    white = np.linalg.solve(lower, np.concatenate([design, y[..., None]], axis=-1))
    gram = np.einsum("kpmi,kpmj->kij", white, white, optimize=True)
    mean, sd = _coefficient_priors(data, variance["visit"])
    precision = 1.0 / sd**2
    q = gram[:, :-1, :-1] + precision[:, :, None] * np.eye(precision.shape[1])
    h = gram[:, :-1, -1] + precision * mean
    solved = np.linalg.solve(q, h[..., None])[..., 0]
    log_det = 2.0 * np.log(np.diagonal(lower, axis1=-2, axis2=-1)).sum(axis=(1, 2))
    fixed = np.linalg.slogdet(q)[1] - np.log(precision).sum(axis=1) + np.sum(precision * mean**2, axis=1)
    log_likelihood = -0.5 * (log_det + fixed + gram[:, -1, -1] - np.einsum("ki,ki->k", h, solved))
    return _Solved(log_likelihood, q, h, np.asarray(lower, dtype=np.float64), design, effect, variance)


def _log_posterior(data: ModelData, blocks: _Blocks, theta: Floats) -> Floats:
    size = max(1, _MEMORY // blocks.known.size)
    parts = [_solve(data, blocks, theta[i : i + size]).log_likelihood for i in range(0, len(theta), size)]
    return np.asarray(np.concatenate(parts) + _log_prior(data, theta))


def _start(data: ModelData) -> Floats:
    priors = data.priors
    spreads = [np.log(priors.spreads[name]) for name in _spreads(data)]
    return np.array([*spreads, priors.log_onset[0], priors.log_duration[0], priors.log_shape[0]])


def _mode(data: ModelData, blocks: _Blocks) -> Floats:
    start = _start(data)
    steps = 1e-4 * np.vstack([np.eye(len(start)), -np.eye(len(start))])

    def negative(theta: Floats) -> tuple[float, Floats]:
        values = -_log_posterior(data, blocks, theta + np.vstack([np.zeros_like(theta), steps]))
        n = len(theta)
        return float(values[0]), np.asarray((values[1 : n + 1] - values[n + 1 :]) / 2e-4)

    bounds = [(centre - 5.0, centre + 3.0) for centre in start]
    found = minimize(negative, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60, "ftol": 1e-7})
    return np.asarray(found.x, dtype=np.float64)


def _curvature(data: ModelData, blocks: _Blocks, mode: Floats) -> Floats:
    """Covariance at the mode from finite differences, made positive definite."""
    n = len(mode)
    pairs = [(i, j) for i in range(n) for j in range(i, n)]
    points = [mode]
    for i, j in pairs:
        a, b = np.eye(n)[i] * 2 * _STEP, np.eye(n)[j] * 2 * _STEP
        points += [mode + a + b, mode + a - b, mode - a + b, mode - a - b]
    values = _log_posterior(data, blocks, np.array(points))[1:].reshape(-1, 4)
    second = (values[:, 0] - values[:, 1] - values[:, 2] + values[:, 3]) / (16 * _STEP**2)
    hessian = np.zeros((n, n))
    for (i, j), value in zip(pairs, second, strict=True):
        hessian[i, j] = hessian[j, i] = -value
    sizes, vectors = np.linalg.eigh(hessian)
    return np.asarray(vectors @ np.diag(1.0 / np.maximum(sizes, 0.25)) @ vectors.T)


def _importance(
    data: ModelData, blocks: _Blocks, mode: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, float]:
    """Parameter vectors, their smoothed log weights, and the Pareto shape that tells whether to trust them."""
    centre, cov = mode, _curvature(data, blocks, mode)
    theta, log_weights, pareto_k = mode[None], np.zeros(1), np.inf
    for _ in range(3):
        theta, log_proposal = _student(centre, cov, _DRAWS, rng)
        raw = _log_posterior(data, blocks, theta) - log_proposal
        log_weights, pareto_k = _smoothed(raw)
        weights = np.exp(log_weights - log_weights.max())
        weights /= weights.sum()
        if pareto_k < 0.5 and 1.0 / np.sum(weights**2) > _DRAWS / 4:
            break
        centre = weights @ theta
        spread = (theta - centre).T @ ((theta - centre) * weights[:, None])
        cov = 0.8 * spread + 0.2 * cov
    return theta, log_weights, pareto_k


def _student(centre: Floats, cov: Floats, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    n = len(centre)
    lower = np.linalg.cholesky(cov + 1e-9 * np.eye(n))
    normal = rng.standard_normal((count, n))
    chi = rng.chisquare(_DEGREES, count) / _DEGREES
    theta = centre + (normal @ lower.T) / np.sqrt(chi)[:, None]
    squared = np.sum(normal**2, axis=1) / chi
    log_density = (
        gammaln((_DEGREES + n) / 2)
        - gammaln(_DEGREES / 2)
        - 0.5 * n * np.log(_DEGREES * np.pi)
        - np.log(np.diag(lower)).sum()
        - 0.5 * (_DEGREES + n) * np.log1p(squared / _DEGREES)
    )
    return theta, np.asarray(log_density)


def _smoothed(log_weights: Floats) -> tuple[Floats, float]:
    """Pareto-smoothed log weights and the fitted shape k (Vehtari et al. 2024; fit after Zhang & Stephens 2009)."""
    log_weights = log_weights - log_weights.max()
    n = len(log_weights)
    tail = int(min(0.2 * n, 3 * np.sqrt(n)))
    order = np.argsort(log_weights)
    cut = np.exp(log_weights[order[-tail - 1]])
    exceed = np.sort(np.exp(log_weights[order[-tail:]]) - cut)
    if exceed[-1] <= 1e-12:
        return log_weights, -np.inf
    k, sigma = _pareto_fit(np.maximum(exceed, 1e-300))
    share = (np.arange(1, tail + 1) - 0.5) / tail
    quantile = -sigma * np.log1p(-share) if abs(k) < 1e-9 else sigma * np.expm1(-k * np.log1p(-share)) / k
    smoothed = log_weights.copy()
    smoothed[order[-tail:]] = np.minimum(np.log(np.maximum(quantile + cut, 1e-300)), 0.0)
    return smoothed, float(k)


def _pareto_fit(x: Floats) -> tuple[float, float]:
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


def _systematic(weights: Floats, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    points = (rng.random() + np.arange(count)) / count
    return np.minimum(np.searchsorted(np.cumsum(weights), points), len(weights) - 1).astype(np.int64)


def _conditional(
    data: ModelData, blocks: _Blocks, theta: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """One draw each: effects (R, treated people), the population's mean (R,), coefficients (R, p)."""
    size = max(1, _MEMORY // blocks.known.size)
    parts = [_conditional_part(data, blocks, theta[i : i + size], rng) for i in range(0, len(theta), size)]
    return (
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )


def _conditional_part(
    data: ModelData, blocks: _Blocks, theta: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    solved = _solve(data, blocks, theta)
    lower = np.linalg.cholesky(solved.q)
    mean = np.linalg.solve(solved.q, solved.h[..., None])
    noise = rng.standard_normal(mean.shape)
    beta = (mean + np.linalg.solve(lower.transpose(0, 2, 1), noise))[..., 0]
    residual = blocks.y - np.einsum("kpmi,ki->kpm", solved.design, beta, optimize=True)
    both = np.stack([solved.effect, residual], axis=-1)
    white = np.linalg.solve(solved.lower, both)
    power = np.einsum("kpm,kpm->kp", white[..., 0], white[..., 0])
    cross = np.einsum("kpm,kpm->kp", white[..., 0], white[..., 1])
    prior = solved.variance["effect_person"][:, None]
    own = prior * cross + np.sqrt(np.maximum(prior - prior**2 * power, 0.0)) * rng.standard_normal(cross.shape)
    population = np.asarray(beta[:, -1], dtype=np.float64)
    effects = np.asarray((population[:, None] + own)[:, data.treated_people], dtype=np.float64)
    return effects, population, np.asarray(beta[:, :-1], dtype=np.float64)
