"""A digit as one lump: the smallest model that still answers to flow, for inverting and for checking.

    C dT/dt = h (T_env − T) + g Q (T_a − T) + q − e,        per m² of skin

C = ρc R/2, g = 640 R/2 per mL/100 mL/min. It holds where the digit is thin for its skin (Biot number hR/2k well under
1); in air h R / 2k is about 0.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rewarm.heat.layers import layered_grid
from rewarm.heat.tissue import DIGIT_LAYERS, HEAT_PER_FLOW, Surroundings

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LumpedDigit:
    """One digit: ``heat_j_m2k`` it holds and ``exchange_w_m2k`` per mL/100 mL/min of flow, both per m² of skin."""

    heat_j_m2k: float
    exchange_w_m2k: float
    metabolism_w_m2: float = 0.0

    def time_constant_s(self, coefficient_w_m2k: float, flow_ml_100ml_min: float = 0.0) -> float:
        """How long until all but 37 % of a change is over, s."""
        return self.heat_j_m2k / (coefficient_w_m2k + self.exchange_w_m2k * flow_ml_100ml_min)


def lumped_digit(radius_mm: float, *, heat_j_m3k: float | None = None) -> LumpedDigit:
    """The lump of a digit of that radius; ``heat_j_m3k`` replaces what the layers hold on average.

    A toe of 20 mm with 3.6 MJ/(m³ K) at 10 W/(m² K) has a time constant of 30 min without flow.
    """
    grid = layered_grid(DIGIT_LAYERS)
    half_radius = radius_mm / 1000 / 2
    heat = float(grid.heat_j_m3k.sum() / grid.volume.sum()) if heat_j_m3k is None else heat_j_m3k
    made = float(grid.metabolism_w_m3.sum() / grid.volume.sum())
    return LumpedDigit(heat * half_radius, HEAT_PER_FLOW * half_radius, made * half_radius)


def lumped_step(
    digit: LumpedDigit,
    temperature_c: Floats | float,
    surroundings: Surroundings,
    *,
    flow_ml_100ml_min: Floats | float,
    arterial_c: Floats | float,
    step_s: float,
) -> Floats:
    """Temperature after ``step_s`` during which nothing else changes, °C: exact, arrays broadcast."""
    loss, steady = _loss_and_steady(digit, surroundings, flow_ml_100ml_min, arterial_c)
    return np.asarray(steady + (np.asarray(temperature_c) - steady) * np.exp(-loss * step_s / digit.heat_j_m2k))


def lumped_course(
    digit: LumpedDigit,
    time_s: Floats,
    surroundings: Surroundings,
    *,
    start_c: float,
    flow_ml_100ml_min: Floats,
    arterial_c: float,
) -> Floats:
    """Course of one digit at ``time_s`` (times,), °C; ``flow_ml_100ml_min`` (times,) holds until the next time."""
    course = np.empty(len(time_s))
    course[0] = start_c
    for i, step in enumerate(np.diff(time_s)):
        flow = float(flow_ml_100ml_min[i])
        course[i + 1] = lumped_step(
            digit, course[i], surroundings, flow_ml_100ml_min=flow, arterial_c=arterial_c, step_s=float(step)
        )
    return course


def lumped_flow(
    digit: LumpedDigit,
    temperature_c: Floats | float,
    rate_c_s: Floats | float,
    surroundings: Surroundings,
    *,
    arterial_c: Floats | float,
) -> Floats:
    """Flow that explains a temperature and its rate of change, mL/100 mL/min; negative where even none is too much.

    Not defined (NaN) where the digit is within 0.05 °C of its arterial blood, which then tells nothing.
    """
    temperature = np.asarray(temperature_c, float)
    difference = np.asarray(arterial_c) - temperature
    loss = np.asarray(surroundings.coefficient_w_m2k) * (temperature - surroundings.effective_c)
    needed = digit.heat_j_m2k * np.asarray(rate_c_s) + loss - digit.metabolism_w_m2
    shape = np.broadcast_shapes(np.shape(needed), np.shape(difference))
    difference = np.broadcast_to(difference, shape)
    found = np.full(shape, np.nan)
    np.divide(needed, digit.exchange_w_m2k * difference, out=found, where=np.abs(difference) > 0.05)
    return found


def _loss_and_steady(
    digit: LumpedDigit, surroundings: Surroundings, flow: Floats | float, arterial_c: Floats | float
) -> tuple[Floats, Floats]:
    """Heat lost per kelvin, W/(m² K), and the temperature at which nothing changes, °C."""
    fed = digit.exchange_w_m2k * np.asarray(flow)
    loss = fed + surroundings.coefficient_w_m2k
    gained = fed * arterial_c + np.asarray(surroundings.coefficient_w_m2k) * surroundings.effective_c
    return np.asarray(loss), np.asarray((gained + digit.metabolism_w_m2) / loss)
