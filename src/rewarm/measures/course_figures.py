"""One region's curve and its versions → figures, each with its uncertainty; what cannot be had is a sentence.

:mod:`rewarm.measures.rewarming` says what each figure is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot, nan, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.measures.curve_shape import (
    GRADIENT_S,
    SPARSE_S,
    Lines,
    area_u,
    crossing_u_s,
    first_reached,
    interpolation_u_c,
    line_u,
    value_at,
)
from rewarm.measures.rewarming_course import FOLLOWED_S, Course, Floats, Name
from rewarm.measures.rewarming_curves import RegionCurves
from rewarm.measures.rewarming_fits import RewarmingFit, fit_rewarming
from rewarm.measures.vasomotion import vasomotion
from rewarm.regions import FINGERS, TOES

AT_S: Final = (0.0, 300.0, 600.0, 900.0)
LEAST_COOLED_C: Final = 1.0
"""Recoveries are shares of tpre − tmin, and meaningless where the challenge cooled by less than this."""
LEAST_RISE_C: Final = 0.5
LATER_S: Final = 10.0
"""A begin that is looked at more closely moves by less than this, or was another rise."""
LATE_S: Final = 30.0
"""A first frame later than this is not the temperature after the immersion."""


@dataclass(frozen=True)
class RewarmingMetric:
    """One figure of one region: ``metric`` is a name of this module's list, ``note`` what a person should know."""

    side: str
    region: str
    metric: str
    value: float
    unit: str
    u: float
    n_px: int
    time_s: float | None = None
    note: str = ""


def course_figures(course: Course) -> Iterator[RewarmingMetric | str]:
    """The figures of one region in the module's order, and a sentence for each that cannot be had."""
    time_s, smooth = course.time_s, course.smooth_c
    early = time_s <= FOLLOWED_S
    lowest = smooth.argmin(axis=1)
    tmin = _unbiased(smooth.min(axis=1))
    if course.tpre_c is not None:
        yield _metric(course, "tpre", course.tpre_c, "degC", note=course.tpre_note)
    else:
        yield "no baseline: tpre, recoveries and t25, t50, t100 need a picture from before the immersion"
    if time_s[0] <= LATE_S:
        yield _metric(course, "t0", smooth[:, 0], "degC", note=f"frame at {time_s[0]:.0f} s")
    else:
        yield f"first frame later than {LATE_S:.0f} s after the immersion: no t0"
    yield _metric(course, "tmin", tmin, "degC", note=f"at {time_s[lowest[0]]:.0f} s")
    if early.any():
        short = "" if time_s[-1] >= FOLLOWED_S - LATE_S else f"followed for {time_s[-1]:.0f} s only"
        yield _metric(course, "rewarming_max", -_unbiased(-smooth[:, early].max(axis=1)), "degC", note=short)
    yield from _slopes(course, tmin)
    yield from _area(course, tmin)
    yield from _recoveries(course, tmin, lowest)
    fits = fit_rewarming(course.time_s, course.raw_c[0])
    yield from _fitted(course, fits)
    yield from _waves(course, fits)


