"""DICOM with temperatures: Parametric Maps and other images whose real-world unit is °C or kelvin (DICOM PS3.3).

Float Pixel Data, Double Float Pixel Data, and 16-bit Pixel Data with a real-world value mapping are read, uncompressed.
The unit is the mapping's UCUM code, ``Cel`` or ``K``: without one, a number is no temperature. Nothing that identifies
a person is taken over. pydicom is an optional dependency.
"""

from __future__ import annotations

import datetime
import io
import math
import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.cameras.celsius import KELVIN
from rewarm.cameras.parameters import refuse_overrides
from rewarm.cameras.source import Source, check_size
from rewarm.errors import NotRadiometricError, RewarmError, UnreadableFileError
from rewarm.thermogram import CameraIdentity, ObjectParameters, make_thermogram

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PREAMBLE_BYTES: Final = 128
MAGIC: Final = b"DICM"
DEFLATED: Final = b"1.2.840.10008.1.2.1.99"
MAX_READS: Final = 100_000
"""Steps of the parser: a picture takes some hundreds, a bomb of tiny elements millions."""
MAX_GROUPS_BYTES: Final = 1024**2
"""Of a sequence that is looked into."""
MAX_PIXEL_BYTES: Final = 400 * 1024**2
UNITS: Final = {"Cel": 0.0, "K": -KELVIN}
"""UCUM code → what makes °C of it."""
COLDEST_C: Final = -KELVIN
HOTTEST_C: Final = 5000.0
PIXELS: Final = {"FloatPixelData": "f4", "DoubleFloatPixelData": "f8", "PixelData": ""}
MAPPING: Final = "RealWorldValueMappingSequence"
SHARED: Final = "SharedFunctionalGroupsSequence"
PER_FRAME: Final = "PerFrameFunctionalGroupsSequence"
UNKNOWN: Final = "unknown"
"""What stands where the standard demands a text and the camera gave none."""
INSTALL: Final = 'pip install "rewarm[dicom]"'


class _Stream(io.BytesIO):
    """Bytes that refuse to be read in more than :data:`MAX_READS` steps."""

    steps = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """As :meth:`io.BytesIO.read`; raises :class:`UnreadableFileError`."""
        self.steps += 1
        if self.steps > MAX_READS:
            raise UnreadableFileError(
                f"expected a DICOM image; found more than {MAX_READS} elements, so it is damaged or no single image"
            )
        return super().read(size)


def sniff_dicom(head: bytes) -> bool:
    """Whether a file begins like a DICOM file: 128 bytes of anything, then its mark."""
    return head.startswith(MAGIC, PREAMBLE_BYTES)


def open_dicom(source: Source, overrides: ObjectParameters) -> xr.Dataset:
    """Open an image, (y, x), or a recording, (time, y, x).

    Raises :class:`NotRadiometricError` for an image without a unit of temperature, :class:`UnreadableFileError` for
    damage, compressed pixels or where pydicom is not installed, :class:`InvalidInputError` if there are overrides.
    """
    dataset = _parse(source.data)
    refuse_overrides(overrides, kind="a DICOM image")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's, about values that break the standard and are not used here
            return _thermogram(dataset, source)
    except RewarmError:
        raise
    except Exception as error:  # a value is converted when it is asked for: damage shows anywhere
        raise UnreadableFileError(_damaged(error)) from error


