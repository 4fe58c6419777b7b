"""Diaries have the properties that make them hard to analyse, in the measure that the plan asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rewarm.twin.studies import (
    DiaryPlan,
    GroupPlan,
    OutdoorPlan,
    PlaceboPlan,
    SelectionPlan,
    StudyPlan,
    ToxinPlan,
    VariationPlan,
    VisitsPlan,
    simulate_measurements,
)
from rewarm.twin.studies.severity import severity

ALL = ("rcs", "attacks_n", "attack_minutes", "pain_vas", "numbness", "tingling", "colour_change", "cold_intolerance")
QUIET = VariationPlan(flare_rcs=0, flare_attacks=0, flare_pain=0, flare_c=0)


def plan(**changes: object) -> StudyPlan:
    base = StudyPlan(
        groups=(GroupPlan(n=60),),
        visits=VisitsPlan(weeks=(0, 6), start_spread_days=0),
        outdoor=OutdoorPlan(amplitude_c=0, noise_sd_c=0, mean_c=3.0),
        variation=QUIET,
        diary=DiaryPlan(columns=(*ALL, "swelling_mm"), missing=0, person_sd=0, days_after=100),
    )
    return replace(base, **changes)


def diary(**changes: object) -> pd.DataFrame:
    study = simulate_measurements(plan(**changes))
    table = study.tables["diary"]
    enrolled = study.tables["visits"].query("visit == 'week00'").set_index("participant")["date"]
    return table.assign(day=(table["date"] - table["participant"].map(enrolled)).dt.days)


def test_scales_are_kept_and_words_are_of_the_contract() -> None:
    table = diary()
    assert table["rcs"].between(0, 10).all()
    assert (table["rcs"] % 1 == 0).all()
    assert table[["pain_vas", "cold_intolerance"]].stack().between(0, 100).all()
    assert set(table["colour_change"]) <= {"", "white", "white;blue", "white;blue;red"}
    assert ((table["colour_change"] == "") == (table["attacks_n"] == 0)).all()
    assert (table.loc[table["attacks_n"] == 0, "attack_minutes"] == 0).all()
    assert set(table["numbness"]) == {"no", "some", "much"}
    assert not table.duplicated(["participant", "date"]).any()
    assert (table["day"].min(), table["day"].max()) == (-14, 100)


def test_attacks_are_over_dispersed_and_nearly_poisson_where_asked() -> None:
    def ratio(dispersion: float) -> float:
        counts = diary(diary=replace(plan().diary, dispersion=dispersion))["attacks_n"]
        return float(counts.var() / counts.mean())

    assert ratio(2.0) == pytest.approx(1 + 3.5 * (1.04 * 1.5 - 1), abs=0.45)
    assert ratio(1e6) == pytest.approx(1 + 3.5 * (1.04 - 1), abs=0.12)


def test_one_day_resembles_the_next_as_much_as_planned() -> None:
    table = diary(diary=replace(plan().diary, serial=0.6, pain_sd=15))
    wide = table.pivot(index="day", columns="participant", values="pain_vas")
    centred = wide - wide.mean()
    lag1 = (centred * centred.shift(1)).mean().mean() / centred.var().mean()
    lag7 = (centred * centred.shift(7)).mean().mean() / centred.var().mean()
    assert lag1 == pytest.approx(0.6, abs=0.06)
    assert lag7 < 0.1


def test_days_are_missing_in_runs() -> None:
    missing = replace(plan().diary, missing=0.3, missing_run=4.0)
    study = simulate_measurements(plan(diary=missing))
    truth = study.truth["diary"]
    written = truth.pivot(index="participant", columns="day", values="written").to_numpy()
    assert 1 - written.mean() == pytest.approx(0.3, abs=0.05)
    ends = (written[:, :-1] == 0) & (written[:, 1:] == 1)
    assert (written == 0).sum() / ends.sum() == pytest.approx(4, abs=0.8)
    assert len(study.tables["diary"]) == written.sum()


def test_ten_degrees_more_outdoors_halve_the_attacks() -> None:
    def attacks(mean_c: float) -> float:
        weather = OutdoorPlan(amplitude_c=0, noise_sd_c=0, mean_c=mean_c)
        return float(simulate_measurements(plan(outdoor=weather)).truth["diary"]["attacks_n_expected"].mean())

    assert attacks(13.6) / attacks(3.0) == pytest.approx(0.52, abs=0.001)
    assert attacks(35.0) == attacks(25.0)


def test_severity_runs_through_the_published_points_and_is_no_line() -> None:
    np.testing.assert_allclose(severity(np.array([-25.0, 25.0, 35.0, 40.0])), [6.8, 2.6, 3.5, 5.6])
    assert severity(np.array(-40.0)) == severity(np.array(-25.0))
    cooler, warmer = severity(np.array([10.0, 32.0])) - severity(np.array([0.0, 25.0]))
    assert cooler < 0 < warmer


def test_toxin_and_placebo_do_what_is_planned_and_nothing_before_the_injections() -> None:
    toxin = ToxinPlan(rcs_change=-2, attacks_factor=0.5, pain_change=-15, person_sd=0, onset_sd=0, duration_days=400)
    placebo = PlaceboPlan(rcs_change=-1, attacks_change=-0.5, person_sd=0)
    truth = simulate_measurements(plan(toxin=toxin, placebo=placebo)).truth["diary"]
    before, after = truth[truth["day"] <= 0], truth[truth["day"].between(50, 60)]
    assert before["rcs_expected"].mean() == pytest.approx(5.5)
    assert after["rcs_toxin"].mean() == pytest.approx(-2, abs=0.01)
    assert after["rcs_placebo"].mean() == pytest.approx(-1, abs=0.05)
    assert after["rcs_expected"].mean() == pytest.approx(2.5, abs=0.06)
    assert after["attacks_n_expected"].mean() == pytest.approx(3.5 * 0.5 - 0.5, abs=0.05)
    assert after["pain_vas_expected"].mean() == pytest.approx(30, abs=0.1)


def test_who_enrols_at_the_worst_has_a_worse_diary_around_it() -> None:
    vary = VariationPlan(flare_rcs=1.3, flare_attacks=0.4, flare_days=10)
    table = diary(variation=vary, selection=SelectionPlan(worst_of_days=90))
    near, far = table[table["day"].abs() <= 3], table[table["day"] > 50]
    assert near["rcs"].mean() > far["rcs"].mean() + 1.2
    assert near["attacks_n"].mean() > 1.4 * far["attacks_n"].mean()


def test_feet_swell_for_days_after_injections_and_are_taped_weekly() -> None:
    taped = diary()[["day", "swelling_mm"]].dropna()
    assert (taped["day"] % 7 == 0).all()
    assert taped.query("day == 0")["swelling_mm"].mean() == pytest.approx(4, abs=0.8)
    assert taped.query("day > 50")["swelling_mm"].mean() == pytest.approx(0, abs=0.4)
