"""Curves from recordings whose every frame is known: means, motion, jumps, what is left out, and what is shared."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.rewarming_scene import (
    Scene,
    as_recording,
    make_scene,
    only,
    paint,
    pose_matrix,
    restless_poses,
    usual_courses,
)
from rewarm.errors import InvalidInputError
from rewarm.measures import RegionCurves, region_curves, still_curves
from rewarm.measures.assumptions import Assumptions
from rewarm.motion import COVERED, LimbMotion, Motion, still_motion
from rewarm.regions import Regions

TIME_S = np.arange(0.0, 900.0, 20.0)
SIDES = ("left", "right")
TOES = ("toe1", "toe2", "toe3", "toe4", "toe5")


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene((120, 160))


@pytest.fixture(scope="module")
def regions(scene: Scene) -> Regions:
    return only(scene.regions, (*TOES, "arch"))


@pytest.fixture(scope="module")
def frames(scene: Scene) -> NDArray[np.float32]:
    return np.stack(list(paint(scene, usual_courses(), TIME_S)))


@pytest.fixture(scope="module")
def clean(scene: Scene) -> NDArray[np.float32]:
    return np.stack(list(paint(scene, usual_courses(), TIME_S, noise_c=0.0)))


def still(count: int) -> Motion:
    return still_motion(np.arange(count), 0, SIDES)


def true_means(clean: NDArray[np.float32], regions: Regions, name: tuple[str, str]) -> NDArray[np.float64]:
    return clean[:, regions.get(*name).mask].mean(axis=1, dtype=np.float64)


def test_curves_are_the_regions_means(frames, clean, regions):
    curves = region_curves(as_recording(frames, TIME_S), regions, still(len(TIME_S)), start_s=7.0)
    assert set(curves.names) == {(side, region) for side in SIDES for region in (*TOES, "arch")}
    np.testing.assert_allclose(curves.time_s, TIME_S + 7.0)
    for name in curves.names:
        np.testing.assert_allclose(curves.of(*name), true_means(clean, regions, name), atol=0.05)
    assert curves.of("left", "heel") is None
    assert curves.left_out == ()


def test_regions_that_moved_are_the_same_skin(scene, clean, regions):
    poses = restless_poses(len(TIME_S), shift_px=4.0)
    moved = np.stack(list(paint(scene, usual_courses(), TIME_S, poses)))
    limbs = {}
    for side in SIDES:
        start = np.vstack([pose_matrix(scene, side, poses[side][0]), [0, 0, 1]])
        matrices = [
            (np.vstack([pose_matrix(scene, side, pose), [0, 0, 1]]) @ np.linalg.inv(start))[:2] for pose in poses[side]
        ]
        limbs[side] = LimbMotion(np.array(matrices), ("",) * len(TIME_S), np.ones(len(TIME_S)))
    motion = Motion(np.arange(len(TIME_S)), 0, limbs)
    followed = region_curves(as_recording(moved, TIME_S), regions, motion)
    ignored = region_curves(as_recording(moved, TIME_S), regions, still(len(TIME_S)))
    off = {}
    for label, curves in (("followed", followed), ("ignored", ignored)):
        off[label] = max(
            np.nanmax(np.abs(curves.of(*name) - true_means(clean, regions, name))) for name in curves.names
        )
    assert off["followed"] < 0.25
    assert off["ignored"] > 4 * off["followed"]


def test_frames_and_spikes_are_left_out_and_said(frames, regions):
    time_s = np.arange(45) * 10.0
    spoiled = frames.copy()
    spoiled[20][regions.get("left", "toe3").mask] = 33.0
    motion = still(45)
    reasons = ["" for _ in range(45)]
    reasons[5] = reasons[6] = COVERED
    limb = motion.limbs["right"]
    motion = Motion(
        motion.frames, 0, {"left": limb, "right": LimbMotion(limb.transforms, tuple(reasons), limb.likeness)}
    )
    curves = region_curves(as_recording(spoiled, time_s), regions, motion)
    assert np.flatnonzero(np.isnan(curves.of("right", "toe1"))).tolist() == [5, 6]
    assert np.flatnonzero(np.isnan(curves.of("left", "toe3"))).tolist() == [20]
    assert np.isfinite(curves.of("left", "toe1")).all()
    assert curves.left_out == (
        "right: 2 of 45 frames left out (2 covered)",
        "left toe3: 1 of 45 frames left out (covered)",
    )


def test_a_jump_of_the_whole_picture_is_put_right_by_the_room(frames, regions):
    jumped = frames.copy()
    jumped[25:] += 0.7
    plain = region_curves(as_recording(frames, TIME_S), regions, still(len(TIME_S)))
    curves = region_curves(as_recording(jumped, TIME_S), regions, still(len(TIME_S)))
    assert curves.jumps_s == (500.0,)
    np.testing.assert_allclose(curves.of("left", "toe1"), plain.of("left", "toe1"), atol=0.02)


def test_a_drift_of_the_room_is_a_cause_and_not_taken_off(frames, regions):
    drift = (0.4 * TIME_S / TIME_S[-1]).astype(np.float32)
    curves = region_curves(as_recording(frames + drift[:, None, None], TIME_S), regions, still(len(TIME_S)))
    cause = next(cause for cause in curves.causes if cause.name == "drift within the recording")
    assert cause.effect_c[0, -1] == pytest.approx(0.4 / np.sqrt(3.0), abs=0.02)
    assert curves.jumps_s == ()


def test_causes_share_what_the_picture_shares(frames, regions):
    curves = region_curves(as_recording(frames, TIME_S), regions, still(len(TIME_S)))
    by_name = {cause.name: cause for cause in curves.causes}
    camera = by_name["camera accuracy"]
    assert np.all(camera.effect_c == camera.effect_c[0, 0])
    assert camera.effect_c[0, 0] == pytest.approx(2.0 / np.sqrt(3.0))
    emissivity = by_name["emissivity"].effect_c[0]
    assert emissivity[0] * emissivity[-1] < 0, "skin colder than the room errs to the other side than warmer skin"
    outline = next(c.effect_c[0] for c in curves.causes if c.name == "outline" and c.effect_c[0].any())
    assert outline[0] * outline[-1] < 0, "an outline beside a cold toe lets the warmer room in"


def test_noise_is_the_larger_of_told_and_shown(frames, regions):
    quiet = Assumptions(netd_mk=1.0)
    curves = region_curves(as_recording(frames, TIME_S), regions, still(len(TIME_S)), assumptions=quiet)
    row = curves.names.index(("left", "arch"))
    shaken = frames + np.random.default_rng(1).normal(0, 0.2, (len(TIME_S), 1, 1)).astype(np.float32)
    shown = region_curves(as_recording(shaken, TIME_S), regions, still(len(TIME_S)), assumptions=quiet)
    assert np.median(shown.noise_c[row]) == pytest.approx(0.2, rel=0.5)
    assert np.median(curves.noise_c[row]) < 0.05


def test_fast_frames_are_averaged_over_a_second(frames, regions):
    fast = np.repeat(frames[:12], 10, axis=0)
    times = np.arange(120) / 10.0
    curves = region_curves(as_recording(fast, times), regions, still(120))
    assert curves.time_s.size == 12
    np.testing.assert_allclose(np.diff(curves.time_s), 1.0)


def stills_of(frames, regions, chosen) -> RegionCurves:
    recording = as_recording(frames, TIME_S)
    return still_curves([(float(TIME_S[i]), recording.isel(time=i, drop=True), regions) for i in chosen])


def test_stills_become_curves_too(frames, clean, regions):
    curves = stills_of(frames, regions, [30, 0, 15, 44])
    assert curves.time_s.tolist() == [0.0, 300.0, 600.0, 880.0]
    expected = true_means(clean, regions, ("left", "toe2"))[[0, 15, 30, 44]]
    np.testing.assert_allclose(curves.of("left", "toe2"), expected, atol=0.05)
    assert {"camera accuracy", "emissivity"} <= {cause.name for cause in curves.causes}
    video = region_curves(as_recording(frames, TIME_S), regions, still(len(TIME_S)))
    assert np.median(curves.noise_c) > 3 * np.median(video.noise_c), "each still has outlines of its own"


def test_what_does_not_fit_is_refused(frames, regions):
    recording = as_recording(frames[:4], TIME_S[:4])
    with pytest.raises(InvalidInputError, match="expected frames of this recording, 0 to 3"):
        region_curves(recording, regions, still(9))
    with pytest.raises(InvalidInputError, match="For stills use still_curves"):
        region_curves(recording.isel(time=0), regions, still(1))
    with pytest.raises(InvalidInputError, match="limb that was followed"):
        region_curves(recording, regions, Motion(np.arange(4), 0, {}))
    nobody = LimbMotion(np.tile(np.eye(2, 3), (4, 1, 1)), (COVERED,) * 4, np.full(4, np.nan))
    with pytest.raises(InvalidInputError, match="found none of 4"):
        region_curves(recording, regions, Motion(np.arange(4), 0, {"left": nobody}))
    with pytest.raises(InvalidInputError, match="each at a time of its own"):
        stills_of(frames, regions, [3, 3])
