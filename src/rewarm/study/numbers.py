"""Number cells → float64: a decimal point as the contract asks, a decimal comma where it can be nothing else."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd

from rewarm.errors import Problem
from rewarm.study.csvtext import row_problems
from rewarm.study.records import Column

_DECIMAL_COMMA: Final = re.compile(r"[+-]?\d+,\d+")
_THOUSANDS_COMMA: Final = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_THOUSANDS_POINT: Final = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")
_PLAIN: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_ADVICE: Final = "Write it with a decimal point and without its unit, or leave the cell empty where it was not recorded"


def read_numbers(cells: pd.Series, column: Column, file: str) -> tuple[pd.Series, list[Problem]]:
    """Filled cells as float64 (NaN where they are none), and everything that is wrong with them."""
    kind = "a whole number" if column.kind == "integer" else "a number"
    unit = f" in {column.unit}" if column.unit not in ("", "1") else ""
    text = cells.str.replace("−", "-", regex=False)
    plain = text.str.fullmatch(_PLAIN.pattern)
    values = pd.to_numeric(text.where(plain), errors="coerce").astype("float64")
    values = values.where(np.isfinite(values))
    commas, doubtful = _commas(text, values)
    values[commas] = text[commas].str.replace(",", ".").astype("float64")
    values[doubtful] = np.nan
    problems = _comma_problems(cells, commas, doubtful, column, file)
    bad = values.isna() & ~doubtful
    problems += row_problems(file, column.name, kind + unit, cells[bad], advice=_ADVICE)
    if column.kind == "integer":
        broken = values.notna() & (values != np.floor(values))
        problems += row_problems(file, column.name, kind + unit, cells[broken], advice="Write it without decimals")
    return values, problems + _range_problems(cells, values, column, file, kind, unit)


def _commas(text: pd.Series, values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Which cells hold a decimal comma, and in which a comma or point may as well stand between thousands.

    ``23,1`` and ``0,250`` can be nothing else than decimals. ``1,234`` may be 1.234 or 1234: it is read only beside a
    decimal comma that is certain, in a column without decimal points. Beside one, ``1.234`` is as doubtful.
    """
    comma = text.str.fullmatch(_DECIMAL_COMMA.pattern)
    grouped = text.str.fullmatch(_THOUSANDS_COMMA.pattern)
    certain = comma & ~grouped
    if not grouped.any() and not certain.any():
        return certain, grouped
    turned = text.str.fullmatch(_THOUSANDS_POINT.pattern) & bool(certain.any())
    points = text.str.contains(".", regex=False) & values.notna() & ~turned
    read = certain | (comma & bool(certain.any()) & (not points.any()))
    return read, (grouped & ~read) | turned


def _comma_problems(cells: pd.Series, read: pd.Series, doubtful: pd.Series, column: Column, file: str) -> list[Problem]:
    problems: list[Problem] = []
    if doubtful.any():
        sample = str(cells[doubtful].iloc[0])
        digits = re.sub(r"[.,]", "", sample)
        single = sample.count(",") + sample.count(".") == 1
        readings = f"{sample.replace(',', '.')} or {digits}" if single else digits
        expected = f"a number with a decimal point, because {sample!r} may mean {readings}"
        advice = "Write it without marks between thousands"
        problems += row_problems(file, column.name, expected, cells[doubtful], advice=advice)
    if read.any():
        count = int(read.sum())
        found = f"a decimal comma in {count} cell{'s' if count > 1 else ''}, read as a point"
        problems.append(Problem(file, 0, column.name, "a decimal point", found, "warning"))
    return problems


def _range_problems(
    cells: pd.Series, values: pd.Series, column: Column, file: str, kind: str, unit: str
) -> list[Problem]:
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    outside = (values < low) | (values > high)
    if column.low_open:
        outside |= values == low
    expected = f"{kind} {interval_words(column)}{unit}"
    advice = "Correct it, or leave the cell empty where it was not recorded"
    if column.required:
        advice = "Correct it"
    problems = row_problems(file, column.name, expected, cells[outside], advice=advice)
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


def interval_words(column: Column) -> str:
    """``from 0 to 100``, ``over 0``, or "" where a column has no limits."""
    parts = []
    if column.low is not None:
        parts.append(f"over {column.low:g}" if column.low_open else f"from {column.low:g}")
    if column.high is not None:
        parts.append(f"to {column.high:g}")
    return " ".join(parts)
