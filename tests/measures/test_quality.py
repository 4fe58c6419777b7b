"""Figures read off pictures whose faults were put in with a known size."""

from __future__ import annotations

from dataclasses import replace
from math import hypot, sqrt
from typing import Any

import numpy as np
import pytest
import xarray as xr

from rewarm.errors import InvalidThermogramError
from rewarm.measures.foreshortening import viewing_angle_range_deg
from rewarm.measures.frames import frame_jumps
from rewarm.measures.quality import (
    WIDTH_PER_SIGMA,
    direction_words,
    noise_c,
    picture_quality,
)
from rewarm.regions import Region, Regions


def true_width(blur_px: float) -> float:
    """Of the optics' blur and a pixel's own width, from 10 to 90 %."""
    return WIDTH_PER_SIGMA * hypot(blur_px, 1 / sqrt(12))


@pytest.mark.parametrize("cold", [False, True])
@pytest.mark.parametrize("blur_px", [0.6, 1.2, 2.0, 3.0])
def test_the_rims_width_is_the_blurs(pictures: Any, blur_px: float, cold: bool) -> None:
    for seed in (1, 2, 3):
        scene, regions = pictures.soles(seed, cold=cold)
        quality = picture_quality(pictures.still(pictures.seen(scene, blur_px=blur_px)), regions)
        assert quality.rim_width_px == pytest.approx(true_width(blur_px), rel=0.18)
        assert quality.reasons == {}


@pytest.mark.parametrize(("extent_px", "direction_deg"), [(4, 0), (6, 45), (8, 90), (10, 120), (7, 150)])
def test_motion_is_told_from_blur_with_its_extent_and_direction(
    pictures: Any, extent_px: float, direction_deg: float
) -> None:
    for seed in (1, 2, 3):
        scene, regions = pictures.soles(seed, cold=seed == 2)
        picture = pictures.seen(scene, motion_px=extent_px, motion_deg=direction_deg)
        quality = picture_quality(pictures.still(picture), regions)
        assert quality.motion_px is not None
        assert quality.motion_px == pytest.approx(extent_px, rel=0.55)
        assert quality.motion_direction_deg is not None
        off_deg = (quality.motion_direction_deg - direction_deg + 90) % 180 - 90
        assert abs(off_deg) < 12
        assert quality.rim_width_px == pytest.approx(true_width(pictures.optics_px), rel=0.45)


def test_a_still_picture_shows_no_motion(pictures: Any) -> None:
    for seed in range(1, 7):
        scene, regions = pictures.soles(seed, cold=seed % 2 == 0)
        quality = picture_quality(pictures.still(pictures.seen(scene)), regions)
        assert quality.motion_px is not None
        assert quality.motion_px < 1.5


@pytest.mark.parametrize("sd_c", [0.03, 0.1, 0.3])
def test_noise_is_the_noise_that_was_added(pictures: Any, sd_c: float) -> None:
    scene, _ = pictures.soles()
    assert noise_c(pictures.seen(scene, noise_c=sd_c)) == pytest.approx(sd_c, rel=0.1)


def test_noise_of_a_picture_with_pixels_without_a_temperature(pictures: Any) -> None:
    scene, _ = pictures.soles()
    picture = pictures.seen(scene, noise_c=0.1)
    picture[:, ::20] = np.nan
    assert noise_c(picture) == pytest.approx(0.1, rel=0.15)
    assert np.isnan(noise_c(np.full((20, 20), np.nan, dtype=np.float32)))


@pytest.mark.parametrize("share", [0.002, 0.05, 0.3])
def test_the_clipped_share_is_what_was_clipped(pictures: Any, share: float) -> None:
    scene, regions = pictures.soles()
    picture = pictures.seen(scene)
    feet = np.any([item.mask for item in regions.items if item.region == "foot"], axis=0)
    top = np.quantile(picture[feet], 1 - share)
    clipped = np.minimum(picture, top)
    assert picture_quality(pictures.still(clipped), regions).clipped_share == pytest.approx(
        (picture[feet] >= top).mean()
    )
    assert picture_quality(pictures.still(picture), regions).clipped_share == 0


def test_temperatures_rounded_to_tenths_are_not_clipped(pictures: Any) -> None:
    scene, regions = pictures.soles()
    assert picture_quality(pictures.still(np.round(pictures.seen(scene), 1)), regions).clipped_share == 0


def test_counts_at_the_detectors_end_are_clipped(pictures: Any) -> None:
    scene, regions = pictures.soles()
    picture = pictures.still(pictures.seen(scene))
    counts = np.full(regions.shape, 20_000, dtype=np.uint16)
    foot = next(item for item in regions.items if item.region == "foot").mask
    counts[foot] = 65_535
    feet = np.any([item.mask for item in regions.items if item.region == "foot"], axis=0)
    share = picture_quality(picture.assign(counts=(("y", "x"), counts)), regions).clipped_share
    assert share == pytest.approx(foot.sum() / feet.sum())


def test_feet_that_the_frame_cuts_are_counted_on_the_border(pictures: Any) -> None:
    scene, regions = pictures.soles(down_px=-40)
    quality = picture_quality(pictures.still(pictures.seen(scene)), regions)
    for side in ("left", "right"):
        foot = regions.get(side, "foot")
        assert foot is not None
        assert quality.cut[side] == foot.mask[0].sum() > 10
    assert {"left toe 1", "right toe 1"} <= set(quality.cut_digits)
    whole, regions = pictures.soles()
    assert set(picture_quality(pictures.still(pictures.seen(whole)), regions).cut.values()) == {0}


