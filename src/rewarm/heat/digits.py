"""Pennes' equation in many toes or fingers at once: layers across, segments along, artery and vein between them.

    ρc ∂T/∂t = ∇·(k ∇T) + ρ_b c_b ω (T_a − T) + q_m        (Pennes 1948, doi 10.1152/jappl.1948.1.2.93)

Across a segment heat is conducted through layers (Crank–Nicolson, many tridiagonal systems at once, because the flow
changes at every step). Along the digit it goes with the blood, by conduction, and from the artery straight into the
vein beside it (counter-current, Shitzer 1997, doi 10.1115/1.2796078): blood in the vessels is in balance at every
moment, and its temperatures are solved together with the tissue's, so that no heat is lost between them. Conduction
along the digit is slow and extrapolated from the last two steps (second order too).

Arrays run (cells, segments, digits); cells from the axis to the skin, segments from the base to the tip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.heat.layers import LayeredGrid, layered_grid, solve_layers
from rewarm.heat.tissue import DIGIT_LAYERS, Surroundings

Floats = NDArray[np.float64]

LEAST_FLOW: Final = 1e-6
"""mL/100 mL/min that always flow, so that blood in a closed vessel has a temperature too."""
_TO_TIP: Final = (0.6, 0.8, 1.0, 1.2, 1.4)


@dataclass(frozen=True, eq=False)
class Digits:
    """Digits of one build and many sizes. ``radius_m``, ``length_m`` and ``countercurrent_w_k`` are (digits,).

    ``along_flow`` (segments,) says how much denser than on average each segment is perfused (mean 1);
    ``countercurrent_w_k`` is what artery and vein exchange along the whole digit; with ``tip_skin`` the tip's end loses
    heat as well.
    """

    grid: LayeredGrid
    radius_m: Floats
    length_m: Floats
    along_flow: Floats
    countercurrent_w_k: Floats
    tip_skin: bool = True

    @property
    def segment_m(self) -> Floats:
        """Length of a segment, m, (digits,)."""
        return np.asarray(self.length_m / self.along_flow.size)

    @property
    def turn(self) -> float:
        """Radians around: 2π for a digit, 1 for a slab."""
        return 2 * np.pi if self.grid.curvature else 1.0

    @property
    def volume_m3(self) -> Floats:
        """Volume of each digit, m³, (digits,)."""
        return np.asarray(self.turn * self.grid.volume.sum() * self.radius_m**2 * self.length_m)


@dataclass(frozen=True, eq=False)
class DigitState:
    """``tissue_c`` (cells, segments, digits); ``artery_c`` and ``vein_c`` (segments, digits) as of the last step.

    ``rate_c_s`` is how fast the tissue changed in the last step; None after a sudden change of the surroundings.
    """

    tissue_c: Floats
    artery_c: Floats
    vein_c: Floats
    rate_c_s: Floats | None = None


@dataclass(frozen=True, eq=False)
class DigitHeat:
    """Where heat went during a step, W, each (digits,).

    Lost through the skin; given by blood to the tissue; brought by blood at the base (what came in by the artery less
    what left by the vein); conducted in at the base; made by the tissue.
    """

    skin_w: Floats
    to_tissue_w: Floats
    blood_w: Floats
    base_w: Floats
    made_w: Floats


def make_digits(
    radius_mm: Floats,
    length_mm: Floats,
    *,
    countercurrent_w_k: float | Floats = 0.04,
    along_flow: tuple[float, ...] = _TO_TIP,
    refine: int = 1,
) -> Digits:
    """Toes or fingers of the given sizes, each (digits,).

    The flow is densest at the tip, where most arteriovenous anastomoses are (the profile is chosen). 0.04 W/K is a
    toe's part, by length and number, of the 0.992 W/K between a foot's artery and vein in JOS-3
    (doi 10.1016/j.enbuild.2020.110575).
    """
    radius, length = np.broadcast_arrays(np.asarray(radius_mm, float) / 1000, np.asarray(length_mm, float) / 1000)
    profile = np.array(along_flow)
    return Digits(
        grid=layered_grid(DIGIT_LAYERS, refine=refine),
        radius_m=radius.ravel(),
        length_m=length.ravel(),
        along_flow=profile / profile.mean(),
        countercurrent_w_k=np.broadcast_to(np.asarray(countercurrent_w_k, float), radius.shape).ravel(),
    )


def uniform_state(digits: Digits, temperature_c: float | Floats) -> DigitState:
    """Everything at one temperature; ``temperature_c`` broadcasts to (cells, segments, digits)."""
    shape = (digits.grid.volume.size, digits.along_flow.size, digits.radius_m.size)
    tissue = np.broadcast_to(np.asarray(temperature_c, float), shape).copy()
    return DigitState(tissue, tissue[0].copy(), tissue[0].copy())


def skin_c(digits: Digits, state: DigitState, surroundings: Surroundings) -> Floats:
    """Temperature of the skin's surface, °C, (segments, digits)."""
    inside = digits.grid.skin_w_mk
    outside = _outside_w_mk(digits, surroundings)
    return np.asarray((inside * state.tissue_c[-1] + outside * surroundings.effective_c) / (inside + outside))


