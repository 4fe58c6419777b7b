"""Conversion: what comes out is what was in, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import xarray as xr
from numpy.typing import NDArray

from rewarm.cameras import convert, open_thermogram, save_thermogram
from rewarm.errors import InvalidInputError, OutputError, UnreadableFileError

Write = Callable[[str, bytes | str], Path]
Jpeg = Callable[..., bytes]


@pytest.fixture
def camera_file(write: Write, flir_jpeg: Jpeg) -> Path:
    return write("a.jpg", flir_jpeg())


@pytest.mark.parametrize("suffix", [".npy", ".tif", ".tiff", ".zarr", ".NPY"])
def test_bit_by_bit(camera_file: Path, tmp_path: Path, suffix: str) -> None:
    output = convert(camera_file, tmp_path / f"out{suffix}")
    expected = open_thermogram(camera_file)["temperature"].values
    np.testing.assert_array_equal(open_thermogram(output)["temperature"].values, expected)


def test_csv_reads_back_and_has_no_header(camera_file: Path, tmp_path: Path) -> None:
    output = convert(str(camera_file), str(tmp_path / "out.csv"))
    again, expected = open_thermogram(output), open_thermogram(camera_file)
    np.testing.assert_allclose(again["temperature"], expected["temperature"], atol=0.0000501)
    assert again.attrs["warnings"] == []
    plain = np.loadtxt(output, delimiter=",")
    np.testing.assert_allclose(plain, expected["temperature"], atol=0.0000501)


def test_missing_pixels_survive_everywhere(write: Write, tmp_path: Path, celsius: NDArray[np.float32]) -> None:
    values = celsius.copy()
    values[2:5, 3:9] = np.nan
    np.save(tmp_path / "in.npy", values)
    for suffix in (".csv", ".npy", ".tif", ".zarr"):
        again = open_thermogram(convert(tmp_path / "in.npy", tmp_path / f"out{suffix}"))["temperature"].values
        np.testing.assert_array_equal(np.isnan(again), np.isnan(values))


def test_the_tiff_is_plain_float32(camera_file: Path, tmp_path: Path) -> None:
    values = tifffile.imread(convert(camera_file, tmp_path / "out.tif"))
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, open_thermogram(camera_file)["temperature"].values)


def test_overrides_are_passed_on(camera_file: Path, tmp_path: Path) -> None:
    output = convert(
        camera_file, tmp_path / "o.npy", emissivity=0.9, reflected_c=30, distance_m=4, humidity_pct=10, air_c=30
    )
    expected = open_thermogram(camera_file, emissivity=0.9, reflected_c=30, distance_m=4, humidity_pct=10, air_c=30)
    np.testing.assert_array_equal(np.load(output), expected["temperature"])
    assert not np.allclose(np.load(output), open_thermogram(camera_file)["temperature"], atol=0.05)


@pytest.mark.parametrize("suffix", [".npy", ".csv", ".tif", ".zarr"])
def test_an_older_output_is_replaced_and_nothing_else_is_left(
    camera_file: Path, tmp_path: Path, celsius: NDArray[np.float32], suffix: str
) -> None:
    np.save(tmp_path / "old.npy", celsius)
    output = tmp_path / f"out{suffix}"
    convert(tmp_path / "old.npy", output)
    convert(camera_file, output)
    expected = open_thermogram(camera_file)["temperature"].values
    np.testing.assert_allclose(open_thermogram(output)["temperature"].values, expected, atol=0.0001)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a.jpg", "old.npy", f"out{suffix}"])


@pytest.mark.parametrize("suffix", [".npy", ".csv", ".tif", ".zarr"])
def test_a_failure_leaves_the_old_output_and_no_scraps(
    camera_file: Path, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = convert(camera_file, tmp_path / f"out{suffix}")
    before = open_thermogram(output)["temperature"].values

    def full_disk(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OutputError, match="No space left on device"):
        convert(camera_file, output, emissivity=0.5)
    monkeypatch.undo()
    np.testing.assert_array_equal(open_thermogram(output)["temperature"].values, before)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a.jpg", f"out{suffix}"])


def test_unknown_suffix(camera_file: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"ends in \.npy, \.csv, \.tif, \.tiff, \.zarr, \.dcm; found '\.xlsx'"):
        convert(camera_file, tmp_path / "out.xlsx")
    with pytest.raises(InvalidInputError, match="found 'no suffix'"):
        convert(camera_file, tmp_path / "out")


def test_missing_folder(camera_file: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="expected an existing folder for the output"):
        convert(camera_file, tmp_path / "no" / "out.npy")


def test_an_output_of_another_kind_is_not_touched(camera_file: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(OutputError, match="found a folder"):
        convert(camera_file, tmp_path / "folder.npy")
    (tmp_path / "notes.zarr").mkdir()
    (tmp_path / "notes.zarr" / "keep.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(OutputError, match="found something else"):
        convert(camera_file, tmp_path / "notes.zarr")
    assert (tmp_path / "notes.zarr" / "keep.txt").read_text(encoding="utf-8") == "precious"


def test_input_as_output_is_refused(tmp_path: Path, celsius: NDArray[np.float32]) -> None:
    np.save(tmp_path / "a.npy", celsius)
    with pytest.raises(OutputError, match="found the input itself"):
        convert(tmp_path / "a.npy", tmp_path / "a.npy")


def test_a_bad_input_writes_nothing(write: Write, tmp_path: Path) -> None:
    bad = write("bad.jpg", b"")
    with pytest.raises(UnreadableFileError, match="empty file"):
        convert(bad, tmp_path / "out.npy")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.jpg"]


def test_a_recording_says_how_to_choose_a_frame(tmp_path: Path, camera_file: Path) -> None:
    frame = open_thermogram(camera_file)
    recording = xr.concat([frame, frame], dim="time").assign_coords(time=[0.0, 0.1])
    with pytest.raises(InvalidInputError, match=r"expected one picture for a CSV; found .* 2 frames\. Choose a frame"):
        save_thermogram(recording, tmp_path / "out.csv")
    stored = open_thermogram(save_thermogram(recording, tmp_path / "out.zarr"))
    np.testing.assert_array_equal(stored["temperature"], recording["temperature"])
    np.testing.assert_array_equal(stored["time"], [0.0, 0.1])
