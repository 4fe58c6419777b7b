"""Heels: do the estimates hold what is true of people who were simulated elsewhere?

People come from the twin's plans ``heels_heal_or_hide`` and ``would_flats_do``, which live their days by rules that
the estimators do not use (temptation, harm that heals slowly, rounding, flares). Every estimate is held against what
it claims:

- relief: what the toxin and the load did between the days before and the window, without the flares, which the
  interval counts as chance. The mean of these very days, flares included, is printed beside it;
- flats: what the same person, untreated, would have felt in the window with flats on k days a week, heels worn as
  before on the other days; beside it the same with temptation, which the estimate leaves out by its own words;
- masking: whether pain of these days fell while load rose by a tenth, or while the probability of numbness (written by
  this benchmark from the hidden harm) rose by a tenth.

    python benchmarks/heels_truth.py --studies 200 --people 3
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.effects.diary_days import Window
from rewarm.effects.heel_effects import HeelsResult, heel_effects
from rewarm.effects.rows import GROUP
from rewarm.twin.studies import heels, read_plan
from rewarm.twin.studies.draw import Drawn, draw_study, study_tables
from rewarm.twin.studies.plan import HeelsPlan, StudyPlan

Floats = NDArray[np.float64]

PLANS = Path(__file__).parents[1] / "examples" / "plans"
WINDOW = Window(28, 55)
"""The days over which the twin's worlds are compared."""
WORLDS = {
    "would_flats_do": ("would_flats_do", None),
    "no harm": ("heels_heal_or_hide", 0.0),
    "weak harm": ("heels_heal_or_hide", 0.02),
    "strong harm": ("heels_heal_or_hide", 0.15),
}
COMPARED = (
    ("observed_relief", "observed_relief_true"),
    ("observed_relief", "observed_relief_with_flares"),
    ("relief_at_equal_load", "relief_at_equal_load_true"),
    ("flats_3", "flats_3_true"),
    ("flats_5", "flats_5_true"),
    ("flats_3", "flats_3_tempted"),
    ("flats_5", "flats_5_tempted"),
)


def main() -> None:
    """Draw, analyse, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=20)
    parser.add_argument("--people", type=int, default=12, help="in each study")
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--worlds", nargs="*", default=list(WORLDS), choices=list(WORLDS))
    options = parser.parse_args()
    for number, name in enumerate(options.worlds):
        began = time.process_time()
        people, groups = one_world(name, options.studies, options.people, options.seed + number)
        took = (time.process_time() - began) / options.studies
        print(f"{name}: {options.studies} studies of {options.people} people, {took:.2f} s of CPU a study")
        for column, true in COMPARED:
            print(f"  {covered(people, column, true)}")
        for column in ("observed_relief", "relief_at_equal_load", "flats_3", "flats_5"):
            print(f"  group: {covered(groups, column, f'{column}_true')}")
        print(f"  cannot tell: {people['relief_at_equal_load'].isna().mean():.1%}")
        print(f"  masking: said {people['masking'].mean():.2f}, true {people['masked'].mean():.2f}")
        for bounds, rows in people.groupby(pd.cut(people["masking"], [-0.01, 0.2, 0.4, 0.6, 0.8, 1.0]), observed=True):
            print(f"    {bounds}: said {rows['masking'].mean():.2f}, true {rows['masked'].mean():.2f}, n = {len(rows)}")


def covered(rows: pd.DataFrame, column: str, true: str) -> str:
    """How many 90 % intervals hold the truth, in words."""
    told = rows[rows[f"{column}_lower"].notna()]
    inside = told[true].between(told[f"{column}_lower"], told[f"{column}_upper"])
    width = (told[f"{column}_upper"] - told[f"{column}_lower"]).median()
    error = (told[column] - told[true]).mean()
    return (
        f"{column} against {true}: {inside.mean():.1%} (n = {len(told)}), error {error:+.2f} of "
        f"{told[true].mean():+.2f}, half width {width / 2:.1f}"
    )


def one_world(name: str, studies: int, size: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(a row a person, a row a study): what was estimated, and what is true. All people are drawn at once."""
    plan_name, harm = WORLDS[name]
    plan = read_plan(PLANS / f"{plan_name}.toml")
    assert plan.heels is not None
    if harm is not None:
        plan = replace(plan, heels=replace(plan.heels, harm_per_load=harm))
    plan = replace(plan, groups=(replace(plan.groups[0], n=studies * size),))
    drawn = draw_study(plan, seed)
    tables = study_tables(drawn)
    worn, symptoms = lived(plan, drawn)
    truth = true_of(plan, drawn, worn, symptoms)
    numb = np.random.default_rng(seed).random(symptoms.shape) < symptoms
    assert drawn.diaries is not None
    people_at, days_at = np.nonzero(drawn.diaries.written)
    diary = tables["diary"].assign(numbness=np.where(numb[people_at, days_at], "some", "no"))
    ids, rows, groups = list(truth.index), [], []
    for first in range(0, len(ids), size):
        who = ids[first : first + size]
        own = {key: table[table["participant"].isin(who)] for key, table in {**tables, "diary": diary}.items()}
        found = heel_effects(
            {"design": {"kind": "case_series"}},
            own["participants"],
            own["visits"],
            own["injections"],
            own["diary"],
            window=WINDOW,
        )
        assert found is not None
        rows += [{**truth.loc[one], **told_of(found, one)} for one in who]
        groups.append({**truth.loc[who].mean(), **told_of(found, GROUP)})
    return pd.DataFrame(rows), pd.DataFrame(groups)


