"""``PLAN.toml`` of a study that is still to be done: what may stand in it, read and checked, all problems together."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from rewarm.effects.allocation import allocation_troubles
from rewarm.effects.trials import Course, Life, TrialPlan, Variance
from rewarm.errors import InvalidInputError, UnreadableFileError
from rewarm.study.columns import did_you_mean
from rewarm.study.records import CONTROLS, DESIGNS

Kind = Literal["text", "texts", "word", "number", "numbers", "whole", "wholes", "strata"]


@dataclass(frozen=True)
class Entry:
    """One line of the plan: its kind, meaning, default (None: may be left out), and the range of its numbers."""

    name: str
    kind: Kind
    meaning: str
    default: Any = None
    required: bool = False
    low: float = -math.inf
    high: float = math.inf
    words: tuple[str, ...] = ()


SECTIONS: Final[Mapping[str, tuple[Entry, ...]]] = {
    "": (
        Entry("id", "text", "the study's short code", required=True),
        Entry("title", "text", "the study's title", required=True),
    ),
    "design": (
        Entry("kind", "word", "the design", required=True, words=DESIGNS),
        Entry("control", "word", "what the treated are compared with", "none", words=CONTROLS),
        Entry("arms", "texts", "the arms' names, the toxin's first", ("toxin", "control")),
        Entry("participants", "wholes", "numbers of people to try", (8, 12, 20, 30, 40, 60), low=2, high=5000),
        Entry("treated_share", "number", "share of people treated, parallel only", 0.5, low=0.05, high=0.95),
        Entry("alpha", "number", "two-sided significance level", 0.05, low=1e-4, high=0.5),
        Entry("power", "number", "power wanted", 0.8, low=0.05, high=0.999),
        Entry("level", "number", "level of the intervals", 0.90, low=0.5, high=0.999),
    ),
    "outcome": (
        Entry("name", "text", "the primary outcome: a metric or a column of the diary", required=True),
        Entry("unit", "text", "its unit", ""),
        Entry("better", "word", "which way helps the patient", "lower", words=("lower", "higher")),
        Entry("effect", "number", "the effect to be found, at its full size; negative lowers. Left out: the pilot's"),
        Entry("important", "number", "the smallest important difference", low=0),
    ),
    "visits": (
        Entry("baseline_weeks", "numbers", "visits up to the treatment (0: just before), weeks", (-2.0, 0.0), high=0),
        Entry("after_weeks", "numbers", "visits after it; n_of_1: all weeks observed", (4.0, 8.0), low=0, high=520),
        Entry("start_weeks", "numbers", "n_of_1: the weeks that the start is drawn from", (), low=0, high=520),
        Entry("readings", "whole", "values averaged at each visit, e.g. 7 days of diary", 1, low=1, high=366),
        Entry("start_months", "wholes", "months in which enrolment may begin; the plan's first", (1,), low=1, high=12),
        Entry("spread_weeks", "number", "weeks over which people are enrolled", 0.0, low=0, high=520),
    ),
    "variance": (
        Entry("person_sd", "number", "SD between people", low=0),
        Entry("noise_sd", "number", "SD of a single reading", low=0),
        Entry("flare_sd", "number", "SD of the disease's own course", 0.0, low=0),
        Entry("flare_days", "number", "how long it remembers", 14.0, low=0.1),
        Entry("limb_sd", "number", "SD between a person's limbs", 0.0, low=0),
        Entry("effect_sd", "number", "SD of the effect between people", low=0),
    ),
    "course": (
        Entry("onset_days", "number", "time constant of the onset; 0: at once", 6.7, low=0),
        Entry("duration_days", "number", "mean duration", 78.5, low=1),
        Entry("duration_sd_days", "number", "its SD", 28.4, low=0.1),
    ),
    "life": (
        Entry("season", "number", "amplitude over the year, added at its coldest", 0.0),
        Entry("warmest_month", "number", "7.5 is mid-July", 7.5, low=1, high=13),
        Entry("placebo", "number", "change from being treated at all", 0.0),
        Entry("drop_out", "number", "share of people who miss late visits", 0.0, low=0, high=0.95),
        Entry("enrolled_above_sd", "number", "enrolled when so many SD above their own mean", low=-3, high=3),
    ),
    "simulation": (
        Entry("trials", "whole", "trials simulated for each figure", 200, low=20, high=20_000),
        Entry("seed", "whole", "the same seed gives the same figures, not the allocation", 1, low=0, high=2**31),
    ),
    "allocation": (
        Entry("participants", "whole", "places in each stratum; left out: as many as needed", low=1, high=5000),
        Entry("ratio", "wholes", "the arms' shares", (1, 1), low=1, high=20),
        Entry("block_sizes", "wholes", "multiples of the ratio's sum; left out: 2 and 3 times it", low=1, high=200),
        Entry("strata", "strata", "factors and their levels, e.g. strata = { site = [\"Basel\", \"Bern\"] }"),
        Entry("secret", "text", "what the list is drawn from; left out (better): drawn by the computer"),
    ),
    "pilot": (
        Entry("effects", "text", "an effects.csv of a pilot, relative to the plan"),
        Entry("study", "text", "a study folder with a diary, relative to the plan"),
        Entry("estimand", "text", "which effect of the pilot", "change_from_baseline"),
    ),
}  # fmt: skip
"""Every section and line of the plan; ``""`` is the head of the file."""


@dataclass(frozen=True)
class DesignPlan:
    """A checked plan: ``values`` by section and name, with defaults; ``folder`` is where its relative paths begin."""

    values: Mapping[str, Mapping[str, Any]]
    folder: Path

    def __getitem__(self, name: str) -> Any:
        """``plan["design.kind"]``; None where it was left out and has no default."""
        section, _, key = name.rpartition(".")
        return self.values[section][key]


def read_design_plan(path: str | Path) -> DesignPlan:
    """Read a plan.

    Raises :class:`UnreadableFileError` for a file that cannot be read or is no TOML, and :class:`InvalidInputError`
    with every problem of its content.
    """
    file = Path(path)
    try:
        text = file.read_bytes().decode("utf-8-sig")
        content = tomllib.loads(text)
    except OSError as error:
        reason = "a folder" if file.is_dir() else (error.strerror or "a file that cannot be read").lower()
        raise UnreadableFileError(f"{file}: expected a plan in TOML; found {reason}. Check the path") from None
    except (ValueError, RecursionError) as error:
        advice = 'A line reads name = value, with text in quotation marks, e.g. kind = "parallel"'
        raise UnreadableFileError(f"{file}: expected TOML in UTF-8; found {error}. {advice}") from None
    values, problems = _checked(content, text)
    problems += _rules(values) if not problems else []
    if problems:
        noun = "problem" if len(problems) == 1 else "problems"
        lines = [f"{file}: {len(problems)} {noun} to correct before anything is planned", *problems]
        lines.append("Correct these lines, then run rewarm design again; nothing was written")
        raise InvalidInputError("\n  ".join(lines))
    return DesignPlan(values, file.parent)


def trial_plan(plan: DesignPlan, effect: float, variance: Variance) -> TrialPlan:
    """What is simulated. Where more is better, signs are turned, so that less is better throughout."""
    sign = 1.0 if plan["outcome.better"] == "lower" else -1.0
    life = plan.values["life"]
    return TrialPlan(
        kind=plan["design.kind"],
        effect=sign * effect,
        variance=variance,
        baseline_weeks=tuple(float(week) for week in plan["visits.baseline_weeks"]),
        after_weeks=tuple(float(week) for week in plan["visits.after_weeks"]),
        start_weeks=tuple(float(week) for week in plan["visits.start_weeks"]),
        readings=plan["visits.readings"],
        treated_share=plan["design.treated_share"],
        masked=plan["design.control"] == "placebo",
        start_month=float(plan["visits.start_months"][0]),
        spread_weeks=plan["visits.spread_weeks"],
        course=Course(**plan.values["course"]),
        life=Life(
            season=sign * life["season"],
            warmest_month=life["warmest_month"],
            placebo=sign * life["placebo"],
            drop_out=life["drop_out"],
            enrolled_above_sd=life["enrolled_above_sd"],
        ),
    )


def _checked(content: Mapping[str, Any], text: str) -> tuple[dict[str, dict[str, Any]], list[str]]:
    values: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    for section, entries in SECTIONS.items():
        given = content if section == "" else content.get(section, {})
        if not isinstance(given, Mapping):
            problems.append(f"{_where(text, '', section)}: expected a section [{section}]; found {given!r}")
            given = {}
        known = [entry.name for entry in entries]
        sections = [name for name in SECTIONS if name] if section == "" else []
        for key in given:
            if key not in known and key not in sections:
                hint = did_you_mean(key, [*known, *sections])
                problems.append(
                    f"{_where(text, section, key)}: expected one of {', '.join([*known, *sections])}; found "
                    f"{key!r}.{hint}"
                )
        values[section] = {}
        for entry in entries:
            found = given.get(entry.name, entry.default)
            trouble = ""
            if entry.name not in given:
                trouble = f"this setting ({entry.meaning})" if entry.required else ""
                found_words = "nothing"
            else:
                trouble, found_words = _trouble(found, entry), repr(found)
            if trouble:
                advice = "" if entry.name in given else f". Add: {_example(section, entry)}"
                problems.append(f"{_where(text, section, entry.name)}: expected {trouble}; found {found_words}{advice}")
            values[section][entry.name] = found
    return values, problems


def _trouble(value: Any, entry: Entry) -> str:
    """What was expected instead, or ""."""
    if entry.kind == "strata":
        good = isinstance(value, Mapping) and all(_texts(levels) for levels in value.values())
        return "" if good else 'factors with lists of levels, e.g. { site = ["Basel", "Bern"] }'
    if entry.kind == "text":
        return "" if isinstance(value, str) and value.strip() else "text in quotation marks"
    if entry.kind == "word":
        return "" if value in entry.words else f"one of {', '.join(entry.words)}"
    if entry.kind == "texts":
        return "" if _texts(value) else "a list of texts"
    many = entry.kind in ("numbers", "wholes")
    if many and (not isinstance(value, list) or not value):
        return f"a list of {'whole ' if entry.kind == 'wholes' else ''}numbers, e.g. [4, 8]"
    numbers = value if many else [value]
    whole = entry.kind in ("whole", "wholes")
    for number in numbers:
        right = isinstance(number, int if whole else (int, float)) and not isinstance(number, bool)
        if not right or not math.isfinite(number):
            return "a whole number without quotation marks" if whole else "a number without quotation marks"
        if not entry.low <= number <= entry.high:
            return _range(entry)
    return ""


def _example(section: str, entry: Entry) -> str:
    """A line that a person can copy and change."""
    values = {"text": '"..."', "texts": '["...", "..."]', "numbers": "[4, 8]", "wholes": "[12, 20]"}
    value = f'"{entry.words[0]}"' if entry.kind == "word" else values.get(entry.kind, "1")
    return f"{entry.name} = {value}{f' under [{section}]' if section else ' at the head of the file'}"


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) and item.strip() for item in value)


def _range(entry: Entry) -> str:
    if math.isinf(entry.high):
        return f"{entry.low:g} or more"
    if math.isinf(entry.low):
        return f"{entry.high:g} or less"
    return f"{entry.low:g} to {entry.high:g}"


def _rules(values: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What holds between lines."""
    problems = []
    design, visits, variance = values["design"], values["visits"], values["variance"]
    pilot = values["pilot"]
    if design["kind"] == "n_of_1":
        starts = visits["start_weeks"]
        if len(set(starts)) < 2:
            problems.append("visits.start_weeks: expected at least two weeks for chance to choose from; found "
                            f"{list(starts)}. Write e.g. start_weeks = [4, 6, 8]")  # fmt: skip
        elif min(visits["after_weeks"]) > min(starts) or max(visits["after_weeks"]) <= max(starts):
            problems.append(
                "visits.after_weeks: expected all weeks observed, from before the first start to after the last one; "
                f"found {visits['after_weeks']} with starts {starts}. Add weeks, or choose other starts"
            )
    elif min(visits["after_weeks"]) <= 0:
        problems.append(
            "visits.after_weeks: expected weeks after the treatment, over 0; found "
            f"{min(visits['after_weeks']):g}. Visits up to the treatment belong to visits.baseline_weeks"
        )
    if design["kind"] == "parallel" and design["control"] == "none":
        problems.append(
            'design.control: expected what the other arm gets ("placebo" or "untreated_limb"); found "none". '
            'Name it, or plan kind = "case_series"'
        )
    if design["kind"] == "parallel" and len(design["arms"]) != 2:
        problems.append(
            f"design.arms: expected two arms, as the power is simulated for two; found {len(design['arms'])}. "
            "Plan each comparison by itself"
        )
    chance = values["allocation"]
    if design["kind"] != "case_series":
        arms = ["left", "right"] if design["kind"] == "split_limb" else list(design["arms"])
        two = design["kind"] == "n_of_1"  # whose starts are drawn, so that arms, ratio and blocks play no part
        troubles = allocation_troubles(
            ["a", "b"] if two else arms, [1, 1] if two else chance["ratio"], None if two else chance["block_sizes"],
            chance["secret"],
        )  # fmt: skip
        problems += [f"{'design' if item.startswith('arms') else 'allocation'}.{item}" for item in troubles]
    if values["outcome"]["effect"] is None and pilot["effects"] is None:
        problems.append(
            "outcome.effect: expected the effect to be found, or [pilot] effects; found neither. "
            "Write e.g. effect = -1.4, in the outcome's unit"
        )
    if pilot["study"] is None and (variance["person_sd"] is None or variance["noise_sd"] is None):
        problems.append(
            "variance: expected person_sd and noise_sd, or [pilot] study with a diary; found neither. "
            "State both in the outcome's unit, or name an earlier study"
        )
    return problems


def _where(text: str, section: str, key: str) -> str:
    """``line 7, design.kind``; without the line where the file does not have it."""
    name = f"{section}.{key}" if section else key
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\s*([^\]]+?)\s*\]", line):
            current = header[1]
            if section == "" and current == key:
                return f"line {number}, [{key}]"
        elif current == section and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return f"line {number}, {name}"
    return name
