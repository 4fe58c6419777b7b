"""A checked study folder → what to do with each scan, and which scans to compare."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, TypeVar

import pandas as pd

from rewarm.measures import Assumptions, Circumstances
from rewarm.measures.challenge import ChallengeFacts
from rewarm.study.annotations import annotation_path
from rewarm.study.columns import parse_box
from rewarm.study.folder import StudyCheck
from rewarm.study.links import relative_path
from rewarm.study.scan_plan import ScanPlan
from rewarm.study.settings import FILE as SETTINGS_FILE
from rewarm.thermogram import ObjectParameters


@dataclass(frozen=True)
class Visit:
    """One visit; ``place`` counts the rows of visits.csv."""

    participant: str
    visit: str
    place: int
    date: date | None
    ambient_c: float | None
    humidity_pct: float | None


@dataclass(frozen=True)
class Step:
    """A scan's plan, the row of scans.csv it stands in, its file as written there, and its visit."""

    row: int
    file: str
    plan: ScanPlan
    visit: Visit


def study_visits(check: StudyCheck) -> dict[tuple[str, str], Visit]:
    """(participant, visit) → visit, in the order of their dates; of one day, in the order of the file."""
    visits = [
        Visit(
            participant=str(row["participant"]),
            visit=str(row["visit"]),
            place=place,
            date=_date(row.get("date")),
            ambient_c=_number(row.get("ambient_c")),
            humidity_pct=_number(row.get("humidity_pct")),
        )
        for place, row in enumerate(check.tables["visits"].to_dict("records"))
    ]
    ordered = sorted(visits, key=lambda item: (item.date or date.max, item.place))
    return {(item.participant, item.visit): item for item in ordered}


def study_steps(check: StudyCheck) -> list[Step]:
    """Every scan of a study without errors, in the order of scans.csv."""
    scans = check.tables.get("scans")
    if scans is None:
        return []
    visits = study_visits(check)
    cameras: Mapping[str, Any] = check.settings.get("camera", {})
    recorded = _recorded(check)
    assumptions = stated_assumptions(check.settings)
    steps: list[Step] = []
    for row, scan in zip(scans.index, scans.to_dict("records"), strict=True):
        visit = visits[str(scan["participant"]), str(scan["visit"])]
        annotation = annotation_path(check.folder, str(scan["scan"]))
        plan = ScanPlan(
            path=check.folder / relative_path(str(scan["file"])),
            scan=str(scan["scan"]),
            limb=str(scan["limb"]),
            view=str(scan["view"]),
            phase=str(scan["phase"]),
            participant=visit.participant,
            visit=visit.visit,
            date=visit.date,
            time_s=_number(scan.get("time_s")),
            ambient_c=visit.ambient_c,
            parameters=ObjectParameters(
                emissivity=_number(scan.get("emissivity")),
                reflected_c=_number(scan.get("reflected_c")),
                distance_m=_number(scan.get("distance_m")),
                humidity_pct=visit.humidity_pct,
                air_c=visit.ambient_c,
            ),
            lenient=True,
            assumptions=assumptions,
            stated_in=_stated_in(scan, visit, check.settings),
            camera=_specification(cameras, str(scan.get("camera", ""))),
            reference_c=_number(scan.get("reference_c")),
            reference_box=parse_box(str(scan.get("reference_box", ""))),
            corrections=annotation if annotation.is_file() else None,
            circumstances=_with_warm_up(
                recorded[visit.participant, visit.visit], _camera(cameras, str(scan.get("camera", "")))
            ),
        )
        steps.append(Step(row=int(row), file=str(scan["file"]), plan=plan, visit=visit))
    return steps


def stated_assumptions(settings: Mapping[str, Any]) -> Assumptions:
    """What the uncertainty budget takes for granted, with what ``[uncertainty]`` of study.toml states instead."""
    values: dict[str, float] = {}
    known = {item.name for item in fields(Assumptions)}
    for key, value in settings.get("uncertainty", {}).items():
        if key in known:
            values[key] = float(value)
        else:  # a share, which people write in per cent
            values[key.removesuffix("_pct")] = float(value) / 100.0
    return Assumptions(**values, stated=frozenset(values))


def challenge_facts(settings: Mapping[str, Any]) -> ChallengeFacts:
    """What ``[protocol]`` of study.toml says of the cold immersion."""
    protocol: Mapping[str, Any] = settings.get("protocol", {})
    follow_up_min = _number(protocol.get("follow_up_min"))
    return ChallengeFacts(
        water_c=_number(protocol.get("water_c")),
        immersion_s=_number(protocol.get("immersion_s")),
        kept_dry=_yes_no(protocol.get("immersion_dry")),
        planned_follow_up_s=None if follow_up_min is None else 60.0 * follow_up_min,
    )


