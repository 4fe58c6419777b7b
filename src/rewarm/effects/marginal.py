"""The effects model with everything Gaussian integrated out, digit by digit: how the sampler judges its parameters.

Given the spreads, the course and the shared offsets, the rest (coefficients, people, limbs, visits, digits, effects) is
jointly Gaussian. It is eliminated from the inside out, by Woodbury's identity: of each digit its constant and its own
effect (2 × 2), of each person the days of each limb and the effect (limbs × visits + 1), last the coefficients that all
share. Nothing is averaged. The sampler then moves in a dozen well-behaved parameters instead of hundreds, and what was
integrated is drawn afterwards, exactly, from its conditional.

Written for many parameter vectors at once (K, the first axis of every array). :mod:`rewarm.effects.kernel` computes the
same for one, with its gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rewarm.effects.model import ENROLMENT, Floats, Ints, ModelData

Bools = NDArray[np.bool_]

_JITTER: Final = 1e-9
"""Variance (units²) that keeps a covariance of the days regular where spreads come close to zero."""


@dataclass(frozen=True, eq=False)
class Layout:
    """A model's rows in boxes (people P, limbs S, digits D, visits T), the most that anybody has; empty where missing.

    ``held``, ``y``, ``own`` (u² of the region) are (P, S, D, T), ``fixed`` (P, S, D, T, q), ``treated`` (P, S, D),
    ``day`` (P, T). ``at`` are the four indices of each row. ``shared`` holds by name the covariance (P, S·T, S·T) that
    a spread's square is multiplied with; ``known`` what needs no factor.
    """

    held: Floats
    y: Floats
    own: Floats
    fixed: Floats
    treated: Floats
    day: Floats
    at: tuple[Ints, Ints, Ints, Ints]
    shared: Mapping[str, Floats]
    known: Floats


@dataclass(frozen=True, eq=False)
class Marginal:
    """What remains: ``log_likelihood`` (K,), and what the conditional draws need.

    ``q`` (K, q+1, q+1) and ``h`` (K, q+1) are precision and precision × mean of coefficients and population effect;
    ``lower`` (K, P, n, n) the factor of a person's prior, ``inner`` that of I + lower'·G·lower; ``cross`` (K, P, n,
    q+2) couples a person's n terms to coefficients, population and y. ``within`` are the digits' three numbers,
    ``weight`` and ``share`` the rows' precision and share of the effect.
    """

    log_likelihood: Floats
    q: Floats
    h: Floats
    lower: Floats
    inner: Floats
    cross: Floats
    within: tuple[Floats, Floats, Floats]
    weight: Floats
    share: Floats


def layout(data: ModelData) -> Layout:
    """Put a model's rows into boxes."""
    place = {
        "limb": _within(data.limb, data.person),
        "digit": _within(data.digit, data.limb),
        "visit": _within(data.visit, data.person),
    }
    people = len(data.people)
    shape = (people, *(int(codes.max()) + 1 for codes in place.values()))
    at = (data.person, place["limb"], place["digit"], place["visit"])

    def box(values: NDArray[Any]) -> Floats:
        full = np.zeros((*shape, *values.shape[1:]))
        full[at] = values
        return full

    def by_visit(values: NDArray[Any]) -> Floats:
        full = np.zeros((people, shape[3], *values.shape[1:]))
        full[data.person, place["visit"]] = values
        return full

    treated = np.zeros(shape[:3])
    treated[at[:3]] = data.treated
    slopes = by_visit(data.slopes * data.slope_sd)
    after = by_visit(data.after)
    visits = np.zeros((people, shape[3]), dtype=np.int64) - 1
    visits[data.person, place["visit"]] = data.visit
    limbs, same_visit = np.eye(shape[1]), np.eye(shape[3])
    likeness = np.where(
        (visits[:, :, None] >= 0) & (visits[:, None, :] >= 0),
        data.visit_correlation()[visits[:, :, None], visits[:, None, :]],
        same_visit,
    )
    everywhere = np.ones((shape[1], shape[1]))
    offset = by_visit(data.u_visit[data.visit])
    shared = {
        "person": _spread_out(everywhere, np.ones((1, shape[3], shape[3]))),
        "limb": _spread_out(limbs, np.ones((1, shape[3], shape[3]))),
        "visit": _spread_out(everywhere, likeness),
        "visit_limb": _spread_out(limbs, same_visit[None]),
    }
    if data.parallel:
        shared["change"] = _spread_out(everywhere, after[:, :, None] * after[:, None, :])
    if data.has_offset:
        shared["offset"] = _spread_out(everywhere, offset[:, :, None] ** 2 * same_visit)
    return Layout(
        held=box(np.ones(len(data.y))),
        y=box(data.y),
        own=box(data.u_own**2),
        fixed=box(data.columns),
        treated=treated,
        day=by_visit(data.day),
        at=at,
        shared=shared,
        known=_spread_out(everywhere, slopes @ slopes.transpose(0, 2, 1)) + _JITTER * np.eye(shape[1] * shape[3]),
    )


