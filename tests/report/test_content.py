"""What the report says: the tables' figures, all warnings, and nothing that the design cannot carry."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from rewarm.regions import TOES
from rewarm.report import write_report
from rewarm.report.context import TextTable, scan_words, short_answer, warning_groups
from rewarm.report.palettes import BLUE_RED
from rewarm.report.people import people
from rewarm.report.recorded import recorded_tables
from rewarm.report.tables import side_table
from rewarm.report.words import change_sentences, list_regions, number, summarise, visit_words
from rewarm.study.results import Comparison, StudyResult
from rewarm.tables import SMALLEST_DETECTABLE_FACTOR


def text_of(result: StudyResult | Comparison, folder: Path) -> str:
    html = write_report(result, folder / "report.html", pdf=False).html.read_text(encoding="utf-8")
    html = re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


@pytest.fixture(scope="module")
def text(study: StudyResult, tmp_path_factory: pytest.TempPathFactory) -> str:
    return text_of(study, tmp_path_factory.mktemp("report"))


def plain(text: str) -> str:
    """With ordinary blanks."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def toe_changes(item: Comparison, metric: str) -> pd.Series:
    table = item.table
    return table[(table.metric == metric) & table.region.isin(TOES)].change


def test_the_summary_is_the_tables_average(study: StudyResult) -> None:
    item = study.comparisons[0]
    summary = summarise(item)
    assert summary.found == 10
    assert summary.change == pytest.approx(toe_changes(item, "mean").mean())
    assert summary.difference_change == pytest.approx(toe_changes(item, "distal_proximal_difference").mean())
    assert summary.half_width == pytest.approx(SMALLEST_DETECTABLE_FACTOR * 0.55)
    assert summary.room_change == pytest.approx(1.5)


def test_a_detectable_change_is_said_with_its_figures(study: StudyResult) -> None:
    absolute, inside = change_sentences("P1", study.comparisons[0])
    assert plain(absolute) == (
        "At 6 weeks the toes of P1 were on average 3.3 °C warmer than before (± 1.1 °C), "
        "more than the measurement’s own error can explain."
    )
    assert plain(inside).startswith(
        "Against the arch of the same foot in the same picture they were 3.3 °C warmer than before"
    )


def test_an_undetectable_change_is_said_to_be_one(study: StudyResult) -> None:
    item = next(item for item in study.comparisons if item.after.participant == "P2" and item.after.visit == "6 weeks")
    assert "too small a change for this measurement to detect" in change_sentences("P2", item)[0]


def test_a_change_that_rounds_to_its_limit_is_given_in_hundredths(study: StudyResult) -> None:
    item = study.comparisons[0]
    table = item.table.assign(change=1.10, u=1.06 / SMALLEST_DETECTABLE_FACTOR)
    assert "1.10 °C warmer than before (± 1.06 °C), more than" in plain(
        change_sentences("P1", replace(item, table=table))[0]
    )


def test_without_uncertainty_no_verdict_is_given(study: StudyResult) -> None:
    item = study.comparisons[0]
    bare = replace(item, table=item.table.assign(u=float("nan"), sdc=float("nan")))
    sentence = change_sentences("P1", bare)[0]
    assert "uncertainty unknown" in sentence
    assert "is not known" in sentence
    assert "can explain" not in sentence


def test_a_comparison_without_toes_says_so(study: StudyResult, tmp_path: Path) -> None:
    item = replace(study.comparisons[0], table=study.comparisons[0].table.iloc[:0])
    assert change_sentences("P1", item) == ("At 6 weeks, no toes of P1 could be compared with before.",)
    assert "no toes of P1 could be compared" in text_of(item, tmp_path)


def test_nobody_to_compare_is_said(study: StudyResult, tmp_path: Path) -> None:
    alone = replace(study, scans=study.scans[:1], comparisons=())
    assert "says nothing about change" in text_of(alone, tmp_path)


def test_the_answer_names_everybody(study: StudyResult) -> None:
    answer = plain(" ".join(short_answer(study)))
    assert "warmer in 1 of 3 (P1: +3.3 ± 1.1 °C)" in answer
    assert "colder in 1 of 3 (P3: −1.9 ± 1.1 °C)" in answer
    assert "no detectable change in 1 of 3 (P2: +0.3 ± 1.1 °C)" in answer


