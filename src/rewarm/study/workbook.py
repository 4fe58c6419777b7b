"""An Excel workbook (.xlsx) in place of a CSV file → the same table of trimmed text, row for row as Excel shows it.

What a CSV file could not have hidden is told: merged cells, formulas that were never computed, hidden rows, further
sheets. Dates become ISO 8601, a percentage keeps its sign, ``007`` its zeros.
"""

from __future__ import annotations

import warnings
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any, Final
from xml.etree.ElementTree import iterparse, parse

from rewarm.errors import Problem
from rewarm.study.csvtext import TextTable, text_table

MOST_BYTES: Final = 500_000_000
"""A workbook that unfolds to more is no clinic's table."""
_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_MOST_NAMED: Final = 10
_SAVE_AGAIN: Final = "Open it in the spreadsheet and save it again as .xlsx, or as CSV UTF-8"


@dataclass(frozen=True)
class _Sheet:
    """What a sheet's XML says beside its values: references as ``A2`` and ``A2:A7``."""

    merged: tuple[str, ...] = ()
    uncomputed: tuple[str, ...] = ()
    hidden_rows: int = 0


def read_workbook(path: Path, table: str) -> tuple[TextTable | None, list[Problem]]:
    """The sheet named ``table``, or else the first one, as text; no table where nothing can be read."""
    import openpyxl  # 0.15 s, which a study of CSV files should not wait for

    file = path.name
    if (refused := _refusal(path)) is not None:
        return None, [refused]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and validations, which nobody reads here
            book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
            try:
                names = list(book.sheetnames)
                chosen = next((name for name in names if name.strip().lower() == table), names[0])
                rows = _rows(book[chosen])
                others = [name for name in names if name != chosen and _holds_something(book[name])]
                epoch = 1904 if book.epoch.year == 1904 else 1900
            finally:
                book.close()
            sheet = _sheet(path, chosen)
    except Exception as error:  # a damaged workbook breaks openpyxl in any way; none may end the check
        found = f"one that cannot be read: {type(error).__name__}, {error}".splitlines()[0]
        return None, [Problem(file, 0, "", "an Excel workbook", found[:200], advice=_SAVE_AGAIN)]
    if not rows:
        expected = "a header row and at least one row"
        return None, [
            Problem(file, 0, "", expected, f"an empty sheet {chosen!r}", advice=_other_sheets(others) or "Fill it in")
        ]
    text, problems = text_table(rows, file, epoch=epoch)
    if others and chosen.strip().lower() != table:
        expected = f"one sheet, or one named {table}"
        advice = f"The first sheet, {chosen!r}, is read. {_other_sheets(others)}"
        problems.append(Problem(file, 0, "", expected, f"{len(others) + 1} sheets", "warning", advice))
    return text, problems + _sheet_problems(sheet, rows, file)


def _other_sheets(others: list[str]) -> str:
    return f"Not read: {', '.join(map(repr, others[:5]))}" if others else ""


