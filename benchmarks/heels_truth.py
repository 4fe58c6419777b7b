"""Heels: do the estimates hold what is true of people who were simulated elsewhere?

People come from the twin's plans ``heels_heal_or_hide`` and ``would_flats_do``, which live their days by rules that
the estimators do not use (temptation, harm that heals slowly, rounding, flares). Their truth is what happened in other
worlds with the same chance: without the toxin, and with flats on k days a week.

Printed: coverage of 90 % intervals for relief at equal load, observed relief and what flats would have done; masking
by classes of its probability; how often "cannot tell" was said.

    python benchmarks/heels_truth.py --studies 20
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from rewarm.effects.diary_days import Window
from rewarm.effects.heel_effects import heel_effects
from rewarm.twin.studies import SimulatedStudy, read_plan, simulate_measurements

PLANS = Path(__file__).parents[1] / "examples" / "plans"
WINDOW = Window(28, 55)
"""The days over which the twin's worlds are compared."""


def main() -> None:
    """Draw, analyse, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=20)
    options = parser.parse_args()
    for name in ("would_flats_do", "heels_heal_or_hide"):
        began = time.perf_counter()
        people = pd.concat([one_study(name, seed) for seed in range(options.studies)], ignore_index=True)
        took = (time.perf_counter() - began) / options.studies
        print(f"{name}: {options.studies} studies, {len(people)} people, {took:.1f} s a study")
        for column in ("observed_relief", "relief_at_equal_load", "flats_3", "flats_5"):
            told = people[people[f"{column}_lower"].notna()]
            inside = told[f"{column}_true"].between(told[f"{column}_lower"], told[f"{column}_upper"])
            error = (told[column] - told[f"{column}_true"]).mean()
            true = told[f"{column}_true"].mean()
            hold = f"90 % intervals hold {inside.mean():.1%} (n = {len(told)})"
            print(f"  {column}: {hold}, error {error:+.2f} of {true:+.2f}")
        print(f"  cannot tell: {people['relief_at_equal_load'].isna().mean():.1%}")
        groups = pd.cut(people["masking"], [-0.01, 0.2, 0.4, 0.6, 0.8, 1.0])
        for bounds, rows in people.groupby(groups, observed=True):
            said, true = rows["masking"].mean(), rows["masked"].mean()
            print(f"  masking {bounds}: said {said:.2f}, true {true:.2f}, n = {len(rows)}")


def one_study(name: str, seed: int) -> pd.DataFrame:
    """A row a person: what was estimated, and what is true."""
    study = simulate_measurements(read_plan(PLANS / f"{name}.toml"), seed)
    tables = study.tables
    found = heel_effects(
        {"design": {"kind": "case_series"}},
        tables["participants"],
        tables["visits"],
        tables["injections"],
        tables["diary"],
        window=WINDOW,
    )
    assert found is not None
    truth = true_of(study)
    rows = []
    for who in truth.index:
        row: dict[str, float] = dict(truth.loc[who])
        for effect in found.effects:
            if effect.who == who:
                row[effect.estimand] = effect.estimate
                row[f"{effect.estimand}_lower"], row[f"{effect.estimand}_upper"] = effect.lower, effect.upper
        for flat in found.flats:
            if flat.who == who and flat.flats_days in (3, 5):
                name = f"flats_{flat.flats_days}"
                row[name], row[f"{name}_lower"], row[f"{name}_upper"] = flat.change, flat.lower, flat.upper
        rows.append(row)
    return pd.DataFrame(rows)


def true_of(study: SimulatedStudy) -> pd.DataFrame:
    """Relief that was, relief at equal load, what flats would have done, and whether relief masked load; by person."""
    worlds, slopes = study.truth["worlds"], study.truth["load_and_pain"]
    worlds, slopes = worlds.set_index("participant"), slopes.set_index("participant")
    before = worlds[worlds["window"] == "before"]
    after = worlds[worlds["window"] == "after"]
    actual = after[(after["toxin"] == 1) & (after["flats_days"] == 0)]
    untreated = after[after["toxin"] == 0]
    base = untreated[untreated["flats_days"] == 0]
    more = actual["load_mean"] - before["load_mean"]
    observed = actual["pain_mean"] - before["pain_mean"]
    truth = pd.DataFrame(
        {
            "observed_relief_true": observed,
            "relief_at_equal_load_true": observed - slopes["pain_per_load"] * more,
            "masked": ((observed < 0) & (more > 0.1 * before["load_mean"])).astype(float),
        }
    )
    for k in (3, 5):
        flat = untreated[untreated["flats_days"] == k]
        truth[f"flats_{k}_true"] = flat["pain_mean"] - base["pain_mean"]
    return truth.replace([np.inf, -np.inf], np.nan)


if __name__ == "__main__":
    main()
