"""Diaries: several entries a day made into one, and what was kept of the days that could have been."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd

from rewarm.study.records import COLOURS, DIARY

COVERAGE: Final = {
    "participant": "who",
    "first_day": "the first day with an entry",
    "last_day": "the last one",
    "days": "days from the first to the last, both counted",
    "days_kept": "days of these with an entry",
    "share_kept": "days_kept over days",
    "longest_gap_days": "longest run of days without an entry",
    "gaps": "such runs, each as first day..last day, joined by ;",
    "entries": "rows of the diary",
    "most_entries_a_day": "most entries of one day (and side)",
    "offsets": "UTC offsets that the times were written with, joined by ;",
    "days_before": "kept days before the first injection; empty where nobody recorded one",
    "days_after": "kept days from the first injection on",
}
"""Columns of :func:`diary_coverage`, one row a participant."""
_KEYS: Final = ["participant", "side", "day"]
_MOST_GAPS: Final = 20


def diary_days(diary: pd.DataFrame) -> pd.DataFrame:
    """One row a participant, side and day (the person's own calendar), of entries that may be several a day.

    ``diary`` is that of :class:`rewarm.clinical.StudyTables`. Counts, minutes and hours are added, scores are averaged,
    of pain and ulcers the worst is taken, words are joined, as the data dictionary says of each column (the height of
    heels is averaged by hours). A figure that no entry of the day holds stays NaN. Columns: participant, side, day,
    entries (how many a row rests on), then those of the diary; sorted by participant in the order of the diary, side
    and day. Index 0, 1, ...
    """
    order = {name: place for place, name in enumerate(dict.fromkeys(diary["participant"]))}
    groups = diary.groupby(_KEYS, sort=False, dropna=False)
    days = groups.size().rename("entries").to_frame()
    weights = diary["heel_hours"].where(diary["heel_height_mm"].notna())
    for column in DIARY.columns:
        if column.daily == "sum":
            days[column.name] = groups[column.name].sum(min_count=1)
        elif column.name == "heel_height_mm":
            days[column.name] = _weighted(diary, weights)
        elif column.daily == "mean":
            days[column.name] = groups[column.name].mean()
        elif column.daily == "worst":
            days[column.name] = groups[column.name].max()
        elif column.daily == "joined":
            days[column.name] = _all_words(diary, column.name).reindex(days.index).fillna("").astype(str)
    days = days.reset_index()
    days["order"] = days["participant"].map(order)
    days = days.sort_values(["order", "side", "day"], kind="stable").drop(columns="order")
    return days.reset_index(drop=True)


def _weighted(diary: pd.DataFrame, weights: pd.Series) -> pd.Series:
    """Mean height by hours, so that hours × height of the day stays what it was; plain where no hours are known."""
    load = (diary["heel_height_mm"] * weights).groupby([diary[key] for key in _KEYS], sort=False).sum(min_count=1)
    hours = weights.groupby([diary[key] for key in _KEYS], sort=False).sum(min_count=1)
    plain = diary.groupby(_KEYS, sort=False)["heel_height_mm"].mean()
    return (load / hours.where(hours > 0)).fillna(plain)


def _all_words(diary: pd.DataFrame, column: str) -> pd.Series:
    """The words of each day that has any; days with one text only are not looked at one by one."""
    said = diary.loc[diary[column] != "", [*_KEYS, column]].drop_duplicates()
    said[column] = said[column].map({text: _joined([text]) for text in said[column].unique()})
    again = said.duplicated(_KEYS, keep=False)
    alone: pd.Series = said[~again].set_index(_KEYS)[column]
    return alone if not again.any() else pd.concat([alone, said[again].groupby(_KEYS, sort=False)[column].agg(_joined)])


def _joined(cells: Iterable[str]) -> str:
    """Every word once, colours in the order of an attack."""
    words = list(dict.fromkeys(part.strip() for text in cells for part in str(text).split(";") if part.strip()))
    places = {word: place for place, word in enumerate(COLOURS)}
    return ";".join(sorted(words, key=lambda word: places.get(word, len(places))))


def diary_coverage(diary: pd.DataFrame, injections: pd.DataFrame | None = None) -> pd.DataFrame:
    """Per participant: from when to when the diary was kept, what is missing between, in which time zones.

    ``diary`` and ``injections`` are those of :class:`rewarm.clinical.StudyTables`. Columns: :data:`COVERAGE`. Days
    before the first entry and after the last do not count as missing: nobody said how long it was to be kept.
    """
    rows = [
        _coverage(name, mine, _first_injection(name, injections))
        for name, mine in diary[diary["day"].notna()].groupby("participant", sort=False)
    ]
    return pd.DataFrame(rows, columns=list(COVERAGE))


def _coverage(name: Hashable, mine: pd.DataFrame, injected: pd.Timestamp | None) -> dict[str, object]:
    kept = pd.DatetimeIndex(sorted(mine["day"].unique()))
    days = int((kept[-1] - kept[0]).days) + 1
    gaps = [
        (before + pd.Timedelta(days=1), after - pd.Timedelta(days=1))
        for before, after in pairwise(kept)
        if (after - before).days > 1
    ]
    spelt = [f"{start:%Y-%m-%d}..{end:%Y-%m-%d}" for start, end in gaps[:_MOST_GAPS]]
    if len(gaps) > _MOST_GAPS:
        spelt.append(f"{len(gaps) - _MOST_GAPS} more")
    return {
        "participant": str(name),
        "first_day": kept[0].date().isoformat(),
        "last_day": kept[-1].date().isoformat(),
        "days": days,
        "days_kept": len(kept),
        "share_kept": round(len(kept) / days, 3),
        "longest_gap_days": max(((end - start).days + 1 for start, end in gaps), default=0),
        "gaps": ";".join(spelt),
        "entries": len(mine),
        "most_entries_a_day": int(mine.groupby(["side", "day"]).size().max()),
        "offsets": ";".join(_offsets(mine)),
        "days_before": np.nan if injected is None else float((kept < injected).sum()),
        "days_after": np.nan if injected is None else float((kept >= injected).sum()),
    }


def _offsets(mine: pd.DataFrame) -> list[str]:
    """``+01:00``, in the order in which they first occur."""
    offsets = (mine["date"] - mine["utc"]).dropna()
    return [offset_words(value) for value in offsets.unique()]


def offset_words(offset: pd.Timedelta) -> str:
    """A difference to UTC as ISO 8601 writes it."""
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _first_injection(name: Hashable, injections: pd.DataFrame | None) -> pd.Timestamp | None:
    if injections is None:
        return None
    days = injections.loc[injections["participant"] == name, "day"].dropna()
    return None if days.empty else days.min()
