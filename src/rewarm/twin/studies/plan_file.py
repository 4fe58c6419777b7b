"""Read a plan from TOML, and report everything that is wrong with it at once.

What may stand in a plan is declared in :mod:`rewarm.twin.studies.plan`; nothing is declared again here. An unknown key
is an error, because a misspelt one would be replaced by its default in silence.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import typing
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import Field, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from rewarm.errors import InvalidInputError, Problem, UnreadableFileError
from rewarm.twin.studies.plan import CameraPlan, GroupPlan, HeelsPlan, StudyPlan
from rewarm.twin.studies.plan_rules import rule_problems

SECTIONS: Final[Mapping[str, str]] = {"group": "groups", "camera": "cameras"}
"""Sections of the file that are named otherwise in :class:`StudyPlan`."""
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def read_plan(path: Path | str) -> StudyPlan:
    """Read a plan. Raises :class:`UnreadableFileError` for a file that cannot be read or is no TOML, and
    :class:`InvalidInputError` that names all problems, each with its line, what was expected and what was found.
    """
    file = Path(path)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02X}"
        raise UnreadableFileError(f"{file}: expected text in UTF-8; found {found}. Save it as UTF-8") from error
    except OSError as error:
        reason = "a folder" if file.is_dir() else (error.strerror or "a file that cannot be read").lower()
        raise UnreadableFileError(f"{file}: expected a plan in TOML; found {reason}. Name a plan file") from error
    return parse_plan(text, name=file.name)


def parse_plan(text: str, *, name: str = "plan") -> StudyPlan:
    """The plan that a TOML text holds; ``name`` is what messages call it. Raises as :func:`read_plan` does."""
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        advice = 'A line reads name = value, with text in quotation marks, e.g. title = "Is it the season?"'
        raise UnreadableFileError(f"{name}: expected TOML; found {error}. {advice}") from error
    reader = _Reader(name, text)
    plan = reader.plan(values)
    problems = reader.problems
    if plan is not None and not problems:
        problems = [reader.problem(where, *rest) for where, *rest in rule_problems(plan)]
    if problems or plan is None:
        noun = "problem" if len(problems) == 1 else "problems"
        lines = [
            f"{name}: {len(problems)} {noun} to correct before anything is simulated",
            *map(str, sorted(problems, key=lambda p: p.row)),
        ]
        raise InvalidInputError("\n  ".join(lines))
    return plan


class _Reader:
    """Values of one file → dataclasses; gathers what is wrong on the way."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.problems: list[Problem] = []

    def plan(self, values: Mapping[str, Any]) -> StudyPlan | None:
        """None where a value could not be used."""
        named = {SECTIONS.get(key, key): value for key, value in values.items()}
        known = [key for field in fields(StudyPlan) for key in (_key(field.name),)]
        self._unknown([key for key in values if key not in known], known, "")
        made: dict[str, Any] = {}
        for field in fields(StudyPlan):
            if field.name not in named:
                continue
            value, key = named[field.name], _key(field.name)
            if field.name == "groups":
                made["groups"] = self._groups(value)
            elif field.name == "cameras":
                made["cameras"] = self._cameras(value)
            elif field.metadata:
                self._take(made, field, value, float, "", StudyPlan)
            else:
                cls = HeelsPlan if field.name == "heels" else type(field.default)
                made[field.name] = self._section(value, cls, key)
        return None if self.problems else StudyPlan(**made)

    def _groups(self, value: Any) -> tuple[GroupPlan, ...]:
        if isinstance(value, Mapping):
            value = [value]
        if not isinstance(value, list) or not value or not all(isinstance(item, Mapping) for item in value):
            self.complain("group", "one or more sections [[group]]", repr(value))
            return ()
        return tuple(self._section(item, GroupPlan, "group") for item in value)

    def _cameras(self, value: Any) -> tuple[CameraPlan, ...]:
        whole = isinstance(value, Mapping) and value and all(isinstance(item, Mapping) for item in value.values())
        if not whole:
            self.complain(
                "camera", "sections [camera.ID]", "lines without an ID", "Write [camera.cam1] above its lines"
            )
            return ()
        cameras = []
        for name, item in value.items():
            if not _ID.fullmatch(name):
                self.complain(f"camera.{name}", "an ID of letters, digits, - and _", repr(name))
            if "id" in item:
                self.complain(f"camera.{name}.id", "the ID in the section's name alone", repr(item["id"]))
            plain = {key: setting for key, setting in item.items() if key != "id"}
            cameras.append(self._section(plain, CameraPlan, f"camera.{name}", id=name))
        return tuple(cameras)

    def _section(self, value: Any, cls: type, section: str, **fixed: Any) -> Any:
        if not isinstance(value, Mapping):
            self.complain(section, f"a section [{section}]", repr(value))
            return cls()
        made: dict[str, Any] = dict(fixed)
        declared = {field.name: field for field in fields(cls)}
        self._unknown([key for key in value if key not in declared], list(declared), section)
        for key, setting in value.items():
            if key in declared:
                self._take(made, declared[key], setting, float, section, cls)
        return cls(**made)

    def _take(self, made: dict[str, Any], field: Field[Any], value: Any, _kind: type, section: str, cls: type) -> None:
        hint = typing.get_type_hints(cls)[field.name]
        name = f"{section}.{field.name}" if section else field.name
        expected = _expected(field, hint)
        usable, converted, near = _convert(value, hint, field.metadata)
        if usable:
            made[field.name] = converted
            if field.name in ("id", "timezone") and not section:
                self._check_top(field.name, converted)
        else:
            advice = "" if near is None else f"Did you mean {near!r}?"
            self.complain(name, expected, repr(value), advice)

    def _check_top(self, name: str, value: str) -> None:
        if name == "id" and not _ID.fullmatch(value):
            self.complain("id", "a short code of letters, digits, - and _", repr(value))
        if name == "timezone" and value not in zoneinfo.available_timezones():
            near = _near(value, sorted(zoneinfo.available_timezones()))
            advice = "" if near is None else f"Did you mean {near!r}?"
            self.complain("timezone", "a time zone of the IANA list, e.g. Europe/Zurich", repr(value), advice)

    def _unknown(self, keys: Sequence[str], known: Sequence[str], section: str) -> None:
        for key in keys:
            near = _near(key, known)
            advice = f"Did you mean {near!r}?" if near else f"Known here: {', '.join(known)}"
            self.complain(f"{section}.{key}" if section else key, "a known setting", "an unknown one", advice)

    def complain(self, where: str, expected: str, found: str, advice: str = "") -> None:
        """Gather one problem; ``where`` is ``section.key``, or the one alone."""
        self.problems.append(self.problem(where, expected, found, advice))

    def problem(self, where: str, expected: str, found: str, advice: str = "") -> Problem:
        """A problem with the line that it is on, where that can be told."""
        return Problem(self.name, _line(self.text, where), where, expected, found, advice=advice)


