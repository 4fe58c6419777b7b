"""What spreadsheets do to tables: workbooks, dates of other countries, decimal commas, words for nothing."""

from __future__ import annotations

import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rewarm.study import check_study
from rewarm.study.columns import convert_table
from rewarm.study.csvtext import TextTable
from rewarm.study.folder import StudyCheck
from rewarm.study.records import TABLES

VISITS = [
    ["participant", "visit", "date", "ambient_c", "humidity_pct", "settling_min", "recent_smoking"],
    ["P1", "before", date(2026, 1, 12), 23.1, 40, 20, False],
    ["P1", "week06", datetime(2026, 2, 23), 23.4, None, 20, True],
]


def save(path: Path, rows: list[list[Any]], *, title: str = "visits") -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    book.save(path)
    return book


@pytest.fixture
def workbook(tables: Path) -> Path:
    """The folder with visits.xlsx in place of visits.csv."""
    (tables / "visits.csv").unlink()
    save(tables / "visits.xlsx", VISITS)
    return tables


def messages(check: StudyCheck) -> list[str]:
    return [str(problem) for problem in check.problems]


# workbooks


def test_a_workbook_gives_the_table_that_the_csv_file_gave(tables: Path) -> None:
    text = "participant,visit,date,ambient_c,humidity_pct,settling_min,recent_smoking\n"
    text += "P1,before,2026-01-12,23.1,40,20,false\nP1,week06,2026-02-23,23.4,,20,true\n"
    (tables / "visits.csv").write_text(text, encoding="utf-8")
    expected = check_study(tables)
    (tables / "visits.csv").unlink()
    save(tables / "visits.xlsx", VISITS)
    found = check_study(tables)
    assert messages(expected) == messages(found) == []
    pd.testing.assert_frame_equal(found.tables["visits"], expected.tables["visits"])
    assert found.files["visits"] == "visits.xlsx"


def test_problems_of_a_workbook_name_it_and_its_rows(workbook: Path) -> None:
    save(workbook / "visits.xlsx", [VISITS[0], ["P2", "before", date(2026, 1, 12), "warm", None, 20, None]])
    save(workbook / "participants.xlsx", [["participant", "condition"], ["P1", "other"]])
    (workbook / "participants.csv").unlink()
    found = messages(check_study(workbook))
    assert any(
        text.startswith("visits.xlsx, row 2, column ambient_c: expected a number in °C; found 'warm'") for text in found
    )
    assert any(
        "visits.xlsx, row 2, column participant: expected a participant of participants.xlsx" in text for text in found
    )
    assert not any("visits.csv" in text or "participants.csv" in text for text in found)


def test_a_csv_file_and_a_workbook_of_one_table_are_one_too_many(tables: Path) -> None:
    save(tables / "visits.xlsx", VISITS)
    (problem,) = check_study(tables).errors
    assert str(problem).startswith("visits.csv: expected one file a table; found visits.xlsx too. visits.csv is read")


def test_the_sheet_of_the_tables_name_is_read_before_the_first(workbook: Path) -> None:
    book = save(workbook / "visits.xlsx", [["something", "else"]], title="Cover")
    sheet = book.create_sheet("Visits ")
    for row in VISITS:
        sheet.append(row)
    book.save(workbook / "visits.xlsx")
    assert messages(check_study(workbook)) == []


def test_sheets_that_are_not_read_are_named(workbook: Path) -> None:
    book = save(workbook / "visits.xlsx", VISITS, title="Sheet1")
    book.create_sheet("empty")
    book.create_sheet("old data").append(["participant"])
    book.save(workbook / "visits.xlsx")
    assert messages(check_study(workbook)) == [
        "visits.xlsx: expected one sheet, or one named visits; found 2 sheets. "
        "The first sheet, 'Sheet1', is read. Not read: 'old data'"
    ]


def test_merged_cells_and_formulas_never_computed_are_errors(workbook: Path) -> None:
    book = save(workbook / "visits.xlsx", VISITS)
    sheet = book.active
    sheet.merge_cells("A2:A3")
    sheet["D3"] = "=D2+0.3"
    book.save(workbook / "visits.xlsx")
    found = messages(check_study(workbook))
    assert any(
        text.startswith(
            "visits.xlsx, row 2, column participant: expected every cell by itself; found the merged cells A2:A3"
        )
        for text in found
    )
    assert any(
        text.startswith(
            "visits.xlsx, row 3, column ambient_c: expected a value; found a formula that was never computed, in D3"
        )
        for text in found
    )


