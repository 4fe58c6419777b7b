"""How the pictures were taken: what the checks found, in few words, and how alike the visits compared are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from rewarm.measures import GROUPS, RULES, Check, Difference
from rewarm.measures.challenge_rules import CHALLENGE_RULES
from rewarm.report.context import comparison_words, scan_words
from rewarm.report.people import in_order
from rewarm.report.words import NBSP
from rewarm.study.results import Comparison, ScanResult, StudyResult

SYMBOLS: Final = {"pass": "✓", "warn": "!", "fail": "✗", "unknown": "?"}
WORDS: Final = {"pass": "met", "warn": "doubtful", "fail": "not met", "unknown": "not known"}
_MOST_NAMED: Final = 3


_FIGURE: Final = re.compile(r"(?<=\d) (?=(?:°C|%|px|mm|min|m|h)(?:\W|$))")


@dataclass(frozen=True)
class Mark:
    """One finding in a cell."""

    status: str
    words: str

    @property
    def text(self) -> str:
        """The finding; no line breaks between a figure and its unit."""
        return _FIGURE.sub(NBSP, self.words)

    @property
    def symbol(self) -> str:
        """What shows the status without colour."""
        return SYMBOLS[self.status]

    @property
    def word(self) -> str:
        """The status in words."""
        return WORDS[self.status]


@dataclass(frozen=True)
class ScanRow:
    """One scan, or all of them: the marks of each group of checks."""

    name: str
    cells: tuple[tuple[Mark, ...], ...]


@dataclass(frozen=True)
class ReasonRow:
    """One check that was not met everywhere: what was found where, what is asked, why, and who says so."""

    title: str
    found: tuple[Mark, ...]
    expected: str
    reason: str
    sources: Markup


@dataclass(frozen=True)
class LikenessGroup:
    """One comparison, or all of them: what differs, and in one line what does not."""

    name: str
    rows: tuple[Difference, ...]
    alike: str
    unknown: str


@dataclass(frozen=True)
class ProtocolSection:
    """Everything that the section shows."""

    groups: tuple[str, ...]
    rows: tuple[ScanRow, ...]
    reasons: tuple[ReasonRow, ...]
    likeness: tuple[LikenessGroup, ...]


def protocol_section(result: StudyResult) -> ProtocolSection | None:
    """The section of a study's report; None where no scan was looked at."""
    people = list(dict.fromkeys(scan.participant for scan in result.scans))
    looked = [scan for scan in in_order(result.scans) if scan.checks]
    scans = sorted(looked, key=lambda scan: people.index(scan.participant))
    if not scans:
        return None
    return ProtocolSection(
        tuple(name.capitalize() for name in GROUPS), _rows(scans), _reasons(scans), _likeness(result.comparisons)
    )


def _rows(scans: Sequence[ScanResult]) -> tuple[ScanRow, ...]:
    """What is the same in all scans stands in a first row, so that the others show what sets them apart."""
    shared = _shared(scans)
    cold = [scan for scan in scans if any(item.id in CHALLENGE_RULES for item in scan.checks)]
    cold_shared = [item for item in _shared(cold) if item.id in CHALLENGE_RULES and item not in shared]
    rows = []
    if shared:
        rows.append(ScanRow(f"All {len(scans)} scans", _cells(shared, count=False)))
    if cold_shared:
        rows.append(ScanRow(f"All {len(cold)} cold challenges", _cells(cold_shared, count=False)))
    said = [*shared, *cold_shared]
    rows += [ScanRow(scan_words(scan), _cells([item for item in scan.checks if item not in said])) for scan in scans]
    return tuple(rows)


def _shared(scans: Sequence[ScanResult]) -> list[Check]:
    """Checks not met that read the same in every scan; none where there is one scan."""
    if len(scans) < 2:
        return []
    return [
        item for item in scans[0].checks if item.status != "pass" and all(item in other.checks for other in scans[1:])
    ]


def _cells(checks: Iterable[Check], *, count: bool = True) -> tuple[tuple[Mark, ...], ...]:
    cells = []
    for group in GROUPS:
        mine = [item for item in checks if item.group == group]
        marks = [
            Mark(status, item.title if status == "unknown" else f"{item.title}: {item.found}")
            for status in ("fail", "warn", "unknown")
            for item in mine
            if item.status == status
        ]
        passed = sum(item.status == "pass" for item in mine)
        cells.append((*([Mark("pass", f"{passed} met")] if count and passed else []), *marks))
    return tuple(cells)


def _reasons(scans: Sequence[ScanResult]) -> tuple[ReasonRow, ...]:
    rows = []
    for name, rule in (*RULES.items(), *CHALLENGE_RULES.items()):
        places: dict[tuple[str, str], list[str]] = {}
        judged = [(scan, item) for scan in scans for item in scan.checks if item.id == name]
        for scan, item in judged:
            if item.status != "pass":
                places.setdefault((item.status, item.found), []).append(scan_words(scan))
        if places:
            found = _found(places, len(scans), cold=len(judged) if name in CHALLENGE_RULES else 0)
            rows.append(ReasonRow(rule.title, found, rule.expected, rule.reason, sources_links(rule.source)))
    return tuple(rows)


def _found(places: dict[tuple[str, str], list[str]], scans: int, *, cold: int = 0) -> tuple[Mark, ...]:
    """Each finding with its scans; where there are many, how many, because the table above names them.

    Of ``scans`` all were judged, or, where the check is one of theirs, as many ``cold`` challenges.
    """
    total, noun = (cold, "cold challenges") if cold else (scans, "scans")
    marks = []
    for status in ("fail", "warn", "unknown"):
        mine = {found: names for (this, found), names in places.items() if this == status}
        several = sum(map(len, mine.values()))
        if len(mine) > _MOST_NAMED:
            marks.append(Mark(status, f"in {several} of {total} {noun}, named above"))
            continue
        for found, names in mine.items():
            if scans == 1:
                where = ""
            elif len(names) == total and total > 1:
                where = f" (all {total} {noun})"
            elif len(names) <= _MOST_NAMED:
                where = f" ({'; '.join(names)})"
            else:
                where = f" ({len(names)} of {total} {noun})"
            marks.append(Mark(status, found + where))
    return tuple(marks)


def _likeness(comparisons: Sequence[Comparison]) -> tuple[LikenessGroup, ...]:
    """What differs in every comparison alike is said once."""
    looked = [item for item in comparisons if item.comparability]
    shared: list[Difference] = []
    if len(looked) > 1:
        first = [item for item in looked[0].comparability if item.likeness != "alike"]
        shared = [item for item in first if all(item in other.comparability for other in looked[1:])]
    groups = []
    if shared:
        rows = [item for item in shared if item.likeness == "differs"]
        groups.append(LikenessGroup(f"All {len(looked)} comparisons", tuple(rows), "", _titles(shared, "unknown")))
    for comparison in looked:
        mine = [item for item in comparison.comparability if item not in shared]
        rows = [item for item in mine if item.likeness == "differs"]
        groups.append(
            LikenessGroup(comparison_words(comparison), tuple(rows), _titles(mine, "alike"), _titles(mine, "unknown"))
        )
    return tuple(groups)


def _titles(items: Iterable[Difference], likeness: str) -> str:
    return ", ".join(item.title for item in items if item.likeness == likeness)


def sources_links(text: str) -> Markup:
    """A source in words, with its DOIs as links."""
    safe = str(escape(text))
    safe = re.sub(r"doi:(10\.\d+/[^\s;,]+)", r'<a href="https://doi.org/\1">doi:\1</a>', safe)
    return Markup(safe)  # escaped above
