"""Where scans were marked by a second reader: how well both agree, as one short table."""

from __future__ import annotations

import pandas as pd

from rewarm.report.context import TextTable
from rewarm.report.rows import figure
from rewarm.report.words import NBSP, number, region_words
from rewarm.study.results import StudyResult


def agreement_table(result: StudyResult) -> TextTable | None:
    """One row a pair of readers and region: overlap, difference of temperature, and ICC(2,1); None without a reader.

    Overlaps and differences are medians over scans and sides with their range; where there are several regions, the
    toes together come first.
    """
    table = result.agreement
    if table is None or table.empty:
        return None
    rows = []
    for (one, other), mine in table.groupby(["reader_1", "reader_2"], sort=False):
        regions = sorted(dict.fromkeys(mine["region"]), key=lambda region: region != "toes")
        for region in regions:
            figures = mine[mine["region"].eq(region)]
            scans = figures.loc[figures["scan"].ne(""), "scan"].nunique()
            rows.append(
                (
                    f"{_reader(str(one))} and {_reader(str(other))}",
                    "all toes" if region == "toes" else region_words(str(region)),
                    str(scans) if scans else "",
                    _median(figures, "dice", 2),
                    _median(figures, "mean_difference", 2, signed=True),
                    _icc(figures),
                )
            )
    header = ("readers", "region", "scans", "overlap (Dice)", "second − first, °C", "ICC(2,1), 95 % interval")
    note = (
        "Median over scans and sides, range in brackets. Overlap: 1 is the same outline. ICC: agreement of the toes’ "
        "mean temperatures under both outlines, 1 is the same; toes of one foot and visits of one person are not "
        "independent, so its interval is narrower than it should be. Each scan: agreement.csv."
    )
    return TextTable("How well two readers agree", header, tuple(rows), note)


def _reader(name: str) -> str:
    return "the outlines used" if name == "used" else name


def _median(rows: pd.DataFrame, metric: str, decimals: int, *, signed: bool = False) -> str:
    values = rows.loc[rows["metric"].eq(metric), "value"].dropna()
    if values.empty:
        return ""
    text = number(float(values.median()), decimals, signed=signed)
    if len(values) == 1:
        return text
    ends = [number(float(value), decimals, signed=signed) for value in (values.min(), values.max())]
    return f"{text} ({ends[0]} to {ends[1]})"


def _icc(rows: pd.DataFrame) -> str:
    found = rows[rows["metric"].eq("icc_2_1")]
    if found.empty:
        return ""
    row = found.iloc[0]
    value, lower, upper, n = (figure(row[name]) for name in ("value", "lower", "upper", "n"))
    interval = "" if lower is None or upper is None else f" ({number(lower, 2)} to {number(upper, 2)})"
    return f"{number(value, 2)}{interval}, {number(n, 0)}{NBSP}toes"
