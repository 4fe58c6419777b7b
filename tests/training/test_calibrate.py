"""Confidences from regions that err together: what is promised comes, on scenes that were not looked at."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from rewarm.anatomy.confidence import Curve
from rewarm.twin.scenes import ORDINARY
from training.calibrate import FEWEST, curve, gathered, groups_of
from training.data import held_out_scenes


def regions(random: np.random.Generator, scenes: int, each: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Signs, right or wrong, and scenes of hands: one sign tells a little, luck is the same for all of a hand."""
    signs = random.normal(size=(scenes * each, 7))
    scene = np.repeat(np.arange(scenes), each)
    luck = np.repeat(random.normal(scale=2.0, size=scenes), each)
    right = signs[:, 0] + luck + random.normal(size=len(signs)) > 0.8
    return signs, right, scene


def promised(fitted: dict, signs: np.ndarray) -> np.ndarray:
    own = Curve(**{name: np.array(value) if name != "bias" else value for name, value in fitted.items()})
    return np.array([own.probability(sign) for sign in signs])


def test_what_is_called_likely_is_right_as_often_as_said() -> None:
    random = np.random.default_rng(4)
    said, came = [], []
    for _ in range(20):
        fitted = curve(*regions(random, 100))
        signs, right, _ = regions(random, 200)
        chance = promised(fitted, signs)
        likely = chance >= np.quantile(chance, 0.8)
        said.append(chance[likely].mean())
        came.append(right[likely].mean())
    assert np.mean(said) == pytest.approx(np.mean(came), abs=0.05)
    assert np.mean(said) <= np.mean(came) + 0.01


def test_groups_hold_every_region_once_in_order_and_enough_scenes() -> None:
    random = np.random.default_rng(0)
    score, scenes = random.normal(size=900), random.integers(0, 150, 900)
    groups = groups_of(score, scenes)
    np.testing.assert_array_equal(np.sort(np.concatenate(groups)), np.arange(900))
    assert len(groups) > 10
    assert all(len(np.unique(scenes[group])) >= FEWEST for group in groups)
    assert all(score[low].max() <= score[high].min() for low, high in pairwise(groups))


def test_a_few_scenes_make_one_group() -> None:
    assert [len(group) for group in groups_of(np.arange(40.0), np.arange(40) % 8)] == [40]


def test_shares_never_fall_and_keep_away_from_one() -> None:
    signs = np.linspace(-1.0, 1.0, 400)[:, None] * np.ones(7)
    fitted = curve(signs, signs[:, 0] > 0.0, np.arange(400))
    assert fitted["shares"] == sorted(fitted["shares"])
    assert 0.9 < fitted["shares"][-1] < 1.0


def test_processes_gather_what_one_gathers(tmp_path: Path) -> None:
    scenes = held_out_scenes(tmp_path, 3, seed=5, ranges=ORDINARY)
    alone, shared = gathered(scenes), gathered(scenes, processes=2)
    assert len(alone["foot"][0]) >= 2
    for kind, (signs, scores, numbers) in alone.items():
        np.testing.assert_allclose(shared[kind][0], signs, atol=1e-6)
        np.testing.assert_allclose(shared[kind][1], scores, atol=1e-9)
        np.testing.assert_array_equal(shared[kind][2], numbers)
