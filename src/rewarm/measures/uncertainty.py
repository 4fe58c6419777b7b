"""How far a region's temperature can be trusted: every reason why it may be off, with its size and its source.

What the file or the study states is used; what neither states is an :class:`Assumptions` figure, and its part says so.
How parts add up, and what cancels, is in :mod:`rewarm.measures.budget`; the model in words is in docs/uncertainty.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import hypot, isfinite, sqrt
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.measures.assumptions import DEFAULT, DEFAULT_ASSUMPTIONS, Assumptions
from rewarm.measures.blur import blur_loss_c
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
class _Known:
    """A parameter as it was used, the best that is known of it, and how far that may be wrong."""

    name: str
    used: float
    best: float
    half: float
    source: str
    assumed: bool
    doi: str = ""
    known_from: str = ""


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
        known_from = value_origin(attrs, "reference_accuracy_c", otherwise=DEFAULT)
        return (
            Part(
                "reference", "image", float(reference_u_c), source, "rectangular", doi=PROTOCOL_DOI,
                known_from=known_from,
            ),
        )  # fmt: skip
    stated = attrs.get("accuracy_c")
    accuracy_c = assumptions.accuracy_c if stated is None else float(stated)
    origin = value_origin(attrs, "accuracy_c")
    specified = "specification" if origin == "file" else f"specification stated in {origin}"
    source = f"±{accuracy_c:g} °C, {'assumed: no specification known' if stated is None else specified}"
    return (
        Part(
            "camera accuracy",
            "camera",
            accuracy_c / REACH["rectangular"],
            source,
            "rectangular",
            assumed=stated is None,
            known_from=DEFAULT if stated is None else origin,
        ),
        Part(
            "session drift",
            "session",
            assumptions.drift_c / REACH["rectangular"],
            f"±{assumptions.drift_c:g} °C between sessions, {assumptions.said('drift_c')}",
            "rectangular",
            assumed=not assumptions.are_stated("drift_c"),
            known_from=assumptions.origin("drift_c"),
        ),
        *_drift_within(attrs),
    )


def _drift_within(attrs: Mapping[Any, Any]) -> tuple[Part, ...]:
    """What a frame, or a mean of frames, may be off against the rest of its recording."""
    half_c = float(attrs.get("recording_drift_c") or 0.0)
    if not half_c > 0.0:
        return ()
    source = "from how far the whole picture moved"
    u_c = half_c / REACH["rectangular"]
    return (Part("drift within the recording", "image", u_c, source, "rectangular", known_from="the recording"),)


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
                item.assumed, known_from=item.known_from,
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
    netd_origin = DEFAULT if stated is None else value_origin(attrs, "netd_mk")
    reach = REACH["rectangular"]
    return (
        Part(
            "blur and spot size",
            "image",
            2.0 * abs(blur_c) / reach,
            f"blur of 0 to {2 * assumptions.blur_px:g} px, 0 to {200 * assumptions.scatter:g} % scattered, "
            f"{assumptions.said('blur_px', 'scatter')}",
            "rectangular",
            1 if blur_c >= 0 else -1,
            assumed=not assumptions.are_stated("blur_px", "scatter"),
            known_from=assumptions.origin("blur_px", "scatter", "scatter_px"),
        ),
        *_uniformity_parts(temperature.shape, usable if n_px else mask, attrs, assumptions),
        Part(
            "outline",
            "region",
            assumptions.edge_px * outwards_c / reach,
            f"outline may lie ±{assumptions.edge_px:g} px off, {assumptions.said('edge_px')}",
            "rectangular",
            assumed=not assumptions.are_stated("edge_px"),
            known_from=assumptions.origin("edge_px"),
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
            known_from=f"{netd_origin}, neighbours {assumptions.origin('noise_shared_px')}",
        ),
    )


def _uniformity_parts(
    shape: tuple[int, ...], mask: Mask, attrs: Mapping[Any, Any], assumptions: Assumptions
) -> tuple[Part, ...]:
    reach_px = assumptions.nonuniformity_reach * hypot(*shape)
    here = place_of(mask, reach_px=reach_px)
    source = f"±{assumptions.nonuniformity_c:g} °C at 95 % of the places, alike over {reach_px:.0f} px, "
    source += assumptions.said("nonuniformity_c")
    spread_c = assumptions.nonuniformity_c / SMALLEST_DETECTABLE_FACTOR

    def part(place: Place, sign: int) -> Part:
        u_c = spread_c * sqrt(alike(place, place))
        return Part(
            "non-uniformity", "region", u_c, source, "normal", sign,
            assumed=not assumptions.are_stated("nonuniformity_c"), place=place,
            known_from=assumptions.origin("nonuniformity_c", "nonuniformity_reach"),
        )  # fmt: skip

    stored = attrs.get("reference_place")
    if stored is None:
        return (part(here, 1),)
    return part(here, 1), part(_stored_place(stored, reach_px), -1)


def _stored_place(stored: Sequence[float], reach_px: float) -> Place:
    x, y, xx, xy, yy = (float(value) for value in stored)
    return Place(x, y, xx, xy, yy, reach_px)


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
        origin = assumptions.origin("emissivity_unknown_half_width")
        known_from = DEFAULT if origin == DEFAULT else f"default, ± {origin}"
        skin = _Known("emissivity", SKIN_EMISSIVITY, SKIN_EMISSIVITY, half, text, True, SKIN_DOI, known_from)
    else:
        half = assumptions.emissivity_half_width
        text = f"skin {SKIN_EMISSIVITY} ± {half:g}, set to {emissivity:g}"
        known_from = f"{value_origin(attrs, 'emissivity')}, ± {assumptions.origin('emissivity_half_width')}"
        skin = _Known("emissivity", emissivity, SKIN_EMISSIVITY, half, text, False, SKIN_DOI, known_from)
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
            known_from = f"{value_origin(attrs, name)}, ± {a.origin(_width_name(name, unknown=False))}"
            known[name] = _Known(words, stated, stated, half, text, False, known_from=known_from)
            continue
        text = f"{default:g} ± {unknown_half:g} {unit}, assumed: the file holds none that can be true"
        stored = attrs.get(name)
        used = float(stored) if computed and stored is not None and isfinite(float(stored)) else default
        origin = a.origin(_width_name(name, unknown=True))
        known_from = DEFAULT if origin == DEFAULT else f"default, ± {origin}"
        known[name] = _Known(words, used, default, unknown_half, text, True, known_from=known_from)
    return known


def _width_name(name: str, *, unknown: bool) -> str:
    """reflected_c → reflected_half_width_c, the field of :class:`Assumptions`."""
    what, unit = name.rsplit("_", 1)
    return f"{what}{'_unknown' if unknown else ''}_half_width_{unit}"


def value_origin(attrs: Mapping[Any, Any], name: str, *, otherwise: str = "file") -> str:
    """Who stated a picture's value: what ``attrs["stated_in"]`` (name → place) says, else the file itself."""
    places: Mapping[str, str] = attrs.get("stated_in") or {}
    return str(places.get(name, otherwise))


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
