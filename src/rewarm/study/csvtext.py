"""A CSV file as a clinic's spreadsheet wrote it → a table of trimmed text whose index is the spreadsheet's row.

Everything that is wrong with the file as such (encoding, separator, ragged rows, names of columns) is reported here;
what the cells mean is not looked at.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from rewarm.errors import Problem

HOW_TO_SAVE: Final = "In the spreadsheet choose Save as > CSV UTF-8 (comma delimited)"
_MOST_ROWS_NAMED: Final = 10
_UNNAMED: Final = "unnamed column "
_NO_WIDTH: Final = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))

Severity = Literal["error", "warning"]


@dataclass(frozen=True, eq=False)
class TextTable:
    """Cells as trimmed text; ``cells.index`` holds the row as a spreadsheet shows it (the header is row 1).

    ``epoch`` is the year from which the file's serial dates count, 1900 or (workbooks of old Macs) 1904.
    """

    file: str
    cells: pd.DataFrame
    epoch: int = 1900


def read_text_table(path: Path) -> tuple[TextTable | None, list[Problem]]:
    """Read a CSV file as text, with everything that is wrong with it; no table where nothing can be read."""
    file = path.name
    try:
        data = path.read_bytes()
    except OSError as error:
        found = "a folder" if path.is_dir() else (error.strerror or "a file that cannot be read").lower()
        advice = "Check the file's permissions and kind"
        return None, [Problem(file, 0, "", "a CSV file that can be read", found, advice=advice)]
    text, problems = _decode(data, file)
    if text is None:
        return None, problems
    separator, text, trouble = _separator(text, file)
    if trouble:
        return None, [*problems, trouble]
    try:
        stream = io.StringIO(text, newline="")
        rows = list(csv.reader(stream, delimiter=separator, strict=True, skipinitialspace=True))
    except csv.Error as error:
        advice = f"A quotation mark may be left open. {HOW_TO_SAVE}"
        return None, [*problems, Problem(file, 0, "", "rows of a CSV file", f"{error}", advice=advice)]
    quote = f'Put cells that contain "{separator}" in quotation marks, or correct the row'
    table, found_problems = text_table(rows, file, ragged_advice=quote)
    return table, problems + found_problems


def _decode(data: bytes, file: str) -> tuple[str | None, list[Problem]]:
    """The file's text, and what is wrong with its encoding."""

    def refuse(found: str) -> tuple[None, list[Problem]]:
        return None, [Problem(file, 0, "", "text in UTF-8", found, advice=HOW_TO_SAVE)]

    if not data.strip():
        advice = "Fill it in, or delete the file; rewarm new makes one with its headings"
        return None, [Problem(file, 0, "", "a header row and at least one row", "an empty file", advice=advice)]
    if data.startswith(b"PK\x03\x04"):
        advice = f"Rename it to {file.rsplit('.', maxsplit=1)[0]}.xlsx, or save it as CSV UTF-8"
        return None, [Problem(file, 0, "", "text in UTF-8", "an Excel workbook", advice=advice)]
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return refuse("an Excel workbook of the old kind")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return refuse("UTF-16")
    if b"\x00" in data:
        return refuse("zero bytes: UTF-16 or no text at all")
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{data[error.start]:02X}, which is another encoding (often Windows-1252)"
        problem = Problem(file, line, "", "text in UTF-8", found, advice=HOW_TO_SAVE)
        return data.decode("cp1252", errors="replace"), [problem]  # read on, so that the rest is reported too


def _separator(text: str, file: str) -> tuple[str, str, Problem | None]:
    """Comma or semicolon, by the header; a spreadsheet's own ``sep=;`` line is obeyed and taken off."""
    header, _, rest = text.partition("\n")
    if header.strip().lower() in ("sep=,", "sep=;"):
        return header.strip()[-1], rest, None
    bare = "".join(part for i, part in enumerate(header.split('"')) if i % 2 == 0)
    if "\t" in bare and "," not in bare and ";" not in bare:
        problem = Problem(file, 1, "", "columns separated by comma or semicolon", "tabs", advice=HOW_TO_SAVE)
        return ",", text, problem
    return (";" if bare.count(";") > bare.count(",") else ","), text, None


