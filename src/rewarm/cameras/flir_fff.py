"""FLIR's FFF container: a header, a directory of records; one record holds raw counts, one describes the camera.

The layout is known from FLIR's own notes on its formats and from the tag tables of ExifTool (FLIR, by P. Harvey), read
and written anew here. The same container stands alone (.fff), inside JPEG pictures, and once per frame in sequences.
Each record says its own byte order: its first 16-bit word is 2 in that order.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.cameras.flir_raw import decode_raw
from rewarm.cameras.parameters import settle_parameters
from rewarm.cameras.radiometry import KELVIN, apply_table, temperature_table
from rewarm.cameras.source import Source, check_size
from rewarm.errors import UnreadableFileError
from rewarm.thermogram import Calibration, CameraIdentity, ObjectParameters, make_thermogram

MAGICS: Final = (b"FFF\0", b"AFF\0")
HEADER_BYTES: Final = 0x40
ENTRY_BYTES: Final = 0x20
MAX_ENTRIES: Final = 4096
RAW_DATA: Final = 0x01
CAMERA_INFO: Final = 0x20
GEOMETRY_BYTES: Final = 0x20
CAMERA_INFO_BYTES: Final = 0x310
"""Up to and with Planck's R2; older cameras store less behind it than newer ones."""


@dataclass(frozen=True, eq=False)
class FlirFrame:
    """One frame as the camera stored it: ``counts`` uint16 (y, x), and everything needed to make temperatures of it."""

    counts: NDArray[np.uint16]
    parameters: ObjectParameters
    calibration: Calibration
    camera: CameraIdentity
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """One entry of the directory: a kind, and where its bytes lie, from the frame's beginning."""

    kind: int
    offset: int
    length: int
    length_field: int
    """Where in the frame the length itself is written."""


@dataclass(frozen=True)
class Directory:
    """A frame's records, in their order; ``start`` and ``count`` of the entries, and their byte ``order``."""

    order: str
    start: int
    count: int
    records: tuple[Record, ...]

    @property
    def end(self) -> int:
        """How many bytes the frame has: a sequence goes on there."""
        entries = self.start + self.count * ENTRY_BYTES
        return max([HEADER_BYTES, entries, *(record.offset + record.length for record in self.records)])

    def find(self, kind: int) -> Record | None:
        """The first record of that kind that holds anything."""
        return next((record for record in self.records if record.kind == kind and record.length), None)


@dataclass(frozen=True)
class FlirCamera:
    """What a record of camera information says. ``limits`` are the counts between which the camera is calibrated."""

    parameters: ObjectParameters
    calibration: Calibration
    identity: CameraIdentity
    limits: tuple[int, int]
    warnings: tuple[str, ...]


def sniff_fff(head: bytes) -> bool:
    """Whether a file begins like an FFF container."""
    return head[:4] in MAGICS


def flir_thermogram(frame: FlirFrame, *, source: Source, overrides: ObjectParameters, reader: str) -> xr.Dataset:
    """Counts and stored parameters of one ``frame``, with ``overrides`` in their place where given, as a thermogram."""
    parameters, warnings = settle_parameters(frame.parameters, overrides)
    temperature_c = apply_table(temperature_table(frame.calibration, parameters), frame.counts)
    return make_thermogram(
        temperature_c,
        provenance=source.provenance(reader),
        camera=frame.camera,
        parameters=parameters,
        calibration=frame.calibration,
        counts=frame.counts,
        warnings=[*frame.warnings, *warnings, *missing_pixel_warnings(temperature_c)],
    )


def missing_pixel_warnings(temperature_c: NDArray[np.float32]) -> list[str]:
    """A sentence that counts the pixels without a temperature, if there are any."""
    missing = int(np.count_nonzero(np.isnan(temperature_c)))
    if not missing:
        return []
    return [
        f"{missing} of {temperature_c.size} pixels have no temperature: their raw counts lie outside what the camera's "
        "calibration can turn into one with these parameters. They are left out of every figure."
    ]


