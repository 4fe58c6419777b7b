"""Uniform slabs and cylinders whose closed solutions are known."""

from __future__ import annotations

import numpy as np

from rewarm.heat.digits import Digits
from rewarm.heat.layers import layered_grid
from rewarm.heat.tissue import Layer


def uniform(
    *,
    radius_m: float,
    cells: int,
    curvature: int,
    conductivity: float = 0.4,
    heat: float = 3.6e6,
    flow_share: float = 1.0,
    metabolism: float = 0.0,
    digits: int = 1,
) -> Digits:
    """One material, one segment, no skin at the tip, no counter-current."""
    layer = Layer("tissue", 1.0, conductivity, heat, flow_share, metabolism, cells)
    return Digits(
        grid=layered_grid([layer], curvature=curvature),
        radius_m=np.full(digits, radius_m),
        length_m=np.full(digits, 0.04),
        along_flow=np.ones(1),
        countercurrent_w_k=np.zeros(digits),
        tip_skin=False,
    )
