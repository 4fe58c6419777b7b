"""Date cells → days and moments: ISO 8601 as the contract asks, and what spreadsheets write where one reading is left.

A column is read as a whole: ``03.04.2026`` alone may be April or March, beside ``31.03.2026`` it is in April. Two ways
of writing dates in one column are refused, because that is what a spreadsheet leaves behind that took some of the
dates for its own country's and swapped their days and months.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import numpy as np
import pandas as pd

from rewarm.errors import Problem
from rewarm.study.csvtext import row_problems, shown

ISO_WORDS: Final = "a date as year-month-day, e.g. 2026-03-31"
_TIMED_WORDS: Final = "a time with its UTC offset, e.g. 2026-03-31T09:30+02:00, or the date alone"
_FIRST_YEAR: Final = 1950
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIMED: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(?P<offset>Z|[+-]\d{2}:?\d{2})?")
_MIDNIGHT: Final = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]00:00(:00(\.0+)?)?")
_YEAR_FIRST: Final = re.compile(r"(\d{4})[./](\d{1,2})[./](\d{1,2})\.?")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})")
_SERIAL: Final = re.compile(r"[2-6]\d{4}(\.0+)?")
"""Days since the spreadsheet's epoch: 1954 to 2091."""
_LEAST_OFFSET: Final = timedelta(hours=-12)
_MOST_OFFSET: Final = timedelta(hours=14)

EPOCHS: Final = {1900: datetime(1899, 12, 30), 1904: datetime(1904, 1, 1)}
"""Day 0 of a spreadsheet's serial dates; Excel counts a 29 February 1900 that never was, hence the 30 December."""

Style = Literal["", "iso", "midnight", "year_first", "year_last", "serial"]


@dataclass(frozen=True, eq=False)
class Dates:
    """``local``: what the person's clock showed, datetime64[s]; ``utc``: the moment, NaT where only a day is known."""

    local: pd.Series
    utc: pd.Series


def read_dates(cells: pd.Series, column: str, file: str, *, epoch: int = 1900) -> tuple[Dates, list[Problem]]:
    """Filled cells as dates, and everything that is wrong with them; ``epoch`` is that of the workbook's serials."""
    styles = {str(value): _style(str(value)) for value in cells.unique()}
    which: pd.Series = cells.map(dict[str, str](styles))
    used = set(styles.values()) - {""}
    problems: list[Problem] = []
    # "2026-03-31" and "2026-03-31 00:00:00" are one way of writing dates
    if len({"iso" if style == "midnight" else style for style in used}) > 1:
        iso = which.isin(["iso", "midnight"])
        keep = iso if iso.any() else pd.Series(False, index=cells.index)
        advice = (
            "Two ways of writing dates in one column often mean that the spreadsheet swapped days and months: "
            "compare each with its source"
        )
        expected = f"{ISO_WORDS}, one way in the whole column"
        problems += row_problems(file, column, expected, cells[~keep & (which != "")], advice=advice)
        which = which.where(keep | (which == ""), "mixed")
        used &= {"iso", "midnight"}
    order = ""
    if "year_last" in used:
        order, found = _day_or_month_first(cells, column, file)
        problems += found
    readers: dict[str, Callable[[str], tuple[datetime | None, str]]] = {
        "iso": _iso,
        "midnight": lambda text: _iso(text[:10]),
        "year_first": _year_first,
        "year_last": lambda text: _year_last(text, order),
        "serial": lambda text: (EPOCHS[epoch] + timedelta(days=int(float(text))), ""),
        "": lambda text: (None, _TIMED_WORDS if _TIMED.fullmatch(text) else ISO_WORDS),
        "mixed": lambda _: (None, ""),
    }
    distinct = cells.drop_duplicates()
    moments: dict[str, datetime | None] = {}
    troubles: dict[str, str] = {}
    for text, style in zip(distinct, which[distinct.index], strict=True):
        moments[text], troubles[text] = readers[style](text)
    trouble = cells.map(troubles)
    for expected in dict.fromkeys(troubles.values()):
        if expected:
            problems += row_problems(file, column, expected, cells[trouble == expected], advice=_advice(expected))
    problems += _told(cells, which, moments, column, file, order)
    local, utc = _series(cells, moments)
    return Dates(local, utc), problems


