"""A Parquet file in place of a CSV file → the same table of trimmed text, so that it is checked in the same way."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from rewarm.errors import Problem
from rewarm.study.csvtext import TextTable, text_table

_WRITE_AGAIN = "Write it again as Parquet, or save it as CSV UTF-8"


def read_parquet_table(path: Path) -> tuple[TextTable | None, list[Problem]]:
    """The file's columns as text, rows counted as a spreadsheet would show them; no table where none can be read."""
    try:
        frame = pd.read_parquet(path, engine="pyarrow")
    except OSError as error:
        found = "a folder" if path.is_dir() else (error.strerror or f"one that cannot be read: {error}").lower()
        return None, [Problem(path.name, 0, "", "a Parquet file", found[:200], advice="Check the path and the file")]
    except Exception as error:  # a damaged file breaks Arrow in many ways; none may end the check
        found = f"one that cannot be read: {type(error).__name__}, {error}".splitlines()[0]
        return None, [Problem(path.name, 0, "", "a Parquet file", found[:200], advice=_WRITE_AGAIN)]
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    header = [str(name) for name in frame.columns]
    columns = [[_text(value) for value in frame.iloc[:, i]] for i in range(len(header))]
    return text_table([header, *map(list, zip(*columns, strict=True))], path.name)


def _text(value: Any) -> str:
    """A cell as a CSV file would hold it, numbers to their last digit."""
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return ""
    if isinstance(value, date):  # of which moments are a kind
        return value.isoformat()
    return str(value)
