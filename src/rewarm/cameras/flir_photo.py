"""The visible-light photo that a FLIR camera stores in a radiometric JPEG, and where the thermal picture lies on it.

Record 0x0E holds the photo (a JPEG, or a PNG in Y Cb Cr), record 0x2A how the camera lays the two over each other for
"picture in picture": the thermal picture is ``Real2IR`` times as narrow as the photo, and its middle lies ``OffsetX``
and ``OffsetY`` photo pixels right of and below the photo's. Layout by the tag tables of ExifTool (FLIR, by P. Harvey).
"""

from __future__ import annotations

import math
import os
import struct
from dataclasses import dataclass
from typing import Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from rewarm.cameras.flir_fff import byte_order, read_directory, sniff_fff
from rewarm.cameras.flir_jpeg import flir_data, sniff_jpeg
from rewarm.cameras.flir_raw import JPEG_MAGIC, PNG_MAGIC
from rewarm.cameras.readers import as_path
from rewarm.cameras.source import load_source
from rewarm.errors import NotRadiometricError, RewarmError, UnreadableFileError

PHOTO: Final = 0x0E
ALIGNMENT: Final = 0x2A
RAW_DATA: Final = 0x01
HEADER_BYTES: Final = 0x20
MAX_PHOTO_PIXELS: Final = 32 * 1024**2
MOST_SCALE: Final = 100.0
START_OF_FRAME: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG markers behind which the picture's size stands."""


@dataclass(frozen=True, eq=False)
class VisiblePhoto:
    """A visible-light photo, and how it lies on the thermal picture of the same file.

    ``image`` is uint8 (y, x, 3), red, green, blue. ``to_thermal`` is float64 (2, 3) and takes pixel coordinates (x, y,
    1) of the photo to pixel coordinates (x, y) of the thermal picture, the middle of the first pixel at (0, 0) in both;
    None where the camera stored no alignment. It holds for the distance that the camera was set to: nearer objects are
    displaced, since two lenses look at them from two places. ``inset`` is the part of the thermal picture, (x0, y0,
    x1, y1) in its pixels, that the camera showed on the photo; None where it is not stored.
    """

    image: NDArray[np.uint8]
    to_thermal: NDArray[np.float64] | None
    inset: tuple[int, int, int, int] | None


def visible_photo(path: str | os.PathLike[str]) -> VisiblePhoto:
    """The photo inside a FLIR radiometric JPEG or FFF file.

    Raises :class:`NotRadiometricError` for a file that holds none or is no FLIR file, :class:`UnreadableFileError` for
    a missing or damaged one, :class:`InvalidInputError` for what names no file.
    """
    file = as_path(path)
    try:
        return _photo(load_source(file).data)
    except RewarmError as error:  # what reads the bytes does not know the file's name
        raise type(error)(f"{file}: {error}") from error.__cause__


def _photo(content: bytes) -> VisiblePhoto:
    if sniff_jpeg(content):
        data = flir_data(content)
    elif sniff_fff(content):
        data = content
    else:
        raise NotRadiometricError(
            "expected a FLIR radiometric JPEG with a photo in it; found another kind of file. Use the camera's original"
        )
    directory = read_directory(data)
    record = directory.find(PHOTO)
    if record is None:
        raise NotRadiometricError(
            "expected a visible-light photo inside the FLIR file; found none: the camera has no second lens, or was "
            "set not to keep the photo. Temperatures can be read without it"
        )
    stored = data[record.offset : record.offset + record.length]
    if len(stored) < record.length or record.length <= HEADER_BYTES:
        raise UnreadableFileError(
            f"expected {record.length} bytes of a photo; found {len(stored)}: the file is truncated. Copy it again "
            "from the camera"
        )
    image = _decode(stored)
    alignment = directory.find(ALIGNMENT)
    if alignment is None:
        return VisiblePhoto(image, None, None)
    raw = directory.find(RAW_DATA)
    geometry = data[alignment.offset : alignment.offset + 16]
    size = _thermal_size(data[raw.offset : raw.offset + 6]) if raw is not None else None
    if size is None or len(geometry) < 16:
        return VisiblePhoto(image, None, None)
    ratio, offset_x, offset_y, x0, x1, y0, y1 = struct.unpack("<f6h", geometry)
    inset = (x0, y0, x1, y1) if 0 <= x0 < x1 <= size[0] and 0 <= y0 < y1 <= size[1] else None
    if not (math.isfinite(ratio) and 1 / MOST_SCALE < ratio < MOST_SCALE):
        return VisiblePhoto(image, None, inset)
    height, width = image.shape[:2]
    return VisiblePhoto(image, photo_to_thermal((width, height), size, ratio, (offset_x, offset_y)), inset)


