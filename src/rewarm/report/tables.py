"""The table of each side: every toe before and after, its change, and whether the measurement can tell it from none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rewarm.report.rows import Row as TableRow
from rewarm.report.rows import Rows, digit_figures, figure, index_rows
from rewarm.report.words import DIGITS, PROXIMAL_WORDS, in_picture, is_hand, number, region_words, visit_words
from rewarm.study.results import Comparison, ScanResult
from rewarm.tables import SMALLEST_DETECTABLE_FACTOR


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
    proximal = in_picture(first).proximal
    owner = f"{first.participant}, " if first.participant else ""
    caption = f"{owner}{side} {'hand' if is_hand(first) else 'foot'}, compared with {_visit(first)}"
    return SideTable(
        caption, PROXIMAL_WORDS.get(proximal, proximal), tuple(_visit_rows(item, side) for item in comparisons)
    )


def _visit(scan: ScanResult) -> str:
    words = visit_words(scan.visit) or scan.scan
    return f"{words}, {scan.date.isoformat()}" if scan.date else words


def _visit_rows(item: Comparison, side: str) -> VisitRows:
    table = index_rows(item.table)
    proximal = in_picture(item.before).proximal
    rows = [row for region in DIGITS if (row := _digit_row(item, table, side, region)) is not None]
    average = _average_row(table, side, in_picture(item.before).metric, "fingers" if is_hand(item.before) else "toes")
    if average is not None:
        rows.append(average)
    rest = table.get((side, proximal, "mean"))
    if rest is not None:
        rows.append(Row(region_words(proximal), "rest", _cells(rest), EMPTY))
    before, after = item.before.ambient_c, item.after.ambient_c
    room = ChangeCells(number(before, 2), number(after, 2), number(item.room_change_c, 2, signed=True), "–", "–", "–")
    rows.append(Row("room (air)", "room", room, EMPTY))
    return VisitRows(_visit(item.after), tuple(rows))


def _digit_row(item: Comparison, table: Rows, side: str, region: str) -> Row | None:
    mean, difference = table.get((side, region, "mean")), table.get((side, region, in_picture(item.before).metric))
    name = region_words(region)
    if mean is None or figure(mean["change"]) is None:
        lost = [
            when
            for when, scan in (("before", item.before), ("after", item.after))
            if (found := scan.regions.get(side, region)) is not None and not found.found
        ]
        note = f"not found {' and '.join(lost)}: not compared"
        return Row(name, "digit", EMPTY, EMPTY, note) if lost else None
    return Row(name, "digit", _cells(mean), EMPTY if difference is None else _cells(difference, signed=True))


def _cells(row: TableRow, *, signed: bool = False) -> ChangeCells:
    return ChangeCells(
        number(figure(row["before"]), 2, signed=signed),
        number(figure(row["after"]), 2, signed=signed),
        number(figure(row["change"]), 2, signed=True),
        number(figure(row["u"]), 2),
        number(figure(row["sdc"]), 2),
        "–" if figure(row["sdc"]) is None else "yes" if bool(row["detectable"]) else "no",
    )


def _average_row(table: Rows, side: str, metric: str, noun: str) -> Row | None:
    mean = _average_cells(table, side, "mean")
    if mean is None:
        return None
    difference = _average_cells(table, side, metric, signed=True)
    return Row(f"average of the {noun}", "average", mean, difference or EMPTY)


def _average_cells(table: Rows, side: str, metric: str, *, signed: bool = False) -> ChangeCells | None:
    """The average, with the average uncertainty: as if all of it were shared, which is the cautious bound."""
    columns = {name: digit_figures(table, side, metric, name) for name in ("before", "after", "change", "u")}
    compared = list(columns["change"])
    if len(compared) < 2:
        return None
    figures = {
        name: sum(columns[name][region] for region in compared) / len(compared)
        for name in ("before", "after", "change")
    }
    known = all(region in columns["u"] for region in compared)
    u = sum(columns["u"][region] for region in compared) / len(compared) if known else None
    sdc = None if u is None else SMALLEST_DETECTABLE_FACTOR * u
    return ChangeCells(
        number(figures["before"], 2, signed=signed),
        number(figures["after"], 2, signed=signed),
        number(figures["change"], 2, signed=True),
        number(u, 2),
        number(sdc, 2),
        "–" if sdc is None else "yes" if abs(figures["change"]) > sdc else "no",
    )
