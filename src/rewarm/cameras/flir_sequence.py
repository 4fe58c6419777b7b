"""FLIR's FFF files as they lie on disk: one picture, or a recording (SEQ, CSQ, FFF of several frames).

Of a recording, headers and camera information are read on opening and counts on demand. Each frame keeps its own time
stamp and its own parameters.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.cameras.flir_fff import (
    FlirCamera,
    flir_thermogram,
    missing_pixel_warnings,
    read_camera,
    read_directory,
    read_frame,
)
from rewarm.cameras.flir_index import SHORT_BYTES, FrameIndex, index_frames
from rewarm.cameras.flir_raw import checked_order, decode_payload
from rewarm.cameras.radiometry import apply_table, temperature_table
from rewarm.cameras.recording import (
    Axis,
    Frames,
    FrameSettings,
    available_workers,
    change_warnings,
    counts_recording,
    settle_all,
)
from rewarm.cameras.source import Source, check_size
from rewarm.errors import UnreadableFileError
from rewarm.thermogram import ObjectParameters

READER: Final = "FLIR FFF"
SECONDS: Final = 0x384
MILLISECONDS: Final = 0x388
FRAME_RATE: Final = 0x464
CLOCK_END: Final = 0x38E
SETTING_BYTES: Final = ((0x20, 0x40), (0x58, 0x84), (0x308, 0x314))
"""Where in the camera information stands what temperatures are computed with; all else may change as it likes."""
MAX_RATE_HZ: Final = 20_000
DAY_S: Final = 86_400.0

_Payload = Callable[[int, int], memoryview]
"""The bytes of the file from a start, of a length."""


@dataclass(frozen=True)
class Stamp:
    """What a file on disk was like when it was opened."""

    size: int
    changed_ns: int


def open_fff(source: Source, overrides: ObjectParameters) -> xr.Dataset:
    """Open an FFF file: a picture (y, x) if it holds one frame, otherwise a recording (time, y, x), read on demand.

    Raises :class:`UnreadableFileError` for damage.
    """
    if not source.stays_on_disk:
        stamp = Stamp(len(source.data), 0)
        return _open(source, source.data, stamp, overrides)
    try:
        with source.path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _open(source, data, _stamp(os.fstat(stream.fileno())), overrides, stream)
    except OSError as error:
        raise UnreadableFileError(f"cannot be read; the system answered: {error.strerror or error}") from error


def _open(
    source: Source,
    data: bytes | mmap.mmap,
    stamp: Stamp,
    overrides: ObjectParameters,
    stream: BinaryIO | None = None,
) -> xr.Dataset:
    index = index_frames(data, stream)
    if index is None or len(index.starts) == 1:
        return _open_picture(source, data, index, overrides)
    check_size(index.width, index.height)
    index, cameras, of_frame, warnings = _cameras(index)
    held = source.data if isinstance(data, bytes) else None
    counts = FlirCounts(source.path, held, stamp, index, swapped=False, workers=available_workers())
    stored = FrameSettings(tuple(c.parameters for c in cameras), tuple(c.calibration for c in cameras), of_frame)
    settings, parameter_warnings = settle_all(stored, overrides)
    # The first frame is decoded at once: it tells the byte order of all, and damage is named at the door.
    first = counts.first()
    right, order_warnings = checked_order(first, cameras[0].limits)
    counts = replace(counts, swapped=bool(order_warnings))
    time_s, time_warnings = _times(index)
    celsius = apply_table(temperature_table(settings.calibrations[0], settings.parameters[0]), right)
    return counts_recording(
        counts,
        settings,
        path=source.path,
        provenance=source.provenance(READER),
        camera=cameras[0].identity,
        time_s=time_s,
        warnings=[
            *index.warnings,
            *warnings,
            *order_warnings,
            *parameter_warnings,
            *change_warnings(settings),
            *time_warnings,
            *(f"In the first frame, {sentence}" for sentence in missing_pixel_warnings(celsius)),
        ],
    )


def _open_picture(
    source: Source, data: bytes | mmap.mmap, index: FrameIndex | None, overrides: ObjectParameters
) -> xr.Dataset:
    if index is None:
        picture = data if isinstance(data, bytes) else data[: read_directory(data).end]
    else:  # a last frame may lack some of its padding
        end = read_directory(data).end
        # A damaged directory may declare 4 GiB: no more is padded than a camera leaves out.
        picture = data[:end].ljust(min(end, len(data) + SHORT_BYTES), b"\0")
    thermogram = flir_thermogram(read_frame(picture), source=source, overrides=overrides, reader=READER)
    if index is not None:
        thermogram.attrs["warnings"] = [*index.warnings, *thermogram.attrs["warnings"]]
    return thermogram


def _cameras(index: FrameIndex) -> tuple[FrameIndex, list[FlirCamera], NDArray[np.int64], list[str]]:
    """The different sets of parameters, and which of them each frame has; frames with impossible ones are left out."""
    parts = [index.info[:, start:end] for start, end in SETTING_BYTES]
    of_frame = np.zeros(len(index.info), np.int64)
    examples = [0]
    if any((part != part[0]).any() for part in parts):
        stored = np.concatenate(parts, axis=1)
        rows = np.ascontiguousarray(stored).view(f"V{stored.shape[1]}").reshape(-1)
        _, example, inverse = np.unique(rows, return_index=True, return_inverse=True)
        by_appearance = np.argsort(example)
        rank = np.empty_like(by_appearance)
        rank[by_appearance] = np.arange(len(rank))
        of_frame, examples = rank[inverse.reshape(-1)].astype(np.int64), example[by_appearance].tolist()
    cameras: list[FlirCamera] = []
    new_number = np.full(len(examples), -1, np.int64)
    for number, frame in enumerate(examples):
        try:
            cameras_info = read_camera(memoryview(index.info[frame].tobytes()[: index.info_bytes]))
        except UnreadableFileError:
            if number == 0:
                raise
            continue
        new_number[number] = len(cameras)
        cameras.append(cameras_info)
    of_frame = new_number[of_frame]
    warnings = list(dict.fromkeys(sentence for camera in cameras for sentence in camera.warnings))
    good = of_frame >= 0
    if not good.all():
        warnings.append(
            f"{int((~good).sum())} of {len(good)} frames have no readable calibration (the first is frame "
            f"{int(np.flatnonzero(~good)[0]) + 1}) and were left out."
        )
        index = replace(index, starts=index.starts[good], lengths=index.lengths[good], info=index.info[good])
    return index, cameras, of_frame[good], warnings


def _times(index: FrameIndex) -> tuple[NDArray[np.float64], list[str]]:
    """Seconds since the first frame by each frame's own stamp; by the frame rate where there are no stamps."""
    order, count = "<" if bytes(index.info[0, :2]) == b"\x02\0" else ">", len(index.starts)
    if index.info_bytes >= CLOCK_END:
        seconds = _column(index, SECONDS, order + "u4").astype(np.float64)
        milliseconds = np.minimum(_column(index, MILLISECONDS, order + "u4") & 0xFFFF, 999)
        stamps = (seconds - seconds[0]) + (milliseconds.astype(np.float64) - milliseconds[0]) / 1000
        if seconds.all() and (stamps != stamps[0]).any():
            return stamps, _clock_warnings(stamps)
    rate = int(_column(index, FRAME_RATE, order + "u2")[0]) if index.info_bytes >= FRAME_RATE + 2 else 0
    if 0 < rate <= MAX_RATE_HZ:
        note = f"The frames have no time stamps of their own; the stated rate of {rate} frames a second was used."
        return np.arange(count) / rate, [note]
    note = (
        "The frames have neither time stamps nor a frame rate: time counts frames, as if one were taken a second. "
        "Set it with thermogram.assign_coords(time=…)."
    )
    return np.arange(count, dtype=np.float64), [note]


