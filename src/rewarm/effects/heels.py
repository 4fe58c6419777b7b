"""Heels, heal or hide: did pain fall, would it have fallen at equal load, and did load or harm rise meanwhile?

Load after the treatment is a consequence of it (less pain, longer in heels), not a baseline. So two estimates are kept apart:
``observed_relief``, pain after against before at whatever load, and ``relief_at_equal_load``, the same at the load of the days
before: the effect of the toxin not through the load, if nothing else drives both load and pain on the same day. Pain of past
days may well have changed the load: the regression's likelihood goes day by day and stands it. Pain on the *same* day that
made a person change shoes is not told apart from load that made the pain, in any diary; the notes say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.effects.diary_days import Window
from rewarm.effects.diary_fit import LEAST_DAYS
from rewarm.effects.load import CARRY_OVER, HeelDays, carried
from rewarm.effects.serial import Memory, SerialFit, fit_serial
from rewarm.errors import InvalidInputError

Floats = NDArray[np.float64]

LEAST_VARIATION: Final = 0.1
"""Standard deviation of the load, as a share of its mean, below which it does not vary enough to learn from."""
NOT_SEEN: Final = 0.05
"""Share of days at either end of the carried loads that counts as hardly seen."""


@dataclass(frozen=True, eq=False)
class HeelFit:
    """One person's pain and load before and in the window of effect.

    ``pain`` and ``load`` are the fits without each other (coefficient ``effect``); ``joint`` is pain on carried load with
    coefficients ``effect`` (at the mean carried load of the days before), ``load`` and, where it could be told,
    ``effect_load``; None where the data cannot say, with the reasons in ``cannot_tell``. ``load_before`` and ``load_after`` are
    means; ``pain_before`` likewise; ``seen_low`` and ``seen_high`` bound the carried loads that were seen.
    """

    who: str
    unit: str
    pain: SerialFit
    load: SerialFit | None
    joint: SerialFit | None
    cannot_tell: tuple[str, ...]
    pain_before: float
    load_before: float
    load_after: float
    hours_before: float
    hours_after: float
    seen_low: float
    seen_high: float
    pain_drives_load: float


def fit_heels(days: HeelDays, *, window: Window | None = None, memory: Memory | None = None) -> HeelFit | None:
    """Fit one person's diary; None where pain has too few days on one side of the injection for any statement."""
    period = days.period(window or Window())
    rated = np.isfinite(days.pain)
    if min(int((rated & (period == word)).sum()) for word in ("before", "effect")) < LEAST_DAYS:
        return None
    pain = _step(days.pain, days.day, period, rated, memory)
    worn = np.isfinite(days.load)
    sides = {word: worn & (period == word) for word in ("before", "effect")}
    enough = min(int(side.sum()) for side in sides.values()) >= LEAST_DAYS
    load = None
    if enough and np.ptp(days.load[worn]) > 0:
        load = _step(days.load, days.day, period, worn, memory)
    joint, reasons = _joint(days, period, rated & worn, sides, memory) if enough else (None, (_TOO_FEW,))
    loads = [carried(days, rho)[rated & worn] for rho in CARRY_OVER]
    weights = np.ones(len(CARRY_OVER)) / len(CARRY_OVER) if joint is None else variant_weights(joint)
    low, high = (float(weights @ [np.quantile(x, q) for x in loads]) for q in (NOT_SEEN, 1 - NOT_SEEN))
    return HeelFit(
        who=days.who,
        unit=days.unit,
        pain=pain,
        load=load,
        joint=joint,
        cannot_tell=reasons,
        pain_before=float(days.pain[rated & (period == "before")].mean()),
        load_before=_mean(days.load, sides["before"]),
        load_after=_mean(days.load, sides["effect"]),
        hours_before=_mean(days.hours, sides["before"]),
        hours_after=_mean(days.hours, sides["effect"]),
        seen_low=low,
        seen_high=high,
        pain_drives_load=_feedback(days),
    )


_TOO_FEW: Final = "heel hours were written on too few days before the injection or after it"


def variant_weights(joint: SerialFit) -> Floats:
    """Probability of each carry-over of :data:`rewarm.effects.load.CARRY_OVER`, (5,)."""
    return np.bincount(joint.variants, weights=joint.weights, minlength=len(CARRY_OVER))


