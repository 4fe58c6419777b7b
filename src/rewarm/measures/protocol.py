"""Was a picture taken as it should be? Each rule of :mod:`rewarm.measures.protocol_rules` judged on what is known.

What is not known is "unknown", never "pass". A check that does not apply (the shutter in a still picture, a reference
where none is in view) is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from types import MappingProxyType
from typing import Any, Final, Literal

import xarray as xr

from rewarm.measures.challenge_rules import CHALLENGE_RULES
from rewarm.measures.foreshortening import viewing_angle_range_deg
from rewarm.measures.frames import FrameJumps
from rewarm.measures.protocol_rules import RULES, Group, Rule
from rewarm.measures.quality import (
    WIDTH_PER_SIGMA,
    Quality,
    direction_words,
    picture_quality,
)
from rewarm.measures.regional import pixel_size_mm
from rewarm.regions import Regions

Status = Literal["pass", "warn", "fail", "unknown"]


@dataclass(frozen=True)
class Circumstances:
    """What people wrote down beside a picture; None: not recorded.

    ``smoking``, ``caffeine`` and ``exercise`` are about the time shortly before. ``planned_room_c`` is the protocol's.
    ``reference_in_view`` says whether a reference of known temperature is in the picture, ``reference_accuracy_c`` the
    half-width to which it is known, where that was stated.
    """

    person_described: bool | None = None
    smoking: bool | None = None
    caffeine: bool | None = None
    exercise: bool | None = None
    ambient_c: float | None = None
    planned_room_c: float | None = None
    humidity_pct: float | None = None
    settling_min: float | None = None
    outdoor_mean_c: float | None = None
    draught_free: bool | None = None
    skin_dry: bool | None = None
    warm_up_min: float | None = None
    viewing_angle_deg: float | None = None
    reference_in_view: bool = False
    reference_accuracy_c: float | None = None


@dataclass(frozen=True)
class Check:
    """One check's outcome: ``found`` is in ``unit`` where there is one, and in words."""

    id: str
    status: Status
    found: str
    expected: str
    unit: str
    reason: str
    source: str

    @property
    def title(self) -> str:
        """The check in two or three words."""
        return _rule(self.id).title

    @property
    def group(self) -> Group:
        """What it is about."""
        return _rule(self.id).group


def _rule(name: str) -> Rule:
    return RULES[name] if name in RULES else CHALLENGE_RULES[name]


@dataclass(frozen=True, eq=False)
class ScanFacts:
    """Everything that a scan's checks look at."""

    thermogram: xr.Dataset
    regions: Regions
    circumstances: Circumstances
    quality: Quality
    jumps: FrameJumps | None = None

    @property
    def attrs(self) -> Mapping[Any, Any]:
        """The image contract's attributes."""
        return self.thermogram.attrs


@dataclass(frozen=True, eq=False)
class Review:
    """The checks of one scan, and the figures that they were made from."""

    checks: tuple[Check, ...]
    quality: Quality
    circumstances: Circumstances = field(default_factory=Circumstances)


Verdict = tuple[Status, str]


def review_picture(
    thermogram: xr.Dataset,
    regions: Regions,
    *,
    circumstances: Circumstances | None = None,
    jumps: FrameJumps | None = None,
) -> Review:
    """Judge a still picture (y, x) with its regions by every rule, in the rules' order.

    ``jumps`` are those of the recording that the picture is a frame of (:func:`rewarm.measures.frame_jumps`).
    Raises :class:`rewarm.errors.InvalidThermogramError` for a recording.
    """
    known = circumstances or Circumstances()
    quality = picture_quality(thermogram, regions)
    facts = ScanFacts(thermogram, regions, known, quality, jumps)
    checks: list[Check] = []
    for name, judge in JUDGES.items():
        rule = RULES[name]
        verdict = judge(rule, facts)
        if verdict is not None:
            status, found = verdict
            checks.append(Check(rule.id, status, found, rule.expected, rule.unit, rule.reason, rule.source))
    return Review(tuple(checks), quality, known)


def grade(rule: Rule, value: float) -> Status:
    """Pass inside the rule's good limits, a warning inside the tolerable, fail beyond."""
    for limits, status in ((rule.good, "pass"), (rule.tolerable, "warn")):
        if limits is not None and limits[0] <= value <= limits[1]:
            return "pass" if status == "pass" else "warn"
    return "fail"


def _figure(rule: Rule, value: float | None, *, missing: str = "not recorded") -> Verdict:
    if value is None or value != value:
        return "unknown", missing
    unit = "" if rule.unit == "1" else rule.unit
    glue = "" if unit == "°" else " "
    return grade(rule, value), f"{value:.4g}{glue}{unit}".strip().replace("-", "−")


def _yes_no(value: bool | None, *, wanted: bool, where: str) -> Verdict:
    if value is None:
        return "unknown", f"not recorded ({where})"
    return ("pass" if value is wanted else "fail"), "yes" if value else "no"


def _person(_rule: Rule, facts: ScanFacts) -> Verdict:
    described = facts.circumstances.person_described
    return ("pass", "recorded") if described else ("unknown", "not recorded")


