"""What a design can show: its grade, the estimand in words, and each threat with its plausible size.

Nothing here is an opinion about a study's quality: grade and threats follow from what the tables hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Any, Final

import pandas as pd

UNKNOWN: Final = "unknown"


@dataclass(frozen=True)
class DesignFacts:
    """What the tables say about a design. None means that nothing says so.

    ``kind`` and ``control`` are the words of study.toml. ``baselines`` is the smallest number of visits that any
    treated person had before the first injection. ``within_picture_control`` tells whether untreated limbs or regions
    were seen in the same visits as treated ones. Changes are means after − before over people, in °C; ``co_treatments``
    counts people whose diary tells of a change of medication after the first injection; ``lost_share`` is the share of
    people without any visit after it, or absent from the last visit that others have.
    """

    kind: str
    control: str
    randomised: bool | None
    masked_reading: bool | None
    enrolled_at_worst: bool | None
    people: int
    baselines: int
    within_picture_control: bool
    parallel_control: bool
    outdoor_change_c: float
    outdoor_known: bool
    seasons_overlap: bool | None
    season_change_days: float
    room_change_c: float
    same_camera: bool | None
    reference_in_view: bool | None
    camera_u_c: float
    co_treatments: int | None
    lost_share: float


@dataclass(frozen=True)
class Threat:
    """One rival explanation of a change.

    ``size`` is how much of the outcome it may plausibly make, in the outcome's ``unit`` and the direction that looks
    like benefit; NaN where nothing is known. ``reason`` says in a sentence why it has this status, ``source`` where
    the size comes from.
    """

    name: str
    status: str
    size: float
    unit: str
    reason: str
    source: str


@dataclass(frozen=True)
class DesignGrade:
    """``grade`` is a word of :data:`rewarm.effects.rows.GRADES`; ``estimand`` the one that the design can carry."""

    grade: str
    estimand: str
    sentence: str


def design_facts(
    settings: Mapping[str, Any],
    participants: pd.DataFrame,
    visits: pd.DataFrame,
    injections: pd.DataFrame | None = None,
    *,
    scans: pd.DataFrame | None = None,
    diary: pd.DataFrame | None = None,
    measurements: pd.DataFrame | None = None,
) -> DesignFacts:
    """Gather what the tables of a study folder (typed, as :func:`rewarm.study.check_study` gives them) say.

    ``settings`` is study.toml; ``[design] randomised`` and ``[design] enrolled_at_worst`` are read where they stand.
    """
    raise NotImplementedError


def grade_design(facts: DesignFacts) -> DesignGrade:
    """Grade of the design, the estimand it can carry, and what that means in one sentence."""
    raise NotImplementedError


def threats_to(facts: DesignFacts, outcome: str, unit: str) -> tuple[Threat, ...]:
    """Every threat of :data:`rewarm.effects.rows.THREATS` that concerns ``outcome``, with its status and size."""
    raise NotImplementedError


def statuses(threats: tuple[Threat, ...]) -> dict[str, str]:
    """Name → status, as :class:`rewarm.effects.rows.Effect` takes them."""
    return {threat.name: threat.status for threat in threats}


_NOTHING: Final = nan
