"""Limbs that warm by 10 °C and pass the room's temperature are followed; frames that do not show them are told."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from benchmarks.rewarming_scene import (
    Poses,
    Scene,
    as_recording,
    make_scene,
    paint,
    pose_matrix,
    restless_poses,
    usual_courses,
)
from rewarm.alignment import carried_regions, follow_motion
from rewarm.alignment.appearance import limb_mask
from rewarm.errors import InvalidInputError
from rewarm.motion import BLURRED, COVERED, EMPTY, LOST, OUTSIDE, SHUTTER, Motion
from rewarm.regions import Regions

TIME_S = np.arange(0.0, 900.0, 20.0)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene((180, 240))


@pytest.fixture(scope="module")
def poses() -> Poses:
    return restless_poses(len(TIME_S))


@pytest.fixture(scope="module")
def moved(scene: Scene, poses: Poses) -> NDArray[np.float32]:
    return np.stack(list(paint(scene, usual_courses(), TIME_S, poses)))


@pytest.fixture(scope="module")
def unmoved(scene: Scene) -> NDArray[np.float32]:
    return np.stack(list(paint(scene, usual_courses(), TIME_S)))


def off_px(scene: Scene, motion: Motion, poses: Poses, side: str) -> NDArray[np.float64]:
    """Root mean square over the limb's pixels of how far each is from where it truly went, per frame followed."""
    y, x = np.nonzero(limb_mask(scene.regions, side))
    points = np.stack([x, y, np.ones_like(x)]).astype(np.float64)
    start = np.vstack([pose_matrix(scene, side, poses[side][motion.reference]), [0, 0, 1]])
    found = []
    for place, frame in enumerate(motion.frames):
        if motion.limbs[side].reasons[place]:
            continue
        true = np.vstack([pose_matrix(scene, side, poses[side][frame]), [0, 0, 1]]) @ np.linalg.inv(start)
        off = (motion.limbs[side].transforms[place] - true[:2]) @ points
        found.append(np.sqrt((off**2).sum(axis=0).mean()))
    return np.array(found)


@pytest.mark.parametrize("side", ["left", "right"])
def test_feet_that_warm_through_the_room_s_temperature_are_followed(scene, poses, moved, side: str):
    motion = follow_motion(as_recording(moved, TIME_S), scene.regions, reference=0)
    assert motion.left_out(side) == {}
    off = off_px(scene, motion, poses, side)
    assert off.max() < 0.3
    farthest = motion.largest_px(side, at=(0.29 * 240 if side == "right" else 0.71 * 240, 90.0))
    assert farthest > 4.0, "there was motion to be followed"


def test_a_reference_in_the_middle_is_followed_both_ways(scene, poses, moved):
    middle = 22
    place = Regions  # regions as they lie in that frame are those of the first, carried there
    first = follow_motion(as_recording(moved, TIME_S), scene.regions, reference=0)
    there: Regions = carried_regions(scene.regions, first, middle)
    assert isinstance(there, place)
    motion = follow_motion(as_recording(moved, TIME_S), there, reference=middle)
    for side in ("left", "right"):
        assert len(off_px(scene, motion, poses, side)) == len(TIME_S)
        assert off_px(scene, motion, poses, side).max() < 0.5


def test_outlines_beside_the_limb_do_not_pull_it_away(scene, poses, moved):
    beside = replace(
        scene.regions, items=tuple(replace(r, mask=np.roll(r.mask, (1, 2), (0, 1))) for r in scene.regions.items)
    )
    motion = follow_motion(as_recording(moved, TIME_S), beside, reference=0)
    for side in ("left", "right"):
        assert off_px(scene, motion, poses, side).max() < 0.6


@pytest.mark.parametrize("by_px", [1, -1])
def test_outlines_a_pixel_too_large_or_too_small_do_no_harm(scene, poses, moved, by_px: int):
    square = np.ones((3, 3), np.uint8)
    change = cv2.dilate if by_px > 0 else cv2.erode
    off = replace(
        scene.regions,
        items=tuple(replace(r, mask=change(r.mask.astype(np.uint8), square) > 0) for r in scene.regions.items),
    )
    motion = follow_motion(as_recording(moved, TIME_S), off, reference=0)
    for side in ("left", "right"):
        assert motion.left_out(side) == {}
        assert off_px(scene, motion, poses, side).max() < 0.3


def test_what_is_known_of_a_frame_without_motion(scene, unmoved):
    motion = follow_motion(as_recording(unmoved, TIME_S), scene.regions, reference=0)
    for side in ("left", "right"):
        assert motion.largest_px(side, at=(120.0, 90.0)) < 0.3
        assert np.nanmin(motion.limbs[side].likeness) > 0.7


def spoiled(frames: NDArray[np.float32], scene: Scene) -> tuple[NDArray[np.float32], dict[int, dict[str, str]]]:
    frames = frames.copy()
    y, x = np.nonzero(limb_mask(scene.regions, "left"))
    hand = np.hypot(np.arange(180)[:, None] - y.max() + 20, np.arange(240)[None, :] - x.mean()) < 25
    frames[10][hand] = 33.0
    frames[11][hand] = 33.0
    frames[15] = 24.0 + np.random.default_rng(1).normal(0, 0.05, frames[15].shape)
    frames[20] = cv2.GaussianBlur(frames[20], (0, 0), 4.0)
    frames[30] = np.nan
    both = {"left": SHUTTER, "right": SHUTTER}
    told = {
        10: {"left": COVERED}, 11: {"left": COVERED}, 15: both,
        20: {"left": BLURRED, "right": BLURRED}, 30: {"left": EMPTY, "right": EMPTY},
    }  # fmt: skip
    return frames, told


