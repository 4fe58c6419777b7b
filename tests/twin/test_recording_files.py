"""Recordings are files as a camera writes them: independent readers open them and find what was put in."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

import rewarm
from rewarm.errors import InvalidInputError, OutputError
from rewarm.twin import Recording, SimulatedCamera, View, record, write_flir_jpeg, write_flir_sequence, write_float_tiff

CAMERA = SimulatedCamera()
VIEW = View(reflected_c=23.4, distance_m=0.87, humidity_pct=43, air_c=22.6)
TAKEN = datetime(2025, 1, 14, 10, 30, 5, 250_000, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture(scope="module")
def recording() -> Recording:
    rng = np.random.default_rng(2)
    scene = (22 + 8 * np.hypot(*np.mgrid[-1:1:240j, -1:1:320j])).astype(np.float32)
    return record(scene, CAMERA, VIEW, rng, offset_c=-0.3)


@pytest.fixture(scope="module")
def jpeg(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recording") / "scan.jpg"
    return write_flir_jpeg(path, recording.counts, CAMERA, VIEW, acquired_at=TAKEN)


def segments(jpeg: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 2
    while jpeg[at + 1] != 0xDA:
        assert jpeg[at] == 0xFF
        length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        found.append((jpeg[at + 1], jpeg[at + 4 : at + 2 + length]))
        at += 2 + length
    return found


def test_the_block_is_split_into_numbered_chunks_that_hold_the_counts(recording: Recording, jpeg: Path) -> None:
    flir = [body for marker, body in segments(jpeg.read_bytes()) if marker == 0xE1 and body.startswith(b"FLIR\0")]
    assert len(flir) > 1
    assert [chunk[6] for chunk in flir] == list(range(len(flir)))
    assert {chunk[7] for chunk in flir} == {len(flir) - 1}
    block = b"".join(chunk[8:] for chunk in flir)
    assert block.startswith(b"FFF\0")
    png = block[block.index(b"\x89PNG") :]
    np.testing.assert_array_equal(imagecodecs.png_decode(png).byteswap(), recording.counts)


def test_the_preview_is_an_ordinary_picture(jpeg: Path) -> None:
    preview = imagecodecs.jpeg8_decode(jpeg.read_bytes())
    assert preview.shape == (240, 320, 3)
    brightness = preview.sum(axis=2, dtype=int)
    assert brightness[:20, :20].mean() > brightness[110:130, 150:170].mean() + 200


def test_flyr_reads_the_temperatures_within_its_own_error(recording: Recording, jpeg: Path) -> None:
    flyr = pytest.importorskip("flyr")
    read = flyr.unpack(str(jpeg)).celsius
    # it splits the air path in two and is known to be up to 0.3 °C off; at arm's length that is hundredths
    assert np.abs(read - (recording.seen_c + recording.error_c)).max() < 0.05


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed; it is used for checking only")
def test_exiftool_reads_every_constant(recording: Recording, jpeg: Path) -> None:
    text = subprocess.run(["exiftool", "-json", "-n", str(jpeg)], capture_output=True, check=True, text=True).stdout
    found = json.loads(text)[0]
    assert "Warning" not in found
    expected = {
        "PlanckR1": 16000,
        "PlanckR2": 0.0125,
        "PlanckB": 1420,
        "PlanckF": 1,
        "PlanckO": -4500,
        "AtmosphericTransAlpha1": 0.006569,
        "AtmosphericTransX": 1.9,
        "Emissivity": 0.98,
        "ObjectDistance": 0.87,
        "ReflectedApparentTemperature": 23.4,
        "AtmosphericTemperature": 22.6,
        "RelativeHumidity": 0.43,
        "IRWindowTransmission": 1,
        "RawThermalImageWidth": 320,
        "RawThermalImageHeight": 240,
        "FieldOfView": 25,
    }
    assert {key: float(found[key]) for key in expected} == pytest.approx(expected, rel=1e-5)
    assert found["RawThermalImageType"] == "PNG"
    assert found["CameraModel"] == "Simulated 320"
    assert found["DateTimeOriginal"] == "2025:01:14 10:30:05.250+01:00"
    png = subprocess.run(["exiftool", "-b", "-RawThermalImage", str(jpeg)], capture_output=True, check=True).stdout
    np.testing.assert_array_equal(imagecodecs.png_decode(png).byteswap(), recording.counts)


def test_float_tiff_round_trips(recording: Recording, tmp_path: Path) -> None:
    path = write_float_tiff(tmp_path / "scan.tif", recording.seen_c)
    read = tifffile.imread(path)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, recording.seen_c)


def test_what_cannot_be_written_is_refused(recording: Recording, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"expected uint16 \(y, x\); found float32"):
        write_flir_jpeg(tmp_path / "a.jpg", recording.seen_c, CAMERA, VIEW, acquired_at=TAKEN)
    with pytest.raises(InvalidInputError, match="expected a time with its UTC offset"):
        write_flir_jpeg(tmp_path / "a.jpg", recording.counts, CAMERA, VIEW, acquired_at=datetime(2025, 1, 1))
    with pytest.raises(OutputError, match="cannot be written"):
        write_flir_jpeg(tmp_path / "no" / "a.jpg", recording.counts, CAMERA, VIEW, acquired_at=TAKEN)
    with pytest.raises(OutputError, match="cannot be written"):
        write_float_tiff(tmp_path / "no" / "a.tif", recording.seen_c)
    assert not list(tmp_path.iterdir())


def test_a_sequence_is_read_back_frame_by_frame_with_its_times(recording: Recording, tmp_path: Path) -> None:
    frames = [(recording.counts + step, TAKEN + timedelta(seconds=10.5 * step)) for step in (0, 3, 7)]
    path = write_flir_sequence(tmp_path / "film.csq", iter(frames), CAMERA, VIEW)
    film = rewarm.open_thermogram(path)
    np.testing.assert_allclose(film["time"], [0, 31.5, 73.5])
    still = rewarm.open_thermogram(write_flir_jpeg(tmp_path / "a.jpg", frames[2][0], CAMERA, VIEW, acquired_at=TAKEN))
    np.testing.assert_array_equal(film["temperature"][2], still["temperature"])
    assert film.attrs["warnings"] == []
    with pytest.raises(OutputError, match="cannot be written"):
        write_flir_sequence(tmp_path / "no" / "film.csq", iter(frames), CAMERA, VIEW)
