"""Each toe over the visits, as SVG: one panel a side, markers and names beside colours, the room in the same one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final

from markupsafe import Markup

from rewarm.report.pictures import FONT
from rewarm.report.words import number, short_region

WIDTH: Final = 470.0
HEIGHT: Final = 330.0
LEFT: Final = 44.0
RIGHT: Final = 52.0
TOP: Final = 12.0
BOTTOM: Final = 52.0
INSET: Final = 24.0
NARROWEST: Final = 62.0
"""Least distance of two visits on the axis; visits closer together are drawn at equal distances instead."""

COLOURS: Final = ("#0072b2", "#c04e00", "#00795a", "#a6397f", "#6b5200")
SHAPES: Final = ("circle", "square", "triangle", "diamond", "cross")
ROOM: Final = "#6b7280"


@dataclass(frozen=True)
class Moment:
    """A place on the time axis: the visit's words, its date ("" where unknown), days since the first, room in °C."""

    words: str
    date: str
    day: float | None
    room_c: float | None


@dataclass(frozen=True)
class Series:
    """One region over the visits: value and standard uncertainty at each moment, °C; None where not measured."""

    region: str
    values: tuple[float | None, ...]
    uncertainties: tuple[float | None, ...]


@dataclass(frozen=True)
class Axis:
    """The temperatures that a panel shows, °C."""

    low: float
    high: float
    tick: float


def common_axis(series: Sequence[Series], moments: Sequence[Moment]) -> Axis:
    """One axis for all panels of a person, so that left and right can be compared by eye."""
    values: list[float] = [moment.room_c for moment in moments if moment.room_c is not None]
    for line in series:
        for value, u in zip(line.values, line.uncertainties, strict=True):
            if value is not None:
                values += [value - (u or 0.0), value + (u or 0.0)]
    low, high = (min(values), max(values)) if values else (20.0, 36.0)
    span = max(high - low, 2.0)
    tick = next((tick for tick in (0.5, 1.0, 2.0, 5.0, 10.0) if span / tick <= 7), 20.0)
    return Axis(math.floor(low / tick) * tick, math.ceil((low + span) / tick) * tick, tick)


def equally_spaced(moments: Sequence[Moment]) -> bool:
    """Whether the visits cannot be drawn to scale: a date is unknown, or two lie too close together."""
    days = [moment.day for moment in moments]
    known = [day for day in days if day is not None]
    if len(known) < len(days) or len(known) < 2 or known[-1] <= known[0]:
        return True
    per_day = (WIDTH - LEFT - RIGHT - 2 * INSET) / (known[-1] - known[0])
    return min(b - a for a, b in pairwise(known)) * per_day < NARROWEST


def curves_svg(series: Sequence[Series], moments: Sequence[Moment], *, axis: Axis, title: str, alt: str) -> Markup:
    """One panel: lines of the regions, error bars of one standard uncertainty, the room's temperature, named visits."""
    where = _positions(moments)
    parts = [
        f'<svg class="curves" role="img" aria-label="{escape(alt)}" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" '
        f'font-family="{FONT}" font-size="13" fill="none">'
    ]
    parts += [_grid(axis), _visits(moments, where), _room(moments, where, axis)]
    step = min(5.0, 20.0 / max(1, len(series)))
    for i, line in enumerate(series):
        shift = (i - (len(series) - 1) / 2) * step
        parts.append(_line(line, i, [x + shift for x in where], axis))
    parts.append(_end_labels(series, moments, axis))
    parts.append(f'<text x="{LEFT + 6}" y="{TOP + 15}" font-weight="bold" fill="#111">{escape(title)}</text></svg>')
    return Markup("".join(parts))


def _y(value: float, axis: Axis) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (axis.high - value) / (axis.high - axis.low)


def _positions(moments: Sequence[Moment]) -> list[float]:
    span = WIDTH - LEFT - RIGHT - 2 * INSET
    start = LEFT + INSET
    if len(moments) == 1:
        return [start + span / 2]
    if equally_spaced(moments):
        return [start + span * i / (len(moments) - 1) for i in range(len(moments))]
    days = [moment.day or 0.0 for moment in moments]
    return [start + span * (day - days[0]) / (days[-1] - days[0]) for day in days]


def _grid(axis: Axis) -> str:
    text = ""
    decimals = 1 if axis.tick < 1 else 0
    for i in range(round((axis.high - axis.low) / axis.tick) + 1):
        value = axis.low + i * axis.tick
        y = _y(value, axis)
        text += (
            f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e2e5e9"/>'
            f'<text x="{LEFT - 6}" y="{y + 4.5:.1f}" text-anchor="end" fill="#333">{number(value, decimals)}</text>'
        )
    return text + f'<text x="{LEFT - 6}" y="{HEIGHT - BOTTOM + 18}" text-anchor="end" fill="#333">°C</text>'