def _smoking(_rule: Rule, facts: ScanFacts) -> Verdict:
    return _yes_no(facts.circumstances.smoking, wanted=False, where="recent_smoking in visits.csv")


def _caffeine(_rule: Rule, facts: ScanFacts) -> Verdict:
    return _yes_no(facts.circumstances.caffeine, wanted=False, where="recent_caffeine in visits.csv")


def _exercise(_rule: Rule, facts: ScanFacts) -> Verdict:
    return _yes_no(facts.circumstances.exercise, wanted=False, where="recent_exercise in visits.csv")


def _room(rule: Rule, facts: ScanFacts) -> Verdict:
    return _figure(rule, facts.circumstances.ambient_c)


def _room_as_planned(rule: Rule, facts: ScanFacts) -> Verdict | None:
    room_c, plan_c = facts.circumstances.ambient_c, facts.circumstances.planned_room_c
    if plan_c is None:
        return None
    if room_c is None:
        return "unknown", f"not recorded, planned {plan_c:g} °C"
    off_c = round(room_c - plan_c, 6)
    return grade(rule, off_c), f"{room_c:g} °C, planned {plan_c:g} °C"


def _humidity(rule: Rule, facts: ScanFacts) -> Verdict:
    return _figure(rule, facts.circumstances.humidity_pct, missing="not recorded (humidity_pct in visits.csv)")


def _draughts(_rule: Rule, facts: ScanFacts) -> Verdict:
    return _yes_no(facts.circumstances.draught_free, wanted=True, where="draught_free under [protocol]")


def _settling(rule: Rule, facts: ScanFacts) -> Verdict:
    return _figure(rule, facts.circumstances.settling_min, missing="not recorded (settling_min in visits.csv)")


def _skin_dry(_rule: Rule, facts: ScanFacts) -> Verdict:
    return _yes_no(facts.circumstances.skin_dry, wanted=True, where="skin_dry under [protocol]")


def _camera(_rule: Rule, facts: ScanFacts) -> Verdict:
    words = [str(facts.attrs[key]) for key in ("camera_make", "camera_model") if facts.attrs.get(key)]
    return ("pass", " ".join(words)) if facts.attrs.get("camera_model") else ("unknown", "not recorded")


def _accuracy(rule: Rule, facts: ScanFacts) -> Verdict:
    if facts.attrs.get("reference_u_c") is not None:
        return "pass", "a reference in view"
    status, found = _figure(rule, facts.attrs.get("accuracy_c"))
    return status, found if status == "unknown" else f"±{found}, no reference in view"


def _reference(rule: Rule, facts: ScanFacts) -> Verdict | None:
    if not facts.circumstances.reference_in_view:
        return None
    status, found = _figure(rule, facts.circumstances.reference_accuracy_c)
    missing = "not recorded (reference_accuracy_c under [protocol]); ±0.3 °C assumed"
    return status, missing if status == "unknown" else f"±{found}"


def _warm_up(rule: Rule, facts: ScanFacts) -> Verdict:
    return _figure(rule, facts.circumstances.warm_up_min, missing="not recorded (warm_up_min under [protocol])")


def _resolution(rule: Rule, facts: ScanFacts) -> Verdict:
    short, long = sorted(facts.regions.shape)
    equivalent = min(float(long), short * 4 / 3)  # 320 × 240 counts as 320, 320 × 200 as 267
    return grade(rule, equivalent), f"{facts.regions.shape[1]} × {facts.regions.shape[0]} px"


def _emissivity(rule: Rule, facts: ScanFacts) -> Verdict:
    value = facts.attrs.get("emissivity")
    status, found = _figure(rule, None if value is None else round(float(value), 4))
    default = value is not None and round(float(value), 3) in (0.95, 1.0)
    return status, f"{found}, a usual default of cameras" if default else found


def _reflected(rule: Rule, facts: ScanFacts) -> Verdict:
    value, room_c = facts.attrs.get("reflected_c"), facts.circumstances.ambient_c
    if value is None:
        return "unknown", "not recorded"
    reflected_c = float(value)
    shown = f"{reflected_c:.4g} °C".replace("-", "−")
    if room_c is None:
        possible = -20.0 <= reflected_c <= 60.0
        return ("unknown", f"{shown}, room not recorded") if possible else ("fail", f"{shown}, which cannot be")
    off_c = reflected_c - room_c
    if reflected_c == 20.0 and abs(off_c) > 1.0:
        return "warn", f"{shown}, a usual default of cameras, room {room_c:g} °C"
    return grade(rule, off_c), f"{shown}, room {room_c:g} °C"


def _distance(rule: Rule, facts: ScanFacts) -> Verdict:
    status, found = _figure(rule, facts.attrs.get("distance_m"))
    pixel_mm, note = pixel_size_mm(facts.thermogram, facts.regions)
    if pixel_mm is None:
        impossible = "would make a foot" in note
        return ("warn" if impossible and status == "pass" else status), f"{found}, {note}" if impossible else found
    return status, f"{found}, a pixel is {pixel_mm:.2f} mm"


