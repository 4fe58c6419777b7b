"""The first table of a paper: who took part, by arm, described and not tested (baseline p-values mean nothing)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import numpy as np
import pandas as pd

from rewarm.clinical import StudyTables
from rewarm.regions import FINGERS, TOES
from rewarm.study.diary import diary_days
from rewarm.study.records import DIARY
from rewarm.tables import METRICS

FIRST_TABLE: Final[Mapping[str, str]] = {
    "characteristic": "what is described: participants, age, sex, condition, ..., a metric or a diary column",
    "level": "the word that is counted, the product, or toes or fingers; empty of a figure",
    "unit": "unit of mean to high; empty of a count",
    "arm": "the arm as in participants.csv; all: everyone",
    "people": "participants of the arm",
    "n": "of these, how many it was recorded of",
    "count": "how many have the level; empty of a figure",
    "mean": "mean over participants",
    "sd": "standard deviation between participants; empty of a single one",
    "median": "median over participants",
    "low": "lowest",
    "high": "highest",
}
"""Columns of :func:`first_table`, one row a characteristic, level and arm."""
ALL: Final = "all"
NO_ARM: Final = "arm not stated"
BASELINE_DAYS: Final = 14
"""Of who was never injected, the first days of the diary stand for the baseline."""
_USUAL: Final = ("mean", "distal_dorsal_difference", "distal_proximal_difference")
_DIGITS: Final = {"toes": TOES, "fingers": FINGERS}


def first_table(tables: StudyTables, measurements: pd.DataFrame | None = None) -> pd.DataFrame:
    """Age, sex, condition, underlying disease, earlier treatments, dose and baseline values, by arm and of all.

    ``measurements`` (columns of :data:`rewarm.tables.MEASUREMENTS`) may take the place of the study's own. A person is
    one figure: digits are averaged within the person. Baseline is the first visit, and of diaries the days before the
    first injection (of who was never injected the first 14 days). Metrics are the declared outcomes, or else the
    temperature of digits and its differences; of the diary all figures. Age is the calendar year of the first visit −
    the year of birth. Columns: :data:`FIRST_TABLE`; no rows where there are no participants.
    """
    people = tables.participants.drop_duplicates("participant")
    who = pd.Index(people["participant"])
    arms = pd.Series(people["arm"].to_numpy(), index=who)
    groups = _groups(arms)
    measured = tables.measurements if measurements is None else measurements
    rows: list[dict[str, object]] = []
    if len(who):
        rows += _counts("participants", "", pd.Series(1.0, index=who), groups)
    rows += _figures("age", "", "years", _ages(tables, who), groups)
    for column in ("sex", "condition", "underlying"):
        rows += _levels(column, pd.Series(people[column].to_numpy(), index=who), groups)
    treated = pd.Series(people["prior_treatments"].to_numpy(), index=who)
    for treatment in dict.fromkeys(part for text in treated for part in _parts(text)):
        had = treated.map(lambda text, name=treatment: float(name in _parts(text))).where(treated != "")
        rows += _counts("prior_treatments", treatment, had, groups)
    rows += _first_doses(tables, who, groups)
    rows += _figures("follow_up", "", "days", _follow_up(tables, who), groups)
    first = tables.visits.sort_values("date", kind="stable").drop_duplicates("participant").set_index("participant")
    for column, unit in (("ambient_c", "°C"), ("outdoor_mean_c", "°C")):
        rows += _figures(column, "", unit, first[column].reindex(who), groups)
    for metric, digits in _metrics(tables, measured):
        values = _baseline_of(metric, digits, measured, first["visit"].reindex(who))
        rows += _figures(metric, digits, METRICS[metric][0], values, groups)
    for column, values in _diary_baseline(tables, who):
        rows += _figures(column, "", DIARY.column(column).unit or "1", values, groups)
    table = pd.DataFrame(rows, columns=list(FIRST_TABLE))
    numbers = dict.fromkeys(("count", "mean", "sd", "median", "low", "high"), "float64")
    return table.astype(numbers | dict.fromkeys(("people", "n"), "int64"))


def _groups(arms: pd.Series) -> dict[str, pd.Index]:
    """Arm → its people; everyone last, and alone where no arms are stated."""
    named = {str(arm): arms.index[arms == arm] for arm in dict.fromkeys(arms) if arm}
    if named and (arms == "").any():
        named[NO_ARM] = arms.index[arms == ""]
    return named | {ALL: arms.index}


def _rows(
    characteristic: str,
    level: str,
    unit: str,
    values: pd.Series,
    groups: Mapping[str, pd.Index],
    describe: Callable[[pd.Series], dict[str, float]],
) -> list[dict[str, object]]:
    """One row an arm; none where nobody's value is known."""
    if not values.notna().any():
        return []
    return [
        {"characteristic": characteristic, "level": level, "unit": unit, "arm": arm, "people": len(members)}
        | {"n": int(values.reindex(members).notna().sum())}
        | describe(values.reindex(members).dropna())
        for arm, members in groups.items()
    ]