def slope_before(joint: SerialFit) -> Floats:
    """Contrast: points of pain per unit of carried load in the days before."""
    return joint.vector(load=1)


def slope_after(joint: SerialFit) -> Floats:
    """Contrast: points of pain per unit of carried load in the window of effect."""
    return joint.vector(load=1, effect_load=1) if "effect_load" in joint.names else joint.vector(load=1)


def _step(
    value: Floats, day: Floats, period: NDArray[np.str_], known: NDArray[np.bool_], memory: Memory | None
) -> SerialFit:
    """A series on its periods alone: what it was, and by how much it differs in the window of effect."""
    names, columns = _periods(period[known])
    return fit_serial(value[known], day[known], columns, names, memory=memory)


def _periods(period: NDArray[np.str_]) -> tuple[list[str], Floats]:
    names, columns = ["const"], [np.ones(period.size)]
    for word in ("onset", "effect", "waned"):
        if (period == word).any():
            names.append(word)
            columns.append((period == word).astype(float))
    return names, np.column_stack(columns)


def _joint(
    days: HeelDays,
    period: NDArray[np.str_],
    known: NDArray[np.bool_],
    sides: dict[str, NDArray[np.bool_]],
    memory: Memory | None,
) -> tuple[SerialFit | None, tuple[str, ...]]:
    """Pain on carried load and treatment, or why that cannot be told."""
    if not (days.load[known] > 0).any():
        return None, ("no heels were worn, so nothing can be learnt about load",)
    if all(_variation(days.load[side], days.load[known]) < LEAST_VARIATION for side in sides.values()):
        return None, ("the load was much the same on every day, so its share in the pain cannot be told",)
    usual = float(days.load[sides["before"]].mean())
    seen = np.quantile(carried(days, 0.3)[known & (period == "effect")], [0.0, 1.0])
    if not seen[0] <= usual <= seen[1]:
        word = "more" if seen[0] > usual else "less"
        return None, (
            f"after the treatment every day had {word} load than the days before had on average, so that pain at equal "
            "load would be a guess beyond what was seen",
        )
    names, base = _periods(period[known])
    own_slope = min(_variation(days.load[side], days.load[known]) for side in sides.values()) >= LEAST_VARIATION
    designs, weights = [], []
    for rho in CARRY_OVER:
        level = carried(days, rho)[known] - usual
        columns = [base, level[:, None]]
        if own_slope:
            columns.append((level * (period[known] == "effect"))[:, None])
        designs.append(np.hstack(columns))
        # Loads that are carried for long vary less. Flat priors on the slope would prefer them for that alone: flat on what
        # a standard deviation of the carried load does instead.
        weights.append(float(np.std(level)) ** (2 if own_slope else 1))
    names = [*names, "load", *(["effect_load"] if own_slope else [])]
    try:
        return fit_serial(days.pain[known], days.day[known], designs, names, memory=memory, design_weights=weights), ()
    except InvalidInputError:
        return None, ("the load changed only together with the treatment, so that the two cannot be told apart",)


def _variation(values: Floats, everything: Floats) -> float:
    mean = float(np.mean(everything))
    return float(np.std(values)) / mean if mean > 0 else 0.0


def _mean(values: Floats, where: NDArray[np.bool_]) -> float:
    return float(values[where].mean()) if where.any() else float("nan")


def _feedback(days: HeelDays) -> float:
    """Rank correlation of a day's pain with the next day's load, within before and after; NaN where unknown."""
    from scipy.stats import spearmanr

    pairs = []
    for side in (days.day < 0, days.day >= 0):
        pain, load = days.pain[side][:-1], days.load[side][1:]
        known = np.isfinite(pain) & np.isfinite(load)
        if known.sum() >= 10 and np.ptp(pain[known]) > 0 and np.ptp(load[known]) > 0:
            pairs.append((float(spearmanr(pain[known], load[known]).statistic), int(known.sum())))
    if not pairs:
        return float("nan")
    return float(np.average([pair[0] for pair in pairs], weights=[pair[1] for pair in pairs]))
