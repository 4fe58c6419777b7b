"""The command that asks why the toes are warmer, as a user meets it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from rewarm.effects.mechanism import MECHANISMS

Run = Callable[..., tuple[int, str, str]]

PLAN = """question = "Block or dilation?"
[design]
kind = "split_limb"
control = "untreated_limb"
[[group]]
n = 2
condition = "primary_raynaud"
nerve_block = 0.8
[toxin]
side = "random"
[visits]
weeks = [0, 6]
[room]
mean_c = 23.0
sd_c = 0.3
[pictures]
kind = "none"
rewarming = true
"""


@pytest.fixture
def measured(run: Run, tmp_path: Path) -> Path:
    """A study of two people, measured after cold water before and after."""
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN, encoding="utf-8")
    status, _, errors = run("simulate", plan, "-o", tmp_path / "study")
    assert status == 0, errors
    return tmp_path / "study"


def test_each_person_gets_probabilities_and_the_recording_that_would_tell_more(run: Run, measured: Path) -> None:
    status, text, _ = run("mechanism", measured, "-o", measured.parent / "why")
    assert status == 0
    assert text.count("nerve block ") == 2
    table = pd.read_csv(measured.parent / "why" / "mechanism.csv")
    assert set(table["outcome"]) == set(MECHANISMS)
    assert table.groupby("who")["estimate"].sum().to_numpy() == pytest.approx(1.0, abs=1e-6)
    assert set(table["estimand"]) == {"mechanism"}


def test_without_injections_nobody_has_a_mechanism(run: Run, measured: Path) -> None:
    (measured / "injections.csv").unlink()
    status, text, errors = run("mechanism", measured, "-o", measured.parent / "why")
    assert (status, text) == (2, "")
    assert "expected injections.csv, which says whose toes were treated; found none" in errors
    assert not (measured.parent / "why").exists()
