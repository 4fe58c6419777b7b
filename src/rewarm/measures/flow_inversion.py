"""The model of a digit turned round: which flow would give the temperatures that were seen.

The forward model is :mod:`rewarm.heat`'s digit, coarse (a few cells across, three segments along, with artery and vein
side by side). Flow is found step by step: at every step the flow that, held for the next few steps, comes nearest to
what was seen (Beck's function specification; Beck, Blackwell and St. Clair 1985, Inverse Heat Conduction), held against
what was known from the step before and may have changed since, as a Kalman filter does. Many digits, and many versions
of each with other assumptions, are columns of the same arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.heat import DIGIT_LAYERS, Digits, DigitState, Surroundings, layered_grid, skin_c, step_digits, uniform_state

Floats = NDArray[np.float64]

STEP_S: Final = 15.0
AHEAD: Final = 3
"""Steps of the future that a flow answers for: 45 s, about what heat needs to come through the skin."""
USUAL_FLOW: Final = 2.4
USUAL_SD_LOG: Final = 1.5
"""Flow of a digit before anything is seen of it: 90 % of it within 0.2 and 30 mL/100 mL/min, the span of a hand's
perfusion (a factor of 150), lognormal."""
CHANGES_IN_S: Final = 300.0
"""How long flow remembers what it was (chosen): an Ornstein–Uhlenbeck course of its logarithm, which may double in a
minute."""
FIT_C: Final = 0.025
"""How near the model is asked to come to what was seen, °C, beyond which it would follow noise."""
AFTER_WATER: Final = 4.0
AFTER_WATER_S: Final = 90.0
"""Right after the water that much less near, fading so fast: how cold the inside of the digit has become was not seen,
and in the first two minutes flow moves the skin by less than that."""
LEAST_FLOW: Final = 0.05
MOST_FLOW: Final = 100.0
_CELLS: Final = (2, 1, 2, 1)
SEGMENTS: Final = 3
_NUDGE: Final = 0.05
_SETTLE_S: Final = 300.0
_SETTLE_STEPS: Final = 14
_BAG_W_M2K: Final = 80.0
_WATER_STEPS: Final = 6


@dataclass(frozen=True, eq=False)
class Columns:
    """Digits and what is assumed of them, each (columns,), or one number for all.

    ``inlet_share`` is how far ``inlet_c`` has kept to the body's core (1) on its way through the limb. ``seen`` is the
    share of the digit, from the tip, that the region shows; ``tip`` how much denser than on average the tip is perfused
    (the base as much less); ``evaporation_w_m2`` what leaves skin of 30 °C; ``heat_share`` multiplies the heat that
    tissue holds.
    """

    radius_mm: Floats
    length_mm: Floats
    coefficient_w_m2k: Floats
    room_c: Floats
    inlet_c: Floats
    inlet_share: Floats
    base_c: Floats
    countercurrent_w_k: Floats
    evaporation_w_m2: Floats
    heat_share: Floats
    seen: Floats
    tip: Floats

    @property
    def count(self) -> int:
        """Number of columns."""
        return int(self.radius_mm.size)

    def only(self, columns: NDArray[np.int64]) -> Columns:
        """Some of the columns."""
        return Columns(*(getattr(self, f.name)[columns] for f in fields(self)))


def joined_columns(parts: Sequence[Columns]) -> Columns:
    """Columns side by side."""
    return Columns(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Columns)))


def flow_of_course(
    columns: Columns,
    course_c: Floats,
    *,
    before_c: Floats,
    cooled_c: Floats,
    immersion_s: float,
    water_c: float,
    step_s: float = STEP_S,
    refine: int = 1,
) -> tuple[Floats, Floats]:
    """Flow at each time of a course, mL/100 mL/min, and the SD of its logarithm, each (times, columns).

    ``course_c`` (times, columns) runs from the end of the immersion in steps of ``step_s``; ``before_c`` (columns,) is
    the temperature before, and the first flow that before. ``cooled_c`` (times, columns) is how much colder than before
    the inside of the foot or hand is, which the digit's base and its blood follow. ``immersion_s`` 0 is a course
    without any. ``refine`` cuts
    the digit into finer cells. The SD is what temperatures leave open in each column: large where the skin hardly
    answers to flow, as in a cold digit whose artery gives its heat to the vein.
    """
    model = _Model(columns, refine)
    state, log_flow, variance = _resting_state(model, before_c)
    found = [(log_flow, variance)]
    ahead = max(1, round(AHEAD * STEP_S / step_s))
    keep = np.exp(-step_s / CHANGES_IN_S)
    if immersion_s > 0:
        state = _immersed(model, state, np.exp(log_flow), course_c[1], step_s, immersion_s, water_c)
        log_flow, variance = log_flow - np.log(2.0), variance + np.log(2.0) ** 2
    for i in range(1, course_c.shape[0]):
        centre = np.log(USUAL_FLOW) + keep * (log_flow - np.log(USUAL_FLOW))
        variance = keep**2 * variance + (1 - keep**2) * USUAL_SD_LOG**2
        target = course_c[i : i + ahead]
        near_c = FIT_C * (1.0 + AFTER_WATER * (immersion_s > 0) * float(np.exp(-i * step_s / AFTER_WATER_S)))
        now = model.colder(cooled_c[i])
        log_flow, variance = _best_flow(
            now, state, log_flow, centre, variance, target, step_s, near_c=near_c, tries=2 if i <= 2 else 1
        )
        state = now.step(state, np.exp(log_flow), step_s)
        found.append((log_flow, variance))
    return np.exp(np.stack([flow for flow, _ in found])), np.sqrt(np.stack([spread for _, spread in found]))


def passive_course(
    columns: Columns, *, before_c: Floats, start_c: Floats, cooled_c: Floats, immersion_s: float, water_c: float
) -> Floats:
    """What the digit would have done after the water without any blood, °C, (times, columns), in steps of STEP_S."""
    model = _Model(columns, 1)
    state, log_flow, _ = _resting_state(model, before_c)
    if immersion_s > 0:
        state = _immersed(model, state, np.exp(log_flow), start_c, STEP_S, immersion_s, water_c)
    none = np.full(columns.count, 0.0)
    course = [model.seen_c(state)]
    for cooled in cooled_c[1:]:
        state = model.colder(cooled).step(state, none, STEP_S)
        course.append(model.seen_c(state))
    return np.stack(course)


class _Model:
    """A coarse digit for each column; ``step`` and ``seen_c`` are all that the inversion knows of it."""

    def __init__(self, columns: Columns, refine: int) -> None:
        layers = [replace(layer, cells=n) for layer, n in zip(DIGIT_LAYERS, _CELLS, strict=True)]
        self.columns = columns
        self.segments = SEGMENTS * refine
        self.digits = Digits(
            grid=layered_grid(layers, refine=refine),
            radius_m=columns.radius_mm / 1000.0,
            length_m=columns.length_mm / 1000.0,
            along_flow=np.ones(self.segments),
            countercurrent_w_k=columns.countercurrent_w_k,
        )
        middle = (np.arange(self.segments) + 0.5) / self.segments
        self.profile = 1.0 + (columns.tip - 1.0) * (2.0 * middle[:, None] - 1.0)
        upper = (np.arange(self.segments)[:, None] + 1.0) / self.segments
        inside = np.clip((upper - (1.0 - columns.seen)) * self.segments, 0.0, 1.0)
        self.weight = inside / inside.sum(axis=0)
        self.around = self._surroundings(30.0)

    def colder(self, cooled_c: Floats) -> _Model:
        """The same on a limb whose inside is so much colder; blood on its way through it loses a part of that."""
        other = copy(self)
        other.columns = replace(
            self.columns,
            base_c=self.columns.base_c - cooled_c,
            inlet_c=self.columns.inlet_c - (1.0 - self.columns.inlet_share) * cooled_c,
        )
        return other

    def _surroundings(self, skin: Floats | float) -> Surroundings:
        vapour = np.clip((np.asarray(skin) - 18.0) / 12.0, 0.0, 1.2)
        return Surroundings(self.columns.room_c, self.columns.coefficient_w_m2k, self.columns.evaporation_w_m2 * vapour)

    def step(self, state: DigitState, flow: Floats, step_s: float, *, around: Surroundings | None = None) -> DigitState:
        # tissue that holds more heat goes through the same course more slowly
        after, _ = step_digits(
            self.digits,
            state,
            around or self._surroundings(self.seen_c(state)),
            flow_ml_100ml_min=flow * self.profile,
            inlet_c=self.columns.inlet_c,
            base_c=self.columns.base_c,
            step_s=step_s / self.columns.heat_share,
            implicit=1.0,
        )
        return after

    def seen_c(self, state: DigitState, around: Surroundings | None = None) -> Floats:
        return np.asarray((self.weight * skin_c(self.digits, state, around or self.around)).sum(axis=0))


def _resting_state(model: _Model, before_c: Floats) -> tuple[DigitState, Floats, Floats]:
    """The steady state whose skin is as warm as was seen; its flow's logarithm and variance (columns,)."""
    state = uniform_state(model.digits, before_c)
    usual = np.full(model.columns.count, np.log(USUAL_FLOW))
    flow, variance = usual, np.full(model.columns.count, USUAL_SD_LOG**2)
    for _ in range(_SETTLE_STEPS):
        flow, variance = _best_flow(
            model,
            state,
            flow,
            usual,
            np.full_like(usual, USUAL_SD_LOG**2),
            before_c[None],
            _SETTLE_S,
            near_c=FIT_C,
            tries=1,
        )
        state = model.step(state, np.exp(flow), _SETTLE_S)
    return state, flow, variance


