"""``study.toml``: what a study is called, how it was designed, which cameras were used."""

from __future__ import annotations

import re
import tomllib
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from rewarm.errors import Problem
from rewarm.study.columns import did_you_mean, id_trouble
from rewarm.study.records import CONTROLS, DESIGNS, OUTCOME_UNITS

FILE: Final = "study.toml"
SECTIONS: Final = ("design", "outcomes", "camera", "protocol", "uncertainty")
_EXAMPLE: Final = 'A line reads name = value, with text in quotation marks, e.g. title = "Toes and toxin"'

SettingKind = Literal["text", "texts", "figures", "id", "timezone", "word", "number", "yes_no", "pixels"]


@dataclass(frozen=True)
class Setting:
    """One line of study.toml; a number is an error at or below ``over``, and above ``up_to``."""

    name: str
    kind: SettingKind
    meaning: str
    required: bool = False
    vocabulary: tuple[str, ...] = ()
    over: float | None = None
    up_to: float | None = None


TOP: Final = (
    Setting("id", "id", "the study's short code", required=True),
    Setting("title", "text", "the study's title", required=True),
    Setting("timezone", "timezone", "where its clocks are, e.g. Europe/Zurich", required=True),
)
DESIGN: Final = (
    Setting("kind", "word", "the design", required=True, vocabulary=DESIGNS),
    Setting("control", "word", "what the treated are compared with", vocabulary=CONTROLS),
    Setting("randomised", "yes_no", "whether chance decided who, which limb or which period was treated"),
    Setting("masked_reading", "yes_no", "whether who read the pictures did not know which was which"),
    Setting("masked_rating", "yes_no", "whether who filled in the diary did not know the treatment"),
    Setting("enrolled_at_worst", "yes_no", "whether people were enrolled because they were at their worst"),
)
OUTCOMES: Final = (
    Setting("primary", "text", "the one outcome that decides: a metric, or a column of the diary"),
    Setting("secondary", "texts", "the others, named before the data were seen"),
    Setting("important", "figures", "smallest difference that matters, of each outcome, in its unit"),
)
CAMERA: Final = (
    Setting("model", "text", "maker and model"),
    Setting("accuracy_c", "number", "half-width of the specified accuracy, °C", over=0),
    Setting("netd_mk", "number", "noise-equivalent temperature difference, mK", over=0),
    Setting("pixels", "pixels", "width and height of its pictures"),
    Setting("warm_up_min", "number", "minutes that it was switched on before the first picture", over=-1e-9),
)
PROTOCOL: Final = (
    Setting("ambient_c", "number", "the room's temperature by protocol, °C"),
    Setting("settling_min", "number", "minutes in the room before the first picture", over=-1e-9),
    Setting("warm_up_min", "number", "minutes that the camera was switched on before", over=-1e-9),
    Setting("viewing_angle_deg", "number", "angle between the camera's axis and square to the skin, °", over=-1e-9),
    Setting("draught_free", "yes_no", "whether draughts, sunlight and heaters were kept away"),
    Setting("skin_dry", "yes_no", "whether the skin was dry and without ointment"),
    Setting("reference_accuracy_c", "number", "half-width to which a reference in view is known, °C", over=0),
)
UNCERTAINTY: Final = (
    Setting("drift_c", "number", "half-width of the offset's change between sessions, °C", over=0, up_to=10),
    Setting("nonuniformity_c", "number", "how far 95 % of the places are off the picture's mean, °C", over=0, up_to=10),
    Setting("nonuniformity_reach_pct", "number", "over how much of the diagonal it is alike, %", over=0, up_to=100),
    Setting("noise_shared_px", "number", "how many neighbouring pixels share their noise", over=0.999, up_to=1000),
    Setting("emissivity_half_width", "number", "skin's own spread around 0.98", over=0, up_to=0.2),
    Setting(
        "emissivity_unknown_half_width", "number", "the same where the file does not say what was set",
        over=0, up_to=0.2,
    ),
    Setting("reflected_half_width_c", "number", "half-width of a stated reflected temperature, °C", over=0, up_to=50),
    Setting("reflected_unknown_half_width_c", "number", "of one that nobody stated (23 °C), °C", over=0, up_to=50),
    Setting("air_half_width_c", "number", "half-width of a stated air temperature, °C", over=0, up_to=50),
    Setting("air_unknown_half_width_c", "number", "of one that nobody stated (23 °C), °C", over=0, up_to=50),
    Setting("distance_half_width_m", "number", "half-width of a stated distance, m", over=0, up_to=10),
    Setting("distance_unknown_half_width_m", "number", "of one that nobody stated (1 m), m", over=0, up_to=10),
    Setting("humidity_half_width_pct", "number", "half-width of a stated humidity, %", over=0, up_to=100),
    Setting("humidity_unknown_half_width_pct", "number", "of one that nobody stated (50 %), %", over=0, up_to=100),
    Setting("edge_px", "number", "how far an outline may lie off, px", over=0, up_to=20),
    Setting("blur_px", "number", "standard deviation of the optics' blur, px", over=-1e-9, up_to=20),
    Setting("scatter_pct", "number", "share of a pixel's signal that comes from around it, %", over=-1e-9, up_to=50),
    Setting("scatter_px", "number", "from how far around, px", over=0, up_to=500),
)  # fmt: skip
"""What :class:`rewarm.measures.Assumptions` takes for granted otherwise; ``…_pct`` of a share is its field in %."""


