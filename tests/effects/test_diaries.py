from math import isnan

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from rewarm.effects.diaries import compare_arms, diary_effects
from rewarm.effects.rows import effects_table
from rewarm.errors import InvalidInputError
from tests.effects.diary_worlds import World, diary, injections, participants

CASES = {"design": {"kind": "case_series"}}


def rows(result, **wanted):
    return [one for one in result.effects if all(getattr(one.effect, k) == v for k, v in wanted.items())]


def test_a_case_series_is_called_a_change_and_its_rows_fit_the_contract():
    days, visits = diary(World(people=4, rcs_effect=-2.0, attacks_factor=0.5), seed=1)
    result = diary_effects(CASES, participants(4), visits, injections(4), days)
    table = effects_table(one.effect for one in result.effects)
    assert set(table["estimand"]) == {"change_from_baseline", "effect_modelled"}
    assert set(table["outcome"]) == {"rcs", "attacks_n"}
    (group,) = rows(result, who="group", outcome="rcs", estimand="change_from_baseline")
    assert group.effect.estimate == pytest.approx(-1.85, abs=0.4)  # the scale's floor takes a little of 2 points
    assert -2.9 < group.effect.lower < group.effect.upper < -1.0
    assert group.effect.n == 4
    assert group.effect.threats["placebo"] == "present"
    assert "whatever caused it" in group.sentence
    assert group.important == 1.4
    assert 0.5 < group.probability_important <= 1
    (attacks,) = rows(result, who="group", outcome="attacks_n", estimand="change_from_baseline")
    assert attacks.effect.unit == "1/d"
    assert isnan(attacks.probability_important)  # no smallest important difference is published for attacks


def test_days_do_not_count_as_people():
    """The group's interval is the t interval over people: 4 people, 3 degrees of freedom, however many days."""
    days, visits = diary(World(people=4), seed=3)
    result = diary_effects(CASES, participants(4), visits, injections(4), days, outcomes=["rcs"])
    own = [one.effect.estimate for one in rows(result, estimand="change_from_baseline") if one.effect.who != "group"]
    (group,) = rows(result, who="group", estimand="change_from_baseline")
    least = 2.353 * np.std(own, ddof=1) / 2
    assert group.effect.upper - group.effect.lower == pytest.approx(2 * least, rel=0.25)


def test_placebo_controls_take_the_placebo_away():
    """Both arms get better by 1.5 points: no effect beside the control, though each arm changed."""
    world = World(people=10, rcs_effect=-1.5)
    treated, visits = diary(world, seed=4)
    controls, more = diary(world, seed=5, first=11)
    shots = pd.concat([injections(10), injections(10, first=11, units=0.0)])
    settings = {"design": {"kind": "parallel", "control": "placebo", "randomised": True}}
    result = diary_effects(
        settings, participants(20), pd.concat([visits, more]), shots, pd.concat([treated, controls]), outcomes=["rcs"]
    )
    (beside,) = rows(result, estimand="effect_vs_control")
    (change,) = rows(result, who="group", estimand="change_from_baseline")
    assert change.effect.upper < -0.8
    assert beside.effect.lower < 0 < beside.effect.upper
    assert beside.effect.n == 20
    assert beside.effect.design == "randomised_controlled"
    assert beside.effect.threats["regression_to_the_mean"] == "excluded"
    assert change.effect.threats["placebo"] == "present"  # the placebo arm excludes nothing from a mere change
    assert {one.effect.who for one in rows(result, estimand="change_from_baseline")} == {
        "group", *(f"P{k}" for k in range(1, 11))
    }  # fmt: skip


def test_sides_of_one_person_are_compared_with_each_other():
    rng = np.random.default_rng(7)
    days = []
    for who in ("P1", "P2", "P3"):
        shared = rng.normal(0, 8, 120)
        for side, effect in (("left", -15.0), ("right", 0.0)):
            pain = 50 + shared + effect * (np.arange(120) >= 40) + rng.normal(0, 4, 120)
            dates = pd.date_range("2025-01-04", periods=120)  # the injection is on its 29th day
            days.append(
                pd.DataFrame({"participant": who, "date": dates, "side": side, "pain_vas": np.clip(pain, 0, 100)})
            )
    _, visits = diary(World(people=3), seed=1)
    result = diary_effects(
        {"design": {"kind": "split_limb", "control": "untreated_limb", "randomised": True}},
        participants(3), visits, injections(3), pd.concat(days), outcomes=["pain_vas"],
    )  # fmt: skip
    (group,) = rows(result, who="group", estimand="effect_vs_control")
    assert group.effect.lower < -15 < group.effect.upper
    assert group.effect.upper - group.effect.lower < 8


def test_missing_days_are_told_with_what_would_undo_the_result():
    days, visits = diary(World(people=2, rcs_effect=-2.0, missing=0.4), seed=9)
    result = diary_effects(CASES, participants(2), visits, injections(2), days, outcomes=["rcs"])
    assert any("have no rcs. The improvement would vanish if those days were worse" in note for note in result.notes)


def test_analysis_of_covariance_equals_statsmodels():
    rng = np.random.default_rng(2)
    before = rng.normal(6, 1, 12)
    after = 0.6 * before + rng.normal(0, 1, 12) - np.repeat([1.0, 0.0], 6)
    found = compare_arms(after[:6], after[6:], before[:6], before[6:])
    x = np.column_stack([np.ones(12), np.repeat([1.0, 0.0], 6), before])
    theirs = sm.OLS(after, x).fit()
    assert (found.mean, found.se, found.df) == pytest.approx((theirs.params[1], theirs.bse[1], theirs.df_resid))


def test_two_people_are_no_arms():
    assert compare_arms([1.0], [2.0, 3.0, 4.0, 5.0], None, None) is None
    assert compare_arms([1.0, 2.0], [2.0, 3.0], None, None) is None


def test_an_unknown_outcome_is_told():
    days, visits = diary(World(people=2), seed=1)
    with pytest.raises(InvalidInputError, match=r"outcome: expected one of rcs, .*; found 'rsc'"):
        diary_effects(CASES, participants(2), visits, injections(2), days, outcomes=["rsc"])


def test_without_injections_there_is_no_before_and_after():
    days, visits = diary(World(people=2), seed=1)
    result = diary_effects(CASES, participants(2), visits, None, days)
    assert result.effects == ()
    assert "no before and after" in result.notes[0]


def test_no_effect_is_called_effective_rarely():
    """Twenty case series of four people without effect; bad starts are taken out of the modelled estimate."""
    called = 0
    for seed in range(20):
        days, visits = diary(World(people=4), seed=100 + seed)
        result = diary_effects(CASES, participants(4), visits, injections(4), days, outcomes=["rcs"])
        (group,) = rows(result, who="group", estimand="change_from_baseline")
        called += group.effect.upper < 0
    assert called <= 4  # 1 is expected at 5 % one-sided; more than 4 has a probability of 0.3 %


@pytest.mark.parametrize("empty", [None, ""])
def test_a_column_that_is_there_but_empty_is_no_outcome(empty: str | None):
    """Days without attacks have no colours; a column that nobody filled in must not make a finding of that."""
    days, seen = diary(World(people=3), 1)
    days["colour_change"] = empty
    days["swelling_mm"] = np.nan
    found = diary_effects({}, participants(3), seen, injections(3), days, estimands=("change_from_baseline",))
    assert {item.effect.outcome for item in found.effects} == {"rcs", "attacks_n"}
    assert not any("colour_change" in note or "swelling_mm" in note for note in found.notes)
