"""Power and precision of a design, by simulated trials and the fast estimators that the analysis plan names.

Case series and split limb: one-sample t-test on people's changes (of the treated minus the untreated limb); parallel: analysis
of covariance; N-of-1 with a randomised start: randomisation test over the starts that chance could have chosen, with the
estimate of a regression on person and week (Hussey and Hughes 2007, doi 10.1016/j.cct.2006.05.007) and its jackknife over people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nct, norm
from scipy.stats import t as student_t

from rewarm.effects.trials import TrialPlan, Trials, simulate_trials
from rewarm.errors import InvalidInputError

Floats = NDArray[np.float64]

RANDOMISATIONS: Final = 199
"""Starts drawn again for each simulated trial; an analysis of a real one takes more."""
_SWEEPS: Final = 15
LEAST_PEOPLE: Final = {"case_series": 2, "split_limb": 2, "parallel": 5, "n_of_1": 3}


@dataclass(frozen=True, eq=False)
class Analysed:
    """What the analysis says of each trial, arrays (trials,): estimate, standard error, its degrees of freedom, two-sided p."""

    estimate: Floats
    se: Floats
    df: Floats
    p: Floats


@dataclass(frozen=True)
class PowerRow:
    """One design and size. Shares come with Wilson's 95 % interval of the simulation.

    ``power`` is the share of trials called effective (p < alpha, in the helpful direction) with the planned effect,
    ``false_alarms`` the same without any effect, in the same life. ``half_width`` is the mean half-width of the interval,
    ``bias`` the mean error of the estimate, ``coverage`` the share of intervals that hold the truth. ``assurance`` is the power
    averaged over what a pilot leaves open about the effect, NaN without one.
    """

    kind: str
    participants: int
    effect: float
    trials: int
    power: float
    power_lower: float
    power_upper: float
    false_alarms: float
    false_alarms_lower: float
    false_alarms_upper: float
    half_width: float
    bias: float
    coverage: float
    assurance: float
    start_month: float
    baseline_visits: int
    after_visits: int


def power(
    plan: TrialPlan,
    people: int,
    *,
    trials: int = 200,
    alpha: float = 0.05,
    level: float = 0.90,
    seed: int = 1,
    effect_se: float | None = None,
) -> PowerRow:
    """Simulate and analyse ``trials`` trials of ``people`` people, with the effect and without any.

    ``effect_se`` is how unsure a pilot is of the effect: trials are then also drawn over it, for the assurance.

    Raises :class:`InvalidInputError` where the design needs more people.
    """
    least = LEAST_PEOPLE[plan.kind]
    if people < least:
        raise InvalidInputError(
            f"participants: expected at least {least} for {plan.kind}; found {people}. Plan with more people"
        )
    rng = np.random.default_rng([seed, people])
    with_effect = _analyse(plan, people, trials, rng)
    without = _analyse(replace(plan, effect=0.0, variance=replace(plan.variance, effect_sd=0.0)), people, trials, rng)
    truth = simulate_trials(plan, people, 1, rng).truth
    half = student_t.ppf((1 + level) / 2, with_effect.df) * with_effect.se
    called, alarmed = _effective(with_effect, plan, alpha), _effective(without, plan, alpha)
    return PowerRow(
        plan.kind,
        people,
        plan.effect,
        trials,
        float(called.mean()),
        *wilson(int(called.sum()), trials),
        float(alarmed.mean()),
        *wilson(int(alarmed.sum()), trials),
        half_width=float(half.mean()),
        bias=float(with_effect.estimate.mean() - truth),
        coverage=float(np.mean(np.abs(with_effect.estimate - truth) <= half)),
        assurance=float("nan") if effect_se is None else _assurance(plan, people, trials, alpha, effect_se, rng),
        start_month=plan.start_month,
        baseline_visits=len(plan.baseline_weeks),
        after_visits=len(plan.after_weeks),
    )


def smallest_size(rows: Sequence[PowerRow], wanted: float) -> int | None:
    """The smallest number of people whose power reaches ``wanted``, between the sizes tried by straight lines on the probit
    scale against √people; None where none does.
    """
    ordered = sorted(rows, key=lambda row: row.participants)
    for i, row in enumerate(ordered):
        if row.power < wanted:
            continue
        if i == 0:
            return row.participants
        low = ordered[i - 1]
        z = [norm.ppf(np.clip(r.power, 0.5 / r.trials, 1 - 0.5 / r.trials)) for r in (low, row)]
        roots = [sqrt(low.participants), sqrt(row.participants)]
        share = float(np.clip((norm.ppf(wanted) - z[0]) / max(z[1] - z[0], 1e-9), 0, 1))
        return int(np.ceil((roots[0] + share * (roots[1] - roots[0])) ** 2 - 1e-9))
    return None


def t_test_power(effect: float, sd: float, people: int, alpha: float) -> float:
    """Power of a two-sided one-sample t-test: the non-central t distribution, both tails."""
    df, delta = people - 1, effect / sd * sqrt(people)
    limit = float(student_t.ppf(1 - alpha / 2, df))
    return float(nct.sf(limit, df, delta) + nct.cdf(-limit, df, delta))


def two_sample_power(effect: float, sd: float, per_arm: int, alpha: float) -> float:
    """Power of a two-sided t-test between two arms of ``per_arm`` people each."""
    df, delta = 2 * per_arm - 2, effect / sd * sqrt(per_arm / 2)
    limit = float(student_t.ppf(1 - alpha / 2, df))
    return float(nct.sf(limit, df, delta) + nct.cdf(-limit, df, delta))


def wilson(count: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927, doi 10.1080/01621459.1927.10502953)."""
    z = float(norm.ppf((1 + level) / 2))
    share = count / n
    centre, half = share + z**2 / (2 * n), z * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, (centre - half) / (1 + z**2 / n)), min(1.0, (centre + half) / (1 + z**2 / n))


