"""Thermogram → labelled regions with confidence: feet, sides, toes, zones, landmarks, and a person's corrections."""

from rewarm.anatomy.finder import find_regions
from rewarm.anatomy.polygons import outline
from rewarm.anatomy.store import read_regions, regions_from_masks, write_regions

__all__ = ["find_regions", "outline", "read_regions", "regions_from_masks", "write_regions"]
