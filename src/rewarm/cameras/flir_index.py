"""Where the frames of a FLIR recording lie, told from their headers: no picture is decoded for it.

A SEQ or CSQ recording is one FFF container after another, each with its own directory, camera information and counts.
Consecutive frames have the same directory, but for the length of compressed counts: that is looked at first, since a
recording of ten minutes has 18,000 of them.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import BinaryIO, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from rewarm.cameras.flir_fff import (
    CAMERA_INFO,
    CAMERA_INFO_BYTES,
    ENTRY_BYTES,
    GEOMETRY_BYTES,
    HEADER_BYTES,
    MAGICS,
    RAW_DATA,
    byte_order,
    read_directory,
)
from rewarm.cameras.flir_raw import END_OF_IMAGE, JPEG_MAGIC
from rewarm.cameras.recording import available_workers, in_parallel
from rewarm.errors import UnreadableFileError

INFO_BYTES: Final = 0x470
"""What is kept of each frame's camera information: up to and with the frame rate."""
SIZE_BYTES: Final = 6
"""Byte order, width and height, at the beginning of a record of counts."""
MOST_FALSE_STARTS: Final = 1000
MAX_FRAMES: Final = 10_000_000
FORGET_FRAMES: Final = 512
ALIKE_FRAMES: Final = 20_000
PART_FRAMES: Final = 1000
"""How many frames' heads a thread reads before they are copied: some 1 MB, which its cache holds."""
FEW_FRAMES: Final = 3
WIDEST_HEAD: Final = 16384
SHORT_BYTES: Final = 64
"""By so much the last frame's padding may be cut off, as cameras do."""
PADDING_BYTES: Final = 4096
"""Zeros behind the last frame, no more than these, are not worth a word."""

Bytes = bytes | mmap.mmap
_Number = TypeVar("_Number", np.uint8, np.int64)


@dataclass(frozen=True, eq=False)
class FrameIndex:
    """The frames of a recording that can be one film: the same size, in the same byte order.

    ``starts`` and ``lengths`` (n,) are where each one's compressed or plain counts lie in the file; ``info`` (n, 0x470)
    is each one's camera information, padded with zeros; ``info_bytes`` how much of it was there in the first.
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    info: NDArray[np.uint8]
    info_bytes: int
    width: int
    height: int
    order: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Run:
    """Frames one after the other, n of them.

    ``starts`` and ``lengths`` (n,) of the counts, how many ``info_bytes`` (n,) of camera information each has,
    ``sizes`` (n, 6) the beginnings of the records of counts, ``infos`` (n, 0x470) camera information padded with zeros.
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    info_bytes: NDArray[np.int64]
    sizes: NDArray[np.uint8]
    infos: NDArray[np.uint8]


@dataclass(eq=False)
class _Found:
    """What a walk over the file gathers. Frames found one by one wait in lists until they are a run."""

    runs: list[_Run] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    info_bytes: list[int] = field(default_factory=list)
    sizes: list[bytes] = field(default_factory=list)
    infos: list[bytes] = field(default_factory=list)
    count: int = 0
    skipped: int = 0
    left_over: int = 0
    false_starts: int = 0

    def add(self, start: int, length: int, size: bytes, info: bytes) -> None:
        """One frame, by where its counts lie."""
        self.starts.append(start)
        self.lengths.append(length)
        self.info_bytes.append(len(info))
        self.sizes.append(size)
        self.infos.append(info.ljust(INFO_BYTES, b"\0"))
        self.count += 1
        if len(self.starts) == ALIKE_FRAMES:  # as bytes and as an array, they take twice the memory
            self.close()

    def add_run(self, run: _Run) -> None:
        """Many frames at once."""
        self.close()
        self.runs.append(run)
        self.count += len(run.starts)

    def close(self) -> None:
        """Make the frames that wait a run."""
        if not self.starts:
            return
        count = len(self.starts)
        self.runs.append(
            _Run(
                starts=np.array(self.starts, np.int64),
                lengths=np.array(self.lengths, np.int64),
                info_bytes=np.array(self.info_bytes, np.int64),
                sizes=np.frombuffer(b"".join(self.sizes), np.uint8).reshape(count, SIZE_BYTES),
                infos=np.frombuffer(b"".join(self.infos), np.uint8).reshape(count, INFO_BYTES),
            )
        )
        for waiting in (self.starts, self.lengths, self.info_bytes, self.sizes, self.infos):
            waiting.clear()


@dataclass(frozen=True)
class _Layout:
    """The directory of a frame, and what of the next one's must be the same for it to have the same directory."""

    numbers: bytes
    before: tuple[int, bytes]
    after: tuple[int, bytes]
    order: str
    raw: int
    info: int
    info_bytes: int
    others_end: int
    length_field: int

    def fits(self, data: Bytes, at: int) -> bool:
        start, before = self.before
        behind, after = self.after
        return (
            data[at + 0x14 : at + 0x20] == self.numbers
            and data[at + start : at + start + len(before)] == before
            and data[at + behind : at + behind + len(after)] == after
            and data[at : at + 4] in MAGICS
        )

    def goes_on(self, data: Bytes, at: int, step: int) -> bool:
        """Whether the next frames lie ``step`` bytes apart with as many bytes of counts: two alone may by chance."""
        place = self.length_field
        length = data[at + place : at + place + 4]
        return all(
            data[start + place : start + place + 4] == length and self.fits(data, start)
            for start in range(at + step, at + FEW_FRAMES * step, step)
        )


