"""The two panels of the page of effects as SVG: the effect over time with its band, each person beside the group."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

import numpy as np
from markupsafe import Markup

from rewarm.effects.rows import GROUP, Effect
from rewarm.effects.temperature import OutcomeEffects
from rewarm.report.pictures import FONT
from rewarm.report.words import number

WIDTH: Final = 470.0
HEIGHT: Final = 330.0
LEFT: Final = 46.0
RIGHT: Final = 14.0
TOP: Final = 14.0
BOTTOM: Final = 46.0
ROW: Final = 30.0
NAMES: Final = 110.0
_INK: Final = "#16191d"
_EFFECT: Final = "#0072b2"
_FAINT: Final = "#9aa1a9"
_POINTS: Final = 80

Scale = Callable[[float], float]


def course_figure(item: OutcomeEffects) -> Markup:
    """The mean effect over the days since the injections, its interval, the visits and the important difference."""
    last = float(np.median(item.draws.last_day))
    days = np.linspace(0.0, max(last, 1.0), _POINTS)
    effect = item.draws.mean_effect(days)
    low, middle, high = np.quantile(effect, [(1 - item.level) / 2, 0.5, (1 + item.level) / 2], axis=0)
    matters = item.outcome.better * item.important
    bounds = [float(low.min()), float(high.max()), 0.0, *([matters] if math.isfinite(matters) else [])]
    ticks = _ticks(min(bounds), max(bounds))
    across = _scale(0.0, days[-1], LEFT, WIDTH - RIGHT)
    up = _scale(ticks[0], ticks[-1], HEIGHT - BOTTOM, TOP)
    parts = [_grid(ticks, up, LEFT, WIDTH - RIGHT, item.outcome.log)]
    if item.outcome.unit == "delta_degC":
        parts.append(_text(LEFT + 4, TOP + 10, "°C", "start"))
    parts += [_text(across(day), HEIGHT - BOTTOM + 18, f"{day:.0f}", "middle") for day in _day_ticks(days[-1])]
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "days after the injections", "middle"))
    visited = sorted(set(item.frame.loc[item.frame["treated"] & (item.frame["day"] >= 0), "day"]))
    for day in visited:
        if day <= days[-1]:
            x, base = across(float(day)), HEIGHT - BOTTOM
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{base:.1f}" y2="{base - 7:.1f}" stroke="{_FAINT}"/>')
    band = [f"{across(x):.1f},{up(y):.1f}" for x, y in zip(days, high, strict=True)]
    band += [f"{across(x):.1f},{up(y):.1f}" for x, y in zip(days[::-1], low[::-1], strict=True)]
    parts.append(f'<polygon points="{" ".join(band)}" fill="{_EFFECT}" fill-opacity="0.18"/>')
    line = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in zip(days, middle, strict=True))
    parts.append(f'<polyline points="{line}" fill="none" stroke="{_EFFECT}" stroke-width="2.4"/>')
    if math.isfinite(matters):
        y = up(matters)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{_INK}" stroke-dasharray="5 4"/>'
        )
        below = middle[-1] >= matters  # beside the curve's end, never on it
        parts.append(_text(WIDTH - RIGHT - 2, y + 15 if below else y - 5, "matters", "end", halo=True))
    label = f"{item.outcome.words} over {days[-1]:.0f} days after the injections"
    return _svg(parts, HEIGHT, label)


def forest_figure(rows: Sequence[Effect], *, logarithm: bool = False) -> Markup:
    """One line a person and one for the group: effect (full) and unadjusted change (hollow), with intervals.

    ``rows`` are of one outcome and unit; those of no finite estimate are left out.
    """
    rows = [row for row in rows if math.isfinite(row.estimate)]
    names = [name for name in (GROUP, *sorted({row.who for row in rows} - {GROUP})) if name in {r.who for r in rows}]
    by_name = {name: [row for row in rows if row.who == name] for name in names}
    values = [value for rows in by_name.values() for row in rows for value in (row.lower, row.upper)]
    at: Scale = math.log if logarithm else float
    neutral = 1.0 if logarithm else 0.0
    scaled = [at(value) for value in (*values, neutral) if math.isfinite(value) and (value > 0 or not logarithm)]
    ticks = _ticks(min(scaled), max(scaled))
    height = max(HEIGHT, TOP + BOTTOM + ROW * len(names))
    across = _scale(ticks[0], ticks[-1], NAMES, WIDTH - RIGHT)
    parts = []
    for tick in ticks:
        x = across(tick)
        colour = _INK if tick == at(neutral) else "#e2e5e9"
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - BOTTOM}" stroke="{colour}"/>')
        parts.append(_text(x, height - BOTTOM + 18, _tick_words(tick, logarithm), "middle"))
    units = {row.unit for row in rows}
    unit = {"delta_degC": "°C", "ratio": "times", "1": "points"}.get(next(iter(units), ""), next(iter(units), ""))
    parts.append(_text((NAMES + WIDTH - RIGHT) / 2, height - 8, unit, "middle"))
    step = (height - TOP - BOTTOM) / len(names)
    for i, name in enumerate(names):
        y = TOP + step * (i + 0.5)
        words = "All together" if name == GROUP else name
        parts.append(_text(NAMES - 8, y + 4, words, "end", bold=name == GROUP))
        for row in by_name[name]:
            full = row.estimand != "change_from_baseline"
            parts += _whisker(row, y - (5 if full else -5), across, at, full=full, bold=name == GROUP)
    return _svg(parts, height, "each treated person and the group")


def _whisker(row: Effect, y: float, across: Scale, at: Scale, *, full: bool, bold: bool) -> list[str]:
    low, middle, high = across(at(row.lower)), across(at(row.estimate)), across(at(row.upper))
    colour = _EFFECT if full else _FAINT
    fill = colour if full else "#fff"
    width = 2.4 if bold and full else 1.5
    return [
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" stroke-width="{width}"/>',
        f'<circle cx="{middle:.1f}" cy="{y:.1f}" r="{4.5 if bold else 3.6}" fill="{fill}" stroke="{colour}" '
        f'stroke-width="1.5"/>',
    ]


def _grid(ticks: Sequence[float], up: Scale, left: float, right: float, logarithm: bool) -> str:
    lines = []
    for tick in ticks:
        y = up(tick)
        colour = _INK if tick == 0 else "#e2e5e9"
        lines.append(f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}"/>')
        lines.append(_text(left - 6, y + 4, _tick_words(tick, logarithm), "end"))
    return "".join(lines)


def _tick_words(tick: float, logarithm: bool) -> str:
    if logarithm:
        return f"×{number(math.exp(tick), 2)}"
    return number(tick, 0 if float(tick).is_integer() else 1, signed=tick != 0)


def _ticks(low: float, high: float) -> list[float]:
    span = max(high - low, 1e-3)
    raw = span / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(i * step, 10) for i in range(first, last + 1)]


def _day_ticks(last: float) -> list[float]:
    step = next((step for step in (7, 14, 28, 56, 84, 168) if last / step <= 7), 365)
    return [float(day) for day in range(0, int(last) + 1, step)]


def _scale(low: float, high: float, start: float, end: float) -> Scale:
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _text(x: float, y: float, words: str, anchor: str, *, bold: bool = False, halo: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    weight += ' stroke="#fff" stroke-width="4" paint-order="stroke"' if halo else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="12.5" fill="#3c434b"{weight}>'
        f"{escape(words)}</text>"
    )


def _svg(parts: Sequence[str], height: float, label: str) -> Markup:
    return Markup(
        f'<svg class="curve" viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" aria-label="{escape(label)}" '
        f'font-family="{FONT}">{"".join(parts)}</svg>'
    )
