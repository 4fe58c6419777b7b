"""Soles and a study made once for all tests of the twin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rewarm.twin import DrawnSoles, SolePose, draw_soles, random_sole, simulate_case_series


def pair_of_soles(seed: int) -> DrawnSoles:
    rng = np.random.default_rng(seed)
    sole = random_sole(rng)
    left = SolePose(205 + rng.uniform(-5, 5), 218, rng.uniform(-3, 12))
    right = SolePose(115 + rng.uniform(-5, 5), 218, rng.uniform(-12, 3))
    return draw_soles({"left": (sole, left), "right": (sole, right)})


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_case_series(tmp_path_factory.mktemp("twin") / "study")
