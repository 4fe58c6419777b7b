"""Whatever a clinic writes into its tables is read, or reported with file, expected, found and what to do next."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewarm.errors import InvalidStudyError
from rewarm.study import check_study, diary_coverage, diary_days, load_tables
from rewarm.study.clinical import study_tables
from rewarm.study.first_table import first_table
from rewarm.study.injections import injection_totals
from rewarm.study.records import TABLES, Table

SETTINGS = 'id = "x"\ntitle = "X"\ntimezone = "Europe/Zurich"\n[design]\nkind = "{kind}"\ncontrol = "untreated_limb"\n'
ODD = st.sampled_from(
    [
        *("", " ", "n/a", "-", "?", "0", "1", "-1", "1,5", "1,234", "1.234,5", "1e400", "nan", "inf", "#REF!", "=1+1"),
        *(
            "2026-01-12",
            "2026-01-12T08:00+01:00",
            "2026-01-12T08:00",
            "12.01.2026",
            "31.01.2026",
            "46034",
            "0001-01-01",
        ),
        *("2026-01-12T23:59:59.5Z", "2026-02-30", "9999-12-31", "P1", "P2", "p1", "before", "left", "right", "toe1"),
        *("mean", "t50", "t50_reached", "degC", "1", "Botox", "saline", "white;blue", "none", "placebo", "yes", "true"),
        *("\u00a0P1\u200b", "a\nb", 'say "x"', "a;b", "a,b", "ü", "primary_raynaud", "secondary_raynaud", "5", "20"),
    ]
)
ANY = st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)


def sound(column: str) -> st.SearchStrategy[str]:
    """Cells that a column may well hold."""
    likely = {
        "participant": ["P1", "P2"],
        "visit": ["before", "after"],
        "date": ["2026-01-12", "2026-02-23", "2026-01-13T08:00+01:00", "2026-01-13T20:00+01:00"],
        "condition": ["primary_raynaud", "healthy"],
        "side": ["left", "right"],
        "site": ["toe1", "web2", "palm"],
        "product": ["Botox", "Dysport", "saline"],
        "region": ["toe1", "toe2", "finger1"],
        "metric": ["mean", "t50", "t50_reached"],
        "unit": ["degC", "s", "1"],
        "term": ["pain"],
        "arm": ["A", "B", ""],
    }
    return st.sampled_from(likely.get(column, ["1", "2.5", "30", "", "yes"]))


@st.composite
def files(draw: st.DrawFn) -> dict[str, str]:
    """CSV files of some tables: some columns of each, cells that are mostly sound."""
    texts: dict[str, str] = {}
    for name, table in TABLES.items():
        if name == "scans" or (name not in ("participants", "visits", "diary") and draw(st.booleans())):
            continue
        texts[table.file] = draw(contents(table))
    return texts


@st.composite
def contents(draw: st.DrawFn, table: Table) -> str:
    columns = [column for column in table.columns if column.required or draw(st.integers(0, 2)) > 0]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=draw(st.sampled_from(",;")))
    writer.writerow([column.name for column in columns])
    for _ in range(draw(st.integers(0, 5))):
        row = [draw(sound(column.name) if draw(st.integers(0, 9)) else st.one_of(ODD, ANY)) for column in columns]
        writer.writerow(row)
    return stream.getvalue()


@settings(max_examples=60, deadline=None)
@given(texts=files(), kind=st.sampled_from(["case_series", "parallel", "split_limb"]))
def test_any_tables_are_read_or_reported(texts: dict[str, str], kind: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "study.toml").write_text(SETTINGS.format(kind=kind), encoding="utf-8")
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="")
        check = check_study(folder)
        for problem in check.problems:
            assert problem.expected
            assert problem.found
            assert "\n" not in str(problem)
            assert problem.file in {"study.toml", "scans.csv", *texts}
            assert problem.advice or problem.severity == "warning", str(problem)
        if check.errors:
            with pytest.raises(InvalidStudyError) as refused:
                load_tables(folder)
            assert refused.value.problems == check.problems
            return
        tables = study_tables(check)
        assert tables.participants["participant"].is_unique
        days = diary_days(tables.diary)
        assert not days.duplicated(["participant", "side", "day"]).any()
        assert days["entries"].sum() == len(tables.diary)
        assert set(diary_coverage(tables.diary, tables.injections)["participant"]) == set(tables.diary["participant"])
        assert (first_table(tables)["n"] <= len(tables.participants)).all()
        totals = injection_totals(tables)
        limb, year = (
            totals[totals["scope"] == scope].groupby("product")["units_u"].sum() for scope in ("limb", "year")
        )
        assert (limb - year).abs().max() < 1e-9 or tables.injections.empty
