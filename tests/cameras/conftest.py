"""Small recordings whose truth is known, written apart from the parsers that are tested on them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
    rate: int = 0
    others: tuple[tuple[int, bytes], ...] = ((0x22, b"\0" * 64),)
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
    put(0x464, "H", file.rate)
    return bytes(info)


def fff_bytes(file: FlirFile) -> bytes:
    width, height = file.geometry or file.counts.shape[::-1]
    raw = struct.pack(file.order + "3H", 2, width, height).ljust(0x20, b"\0") + raw_payload(file)
    records = [(0x20, 1, camera_info(file)), *((kind, 1, content) for kind, content in file.others), (0x01, 2, raw)]
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


@dataclass(frozen=True)
class IrbFile:
    """What an InfraTec camera might have written: ``frames`` are pixel values (time, y, x), uint16.

    ``chained`` recordings hang each picture on a link, as IRBIS does; otherwise the index names all of them.
    """

    frames: NDArray[np.uint16]
    palette_k: NDArray[np.float32]
    packing: int = 0
    depth: int = 2
    chained: bool = False
    emissivity: float = 0.98
    distance_m: float = 0.8
    around_c: float = 22.0
    path_c: float = 23.0
    calibrated_k: tuple[float, float] = (233.0, 393.0)
    days: tuple[float, ...] = (41653.731770833336,)
    milliseconds: tuple[int, ...] = (0,)
    model: bytes = b"VARIOCAM"
    others: tuple[tuple[int, bytes], ...] = ((2, b"xla\xff preview"), (3, b"[Settings]\r\nRMI=PPP1\r\n"))


def irb_picture(file: IrbFile, index: int) -> bytes:
    words = file.frames[index]
    height, width = words.shape
    head = bytearray(1728)
    struct.pack_into("<4H", head, 0, file.depth, file.packing, width, height)
    struct.pack_into("<6H", head, 12, 0, max(width, 1) - 1, 0, max(height, 1) - 1, 0x8000, 0)
    struct.pack_into("<3f", head, 24, file.emissivity, file.distance_m, file.around_c + 273.15)
    struct.pack_into("<f", head, 40, file.path_c + 273.15)
    struct.pack_into("<f", head, 48, 9.5)
    struct.pack_into("<256f", head, 60, *file.palette_k)
    struct.pack_into("<2f", head, 1084 + 92, *file.calibrated_k)
    for at, text in ((142, file.model), (164, b"5020"), (202, b"standard optics"), (234, b"IR 1.0/30 LW")):
        head[1084 + at : 1084 + at + len(text)] = text
    day, count = file.days[index % len(file.days)], file.milliseconds[index % len(file.milliseconds)]
    struct.pack_into("<di", head, 1084 + 540, day, count)
    if file.packing == 0:
        return bytes(head) + words.astype("<u2").tobytes()
    flat, packed = words.ravel(), bytearray((words & 255).astype(np.uint8).tobytes())
    position = 0
    while position < flat.size:  # runs of at most 255 equal high bytes
        high, length = int(flat[position] >> 8), 1
        while position + length < flat.size and length < 255 and flat[position + length] >> 8 == high:
            length += 1
        packed += bytes((length, high))
        position += length
    return bytes(head) + bytes(packed)


def irb_bytes(file: IrbFile) -> bytes:
    pictures = [irb_picture(file, index) for index in range(len(file.frames))]
    listed = [(1, picture) for picture in pictures] + list(file.others)
    if file.chained:
        listed = list(file.others)
    slots = len(listed) + 3
    index, body, start = b"", b"", 64 + 32 * slots

    def entry(kind: int, number: int, offset: int, size: int) -> bytes:
        return struct.pack("<8I", kind, 100, number, offset, size, 0, 0, 0)

    for number, (kind, content) in enumerate(listed, start=1):
        index += entry(kind, number, start + len(body), len(content))
        body += content
    if file.chained:
        index += entry(4, 1, start + len(body), 64)
        for number, picture in enumerate(pictures, start=1):
            here = start + len(body)
            last = number == len(pictures)
            body += entry(1, number, here + 64, len(picture))
            body += entry(*((0, 0, 0, 0) if last else (4, number + 1, here + 64 + len(picture), 64)))
            body += picture
    header = b"\xffIRB\0" + b"VARIOCAM".ljust(16, b"\0") + struct.pack("<3I", 100, 64, slots)
    return header.ljust(64, b"\0") + index.ljust(32 * slots, b"\0") + body


@pytest.fixture(scope="session")
def irb_file() -> Callable[..., IrbFile]:
    """Make an :class:`IrbFile`, 24 rows of 32, about 20 to 36 °C, changed as wished."""
    palette_k = (280 + 2 * np.arange(256)).astype(np.float32)
    y, x = np.mgrid[0:24, 0:32]
    first = (1700 + 40 * y + 35 * x).astype(np.uint16)

    def make(frames: int = 1, pixels: NDArray[np.uint16] | None = None, **changes: object) -> IrbFile:
        stack = (
            pixels[None]
            if pixels is not None
            else np.stack([first + np.uint16(10 * number) for number in range(frames)])
        )
        return IrbFile(**({"frames": stack, "palette_k": palette_k} | changes))

    return make


@pytest.fixture(scope="session")
def irb(irb_file: Callable[..., IrbFile]) -> Callable[..., bytes]:
    """The bytes of an InfraTec .irb."""
    return lambda **changes: irb_bytes(irb_file(**changes))


def dicom_bytes(
    values: NDArray[np.generic],
    *,
    unit: str | None = "Cel",
    scheme: str = "UCUM",
    slope: float | None = 1.0,
    intercept: float = 0.0,
    place: str = "top",
    big_endian: bool = False,
    padding: float | None = None,
    moments: Sequence[str] = (),
    pixel_keyword: str | None = "by type",
    syntax: str = "",
    **elements: object,
) -> bytes:
    """A DICOM object that keeps (y, x) or (time, y, x) numbers, as small as it can be; ``elements`` win over all."""
    from pydicom import dcmwrite
    from pydicom.dataset import Dataset, FileMetaDataset

    order = ">" if big_endian else "<"
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.30", "1.2.3"
    data.PatientName, data.PatientID = "Doe^Jane", "4711"
    data.Manufacturer, data.ManufacturerModelName, data.DeviceSerialNumber = "Maker", "Model", "5020"
    data.AcquisitionDateTime = "20240203101112.250000+0100"
    data.SamplesPerPixel, data.BitsAllocated = 1, 8 * values.dtype.itemsize
    data.Rows, data.Columns = values.shape[-2:]
    frames = values.shape[0] if values.ndim == 3 else 1
    data.NumberOfFrames = frames
    data.PixelRepresentation = int(values.dtype.kind == "i")
    keyword = pixel_keyword
    if pixel_keyword == "by type":
        keyword = {"f4": "FloatPixelData", "f8": "DoubleFloatPixelData"}.get(values.dtype.str[1:], "PixelData")
    if keyword:
        setattr(data, keyword, values.astype(values.dtype.newbyteorder(order)).tobytes())
    if keyword == "PixelData":
        data["PixelData"].VR = "OW"
    if padding is not None:
        data.FloatPixelPaddingValue = padding
    mapping = Dataset()
    if slope is not None:
        mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept = slope, intercept
    units = Dataset()
    units.CodeValue, units.CodingSchemeDesignator, units.CodeMeaning = unit, scheme, "unit"
    mapping.MeasurementUnitsCodeSequence = [units] if unit else []
    groups = [Dataset() for _ in range(frames)]
    for group, moment in zip(groups, moments, strict=False):
        group.FrameContentSequence = [Dataset()]
        group.FrameContentSequence[0].FrameAcquisitionDateTime = moment
    shared = Dataset()
    for holder in {"top": [data], "shared": [shared], "per frame": groups}[place]:
        holder.RealWorldValueMappingSequence = [mapping]
    data.SharedFunctionalGroupsSequence, data.PerFrameFunctionalGroupsSequence = [shared], groups
    for name, value in elements.items():
        setattr(data, name, value)
    data.file_meta = FileMetaDataset()
    plain = "1.2.840.10008.1.2.2" if big_endian else "1.2.840.10008.1.2.1"
    data.file_meta.TransferSyntaxUID = plain
    stream = io.BytesIO()
    dcmwrite(stream, data, enforce_file_format=True)
    written = stream.getvalue()
    if not syntax:
        return written
    # Another transfer syntax is only said, in the place of the true one and padded by zeros like it.
    size = len(plain) + len(plain) % 2
    at = written.index(plain.encode())
    said = syntax.encode() + b"\0" * (len(syntax) % 2)
    head = written[: at - 2] + len(said).to_bytes(2, "little") + said
    grown = int.from_bytes(written[140:144], "little") + len(said) - size
    return head[:140] + grown.to_bytes(4, "little") + head[144:] + written[at + size :]


@pytest.fixture(scope="session")
def dicom() -> Callable[..., bytes]:
    """The bytes of a DICOM object with numbers for pixels."""
    pytest.importorskip("pydicom", reason="DICOM is an extra: pip install rewarm[dicom]")
    return dicom_bytes


def irg_bytes(celsius: NDArray[np.floating[Any]], *, magic: bytes = b"\xca\xac", step_k: float = 1 / 16) -> bytes:
    """An InfiRay .irg as the C200 series writes them, without a photo."""
    height, width = celsius.shape
    header = bytearray(128)
    struct.pack_into("<2sHIHH", header, 0, magic, 128, height * width, height, width)
    struct.pack_into("<2HI", header, 26, height, width, 9800)
    header[-2:] = b"\xac\xca"
    fine = np.round((celsius.astype(float) + 273.15) / step_k).astype("<u2")
    return bytes(header) + bytes(height * width) + fine.tobytes()


@pytest.fixture(scope="session")
def irg() -> Callable[..., bytes]:
    """The bytes of an InfiRay .irg of given °C."""
    pytest.importorskip("infiray_irg", reason="InfiRay is an extra: pip install rewarm[infiray]")
    return irg_bytes


def fpf_bytes(values: NDArray[Any], *, kind: int = 0, number: int = 2, start: int = 892, **patches: bytes) -> bytes:
    """A picture in FLIR's public image format; ``patches`` are bytes for a place, named like ``at_0x1e0``."""
    height, width = values.shape
    header = bytearray(start)
    header[:23] = b"FPF Public Image Format"
    struct.pack_into("<2I4H", header, 0x20, 2, start, kind, number, width, height)
    for at, text in ((0x78, b"ThermaCAM S65"), (0xB8, b"12345"), (0xE0, b"FOL 35")):
        header[at : at + len(text)] = text
    struct.pack_into("<5f", header, 0x1E0, 0.98, 1.5, 295.15, 296.15, 0.45)
    struct.pack_into("<7I", header, 0x248, 2012, 7, 26, 21, 11, 14, 250)
    for place, patch in patches.items():
        at = int(place.removeprefix("at_"), 16)
        header[at : at + len(patch)] = patch
    return bytes(header) + values.astype(("<i2", "<i4", "<f4", "<f8")[number]).tobytes()


@pytest.fixture(scope="session")
def fpf() -> Callable[..., bytes]:
    """The bytes of a picture in FLIR's public image format."""
    return fpf_bytes


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
