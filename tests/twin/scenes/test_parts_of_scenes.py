"""Curves, digits, covers and noise: the parts that scenes are made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from rewarm.twin.scenes import PARTS, random_layout
from rewarm.twin.scenes.covers import add_blanket, covered_with
from rewarm.twin.scenes.leg import LegShape
from rewarm.twin.scenes.mesh import Digit, digit_mesh, ellipsoid, through
from rewarm.twin.scenes.noise import blurred, blurred_within, ridges, smooth_field

from .conftest import foot, seen, sole

FINGER = Digit((0.0, 0.0, 0.0), 1.0, 0.0, 0.0, (0.5,), (0.0,), 0.1, 0.1, 0.9, 0.25)


def test_a_curve_passes_its_points_and_does_not_overshoot() -> None:
    at, values = np.array([0.0, 0.1, 0.3, 0.7, 1.0]), np.array([0.0, 1.0, 1.0, 0.2, 0.3])
    np.testing.assert_allclose(through(at, values, at), values, atol=1e-12)
    fine = np.linspace(0, 1, 301)
    assert through(at, values, fine).max() < 1.06
    assert np.abs(through(at, values, fine) - PchipInterpolator(at, values)(fine)).max() < 0.12


def test_a_straight_digit_has_its_length_and_its_web() -> None:
    mesh, tip = digit_mesh(FINGER, part=11, rest=16)
    np.testing.assert_allclose(tip, [1, 0, 0], atol=1e-9)
    assert mesh.corners[mesh.parts == 16][..., 0].max() == pytest.approx(0.25)
    assert mesh.corners[mesh.parts == 11][..., 0].min() == pytest.approx(0.25)


def test_a_bent_digit_points_down_and_a_turned_one_to_its_side() -> None:
    _, bent = digit_mesh(replace(FINGER, bends=(90.0,)), part=11, rest=16)
    assert bent[2] < -0.35
    _, turned = digit_mesh(replace(FINGER, angle=30.0), part=11, rest=16)
    np.testing.assert_allclose(turned, [np.cos(np.pi / 6), 0.5, 0], atol=1e-9)


def test_normals_point_outwards() -> None:
    ball = ellipsoid(np.array([1.0, 2.0, 3.0]), np.diag([0.5, 0.3, 0.2]), part=1)
    assert (np.sum(ball.normals * (ball.centres - [1, 2, 3]), axis=1) > 0).all()


def test_a_blanket_hides_the_leg_from_the_knee_down_to_its_line() -> None:
    bare = seen([foot("right", leg=LegShape(top=3.4))], elevation=70.0, at=(120.0, 190.0))
    covered = add_blanket(bare, np.random.default_rng(4))
    leg = PARTS.index("other_skin")
    gone = (bare.parts == leg) & (covered.parts == 0)
    assert np.count_nonzero(gone) > 100
    left = covered.parts == leg
    if left.any():
        assert np.nanmean(bare.along[gone]) < np.nanmean(bare.along[left])
    assert covered.kinds == ("foot", "other")
    assert (covered.limbs[gone] == 2).all()


def test_no_leg_no_blanket() -> None:
    layout = sole("left")
    assert add_blanket(layout, np.random.default_rng(0)) is layout


def test_what_is_covered_loses_its_truth_and_its_landmarks_sight() -> None:
    layout = sole("left")
    mask = np.zeros(layout.parts.shape, dtype=bool)
    mask[:80] = True
    covered = covered_with(layout, mask)
    assert not covered.parts[mask].any()
    assert not covered.sides[mask].any()
    assert np.isnan(covered.along[mask]).all()
    toes = layout.landmarks[0, :5]
    under = toes[:, 1] < 80
    assert under.any()
    np.testing.assert_array_equal(covered.landmarks[0, :5, 2], np.where(under, 0, toes[:, 2]))
    assert layout.landmarks[0, 0, 2] == 1


def test_fields_are_about_standard_and_folds_lie_between_nought_and_one() -> None:
    fields = [smooth_field(np.random.default_rng(seed), (96, 128), (6, 8)) for seed in range(20)]
    assert np.mean(fields) == pytest.approx(0, abs=0.1)
    assert np.std(fields) == pytest.approx(1, abs=0.2)
    folds = [ridges(np.random.default_rng(seed), (96, 128)) for seed in range(20)]
    assert 0 <= np.min(folds) <= np.max(folds) <= 1
    assert np.max(folds) > 0.8


def test_a_wide_blur_keeps_the_mean_and_evens_out() -> None:
    noise = np.random.default_rng(0).normal(size=(96, 128)).astype(np.float32)
    wide = blurred(noise, 12.0)
    assert wide.mean() == pytest.approx(noise.mean(), abs=0.02)
    assert wide.std() < 0.1


def test_a_blur_within_a_mask_takes_no_notice_of_the_outside() -> None:
    values = np.full((40, 40), 100.0, dtype=np.float32)
    mask = np.zeros(values.shape, dtype=bool)
    mask[10:30, 10:30] = True
    values[mask] = 3.0
    np.testing.assert_allclose(blurred_within(values, mask, 7)[mask], 3.0, rtol=1e-4)


def test_layouts_of_one_seed_do_not_depend_on_what_was_drawn_before() -> None:
    first = random_layout(np.random.default_rng(11)).parts
    random_layout(np.random.default_rng(12))
    np.testing.assert_array_equal(random_layout(np.random.default_rng(11)).parts, first)
