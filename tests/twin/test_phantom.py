"""Drawn soles are feet: ten toes in order, parts that make a whole, left and right mirrored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from rewarm.errors import InvalidInputError
from rewarm.regions import LEGEND, SIDES, SOLE_REGIONS, TOES
from rewarm.twin import SolePose, SoleShape, draw_soles, random_sole, truth_labels

from .conftest import pair_of_soles

SEEDS = range(10)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_region_of_both_soles_is_there_in_one_piece(seed: int) -> None:
    drawn = pair_of_soles(seed)
    assert drawn.regions.limb == "feet"
    assert [item.name for item in drawn.regions.items] == [f"{s}_{r}" for s in SIDES for r in (*SOLE_REGIONS, "foot")]
    for item in drawn.regions.items:
        _, pieces = ndimage.label(item.mask)
        assert pieces == 1, item.name


@pytest.mark.parametrize("seed", SEEDS)
def test_regions_part_the_foot_without_overlap_or_gap(seed: int) -> None:
    drawn = pair_of_soles(seed)
    for side in SIDES:
        parts = np.stack([drawn.regions.get(side, name).mask for name in SOLE_REGIONS])
        np.testing.assert_array_equal(parts.sum(axis=0), drawn.regions.get(side, "foot").mask)
        soft = np.sum([*drawn.soles[side].coverage.values()], axis=0)
        assert soft.max() <= 1 + 1e-6
        assert parts.sum() == pytest.approx(soft.sum(), rel=0.02)


@pytest.mark.parametrize("seed", SEEDS)
def test_areas_are_those_of_feet(seed: int) -> None:
    drawn = pair_of_soles(seed)
    for side in SIDES:
        area = {name: float(drawn.soles[side].coverage[name].sum()) for name in SOLE_REGIONS}
        total = sum(area.values())
        toes = [area[name] for name in TOES]
        assert max(toes) == area["toe1"]
        assert 0.10 < sum(toes) / total < 0.20
        assert all(0.18 < area[zone] / total < 0.42 for zone in ("ball", "arch", "heel"))
        # a foot fills about two thirds of its length times its greatest breadth
        length = drawn.soles[side].shape.foot_length_mm / drawn.mm_per_px
        assert 0.6 < total / (length * length * drawn.soles[side].shape.breadth) < 0.85


@pytest.mark.parametrize("seed", SEEDS)
def test_toes_stand_in_order_and_their_tips_lie_beyond_their_webs(seed: int) -> None:
    drawn = pair_of_soles(seed)
    at = drawn.regions.landmarks
    for side, outward in (("left", 1), ("right", -1)):
        tips = np.array([at[f"{side}_{toe}_tip"] for toe in TOES])
        webs = np.array([at[f"{side}_web{i}"] for i in range(1, 5)])
        heel = np.array(at[f"{side}_heel_point"])
        assert np.all(np.diff(tips[:, 0]) * outward > 0)
        away = np.linalg.norm(tips - heel, axis=1)
        assert np.all(away[:4] > np.linalg.norm(webs - heel, axis=1))
        assert np.all(away[1:] > np.linalg.norm(webs - heel, axis=1))
        for i in range(4):
            assert (webs[i, 0] - tips[i, 0]) * outward > -5
            assert (tips[i + 1, 0] - webs[i, 0]) * outward > -5
        for toe, tip in zip(TOES, tips, strict=True):
            distance = ndimage.distance_transform_edt(~drawn.regions.get(side, toe).mask)
            assert distance[int(tip[1]), int(tip[0])] < 2
            centre = np.argwhere(drawn.regions.get(side, toe).mask).mean(axis=0)
            assert np.hypot(*(tip - heel)) > np.hypot(centre[1] - heel[0], centre[0] - heel[1])


@pytest.mark.parametrize("splay", [0.4, 0.8])
def test_webs_are_notches_between_toes(splay: float) -> None:
    drawn = draw_soles({"left": (SoleShape(splay=splay), SolePose(160, 220))})
    foot = drawn.regions.get("left", "foot").mask
    at = drawn.regions.landmarks
    for i in range(1, 5):
        x, y = at[f"left_web{i}"]
        shorter = max(at[f"left_toe{i}_tip"][1], at[f"left_toe{i + 1}_tip"][1])
        assert foot[int(y) + 3, int(x)]
        # somewhere between web and the shorter toe's tip the sheet shows between the two toes
        rows = slice(int(shorter) + 3, int(y))
        first, last = sorted((at[f"left_toe{i}_tip"][0], at[f"left_toe{i + 1}_tip"][0]))
        assert (~foot[rows, int(first) : int(last) + 1]).any(axis=1).any()


def test_the_left_foot_lies_on_the_right_of_the_picture_with_its_great_toe_towards_the_middle() -> None:
    drawn = draw_soles(
        {"left": (SoleShape(), SolePose(215, 220)), "right": (SoleShape(), SolePose(105, 220))}, shape=(240, 320)
    )
    x = {
        name: np.argwhere(drawn.regions.get(*name).mask)[:, 1].mean()
        for name in [(side, toe) for side in SIDES for toe in ("toe1", "toe5")]
    }
    assert x["right", "toe5"] < x["right", "toe1"] < 160 < x["left", "toe1"] < x["left", "toe5"]


def test_right_is_the_mirror_of_left() -> None:
    sole = random_sole(np.random.default_rng(3))
    left = draw_soles({"left": (sole, SolePose(160, 220, 7))})
    right = draw_soles({"right": (sole, SolePose(160, 220, -7))})
    for name in SOLE_REGIONS:
        mirrored = left.soles["left"].coverage[name][:, ::-1]
        np.testing.assert_allclose(right.soles["right"].coverage[name], mirrored, atol=0.13)
        assert abs(right.soles["right"].coverage[name] - mirrored).mean() < 1e-4
    for name, (x, y) in left.regions.landmarks.items():
        assert right.regions.landmarks[name.replace("left", "right")] == pytest.approx((320 - x, y))


@settings(max_examples=20, deadline=None)
@given(st.floats(-60, 60), st.floats(130, 150), st.floats(130, 150), st.sampled_from(SIDES))
def test_area_and_lengths_do_not_depend_on_pose(rotation: float, x: float, y: float, side: str) -> None:
    sole = SoleShape()
    at_rest = draw_soles({side: (sole, SolePose(140, 140))}, shape=(280, 280), mm_per_px=3.0)
    moved = draw_soles({side: (sole, SolePose(x, y, rotation))}, shape=(280, 280), mm_per_px=3.0)
    for name in SOLE_REGIONS:
        before, after = (drawn.soles[side].coverage[name].sum() for drawn in (at_rest, moved))
        assert after == pytest.approx(before, rel=0.03)
    marks = np.array([moved.regions.landmarks[f"{side}_{name}"] for name in ("heel_point", "toe1_tip")])
    still = np.array([at_rest.regions.landmarks[f"{side}_{name}"] for name in ("heel_point", "toe1_tip")])
    assert np.hypot(*(marks[1] - marks[0])) == pytest.approx(np.hypot(*(still[1] - still[0])))


def test_foot_length_in_the_picture_is_the_one_asked_for() -> None:
    drawn = draw_soles({"left": (SoleShape(foot_length_mm=240), SolePose(160, 230))}, mm_per_px=1.2)
    rows = np.nonzero(drawn.regions.get("left", "foot").mask.any(axis=1))[0]
    assert rows[-1] - rows[0] + 1 == pytest.approx(200, abs=2)


def test_a_high_arch_cuts_in_and_a_flat_one_does_not() -> None:
    areas = [
        draw_soles({"left": (SoleShape(arch_height=h), SolePose(160, 220))}).soles["left"].coverage["arch"].sum()
        for h in (0.0, 0.5, 1.0)
    ]
    assert areas[0] > 1.05 * areas[1] > 1.1 * areas[2]


def test_the_frame_cuts_a_foot_off() -> None:
    drawn = draw_soles({"right": (SoleShape(), SolePose(100, 330))})
    assert drawn.regions.limb == "right_foot"
    assert not drawn.regions.get("right", "heel").mask.any()
    assert drawn.regions.get("right", "toe1").mask.any()


def test_labels_use_the_legend() -> None:
    drawn = pair_of_soles(0)
    labels = truth_labels(drawn)
    assert labels.dtype == np.uint8
    assert set(np.unique(labels)) == {0} | {LEGEND[f"{side}_{name}"] for side in SIDES for name in SOLE_REGIONS}
    np.testing.assert_array_equal(labels, drawn.regions.label_image())


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="side: expected one of left, right; found 'port'"):
        draw_soles({"port": (SoleShape(), SolePose(1, 1))})
    with pytest.raises(InvalidInputError, match="expected one sole or two; found none"):
        draw_soles({})
    with pytest.raises(InvalidInputError, match="expected positive figures"):
        draw_soles({"left": (SoleShape(), SolePose(1, 1))}, mm_per_px=0)
