"""What clinical tables and study.toml say about each other: dates in order, time zones, units, duplicates, design."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from rewarm.errors import Problem
from rewarm.study.csvtext import row_number, row_problems, shown
from rewarm.study.injections import injection_problems
from rewarm.study.measured import measured_problems
from rewarm.study.records import DIARY
from rewarm.study.settings import FILE as SETTINGS_FILE
from rewarm.tables import METRICS

Tables = Mapping[str, pd.DataFrame]
Moments = Mapping[tuple[str, str], pd.Series]
_FAR_DAYS: Final = 730
_OLDEST: Final = 110
_MOST_HOURS: Final = {"heel_hours": 24.0, "attack_minutes": 1440.0}


def consistency_problems(tables: Tables, settings: Mapping[str, Any], utc: Moments) -> list[Problem]:
    """Everything that the clinical tables, each fine in itself, say wrongly together or about the design."""
    problems: list[Problem] = []
    problems += _ages(tables)
    problems += _zones(tables, settings, utc)
    problems += _resolved_before_begun(tables.get("events"))
    for name in ("injections", "diary", "events"):
        problems += _far_from_visits(name, tables)
    problems += _injected_before_the_first_visit(tables)
    if "injections" in tables:
        problems += injection_problems(tables["injections"])
    if "diary" in tables:
        problems += _diary(tables["diary"], utc.get(("diary", "date")))
    if "measurements" in tables:
        problems += measured_problems(tables["measurements"])
    return problems + _design(tables, settings) + _outcomes(tables, settings)


def _has(frame: pd.DataFrame | None, *columns: str) -> bool:
    return frame is not None and all(column in frame for column in columns)


def _first_visits(tables: Tables) -> dict[str, tuple[pd.Timestamp, pd.Timestamp]]:
    """Each person's first and last day of a visit."""
    visits = tables.get("visits")
    if visits is None or not _has(visits, "participant", "date"):
        return {}
    days = visits[visits["date"].notna()].assign(day=lambda frame: frame["date"].dt.floor("D"))
    ends = days.groupby("participant")["day"].agg(["min", "max"])
    return {str(who): (row["min"], row["max"]) for who, row in ends.iterrows()}


def _ages(tables: Tables) -> list[Problem]:
    people = tables.get("participants")
    if people is None or not _has(people, "participant", "birth_year"):
        return []
    visits = _first_visits(tables)
    problems = []
    for row, who, born in zip(people.index, people["participant"], people["birth_year"], strict=True):
        if who not in visits or pd.isna(born):
            continue
        age = visits[who][0].year - born
        if age < 0 or age > _OLDEST:
            expected = f"a year of birth from {visits[who][0].year - _OLDEST} to that of the first visit"
            found = f"{born:.0f}, which makes an age of {age:.0f} years"
            severity: Any = "error" if age < 0 else "warning"
            problems.append(Problem("participants.csv", row_number(row), "birth_year", expected, found, severity))
    return problems


def _zones(tables: Tables, settings: Mapping[str, Any], utc: Moments) -> list[Problem]:
    """Times whose offset is not that of the study's own clocks on that day."""
    try:
        zone = ZoneInfo(str(settings.get("timezone", "")))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return []  # reported with study.toml
    problems: list[Problem] = []
    for name in ("visits", "diary", "injections"):
        moments, frame = utc.get((name, "date")), tables.get(name)
        if moments is None or frame is None or not _has(frame, "participant", "date"):
            continue
        timed = moments[moments.notna()]
        here = timed.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
        off = frame.loc[timed.index, "date"] != here.astype("datetime64[s]")
        for who, rows in frame.loc[timed.index[off]].groupby("participant", sort=False):
            count = f"{len(rows)} time{'s' if len(rows) > 1 else ''} of {who!r}"
            first = f"{rows['date'].iloc[0]:%Y-%m-%dT%H:%M} when it was {here[rows.index[0]]:%Y-%m-%dT%H:%M} there"
            advice = "Correct the offset, or leave it where the person travelled: the day is the one written"
            expected = f"the UTC offset of {settings['timezone']} on that day"
            problems.append(
                Problem(
                    f"{name}.csv", row_number(rows.index[0]), "date", expected, f"{count}, {first}", "warning", advice
                )
            )
    return problems


