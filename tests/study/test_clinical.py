"""The typed tables that effects are computed from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from rewarm.errors import InvalidStudyError
from rewarm.study import diary_coverage, diary_days, load_tables
from rewarm.study.records import TABLES

DIARY = """\
participant,date,side,rcs,attacks_n,attack_minutes,pain_vas,colour_change,heel_hours,heel_height_mm,medication_change
P1,2026-01-12T08:00+01:00,,2,1,10,30,white,2,80,none
P1,2026-01-12T22:00+01:00,,4,2,,50,blue;white,3,40,
P1,2026-01-13T23:30+01:00,,5,,,10,,,60,started nifedipine
P1,2026-01-13T22:40Z,,1,1,5,20,,,,
P1,2026-01-17,,3,0,0,0,,,,
"""
INJECTIONS = """\
participant,date,side,site,product,units_u
P1,2026-01-14,left,toe1,onabotulinumtoxinA,2
P1,2026-01-14,right,finger2,onabotulinumtoxinA,2
P1,2026-01-14,left,calf,onabotulinumtoxinA,2
"""


def without_scans(study: Path) -> Path:
    (study / "scans.csv").unlink()
    (study / "diary.csv").write_text(DIARY, encoding="utf-8")
    (study / "injections.csv").write_text(INJECTIONS, encoding="utf-8")
    return study


def test_every_table_has_every_column_with_its_type(study: Path) -> None:
    tables = load_tables(study)
    for name, table in TABLES.items():
        frame: pd.DataFrame = getattr(tables, name)
        assert list(frame.columns[: len(table.columns)]) == [column.name for column in table.columns]
        for column in table.columns:
            dtype = str(frame[column.name].dtype)
            expected = {"number": "float64", "integer": "float64", "date": "datetime64[s]", "yes_no": "boolean"}
            assert dtype == expected.get(column.kind, "str"), (name, column.name)
    assert tables.diary.empty
    assert tables.diary["day"].dtype == "datetime64[s]"
    assert tables.visits["day"].tolist() == [pd.Timestamp("2026-01-12"), pd.Timestamp("2026-02-23")]
    assert tables.visits["utc"].tolist() == [pd.NaT, pd.Timestamp("2026-02-23 08:30")]
    assert tables.design.kind == "case_series"
    assert tables.design.randomised is None
    assert tables.outcomes.primary == ""


def test_design_and_outcomes_are_those_of_the_settings(study: Path) -> None:
    text = (study / "study.toml").read_text(encoding="utf-8")
    stated = "[design]\nrandomised = true\nmasked_rating = false\n"
    stated = text.replace("[design]\n", stated) + (
        '[outcomes]\nprimary = "rcs"\nsecondary = ["mean", "attacks_n"]\nimportant = { rcs = 1.4, mean = 1 }\n'
    )
    (study / "study.toml").write_text(stated, encoding="utf-8")
    tables = load_tables(study)
    assert (tables.design.randomised, tables.design.masked_rating, tables.design.masked_reading) == (True, False, None)
    assert tables.outcomes.primary == "rcs"
    assert tables.outcomes.secondary == ("mean", "attacks_n")
    assert dict(tables.outcomes.important) == {"rcs": 1.4, "mean": 1.0}


def test_a_measurements_table_of_another_place_takes_the_place_of_the_folders_own(study: Path, tmp_path: Path) -> None:
    (study / "scans.csv").unlink()
    table = tmp_path / "made-elsewhere.csv"
    table.write_text("participant,visit,side,region,metric,value,unit\nP1,week06,left,toe1,mean,25.1,degC\n")
    measured = load_tables(study, measurements=table).measurements
    assert measured["value"].tolist() == [25.1]
    assert measured["limb"].tolist() == ["foot"]
    assert measured["day"].tolist() == [pd.Timestamp("2026-02-23")]
    table.write_text("participant,visit,side,region,metric,value,unit\nP1,week6,left,toe1,mean,warm,degC\n")
    with pytest.raises(
        InvalidStudyError, match=r"made-elsewhere.csv, row 2, column value: expected a number"
    ) as caught:
        load_tables(study, measurements=table)
    assert any("a visit of participant 'P1'" in problem.expected for problem in caught.value.problems)
    with pytest.raises(InvalidStudyError, match=r"nowhere.csv: .*no such file"):
        load_tables(study, measurements=tmp_path / "nowhere.csv")


def test_the_day_of_an_entry_is_the_persons_own_and_its_moment_is_kept(study: Path) -> None:
    diary = load_tables(without_scans(study)).diary
    days = [f"{day:%d}" for day in diary["day"]]
    assert days == ["12", "12", "13", "13", "17"]
    assert diary["utc"].tolist()[2:] == [pd.Timestamp("2026-01-13 22:30"), pd.Timestamp("2026-01-13 22:40"), pd.NaT]


def test_injected_sites_are_told_to_their_limb(study: Path) -> None:
    assert load_tables(without_scans(study)).injections["limb"].tolist() == ["foot", "hand", ""]


def test_several_entries_of_a_day_become_one_as_the_dictionary_says(study: Path) -> None:
    days = diary_days(load_tables(without_scans(study)).diary)
    assert days["entries"].tolist() == [2, 2, 1]
    first = days.iloc[0]
    assert first["rcs"] == 3  # the mean
    assert first["attacks_n"] == 3  # the sum
    assert first["attack_minutes"] == 10  # of the entries that say
    assert first["pain_vas"] == 50  # the worst
    assert first["colour_change"] == "white;blue"
    assert first["medication_change"] == "none"
    assert first["heel_hours"] * first["heel_height_mm"] == 2 * 80 + 3 * 40  # the day's load stays what it was
    assert days["heel_height_mm"].tolist()[1] == 60
    assert pd.isna(days["heel_hours"].iloc[2])


def test_coverage_says_what_is_missing_and_in_which_zones_it_was_written(study: Path) -> None:
    tables = load_tables(without_scans(study))
    (row,) = diary_coverage(tables.diary, tables.injections).to_dict("records")
    assert (row["first_day"], row["last_day"], row["days"], row["days_kept"]) == ("2026-01-12", "2026-01-17", 6, 3)
    assert (row["share_kept"], row["longest_gap_days"], row["gaps"]) == (0.5, 3, "2026-01-14..2026-01-16")
    assert (row["entries"], row["most_entries_a_day"], row["offsets"]) == (5, 2, "+01:00;+00:00")
    assert (row["days_before"], row["days_after"]) == (2, 1)


def test_a_diary_that_nobody_kept_has_no_rows(study: Path) -> None:
    tables = load_tables(study)
    assert diary_days(tables.diary).empty
    assert diary_coverage(tables.diary, tables.injections).empty