def read_frame(data: bytes) -> FlirFrame:
    """Parse the first frame of ``data``. Raises :class:`UnreadableFileError` saying what was expected and found."""
    if len(data) < HEADER_BYTES or not sniff_fff(data):
        raise UnreadableFileError(
            "expected FLIR data that begin with 'FFF'; found something else, so the file is damaged"
        )
    directory = read_directory(data)
    info = record_bytes(data, directory, CAMERA_INFO, "camera information", CAMERA_INFO_BYTES)
    raw = record_bytes(data, directory, RAW_DATA, "raw counts", GEOMETRY_BYTES + 1)
    camera = read_camera(info)
    counts, decoding_warnings = _counts(raw, camera.limits)
    return FlirFrame(
        counts=counts,
        parameters=camera.parameters,
        calibration=camera.calibration,
        camera=camera.identity,
        warnings=(*decoding_warnings, *camera.warnings),
    )


def read_camera(info: memoryview) -> FlirCamera:
    """Parse a record of camera information. Raises :class:`UnreadableFileError` where it cannot be one."""
    order = byte_order(info)
    if order is None:
        raise UnreadableFileError("expected camera information in one of two byte orders; found neither: it is damaged")
    constants = _calibration(info, order)
    parameters, warnings = _parameters(info, order)
    return FlirCamera(parameters, constants, _camera(info, order), _raw_limits(info, order), tuple(warnings))


def read_directory(data: bytes | mmap.mmap, at: int = 0) -> Directory:
    """The records of the frame that begins at byte ``at``. Raises :class:`UnreadableFileError`."""
    available = len(data) - at
    if available < HEADER_BYTES:
        raise UnreadableFileError(f"expected a header of {HEADER_BYTES} bytes; found {available}: it is truncated")
    for order in (">", "<"):
        version, start, count = struct.unpack_from(order + "3I", data, at + 0x14)
        if 100 <= version < 200:
            break
    else:
        raise UnreadableFileError(
            "expected FLIR data of version 100 to 199; found another, so the file is damaged or new"
        )
    if count > MAX_ENTRIES or start + count * ENTRY_BYTES > available:
        raise UnreadableFileError(
            f"expected a directory of {count} records at byte {start}; found only {available} bytes, so the file is "
            "truncated. Copy it again from the camera"
        )
    records = []
    for entry in range(count):
        position = start + entry * ENTRY_BYTES
        kind, _, _, _, offset, length = struct.unpack_from(order + "HH4I", data, at + position)
        if kind:
            records.append(Record(kind, offset, length, position + 16))
    return Directory(order, start, count, tuple(records))


def record_bytes(data: bytes, directory: Directory, kind: int, words: str, least: int) -> memoryview:
    """The bytes of the record of that ``kind``, called ``words`` in messages; raises :class:`UnreadableFileError`."""
    record = directory.find(kind)
    if record is None:
        raise UnreadableFileError(
            f"expected a record of {words} in the FLIR data; found none. Use the camera's original file"
        )
    available = len(data) - record.offset
    if record.length > available or record.length < least:
        raise UnreadableFileError(
            f"expected {max(record.length, least)} bytes of {words}; found {max(0, min(available, record.length))}, so "
            "the file is truncated or damaged. Copy it again from the camera"
        )
    return memoryview(data)[record.offset : record.offset + record.length]


def byte_order(record: memoryview | bytes) -> str | None:
    """The record's byte order, from the word that is 2 if read the right way; None where it is neither."""
    return {b"\x02\x00": "<", b"\x00\x02": ">"}.get(bytes(record[:2]))


def _counts(record: memoryview, limits: tuple[int, int]) -> tuple[NDArray[np.uint16], list[str]]:
    order = byte_order(record)
    if order is None:
        raise UnreadableFileError("expected raw counts in one of two byte orders; found neither: the file is damaged")
    width, height = struct.unpack_from(order + "2H", record, 2)
    check_size(width, height)
    return decode_raw(record[GEOMETRY_BYTES:], width=width, height=height, order=order, limits=limits)