def index_frames(data: Bytes, stream: BinaryIO | None = None) -> FrameIndex | None:
    """Find all whole frames of ``data``; None where there is none. ``stream`` is the open file that ``data`` maps.

    Raises :class:`UnreadableFileError` where the first one is damaged.
    """
    found = _walk(data, stream)
    found.close()
    return _film(found) if found.runs else None


def _walk(data: Bytes, stream: BinaryIO | None) -> _Found:
    found, size, at = _Found(), len(data), 0
    layout: _Layout | None = None
    while at < size and found.count < MAX_FRAMES:
        if layout is None or not layout.fits(data, at):
            layout = _read_layout(data, at)
        if layout is None:
            after = _next_start(data, at, found)
            if after is None:
                rest = size - at
                found.left_over = 0 if rest <= PADDING_BYTES and not any(data[at:size]) else rest
                break
            found.skipped += after - at
            at = after
            continue
        (length,) = struct.unpack_from(layout.order + "I", data, at + layout.length_field)
        end = max(layout.others_end, layout.raw + length)
        start = at + layout.raw
        if at + end > size:
            length = min(length, size - start)
            if at + layout.others_end > size or at + end > size + SHORT_BYTES or not _ends_well(data, start, length):
                found.left_over = size - at
                break
        if layout.goes_on(data, at, end) and (alike := _add_alike(found, data, at, layout, length, end, stream)):
            at += alike * end
            continue
        if length > GEOMETRY_BYTES:
            info = data[at + layout.info : at + layout.info + layout.info_bytes]
            found.add(start + GEOMETRY_BYTES, length - GEOMETRY_BYTES, data[start : start + SIZE_BYTES], info)
        else:
            found.skipped += end
        at += end
        if found.count % FORGET_FRAMES == 0:
            _forget(data)
    return found