def read_settings(folder: Path) -> tuple[dict[str, Any], list[Problem]]:
    """The settings as nested dictionaries, and everything that is wrong with them."""
    path = folder / FILE
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        advice = "Save it as UTF-8 in the text editor"
        return {}, [Problem(FILE, 0, "", "text in UTF-8", f"byte 0x{error.object[error.start]:02X}", advice=advice)]
    except OSError as error:
        found = "a folder" if path.is_dir() else (error.strerror or "a file that cannot be read").lower()
        advice = "Check the file's permissions and kind"
        return {}, [Problem(FILE, 0, "", "a text file that can be read", found, advice=advice)]
    try:
        settings = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, numbers of thousands of digits, endless nesting
        line = re.search(r"at line (\d+)", str(error))
        at_end = text.count("\n") + 1
        row = int(line[1]) if line else at_end
        return {}, [Problem(FILE, row, "", "TOML", str(error), advice=_EXAMPLE)]
    return settings, _problems(settings, text)


def _problems(settings: Mapping[str, Any], text: str) -> list[Problem]:
    problems = _section(settings, TOP, "", text, sections=SECTIONS)
    design = settings.get("design")
    if design is None:
        advice = f'Add the lines [design] and kind = "{DESIGNS[0]}"'
        problems.append(Problem(FILE, 0, "design", "a section [design]", "none", advice=advice))
    problems += _table(design, DESIGN, "design", text)
    problems += _table(settings.get("outcomes"), OUTCOMES, "outcomes", text)
    problems += _outcomes(settings.get("outcomes"), text)
    problems += _table(settings.get("protocol"), PROTOCOL, "protocol", text)
    problems += _uncertainty(settings.get("uncertainty"), text)
    cameras = settings.get("camera")
    if cameras is not None and not (
        isinstance(cameras, Mapping) and all(isinstance(value, Mapping) for value in cameras.values())
    ):
        row = _line(text, "", "camera")
        advice = "Write [camera.ID] above its lines, with the ID that scans.csv uses"
        problems.append(Problem(FILE, row, "camera", "sections [camera.ID]", "lines without an ID", advice=advice))
    elif cameras:
        for name, camera in cameras.items():
            problems += _table(camera, CAMERA, f"camera.{name}", text)
    return problems


def _outcomes(values: Any, text: str) -> list[Problem]:
    """An outcome that nothing measures is an error: nobody may notice that it was misspelt until it is too late."""
    if not isinstance(values, Mapping):
        return []
    named: list[tuple[str, str]] = []
    if isinstance(values.get("primary"), str):
        named.append(("primary", values["primary"]))
    if isinstance(values.get("secondary"), list):
        named += [("secondary", item) for item in values["secondary"] if isinstance(item, str)]
    if isinstance(values.get("important"), Mapping):
        named += [("important", str(item)) for item in values["important"]]
    problems = []
    for key, outcome in named:
        if outcome.strip() and outcome not in OUTCOME_UNITS:
            expected = "a metric of the measurements, or a column of figures in the diary"
            advice = did_you_mean(outcome, OUTCOME_UNITS).strip() or "docs/data-dictionary.md lists them"
            row = _line(text, "outcomes", key) or _line(text, "outcomes.important", outcome)
            problems.append(Problem(FILE, row, f"outcomes.{key}", expected, repr(outcome), advice=advice))
    secondary = [outcome for key, outcome in named if key == "secondary"]
    for outcome in dict.fromkeys(secondary):
        if secondary.count(outcome) > 1 or ("primary", outcome) in named:
            row = _line(text, "outcomes", "secondary")
            found = f"{outcome!r} twice, or as the primary one too"
            advice = "Name it once"
            problems.append(Problem(FILE, row, "outcomes.secondary", "every outcome once", found, advice=advice))
    return problems


def _uncertainty(values: Any, text: str) -> list[Problem]:
    """A misspelt figure here would be replaced by a default in silence, in every u: an error, not a warning."""
    problems = _table(values, UNCERTAINTY, "uncertainty", text)
    known = ", ".join(setting.name for setting in UNCERTAINTY)
    strict = []
    for problem in problems:
        if problem.severity != "warning":
            strict.append(problem)
            continue
        key = problem.column.removeprefix("uncertainty.")
        in_camera = any(key == setting.name for setting in CAMERA)
        advice = "State it under [camera.ID]" if in_camera else problem.advice.removeprefix("It is not used.").strip()
        strict.append(replace(problem, expected=f"one of {known}", found=repr(key), severity="error", advice=advice))
    return strict


