"""Small recordings whose truth is known, written apart from the parsers that are tested on them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray


@dataclass(frozen=True)
class FlirFile:
    """What a FLIR camera might have written. ``order`` is the byte order of the inner records, "<" or ">"."""

    counts: NDArray[np.uint16]
    raw: str = "plain"
    order: str = "<"
    directory_order: str = ">"
    emissivity: float = 0.98
    distance_m: float = 1.0
    reflected_c: float = 22.0
    air_c: float = 23.0
    window_c: float = 20.0
    window: float = 1.0
    humidity: float = 0.45
    r1: float = 15000.0
    r2: float = 0.0112
    b: float = 1400.0
    f: float = 1.0
    o: int = -6000
    alpha: tuple[float, float] = (0.006569, 0.01262)
    beta: tuple[float, float] = (-0.002276, -0.00667)
    x: float = 1.9
    model: bytes = b"FLIR Simulated"
    seconds: int = 1_700_000_000
    milliseconds: int = 250
    west_min: int = -60
    info_bytes: int = 0x400
    chunk_bytes: int = 3000
    geometry: tuple[int, int] | None = None
    drop: tuple[int, ...] = ()
    chunk_order: tuple[int, ...] | None = None
    chunk_numbers: str = "counted"
    before: tuple[bytes, ...] = field(default=(b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",))


def raw_payload(file: FlirFile) -> bytes:
    swapped = file.counts.astype(file.order + "u2")
    if file.raw == "plain":
        return swapped.tobytes()
    if file.raw == "png":  # the words of a PNG are big-endian; FLIR puts the record's own order into them
        return imagecodecs.png_encode(np.frombuffer(swapped.tobytes(), ">u2").reshape(file.counts.shape).astype("u2"))
    if file.raw == "png, other order":
        other = file.counts if file.order == "<" else file.counts.byteswap()
        return imagecodecs.png_encode(other)
    if file.raw == "jpegls":
        return imagecodecs.jpegls_encode(file.counts)
    if file.raw in ("tiff <", "tiff >"):
        import io

        stream = io.BytesIO()
        tifffile.imwrite(stream, file.counts.astype(file.raw[-1] + "u2"), byteorder=file.raw[-1])
        return stream.getvalue()
    if file.raw == "noise":
        return b"\x01\x02\x03"
    raise AssertionError(file.raw)


def camera_info(file: FlirFile) -> bytes:
    info = bytearray(file.info_bytes)
    order = file.order

    def put(offset: int, kind: str, *values: float) -> None:
        if offset + struct.calcsize(kind) <= len(info):
            struct.pack_into(order + kind, info, offset, *values)

    height, width = file.counts.shape
    put(0, "3H", 2, width, height)
    put(0x20, "6f", file.emissivity, file.distance_m, *(t + 273.15 for t in (file.reflected_c, file.air_c)),
        file.window_c + 273.15, file.window)  # fmt: skip
    put(0x3C, "f", file.humidity)
    put(0x58, "3f", file.r1, file.b, file.f)
    put(0x70, "5f", *file.alpha, *file.beta, file.x)
    info[0xD4 : 0xD4 + len(file.model)] = file.model
    info[0x104:0x10C] = b"12345678"
    info[0x170:0x175] = b"FOL18"
    put(0x1B4, "f", 25.0)
    put(0x308, "if", file.o, file.r2)
    put(0x310, "2H", 7000, 58000)
    put(0x384, "IIh", file.seconds, file.milliseconds, file.west_min)
    return bytes(info)


def fff_bytes(file: FlirFile) -> bytes:
    width, height = file.geometry or file.counts.shape[::-1]
    raw = struct.pack(file.order + "3H", 2, width, height).ljust(0x20, b"\0") + raw_payload(file)
    records = [(0x20, 1, camera_info(file)), (0x22, 1, b"\0" * 64), (0x01, 2, raw)]
    entries, body, start = b"", b"", 0x40 + 0x20 * 6
    for kind, subtype, content in records:
        entries += struct.pack(
            file.directory_order + "HH7I", kind, subtype, 100, 1, start + len(body), len(content), 0, 0, 0
        )
        body += content
    entries = entries.ljust(0x20 * 6, b"\0")
    header = b"FFF\0".ljust(0x14, b"\0") + struct.pack(file.directory_order + "4I", 100, 0x40, 6, 2)
    return header.ljust(0x40, b"\0") + entries + body


def jpeg_bytes(file: FlirFile) -> bytes:
    data = fff_bytes(file)
    parts = [data[i : i + file.chunk_bytes] for i in range(0, len(data), file.chunk_bytes)]
    segments = []
    for number in file.chunk_order or range(len(parts)):
        if number in file.drop:
            continue
        numbers = bytes((number, len(parts) - 1)) if file.chunk_numbers == "counted" else b"\0\0"
        content = b"FLIR\0\x01" + numbers + parts[number]
        segments.append(b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content)
    picture = imagecodecs.jpeg_encode(np.zeros((8, 8, 3), np.uint8))
    return b"\xff\xd8" + b"".join(file.before) + b"".join(segments) + picture[2:]


@pytest.fixture(scope="session")
def counts() -> NDArray[np.uint16]:
    """A smooth picture, 24 rows of 32, with a little noise: room to skin for the camera of :class:`FlirFile`."""
    y, x = np.mgrid[0:24, 0:32]
    noise = np.random.default_rng(7).integers(-6, 7, size=(24, 32))
    return (16000 + 40 * y + 55 * x + noise).astype(np.uint16)


@pytest.fixture(scope="session")
def flir_file(counts: NDArray[np.uint16]) -> Callable[..., FlirFile]:
    """Make a :class:`FlirFile`, changed as wished."""

    def make(**changes: object) -> FlirFile:
        return FlirFile(**({"counts": counts} | changes))

    return make


@pytest.fixture(scope="session")
def flir_jpeg(flir_file: Callable[..., FlirFile]) -> Callable[..., bytes]:
    """The bytes of a FLIR JPEG."""
    return lambda **changes: jpeg_bytes(flir_file(**changes))


@pytest.fixture(scope="session")
def flir_fff(flir_file: Callable[..., FlirFile]) -> Callable[..., bytes]:
    """The bytes of a FLIR FFF file."""
    return lambda **changes: fff_bytes(flir_file(**changes))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes | str], Path]:
    """Write a file of that name and content."""

    def write_file(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write_file


@pytest.fixture(scope="session")
def celsius() -> NDArray[np.float32]:
    """A matrix of plausible °C, 24 rows of 32, two decimals."""
    values = np.random.default_rng(3).uniform(21, 35, size=(24, 32))
    return np.round(values, 2).astype(np.float32)
