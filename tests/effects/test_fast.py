"""The fast estimator on studies whose truth is known, beside closed forms and its own promises."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from rewarm.effects import fast
from rewarm.effects.cells import mean_cells
from rewarm.effects.draws import interval
from rewarm.effects.frame import analysis_frame
from rewarm.effects.metrics import outcome_named
from rewarm.effects.model import build_model, course, natural_spline
from rewarm.errors import InvalidInputError
from tests.effects.effect_worlds import world

MEAN = outcome_named("mean")
DAY = np.array([42.0])


def frame_of(made) -> pd.DataFrame:
    return analysis_frame(MEAN, "toes", made.measurements, made.visits, made.injections)


def effect_of(made, **flags) -> tuple[float, float, float]:
    return interval(fast.fit_fast(build_model(frame_of(made), MEAN, **flags)).mean_effect(DAY)[:, 0], 0.99)


def test_an_untreated_foot_gives_back_the_effect_and_takes_the_season_away():
    estimate, lower, upper = effect_of(world(treated_sides=("left",), people=4, season_c=2.0), randomised=True)
    assert lower < 2.0 < upper
    assert estimate == pytest.approx(2.0, abs=0.3)
    nothing = effect_of(world(treated_sides=("left",), people=4, effect_c=0.0, season_c=2.0), randomised=True)
    assert nothing[1] < 0 < nothing[2]


def test_without_a_control_the_season_widens_the_interval():
    alone = effect_of(world(people=4, season_c=1.5))
    beside = effect_of(world(people=4, season_c=1.5, treated_sides=("left",)), randomised=True)
    assert alone[2] - alone[1] > 2 * (beside[2] - beside[1])
    assert alone[1] < 2.0 < alone[2]


def test_weather_alone_is_not_called_an_effect_but_is_a_change():
    made = world(people=6, effect_c=0.0, season_c=1.5)
    _, lower, _ = effect_of(made)
    assert lower < 0.3
    change = fast.fit_fast(build_model(frame_of(made), MEAN, adjusted=False))
    assert interval(change.mean_effect(DAY)[:, 0], 0.9)[1] > 0.5


def test_untreated_people_are_a_control():
    estimate, lower, upper = effect_of(world(people=5, controls=5, season_c=1.5), randomised=True)
    assert lower < 2.0 < upper
    assert estimate == pytest.approx(2.0, abs=0.5)


def test_visits_that_agree_say_that_the_cameras_offset_stays():
    """±2 °C of a camera whose pictures agree from visit to visit is calibration, which cancels in a change."""
    draws = fast.fit_fast(build_model(frame_of(world(people=5, u=1.2, day_sd_c=0.1)), MEAN))
    assert np.median(draws.others["offset_share"]) < 0.35
    moved = fast.fit_fast(build_model(frame_of(world(people=5, u=1.2, day_sd_c=1.2)), MEAN))
    assert np.median(moved.others["offset_share"]) > 0.4


def test_the_regions_own_uncertainty_is_the_least_noise():
    data = build_model(frame_of(world(people=2)), MEAN)
    assert mean_cells(replace(data, u_own=np.full_like(data.u_own, 1.0))).noise_sd == pytest.approx(1 / np.sqrt(5))


def test_a_toe_that_is_missing_once_moves_nothing():
    made = world(treated_sides=("left",), people=4)
    rows = made.measurements
    warmest = (rows["region"] == "toe1") & (rows["visit"] == "V0") & (rows["side"] == "left")
    shifted = rows.assign(value=rows["value"] + 4.0 * (rows["region"] == "toe1"))
    whole = effect_of(replace(made, measurements=shifted), randomised=True)
    fewer = effect_of(replace(made, measurements=shifted[~warmest]), randomised=True)
    assert fewer[0] == pytest.approx(whole[0], abs=0.12)


def test_same_seed_same_draws():
    data = build_model(frame_of(world()), MEAN)
    first, second = fast.fit_fast(data, seed=3), fast.fit_fast(data, seed=3)
    assert np.array_equal(first.person, second.person)
    assert not np.array_equal(first.person, fast.fit_fast(data, seed=4).person)


def test_marginal_likelihood_is_that_of_one_big_normal_distribution():
    data = build_model(frame_of(world(people=2, days=(-7, 0, 20, 60))), MEAN)
    blocks = fast._blocks(data)
    theta = fast._start(data)[None] + np.array([[0.0], [0.3]])
    found = fast._solve(data, blocks, theta).log_likelihood
    expected = []
    for point in theta:
        values = fast._values(data, point[None])
        covariance = fast._covariance(blocks, values)
        mean, sd = fast._coefficient_priors(data, values)
        held = blocks.held.reshape(-1)
        whole = np.zeros((held.size, held.size))
        m = blocks.y.shape[1]
        for i in range(len(blocks.y)):
            whole[i * m : (i + 1) * m, i * m : (i + 1) * m] = covariance.total[0, i]
        x = blocks.fixed.reshape(-1, mean.shape[1])
        cov = whole + (x * sd[0] ** 2) @ x.T
        at = (x @ mean[0]) + covariance.expected[0].reshape(-1)
        expected.append(multivariate_normal.logpdf(blocks.y.reshape(-1)[held], at[held], cov[np.ix_(held, held)]))
    assert found[0] - found[1] == pytest.approx(expected[0] - expected[1], abs=1e-6)


def test_what_people_share_of_the_effect_is_what_many_people_show():
    """The mean and covariance of effect × course, beside those of simulated people with durations of their own."""
    data = build_model(frame_of(world(people=2)), MEAN)
    blocks = fast._blocks(data)
    theta = fast._start(data)[None]
    theta[0, fast._parameters(data).index("effect")] = 2.0
    values = fast._values(data, theta)
    found = fast._covariance(blocks, values)
    rng = np.random.default_rng(5)
    sizes = 2.0 + values["effect_person"][0] * rng.standard_normal(200_000)
    lasts = values["duration"][0] * np.exp(values["duration_spread"][0] * rng.standard_normal(200_000))
    days = blocks.day[0]
    onset, *forms = (values[name][0] for name in ("onset", "shape", "tail", "rise"))
    seen = sizes[:, None] * course(days[None], onset, lasts[:, None], *forms)
    assert found.expected[0, 0] == pytest.approx(seen.mean(axis=0), abs=0.02)
    assert (found.total - found.known)[0, 0] == pytest.approx(np.cov(seen.T), abs=0.02)


def test_people_have_durations_of_their_own():
    """Two lose the effect between day 60 and 90, two between day 150 and 180: nobody gets the others' duration."""
    days = (-21, -7, 0, 14, 42, 60, 90, 120, 150, 180, 210)
    short, long = (world(people=2, days=days, lasts=lasts, seed=seed) for lasts, seed in ((75.0, 1), (165.0, 2)))
    renamed = {
        name: getattr(long, name).replace({"participant": {"P01": "P03", "P02": "P04"}})
        for name in ("participants", "visits", "injections", "measurements")
    }
    both = replace(short, **{k: pd.concat([getattr(short, k), renamed[k]], ignore_index=True) for k in renamed})
    draws = fast.fit_fast(build_model(frame_of(both), MEAN))
    lower, upper = np.quantile(draws.duration, [0.05, 0.95], axis=0)
    assert (upper[:2] < lower[2:]).all()
    assert 55 < np.median(draws.duration[:, :2]) < 95
    assert 140 < np.median(draws.duration[:, 2:]) < 190
    alone = fast.fit_fast(build_model(frame_of(world(people=1)), MEAN))
    assert "duration_spread" not in alone.others


