"""Recordings on their way into open formats and back: frame by frame the same, interrupted without a trace."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import xarray as xr
import zarr
from numpy.typing import NDArray

from rewarm.cameras import convert, describe, description_text, open_thermogram, save_thermogram, source, store
from rewarm.errors import InvalidInputError, OutputError, UnreadableFileError
from rewarm.thermogram import calibration, object_parameters

Write = Callable[[str, bytes | str], Path]
COUNT = 67


@pytest.fixture
def recording(write: Write, flir_fff: Callable[..., bytes], counts: NDArray[np.uint16]) -> Path:
    """67 frames, two a second: three blocks, the last not full; from frame 41 on another emissivity."""
    frames = []
    for number in range(COUNT):
        changed = {"counts": counts + np.uint16(number), "seconds": 1_700_000_000 + number // 2}
        frames.append(
            flir_fff(**changed, milliseconds=500 * (number % 2), emissivity=0.98 if number < 40 else 0.95, raw="png")
        )
    return write("a.seq", b"".join(frames))


def test_the_store_gives_back_every_frame_and_parameter(recording: Path, tmp_path: Path) -> None:
    original = open_thermogram(recording).load()
    again = open_thermogram(convert(recording, tmp_path / "a.zarr"))
    for name in ("temperature", "counts", "time", "emissivity"):
        np.testing.assert_array_equal(again[name].values, original[name].values)
        assert again[name].dtype == original[name].dtype
    same = [key for key in original.attrs if not key.startswith("provenance")]
    assert {key: again.attrs[key] for key in same} == {key: original.attrs[key] for key in same}
    assert again.attrs["origin_sha256"] == original.attrs["provenance_sha256"]


def test_the_store_is_read_on_demand(recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []
    real = store.StoredFrames.pieces

    def spy(self: store.StoredFrames, frames: Any, rows: Any, columns: Any) -> Any:
        asked.append(frames.tolist())
        return real(self, frames, rows, columns)

    monkeypatch.setattr(store.StoredFrames, "pieces", spy)
    thermogram = open_thermogram(convert(recording, tmp_path / "a.zarr"))
    assert asked == []
    original = open_thermogram(recording).load()
    for key in (
        {"time": slice(28, 33), "y": slice(3, 9)},
        {"time": [66, 0, 31], "x": [5, 2]},
        {"time": slice(None, None, -9), "y": -1, "x": slice(20, 3, -4)},
        {"time": 65},
        {"time": slice(3, 3)},
        {"y": 11, "x": 12},
    ):
        expected = original["temperature"].isel(key).values
        np.testing.assert_array_equal(thermogram["temperature"].isel(key).values, expected)
    assert asked[0] == [28, 29, 30, 31, 32]
    assert thermogram.isel(time=slice(28, 33))["counts"].values.shape == (5, 24, 32)


def test_emissivity_can_still_be_changed(recording: Path, tmp_path: Path) -> None:
    changed = open_thermogram(convert(recording, tmp_path / "a.zarr"), emissivity=0.9)
    expected = open_thermogram(recording, emissivity=0.9)
    np.testing.assert_array_equal(changed["temperature"].values, expected["temperature"].values)
    assert changed.attrs["emissivity"] == 0.9
    assert "emissivity" not in changed.coords


def test_a_frame_keeps_its_own_parameters(recording: Path, tmp_path: Path) -> None:
    frame = open_thermogram(recording).isel(time=50)
    assert object_parameters(frame).emissivity == pytest.approx(0.95)
    assert calibration(frame) is not None
    again = open_thermogram(save_thermogram(frame, tmp_path / "frame.zarr"))
    np.testing.assert_array_equal(again["temperature"].values, frame["temperature"].values)
    assert again.attrs["emissivity"] == pytest.approx(0.95)


def test_layout_on_disk(recording: Path, tmp_path: Path) -> None:
    array = zarr.open_group(convert(recording, tmp_path / "a.zarr"), mode="r")["counts"]
    assert isinstance(array, zarr.Array)
    assert (array.shape, array.chunks, array.dtype) == ((COUNT, 24, 32), (30, 24, 32), np.uint16)


def test_finished_temperatures_go_through_the_store_too(recording: Path, tmp_path: Path) -> None:
    celsius = open_thermogram(recording).drop_vars("counts").load()
    celsius["temperature"][3, 2, 1] = np.nan
    again = open_thermogram(save_thermogram(celsius, tmp_path / "a.zarr"))
    assert "counts" not in again
    np.testing.assert_array_equal(again["temperature"].values, celsius["temperature"].values)
    with pytest.raises(InvalidInputError, match="a Zarr store without raw counts"):
        open_thermogram(tmp_path / "a.zarr", emissivity=0.9)


def test_npy_and_tiff(recording: Path, tmp_path: Path) -> None:
    expected = open_thermogram(recording)["temperature"].values
    np.testing.assert_array_equal(np.load(convert(recording, tmp_path / "a.npy")), expected)
    with tifffile.TiffFile(convert(recording, tmp_path / "a.tif")) as file:
        assert len(file.pages) == COUNT
        assert file.pages[5].description == "temperature, degC; time 2.5000 s"
        np.testing.assert_array_equal(np.stack([page.asarray() for page in file.pages]), expected)


def test_csv_is_refused_with_advice(recording: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"found a recording of 67 frames\. Choose a frame"):
        convert(recording, tmp_path / "a.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["a.seq"]


@pytest.mark.parametrize("suffix", [".zarr", ".npy", ".tif"])
def test_progress_is_told(recording: Path, tmp_path: Path, suffix: str) -> None:
    told: list[tuple[int, int, str]] = []
    convert(recording, tmp_path / f"a{suffix}", on_progress=lambda *step: told.append(step))
    assert told == [(0, COUNT, "frames"), (30, COUNT, "frames"), (60, COUNT, "frames"), (COUNT, COUNT, "frames")]


@pytest.mark.parametrize("suffix", [".zarr", ".npy", ".tif"])
@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError])
def test_an_interruption_leaves_what_was_there_and_nothing_else(
    recording: Path, tmp_path: Path, suffix: str, stop: type[BaseException]
) -> None:
    output = convert(recording, tmp_path / f"a{suffix}")
    names = sorted(path.name for path in tmp_path.iterdir())

    def interrupt(done: int, total: int, what: str) -> None:
        if done >= 30:
            raise stop

    with pytest.raises(OutputError if stop is OSError else stop):
        convert(recording, output, on_progress=interrupt, emissivity=0.5)
    if suffix == ".zarr" and stop is KeyboardInterrupt:
        names = sorted([*names, ".a.zarr.part"])  # from which the same conversion goes on
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    if suffix == ".zarr":
        assert open_thermogram(output).attrs["emissivity"] == pytest.approx(0.98)


def test_a_damaged_frame_leaves_nothing(recording: Path, tmp_path: Path) -> None:
    data = bytearray(recording.read_bytes())
    at = -1
    for _ in range(50):
        at = data.index(b"IDAT", at + 1)
    data[at + 10 : at + 60] = bytes(50)
    recording.write_bytes(data)
    with pytest.raises(UnreadableFileError, match=r"a\.seq: frame 50: "):
        convert(recording, tmp_path / "a.zarr")
    assert [path.name for path in tmp_path.iterdir()] == ["a.seq"]


def test_a_long_recording_is_hashed_whole_once(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "HASHED_BYTES", 3000)
    monkeypatch.setattr(source, "PARTIAL_BYTES", 1000)
    assert open_thermogram(recording).attrs["provenance_sha256"].startswith("partial:")
    stored = open_thermogram(convert(recording, tmp_path / "a.zarr"))
    assert stored.attrs["origin_sha256"] == hashlib.sha256(recording.read_bytes()).hexdigest()
    assert stored.attrs["provenance_sha256"].startswith("partial:")


@pytest.mark.parametrize("damage", ["chunk cut", "time lost", "array metadata cut", "frames missing", "dims swapped"])
def test_damage_is_named(recording: Path, tmp_path: Path, damage: str) -> None:
    folder = convert(recording, tmp_path / "a.zarr")
    metadata = folder / "counts" / "zarr.json"
    if damage == "chunk cut":
        chunk = next(path for path in (folder / "counts" / "c").rglob("*") if path.is_file())
        chunk.write_bytes(chunk.read_bytes()[:20])
    elif damage == "time lost":
        (folder / "time" / "zarr.json").unlink()
    elif damage == "array metadata cut":
        metadata.write_text("{", encoding="utf-8")
    elif damage == "frames missing":
        metadata.write_text(metadata.read_text(encoding="utf-8").replace("67", "66"), encoding="utf-8")
    else:
        text = metadata.read_text(encoding="utf-8")
        metadata.write_text(text.replace('"time"', '"z"'), encoding="utf-8")
    with pytest.raises(UnreadableFileError, match=r"a\.zarr: expected .*damaged"):
        open_thermogram(folder)["temperature"].values  # noqa: B018


def test_a_recording_is_described_by_its_first_frame(recording: Path) -> None:
    thermogram = open_thermogram(recording)
    description = describe(thermogram)
    first = thermogram["temperature"][0].values
    assert description["size"] == {"width": 32, "height": 24, "frames": COUNT}
    assert description["recording"] == {"duration_s": 33.0, "frames_per_s": 2.0}
    assert description["temperature_c"]["max"] == pytest.approx(first.max(), abs=1e-4)
    assert description["temperature_c"]["frames"] == 1
    text = description_text(description)
    assert "Recording                        67 frames in 33 s, 2 a second" in text
    assert "Temperatures of the first frame  " in text


def test_a_still_is_described_without_a_recording(recording: Path) -> None:
    description = describe(open_thermogram(recording).isel(time=3))
    assert description["recording"] is None
    assert "Recording" not in description_text(description)


def test_concatenated_pictures_are_a_recording(recording: Path, tmp_path: Path) -> None:
    part = open_thermogram(recording).isel(time=slice(38, 43))
    joined = xr.concat([part, part.assign_coords(time=part["time"] + 60)], dim="time")
    again = open_thermogram(save_thermogram(joined, tmp_path / "a.zarr"))
    np.testing.assert_array_equal(again["temperature"].values, joined["temperature"].values)
