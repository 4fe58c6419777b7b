"""True temperatures at rest, and why they are what they are: the sum of named causes, in °C.

With a plain ``effect_c`` every cause adds. With a mechanism the toes follow from the physiology
(:mod:`rewarm.twin.studies.physiology`), and only the treatment is told apart, by simulating the same days without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.twin.studies.calendar import Calendar
from rewarm.twin.studies.people import NOMINAL_ROOM_C, Cohort
from rewarm.twin.studies.plan import REFERENCE_OUTDOOR_C, OutdoorPlan, StudyPlan
from rewarm.twin.studies.treatment import Treatment, placebo_course, toxin_course

Floats = NDArray[np.float64]

COLDEST_SKIN_C: Final = 1.2
"""Untreated skin over the room, °C, where vessels are shut (as in :mod:`rewarm.twin.case_series`)."""
_BEND_C: Final = 0.3
_SOLE_FLARE_SHARE: Final = 0.3
_SOLE_DAY_SHARE: Final = 0.5


@dataclass(frozen=True, eq=False)
class RestTruth:
    """``toes_c`` (people, visits, 2, 5) and ``sole_c`` (people, visits, 2, 3: ball, arch, heel), true skin at rest.

    ``causes`` maps ``injection_c``, ``placebo_c``, ``room_c``, ``season_c``, ``flare_c`` and ``day_c`` to what each
    adds to the toes, arrays that broadcast to (people, visits, 2, 5); untreated skin is no colder than 1.2 °C over
    the room, so the coldest toes change by less than the sum, but for ``injection_c``, which adds in full. ``floor_c``
    is what that floor added. ``tip_gradient_c`` (people, visits, 2) is how much warmer tips are than bases, where the
    physiology tells.
    """

    toes_c: Floats
    sole_c: Floats
    causes: Mapping[str, Floats]
    tip_gradient_c: Floats | None = None


def outdoor_effect(outdoor_c: Floats, plan: OutdoorPlan, per_c: float) -> Floats:
    """What the weather does to skin, °C: proportional below ``comfortable_c``, nothing more above it."""
    ceiling = plan.comfortable_c
    bent = ceiling - np.logaddexp(0, ceiling - outdoor_c)  # a smooth min(outdoor, ceiling)
    reference = ceiling - np.logaddexp(0, ceiling - REFERENCE_OUTDOOR_C)
    return np.asarray(per_c * (bent - reference))


def rest_truth(
    rng: np.random.Generator,
    plan: StudyPlan,
    cohort: Cohort,
    calendar: Calendar,
    treatment: Treatment,
    flare: Floats,
) -> RestTruth:
    """Add up the causes at every visit; ``flare`` (people, visits)."""
    vary, shape = plan.variation, calendar.visit_day.shape
    outdoor = calendar.outdoor_on(calendar.visit_day)
    warmer_room = calendar.ambient_c - NOMINAL_ROOM_C
    slope = cohort.room_slope[:, None]
    shared_day = vary.day_c * rng.normal(size=shape)
    limb_day = vary.limb_day_c * rng.normal(size=(*shape, 2))
    day = shared_day[..., None, None] + limb_day[..., None] + vary.toe_day_c * rng.normal(size=(*shape, 2, 5))
    toxin = toxin_course(plan, treatment, calendar.visit_day)
    best = (plan.toxin.effect_c or 0.0) * treatment.toe
    causes = {
        "injection_c": toxin[:, :, None, None] * best[:, None],
        "placebo_c": _wide(plan.placebo.toes_c * placebo_course(plan, treatment, calendar.visit_day)),
        "room_c": _wide(plan.room.toes_per_c * slope * warmer_room),
        "season_c": _wide(outdoor_effect(outdoor, plan.outdoor, plan.outdoor.toes_per_c)),
        "flare_c": _wide(-vary.flare_c * flare),
        "day_c": day,
    }
    untreated = cohort.toes_c[:, None] + sum(value for name, value in causes.items() if name != "injection_c")
    floored = _floor(untreated, _wide(calendar.ambient_c + COLDEST_SKIN_C))
    toes = floored + causes["injection_c"]
    sole_change = plan.room.sole_per_c * slope * warmer_room
    sole_change = sole_change + outdoor_effect(outdoor, plan.outdoor, plan.outdoor.sole_per_c)
    sole_change = sole_change - _SOLE_FLARE_SHARE * vary.flare_c * flare + _SOLE_DAY_SHARE * shared_day
    own_day = vary.limb_day_c * rng.normal(size=(*shape, 2, 3))
    sole = cohort.sole_c[:, None] + sole_change[:, :, None, None] + own_day
    sole[..., 0] += plan.toxin.ball_share * causes["injection_c"].mean(axis=3)
    causes["floor_c"] = floored - untreated
    return RestTruth(toes, sole, causes)


def _wide(values: Floats) -> Floats:
    """(people, visits) → (people, visits, 1, 1)."""
    return np.asarray(values)[:, :, None, None]


def _floor(values: Floats, floor_c: Floats) -> Floats:
    """Values that bend smoothly towards ``floor_c`` instead of falling below it."""
    return np.asarray(floor_c + _BEND_C * np.logaddexp(0, (values - floor_c) / _BEND_C))
