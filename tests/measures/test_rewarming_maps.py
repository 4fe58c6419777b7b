"""Maps of lag, rate and half-time against painted truth and SciPy's own fit, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import curve_fit

from rewarm.errors import InvalidInputError
from rewarm.measures import pixel_maps, rewarming_maps
from rewarm.motion import COVERED, LimbMotion, Motion
from rewarm.regions import Region, Regions
from rewarm.thermogram import Provenance, make_thermogram

TIME_S = np.arange(0.0, 900.0, 10.0)
SHAPE = (24, 32)
Y, X = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
ONSET = 20.0 + 80.0 * X / SHAPE[1]
TAU = 60.0 + 200.0 * Y / SHAPE[0]
RISE = 5.0 + 6.0 * X / SHAPE[1]


def course(t, start, rise, onset, tau):
    return start + rise * (1.0 - np.exp(-np.maximum(t - onset, 0.0) / tau))


@pytest.fixture(scope="module")
def frames():
    noise = np.random.default_rng(1).normal(0, 0.05, (TIME_S.size, *SHAPE))
    return (course(TIME_S[:, None, None], 15.0, RISE, ONSET, TAU) + noise).astype(np.float32)


def test_maps_show_what_was_painted(frames):
    maps = pixel_maps(TIME_S, frames)
    for found, truth, within in (
        (maps.half_time_s, TAU * np.log(2.0), 3.0), (maps.lag_s, ONSET, 3.0), (maps.rise_c, RISE, 0.1),
        (maps.start_c, np.full(SHAPE, 15.0), 0.1), (maps.rate_c_per_min, 60.0 * RISE / TAU, 0.25),
    ):  # fmt: skip
        assert np.isfinite(found).all()
        assert np.median(np.abs(found - truth)) < within / 3
        assert np.percentile(np.abs(found - truth), 95) < within
    assert np.median(maps.residual_c) == pytest.approx(0.05, rel=0.1)


def test_maps_agree_with_scipy_s_fit(frames):
    maps = pixel_maps(TIME_S, frames)
    off, worse = [], 0
    for y, x in np.random.default_rng(2).integers(0, SHAPE, (40, 2)):
        values = frames[:, y, x].astype(np.float64)
        best, _ = curve_fit(course, TIME_S, values, p0=[15.0, 8.0, 50.0, 150.0])
        off.append(maps.half_time_s[y, x] - best[3] * np.log(2.0))
        mine = (maps.start_c[y, x], maps.rise_c[y, x], maps.lag_s[y, x], maps.half_time_s[y, x] / np.log(2.0))
        worse += ((course(TIME_S, *mine) - values) ** 2).sum() > 1.01 * ((course(TIME_S, *best) - values) ** 2).sum()
    assert np.median(np.abs(off)) < 0.05
    assert np.percentile(np.abs(off), 95) < 1.0
    assert worse <= 1


def test_nothing_is_said_where_nothing_rose_or_the_half_lies_beyond_the_end(frames):
    frames = frames.copy()
    frames[:, :6] = 20.0 + np.random.default_rng(3).normal(0, 0.05, (TIME_S.size, 6, SHAPE[1]))
    frames[:, 6:12] = course(TIME_S[:, None, None], 15.0, 30.0, 100.0, 3000.0)
    frames[:, 12, 0] = np.nan
    frames[3:9, 13, 0] = np.nan
    maps = pixel_maps(TIME_S, frames)
    assert np.isnan(maps.half_time_s[:6]).all()
    assert np.isnan(maps.rise_c[:6]).all()
    assert np.isfinite(maps.start_c[:6]).all()
    assert np.isnan(maps.half_time_s[6:12]).all()
    assert np.isfinite(maps.rate_c_per_min[6:12]).all()
    assert np.isnan(maps.start_c[12, 0])
    assert maps.half_time_s[13, 0] == pytest.approx(TAU[13, 0] * np.log(2.0), abs=5.0)


def test_a_recording_is_moved_back_and_covered_frames_are_left_out(frames):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[4:20, 4:24] = True
    regions = Regions(SHAPE, "left_foot", "plantar", (Region("left", "toe1", mask, 1.0, "a person"),), {})
    moved, reasons = frames.copy(), [""] * TIME_S.size
    matrices = np.tile(np.eye(2, 3), (TIME_S.size, 1, 1))
    for i in range(0, TIME_S.size, 2):
        moved[i] = np.roll(frames[i], 3, axis=1)
        matrices[i, 0, 2] = 3.0
    moved[11] = 33.0
    reasons[11] = COVERED
    limb = LimbMotion(matrices, tuple(reasons), np.ones(TIME_S.size))
    motion = Motion(np.arange(TIME_S.size), 0, {"left": limb})
    recording = make_thermogram(moved, provenance=Provenance("r", "0" * 64, "test", "0"), time_s=TIME_S)
    maps = rewarming_maps(recording, regions, motion)
    still = pixel_maps(TIME_S, frames, mask)
    assert np.isnan(maps.half_time_s[~mask]).all()
    assert np.nanmedian(np.abs(maps.half_time_s - still.half_time_s)) < 0.5
    assert np.nanmedian(np.abs(maps.lag_s - ONSET)) < 2.0
    late = rewarming_maps(recording, regions, motion, start_s=30.0, most_frames=45)
    assert np.nanmedian(late.lag_s - ONSET) == pytest.approx(30.0, abs=3.0)


def test_too_few_frames_are_refused(frames):
    with pytest.raises(InvalidInputError, match="of 6 frames or more"):
        pixel_maps(TIME_S[:4], frames[:4])
    mask = np.ones(SHAPE, dtype=bool)
    regions = Regions(SHAPE, "left_foot", "plantar", (Region("left", "toe1", mask, 1.0, "a person"),), {})
    limb = LimbMotion(np.tile(np.eye(2, 3), (4, 1, 1)), ("",) * 4, np.ones(4))
    recording = make_thermogram(frames[:4], provenance=Provenance("r", "0" * 64, "test", "0"), time_s=TIME_S[:4])
    maps = rewarming_maps(recording, regions, Motion(np.arange(4), 0, {"left": limb}))
    assert np.isnan(maps.half_time_s).all()
    assert maps.missing == (
        "left: no maps, because the limb was followed in 4 frames after the immersion; 6 are needed",
    )
