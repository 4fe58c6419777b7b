"""InfraTec .irb: still pictures and recordings of VarioCAM and ImageIR cameras.

All numbers are little-endian. A header of 64 bytes names an index of blocks of 32 bytes each. A block of kind 1 is a
picture: 1728 bytes of header, among them 256 kelvin (the *palette*), then 16-bit pixels: the high byte chooses an entry
of the palette, the low byte how far the temperature lies on the way to the next one. Packed pixels store the low
bytes first and the high bytes as runs after them. A block of kind 4 leads to two more entries of the index: that is how
a recording is chained, a picture and the next link. Of a recording, the pictures' headers are read on opening and their
pixels on demand.

The layout is not published by its maker. It was learnt from the descriptions in two open readers
(github.com/tomsoftware/Irbis-File-Format, github.com/jonathanschilling/irb) and from recordings.
"""

from __future__ import annotations

import datetime
import math
import mmap
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.cameras.celsius import KELVIN
from rewarm.cameras.parameters import SKIN_EMISSIVITY, refuse_overrides
from rewarm.cameras.recording import Axis, Frames, available_workers, lazy
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
FIRST_DAY: Final = datetime.datetime(1899, 12, 30)
"""Day 0 of the time stamps, as in spreadsheets."""
CLOCK_TOLERANCE_S: Final = 1.5
"""The clock counts whole seconds; a finer counter of milliseconds must agree with it to this."""


Data = bytes | mmap.mmap
Payload = Callable[[int, int], Data | memoryview]
"""Bytes of the file: from where, how many."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture's header, decoded, and where in the file its pixels lie: ``start``, ``length``."""

    width: int
    height: int
    packing: int
    palette: bytes
    start: int
    length: int
    parameters: ObjectParameters
    calibrated_k: tuple[float, float]
    clock: datetime.datetime | None
    milliseconds: int


