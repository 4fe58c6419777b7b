from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import erfc, iv, j0, j1

from rewarm.heat import HEAT_PER_FLOW, Surroundings, after_jump, make_digits, settled, skin_c, step_digits
from rewarm.heat.digits import tissue_heat_j, uniform_state
from tests.heat.slabs import uniform

ROOM = Surroundings(23.0, 10.0)


def test_a_perfused_cylinder_settles_as_the_modified_bessel_functions_say():
    radius, k, h, flow, arterial, made = 0.01, 0.4, 10.0, 8.0, 35.0, 400.0
    digits = uniform(radius_m=radius, cells=60, curvature=1, conductivity=k, metabolism=made)
    state = settled(digits, ROOM, flow_ml_100ml_min=flow, inlet_c=arterial, base_c=None)
    w = HEAT_PER_FLOW * flow
    far, m = arterial + made / w, np.sqrt(w / k)
    # T = far + B I0(m r), −k T' = h (T − T_env) at the skin
    b = -h * (far - 23.0) / (k * m * iv(1, m * radius) + h * iv(0, m * radius))
    exact = far + b * iv(0, m * digits.grid.middle * radius)
    assert np.abs(state.tissue_c[:, 0, 0] - exact).max() < 2e-4
    assert skin_c(digits, state, ROOM)[0, 0] == pytest.approx(far + b * iv(0, m * radius), abs=2e-4)


def test_a_perfused_slab_settles_as_the_hyperbolic_cosine_says():
    depth, k, h, flow = 0.02, 0.3, 12.0, 3.0
    digits = uniform(radius_m=depth, cells=80, curvature=0, conductivity=k)
    state = settled(digits, Surroundings(20.0, h), flow_ml_100ml_min=flow, inlet_c=36.0, base_c=None)
    m = np.sqrt(HEAT_PER_FLOW * flow / k)
    b = -h * 16.0 / (k * m * np.sinh(m * depth) + h * np.cosh(m * depth))
    exact = 36.0 + b * np.cosh(m * digits.grid.middle * depth)
    assert np.abs(state.tissue_c[:, 0, 0] - exact).max() < 2e-4


def test_a_deep_slab_dipped_in_water_follows_the_error_function():
    k, heat, depth = 0.4, 3.6e6, 0.05
    digits = uniform(radius_m=depth, cells=500, curvature=0, conductivity=k, heat=heat)
    water = Surroundings(10.0, 1e7)  # the skin takes the water's temperature at once
    state = after_jump(
        digits, uniform_state(digits, 33.0), water, flow_ml_100ml_min=0, inlet_c=33.0, base_c=None, step_s=0.5
    )
    for _ in range(239):
        state, _ = step_digits(digits, state, water, flow_ml_100ml_min=0, inlet_c=33.0, base_c=None, step_s=0.5)
    below = depth * (1 - digits.grid.middle)
    exact = 10.0 + 23.0 * (1 - erfc(below / (2 * np.sqrt(k / heat * 120.0))))
    assert np.abs(state.tissue_c[:, 0, 0] - exact)[below < 0.03].max() < 5e-3


def _heisler(radius: float, k: float, heat: float, h: float, time_s: float, at: np.ndarray) -> np.ndarray:
    """Share of the first temperature difference left in a cylinder (series of Bessel functions)."""
    biot = h * radius / k
    roots = []
    zeros_of_j0 = np.array([2.4048, 5.5201, 8.6537, 11.7915, 14.9309, 18.0711, 21.2116, 24.3525])
    low = 1e-9
    for high in zeros_of_j0:
        roots.append(brentq(lambda x: x * j1(x) - biot * j0(x), low, high))
        low = high + 0.7  # next branch begins after the next zero of J1
    total = np.zeros_like(at)
    for x in roots:
        factor = 2 / x * j1(x) / (j0(x) ** 2 + j1(x) ** 2)
        total += factor * np.exp(-(x**2) * k / heat * time_s / radius**2) * j0(x * at)
    return total


@pytest.mark.parametrize("h", [10.0, 60.0, 300.0])
def test_a_cylinder_cools_as_heislers_series_says(h):
    radius, k, heat = 0.01, 0.4, 3.6e6
    digits = uniform(radius_m=radius, cells=80, curvature=1, conductivity=k, heat=heat)
    water = Surroundings(15.0, h)
    state = after_jump(
        digits, uniform_state(digits, 33.0), water, flow_ml_100ml_min=0, inlet_c=33.0, base_c=None, step_s=1.0
    )
    for _ in range(199):
        state, _ = step_digits(digits, state, water, flow_ml_100ml_min=0, inlet_c=33.0, base_c=None, step_s=1.0)
    exact = 15.0 + 18.0 * _heisler(radius, k, heat, h, 200.0, digits.grid.middle)
    assert np.abs(state.tissue_c[:, 0, 0] - exact).max() < 2e-3


def test_a_thin_digit_cools_as_one_lump_in_half_an_hour():
    digits = uniform(radius_m=0.01, cells=20, curvature=1, conductivity=40.0)  # Biot number 0.00125
    state = uniform_state(digits, 33.0)
    for _ in range(180):
        state, _ = step_digits(
            digits, state, Surroundings(23.0, 10.0), flow_ml_100ml_min=0, inlet_c=33.0, base_c=None, step_s=10.0
        )
    # ρc R / 2h = 1800 s
    assert skin_c(digits, state, Surroundings(23.0, 10.0))[0, 0] == pytest.approx(23 + 10 * np.exp(-1), abs=0.01)


