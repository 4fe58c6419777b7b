"""Heels, heal or hide: did pain fall, would it have fallen at equal load, and did load or harm rise meanwhile?

Load after the treatment is a consequence of it (less pain, longer in heels), not a baseline. So two estimates are kept
apart: ``observed_relief``, pain after against before at whatever load, and ``relief_at_equal_load``, the same at the
load of the days before: the effect of the toxin not through the load, if nothing else drives both load and pain on the
same day. Pain of past days may well have changed the load: the regression's likelihood goes day by day and stands it.
Pain on the *same* day that made a person change shoes is not told apart from load that made the pain, in any diary;
the notes say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.effects.diary_days import Window
from rewarm.effects.diary_fit import LEAST_DAYS
from rewarm.effects.load import CARRY_OVER, HeelDays, carried
from rewarm.effects.load_slopes import share_slopes
from rewarm.effects.serial import NOISY_MEMORY, Memory, SerialFit, fit_serial
from rewarm.errors import InvalidInputError

Floats = NDArray[np.float64]

LEAST_VARIATION: Final = 0.1
"""Standard deviation of the load, as a share of its mean, below which it does not vary enough to learn from."""
SLOPE_CHANGE: Final = 0.3
"""Soft bound of how much a treatment changes the pain per load, as a share of what would make all of the pain."""
NOT_SEEN: Final = 0.05
"""Share of days at either end of the carried loads that counts as hardly seen."""


@dataclass(frozen=True, eq=False)
class HeelFit:
    """One person's pain and load before and in the window of effect.

    ``pain`` and ``load`` are the fits without each other (coefficient ``effect``); ``joint`` is pain on carried load
    with coefficients ``effect`` (at the mean carried load of the days before), ``load`` and, where it could be told,
    ``effect_load``; None where the data cannot say, with the reasons in ``cannot_tell``. ``load_before`` and
    ``load_after`` are means, ``load_change_sd`` what missing days leave open about their difference, ``pain_before`` a
    mean, ``load_squared`` the mean square of a day's load on the ``load_days`` before; ``seen_low`` and ``seen_high``
    bound the carried loads that were seen. ``pain_change`` is how pain differed on *these* days, flares included, and
    ``pain_change_sd`` what missing days and the ratings' own noise leave open about it. ``shared_slope_sd``
    is that of :class:`rewarm.effects.load_slopes.SharedSlope`.
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
    load_change_sd: float
    hours_before: float
    hours_after: float
    seen_low: float
    seen_high: float
    pain_drives_load: float
    pain_change: float
    pain_change_sd: float
    load_squared: float
    load_days: int
    shared_slope_sd: float = 0.0


def fit_heels(days: HeelDays, *, window: Window | None = None, memory: Memory | None = None) -> HeelFit | None:
    """Fit one person's diary alone; None where pain has too few days on one side of the injection for any statement."""
    found = fit_people([days], window=window, memory=memory)
    return found[0] if found else None


def fit_people(
    people: Sequence[HeelDays], *, window: Window | None = None, memory: Memory | None = None
) -> list[HeelFit]:
    """Fit everybody's diary, and let people inform each other about load and pain
    (:mod:`rewarm.effects.load_slopes`); without those whose pain has too few days on one side of the injection.
    """
    fits = [fit for days in people if (fit := _fit_alone(days, window or Window(), memory or NOISY_MEMORY)) is not None]
    for unit in sorted({fit.unit for fit in fits}):
        at = [i for i, fit in enumerate(fits) if fit.unit == unit and fit.joint is not None]
        joints = [joint for i in at if (joint := fits[i].joint) is not None]
        usual = sum(fits[i].load_before for i in at)
        if not joints or usual <= 0:
            continue
        whole = max(sum(fits[i].pain_before for i in at) / usual, 1e-6)
        for i, shared in zip(at, share_slopes(joints, len(CARRY_OVER), whole), strict=True):
            fits[i] = replace(fits[i], joint=shared.fit, shared_slope_sd=shared.shared_sd)
    return fits


