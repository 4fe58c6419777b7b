"""Labelled thermogram → rows of figures, each with its uncertainty; and what changed between two visits."""

from rewarm.measures.agreement import IntraclassCorrelation, dice, icc_2_1
from rewarm.measures.assumptions import DEFAULT_ASSUMPTIONS, Assumptions
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
from rewarm.measures.challenge import ChallengeFacts, review_challenge
from rewarm.measures.challenge_rules import CHALLENGE_RULES
from rewarm.measures.change import check_comparable, compare_measurements, comparison_warnings
from rewarm.measures.comparability import Difference, Setting, comparability
from rewarm.measures.detectable import DetectableChange, smallest_detectable_changes
from rewarm.measures.flow_assumptions import DEFAULT_FLOW_ASSUMPTIONS, FlowAssumptions
from rewarm.measures.frames import (
    FrameJumps,
    FrameSurvey,
    SteadyFrames,
    evenly_spread,
    frame_blocks,
    frame_jumps,
    jumps_in,
    steady_frames,
    survey_frames,
)
from rewarm.measures.groups import GroupDifference, GroupMap, average_maps, benjamini_hochberg, compare_groups
from rewarm.measures.perfusion import (
    DigitFlow,
    FlowResult,
    SweatingBias,
    digit_flows,
    flow_at,
    flow_table,
    perfusion_index,
    sweating_bias,
)
from rewarm.measures.protocol import Check, Circumstances, Review, review_picture
from rewarm.measures.protocol_rules import GROUPS, RULES, TISEM_ITEMS, Rule
from rewarm.measures.quality import Quality, picture_quality
from rewarm.measures.recovery_times import (
    HazardRatio,
    RecoveryCurve,
    recovery_curves,
    recovery_hazards,
    recovery_times,
)
from rewarm.measures.reference import (
    DEFAULT_REFERENCE_HALF_WIDTH_C,
    ReferenceOffset,
    ReferenceOffsets,
    apply_reference,
    reference_offset,
    reference_offsets,
)
from rewarm.measures.regional import measure, measurement_warnings
from rewarm.measures.rewarming import (
    Baseline,
    RewarmingMetric,
    RewarmingResult,
    rewarming_metrics,
    rewarming_table,
)
from rewarm.measures.rewarming_curves import Cause, RegionCurves, region_curves, still_curves
from rewarm.measures.rewarming_fits import RewarmingFit, fit_rewarming
from rewarm.measures.rewarming_maps import RewarmingMaps, pixel_maps, rewarming_maps
from rewarm.measures.thermal_delay import FlowWaves, flow_waves, thermal_attenuation, thermal_delay_s
from rewarm.measures.uncertainty import picture_parts, region_parts
from rewarm.measures.vasomotion import Vasomotion, vasomotion

__all__ = [
    "CHALLENGE_RULES",
    "DEFAULT_ASSUMPTIONS",
    "DEFAULT_FLOW_ASSUMPTIONS",
    "DEFAULT_REFERENCE_HALF_WIDTH_C",
    "GROUPS",
    "RULES",
    "TISEM_ITEMS",
    "Assumptions",
    "Baseline",
    "Cause",
    "ChallengeFacts",
    "Check",
    "Circumstances",
    "DetectableChange",
    "Difference",
    "DigitFlow",
    "FlowAssumptions",
    "FlowResult",
    "FlowWaves",
    "FrameJumps",
    "FrameSurvey",
    "GroupDifference",
    "GroupMap",
    "HazardRatio",
    "IntraclassCorrelation",
    "Part",
    "Place",
    "Quality",
    "RecoveryCurve",
    "ReferenceOffset",
    "ReferenceOffsets",
    "RegionCurves",
    "Review",
    "RewarmingFit",
    "RewarmingMaps",
    "RewarmingMetric",
    "RewarmingResult",
    "Rule",
    "Setting",
    "SteadyFrames",
    "SweatingBias",
    "Vasomotion",
    "apply_reference",
    "average_maps",
    "benjamini_hochberg",
    "change_parts",
    "check_comparable",
    "combined_parts",
    "comparability",
    "compare_groups",
    "compare_measurements",
    "comparison_warnings",
    "dice",
    "digit_flows",
    "evenly_spread",
    "expanded_u_c",
    "fit_rewarming",
    "flow_at",
    "flow_table",
    "flow_waves",
    "frame_blocks",
    "frame_jumps",
    "icc_2_1",
    "jumps_in",
    "measure",
    "measurement_warnings",
    "perfusion_index",
    "picture_parts",
    "picture_quality",
    "pixel_maps",
    "recovery_curves",
    "recovery_hazards",
    "recovery_times",
    "reference_offset",
    "reference_offsets",
    "region_curves",
    "region_parts",
    "review_challenge",
    "review_picture",
    "rewarming_maps",
    "rewarming_metrics",
    "rewarming_table",
    "smallest_detectable_change_c",
    "smallest_detectable_changes",
    "steady_frames",
    "still_curves",
    "survey_frames",
    "sweating_bias",
    "thermal_attenuation",
    "thermal_delay_s",
    "u_change_c",
    "u_combination_c",
    "u_difference_c",
    "u_region_mean_c",
    "vasomotion",
]