def _style(text: str) -> Style:
    if _MIDNIGHT.fullmatch(text):
        return "midnight"
    if _ISO.fullmatch(text) or ((timed := _TIMED.fullmatch(text)) and timed["offset"]):
        return "iso"
    if _YEAR_FIRST.fullmatch(text):
        return "year_first"
    if _YEAR_LAST.fullmatch(text):
        return "year_last"
    return "serial" if _SERIAL.fullmatch(text) else ""


def _day_or_month_first(cells: pd.Series, column: str, file: str) -> tuple[str, list[Problem]]:
    """``day`` or ``month``; "" with an error where the column does not prove which."""
    parts = [match for text in cells.unique() if (match := _YEAR_LAST.fullmatch(str(text)))]
    day_first = [match[0] for match in parts if int(match[1]) > 12]
    month_first = [match[0] for match in parts if int(match[3]) > 12]
    if bool(day_first) != bool(month_first):
        return ("day" if day_first else "month"), []
    written = cells[cells.map(lambda text: bool(_YEAR_LAST.fullmatch(str(text))))]
    if day_first:
        expected = f"{ISO_WORDS}, because {day_first[0]!r} begins with the day and {month_first[0]!r} with the month"
    else:
        expected = f"{ISO_WORDS}, because nothing in this column tells whether the day or the month comes first"
    return "", row_problems(file, column, expected, written, advice="Give the column the format yyyy-mm-dd")


def _advice(expected: str) -> str:
    return "Give the column the format yyyy-mm-dd" if expected == ISO_WORDS else ""


def _told(
    cells: pd.Series, which: pd.Series, moments: dict[str, datetime | None], column: str, file: str, order: str
) -> list[Problem]:
    """A warning a way of writing that is not the contract's, with an example of how it was read."""
    words = {
        "midnight": "a date followed by 00:00, read as the day alone",
        "year_first": "read as year, month, day",
        "year_last": "read as day, month, year" if order == "day" else "read as month, day, year",
        "serial": "a spreadsheet's day number",
    }
    problems = []
    for style, said in words.items():
        read = cells[which == style]
        known = {text: moment for text in read.unique() if (moment := moments[text]) is not None}
        if known:
            # the latest day number of the month shows best which part is the day
            example = max(known, key=lambda text: known[text].day)
            number = int(read.isin(list(known)).sum())
            count = f"{number} cell{'s' if number > 1 else ''}"
            found = f"{count} such as {shown(example)}, {said}: {known[example]:%Y-%m-%d}"
            problems.append(Problem(file, 0, column, ISO_WORDS, found, "warning", "Check that this is the day meant"))
    return problems


def _iso(text: str) -> tuple[datetime | None, str]:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None, "a date that the calendar has"
    offset = moment.utcoffset()
    if offset is not None and not _LEAST_OFFSET <= offset <= _MOST_OFFSET:
        return None, "a UTC offset from -12:00 to +14:00"
    return _since(moment)


def _year_first(text: str) -> tuple[datetime | None, str]:
    match = _YEAR_FIRST.fullmatch(text)
    return _of(int(match[1]), int(match[2]), int(match[3])) if match else (None, ISO_WORDS)


def _year_last(text: str, order: str) -> tuple[datetime | None, str]:
    match = _YEAR_LAST.fullmatch(text)
    if match is None or not order:
        return None, ""  # the column was reported as a whole
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    return _of(year, second, first) if order == "day" else _of(year, first, second)


def _of(year: int, month: int, day: int) -> tuple[datetime | None, str]:
    try:
        return _since(datetime(year, month, day))
    except ValueError:
        return None, "a date that the calendar has"


def _since(moment: datetime) -> tuple[datetime | None, str]:
    if moment.year < _FIRST_YEAR:
        return None, f"a date since {_FIRST_YEAR}"
    return moment, ""


def _series(cells: pd.Series, moments: dict[str, datetime | None]) -> tuple[pd.Series, pd.Series]:
    """Local and UTC times, datetime64[s]; a spreadsheet's day has no moment."""
    codes, distinct = pd.factorize(cells)
    local: list[datetime | None] = []
    utc: list[datetime | None] = []
    for text in distinct:
        moment = moments[text]
        local.append(None if moment is None else moment.replace(tzinfo=None))
        aware = moment is not None and moment.tzinfo is not None
        utc.append(moment.astimezone(UTC).replace(tzinfo=None) if moment is not None and aware else None)
    one, two = (
        pd.Series(np.array(values, dtype="datetime64[s]")[codes], index=cells.index, dtype="datetime64[s]")
        for values in (local, utc)
    )
    return one, two
