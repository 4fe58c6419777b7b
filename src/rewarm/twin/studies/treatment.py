"""Who is injected where and when, and how that works over time in each person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rewarm.regions import TOES
from rewarm.twin.studies.calendar import Bools, Calendar
from rewarm.twin.studies.people import Cohort
from rewarm.twin.studies.plan import StudyPlan

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Treatment:
    """``day`` (people,) of the injections since enrolment; ``toxin`` and ``placebo`` (people, 2, 5) say which toes were
    injected with what; ``injected`` (people,) whether the person was there to be injected at all.

    ``strength`` (people,) scales every effect of the toxin (0: it does nothing), ``toe`` (people, 2, 5) the warming of
    each toe, toes that were not injected included; ``onset_days`` and ``duration_days`` (people,); ``believes``
    (people,) scales the placebo response, 0 where nothing was injected.
    """

    day: Ints
    toxin: Bools
    placebo: Bools
    injected: Bools
    strength: Floats
    toe: Floats
    onset_days: Floats
    duration_days: Floats
    believes: Floats


def draw_treatment(rng: np.random.Generator, plan: StudyPlan, cohort: Cohort, calendar: Calendar) -> Treatment:
    """Draw sides, starts and responses."""
    toxin, people = plan.toxin, plan.people
    kinds = np.array([group.treatment for group in plan.groups])[cohort.group]
    weeks = rng.choice(toxin.start_weeks, people) if toxin.start_weeks else np.full(people, toxin.week)
    day = np.rint(7 * weeks).astype(np.int64)
    for number, week in enumerate(plan.visits.weeks):  # on the day of the visit, where there is one
        same = weeks == week
        day[same] = calendar.visit_day[same, number]
    injected = (day < calendar.leaves) & (kinds != "none")
    side = {"left": 0, "right": 1}.get(toxin.side)
    one = rng.integers(0, 2, people) if side is None else np.full(people, side)
    sides = np.ones((people, 2), bool) if toxin.side == "both" else np.arange(2) == one[:, None]
    sites = np.isin(TOES, toxin.sites)
    here = sides[:, :, None] & sites & injected[:, None, None]
    beside = ~sides[:, :, None] & sites & injected[:, None, None] & (plan.design.control == "placebo")
    given = (kinds == "toxin")[:, None, None]
    responds = rng.random(people) >= toxin.non_responders
    strength = np.clip(1 + toxin.person_sd * rng.normal(size=people), 0, None) * responds
    toe = np.clip(1 + toxin.toe_sd * rng.normal(size=(people, 2, 5)), 0, None)
    onset = toxin.onset_days * np.exp(toxin.onset_sd * rng.normal(size=people))
    duration = toxin.duration_days * np.exp(toxin.duration_sd * rng.normal(size=people))
    believes = np.clip(1 + plan.placebo.person_sd * rng.normal(size=people), 0, None) * injected
    reach = np.where(here, 1.0, toxin.spill * here.any(axis=(1, 2))[:, None, None]) * given
    return Treatment(
        day=day,
        toxin=here & given,
        placebo=(here & ~given) | (beside & given),
        injected=injected,
        strength=strength * (kinds == "toxin") * injected,
        toe=toe * reach,
        onset_days=onset,
        duration_days=duration,
        believes=believes,
    )


def course(days: Floats | Ints, onset_days: Floats, half_days: Floats, steepness: float) -> Floats:
    """Share of the best effect that is there so many days after the injections; 0 before.

    (1 − exp(−t/onset)) × exp(−ln 2 (t/half)^steepness): a half of it is lost at ``half_days``.
    """
    t = np.maximum(np.asarray(days, dtype=np.float64), 0.0)
    return np.asarray(-np.expm1(-t / onset_days) * np.exp(-np.log(2) * (t / half_days) ** steepness))


def toxin_course(plan: StudyPlan, treatment: Treatment, days: Ints) -> Floats:
    """The course at ``days`` (people, n) since enrolment, times the person's strength."""
    since = days - treatment.day[:, None]
    onset, half = treatment.onset_days[:, None], treatment.duration_days[:, None]
    return np.asarray(treatment.strength[:, None] * course(since, onset, half, plan.toxin.steepness))


def placebo_course(plan: StudyPlan, treatment: Treatment, days: Ints) -> Floats:
    """The same of the placebo response: it sets in, and fades slowly."""
    since = days - treatment.day[:, None]
    shape = course(since, np.asarray(plan.placebo.onset_days), np.asarray(plan.placebo.fade_days), 1.0)
    return np.asarray(treatment.believes[:, None] * shape)
