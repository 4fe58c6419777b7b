"""A person's corrections put in the place of what a finder drew: they always win.

:mod:`rewarm.anatomy.drawings` reads and writes their file, ``annotations/SCAN.geojson``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rewarm.anatomy.drawings import read_drawings, what_is_replaced
from rewarm.anatomy.polygons import rasterise
from rewarm.regions import ANGIOSOMES, SIDES, WHOLE_LIMBS, Mask, Region, Regions


@dataclass(frozen=True, eq=False)
class Corrections:
    """What a person drew: regions of confidence 1, and landmarks by full name (``left_toe1_tip``), (x, y)."""

    regions: tuple[Region, ...]
    landmarks: dict[str, tuple[float, float]]


def read_corrections(path: Path, *, shape: tuple[int, int], limb: str) -> Corrections:
    """Read a person's corrections for a picture of ``shape`` (y, x) of ``limb``.

    Raises :class:`rewarm.errors.UnreadableFileError` where there is no such file, and one
    :class:`rewarm.errors.InvalidInputError` that lists everything wrong inside it.
    """
    regions: list[Region] = []
    landmarks: dict[str, tuple[float, float]] = {}
    for item in read_drawings(path, shape=shape, limb=limb):
        if item.is_landmark:
            landmarks[item.full_name] = (float(item.geometry.x), float(item.geometry.y))
        else:
            mask = rasterise(item.geometry, shape)
            by, at = item.author, item.drawn_at
            regions.append(Region(item.side, item.name, mask, 1.0, by, at, replaces=item.replaces))
    return Corrections(tuple(regions), landmarks)


def apply_corrections(regions: Regions, drawn: Corrections) -> Regions:
    """Put a person's regions and landmarks in the place of the finder's.

    A drawn region takes its pixels from its neighbours; the whole limb becomes the union of its parts, unless it was
    drawn itself, which then bounds the parts nobody drew. Angiosomes overlap anyway and lose nothing. Each drawn region
    says what it ``replaces``: the version that its file names, or else the finder's, where that found it.
    """
    by_name = {item.name: _replacing(item, regions.get(item.side, item.region)) for item in drawn.regions}
    items = list(regions.items)
    items += [item for item in by_name.values() if regions.get(item.side, item.region) is None]
    result = [by_name.get(item.name) or _yield_to(item, by_name) for item in items]
    result = [_whole(item, result, by_name) for item in result]
    warnings = tuple(w for w in regions.warnings if not by_name or "not supported" not in w)
    return replace(regions, items=tuple(result), landmarks={**regions.landmarks, **drawn.landmarks}, warnings=warnings)


def _replacing(item: Region, old: Region | None) -> Region:
    return item if item.replaces is not None else replace(item, replaces=what_is_replaced(old))


def _yield_to(item: Region, drawn: dict[str, Region]) -> Region:
    """A finder's region without the pixels that a person gave to another region, or left out of the drawn limb."""
    if item.region in ANGIOSOMES or item.region in WHOLE_LIMBS or not item.mask.any():
        return item
    mask = item.mask.copy()
    for other in drawn.values():
        if other.region in ANGIOSOMES:
            continue
        if other.region in WHOLE_LIMBS:
            mask &= other.mask if other.side == item.side else ~other.mask
        else:
            mask &= ~other.mask
    if mask.any():
        return replace(item, mask=mask)
    return replace(item, mask=mask, confidence=0.0, reason="a person gave all of its pixels to other regions")


def _whole(item: Region, items: list[Region], drawn: dict[str, Region]) -> Region:
    if item.region not in WHOLE_LIMBS or not any(other.side in SIDES for other in drawn.values()):
        return item
    parts = [p for p in items if p.side == item.side and p.region not in WHOLE_LIMBS and p.region not in ANGIOSOMES]
    theirs = [p for p in parts if p.name in drawn]
    if not theirs:
        return item
    mask: Mask = item.mask.copy() if item.found else np.zeros_like(item.mask)
    for other in drawn.values():
        if other.side != item.side and other.region not in ANGIOSOMES:
            mask &= ~other.mask
    for part in theirs:
        mask |= part.mask
    if item.name in drawn:
        return replace(item, mask=mask)
    who = theirs[0].drawn_by
    found = item.confidence if item.found else (1.0 if all(p.name in drawn for p in parts) else 0.9)
    return replace(item, mask=mask, confidence=max(item.confidence, found), drawn_by=f"{item.drawn_by}; {who}")
