"""Thermogram → labelled regions with confidence: feet, sides, toes, zones, landmarks, and a person's corrections."""

from rewarm.anatomy.atlas import hand_atlas, sole_atlas
from rewarm.anatomy.drawings import Drawing, read_drawings, with_replaced, write_drawings
from rewarm.anatomy.finder import find_regions
from rewarm.anatomy.polygons import mask_polygon, outline, rasterise
from rewarm.anatomy.store import read_regions, regions_from_masks, write_regions
from rewarm.regions import Replaced

__all__ = [
    "Drawing",
    "Replaced",
    "find_regions",
    "hand_atlas",
    "mask_polygon",
    "outline",
    "rasterise",
    "read_drawings",
    "read_regions",
    "regions_from_masks",
    "sole_atlas",
    "with_replaced",
    "write_drawings",
    "write_regions",
]