def _fit_alone(days: HeelDays, window: Window, memory: Memory | None) -> HeelFit | None:
    period = days.period(window)
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
    middle = carried(days, CARRY_OVER[len(CARRY_OVER) // 2])[rated & worn]
    low, high = np.quantile(middle, [NOT_SEEN, 1 - NOT_SEEN]) if middle.size else (np.nan, np.nan)
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
        load_change_sd=float(np.linalg.norm([_unseen_sd(days.load, period == word) for word in ("before", "effect")])),
        hours_before=_mean(days.hours, sides["before"]),
        hours_after=_mean(days.hours, sides["effect"]),
        seen_low=float(low),
        seen_high=float(high),
        pain_drives_load=_feedback(days),
        pain_change=float(
            days.pain[rated & (period == "effect")].mean() - days.pain[rated & (period == "before")].mean()
        ),
        pain_change_sd=float(
            np.linalg.norm([_rating_sd(days.pain, period == word, joint or pain) for word in ("before", "effect")])
        ),
        load_days=int(sides["before"].sum()),
        load_squared=float(np.mean(days.load[sides["before"]] ** 2)) if sides["before"].any() else float("nan"),
    )


_TOO_FEW: Final = "heel hours were written on too few days before the injection or after it"


def variant_weights(joint: SerialFit) -> Floats:
    """Probability of each carry-over of :data:`rewarm.effects.load.CARRY_OVER`, (5,)."""
    return np.bincount(joint.variants, weights=joint.weights, minlength=len(CARRY_OVER)).astype(np.float64)


def slope_before(joint: SerialFit) -> Floats:
    """Contrast: points of pain per unit of carried load in the days before."""
    return joint.vector(load=1)


def slope_after(joint: SerialFit) -> Floats:
    """Contrast: points of pain per unit of carried load in the window of effect."""
    return joint.vector(load=1, effect_load=1) if "effect_load" in joint.names else joint.vector(load=1)


def observed_relief(fit: HeelFit) -> tuple[SerialFit, Floats]:
    """The regression and contrast of pain after against before at whatever load.

    Where load and pain could be told apart, relief at equal load and what the load's change did are added: load
    explains much of a day's pain, and what it explains is no noise. Else pain alone, before and after.
    """
    if fit.joint is None:
        return fit.pain, fit.pain.vector(effect=1)
    more = fit.load_after - fit.load_before
    return fit.joint, fit.joint.vector(effect=1) + more * slope_after(fit.joint)


def _step(
    value: Floats, day: Floats, period: NDArray[np.str_], known: NDArray[np.bool_], memory: Memory | None
) -> SerialFit:
    """A series before and in the window of effect: what it was, and by how much it differs."""
    kept = known & _compared(period)
    return fit_serial(value[kept], day[kept], _periods(period[kept]), ["const", "effect"], memory=memory)


def _compared(period: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Days of the onset, and those after the window, are left out: a level for each would not fit a rise, and errors
    that remember would take the misfit for a smaller effect.
    """
    return np.isin(period, ("before", "effect"))


def _periods(period: NDArray[np.str_]) -> Floats:
    return np.column_stack([np.ones(period.size), (period == "effect").astype(float)])


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
    kept = known & _compared(period)
    base = _periods(period[kept])
    own_slope = min(_variation(days.load[side], days.load[known]) for side in sides.values()) >= LEAST_VARIATION
    designs = []
    for rho in CARRY_OVER:
        level = carried(days, rho)[kept] - usual
        columns = [base, level[:, None]]
        if own_slope:
            columns.append((level * (period[kept] == "effect"))[:, None])
        designs.append(np.hstack(columns))
    names = ["const", "effect", "load", *(["effect_load"] if own_slope else [])]
    whole = float(days.pain[known & (days.day < 0)].mean()) / usual if usual > 0 else np.inf
    prior_sd = np.array([np.inf, np.inf, np.inf, *([max(SLOPE_CHANGE * whole, 1e-6)] if own_slope else [])])
    try:
        return fit_serial(days.pain[kept], days.day[kept], designs, names, memory=memory, prior_sd=prior_sd), ()
    except InvalidInputError:
        return None, ("the load changed only together with the treatment, so that the two cannot be told apart",)


def _variation(values: Floats, everything: Floats) -> float:
    mean = float(np.mean(everything))
    return float(np.std(values)) / mean if mean > 0 else 0.0


def _mean(values: Floats, where: NDArray[np.bool_]) -> float:
    return float(values[where].mean()) if where.any() else float("nan")


def _unseen_sd(values: Floats, side: NDArray[np.bool_]) -> float:
    """Standard error of the mean of *these* days: none where all were written (finite population correction)."""
    known = values[side & np.isfinite(values)]
    if known.size < 2:
        return float("nan")
    return float(np.sqrt(known.var(ddof=1) / known.size * (1 - known.size / side.sum())))


def _rating_sd(values: Floats, side: NDArray[np.bool_], fit: SerialFit) -> float:
    """Standard error of the mean pain of *these* days: each rating's own noise, and the days that were not written."""
    known = int(np.isfinite(values[side]).sum())
    noise = float(fit.weights @ [point.days_a_value_counts for point in fit.points]) * fit.residual_sd**2
    return float(np.sqrt(noise / known + _unseen_sd(values, side) ** 2))


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
