"""The figures of a cold challenge, straight from curves: what is true of them, and a table without pictures.

The definitions are those of the measurements table (see the documentation of its metrics); nothing is smoothed and no
frame is missing here, and this code shares nothing with what reads recordings, so that each checks the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.regions import SIDES, TOES
from rewarm.twin.studies.calendar import Calendar
from rewarm.twin.studies.measuring import METHOD, SOFTWARE, CameraErrors, stated_u, visit_names
from rewarm.twin.studies.people import Cohort
from rewarm.twin.studies.physiology import Rewarming
from rewarm.twin.studies.plan import StudyPlan
from rewarm.twin.studies.rest import RestTruth

Floats = NDArray[np.float64]

FOLLOWED_S: Final = 900.0
LEAST_RISE_C: Final = 0.5
_LINE_S: Final = 60.0
_NOISE_C: Final = 0.02
"""SD of one frame's mean over a toe, °C."""

UNITS: Final[Mapping[str, str]] = {
    "tpre": "degC",
    "t0": "degC",
    "tmin": "degC",
    "rewarming_max": "degC",
    "lag": "s",
    "lag_reached": "1",
    "max_gradient": "degC/min",
    "gradient_2min": "degC/min",
    "auc": "degC min",
    "recovery_5min": "percent",
    "recovery_10min": "percent",
    "recovery_15min": "percent",
    "t25": "s",
    "t25_reached": "1",
    "t50": "s",
    "t50_reached": "1",
    "t100": "s",
    "t100_reached": "1",
}


def challenge_metrics(time_s: Floats, curves_c: Floats, tpre_c: Floats) -> dict[str, Floats]:
    """The metrics of many curves at once, each (n,), NaN where the curves are too short for it.

    ``time_s`` (times,) from 0 in equal steps, ``curves_c`` (times, n), ``tpre_c`` (n,). Times not reached are the time
    followed, with 0 in ``…_reached``.
    """
    step, end = float(time_s[1] - time_s[0]), float(time_s[-1])
    tmin, lowest = curves_c.min(axis=0), curves_c.argmin(axis=0)
    early = time_s <= FOLLOWED_S
    slope, middle, level = _steepest(time_s, curves_c, step)
    risen = curves_c.max(axis=0) - tmin >= LEAST_RISE_C
    with np.errstate(divide="ignore", invalid="ignore"):
        lag = np.clip(np.where(slope > 0, middle - (level - tmin) / slope, end), 0, end)
    found: dict[str, Floats] = {
        "tpre": tpre_c,
        "t0": curves_c[0],
        "tmin": tmin,
        "rewarming_max": curves_c[early].max(axis=0),
        "lag": np.where(risen, lag, end),
        "lag_reached": risen.astype(float),
        "max_gradient": 60 * slope,
        "gradient_2min": 60 * _line(time_s[time_s <= 120], curves_c[time_s <= 120]),
        "auc": _area(time_s, curves_c, tmin),
    }
    cooled = tpre_c - tmin
    with np.errstate(divide="ignore", invalid="ignore"):
        for minutes in (5, 10, 15):
            there = np.array([np.interp(60 * minutes, time_s, curve, right=np.nan) for curve in curves_c.T])
            found[f"recovery_{minutes}min"] = np.where(cooled >= 1, 100 * (there - tmin) / cooled, np.nan)
    for share in (25, 50, 100):
        time, reached = _first_reached(time_s, curves_c, tmin + share / 100 * cooled, lowest)
        found[f"t{share}"] = np.where(cooled >= 1, time, np.nan)
        found[f"t{share}_reached"] = np.where(cooled >= 1, reached, np.nan)
    return found


def _steepest(time_s: Floats, curves_c: Floats, step: float) -> tuple[Floats, Floats, Floats]:
    """Slope (°C/s), middle (s) and level (°C) of the steepest straight line over a minute (or two frames)."""
    count = min(max(round(_LINE_S / step) + 1, 2), time_s.size)
    weights = np.arange(count) - (count - 1) / 2
    windows = np.lib.stride_tricks.sliding_window_view(curves_c, count, axis=0)
    slopes = windows @ (weights / (weights @ weights)) / step
    best = slopes.argmax(axis=0)
    column = np.arange(curves_c.shape[1])
    return slopes[best, column], time_s[best] + (count - 1) / 2 * step, windows[best, column].mean(axis=1)


def _line(time_s: Floats, curves_c: Floats) -> Floats:
    centred = time_s - time_s.mean()
    if time_s.size < 2:
        return np.full(curves_c.shape[1], np.nan)
    return np.asarray(centred @ curves_c / (centred @ centred))


