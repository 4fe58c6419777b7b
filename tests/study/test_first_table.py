"""Who took part, by arm: counts and figures worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rewarm.study import load_tables
from rewarm.study.first_table import FIRST_TABLE, first_table

PEOPLE = """\
participant,sex,birth_year,condition,underlying,prior_treatments,arm
P1,female,1970,secondary_raynaud,systemic_sclerosis,nifedipine;sildenafil,toxin
P2,female,1980,primary_raynaud,,nifedipine,toxin
P3,male,,secondary_raynaud,systemic_sclerosis,,placebo
"""
VISITS = """\
participant,visit,date,ambient_c,outdoor_mean_c
P1,before,2026-01-12,23,1
P1,week06,2026-02-23,24,9
P2,before,2026-01-12,22,
P2,week06,2026-02-21,24,9
P3,before,2026-01-12,24,2
"""
MEASURED = """\
participant,visit,scan,time_s,side,region,metric,value,unit
P1,before,a,,left,toe1,mean,24,degC
P1,before,a,,left,toe2,mean,26,degC
P1,before,a,5,left,toe2,mean,40,degC
P1,week06,b,,left,toe1,mean,30,degC
P2,before,c,,left,toe1,mean,27,degC
P2,before,c,,left,heel,mean,30,degC
P1,before,a,,left,toe1,t50,300,s
P1,before,a,,left,toe1,t50_reached,1,1
P2,before,c,,left,toe1,t50,900,s
P2,before,c,,left,toe1,t50_reached,0,1
"""
DIARY = """\
participant,date,side,rcs
P1,2026-01-12,left,2
P1,2026-01-12,right,4
P1,2026-01-13,left,7
P1,2026-01-20,left,0
P3,2026-01-12,,6
P3,2026-01-25,,8
P3,2026-01-26,,0
"""
INJECTIONS = """\
participant,date,side,site,product,units_u
P1,2026-01-14,left,toe1,Botox,2
P1,2026-01-14,left,toe2,Botox,3
P1,2026-02-24,left,toe2,Botox,9
P2,2026-01-13,left,toe2,Dysport,10
"""


@pytest.fixture
def folder(tables: Path) -> Path:
    texts = {
        "participants": PEOPLE,
        "visits": VISITS,
        "measurements": MEASURED,
        "diary": DIARY,
        "injections": INJECTIONS,
    }
    for name, text in texts.items():
        (tables / f"{name}.csv").write_text(text, encoding="utf-8")
    return tables


@pytest.fixture
def table(folder: Path) -> pd.DataFrame:
    return first_table(load_tables(folder))


def row(table: pd.DataFrame, characteristic: str, level: str = "", arm: str = "all") -> dict[str, float]:
    (found,) = table[
        (table["characteristic"] == characteristic) & (table["level"] == level) & (table["arm"] == arm)
    ].to_dict("records")
    return {str(key): value for key, value in found.items()}


def test_arms_come_in_the_order_of_the_table_and_everyone_last(table: pd.DataFrame) -> None:
    assert list(table.columns) == list(FIRST_TABLE)
    people = table[table["characteristic"] == "participants"]
    assert people["arm"].tolist() == ["toxin", "placebo", "all"]
    assert people["count"].tolist() == [2, 1, 3]


def test_age_is_that_at_the_first_visit_of_those_whose_birth_is_known(table: pd.DataFrame) -> None:
    everyone = row(table, "age")
    assert (everyone["people"], everyone["n"], everyone["mean"], everyone["low"], everyone["high"]) == (
        3,
        2,
        51,
        46,
        56,
    )
    assert everyone["sd"] == pytest.approx(np.sqrt(50))
    assert row(table, "age", arm="placebo")["n"] == 0
    assert np.isnan(row(table, "age", arm="placebo")["mean"])


@pytest.mark.parametrize(
    ("characteristic", "level", "counts", "recorded"),
    [
        ("sex", "female", (2, 0, 2), (2, 1, 3)),
        ("condition", "secondary_raynaud", (1, 1, 2), (2, 1, 3)),
        ("underlying", "systemic_sclerosis", (1, 1, 2), (1, 1, 2)),
        ("prior_treatments", "nifedipine", (2, 0, 2), (2, 0, 2)),
        ("prior_treatments", "sildenafil", (1, 0, 1), (2, 0, 2)),
    ],
)
def test_words_are_counted_of_those_of_whom_something_was_recorded(
    table: pd.DataFrame, characteristic: str, level: str, counts: tuple[int, ...], recorded: tuple[int, ...]
) -> None:
    mine = table[(table["characteristic"] == characteristic) & (table["level"] == level)]
    assert tuple(mine["count"]) == counts
    assert tuple(mine["n"]) == recorded


def test_the_dose_is_that_of_the_first_day_within_a_product(table: pd.DataFrame) -> None:
    assert (row(table, "units_u", "Botox")["mean"], row(table, "units_u", "Botox")["n"]) == (5, 1)
    assert (row(table, "units_u", "Dysport")["mean"], row(table, "units_u", "Dysport")["n"]) == (10, 1)


def test_baseline_is_one_figure_a_person_from_still_pictures_of_digits(table: pd.DataFrame) -> None:
    warm = row(table, "mean", "toes")
    assert (warm["n"], warm["low"], warm["high"], warm["unit"]) == (2, 25, 27, "degC")


def test_a_time_that_was_not_reached_is_not_averaged(folder: Path) -> None:
    text = (folder / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(f'{text}\n[outcomes]\nprimary = "t50"\n', encoding="utf-8")
    table = first_table(load_tables(folder))
    assert (row(table, "t50", "toes")["n"], row(table, "t50", "toes")["mean"]) == (1, 300)
    assert not (table["characteristic"] == "mean").any()  # only what was declared


def test_a_diary_counts_until_the_injection_and_both_sides_as_one_day(table: pd.DataFrame) -> None:
    assert row(table, "rcs", arm="toxin")["mean"] == (3 + 7) / 2
    assert row(table, "rcs", arm="placebo")["mean"] == 7  # never injected: the first 14 days


def test_rooms_and_follow_up_are_described(table: pd.DataFrame) -> None:
    assert row(table, "ambient_c")["mean"] == 23
    assert (row(table, "outdoor_mean_c")["n"], row(table, "outdoor_mean_c")["mean"]) == (2, 1.5)
    assert (row(table, "follow_up")["low"], row(table, "follow_up")["high"]) == (0, 42)


def test_nothing_in_it_is_a_test(table: pd.DataFrame) -> None:
    assert not {"p", "p_value", "pvalue", "test"}.intersection(table.columns)


def test_people_without_an_arm_have_a_column_of_their_own(folder: Path) -> None:
    text = (folder / "participants.csv").read_text(encoding="utf-8").replace(",placebo", ",")
    (folder / "participants.csv").write_text(text, encoding="utf-8")
    arms = first_table(load_tables(folder))["arm"].unique().tolist()
    assert arms == ["toxin", "arm not stated", "all"]


def test_measurements_of_a_run_take_the_place_of_the_studys_own(folder: Path) -> None:
    tables = load_tables(folder)
    assert row(first_table(tables, tables.measurements.assign(value=31.0)), "mean", "toes")["mean"] == 31