def _refusal(path: Path) -> Problem | None:
    """Why it is not even opened."""
    expected = "an Excel workbook"
    try:
        with path.open("rb") as stream:
            start = stream.read(8)
        if start.startswith(b"\xd0\xcf\x11\xe0"):
            found = "one that is protected by a password, or of the old kind (.xls)"
            return Problem(path.name, 0, "", expected, found, advice="Save it as .xlsx without a password")
        if not start:
            advice = "Fill it in, or delete the file; rewarm new makes one with its headings"
            return Problem(path.name, 0, "", "a header row and at least one row", "an empty file", advice=advice)
        if not zipfile.is_zipfile(path):
            found = "another kind of file, or a damaged one"
            return Problem(path.name, 0, "", expected, found, advice=_SAVE_AGAIN)
        with zipfile.ZipFile(path) as archive:
            size = sum(item.file_size for item in archive.infolist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        found = "a folder" if path.is_dir() else f"one that cannot be read: {error}"
        return Problem(path.name, 0, "", expected, found, advice=_SAVE_AGAIN)
    if size > MOST_BYTES:
        found = f"one of {size / 1e6:.0f} MB"
        expected = f"a workbook of at most {MOST_BYTES / 1e6:.0f} MB unpacked"
        return Problem(path.name, 0, "", expected, found, advice="Save the one table that is needed as CSV UTF-8")
    return None


def _rows(sheet: Any) -> list[list[str]]:
    """All cells as text; without the blank rows and columns at the end that formatting leaves."""
    if not hasattr(sheet, "reset_dimensions"):
        return []  # a sheet that is a chart
    sheet.reset_dimensions()  # what the file claims its extent to be is often wrong
    rows: list[list[str]] = []
    blank = 0
    for cells in sheet.iter_rows():
        texts = [_text(cell) for cell in cells]
        while texts and not texts[-1].strip():
            texts.pop()
        if not texts:
            blank += 1
            continue
        rows += [[] for _ in range(blank)]
        blank = 0
        rows.append(texts)
    width = max((len(row) for row in rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]


def _holds_something(sheet: Any) -> bool:
    if not hasattr(sheet, "reset_dimensions"):
        return False
    sheet.reset_dimensions()
    return any(value not in (None, "") for row in sheet.iter_rows(max_row=1000, values_only=True) for value in row)


def _text(cell: Any) -> str:
    """A cell as a person would write it into a CSV file."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _number(value, str(cell.number_format or ""))
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return value.date().isoformat() if midnight else value.isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else str(value)


def _number(value: float, number_format: str) -> str:
    if "%" in number_format:
        return f"{value * 100:.10g} %"
    whole = value == int(value) if abs(value) < 1e15 else False
    if whole and len(number_format) > 1 and set(number_format) == {"0"}:
        return str(int(value)).zfill(len(number_format))
    return str(int(value)) if whole else repr(value)


def _sheet(path: Path, name: str) -> _Sheet:
    """Merged cells, formulas without a value and hidden rows of a sheet, from its XML."""
    with zipfile.ZipFile(path) as archive:
        member = _member(archive, name)
        if member is None:
            return _Sheet()
        raw = archive.read(member)
        if b"mergeCell" not in raw and b"<f" not in raw and b":f" not in raw and b"hidden=" not in raw:
            return _Sheet()
        with archive.open(member) as stream:
            return _facts(stream)


def _member(archive: zipfile.ZipFile, name: str) -> str | None:
    """The archive's file that holds the sheet of that name."""
    with archive.open("xl/workbook.xml") as stream:
        sheets = parse(stream).getroot().iter(f"{_MAIN}sheet")
        relation = next((sheet.get(_RELATION) for sheet in sheets if sheet.get("name") == name), None)
    with archive.open("xl/_rels/workbook.xml.rels") as stream:
        targets = {item.get("Id"): item.get("Target") or "" for item in parse(stream).getroot()}
    target = targets.get(relation, "")
    member = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return member if member in archive.namelist() else None


def _facts(stream: IO[bytes]) -> _Sheet:
    merged: list[str] = []
    uncomputed: list[str] = []
    hidden = 0
    for _, element in iterparse(stream):
        if element.tag == f"{_MAIN}c":
            value = element.find(f"{_MAIN}v")
            computed = value is not None and (value.text or element.get("t") == "str")
            if element.find(f"{_MAIN}f") is not None and not computed:
                uncomputed.append(element.get("r") or "")
            element.clear()
        elif element.tag == f"{_MAIN}row":
            hidden += int(element.get("hidden") in ("1", "true") and len(element) > 0)
            element.clear()
        elif element.tag == f"{_MAIN}mergeCell":
            merged.append(element.get("ref") or "")
    return _Sheet(tuple(merged), tuple(uncomputed), hidden)


def _sheet_problems(sheet: _Sheet, rows: list[list[str]], file: str) -> list[Problem]:
    problems = []
    advice = "Undo the merging and write the value into every cell that it stands for"
    filled = [(ref, place) for ref in sheet.merged if (place := _place(ref)) and _filled(rows, *place)]
    for ref, (row, column) in filled[:_MOST_NAMED]:
        name = _header(rows, column)
        problems.append(Problem(file, row, name, "every cell by itself", f"the merged cells {ref}", "error", advice))
    advice = "Open the workbook in the spreadsheet, which computes it, and save it; or write the value itself"
    for ref in sheet.uncomputed[:_MOST_NAMED]:
        row, column = _place(ref) or (0, 0)
        found = f"a formula that was never computed, in {ref}"
        problems.append(Problem(file, row, _header(rows, column), "a value", found, "error", advice))
    left = max(0, len(filled) - _MOST_NAMED) + max(0, len(sheet.uncomputed) - _MOST_NAMED)
    if left:
        found = f"{left} more merged cells or formulas"
        problems.append(Problem(file, 0, "", "values alone", found, "error", "Save a copy of the values alone"))
    if sheet.hidden_rows:
        found = f"{sheet.hidden_rows} hidden row{'s' if sheet.hidden_rows > 1 else ''}"
        advice = "They are read like the others: delete what does not belong to the study"
        problems.append(Problem(file, 0, "", "no hidden rows", found, "warning", advice))
    return problems


def _place(ref: str) -> tuple[int, int] | None:
    """``B3:B7`` → (3, 2), counted from 1."""
    start = ref.split(":", maxsplit=1)[0].replace("$", "")
    letters = start.rstrip("0123456789")
    digits = start[len(letters) :]
    if not (letters.isalpha() and letters.isascii() and digits):
        return None
    column = 0
    for letter in letters.upper():
        column = 26 * column + ord(letter) - 64
    return int(digits), column


def _filled(rows: list[list[str]], row: int, column: int) -> bool:
    return row <= len(rows) and column <= len(rows[row - 1]) and rows[row - 1][column - 1] != ""


def _header(rows: list[list[str]], column: int) -> str:
    return rows[0][column - 1].strip() if rows and 0 < column <= len(rows[0]) else ""
