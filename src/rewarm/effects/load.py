"""What the forefoot carries: load of a day in heels, what is left of the days before, and how it changed.

Load of a day = hours in heels × height of the heel (h·cm; hours alone where no height was ever written). Pain follows
the carried load C(d) = (1 − ρ) Σ ρ^k load(d − k), of which the carry-over ρ is not known: every ρ of
:data:`CARRY_OVER` is tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.effects.diary_days import Window, local_day

Floats = NDArray[np.float64]

CARRY_OVER: Final = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.88)
"""Shares of yesterday's carried load that are still there today."""


@dataclass(frozen=True, eq=False)
class HeelDays:
    """One person's days, without gaps from the first to the last that the diary has; arrays (n,).

    ``day`` counts from the injection; ``pain``, ``hours`` and ``load`` are NaN where not written; ``unit`` is ``h cm``
    or ``h``.
    """

    who: str
    day: Floats
    pain: Floats
    hours: Floats
    load: Floats
    unit: str

    def period(self, window: Window) -> NDArray[np.str_]:
        """``before``, ``onset``, ``effect`` or ``waned`` for each day."""
        words = np.where(self.day < 0, "before", np.where(self.day < window.first, "onset", "effect"))
        return np.where(self.day > window.last, "waned", words)


def heel_days(diary: pd.DataFrame, start_of: Mapping[str, pd.Timestamp]) -> list[HeelDays]:
    """One :class:`HeelDays` a person who has a start and wrote heel hours and pain at least once.

    Pain and hours of several rows of a day (sides, entries) are averaged. A missing height is taken to be the person's
    median on days with heels; without hours there is no load, whatever the height.
    """
    if not {"heel_hours", "pain_vas"} <= set(diary.columns):
        return []
    columns = ["pain_vas", "heel_hours", "heel_height_mm"]
    table = diary.reindex(columns=columns).astype(float)
    table.insert(0, "who", diary["participant"].astype(str))
    table.insert(1, "date", local_day(diary["date"]))
    found = []
    for who, rows in table.groupby("who"):
        if str(who) not in start_of:
            continue
        daily = rows.groupby("date")[columns].mean()
        daily = daily.reindex(pd.date_range(daily.index.min(), daily.index.max(), freq="D"))
        hours, pain = daily["heel_hours"].to_numpy(), daily["pain_vas"].to_numpy()
        if not np.isfinite(hours).any() or not np.isfinite(pain).any():
            continue
        load, unit = _load(hours, daily["heel_height_mm"].to_numpy())
        dates = pd.DatetimeIndex(daily.index)
        day = np.asarray((dates - start_of[str(who)]) / pd.Timedelta(days=1), dtype=np.float64)
        found.append(HeelDays(str(who), day, pain, hours, load, unit))
    return found


def carried(days: HeelDays, rho: float) -> Floats:
    """Carried load of every day (n,), in the unit of the load.

    Days without a load are taken to be the mean of the days before, or after, the injection; the time before the diary
    likewise.
    """
    load = days.load.copy()
    before = days.day < 0
    for side in (before, ~before):
        known = side & np.isfinite(load)
        fallback = float(np.nanmean(days.load))
        load[side & ~np.isfinite(load)] = float(load[known].mean()) if known.any() else fallback
    level = float(load[before].mean()) if before.any() else float(load.mean())
    out = np.empty(load.size)
    for number, today in enumerate(load):
        level = rho * level + (1 - rho) * today
        out[number] = level
    return out


def _load(hours: Floats, height_mm: Floats) -> tuple[Floats, str]:
    worn = np.isfinite(height_mm) & (hours > 0)
    if not worn.any():
        return hours.copy(), "h"
    height = np.where(np.isfinite(height_mm), height_mm, np.median(height_mm[worn]))
    return np.where(hours > 0, hours * height / 10.0, hours), "h cm"
