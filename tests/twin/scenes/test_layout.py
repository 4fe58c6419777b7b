"""Random layouts keep their contract, repeat by seed, and hold the scenes they should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rewarm.errors import InvalidInputError
from rewarm.twin.scenes import BARE_LEGS, HELD_OUT, ORDINARY, PARTS, TRAINING, Layout, Ranges, random_layout


@pytest.fixture(scope="module")
def layouts() -> list[Layout]:
    return [random_layout(np.random.default_rng(seed), (TRAINING, HELD_OUT)[seed % 2]) for seed in range(120)]


def test_every_layout_keeps_the_contract(layouts: list[Layout]) -> None:
    for layout in layouts:
        assert layout.parts.shape == layout.sides.shape == layout.limbs.shape == (192, 256)
        assert layout.parts.dtype == layout.sides.dtype == layout.limbs.dtype == np.uint8
        assert layout.along.dtype == layout.facing.dtype == layout.landmarks.dtype == np.float32
        skin = layout.parts > 0
        assert (np.isfinite(layout.along) == skin).all()
        assert (np.isfinite(layout.facing) == skin).all()
        assert (layout.limbs[skin] > 0).all()
        assert layout.limbs.max() <= len(layout.kinds) == len(layout.views) == len(layout.landmarks)
        assert layout.parts.max() < len(PARTS)
        if skin.any():
            assert 0 <= layout.along[skin].min() <= layout.along[skin].max() <= 2
            assert 0 <= layout.facing[skin].min() <= layout.facing[skin].max() <= 1


def test_sides_are_nonzero_exactly_on_feet_and_hands(layouts: list[Layout]) -> None:
    for layout in layouts:
        assert ((layout.sides > 0) == (layout.parts >= PARTS.index("toe1"))).all()


def test_kinds_agree_with_parts(layouts: list[Layout]) -> None:
    for layout in layouts:
        for number, kind in enumerate(layout.kinds, start=1):
            parts = layout.parts[layout.limbs == number]
            feet = ((parts >= PARTS.index("toe1")) & (parts <= PARTS.index("dorsum"))).any()
            hands = (parts >= PARTS.index("finger1")).any()
            assert not (feet and hands)
            assert (kind == "foot") == feet
            assert (kind == "hand") == hands


def test_visible_landmarks_lie_in_the_picture_on_or_beside_their_limb(layouts: list[Layout]) -> None:
    for layout in layouts:
        for number, marks in enumerate(layout.landmarks, start=1):
            for x, y, _ in marks[marks[:, 2] == 1]:
                assert 0 <= x < 256
                assert 0 <= y < 192
                around = layout.limbs[max(int(y) - 3, 0) : int(y) + 4, max(int(x) - 3, 0) : int(x) + 4]
                assert (around == number).any()


def test_a_seed_repeats_its_layout() -> None:
    first, again = (random_layout(np.random.default_rng(5)) for _ in range(2))
    other = random_layout(np.random.default_rng(6))
    for name in ("parts", "sides", "limbs", "along", "facing", "landmarks"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert (first.parts != other.parts).any()


def test_the_kinds_of_scene_are_all_there(layouts: list[Layout]) -> None:
    kinds = [set(layout.kinds) for layout in layouts]
    assert sum("foot" in kind for kind in kinds) > 0.6 * len(kinds)
    assert sum("hand" in kind for kind in kinds) > 0.08 * len(kinds)
    assert any(not kind for kind in kinds)
    views = {view for layout in layouts for view in layout.views}
    assert {"plantar", "dorsal", "medial", "lateral", "distal", "palmar"} <= views
    assert {side for layout in layouts for side in np.unique(layout.sides)} == {0, 1, 2}


def test_another_shape_is_kept_and_too_small_a_one_is_refused() -> None:
    assert random_layout(np.random.default_rng(1), shape=(120, 90)).parts.shape == (120, 90)
    with pytest.raises(InvalidInputError, match="expected at least 32 rows and columns; found \\(16, 40\\)"):
        random_layout(np.random.default_rng(1), shape=(16, 40))


def test_held_out_ranges_differ_from_the_training_ones() -> None:
    assert isinstance(HELD_OUT, Ranges)
    for name in ("breadth", "toe_girth", "leg_length", "hand_breadth"):
        train, held = getattr(TRAINING.anatomy, name), getattr(HELD_OUT.anatomy, name)
        assert held[1] > train[1] > held[0], name


def feet_at_the_border(ranges: Ranges, seeds: range) -> int:
    """In how many layouts a foot reaches the outermost pixels."""
    count = 0
    for seed in seeds:
        parts = random_layout(np.random.default_rng(seed), ranges, shape=(96, 128)).parts
        border = np.concatenate((parts[0], parts[-1], parts[:, 0], parts[:, -1]))
        count += bool(((border >= PARTS.index("toe1")) & (border <= PARTS.index("dorsum"))).any())
    return count


def test_no_foot_of_an_ordinary_scene_is_cut_by_the_frame() -> None:
    seeds = range(60)
    assert feet_at_the_border(ORDINARY, seeds) == 0
    aimed_once = replace(ORDINARY, cameras=replace(ORDINARY.cameras, whole_feet=False))
    assert feet_at_the_border(aimed_once, seeds) > 5


def test_a_foot_too_large_for_the_picture_is_seen_from_farther_away() -> None:
    close = replace(ORDINARY, cameras=replace(ORDINARY.cameras, usual_size=(2.0, 2.5), large_share=0.0))
    assert feet_at_the_border(close, range(20)) == 0
    for seed in range(20):
        parts = random_layout(np.random.default_rng(seed), close, shape=(96, 128)).parts
        assert (parts >= PARTS.index("toe1")).sum() > 200


def test_bare_legs_stand_behind_soles() -> None:
    layouts = [random_layout(np.random.default_rng(seed), BARE_LEGS, shape=(96, 128)) for seed in range(40)]
    sole = [PARTS.index(name) for name in ("ball", "arch", "heel")]
    soles = [np.isin(layout.parts, sole).sum() for layout in layouts]
    backs = [(layout.parts == PARTS.index("dorsum")).sum() for layout in layouts]
    legs = [(layout.parts == PARTS.index("other_skin")).sum() for layout in layouts]
    assert np.mean(np.array(soles) > np.array(backs)) > 0.9
    assert np.mean(np.array(legs) > 0.3 * np.array(soles)) > 0.7
    assert any("other" in layout.kinds for layout in layouts)
