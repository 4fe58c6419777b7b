"""A simulated patient before a simulated camera: recordings, and whole studies, whose truth is known."""

from rewarm.twin.camera import Recording, SimulatedCamera, View, counts_of, non_uniformity, record, transmission
from rewarm.twin.case_series import simulate_case_series
from rewarm.twin.challenge import NO_BLOCK, Block, Challenge, DigitCourses
from rewarm.twin.groups import GROUPS, People, Vessels, draw_people
from rewarm.twin.phantom import DrawnSoles, SoleMaps, SolePose, SoleShape, draw_soles, random_sole, truth_labels
from rewarm.twin.recording_files import write_flir_jpeg, write_float_tiff
from rewarm.twin.skin import (
    SoleTemperatures,
    add_reference,
    cold_temperatures,
    healthy_temperatures,
    paint_scene,
    paint_sole,
    random_texture,
    sheet,
)
from rewarm.twin.toxin import Mechanism, Responses, Timing, block_at, digit_doses, draw_responses
from rewarm.twin.vessels import simulate_digits

__all__ = [
    "GROUPS",
    "NO_BLOCK",
    "Block",
    "Challenge",
    "DigitCourses",
    "DrawnSoles",
    "Mechanism",
    "People",
    "Recording",
    "Responses",
    "SimulatedCamera",
    "SoleMaps",
    "SolePose",
    "SoleShape",
    "SoleTemperatures",
    "Timing",
    "Vessels",
    "View",
    "add_reference",
    "block_at",
    "cold_temperatures",
    "counts_of",
    "digit_doses",
    "draw_people",
    "draw_responses",
    "draw_soles",
    "healthy_temperatures",
    "non_uniformity",
    "paint_scene",
    "paint_sole",
    "random_sole",
    "random_texture",
    "record",
    "sheet",
    "simulate_case_series",
    "simulate_digits",
    "transmission",
    "truth_labels",
    "write_flir_jpeg",
    "write_float_tiff",
]
