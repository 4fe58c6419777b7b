"""A person's corrections always win."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from rewarm.anatomy import (
    Drawing,
    Replaced,
    find_regions,
    mask_polygon,
    outline,
    read_regions,
    with_replaced,
    write_regions,
)
from rewarm.errors import InvalidInputError, UnreadableFileError


def feature(side: str, region: str, ring: list[list[float]], **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"side": side, "region": region, "author": "Dr A", **properties},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def box(x0: float, y0: float, x1: float, y1: float) -> list[list[float]]:
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]


def save(folder: Path, *features: dict[str, Any]) -> Path:
    path = folder / "SCAN.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}), encoding="utf-8")
    return path


def test_a_drawn_region_replaces_the_finders_and_takes_its_pixels(tmp_path: Path, scenes: ModuleType) -> None:
    picture, _ = scenes.soles(0)
    plain = find_regions(scenes.thermogram(picture))
    ball = plain.get("left", "ball")
    assert ball is not None
    rows, columns = np.nonzero(ball.mask)
    x, y = int(columns.mean()), int(rows.mean())
    path = save(
        tmp_path,
        feature("left", "toe1", box(x - 5, y - 4, x + 5, y + 4), drawn_at="2026-03-01T09:30:00+01:00"),
        {
            "type": "Feature",
            "properties": {"side": "left", "landmark": "toe1_tip", "author": "Dr A"},
            "geometry": {"type": "Point", "coordinates": [x, y]},
        },
    )
    fixed = find_regions(scenes.thermogram(picture), corrections=path)
    toe, less, whole = (fixed.get("left", name) for name in ("toe1", "ball", "foot"))
    assert toe is not None
    assert less is not None
    assert whole is not None
    assert toe.mask.sum() == 80
    assert (toe.confidence, toe.drawn_by, toe.drawn_at) == (1.0, "Dr A", "2026-03-01T09:30:00+01:00")
    assert not (less.mask & toe.mask).any()
    assert less.mask.sum() == ball.mask.sum() - (ball.mask & toe.mask).sum()
    assert (whole.mask | toe.mask == whole.mask).all()
    assert fixed.landmarks["left_toe1_tip"] == (x, y)
    assert len(write_regions(fixed, tmp_path, scan="fixed")) == 3


def test_a_drawn_region_says_what_it_replaced_and_keeps_it_through_the_file(tmp_path: Path, scenes: ModuleType) -> None:
    """The version that its file names, or else the finder's; nothing where nothing was found."""
    picture, _ = scenes.soles(0)
    plain = find_regions(scenes.thermogram(picture))
    heel, toe = plain.get("left", "heel"), plain.get("left", "toe1")
    assert heel is not None
    assert toe is not None
    earlier = {"drawn_by": "Dr B", "drawn_at": "2026-02-01T08:00:00+01:00"}
    path = save(
        tmp_path,
        feature("left", "toe1", outline(toe.mask)[0].tolist(), replaces=earlier),
        feature("left", "heel", outline(heel.mask)[0].tolist()),
        feature("left", "dorsum", box(1, 1, 4, 4)),
    )
    fixed = find_regions(scenes.thermogram(picture), corrections=path)
    expected = {
        "left_toe1": Replaced("Dr B", "2026-02-01T08:00:00+01:00"),
        "left_heel": Replaced(heel.drawn_by, heel.drawn_at),
    }
    assert {item.name: item.replaces for item in fixed.items if item.replaces is not None} == expected
    write_regions(fixed, tmp_path, scan="fixed")
    again = read_regions(tmp_path / "regions" / "fixed.geojson", shape=fixed.shape)
    assert {item.name: item.replaces for item in again.items if item.replaces is not None} == expected
    proposed = with_replaced([Drawing("left", "toe1", mask_polygon(toe.mask), "Dr C")], again)
    assert proposed[0].replaces == Replaced("Dr A", ""), "the next one replaces the last, not the first"


def test_regions_that_the_finder_missed_can_be_drawn(tmp_path: Path, scenes: ModuleType) -> None:
    flat = scenes.thermogram(np.full((40, 60), 25.0))
    path = save(tmp_path, feature("left", "toe1", box(3, 4, 9, 12)), feature("left", "heel", box(3, 20, 12, 33)))
    fixed = find_regions(flat, corrections=path)
    assert sorted(item.name for item in fixed.found) == ["left_foot", "left_heel", "left_toe1"]
    foot = fixed.get("left", "foot")
    assert foot is not None
    assert foot.mask.sum() == 6 * 8 + 9 * 13


