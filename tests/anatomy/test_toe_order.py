"""Toes in order, on maps drawn here: the answer is known without any network."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rewarm.anatomy.network import LANDMARKS, PARTS, SIDES
from rewarm.anatomy.network_input import NETWORK_SHAPE
from rewarm.anatomy.toe_order import BINS, TOES, WEBS, in_order, segmented

Image = NDArray[np.float32]
HALF = (NETWORK_SHAPE[0] // 2, NETWORK_SHAPE[1] // 2)
WIDTHS = (16, 10, 10, 10, 10)
TOP, TALL = 40, 20


def foot(
    x: int = 60, side: str = "left", numbers: tuple[int, ...] = (1, 2, 3, 4, 5), sure: float = 0.9
) -> tuple[Image, Image, Image, Image]:
    """Maps of a sole of 56 × 100 pixels with toes of these numbers, and the truth; the great toe is 16 wide."""
    parts = np.full((len(PARTS), *NETWORK_SHAPE), 0.001, np.float32)
    truth = np.zeros(NETWORK_SHAPE, np.uint8)
    widths = [WIDTHS[number - 1] for number in numbers]
    edges = x + np.cumsum([0, *(widths if side == "left" else widths[::-1])])
    order = numbers if side == "left" else numbers[::-1]
    for number, first, behind in zip(order, edges, edges[1:], strict=False):
        truth[TOP : TOP + TALL, first:behind] = PARTS.index(f"toe{number}")
    truth[TOP + TALL : TOP + 100, x : x + sum(widths)] = PARTS.index("ball")
    np.put_along_axis(parts, truth[None].astype(np.intp), np.float32(sure), axis=0)
    sides = np.full((len(SIDES), *HALF), 0.02, np.float32)
    sides[SIDES.index(side)] = 0.96
    return parts, sides, np.zeros((len(LANDMARKS), *HALF), np.float32), truth


def exchange(parts: Image, where: NDArray[np.bool_], one: str, other: str, share: float) -> None:
    """There the network takes toe ``one`` for ``other``, with this share of its probability."""
    whole = parts[PARTS.index(one)][where].copy()
    parts[PARTS.index(one)][where] = (1.0 - share) * whole
    parts[PARTS.index(other)][where] = share * whole


def toe_numbers(parts: Image, truth: NDArray[np.uint8]) -> NDArray[np.intp]:
    return np.where(truth > 0, parts[TOES].argmax(axis=0) + TOES.start, 0)[TOP : TOP + TALL]


@pytest.mark.parametrize("side", ["left", "right"])
def test_toes_that_are_in_order_stay(side: str) -> None:
    parts, sides, landmarks, truth = foot(side=side)
    found = toe_numbers(in_order(parts, sides, landmarks), truth)
    assert (found == truth[TOP : TOP + TALL]).mean() > 0.99


def test_a_piece_with_the_number_of_a_far_toe_gets_its_place() -> None:
    parts, sides, landmarks, truth = foot()
    third = np.flatnonzero(truth[TOP] == PARTS.index("toe3"))
    piece = np.zeros(NETWORK_SHAPE, bool)
    piece[TOP : TOP + 8, third[2:8]] = True
    exchange(parts, piece, "toe3", "toe5", 0.6)
    assert (parts[TOES].argmax(axis=0)[piece] == 4).all()
    assert (in_order(parts, sides, landmarks)[TOES].argmax(axis=0)[piece] == 2).all()


def test_a_web_says_where_two_toes_part_that_the_network_cannot_tell_apart() -> None:
    parts, sides, landmarks, truth = foot()
    both = (truth == PARTS.index("toe2")) | (truth == PARTS.index("toe3"))
    parts[3:5, both] = 0.45
    columns = np.flatnonzero(both[TOP])
    for web in (columns[6], columns[13]):
        heat = landmarks.copy()
        heat[WEBS.start + 1, (TOP + TALL) // 2 - 1, web // 2] = 0.8
        found = in_order(parts, sides, heat)[TOES].argmax(axis=0)[TOP + 10, columns]
        assert set(found[columns < web - 2]) == {1}
        assert set(found[columns > web + 2]) == {2}


def test_what_a_pixels_toes_have_together_stays_and_so_does_all_else() -> None:
    parts, sides, landmarks, truth = foot()
    exchange(parts, truth == PARTS.index("toe4"), "toe4", "toe2", 0.4)
    before = parts.copy()
    ordered = in_order(parts, sides, landmarks)
    np.testing.assert_array_equal(parts, before)
    np.testing.assert_allclose(ordered[TOES].sum(axis=0), parts[TOES].sum(axis=0), rtol=1e-5)
    others = np.delete(np.arange(len(PARTS)), np.arange(TOES.start, TOES.stop))
    np.testing.assert_array_equal(ordered[others], parts[others])
    assert not np.array_equal(ordered[TOES], parts[TOES])


def test_a_foot_of_which_not_all_toes_are_in_view_is_left_as_the_network_said() -> None:
    parts, sides, landmarks, _ = foot(numbers=(1, 2, 3))
    assert in_order(parts, sides, landmarks) is parts


def test_two_feet_that_touch_are_ordered_one_by_one() -> None:
    parts, sides, landmarks, truth = foot(x=100)
    other, _, _, more = foot(x=44, side="right")
    own = more > 0
    parts[:, own] = other[:, own]
    sides[:, :, :50] = sides[[0, 2, 1], :, :50]
    truth[own] = more[own]
    found = toe_numbers(in_order(parts, sides, landmarks), truth)
    assert (found == truth[TOP : TOP + TALL]).mean() > 0.98


def test_nothing_to_order_is_given_back() -> None:
    parts, sides, landmarks, _ = foot(numbers=())
    assert in_order(parts, sides, landmarks) is parts


def test_the_segments_shares_add_up_and_follow_each_other() -> None:
    shares = segmented(np.zeros((5, BINS)), np.zeros((4, BINS + 1)))
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, atol=1e-4)
    centres = (shares * np.arange(BINS)).sum(axis=1) / shares.sum(axis=1)
    assert (np.diff(centres) > 3.0).all()
    assert shares[0, 0] > 0.98
    assert shares[4, -1] > 0.98
