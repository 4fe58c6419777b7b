"""The truth is anatomically right: order, sides, connection, proportions, landmarks, mirror symmetry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from rewarm.twin.scenes import LANDMARKS, PARTS, SIDE_CODES, Layout
from rewarm.twin.scenes.foot import FootShape
from rewarm.twin.scenes.leg import LegShape
from rewarm.twin.scenes.people import placed

from .conftest import BACK_TO_CAMERA, PALM_TO_CAMERA, SHAPE, STRAIGHT, back, foot, hand, seen, sole

TOES = [PARTS.index(f"toe{i}") for i in range(1, 6)]
FINGERS = [PARTS.index(f"finger{i}") for i in range(1, 6)]


def middles_x(layout: Layout, codes: list[int]) -> list[float]:
    return [float(np.nonzero(layout.parts == code)[1].mean()) for code in codes]


def area(layout: Layout, name: str) -> int:
    return int(np.count_nonzero(layout.parts == PARTS.index(name)))


def test_great_toe_of_a_left_sole_points_left_and_of_a_right_sole_right(side: str) -> None:
    x = middles_x(sole(side), TOES)
    assert x == sorted(x, reverse=side == "right")


def test_great_toe_of_a_left_foot_seen_on_its_back_is_on_the_right(side: str) -> None:
    layout = back(side)
    tips, heel = layout.landmarks[0, :5, 1], layout.landmarks[0, 9, 1]
    assert (tips < heel).all()
    x = middles_x(layout, TOES)
    assert x == sorted(x, reverse=side == "left")
    assert layout.views == ("dorsal",)


@pytest.mark.parametrize(("axes", "thumb_left_of"), [(PALM_TO_CAMERA, "left"), (BACK_TO_CAMERA, "right")])
def test_thumb_of_a_left_palm_points_left(side: str, axes: np.ndarray, thumb_left_of: str) -> None:
    x = middles_x(hand(side, axes), FINGERS)
    assert x == sorted(x, reverse=side != thumb_left_of)


@pytest.mark.parametrize("code", TOES)
def test_a_toe_in_full_view_is_one_piece(side: str, code: int) -> None:
    _, pieces = ndimage.label(sole(side).parts == code)
    assert pieces == 1


@pytest.mark.parametrize("code", FINGERS)
def test_a_finger_in_full_view_is_one_piece(side: str, code: int) -> None:
    _, pieces = ndimage.label(hand(side, PALM_TO_CAMERA).parts == code)
    assert pieces == 1


def test_areas_are_in_proportion() -> None:
    layout = sole("left")
    whole = np.count_nonzero(layout.parts)
    shares = {name: area(layout, name) / whole for name in PARTS}
    assert 0.20 < shares["ball"] < 0.40
    assert 0.20 < shares["arch"] < 0.36
    assert 0.18 < shares["heel"] < 0.34
    assert shares["toe1"] > max(shares[f"toe{i}"] for i in range(2, 6))
    assert shares["toe2"] > shares["toe5"] > 0.008
    assert 0.04 < shares["toe1"] < 0.12
    assert shares["dorsum"] < 0.08


def test_a_sole_has_the_outline_of_a_foot() -> None:
    """The ball is broader than the heel, and the arch is cut in on the great toe's side."""
    layout = sole("right")
    rows = {name: np.flatnonzero((layout.parts == PARTS.index(name)).any(axis=1)) for name in ("ball", "arch", "heel")}
    foot_part = layout.parts >= PARTS.index("ball")
    width = foot_part.sum(axis=1)
    medial = np.where(foot_part.any(axis=1), SHAPE[1] - np.argmax(foot_part[:, ::-1], axis=1), 0)
    assert width[rows["ball"]].max() > 1.25 * width[rows["heel"]].max()
    assert medial[rows["arch"]].min() < min(medial[rows["ball"]].max(), medial[rows["heel"]].max()) - 4


def test_parts_lie_in_order_from_toes_to_heel() -> None:
    layout = sole("left")
    y = [np.nonzero(layout.parts == PARTS.index(name))[0].mean() for name in ("toe2", "ball", "arch", "heel")]
    assert y == sorted(y)
    along = [np.nanmean(layout.along[layout.parts == PARTS.index(name)]) for name in ("heel", "arch", "ball", "toe2")]
    assert along == sorted(along)
    assert along[-1] > 1.85


def near(layout: Layout, name: str, codes: set[int], reach_px: float) -> bool:
    x, y, visible = layout.landmarks[0, LANDMARKS.index(name)]
    assert visible == 1
    rows, columns = np.nonzero(np.isin(layout.parts, list(codes)))
    return bool(np.hypot(rows + 0.5 - y, columns + 0.5 - x).min() < reach_px)


@pytest.mark.parametrize("i", range(1, 6))
def test_tips_lie_at_the_ends_of_their_toes_and_fingers(side: str, i: int) -> None:
    layout = sole(side)
    assert near(layout, f"toe{i}_tip", {TOES[i - 1]}, 1.5)
    tip_y = layout.landmarks[0, i - 1, 1]
    assert tip_y == pytest.approx(np.nonzero(layout.parts == TOES[i - 1])[0].min(), abs=2)
    assert near(hand(side, PALM_TO_CAMERA), f"finger{i}_tip", {FINGERS[i - 1]}, 1.5)


