"""Metrics of a cold challenge from curves whose figures can be told by hand, and their table without pictures."""

from __future__ import annotations

import numpy as np
import pytest

from rewarm.tables import MEASUREMENTS
from rewarm.twin.studies import (
    GroupPlan,
    PicturesPlan,
    StudyPlan,
    ToxinPlan,
    VisitsPlan,
    simulate_measurements,
)
from rewarm.twin.studies.challenge import UNITS, challenge_metrics

TIME_S = np.arange(0, 901, 10.0)


def metrics_of(curve: np.ndarray, tpre: float = 30.0) -> dict[str, float]:
    return {
        name: float(values[0]) for name, values in challenge_metrics(TIME_S, curve[:, None], np.array([tpre])).items()
    }


def test_a_ramp_after_a_wait() -> None:
    curve = np.interp(TIME_S, [0, 200, 700, 900], [20, 20, 30, 30])
    found = metrics_of(curve)
    assert list(found) == list(UNITS)
    assert found["t0"] == found["tmin"] == 20
    assert found["rewarming_max"] == 30
    assert found["max_gradient"] == pytest.approx(1.2)
    assert found["gradient_2min"] == pytest.approx(0, abs=1e-12)
    assert found["lag"] == pytest.approx(200)
    assert found["auc"] == pytest.approx((500 * 5 + 200 * 10) / 60)
    assert [found[f"recovery_{m}min"] for m in (5, 10, 15)] == pytest.approx([20, 80, 100])
    assert [found[f"t{share}"] for share in (25, 50, 100)] == pytest.approx([325, 450, 700])
    assert [found[f"{name}_reached"] for name in ("lag", "t25", "t50", "t100")] == [1, 1, 1, 1]


def test_what_is_not_reached_is_censored_and_a_flat_curve_has_no_lag() -> None:
    slow = metrics_of(20 + TIME_S / 200)
    assert (slow["t25"], slow["t25_reached"]) == (pytest.approx(500), 1)
    assert (slow["t50"], slow["t50_reached"], slow["t100_reached"]) == (900, 0, 0)
    flat = metrics_of(np.full(TIME_S.size, 20.0))
    assert (flat["lag"], flat["lag_reached"]) == (900, 0)
    warm = metrics_of(np.full(TIME_S.size, 29.5))
    assert np.isnan([warm["recovery_5min"], warm["t50"], warm["t50_reached"]]).all()
    short = challenge_metrics(TIME_S[:40], np.full((40, 1), 20.0), np.array([30.0]))
    assert np.isnan(short["auc"][0])
    assert np.isnan(short["recovery_15min"][0])
    assert short["t50"][0] == TIME_S[39]


def test_without_pictures_the_table_holds_a_cold_challenge_beside_the_rest() -> None:
    plan = StudyPlan(
        groups=(GroupPlan(n=4),),
        visits=VisitsPlan(weeks=(0, 6)),
        toxin=ToxinPlan(nerve_block=0.8),
        pictures=PicturesPlan(kind="none", rewarming=True),
    )
    study = simulate_measurements(plan)
    rows = study.tables["measurements"]
    assert list(rows.columns) == list(MEASUREMENTS)
    cold = rows[rows["scan"].str.endswith("_cold")]
    assert set(cold["metric"]) == set(UNITS)
    assert cold["value"].notna().all()
    assert (cold["u"].notna() == (cold["unit"] == "degC")).all()
    truth = study.truth["rewarming"].set_index(["participant", "visit", "side", "region"])
    for metric, close in (("auc", 8.0), ("t25", 90.0), ("max_gradient", 0.4)):
        seen = cold[cold["metric"] == metric].set_index(["participant", "visit", "side", "region"])["value"]
        both = truth[metric].dropna().to_frame("true").join(seen, how="inner")
        assert len(both) > 40
        assert (both["true"] - both["value"]).abs().median() < close
    change = truth["auc"].unstack("visit")
    assert change["week06"].mean() > change["week00"].mean(), "a nerve block lets toes rewarm further"
