"""Rows of the measurement and comparison tables, looked up by what they are about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from rewarm.report.words import DIGITS

Row = Mapping[str, Any]
Rows = Mapping[tuple[str, str, str], Row]
"""(side, region, metric) → the row; of several that are about the same, the first."""


def index_rows(table: pd.DataFrame) -> Rows:
    """The rows of one scan, or of one comparison."""
    rows: dict[tuple[str, str, str], Row] = {}
    for row in table.to_dict("records"):
        rows.setdefault((str(row["side"]), str(row["region"]), str(row["metric"])), {str(k): v for k, v in row.items()})
    return rows


def digit_figures(rows: Rows, side: str, metric: str, column: str) -> dict[str, float]:
    """What ``column`` says of ``metric`` for each toe or finger of a side, where it says something."""
    figures = {
        region: figure(row[column]) for region in DIGITS if (row := rows.get((side, region, metric))) is not None
    }
    return {region: value for region, value in figures.items() if value is not None}


def figure(value: object) -> float | None:
    """A table's figure, or None where it is empty."""
    if value is None or value is pd.NA:
        return None
    number = float(str(value))
    return number if math.isfinite(number) else None
