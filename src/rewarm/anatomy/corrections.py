"""A person's corrections, ``annotations/SCAN.geojson``: they always win.

A GeoJSON FeatureCollection in the picture's pixel-edge coordinates (x, y). A feature with a Polygon or MultiPolygon
replaces the region named by its properties ``side`` and ``region``; one with a Point sets the landmark named by
``side`` and ``landmark`` (``toe1_tip``, ``web1``, ``heel_point``). ``author`` (or ``drawn_by``) and ``drawn_at`` say
who and when.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from shapely.validation import explain_validity

from rewarm.anatomy.polygons import rasterise
from rewarm.errors import InvalidInputError, UnreadableFileError
from rewarm.regions import (
    ANGIOSOMES,
    FOOT_REGIONS,
    HAND_REGIONS,
    SIDES,
    TOES,
    WHOLE_LIMBS,
    Mask,
    Region,
    Regions,
    limb_sides,
    limb_whole,
)

LANDMARKS: Final = (*(f"{toe}_tip" for toe in TOES), "web1", "web2", "web3", "web4", "heel_point")
DEFAULT_AUTHOR: Final = "a person"


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
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UnreadableFileError(
            f"{path}: no such file. Name an existing GeoJSON, or leave corrections out"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(f"{path}: expected a GeoJSON text file in UTF-8; {error}") from error
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InvalidInputError(
            f"{path}: expected GeoJSON; found text that is not JSON: {error}. Export it again"
        ) from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise InvalidInputError(
            f"{path}: expected a GeoJSON FeatureCollection with a list of features. Export it again"
        )
    problems: list[str] = []
    regions: dict[str, Region] = {}
    landmarks: dict[str, tuple[float, float]] = {}
    for number, feature in enumerate(features, start=1):
        where = f"feature {number}"
        try:
            _read_feature(feature, where, shape, limb, regions, landmarks, problems)
        except (TypeError, ValueError, KeyError, AttributeError, IndexError, shapely.errors.ShapelyError) as error:
            problems.append(f"{where}: expected a GeoJSON feature with properties and a geometry; {error}")
    if problems:
        noun = "problem" if len(problems) == 1 else "problems"
        raise InvalidInputError(
            f"{path}: {len(problems)} {noun} to correct before it is used\n  " + "\n  ".join(problems)
        )
    return Corrections(tuple(regions.values()), landmarks)


def _read_feature(
    feature: Any,
    where: str,
    shape: tuple[int, int],
    limb: str,
    regions: dict[str, Region],
    landmarks: dict[str, tuple[float, float]],
    problems: list[str],
) -> None:
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        problems.append(f"{where}: expected properties side and region (or landmark); found none")
        return
    properties, form = feature["properties"], feature.get("geometry")
    kind = form.get("type") if isinstance(form, dict) else None
    word, known = ("landmark", LANDMARKS) if kind == "Point" else ("region", _words(limb))
    name = properties.get(word)
    before = len(problems)
    if properties.get("side") not in limb_sides(limb):
        problems.append(
            f"{where}: side: expected {' or '.join(limb_sides(limb))} (limb {limb}); found {properties.get('side')!r}"
        )
    if name not in known:
        problems.append(f"{where}: {word}: expected one of {', '.join(known)}; found {name!r}")
    drawn_at = str(properties.get("drawn_at") or "")
    if drawn_at and not _is_time(drawn_at):
        problems.append(
            f"{where}: drawn_at: expected an ISO 8601 time such as 2026-03-01T09:30:00+01:00; found {drawn_at!r}"
        )
    if kind not in ("Polygon", "MultiPolygon", "Point"):
        problems.append(f"{where}: geometry: expected Polygon, MultiPolygon or Point; found {kind!r}")
        return
    geometry: Any = shapely.from_geojson(json.dumps(form))
    problems += [f"{where}: geometry: {problem}" for problem in _geometry_problems(geometry, shape)]
    full = f"{properties.get('side')}_{name}"
    if full in (landmarks if kind == "Point" else regions):
        problems.append(f"{where}: {full}: expected one feature; found a second one. Join them to one MultiPolygon")
    if len(problems) > before:
        return
    if kind == "Point":
        landmarks[full] = (float(geometry.x), float(geometry.y))
        return
    mask = rasterise(geometry, shape)
    if not mask.any():
        problems.append(f"{where}: geometry: expected a polygon around at least one pixel's centre; found none inside")
        return
    author = str(properties.get("author") or properties.get("drawn_by") or DEFAULT_AUTHOR)
    regions[full] = Region(str(properties["side"]), str(name), mask, 1.0, author, drawn_at)


def _words(limb: str) -> tuple[str, ...]:
    if limb_whole(limb) == "hand":
        return (*HAND_REGIONS, "hand")
    return (*FOOT_REGIONS, "foot", *ANGIOSOMES)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _geometry_problems(geometry: Any, shape: tuple[int, int]) -> list[str]:
    if geometry.is_empty:
        return ["expected coordinates; found none"]
    coordinates = shapely.get_coordinates(geometry)
    if not np.isfinite(coordinates).all():
        return ["expected finite coordinates; found NaN or infinity"]
    problems = []
    if not geometry.is_valid:
        problems.append(f"expected a polygon that does not cross itself; found {explain_validity(geometry)}")
    left, top, right, bottom = geometry.bounds
    if left < 0 or top < 0 or right > shape[1] or bottom > shape[0]:
        problems.append(
            f"expected x within 0..{shape[1]} and y within 0..{shape[0]}; found x {left:g}..{right:g}, "
            f"y {top:g}..{bottom:g}"
        )
    return problems


def apply_corrections(regions: Regions, drawn: Corrections) -> Regions:
    """Put a person's regions and landmarks in the place of the finder's.

    A drawn region takes its pixels from its neighbours; the whole limb becomes the union of its parts, unless it was
    drawn itself, which then bounds the parts nobody drew. Angiosomes overlap anyway and lose nothing.
    """
    by_name = {item.name: item for item in drawn.regions}
    items = list(regions.items)
    items += [item for name, item in by_name.items() if regions.get(item.side, item.region) is None]
    result = [by_name.get(item.name) or _yield_to(item, by_name) for item in items]
    result = [_whole(item, result, by_name) for item in result]
    warnings = tuple(w for w in regions.warnings if not by_name or "not supported" not in w)
    return replace(regions, items=tuple(result), landmarks={**regions.landmarks, **drawn.landmarks}, warnings=warnings)


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
    mask: Mask = item.mask.copy()
    for other in drawn.values():
        if other.side != item.side and other.region not in ANGIOSOMES:
            mask &= ~other.mask
    for part in theirs:
        mask |= part.mask
    if item.name in drawn:
        return replace(item, mask=mask)
    who = theirs[0].drawn_by
    found = item.confidence if item.mask.any() else (1.0 if all(p.name in drawn for p in parts) else 0.9)
    return replace(item, mask=mask, confidence=max(item.confidence, found), drawn_by=f"{item.drawn_by}; {who}")
