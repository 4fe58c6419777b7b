import hashlib
import json
import os
from pathlib import Path

import pandas as pd
import pytest

from rewarm.errors import InvalidInputError, OutputError, UnreadableFileError
from rewarm.study.analysis_plan import TO_STATE, analysis_plan, checklist
from rewarm.study.design import check_not_sealed, plan_study, write_design
from rewarm.study.design_plan import SECTIONS, read_design_plan
from rewarm.study.reporting_items import CENT, SCRIBE, SOURCES, SPIRIT, items_for

PLAN = """\
id = "toes"
title = "Does it warm the toes?"
[design]
kind = "parallel"
control = "placebo"
arms = ["toxin", "placebo"]
participants = [10, 20, 40]
[outcome]
name = "rcs"
unit = "points"
effect = -1.8
important = 1.4
[visits]
baseline_weeks = [-2, 0]
after_weeks = [4, 8]
start_months = [1, 7]
[variance]
person_sd = 1.2
noise_sd = 0.8
[simulation]
trials = 100
"""


def planned(tmp_path: Path, text: str = PLAN):
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")
    return plan_study(path)


def test_a_plan_becomes_tables_a_list_and_a_plan_of_analysis(tmp_path: Path):
    design = planned(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    write_design(design, out)
    power = pd.read_csv(out / "power.csv")
    assert power["participants"].tolist() == [10, 20, 40]
    assert power["power"].is_monotonic_increasing
    assert design.participants_needed % 2 == 0
    choices = pd.read_csv(out / "choices.csv")
    assert len(choices) == 2 * 2 * 2  # one or two baselines, one or two visits after, two months
    written = json.loads((out / "design.json").read_text())
    sealed = (out / "sealed" / "allocation.csv").read_bytes()
    assert written["allocation"]["sha256"] == hashlib.sha256(sealed).hexdigest()
    assert written["allocation"]["places"] == len((out / "allocation.csv").read_text().splitlines()) - 1
    assert b"toxin" in sealed
    if os.name == "posix":
        assert (out / "sealed").stat().st_mode & 0o077 == 0
    secret = design.allocation.secret
    for path in out.iterdir():
        if path.is_file():  # neither the secret nor an order stands in anything that is not sealed
            assert secret not in path.read_text()
            assert "toxin,placebo" not in path.read_text()
    assert "toxin" not in (out / "allocation.csv").read_text()
    assert "blocks of 4 or 6" in (out / "sealed" / "README.txt").read_text()
    text = (out / "analysis_plan.md").read_text()
    assert written["allocation"]["sha256"] in text
    assert "4 or 6" not in text  # who enrols could foretell the end of a block
    assert f"{design.participants_needed} people find an effect of −1.8 points, with a power of 80%" in text
    assert "two-sided, because in one trial flow fell" in text


def test_two_lists_of_one_plan_differ_and_a_secret_repeats_one(tmp_path: Path):
    first, second = planned(tmp_path).allocation, planned(tmp_path).allocation
    assert first.commitment() != second.commitment()
    told = PLAN + '[allocation]\nsecret = "spoken aloud before all"\n'
    one, two = planned(tmp_path, told), planned(tmp_path, told)
    assert one.allocation == two.allocation
    assert any("whoever reads the plan can find out who gets what" in note for note in one.notes)


def test_a_case_series_says_what_it_cannot_show(tmp_path: Path):
    text = PLAN.replace('kind = "parallel"', 'kind = "case_series"').replace('"placebo"\narms', '"none"\narms')
    design = planned(tmp_path, text + "[life]\nplacebo = -1.0\n")
    assert design.allocation is None
    assert "This design cannot show efficacy" in analysis_plan(design)
    assert "people show a change, whatever causes it" in analysis_plan(design)
    assert any("A case series shows a change, not an effect" in note for note in design.notes)
    assert any("would call the treatment effective; 2.5% would be right" in note for note in design.notes)


def test_a_randomised_start_draws_weeks(tmp_path: Path):
    text = PLAN.replace('kind = "parallel"', 'kind = "n_of_1"').replace(
        "participants = [10, 20, 40]", "participants = [4, 8]"
    )
    text = text.replace("after_weeks = [4, 8]", "after_weeks = [0, 1, 2, 3, 4, 5, 6, 7, 8]\nstart_weeks = [3, 4, 5]")
    design = planned(tmp_path, text)
    assert {place.allocated for place in design.allocation.places} <= {"week 3", "week 4", "week 5"}
    items = checklist(design)
    assert set(items["guideline"]) == set(SOURCES)
    assert "randomisation test" in items[items["topic"] == "Analyses"]["answer"].item()


def test_a_pilot_gives_the_effect_its_doubt_and_the_people(tmp_path: Path):
    columns = ["who", "outcome", "estimand", "estimate", "lower", "upper", "level"]
    rows = [("group", "rcs", "change_from_baseline", -1.5, -2.5, -0.5, 0.9)]
    rows += [
        (f"P{k}", "rcs", "change_from_baseline", -1.5 + d, -1.9 + d, -1.1 + d, 0.9) for k, d in enumerate((-1, 0, 1))
    ]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "effects.csv", index=False)
    text = PLAN.replace("effect = -1.8\n", "") + '[pilot]\neffects = "effects.csv"\n'
    design = planned(tmp_path, text)
    assert design.effect == -1.5
    assert design.pilot.effect_se == pytest.approx(1.0 / 1.645, abs=1e-3)
    assert design.trial.variance.effect_sd == pytest.approx((1 - (0.4 / 1.645) ** 2) ** 0.5, abs=1e-3)
    assert design.rows[-1].assurance < design.rows[-1].power
    with pytest.raises(
        InvalidInputError, match=r"expected a row of the group for pain \(change_from_baseline\); found rcs"
    ):
        planned(tmp_path, text.replace('name = "rcs"', 'name = "pain"'))
    with pytest.raises(UnreadableFileError, match=r"expected a pilot's effects\.csv"):
        planned(tmp_path, text.replace('"effects.csv"', '"none.csv"'))


