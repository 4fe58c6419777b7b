"""A study folder, read and checked: every problem found, none fixed in silence, nothing analysed while one is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rewarm.errors import InvalidInputError, InvalidStudyError, Problem, UnreadableFileError
from rewarm.study.columns import convert_table
from rewarm.study.csvtext import HOW_TO_SAVE, read_text_table
from rewarm.study.links import link_problems
from rewarm.study.records import INSTEAD_OF_SCANS, REQUIRED_TABLES, TABLES
from rewarm.study.settings import FILE as SETTINGS_FILE
from rewarm.study.settings import read_settings


@dataclass(frozen=True, eq=False)
class StudyCheck:
    """What a study folder holds, and everything that is wrong with it.

    ``tables`` maps ``participants``, ``visits``, ... to what could be read; its index is the row in the file. Numbers
    are float64, dates datetime64 in local time, everything else text ("" where nothing was recorded). ``settings`` is
    study.toml.
    """

    folder: Path
    problems: tuple[Problem, ...]
    tables: Mapping[str, pd.DataFrame]
    settings: Mapping[str, Any]

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


def check_study(folder: str | Path) -> StudyCheck:
    """Read a study folder and report everything that is wrong with it, together.

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
    for name in _missing_tables(names):
        expected = f"this file: {TABLES[name].meaning}"
        if name == "scans":
            expected += f" (or {' or '.join(f'{other}.csv' for other in INSTEAD_OF_SCANS)} instead)"
        problems.append(_missing(f"{name}.csv", expected, names))
    tables: dict[str, pd.DataFrame] = {}
    for name, table in TABLES.items():
        if table.file not in names:
            continue
        text, found = read_text_table(path / table.file)
        problems += found
        if text is not None:
            tables[name], found = convert_table(text, table)
            problems += found
    problems += link_problems(path, tables, settings)
    return StudyCheck(path, tuple(_in_order(problems)), tables, settings)


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


def _missing_tables(names: set[str]) -> list[str]:
    missing = [name for name in REQUIRED_TABLES if f"{name}.csv" not in names]
    if not any(f"{name}.csv" in names for name in ("scans", *INSTEAD_OF_SCANS)):
        missing.append("scans")
    return missing


def _missing(file: str, expected: str, names: set[str]) -> Problem:
    """A file that is not there, and what may have been meant to be it."""
    stem = file.rsplit(".", maxsplit=1)[0]
    for name in sorted(names):
        if name.lower() == file.lower():
            return Problem(file, 0, "", expected, f"{name!r}", advice=f"Rename it to {file}: case matters")
        if name.lower() in (f"{stem}.xlsx", f"{stem}.xls", f"{stem}.ods"):
            return Problem(file, 0, "", expected, f"{name!r}", advice=HOW_TO_SAVE)
        if name.lower() in (f"{file}.txt", f"{file}.csv", f"{stem}.txt"):
            return Problem(file, 0, "", expected, f"{name!r}", advice=f"Rename it to {file}")
    return Problem(file, 0, "", expected, "no such file")


def _in_order(problems: list[Problem]) -> list[Problem]:
    """By file in the order of the contract, then by row; the order of discovery decides the rest."""
    files = [SETTINGS_FILE, *(table.file for table in TABLES.values())]
    places = {file: place for place, file in enumerate(files)}
    return sorted(problems, key=lambda problem: (places.get(problem.file, len(files)), problem.file, problem.row))
