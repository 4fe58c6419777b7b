"""Was a cold challenge carried out as it should be? What is not known is "unknown", never "pass"."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.measures.challenge_rules import (
    CHALLENGE_RULES,
    USUAL_FOLLOW_UP_S,
    USUAL_IMMERSION_S,
    USUAL_WATER_C,
)
from rewarm.measures.protocol import Check, Status, grade
from rewarm.measures.protocol_rules import Rule
from rewarm.measures.rewarming_curves import RegionCurves
from rewarm.regions import FINGERS, TOES

Verdict = tuple[Status, str]


@dataclass(frozen=True)
class ChallengeFacts:
    """What people wrote down about the immersion; None: not recorded. Planned figures are the study protocol's.

    ``baseline`` are the (side, region) that a scan at rest of the same visit has measured, ``baseline_c`` their digits'
    mean temperature.
    """

    water_c: float | None = None
    immersion_s: float | None = None
    kept_dry: bool | None = None
    planned_water_c: float | None = None
    planned_immersion_s: float | None = None
    planned_follow_up_s: float | None = None
    baseline: Collection[tuple[str, str]] = ()
    baseline_c: float | None = None


@dataclass(frozen=True, eq=False)
class _Case:
    """What one rule is judged on."""

    rule: Rule
    curves: RegionCurves
    facts: ChallengeFacts


def review_challenge(curves: RegionCurves, facts: ChallengeFacts | None = None) -> tuple[Check, ...]:
    """Judge a cold challenge by every rule of :mod:`rewarm.measures.challenge_rules`, in their order."""
    known = facts or ChallengeFacts()
    checks = []
    for name, judge in JUDGES.items():
        rule = CHALLENGE_RULES[name]
        status, found = judge(_Case(rule, curves, known))
        checks.append(Check(rule.id, status, found, rule.expected, rule.unit, rule.reason, rule.source))
    return tuple(checks)


def _baseline(case: _Case) -> Verdict:
    before = case.curves.time_s < 0.0
    without = [
        name
        for name, row in zip(case.curves.names, case.curves.temperature_c, strict=True)
        if not np.isfinite(row[before]).any() and name not in case.facts.baseline
    ]
    if not without:
        return "pass", "every region"
    if len(without) == len(case.curves.names):
        return "fail", "none"
    return "warn", f"none of {', '.join(f'{side} {region}' for side, region in without)}"


def _water(case: _Case) -> Verdict:
    if case.facts.water_c is None:
        return "unknown", "not recorded"
    planned = USUAL_WATER_C if case.facts.planned_water_c is None else case.facts.planned_water_c
    return grade(case.rule, case.facts.water_c - planned), f"{case.facts.water_c:g} °C, planned {planned:g} °C"


def _immersion(case: _Case) -> Verdict:
    if case.facts.immersion_s is None:
        return "unknown", "not recorded"
    planned = USUAL_IMMERSION_S if case.facts.planned_immersion_s is None else case.facts.planned_immersion_s
    status = grade(case.rule, 100.0 * case.facts.immersion_s / planned)
    return status, f"{case.facts.immersion_s:g} s, planned {planned:g} s"


def _dry(case: _Case) -> Verdict:
    if case.facts.kept_dry is None:
        return "unknown", "not recorded"
    return ("pass", "yes") if case.facts.kept_dry else ("fail", "no")


def _cooled(case: _Case) -> Verdict:
    before, after = case.curves.time_s < 0.0, case.curves.time_s >= 0.0
    digits = [
        row for (_, region), row in zip(case.curves.names, case.curves.temperature_c, strict=True) if region in _DIGITS
    ]
    lowest = [float(np.nanmin(row[after])) for row in digits if np.isfinite(row[after]).any()]
    if not lowest:
        return "unknown", "no digit measured after the immersion"
    own = [float(np.nanmean(row[before])) for row in digits if np.isfinite(row[before]).any()]
    start = float(np.mean(own)) if own else case.facts.baseline_c
    if start is None:
        return "unknown", "no baseline to compare with"
    cooled = start - float(np.mean(lowest))
    return grade(case.rule, cooled), f"{cooled:.1f} °C".replace("-", "−")


def _first_frame(case: _Case) -> Verdict:
    seen = _seen_s(case.curves)
    if seen.size == 0:
        return "fail", "no frame after the immersion"
    return grade(case.rule, float(seen[0])), f"{seen[0]:.0f} s"


def _frame_gap(case: _Case) -> Verdict:
    seen = _seen_s(case.curves)
    if seen.size < 2:
        return "fail", "fewer than two frames after the immersion"
    widest = int(np.argmax(np.diff(seen)))
    gap = float(seen[widest + 1] - seen[widest])
    return grade(case.rule, gap), f"{gap:.0f} s, at {seen[widest]:.0f} s"


def _frames_lost(case: _Case) -> Verdict:
    after = case.curves.time_s >= 0.0
    if not after.any():
        return "unknown", "no frame after the immersion"
    lost = 100.0 * (1.0 - np.isfinite(case.curves.temperature_c[:, after]).mean(axis=1))
    worst = int(lost.argmax())
    side, region = case.curves.names[worst]
    said = f"{lost[worst]:.0f} %" + (f" ({side} {region})" if lost[worst] > 0 else "")
    return grade(case.rule, float(lost[worst])), said


def _follow_up(case: _Case) -> Verdict:
    seen = _seen_s(case.curves)
    if seen.size == 0:
        return "fail", "no frame after the immersion"
    planned = USUAL_FOLLOW_UP_S if case.facts.planned_follow_up_s is None else case.facts.planned_follow_up_s
    return grade(
        case.rule, 100.0 * float(seen[-1]) / planned
    ), f"{seen[-1] / 60:.1f} min, planned {planned / 60:.0f} min"


def _seen_s(curves: RegionCurves) -> NDArray[np.float64]:
    """Times after the immersion at which some region was measured."""
    seen = (curves.time_s >= 0.0) & np.isfinite(curves.temperature_c).any(axis=0)
    return curves.time_s[seen]


_DIGITS: Final = (*TOES, *FINGERS)

JUDGES: Final[Mapping[str, Callable[[_Case], Verdict]]] = MappingProxyType(
    {
        "challenge_baseline": _baseline,
        "challenge_water": _water,
        "challenge_immersion": _immersion,
        "challenge_dry": _dry,
        "challenge_cooled": _cooled,
        "challenge_first_frame": _first_frame,
        "challenge_frame_gap": _frame_gap,
        "challenge_frames_lost": _frames_lost,
        "challenge_follow_up": _follow_up,
    }
)
"""How each rule is judged, in the rules' order."""
