"""InfraTec .irb: still pictures and recordings of VarioCAM and ImageIR cameras.

All numbers are little-endian. A header of 64 bytes names an index of blocks of 32 bytes each. A block of kind 1 is a
picture: 1728 bytes of header, among them 256 kelvin (the *palette*), then 16-bit pixels: the high byte chooses an entry
of the palette, the low byte how far the temperature lies on the way to the next one. Packed pixels store the low
bytes first and the high bytes as runs after them. A block of kind 4 leads to two more entries of the index: that is how
a recording is chained, a picture and the next link.

The layout is not published by its maker. It was learnt from the descriptions in two open readers
(github.com/tomsoftware/Irbis-File-Format, github.com/jonathanschilling/irb) and from recordings.
"""

from __future__ import annotations

import datetime
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.cameras.celsius import KELVIN
from rewarm.cameras.parameters import SKIN_EMISSIVITY, refuse_overrides
from rewarm.cameras.source import Source, check_size
from rewarm.errors import UnreadableFileError
from rewarm.thermogram import CameraIdentity, ObjectParameters, make_thermogram

MAGIC: Final = b"\xffIRB\0"
HEADER_BYTES: Final = 64
BLOCK_BYTES: Final = 32
PICTURE: Final = 1
LINK: Final = 4
LINK_ENTRIES: Final = 2
MAX_BLOCKS: Final = 1_000_000
PICTURE_HEADER_BYTES: Final = 1728
PALETTE_OFFSET: Final = 60
DETAILS_OFFSET: Final = 1084
PLAIN: Final = 0
RUNS: Final = 1
HOTTEST_K: Final = 5000.0
"""No thermal camera is calibrated that far: a palette that says more is damaged there."""
MAX_RECORDING_BYTES: Final = 400 * 1024**2
"""Of temperatures in memory: what a recording may take that is opened whole."""
FIRST_DAY: Final = datetime.datetime(1899, 12, 30)
"""Day 0 of the time stamps, as in spreadsheets."""
CLOCK_TOLERANCE_S: Final = 1.5
"""The clock counts whole seconds; a finer counter of milliseconds must agree with it to this."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture's header, decoded, and where its pixels lie: ``pixels`` is a view on the file's bytes."""

    width: int
    height: int
    packing: int
    palette_k: NDArray[np.float64]
    pixels: memoryview
    parameters: ObjectParameters
    camera: CameraIdentity
    calibrated_k: tuple[float, float]
    clock: datetime.datetime | None
    milliseconds: int


def sniff_irb(head: bytes) -> bool:
    """Whether a file begins like an InfraTec .irb."""
    return head.startswith(MAGIC)


def open_irb(source: Source, overrides: ObjectParameters) -> xr.Dataset:
    """Open a picture, (y, x), or a recording, (time, y, x).

    Raises :class:`InvalidInputError` if there are overrides, since the file holds finished temperatures, and
    :class:`UnreadableFileError` for damage or a packing that is not known.
    """
    refuse_overrides(overrides, kind="an InfraTec recording")
    pictures = read_pictures(source.data)
    first = pictures[0]
    _check_together(pictures, len(source.data))
    temperature_c = np.empty((len(pictures), first.height, first.width), dtype=np.float32)
    for frame, picture in zip(temperature_c, pictures, strict=True):
        frame[...] = decode_picture(picture)
    warnings = [*_parameter_warnings(first), *_range_warnings(temperature_c, first)]
    time_s, time_warnings = _times(pictures) if len(pictures) > 1 else (None, [])
    return make_thermogram(
        temperature_c if len(pictures) > 1 else temperature_c[0],
        provenance=source.provenance("InfraTec IRB"),
        camera=first.camera,
        parameters=first.parameters,
        time_s=time_s,
        warnings=warnings + time_warnings,
    )


def read_pictures(data: bytes) -> list[Picture]:
    """All pictures of a file in the order of its index. Raises :class:`UnreadableFileError`."""
    found = [_read_picture(data, offset, size) for offset, size in _picture_blocks(data)]
    if not found:
        raise UnreadableFileError(
            "expected an InfraTec recording with a picture; found none in its index, so it is damaged, or holds only "
            "sound, text or a preview. Copy it again from the camera"
        )
    return found


def decode_picture(picture: Picture) -> NDArray[np.float32]:
    """The temperatures of one picture: float32 (height, width), °C, NaN where its palette has none.

    Raises :class:`UnreadableFileError` for damaged runs.
    """
    steps = picture.width * picture.height
    if picture.packing == PLAIN:
        words = np.frombuffer(picture.pixels, dtype="<u2", count=steps)
    else:
        words = np.frombuffer(picture.pixels, dtype=np.uint8, count=steps).astype(np.uint16)
        words |= _unpack_runs(picture.pixels[steps:], steps).astype(np.uint16) << 8
    table = palette_table(picture.palette_k)
    return np.take(table, words, mode="wrap").reshape(picture.height, picture.width)


