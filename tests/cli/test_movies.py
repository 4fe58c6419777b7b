"""The animation command, and recordings of rewarming on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.study.challenge import challenge_frames, rest_frame, write_recording

Run = Callable[..., tuple[int, str, str]]
TIME_S = np.arange(25) * 20.0


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(2)
    np.save(folder / "warm.npy", rest_frame() + rng.normal(0, 0.05, (120, 160)).astype(np.float32))
    late = challenge_frames(np.array([400.0]), 240.0)[0]
    np.save(folder / "cool.npy", late + rng.normal(0, 0.05, late.shape).astype(np.float32))
    write_recording(folder / "cold.zarr", TIME_S, challenge_frames(TIME_S, 200.0))
    return folder


def test_two_pictures_turn_into_each_other(run: Run, files: Path, tmp_path: Path) -> None:
    status, text, errors = run("animate", files / "cool.npy", files / "warm.npy", "-o", tmp_path / "toes.gif")
    assert (status, errors) == (0, "")
    assert text.strip() == str(tmp_path / "toes.gif")
    with Image.open(tmp_path / "toes.gif") as picture:
        assert picture.n_frames > 10


def test_what_cannot_be_drawn_is_refused_in_one_line(run: Run, files: Path, tmp_path: Path) -> None:
    status, _, errors = run("animate", files / "cool.npy", files / "warm.npy", "-o", tmp_path / "toes.avi")
    assert status == 2
    assert "ends in .gif or .mp4; found 'toes.avi'" in errors
    status, _, errors = run("animate", files / "cool.npy", files / "cold.zarr", "-o", tmp_path / "toes.gif")
    assert status == 2
    assert "expected two recordings, or two single pictures" in errors
    assert list(tmp_path.iterdir()) == []


def test_a_recording_of_rewarming_is_measured(run: Run, files: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    status, text, errors = run("measure", files / "cold.zarr", "-o", out, "--phase", "rewarming", "--time-s", "0")
    assert status == 0
    assert "rise in the first 2 min, °C/min" in text
    assert "half regained" not in text  # nothing was measured before the immersion
    assert "note: " in errors
    assert (out / "curves" / "cold.csv").is_file()
    assert (out / "maps" / "cold.half_time_s.tif").is_file()
    table = pd.read_csv(out / "measurements.csv")
    gradient = table.query("metric == 'gradient_2min' and region == 'toe1' and side == 'left'")["value"].item()
    expected = 14.0 * (1 - np.exp(-120 / 160.0)) / 2.0
    assert gradient == pytest.approx(expected, rel=0.15)


def test_a_phase_that_does_not_exist_is_refused(run: Run, files: Path, tmp_path: Path) -> None:
    status, _, errors = run("measure", files / "warm.npy", "-o", tmp_path / "out", "--phase", "cold")
    assert status == 2
    assert "phase: expected one of rest, rewarming; found 'cold'" in errors
