"""Temperature curves → the figures of a cold challenge, each with its uncertainty, times censored where not reached.

Names in the measurements table (one row a side and region, ``time_s`` empty unless said):

``tpre`` (degC)
    mean temperature before the immersion
``t0`` (degC)
    temperature of the first frames after the end of the immersion
``tmin`` (degC)
    lowest temperature after the end of the immersion
``rewarming_max`` (degC)
    highest temperature within 15 min after the end of the immersion
``lag`` (s), ``lag_reached`` (1)
    from the end of the immersion until the rise begins: where that steepest line of ``max_gradient`` cuts ``tmin``.
    ``lag_reached`` is 0 where it rose by less than 0.5 °C, and ``lag`` is then how long it was followed
``max_gradient`` (degC/min)
    slope of the steepest straight line fitted to any 60 s (across a longer gap, or between stills: from end to end)
``gradient_2min`` (degC/min)
    slope of the straight line fitted to the first two minutes after the end of the immersion
``auc`` (degC min)
    area between curve and ``tmin`` over the first 15 min after the end of the immersion
``recovery_5min``, ``recovery_10min``, ``recovery_15min`` (percent)
    (T − tmin)/(tpre − tmin) at that time
``t25``, ``t50``, ``t100`` (s), each with ``t25_reached``, ``t50_reached``, ``t100_reached`` (1)
    when the curve first reaches tmin + that share of (tpre − tmin), in seconds since the end of the immersion. Where it
    did not, ``…_reached`` is 0 and the time is how long it was followed: the true time is longer (right-censored), and
    such rows belong in survival methods (:mod:`rewarm.measures.recovery_times`), never in a mean
``distal_dorsal_difference``, ``distal_proximal_difference`` (delta_degC)
    digit minus foot or hand (as in :func:`rewarm.measures.measure`) at 0, 5, 10 and 15 min, and before the immersion
    where the recording holds that; ``time_s`` says when
``time_constant`` (s)
    of the fitted rise, from its begin until 63.2 % of it (:mod:`rewarm.measures.rewarming_fits`); its uncertainty
    holds what the models differ by, weighted (Burnham and Anderson 2002, doi 10.1007/b97636)
``vasomotion_power`` (degC2)
    variance between 0.005 and 0.05 Hz (:mod:`rewarm.measures.vasomotion`)

The first protocol and most names are those of Wilkinson et al. 2018 (doi 10.1002/art.40457). ``tmin``, and not ``t0``,
is what recoveries and times count from, because skin goes on cooling after it left the water.

Uncertainty is propagated by drawing (GUM Supplement 1, JCGM 101:2008): every version of a curve is moved by what it may
be off, shared causes alike at all times and in all regions, noise for each value, and read as the curve itself is. So a
camera's offset cancels in gradients, recoveries and times, and not in temperatures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot, nan, sqrt
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.measures.curve_shape import (
    GRADIENT_S,
    SPARSE_S,
    Lines,
    area_u,
    area_weights,
    crossing_u_s,
    first_reached,
    interpolation_u_c,
    line_u,
    line_within,
    smoother,
    steep_lines,
    value_at,
)
from rewarm.measures.rewarming_curves import RegionCurves
from rewarm.measures.rewarming_fits import RewarmingFit, fit_rewarming
from rewarm.measures.vasomotion import vasomotion
from rewarm.regions import FINGERS, TOES
from rewarm.tables import MEASUREMENTS
from rewarm.version import __version__

Floats = NDArray[np.float64]
Name = tuple[str, str]

DRAWS: Final = 400
FOLLOWED_S: Final = 900.0
"""Areas, recoveries and the maximum are of the first 15 min."""
AT_S: Final = (0.0, 300.0, 600.0, 900.0)
LEAST_COOLED_C: Final = 1.0
"""Recoveries are shares of tpre − tmin, and meaningless where the challenge cooled by less than this."""
LEAST_RISE_C: Final = 0.5
LATE_S: Final = 30.0
"""A first frame later than this is not the temperature after the immersion."""


@dataclass(frozen=True)
class Baseline:
    """A region's temperature before the immersion, where the recording itself does not hold it (a scan at rest).

    ``u_c`` is its uncertainty as far as the recording does not share it: outlines, noise, and the camera's drift
    between both; its offset, which both share, is added here.
    """

    value_c: float
    u_c: float


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


@dataclass(frozen=True)
class RewarmingResult:
    """``metrics`` in the order of regions, and in plain words what could not be computed and why."""

    metrics: tuple[RewarmingMetric, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Course:
    """One region's curve after the immersion and its versions: row 0 is the curve itself, the others are draws.

    ``time_s`` (times,), ``raw_c`` and ``smooth_c`` (1 + draws, times), ``tpre_c`` (1 + draws,) or None, with the time
    it was taken at, seconds (negative), or None where it comes from another scan.
    """

    name: Name
    n_px: int
    time_s: Floats
    raw_c: Floats
    smooth_c: Floats
    noise_c: float
    tpre_c: Floats | None
    tpre_s: float | None


def rewarming_metrics(
    curves: RegionCurves, *, baseline: Mapping[Name, Baseline] | None = None, seed: int = 1
) -> RewarmingResult:
    """All figures of all regions that have a curve after the immersion.

    ``baseline`` by (side, region) is used where the recording holds no frames before the immersion (negative times).
    What a curve cannot tell (no baseline, a gap, too short) gives no row and a sentence. The same ``seed`` gives the
    same uncertainties.
    """
    random = np.random.default_rng(seed)
    moves = (
        np.stack([_drawn(random, cause.shape) for cause in curves.causes]) if curves.causes else np.zeros((0, DRAWS))
    )
    metrics: list[RewarmingMetric] = []
    missing: dict[str, list[str]] = {}
    courses: dict[Name, _Course] = {}
    for row, name in enumerate(curves.names):
        course = _course(curves, row, moves, (baseline or {}).get(name), random)
        if course is None:
            missing.setdefault("fewer than two frames after the immersion: nothing was computed", []).append(
                _said(name)
            )
            continue
        courses[name] = course
        for item in _metrics(course):
            if isinstance(item, str):
                missing.setdefault(item, []).append(_said(name))
            else:
                metrics.append(item)
    metrics += _differences(curves, courses)
    order = {name: row for row, name in enumerate(curves.names)}
    metrics.sort(key=lambda item: order[item.side, item.region])
    warnings = [f"{reason} ({_listed(names, len(curves.names))})" for reason, names in missing.items()]
    return RewarmingResult(tuple(metrics), (*curves.left_out, *warnings))


def rewarming_table(result: RewarmingResult, *, participant: str = "", visit: str = "", scan: str = "") -> pd.DataFrame:
    """The figures as rows of :data:`rewarm.tables.MEASUREMENTS`; ``scan`` is the recording, or a series' first scan."""
    rows: list[dict[str, Any]] = [
        {
            "participant": participant, "visit": visit, "scan": scan,
            "time_s": nan if item.time_s is None else item.time_s,
            "side": item.side, "region": item.region, "metric": item.metric, "value": item.value, "unit": item.unit,
            "u": item.u, "n_px": item.n_px, "method": item.note, "software": f"rewarm {__version__}",
        }
        for item in result.metrics
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(MEASUREMENTS))
    words = ("participant", "visit", "scan", "side", "region", "metric", "unit", "method", "software")
    table = table.astype(dict.fromkeys(words, "str"))
    return table.astype({"time_s": np.float64, "value": np.float64, "u": np.float64, "n_px": np.int64})