def _raw_limits(info: memoryview, order: str) -> tuple[int, int]:
    """The counts between which the camera says that it is calibrated; everything where it does not say."""
    if len(info) < 0x314:
        return 0, 65535
    low, high = struct.unpack_from(order + "2H", info, 0x310)
    return (low, high) if low < high else (0, 65535)


def _calibration(info: memoryview, order: str) -> Calibration:
    r1, b, f = struct.unpack_from(order + "3f", info, 0x58)
    alpha1, alpha2, beta1, beta2, x = struct.unpack_from(order + "5f", info, 0x70)
    o, r2 = struct.unpack_from(order + "if", info, 0x308)
    values = (r1, b, f, alpha1, alpha2, beta1, beta2, x, r2)
    if not all(map(math.isfinite, values)) or min(r1, b, r2) <= 0:
        raise UnreadableFileError(
            f"expected the camera's calibration (R1, R2 and B over 0); found R1 {r1:g}, R2 {r2:g}, B {b:g}, F {f:g}, O "
            f"{o}. The picture has no temperatures, or the file is damaged: use the camera's original file"
        )
    return Calibration(
        planck_r1=r1,
        planck_r2=r2,
        planck_b=b,
        planck_f=f,
        planck_o=float(o),
        atmosphere_alpha1=alpha1,
        atmosphere_alpha2=alpha2,
        atmosphere_beta1=beta1,
        atmosphere_beta2=beta2,
        atmosphere_x=x,
    )


def _parameters(info: memoryview, order: str) -> tuple[ObjectParameters, list[str]]:
    emissivity, distance, reflected, air, window, transmission = struct.unpack_from(order + "6f", info, 0x20)
    (humidity,) = struct.unpack_from(order + "f", info, 0x3C)
    warnings = []
    if 2 < humidity <= 100:
        warnings.append(
            f"The humidity is stored as {humidity:.4g}, which was read as per cent instead of a share of 1."
        )
        humidity /= 100
    parameters = ObjectParameters(
        emissivity=_number(emissivity),
        reflected_c=_celsius(reflected),
        distance_m=_number(distance),
        humidity_pct=_number(humidity * 100),
        air_c=_celsius(air),
        window_c=_celsius(window),
        window_transmission=_number(transmission),
    )
    return parameters, warnings


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _celsius(kelvin: float) -> float | None:
    return kelvin - KELVIN if math.isfinite(kelvin) else None


def _camera(info: memoryview, order: str) -> CameraIdentity:
    (angle,) = struct.unpack_from(order + "f", info, 0x1B4)
    return CameraIdentity(
        camera_make="FLIR",
        camera_model=_text(info, 0xD4, 32),
        camera_serial=_text(info, 0x104, 16),
        lens=_text(info, 0x170, 32),
        acquired_at=_time(info, order),
        field_of_view_deg=angle if 0 < angle < 180 else None,
    )


def _text(info: memoryview, offset: int, length: int) -> str | None:
    raw = bytes(info[offset : offset + length]).split(b"\0", maxsplit=1)[0]
    text = "".join(letter for letter in raw.decode("latin-1") if letter.isprintable()).strip()
    return text or None


def _time(info: memoryview, order: str) -> str | None:
    """Seconds since 1970 by the camera's clock, milliseconds, and minutes west of UTC, as ISO 8601."""
    if len(info) < 0x38E:
        return None
    seconds, milliseconds, west_min = struct.unpack_from(order + "IIh", info, 0x384)
    if not seconds:
        return None
    zone = timezone(timedelta(minutes=-west_min)) if abs(west_min) <= 14 * 60 else UTC
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    moment += timedelta(milliseconds=min(milliseconds & 0xFFFF, 999))
    return moment.astimezone(zone).isoformat(timespec="milliseconds")
