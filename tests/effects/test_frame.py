"""From tables to rows: days, doses, uncertainty, censoring."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rewarm.effects.dose import digit_doses, treated_regions
from rewarm.effects.frame import analysis_frame, digits_measured
from rewarm.effects.metrics import outcome_named
from rewarm.errors import InvalidInputError
from tests.effects.effect_worlds import world

MEAN = outcome_named("mean")


def sites(*rows):
    names = ["participant", "date", "side", "site", "product", "units_u"]
    table = pd.DataFrame(rows, columns=names)
    return table.assign(date=pd.to_datetime(table["date"]))


def test_a_web_counts_for_both_toes_half_each_and_products_stay_apart():
    doses = digit_doses(
        sites(
            ("P01", "2025-01-01", "left", "web1", "A", 4.0),
            ("P01", "2025-01-01", "left", "toe1", "A", 2.0),
            ("P01", "2025-01-01", "left", "toe1", "B", 7.0),
        )
    )
    units = {(row.region, row.product): row.units_u for row in doses.itertuples()}
    assert units == {("toe1", "A"): 4.0, ("toe2", "A"): 2.0, ("toe1", "B"): 7.0}


def test_a_placebo_treats_nothing_but_starts_the_clock():
    made = world(people=1, controls=1)
    placebo = sites(("P02", "2025-02-10", "left", "toe1", "A", 0.0))
    injections = pd.concat([made.injections, placebo])
    assert {who for who, _, _ in treated_regions(injections)} == {"P01"}
    frame = analysis_frame(MEAN, "toes", made.measurements, made.visits, injections)
    assert set(frame.loc[frame["participant"] == "P02", "day"]) == {-28, -7, 7, 35, 83, 143}
    assert not frame.loc[frame["participant"] == "P02", "treated"].any()


def test_who_was_never_injected_is_counted_like_the_others():
    made = world(people=2, controls=1)
    frame = analysis_frame(MEAN, "toes", made.measurements, made.visits, made.injections)
    assert set(frame.loc[frame["participant"] == "P03", "day"]) == {-21, 0, 14, 42, 90, 150}
    first = frame[frame["first_baseline"]]
    assert set(first["day"]) == {-21}


def test_what_a_picture_shares_is_told_from_what_a_toe_has_alone():
    made = world(u=1.2)
    frame = analysis_frame(MEAN, "toes", made.measurements, made.visits, made.injections)
    assert frame["u_own"].unique() == pytest.approx([0.15])
    assert np.hypot(frame["u_own"], frame["u_shared"]).unique() == pytest.approx([1.2])
    pairs = made.measurements.iloc[:5].assign(metric="left_right_difference", side="", u=0.3 * np.sqrt(2))
    told = analysis_frame(MEAN, "toes", pd.concat([made.measurements, pairs]), made.visits, made.injections)
    assert told["u_own"].unique() == pytest.approx([0.3])
    difference = made.measurements.assign(metric="distal_dorsal_difference")
    inside = analysis_frame(outcome_named("distal_dorsal_difference"), "toes", difference, made.visits, made.injections)
    assert inside["u_shared"].unique() == pytest.approx([0.0])


def test_times_that_were_not_reached_are_censored_and_logarithms():
    made = world(people=1)
    times = made.measurements.assign(metric="t50", unit="s", value=600.0, u=30.0)
    reached = times.assign(metric="t50_reached", value=(times["visit"] != "V0").astype(float), unit="1")
    frame = analysis_frame(outcome_named("t50"), "toes", pd.concat([times, reached]), made.visits, made.injections)
    assert (frame["reached"] == (frame["visit"] != "V0")).all()
    assert frame["value"].unique() == pytest.approx([np.log(600)])
    assert frame["u_own"].unique() == pytest.approx([0.05])


def test_only_one_view_is_taken():
    made = world(people=1)
    backs = made.measurements.assign(scan=made.measurements["scan"] + "_back", value=20.0).query("visit != 'V5'")
    both = pd.concat([made.measurements, backs])
    scans = pd.DataFrame({"participant": "P01", "visit": "V0", "scan": both["scan"].unique()})
    scans["view"] = np.where(scans["scan"].str.endswith("back"), "dorsal", "plantar")
    frame = analysis_frame(MEAN, "toes", both, made.visits, made.injections, scans=scans)
    assert frame["value"].min() > 21


def test_says_what_is_missing():
    made = world()
    with pytest.raises(InvalidInputError, match="expected rows of mean on fingers; found none"):
        analysis_frame(MEAN, "fingers", made.measurements, made.visits, made.injections)
    later = replace(made, visits=made.visits.assign(date=made.visits["date"] + pd.Timedelta(days=90)))
    with pytest.raises(
        InvalidInputError, match="at least one visit on or before the day of the injections; found none"
    ):
        analysis_frame(MEAN, "toes", later.measurements, later.visits, later.injections)
    assert digits_measured(made.measurements, "mean") == ("toes",)
    with pytest.raises(InvalidInputError, match=r"outcome: expected one of mean, .*found 'warmth'"):
        outcome_named("warmth")
