"""Whose vessels they are: healthy people, primary Raynaud's, systemic sclerosis, each a distribution and not a person.

Every parameter has a middle and four components of variance: between people, between a person's limbs, between the
digits of a limb, and between days. No publication gives them for toes; they are chosen so that the twin reproduces what
is published about whole courses (docs/physiology.md holds the table *published | simulated* and the command that makes
it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError

Floats = NDArray[np.float64]

LIMBS: Final = ("foot", "hand")
_ALIKE: Final = 0.45
"""Correlation of a person's feet and hands in each parameter; toes and fingers rewarm with a correlation of 0.26 in 70
healthy people (doi 10.1007/s00421-017-3601-5)."""


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


@dataclass(frozen=True)
class LimbVessels:
    """How the vessels of one kind of limb are governed in one group. Tone 0 is open, 1 is shut.

    ``least_flow`` and ``most_flow`` bound the flow, mL/100 mL/min. ``drive`` is the sympathetic drive that reaches the
    digits in a room of 25 °C; it is larger in cooler rooms and vanishes towards ``no_drive_c``. ``reflex`` is what cold
    water adds at once, which fades over ``reflex_s``. ``sensitisation`` multiplies the drive, and ``local_cold`` adds
    tone without any, for each 10 °C that the skin is below 30 °C. ``structure`` is tone that no nerve and no drug takes
    away. Five parameters are the feedback that opens the vessels of a digit that is too cold: ``set_point_c``,
    ``gain_per_c``, ``delay_s``, ``activation_s`` and ``most_dilation``. ``sweat_w_m2`` is the heat that sweat takes at
    rest.
    """

    least_flow: Spread
    most_flow: Spread
    drive: Spread
    no_drive_c: Spread
    reflex: Spread
    reflex_s: Spread
    sensitisation: Spread
    local_cold: Spread
    structure: Spread
    set_point_c: Spread
    gain_per_c: Spread
    delay_s: Spread
    activation_s: Spread
    most_dilation: Spread
    sweat_w_m2: Spread


@dataclass(frozen=True, eq=False)
class Vessels:
    """What governs the vessels of many digits: each array (people, visits, 2 sides, 5 digits), left before right.

    Fields are those of :class:`LimbVessels`, with each person's, limb's, digit's and day's own value; ``radius_mm`` and
    ``length_mm`` are the digits' sizes. ``limb`` is ``foot`` or ``hand``.
    """

    limb: str
    radius_mm: Floats
    length_mm: Floats
    least_flow: Floats
    most_flow: Floats
    drive: Floats
    no_drive_c: Floats
    reflex: Floats
    reflex_s: Floats
    sensitisation: Floats
    local_cold: Floats
    structure: Floats
    set_point_c: Floats
    gain_per_c: Floats
    delay_s: Floats
    activation_s: Floats
    most_dilation: Floats
    sweat_w_m2: Floats

    @property
    def shape(self) -> tuple[int, ...]:
        """(people, visits, 2, 5)."""
        return self.drive.shape

    def chosen(self, people: slice | NDArray[np.intp]) -> Vessels:
        """The same for some of the people."""
        arrays = {f.name: getattr(self, f.name)[people] for f in fields(self) if f.name != "limb"}
        return replace(self, **arrays)


@dataclass(frozen=True, eq=False)
class People:
    """The vessels of the same people's feet and hands."""

    group: str
    feet: Vessels
    hands: Vessels


