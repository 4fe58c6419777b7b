"""Power against the number of people, as SVG: the curve with the simulation's doubt, and what no effect would give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup, escape

from rewarm.effects.power import PowerRow
from rewarm.report.pictures import FONT
from rewarm.report.words import NBSP

WIDTH: Final = 640.0
HEIGHT: Final = 340.0
LEFT: Final = 56.0
RIGHT: Final = 150.0
TOP: Final = 16.0
BOTTOM: Final = 52.0
BLUE: Final = "#0072b2"
ORANGE: Final = "#c04e00"


def power_figure(rows: Sequence[PowerRow], *, wanted: float, alpha: float, needed: int | None) -> Markup:
    """The curve of ``rows`` (one a size), with the power ``wanted`` and the number of people that reaches it."""
    sizes = [row.participants for row in rows]
    low, high = min(sizes), max(sizes)

    def x(size: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * ((size - low) / (high - low) if high > low else 0.5)

    def y(share: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)

    parts = [
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" xmlns="http://www.w3.org/2000/svg" font-family="{FONT}" '
        'font-size="13"><title>Power against the number of people</title>'
    ]
    parts += [
        f'<path d="M{LEFT:g} {y(tick):.1f}H{WIDTH - RIGHT:g}" stroke="#d5d9de"/>'
        f'<text x="{LEFT - 8:g}" y="{y(tick) + 4:.1f}" text-anchor="end">{100 * tick:.0f}{NBSP}%</text>'
        for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    ]
    parts += [
        f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 20:g}" text-anchor="middle">{size}</text>'
        for size in _ticks(sizes)
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle:g}" y="{HEIGHT - 10:g}" text-anchor="middle">people in the study</text>')
    band = [(x(r.participants), y(r.power_upper)) for r in rows]
    band += [(x(r.participants), y(r.power_lower)) for r in reversed(rows)]
    parts.append(f'<path d="M{_path(band)}Z" fill="{BLUE}" fill-opacity=".18"/>')
    ends = []
    for name, colour, dash, shares in (
        ("called effective", BLUE, "", [row.power for row in rows]),
        ("without any effect", ORANGE, ' stroke-dasharray="5 4"', [row.false_alarms for row in rows]),
    ):
        points = [(x(row.participants), y(share)) for row, share in zip(rows, shares, strict=True)]
        parts.append(f'<path d="M{_path(points)}" fill="none" stroke="{colour}" stroke-width="2.2"{dash}/>')
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3.4" fill="{colour}"/>' for px, py in points]
        ends.append((points[-1][1], name, colour))
    parts += [
        f'<text x="{WIDTH - RIGHT + 10:g}" y="{at + 4:.1f}" fill="{colour}">{escape(name)}</text>'
        for at, name, colour in _apart(ends)
    ]
    parts.append(f'<path d="M{LEFT:g} {y(wanted):.1f}H{WIDTH - RIGHT:g}" stroke="#16191d" stroke-dasharray="2 3"/>')
    if needed is not None and low <= needed <= high:
        parts.append(
            f'<path d="M{x(needed):.1f} {y(wanted):.1f}V{y(0):.1f}" stroke="#16191d" stroke-dasharray="2 3"/>'
            f'<text x="{x(needed) + 5:.1f}" y="{y(0.5 * wanted):.1f}" font-weight="bold">{needed} people</text>'
        )
    right = f"M{LEFT:g} {y(alpha / 2):.1f}H{WIDTH - RIGHT:g}"
    parts.append(f'<path d="{right}" stroke="{ORANGE}" stroke-width="1" stroke-opacity=".6"/></svg>')
    return Markup("".join(parts))  # numbers, colours of this module and escaped names only


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "L".join(f"{px:.1f} {py:.1f}" for px, py in points)


def _ticks(sizes: Sequence[int]) -> list[int]:
    """Sizes with room for their figures."""
    least = (max(sizes) - min(sizes)) / 14
    shown: list[int] = []
    for size in sizes:
        if not shown or size - shown[-1] >= least:
            shown.append(size)
    return shown


def _apart(ends: Sequence[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
    """Names at least a line's height apart."""
    placed: list[tuple[float, str, str]] = []
    for at, name, colour in sorted(ends):
        placed.append((max(at, placed[-1][0] + 16) if placed else at, name, colour))
    return placed