def _drawn(random: np.random.Generator, shape: str) -> Floats:
    """Standard deviations by which a cause is off, (draws,)."""
    if shape == "rectangular":
        return random.uniform(-sqrt(3.0), sqrt(3.0), DRAWS)
    if shape == "triangular":
        return random.triangular(-sqrt(6.0), 0.0, sqrt(6.0), DRAWS)
    return random.normal(size=DRAWS)


def _course(
    curves: RegionCurves, row: int, moves: Floats, given: Baseline | None, random: np.random.Generator
) -> _Course | None:
    known = np.isfinite(curves.temperature_c[row])
    after = known & (curves.time_s >= 0.0)
    if np.count_nonzero(after) < 2:
        return None
    effects = np.stack([cause.effect_c[row] for cause in curves.causes]) if len(moves) else np.zeros((0, known.size))

    def versions(which: NDArray[np.bool_]) -> Floats:
        values, noise = curves.temperature_c[row][which], curves.noise_c[row][which]
        moved = values + moves.T @ effects[:, which] + random.normal(size=(DRAWS, values.size)) * noise
        return np.vstack([values, moved])

    time_s, raw = curves.time_s[after], versions(after)
    before = known & (curves.time_s < 0.0)
    tpre: Floats | None = None
    tpre_s: float | None = None
    if before.any():
        tpre, tpre_s = versions(before).mean(axis=1), float(curves.time_s[before].mean())
    elif given is not None:
        alike = int(np.argmin(np.abs(raw[0] - given.value_c)))
        off = moves.T @ effects[:, after][:, alike] + random.normal(0.0, 1.0, DRAWS) * given.u_c
        tpre = np.concatenate([[given.value_c], given.value_c + off])
    noise_c = float(np.median(curves.noise_c[row][after]))
    smooth = np.ascontiguousarray((smoother(time_s) @ raw.T).T)
    return _Course(curves.names[row], int(curves.n_px[row]), time_s, raw, smooth, noise_c, tpre, tpre_s)


