"""Whose vessels they are: healthy people, primary Raynaud's, systemic sclerosis, each a distribution and not a person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LIMBS = ("foot", "hand")


@dataclass(frozen=True)
class Spread:
    """How one parameter is distributed: its middle, and the SD between people, limbs, digits and days (visits).

    With ``log`` the SDs are of the natural logarithm and ``middle`` is the median; otherwise they carry the
    parameter's unit and ``middle`` is the mean.
    """

    middle: float
    person: float = 0.0
    limb: float = 0.0
    digit: float = 0.0
    day: float = 0.0
    log: bool = False


@dataclass(frozen=True, eq=False)
class Vessels:
    """What governs the vessels of many digits: each array (people, visits, 2 sides, 5 digits), left before right."""

    limb: str


@dataclass(frozen=True, eq=False)
class People:
    """The vessels of the same people's feet and hands."""

    group: str
    feet: Vessels
    hands: Vessels


def draw_people(rng: np.random.Generator, group: str, people: int, *, visits: int = 1) -> People:
    """Draw people of a group: ``healthy``, ``primary_raynaud``, ``systemic_sclerosis`` or ``cold_injury``.

    Feet and hands of one person are only weakly alike (correlation 0.26 of rewarming toes and fingers in 70 healthy
    people, doi 10.1007/s00421-017-3601-5).
    """
    raise NotImplementedError
