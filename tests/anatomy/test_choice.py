"""Where the network takes an outline's toe for another part of the foot, the toe is less sure."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rewarm.anatomy.choice import doubt_toes
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
