"""Times to recovery over people, some of whom never recovered while they were watched: Kaplan–Meier and Cox.

A digit that did not reach half of its cooling within the recording recovered later than its end, or never. Leaving it
out makes recovery look faster than it is, and so does taking the recording's end for its time. Here it counts as
watched until then (right-censored). Digits of one person are alike: people, not digits, are drawn for the intervals.

Needs statsmodels (the extra ``effects``), which is loaded when a function here is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from math import exp
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.tables import SMALLEST_DETECTABLE_FACTOR

Floats = NDArray[np.float64]

DRAWS: Final = 1_000
COLUMNS: Final = ("participant", "visit", "scan", "side", "region", "time_s", "reached")


@dataclass(frozen=True, eq=False)
class RecoveryCurve:
    """Kaplan–Meier: share not yet recovered after each of ``time_s`` (times,), with its 95 % interval.

    ``n`` digits of ``people`` people, ``reached`` of which recovered; ``median_s`` and its interval, infinite where it
    was not reached; ``followed_s`` is how long the one watched longest was. Intervals are Greenwood's on the log–log
    scale where every person has one digit, else from 1,000 draws of people.
    """

    group: str
    time_s: Floats
    not_recovered: Floats
    lower: Floats
    upper: Floats
    at_risk: NDArray[np.int64]
    n: int
    reached: int
    people: int
    median_s: float
    median_lower_s: float
    median_upper_s: float
    followed_s: float


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
    """Rows of the measurements table → one row a digit: participant, visit, scan, side, region, time_s, reached (bool).

    ``metric`` is ``t25``, ``t50``, ``t100`` or ``lag``. Raises :class:`InvalidInputError` where the table has no such
    rows, or a time without its ``…_reached``.
    """
    keys = list(COLUMNS[:5])
    rows = measurements[measurements["metric"] == metric]
    told = measurements[measurements["metric"] == f"{metric}_reached"]
    if rows.empty:
        raise InvalidInputError(
            f"measurements: expected rows of metric {metric}; found none. Measure a recording of rewarming first"
        )
    joined = rows[[*keys, "value"]].merge(told[[*keys, "value"]], on=keys, how="left", suffixes=("", "_reached"))
    if joined["value_reached"].isna().any() or len(joined) != len(rows):
        raise InvalidInputError(
            f"measurements: expected one row {metric}_reached for each of the {len(rows)} rows of {metric}; "
            f"found {len(told)}. Without it nobody knows which times were reached"
        )
    joined = joined.rename(columns={"value": "time_s", "value_reached": "reached"})
    return joined.assign(reached=joined["reached"] > 0.5)[list(COLUMNS)]


def recovery_curves(times: pd.DataFrame, by: str = "", *, seed: int = 1) -> tuple[RecoveryCurve, ...]:
    """Kaplan–Meier curves of the rows of :func:`recovery_times`, one for each value of column ``by``, or one.

    (Kaplan and Meier 1958, doi 10.1080/01621459.1958.10501452.) Raises :class:`InvalidInputError` where statsmodels is
    missing, a time is negative or missing, or there is no row.
    """
    _check(times, [by] if by else [])
    groups = [("", times)] if not by else [(str(name), part) for name, part in times.groupby(by, sort=True)]
    return tuple(_curve(name, part, seed) for name, part in groups)


def recovery_hazards(times: pd.DataFrame, covariates: Sequence[str]) -> tuple[HazardRatio, ...]:
    """Cox regression of the rows of :func:`recovery_times` on numeric columns, clustered by participant.

    A ratio over 1 is a faster recovery. Ties are Efron's; the standard errors are the sandwich of Lin and Wei
    (doi 10.1080/01621459.1989.10478874) with people as clusters, and say too little with fewer than about 20 people.
    Raises :class:`InvalidInputError` as :func:`recovery_curves` does, and for a column that is not numeric or constant.
    """
    _check(times, covariates)
    if not covariates:
        raise InvalidInputError("covariates: expected one column or more; found none")
    values = times[list(covariates)].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    for name, column in zip(covariates, values.T, strict=True):
        if not np.isfinite(column).all() or np.ptp(column) == 0.0:
            raise InvalidInputError(f"{name}: expected a number in every row, and not always the same; found otherwise")
    if not times["reached"].any():
        raise InvalidInputError("times: expected at least one digit that recovered; found none: no rate to compare")
    phreg = _statsmodels("statsmodels.duration.hazard_regression").PHReg
    people = pd.factorize(times["participant"])[0]
    model = phreg(times["time_s"].to_numpy(), values, status=times["reached"].to_numpy(dtype=int), ties="efron")
    fit = model.fit(groups=people)
    found = []
    for k, name in enumerate(covariates):
        log_ratio, spread = float(fit.params[k]), float(fit.bse[k])
        reach = SMALLEST_DETECTABLE_FACTOR * spread
        found.append(
            HazardRatio(
                name, exp(log_ratio), exp(log_ratio - reach), exp(log_ratio + reach), float(fit.pvalues[k]),
                len(times), int(people.max()) + 1,
            )
        )  # fmt: skip
    return tuple(found)


def _curve(group: str, times: pd.DataFrame, seed: int) -> RecoveryCurve:
    survfunc = _statsmodels("statsmodels.duration.survfunc").SurvfuncRight
    time_s, reached = times["time_s"].to_numpy(dtype=np.float64), times["reached"].to_numpy(dtype=bool)
    people = pd.factorize(times["participant"])[0]
    found = survfunc(time_s, reached.astype(int))
    at, left = np.asarray(found.surv_times, dtype=np.float64), np.asarray(found.surv_prob, dtype=np.float64)
    if int(people.max()) + 1 == len(times):
        lower, upper = _greenwood(left, np.asarray(found.surv_prob_se, dtype=np.float64))
        medians = _median(at, np.stack([left, lower, upper]))
    else:
        draws = _drawn(time_s, reached, people, at, seed)
        lower, upper = np.quantile(draws, [0.025, 0.975], axis=0)
        reach = np.quantile(_median(at, draws), [0.025, 0.975], method="inverted_cdf")
        medians = np.concatenate([_median(at, left[None]), reach])
    return RecoveryCurve(
        group, at, left, lower, upper, np.asarray(found.n_risk, dtype=np.int64), len(times), int(reached.sum()),
        int(people.max()) + 1, *map(float, (*medians, time_s.max())),
    )  # fmt: skip


def _greenwood(left: Floats, spread: Floats) -> list[Floats]:
    """95 % of the share left, on the log–log scale, which keeps it between 0 and 1: lower, upper."""
    inside = (left > 0.0) & (left < 1.0) & (spread > 0.0)
    safe = np.where(inside, left, 0.5)
    reach = SMALLEST_DETECTABLE_FACTOR * spread / (safe * np.abs(np.log(safe)))
    ends = np.stack([safe ** np.exp(reach), safe ** np.exp(-reach)])
    return [np.asarray(end, dtype=np.float64) for end in np.where(inside, ends, left)]


def _drawn(time_s: Floats, reached: NDArray[np.bool_], people: NDArray[np.int64], at: Floats, seed: int) -> Floats:
    """Kaplan–Meier at times ``at`` for draws of people with replacement, (draws, times)."""
    count = int(people.max()) + 1
    weights = np.random.default_rng(seed).multinomial(count, np.full(count, 1.0 / count), size=DRAWS).astype(np.float64)
    events, at_risk = np.zeros((count, at.size)), np.zeros((count, at.size))
    for person in range(count):
        own, did = time_s[people == person], reached[people == person]
        events[person] = ((own[:, None] == at[None, :]) & did[:, None]).sum(axis=0)
        at_risk[person] = (own[:, None] >= at[None, :]).sum(axis=0)
    happened, watched = weights @ events, weights @ at_risk
    return np.asarray(np.cumprod(1.0 - happened / np.maximum(watched, 1.0), axis=1), dtype=np.float64)


def _median(at: Floats, left: Floats) -> Floats:
    """The first time at which half or fewer are left, for each of many curves (curves, times); infinite where none."""
    below = left <= 0.5 + 1e-12
    return np.asarray(np.where(below.any(axis=1), at[below.argmax(axis=1)], np.inf), dtype=np.float64)


def _check(times: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in (*COLUMNS, *columns) if name not in times.columns]
    if missing:
        raise InvalidInputError(f"times: expected columns {', '.join(missing)}; found {', '.join(times.columns)}")
    if times.empty:
        raise InvalidInputError("times: expected one digit or more; found none")
    values = times["time_s"].to_numpy(dtype=np.float64)
    if not np.all(np.isfinite(values) & (values >= 0.0)):
        raise InvalidInputError("times: expected time_s of 0 or more in every row; found others. Use recovery_times")


def _statsmodels(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise InvalidInputError(
            "Kaplan–Meier and Cox: expected statsmodels to be installed; found it missing. Install it with: "
            'pip install "rewarm[effects]"'
        ) from error
