"""A trial like one that was published (46 against 44, one winter, both arms one attack a day fewer): what do we say?

Studies are drawn by the twin's plan ``examples/plans/like_a_winter_trial_46_vs_44.toml`` (placebo and enrolment at the
worst, no effect of the toxin), which shares no code with the estimators. A between-arm effect must be claimed rarely:
at most 5 % of two-sided 95 % intervals may leave 0 out, half of them on the helpful side. The change within the
treated arm is printed beside, because that is what an uncontrolled series would have reported.

    python benchmarks/like_a_winter_trial.py --studies 200
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp

from rewarm.effects.diaries import diary_effects
from rewarm.effects.power import wilson
from rewarm.twin.studies import read_plan, simulate_measurements

PLAN = Path(__file__).parents[1] / "examples" / "plans" / "like_a_winter_trial_46_vs_44.toml"


def paired(tables: Mapping[str, pd.DataFrame], outcome: str) -> tuple[float, float]:
    """Mean change and p of the treated arm, as an uncontrolled series would have reported it."""
    shots = tables["injections"].groupby("participant").agg(start=("date", "min"), units=("units_u", "sum"))
    days = tables["diary"].merge(shots[shots["units"] > 0], left_on="participant", right_index=True)
    since = (days["date"] - days["start"]).dt.days
    means = [days[part].groupby("participant")[outcome].mean() for part in (since < 0, since.between(14, 84))]
    change = (means[1] - means[0]).dropna()
    return float(change.mean()), float(ttest_1samp(change, 0.0).pvalue)


def main() -> None:
    """Draw, analyse, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--outcome", default="attacks_n")
    options = parser.parse_args()
    plan = read_plan(PLAN)
    settings = {"design": {"kind": "parallel", "control": "placebo", "randomised": True}}
    beside, within, began = [], [], time.perf_counter()
    for seed in range(options.studies):
        tables = simulate_measurements(plan, seed).tables
        found = diary_effects(
            settings,
            tables["participants"],
            tables["visits"],
            tables["injections"],
            tables["diary"],
            outcomes=[options.outcome],
            level=0.95,
            estimands=["effect_vs_control"],
        )
        beside.append(found.effects[0].effect)
        within.append(paired(tables, options.outcome))
    took = (time.perf_counter() - began) / options.studies
    helpful = sum(effect.upper < 0 for effect in beside)
    harmful = sum(effect.lower > 0 for effect in beside)
    none = options.studies - helpful - harmful
    low, high = wilson(none, options.studies)
    print(f"{options.studies} studies, {options.outcome}, {took:.2f} s each")
    print(f"treated arm alone, paired t-test: {np.mean([change for change, _ in within]):+.2f}, ", end="")
    print(f"p < 0.05 in {np.mean([p < 0.05 for _, p in within]):.0%} of the studies")
    print(f"toxin beside placebo: {np.mean([e.estimate for e in beside]):+.3f}")
    print(f"no between-arm effect: {none / options.studies:.1%} ({low:.1%} to {high:.1%}; expected 95 %)")
    print(f"called effective: {helpful / options.studies:.1%}, called harmful: {harmful / options.studies:.1%}")


if __name__ == "__main__":
    main()
