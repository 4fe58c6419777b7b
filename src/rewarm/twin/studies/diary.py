"""Diaries: bounded scores, over-dispersed counts, serial dependence, and days that nobody wrote down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.twin.studies.calendar import Bools, Calendar, remembering
from rewarm.twin.studies.people import Cohort
from rewarm.twin.studies.plan import REFERENCE_OUTDOOR_C, StudyPlan
from rewarm.twin.studies.severity import severity
from rewarm.twin.studies.treatment import Treatment, placebo_course, toxin_course

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_WARM_OUTDOOR_C: Final = 25.0
"""Attacks fall no further on warmer days."""
_SWELLING_MM: Final = 4.0
_SWELLING_DAYS: Final = 9.0
_TAPE_MM: Final = 2.0
"""SD of a figure-of-eight tape reading, mm: a real change is over 5 mm."""


@dataclass(frozen=True, eq=False)
class Diaries:
    """Every planned day of everybody; arrays (people, days). ``day`` (days,) counts from enrolment.

    ``expected`` holds the mean of each score or count before the day's own noise, and ``parts`` what moved it; both are
    truth. ``written`` says which days were filled in, ``cells`` what stands there. ``pain_noise`` is the day's own, of
    SD 1.
    """

    day: Ints
    written: Bools
    cells: Mapping[str, NDArray[np.generic]]
    expected: Mapping[str, Floats]
    parts: Mapping[str, Floats]
    pain_noise: Floats


def draw_diaries(
    rng: np.random.Generator,
    plan: StudyPlan,
    cohort: Cohort,
    calendar: Calendar,
    treatment: Treatment,
    flare: Floats,
    day: Ints,
) -> Diaries:
    """Draw all columns that a diary may have; ``flare`` (people, days) at ``day`` (days,)."""
    shape = (plan.people, day.size)
    days = np.broadcast_to(day, shape)
    toxin, placebo = toxin_course(plan, treatment, days), placebo_course(plan, treatment, days)
    parts = _parts(plan, calendar.outdoor_on(days), flare, toxin, placebo)
    level = {"rcs": cohort.rcs, "pain_vas": cohort.pain, "cold_intolerance": cohort.cold}
    expected = {
        name: np.clip(own[:, None] + sum(v for key, v in parts.items() if key.startswith(f"{name}_")), 0, scale)
        for (name, own), scale in zip(level.items(), (10, 100, 100), strict=True)
    }
    expected["attacks_n"] = _attacks(cohort, parts)
    noise = {
        name: _serial(rng, shape, plan.diary.serial) for name in ("rcs", "pain_vas", "cold_intolerance", "attacks")
    }
    cells: dict[str, NDArray[np.generic]] = {
        "rcs": np.clip(np.rint(expected["rcs"] + plan.diary.rcs_sd * noise["rcs"]), 0, 10),
        "pain_vas": np.clip(np.rint(expected["pain_vas"] + plan.diary.pain_sd * noise["pain_vas"]), 0, 100),
    }
    spread = 0.2
    rate = expected["attacks_n"] * np.exp(spread * noise["attacks"] - spread**2 / 2)
    shape_of = plan.diary.dispersion
    attacks = rng.poisson(rate * rng.gamma(shape_of, 1 / shape_of, shape))
    cells["attacks_n"] = np.minimum(attacks, 100)
    cells["attack_minutes"] = np.minimum(np.rint(attacks * rng.gamma(4.0, 3.5, shape)), 1440)
    cells["numbness"] = _words(rng, expected["rcs"], ("no", "some", "much"))
    cells["tingling"] = _words(rng, expected["rcs"], ("no", "some", "much"))
    cells["colour_change"] = _colours(rng, attacks, expected["rcs"])
    cold = expected["cold_intolerance"] + plan.diary.pain_sd * noise["cold_intolerance"]
    cells["cold_intolerance"] = np.clip(np.rint(cold), 0, 100)
    cells["swelling_mm"] = _swelling(rng, treatment, days)
    written = ~_gaps(rng, shape, plan.diary.missing, plan.diary.missing_run) & (days < calendar.leaves[:, None])
    return Diaries(day, written, cells, expected, parts, noise["pain_vas"])


def _parts(plan: StudyPlan, outdoor_c: Floats, flare: Floats, toxin: Floats, placebo: Floats) -> dict[str, Floats]:
    """What moves each score, in its own points; attacks in logarithms, but for the placebo's."""
    vary, weather = plan.variation, plan.outdoor
    season = weather.rcs_share * (severity(outdoor_c) - severity(np.asarray(REFERENCE_OUTDOOR_C)))
    warm = np.minimum(outdoor_c, _WARM_OUTDOOR_C) - REFERENCE_OUTDOOR_C
    pain_season = np.zeros_like(season) if plan.heels else 9 * season
    return {
        "toxin_course": toxin,
        "placebo_course": placebo,
        "rcs_toxin": plan.toxin.rcs_change * toxin,
        "rcs_placebo": plan.placebo.rcs_change * placebo,
        "rcs_season": season,
        "rcs_flare": vary.flare_rcs * flare,
        "log_attacks_toxin": np.log(plan.toxin.attacks_factor) * toxin,
        "log_attacks_season": weather.attacks_per_c * warm,
        "log_attacks_flare": vary.flare_attacks * flare - vary.flare_attacks**2 / 2,
        "attacks_placebo": plan.placebo.attacks_change * placebo,
        "pain_vas_toxin": plan.toxin.pain_change * toxin,
        "pain_vas_placebo": plan.placebo.pain_change * placebo,
        "pain_vas_season": pain_season,
        "pain_vas_flare": vary.flare_pain * flare,
        "cold_intolerance_toxin": plan.toxin.cold_change * toxin,
        "cold_intolerance_placebo": plan.placebo.cold_change * placebo,
        "cold_intolerance_season": 11 * season,
        "cold_intolerance_flare": vary.flare_pain * flare,
    }


