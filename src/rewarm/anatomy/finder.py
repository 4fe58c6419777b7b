"""The door: a thermogram in, labelled regions with confidence out."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.anatomy.corrections import apply_corrections, read_corrections
from rewarm.anatomy.feet import FoundFoot, describe_foot, looks_like_a_foot, pair_feet
from rewarm.anatomy.silhouettes import (
    SMALLEST_FOOT_PX,
    FootCandidate,
    cut_out_feet,
    scene_feet,
    searched_feet,
    valid_pixels,
)
from rewarm.anatomy.sole_shape import side_is_mirrored
from rewarm.regions import (
    ANGIOSOMES,
    CONFIDENCE_LIMIT,
    FINGERS,
    LIMBS,
    SOLE_REGIONS,
    TOES,
    VIEWS,
    Region,
    Regions,
    check_word,
    limb_sides,
    limb_whole,
)
from rewarm.thermogram import check_thermogram, temperature_c
from rewarm.version import __version__

DRAWN_BY: Final = f"rewarm {__version__} geometry"
"""Who drew a region that nobody corrected."""
_SURE_ENOUGH: Final = 0.8
"""A silhouette less like a foot than this does not stand in the way of a search for outlines."""


def find_regions(
    thermogram: xr.Dataset,
    *,
    limb: str = "feet",
    view: str = "plantar",
    corrections: str | PathLike[str] | None = None,
) -> Regions:
    """Find the regions of a limb in a still picture.

    ``thermogram`` follows :mod:`rewarm.thermogram`, dims (y, x), °C; NaN (or exact zeros over more than a twentieth of
    the picture) is a background that was cut out. ``limb`` and ``view`` are words of :mod:`rewarm.regions`.
    ``corrections`` is a GeoJSON file drawn by a person, which always wins (:mod:`rewarm.anatomy.corrections`).

    Every region of the limb comes back, found or not; a confidence is the estimated probability that the region
    overlaps the true one with a Dice coefficient of at least 0.7. Below ``CONFIDENCE_LIMIT`` a region's mask is empty
    and its ``reason`` says why. Raises :class:`rewarm.errors.InvalidThermogramError` and
    :class:`rewarm.errors.InvalidInputError`.
    """
    check_thermogram(thermogram)
    check_word("limb", limb, LIMBS)
    check_word("view", view, VIEWS)
    temperature = np.asarray(temperature_c(thermogram), dtype=np.float32)
    shape = (int(temperature.shape[0]), int(temperature.shape[1]))
    drawn = None if corrections is None else read_corrections(Path(corrections), shape=shape, limb=limb)
    regions = _nothing(shape, limb, view, _unsupported(limb, view))
    if not _unsupported(limb, view):
        regions = _assemble(temperature, _find_feet(temperature), limb=limb, view=view)
    return regions if drawn is None else apply_corrections(regions, drawn)


def _find_feet(temperature: NDArray[np.float32]) -> list[FootCandidate]:
    """The small door: (y, x) °C → candidates for feet. A learned finder can take this function's place."""
    if max(temperature.shape) < SMALLEST_FOOT_PX or min(temperature.shape) < SMALLEST_FOOT_PX // 3:
        return []
    valid, cut_out = valid_pixels(temperature)
    if cut_out:
        return cut_out_feet(valid)
    if not valid.all():
        middle = np.float32(np.median(temperature[valid]))
        temperature = np.where(valid, temperature, middle).astype(np.float32)
    feet = scene_feet(temperature)
    sure = sorted((looks_like_a_foot(foot) for foot in feet), reverse=True)
    if len(sure) > 1 and sure[1] >= _SURE_ENOUGH:
        return feet
    searched = searched_feet(temperature)
    return searched if sum(looks_like_a_foot(foot) for foot in searched) > sum(sure) else feet


def _unsupported(limb: str, view: str) -> str:
    if limb_whole(limb) == "hand":
        return "hands are not supported yet; draw the regions in annotations/SCAN.geojson"
    if view == "palmar":
        return "feet have no palmar view; use plantar or dorsal"
    return ""


def region_names(limb: str, view: str) -> tuple[str, ...]:
    """The regions that are looked for on each side of ``limb`` in ``view``, in their fixed order."""
    if limb_whole(limb) == "hand":
        return (*FINGERS, "palm", "hand") if view != "dorsal" else (*FINGERS, "hand_dorsum", "hand")
    if view == "plantar":
        return (*SOLE_REGIONS, "foot", *ANGIOSOMES)
    return (*TOES, "dorsum", "foot")


def _nothing(shape: tuple[int, int], limb: str, view: str, reason: str) -> Regions:
    items = [
        Region(side, name, np.zeros(shape, dtype=bool), 0.0, DRAWN_BY, reason=reason)
        for side in limb_sides(limb)
        for name in region_names(limb, view)
    ]
    return Regions(shape, limb, view, tuple(items), {}, (reason,) if reason else ())


def _assemble(temperature: NDArray[np.float32], candidates: list[FootCandidate], *, limb: str, view: str) -> Regions:
    shape = (int(temperature.shape[0]), int(temperature.shape[1]))
    feet, warnings = pair_feet(candidates, sides=limb_sides(limb), view=view)
    items: list[Region] = []
    landmarks: dict[str, tuple[float, float]] = {}
    for side in limb_sides(limb):
        choice = feet.get(side)
        found: FoundFoot | None = None
        if choice is not None:
            found = describe_foot(temperature, choice, mirrored=side_is_mirrored(side, view=view), view=view)
            landmarks |= {f"{side}_{name}": point for name, point in found.landmarks.items()}
        items.extend(_region(shape, side, name, found) for name in region_names(limb, view))
    return Regions(shape, limb, view, tuple(items), landmarks, tuple(warnings))


def _region(shape: tuple[int, int], side: str, name: str, found: FoundFoot | None) -> Region:
    empty = np.zeros(shape, dtype=bool)
    if found is None:
        reason = f"no {side} foot found: nothing in the picture has a foot's outline"
        return Region(side, name, empty, 0.0, DRAWN_BY, reason=reason)
    mask, confidence, reason = found.parts[name]
    confidence = round(float(np.clip(confidence, 0.0, 1.0)), 3)
    if confidence < CONFIDENCE_LIMIT or not mask.any():
        reason = reason or "too uncertain to be measured"
        return Region(side, name, empty, min(confidence, CONFIDENCE_LIMIT - 0.001), DRAWN_BY, reason=reason)
    return Region(side, name, mask, confidence, DRAWN_BY, reason=reason)
