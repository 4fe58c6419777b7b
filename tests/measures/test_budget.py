from __future__ import annotations

from math import hypot, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewarm.measures import Part, combined_parts, region_parts, u_combination_c, u_difference_c, u_region_mean_c
from rewarm.measures.budget import Place, alike, place_of

REACH_PX = 30.0


def disc(cx: float, cy: float, radius: float = 6.0, shape: tuple[int, int] = (60, 120)) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    return np.hypot(x - cx, y - cy) <= radius


def at(mask: np.ndarray, u_c: float = 0.2, sign: int = 1) -> Part:
    return Part("non-uniformity", "region", u_c, "", sign=sign, place=place_of(mask, reach_px=REACH_PX))


@pytest.mark.parametrize("apart_px", [0, 15, 40, 80])
def test_how_alike_two_regions_are_agrees_with_all_pairs_of_their_pixels(apart_px):
    one, other = disc(20, 30), disc(20 + apart_px, 30)
    points, others = np.argwhere(one), np.argwhere(other)
    squared = ((points[:, None, :] - others[None, :, :]) ** 2).sum(axis=2)
    brute = np.exp(-squared / (2 * REACH_PX**2)).mean()
    closed = alike(place_of(one, reach_px=REACH_PX), place_of(other, reach_px=REACH_PX))
    assert closed == pytest.approx(brute, rel=0.01)


def test_non_uniformity_cancels_between_neighbours_and_not_across_the_picture():
    first = [at(disc(20, 30))]
    near, far = (u_difference_c(first, [at(disc(20 + apart, 30))]) for apart in (8, 90))
    assert near < 0.1
    assert far == pytest.approx(sqrt(2) * 0.2, rel=0.02)


def test_beside_the_reference_non_uniformity_cancels_too():
    region, beside, away = disc(20, 30), disc(30, 30), disc(110, 30)
    tied = [u_region_mean_c([at(region), at(reference, sign=-1)]) for reference in (beside, away)]
    assert tied[0] < 0.1 < 0.25 < tied[1]


def test_the_references_place_cancels_out_of_a_difference():
    one, other, reference = disc(20, 30), disc(50, 30), disc(110, 30)
    plain = u_difference_c([at(one)], [at(other)])
    tied = u_difference_c([at(one), at(reference, sign=-1)], [at(other), at(reference, sign=-1)])
    assert tied == pytest.approx(plain, rel=1e-9)


def test_pixels_that_two_regions_share_are_one_noise():
    noise = Part("noise", "pixel", 0.1, "")
    shared = np.array([[100, 100], [100, 100]])
    assert u_combination_c([(1.0, [noise]), (-1.0, [noise])], shared_px=shared) == pytest.approx(0.0)
    assert u_combination_c([(0.5, [noise]), (0.5, [noise])], shared_px=shared) == pytest.approx(0.1)
    none = np.array([[100, 0], [0, 100]])
    assert u_combination_c([(0.5, [noise]), (0.5, [noise])], shared_px=none) == pytest.approx(0.1 / sqrt(2))


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100), st.floats(-2, 2)), min_size=1, max_size=5),
    st.floats(5, 200),
)
def test_no_sum_has_a_negative_variance_or_more_than_all_of_one_sign(points, reach_px):
    parts = [
        (factor, [Part("a", "region", 0.3, "", place=Place(x, y, 9.0, 1.0, 4.0, reach_px))]) for x, y, factor in points
    ]
    assert 0.0 <= u_combination_c(parts) <= 0.3 * sum(abs(factor) for *_, factor in points) + 1e-9


def test_combining_twice_changes_nothing(make_picture):
    picture = np.full((60, 120), 22.0)
    mask = disc(20, 30)
    picture[mask] = 28.0
    once = combined_parts([(1.0, region_parts(make_picture(picture), mask))])
    assert u_combination_c([(1.0, once)]) == pytest.approx(hypot(*(part.u_c for part in once)))
