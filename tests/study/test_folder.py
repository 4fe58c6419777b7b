from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rewarm.errors import InvalidInputError, InvalidStudyError
from rewarm.study import check_study, load_study

Break = Callable[[Path], None]


def replace(file: str, old: str, new: str) -> Break:
    def broken(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_bytes(text.replace(old, new, 1).encode())

    return broken


def write(file: str, content: str | bytes) -> Break:
    def broken(folder: Path) -> None:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())

    return broken


def add(file: str, line: str) -> Break:
    def broken(folder: Path) -> None:
        (folder / file).write_bytes((folder / file).read_bytes() + f"{line}\n".encode())

    return broken


def rename(old: str, new: str) -> Break:
    return lambda folder: (folder / old).rename(folder / new) and None


def remove(file: str) -> Break:
    return lambda folder: (folder / file).unlink()


def become_folder(file: str) -> Break:
    def broken(folder: Path) -> None:
        (folder / file).unlink(missing_ok=True)
        (folder / file).mkdir()

    return broken


def recode(file: str, encoding: str) -> Break:
    def broken(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8").replace("cold toes", "kühle Zehen")
        (folder / file).write_bytes(text.encode(encoding))

    return broken


@dataclass(frozen=True)
class Case:
    broken: Break
    file: str
    row: int
    column: str
    message: str
    severity: str = "error"


CASES = {
    # study.toml
    "no study.toml": Case(remove("study.toml"), "study.toml", 0, "", "expected this file.*no such file"),
    "Study.toml": Case(rename("study.toml", "Study.toml"), "study.toml", 0, "", "found 'Study.toml'. Rename it"),
    "toml syntax": Case(replace("study.toml", '"toes"', "toes"), "study.toml", 1, "", "expected TOML.*line 1"),
    "toml never closed": Case(write("study.toml", 'id = "x'), "study.toml", 1, "", "expected TOML"),
    "toml latin-1": Case(write("study.toml", b'title = "F\xfcsse"'), "study.toml", 0, "", "UTF-8.*0xFC"),
    "no title": Case(replace("study.toml", "title =", "titel ="), "study.toml", 0, "title", "found nothing"),
    "misspelt setting": Case(
        replace("study.toml", "title =", 'title = "x"\ntitel ='),
        "study.toml",
        3,
        "titel",
        "Did you mean 'title'",
        "warning",
    ),
    "title a number": Case(replace("study.toml", '"Warm toes"', "7"), "study.toml", 2, "title", "text in quotation.*7"),
    "bad timezone": Case(
        replace("study.toml", "Europe/Zurich", "Europe/Zürich"),
        "study.toml",
        3,
        "timezone",
        "Did you mean 'Europe/Zurich'",
    ),
    "bad design": Case(
        replace("study.toml", '"case_series"', '"case series"'),
        "study.toml",
        6,
        "design.kind",
        "Did you mean 'case_series'",
    ),
    "no design": Case(
        replace("study.toml", "[design]", "[protocol]"), "study.toml", 0, "design", r"a section \[design\]; found none"
    ),
    "accuracy as text": Case(
        replace("study.toml", "accuracy_c = 2.0", 'accuracy_c = "2"'),
        "study.toml",
        11,
        "camera.E60.accuracy_c",
        "a number",
    ),
    "accuracy zero": Case(
        replace("study.toml", "accuracy_c = 2.0", "accuracy_c = 0"), "study.toml", 11, "camera.E60.accuracy_c", "over 0"
    ),
    "pixels": Case(
        replace("study.toml", "[160, 120]", "160"), "study.toml", 13, "camera.E60.pixels", "two whole numbers"
    ),
    "camera without id": Case(
        replace("study.toml", "[camera.E60]", "[camera]"), "study.toml", 9, "camera", r"sections \[camera.ID\]"
    ),
    # files as such
    "no participants": Case(remove("participants.csv"), "participants.csv", 0, "", "one row a person.*no such file"),
    "no scans": Case(remove("scans.csv"), "scans.csv", 0, "", "measurements.csv or diary.csv instead"),
    "old excel beside": Case(rename("visits.csv", "visits.xls"), "visits.csv", 0, "", "'visits.xls'. .*Save as"),
    "text named a workbook": Case(
        rename("visits.csv", "visits.xlsx"),
        "visits.xlsx",
        0,
        "",
        "an Excel workbook; found another kind.*save it again",
    ),
    "excel inside": Case(write("visits.csv", b"PK\x03\x04abc"), "visits.csv", 0, "", "an Excel workbook"),
    "a folder": Case(become_folder("visits.csv"), "visits.csv", 0, "", "found a folder"),
    "empty file": Case(write("visits.csv", ""), "visits.csv", 0, "", "found an empty file"),
    "header only": Case(
        write("visits.csv", "participant,visit,date,ambient_c\n"), "visits.csv", 0, "", "at least one row.*found none"
    ),
    "utf-16": Case(recode("participants.csv", "utf-16"), "participants.csv", 0, "", "UTF-8; found UTF-16.*Save as"),
    "cp1252": Case(
        recode("participants.csv", "cp1252"), "participants.csv", 2, "", "UTF-8; found byte 0xFC.*Windows-1252"
    ),
    "tabs": Case(
        write("visits.csv", "participant\tvisit\nP1\tb\n"), "visits.csv", 1, "", "comma or semicolon; found tabs"
    ),
    "open quote": Case(
        replace("participants.csv", 'feet"', "feet"), "participants.csv", 0, "", "rows of a CSV file.*quotation mark"
    ),
    "short row": Case(add("participants.csv", "P2,male"), "participants.csv", 3, "", "5 cells.*found 2"),
    "long row": Case(
        add("participants.csv", "P2,male,1970,other,a,b"),
        "participants.csv",
        3,
        "",
        'found 6. Put cells that contain ","',
    ),
    # columns
    "twice the same column": Case(
        replace("visits.csv", "humidity_pct,settling_min", "humidity_pct,humidity_pct"),
        "visits.csv",
        1,
        "humidity_pct",
        "every column once; found this one 2 times",
    ),
    "misspelt column": Case(
        replace("visits.csv", "ambient_c", "ambiant_c"), "visits.csv", 1, "ambient_c", "found 'ambiant_c'.*Did you mean"
    ),
    "missing column": Case(
        replace("participants.csv", "condition", "why"),
        "participants.csv",
        1,
        "condition",
        "required column.*only participant",
    ),
    "unknown column": Case(
        replace("visits.csv", "settling_min", "shoe"), "visits.csv", 1, "shoe", "It is kept, but not used", "warning"
    ),
    "misspelt optional column": Case(
        replace("visits.csv", "settling_min", "setling_min"),
        "visits.csv",
        1,
        "setling_min",
        "mean 'settling_min'",
        "warning",
    ),
    # cells
    "no condition": Case(
        replace("participants.csv", "secondary_raynaud", ""),
        "participants.csv",
        2,
        "condition",
        "a value.*found nothing",
    ),
    "unknown condition": Case(
        replace("participants.csv", "secondary_raynaud", "secondary_raynauds"),
        "participants.csv",
        2,
        "condition",
        "one of primary_raynaud.*Did you mean 'secondary_raynaud'",
    ),
    "birth year": Case(replace("participants.csv", "1970", "70"), "participants.csv", 2, "birth_year", "from 1900 to"),
    "half a year": Case(
        replace("participants.csv", "1970", "1970.5"), "participants.csv", 2, "birth_year", "whole number"
    ),
    "word for number": Case(
        replace("visits.csv", "23.1", "warm"), "visits.csv", 2, "ambient_c", "a number in °C; found 'warm'"
    ),
    "unit in number": Case(replace("visits.csv", "23.1", "23.1 °C"), "visits.csv", 2, "ambient_c", "without its unit"),
    "infinite": Case(replace("visits.csv", "23.1", "inf"), "visits.csv", 2, "ambient_c", "a number in °C; found 'inf'"),
    "NA": Case(
        replace("visits.csv", "23.1,40", "23.1,NA"),
        "visits.csv",
        0,
        "humidity_pct",
        "an empty cell.*'NA' in 1 cell, read as not recorded",
        "warning",
    ),
    "required n/a": Case(replace("visits.csv", "23.1", "n/a"), "visits.csv", 2, "ambient_c", "a value.*found nothing"),
    "humidity": Case(
        replace("visits.csv", "23.1,40", "23.1,140"), "visits.csv", 2, "humidity_pct", "from 0 to 100 in %"
    ),
    "hot room": Case(
        replace("visits.csv", "23.1", "51"), "visits.csv", 2, "ambient_c", "usually a number from 5 to 45", "warning"
    ),
    "impossible room": Case(replace("visits.csv", "23.1", "231"), "visits.csv", 2, "ambient_c", "from -40 to 60 in °C"),
    "slashes": Case(
        replace("visits.csv", "2026-01-12", "12/01/2026"), "visits.csv", 2, "date", "year-month-day.*'12/01/2026'"
    ),
    "no such day": Case(replace("visits.csv", "2026-01-12", "2026-02-30"), "visits.csv", 2, "date", "the calendar has"),
    "no such month": Case(
        replace("visits.csv", "2026-01-12", "2026-13-01"), "visits.csv", 2, "date", "the calendar has"
    ),
    "time without offset": Case(
        replace("visits.csv", "T09:30+01:00", "T09:30"), "visits.csv", 3, "date", r"UTC offset.*\+02:00"
    ),
    "future": Case(
        replace("visits.csv", "2026-02-23T", "2126-02-23T"), "visits.csv", 3, "date", "that is past", "warning"
    ),
    "emissivity": Case(
        replace("scans.csv", "E60,0.98", "E60,98"), "scans.csv", 2, "emissivity", "over 0 to 1; found '98'"
    ),
    "emissivity zero": Case(replace("scans.csv", "E60,0.98", "E60,0"), "scans.csv", 2, "emissivity", "over 0 to 1"),
    "emissivity of metal": Case(
        replace("scans.csv", "E60,0.98", "E60,0.5"),
        "scans.csv",
        2,
        "emissivity",
        "usually a number from 0.9",
        "warning",
    ),
    "limb": Case(replace("scans.csv", "feet", "foot"), "scans.csv", 2, "limb", "one of feet, left_foot.*found 'foot'"),
    "palm of a foot": Case(
        replace("scans.csv", "plantar", "palmar"), "scans.csv", 2, "view", "because the limb is a foot"
    ),
    "formula": Case(
        replace("participants.csv", "P1,", "=P1,"),
        "participants.csv",
        2,
        "participant",
        "spreadsheets take for a formula",
    ),
    "scan id with slash": Case(
        replace("scans.csv", "P1-before", "P1/before"),
        "scans.csv",
        2,
        "scan",
        "because it names files; found 'P1/before'",
    ),
    "scan id reserved": Case(
        replace("scans.csv", "P1-before", "con"), "scans.csv", 2, "scan", "Windows does not reserve"
    ),
    "scan id with a dot": Case(replace("scans.csv", "P1-before", "P1."), "scans.csv", 2, "scan", "no dot"),
    # what tables say together
    "participant twice": Case(
        add("participants.csv", "P1,male,1960,other,"), "participants.csv", 3, "participant", "'P1' again, which row 2"
    ),
    "visit twice": Case(
        add("visits.csv", "P1,before,2026-03-01,23,,"), "visits.csv", 4, "visit", r"'P1 \+ before' again, which row 2"
    ),
    "visit of nobody": Case(
        add("visits.csv", "P2,before,2026-03-01,23,,"),
        "visits.csv",
        4,
        "participant",
        "a participant of participants.csv",
    ),
    "visits out of order": Case(
        replace("visits.csv", "2026-01-12", "2026-03-12"),
        "visits.csv",
        3,
        "date",
        "2026-02-23, which is before 2026-03-12",
    ),
    "two visits a day": Case(
        replace("visits.csv", "2026-02-23T09:30+01:00", "2026-01-12"), "visits.csv", 3, "date", "another day", "warning"
    ),
    "participant without visits": Case(
        add("participants.csv", "P2,male,1960,other,"),
        "participants.csv",
        3,
        "participant",
        "a visit in visits",
        "warning",
    ),
    "scan twice": Case(
        replace("scans.csv", "P1-week06", "P1-before"), "scans.csv", 3, "scan", "which row 2 has already"
    ),
    "scan ids by case": Case(
        replace("scans.csv", "P1-week06", "p1-BEFORE"), "scans.csv", 3, "scan", "upper and lower case"
    ),
    "scan of no visit": Case(
        replace("scans.csv", "P1,week06", "P1,week6"),
        "scans.csv",
        3,
        "visit",
        "visit of participant 'P1'.*mean 'week06'",
    ),
    "scan of nobody": Case(
        replace("scans.csv", "P1,week06", "p1,week06"), "scans.csv", 3, "participant", "found 'p1'. Did you mean 'P1'"
    ),
    "no such file": Case(
        replace("scans.csv", "week06.npy", "week_06.npy"),
        "scans.csv",
        3,
        "file",
        "does not exist. Did you mean 'week06.npy'",
    ),
    "file name's case": Case(
        replace("scans.csv", "thermograms/week06.npy", "Thermograms/Week06.npy"),
        "scans.csv",
        3,
        "file",
        "Upper and lower case matter. Did you mean 'thermograms/week06.npy'",
    ),
    "file outside": Case(
        replace("scans.csv", "thermograms/week06.npy", "../week06.npy"), "scans.csv", 3, "file", "points outside it"
    ),
    "file absolute": Case(
        replace("scans.csv", "thermograms/week06.npy", "C:\\scans\\week06.npy"),
        "scans.csv",
        3,
        "file",
        "points outside it",
    ),
    "file a folder": Case(
        replace("scans.csv", "thermograms/week06.npy", "thermograms"), "scans.csv", 3, "file", "is a folder"
    ),
    "file empty": Case(write("thermograms/week06.npy", ""), "scans.csv", 3, "file", "which is empty"),
    "file used twice": Case(
        replace("scans.csv", "week06.npy", "before.npy"), "scans.csv", 3, "file", "which row 2 has already"
    ),
    "unknown camera": Case(
        replace("scans.csv", "rest,E60", "rest,E6O"),
        "scans.csv",
        2,
        "camera",
        r"study.toml \(E60\).*Did you mean 'E60'",
    ),
    "another view later": Case(
        replace("scans.csv", "week06.npy,feet,plantar", "week06.npy,feet,dorsal"),
        "scans.csv",
        3,
        "view",
        "the limb and view of the first visit.*found feet, dorsal.*not compared",
        "warning",
    ),
    "untimed rewarming": Case(
        replace("scans.csv", "week06.npy,feet,plantar,rest", "week06.npy,feet,plantar,rewarming"),
        "scans.csv",
        3,
        "time_s",
        "seconds since the end of the cold",
        "warning",
    ),
    "annotation of nothing": Case(
        write("annotations/P1-befor.geojson", "{}"),
        "annotations/P1-befor.geojson",
        0,
        "",
        "It is not used. Did you mean 'P1-before'",
        "warning",
    ),
    "annotation broken": Case(
        write("annotations/P1-before.geojson", "{"), "annotations/P1-before.geojson", 1, "", "expected GeoJSON"
    ),
    "annotation of another kind": Case(
        write("annotations/P1-before.geojson", '{"type": "Point"}'),
        "annotations/P1-before.geojson",
        0,
        "",
        "FeatureCollection; found 'Point'",
    ),
    # optional tables
    "injection site": Case(
        write("injections.csv", "participant,date,side,site,product,units_u\nP1,2026-01-12,left,toe_1,X,10\n"),
        "injections.csv",
        2,
        "site",
        "Did you mean 'toe1'",
        "warning",
    ),
    "dose as a word": Case(
        write("injections.csv", "participant,date,side,site,product,units_u\nP1,2026-01-12,left,toe1,X,ten\n"),
        "injections.csv",
        2,
        "units_u",
        "a number in U; found 'ten'",
    ),
    "diary score": Case(
        write("diary.csv", "participant,date,rcs\nP1,2026-01-12,11\n"), "diary.csv", 2, "rcs", "from 0 to 10"
    ),
    "diary colours": Case(
        write("diary.csv", "participant,date,colour_change\nP1,2026-01-12,white;bleu\n"),
        "diary.csv",
        2,
        "colour_change",
        "words of white, blue, red.*Did you mean 'blue'",
    ),
    "diary day twice": Case(
        write("diary.csv", "participant,date\nP1,2026-01-12\nP1,2026-01-12\n"), "diary.csv", 3, "date", "which row 2"
    ),
    "event severity": Case(
        write("events.csv", "participant,date,term,severity\nP1,2026-01-12,pain,6\n"),
        "events.csv",
        2,
        "severity",
        "from 1 to 5",
    ),
}


def test_a_good_study_has_no_problem(study: Path) -> None:
    check = load_study(study)
    assert check.problems == ()
    assert list(check.tables) == ["participants", "visits", "scans"]
    assert check.settings["camera"]["E60"]["accuracy_c"] == 2.0
    visits = check.tables["visits"]
    assert list(visits.index) == [2, 3]
    assert visits["ambient_c"].tolist() == [23.1, 23.4]
    assert np.isnan(visits["humidity_pct"].iloc[1])
    assert visits["date"].tolist() == [pd.Timestamp("2026-01-12"), pd.Timestamp("2026-02-23 09:30")]
    assert check.tables["participants"]["notes"].tolist() == ["cold toes, both feet"]


@pytest.mark.parametrize("name", CASES)
def test_one_broken_thing_is_reported_where_it_is(study: Path, name: str) -> None:
    case = CASES[name]
    case.broken(study)
    found = [p for p in check_study(study).problems if (p.file, p.column) == (case.file, case.column)]
    matching = [p for p in found if re.search(case.message, str(p))]
    assert matching, f"no problem says {case.message!r}: {[str(p) for p in found] or check_study(study).problems}"
    assert (matching[0].row, matching[0].severity) == (case.row, case.severity)
    assert all(p.advice for p in check_study(study).errors)  # what to do next


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.severity == "warning"])
def test_a_warning_does_not_stop_a_study(study: Path, name: str) -> None:
    CASES[name].broken(study)
    assert load_study(study).warnings