@pytest.mark.parametrize("i", range(1, 5))
def test_webs_lie_between_their_toes_and_fingers(side: str, i: int) -> None:
    layout = sole(side)
    assert near(layout, f"web{i}", {TOES[i - 1]}, 6)
    assert near(layout, f"web{i}", {TOES[i]}, 6)
    layout = hand(side, PALM_TO_CAMERA)
    assert near(layout, f"finger_web{i}", {PARTS.index("palm")}, 3)
    if i > 1:
        assert near(layout, f"finger_web{i}", {FINGERS[i - 1]}, 9)
        assert near(layout, f"finger_web{i}", {FINGERS[i]}, 9)


def test_heel_point_lies_on_the_heels_border() -> None:
    layout = sole("left")
    assert near(layout, "heel_point", {PARTS.index("heel")}, 2)
    assert layout.landmarks[0, 9, 1] == pytest.approx(np.nonzero(layout.parts)[0].max() + 1, abs=2.5)


def test_a_foot_has_no_finger_landmarks_and_a_hand_no_toes() -> None:
    assert np.isnan(sole("left").landmarks[0, 10:]).all()
    assert np.isnan(hand("left", PALM_TO_CAMERA).landmarks[0, :10]).all()


def test_left_and_right_are_mirror_images() -> None:
    left, right = sole("left", leg=LegShape()), sole("right", leg=LegShape())
    same = left.parts == right.parts[:, ::-1]
    assert same.mean() > 0.99
    swapped = np.array([0, 2, 1])[left.sides]
    assert (swapped == right.sides[:, ::-1]).mean() > 0.99
    mirrored = right.landmarks[0, :10, 0]
    np.testing.assert_allclose(left.landmarks[0, :10, 0], SHAPE[1] - mirrored, atol=1e-3)


def test_a_persons_left_sole_appears_on_the_right_of_the_picture() -> None:
    pair = [placed(foot(s), np.eye(3), np.array([x, 0, 0])) for s, x in (("left", -0.4), ("right", 0.4))]
    layout = seen(pair, at=(120.0, 155.0))
    left, right = (np.nonzero(layout.sides == SIDE_CODES.index(name))[1].mean() for name in ("left", "right"))
    assert left > right


def test_the_foot_ends_at_the_ankle_and_the_shin_behind_the_sole_is_other_skin() -> None:
    layout = seen([foot("right", leg=LegShape(top=3.0))], elevation=25.0, at=(120.0, 155.0))
    shin = layout.parts == PARTS.index("other_skin")
    assert np.count_nonzero(shin) > 500
    assert layout.along[shin].max() <= 1.02
    assert layout.along[layout.parts >= PARTS.index("toe1")].min() >= 0.98


def test_a_foot_cut_by_the_frame_has_landmarks_outside_that_are_not_visible() -> None:
    layout = seen([foot("left")], at=(120.0, 40.0))
    toes, heel = layout.landmarks[0, :5], layout.landmarks[0, 9]
    assert (toes[:, 1] < 0).all()
    assert (toes[:, 2] == 0).all()
    assert heel[2] == 1


def test_a_foot_behind_another_has_its_landmarks_hidden() -> None:
    pair = [foot("left"), placed(foot("left"), np.eye(3), np.array([0.0, 1.0, 0.0]), 0.9)]
    layout = seen(pair, at=(120.0, 165.0))
    assert layout.landmarks[0, 1:4, 2].sum() == 0
    assert layout.landmarks[1, 1:4, 2].sum() == 3


def test_a_missing_toe_has_neither_pixels_nor_landmarks() -> None:
    layout = sole("left", shape=replace(STRAIGHT, missing=frozenset({2})))
    assert area(layout, "toe3") == 0
    gone = [LANDMARKS.index(name) for name in ("toe3_tip", "web2", "web3")]
    assert np.isnan(layout.landmarks[0, gone]).all()
    assert area(layout, "toe2") > 0


def test_hallux_valgus_brings_the_great_toe_to_its_neighbour() -> None:
    bent = replace(STRAIGHT, toe_angle=(-25.0, -12.0, -6.0, -2.0, 0.0), bunion=0.8)
    assert sole("right", shape=bent).landmarks[0, 0, 0] < sole("right").landmarks[0, 0, 0] - 8


@pytest.mark.parametrize(
    ("elevation", "azimuth", "view"), [(0, 0, "plantar"), (90, 0, "distal"), (0, 90, "lateral"), (0, -90, "medial")]
)
def test_the_view_is_named(elevation: float, azimuth: float, view: str) -> None:
    assert seen([foot("right")], elevation=elevation, azimuth=azimuth, at=(120.0, 150.0)).views == (view,)


def test_from_the_side_the_sole_is_hardly_seen() -> None:
    layout = seen([foot("right", shape=FootShape(arch=0.0))], azimuth=90.0, at=(120.0, 150.0))
    sole_px = sum(area(layout, name) for name in ("ball", "arch", "heel"))
    assert area(layout, "dorsum") > 1.8 * sole_px