def _table(values: Any, declared: tuple[Setting, ...], section: str, text: str) -> list[Problem]:
    if values is None:
        return []
    if not isinstance(values, Mapping):
        row = _line(text, "", section)
        advice = f"Write [{section}] on a line of its own, and its settings below"
        return [Problem(FILE, row, section, f"a section [{section}]", repr(values), advice=advice)]
    return _section(values, declared, section, text)


def _section(
    values: Mapping[str, Any],
    declared: tuple[Setting, ...],
    section: str,
    text: str,
    sections: tuple[str, ...] = (),
) -> list[Problem]:
    problems: list[Problem] = []
    prefix = f"{section}." if section else ""
    names = [setting.name for setting in declared]
    for setting in declared:
        name = prefix + setting.name
        if setting.name not in values:
            if setting.required:
                expected = f"this required setting ({setting.meaning})"
                problems.append(Problem(FILE, 0, name, expected, "nothing", advice="Add the line"))
            continue
        trouble, advice = _trouble(values[setting.name], setting)
        if trouble:
            row = _line(text, section, setting.name)
            found = repr(values[setting.name]) if values[setting.name] != "" else "nothing yet"
            problems.append(Problem(FILE, row, name, trouble, found, advice=advice or "Correct the line"))
    for key in values:
        if key not in names and key not in sections:
            row = _line(text, section, key)
            advice = f"It is not used.{did_you_mean(key, (*names, *sections))}"
            problems.append(Problem(FILE, row, prefix + key, "a known setting", "an unknown one", "warning", advice))
    return problems


def _trouble(value: Any, setting: Setting) -> tuple[str, str]:
    """What was expected instead, and advice; both "" where the value is fine."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if setting.kind == "yes_no":
        return ("" if isinstance(value, bool) else "true or false, without quotation marks"), ""
    if setting.kind == "number":
        if not number or not abs(value) < float("inf"):
            return "a number without quotation marks", ""
        return ("" if _in_range(value, setting) else f"a number {_range_words(setting)}"), ""
    if setting.kind == "pixels":
        whole = isinstance(value, list) and len(value) == 2 and all(type(n) is int and n > 0 for n in value)
        return ("" if whole else "[width, height], two whole numbers"), ""
    if setting.kind == "texts":
        listed = isinstance(value, list) and all(isinstance(item, str) and item.strip() for item in value)
        return ("" if listed else '["...", "..."], texts in quotation marks'), ""
    if setting.kind == "figures":
        return _figures_trouble(value)
    if not isinstance(value, str):
        return "text in quotation marks", ""
    if not value.strip():
        return (
            f"text in quotation marks ({setting.meaning})",
            "Fill it in" if setting.required else "Fill it in, or delete the line",
        )
    if setting.kind == "id":
        return id_trouble(value), ""
    if setting.kind == "word" and value not in setting.vocabulary:
        return f"one of {', '.join(setting.vocabulary)}", did_you_mean(value, setting.vocabulary).strip()
    if setting.kind == "timezone" and not _timezone_exists(value):
        names = zoneinfo.available_timezones()
        return "a time zone of the IANA list, e.g. Europe/Zurich", _near_zone(value, names)
    return "", ""


def _figures_trouble(value: Any) -> tuple[str, str]:
    """``{ rcs = 1.4 }``: a positive figure of each outcome."""
    if isinstance(value, Mapping) and all(
        isinstance(item, (int, float)) and not isinstance(item, bool) and 0 < item < float("inf")
        for item in value.values()
    ):
        return "", ""
    return "a figure over 0 of each outcome", "Write it like important = { rcs = 1.4, pain_vas = 8 }"


def _in_range(value: float, setting: Setting) -> bool:
    return (setting.over is None or value > setting.over) and (setting.up_to is None or value <= setting.up_to)


def _range_words(setting: Setting) -> str:
    words = (
        [] if setting.over is None else [f"over {setting.over:g}" if setting.over == 0 else f"from {_round(setting)}"]
    )
    return " ".join([*words, *([] if setting.up_to is None else [f"up to {setting.up_to:g}"])])


def _round(setting: Setting) -> str:
    """A limit that is itself allowed is written as one just below it."""
    return f"{round(setting.over or 0.0, 2) + 0.0:g}"


def _timezone_exists(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _near_zone(name: str, names: set[str]) -> str:
    lowered = {known.lower().rsplit("/", maxsplit=1)[-1]: known for known in sorted(names)}
    hint = did_you_mean(name.rsplit("/", maxsplit=1)[-1], lowered)
    near = re.search("'(.*)'", hint)
    return f"Did you mean {lowered[near[1]]!r}?" if near else ""


def _line(text: str, section: str, key: str) -> int:
    """The line that sets ``key`` in ``section``; 0 where it cannot be told."""
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            current = header[1].replace('"', "")
            if not section and current.split(".")[0] == key:
                return number
        elif current == section and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
    return 0
