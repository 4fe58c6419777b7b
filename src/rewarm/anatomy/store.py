"""Regions on disk: ``regions/SCAN.geojson``, ``regions/SCAN.tif`` and ``regions/legend.json`` of the study folder.

What was too uncertain to be measured is also in ``regions/SCAN.proposed.geojson``, in the form of a person's drawings.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
import tifffile

from rewarm.anatomy.drawings import Drawing, drawings_text
from rewarm.anatomy.polygons import mask_polygon, rasterise
from rewarm.errors import InvalidInputError, OutputError, UnreadableFileError
from rewarm.regions import ANGIOSOMES, LEGEND, LIMBS, VIEWS, Mask, Region, Regions, Replaced, check_word, limb_sides

COORDINATES: Final = (
    "x, y in pixels of the picture, pixel-edge: the first pixel's centre is (0.5, 0.5), x to the right, y downwards; "
    "not longitude and latitude"
)
FORMAT: Final = "rewarm regions 1"


def write_regions(regions: Regions, folder: str | PathLike[str], *, scan: str) -> tuple[Path, ...]:
    """Write ``folder``/regions/``scan``.geojson, ``scan``.tif (uint8 labels) and legend.json; return their paths.

    And, where regions are only proposed, ``scan``.proposed.geojson, which a person may correct and keep as drawings.
    Each file appears whole or not at all. Raises :class:`rewarm.errors.OutputError` where it cannot be written and
    :class:`rewarm.errors.InvalidInputError` for a scan name that is no file name.
    """
    if not re.fullmatch(r"[\w][\w .()+@=,-]*", scan) or scan.endswith((".", " ")):
        raise InvalidInputError(
            f"scan: expected a name that can be a file's name; found {scan!r}. Use letters, digits, - and _"
        )
    target = Path(folder) / "regions"
    labels = io.BytesIO()
    tifffile.imwrite(labels, regions.label_image(), photometric="minisblack", compression="zlib", metadata=None)
    contents = {
        target / f"{scan}.geojson": (json.dumps(_collection(regions, scan), ensure_ascii=False) + "\n").encode("utf-8"),
        target / f"{scan}.tif": labels.getvalue(),
        target / "legend.json": (json.dumps(dict(LEGEND), indent=1) + "\n").encode("utf-8"),
    }
    proposed, proposals = target / f"{scan}.proposed.geojson", proposed_drawings(regions)
    if proposals:
        contents[proposed] = drawings_text(proposals).encode("utf-8")
    try:
        target.mkdir(parents=True, exist_ok=True)
        if not proposals:
            proposed.unlink(missing_ok=True)
        for path, data in contents.items():
            _replace(path, data)
    except OSError as error:
        raise OutputError(
            f"{target}: expected a folder that can be written to; {error}. Choose another output folder"
        ) from error
    return tuple(contents)


def proposed_drawings(regions: Regions) -> tuple[Drawing, ...]:
    """What lies in the picture but is too uncertain to be measured, as drawings that a person can take over."""
    return tuple(
        Drawing(item.side, item.region, mask_polygon(item.mask), f"proposed by {item.drawn_by}", item.drawn_at)
        for item in regions.proposed
        if item.region not in ANGIOSOMES
    )


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _collection(regions: Regions, scan: str) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "format": FORMAT,
        "scan": scan,
        "shape": list(regions.shape),
        "limb": regions.limb,
        "view": regions.view,
        "coordinates": COORDINATES,
        "features": [_feature(item) for item in regions.found],
        "landmarks": {name: [x, y] for name, (x, y) in regions.landmarks.items()},
        "not_found": [_not_found(item) for item in regions.missing],
        "warnings": list(regions.warnings),
    }


def _properties(item: Region) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "side": item.side,
        "region": item.region,
        "confidence": item.confidence,
        "drawn_by": item.drawn_by,
        "drawn_at": item.drawn_at,
    }
    if item.replaces is not None:
        properties["replaces"] = {"drawn_by": item.replaces.drawn_by, "drawn_at": item.replaces.drawn_at}
    return properties


def _feature(item: Region) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": item.name,
        "geometry": _geometry(item.mask),
        "properties": {**_properties(item), "status": "found", "reason": item.reason},
    }


def _not_found(item: Region) -> dict[str, Any]:
    entry = {**_properties(item), "status": "not_found", "reason": item.reason or "not found"}
    return entry | ({"proposal": _geometry(item.mask)} if item.mask.any() else {})


def _geometry(mask: Mask) -> Any:
    return json.loads(shapely.to_geojson(mask_polygon(mask)))


def read_regions(path: str | PathLike[str], *, shape: tuple[int, int]) -> Regions:
    """Read a file of :func:`write_regions` back; ``shape`` (y, x) is the picture's and must be the file's.

    Masks, confidences and landmarks come back as they were written; regions that were not found keep their reason.
    Raises :class:`rewarm.errors.UnreadableFileError` and :class:`rewarm.errors.InvalidInputError`.
    """
    file = Path(path)
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UnreadableFileError(
            f"{file}: expected regions as GeoJSON; {error}. Write it with write_regions"
        ) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidInputError(f"{file}: expected a GeoJSON with format {FORMAT!r}. Write it with write_regions")
    if tuple(document.get("shape", ())) != tuple(shape):
        raise InvalidInputError(
            f"{file}: expected regions of a picture of shape {tuple(shape)}; found {document.get('shape')}. "
            "Use this scan's own file"
        )
    try:
        return _regions(document, (int(shape[0]), int(shape[1])))
    except (KeyError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError) as error:
        raise InvalidInputError(
            f"{file}: expected complete regions; {type(error).__name__}: {error}. Write it again"
        ) from error


def _regions(document: Mapping[str, Any], shape: tuple[int, int]) -> Regions:
    check_word("limb", document["limb"], LIMBS)
    check_word("view", document["view"], VIEWS)
    items = [_region(feature["properties"], _mask(feature["geometry"], shape)) for feature in document["features"]]
    for entry in document["not_found"]:
        proposal = entry.get("proposal")
        items.append(_region(entry, np.zeros(shape, dtype=bool) if proposal is None else _mask(proposal, shape)))
    order = {
        name: i
        for i, name in enumerate(
            (*LEGEND, *(f"{s}_{a}" for s in ("left", "right") for a in ("mpa", "lpa", "mca", "lca")))
        )
    }
    sides = limb_sides(document["limb"])
    items.sort(key=lambda item: (sides.index(item.side) if item.side in sides else 9, order.get(item.name, 999)))
    landmarks = {str(name): (float(x), float(y)) for name, (x, y) in document["landmarks"].items()}
    return Regions(shape, document["limb"], document["view"], tuple(items), landmarks, tuple(document["warnings"]))


def _mask(geometry: Any, shape: tuple[int, int]) -> Mask:
    drawn: Any = shapely.from_geojson(json.dumps(geometry))
    return rasterise(drawn, shape)


def _region(properties: Mapping[str, Any], mask: Mask) -> Region:
    replaces = properties.get("replaces")
    return Region(
        side=str(properties["side"]),
        region=str(properties["region"]),
        mask=mask,
        confidence=float(properties["confidence"]),
        drawn_by=str(properties["drawn_by"]),
        drawn_at=str(properties["drawn_at"]),
        reason=str(properties["reason"]),
        replaces=None if replaces is None else Replaced(str(replaces["drawn_by"]), str(replaces["drawn_at"])),
    )


def regions_from_masks(masks: Mapping[str, Mask], *, limb: str, view: str, drawn_by: str) -> Regions:
    """Regions drawn elsewhere: ``masks`` maps names such as ``left_toe1`` to boolean arrays (y, x) of one shape.

    Each gets confidence 1. Raises :class:`rewarm.errors.InvalidInputError`, naming everything that is wrong.
    """
    check_word("limb", limb, LIMBS)
    check_word("view", view, VIEWS)
    known = {*LEGEND, *(f"{side}_{name}" for side in ("left", "right") for name in ("mpa", "lpa", "mca", "lca"))}
    shapes = {np.asarray(mask).shape for mask in masks.values()}
    problems = [f"{name}: not a region's name such as left_toe1" for name in masks if name not in known]
    problems += [
        f"{name}: not of limb {limb}" for name in masks if name in known and name.split("_")[0] not in limb_sides(limb)
    ]
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        problems.append(f"expected masks of one shape (y, x); found {sorted(shapes) or 'none'}")
    if problems:
        raise InvalidInputError("masks cannot be used:\n  " + "\n  ".join(problems))
    rows, columns = next(iter(shapes))
    items = []
    for name, mask in masks.items():
        side, region = name.split("_", maxsplit=1)
        items.append(Region(side, region, np.asarray(mask, dtype=bool).copy(), 1.0, drawn_by))
    return Regions((int(rows), int(columns)), limb, view, tuple(items), {})
