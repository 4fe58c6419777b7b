"""The raw counts of a FLIR frame: plain 16-bit words, or PNG, TIFF or JPEG-LS inside the record.

A plain frame is in the record's byte order. So are the samples inside a PNG, whatever the PNG standard says: a camera
whose records are little-endian stores byte-swapped PNGs, one whose records are big-endian (ThermaCAM) right ones. The
header is believed unless the other order is plainly the smoother picture.
"""

from __future__ import annotations

import struct
from typing import Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from rewarm.cameras.tiff import decode_tiff
from rewarm.errors import UnreadableFileError

PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC: Final = b"\xff\xd8\xff"
PNG_SLACK_BYTES: Final = 4096
TIFF_MAGICS: Final = (b"II*\0", b"MM\0*")
JPEG_LS_FRAME: Final = b"\xff\xf7"
END_OF_IMAGE: Final = b"\xff\xd9"
SMOOTHER: Final = 8.0
"""How many times smoother the other byte order must be before the header is overruled: a swap of a real picture turns
steps of a few counts into steps of thousands, so a factor of 8 leaves no doubt, and noise never reaches it."""

Counts = NDArray[np.uint16]


def decode_raw(
    payload: memoryview, *, width: int, height: int, order: str, limits: tuple[int, int]
) -> tuple[Counts, list[str]]:
    """Decode one frame's ``payload``: uint16 (height, width), and warnings.

    ``order`` is "<" or ">", the record's. ``limits`` are the counts between which the camera is calibrated. Raises
    :class:`UnreadableFileError`.
    """
    counts = decode_payload(payload, width=width, height=height, order=order)
    return checked_order(np.require(counts, requirements=["O", "W"]), limits)


def decode_payload(payload: memoryview, *, width: int, height: int, order: str) -> Counts:
    """As :func:`decode_raw`, in the byte order that the header states, believed unchecked.

    The counts may lie in the memory of ``payload`` itself.
    """
    head = bytes(payload[:8])
    if head == PNG_MAGIC:
        decoded = _decode_png(payload, width, height)
        return decoded.byteswap() if order == "<" else decoded
    if head[:4] in TIFF_MAGICS and len(payload) != 2 * width * height:
        return _fit(decode_tiff(bytes(payload)).values, width, height, "TIFF")
    if head[:3] == JPEG_MAGIC and len(payload) != 2 * width * height:
        return _decode_jpeg_ls(payload, width, height)
    return _plain(payload, width, height, order)


def _plain(payload: memoryview, width: int, height: int, order: str) -> Counts:
    needed = 2 * width * height
    if len(payload) < needed:
        raise UnreadableFileError(
            f"expected {needed} bytes of raw counts for {width} × {height} pixels; found {len(payload)}, so the file "
            "is truncated or damaged. Copy it again from the camera"
        )
    words = np.frombuffer(payload[:needed], dtype=order + "u2").reshape(height, width)
    return words.astype(np.uint16, copy=False)


def _decode_png(payload: memoryview, width: int, height: int) -> Counts:
    header = bytes(payload[:33])
    if len(header) < 33 or header[12:16] != b"IHDR":
        raise UnreadableFileError(
            "expected raw counts as PNG; found a truncated PNG. Copy the file again from the camera"
        )
    declared = struct.unpack(">IIBB", header[16:26])
    if declared != (width, height, 16, 0):  # compared before decoding, so that no declared size is believed
        raise UnreadableFileError(
            f"expected a 16-bit grey PNG of {width} × {height} pixels as raw counts; found {declared[2]}-bit, colour "
            f"type {declared[3]}, {declared[0]} × {declared[1]} pixels: the file is damaged"
        )
    if len(payload) > 3 * width * height + PNG_SLACK_BYTES:  # half as much again as plain counts: packed zeros, a bomb
        raise UnreadableFileError(
            f"expected a PNG smaller than {width} × {height} plain counts; found {len(payload)} bytes: it is damaged"
        )
    try:
        decoded = imagecodecs.png_decode(bytes(payload))
    except Exception as error:  # whatever the decoder calls it, the picture inside is damaged
        raise UnreadableFileError(f"expected raw counts as PNG; found damaged data ({_brief(error)})") from error
    return _fit(decoded, width, height, "PNG")


def _decode_jpeg_ls(payload: memoryview, width: int, height: int) -> Counts:
    data = bytes(payload)
    start = data.find(JPEG_LS_FRAME, 0, 4096)
    if start < 0 or len(data) < start + 10:
        raise UnreadableFileError(
            "expected raw counts as JPEG-LS; found another kind of JPEG: the file is damaged or new"
        )
    bits, rows, columns, components = struct.unpack_from(">BHHB", data, start + 4)
    if (columns, rows, components) != (width, height, 1) or not 8 < bits <= 16:
        raise UnreadableFileError(
            f"expected a 16-bit grey JPEG-LS of {width} × {height} pixels; found {bits}-bit, {columns} × {rows}: it is "
            "damaged"
        )
    try:
        # The decoder reads past the end of a stream that lacks its end marker for seconds: it always gets one.
        decoded = imagecodecs.jpegls_decode(data + END_OF_IMAGE)
    except Exception as error:  # whatever the decoder calls it, the picture inside is damaged
        raise UnreadableFileError(f"expected raw counts as JPEG-LS; found damaged data ({_brief(error)})") from error
    return _fit(decoded, width, height, "JPEG-LS")


def _fit(decoded: NDArray[np.generic], width: int, height: int, kind: str) -> Counts:
    if decoded.shape != (height, width) or decoded.dtype.kind != "u" or decoded.dtype.itemsize != 2:
        raise UnreadableFileError(
            f"expected {kind} raw counts, 16-bit, {width} × {height} pixels; found {decoded.dtype}, shape "
            f"{decoded.shape}: the file is damaged"
        )
    return decoded.astype(np.uint16, copy=False)


def checked_order(counts: Counts, limits: tuple[int, int]) -> tuple[Counts, list[str]]:
    """``counts``, or its byte-swapped twin where that is clearly the picture, with a warning."""
    rows = counts[:: max(1, counts.shape[0] // 64)]
    swapped = rows.byteswap()
    as_told, as_swapped = _roughness(rows), _roughness(swapped)
    if as_told > SMOOTHER * as_swapped and _share_inside(swapped, limits) >= _share_inside(rows, limits):
        warning = (
            "The file names the wrong byte order for its raw counts: read as told the picture is noise, so the bytes "
            "of each count were swapped. Compare a few temperatures with the camera's own program."
        )
        return counts.byteswap(), [warning]
    return counts, []


def _roughness(rows: Counts) -> float:
    """Mean absolute step between neighbours in a row, counts."""
    return float(np.abs(np.diff(rows.astype(np.int32), axis=1)).mean()) if rows.shape[1] > 1 else 0.0


def _share_inside(rows: Counts, limits: tuple[int, int]) -> float:
    return float(((rows >= limits[0]) & (rows <= limits[1])).mean())


def _brief(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:120]