def test_more_can_be_better(tmp_path: Path):
    higher = PLAN.replace('name = "rcs"', 'name = "mean"\nbetter = "higher"').replace("effect = -1.8", "effect = 1.8")
    up, down = planned(tmp_path, higher), planned(tmp_path)
    assert [row.power for row in up.rows] == [row.power for row in down.rows]
    assert up.rows[0].effect == 1.8


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path):
    bad = PLAN.replace('kind = "parallel"', 'kind = "paralel"').replace("effect = -1.8", 'efect = "much"')
    bad = bad.replace("participants = [10, 20, 40]", "participants = [1, 20]")
    with pytest.raises(InvalidInputError) as caught:
        planned(tmp_path, bad)
    message = str(caught.value)
    assert "line 4, design.kind: expected one of case_series, split_limb, parallel, n_of_1; found 'paralel'" in message
    assert "line 7, design.participants: expected 2 to 5000; found [1, 20]" in message
    assert "found 'efect'. Did you mean 'effect'?" in message
    assert message.startswith(f"{tmp_path / 'plan.toml'}: 3 problems to correct")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("effect = -1.8\n", ""),
            "outcome.effect: expected the effect to be found, or \\[pilot\\] effects; found neither",
        ),
        (("noise_sd = 0.8\n", ""), "variance: expected person_sd and noise_sd, or \\[pilot\\] study"),
        (('kind = "parallel"', 'kind = "n_of_1"'), "visits.start_weeks: expected at least two weeks"),
        (("after_weeks = [4, 8]", "after_weeks = [0, 8]"), "visits.after_weeks: expected weeks after the treatment"),
        (('control = "placebo"', 'control = "none"'), "design.control: expected what the other arm gets"),
        (('["toxin", "placebo"]', '["a", "b", "c"]'), "design.arms: expected two arms"),
        (
            ("trials = 100", "trials = true"),
            "simulation.trials: expected a whole number without quotation marks; found True",
        ),
        (("person_sd = 1.2", "person_sd = -1"), "variance.person_sd: expected 0 or more; found -1"),
    ],
)
def test_what_does_not_fit_together_is_told(tmp_path: Path, change: tuple[str, str], told: str):
    with pytest.raises(InvalidInputError, match=told):
        planned(tmp_path, PLAN.replace(*change))


def test_what_is_missing_is_told_with_a_line_to_add(tmp_path: Path):
    bare = PLAN.replace('title = "Does it warm the toes?"\n', "").replace('kind = "parallel"\n', "")
    bare = bare.replace("[simulation]", '[allocation]\nblock_sizes = [3]\nsecret = "short"\n[simulation]')
    with pytest.raises(InvalidInputError) as caught:
        planned(tmp_path, bare)
    message = str(caught.value)
    assert 'expected this setting (the study\'s title); found nothing. Add: title = "..." at the head' in message
    assert 'design.kind: expected this setting (the design); found nothing. Add: kind = "case_series"' in message
    assert message.endswith("Correct these lines, then run rewarm design again; nothing was written")
    with pytest.raises(InvalidInputError) as caught:
        planned(tmp_path, PLAN + '[allocation]\nblock_sizes = [3]\nsecret = "short"\n')
    message = str(caught.value)
    assert "allocation.block_sizes: expected multiples of 2, the ratio's sum; found [3]. Write e.g. [4, 6]" in message
    assert "allocation.secret: expected at least 16 characters" in message


def test_the_number_of_people_reaches_the_power_when_it_is_simulated_itself(tmp_path: Path):
    design = planned(tmp_path)
    full = [row for row in design.choices if (row.baseline_visits, row.after_visits, row.start_month) == (2, 2, 1)]
    assert full[0].participants == design.participants_needed
    assert full[0].power >= 0.8


def test_a_file_that_is_no_plan_is_told(tmp_path: Path):
    with pytest.raises(UnreadableFileError, match="expected a plan in TOML; found no such file"):
        read_design_plan(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("kind = parallel")
    with pytest.raises(UnreadableFileError, match=r'expected TOML in UTF-8; found .*kind = "parallel"'):
        read_design_plan(tmp_path / "bad.toml")


def test_a_sealed_list_is_never_replaced(tmp_path: Path):
    (tmp_path / "out").mkdir()
    write_design(planned(tmp_path), tmp_path / "out")
    with pytest.raises(
        OutputError, match=r"expected a folder without a sealed allocation; found sealed/allocation.csv"
    ):
        check_not_sealed(tmp_path / "out")


def test_the_checklists_are_whole():
    numbers = [item.number for item in SPIRIT]
    assert len(set(numbers)) == len(numbers) == 51  # SPIRIT 2013: 33 items, with their parts 51
    assert [item.number for item in SCRIBE] == [str(number) for number in range(1, 27)]
    assert len({item.number for item in CENT}) == len(CENT)
    assert items_for("parallel") == SPIRIT


def test_what_nobody_knows_is_left_to_a_person(tmp_path: Path):
    items = checklist(planned(tmp_path)).set_index("item")
    assert items.loc["24", "answer"] == TO_STATE  # ethics approval
    assert items.loc["16b", "answer"].startswith("Codes in the open list")
    assert items.loc["14", "answer"].startswith(tuple("0123456789"))


def test_every_line_of_the_plan_is_explained():
    for section, entries in SECTIONS.items():
        for entry in entries:
            assert entry.meaning, (section, entry.name)
