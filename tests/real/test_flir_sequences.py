"""Real FLIR recordings and photos, beside what ExifTool and a decoder of their own take out of the same files."""

from __future__ import annotations

import shutil
import struct
import subprocess
from itertools import pairwise
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray

from rewarm.cameras import convert, open_thermogram, visible_photo
from rewarm.errors import NotRadiometricError
from rewarm.thermogram import check_thermogram


@pytest.fixture(scope="module")
def folder(real_data: Path) -> Path:
    return real_data / "flir_sequences"


@pytest.fixture(scope="module")
def exiftool() -> str:
    """ExifTool's command: it is no part of the package, and only asked what is in the files."""
    found = shutil.which("exiftool")
    if found is None:
        pytest.skip("exiftool is not installed: nothing to compare the counts with")
    return found


@pytest.fixture(scope="module")
def recordings(folder: Path) -> list[Path]:
    found = sorted([*folder.glob("*.seq"), *folder.glob("*.csq")])
    if not found:
        pytest.skip(f"no recording in {folder}")
    return found


def raw_images(command: str, path: Path, folder: Path) -> list[bytes]:
    """The raw thermal image of each frame as ExifTool finds it, which of some recordings sees the first frame only."""
    data = path.read_bytes()
    starts = [0]
    while (following := data.find(data[:16], starts[-1] + 1)) > 0:
        starts.append(following)
    found = []
    for start, end in pairwise([*starts, len(data)]):
        (folder / "frame.fff").write_bytes(data[start:end] + bytes(16))  # the last may lack its padding
        command_line = [command, "-b", "-RawThermalImage", str(folder / "frame.fff")]
        found.append(subprocess.run(command_line, capture_output=True, check=True).stdout)
    return found


def decoded(raw: bytes, shape: tuple[int, int]) -> NDArray[np.uint16]:
    if raw.startswith(b"\xff\xd8\xff"):
        return imagecodecs.jpegls_decode(raw + b"\xff\xd9")
    return np.frombuffer(raw[-2 * shape[0] * shape[1] :], "<u2").reshape(shape)


def stamps(command: str, path: Path) -> list[str]:
    told = subprocess.run(
        [command, "-ee", "-a", "-s3", "-DateTimeOriginal", str(path)], capture_output=True, check=True, text=True
    )
    return told.stdout.split("\n")[:-1]


def test_every_frame_is_there_with_its_counts(recordings: list[Path], exiftool: str, tmp_path: Path) -> None:
    for path in recordings:
        thermogram = open_thermogram(path)
        check_thermogram(thermogram)
        expected = raw_images(exiftool, path, tmp_path)
        counts = thermogram["counts"].values
        assert len(counts) == len(expected) >= 2, path.name
        for frame, raw in zip(counts, expected, strict=True):
            np.testing.assert_array_equal(frame, decoded(raw, frame.shape), err_msg=path.name)
        assert np.unique(counts.mean(axis=(1, 2))).size == len(counts)
        assert not any("left over" in warning for warning in thermogram.attrs["warnings"])


def test_every_frame_has_its_time(recordings: list[Path], exiftool: str) -> None:
    for path in recordings:
        clock = [
            int(stamp[11:13]) * 3600 + int(stamp[14:16]) * 60 + float(stamp[17:23]) for stamp in stamps(exiftool, path)
        ]
        thermogram = open_thermogram(path)
        found = thermogram["time"].values
        assert (np.diff(found) > 0).all()
        # ExifTool tells the stamps of some recordings' first frames only.
        np.testing.assert_allclose(found[: len(clock)], np.array(clock) - clock[0], atol=0.0011)


def test_temperatures_are_plausible_and_read_on_demand(recordings: list[Path]) -> None:
    for path in recordings:
        thermogram = open_thermogram(path)
        whole = thermogram["temperature"].values
        assert -40 < float(np.nanmedian(whole)) < 120, path.name
        np.testing.assert_array_equal(thermogram["temperature"].isel(time=-1, y=slice(7, 9)).values, whole[-1, 7:9])


def test_each_frame_opens_alone_with_the_same_result(recordings: list[Path], tmp_path: Path) -> None:
    for path in recordings:
        data = path.read_bytes()
        following = data.index(data[:16], 64)
        (tmp_path / "first.fff").write_bytes(data[:following])
        alone = open_thermogram(tmp_path / "first.fff")
        assert alone["temperature"].dims == ("y", "x")
        np.testing.assert_array_equal(alone["temperature"].values, open_thermogram(path)["temperature"][0].values)


def test_cut_recordings_give_their_whole_frames(recordings: list[Path], tmp_path: Path) -> None:
    for path in recordings:
        whole = open_thermogram(path)
        (tmp_path / path.name).write_bytes(path.read_bytes()[:-5000])
        if whole.sizes["time"] < 3:
            continue
        cut = open_thermogram(tmp_path / path.name)
        assert cut.sizes["time"] == whole.sizes["time"] - 1
        np.testing.assert_array_equal(cut["counts"].values, whole["counts"].values[:-1])
        assert any("bytes were left over" in warning for warning in cut.attrs["warnings"])


def test_through_the_store_and_back(recordings: list[Path], tmp_path: Path) -> None:
    for path in recordings:
        original = open_thermogram(path, emissivity=0.97)
        again = open_thermogram(convert(path, tmp_path / f"{path.stem}.zarr"), emissivity=0.97)
        np.testing.assert_array_equal(again["temperature"].values, original["temperature"].values)
        np.testing.assert_array_equal(again["time"].values, original["time"].values)


def test_photos_are_those_that_exiftool_finds(real_data: Path, exiftool: str) -> None:
    pictures = sorted([*real_data.glob("flir_tools_exports/*.jpg"), *real_data.glob("flir_stills/*.jpg")])
    with_photo = 0
    for path in pictures:
        data = subprocess.run([exiftool, "-b", "-EmbeddedImage", str(path)], capture_output=True, check=False).stdout
        if not data:
            with pytest.raises(NotRadiometricError, match="expected a visible-light photo"):
                visible_photo(path)
            continue
        with_photo += 1
        photo = visible_photo(path)
        assert photo.image.std() > 0
        if data.startswith(b"\xff\xd8"):
            np.testing.assert_array_equal(photo.image, imagecodecs.jpeg8_decode(data))
        else:
            assert photo.image.shape[:2] == struct.unpack(">II", data[16:24])[::-1]
            # Brightness is stored as it is; colours are not: the blue of a sky is more than its red.
            assert np.abs(photo.image.mean(axis=2) - imagecodecs.png_decode(data)[:, :, 0]).mean() < 12
        assert photo.to_thermal is not None
        height, width = open_thermogram(path)["temperature"].shape
        # The photo's middle lies near the thermal picture's, and the photo around all or most of it.
        x, y = photo.to_thermal @ ((photo.image.shape[1] - 1) / 2, (photo.image.shape[0] - 1) / 2, 1)
        assert abs(x - width / 2) < width / 4, path.name
        assert abs(y - height / 2) < height / 4, path.name
    assert with_photo
