import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import t as student_t

from rewarm.effects.serial import FAST_DAYS, USUAL_MEMORY, Dependence, Memory, _decay, _gram, fit_serial
from rewarm.errors import InvalidInputError

WITHOUT_MEMORY = Memory((), ())


def step(n: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    day = np.arange(n).astype(float)
    x = np.column_stack([np.ones(n), (day >= n / 2).astype(float)])
    return day, x, x @ [5.0, -2.0] + rng.normal(size=n)


def ar1(rng: np.random.Generator, n: int, tau: float) -> np.ndarray:
    keep = np.exp(-1 / tau)
    e = np.empty(n)
    e[0] = rng.normal()
    for k in range(1, n):
        e[k] = keep * e[k - 1] + np.sqrt(1 - keep**2) * rng.normal()
    return e


def test_without_memory_it_is_ordinary_regression_with_its_t_interval():
    day, x, y = step()
    fit = fit_serial(y, day, x, ["const", "effect"], memory=WITHOUT_MEMORY)
    theirs = sm.OLS(y, x).fit()
    effect = fit.vector(effect=1)
    assert fit.mean(effect) == pytest.approx(theirs.params[1], abs=1e-10)
    assert fit.interval(effect, 0.90) == pytest.approx(tuple(theirs.conf_int(0.10)[1]), abs=1e-7)
    assert fit.cdf(effect, 0.0) == pytest.approx(student_t.cdf(-theirs.tvalues[1], theirs.df_resid), abs=1e-10)


def test_a_known_memory_gives_the_generalised_least_squares_of_statsmodels():
    rng = np.random.default_rng(8)
    day = np.sort(rng.choice(90, 60, replace=False)).astype(float)  # days are missing
    x = np.column_stack([np.ones(60), (day >= 45).astype(float)])
    y = x @ [5.0, -1.0] + rng.normal(size=60)
    tau, own = 5.0, 0.4
    covariance = (1 - own) * np.exp(-np.abs(day[:, None] - day) / tau) + own * np.eye(60)
    theirs = sm.GLS(y, x, sigma=covariance).fit()
    fit = fit_serial(y, day, x, ["const", "effect"], memory=Memory((tau,), (own,), independent=0.0))
    effect = fit.vector(effect=1)
    assert fit.mean(effect) == pytest.approx(theirs.params[1], abs=1e-9)
    assert np.sqrt(effect @ fit.scales[0] @ effect) == pytest.approx(theirs.bse[1], rel=1e-9)


@pytest.mark.parametrize("point", [Dependence(7.0, 0.3, 0.0, 1.0), Dependence(12.0, 0.1, 0.4, 1.0)], ids=str)
def test_two_speeds_and_one_give_the_same_as_the_whole_covariance_inverted(point: Dependence):
    """The banded system beside the dense matrix, with days missing: quadratic forms and determinant."""
    rng = np.random.default_rng(9)
    day = np.sort(rng.choice(90, 50, replace=False)).astype(float)
    gap = np.abs(day[:, None] - day)
    slow = 1 - point.own - point.fast
    v = slow * np.exp(-gap / point.tau_days) + point.fast * np.exp(-gap / FAST_DAYS) + point.own * np.eye(50)
    z = rng.normal(size=(50, 3))
    decays = {tau: _decay(np.diff(day), tau) for tau in (point.tau_days, FAST_DAYS)}
    gram, log_det = _gram(z, decays, point)
    assert gram == pytest.approx(z.T @ np.linalg.solve(v, z), rel=1e-9)
    assert log_det == pytest.approx(np.linalg.slogdet(v)[1], rel=1e-9)


def test_probabilities_of_all_memories_add_up():
    for memory in (Memory(), USUAL_MEMORY, WITHOUT_MEMORY, Memory((6.0,), (0.0,), independent=0.5)):
        assert sum(point.probability for point in memory.points()) == pytest.approx(1.0)


def test_a_flare_of_weeks_under_moods_of_days_is_not_overlooked():
    """Days that remember at two speeds: with one speed, mostly of days, the intervals are shorter than with both."""
    one_speed = Memory(correlation_days=(1.5, 5.0, 15.0, 45.0), independent=0.15)
    rng = np.random.default_rng(12)
    day, x, _ = step(80)
    widths = []
    for _ in range(12):
        y = 5 + ar1(rng, 80, 1.5) + 0.9 * ar1(rng, 80, 15.0)
        fits = [fit_serial(y, day, x, ["const", "effect"], memory=m) for m in (USUAL_MEMORY, one_speed)]
        widths.append([fit.sd(fit.vector(effect=1)) for fit in fits])
    both, one = np.mean(widths, axis=0)
    assert both > 1.05 * one


def test_days_may_come_in_any_order_but_only_once():
    day, x, y = step()
    mixed = np.random.default_rng(1).permutation(40)
    fit, other = (fit_serial(y[at], day[at], x[at], ["const", "effect"]) for at in (np.arange(40), mixed))
    assert fit.means == pytest.approx(other.means)
    with pytest.raises(InvalidInputError, match="one value a day; found several"):
        fit_serial(np.append(y, 1.0), np.append(day, 3.0), np.vstack([x, x[:1]]), ["const", "effect"])


def test_the_weights_follow_the_restricted_likelihood():
    """Two memories, compared with restricted likelihoods written out directly."""
    rng = np.random.default_rng(2)
    day = np.arange(50).astype(float)
    x = np.column_stack([np.ones(50), day >= 25]).astype(float)
    y = ar1(rng, 50, 6.0)

    def reml(v: np.ndarray) -> float:
        inverse = np.linalg.inv(v)
        gram = x.T @ inverse @ x
        beta = np.linalg.solve(gram, x.T @ inverse @ y)
        rest = y - x @ beta
        s2 = rest @ inverse @ rest / 48
        return -0.5 * (np.linalg.slogdet(v)[1] + np.linalg.slogdet(gram)[1] + 48 * np.log(s2))

    fit = fit_serial(y, day, x, ["const", "effect"], memory=Memory((6.0,), (0.0,), independent=0.5))
    gap = np.abs(day[:, None] - day)
    difference = reml(np.exp(-gap / 6.0)) - reml(np.eye(50))
    assert np.log(fit.weights[1] / fit.weights[0]) == pytest.approx(difference, abs=1e-8)


def test_days_that_resemble_each_other_widen_the_interval():
    rng = np.random.default_rng(4)
    day, x, _ = step(80)
    y = 5 + ar1(rng, 80, 8.0)
    honest = fit_serial(y, day, x, ["const", "effect"])
    naive = fit_serial(y, day, x, ["const", "effect"], memory=WITHOUT_MEMORY)
    widths = [np.diff(fit.interval(fit.vector(effect=1), 0.9))[0] for fit in (honest, naive)]
    assert widths[0] > 1.7 * widths[1]


@pytest.mark.parametrize(("tau", "low"), [(0.01, 0.88), (3.0, 0.83)])
def test_intervals_cover_what_they_promise(tau: float, low: float):
    rng = np.random.default_rng(11)
    day, x, _ = step(70)
    hits = naive = 0
    for _ in range(80):
        y = x @ [5.0, -1.0] + ar1(rng, 70, tau)
        for memory in (None, WITHOUT_MEMORY):
            fit = fit_serial(y, day, x, ["const", "effect"], memory=memory)
            lower, upper = fit.interval(fit.vector(effect=1), 0.90)
            inside = lower <= -1.0 <= upper
            hits, naive = hits + (inside and memory is None), naive + (inside and memory is not None)
    assert hits / 80 >= low
    if tau > 1:
        assert naive / 80 < 0.75  # so that the test would notice a memory that does nothing


def test_draws_have_the_distribution_of_the_mixture():
    day, x, y = step()
    fit = fit_serial(y, day, x, ["const", "effect"])
    effect = fit.vector(effect=1)
    draws = fit.draws(40_000, seed=1) @ effect
    assert draws.mean() == pytest.approx(fit.mean(effect), abs=0.01)
    assert np.quantile(draws, [0.05, 0.95]) == pytest.approx(fit.interval(effect, 0.9), abs=0.03)
    assert np.std(draws) == pytest.approx(fit.sd(effect), rel=0.03)


def test_a_wide_prior_changes_nothing_and_a_narrow_one_holds_back():
    day, x, y = step()
    flat = fit_serial(y, day, x, ["const", "effect"])
    wide = fit_serial(y, day, x, ["const", "effect"], prior_sd=np.array([np.inf, 1e4]))
    narrow = fit_serial(y, day, x, ["const", "effect"], prior_sd=np.array([np.inf, 0.1]))
    effect = flat.vector(effect=1)
    assert wide.mean(effect) == pytest.approx(flat.mean(effect), abs=1e-4)
    assert -0.5 < narrow.mean(effect) < 0


def test_too_few_days_and_columns_that_move_together_are_told():
    day, x, y = step(4)
    with pytest.raises(InvalidInputError, match="expected at least 5 days with a value for 2 coefficients; found 4"):
        fit_serial(y, day, x, ["const", "effect"])
    day, x, y = step()
    twice = np.column_stack([x, x[:, 1]])
    with pytest.raises(
        InvalidInputError, match="tell const, effect, load apart; found columns that always move together"
    ):
        fit_serial(y, day, twice, ["const", "effect", "load"])
