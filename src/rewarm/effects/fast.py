"""The effects model without a sampler: Gaussian terms integrated in closed form, the rest by importance sampling.

Digits of one limb that were treated alike are first averaged (:mod:`rewarm.effects.cells`): what they differ by says
nothing about the effect on their mean. Given the spreads and the course's five parameters everything else is Gaussian,
so the marginal likelihood is exact and costs one small Cholesky factor a person. The parameters left are drawn from a
multivariate t around the mode, adapted, and weighted (Pareto-smoothed; Vehtari et al., doi 10.48550/arXiv.1507.02646).
Hundreds of studies can be simulated so. Censored outcomes are not Gaussian and need the sampler.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit
from scipy.stats import norm

from rewarm.effects.cells import is_common, mean_cells
from rewarm.effects.draws import Draws, treated_names
from rewarm.effects.importance import importance_draws, systematic
from rewarm.effects.model import ENROLMENT, Floats, ModelData, course
from rewarm.errors import InvalidInputError

_DRAWS: Final = 400
_ROUNDS: Final = 10
_STEP: Final = 0.05
_MEMORY: Final = 400_000
"""Numbers in one stack of covariance matrices."""
_STRATA: Final = 9
"""Equally probable strata of the durations that people may have, one node drawn in each."""
_COURSE: Final = ("onset", "duration", "shape", "tail", "rise")
"""The course's parameters as :func:`rewarm.effects.model.course` takes them."""
PARETO_LIMIT: Final = 0.7
LEAST_EFFECTIVE: Final = 50.0