def _parse(data: bytes) -> Dataset:
    try:
        from pydicom import dcmread  # an optional dependency, and a third of a second
    except ImportError as error:
        raise UnreadableFileError(
            f"expected pydicom to read a DICOM file; found it not installed. Install it: {INSTALL}"
        ) from error
    if DEFLATED in data:
        raise UnreadableFileError(
            "expected an uncompressed DICOM file; found a deflated one. Save it as Explicit VR Little Endian"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dcmread(_Stream(data))
    except RewarmError:
        raise
    except Exception as error:  # pydicom raises whatever its parsing trips over
        raise UnreadableFileError(_damaged(error)) from error


def _thermogram(dataset: Dataset, source: Source) -> xr.Dataset:
    values = _pixels(dataset)
    slope, intercept, to_celsius = _mapping(dataset)
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    notes = []
    if (slope, intercept, to_celsius) != (1.0, 0.0, 0.0):
        with np.errstate(all="ignore"):
            values = (values.astype(np.float64) * slope + (intercept + to_celsius)).astype(values.dtype)
    if to_celsius:
        notes.append("The file holds temperatures in K; they were converted to °C.")
    padding = _number(dataset, "FloatPixelPaddingValue", "DoubleFloatPixelPaddingValue")
    if padding is not None:
        raw = padding * slope + intercept + to_celsius
        values = np.where(values == np.asarray(raw, dtype=values.dtype), np.nan, values).astype(values.dtype)
    finite = values[np.isfinite(values)]
    if np.isinf(values).any() or finite.size == 0 or finite.min() < COLDEST_C or finite.max() > HOTTEST_C:
        raise UnreadableFileError(
            "expected temperatures; found none, infinite ones, or some that nothing has. The file is damaged, or its "
            "real-world value mapping is wrong"
        )
    time_s = None
    if values.ndim == 3:
        time_s, time_notes = _times(dataset, len(values))
        notes += time_notes
    return make_thermogram(
        np.ascontiguousarray(values),
        provenance=source.provenance("DICOM"),
        camera=_camera(dataset),
        time_s=time_s,
        warnings=notes,
    )


def _pixels(dataset: Dataset) -> NDArray[Any]:
    """(y, x) or (time, y, x), in the machine's byte order, as stored."""
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    order = ">" if syntax is not None and not syntax.is_little_endian else "<"
    keyword = next((name for name in PIXELS if name in dataset), None)
    if keyword is None:
        raise NotRadiometricError(
            "expected a DICOM image; found one without pixels (a report, a presentation state or the like). Copy the "
            "image itself"
        )
    kind = PIXELS[keyword]
    samples, bits = int(dataset.get("SamplesPerPixel") or 1), int(dataset.get("BitsAllocated") or 0)
    if not kind:
        if samples != 1 or bits != 16:
            raise NotRadiometricError(
                f"expected a DICOM image with a temperature for each pixel; found a picture ({samples} values of "
                f"{bits} bits a pixel), which cannot be turned back into temperatures. Export a Parametric Map or the "
                "camera's original file"
            )
        kind = "i2" if int(dataset.get("PixelRepresentation") or 0) else "u2"
    if syntax is not None and syntax.is_encapsulated:
        raise UnreadableFileError(
            "expected uncompressed pixels; found compressed ones. Save the image as Explicit VR Little Endian"
        )
    width, height = int(dataset.get("Columns") or 0), int(dataset.get("Rows") or 0)
    frames = int(dataset.get("NumberOfFrames") or 1)
    check_size(width, height)
    data, dtype = bytes(dataset[keyword].value or b""), np.dtype(order + kind)
    needed = frames * height * width * dtype.itemsize
    if frames < 1 or needed > MAX_PIXEL_BYTES or len(data) < needed:
        raise UnreadableFileError(
            f"expected {frames} × {height} × {width} pixels, {needed} bytes of at most {MAX_PIXEL_BYTES // 1024**2} "
            f"MiB; found {len(data)}, so the file is truncated, damaged or too long. Copy it again"
        )
    stored = np.frombuffer(data, dtype=dtype, count=frames * height * width).astype(dtype.newbyteorder("="))
    return stored.reshape((frames, height, width) if frames > 1 else (height, width))


def _mapping(dataset: Dataset) -> tuple[float, float, float]:
    """(slope, intercept, what makes °C of the result) of the real-world value mapping."""
    places = [dataset, *_items(dataset, SHARED), *_items(dataset, PER_FRAME)]
    mappings = [mapping for place in places for mapping in _items(place, MAPPING)]
    found: list[str] = []
    known: set[tuple[float, float, float]] = set()
    for mapping in mappings:
        for unit in _items(mapping, "MeasurementUnitsCodeSequence"):
            code, scheme = str(unit.get("CodeValue", "")), str(unit.get("CodingSchemeDesignator", ""))
            if scheme == "UCUM" and code in UNITS:
                slope, intercept = _number(mapping, "RealWorldValueSlope"), _number(mapping, "RealWorldValueIntercept")
                if slope is None or intercept is None:
                    raise UnreadableFileError(
                        "expected a real-world value mapping with slope and intercept; found a table, or none. Export "
                        "the image with a linear mapping"
                    )
                known.add((slope, intercept, UNITS[code]))
            else:
                found.append(f"{code[:16]!r} ({scheme[:16]})")
    if len(known) > 1:
        raise UnreadableFileError(
            f"expected one mapping to temperatures for all frames; found {len(known)}. Export the frames as single "
            "images"
        )
    if not known:
        stated = f"the unit {', '.join(found[:3])}" if found else "no real-world unit at all"
        raise NotRadiometricError(
            f"expected a DICOM image whose real-world value mapping has the unit Cel or K (UCUM); found {stated}. "
            "Grey values without a unit cannot be turned into temperatures: export a Parametric Map in °C"
        )
    return known.pop()


def _items(dataset: Dataset, keyword: str) -> list[Any]:
    """The items of a sequence, none where it is absent."""
    from pydicom.dataelem import RawDataElement

    if keyword not in dataset:
        return []
    raw = dataset.get_item(keyword)
    if isinstance(raw, RawDataElement) and raw.value is not None and len(raw.value) > MAX_GROUPS_BYTES:
        raise UnreadableFileError(
            f"expected at most {MAX_GROUPS_BYTES // 1024} KiB in {keyword}; found {len(raw.value) // 1024}. Export the "
            "frames as single images"
        )
    element = dataset[keyword]
    return list(element.value or []) if element.VR == "SQ" else []


def _number(dataset: Dataset, *keywords: str) -> float | None:
    for keyword in keywords:
        value = dataset.get(keyword)
        if value is not None and value != "":
            number = float(value)
            return number if math.isfinite(number) else None
    return None


def _camera(dataset: Dataset) -> CameraIdentity:
    spacing = dataset.get("PixelSpacing")
    return CameraIdentity(
        camera_make=_text(dataset.get("Manufacturer")),
        camera_model=_text(dataset.get("ManufacturerModelName")),
        camera_serial=_text(dataset.get("DeviceSerialNumber")),
        acquired_at=_moment(_text(dataset.get("AcquisitionDateTime"))),
        pixel_size_mm=float(spacing[0]) if spacing else None,
    )


def _times(dataset: Dataset, frames: int) -> tuple[NDArray[np.float64], list[str]]:
    """Seconds since the first frame, by the frames' own moments or the interval between them."""
    moments: list[datetime.datetime] = []
    for group in _items(dataset, PER_FRAME):
        for content in _items(group, "FrameContentSequence"):
            text = _text(content.get("FrameAcquisitionDateTime") or content.get("FrameReferenceDateTime"))
            moment = _moment(text)
            if moment is not None:
                moments.append(datetime.datetime.fromisoformat(moment))
    if len(moments) == frames and len({moment.tzinfo is None for moment in moments}) == 1:
        seconds = np.array([(moment - moments[0]).total_seconds() for moment in moments])
        if (np.diff(seconds) > 0).all():
            return seconds, []
    interval_ms = _number(dataset, "FrameTime")
    if interval_ms is not None and interval_ms > 0:
        return np.arange(frames, dtype=np.float64) * (interval_ms / 1000), []
    note = "The frames have no times of their own: `time` counts the frames instead of seconds."
    return np.arange(frames, dtype=np.float64), [note]


def _moment(text: str | None) -> str | None:
    """DICOM's YYYYMMDDHHMMSS.FFFFFF&ZZXX as ISO 8601; None for what is not one."""
    for layout in ("%Y%m%d%H%M%S.%f%z", "%Y%m%d%H%M%S%z", "%Y%m%d%H%M%S.%f", "%Y%m%d%H%M%S"):
        try:
            return datetime.datetime.strptime(text or "", layout).isoformat()
        except ValueError:
            continue
    return None


def _text(value: object) -> str | None:
    text = "" if value is None else str(value).strip()
    return text if text and text.isprintable() and text != UNKNOWN else None


def _damaged(error: Exception) -> str:
    brief = (str(error) or type(error).__name__).splitlines()[0][:120]
    return f"expected a DICOM image; found a damaged or unsupported one ({brief}). Export it again"
