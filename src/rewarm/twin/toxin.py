"""Botulinum toxin over time in each digit: onset, plateau, wane, and three separate mechanisms. Doses are inputs here.

Nothing in this module recommends a dose: it turns what was injected into what the simulated vessels feel. Units of
different products are not interchangeable; the half-dose below belongs to the simulation, not to a product.

Effect over time: (1 − exp(−t / onset)) · exp(−ln 2 · (t / duration)⁵): 63 % after the onset, a plateau, a half left at
the duration. Onset 6.7 ± 5 days, duration 78.5 ± 28.4 days (mean ± SD of 186 people treated for movement disorders,
PMID 35113259; toes have none published). Sweating stays away for 3 to 9 months (PMC3705293).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.regions import SIDES
from rewarm.twin.challenge import Block
from rewarm.twin.groups import LIMBS

Floats = NDArray[np.float64]

STEEPNESS: Final = 5.0
"""How abruptly the effect wanes (chosen)."""
_MONTH_DAYS: Final = 30.4


@dataclass(frozen=True)
class Mechanism:
    """The most that toxin can do, each 0 to 1: share of the drive blocked, tone dilated away, share of sweating lost.

    ``nerve_block`` does nothing where there is no sympathetic drive (a warm room); ``direct_dilation`` lowers tone
    whatever the drive; ``sweat_block`` warms skin without any blood. ``half_dose_u`` is the dose at a digit that does
    half of the most (chosen).
    """

    nerve_block: float = 0.0
    direct_dilation: float = 0.0
    sweat_block: float = 0.0
    half_dose_u: float = 0.5


@dataclass(frozen=True)
class Timing:
    """How onset and duration are distributed over people, days (mean, SD), and how long sweating stays away, months."""

    onset_days: tuple[float, float] = (6.7, 5.0)
    duration_days: tuple[float, float] = (78.5, 28.4)
    sweat_months: tuple[float, float] = (3.0, 9.0)
    strength_sd_log: float = 0.35


@dataclass(frozen=True, eq=False)
class Responses:
    """How each person answers to toxin; arrays (people,).

    ``strength`` multiplies the dose that is felt; ``duration_days`` and ``sweat_duration_days`` are when a half is
    left.
    """

    onset_days: Floats
    duration_days: Floats
    sweat_duration_days: Floats
    strength: Floats


_SHARES: Final[Mapping[str, Mapping[str, Mapping[int, float]]]] = MappingProxyType(
    {
        "foot": {
            **{f"toe{i}": {i: 1.0} for i in range(1, 6)},
            **{f"web{i}": {i: 0.5, i + 1: 0.5} for i in range(1, 5)},
            "ball_medial": {1: 0.3, 2: 0.2},
            "ball_central": {2: 0.15, 3: 0.2, 4: 0.15},
            "ball_lateral": {4: 0.2, 5: 0.3},
            "arch": {},
            "heel": {},
        },
        "hand": {
            **{f"finger{i}": {i: 1.0} for i in range(1, 6)},
            "palm": {1: 0.06, 2: 0.11, 3: 0.11, 4: 0.11, 5: 0.11},
        },
    }
)
"""Which share of what is injected at a site reaches the vessels' nerves of which digit. Chosen: all of it at the
digit's base, a half each at a web, a half in all from the ball or the palm, nothing from arch and heel."""


def draw_responses(rng: np.random.Generator, people: int, *, timing: Timing | None = None) -> Responses:
    """Draw how people answer: onset from a gamma, duration from a normal distribution cut off at 20 days."""
    given = timing or Timing()
    mean, sd = given.onset_days
    onset = np.full(people, mean) if sd == 0 else rng.gamma((mean / sd) ** 2, sd**2 / mean, people)
    return Responses(
        onset_days=np.clip(onset, 0.5, None),
        duration_days=np.clip(rng.normal(*given.duration_days, people), 20.0, None),
        sweat_duration_days=_MONTH_DAYS * rng.uniform(*given.sweat_months, people),
        strength=np.exp(rng.normal(0, given.strength_sd_log, people)),
    )


def digit_doses(units_by_site: Mapping[tuple[str, str], float], *, limb: str) -> Floats:
    """Dose that reaches each digit, units, (2, 5), from (side, site) → units as in a study's injections table.

    ``limb`` is ``foot`` or ``hand``; sites of the other limb are left out. Raises
    :class:`rewarm.errors.InvalidInputError` for a side or site that no limb has, or a dose below zero.
    """
    known = {site for shares in _SHARES.values() for site in shares}
    if limb not in LIMBS:
        raise InvalidInputError(f"limb of injections: expected {' or '.join(LIMBS)}, found {limb!r}. Choose one")
    doses = np.zeros((2, 5))
    for (side, site), units in units_by_site.items():
        if side not in SIDES or site not in known:
            raise InvalidInputError(
                f"injection: expected a side ({', '.join(SIDES)}) and a site ({', '.join(sorted(known))}), "
                f"found {side!r}, {site!r}. Correct the injections table"
            )
        if not units >= 0:
            raise InvalidInputError(
                f"injection at {side} {site}: expected units of 0 or more, found {units}. Correct it"
            )
        for digit, share in _SHARES[limb].get(site, {}).items():
            doses[SIDES.index(side), digit - 1] += share * units
    return doses


def course(days: Floats | float, onset_days: Floats | float, duration_days: Floats | float) -> Floats:
    """Share of the full effect so many days after the injections, 0 to 1; 0 before them. Arrays broadcast."""
    after = np.maximum(np.asarray(days, float), 0.0)
    waning = np.exp(-np.log(2.0) * (after / duration_days) ** STEEPNESS)
    return np.asarray((1 - np.exp(-after / onset_days)) * waning)


def block_at(days: Floats, dose_u: Floats, responses: Responses, mechanism: Mechanism) -> Block:
    """The block so many days after the injections, arrays (people, visits, 2, 5).

    ``days`` (people, visits), negative or 0 before them (−inf where there never were any); ``dose_u`` broadcasts to
    (people, 2, 5) and is what :func:`digit_doses` gives.
    """
    people = responses.strength.size
    dose = np.broadcast_to(np.asarray(dose_u, float), (people, 2, 5)) * responses.strength[:, None, None]
    share = (dose / (dose + mechanism.half_dose_u))[:, None]
    since = np.broadcast_to(np.asarray(days, float), (people, np.shape(days)[-1]))
    nerve = course(since, responses.onset_days[:, None], responses.duration_days[:, None])[..., None, None] * share
    sweat = (
        course(since, responses.onset_days[:, None], responses.sweat_duration_days[:, None])[..., None, None] * share
    )
    return Block(
        nerve=mechanism.nerve_block * nerve,
        dilation=mechanism.direct_dilation * nerve,
        sweat=mechanism.sweat_block * sweat,
    )
