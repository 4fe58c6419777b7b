"""After against before: what changed, how sure one can be of it, and what else differed between the two visits."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import Any, Final

import pandas as pd
import xarray as xr

from rewarm.errors import InvalidInputError
from rewarm.regions import Regions, limb_sides, limb_whole
from rewarm.tables import COMPARISON, MEASUREMENTS, SMALLEST_DETECTABLE_FACTOR

COMPARED_METRICS: Final = (
    "mean",
    "distal_proximal_difference",
    "distal_dorsal_difference",
    "left_right_difference",
    "tci",
)
"""Metrics whose change is asked for; what else a table holds is left alone."""

ROOM_LIMIT_C: Final = 1.0
"""Rooms that differ by more are warned of: toes follow the room."""

_KEY: Final = ["side", "region", "metric"]


def compare_measurements(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    before_ambient_c: float | None = None,
    after_ambient_c: float | None = None,
) -> pd.DataFrame:
    """What changed between two scans: after − before of every figure that both hold.

    ``before`` and ``after`` are tables of :func:`rewarm.measures.measure` (columns of
    :data:`rewarm.tables.MEASUREMENTS`), one scan each; ``*_ambient_c`` are the rooms' temperatures, °C. The result
    has the columns of :data:`rewarm.tables.COMPARISON`.

    ``u`` of the change is √(u_before² + u_after²): between visits nothing is taken to cancel, not even with the same
    camera, because its offset drifts. Each table's ``u`` already knows what cancels *inside* its picture (a difference
    of two regions is free of the camera's offset) and whether a reference in view replaced the camera's share. ``sdc``
    is 1.96·u and covers measurement alone; a person's own variation from day to day comes on top. ``detectable`` is
    empty where no uncertainty is known.

    Raises :class:`InvalidInputError` for tables of other columns, of more than one scan, with a figure twice, of
    different people, or with nothing in common.
    """
    for name, table in (("before", before), ("after", after)):
        _check_table(name, table)
    _check_one_person(before, after)
    pairs = _compared_rows(before).merge(_compared_rows(after), on=_KEY, suffixes=("_before", "_after"))
    if pairs.empty:
        raise InvalidInputError(
            "before and after: expected at least one region measured in both; found none in common. "
            f"Before holds {_regions_in(before)}; after holds {_regions_in(after)}"
        )
    if (other := pairs["unit_before"] != pairs["unit_after"]).any():
        row = pairs.loc[other].iloc[0]
        raise InvalidInputError(
            f"{row['side']} {row['region']} {row['metric']}: expected one unit in both tables; "
            f"found {row['unit_before']} before and {row['unit_after']} after"
        )
    change = pairs["value_after"] - pairs["value_before"]
    u = (pairs["u_before"] ** 2 + pairs["u_after"] ** 2) ** 0.5
    sdc = SMALLEST_DETECTABLE_FACTOR * u
    known = sdc.notna() & change.notna()
    found = {
        "change": change,
        "u": u,
        "sdc": sdc,
        "detectable": (change.abs() > sdc).astype("boolean").where(known),
        "censored": "",
    }
    return comparison_table(before, after, pairs, found, rooms_c=(before_ambient_c, after_ambient_c))


def comparison_table(
    before: pd.DataFrame,
    after: pd.DataFrame,
    pairs: pd.DataFrame,
    found: Mapping[str, Any],
    *,
    rooms_c: tuple[float | None, float | None],
) -> pd.DataFrame:
    """Columns of :data:`rewarm.tables.COMPARISON` from the rows of two tables put together, ``pairs``.

    ``pairs`` holds side, region, metric, ``value_before``, ``value_after`` and ``unit_before``; ``found`` the columns
    change, u, sdc, detectable and censored; ``rooms_c`` are the rooms' temperatures before and after, °C.
    """
    room_change = nan if rooms_c[0] is None or rooms_c[1] is None else rooms_c[1] - rooms_c[0]
    columns: dict[str, Any] = {
        "participant": only_value(before, "participant") or only_value(after, "participant"),
        "visit_before": only_value(before, "visit"),
        "visit_after": only_value(after, "visit"),
        "scan_before": only_value(before, "scan"),
        "scan_after": only_value(after, "scan"),
        "side": pairs["side"],
        "region": pairs["region"],
        "metric": pairs["metric"],
        "before": pairs["value_before"],
        "after": pairs["value_after"],
        "unit": pairs["unit_before"],
        "room_change": round(float(room_change), 6),  # readings of a thermometer: no digits of the subtraction
        **found,
    }
    return pd.DataFrame(columns, index=pairs.index)[list(COMPARISON)].astype({"censored": "str"})


def check_comparable(before: Regions, after: Regions) -> None:
    """Raise :class:`InvalidInputError`, naming everything, unless two scans show the same side of the same limb."""
    problems: list[str] = []
    if limb_whole(before.limb) != limb_whole(after.limb) or not _common_sides(before, after):
        problems.append(f"limb: expected the same in both; found {before.limb} before and {after.limb} after")
    if before.view != after.view:
        problems.append(f"view: expected the same in both; found {before.view} before and {after.view} after")
    if problems:
        raise InvalidInputError("the two scans cannot be compared. " + "; ".join(problems))


def comparison_warnings(
    before: xr.Dataset,
    after: xr.Dataset,
    *,
    before_regions: Regions | None = None,
    after_regions: Regions | None = None,
    before_ambient_c: float | None = None,
    after_ambient_c: float | None = None,
) -> tuple[str, ...]:
    """What a person should know before believing a change between two thermograms, in plain words.

    Rooms that differ or are unknown, nothing absolute that ties the visits together, other cameras, settings or feet.
    With both ``*_regions`` given, raises :class:`InvalidInputError` where limb or view differ.
    """
    sentences = [
        *_room_sentences(before_ambient_c, after_ambient_c),
        *_tie_sentences(before, after),
        *_camera_sentences(before, after),
        *_setting_sentences(before, after),
    ]
    if before_regions is not None and after_regions is not None:
        check_comparable(before_regions, after_regions)
        if before_regions.limb != after_regions.limb:
            sides = " and ".join(_common_sides(before_regions, after_regions))
            sentences.append(
                f"One scan shows {before_regions.limb.replace('_', ' ')}, the other "
                f"{after_regions.limb.replace('_', ' ')}: only the {sides} side is compared."
            )
    return tuple(sentences)


def _room_sentences(before_c: float | None, after_c: float | None) -> list[str]:
    if before_c is None or after_c is None:
        which = "of both visits" if before_c is None and after_c is None else "before" if before_c is None else "after"
        return [
            f"The room's temperature {which} is not known. Toes follow the room, so a change may come from it alone."
        ]
    change_c = after_c - before_c
    if abs(change_c) <= ROOM_LIMIT_C:
        return []
    word = "warmer" if change_c > 0 else "colder"
    return [
        f"The room was {abs(change_c):.1f} °C {word} after ({before_c:g} °C before, {after_c:g} °C after). "
        "Toes follow the room, so part or all of a change may come from it."
    ]


def _tie_sentences(before: xr.Dataset, after: xr.Dataset) -> list[str]:
    tied = [scan.attrs.get("reference_u_c") is not None for scan in (before, after)]
    if all(tied):
        return []
    where = "in neither scan" if not any(tied) else "only in the scan after" if tied[1] else "only in the scan before"
    return [
        f"A reference of known temperature was in view {where}: nothing absolute ties the two visits together. "
        "A camera may be off by another amount on another day; trust differences inside a picture (toe − arch, "
        "left − right) more than the temperatures themselves."
    ]


def _camera_sentences(before: xr.Dataset, after: xr.Dataset) -> list[str]:
    def camera(scan: xr.Dataset) -> str:
        words = [scan.attrs.get(key) for key in ("camera_make", "camera_model")]
        serial = scan.attrs.get("camera_serial")
        return " ".join([str(word) for word in words if word] + ([f"(serial {serial})"] if serial else []))

    first, second = camera(before), camera(after)
    if first == second:
        return []
    return [f"The cameras differ: {first or 'unknown'} before, {second or 'unknown'} after. Their offsets differ too."]


def _setting_sentences(before: xr.Dataset, after: xr.Dataset) -> list[str]:
    sentences: list[str] = []
    first, second = before.attrs.get("emissivity"), after.attrs.get("emissivity")
    if first is not None and second is not None and abs(first - second) > 0.0005:
        sentences.append(
            f"The emissivity was set to {first:g} before and {second:g} after. "
            "Open both with the same (skin: 0.98), or part of the change is the setting's."
        )
    elif (first is None) != (second is None):
        sentences.append(f"The emissivity is known only {'after' if first is None else 'before'}.")
    reflected = before.attrs.get("reflected_c"), after.attrs.get("reflected_c")
    if reflected[0] is not None and reflected[1] is not None and abs(reflected[0] - reflected[1]) > 5.0:
        sentences.append(
            f"The reflected temperature was set to {reflected[0]:g} °C before and {reflected[1]:g} °C after: "
            "check both, they should be near the room's."
        )
    return sentences


def _common_sides(before: Regions, after: Regions) -> tuple[str, ...]:
    return tuple(side for side in limb_sides(before.limb) if side in limb_sides(after.limb))


def _check_table(name: str, table: pd.DataFrame) -> None:
    missing = [column for column in MEASUREMENTS if column not in table.columns]
    if missing:
        raise InvalidInputError(
            f"{name}: expected the columns of a measurements table; missing {', '.join(missing)}. "
            "Use the table that rewarm.measure returns"
        )
    scans = table[["participant", "visit", "scan", "time_s"]].drop_duplicates()
    if len(scans) > 1:
        raise InvalidInputError(f"{name}: expected the figures of one scan; found {len(scans)} scans. Select one first")
    twice = table.duplicated(_KEY)
    if twice.any():
        side, region, metric = table.loc[twice, _KEY].iloc[0]
        raise InvalidInputError(f"{name}: expected each figure once; found {side} {region} {metric} twice or more")


def _compared_rows(table: pd.DataFrame) -> pd.DataFrame:
    """What is compared; a difference between the sides has an empty side, which a CSV gives back as missing."""
    rows = table.loc[table["metric"].isin(COMPARED_METRICS), [*_KEY, "value", "u", "unit"]]
    return rows.assign(side=rows["side"].astype("object").fillna("").astype("str"))


def _check_one_person(before: pd.DataFrame, after: pd.DataFrame) -> None:
    first, second = only_value(before, "participant"), only_value(after, "participant")
    if first and second and first != second:
        raise InvalidInputError(f"expected two scans of one person; found {first} before and {second} after")


def only_value(table: pd.DataFrame, column: str) -> str:
    """A column's first value as text, or none for an empty table."""
    return "" if table.empty else str(table[column].iloc[0])


def _regions_in(table: pd.DataFrame) -> str:
    names = (table["side"].fillna("") + " " + table["region"]).str.strip().drop_duplicates()
    return ", ".join(names) or "nothing"
