"""What the report shows of each person, ready for the template: sentences, pictures, maps of change, tables, curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from rewarm.regions import SIDES
from rewarm.report.curves import Moment, Series, common_axis, curves_svg, equally_spaced
from rewarm.report.figures import PictureSet, change_set, picture_set
from rewarm.report.palettes import Palette
from rewarm.report.rewarming import RewarmingSection, rewarming_sections
from rewarm.report.rows import figure
from rewarm.report.tables import SideTable, side_table
from rewarm.report.words import DIGITS, change_sentences, is_hand, number, short_region, visit_words
from rewarm.study.results import Comparison, ScanResult, StudyResult


@dataclass(frozen=True)
class CurveSet:
    """The panels of one person, and what a reader must know about them."""

    panels: tuple[Markup, ...]
    note: str


@dataclass(frozen=True)
class ViewSection:
    """One kind of picture of one person, such as both soles at rest."""

    title: str
    pictures: PictureSet
    changes: PictureSet | None
    tables: tuple[SideTable, ...]
    curves: CurveSet | None
    rewarming: bool = False


@dataclass(frozen=True)
class Person:
    """One participant; ``key`` is safe in an id, ``sentences`` holds those of each visit after."""

    key: str
    name: str
    sentences: tuple[tuple[str, ...], ...]
    sections: tuple[ViewSection, ...]
    rewarmings: tuple[RewarmingSection, ...] = ()


def people(result: StudyResult, palettes: Sequence[Palette]) -> tuple[Person, ...]:
    """Everyone of whom there is a scan, in the order of the scans."""
    names = list(dict.fromkeys(scan.participant for scan in result.scans))
    return tuple(_person(result, name, f"p{i}", palettes) for i, name in enumerate(names, start=1))


def section_key(scan: ScanResult) -> tuple[str, str, str]:
    """Scans of one kind can be laid side by side: whole limb, view, phase."""
    return ("hands" if is_hand(scan) else "feet", scan.view, scan.phase)


def comparisons_of(result: StudyResult, participant: str) -> tuple[Comparison, ...]:
    """A person's comparisons, in the order of the visits compared."""
    mine = [item for item in result.comparisons if item.after.participant == participant]
    order = {id(scan): i for i, scan in enumerate(in_order(result.scans))}
    return tuple(sorted(mine, key=lambda item: order.get(id(item.after), len(order))))


def in_order(scans: Sequence[ScanResult]) -> list[ScanResult]:
    """By date; scans without one stay where they were, behind the dated."""
    return sorted(scans, key=lambda scan: (scan.date is None, scan.date.toordinal() if scan.date else 0))


def _person(result: StudyResult, name: str, key: str, palettes: Sequence[Palette]) -> Person:
    scans = in_order([scan for scan in result.scans if scan.participant == name])
    comparisons = comparisons_of(result, name)
    sentences = [change_sentences(name, item) for item in comparisons]
    sections = []
    for kind in dict.fromkeys(section_key(scan) for scan in scans):
        chosen = [scan for scan in scans if section_key(scan) == kind]
        compared = [item for item in comparisons if section_key(item.after) == kind]
        sections.append(_section(kind, chosen, compared, result.measurements, palettes))
    return Person(key, name, tuple(sentences), tuple(sections), rewarming_sections(result, name))


def _section(
    kind: tuple[str, str, str],
    scans: Sequence[ScanResult],
    comparisons: Sequence[Comparison],
    measurements: pd.DataFrame,
    palettes: Sequence[Palette],
) -> ViewSection:
    view = {"plantar": "soles", "palmar": "palms"}.get(kind[1], f"{kind[0]}, {kind[1]} view")
    title = f"{view.capitalize()} {'at rest' if kind[2] == 'rest' else 'after cold water: the pictures'}"
    sides = [side for side in SIDES if any(item.table["side"].eq(side).any() for item in comparisons)]
    return ViewSection(
        title=title,
        pictures=picture_set(scans, palettes=palettes),
        changes=change_set(comparisons) if comparisons else None,
        tables=tuple(side_table(comparisons, side) for side in sides),
        curves=_curves(scans, measurements) if kind[2] == "rest" else None,
        rewarming=kind[2] != "rest",
    )


def _curves(scans: Sequence[ScanResult], measurements: pd.DataFrame) -> CurveSet | None:
    """One panel a side; None where there is only one visit, which is no course."""
    visits = list(dict.fromkeys(scan.visit for scan in scans))
    if len(visits) < 2:
        return None
    first = {visit: next(scan for scan in scans if scan.visit == visit) for visit in visits}
    start = scans[0].date
    moments = [
        Moment(
            words=visit_words(visit) or scan.scan,
            date=scan.date.isoformat() if scan.date else "",
            day=float((scan.date - start).days) if scan.date and start else None,
            room_c=scan.ambient_c,
        )
        for visit, scan in first.items()
    ]
    names = {scan.scan for scan in scans}
    participant = scans[0].participant
    rows = measurements[
        measurements["participant"].astype(str).eq(participant)
        & measurements["scan"].isin(names)
        & measurements["metric"].eq("mean")
        & measurements["region"].isin(DIGITS)
    ]
    by_side = {side: _series(rows[rows["side"].eq(side)], visits) for side in SIDES}
    by_side = {side: series for side, series in by_side.items() if series}
    if not by_side:
        return None
    axis = common_axis([line for series in by_side.values() for line in series], moments)
    limb = "hand" if is_hand(scans[0]) else "foot"
    panels = tuple(
        curves_svg(
            series, moments, axis=axis, title=f"{side.capitalize()} {limb}", alt=_alt(side, limb, series, moments)
        )
        for side, series in by_side.items()
    )
    note = "Visits are drawn at equal distances, not to scale. " if equally_spaced(moments) else ""
    return CurveSet(panels, note)


def _series(rows: pd.DataFrame, visits: Sequence[str]) -> list[Series]:
    lines = []
    for region in DIGITS:
        mine = rows[rows["region"].eq(region)]
        if mine.empty:
            continue
        means = mine.groupby("visit")[["value", "u"]].mean()
        values, uncertainties = (
            tuple(figure(means[column].get(visit)) for visit in visits) for column in ("value", "u")
        )
        lines.append(Series(region, values, uncertainties))
    return lines


def _alt(side: str, limb: str, series: Sequence[Series], moments: Sequence[Moment]) -> str:
    visits = ", ".join(moment.words for moment in moments)
    lines = "; ".join(
        f"{short_region(line.region)} {', '.join(number(value) for value in line.values)}" for line in series
    )
    room = ", ".join(number(moment.room_c) for moment in moments)
    return f"Mean temperature in °C of each region of the {side} {limb} at {visits}: {lines}. Room: {room}."
