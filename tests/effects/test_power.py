from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
import statsmodels.stats.power as theirs

from rewarm.effects.power import power, smallest_size, t_test_power, two_sample_power, wilson
from rewarm.effects.trials import Course, Life, TrialPlan, Variance, simulate_trials
from rewarm.errors import InvalidInputError

AT_ONCE = Course(onset_days=0.0, duration_days=float("inf"))
VARIANCE = Variance(person_sd=2.0, noise_sd=1.5)


def plan(kind: str, effect: float = -1.0, **changes: object) -> TrialPlan:
    weeks = {"after_weeks": tuple(range(16)), "start_weeks": (4.5, 5.5, 6.5, 7.5, 8.5, 9.5)} if kind == "n_of_1" else {}
    usual = {"baseline_weeks": (0.0,), "after_weeks": (4.0,), "course": AT_ONCE, **weeks}
    return replace(TrialPlan(kind, effect, VARIANCE, **usual), **changes)


def test_closed_forms_equal_statsmodels():
    assert t_test_power(-1.0, 1.7, 14, 0.05) == pytest.approx(
        theirs.TTestPower().power(effect_size=1 / 1.7, nobs=14, alpha=0.05, alternative="two-sided"), abs=1e-9
    )
    assert two_sample_power(-1.0, 1.7, 14, 0.05) == pytest.approx(
        theirs.TTestIndPower().power(effect_size=1 / 1.7, nobs1=14, alpha=0.05), abs=1e-9
    )


@pytest.mark.parametrize(
    ("kind", "people", "exact"),
    [
        ("case_series", 20, t_test_power(-1.0, 1.5 * sqrt(2), 20, 0.05)),
        # the difference before foretells nothing here, and as a covariate costs nothing but a degree of freedom
        ("split_limb", 40, t_test_power(-1.0, 1.5 * sqrt(2), 40, 0.05)),
        # analysis of covariance: the correlation before–after is 4 / 6.25, and takes away its square of the variance
        ("parallel", 80, two_sample_power(-1.0, 2.5 * sqrt(1 - (4 / 6.25) ** 2), 40, 0.05)),
    ],
)
def test_power_equals_the_noncentral_t(kind: str, people: int, exact: float):
    row = power(plan(kind), people, trials=4000, seed=3)
    assert row.power == pytest.approx(exact, abs=0.025)  # three standard errors of 4,000 trials are 0.024
    assert row.false_alarms == pytest.approx(0.025, abs=0.0085)
    assert row.coverage == pytest.approx(0.90, abs=0.018)
    assert row.bias == pytest.approx(0.0, abs=0.06)
    assert row.power_lower < row.power < row.power_upper


def test_a_randomised_start_stands_a_season_that_a_case_series_does_not():
    life = Life(season=2.0)
    spring = {"life": life, "start_month": 3.0}
    series = power(plan("case_series", baseline_weeks=(-4.0, 0.0), after_weeks=(8.0, 12.0), **spring), 12, trials=200)
    starts = power(plan("n_of_1", **spring), 12, trials=100)
    split = power(plan("split_limb", **spring), 12, trials=200)
    assert series.false_alarms > 0.5
    assert starts.false_alarms < 0.09
    assert split.false_alarms < 0.07
    assert starts.bias == pytest.approx(0.0, abs=0.15)
    assert starts.power > 0.3


def test_enrolment_at_the_worst_fools_one_baseline_and_not_an_arm():
    life = Life(enrolled_above_sd=1.0)
    series = power(plan("case_series", life=life), 20, trials=300)
    parallel = power(plan("parallel", life=life), 40, trials=300)
    assert series.bias < -1.5  # the mean of a normal beyond 1 SD is 1.53 SD
    assert series.false_alarms > 0.8
    assert parallel.false_alarms < 0.06
    assert parallel.bias == pytest.approx(0.0, abs=0.15)


def test_placebo_fools_an_open_trial_and_not_a_masked_one():
    life = Life(placebo=-1.0)
    open_ = power(plan("parallel", effect=0.0, life=life), 60, trials=200)
    masked = power(plan("parallel", effect=0.0, life=life, masked=True), 60, trials=200)
    assert open_.false_alarms > 0.3
    assert masked.false_alarms < 0.07


def test_more_visits_and_readings_make_estimates_more_precise():
    one = power(plan("parallel"), 30, trials=100)
    several = power(plan("parallel", baseline_weeks=(-2.0, -1.0, 0.0), after_weeks=(4.0, 6.0, 8.0)), 30, trials=100)
    weekly = power(plan("parallel", readings=7), 30, trials=100)
    assert several.half_width < 0.8 * one.half_width
    assert weekly.half_width < 0.7 * one.half_width


def test_the_truth_is_the_mean_over_the_visits_after():
    course = Course(onset_days=7.0, duration_days=80.0, duration_sd_days=20.0)
    trials = simulate_trials(
        plan("case_series", after_weeks=(1.0, 30.0), course=course), 3, 2, np.random.default_rng(1)
    )
    assert trials.truth == pytest.approx(-(1 - np.exp(-1)) / 2, abs=0.01)  # gone at 30 weeks
    assert course.at(np.array([-3.0, 0.0])).tolist() == [0.0, 0.0]


def test_drop_outs_miss_late_visits_only():
    life = Life(drop_out=1.0)
    trials = simulate_trials(
        plan("case_series", after_weeks=(2.0, 4.0, 6.0), life=life), 200, 1, np.random.default_rng(1)
    )
    missing = np.isnan(trials.value[0, :, 0])
    assert not missing[:, 0].any()
    assert missing[:, -1].all()
    assert (np.diff(missing.astype(int), axis=1) >= 0).all()  # who left does not come back
    row = power(plan("parallel", after_weeks=(2.0, 4.0), life=Life(drop_out=0.5)), 40, trials=100)
    assert 0 < row.half_width < 5


def test_assurance_lies_below_power_where_the_pilot_is_unsure():
    row = power(plan("parallel", effect=-2.0), 60, trials=400, effect_se=1.0)
    assert row.power > 0.9
    assert 0.6 < row.assurance < row.power - 0.03


def test_the_same_seed_gives_the_same_figures():
    first, second = (power(plan("split_limb"), 12, trials=50, seed=9) for _ in range(2))
    assert (first.power, first.half_width) == (second.power, second.half_width)


def test_the_smallest_size_lies_between_those_tried():
    rows = [power(plan("case_series"), n, trials=500) for n in (10, 20, 40, 60)]
    found = smallest_size(rows, 0.8)
    exact = next(n for n in range(2, 200) if t_test_power(-1.0, 1.5 * sqrt(2), n, 0.05) >= 0.8)
    assert found == pytest.approx(exact, abs=5)
    assert smallest_size(rows[:1], 0.8) is None


def test_wilsons_interval():
    assert wilson(0, 200)[0] == pytest.approx(0.0, abs=1e-12)
    assert wilson(0, 200)[1] == pytest.approx(0.01885, abs=1e-4)
    assert wilson(160, 200) == pytest.approx((0.7392, 0.8496), abs=5e-4)


def test_too_few_people_are_told():
    with pytest.raises(InvalidInputError, match="expected at least 5 for parallel; found 4"):
        power(plan("parallel"), 4)
