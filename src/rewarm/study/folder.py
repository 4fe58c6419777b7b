"""A study folder, read and checked: every problem found, none fixed in silence, nothing analysed while one is left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from rewarm.errors import InvalidInputError, InvalidStudyError, Problem, UnreadableFileError
from rewarm.study.columns import TypedTable, convert_table
from rewarm.study.consistency import consistency_problems
from rewarm.study.csvtext import HOW_TO_SAVE, read_text_table
from rewarm.study.links import link_problems
from rewarm.study.parquet import read_parquet_table
from rewarm.study.records import INSTEAD_OF_SCANS, REQUIRED_TABLES, TABLES, Table
from rewarm.study.settings import FILE as SETTINGS_FILE
from rewarm.study.settings import read_settings
from rewarm.study.workbook import read_workbook

_ENDS: Final = (".toml", ".csv", ".xlsx", ".parquet")


@dataclass(frozen=True, eq=False)
class StudyCheck:
    """What a study folder holds, and everything that is wrong with it.

    ``tables`` maps ``participants``, ``visits``, ... to what could be read; its index is the row in the file. Numbers
    are float64, dates datetime64 in local time, everything else text ("" where nothing was recorded). ``settings`` is
    study.toml. ``files`` maps each table to the file that it was read from; ``utc`` maps a table and its column of
    dates to the moments, NaT where the file holds a day alone.
    """

    folder: Path
    problems: tuple[Problem, ...]
    tables: Mapping[str, pd.DataFrame]
    settings: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)
    utc: Mapping[tuple[str, str], pd.Series] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What must be corrected before anything is analysed."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def ok(self) -> bool:
        """Whether it can be analysed; there may be warnings."""
        return not self.errors

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is doubtful, and goes into the report."""
        return tuple(problem for problem in self.problems if problem.severity == "warning")


def check_study(folder: str | Path, *, measurements: Path | None = None) -> StudyCheck:
    """Read a study folder and report everything that is wrong with it, together.

    ``measurements`` is a table made elsewhere (.csv, .xlsx, .parquet) that takes the place of the folder's own, and of
    its scans where it has none.

    Raises :class:`InvalidInputError` or :class:`UnreadableFileError` only where there is no folder to read; what is in
    it never raises.
    """
    path = Path(folder)
    names = _listing(path)
    problems: list[Problem] = []
    settings: dict[str, Any] = {}
    if SETTINGS_FILE in names:
        settings, problems = read_settings(path)
    else:
        problems.append(_missing(SETTINGS_FILE, "this file: the study's id, title, timezone and [design]", names))
    files, found = _table_files(names)
    problems += found
    places = {name: path / file for name, file in files.items()}
    if measurements is not None:
        files["measurements"], places["measurements"] = measurements.name, measurements
    for name in _missing_tables(set(files)):
        expected = f"this file: {TABLES[name].meaning}"
        if name == "scans":
            expected += f" (or {' or '.join(f'{other}.csv' for other in INSTEAD_OF_SCANS)} instead)"
        problems.append(_missing(f"{name}.csv", expected, names))
    typed: dict[str, TypedTable] = {}
    for name in TABLES:
        if name not in places:
            continue
        table, found = read_table(places[name], TABLES[name])
        problems += found
        if table is not None:
            typed[name] = table
    tables = {name: table.frame for name, table in typed.items()}
    utc = {(name, column): moments for name, table in typed.items() for column, moments in table.utc.items()}
    together = [
        *_empty_tables(tables),
        *link_problems(path, tables, settings, utc),
        *consistency_problems(tables, settings, utc),
    ]
    problems += _in_workbooks(together, files)
    return StudyCheck(path, tuple(_in_order(problems)), tables, settings, files, utc)


def read_table(path: Path, table: Table) -> tuple[TypedTable | None, list[Problem]]:
    """One table of a study, CSV, .xlsx or .parquet, with everything that is wrong in it by itself."""
    if path.suffix.lower() == ".xlsx":
        text, problems = read_workbook(path, table.name)
    elif path.suffix.lower() == ".parquet":
        text, problems = read_parquet_table(path)
    else:
        text, problems = read_text_table(path)
    if text is None:
        return None, problems
    typed, found = convert_table(text, table)
    return typed, problems + found


def load_study(folder: str | Path) -> StudyCheck:
    """A study folder without errors (its warnings are kept).

    Raises :class:`InvalidStudyError`, which names all problems, and what :func:`check_study` raises.
    """
    check = check_study(folder)
    if check.errors:
        raise InvalidStudyError(str(folder), check.problems)
    return check


