"""Labelled thermogram → rows of figures, each with its uncertainty; and what changed between two visits."""

from rewarm.measures.budget import (
    Part,
    Place,
    change_parts,
    combined_parts,
    expanded_u_c,
    smallest_detectable_change_c,
    u_change_c,
    u_combination_c,
    u_difference_c,
    u_region_mean_c,
)
from rewarm.measures.change import check_comparable, compare_measurements, comparison_warnings
from rewarm.measures.detectable import DetectableChange, smallest_detectable_changes
from rewarm.measures.reference import (
    ReferenceOffset,
    ReferenceOffsets,
    apply_reference,
    reference_offset,
    reference_offsets,
)
from rewarm.measures.regional import measure, measurement_warnings
from rewarm.measures.uncertainty import Assumptions, picture_parts, region_parts

__all__ = [
    "Assumptions",
    "DetectableChange",
    "Part",
    "Place",
    "ReferenceOffset",
    "ReferenceOffsets",
    "apply_reference",
    "change_parts",
    "check_comparable",
    "combined_parts",
    "compare_measurements",
    "comparison_warnings",
    "expanded_u_c",
    "measure",
    "measurement_warnings",
    "picture_parts",
    "reference_offset",
    "reference_offsets",
    "region_parts",
    "smallest_detectable_change_c",
    "smallest_detectable_changes",
    "u_change_c",
    "u_combination_c",
    "u_difference_c",
    "u_region_mean_c",
]
