"""FLIR's public image format against files written apart from the reader."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rewarm.cameras import open_thermogram
from rewarm.errors import InvalidInputError, NotRadiometricError, UnreadableFileError

Write = Callable[[str, bytes | str], Path]
Fpf = Callable[..., bytes]
Matrix = NDArray[np.float32]


@pytest.mark.parametrize(("number", "tolerance"), [(0, 0.51), (1, 0.51), (2, 2e-5), (3, 2e-6)])
def test_kelvin(write: Write, fpf: Fpf, celsius: Matrix, number: int, tolerance: float) -> None:
    kelvin = celsius.astype(float) + 273.15
    thermogram = open_thermogram(write("a.fpf", fpf(np.round(kelvin) if number < 2 else kelvin, number=number)))
    np.testing.assert_allclose(thermogram["temperature"], celsius, atol=tolerance)
    assert "was taken as kelvin" in thermogram.attrs["warnings"][0]


def test_celsius(write: Write, fpf: Fpf, celsius: Matrix) -> None:
    thermogram = open_thermogram(write("a.fpf", fpf(celsius)))
    np.testing.assert_array_equal(thermogram["temperature"], celsius)
    assert "was taken as °C" in thermogram.attrs["warnings"][0]


def test_what_the_file_says(write: Write, fpf: Fpf, celsius: Matrix) -> None:
    attrs = open_thermogram(write("a.fpf", fpf(celsius))).attrs
    shown = [attrs[key] for key in ("camera_make", "camera_model", "camera_serial", "lens", "acquired_at")]
    assert shown == ["FLIR", "ThermaCAM S65", "12345", "FOL 35", "2012-07-26T21:11:14.250"]
    stored = [attrs[key] for key in ("emissivity", "distance_m", "reflected_c", "air_c", "humidity_pct")]
    assert stored == pytest.approx([0.98, 1.5, 22.0, 23.0, 45.0], abs=1e-4)


def test_nonsense_is_not_taken_over(write: Write, fpf: Fpf, celsius: Matrix) -> None:
    patches = {"at_0x1e0": struct.pack("<5f", 7.0, -1.0, np.nan, -5.0, 3.0), "at_0x248": bytes(28)}
    attrs = open_thermogram(write("a.fpf", fpf(celsius, **patches))).attrs
    for key in ("emissivity", "distance_m", "reflected_c", "air_c", "humidity_pct", "acquired_at"):
        assert attrs[key] is None, key


def test_missing_pixels(write: Write, fpf: Fpf, celsius: Matrix) -> None:
    values = celsius.copy()
    values[0, :2] = np.nan, np.inf
    assert int(np.isnan(open_thermogram(write("a.fpf", fpf(values)))["temperature"].values).sum()) == 2


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"kind": 2}, NotRadiometricError, r"expected a picture of temperatures \(type 0\); found type 2"),
        ({"at_0x2a": b"\x09\0"}, UnreadableFileError, "numbers of type 0 to 3; found 9"),
        ({"at_0x2c": b"\0\0"}, UnreadableFileError, "declares 0 × 24 pixels"),
        ({"at_0x2c": b"\xff\xff"}, UnreadableFileError, "bytes for 65535 × 24 numbers"),
        ({"at_0x24": b"\xff\xff\xff\xff"}, UnreadableFileError, "from byte 4294967295"),
        ({"at_0x24": b"\0\0\0\0"}, UnreadableFileError, "from byte 0"),
    ],
)
def test_what_cannot_be_read(
    write: Write, fpf: Fpf, celsius: Matrix, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        open_thermogram(write("a.fpf", fpf(celsius, **changes)))


@pytest.mark.parametrize("values", [np.full((4, 5), 1e9), np.full((4, 5), -400.0)])
def test_what_cannot_be_a_temperature(write: Write, fpf: Fpf, values: NDArray[np.float64]) -> None:
    with pytest.raises(UnreadableFileError, match="expected temperatures in kelvin or °C"):
        open_thermogram(write("a.fpf", fpf(values)))


def test_no_number_at_all(write: Write, fpf: Fpf) -> None:
    with pytest.raises(UnreadableFileError, match="no number at all"):
        open_thermogram(write("a.fpf", fpf(np.full((4, 5), np.nan))))


def test_a_truncated_header(write: Write, fpf: Fpf, celsius: Matrix) -> None:
    with pytest.raises(UnreadableFileError, match="expected a header of 612 bytes; found 300"):
        open_thermogram(write("a.fpf", fpf(celsius)[:300]))


def test_overrides_are_refused(write: Write, fpf: Fpf, celsius: Matrix) -> None:
    with pytest.raises(InvalidInputError, match="found a picture in FLIR's public format"):
        open_thermogram(write("a.fpf", fpf(celsius)), emissivity=0.9)