def test_a_computed_formula_is_its_value(workbook: Path) -> None:
    book = save(workbook / "visits.xlsx", VISITS)
    book.active["D3"] = "=D2+0.3"
    book.save(workbook / "visits.xlsx")
    path = workbook / "visits.xlsx"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert (
        b"<f>D2+0.3</f><v/>" in parts[sheet]
        or b"<f>D2+0.3</f><v />" in parts[sheet]
        or b"<f>D2+0.3</f>" in parts[sheet]
    )
    computed = parts[sheet].replace(b"<v />", b"<v>23.4</v>", 1).replace(b"<v/>", b"<v>23.4</v>", 1)
    if computed == parts[sheet]:
        computed = computed.replace(b"</f>", b"</f><v>23.4</v>")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, computed if name == sheet else content)
    check = check_study(workbook)
    assert messages(check) == []
    assert check.tables["visits"]["ambient_c"].tolist() == [23.1, 23.4]


def test_hidden_rows_are_read_and_said(workbook: Path) -> None:
    book = save(workbook / "visits.xlsx", VISITS)
    book.active.row_dimensions[3].hidden = True
    book.save(workbook / "visits.xlsx")
    check = check_study(workbook)
    assert len(check.tables["visits"]) == 2
    assert messages(check) == [
        "visits.xlsx: expected no hidden rows; found 1 hidden row. "
        "They are read like the others: delete what does not belong to the study"
    ]


def test_blank_rows_and_formatted_cells_at_the_end_are_left_out(workbook: Path) -> None:
    book = save(workbook / "visits.xlsx", VISITS)
    book.active.cell(400, 30).number_format = "0.00"
    book.active["A9"] = "  "
    book.save(workbook / "visits.xlsx")
    check = check_study(workbook)
    assert messages(check) == []
    assert list(check.tables["visits"].index) == [2, 3]


def test_cells_are_read_as_they_are_shown(workbook: Path) -> None:
    book = save(workbook / "visits.xlsx", VISITS)
    sheet = book.active
    sheet["E2"], sheet["E2"].number_format = 0.4, "0%"
    sheet["B3"], sheet["B3"].number_format = 7, "000"
    sheet["C3"] = datetime(2026, 2, 23, 9, 30)
    book.save(workbook / "visits.xlsx")
    check = check_study(workbook)
    assert check.tables["visits"]["visit"].tolist() == ["before", "007"]
    found = messages(check)
    assert any("column humidity_pct: expected a number in %; found '40 %'" in text for text in found)
    assert any("a time with its UTC offset" in text and "found '2026-02-23T09:30:00'" in text for text in found)


def test_a_workbook_of_an_old_mac_counts_its_days_from_1904(workbook: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    for row in [VISITS[0], ["P1", "before", 44572, 23.1, 40, 20, None]]:
        book.active.append(row)
    book.save(workbook / "visits.xlsx")
    assert check_study(workbook).tables["visits"]["date"].tolist() == [pd.Timestamp("2026-01-12")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a header row and at least one row; found an empty file"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "protected by a password, or of the old kind.*Save it as .xlsx"),
        (b"participant,visit\n", "found another kind of file, or a damaged one. Open it in the spreadsheet"),
    ],
)
def test_what_is_no_workbook_says_so(workbook: Path, content: bytes, message: str) -> None:
    (workbook / "visits.xlsx").write_bytes(content)
    (problem,) = [p for p in check_study(workbook).errors if p.file == "visits.xlsx"]
    assert pd.Series([str(problem)]).str.contains(message).all(), str(problem)


def test_an_archive_of_something_else_says_so(workbook: Path) -> None:
    with zipfile.ZipFile(workbook / "visits.xlsx", "w") as archive:
        archive.writestr("hello.txt", "hello")
    (problem,) = [p for p in check_study(workbook).errors if p.file == "visits.xlsx"]
    assert "an Excel workbook; found one that cannot be read" in str(problem)


def test_an_empty_sheet_says_so(workbook: Path) -> None:
    save(workbook / "visits.xlsx", [])
    (problem,) = [p for p in check_study(workbook).errors if p.file == "visits.xlsx"]
    assert "expected a header row and at least one row; found an empty sheet 'visits'" in str(problem)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), st.binary(max_size=6)), min_size=1, max_size=4))
def test_a_damaged_workbook_is_reported_and_never_raises(workbook: Path, edits: list[tuple[float, int, bytes]]) -> None:
    path = workbook / "visits.xlsx"
    sound = path.read_bytes()
    damaged = bytearray(sound)
    for place, cut, data in edits:
        at = int(place * len(damaged))
        damaged[at : at + cut] = data
    try:
        path.write_bytes(bytes(damaged))
        check = check_study(workbook)
    finally:
        path.write_bytes(sound)
    assert all(problem.expected and problem.found and "\n" not in str(problem) for problem in check.problems)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs"]), max_size=10),
    st.dates(date(1950, 1, 1), date(2090, 12, 31)),
    st.times(),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(rows=st.lists(st.lists(VALUES, min_size=7, max_size=7), max_size=5))
