"""FLIR radiometric JPEG: a picture for people, with the FFF container in numbered APP1 segments before it."""

from __future__ import annotations

from typing import Final

import xarray as xr

from rewarm.cameras.flir_fff import flir_thermogram, read_frame
from rewarm.cameras.source import Source
from rewarm.errors import NotRadiometricError, UnreadableFileError
from rewarm.thermogram import ObjectParameters

SIGNATURE: Final = b"FLIR\0"
APP1: Final = 0xE1
START_OF_SCAN: Final = 0xDA
END_OF_IMAGE: Final = 0xD9
STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""
CHUNK_HEADER_BYTES: Final = 8
"""The signature, a version, this chunk's number, the last chunk's number."""


def sniff_jpeg(head: bytes) -> bool:
    """Whether a file begins like a JPEG."""
    return head[:3] == b"\xff\xd8\xff"


def open_flir_jpeg(source: Source, overrides: ObjectParameters) -> xr.Dataset:
    """Open a radiometric JPEG.

    Raises :class:`NotRadiometricError` for a JPEG that is only a picture, :class:`UnreadableFileError` for damage.
    """
    frame = read_frame(flir_data(source.data))
    return flir_thermogram(frame, source=source, overrides=overrides, reader="FLIR JPEG")


def flir_data(jpeg: bytes) -> bytes:
    """The FFF container inside ``jpeg``, its chunks put together in the order of their numbers.

    Raises :class:`NotRadiometricError` where there is none, :class:`UnreadableFileError` where chunks are missing.
    """
    chunks, complete = _chunks(jpeg)
    if not chunks:
        if not complete:
            raise UnreadableFileError(
                "expected a JPEG; found one that ends before its picture. Copy it again from the camera"
            )
        raise NotRadiometricError(_only_a_picture(jpeg))
    numbers = [number for number, _, _ in chunks]
    last = max(last for _, last, _ in chunks)
    if len(set(numbers)) == len(numbers):
        missing = sorted(set(range(last + 1)) - set(numbers))
        if missing:
            raise UnreadableFileError(
                f"expected {last + 1} segments of FLIR data; found {len(chunks)}, so the file is truncated or damaged. "
                "Copy it again from the camera"
            )
        chunks = sorted(chunks, key=lambda chunk: chunk[0])
    # Some programs write zeros for all numbers: then the order in the file counts.
    return b"".join(data for _, _, data in chunks)


def _chunks(jpeg: bytes) -> tuple[list[tuple[int, int, memoryview]], bool]:
    """(number, last number, data) of each FLIR segment, and whether the picture itself was reached."""
    found: list[tuple[int, int, memoryview]] = []
    view, position = memoryview(jpeg), 2
    while position + 4 <= len(jpeg):
        if jpeg[position] != 0xFF:
            return found, False
        marker = jpeg[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker in STANDALONE:
            position += 2
        elif marker in (START_OF_SCAN, END_OF_IMAGE):
            return found, True
        else:
            length = int.from_bytes(jpeg[position + 2 : position + 4], "big")
            if length < 2 or position + 2 + length > len(jpeg):
                return found, False
            start, end = position + 4, position + 2 + length
            if marker == APP1 and end - start > CHUNK_HEADER_BYTES and jpeg.startswith(SIGNATURE, start):
                found.append((jpeg[start + 6], jpeg[start + 7], view[start + CHUNK_HEADER_BYTES : end]))
            position = end
    return found, False


def _only_a_picture(jpeg: bytes) -> str:
    message = (
        "expected a radiometric JPEG with FLIR's data in APP1 segments; found a JPEG that is only a picture, without "
        "temperatures. "
    )
    if b"FLIR" in jpeg[:65536]:
        return message + (
            "It was taken with a FLIR camera, and another program has saved it without the radiometric part: use the "
            "file as it was on the camera's memory card"
        )
    return message + (
        "Colours cannot be turned back into temperatures: copy the camera's original radiometric file, or export the "
        "temperatures as CSV from the camera's own program"
    )
