"""What is true of a simulated study, as tables: who responds, how, for how long, and what else moved the figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.regions import SIDES, TOES
from rewarm.twin.studies.calendar import Calendar
from rewarm.twin.studies.measuring import CameraErrors, visit_names
from rewarm.twin.studies.people import Cohort
from rewarm.twin.studies.plan import StudyPlan
from rewarm.twin.studies.rest import RestTruth
from rewarm.twin.studies.treatment import Treatment, course

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_GRID_DAYS = np.arange(0, 1501)
_COURSE_STEP_DAYS = 7


def people_truth(plan: StudyPlan, cohort: Cohort, treatment: Treatment, flare: Floats, grid: Floats) -> pd.DataFrame:
    """One row a person; ``flare`` (people,) on the day of enrolment, ``grid`` the effect day by day."""
    first, last = _important_days(grid, plan.important_c)
    left, right = (np.any(treatment.toxin[:, side], axis=1) for side in (0, 1))
    anywhere = treatment.toxin.reshape(-1, 10).any(axis=1, keepdims=True)
    mechanism = np.array(plan.mechanisms)[cohort.group] * anywhere
    sides = np.select([left & right, left, right], ["both", "left", "right"], default="")
    return pd.DataFrame(
        {
            "participant": np.array(cohort.participant, dtype=object),
            "group": cohort.group,
            "treatment": [plan.groups[g].treatment for g in cohort.group],
            **{name: mechanism[:, i] for i, name in enumerate(("nerve_block", "direct_dilation", "sweat_block"))},
            "injected": treatment.injected.astype(int),
            "injection_day": treatment.day,
            "toxin_side": sides,
            "strength": treatment.strength,
            "onset_tau_days": treatment.onset_days,
            "half_left_days": treatment.duration_days,
            "effect_best_c": grid.max(axis=1),
            "onset_days": first,
            "duration_days": last - first,
            "flare_at_enrolment": flare,
            "placebo_strength": treatment.believes,
            "room_slope": cohort.room_slope,
            "rcs_level": cohort.rcs,
            "attacks_level": cohort.attacks,
            "pain_level": cohort.pain,
        }
    )


def _important_days(grid: Floats, important_c: float) -> tuple[Floats, Floats]:
    """The first day of each row that reaches what is important, and the first after which none does; NaN: never."""
    above: Bools = np.asarray(grid >= important_c, dtype=bool)
    ever: Bools = np.any(above, axis=1)
    days = grid.shape[1]
    backwards: Bools = np.flip(above, axis=1)
    return (
        np.where(ever, np.argmax(above, axis=1), np.nan),
        np.where(ever, days - np.argmax(backwards, axis=1), np.nan),
    )


def course_truth(cohort: Cohort, grid: Floats, last_day: int) -> pd.DataFrame:
    """Each person's effect in °C week by week since the injections, mean over the injected toes."""
    days = np.arange(0, min(last_day, grid.shape[1] - 1) + 1, _COURSE_STEP_DAYS)
    return pd.DataFrame(
        {
            "participant": np.repeat(np.array(cohort.participant, dtype=object), days.size),
            "days_since_injection": np.tile(days, len(cohort.participant)),
            "effect_c": grid[:, days].reshape(-1),
        }
    )


def plain_effect(plan: StudyPlan, treatment: Treatment) -> Floats:
    """A plain effect day by day since the injections, (people, days), °C, mean over the injected toes."""
    count = np.maximum(treatment.toxin.sum(axis=(1, 2)), 1)
    mean_toe = (treatment.toe * treatment.toxin).sum(axis=(1, 2)) / count
    best = (plan.toxin.effect_c or 0.0) * mean_toe * treatment.strength
    onset, half = treatment.onset_days[:, None], treatment.duration_days[:, None]
    return np.asarray(best[:, None] * course(_GRID_DAYS[None, :], onset, half, plan.toxin.steepness))


def daily(days: Floats, effect: Floats) -> Floats:
    """An effect known on some ``days`` (n,), (people, n), day by day between them."""
    return np.stack([np.interp(_GRID_DAYS, days, one) for one in effect])


def toes_truth(
    plan: StudyPlan, cohort: Cohort, calendar: Calendar, treatment: Treatment, truth: RestTruth
) -> pd.DataFrame:
    """Each toe at each visit that took place: its true temperature at rest, and what made it."""
    people, visits = np.nonzero(calendar.attended)
    count, shape = people.size, truth.toes_c.shape
    since = calendar.visit_day - treatment.day[:, None]
    return pd.DataFrame(
        {
            "participant": np.repeat(np.array(cohort.participant, dtype=object)[people], 10),
            "visit": np.repeat(np.array(visit_names(plan), dtype=object)[visits], 10),
            "days_since_enrolment": np.repeat(calendar.visit_day[people, visits], 10),
            "days_since_injection": np.repeat(since[people, visits], 10),
            "side": np.tile(np.repeat(np.array(SIDES, dtype=object), 5), count),
            "region": np.tile(np.array(TOES, dtype=object), 2 * count),
            "toxin": treatment.toxin[people].astype(int).reshape(-1),
            "true_c": truth.toes_c[people, visits].reshape(-1),
            **{
                name: np.broadcast_to(values, shape)[people, visits].reshape(-1)
                for name, values in truth.causes.items()
            },
        }
    )


def visits_truth(toes: pd.DataFrame) -> pd.DataFrame:
    """Each person at each visit, mean over the toes with toxin (over all, where there are none): the true change since
    the first visit, and what it is made of.
    """
    treated = toes["toxin"].eq(1)
    anybody = treated.groupby(toes["participant"]).transform("any")
    kept = toes[treated | ~anybody]
    numbers = [name for name in toes.columns if name.endswith("_c")]
    mean = kept.groupby(["participant", "visit"], sort=False)[[*numbers, "days_since_injection"]].mean().reset_index()
    first = mean.groupby("participant")[numbers].transform("first")
    parts = (mean[numbers] - first).rename(columns=lambda name: f"change_{name}")
    return pd.concat([mean[["participant", "visit", "days_since_injection", "true_c"]], parts], axis=1)


def scans_truth(plan: StudyPlan, cohort: Cohort, calendar: Calendar, errors: CameraErrors) -> pd.DataFrame:
    """What the camera did at each visit that took place."""
    people, visits = np.nonzero(calendar.attended)
    names, ids = np.array(cohort.participant, dtype=object), np.array(visit_names(plan), dtype=object)
    return pd.DataFrame(
        {
            "scan": [f"{names[p]}_{ids[v]}" for p, v in zip(people, visits, strict=True)],
            "camera": np.array([camera.id for camera in plan.cameras], dtype=object)[errors.camera[visits]],
            "camera_offset_c": errors.offset_c[people, visits],
        }
    )
