"""Text cells → typed columns, by the declarations of :mod:`rewarm.study.records`; every bad cell is reported.

Numbers become float64 (NaN: not recorded); dates become datetime64 in the time that the person wrote (NaT: not
recorded), the UTC offset being checked and then left in the file; everything else stays text ("": not recorded).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd

from rewarm.errors import Problem
from rewarm.study.csvtext import Severity, TextTable, row_problems
from rewarm.study.records import Column, Table

YES_NO: Final = ("yes", "no", "true", "false", "1", "0")
_MOST_ID_LENGTH: Final = 100
_MOST_DISTINCT: Final = 20
_FORBIDDEN_IN_FILE_NAMES: Final = '\\/:*?"<>|'
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIMED: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(?P<offset>Z|[+-]\d{2}:?\d{2})?")
_DECIMAL_COMMA: Final = re.compile(r"[+-]?\d+,\d+")
_BOX: Final = re.compile(r"\s*\d+(\.\d+)?(\s*;\s*\d+(\.\d+)?){3}\s*")


def convert_table(text: TextTable, table: Table) -> tuple[pd.DataFrame, list[Problem]]:
    """The typed table (declared columns first, unknown ones after as text), and everything wrong with its cells."""
    renamed, problems = _column_problems(text, table)
    typed: dict[str, pd.Series] = {}
    for column in table.columns:
        if column.name in text.cells:
            typed[column.name], found = _convert(text.cells[column.name], column, text)
            problems += found
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
    if text.cells.empty:
        problems.append(Problem(text.file, 0, "", "at least one row below the header", "none"))
    return pd.DataFrame(typed | {name: text.cells[name] for name in unknown}, index=text.cells.index), problems


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
            problems.append(Problem(text.file, 1, column.name, expected, f"only {names}"))
    return taken, problems


def _convert(cells: pd.Series, column: Column, text: TextTable) -> tuple[pd.Series, list[Problem]]:
    problems: list[Problem] = []
    blank = cells == ""
    if column.required and blank.any():
        problems += row_problems(text.file, column.name, f"a value ({column.meaning})", cells[blank])
    filled = cells[~blank]
    if column.kind in ("number", "integer"):
        values, found = _numbers(filled, column, text)
        return values.reindex(cells.index), problems + found
    if column.kind == "date":
        values, found = _dates(filled, column, text.file)
        return values.reindex(cells.index), problems + found
    return cells, problems + _text_problems(filled, column, text.file)


def _bad(cells: pd.Series, trouble: Callable[[str], str]) -> dict[str, pd.Series]:
    """The cells in trouble, by their trouble; each distinct text is looked at once."""
    troubles = {str(value): trouble(str(value)) for value in cells.unique()}
    which = cells.map(troubles)
    return {expected: cells[which == expected] for expected in dict.fromkeys(troubles.values()) if expected}


def _text_problems(cells: pd.Series, column: Column, file: str) -> list[Problem]:
    words = column.vocabulary or YES_NO
    advice: Callable[[str], str] = lambda _: ""  # noqa: E731
    severity: Severity = "error"
    if column.kind == "id":
        bad = _bad(cells, id_trouble)
    elif column.kind == "file_id":
        bad = _bad(cells, file_id_trouble)
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
        advice = lambda value: did_you_mean(misfits(value)[0], words).strip()  # noqa: E731
    else:
        return []
    return [
        problem
        for expected, found in bad.items()
        for value in found.unique()[:_MOST_DISTINCT]
        for problem in row_problems(
            file, column.name, expected, found[found == value], severity=severity, advice=advice(str(value))
        )
    ]


def _numbers(cells: pd.Series, column: Column, text: TextTable) -> tuple[pd.Series, list[Problem]]:
    values = pd.to_numeric(cells, errors="coerce").astype("float64")
    values = values.where(np.isfinite(values))
    problems: list[Problem] = []
    commas = values.isna() & cells.str.fullmatch(_DECIMAL_COMMA.pattern)
    if commas.any() and text.separator == ";":
        values[commas] = cells[commas].str.replace(",", ".").astype("float64")
        count = int(commas.sum())
        found = f"a decimal comma in {count} cell{'s' if count > 1 else ''}, read as a point"
        problems.append(Problem(text.file, 0, column.name, "a decimal point", found, "warning"))
    kind = "a whole number" if column.kind == "integer" else "a number"
    unit = f" in {column.unit}" if column.unit not in ("", "1") else ""
    advice = "Write it with a decimal point and without its unit, or leave the cell empty where it was not recorded"
    problems += row_problems(text.file, column.name, kind + unit, cells[values.isna()], advice=advice)
    if column.kind == "integer":
        broken = values.notna() & (values != np.floor(values))
        problems += row_problems(text.file, column.name, kind + unit, cells[broken])
    return values, problems + _range_problems(cells, values, column, text.file, kind, unit)


def _range_problems(
    cells: pd.Series, values: pd.Series, column: Column, file: str, kind: str, unit: str
) -> list[Problem]:
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    outside = (values < low) | (values > high)
    if column.low_open:
        outside |= values == low
    problems = row_problems(file, column.name, f"{kind} {_interval(column)}{unit}", cells[outside])
    usual_low = -np.inf if column.usual_low is None else column.usual_low
    usual_high = np.inf if column.usual_high is None else column.usual_high
    unusual = ~outside & ((values < usual_low) | (values > usual_high))
    if unusual.any():
        bounds = [
            f"{word} {bound:g}"
            for word, bound in (("from", column.usual_low), ("to", column.usual_high))
            if bound is not None
        ]
        expected = f"usually {kind} {' '.join(bounds)}{unit}"
        advice = "It is used as it stands"
        problems += row_problems(file, column.name, expected, cells[unusual], severity="warning", advice=advice)
    return problems


def _interval(column: Column) -> str:
    parts = []
    if column.low is not None:
        parts.append(f"over {column.low:g}" if column.low_open else f"from {column.low:g}")
    if column.high is not None:
        parts.append(f"to {column.high:g}")
    return " ".join(parts)


def _dates(cells: pd.Series, column: Column, file: str) -> tuple[pd.Series, list[Problem]]:
    parsed: dict[str, datetime | None] = {}
    troubles: dict[str, str] = {}
    for value in cells.unique():
        parsed[value], troubles[value] = _date(str(value))
    values = pd.Series(
        np.array([parsed[value] for value in cells], dtype="datetime64[s]"), index=cells.index, dtype="datetime64[s]"
    )
    problems: list[Problem] = []
    which = cells.map(troubles)
    for trouble in dict.fromkeys(troubles.values()):
        if trouble:
            problems += row_problems(file, column.name, trouble, cells[which == trouble])
    return values, problems


def _date(text: str) -> tuple[datetime | None, str]:
    """The moment as written, without its offset; or what was expected instead."""
    timed = _TIMED.fullmatch(text)
    if not timed and not _DATE.fullmatch(text):
        return None, "a date as year-month-day, e.g. 2026-03-31"
    if timed and not timed["offset"]:
        return None, "a time with its UTC offset, e.g. 2026-03-31T09:30+02:00, or the date alone"
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None), ""
    except ValueError:
        return None, "a date that the calendar has"