_HEALTHY_FOOT: Final = LimbVessels(
    least_flow=Spread(0.4, person=0.2, digit=0.1, log=True),
    most_flow=Spread(21.0, person=0.45, limb=0.05, digit=0.1, day=0.1, log=True),
    drive=Spread(0.38, person=0.38, limb=0.03, digit=0.05, day=0.08),
    no_drive_c=Spread(33.0, person=0.5),
    reflex=Spread(0.35, person=0.3, day=0.2, log=True),
    reflex_s=Spread(150.0, person=0.3, day=0.2, log=True),
    sensitisation=Spread(0.15, person=0.3, log=True),
    local_cold=Spread(0.40, person=0.2, log=True),
    structure=Spread(0.0),
    set_point_c=Spread(33.0, person=0.5),
    gain_per_c=Spread(0.050, person=0.8, digit=0.1, day=0.15, log=True),
    delay_s=Spread(60.0, person=0.3, day=0.2, log=True),
    activation_s=Spread(120.0, person=0.3, log=True),
    most_dilation=Spread(1.1, person=0.7, digit=0.1, day=0.1, log=True),
    sweat_w_m2=Spread(12.0, person=0.4, day=0.2, log=True),
)
_HEALTHY_HAND: Final = replace(
    _HEALTHY_FOOT,
    most_flow=Spread(42.0, person=0.35, limb=0.05, digit=0.1, day=0.1, log=True),
    local_cold=Spread(0.70, person=0.15, log=True),
    drive=Spread(0.19, person=0.8, limb=0.1, digit=0.1, day=0.25, log=True),
    gain_per_c=Spread(0.08, person=0.3, digit=0.1, day=0.15, log=True),
    delay_s=Spread(45.0, person=0.3, day=0.2, log=True),
    activation_s=Spread(60.0, person=0.3, log=True),
    most_dilation=Spread(1.35, person=0.15, digit=0.1, day=0.1, log=True),
    set_point_c=Spread(34.0, person=0.5),
)
_PRIMARY_FOOT: Final = replace(
    _HEALTHY_FOOT,
    most_flow=Spread(16.0, person=0.4, limb=0.05, digit=0.1, day=0.1, log=True),
    drive=Spread(0.75, person=0.30, limb=0.03, digit=0.05, day=0.09),
    reflex=Spread(0.6, person=0.3, day=0.2, log=True),
    reflex_s=Spread(240.0, person=0.3, day=0.2, log=True),
    sensitisation=Spread(0.28, person=0.3, log=True),
    local_cold=Spread(0.25, person=0.2, log=True),
    gain_per_c=Spread(0.015, person=0.3, digit=0.1, day=0.2, log=True),
    most_dilation=Spread(0.22, person=0.25, digit=0.1, day=0.1, log=True),
)
_PRIMARY_HAND: Final = replace(
    _HEALTHY_HAND,
    most_flow=Spread(25.0, person=0.25, limb=0.05, digit=0.1, day=0.1, log=True),
    drive=Spread(0.21, person=0.16, limb=0.03, digit=0.04, day=0.09),
    reflex=Spread(0.70, person=0.3, day=0.2, log=True),
    reflex_s=Spread(240.0, person=0.3, day=0.2, log=True),
    local_cold=Spread(0.80, person=0.2, log=True),
    sensitisation=Spread(0.70, person=0.3, log=True),
    gain_per_c=Spread(0.015, person=0.3, digit=0.1, day=0.2, log=True),
    most_dilation=Spread(0.25, person=0.25, digit=0.1, day=0.1, log=True),
)
_SCLEROSIS_FOOT: Final = replace(
    _HEALTHY_FOOT,
    most_flow=Spread(15.0, person=0.4, limb=0.05, digit=0.15, day=0.1, log=True),
    drive=Spread(0.18, person=0.34, limb=0.03, digit=0.05, day=0.14),
    structure=Spread(0.05, person=0.05, digit=0.03),
    local_cold=Spread(0.25, person=0.2, log=True),
    gain_per_c=Spread(0.02, person=0.3, digit=0.1, day=0.2, log=True),
    delay_s=Spread(150.0, person=0.3, day=0.2, log=True),
    most_dilation=Spread(0.30, person=0.25, digit=0.1, day=0.1, log=True),
)
_SCLEROSIS_HAND: Final = replace(
    _HEALTHY_HAND,
    most_flow=Spread(19.5, person=0.45, limb=0.05, digit=0.15, day=0.1, log=True),
    drive=Spread(0.25, person=0.18, limb=0.03, digit=0.05, day=0.123),
    local_cold=Spread(0.60, person=0.2, log=True),
    structure=Spread(0.05, person=0.05, digit=0.03),
    gain_per_c=Spread(0.04, person=0.5, digit=0.1, day=0.12, log=True),
    reflex=Spread(0.55, person=0.4, day=0.35, log=True),
    reflex_s=Spread(320.0, person=0.6, day=0.2, log=True),
    delay_s=Spread(200.0, person=0.5, day=0.2, log=True),
    activation_s=Spread(90.0, person=0.3, log=True),
    most_dilation=Spread(0.50, person=0.45, digit=0.1, day=0.08, log=True),
)

