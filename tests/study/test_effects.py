"""From a study folder to effects.csv and its page, by the fast estimator."""

import json
from dataclasses import replace

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
from rewarm.report.words import typeset
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


@pytest.mark.parametrize(
    ("sign", "probability", "expected"),
    [
        (1, 0.975, "(we are 90% sure"),
        (1, 0.974, "That points to a benefit, but may be chance: it is 97% sure, and rewarm calls nothing an effect"),
        (-1, 0.026, "That points the other way, but may be chance: it is 97% sure"),
        (-1, 0.025, ": not better."),
    ],
)
def test_an_effect_is_called_from_a_95_percent_interval_though_90_percent_is_shown(
    controlled, sign, probability, expected
):
    item = controlled.metrics[0]
    row = item.group
    ends = sorted((sign * row.lower, sign * row.upper))
    moved = replace(row, estimate=sign * row.estimate, lower=ends[0], upper=ends[1], probability=probability)
    lead = replace(item, effects=tuple(moved if other is row else other for other in item.effects))
    found = answer(replace(controlled, metrics=(lead,)))
    assert expected in found[0]
    assert ("97.5" in found[0]) == (0.025 < probability < 0.975)
    assert any(words.startswith("A difference of") for words in found) == (probability >= 0.975)


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
        "effects.csv", "first_table.csv", "tests.csv", "threats.csv", "sensitivity.csv", "posterior.nc", "run.json",
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
    page = (tmp_path / "effects.html").read_text(encoding="utf-8").replace("&#39;", "'")
    assert str(typeset(answer(result)[0])) in page
    assert "points of 10 (primary outcome" in page


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


def test_a_stated_control_that_was_not_measured_is_told(tmp_path):
    folder = write_study(tmp_path / "s", world(people=2), kind="split_limb", more='control = "untreated_region"\n')
    result = study_effects(folder, sampler=None)
    assert any(
        "the control is untreated region, but no untreated toe or finger was measured" in n for n in result.notes
    )
    assert result.metrics[0].grade.estimand == "effect_modelled"


def test_only_the_digits_that_were_treated_are_primary(tmp_path):
    made = world(people=2)
    hands = made.measurements.assign(region=made.measurements["region"].str.replace("toe", "finger"))
    made = type(made)(made.participants, made.visits, made.injections, pd.concat([made.measurements, hands]))
    result = study_effects(write_study(tmp_path / "s", made), sampler=None)
    assert [(item.region, item.role) for item in result.metrics] == [("toes", "primary")]


def test_two_secondary_outcomes_are_adjusted_and_the_page_says_so(tmp_path):
    made = world(people=4, treated_sides=("left",))
    names = ("distal_dorsal_difference", "distal_proximal_difference")
    noise = np.random.default_rng(3)
    others = [
        made.measurements.assign(metric=name, unit="delta_degC", value=noise.normal(0, 1, len(made.measurements)))
        for name in names
    ]
    made = type(made)(made.participants, made.visits, made.injections, pd.concat([made.measurements, *others]))
    more = f'[outcomes]\nprimary = "{names[0]}"\nsecondary = ["mean", "{names[1]}"]\n'
    result = study_effects(write_study(tmp_path / "s", made, kind="split_limb", more=more), sampler=None)
    assert result.primary == result.lead.outcome.name == names[0]  # what study.toml says, not the usual one
    first = {test.outcome: test for test in reversed(result.tests)}
    assert first[names[0]].p_holm == first[names[0]].p
    smaller, larger = sorted((first["mean"], first[names[1]]), key=lambda test: test.p)
    assert smaller.p_holm == pytest.approx(min(1.0, 2 * smaller.p))
    assert larger.p_holm == pytest.approx(max(larger.p, 2 * smaller.p))
    write_effects_report(result, tmp_path / "effects.html")
    page = (tmp_path / "effects.html").read_text(encoding="utf-8").replace("&#39;", "'")
    assert "each of the 2 secondary outcomes is adjusted by Holm's method" in page
    assert "Who took part" in page