def analyse_trials(trials: Trials, rng: np.random.Generator) -> Analysed:
    """Analyse every trial as its design asks for."""
    if trials.plan.kind == "n_of_1":
        return _randomised_start(trials, rng)
    after = trials.weeks > 0
    before_mean, after_mean = (_mean_over(trials.value[..., visits]) for visits in (~after, after))
    if trials.plan.kind == "parallel":
        return _covariance(before_mean[..., 0], after_mean[..., 0], trials.treated[..., 0])
    change = after_mean - before_mean
    if trials.plan.kind == "split_limb":
        first = trials.treated[..., 0]
        change = np.where(first, change[..., 0] - change[..., 1], change[..., 1] - change[..., 0])
    else:
        change = change[..., 0]
    return _one_sample(change)


def _analyse(plan: TrialPlan, people: int, trials: int, rng: np.random.Generator) -> Analysed:
    return analyse_trials(simulate_trials(plan, people, trials, rng), rng)


def _effective(analysed: Analysed, plan: TrialPlan, alpha: float) -> NDArray[np.bool_]:
    """Called effective: significant, and in the direction of the planned effect (downwards where none is planned)."""
    helpful = -1.0 if plan.effect <= 0 else 1.0
    return (analysed.p < alpha) & (analysed.estimate * helpful > 0)


