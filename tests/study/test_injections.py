"""Totals of injections: within a product, per limb, visit and year."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rewarm.study import load_tables
from rewarm.study.injections import TOTALS, injection_problems, injection_totals, limits_of

HEADER = "participant,date,side,site,product,units_u,volume_ml,concentration_u_per_ml\n"
ROWS = (
    *(f"P1,2026-01-14,left,toe{i},onabotulinumtoxinA,2,0.1,20" for i in range(1, 6)),
    "P1,2026-01-14,right,toe1,onabotulinumtoxinA,4,,",
    "P1,2026-01-14,right,toe1,saline,0,0.1,",
    "P1,2026-02-24,left,finger1,abobotulinumtoxinA,10,0.1,100",
    "P1,2027-01-05,left,toe1,onabotulinumtoxinA,7,0.1,20",
)


@pytest.fixture
def totals(tables: Path) -> pd.DataFrame:
    (tables / "injections.csv").write_text(HEADER + "\n".join(ROWS) + "\n", encoding="utf-8")
    return injection_totals(load_tables(tables))


def units(totals: pd.DataFrame, scope: str, *keys: str) -> dict[tuple[str, ...], float]:
    mine = totals[totals["scope"] == scope]
    return {tuple(str(row[key]) for key in keys): row["units_u"] for row in mine.to_dict("records")}


def test_a_limb_is_summed_by_day_and_product(totals: pd.DataFrame) -> None:
    assert list(totals.columns) == list(TOTALS)
    assert units(totals, "limb", "date", "side", "limb", "product") == {
        ("2026-01-14", "left", "foot", "onabotulinumtoxinA"): 10.0,
        ("2026-01-14", "right", "foot", "onabotulinumtoxinA"): 4.0,
        ("2026-01-14", "right", "foot", "saline"): 0.0,
        ("2026-02-24", "left", "hand", "abobotulinumtoxinA"): 10.0,
        ("2027-01-05", "left", "foot", "onabotulinumtoxinA"): 7.0,
    }


def test_products_are_never_added(totals: pd.DataFrame) -> None:
    assert units(totals, "year", "year", "product") == {
        ("2026", "onabotulinumtoxinA"): 14.0,
        ("2026", "saline"): 0.0,
        ("2026", "abobotulinumtoxinA"): 10.0,
        ("2027", "onabotulinumtoxinA"): 7.0,
    }
    assert totals["product"].nunique() == 3
    assert (totals["product"] != "").all()


def test_a_visit_is_that_of_the_day_or_the_last_before(totals: pd.DataFrame) -> None:
    assert units(totals, "visit", "visit", "product") == {
        ("before", "onabotulinumtoxinA"): 14.0,
        ("before", "saline"): 0.0,
        ("week06", "abobotulinumtoxinA"): 10.0,
        ("week06", "onabotulinumtoxinA"): 7.0,
    }


def test_a_volume_that_was_not_recorded_everywhere_has_no_total(totals: pd.DataFrame) -> None:
    limb = totals[totals["scope"] == "limb"].set_index(["side", "product", "year"])["volume_ml"]
    assert limb["left", "onabotulinumtoxinA", 2026] == 0.5
    assert np.isnan(limb["right", "onabotulinumtoxinA", 2026])


def test_what_does_not_add_up_stands_beside_the_totals_that_rest_on_it(totals: pd.DataFrame) -> None:
    flagged = totals[totals["flags"] != ""]
    assert set(flagged["year"]) == {2027}
    assert flagged["scope"].tolist() == ["limb", "visit", "year"]
    assert (
        "Expected units that are volume × concentration: 0.1 mL × 20 U/mL = 2 U; found 7 U." in flagged["flags"].iloc[0]
    )


def test_nothing_injected_has_no_totals(tables: Path) -> None:
    assert list(injection_totals(load_tables(tables)).columns) == list(TOTALS)
    assert injection_totals(load_tables(tables)).empty


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Botox® (Allergan)", True),
        ("onabotulinumtoxin-A", True),
        ("Dysport 500 U", True),
        ("MYOBLOC", True),
        ("toxin", False),
        ("", False),
    ],
)
def test_a_product_is_known_by_the_words_that_people_write(name: str, known: bool) -> None:
    assert (limits_of(name) is not None) == known


def test_the_limits_are_those_of_the_product_and_not_another() -> None:
    table = pd.DataFrame(
        {
            "participant": "P1",
            "date": pd.Timestamp("2026-01-14"),
            "side": "left",
            "site": "heel",
            "product": ["onabotulinumtoxinA", "rimabotulinumtoxinB"],
            "units_u": [2500.0, 2500.0],
        },
        index=[2, 3],
    )
    assert [problem.row for problem in injection_problems(table) if "at most" in problem.expected] == [2]


def test_no_word_of_a_flag_recommends(tables: Path) -> None:
    (tables / "injections.csv").write_text(
        HEADER + "".join(f"P1,2026-01-14,left,toe{i},onabotulinumtoxinA,90,3,1\n" for i in range(1, 6)),
        encoding="utf-8",
    )
    flags = " ".join(injection_totals(load_tables(tables))["flags"])
    assert len(flags) > 500
    assert not any(word in flags.lower() for word in ("should", "recommend", "inject more", "inject less", "reduce"))