def _metrics(course: _Course) -> Iterator[RewarmingMetric | str]:
    """The figures of one region in the module's order, and a sentence for each that cannot be had."""
    time_s, smooth = course.time_s, course.smooth_c
    early = time_s <= FOLLOWED_S
    lowest = smooth.argmin(axis=1)
    tmin = _unbiased(smooth.min(axis=1))
    if course.tpre_c is not None:
        yield _metric(course, "tpre", course.tpre_c, "degC", note="" if course.tpre_s is not None else "scan at rest")
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


def _slopes(course: _Course, tmin: Floats) -> Iterator[RewarmingMetric | str]:
    time_s, curve = course.time_s, course.smooth_c[0]
    risen = bool(curve.max() - tmin[0] >= max(LEAST_RISE_C, 3 * course.noise_c))
    lines = steep_lines(time_s)
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
        yield _metric(course, "lag", np.full(1 + DRAWS, time_s[-1]), "s", note=_censored(time_s[-1]))
        yield _metric(course, "lag_reached", np.zeros(1 + DRAWS), "1")
    first = line_within(time_s, 0.0, 120.0)
    if first.middle_s.size:
        slope = 60.0 * (first.slope @ course.raw_c.T).T[:, 0]
        beside = 60.0 * line_u(time_s, curve, 0.0, 120.0)
        yield _metric(course, "gradient_2min", slope, "degC/min", beside=beside)
    else:
        yield "no gradient_2min: it needs frames that span the first two minutes without a gap of more than 45 s"


def _lag(
    course: _Course, lines: Lines, steepest: NDArray[np.int64], highest: Floats, tmin: Floats
) -> Iterator[RewarmingMetric]:
    """Where each version's steepest line cuts its lowest temperature; a gap in between may hide the true begin."""
    time_s = course.time_s
    level = (lines.middle @ course.raw_c.T).T[np.arange(len(steepest)), steepest]
    with np.errstate(divide="ignore", invalid="ignore"):
        lag = np.where(highest > 0, lines.middle_s[steepest] - (level - tmin) / highest, np.inf)
    lag = np.clip(lag, 0.0, time_s[-1])
    ends = (float(lag[0]) - 1e-6, float(lines.middle_s[steepest[0]]))
    crossed = [
        float(after - before)
        for before, after in pairwise(time_s)
        if after > ends[0] and before < ends[1] and after - before > SPARSE_S / 2
    ]
    hidden_s = max(crossed, default=0.0)
    note = f"a gap of {hidden_s:.0f} s may hide the begin" if hidden_s else ""
    yield _metric(course, "lag", lag, "s", beside=hidden_s / sqrt(12.0), note=note)
    yield _metric(course, "lag_reached", np.ones(1 + DRAWS), "1")


