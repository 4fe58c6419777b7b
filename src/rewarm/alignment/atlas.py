"""A scan's temperatures carried onto an atlas: one geometry for every person, left and right alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.alignment.feet import align
from rewarm.alignment.maps import Temperatures, carried_temperature
from rewarm.errors import InvalidInputError
from rewarm.regions import Region, Regions, limb_sides, limb_whole

_MIRROR: Final = {"left": "right", "right": "left"}


@dataclass(frozen=True, eq=False)
class OnAtlas:
    """One limb's temperatures on an atlas.

    ``temperature_c`` is float32 (y, x) of the atlas's shape, °C; NaN outside the limb, in regions that were not found,
    and where the picture has no temperature. ``residual_mean_px`` and ``residual_p95_px`` are the distances of the
    outlines after alignment in pixels of the scan, ``stretch`` how much more one direction was scaled than the other.
    """

    side: str
    temperature_c: NDArray[np.float32]
    residual_mean_px: float
    residual_p95_px: float
    stretch: float


def on_atlas(temperature_c: Temperatures, regions: Regions, atlas: Regions, *, side: str) -> OnAtlas:
    """Carry one side of a scan onto ``atlas``, the regions of a left limb; a right one is mirrored first.

    ``temperature_c`` is (y, x), °C, of the regions' shape. People's feet differ more than one person's visits: where
    the outlines cannot be brought together, or fewer than three regions were found, the side is refused.

    Raises :class:`InvalidInputError` for another limb, view or shape, and with the reason where a side is refused.
    """
    if side not in limb_sides(regions.limb):
        sides = " or ".join(limb_sides(regions.limb))
        raise InvalidInputError(f"side: expected {sides} (limb {regions.limb}); found {side!r}")
    if temperature_c.shape != regions.shape:
        raise InvalidInputError(
            f"temperature_c: expected the shape of the regions, {regions.shape}; found {temperature_c.shape}"
        )
    if side == "right":
        regions, temperature_c = _mirrored(regions), temperature_c[:, ::-1]
    one = replace(regions, limb=f"left_{limb_whole(regions.limb)}")
    alignment = align(atlas, one, one_person=False)
    found = alignment.sides.get("left")
    if found is None:
        reason = alignment.refused["left"]
        raise InvalidInputError(f"the {side} side cannot be carried onto the atlas: {reason}")
    carried = np.full(atlas.shape, np.nan, dtype=np.float32)
    here, share = carried_temperature(temperature_c, found)
    valid = found.before_mask[found.window] & share
    carried[found.window][valid] = here[valid]
    return OnAtlas(side, carried, found.residual_mean_px, found.residual_p95_px, found.stretch)


def _mirrored(regions: Regions) -> Regions:
    """The mirror image: left becomes right in every name."""
    width = regions.shape[1]
    items = tuple(_mirrored_region(item) for item in regions.items)
    landmarks = {}
    for name, (x, y) in regions.landmarks.items():
        side, mark = name.split("_", maxsplit=1)
        landmarks[f"{_MIRROR[side]}_{mark}"] = (width - x, y)
    return replace(regions, items=items, landmarks=landmarks)


def _mirrored_region(item: Region) -> Region:
    return replace(item, side=_MIRROR[item.side], mask=item.mask[:, ::-1].copy())