def test_uncontrolled_change_is_never_called_more_than_that(text: str, study: StudyResult, tmp_path: Path) -> None:
    assert "this design cannot tell whether the injection caused a change" in text
    for word in ("effect", "efficacy", "effective", "response to", "works", "proof", "proves"):
        assert not re.search(rf"\b{word}", text, flags=re.IGNORECASE), word
    for words in ("season", "room", "regression to the mean", "no untreated control", "camera", "sweating"):
        assert words in text
    assert "whether a treatment caused" in text_of(study.comparisons[0], tmp_path)


def test_a_control_is_named_without_claiming_its_result(study: StudyResult, tmp_path: Path) -> None:
    text = text_of(replace(study, design="split_limb", control="untreated_limb"), tmp_path)
    assert "names an untreated limb as a control, but this report shows only changes" in text


def test_it_is_research_software_and_recommends_nothing(text: str) -> None:
    assert "Research software, not a medical device" in text
    assert "does not advise on treatment or dose" in text


def test_tables_hold_the_tables_figures(study: StudyResult) -> None:
    item = study.comparisons[0]
    rows = side_table([item], "left").visits[0].rows
    assert [row.name for row in rows] == [
        "toe 1 (big toe)", "toe 2", "toe 3", "toe 4", "toe 5", "average of the toes", "arch", "room (air)",
    ]  # fmt: skip
    for toe, row in zip(TOES, rows, strict=False):
        for metric, cells in (("mean", row.temperature), ("distal_proximal_difference", row.difference)):
            table = item.table
            expected = table[(table.side == "left") & (table.region == toe) & (table.metric == metric)].iloc[0]
            signed = metric != "mean"
            assert cells.before == number(expected.before, 2, signed=signed)
            assert cells.after == number(expected.after, 2, signed=signed)
            assert cells.change == number(expected.change, 2, signed=True)
            assert cells.u == number(expected.u, 2)
            assert cells.sdc == number(expected.sdc, 2)
            assert cells.detectable == ("yes" if expected.detectable else "no")
    assert rows[-1].temperature.change == "+1.50"


def test_missing_toes_are_told_not_left_out(study: StudyResult, text: str) -> None:
    item = next(item for item in study.comparisons if item.after.participant == "P2" and item.after.visit == "6 weeks")
    row = side_table([item], "left").visits[0].rows[4]
    assert (row.name, row.note) == ("toe 5", "not found after: not compared")
    assert "Not found, not measured: left toe 5." in text
    assert "hidden behind toe 4" in text


def test_all_warnings_are_shown_once_with_what_they_concern(study: StudyResult, text: str) -> None:
    camera = study.scans[0].thermogram.attrs["warnings"][0]
    expected = {camera, *study.warnings}
    expected |= {text for scan in study.scans for text in scan.warnings}
    expected |= {text for item in study.comparisons for text in item.warnings}
    for warning in expected:
        assert text.count(warning) == 1, warning
    groups = {group.title: dict(group.items) for group in warning_groups(study)}
    assert groups["Recordings and camera"][camera] == "all 12 scans"
    assert groups["Comparing visits"][study.comparisons[0].warnings[0]].startswith("P1, 6 weeks against before; P2")
    assert f"{sum(map(len, groups.values()))} warnings concern these figures" in text


def test_injections_stay_as_recorded(study: StudyResult, text: str) -> None:
    table = captioned(study, "Injections, as recorded")
    assert table.rows[0][-1] == "web1: 10 U"
    assert table.rows[1][-1] == "web1: 10 U, 2 mL"
    assert "Nothing here is a recommendation" in text


def test_injections_are_added_within_a_product_and_what_does_not_add_up_is_said(study: StudyResult) -> None:
    table = captioned(study, "Injections: totals")
    cells = [row[:-1] for row in table.rows]
    when = "2026-01-12 (before)"
    assert cells == [
        ("P1", when, "left foot", "onabotulinumtoxinA", "1", "10", "–"),
        ("P1", when, "right foot", "onabotulinumtoxinA", "1", "10", "2"),
        ("P1", when, "all limbs", "onabotulinumtoxinA", "2", "20", "–"),
        ("P1", "2026", "whole year", "onabotulinumtoxinA", "2", "20", "–"),
    ]
    assert [bool(row[-1]) for row in table.rows] == [False, True, True, True]
    assert "found 10 U in 2 mL, which is 5 U/mL" in table.rows[1][-1]
    assert "was not corrected" in table.note


def test_the_diary_says_which_days_are_missing(study: StudyResult) -> None:
    table = captioned(study, "Diary")
    recorded = "swelling, mm 3 to 9; colour change (1 entry)"
    assert table.rows == (("P2", "2026-01-15 to 2026-02-26", "2 of 43 (5 %)", "41 days", "2", "", recorded),)


