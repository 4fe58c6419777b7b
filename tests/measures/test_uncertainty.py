from __future__ import annotations

from math import hypot, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewarm.errors import InvalidInputError
from rewarm.measures import (
    Assumptions,
    Part,
    combined_parts,
    expanded_u_c,
    picture_parts,
    region_parts,
    smallest_detectable_change_c,
    u_change_c,
    u_combination_c,
    u_difference_c,
    u_region_mean_c,
)
from rewarm.measures.outline import mean_per_pixel_of_outline
from rewarm.measures.uncertainty import surface_parts
from rewarm.thermogram import CameraIdentity, ObjectParameters


def by_name(parts) -> dict[str, Part]:
    return {part.name: part for part in parts}


@pytest.fixture
def disc():
    y, x = np.mgrid[:40, :40] + 0.5
    distance = np.hypot(x - 20, y - 20)
    return np.where(distance <= 10, 30.0, 22.0), distance <= 10


def test_a_specification_is_a_rectangle(make_picture, disc):
    picture, mask = disc
    thermogram = make_picture(picture, camera=CameraIdentity(accuracy_c=1.5, netd_mk=40))
    parts = by_name(region_parts(thermogram, mask))
    assert parts["camera accuracy"].u_c == pytest.approx(1.5 / sqrt(3))
    assert parts["camera accuracy"].scope == "camera"
    assert "specification" in parts["camera accuracy"].source
    assert parts["noise"].u_c == pytest.approx(0.04 / sqrt(mask.sum() / 4))


def test_what_is_assumed_says_so(make_picture, disc):
    picture, mask = disc
    parts = by_name(region_parts(make_picture(picture), mask))
    for name in ("camera accuracy", "session drift", "emissivity", "reflected temperature", "non-uniformity", "noise"):
        assert "assumed" in parts[name].source
    assert parts["camera accuracy"].u_c == pytest.approx(2.0 / sqrt(3))


def test_emissivity_and_reflection_agree_with_the_radiometric_equation():
    """Sensitivities by finite differences through Planck's law at 10 µm without air, written out here again."""

    def planck(temperature_c):
        return 1.0 / (np.exp(1439.0 / (temperature_c + 273.15)) - 1.0)

    def seen_as(skin_c, emissivity, reflected_c):
        seen = (planck_seen - (1 - emissivity) * planck(reflected_c)) / emissivity
        return 1439.0 / np.log(1 / seen + 1) - 273.15 - skin_c

    skin_c, reflected_c = 32.0, 23.0
    planck_seen = 0.98 * planck(skin_c) + 0.02 * planck(reflected_c)
    d_emissivity = (seen_as(skin_c, 0.985, reflected_c) - seen_as(skin_c, 0.975, reflected_c)) / 0.01
    d_reflected = (seen_as(skin_c, 0.98, reflected_c + 1) - seen_as(skin_c, 0.98, reflected_c - 1)) / 2
    exact = {
        "emissivity": abs(d_emissivity) * 0.01 / sqrt(3),
        "reflected temperature": abs(d_reflected) * 0.5 / sqrt(3),
    }
    attrs = {"emissivity": 0.98, "reflected_c": reflected_c, "distance_m": 0.05}
    parts = by_name(surface_parts(skin_c, attrs, assumptions=Assumptions(reflected_half_width_c=0.5)))
    for name, u_c in exact.items():
        assert parts[name].u_c == pytest.approx(u_c, rel=0.03)
    # true skin that shines more than it was taken to reads too warm; warmer surroundings do as well
    assert (parts["emissivity"].sign, parts["reflected temperature"].sign) == (1, 1)


def test_an_emissivity_off_skins_widens_the_budget(make_picture, disc):
    picture, mask = disc
    right = make_picture(picture, parameters=ObjectParameters(emissivity=0.98, reflected_c=22.0))
    off = make_picture(picture, parameters=ObjectParameters(emissivity=0.95, reflected_c=22.0))
    u_right, u_off = (by_name(region_parts(scan, mask))["emissivity"].u_c for scan in (right, off))
    assert u_off > 3 * u_right


