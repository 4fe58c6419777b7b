"""Waves of temperature turned back into waves of flow."""

import numpy as np
import pytest

from rewarm.errors import InvalidInputError
from rewarm.heat import Surroundings, make_digits, settled, skin_c, step_digits
from rewarm.measures.thermal_delay import flow_waves, thermal_attenuation, thermal_delay_s


@pytest.fixture(scope="module")
def waving_toe():
    """A toe whose flow swings by waves of 0.008, 0.02 and 0.04 Hz: times, skin °C, flow, a frame every 2 s."""
    digits = make_digits(np.array([8.5]), np.array([40.0]))
    around = Surroundings(23.0, 8.0)
    state = settled(digits, around, flow_ml_100ml_min=4.0, inlet_c=33.0, base_c=31.0)
    rng = np.random.default_rng(5)
    phases = rng.uniform(0, 2 * np.pi, 3)
    time_s = np.arange(0.0, 1000.0, 2.0)
    waves = [np.sin(2 * np.pi * f * time_s + p) for f, p in zip((0.008, 0.02, 0.04), phases, strict=True)]
    flow = 4.0 + sum(waves)
    skin = []
    for value in flow:
        skin.append(float(skin_c(digits, state, around)[-2:].mean()))
        state, _ = step_digits(digits, state, around, flow_ml_100ml_min=value, inlet_c=33.0, base_c=31.0, step_s=2.0)
    return time_s, np.array(skin), flow


def test_correction_makes_temperature_follow_flow(waving_toe):
    time_s, skin, flow = waving_toe
    late = time_s > 200
    raw = np.corrcoef(skin[late], flow[late])[0, 1]
    found = flow_waves(time_s[late], skin[late])
    corrected = np.corrcoef(found.wave, flow[late])[0, 1]
    assert raw < 0.4
    assert corrected > 0.7


def test_delay_and_attenuation_follow_the_root_of_frequency():
    assert thermal_delay_s(0.01) / thermal_delay_s(0.04) == pytest.approx(2.0)
    logs = np.log(thermal_attenuation(np.array([0.01, 0.04])))
    assert logs[1] / logs[0] == pytest.approx(2.0)


def test_a_sparse_recording_is_refused():
    time_s = np.arange(0.0, 600.0, 15.0)
    with pytest.raises(InvalidInputError, match=r"a frame every 15\.0 s"):
        flow_waves(time_s, np.full(time_s.size, 30.0))