def _figures(
    characteristic: str, level: str, unit: str, values: pd.Series, groups: Mapping[str, pd.Index]
) -> list[dict[str, object]]:
    def describe(known: pd.Series) -> dict[str, float]:
        if known.empty:
            return {}
        return {
            "mean": float(known.mean()),
            "sd": float(known.std(ddof=1)) if len(known) > 1 else np.nan,
            "median": float(known.median()),
            "low": float(known.min()),
            "high": float(known.max()),
        }

    return _rows(characteristic, level, unit, values, groups, describe)


def _counts(
    characteristic: str, level: str, values: pd.Series, groups: Mapping[str, pd.Index]
) -> list[dict[str, object]]:
    """``values``: 1 has it, 0 has not, NaN nobody recorded."""
    return _rows(characteristic, level, "", values, groups, lambda known: {"count": float(known.sum())})


def _levels(column: str, values: pd.Series, groups: Mapping[str, pd.Index]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for level in dict.fromkeys(value for value in values if value):
        rows += _counts(column, level, (values == level).astype(float).where(values != ""), groups)
    return rows


def _parts(text: object) -> list[str]:
    return [part.strip() for part in str(text).split(";") if part.strip()]


def _ages(tables: StudyTables, who: pd.Index) -> pd.Series:
    first: pd.Series = tables.visits.groupby("participant")["date"].min()
    people = tables.participants.drop_duplicates("participant").set_index("participant")
    ages: pd.Series = first.dt.year.reindex(who) - people["birth_year"].reindex(who)
    return ages


def _follow_up(tables: StudyTables, who: pd.Index) -> pd.Series:
    days = tables.visits.groupby("participant")["day"].agg(["min", "max"])
    return (days["max"] - days["min"]).dt.days.astype("float64").reindex(who)


def _first_doses(tables: StudyTables, who: pd.Index, groups: Mapping[str, pd.Index]) -> list[dict[str, object]]:
    """Units on each person's first day of injection, by product: products are not added."""
    injections = tables.injections[tables.injections["day"].notna()]
    if injections.empty:
        return []
    first = injections.groupby("participant")["day"].transform("min")
    doses = injections[injections["day"] == first].groupby(["product", "participant"])["units_u"].sum(min_count=1)
    rows: list[dict[str, object]] = []
    for product in dict.fromkeys(injections["product"]):
        if product in doses.index.get_level_values("product"):
            rows += _figures("units_u", str(product), "U", doses.loc[product].reindex(who), groups)
    return rows


def _metrics(tables: StudyTables, measured: pd.DataFrame) -> Iterable[tuple[str, str]]:
    """The declared metrics, or the usual ones, of toes and of fingers, as far as they were measured."""
    declared = [name for name in (tables.outcomes.primary, *tables.outcomes.secondary) if name in METRICS]
    for metric in declared or _USUAL:
        regions = set(measured.loc[measured["metric"] == metric, "region"])
        for digits, members in _DIGITS.items():
            if regions.intersection(members):
                yield metric, digits


def _baseline_of(metric: str, digits: str, measured: pd.DataFrame, visits: pd.Series) -> pd.Series:
    """Each person's mean over the digits at the first visit; frames of recordings are left out of still figures.

    A time that was not reached is as long as it was waited, so it cannot be averaged: NaN for that person.
    """
    rows = measured[measured["region"].isin(_DIGITS[digits])]
    rows = rows[rows["visit"] == rows["participant"].map(visits)]
    wanted = rows[(rows["metric"] == metric) & rows["time_s"].isna()]
    values = wanted.groupby("participant")["value"].mean().reindex(visits.index)
    missed = rows.loc[(rows["metric"] == f"{metric}_reached") & (rows["value"] == 0), "participant"]
    return values.where(~values.index.isin(missed))


def _diary_baseline(tables: StudyTables, who: pd.Index) -> Iterable[tuple[str, pd.Series]]:
    """Each person's mean over the days before treatment, of every figure that the diary holds."""
    days = diary_days(tables.diary[tables.diary["day"].notna()])
    if days.empty:
        return
    first = tables.injections.dropna(subset="day").groupby("participant")["day"].min().to_dict()
    injected = pd.Series([first.get(who) for who in days["participant"]], index=days.index, dtype="datetime64[s]")
    begun = days.groupby("participant")["day"].transform("min")
    before = days["day"] < injected.fillna(begun + pd.Timedelta(days=BASELINE_DAYS))
    for column in DIARY.columns:
        if column.kind in ("number", "integer"):
            # both sides of a day first, so that a person with two rows a day weighs no more
            daily = days[before].groupby(["participant", "day"])[column.name].mean()
            yield column.name, daily.groupby("participant").mean().reindex(who)