@pytest.mark.parametrize("reflected_c", [298.0, -60.0])
def test_an_absurd_reflected_temperature_is_not_believed(make_picture, disc, reflected_c):
    picture, mask = disc
    thermogram = make_picture(picture, parameters=ObjectParameters(emissivity=0.98, reflected_c=reflected_c))
    parts = by_name(region_parts(thermogram, mask))
    assert "none that can be true" in parts["reflected temperature"].source
    assert parts["emissivity"].u_c < 0.1


def test_the_outlines_part_is_what_half_a_pixel_moves_the_mean_by(disc):
    picture, mask = disc
    # one pixel further out adds a ring of 22 °C to a disc of 30 °C, one further in changes nothing
    ring = 2 * np.pi * 10 / (np.pi * 100)
    assert mean_per_pixel_of_outline(picture, mask) == pytest.approx(-8 * ring / 2, rel=0.25)


@pytest.mark.parametrize("background", [0.0, np.nan])
def test_a_cut_out_background_is_not_moved_into(disc, background):
    picture, mask = disc
    cut = np.where(mask, picture, background)
    assert mean_per_pixel_of_outline(cut, mask) == pytest.approx(0.0)


def test_a_mask_without_temperature_is_refused(make_picture, disc):
    picture, mask = disc
    with pytest.raises(InvalidInputError, match="at least one pixel with a temperature; found none"):
        region_parts(make_picture(np.where(mask, np.nan, picture)), mask)
    with pytest.raises(InvalidInputError, match=r"expected the picture's shape \(40, 40\); found \(10, 40\)"):
        region_parts(make_picture(picture), mask[:10])


def test_the_camera_cancels_inside_a_picture_and_not_between_visits(make_picture, disc):
    picture, mask = disc
    parts = region_parts(make_picture(picture), mask)
    own = sqrt(sum(part.u_c**2 for part in parts if part.name in ("outline", "doubt of the outline", "noise")))
    assert u_difference_c(parts, parts) == pytest.approx(sqrt(2) * own)
    assert u_change_c(parts, parts) == pytest.approx(sqrt(2) * u_region_mean_c(parts))


def test_a_change_of_a_difference_is_free_of_the_camera(make_picture, disc):
    picture, mask = disc
    parts = region_parts(make_picture(picture), mask)
    inside = combined_parts([(1.0, parts), (-1.0, parts)])
    assert u_change_c(inside, inside) == pytest.approx(sqrt(2) * u_difference_c(parts, parts))
    assert u_change_c(inside, inside) < u_change_c(parts, parts) / 3


def test_the_smallest_detectable_change_is_196_u():
    assert smallest_detectable_change_c(1.0) == pytest.approx(1.95996, abs=1e-5)


@given(factor=st.floats(-3, 3), u_c=st.floats(0.01, 5))
def test_shared_parts_add_before_they_are_squared(factor, u_c):
    shared, own = Part("offset", "camera", u_c, ""), Part("noise", "pixel", u_c, "")
    together = u_combination_c([(1.0, [shared, own]), (factor, [shared, own])])
    assert together == pytest.approx(hypot((1 + factor) * u_c, hypot(1, factor) * u_c), abs=1e-12)


@pytest.mark.parametrize(
    ("parts", "half_width"),
    [
        ([Part("a", "camera", 1.0, "", "normal")], 1.959964),
        ([Part("a", "camera", 1.0, "", "rectangular")], 0.95 * sqrt(3)),
        ([Part("a", "camera", 1.0, "", "triangular")], sqrt(6) * (1 - sqrt(0.05))),
        ([Part(name, "camera", sqrt(0.5), "", "rectangular") for name in "ab"], sqrt(6) * (1 - sqrt(0.05))),
        ([Part("a", "camera", 0.6, ""), Part("b", "pixel", 0.8, "")], 1.959964),
        ([], 0.0),
        ([Part("a", "camera", 0.0, "")], 0.0),
    ],
)
def test_the_expanded_uncertainty_knows_the_shapes(parts, half_width):
    assert expanded_u_c(parts) == pytest.approx(half_width, abs=2e-3)