def _area(time_s: Floats, curves_c: Floats, tmin: Floats) -> Floats:
    """°C min above tmin over the first 15 min."""
    if time_s[-1] < FOLLOWED_S:
        return np.full(curves_c.shape[1], np.nan)
    inside = time_s < FOLLOWED_S
    end = np.array([np.interp(FOLLOWED_S, time_s, curve) for curve in curves_c.T])
    times = np.append(time_s[inside], FOLLOWED_S)
    area = np.trapezoid(np.vstack([curves_c[inside], end]) - tmin, times, axis=0)
    return np.asarray(area / 60)


def _first_reached(time_s: Floats, curves_c: Floats, level: Floats, lowest: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """When each curve first reaches its level after its lowest point, and whether it does."""
    after = np.arange(time_s.size)[:, None] >= lowest
    there = (curves_c >= level) & after
    reached = there.any(axis=0)
    at = there.argmax(axis=0)
    column, before = np.arange(level.size), np.maximum(at - 1, 0)
    rise = curves_c[at, column] - curves_c[before, column]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(rise > 0, (level - curves_c[before, column]) / rise, 0.0)
    time = time_s[before] + np.clip(share, 0, 1) * (time_s[at] - time_s[before])
    return np.where(reached, time, time_s[-1]), reached.astype(float)


def challenge_truth(
    plan: StudyPlan, cohort: Cohort, calendar: Calendar, rest: RestTruth, happened: Rewarming
) -> pd.DataFrame:
    """The true metrics of each toe at each visit that took place, one row a toe."""
    people, visits = np.nonzero(calendar.attended)
    metrics = challenge_metrics(*_curves(happened, rest, people, visits))
    names, ids = np.array(cohort.participant, dtype=object), np.array(visit_names(plan), dtype=object)
    return pd.DataFrame(
        {
            "participant": np.repeat(names[people], 10),
            "visit": np.repeat(ids[visits], 10),
            "side": np.tile(np.repeat(np.array(SIDES, dtype=object), 5), people.size),
            "region": np.tile(np.array(TOES, dtype=object), 2 * people.size),
            **metrics,
        }
    )


def challenge_rows(
    rng: np.random.Generator,
    plan: StudyPlan,
    cohort: Cohort,
    calendar: Calendar,
    rest: RestTruth,
    happened: Rewarming,
    errors: CameraErrors,
) -> pd.DataFrame:
    """Rows of the measurements table for a cold challenge that was not filmed: truth, the camera's errors, noise.

    ``u`` is stated for temperatures; it is left empty for gradients, areas, shares and times.
    """
    people, visits = np.nonzero(calendar.attended)
    time_s, curves, tpre = _curves(happened, rest, people, visits)
    offset = errors.offset_c[people, visits][:, None] + errors.region_c[people, visits, :, :5].reshape(people.size, 10)
    drift = plan.pictures.drift_c_per_min / 60 * np.repeat(rng.normal(size=people.size), 10) * time_s[:, None]
    seen = curves + offset.ravel() + drift + _NOISE_C * rng.normal(size=curves.shape)
    metrics = challenge_metrics(time_s, seen, tpre + offset.ravel() + _NOISE_C * rng.normal(size=tpre.size))
    names, ids = np.array(cohort.participant, dtype=object), np.array(visit_names(plan), dtype=object)
    count, each = len(UNITS), 10 * len(UNITS)
    values = np.stack([metrics[name] for name in UNITS], axis=1)
    units = np.array(list(UNITS.values()), dtype=object)
    u = np.where(units == "degC", stated_u(plan)[0][errors.camera[visits]][:, None], np.nan)
    scans = np.array([f"{names[p]}_{ids[v]}_cold" for p, v in zip(people, visits, strict=True)], dtype=object)
    table = pd.DataFrame(
        {
            "participant": np.repeat(names[people], each),
            "visit": np.repeat(ids[visits], each),
            "scan": np.repeat(scans, each),
            "time_s": np.nan,
            "side": np.tile(np.repeat(np.array(SIDES, dtype=object), 5 * count), people.size),
            "region": np.tile(np.repeat(np.array(TOES, dtype=object), count), 2 * people.size),
            "metric": np.tile(np.array(list(UNITS), dtype=object), 10 * people.size),
            "value": values.ravel(),
            "unit": np.tile(units, 10 * people.size),
            "u": np.repeat(u, 10, axis=0).ravel(),
            "n_px": np.nan,
            "method": METHOD,
            "software": SOFTWARE,
        }
    )
    return table[table["value"].notna()].reset_index(drop=True)


def _curves(
    happened: Rewarming, rest: RestTruth, people: NDArray[np.intp], visits: NDArray[np.intp]
) -> tuple[Floats, Floats, Floats]:
    """Times, curves (times, toes) and temperatures at rest (toes,) of the visits that took place."""
    curves = happened.toes_c[:, people, visits].reshape(happened.time_s.size, -1)
    return happened.time_s, curves, rest.toes_c[people, visits].ravel()
