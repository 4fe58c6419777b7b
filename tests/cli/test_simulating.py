"""The command that simulates a study, as a user meets it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Run = Callable[..., tuple[int, str, str]]

PLAN = """question = "Is it the season?"
[[group]]
n = 2
[visits]
weeks = [0, 6]
[pictures]
kind = "none"
"""


def test_a_plan_becomes_a_study_that_check_accepts(run: Run, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN, encoding="utf-8")
    study = tmp_path / "study"
    status, text, _ = run("simulate", plan, "-o", study)
    assert status == 0
    assert text.splitlines() == [
        f"{study}: 2 participants, 2 visits planned",
        "It asks:   Is it the season?",
        f"Check it:  rewarm check {study}",
        f"The truth: {study / 'truth' / 'README.md'}",
    ]
    first = (study / "measurements.csv").read_bytes()
    status, text, _ = run("check", study)
    assert status == 0
    assert "can be analysed (2 participants, 4 visits" in text
    assert run("simulate", plan, "-o", study, "--seed", "8")[0] == 0
    assert (study / "measurements.csv").read_bytes() != first


def test_a_wrong_plan_is_told_in_full_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[toxin]\nefect_c = 3\n[design]\nkind = "parallel"\nmasked_reading = 1\n', encoding="utf-8")
    status, text, errors = run("simulate", plan, "-o", tmp_path / "study")
    assert (status, text) == (2, "")
    assert "plan.toml: 2 problems to correct before anything is simulated" in errors
    assert "Did you mean 'effect_c'?" in errors
    assert "column design.masked_reading: expected true or false" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["plan.toml"]
