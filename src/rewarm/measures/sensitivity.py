"""How far a reading moves when a parameter that it was computed with is wrong: the radiometric equation, linearised.

The detector sees, through air of transmission τ and a window of transmission W,

    S = ετW·P(T) + (1 − ε)τW·P(T_reflected) + (1 − τ)W·P(T_air) + (1 − W)·P(T_window)

with P(T) = R1/(R2·(exp(B/T) − F)) − O (Minkina and Dudzik 2009, doi 10.1002/9780470682234). P's constants are the
camera's own where the file holds them. Elsewhere P is Planck's law at 10 µm, B = 14387.77 µm·K / 10 µm, the middle of
the long-wave band, and the air is that of FLIR's default constants: an approximation that is good to a few per cent of
a *sensitivity*, which is all it is used for.
"""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, nan, sqrt
from typing import Final, Literal

from rewarm.thermogram import Calibration, ObjectParameters

KELVIN: Final = 273.15

GREY_BODY: Final = Calibration(
    planck_r1=1.0e6,
    planck_r2=1.0,
    planck_b=1438.777,
    planck_f=1.0,
    planck_o=0.0,
    atmosphere_alpha1=0.006569,
    atmosphere_alpha2=0.01262,
    atmosphere_beta1=-0.002276,
    atmosphere_beta2=-0.00667,
    atmosphere_x=1.9,
)
"""Stands in where a file holds temperatures and no calibration."""

Setting = Literal["emissivity", "reflected_c", "distance_m", "humidity_pct", "air_c"]

LIMITS: Final[dict[Setting, tuple[float, float]]] = {
    "emissivity": (0.05, 1.0),
    "reflected_c": (-60.0, 300.0),
    "distance_m": (0.0, 100.0),
    "humidity_pct": (0.0, 100.0),
    "air_c": (-40.0, 60.0),
}
"""What the equation is asked about; a step never leaves these."""


def reading_c(true_c: float, *, true: ObjectParameters, used: ObjectParameters, calibration: Calibration) -> float:
    """What a camera set to ``used`` reads, °C, of an object at ``true_c`` whose parameters are ``true``.

    All parameters but the window's must be numbers. NaN where the equation has no answer.
    """
    return _object_c(_signal(true_c, true, calibration), used, calibration)


def error_per_unit(
    read_c: float, name: Setting, *, step: float, used: ObjectParameters, calibration: Calibration
) -> float:
    """∂(reading − truth)/∂(true parameter) at a reading of ``read_c``, in °C per unit, over ± ``step``.

    The signal behind the reading is held; the parameter is moved both ways within :data:`LIMITS`, so that the slope is
    that of the chord over the interval in question. 0 where the equation has no answer.
    """
    signal = _signal(read_c, used, calibration)
    now = float(getattr(used, name))
    low, high = max(now - step, LIMITS[name][0]), min(now + step, LIMITS[name][1])
    if not high > low:
        return 0.0
    truths = [_object_c(signal, _with(used, name, value), calibration) for value in (low, high)]
    slope = -(truths[1] - truths[0]) / (high - low)
    return slope if slope == slope else 0.0  # NaN is unlike itself


def _with(parameters: ObjectParameters, name: Setting, value: float) -> ObjectParameters:
    match name:
        case "emissivity":
            return replace(parameters, emissivity=value)
        case "reflected_c":
            return replace(parameters, reflected_c=value)
        case "distance_m":
            return replace(parameters, distance_m=value)
        case "humidity_pct":
            return replace(parameters, humidity_pct=value)
        case "air_c":
            return replace(parameters, air_c=value)


def _signal(object_c: float, parameters: ObjectParameters, calibration: Calibration) -> float:
    gain, offset = _path(parameters, calibration)
    return gain * _radiation(object_c, calibration) + offset


def _object_c(signal: float, parameters: ObjectParameters, calibration: Calibration) -> float:
    gain, offset = _path(parameters, calibration)
    radiation = (signal - offset) / gain
    if not radiation > 0.0:
        return nan
    argument = calibration.planck_r1 / (calibration.planck_r2 * radiation) + calibration.planck_f
    return calibration.planck_b / log(argument) - KELVIN if argument > 1.0 else nan


def _radiation(celsius: float, calibration: Calibration) -> float:
    """P(T) + O: the offset O cancels, because the shares of S add up to one."""
    exponent = exp(min(calibration.planck_b / max(celsius + KELVIN, 1.0), 700.0))
    return calibration.planck_r1 / (calibration.planck_r2 * (exponent - calibration.planck_f))


def _path(parameters: ObjectParameters, calibration: Calibration) -> tuple[float, float]:
    """S = gain·P(T) + offset."""
    emissivity, reflected_c, air_c = (
        _number(value) for value in (parameters.emissivity, parameters.reflected_c, parameters.air_c)
    )
    window = 1.0 if parameters.window_transmission is None else parameters.window_transmission
    air = air_transmission(
        calibration,
        distance_m=_number(parameters.distance_m),
        humidity_pct=_number(parameters.humidity_pct),
        air_c=air_c,
    )
    offset = window * air * (1.0 - emissivity) * _radiation(reflected_c, calibration)
    offset += window * (1.0 - air) * _radiation(air_c, calibration)
    if window != 1.0:
        window_c = air_c if parameters.window_c is None else parameters.window_c
        offset += (1.0 - window) * _radiation(window_c, calibration)
    return emissivity * air * window, offset


def air_transmission(calibration: Calibration, *, distance_m: float, humidity_pct: float, air_c: float) -> float:
    """τ, the share of radiation that the air lets through, 0..1."""
    water = humidity_pct / 100.0 * exp(1.5587 + 0.06939 * air_c - 0.00027816 * air_c**2 + 6.8455e-7 * air_c**3)
    way, wet = sqrt(distance_m), sqrt(water)
    first = exp(-way * (calibration.atmosphere_alpha1 + calibration.atmosphere_beta1 * wet))
    second = exp(-way * (calibration.atmosphere_alpha2 + calibration.atmosphere_beta2 * wet))
    return calibration.atmosphere_x * first + (1.0 - calibration.atmosphere_x) * second


def _number(value: float | None) -> float:
    return nan if value is None else float(value)