def test_many_problems_are_reported_together_in_the_order_of_the_files(study: Path) -> None:
    for name in (
        "no such file",
        "hot room",
        "unknown condition",
        "bad timezone",
        "emissivity",
        "no such day",
        "long row",
    ):
        CASES[name].broken(study)
    with pytest.raises(InvalidStudyError, match="6 problems to correct") as caught:
        load_study(study)
    places = [(p.file, p.row) for p in caught.value.problems if p.severity == "error"]
    assert places == [
        ("study.toml", 3), ("participants.csv", 2), ("participants.csv", 3), ("visits.csv", 2), ("scans.csv", 2),
        ("scans.csv", 3),
    ]  # fmt: skip


def _semicolons(text: str) -> str:
    return text.replace('"cold toes, both feet"', "cold toes§ both feet").replace(",", ";").replace("§", ",")


@pytest.mark.parametrize(
    "variant",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.rstrip("\n").encode(),
        lambda text: _semicolons(text).encode(),
        lambda text: b"\xef\xbb\xbfsep=;\r\n" + _semicolons(text).replace("\n", "\r\n").encode(),
        lambda text: (text.replace(",", " , ").replace("toes ,  both", "toes, both") + ",,,\n\n").encode(),
    ],
    ids=["BOM", "CRLF", "no last newline", "semicolons", "Excel", "blanks and empty rows"],
)
def test_what_spreadsheets_write_gives_identical_tables(study: Path, variant: Callable[[str], bytes]) -> None:
    expected = check_study(study).tables
    for file in ("participants.csv", "visits.csv", "scans.csv"):
        (study / file).write_bytes(variant((study / file).read_text(encoding="utf-8")))
    check = check_study(study)
    assert check.problems == ()
    for name, table in expected.items():
        pd.testing.assert_frame_equal(check.tables[name], table)


