"""Temperature after cold water as SVG: one panel a side, each visit a colour, every toe thin and their median bold."""

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

from rewarm.report.pictures import FONT
from rewarm.report.words import DIGITS, number

WIDTH: Final = 470.0
HEIGHT: Final = 340.0
LEFT: Final = 40.0
REST: Final = 34.0
"""Room left of time zero for the temperatures before the immersion."""
RIGHT: Final = 74.0
TOP: Final = 12.0
BOTTOM: Final = 44.0
MOST_POINTS: Final = 90
"""A longer curve is drawn as the means of as many stretches."""
VISIT_COLOURS: Final = ("#24408e", "#c04e00", "#00795a", "#a6397f")
MOST_VISITS: Final = len(VISIT_COLOURS)

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Course:
    """One visit of one side.

    ``digits_c`` (toes, times) and their ``u_c`` (times,), the toes' average; NaN where a picture was left out.
    ``rest_c`` is the median of the toes before the immersion. ``half_s`` is when half of the warmth was regained and
    ``half_reached`` whether it was.
    """

    words: str
    time_s: Floats
    digits_c: Floats
    u_c: Floats
    rest_c: float | None = None
    half_s: float | None = None
    half_reached: bool = True

    @property
    def median_c(self) -> Floats:
        """(times,): the median over the toes, NaN where fewer than all but one of them were measured."""
        known = np.isfinite(self.digits_c)
        enough = known.sum(axis=0) >= max(1, known.any(axis=1).sum() - 1)
        whole = np.where(enough, self.digits_c, np.nan)
        median = np.full(self.time_s.shape, np.nan)
        some = np.isfinite(whole).any(axis=0)
        median[some] = np.nanmedian(whole[:, some], axis=0)
        return median


@dataclass(frozen=True)
class Axes:
    """What all panels of a person share: temperatures and minutes, with the distance of their ticks."""

    low_c: float
    high_c: float
    tick_c: float
    start_min: float
    end_min: float
    tick_min: float


def side_course(
    curves: pd.DataFrame,
    side: str,
    words: str,
    *,
    rest_c: float | None = None,
    half_s: float | None = None,
    half_reached: bool = True,
) -> Course | None:
    """One side of a table of :data:`rewarm.tables.CURVES`; None where it has no toe or finger."""
    mine = curves[curves["side"].eq(side) & curves["region"].isin(DIGITS) & (curves["time_s"] >= 0)]
    if mine.empty or not mine["celsius"].notna().any():
        return None
    values = mine.pivot_table(index="region", columns="time_s", values="celsius", dropna=False, observed=True)
    u = mine.groupby("time_s")["u"].mean()
    return Course(
        words,
        values.columns.to_numpy(dtype=np.float64),
        values.to_numpy(dtype=np.float64),
        u.reindex(values.columns).to_numpy(dtype=np.float64),
        rest_c,
        half_s,
        half_reached,
    )


def common_axes(courses: Sequence[Course]) -> Axes:
    """One pair of axes for all panels of a person, so that left and right can be compared by eye."""
    values = np.concatenate([course.digits_c[np.isfinite(course.digits_c)] for course in courses])
    rest = [course.rest_c for course in courses if course.rest_c is not None]
    low, high = float(min([values.min(), *rest])), float(max([values.max(), *rest]))
    tick = next((tick for tick in (1.0, 2.0, 5.0) if (high - low) / tick <= 8), 10.0)
    end = max(float(course.time_s[-1]) for course in courses) / 60.0
    tick_min = next((tick for tick in (0.5, 1.0, 2.0, 5.0, 10.0, 20.0) if end / tick <= 8), 60.0)
    return Axes(
        math.floor(low / tick) * tick,
        math.ceil(max(high, low + tick) / tick) * tick,
        tick,
        0.0,
        max(end, tick_min),
        tick_min,
    )