def palette_table(palette_k: NDArray[np.float64]) -> NDArray[np.float32]:
    """The temperature of each 16-bit pixel value: float32 (65536,), °C, from 256 kelvin, linear in between.

    A camera fills the entries that it has no calibration for with other numbers, and a temperature rises with the
    signal: what lies before the palette's last fall is NaN.
    """
    with np.errstate(all="ignore"):
        falls = np.flatnonzero(~(np.diff(palette_k) > 0))
    first = int(falls[-1]) + 1 if falls.size else 0
    believed = palette_k.copy()
    believed[:first] = np.nan
    following = np.append(believed[1:], believed[-1])  # nothing follows the last: its values end at it
    share = np.arange(256) / 256
    with np.errstate(all="ignore"):
        kelvin = believed[:, None] * (1 - share) + following[:, None] * share
        kelvin[~((kelvin > 0) & (kelvin < HOTTEST_K))] = np.nan
        return (kelvin - KELVIN).astype(np.float32).ravel()


def _picture_blocks(data: bytes) -> list[tuple[int, int]]:
    """(offset, size) of every picture, links followed."""
    if len(data) < HEADER_BYTES:
        raise UnreadableFileError(_truncated("its header"))
    start, count = struct.unpack_from("<2I", data, 25)
    if count > MAX_BLOCKS:
        raise UnreadableFileError(
            f"expected an index of at most {MAX_BLOCKS} blocks; the file declares {count}, so it is damaged"
        )
    pictures: dict[int, int] = {}
    waiting, seen = [(start, count)], {start}
    while waiting:
        start, count = waiting.pop(0)
        if start + count * BLOCK_BYTES > len(data):
            raise UnreadableFileError(_truncated("its index of blocks"))
        for kind, _, _, offset, size, *_ in struct.iter_unpack("<8I", data[start : start + count * BLOCK_BYTES]):
            if kind == PICTURE and size > 0:
                pictures.setdefault(offset, size)
            elif kind == LINK and offset and offset not in seen and len(seen) < MAX_BLOCKS:
                seen.add(offset)
                waiting.append((offset, LINK_ENTRIES))
    return list(pictures.items())


def _read_picture(data: bytes, offset: int, size: int) -> Picture:
    end = offset + size
    if end > len(data) or size < PICTURE_HEADER_BYTES:
        raise UnreadableFileError(_truncated("a picture"))
    head = data[offset : offset + PICTURE_HEADER_BYTES]
    depth, packing, width, height = struct.unpack_from("<4H", head)
    if depth != 2 or packing not in (PLAIN, RUNS):
        raise UnreadableFileError(
            f"expected an InfraTec picture with 2 bytes a pixel, plain (0) or packed in runs (1); found {depth} bytes "
            f"a pixel and packing {packing}, which is not known here. Export the temperatures as text or float TIFF "
            "from IRBIS"
        )
    check_size(width, height)
    pixels = memoryview(data)[offset + PICTURE_HEADER_BYTES : end]
    least = width * height * (2 if packing == PLAIN else 1)
    if len(pixels) < least:
        raise UnreadableFileError(
            f"expected at least {least} bytes for {width} × {height} pixels; found {len(pixels)}, so the file is "
            "truncated or damaged. Copy it again from the camera"
        )
    emissivity, distance_m, around_k, _, path_k = struct.unpack_from("<3fif", head, 24)
    calibrated_k = struct.unpack_from("<2f", head, DETAILS_OFFSET + 92)
    days, milliseconds = struct.unpack_from("<di", head, DETAILS_OFFSET + 540)
    clock = _clock(days)
    return Picture(
        width=width,
        height=height,
        packing=packing,
        palette_k=np.frombuffer(head, dtype="<f4", count=256, offset=PALETTE_OFFSET).astype(np.float64),
        pixels=pixels,
        parameters=ObjectParameters(
            emissivity=_within(emissivity, 0.001, 1.0),
            reflected_c=_within(around_k - KELVIN, -KELVIN, 2000.0),
            distance_m=_within(distance_m, 0.0, 1e5),
            air_c=_within(path_k - KELVIN, -KELVIN, 2000.0),
        ),
        camera=_camera(head, clock, milliseconds),
        calibrated_k=(float(calibrated_k[0]), float(calibrated_k[1])),
        clock=clock,
        milliseconds=milliseconds,
    )


def _camera(head: bytes, clock: datetime.datetime | None, milliseconds: int) -> CameraIdentity:
    optics = [_text(head, 202, 32), _text(head, 234, 32)]
    fraction = milliseconds if 0 <= milliseconds < 1000 else 0  # beyond a second it is a counter, no part of the clock
    taken = None if clock is None else clock + datetime.timedelta(milliseconds=fraction)
    return CameraIdentity(
        camera_make="InfraTec",
        camera_model=_text(head, 142, 16),
        camera_serial=_text(head, 164, 22) or _text(head, 186, 16),
        lens=", ".join(text for text in optics if text) or None,
        acquired_at=None if taken is None else taken.isoformat(timespec="milliseconds" if fraction else "seconds"),
    )