def _add_alike(
    found: _Found, data: Bytes, at: int, layout: _Layout, length: int, end: int, stream: BinaryIO | None
) -> int:
    """Add the frames from ``at`` on that lie ``end`` bytes apart with the same directory; returns how many.

    Plain counts are all of the same size: thousands of frames are compared at once, and of each only its first kilobyte
    is looked at. The same directory says the same number of bytes of counts, so the same size of picture is taken.
    """
    count = min((len(data) - at) // end, ALIKE_FRAMES)
    start, (behind, after) = layout.before[0], layout.after
    directory_end, info_end = behind + len(after), layout.info + INFO_BYTES
    width = max(directory_end, info_end)
    if count < FEW_FRAMES or length <= GEOMETRY_BYTES or width > min(end, WIDEST_HEAD):
        return 0
    heads = _heads(data, stream, at, count, step=end, width=width)
    number = _alike(heads, (slice(0, 4), slice(0x14, 0x20), slice(start, directory_end)))
    infos = heads[:number, layout.info : info_end]
    if layout.info_bytes < INFO_BYTES:
        infos = infos.copy()
        infos[:, layout.info_bytes :] = 0
    first, raw = at + layout.raw + GEOMETRY_BYTES, at + layout.raw
    found.add_run(
        _Run(
            starts=np.arange(first, first + number * end, end, dtype=np.int64),
            lengths=np.full(number, length - GEOMETRY_BYTES, np.int64),
            info_bytes=np.full(number, layout.info_bytes, np.int64),
            sizes=np.broadcast_to(np.frombuffer(data[raw : raw + SIZE_BYTES], np.uint8), (number, SIZE_BYTES)),
            infos=infos,
        )
    )
    return number


def _heads(data: Bytes, stream: BinaryIO | None, at: int, count: int, *, step: int, width: int) -> NDArray[np.uint8]:
    """The first ``width`` bytes of ``count`` frames that lie ``step`` bytes apart: uint8 (count, width).

    Read by the system's own call where there is one, on all cores: to map a page of each frame takes twice as long.
    Raises :class:`UnreadableFileError` where the file became shorter.
    """
    heads = np.empty((count, width), np.uint8)
    if stream is None or not hasattr(os, "preadv"):
        flat = np.frombuffer(data, np.uint8)
        heads[:] = np.lib.stride_tricks.as_strided(flat[at:], (count, width), (step, 1))
        return heads
    number = stream.fileno()

    def read(first: int) -> None:
        behind = min(first + PART_FRAMES, count)
        places = range(at + first * step, at + behind * step, step)
        rows = zip(heads[first:behind])  # one-tuples of rows, as preadv takes them, with no loop in Python
        if sum(map(os.preadv, repeat(number), rows, places)) != (behind - first) * width:
            raise UnreadableFileError("the file became shorter while it was read. Copy it again from the camera")

    in_parallel(read, range(0, count, PART_FRAMES), available_workers())
    return heads


def _alike(heads: NDArray[np.uint8], parts: Sequence[slice]) -> int:
    """How many rows of (n, w) bytes, from the first on, have the same ``parts`` as the first."""
    number = len(heads)
    for part in parts:
        same = heads[:number, part] == heads[0, part]
        if not same.all():
            number = int(np.argmin(same.all(axis=1)))
    return number


def _forget(data: Bytes) -> None:
    """Give back the memory of the pages seen so far: the system counts a mapped file's as this process's."""
    if isinstance(data, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        data.madvise(mmap.MADV_DONTNEED)


def _read_layout(data: Bytes, at: int) -> _Layout | None:
    """The layout of the frame that begins at ``at``; None where no frame with counts and camera information does."""
    if data[at : at + 4] not in MAGICS:
        return None
    try:
        directory = read_directory(data, at)
    except UnreadableFileError:
        return None
    raw, info = directory.find(RAW_DATA), directory.find(CAMERA_INFO)
    if raw is None or info is None or info.length < CAMERA_INFO_BYTES:
        return None
    entries_end = directory.start + directory.count * ENTRY_BYTES
    others = [HEADER_BYTES, entries_end, *(r.offset + r.length for r in directory.records if r is not raw)]
    behind = raw.length_field + 4
    return _Layout(
        numbers=data[at + 0x14 : at + 0x20],
        before=(directory.start, data[at + directory.start : at + raw.length_field]),
        after=(behind, data[at + behind : at + entries_end]),
        order=directory.order,
        raw=raw.offset,
        info=info.offset,
        info_bytes=min(info.length, INFO_BYTES),
        others_end=max(others),
        length_field=raw.length_field,
    )


def _next_start(data: Bytes, at: int, found: _Found) -> int | None:
    """Where the next frame begins behind something that is none. The three letters also occur among counts."""
    magic = data[0:4]
    after = data.find(magic, at + 1)
    while after >= 0 and found.false_starts < MOST_FALSE_STARTS:
        if _read_layout(data, after) is not None:
            return after
        found.false_starts += 1
        after = data.find(magic, after + 1)
    return None


def _ends_well(data: Bytes, start: int, length: int) -> bool:
    """Whether counts that lack their last bytes lack but padding: JPEG-LS says itself where it ends."""
    if length <= GEOMETRY_BYTES + 4 or data[start + GEOMETRY_BYTES : start + GEOMETRY_BYTES + 3] != JPEG_MAGIC:
        return False
    return data[max(start, start + length - 64) : start + length].rstrip(b"\0").endswith(END_OF_IMAGE)


def _film(found: _Found) -> FrameIndex:
    """What was found, without the frames that do not belong together with the first."""
    sizes = _joined([run.sizes for run in found.runs])
    order = byte_order(sizes[0].tobytes())
    if order is None:
        raise UnreadableFileError("expected raw counts in one of two byte orders; found neither: the file is damaged")
    width, height = struct.unpack(order + "2H", sizes[0, 2:].tobytes())
    info, info_bytes = _joined([run.infos for run in found.runs]), _joined([run.info_bytes for run in found.runs])
    starts, lengths = _joined([run.starts for run in found.runs]), _joined([run.lengths for run in found.runs])
    # The same camera in the same byte order, and as much told of each frame as of the first.
    like_first = (info_bytes == info_bytes[0]) & _rows_like_first(sizes) & _rows_like_first(info[:, :2])
    if not like_first.all():
        starts, lengths, info = starts[like_first], lengths[like_first], info[like_first]
    return FrameIndex(
        starts=starts,
        lengths=lengths,
        info=info,
        info_bytes=int(info_bytes[0]),
        width=width,
        height=height,
        order=order,
        warnings=tuple(_index_warnings(found, like_first)),
    )


def _joined(parts: list[NDArray[_Number]]) -> NDArray[_Number]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _rows_like_first(rows: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which rows of (n, w) bytes equal the first: bool (n,)."""
    same = rows == rows[0]
    alike: NDArray[np.bool_] = np.ones(len(rows), bool) if same.all() else same.all(axis=1)
    return alike


def _index_warnings(found: _Found, like_first: NDArray[np.bool_]) -> list[str]:
    sentences = []
    if found.skipped:
        sentences.append(
            f"{found.skipped} bytes between the frames belong to none and were skipped: the recording may be damaged "
            "there, and frames may be missing."
        )
    if not like_first.all():
        others = np.flatnonzero(~like_first)
        sentences.append(
            f"{len(others)} of {len(like_first)} frames are damaged or of another size (the first is frame "
            f"{others[0] + 1}) and were left out."
        )
    if found.left_over:
        sentences.append(
            f"The recording ends within a frame: {found.left_over} bytes were left over, and {int(like_first.sum())} "
            "whole frames were read."
        )
    return sentences
