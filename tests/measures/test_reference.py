from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from rewarm.errors import InvalidInputError
from rewarm.measures import apply_reference, measure, reference_offset
from rewarm.regions import Region, Regions
from rewarm.thermogram import CameraIdentity, check_thermogram

BOX = (4, 2, 14, 12)  # x0, y0, x1, y1


@pytest.fixture
def picture():
    rng = np.random.default_rng(7)
    temperature = np.full((30, 40), 24.0)
    temperature[2:12, 4:14] = 31.2 + rng.normal(0, 0.05, (10, 10))
    return temperature


def test_the_offset_is_what_the_reference_is_short_of(make_picture, picture):
    offset = reference_offset(make_picture(picture), reference_c=30.0, reference_box=BOX)
    assert offset.offset_c == pytest.approx(-1.2, abs=0.02)
    assert offset.n_px == 100
    # reference ±0.3 °C (rectangle), noise of 100 mK in 100 pixels that share it by fours, a median's
    assert offset.own_u_c == pytest.approx(sqrt(0.3**2 / 3 + np.pi / 2 * 0.1**2 / 25), rel=1e-6)
    # shading ±0.5 °C at 95 % of the places; over a box of 10 × 10 px it is a little less than at a point
    shading = sqrt(offset.u_c**2 - offset.own_u_c**2)
    assert 0.9 * 0.5 / 1.96 < shading < 0.5 / 1.96


def test_a_better_reference_has_a_smaller_uncertainty(make_picture, picture):
    scan = make_picture(picture)
    usual = reference_offset(scan, reference_c=30.0, reference_box=BOX)
    better = reference_offset(scan, reference_c=30.0, reference_box=BOX, reference_half_width_c=0.05)
    assert better.u_c < usual.u_c


def test_noise_counts_where_it_is_large(make_picture, picture):
    noisy = make_picture(picture, camera=CameraIdentity(netd_mk=3000))
    assert reference_offset(noisy, reference_c=30.0, reference_box=BOX).u_c > 0.4


def test_applied_it_moves_every_temperature_and_says_so(make_picture, picture):
    scan = make_picture(picture.astype(np.float32))
    before = scan["temperature"].to_numpy().copy()
    offset = reference_offset(scan, reference_c=30.0, reference_box=BOX)
    corrected = apply_reference(scan, offset)
    check_thermogram(corrected)
    assert corrected["temperature"].dtype == np.float32
    np.testing.assert_allclose(corrected["temperature"], before + offset.offset_c, atol=1e-5)
    np.testing.assert_array_equal(scan["temperature"], before)
    assert scan.attrs["warnings"] == []
    assert f"corrected by {offset.offset_c:+.2f} °C" in corrected.attrs["warnings"][0]
    assert corrected.attrs["reference_u_c"] == offset.u_c


def test_it_takes_the_cameras_share_out_of_u(make_picture, picture):
    scan = make_picture(picture)
    corrected = apply_reference(scan, reference_offset(scan, reference_c=30.0, reference_box=BOX))
    mask = np.zeros(picture.shape, dtype=bool)
    mask[15:25, 15:30] = True
    regions = Regions(picture.shape, "left_foot", "plantar", (Region("left", "arch", mask, 1.0, "me"),), {})
    plain, better = (measure(each, regions).set_index("metric") for each in (scan, corrected))
    assert plain.loc["mean", "u"] > 1.1
    assert better.loc["mean", "u"] < 0.4
    assert "reference" in better.loc["mean", "method"] or "non-uniformity" in better.loc["mean", "method"]


def test_it_is_applied_once(make_picture, picture):
    scan = make_picture(picture)
    offset = reference_offset(scan, reference_c=30.0, reference_box=BOX)
    with pytest.raises(InvalidInputError, match="a reference has already corrected"):
        apply_reference(apply_reference(scan, offset), offset)


@pytest.mark.parametrize("box", [(-1, 2, 14, 12), (4, 2, 41, 12), (4, 2, 14, 31), (14, 2, 4, 12), (4, 12, 14, 12)])
def test_a_box_outside_the_picture_is_refused(make_picture, picture, box):
    with pytest.raises(InvalidInputError, match="expected x0;y0;x1;y1 inside the picture of 40 × 30 pixels"):
        reference_offset(make_picture(picture), reference_c=30.0, reference_box=box)


def test_a_box_of_few_pixels_is_refused(make_picture, picture):
    with pytest.raises(InvalidInputError, match="at least 25 pixels with a temperature; found 16"):
        reference_offset(make_picture(picture), reference_c=30.0, reference_box=(4, 2, 8, 6))


def test_a_reference_far_from_what_is_seen_is_refused(make_picture, picture):
    with pytest.raises(InvalidInputError, match=r"within 10 °C of what the picture shows .*, 31\.\d °C; found 55"):
        reference_offset(make_picture(picture), reference_c=55.0, reference_box=BOX)


def test_a_temperature_that_is_none_is_refused(make_picture, picture):
    with pytest.raises(InvalidInputError, match="expected a temperature in °C; found nan"):
        reference_offset(make_picture(picture), reference_c=float("nan"), reference_box=BOX)


def test_a_box_over_the_rim_is_refused(make_picture, picture):
    with pytest.raises(InvalidInputError, match="expected an even surface"):
        reference_offset(make_picture(picture), reference_c=30.0, reference_box=(4, 2, 19, 12))


def test_the_result_cannot_be_changed(make_picture, picture):
    offset = reference_offset(make_picture(picture), reference_c=30.0, reference_box=BOX)
    with pytest.raises(AttributeError):
        offset.offset_c = 0.0
    assert replace(offset, n_px=1).n_px == 1