def test_whatever_a_sheet_holds_is_read_or_reported(workbook: Path, rows: list[list[Any]]) -> None:
    assume(not any(isinstance(cell, str) and cell.startswith("=") for row in rows for cell in row))
    save(workbook / "visits.xlsx", [VISITS[0], *rows])
    check = check_study(workbook)
    for problem in check.problems:
        assert problem.expected
        assert problem.found
    kept = sum(any(cell is not None and str(cell).strip() for cell in row) for row in rows)
    assert len(check.tables["visits"]) == kept


# dates


def dates(*cells: str) -> tuple[list[object], list[str]]:
    """The dates of a column, None where there is none, and what was said of them."""
    events = TABLES["events"]
    frame = pd.DataFrame({"participant": "P1", "date": list(cells), "term": "x", "severity": "1"}, dtype=str)
    frame.index = pd.Index(range(2, len(frame) + 2), name="row")
    typed, problems = convert_table(TextTable("events.csv", frame), events)
    read = [None if pd.isna(value) else value.date().isoformat() for value in typed.frame["date"]]
    return read, [f"{problem.severity}: {problem}" for problem in problems]


def test_days_first_are_read_where_the_column_proves_it() -> None:
    read, said = dates("03.04.2026", "31.03.2026")
    assert read == ["2026-04-03", "2026-03-31"]
    assert said == [
        "warning: events.csv, column date: expected a date as year-month-day, e.g. 2026-03-31; found 2 cells such as "
        "'31.03.2026', read as day, month, year: 2026-03-31. Check that this is the day meant"
    ]


def test_months_first_are_read_where_the_column_proves_it() -> None:
    read, said = dates("04/03/2026", "3/31/2026")
    assert read == ["2026-04-03", "2026-03-31"]
    assert "read as month, day, year: 2026-03-31" in said[0]


@pytest.mark.parametrize("cells", [("03.04.2026",), ("03/04/2026", "5/6/2026"), ("3-4-2026",)])
def test_a_column_that_may_be_read_in_two_ways_is_refused(cells: tuple[str, ...]) -> None:
    read, said = dates(*cells)
    assert read == [None] * len(cells)
    assert all("nothing in this column tells whether the day or the month comes first" in text for text in said)
    assert all(text.startswith("error") for text in said)


def test_a_column_that_contradicts_itself_is_refused() -> None:
    read, said = dates("31/03/2026", "03/31/2026")
    assert read == [None, None]
    assert "because '31/03/2026' begins with the day and '03/31/2026' with the month" in said[0]


def test_two_ways_of_writing_in_one_column_are_refused_where_they_leave_the_contract() -> None:
    read, said = dates("2026-03-01", "13/01/2026")
    assert read == ["2026-03-01", None]
    (problem,) = said
    assert "one way in the whole column; found '13/01/2026'. Two ways of writing dates" in problem
    assert "swapped days and months" in problem


def test_day_numbers_of_a_spreadsheet_are_dates() -> None:
    read, said = dates("46034", "46076.0")
    assert read == ["2026-01-12", "2026-02-23"]
    assert "a spreadsheet's day number: 2026-02-23" in said[0]


def test_years_first_with_dots_or_slashes_are_dates() -> None:
    assert dates("2026.3.31", "2026/04/01")[0] == ["2026-03-31", "2026-04-01"]


def test_a_date_with_an_empty_time_is_a_date() -> None:
    read, said = dates("2026-03-31 00:00:00", "2026-04-01")
    assert read == ["2026-03-31", "2026-04-01"]
    assert "followed by 00:00, read as the day alone" in said[0]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("31.03.26", "a date as year-month-day"),
        ("31 March 2026", "a date as year-month-day"),
        ("1926-03-31", "a date since 1950"),
        ("2026-02-30", "a date that the calendar has"),
        ("32.13.2026", "begins with|nothing in this column"),
        ("46034.4", "a date as year-month-day"),
        ("12", "a date as year-month-day"),
        ("2026-03-31T09:30", "a time with its UTC offset"),
    ],
)
def test_other_dates_are_refused(cell: str, expected: str) -> None:
    read, said = dates(cell)
    assert read == [None]
    assert pd.Series(said).str.contains(expected).any(), said
    assert all(text.startswith("error") for text in said)


@given(st.lists(st.dates(date(1950, 1, 1), date(2090, 1, 1)), min_size=1, max_size=6), st.sampled_from("./-"))
def test_days_first_are_right_or_refused(days: list[date], mark: str) -> None:
    read, _ = dates(*(f"{day.day:02d}{mark}{day.month:02d}{mark}{day.year}" for day in days))
    assert read in ([day.isoformat() for day in days], [None] * len(days))
    if any(day.day > 12 for day in days):
        assert read[0] is not None


