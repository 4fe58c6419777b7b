from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewarm.errors import InvalidInputError, InvalidThermogramError
from rewarm.measures import Assumptions, measure, measurement_warnings
from rewarm.regions import ANGIOSOMES, Region, Regions
from rewarm.tables import MEASUREMENTS
from rewarm.thermogram import CameraIdentity, ObjectParameters, Provenance, make_thermogram
from rewarm.version import __version__


def value(table: pd.DataFrame, side: str, region: str, metric: str) -> float:
    row = table[(table["side"] == side) & (table["region"] == region) & (table["metric"] == metric)]
    assert len(row) == 1
    return float(row["value"].iloc[0])


def with_item(regions: Regions, name: str, **changes: object) -> Regions:
    items = tuple(replace(item, **changes) if item.name == name else item for item in regions.items)
    return replace(regions, items=items)


def test_the_table_has_exactly_the_columns_of_the_contract(make_picture, two_feet):
    picture, regions = two_feet
    table = measure(make_picture(picture), regions, participant="p1", visit="v1", scan="s1", time_s=30)
    assert list(table.columns) == list(MEASUREMENTS)
    assert set(table["participant"]) == {"p1"}
    assert set(table["time_s"]) == {30.0}
    assert set(table["software"]) == {f"rewarm {__version__}"}
    assert not table.duplicated(["side", "region", "metric"]).any()


def test_the_figures_of_a_region_are_those_of_its_pixels(make_picture, two_feet):
    picture, regions = two_feet
    mask = regions.items[0].mask
    picture[mask] = np.linspace(20, 30, 100)
    table = measure(make_picture(picture), regions)
    expected = {
        "mean": 25.0,
        "median": 25.0,
        "sd": np.linspace(20, 30, 100).std(ddof=1),
        "p5": np.percentile(picture[mask], 5),
        "p95": np.percentile(picture[mask], 95),
        "area": 100,
        "pixels": 100,
    }
    for metric, figure in expected.items():
        assert value(table, "left", "toe1", metric) == pytest.approx(figure, abs=1e-12)


def test_a_colder_toe_has_a_negative_difference_from_the_arch(make_picture, two_feet):
    picture, regions = two_feet
    table = measure(make_picture(picture), regions)
    assert value(table, "left", "toe2", "distal_proximal_difference") == pytest.approx(24.5 - 30.0)
    assert value(table, "right", "toe1", "distal_proximal_difference") == pytest.approx(26.0 - 30.0)
    assert "distal_dorsal_difference" not in set(table["metric"])


def test_no_difference_without_an_arch(make_picture, two_feet):
    picture, regions = two_feet
    regions = with_item(regions, "left_arch", confidence=0.4)
    table = measure(make_picture(picture), regions)
    sides = table.loc[table["metric"] == "distal_proximal_difference", "side"]
    assert set(sides) == {"right"}
    assert not ((table["side"] == "left") & (table["region"] == "arch")).any()


@pytest.mark.parametrize(
    ("limb", "view", "digit", "base", "metric"),
    [
        ("left_foot", "dorsal", "toe1", "dorsum", "distal_dorsal_difference"),
        ("left_hand", "dorsal", "finger2", "hand_dorsum", "distal_dorsal_difference"),
        ("left_hand", "palmar", "finger2", "palm", "distal_proximal_difference"),
    ],
)
def test_the_difference_fits_limb_and_view(make_picture, limb, view, digit, base, metric):
    picture = np.full((20, 40), 22.0)
    masks = {name: np.zeros(picture.shape, dtype=bool) for name in (digit, base)}
    masks[digit][5:15, 5:15] = True
    masks[base][5:15, 20:35] = True
    picture[masks[digit]], picture[masks[base]] = 25.0, 29.0
    items = tuple(Region("left", name, mask, 1.0, "me") for name, mask in masks.items())
    table = measure(make_picture(picture), Regions(picture.shape, limb, view, items, {}))
    assert value(table, "left", digit, metric) == pytest.approx(-4.0)


def test_left_minus_right_has_an_empty_side(make_picture, two_feet):
    picture, regions = two_feet
    table = measure(make_picture(picture), regions)
    differences = table[table["metric"] == "left_right_difference"]
    assert set(differences["side"]) == {""}
    assert len(differences) == 5
    np.testing.assert_allclose(differences["value"], 0.5)


def test_what_a_picture_shares_cancels_in_its_differences(make_picture, two_feet):
    picture, regions = two_feet
    table = measure(make_picture(picture), regions).set_index(["side", "region", "metric"])
    assert table.loc[("left", "arch", "mean"), "u"] > 1.15
    assert table.loc[("", "arch", "left_right_difference"), "u"] < 1.15


