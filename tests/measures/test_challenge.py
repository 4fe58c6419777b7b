"""A cold challenge judged by its rules: what went wrong is told, what is not known is unknown."""

from __future__ import annotations

import numpy as np
import pytest

from rewarm.measures import CHALLENGE_RULES, ChallengeFacts, Check, RegionCurves, review_challenge
from rewarm.measures.challenge import JUDGES
from rewarm.measures.protocol_rules import GROUPS

GOOD = ChallengeFacts(water_c=15.2, immersion_s=60.0, kept_dry=True)


def curves(time_s=None, *, tmin=15.0, before=28.0) -> RegionCurves:
    times = np.array([-30.0, *np.arange(5.0, 901.0, 10.0)]) if time_s is None else np.asarray(time_s, dtype=float)
    toe = np.where(times < 0, before, tmin + 10.0 * (1 - np.exp(-np.maximum(times, 0) / 200.0)))
    values = np.stack([toe, toe + 3.0])
    names = (("left", "toe1"), ("left", "arch"))
    return RegionCurves(times, names, values, np.full_like(values, 0.02), (), np.array([90, 900]), "left_foot",
                        "plantar", ("a person",) * 2)  # fmt: skip


def judged(found: tuple[Check, ...], name: str) -> tuple[str, str]:
    check = next(check for check in found if check.id == f"challenge_{name}")
    return check.status, check.found


def test_every_rule_has_a_judge_a_source_and_a_known_group():
    assert list(CHALLENGE_RULES) == list(JUDGES)
    for rule in CHALLENGE_RULES.values():
        assert rule.group in GROUPS
        assert rule.source
        assert rule.question.endswith("?")
    check = review_challenge(curves())[0]
    assert check.title == "baseline"
    assert check.group == "picture"


def test_a_good_challenge_passes_everywhere():
    assert {check.status for check in review_challenge(curves(), GOOD)} == {"pass"}


def test_what_nobody_wrote_down_is_unknown():
    found = review_challenge(curves())
    for name in ("water", "immersion", "dry"):
        assert judged(found, name) == ("unknown", "not recorded")


@pytest.mark.parametrize(
    ("facts", "name", "expected"),
    [
        (ChallengeFacts(water_c=16.5), "water", ("warn", "16.5 °C, planned 15 °C")),
        (ChallengeFacts(water_c=19.0), "water", ("fail", "19 °C, planned 15 °C")),
        (ChallengeFacts(water_c=8.0, planned_water_c=8.0), "water", ("pass", "8 °C, planned 8 °C")),
        (ChallengeFacts(immersion_s=30.0), "immersion", ("fail", "30 s, planned 60 s")),
        (ChallengeFacts(immersion_s=50.0), "immersion", ("warn", "50 s, planned 60 s")),
        (ChallengeFacts(immersion_s=120.0, planned_immersion_s=120.0), "immersion", ("pass", "120 s, planned 120 s")),
        (ChallengeFacts(kept_dry=False), "dry", ("fail", "no")),
    ],
)
def test_the_immersion_is_held_against_the_plan(facts, name, expected):
    assert judged(review_challenge(curves(), facts), name) == expected


def test_a_missing_baseline_is_told_and_a_scan_at_rest_stands_in():
    without = curves(np.arange(5.0, 901.0, 10.0))
    assert judged(review_challenge(without), "baseline") == ("fail", "none")
    assert judged(review_challenge(without), "cooled")[0] == "unknown"
    part = ChallengeFacts(baseline={("left", "toe1")}, baseline_c=28.0)
    assert judged(review_challenge(without, part), "baseline") == ("warn", "none of left arch")
    assert judged(review_challenge(without, part), "cooled")[0] == "pass"


def test_late_short_and_holed_recordings_are_told():
    assert judged(review_challenge(curves(np.arange(25.0, 901.0, 10.0))), "first_frame") == ("warn", "25 s")
    assert judged(review_challenge(curves(np.arange(50.0, 901.0, 10.0))), "first_frame") == ("fail", "50 s")
    assert judged(review_challenge(curves(np.arange(5.0, 640.0, 10.0))), "follow_up") == (
        "warn", "10.6 min, planned 15 min")  # fmt: skip
    assert judged(review_challenge(curves(np.arange(5.0, 300.0, 10.0))), "follow_up")[0] == "fail"
    stills = review_challenge(curves([0.0, 300.0, 600.0, 900.0]))
    assert judged(stills, "frame_gap") == ("fail", "300 s, at 0 s")
    holed = curves()
    holed.temperature_c[0, 10:25] = np.nan
    assert judged(review_challenge(holed), "frames_lost") == ("warn", "17 % (left toe1)")
    assert judged(review_challenge(curves([-30.0])), "first_frame") == ("fail", "no frame after the immersion")


def test_skin_that_was_hardly_cooled_is_told():
    assert judged(review_challenge(curves(tmin=25.0)), "cooled") == ("warn", "2.8 °C")
    assert judged(review_challenge(curves(tmin=27.5)), "cooled")[0] == "fail"