def _best_flow(
    model: _Model,
    state: DigitState,
    start: Floats,
    centre: Floats,
    variance: Floats,
    target_c: Floats,
    step_s: float,
    *,
    near_c: float,
    tries: int,
) -> tuple[Floats, Floats]:
    """The flow that, held over the times of ``target_c``, is most probable, and its variance, both of the logarithm.

    ``centre`` and ``variance`` are what was known before, ``near_c`` how near to come. Gauss–Newton from ``start``;
    every temperature answers in so many steps, so each counts for a part.
    """
    now = start
    weight = 1.0 / (near_c**2 * len(target_c))
    information = np.zeros_like(start)
    for _ in range(tries):
        seen = _ahead(model, state, np.exp(now), len(target_c), step_s)
        nudged = _ahead(model, state, np.exp(now + _NUDGE), len(target_c), step_s)
        slope = (nudged - seen) / _NUDGE
        information = (slope**2).sum(axis=0) * weight
        pull = (slope * (target_c - seen)).sum(axis=0) * weight + (centre - now) / variance
        now = now + np.clip(pull / (information + 1 / variance), -1.0, 1.0)
        now = np.clip(now, np.log(LEAST_FLOW), np.log(MOST_FLOW))
    return now, np.asarray(1 / (information + 1 / variance))


