"""Write simulated pictures and recordings as files: FLIR radiometric JPEG, FLIR sequence, float TIFF.

Layout of the maker's block as documented by ExifTool (https://exiftool.org/TagNames/FLIR.html): APP1 segments that
begin with "FLIR", numbered and of at most 64 kB, hold one "FFF" file: a header, a directory of records (big-endian),
then the camera's constants (record 0x20, little-endian) and the raw picture (record 0x01, a 16-bit PNG whose bytes
most cameras store swapped).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError, OutputError
from rewarm.twin.camera import KELVIN, SimulatedCamera, View
from rewarm.twin.phantom import Map

_CHUNK: Final = 65535 - 2 - 8  # a JPEG segment counts its own length field; 8 bytes name and number the chunk
_HEADER_BYTES: Final = 64
_ENTRY_BYTES: Final = 32
_DIRECTORY_ENTRIES: Final = 14  # as cameras have it, most of them empty; some readers count on that
_CAMERA_INFO_BYTES: Final = 0x0470
_IRON: Final = np.array(  # blue-black, violet, red, orange, yellow, white
    [[0, 0, 10], [32, 0, 140], [150, 0, 155], [215, 45, 70], [245, 125, 10], [255, 205, 40], [255, 255, 245]], float
)


def write_flir_jpeg(
    path: Path | str,
    counts: NDArray[np.uint16],
    camera: SimulatedCamera,
    view: View,
    *,
    acquired_at: datetime,
) -> Path:
    """Write raw counts (y, x) as a radiometric JPEG with a false-colour preview; ``acquired_at`` has a UTC offset.

    Raises :class:`rewarm.errors.InvalidInputError` for counts that are no uint16 picture or a time without an offset,
    and :class:`rewarm.errors.OutputError` where the file cannot be written.
    """
    if counts.dtype != np.uint16 or counts.ndim != 2:
        raise InvalidInputError(f"counts: expected uint16 (y, x); found {counts.dtype} {counts.shape}")
    if acquired_at.utcoffset() is None:
        raise InvalidInputError(f"acquired_at: expected a time with its UTC offset; found {acquired_at.isoformat()}")
    block = _fff(_camera_info(counts, camera, view, acquired_at), _raw_data(counts))
    chunks = [block[start : start + _CHUNK] for start in range(0, len(block), _CHUNK)]
    segments = [
        b"\xff\xe1" + struct.pack(">H", len(chunk) + 10) + b"FLIR\x00\x01" + bytes([i, len(chunks) - 1]) + chunk
        for i, chunk in enumerate(chunks)
    ]
    jpeg = bytes(imagecodecs.jpeg8_encode(_preview(counts), level=85))
    after_jfif = 4 + int.from_bytes(jpeg[4:6], "big")
    return _write(path, jpeg[:after_jfif] + b"".join(segments) + jpeg[after_jfif:])


def write_flir_sequence(
    path: Path | str,
    frames: Iterable[tuple[NDArray[np.uint16], datetime]],
    camera: SimulatedCamera,
    view: View,
) -> Path:
    """Write a recording as FLIR's cameras do (CSQ): frame after frame in a container of its own, counts as JPEG-LS.

    ``frames`` gives each frame's raw counts (y, x) and its time with a UTC offset, one at a time. Raises
    :class:`rewarm.errors.OutputError` where the file cannot be written.
    """
    try:
        with Path(path).open("wb") as stream:
            for counts, taken_at in frames:
                stream.write(_fff(_camera_info(counts, camera, view, taken_at), _raw_data(counts, lossless_jpeg=True)))
    except OSError as error:
        raise OutputError(_unwritable(path, error)) from error
    return Path(path)


def write_float_tiff(path: Path | str, temperature_c: Map) -> Path:
    """Write temperatures (y, x) as a float32 TIFF in °C, compressed without loss. Raises OutputError."""
    try:
        tifffile.imwrite(path, temperature_c.astype(np.float32), compression="zlib", metadata=None)
    except OSError as error:
        raise OutputError(_unwritable(path, error)) from error
    return Path(path)


def _unwritable(path: Path | str, error: OSError) -> str:
    return f"{path}: cannot be written ({error.strerror}). Choose a folder that you may write to"


def _write(path: Path | str, content: bytes) -> Path:
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise OutputError(_unwritable(path, error)) from error
    return Path(path)


def _fff(camera_info: bytes, raw_data: bytes) -> bytes:
    first = _HEADER_BYTES + _DIRECTORY_ENTRIES * _ENTRY_BYTES
    header = struct.pack(">4s16sIIII", b"FFF\x00", b"rewarm twin", 100, _HEADER_BYTES, _DIRECTORY_ENTRIES, 2)
    entries, offset = b"", first
    for kind, subtype, version, record in ((0x20, 1, 0x6F, camera_info), (0x01, 3, 0x65, raw_data)):
        entries += struct.pack(">HHIIIIIII", kind, subtype, version, 1, offset, len(record), 0, 0, 0)
        offset += len(record)
    return (header.ljust(_HEADER_BYTES, b"\x00") + entries).ljust(first, b"\x00") + camera_info + raw_data


def _raw_data(counts: NDArray[np.uint16], *, lossless_jpeg: bool = False) -> bytes:
    rows, columns = counts.shape
    head = struct.pack("<HHHHHHHHH", 2, columns, rows, 0, 0, 0, columns - 1, 0, rows - 1).ljust(32, b"\x00")
    if lossless_jpeg:
        return head + bytes(imagecodecs.jpegls_encode(counts))
    return head + bytes(imagecodecs.png_encode(counts.byteswap(), level=6))


def _camera_info(counts: NDArray[np.uint16], camera: SimulatedCamera, view: View, acquired_at: datetime) -> bytes:
    info = bytearray(_CAMERA_INFO_BYTES)
    rows, columns = counts.shape
    struct.pack_into("<HHH", info, 0x00, 2, columns, rows)
    struct.pack_into("<II", info, 0x0C, columns - 1, rows - 1)
    reflected, air = view.reflected_c + KELVIN, view.air_c + KELVIN
    struct.pack_into("<6f", info, 0x20, view.emissivity, view.distance_m, reflected, air, air, 1.0)
    struct.pack_into("<f", info, 0x3C, view.humidity_pct / 100)
    struct.pack_into("<3f", info, 0x58, camera.planck_r1, camera.planck_b, camera.planck_f)
    struct.pack_into(
        "<5f",
        info,
        0x70,
        camera.atmosphere_alpha1,
        camera.atmosphere_alpha2,
        camera.atmosphere_beta1,
        camera.atmosphere_beta2,
        camera.atmosphere_x,
    )
    limits_c = (120.0, -20.0, 150.0, -40.0, 120.0, -20.0, 150.0, -60.0)  # range, clip, warning, saturation
    struct.pack_into("<8f", info, 0x90, *(limit + KELVIN for limit in limits_c))
    for place, size, text in (
        (0xD4, 32, camera.model),
        (0x104, 16, camera.serial),
        (0x114, 16, "twin"),
        (0x170, 32, camera.lens),
    ):
        struct.pack_into(f"<{size}s", info, place, text.encode("ascii", "replace")[: size - 1])
    struct.pack_into("<f", info, 0x1B4, camera.field_of_view_deg)
    struct.pack_into("<if", info, 0x308, round(camera.planck_o), camera.planck_r2)
    struct.pack_into("<HH", info, 0x310, 0, 65535)
    low, high = (int(value) for value in np.percentile(counts, [0, 100]))
    struct.pack_into("<H", info, 0x338, int(np.median(counts)))
    struct.pack_into("<H", info, 0x33C, high - low)
    offset = acquired_at.utcoffset()
    west_min = 0 if offset is None else -round(offset.total_seconds() / 60)
    struct.pack_into("<IIh", info, 0x384, int(acquired_at.timestamp()), acquired_at.microsecond // 1000, west_min)
    struct.pack_into("<H", info, 0x464, 30)
    return bytes(info)


def _preview(counts: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """False colours for people to look at, uint8 (y, x, 3); no temperature can be read from it."""
    low, high = np.percentile(counts, [0.5, 99.5])
    level = np.clip((counts.astype(np.float64) - low) / max(high - low, 1.0), 0, 1) * (len(_IRON) - 1)
    stops = np.arange(len(_IRON))
    return np.stack([np.interp(level, stops, _IRON[:, band]) for band in range(3)], axis=-1).round().astype(np.uint8)
