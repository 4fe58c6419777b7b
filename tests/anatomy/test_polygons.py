"""Masks and the polygons along their pixels' edges are the same thing."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rewarm.anatomy import outline
from rewarm.anatomy.polygons import mask_polygon, rasterise

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14), elements=st.booleans())


@given(masks)
@settings(max_examples=300, deadline=None)
def test_a_mask_comes_back_from_its_polygon(mask: np.ndarray) -> None:
    if not mask.any():
        assert outline(mask) == []
        return
    polygon = mask_polygon(mask)
    assert polygon.is_valid
    assert polygon.area == pytest.approx(mask.sum())
    np.testing.assert_array_equal(rasterise(polygon, mask.shape), mask)


@given(masks)
@settings(max_examples=100, deadline=None)
def test_a_mask_comes_back_through_geojson_text(mask: np.ndarray) -> None:
    if mask.any():
        text = shapely.to_geojson(mask_polygon(mask))
        np.testing.assert_array_equal(rasterise(shapely.from_geojson(text), mask.shape), mask)


def test_rings_are_closed_and_in_pixel_edge_coordinates() -> None:
    mask = np.zeros((5, 7), dtype=bool)
    mask[1:4, 2:6] = True
    mask[2, 3] = False
    rings = outline(mask)
    assert len(rings) == 2
    for ring in rings:
        np.testing.assert_array_equal(ring[0], ring[-1])
    assert {tuple(corner) for corner in rings[0].tolist()} == {(2.0, 1.0), (6.0, 1.0), (6.0, 4.0), (2.0, 4.0)}
    assert {tuple(corner) for corner in rings[1].tolist()} == {(3.0, 2.0), (4.0, 2.0), (4.0, 3.0), (3.0, 3.0)}


def test_pixels_that_touch_at_a_corner_are_two_polygons() -> None:
    polygon = mask_polygon(np.eye(2, dtype=bool))
    assert polygon.geom_type == "MultiPolygon"
    assert polygon.is_valid


def test_rasterising_leaves_out_what_lies_outside_the_picture() -> None:
    assert rasterise(shapely.box(-5, -5, 2, 1), (3, 4)).sum() == 2
    assert not rasterise(shapely.Polygon(), (3, 4)).any()