def test_a_decimal_comma_is_read_beside_semicolons_and_said(study: Path) -> None:
    text = (study / "visits.csv").read_text(encoding="utf-8").replace(",", ";").replace("23.", "23,")
    (study / "visits.csv").write_bytes(text.encode())
    check = load_study(study)
    assert check.tables["visits"]["ambient_c"].tolist() == [23.1, 23.4]
    assert [str(p) for p in check.warnings] == [
        "visits.csv, column ambient_c: expected a decimal point; found a decimal comma in 2 cells, read as a point"
    ]


def test_a_path_written_on_windows_is_understood(study: Path) -> None:
    replace("scans.csv", "thermograms/week06.npy", "thermograms\\week06.npy")(study)
    assert check_study(study).problems == ()


def test_unknown_columns_are_kept(study: Path) -> None:
    CASES["unknown column"].broken(study)
    assert check_study(study).tables["visits"]["shoe"].tolist() == ["20", "20"]


def test_a_row_counts_as_a_spreadsheet_counts_it(study: Path) -> None:
    text = 'participant,condition,notes\nP1,other,"two\nlines"\n\nP2,otter,\n'
    (study / "participants.csv").write_bytes(text.encode())
    (problem,) = check_study(study).errors
    assert (problem.row, problem.column) == (4, "condition")


