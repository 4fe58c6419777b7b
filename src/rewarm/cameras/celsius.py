"""From a matrix of finished temperatures (text, .npy, TIFF) to a thermogram: units, plausibility, background."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.cameras.parameters import refuse_overrides
from rewarm.cameras.source import Source
from rewarm.errors import UnreadableFileError
from rewarm.thermogram import ObjectParameters, make_thermogram

Temperatures = NDArray[np.float32] | NDArray[np.float64]

KELVIN: Final = 273.15
UNITS: Final = ("°C", "K", "°F")
HOTTEST_C: Final = 1500.0
LIKE_KELVIN: Final = (200.0, 500.0)
"""A picture of people in which every pixel lies in here is in kelvin: nobody's surroundings have 200 °C throughout."""
LIKE_FAHRENHEIT_C: Final = 45.0
CUT_OUT_COLDEST_C: Final = 5.0
"""Cut-out feet lie on exact zeros; if all else is warmer than this, zero cannot be a temperature of the scene."""


def celsius_thermogram(
    values: NDArray[Any],
    *,
    source: Source,
    reader: str,
    kind: str,
    overrides: ObjectParameters,
    unit: str = "°C",
    warnings: Sequence[str] = (),
) -> xr.Dataset:
    """A thermogram of ``values``, (y, x), in ``unit`` (°C, K or °F); ``kind`` names the format in messages.

    Raises :class:`InvalidInputError` if there are overrides, :class:`UnreadableFileError` if the values cannot be
    temperatures in that unit.
    """
    refuse_overrides(overrides, kind=kind)
    notes = list(warnings)
    if unit != "°C":
        notes.append(f"The file holds temperatures in {unit}; they were converted to °C.")
    # Decimals of a text or a float64 file survive; everything else is exact, or exact enough, in float32.
    celsius = to_celsius(values, unit)
    temperature_c: Temperatures = (
        celsius.astype(np.float64, copy=False) if values.dtype == np.float64 else celsius.astype(np.float32, copy=False)
    )
    if np.isinf(temperature_c).any():
        raise UnreadableFileError(
            "expected temperatures; found infinite values. Write NaN where there is no temperature"
        )
    temperature_c, background_notes = _without_background(temperature_c)
    _check_plausible(temperature_c)
    notes += background_notes
    coldest = float(np.nanmin(temperature_c))
    if coldest > LIKE_FAHRENHEIT_C:
        notes.append(
            f"No pixel is colder than {coldest:.1f} °C. If the numbers are °F, convert them first: °C = (°F − 32) / "
            "1.8."
        )
    return make_thermogram(temperature_c, provenance=source.provenance(reader), warnings=notes)


def to_celsius(values: NDArray[Any], unit: str) -> NDArray[Any]:
    """``values`` of any shape from ``unit`` to °C; unchanged if it is °C already."""
    if unit == "K":
        return values.astype(np.float64) - KELVIN
    if unit == "°F":
        return (values.astype(np.float64) - 32.0) / 1.8
    return values


def _check_plausible(temperature_c: Temperatures) -> None:
    finite = temperature_c[np.isfinite(temperature_c)]
    if finite.size == 0:
        raise UnreadableFileError("expected temperatures in °C; found no number at all, only NaN or background")
    low, high = float(finite.min()), float(finite.max())
    found = f"found {low:.6g} to {high:.6g}"
    if low >= LIKE_KELVIN[0] and high <= LIKE_KELVIN[1]:
        raise UnreadableFileError(
            f"expected temperatures in °C; {found}, which looks like kelvin. Subtract 273.15 from every value and try "
            "again"
        )
    if high > HOTTEST_C:
        raise UnreadableFileError(
            f"expected temperatures in °C; {found}, which looks like raw counts or scaled numbers. Convert them to °C "
            "with the camera's own program, or open the camera's original file"
        )
    if low < -KELVIN:
        raise UnreadableFileError(
            f"expected temperatures in °C; {found}, and nothing is colder than -273.15 °C. Write NaN where there is no "
            "temperature"
        )


def _without_background(temperature_c: Temperatures) -> tuple[Temperatures, list[str]]:
    """Exact zeros → NaN where they are plainly a background: on the frame, and everything else well above zero."""
    zero = temperature_c == 0
    on_frame = bool(zero[0].any() or zero[-1].any() or zero[:, 0].any() or zero[:, -1].any())
    if not on_frame or zero.all():
        return temperature_c, []
    others = temperature_c[~zero]
    if np.isnan(others).all() or float(np.nanmin(others)) < CUT_OUT_COLDEST_C:
        return temperature_c, []
    cut_out = temperature_c.copy()
    cut_out[zero] = np.nan
    note = (
        f"{int(zero.sum())} of {zero.size} pixels are exactly 0 and lie around something at "
        f"{float(np.nanmin(others)):.1f} to {float(np.nanmax(others)):.1f} °C: they were taken as background without a "
        "temperature."
    )
    return cut_out, [note]
