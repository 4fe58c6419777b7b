"""Toes that follow from vessels, heat and sweat, instead of a sum of stated degrees: at rest, and after cold water.

The same people, visits and chance are simulated once as they were and once with one cause after the other taken away;
the differences are what the causes did. Season and flare act as sympathetic drive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.twin.groups import Vessels, draw_people
from rewarm.twin.studies.calendar import Calendar
from rewarm.twin.studies.people import NOMINAL_ROOM_C
from rewarm.twin.studies.plan import REFERENCE_OUTDOOR_C, StudyPlan
from rewarm.twin.studies.rest import RestTruth
from rewarm.twin.studies.treatment import Treatment, course, placebo_course
from rewarm.twin.vessels import NO_BLOCK, Block, Challenge, DigitCourses, simulate_digits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

VESSELS_OF: Final[Mapping[str, str]] = MappingProxyType(
    {
        "primary_raynaud": "primary_raynaud",
        "secondary_raynaud": "systemic_sclerosis",
        "healthy": "healthy",
        "forefoot_pain": "healthy",
        "other": "healthy",
    }
)
"""Whose vessels the people of a condition have."""

_VESSEL_FIELDS: Final = tuple(field.name for field in fields(Vessels) if field.name != "limb")
_FREE_SEGMENTS: Final = 3
"""So many of a toe's segments, from the tip, are what is seen of it from the sole; the others are within the foot."""
_ARCH_OVER_BACK_C: Final = 0.4
_HEEL_UNDER_ARCH_C: Final = 2.0
_AT_REST: Final = Challenge(immersion_s=0.0, baseline_s=2.0, follow_s=0.0)
_STEP_S: Final = 2.0
_EFFECT_DAYS: Final = (0, 2, 4, 7, 14, 28, 49, 70, 91, 112, 133, 154, 175, 196, 224, 252, 280, 336, 420, 560)


@dataclass(frozen=True, eq=False)
class Rewarming:
    """What happened after the cold water, at every frame; arrays (times, people, visits, …), the toes' (…, 2, 5).

    ``time_s`` (times,) counts from the end of the immersion. ``toes_c`` is the mean of what is seen of each toe,
    ``tip_gradient_c`` (…, 2) how much warmer tips are than bases; ``sole_c`` (…, 2, 3) ball, arch, heel.
    """

    time_s: Floats
    toes_c: Floats
    tip_gradient_c: Floats
    sole_c: Floats
    flow_ml_100ml_min: Floats
    tone: Floats
    sweat_w_m2: Floats
    drive: Floats


@dataclass(frozen=True, eq=False)
class Bodies:
    """Vessels of everybody's feet, and what acts on them at each visit, (people, visits) but for ``block``.

    ``mechanism`` (people, 3) is the most of nerve block, direct dilation and sweat block in each person.
    ``arch_c`` and ``heel_c`` (people, 2) are the person's own, added to what the limb's heat gives.
    """

    vessels: Vessels
    room_c: Floats
    season_drive: Floats
    flare_drive: Floats
    placebo_c: Floats
    mechanism: Floats
    block: Block
    arch_c: Floats
    heel_c: Floats
    ball_c: Floats
    seed: int


def draw_bodies(
    rng: np.random.Generator,
    plan: StudyPlan,
    group: Ints,
    calendar: Calendar,
    treatment: Treatment,
    flare: Floats,
) -> Bodies:
    """Draw vessels, and what acts on them; ``group`` (people,), ``flare`` (people, visits)."""
    visits = calendar.visit_day.shape[1]
    drawn = [draw_people(rng, VESSELS_OF[group.condition], group.n, visits=visits).feet for group in plan.groups]
    joined = {name: np.concatenate([getattr(feet, name) for feet in drawn]) for name in _VESSEL_FIELDS}
    outdoor = calendar.outdoor_on(calendar.visit_day)
    comfortable = np.minimum(outdoor, plan.outdoor.comfortable_c)
    people = plan.people
    mechanism = np.array(plan.mechanisms)[group]
    return Bodies(
        vessels=Vessels(limb="foot", **joined),
        room_c=calendar.ambient_c,
        season_drive=plan.outdoor.drive_per_c * (comfortable - REFERENCE_OUTDOOR_C),
        flare_drive=plan.variation.flare_drive * flare,
        placebo_c=plan.placebo.toes_c * placebo_course(plan, treatment, calendar.visit_day),
        mechanism=mechanism,
        block=block_of(plan, mechanism, treatment, calendar.visit_day - treatment.day[:, None]),
        arch_c=_ARCH_OVER_BACK_C + 0.4 * rng.normal(size=(people, 2)),
        heel_c=-_HEEL_UNDER_ARCH_C + 0.3 * rng.normal(size=(people, 2)),
        ball_c=0.3 * rng.normal(size=(people, 2)),
        seed=int(rng.integers(2**62)),
    )


def block_of(plan: StudyPlan, mechanism: Floats, treatment: Treatment, since: Ints) -> Block:
    """What is blocked or dilated in each toe ``since`` (people, n) days after the injections, (people, n, 2, 5), none
    above 1. Sweating has its own, longer duration.
    """
    toxin = plan.toxin
    onset, half = treatment.onset_days[:, None], treatment.duration_days[:, None]
    share = treatment.strength[:, None, None, None] * treatment.toe[:, None]
    nerve = course(since, onset, half, toxin.steepness)[:, :, None, None] * share
    dry = course(since, onset, half * toxin.sweat_days / toxin.duration_days, toxin.steepness)
    most = mechanism.T[:, :, None, None, None]
    return Block(
        nerve=np.clip(most[0] * nerve, 0, 1),
        dilation=np.clip(most[1] * nerve, 0, 1),
        sweat=np.clip(most[2] * dry[:, :, None, None] * share, 0, 1),
    )


