from dataclasses import replace
from math import nan
from pathlib import Path

import pytest
from markupsafe import Markup

from rewarm.effects.power import PowerRow
from rewarm.report.design import _choices, write_design_page
from rewarm.report.words import NBSP, typeset
from rewarm.study.analysis_plan import analysis_plan, outcome_words, power_percent
from rewarm.study.design import plan_study

PLAN = """\
id = "toes"
title = "Does it warm the toes?"
[design]
kind = "split_limb"
control = "untreated_limb"
participants = [6, 40]
[outcome]
name = "mean"
unit = "degC"
better = "higher"
effect = 1.5
important = 1.0
[visits]
baseline_weeks = [-2, 0]
after_weeks = [4]
start_months = [1, 7]
[variance]
person_sd = 1.2
noise_sd = 0.8
flare_sd = 0.4
[simulation]
trials = 100
"""


def test_months_that_change_nothing_share_a_line():
    row = PowerRow("split_limb", 10, 1.5, 200, 0.8, 0.7, 0.9, 0.02, 0.0, 0.05, 0.6, 0.01, 0.9, nan, 1.0, 1, 3)
    other = replace(row, start_month=7.0, bias=0.01 + 1e-15, assurance=float("nan"))
    assert [words for words, _ in _choices([row, other])] == ["whichever month"]
    colder = replace(other, power=0.7)
    assert [words for words, _ in _choices([row, colder])] == ["January", "July"]


def test_a_page_and_a_plan_speak_of_degrees_and_not_of_columns(tmp_path: Path):
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    design = plan_study(tmp_path / "plan.toml")
    page = write_design_page(design, tmp_path).read_text(encoding="utf-8")
    plan = analysis_plan(design)
    for text in (page, plan):
        assert "raises the outcome (temperature at rest)" in text
        assert "1.2 between people; 0.8 of a single reading; 0.4 of the disease" in text
        assert "degC" not in text
        assert "person_sd" not in text
        assert "Visits in weeks −2, 0, 4" in text
        assert "Each value is a single reading" in text or text is plan
    assert "interval (°C)" in page
    assert f"with a power of 80{NBSP}%" in page
    assert "half-width of the interval (°C) |" in plan
    assert "SHA-256 is to be published" in plan


@pytest.mark.parametrize(
    ("power", "words"), [(0.8, "80%"), (0.99, "99%"), (0.995, "over 99%"), (0.9999, "over 99%"), (1.0, "100%")]
)
def test_a_power_is_never_rounded_up_to_all(power: float, words: str):
    assert power_percent(power) == words


def test_an_outcome_that_nobody_knows_keeps_its_name():
    assert outcome_words("attacks_n") == "attacks a day"
    assert outcome_words("grip_strength") == "grip strength"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("90% interval -12 to +3", f"90{NBSP}% interval −12 to +3"),
        ("5 % of P-01, 2025-01-18", f"5{NBSP}% of P-01, 2025-01-18"),
        ("doi 10.7326/0003-4819-158-3", "doi 10.7326/0003-4819-158-3"),
        (Markup('<path d="M-3 4" width="100%"/>'), '<path d="M-3 4" width="100%"/>'),
        (3, 3),
    ],
)
def test_text_gets_minus_signs_and_fixed_spaces_and_figures_do_not(text: object, shown: object):
    assert typeset(text) == shown
