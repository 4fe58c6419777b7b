from __future__ import annotations

import numpy as np
import pytest

from rewarm.heat import (
    Surroundings,
    lumped_course,
    lumped_digit,
    lumped_flow,
    lumped_step,
    make_digits,
    settled,
    skin_c,
)

ROOM = Surroundings(23.0, 10.0)


def test_a_toe_of_two_centimetres_warms_in_half_an_hour_without_flow():
    toe = lumped_digit(10.0, heat_j_m3k=3.6e6)
    assert toe.time_constant_s(10.0) == pytest.approx(1800.0)
    assert toe.time_constant_s(10.0, 10.0) < 600


def test_a_step_is_exact_however_long():
    toe = lumped_digit(9.0)
    inputs = {"flow_ml_100ml_min": 4.0, "arterial_c": 34.0}
    once = lumped_step(toe, 15.0, ROOM, step_s=600.0, **inputs)
    often = 15.0
    for _ in range(60):
        often = lumped_step(toe, often, ROOM, step_s=10.0, **inputs)
    assert often == pytest.approx(float(once), abs=1e-10)


def test_the_flow_is_found_again_from_the_temperature_and_its_rate():
    toe = lumped_digit(9.0)
    time_s = np.arange(0.0, 900.0, 1.0)
    flow = 1 + 10 / (1 + np.exp(-(time_s - 300) / 60))
    course = lumped_course(toe, time_s, ROOM, start_c=16.0, flow_ml_100ml_min=flow, arterial_c=35.0)
    rate = np.gradient(course, time_s)
    found = lumped_flow(toe, course, rate, ROOM, arterial_c=35.0)
    assert found[2:-2] == pytest.approx(flow[2:-2], rel=0.02)


def test_passive_warming_needs_no_flow_and_evaporation_hides_some():
    toe = lumped_digit(9.0)
    rate = ((23.0 - 16.0) * 10 + toe.metabolism_w_m2) / toe.heat_j_m2k
    assert lumped_flow(toe, 16.0, rate, ROOM, arterial_c=35.0) == pytest.approx(0.0, abs=1e-9)
    sweaty = Surroundings(23.0, 10.0, evaporation_w_m2=20.0)
    assert lumped_flow(toe, 30.0, 0.0, sweaty, arterial_c=35.0) > lumped_flow(toe, 30.0, 0.0, ROOM, arterial_c=35.0)


def test_blood_as_warm_as_the_skin_tells_nothing():
    toe = lumped_digit(9.0)
    assert np.isnan(lumped_flow(toe, 34.99, 0.0, ROOM, arterial_c=35.0))


def test_the_lump_is_near_the_layers_in_air():
    digits = make_digits(
        np.array([9.0]), np.array([200.0]), countercurrent_w_k=0.0, along_flow=(1.0, 1.0, 1.0, 1.0, 1.0)
    )
    state = settled(digits, ROOM, flow_ml_100ml_min=5.0, inlet_c=34.0, base_c=None)
    layers = float(skin_c(digits, state, ROOM)[1, 0])
    lump = float(lumped_step(lumped_digit(9.0), 30.0, ROOM, flow_ml_100ml_min=5.0, arterial_c=34.0, step_s=1e7))
    assert layers == pytest.approx(lump, abs=0.6)
