"""Digits in a room and after cold water: vessel control and heat together, with every signal kept as truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rewarm.twin.groups import Vessels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Challenge:
    """What is done with the limb: settling in the room, a recorded baseline, cold water (or none), recorded rewarming.

    The usual protocol is 15 °C for 60 s, the limb kept dry in a bag, then 15 min in the room. ``immersion_s`` 0 is a
    recording at rest.
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

    ``nerve`` scales the sympathetic drive down, ``dilation`` lowers the tone whatever the drive, ``sweat`` stops
    sweating.
    """

    nerve: Floats
    dilation: Floats
    sweat: Floats


@dataclass(frozen=True, eq=False)
class DigitCourses:
    """What happened. Times in s since the end of the immersion (negative: baseline), no frame while in the water.

    ``time_s`` (times,); with lead = (people, visits): ``skin_c`` (times, *lead, 2, 5) temperature of the distal
    phalanx's skin, ``profile_c`` (times, *lead, 2, 5, segments) the same from base to tip, ``dorsum_c`` (times, *lead,
    2) the middle of the back of foot or hand; truth: ``drive`` (times, *lead) sympathetic drive before any block,
    ``tone`` (times, *lead, 2, 5), ``flow_ml_100ml_min`` (times, *lead, 2, 5), ``sweat_w_m2`` (times, *lead, 2, 5) heat
    that sweat takes away. All float32.
    """

    time_s: Floats
    skin_c: NDArray[np.float32]
    profile_c: NDArray[np.float32]
    dorsum_c: NDArray[np.float32]
    drive: NDArray[np.float32]
    tone: NDArray[np.float32]
    flow_ml_100ml_min: NDArray[np.float32]
    sweat_w_m2: NDArray[np.float32]


def simulate_digits(
    rng: np.random.Generator,
    vessels: Vessels,
    challenge: Challenge,
    *,
    room_c: Floats | float = 23.0,
    extra_drive: Floats | float = 0.0,
    block: Block | None = None,
    step_s: float = 2.0,
) -> DigitCourses:
    """Simulate the digits of many people and visits at once.

    ``room_c`` and ``extra_drive`` (season, stress; added to the sympathetic drive) broadcast to (people, visits).
    """
    raise NotImplementedError