def marginal(data: ModelData, boxes: Layout, sd: Mapping[str, Floats], course: Floats, y: Floats) -> Marginal:
    """Integrate what is Gaussian, for K parameter vectors.

    ``sd`` maps spreads (and ``offset``, the share) to (K,), ``course`` (K, P, T) is the share of the full effect, ``y``
    (K or 1, P, S, D, T) the values.
    """
    variance = {name: value**2 for name, value in sd.items()}
    rows = (..., None, None, None, None)
    weight = boxes.held / (variance["residual"][rows] + boxes.own + (1.0 - boxes.held))
    share = boxes.treated[None, :, :, :, None] * course[:, :, None, None, :]
    gram, cross, within, log_det = _digits(boxes, weight, share, y, sd)
    lower, inner, white = _people(boxes, variance, gram, cross)
    left = (gram[0] - white.swapaxes(-1, -2) @ white).sum(axis=1)
    log_det = log_det + 2.0 * _log_diagonal(inner).sum(axis=1)
    mean, scale = _coefficient_priors(data, variance)
    precision = 1.0 / scale**2
    q = left[:, :-1, :-1] + precision[:, :, None] * np.eye(len(data.names) + 1)
    h = left[:, :-1, -1] + precision * mean
    factor = np.linalg.cholesky(q)
    half = np.linalg.solve(factor, h[:, :, None])[:, :, 0]
    log_det = log_det + 2.0 * _log_diagonal(factor) + 2.0 * np.log(scale).sum(axis=1)
    squares = left[:, -1, -1] + (precision * mean**2).sum(axis=1) - (half**2).sum(axis=1)
    rest = float(boxes.held.sum()) * np.log(2.0 * np.pi)
    return Marginal(-0.5 * (log_det + squares + rest), q, h, lower, inner, cross, within, weight, share)


def _digits(
    boxes: Layout, weight: Floats, share: Floats, y: Floats, sd: Mapping[str, Floats]
) -> tuple[tuple[Floats, Floats], Floats, tuple[Floats, Floats, Floats], Floats]:
    """Without the digits' constants and own effects: Gram matrices of what is left, and log determinants."""
    people, limbs, digits, visits = boxes.y.shape
    m = boxes.fixed.shape[-1] + 2
    # What multiplies shapes that broadcast: K × (P, S, D, T).
    flat = weight[..., None] * boxes.fixed
    parts = (flat, (weight * share)[..., None], (weight * y)[..., None])
    weighted = np.concatenate(parts, axis=-1)
    one = 0.0 * weight[..., None]
    columns = np.concatenate((boxes.fixed + one, share[..., None] + one, y[..., None] + one), axis=-1)
    constant, own = weighted.sum(axis=-2), (share[..., None] * weighted).sum(axis=-2)
    a, b = (sd[name][..., None, None, None] ** 2 for name in ("digit", "effect_digit"))
    g00, g01, g11 = weight.sum(axis=-1), (weight * share).sum(axis=-1), (weight * share**2).sum(axis=-1)
    det = 1.0 + a * g00 + b * g11 + a * b * (g00 * g11 - g01**2)
    within = (a * (1.0 + b * g11) / det, -a * b * g01 / det, b * (1.0 + a * g00) / det)
    b00, b01, b11 = (item[..., None] for item in within)
    on_constant, on_own = b00 * constant + b01 * own, b01 * constant + b11 * own
    day, day_own = weight, weight * share
    day_t, day_own_t = day.swapaxes(-1, -2), day_own.swapaxes(-1, -2)
    cells = (-1, people, limbs * digits, m)
    all_rows = (-1, people, limbs * digits * visits, m)
    fixed = columns.reshape(all_rows).swapaxes(-1, -2) @ weighted.reshape(all_rows)
    for left, right in ((constant, on_constant), (own, on_own)):
        fixed = fixed - left.reshape(cells).swapaxes(-1, -2) @ right.reshape(cells)
    of_days = weighted.sum(axis=3) - day_t @ on_constant - day_own_t @ on_own
    between = day.sum(axis=3)[..., None] * np.eye(visits)
    between = between - day_t @ (b00 * day + b01 * day_own) - day_own_t @ (b01 * day + b11 * day_own)
    n = limbs * visits
    own_block = between[:, :, :, :, None, :] * np.eye(limbs)[:, None, :, None]
    of_days = of_days.reshape((-1, people, n, m))
    effect = of_days[..., m - 2][..., None]
    top = np.concatenate((own_block.reshape((-1, people, n, n)), effect), axis=-1)
    bottom = np.concatenate((effect.swapaxes(-1, -2), fixed[..., m - 2 : m - 1, m - 2 : m - 1]), axis=-1)
    cross = np.concatenate((of_days, fixed[..., m - 2 : m - 1, :]), axis=-2)
    held = boxes.held
    log_noise = -(held * np.log(weight + (1.0 - held))).sum(axis=(1, 2, 3, 4))
    log_det = log_noise + np.log(det).sum(axis=(1, 2, 3))
    return (fixed, np.concatenate((top, bottom), axis=-2)), cross, within, log_det


