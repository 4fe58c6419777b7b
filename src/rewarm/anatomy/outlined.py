"""The finder from outlines: feet whose silhouette, or edges, have a foot's shape; no learning."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.anatomy.feet import describe_foot, looks_like_a_foot, pair_feet
from rewarm.anatomy.found import FoundLimb
from rewarm.anatomy.silhouettes import (
    SMALLEST_FOOT_PX,
    FootCandidate,
    cut_out_feet,
    scene_feet,
    searched_feet,
    valid_pixels,
)
from rewarm.anatomy.sole_shape import side_is_mirrored
from rewarm.regions import limb_sides

_SURE_ENOUGH: Final = 0.8
"""A silhouette less like a foot than this does not stand in the way of a search for outlines."""


def outlined_feet(temperature: NDArray[np.float32], *, limb: str, view: str) -> tuple[dict[str, FoundLimb], list[str]]:
    """Each side's foot by its outline in (y, x) °C, and warnings."""
    feet, warnings = pair_feet(_candidates(temperature), sides=limb_sides(limb), view=view)
    found = {
        side: describe_foot(temperature, choice, mirrored=side_is_mirrored(side, view=view), view=view)
        for side, choice in feet.items()
    }
    return found, warnings


def _candidates(temperature: NDArray[np.float32]) -> list[FootCandidate]:
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
