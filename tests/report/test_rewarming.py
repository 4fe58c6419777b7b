"""Rewarming in the report: closed-form curves whose half-times are known, censored times, gaps, maps."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from rewarm.regions import Regions
from rewarm.report import rewarming_curves
from rewarm.report.rewarming import half_time_maps, rewarming_sections
from rewarm.report.rewarming_curves import common_axes, rewarming_svg, side_course, stretches_left_out, thinned
from rewarm.report.rewarming_figures import METRICS, Value, change_text, over_digits, value_text, values_of
from rewarm.study.results import StudyResult
from tests.report.challenges import LOWEST_C, REST_C, TOE_FACTORS, half_s, make_challenge, toe_c
from tests.report.conftest import draw_regions

HALF = next(metric for metric in METRICS if metric.name == "t50")


def said(value: str) -> str:
    return value.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture(scope="module")
def regions() -> Regions:
    return draw_regions()


@pytest.fixture(scope="module")
def result(regions: Regions, study: StudyResult) -> StudyResult:
    """P1 was cold for long before, and quick at 6 weeks; P2 was seen once."""
    return replace(
        study,
        rewarmings=(
            make_challenge(regions, "P1", "before", tau_s=900.0, plateau_c=24.0, gap=slice(20, 32)),
            make_challenge(regions, "P1", "6 weeks", tau_s=240.0, day=42),
            make_challenge(regions, "P2", "before", tau_s=300.0, recording=False),
        ),
    )


def times(*minutes: float, reached: bool = True) -> list[Value]:
    return [Value(minute, 0.2, reached, 1) for minute in minutes]


def test_half_of_the_toes_must_have_got_there_and_those_that_never_did_count():
    assert over_digits(times(3.0, 1.0, 2.0)).value == 2.0
    some = over_digits([*times(2.0, 3.0, 5.0), *times(15.0, 15.0, reached=False)])
    assert (some.value, some.reached, some.n) == (5.0, True, 5)  # 5, not the 3 that the three alone would give
    few = over_digits([*times(2.0), *times(14.0, 15.0, reached=False)])
    assert (few.value, few.reached) == (14.0, False)
    assert said(value_text(few, HALF)) == "> 14.0"
    assert over_digits([]) is None


def test_a_change_from_or_to_a_time_not_reached_is_a_bound():
    quick, never = Value(3.0, 0.2, True, 5), Value(15.0, None, False, 5)
    faster = change_text(never, quick, HALF)
    assert [said(text) for text in (faster.before, faster.after, faster.change)] == ["> 15.0", "3.0", "< −12.0"]
    assert faster.detectable == "yes"
    slower = change_text(quick, never, HALF)
    assert said(slower.change) == "> +12.0"
    assert change_text(never, never, HALF).change == "–"
    # followed for less than it took later: nothing can be said of the direction
    short = change_text(Value(2.0, None, False, 5), quick, HALF)
    assert (said(short.change), short.detectable) == ("< +1.0", "no")
    known = change_text(quick, Value(3.3, 0.2, True, 5), HALF)
    assert (known.change, known.u, known.sdc, known.detectable) == ("+0.3", "0.3", "0.6", "no")


def test_the_sentence_gives_the_known_half_times(result: StudyResult):
    (section,) = rewarming_sections(result, "P1")
    assert section.title == "Soles after cold water"
    (sentence,) = section.sentences
    left_min = half_s(240.0 * sorted(TOE_FACTORS)[2], 29.0) / 60.0
    right_min = 1.15 * left_min
    assert said(sentence) == (
        "At 6 weeks, half of the toes’ warmth was regained after the cold water: "
        f"left after {left_min:.1f} min (before: not within 14.8 min); "
        f"right after {right_min:.1f} min (before: not within 14.8 min)."
    )
    (alone,) = rewarming_sections(result, "P2")
    assert said(alone.sentences[0]).startswith(
        "At the visit “before”, half of the toes’ warmth was regained left after"
    )
    assert alone.maps is None  # single pictures have none


def test_the_table_holds_both_feet_and_the_great_toe(result: StudyResult):
    (section,) = rewarming_sections(result, "P1")
    assert [table.caption for table in section.tables] == [
        "P1, left foot after cold water, compared with before, 2026-01-12",
        "P1, right foot after cold water, compared with before, 2026-01-12",
    ]
    (visit,) = section.tables[0].visits
    rows = {row.name: row for row in visit.rows}
    assert rows["lowest, °C"].together.before == f"{LOWEST_C:.1f}"
    half = rows["half regained after, min"]
    assert said(half.together.before) == "> 14.8"
    assert half.first.after == f"{half_s(240.0 * TOE_FACTORS[0], 29.0) / 60:.1f}"
    assert half.together.detectable == "yes"
    gradient = rows["rise in the first 2 min, °C/min"].first
    assert float(gradient.after) == pytest.approx(60 * (29 - LOWEST_C) / (240 * TOE_FACTORS[0]) * 0.9, abs=0.006)
    (alone,) = rewarming_sections(result, "P2")
    assert not alone.tables[0].compared


def test_pictures_left_out_are_a_gap_and_a_bar(result: StudyResult):
    before = result.rewarmings[0]
    course = side_course(before.curves, "left", "before")
    assert stretches_left_out(course) == [(200.0, 310.0)]
    assert np.isfinite(course.median_c).sum() == 90 - 12
    expected = np.median([toe_c(course.time_s, 900.0 * factor, 24.0) for factor in TOE_FACTORS], axis=0)
    known = np.isfinite(course.median_c)
    np.testing.assert_allclose(course.median_c[known], expected[known])
    svg = str(rewarming_svg([course], common_axes([course]), title="Left foot", alt="x"))
    bold = re.search(r'<path d="([^"]*)"[^>]*stroke-width="2.8"', svg)[1]
    assert bold.count("M") == 2
    assert 'stroke-width="4"' in svg
    right = side_course(before.curves, "right", "before")
    whole = str(rewarming_svg([right], common_axes([right]), title="Right foot", alt="x"))
    assert re.search(r'<path d="([^"]*)"[^>]*stroke-width="2.8"', whole)[1].count("M") == 1
    assert 'stroke-width="4"' not in whole


def test_half_regained_is_a_ring_on_the_curve_and_an_arrow_where_it_was_not(result: StudyResult):
    before, after = result.rewarmings[:2]
    seconds = half_s(240.0 * 1.1, 29.0)
    quick = side_course(after.curves, "left", "6 weeks", half_s=seconds, rest_c=REST_C)
    slow = side_course(before.curves, "left", "before", half_s=890.0, half_reached=False)
    axes = common_axes([quick, slow])
    svg = str(rewarming_svg([slow, quick], axes, title="Left foot", alt="x"))
    (ring,) = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', svg)
    x = rewarming_curves._x(seconds, axes)
    y = rewarming_curves._y((REST_C + LOWEST_C) / 2, axes)
    assert [float(value) for value in ring] == pytest.approx([x, y], abs=0.6)
    assert len(re.findall(r"l10 6l-10 6Z", svg)) == 1
    assert svg.count('stroke-width="3.4"') == 1  # the dash at rest, of the one that has a baseline


def test_long_curves_are_thinned_without_hiding_gaps():
    time_s = np.arange(900.0)
    values = np.where((time_s >= 300) & (time_s < 400), np.nan, np.sin(time_s / 50))
    times_s, means = thinned(time_s, values)
    assert len(times_s) == 90
    assert np.isnan(means[31:39]).all()
    assert np.isfinite(means[:29]).all()
    assert means[5] == pytest.approx(values[50:60].mean())


def test_maps_share_one_scale_and_say_what_could_not_be_timed(result: StudyResult, regions: Regions):
    found = half_time_maps(list(result.rewarmings[:2]))
    assert found.scale_words == "One scale, 0 to 14 minutes"
    slow, quick = found.pictures
    assert slow.title == "before, 2026-01-12"
    median = 900.0 * math.log(2) / 60 * 1.0
    assert slow.lines[0].startswith("Toes: ")
    assert float(re.search(r"[\d.]+", slow.lines[0])[0]) == pytest.approx(median, rel=0.15)
    assert float(re.search(r"[\d.]+", quick.lines[0])[0]) < float(re.search(r"[\d.]+", slow.lines[0])[0]) / 3
    lost = make_challenge(regions, "P1", "before", tau_s=300.0)
    half = lost.followed.maps.half_time_s
    half[:, : half.shape[1] // 2] = np.nan
    (picture,) = half_time_maps([lost]).pictures
    share = re.search(r"Grey: (\d+) % of the toes could not be timed", picture.lines[1])
    assert 40 <= int(share[1]) <= 60
    half[:] = np.nan
    assert half_time_maps([lost]) is None


def test_without_a_baseline_nothing_is_said_of_what_was_regained(result: StudyResult, regions: Regions):
    bare = make_challenge(regions, "P1", "before", tau_s=300.0)
    bare = replace(bare, metrics=bare.metrics[~bare.metrics["metric"].str.match("t50|tpre|t100|recovery")])
    (section,) = rewarming_sections(replace(result, rewarmings=(bare,)), "P1")
    assert section.sentences == ()
    assert "Nothing was measured before the immersion at: before." in section.note
    assert "half regained" not in " ".join(row.name for row in section.tables[0].visits[0].rows)


def test_values_are_read_with_what_was_reached(result: StudyResult):
    values = values_of(result.rewarmings[0].metrics, "left", HALF)
    assert set(values) == {"toe1", "toe2", "toe3", "toe4", "toe5"}
    assert not any(value.reached for value in values.values())
    assert values["toe1"].value == pytest.approx(890.0 / 60.0)


def test_a_person_without_a_challenge_has_no_section(result: StudyResult):
    assert rewarming_sections(result, "P3") == ()
