"""Paint spans the contrasts that it states, keeps the truth, repeats by seed, and looks through many cameras."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rewarm.twin.scenes import TRAINING, Layout, Scene, paint, random_layout
from rewarm.twin.scenes.optics import cut_out, photograph

from .conftest import sole

PERFECT = replace(
    TRAINING.painting,
    blur_px=(0.0, 0.0),
    netd_c=(0.0, 0.0),
    stripes_c=(0.0, 0.0),
    vignette_c=(0.0, 0.0),
    sensor_width_px=(640.0, 640.0),
)


@pytest.fixture(scope="module")
def layouts() -> list[Layout]:
    return [random_layout(np.random.default_rng(seed)) for seed in range(60)]


@pytest.fixture(scope="module")
def scenes(layouts: list[Layout]) -> list[Scene]:
    return [paint(layouts[seed % 60], np.random.default_rng(seed)) for seed in range(300)]


def digit_contrasts(scenes: list[Scene]) -> np.ndarray:
    return np.array([c for s in scenes for name, c in s.figures.items() if name.endswith("_digits_contrast_c")])


def test_celsius_is_finite_float32_of_the_layouts_shape(scenes: list[Scene]) -> None:
    for scene in scenes:
        assert scene.celsius.dtype == np.float32
        assert scene.celsius.shape == scene.layout.parts.shape
        assert np.isfinite(scene.celsius).all()


def test_painting_leaves_the_truth_alone(layouts: list[Layout]) -> None:
    layout = layouts[0]
    before = {
        name: getattr(layout, name).copy() for name in ("parts", "sides", "limbs", "along", "facing", "landmarks")
    }
    assert paint(layout, np.random.default_rng(3)).layout is layout
    for name, values in before.items():
        np.testing.assert_array_equal(getattr(layout, name), values)


def test_contrast_of_digits_spans_the_stated_range(scenes: list[Scene]) -> None:
    contrasts = digit_contrasts(scenes)
    assert contrasts.size > 200
    assert np.percentile(contrasts, 2) < -5
    assert np.percentile(contrasts, 98) > 7
    assert np.median(contrasts) == pytest.approx(0, abs=2.5)


def test_a_third_of_digits_lie_within_a_degree_of_their_surroundings(scenes: list[Scene]) -> None:
    assert np.mean(np.abs(digit_contrasts(scenes)) < 1) >= 1 / 3


def test_a_seed_repeats_its_picture(layouts: list[Layout]) -> None:
    first, again = (paint(layouts[1], np.random.default_rng(9)) for _ in range(2))
    np.testing.assert_array_equal(first.celsius, again.celsius)
    assert first.figures == again.figures
    assert (paint(layouts[1], np.random.default_rng(10)).celsius != first.celsius).any()


def test_figures_tell_the_contrast_that_the_picture_shows() -> None:
    """Before a perfect camera the contrast can be measured in the picture itself."""
    layout = sole("left")
    plain = replace(PERFECT, cut_out_share=0.0, burnt_in_share=0.0)
    toes = (layout.parts >= 2) & (layout.parts <= 6)
    measured, told = [], []
    for seed in range(30):
        scene = paint(layout, np.random.default_rng(seed), replace(TRAINING, painting=plain))
        told.append(scene.figures["limb1_digits_contrast_c"])
        measured.append(scene.celsius[toes].mean() - np.median(scene.celsius[layout.parts == 0]))
    assert np.corrcoef(measured, told)[0, 1] > 0.9


def test_blur_and_few_pixels_leave_the_mean_as_it_is() -> None:
    surface = np.full((192, 256), 24.0, dtype=np.float32)
    surface[60:140, 80:180] = 30.0
    bad = replace(TRAINING.painting, sensor_width_px=(80.0, 80.0), vignette_c=(0.0, 0.0))
    seen = photograph(surface, np.random.default_rng(1), bad)
    assert seen.shape == surface.shape
    assert seen.mean() == pytest.approx(surface.mean(), abs=0.2)
    assert np.abs(np.diff(seen, axis=1)).max() < np.abs(np.diff(surface, axis=1)).max()


def test_a_perfect_camera_reports_the_surface() -> None:
    surface = np.random.default_rng(0).normal(25, 2, (96, 128)).astype(np.float32)
    errors = [np.median(np.abs(photograph(surface, np.random.default_rng(s), PERFECT) - surface)) for s in range(20)]
    assert np.median(errors) < 0.05


def test_cutting_out_leaves_skin_and_one_constant() -> None:
    seen = np.random.default_rng(0).normal(25, 2, (40, 50)).astype(np.float32)
    keep = np.zeros(seen.shape, dtype=bool)
    keep[10:30, 20:40] = True
    cut = cut_out(seen, keep, np.random.default_rng(1))
    assert np.unique(cut[~keep]).size == 1
    np.testing.assert_array_equal(cut[keep], seen[keep])
    np.testing.assert_array_equal(cut_out(seen, np.zeros_like(keep), np.random.default_rng(1)), seen)
