"""A layered slab or cylinder cut into cells (finite volumes), and the solver for many of them at once.

Lengths are shares of the radius (or depth) R, so that one grid serves digits of every size: conductances do not change
with R, heat capacities, flows and sources grow with R². All is per radian and metre of length (cylinder) or per m²
times R (slab); a skin's exchange is then h·R in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.heat.tissue import HEAT_PER_FLOW, Layer

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LayeredGrid:
    """Cells from the inside out; arrays (cells,), ``conductance_w_mk`` between neighbours (cells − 1,).

    ``volume`` is a cell's size; ``heat_j_m3k``, ``flow_w_m3k`` (for 1 mL/100 mL/min), ``metabolism_w_m3`` and
    ``along_w_mk`` (conduction along the digit) are already multiplied by it. ``skin_w_mk`` leads from the outermost
    cell's middle to the skin.
    """

    middle: Floats
    volume: Floats
    conductance_w_mk: Floats
    skin_w_mk: float
    heat_j_m3k: Floats
    flow_w_m3k: Floats
    metabolism_w_m3: Floats
    along_w_mk: Floats
    curvature: int

    @property
    def surface_to_volume(self) -> float:
        """Skin over volume where R = 1: 2 for a cylinder, 1 for a slab."""
        return float(1 / self.volume.sum())


def layered_grid(layers: Sequence[Layer], *, curvature: int = 1, refine: int = 1) -> LayeredGrid:
    """Cut layers into cells of equal width within each layer; ``refine`` multiplies their number.

    ``curvature`` 1 is a cylinder about its axis, 0 a slab whose inner face lets no heat through. Raises
    :class:`rewarm.errors.InvalidInputError` where the layers do not fill the whole.
    """
    if abs(sum(layer.thickness for layer in layers) - 1) > 1e-9:
        thicknesses = ", ".join(f"{layer.name} {layer.thickness:g}" for layer in layers)
        raise InvalidInputError(
            f"layers of tissue: expected thicknesses that sum to 1, found {thicknesses}. "
            "Give each as a share of the radius"
        )
    counts = [layer.cells * refine for layer in layers]
    widths = np.concatenate([np.full(n, layer.thickness / n) for n, layer in zip(counts, layers, strict=True)])
    faces = np.concatenate([[0.0], np.cumsum(widths)])
    middle = (faces[1:] + faces[:-1]) / 2
    volume = np.diff(faces ** (curvature + 1)) / (curvature + 1)

    def of(name: str) -> Floats:
        return np.repeat([float(getattr(layer, name)) for layer in layers], counts)

    conductivity = of("conductivity_w_mk")
    half = widths / 2 / conductivity
    share = of("flow_share")
    mean_share = float((share * volume).sum() / volume.sum())
    return LayeredGrid(
        middle=middle,
        volume=volume,
        conductance_w_mk=faces[1:-1] ** curvature / (half[:-1] + half[1:]),
        skin_w_mk=float(1 / half[-1]),
        heat_j_m3k=of("heat_j_m3k") * volume,
        flow_w_m3k=HEAT_PER_FLOW * share / (mean_share or 1.0) * volume,
        metabolism_w_m3=of("metabolism_w_m3") * volume,
        along_w_mk=conductivity * volume,
        curvature=curvature,
    )


def solve_layers(diagonal: Floats, conductance: Floats, right: Sequence[Floats]) -> tuple[Floats, ...]:
    """Solve many symmetric tridiagonal systems at once (Thomas), all arrays (cells, ...); inputs are overwritten.

    ``diagonal`` is the main diagonal, −``conductance`` (cells − 1,) the one beside it, the same in every system; each
    of ``right`` is one right-hand side. Stable without pivoting because the diagonal dominates.
    """
    cells = diagonal.shape[0]
    for i in range(1, cells):
        factor = conductance[i - 1] / diagonal[i - 1]
        diagonal[i] -= factor * conductance[i - 1]
        for b in right:
            b[i] += factor * b[i - 1]
    for b in right:
        b[-1] /= diagonal[-1]
        for i in range(cells - 2, -1, -1):
            b[i] += conductance[i] * b[i + 1]
            b[i] /= diagonal[i]
    return tuple(right)
