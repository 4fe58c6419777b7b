"""A reference of known temperature in view (a black body, a stirred water bath): its offset, and what it replaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, pi, sqrt
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.measures.assumptions import DEFAULT_ASSUMPTIONS, Assumptions
from rewarm.measures.budget import Place, alike, place_of
from rewarm.measures.drift import smooth
from rewarm.tables import SMALLEST_DETECTABLE_FACTOR
from rewarm.thermogram import check_thermogram, temperature_c

MIN_REFERENCE_PX: Final = 25
"""A reference must cover at least 5 × 5 pixels, or the camera's own blur mixes its edge into it."""

MAX_REFERENCE_OFFSET_C: Final = 10.0
"""Beyond this the box does not hold the reference, or its temperature was typed wrongly."""

MAX_REFERENCE_SPREAD_C: Final = 2.0
"""An even surface spans less between its 5th and 95th percentile, but for what noise alone spans."""

DEFAULT_REFERENCE_HALF_WIDTH_C: Final = 0.3
"""A black body for medical thermography is good to 0.3 °C at least (TISEM, doi 10.1016/j.jtherbio.2017.07.006)."""

_MEDIAN: Final = sqrt(pi / 2.0)
"""Standard error of a median of normal noise, in units of that of a mean."""


@dataclass(frozen=True)
class ReferenceOffset:
    """What must be added to a picture's temperatures: ``offset_c``, its standard uncertainty, pixels behind it.

    ``own_u_c`` is the share of ``u_c`` that every place of the picture has alike: the reference's own temperature and
    the noise in its box. The rest is the picture's non-uniformity at the box's ``place``, part of which a region near
    the reference shares and does not suffer from.
    """

    offset_c: float
    u_c: float
    n_px: int
    own_u_c: float | None = None
    place: Place | None = None


@dataclass(frozen=True, eq=False)
class ReferenceOffsets:
    """The same for each frame of a recording: ``offset_c`` and ``own_u_c`` are float64 (time,).

    ``seen_c`` (time,) is what the box showed. ``averaged_frames`` (time,) is over how many frames each offset was in
    effect averaged, ``jumps`` the indices of frames that begin after the camera's shutter, or anything else, moved
    its offset at once; nothing is averaged across them.
    """

    offset_c: NDArray[np.float64]
    own_u_c: NDArray[np.float64]
    u_c: NDArray[np.float64]
    seen_c: NDArray[np.float64]
    averaged_frames: NDArray[np.float64]
    jumps: tuple[int, ...]
    n_px: int
    place: Place


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
    _check_box(reference_box, temperature.shape)
    x0, y0, x1, y1 = reference_box
    values = temperature[y0:y1, x0:x1].astype(np.float64).ravel()
    values = values[np.isfinite(values)]
    netd_c = _netd_c(thermogram, assumptions)
    _check_values(values, reference_c, netd_c)
    noise_c = _noise_c(values, netd_c, assumptions)
    place = _place(reference_box, temperature.shape, assumptions)
    own_u_c = hypot(reference_half_width_c / sqrt(3.0), noise_c)
    return ReferenceOffset(
        offset_c=float(reference_c) - float(np.median(values)),
        u_c=hypot(own_u_c, _nonuniformity_c(place, assumptions)),
        n_px=int(values.size),
        own_u_c=own_u_c,
        place=place,
    )