def _area(course: _Course, tmin: Floats) -> Iterator[RewarmingMetric | str]:
    weights = area_weights(course.time_s, 0.0, FOLLOWED_S)
    if weights is None:
        yield "no auc: it needs frames from the end of the immersion to 15 min after it"
        return
    area = (course.smooth_c @ weights - FOLLOWED_S * tmin) / 60.0
    beside = area_u(course.time_s, course.smooth_c[0], 0.0, FOLLOWED_S) / 60.0
    yield _metric(course, "auc", area, "degC min", beside=beside, note="above tmin")


def _recoveries(course: _Course, tmin: Floats, lowest: NDArray[np.int64]) -> Iterator[RewarmingMetric | str]:
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


def _time_to(course: _Course, share: int, levels: Floats, lowest: NDArray[np.int64]) -> Iterator[RewarmingMetric]:
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


def _fitted(course: _Course, fits: Sequence[RewarmingFit]) -> Iterator[RewarmingMetric | str]:
    if not fits or not np.isfinite(fits[0].time_constant_s):
        yield "no time_constant: too few frames, or no rise that a model fits"
        return
    best = fits[0]
    others = [fit for fit in fits if np.isfinite(fit.time_constant_s + fit.u_time_constant_s)]
    spread = sum(f.weight * (f.u_time_constant_s**2 + (f.time_constant_s - best.time_constant_s) ** 2) for f in others)
    note = f"{best.model.replace('_', '-')} model, weight {best.weight:.2f} among {len(fits)}"
    note += f"; residuals' autocorrelation {best.autocorrelation:.2f}, sd {best.residual_sd_c:.2f} °C"
    yield RewarmingMetric(
        *course.name, "time_constant", best.time_constant_s, "s", sqrt(spread), course.n_px, note=note
    )


def _waves(course: _Course, fits: Sequence[RewarmingFit]) -> Iterator[RewarmingMetric | str]:
    left = course.raw_c[0] - fits[0].fitted_c if fits else course.raw_c[0]
    found = vasomotion(course.time_s, left, noise_c=course.noise_c)
    if found.reason:
        yield f"no vasomotion_power: {found.reason}"
        return
    note = f"strongest at {found.peak_hz:.3f} Hz"
    yield RewarmingMetric(*course.name, "vasomotion_power", found.power_c2, "degC2", found.u_c2, course.n_px, note=note)


def _differences(curves: RegionCurves, courses: Mapping[Name, _Course]) -> Iterator[RewarmingMetric]:
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


def _read(course: _Course, at_s: float) -> tuple[Floats, float] | None:
    found = value_at(course.time_s, at_s)
    if found is None:
        return None
    return course.smooth_c @ found[0], interpolation_u_c(course.time_s, course.smooth_c[0], at_s)


def _unbiased(lowest: Floats) -> Floats:
    """Minima of noisy curves lie too low; the curve itself, (1 + draws,), and its draws without that.

    Among equal values the lowest lies c·σ too low. A draw adds noise of the same σ to a curve that has noise already,
    which makes it c·√2·σ: the draws show √2 − 1 of what the curve is off. Where one value is lowest by far, both are 0.
    """
    shown = min(float(lowest[1:].mean() - lowest[0]), 0.0)
    bias = shown / (sqrt(2.0) - 1.0)
    return np.concatenate([[lowest[0] - bias], lowest[1:] - bias - shown])


def _metric(
    course: _Course, metric: str, values: Floats, unit: str, *, beside: float = 0.0, note: str = "",
    time_s: float | None = None,
) -> RewarmingMetric:  # fmt: skip
    """``values`` (1 + draws,): the figure, and what the draws make of it; ``beside`` adds to its uncertainty."""
    u = hypot(float(np.sqrt(np.mean((values[1:] - values[1:].mean()) ** 2))), beside)
    return RewarmingMetric(*course.name, metric, float(values[0]), unit, u, course.n_px, time_s, note)


def _censored(last_s: float) -> str:
    return f"not reached within {last_s:.0f} s"


def _said(name: Name) -> str:
    return f"{name[0]} {name[1]}"


def _listed(names: Sequence[str], total: int) -> str:
    if len(names) == total:
        return "all regions"
    return ", ".join(names)
