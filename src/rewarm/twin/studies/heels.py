"""Pain in high heels: driven by load with carry-over, eased by the toxin, tempted into longer hours, hiding harm.

The same people are simulated again with the same chance in other worlds (without the toxin; with flats on some of the
heel days; both), so that what would have happened is known and not estimated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.twin.studies.diary import Diaries
from rewarm.twin.studies.people import Cohort
from rewarm.twin.studies.plan import HeelsPlan, StudyPlan
from rewarm.twin.studies.treatment import Treatment

Floats = NDArray[np.float64]

LAST_DAYS: Final = 28
"""The worlds are compared over so many days: the last ones before injections, and those from 4 to 8 weeks after."""
_FLAT_MM: Final = 10.0


@dataclass(frozen=True, eq=False)
class Chance:
    """What chance decides, the same in every world; arrays (people, days) but for ``slope`` (people,)."""

    heel_day: NDArray[np.bool_]
    log_hours: Floats
    height_mm: Floats
    pain: Floats
    steps: Floats
    slope: Floats
    order: Floats


@dataclass(frozen=True, eq=False)
class Worn:
    """One world, arrays (people, days): hours and height of heels, carried load (h·dm), harm, pain before the day's
    noise, and as written.
    """

    hours: Floats
    height_mm: Floats
    carried: Floats
    harm: Floats
    expected: Floats
    pain: Floats


def draw_chance(rng: np.random.Generator, plan: StudyPlan, noise: Floats) -> Chance:
    """Draw it; ``noise`` (people, days) is the diary's own noise of pain, SD 1."""
    heels = _heels(plan)
    shape = noise.shape
    order = rng.random(shape)
    return Chance(
        heel_day=order < heels.days_a_week / 7,
        log_hours=heels.hours_sd * rng.normal(size=shape) - heels.hours_sd**2 / 2,
        height_mm=np.clip(np.rint((heels.height_mm + heels.height_sd_mm * rng.normal(size=shape)) / 5) * 5, 20, 150),
        pain=plan.diary.pain_sd * noise,
        steps=np.rint(np.exp(rng.normal(np.log(6500), 0.35, shape)) / 10) * 10,
        slope=heels.pain_per_load * np.clip(1 + heels.slope_sd * rng.normal(size=shape[0]), 0.1, None),
        order=order,
    )


def wear(plan: StudyPlan, chance: Chance, toxin: Floats, other: Floats) -> Worn:
    """Live through the days; ``toxin`` and ``other`` (people, days) are the toxin's course and what else moves pain."""
    heels = _heels(plan)
    people, days = toxin.shape
    planned = chance.heel_day
    hours, carried, harm, expected = (np.zeros((people, days)) for _ in range(4))
    usual_load = heels.hours * heels.height_mm / 100 * heels.days_a_week / 7
    level, hurt = np.full(people, usual_load), np.zeros(people)
    usual = heels.pain_rest + chance.slope * usual_load
    felt = np.array(usual)
    keep = heels.carry_over
    for d in range(days):
        tempted = np.exp(np.clip(heels.temptation * (usual - felt) / 10, -1.5, 1.5))
        hours[:, d] = np.clip(planned[:, d] * heels.hours * np.exp(chance.log_hours[:, d]) * tempted, 0, 16)
        hours[:, d] = np.round(hours[:, d], 1)
        load = hours[:, d] * chance.height_mm[:, d] / 100
        level = keep * level + (1 - keep) * load
        hurt = hurt * np.exp(-1 / heels.harm_heals_days) + heels.harm_per_load * np.maximum(level - heels.tolerated, 0)
        hidden = 1 - heels.harm_hidden * np.clip(toxin[:, d], 0, 1)
        pain = heels.pain_rest + chance.slope * level + heels.harm_felt * hurt * hidden
        pain = np.clip(pain + plan.toxin.pain_change * toxin[:, d] + other[:, d], 0, 100)
        felt = 0.8 * felt + 0.2 * pain
        carried[:, d], harm[:, d], expected[:, d] = level, hurt, pain
    height = np.where(planned, chance.height_mm, _FLAT_MM)
    written = np.clip(np.rint(expected + chance.pain), 0, 100)
    return Worn(hours, np.where(hours > 0, height, np.nan), carried, harm, expected, written)