def _clock_warnings(stamps: NDArray[np.float64]) -> list[str]:
    steps = np.diff(stamps)
    if (steps < 0).any():
        frame = int(np.flatnonzero(steps < 0)[0]) + 2
        return [f"The camera's clock goes back within the recording, first at frame {frame}: its times are doubtful."]
    if (steps > DAY_S).any():
        frame = int(np.flatnonzero(steps > DAY_S)[0]) + 2
        return [f"The camera's clock leaps by over a day within the recording, first at frame {frame}."]
    return []


def _column(index: FrameIndex, offset: int, kind: str) -> NDArray[np.uint32]:
    width = np.dtype(kind).itemsize
    return np.ascontiguousarray(index.info[:, offset : offset + width]).view(kind).reshape(-1).astype(np.uint32)


def _stamp(about: os.stat_result) -> Stamp:
    return Stamp(about.st_size, about.st_mtime_ns)


@dataclass(frozen=True, eq=False)
class FlirCounts:
    """The counts of a recording's frames, decoded on demand from ``data``, or from the file at ``path``."""

    path: Path
    data: bytes | None
    stamp: Stamp
    index: FrameIndex
    swapped: bool
    workers: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows, columns."""
        return len(self.index.starts), self.index.height, self.index.width

    def pieces(self, frames: Frames, rows: Axis, columns: Axis) -> Iterator[tuple[slice, NDArray[np.uint16]]]:
        """The counts of the chosen frames, one by one. Raises :class:`UnreadableFileError`."""
        scratch = np.empty(self.shape[1:], np.uint16)  # one for all frames: fresh memory costs a tenth of the decoding
        with self._payloads() as payload:
            for position, frame in enumerate(frames.tolist()):
                picture = self.decode(frame, payload, scratch)
                yield slice(position, position + 1), picture[rows][:, columns][np.newaxis]

    def first(self) -> NDArray[np.uint16]:
        """The first frame's counts. Raises :class:`UnreadableFileError`."""
        with self._payloads() as payload:
            return self.decode(0, payload).copy()

    def decode(self, frame: int, payload: _Payload, scratch: NDArray[np.uint16] | None = None) -> NDArray[np.uint16]:
        """The counts of one frame, in memory that the next frame may take."""
        index = self.index
        try:
            stored = payload(int(index.starts[frame]), int(index.lengths[frame]))
            counts = decode_payload(stored, width=index.width, height=index.height, order=index.order, scratch=scratch)
        except UnreadableFileError as error:
            advice = f". Leave it out with thermogram.drop_isel(time={frame})" if frame else ""
            raise UnreadableFileError(f"frame {frame + 1}: {error}{advice}") from error.__cause__
        return counts.byteswap() if self.swapped else counts

    @contextmanager
    def _payloads(self) -> Iterator[_Payload]:
        if self.data is not None:
            view = memoryview(self.data)
            yield lambda start, length: view[start : start + length]
            return
        try:
            with self.path.open("rb", buffering=0) as stream:
                if _stamp(os.fstat(stream.fileno())) != self.stamp:
                    raise UnreadableFileError(
                        "expected the recording as it was when it was opened; found that the file has changed since. "
                        "Open it again"
                    )
                # One buffer for all frames: fresh memory costs as much as the reading.
                buffer = np.empty(int(self.index.lengths.max()), np.uint8)

                def payload(start: int, length: int) -> memoryview:
                    stream.seek(start)
                    part = buffer[:length].data
                    return part[: stream.readinto(part)]

                yield payload
        except OSError as error:
            raise UnreadableFileError(
                f"expected the recording where it was when it was opened; the system answered: "
                f"{error.strerror or error}"
            ) from error