def test_a_black_body_needs_both_its_temperature_and_its_box(study: Path) -> None:
    header, first, second = SCANS_LINES = (study / "scans.csv").read_text(encoding="utf-8").splitlines()
    assert len(SCANS_LINES) == 3
    lines = [f"{header},reference_c,reference_box", f"{first},30.0,", f"{second},,1;2;3;4", ""]
    (study / "scans.csv").write_bytes("\n".join(lines).encode())
    assert [(p.row, p.column) for p in check_study(study).errors] == [(2, "reference_box"), (3, "reference_c")]


@pytest.mark.parametrize("box", ["1,2,3,4", "1;2;3", "3;2;1;4", "1;4;3;4", "a;2;3;4", "-1;2;3;4"])
def test_a_box_that_is_none_is_refused(study: Path, box: str) -> None:
    header, first, second = (study / "scans.csv").read_text(encoding="utf-8").splitlines()
    lines = [f"{header},reference_c,reference_box", f'{first},30.0,"{box}"', f"{second},30.0,1;2;30;40", ""]
    (study / "scans.csv").write_bytes("\n".join(lines).encode())
    (problem,) = check_study(study).errors
    assert (problem.row, problem.column) == (2, "reference_box")
    assert "x1 > x0" in problem.expected


def test_the_same_mistake_in_many_rows_is_named_ten_times_and_then_counted(study: Path) -> None:
    rows = "".join(f"P1,2026-01-{1 + i % 28:02d},left,99\n" for i in range(28))
    (study / "diary.csv").write_bytes(f"participant,date,side,rcs\n{rows}".encode())
    problems = check_study(study).errors
    assert len(problems) == 11
    assert any("18 more rows" in problem.found for problem in problems)


@pytest.mark.parametrize("instead", ["measurements.csv", "diary.csv"])
def test_measurements_or_a_diary_stand_in_for_scans(study: Path, instead: str) -> None:
    (study / "scans.csv").unlink()
    text = {
        "measurements.csv": "participant,visit,side,region,metric,value,unit\nP1,before,left,toe1,mean,25.1,degC\n",
        "diary.csv": "participant,date,rcs\nP1,2026-01-12,4\n",
    }[instead]
    (study / instead).write_bytes(text.encode())
    assert load_study(study).problems == ()


def test_what_is_no_folder_is_one_clear_error(study: Path) -> None:
    with pytest.raises(InvalidInputError, match="found nothing of that name"):
        check_study(study / "nowhere")
    with pytest.raises(InvalidInputError, match=r"found a file. Give the folder that holds it: .*my-study"):
        check_study(study / "study.toml")


def test_an_empty_folder_lacks_everything_required(study: Path) -> None:
    shutil.rmtree(study)
    study.mkdir()
    files = [problem.file for problem in check_study(study).errors]
    assert files == ["study.toml", "participants.csv", "visits.csv", "scans.csv"]
