"""The foot or hand that digits grow on, as two lumps (inside and skin), and the blood that reaches the digits through
it.

Foot: area, conductances and flows of JOS-3 (Takahashi et al. 2021, doi 10.1016/j.enbuild.2020.110575). Hand and heat
capacities are chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.heat import still_air_w_m2k

Floats = NDArray[np.float64]

_BODY_C: Final = 36.8
_W_K_PER_L_H: Final = 1.067
"""Heat capacity of blood, Wh/(L K), as in JOS-3."""
_DRIVE_SHUTS: Final = 0.6
_USUAL_DRIVE: Final = 0.3
_SKIN_FACTOR_C: Final = 6.0
_SKIN_SET_C: Final = 32.0
_WATER_W_M2K: Final = 90.0


@dataclass(frozen=True)
class _Limb:
    """``counter_w_k`` is what artery and vein exchange on the way to the digits, leg or forearm included."""

    area_m2: float
    inside_j_k: float
    skin_j_k: float
    inside_to_skin_w_k: float
    counter_w_k: float
    skin_flow_l_h: float
    inside_flow_l_h: float


_LIMBS: Final[Mapping[str, _Limb]] = MappingProxyType(
    {
        # 0.992 W/K in the foot itself, as much again on the way down the leg (chosen)
        "foot": _Limb(0.056, 2600.0, 600.0, 3.370, 1.3, 0.934, 0.3),
        "hand": _Limb(0.045, 1300.0, 480.0, 2.0, 0.36, 0.40, 0.3),
    }
)


@dataclass(frozen=True, eq=False)
class LimbState:
    """Each (limbs,), °C: ``core_c`` inside, ``skin_c`` of its back, ``inlet_c`` of the blood that enters the digits."""

    core_c: Floats
    skin_c: Floats
    inlet_c: Floats


def settled_limb(limb: str, air_c: Floats, *, drive: Floats, digit_flow_w_k: Floats) -> LimbState:
    """The limb as it is after hours in a room."""
    start = LimbState(np.full_like(air_c, 32.0), np.full_like(air_c, 30.0), np.full_like(air_c, 34.0))
    for _ in range(60):
        start = step_limb(
            limb, start, air_c=air_c, water=False, drive=drive, digit_flow_w_k=digit_flow_w_k, step_s=3600.0
        )
    return start


def step_limb(
    limb: str,
    state: LimbState,
    *,
    air_c: Floats,
    water: bool,
    drive: Floats,
    digit_flow_w_k: Floats,
    step_s: float,
) -> LimbState:
    """One step; both lumps implicitly (backward Euler), the flows as they are. Arrays (limbs,)."""
    of = _LIMBS[limb]
    out = of.area_m2 * (_WATER_W_M2K if water else still_air_w_m2k())
    # JOS-3: skin flow changes by a factor of two for every 6 °C of the skin
    local = 2.0 ** ((np.clip(state.skin_c, 15.0, 35.0) - _SKIN_SET_C) / _SKIN_FACTOR_C)
    skin_flow = _W_K_PER_L_H * of.skin_flow_l_h * local * np.exp(_DRIVE_SHUTS * (_USUAL_DRIVE - drive))
    core_flow = _W_K_PER_L_H * of.inside_flow_l_h
    passing = skin_flow + core_flow + digit_flow_w_k
    # blood comes in at the body's temperature and gives a part to the vein beside it, which leaves at the limb's
    kept = passing / (passing + of.counter_w_k)
    inlet = state.core_c + kept * (_BODY_C - state.core_c)
    core_held, skin_held = of.inside_j_k / step_s, of.skin_j_k / step_s
    between = of.inside_to_skin_w_k
    core_diagonal = core_held + between + core_flow
    skin_diagonal = skin_held + between + skin_flow + out
    core_known = core_held * state.core_c + core_flow * inlet
    skin_known = skin_held * state.skin_c + skin_flow * inlet + out * air_c
    determinant = core_diagonal * skin_diagonal - between**2
    core = (core_known * skin_diagonal + between * skin_known) / determinant
    skin = (skin_known * core_diagonal + between * core_known) / determinant
    return LimbState(core, skin, inlet)