def test_frames_that_do_not_show_the_limb_are_left_out_with_the_reason(scene, poses, moved):
    frames, told = spoiled(moved, scene)
    motion = follow_motion(as_recording(frames, TIME_S), scene.regions, reference=0)
    for side in ("left", "right"):
        found = {place: reason for place, reason in enumerate(motion.limbs[side].reasons) if reason}
        assert found == {frame: reasons[side] for frame, reasons in told.items() if side in reasons}
        assert off_px(scene, motion, poses, side).max() < 0.35
    assert motion.left_out("left") == {COVERED: 2, SHUTTER: 1, BLURRED: 1, EMPTY: 1}


def test_an_offset_of_the_whole_picture_is_no_motion_and_no_fault(scene, unmoved):
    frames = unmoved.copy()
    frames[20:] += 0.8
    motion = follow_motion(as_recording(frames, TIME_S), scene.regions, reference=0)
    assert motion.left_out("left") == motion.left_out("right") == {}


def test_a_limb_that_leaves_the_picture_is_told(scene, unmoved):
    frames = unmoved[:8].copy()
    for i in range(4, 8):  # everything slides to the right, the left foot out of the picture
        frames[i] = np.roll(frames[i], 40 * (i - 3), axis=1)
        frames[i][:, : 40 * (i - 3)] = 22.0
    motion = follow_motion(as_recording(frames, TIME_S[:8]), scene.regions, reference=0)
    assert set(motion.limbs["left"].reasons[6:]) <= {OUTSIDE, LOST, COVERED}
    assert all(motion.limbs["left"].reasons[6:])


def test_a_finder_brings_back_a_limb_that_was_lost(scene, unmoved):
    shift = 70
    frames = unmoved[:16].copy()
    frames[8:] = np.roll(frames[8:], shift, axis=2)
    frames[8:, :, :shift] = 22.0
    away = {
        item.name: replace(item, mask=np.roll(item.mask, shift, axis=1)) if item.side == "right" else item
        for item in scene.regions.items
    }
    asked = []

    def find(frame: NDArray[np.float32]) -> Regions:
        asked.append(frame.shape)
        return replace(scene.regions, items=tuple(away.values()))

    recording = as_recording(frames, TIME_S[:16])
    lost = follow_motion(recording, scene.regions, reference=0)
    found = follow_motion(recording, scene.regions, reference=0, find=find)
    assert all(lost.limbs["right"].reasons[8:])
    assert not any(found.limbs["right"].reasons)
    assert found.limbs["right"].transforms[-1, :, 2] == pytest.approx([shift, 0.0], abs=0.5)
    assert set(asked) == {(180, 240)}


def test_only_a_few_frames_are_read_at_a_time(scene, unmoved, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rewarm.alignment.motion.BLOCK_PIXELS", 4 * 180 * 240)
    read: list[int] = []
    real = xr.DataArray.to_numpy

    def spy(self: xr.DataArray):
        if self.ndim == 3:
            read.append(self.shape[0])
        return real(self)

    monkeypatch.setattr(xr.DataArray, "to_numpy", spy)
    frames = np.array([0, 3, 4, 9, 10, 11, 20])
    motion = follow_motion(as_recording(unmoved, TIME_S), scene.regions, reference=9, frames=frames)
    assert list(motion.frames) == list(frames)
    assert read
    assert max(read) <= 4
    assert sum(read) == len(frames)


def test_carried_regions_lie_where_the_limb_is(scene, poses, moved):
    motion = follow_motion(as_recording(moved, TIME_S), scene.regions, reference=0)
    there = carried_regions(scene.regions, motion, 30)
    before, after = scene.regions.get("left", "heel"), there.get("left", "heel")
    y, x = np.nonzero(before.mask)
    expected = pose_matrix(scene, "left", poses["left"][30]) @ np.array([x.mean(), y.mean(), 1.0])
    y, x = np.nonzero(after.mask)
    assert (x.mean(), y.mean()) == pytest.approx(tuple(expected), abs=0.4)
    tip = "left_heel_point"
    assert np.hypot(*np.subtract(there.landmarks[tip], scene.regions.landmarks[tip])) > 1.0


def test_what_does_not_fit_is_refused(scene, unmoved):
    recording = as_recording(unmoved[:3], TIME_S[:3])
    with pytest.raises(InvalidInputError, match=r"reference: expected one of the frames looked at; found 9"):
        follow_motion(recording, scene.regions, reference=9)
    small = replace(scene.regions, shape=(10, 10))
    with pytest.raises(InvalidInputError, match=r"regions: expected the frames' shape .*found \(10, 10\)"):
        follow_motion(recording, small, reference=0)
    with pytest.raises(InvalidInputError, match="A still does not move"):
        follow_motion(recording.isel(time=0), scene.regions, reference=0)
    empty = replace(scene.regions, items=tuple(replace(r, confidence=0.0) for r in scene.regions.items))
    with pytest.raises(InvalidInputError, match="found none"):
        follow_motion(recording, empty, reference=0)
