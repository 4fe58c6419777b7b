"""Text cells → typed columns, by the declarations of :mod:`rewarm.study.records`; every bad cell is reported.

Numbers become float64 (NaN: not recorded); dates become datetime64 in the time that the person's clock showed (NaT:
not recorded), the moment in UTC being kept beside them; everything else stays text ("": not recorded).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import pandas as pd

from rewarm.errors import Problem
from rewarm.study.csvtext import Severity, TextTable, row_problems
from rewarm.study.dates import read_dates
from rewarm.study.numbers import read_numbers
from rewarm.study.records import Column, Table

YES: Final = MappingProxyType({"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False})
"""What a cell of kind yes_no may say, in lower case."""
YES_NO: Final = ("yes", "no", "true", "false", "1", "0")
_MOST_ID_LENGTH: Final = 100
_MOST_DISTINCT: Final = 20
_FORBIDDEN_IN_FILE_NAMES: Final = '\\/:*?"<>|'
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_BOX: Final = re.compile(r"\s*\d+(\.\d+)?(\s*;\s*\d+(\.\d+)?){3}\s*")
_NOT_RECORDED: Final = frozenset({"n/a", "n.a.", "#n/a", "-", "--", "–", "—"})
_NOT_RECORDED_EITHER: Final = frozenset({"na", "nan", "null", "?", ".", "missing", "unknown"})
"""Where numbers, dates or words of a vocabulary are expected; in free text they may mean something."""
_BROKEN: Final = frozenset({"#ref!", "#div/0!", "#value!", "#name?", "#num!", "#null!"})


@dataclass(frozen=True, eq=False)
class TypedTable:
    """``frame``: declared columns that are there, in the declared order, then unknown ones as text.

    ``utc`` maps each column of dates to its moments, datetime64[s]; NaT where the file holds a day alone.
    """

    frame: pd.DataFrame
    utc: Mapping[str, pd.Series]


def convert_table(text: TextTable, table: Table) -> tuple[TypedTable, list[Problem]]:
    """The typed table, and everything wrong with its columns and cells."""
    renamed, problems = _column_problems(text, table)
    typed: dict[str, pd.Series] = {}
    moments: dict[str, pd.Series] = {}
    for column in table.columns:
        if column.name in text.cells:
            typed[column.name], utc, found = _convert(text.cells[column.name], column, text)
            problems += found
            if utc is not None:
                moments[column.name] = utc
    unknown = [str(name) for name in text.cells.columns if name not in typed]
    problems += [
        Problem(
            text.file,
            1,
            name,
            "a column of the study folder's contract",
            "an unknown one",
            "warning",
            f"It is kept, but not used.{did_you_mean(name, [c.name for c in table.columns if c.name not in typed])}",
        )
        for name in unknown
        if name not in renamed
    ]
    frame = pd.DataFrame(typed | {name: text.cells[name] for name in unknown}, index=text.cells.index)
    return TypedTable(frame, moments), problems


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """`` Did you mean …?``, with a blank before it, or "" where nothing is close."""
    close = difflib.get_close_matches(word.lower().replace(" ", "_"), list(words), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def parse_box(text: str) -> tuple[float, float, float, float] | None:
    """``x0;y0;x1;y1`` in pixels, x1 > x0 and y1 > y0; None where it is not one."""
    if not _BOX.fullmatch(text):
        return None
    x0, y0, x1, y1 = (float(part) for part in text.split(";"))
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def id_trouble(text: str) -> str:
    """What an id must not be, or ""."""
    if len(text) > _MOST_ID_LENGTH:
        return f"at most {_MOST_ID_LENGTH} characters"
    if text[0] in "=+-@":
        return "a first character other than = + - @, which spreadsheets take for a formula"
    if not text.isprintable():
        return "printable characters only"
    return ""


def file_id_trouble(text: str) -> str:
    """What an id that names files must not be (on any system, Windows included), or ""."""
    if any(character in text for character in _FORBIDDEN_IN_FILE_NAMES):
        return f"no character of {' '.join(_FORBIDDEN_IN_FILE_NAMES)}, because it names files"
    if text.startswith(".") or text.endswith("."):
        return "no dot at its beginning or end, because it names files"
    if _RESERVED.fullmatch(text):
        return "a name that Windows does not reserve (con, prn, aux, nul, com1, lpt1, ...)"
    return id_trouble(text)


def _column_problems(text: TextTable, table: Table) -> tuple[set[str], list[Problem]]:
    """Required columns that are missing; and the unknown ones that are probably these, misspelt."""
    declared = {column.name for column in table.columns}
    unknown = [str(name) for name in text.cells.columns if name not in declared]
    taken: set[str] = set()
    problems: list[Problem] = []
    for column in table.columns:
        if not column.required or column.name in text.cells:
            continue
        expected = f"this required column ({column.meaning})"
        likely = [n for n in unknown if n not in taken and did_you_mean(n, [column.name])]
        if likely:
            taken.add(likely[0])
            advice = f"Did you mean {column.name!r} where it says {likely[0]!r}? Correct the header"
            problems.append(Problem(text.file, 1, column.name, expected, repr(likely[0]), advice=advice))
        else:
            names = ", ".join(map(str, text.cells.columns))
            advice = "Add the column to the header row"
            problems.append(Problem(text.file, 1, column.name, expected, f"only {names}", advice=advice))
    return taken, problems


def _convert(cells: pd.Series, column: Column, text: TextTable) -> tuple[pd.Series, pd.Series | None, list[Problem]]:
    """The typed cells, the moments of dates, and what is wrong."""
    cells, problems = _without_words_for_nothing(cells, column, text.file)
    blank = cells == ""
    if column.required and blank.any():
        expected = f"a value ({column.meaning})"
        problems += row_problems(text.file, column.name, expected, cells[blank], advice="Fill it in")
    filled = cells[~blank]
    if column.kind in ("number", "integer"):
        values, found = read_numbers(filled, column, text.file)
        return values.reindex(cells.index), None, problems + found
    if column.kind == "date":
        dates, found = read_dates(filled, column.name, text.file, epoch=text.epoch)
        return dates.local.reindex(cells.index), dates.utc.reindex(cells.index), problems + found
    return cells, None, problems + _text_problems(filled, column, text.file)


def _without_words_for_nothing(cells: pd.Series, column: Column, file: str) -> tuple[pd.Series, list[Problem]]:
    """``n/a``, ``-`` and their like become empty, which is said once a column."""
    if column.kind in ("id", "file_id", "path", "box"):
        return cells, []
    words = _NOT_RECORDED if column.kind == "text" else _NOT_RECORDED | _NOT_RECORDED_EITHER
    lowered = cells.str.lower()
    nothing = lowered.isin(words - set(column.vocabulary))
    if not nothing.any():
        return cells, []
    spelt = ", ".join(repr(str(word)) for word in cells[nothing].unique()[:3])
    found = f"{spelt} in {int(nothing.sum())} cell{'s' if nothing.sum() > 1 else ''}, read as not recorded"
    expected = "an empty cell where nothing was recorded"
    return cells.where(~nothing, ""), [Problem(file, 0, column.name, expected, found, "warning")]


def _bad(cells: pd.Series, trouble: Callable[[str], str]) -> dict[str, pd.Series]:
    """The cells in trouble, by their trouble; each distinct text is looked at once."""
    troubles = {str(value): trouble(str(value)) for value in cells.unique()}
    which = cells.map(troubles)
    return {expected: cells[which == expected] for expected in dict.fromkeys(troubles.values()) if expected}


def _text_problems(cells: pd.Series, column: Column, file: str) -> list[Problem]:
    words = column.vocabulary or YES_NO
    advice: Callable[[str], str] = lambda _: "Correct it"  # noqa: E731
    severity: Severity = "error"
    if column.kind == "id":
        bad = _bad(cells, id_trouble)
        advice = lambda _: "Choose another code, the same in every table"  # noqa: E731
    elif column.kind == "file_id":
        bad = _bad(cells, file_id_trouble)
        advice = lambda _: "Choose another code"  # noqa: E731
    elif column.kind == "box":
        expected = "x0;y0;x1;y1 in pixels, with x1 > x0 and y1 > y0"
        bad = _bad(cells, lambda value: "" if parse_box(value) else expected)
    elif column.kind in ("word", "words", "yes_no"):
        several = column.kind == "words"
        expected = f"{'words' if several else 'one'} of {', '.join(words)}" + (", separated by ;" if several else "")
        severity = "warning" if column.open or column.kind == "yes_no" else "error"

        def misfits(value: str) -> list[str]:
            parts = [part.strip() for part in value.split(";")] if several else [value]
            known = (lambda part: part.lower() in words) if column.kind == "yes_no" else words.__contains__
            return [part for part in parts if not known(part)]

        bad = _bad(cells, lambda value: expected if misfits(value) else "")
        otherwise = "It is kept as it is" if severity == "warning" else "Write it in one of these words"
        advice = lambda value: did_you_mean(misfits(value)[0], words).strip() or otherwise  # noqa: E731
    else:
        broken = "text, not an error of the spreadsheet"
        bad = _bad(cells, lambda value: broken if value.lower() in _BROKEN else "")
    return [
        problem
        for expected, found in bad.items()
        for value in found.unique()[:_MOST_DISTINCT]
        for problem in row_problems(
            file, column.name, expected, found[found == value], severity=severity, advice=advice(str(value))
        )
    ]