def _resolved_before_begun(events: pd.DataFrame | None) -> list[Problem]:
    if events is None or not _has(events, "date", "resolved_date"):
        return []
    early = events["resolved_date"].dt.floor("D") < events["date"].dt.floor("D")
    return [
        Problem("events.csv", row_number(row), "resolved_date", f"a day from {item['date']:%Y-%m-%d} on, when it began",
                f"{item['resolved_date']:%Y-%m-%d}", advice="Correct the one that is mistaken")
        for row, item in events[early].iterrows()
    ]  # fmt: skip


def _far_from_visits(name: str, tables: Tables) -> list[Problem]:
    """Dates years away from any visit of the person: a mistyped year, most often."""
    frame, visits = tables.get(name), _first_visits(tables)
    if frame is None or not _has(frame, "participant", "date"):
        return []
    reach = pd.Timedelta(days=_FAR_DAYS)
    first, last = (
        frame["participant"].map({who: ends[end] for who, ends in visits.items()}).astype("datetime64[s]")
        for end in (0, 1)
    )
    far = (frame["date"] < first - reach) | (frame["date"] > last + reach)
    found = frame.loc[far, "date"].dt.strftime("%Y-%m-%d")
    advice = "Is the year right?"
    return row_problems(
        f"{name}.csv", "date", "a day within two years of the person's visits", found, severity="warning", advice=advice
    )


def _injected_before_the_first_visit(tables: Tables) -> list[Problem]:
    injections, visits = tables.get("injections"), _first_visits(tables)
    if injections is None or not _has(injections, "participant", "date"):
        return []
    problems = []
    for who, mine in injections[injections["date"].notna()].groupby("participant", sort=False):
        first = mine["date"].min()
        if str(who) in visits and first.floor("D") < visits[str(who)][0]:
            expected = f"a visit of participant {who!r} before the first injection"
            found = f"{first:%Y-%m-%d}, and the first visit on {visits[str(who)][0]:%Y-%m-%d}"
            advice = "Without a baseline no change can be computed for this person"
            problems.append(
                Problem("injections.csv", row_number(mine["date"].idxmin()), "date", expected, found, "warning", advice)
            )
    return problems


def _diary(diary: pd.DataFrame, moments: pd.Series | None) -> list[Problem]:
    if not _has(diary, "participant", "date"):
        return []
    table = diary.assign(
        side=diary.get("side", ""),
        day=diary["date"].dt.floor("D"),
        utc=moments if moments is not None else pd.Series(pd.NaT, diary.index),
    )
    table = table[table["date"].notna() & (table["participant"] != "")]
    return [*_same_moment(table), *_several_a_day(table), *_attacks(table)]


def _same_moment(table: pd.DataFrame) -> list[Problem]:
    """One moment written with two offsets."""
    timed = table[table["utc"].notna()]
    keys = ["participant", "side", "utc"]
    again = timed[timed.duplicated(keys) & ~timed.duplicated(["participant", "side", "date"])]
    expected = "every moment of a person and side once, whatever the offset"
    advice = "An earlier row has the same moment with another offset"
    return row_problems("diary.csv", "date", expected, again["date"].dt.strftime("%Y-%m-%d %H:%M"), advice=advice)


def _several_a_day(table: pd.DataFrame) -> list[Problem]:
    several = table.groupby(["participant", "side", "day"], sort=False).size()
    several = several[several > 1]
    if several.empty:
        return []
    days = f"{len(several)} day{'s' if len(several) > 1 else ''} with up to {several.max()} entries"
    rules = {word: [c.name for c in DIARY.columns if c.daily == word and c.name in table] for word in ("sum", "worst")}
    added, worst = ", ".join(rules["sum"]), ", ".join(rules["worst"])
    parts = [f"added are {added}" * bool(added), f"of {worst} the highest counts" * bool(worst), "scores are averaged"]
    advice = f"They become one entry a day: {'; '.join(part for part in parts if part)}"
    problems = [Problem("diary.csv", 0, "date", "one entry a person, side and day", days, "warning", advice)]
    return [*problems, *_whole_and_parts(table), *_more_than_a_day_holds(table)]