def test_hands_can_be_drawn_though_they_are_not_found(tmp_path: Path, scenes: ModuleType) -> None:
    flat = scenes.thermogram(np.full((40, 60), 25.0))
    path = save(tmp_path, feature("right", "finger1", box(3, 4, 9, 12)))
    fixed = find_regions(flat, limb="hands", view="palmar", corrections=path)
    assert [item.name for item in fixed.found] == ["right_finger1", "right_hand"]


def test_a_finders_own_outline_drawn_again_changes_nothing(tmp_path: Path, scenes: ModuleType) -> None:
    picture, _ = scenes.soles(1)
    plain = find_regions(scenes.thermogram(picture))
    heel = plain.get("right", "heel")
    assert heel is not None
    path = save(tmp_path, feature("right", "heel", outline(heel.mask)[0].tolist()))
    fixed = find_regions(scenes.thermogram(picture), corrections=path)
    np.testing.assert_array_equal(fixed.label_image(), plain.label_image())


def test_everything_wrong_is_listed_in_one_error(tmp_path: Path, scenes: ModuleType) -> None:
    bow = [[1, 1], [9, 9], [9, 1], [1, 9], [1, 1]]
    path = save(
        tmp_path,
        feature("middle", "toe1", box(1, 1, 5, 5)),
        feature("left", "toe7", box(1, 1, 5, 5)),
        feature("left", "toe2", bow),
        feature("left", "toe3", box(1, 1, 500, 5)),
        feature("right", "toe1", box(1, 1, 5, 5)),
        feature("right", "toe1", box(6, 6, 9, 9)),
        feature("right", "toe2", box(1.6, 1.6, 1.9, 1.9)),
        feature("right", "toe3", box(1, 1, 5, 5), drawn_at="yesterday"),
        {"type": "Feature", "properties": None, "geometry": None},
        {"type": "Feature", "properties": {"side": "left", "region": "heel"}, "geometry": {"type": "LineString"}},
    )
    with pytest.raises(InvalidInputError) as caught:
        find_regions(scenes.thermogram(np.full((40, 60), 25.0)), corrections=path)
    message = str(caught.value)
    for part in (
        "9 problems",
        "feature 1: side: expected left or right",
        "feature 2: region: expected one of toe1",
        "feature 3: geometry: expected a polygon that does not cross itself",
        "feature 4: geometry: expected x within 0..60",
        "feature 6: right_toe1: expected one feature; found a second",
        "feature 7: geometry: expected a polygon around at least one pixel",
        "feature 8: drawn_at: expected an ISO 8601 time",
        "feature 9: expected properties",
        "feature 10: geometry: expected Polygon, MultiPolygon or Point; found 'LineString'",
    ):
        assert part.split(" problems")[0] in message
    assert message.count("feature ") >= 9


def test_a_foot_of_the_other_side_is_refused(tmp_path: Path, scenes: ModuleType) -> None:
    path = save(tmp_path, feature("right", "toe1", box(1, 1, 5, 5)))
    with pytest.raises(InvalidInputError, match=r"expected left \(limb left_foot\); found 'right'"):
        find_regions(scenes.thermogram(np.full((40, 60), 25.0)), limb="left_foot", corrections=path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "not JSON"),
        ("[]", "FeatureCollection"),
        ('{"type": "Feature"}', "FeatureCollection"),
        ('{"type": "FeatureCollection", "features": 3}', "FeatureCollection"),
        ('{"type": "FeatureCollection", "features": [3]}', "expected properties"),
        (
            '{"type": "FeatureCollection", "features": [{"properties": {"side": "left", "region": "toe1"}, '
            '"geometry": {"type": "Polygon", "coordinates": [[["a", 1]]]}}]}',
            "feature 1: expected a GeoJSON feature",
        ),
    ],
)
def test_text_that_is_no_geojson_is_refused(tmp_path: Path, scenes: ModuleType, text: str, message: str) -> None:
    path = tmp_path / "bad.geojson"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=message):
        find_regions(scenes.thermogram(np.full((40, 60), 25.0)), corrections=path)


def test_corrections_that_are_not_there_are_an_error(tmp_path: Path, scenes: ModuleType) -> None:
    with pytest.raises(UnreadableFileError, match="no such file"):
        find_regions(scenes.thermogram(np.full((40, 60), 25.0)), corrections=tmp_path / "absent.geojson")
