"""Injections as recorded: what does not add up, and totals per limb, visit and year, always of one product.

Units of different products measure different things. They are never converted into each other and never added, and
nothing here says what should be injected: the limits below only find records that are probably mistaken. Where no
source is named they were chosen by rewarm.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from rewarm.clinical import StudyTables
from rewarm.errors import Problem
from rewarm.study.columns import did_you_mean
from rewarm.study.csvtext import row_number, row_problems

FILE: Final = "injections.csv"
TOTALS: Final = {
    "participant": "who",
    "scope": "limb (one limb at one visit), visit (all limbs at one visit), or year (all of one calendar year)",
    "date": "the day; empty of a year",
    "year": "the calendar year",
    "visit": "the visit of that day, or the last one before; empty where there is none, and of a year",
    "side": "left or right; empty over both",
    "limb": "foot or hand; empty over both, or where the site belongs to neither",
    "product": "as recorded: totals stay within a product",
    "sites": "the sites, joined by ;",
    "injections": "rows that the total rests on",
    "units_u": "units of this product",
    "volume_ml": "volume; empty where that of any site was not recorded",
    "flags": "what does not add up, in sentences; empty where nothing was found",
}
"""Columns of :func:`injection_totals`."""

_SCOPES: Final = {
    "limb": ["participant", "day", "side", "limb", "product"],
    "visit": ["participant", "day", "product"],
    "year": ["participant", "year", "product"],
}


@dataclass(frozen=True)
class Limits:
    """Beyond these a record of a product is probably mistaken: U/mL, and units in one foot or hand on one day."""

    least_u_per_ml: float
    most_u_per_ml: float
    most_u_a_limb: float


_TYPE_A: Final = Limits(10.0, 200.0, 200.0)
_ABO: Final = Limits(25.0, 1000.0, 600.0)
_TYPE_B: Final = Limits(250.0, 5000.0, 10_000.0)
PRODUCTS: Final = MappingProxyType(
    {
        **dict.fromkeys(("onabotulinumtoxina", "botox", "vistabel"), _TYPE_A),
        **dict.fromkeys(("incobotulinumtoxina", "xeomin", "bocouture"), _TYPE_A),
        **dict.fromkeys(("prabotulinumtoxina", "jeuveau", "nuceiva"), _TYPE_A),
        **dict.fromkeys(("letibotulinumtoxina", "letybo"), _TYPE_A),
        **dict.fromkeys(("daxibotulinumtoxina", "daxxify"), _TYPE_A),
        **dict.fromkeys(("abobotulinumtoxina", "dysport", "azzalure"), _ABO),
        **dict.fromkeys(("rimabotulinumtoxinb", "myobloc", "neurobloc"), _TYPE_B),
    }
)
"""Names of products in lower case, and the limits of each. 100 U dissolved in over 10 mL make under 10 U/mL."""
PLACEBOS: Final = ("placebo", "saline", "sham", "sodium chloride")
ADDS_UP_WITHIN: Final = 0.05
"""Share by which units may differ from volume × concentration: that much comes from rounding."""
MOST_ML_A_DIGIT: Final = 1.0
MOST_ML_A_LIMB: Final = 10.0
_DIGIT_SITES: Final = ("toe", "web", "finger")


def injection_problems(injections: pd.DataFrame) -> list[Problem]:
    """Everything in a table of injections that does not add up, as warnings with row, expected and found.

    ``injections`` is injections.csv as read: numbers float64, text "" where nothing was recorded; optional columns may
    be missing, and so may any other, of which nothing is said then.
    """
    table = _with_columns(injections)
    return [
        *_products(table),
        *_products_of_a_day(table),
        *_placebos(table),
        *_units_and_volume(table),
        *_dilutions(table),
        *_volumes(table),
        *_limb_totals(table),
        *_repeated_sites(table),
    ]


def injection_totals(tables: StudyTables) -> pd.DataFrame:
    """Units and volume per limb and visit, per visit, and per calendar year; one row a product, columns :data:`TOTALS`.

    Sorted as recorded. ``flags`` holds what :func:`injection_problems` says of the rows that a total rests on.
    """
    table = tables.injections[tables.injections["day"].notna()].copy()
    flags: dict[int, list[str]] = {}
    for problem in injection_problems(tables.injections):
        flags.setdefault(problem.row, []).append(_sentence(problem))
    table["year"] = table["day"].dt.year
    visits = {key: _visit(tables.visits, *key) for key in set(zip(table["participant"], table["day"], strict=True))}
    table["visit"] = [visits[key] for key in zip(table["participant"], table["day"], strict=True)]
    table["flags"] = [flags.get(row_number(row), []) for row in table.index]
    totals = pd.concat([_totals(table, scope, keys) for scope, keys in _SCOPES.items()], ignore_index=True)
    return totals[list(TOTALS)]


def _totals(table: pd.DataFrame, scope: str, keys: list[str]) -> pd.DataFrame:
    groups = table.groupby(keys, sort=False, dropna=False)
    first = groups[["participant", "day", "year", "visit", "side", "limb", "product"]].first()
    totals = first.set_axis(pd.RangeIndex(len(first))).assign(scope=scope)
    totals["date"] = totals["day"].dt.strftime("%Y-%m-%d") if scope != "year" else ""
    totals["visit"] = totals["visit"] if scope != "year" else ""
    for name in ("side", "limb"):
        totals[name] = totals[name] if scope == "limb" else ""
    totals["injections"] = groups.size().to_numpy(dtype="int64")
    for name in ("units_u", "volume_ml"):
        known = (groups[name].count() == groups.size()).to_numpy()
        totals[name] = np.where(known, groups[name].sum().round(9).to_numpy(dtype="float64"), np.nan)
    totals["sites"] = groups["site"].agg(lambda sites: ";".join(dict.fromkeys(sites))).to_numpy()
    told = groups["flags"].agg(lambda lists: " ".join(dict.fromkeys(text for texts in lists for text in texts)))
    totals["flags"] = told.to_numpy()
    texts = ("participant", "scope", "date", "visit", "side", "limb", "product", "sites", "flags")
    return totals.astype(dict.fromkeys(texts, str) | {"year": "int64"})


def _sentence(problem: Problem) -> str:
    text = f"Expected {problem.expected}; found {problem.found}."
    return f"{text} {problem.advice}." if problem.advice else text


def _visit(visits: pd.DataFrame, participant: str, day: pd.Timestamp) -> str:
    mine = visits[(visits["participant"] == participant) & (visits["day"] <= day)]
    return "" if mine.empty else str(mine.sort_values("day", kind="stable")["visit"].iloc[-1])


def _with_columns(injections: pd.DataFrame) -> pd.DataFrame:
    """The columns that are looked at, empty where the table lacks them."""
    table = pd.DataFrame(index=injections.index)
    for name in ("participant", "side", "site", "product"):
        table[name] = injections.get(name, "")
    for name in ("units_u", "volume_ml", "concentration_u_per_ml"):
        table[name] = injections.get(name, np.nan)
    table["date"] = injections.get("date", pd.NaT)
    table["day"] = pd.to_datetime(table["date"]).dt.floor("D")
    table["key"] = table["product"].str.lower()
    table["placebo"] = table["key"].map(lambda text: any(word in text for word in PLACEBOS)).astype(bool)
    table["limb"] = [("hand" if site.startswith(("finger", "palm")) else "foot") for site in table["site"].astype(str)]
    return table


def _told(row: Hashable, column: str, expected: str, found: str, advice: str = "") -> Problem:
    return Problem(FILE, row_number(row), column, expected, found, "warning", advice)


def limits_of(product: str) -> Limits | None:
    """The limits of a product by its name, the first word of which decides; None where it is not known."""
    words = product.lower().replace("®", "").replace("(", " ").replace("-", "").split()
    return next((PRODUCTS[word] for word in words if word in PRODUCTS), None)


def _products(table: pd.DataFrame) -> list[Problem]:
    """Names that are not known, and one product spelt in two ways."""
    problems: list[Problem] = []
    named = table[(table["product"] != "") & ~table["placebo"]]
    for name in named["product"].unique():
        if limits_of(str(name)) is None:
            expected = "the name of a product that is known, e.g. onabotulinumtoxinA, or placebo"
            advice = did_you_mean(str(name), PRODUCTS).strip() or "Its dilution and totals are not judged"
            found = named.loc[named["product"] == name, "product"]
            problems += row_problems(FILE, "product", expected, found, severity="warning", advice=advice)
    for _, spellings in named.groupby("key", sort=False)["product"]:
        if spellings.nunique() > 1:
            first, *others = spellings.unique()
            expected = f"one spelling of a product, {first!r}"
            advice = "Totals keep the two apart"
            found = spellings[spellings == others[0]]
            problems += row_problems(FILE, "product", expected, found, severity="warning", advice=advice)
    return problems


def _products_of_a_day(table: pd.DataFrame) -> list[Problem]:
    problems = []
    for (who, day), mine in table[~table["placebo"]].groupby(["participant", "day"], sort=False):
        names = [name for name in mine["product"].unique() if name]
        if len(names) > 1:
            expected = f"one product for participant {who!r} on {day:%Y-%m-%d}"
            advice = "Units of products are not interchangeable: they are neither converted nor added"
            problems.append(_told(mine.index[0], "product", expected, " and ".join(map(repr, names)), advice))
    return problems


def _placebos(table: pd.DataFrame) -> list[Problem]:
    dosed = table[table["placebo"] & (table["units_u"] > 0)]
    empty = table[~table["placebo"] & (table["units_u"] == 0) & (table["product"] != "")]
    problems = [
        _told(row, "units_u", f"0 U, because the product is {item['product']!r}", f"{item['units_u']:g} U")
        for row, item in dosed.iterrows()
    ]
    advice = "Name the product placebo where no toxin was given"
    problems += [
        _told(row, "units_u", f"more than 0 U of {item['product']!r}", "0 U", advice) for row, item in empty.iterrows()
    ]
    return problems


def _units_and_volume(table: pd.DataFrame) -> list[Problem]:
    """Units that are not volume × concentration."""
    made = table["volume_ml"] * table["concentration_u_per_ml"]
    off = (table["units_u"] - made).abs() > ADDS_UP_WITHIN * np.maximum(table["units_u"], made)
    problems = []
    for row, item in table[off & made.notna() & ~table["placebo"]].iterrows():
        volume, strength = item["volume_ml"], item["concentration_u_per_ml"]
        product = volume * strength
        expected = f"units that are volume × concentration: {volume:g} mL × {strength:g} U/mL = {product:g} U"
        advice = "One of the three is mistaken, or stands for more than this site"
        problems.append(_told(row, "units_u", expected, f"{item['units_u']:g} U", advice))
    return problems


def _dilutions(table: pd.DataFrame) -> list[Problem]:
    """Concentrations, stated or implied, that no vial is likely to have had; several on one day."""
    implied = (table["units_u"] / table["volume_ml"].where(table["volume_ml"] > 0)).where(table["units_u"] > 0)
    strength = table["concentration_u_per_ml"].fillna(implied)
    problems = []
    for row, item in table.assign(strength=strength)[strength.notna() & ~table["placebo"]].iterrows():
        limits = limits_of(str(item["product"]))
        value = float(item["strength"])
        if limits is None or limits.least_u_per_ml <= value <= limits.most_u_per_ml:
            continue
        stated = pd.notna(item["concentration_u_per_ml"])
        column = "concentration_u_per_ml" if stated else "volume_ml"
        expected = f"a dilution from {limits.least_u_per_ml:g} to {limits.most_u_per_ml:g} U/mL of {item['product']!r}"
        found = f"{value:g} U/mL"
        if not stated:
            found = f"{item['units_u']:g} U in {item['volume_ml']:g} mL, which is {found}"
        advice = "Are units or volume those of the whole limb or vial, and not of this site?"
        problems.append(_told(row, column, expected, found, advice))
    for (who, day, product), mine in table[~table["placebo"]].groupby(["participant", "day", "product"], sort=False):
        several = strength[mine.index].dropna()
        if len(several) > 1 and several.max() > (1 + 2 * ADDS_UP_WITHIN) * several.min():
            expected = f"one dilution of {product!r} for participant {who!r} on {day:%Y-%m-%d}"
            found = f"from {several.min():g} to {several.max():g} U/mL"
            problems.append(_told(mine.index[0], "concentration_u_per_ml", expected, found))
    return problems


def _volumes(table: pd.DataFrame) -> list[Problem]:
    """More fluid than a digit's base, or a foot, is likely to have been given."""
    digit = table["site"].str.startswith(_DIGIT_SITES)
    advice = "Is this the volume of the whole limb, or of the vial?"
    problems = [
        _told(row, "volume_ml", f"at most {MOST_ML_A_DIGIT:g} mL into one toe, finger or web", f"{value:g} mL", advice)
        for row, value in table.loc[digit & (table["volume_ml"] > MOST_ML_A_DIGIT), "volume_ml"].items()
    ]
    for (who, day, side, limb), mine in table.groupby(["participant", "day", "side", "limb"], sort=False):
        total = mine["volume_ml"].sum()
        if total > MOST_ML_A_LIMB:
            expected = f"at most {MOST_ML_A_LIMB:g} mL into the {side} {limb} of participant {who!r} on {day:%Y-%m-%d}"
            problems.append(_told(mine.index[0], "volume_ml", expected, f"{total:g} mL over {_sites(mine['site'])}"))
    return problems


