"""What a design is judged to be, and which threats it leaves."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rewarm.effects.design import design_facts, grade_design, statuses, threats_to
from tests.effects.effect_worlds import world


def facts_of(made, **design):
    return design_facts(
        {"design": {"kind": "case_series", **design}}, made.participants, made.visits, made.injections,
        measurements=made.measurements,
    )  # fmt: skip


def test_an_uncontrolled_series_is_never_an_effect_vs_control():
    facts = facts_of(world())
    assert (facts.baselines, facts.within_picture_control, facts.parallel_control) == (2, False, False)
    grade = grade_design(facts)
    assert (grade.grade, grade.estimand) == ("repeated_baseline", "effect_modelled")
    one = grade_design(facts_of(world(days=(0, 42))))
    assert one.grade == "before_after"


@pytest.mark.parametrize(
    ("randomised", "grade"), [(True, "randomised_controlled"), (False, "controlled"), (None, "controlled")]
)
def test_an_untreated_foot_is_a_control_and_chance_makes_it_randomised(randomised, grade):
    design = {} if randomised is None else {"randomised": randomised}
    found = grade_design(facts_of(world(treated_sides=("left",)), kind="split_limb", **design))
    assert (found.grade, found.estimand) == (grade, "effect_vs_control")


def test_untreated_people_are_a_control():
    facts = facts_of(world(controls=2), kind="parallel", randomised=True)
    assert facts.parallel_control
    assert grade_design(facts).grade == "randomised_controlled"


def test_a_drawn_start_needs_two_baselines():
    assert grade_design(facts_of(world(people=1), kind="n_of_1", randomised=True)).grade == "randomised_start"
    assert grade_design(facts_of(world(people=1, days=(0, 42)), kind="n_of_1", randomised=True)).grade == "before_after"


def test_season_is_present_excluded_by_a_control_or_unknown():
    facts = facts_of(world())
    season = {t.name: t for t in threats_to(facts, "mean", "delta_degC")}["season"]
    assert season.status == "present"
    assert season.size == pytest.approx(1.5)
    assert "10.0 °C warmer outdoors" in season.reason
    controlled = facts_of(world(treated_sides=("left",)), kind="split_limb")
    assert statuses(threats_to(controlled, "mean", "delta_degC"))["season"] == "excluded"
    blind = replace(facts, outdoor_change_c=float("nan"), season_change_days=10.0)
    assert statuses(threats_to(blind, "mean", "delta_degC"))["season"] == "unknown"


def test_a_mere_change_is_not_protected_by_a_control_that_it_does_not_use():
    facts = facts_of(world(treated_sides=("left",)), kind="split_limb", randomised=True)
    assert statuses(threats_to(facts, "mean", "delta_degC"))["season"] == "excluded"
    change = statuses(threats_to(facts, "mean", "delta_degC", estimand="change_from_baseline"))
    assert (change["season"], change["regression_to_the_mean"], change["camera"]) == ("present", "unknown", "unknown")


def test_regression_to_the_mean_follows_from_what_study_toml_says():
    for said, status in ((True, "present"), (False, "excluded"), (None, "unknown")):
        facts = replace(facts_of(world()), enrolled_at_worst=said)
        threat = {t.name: t for t in threats_to(facts, "mean", "delta_degC")}["regression_to_the_mean"]
        assert threat.status == status
        assert 0 < threat.size < 1.5


def test_ratings_without_placebo_are_threatened_and_with_it_are_not():
    facts = facts_of(world(controls=3), kind="parallel", control="none")
    without = statuses(threats_to(facts, "rcs", "1"))
    assert (without["placebo"], without["unmasked_rating"]) == ("present", "present")
    assert "camera" not in without
    assert statuses(threats_to(replace(facts, control="placebo"), "rcs", "1"))["placebo"] == "excluded"


def test_the_camera_is_told_apart():
    made = world()
    scans = made.visits[["participant", "visit"]].assign(scan="s", reference_c=np.nan)
    for cameras, status in ((["a"] * 6, "unknown"), (["a", "a", "b", "b", "b", "b"], "present")):
        facts = design_facts(
            {"design": {"kind": "case_series"}}, made.participants, made.visits, made.injections,
            scans=scans.assign(camera=cameras * 3), measurements=made.measurements,
        )  # fmt: skip
        assert statuses(threats_to(facts, "mean", "delta_degC"))["camera"] == status
        assert statuses(threats_to(facts, "distal_dorsal_difference", "delta_degC"))["camera"] == "excluded"


def test_other_treatments_are_found_in_the_diary():
    made = world()
    diary = pd.DataFrame(
        {
            "participant": ["P01", "P01", "P02"],
            "date": pd.to_datetime(["2025-01-01", "2025-03-01", "2025-03-02"]),
            "medication_change": ["began nifedipine", "stopped nifedipine", "no"],
        }
    )
    facts = design_facts(
        {"design": {"kind": "case_series"}}, made.participants, made.visits, made.injections, diary=diary
    )
    assert facts.co_treatments == 1
    assert statuses(threats_to(facts, "mean", "delta_degC"))["co_treatment"] == "present"


def test_people_without_a_visit_afterwards_are_lost():
    made = world()
    gone = made.visits[~((made.visits["participant"] == "P03") & (made.visits["date"] > "2025-02-03"))]
    facts = design_facts({"design": {"kind": "case_series"}}, made.participants, gone, made.injections)
    assert facts.lost_share == pytest.approx(1 / 3)
    assert statuses(threats_to(facts, "mean", "delta_degC"))["drop_out"] == "present"
