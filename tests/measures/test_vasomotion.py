"""Slow waves of known size, in curves that are long enough, too short, too coarse or holed."""

from __future__ import annotations

import numpy as np
import pytest

from rewarm.measures import vasomotion

TIME_S = np.arange(0.0, 900.0, 5.0)


def wave(amplitude_c: float, hz: float, t=TIME_S) -> np.ndarray:
    return amplitude_c * np.sin(2 * np.pi * hz * t + 0.7)


@pytest.mark.parametrize("hz", [0.008, 0.02, 0.04])
def test_a_wave_s_power_is_half_its_squared_amplitude(hz: float):
    found = vasomotion(TIME_S, 20.0 + wave(0.3, hz))
    assert found.power_c2 == pytest.approx(0.3**2 / 2, rel=0.15)
    assert found.peak_hz == pytest.approx(hz, abs=1.5 / 900.0)
    assert found.reason == ""


def test_waves_outside_the_band_drifts_and_noise_do_not_count():
    noise = np.random.default_rng(1).normal(0, 0.05, TIME_S.size)
    slow = wave(1.0, 1.0 / 900.0) + 0.002 * TIME_S
    fast = wave(0.3, 0.08)
    found = vasomotion(TIME_S, 25.0 + slow + fast + noise, noise_c=0.05)
    assert found.power_c2 < 0.004
    both = vasomotion(TIME_S, 25.0 + slow + fast + noise + wave(0.2, 0.015), noise_c=0.05)
    assert both.power_c2 == pytest.approx(0.02, abs=0.005)


def test_missing_frames_do_little():
    kept = np.ones(TIME_S.size, dtype=bool)
    kept[[20, 21, 50, 90, 91, 92]] = False
    found = vasomotion(TIME_S[kept], wave(0.3, 0.02)[kept])
    assert found.power_c2 == pytest.approx(0.045, rel=0.2)


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        (TIME_S[:100], "must last 600 s"),
        (TIME_S[::3], "within 10 s"),
        (TIME_S[(TIME_S < 300) | (TIME_S > 340)], "gaps of more than 30 s"),
    ],
)
def test_a_recording_that_cannot_tell_says_why(times, reason: str):
    found = vasomotion(times, wave(0.3, 0.02, times))
    assert np.isnan(found.power_c2)
    assert reason in found.reason


def test_how_well_it_is_known_holds_over_draws():
    """White noise through the band: the sum of many frequencies scatters as ``u_c2`` says."""
    random = np.random.default_rng(2)
    found = [vasomotion(TIME_S, random.normal(0, 0.2, TIME_S.size)) for _ in range(200)]
    scatter = np.std([f.power_c2 for f in found])
    assert np.median([f.u_c2 for f in found]) == pytest.approx(scatter, rel=0.3)