def rewarming_svg(courses: Sequence[Course], axes: Axes, *, title: str, alt: str) -> Markup:
    """One panel: bands of one standard uncertainty, thin toes, bold medians, pictures left out, half of it regained."""
    parts = [
        f'<svg class="curves" role="img" aria-label="{escape(alt)}" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" '
        f'font-family="{FONT}" font-size="13" fill="none">',
        _grid(axes),
    ]
    parts += [_band(course, colour, axes) for course, colour in zip(courses, VISIT_COLOURS, strict=False)]
    parts += [_toes(course, colour, axes) for course, colour in zip(courses, VISIT_COLOURS, strict=False)]
    for i, (course, colour) in enumerate(zip(courses, VISIT_COLOURS, strict=False)):
        parts += [_median(course, colour, axes), _rest(course, colour, axes, i), _half(course, colour, axes)]
        parts.append(_left_out(course, colour, axes, i))
    parts.append(_names(courses, axes))
    parts.append(
        f'<text x="{LEFT + REST + 6}" y="{TOP + 15}" font-weight="bold" fill="#111">{escape(title)}</text></svg>'
    )
    return Markup("".join(parts))


def thinned(time_s: Floats, values: Floats, most: int = MOST_POINTS) -> tuple[Floats, Floats]:
    """Means of stretches of a curve where it has more points than can be seen; a stretch half empty is a gap."""
    step = math.ceil(len(time_s) / most)
    if step == 1:
        return time_s, values
    stretches = [slice(i, i + step) for i in range(0, len(time_s), step)]
    times = np.array([time_s[part].mean() for part in stretches])
    means = [
        values[part][np.isfinite(values[part])].mean() if np.isfinite(values[part]).mean() > 0.5 else np.nan
        for part in stretches
    ]
    return times, np.array(means)