def test_a_measure_does_not_depend_on_who_else_is_in_the_picture(make_picture, two_feet):
    picture, regions = two_feet
    alone = replace(regions, items=tuple(item for item in regions.items if item.side == "left"))
    both, one = measure(make_picture(picture), regions), measure(make_picture(picture), alone)
    both = both[both["side"] == "left"].reset_index(drop=True)
    pd.testing.assert_frame_equal(both, one.reset_index(drop=True))


def test_pixels_without_temperature_are_left_out_and_counted(make_picture, two_feet):
    picture, regions = two_feet
    picture[10:12, 10:20] = np.nan
    thermogram = make_picture(picture)
    table = measure(thermogram, regions)
    row = table[(table["side"] == "left") & (table["region"] == "toe1") & (table["metric"] == "mean")].iloc[0]
    assert row["value"] == pytest.approx(26.0)
    assert row["n_px"] == 80
    assert "20 of 100 pixels without temperature left out" in row["method"]
    assert value(table, "left", "toe1", "area") == 100
    assert any("left toe1 (20)" in sentence for sentence in measurement_warnings(thermogram, regions))


def test_a_region_too_small_is_counted_but_not_measured(make_picture, two_feet):
    picture, regions = two_feet
    mask = np.zeros(picture.shape, dtype=bool)
    mask[10:12, 10:14] = True
    regions = with_item(regions, "left_toe1", mask=mask)
    thermogram = make_picture(picture)
    table = measure(thermogram, regions)
    rows = table[(table["side"] == "left") & (table["region"] == "toe1")]
    assert list(rows["metric"]) == ["pixels"]
    assert "too small to measure: 8 pixels" in rows["method"].iloc[0]
    assert any("left toe1" in sentence for sentence in measurement_warnings(thermogram, regions))


def test_a_region_of_nothing_but_missing_pixels_gives_no_temperature(make_picture, two_feet):
    picture, regions = two_feet
    picture[regions.items[0].mask] = np.nan
    table = measure(make_picture(picture), regions)
    rows = table[(table["side"] == "left") & (table["region"] == "toe1")]
    assert list(rows["metric"]) == ["pixels"]
    assert list(rows["value"]) == [0.0]


def test_nothing_found_gives_an_empty_table_with_all_columns(make_picture):
    regions = Regions((10, 10), "feet", "plantar", (), {})
    table = measure(make_picture(np.full((10, 10), 25.0)), regions)
    assert table.empty
    assert list(table.columns) == list(MEASUREMENTS)


def test_tci_is_the_mean_distance_from_the_published_references(make_picture):
    picture = np.full((50, 50), 20.0)
    offsets = {"mpa": 1.0, "lpa": -2.0, "mca": 0.5, "lca": -0.5}
    references = {"mpa": 25.8, "lpa": 25.7, "mca": 26.4, "lca": 26.1}
    items = []
    for row, name in enumerate(ANGIOSOMES):
        mask = np.zeros(picture.shape, dtype=bool)
        mask[2 + 12 * row : 12 + 12 * row, 5:15] = True
        picture[mask] = references[name] + offsets[name]
        items.append(Region("right", name, mask, 1.0, "me"))
    regions = Regions(picture.shape, "right_foot", "plantar", tuple(items), {})
    table = measure(make_picture(picture), regions)
    assert value(table, "right", "foot", "tci") == pytest.approx(1.0)
    row = table[table["metric"] == "tci"].iloc[0]
    assert "overlap" in row["method"]
    # two zones lie above their reference and two below; a camera 1.2 °C off still changes their mean distance from it
    assert 0.2 < row["u"] < 1.0
    without = replace(regions, items=regions.items[:3])
    assert "tci" not in set(measure(make_picture(picture), without)["metric"])


def test_area_is_in_mm2_where_the_pixel_is_known(make_picture, two_feet):
    picture, regions = two_feet
    table = measure(make_picture(picture, camera=CameraIdentity(pixel_size_mm=1.5)), regions)
    row = table[table["metric"] == "area"].iloc[0]
    assert (row["value"], row["unit"]) == (225.0, "mm2")
    assert "1.5 mm stated" in row["method"]


@pytest.mark.parametrize(("distance_m", "unit"), [(0.5, "mm2"), (2.5, "px"), (0.0, "px"), (None, "px")])
def test_a_stored_distance_is_believed_only_where_the_foot_comes_out_plausible(
    make_picture, two_feet, distance_m, unit
):
    picture, regions = two_feet
    thermogram = make_picture(
        picture, camera=CameraIdentity(field_of_view_deg=25.0), parameters=ObjectParameters(distance_m=distance_m)
    )
    table = measure(thermogram, regions)
    assert set(table.loc[table["metric"] == "area", "unit"]) == {unit}
    if unit == "mm2":
        pixel_mm = 2 * 500 * np.tan(np.deg2rad(12.5)) / 60
        assert value(table, "left", "toe1", "area") == pytest.approx(100 * pixel_mm**2)