def reference_offsets(
    recording: xr.Dataset,
    *,
    reference_c: float,
    reference_box: tuple[int, int, int, int],
    reference_half_width_c: float = DEFAULT_REFERENCE_HALF_WIDTH_C,
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
    frame_numbers: Sequence[int] | None = None,
) -> ReferenceOffsets:
    """The same for each frame of a recording (time, y, x): the camera's drift from frame to frame, by the reference.

    Each frame's offset is reference − median of the box, smoothed over neighbouring frames as far as the frames' own
    noise justifies and never across a jump (:mod:`rewarm.measures.drift`). Arguments as of :func:`reference_offset`.
    Only the box is read from the recording. ``frame_numbers`` are what a message calls the frames, where these were
    chosen out of more.

    Raises :class:`InvalidInputError` for a still picture, and what :func:`reference_offset` raises, naming the frame.
    """
    check_thermogram(recording)
    array = recording["temperature"]
    if array.dims != ("time", "y", "x"):
        raise InvalidInputError(
            f"expected a recording with dims (time, y, x); found {array.dims}. Use reference_offset for a still picture"
        )
    shape = (array.sizes["y"], array.sizes["x"])
    _check_box(reference_box, shape)
    x0, y0, x1, y1 = reference_box
    box = array.isel(x=slice(x0, x1), y=slice(y0, y1)).to_numpy().astype(np.float64)
    frames = box.reshape(box.shape[0], -1)
    netd_c = _netd_c(recording, assumptions)
    seen_c, noises_c = np.empty(len(frames)), np.empty(len(frames))
    for i, frame in enumerate(frames):
        values = frame[np.isfinite(frame)]
        try:
            _check_values(values, reference_c, netd_c)
        except InvalidInputError as error:
            number = i if frame_numbers is None else frame_numbers[i]
            raise InvalidInputError(f"frame {number}: {error}") from error
        seen_c[i], noises_c[i] = np.median(values), _noise_c(values, netd_c, assumptions)
    smoothed = smooth(seen_c, noise_c=float(np.median(noises_c)))
    place = _place(reference_box, shape, assumptions)
    own_u_c = np.hypot(reference_half_width_c / sqrt(3.0), smoothed.u_c)
    return ReferenceOffsets(
        offset_c=float(reference_c) - smoothed.level_c,
        own_u_c=own_u_c,
        u_c=np.hypot(own_u_c, _nonuniformity_c(place, assumptions)),
        seen_c=seen_c,
        averaged_frames=smoothed.averaged_frames,
        jumps=smoothed.jumps,
        n_px=frames.shape[1],
        place=place,
    )


def apply_reference(thermogram: xr.Dataset, offset: ReferenceOffset | ReferenceOffsets) -> xr.Dataset:
    """A new thermogram with ``offset`` added to all temperatures; raw counts, where present, stay as they were.

    A recording takes the offset of each frame, which stay in it as the variable ``reference_offset`` (time). The attrs
    gain ``reference_offset_c`` (of a recording: the mean) and ``reference_u_c`` (its largest), which
    :func:`rewarm.measures.measure` then uses in place of the camera's accuracy and drift, and the warnings gain a
    sentence. Raises :class:`InvalidInputError` where one was applied, or where frames and offsets differ in number.
    """
    check_thermogram(thermogram)
    if thermogram.attrs.get("reference_u_c") is not None:
        raise InvalidInputError(
            "expected a thermogram as the camera wrote it; found one that a reference has already corrected by "
            f"{thermogram.attrs['reference_offset_c']:+.2f} °C. Open the file again"
        )
    temperature = thermogram["temperature"]
    added: float | xr.DataArray
    if isinstance(offset, ReferenceOffsets):
        frames = temperature.sizes.get("time", 0)
        if frames != offset.offset_c.size:
            raise InvalidInputError(
                f"expected as many frames as offsets, {offset.offset_c.size}; found {frames}. "
                "Take the offsets from this very recording"
            )
        added = xr.DataArray(offset.offset_c, dims="time", attrs={"units": "degC"})
        mean_c, largest_u_c, own_u_c = (
            float(value) for value in (offset.offset_c.mean(), offset.u_c.max(), offset.own_u_c.max())
        )
        low_c, high_c = float(offset.offset_c.min()), float(offset.offset_c.max())
        sentence = (
            f"Each frame was corrected by what a reference of known temperature in view was off: {low_c:+.2f} to "
            f"{high_c:+.2f} °C over {frames} frames (standard uncertainty {largest_u_c:.2f} °C, {offset.n_px} pixels)."
        )
    else:
        added, mean_c, largest_u_c = offset.offset_c, offset.offset_c, offset.u_c
        own_u_c = offset.u_c if offset.own_u_c is None else offset.own_u_c
        sentence = (
            f"All temperatures were corrected by {mean_c:+.2f} °C (standard uncertainty {largest_u_c:.2f} °C), "
            f"from a reference of known temperature in view ({offset.n_px} pixels)."
        )
    corrected = (temperature + added).astype(temperature.dtype)
    corrected.attrs = dict(temperature.attrs)
    result = thermogram.assign(temperature=corrected)
    if isinstance(added, xr.DataArray):
        result = result.assign(reference_offset=added)
    place = offset.place
    result.attrs = {
        **thermogram.attrs,
        "reference_offset_c": mean_c,
        "reference_u_c": largest_u_c,
        "reference_own_u_c": own_u_c,
        "warnings": [*thermogram.attrs["warnings"], sentence],
    }
    if place is not None:
        result.attrs["reference_place"] = [place.x, place.y, place.xx, place.xy, place.yy]
    return result