@dataclass(frozen=True, eq=False)
class IrbFrames:
    """The frames of a recording, decoded on demand from ``data``, or from the file at ``path``."""

    path: Path
    data: bytes | None
    size: int
    pictures: tuple[Picture, ...]
    workers: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows, columns."""
        return len(self.pictures), self.pictures[0].height, self.pictures[0].width

    def pieces(self, frames: Frames, rows: Axis, columns: Axis) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """The temperatures of the chosen frames, one by one, °C. Raises :class:`UnreadableFileError`."""
        palette, table = b"", np.empty(0, np.float32)
        with self._payloads() as payload:
            for position, frame in enumerate(frames.tolist()):
                picture = self.pictures[frame]
                if picture.palette != palette:
                    palette, table = picture.palette, palette_table(picture.palette)
                try:
                    celsius = decode_picture(picture, payload(picture.start, picture.length), table)
                except UnreadableFileError as error:
                    advice = f" Or leave it out with thermogram.drop_isel(time={frame})" if frame else ""
                    raise UnreadableFileError(f"frame {frame + 1}: {error}.{advice}") from error.__cause__
                yield slice(position, position + 1), celsius[rows][:, columns][np.newaxis]

    @contextmanager
    def _payloads(self) -> Iterator[Payload]:
        if self.data is not None:
            view = memoryview(self.data)
            yield lambda start, length: view[start : start + length]
            return
        try:
            with self.path.open("rb", buffering=0) as stream:
                if os.fstat(stream.fileno()).st_size != self.size:
                    raise UnreadableFileError(
                        "expected the recording as it was when it was opened; found that the file has changed since. "
                        "Open it again"
                    )

                def payload(start: int, length: int) -> bytes:
                    stream.seek(start)
                    return stream.read(length)

                yield payload
        except OSError as error:
            raise UnreadableFileError(
                "expected the recording where it was when it was opened; the system answered: "
                f"{error.strerror or error}"
            ) from error


def sniff_irb(head: bytes) -> bool:
    """Whether a file begins like an InfraTec .irb."""
    return head.startswith(MAGIC)


def open_irb(source: Source, overrides: ObjectParameters) -> xr.Dataset:
    """Open a picture, (y, x), or a recording, (time, y, x), whose frames are read on demand.

    Raises :class:`InvalidInputError` if there are overrides, since the file holds finished temperatures, and
    :class:`UnreadableFileError` for damage or a packing that is not known.
    """
    refuse_overrides(overrides, kind="an InfraTec recording")
    if not source.stays_on_disk:
        return _open(source, source.data)
    try:
        with source.path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _open(source, data)
    except OSError as error:
        raise UnreadableFileError(f"cannot be read; the system answered: {error.strerror or error}") from error


def _open(source: Source, data: Data) -> xr.Dataset:
    pictures = read_pictures(data)
    _check_together(pictures, len(data))
    held = data if isinstance(data, bytes) else None
    frames = IrbFrames(source.path, held, len(data), tuple(pictures), available_workers())
    first = pictures[0]
    # The first frame is decoded at once: damage is named at the door.
    pixels = bytes(data[first.start : first.start + first.length])
    celsius = decode_picture(first, pixels, palette_table(first.palette))
    warnings = [*_parameter_warnings(pictures), *_range_warnings(celsius, first, single=len(pictures) == 1)]
    time_s, time_warnings = _times(pictures) if len(pictures) > 1 else (None, [])
    return make_thermogram(
        celsius if time_s is None else cast(Any, lazy(frames, np.float32, source.path)),
        provenance=source.provenance("InfraTec IRB"),
        camera=_camera(data, first),
        parameters=first.parameters,
        time_s=time_s,
        warnings=warnings + time_warnings,
    )


def read_pictures(data: Data) -> list[Picture]:
    """The headers of all pictures of a file in the order of its index. Raises :class:`UnreadableFileError`."""
    found = [_read_picture(data, offset, size) for offset, size in _picture_blocks(data)]
    if not found:
        raise UnreadableFileError(
            "expected a picture in the recording's index; found only sound, text or a preview, or damage. Copy the "
            "file again from the camera"
        )
    return found


def decode_picture(picture: Picture, pixels: Data | memoryview, table: NDArray[np.float32]) -> NDArray[np.float32]:
    """The temperatures of one picture: float32 (height, width), °C, NaN where its palette has none.

    Raises :class:`UnreadableFileError` for damaged runs.
    """
    steps = picture.width * picture.height
    if picture.packing == PLAIN:
        words = np.frombuffer(pixels, dtype="<u2", count=steps)
    else:
        words = np.frombuffer(pixels, dtype=np.uint8, count=steps).astype(np.uint16)
        words |= _unpack_runs(pixels[steps:], steps).astype(np.uint16) << 8
    return np.take(table, words, mode="wrap").reshape(picture.height, picture.width)


def palette_table(palette: bytes) -> NDArray[np.float32]:
    """The temperature of each 16-bit pixel value: float32 (65536,), °C, from 256 kelvin (float32), linear in between.

    A camera fills the entries that it has no calibration for with other numbers, and a temperature rises with the
    signal: what lies before the palette's last fall is NaN.
    """
    with np.errstate(all="ignore"):  # damage may put signalling NaN there
        palette_k = np.frombuffer(palette, dtype="<f4", count=256).astype(np.float64)
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


def _picture_blocks(data: Data) -> list[tuple[int, int]]:
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


def _read_picture(data: Data, offset: int, size: int) -> Picture:
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
    length = size - PICTURE_HEADER_BYTES
    least = width * height * (2 if packing == PLAIN else 1)
    if length < least:
        raise UnreadableFileError(
            f"expected at least {least} bytes for {width} × {height} pixels; found {length}, so the file is "
            "truncated or damaged. Copy it again from the camera"
        )
    emissivity, distance_m, around_k, _, path_k = struct.unpack_from("<3fif", head, 24)
    calibrated_k = struct.unpack_from("<2f", head, DETAILS_OFFSET + 92)
    days, milliseconds = struct.unpack_from("<di", head, DETAILS_OFFSET + 540)
    return Picture(
        width=width,
        height=height,
        packing=packing,
        palette=head[PALETTE_OFFSET:DETAILS_OFFSET],
        start=offset + PICTURE_HEADER_BYTES,
        length=length,
        parameters=ObjectParameters(
            emissivity=_within(emissivity, 0.001, 1.0),
            reflected_c=_within(around_k - KELVIN, -KELVIN, 2000.0),
            distance_m=_within(distance_m, 0.0, 1e5),
            air_c=_within(path_k - KELVIN, -KELVIN, 2000.0),
        ),
        calibrated_k=(float(calibrated_k[0]), float(calibrated_k[1])),
        clock=_clock(days),
        milliseconds=milliseconds,
    )


def _camera(data: Data, picture: Picture) -> CameraIdentity:
    head = data[picture.start - PICTURE_HEADER_BYTES : picture.start]
    clock, milliseconds = picture.clock, picture.milliseconds
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


def _unpack_runs(packed: bytes | memoryview, steps: int) -> NDArray[np.uint8]:
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


def _parameter_warnings(pictures: Sequence[Picture]) -> list[str]:
    emissivity, warnings = pictures[0].parameters.emissivity, []
    if emissivity is None or abs(emissivity - SKIN_EMISSIVITY) > 0.0101:
        stated = "no readable emissivity" if emissivity is None else f"an emissivity of {emissivity:.4g}"
        warnings.append(
            f"The temperatures were computed by the camera with {stated}, and the file holds no counts to compute them "
            f"anew; skin has {SKIN_EMISSIVITY}. Set it in the camera or in IRBIS and save again: in a room at 23 °C "
            "the step from 1 to 0.98 is about 0.2 °C."
        )
    changed = [number for number, picture in enumerate(pictures) if picture.parameters != pictures[0].parameters]
    if changed:
        warnings.append(
            f"Emissivity, distance or surroundings change within the recording, first at frame {changed[0] + 1}; each "
            "frame's temperatures were computed by the camera with its own."
        )
    return warnings


def _range_warnings(celsius: NDArray[np.float32], picture: Picture, *, single: bool) -> list[str]:
    missing, where = int(np.isnan(celsius).sum()), "" if single else "In the first frame, "
    if missing == celsius.size:
        raise UnreadableFileError(
            "expected temperatures; found none: the picture's palette is damaged. Copy the file again from the camera"
        )
    warnings = []
    if missing:
        warnings.append(f"{where}{missing} of {celsius.size} pixels lie outside the camera's palette: no temperature.")
    low, high = (limit - KELVIN for limit in picture.calibrated_k)
    if math.isfinite(low) and math.isfinite(high) and low < high:
        outside = int(((celsius < low) | (celsius > high)).sum())
        if outside:
            warnings.append(
                f"{where}{outside} of {celsius.size} pixels lie outside the camera's calibrated range, {low:.1f} to "
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
