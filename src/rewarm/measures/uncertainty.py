"""How far a temperature can be trusted: a budget of named parts after the GUM (JCGM 100:2008), and what cancels.

A reading of a thermal camera is off by several amounts at once. Some of them are shared: the camera's calibration by
all its pictures, the drift since by all pictures of a session, the skin's emissivity and the room's reflection by one
picture. What is shared cancels in a difference inside a picture, and it does not cancel between visits. Others belong
to a region (its outline, its place in the picture) or to a pixel (noise) and never cancel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from typing import Any, Final, Literal

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import brentq

from rewarm.errors import InvalidInputError
from rewarm.regions import Mask
from rewarm.tables import SMALLEST_DETECTABLE_FACTOR
from rewarm.thermogram import temperature_c

Scope = Literal["camera", "session", "image", "region", "pixel"]
Shape = Literal["normal", "rectangular", "triangular"]
Temperatures = NDArray[np.float32] | NDArray[np.float64]

SHARED_SCOPES: Final = ("camera", "session", "image")
"""What these hold is the same error in every region of one picture."""

SKIN_EMISSIVITY: Final = 0.98
"""Long-wave band (8–14 µm); Steketee 1973, doi 10.1088/0031-9155/18/5/307."""

_STEP: Final = 0.1
_REACH: Final = {"normal": 1.0, "rectangular": sqrt(3.0), "triangular": sqrt(6.0)}


@dataclass(frozen=True)
class Part:
    """One reason why a value may be off.

    ``u_c`` is its standard uncertainty in the value, °C (k = 1). ``scope`` says who shares the error. ``shape`` is the
    distribution that was assumed for it. ``sign`` is −1 where the shared cause moves this value downwards.
    """

    name: str
    scope: Scope
    u_c: float
    source: str
    shape: Shape = "normal"
    sign: int = 1


@dataclass(frozen=True)
class Assumptions:
    """What is taken for granted where neither the file nor the study says better. All half-widths are in °C or 1.

    ``accuracy_c`` ±2 °C is the usual specification of uncooled cameras; ``drift_c`` ±0.5 °C is an assumption for the
    change of a warmed-up camera's offset from session to session; ``nonuniformity_c`` is half of the 1 °C that occurs
    between centre and edge of a picture, taken as triangular because regions seldom lie at both extremes;
    ``netd_mk`` is the noise of an uncooled camera; ``emissivity_half_width`` is skin's own spread around 0.98, and
    ``emissivity_unknown_half_width`` stands for a file that does not say what its temperatures were computed with;
    ``reflected_half_width_c`` likewise for the surroundings; ``edge_px`` is how far an outline may lie off.
    """

    accuracy_c: float = 2.0
    drift_c: float = 0.5
    nonuniformity_c: float = 0.5
    netd_mk: float = 100.0
    emissivity_half_width: float = 0.01
    emissivity_unknown_half_width: float = 0.03
    reflected_c: float = 23.0
    reflected_half_width_c: float = 2.0
    reflected_unknown_half_width_c: float = 5.0
    edge_px: float = 0.5


DEFAULT_ASSUMPTIONS: Final = Assumptions()


def picture_parts(thermogram: xr.Dataset, *, assumptions: Assumptions = DEFAULT_ASSUMPTIONS) -> tuple[Part, ...]:
    """The parts that every region of a picture shares whatever its temperature: the camera's and the session's.

    The camera's specified accuracy ±a is a rectangular distribution, u = a/√3 (GUM 4.3.7). Where a reference was
    applied (:func:`rewarm.measures.apply_reference`), its uncertainty replaces the camera's and the session's share.
    """
    reference_u_c = thermogram.attrs.get("reference_u_c")
    if reference_u_c is not None:
        return (Part("reference", "image", float(reference_u_c), "reference of known temperature in view"),)
    stated = thermogram.attrs.get("accuracy_c")
    accuracy_c = assumptions.accuracy_c if stated is None else float(stated)
    source = f"±{accuracy_c:g} °C, {'assumed: no specification known' if stated is None else 'specification'}"
    return (
        Part("camera accuracy", "camera", accuracy_c / _REACH["rectangular"], source, "rectangular"),
        Part(
            "session drift",
            "session",
            assumptions.drift_c / _REACH["rectangular"],
            f"±{assumptions.drift_c:g} °C between sessions, assumed",
            "rectangular",
        ),
    )


def region_parts(
    thermogram: xr.Dataset, mask: Mask, *, assumptions: Assumptions = DEFAULT_ASSUMPTIONS
) -> tuple[Part, ...]:
    """The whole budget of one region's mean temperature.

    ``thermogram`` is a still picture (y, x), ``mask`` a boolean array of its shape. The parts are those of
    :func:`picture_parts`, emissivity and reflected temperature (image), the picture's non-uniformity and the
    outline (region), and noise (pixel). Raises :class:`InvalidInputError` for a mask without any temperature.
    """
    temperature = temperature_c(thermogram)
    if mask.shape != temperature.shape:
        raise InvalidInputError(f"mask: expected the picture's shape {temperature.shape}; found {mask.shape}")
    values = temperature[mask]
    values = values[np.isfinite(values)]
    if values.size == 0:
        raise InvalidInputError("mask: expected at least one pixel with a temperature; found none")
    mean_c = float(values.mean(dtype=np.float64))
    return (
        *picture_parts(thermogram, assumptions=assumptions),
        *surface_parts(mean_c, thermogram.attrs, assumptions=assumptions),
        *place_parts(temperature, mask, thermogram.attrs, assumptions=assumptions),
    )


def surface_parts(
    mean_c: float, attrs: dict[Any, Any], *, assumptions: Assumptions = DEFAULT_ASSUMPTIONS
) -> tuple[Part, ...]:
    """Emissivity and reflected temperature, which a whole picture shares.

    The detector sees S = ε·P(T) + (1 − ε)·P(Trefl) (science of the camera's own formula, air left out). At a fixed S

        ∂T/∂ε     = −(P(T) − P(Trefl)) / (ε·P′(T)) ≈ −(T − Trefl)/ε
        ∂T/∂Trefl = −(1 − ε)/ε · P′(Trefl)/P′(T)   ≈ −(1 − ε)/ε

    with P linearised between skin and surroundings, which overstates the first by 4 % at 32 °C in a room at 23 °C.
    An emissivity that was set off skin's 0.98 is not corrected here; its distance from 0.98 widens the half-width.
    """
    set_emissivity = attrs.get("emissivity")
    if set_emissivity is None or not 0.0 < float(set_emissivity) <= 1.0:
        emissivity, half = SKIN_EMISSIVITY, assumptions.emissivity_unknown_half_width
        emissivity_source = f"skin {SKIN_EMISSIVITY} ± {half:g}, assumed: the file does not say"
    else:
        emissivity = float(set_emissivity)
        half = assumptions.emissivity_half_width + abs(emissivity - SKIN_EMISSIVITY)
        emissivity_source = f"skin {SKIN_EMISSIVITY} ± {assumptions.emissivity_half_width:g}, set to {emissivity:g}"
    stored = attrs.get("reflected_c")
    if stored is None or not -20.0 <= float(stored) <= 60.0:
        reflected_c, reflected_half = assumptions.reflected_c, assumptions.reflected_unknown_half_width_c
        reflected_source = f"{reflected_c:g} ± {reflected_half:g} °C, assumed: the file holds none that can be true"
    else:
        reflected_c, reflected_half = float(stored), assumptions.reflected_half_width_c
        reflected_source = f"{reflected_c:g} ± {reflected_half:g} °C"
    lift_c = mean_c - reflected_c
    widest = _REACH["rectangular"]
    # a possible error of the reflected temperature itself keeps skin as warm as the room from looking free of error
    effective_lift_c = hypot(lift_c, reflected_half / widest)
    return (
        Part(
            "emissivity",
            "image",
            effective_lift_c / emissivity * half / widest,
            emissivity_source,
            "rectangular",
            -1 if lift_c > 0 else 1,
        ),
        Part(
            "reflected temperature",
            "image",
            (1 - min(emissivity, SKIN_EMISSIVITY)) / emissivity * reflected_half / widest,
            reflected_source,
            "rectangular",
            -1,
        ),
    )


def place_parts(
    temperature: Temperatures,
    mask: Mask,
    attrs: dict[Any, Any],
    *,
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
) -> tuple[Part, ...]:
    """What belongs to one region alone: the picture's non-uniformity, its outline, and the pixels' noise."""
    stated = attrs.get("netd_mk")
    netd_mk = assumptions.netd_mk if stated is None else float(stated)
    n_px = int(np.count_nonzero(mask & np.isfinite(temperature)))
    edge_c = assumptions.edge_px * abs(mean_per_pixel_of_outline(temperature, mask))
    return (
        Part(
            "non-uniformity",
            "region",
            assumptions.nonuniformity_c / _REACH["triangular"],
            f"±{assumptions.nonuniformity_c:g} °C across the picture, assumed",
            "triangular",
        ),
        Part(
            "outline",
            "region",
            edge_c / _REACH["rectangular"],
            f"outline may lie ±{assumptions.edge_px:g} px off",
            "rectangular",
        ),
        Part(
            "noise",
            "pixel",
            netd_mk / 1000.0 / sqrt(max(n_px, 1)),
            f"NETD {netd_mk:g} mK{', assumed' if stated is None else ''}, {n_px} pixels",
        ),
    )


def mean_per_pixel_of_outline(temperature: Temperatures, mask: Mask) -> float:
    """How much a region's mean changes when its outline moves outwards by one pixel, °C/px.

    Central difference of the means over the mask eroded and dilated by one pixel; one-sided where only one of the two
    exists. Pixels without a temperature, and pixels of exactly 0 °C (a cut-out background), cannot be moved into.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return 0.0
    window = (slice(max(rows[0] - 2, 0), rows[-1] + 3), slice(max(columns[0] - 2, 0), columns[-1] + 3))
    values = temperature[window].astype(np.float64)
    inside = mask[window]
    usable = np.isfinite(values) & ((values != 0.0) | inside)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    as_bytes = inside.astype(np.uint8)
    smaller = (cv2.erode(as_bytes, cross) > 0) & usable
    larger = (cv2.dilate(as_bytes, cross) > 0) & usable
    now = inside & usable
    if not now.any():
        return 0.0
    mean_now = float(values[now].mean())
    has_smaller, has_larger = bool(smaller.any()), int(larger.sum()) > int(now.sum())
    steps: list[float] = []
    if has_smaller:
        steps.append(mean_now - float(values[smaller].mean()))
    if has_larger:
        steps.append(float(values[larger].mean()) - mean_now)
    return float(np.mean(steps)) if steps else 0.0


def u_region_mean_c(parts: Sequence[Part]) -> float:
    """Standard uncertainty of a region's mean itself, as an absolute temperature, °C."""
    return u_combination_c([(1.0, parts)])


def u_difference_c(minuend: Sequence[Part], subtrahend: Sequence[Part]) -> float:
    """Standard uncertainty of a difference of two regions of **one** picture, °C: what they share cancels."""
    return u_combination_c([(1.0, minuend), (-1.0, subtrahend)])


def u_combination_c(terms: Sequence[tuple[float, Sequence[Part]]]) -> float:
    """Standard uncertainty of Σ factor·mean over regions of **one** picture, °C.

    Parts of a shared scope and the same name are one error (correlation 1, GUM 5.2.2), so their signed sum counts;
    the others are independent.
    """
    return sqrt(sum(part.u_c**2 for part in combined_parts(terms)))


def combined_parts(terms: Sequence[tuple[float, Sequence[Part]]]) -> tuple[Part, ...]:
    """The budget of Σ factor·mean over regions of one picture: shared parts merged, all of them independent."""
    shared: dict[tuple[str, str], tuple[float, Part]] = {}
    own: list[Part] = []
    for factor, parts in terms:
        for part in parts:
            signed_c = factor * part.sign * part.u_c
            if part.scope in SHARED_SCOPES:
                key = (part.scope, part.name)
                shared[key] = (shared.get(key, (0.0, part))[0] + signed_c, part)
            else:
                own.append(Part(part.name, part.scope, abs(signed_c), part.source, part.shape))
    merged = [
        Part(part.name, part.scope, abs(signed_c), part.source, part.shape, -1 if signed_c < 0 else 1)
        for signed_c, part in shared.values()
    ]
    return (*merged, *own)


def u_change_c(before: Sequence[Part], after: Sequence[Part]) -> float:
    """Standard uncertainty of after − before of a value measured at two visits, °C.

    Each budget is that of the value at its visit (:func:`region_parts`, or :func:`combined_parts` for a difference
    inside the picture). Nothing is taken to cancel between visits, not even with the same camera: its offset drifts.
    What ties visits together is a reference in view of both, whose small share has then replaced the camera's.
    """
    return hypot(*(sqrt(sum(part.u_c**2 for part in parts)) for parts in (before, after)))


def smallest_detectable_change_c(u_c: float) -> float:
    """1.96·u of a change: what measurement alone would exceed in 5 % of people whose feet did not change, °C.

    It covers measurement alone. A person's own variation from day to day comes on top (science: test–retest of digits).
    """
    return SMALLEST_DETECTABLE_FACTOR * u_c


def expanded_u_c(parts: Sequence[Part], *, level: float = 0.95) -> float:
    """Half-width of the interval that holds the truth with probability ``level``, °C.

    The parts must be independent (:func:`combined_parts`). 1.96·u is right where no part dominates; where a specified
    ±a does, the sum is flatter than a normal distribution and 1.96·u too wide (GUM G.1.5). So the distribution of the
    sum is computed, by inversion of its characteristic function (Gil-Pelaez 1951, doi 10.1093/biomet/38.3-4.481).
    """
    if not 0.0 < level < 1.0:
        raise InvalidInputError(f"level: expected a probability between 0 and 1; found {level:g}")
    parts = [part for part in parts if part.u_c > 0]
    if not parts:
        return 0.0
    u_c = sqrt(sum(part.u_c**2 for part in parts))
    t: NDArray[np.float64] = (np.arange(1_000, dtype=np.float64) + 0.5) * _STEP  # in units of 1/u; midpoints avoid 0
    product = np.ones_like(t)
    for part in parts:
        product = product * _characteristic(part.shape, t * (part.u_c / u_c))

    def missing(x: float) -> float:
        return float(np.sum(product * np.sin(t * x) / t) * _STEP * 2.0 / np.pi) - level

    return float(brentq(missing, 1e-6, 8.0, xtol=1e-6)) * u_c


def _characteristic(shape: Shape, t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Characteristic function at ``t``·u of a distribution with standard deviation u."""
    if shape == "normal":
        return np.exp(-0.5 * t * t)
    if shape == "rectangular":
        return np.sinc(t * _REACH["rectangular"] / np.pi)
    return np.sinc(t * _REACH["triangular"] / (2 * np.pi)) ** 2
