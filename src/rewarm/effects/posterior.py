"""Log density of what is sampled (spreads, course, shared offsets, censored values) and its gradient.

One vector of real numbers: logarithms of the spreads, the logit of the offsets' share, onset, duration, shape,
tail and rise in standard deviations of their priors, then each person's duration, then the logarithm of how far each
censored value lies beyond its limit. Everything else is integrated (:mod:`rewarm.effects.kernel`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import Any, Final

import numpy as np
from scipy.special import expit, log_expit

from rewarm.effects.cells import is_common
from rewarm.effects.marginal import Layout
from rewarm.effects.model import ENROLMENT, Floats, Ints, ModelData, Priors

_PLACES: Final = (
    *("person", "limb", "visit", "visit_limb", "change", "offset"),
    *("effect_person", "digit", "effect_digit", "residual"),
)
"""Names in the order of :mod:`rewarm.effects.kernel`'s variances; the first six are covariances of a person's days."""
_JITTER: Final = 0.3

Density = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True, eq=False)
class Vector:
    """Where things stand in the vector; ``offset``, ``spread`` and ``beyond`` are empty slices where there are none.

    ``spreads`` names the standard deviations in order; ``course`` is onset, duration, shape, tail, rise; ``spread``
    that of the durations between people, and ``own`` their deviations.
    """

    spreads: tuple[str, ...]
    offset: slice
    course: slice
    spread: slice
    own: slice
    beyond: slice
    size: int


@dataclass(frozen=True, eq=False)
class Named:
    """Vectors (K, size) by name: ``sd`` with ``offset`` (K,); ``onset``, ``shape``, ``tail``, ``rise`` (K,);
    ``duration`` (K, treated people), ``beyond`` (K, censored values).
    """

    sd: dict[str, Floats]
    onset: Floats
    duration: Floats
    shape: Floats
    tail: Floats
    rise: Floats
    beyond: Floats


def vector_of(data: ModelData) -> Vector:
    """The vector of a model."""
    people = len(data.treated_people)
    sizes = [
        len(data.spreads),
        int(data.has_offset),
        5,
        int(people > 1),
        people if people > 1 else 0,
        int((~data.reached).sum()),
    ]
    ends = np.cumsum(sizes).tolist()
    offset, course, spread, own, beyond = (slice(a, b) for a, b in pairwise(ends))
    return Vector(data.spreads, offset, course, spread, own, beyond, int(ends[-1]))


def named(data: ModelData, vectors: Floats) -> Named:
    """The parameters of K vectors."""
    where, priors = vector_of(data), data.priors
    sd = {name: np.exp(vectors[:, i]) for i, name in enumerate(where.spreads)}
    if data.has_offset:
        sd["offset"] = expit(vectors[:, where.offset][:, 0])
    onset, duration, *forms = (
        mean + scale * vectors[:, where.course][:, i] for i, (mean, scale) in enumerate(_course_priors(priors))
    )
    durations = np.repeat(duration[:, None], len(data.treated_people), axis=1)
    if where.own.stop > where.own.start:
        durations = durations + np.exp(vectors[:, where.spread]) * vectors[:, where.own]
    beyond = np.exp(vectors[:, where.beyond])
    shape, tail, rise = np.exp(forms)
    return Named(sd, np.exp(onset), np.exp(durations), shape, tail, rise, beyond)


def start_of(data: ModelData, seed: int) -> Floats:
    """A point near the middle of the priors to start a chain from."""
    where = vector_of(data)
    middle = np.zeros(where.size)
    middle[: len(where.spreads)] = [log(0.7 * data.priors.spreads[name]) for name in where.spreads]
    middle[where.spread] = log(0.7 * data.priors.duration_spread)
    middle[where.beyond] = log(0.5)
    return np.asarray(middle + _JITTER * np.random.default_rng(seed).standard_normal(where.size))


def log_density(data: ModelData, boxes: Layout) -> Density:
    """The log posterior density of a vector up to a constant, with its gradient; −∞ where it cannot be computed."""
    from rewarm.effects.kernel import course_slopes, log_marginal

    where, priors, still = vector_of(data), data.priors, _still(data, boxes)
    rates = np.array([2.0 / priors.spreads[name] for name in where.spreads])
    places = np.array([_PLACES.index(name) for name in where.spreads])
    censored = tuple(index[~data.reached] for index in boxes.at)
    a, b = priors.offset_share
    between = _PLACES.index("visit"), _PLACES.index("offset")
    first = len(where.spreads)
    scales = np.array(_course_priors(priors))[:, 1]

    def density(vector: Floats) -> tuple[float, Floats]:
        gradient = np.zeros(where.size)
        sd = np.exp(vector[:first])
        variance = np.zeros(len(_PLACES))
        variance[places] = sd**2
        value = float(np.sum(2.0 * vector[:first] - rates * sd))
        gradient[:first] = 2.0 - rates * sd
        portion = 0.0
        if data.has_offset:
            logit = float(vector[first])
            portion = float(expit(logit))
            variance[between[1]] = portion**2
            value += float(a * log_expit(logit) + b * log_expit(-logit))
            gradient[first] = a * (1.0 - portion) - b * portion
        standard = vector[where.course]
        value -= 0.5 * float(standard @ standard + vector[where.own] @ vector[where.own])
        gradient[where.course], gradient[where.own] = -standard, -vector[where.own]
        spread = np.exp(vector[where.spread])
        value += float(np.sum(2.0 * vector[where.spread] - 2.0 / priors.duration_spread * spread))
        gradient[where.spread] = 2.0 - 2.0 / priors.duration_spread * spread
        course, lasts = _course_of(data, vector, where)
        share, slopes = course_slopes(boxes.day, lasts, course[0], course[2], course[3], course[4])
        y = boxes.y
        if len(censored[0]):
            y = boxes.y.copy()
            y[censored] += np.exp(vector[where.beyond])
            value += float(vector[where.beyond].sum())
        scale = _scale(still, variance[between[0]] + variance[between[1]] * data.typical_offset**2)
        try:
            found, by_variance, by_share, by_y, by_scale = log_marginal(
                variance, share, y, boxes.held, boxes.own, boxes.treated, still.region, still.columns, still.shared,
                boxes.known, still.mean * scale, still.sd * scale, still.regions,
            )  # fmt: skip
        except np.linalg.LinAlgError:
            return -np.inf, np.zeros(where.size)
        if still.enrolment.any():
            # The scale's square is the variance between visits, times 1, and the offsets' share, times their u².
            rise = 0.5 * float(by_scale[still.enrolment].sum()) / float(scale[still.enrolment][0]) ** 2
            by_variance[between[0]] += rise
            by_variance[between[1]] += rise * data.typical_offset**2
        gradient[:first] += 2.0 * sd**2 * by_variance[places]
        if data.has_offset:
            gradient[first] += 2.0 * portion**2 * (1.0 - portion) * by_variance[between[1]]
        slopes *= by_share
        gradient[where.course] += scales * slopes.sum(axis=(1, 2))
        if len(spread):
            own = slopes[1].sum(axis=1)[data.treated_people]
            gradient[where.own] += spread * own
            gradient[where.spread] += spread * float(own @ vector[where.own])
        if len(censored[0]):
            gradient[where.beyond] += 1.0 + np.exp(vector[where.beyond]) * by_y[censored]
        return value + float(found), gradient

    return density


@dataclass(frozen=True, eq=False)
class _Still:
    """What no parameter changes, as the kernel takes it: coefficients of days first, then the effect, then regions."""

    columns: Floats
    region: Ints
    regions: int
    shared: Floats
    mean: Floats
    sd: Floats
    enrolment: Any


def order_of(data: ModelData) -> tuple[Ints, Ints]:
    """Indices of the coefficients that belong to days, and of those that belong to regions."""
    common = is_common(data)
    return np.flatnonzero(common), np.flatnonzero(~common)


def _still(data: ModelData, boxes: Layout) -> _Still:
    days, regions = order_of(data)
    by_visit = boxes.held.sum(axis=(1, 2))
    # The same in every row of a visit, so that the mean over its rows is what each of them holds.
    columns = boxes.fixed[..., days].sum(axis=(1, 2)) / np.maximum(by_visit, 1.0)[..., None]
    flags = boxes.fixed[..., regions].max(axis=3) if len(regions) else np.zeros((*boxes.treated.shape, 1))
    region = np.where(flags.any(axis=-1), flags.argmax(axis=-1), -1)
    people, n = len(data.people), boxes.known.shape[-1]
    shared = np.zeros((6, people, n, n))
    for k, name in enumerate(_PLACES[:6]):
        if name in boxes.shared:
            shared[k] = boxes.shared[name]
    names = np.array(data.names)
    return _Still(
        columns=np.ascontiguousarray(columns),
        region=np.ascontiguousarray(region, dtype=np.int64),
        regions=len(regions),
        shared=shared,
        mean=np.concatenate([data.prior_mean[days], [0.0], data.prior_mean[regions]]),
        sd=np.concatenate([data.prior_sd[days], [data.priors.effect_sd], data.prior_sd[regions]]),
        enrolment=np.concatenate([names[days] == ENROLMENT, [False], names[regions] == ENROLMENT]),
    )


def _scale(still: _Still, between_visits: float) -> Floats:
    return np.where(still.enrolment, np.sqrt(between_visits), 1.0)


def _course_priors(priors: Priors) -> tuple[tuple[float, float], ...]:
    """Mean and standard deviation of the logarithms of onset, duration, shape, tail and rise."""
    return priors.log_onset, priors.log_duration, priors.log_shape, priors.log_tail, priors.log_rise


def _course_of(data: ModelData, vector: Floats, where: Vector) -> tuple[Floats, Floats]:
    """Logarithms of onset, duration, shape, tail and rise, and of each person's duration (P,)."""
    means, scales = np.array(_course_priors(data.priors)).T
    course = means + scales * vector[where.course]
    lasts = np.full(len(data.people), course[1])
    if where.own.stop > where.own.start:
        lasts[data.treated_people] += np.exp(vector[where.spread]) * vector[where.own]
    return course, lasts
