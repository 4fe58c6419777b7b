"""How far a region's temperature can be trusted: every reason why it may be off, with its size and its source.

What the file or the study states is used; what neither states is an :class:`Assumptions` figure, and its part says so.
How parts add up, and what cancels, is in :mod:`rewarm.measures.budget`; the model in words is in docs/uncertainty.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import hypot, isfinite, sqrt
from typing import Any, Final

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.measures.budget import REACH, Part, Place, alike, place_of
from rewarm.measures.outline import (
    Temperatures,
    mean_per_pixel_of_outline,
    mean_per_pixel_of_shift,
    segmentation_px,
)
from rewarm.measures.sensitivity import GREY_BODY, Setting, error_per_unit, reading_c
from rewarm.regions import Mask
from rewarm.tables import SMALLEST_DETECTABLE_FACTOR
from rewarm.thermogram import Calibration, ObjectParameters, temperature_c

SKIN_EMISSIVITY: Final = 0.98
"""Long-wave band (8–14 µm); Steketee 1973."""

SKIN_DOI: Final = "10.1088/0031-9155/18/5/307"
RADIOMETRY_DOI: Final = "10.1002/9780470682234"
PROTOCOL_DOI: Final = "10.1016/j.jtherbio.2017.07.006"


@dataclass(frozen=True)
class Assumptions:
    """What is taken for granted where neither the file nor the study says better. Half-widths are in the name's unit.

    Camera and session: ``accuracy_c`` ±2 °C is the usual specification of uncooled cameras; ``drift_c`` ±0.5 °C is for
    the change of a warmed-up camera's offset from session to session.

    Picture: ``nonuniformity_c`` is how far 95 % of the places are from the picture's mean error (about 1 °C between
    centre and edge happens), alike over ``nonuniformity_reach`` of the picture's diagonal. ``netd_mk`` is an uncooled
    camera's noise; ``noise_shared_px`` is how many neighbouring pixels share it (demosaicking, sharpening and residual
    patterns make neighbours alike), so that n pixels count as n/``noise_shared_px``.

    Object and air: ``…_half_width`` is how far a stated figure may be wrong, ``…_unknown_half_width`` how far the
    default is where the file holds none, or none that can be true. ``emissivity`` is skin's own spread around 0.98.

    Region: ``edge_px`` is how far an outline may lie off; ``blur_px`` the standard deviation of the optics' blur, known
    to a factor of two; ``scatter`` the share of a pixel's signal that comes from up to ``scatter_px`` around it (size
    of source). How doubtful a region's outline is beyond ``edge_px`` follows from the finder's confidence.
    """

    accuracy_c: float = 2.0
    drift_c: float = 0.5
    nonuniformity_c: float = 0.5
    nonuniformity_reach: float = 0.25
    netd_mk: float = 100.0
    noise_shared_px: float = 4.0
    emissivity_half_width: float = 0.01
    emissivity_unknown_half_width: float = 0.03
    reflected_c: float = 23.0
    reflected_half_width_c: float = 2.0
    reflected_unknown_half_width_c: float = 5.0
    air_c: float = 23.0
    air_half_width_c: float = 2.0
    air_unknown_half_width_c: float = 5.0
    distance_m: float = 1.0
    distance_half_width_m: float = 0.3
    distance_unknown_half_width_m: float = 0.7
    humidity_pct: float = 50.0
    humidity_half_width_pct: float = 15.0
    humidity_unknown_half_width_pct: float = 25.0
    edge_px: float = 0.5
    blur_px: float = 0.6
    scatter: float = 0.01
    scatter_px: float = 12.0


_PIXEL_PX: Final = 1.0 / sqrt(12.0)
"""Standard deviation of a pixel's own width."""

DEFAULT_ASSUMPTIONS: Final = Assumptions()


@dataclass(frozen=True)
class _Known:
    """A parameter as it was used, the best that is known of it, and how far that may be wrong."""

    name: str
    used: float
    best: float
    half: float
    source: str
    assumed: bool
    doi: str = ""


