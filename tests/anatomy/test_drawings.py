"""What a person drew goes to a file and comes back without a change."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rewarm.anatomy.drawings import (
    FOOT_LANDMARKS,
    HAND_LANDMARKS,
    Drawing,
    Replaced,
    drawings_text,
    read_drawings,
    with_replaced,
    write_drawings,
)
from rewarm.errors import InvalidInputError, OutputError
from rewarm.regions import ANGIOSOMES, FOOT_REGIONS, HAND_REGIONS, SIDES, Region, Regions

SHAPE = (240, 320)
WORDS = {"feet": (*FOOT_REGIONS, "foot", *ANGIOSOMES), "hands": (*HAND_REGIONS, "hand")}
MARKS = {"feet": FOOT_LANDMARKS, "hands": HAND_LANDMARKS}

times = st.one_of(st.just(""), st.datetimes().map(lambda at: at.isoformat()))
names = st.text(min_size=1, max_size=20)
replaced = st.none() | st.builds(Replaced, names, times)


@st.composite
def polygons(draw: st.DrawFn) -> shapely.Polygon | shapely.MultiPolygon:
    """Star-shaped around a place, so that they never cross themselves; sometimes with a hole, or in two parts."""
    parts = []
    for x in draw(st.sampled_from([(80.0,), (80.0, 240.0)])):
        n = draw(st.integers(3, 12))
        radii = draw(st.lists(st.floats(3.0, 70.0), min_size=n, max_size=n))
        angles = np.linspace(0, 2 * np.pi, n, endpoint=False) + 0.1
        ring = [(x + r * np.cos(a), 120.0 + r * np.sin(a)) for r, a in zip(radii, angles, strict=True)]
        hole = [(x + 0.5 * np.cos(a), 120.0 + 0.5 * np.sin(a)) for a in angles]
        parts.append(shapely.Polygon(ring, [hole] if draw(st.booleans()) else []))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[Drawing]]:
    limb = draw(st.sampled_from(["feet", "hands"]))
    drawn: dict[tuple[bool, str, str], Drawing] = {}
    for _ in range(draw(st.integers(0, 5))):
        side, author, at, old = draw(st.sampled_from(SIDES)), draw(names), draw(times), draw(replaced)
        if draw(st.booleans()):
            place = shapely.Point(draw(st.floats(0, 320)), draw(st.floats(0, 240)))
            item = Drawing(side, draw(st.sampled_from(MARKS[limb])), place, author, at, old)
        else:
            item = Drawing(side, draw(st.sampled_from(WORDS[limb])), draw(polygons()), author, at, old)
        drawn[item.is_landmark, side, item.name] = item
    return limb, list(drawn.values())


@settings(max_examples=150, deadline=None)
@given(files())
def test_writing_what_was_read_gives_the_same_bytes(case: tuple[str, list[Drawing]]) -> None:
    limb, drawings = case
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "annotations", "first.geojson"), Path(folder, "second.geojson")
        write_drawings(drawings, first)
        read = read_drawings(first, shape=SHAPE, limb=limb)
        write_drawings(read, second)
        assert first.read_bytes() == second.read_bytes()
    assert list(read) == drawings


def test_the_file_is_geojson_with_who_when_and_what_was_replaced(tmp_path: Path) -> None:
    box = shapely.box(10, 20, 30, 40)
    old = Replaced("rewarm 1.0 geometry")
    drawing = Drawing("left", "toe1", box, "Dr Å", "2026-03-01T09:30:00+01:00", old)
    document = json.loads(drawings_text([drawing, Drawing("left", "web1", shapely.Point(3, 4.5), "Dr Å")]))
    assert document["type"] == "FeatureCollection"
    region, mark = (feature["properties"] for feature in document["features"])
    assert region == {
        "side": "left",
        "region": "toe1",
        "author": "Dr Å",
        "drawn_at": "2026-03-01T09:30:00+01:00",
        "replaces": {"drawn_by": "rewarm 1.0 geometry", "drawn_at": ""},
    }
    assert mark == {"side": "left", "landmark": "web1", "author": "Dr Å", "drawn_at": ""}
    assert document["features"][1]["geometry"]["coordinates"] == [3, 4.5]


def test_no_file_is_ever_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "SCAN.geojson"
    path.write_text("a person's")
    with pytest.raises(OutputError, match="expected no file of that name, because a person may have drawn it"):
        write_drawings([], path)
    assert path.read_text() == "a person's"


@pytest.mark.parametrize(
    ("replaces", "message"),
    [
        ("the finder", "replaces: expected"),
        ({"drawn_by": ""}, "replaces: expected"),
        ({"drawn_by": "Dr A", "drawn_at": "today"}, "replaces: drawn_at: expected an ISO 8601 time"),
    ],
)
def test_what_was_replaced_must_say_who(tmp_path: Path, replaces: object, message: str) -> None:
    properties = {"side": "left", "landmark": "toe1_tip", "replaces": replaces}
    feature = {"type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": [1, 2]}}
    path = tmp_path / "SCAN.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    with pytest.raises(InvalidInputError, match=message):
        read_drawings(path, shape=SHAPE, limb="feet")


@pytest.mark.parametrize(("limb", "mark"), [("feet", "finger1_tip"), ("hands", "toe1_tip"), ("hands", "web1")])
def test_landmarks_of_the_other_limb_are_refused(tmp_path: Path, limb: str, mark: str) -> None:
    path = tmp_path / "SCAN.geojson"
    write_drawings([Drawing("left", mark, shapely.Point(1, 2), "Dr A")], path)
    with pytest.raises(InvalidInputError, match=f"feature 1: landmark: expected one of .*; found '{mark}'"):
        read_drawings(path, shape=SHAPE, limb=limb)


def test_what_was_replaced_is_filled_in_where_it_is_missing() -> None:
    mask = np.ones(SHAPE, dtype=bool)
    items = (
        Region("left", "toe1", mask, 0.9, "rewarm 1.0 geometry"),
        Region("left", "toe2", mask, 1.0, "Dr A", "2026-01-02"),
        Region("left", "toe3", ~mask, 0.0, "rewarm 1.0 geometry"),
    )
    box = shapely.box(1, 1, 9, 9)
    own = Replaced("Dr C")
    drawn = [Drawing("left", f"toe{i}", box, "Dr B") for i in (1, 2, 3, 4)]
    drawn.append(Drawing("left", "toe1", box, "Dr B", replaces=own))
    filled = with_replaced(drawn, Regions(SHAPE, "feet", "plantar", items, {}))
    assert [item.replaces for item in filled] == [
        Replaced("rewarm 1.0 geometry"),
        Replaced("Dr A", "2026-01-02"),
        None,
        None,
        own,
    ]