def _attacks(cohort: Cohort, parts: Mapping[str, Floats]) -> Floats:
    """Expected attacks a day; the placebo's change adds, everything else multiplies."""
    logs = parts["log_attacks_toxin"] + parts["log_attacks_season"] + parts["log_attacks_flare"]
    rate = cohort.attacks[:, None] * np.exp(logs) + parts["attacks_placebo"]
    return np.asarray(np.maximum(rate, 0.02))


def _serial(rng: np.random.Generator, shape: tuple[int, int], correlation: float) -> Floats:
    """Noise of SD 1 whose neighbours correlate by ``correlation``."""
    if correlation <= 0:
        return rng.normal(size=shape)
    return remembering(rng, shape, -1 / float(np.log(correlation)))


def _words(rng: np.random.Generator, rcs: Floats, words: tuple[str, str, str]) -> NDArray[np.generic]:
    """Ordered words whose odds rise with the day's severity (cumulative logit)."""
    latent = 0.6 * (rcs - 5) + rng.logistic(size=rcs.shape)
    return np.asarray(np.array(words, dtype=object)[(latent > -1).astype(int) + (latent > 2)])


def _colours(rng: np.random.Generator, attacks: Ints, rcs: Floats) -> NDArray[np.generic]:
    """White alone, or blue and red after it, the worse the more; nothing on a day without an attack."""
    latent = 0.5 * (rcs - 5) + rng.logistic(size=rcs.shape)
    phases = 1 + (latent > 0).astype(int) + (latent > 1.5)
    return np.array(["", "white", "white;blue", "white;blue;red"], dtype=object)[np.where(attacks > 0, phases, 0)]


def _swelling(rng: np.random.Generator, treatment: Treatment, days: Ints) -> Floats:
    """Taped once a week: up for some days after injections, whatever was in them; NaN on other days."""
    since = days - treatment.day[:, None]
    rise = _SWELLING_MM * np.exp(-np.maximum(since, 0) / _SWELLING_DAYS) * (since >= 0) * treatment.injected[:, None]
    taped = np.rint(rise + _TAPE_MM * rng.normal(size=days.shape))
    return np.where(days % 7 == 0, taped, np.nan)


def _gaps(rng: np.random.Generator, shape: tuple[int, int], share: float, run: float) -> Bools:
    """Days not filled in: gaps of mean length ``run`` that make up ``share`` of all days (a two-state chain)."""
    missing = np.zeros(shape, dtype=bool)
    if share <= 0:
        return missing
    run = max(run, share / (1 - share))  # shorter gaps could not make up so large a share
    stay, begin = 1 - 1 / run, share / (1 - share) / run
    chance = rng.random(shape)
    missing[:, 0] = chance[:, 0] < share
    for d in range(1, shape[1]):
        missing[:, d] = chance[:, d] < np.where(missing[:, d - 1], stay, begin)
    return missing


HEEL_COLUMNS: Final = ("pain_vas", "heel_hours", "heel_height_mm", "steps")


def diary_table(plan: StudyPlan, cohort: Cohort, calendar: Calendar, diaries: Diaries) -> pd.DataFrame:
    """``diary.csv``: the days that were written down, in the plan's columns and the heels'."""
    people, at = np.nonzero(diaries.written)
    dates = calendar.enrolled[people] + diaries.day[at].astype("timedelta64[D]")
    columns = [*plan.diary.columns, *(HEEL_COLUMNS if plan.heels else ())]
    return pd.DataFrame(
        {
            "participant": np.array(cohort.participant, dtype=object)[people],
            "date": dates.astype("datetime64[s]"),
            **{name: diaries.cells[name][people, at] for name in dict.fromkeys(columns)},
        }
    )


def diary_truth(cohort: Cohort, calendar: Calendar, diaries: Diaries, outdoor_c: Floats) -> pd.DataFrame:
    """Every day of everybody, written down or not: what was expected, and what moved it."""
    people, days = diaries.written.shape
    return pd.DataFrame(
        {
            "participant": np.repeat(np.array(cohort.participant, dtype=object), days),
            "date": (calendar.enrolled[:, None] + diaries.day.astype("timedelta64[D]")).reshape(-1),
            "day": np.tile(diaries.day, people),
            "outdoor_c": outdoor_c.reshape(-1),
            "written": diaries.written.reshape(-1).astype(int),
            **{f"{name}_expected": values.reshape(-1) for name, values in diaries.expected.items()},
            **{name: np.broadcast_to(values, (people, days)).reshape(-1) for name, values in diaries.parts.items()},
        }
    )
