"""Counts ↔ °C against the formula written out by hand, its inverse, and its edges."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewarm.cameras import radiometry
from rewarm.errors import InvalidInputError
from rewarm.thermogram import Calibration, ObjectParameters

CAMERA = Calibration(
    planck_r1=15399.9,
    planck_r2=0.0113,
    planck_b=1406.3,
    planck_f=1.0,
    planck_o=-6063.0,
    atmosphere_alpha1=0.006569,
    atmosphere_alpha2=0.01262,
    atmosphere_beta1=-0.002276,
    atmosphere_beta2=-0.00667,
    atmosphere_x=1.9,
)
SCENE = ObjectParameters(
    emissivity=0.95,
    reflected_c=18.0,
    distance_m=2.0,
    humidity_pct=60.0,
    air_c=24.0,
    window_c=20.0,
    window_transmission=1.0,
)


def by_hand(raw: float, camera: Calibration, scene: ObjectParameters) -> float:
    """The formula with plain floats, term by term."""
    air, e, w = scene.air_c, scene.emissivity, scene.window_transmission
    h = scene.humidity_pct / 100 * math.exp(1.5587 + 0.06939 * air - 0.00027816 * air**2 + 6.8455e-7 * air**3)
    root = math.sqrt(scene.distance_m)
    tau = camera.atmosphere_x * math.exp(
        -root * (camera.atmosphere_alpha1 + camera.atmosphere_beta1 * math.sqrt(h))
    ) + (1 - camera.atmosphere_x) * math.exp(
        -root * (camera.atmosphere_alpha2 + camera.atmosphere_beta2 * math.sqrt(h))
    )

    def planck(celsius: float) -> float:
        exponential = math.exp(camera.planck_b / (celsius + 273.15))
        return camera.planck_r1 / (camera.planck_r2 * (exponential - camera.planck_f)) - camera.planck_o

    emitted = raw - tau * w * (1 - e) * planck(scene.reflected_c) - w * (1 - tau) * planck(air)
    emitted = (emitted - (1 - w) * planck(scene.window_c)) / (e * tau * w)
    logarithm = math.log(camera.planck_r1 / (camera.planck_r2 * (emitted + camera.planck_o)) + camera.planck_f)
    return camera.planck_b / logarithm - 273.15


@pytest.mark.parametrize("raw", [12000, 16001, 20000, 40000, 65535])
@pytest.mark.parametrize("window", [1.0, 0.82])
def test_table_is_the_formula(raw: int, window: float) -> None:
    scene = replace(SCENE, window_transmission=window)
    table = radiometry.temperature_table(CAMERA, scene)
    assert table.shape == (65536,)
    assert table.dtype == np.float32
    assert table[raw] == pytest.approx(by_hand(raw, CAMERA, scene), abs=3e-5)


def test_nothing_between_object_and_camera_is_plain_planck() -> None:
    scene = ObjectParameters(emissivity=1.0, reflected_c=-50.0, distance_m=0.0, humidity_pct=0.0, air_c=99.0)
    counts = radiometry.counts_from_celsius([30.0], CAMERA, scene)
    kelvin_law = 15399.9 / (0.0113 * (math.exp(1406.3 / 303.15) - 1)) + 6063
    assert counts[0] == pytest.approx(kelvin_law, rel=1e-12)


@given(
    celsius=st.floats(-20, 120),
    emissivity=st.floats(0.3, 1),
    reflected_c=st.floats(-20, 60),
    distance_m=st.floats(0, 50),
    humidity_pct=st.floats(0, 100),
    air_c=st.floats(-20, 45),
    window=st.floats(0.3, 1),
)
def test_counts_and_back(
    celsius: float,
    emissivity: float,
    reflected_c: float,
    distance_m: float,
    humidity_pct: float,
    air_c: float,
    window: float,
) -> None:
    scene = ObjectParameters(emissivity, reflected_c, distance_m, humidity_pct, air_c, 21.0, window)
    counts = radiometry.counts_from_celsius([celsius], CAMERA, scene)
    assert radiometry.celsius_from_counts(counts, CAMERA, scene)[0] == pytest.approx(celsius, abs=1e-8)


def test_leaving_skin_emissivity_out_costs_what_physics_says() -> None:
    counts = radiometry.counts_from_celsius([32.0], CAMERA, replace(SCENE, emissivity=0.98, reflected_c=23.0))
    as_black = radiometry.celsius_from_counts(counts, CAMERA, replace(SCENE, emissivity=1.0, reflected_c=23.0))
    assert as_black[0] - 32 == pytest.approx(-0.17, abs=0.02)


def test_impossible_counts_have_no_temperature() -> None:
    table = radiometry.temperature_table(CAMERA, SCENE)
    assert np.isnan(table[:6000]).all()  # below the offset nothing radiates
    assert np.isfinite(table[8000:]).all()
    assert (np.diff(table[8000:]) > 0).all()


@pytest.mark.parametrize(
    "changes", [{"emissivity": 0.0}, {"emissivity": -0.5}, {"window_transmission": 0.0}, {"distance_m": 1e12}]
)
def test_impossible_scene_has_no_temperature_and_no_complaint(changes: dict[str, float]) -> None:
    assert np.isnan(radiometry.temperature_table(CAMERA, replace(SCENE, **changes))).all()


def test_missing_parameters_are_named_together() -> None:
    with pytest.raises(InvalidInputError, match="emissivity, air_c"):
        radiometry.temperature_table(CAMERA, replace(SCENE, emissivity=None, air_c=None))


def test_air_transmits_less_over_distance() -> None:
    shares = [
        radiometry.air_transmission(CAMERA, distance_m=distance, humidity_pct=50, air_c=20)
        for distance in (0, 1, 10, 100)
    ]
    assert shares[0] == 1
    assert shares == sorted(shares, reverse=True)
    assert shares[1] == pytest.approx(0.99, abs=0.01)


@pytest.mark.parametrize("shape", [(24, 32), (3, 5, 7), (11,), (0, 4), ()])
def test_every_way_to_look_up_gives_the_table(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(5)
    table = random.normal(size=65536).astype(np.float32)
    table[:100] = np.nan
    counts = random.integers(0, 65536, size=shape).astype(np.uint16)
    np.testing.assert_array_equal(radiometry.apply_table(table, counts), table[counts])
    out = np.full(shape, 7, np.float32)
    assert radiometry.apply_table(table, counts, out) is out
    np.testing.assert_array_equal(out, table[counts])
    by_numpy = np.empty(shape, np.float32)
    radiometry._numpy_lookup(counts, table, by_numpy)
    np.testing.assert_array_equal(by_numpy, table[counts])


def test_counts_that_are_not_contiguous() -> None:
    table = np.arange(65536, dtype=np.float32)
    counts = np.arange(6000, dtype=np.uint16).reshape(60, 100)[::-2, 5:50:3]
    np.testing.assert_array_equal(radiometry.apply_table(table, counts), counts.astype(np.float32))


def test_more_pixels_than_one_block() -> None:
    table = np.arange(65536, dtype=np.float32)
    counts = np.random.default_rng(1).integers(0, 65536, size=(600, 300)).astype(np.uint16)
    out = np.empty(counts.shape, np.float32)
    radiometry._numpy_lookup(counts, table, out)
    np.testing.assert_array_equal(out, counts.astype(np.float32))
