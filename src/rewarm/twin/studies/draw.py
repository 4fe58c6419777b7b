"""Draw a whole study in memory from its plan: people, visits, weather, effects, diaries, and their truth.

Each part draws from its own stream of the seed, so that a plan with a diary has the same temperatures as without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.twin.studies import folder_tables, heels, truth
from rewarm.twin.studies.calendar import LEAD_DAYS, Calendar, draw_calendar, room_of
from rewarm.twin.studies.diary import Diaries, diary_table, diary_truth, draw_diaries
from rewarm.twin.studies.measuring import CameraErrors, draw_errors, measurement_rows
from rewarm.twin.studies.people import Cohort, draw_cohort, draw_flare
from rewarm.twin.studies.physiology import (
    Bodies,
    draw_bodies,
    effect_over_time,
    physiological_rest,
)
from rewarm.twin.studies.plan import StudyPlan
from rewarm.twin.studies.rest import RestTruth, rest_truth
from rewarm.twin.studies.treatment import Treatment, draw_treatment

Floats = NDArray[np.float64]

_STREAMS: Final = (
    *("calendar", "weather", "people", "treatment", "room", "flare", "rest", "camera", "diary", "heels", "events"),
    *("physiology", "pictures"),
)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Everything that was drawn, before it becomes tables; ``flare`` (people,) is the one at enrolment."""

    plan: StudyPlan
    seed: int
    cohort: Cohort
    calendar: Calendar
    treatment: Treatment
    rest: RestTruth
    bodies: Bodies | None
    errors: CameraErrors
    flare: Floats
    diaries: Diaries | None
    chance: heels.Chance | None
    events: pd.DataFrame


@dataclass(frozen=True, eq=False)
class SimulatedStudy:
    """A study in memory.

    ``tables`` maps the study folder's tables (``participants``, ``visits``, ``injections``, ``diary``, ``events``,
    ``measurements``; those that the plan asks for) to frames in the columns of the contract: dates as datetime64,
    empty cells as NaN or "". ``truth`` maps the files of ``truth/`` to frames, made when first asked for; the README of
    a written study names their columns.
    """

    plan: StudyPlan
    seed: int
    tables: Mapping[str, pd.DataFrame]
    drawn: Drawn

    @cached_property
    def truth(self) -> Mapping[str, pd.DataFrame]:
        """What is true, by the name of its file in ``truth/``."""
        return truth_tables(self.drawn)


def simulate_measurements(plan: StudyPlan, seed: int | None = None) -> SimulatedStudy:
    """Draw the study without pictures: ``measurements`` comes straight from the truth and the measurement model.

    ``seed`` in place of the plan's. Rows at rest, for each scan and side: ``mean`` (degC) of toe1..toe5, ball, arch and
    heel, and ``distal_proximal_difference`` (delta_degC, toe − arch) of each toe; with ``u`` as rewarm states it, the
    part common to a picture included in the first and not in the second.
    """
    drawn = draw_study(plan, plan.seed if seed is None else seed)
    rows = measurement_rows(plan, drawn.cohort, drawn.calendar, drawn.rest, drawn.errors)
    return SimulatedStudy(plan, drawn.seed, {**study_tables(drawn), "measurements": rows}, drawn)


def draw_study(plan: StudyPlan, seed: int) -> Drawn:
    """Draw everything but pictures."""
    streams = np.random.SeedSequence(seed).spawn(len(_STREAMS))
    rng = {name: np.random.default_rng(stream) for name, stream in zip(_STREAMS, streams, strict=True)}
    calendar = draw_calendar(rng["calendar"], rng["weather"], plan)
    cohort = draw_cohort(rng["people"], plan)
    treatment = draw_treatment(rng["treatment"], plan, cohort, calendar)
    calendar = replace(calendar, ambient_c=room_of(rng["room"], plan, calendar, treatment.day))
    last = max(int(calendar.visit_day.max()), plan.diary.days_after)
    flare = draw_flare(rng["flare"], plan, np.arange(-LEAD_DAYS, last + 1))
    at_visits = np.take_along_axis(flare, calendar.visit_day + LEAD_DAYS, axis=1)
    bodies = None
    if plan.physiological:
        bodies = draw_bodies(rng["physiology"], plan, cohort.group, calendar, treatment, at_visits)
        rest = physiological_rest(bodies)
    else:
        rest = rest_truth(rng["rest"], plan, cohort, calendar, treatment, at_visits)
    diaries, chance = None, None
    if plan.diary.columns or plan.heels:
        day = np.arange(-plan.diary.days_before, plan.diary.days_after + 1)
        written = flare[:, LEAD_DAYS + day]
        diaries = draw_diaries(rng["diary"], plan, cohort, calendar, treatment, written, day)
    if plan.heels and diaries is not None:
        chance = heels.draw_chance(rng["heels"], plan, diaries.pain_noise)
        worn = heels.wear(plan, chance, diaries.parts["toxin_course"], heels.other_pain(diaries))
        diaries = heels.with_heels(diaries, worn, chance)
    return Drawn(
        plan=plan,
        seed=seed,
        cohort=cohort,
        calendar=calendar,
        treatment=treatment,
        rest=rest,
        bodies=bodies,
        errors=draw_errors(rng["camera"], plan),
        flare=flare[:, LEAD_DAYS],
        diaries=diaries,
        chance=chance,
        events=folder_tables.events_table(rng["events"], plan, cohort, calendar, treatment),
    )


def study_tables(drawn: Drawn) -> dict[str, pd.DataFrame]:
    """The tables of the study folder, without scans and measurements; an empty one is left out."""
    plan, cohort, calendar = drawn.plan, drawn.cohort, drawn.calendar
    tables = {
        "participants": folder_tables.participants_table(plan, cohort),
        "visits": folder_tables.visits_table(plan, cohort, calendar),
        "injections": folder_tables.injections_table(plan, cohort, calendar, drawn.treatment),
        "events": drawn.events,
    }
    if drawn.diaries is not None:
        tables["diary"] = diary_table(plan, cohort, calendar, drawn.diaries)
    return {name: table for name, table in tables.items() if not table.empty}


def truth_tables(drawn: Drawn) -> dict[str, pd.DataFrame]:
    """The tables of ``truth/`` that do not need pictures."""
    plan, cohort, calendar = drawn.plan, drawn.cohort, drawn.calendar
    effect = truth.plain_effect(plan, drawn.treatment)
    if plan.mechanistic and drawn.bodies is not None:
        effect = truth.daily(*effect_over_time(drawn.bodies, plan, drawn.treatment))
    toes = truth.toes_truth(plan, cohort, calendar, drawn.treatment, drawn.rest)
    tables = {
        "people": truth.people_truth(plan, cohort, drawn.treatment, drawn.flare, effect),
        "course": truth.course_truth(cohort, effect, int(calendar.visit_day.max())),
        "toes": toes,
        "visits": truth.visits_truth(toes),
        "scans": truth.scans_truth(plan, cohort, calendar, drawn.errors),
    }
    if drawn.diaries is not None:
        days = np.broadcast_to(drawn.diaries.day, drawn.diaries.written.shape)
        tables["diary"] = diary_truth(cohort, calendar, drawn.diaries, calendar.outdoor_on(days))
    if drawn.chance is not None and drawn.diaries is not None:
        tables["worlds"] = heels.worlds_table(plan, cohort, drawn.treatment, drawn.diaries, drawn.chance)
        tables["load_and_pain"] = heels.slopes_table(plan, cohort, drawn.chance)
    return tables