def stretches_left_out(course: Course) -> list[tuple[float, float]]:
    """From when to when, s, no toe was measured though there was a picture."""
    missing = ~np.isfinite(course.median_c)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]]).astype(int)))
    return [
        (float(course.time_s[a]), float(course.time_s[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def _x(time_s: float, axes: Axes) -> float:
    share = (time_s / 60.0 - axes.start_min) / (axes.end_min - axes.start_min)
    return LEFT + REST + (WIDTH - LEFT - REST - RIGHT) * share


def _y(value: float, axes: Axes) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (axes.high_c - value) / (axes.high_c - axes.low_c)


def _grid(axes: Axes) -> str:
    text, base, end = "", HEIGHT - BOTTOM, WIDTH - RIGHT
    for i in range(round((axes.high_c - axes.low_c) / axes.tick_c) + 1):
        value = axes.low_c + i * axes.tick_c
        y = _y(value, axes)
        text += (
            f'<path d="M{LEFT} {y:.1f}H{end}" stroke="#e2e5e9"/>'
            f'<text x="{LEFT - 6}" y="{y + 4.5:.1f}" text-anchor="end" fill="#333">{number(value, 0)}</text>'
        )
    text += f'<path d="M{LEFT} {base}H{end}M{LEFT + REST} {TOP}V{base}" stroke="#444"/>'
    for i in range(math.floor(axes.end_min / axes.tick_min + 1e-9) + 1):
        minute = i * axes.tick_min
        x = _x(60.0 * minute, axes)
        decimals = 1 if axes.tick_min < 1 else 0
        text += (
            f'<path d="M{x:.1f} {base}v5" stroke="#444"/>'
            f'<text x="{x:.1f}" y="{base + 19}" text-anchor="middle" fill="#333">{number(minute, decimals)}</text>'
        )
    middle = (LEFT + REST + end) / 2
    return text + (
        f'<text x="{LEFT - 6}" y="{base + 19}" text-anchor="end" fill="#333">°C</text>'
        f'<text x="{LEFT - 3}" y="{base + 19}" fill="#333" font-size="11.5">rest</text>'
        f'<text x="{middle:.1f}" y="{base + 37}" text-anchor="middle" fill="#333">minutes out of the cold water</text>'
    )


def _path(time_s: Floats, values: Floats, axes: Axes) -> str:
    """A line with gaps where there is no value; a value between two gaps is a short dash."""
    path, pen_up = "", True
    for time, value in zip(time_s, values, strict=True):
        if not np.isfinite(value):
            pen_up = True
            continue
        path += f"{'M' if pen_up else 'L'}{_x(float(time), axes):.1f} {_y(float(value), axes):.1f}"
        path += "h.1" if pen_up else ""
        pen_up = False
    return path


def _band(course: Course, colour: str, axes: Axes) -> str:
    median = course.median_c
    times, low = thinned(course.time_s, median - course.u_c)
    _, high = thinned(course.time_s, median + course.u_c)
    known = np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(int)))
    path = ""
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        up = [(times[i], high[i]) for i in range(a, b)]
        down = [(times[i], low[i]) for i in range(b - 1, a - 1, -1)]
        points = [
            f"{_x(float(t), axes):.1f} {_y(float(np.clip(v, axes.low_c, axes.high_c)), axes):.1f}" for t, v in up + down
        ]
        path += "M" + "L".join(points) + "Z"
    return f'<path d="{path}" fill="{colour}" fill-opacity=".11"/>'


def _toes(course: Course, colour: str, axes: Axes) -> str:
    path = "".join(_path(*thinned(course.time_s, values, MOST_POINTS // 2), axes) for values in course.digits_c)
    return f'<path d="{path}" stroke="{colour}" stroke-width=".8" stroke-opacity=".55"/>'


def _median(course: Course, colour: str, axes: Axes) -> str:
    path = _path(*thinned(course.time_s, course.median_c), axes)
    marks = ""
    if len(course.time_s) <= 12:  # single pictures, and what lies between them was not seen
        for time, value in zip(course.time_s, course.median_c, strict=True):
            if np.isfinite(value):
                x, y = _x(float(time), axes), _y(float(value), axes)
                marks += f'<rect x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6" fill="{colour}"/>'
    return f'<path d="{path}" stroke="{colour}" stroke-width="2.8" stroke-linejoin="round"/>{marks}'


def _rest(course: Course, colour: str, axes: Axes, index: int) -> str:
    if course.rest_c is None:
        return ""
    x, y = LEFT + 5 + 7.0 * index, _y(course.rest_c, axes)
    return f'<path d="M{x:.1f} {y:.1f}h12" stroke="{colour}" stroke-width="3.4"/>'


def _half(course: Course, colour: str, axes: Axes) -> str:
    """A ring where half of the warmth was regained; an arrow at the curve's end where it was not."""
    median = course.median_c
    known = np.flatnonzero(np.isfinite(median))
    if course.half_s is None or not known.size:
        return ""
    if course.half_reached:
        value = float(np.interp(course.half_s, course.time_s[known], median[known]))
        x, y = _x(course.half_s, axes), _y(value, axes)
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" fill="#fff" stroke="{colour}" stroke-width="2.6"/>'
    x, y = _x(float(course.time_s[known[-1]]), axes), _y(float(median[known[-1]]), axes)
    return f'<path d="M{x:.1f} {y - 6:.1f}l10 6l-10 6Z" fill="#fff" stroke="{colour}" stroke-width="2.2"/>'


def _left_out(course: Course, colour: str, axes: Axes, index: int) -> str:
    y = HEIGHT - BOTTOM - 5 - 6 * index
    path = ""
    for start, end in stretches_left_out(course):
        a, b = _x(start, axes), _x(end, axes)
        path += f"M{min(a, b - 2):.1f} {y:.1f}H{b:.1f}"
    return f'<path d="{path}" stroke="{colour}" stroke-width="4" stroke-opacity=".7"/>' if path else ""


def _names(courses: Sequence[Course], axes: Axes) -> str:
    """The visits' names at the right end of their curves, moved apart so that each can be read."""
    wanted = []
    for course, colour in zip(courses, VISIT_COLOURS, strict=False):
        known = course.median_c[np.isfinite(course.median_c)]
        if known.size:
            wanted.append((_y(float(known[-1]), axes), course.words, colour))
    wanted.sort(key=lambda item: item[0])
    text, last = "", -math.inf
    lowest = HEIGHT - BOTTOM - 2
    for i, (y, words, colour) in enumerate(wanted):
        last = min(max(y, last + 15), lowest - 15 * (len(wanted) - 1 - i))
        short = words if len(words) <= 9 else words[:8] + "…"
        text += (
            f'<text x="{WIDTH - RIGHT + 15}" y="{last + 4.5:.1f}" fill="{colour}" font-weight="bold" font-size="12.5">'
            f"{escape(short)}</text>"
        )
    return text