def step_digits(
    digits: Digits,
    state: DigitState,
    surroundings: Surroundings,
    *,
    flow_ml_100ml_min: Floats | float,
    inlet_c: Floats | float,
    base_c: Floats | float | None,
    step_s: float | Floats,
    implicit: float = 0.5,
) -> tuple[DigitState, DigitHeat]:
    """One step of ``step_s`` seconds; (digits,) where each digit has a clock of its own.

    ``inlet_c`` (arterial blood at the base) and ``base_c`` (tissue at the base; None: no conduction there) broadcast to
    (digits,), ``flow_ml_100ml_min`` to (digits,) or (segments, digits), where it is multiplied by ``along_flow``; all
    hold during the step. ``implicit`` 0.5 is Crank–Nicolson, 1 backward
    Euler. After a sudden change of the surroundings take the first steps by :func:`after_jump`.
    """
    along = 0.0 if digits.along_flow.size == 1 and base_c is None else _along(digits, state, base_c, step_s)
    mean, artery, vein, heat = _balance(
        digits,
        surroundings,
        before=state.tissue_c,
        along=along,
        per_step_s=implicit * step_s,
        flow=flow_ml_100ml_min,
        inlet_c=inlet_c,
    )
    change = (mean - state.tissue_c) / implicit
    made = digits.turn * digits.grid.metabolism_w_m3.sum() * digits.radius_m**2 * digits.length_m
    inward = 0.0 if isinstance(along, float) else along.sum(axis=(0, 1))
    base = inward * digits.turn * digits.segment_m
    return (
        DigitState(state.tissue_c + change, artery, vein, change / step_s),
        replace(heat, base_w=base, made_w=made),
    )


def after_jump(
    digits: Digits,
    state: DigitState,
    surroundings: Surroundings,
    *,
    flow_ml_100ml_min: Floats | float,
    inlet_c: Floats | float,
    base_c: Floats | float | None,
    step_s: float,
) -> DigitState:
    """One step after a sudden change: two backward-Euler half steps, which Crank–Nicolson would answer by ringing.

    Two such steps after each jump keep the order (Rannacher 1984, doi 10.1007/BF01390130).
    """
    state = replace(state, rate_c_s=None)
    for _ in range(2):
        state, _ = step_digits(
            digits,
            state,
            surroundings,
            flow_ml_100ml_min=flow_ml_100ml_min,
            inlet_c=inlet_c,
            base_c=base_c,
            step_s=step_s / 2,
            implicit=1.0,
        )
    return state


