"""Pennes' equation over a sole: skin as a sheet, warmed from below and by blood, cooled by the air.

    ρc d ∂T/∂t = k d ∇²T + g (T_core − T) + 640 Q d (T_a − T) + q d − h (T − T_env) − e

Crank–Nicolson with one sparse LU factorisation for all steps: the flow that the matrix was made with stays in it, and
what the flow of the moment differs from it is extrapolated from the last two steps (second order; it is a small rate).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from rewarm.errors import InvalidInputError
from rewarm.heat.tissue import HEAT_PER_FLOW, Surroundings

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sole:
    """A sole ready to be stepped. ``inside`` (y, x) says which pixels are sole; ``solver`` holds the factorised
    matrix."""

    inside: Mask
    thickness_m: float
    heat_j_m2k: float
    core_w_m2k: float
    coefficient_w_m2k: float
    metabolism_w_m2: float
    usual_flow_ml_100ml_min: Floats
    step_s: float
    laplacian: Any
    solver: Any


@dataclass(frozen=True, eq=False)
class SoleState:
    """``skin_c`` (pixels,) in the order of ``inside``; ``before_c`` is the same one step earlier."""

    skin_c: Floats
    before_c: Floats | None = None

    def image_c(self, sole: Sole) -> Floats:
        """(y, x) in °C, NaN beside the sole."""
        image = np.full(sole.inside.shape, np.nan)
        image[sole.inside] = self.skin_c
        return image


def prepare_sole(
    inside: Mask,
    *,
    pixel_mm: float,
    step_s: float,
    coefficient_w_m2k: float = 8.98,
    usual_flow_ml_100ml_min: Floats | float = 5.0,
    thickness_mm: float = 4.0,
    core_w_m2k: float = 60.0,
    conductivity_w_mk: float = 0.35,
    heat_j_m3k: float = 3.6e6,
    metabolism_w_m3: float = 200.0,
) -> Sole:
    """Factorise once for a sole's outline and a step.

    ``coefficient_w_m2k`` is the skin's to the air (JOS-3: 2.62 + 6.36 sitting); ``core_w_m2k`` leads to the foot's core
    (JOS-3: 3.370 W/K over 0.056 m², doi 10.1016/j.enbuild.2020.110575: 60); no heat crosses the outline. Thickness,
    heat and conductivity are chosen within the ranges of skin. Raises :class:`rewarm.errors.InvalidInputError` where no
    pixel is inside.
    """
    if not inside.any():
        raise InvalidInputError("sole: expected a mask with pixels inside, found none. Draw or find the sole first")
    thickness = thickness_mm / 1000
    laplacian = _neighbours(inside) * (conductivity_w_mk * thickness / (pixel_mm / 1000) ** 2)
    count = int(inside.sum())
    usual = np.broadcast_to(np.asarray(usual_flow_ml_100ml_min, float), inside.shape)[inside]
    heat = heat_j_m3k * thickness
    fixed = core_w_m2k + coefficient_w_m2k + HEAT_PER_FLOW * thickness * usual
    matrix = sparse.eye(count) * (2 * heat / step_s) + sparse.diags(fixed) - laplacian
    return Sole(
        inside=inside,
        thickness_m=thickness,
        heat_j_m2k=heat,
        core_w_m2k=core_w_m2k,
        coefficient_w_m2k=coefficient_w_m2k,
        metabolism_w_m2=metabolism_w_m3 * thickness,
        usual_flow_ml_100ml_min=usual,
        step_s=step_s,
        laplacian=laplacian,
        solver=splu(sparse.csc_matrix(matrix)),
    )


def start_sole(sole: Sole, temperature_c: Floats | float) -> SoleState:
    """A sole at the given temperature, (y, x) or one number, °C."""
    return SoleState(np.broadcast_to(np.asarray(temperature_c, float), sole.inside.shape)[sole.inside].copy())


def step_sole(
    sole: Sole,
    state: SoleState,
    surroundings: Surroundings,
    *,
    flow_ml_100ml_min: Floats | float,
    arterial_c: Floats | float,
    core_c: Floats | float,
) -> SoleState:
    """One step of ``sole.step_s`` seconds; every input is a number or (y, x) and holds in the middle of the step.

    Raises :class:`rewarm.errors.InvalidInputError` where the surroundings' coefficient is not the one that the matrix
    was made with.
    """
    if np.ndim(surroundings.coefficient_w_m2k) or surroundings.coefficient_w_m2k != sole.coefficient_w_m2k:
        raise InvalidInputError(
            "surroundings of a sole: expected the coefficient it was prepared with, "
            f"{sole.coefficient_w_m2k:g} W/(m² K), found {surroundings.coefficient_w_m2k}. "
            "Prepare another sole for other surroundings"
        )
    flow, arterial, core = (_pixels(sole, value) for value in (flow_ml_100ml_min, arterial_c, core_c))
    air = _pixels(sole, surroundings.effective_c)
    exchange = HEAT_PER_FLOW * sole.thickness_m
    middle = state.skin_c if state.before_c is None else 1.5 * state.skin_c - 0.5 * state.before_c
    extra = exchange * (flow - sole.usual_flow_ml_100ml_min) * middle
    gained = sole.core_w_m2k * core + sole.coefficient_w_m2k * air + exchange * flow * arterial + sole.metabolism_w_m2
    # mean over the step: (2C/Δt − L) U = 2C/Δt T + gains
    mean = sole.solver.solve(2 * sole.heat_j_m2k / sole.step_s * state.skin_c + gained - extra)
    return SoleState(2 * mean - state.skin_c, state.skin_c)


def _pixels(sole: Sole, value: Floats | float) -> Floats:
    return np.broadcast_to(np.asarray(value, float), sole.inside.shape)[sole.inside]


def _neighbours(inside: Mask) -> Any:
    """Graph Laplacian (negative semi-definite) of the pixels inside, sparse (pixels, pixels)."""
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(int(inside.sum()))
    pairs = [(number[:, :-1], number[:, 1:]), (number[:-1], number[1:])]
    first = np.concatenate([a[(a >= 0) & (b >= 0)] for a, b in pairs])
    second = np.concatenate([b[(a >= 0) & (b >= 0)] for a, b in pairs])
    ones = np.ones(first.size)
    count = int(inside.sum())
    links = sparse.coo_matrix((ones, (first, second)), shape=(count, count))
    links = links + links.T
    return links - sparse.diags(np.asarray(links.sum(axis=1)).ravel())
