import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import mannwhitneyu

from rewarm.effects.diary_days import DaySeries, Window
from rewarm.effects.diary_fit import Adjustments, Columns, dispersion, fit_counts, person_change
from rewarm.effects.outcomes import DIARY_OUTCOMES
from rewarm.effects.serial import Memory

WITHOUT_MEMORY = Memory((), ())
RAW = Adjustments()


def series(value: np.ndarray, outcome: str, days_before: int, outdoor: np.ndarray | None = None) -> DaySeries:
    day = np.arange(value.size, dtype=float) - days_before
    warm = np.full(value.size, np.nan) if outdoor is None else outdoor
    return DaySeries("P1", outcome, day, value.astype(float), warm, day - day[0])


def test_counts_equal_the_negative_binomial_regression_of_statsmodels():
    rng = np.random.default_rng(5)
    x = np.column_stack([np.ones(90), np.arange(90) >= 40]).astype(float)
    y = rng.negative_binomial(2, 2 / (2 + np.exp(x @ [1.2, -0.6]))).astype(float)
    flat = np.full(2, np.inf)
    columns = Columns(("const", "effect"), lambda _tau: x, flat, np.zeros(90))
    fit = fit_counts(y, np.arange(90.0), columns, memory=WITHOUT_MEMORY, rounds=50)
    mean = fit.means[0]
    alpha = dispersion(y, np.exp(x @ mean))
    theirs = sm.GLM(y, x, family=sm.families.NegativeBinomial(alpha=alpha)).fit(scale="X2")
    assert mean == pytest.approx(theirs.params, abs=1e-6)
    assert np.sqrt(np.diag(fit.scales[0])) == pytest.approx(theirs.bse, rel=1e-5)


def test_the_ordinal_effect_is_the_probability_of_mann_and_whitney():
    rng = np.random.default_rng(6)
    value = np.concatenate([rng.integers(0, 4, 30), rng.integers(0, 3, 40)]).astype(float)
    day = np.concatenate([np.arange(-30, 0), np.arange(14, 54)]).astype(float)
    colours = DaySeries("P1", "colour_change", day, value, np.full(70, np.nan), day + 30)
    change = person_change(
        colours, DIARY_OUTCOMES["colour_change"], window=Window(), level=0.9, adjust=RAW, memory=WITHOUT_MEMORY
    )
    u = mannwhitneyu(value[30:], value[:30]).statistic / (30 * 40)
    assert change.estimate == pytest.approx(2 * u - 1, abs=1e-10)


def test_a_bounded_score_cannot_fall_below_its_scale():
    value = np.concatenate([np.array([1.0, 0.0, 2.0] * 4), np.zeros(40)])
    change = person_change(series(value, "rcs", 12), DIARY_OUTCOMES["rcs"], window=Window(), level=0.99, adjust=RAW)
    assert change.before == pytest.approx(1.0, abs=0.2)
    assert change.lower >= -change.before - 1e-9
    assert change.boundary_share > 0.7


def test_no_attack_at_all_after_still_gives_an_interval():
    value = np.concatenate([np.array([2.0, 1.0, 3.0, 0.0] * 7), np.zeros(60)])
    change = person_change(
        series(value, "attacks_n", 28), DIARY_OUTCOMES["attacks_n"], window=Window(), level=0.9, adjust=RAW
    )
    assert -2.2 < change.lower < change.estimate < change.upper < -0.9
    assert 2 * change.ratio[2] > 3 / 49 / 1.5  # the rule of three: 49 days without any leave 3/49 a day open
    assert change.ratio[2] < 0.3


def test_the_season_is_taken_out_and_the_effect_stays():
    """Twelve degrees warmer with −0.15 points a degree, and a true effect of −1: raw says −2, the model −1."""
    rng = np.random.default_rng(12)
    raws, models = [], []
    for _ in range(12):
        outdoor = 6 + 6 * np.sin(2 * np.pi * np.arange(140) / 100)  # up and down again, so that it can be told apart
        value = 6 - 0.15 * (outdoor - 6) - 1.0 * (np.arange(140) >= 60) + rng.normal(0, 0.6, 140)
        one = series(value, "rcs", 50, outdoor)
        outcome, window = DIARY_OUTCOMES["rcs"], Window()
        raws.append(person_change(one, outcome, window=window, level=0.9, adjust=RAW).estimate)
        models.append(person_change(one, outcome, window=window, level=0.9, adjust=Adjustments(season=True)).estimate)
    assert np.mean(models) == pytest.approx(-1.0, abs=0.15)
    assert abs(np.mean(raws) + 1.0) > 0.15


def test_who_began_on_a_bad_day_is_not_called_improved():
    """A flare of 8 days that is at its worst on the first day, a diary of 16 days before, and no effect."""
    rng = np.random.default_rng(13)
    raws, models = [], []
    for _ in range(25):
        flare = np.empty(100)
        flare[0] = 1.5 + abs(rng.normal())
        for k in range(1, 100):
            flare[k] = np.exp(-1 / 8) * flare[k - 1] + np.sqrt(1 - np.exp(-2 / 8)) * rng.normal()
        one = series(np.clip(5 + flare + rng.normal(0, 0.3, 100), 0, 10), "rcs", 16)
        for adjust, kept in ((RAW, raws), (Adjustments(bad_start=True), models)):
            change = person_change(one, DIARY_OUTCOMES["rcs"], window=Window(), level=0.9, adjust=adjust)
            kept.append((change.estimate, change.upper < 0))
    bias = [np.mean([estimate for estimate, _ in kept]) for kept in (raws, models)]
    called = [np.mean([sure for _, sure in kept]) for kept in (raws, models)]
    assert bias[0] < -0.3, bias
    assert abs(bias[1]) < 0.5 * abs(bias[0])
    assert called[1] <= called[0]


def test_too_few_days_on_one_side_give_nothing():
    short = series(np.full(40, 5.0) + np.arange(40) % 2, "rcs", 4)
    assert person_change(short, DIARY_OUTCOMES["rcs"], window=Window(), level=0.9, adjust=RAW) is None


def test_a_score_that_never_moves_has_no_interval():
    change = person_change(
        series(np.full(90, 7.0), "rcs", 28), DIARY_OUTCOMES["rcs"], window=Window(), level=0.9, adjust=RAW
    )
    assert change.estimate == 0.0
    assert np.isnan(change.lower)


def test_a_change_never_takes_more_than_was_written_before():
    """Little pain, wide intervals, a model that puts the level before higher: no end lies below none at all."""
    rng = np.random.default_rng(8)
    day = np.arange(-30, 80).astype(float)
    for seed in range(6):
        value = np.clip(np.rint(6 + 8 * np.random.default_rng(seed).normal(size=day.size) - 4 * (day >= 0)), 0, 100)
        outdoor = 10 + np.cumsum(rng.normal(size=day.size))
        series = DaySeries("P1", "pain_vas", day, value, outdoor, day - day[0])
        for adjust in (Adjustments(), Adjustments(season=True, bad_start=True)):
            found = person_change(series, DIARY_OUTCOMES["pain_vas"], window=Window(), level=0.9, adjust=adjust)
            assert found.written_before == pytest.approx(value[day < 0].mean())
            assert -found.written_before <= found.lower <= found.estimate <= found.upper
            assert 0 <= found.before <= 100
