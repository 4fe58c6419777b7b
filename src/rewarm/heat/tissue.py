"""What tissue, blood and the surroundings are made of, in SI units, with sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BLOOD_HEAT_J_M3K: Final = 3.84e6
"""Heat that a cubic metre of blood carries per kelvin: 1.067 Wh/(L K) in JOS-3 (doi 10.1016/j.enbuild.2020.110575)."""

HEAT_PER_FLOW: Final = BLOOD_HEAT_J_M3K / 6000
"""W/(m³ K) that 1 mL of blood per 100 mL of tissue and minute exchanges with it: 640."""


@dataclass(frozen=True)
class Layer:
    """One layer of tissue. ``thickness`` is its share of the whole (radius or depth), from the inside out.

    ``flow_share`` says how densely it is perfused beside the other layers; it is scaled so that the whole has the flow
    that a caller names.
    """

    name: str
    thickness: float
    conductivity_w_mk: float
    heat_j_m3k: float
    flow_share: float
    metabolism_w_m3: float = 0.0
    cells: int = 3


DIGIT_LAYERS: Final = (
    Layer("core", 0.60, 0.50, 3.2e6, 0.5, 200.0, 3),
    Layer("fat", 0.24, 0.19, 920 * 2303.0, 0.7, 60.0, 3),
    Layer("dermis", 0.12, 0.33, 1200 * 3224.0, 3.0, 300.0, 3),
    Layer("epidermis", 0.04, 0.21, 1200 * 3600.0, 0.0, 0.0, 2),
)
"""A digit from its axis to its skin. Conductivities and specific heats of fat, dermis and epidermis: PMC5459687
(0.16–0.22, 0.29–0.37 and 0.21 W/(m K); 2303, 3224 and 3600 J/(kg K)). Chosen: thicknesses (0.4 mm of epidermis on a
radius of 10 mm), densities, the core (bone, tendon, joint), how the flow is shared, metabolism."""


@dataclass(frozen=True)
class Surroundings:
    """What the skin loses heat to: ``coefficient_w_m2k`` to air or water at ``temperature_c``, and
    ``evaporation_w_m2``.

    Each a number or an array that broadcasts to (digits,) or (segments, digits).
    """

    temperature_c: float | Floats
    coefficient_w_m2k: float | Floats
    evaporation_w_m2: float | Floats = 0.0

    @property
    def effective_c(self) -> float | Floats:
        """Temperature of dry surroundings that would take the same heat, °C."""
        return self.temperature_c - self.evaporation_w_m2 / self.coefficient_w_m2k


def still_air_w_m2k(*, standing: bool = False) -> float:
    """Convection and radiation of a bare foot together, W/(m² K), as in JOS-3 (doi 10.1016/j.enbuild.2020.110575)."""
    return 2.04 + 6.14 if standing else 2.62 + 6.36