def test_who_took_part_comes_first_and_is_described_not_tested(study: StudyResult, text: str) -> None:
    table = recorded_tables(study)[0]
    assert table.caption == "Who took part"
    assert table.header == ("", "all (n = 3)")
    rows = dict(table.rows)
    assert rows["age, years"] == "48.5 (42 to 55); 1 not recorded"
    assert rows["condition: secondary Raynaud"] == "2 of 3 (67 %)"
    assert rows["treated before with: nifedipine"] == "2 of 2 (100 %)"
    assert rows["first injection: onabotulinumtoxinA, U"] == "20; 2 not recorded"
    assert "temperature at baseline: toes, °C" in rows
    assert "described and not tested" in table.note
    assert "Who took part" in text


def captioned(study: StudyResult, caption: str) -> TextTable:
    return next(table for table in recorded_tables(study) if table.caption == caption)


def test_how_it_was_made(text: str, study: StudyResult) -> None:
    for scan in study.scans:
        assert scan.thermogram.attrs["provenance_sha256"] in text
        assert scan.thermogram.attrs["provenance_file"] in text
    for words in ("rewarm 0.1", "0.98", "Drawn Model 1, 320×240", "doi:10.7717/peerj-cs.977", "drawn for tests"):
        assert words in text


def test_two_scans_get_a_report_of_the_same_parts(study: StudyResult, tmp_path: Path) -> None:
    text = text_of(study.comparisons[0], tmp_path)
    for words in ("In short", "Map of change", "Each region, before and after", "Over the visits", "Warnings"):
        assert words in text
    assert "Change from before to 6 weeks" in text


def test_scans_without_names_or_dates(study: StudyResult, tmp_path: Path) -> None:
    item = study.comparisons[0]
    before = replace(item.before, participant="", visit="", date=None, ambient_c=None, scan="a")
    after = replace(item.after, participant="", visit="", date=None, ambient_c=None, scan="b")
    text = text_of(replace(item, before=before, after=after), tmp_path)
    assert "In the second scan the toes were on average" in text
    assert "Room not recorded" in text
    assert "None" not in text.replace("None.", "")
    assert "nan" not in text


def test_one_scale_for_all_visits_of_a_person(study: StudyResult) -> None:
    for person in people(study, (BLUE_RED,)):
        (section,) = person.sections
        assert re.fullmatch(r"All on one scale, \d+ to \d+ °C", section.pictures.scale_words)
        assert len(section.pictures.pictures) == 4
        assert len(section.pictures.bars) == 1
        assert section.changes is not None
        assert "white at no change" in section.changes.scale_words


@pytest.mark.parametrize(
    ("value", "decimals", "signed", "expected"),
    [
        (-1.26, 1, True, "−1.3"),
        (1.26, 1, True, "+1.3"),
        (-0.04, 1, True, "0.0"),
        (0.04, 1, True, "0.0"),
        (None, 2, True, "–"),
        (float("nan"), 1, False, "–"),
        (31.0, 0, False, "31"),
    ],
)
def test_numbers(value: float | None, decimals: int, signed: bool, expected: str) -> None:
    assert number(value, decimals, signed=signed) == expected


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ("week06", "6 weeks"),
        ("month_1", "1 month"),
        ("6_weeks", "6 weeks"),
        ("before", "before"),
        ("week00", "start"),
        ("day 0", "start"),
        ("weekend", "weekend"),
    ],
)
def test_visits_in_words(recorded: str, expected: str) -> None:
    assert visit_words(recorded) == expected


def test_lists_of_regions_are_short(study: StudyResult) -> None:
    items = [item for item in study.scans[0].regions.items if item.side == "left" or item.region in ("toe1", "toe4")]
    assert list_regions(items) == "left toes 1 to 5; left ball; left arch; left heel; right toes 1, 4"


def test_a_study_without_scans_counts_its_participants(study: StudyResult, tmp_path: Path) -> None:
    bare = replace(study, scans=(), comparisons=(), comparison_table=study.comparison_table.iloc[:0])
    text = text_of(bare, tmp_path)
    assert "3 people · 0 scans" in text
    assert "Who took part" in text
    assert "this report says nothing about change" in text


def test_a_scan_after_cold_water_is_told_from_the_one_at_rest(study: StudyResult) -> None:
    scan = study.scans[0]
    cold = replace(scan, phase="rewarming")
    assert scan_words(scan) == "P1, before"
    assert scan_words(cold) == "P1, before, after cold water"
    still = scan_words(replace(cold, time_s=300.0)).replace("\N{NO-BREAK SPACE}", " ")
    assert still == "P1, before, 5.0 min after cold water"
