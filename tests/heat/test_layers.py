from __future__ import annotations

import numpy as np
import pytest

from rewarm.errors import InvalidInputError
from rewarm.heat import DIGIT_LAYERS, HEAT_PER_FLOW, layered_grid
from rewarm.heat.layers import solve_layers


def test_layers_must_fill_the_digit():
    with pytest.raises(InvalidInputError, match=r"sum to 1, found core 0\.6, fat 0\.24, dermis 0\.12\. Give each"):
        layered_grid(DIGIT_LAYERS[:-1])


@pytest.mark.parametrize(("curvature", "whole"), [(0, 1.0), (1, 0.5)])
def test_cells_make_up_the_whole_and_share_the_flow(curvature: int, whole: float):
    grid = layered_grid(DIGIT_LAYERS, curvature=curvature)
    assert grid.volume.sum() == pytest.approx(whole)
    assert grid.flow_w_m3k.sum() == pytest.approx(HEAT_PER_FLOW * whole)
    assert grid.surface_to_volume == pytest.approx(1 / whole)
    assert (grid.flow_w_m3k[-2:] == 0).all()  # no blood in the epidermis


def test_many_systems_are_solved_as_a_dense_solver_solves_them():
    rng = np.random.default_rng(1)
    conductance = rng.uniform(0.1, 1.0, 6)
    diagonal = rng.uniform(0.5, 2.0, (7, 2, 3))
    diagonal[:-1] += conductance[:, None, None]
    diagonal[1:] += conductance[:, None, None]
    right = rng.normal(size=(7, 2, 3)), rng.normal(size=(7, 2, 3))
    kept, known = diagonal.copy(), [b.copy() for b in right]
    solved = solve_layers(diagonal, conductance, right)
    for i in range(2):
        for j in range(3):
            matrix = np.diag(kept[:, i, j]) - np.diag(conductance, 1) - np.diag(conductance, -1)
            for x, b in zip(solved, known, strict=True):
                assert x[:, i, j] == pytest.approx(np.linalg.solve(matrix, b[:, i, j]))