def effect_over_time(bodies: Bodies, plan: StudyPlan, treatment: Treatment) -> tuple[Floats, Floats]:
    """Days since the injections (n,), and each person's warming at rest on them, (people, n), °C.

    Mean over the injected toes, in a room of 22.5 °C with 3 °C outdoors, with the vessels of the first visit.
    """
    days = np.array(_EFFECT_DAYS)
    people = treatment.day.size
    since = np.broadcast_to(days, (people, days.size))
    first = {name: np.repeat(getattr(bodies.vessels, name)[:, :1], days.size, axis=1) for name in _VESSEL_FIELDS}
    usual = replace(bodies, vessels=Vessels(limb="foot", **first))
    toes = [
        _seen(usual, _rest(usual, NOMINAL_ROOM_C, 0.0, block))[0][0]
        for block in (block_of(plan, bodies.mechanism, treatment, since), NO_BLOCK)
    ]
    injected = treatment.toxin[:, None]
    count = np.maximum(injected.sum(axis=(2, 3)), 1)
    return days, np.asarray(((toes[0] - toes[1]) * injected).sum(axis=(2, 3)) / count)


def physiological_rest(bodies: Bodies) -> RestTruth:
    """True temperatures at rest, and what each cause did, one taken away after the other: treatment, room, season,
    flare; what is left varies from day to day.
    """
    treated = _seen(bodies, _rest(bodies, bodies.room_c, bodies.season_drive + bodies.flare_drive, bodies.block))
    steps = [
        _rest(bodies, room, drive, NO_BLOCK)
        for room, drive in (
            (bodies.room_c, bodies.season_drive + bodies.flare_drive),
            (NOMINAL_ROOM_C, bodies.season_drive + bodies.flare_drive),
            (NOMINAL_ROOM_C, bodies.flare_drive),
            (NOMINAL_ROOM_C, 0.0),
        )
    ]
    untreated, usual_room, no_season, bare = (_seen(bodies, step)[0][0] for step in steps)
    toes, tips, sole = (values[0] for values in treated)
    placebo = bodies.placebo_c[:, :, None, None]
    causes = {
        "injection_c": toes - untreated,
        "placebo_c": placebo,
        "room_c": untreated - usual_room,
        "season_c": usual_room - no_season,
        "flare_c": no_season - bare,
        "day_c": bare - bare.mean(axis=1, keepdims=True),
        "floor_c": np.zeros((1, 1, 1, 1)),
    }
    return RestTruth(toes + placebo, sole, causes, tips)


def rewarming(bodies: Bodies, plan: StudyPlan) -> Rewarming:
    """Everybody's feet after cold water, at the times of the plan's frames."""
    pictures = plan.pictures
    times = np.asarray(pictures.interval_s * np.arange(pictures.frames), dtype=np.float64)
    every = max(1, int(pictures.interval_s // _STEP_S))
    challenge = Challenge(
        water_c=pictures.water_c,
        immersion_s=pictures.immersion_s,
        baseline_s=0.0,
        follow_s=float(np.ceil(times[-1] / _STEP_S) * _STEP_S + every * _STEP_S),
        frame_s=every * _STEP_S,
    )
    drive = bodies.season_drive + bodies.flare_drive
    happened = simulate_digits(
        np.random.default_rng(bodies.seed),
        bodies.vessels,
        challenge,
        room_c=bodies.room_c,
        extra_drive=drive,
        block=bodies.block,
        step_s=_STEP_S,
    )
    after = happened.time_s >= 0
    kept = {field.name: np.asarray(getattr(happened, field.name)[after]) for field in fields(DigitCourses)}
    toes, tips, sole = _seen(bodies, DigitCourses(**kept))
    toes = toes + bodies.placebo_c[None, :, :, None, None]
    moment = happened.time_s[after]
    return Rewarming(
        time_s=times,
        toes_c=_at(times, moment, toes),
        tip_gradient_c=_at(times, moment, tips),
        sole_c=_at(times, moment, sole),
        flow_ml_100ml_min=_at(times, moment, kept["flow_ml_100ml_min"]),
        tone=_at(times, moment, kept["tone"]),
        sweat_w_m2=_at(times, moment, kept["sweat_w_m2"]),
        drive=_at(times, moment, kept["drive"]),
    )


def _rest(bodies: Bodies, room_c: Floats | float, drive: Floats | float, block: Block) -> DigitCourses:
    rng = np.random.default_rng(bodies.seed)  # the same chance in every world
    return simulate_digits(rng, bodies.vessels, _AT_REST, room_c=room_c, extra_drive=drive, block=block)


def _seen(bodies: Bodies, courses: DigitCourses) -> tuple[Floats, Floats, Floats]:
    """Toes, tip gradients and sole as the camera sees them, (times, people, visits, …)."""
    free = courses.profile_c[..., -_FREE_SEGMENTS:].astype(np.float64)
    toes = free.mean(axis=-1)
    tips = (free[..., -1] - free[..., 0]).mean(axis=-1)
    arch = courses.dorsum_c.astype(np.float64) + bodies.arch_c[None, :, None]
    ball = 0.55 * arch + 0.45 * toes.mean(axis=-1) + bodies.ball_c[None, :, None]
    return toes, tips, np.stack([ball, arch, arch + bodies.heel_c[None, :, None]], axis=-1)


def _at(times: Floats, moments: Floats, values: NDArray[np.floating]) -> Floats:
    """Values at ``times``, linear between the ``moments`` of their first axis."""
    after = np.clip(np.searchsorted(moments, times, side="right"), 1, moments.size - 1)
    share = (times - moments[after - 1]) / (moments[after] - moments[after - 1])
    weight = share.reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray((1 - weight) * values[after - 1] + weight * values[after])
