"""After against before in a cold challenge: what changed of each figure; times that were not reached stay bounds."""

from __future__ import annotations

from math import nan
from typing import Any, Final

import numpy as np
import pandas as pd

from rewarm.errors import InvalidInputError
from rewarm.measures.change import comparison_table
from rewarm.tables import MEASUREMENTS, SMALLEST_DETECTABLE_FACTOR

CENSORED_METRICS: Final = ("lag", "t25", "t50", "t100")
"""Times that may not have been reached: a row ``…_reached`` says so, and the time is then how long it was followed."""

REWARMING_METRICS: Final = (
    "tpre", "t0", "tmin", "rewarming_max", "lag", "max_gradient", "gradient_2min", "auc",
    "recovery_5min", "recovery_10min", "recovery_15min", "t25", "t50", "t100", "time_constant", "vasomotion_power",
)  # fmt: skip
"""Figures of a challenge whose change is asked for: one of each region, and none at a time of its own."""

_KEY: Final = ["side", "region", "metric"]


def compare_rewarmings(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    before_ambient_c: float | None = None,
    after_ambient_c: float | None = None,
) -> pd.DataFrame:
    """What changed between two challenges of one person: after − before of every figure that both hold.

    ``before`` and ``after`` have the columns of :data:`rewarm.tables.MEASUREMENTS`, the figures of one challenge each;
    the result those of :data:`rewarm.tables.COMPARISON`, without rows where nothing is in common. ``u`` is
    √(u_before² + u_after²), because between visits nothing is taken to cancel, and ``sdc`` 1.96·u covers measurement
    alone: how people vary from day to day comes on top (:func:`rewarm.measures.smallest_detectable_changes`).

    A time that was not reached is no figure but a bound. ``censored`` then says which of both it is, ``change``, ``u``
    and ``sdc`` are empty, so that no mean can take the bound for a time, and ``detectable`` is true where even the
    bound lies beyond 1.96·u of the other, empty where that cannot be said.

    Raises :class:`InvalidInputError` for tables of other columns, or of a figure twice.
    """
    for name, table in (("before", before), ("after", after)):
        _check(name, table)
    pairs = _rows(before).merge(_rows(after), on=_KEY, suffixes=("_before", "_after"))
    reached = [pairs[f"reached_{which}"].to_numpy(dtype=bool) for which in ("before", "after")]
    whole = reached[0] & reached[1]
    change = (pairs["value_after"] - pairs["value_before"]).to_numpy(dtype=np.float64)
    u = np.hypot(pairs["u_before"].to_numpy(dtype=np.float64), pairs["u_after"].to_numpy(dtype=np.float64))
    sdc = SMALLEST_DETECTABLE_FACTOR * u
    found = {
        "change": np.where(whole, change, nan),
        "u": np.where(whole, u, nan),
        "sdc": np.where(whole, sdc, nan),
        "detectable": _detectable(pairs, change, sdc, reached),
        "censored": np.select([whole, reached[1], reached[0]], ["", "before", "after"], "both"),
    }
    return comparison_table(before, after, pairs, found, rooms_c=(before_ambient_c, after_ambient_c))


def _detectable(pairs: pd.DataFrame, change: Any, sdc: Any, reached: list[Any]) -> Any:
    """Whether a change exceeds what measurement alone may be off by; of a bound, whether at least so much changed."""
    found = pd.array([pd.NA] * len(pairs), dtype="boolean")
    for i in range(len(pairs)):
        before, after = bool(reached[0][i]), bool(reached[1][i])
        if before and after and np.isfinite(sdc[i]):
            found[i] = bool(abs(change[i]) > sdc[i])
        elif before != after:
            u = pairs["u_before" if before else "u_after"].iloc[i]
            least = max(change[i], 0.0) if before else max(-change[i], 0.0)
            if least > SMALLEST_DETECTABLE_FACTOR * u:
                found[i] = True
    return found


def _rows(table: pd.DataFrame) -> pd.DataFrame:
    """The figures that are compared, each with whether it was reached."""
    flags = table.loc[table["metric"].isin([f"{name}_reached" for name in CENSORED_METRICS])]
    missed = {
        (side, region, str(metric).removesuffix("_reached"))
        for side, region, metric, value in zip(
            flags["side"], flags["region"], flags["metric"], flags["value"], strict=True
        )
        if value < 0.5
    }
    rows = table.loc[table["metric"].isin(REWARMING_METRICS), [*_KEY, "value", "u", "unit"]]
    keys = zip(rows["side"], rows["region"], rows["metric"], strict=True)
    return rows.assign(reached=np.array([key not in missed for key in keys], dtype=bool))


def _check(name: str, table: pd.DataFrame) -> None:
    missing = [column for column in MEASUREMENTS if column not in table.columns]
    if missing:
        raise InvalidInputError(
            f"{name}: expected the columns of a measurements table; missing {', '.join(missing)}. "
            "Use the table that rewarming_table returns"
        )
    twice = table.duplicated(_KEY) & table["metric"].isin(REWARMING_METRICS)
    if twice.any():
        side, region, metric = table.loc[twice, _KEY].iloc[0]
        raise InvalidInputError(
            f"{name}: expected each figure once; found {side} {region} {metric} twice or more. Give one challenge"
        )
