from __future__ import annotations

import re
from dataclasses import replace
from math import sqrt

import numpy as np
import pandas as pd
import pytest

from rewarm.errors import InvalidInputError
from rewarm.measures import Assumptions, check_comparable, compare_measurements, comparison_warnings, measure
from rewarm.tables import COMPARISON, MEASUREMENTS
from rewarm.thermogram import CameraIdentity, ObjectParameters


@pytest.fixture
def visits(make_picture, two_feet):
    """Before, and after: left toe1 4 °C warmer, everything 0.2 °C warmer."""
    picture, regions = two_feet
    after = picture + 0.2
    after[regions.items[0].mask] += 4.0
    sharp = Assumptions(blur_px=0.0, scatter=0.0)  # blocks of pixels, which no optics have blurred
    tables = [
        measure(make_picture(each), regions, assumptions=sharp, participant="p1", visit=visit, scan=f"s_{visit}")
        for each, visit in ((picture, "before"), (after, "week6"))
    ]
    return tables[0], tables[1]


def row(table: pd.DataFrame, side: str, region: str, metric: str) -> pd.Series:
    found = table[(table["side"] == side) & (table["region"] == region) & (table["metric"] == metric)]
    assert len(found) == 1
    return found.iloc[0]


def test_the_table_has_exactly_the_columns_of_the_contract(visits):
    table = compare_measurements(*visits, before_ambient_c=22.0, after_ambient_c=23.5)
    assert list(table.columns) == list(COMPARISON)
    assert set(table["participant"]) == {"p1"}
    assert set(zip(table["visit_before"], table["visit_after"], strict=True)) == {("before", "week6")}
    assert set(table["scan_after"]) == {"s_week6"}
    np.testing.assert_allclose(table["room_change"], 1.5)


def test_after_minus_before_is_positive_where_it_got_warmer(visits):
    table = compare_measurements(*visits)
    assert row(table, "left", "toe1", "mean")["change"] == pytest.approx(4.2)
    assert row(table, "right", "toe1", "mean")["change"] == pytest.approx(0.2)
    assert row(table, "left", "toe1", "distal_proximal_difference")["change"] == pytest.approx(4.0)
    assert row(table, "", "toe1", "left_right_difference")["change"] == pytest.approx(4.0)
    assert set(table["metric"]) == {"mean", "distal_proximal_difference", "left_right_difference"}


def test_only_a_change_beyond_196_u_is_detectable(visits):
    before, after = visits
    table = compare_measurements(before, after)
    toe = row(table, "left", "toe1", "mean")
    u = [row(each, "left", "toe1", "mean")["u"] for each in visits]
    assert toe["u"] == pytest.approx(sqrt(u[0] ** 2 + u[1] ** 2))
    assert toe["sdc"] == pytest.approx(1.959964 * toe["u"], rel=1e-6)
    assert toe["detectable"]
    assert not row(table, "right", "toe1", "mean")["detectable"]
    # free of the camera's offset, a difference inside the picture shows much smaller changes
    assert row(table, "left", "toe1", "distal_proximal_difference")["sdc"] < 0.6 * toe["sdc"]


def test_without_a_known_uncertainty_nothing_is_called_detectable(visits):
    before, after = visits
    table = compare_measurements(before.assign(u=np.nan), after)
    assert table["sdc"].isna().all()
    assert table["detectable"].isna().all()
    assert str(table["detectable"].dtype) == "boolean"


def test_an_unknown_room_leaves_its_column_empty(visits):
    assert compare_measurements(*visits, before_ambient_c=22.0)["room_change"].isna().all()


def test_only_what_both_hold_is_compared(visits):
    before, after = visits
    table = compare_measurements(before[before["side"] == "left"], after[after["region"] != "toe2"])
    assert set(table["side"]) == {"left"}
    assert set(table["region"]) == {"toe1", "ball", "arch", "heel"}


def test_nothing_in_common_is_refused(visits):
    before, after = visits
    with pytest.raises(InvalidInputError, match=r"none in common\. Before holds left toe1; after holds right heel"):
        compare_measurements(
            before[(before["side"] == "left") & (before["region"] == "toe1")],
            after[(after["side"] == "right") & (after["region"] == "heel")],
        )


def test_two_people_are_refused(visits):
    before, after = visits
    with pytest.raises(InvalidInputError, match="two scans of one person; found p1 before and p2 after"):
        compare_measurements(before, after.assign(participant="p2"))


def test_a_table_of_two_scans_is_refused(visits):
    before, after = visits
    both = pd.concat([before, after])
    with pytest.raises(InvalidInputError, match="after: expected the figures of one scan; found 2"):
        compare_measurements(before, both)


def test_a_figure_twice_is_refused(visits):
    before, after = visits
    with pytest.raises(InvalidInputError, match="before: expected each figure once; found left toe1 mean"):
        compare_measurements(pd.concat([before, before.iloc[:1]]), after)