def _slopes(course: Course, tmin: Floats) -> Iterator[RewarmingMetric | str]:
    time_s, curve = course.time_s, course.smooth_c[0]
    risen = bool(curve.max() - tmin[0] >= max(LEAST_RISE_C, 3 * course.noise_c))
    lines = course.reading.steep
    if lines.middle_s.size:
        slopes = (lines.slope @ course.raw_c.T).T
        steepest = slopes.argmax(axis=1)
        highest = slopes.max(axis=1)
        best = int(steepest[0])
        first_s, length_s = float(lines.middle_s[best] - lines.length_s[best] / 2), float(lines.length_s[best])
        if risen:
            yield from _lag(course, lines, steepest, highest, tmin)
        note = "" if length_s <= GRADIENT_S else f"across a gap of {length_s:.0f} s: the true one is steeper"
        beside = 60.0 * line_u(time_s, curve, first_s, first_s + length_s)
        yield _metric(course, "max_gradient", 60.0 * -_unbiased(-highest), "degC/min", note=note, beside=beside)
    else:
        yield "followed for less than 60 s: no max_gradient, no lag"
    if not risen:
        yield _metric(course, "lag", np.full(len(course.raw_c), time_s[-1]), "s", note=_censored(time_s[-1]))
        yield _metric(course, "lag_reached", np.zeros(len(course.raw_c)), "1")
    first = course.reading.first
    if first.middle_s.size:
        slope = 60.0 * (first.slope @ course.raw_c.T).T[:, 0]
        beside = 60.0 * line_u(time_s, curve, 0.0, 120.0)
        yield _metric(course, "gradient_2min", slope, "degC/min", beside=beside)
    else:
        yield "no gradient_2min: it needs frames that span the first two minutes without a gap of more than 45 s"


def _lag(
    course: Course, lines: Lines, steepest: NDArray[np.int64], highest: Floats, tmin: Floats
) -> Iterator[RewarmingMetric]:
    """Where each version's steepest minute cuts its lowest temperature; a gap in between may hide the true begin.

    A rise that flattens begins steeper than a straight line through its first minute, which would cut length²/(12 τ)
    too early, 2 s and more: so its bow is followed, in the minute that begins with the first frame after that. A
    rise that is still getting steeper is taken as straight.
    """
    time_s = course.time_s
    lag, bow = _cut(course, lines, steepest, tmin)
    if bow[0] < 0.0 and lines.length_s[steepest[0]] <= GRADIENT_S:
        begin_s = lines.middle_s - lines.length_s / 2.0
        next_s = time_s[np.minimum(np.searchsorted(time_s, lag), time_s.size - 1)]  # in the gap before, it may be bent
        rows = np.minimum(np.searchsorted(begin_s, next_s - 1e-9), len(begin_s) - 1)
        again, bow = _cut(course, lines, rows, tmin)
        near = np.abs(again - lag) < LATER_S
        lag = np.where(near, again, lag) if bow[0] < 0.0 and near[0] else lag
    lag = np.clip(lag, 0.0, time_s[-1])
    ends = (float(lag[0]) - 1e-6, float(lines.middle_s[steepest[0]]))
    crossed = [
        float(after - before)
        for before, after in pairwise(time_s)
        if after > ends[0] and before < ends[1] and after - before > SPARSE_S / 2
    ]
    hidden_s = max(crossed, default=0.0)
    best, length_s = int(steepest[0]), float(lines.length_s[steepest[0]])
    middle_s = float(lines.middle_s[best])
    off = line_u(time_s, course.smooth_c[0], middle_s - length_s / 2, middle_s + length_s / 2)
    turned_s = off / max(float(highest[0]), 1e-9) * (middle_s - float(lag[0]) + length_s / 6.0)
    note = f"a gap of {hidden_s:.0f} s may hide the begin" if hidden_s else ""
    yield _metric(course, "lag", lag, "s", beside=hypot(hidden_s / sqrt(12.0), turned_s), note=note)
    yield _metric(course, "lag_reached", np.ones(len(course.raw_c)), "1")


def _cut(course: Course, lines: Lines, rows: NDArray[np.int64], tmin: Floats) -> tuple[Floats, Floats]:
    """When the parabola through each version's stretch cuts its lowest temperature, and its bow.

    Straight where the curve's own bow is upwards; infinite where the stretch falls.
    """
    level, slope, bow = (
        np.asarray(matrix[rows].multiply(course.raw_c).sum(axis=1), dtype=np.float64).ravel()
        for matrix in (lines.middle, lines.slope, lines.bow)
    )
    bow = bow if bow[0] < 0.0 else np.zeros_like(bow)
    above = level - bow * lines.length_s[rows] ** 2 / 12.0 - tmin
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(np.maximum(slope**2 - 4.0 * bow * above, 0.0))
        cut = np.where(slope > 0, lines.middle_s[rows] - 2.0 * above / (slope + root), np.inf)
    return np.asarray(cut, dtype=np.float64), np.asarray(bow, dtype=np.float64)


