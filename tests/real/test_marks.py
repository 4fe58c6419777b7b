"""The table of marks on real feet holds together, and belongs to the recordings that it names."""

from __future__ import annotations

import itertools
import math
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import Point, Polygon

sys.path.insert(0, str(Path(__file__).parent))
from marks import MarkedFoot, outline_mask, read_marks, same_recording

from rewarm.regions import SIDES, TOES

WEBS = tuple(f"web{i}" for i in range(1, 5))
MARKED = (*read_marks(marking=1), *read_marks(marking=2))
CUT_OUT = [foot for foot in MARKED if foot.file.startswith("plantar_inaoe/")]


def title(foot: MarkedFoot) -> str:
    return f"{Path(foot.file).stem}-{foot.side}-{foot.marking}"


every_foot = pytest.mark.parametrize("foot", MARKED, ids=title)


def tips(foot: MarkedFoot) -> np.ndarray:
    return np.array([foot.landmarks[f"{toe}_tip"] for toe in TOES])


def test_both_sides_of_22_people_and_one_picture_of_both_feet_are_marked() -> None:
    first = read_marks(marking=1)
    people = Counter(Path(foot.file).stem[:-2] for foot in first if foot in CUT_OUT)
    assert len(people) == 22
    assert set(people.values()) == {2}
    assert {name[:2] for name in people} == {"CG", "DM"}  # healthy and diabetic
    assert sorted(foot.side for foot in first if foot not in CUT_OUT) == list(SIDES)
    assert len({(foot.file, foot.side) for foot in first}) == len(first) == 46


def test_a_person_is_in_one_half_and_neither_half_is_small() -> None:
    halves: dict[str, set[str]] = {}
    for foot in MARKED:
        halves.setdefault(Path(foot.file).stem[:5], set()).add(foot.half)
    assert all(len(half) == 1 for half in halves.values())
    assert Counter(foot.half for foot in read_marks(marking=1)) == {"development": 26, "test": 20}


def test_ten_feet_are_marked_twice() -> None:
    first = {(foot.file, foot.side): foot for foot in read_marks(marking=1)}
    second = read_marks(marking=2)
    assert len({(foot.file, foot.side) for foot in second}) == 10
    assert all(first[foot.file, foot.side].sha256 == foot.sha256 for foot in second)
    assert all(first[foot.file, foot.side].landmarks != foot.landmarks for foot in second)


@every_foot
def test_every_landmark_and_outline_is_there(foot: MarkedFoot) -> None:
    assert set(foot.landmarks) == {*(f"{toe}_tip" for toe in TOES), *WEBS, "heel_point"}
    assert set(foot.outlines) == set(TOES)
    assert all(6 <= len(outline) <= 12 for outline in foot.outlines.values())


@every_foot
def test_toes_lie_in_order_and_their_webs_between_them(foot: MarkedFoot) -> None:
    outward = 1 if foot.side == "left" else -1  # a left sole's great toe is on the picture's left
    webs = np.array([foot.landmarks[web] for web in WEBS])
    assert (np.diff(tips(foot)[:, 0]) * outward > 0).all()
    assert (np.diff(webs[:, 0]) * outward > 0).all()


@every_foot
def test_tips_are_farther_from_the_heel_than_the_webs_beside_them(foot: MarkedFoot) -> None:
    def far(name: str) -> float:
        return math.dist(foot.landmarks["heel_point"], foot.landmarks[name])

    for i in range(1, 5):
        assert far(f"web{i}") < far(f"toe{i}_tip"), i
        assert far(f"web{i}") < far(f"toe{i + 1}_tip") + 0.02 * foot.length_px, i  # the small toe is short
    assert (tips(foot)[:, 1] < foot.landmarks["heel_point"][1]).all()


@every_foot
def test_outlines_are_simple_hold_tip_and_webs_and_do_not_overlap(foot: MarkedFoot) -> None:
    shapes = {toe: Polygon(outline) for toe, outline in foot.outlines.items()}
    assert all(shape.is_valid for shape in shapes.values())
    for i, toe in enumerate(TOES):
        names = (f"{toe}_tip", *WEBS[max(i - 1, 0) : i + 1])
        assert all(shapes[toe].boundary.distance(Point(foot.landmarks[name])) < 0.01 for name in names)
    for one, other in itertools.combinations(shapes.values(), 2):
        assert one.intersection(other).area < 0.02 * min(one.area, other.area)


@pytest.fixture
def recorded(real_data: Path) -> list[tuple[MarkedFoot, Path]]:
    """The marked feet whose recording is there."""
    found = [(foot, real_data / foot.file) for foot in MARKED if (real_data / foot.file).is_file()]
    if not found:
        pytest.skip(f"none of the {len(MARKED)} marked recordings is in {real_data}")
    return found


def test_the_recordings_are_those_that_were_marked(recorded: list[tuple[MarkedFoot, Path]]) -> None:
    assert [title(foot) for foot, path in recorded if not same_recording(path, foot)] == []


def test_marks_lie_on_the_cut_out_foot(recorded: list[tuple[MarkedFoot, Path]]) -> None:
    for foot, path in recorded:
        if foot not in CUT_OUT:
            continue
        sole = np.loadtxt(path, delimiter=",") > 0
        on_foot, around = np.nonzero(sole), np.nonzero(~np.pad(sole, 1))
        for name, (x, y) in foot.landmarks.items():
            assert distance_to_pixels(x, y, *on_foot) <= 2, (title(foot), name)
            if name.endswith(("_tip", "heel_point")):  # on the rim, not deep inside
                assert distance_to_pixels(x + 1, y + 1, *around) <= 2, (title(foot), name)
        for toe, outline in foot.outlines.items():
            inside = outline_mask(outline, sole.shape)
            assert inside.sum() >= 30, (title(foot), toe)
            assert sole[inside].mean() > 0.7, (title(foot), toe)  # the rest is a gap between spread toes


def distance_to_pixels(x: float, y: float, rows: np.ndarray, columns: np.ndarray) -> float:
    """From a point to the nearest of these pixels, each a square of side 1."""
    across = np.maximum(np.maximum(columns - x, x - columns - 1), 0)
    down = np.maximum(np.maximum(rows - y, y - rows - 1), 0)
    return float(np.hypot(across, down).min())