def _pixels_per_toe(rule: Rule, facts: ScanFacts) -> Verdict:
    quality = facts.quality
    status, found = _figure(rule, quality.digit_px, missing="no toe or finger was found")
    return status, found if status == "unknown" else f"{found} ({quality.digit_name})"


def _angle(rule: Rule, facts: ScanFacts) -> Verdict:
    """As stated; else what the feet's foreshortening allows: pass or worse only where all of its range agrees."""
    stated = facts.circumstances.viewing_angle_deg
    if stated is not None:
        return _figure(rule, stated)
    span = viewing_angle_range_deg(facts.regions)
    if span is None:
        return "unknown", "not recorded, and no whole foot to tell it from"
    low, high = span
    shown = f"{low:.0f} to {ceil(high)}°, by the feet's shape"
    best, worst = grade(rule, low), grade(rule, high)
    if best == "pass":
        return ("pass" if worst == "pass" else "unknown"), shown
    return best, f"at least {low:.0f}°, by the feet's shape"


def _time_of_day(_rule: Rule, facts: ScanFacts) -> Verdict:
    taken = facts.attrs.get("acquired_at")
    return ("pass", str(taken)[:16].replace("T", " ")) if taken and "T" in str(taken) else ("unknown", "not recorded")


def _position(_rule: Rule, facts: ScanFacts) -> Verdict:
    return "pass", f"{facts.regions.limb.replace('_', ' ')}, {facts.regions.view}"


def _evaluation(_rule: Rule, facts: ScanFacts) -> Verdict:
    found, missing = len(facts.regions.found), len(facts.regions.missing)
    status: Status = "fail" if found == 0 else "warn" if missing else "pass"
    return status, f"{found} of {found + missing}"


def _cut_off(rule: Rule, facts: ScanFacts) -> Verdict:
    cut = {side: px for side, px in facts.quality.cut.items() if grade(rule, px) != "pass"}
    if not facts.quality.cut:
        return "unknown", "no limb was found"
    if not cut:
        return "pass", "whole"
    shown = ", ".join(f"{side} {px} px" for side, px in cut.items())
    digits = facts.quality.cut_digits
    return ("fail" if digits else "warn"), f"{shown} on the border" + (f", of {', '.join(digits)}" if digits else "")


def _clipping(rule: Rule, facts: ScanFacts) -> Verdict:
    share = facts.quality.clipped_share
    return _figure(rule, None if share is None else 100.0 * share, missing="no limb was found")


def _focus(rule: Rule, facts: ScanFacts) -> Verdict:
    width = facts.quality.rim_width_px
    missing = facts.quality.reasons.get("rim", "not readable")
    return _figure(rule, None if width is None else round(width, 1), missing=missing)


def _motion(rule: Rule, facts: ScanFacts) -> Verdict:
    quality = facts.quality
    if quality.motion_px is None or quality.rim_width_px is None:
        return "unknown", quality.reasons.get("motion") or quality.reasons.get("rim", "not readable")
    sigma = quality.rim_width_px / WIDTH_PER_SIGMA
    if quality.motion_px**2 / 12.0 < sigma**2:
        return "pass", "less than the blur"
    status, found = _figure(rule, round(quality.motion_px, 1))
    return status, f"{found} {direction_words(quality.motion_direction_deg or 0.0)}"


def _shutter(rule: Rule, facts: ScanFacts) -> Verdict | None:
    jumps = facts.jumps
    if jumps is None:
        return None
    status = grade(rule, jumps.largest_c)
    looked = f"{jumps.n_frames} frames looked at"
    if not jumps.at_frame:
        return "pass", f"no jump in {looked}"
    where = ", ".join(str(frame) for frame in jumps.at_frame[:5]) + (", …" if len(jumps.at_frame) > 5 else "")
    return status, f"{len(jumps.at_frame)} of up to {jumps.largest_c:.2f} °C, before frame {where}; {looked}"


JUDGES: Final[Mapping[str, Callable[[Rule, ScanFacts], Verdict | None]]] = MappingProxyType(
    {
        "person": _person,
        "smoking": _smoking,
        "caffeine": _caffeine,
        "exercise": _exercise,
        "room": _room,
        "room_as_planned": _room_as_planned,
        "humidity": _humidity,
        "draughts": _draughts,
        "settling": _settling,
        "skin_dry": _skin_dry,
        "camera": _camera,
        "accuracy": _accuracy,
        "reference": _reference,
        "warm_up": _warm_up,
        "resolution": _resolution,
        "emissivity": _emissivity,
        "reflected": _reflected,
        "distance": _distance,
        "pixels_per_toe": _pixels_per_toe,
        "angle": _angle,
        "time_of_day": _time_of_day,
        "position": _position,
        "evaluation": _evaluation,
        "cut_off": _cut_off,
        "clipping": _clipping,
        "focus": _focus,
        "motion": _motion,
        "shutter": _shutter,
    }
)
"""Which function judges which rule."""
