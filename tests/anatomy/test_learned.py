"""From maps to limbs: the maps are drawn here, so that the answer is known without any network."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rewarm.anatomy.frames import foot_coordinates
from rewarm.anatomy.learned import SIGNS, SeenLimb, seen_limbs
from rewarm.anatomy.network import LANDMARKS, PARTS, SIDES, Prediction
from rewarm.anatomy.network_input import NETWORK_SHAPE, fitting_of
from rewarm.regions import TOES

ROWS, COLUMNS = NETWORK_SHAPE
Codes = NDArray[np.uint8]


def blank() -> tuple[Codes, Codes]:
    return np.zeros(NETWORK_SHAPE, np.uint8), np.zeros(NETWORK_SHAPE, np.uint8)


def draw_sole(parts: Codes, sides: Codes, *, side: str, x: int, y: int = 40, size: int = 1) -> None:
    """A sole of 30 × 100 pixels, toes up, its corner at (x, y): five toes of 6 × 16, then ball, arch, heel."""
    order = range(5) if side == "left" else range(4, -1, -1)  # the left great toe points to the left
    for place, toe in enumerate(order):
        left = x + 6 * size * place
        parts[y : y + 16 * size, left : left + 6 * size - 1] = PARTS.index(f"toe{toe + 1}")
    for number, name in enumerate(("ball", "arch", "heel")):
        top = y + (16 + 28 * number) * size
        parts[top : top + 28 * size, x : x + 30 * size] = PARTS.index(name)
    foot = parts[y : y + 100 * size, x : x + 30 * size] > 0
    sides[y : y + 100 * size, x : x + 30 * size][foot] = SIDES.index(side)


def prediction(
    parts: Codes, sides: Codes, *, sure: float = 0.96, landmarks: dict[str, tuple[int, int]] | None = None
) -> Prediction:
    """Maps that give each pixel's part the probability ``sure``; peaks at (x, y)."""
    maps = np.full((len(PARTS), *NETWORK_SHAPE), (1.0 - sure) / (len(PARTS) - 1), np.float32)
    np.put_along_axis(maps, parts[None].astype(np.intp), np.float32(sure), axis=0)
    half = sides[::2, ::2]
    side_maps = np.full((len(SIDES), *half.shape), 0.02, np.float32)
    np.put_along_axis(side_maps, half[None].astype(np.intp), np.float32(0.96), axis=0)
    heat = np.zeros((len(LANDMARKS), *half.shape), np.float32)
    for name, (x, y) in (landmarks or {}).items():
        heat[LANDMARKS.index(name), y // 2, x // 2] = 0.9
    return Prediction(maps, side_maps, heat, fitting_of(NETWORK_SHAPE))


def two_soles() -> tuple[Codes, Codes]:
    parts, sides = blank()
    draw_sole(parts, sides, side="left", x=150)
    draw_sole(parts, sides, side="right", x=70)
    return parts, sides


def by_side(limbs: list[SeenLimb]) -> dict[str, SeenLimb]:
    return {limb.side: limb for limb in limbs}


def test_two_soles_come_back_with_their_sides_and_parts() -> None:
    parts, sides = two_soles()
    limbs, warnings = seen_limbs(prediction(parts, sides), "foot")
    assert warnings == []
    assert sorted(by_side(limbs)) == ["left", "right"]
    for side, limb in by_side(limbs).items():
        own = sides == SIDES.index(side)
        assert limb.side_share > 0.9
        for name in (*TOES, "ball", "arch", "heel"):
            np.testing.assert_array_equal(limb.parts[name], own & (parts == PARTS.index(name)), err_msg=name)
        assert not limb.parts["dorsum"].any()
        assert set(limb.signs) == {"limb", *TOES, "ball", "arch", "heel"}
        assert all(values.shape == (len(SIGNS),) and np.isfinite(values).all() for values in limb.signs.values())


def test_the_parts_do_not_overlap_and_together_are_the_limb() -> None:
    limbs, _ = seen_limbs(prediction(*two_soles()), "foot")
    for limb in limbs:
        np.testing.assert_array_equal(np.sum(list(limb.parts.values()), axis=0), limb.mask.astype(int))


def test_feet_that_touch_are_told_apart_by_their_sides() -> None:
    parts, sides = blank()
    draw_sole(parts, sides, side="left", x=130)
    draw_sole(parts, sides, side="right", x=100)
    limbs, _ = seen_limbs(prediction(parts, sides), "foot")
    found = by_side(limbs)
    for side in ("left", "right"):
        own = sides == SIDES.index(side)
        assert (found[side].mask & own).sum() > 0.98 * own.sum()
        assert (found[side].mask & ~own).sum() < 0.02 * own.sum()


def test_toes_that_something_cuts_off_still_belong_to_their_foot() -> None:
    parts, sides = two_soles()
    parts[58:64] = 0  # an electrode's cable across both balls
    sides[58:64] = 0
    limbs, warnings = seen_limbs(prediction(parts, sides), "foot")
    assert warnings == []
    assert all(limb.parts["toe3"].any() and limb.parts["heel"].any() for limb in limbs)


def test_a_crumb_of_a_toe_goes_to_what_surrounds_it() -> None:
    parts, sides = two_soles()
    own = (sides == SIDES.index("left")) & (parts == PARTS.index("heel"))
    row, column = np.argwhere(own).mean(axis=0).astype(int)
    parts[row : row + 3, column : column + 3] = PARTS.index("toe2")
    limbs, _ = seen_limbs(prediction(parts, sides), "foot")
    left = by_side(limbs)["left"]
    assert left.parts["heel"][row : row + 3, column : column + 3].all()
    assert left.parts["toe2"].sum() == ((sides == SIDES.index("left")) & (parts == PARTS.index("toe2"))).sum() - 9


def test_a_third_foot_is_told() -> None:
    parts, sides = two_soles()
    draw_sole(parts, sides, side="left", x=20)
    limbs, warnings = seen_limbs(prediction(parts, sides), "foot")
    assert len(limbs) == 2
    assert len(warnings) == 1
    assert warnings[0].startswith("3 feet seem to be in the picture")


def test_nothing_is_seen_where_nothing_is() -> None:
    assert seen_limbs(prediction(*blank()), "foot") == ([], [])
    assert seen_limbs(prediction(*two_soles()), "hand") == ([], [])


def test_a_landmark_is_taken_where_it_belongs_and_nowhere_else() -> None:
    parts, sides = two_soles()
    found, _ = seen_limbs(prediction(parts, sides, landmarks={"toe1_tip": (152, 41), "heel_point": (20, 180)}), "foot")
    left = by_side(found)["left"]
    assert set(left.landmarks) == {"toe1_tip"}
    assert left.landmarks["toe1_tip"] == pytest.approx((153, 41), abs=1.5)
    assert not by_side(found)["right"].landmarks


def test_of_a_cut_out_picture_every_pixel_of_the_silhouette_is_named() -> None:
    parts, sides = two_soles()
    silhouette = parts > 0
    faint = parts.copy()
    faint[40:48] = 0  # the network misses the tips
    limbs, _ = seen_limbs(prediction(faint, sides), "foot", cut_out=silhouette)
    union = np.logical_or.reduce([limb.mask for limb in limbs])
    np.testing.assert_array_equal(union, silhouette)


@pytest.mark.parametrize("turned", [0, 1, 2, 3])
def test_foot_coordinates_grow_from_heel_to_toes_and_from_the_inner_to_the_outer_side(turned: int) -> None:
    for side, x in (("left", 150), ("right", 70)):
        parts, sides = blank()
        draw_sole(parts, sides, side=side, x=x)
        limb = by_side(seen_limbs(prediction(parts, sides), "foot")[0])[side]
        limb = SeenLimb(
            np.rot90(limb.mask, turned),
            side,
            1.0,
            {name: np.rot90(mask, turned) for name, mask in limb.parts.items()},
            {},
            {},
        )
        points = foot_coordinates(limb, view="plantar")
        assert points is not None
        place = {name: points[mask[limb.mask]].mean(axis=0) for name, mask in limb.parts.items() if mask.any()}
        assert place["toe1"][0] < place["toe2"][0] < place["toe5"][0]
        assert place["heel"][1] < place["arch"][1] < place["ball"][1] < place["toe3"][1]
        assert np.ptp(points[:, 1]) == pytest.approx(1.0)


def test_without_toes_side_and_view_tell_the_inner_side() -> None:
    parts, sides = blank()
    draw_sole(parts, sides, side="left", x=150)
    limb = by_side(seen_limbs(prediction(parts, sides), "foot")[0])["left"]
    bare = {name: mask if not name.startswith("toe") else np.zeros_like(mask) for name, mask in limb.parts.items()}
    mask = np.logical_or.reduce(list(bare.values()))
    points = foot_coordinates(SeenLimb(mask, "left", 1.0, bare, {}, {}), view="plantar")
    assert points is not None
    columns = np.nonzero(mask)[1]
    assert np.corrcoef(columns, points[:, 0])[0, 1] > 0.99  # the outer side of a left sole is on the right


def test_a_foot_without_direction_has_no_coordinates() -> None:
    mask = np.zeros((40, 40), bool)
    mask[10:30, 10:30] = True
    names = (*TOES, "ball", "arch", "heel", "dorsum")
    parts = {name: mask if name == "ball" else np.zeros_like(mask) for name in names}
    assert foot_coordinates(SeenLimb(mask, "left", 1.0, parts, {}, {}), view="plantar") is None
