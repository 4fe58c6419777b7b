"""Measurements made elsewhere: are they in the units, and told apart as, rewarm's own would be?"""

from __future__ import annotations

from typing import Final

import pandas as pd

from rewarm.errors import Problem
from rewarm.study.columns import did_you_mean
from rewarm.study.csvtext import row_number, row_problems
from rewarm.tables import METRICS

_UNIT_MEANT: Final = {"°c": "degC", "c": "degC", "celsius": "degC", "deg c": "degC", "degc": "degC", "k": "delta_degC",
                      "sec": "s", "seconds": "s", "%": "percent", "pct": "percent", "mm²": "mm2", "": "1"}  # fmt: skip

_OTHER_UNITS: Final = {"area": ("px",)}
"""Where the size of a pixel on the skin is not known."""


def measured_problems(table: pd.DataFrame) -> list[Problem]:
    """Everything that is wrong with measurements made elsewhere, as a table as read: units, flags, repeated rows."""
    if not {"metric", "unit", "value"}.issubset(table.columns):
        return []
    return [*_units(table), *_flags(table), *_temperatures(table), *_measured_twice(table), *_sides(table)]


def _units(table: pd.DataFrame) -> list[Problem]:
    """Metrics that rewarm knows must have its unit; others are kept and named."""
    problems: list[Problem] = []
    for (metric, unit), rows in table[table["metric"] != ""].groupby(["metric", "unit"], sort=False):
        if metric not in METRICS:
            advice = f"It is kept, but not analysed.{did_you_mean(str(metric), METRICS)}"
            found = rows["metric"].iloc[:1]
            problems += row_problems(
                "measurements.csv",
                "metric",
                "a metric of the data dictionary",
                found,
                severity="warning",
                advice=advice,
            )
        elif unit not in ("", METRICS[str(metric)][0], *_OTHER_UNITS.get(str(metric), ())):
            right = METRICS[str(metric)][0]
            same = _UNIT_MEANT.get(str(unit).lower()) == right or {str(unit), right} == {"degC", "delta_degC"}
            advice = f"Write {right}" if same else f"Convert the values to {right}"
            problems += row_problems(
                "measurements.csv", "unit", f"{right}, the unit of {metric}", rows["unit"], advice=advice
            )
    return problems


def _flags(table: pd.DataFrame) -> list[Problem]:
    """``t50_reached`` and its like are 1 or 0, and stand beside each time that may be censored."""
    reached = table["metric"].str.endswith("_reached")
    odd = table.loc[reached & ~table["value"].isin([0.0, 1.0]) & table["value"].notna(), "value"]
    expected = "1 (reached) or 0 (not reached)"
    problems = row_problems("measurements.csv", "value", expected, odd.map("{:g}".format), advice="Correct it")
    for metric in (name.removesuffix("_reached") for name in METRICS if name.endswith("_reached")):
        times = table.index[table["metric"] == metric]
        if len(times) and not (table["metric"] == f"{metric}_reached").any():
            expected = (
                f"rows of {metric}_reached beside those of {metric}: 1, or 0 where it is only how long was waited"
            )
            advice = "Without them every time counts as reached"
            problems.append(
                Problem("measurements.csv", row_number(times[0]), "metric", expected, "none", "warning", advice)
            )
    return problems


def _sides(table: pd.DataFrame) -> list[Problem]:
    """Figures that belong to nobody's left or right cannot be told to a limb."""
    side = table["side"] if "side" in table else pd.Series("", index=table.index)
    lost = table.loc[(side == "") & (table["metric"] != "left_right_difference") & (table["metric"] != ""), "metric"]
    if lost.empty:
        return []
    found = f"none in {len(lost)} row{'s' if len(lost) > 1 else ''}"
    advice = "Without it the figure is not compared with the other side, nor told to an injected one"
    expected = "left or right of every figure but left_right_difference"
    return [Problem("measurements.csv", row_number(lost.index[0]), "side", expected, found, "warning", advice)]


def _temperatures(table: pd.DataFrame) -> list[Problem]:
    warm = (table["unit"] == "degC") & ((table["value"] < -40) | (table["value"] > 80))
    cells = table.loc[warm, "value"].map("{:g}".format)
    expected = "a temperature of skin in °C, from -40 to 80"
    return row_problems("measurements.csv", "value", expected, cells, advice="Is it in another unit?")


def _measured_twice(table: pd.DataFrame) -> list[Problem]:
    keys = [name for name in ("participant", "visit", "scan", "time_s", "side", "region", "metric") if name in table]
    again = table[table.duplicated(keys)]
    if again.empty:
        return []
    conflicting = again[~again.duplicated([*keys, "value"]) & ~table.duplicated([*keys, "value"])[again.index]]
    same = again.drop(conflicting.index)
    expected = f"every {' + '.join(keys)} once"
    advice = "An earlier row has another value. Give each reading a scan of its own, or delete what is wrong"
    problems = row_problems(
        "measurements.csv", "value", expected, conflicting["value"].map("{:g}".format), advice=advice
    )
    if not same.empty:
        count = f"{len(same)} row{'s' if len(same) > 1 else ''} that repeat an earlier one"
        problems.append(Problem("measurements.csv", row_number(same.index[0]), "value", expected, count, "warning"))
    return problems