def _stated_in(scan: Mapping[Hashable, Any], visit: Visit, settings: Mapping[str, Any]) -> dict[str, str]:
    """Which of the study's files states what is not the recording's own."""
    places = {
        name: "scans.csv" for name in ("emissivity", "reflected_c", "distance_m") if _number(scan.get(name)) is not None
    }
    places |= {
        name: "visits.csv"
        for name, value in (("humidity_pct", visit.humidity_pct), ("air_c", visit.ambient_c))
        if value is not None
    }
    if settings.get("protocol", {}).get("reference_accuracy_c") is not None:
        places["reference_accuracy_c"] = SETTINGS_FILE
    return places | dict.fromkeys(
        _specification(settings.get("camera", {}), str(scan.get("camera", ""))), SETTINGS_FILE
    )


def _recorded(check: StudyCheck) -> dict[tuple[str, str], Circumstances]:
    """(participant, visit) → what visits.csv, participants.csv and the protocol say of how pictures were taken."""
    people = {str(row["participant"]): row for row in check.tables["participants"].to_dict("records")}
    protocol: Mapping[str, Any] = check.settings.get("protocol", {})
    recorded: dict[tuple[str, str], Circumstances] = {}
    for row in check.tables["visits"].to_dict("records"):
        person = people.get(str(row["participant"]), {})
        recorded[str(row["participant"]), str(row["visit"])] = Circumstances(
            person_described=bool(person.get("sex")) and _number(person.get("birth_year")) is not None,
            smoking=_yes_no(row.get("recent_smoking")),
            caffeine=_yes_no(row.get("recent_caffeine")),
            exercise=_yes_no(row.get("recent_exercise")),
            ambient_c=_number(row.get("ambient_c")),
            planned_room_c=_number(protocol.get("ambient_c")),
            humidity_pct=_number(row.get("humidity_pct")),
            settling_min=_number(row.get("settling_min")),
            outdoor_mean_c=_number(row.get("outdoor_mean_c")),
            draught_free=_yes_no(protocol.get("draught_free")),
            skin_dry=_yes_no(protocol.get("skin_dry")),
            warm_up_min=_number(protocol.get("warm_up_min")),
            viewing_angle_deg=_number(protocol.get("viewing_angle_deg")),
            reference_accuracy_c=_number(protocol.get("reference_accuracy_c")),
        )
    return recorded


def _with_warm_up(recorded: Circumstances, camera: Mapping[str, Any]) -> Circumstances:
    """What the camera's own section says wins over the protocol."""
    stated = _number(camera.get("warm_up_min"))
    return recorded if stated is None else replace(recorded, warm_up_min=stated)


def _camera(cameras: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The scan's camera, or the study's only one where the scan names none."""
    if not name and len(cameras) == 1:
        name = next(iter(cameras))
    camera: Mapping[str, Any] = cameras.get(name, {})
    return camera


def _specification(cameras: Mapping[str, Any], name: str) -> dict[str, Any]:
    camera = _camera(cameras, name)
    specification: dict[str, Any] = {key: float(camera[key]) for key in ("accuracy_c", "netd_mk") if key in camera}
    return specification | ({"camera_model": camera["model"]} if "model" in camera else {})


Item = TypeVar("Item")


def pairs_to_compare(items: Sequence[tuple[Visit, str, str, str, Item]]) -> list[tuple[Item, Item]]:
    """(first visit's, later visit's) scans at rest of the same person, limb and view.

    ``items`` are (visit, limb, view, phase, scan); of several scans of a first visit the one listed first stands for
    it. The order is that of people and of limbs and views as listed, then of visits.
    """
    groups: dict[tuple[str, str, str], list[tuple[Visit, Item]]] = {}
    for visit, limb, view, phase, item in items:
        if phase == "rest":
            groups.setdefault((visit.participant, limb, view), []).append((visit, item))
    pairs: list[tuple[Item, Item]] = []
    for members in groups.values():
        ordered = sorted(members, key=lambda member: (member[0].date or date.max, member[0].place))
        first, base = ordered[0]
        pairs += [(base, item) for visit, item in ordered[1:] if visit.visit != first.visit]
    return pairs


def _number(value: object) -> float | None:
    if not isinstance(value, (int, float)) or math.isnan(value):
        return None
    return float(value)


def _yes_no(value: object) -> bool | None:
    """A cell of visits.csv, or a setting; None where it says neither."""
    return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}.get(str(value).lower())


def _date(value: object) -> date | None:
    return value.date() if isinstance(value, pd.Timestamp) and not pd.isna(value) else None