def settled(
    digits: Digits,
    surroundings: Surroundings,
    *,
    flow_ml_100ml_min: Floats | float,
    inlet_c: Floats | float,
    base_c: Floats | float | None,
    tolerance_c: float = 1e-9,
) -> DigitState:
    """The steady state: what everything comes to if nothing changes, found by sweeps until the last moved no cell by
    more than ``tolerance_c``. Raises :class:`rewarm.errors.InvalidInputError` where it does not come to rest (an input
    that is not a number, or a digit thousands of times as thick as long).
    """
    start = np.broadcast_to(np.asarray(inlet_c, float), digits.radius_m.shape)
    state = uniform_state(digits, start)
    single = digits.along_flow.size == 1 and base_c is None
    for _ in range(10_000):
        along = 0.0 if single else _along(digits, state, base_c, 0.0)
        # the segment's own part of conduction along is taken implicitly, so that the iteration converges
        own = 0.0 if single else 4 * _along_w_mk(digits)
        mean, artery, vein, _ = _balance(
            digits,
            surroundings,
            before=state.tissue_c,
            along=along,
            per_step_s=None,
            flow=flow_ml_100ml_min,
            inlet_c=inlet_c,
            own=own,
        )
        moved = float(np.abs(mean - state.tissue_c).max())
        state = DigitState(mean, artery, vein)
        if moved < tolerance_c or (single and np.isfinite(moved)):
            return state
        if not np.isfinite(moved):
            break
    raise InvalidInputError(
        f"digits: expected a steady state, found them still changing by {moved:g} °C. "
        "Look for inputs that are not numbers"
    )


def tissue_heat_j(digits: Digits, state: DigitState) -> Floats:
    """Heat held by the tissue above 0 °C, J, (digits,)."""
    per_metre = np.einsum("i,ijk->k", digits.grid.heat_j_m3k, state.tissue_c) * digits.radius_m**2
    return np.asarray(per_metre * digits.turn * digits.segment_m)


def _along_w_mk(digits: Digits) -> Floats:
    """Conduction between neighbouring segments, per radian and metre of length, (cells, 1, digits)."""
    scale = (digits.radius_m / digits.segment_m) ** 2
    return np.asarray(digits.grid.along_w_mk[:, None, None] * scale)


def _along(digits: Digits, state: DigitState, base_c: Floats | float | None, step_s: float | Floats) -> Floats:
    """Heat conducted into each cell along the digit, extrapolated to the middle of the step."""
    tissue = state.tissue_c
    if state.rate_c_s is not None:
        tissue = tissue + 0.5 * step_s * state.rate_c_s
    flux = np.zeros_like(tissue)
    between = np.diff(tissue, axis=1)
    flux[:, :-1] += between
    flux[:, 1:] -= between
    if base_c is not None:
        flux[:, 0] += 2 * (np.asarray(base_c) - tissue[:, 0])
    flux *= _along_w_mk(digits)
    return flux


