"""Power for 200 simulated trials a design: how long it takes, and whether the fast estimator agrees with the full one.

The fast estimator is what ``rewarm design`` uses (t-test on people's changes, analysis of covariance, randomisation
test). Beside it the same trials are analysed by a mixed model of all visits with Kenward and Roger's degrees of freedom
(:mod:`rewarm.effects.mixed`), and a few of them by the full Bayesian model as ``rewarm effect`` samples it, which calls
a treatment effective where the 95 % interval of the mean effect at the visits holds no zero. Closed forms (non-central
t) stand beside where they exist.

    python benchmarks/power_of_designs.py --trials 200 --full 60 --sampled 20
"""

from __future__ import annotations

import argparse
import time
from math import sqrt

import numpy as np
import pandas as pd

from rewarm.effects.bayes import Sampling, fit_bayes
from rewarm.effects.draws import interval
from rewarm.effects.frame import FRAME
from rewarm.effects.metrics import outcome_named
from rewarm.effects.mixed import contrast, fit_mixed, random_intercept
from rewarm.effects.model import build_model
from rewarm.effects.power import analyse_trials, power, t_test_power, two_sample_power
from rewarm.effects.trials import Course, Kind, TrialPlan, Trials, Variance, simulate_trials

AT_ONCE = Course(onset_days=0.0, duration_days=float("inf"))
VARIANCE = Variance(person_sd=2.0, noise_sd=1.5)
PEOPLE = {"case_series": 20, "split_limb": 16, "parallel": 60, "n_of_1": 12}


def plan(kind: Kind) -> TrialPlan:
    """Two visits before and three after, or sixteen weeks with a start drawn from seven."""
    weeks = tuple(float(week) for week in range(16))
    if kind == "n_of_1":
        starts = tuple(week + 0.5 for week in range(4, 11))
        return TrialPlan(kind, -1.0, VARIANCE, (), weeks, start_weeks=starts, course=AT_ONCE)
    return TrialPlan(kind, -1.0, VARIANCE, (-2.0, 0.0), (4.0, 8.0, 12.0), course=AT_ONCE)


def exact(kind: Kind) -> float:
    """Power by the non-central t distribution; NaN where there is no closed form."""
    change = 1.5 * sqrt(1 / 2 + 1 / 3)
    if kind == "case_series":
        return t_test_power(-1.0, change, PEOPLE[kind], 0.05)
    if kind == "split_limb":
        return t_test_power(-1.0, sqrt(2) * 1.5 / sqrt(3), PEOPLE[kind], 0.05)
    if kind == "parallel":
        before, after = 4 + 2.25 / 2, 4 + 2.25 / 3
        return two_sample_power(-1.0, sqrt(after - 16 / before), PEOPLE[kind] // 2, 0.05)
    return float("nan")


def full_p(trials: Trials, number: int) -> float:
    """Two-sided p of one trial by the mixed model of all its values."""
    kind, value = trials.plan.kind, trials.value[number]
    people, limbs, visits = value.shape
    person = np.repeat(np.arange(people), limbs * visits)
    after = np.tile(trials.weeks > 0, people * limbs).astype(float)
    treated = np.repeat(trials.treated[number].reshape(-1), visits).astype(float)
    if kind == "n_of_1":
        started = (trials.weeks > trials.start_week[number][:, None]).reshape(-1).astype(float)
        week = np.tile(np.eye(visits), (people, 1))
        x, names = np.column_stack([started, week]), ["effect", *(f"week{k}" for k in range(visits))]
    elif kind == "case_series":
        x, names = np.column_stack([after, np.ones_like(after)]), ["effect", "const"]
    else:
        # without a level of the arms before: chance made them, so that they differ by chance alone
        x, names = np.column_stack([after * treated, np.ones_like(after), after]), ["effect", "const", "after"]
    fit = fit_mixed(value.reshape(-1), x, names, [random_intercept("person", person)])
    return contrast(fit, np.eye(len(names))[0]).p


def as_frame(trials: Trials, number: int) -> pd.DataFrame:
    """One trial as rows that the effects model takes: a limb's value a visit, as that of one toe."""
    value, treated = trials.value[number], trials.treated[number]
    person, limb, visit = (index.reshape(-1) for index in np.indices(value.shape))
    start = trials.start_week[number] if trials.plan.kind == "n_of_1" else np.zeros(len(value))
    day = 7.0 * (trials.weeks[visit] - start[person])
    frame = pd.DataFrame(
        {
            "participant": [f"P{i:03d}" for i in person],
            "visit": [f"V{i:02d}" for i in visit],
            "side": np.array(["left", "right"])[limb],
            "region": "toe1",
            "value": value.reshape(-1),
            "treated": treated[person, limb],
            "day": day,
            "baseline": day <= 0,
            "first_baseline": visit == 0,
            "reached": True,
            "camera": "",
        }
    ).assign(u_shared=0.0, u_own=0.0, ambient_c=np.nan, outdoor_c=np.nan, day_of_year=200.0)
    return frame[list(FRAME)].dropna(subset=["value"])


def sampled_verdict(trials: Trials, number: int) -> bool:
    """Whether the full model's 95 % interval of the mean effect over the visits after holds no zero."""
    frame = as_frame(trials, number)
    data = build_model(frame, outcome_named("auc"), randomised=trials.plan.kind != "case_series")
    draws = fit_bayes(data, sampling=Sampling(chains=2, tune=400, draws=400))
    days = np.unique(frame.loc[frame["treated"] & (frame["day"] > 0), "day"])
    _, low, high = interval(draws.mean_effect(days).mean(axis=1), 0.95)
    return low > 0 or high < 0


def main() -> None:
    """Simulate, analyse, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--full", type=int, default=60, help="trials that the full estimator analyses too")
    parser.add_argument("--sampled", type=int, default=20, help="of these, trials that the sampler analyses too")
    kinds: tuple[Kind, ...] = ("case_series", "split_limb", "parallel", "n_of_1")
    parser.add_argument("--kinds", nargs="+", default=kinds, choices=kinds)
    options = parser.parse_args()
    for kind in options.kinds:
        began = time.perf_counter()
        row = power(plan(kind), PEOPLE[kind], trials=options.trials)
        took = time.perf_counter() - began
        rng = np.random.default_rng(7)
        same = simulate_trials(plan(kind), PEOPLE[kind], options.full, rng)
        fast = analyse_trials(same, rng).p < 0.05
        full = np.array([full_p(same, number) < 0.05 for number in range(options.full)])
        print(
            f"{kind} ({PEOPLE[kind]} people): {took:.1f} s for {options.trials} trials with and without effect; power "
            f"{row.power:.1%} ({row.power_lower:.1%} to {row.power_upper:.1%}), exact {exact(kind):.1%}, false alarms "
            f"{row.false_alarms:.1%}; on {options.full} trials fast {fast.mean():.1%}, full {full.mean():.1%}, "
            f"same verdict {np.mean(fast == full):.1%}",
            flush=True,
        )
        if options.sampled:
            count, began = options.sampled, time.perf_counter()
            sampled = np.array([sampled_verdict(same, number) for number in range(count)])
            print(
                f"  the first {count} by the sampler, too ({(time.perf_counter() - began) / count:.1f} s each): fast "
                f"{fast[:count].mean():.1%}, sampled {sampled.mean():.1%}, same verdict "
                f"{np.mean(fast[:count] == sampled):.1%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