def test_the_smallest_digit_is_named_with_its_pixels(pictures: Any) -> None:
    scene, regions = pictures.soles()
    quality = picture_quality(pictures.still(pictures.seen(scene)), regions)
    toes = {item.name: int(item.mask.sum()) for item in regions.items if item.region.startswith("toe")}
    assert quality.digit_px == min(toes.values())
    assert quality.digit_name.replace(" toe ", "_toe") == min(toes, key=lambda name: toes[name])


def test_where_nothing_can_be_read_a_reason_stands(pictures: Any) -> None:
    scene, regions = pictures.soles()
    flat = pictures.still(np.full(regions.shape, 22.0, dtype=np.float32))
    assert "differ from what is around them by less than" in picture_quality(flat, regions).reasons["rim"]
    nothing = replace(regions, items=tuple(replace(item, confidence=0.0) for item in regions.items))
    quality = picture_quality(pictures.still(pictures.seen(scene)), nothing)
    assert (quality.rim_width_px, quality.clipped_share, quality.digit_px, quality.cut) == (None, None, None, {})
    assert quality.reasons == {"rim": "no limb was found"}
    everywhere = np.ones(regions.shape, dtype=bool)
    whole = Regions(regions.shape, "left_foot", "plantar", (Region("left", "arch", everywhere, 1.0, "test"),), {})
    assert "nothing but background" in picture_quality(pictures.still(pictures.seen(scene)), whole).reasons["rim"]


def test_a_background_that_was_cut_away_is_no_edge(pictures: Any) -> None:
    scene, regions = pictures.soles()
    feet = np.any([item.mask for item in regions.items], axis=0)
    cut_out = np.where(feet, pictures.seen(scene), 0).astype(np.float32)
    assert picture_quality(pictures.still(cut_out), regions).rim_width_px is None


def test_a_recording_is_refused_where_a_still_is_needed(pictures: Any) -> None:
    scene, regions = pictures.soles()
    with pytest.raises(InvalidThermogramError, match="expected one picture"):
        picture_quality(pictures.recording(np.stack([scene, scene, scene])), regions)


def rewarming(pictures: Any, n: int, *, jumps_c: dict[int, float]) -> xr.Dataset:
    """Feet that warm by 3 °C in ``n`` frames, slow drift of the whole, noise, and jumps of the whole."""
    scene, regions = pictures.soles(cold=True)
    feet = np.any([item.mask for item in regions.items], axis=0)[::4, ::4]
    rng = np.random.default_rng(3)
    frames = []
    for i in range(n):
        offset = 0.2 * i / n + sum(jump for frame, jump in jumps_c.items() if frame <= i)
        frames.append(scene[::4, ::4] + feet * 3.0 * i / n + offset + rng.normal(0, 0.05, feet.shape))
    return pictures.recording(np.asarray(frames, dtype=np.float32))


def test_shutter_jumps_are_found_with_frame_and_size(pictures: Any) -> None:
    found = frame_jumps(rewarming(pictures, 80, jumps_c={20: 0.3, 55: -0.15}))
    assert found is not None
    assert found.at_frame == (20, 55)
    assert found.jump_c == pytest.approx((0.3, -0.15), abs=0.02)
    assert found.largest_c == pytest.approx(0.3, abs=0.02)
    assert (found.n_frames, found.gap_frames) == (80, 1)


def test_feet_that_warm_are_no_shutter(pictures: Any) -> None:
    found = frame_jumps(rewarming(pictures, 60, jumps_c={}))
    assert found is not None
    assert (found.at_frame, found.largest_c) == ((), 0.0)


def test_all_frames_are_looked_at_unless_a_limit_is_set(pictures: Any) -> None:
    frames = np.zeros((1000, 8, 8), dtype=np.float32) + 25
    frames[500:] += 1
    found = frame_jumps(pictures.recording(frames), most_frames=100)
    assert found is not None
    assert (found.n_frames, found.gap_frames, found.at_frame) == (100, 10, (500,))
    found = frame_jumps(pictures.recording(frames))
    assert found is not None
    assert (found.n_frames, found.gap_frames, found.at_frame) == (1000, 1, (500,))


def test_a_still_and_two_frames_have_no_shutter(pictures: Any) -> None:
    scene, _ = pictures.soles()
    assert frame_jumps(pictures.still(scene)) is None
    assert frame_jumps(pictures.recording(np.stack([scene, scene]))) is None


def squeezed(regions: Regions, factor: float) -> Regions:
    """The regions seen at a slant: rows squeezed about the middle by ``factor``."""
    height = regions.shape[0]
    rows = (np.arange(height) + 0.5 - height / 2) / factor + height / 2
    inside = (rows >= 0) & (rows < height)
    at = np.clip(rows.astype(int), 0, height - 1)
    items = [replace(item, mask=item.mask[at] & inside[:, None]) for item in regions.items]
    return replace(regions, items=tuple(items))


def test_the_angle_that_the_feet_allow_holds_the_true_one(pictures: Any) -> None:
    for seed in range(1, 6):
        _, regions = pictures.soles(seed)
        for angle_deg in (0, 20, 40, 55):
            span = viewing_angle_range_deg(squeezed(regions, float(np.cos(np.deg2rad(angle_deg)))))
            assert span is not None
            assert span[0] <= angle_deg <= span[1] + 3  # the simulator's feet are a little broader than people's
    steep = viewing_angle_range_deg(squeezed(pictures.soles(1)[1], 0.55))
    assert steep is not None
    assert steep[0] > 30


def test_no_angle_without_a_whole_foot(pictures: Any) -> None:
    _, regions = pictures.soles(down_px=-40)
    assert viewing_angle_range_deg(regions) is None


@pytest.mark.parametrize(
    ("angle", "words"), [(0, "sideways"), (178, "sideways"), (90, "up and down"), (45, "diagonally")]
)
def test_directions_have_words(angle: float, words: str) -> None:
    assert direction_words(angle) == words
