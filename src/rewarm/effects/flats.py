"""What flats would have done: pain had the heels been left at home on k days a week, beside what the toxin did.

Under the fitted line, pain moves by slope × carried load, so leaving heels off on k of 7 days (any seven, or cutting
the hours of every day by k/7) takes k/7 of the usual carried load away. Where
numbness or tingling rose, harm would heal in flats besides (:data:`HEALING_SD`). That is a prediction from how a
person's pain followed the load before, not a trial of flats: whether the line is a cause is discussed in
:mod:`rewarm.effects.heels`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.effects.heels import HeelFit, slope_before
from rewarm.effects.outcomes import DIARY_OUTCOMES, within_scale
from rewarm.effects.pooling import pool
from rewarm.effects.rows import GROUP, LEVEL

FLATS_COLUMNS: Final = {
    "who": "a participant's id, or `group`",
    "flats_days": "days a week without heels, 0 to 7",
    "change": "predicted change of pain against the days before, without toxin; points of 100",
    "lower": "lower end of its interval",
    "upper": "upper end",
    "toxin": "relief at equal load: what the toxin did, at the load of the days before",
    "toxin_lower": "lower end of its interval",
    "toxin_upper": "upper end",
    "probability": "that so many days in flats would have helped at least as much as the toxin did",
    "level": "level of the intervals",
    "seen": "whether so little load was seen at all; where not, the line is drawn beyond the data",
    "cannot_tell": "why nothing can be said; empty where something can",
}
_PAIN: Final = DIARY_OUTCOMES["pain_vas"]
SLOPE_SURE: Final = 0.9
"""Probability that pain rises with load from which on flats are said to help at all."""
HORIZON_DAYS: Final = 28
"""What flats would have done is said of four weeks: which of their days had heels is chance."""
HEALING_SD: Final = 0.2
"""Where load does harm, harm heals slowly once the load is gone: within weeks that adds a share of what the lighter
load does at once, |normal| with this SD (a sixth on average, hardly more than two fifths). Chosen: one diary cannot
show it, because a pain that builds up over months looks like a flare.
"""
_DRAWS: Final = 4000
_WEEK: Final = 7


@dataclass(frozen=True)
class FlatsDay:
    """One row of the table; fields as in :data:`FLATS_COLUMNS`."""

    who: str
    flats_days: int
    change: float
    lower: float
    upper: float
    toxin: float
    toxin_lower: float
    toxin_upper: float
    probability: float
    level: float
    seen: bool
    cannot_tell: str


def flats(fit: HeelFit, *, level: float = LEVEL, seed: int = 0, harmed: float = 0.0) -> tuple[FlatsDay, ...]:
    """The eight rows (0 to 7 days a week) of one person; NaN and the reason where the data cannot say.

    ``harmed`` is the probability that load does this person harm, which flats would let heal.
    """
    if fit.joint is None:
        return _cannot_tell(fit.who, level, "; ".join(fit.cannot_tell))
    changes, toxin = _draws(fit, seed, harmed, _healing(seed))
    sure = 1.0 - fit.joint.cdf(slope_before(fit.joint), 0.0)
    doubt = "" if sure >= SLOPE_SURE else f"pain does not visibly follow the load (probability {sure:.0%})"
    tail = (1 - level) / 2
    effect = fit.joint.vector(effect=1)
    relief = within_scale((fit.joint.mean(effect), *fit.joint.interval(effect, level)), _PAIN, fit.pain_before)
    rows = []
    for k in range(8):
        change = changes[k]
        ends = np.quantile(change, [tail, 1 - tail])
        rows.append(
            FlatsDay(
                who=fit.who,
                flats_days=k,
                change=float(np.median(change)),
                lower=float(ends[0]),
                upper=float(ends[1]),
                toxin=relief[0],
                toxin_lower=relief[1],
                toxin_upper=relief[2],
                probability=float(np.mean(change <= toxin)),
                level=level,
                seen=bool(fit.load_before * (1 - k / 7) >= fit.seen_low - 1e-9),
                cannot_tell=doubt if k else "",
            )
        )
    return tuple(rows)


def group_flats(
    fits: Sequence[HeelFit], *, level: float = LEVEL, seed: int = 0, harmed: Mapping[str, float] | None = None
) -> tuple[FlatsDay, ...]:
    """The eight rows of the mean person, from people whose data can say; none for fewer than two.

    ``harmed`` maps people to the probability that load does them harm. How much of the harm heals is taken to be alike
    in all: no number of people averages it out.
    """
    known = [fit for fit in fits if fit.joint is not None]
    if len(known) < 2:
        return _cannot_tell(GROUP, level, "fewer than two people whose data can say") if fits else ()
    healing, probability = _healing(seed), harmed or {}
    people = [_draws(fit, seed + 10 * i, probability.get(fit.who, 0.0), healing) for i, fit in enumerate(known)]
    joints = [joint for fit in known if (joint := fit.joint) is not None]
    contrasts = [joint.vector(effect=1) for joint in joints]
    toxin = pool(
        [joint.mean(contrast) for joint, contrast in zip(joints, contrasts, strict=True)],
        [joint.sd(contrast) for joint, contrast in zip(joints, contrasts, strict=True)],
        equal_weights=True,
        own_errors=True,
    )
    assert toxin is not None
    rng = np.random.default_rng(seed)
    relief = toxin.mean + toxin.se * rng.standard_t(toxin.df, _DRAWS)
    usual_pain = float(np.mean([fit.pain_before for fit in known]))
    ends_of_toxin = within_scale((toxin.mean, *toxin.interval(level)), _PAIN, usual_pain)
    # What is left open about the carry-over of most people is the same for all: their number does not average it out.
    factor = 1.0 + known[0].shared_slope_sd * rng.standard_normal(_DRAWS)
    tail = (1 - level) / 2
    rows = []
    for k in range(8):
        change = np.maximum(np.mean([changes[k] for changes, _ in people], axis=0) * factor, -usual_pain)
        ends = np.quantile(change, [tail, 1 - tail])
        seen = np.mean([fit.load_before * (1 - k / 7) >= fit.seen_low - 1e-9 for fit in known]) >= 0.5
        rows.append(
            FlatsDay(
                who=GROUP,
                flats_days=k,
                change=float(np.median(change)),
                lower=float(ends[0]),
                upper=float(ends[1]),
                toxin=ends_of_toxin[0],
                toxin_lower=ends_of_toxin[1],
                toxin_upper=ends_of_toxin[2],
                probability=float(np.mean(change <= relief)),
                level=level,
                seen=bool(seen),
                cannot_tell="",
            )
        )
    return tuple(rows)


def flats_table(rows: Sequence[FlatsDay]) -> pd.DataFrame:
    """The rows as a table with the columns of :data:`FLATS_COLUMNS`."""
    return pd.DataFrame(
        [{name: getattr(row, name) for name in FLATS_COLUMNS} for row in rows], columns=[*FLATS_COLUMNS]
    )


def flats_sentence(rows: Sequence[FlatsDay]) -> str:
    """What one person's (or the group's) rows say, in plain words."""
    whole = rows[-1]
    who = "On average" if whole.who == GROUP else whole.who
    if whole.cannot_tell:
        return f"{who}: what flats would have done cannot be told: {whole.cannot_tell}."
    enough = [row.flats_days for row in rows if row.probability >= 0.5 and row.flats_days]
    half = rows[3]
    text = (
        f"{who}: three days a week in flats would have changed pain by {half.change:+.0f} points "
        f"({half.level:.0%} interval {half.lower:+.0f} to {half.upper:+.0f}), no heels at all by {whole.change:+.0f} "
        f"({whole.lower:+.0f} to {whole.upper:+.0f}); the toxin did {whole.toxin:+.0f} "
        f"({whole.toxin_lower:+.0f} to {whole.toxin_upper:+.0f}) at equal load."
    )
    if whole.toxin < 0:
        if not enough:
            text += " Flats are not likely to do as much, however many days."
        elif enough[0] == _WEEK:
            text += " Only without heels on any day are flats more likely than not to do as much."
        else:
            text += f" From {enough[0]} days a week on, flats are more likely than not to do as much."
    if not whole.seen:
        fewest = next(row.flats_days for row in rows if not row.seen)
        days = "Seven days" if fewest == _WEEK else f"From {fewest} days on this"
        text += f" {days} {'go' if fewest == _WEEK else 'goes'} beyond the loads that were seen, on the line alone."
    return text


def _healing(seed: int) -> NDArray[np.float64]:
    """Draws of what the healing of harm adds to flats, as a share of what the lighter load does at once."""
    return np.asarray(np.abs(HEALING_SD * np.random.default_rng(seed + 5).standard_normal(_DRAWS)))


def _draws(
    fit: HeelFit, seed: int, harmed: float, healing: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draws of what flats on 0 to 7 days would have done, (8, draws), and of relief at equal load, (draws,)."""
    assert fit.joint is not None
    beta = fit.joint.draws(_DRAWS, seed)
    slope, toxin = beta @ slope_before(fit.joint), beta @ fit.joint.vector(effect=1)
    chance = np.random.default_rng(seed + 4).standard_normal(_DRAWS)
    usual = _usual_load(fit, seed)
    left_off = np.stack([usual * k / 7 + _days_sd(fit, k) * chance for k in range(8)])
    with_harm = np.random.default_rng(seed + 6).random(_DRAWS) < harmed
    # Pain cannot fall below none at all.
    return np.maximum(-slope * left_off * (1.0 + with_harm * healing), -fit.pain_before), toxin


def _days_sd(fit: HeelFit, k: int) -> float:
    """SD of the load left off over :data:`HORIZON_DAYS` about its expectation: which days fall to the flats, and how
    long heels would have been worn on those.
    """
    share = k / 7
    variance = share * fit.load_squared - (share * fit.load_before) ** 2
    return float(np.sqrt(max(variance, 0.0) / HORIZON_DAYS)) if k else 0.0


def _usual_load(fit: HeelFit, seed: int) -> NDArray[np.float64]:
    """Draws of the load that this person usually carries, of which the days before are a sample."""
    chance = np.random.default_rng(seed + 3).standard_normal(_DRAWS)
    return np.maximum(fit.load_before + _usual_sd(fit) * chance, 0.0)


def _usual_sd(fit: HeelFit) -> float:
    """Standard error of the usual load; from one day to the next, heels are taken to be chosen anew."""
    variance = fit.load_squared - fit.load_before**2
    return float(np.sqrt(max(variance, 0.0) / fit.load_days))


def _cannot_tell(who: str, level: float, reason: str) -> tuple[FlatsDay, ...]:
    nan = float("nan")
    return tuple(FlatsDay(who, k, nan, nan, nan, nan, nan, nan, nan, level, False, reason) for k in range(8))
