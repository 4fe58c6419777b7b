"""The simulated camera: its counts go back to temperatures by the inverse written here, its errors are as stated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewarm.errors import InvalidInputError
from rewarm.twin import SimulatedCamera, View, counts_of, non_uniformity, record, transmission

CAMERA = SimulatedCamera()


def celsius(counts, camera: SimulatedCamera, view: View):
    """The maker's formula solved for the object's temperature, written apart from the twin and from the reader."""
    h = (
        view.humidity_pct
        / 100
        * np.exp(1.5587 + 0.06939 * view.air_c - 0.00027816 * view.air_c**2 + 6.8455e-7 * view.air_c**3)
    )
    d = np.sqrt(view.distance_m)
    tau = camera.atmosphere_x * np.exp(-d * (camera.atmosphere_alpha1 + camera.atmosphere_beta1 * np.sqrt(h))) + (
        1 - camera.atmosphere_x
    ) * np.exp(-d * (camera.atmosphere_alpha2 + camera.atmosphere_beta2 * np.sqrt(h)))

    def signal(t: float) -> float:
        return (
            camera.planck_r1 / (camera.planck_r2 * (np.exp(camera.planck_b / (t + 273.15)) - camera.planck_f))
            - camera.planck_o
        )

    raw = (
        np.asarray(counts, float)
        - tau * (1 - view.emissivity) * signal(view.reflected_c)
        - (1 - tau) * signal(view.air_c)
    ) / (view.emissivity * tau)
    inner = camera.planck_r1 / (camera.planck_r2 * (raw + camera.planck_o)) + camera.planck_f
    return camera.planck_b / np.log(inner) - 273.15


@settings(max_examples=100, deadline=None)
@given(
    st.floats(-15, 100), st.floats(0.6, 1.0), st.floats(0, 40), st.floats(0.1, 5), st.floats(5, 95), st.floats(5, 35)
)
def test_temperatures_come_back_through_the_inverse(
    object_c: float, emissivity: float, reflected_c: float, distance_m: float, humidity_pct: float, air_c: float
) -> None:
    view = View(emissivity, reflected_c, distance_m, humidity_pct, air_c)
    assert celsius(counts_of(np.array([object_c]), CAMERA, view), CAMERA, view)[0] == pytest.approx(object_c, abs=1e-6)
    assert 0.5 < transmission(CAMERA, view) <= 1.01


def test_a_recording_reads_back_as_the_scene_plus_its_errors_within_rounding() -> None:
    rng = np.random.default_rng(0)
    scene = np.full(CAMERA.shape, 25, np.float32)
    scene[60:180, 100:220] = 31
    view = View(reflected_c=23.1, distance_m=0.85)
    uneven = non_uniformity(rng, shape=CAMERA.shape)
    recording = record(scene, CAMERA, view, rng, offset_c=0.7, non_uniformity_c=uneven)
    read = celsius(recording.counts, CAMERA, view)
    step = 1 / np.diff(counts_of(np.array([25.0, 26.0]), CAMERA, view))[0]
    assert np.abs(read - (recording.seen_c + recording.error_c)).max() < step
    noise = recording.error_c - 0.7 - uneven
    assert noise.std() == pytest.approx(0.040, rel=0.02)
    assert abs(noise.mean()) < 0.001
    flat = read[20:40, 20:60] - uneven[20:40, 20:60]
    assert flat.mean() == pytest.approx(25.7, abs=0.01)


def test_optics_blur_edges_and_keep_the_mean() -> None:
    scene = np.full(CAMERA.shape, 20, np.float32)
    scene[:, 160:] = 30
    recording = record(scene, CAMERA, View(), np.random.default_rng(0))
    assert recording.seen_c.mean() == pytest.approx(scene.mean(), abs=1e-3)
    assert 20.5 < recording.seen_c[100, 159] < 25 < recording.seen_c[100, 160] < 29.5
    assert recording.seen_c[100, 150] == 20


def test_non_uniformity_is_smooth_has_mean_zero_and_is_colder_in_the_corners() -> None:
    field = non_uniformity(np.random.default_rng(1), shape=(240, 320), centre_to_corner_c=1.0, tilt_c=0.0)
    assert abs(field.mean()) < 1e-5
    corners = np.mean([field[:5, :5].mean(), field[-5:, -5:].mean(), field[:5, -5:].mean(), field[-5:, :5].mean()])
    assert 0.6 < field[110:130, 150:170].mean() - corners < 1.4


def test_size_of_a_pixel_follows_from_lens_and_distance() -> None:
    assert CAMERA.mm_per_px(0.9) == pytest.approx(2 * 900 * np.tan(np.deg2rad(12.5)) / 320)


def test_what_cannot_be_recorded_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InvalidInputError, match=r"expected the camera's shape \(240, 320\)"):
        record(np.zeros((320, 240), np.float32), CAMERA, View(), rng)
    with pytest.raises(InvalidInputError, match="fit the camera's 16-bit counts"):
        record(np.full(CAMERA.shape, 900, np.float32), CAMERA, View(), rng)
