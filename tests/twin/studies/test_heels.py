"""Heels: load drives pain, relief tempts, harm hides; and what would have happened otherwise is known."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from rewarm.twin.studies import (
    DiaryPlan,
    GroupPlan,
    HeelsPlan,
    OutdoorPlan,
    StudyPlan,
    ToxinPlan,
    VariationPlan,
    VisitsPlan,
    simulate_measurements,
)

BASE = StudyPlan(
    groups=(GroupPlan(n=80, condition="forefoot_pain"),),
    visits=VisitsPlan(weeks=(0, 8)),
    outdoor=OutdoorPlan(amplitude_c=0, noise_sd_c=0),
    variation=VariationPlan(flare_pain=0),
    toxin=ToxinPlan(pain_change=-12, person_sd=0, onset_sd=0, duration_days=400),
    diary=DiaryPlan(days_before=42, days_after=70, missing=0),
    heels=HeelsPlan(),
)


def worlds(plan: StudyPlan) -> pd.DataFrame:
    table = simulate_measurements(plan).truth["worlds"]
    return table.groupby(["window", "toxin", "flats_days"]).mean(numeric_only=True)


def with_heels(**changes: float) -> StudyPlan:
    return replace(BASE, heels=HeelsPlan(**changes))


def test_the_diary_holds_hours_heights_steps_and_pain() -> None:
    table = simulate_measurements(BASE).tables["diary"]
    assert list(table.columns) == ["participant", "date", "pain_vas", "heel_hours", "heel_height_mm", "steps"]
    assert table["heel_hours"].between(0, 16).all()
    assert (table["heel_height_mm"].isna() == (table["heel_hours"] == 0)).all()
    assert table["heel_hours"].gt(0).mean() == pytest.approx(4 / 7, abs=0.03)
    assert table.loc[table["heel_hours"] > 0, "heel_hours"].mean() == pytest.approx(5, abs=0.3)


def test_without_temptation_the_toxins_relief_is_what_is_planned() -> None:
    mean = worlds(BASE)
    assert mean.loc[("after", 1, 0), "load_mean"] == pytest.approx(mean.loc[("after", 0, 0), "load_mean"])
    relief = mean.loc[("after", 1, 0), "pain_mean"] - mean.loc[("after", 0, 0), "pain_mean"]
    assert relief == pytest.approx(-12, abs=0.3)


def test_relief_tempts_into_load_and_the_observed_relief_is_less() -> None:
    mean = worlds(with_heels(temptation=0.35))
    load, pain = mean["load_mean"], mean["pain_mean"]
    assert load[("after", 1, 0)] > 1.1 * load[("after", 0, 0)]
    assert -12 < pain[("after", 1, 0)] - pain[("after", 0, 0)] < -5


def test_harm_builds_up_over_what_is_tolerated_and_the_toxin_hides_its_pain() -> None:
    hidden = worlds(with_heels(harm_per_load=0.1, tolerated=1.0, harm_hidden=1.0))
    open_ = worlds(with_heels(harm_per_load=0.1, tolerated=1.0, harm_hidden=0.0))
    assert hidden["harm_mean"][("after", 0, 0)] > hidden["harm_mean"][("before", 0, 0)] > 0
    assert hidden["pain_mean"][("after", 1, 0)] < open_["pain_mean"][("after", 1, 0)] - 1
    assert hidden["pain_mean"][("after", 0, 0)] == pytest.approx(open_["pain_mean"][("after", 0, 0)])
    assert worlds(BASE)["harm_mean"].max() == 0


def test_flats_cut_load_and_pain_day_by_day() -> None:
    mean = worlds(BASE)
    pain = [mean["pain_mean"][("after", 0, days)] for days in range(8)]
    assert all(a > b for a, b in pairwise(pain))
    assert pain[7] == pytest.approx(15, abs=0.5)
    assert mean["load_mean"][("after", 0, 7)] == pytest.approx(0, abs=1e-6)
    assert mean["load_mean"][("after", 0, 3)] / mean["load_mean"][("after", 0, 0)] == pytest.approx(4 / 7, abs=0.05)


def test_the_world_that_happened_is_the_diarys() -> None:
    study = simulate_measurements(with_heels(temptation=0.2))
    truth = study.truth["diary"]
    after = truth[truth["day"].between(28, 55)].groupby("participant")["pain_vas_expected"].mean()
    happened = study.truth["worlds"].query("window == 'after' and toxin == 1 and flats_days == 0")
    np.testing.assert_allclose(happened.set_index("participant")["pain_mean"], after)


def test_pain_follows_carried_load_with_each_persons_slope() -> None:
    study = simulate_measurements(replace(BASE, toxin=ToxinPlan()))
    truth, slopes = study.truth["diary"], study.truth["load_and_pain"].set_index("participant")
    for person, days in list(truth.groupby("participant"))[:5]:
        inside = days[days["pain_vas_expected"].between(1, 99)]
        slope, rest = np.polyfit(inside["carried_load"], inside["pain_vas_expected"], 1)
        assert slope == pytest.approx(slopes.loc[person, "pain_per_load"], rel=1e-6)
        assert rest == pytest.approx(15, abs=1e-6)
    one = truth[truth["participant"] == truth["participant"].iloc[0]].reset_index()
    worn = study.tables["diary"].query("participant == @one.participant[0]").reset_index()
    load = (worn["heel_hours"] * worn["heel_height_mm"].fillna(0) / 100).to_numpy()
    carried = one["carried_load"].to_numpy()
    np.testing.assert_allclose(carried[1:], 0.4 * carried[:-1] + 0.6 * load[1:], atol=1e-9)