def _course(refine: int, step_s: float, *, total_s: float = 60.0) -> tuple[np.ndarray, np.ndarray]:
    """A smooth start, layers, several segments, a flow and a room that change: what every order is measured on."""
    digits = make_digits(np.array([9.0]), np.array([40.0]), refine=refine)
    room = Surroundings(25.0, 9.0)
    state = settled(digits, room, flow_ml_100ml_min=6.0, inlet_c=33.0, base_c=31.0, tolerance_c=1e-11)
    for i in range(round(total_s / step_s)):
        middle = (i + 0.5) * step_s
        around = Surroundings(25.0 - 6 * np.sin(np.pi * middle / total_s) ** 2, 9.0)
        flow = 6.0 + 5 * np.sin(2 * np.pi * middle / total_s) ** 2
        state, _ = step_digits(digits, state, around, flow_ml_100ml_min=flow, inlet_c=33.0, base_c=31.0, step_s=step_s)
    return skin_c(digits, state, room)[:, 0], state.tissue_c[:, :, 0]


def test_the_error_falls_with_the_square_of_the_step():
    fine = _course(1, 0.125)[1]
    errors = [np.abs(_course(1, step)[1] - fine).max() for step in (4.0, 2.0, 1.0)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (orders > 1.9).all()
    assert (orders < 2.3).all()


def test_the_error_falls_with_the_square_of_the_cells():
    fine = _course(16, 1.0)[0]
    errors = [np.abs(_course(refine, 1.0)[0] - fine).max() for refine in (1, 2, 4)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (orders > 1.8).all()
    assert (orders < 2.4).all()
    assert errors[0] < 0.02  # °C, on the usual grid


def test_no_heat_is_lost_on_the_way():
    rng = np.random.default_rng(1)
    digits = make_digits(rng.uniform(6, 12, 20), rng.uniform(30, 60, 20))
    state = settled(digits, ROOM, flow_ml_100ml_min=10.0, inlet_c=34.0, base_c=32.0)
    water = Surroundings(15.0, 120.0, evaporation_w_m2=5.0)
    moved = np.zeros(20)
    turnover = np.zeros(20)
    held = tissue_heat_j(digits, state)
    state = replace(state, rate_c_s=None)
    for i in range(100):
        state, heat = step_digits(
            digits, state, water, flow_ml_100ml_min=rng.uniform(0, 20, 20), inlet_c=34.0, base_c=30.0, step_s=2.0,
            implicit=1.0 if i < 4 else 0.5,
        )  # fmt: skip
        assert heat.to_tissue_w == pytest.approx(heat.blood_w, rel=1e-9, abs=1e-12)
        moved += 2.0 * (heat.blood_w + heat.base_w + heat.made_w - heat.skin_w)
        turnover += 2.0 * (np.abs(heat.blood_w) + np.abs(heat.base_w) + heat.made_w + np.abs(heat.skin_w))
    change = tissue_heat_j(digits, state) - held
    assert np.abs((moved - change) / turnover).max() < 1e-6


def test_steady_digits_lose_what_they_gain():
    digits = make_digits(np.array([8.0, 12.0]), np.array([40.0, 55.0]))
    state = settled(digits, ROOM, flow_ml_100ml_min=np.array([2.0, 15.0]), inlet_c=34.0, base_c=32.0)
    after, heat = step_digits(
        digits, state, ROOM, flow_ml_100ml_min=np.array([2.0, 15.0]), inlet_c=34.0, base_c=32.0, step_s=5.0
    )
    assert heat.skin_w == pytest.approx(heat.blood_w + heat.base_w + heat.made_w, rel=1e-6)
    assert np.abs(after.tissue_c - state.tissue_c).max() < 1e-6


def test_counter_current_keeps_heat_from_the_tip_and_in_the_body():
    def tip_and_loss(exchange: float) -> tuple[float, float]:
        digits = make_digits(np.array([8.0]), np.array([40.0]), countercurrent_w_k=exchange)
        state = settled(digits, ROOM, flow_ml_100ml_min=4.0, inlet_c=34.0, base_c=32.0)
        _, heat = step_digits(digits, state, ROOM, flow_ml_100ml_min=4.0, inlet_c=34.0, base_c=32.0, step_s=1.0)
        return float(skin_c(digits, state, ROOM)[-1, 0]), float(heat.blood_w[0])

    tip_without, loss_without = tip_and_loss(0.0)
    tip_with, loss_with = tip_and_loss(0.1)
    assert tip_with < tip_without - 0.2
    assert loss_with < loss_without


def test_a_digit_without_flow_still_has_a_temperature():
    digits = make_digits(np.array([8.0]), np.array([40.0]))
    state = settled(digits, ROOM, flow_ml_100ml_min=0.0, inlet_c=36.0, base_c=30.0)
    assert np.isfinite(state.tissue_c).all()
    skin = skin_c(digits, state, ROOM)[:, 0]
    assert (np.diff(skin) < 0).all()
    assert 23.0 < skin[-1] < 24.5
