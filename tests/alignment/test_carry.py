"""Regions and points carried through an alignment land where the formula says."""

from __future__ import annotations

import numpy as np
import pytest

from rewarm.alignment import SideAlignment, carried_mask, carried_point

SHAPE = (60, 80)


def alignment(window: tuple[slice, slice] = (slice(0, 60), slice(0, 80))) -> SideAlignment:
    """Before → after: 1.1 times as large, turned a little, shifted; in pixel-centre indices."""
    rows, columns = np.mgrid[window].astype(np.float64)
    map_x = (1.1 * columns - 0.1 * rows + 3.0).astype(np.float32)
    map_y = (0.1 * columns + 1.1 * rows - 2.0).astype(np.float32)
    foot = np.ones(SHAPE, dtype=bool)
    return SideAlignment("left", window, map_x, map_y, foot, foot, 0.0, 0.0, 1.0, 10, 1.0)


def after(x: float, y: float) -> tuple[float, float]:
    """The formula in pixel-edge coordinates."""
    column, row = x - 0.5, y - 0.5
    return 1.1 * column - 0.1 * row + 3.5, 0.1 * column + 1.1 * row - 1.5


@pytest.mark.parametrize("place", [(20.0, 30.0), (41.3, 22.7), (10.25, 50.5)])
def test_a_point_comes_back_to_where_it_started(place: tuple[float, float]) -> None:
    assert carried_point(after(*place), alignment()) == pytest.approx(place, abs=1e-3)
    window = (slice(15, 55), slice(5, 60))
    assert carried_point(after(*place), alignment(window)) == pytest.approx(place, abs=1e-3)


def test_a_point_that_the_map_does_not_reach_is_not_carried() -> None:
    assert carried_point(after(70.0, 30.0), alignment((slice(10, 50), slice(10, 50)))) is None


def test_a_mask_lies_where_its_formula_says() -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    disc_after = (x - 45.0) ** 2 + (y - 35.0) ** 2 <= 10.0**2
    there = np.array(after(x, y))
    disc_before = (there[0] - 45.0) ** 2 + (there[1] - 35.0) ** 2 <= 10.0**2
    carried = carried_mask(disc_after, alignment(), SHAPE)
    assert (carried ^ disc_before).sum() <= 0.06 * disc_before.sum()
    assert not carried_mask(np.zeros(SHAPE, dtype=bool), alignment(), SHAPE).any()
