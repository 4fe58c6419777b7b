"""Raw counts ↔ temperature: FLIR's own formula, a single path through the air over the full distance.

Symbols as in the vendor's documents: W is the window's transmission, τ the air's, ε the emissivity, P(T) the counts of
a black body at T. The constants come from the camera (:class:`rewarm.thermogram.Calibration`). The terms are those of
the chapter "measurement formula" in FLIR's camera manuals; taken over a single path, they give the per-pixel exports of
FLIR's own programs (tested on recordings of the data set doi 10.7717/peerj-cs.977). Splitting the path in two halves,
as some open readers do, does not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rewarm.errors import InvalidInputError
from rewarm.thermogram import Calibration, ObjectParameters

KELVIN: Final = 273.15
BLOCK_PIXELS: Final = 16384
"""NumPy makes 8-byte indices of the counts it looks up: so many at once stay in a processor's cache."""
COUNTS: Final = np.arange(65536, dtype=np.float64)
COUNTS.flags.writeable = False

Float64 = NDArray[np.float64]


def temperature_table(calibration: Calibration, parameters: ObjectParameters) -> NDArray[np.float32]:
    """The temperature of each possible raw count: float32 (65536,), °C; NaN where the formula has no answer.

    Raises :class:`InvalidInputError` if a parameter other than the window's is None.
    """
    return celsius_from_counts(COUNTS, calibration, parameters).astype(np.float32)


def apply_table(
    table: NDArray[np.float32], counts: NDArray[np.uint16], out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Look ``counts`` (any shape) up in ``table`` (65536,): float32 of the same shape, °C.

    Written into ``out`` (that shape, contiguous) where one is given, which is returned.
    """
    celsius = np.empty(counts.shape, np.float32) if out is None else out
    if counts.size:
        # In rows: OpenCV shares those of a large picture between its threads, which are as many as it may use.
        width = counts.shape[-1] if counts.ndim > 1 else counts.size
        _lookup()(np.ascontiguousarray(counts).reshape(-1, width), table, celsius.reshape(-1, width))
    return celsius


@cache
def _lookup() -> Callable[[NDArray[np.uint16], NDArray[np.float32], NDArray[np.float32]], None]:
    """OpenCV's look-up where it takes 16-bit counts (from 5.0 on, three times NumPy's speed), NumPy's elsewhere."""
    import cv2  # a tenth of a second, once there are counts to convert

    try:
        cv2.LUT(np.zeros((1, 2), np.uint16), np.zeros((1, 65536), np.float32))
    except cv2.error:
        return _numpy_lookup

    def opencv_lookup(counts: NDArray[np.uint16], table: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        cv2.LUT(counts, table.reshape(1, -1), out)

    return opencv_lookup


def _numpy_lookup(counts: NDArray[np.uint16], table: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    flat_counts, flat_out = counts.reshape(-1), out.reshape(-1)
    for start in range(0, counts.size, BLOCK_PIXELS):
        part = slice(start, start + BLOCK_PIXELS)
        # A uint16 cannot leave the table: "wrap" spares the bounds check of the default mode.
        np.take(table, flat_counts[part], mode="wrap", out=flat_out[part])


def celsius_from_counts(counts: ArrayLike, calibration: Calibration, parameters: ObjectParameters) -> Float64:
    """Object temperature of raw ``counts`` of any shape: float64 of that shape, °C, NaN where impossible.

    Raises :class:`InvalidInputError` for parameters that are None.
    """
    gain, offset = _path(calibration, parameters)
    r1, r2, b, f = calibration.planck_r1, calibration.planck_r2, calibration.planck_b, calibration.planck_f
    with np.errstate(all="ignore"):
        signal = (np.asarray(counts, dtype=np.float64) - offset) / gain + calibration.planck_o
        argument = r1 / (r2 * signal) + f
        celsius = b / np.log(argument) - KELVIN
    possible = (signal > 0) & (argument > 1) & np.isfinite(celsius)
    return np.where(possible, celsius, np.nan)


def counts_from_celsius(celsius: ArrayLike, calibration: Calibration, parameters: ObjectParameters) -> Float64:
    """The inverse: raw counts (not rounded) that an object of ``celsius`` (any shape) gives; float64, NaN for NaN.

    Raises :class:`InvalidInputError` for parameters that are None.
    """
    gain, offset = _path(calibration, parameters)
    return black_body_counts(celsius, calibration) * gain + offset


def black_body_counts(celsius: ArrayLike, calibration: Calibration) -> Float64:
    """P(T): counts of a black body at ``celsius`` seen without air or window; float64 of the same shape."""
    kelvin = np.asarray(celsius, dtype=np.float64) + KELVIN
    with np.errstate(all="ignore"):  # at 0 K the exponential is infinite and the radiation, rightly, zero
        radiation = calibration.planck_r1 / (
            calibration.planck_r2 * (np.exp(calibration.planck_b / kelvin) - calibration.planck_f)
        )
    return np.asarray(radiation - calibration.planck_o)


def air_transmission(calibration: Calibration, *, distance_m: float, humidity_pct: float, air_c: float) -> float:
    """τ: the share of radiation that ``distance_m`` of air lets through, 0..1."""
    with np.errstate(all="ignore"):
        water = humidity_pct / 100 * np.exp(1.5587 + 0.06939 * air_c - 0.00027816 * air_c**2 + 6.8455e-7 * air_c**3)
        root = np.sqrt(distance_m)
        first = np.exp(-root * (calibration.atmosphere_alpha1 + calibration.atmosphere_beta1 * np.sqrt(water)))
        second = np.exp(-root * (calibration.atmosphere_alpha2 + calibration.atmosphere_beta2 * np.sqrt(water)))
        x = calibration.atmosphere_x
        return float(x * first + (1 - x) * second)


def _path(calibration: Calibration, parameters: ObjectParameters) -> tuple[float, float]:
    """What lies between object and detector, as counts = gain · P(T_object) + offset."""
    emissivity, reflected_c, air_c, distance_m, humidity_pct = _needed(parameters)
    window = 1.0 if parameters.window_transmission is None else parameters.window_transmission
    window_c = air_c if parameters.window_c is None else parameters.window_c
    air = air_transmission(calibration, distance_m=distance_m, humidity_pct=humidity_pct, air_c=air_c)
    with np.errstate(all="ignore"):
        reflected, air_glow, window_glow = black_body_counts([reflected_c, air_c, window_c], calibration)
        offset = air * window * (1 - emissivity) * reflected + window * (1 - air) * air_glow
        if window != 1:  # without a window its stored temperature may be anything
            offset += (1 - window) * window_glow
    gain = emissivity * air * window
    return (gain, float(offset)) if gain > 0 and np.isfinite(offset) else (np.nan, np.nan)


def _needed(parameters: ObjectParameters) -> tuple[float, float, float, float, float]:
    values = {
        name: getattr(parameters, name) for name in ("emissivity", "reflected_c", "air_c", "distance_m", "humidity_pct")
    }
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise InvalidInputError(f"counts → °C: expected a number for {', '.join(missing)}; found None. Pass a value")
    emissivity, reflected_c, air_c, distance_m, humidity_pct = (float(value) for value in values.values())
    return emissivity, reflected_c, air_c, distance_m, humidity_pct