def with_heels(diaries: Diaries, worn: Worn, chance: Chance) -> Diaries:
    """The diaries with the heels' columns, pain as the heels make it."""
    cells = {
        **diaries.cells,
        "pain_vas": worn.pain,
        "heel_hours": worn.hours,
        "heel_height_mm": worn.height_mm,
        "steps": chance.steps,
    }
    parts = {**diaries.parts, "carried_load": worn.carried, "harm": worn.harm}
    return replace(diaries, cells=cells, expected={**diaries.expected, "pain_vas": worn.expected}, parts=parts)


def other_pain(diaries: Diaries) -> Floats:
    """What moves pain besides load and toxin, (people, days): placebo and flare."""
    return np.asarray(diaries.parts["pain_vas_placebo"] + diaries.parts["pain_vas_flare"])


def worlds_table(
    plan: StudyPlan, cohort: Cohort, treatment: Treatment, diaries: Diaries, chance: Chance
) -> pd.DataFrame:
    """What would have happened: mean pain, load and harm of each person before and after, world by world.

    ``flats_days`` 0 to 7 a week from the injections on, with and without the toxin.
    """
    days = np.broadcast_to(diaries.day, diaries.written.shape)
    since = days - treatment.day[:, None]
    toxin, other = diaries.parts["toxin_course"], other_pain(diaries)
    windows = {"before": (since >= -LAST_DAYS) & (since < 0), "after": (since >= LAST_DAYS) & (since < 2 * LAST_DAYS)}
    usual = wear(plan, chance, toxin, other)
    frames = []
    for with_toxin in (True, False):
        for flats in range(8):
            given = toxin if with_toxin else np.zeros_like(toxin)
            changed = replace(chance, heel_day=_cut(chance, since >= 0, flats)) if flats else chance
            worn = wear(plan, changed, given, other)
            frames.append(_world(cohort, worn, windows["after"], with_toxin, flats))
    before = _world(cohort, usual, windows["before"], False, 0)
    before.insert(1, "window", "before")
    after = pd.concat(frames, ignore_index=True)
    after.insert(1, "window", "after")
    return pd.concat([before, after], ignore_index=True)


def _world(cohort: Cohort, worn: Worn, window: NDArray[np.bool_], toxin: bool, flats: int) -> pd.DataFrame:
    count = np.maximum(window.sum(axis=1), 1)

    def mean(values: Floats) -> Floats:
        return np.where(window.any(axis=1), (values * window).sum(axis=1) / count, np.nan)

    return pd.DataFrame(
        {
            "participant": np.array(cohort.participant, dtype=object),
            "toxin": int(toxin),
            "flats_days": flats,
            "pain_mean": mean(worn.expected),
            "load_mean": mean(worn.carried),
            "heel_hours_mean": mean(worn.hours),
            "harm_mean": mean(worn.harm),
        }
    )


def slopes_table(plan: StudyPlan, cohort: Cohort, chance: Chance) -> pd.DataFrame:
    """Each person's own coefficients of pain against load."""
    heels = _heels(plan)
    return pd.DataFrame(
        {
            "participant": np.array(cohort.participant, dtype=object),
            "pain_rest": heels.pain_rest,
            "pain_per_load": chance.slope,
            "carry_over": heels.carry_over,
            "temptation": heels.temptation,
            "harm_felt": heels.harm_felt,
        }
    )


def _cut(chance: Chance, after: NDArray[np.bool_], flats: int) -> NDArray[np.bool_]:
    """Heel days of which ``flats`` in seven are lived in flats once ``after`` is true; the same days in each world."""
    return chance.heel_day & ~(after & (_shuffled(chance.order) < flats / 7))


def _shuffled(order: Floats) -> Floats:
    """Another uniform draw from the same chance: the digits that decide nothing else."""
    return np.asarray((order * 1e6) % 1.0)


def _heels(plan: StudyPlan) -> HeelsPlan:
    if plan.heels is None:
        raise ValueError("the plan has no heels")
    return plan.heels
