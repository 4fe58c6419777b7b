"""A drawn study is what its plan says, and its truth adds up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from rewarm.tables import MEASUREMENTS
from rewarm.twin.studies import (
    CameraPlan,
    DesignPlan,
    DiaryPlan,
    GroupPlan,
    OutdoorPlan,
    PlaceboPlan,
    RoomPlan,
    SelectionPlan,
    SimulatedStudy,
    StudyPlan,
    ToxinPlan,
    VariationPlan,
    VisitsPlan,
    parse_plan,
    simulate_measurements,
)

MANY = (GroupPlan(n=300),)
STILL_WEATHER = OutdoorPlan(amplitude_c=0, noise_sd_c=0)


def plain(**changes: object) -> StudyPlan:
    """Three hundred people, no season, no effect."""
    base = StudyPlan(groups=MANY, outdoor=STILL_WEATHER, visits=VisitsPlan(weeks=(0, 6, 13)))
    return replace(base, **changes)


def mean_change(study: SimulatedStudy, column: str, visit: str = "week06") -> float:
    visits = study.truth["visits"]
    return float(visits.loc[visits["visit"] == visit, column].mean())


def test_a_measurement_is_the_truth_plus_what_the_camera_did() -> None:
    study = simulate_measurements(plain(groups=(GroupPlan(n=20),)))
    rows = study.tables["measurements"]
    assert list(rows.columns) == list(MEASUREMENTS)
    assert not rows.duplicated(["scan", "side", "region", "metric"]).any()
    means = rows[rows["metric"] == "mean"].merge(study.truth["toes"], on=["participant", "visit", "side", "region"])
    means = means.merge(study.truth["scans"], on="scan")
    rest = means["value"] - means["true_c"] - means["camera_offset_c"]
    assert abs(rest.mean()) < 0.1
    assert 0.1 < rest.std() < 0.3
    wide = rows.pivot(index=["scan", "side", "region"], columns="metric", values="value").reset_index()
    arch = wide[wide["region"] == "arch"].set_index(["scan", "side"])["mean"]
    toes = wide[wide["region"].str.startswith("toe")].set_index(["scan", "side"])
    np.testing.assert_allclose(toes["distal_proximal_difference"], toes["mean"] - arch.reindex(toes.index))


def test_the_stated_u_is_the_spread_of_the_errors() -> None:
    """Over many studies, each with a camera of its own, errors divided by u have a spread of about one."""
    plan = plain(groups=(GroupPlan(n=1),), visits=VisitsPlan(weeks=(0,)))
    scaled: dict[str, list[float]] = {"mean": [], "distal_proximal_difference": []}
    for seed in range(300):
        study = simulate_measurements(plan, seed)
        first = study.tables["measurements"].query("side == 'left' and region == 'toe1'").set_index("metric")
        rest = study.drawn.rest
        truth = {"mean": rest.toes_c[0, 0, 0, 0]}
        truth["distal_proximal_difference"] = rest.toes_c[0, 0, 0, 0] - rest.sole_c[0, 0, 0, 1]
        for metric, values in scaled.items():
            values.append((first.loc[metric, "value"] - truth[metric]) / first.loc[metric, "u"])
    assert np.std(scaled["mean"]) == pytest.approx(1, abs=0.12)
    assert np.std(scaled["distal_proximal_difference"]) == pytest.approx(1, abs=0.12)


def test_seeds_repeat_and_a_diary_changes_no_temperature() -> None:
    plan = plain(groups=(GroupPlan(n=4),), toxin=ToxinPlan(effect_c=2))
    first, again = simulate_measurements(plan, 5), simulate_measurements(plan, 5)
    for name, table in first.tables.items():
        assert_frame_equal(table, again.tables[name])
    other = simulate_measurements(plan, 6).tables["measurements"]
    assert not np.allclose(other["value"], first.tables["measurements"]["value"])
    written = simulate_measurements(replace(plan, diary=DiaryPlan(columns=("rcs",), days_before=60, days_after=200)), 5)
    assert_frame_equal(written.tables["measurements"], first.tables["measurements"])
    assert list(written.tables["diary"].columns) == ["participant", "date", "rcs"]


def test_the_parts_of_a_change_add_up() -> None:
    plan = plain(
        groups=(GroupPlan(n=10),),
        outdoor=OutdoorPlan(),
        toxin=ToxinPlan(effect_c=2),
        placebo=PlaceboPlan(toes_c=0.5),
        room=RoomPlan(sd_c=1.0, after_c=0.5),
    )
    visits = simulate_measurements(plan).truth["visits"]
    parts = [name for name in visits if name.startswith("change_") and name != "change_true_c"]
    np.testing.assert_allclose(visits[parts].sum(axis=1), visits["change_true_c"], atol=1e-9)
    assert set(parts) >= {f"change_{name}_c" for name in ("injection", "placebo", "room", "season", "flare", "day")}


def test_the_effect_sets_in_is_as_large_as_planned_and_wanes() -> None:
    toxin = ToxinPlan(effect_c=3, onset_days=6.7, duration_days=150, steepness=8)
    study = simulate_measurements(plain(toxin=toxin, visits=VisitsPlan(weeks=(0, 1, 6, 21.4286, 50), slack_days=0)))
    visits = study.truth["visits"].groupby("days_since_injection")["change_injection_c"].mean()
    assert visits.loc[0] == 0
    assert visits.loc[7] == pytest.approx(3 * (1 - np.exp(-7 / 6.7)), abs=0.15)
    assert visits.loc[42] == pytest.approx(3, abs=0.1)
    assert visits.loc[150] == pytest.approx(1.5, abs=0.2)
    assert visits.loc[350] == pytest.approx(0, abs=0.01)
    people = study.truth["people"]
    assert people["duration_days"].median() == pytest.approx(154, abs=8)  # to 1 °C of 3 °C, with steepness 8
    assert people["onset_days"].between(1, 15).all()
    untreated = simulate_measurements(plain(toxin=ToxinPlan(effect_c=0.5))).truth["people"]
    assert untreated[["onset_days", "duration_days"]].isna().all(axis=None), "half a degree never matters"
    course = study.truth["course"].query("participant == 'P001'").set_index("days_since_injection")["effect_c"]
    assert course.max() == pytest.approx(people.set_index("participant").loc["P001", "effect_best_c"], rel=0.02)


def test_some_do_not_respond() -> None:
    people = simulate_measurements(plain(toxin=ToxinPlan(effect_c=3, non_responders=0.3))).truth["people"]
    assert (people["effect_best_c"] == 0).mean() == pytest.approx(0.3, abs=0.07)


def test_enrolment_at_the_worst_regresses_to_the_mean_and_any_day_does_not() -> None:
    any_day = simulate_measurements(plain())
    assert mean_change(any_day, "change_flare_c") == pytest.approx(0, abs=0.1)
    worst = simulate_measurements(plain(selection=SelectionPlan(worst_of_days=90)))
    assert mean_change(worst, "change_flare_c") > 0.5
    assert mean_change(worst, "change_true_c") == pytest.approx(mean_change(worst, "change_flare_c"), abs=0.15)
    assert (worst.truth["people"]["flare_at_enrolment"] > 0).mean() > 0.9


def test_season_warms_from_winter_into_summer_and_no_further_on_hot_days() -> None:
    months = VisitsPlan(weeks=(0, 26), start_spread_days=0)
    spring = simulate_measurements(plain(visits=months, outdoor=OutdoorPlan(noise_sd_c=0)))
    assert mean_change(spring, "change_season_c", "week26") == pytest.approx(0.05 * 16.5, abs=0.1)
    hot = OutdoorPlan(mean_c=30, amplitude_c=5, noise_sd_c=0)
    assert mean_change(simulate_measurements(plain(visits=months, outdoor=hot)), "change_season_c", "week26") < 0.02
    weather = spring.tables["visits"].groupby("visit")["outdoor_mean_c"].mean()
    assert weather["week00"] == pytest.approx(1, abs=0.2)
    assert weather["week26"] == pytest.approx(19, abs=0.2)


def test_a_warmer_room_after_the_injections_is_told_in_visits_and_truth() -> None:
    study = simulate_measurements(plain(room=RoomPlan(sd_c=0, after_c=2.0)))
    rooms = study.tables["visits"].groupby("visit")["ambient_c"].unique()
    assert rooms.map(list).to_dict() == {"week00": [22.5], "week06": [24.5], "week13": [24.5]}
    assert mean_change(study, "change_room_c") == pytest.approx(1.4, abs=0.1)


def test_a_bad_camera_moves_every_temperature_and_no_difference() -> None:
    cameras = (CameraPlan(id="old", bias_c=0.0, drift_c=0.1), CameraPlan(id="new", bias_c=2.5, drift_c=0.1))
    visits = VisitsPlan(weeks=(0, 6), cameras=("old", "new"))
    study = simulate_measurements(plain(cameras=cameras, visits=visits))
    rows = study.tables["measurements"]
    means = rows[rows["region"] == "toe1"].groupby(["metric", "visit"])["value"].mean().unstack()
    change = means["week06"] - means["week00"]
    assert change["mean"] == pytest.approx(2.5, abs=0.3)
    assert change["distal_proximal_difference"] == pytest.approx(0, abs=0.3)
    assert mean_change(study, "change_true_c") == pytest.approx(0, abs=0.15)


def test_one_foot_by_lot_is_injected_and_warms_alone() -> None:
    toxin = ToxinPlan(effect_c=2, side="random")
    study = simulate_measurements(plain(design=DesignPlan("split_limb", "untreated_limb"), toxin=toxin))
    toes = study.truth["toes"]
    by_side = toes.groupby(["participant", "side"])["toxin"].agg(["min", "max"])
    assert (by_side["min"] == by_side["max"]).all()
    assert by_side["max"].groupby("participant").sum().eq(1).all()
    assert study.truth["people"]["toxin_side"].eq("left").mean() == pytest.approx(0.5, abs=0.1)
    late = toes[toes["visit"] == "week06"].groupby("toxin")["injection_c"].mean()
    assert late[0] == 0
    assert late[1] == pytest.approx(2, abs=0.15)
    injected = study.tables["injections"]
    assert injected.groupby("participant")["side"].nunique().eq(1).all()
    both = simulate_measurements(plain(design=DesignPlan("split_limb", "placebo"), toxin=toxin)).tables["injections"]
    assert both.groupby("product")["units_u"].unique().map(list).to_dict() == {
        "onabotulinumtoxinA": [2.0],
        "saline": [0.0],
    }
    assert both.groupby("participant")["side"].nunique().eq(2).all()


def test_spill_warms_the_toes_beside() -> None:
    toxin = ToxinPlan(effect_c=2, sites=("toe1", "toe2"), spill=0.5)
    study = simulate_measurements(plain(design=DesignPlan("case_series", "untreated_region"), toxin=toxin))
    late = study.truth["toes"].query("visit == 'week06'").groupby("region")["injection_c"].mean()
    assert late["toe1"] == pytest.approx(2, abs=0.15)
    assert late["toe5"] == pytest.approx(1, abs=0.1)
    assert set(study.tables["injections"]["site"]) == {"toe1", "toe2"}


def test_arms_of_a_parallel_trial() -> None:
    groups = (GroupPlan(n=40, arm="toxin"), GroupPlan(n=40, arm="placebo", treatment="placebo"))
    study = simulate_measurements(
        plain(design=DesignPlan("parallel", "placebo"), groups=groups, toxin=ToxinPlan(effect_c=2, weakness=0.5))
    )
    people = study.tables["participants"]
    assert people["arm"].value_counts().to_dict() == {"toxin": 40, "placebo": 40}
    effect = study.truth["people"].groupby("treatment")["effect_best_c"].mean()
    assert effect["placebo"] == 0
    assert effect["toxin"] == pytest.approx(2, abs=0.25)
    products = study.tables["injections"].merge(people).groupby("arm")["product"].unique().map(list)
    assert products.to_dict() == {"placebo": ["saline"], "toxin": ["onabotulinumtoxinA"]}
    events = study.tables["events"].merge(people)
    assert set(events["arm"]) == {"toxin"}
    assert 10 <= len(events) <= 30
    assert (events["resolved_date"] > events["date"]).all()
    nobody = simulate_measurements(plain(groups=(GroupPlan(n=3, treatment="none"),)))
    assert "injections" not in nobody.tables


def test_starts_by_lot_fall_on_the_weeks_allowed() -> None:
    toxin = ToxinPlan(effect_c=2, start_weeks=(3, 4, 5))
    weekly = VisitsPlan(weeks=tuple(float(w) for w in range(9)), slack_days=1)
    study = simulate_measurements(plain(design=DesignPlan("n_of_1", "none"), toxin=toxin, visits=weekly))
    dates = study.tables["visits"].merge(
        study.tables["injections"].drop_duplicates("participant")[["participant", "date"]]
    )
    weeks = dates["visit"].value_counts(normalize=True)
    assert set(weeks.index) == {"week03", "week04", "week05"}
    assert weeks.min() > 0.25
    before = study.truth["toes"].query("days_since_injection <= 0")
    assert (before["injection_c"] == 0).all()


def test_visits_are_missed_and_people_leave() -> None:
    visits = VisitsPlan(weeks=(0, 4, 8, 12, 24), missed=0.2, drop_out_per_month=0.1)
    plan = plain(visits=visits, diary=DiaryPlan(columns=("rcs",), missing=0, days_after=200))
    study = simulate_measurements(plan)
    came = study.tables["visits"]["visit"].value_counts() / 300
    assert came["week00"] == 1
    assert came["week04"] == pytest.approx(0.8 * 0.9**0.92, abs=0.07)
    assert came["week24"] == pytest.approx(0.8 * 0.9**5.5, abs=0.08)
    last = study.tables["diary"].groupby("participant")["date"].max()
    final = study.tables["visits"].groupby("participant")["date"].max()
    assert (last.reindex(final.index) >= final - pd.Timedelta(days=1)).mean() > 0.99
    assert last.nunique() > 50
    assert set(study.tables["measurements"]["scan"]) == set(study.truth["scans"]["scan"])


def test_conditions_have_their_own_temperatures() -> None:
    plan = parse_plan(
        '[[group]]\nn = 100\ncondition = "healthy"\ntreatment = "none"\n'
        "[[group]]\nn = 100\n[[group]]\nn = 100\ntoes_c = 30"
    )
    study = simulate_measurements(plan)
    first = study.truth["toes"].query("visit == 'week00'").groupby("participant")["true_c"].mean()
    healthy, raynaud, stated = first.iloc[:100], first.iloc[100:200], first.iloc[200:]
    assert healthy.mean() == pytest.approx(26.2, abs=0.4)
    assert healthy.mean() > raynaud.mean() + 0.4
    assert stated.mean() == pytest.approx(30, abs=0.4)
    kinds = study.tables["participants"].groupby("condition")["underlying"].unique().map(list)
    assert kinds.to_dict() == {"healthy": [""], "secondary_raynaud": ["systemic_sclerosis"]}


def test_untreated_skin_is_never_colder_than_the_room_and_effects_add_in_full() -> None:
    cold = GroupPlan(n=50, toes_c=20.0)
    study = simulate_measurements(plain(groups=(cold,), toxin=ToxinPlan(effect_c=2, person_sd=0, toe_sd=0)))
    toes = study.truth["toes"].merge(study.tables["visits"][["participant", "visit", "ambient_c"]])
    assert (toes["true_c"] - toes["injection_c"] > toes["ambient_c"] + 1.1).all()
    assert toes.query("visit == 'week06'")["injection_c"].min() > 1.9
    assert (toes["floor_c"] > 0).all()


def test_without_variation_everybody_is_alike() -> None:
    still = VariationPlan(person_c=0, limb_c=0, toe_c=0, day_c=0, limb_day_c=0, toe_day_c=0, room_slope=0, flare_c=0)
    study = simulate_measurements(plain(variation=still, room=RoomPlan(sd_c=0)))
    assert study.truth["toes"].groupby("region")["true_c"].std().max() < 1e-9