def _ahead(model: _Model, state: DigitState, flow: Floats, steps: int, step_s: float) -> Floats:
    seen = []
    for _ in range(steps):
        state = model.step(state, flow, step_s)
        seen.append(model.seen_c(state))
    return np.stack(seen)


def _immersed(
    model: _Model,
    state: DigitState,
    flow: Floats,
    soon_c: Floats,
    step_s: float,
    immersion_s: float,
    water_c: float,
) -> DigitState:
    """The digit as it leaves the water: cooled through its skin until that is as cold a step later as was seen then.

    Not by the first frame of all: skin that just left the water is colder than what lies right below it.
    """

    def cooled(coefficient: Floats) -> DigitState:
        water = Surroundings(np.full(model.columns.count, water_c), coefficient)
        wet = state
        for _ in range(_WATER_STEPS):
            wet = model.step(wet, flow / 2.0, immersion_s / _WATER_STEPS, around=water)
        return wet

    def soon(coefficient: Floats) -> Floats:
        return model.seen_c(model.step(cooled(coefficient), flow / 2.0, step_s))

    known = np.full(model.columns.count, np.log(_BAG_W_M2K))
    for _ in range(4):
        seen = soon(np.exp(known))
        slope = (soon(np.exp(known + _NUDGE)) - seen) / _NUDGE
        known = known + np.clip((soon_c - seen) / np.minimum(slope, -0.05), -0.7, 0.7)
        known = np.clip(known, np.log(5.0), np.log(1000.0))
    return cooled(np.exp(known))
