"""How long an effect takes to compute: three people, a hundred, and two hundred studies by the fast estimator.

Targets on 2 cores: three people × 2 feet × 5 toes × 6 visits in 30 s once compiled, with 400 effective draws and R-hat
of at most 1.01; a hundred people in 5 minutes; two hundred small studies in 10 minutes. The mixed model stands beside
statsmodels' on the same data, which has no degrees of freedom for small samples.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from rewarm.effects.bayes import fit_bayes
from rewarm.effects.draws import interval
from rewarm.effects.fast import fit_fast
from rewarm.effects.frame import analysis_frame
from rewarm.effects.metrics import outcome_named
from rewarm.effects.mixed import contrast, fit_mixed, random_intercept
from rewarm.effects.model import ModelData, build_model
from rewarm.twin.studies import parse_plan, simulate_measurements

PLAN = """
id = "bench"
title = "bench"
seed = 1
[design]
kind = "split_limb"
control = "untreated_limb"
[visits]
weeks = [0, 2, 6, 13, 18, 26]
[[group]]
n = {people}
[toxin]
effect_c = 2.0
side = "random"
"""


def main() -> None:
    for people in (3, 100):
        data = model_of(people)
        fast, seconds = timed(lambda data=data: fit_fast(data))
        print(f"{people} people, fast: {seconds:.1f} s, {words(fast)}")
        for run in ("first, with compiling", "again"):
            full, seconds = timed(lambda data=data: fit_bayes(data))
            print(f"{people} people, sampler, {run}: {seconds:.1f} s, {words(full)}, {dict(full.diagnostics)}")
    _, seconds = timed(lambda: [fit_fast(model_of(3, seed)) for seed in range(20)])
    print(f"200 studies of three people, fast, by 20 of them: {10 * seconds:.0f} s")
    mixed()


def mixed() -> None:
    """REML with Kenward–Roger beside statsmodels' MixedLM, on the same rows."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    data = model_of(20)
    x = np.column_stack([np.ones(len(data.y)), data.after, data.treated, data.after * data.treated])
    names = ["level", "after", "treated", "effect"]
    fit, seconds = timed(lambda: fit_mixed(data.y, x, names, [random_intercept("person", data.person)]))
    found = contrast(fit, np.array([0.0, 0.0, 0.0, 1.0]))
    other, peer = timed(lambda: MixedLM(data.y, x, groups=data.person).fit(reml=True))
    print(f"mixed model, {len(data.y)} rows: {seconds:.2f} s, effect {found.estimate:.4f} with {found.df:.1f} df")
    print(f"statsmodels: {peer:.2f} s, effect {other.fe_params[3]:.4f}, z")


def model_of(people: int, seed: int = 1) -> ModelData:
    tables = simulate_measurements(parse_plan(PLAN.format(people=people)), seed).tables
    outcome = outcome_named("mean")
    frame = analysis_frame(outcome, "toes", tables["measurements"], tables["visits"], tables["injections"])
    return build_model(frame, outcome, randomised=True)


def words(draws: Any) -> str:
    middle, low, high = interval(draws.mean_effect(np.array([42.0]))[:, 0], 0.9)
    return f"effect {middle:.2f} ({low:.2f} to {high:.2f}) °C"


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


if __name__ == "__main__":
    main()
