"""The door: a thermogram in, labelled regions with confidence out."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.anatomy.choice import choose_limbs
from rewarm.anatomy.corrections import apply_corrections, read_corrections
from rewarm.anatomy.found import FoundLimb
from rewarm.anatomy.seen import DRAWN_BY
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

SMALLEST_PICTURE_PX: Final = 40
"""Longer side of the smallest picture in which limbs are looked for."""


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

    Outlines and a learned network look at feet and check each other (:mod:`rewarm.anatomy.choice`); hands are the
    network's alone. Every region of the limb comes back, found or not; a confidence is the estimated probability that
    the region overlaps the true one with a Dice coefficient of at least 0.7. Below ``CONFIDENCE_LIMIT`` a region is not
    ``found`` and its ``reason`` says why; its mask, where it has one, is a proposal to a person.

    Raises :class:`rewarm.errors.InvalidThermogramError` and :class:`rewarm.errors.InvalidInputError`.
    """
    check_thermogram(thermogram)
    check_word("limb", limb, LIMBS)
    check_word("view", view, VIEWS)
    temperature = np.asarray(temperature_c(thermogram), dtype=np.float32)
    shape = (int(temperature.shape[0]), int(temperature.shape[1]))
    drawn = None if corrections is None else read_corrections(Path(corrections), shape=shape, limb=limb)
    reason = _unsupported(shape, limb, view)
    regions = _nothing(shape, limb, view, reason) if reason else _assemble(temperature, limb=limb, view=view)
    return regions if drawn is None else apply_corrections(regions, drawn)


def _unsupported(shape: tuple[int, int], limb: str, view: str) -> str:
    """Why nothing is looked for, or ""."""
    if max(shape) < SMALLEST_PICTURE_PX:
        return (
            f"the picture has {shape[1]} × {shape[0]} pixels, at least {SMALLEST_PICTURE_PX} on its longer side are "
            "needed to tell a toe"
        )
    if limb_whole(limb) == "foot" and view == "palmar":
        return "feet have no palmar view; use plantar or dorsal"
    if limb_whole(limb) == "hand" and view == "plantar":
        return "hands have no plantar view; use palmar or dorsal"
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


def _assemble(temperature: NDArray[np.float32], *, limb: str, view: str) -> Regions:
    shape = (int(temperature.shape[0]), int(temperature.shape[1]))
    found, warnings = choose_limbs(temperature, limb=limb, view=view)
    items: list[Region] = []
    landmarks: dict[str, tuple[float, float]] = {}
    for side in limb_sides(limb):
        own = found.get(side)
        if own is not None:
            landmarks |= {f"{side}_{name}": point for name, point in own.landmarks.items()}
        items.extend(_region(shape, side, name, own, limb_whole(limb)) for name in region_names(limb, view))
    return Regions(shape, limb, view, tuple(items), landmarks, tuple(warnings))


def _region(shape: tuple[int, int], side: str, name: str, found: FoundLimb | None, whole: str) -> Region:
    empty = np.zeros(shape, dtype=bool)
    if found is None:
        reason = f"no {side} {whole} found: nothing in the picture looks like one"
        return Region(side, name, empty, 0.0, DRAWN_BY, reason=reason)
    mask, confidence, reason = found.parts[name]
    confidence = round(float(np.clip(confidence, 0.0, 1.0)), 3)
    if confidence < CONFIDENCE_LIMIT or not mask.any():
        reason = reason or "too uncertain to be measured"
        return Region(side, name, mask, min(confidence, CONFIDENCE_LIMIT - 0.001), found.drawn_by, reason=reason)
    return Region(side, name, mask, confidence, found.drawn_by, reason=reason)
