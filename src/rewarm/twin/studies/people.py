"""Who takes part: their levels, before any treatment, in a room of 22.5 °C with 3 °C outdoors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.twin.studies.calendar import remembering
from rewarm.twin.studies.plan import StudyPlan

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOMINAL_ROOM_C: Final = 22.5
SOLE: Final = ("ball", "arch", "heel")

RESTING: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "healthy": (26.2, 29.3),  # n = 16, doi 10.1155/2015/831369
        "forefoot_pain": (26.2, 29.3),
        "other": (26.2, 29.3),
        "primary_raynaud": (25.6, 28.7),
        "secondary_raynaud": (25.3, 28.2),
    }
)
"""Toes and arch at rest, °C. The healthy ones are published; those of Raynaud's are chosen."""

_TOE_PATTERN_C: Final = np.array([0.45, -0.25, -0.50, -0.30, 0.60])
"""How each toe differs from the toes' mean in healthy people, °C (see :mod:`rewarm.twin.skin`)."""
_PATTERN_SHARE: Final = MappingProxyType({"primary_raynaud": 0.6, "secondary_raynaud": 0.4})
_PRIOR: Final = MappingProxyType(
    {
        "secondary_raynaud": ("nifedipine;iloprost", "nifedipine;sildenafil;bosentan", "amlodipine;iloprost"),
        "primary_raynaud": ("nifedipine", "amlodipine", "nifedipine;losartan"),
        "forefoot_pain": ("insoles", "insoles;corticosteroid injection", "physiotherapy"),
    }
)
_BORN: Final = MappingProxyType({"secondary_raynaud": (1950, 1984), "forefoot_pain": (1965, 2000)})


@dataclass(frozen=True, eq=False)
class Cohort:
    """Everybody. Arrays begin with (people,): ``group`` indexes the plan's groups; ``toes_c`` (people, 2, 5), left
    first; ``sole_c`` (people, 2, 3) ball, arch, heel; ``room_slope`` scales what a °C of room does to the person.
    ``rcs``, ``attacks``, ``pain``, ``cold`` are the person's own winter levels.
    """

    participant: tuple[str, ...]
    group: Ints
    female: NDArray[np.bool_]
    birth_year: Ints
    prior: tuple[str, ...]
    toes_c: Floats
    sole_c: Floats
    room_slope: Floats
    rcs: Floats
    attacks: Floats
    pain: Floats
    cold: Floats


def draw_cohort(rng: np.random.Generator, plan: StudyPlan) -> Cohort:
    """Draw everybody, group after group."""
    vary, people = plan.variation, plan.people
    group = np.repeat(np.arange(len(plan.groups)), [item.n for item in plan.groups])
    conditions = [item.condition for item in plan.groups]
    toes_c = np.array([item.toes_c or RESTING[item.condition][0] for item in plan.groups])[group]
    arch_c = np.array([RESTING[item.condition][1] for item in plan.groups])[group]
    share = np.array([_PATTERN_SHARE.get(condition, 1.0) for condition in conditions])[group]
    person = vary.person_c * rng.normal(size=people)
    limb = vary.limb_c * rng.normal(size=(people, 2))
    toe = vary.toe_c * rng.normal(size=(people, 2, 5)) + share[:, None, None] * _TOE_PATTERN_C
    toes = (toes_c + person)[:, None, None] + limb[:, :, None] + toe
    arch = (arch_c + 0.5 * person)[:, None] + 0.5 * limb
    ball = 0.55 * arch + 0.45 * toes.mean(axis=2) + 0.2 * rng.normal(size=(people, 2))
    heel = arch - 2.0 + 0.3 * rng.normal(size=(people, 2))
    factor = np.exp(plan.diary.person_sd * rng.normal(size=(3, people)))
    width = len(str(people))
    prior = [_PRIOR.get(conditions[g], ("",)) for g in group]
    which = rng.integers(0, 3, people)
    born = np.array([_BORN.get(conditions[g], (1955, 2000)) for g in group])
    return Cohort(
        participant=tuple(f"P{i + 1:0{max(width, 2)}d}" for i in range(people)),
        group=group,
        female=rng.random(people) < np.array([item.female_share for item in plan.groups])[group],
        birth_year=rng.integers(born[:, 0], born[:, 1]),
        prior=tuple(words[i % len(words)] for words, i in zip(prior, which, strict=True)),
        toes_c=toes,
        sole_c=np.stack([ball, arch, heel], axis=2),
        room_slope=np.clip(1 + vary.room_slope * rng.normal(size=people), 0.2, 2.0),
        rcs=np.clip(np.array([item.rcs for item in plan.groups])[group] * factor[0], 0, 10),
        attacks=np.array([item.attacks for item in plan.groups])[group] * factor[1],
        pain=np.clip(np.array([item.pain for item in plan.groups])[group] * factor[2], 0, 100),
        cold=np.clip(11 * np.array([item.rcs for item in plan.groups])[group] * factor[0], 0, 100),
    )


def draw_flare(rng: np.random.Generator, plan: StudyPlan, days: Ints) -> Floats:
    """The disease's own course, (people, days), SD 1; ``days`` (n,) since enrolment, without gaps.

    With a selection, each enrols on the worst of ``worst_of_days`` days: the flare is highest on day 0, on average
    well above zero, and what follows returns to it. That is regression to the mean, and no treatment.
    """
    window = max(plan.selection.worst_of_days, 1)
    whole = remembering(rng, (plan.people, days.size + window - 1), plan.variation.flare_days)
    zero = int(np.flatnonzero(days == 0)[0])
    at = whole[:, zero : zero + window].argmax(axis=1)
    return np.take_along_axis(whole, at[:, None] + np.arange(days.size), axis=1)
