"""Log marginal likelihood of the effects model and its gradient, compiled; imported only by who samples.

The same integral as :func:`rewarm.effects.marginal.marginal`, which states it in arrays and which the tests hold it
against. Gradients follow from Fisher's identity: the derivative of a marginal log likelihood is the posterior mean of
the complete one's (Louis 1982, doi 10.1111/j.2517-6161.1982.tb01203.x), so that means and covariances of what was
integrated are all that is needed.

Of each person, rows see only three things: the level of their limb on that day, the effect, and what their region
differs by. These and the value are the columns of one small Gram matrix, of which the digits' own terms are eliminated;
coefficients of the day (room, season) act on the levels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numba
import numpy as np

from rewarm.effects.model import Floats, Ints

PERSON: Final = 0
LIMB: Final = 1
VISIT: Final = 2
VISIT_LIMB: Final = 3
CHANGE: Final = 4
OFFSET: Final = 5
EFFECT_PERSON: Final = 6
DIGIT: Final = 7
EFFECT_DIGIT: Final = 8
RESIDUAL: Final = 9
VARIANCES: Final = 10
"""Places of the variances; CHANGE and OFFSET are 0 where a design has none."""

_LOG_2PI: Final = float(np.log(2.0 * np.pi))
_MOST: Final = 50.0
"""Of an exponent whose exponential is nothing but large."""

F = TypeVar("F", bound=Callable[..., Any])


def _compiled(function: F) -> F:
    """Compiled once and kept on disk; other threads run meanwhile."""
    made: F = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return made


@_compiled
def course_slopes(
    day: Floats, lasts: Floats, onset: float, shape: float, tail: float, rise: float
) -> tuple[Floats, Floats]:
    """Share of the full effect on each day (P, T), as :func:`rewarm.effects.model.course`, and its slopes (5, P, T).

    All but ``day`` are logarithms, ``lasts`` (P,) of each person's duration; slopes are by those of onset, duration,
    shape, tail and rise.
    """
    share, slopes = np.zeros(day.shape), np.zeros((5, *day.shape))
    sudden, gamma = np.exp(rise), np.exp(tail)
    weight = -np.expm1(-gamma)
    steep = np.exp(shape) * gamma / weight
    steeper = 1.0 - gamma * np.exp(-gamma) / weight  # the tail also steepens the power, so that the slope at D stays
    for p in range(day.shape[0]):
        for t in range(day.shape[1]):
            if day[p, t] <= 0.0:
                continue
            log_day = np.log(day[p, t])
            begun = sudden * (log_day - onset)
            ratio = np.exp(min(begun, _MOST))
            power = steep * (log_day - lasts[p])
            rising = gamma + np.log(weight) + power
            small = np.exp(-abs(rising))
            fallen = (max(rising, 0.0) + np.log1p(small)) / gamma
            gone = (1.0 if rising > 0.0 else small) / (1.0 + small)
            left = np.exp(-fallen)
            share[p, t] = -np.expm1(-ratio) * left
            fading = share[p, t] * gone / gamma
            slopes[0, p, t] = -sudden * ratio * np.exp(-ratio) * left
            slopes[1, p, t] = fading * steep
            slopes[2, p, t] = -fading * power
            slopes[3, p, t] = share[p, t] * (fallen - gone / weight) - fading * power * steeper
            slopes[4, p, t] = begun * ratio * np.exp(-ratio) * left
    return share, slopes


@_compiled
def _gram(
    y: Floats, held: Floats, own: Floats, treated: Floats, region: Ints, share: Floats, variance: Floats, regions: int
) -> tuple[Floats, float]:
    """One person's Gram matrix over levels (S·T), effect, regions and y, and log noise + log determinants of digits."""
    limbs, digits, visits = y.shape
    n = limbs * visits
    size = n + 2 + regions
    gram = np.zeros((size, size))
    sums = np.zeros((2, size))
    log_det = 0.0
    for s in range(limbs):
        for d in range(digits):
            sums[:] = 0.0
            at_region = n + 1 + region[s, d]
            for t in range(visits):
                if held[s, d, t] == 0.0:
                    continue
                w = 1.0 / (variance[RESIDUAL] + own[s, d, t])
                log_det -= np.log(w)
                effect = treated[s, d] * share[t]
                value = y[s, d, t]
                level = s * visits + t
                gram[level, level] += w
                gram[level, n] += w * effect
                gram[n, n] += w * effect * effect
                gram[level, size - 1] += w * value
                gram[n, size - 1] += w * effect * value
                gram[size - 1, size - 1] += w * value * value
                if region[s, d] >= 0:
                    gram[level, at_region] += w
                    gram[n, at_region] += w * effect
                    gram[at_region, at_region] += w
                    gram[at_region, size - 1] += w * value
                for j in range(2):
                    weight = w if j == 0 else w * effect
                    sums[j, level] += weight
                    sums[j, n] += weight * effect
                    sums[j, size - 1] += weight * value
                    if region[s, d] >= 0:
                        sums[j, at_region] += weight
            a, b = variance[DIGIT], variance[EFFECT_DIGIT]
            g00, g01, g11 = 0.0, sums[0, n], sums[1, n]
            for t in range(visits):
                g00 += sums[0, s * visits + t]
            det = 1.0 + a * g00 + b * g11 + a * b * (g00 * g11 - g01 * g01)
            log_det += np.log(det)
            b00, b01, b11 = a * (1.0 + b * g11) / det, -a * b * g01 / det, b * (1.0 + a * g00) / det
            for i in range(size):
                x0 = b00 * sums[0, i] + b01 * sums[1, i]
                x1 = b01 * sums[0, i] + b11 * sums[1, i]
                if x0 == 0.0 and x1 == 0.0:
                    continue
                for k in range(i, size):
                    gram[i, k] -= x0 * sums[0, k] + x1 * sums[1, k]
    for i in range(size):
        for k in range(i):
            gram[i, k] = gram[k, i]
    return gram, log_det