def _balance(
    digits: Digits,
    surroundings: Surroundings,
    *,
    before: Floats,
    along: Floats | float,
    per_step_s: float | Floats | None,
    flow: Floats | float,
    inlet_c: Floats | float,
    own: Floats | float = 0.0,
) -> tuple[Floats, Floats, Floats, DigitHeat]:
    """Solve tissue and vessels together: mean tissue temperature over the step, artery, vein, heat.

    (ρc/Δt' − L) U = ρc/Δt' T + sources + w T_a, with Δt' = θ Δt; ``per_step_s`` None leaves ρc/Δt' out (steady state).
    U is linear in its segment's T_a, so two right-hand sides give everything the vessels need to know.
    """
    grid = digits.grid
    square = digits.radius_m**2
    segment_flow = np.maximum(np.asarray(flow, float), LEAST_FLOW) * digits.along_flow[:, None]
    to_tissue = segment_flow * square
    held = own if per_step_s is None else grid.heat_j_m3k[:, None, None] * (square / per_step_s)
    skin = 1 / (1 / _outside_w_mk(digits, surroundings) + 1 / grid.skin_w_mk)

    fed = grid.flow_w_m3k[:, None, None] * to_tissue
    diagonal = fed + held
    diagonal[:-1] += grid.conductance_w_mk[:, None, None]
    diagonal[1:] += grid.conductance_w_mk[:, None, None]
    diagonal[-1] += skin
    known = held * before
    known = known + grid.metabolism_w_m3[:, None, None] * square
    known += along
    known[-1] += skin * surroundings.effective_c
    rest, answer = solve_layers(diagonal, grid.conductance_w_mk, (known, fed))

    share = grid.flow_w_m3k / grid.flow_w_m3k.sum()
    rest_mean, answer_mean = np.tensordot(share, rest, 1), np.tensordot(share, answer, 1)
    capacity = grid.flow_w_m3k.sum() * to_tissue * digits.turn * digits.segment_m
    between = digits.countercurrent_w_k / digits.along_flow.size
    artery, vein = _vessels(capacity, between, rest_mean, answer_mean, np.asarray(inlet_c, float))
    answer *= artery
    answer += rest
    carried = capacity.sum(axis=0) * (np.asarray(inlet_c) - vein[0])
    given = (capacity * (artery - rest_mean - answer_mean * artery)).sum(axis=0)
    lost = (skin * (answer[-1] - surroundings.effective_c)).sum(axis=0) * digits.turn * digits.segment_m
    return answer, artery, vein, DigitHeat(lost, given, carried, np.zeros_like(lost), np.zeros_like(lost))


def _outside_w_mk(digits: Digits, surroundings: Surroundings) -> Floats:
    """From the skin to the surroundings, per radian and metre, (segments, digits); the tip's disc counts as more
    side."""
    outside = np.asarray(surroundings.coefficient_w_m2k) * digits.radius_m
    outside = np.broadcast_to(outside, (digits.along_flow.size, digits.radius_m.size)).copy()
    if digits.tip_skin:
        outside[-1] *= 1 + digits.radius_m / (2 * digits.segment_m)
    return outside


def _vessels(
    capacity: Floats, between: Floats, rest_mean: Floats, answer_mean: Floats, inlet_c: Floats
) -> tuple[Floats, Floats]:
    """Artery and vein along the digit, °C, (segments, digits), where the tissue in segment j answers rest + answer·T_a.

    Artery:  F_j (A_{j−1} − A_j) = K (A_j − V_j);  vein:  F_j V_j = F_{j+1} V_{j+1} + w_j M_j + K (A_j − V_j), with F_j
    the flow (W/K) that passes into segment j, all of which has left by the tip. Everything is linear in the artery's
    temperature at the tip, which is found from the inlet.
    """
    segments = capacity.shape[0]
    passing = np.cumsum(capacity[::-1], axis=0)[::-1]
    artery_0, artery_1 = np.zeros_like(capacity), np.zeros_like(capacity)
    vein_0, vein_1 = np.zeros_like(capacity), np.zeros_like(capacity)
    a0, a1 = np.zeros_like(capacity[0]), np.ones_like(capacity[0])
    back_0, back_1 = np.zeros_like(a0), np.zeros_like(a0)
    for j in range(segments - 1, -1, -1):
        through = passing[j] + between
        v0 = (back_0 + capacity[j] * (rest_mean[j] + answer_mean[j] * a0) + between * a0) / through
        v1 = (back_1 + capacity[j] * answer_mean[j] * a1 + between * a1) / through
        artery_0[j], artery_1[j], vein_0[j], vein_1[j] = a0, a1, v0, v1
        back_0, back_1 = passing[j] * v0, passing[j] * v1
        ratio = between / passing[j]
        a0, a1 = a0 + ratio * (a0 - v0), a1 + ratio * (a1 - v1)
    tip = (inlet_c - a0) / a1
    return artery_0 + artery_1 * tip, vein_0 + vein_1 * tip
