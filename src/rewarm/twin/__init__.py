"""A simulated patient before a simulated camera: recordings, and whole studies, whose truth is known."""

from rewarm.twin.phantom import DrawnSoles, SoleMaps, SolePose, SoleShape, draw_soles, random_sole, truth_labels

__all__ = [
    "DrawnSoles",
    "SoleMaps",
    "SolePose",
    "SoleShape",
    "draw_soles",
    "random_sole",
    "truth_labels",
]