def test_float32_pictures_are_summed_in_float64():
    picture = np.full((400, 400), 31.1, dtype=np.float32)
    mask = np.ones(picture.shape, dtype=bool)
    thermogram = make_thermogram(picture, provenance=Provenance("a", "", "test", "0"))
    table = measure(
        thermogram, Regions(picture.shape, "left_foot", "plantar", (Region("left", "ball", mask, 1, "me"),), {})
    )
    assert value(table, "left", "ball", "mean") == pytest.approx(float(np.float32(31.1)), abs=1e-12)


def test_regions_of_another_picture_are_refused(make_picture, two_feet):
    picture, regions = two_feet
    with pytest.raises(InvalidInputError, match=r"expected the picture's shape .*\(40, 60\).*found \(80, 60\)"):
        measure(make_picture(picture[:40]), regions)


def test_a_recording_is_refused(two_feet):
    picture, regions = two_feet
    recording = make_thermogram(
        np.stack([picture, picture]), time_s=np.array([0.0, 1.0]), provenance=Provenance("a", "", "test", "0")
    )
    with pytest.raises(InvalidThermogramError, match="Choose a frame"):
        measure(recording, regions)


@given(shift_c=st.floats(-5, 5), scale=st.floats(0.5, 2))
def test_differences_ignore_an_offset_and_follow_a_scale(shift_c, scale):
    rng = np.random.default_rng(1)
    picture = rng.normal(25, 1, (30, 30))
    left, right = np.zeros((30, 30), bool), np.zeros((30, 30), bool)
    left[5:15, 5:12], right[5:15, 18:25] = True, True
    items = (Region("left", "toe1", left, 1, "me"), Region("right", "toe1", right, 1, "me"))
    regions = Regions((30, 30), "feet", "plantar", items, {})
    provenance = Provenance("a", "", "test", "0")
    plain = measure(make_thermogram(picture, provenance=provenance), regions)
    moved = measure(make_thermogram(picture * scale + shift_c, provenance=provenance), regions)
    assert value(moved, "", "toe1", "left_right_difference") == pytest.approx(
        scale * value(plain, "", "toe1", "left_right_difference"), abs=1e-9
    )


def angiosomes(masks: dict[str, np.ndarray]) -> Regions:
    items = tuple(Region("left", name, mask, 1.0, "me") for name, mask in masks.items())
    return Regions(next(iter(masks.values())).shape, "left_foot", "plantar", items, {})


def u_of_tci(masks: dict[str, np.ndarray], *, noise_alone: bool) -> float:
    """The foot 2 °C over every reference, so that TCI moves as the mean of the zones does."""
    quiet = {"accuracy_c": 1e-9, "drift_c": 1e-9, "nonuniformity_c": 1e-9, "edge_px": 0.0, "scatter": 0.0}
    unknown = ("emissivity", "reflected", "air", "humidity", "distance")
    names = [f for f in Assumptions.__dataclass_fields__ if f.startswith(unknown) and "unknown" in f]
    quiet |= {"blur_px": 0.0} | dict.fromkeys(names, 1e-9)
    picture = np.full((50, 50), 28.0)
    thermogram = make_thermogram(picture, provenance=Provenance("a", "", "test", "0"))
    table = measure(thermogram, angiosomes(masks), assumptions=Assumptions(**quiet) if noise_alone else Assumptions())
    return float(table.loc[table["metric"] == "tci", "u"].iloc[0])


def test_pixels_in_two_angiosomes_are_not_counted_as_two():
    apart, same = {}, {}
    for row, name in enumerate(ANGIOSOMES):
        apart[name], same[name] = np.zeros((50, 50), bool), np.zeros((50, 50), bool)
        apart[name][2 + 12 * row : 12 + 12 * row, 5:15] = True
        same[name][2:12, 5:15] = True
    # 100 pixels of 100 mK that share it by fours: 20 mK a zone; four zones average out only where they are four
    assert u_of_tci(same, noise_alone=True) == pytest.approx(0.020, rel=0.02)
    assert u_of_tci(apart, noise_alone=True) == pytest.approx(0.010, rel=0.02)
    assert u_of_tci(same, noise_alone=False) > u_of_tci(apart, noise_alone=False)


def test_what_was_assumed_stands_in_the_method(make_picture, two_feet):
    picture, regions = two_feet
    bare = measure(make_picture(picture), regions)
    method = bare.loc[bare["metric"] == "mean", "method"].iloc[0]
    assert "assumed: camera accuracy (±2 °C), session drift (±0.5 °C between sessions)" in method
    for name in ("emissivity", "reflected temperature", "distance", "non-uniformity", "outline", "noise"):
        assert f"{name} (" in method
    known = measure(make_picture(picture, camera=CameraIdentity(accuracy_c=1.0, netd_mk=40.0)), regions)
    method = known.loc[known["metric"] == "mean", "method"].iloc[0]
    assert "camera accuracy (±1 °C, specification)" in method
    assert "assumed: session drift" in method
