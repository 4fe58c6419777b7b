from __future__ import annotations

import numpy as np
import pytest

from rewarm.errors import InvalidInputError
from rewarm.heat import HEAT_PER_FLOW, Surroundings, prepare_sole, start_sole, step_sole

ROOM = Surroundings(23.0, 8.98)


def _disc() -> np.ndarray:
    y, x = np.mgrid[:40, :30]
    return (y - 20) ** 2 / 300 + (x - 15) ** 2 / 150 < 1


def _warming(step_s: float) -> np.ndarray:
    inside = _disc()
    y, x = np.mgrid[:40, :30] / 10.0
    sole = prepare_sole(inside, pixel_mm=3.0, step_s=step_s, usual_flow_ml_100ml_min=5.0)
    state = start_sole(sole, 20.0 + np.sin(x) * np.cos(y))
    for i in range(round(240 / step_s)):
        middle = (i + 0.5) * step_s
        flow = 5 + 4 * np.sin(x) + 6 * np.sin(2 * np.pi * middle / 240) ** 2
        state = step_sole(sole, state, ROOM, flow_ml_100ml_min=flow, arterial_c=34.0, core_c=33.0)
    return state.skin_c


def test_the_error_falls_with_the_square_of_the_step():
    fine = _warming(0.5)
    errors = [np.abs(_warming(step) - fine).max() for step in (20.0, 10.0, 5.0)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (orders > 1.8).all()


def test_an_even_sole_settles_where_gains_and_losses_meet():
    sole = prepare_sole(_disc(), pixel_mm=3.0, step_s=10.0, metabolism_w_m3=0.0)
    state = start_sole(sole, 25.0)
    for _ in range(400):
        state = step_sole(sole, state, ROOM, flow_ml_100ml_min=9.0, arterial_c=35.0, core_c=33.0)
    fed = HEAT_PER_FLOW * 9.0 * 0.004
    assert state.skin_c == pytest.approx((60 * 33 + fed * 35 + 8.98 * 23) / (60 + fed + 8.98), abs=1e-6)


def test_a_wave_flattens_as_its_closed_solution_says():
    inside = np.ones((3, 101), bool)
    sole = prepare_sole(
        inside, pixel_mm=1.0, step_s=1.0, usual_flow_ml_100ml_min=0.0, core_w_m2k=0.0, metabolism_w_m3=0.0,
        coefficient_w_m2k=1e-9, conductivity_w_mk=0.36, heat_j_m3k=3.6e6,
    )  # fmt: skip
    wave = np.cos(np.pi * (np.arange(101) + 0.5) / 101)  # no heat crosses the ends
    state = start_sole(sole, np.tile(30 + wave, (3, 1)))
    room = Surroundings(23.0, 1e-9)
    for _ in range(1000):
        state = step_sole(sole, state, room, flow_ml_100ml_min=0.0, arterial_c=34.0, core_c=33.0)
    left = np.exp(-0.36 / 3.6e6 * (np.pi / 0.101) ** 2 * 1000)
    assert state.image_c(sole)[1] == pytest.approx(30 + left * wave, abs=2e-4)


def test_what_is_not_sole_has_no_temperature():
    sole = prepare_sole(_disc(), pixel_mm=3.0, step_s=10.0)
    image = start_sole(sole, 30.0).image_c(sole)
    assert np.isnan(image[0, 0])
    assert (image[sole.inside] == 30.0).all()


def test_wrong_inputs_are_named():
    with pytest.raises(InvalidInputError, match="expected a mask with pixels inside, found none"):
        prepare_sole(np.zeros((4, 4), bool), pixel_mm=3.0, step_s=10.0)
    sole = prepare_sole(_disc(), pixel_mm=3.0, step_s=10.0)
    with pytest.raises(InvalidInputError, match=r"prepared with, 8\.98 W/\(m² K\), found 10\.0"):
        step_sole(
            sole, start_sole(sole, 30.0), Surroundings(20.0, 10.0), flow_ml_100ml_min=5.0, arterial_c=34.0, core_c=33.0
        )