@dataclass(frozen=True, eq=False)
class _Blocks:
    """The cells by person, padded to one length m: arrays (people, m, ...); ``held`` is False in the padding.

    ``known`` is the covariance that no parameter enters, ``same`` by name what the square of a parameter multiplies.
    """

    y: Floats
    fixed: Floats
    day: Floats
    treated: Floats
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
    theta, weights, pareto_k = importance_draws(
        lambda vectors: _log_posterior(data, blocks, vectors),
        mode,
        _curvature(data, blocks, mode),
        rng,
        draws=_DRAWS,
        rounds=_ROUNDS,
    )
    picked = theta[systematic(weights, draws, rng)]
    effects, lasts, coefficients = _conditional(data, blocks, picked, rng)
    values, unit = _values(data, picked), data.unit
    others = {f"sd_{name}": values[name] * unit for name in _spreads(data)}
    others |= {f"b_{name}": coefficients[:, i] * unit for i, name in enumerate(np.array(data.names)[is_common(data)])}
    others |= {name: values[name] for name in ("duration_spread", "offset_share") if name in values}
    effective = float(1.0 / np.sum(weights**2))
    trouble = ""
    if pareto_k > PARETO_LIMIT or effective < LEAST_EFFECTIVE:
        trouble = (
            f"The fast estimator's draws are not reliable here (Pareto k {pareto_k:.2f}, {effective:.0f} effective): "
            "use the sampler"
        )
    return Draws(
        people=treated_names(data),
        last_day=data.last_day[data.treated_people],
        person=effects * unit,
        population=values["effect"] * unit,
        onset=values["onset"],
        duration=lasts,
        shape=values["shape"],
        tail=values["tail"],
        rise=values["rise"],
        others=others,
        diagnostics={"pareto_k": pareto_k, "effective_draws": effective},
        method="importance sampling of the marginal likelihood",
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
    known = groups * digit_sd[:, :, None] ** 2
    slopes = padded(cells.slopes) * data.slope_sd
    known += slopes @ slopes.transpose(0, 2, 1)
    along = np.arange(m)
    known[:, along, along] += np.where(held, padded(cells.noise_sd**2), 1.0)
    after = padded(cells.after)
    return _Blocks(
        y=padded(cells.y),
        fixed=padded(cells.columns),
        day=padded(cells.day),
        treated=padded(cells.treated),
        known=known,
        same={
            "person": both.astype(np.float64),
            "limb": same(cells.limb),
            "visit": np.where(visits > 0, 1.0, _near(padded(cells.day), data.priors.flare)) * both.astype(np.float64),
            "visit_limb": same(cells.visit_limb),
            "change": after[:, :, None] * after[:, None, :],
            "offset_share": visits * u_visit[:, :, None] ** 2,
        },
        held=held,
    )


def _near(day: Floats, flare: tuple[float, float]) -> Floats:
    """Correlation of different visits of one person, (people, m, m), by their days (people, m)."""
    share, days = flare
    return np.asarray(share * np.exp(-np.abs(day[:, :, None] - day[:, None, :]) / days))


def _spreads(data: ModelData) -> tuple[str, ...]:
    """Standard deviations that means over digits can still tell; those of single digits are plugged in."""
    return tuple(name for name in data.spreads if name not in ("digit", "residual", "effect_digit"))


def _parameters(data: ModelData) -> tuple[str, ...]:
    """What is not integrated, in the order of a parameter vector: logarithms, but for the effect and the share's logit.

    ``effect`` is the population's mean, ``duration_spread`` the standard deviation of log duration between people.
    """
    several = ("duration_spread",) if len(data.treated_people) > 1 else ()
    offset = ("offset_share",) if data.has_offset else ()
    return (*_spreads(data), *_COURSE, *several, "effect", *offset)


def _values(data: ModelData, theta: Floats) -> dict[str, Floats]:
    """Parameter vectors (K, n) by name, on their own scales, (K,) each."""
    found = {}
    for i, name in enumerate(_parameters(data)):
        column = theta[:, i]
        found[name] = column if name == "effect" else expit(column) if name == "offset_share" else np.exp(column)
    return found


def _log_prior(data: ModelData, theta: Floats) -> Floats:
    """Log prior of parameter vectors, (K,), up to a constant."""
    priors = data.priors
    normal = {
        "onset": priors.log_onset,
        "duration": priors.log_duration,
        "shape": priors.log_shape,
        "tail": priors.log_tail,
        "rise": priors.log_rise,
        "effect": (0.0, priors.effect_sd),
    }
    total = np.zeros(len(theta))
    for i, name in enumerate(_parameters(data)):
        column = theta[:, i]
        if name in normal:
            mean, sd = normal[name]
            total -= 0.5 * ((column - mean) / sd) ** 2
        elif name == "offset_share":
            a, b = priors.offset_share
            total += a * log_expit(column) + b * log_expit(-column)
        else:
            total += 2.0 * column - 2.0 / _prior_spread(data, name) * np.exp(column)
    return total


def _prior_spread(data: ModelData, name: str) -> float:
    return data.priors.duration_spread if name == "duration_spread" else data.priors.spreads[name]


@dataclass(frozen=True, eq=False)
class _Covariance:
    """For K parameter vectors: ``total`` (K, people, m, m) of a person's cells, ``known`` the same without the effect;
    ``expected`` (K, people, m) is the mean effect on them.
    """

    total: Floats
    known: Floats
    expected: Floats


def _covariance(blocks: _Blocks, values: dict[str, Floats]) -> _Covariance:
    """What a person's cells share.

    How long the effect lasts differs between people, which is not Gaussian: for each person the course and what people
    differ from it by enter with their exact means and covariances over the spread of durations.
    """
    names = [name for name in blocks.same if name in values]
    weights = np.stack([values[name] ** 2 for name in names], axis=-1)
    matrices = np.stack([blocks.same[name] for name in names])
    known = (weights @ matrices.reshape(len(names), -1)).reshape(-1, *blocks.known.shape)
    known += blocks.known
    nodes, weights = _NODES if "duration_spread" in values else _ONE_NODE
    courses = _courses(blocks, values, nodes)
    mean = courses @ weights
    own = values["effect_person"][:, None, None]
    apart = (courses - mean[..., None]) * np.sqrt(weights)
    apart *= np.sqrt(values["effect"][:, None, None] ** 2 + own**2)[..., None]
    columns = np.concatenate([apart, (own * mean)[..., None]], axis=-1)
    total = known + columns @ np.swapaxes(columns, -1, -2)
    return _Covariance(total, known, values["effect"][:, None, None] * mean)


def _courses(blocks: _Blocks, values: dict[str, Floats], nodes: Floats) -> Floats:
    """Share of the full effect, (K, people, m, nodes), where log duration is so many spreads from its mean.

    ``nodes`` is (nodes,), or (K, people, nodes).
    """
    onset, duration, *forms = (values[name][:, None, None, None] for name in _COURSE)
    spread = values.get("duration_spread", np.zeros(1))[:, None, None, None]
    own = nodes if nodes.ndim == 1 else nodes[:, :, None, :]
    share = course(blocks.day[None, ..., None], onset, duration * np.exp(spread * own), *forms)
    return np.asarray(share * blocks.treated[None, ..., None])


@dataclass(frozen=True, eq=False)
class _Solved:
    """For K parameter vectors: log marginal likelihood; precision and precision × mean of the coefficients."""

    log_likelihood: Floats
    q: Floats
    h: Floats
    covariance: _Covariance


def _coefficient_priors(data: ModelData, values: dict[str, Floats]) -> tuple[Floats, Floats]:
    """Means and standard deviations of the fixed coefficients, (K, p)."""
    kept = is_common(data)
    mean, sd = data.prior_mean[kept], data.prior_sd[kept]
    variance = values["visit"] ** 2
    if data.has_offset:
        variance = variance + values["offset_share"] ** 2 * data.typical_offset**2
    factor = np.where(np.array(data.names)[kept] == ENROLMENT, np.sqrt(variance)[:, None], 1.0)
    return mean * factor, sd * factor


def _solve(data: ModelData, blocks: _Blocks, theta: Floats) -> _Solved:
    values = _values(data, theta)
    covariance = _covariance(blocks, values)
    lower = np.linalg.cholesky(covariance.total)
    shape = (len(theta), *blocks.fixed.shape)
    y = blocks.y - covariance.expected
    columns = np.concatenate([np.broadcast_to(blocks.fixed, shape), y[..., None]], axis=-1)
    white = np.linalg.solve(lower, columns).reshape(len(theta), -1, columns.shape[-1])
    gram = np.swapaxes(white, -1, -2) @ white
    mean, sd = _coefficient_priors(data, values)
    precision = 1.0 / sd**2
    q = gram[:, :-1, :-1] + precision[:, :, None] * np.eye(precision.shape[1])
    h = gram[:, :-1, -1] + precision * mean
    solved = np.linalg.solve(q, h[..., None])[..., 0]
    log_det = 2.0 * np.log(np.diagonal(lower, axis1=-2, axis2=-1)).sum(axis=(1, 2))
    fixed = np.linalg.slogdet(q)[1] - np.log(precision).sum(axis=1) + np.sum(precision * mean**2, axis=1)
    log_likelihood = -0.5 * (log_det + fixed + gram[:, -1, -1] - np.einsum("ki,ki->k", h, solved))
    return _Solved(log_likelihood, q, h, covariance)


def _log_posterior(data: ModelData, blocks: _Blocks, theta: Floats) -> Floats:
    """Log posterior of K parameter vectors, (K,); −∞ far outside the priors, where matrices would lose their rank."""
    low, high = _bounds(data)
    inside = ((theta >= low) & (theta <= high)).all(axis=1)
    size = max(1, _MEMORY // blocks.known.size)
    kept = theta[inside]
    parts = [_solve(data, blocks, kept[i : i + size]).log_likelihood for i in range(0, len(kept), size)]
    found = np.full(len(theta), -np.inf)
    found[inside] = np.concatenate([*parts, np.zeros(0)]) + _log_prior(data, kept)
    return found


def _start(data: ModelData) -> Floats:
    priors = data.priors
    start = {
        "onset": priors.log_onset[0],
        "duration": priors.log_duration[0],
        "shape": priors.log_shape[0],
        "tail": priors.log_tail[0],
        "rise": priors.log_rise[0],
        "effect": 0.0,
        "offset_share": 0.0,
    }
    return np.array([start[name] if name in start else np.log(_prior_spread(data, name)) for name in _parameters(data)])


def _bounds(data: ModelData) -> tuple[Floats, Floats]:
    """What no prior reaches: spreads e⁻⁷ to e⁴ of their means, times e±⁴, the effect 8 SD, the share's logit ±9."""
    limits = dict.fromkeys(_COURSE, (4.0, 4.0)) | {"offset_share": (9.0, 9.0)}
    limits["effect"] = (8.0 * data.priors.effect_sd,) * 2
    start = _start(data)
    below, above = zip(*(limits.get(name, (7.0, 4.0)) for name in _parameters(data)), strict=True)
    return start - np.array(below), start + np.array(above)


def _mode(data: ModelData, blocks: _Blocks) -> Floats:
    start = _start(data)
    steps = 1e-4 * np.vstack([np.eye(len(start)), -np.eye(len(start))])

    def negative(theta: Floats) -> tuple[float, Floats]:
        values = -_log_posterior(data, blocks, theta + np.vstack([np.zeros_like(theta), steps]))
        n = len(theta)
        return float(values[0]), np.asarray((values[1 : n + 1] - values[n + 1 :]) / 2e-4)

    low, high = _bounds(data)
    bounds = list(zip(low + 0.3, high - 0.3, strict=True))  # room for the steps of the derivatives
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


def _conditional(
    data: ModelData, blocks: _Blocks, theta: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """One draw each of what was integrated: people's effects and durations (R, treated people), coefficients (R, p)."""
    points, of_point = np.unique(theta, axis=0, return_inverse=True)
    size = max(1, _MEMORY // (blocks.known.size + blocks.y.size * _STRATA))
    parts = []
    for start in range(0, len(points), size):
        part = points[start : start + size]
        again = np.flatnonzero((of_point >= start) & (of_point < start + size))
        parts.append((again, *_conditional_part(data, blocks, part, of_point[again] - start, rng)))
    order = np.argsort(np.concatenate([part[0] for part in parts]))
    effects, durations, beta = (np.concatenate([part[i] for part in parts])[order] for i in (1, 2, 3))
    return effects, durations, beta


def _conditional_part(
    data: ModelData, blocks: _Blocks, points: Floats, of_point: NDArray[np.int64], rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Coefficients from their Gaussian; given these, each person's duration from a fine grid; given both, the effect.

    ``points`` are parameter vectors (K, n), ``of_point`` (R,) says which of them each draw is made for.
    """
    solved, values = _solve(data, blocks, points), _values(data, points)
    lower = np.linalg.cholesky(solved.q)
    mean = np.linalg.solve(solved.q, solved.h[..., None])[..., 0]
    noise = rng.standard_normal((len(of_point), mean.shape[1], 1))
    beta = mean[of_point] + np.linalg.solve(lower.transpose(0, 2, 1)[of_point], noise)[..., 0]
    treated = data.treated_people
    strata = _STRATA if "duration_spread" in values else 1
    shape = (len(points), len(treated), strata)
    nodes = norm.ppf((np.arange(strata) + rng.random(shape)) / strata)
    of_treated = replace(blocks, day=blocks.day[treated], treated=blocks.treated[treated])
    known = [
        np.broadcast_to(item[treated], (len(points), *item[treated].shape))
        for item in (blocks.fixed, blocks.y[..., None])
    ]
    columns = np.concatenate([_courses(of_treated, values, nodes), *known], axis=-1)
    white = np.linalg.solve(np.linalg.cholesky(solved.covariance.known[:, treated]), columns)
    share, power = white[..., :strata], np.sum(white[..., :strata] ** 2, axis=2)[of_point]
    rest = np.swapaxes(share, -1, -2) @ white[..., strata:]
    residual = np.concatenate([-beta, np.ones((len(beta), 1))], axis=1)
    cross = (rest[of_point] @ residual[:, None, :, None])[..., 0]
    drawn = {name: value[of_point][:, None, None] for name, value in values.items()}
    population, prior = drawn["effect"], drawn["effect_person"] ** 2
    cross -= population * power
    kept = 1.0 + prior * power
    log_odds = population * cross + 0.5 * population**2 * power
    log_odds += 0.5 * prior * cross**2 / kept - 0.5 * np.log(kept)
    chosen = np.argmax(log_odds + rng.gumbel(size=log_odds.shape), axis=-1)[..., None]
    power, cross, kept, node = (np.take_along_axis(item, chosen, -1) for item in (power, cross, kept, nodes[of_point]))
    own = prior * cross / kept + np.sqrt(prior / kept) * rng.standard_normal(kept.shape)
    lasts = drawn["duration"] * np.exp(drawn.get("duration_spread", np.zeros(1)) * node)
    return np.asarray((population + own)[..., 0]), np.asarray(lasts[..., 0]), np.asarray(beta, dtype=np.float64)


def _hermite(count: int) -> tuple[Floats, Floats]:
    """Nodes and weights that integrate over a standard normal."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return nodes, weights / weights.sum()


_NODES: Final = _hermite(5)
_ONE_NODE: Final = _hermite(1)
