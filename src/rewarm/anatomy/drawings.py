"""What a person drew on a picture, as a file: ``annotations/SCAN.geojson``.

A GeoJSON FeatureCollection in the picture's pixel-edge coordinates (x, y). A feature with a Polygon or MultiPolygon
draws the region named by its properties ``side`` and ``region``; one with a Point sets the landmark named by ``side``
and ``landmark`` (``toe1_tip``, ``web1``, ``heel_point``, ``finger1_tip``, ``finger_web1``). ``author`` (or
``drawn_by``) and ``drawn_at`` say who and when; ``replaces``, where it is there, holds the ``drawn_by`` and
``drawn_at`` of what the drawing took the place of: a finder's region, or an earlier correction.

Writing what was read gives the same file again, byte for byte, if it was written here: no vertex is moved.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from shapely.validation import explain_validity

from rewarm.anatomy.polygons import rasterise
from rewarm.errors import InvalidInputError, OutputError, UnreadableFileError
from rewarm.regions import (
    ANGIOSOMES,
    FINGERS,
    FOOT_REGIONS,
    HAND_REGIONS,
    TOES,
    Region,
    Regions,
    Replaced,
    limb_sides,
    limb_whole,
)

FOOT_LANDMARKS: Final = (*(f"{toe}_tip" for toe in TOES), "web1", "web2", "web3", "web4", "heel_point")
HAND_LANDMARKS: Final = (
    *(f"{finger}_tip" for finger in FINGERS),
    *("finger_web1", "finger_web2", "finger_web3", "finger_web4"),
)
LANDMARKS: Final = (*FOOT_LANDMARKS, *HAND_LANDMARKS)
"""Webs are counted from the great toe or the thumb: ``web1`` lies between the first and the second."""

DEFAULT_AUTHOR: Final = "a person"
FORMAT: Final = "rewarm corrections 1"
_COORDINATES: Final = "x, y in pixels of the picture, pixel-edge: the first pixel's centre is (0.5, 0.5), y downwards"

Geometry = shapely.Polygon | shapely.MultiPolygon | shapely.Point


@dataclass(frozen=True)
class Drawing:
    """One region or landmark drawn on one picture.

    ``name`` is a region's word where ``geometry`` is a polygon, a landmark's where it is a point; coordinates (x, y)
    in pixels, pixel-edge. ``drawn_at`` is an ISO 8601 time or "".
    """

    side: str
    name: str
    geometry: Any
    author: str
    drawn_at: str = ""
    replaces: Replaced | None = None

    @property
    def is_landmark(self) -> bool:
        """Whether it is a landmark and no region."""
        return bool(self.geometry.geom_type == "Point")

    @property
    def full_name(self) -> str:
        """``left_toe1`` or ``left_toe1_tip``."""
        return f"{self.side}_{self.name}"


def read_drawings(path: Path, *, shape: tuple[int, int], limb: str) -> tuple[Drawing, ...]:
    """Read what was drawn on a picture of ``shape`` (y, x) of ``limb``, in the file's order.

    Raises :class:`rewarm.errors.UnreadableFileError` where there is no such file, and one
    :class:`rewarm.errors.InvalidInputError` that lists everything wrong inside it.
    """
    problems: list[str] = []
    drawings: dict[tuple[bool, str], Drawing] = {}
    for number, feature in enumerate(_features(path), start=1):
        where = f"feature {number}"
        try:
            drawing = _read_feature(feature, where, shape, limb, problems)
        except (TypeError, ValueError, KeyError, AttributeError, IndexError, shapely.errors.ShapelyError) as error:
            problems.append(f"{where}: expected a GeoJSON feature with properties and a geometry; {error}")
            continue
        if drawing is None:
            continue
        key = (drawing.is_landmark, drawing.full_name)
        if key in drawings:
            problems.append(
                f"{where}: {drawing.full_name}: expected one feature; found a second one. Join them to one MultiPolygon"
            )
        drawings.setdefault(key, drawing)
    if problems:
        noun = "problem" if len(problems) == 1 else "problems"
        raise InvalidInputError(
            f"{path}: {len(problems)} {noun} to correct before it is used\n  " + "\n  ".join(problems)
        )
    return tuple(drawings.values())


def _features(path: Path) -> list[Any]:
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
    return features


def _read_feature(feature: Any, where: str, shape: tuple[int, int], limb: str, problems: list[str]) -> Drawing | None:
    """The drawing, or None after adding to ``problems`` what is wrong with it."""
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        problems.append(f"{where}: expected properties side and region (or landmark); found none")
        return None
    properties, form = feature["properties"], feature.get("geometry")
    kind = form.get("type") if isinstance(form, dict) else None
    word, known = ("landmark", _marks(limb)) if kind == "Point" else ("region", _words(limb))
    name = properties.get(word)
    before = len(problems)
    if properties.get("side") not in limb_sides(limb):
        problems.append(
            f"{where}: side: expected {' or '.join(limb_sides(limb))} (limb {limb}); found {properties.get('side')!r}"
        )
    if name not in known:
        problems.append(f"{where}: {word}: expected one of {', '.join(known)}; found {name!r}")
    drawn_at = str(properties.get("drawn_at") or "")
    problems += _time_problems(drawn_at, f"{where}: drawn_at")
    replaces = _replaced(properties.get("replaces"), where, problems)
    if kind not in ("Polygon", "MultiPolygon", "Point"):
        problems.append(f"{where}: geometry: expected Polygon, MultiPolygon or Point; found {kind!r}")
        return None
    geometry: Any = shapely.from_geojson(json.dumps(form))
    problems += [f"{where}: geometry: {problem}" for problem in _geometry_problems(geometry, shape)]
    if len(problems) > before:
        return None
    if kind != "Point" and not rasterise(geometry, shape).any():
        problems.append(f"{where}: geometry: expected a polygon around at least one pixel's centre; found none inside")
        return None
    author = str(properties.get("author") or properties.get("drawn_by") or DEFAULT_AUTHOR)
    return Drawing(str(properties["side"]), str(name), geometry, author, drawn_at, replaces)


def _marks(limb: str) -> tuple[str, ...]:
    return HAND_LANDMARKS if limb_whole(limb) == "hand" else FOOT_LANDMARKS


def _words(limb: str) -> tuple[str, ...]:
    if limb_whole(limb) == "hand":
        return (*HAND_REGIONS, "hand")
    return (*FOOT_REGIONS, "foot", *ANGIOSOMES)


def _replaced(value: Any, where: str, problems: list[str]) -> Replaced | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("drawn_by"), str) or not value["drawn_by"]:
        problems.append(f'{where}: replaces: expected {{"drawn_by": ..., "drawn_at": ...}}; found {value!r}')
        return None
    drawn_at = str(value.get("drawn_at") or "")
    problems += _time_problems(drawn_at, f"{where}: replaces: drawn_at")
    return Replaced(value["drawn_by"], drawn_at)


def _time_problems(text: str, where: str) -> list[str]:
    try:
        if text:
            datetime.fromisoformat(text)
    except ValueError:
        return [f"{where}: expected an ISO 8601 time such as 2026-03-01T09:30:00+01:00; found {text!r}"]
    return []


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


def write_drawings(drawings: Iterable[Drawing], path: Path) -> None:
    """Write drawings as a new GeoJSON file; no file is ever overwritten, because a person may have drawn it.

    Raises :class:`rewarm.errors.OutputError` where there is a file of that name already or none can be written.
    """
    data = drawings_text(drawings).encode("utf-8")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as stream:
            stream.write(data)
    except FileExistsError as error:
        raise OutputError(
            f"{path}: expected no file of that name, because a person may have drawn it; found one. "
            "Rename or delete it, or choose another folder"
        ) from error
    except OSError as error:
        raise OutputError(f"{path}: expected a folder that can be written to; {error}") from error


def drawings_text(drawings: Iterable[Drawing]) -> str:
    """The GeoJSON text: a feature a line, coordinates with all their digits."""
    features = ",\n".join(json.dumps(_feature(item)) for item in drawings)
    head = json.dumps({"type": "FeatureCollection", "format": FORMAT, "coordinates": _COORDINATES})
    return f'{head[:-1]}, "features": [\n{features}\n]}}\n'


def _feature(item: Drawing) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "side": item.side,
        "landmark" if item.is_landmark else "region": item.name,
        "author": item.author,
        "drawn_at": item.drawn_at,
    }
    if item.replaces is not None:
        properties["replaces"] = {"drawn_by": item.replaces.drawn_by, "drawn_at": item.replaces.drawn_at}
    return {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(item.geometry)}


def with_replaced(drawings: Iterable[Drawing], regions: Regions) -> tuple[Drawing, ...]:
    """The drawings with ``replaces`` filled in from what ``regions`` of the same picture held, where it is missing.

    Landmarks in ``regions`` do not say who set them and are left as they are.
    """
    filled = []
    for item in drawings:
        old = None if item.is_landmark else regions.get(item.side, item.name)
        filled.append(item if item.replaces is not None else replace(item, replaces=what_is_replaced(old)))
    return tuple(filled)


def what_is_replaced(old: Region | None) -> Replaced | None:
    """Who or what drew ``old``, for a drawing that takes its place; None where there was none to replace."""
    return Replaced(old.drawn_by, old.drawn_at) if old is not None and old.found else None