def text_table(
    rows: Sequence[list[str]], file: str, *, ragged_advice: str = "", epoch: int = 1900
) -> tuple[TextTable | None, list[Problem]]:
    """Rows of text, the header first, as a table; blank rows and unnamed blank columns are left out."""
    names = [_trimmed(name) for name in rows[0]] if rows else []
    if not any(names):
        advice = "Write the names of the columns into the first row"
        expected = "a header row with the names of the columns"
        return None, [Problem(file, 1, "", expected, "an empty first row", advice=advice)]
    problems = _header_problems(names, file)
    if problems:
        return None, problems
    numbers: list[int] = []
    kept: list[list[str]] = []
    ragged: list[tuple[int, int]] = []
    width = len(names)
    for number, cells in enumerate(rows[1:], start=2):
        row = cells
        if len(row) != width or not row[0].strip():
            if not any(cell.strip() for cell in row):
                continue  # blank lines, and rows of separators only that spreadsheets leave at the end
            if len(row) < width or any(cell.strip() for cell in row[width:]):
                ragged.append((number, len(row)))
            row = (row + [""] * width)[:width]
        numbers.append(number)
        kept.append(row)
    columns = dict(zip(names, zip(*kept, strict=True), strict=True)) if kept else dict.fromkeys(names, ())
    index = pd.Index(numbers, dtype="int64", name="row")
    cells_by_name = {
        name: pd.Series([_trimmed(value) for value in values], index=index, dtype=str)
        for name, values in columns.items()
    }
    blank = [name for name in names if name.startswith(_UNNAMED) and not (cells_by_name[name] != "").any()]
    frame = pd.DataFrame({name: cells for name, cells in cells_by_name.items() if name not in blank}, index=index)
    unnamed = [
        Problem(file, 1, name, "a name for every column that holds values", "no name", "warning")
        for name in frame.columns
        if name.startswith(_UNNAMED)
    ]
    return TextTable(file, frame, epoch), [*unnamed, *_ragged_problems(ragged, width, ragged_advice, file)]


def _trimmed(text: str) -> str:
    """Without blanks of any kind at its ends, and without the marks of no width that copying from web pages leaves."""
    text = text.strip()
    return text if text.isascii() else text.translate(_NO_WIDTH).strip()


def _header_problems(names: list[str], file: str) -> list[Problem]:
    """Gives unnamed columns a name, in place; reports names that occur twice."""
    for i, name in enumerate(names):
        if not name:
            names[i] = f"{_UNNAMED}{i + 1}"
    counts = Counter(names)
    return [
        Problem(
            file, 1, name, "every column once", f"this one {count} times", advice="Rename or delete the surplus one"
        )
        for name, count in counts.items()
        if count > 1
    ]


def _ragged_problems(ragged: list[tuple[int, int]], width: int, advice: str, file: str) -> list[Problem]:
    problems = [
        Problem(file, number, "", f"{width} cells, as in the header", f"{found}", advice=advice)
        for number, found in ragged[:_MOST_ROWS_NAMED]
    ]
    if len(ragged) > _MOST_ROWS_NAMED:
        more = len(ragged) - _MOST_ROWS_NAMED
        found_more = f"{more} more rows with another number"
        problems.append(Problem(file, 0, "", f"{width} cells in every row", found_more, advice=advice))
    return problems


def row_problems(
    file: str,
    column: str,
    expected: str,
    cells: pd.Series,
    *,
    severity: Severity = "error",
    advice: str = "",
) -> list[Problem]:
    """One problem a row of ``cells`` (index: row, values: what was found), the first ten by name, the rest counted."""
    named = [
        Problem(file, row_number(row), column, expected, shown(value), severity, advice)
        for row, value in cells.iloc[:_MOST_ROWS_NAMED].items()
    ]
    more = len(cells) - len(named)
    if more > 0:
        noun = "row" if more == 1 else "rows"
        last = int(cells.index[-1])
        found = f"the same in {more} more {noun}, the last of them row {last}"
        named.append(Problem(file, 0, column, expected, found, severity, advice))
    return named


def row_number(label: Hashable) -> int:
    """The index label of a table read here, as the row that a spreadsheet shows."""
    return int(str(label))


def shown(value: object) -> str:
    """What was found, quoted and short enough for one line."""
    text = str(value)
    if text == "":
        return "nothing"
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
