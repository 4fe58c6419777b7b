"""Kaplan–Meier and Cox: against textbook values, against R's survival, and unbiased where many are censored."""

from __future__ import annotations

import shutil
import subprocess
import sys
from math import inf

import numpy as np
import pandas as pd
import pytest

from rewarm.errors import InvalidInputError
from rewarm.measures import recovery_curves, recovery_hazards, recovery_times

pytest.importorskip("statsmodels", reason="statsmodels (extra `effects`) is not installed")


def frame(times, reached, people=None, **columns) -> pd.DataFrame:
    n = len(times)
    return pd.DataFrame(
        {
            "participant": [f"P{i}" for i in range(n)] if people is None else people,
            "visit": "V1", "scan": "S1", "side": "left", "region": "toe1",
            "time_s": np.asarray(times, dtype=np.float64), "reached": np.asarray(reached, dtype=bool), **columns,
        }
    )  # fmt: skip


# Freireich et al. 1963 as in Kalbfleisch and Prentice: weeks in remission on 6-MP and on placebo
MP6 = ([6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35],
       [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0])  # fmt: skip
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def remission() -> pd.DataFrame:
    return frame([*MP6[0], *PLACEBO], [*MP6[1], *[1] * 21], treated=[1.0] * 21 + [0.0] * 21)


def test_kaplan_meier_of_the_textbook():
    curve = recovery_curves(frame(*MP6))[0]
    left = dict(zip(curve.time_s, curve.not_recovered, strict=True))
    assert left[6.0] == pytest.approx(0.857, abs=5e-4)
    assert left[10.0] == pytest.approx(0.753, abs=5e-4)
    assert left[23.0] == pytest.approx(0.448, abs=5e-4)
    assert curve.median_s == 23.0
    assert (curve.n, curve.reached, curve.people) == (21, 9, 21)
    assert list(curve.at_risk[:2]) == [21, 17]
    assert np.all((curve.lower <= curve.not_recovered) & (curve.not_recovered <= curve.upper))


def test_cox_of_the_textbook():
    hazard = recovery_hazards(remission(), ["treated"])[0]
    assert np.log(hazard.ratio) == pytest.approx(-1.572, abs=2e-3)  # Efron's ties
    assert hazard.lower < hazard.ratio < hazard.upper < 1.0
    assert hazard.p < 1e-3


def test_half_that_was_not_reached_has_no_median():
    curve = recovery_curves(frame([100.0, 900.0, 900.0, 900.0], [1, 0, 0, 0]))[0]
    assert curve.median_s == inf
    assert curve.not_recovered[-1] == 0.75


def test_censoring_does_not_bias_the_median_and_dropping_does():
    """Exponential times of known median, half of them cut off at a known end, in 200 studies of 40 people."""
    random = np.random.default_rng(1)
    true_median, medians, dropped = 600.0, [], []
    for _ in range(200):
        times = random.exponential(true_median / np.log(2.0), 40)
        end = random.uniform(500.0, 1500.0, 40)
        seen = frame(np.minimum(times, end), times <= end)
        medians.append(recovery_curves(seen)[0].median_s)
        dropped.append(seen.loc[seen["reached"], "time_s"].median())
    assert np.median(medians) == pytest.approx(true_median, rel=0.06)
    assert np.median(dropped) < 0.75 * true_median


def test_alike_digits_of_one_person_widen_the_intervals():
    random = np.random.default_rng(2)
    own = np.repeat(random.exponential(400.0, 12), 5) * random.uniform(0.98, 1.02, 60)
    people = [f"P{i // 5}" for i in range(60)]
    clustered = recovery_curves(frame(own, np.ones(60), people))[0]
    alone = recovery_curves(frame(own, np.ones(60)))[0]
    middle = len(own) // 2
    assert clustered.people == 12
    assert clustered.upper[middle] - clustered.lower[middle] > 1.5 * (alone.upper[middle] - alone.lower[middle])
    covariate = np.repeat(np.arange(12) % 2, 5).astype(float)
    spread = [
        np.log(h.upper / h.lower)
        for h in (
            recovery_hazards(frame(own, np.ones(60), people, drug=covariate), ["drug"])[0],
            recovery_hazards(frame(own, np.ones(60), drug=covariate), ["drug"])[0],
        )
    ]
    assert spread[0] > 1.3 * spread[1]


