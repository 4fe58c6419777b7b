"""FLIR recordings for the benchmarks, written by the published layout; nothing of the package is used for it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

WIDTH, HEIGHT = 640, 480
DIRECTORY, INFO, INFO_BYTES = 0x40, 0x80, 0x470
RAW = INFO + INFO_BYTES


def write_raw_recording(path: Path, *, frames: int, rate: int = 30) -> None:
    """A SEQ of raw 640 × 480 frames, a warm patch that moves over a slope, with noise; 0.6 MB a frame."""
    with path.open("wb") as stream:
        stream.writelines(raw_frames(frames, rate))


def raw_frames(frames: int, rate: int = 30) -> Iterator[bytes]:
    """The bytes of one frame after the other."""
    random = np.random.default_rng(1)
    slope = 14000 + np.add.outer(3 * np.arange(HEIGHT), 2 * np.arange(WIDTH))
    noise = random.integers(-12, 13, size=(16, HEIGHT, WIDTH))
    for number in range(frames):
        counts = (slope + noise[number % 16]).astype("<u2")
        column = (3 * number) % (WIDTH - 100)
        counts[150:300, column : column + 100] += 1800
        yield frame_bytes(counts, number, rate)


def frame_bytes(counts: np.ndarray, number: int, rate: int) -> bytes:
    """One FFF container with camera information and plain counts."""
    head = b"FFF\0".ljust(0x14, b"\0") + struct.pack("<4I", 100, DIRECTORY, 2, 3)
    payload = struct.pack("<3H", 2, WIDTH, HEIGHT).ljust(0x20, b"\0") + counts.tobytes()
    entries = struct.pack("<HH7I", 0x20, 0, 105, 1, INFO, INFO_BYTES, 0, 0, 0)
    entries += struct.pack("<HH7I", 0x01, 2, 100, 2, RAW, len(payload), 0, 0, 0)
    info = bytearray(INFO_BYTES)
    struct.pack_into("<3H", info, 0, 2, WIDTH, HEIGHT)
    struct.pack_into("<6f", info, 0x20, 0.98, 0.8, 295.15, 296.15, 293.15, 1.0)
    struct.pack_into("<f", info, 0x3C, 0.45)
    struct.pack_into("<3f", info, 0x58, 15000.0, 1400.0, 1.0)
    struct.pack_into("<5f", info, 0x70, 0.006569, 0.01262, -0.002276, -0.00667, 1.9)
    struct.pack_into("<if", info, 0x308, -6000, 0.0112)
    milliseconds = round(1000 * number / rate)
    struct.pack_into("<IIh", info, 0x384, 1_700_000_000 + milliseconds // 1000, milliseconds % 1000, -60)
    struct.pack_into("<H", info, 0x464, rate)
    return head.ljust(DIRECTORY, b"\0") + entries + bytes(info) + payload


def repeat_frames(sample: Path, path: Path, *, frames: int) -> list[bytes]:
    """Write a recording of the whole frames of ``sample`` again and again; returns the distinct JPEG-LS streams."""
    data = sample.read_bytes()
    starts = [0]
    while (following := data.find(data[:16], starts[-1] + 1)) > 0:
        starts.append(following)
    pieces = [data[a:b] for a, b in pairwise(starts)]  # the last may lack its padding
    with path.open("wb") as stream:
        stream.writelines(pieces[number % len(pieces)] for number in range(frames))
    return [piece[piece.index(b"\xff\xd8\xff") :] for piece in pieces]