def _area(course: Course, tmin: Floats) -> Iterator[RewarmingMetric | str]:
    weights = course.reading.area
    if weights is None:
        yield "no auc: it needs frames from the end of the immersion to 15 min after it"
        return
    area = (course.smooth_c @ weights - FOLLOWED_S * tmin) / 60.0
    beside = area_u(course.time_s, course.smooth_c[0], 0.0, FOLLOWED_S) / 60.0
    yield _metric(course, "auc", area, "degC min", beside=beside, note="above tmin")


def _recoveries(course: Course, tmin: Floats, lowest: NDArray[np.int64]) -> Iterator[RewarmingMetric | str]:
    if course.tpre_c is None:
        return
    cooled = course.tpre_c - tmin
    if cooled[0] < LEAST_COOLED_C:
        yield (
            f"cooled by less than {LEAST_COOLED_C:g} °C: no recoveries and times, which are shares of that. Was the "
            "water cold, the immersion long enough?"
        )
        return
    cooled = np.maximum(cooled, 0.1 * cooled[0])
    time_s, smooth = course.time_s, course.smooth_c
    for at_s in AT_S[1:]:
        found = value_at(time_s, at_s)
        if found is None:
            yield f"not followed until {at_s / 60:.0f} min: no recovery_{at_s / 60:.0f}min"
            continue
        off_c = interpolation_u_c(time_s, smooth[0], at_s)
        yield _metric(
            course, f"recovery_{at_s / 60:.0f}min", 100.0 * (smooth @ found[0] - tmin) / cooled, "percent",
            beside=100.0 * off_c / cooled[0],
        )  # fmt: skip
    for share in (25, 50, 100):
        yield from _time_to(course, share, tmin + share / 100.0 * cooled, lowest)


def _time_to(course: Course, share: int, levels: Floats, lowest: NDArray[np.int64]) -> Iterator[RewarmingMetric]:
    """When a share of the cooling was made up, or how long it was followed; and whether it was reached."""
    time_s = course.time_s
    times = first_reached(time_s, course.smooth_c, levels, lowest)
    reached = np.isfinite(times)
    doubt = float(np.sqrt(np.mean((reached[1:].astype(np.float64) - float(reached[0])) ** 2)))
    name = f"t{share}"
    if reached[0]:
        value = float(times[0])
        spread = float(np.sqrt(np.mean((times[1:][reached[1:]] - value) ** 2))) if reached[1:].any() else nan
        u = hypot(spread, crossing_u_s(time_s, course.smooth_c[0], value))
        yield RewarmingMetric(*course.name, name, value, "s", u, course.n_px)
    else:
        last = float(time_s[-1])
        yield RewarmingMetric(*course.name, name, last, "s", nan, course.n_px, note=_censored(last))
    yield RewarmingMetric(*course.name, f"{name}_reached", float(reached[0]), "1", doubt, course.n_px)


def _fitted(course: Course, fits: Sequence[RewarmingFit]) -> Iterator[RewarmingMetric | str]:
    if not fits or not np.isfinite(fits[0].time_constant_s):
        yield "no time_constant: too few frames, or no rise that a model fits"
        return
    best = fits[0]
    others = [fit for fit in fits if np.isfinite(fit.time_constant_s + fit.u_time_constant_s)]
    spread = sum(f.weight * (f.u_time_constant_s**2 + (f.time_constant_s - best.time_constant_s) ** 2) for f in others)
    if spread > best.time_constant_s**2:
        yield "no time_constant: what was recorded does not tell it better than by its own size"
        return
    note = f"{best.model.replace('_', '-')} model, weight {best.weight:.2f} among {len(fits)}"
    note += f"; residuals' autocorrelation {best.autocorrelation:.2f}, sd {best.residual_sd_c:.2f} °C"
    yield RewarmingMetric(
        *course.name, "time_constant", best.time_constant_s, "s", sqrt(spread), course.n_px, note=note
    )