def _visits(moments: Sequence[Moment], where: Sequence[float]) -> str:
    base = HEIGHT - BOTTOM
    text = f'<path d="M{LEFT} {base}H{WIDTH - RIGHT}" stroke="#444"/>'
    for moment, x in zip(moments, where, strict=True):
        text += (
            f'<path d="M{x:.1f} {base}v5" stroke="#444"/>'
            f'<text x="{x:.1f}" y="{base + 20}" text-anchor="middle" fill="#111">{escape(_short(moment.words))}</text>'
            f'<text x="{x:.1f}" y="{base + 36}" text-anchor="middle" fill="#555" font-size="11.5">{moment.date}</text>'
        )
    return text


def _short(words: str) -> str:
    return words if len(words) <= 12 else words[:11] + "…"


def _room(moments: Sequence[Moment], where: Sequence[float], axis: Axis) -> str:
    points = [(x, _y(m.room_c, axis)) for x, m in zip(where, moments, strict=True) if m.room_c is not None]
    if not points:
        return ""
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    marks = "".join(f'<path d="M{x - 5:.1f} {y:.1f}h10" stroke="{ROOM}" stroke-width="2.4"/>' for x, y in points)
    return f'<path d="{path}" stroke="{ROOM}" stroke-width="1.4" stroke-dasharray="2 4"/>{marks}'


def _line(line: Series, index: int, where: Sequence[float], axis: Axis) -> str:
    colour = COLOURS[index % len(COLOURS)]
    path, bars, marks, pen_up = "", "", "", True
    for x, value, u in zip(where, line.values, line.uncertainties, strict=True):
        if value is None:
            pen_up = True
            continue
        y = _y(value, axis)
        path += f"{'M' if pen_up else 'L'}{x:.1f} {y:.1f}"
        pen_up = False
        if u:
            top, bottom = _y(value + u, axis), _y(value - u, axis)
            bars += f"M{x:.1f} {top:.1f}V{bottom:.1f}M{x - 2.5:.1f} {top:.1f}h5M{x - 2.5:.1f} {bottom:.1f}h5"
        marks += _mark(SHAPES[index % len(SHAPES)], x, y, colour)
    return (
        f'<path d="{bars}" stroke="{colour}" stroke-width="1" stroke-opacity=".45"/>'
        f'<path d="{path}" stroke="{colour}" stroke-width="1.8"/>{marks}'
    )


def _mark(shape: str, x: float, y: float, colour: str) -> str:
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    if shape == "cross":
        d = f"M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8"
        return f'<path d="{d}" stroke="{colour}" stroke-width="2.6"/>'
    d = {
        "square": f"M{x - 3.7:.1f} {y - 3.7:.1f}h7.4v7.4h-7.4Z",
        "triangle": f"M{x:.1f} {y - 5:.1f}l4.8 8.4h-9.6Z",
        "diamond": f"M{x:.1f} {y - 5.4:.1f}l5.4 5.4l-5.4 5.4l-5.4 -5.4Z",
    }[shape]
    return f'<path d="{d}" fill="{colour}"/>'


def _end_labels(series: Sequence[Series], moments: Sequence[Moment], axis: Axis) -> str:
    """Names at the right end of the lines, moved apart so that each can be read."""
    wanted: list[tuple[float, str, str, str]] = []
    for i, line in enumerate(series):
        last = next((value for value in reversed(line.values) if value is not None), None)
        if last is not None:
            name = short_region(line.region)
            wanted.append((_y(last, axis), name, COLOURS[i % len(COLOURS)], SHAPES[i % len(SHAPES)]))
    room = next((moment.room_c for moment in reversed(moments) if moment.room_c is not None), None)
    if room is not None:
        wanted.append((_y(room, axis), "room", ROOM, ""))
    wanted.sort(key=lambda item: item[0])
    x = WIDTH - RIGHT + 4
    text = ""
    for y, (_, name, colour, shape) in zip(_apart([item[0] for item in wanted]), wanted, strict=True):
        mark = _mark(shape, x + 6, y, colour) if shape else ""
        indent = 14 if shape else 2
        text += f'{mark}<text x="{x + indent}" y="{y + 4.5:.1f}" fill="{colour}" font-weight="bold">{name}</text>'
    return text


def _apart(positions: Sequence[float], gap: float = 15.0) -> list[float]:
    placed: list[float] = []
    for position in positions:
        placed.append(max(position, placed[-1] + gap) if placed else position)
    lowest = HEIGHT - BOTTOM - 2
    for i in range(len(placed) - 1, -1, -1):  # what was pushed below the axis goes up again
        placed[i] = min(placed[i], lowest - gap * (len(placed) - 1 - i))
    return placed
