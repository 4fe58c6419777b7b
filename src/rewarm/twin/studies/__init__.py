"""Simulated studies of any size: a plan becomes a study folder, with its truth apart in ``truth/``.

``read_plan`` reads a plan from TOML and reports all that is wrong with it at once. ``simulate_measurements`` draws the
study in memory, without pictures, in milliseconds: its tables are those of the study folder, its truth says what made
them. ``simulate_study`` writes the folder, pictures included.
"""

from rewarm.twin.studies.draw import SimulatedStudy, simulate_measurements
from rewarm.twin.studies.plan import (
    CameraPlan,
    DesignPlan,
    DiaryPlan,
    GroupPlan,
    HeelsPlan,
    OutcomesPlan,
    OutdoorPlan,
    PicturesPlan,
    PlaceboPlan,
    RoomPlan,
    SelectionPlan,
    StudyPlan,
    ToxinPlan,
    VariationPlan,
    VisitsPlan,
)
from rewarm.twin.studies.plan_file import parse_plan, read_plan
from rewarm.twin.studies.write import scans_kept, simulate_study

__all__ = [
    "CameraPlan",
    "DesignPlan",
    "DiaryPlan",
    "GroupPlan",
    "HeelsPlan",
    "OutcomesPlan",
    "OutdoorPlan",
    "PicturesPlan",
    "PlaceboPlan",
    "RoomPlan",
    "SelectionPlan",
    "SimulatedStudy",
    "StudyPlan",
    "ToxinPlan",
    "VariationPlan",
    "VisitsPlan",
    "parse_plan",
    "read_plan",
    "scans_kept",
    "simulate_measurements",
    "simulate_study",
]