def photo_to_thermal(
    photo: tuple[int, int], thermal: tuple[int, int], real_to_ir: float, offset: tuple[int, int]
) -> NDArray[np.float64]:
    """The affine, float64 (2, 3), from pixels of a photo to those of the thermal picture, both (width, height).

    The thermal picture covers ``photo width / real_to_ir`` photo pixels; its middle lies ``offset`` photo pixels from
    the photo's.
    """
    scale = thermal[0] * real_to_ir / photo[0]  # thermal pixels a photo pixel
    middle = [(size - 1) / 2 + moved for size, moved in zip(photo, offset, strict=True)]
    shift = [(size - 1) / 2 - scale * at for size, at in zip(thermal, middle, strict=True)]
    return np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])


def _thermal_size(header: bytes) -> tuple[int, int] | None:
    order = byte_order(header)
    if order is None or len(header) < 6:
        return None
    width, height = struct.unpack(order + "2H", header[2:6])
    return (width, height) if width and height else None


def _decode(stored: bytes) -> NDArray[np.uint8]:
    content = stored[HEADER_BYTES:]
    if content.startswith(PNG_MAGIC):
        size, decode, in_ycc = _png_size(content), imagecodecs.png_decode, True
    elif content.startswith(JPEG_MAGIC):
        size, decode, in_ycc = _jpeg_size(content), imagecodecs.jpeg8_decode, False
    else:
        raise UnreadableFileError("expected a photo as JPEG or PNG; found another format: the file is damaged or new")
    if size is None or not 0 < size[0] * size[1] <= MAX_PHOTO_PIXELS:  # no declared size is believed unchecked
        raise UnreadableFileError("expected a photo of up to 32 megapixels; found a damaged header. Copy it again")
    try:
        image = decode(content)
    except Exception as error:  # whatever the decoder calls it, the photo is damaged
        brief = (str(error) or type(error).__name__).splitlines()[0][:120]
        raise UnreadableFileError(f"expected a photo; found damaged data ({brief}). Copy the file again") from error
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[:2] != size[::-1]:
        raise UnreadableFileError(f"expected a photo of 8 bits a colour; found {image.dtype}, shape {image.shape}")
    if image.ndim == 2:
        grey: NDArray[np.uint8] = np.repeat(image[:, :, np.newaxis], 3, axis=2)
        return grey
    if image.shape[2] not in (3, 4):
        raise UnreadableFileError(f"expected a photo in three colours; found {image.shape[2]}: the file is damaged")
    colours: NDArray[np.uint8] = np.ascontiguousarray(image[:, :, :3])
    return _rgb_from_ycc(colours) if in_ycc else colours


def _rgb_from_ycc(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """FLIR's PNG holds Y, Cb and Cr (ITU-T T.871 §7, full range) where others hold red, green and blue."""
    y, cb, cr = (image[:, :, channel].astype(np.float32) for channel in range(3))
    cr, cb = cr - 128, cb - 128
    rgb = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=2)
    colours: NDArray[np.uint8] = np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    return colours


def _png_size(content: bytes) -> tuple[int, int] | None:
    if len(content) < 33 or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """The size in the first frame header, found from segment to segment."""
    position = 2
    while position + 9 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker in START_OF_FRAME:
            height, width = struct.unpack(">HH", content[position + 5 : position + 9])
            return width, height
        position += 2 + max(2, int.from_bytes(content[position + 2 : position + 4], "big"))
    return None
