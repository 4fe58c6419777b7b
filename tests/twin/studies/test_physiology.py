"""Mechanisms do what their names say to simulated toes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rewarm.twin.studies import (
    GroupPlan,
    OutdoorPlan,
    PicturesPlan,
    RoomPlan,
    StudyPlan,
    ToxinPlan,
    VariationPlan,
    VisitsPlan,
    simulate_measurements,
)
from rewarm.twin.studies.draw import draw_study
from rewarm.twin.studies.physiology import rewarming

PLAN = StudyPlan(
    groups=(GroupPlan(n=24, condition="primary_raynaud"),),
    visits=VisitsPlan(weeks=(0, 6), slack_days=0),
    outdoor=OutdoorPlan(amplitude_c=0, noise_sd_c=0),
)
WHOLE = ToxinPlan(person_sd=0, toe_sd=0)


def effect(plan: StudyPlan) -> float:
    visits = simulate_measurements(plan).truth["visits"].query("visit == 'week06'")
    return float(visits["change_injection_c"].mean())


def test_a_nerve_block_does_more_where_there_is_drive_and_dilation_does_not_ask() -> None:
    cool, warm = RoomPlan(mean_c=21, sd_c=0), RoomPlan(mean_c=28, sd_c=0)
    block, dilate = replace(WHOLE, nerve_block=0.8), replace(WHOLE, direct_dilation=0.3)
    in_cool = {t: effect(replace(PLAN, toxin=toxin, room=cool)) for t, toxin in (("block", block), ("dilate", dilate))}
    in_warm = {t: effect(replace(PLAN, toxin=toxin, room=warm)) for t, toxin in (("block", block), ("dilate", dilate))}
    assert min(*in_cool.values(), *in_warm.values()) > 0.3
    assert in_cool["block"] / in_warm["block"] > in_cool["dilate"] / in_warm["dilate"]


def test_lost_sweat_warms_without_more_blood() -> None:
    plan = replace(
        PLAN, toxin=replace(WHOLE, sweat_block=0.95), pictures=PicturesPlan(kind="recordings", frames=10, interval_s=60)
    )
    assert effect(plan) > 0.2
    drawn = draw_study(plan, 1)
    assert drawn.bodies is not None
    with_toxin = rewarming(drawn.bodies, plan)
    assert with_toxin.sweat_w_m2[:, :, 1].mean() < 0.2 * with_toxin.sweat_w_m2[:, :, 0].mean()
    ratio = with_toxin.flow_ml_100ml_min[:, :, 1].mean() / with_toxin.flow_ml_100ml_min[:, :, 0].mean()
    assert ratio == pytest.approx(1, abs=0.25)


def test_groups_may_have_mechanisms_of_their_own() -> None:
    groups = (
        GroupPlan(n=12, condition="primary_raynaud", nerve_block=0.8),
        GroupPlan(n=12, condition="primary_raynaud"),
    )
    plan = replace(PLAN, groups=groups)
    assert plan.mechanistic
    study = simulate_measurements(plan)
    people = study.truth["people"]
    assert people["nerve_block"].tolist() == [0.8] * 12 + [0.0] * 12
    assert people["effect_best_c"].iloc[:12].mean() > 1
    assert people["effect_best_c"].iloc[12:].abs().max() < 1e-6
    assert "arm" not in study.tables["participants"], "the tables must not give the groups away"


def test_the_effect_over_time_rises_and_wanes_with_the_course() -> None:
    toxin = replace(WHOLE, nerve_block=0.8, onset_sd=0, duration_sd=0, duration_days=100)
    study = simulate_measurements(replace(PLAN, toxin=toxin, visits=VisitsPlan(weeks=(0, 40))))
    course = study.truth["course"].groupby("days_since_injection")["effect_c"].mean()
    assert course[0] == pytest.approx(0, abs=1e-6)
    assert course[28] > 2 * course[0]
    assert 28 <= course.idxmax() <= 77
    assert course[98] < 0.75 * course.max()
    assert course[203] == pytest.approx(0, abs=0.05)


def test_season_room_and_flare_act_as_causes_of_their_own() -> None:
    plan = replace(
        PLAN,
        visits=VisitsPlan(weeks=(0, 26), start_spread_days=0),
        outdoor=OutdoorPlan(noise_sd_c=0),
        toxin=replace(WHOLE, nerve_block=0.01),
        variation=VariationPlan(flare_drive=0.0),
        room=RoomPlan(sd_c=0, after_c=2.0),
    )
    change = simulate_measurements(plan).truth["visits"].query("visit == 'week26'")
    assert change["change_season_c"].mean() > 0.1
    assert change["change_room_c"].mean() > 1
    assert change["change_flare_c"].abs().max() < 1e-9


def test_recordings_follow_the_plans_frames() -> None:
    filming = PicturesPlan(kind="recordings", frames=7, interval_s=0.5)
    plan = replace(PLAN, groups=(GroupPlan(n=2),), pictures=filming)
    drawn = draw_study(plan, 3)
    assert drawn.bodies is not None
    happened = rewarming(drawn.bodies, plan)
    np.testing.assert_allclose(happened.time_s, 0.5 * np.arange(7))
    assert happened.toes_c.shape == (7, 2, 2, 2, 5)
    assert np.isfinite(happened.toes_c).all()
    assert happened.sole_c.shape == (7, 2, 2, 2, 3)