def _sites(sites: Sequence[str] | pd.Series) -> str:
    return f"{len(sites)} site{'s' if len(sites) != 1 else ''}"


def _limb_totals(table: pd.DataFrame) -> list[Problem]:
    """Units of one product in one limb on one day that add up to more than was likely given."""
    problems = []
    keys = ["participant", "day", "side", "limb", "product"]
    for (who, day, side, limb, product), mine in table[~table["placebo"]].groupby(keys, sort=False):
        limits = limits_of(str(product))
        total = mine["units_u"].sum()
        if limits is not None and total > limits.most_u_a_limb:
            where = f"the {side} {limb} of participant {who!r} on {day:%Y-%m-%d}"
            expected = f"at most {limits.most_u_a_limb:g} U of {product!r} in {where}"
            advice = "Does every row hold the limb's total? Then write each site's own share"
            problems.append(
                _told(mine.index[0], "units_u", expected, f"{total:g} U over {_sites(mine['site'])}", advice)
            )
    return problems


def _repeated_sites(table: pd.DataFrame) -> list[Problem]:
    keys = ["participant", "day", "side", "site", "product"]
    again = table[table.duplicated(keys) & (table["participant"] != "") & table["day"].notna()]
    return [
        _told(
            row,
            "site",
            "every site once a day and product (punctures are counted in injections_n)",
            f"{item['side']} {item['site']} again on {item['day']:%Y-%m-%d}",
            "Both rows are added",
        )
        for row, item in again.iterrows()
    ]