@_compiled
def _prior(shared: Floats, known: Floats, variance: Floats) -> Floats:
    """Covariance of one person's levels and effect around what coefficients say."""
    n = known.shape[0]
    q = np.zeros((n + 1, n + 1))
    q[:n, :n] = known
    for k in range(shared.shape[0]):
        if variance[k] > 0.0:
            q[:n, :n] += variance[k] * shared[k]
    q[n, n] = variance[EFFECT_PERSON]
    return q


@_compiled
def _design(columns: Floats, limbs: int, regions: int) -> Floats:
    """What coefficients of the day and the population's effect add to levels and effect, (n + 1, q)."""
    visits, p = columns.shape
    n = limbs * visits
    design = np.zeros((n + 1, p + 1 + regions))
    for s in range(limbs):
        design[s * visits : (s + 1) * visits, :p] = columns
    design[n, p] = 1.0
    return design


@_compiled
def _cross(gram: Floats, design: Floats, regions: int) -> tuple[Floats, Floats]:
    """Gram matrices of levels with coefficients and y, (n+1, q+1), and of coefficients and y, (q+1, q+1)."""
    m, q = design.shape
    first = q - regions
    levels = np.ascontiguousarray(gram[:m, :m])
    with_all = np.zeros((m, q + 1))
    with_all[:, :q] = levels @ design
    with_all[:, first:] += gram[:m, m:]
    both = np.zeros((q + 1, q + 1))
    both[:q, :q] = design.T @ (levels @ design)
    side = design.T @ np.ascontiguousarray(gram[:m, m:])
    both[:q, first:] += side
    both[first:, :q] += side.T
    both[first:, first:] += gram[m:, m:]
    return with_all, both


