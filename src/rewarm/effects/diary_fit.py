"""One person's diary outcome, after against before: raw, or with season and a bad start taken out.

Raw is what the days say. Modelled adds to the same regression (a) the outdoor temperature, bent (a line and a square),
because severity is lowest near 25 °C and rises on both sides (doi 10.1016/S2665-9913(24)00189-9); its slope starts
from what is published where something is; and (b) a decay from the first diary day with the days' own correlation
time: who enrols on a bad day is conditioned on, so that the return from it is not taken for an effect. Given the first
day's state an AR(1) series does not care why it was chosen, so this removes regression to the mean as far as the diary
begins at enrolment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from rewarm.effects.diary_days import DaySeries, Window
from rewarm.effects.outcomes import DiaryOutcome, within_scale
from rewarm.effects.serial import NOISY_MEMORY, Memory, SerialFit, fit_serial

Floats = NDArray[np.float64]

LEAST_DAYS: Final = 5
"""Days with a value on each side of the injection, at least."""

_DRAWS: Final = 4000
_WITH_MEMORY: Final = 2
"""Rounds of reweighting, the last ones, that sum over the memory; the first only look for the place."""
_LOG_EFFECT_SD: Final = 2.5
"""Soft bound of a logarithmic rate ratio: twelvefold either way is one standard deviation."""
_SQUARE_SD: Final = 0.5
"""Soft bound of the bend per (10 °C)², in standard deviations of the outcome (in logarithms, for counts)."""


@dataclass(frozen=True)
class Adjustments:
    """What :func:`person_change` takes out; neither is the raw change."""

    season: bool = False
    bad_start: bool = False


@dataclass(frozen=True, eq=False)
class PersonChange:
    """One person's outcome in the window of effect against before; in the outcome's unit, less is better.

    For ordinal outcomes ``estimate`` is P(a day after is worse) − P(it is better), −1 to 1, and the levels are mean
    scores. ``written_before`` is the plain mean of the days before, from which the scale's ends cut the change off.
    ``ratio`` is (estimate, lower, upper) of the ratio of rates for counts. ``season_leverage`` is how much the
    estimate moves with a unit of the prior mean of the seasonal slope (an error that all people share).
    """

    who: str
    before: float
    after: float
    estimate: float
    sd: float
    lower: float
    upper: float
    probability: float
    probability_important: float
    days_before: int
    days_effect: int
    missing_share: float
    boundary_share: float
    ratio: tuple[float, float, float] | None
    season_leverage: float = 0.0
    written_before: float = float("nan")


def person_change(
    series: DaySeries,
    outcome: DiaryOutcome,
    *,
    window: Window,
    level: float,
    adjust: Adjustments,
    memory: Memory | None = None,
) -> PersonChange | None:
    """After against before of one person; None where one side has fewer than :data:`LEAST_DAYS` days.

    Scores and lengths are compared by their means, counts by their rates (log-linear, variance σ²(μ + α μ²)), ordinal
    outcomes by their mid-ranks.
    """
    period = series.period(window)
    n_before, n_effect = int((period == "before").sum()), int((period == "effect").sum())
    if min(n_before, n_effect) < LEAST_DAYS or (adjust.season and not np.isfinite(series.outdoor_c).any()):
        return None
    written = float(series.value[period == "before"].mean())  # of all days, also of those without weather
    if adjust.season:
        series, period = _where_weather_is_known(series, period)
        n_before, n_effect = int((period == "before").sum()), int((period == "effect").sum())
        if min(n_before, n_effect) < LEAST_DAYS:
            return None
    # Days of the onset and after the window are left out: a level for each would not fit a rise or a decline, and
    # errors that remember would take the misfit for a smaller effect.
    compared = np.isin(period, ("before", "effect"))
    missing = _missing(series, window)
    series, period = _subset(series, compared), period[compared]
    if np.ptp(series.value) == 0:
        return _never_changed(series, outcome, n_before, n_effect, missing)
    change = _count_change if outcome.scale == "count" else _score_change
    found = change(series, outcome, period, missing, level, adjust, memory)
    estimate, lower, upper = within_scale((found.estimate, found.lower, found.upper), outcome, written)
    return replace(found, estimate=estimate, lower=lower, upper=upper, written_before=written)


def _score_change(
    series: DaySeries,
    outcome: DiaryOutcome,
    period: NDArray[np.str_],
    missing: float,
    level: float,
    adjust: Adjustments,
    memory: Memory | None,
) -> PersonChange:
    ordinal = outcome.scale == "ordinal"
    value = _mid_ranks(series.value) if ordinal else series.value
    spread = float(np.std(value))
    columns = _columns(series, outcome, period, adjust, spread, logarithmic=False)

    def fit(shift: float) -> SerialFit:
        return fit_serial(
            value - columns.offset * (1 + shift), series.day, columns.design, columns.names,
            memory=memory, prior_sd=columns.prior_sd,
        )  # fmt: skip

    found = fit(0.0)
    effect = found.vector(effect=1)
    estimate, (lower, upper) = found.mean(effect), found.interval(effect, level)
    leverage = (fit(0.5).mean(effect) - estimate) / (0.5 * outcome.season_slope) if columns.offset.any() else 0.0
    scale = 2.0 if ordinal else 1.0  # mid-ranks run from 0 to 1: their shift is half of P(worse) − P(better)
    before = float(series.value[period == "before"].mean()) if ordinal else found.mean(found.vector(const=1))
    after = float(series.value[period == "effect"].mean()) if ordinal else before + estimate
    estimate, lower, upper = scale * estimate, scale * lower, scale * upper
    important = -outcome.important / scale
    return PersonChange(
        who=series.who,
        before=float(np.clip(before, outcome.low, outcome.high)),
        after=float(np.clip(after, outcome.low, outcome.high)),
        estimate=estimate,
        sd=scale * found.sd(effect),
        lower=lower,
        upper=upper,
        probability=found.cdf(effect, 0.0),
        probability_important=found.cdf(effect, important) if np.isfinite(important) else float("nan"),
        days_before=int((period == "before").sum()),
        days_effect=int((period == "effect").sum()),
        missing_share=missing,
        boundary_share=float(np.mean((series.value <= outcome.low) | (series.value >= outcome.high))),
        ratio=None,
        season_leverage=leverage * scale,
    )


def _count_change(
    series: DaySeries,
    outcome: DiaryOutcome,
    period: NDArray[np.str_],
    missing: float,
    level: float,
    adjust: Adjustments,
    memory: Memory | None,
) -> PersonChange:
    columns = _columns(series, outcome, period, adjust, 1.0, logarithmic=True)
    found = fit_counts(series.value, series.day, columns, memory=memory)
    draws = found.draws(_DRAWS, seed=0)
    base, ratio = np.exp(draws[:, 0] + columns.centre), np.exp(draws[:, columns.names.index("effect")])
    change = base * (ratio - 1)
    tail = (1 - level) / 2
    lower, estimate, upper, q16, q84 = (float(q) for q in np.quantile(change, [tail, 0.5, 1 - tail, 0.1587, 0.8413]))
    effect = found.vector(effect=1)
    bounds = found.interval(effect, level)
    leverage = 0.0
    if columns.offset.any():
        shifted = _with_offset(columns, 1.5)
        other = fit_counts(series.value, series.day, shifted, memory=memory)
        moved = float(np.exp(other.mean(effect)) - np.exp(found.mean(effect))) * float(np.median(base))
        leverage = moved / (0.5 * outcome.season_slope)
    before = float(np.median(base))
    return PersonChange(
        who=series.who,
        before=before,
        after=before + estimate,
        estimate=estimate,
        sd=(q84 - q16) / 2,
        lower=lower,
        upper=upper,
        probability=found.cdf(effect, 0.0),
        probability_important=float(np.mean(change <= -outcome.important))
        if np.isfinite(outcome.important)
        else float("nan"),
        days_before=int((period == "before").sum()),
        days_effect=int((period == "effect").sum()),
        missing_share=missing,
        boundary_share=float(np.mean(series.value <= 0)),
        ratio=(float(np.exp(found.quantile(effect, 0.5))), float(np.exp(bounds[0])), float(np.exp(bounds[1]))),
        season_leverage=leverage,
    )


@dataclass(frozen=True, eq=False)
class Columns:
    """A regression: names (``const`` first), a design that may depend on the correlation time, soft priors, an offset.

    ``offset`` (n,) is what is known beforehand (a published seasonal slope times the temperature); ``centre`` is what
    the constant is relative to, for counts.
    """

    names: tuple[str, ...]
    design: Callable[[float], Floats]
    prior_sd: Floats
    offset: Floats
    centre: float = 0.0


def _columns(
    series: DaySeries,
    outcome: DiaryOutcome,
    period: NDArray[np.str_],
    adjust: Adjustments,
    spread: float,
    *,
    logarithmic: bool,
) -> Columns:
    n = series.value.size
    names, fixed = ["const", "effect"], [np.ones(n), (period == "effect").astype(float)]
    prior = [_LOG_EFFECT_SD if logarithmic else np.inf] * 2
    offset = np.zeros(n)
    if adjust.season:
        warmer = series.outdoor_c - series.outdoor_c[period == "before"].mean()
        if np.ptp(warmer) > 0.1:
            known = np.isfinite(outcome.season_slope) and outcome.scale != "ordinal"
            offset = outcome.season_slope * warmer if known else offset
            names += ["warmer", "warmer_squared"]
            fixed += [warmer, (warmer / 10.0) ** 2]
            prior += [outcome.season_slope_sd if known else 0.2 * spread, _SQUARE_SD * spread]
    if adjust.bad_start:
        names.append("start")
        prior.append(2.0 * spread if not logarithmic else 1.5)
    base = np.column_stack(fixed)

    def design(tau: float) -> Floats:
        if not adjust.bad_start:
            return base
        decay = np.exp(-series.since_start / tau) if tau > 0 else (series.since_start == series.since_start.min()) * 1.0
        return np.column_stack([base, decay])

    centre = float(np.log(series.value.mean())) if logarithmic else 0.0
    return Columns(tuple(names), design, np.array(prior), offset, centre)


def fit_counts(y: Floats, day: Floats, columns: Columns, *, memory: Memory | None = None, rounds: int = 6) -> SerialFit:
    """Log-linear regression of over-dispersed daily counts, by quasi-likelihood.

    Variance σ²(μ + α μ²) with α from the moments of the Pearson residuals and σ² estimated; iteratively reweighted
    least squares on the working response (McCullagh and Nelder, Generalized Linear Models, 2nd ed. 1989, chapters 2
    and 9), with the dependence between days of :mod:`rewarm.effects.serial` on that scale. With independent days and
    flat priors the estimates are those of a negative-binomial GLM at the same α.
    """
    x = columns.design(0.0)
    eta = np.full(y.size, columns.centre)
    alpha = dispersion(y, np.full(y.size, y.mean()))
    fit: SerialFit | None = None
    for number in range(rounds):
        mu = np.exp(np.clip(eta, -4.0, 9.0))
        alpha = dispersion(y, mu)
        working = np.log(mu) - columns.centre - columns.offset + (y - mu) / mu
        fit = fit_serial(
            working,
            day,
            columns.design,
            columns.names,
            memory=(memory or NOISY_MEMORY) if number >= rounds - _WITH_MEMORY else Memory((), ()),
            noise_sd=np.sqrt(mu + alpha * mu**2) / mu,
            prior_sd=columns.prior_sd,
        )
        eta = columns.centre + columns.offset + x @ (fit.weights @ fit.means)
    assert fit is not None
    return fit


def dispersion(y: Floats, mu: Floats) -> float:
    """Moment estimate of α in Var = μ + α μ², 0 at least."""
    return max(0.0, float(np.mean((y - mu) ** 2 - mu) / np.mean(mu**2)))


def _with_offset(columns: Columns, factor: float) -> Columns:
    return Columns(columns.names, columns.design, columns.prior_sd, columns.offset * factor, columns.centre)


def _mid_ranks(value: Floats) -> Floats:
    """(rank − ½)/n with ties averaged: the share of days that are lower, plus half of those that are equal."""
    return np.asarray((rankdata(value) - 0.5) / value.size)


def _where_weather_is_known(series: DaySeries, period: NDArray[np.str_]) -> tuple[DaySeries, NDArray[np.str_]]:
    known = np.isfinite(series.outdoor_c)
    return _subset(series, known), period[known]


def _subset(series: DaySeries, keep: NDArray[np.bool_]) -> DaySeries:
    return DaySeries(
        series.who,
        series.outcome,
        series.day[keep],
        series.value[keep],
        series.outdoor_c[keep],
        series.since_start[keep],
    )


def _missing(series: DaySeries, window: Window) -> float:
    """Share of the days between the window's begin and its (or the diary's) end that have no value."""
    last = min(float(window.last), float(series.day.max()))
    expected = int(last) - window.first + 1
    seen = int(((series.day >= window.first) & (series.day <= last)).sum())
    return max(0.0, 1.0 - seen / expected) if expected > 0 else float("nan")


def _never_changed(
    series: DaySeries, outcome: DiaryOutcome, n_before: int, n_effect: int, missing: float
) -> PersonChange:
    """The same value on every day: nothing changed, and no interval can be formed."""
    nan = float("nan")
    level = float(series.value[0])
    edge = float(level <= outcome.low or level >= outcome.high)
    return PersonChange(
        series.who, level, level, 0.0, nan, nan, nan, nan, nan, n_before, n_effect, missing, edge, None,
        written_before=level,
    )  # fmt: skip
