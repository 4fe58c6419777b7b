"""FLIR's public image format, .fpf: one picture of finished temperatures, as ThermaCAM programs and ResearchIR export.

FLIR publishes the layout for others to read (document 1557488); it is known here from ExifTool's table: 120 bytes about
the picture, 360 about the camera, then the object's parameters and the date; the numbers begin where the header says.
Everything is little-endian. The document leaves the temperatures' unit open: programs write kelvin or °C.
"""

from __future__ import annotations

import datetime
import math
import struct
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.cameras.celsius import KELVIN, LIKE_KELVIN
from rewarm.cameras.parameters import refuse_overrides
from rewarm.cameras.source import Source, check_size
from rewarm.errors import NotRadiometricError, UnreadableFileError
from rewarm.thermogram import CameraIdentity, ObjectParameters, make_thermogram

MAGIC: Final = b"FPF Public Image Format\0"
HEADER_BYTES: Final = 0x264
"""Up to and with the date."""
TEMPERATURE: Final = 0
NUMBERS: Final = {0: "<i2", 1: "<i4", 2: "<f4", 3: "<f8"}
HOTTEST_K: Final = 5000.0


def sniff_fpf(head: bytes) -> bool:
    """Whether a file begins like FLIR's public image format."""
    return head.startswith(MAGIC)


def open_fpf(source: Source, overrides: ObjectParameters) -> xr.Dataset:
    """Open a picture, (y, x), of finished temperatures.

    Raises :class:`InvalidInputError` if there are overrides, :class:`NotRadiometricError` where the numbers are no
    temperatures, :class:`UnreadableFileError` for damage.
    """
    refuse_overrides(overrides, kind="a picture in FLIR's public format")
    values = _numbers(source.data)
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        raise UnreadableFileError("expected temperatures; found no number at all: the file is damaged")
    low, high = float(finite.min()), float(finite.max())
    in_kelvin = low >= LIKE_KELVIN[0]
    if high > HOTTEST_K or low < -KELVIN:
        raise UnreadableFileError(
            f"expected temperatures in kelvin or °C; found {low:.6g} to {high:.6g}: the file is damaged. Export "
            "it again"
        )
    celsius = values - (KELVIN if in_kelvin else 0.0)
    celsius[~np.isfinite(celsius)] = np.nan
    note = (
        f"The format does not state its unit: {low:.1f} to {high:.1f} was taken as {'kelvin' if in_kelvin else '°C'}. "
        "Check one temperature against FLIR's own program."
    )
    return make_thermogram(
        celsius.astype(np.float32),
        provenance=source.provenance("FLIR FPF"),
        camera=_camera(source.data),
        parameters=_parameters(source.data),
        warnings=[note],
    )


def _numbers(data: bytes) -> NDArray[np.float64]:
    if len(data) < HEADER_BYTES:
        raise UnreadableFileError(
            f"expected a header of {HEADER_BYTES} bytes; found {len(data)}: the file is truncated. Export it again"
        )
    start, kind, number, width, height = struct.unpack_from("<I4H", data, 0x24)
    if kind != TEMPERATURE:
        raise NotRadiometricError(
            f"expected a picture of temperatures (type 0); found type {kind}, differences or signals. Export it again "
            "with temperatures"
        )
    if number not in NUMBERS:
        raise UnreadableFileError(f"expected numbers of type 0 to 3; found {number}: the file is damaged")
    check_size(width, height)
    dtype: np.dtype[Any] = np.dtype(NUMBERS[number])
    needed = width * height * dtype.itemsize
    if start < HEADER_BYTES or len(data) - start < needed:
        raise UnreadableFileError(
            f"expected {needed} bytes for {width} × {height} numbers from byte {start}; found a file of {len(data)}: "
            "it is truncated or damaged. Export it again"
        )
    with np.errstate(all="ignore"):
        flat = np.frombuffer(data, dtype=dtype, count=width * height, offset=start).astype(np.float64)
    return flat.reshape(height, width)


def _parameters(data: bytes) -> ObjectParameters:
    emissivity, distance_m, reflected_k, air_k, humidity = struct.unpack_from("<5f", data, 0x1E0)
    return ObjectParameters(
        emissivity=_within(emissivity, 0.001, 1.0),
        distance_m=_within(distance_m, 0.0, 1e5),
        reflected_c=_within(reflected_k - KELVIN, -KELVIN + 1e-3, 2000.0),
        air_c=_within(air_k - KELVIN, -KELVIN + 1e-3, 2000.0),
        humidity_pct=_within(100 * humidity, 0.0, 100.0),
    )


def _camera(data: bytes) -> CameraIdentity:
    try:
        *moment, milliseconds = struct.unpack_from("<7I", data, 0x248)
        year, month, day, hour, minute, second = moment
        taken = datetime.datetime(year, month, day, hour, minute, second, 1000 * milliseconds)
        acquired_at = taken.isoformat(timespec="milliseconds")
    except (ValueError, OverflowError):  # no date, or one that cannot be
        acquired_at = None
    return CameraIdentity(
        camera_make="FLIR",
        camera_model=_text(data, 0x78),
        camera_serial=_text(data, 0xB8),
        lens=_text(data, 0xE0),
        acquired_at=acquired_at,
    )


def _text(data: bytes, at: int) -> str | None:
    text = data[at : at + 32].split(b"\0", 1)[0].decode("cp1252", errors="replace").strip()
    return text if text and text.isprintable() else None


def _within(value: float, low: float, high: float) -> float | None:
    return float(value) if math.isfinite(value) and low <= value <= high else None