@_compiled
def _digit_terms(
    gradient: Floats,
    by_share: Floats,
    by_value: Floats,
    y: Floats,
    held: Floats,
    own: Floats,
    treated: Floats,
    region: Ints,
    share: Floats,
    variance: Floats,
    moments: Floats,
    means: Floats,
) -> None:
    """Add one person's rows and digits to the gradients; ``moments`` and ``means`` are of (levels, effect, regions,
    −1) after everything was seen.
    """
    limbs, digits, visits = y.shape
    n = limbs * visits
    size = moments.shape[0]
    sums = np.zeros((2, size))
    seen = np.zeros((2, size))
    at = np.zeros(4, dtype=np.int64)
    row = np.zeros(4)
    for s in range(limbs):
        for d in range(digits):
            sums[:] = 0.0
            g00 = 0.0
            for t in range(visits):
                if held[s, d, t] == 0.0:
                    continue
                w = 1.0 / (variance[RESIDUAL] + own[s, d, t])
                effect = treated[s, d] * share[t]
                g00 += w
                for j in range(2):
                    weight = w if j == 0 else w * effect
                    sums[j, s * visits + t] += weight
                    sums[j, n] += weight * effect
                    sums[j, size - 1] += weight * y[s, d, t]
                    if region[s, d] >= 0:
                        sums[j, n + 1 + region[s, d]] += weight
            if g00 == 0.0:
                continue
            a, b = variance[DIGIT], variance[EFFECT_DIGIT]
            g01, g11 = sums[0, n], sums[1, n]
            det = 1.0 + a * g00 + b * g11 + a * b * (g00 * g11 - g01 * g01)
            b00, b01, b11 = a * (1.0 + b * g11) / det, -a * b * g01 / det, b * (1.0 + a * g00) / det
            mean0 = mean1 = t00 = t01 = t11 = 0.0
            seen[:] = 0.0
            for i in range(size):
                for j in range(2):
                    if sums[j, i] != 0.0:
                        for k in range(size):
                            seen[j, k] += sums[j, i] * moments[i, k]
            for i in range(size):
                mean0 -= sums[0, i] * means[i]
                mean1 -= sums[1, i] * means[i]
                t00 += seen[0, i] * sums[0, i]
                t01 += seen[0, i] * sums[1, i]
                t11 += seen[1, i] * sums[1, i]
            # Second moments of the digit's constant and own effect: B·E[tt']·B + B.
            p00, p01 = b00 * t00 + b01 * t01, b00 * t01 + b01 * t11
            p10, p11 = b01 * t00 + b11 * t01, b01 * t01 + b11 * t11
            e00, e01, e11 = p00 * b00 + p01 * b01 + b00, p00 * b01 + p01 * b11 + b01, p10 * b01 + p11 * b11 + b11
            gradient[DIGIT] += 0.5 * (e00 / a - 1.0) / a
            if treated[s, d] > 0.0:
                gradient[EFFECT_DIGIT] += 0.5 * (e11 / b - 1.0) / b
            own0 = -(b00 * seen[0, n] + b01 * seen[1, n])
            own1 = -(b01 * seen[0, n] + b11 * seen[1, n])
            for t in range(visits):
                if held[s, d, t] == 0.0:
                    continue
                w = 1.0 / (variance[RESIDUAL] + own[s, d, t])
                effect = treated[s, d] * share[t]
                at[0], at[1], at[2], at[3] = s * visits + t, n, size - 1, n + 1 + max(region[s, d], 0)
                row[0], row[1], row[2], row[3] = 1.0, effect, y[s, d, t], 1.0 if region[s, d] >= 0 else 0.0
                square = mean = with_effect = with0 = with1 = 0.0
                for i in range(4):
                    mean -= row[i] * means[at[i]]
                    with_effect -= row[i] * moments[at[i], n]
                    with0 += row[i] * seen[0, at[i]]
                    with1 += row[i] * seen[1, at[i]]
                    for k in range(4):
                        square += row[i] * row[k] * moments[at[i], at[k]]
                c0, c1 = b00 * with0 + b01 * with1, b01 * with0 + b11 * with1
                rest = square - 2.0 * (c0 + effect * c1) + e00 + 2.0 * effect * e01 + effect * effect * e11
                gradient[RESIDUAL] += 0.5 * (rest * w - 1.0) * w
                left = mean - (b00 * mean0 + b01 * mean1) - effect * (b01 * mean0 + b11 * mean1)
                by_value[s, d, t] = -w * left
                if treated[s, d] > 0.0:
                    with_own = with_effect - own0 - effect * own1
                    by_share[t] += w * (with_own + c1 - e01 - effect * e11)


