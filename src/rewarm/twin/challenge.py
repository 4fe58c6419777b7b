"""What is done with a limb (a cold challenge, a treatment's block), and what the simulated digits then did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]


@dataclass(frozen=True)
class Challenge:
    """What is done with the limb: settling in the room, a recorded baseline, cold water (or none), recorded rewarming.

    The usual protocol is 15 °C for 60 s, the limb kept dry in a bag, then 15 min in the room. ``immersion_s`` 0 is a
    recording at rest. A frame is taken every ``frame_s``, a multiple of the step.
    """

    water_c: float = 15.0
    immersion_s: float = 60.0
    bagged: bool = True
    settling_s: float = 1800.0
    baseline_s: float = 30.0
    follow_s: float = 900.0
    frame_s: float = 10.0


@dataclass(frozen=True, eq=False)
class Block:
    """What a treatment does to each digit, 0 (nothing) to 1 (all), arrays that broadcast to (people, visits, 2, 5).

    ``nerve`` scales the sympathetic drive down, ``dilation`` lowers the tone by as much whatever the drive, ``sweat``
    stops sweating.
    """

    nerve: Floats
    dilation: Floats
    sweat: Floats


NO_BLOCK: Final = Block(np.zeros(()), np.zeros(()), np.zeros(()))


@dataclass(frozen=True, eq=False)
class DigitCourses:
    """What happened. Times in s since the end of the immersion (negative: baseline), no frame while in the water.

    ``time_s`` (times,); with lead = (people, visits): ``skin_c`` (times, *lead, 2, 5) temperature of the distal
    phalanx's skin (the last two segments), ``profile_c`` (times, *lead, 2, 5, segments) the same from base to tip,
    ``dorsum_c`` (times, *lead, 2) the back of foot or hand; truth: ``drive`` (times, *lead) sympathetic drive before
    any block (mean of the digits), ``tone`` (times, *lead, 2, 5), ``flow_ml_100ml_min`` (times, *lead, 2, 5) mean of
    the digit, ``sweat_w_m2`` (times, *lead, 2, 5) heat that sweat takes away. All float32.
    """

    time_s: Floats
    skin_c: Singles
    profile_c: Singles
    dorsum_c: Singles
    drive: Singles
    tone: Singles
    flow_ml_100ml_min: Singles
    bypass_ml_100ml_min: Singles
    sweat_w_m2: Singles
