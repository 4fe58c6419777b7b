"""What a pilot tells a plan: how much people, days and effects vary, and how unsure the effect still is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from rewarm.effects.diary_days import DaySeries
from rewarm.effects.rows import GROUP
from rewarm.effects.serial import Memory, fit_serial
from rewarm.effects.trials import Variance
from rewarm.errors import InvalidInputError

LEAST_DAYS = 10


@dataclass(frozen=True)
class PilotEffect:
    """A pilot's effect for the group: mean, its standard error, and the SD between people beyond their own error."""

    effect: float
    effect_se: float
    effect_sd: float
    people: int


def pilot_effect(effects: pd.DataFrame, outcome: str, estimand: str) -> PilotEffect:
    """Read the group's and the people's rows of an ``effects.csv``.

    The standard error is taken from the interval as if it were normal, and is too small for few people: a t interval is
    wider at the same standard error, so this is an upper bound. The SD between people is what is left of their spread
    after their own errors.

    Raises :class:`InvalidInputError` where there is no such row.
    """
    rows = effects[(effects["outcome"] == outcome) & (effects["estimand"] == estimand)]
    group = rows[rows["who"] == GROUP]
    if group.empty:
        there = sorted({f"{o} ({e})" for o, e in zip(effects["outcome"], effects["estimand"], strict=True)})
        raise InvalidInputError(
            f"pilot: expected a row of the group for {outcome} ({estimand}); found {', '.join(there) or 'no rows'}"
        )
    first = group.iloc[0]
    z = float(norm.ppf((1 + float(first["level"])) / 2))
    people = rows[(rows["who"] != GROUP) & rows["estimate"].notna() & rows["lower"].notna() & rows["upper"].notna()]
    own = ((people["upper"] - people["lower"]) / 2 / norm.ppf((1 + people["level"]) / 2)) ** 2
    spread = float(people["estimate"].var()) - float(own.mean()) if len(people) > 1 else 0.0
    return PilotEffect(
        float(first["estimate"]),
        float((first["upper"] - first["lower"]) / 2 / z),
        float(np.sqrt(max(spread, 0.0))),
        len(people),
    )


def variance_from_diary(people: Sequence[DaySeries], memory: Memory | None = None) -> Variance:
    """Variance components of a diary's outcome from the days before the injection of at least two people.

    Each person's days give a total variance, the part that is each day's own, and the memory of the rest
    (:mod:`rewarm.effects.serial`); they are averaged over people. The SD between people is that of their means, less
    their own error.

    Raises :class:`InvalidInputError` for fewer than two people with :data:`LEAST_DAYS` days.
    """
    means, errors, totals, own_shares, days = [], [], [], [], []
    for series in people:
        before = series.day < 0
        if before.sum() < LEAST_DAYS or np.ptp(series.value[before]) == 0:
            continue
        fit = fit_serial(
            series.value[before], series.day[before], np.ones((int(before.sum()), 1)), ["const"], memory=memory
        )
        const = fit.vector(const=1)
        means.append(fit.mean(const))
        errors.append(fit.sd(const) ** 2)
        totals.append(fit.residual_sd**2)
        own_shares.append(float(fit.weights @ [point.own + point.fast for point in fit.points]))
        correlated = np.array([point.tau_days for point in fit.points]) > 0
        weight = fit.weights * correlated
        days.append(float(weight @ [point.tau_days for point in fit.points] / max(weight.sum(), 1e-12)))
    if len(means) < 2:
        raise InvalidInputError(
            f"pilot: expected at least two people with {LEAST_DAYS} days before the injection; found {len(means)}. "
            "State the [variance] in the plan instead"
        )
    total, own = float(np.mean(totals)), float(np.average(own_shares, weights=totals))
    between = float(np.var(means, ddof=1)) - float(np.mean(errors))
    return Variance(
        person_sd=float(np.sqrt(max(between, 0.0))),
        noise_sd=float(np.sqrt(own * total)),
        flare_sd=float(np.sqrt((1 - own) * total)),
        flare_days=float(np.mean(days)),
    )
