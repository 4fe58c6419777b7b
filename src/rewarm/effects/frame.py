"""From the study's tables to what is analysed: one row a digit and visit, with day, treatment, covariates and u."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from rewarm.effects.dose import first_injections, treated_regions
from rewarm.effects.metrics import Outcome
from rewarm.errors import InvalidInputError
from rewarm.regions import FINGERS, SIDES, TOES

DIGITS: Final = {"toes": TOES, "fingers": FINGERS}

FRAME: Final = (
    *("participant", "visit", "side", "region", "value", "u_shared", "u_own", "reached"),
    *("day", "treated", "ambient_c", "outdoor_c", "day_of_year", "baseline", "first_baseline", "camera"),
)

OWN_U_LIMIT_C: Final = 0.15
"""Part of an absolute temperature's u that belongs to the region, where the table does not tell it apart, °C."""


def analysis_frame(
    outcome: Outcome,
    digits: str,
    measurements: pd.DataFrame,
    visits: pd.DataFrame,
    injections: pd.DataFrame,
    *,
    scans: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The rows of one outcome on ``toes`` or ``fingers``, columns :data:`FRAME`.

    ``day`` counts from the person's first injection (placebo included; 0 on that day, which is before it took effect);
    who was never injected is counted from the day after enrolment that the others had. ``value`` is on the outcome's
    scale (its logarithm where it is analysed so). ``u_shared`` is the standard uncertainty common to the picture,
    ``u_own`` the region's. ``reached`` is False where the value is censored from above. Several scans of a visit that
    show the same digit are averaged.

    Raises :class:`InvalidInputError` where the measurements hold nothing of it, or where no visit has a baseline.
    """
    rows = measurements[(measurements["metric"] == outcome.name) & measurements["region"].isin(DIGITS[digits])]
    rows = rows[rows["side"].isin(SIDES) & rows["value"].notna()]
    if outcome.name in ("mean", "median", "p5", "p95") and "time_s" in rows:
        rows = rows[rows["time_s"].isna()]
    if rows.empty:
        raise InvalidInputError(
            f"measurements: expected rows of {outcome.name} on {digits}; found none. "
            "Analyse the recordings first (rewarm run), or name another outcome under [outcomes] in study.toml"
        )
    rows = _one_view(rows, scans)
    keys = ["participant", "visit", "side", "region"]
    table = rows.groupby(keys, as_index=False).agg(value=("value", "mean"), u=("u", "mean"))
    table = _uncertainties(table, outcome, measurements)
    table["reached"] = _reached(table, outcome, measurements)
    if outcome.log:
        table = table[table["value"] > 0]
        table["u_own"] = table["u_own"] / table["value"]
        table["value"] = np.log(table["value"])
    return _with_days(table, visits, injections, scans)[list(FRAME)].reset_index(drop=True)


def digits_measured(measurements: pd.DataFrame, outcome: str) -> tuple[str, ...]:
    """``toes``, ``fingers`` or both, as far as the table holds the outcome of them."""
    regions = set(measurements.loc[measurements["metric"] == outcome, "region"])
    return tuple(name for name, members in DIGITS.items() if regions.intersection(members))


def _one_view(rows: pd.DataFrame, scans: pd.DataFrame | None) -> pd.DataFrame:
    """Only the view that most rows come from: a toe's back and its pulp are not the same temperature."""
    if scans is None or "scan" not in rows or "view" not in scans:
        return rows
    views = rows["scan"].map(scans.drop_duplicates("scan").set_index("scan")["view"])
    if views.nunique() < 2:
        return rows
    kept: pd.DataFrame = rows[(views == views.mode().iloc[0]) | views.isna()]
    return kept


def _uncertainties(table: pd.DataFrame, outcome: Outcome, measurements: pd.DataFrame) -> pd.DataFrame:
    """``u`` split into what a picture shares and what is the region's own.

    The own share follows from differences between sides in the same table, whose u is √2 of it (what is shared
    cancels); else :data:`OWN_U_LIMIT_C` is taken. Differences inside a picture have no shared part.
    """
    u = table.pop("u").fillna(0.0)
    shared = outcome.prior_unit == 1.0 and not outcome.name.endswith("_difference")
    if not shared:
        return table.assign(u_shared=0.0, u_own=u)
    differences = measurements.loc[measurements["metric"] == "left_right_difference", "u"].dropna()
    own = differences.median() / np.sqrt(2.0) if len(differences) else OWN_U_LIMIT_C
    u_own = np.minimum(u, own)
    return table.assign(u_shared=np.sqrt(np.maximum(u**2 - u_own**2, 0.0)), u_own=u_own)


def _reached(table: pd.DataFrame, outcome: Outcome, measurements: pd.DataFrame) -> pd.Series:
    if not outcome.event:
        return pd.Series(True, index=table.index)
    events = measurements[measurements["metric"] == outcome.event]
    keys = ["participant", "visit", "side", "region"]
    reached = events.groupby(keys)["value"].min()
    found = pd.MultiIndex.from_frame(table[keys])
    return pd.Series(reached.reindex(found).fillna(1.0).to_numpy() > 0.5, index=table.index)


def _with_days(
    table: pd.DataFrame, visits: pd.DataFrame, injections: pd.DataFrame, scans: pd.DataFrame | None
) -> pd.DataFrame:
    columns = visits[["participant", "visit", "date"]].copy()
    columns["ambient_c"] = visits["ambient_c"]
    columns["outdoor_c"] = visits.get("outdoor_mean_c", np.nan)
    table = table.merge(columns, on=["participant", "visit"], how="inner")
    start = _starts(visits, injections)
    dates = table["date"].dt.normalize()
    table["day"] = (dates - table["participant"].map(start)).dt.days.astype("float64")
    table["day_of_year"] = table["date"].dt.day_of_year.astype("float64")
    treated = treated_regions(injections)
    keys = zip(table["participant"], table["side"], table["region"], strict=True)
    table["treated"] = [key in treated for key in keys]
    table["baseline"] = table["day"] <= 0
    first = table[table["baseline"]].groupby("participant")["day"].min()
    table["first_baseline"] = table["baseline"] & (table["day"] == table["participant"].map(first))
    table["camera"] = _cameras(table, scans)
    if not table["baseline"].any():
        raise InvalidInputError(
            "visits.csv: expected at least one visit on or before the day of the injections; found none. "
            "Without a picture from before, no change can be told"
        )
    return table.sort_values(["participant", "day", "side", "region"])


def _starts(visits: pd.DataFrame, injections: pd.DataFrame) -> pd.Series:
    """The day that each person is counted from, as a midnight."""
    enrolled = visits.groupby("participant")["date"].min().dt.normalize()
    injected = first_injections(injections).dt.normalize()
    waited = (injected - enrolled).dropna()
    usual = waited.median() if len(waited) else pd.Timedelta(0)
    starts: pd.Series = injected.reindex(enrolled.index).fillna(enrolled + usual.floor("D"))
    return starts


def _cameras(table: pd.DataFrame, scans: pd.DataFrame | None) -> pd.Series:
    if scans is None or "camera" not in scans:
        return pd.Series("", index=table.index)
    used = scans.drop_duplicates(["participant", "visit"]).set_index(["participant", "visit"])["camera"]
    found = pd.MultiIndex.from_frame(table[["participant", "visit"]])
    return pd.Series(used.reindex(found).fillna("").to_numpy(), index=table.index)
