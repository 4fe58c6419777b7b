"""TIFF: float °C bit by bit, 16-bit counts by the scale that is stated or the only one that fits, pictures refused."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from rewarm.cameras import open_thermogram
from rewarm.errors import InvalidInputError, NotRadiometricError, UnreadableFileError

Write = Callable[[str, bytes | str], Path]
Matrix = NDArray[np.float32]


def tiff(values: NDArray[Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib"},
        {"compression": "lzw", "predictor": True},
        {"tile": (16, 16)},
        {"byteorder": ">"},
        {"bigtiff": True},
        {"rowsperstrip": 5},
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float_celsius(write: Write, celsius: Matrix, options: dict[str, Any], dtype: type) -> None:
    path = write("a.tif", tiff(celsius.astype(dtype), **options))
    np.testing.assert_array_equal(open_thermogram(path)["temperature"], celsius)


@pytest.mark.parametrize("step", [0.01, 0.04, 0.1])
def test_linear_counts_by_the_only_step_that_fits(write: Write, celsius: Matrix, step: float) -> None:
    counts = np.round((celsius.astype(float) + 273.15) / step).astype(np.uint16)
    thermogram = open_thermogram(write("a.tif", tiff(counts)))
    np.testing.assert_allclose(thermogram["temperature"], celsius, atol=step / 2 + 1e-4)
    assert f"{step:g} K a count was assumed" in thermogram.attrs["warnings"][0]


@pytest.mark.parametrize(
    ("description", "scale", "offset"),
    [
        ("FLIR:TlinearGain=0.04", 0.04, -273.15),
        ('<GDALMetadata><Item name="SCALE" role="scale">0.002</Item><Item role="offset">-10</Item>', 0.002, -10.0),
    ],
)
def test_a_stated_scale_is_followed_and_said(
    write: Write, celsius: Matrix, description: str, scale: float, offset: float
) -> None:
    counts = np.round((celsius.astype(float) - offset) / scale).astype(np.uint16)
    thermogram = open_thermogram(write("a.tif", tiff(counts, description=description)))
    np.testing.assert_allclose(thermogram["temperature"], celsius, atol=scale / 2 + 1e-4)
    assert "by what the file says" in thermogram.attrs["warnings"][0]


@pytest.mark.parametrize("factor", [1, 20, 1700])
def test_counts_that_fit_no_step_are_refused(write: Write, celsius: Matrix, factor: int) -> None:
    with pytest.raises(UnreadableFileError, match=r"which fit none of them\. Save the picture as a float TIFF"):
        open_thermogram(write("a.tif", tiff((celsius * factor).astype(np.uint16))))


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (np.zeros((8, 9, 3), np.uint8), {"photometric": "rgb"}),
        (np.zeros((8, 9, 4), np.uint8), {"photometric": "rgb"}),
        (np.zeros((8, 9, 3), np.uint16), {"photometric": "rgb"}),
        (np.zeros((8, 9), np.uint8), {}),
        (np.zeros((8, 9), bool), {}),
    ],
)
def test_pictures_are_refused(write: Write, values: NDArray[Any], options: dict[str, Any]) -> None:
    with pytest.raises(NotRadiometricError, match="a picture without temperatures"):
        open_thermogram(write("a.tif", tiff(values, **options)))


def test_other_contents_are_refused(write: Write, celsius: Matrix) -> None:
    with pytest.raises(UnreadableFileError, match="found int32"):
        open_thermogram(write("a.tif", tiff(celsius.astype(np.int32))))
    with pytest.raises(UnreadableFileError, match="found several"):
        open_thermogram(write("b.tif", tiff(np.stack([celsius, celsius]), photometric="minisblack")))
    with pytest.raises(InvalidInputError, match="humidity_pct: expected a file"):
        open_thermogram(write("c.tif", tiff(celsius)), humidity_pct=50)


def test_truncation_is_named(write: Write, celsius: Matrix) -> None:
    whole = tiff(celsius)
    for length in (8, 12, 100, len(whole) - 100):
        with pytest.raises(UnreadableFileError):
            open_thermogram(write("a.tif", whole[:length]))


def ifd(entries: list[tuple[int, int, int, int]], following: int) -> bytes:
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + packed + struct.pack("<I", following)


def test_a_loop_of_directories_ends(write: Write) -> None:
    entries = [(256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 32), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 200),
               (277, 3, 1, 1), (278, 4, 1, 8), (279, 4, 1, 256), (339, 3, 1, 3)]  # fmt: skip
    head = b"II*\0" + struct.pack("<I", 8) + ifd(entries, 8)
    looped = head.ljust(200, b"\0") + np.full((8, 8), 25, "<f4").tobytes()
    try:
        opened = open_thermogram(write("a.tif", looped))
    except UnreadableFileError as error:
        assert "TIFF" in str(error)  # noqa: PT017 - either end is right; only hanging is not
    else:
        assert float(opened["temperature"].max()) == 25


@pytest.mark.parametrize("side", [60000, 2**31 - 1])
def test_declared_sizes_are_not_believed(write: Write, side: int) -> None:
    entries = [(256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 32), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 200),
               (277, 3, 1, 1), (278, 4, 1, side), (279, 4, 1, 256), (339, 3, 1, 3)]  # fmt: skip
    bomb = (b"II*\0" + struct.pack("<I", 8) + ifd(entries, 0)).ljust(456, b"\0")
    with pytest.raises(UnreadableFileError, match=f"declares {side} × {side} pixels"):
        open_thermogram(write("a.tif", bomb))
