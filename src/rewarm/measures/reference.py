"""A reference of known temperature in view (a black body, a stirred water bath): its offset, and what it replaces."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt
from typing import Final

import numpy as np
import xarray as xr

from rewarm.errors import InvalidInputError
from rewarm.measures.uncertainty import DEFAULT_ASSUMPTIONS, Assumptions
from rewarm.thermogram import check_thermogram, temperature_c

MIN_REFERENCE_PX: Final = 25
"""A reference must cover at least 5 × 5 pixels, or the camera's own blur mixes its edge into it."""

MAX_REFERENCE_OFFSET_C: Final = 10.0
"""Beyond this the box does not hold the reference, or its temperature was typed wrongly."""

DEFAULT_REFERENCE_HALF_WIDTH_C: Final = 0.3
"""A black body for medical thermography is good to 0.3 °C at least (TISEM, doi 10.1016/j.jtherbio.2017.07.006)."""


@dataclass(frozen=True)
class ReferenceOffset:
    """What must be added to a picture's temperatures: ``offset_c``, its standard uncertainty, pixels behind it."""

    offset_c: float
    u_c: float
    n_px: int


def reference_offset(
    thermogram: xr.Dataset,
    *,
    reference_c: float,
    reference_box: tuple[int, int, int, int],
    reference_half_width_c: float = DEFAULT_REFERENCE_HALF_WIDTH_C,
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
) -> ReferenceOffset:
    """How far a still picture is off, by a reference of known temperature in view.

    ``reference_c`` is the reference's true temperature, °C, known to ± ``reference_half_width_c`` (rectangular).
    ``reference_box`` is (x0, y0, x1, y1) in pixels, x to the right and y downwards; x1 and y1 are not in it.
    The offset is reference − median of the box: the median shrugs off a rim. Its uncertainty joins that of the
    reference, of the picture's non-uniformity at the box's place, and of the pixels' scatter.

    Raises :class:`InvalidInputError` naming everything that is wrong: a box outside the picture or too small, pixels
    without temperature, an offset beyond ±10 °C, a box that is no even surface.
    """
    check_thermogram(thermogram)
    temperature = temperature_c(thermogram)
    x0, y0, x1, y1 = reference_box
    height, width = temperature.shape
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise InvalidInputError(
            f"reference_box: expected x0;y0;x1;y1 inside the picture of {width} × {height} pixels, with x0 < x1 and "
            f"y0 < y1; found {x0};{y0};{x1};{y1}. Read the corners from the picture again"
        )
    values = temperature[y0:y1, x0:x1].astype(np.float64).ravel()
    values = values[np.isfinite(values)]
    if values.size < MIN_REFERENCE_PX:
        raise InvalidInputError(
            f"reference_box: expected at least {MIN_REFERENCE_PX} pixels with a temperature; found {values.size}. "
            "Draw a larger box inside the reference"
        )
    if not np.isfinite(reference_c):
        raise InvalidInputError(f"reference_c: expected a temperature in °C; found {reference_c}")
    seen_c = float(np.median(values))
    low_c, high_c = (float(value) for value in np.percentile(values, (5, 95)))
    problems: list[str] = []
    if abs(reference_c - seen_c) > MAX_REFERENCE_OFFSET_C:
        problems.append(
            f"reference_c: expected within {MAX_REFERENCE_OFFSET_C:g} °C of what the picture shows in the box, "
            f"{seen_c:.1f} °C; found {reference_c:g} °C. Check the box and the reference's temperature"
        )
    if high_c - low_c > 2.0:
        problems.append(
            f"reference_box: expected an even surface; found {low_c:.1f} to {high_c:.1f} °C in it. "
            "Draw the box inside the reference, away from its rim"
        )
    if problems:
        raise InvalidInputError("; ".join(problems))
    scatter_c = max(float(values.std(ddof=1)), _netd_c(thermogram, assumptions))
    u_c = hypot(
        reference_half_width_c / sqrt(3.0),
        assumptions.nonuniformity_c / sqrt(6.0),
        sqrt(np.pi / 2) * scatter_c / sqrt(values.size),  # of a median
    )
    return ReferenceOffset(offset_c=float(reference_c) - seen_c, u_c=u_c, n_px=int(values.size))


def apply_reference(thermogram: xr.Dataset, offset: ReferenceOffset) -> xr.Dataset:
    """A new thermogram with ``offset`` added to all temperatures; raw counts, where present, stay as they were.

    Its attrs gain ``reference_offset_c`` and ``reference_u_c`` (what :func:`rewarm.measures.measure` then uses in place
    of the camera's accuracy), and its warnings a sentence. Raises :class:`InvalidInputError` where one was applied.
    """
    check_thermogram(thermogram)
    if thermogram.attrs.get("reference_u_c") is not None:
        raise InvalidInputError(
            "expected a thermogram as the camera wrote it; found one that a reference has already corrected by "
            f"{thermogram.attrs['reference_offset_c']:+.2f} °C. Open the file again"
        )
    temperature = thermogram["temperature"]
    corrected = (temperature + offset.offset_c).astype(temperature.dtype)
    corrected.attrs = dict(temperature.attrs)
    result = thermogram.assign(temperature=corrected)
    result.attrs = {
        **thermogram.attrs,
        "reference_offset_c": offset.offset_c,
        "reference_u_c": offset.u_c,
        "warnings": [
            *thermogram.attrs["warnings"],
            f"All temperatures were corrected by {offset.offset_c:+.2f} °C (standard uncertainty {offset.u_c:.2f} °C), "
            f"from a reference of known temperature in view ({offset.n_px} pixels).",
        ],
    }
    return result


def _netd_c(thermogram: xr.Dataset, assumptions: Assumptions) -> float:
    stated = thermogram.attrs.get("netd_mk")
    return (assumptions.netd_mk if stated is None else float(stated)) / 1000.0