def _people(
    boxes: Layout, variance: Mapping[str, Floats], gram: tuple[Floats, Floats], cross: Floats
) -> tuple[Floats, Floats, Floats]:
    """Without the days of each person's limbs and the person's own effect: factors of prior and posterior."""
    n = boxes.known.shape[-1]
    prior = boxes.known
    for name, matrix in boxes.shared.items():
        prior = prior + variance[name][..., None, None, None] * matrix
    last = np.zeros((n + 1, n + 1))
    last[n, n] = 1.0
    padded = np.eye(n + 1)[:n]
    prior = padded.T @ prior @ padded + variance["effect_person"][..., None, None, None] * last
    lower = np.linalg.cholesky(prior)
    upper = lower.swapaxes(-1, -2)
    inner = np.linalg.cholesky(upper @ gram[1] @ lower + np.eye(n + 1))
    return np.asarray(lower, float), np.asarray(inner, float), np.asarray(np.linalg.solve(inner, upper @ cross), float)


def _coefficient_priors(data: ModelData, variance: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    """Means and standard deviations of coefficients and population effect, (K, q + 1)."""
    between = variance["visit"]
    if data.has_offset:
        between = between + variance["offset"] * data.typical_offset**2
    scaled = np.array([*(float(name == ENROLMENT) for name in data.names), 0.0])
    factor = 1.0 - scaled + scaled * np.sqrt(between)[:, None]
    return np.append(data.prior_mean, 0.0) * factor, np.append(data.prior_sd, data.priors.effect_sd) * factor


def _log_diagonal(lower: Floats) -> Floats:
    return np.asarray(np.log(np.diagonal(lower, axis1=-2, axis2=-1)).sum(axis=-1))


def conditional(
    data: ModelData,
    boxes: Layout,
    found: Marginal,
    y: Floats,
    rng: np.random.Generator,
) -> tuple[Floats, Floats, Floats]:
    """One draw each of what was integrated: effects (K, treated people), population (K,), coefficients (K, q)."""
    factor = np.linalg.cholesky(found.q)
    mean = np.linalg.solve(found.q, found.h[..., None])
    gamma = mean + np.linalg.solve(factor.swapaxes(-1, -2), rng.standard_normal(mean.shape))
    ahead = np.concatenate([-gamma, np.ones((len(gamma), 1, 1))], axis=1)[:, None]
    upper = found.lower.swapaxes(-1, -2)
    half = np.linalg.solve(found.inner, upper @ found.cross @ ahead)
    noise = rng.standard_normal(half.shape)
    person = (found.lower @ np.linalg.solve(found.inner.swapaxes(-1, -2), half + noise))[..., 0]
    population = gamma[:, -1, 0]
    own = population[:, None] + person[:, :, -1]
    people, limbs, _, visits = boxes.y.shape
    days = person[:, :, :-1].reshape(-1, people, limbs, 1, visits)
    fitted = np.einsum("psdtq,kq->kpsdt", boxes.fixed, gamma[:, :-1, 0], optimize=True)
    rest = found.weight * (y - fitted - days - own[:, :, None, None, None] * found.share)
    _, b01, b11 = found.within
    digit = b01 * rest.sum(axis=-1) + b11 * (found.share * rest).sum(axis=-1)
    digit = digit + np.sqrt(b11) * rng.standard_normal(digit.shape)
    count = np.maximum(boxes.treated.sum(axis=(1, 2)), 1.0)
    effects = own + (boxes.treated * digit).sum(axis=(2, 3)) / count
    treated = np.asarray(effects[:, data.treated_people], dtype=np.float64)
    return treated, np.asarray(population, dtype=np.float64), np.asarray(gamma[:, :-1, 0], dtype=np.float64)


def _within(inner: Ints, outer: Ints) -> Ints:
    """The rank, from 0, of each row's ``inner`` code among those of its ``outer`` code."""
    pairs = np.unique(np.column_stack([outer, inner]), axis=0)
    start = np.searchsorted(pairs[:, 0], pairs[:, 0])
    rank = dict(zip(map(tuple, pairs.tolist()), (np.arange(len(pairs)) - start).tolist(), strict=True))
    return np.array([rank[pair] for pair in zip(outer.tolist(), inner.tolist(), strict=True)], dtype=np.int64)


def _spread_out(limbs: Floats, visits: Floats) -> Floats:
    """Kronecker products of limbs (S, S) with visits (P or 1, T, T)."""
    size = len(limbs) * visits.shape[-1]
    return np.asarray((limbs[None, :, None, :, None] * visits[:, None, :, None, :]).reshape(-1, size, size))
