"""What the tables of a study folder say about each other: references, duplicates, order, files; all vectorised."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pandas as pd

from rewarm.errors import Problem
from rewarm.regions import LIMBS, limb_whole
from rewarm.study.annotations import PROPOSED, annotation_of
from rewarm.study.columns import did_you_mean
from rewarm.study.csvtext import row_number, row_problems
from rewarm.study.records import TABLES

Tables = Mapping[str, pd.DataFrame]
_JOIN: Final = "\x1f"
_MOST_NAMED: Final = 10


def link_problems(
    folder: Path,
    tables: Tables,
    settings: Mapping[str, Any],
    utc: Mapping[tuple[str, str], pd.Series],
) -> list[Problem]:
    """Everything that the tables, each fine in itself, say wrongly about each other and about files.

    ``utc`` maps a table and its column of dates to the moments, see :class:`rewarm.study.folder.StudyCheck`.
    """
    problems: list[Problem] = []
    for name, frame in tables.items():
        problems += _duplicates(name, frame, utc.get((name, "date")))
        problems += _future_dates(name, frame)
    problems += _unknown_participants(tables)
    problems += _unknown_visits(tables)
    if "visits" in tables:
        problems += _visit_order(tables["visits"])
        problems += _participants_without_visits(tables)
    if "scans" in tables:
        scans = tables["scans"]
        problems += _scan_ids(scans)
        problems += _files(folder, scans)
        problems += _shared_files(scans)
        problems += _views(scans)
        problems += _references_in_view(scans)
        problems += _cameras(scans, settings)
        problems += _comparable(scans, tables.get("visits"))
        problems += _rewarming_times(scans)
        problems += _annotations(folder, scans)
    return problems


def _has(frame: pd.DataFrame | None, *columns: str) -> bool:
    return frame is not None and all(column in frame for column in columns)


def _joined(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.Series:
    """The values of several columns as one text a row."""
    key = frame[columns[0]].astype(str)
    for column in columns[1:]:
        key = key + _JOIN + frame[column].astype(str)
    return key


def _duplicates(name: str, frame: pd.DataFrame, moments: pd.Series | None) -> list[Problem]:
    key = TABLES[name].key
    present = tuple(column for column in key if column in frame)
    if not present or (present != key and name != "diary"):  # the side of a diary is optional
        return []
    joined = _joined(frame, present)
    again = joined[(frame[present[0]] != "") & joined.duplicated() & joined.notna()]  # not what could not be read
    if "date" in present and moments is not None:  # who travels west may read the same time from the clock twice
        exactly = joined + _JOIN + moments.astype(str).fillna("")
        again = again[exactly.duplicated()[again.index]]
    if again.empty:
        return []
    once = joined.drop_duplicates()
    first = dict(zip(once, once.index, strict=True))
    problems: list[Problem] = []
    for row, value in again.iloc[:_MOST_NAMED].items():
        expected = f"every {' + '.join(present)} once"
        found = f"{value.replace(_JOIN, ' + ')!r} again, which row {first[value]} has already"
        advice = "Correct one of the two, or delete it"
        problems.append(Problem(f"{name}.csv", row_number(row), present[-1], expected, found, advice=advice))
    if len(again) > _MOST_NAMED:
        found = f"{len(again) - _MOST_NAMED} more repeated rows"
        expected = f"every {' + '.join(present)} once"
        problems.append(Problem(f"{name}.csv", 0, present[-1], expected, found, advice="Correct or delete them"))
    return problems


def _future_dates(name: str, frame: pd.DataFrame) -> list[Problem]:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(tzinfo=None)
    problems: list[Problem] = []
    for column in TABLES[name].columns:
        if column.kind == "date" and column.name in frame:
            late = frame[column.name] > pd.Timestamp(tomorrow)
            found = frame.loc[late, column.name].dt.strftime("%Y-%m-%d")
            problems += row_problems(f"{name}.csv", column.name, "a date that is past", found, severity="warning")
    return problems


def _unknown_participants(tables: Tables) -> list[Problem]:
    if not _has(tables.get("participants"), "participant"):
        return []
    known = set(tables["participants"]["participant"])
    problems: list[Problem] = []
    for name, frame in tables.items():
        if name != "participants" and "participant" in frame:
            lost = frame.loc[~frame["participant"].isin(known) & (frame["participant"] != ""), "participant"]
            problems += _lost(name, "participant", "a participant of participants.csv", lost, known)
    return problems


def _lost(name: str, column: str, expected: str, lost: pd.Series, known: set[str]) -> list[Problem]:
    """References to nothing, each distinct one with what it may have meant."""
    lowered = {word.lower(): word for word in sorted(known)}
    otherwise = "Correct it, or add what it names"
    problems: list[Problem] = []
    for value in lost.unique()[:20]:
        hint = did_you_mean(str(value), lowered).strip() or otherwise
        for low, word in lowered.items():
            hint = hint.replace(f"'{low}'", repr(word))
        problems += row_problems(f"{name}.csv", column, expected, lost[lost == value], advice=hint)
    return problems


def _unknown_visits(tables: Tables) -> list[Problem]:
    visits = tables.get("visits")
    if visits is None or not _has(visits, "participant", "visit"):
        return []
    known = set(_joined(visits, ("participant", "visit")))
    people = set(visits["participant"])
    if _has(tables.get("participants"), "participant"):
        people |= set(tables["participants"]["participant"])
    problems: list[Problem] = []
    for name in ("scans", "measurements"):
        frame = tables.get(name)
        if frame is None or not _has(frame, "participant", "visit"):
            continue
        lost = ~_joined(frame, ("participant", "visit")).isin(known) & (frame["visit"] != "")
        lost &= frame["participant"].isin(people)  # an unknown participant is reported as such
        for person in frame.loc[lost, "participant"].unique():
            mine = set(visits.loc[visits["participant"] == person, "visit"])
            expected = f"a visit of participant {person!r} in visits.csv"
            problems += _lost(
                name, "visit", expected, frame.loc[lost & (frame["participant"] == person), "visit"], mine
            )
    return problems


def _visit_order(visits: pd.DataFrame) -> list[Problem]:
    if not _has(visits, "participant", "visit", "date"):
        return []
    problems: list[Problem] = []
    for person, mine in visits[visits["date"].notna()].groupby("participant", sort=False):
        dates = mine["date"]
        for (row, date), earlier, above in zip(list(dates.items())[1:], dates.iloc[:-1], dates.index[:-1], strict=True):
            if date < earlier:
                problems.append(
                    Problem(
                        "visits.csv",
                        row_number(row),
                        "date",
                        f"the visits of participant {person!r} in the order of their dates",
                        f"{date:%Y-%m-%d}, which is before {earlier:%Y-%m-%d} in row {above}",
                        advice="Correct the date, or put the rows in order",
                    )
                )
            elif date == earlier:
                found = f"{date:%Y-%m-%d} in row {above} too"
                expected = f"another day at every visit of participant {person!r}"
                problems.append(Problem("visits.csv", row_number(row), "date", expected, found, "warning"))
    return problems


def _participants_without_visits(tables: Tables) -> list[Problem]:
    people, visits = tables.get("participants"), tables["visits"]
    if people is None or not _has(people, "participant") or not _has(visits, "participant"):
        return []
    idle = people.loc[~people["participant"].isin(visits["participant"]) & (people["participant"] != ""), "participant"]
    return row_problems("participants.csv", "participant", "a visit in visits.csv", idle, severity="warning")


def _scan_ids(scans: pd.DataFrame) -> list[Problem]:
    """Ids that differ only in case would name the same files on Windows and macOS."""
    if "scan" not in scans:
        return []
    ids = scans.loc[scans["scan"] != "", "scan"]
    lowered = ids.str.lower()
    clash = lowered.duplicated() & ~ids.duplicated()
    expected = "ids that differ in more than upper and lower case, because they name files"
    return row_problems("scans.csv", "scan", expected, ids[clash], advice="Choose another code")


def _files(folder: Path, scans: pd.DataFrame) -> list[Problem]:
    if "file" not in scans:
        return []
    listings: dict[Path, dict[str, str]] = {}
    problems: list[Problem] = []
    for row, text in scans.loc[scans["file"] != "", "file"].items():
        severity, found, advice = _file_trouble(folder, str(text), listings)
        if found:
            expected = "a recording inside the study folder"
            problems.append(Problem("scans.csv", row_number(row), "file", expected, found, severity, advice))
    return problems


def relative_path(text: str) -> PurePosixPath:
    """A path of scans.csv, which may have been written on Windows."""
    return PurePosixPath(text.replace("\\", "/"))


def _file_trouble(folder: Path, text: str, listings: dict[Path, dict[str, str]]) -> tuple[Any, str, str]:
    relative = relative_path(text)
    if relative.is_absolute() or ":" in relative.parts[0] or ".." in relative.parts:
        advice = "Copy the recording into the study folder, and write its path from there"
        return "error", f"{text!r}, which points outside it", advice
    here = folder
    actual: list[str] = []
    for part in relative.parts:
        if here not in listings:
            listings[here] = _listing(here)
        names = listings[here]
        match = part if names.get(part) else next((name for name in names if name.lower() == part.lower()), "")
        if not match:
            hint = did_you_mean_file(part, names)
            return "error", f"{text!r}, which does not exist", hint
        actual.append(match)
        here = here / match
    if actual != list(relative.parts):
        advice = f"Upper and lower case matter. Did you mean {'/'.join(actual)!r}?"
        return "error", f"{text!r}, which does not exist", advice
    if not here.resolve().is_relative_to(folder.resolve()):
        return "error", f"{text!r}, a link that points outside it", "Copy the recording itself into the study folder"
    if here.is_dir():
        if here.suffix.lower() == ".zarr":
            return "error", "", ""
        return "error", f"{text!r}, which is a folder", "Name the file in it"
    if here.stat().st_size == 0:
        return "error", f"{text!r}, which is empty", "Copy it from the camera again"
    if not os.access(here, os.R_OK):
        return "error", f"{text!r}, which may not be read", "Ask whoever owns it for the permission"
    return "error", "", ""


def _listing(folder: Path) -> dict[str, str]:
    try:
        return {entry.name: entry.name for entry in folder.iterdir()}
    except OSError:
        return {}


def did_you_mean_file(name: str, names: Mapping[str, str]) -> str:
    """A file of nearly that name, as a hint; or ""."""
    lowered = {known.lower(): known for known in sorted(names)}
    hint = did_you_mean(name, lowered).strip()
    for low, known in lowered.items():
        if f"'{low}'" in hint:
            return f"Did you mean {known!r}?"
    return "Write its path from the study folder, e.g. thermograms/scan.jpg"


def _shared_files(scans: pd.DataFrame) -> list[Problem]:
    if not _has(scans, "file", "participant", "visit", "limb"):
        return []
    named = scans[scans["file"] != ""]
    path = named["file"].map(lambda text: str(relative_path(text)).lower())
    problems: list[Problem] = []
    for _, rows in named[path.duplicated(keep=False)].groupby(path, sort=False):
        first = rows.iloc[0]
        same = ["participant", "visit"]
        for row, other in rows.iloc[1:].iterrows():
            elsewhere = any(other[column] != first[column] for column in same)
            if elsewhere or other["limb"] == first["limb"]:
                found = f"{other['file']!r}, which row {rows.index[0]} has already"
                expected = "a recording of its own for every scan"
                advice = "Name the right recording"
                problems.append(Problem("scans.csv", row_number(row), "file", expected, found, advice=advice))
    return problems


def _views(scans: pd.DataFrame) -> list[Problem]:
    if not _has(scans, "limb", "view"):
        return []
    hands = scans["limb"].isin([limb for limb in LIMBS if limb_whole(limb) == "hand"])
    wrong = {
        "plantar or dorsal, because the limb is a foot": scans.loc[~hands & (scans["view"] == "palmar"), "view"],
        "palmar or dorsal, because the limb is a hand": scans.loc[hands & (scans["view"] == "plantar"), "view"],
    }
    advice = "Correct the view or the limb"
    return [
        problem
        for expected, cells in wrong.items()
        for problem in row_problems("scans.csv", "view", expected, cells, advice=advice)
    ]


def _references_in_view(scans: pd.DataFrame) -> list[Problem]:
    known = scans["reference_c"].notna() if "reference_c" in scans else pd.Series(False, index=scans.index)
    boxed = (scans["reference_box"] != "") if "reference_box" in scans else pd.Series(False, index=scans.index)
    no_box = pd.Series("", index=scans.index[known & ~boxed])
    no_value = pd.Series("", index=scans.index[boxed & ~known])
    where = "where the black body is in the picture, because reference_c is given"
    what = "the black body's temperature, because reference_box is given"
    return [
        *row_problems("scans.csv", "reference_box", where, no_box, advice="Give both, or neither"),
        *row_problems("scans.csv", "reference_c", what, no_value, advice="Give both, or neither"),
    ]


def _cameras(scans: pd.DataFrame, settings: Mapping[str, Any]) -> list[Problem]:
    declared = settings.get("camera")
    known = set(declared) if isinstance(declared, Mapping) else set()
    if "camera" not in scans:
        return []
    lost = scans.loc[(scans["camera"] != "") & ~scans["camera"].isin(known), "camera"]
    if known:
        return _lost("scans", "camera", f"a camera of study.toml ({', '.join(sorted(known))})", lost, known)
    advice = "Without its accuracy the uncertainties rest on what the recording says"
    expected = "a section [camera.ID] in study.toml"
    return row_problems("scans.csv", "camera", expected, lost, severity="warning", advice=advice)


def _comparable(scans: pd.DataFrame, visits: pd.DataFrame | None) -> list[Problem]:
    """Scans at rest of a later visit that nothing at the first visit can be compared with."""
    if visits is None or not (
        _has(scans, "participant", "visit", "limb", "view", "phase") and _has(visits, "participant", "visit", "date")
    ):
        return []
    dates = visits.drop_duplicates(["participant", "visit"]).set_index(["participant", "visit"])["date"]
    rest = scans[scans["phase"] == "rest"]
    when = pd.Series(
        [dates.get(key) for key in zip(rest["participant"], rest["visit"], strict=True)], index=rest.index, dtype=object
    )
    problems: list[Problem] = []
    for person, mine in rest[when.notna()].groupby("participant", sort=False):
        moments = when[mine.index]
        first = mine[moments == moments.min()]
        seen = set(zip(first["limb"], first["view"], strict=True))
        for row, scan in mine[moments > moments.min()].iterrows():
            if (scan["limb"], scan["view"]) not in seen:
                found = f"{scan['limb']}, {scan['view']}"
                first_seen = " or ".join(f"{limb}, {view}" for limb, view in sorted(seen))
                expected = f"the limb and view of the first visit of participant {person!r} ({first_seen})"
                advice = "It is measured, but not compared with that visit"
                problems.append(Problem("scans.csv", row_number(row), "view", expected, found, "warning", advice))
    return problems


def _rewarming_times(scans: pd.DataFrame) -> list[Problem]:
    if "phase" not in scans:
        return []
    rewarming = scans["phase"] == "rewarming"
    times = scans["time_s"] if "time_s" in scans else pd.Series(float("nan"), index=scans.index)
    untimed = pd.Series("", index=scans.index[rewarming & times.isna()])
    expected = "seconds since the end of the cold immersion, because the phase is rewarming"
    return row_problems("scans.csv", "time_s", expected, untimed, severity="warning")


def _annotations(folder: Path, scans: pd.DataFrame) -> list[Problem]:
    place = folder / "annotations"
    if not place.is_dir() or "scan" not in scans:
        return []
    ids = set(scans["scan"])
    problems: list[Problem] = []
    for path in sorted(place.iterdir()):
        if path.suffix.lower() not in (".geojson", ".json"):
            continue
        file = f"annotations/{path.name}"
        annotation = annotation_of(path, ids)
        if annotation is None:
            advice = f"It is not used.{did_you_mean(path.stem, ids)}"
            expected = "SCAN.geojson or SCAN.AUTHOR.geojson, with a scan of scans.csv"
            problems.append(Problem(file, 0, "", expected, path.name, "warning", advice))
            continue
        if annotation.author == PROPOSED:
            expected = f"{annotation.scan}.geojson, once a person has looked at the proposal"
            advice = "It is not used. Rename it to use it, or delete it"
            problems.append(Problem(file, 0, "", expected, "a proposal", "warning", advice))
        try:
            content = json.loads(path.read_bytes().decode("utf-8-sig"))
        except (OSError, ValueError, RecursionError) as error:
            advice = "Save it again with the program that drew it"
            problems.append(Problem(file, getattr(error, "lineno", 0), "", "GeoJSON", str(error), advice=advice))
            continue
        if not isinstance(content, dict) or content.get("type") != "FeatureCollection":
            kind = content.get("type") if isinstance(content, dict) else type(content).__name__
            advice = "Save it again with the program that drew it"
            problems.append(Problem(file, 0, "", "a GeoJSON FeatureCollection", repr(kind), advice=advice))
    return problems