def _check_box(box: tuple[int, int, int, int], shape: tuple[int, ...]) -> None:
    x0, y0, x1, y1 = box
    height, width = shape
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise InvalidInputError(
            f"reference_box: expected x0;y0;x1;y1 inside the picture of {width} × {height} pixels, with x0 < x1 and "
            f"y0 < y1; found {x0};{y0};{x1};{y1}. Read the corners from the picture again"
        )


def _check_values(values: NDArray[np.float64], reference_c: float, netd_c: float) -> None:
    """Raise :class:`InvalidInputError` unless the box's valid values can be those of the reference."""
    if values.size < MIN_REFERENCE_PX:
        raise InvalidInputError(
            f"reference_box: expected at least {MIN_REFERENCE_PX} pixels with a temperature; found {values.size}. "
            "Draw a larger box inside the reference"
        )
    if not np.isfinite(reference_c):
        raise InvalidInputError(f"reference_c: expected a temperature in °C; found {reference_c}")
    low_c, seen_c, high_c = (float(value) for value in np.percentile(values, (5, 50, 95)))
    problems: list[str] = []
    if abs(reference_c - seen_c) > MAX_REFERENCE_OFFSET_C:
        problems.append(
            f"reference_c: expected within {MAX_REFERENCE_OFFSET_C:g} °C of what the picture shows in the box, "
            f"{seen_c:.1f} °C; found {reference_c:g} °C. Check the box and the reference's temperature"
        )
    if high_c - low_c > max(MAX_REFERENCE_SPREAD_C, 5.0 * netd_c):
        problems.append(
            f"reference_box: expected an even surface; found {low_c:.1f} to {high_c:.1f} °C in it. "
            "Draw the box inside the reference, away from its rim"
        )
    if problems:
        raise InvalidInputError("; ".join(problems))


def _noise_c(values: NDArray[np.float64], netd_c: float, assumptions: Assumptions) -> float:
    """Standard uncertainty of the box's median by its pixels' scatter, neighbours taken to share noise."""
    scatter_c = max(float(values.std(ddof=1)), netd_c)
    return _MEDIAN * scatter_c / sqrt(max(values.size / assumptions.noise_shared_px, 1.0))


def _place(box: tuple[int, int, int, int], shape: tuple[int, ...], assumptions: Assumptions) -> Place:
    x0, y0, x1, y1 = box
    mask = np.zeros(shape, dtype=bool)
    mask[y0:y1, x0:x1] = True
    return place_of(mask, reach_px=assumptions.nonuniformity_reach * hypot(*shape))


def _nonuniformity_c(place: Place, assumptions: Assumptions) -> float:
    return assumptions.nonuniformity_c / SMALLEST_DETECTABLE_FACTOR * sqrt(alike(place, place))


def _netd_c(thermogram: xr.Dataset, assumptions: Assumptions) -> float:
    stated: Any = thermogram.attrs.get("netd_mk")
    return (assumptions.netd_mk if stated is None else float(stated)) / 1000.0
