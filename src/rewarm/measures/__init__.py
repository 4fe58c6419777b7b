"""Labelled thermogram → rows of figures, each with its uncertainty; and what changed between two visits."""

from rewarm.measures.change import check_comparable, compare_measurements, comparison_warnings
from rewarm.measures.reference import ReferenceOffset, apply_reference, reference_offset
from rewarm.measures.regional import measure, measurement_warnings
from rewarm.measures.uncertainty import (
    Assumptions,
    Part,
    combined_parts,
    expanded_u_c,
    picture_parts,
    region_parts,
    smallest_detectable_change_c,
    u_change_c,
    u_combination_c,
    u_difference_c,
    u_region_mean_c,
)

__all__ = [
    "Assumptions",
    "Part",
    "ReferenceOffset",
    "apply_reference",
    "check_comparable",
    "combined_parts",
    "compare_measurements",
    "comparison_warnings",
    "expanded_u_c",
    "measure",
    "measurement_warnings",
    "picture_parts",
    "reference_offset",
    "region_parts",
    "smallest_detectable_change_c",
    "u_change_c",
    "u_combination_c",
    "u_difference_c",
    "u_region_mean_c",
]