def _unpack_runs(packed: memoryview, steps: int) -> NDArray[np.uint8]:
    """High bytes from pairs of (how often, which): uint8 (steps,)."""
    pairs = np.frombuffer(packed[: len(packed) // 2 * 2], dtype=np.uint8).reshape(-1, 2)
    ends = np.cumsum(pairs[:, 0], dtype=np.int64)
    needed = int(np.searchsorted(ends, steps)) + 1
    if needed > len(pairs):
        raise UnreadableFileError(_truncated("a picture's runs"))
    return np.repeat(pairs[:needed, 1], pairs[:needed, 0])[:steps]


def _check_together(pictures: Sequence[Picture], available: int) -> None:
    sizes = {(picture.width, picture.height) for picture in pictures}
    if len(sizes) > 1:
        shown = ", ".join(f"{width} × {height}" for width, height in sorted(sizes)[:3])
        raise UnreadableFileError(f"expected pictures of one size; found {shown}. Save them as single files from IRBIS")
    width, height = sizes.pop()
    if len(pictures) * width * height > available:  # a pixel takes a byte at least, and no two pictures share any
        raise UnreadableFileError("expected pictures side by side; found some that overlap: the file is damaged")
    needed = 4 * len(pictures) * width * height
    if needed > MAX_RECORDING_BYTES:
        raise UnreadableFileError(
            f"expected a recording of at most {MAX_RECORDING_BYTES // 1024**2} MiB of temperatures; found "
            f"{len(pictures)} frames of {width} × {height}, {needed / 1024**2:.0f} MiB. Save a part of it from IRBIS"
        )


def _times(pictures: Sequence[Picture]) -> tuple[NDArray[np.float64], list[str]]:
    """Seconds since the first frame: by the finer counter where it agrees with the clock, otherwise by the clock."""
    counted = np.array([picture.milliseconds for picture in pictures], dtype=np.float64) / 1000
    counted -= counted[0]
    clocks = [picture.clock for picture in pictures]
    known = [clock for clock in clocks if clock is not None]
    told = np.array([(clock - known[0]).total_seconds() for clock in known])
    whole = len(known) == len(clocks)
    rising = bool((np.diff(counted) > 0).all())
    if rising and (not whole or abs(told[-1] - counted[-1]) <= CLOCK_TOLERANCE_S):
        return counted, []
    if whole and bool((np.diff(told) > 0).all()):
        return told, []
    note = (
        "The frames' time stamps are missing or do not rise: `time` counts the frames instead of seconds. Look up the "
        "frame rate in IRBIS."
    )
    return np.arange(len(pictures), dtype=np.float64), [note]


def _parameter_warnings(picture: Picture) -> list[str]:
    emissivity = picture.parameters.emissivity
    if emissivity is not None and abs(emissivity - SKIN_EMISSIVITY) <= 0.0101:
        return []
    stated = "no readable emissivity" if emissivity is None else f"an emissivity of {emissivity:.4g}"
    return [
        f"The temperatures were computed by the camera with {stated}, and the file holds no counts to compute them "
        f"anew; skin has {SKIN_EMISSIVITY}. Set it in the camera or in IRBIS and save again: in a room at 23 °C the "
        "step from 1 to 0.98 is about 0.2 °C."
    ]


def _range_warnings(temperature_c: NDArray[np.float32], picture: Picture) -> list[str]:
    missing = int(np.isnan(temperature_c).sum())
    if missing == temperature_c.size:
        raise UnreadableFileError(
            "expected temperatures; found none: the picture's palette is damaged. Copy the file again from the camera"
        )
    warnings = []
    if missing:
        warnings.append(f"{missing} of {temperature_c.size} pixels lie outside the camera's palette: no temperature.")
    low, high = (limit - KELVIN for limit in picture.calibrated_k)
    if math.isfinite(low) and math.isfinite(high) and low < high:
        outside = int(((temperature_c < low) | (temperature_c > high)).sum())
        if outside:
            warnings.append(
                f"{outside} of {temperature_c.size} pixels lie outside the camera's calibrated range, {low:.1f} to "
                f"{high:.1f} °C."
            )
    return warnings


def _clock(days: float) -> datetime.datetime | None:
    """The camera's clock; None for what no thermal camera's clock can show."""
    if not (math.isfinite(days) and 1 < days < 100_000):
        return None
    moment = FIRST_DAY + datetime.timedelta(days=days)
    return (moment + datetime.timedelta(microseconds=500)).replace(microsecond=moment.microsecond // 1000 * 1000)


def _text(head: bytes, at: int, length: int) -> str | None:
    raw = head[DETAILS_OFFSET + at : DETAILS_OFFSET + at + length].split(b"\0", 1)[0]
    text = raw.decode("cp1252", errors="replace").strip()
    return text if text and text.isprintable() else None


def _within(value: float, low: float, high: float) -> float | None:
    return float(value) if math.isfinite(value) and low <= value <= high else None


def _truncated(what: str) -> str:
    return (
        f"expected an InfraTec recording; found one that ends before {what} does, or whose index points beyond its "
        "end: it is truncated or damaged. Copy it again from the camera"
    )
