"""Times to recovery over people, some of whom never recovered while they were watched: Kaplan–Meier and Cox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class RecoveryCurve:
    """Kaplan–Meier: share not yet recovered after each of ``time_s`` (times,), with its 95 % interval.

    ``n`` digits of ``people`` people; ``median_s`` and its interval, NaN where it was not reached.
    """

    group: str
    time_s: NDArray[np.float64]
    not_recovered: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    at_risk: NDArray[np.int64]
    n: int
    reached: int
    people: int
    median_s: float
    median_lower_s: float
    median_upper_s: float


@dataclass(frozen=True)
class HazardRatio:
    """Cox: how many times as fast recovery comes per unit of ``covariate``; robust to digits of one person."""

    covariate: str
    ratio: float
    lower: float
    upper: float
    p: float
    n: int
    people: int


def recovery_times(measurements: pd.DataFrame, metric: str = "t50") -> pd.DataFrame:
    """Rows of the measurements table → one row a digit: participant, visit, scan, side, region, time_s, reached."""
    raise NotImplementedError


def recovery_curves(times: pd.DataFrame, by: str = "") -> tuple[RecoveryCurve, ...]:
    """Kaplan–Meier curves of the rows of :func:`recovery_times`, one for each value of column ``by``."""
    raise NotImplementedError


def recovery_hazards(times: pd.DataFrame, covariates: Sequence[str]) -> tuple[HazardRatio, ...]:
    """Cox regression of the rows of :func:`recovery_times` on numeric columns, clustered by participant."""
    raise NotImplementedError