def region_parts(
    thermogram: xr.Dataset,
    mask: Mask,
    *,
    confidence: float = 1.0,
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
) -> tuple[Part, ...]:
    """The whole budget of one region's mean temperature.

    ``thermogram`` is a still picture (y, x), ``mask`` a boolean array of its shape, ``confidence`` (0..1) the finder's.
    The parts are those of :func:`picture_parts`, :func:`surface_parts` and :func:`place_parts`. Raises
    :class:`InvalidInputError` for a mask without any temperature.
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
        *place_parts(temperature, mask, thermogram.attrs, confidence=confidence, assumptions=assumptions),
    )


def picture_parts(thermogram: xr.Dataset, *, assumptions: Assumptions = DEFAULT_ASSUMPTIONS) -> tuple[Part, ...]:
    """The parts that every region of a picture shares whatever its temperature: the camera's and the session's.

    The camera's specified accuracy ±a is a rectangular distribution, u = a/√3 (GUM 4.3.7). Where a reference was
    applied (:func:`rewarm.measures.apply_reference`), its uncertainty replaces the camera's and the session's share.
    """
    attrs = thermogram.attrs
    reference_u_c = attrs.get("reference_own_u_c", attrs.get("reference_u_c"))
    if reference_u_c is not None:
        source = "reference of known temperature in view"
        return (Part("reference", "image", float(reference_u_c), source, "rectangular", doi=PROTOCOL_DOI),)
    stated = attrs.get("accuracy_c")
    accuracy_c = assumptions.accuracy_c if stated is None else float(stated)
    source = f"±{accuracy_c:g} °C, {'assumed: no specification known' if stated is None else 'specification'}"
    return (
        Part(
            "camera accuracy",
            "camera",
            accuracy_c / REACH["rectangular"],
            source,
            "rectangular",
            assumed=stated is None,
        ),
        Part(
            "session drift",
            "session",
            assumptions.drift_c / REACH["rectangular"],
            f"±{assumptions.drift_c:g} °C between sessions, assumed",
            "rectangular",
            assumed=True,
        ),
    )


def surface_parts(
    mean_c: float, attrs: Mapping[Any, Any], *, assumptions: Assumptions = DEFAULT_ASSUMPTIONS
) -> tuple[Part, ...]:
    """Emissivity, reflected temperature and the air path, which a whole picture shares.

    ``mean_c`` is the region's reading, °C. Sensitivities are those of the radiometric equation at that reading, with
    the picture's own calibration where it has one (:mod:`rewarm.measures.sensitivity`). A parameter that was set off
    what is plausible (an emissivity other than skin's 0.98, a reflected temperature of 298 °C) is not corrected here;
    what that does to the reading widens the part's half-width. Skin as warm as its surroundings shows no error of the
    emissivity only if the reflected temperature is right: a part of its own holds that product (GUM 5.1.2, note).
    """
    calibration = _calibration(attrs)
    known = _known(attrs, assumptions, computed=calibration is not None)
    used = ObjectParameters(
        **{name: item.used for name, item in known.items()},
        window_c=attrs.get("window_c"),
        window_transmission=_window(attrs),
    )
    best = ObjectParameters(
        **{name: item.best for name, item in known.items()},
        window_c=used.window_c,
        window_transmission=used.window_transmission,
    )
    constants = calibration or GREY_BODY
    reach = REACH["rectangular"]
    parts: list[Part] = []
    for name, item in known.items():
        slope = error_per_unit(mean_c, name, step=item.half, used=best, calibration=constants)
        only_this = ObjectParameters(**{**_plain(best), name: item.used})
        off_c = 0.0
        if item.used != item.best:
            off_c = reading_c(mean_c, true=best, used=only_this, calibration=constants) - mean_c
            off_c = off_c if isfinite(off_c) else 0.0
        half_c = abs(slope) * item.half + abs(off_c)
        sign = -1 if slope < 0 else 1
        parts.append(
            Part(
                item.name, "image", half_c / reach, item.source, "rectangular", sign, item.doi or RADIOMETRY_DOI,
                item.assumed,
            )
        )  # fmt: skip
    product_c = _product_c(mean_c, known, best, constants)
    parts.insert(
        2,
        Part(
            "emissivity × reflection", "image", product_c, "both at once, second order", "normal", doi=RADIOMETRY_DOI
        ),
    )  # fmt: skip
    return tuple(parts)


def _product_c(
    mean_c: float, known: Mapping[Setting, _Known], best: ObjectParameters, calibration: Calibration
) -> float:
    """|∂²T/∂ε∂T_reflected|·u(ε)·u(T_reflected), °C."""
    emissivity, reflected = known["emissivity"], known["reflected_c"]
    u_reflected_c = reflected.half / REACH["rectangular"]
    slopes = []
    for shift in (-u_reflected_c, u_reflected_c):
        moved = ObjectParameters(**{**_plain(best), "reflected_c": reflected.best + shift})
        slopes.append(error_per_unit(mean_c, "emissivity", step=emissivity.half, used=moved, calibration=calibration))
    return abs(slopes[1] - slopes[0]) / 2.0 * emissivity.half / REACH["rectangular"]


def place_parts(
    temperature: Temperatures,
    mask: Mask,
    attrs: Mapping[Any, Any],
    *,
    confidence: float = 1.0,
    lost_c: NDArray[np.float64] | None = None,
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
) -> tuple[Part, ...]:
    """What depends on where a region lies: blur, non-uniformity, its outline, how sure the finder is, and noise.

    ``lost_c`` is :func:`blur_loss_c` of the picture, where it has been computed already. Where a reference was applied,
    the picture's non-uniformity at the reference's place enters with the other sign: what region and reference share
    of it cancels.
    """
    usable = mask & np.isfinite(temperature)
    n_px = int(np.count_nonzero(usable))
    lost = blur_loss_c(temperature, assumptions=assumptions) if lost_c is None else lost_c
    blur_c = float(lost[usable].mean()) if n_px else 0.0
    outwards_c = abs(mean_per_pixel_of_outline(temperature, mask))
    doubt_px = segmentation_px(mask, confidence)
    doubt_c = doubt_px * hypot(outwards_c, mean_per_pixel_of_shift(temperature, mask)) if doubt_px else 0.0
    stated = attrs.get("netd_mk")
    netd_mk = assumptions.netd_mk if stated is None else float(stated)
    reach = REACH["rectangular"]
    return (
        Part(
            "blur and spot size",
            "image",
            2.0 * abs(blur_c) / reach,
            f"blur of 0 to {2 * assumptions.blur_px:g} px, 0 to {200 * assumptions.scatter:g} % scattered, assumed",
            "rectangular",
            1 if blur_c >= 0 else -1,
            assumed=True,
        ),
        *_uniformity_parts(temperature.shape, usable if n_px else mask, attrs, assumptions),
        Part(
            "outline",
            "region",
            assumptions.edge_px * outwards_c / reach,
            f"outline may lie ±{assumptions.edge_px:g} px off, assumed",
            "rectangular",
            assumed=True,
        ),
        Part(
            "doubt of the outline",
            "region",
            doubt_c / reach,
            f"confidence {confidence:.2f} read as expected overlap (Dice): ±{doubt_px:.1f} px",
            "rectangular",
        ),
        Part(
            "noise",
            "pixel",
            netd_mk / 1000.0 / sqrt(max(n_px / assumptions.noise_shared_px, 1.0)),
            f"NETD {netd_mk:g} mK{', assumed' if stated is None else ''}, shared by "
            f"{assumptions.noise_shared_px:g} neighbours, {n_px} pixels",
            assumed=stated is None,
        ),
    )


def _uniformity_parts(
    shape: tuple[int, ...], mask: Mask, attrs: Mapping[Any, Any], assumptions: Assumptions
) -> tuple[Part, ...]:
    reach_px = assumptions.nonuniformity_reach * hypot(*shape)
    here = place_of(mask, reach_px=reach_px)
    source = f"±{assumptions.nonuniformity_c:g} °C at 95 % of the places, alike over {reach_px:.0f} px, assumed"
    spread_c = assumptions.nonuniformity_c / SMALLEST_DETECTABLE_FACTOR

    def part(place: Place, sign: int) -> Part:
        u_c = spread_c * sqrt(alike(place, place))
        return Part("non-uniformity", "region", u_c, source, "normal", sign, assumed=True, place=place)

    stored = attrs.get("reference_place")
    if stored is None:
        return (part(here, 1),)
    return part(here, 1), part(_stored_place(stored, reach_px), -1)


def _stored_place(stored: Sequence[float], reach_px: float) -> Place:
    x, y, xx, xy, yy = (float(value) for value in stored)
    return Place(x, y, xx, xy, yy, reach_px)


def blur_loss_c(temperature: Temperatures, *, assumptions: Assumptions = DEFAULT_ASSUMPTIONS) -> NDArray[np.float64]:
    """By how much optics of the assumed blur and scatter moved each pixel, estimated from the picture: float64, °C.

    The picture has been blurred once, over what a pixel's own width of 1 px (p = 1/√12 px) had blurred already. It is
    blurred again, by k such that this takes as much off a sharp edge as the optics' σ did:
    √(p² + σ² + k²) − √(p² + σ²) = √(p² + σ²) − p. Off soft edges it takes more: the cautious side. Positive: the
    surroundings are warmer. Pixels without a temperature, and pixels of exactly 0 °C (a cut-out background), are not
    mixed in; NaN stays NaN.
    """
    values = temperature.astype(np.float64)
    usable = np.isfinite(values) & (values != 0.0)
    level = float(values[usable].mean()) if usable.any() else 0.0
    filled = np.where(usable, values - level, 0.0).astype(np.float32)  # near zero, where float32 keeps 1e-6 °C
    weights = None if bool(usable.all()) else usable.astype(np.float32)

    def mixed(width_px: float) -> NDArray[np.float64]:
        total = _blurred(filled, width_px)
        if weights is not None:
            share = _blurred(weights, width_px)
            with np.errstate(invalid="ignore", divide="ignore"):
                total = np.where(usable & (share > 1e-6), total / share, np.nan)
        return np.asarray(total + level, dtype=np.float64)

    near = mixed(_as_much_again_px(assumptions.blur_px)) if assumptions.blur_px > 0 else values
    around = mixed(assumptions.scatter_px) if assumptions.scatter > 0 and assumptions.scatter_px > 0 else values
    lost = (near - values) + assumptions.scatter * (around - values)
    return np.asarray(np.where(usable, lost, np.where(np.isfinite(values), 0.0, np.nan)))


def _blurred(values: NDArray[np.float32], width_px: float) -> NDArray[np.float32]:
    """Gaussian blur; a wide one on a coarser grid, which is as good and many times as fast."""
    coarser = min(int(width_px / 3.0), *values.shape)
    if coarser < 2:
        blurred = cv2.GaussianBlur(values, (0, 0), width_px, borderType=cv2.BORDER_REPLICATE)
    else:
        height, width = values.shape
        small = cv2.resize(values, (-(-width // coarser), -(-height // coarser)), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), width_px / coarser, borderType=cv2.BORDER_REPLICATE)
        blurred = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(blurred, dtype=np.float32)


def _as_much_again_px(blur_px: float) -> float:
    once = hypot(_PIXEL_PX, blur_px)
    return sqrt((2.0 * once - _PIXEL_PX) ** 2 - once**2)


def assumed_words(parts: Sequence[Part]) -> str:
    """What a budget takes for granted, in a few words: "camera accuracy (±2 °C), …"; "" where nothing is."""
    words = {part.name: _short(part.source) for part in parts if (part.assumed and part.u_c > 0) or _always(part)}
    return ", ".join(f"{name} ({source})" if source else name for name, source in words.items())


def _always(part: Part) -> bool:
    return part.assumed and part.name in ("camera accuracy", "session drift")


def _short(source: str) -> str:
    """A source without what differs from region to region."""
    return source.split(", assumed")[0].split(": the file")[0]


def _known(attrs: Mapping[Any, Any], assumptions: Assumptions, *, computed: bool) -> dict[Setting, _Known]:
    """Each parameter: stated and plausible, or a default.

    ``computed`` says that the temperatures came from counts, with the stored parameters whatever they are.
    """
    emissivity = _stated(attrs, "emissivity", 0.0, 1.0)
    if emissivity is None or emissivity == 0.0:
        half = assumptions.emissivity_unknown_half_width
        text = f"skin {SKIN_EMISSIVITY} ± {half:g}, assumed: the file does not say"
        skin = _Known("emissivity", SKIN_EMISSIVITY, SKIN_EMISSIVITY, half, text, True, SKIN_DOI)
    else:
        half = assumptions.emissivity_half_width
        text = f"skin {SKIN_EMISSIVITY} ± {half:g}, set to {emissivity:g}"
        skin = _Known("emissivity", emissivity, SKIN_EMISSIVITY, half, text, False, SKIN_DOI)
    a = assumptions
    rows: tuple[tuple[Setting, str, str, tuple[float, float], float, float, float], ...] = (
        ("reflected_c", "reflected temperature", "°C", (-20.0, 60.0), a.reflected_c,
         a.reflected_half_width_c, a.reflected_unknown_half_width_c),
        ("distance_m", "distance", "m", (0.05, 20.0), a.distance_m,
         a.distance_half_width_m, a.distance_unknown_half_width_m),
        ("humidity_pct", "humidity", "%", (1.0, 100.0), a.humidity_pct,
         a.humidity_half_width_pct, a.humidity_unknown_half_width_pct),
        ("air_c", "air temperature", "°C", (-20.0, 60.0), a.air_c, a.air_half_width_c, a.air_unknown_half_width_c),
    )  # fmt: skip
    known: dict[Setting, _Known] = {"emissivity": skin}
    for name, words, unit, (low, high), default, half, unknown_half in rows:
        stated = _stated(attrs, name, low, high)
        if stated is not None:
            text = f"{stated:g} {unit} stated, taken to be true to ± {half:g} {unit}"
            known[name] = _Known(words, stated, stated, half, text, False)
            continue
        text = f"{default:g} ± {unknown_half:g} {unit}, assumed: the file holds none that can be true"
        stored = attrs.get(name)
        used = float(stored) if computed and stored is not None and isfinite(float(stored)) else default
        known[name] = _Known(words, used, default, unknown_half, text, True)
    return known


def _stated(attrs: Mapping[Any, Any], name: str, low: float, high: float) -> float | None:
    value = attrs.get(name)
    return float(value) if value is not None and low <= float(value) <= high else None


def _window(attrs: Mapping[Any, Any]) -> float | None:
    return _stated(attrs, "window_transmission", 0.05, 1.0)


def _calibration(attrs: Mapping[Any, Any]) -> Calibration | None:
    """The camera's constants where all are there and can be true."""
    values = {field.name: attrs.get(field.name) for field in fields(Calibration)}
    if any(value is None or not isfinite(float(value)) for value in values.values()):
        return None
    found = Calibration(**{name: float(value) for name, value in values.items() if value is not None})
    possible = found.planck_r1 > 0 and found.planck_r2 > 0 and 500 < found.planck_b < 5000 and 0 <= found.planck_f < 50
    return found if possible else None


def _plain(parameters: ObjectParameters) -> dict[str, float | None]:
    return {field.name: getattr(parameters, field.name) for field in fields(ObjectParameters)}