def test_missing_columns_are_named(visits):
    before, after = visits
    with pytest.raises(InvalidInputError, match=r"before: expected the columns .* missing u, n_px"):
        compare_measurements(before.drop(columns=["u", "n_px"]), after)


def test_other_units_are_refused(visits):
    before, after = visits
    with pytest.raises(InvalidInputError, match="expected one unit in both tables; found degC before and degF after"):
        compare_measurements(before, after.assign(unit=after["unit"].replace("degC", "degF")))


def test_a_table_read_back_from_csv_compares_alike(visits, tmp_path):
    paths = [tmp_path / "before.csv", tmp_path / "after.csv"]
    for table, path in zip(visits, paths, strict=True):
        table.to_csv(path, index=False)
    again = [pd.read_csv(path) for path in paths]
    table = compare_measurements(*visits)
    for pair in (again, [visits[0], again[1]]):  # an empty side comes back from CSV as a missing one
        reread = compare_measurements(*pair)
        np.testing.assert_allclose(reread["change"], table["change"])
        assert list(reread["side"]) == list(table["side"])
    assert list(again[0].columns) == list(MEASUREMENTS)


def test_quiet_where_rooms_cameras_and_settings_agree_and_a_reference_was_in_both(make_picture, two_feet):
    scan = make_picture(two_feet[0])
    scan.attrs["reference_u_c"] = 0.2
    assert comparison_warnings(scan, scan, before_ambient_c=22.0, after_ambient_c=23.0) == ()


@pytest.mark.parametrize(
    ("rooms", "words"),
    [
        ((22.0, 25.4), r"room was 3\.4 °C warmer after \(22 °C before, 25\.4 °C after\)\. Toes follow the room"),
        ((25.0, 22.0), r"room was 3\.0 °C colder after"),
        ((None, 22.0), r"room's temperature before is not known"),
        ((22.0, None), r"room's temperature after is not known"),
        ((None, None), r"room's temperature of both visits is not known"),
    ],
)
def test_the_room_is_warned_of(make_picture, two_feet, rooms, words):
    scan = make_picture(two_feet[0])
    scan.attrs["reference_u_c"] = 0.2
    sentences = comparison_warnings(scan, scan, before_ambient_c=rooms[0], after_ambient_c=rooms[1])
    assert len(sentences) == 1
    assert re.search(words, sentences[0])


def test_without_a_reference_in_both_nothing_absolute_ties_them(make_picture, two_feet):
    scan, tied = make_picture(two_feet[0]), make_picture(two_feet[0])
    tied.attrs["reference_u_c"] = 0.2
    for pair, where in (((scan, scan), "in neither scan"), ((tied, scan), "only in the scan before")):
        sentences = comparison_warnings(*pair, before_ambient_c=22, after_ambient_c=22)
        assert len(sentences) == 1
        assert where in sentences[0]
        assert "nothing absolute ties the two visits together" in sentences[0]


def test_other_cameras_and_settings_are_warned_of(make_picture, two_feet):
    first = make_picture(
        two_feet[0],
        camera=CameraIdentity(camera_make="FLIR", camera_model="E40"),
        parameters=ObjectParameters(emissivity=0.98, reflected_c=22),
    )
    second = make_picture(
        two_feet[0],
        camera=CameraIdentity(camera_make="FLIR", camera_model="i7"),
        parameters=ObjectParameters(emissivity=0.95, reflected_c=40),
    )
    text = " ".join(comparison_warnings(first, second, before_ambient_c=22, after_ambient_c=22))
    assert "FLIR E40 before, FLIR i7 after" in text
    assert "emissivity was set to 0.98 before and 0.95 after" in text
    assert "reflected temperature was set to 22 °C before and 40 °C after" in text


def test_other_limbs_or_views_cannot_be_compared(make_picture, two_feet):
    picture, regions = two_feet
    other = replace(regions, limb="hands", view="dorsal")
    with pytest.raises(InvalidInputError, match=r"limb: .*feet before and hands after; view: .*plantar before"):
        check_comparable(regions, other)
    with pytest.raises(InvalidInputError, match="left_foot before and right_foot after"):
        check_comparable(replace(regions, limb="left_foot"), replace(regions, limb="right_foot"))
    scan = make_picture(picture)
    with pytest.raises(InvalidInputError, match="cannot be compared"):
        comparison_warnings(scan, scan, before_regions=regions, after_regions=other)


def test_one_foot_against_both_compares_the_common_side(make_picture, two_feet):
    picture, regions = two_feet
    scan = make_picture(picture)
    one = replace(regions, limb="left_foot")
    text = " ".join(comparison_warnings(scan, scan, before_regions=regions, after_regions=one))
    assert "only the left side is compared" in text