def test_cells_average_toes_and_keep_their_error():
    cells = mean_cells(build_model(frame_of(world(people=2)), MEAN))
    assert len(cells.y) == 2 * 6 * 2  # people, visits, sides
    assert cells.noise_sd == pytest.approx(0.2 / np.sqrt(5), rel=0.3)


def test_course_sets_in_lasts_and_fades():
    share = course(np.array([-5.0, 0.0, 7.0, 60.0, 120.0, 400.0]), 7.0, 120.0, 5.0, 1e-6, 1.0)
    assert share[:2] == pytest.approx([0, 0])
    assert share[2] == pytest.approx(1 - np.exp(-1), abs=1e-3)
    assert share[3] > 0.95
    assert share[4] == pytest.approx(np.exp(-1), abs=1e-3)
    assert share[5] == pytest.approx(0, abs=1e-12)


def test_the_family_of_falls_holds_weibull_and_log_logistic():
    """All fall to 1/e at D, equally steeply there; the larger the tail, the more is left before and after."""
    days = np.array([1.0, 60.0, 100.0, 119.0, 120.0, 121.0, 150.0, 200.0, 3000.0])
    fall = {tail: course(days, 1e-9, 120.0, 5.0, tail, 1.0) for tail in (1e-8, 0.5, 1.0, 4.0, 60.0)}
    assert fall[1e-8] == pytest.approx(np.exp(-((days / 120.0) ** 5)), abs=1e-6)
    steep = 5.0 / (1 - np.exp(-1))
    assert fall[1.0] == pytest.approx(1 / (1 + np.expm1(1.0) * (days / 120.0) ** steep), rel=1e-9)
    for share in fall.values():
        assert share[4] == pytest.approx(np.exp(-1))
        assert (np.log(share[5]) - np.log(share[3])) / (np.log(121.0) - np.log(119.0)) == pytest.approx(-5.0, rel=1e-3)
        assert (np.diff(share) <= 0).all()
    assert fall[4.0][1] > fall[0.5][1] > fall[1e-8][1]
    assert fall[4.0][7] > fall[0.5][7] > fall[1e-8][7]


