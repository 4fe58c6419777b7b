"""Several people's times to recovery as Kaplan–Meier curves: those who never recovered count as long as watched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from rewarm.errors import RewarmError
from rewarm.measures.recovery_times import RecoveryCurve, recovery_curves, recovery_times
from rewarm.report.pictures import FONT
from rewarm.report.rewarming_curves import VISIT_COLOURS
from rewarm.report.words import DIGITS, NBSP, number, visit_words
from rewarm.study.results import StudyResult

FEWEST_PEOPLE: Final = 2
WIDTH: Final = 560.0
HEIGHT: Final = 320.0
LEFT: Final = 50.0
RIGHT: Final = 96.0
TOP: Final = 14.0
BOTTOM: Final = 44.0


@dataclass(frozen=True)
class Recovery:
    """The picture, and under it what it says."""

    drawing: Markup
    lines: tuple[str, ...]


def recovery(result: StudyResult) -> Recovery | None:
    """Each visit's toes (or fingers) of all people; None for fewer than two people with times to recovery."""
    if len({item.participant for item in result.rewarmings}) < FEWEST_PEOPLE:
        return None
    measured = pd.concat([item.metrics for item in result.rewarmings], ignore_index=True)
    measured = measured[measured["region"].isin(DIGITS)]
    seen = measured.loc[measured["metric"].eq("t50"), "participant"].nunique()
    if seen < FEWEST_PEOPLE:
        return None
    try:
        found = {curve.group: curve for curve in recovery_curves(recovery_times(measured, "t50"), by="visit")}
    except RewarmError as error:
        return Recovery(Markup(""), (f"No picture of times to recovery: {error}",))
    order = [visit for visit in _visits(result) if visit in found][: len(VISIT_COLOURS)]
    curves = [found[visit] for visit in order]
    return Recovery(recovery_svg(curves), tuple(_line(curve) for curve in curves))


def _visits(result: StudyResult) -> list[str]:
    """By their place in each person's course, not by name: before comes first."""
    ordered = sorted(result.rewarmings, key=lambda item: (item.date is None, item.date.toordinal() if item.date else 0))
    places: dict[str, list[int]] = {}
    for participant in dict.fromkeys(item.participant for item in ordered):
        mine = list(dict.fromkeys(item.visit for item in ordered if item.participant == participant))
        for place, visit in enumerate(mine):
            places.setdefault(visit, []).append(place)
    return sorted(places, key=lambda visit: sum(places[visit]) / len(places[visit]))


def _line(curve: RecoveryCurve) -> str:
    people = f"{curve.people} {'person' if curve.people == 1 else 'people'}"
    head = f"{visit_words(curve.group)}: {curve.reached} of {curve.n} in {people} regained half of their warmth"
    if not math.isfinite(curve.median_s):
        return f"{head}; half of them had not when watching ended."
    ends = [
        "not reached" if not math.isfinite(value) else number(value / 60.0)
        for value in (curve.median_lower_s, curve.median_upper_s)
    ]
    return f"{head}; half of them within {number(curve.median_s / 60.0)}{NBSP}min (95 %: {ends[0]} to {ends[1]})."


def recovery_svg(curves: Sequence[RecoveryCurve]) -> Markup:
    """Steps: the share that has regained half of its warmth, with the 95 % interval as a band."""
    end_min = max(max((curve.followed_s for curve in curves), default=60.0) / 60.0, 1.0)
    alt = "Share of toes or fingers that had regained half of their warmth. " + " ".join(map(_line, curves))
    parts = [
        f'<svg class="curves" role="img" aria-label="{escape(alt)}" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" '
        f'font-family="{FONT}" font-size="13" fill="none">',
        _grid(end_min),
    ]
    for curve, colour in zip(curves, VISIT_COLOURS, strict=False):
        band = _steps(curve, 1 - curve.lower, end_min) + _steps(curve, 1 - curve.upper, end_min)[::-1]
        line = _steps(curve, 1 - curve.not_recovered, end_min)
        parts.append(f'<path d="{_path(band)}Z" fill="{colour}" fill-opacity=".10"/>')
        parts.append(f'<path d="{_path(line)}" stroke="{colour}" stroke-width="2.6"/>')
    parts.append(_names(curves, end_min))
    return Markup("".join((*parts, "</svg>")))


def _x(minute: float, end_min: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * minute / end_min


def _y(share: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)


def _steps(curve: RecoveryCurve, share: NDArray[np.float64], end_min: float) -> list[tuple[float, float]]:
    """Corners of a staircase from nobody at time zero to where watching ended."""
    corners, level = [(_x(0.0, end_min), _y(0.0))], 0.0
    for time_s, value in zip(curve.time_s, share, strict=True):
        x = _x(float(time_s) / 60.0, end_min)
        corners.append((x, _y(level)))
        level = float(np.clip(value, 0, 1)) if np.isfinite(value) else level
        corners.append((x, _y(level)))
    corners.append((_x(curve.followed_s / 60.0, end_min), _y(level)))
    return corners


def _path(corners: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)


def _grid(end_min: float) -> str:
    text, base, end = "", HEIGHT - BOTTOM, WIDTH - RIGHT
    for per_cent in (0, 25, 50, 75, 100):
        y = _y(per_cent / 100)
        text += (
            f'<path d="M{LEFT} {y:.1f}H{end}" stroke="#e2e5e9"/>'
            f'<text x="{LEFT - 6}" y="{y + 4.5:.1f}" text-anchor="end" fill="#333">{per_cent} %</text>'
        )
    tick = next((tick for tick in (1.0, 2.0, 5.0, 10.0, 20.0) if end_min / tick <= 8), 60.0)
    for i in range(math.floor(end_min / tick + 1e-9) + 1):
        x = _x(i * tick, end_min)
        text += (
            f'<path d="M{x:.1f} {base}v5" stroke="#444"/>'
            f'<text x="{x:.1f}" y="{base + 19}" text-anchor="middle" fill="#333">{number(i * tick, 0)}</text>'
        )
    return text + (
        f'<path d="M{LEFT} {base}H{end}" stroke="#444"/>'
        f'<text x="{(LEFT + end) / 2:.1f}" y="{base + 37}" text-anchor="middle" fill="#333">'
        "minutes out of the cold water</text>"
    )


def _names(curves: Sequence[RecoveryCurve], end_min: float) -> str:
    wanted = []
    for curve, colour in zip(curves, VISIT_COLOURS, strict=False):
        corners = _steps(curve, 1 - curve.not_recovered, end_min)
        wanted.append((corners[-1][1], visit_words(curve.group), colour))
    wanted.sort(key=lambda item: item[0])
    text, last = "", -math.inf
    lowest = HEIGHT - BOTTOM - 2
    for i, (y, words, colour) in enumerate(wanted):
        last = min(max(y, last + 15), lowest - 15 * (len(wanted) - 1 - i))
        short = words if len(words) <= 12 else words[:11] + "…"
        place = f'x="{WIDTH - RIGHT + 6}" y="{last + 4.5:.1f}"'
        text += f'<text {place} fill="{colour}" font-weight="bold">{escape(short)}</text>'
    return text