def _key(name: str) -> str:
    """What a field of :class:`StudyPlan` is called in the file."""
    return {value: key for key, value in SECTIONS.items()}.get(name, name)


def _convert(value: Any, hint: Any, meta: Mapping[str, Any]) -> tuple[bool, Any, str | None]:
    """Whether ``value`` is what ``hint`` and ``meta`` ask for, what it becomes, and the word it may have meant."""
    if hint is bool:
        return isinstance(value, bool), value, None
    if hint is int:
        good = type(value) is int and meta["low"] <= value <= meta["high"]
        return good, value, None
    if hint in (float, float | None):
        good = type(value) in (int, float) and meta["low"] <= value <= meta["high"]
        return good, float(value) if good else value, None
    if hint is date:
        good = isinstance(value, date) and not isinstance(value, datetime) and 1900 <= value.year <= 2100
        return good, value, None
    if hint is str:
        words = meta["words"]
        if not isinstance(value, str):
            return False, value, None
        if words and value not in words:
            return False, value, _near(value, words)
        return value.isprintable(), value, None
    if hint == tuple[int, int]:
        good = isinstance(value, list) and len(value) == 2
        good = good and all(type(n) is int and meta["low"] <= n <= meta["high"] for n in value)
        return good, tuple(value) if good else value, None
    inner = {**meta}
    if not isinstance(value, list):
        return False, value, None
    items = [_convert(item, typing.get_args(hint)[0], inner) for item in value]
    near = next((word for good, _, word in items if not good and word), None)
    return all(good for good, _, _ in items), tuple(item for _, item, _ in items), near


def _expected(field: Field[Any], hint: Any) -> str:
    meta = field.metadata
    kind = {
        bool: "true or false",
        int: "a whole number",
        str: "text in quotation marks",
        date: "a date, e.g. 2025-01-13",
    }
    if meta.get("words"):
        words = f"one of {', '.join(meta['words'])}"
        return f"a list of words, each {words}" if typing.get_origin(hint) is tuple else words
    if hint == tuple[int, int]:
        return f"[width, height], whole numbers from {meta['low']} to {meta['high']}"
    if hint == tuple[float, ...]:
        return f"a list of numbers{_range(meta)}"
    if hint == tuple[str, ...]:
        return "a list of texts in quotation marks"
    text = kind.get(hint, "a number")
    return text + _range(meta) if hint not in (bool, str, date) else text


def _range(meta: Mapping[str, Any]) -> str:
    """``from 0 to 10 °C``; bounds that nobody reaches are not told."""
    parts = [f" from {meta['low']:g}"] if meta.get("low", -1e6) > -1e6 else []
    parts += [f" to {meta['high']:g}"] if meta.get("high", 1e6) < 1e6 else []
    unit = meta.get("unit") or ""
    return "".join(parts) + (f" ({unit})" if unit else "")


def _near(word: str, words: Sequence[str]) -> str | None:
    lowered = {known.lower(): known for known in words}
    close = difflib.get_close_matches(word.lower().replace(" ", "_"), list(lowered), n=1, cutoff=0.6)
    return lowered[close[0]] if close else None


def _line(text: str, where: str) -> int:
    """The first line that sets ``where`` (``section.key``, ``section`` or ``key``); 0 where it cannot be told."""
    section, _, key = where.rpartition(".")
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            current = header[1].replace('"', "")
            if current == where:
                return number
        elif current == section and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
    return 0
