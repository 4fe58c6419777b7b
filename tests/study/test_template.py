"""An empty study: what it holds, what the check says of it, and that its examples are right."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from rewarm.errors import InvalidInputError, OutputError
from rewarm.study import check_study, load_study
from rewarm.study.records import DESIGNS, TABLES
from rewarm.study.template import CHOICES, EXAMPLES, example_csv, settings_text, write_template


def uncommented(text: str) -> str:
    """study.toml with every commented line taken as meant."""
    return re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE)


def filled(folder: Path) -> None:
    """The template as its own examples fill it in."""
    text = uncommented((folder / "study.toml").read_text(encoding="utf-8")).replace("[camera.ID]", "[camera.E60]")
    for name, value in (("id", '"x"'), ("title", '"X"'), ("timezone", '"Europe/Zurich"')):
        text = text.replace(f'\n{name} = ""', f"\n{name} = {value}")
    (folder / "study.toml").write_text(text, encoding="utf-8")
    for path in folder.glob("*.csv"):
        path.write_text(example_csv(TABLES[path.stem]), encoding="utf-8")
    (folder / "thermograms" / "IR_0042.jpg").write_bytes(np.zeros(10).tobytes())


def test_a_template_holds_headings_settings_and_a_readme(tmp_path: Path) -> None:
    files = write_template(tmp_path / "new-study", tables=("scans", "diary"))
    names = [path.name for path in files]
    assert names == ["study.toml", "README.md", "participants.csv", "visits.csv", "scans.csv", "diary.csv"]
    assert (tmp_path / "new-study" / "thermograms").is_dir()
    header = (tmp_path / "new-study" / "diary.csv").read_text(encoding="utf-8")
    assert header == ",".join(column.name for column in TABLES["diary"].columns) + "\n"
    readme = (tmp_path / "new-study" / "README.md").read_text(encoding="utf-8")
    assert "rewarm check new-study" in readme
    assert "    P01,2026-01-12,4,2,30,35,white;blue,none" in readme


def test_the_check_of_a_fresh_template_says_what_to_fill_in(tmp_path: Path) -> None:
    write_template(tmp_path / "new-study", tables=CHOICES)
    check = check_study(tmp_path / "new-study")
    assert [str(problem) for problem in check.errors] == [
        "study.toml, row 3, column id: expected text in quotation marks (the study's short code); found nothing yet. "
        "Fill it in",
        "study.toml, row 4, column title: expected text in quotation marks (the study's title); found nothing yet. "
        "Fill it in",
        "study.toml, row 5, column timezone: expected text in quotation marks (where its clocks are, e.g. "
        "Europe/Zurich); found nothing yet. Fill it in",
        "participants.csv: expected at least one row below the header: one row a person; found none. Fill it in",
        "visits.csv: expected at least one row below the header: one row a visit of a person; found none. Fill it in",
        "scans.csv: expected at least one row below the header: one row a picture or recording (or rows of "
        "measurements.csv or diary.csv instead); found none. Fill it in",
    ]
    assert {problem.file for problem in check.warnings} == {f"{name}.csv" for name in CHOICES if name != "scans"}
    assert all("It counts as not there: fill it in, or delete the file" in str(p) for p in check.warnings)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_template_filled_in_with_its_own_examples_has_no_error(tmp_path: Path, design: str) -> None:
    write_template(tmp_path / "new-study", design=design, tables=CHOICES)
    filled(tmp_path / "new-study")
    check = load_study(tmp_path / "new-study")
    assert check.settings["design"]["kind"] == design
    assert check.settings["design"]["randomised"] is True
    assert {name: len(table) for name, table in check.tables.items()} == {
        name: len(rows) for name, rows in EXAMPLES.items()
    }
    unexpected = [str(p) for p in check.warnings if "because the design is parallel" not in p.expected]
    assert unexpected == []


@pytest.mark.parametrize("design", DESIGNS)
def test_its_settings_are_toml_as_they_stand(design: str) -> None:
    settings = tomllib.loads(settings_text(design))
    assert settings["design"]["kind"] == design
    assert settings["id"] == ""
    assert set(settings) == {"id", "title", "timezone", "design"}


def test_examples_are_of_columns_that_exist() -> None:
    for name, rows in EXAMPLES.items():
        columns = {column.name for column in TABLES[name].columns}
        required = {column.name for column in TABLES[name].columns if column.required}
        assert all(required <= set(row) <= columns for row in rows)


def test_workbooks_have_notes_and_lists_and_are_read_back(tmp_path: Path) -> None:
    files = write_template(tmp_path / "new-study", tables=CHOICES, workbooks=True)
    assert {path.suffix for path in files} == {".toml", ".md", ".xlsx"}
    path = tmp_path / "new-study" / "participants.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book["participants"]
    heading = {cell.value: cell for cell in sheet[1]}
    assert heading["participant"].font.bold
    assert "Required." in heading["condition"].comment.text
    assert "Example: secondary_raynaud" in heading["condition"].comment.text
    lists = [choice.formula1 for choice in sheet.data_validations.dataValidation]
    assert lists == ['"primary_raynaud,secondary_raynaud,forefoot_pain,healthy,other"']
    sheet.append(["P01", "female", 1970, "other"])
    book.save(path)
    check = check_study(tmp_path / "new-study")
    assert check.tables["participants"]["birth_year"].tolist() == [1970]
    assert [p.expected for p in check.problems if p.file == "participants.xlsx"] == ["a visit in visits.xlsx"]
    assert {p.file for p in check.errors} == {"study.toml", "visits.xlsx", "scans.xlsx"}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    write_template(tmp_path / "new-study")
    before = {path: path.read_bytes() for path in (tmp_path / "new-study").iterdir() if path.is_file()}
    with pytest.raises(OutputError, match=r"a new or an empty folder; found a folder that is not empty\. Choose"):
        write_template(tmp_path / "new-study", tables=("diary",))
    assert {path: path.read_bytes() for path in (tmp_path / "new-study").iterdir() if path.is_file()} == before
    with pytest.raises(OutputError, match="found a file"):
        write_template(tmp_path / "new-study" / "study.toml")


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    assert write_template(tmp_path)


@pytest.mark.parametrize(
    ("design", "tables", "message"),
    [
        ("cases", ("scans",), "design: expected one of case_series.*found 'cases'"),
        ("case_series", ("scans", "dairy"), "tables: expected some of scans.*found 'dairy'. Did you mean 'diary'"),
        ("case_series", ("injections",), "at least one of scans, measurements, diary.*found injections"),
        ("case_series", (), "found none"),
    ],
)
def test_a_wrong_wish_makes_no_folder(tmp_path: Path, design: str, tables: tuple[str, ...], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        write_template(tmp_path / "new-study", design=design, tables=tables)
    assert not (tmp_path / "new-study").exists()
