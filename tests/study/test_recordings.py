"""Recordings in a study: the mean of steady frames at rest, rows over time while rewarming, drift in u."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import rewarm.study.pictures as pictures_module
from rewarm.cameras.store import write_store
from rewarm.errors import InvalidInputError
from rewarm.measures import region_parts
from rewarm.study.rewarming import with_rewarmings
from rewarm.study.scan import ScanPlan, measure_scan
from rewarm.thermogram import Provenance, make_thermogram

Pictures = dict[str, NDArray[np.float32]]
Record = Callable[..., ScanPlan]
BOX = (4.0, 4.0, 24.0, 24.0)
TOE_C = 24.8
"""Mean of the left great toe, its rim included, in the picture that the recordings are made of."""


@pytest.fixture
def record(tmp_path: Path, pictures: Pictures) -> Record:
    """Writes a recording of the picture "before", two frames a second, with what each frame is off, °C."""

    def write(offsets_c: NDArray[np.float64], *, skin_c: Any = 0.0, noise_c: float = 0.05, **plan: Any) -> ScanPlan:
        rng = np.random.default_rng(7)
        count = len(offsets_c)
        scene = np.repeat(pictures["before"][None].astype(np.float64), count, axis=0)
        scene[:, 4:24, 4:24] = 30.0
        scene[:, pictures["before"] > 22.5] += np.broadcast_to(skin_c, count)[:, None]
        frames = scene + np.asarray(offsets_c)[:, None, None] + rng.normal(0, noise_c, scene.shape)
        made = make_thermogram(
            frames.astype(np.float32),
            provenance=Provenance("r", "0" * 64, "test", "0"),
            time_s=np.arange(count) / 2.0,
        )
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        write_store(made, folder / "r.zarr")
        return ScanPlan(path=folder / "r.zarr", scan="r", **plan)

    return write


def toe(table: pd.DataFrame, metric: str = "mean") -> pd.DataFrame:
    return table.query(f"side == 'left' and region == 'toe1' and metric == '{metric}'")


def test_at_rest_the_mean_of_the_steady_frames_is_measured(record: Record, pictures: Pictures):
    offsets = np.zeros(30)
    offsets[20:] = 1.0  # the shutter closed
    scan = measure_scan(record(offsets))
    assert scan.thermogram.attrs["recording_frames"] == 30
    assert scan.thermogram.attrs["recording_frames_measured"] == 20
    sole = pictures["before"] > 24.0
    error_c = (scan.thermogram["temperature"].values - pictures["before"])[sole]
    assert float(error_c.std()) == pytest.approx(0.05 / np.sqrt(20), rel=0.1)
    assert abs(float(error_c.mean())) < 0.01
    (warning,) = [text for text in scan.warnings if "is a recording" in text]
    assert warning.startswith("r.zarr is a recording: the mean of 20 of its 30 frames was measured")
    assert "left out: 10 beyond a jump of the camera's offset (shutter)" in warning
    assert "Motion between frames was not corrected" in warning
    assert toe(scan.measurements)["value"].to_numpy() == pytest.approx([TOE_C], abs=0.05)
    assert scan.measurements["time_s"].isna().all()


def test_blurred_frames_are_left_out_and_said(record: Record, tmp_path: Path):
    plan = record(np.zeros(20))
    frames = pictures_module.take_pictures(plan, _opened(plan)).still
    assert frames.attrs["recording_frames_measured"] == 20
    array = _opened(plan)["temperature"].values
    array[5] = np.mean([np.roll(array[5], shift, axis=1) for shift in range(8)], axis=0)
    made = make_thermogram(array, provenance=Provenance("r", "1" * 64, "test", "0"), time_s=np.arange(20) / 2.0)
    write_store(made, tmp_path / "blurred.zarr")
    scan = measure_scan(replace(plan, path=tmp_path / "blurred.zarr"))
    assert "mean of 19 of its 20 frames was measured; left out: 1 blurred" in scan.warnings[0]


def _opened(plan: ScanPlan) -> Any:
    from rewarm.cameras import open_thermogram

    return open_thermogram(plan.path).load()


def test_time_s_asks_for_one_frame_at_rest(record: Record):
    offsets = np.linspace(0.0, 2.9, 30)
    scan = measure_scan(record(offsets, noise_c=0.0, time_s=7.0))
    assert toe(scan.measurements)["value"].to_numpy() == pytest.approx([TOE_C + offsets[14]], abs=0.05)
    assert "frame 15 of 30 was measured, 7 s after the first" in scan.warnings[0]
    with pytest.raises(InvalidInputError, match=r"time_s: expected 0 to 14\.5 s, within the recording; found 40 s"):
        measure_scan(record(offsets, time_s=40.0))


def test_without_a_reference_drift_within_the_recording_is_in_u(record: Record):
    still = measure_scan(record(np.zeros(40)))
    drifting = measure_scan(record(np.linspace(-1.5, 1.5, 40)))
    parts = [
        {part.name: part for part in region_parts(scan.thermogram, scan.regions.get("left", "toe1").mask)}
        for scan in (still, drifting)
    ]
    assert parts[1]["drift within the recording"].u_c == pytest.approx(1.5 / np.sqrt(3), rel=0.02)
    assert parts[0]["drift within the recording"].u_c < 0.01
    u = [float(toe(scan.measurements)["u"].iloc[0]) for scan in (still, drifting)]
    assert u[1] == pytest.approx(np.hypot(u[0], 1.5 / np.sqrt(3)), rel=0.02)
    inside = [float(toe(s.measurements, "distal_proximal_difference")["u"].iloc[0]) for s in (still, drifting)]
    assert inside[1] == pytest.approx(inside[0], rel=0.01)  # what a picture shares cancels in it


def test_a_reference_replaces_the_camera_and_follows_the_drift(record: Record):
    offsets = np.linspace(-1.0, 2.0, 40)
    scan = measure_scan(record(offsets, reference_c=30.0, reference_box=BOX))
    assert scan.reference_offset_c == pytest.approx(-0.5, abs=0.02)
    assert toe(scan.measurements)["value"].to_numpy() == pytest.approx([TOE_C], abs=0.05)
    names = {part.name for part in region_parts(scan.thermogram, scan.regions.get("left", "toe1").mask)}
    assert "reference" in names
    assert not names & {"camera accuracy", "session drift", "drift within the recording"}


def test_a_frame_in_which_the_reference_does_not_fit_is_named_as_people_count_it(record: Record):
    offsets = np.zeros(30)
    offsets[:12] = 15.0  # the longest stretch is the later one, and what a reference is off there fits
    plan = record(offsets, reference_c=30.0, reference_box=BOX)
    assert measure_scan(plan).reference_offset_c == pytest.approx(0.0, abs=0.02)
    with pytest.raises(InvalidInputError, match=r"frame 13: reference_c: expected within 10 °C"):
        measure_scan(replace(plan, reference_c=45.0))


def test_a_jump_while_rewarming_is_said_and_taken_off(record: Record):
    offsets = np.zeros(20)
    offsets[8:] = 0.5
    scan = measure_scan(record(offsets, phase="rewarming"))
    said = " ".join(scan.warnings)
    assert "jumped once, by up to 0.50 °C (shutter); they are taken off as the room shows them" in said
    assert "no time_s is stated" in said
    toe_c = scan.followed.curves.of("left", "toe1")
    assert float(np.ptp(toe_c)) < 0.15


def test_while_rewarming_the_reference_corrects_each_frame_and_without_it_u_grows(record: Record):
    drift_c = np.linspace(0.0, 1.2, 30)
    plan = record(drift_c, phase="rewarming", time_s=0.0)
    (whole,), (without,) = with_rewarmings([measure_scan(plan)])
    assert whole.measurements["metric"].isin(["mean", "tmin"]).any()
    (_, (corrected,)) = with_rewarmings([measure_scan(replace(plan, reference_c=30.0, reference_box=BOX))])
    curves = {
        name: item.curves.query("side == 'left' and region == 'toe1'")
        for name, item in (("with", corrected), ("without", without))
    }
    assert curves["with"]["celsius"].std() < 0.05
    assert curves["with"]["celsius"].mean() == pytest.approx(TOE_C, abs=0.1)
    assert (curves["with"]["u"] < 0.6).all()
    drifted = curves["without"]["celsius"].to_numpy()
    assert drifted[-1] - drifted[0] == pytest.approx(1.2, abs=0.15)
    assert curves["without"]["u"].iloc[-1] > curves["without"]["u"].iloc[0]


def test_a_long_recording_is_thinned_out_and_never_in_memory(record: Record, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pictures_module, "MOST_FRAMES", 10)
    rest = record(np.zeros(600))
    monkeypatch.setattr("rewarm.measures.frames.BLOCK_PIXELS", 30 * 120 * 160)
    measure_scan(rest)  # what is loaded once is not counted
    tracemalloc.start()
    scan = measure_scan(rest)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert scan.thermogram.attrs["recording_frames_measured"] == 10
    assert "the mean of 10, evenly spread, of its 600 frames" in scan.warnings[0]
    assert peak < 600 * 120 * 160 * 4 / 2
    (shutter,) = [item for item in scan.checks if item.id == "shutter"]
    assert shutter.found == "no jump in 600 frames looked at"
    course = measure_scan(replace(rest, phase="rewarming", time_s=0.0)).followed
    assert len(course.motion.frames) <= 10 + 3  # and those on which the regions may be found
    assert course.time_s[[0, -1]].tolist() == [0.0, 299.5]
