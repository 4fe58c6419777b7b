"""Temperature curves of toes and fingers → an estimate of the blood flow that would explain them.

**It is an estimate.** A camera sees heat, not blood. Skin that sweats less is warmer without any more blood, a room or
a camera that is a degree off moves every flow, and what a digit is made of is assumed. So every figure has an interval,
and :func:`sweating_bias` says how large the mistake would be; water left on the skin cools it and reads as less flow.
In a cold digit hardly any of what flows shows (the artery gives its heat to the vein beside it): flows under about 1
mL/100 mL/min cannot be told from each other. In rooms of 20 to 24 °C most simulated toes have no more than that, and
over all toes the estimate then follows the true flow with a rank correlation of 0.75 to 0.81 only. From one curve:

``perfusion_index`` (1)
    from T and dT/dt in one lump of tissue (Shitzer et al. 1997, doi 10.1115/1.2796078, reduced to one balance): heat
    that blood brings per kelvin, over what the air takes per kelvin. 1 means as much; 0 or less that none is needed
``flow`` (mL/100 mL/min)
    by turning round the digit of :mod:`rewarm.heat` (:mod:`rewarm.measures.flow_inversion`): layers across, artery and
    vein along; smooth in time
``flow_needed`` (1)
    1 where the curve cannot be had without blood, whatever of what is assumed is varied; 0 where the digit may have
    warmed by the room alone
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.heat import Surroundings, lumped_digit, lumped_flow
from rewarm.measures.curve_shape import smoother
from rewarm.measures.flow_assumptions import (
    DEFAULT_FLOW_ASSUMPTIONS,
    DRAWS,
    RADIUS_MM,
    FlowAssumptions,
    drawn_columns,
    proximal_skin,
)
from rewarm.measures.flow_inversion import (
    LEAST_FLOW,
    MOST_FLOW,
    STEP_S,
    Columns,
    flow_of_course,
    joined_columns,
    passive_course,
)
from rewarm.measures.rewarming import Baseline
from rewarm.measures.rewarming_curves import RegionCurves
from rewarm.tables import MEASUREMENTS
from rewarm.version import __version__

Floats = NDArray[np.float64]
Name = tuple[str, str]

ESTIMATE: Final = (
    "estimate from temperature, not a measurement of blood; less sweating would read as more flow, wet skin as less"
)
"""Said with every flow, wherever it is shown."""
HARDLY_SHOWS: Final = 1.0
"""mL/100 mL/min: flows below cannot be told from each other."""
LEVEL: Final = 0.90
AT_S: Final = (300.0, 600.0, 900.0)
"""Not earlier: in the first two minutes no flow and a usual one differ by less than 0.1 °C at the skin."""
WINDOW_S: Final = 30.0
"""A figure at a time is the mean from so long before to so long after it."""
COARSER: Final = 2
"""Steps so much longer, with cells half as wide, show how much the coarseness matters."""
SPARSEST_S: Final = 45.0
"""Frames further apart than this do not hold a course of flow."""
SHORTEST_S: Final = 120.0
MOST_OFF: Final = 0.5
"""Logarithm of flow: where hardly any flows, its ratio to the finer answer means nothing."""
MOST_INDEX: Final = 50.0


@dataclass(frozen=True)
class SweatingBias:
    """Had sweating changed unseen: the skin would be ``warmer_c`` warmer, and the estimate too high by
    ``flow_ml_100ml_min``, with the blood flow the same.
    """

    warmer_c: float
    flow_ml_100ml_min: float


@dataclass(frozen=True, eq=False)
class DigitFlow:
    """The flow of one digit. ``time_s`` (times,) since the end of the immersion, every 15 s.

    ``flow``, ``lower`` and ``upper`` (times,), mL/100 mL/min: median and 90 % interval. ``index`` (times,) is the
    perfusion index with ``index_u``. ``resting`` is (flow, lower, upper) before the immersion, NaN where that was not
    seen. ``needed`` says whether the course cannot be had without blood; ``excess_c`` how much warmer the digit became
    than it would have without, at the end, with its 90 % interval. ``sweating`` is what lost sweating would do at the
    end's temperature. ``draws`` (draws, times) make the interval.
    """

    side: str
    region: str
    n_px: int
    time_s: Floats
    flow: Floats
    lower: Floats
    upper: Floats
    index: Floats
    index_u: Floats
    resting: tuple[float, float, float]
    resting_index: tuple[float, float]
    needed: bool
    excess_c: tuple[float, float, float]
    sweating: SweatingBias
    draws: Floats


@dataclass(frozen=True)
class FlowResult:
    """``digits`` in the order of the curves, and in plain words what could not be computed and why."""

    digits: tuple[DigitFlow, ...]
    warnings: tuple[str, ...]


def perfusion_index(
    region: str,
    temperature_c: Floats | float,
    rate_c_s: Floats | float,
    *,
    room_c: Floats | float,
    arterial_c: Floats | float,
    size: Floats | float = 1.0,
    coefficient_w_m2k: Floats | float = 8.0,
    evaporation_w_m2: Floats | float = 18.0,
) -> Floats:
    """Heat brought by blood per kelvin, over heat taken by the air per kelvin, from one lump; arrays broadcast.

    (C dT/dt + h (T − T_room) + e − q) / (h (T_a − T)), cut off at ±50; NaN within 0.05 °C of the arterial temperature.
    Negative: colder than without any blood, as far as what is assumed is right. ``evaporation_w_m2`` is that of skin at
    30 °C and falls towards none at 18 °C. Raises :class:`InvalidInputError` for a region that is no toe or finger.
    """
    if region not in RADIUS_MM:
        raise InvalidInputError(f"perfusion index: expected a toe or finger (toe1, finger1, ...); found {region!r}")
    digit = lumped_digit(RADIUS_MM[region])
    vapour = np.clip((np.asarray(temperature_c) - 18.0) / 12.0, 0.0, 1.2)
    around = Surroundings(
        np.asarray(room_c), np.asarray(coefficient_w_m2k) / size, evaporation_w_m2 * vapour / np.asarray(size)
    )
    # a digit k times as thick holds and is fed k times as much heat for its skin: as if less were lost
    flow = lumped_flow(digit, temperature_c, rate_c_s, around, arterial_c=arterial_c)
    index = flow * digit.exchange_w_m2k * size / coefficient_w_m2k
    return np.asarray(np.clip(index, -MOST_INDEX, MOST_INDEX))


def sweating_bias(
    region: str,
    temperature_c: float,
    *,
    room_c: float,
    arterial_c: float,
    evaporation_w_m2: float = 12.0,
    coefficient_w_m2k: float = 8.0,
) -> SweatingBias:
    """What it does to a digit at rest and to its estimate if ``evaporation_w_m2`` of sweating stops, from one lump.

    12 W/m² is about what a toe's sweat takes at rest (chosen, so that losing it warms a digit by about a degree: feet
    whose nerves no longer sweat are 1.5 °C warmer).
    """
    digit = lumped_digit(RADIUS_MM[region])
    wet = Surroundings(room_c, coefficient_w_m2k, evaporation_w_m2)
    flow = max(float(lumped_flow(digit, temperature_c, 0.0, wet, arterial_c=arterial_c)), 0.0)
    warmer_c = evaporation_w_m2 / (coefficient_w_m2k + digit.exchange_w_m2k * flow)
    read = float(lumped_flow(digit, temperature_c + warmer_c, 0.0, wet, arterial_c=arterial_c))
    return SweatingBias(warmer_c, read - flow)


def digit_flows(
    curves: RegionCurves,
    *,
    room_c: float,
    room_u_c: float = 0.5,
    immersion_s: float = 60.0,
    water_c: float = 15.0,
    baseline: Mapping[Name, Baseline] | None = None,
    assumptions: FlowAssumptions = DEFAULT_FLOW_ASSUMPTIONS,
    seed: int = 1,
) -> FlowResult:
    """The flow of every toe and finger with a curve after the immersion.

    ``room_c`` is the room's temperature with ``room_u_c``. The temperature before the immersion is that of the
    recording itself (negative times) or ``baseline``; without either the warmest of the course stands for it, and a
    sentence says so. The interval holds what the temperatures may be off, what is assumed of the digit, and how
    coarsely it is computed. Curves with frames further apart than 45 s, or shorter than 2 min, give a sentence and no
    flow.
    """
    random = np.random.default_rng(seed)
    moves = random.normal(size=(len(curves.causes), DRAWS + 1))
    moves[:, 0] = 0.0
    names: list[tuple[str, str, int]] = []
    courses: list[_Course] = []
    columns: list[Columns] = []
    cooled: list[Floats] = []
    missing: dict[str, list[str]] = {}
    for row, (side, region) in enumerate(curves.names):
        if region not in RADIUS_MM:
            continue
        course = _course(curves, row, moves, (baseline or {}).get((side, region)), random)
        if isinstance(course, str):
            missing.setdefault(course, []).append(f"{side} {region}")
            continue
        if not course.before_seen:
            missing.setdefault("no baseline: the warmest of the course stands for it", []).append(f"{side} {region}")
        names.append((side, region, int(curves.n_px[row])))
        courses.append(course)
        proximal = proximal_skin(curves, side, room_c, course.time_s)
        drawn, cooled_c = drawn_columns(random, region, proximal, room_c, room_u_c, assumptions)
        columns.append(drawn)
        cooled.append(cooled_c)
    found: list[DigitFlow] = []
    for last_s in sorted({course.time_s[-1] for course in courses}):
        alike = [i for i, course in enumerate(courses) if course.time_s[-1] == last_s]
        found += _digit_flows(
            [names[i] for i in alike], [courses[i] for i in alike], [columns[i] for i in alike],
            np.concatenate([cooled[i] for i in alike], axis=1), immersion_s, water_c, random,
        )  # fmt: skip
    found.sort(key=lambda item: curves.names.index((item.side, item.region)))
    warnings = tuple(f"flow: {reason} ({', '.join(who)})" for reason, who in missing.items())
    return FlowResult(tuple(found), warnings)


def flow_table(result: FlowResult, *, participant: str = "", visit: str = "", scan: str = "") -> pd.DataFrame:
    """Rows of :data:`rewarm.tables.MEASUREMENTS`: flow and index at rest (negative time), 5, 10 and 15 min.

    ``method`` holds the 90 % interval and says that it is an estimate; ``u`` is a half of the interval over 1.645.
    """
    rows: list[dict[str, Any]] = []

    def add(item: DigitFlow, metric: str, value: float, unit: str, u: float, time_s: float, method: str) -> None:
        rows.append(
            {
                "participant": participant, "visit": visit, "scan": scan, "time_s": time_s, "side": item.side,
                "region": item.region, "metric": metric, "value": value, "unit": unit, "u": u, "n_px": item.n_px,
                "method": method, "software": f"rewarm {__version__}",
            }
        )  # fmt: skip

    for item in result.digits:
        figures = [(-1.0, *item.resting, *item.resting_index)] if np.isfinite(item.resting[0]) else []
        figures += [(at, *flow_at(item, at), *_index_at(item, at)) for at in AT_S if at <= item.time_s[-1]]
        for at_s, flow, lower, upper, index, index_u in figures:
            said = f"90 % interval {lower:.2g} to {upper:.2g}; {ESTIMATE} ({_lost(item.sweating)})"
            if flow < HARDLY_SHOWS:
                said += f"; flows under about {HARDLY_SHOWS:g} mL/100 mL/min cannot be told from each other"
            add(item, "flow", flow, "mL/100 mL/min", (upper - lower) / 2 / 1.645, at_s, said)
            add(item, "perfusion_index", index, "1", index_u, at_s, f"one lump; {ESTIMATE}")
        excess = f"{item.excess_c[0]:.1f} °C warmer at the end than without blood"
        said = f"{excess} (90 % interval {item.excess_c[1]:.1f} to {item.excess_c[2]:.1f})"
        said += "" if item.needed else ": no flow is needed to explain it"
        add(item, "flow_needed", float(item.needed), "1", nan, nan, said)
    table = pd.DataFrame(rows, columns=list(MEASUREMENTS))
    words = ("participant", "visit", "scan", "side", "region", "metric", "unit", "method", "software")
    table = table.astype(dict.fromkeys(words, "str"))
    return table.astype({"time_s": np.float64, "value": np.float64, "u": np.float64, "n_px": np.int64})


def _lost(bias: SweatingBias) -> str:
    return f"all of it gone: {bias.warmer_c:.1f} °C warmer, read as {bias.flow_ml_100ml_min:.1f} mL/100 mL/min more"


def flow_at(item: DigitFlow, at_s: float) -> tuple[float, float, float]:
    """Flow around a time, and its 90 % interval, mL/100 mL/min."""
    near = np.abs(item.time_s - at_s) <= WINDOW_S
    means = item.draws[:, near].mean(axis=1)
    lower, middle, upper = np.quantile(means, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    return float(middle), float(lower), float(upper)


def _index_at(item: DigitFlow, at_s: float) -> tuple[float, float]:
    near = np.abs(item.time_s - at_s) <= WINDOW_S
    return float(np.mean(item.index[near])), float(np.mean(item.index_u[near]))


@dataclass(frozen=True, eq=False)
class _Course:
    """``grid_c`` (times, 1 + draws) every STEP_S from the end of the immersion; ``before_c`` (1 + draws,)."""

    time_s: Floats
    grid_c: Floats
    before_c: Floats
    before_seen: bool


def _course(
    curves: RegionCurves, row: int, moves: Floats, given: Baseline | None, random: np.random.Generator
) -> _Course | str:
    known = np.isfinite(curves.temperature_c[row])
    after, before = known & (curves.time_s >= 0.0), known & (curves.time_s < 0.0)
    time_s = curves.time_s[after]
    if time_s.size < 3 or time_s[-1] < SHORTEST_S or time_s[0] > SPARSEST_S:
        return "followed for less than two minutes, or not from the start"
    if np.diff(time_s).max() > SPARSEST_S:
        return f"frames further apart than {SPARSEST_S:.0f} s"
    effects = (
        np.stack([cause.effect_c[row] for cause in curves.causes])
        if curves.causes
        else np.zeros((0, curves.time_s.size))
    )

    def versions(which: NDArray[np.bool_]) -> Floats:
        values, noise = curves.temperature_c[row][which], curves.noise_c[row][which]
        own = random.normal(size=(DRAWS + 1, values.size)) * noise
        own[0] = 0.0
        return np.asarray(values + moves.T @ effects[:, which] + own)

    raw = versions(after)
    smooth = (smoother(time_s) @ raw.T).T
    grid = np.arange(0.0, time_s[-1] + 1e-6, STEP_S)
    grid_c = np.stack([np.interp(grid, time_s, version) for version in smooth], axis=1)
    if before.any():
        return _Course(grid, grid_c, versions(before).mean(axis=1), True)
    if given is not None:
        off = moves.T @ effects[:, after][:, 0] + random.normal(size=DRAWS + 1) * given.u_c
        off[0] = 0.0
        return _Course(grid, grid_c, given.value_c + off, True)
    return _Course(grid, grid_c, grid_c.max(axis=0), False)


def _digit_flows(
    names: list[tuple[str, str, int]],
    courses: list[_Course],
    columns: list[Columns],
    cooled_c: Floats,
    immersion_s: float,
    water_c: float,
    random: np.random.Generator,
) -> list[DigitFlow]:
    """Digits that were followed equally long, all their versions as columns of one model."""
    every = joined_columns(columns)
    grid_c = np.concatenate([course.grid_c for course in courses], axis=1)
    before_c = np.concatenate([course.before_c for course in courses])
    flows, spread = flow_of_course(
        every, grid_c, before_c=before_c, cooled_c=cooled_c, immersion_s=immersion_s, water_c=water_c
    )
    means = np.arange(len(names)) * (DRAWS + 1)
    fine, _ = flow_of_course(
        every.only(means), grid_c[::COARSER, means], before_c=before_c[means],
        cooled_c=cooled_c[::COARSER, means], immersion_s=immersion_s,
        water_c=water_c, step_s=COARSER * STEP_S, refine=2,
    )  # fmt: skip
    passive = passive_course(
        every, before_c=before_c, start_c=grid_c[1], cooled_c=cooled_c, immersion_s=immersion_s, water_c=water_c
    )
    time_s = courses[0].time_s
    found = []
    for i, name in enumerate(names):
        own = slice(i * (DRAWS + 1), (i + 1) * (DRAWS + 1))
        off = np.minimum(np.abs(np.log(fine[:, i] / flows[::COARSER, means[i]])), MOST_OFF)
        scatter = random.normal(size=(DRAWS + 1, 1))
        wide = np.hypot(spread[:, own].T, np.interp(time_s, time_s[::COARSER], off))
        draws = np.clip(flows[:, own].T * np.exp(scatter * wide), LEAST_FLOW, MOST_FLOW)
        excess_c = grid_c[-1, own] - passive[-1, own]
        found.append(_digit_flow(name, courses[i], columns[i], draws, excess_c))
    return found


def _digit_flow(
    who: tuple[str, str, int], course: _Course, columns: Columns, draws: Floats, excess_c: Floats
) -> DigitFlow:
    ends = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)
    lower, middle, upper = np.quantile(draws, ends, axis=0)
    resting = np.quantile(draws[:, 0], ends)
    excess = np.quantile(excess_c, ends)
    seen = course.before_seen
    sweating = sweating_bias(
        who[1],
        float(course.grid_c[-1, 0]),
        room_c=float(columns.room_c[0]),
        arterial_c=float(columns.inlet_c[0]),
        coefficient_w_m2k=float(columns.coefficient_w_m2k[0]),
    )
    rates = np.gradient(course.grid_c, STEP_S, axis=0)
    index = _index(who[1], course.grid_c, rates, columns)
    at_rest = _index(who[1], course.before_c, np.zeros_like(course.before_c), columns)
    return DigitFlow(
        side=who[0], region=who[1], n_px=who[2], time_s=course.time_s, flow=middle, lower=lower, upper=upper,
        index=index[:, 0], index_u=index[:, 1:].std(axis=1),
        resting=(float(resting[1]), float(resting[0]), float(resting[2])) if seen else (nan, nan, nan),
        resting_index=(float(at_rest[0]), float(at_rest[1:].std())) if seen else (nan, nan),
        needed=bool(excess[0] > 0.0), excess_c=(float(excess[1]), float(excess[0]), float(excess[2])),
        sweating=sweating, draws=draws,
    )  # fmt: skip


def _index(region: str, temperature_c: Floats, rate_c_s: Floats, columns: Columns) -> Floats:
    return perfusion_index(
        region, temperature_c, rate_c_s, room_c=columns.room_c, arterial_c=columns.inlet_c,
        size=columns.radius_mm / RADIUS_MM[region], coefficient_w_m2k=columns.coefficient_w_m2k,
        evaporation_w_m2=columns.evaporation_w_m2,
    )  # fmt: skip
