from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rewarm.cameras.radiometry import celsius_from_counts, counts_from_celsius
from rewarm.measures.sensitivity import GREY_BODY, LIMITS, error_per_unit, reading_c
from rewarm.thermogram import Calibration, ObjectParameters

CAMERA = Calibration(16556.0, 0.0125, 1428.0, 1.0, -342.0, 0.006569, 0.01262, -0.002276, -0.00667, 1.9)
OTHER = Calibration(21106.77, 0.012545258, 1501.0, 1.0, -7340.0, 0.006569, 0.01262, -0.002276, -0.00667, 1.9)
USED = ObjectParameters(0.98, 23.0, 1.0, 50.0, 23.0)


@pytest.mark.parametrize("calibration", [CAMERA, OTHER])
@pytest.mark.parametrize(
    "true",
    [
        replace(USED, emissivity=0.95),
        replace(USED, reflected_c=35.0),
        replace(USED, distance_m=3.0, humidity_pct=90.0, air_c=30.0),
        replace(USED, window_transmission=0.9, window_c=25.0),
    ],
)
def test_a_reading_is_what_the_cameras_own_conversion_gives(calibration, true):
    """The same physics as the readers', written apart: through counts and back."""
    used = replace(USED, window_transmission=true.window_transmission, window_c=true.window_c)
    counts = counts_from_celsius(31.0, calibration, true)
    expected = float(celsius_from_counts(counts, calibration, used))
    assert reading_c(31.0, true=true, used=used, calibration=calibration) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "step"),
    [("emissivity", 0.01), ("reflected_c", 2.0), ("distance_m", 0.3), ("humidity_pct", 15.0), ("air_c", 2.0)],
)
@pytest.mark.parametrize("read_c", [18.0, 31.0])
def test_without_a_calibration_the_grey_body_is_near_the_cameras(name, step, read_c):
    exact = error_per_unit(read_c, name, step=step, used=USED, calibration=CAMERA)
    grey = error_per_unit(read_c, name, step=step, used=USED, calibration=GREY_BODY)
    assert grey == pytest.approx(exact, rel=0.06)
    assert exact != 0.0


def test_leaving_out_skins_emissivity_costs_what_is_known():
    """−0.17 °C at 32 °C in a room at 23 °C."""
    off = reading_c(32.0, true=USED, used=replace(USED, emissivity=1.0), calibration=CAMERA) - 32.0
    assert off == pytest.approx(-0.17, abs=0.01)


def test_a_step_never_leaves_what_is_possible():
    at_limit = replace(USED, emissivity=1.0, humidity_pct=0.0, distance_m=0.0)
    for name in LIMITS:
        slope = error_per_unit(30.0, name, step=1e3, used=at_limit, calibration=CAMERA)
        assert np.isfinite(slope)


def test_what_has_no_answer_moves_nothing():
    assert error_per_unit(-300.0, "emissivity", step=0.01, used=USED, calibration=CAMERA) == 0.0
