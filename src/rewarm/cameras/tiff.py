"""TIFF: one page of float °C, or of 16-bit counts that are linear in temperature."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.cameras.celsius import KELVIN, celsius_thermogram
from rewarm.cameras.source import Source, check_size
from rewarm.errors import NotRadiometricError, RewarmError, UnreadableFileError
from rewarm.thermogram import ObjectParameters

MAGICS: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
STEPS_K: Final = (0.01, 0.04, 0.1)
"""Kelvin a count, in the linear modes that cameras have (FLIR "TLinear" 0.01, 0.04 and 0.1 K)."""
MIDDLE_C: Final = (-20.0, 60.0)
RANGE_C: Final = (-60.0, 160.0)
XMP_TAG: Final = 700
GDAL_METADATA_TAG: Final = 42112
TEXT_LIMIT: Final = 65536
MOST_COMPRESSED: Final = 1000
"""No real picture shrinks more: what declares more than this times the file's bytes is a bomb."""

_TLINEAR = re.compile(r"T[-_ ]?linear[-_ ]?(?:gain|resolution)\W{1,4}(0?\.\d{1,4})", re.IGNORECASE)
_GDAL_ITEM = re.compile(
    r"<Item[^>]{0,200}role=\"(scale|offset)\"[^>]{0,200}>\s*([-+0-9.eE]{1,30})\s*</Item>", re.IGNORECASE
)


@dataclass(frozen=True, eq=False)
class TiffPage:
    """The first page: ``values`` (y, x), and the text of the tags that may say how to scale it."""

    values: NDArray[Any]
    text: str


def sniff_tiff(head: bytes) -> bool:
    """Whether a file begins like a TIFF, classic or big."""
    return head[:4] in MAGICS


def open_tiff(source: Source, overrides: ObjectParameters) -> xr.Dataset:
    """Open a TIFF of float °C or of 16-bit linear counts.

    Raises :class:`NotRadiometricError` for a picture in colours or 8-bit grey, :class:`UnreadableFileError` for damage
    and for counts whose scale can be neither read nor told.
    """
    page = decode_tiff(source.data)
    warnings: list[str] = []
    values = page.values
    if values.dtype.kind != "f":
        values, warnings = _scaled(page)
    return celsius_thermogram(
        values, source=source, reader="TIFF", kind="a TIFF matrix", overrides=overrides, warnings=warnings
    )


def decode_tiff(data: bytes) -> TiffPage:
    """Decode the first page: float16 to float64, or uint16, (y, x).

    Raises :class:`NotRadiometricError`, :class:`UnreadableFileError`.
    """
    import tifffile  # a fifth of a second, for this format alone

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages[0]
            _check_page(page, len(data))
            _check_single(file, page)
            return TiffPage(values=np.asarray(page.asarray(maxworkers=1)), text=_tag_text(page))
    except RewarmError:
        raise
    except Exception as error:  # tifffile raises whatever its parsing trips over
        brief = (str(error) or type(error).__name__).splitlines()[0][:120]
        raise UnreadableFileError(f"expected a TIFF; found a damaged or unsupported one ({brief})") from error


def _check_page(page: Any, available: int) -> None:
    width, height = int(page.imagewidth), int(page.imagelength)
    check_size(width, height)
    samples, dtype = int(page.samplesperpixel), page.dtype
    if dtype is None or len(page.shape) != 2 or int(page.imagedepth) != 1:
        if samples in (3, 4) or dtype == np.uint8:
            raise NotRadiometricError(_only_a_picture(f"{samples} colours a pixel"))
        raise UnreadableFileError(f"expected a TIFF with one number a pixel; found shape {page.shape}, {dtype}")
    if dtype.kind == "f" or dtype == np.uint16:
        declared = width * height * int(dtype.itemsize)
        if declared > available * (1 if int(page.compression) == 1 else MOST_COMPRESSED):
            raise UnreadableFileError(
                f"expected {declared} bytes for {width} × {height} pixels; found a file of {available}: it is "
                "truncated or damaged"
            )
        if page.is_tiled and int(page.tilewidth) * int(page.tilelength) > 4 * max(width * height, 1 << 20):
            raise UnreadableFileError(
                "expected tiles about the picture's size; found far larger ones: the file is damaged"
            )
        return
    if dtype == np.uint8 or dtype == np.bool_:
        raise NotRadiometricError(_only_a_picture("8 bits a pixel or fewer"))
    raise UnreadableFileError(f"expected a TIFF of float °C or of 16-bit counts; found {dtype}")


def _check_single(file: Any, page: Any) -> None:
    try:
        second = file.pages[1]
    except IndexError:
        return
    if second.shape == page.shape:  # a smaller second page is a preview
        raise UnreadableFileError("expected a TIFF of one picture; found several. Save each picture as its own file")


def _only_a_picture(found: str) -> str:
    return (
        f"expected a TIFF of float °C or of 16-bit radiometric counts; found {found}, which is a picture without "
        "temperatures. Export the radiometric file from the camera instead of its screen"
    )


def _tag_text(page: Any) -> str:
    texts = [page.description or ""]
    for code in (XMP_TAG, GDAL_METADATA_TAG):
        tag = page.tags.get(code)
        value = tag.value if tag is not None else ""
        texts.append(value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value))
    return "\n".join(text[:TEXT_LIMIT] for text in texts)


def _scaled(page: TiffPage) -> tuple[NDArray[np.float64], list[str]]:
    """Counts → °C by what the file says, or by the one usual step that makes a plausible picture."""
    counts = page.values.astype(np.float64)
    stated = _stated_scale(page.text)
    if stated is not None:
        scale, offset, words = stated
        return counts * scale + offset, [f"16-bit counts were converted by what the file says: {words}."]
    fitting = [step for step in STEPS_K if _plausible(page.values, step)]
    if len(fitting) != 1:
        low, high = int(page.values.min()), int(page.values.max())
        raise UnreadableFileError(
            "expected 16-bit counts that are linear in temperature (0.01, 0.04 or 0.1 K a count), or a tag that says "
            f"how; found counts of {low} to {high}, which fit {'several' if fitting else 'none'} of them. Save the "
            "picture as a float TIFF in °C"
        )
    note = (
        f"The TIFF does not say how its 16-bit counts become temperatures: {fitting[0]:g} K a count was assumed, the "
        "only usual step that gives a plausible picture. Check one temperature against the camera's own program."
    )
    return counts * fitting[0] - KELVIN, [note]


def _stated_scale(text: str) -> tuple[float, float, str] | None:
    """(scale, offset to °C, words) that a tag states; None where none does."""
    linear = _TLINEAR.search(text)
    if linear:
        step = float(linear.group(1))
        return (step, -KELVIN, f"TLinear, {step:g} K a count") if step > 0 else None
    items = {role.lower(): number for role, number in _GDAL_ITEM.findall(text)}
    try:
        scale, offset = float(items["scale"]), float(items.get("offset", "0"))
    except (KeyError, ValueError):
        return None
    if not (0 < scale < 10 and abs(offset) < 1e4):
        return None
    kelvin = offset >= 0 and "kelvin" in text.lower()
    return (
        scale,
        offset - (KELVIN if kelvin else 0),
        f"scale {scale:g}, offset {offset:g}{' (kelvin)' if kelvin else ''}",
    )


def _plausible(counts: NDArray[np.uint16], step: float) -> bool:
    low, middle, high = np.percentile(counts, (1, 50, 99)) * step - KELVIN
    return bool(MIDDLE_C[0] <= middle <= MIDDLE_C[1] and low >= RANGE_C[0] and high <= RANGE_C[1])
