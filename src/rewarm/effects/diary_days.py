"""Diary rows → one value a local day: several entries joined, missing days left missing, time counted from treatment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.effects.outcomes import DiaryOutcome

Floats = NDArray[np.float64]

COLOURS: Final = ("white", "blue", "red")
_DAY: Final = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Window:
    """When a treatment is expected to act, in days since the injection.

    Days from 0 to ``first`` − 1 (it begins) and after ``last`` (it wanes) are kept apart from both sides of the
    comparison. Defaults: onset 6.7 ± 5 days and effect 78.5 ± 28.4 days in movement disorders (PMID 35113259).
    """

    first: int = 14
    last: int = 84


@dataclass(frozen=True, eq=False)
class DaySeries:
    """One person's outcome by day.

    ``day`` (n,) counts from the first injection (negative before it), ``value`` (n,) has no gaps: missing days are
    absent. ``outdoor_c`` (n,) is NaN where unknown. ``since_start`` (n,) counts from the person's first diary day.
    """

    who: str
    outcome: str
    day: Floats
    value: Floats
    outdoor_c: Floats
    since_start: Floats

    def period(self, window: Window) -> NDArray[np.str_]:
        """``before``, ``onset``, ``effect`` or ``waned`` for each day."""
        words = np.where(self.day < 0, "before", np.where(self.day < window.first, "onset", "effect"))
        return np.where(self.day > window.last, "waned", words)


def starts(injections: pd.DataFrame) -> dict[str, pd.Timestamp]:
    """Who → the day of the first injection, of whatever was injected (a placebo counts)."""
    days = local_day(injections["date"])
    first = days.groupby(injections["participant"].astype(str)).min()
    return {str(who): day for who, day in first.items()}


def treated_people(injections: pd.DataFrame) -> set[str]:
    """Who got more than zero units."""
    return set(injections.loc[injections["units_u"].fillna(0) > 0, "participant"].astype(str))


def treated_sides(injections: pd.DataFrame) -> dict[str, set[str]]:
    """Who → the sides that got more than zero units."""
    active = injections[injections["units_u"].fillna(0) > 0]
    return {str(who): set(rows["side"].astype(str)) for who, rows in active.groupby("participant")}


def local_day(dates: pd.Series) -> pd.Series:
    """The calendar day of each entry, as the person's own clock showed it.

    Entries with a UTC offset keep their own local day: an evening's entry made abroad belongs to that evening.
    """
    if isinstance(dates.dtype, pd.DatetimeTZDtype):
        return dates.dt.tz_localize(None).dt.normalize()
    if dates.dtype == object or isinstance(dates.dtype, pd.StringDtype):
        return pd.to_datetime(dates.astype(str).str.slice(0, 10))
    return dates.dt.normalize()


def colour_score(colours: pd.Series, attacks: pd.Series | None = None) -> pd.Series:
    """Number of different colours seen on a day, 0 to 3.

    An empty cell is "not recorded" (NaN), unless the same row says that there were no attacks: then no colour was seen.
    """
    words = colours.fillna("").astype(str).str.lower().str.replace(" ", "")
    seen = words.map(lambda cell: float(len({word for word in cell.split(";") if word in COLOURS})))
    recorded = words != ""
    if attacks is not None:
        recorded |= attacks.eq(0)
    return seen.where(recorded)


def outdoor_by_day(visits: pd.DataFrame) -> pd.Series:
    """Outdoor temperature by calendar day (°C), from the visits' own, joined by straight lines; empty where unknown.

    Between visits that lie more than 60 days apart nothing is known.
    """
    if "outdoor_mean_c" not in visits or visits["outdoor_mean_c"].notna().sum() < 2:
        return pd.Series(dtype=float, index=pd.DatetimeIndex([]))
    known = visits.dropna(subset=["outdoor_mean_c"])
    by_day = known["outdoor_mean_c"].astype(float).groupby(local_day(known["date"])).mean().sort_index()
    days = pd.date_range(by_day.index[0], by_day.index[-1], freq="D")
    filled = by_day.reindex(days).interpolate("time")
    positions = np.searchsorted(by_day.index.to_numpy(), days.to_numpy())
    right = by_day.index.to_numpy()[np.clip(positions, 0, len(by_day) - 1)]
    left = by_day.index.to_numpy()[np.clip(positions - 1, 0, len(by_day) - 1)]
    return filled.where((right - left) <= 60 * _DAY)


def day_series(
    diary: pd.DataFrame,
    outcome: DiaryOutcome,
    start_of: Mapping[str, pd.Timestamp],
    *,
    outdoor: pd.Series | None = None,
    treated_side: Mapping[str, set[str]] | None = None,
) -> list[DaySeries]:
    """One series a person who has a start and at least one value.

    Several entries of a day (and side) are averaged, counts and minutes added. Over sides, a person's value is the mean; with ``treated_side`` it is the
    treated minus the untreated side, for those who have both on a day.
    """
    if outcome.name not in diary:
        return []
    raw = diary[outcome.name]
    worded = outcome.scale == "ordinal" and raw.dtype.kind not in "if"
    values = colour_score(raw, diary.get("attacks_n")) if worded else raw.astype(float)
    side = diary["side"].fillna("").astype(str) if "side" in diary else pd.Series("", index=diary.index)
    table = pd.DataFrame(
        {"who": diary["participant"].astype(str), "day": local_day(diary["date"]), "side": side, "value": values}
    ).dropna(subset=["value", "day"])
    joined = table.groupby(["who", "day", "side"])["value"].agg("sum" if outcome.scale == "count" else "mean")
    wide = joined.unstack("side")
    found = []
    for who, rows in wide.groupby(level="who"):
        if str(who) not in start_of:
            continue
        daily = _over_sides(rows.droplevel("who"), None if treated_side is None else treated_side.get(str(who), set()))
        daily = daily.dropna().sort_index()
        if daily.empty:
            continue
        days = pd.DatetimeIndex(daily.index)
        found.append(
            DaySeries(
                who=str(who),
                outcome=outcome.name,
                day=_count(days, start_of[str(who)]),
                value=daily.to_numpy(dtype=float),
                outdoor_c=np.full(len(days), np.nan)
                if outdoor is None or outdoor.empty
                else outdoor.reindex(days).to_numpy(dtype=float),
                since_start=_count(days, days[0]),
            )
        )
    return found


def _over_sides(rows: pd.DataFrame, treated: set[str] | None) -> pd.Series:
    if treated is None:
        return rows.mean(axis=1)
    control = {"left", "right"} - treated
    if len(treated) != 1 or not {*treated, *control} <= set(rows.columns):
        return pd.Series(dtype=float, index=pd.DatetimeIndex([]))
    return rows[next(iter(treated))] - rows[next(iter(control))]


def _count(days: pd.DatetimeIndex, origin: pd.Timestamp) -> Floats:
    return np.asarray((days - origin) / pd.Timedelta(days=1), dtype=float)
