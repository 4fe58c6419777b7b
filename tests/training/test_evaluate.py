"""Figures of scenes whose answer is known."""

import numpy as np
import pytest

from training.data import NETWORK_SHAPE, PARTS, Example
from training.evaluate import one_pixel_off


def test_one_pixel_costs_a_small_part_more_than_a_large_one():
    parts = np.zeros(NETWORK_SHAPE, np.uint8)
    parts[10:20, 10:20], parts[50:90, 50:90] = PARTS.index("toe1"), PARTS.index("ball")
    scene = Example(np.zeros(NETWORK_SHAPE, np.float32), parts, parts, np.zeros((1, 19, 3), np.float32))
    figures = one_pixel_off([scene])
    assert figures["dice_toe1_one_pixel_off"] == pytest.approx(0.9)
    assert figures["dice_ball_one_pixel_off"] == pytest.approx(0.975)
    assert "dice_toe2_one_pixel_off" not in figures
