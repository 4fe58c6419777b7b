"""From true temperatures to a measurements table without pictures: the camera's errors, and the ``u`` stated for them.

The errors are those of :mod:`rewarm.twin.camera`, region by region: an offset common to a picture (the camera's bias
and its drift from session to session), a pattern over the picture (a half of its variance stays with the camera), and a
little noise of outlines and blur. ``u`` is stated as rewarm states it: the common part counts in a temperature and
cancels in a difference within a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.regions import SIDES, SOLE_REGIONS, TOES
from rewarm.twin.studies.calendar import Calendar
from rewarm.twin.studies.people import Cohort
from rewarm.twin.studies.plan import StudyPlan
from rewarm.twin.studies.rest import RestTruth
from rewarm.version import __version__

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PATTERN_SHARE: Final = 0.45
"""SD of a region's mean error, as a share of the camera's centre-to-corner figure."""
_REGION_SD_C: Final = 0.08
METHOD: Final = "simulated without pictures: truth plus the camera's errors; u from the same figures"
SOFTWARE: Final = f"rewarm {__version__} twin"


@dataclass(frozen=True, eq=False)
class CameraErrors:
    """``camera`` (visits,) indexes the plan's cameras; ``offset_c`` (people, visits) is common to a picture;
    ``region_c`` (people, visits, 2, 8) belongs to each region, in the order of the vocabulary.
    """

    camera: Ints
    offset_c: Floats
    region_c: Floats


def camera_of_visit(plan: StudyPlan) -> Ints:
    """Which camera each planned visit is taken with."""
    known = [camera.id for camera in plan.cameras]
    used = plan.visits.cameras or (known[0],) * len(plan.visits.weeks)
    return np.array([known.index(name) for name in used])


def draw_errors(rng: np.random.Generator, plan: StudyPlan) -> CameraErrors:
    """Draw each camera's own errors, and those of each session."""
    which, people = camera_of_visit(plan), plan.people
    drawn = rng.uniform(-1, 1, len(plan.cameras))
    bias = np.array(
        [
            item.accuracy_c * share if item.bias_c is None else item.bias_c
            for item, share in zip(plan.cameras, drawn, strict=True)
        ]
    )
    drift = np.array([item.drift_c for item in plan.cameras])
    uneven = _PATTERN_SHARE * np.array([item.nonuniformity_c for item in plan.cameras]) / np.sqrt(2)
    own = uneven[:, None, None] * rng.normal(size=(len(plan.cameras), 2, 8))
    session = uneven[which][:, None, None] * rng.normal(size=(people, which.size, 2, 8))
    region = own[which] + session + _REGION_SD_C * rng.normal(size=(people, which.size, 2, 8))
    return CameraErrors(which, bias[which] + drift[which] * rng.normal(size=(people, which.size)), region)


def measurement_rows(
    plan: StudyPlan, cohort: Cohort, calendar: Calendar, truth: RestTruth, errors: CameraErrors
) -> pd.DataFrame:
    """The table at rest, visits that were missed left out, sorted by participant, visit, side, region and metric."""
    true = np.concatenate([truth.toes_c, truth.sole_c], axis=3)  # toes, ball, arch, heel
    mean = true + errors.offset_c[:, :, None, None] + errors.region_c
    difference = mean[..., :5] - mean[..., 6:7]
    u_mean, u_difference = stated_u(plan)
    values = np.concatenate([mean, difference], axis=3)
    people, visits = np.nonzero(calendar.attended)
    kept = values[people, visits].reshape(-1)
    regions = [*SOLE_REGIONS, *TOES]
    metrics = ["mean"] * 8 + ["distal_proximal_difference"] * 5
    each, scans = 2 * len(regions), people.size
    u = np.concatenate([np.repeat(u_mean[:, None], 8, axis=1), np.repeat(u_difference[:, None], 5, axis=1)], axis=1)
    names, visit_ids = np.array(cohort.participant, dtype=object), np.array(visit_names(plan), dtype=object)
    scan_ids = np.array([f"{names[p]}_{visit_ids[v]}" for p, v in zip(people, visits, strict=True)], dtype=object)
    return pd.DataFrame(
        {
            "participant": np.repeat(names[people], each),
            "visit": np.repeat(visit_ids[visits], each),
            "scan": np.repeat(scan_ids, each),
            "time_s": np.full(scans * each, np.nan),
            "side": np.tile(np.repeat(np.array(SIDES, dtype=object), len(regions)), scans),
            "region": np.tile(np.array(regions, dtype=object), 2 * scans),
            "metric": np.tile(np.array(metrics, dtype=object), 2 * scans),
            "value": kept,
            "unit": np.tile(np.array(["degC"] * 8 + ["delta_degC"] * 5, dtype=object), 2 * scans),
            "u": np.repeat(u[errors.camera[visits]], 2, axis=0).reshape(-1),
            "n_px": np.full(scans * each, np.nan),
            "method": METHOD,
            "software": SOFTWARE,
        }
    )


def stated_u(plan: StudyPlan) -> tuple[Floats, Floats]:
    """Standard uncertainty of a mean and of a difference within a picture, for each camera of the plan, °C."""
    uneven = np.array([_PATTERN_SHARE * camera.nonuniformity_c for camera in plan.cameras])
    own = uneven**2 + _REGION_SD_C**2
    common = np.array([camera.accuracy_c**2 / 3 + camera.drift_c**2 for camera in plan.cameras])
    return np.sqrt(common + own), np.sqrt(2 * own)


def visit_names(plan: StudyPlan) -> list[str]:
    """``week00``, ``week06``, …; a part of a week is written as days: ``day010``."""
    weeks = plan.visits.weeks
    if all(float(week).is_integer() for week in weeks):
        width = max(2, len(str(int(weeks[-1]))))
        return [f"week{int(week):0{width}d}" for week in weeks]
    return [f"day{round(7 * week):03d}" for week in weeks]