@given(st.lists(st.dates(date(1954, 10, 4), date(2090, 1, 1)), min_size=1, max_size=6))
def test_day_numbers_are_right(days: list[date]) -> None:
    epoch = date(1899, 12, 30)
    assert dates(*(str((day - epoch).days) for day in days))[0] == [day.isoformat() for day in days]


# numbers


def numbers(*cells: str) -> tuple[list[float], list[str]]:
    frame = pd.DataFrame(
        {"participant": "P1", "visit": "a", "date": "2026-01-12", "ambient_c": "20"}, index=range(2, len(cells) + 2)
    )
    frame["outdoor_mean_c"] = list(cells)
    typed, problems = convert_table(TextTable("visits.csv", frame.astype(str)), TABLES["visits"])
    return typed.frame["outdoor_mean_c"].tolist(), [f"{problem.severity}: {problem}" for problem in problems]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("-3,5", "12"), [-3.5, 12.0]),
        (("0,250",), [0.25]),
        (("1,250", "2,5"), [1.25, 2.5]),
        (("−3.5",), [-3.5]),
        (("1e1",), [10.0]),
        (("\u00a07.5\u00a0".strip(),), [7.5]),
    ],
)
def test_numbers_that_can_mean_one_thing_are_read(cells: tuple[str, ...], expected: list[float]) -> None:
    read, said = numbers(*cells)
    assert read == expected
    assert all(text.startswith("warning") for text in said)
    assert bool(said) == any("," in cell for cell in cells)


@pytest.mark.parametrize(
    ("cells", "doubtful", "message"),
    [
        (("1,250",), [0], "because '1,250' may mean 1.250 or 1250"),
        (("1,250", "2.5"), [0], "may mean 1.250 or 1250"),
        (("2,5", "1.250"), [1], "because '1.250' may mean 1.250 or 1250"),
        (("1,250,000",), [0], "may mean 1250000"),
        (("1.250,5",), [0], "a number in °C; found '1.250,5'"),
        (("1 250",), [0], "a number in °C; found '1 250'"),
        (("0x10",), [0], "a number in °C"),
        (("1_0",), [0], "a number in °C"),
        (("١٢",), [0], "a number in °C"),
    ],
)
def test_numbers_that_may_mean_two_things_are_refused(
    cells: tuple[str, ...], doubtful: list[int], message: str
) -> None:
    read, said = numbers(*cells)
    assert [place for place, value in enumerate(read) if pd.isna(value)] == doubtful
    assert any(text.startswith("error") and message in text for text in said), said


@given(st.lists(st.decimals(-89, 60, places=2), min_size=1, max_size=5))
def test_decimal_commas_of_two_places_are_read_as_meant(values: list[Any]) -> None:
    assert numbers(*(str(value).replace(".", ",") for value in values))[0] == [float(value) for value in values]


@pytest.mark.parametrize("word", ["n/a", "N/A", "-", "–", "NA", "NaN", "?", "unknown", "#N/A"])
def test_words_for_nothing_are_nothing_and_are_said(word: str) -> None:
    read, said = numbers(word, "3")
    assert pd.isna(read[0])
    assert said == [
        "warning: visits.csv, column outdoor_mean_c: expected an empty cell where nothing was recorded; "
        f"found {word!r} in 1 cell, read as not recorded"
    ]


def test_free_text_keeps_its_words_but_no_errors_of_the_spreadsheet(tables: Path) -> None:
    rows = "P1,other,unknown\nP2,other,#REF!\nP3,other,n/a\n"
    (tables / "participants.csv").write_text(f"participant,condition,underlying\n{rows}", encoding="utf-8")
    check = check_study(tables)
    assert check.tables["participants"]["underlying"].tolist() == ["unknown", "#REF!", ""]
    assert [str(p) for p in check.errors] == [
        "participants.csv, row 3, column underlying: expected text, not an error of the spreadsheet; "
        "found '#REF!'. Correct it"
    ]


def test_blanks_of_any_kind_and_marks_without_width_are_trimmed(tables: Path) -> None:
    text = "\ufeffparticipant,condition\u00a0\n\u00a0P1\u200b, other\u2003\n\u00a0,\u00a0\n"
    (tables / "participants.csv").write_text(text, encoding="utf-8")
    check = check_study(tables)
    assert messages(check) == []
    assert check.tables["participants"].to_numpy().tolist() == [["P1", "other"]]


def test_a_time_of_day_alone_is_no_date(workbook: Path) -> None:
    save(workbook / "visits.xlsx", [VISITS[0], ["P1", "before", time(9, 30), 23.1, 40, 20, None]])
    assert any("column date: expected a date as year-month-day" in text for text in messages(check_study(workbook)))