def test_an_effect_may_set_in_at_once_or_after_a_delay():
    days = np.array([-3.0, 0.0, 1.0, 7.0, 14.0])
    soon, later, sudden = (course(days, 7.0, 1e6, 5.0, 0.5, rise) for rise in (1.0, 2.0, 200.0))
    assert soon == pytest.approx(np.where(days > 0, 1 - np.exp(-np.maximum(days, 0) / 7), 0), abs=1e-6)
    assert later[2] == pytest.approx(1 - np.exp(-1 / 49), abs=1e-6)
    assert later[3] == pytest.approx(soon[3], abs=1e-6)
    assert sudden == pytest.approx([0, 0, 0, 1 - np.exp(-1), 1], abs=1e-6)


def test_spline_columns_are_free_of_lines_and_linear_beyond_the_knots():
    x = np.linspace(0, 10, 101)
    columns = natural_spline(x, np.array([1.0, 4.0, 6.0, 9.0]))
    assert columns.shape == (101, 2)
    assert np.abs(columns.T @ np.column_stack([np.ones_like(x), x])).max() < 1e-8
    assert np.diff(columns[92:], n=2, axis=0) == pytest.approx(0, abs=1e-9)


def test_says_what_it_cannot_do():
    with pytest.raises(InvalidInputError, match="measured before and after the injections; found none"):
        build_model(frame_of(world(days=(-7, 0))), MEAN)
    data = build_model(frame_of(world()), MEAN)
    censored = replace(data, reached=np.arange(len(data.y)) > 0)
    with pytest.raises(InvalidInputError, match="no censored value for the fast estimator; found 1"):
        fast.fit_fast(censored)


def test_visits_close_together_are_worth_less():
    """A flare of two weeks is seen twice by two visits in a week, which say less than two visits a month apart."""
    data = build_model(frame_of(world(people=1, days=(-7, 0, 7, 60))), MEAN)
    correlation = data.visit_correlation()
    assert correlation[0, 1] == pytest.approx(0.5 * np.exp(-7 / 15))
    assert correlation[0, 3] < 0.01
    weekly = effect_of(world(people=4, days=(-3, -2, -1, 0, 40, 41, 42, 43)))
    apart = effect_of(world(people=4, days=(-150, -100, -50, 0, 30, 60, 90, 120), lasts=999))
    assert weekly[2] - weekly[1] > apart[2] - apart[1]


def test_parameters_that_no_prior_reaches_count_for_nothing():
    data = build_model(frame_of(world(people=2)), MEAN)
    blocks, start = fast._blocks(data), fast._start(data)
    found = fast._log_posterior(data, blocks, np.stack([start, start + 60.0, start - 60.0]))
    assert np.isfinite(found[0])
    assert np.isneginf(found[1:]).all()