def told_of(found: HeelsResult, who: str) -> dict[str, float]:
    """What one person (or the group) was told."""
    row: dict[str, float] = {}
    for effect in found.effects:
        if effect.who == who:
            row[effect.estimand] = effect.estimate
            row[f"{effect.estimand}_lower"], row[f"{effect.estimand}_upper"] = effect.lower, effect.upper
    for flat in found.flats:
        if flat.who == who and flat.flats_days in (3, 5):
            name = f"flats_{flat.flats_days}"
            row[name], row[f"{name}_lower"], row[f"{name}_upper"] = flat.change, flat.lower, flat.upper
    return row


def lived(plan: StudyPlan, drawn: Drawn) -> tuple[heels.Worn, Floats]:
    """The world that was, and each day's probability of numbness in it, which follows the hidden harm."""
    assert drawn.diaries is not None
    assert drawn.chance is not None
    worn = heels.wear(plan, drawn.chance, drawn.diaries.parts["toxin_course"], heels.other_pain(drawn.diaries))
    return worn, np.clip(0.05 + 0.05 * worn.harm, 0.0, 0.95)


def true_of(plan: StudyPlan, drawn: Drawn, worn: heels.Worn, symptoms: Floats) -> pd.DataFrame:
    """Relief, relief at equal load, what flats would have done, and whether relief masked load or harm; by person."""
    assert drawn.diaries is not None
    assert drawn.chance is not None
    assert plan.heels is not None
    diaries, chance = drawn.diaries, drawn.chance
    since = np.broadcast_to(diaries.day, diaries.written.shape) - drawn.treatment.day[:, None]
    before, after = since < 0, (since >= WINDOW.first) & (since <= WINDOW.last)

    def change(values: Floats) -> Floats:
        sums = [(values * side).sum(axis=1) / side.sum(axis=1) for side in (after, before)]
        return np.asarray(sums[0] - sums[1])

    load, usual = change(worn.carried), (worn.carried * before).sum(axis=1) / before.sum(axis=1)
    with_flares = change(worn.expected)
    observed = with_flares - change(diaries.parts["pain_vas_flare"])
    rose = (load > 0.1 * usual) | (change(symptoms) > 0.1)
    truth = pd.DataFrame(
        {
            "observed_relief_true": observed,
            "observed_relief_with_flares": with_flares,
            "relief_at_equal_load_true": observed - chance.slope * load,
            "masked": ((with_flares < 0) & rose).astype(float),
        },
        index=list(drawn.cohort.participant),
    )
    for word, temptation in (("true", 0.0), ("tempted", plan.heels.temptation)):
        own: HeelsPlan = replace(plan.heels, temptation=temptation)
        world = replace(plan, heels=own)
        worlds = heels.worlds_table(world, drawn.cohort, drawn.treatment, diaries, chance)
        worlds = worlds[(worlds["window"] == "after") & (worlds["toxin"] == 0)]
        pain = worlds.pivot_table(index="participant", columns="flats_days", values="pain_mean")
        for k in (3, 5):
            truth[f"flats_{k}_{word}"] = (pain[k] - pain[0]).loc[truth.index]
    return truth


if __name__ == "__main__":
    main()
