"""The plain tables of a simulated study: participants, visits, injections, events."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from rewarm.regions import SIDES, TOES
from rewarm.twin.studies.calendar import Calendar
from rewarm.twin.studies.measuring import visit_names
from rewarm.twin.studies.people import Cohort
from rewarm.twin.studies.plan import StudyPlan
from rewarm.twin.studies.treatment import Treatment

_WEAK_AFTER_DAYS: Final = (3, 21)
_WEAK_FOR_DAYS: Final = (20, 150)
_UNDERLYING: Final = "systemic_sclerosis"


def participants_table(plan: StudyPlan, cohort: Cohort) -> pd.DataFrame:
    """``participants.csv``; the arm only where the plan names one."""
    groups = [plan.groups[g] for g in cohort.group]
    table = pd.DataFrame(
        {
            "participant": cohort.participant,
            "sex": np.where(cohort.female, "female", "male"),
            "birth_year": cohort.birth_year,
            "condition": [group.condition for group in groups],
            "underlying": [
                group.underlying or (_UNDERLYING if group.condition == "secondary_raynaud" else "") for group in groups
            ],
            "prior_treatments": cohort.prior,
        }
    )
    if any(group.arm for group in plan.groups):
        table["arm"] = [group.arm for group in groups]
    return table.assign(notes="simulated")


def visits_table(plan: StudyPlan, cohort: Cohort, calendar: Calendar) -> pd.DataFrame:
    """``visits.csv``: the visits that took place."""
    people, visits = np.nonzero(calendar.attended)
    days = calendar.visit_day[people, visits]
    outdoor = calendar.outdoor_on(calendar.visit_day)[people, visits]
    return pd.DataFrame(
        {
            "participant": np.array(cohort.participant, dtype=object)[people],
            "visit": np.array(visit_names(plan), dtype=object)[visits],
            "date": (calendar.enrolled[people] + days.astype("timedelta64[D]")).astype("datetime64[s]"),
            "ambient_c": calendar.ambient_c[people, visits],
            "humidity_pct": calendar.humidity_pct[people, visits],
            "settling_min": calendar.settling_min[people, visits],
            "outdoor_mean_c": np.round(outdoor, 1) + 0.0,  # no "-0"
            "recent_exercise": "no",
            "recent_smoking": "no",
            "recent_caffeine": "no",
        }
    )


def injections_table(plan: StudyPlan, cohort: Cohort, calendar: Calendar, treatment: Treatment) -> pd.DataFrame:
    """``injections.csv``: a row for each toe that was injected, with toxin or placebo; empty where nobody was."""
    toxin = plan.toxin
    people, sides, toes = np.nonzero(treatment.toxin | treatment.placebo)
    real = treatment.toxin[people, sides, toes]
    dates = calendar.enrolled[people] + treatment.day[people].astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "participant": np.array(cohort.participant, dtype=object)[people],
            "date": dates.astype("datetime64[s]"),
            "side": np.array(SIDES, dtype=object)[sides],
            "site": np.array(TOES, dtype=object)[toes],
            "product": np.where(real, toxin.product, "saline"),
            "units_u": np.where(real, toxin.units_u, 0.0),
            "volume_ml": toxin.volume_ml,
            "concentration_u_per_ml": np.where(real, toxin.units_u / toxin.volume_ml, 0.0),
            "injections_n": 1,
            "depth": "subcutaneous",
            "guidance": "by hand",
            "operator": "A",
        }
    )


def events_table(
    rng: np.random.Generator, plan: StudyPlan, cohort: Cohort, calendar: Calendar, treatment: Treatment
) -> pd.DataFrame:
    """``events.csv``: weakness, with the plan's probability in those who got toxin and in those who did not."""
    chance = np.where(treatment.toxin.any(axis=(1, 2)), plan.toxin.weakness, plan.toxin.weakness_placebo)
    begins = treatment.day + rng.integers(*_WEAK_AFTER_DAYS, chance.size)
    lasts = rng.integers(*_WEAK_FOR_DAYS, chance.size)
    severity = rng.choice([1, 1, 2], chance.size)
    who = np.flatnonzero((rng.random(chance.size) < chance) & treatment.injected & (begins < calendar.leaves))
    dates = calendar.enrolled[who] + begins[who].astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "participant": np.array(cohort.participant, dtype=object)[who],
            "date": dates.astype("datetime64[s]"),
            "term": "weakness",
            "severity": severity[who],
            "relatedness": "possible",
            "resolved_date": (dates + lasts[who].astype("timedelta64[D]")).astype("datetime64[s]"),
            "notes": "simulated",
        }
    )
