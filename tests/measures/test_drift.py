from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from rewarm.errors import InvalidInputError, InvalidThermogramError
from rewarm.measures import apply_reference, measure, reference_offset, reference_offsets
from rewarm.measures.drift import find_jumps, smooth, variances
from rewarm.regions import Region, Regions
from rewarm.thermogram import Provenance, check_thermogram, make_thermogram

BOX = (30, 2, 38, 10)
FRAMES = 300


def wander(rng: np.random.Generator, *, walk_c: float = 0.01, jumps: dict[int, float] | None = None) -> np.ndarray:
    """A camera's offset from frame to frame: slow, and at once where its shutter closes."""
    offset = 0.8 + np.cumsum(rng.normal(0, walk_c, FRAMES))
    for frame, step_c in (jumps or {}).items():
        offset[frame:] += step_c
    return offset


@pytest.fixture
def recording():
    """Skin of 31 °C and a black body of 30 °C, seen by a camera that wanders and jumps; and by how much."""
    rng = np.random.default_rng(11)
    offset = wander(rng, jumps={120: 0.4, 210: -0.6})
    frames = np.full((FRAMES, 20, 40), 31.0) + offset[:, None, None] + rng.normal(0, 0.1, (FRAMES, 20, 40))
    frames[:, 0:12, 28:40] -= 1.0
    thermogram = make_thermogram(
        frames.astype(np.float32),
        time_s=np.arange(FRAMES) / 9.0,
        provenance=Provenance("r.seq", "0" * 64, "test", "0"),
    )
    return thermogram, offset


def test_the_offset_of_each_frame_is_found_and_better_than_each_frame_alone(recording):
    thermogram, offset = recording
    found = reference_offsets(thermogram, reference_c=30.0, reference_box=BOX)
    assert found.offset_c.shape == (FRAMES,)
    assert found.jumps == (120, 210)
    raw = np.sqrt(np.mean((30.0 - found.seen_c + offset) ** 2))
    smoothed = np.sqrt(np.mean((found.offset_c + offset) ** 2))
    assert smoothed < 0.8 * raw
    assert found.averaged_frames.mean() > 1.5
    # nothing of a jump leaks into the frame before it
    assert abs(found.offset_c[119] + offset[119]) < 0.05
    assert abs(found.offset_c[120] + offset[120]) < 0.05


def test_applied_the_drift_is_gone_and_the_reference_replaces_the_camera(recording):
    thermogram, _ = recording
    found = reference_offsets(thermogram, reference_c=30.0, reference_box=BOX)
    corrected = apply_reference(thermogram, found)
    check_thermogram(corrected)
    assert corrected["temperature"].dims == ("time", "y", "x")
    assert corrected["temperature"].dtype == np.float32
    means = corrected["temperature"].isel(y=slice(13, 20), x=slice(0, 20)).mean(("y", "x")).to_numpy()
    assert np.abs(means - 31.0).max() < 0.06
    np.testing.assert_allclose(corrected["reference_offset"], found.offset_c)
    assert "Each frame was corrected" in corrected.attrs["warnings"][0]
    mask = np.zeros((20, 40), dtype=bool)
    mask[13:20, 2:20] = True
    regions = Regions((20, 40), "left_foot", "plantar", (Region("left", "arch", mask, 1.0, "me"),), {})
    tables = [measure(each.isel(time=5), regions).set_index("metric") for each in (thermogram, corrected)]
    assert tables[1].loc["mean", "u"] < tables[0].loc["mean", "u"] / 3
    assert tables[1].loc["mean", "value"] == pytest.approx(31.0, abs=0.06)
    with pytest.raises(InvalidInputError, match="a reference has already corrected"):
        apply_reference(corrected, found)


def test_what_the_smoother_says_of_itself_holds():
    """Its stated uncertainty is the size of its errors, for restless and for steady cameras."""
    for walk_c in (0.002, 0.02, 0.2):
        ratios = []
        for seed in range(30):
            rng = np.random.default_rng(seed)
            truth = wander(rng, walk_c=walk_c)
            found = smooth(truth + rng.normal(0, 0.05, FRAMES), noise_c=0.05)
            ratios.append(np.mean((found.level_c - truth) ** 2) / np.mean(found.u_c**2))
        assert 0.7 < sqrt(np.mean(ratios)) < 1.4


def test_both_variances_come_out_of_the_frames():
    rng = np.random.default_rng(5)
    truth = np.cumsum(rng.normal(0, 0.03, 20_000))
    noise, walk = variances(truth + rng.normal(0, 0.05, 20_000), ())
    assert noise == pytest.approx(0.05**2, rel=0.1)
    assert walk == pytest.approx(0.03**2, rel=0.1)


def test_noise_alone_has_no_jumps_and_a_silent_camera_no_error():
    assert find_jumps(np.random.default_rng(2).normal(0, 0.05, 5_000)) == ()
    still = smooth(np.full(50, 29.2), noise_c=0.02)
    np.testing.assert_array_equal(still.level_c, 29.2)
    assert still.jumps == ()


def test_few_frames_are_taken_as_they_are(recording):
    thermogram, _ = recording
    found = reference_offsets(thermogram.isel(time=slice(0, 3)), reference_c=30.0, reference_box=BOX)
    single = reference_offset(thermogram.isel(time=1, drop=True), reference_c=30.0, reference_box=BOX)
    assert found.offset_c[1] == pytest.approx(single.offset_c, abs=1e-6)
    assert found.u_c[1] == pytest.approx(single.u_c, rel=0.05)


def test_a_still_picture_is_sent_to_its_own_function(recording):
    thermogram, _ = recording
    with pytest.raises(InvalidInputError, match="Use reference_offset for a still picture"):
        reference_offsets(thermogram.isel(time=0, drop=True), reference_c=30.0, reference_box=BOX)
    with pytest.raises(InvalidThermogramError, match="Choose a frame"):
        reference_offset(thermogram, reference_c=30.0, reference_box=BOX)


def test_the_frame_where_the_reference_is_lost_is_named(recording):
    thermogram, _ = recording
    thermogram["temperature"][7, 2:10, 30:38] = 55.0
    with pytest.raises(InvalidInputError, match=r"frame 7: reference_c: expected within 10 °C"):
        reference_offsets(thermogram, reference_c=30.0, reference_box=BOX)


def test_offsets_of_another_recording_are_refused(recording):
    thermogram, _ = recording
    found = reference_offsets(thermogram, reference_c=30.0, reference_box=BOX)
    with pytest.raises(InvalidInputError, match="expected as many frames as offsets, 300; found 10"):
        apply_reference(thermogram.isel(time=slice(0, 10)), found)
