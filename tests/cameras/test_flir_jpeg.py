"""FLIR files written here by the published layout come back as they were meant, whatever variant the camera chose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray

from rewarm.cameras import open_thermogram
from rewarm.cameras.radiometry import counts_from_celsius
from rewarm.errors import NotRadiometricError, UnreadableFileError
from rewarm.thermogram import calibration, check_thermogram, object_parameters

Write = Callable[[str, bytes | str], Path]
Jpeg = Callable[..., bytes]
RAWS = ["plain", "png", "tiff <", "tiff >", "jpegls"]


@pytest.mark.parametrize("raw", RAWS)
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_variant_gives_the_same_counts(
    write: Write, flir_jpeg: Jpeg, counts: NDArray[np.uint16], raw: str, order: str
) -> None:
    thermogram = open_thermogram(write("a.jpg", flir_jpeg(raw=raw, order=order)))
    check_thermogram(thermogram)
    np.testing.assert_array_equal(thermogram["counts"].values, counts)
    assert thermogram.attrs["warnings"] == []


@pytest.mark.parametrize("directory_order", ["<", ">"])
def test_stand_alone_fff_in_both_orders(
    write: Write, flir_fff: Jpeg, counts: NDArray[np.uint16], directory_order: str
) -> None:
    thermogram = open_thermogram(write("a.fff", flir_fff(directory_order=directory_order)))
    np.testing.assert_array_equal(thermogram["counts"].values, counts)
    assert thermogram.attrs["provenance_reader"] == "FLIR FFF"


def test_temperatures_invert_to_the_counts(write: Write, flir_jpeg: Jpeg, counts: NDArray[np.uint16]) -> None:
    thermogram = open_thermogram(write("a.jpg", flir_jpeg()))
    constants = calibration(thermogram)
    assert constants is not None
    back = counts_from_celsius(thermogram["temperature"].values, constants, object_parameters(thermogram))
    np.testing.assert_allclose(back, counts, atol=0.02)


def test_what_the_camera_says_of_itself(write: Write, flir_jpeg: Jpeg) -> None:
    attrs = open_thermogram(write("a.jpg", flir_jpeg())).attrs
    assert attrs["camera_make"] == "FLIR"
    assert attrs["camera_model"] == "FLIR Simulated"
    assert attrs["camera_serial"] == "12345678"
    assert attrs["lens"] == "FOL18"
    assert attrs["field_of_view_deg"] == 25.0
    assert attrs["acquired_at"] == "2023-11-14T23:13:20.250+01:00"
    assert attrs["humidity_pct"] == pytest.approx(45, abs=1e-4)
    assert attrs["reflected_c"] == pytest.approx(22, abs=1e-4)
    assert attrs["planck_o"] == -6000


def test_old_cameras_store_less(write: Write, flir_jpeg: Jpeg, counts: NDArray[np.uint16]) -> None:
    thermogram = open_thermogram(write("a.jpg", flir_jpeg(info_bytes=0x310)))
    np.testing.assert_array_equal(thermogram["counts"].values, counts)
    assert thermogram.attrs["acquired_at"] is None


def test_chunks_are_put_in_order(write: Write, flir_jpeg: Jpeg, counts: NDArray[np.uint16]) -> None:
    path = write("a.jpg", flir_jpeg(chunk_bytes=1000, chunk_order=(2, 0, 1)))
    np.testing.assert_array_equal(open_thermogram(path)["counts"].values, counts)


def test_chunks_without_numbers_count_as_they_come(write: Write, flir_jpeg: Jpeg, counts: NDArray[np.uint16]) -> None:
    path = write("a.jpg", flir_jpeg(chunk_bytes=700, chunk_numbers="zeros"))
    np.testing.assert_array_equal(open_thermogram(path)["counts"].values, counts)


def test_other_segments_and_fill_bytes_do_not_disturb(
    write: Write, flir_jpeg: Jpeg, counts: NDArray[np.uint16]
) -> None:
    exif = b"\xff\xe1\x00\x0aExif\x00\x00II"
    fill = b"\xff\xff\xfe\x00\x06FFF\x00"
    path = write("a.jpg", flir_jpeg(before=(exif, fill, b"\xff\x01")))
    np.testing.assert_array_equal(open_thermogram(path)["counts"].values, counts)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_wrong_byte_order_is_noticed_and_said(
    write: Write, flir_jpeg: Jpeg, counts: NDArray[np.uint16], order: str
) -> None:
    thermogram = open_thermogram(write("a.jpg", flir_jpeg(raw="png, other order", order=order)))
    np.testing.assert_array_equal(thermogram["counts"].values, counts)
    assert "wrong byte order" in thermogram.attrs["warnings"][0]


def test_noise_does_not_overrule_the_header(write: Write, flir_jpeg: Jpeg) -> None:
    noise = np.random.default_rng(1).integers(0, 65536, size=(24, 32)).astype(np.uint16)
    thermogram = open_thermogram(write("a.jpg", flir_jpeg(counts=noise)))
    np.testing.assert_array_equal(thermogram["counts"].values, noise)


def test_overrides_replace_what_is_stored(write: Write, flir_jpeg: Jpeg) -> None:
    told = {"emissivity": 0.9, "reflected_c": 30.0, "distance_m": 3.0, "humidity_pct": 20.0, "air_c": 28.0}
    stored = flir_jpeg(emissivity=0.9, reflected_c=30.0, distance_m=3.0, humidity=0.2, air_c=28.0)
    overridden = open_thermogram(write("a.jpg", flir_jpeg()), **told)
    expected = open_thermogram(write("b.jpg", stored))
    np.testing.assert_allclose(overridden["temperature"], expected["temperature"], atol=1e-4)
    assert {name: overridden.attrs[name] for name in told} == told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reflected_c": 298.0}, "reflected temperature of 298 °C"),
        ({"window": 0.82}, "transmission 0.82"),
        ({"emissivity": 0.95}, "emissivity is 0.95"),
        ({"emissivity": 0.0}, "stores 0, which cannot be"),
        ({"distance_m": 0.0}, "distance to the object of 0 m"),
        ({"humidity": 45.0}, "read as per cent"),
        ({"humidity": -1.0}, "relative humidity: the file stores -100 %"),
        ({"air_c": float("nan")}, "air temperature: the file stores no readable value"),
    ],
)
def test_absurd_stored_parameters_are_said(write: Write, flir_jpeg: Jpeg, changes: dict[str, Any], words: str) -> None:
    thermogram = open_thermogram(write("a.jpg", flir_jpeg(**changes)))
    assert any(words.lower() in warning.lower() for warning in thermogram.attrs["warnings"])
    assert np.isfinite(thermogram["temperature"].values).all()


def test_pixels_without_temperature_are_counted(write: Write, flir_jpeg: Jpeg, counts: NDArray[np.uint16]) -> None:
    dead = counts.copy()
    dead[3, :5] = 0
    thermogram = open_thermogram(write("a.jpg", flir_jpeg(counts=dead)))
    assert int(np.isnan(thermogram["temperature"].values).sum()) == 5
    assert thermogram.attrs["warnings"] == [
        "5 of 768 pixels have no temperature: their raw counts lie outside what the camera's calibration can turn into "
        "one with these parameters. They are left out of every figure."
    ]


def test_a_picture_is_refused_with_what_was_looked_for(write: Write) -> None:
    picture = imagecodecs.jpeg_encode(np.zeros((16, 16, 3), np.uint8))
    with pytest.raises(NotRadiometricError, match=r"a\.jpg: expected a radiometric JPEG with FLIR's data in APP1"):
        open_thermogram(write("a.jpg", picture))


def test_a_flir_picture_saved_by_another_program_is_told_apart(write: Write) -> None:
    picture = imagecodecs.jpeg_encode(np.zeros((16, 16, 3), np.uint8))
    stripped = picture[:2] + b"\xff\xe1\x00\x14Exif\x00\x00FLIR Systems" + picture[2:]
    with pytest.raises(NotRadiometricError, match="another program has saved it"):
        open_thermogram(write("a.jpg", stripped))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"drop": (1,), "chunk_bytes": 1000}, "expected 3 segments of FLIR data; found 2"),
        ({"drop": (2,), "chunk_bytes": 1000}, "expected 3 segments of FLIR data; found 2"),
        ({"raw": "noise"}, "bytes of raw counts for 32 × 24"),
        ({"raw": "png", "geometry": (640, 480)}, "expected a 16-bit grey PNG of 640 × 480"),
        ({"geometry": (65535, 65535)}, "declares 65535 × 65535"),
        ({"geometry": (0, 24)}, "declares 0 × 24"),
        ({"geometry": (64, 24)}, "expected 3072 bytes of raw counts"),
        ({"info_bytes": 0x200}, "bytes of camera information"),
        ({"r1": 0.0}, "expected the camera's calibration"),
        ({"b": float("nan")}, "expected the camera's calibration"),
    ],
)
def test_damage_is_named(write: Write, flir_jpeg: Jpeg, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        open_thermogram(write("a.jpg", flir_jpeg(**changes)))


def test_every_truncation_is_an_error_of_ours(write: Write, flir_jpeg: Jpeg) -> None:
    whole = flir_jpeg()
    ends = whole.rfind(b"FLIR\0") + 100  # inside the last FLIR segment
    for length in range(1, ends, 61):
        with pytest.raises(UnreadableFileError):
            open_thermogram(write("a.jpg", whole[:length]))


def test_a_stream_without_end_mark_does_not_hang(write: Write, flir_file: Callable[..., Any], flir_fff: Jpeg) -> None:
    whole = flir_fff(raw="jpegls")
    start = whole.index(b"\xff\xda")
    endless = whole[: start + 150] + bytes(len(whole) - start - 150)
    with pytest.raises(UnreadableFileError, match="JPEG-LS; found damaged"):
        open_thermogram(write("a.fff", endless))


def test_a_compressed_bomb_is_refused_before_it_is_unpacked(
    write: Write, flir_jpeg: Jpeg, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = flir_jpeg(raw="png")
    monkeypatch.setattr("rewarm.cameras.flir_raw.PNG_SLACK_BYTES", -24 * 32 * 3)
    with pytest.raises(UnreadableFileError, match="expected a PNG smaller than"):
        open_thermogram(write("a.jpg", whole))