GROUPS: Final[Mapping[str, tuple[LimbVessels, LimbVessels]]] = MappingProxyType(
    {
        "healthy": (_HEALTHY_FOOT, _HEALTHY_HAND),
        "primary_raynaud": (_PRIMARY_FOOT, _PRIMARY_HAND),
        "systemic_sclerosis": (_SCLEROSIS_FOOT, _SCLEROSIS_HAND),
    }
)
"""Foot and hand of each group."""

_RADIUS_MM: Final = {"foot": (12.5, 8.5, 8.0, 7.5, 7.5), "hand": (10.0, 8.5, 8.8, 8.2, 7.2)}
_LENGTH_MM: Final = {"foot": (52.0, 40.0, 36.0, 32.0, 28.0), "hand": (60.0, 74.0, 82.0, 76.0, 60.0)}
_LEAST: Final = {
    "delay_s": 10.0,
    "activation_s": 15.0,
    "drive": 0.0,
    "structure": 0.0,
    "reflex_s": 20.0,
    "no_drive_c": 30.0,
}
_MOST: Final = {"delay_s": 400.0, "activation_s": 600.0, "set_point_c": 35.5, "no_drive_c": 34.5}


def draw_people(rng: np.random.Generator, group: str, people: int, *, visits: int = 1) -> People:
    """Draw people of a group: ``healthy``, ``primary_raynaud`` or ``systemic_sclerosis``, seen at ``visits`` days.

    Raises :class:`rewarm.errors.InvalidInputError` where there is no such group.
    """
    if group not in GROUPS:
        raise InvalidInputError(f"group of people: expected one of {', '.join(GROUPS)}, found {group!r}. Choose one")
    build = rng.normal(size=(people, 1, 1, 1))
    common = {f.name: rng.normal(size=(people, 1, 1, 1)) for f in fields(LimbVessels)}
    limbs = [
        _draw_limb(rng, limb, spreads, common, build, visits)
        for limb, spreads in zip(LIMBS, GROUPS[group], strict=True)
    ]
    return People(group, *limbs)


def _draw_limb(
    rng: np.random.Generator, limb: str, spreads: LimbVessels, common: Mapping[str, Floats], build: Floats, visits: int
) -> Vessels:
    people = build.shape[0]
    shape = (people, visits, 2, 5)
    values = {}
    for field in fields(LimbVessels):
        spread: Spread = getattr(spreads, field.name)
        own = rng.normal(size=(people, 1, 1, 1))
        off = spread.person * (np.sqrt(_ALIKE) * common[field.name] + np.sqrt(1 - _ALIKE) * own)
        off = off + spread.limb * rng.normal(size=(people, 1, 2, 1)) + spread.digit * rng.normal(size=(people, 1, 2, 5))
        off = off + spread.day * rng.normal(size=(people, visits, 1, 1))
        value = spread.middle * np.exp(off) if spread.log else spread.middle + off
        values[field.name] = np.broadcast_to(
            np.clip(value, _LEAST.get(field.name), _MOST.get(field.name)), shape
        ).copy()
    size = np.broadcast_to(1 + 0.07 * build, shape)
    return Vessels(
        limb=limb, radius_mm=size * np.array(_RADIUS_MM[limb]), length_mm=size * np.array(_LENGTH_MM[limb]), **values
    )
