"""Heat in living tissue: Pennes' equation in toes and fingers, over a sole, and reduced to one lump.

Below the rooms that use it: the twin simulates with it, and the measures turn it round to find a flow. Everything here
is heat alone; what opens and closes vessels is the twin's.
"""

from rewarm.heat.digits import (
    DigitHeat,
    Digits,
    DigitState,
    after_jump,
    make_digits,
    settled,
    skin_c,
    step_digits,
    tissue_heat_j,
    uniform_state,
)
from rewarm.heat.layers import LayeredGrid, layered_grid
from rewarm.heat.lumped import LumpedDigit, lumped_course, lumped_digit, lumped_flow, lumped_step
from rewarm.heat.sole import Sole, SoleState, prepare_sole, start_sole, step_sole
from rewarm.heat.tissue import BLOOD_HEAT_J_M3K, DIGIT_LAYERS, HEAT_PER_FLOW, Layer, Surroundings, still_air_w_m2k

__all__ = [
    "BLOOD_HEAT_J_M3K",
    "DIGIT_LAYERS",
    "HEAT_PER_FLOW",
    "DigitHeat",
    "DigitState",
    "Digits",
    "Layer",
    "LayeredGrid",
    "LumpedDigit",
    "Sole",
    "SoleState",
    "Surroundings",
    "after_jump",
    "layered_grid",
    "lumped_course",
    "lumped_digit",
    "lumped_flow",
    "lumped_step",
    "make_digits",
    "prepare_sole",
    "settled",
    "skin_c",
    "start_sole",
    "step_digits",
    "step_sole",
    "still_air_w_m2k",
    "tissue_heat_j",
    "uniform_state",
]
