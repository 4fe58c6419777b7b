"""What changed between two cold challenges: figures as differences, times that were not reached as bounds."""

from __future__ import annotations

from math import nan

import numpy as np
import pandas as pd
import pytest

from rewarm.errors import InvalidInputError
from rewarm.measures import RewarmingMetric, RewarmingResult, rewarming_table, smallest_detectable_changes
from rewarm.measures.rewarming_change import compare_rewarmings
from rewarm.tables import COMPARISON


def challenge(visit: str, **times: tuple[float, float, bool]) -> pd.DataFrame:
    """The left great toe's figures: a lowest temperature, and times (seconds, u, whether reached)."""
    found = [RewarmingMetric("left", "toe1", "tmin", 15.0 if visit == "before" else 16.5, "degC", 0.3, 80)]
    for name, (seconds, u, reached) in times.items():
        found.append(RewarmingMetric("left", "toe1", name, seconds, "s", u if reached else nan, 80))
        found.append(RewarmingMetric("left", "toe1", f"{name}_reached", float(reached), "1", 0.1, 80))
    found.append(RewarmingMetric("left", "toe1", "distal_proximal_difference", -5.0, "delta_degC", 0.1, 80, 300.0))
    found.append(RewarmingMetric("left", "toe1", "distal_proximal_difference", -4.0, "delta_degC", 0.1, 80, 600.0))
    return rewarming_table(RewarmingResult(tuple(found), ()), participant="P1", visit=visit, scan=f"{visit}_cold")


def row_of(table: pd.DataFrame, metric: str) -> pd.Series:
    (place,) = np.flatnonzero(table["metric"] == metric)
    return table.iloc[place]


def test_figures_are_after_minus_before_and_nothing_cancels_between_visits():
    table = compare_rewarmings(
        challenge("before", t50=(400.0, 30.0, True)), challenge("after", t50=(250.0, 40.0, True)),
        before_ambient_c=22.0, after_ambient_c=23.5,
    )  # fmt: skip
    assert list(table.columns) == list(COMPARISON)
    assert list(table["metric"]) == ["tmin", "t50"], "nor flags nor differences at named times"
    half = row_of(table, "t50")
    assert (half["change"], half["u"], half["sdc"]) == pytest.approx((-150.0, 50.0, 1.959964 * 50.0))
    assert bool(half["detectable"])
    assert (half["censored"], half["room_change"], half["unit"]) == ("", 1.5, "s")
    assert (half["visit_before"], half["visit_after"], half["scan_after"]) == ("before", "after", "after_cold")
    assert row_of(table, "tmin")["u"] == pytest.approx(0.3 * 2**0.5)


@pytest.mark.parametrize(
    ("before", "after", "censored", "detectable"),
    [
        ((900.0, nan, False), (250.0, 40.0, True), "before", True),  # at least 650 s sooner
        ((300.0, nan, False), (250.0, 40.0, True), "before", None),  # 50 s sooner at least: no more than u
        ((300.0, nan, False), (500.0, 40.0, True), "before", None),  # sooner or later, nobody knows
        ((250.0, 40.0, True), (900.0, nan, False), "after", True),
        ((900.0, nan, False), (900.0, nan, False), "both", None),
    ],
)
def test_a_time_that_was_not_reached_is_a_bound_and_enters_no_mean(before, after, censored, detectable):
    table = compare_rewarmings(challenge("before", t50=before), challenge("after", t50=after))
    half = row_of(table, "t50")
    assert half["censored"] == censored
    assert (half["before"], half["after"]) == (before[0], after[0])
    assert np.isnan([half["change"], half["u"], half["sdc"]]).all()
    assert (None if pd.isna(half["detectable"]) else bool(half["detectable"])) is detectable
    (told,) = [item for item in smallest_detectable_changes(table) if item.metric == "t50"]
    assert told.n == 0
    (lowest,) = [item for item in smallest_detectable_changes(table) if item.metric == "tmin"]
    assert (lowest.n, lowest.unit) == (1, "degC")


def test_what_only_one_of_both_holds_gives_no_row():
    table = compare_rewarmings(challenge("before", t50=(400.0, 30.0, True)), challenge("after", t25=(90.0, 9.0, True)))
    assert list(table["metric"]) == ["tmin"]


def test_two_challenges_in_one_table_are_refused():
    one = challenge("before", t50=(400.0, 30.0, True))
    with pytest.raises(InvalidInputError, match=r"left toe1 tmin twice or more\. Give one challenge"):
        compare_rewarmings(pd.concat([one, one], ignore_index=True), one)
    with pytest.raises(InvalidInputError, match="missing metric"):
        compare_rewarmings(one.drop(columns="metric"), one)
