"""A recording frame by frame: what is steady, what is not, and how much of it is in memory."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import rewarm.measures.frames as frames_module
from rewarm.measures import evenly_spread, frame_blocks, frame_jumps, steady_frames, survey_frames
from rewarm.thermogram import Provenance, make_thermogram


def scene(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    """A warm square on a cold ground with noise of 50 mK, (count, 60, 80)."""
    picture = np.full((60, 80), 22.0)
    picture[15:45, 20:60] = 30.0
    return (picture + rng.normal(0, 0.05, (count, 60, 80))).astype(np.float32)


def recording(frames: NDArray[np.float32]):
    return make_thermogram(
        frames, provenance=Provenance("r", "0" * 64, "test", "0"), time_s=np.arange(len(frames), dtype=np.float64)
    )


def smeared(frame: NDArray[np.float32], px: int) -> NDArray[np.float32]:
    return np.mean([np.roll(frame, shift, axis=1) for shift in range(px)], axis=0).astype(np.float32)


def test_all_frames_of_a_still_scene_are_steady():
    steady = steady_frames(survey_frames(recording(scene(np.random.default_rng(1), 50))))
    assert steady.frames.tolist() == list(range(50))
    assert (steady.beyond_jumps, steady.blurred, steady.empty) == (0, 0, 0)


def test_the_longest_stretch_between_jumps_is_steady():
    frames = scene(np.random.default_rng(2), 60)
    frames[10:] += 0.4
    frames[45:] -= 0.3
    survey = survey_frames(recording(frames))
    steady = steady_frames(survey)
    assert steady.frames.tolist() == list(range(10, 45))
    assert steady.usable.tolist() == list(range(60))
    assert steady.beyond_jumps == 25
    assert survey.level_c[[9, 10, 44, 45]] == pytest.approx([0.0, 0.4, 0.4, 0.1], abs=0.02)


def test_blurred_and_empty_frames_are_left_out():
    frames = scene(np.random.default_rng(3), 40)
    frames[7], frames[20] = smeared(frames[7], 8), smeared(frames[20], 5)
    frames[31] = np.nan
    steady = steady_frames(survey_frames(recording(frames)))
    assert (steady.blurred, steady.empty) == (2, 1)
    assert sorted({*range(40)} - {*steady.frames.tolist()}) == [7, 20, 31]
    assert steady.best in steady.frames


def test_a_scene_whose_contrast_grows_is_not_blurred_at_its_beginning():
    frames = scene(np.random.default_rng(4), 80)
    frames[:, 15:45, 20:60] += np.linspace(-6.0, 4.0, 80, dtype=np.float32)[:, None, None]
    assert steady_frames(survey_frames(recording(frames))).blurred == 0


def test_where_every_frame_is_faulty_one_is_chosen():
    frames = np.full((6, 60, 80), np.nan, dtype=np.float32)
    steady = steady_frames(survey_frames(recording(frames)))
    assert steady.frames.tolist() == [0]
    assert steady.empty == 6


def test_all_frames_are_read_once_and_few_at_a_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(frames_module, "BLOCK_PIXELS", 7 * 60 * 80)
    array = recording(scene(np.random.default_rng(5), 100))
    read: list[int] = []
    real = frames_module.frame_blocks

    def spy(*args):
        for block in real(*args):
            read.append(len(block))
            yield block

    monkeypatch.setattr(frames_module, "frame_blocks", spy)
    found = frame_jumps(array)
    assert found is not None
    assert found.n_frames == sum(read) == 100
    assert max(read) == 7
    read.clear()
    found = frame_jumps(array, most_frames=30)
    assert found is not None
    assert (found.n_frames, found.gap_frames, sum(read)) == (25, 4, 25)


def test_blocks_hold_the_chosen_frames_in_order():
    frames = scene(np.random.default_rng(6), 20)
    chosen = np.array([3, 4, 19])
    got = np.concatenate(list(frame_blocks(recording(frames)["temperature"], chosen)))
    np.testing.assert_array_equal(got, frames[chosen])


def test_evenly_spread_keeps_both_ends():
    assert evenly_spread(np.arange(5), 10).tolist() == [0, 1, 2, 3, 4]
    picked = evenly_spread(np.arange(1000), 11)
    assert (picked[0], picked[-1], len(picked)) == (0, 999, 11)
    assert set(np.diff(picked)) <= {99, 100}