def test_a_primary_outcome_of_the_diary_leads_though_temperatures_were_measured(tmp_path):
    made = world()
    folder = write_study(tmp_path / "s", made, more='[outcomes]\nprimary = "rcs"\nsecondary = ["mean"]\n')
    rng = np.random.default_rng(1)
    rows = [
        (
            who,
            day.strftime("%Y-%m-%d"),
            np.clip(round(6 - 3 * (day > pd.Timestamp("2025-02-20")) + rng.normal()), 0, 10),
        )
        for who in made.participants["participant"]
        for day in pd.date_range("2025-01-01", "2025-05-31")
    ]
    pd.DataFrame(rows, columns=["participant", "date", "rcs"]).to_csv(folder / "diary.csv", index=False)
    result = study_effects(folder, sampler=None)
    assert result.lead is None
    assert [item.role for item in result.metrics] == ["secondary"]
    assert "toes were" not in answer(result)[0]
    write_study_effects(result, tmp_path)
    write_effects_report(result, tmp_path / "effects.html")
    page = (tmp_path / "effects.html").read_text(encoding="utf-8")
    assert page.index("(primary outcome)") < page.index("Temperature at rest (secondary)")
    assert pd.read_csv(tmp_path / "threats.csv").loc[0, "outcome"] == "rcs"


def test_a_primary_outcome_that_is_nowhere_is_told(tmp_path):
    folder = write_study(tmp_path / "s", world(people=2), more='[outcomes]\nprimary = "t50"\n')
    with pytest.raises(InvalidInputError, match=r"expected figures of t50, the primary .* found mean\. Measure it"):
        study_effects(folder, sampler=None)


@pytest.mark.parametrize("kind", ["parquet", "xlsx", "folder"])
def test_measurements_may_come_as_parquet_or_workbook(tmp_path, kind):
    made = world(people=2)
    folder = write_study(tmp_path / "s", made, measured=False)
    place = tmp_path / "results"
    place.mkdir()
    if kind == "xlsx":
        made.measurements.to_excel(place / "other.xlsx", index=False)
        place = place / "other.xlsx"
    else:
        name = "measurements.parquet" if kind == "folder" else "other.parquet"
        made.measurements.to_parquet(place / name, index=False)
        place = place if kind == "folder" else place / name
    (tmp_path / "s" / "measurements.csv").write_text("")  # the one named takes its place
    other = study_effects(folder, measurements=place, sampler=None)
    made.measurements.to_csv(folder / "measurements.csv", index=False)
    found, own = (row_of(item, "effect_modelled") for item in (other, study_effects(folder, sampler=None)))
    assert (found.who, found.n, found.design, found.threats) == (own.who, own.n, own.design, own.threats)
    # a workbook holds 15 digits
    figures = [(row.estimate, row.lower, row.upper, row.probability) for row in (found, own)]
    assert figures[0] == pytest.approx(figures[1], abs=1e-6)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("none.csv", None, "found nothing of that name. Check the path"),
        ("dir", "", "expected the folder of an earlier 'rewarm run', which holds measurements.csv; found none in it"),
        ("bad.parquet", "no parquet", "bad.parquet: expected a Parquet file; found one that cannot be read"),
    ],
)
def test_measurements_that_cannot_be_read_are_told(tmp_path, name, content, told):
    folder = write_study(tmp_path / "s", world(people=2), measured=False)
    place = tmp_path / name
    if name == "dir":
        place.mkdir()
    elif content is not None:
        place.write_text(content)
    with pytest.raises((InvalidInputError, InvalidStudyError)) as caught:
        study_effects(folder, measurements=place, sampler=None)
    assert told in str(caught.value)


def test_measurements_without_u_are_told(tmp_path):
    made = world(people=2)
    made.measurements["u"] = np.nan
    result = study_effects(write_study(tmp_path / "s", made), sampler=None)
    assert any("No measurement of mean on toes has a standard uncertainty" in note for note in result.notes)


def test_one_person_is_shown_once(tmp_path):
    result = study_effects(write_study(tmp_path / "s", world(people=1)), sampler=None)
    write_effects_report(result, tmp_path / "effects.html")
    page = (tmp_path / "effects.html").read_text(encoding="utf-8")
    assert "All together" not in page
    assert "P01" in page
