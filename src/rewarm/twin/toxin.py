"""Botulinum toxin over time in each digit: onset, plateau, wane, and three separate mechanisms. Doses are inputs here.

Nothing in this module recommends a dose: it turns what was injected into what the simulated vessels feel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rewarm.twin.vessels import Block

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mechanism:
    """The most that toxin can do, each 0 to 1: share of the drive blocked, of the tone dilated away, of sweating lost."""

    nerve_block: float = 0.0
    direct_dilation: float = 0.0
    sweat_block: float = 0.0


@dataclass(frozen=True, eq=False)
class Responses:
    """How each person answers to toxin; arrays (people,). ``strength`` scales the effect of a dose."""

    onset_days: Floats
    duration_days: Floats
    sweat_duration_days: Floats
    strength: Floats


def draw_responses(rng: np.random.Generator, people: int) -> Responses:
    """Onset 6.7 ± 5 days, effect 78.5 ± 28.4 days (n = 186, PMID 35113259); sweating stays away 3 to 9 months."""
    raise NotImplementedError


def digit_doses(units_by_site: Mapping[tuple[str, str], float], *, limb: str) -> Floats:
    """Dose that reaches each digit, units, (2, 5), from (side, site) → units as in a study's injections table."""
    raise NotImplementedError


def block_at(days: Floats, dose_u: Floats, responses: Responses, mechanism: Mechanism) -> Block:
    """The block so many days after the injections.

    ``days`` (people, visits), negative or 0 before them; ``dose_u`` broadcasts to (people, 2, 5).
    """
    raise NotImplementedError
