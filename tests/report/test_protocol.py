"""How the pictures were taken: each doubt once, with its figure, reason and source; and nothing passes by silence."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from rewarm.measures import GROUPS, RULES, Check, Difference, Review, picture_quality
from rewarm.report import write_report
from rewarm.report.protocol import Mark, protocol_section, sources_links
from rewarm.study.results import ScanResult, StudyResult


def check(name: str, status: str, found: str) -> Check:
    rule = RULES[name]
    return Check(name, status, found, rule.expected, rule.unit, rule.reason, rule.source)  # type: ignore[arg-type]


def reviewed(scan: ScanResult, *checks: Check) -> ScanResult:
    return replace(scan, review=Review(checks, picture_quality(scan.thermogram, scan.regions)))


SAME = check("accuracy", "warn", "±2 °C, no reference in view")
UNKNOWN = check("warm_up", "unknown", "not recorded")
REFERENCE = Difference("reference", "reference in view", "differs", "no", "no", "", "in both", "u 1.68 °C", u_c=1.68)


@pytest.fixture(scope="module")
def judged(study: StudyResult) -> StudyResult:
    """Every scan passes two checks; one room is doubtful, one person had smoked, all cameras are alike."""
    scans = []
    for i, scan in enumerate(study.scans):
        room = check("room", "warn", "25 °C") if i == 2 else check("room", "pass", "22 °C")
        smoking = check("smoking", "fail", "yes") if i == 5 else check("smoking", "pass", "no")
        scans.append(reviewed(scan, smoking, room, SAME, UNKNOWN))
    comparisons = [
        replace(
            item,
            comparability=(
                REFERENCE,
                Difference("lens", "lens", "alike", "25", "25", "", "the same", "another lens"),
                Difference("room", "room", "differs" if i == 1 else "alike", "22", f"{22 + i}", "", "±1 °C", "toes"),
                Difference("settling", "settling", "unknown", "–", f"{i} min", "", "±10 min", "on their way"),
            ),
        )
        for i, item in enumerate(study.comparisons)
    ]  # fmt: skip
    return replace(study, scans=tuple(scans), comparisons=tuple(comparisons))


def test_what_all_scans_share_is_said_once(judged: StudyResult) -> None:
    section = protocol_section(judged)
    assert section is not None
    first, *others = section.rows
    assert first.name == f"All {len(judged.scans)} scans"
    camera = GROUPS.index("camera")
    assert [(mark.symbol, mark.words) for mark in first.cells[camera]] == [
        ("!", "accuracy: ±2 °C, no reference in view"),
        ("?", "camera warmed up"),
    ]
    assert len(others) == len(judged.scans)
    assert all(row.cells[camera] == () for row in others)


def test_each_scan_shows_what_sets_it_apart_and_counts_what_was_met(judged: StudyResult) -> None:
    section = protocol_section(judged)
    assert section is not None
    cells = {row.name: [(mark.symbol, mark.words) for mark in row.cells[0]] for row in section.rows[1:]}
    assert cells["P1, 3 months"] == [("✓", "1 met"), ("!", "room temperature: 25 °C")]
    assert cells["P2, 6 weeks"] == [("✓", "1 met"), ("✗", "smoking beforehand: yes")]
    assert sum(marks == [("✓", "2 met")] for marks in cells.values()) == len(judged.scans) - 2
    assert list(cells)[:4] == ["P1, before", "P1, 6 weeks", "P1, 3 months", "P1, 5 months"]


def test_every_doubt_has_its_figure_reason_and_source(judged: StudyResult) -> None:
    section = protocol_section(judged)
    assert section is not None
    found = {row.title: row for row in section.reasons}
    assert set(found) == {"smoking beforehand", "room temperature", "accuracy", "camera warmed up"}
    assert found["room temperature"].found[0].words == "25 °C (P1, 3 months)"
    assert found["accuracy"].found[0].words == f"±2 °C, no reference in view (all {len(judged.scans)} scans)"
    assert found["camera warmed up"].found[0].word == "not known"
    assert found["room temperature"].reason == RULES["room"].reason
    assert 'href="https://doi.org/10.1080/23328940.2021.1899546"' in found["room temperature"].sources


def test_many_different_findings_are_counted(study: StudyResult) -> None:
    scans = [reviewed(scan, check("evaluation", "warn", f"{i} of 26")) for i, scan in enumerate(study.scans)]
    section = protocol_section(replace(study, scans=tuple(scans)))
    assert section is not None
    assert section.reasons[0].found[0].words == f"in {len(scans)} of {len(scans)} scans, named above"


def test_comparisons_name_what_differs_and_what_nobody_knows(judged: StudyResult) -> None:
    section = protocol_section(judged)
    assert section is not None
    shared, first, second, *_ = section.likeness
    assert shared.name == f"All {len(judged.comparisons)} comparisons"
    assert shared.rows == (REFERENCE,)
    assert (first.name, first.rows) == ("P1, 6 weeks against before", ())
    assert (first.alike, first.unknown) == ("lens, room", "settling")
    assert [item.id for item in second.rows] == ["room"]


def test_the_report_tells_it_without_colour_and_keeps_the_warnings(judged: StudyResult, tmp_path: Path) -> None:
    html = write_report(judged, tmp_path / "report.html", pdf=False).html.read_text(encoding="utf-8")
    section = html[html.index('id="taken"') : html.index('id="warnings"')]
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", section))
    for text in (
        "How the pictures were taken",
        "not met: smoking beforehand: yes",
        "not known: camera warmed up",
        "u 1.68 °C",
    ):
        assert re.sub(r"\s+", " ", text) in plain.replace(" : ", ": ")
    for symbol in ("✓", "!", "✗", "?"):
        assert f'<b aria-hidden="true">{symbol}</b>' in section
    unjudged = write_report(replace(judged, scans=tuple(replace(s, review=None) for s in judged.scans)),
                            tmp_path / "none.html", pdf=False).html.read_text(encoding="utf-8")  # fmt: skip
    assert html[html.index('id="warnings"') :] == unjudged[unjudged.index('id="warnings"') :]


def test_a_report_of_scans_that_nobody_judged_has_no_such_section(study: StudyResult, tmp_path: Path) -> None:
    assert protocol_section(study) is None
    html = write_report(study, tmp_path / "report.html", pdf=False).html.read_text(encoding="utf-8")
    assert 'id="taken"' not in html


def test_a_figure_keeps_its_unit() -> None:
    assert Mark("warn", "24.5 °C, planned 22 °C").text == "24.5\u00a0°C, planned 22\u00a0°C"
    assert Mark("warn", "3 of 12 minutes").text == "3 of 12 minutes"


def test_sources_are_escaped_and_linked() -> None:
    text = sources_links("<b>A</b>, doi:10.3390/s23188011; chosen")
    assert text == (
        '&lt;b&gt;A&lt;/b&gt;, <a href="https://doi.org/10.3390/s23188011">doi:10.3390/s23188011</a>; chosen'
    )
