"""Which of two drawings of a foot is taken, and how sure an outline's toes are where the network doubts them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rewarm.anatomy.choice import choose_foot, doubt_toes, no_foot_twice
from rewarm.anatomy.found import FoundLimb
from rewarm.anatomy.network import LANDMARKS, PARTS, Prediction
from rewarm.anatomy.network_input import NETWORK_SHAPE, fitting_of
from rewarm.regions import TOES

HALF = (NETWORK_SHAPE[0] // 2, NETWORK_SHAPE[1] // 2)


def outlined() -> FoundLimb:
    """Five toes of 20 × 16 pixels beside each other, 0.8 sure."""
    parts = {}
    for number, toe in enumerate(TOES):
        mask = np.zeros(NETWORK_SHAPE, dtype=bool)
        mask[50:70, 40 + 16 * number : 56 + 16 * number] = True
        parts[toe] = (mask, 0.8, "")
    return FoundLimb(parts, {}, "geometry")


def seen(names: list[str], *, probability: float = 1.0, shift_px: int = 0) -> Prediction:
    """The network calls the outline's toes ``names``, and the rest of these pixels "surroundings"."""
    parts = np.zeros((len(PARTS), *NETWORK_SHAPE), dtype=np.float32)
    for number, name in enumerate(names):
        columns = slice(40 + 16 * number + shift_px, 56 + 16 * number + shift_px)
        parts[PARTS.index(name), 50:70, columns] += probability
    parts[0] = 1.0 - parts.sum(axis=0)
    none: NDArray[np.float32] = np.zeros((3, *HALF), dtype=np.float32)
    return Prediction(parts, none, np.zeros((len(LANDMARKS), *HALF), dtype=np.float32), fitting_of(NETWORK_SHAPE))


def confidences(prediction: Prediction) -> list[float]:
    return [doubt_toes(outlined(), prediction).parts[toe][1] for toe in TOES]


@pytest.mark.parametrize("shift_px", [-2, 0, 2])
def test_toes_on_which_both_agree_to_a_few_pixels_stay_as_sure(shift_px: int) -> None:
    assert confidences(seen(list(TOES), shift_px=shift_px)) == [0.8] * 5


def test_a_toe_taken_for_another_part_is_not_sure_at_all_and_says_why() -> None:
    shifted = ["ball", "toe1", "toe2", "toe3", "toe4"]
    doubted = doubt_toes(outlined(), seen(shifted))
    for toe, rival in zip(TOES, shifted, strict=True):
        mask, sure, reason = doubted.parts[toe]
        assert sure == 0.0
        assert rival in reason
        assert mask.any()


def test_what_is_left_is_twice_the_toes_share_of_the_two() -> None:
    mostly_ball = seen(list(TOES), probability=0.25)
    mostly_ball.network_parts[PARTS.index("ball"), 50:70, 40:56] = 0.75
    assert confidences(mostly_ball) == pytest.approx([0.4, 0.8, 0.8, 0.8, 0.8])


def test_no_toe_becomes_less_sure_where_the_network_sees_no_foot() -> None:
    assert confidences(seen([])) == [0.8] * 5


def foot(rows: slice, *, sure: float, by: str = "outline") -> FoundLimb:
    """A foot of 40 columns over ``rows``."""
    mask = np.zeros(NETWORK_SHAPE, dtype=bool)
    mask[rows, 40:80] = True
    return FoundLimb({"foot": (mask, sure, "")}, {}, by)


def sees(rows: slice) -> Prediction:
    """The network sees a foot's arch over ``rows``, and nothing elsewhere."""
    prediction = seen([])
    parts = prediction.network_parts
    parts[:, rows, 40:80] = 0.0
    parts[PARTS.index("arch"), rows, 40:80] = 1.0
    return prediction


ALL, MOST, HALF_OF_IT, ELSEWHERE = slice(20, 120), slice(23, 120), slice(70, 120), slice(125, 190)
NETWORK = "network"


@pytest.mark.parametrize(
    ("outlined", "network_sure", "taken"),
    [
        (foot(MOST, sure=0.9), 0.9, "outline"),  # the same foot: the finer drawing
        (foot(HALF_OF_IT, sure=0.99), 0.9, NETWORK),  # half a foot, along a border of warmth
        (foot(MOST, sure=0.4), 0.9, NETWORK),  # not like a foot
        (foot(HALF_OF_IT, sure=0.9), 0.3, "outline"),  # the network is not sure, and sees a foot there
        (foot(ELSEWHERE, sure=0.9), 0.3, NETWORK),  # and none there
        (foot(slice(108, 128), sure=0.9), 0.3, NETWORK),  # mostly on that foot, and yet another one
    ],
)
def test_an_outline_counts_where_the_network_sees_that_foot(
    outlined: FoundLimb, network_sure: float, taken: str
) -> None:
    own = {"left": foot(ALL, sure=network_sure, by=NETWORK)}
    chosen = choose_foot("left", outlined, own, sees(ALL), cut_out=False)
    assert chosen is not None
    assert chosen.drawn_by == taken


def test_an_outline_counts_where_the_network_cannot_tell_the_pixels_in_which_both_differ() -> None:
    own = {"left": foot(ALL, sure=0.9, by=NETWORK)}
    prediction = sees(ALL)
    prediction.network_parts[:, 20:70, 40:80] = 0.0
    prediction.network_parts[PARTS.index("arch"), 20:70, 40:80] = 0.7
    prediction.network_parts[PARTS.index("other_skin"), 20:70, 40:80] = 0.3
    chosen = choose_foot("left", foot(HALF_OF_IT, sure=0.9), own, prediction, cut_out=False)
    assert chosen is not None
    assert chosen.drawn_by == "outline"


def test_an_outline_of_the_other_foot_is_not_a_second_one() -> None:
    other = {"right": foot(ALL, sure=0.9, by=NETWORK)}
    assert choose_foot("left", foot(HALF_OF_IT, sure=0.95), other, sees(ALL), cut_out=False) is None


def test_a_foot_that_only_outlines_see_is_measured_where_the_network_agrees_that_it_is_one() -> None:
    alone = choose_foot("left", foot(ALL, sure=0.9), {}, sees(ALL), cut_out=False)
    assert alone is not None
    assert alone.parts["foot"][1] == 0.9
    doubted = choose_foot("left", foot(ALL, sure=0.9), {}, sees(ELSEWHERE), cut_out=False)
    assert doubted is not None
    mask, sure, reason = doubted.parts["foot"]
    assert sure < 0.5
    assert not mask.any()
    assert "outline like a foot's" in reason


def test_one_foot_is_not_given_to_both_sides() -> None:
    sure, less = foot(ALL, sure=0.9), foot(MOST, sure=0.6, by=NETWORK)
    assert list(no_foot_twice({"left": less, "right": sure})) == ["right"]
    both = {"left": sure, "right": foot(ELSEWHERE, sure=0.6)}
    assert no_foot_twice(both) == both


def test_a_silhouette_that_was_cut_out_is_exact() -> None:
    own = {"left": foot(ALL, sure=0.9, by=NETWORK)}
    chosen = choose_foot("left", foot(HALF_OF_IT, sure=0.8), own, sees(ALL), cut_out=True)
    assert chosen is not None
    assert chosen.drawn_by == "outline"
