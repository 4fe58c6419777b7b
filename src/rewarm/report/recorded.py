"""Who they are and what was recorded beside the scans, as tables of text for the report."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from rewarm.report.context import TextTable, cell_text, count_words
from rewarm.report.words import number, visit_words
from rewarm.study.results import StudyResult

NOT_KNOWN: Final = "–"
_MANY: Final = 10
"""From so many people on, mean and standard deviation say more than median and range."""
_PRODUCTS_APART: Final = (
    "Units of products are not interchangeable: they are neither converted nor added. Nothing here is a recommendation."
)
CHARACTERISTICS: Final = {
    "prior_treatments": "treated before with",
    "underlying": "underlying disease",
    "units_u": "first injection",
    "follow_up": "first to last visit",
    "ambient_c": "room at the first visit",
    "outdoor_mean_c": "outdoors at the first visit",
    "mean": "temperature at baseline",
    "distal_proximal_difference": "temperature above the arch’s or palm’s at baseline",
    "distal_dorsal_difference": "temperature above that of the back of the foot or hand at baseline",
    "rcs": "Raynaud’s condition score (0 to 10)",
    "cold_intolerance": "cold intolerance (0 to 100)",
    "attacks_n": "attacks a day",
    "attack_minutes": "minutes of attacks a day",
    "pain_vas": "worst pain (0 to 100)",
    "heel_hours": "hours in heels a day",
    "heel_height_mm": "height of heels",
    "swelling_mm": "swelling",
    "steps": "steps a day",
    "ulcers_n": "ulcers",
}
UNIT_WORDS: Final = {"degC": "°C", "delta_degC": "°C", "degC/min": "°C/min", "degC min": "°C min", "percent": "%",
                     "1": "", "U": "U", "mm2": "mm²", "degC2": "°C²"}  # fmt: skip


def recorded_tables(result: StudyResult) -> tuple[TextTable, ...]:
    """Who they are and what was recorded beside the scans."""
    tables = [
        _first_table(result),
        _as_recorded(
            result, "participants", "Participants",
            ("participant", "sex", "birth_year", "condition", "underlying", "prior_treatments", "arm", "notes"),
        ),
        _as_recorded(
            result, "visits", "Visits",
            ("participant", "visit", "date", "ambient_c", "humidity_pct", "settling_min", "outdoor_mean_c", "notes"),
        ),
        _injections(result),
        _injection_totals(result),
        _diary(result),
        _as_recorded(
            result, "events", "Events",
            ("participant", "date", "term", "severity", "relatedness", "resolved_date", "notes"),
            note="Recorded alongside, not analysed here.",
        ),
    ]  # fmt: skip
    return tuple(table for table in tables if table is not None)


HEADINGS = {
    "birth_year": "born",
    "prior_treatments": "treated before with",
    "ambient_c": "room, °C",
    "humidity_pct": "humidity, %",
    "settling_min": "settled, min",
    "outdoor_mean_c": "outdoors, °C",
    "units_u": "units, U",
    "volume_ml": "volume, mL",
    "concentration_u_per_ml": "U/mL",
    "resolved_date": "resolved",
}
WORDS = ("condition", "underlying", "prior_treatments", "visit", "recent_exercise")


def _as_recorded(
    result: StudyResult, name: str, caption: str, columns: Sequence[str], note: str = ""
) -> TextTable | None:
    table = result.tables.get(name)
    if table is None or table.empty:
        return None
    kept = [column for column in columns if column in table and any(cell_text(value) for value in table[column])]
    rows = tuple(
        tuple(_words(column, cell_text(value)) for column, value in zip(kept, values, strict=True))
        for values in table[kept].itertuples(index=False, name=None)
    )
    return TextTable(caption, tuple(HEADINGS.get(column, column.replace("_", " ")) for column in kept), rows, note)


def _words(column: str, text: str) -> str:
    return text.replace("_", " ").replace(";", ", ") if column in WORDS else text


def _injections(result: StudyResult) -> TextTable | None:
    """One row per person, day, side and product; what was given at each site stands as it was recorded."""
    table = result.tables.get("injections")
    if table is None or table.empty:
        return None
    keys = [key for key in ("participant", "date", "side", "product") if key in table]
    groups: dict[tuple[str, ...], dict[str, list[str]]] = {}
    for row in table.to_dict("records"):
        who = tuple(cell_text(row[key]) for key in keys)
        amounts = [
            f"{cell_text(row[column])} {unit}"
            for column, unit in (("units_u", "U"), ("volume_ml", "mL"), ("concentration_u_per_ml", "U/mL"))
            if column in row and cell_text(row[column])
        ]
        given = ", ".join(amounts) or "amount not recorded"
        groups.setdefault(who, {}).setdefault(given, []).append(cell_text(row.get("site", "")))
    rows = tuple(
        (
            *who,
            "; ".join(f"{', '.join(sites)}: {given}{' each' if len(sites) > 1 else ''}" for given, sites in by.items()),
        )
        for who, by in groups.items()
    )
    return TextTable("Injections, as recorded", (*keys, "sites and amounts"), rows, _PRODUCTS_APART)


def _injection_totals(result: StudyResult) -> TextTable | None:
    """Totals per limb and visit, per visit and per year; what does not add up stands beside them."""
    totals = result.injection_totals
    if totals is None:
        return None
    flagged = bool(totals["flags"].any())
    rows: list[tuple[str, ...]] = []
    for row in totals.to_dict("records"):
        where = {"limb": f"{row['side']} {row['limb']}".strip() or "site not known", "visit": "all limbs"}
        when = str(row["date"]) or str(row["year"])
        if row["visit"]:
            when += f" ({visit_words(str(row['visit']))})"
        cells = (
            str(row["participant"]),
            when,
            where.get(str(row["scope"]), "whole year"),
            str(row["product"]),
            str(row["injections"]),
            cell_text(row["units_u"]) or NOT_KNOWN,
            cell_text(row["volume_ml"]) or NOT_KNOWN,
        )
        rows.append((*cells, str(row["flags"])) if flagged else cells)
    header: tuple[str, ...] = ("participant", "when", "where", "product", "sites", "units, U", "volume, mL")
    note = f"{_PRODUCTS_APART} A volume is missing where that of any site was not recorded."
    if flagged:
        header = (*header, "what does not add up")
        note += " What does not add up was not corrected."
    return TextTable("Injections: totals", header, tuple(rows), note)


def _first_table(result: StudyResult) -> TextTable | None:
    return None if result.first_table is None else first_table_text(result.first_table)


def first_table_text(table: pd.DataFrame) -> TextTable:
    """One column an arm: count and per cent, mean and standard deviation, or median and range of few people."""
    arms = list(dict.fromkeys(table["arm"]))
    people = {arm: int(table.loc[table["arm"] == arm, "people"].iloc[0]) for arm in arms}
    rows = []
    for (name, level, unit), mine in table.groupby(["characteristic", "level", "unit"], sort=False):
        if name == "participants":
            continue
        cells = {str(row["arm"]): row for row in mine.to_dict("records")}
        rows.append((_characteristic(str(name), str(level), str(unit)), *(_described(cells[arm]) for arm in arms)))
    header = ("", *(f"{arm} (n = {people[arm]})" for arm in arms))
    note = (
        f"Words: how many of those of whom it was recorded. Figures: mean (standard deviation) of {_MANY} people or "
        "more, median (lowest to highest) of fewer; one figure a person. Baseline is the first visit; of the diary, "
        "the days before the first injection. Differences between arms are described and not tested."
    )
    return TextTable("Who took part", header, tuple(rows), note)


def _characteristic(name: str, level: str, unit: str) -> str:
    text = CHARACTERISTICS.get(name, name.replace("_", " "))
    if level:
        text += f": {level if name == 'units_u' else level.replace('_', ' ').replace('raynaud', 'Raynaud')}"
    unit = UNIT_WORDS.get(unit, unit)
    return f"{text}, {unit}" if unit else text


def _described(row: Mapping[Hashable, Any]) -> str:
    known, people = int(row["n"]), int(row["people"])
    if known == 0:
        return NOT_KNOWN
    if pd.notna(row["count"]):
        text = f"{row['count']:.0f} of {known} ({100 * row['count'] / known:.0f} %)"
    elif known >= _MANY:
        mean, sd = _figures(row["mean"], row["sd"])
        text = f"{mean} ({sd})"
    elif known == 1:
        (text,) = _figures(row["median"])
    else:
        low, high = _figures(row["low"], row["high"])
        median = _figures(row["median"], row["low"], row["high"])[0] if "." in low else _figures(row["median"])[0]
        text = median if low == high else f"{median} ({low} to {high})"
    missing = people - known
    return f"{text}; {missing} not recorded" if missing and pd.isna(row["count"]) else text


def _figures(*values: float) -> tuple[str, ...]:
    """Figures that stand together, all with one decimal or all with none."""
    whole = max(map(abs, values)) >= 100 or all(float(value).is_integer() for value in values)
    return tuple(number(value, 0 if whole else 1) for value in values)


def _diary(result: StudyResult) -> TextTable | None:
    """Per person: when the diary was kept, which days are missing, and between which values each column lies."""
    diary, coverage = result.tables.get("diary"), result.diary_coverage
    if diary is None or coverage is None:
        return None
    rows = []
    for kept in coverage.to_dict("records"):
        mine = diary[diary["participant"] == kept["participant"]]
        ranges = [
            text
            for column in mine
            if column not in ("participant", "date", "side") and (text := _range(mine, str(column)))
        ]
        gap = int(kept["longest_gap_days"])
        rows.append(
            (
                str(kept["participant"]),
                f"{kept['first_day']} to {kept['last_day']}",
                f"{kept['days_kept']} of {kept['days']} ({100 * kept['share_kept']:.0f} %)",
                count_words(gap, "day", "days") if gap else "none",
                str(kept["entries"]),
                str(kept["offsets"]).replace(";", ", "),
                "; ".join(ranges),
            )
        )
    header = ("participant", "kept", "days with an entry", "longest gap", "entries", "UTC offsets", "recorded")
    note = (
        "Days before the first entry and after the last do not count as missing. "
        "Recorded: lowest and highest entry of each column."
    )
    return TextTable("Diary", header, tuple(rows), note)


def _range(table: pd.DataFrame, column: str) -> str:
    words = column.removesuffix("_mm").removesuffix("_n").replace("_", " ") + (", mm" if column.endswith("_mm") else "")
    values = pd.to_numeric(table[column], errors="coerce").dropna()
    if not values.empty:
        low, high = cell_text(float(values.min())), cell_text(float(values.max()))
        return f"{words} {low}" if low == high else f"{words} {low} to {high}"
    entries = sum(bool(cell_text(value)) for value in table[column])
    return f"{words} ({count_words(entries, 'entry', 'entries')})" if entries else ""