def _assurance(
    plan: TrialPlan, people: int, trials: int, alpha: float, effect_se: float, rng: np.random.Generator
) -> float:
    """Power over what is not known of the effect, in 20 strata of its distribution."""
    strata = norm.ppf((np.arange(20) + 0.5) / 20)
    each = max(1, trials // 20)
    found = [
        _effective(_analyse(replace(plan, effect=plan.effect + effect_se * z), people, each, rng), plan, alpha)
        for z in strata
    ]
    return float(np.mean(np.concatenate(found)))


def _mean_over(values: Floats) -> Floats:
    """Mean over the last axis of what was seen; NaN where nothing was."""
    seen = np.isfinite(values)
    count = seen.sum(axis=-1)
    total = np.where(seen, values, 0.0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _one_sample(change: Floats) -> Analysed:
    """One-sample t-test of each row, of the people who were seen after."""
    seen = np.isfinite(change)
    n = seen.sum(axis=1)
    mean = np.where(seen, change, 0.0).sum(axis=1) / np.maximum(n, 1)
    square = np.where(seen, (change - mean[:, None]) ** 2, 0.0).sum(axis=1)
    df = np.maximum(n - 1, 1).astype(float)
    se = np.sqrt(square / df / np.maximum(n, 1))
    return _with_p(mean, se, np.where(n >= 2, df, np.nan))


def _covariance(before: Floats, after: Floats, treated: NDArray[np.bool_]) -> Analysed:
    """Analysis of covariance of each row by its normal equations, of the people who were seen after."""
    seen = np.isfinite(after) & np.isfinite(before)
    weight = seen.astype(float)
    n = weight.sum(axis=1)
    centred = np.where(seen, before, 0.0)
    centred = np.where(seen, centred - (centred.sum(axis=1) / np.maximum(n, 1))[:, None], 0.0)
    x = np.stack([weight, treated * weight, centred], axis=-1)
    y = np.where(seen, after, 0.0)
    gram = np.einsum("tni,tnj->tij", x, x)
    inverse = np.linalg.pinv(gram, hermitian=True)
    beta = np.einsum("tij,tnj,tn->ti", inverse, x, y)
    df = n - 3
    rest = y - np.einsum("tni,ti->tn", x, beta)
    se = np.sqrt((rest**2).sum(axis=1) / np.maximum(df, 1) * inverse[:, 1, 1])
    return _with_p(beta[:, 1], se, np.where(df >= 1, df, np.nan))


def _randomised_start(trials: Trials, rng: np.random.Generator) -> Analysed:
    """Regression on person and week, randomisation p, standard error by leaving out each person."""
    value = trials.value[:, :, 0, :]
    seen = np.isfinite(value)
    y = np.where(seen, value, 0.0)
    n_trials, people, _ = y.shape
    estimates = _within(y, seen, trials.start_week, trials.weeks)
    drawn = rng.choice(trials.plan.start_weeks, size=(RANDOMISATIONS, n_trials, people))
    chance = np.stack([_within(y, seen, starts, trials.weeks) for starts in drawn])
    p = (1 + (np.abs(chance) >= np.abs(estimates) - 1e-12).sum(axis=0)) / (1 + RANDOMISATIONS)
    left_out = np.stack(
        [
            _within(y[:, keep], seen[:, keep], trials.start_week[:, keep], trials.weeks)
            for keep in (np.arange(people) != i for i in range(people))
        ]
    )
    se = np.sqrt((people - 1) / people * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    return Analysed(estimates, se, np.full(n_trials, float(people - 1)), p)


def _within(y: Floats, seen: NDArray[np.bool_], start: Floats, weeks: Floats) -> Floats:
    """Effect of having started, with a level for each person and each week, (trials,); 0 where all started together."""
    started = np.where(seen, (weeks > start[..., None]).astype(float), 0.0)
    rest = _swept(started, seen)
    size = (rest**2).sum(axis=(1, 2))
    return np.where(size > 1e-9, (rest * y).sum(axis=(1, 2)) / np.maximum(size, 1e-9), 0.0)


def _swept(x: Floats, seen: NDArray[np.bool_]) -> Floats:
    """Residuals of x after a mean for each person and each week; one sweep where nothing is missing, else to convergence."""
    by_person = np.maximum(seen.sum(axis=2, keepdims=True), 1)
    by_week = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    for _ in range(1 if seen.all() else _SWEEPS):
        x = np.where(seen, x - x.sum(axis=2, keepdims=True) / by_person, 0.0)
        x = np.where(seen, x - x.sum(axis=1, keepdims=True) / by_week, 0.0)
    return x


def _with_p(estimate: Floats, se: Floats, df: Floats) -> Analysed:
    with np.errstate(invalid="ignore", divide="ignore"):
        p = 2 * student_t.sf(np.abs(estimate / se), df)
    return Analysed(estimate, se, df, np.where(np.isfinite(p), p, 1.0))
