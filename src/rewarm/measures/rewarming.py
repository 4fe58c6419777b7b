"""Temperature curves → the figures of a cold challenge, each with its uncertainty, times censored where not reached.

Names in the measurements table (one row a side and region, ``time_s`` empty unless said):

``tpre`` (degC)
    mean temperature before the immersion
``t0`` (degC)
    temperature of the first frames after the end of the immersion
``tmin`` (degC)
    lowest temperature
``rewarming_max`` (degC)
    highest temperature within 15 min after the end of the immersion
``lag`` (s), ``lag_reached`` (1)
    from the end of the immersion until the rise begins: where the tangent at the steepest rise cuts ``tmin``;
    ``lag_reached`` is 0 where nothing rose, and ``lag`` is then how long it was followed
``max_gradient`` (degC/min)
    slope of the steepest straight line fitted to any 60 s
``gradient_2min`` (degC/min)
    slope of the straight line fitted to the first two minutes after the end of the immersion
``auc`` (degC min)
    area between curve and ``tmin`` over the first 15 min after the end of the immersion
``recovery_5min``, ``recovery_10min``, ``recovery_15min`` (percent)
    (T − tmin)/(tpre − tmin) at that time
``t25``, ``t50``, ``t100`` (s), each with ``t25_reached``, ``t50_reached``, ``t100_reached`` (1)
    when the curve first reaches tmin + that share of (tpre − tmin); where it did not, ``…_reached`` is 0 and the time
    is how long it was followed: the true time is longer
``distal_dorsal_difference``, ``distal_proximal_difference`` (delta_degC)
    digit minus foot or hand at 0, 5, 10 and 15 min, and before the immersion; ``time_s`` says when
``time_constant`` (s)
    of the fitted rise: from its begin until 63.2 % of it
``vasomotion_power`` (degC2)
    variance between 0.005 and 0.05 Hz
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from rewarm.measures.rewarming_curves import RegionCurves


@dataclass(frozen=True)
class Baseline:
    """A region's temperature before the immersion, where the recording itself does not hold it (a scan at rest).

    ``u_c`` is its uncertainty as far as the recording does not share it.
    """

    value_c: float
    u_c: float


@dataclass(frozen=True)
class RewarmingMetric:
    """One figure of one region: ``metric`` is a name of this module's list, ``note`` what a person should know."""

    side: str
    region: str
    metric: str
    value: float
    unit: str
    u: float
    n_px: int
    time_s: float | None = None
    note: str = ""


@dataclass(frozen=True)
class RewarmingResult:
    """``metrics`` in the order of regions, and in plain words what could not be computed and why."""

    metrics: tuple[RewarmingMetric, ...]
    warnings: tuple[str, ...]


def rewarming_metrics(
    curves: RegionCurves, *, baseline: Mapping[tuple[str, str], Baseline] | None = None, seed: int = 1
) -> RewarmingResult:
    """All figures of all regions. ``baseline`` by (side, region) stands in for frames before the immersion."""
    raise NotImplementedError


def rewarming_table(result: RewarmingResult, *, participant: str = "", visit: str = "", scan: str = "") -> pd.DataFrame:
    """The figures as rows of :data:`rewarm.tables.MEASUREMENTS`."""
    raise NotImplementedError
