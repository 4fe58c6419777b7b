"""From a study folder to effects.csv and its page, by the fast estimator."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from typer.testing import CliRunner

from rewarm.cli import app
from rewarm.effects.rows import EFFECTS, decode_threats
from rewarm.errors import InvalidInputError, InvalidStudyError
from rewarm.report.effect_words import answer
from rewarm.report.effects import write_effects_report
from rewarm.study.effects import study_effects, write_study_effects
from tests.effects.effect_worlds import world


def write_study(folder, made, *, kind="case_series", more="", measured=True):
    folder.mkdir()
    design = f'[design]\nkind = "{kind}"\n{more}'
    (folder / "study.toml").write_text(f'id = "s"\ntitle = "Warm toes"\ntimezone = "Europe/Zurich"\n{design}')
    made.participants.assign(condition="secondary_raynaud").to_csv(folder / "participants.csv", index=False)
    made.visits.to_csv(folder / "visits.csv", index=False, date_format="%Y-%m-%d")
    made.injections.to_csv(folder / "injections.csv", index=False, date_format="%Y-%m-%d")
    if measured:
        made.measurements.to_csv(folder / "measurements.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def controlled(tmp_path_factory):
    made = world(people=4, treated_sides=("left",), season_c=1.0)
    more = 'control = "untreated_limb"\nrandomised = true\n[outcomes]\nprimary = "mean"\n'
    folder = write_study(tmp_path_factory.mktemp("c") / "study", made, kind="split_limb", more=more)
    return study_effects(folder, sampler=None)


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    folder = write_study(tmp_path_factory.mktemp("s") / "study", world(season_c=1.0, days=(0, 42, 90, 150)))
    return study_effects(folder, sampler=None)


def row_of(result, estimand, who="group"):
    return next(row for row in result.effects if row.estimand == estimand and row.who == who)


def test_a_control_gives_an_effect_beside_it_and_a_change_apart(controlled):
    effect, change = row_of(controlled, "effect_vs_control"), row_of(controlled, "change_from_baseline")
    assert effect.estimate == pytest.approx(2.0, abs=0.4)
    assert change.estimate == pytest.approx(3.0, abs=0.7)  # the season is in it
    assert (effect.design, effect.region, effect.n) == ("randomised_controlled", "toes", 4)
    assert effect.threats["season"] == "excluded"
    assert change.threats["season"] == "present"
    assert effect.probability > 0.99
    assert row_of(controlled, "effect_vs_control", "P01").side == "left"
    assert row_of(controlled, "duration_days").estimate == pytest.approx(120, abs=25)


def test_a_series_never_says_effect_vs_control(series):
    assert {row.estimand for row in series.effects} == {
        "change_from_baseline", "effect_modelled", "onset_days", "duration_days",
    }  # fmt: skip
    assert not series.declared
    assert any("declares no primary outcome" in note for note in series.notes)
    assert "nobody can say that the injections did it" in answer(series)[0] or "cannot be told" in answer(series)[0]


def test_the_answer_is_one_sentence_with_size_and_interval(controlled):
    first, lasting, _ = answer(controlled)
    assert first.startswith("Six weeks after the injections, the treated toes were 2.")
    assert "90% sure that it is between" in first
    assert lasting.startswith("A difference of 1.0")
    assert "months" in lasting


def test_tests_are_there_with_the_randomised_one_first(controlled):
    assert controlled.tests[0].test.startswith("randomisation")
    assert controlled.tests[0].p_holm == controlled.tests[0].p
    assert {test.role for test in controlled.tests} == {"primary"}


def test_sensitivity_names_priors_people_and_the_unmeasured(controlled):
    kinds = [row.kind for row in controlled.metrics[0].sensitivity]
    assert (kinds.count("prior"), kinds.count("person"), kinds.count("confounder")) == (3, 4, 1)


def test_files_follow_the_contract_and_the_posterior_can_be_read(controlled, tmp_path):
    write_study_effects(controlled, tmp_path)
    table = pd.read_csv(tmp_path / "effects.csv", keep_default_na=False)
    assert list(table.columns) == list(EFFECTS)
    assert set(decode_threats(table.loc[0, "threats"])) >= {"season", "room", "camera", "regression_to_the_mean"}
    draws = xr.open_dataset(tmp_path / "posterior.nc", group="mean_toes", engine="h5netcdf")
    assert draws["effect"].dims == ("chain", "draw", "participant")
    assert float(draws["effect"].mean()) == pytest.approx(2.0, abs=0.5)
    draws.close()
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["primary_declared"] is True
    assert {path.name for path in tmp_path.iterdir()} == {
        "effects.csv", "tests.csv", "threats.csv", "sensitivity.csv", "posterior.nc", "run.json",
    }  # fmt: skip


def test_the_page_reads_in_its_order(series, tmp_path):
    write_effects_report(series, tmp_path / "effects.html")
    page = (tmp_path / "effects.html").read_text(encoding="utf-8")
    parts = [
        'class="answer"',
        "<svg",
        "Temperature at rest (primary outcome",
        "What cannot be ruled out",
        "<h2>Details",
    ]
    places = [page.index(part) for part in parts]
    assert places == sorted(places)
    assert "efficacy" not in page
    assert "nan" not in page.split("<body>")[1].lower().replace("finance", "")
    assert "http" not in page.split("<body>")[1]


def test_secondary_outcomes_are_adjusted(tmp_path):
    made = world(people=4, treated_sides=("left",))
    difference = made.measurements.assign(metric="distal_dorsal_difference", unit="delta_degC")
    made = type(made)(made.participants, made.visits, made.injections, pd.concat([made.measurements, difference]))
    more = '[outcomes]\nprimary = "mean"\nsecondary = ["distal_dorsal_difference"]\nimportant = { mean = 2.5 }\n'
    result = study_effects(write_study(tmp_path / "s", made, kind="split_limb", more=more), sampler=None)
    assert [item.role for item in result.metrics] == ["primary", "secondary"]
    assert result.metrics[0].important == 2.5
    assert result.effects[0].outcome == "mean"
    assert {test.outcome for test in result.tests if np.isfinite(test.p_holm)} == {"mean", "distal_dorsal_difference"}
    assert result.metrics[1].sensitivity == ()


def test_measurements_of_a_run_take_the_place_of_the_studys_own(tmp_path):
    made = world()
    folder = write_study(tmp_path / "s", made)
    results = tmp_path / "results"
    results.mkdir()
    warmer = made.measurements.assign(value=made.measurements["value"] + 5.0 * (made.measurements["visit"] > "V1"))
    warmer.to_csv(results / "measurements.csv", index=False)
    change = row_of(study_effects(folder, measurements=results, sampler=None), "change_from_baseline")
    assert change.estimate > 5


def test_diaries_alone_are_enough(tmp_path):
    made = world()
    folder = write_study(tmp_path / "s", made, measured=False)
    rng = np.random.default_rng(1)
    days = pd.date_range("2025-01-01", "2025-05-31")
    rows = [
        (
            who,
            day.strftime("%Y-%m-%d"),
            np.clip(round(6 - 3 * (day > pd.Timestamp("2025-02-20")) + rng.normal(0, 1)), 0, 10),
        )
        for who in made.participants["participant"]
        for day in days
    ]
    pd.DataFrame(rows, columns=["participant", "date", "rcs"]).to_csv(folder / "diary.csv", index=False)
    result = study_effects(folder, sampler=None)
    assert result.metrics == ()
    assert {row.outcome for row in result.effects} == {"rcs"}
    change = row_of(result, "change_from_baseline")
    assert change.estimate < -1.5
    write_study_effects(result, tmp_path)
    write_effects_report(result, tmp_path / "effects.html")
    assert answer(result)[0] in (tmp_path / "effects.html").read_text(encoding="utf-8").replace("&#39;", "'")


def test_nothing_to_analyse_is_told(tmp_path):
    made = world()
    folder = write_study(tmp_path / "s", made)
    (folder / "injections.csv").unlink()
    with pytest.raises(InvalidInputError, match=r"expected injections.csv, which says who was treated"):
        study_effects(folder, sampler=None)
    with pytest.raises((InvalidInputError, InvalidStudyError), match="expected"):
        study_effects(tmp_path / "nothing", sampler=None)


def test_the_command_writes_and_says_where(tmp_path):
    folder = write_study(tmp_path / "s", world(people=2))
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["effect", str(folder), "-o", str(out), "--fast", "--no-pdf"])
    assert done.exit_code == 0, done.output
    assert "effects.html" in done.output
    assert {"effects.csv", "effects.html", "run.json"} <= {path.name for path in out.iterdir()}
    again = CliRunner().invoke(app, ["effect", str(folder), "-o", str(out), "--fast", "--no-pdf"])
    assert again.exit_code == 0, again.output