def test_groups_have_curves_of_their_own():
    curves = recovery_curves(remission(), by="treated")
    assert [curve.group for curve in curves] == ["0.0", "1.0"]
    assert [curve.median_s for curve in curves] == [8.0, 23.0]


def measured(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    base = {"participant": "P1", "visit": "V1", "scan": "S1", "side": "left"}
    return pd.DataFrame(
        [{**base, "region": region, "metric": metric, "value": value} for region, metric, value in rows]
    )


def test_rows_of_the_measurements_table_become_times():
    table = measured(
        [("toe1", "t50", 250.0), ("toe1", "t50_reached", 1.0), ("toe2", "t50", 900.0), ("toe2", "t50_reached", 0.0),
         ("toe1", "mean", 25.0)]
    )  # fmt: skip
    times = recovery_times(table)
    assert list(times["time_s"]) == [250.0, 900.0]
    assert list(times["reached"]) == [True, False]
    with pytest.raises(InvalidInputError, match="expected rows of metric t25; found none"):
        recovery_times(table, "t25")
    with pytest.raises(InvalidInputError, match="nobody knows which times were reached"):
        recovery_times(table[table["metric"] != "t50_reached"])


def test_what_cannot_be_used_is_refused():
    good = remission()
    with pytest.raises(InvalidInputError, match="expected columns age"):
        recovery_hazards(good, ["age"])
    with pytest.raises(InvalidInputError, match="not always the same"):
        recovery_hazards(good.assign(treated=1.0), ["treated"])
    with pytest.raises(InvalidInputError, match="at least one digit that recovered"):
        recovery_hazards(good.assign(reached=False), ["treated"])
    with pytest.raises(InvalidInputError, match="one digit or more"):
        recovery_curves(good.iloc[:0])
    with pytest.raises(InvalidInputError, match="0 or more"):
        recovery_curves(good.assign(time_s=np.nan))


def test_without_statsmodels_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "statsmodels.duration.survfunc", None)
    with pytest.raises(InvalidInputError, match=r'pip install "rewarm\[effects\]"'):
        recovery_curves(remission())


R_CODE = """
library(survival)
d <- read.csv(file("stdin"))
k <- survfit(Surv(time_s, reached) ~ 1, data = d, conf.type = "log-log")
i <- k$n.event > 0
cat(k$surv[i], "\\n", k$lower[i], "\\n", k$upper[i], "\\n")
c <- coxph(Surv(time_s, reached) ~ treated, data = d, cluster = participant, ties = "efron")
cat(coef(c), sqrt(diag(vcov(c))), "\\n")
"""


def test_r_s_survival_gives_the_same():
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("R is not installed")
    data = remission()
    sent = data.assign(reached=data["reached"].astype(int)).to_csv(index=False)
    ran = subprocess.run([rscript, "-e", R_CODE], input=sent, capture_output=True, text=True, check=False)
    if "there is no package called" in ran.stderr:
        pytest.skip("R's package survival is not installed")
    assert ran.returncode == 0, ran.stderr
    left, lower, upper, cox = ([float(word) for word in line.split()] for line in ran.stdout.strip().splitlines())
    curve = recovery_curves(data)[0]
    np.testing.assert_allclose(curve.not_recovered, left, atol=1e-4)
    inside = curve.not_recovered > 0
    np.testing.assert_allclose(curve.lower[inside], np.array(lower)[inside], atol=2e-3)
    np.testing.assert_allclose(curve.upper[inside], np.array(upper)[inside], atol=2e-3)
    hazard = recovery_hazards(data, ["treated"])[0]
    assert np.log(hazard.ratio) == pytest.approx(cox[0], abs=1e-4)
    robust = (np.log(hazard.upper) - np.log(hazard.ratio)) / 1.959964
    assert robust == pytest.approx(cox[1], rel=0.05)