@_compiled
def log_marginal(
    variance: Floats,
    share: Floats,
    y: Floats,
    held: Floats,
    own: Floats,
    treated: Floats,
    region: Ints,
    columns: Floats,
    shared: Floats,
    known: Floats,
    prior_mean: Floats,
    prior_sd: Floats,
    regions: int,
) -> tuple[float, Floats, Floats, Floats, Floats]:
    """Log marginal likelihood, and its gradients by the variances, the shares of the effect, the values and the scales
    of the coefficients' priors.

    ``variance`` (VARIANCES,), ``share`` (P, T), ``y``, ``held`` and ``own`` (P, S, D, T), ``treated`` (P, S, D),
    ``region`` (P, S, D; −1 for the first, of which there is no column), ``columns`` (P, T, p), ``shared`` (5 or 6, P,
    n, n) in the order of the variances, ``known`` (P, n, n). Priors are of p coefficients, the population's effect and
    the regions, (q,); they are N(mean, sd²) after scaling, and the last gradient is by the logarithm of that scale.
    """
    people, limbs = y.shape[0], y.shape[1]
    n = known.shape[1]
    m, q = n + 1, len(prior_mean)
    left = np.zeros((q + 1, q + 1))
    log_det = 0.0
    held_rows = 0.0
    grams = np.zeros((people, m + regions + 1, m + regions + 1))
    lowers = np.zeros((people, m, m))
    inners = np.zeros((people, m, m))
    whites = np.zeros((people, m, q + 1))
    for p in range(people):
        gram, part = _gram(y[p], held[p], own[p], treated[p], region[p], share[p], variance, regions)
        lower = np.linalg.cholesky(_prior(shared[:, p], known[p], variance))
        with_all, both = _cross(gram, _design(columns[p], limbs, regions), regions)
        upper = np.ascontiguousarray(lower.T)
        inner = np.linalg.cholesky(upper @ np.ascontiguousarray(gram[:m, :m]) @ lower + np.eye(m))
        inverse = np.linalg.inv(inner)
        white = inverse @ (upper @ with_all)
        left += both - white.T @ white
        log_det += part
        for i in range(m):
            log_det += 2.0 * np.log(inner[i, i])
        held_rows += held[p].sum()
        grams[p], lowers[p], inners[p], whites[p] = gram, lower, inverse, white
    precision = 1.0 / prior_sd**2
    post = np.ascontiguousarray(left[:q, :q])
    h = left[:q, q] + precision * prior_mean
    squares = left[q, q]
    for i in range(q):
        post[i, i] += precision[i]
        squares += precision[i] * prior_mean[i] ** 2
        log_det += 2.0 * np.log(prior_sd[i])
    factor = np.linalg.cholesky(post)
    back = np.linalg.inv(factor)
    cov = back.T @ back
    gamma = cov @ h
    for i in range(q):
        log_det += 2.0 * np.log(factor[i, i])
    value = -0.5 * (log_det + squares - np.sum(h * gamma) + held_rows * _LOG_2PI)
    gradient, by_share, by_value = np.zeros(VARIANCES), np.zeros(share.shape), np.zeros(y.shape)
    by_scale = np.zeros(q)
    for i in range(q):
        off = gamma[i] - prior_mean[i]
        by_scale[i] = (off * off + cov[i, i]) * precision[i] - 1.0 + off * prior_mean[i] * precision[i]
    size = m + regions + 1
    first = q - regions
    for p in range(people):
        inverse, white, lower = inners[p], whites[p], lowers[p]
        turned = np.ascontiguousarray(inverse.T)
        on_gamma = turned @ np.ascontiguousarray(white[:, :q])
        centre = turned @ np.ascontiguousarray(white[:, q]) - on_gamma @ gamma
        inner_cov = turned @ inverse
        # Levels and effect, whitened: their covariance, and how they move with the coefficients.
        second = np.outer(centre, centre) + inner_cov + on_gamma @ cov @ on_gamma.T - np.eye(m)
        unlower = np.linalg.inv(lower)
        by_prior = 0.5 * (unlower.T @ second @ unlower)
        for k in range(shared.shape[0]):
            gradient[k] += np.sum(by_prior[:n, :n] * shared[k, p])
        gradient[EFFECT_PERSON] += by_prior[n, n]
        design = _design(columns[p], limbs, regions)
        moves = design - lower @ on_gamma
        means = np.zeros(size)
        means[:m] = design @ gamma + lower @ centre
        means[m : size - 1] = gamma[first:]
        means[size - 1] = -1.0
        moments = np.outer(means, means)
        with_cov = moves @ cov
        moments[:m, :m] += lower @ inner_cov @ lower.T + with_cov @ moves.T
        moments[:m, m : size - 1] += with_cov[:, first:]
        moments[m : size - 1, :m] += with_cov[:, first:].T
        moments[m : size - 1, m : size - 1] += cov[first:, first:]
        _digit_terms(
            gradient, by_share[p], by_value[p], y[p], held[p], own[p], treated[p], region[p], share[p], variance,
            moments, means,
        )  # fmt: skip
    return value, gradient, by_share, by_value, by_scale