def test_a_level_outside_0_to_1_is_refused():
    with pytest.raises(InvalidInputError, match="between 0 and 1; found 95"):
        expanded_u_c([Part("a", "camera", 1.0, "")], level=95)


def test_a_reference_replaces_the_cameras_share(make_picture, disc):
    picture, _ = disc
    thermogram = make_picture(picture)
    thermogram.attrs["reference_u_c"] = 0.2
    assert [(part.name, part.u_c) for part in picture_parts(thermogram)] == [("reference", 0.2)]


def test_the_air_path_and_the_parameters_come_from_the_picture(make_picture, disc):
    picture, mask = disc
    stated = ObjectParameters(emissivity=0.98, reflected_c=22.0, distance_m=0.8, humidity_pct=40.0, air_c=21.0)
    parts = by_name(region_parts(make_picture(picture, parameters=stated), mask))
    bare = by_name(region_parts(make_picture(picture), mask))
    for name in ("distance", "humidity", "air temperature", "reflected temperature", "emissivity"):
        assert not parts[name].assumed
        assert bare[name].assumed
        assert 0 < parts[name].u_c < bare[name].u_c
        assert parts[name].doi
    assert "0.8 m stated" in parts["distance"].source


def test_nonsense_that_temperatures_were_computed_with_widens_the_budget(make_picture, disc):
    """A stored reflection of 298 °C is no harm to finished temperatures, but ruins those computed from counts."""
    picture, mask = disc
    absurd = ObjectParameters(emissivity=0.95, reflected_c=298.0, distance_m=1.0, humidity_pct=50.0, air_c=22.0)
    finished = make_picture(picture, parameters=absurd)
    computed = make_picture(picture, parameters=absurd)
    computed.attrs |= {
        "planck_r1": 16556.0, "planck_r2": 0.0125, "planck_b": 1428.0, "planck_f": 1.0, "planck_o": -342.0,
        "atmosphere_alpha1": 0.006569, "atmosphere_alpha2": 0.01262, "atmosphere_beta1": -0.002276,
        "atmosphere_beta2": -0.00667, "atmosphere_x": 1.9,
    }  # fmt: skip
    u = [by_name(region_parts(scan, mask))["reflected temperature"].u_c for scan in (finished, computed)]
    assert u[0] < 0.2
    assert u[1] > 3.0


def test_a_doubtful_outline_costs_more_than_a_sure_one_and_a_persons_costs_nothing(make_picture, disc):
    picture, mask = disc
    u = [
        by_name(region_parts(make_picture(picture), mask, confidence=confidence))["doubt of the outline"].u_c
        for confidence in (1.0, 0.9, 0.6)
    ]
    assert u[0] == 0.0
    assert u[2] == pytest.approx(4 * u[1])


def test_blur_pulls_a_small_warm_spot_down_and_spares_the_middle_of_a_large_one(make_picture):
    y, x = np.mgrid[:80, :80] + 0.5
    distance = np.hypot(x - 40, y - 40)
    u = []
    for radius in (3.0, 30.0):
        picture = np.where(distance <= radius, 30.0, 22.0)
        part = by_name(region_parts(make_picture(picture), distance <= min(radius, 20.0)))["blur and spot size"]
        assert part.sign == -1
        u.append(part.u_c)
    assert u[0] > 5 * u[1]


def test_blur_of_an_even_picture_and_of_a_cut_out_foot_is_nothing(make_picture, disc):
    _, mask = disc
    for background in (30.0, np.nan, 0.0):
        part = by_name(region_parts(make_picture(np.where(mask, 30.0, background)), mask))["blur and spot size"]
        assert part.u_c == pytest.approx(0.0, abs=1e-5)
