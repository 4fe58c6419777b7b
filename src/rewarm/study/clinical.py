"""A checked study folder → :class:`rewarm.clinical.StudyTables`, the tables that effects are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from rewarm.clinical import Design, Outcomes, StudyTables
from rewarm.errors import InvalidStudyError
from rewarm.regions import ANGIOSOMES, FOOT_REGIONS, HAND_REGIONS
from rewarm.study.columns import YES
from rewarm.study.folder import StudyCheck, check_study
from rewarm.study.records import FOOT_SITES, HAND_SITES, TABLES, Table

_FOOT = frozenset((*FOOT_REGIONS, *ANGIOSOMES, *FOOT_SITES, "foot"))
_HAND = frozenset((*HAND_REGIONS, *HAND_SITES, "hand"))


def load_tables(folder: str | Path, *, measurements: str | Path | None = None) -> StudyTables:
    """The tables of a study folder without errors.

    ``measurements`` is a measurements table made by ``rewarm run`` or elsewhere (.csv, .xlsx, .parquet) that takes the
    place of the folder's own, and of its recordings where it has none. Raises
    :class:`rewarm.errors.InvalidStudyError` with every problem of the folder and of that table;
    :class:`rewarm.errors.InvalidInputError` where there is no folder.
    """
    check = check_study(folder, measurements=None if measurements is None else Path(measurements))
    if check.errors:
        raise InvalidStudyError(str(folder), check.problems)
    return study_tables(check)


def study_tables(check: StudyCheck) -> StudyTables:
    """The typed tables of a study that was checked.

    Raises :class:`rewarm.errors.InvalidStudyError` where it has errors.
    """
    if check.errors:
        raise InvalidStudyError(str(check.folder), check.problems)
    frames = {name: _complete(check.tables.get(name), table) for name, table in TABLES.items()}
    for name in ("visits", "injections", "diary", "events"):
        frames[name]["day"] = frames[name]["date"].dt.floor("D").astype("datetime64[s]")
    for name in ("visits", "diary"):
        moments = check.utc.get((name, "date"))
        frames[name]["utc"] = (
            pd.Series(pd.NaT, frames[name].index, dtype="datetime64[s]") if moments is None else moments
        )
    frames["injections"]["limb"] = limb_of(frames["injections"]["site"])
    frames["measurements"]["limb"] = limb_of(frames["measurements"]["region"])
    frames["measurements"]["day"] = _visit_days(frames["measurements"], frames["visits"])
    settings = check.settings
    return StudyTables(
        study_id=str(settings["id"]),
        title=str(settings["title"]),
        timezone=str(settings["timezone"]),
        design=design_of(settings),
        outcomes=outcomes_of(settings),
        warnings=tuple(map(str, check.warnings)),
        **frames,
    )


def design_of(settings: Mapping[str, Any]) -> Design:
    """``[design]`` of study.toml, checked before."""
    design: Mapping[str, Any] = settings.get("design", {})
    return Design(
        kind=str(design.get("kind", "")),
        control=str(design.get("control", "none")),
        randomised=design.get("randomised"),
        masked_reading=design.get("masked_reading"),
        masked_rating=design.get("masked_rating"),
        enrolled_at_worst=design.get("enrolled_at_worst"),
    )


def outcomes_of(settings: Mapping[str, Any]) -> Outcomes:
    """``[outcomes]`` of study.toml, checked before."""
    stated: Mapping[str, Any] = settings.get("outcomes", {})
    return Outcomes(
        primary=str(stated.get("primary", "")),
        secondary=tuple(map(str, stated.get("secondary", ()))),
        important=MappingProxyType({str(name): float(value) for name, value in stated.get("important", {}).items()}),
    )


def limb_of(words: pd.Series) -> pd.Series:
    """``foot``, ``hand`` or "" of each region or injected site; ``dorsum`` and ``palm`` are told apart by the words."""
    return words.map(lambda word: "foot" if word in _FOOT else "hand" if word in _HAND else "").astype(str)


def _complete(frame: pd.DataFrame | None, table: Table) -> pd.DataFrame:
    """Every declared column with its type, then the unknown ones."""
    source = pd.DataFrame(index=pd.Index([], dtype="int64", name="row")) if frame is None else frame
    columns: dict[str, pd.Series] = {}
    for column in table.columns:
        if column.name in source:
            values = source[column.name]
        elif column.kind in ("number", "integer"):
            values = pd.Series(float("nan"), source.index, dtype="float64")
        elif column.kind == "date":
            values = pd.Series(pd.NaT, source.index, dtype="datetime64[s]")
        else:
            values = pd.Series("", source.index, dtype=str)
        columns[column.name] = _yes_no(values) if column.kind == "yes_no" else values
    others = {str(name): source[name] for name in source if name not in columns}
    return pd.DataFrame(columns | others, index=source.index)


def _yes_no(values: pd.Series) -> pd.Series:
    """Nullable booleans; NA where a cell says neither."""
    return values.str.lower().map(YES).astype("boolean")


def _visit_days(measurements: pd.DataFrame, visits: pd.DataFrame) -> pd.Series:
    days = dict(zip(zip(visits["participant"], visits["visit"], strict=True), visits["day"], strict=True))
    keys = zip(measurements["participant"], measurements["visit"], strict=True)
    return pd.Series([days.get(key) for key in keys], measurements.index, dtype="datetime64[s]")
