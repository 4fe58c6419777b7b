"""A simulated patient before a simulated camera: recordings, and whole studies, whose truth is known."""

from rewarm.twin.camera import Recording, SimulatedCamera, View, counts_of, non_uniformity, record, transmission
from rewarm.twin.case_series import simulate_case_series
from rewarm.twin.phantom import DrawnSoles, SoleMaps, SolePose, SoleShape, draw_soles, random_sole, truth_labels
from rewarm.twin.recording_files import write_flir_jpeg, write_flir_sequence, write_float_tiff
from rewarm.twin.skin import (
    SoleLayers,
    SoleTemperatures,
    add_reference,
    cold_temperatures,
    healthy_temperatures,
    paint_scene,
    paint_sole,
    random_texture,
    sheet,
    sole_layers,
)

__all__ = [
    "DrawnSoles",
    "Recording",
    "SimulatedCamera",
    "SoleLayers",
    "SoleMaps",
    "SolePose",
    "SoleShape",
    "SoleTemperatures",
    "View",
    "add_reference",
    "cold_temperatures",
    "counts_of",
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
    "sole_layers",
    "transmission",
    "truth_labels",
    "write_flir_jpeg",
    "write_flir_sequence",
    "write_float_tiff",
]
