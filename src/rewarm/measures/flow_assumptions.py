"""What a camera cannot see of a digit, as distributions, and draws of it as columns of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.measures.flow_inversion import Columns
from rewarm.measures.rewarming_curves import RegionCurves
from rewarm.regions import FINGERS, TOES

Floats = NDArray[np.float64]

DRAWS: Final = 40
BODY_C: Final = 36.8

RADIUS_MM: Final[Mapping[str, float]] = MappingProxyType(
    dict(zip((*TOES, *FINGERS), (12.5, 8.5, 8.0, 7.5, 7.5, 10.0, 8.5, 8.8, 8.2, 7.2), strict=True))
)
LENGTH_MM: Final[Mapping[str, float]] = MappingProxyType(
    dict(zip((*TOES, *FINGERS), (52.0, 40.0, 36.0, 32.0, 28.0, 60.0, 74.0, 82.0, 76.0, 60.0), strict=True))
)
"""Sizes of an adult's digits (chosen); their doubt is in the assumptions."""


@dataclass(frozen=True)
class FlowAssumptions:
    """What a camera cannot see, each as mean and SD; chosen unless a source is named.

    ``size`` multiplies the radius and length of an adult's digit. ``coefficient_w_m2k`` is what still air takes (JOS-3:
    a sitting foot 8.98, doi 10.1016/j.enbuild.2020.110575; toes shelter each other). ``inlet_share`` says where
    arterial blood at the digit's base lies between the foot's or hand's skin (0) and the body's core (1): the vein
    beside the artery has cooled it. ``countercurrent_w_k`` is what both exchange along the digit, its SD relative;
    ``tip`` how much denser the tip is perfused; ``seen`` the share of the digit that is seen, from the tip.
    ``evaporation_w_m2`` leaves skin of 30 °C, sweat and what any skin loses; ``base_above_skin_c`` is how much warmer
    the inside of the limb is than its skin; ``inside_follows`` the share of that skin's cooling by the water that the
    inside shares;
    ``heat_share`` multiplies the heat that tissue holds.
    """

    size: tuple[float, float] = (1.0, 0.08)
    coefficient_w_m2k: tuple[float, float] = (8.0, 0.8)
    inlet_share: tuple[float, float] = (0.47, 0.06)
    countercurrent_w_k: tuple[float, float] = (0.04, 0.3)
    tip: tuple[float, float] = (1.15, 0.15)
    seen: tuple[float, float] = (0.45, 0.08)
    evaporation_w_m2: tuple[float, float] = (18.0, 6.0)
    heat_share: tuple[float, float] = (1.0, 0.07)
    base_above_skin_c: tuple[float, float] = (0.3, 0.4)
    inside_follows: tuple[float, float] = (0.55, 0.15)


DEFAULT_FLOW_ASSUMPTIONS: Final = FlowAssumptions()


@dataclass(frozen=True, eq=False)
class Proximal:
    """The foot's or hand's own skin: ``before_c`` the cold, with its doubt, and ``cooled_c`` (grid,) how much colder
    since.
    """

    before_c: float
    u_c: float
    cooled_c: Floats


def proximal_skin(curves: RegionCurves, side: str, room_c: float, grid_s: Floats) -> Proximal:
    """From the back of the foot or hand, or its sole or palm; a guess from the room where none was seen."""
    for base in ("dorsum", "hand_dorsum", "arch", "palm"):
        course = curves.of(side, base)
        if course is not None and np.isfinite(course[curves.time_s >= 0]).any():
            known = np.isfinite(course)
            before = course[known & (curves.time_s < 0)]
            rest = float(before.mean() if before.size else np.nanmax(course))
            after = known & (curves.time_s >= 0)
            now = np.interp(grid_s, curves.time_s[after], course[after])
            return Proximal(rest, 0.7 if before.size else 1.5, np.maximum(rest - now, 0.0))
    return Proximal(room_c + 0.45 * (BODY_C - room_c), 2.0, np.zeros_like(grid_s))


def drawn_columns(
    random: np.random.Generator,
    region: str,
    proximal: Proximal,
    room_c: float,
    room_u_c: float,
    assumed: FlowAssumptions,
) -> tuple[Columns, Floats]:
    """What is assumed, drawn, the first column the mean of everything; and how much colder the limb's inside is, (grid,
    columns).
    """

    def drawn(mean: float, sd: float, least: float = -np.inf) -> Floats:
        values = mean + sd * random.normal(size=DRAWS + 1)
        values[0] = mean
        return np.maximum(values, least)

    size = drawn(*assumed.size, 0.6)
    skin = drawn(proximal.before_c, proximal.u_c)
    share = np.clip(drawn(*assumed.inlet_share), 0.1, 0.95)
    mean, relative = assumed.countercurrent_w_k
    columns = Columns(
        radius_mm=RADIUS_MM[region] * size,
        length_mm=LENGTH_MM[region] * size,
        coefficient_w_m2k=drawn(*assumed.coefficient_w_m2k, 4.0),
        room_c=drawn(room_c, room_u_c),
        inlet_c=skin + share * (BODY_C - skin),
        inlet_share=share,
        base_c=skin + drawn(*assumed.base_above_skin_c),
        countercurrent_w_k=mean * np.exp(drawn(0.0, relative)),
        evaporation_w_m2=drawn(*assumed.evaporation_w_m2, 0.0),
        heat_share=drawn(*assumed.heat_share, 0.6),
        seen=np.clip(drawn(*assumed.seen), 0.2, 1.0),
        tip=np.clip(drawn(*assumed.tip), 1.0, 1.8),
    )
    follows = np.clip(drawn(*assumed.inside_follows), 0.0, 1.0)
    return columns, proximal.cooled_c[:, None] * follows