def _waves(course: Course, fits: Sequence[RewarmingFit]) -> Iterator[RewarmingMetric | str]:
    left = course.raw_c[0] - fits[0].fitted_c if fits else course.raw_c[0]
    found = vasomotion(course.time_s, left, noise_c=course.noise_c)
    if found.reason:
        yield f"no vasomotion_power: {found.reason}"
        return
    note = f"strongest at {found.peak_hz:.3f} Hz"
    yield RewarmingMetric(*course.name, "vasomotion_power", found.power_c2, "degC2", found.u_c2, course.n_px, note=note)


def differences(curves: RegionCurves, courses: Mapping[Name, Course]) -> Iterator[RewarmingMetric]:
    """Digit minus foot or hand at named times: what both share cancels draw by draw."""
    hand, dorsal = curves.limb.endswith(("hand", "hands")), curves.view == "dorsal"
    metric = "distal_dorsal_difference" if dorsal else "distal_proximal_difference"
    base = ("hand_dorsum" if dorsal else "palm") if hand else ("dorsum" if dorsal else "arch")
    for (side, region), digit in courses.items():
        proximal = courses.get((side, base))
        if region not in (FINGERS if hand else TOES) or proximal is None:
            continue
        note = f"{region} − {base}; negative: colder digit"
        if digit.tpre_c is not None and proximal.tpre_c is not None and digit.tpre_s is not None:
            yield _metric(digit, metric, digit.tpre_c - proximal.tpre_c, "delta_degC", note=note, time_s=digit.tpre_s)
        for at_s in AT_S:
            read = [_read(course, at_s) for course in (digit, proximal)]
            if read[0] is None or read[1] is None:
                continue
            beside = hypot(read[0][1], read[1][1])
            yield _metric(digit, metric, read[0][0] - read[1][0], "delta_degC", beside=beside, note=note, time_s=at_s)


def _read(course: Course, at_s: float) -> tuple[Floats, float] | None:
    found = value_at(course.time_s, at_s)
    if found is None:
        return None
    return course.smooth_c @ found[0], interpolation_u_c(course.time_s, course.smooth_c[0], at_s)


def _unbiased(lowest: Floats) -> Floats:
    """Minima of noisy curves lie too low; the curve itself, (1 + draws,), and its draws, without that.

    Among many equal values the lowest lies c·σ too low. A draw adds noise of the same σ to a curve that has noise
    already, which makes it c·√2·σ: the draws show √2 − 1 of what the curve is off. Where one value is lowest by far it
    is off by nothing. Which of the two, a curve does not tell: half is taken off, and half to either side is doubt.
    """
    shown = min(float(lowest[1:].mean() - lowest[0]), 0.0)
    widest = shown / (sqrt(2.0) - 1.0)
    either = np.where(np.arange(lowest.size - 1) % 2 == 0, 0.5, -0.5)
    return np.concatenate([[lowest[0] - 0.5 * widest], lowest[1:] - shown - (0.5 + either) * widest])


def _metric(
    course: Course, metric: str, values: Floats, unit: str, *, beside: float = 0.0, note: str = "",
    time_s: float | None = None,
) -> RewarmingMetric:  # fmt: skip
    """``values`` (1 + draws,): the figure, and what the draws make of it; ``beside`` adds to its uncertainty."""
    u = hypot(float(np.sqrt(np.mean((values[1:] - values[1:].mean()) ** 2))), beside)
    return RewarmingMetric(*course.name, metric, float(values[0]), unit, u, course.n_px, time_s, note)


def _censored(last_s: float) -> str:
    return f"not reached within {last_s:.0f} s"
