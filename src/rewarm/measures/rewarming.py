"""Temperature curves → the figures of a cold challenge, each with its uncertainty, times censored where not reached.

Names in the measurements table (one row a side and region, ``time_s`` empty unless said):

``tpre`` (degC)
    mean temperature before the immersion
``t0`` (degC)
    temperature of the first frames after the end of the immersion
``tmin`` (degC)
    lowest temperature after the end of the immersion
``rewarming_max`` (degC)
    highest temperature within 15 min after the end of the immersion
``lag`` (s), ``lag_reached`` (1)
    from the end of the immersion until the rise begins: where the steepest minute of ``max_gradient``, as a parabola
    where it flattens and a straight line where not, cuts ``tmin``.
    ``lag_reached`` is 0 where it rose by less than 0.5 °C, and ``lag`` is then how long it was followed
``max_gradient`` (degC/min)
    slope of the steepest straight line fitted to any 60 s (across a longer gap, or between stills: from end to end)
``gradient_2min`` (degC/min)
    slope of the straight line fitted to the first two minutes after the end of the immersion
``auc`` (degC min)
    area between curve and ``tmin`` over the first 15 min after the end of the immersion
``recovery_5min``, ``recovery_10min``, ``recovery_15min`` (percent)
    (T − tmin)/(tpre − tmin) at that time
``t25``, ``t50``, ``t100`` (s), each with ``t25_reached``, ``t50_reached``, ``t100_reached`` (1)
    when the curve first reaches tmin + that share of (tpre − tmin), in seconds since the end of the immersion. Where it
    did not, ``…_reached`` is 0 and the time is how long it was followed: the true time is longer (right-censored), and
    such rows belong in survival methods (:mod:`rewarm.measures.recovery_times`), never in a mean
``distal_dorsal_difference``, ``distal_proximal_difference`` (delta_degC)
    digit minus foot or hand (as in :func:`rewarm.measures.measure`) at 0, 5, 10 and 15 min, and before the immersion
    where the recording holds that; ``time_s`` says when
``time_constant`` (s)
    of the fitted rise, from its begin until 63.2 % of it (:mod:`rewarm.measures.rewarming_fits`); its uncertainty
    holds what the models differ by, weighted (Burnham and Anderson 2002, doi 10.1007/b97636); no row where that is
    more than the figure itself
``vasomotion_power`` (degC2)
    variance between 0.005 and 0.05 Hz (:mod:`rewarm.measures.vasomotion`)

The first protocol and most names are those of Wilkinson et al. 2018 (doi 10.1002/art.40457). ``tmin``, and not ``t0``,
is what recoveries and times count from, because skin goes on cooling after it left the water.

Uncertainty is propagated by drawing (GUM Supplement 1, JCGM 101:2008): every version of a curve is moved by what it may
be off, shared causes alike at all times and in all regions, noise for each value, and read as the curve itself is. So a
camera's offset cancels in gradients, recoveries and times, and not in temperatures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from rewarm.measures.course_figures import RewarmingMetric as RewarmingMetric
from rewarm.measures.course_figures import course_figures, differences
from rewarm.measures.rewarming_course import Baseline as Baseline
from rewarm.measures.rewarming_course import Course, Name, Reading, drawn_causes, region_course
from rewarm.measures.rewarming_curves import RegionCurves
from rewarm.tables import MEASUREMENTS
from rewarm.version import __version__


@dataclass(frozen=True)
class RewarmingResult:
    """``metrics`` in the order of regions, and in plain words what could not be computed and why."""

    metrics: tuple[RewarmingMetric, ...]
    warnings: tuple[str, ...]


def rewarming_metrics(
    curves: RegionCurves, *, baseline: Mapping[Name, Baseline] | None = None, seed: int = 1
) -> RewarmingResult:
    """All figures of all regions that have a curve after the immersion.

    ``baseline`` by (side, region) is used where the recording holds no frames before the immersion (negative times).
    What a curve cannot tell (no baseline, a gap, too short) gives no row and a sentence. The same ``seed`` gives the
    same uncertainties.
    """
    random = np.random.default_rng(seed)
    moves = drawn_causes(curves, random)
    metrics: list[RewarmingMetric] = []
    missing: dict[str, list[str]] = {}
    courses: dict[Name, Course] = {}
    readings: dict[bytes, Reading] = {}
    for row, name in enumerate(curves.names):
        course = region_course(curves, row, moves, (baseline or {}).get(name), random, readings)
        if course is None:
            missing.setdefault("fewer than two frames after the immersion: nothing was computed", []).append(
                _said(name)
            )
            continue
        courses[name] = course
        for item in course_figures(course):
            if isinstance(item, str):
                missing.setdefault(item, []).append(_said(name))
            else:
                metrics.append(item)
    metrics += differences(curves, courses)
    order = {name: row for row, name in enumerate(curves.names)}
    metrics.sort(key=lambda item: order[item.side, item.region])
    warnings = [f"{reason} ({_listed(names, len(curves.names))})" for reason, names in missing.items()]
    return RewarmingResult(tuple(metrics), (*curves.left_out, *warnings))


def rewarming_table(result: RewarmingResult, *, participant: str = "", visit: str = "", scan: str = "") -> pd.DataFrame:
    """The figures as rows of :data:`rewarm.tables.MEASUREMENTS`; ``scan`` is the recording, or a series' first scan."""
    rows: list[dict[str, Any]] = [
        {
            "participant": participant, "visit": visit, "scan": scan,
            "time_s": nan if item.time_s is None else item.time_s,
            "side": item.side, "region": item.region, "metric": item.metric, "value": item.value, "unit": item.unit,
            "u": item.u, "n_px": item.n_px, "method": item.note, "software": f"rewarm {__version__}",
        }
        for item in result.metrics
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(MEASUREMENTS))
    words = ("participant", "visit", "scan", "side", "region", "metric", "unit", "method", "software")
    table = table.astype(dict.fromkeys(words, "str"))
    return table.astype({"time_s": np.float64, "value": np.float64, "u": np.float64, "n_px": np.int64})


def _said(name: Name) -> str:
    return f"{name[0]} {name[1]}"


def _listed(names: Sequence[str], total: int) -> str:
    if len(names) == total:
        return "all regions"
    return ", ".join(names)