def _listing(folder: Path) -> set[str]:
    if not folder.exists():
        raise InvalidInputError(f"{folder}: expected a study folder; found nothing of that name. Check the path")
    if not folder.is_dir():
        hint = f"Give the folder that holds it: {folder.parent}" if folder.name == SETTINGS_FILE else "Give its folder"
        raise InvalidInputError(f"{folder}: expected a study folder; found a file. {hint}")
    try:
        return {entry.name for entry in folder.iterdir()}
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise UnreadableFileError(
            f"{folder}: expected a study folder; found one that cannot be read: {reason}"
        ) from None


def _table_files(names: set[str]) -> tuple[dict[str, str], list[Problem]]:
    """Which file holds each table: the CSV file, or a workbook in its place; both is one too many."""
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for name, table in TABLES.items():
        workbook = f"{name}.xlsx"
        if table.file in names:
            files[name] = table.file
            if workbook in names:
                advice = f"{table.file} is read here. Keep the one that is right, and take the other out of the folder"
                problems.append(Problem(table.file, 0, "", "one file a table", f"{workbook} too", advice=advice))
        elif workbook in names:
            files[name] = workbook
    return files, problems


def _missing_tables(known: set[str]) -> list[str]:
    missing = [name for name in REQUIRED_TABLES if name not in known]
    if not known.intersection(("scans", *INSTEAD_OF_SCANS)):
        missing.append("scans")
    return missing


def _empty_tables(tables: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Tables of headers alone: an error where the study needs their rows, else a warning."""
    problems: list[Problem] = []
    substance = ("scans", *INSTEAD_OF_SCANS)
    bare = not any(name in tables and not tables[name].empty for name in substance)
    first = next((name for name in substance if name in tables), "")
    for name, frame in tables.items():
        if not frame.empty:
            continue
        needed = name in REQUIRED_TABLES or (bare and name == first)
        expected = f"at least one row below the header: {TABLES[name].meaning}"
        if bare and name == first:
            others = [other for other in substance if other != name]
            expected += f" (or rows of {' or '.join(f'{other}.csv' for other in others)} instead)"
        advice = "Fill it in" if needed else "It counts as not there: fill it in, or delete the file"
        problems.append(Problem(f"{name}.csv", 0, "", expected, "none", "error" if needed else "warning", advice))
    return problems


def _in_workbooks(problems: list[Problem], files: Mapping[str, str]) -> list[Problem]:
    """The problems with the names of the files that were read, where these are workbooks."""
    renamed = {f"{name}.csv": file for name, file in files.items() if file != f"{name}.csv"}
    if not renamed:
        return problems
    pattern = re.compile("|".join(map(re.escape, renamed)))

    def told(text: str) -> str:
        return pattern.sub(lambda match: renamed[match[0]], text)

    return [
        replace(item, file=told(item.file), expected=told(item.expected), found=item.found, advice=told(item.advice))
        for item in problems
    ]


def _missing(file: str, expected: str, names: set[str]) -> Problem:
    """A file that is not there, and what may have been meant to be it."""
    stem = file.rsplit(".", maxsplit=1)[0]
    for name in sorted(names):
        if name.lower() == file.lower():
            return Problem(file, 0, "", expected, f"{name!r}", advice=f"Rename it to {file}: case matters")
        if name.lower() == f"{stem}.xlsx":
            return Problem(file, 0, "", expected, f"{name!r}", advice=f"Rename it to {stem}.xlsx: case matters")
        if name.lower() in (f"{stem}.xls", f"{stem}.ods", f"{stem}.numbers"):
            return Problem(file, 0, "", expected, f"{name!r}", advice=f"{HOW_TO_SAVE}, or .xlsx")
        if name.lower() in (f"{file}.txt", f"{file}.csv", f"{stem}.txt"):
            return Problem(file, 0, "", expected, f"{name!r}", advice=f"Rename it to {file}")
    advice = "Add it; rewarm new makes an empty study with every file to fill in"
    return Problem(file, 0, "", expected, "no such file", advice=advice)


def _in_order(problems: list[Problem]) -> list[Problem]:
    """By file in the order of the contract, then by row; the order of discovery decides the rest."""
    stems = ["study", *TABLES]
    places = {f"{stem}{end}": place for place, stem in enumerate(stems) for end in _ENDS}
    return sorted(problems, key=lambda problem: (places.get(problem.file, len(stems)), problem.file, problem.row))
