"""The table of each side: every toe before and after, its change, and whether the measurement can tell it from none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from rewarm.report.words import DIGITS, number, region_words, visit_words
from rewarm.study.results import Comparison, ScanResult
from rewarm.tables import SMALLEST_DETECTABLE_FACTOR

DIFFERENCE = "distal_proximal_difference"


@dataclass(frozen=True)
class ChangeCells:
    """One measured change as it is printed."""

    before: str
    after: str
    change: str
    u: str
    sdc: str
    detectable: str


EMPTY = ChangeCells("–", "–", "–", "–", "–", "–")


@dataclass(frozen=True)
class Row:
    """One toe, or another line of the table; ``note`` replaces the figures where there are none."""

    name: str
    kind: str
    temperature: ChangeCells
    difference: ChangeCells
    note: str = ""


@dataclass(frozen=True)
class VisitRows:
    """The rows of one visit after, under its heading."""

    heading: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class SideTable:
    """Everything about one side of one person; ``proximal`` names what the toes are compared with in the picture."""

    caption: str
    proximal: str
    visits: tuple[VisitRows, ...]


def side_table(comparisons: Sequence[Comparison], side: str) -> SideTable:
    """The comparisons of one person and one kind of picture, of one side."""
    first = comparisons[0].before
    hand = first.limb.endswith(("hand", "hands"))
    owner = f"{first.participant}, " if first.participant else ""
    caption = f"{owner}{side} {'hand' if hand else 'foot'}: before ({_visit(first)}) and after"
    return SideTable(caption, "palm" if hand else "arch", tuple(_visit_rows(item, side) for item in comparisons))


def _visit(scan: ScanResult) -> str:
    words = visit_words(scan.visit) or scan.scan
    return f"{words}, {scan.date.isoformat()}" if scan.date else words


def _visit_rows(item: Comparison, side: str) -> VisitRows:
    table = item.table[item.table["side"].eq(side)]
    hand = item.before.limb.endswith(("hand", "hands"))
    proximal = "palm" if hand else "arch"
    rows = [row for region in DIGITS if (row := _digit_row(item, table, side, region)) is not None]
    average = _average_row(table, "fingers" if hand else "toes")
    if average is not None:
        rows.append(average)
    rest = table[table["metric"].eq("mean") & table["region"].eq(proximal)]
    if not rest.empty:
        rows.append(Row(region_words(proximal), "rest", _cells(rest.iloc[0]), EMPTY))
    before, after = item.before.ambient_c, item.after.ambient_c
    room = ChangeCells(
        number(before, 2), number(after, 2), number(item.room_change_c, 2, signed=True), "–", "–", "–"
    )
    rows.append(Row("room (air)", "room", room, EMPTY))
    return VisitRows(_visit(item.after), tuple(rows))


def _digit_row(item: Comparison, table: pd.DataFrame, side: str, region: str) -> Row | None:
    mean = table[table["metric"].eq("mean") & table["region"].eq(region)]
    difference = table[table["metric"].eq(DIFFERENCE) & table["region"].eq(region)]
    name = region_words(region)
    if mean.empty or pd.isna(mean.iloc[0]["change"]):
        reasons = [
            f"not found {when}" + (f" ({found.reason})" if found.reason else "")
            for when, scan in (("before", item.before), ("after", item.after))
            if (found := scan.regions.get(side, region)) is not None and not found.found
        ]
        return Row(name, "digit", EMPTY, EMPTY, f"{', '.join(reasons)}: not compared") if reasons else None
    cells = EMPTY if difference.empty else _cells(difference.iloc[0], signed=True)
    return Row(name, "digit", _cells(mean.iloc[0]), cells)


def _cells(row: pd.Series, *, signed: bool = False) -> ChangeCells:
    detectable = row["detectable"]
    return ChangeCells(
        number(_figure(row["before"]), 2, signed=signed),
        number(_figure(row["after"]), 2, signed=signed),
        number(_figure(row["change"]), 2, signed=True),
        number(_figure(row["u"]), 2),
        number(_figure(row["sdc"]), 2),
        "–" if pd.isna(detectable) or pd.isna(row["sdc"]) else "yes" if bool(detectable) else "no",
    )


def _average_row(table: pd.DataFrame, noun: str) -> Row | None:
    digits = table[table["region"].isin(DIGITS) & table["change"].notna()]
    mean = _average_cells(digits[digits["metric"].eq("mean")])
    if mean is None:
        return None
    difference = _average_cells(digits[digits["metric"].eq(DIFFERENCE)], signed=True)
    return Row(f"average of the {noun}", "average", mean, difference or EMPTY)


def _average_cells(rows: pd.DataFrame, *, signed: bool = False) -> ChangeCells | None:
    """The average, with the average uncertainty: as if all of it were shared, which is the cautious bound."""
    if len(rows) < 2:
        return None
    figures = {name: float(rows[name].astype(float).mean()) for name in ("before", "after", "change")}
    u = None if rows["u"].isna().any() else float(rows["u"].astype(float).mean())
    sdc = None if u is None else SMALLEST_DETECTABLE_FACTOR * u
    return ChangeCells(
        number(figures["before"], 2, signed=signed),
        number(figures["after"], 2, signed=signed),
        number(figures["change"], 2, signed=True),
        number(u, 2),
        number(sdc, 2),
        "–" if sdc is None else "yes" if abs(figures["change"]) > sdc else "no",
    )


def _figure(value: object) -> float | None:
    return None if value is None or pd.isna(value) else float(str(value))