def _whole_and_parts(table: pd.DataFrame) -> list[Problem]:
    """A day with an entry of its own and entries with their times."""
    keys = ["participant", "side", "day"]
    alone = table["utc"].isna()
    counts = table.assign(alone=alone, timed=~alone).groupby(keys, sort=False)[["alone", "timed"]].transform("sum")
    mixed = table[alone & (counts["timed"] > 0)]
    if mixed.empty:
        return []
    days = len(mixed.drop_duplicates(keys))
    expected = "of one day either a single entry, or entries with their times"
    found = f"both, on {days} day{'s' if days > 1 else ''}"
    advice = "Is the entry without a time the sum of the others? Then delete either"
    return [Problem("diary.csv", row_number(mixed.index[0]), "date", expected, found, "warning", advice)]


def _more_than_a_day_holds(table: pd.DataFrame) -> list[Problem]:
    """Hours and minutes of several entries that are more than the day has."""
    problems = []
    for column, most in _MOST_HOURS.items():
        if column not in table:
            continue
        totals = table.groupby(["participant", "side", "day"], sort=False)[column].agg(["sum", "size"]).reset_index()
        for row in totals[(totals["sum"] > most) & (totals["size"] > 1)].to_dict("records"):
            unit = DIARY.column(column).unit
            expected = f"at most {most:g} {unit} on one day of participant {row['participant']!r}"
            found = f"{row['sum']:g} {unit} over the entries of {row['day']:%Y-%m-%d}"
            problems.append(Problem("diary.csv", 0, column, expected, found))
    return problems


def _attacks(table: pd.DataFrame) -> list[Problem]:
    if not _has(table, "attacks_n", "attack_minutes"):
        return []
    odd = table.loc[(table["attacks_n"] == 0) & (table["attack_minutes"] > 0), "attack_minutes"]
    expected = "0 minutes, because attacks_n is 0"
    return row_problems("diary.csv", "attack_minutes", expected, odd.map("{:g}".format), severity="warning")


def _design(tables: Tables, settings: Mapping[str, Any]) -> list[Problem]:
    """What study.toml says of the design, where the tables say otherwise."""
    design = settings.get("design")
    people, injections = tables.get("participants"), tables.get("injections")
    if not isinstance(design, Mapping):
        return []
    problems: list[Problem] = []
    arms = people["arm"] if people is not None and "arm" in people else pd.Series("", dtype=str)
    named = [arm for arm in arms.unique() if arm]
    if design.get("kind") == "parallel" and len(named) < 2:
        found = f"only {shown(named[0])}" if named else "none"
        problems.append(
            Problem("participants.csv", 0, "arm", "two arms or more, because the design is parallel", found, "warning")
        )
    if named and people is not None and (arms == "").any():
        lost = people.loc[arms == "", "participant"] if "participant" in people else arms[arms == ""]
        expected = "an arm of every participant, because others have one"
        problems += row_problems("participants.csv", "arm", expected, lost, severity="warning")
    apart = design.get("control") == "untreated_limb" or design.get("kind") == "split_limb"
    if apart and injections is not None and _has(injections, "participant", "side", "units_u"):
        active = injections[injections["units_u"] > 0]
        for who, sides in active.groupby("participant", sort=False)["side"]:
            if sides[sides != ""].nunique() > 1:
                word = (
                    "control is untreated_limb" if design.get("control") == "untreated_limb" else "kind is split_limb"
                )
                expected = f"one untreated side of participant {who!r}, because the design's {word}"
                problems.append(
                    Problem("injections.csv", row_number(sides.index[0]), "side", expected, "both treated", "warning")
                )
    return problems


def _outcomes(tables: Tables, settings: Mapping[str, Any]) -> list[Problem]:
    """A declared outcome that no table holds."""
    outcomes = settings.get("outcomes")
    if not isinstance(outcomes, Mapping):
        return []
    diary, measured = tables.get("diary"), tables.get("measurements")
    primary = outcomes.get("primary")
    if not isinstance(primary, str) or not primary:
        expected = "one primary outcome, named before the data are looked at"
        return [Problem(SETTINGS_FILE, 0, "outcomes.primary", expected, "none", "warning")]
    if primary in METRICS:
        there = "scans" in tables or (measured is not None and primary in set(measured.get("metric", ())))
        where = "rows of it in measurements.csv, or recordings"
    else:
        entries = pd.Series(dtype=str) if diary is None or primary not in diary else diary[primary].dropna()
        there = bool((entries.astype(str) != "").any())
        where = "entries of it in diary.csv"
    if there:
        return []
    expected = f"{where}, because it is the primary outcome"
    return [Problem(SETTINGS_FILE, 0, "outcomes.primary", expected, f"none of {primary!r}", "warning")]
