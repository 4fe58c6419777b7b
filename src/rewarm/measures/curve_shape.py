"""What is read off one temperature curve, for many versions of it at once: levels, slopes, areas, first times.

Everything here is linear in the curve (matrices over its times), or a search along it, so that hundreds of versions of
a curve, each moved by what it may be off, are read in one go.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]

SMOOTH_S: Final = 10.0
"""Half-width of the window over which a curve is smoothed, where it has frames that close: wider would bend it."""
SPARSE_S: Final = 45.0
"""Frames further apart than this (stills) are not smoothed over, and the curve between them is a gap."""
GRADIENT_S: Final = 60.0
"""Over how long the steepest rise is looked for."""
FINE_POINTS: Final = 31
"""A line is fitted to so many points of the curve, evenly along its stretch."""
NEAR_S: Final = 15.0
"""A value at a named time is read from the curve where a frame lies at least this near, or one on either side."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Straight lines fitted to stretches of a curve: ``slope`` and ``middle`` are sparse (lines, times) matrices.

    ``middle_s`` (lines,) is the time at which a line has the value that ``middle`` gives. ``bow`` (lines, times) is the
    third coefficient of the parabola through the same stretch: middle + slope·x + bow·(x² − length²/12), x from
    ``middle_s``.
    """

    slope: sparse.csr_array
    middle: sparse.csr_array
    bow: sparse.csr_array
    middle_s: Floats
    length_s: Floats


def smoother(time_s: Floats) -> sparse.csr_array:
    """Local straight lines with tricube weights (Cleveland 1979, doi 10.1080/01621459.1979.10481038), (times, times).

    The window reaches 10 s to either side. Values without two neighbours in it stay as they are.
    """
    count = time_s.size
    if count < 4:
        return sparse.csr_array(sparse.eye_array(count))
    rows, columns, entries = [], [], []
    for i, t in enumerate(time_s):
        near = np.flatnonzero(np.abs(time_s - t) < SMOOTH_S)
        if near.size < 3:
            near, values = np.array([i]), np.array([1.0])
        else:
            x = time_s[near] - t
            weight = (1.0 - (np.abs(x) / SMOOTH_S) ** 3) ** 3
            w, wx, wxx = weight.sum(), (weight * x).sum(), (weight * x * x).sum()
            values = weight * (wxx - wx * x) / (w * wxx - wx * wx)
        rows += [i] * near.size
        columns += near.tolist()
        entries += values.tolist()
    return sparse.csr_array((entries, (rows, columns)), shape=(count, count))


def steep_lines(time_s: Floats) -> Lines:
    """Lines fitted to every stretch of 60 s, begun at every second or so; between stills, from one to the next.

    Stretches that a gap of more than 45 s cuts are left out; the gap itself counts as a line from end to end.
    """
    gaps = np.diff(time_s)
    if time_s.size < 2:
        return _lines(time_s, [])
    step = float(np.clip(0.2 * np.median(gaps), 1.0, 5.0))
    stretches = [(t, t + GRADIENT_S) for t in np.arange(time_s[0], time_s[-1] - GRADIENT_S + 1e-6, step)]
    wide = np.flatnonzero(gaps > SPARSE_S)
    for k in wide:
        stretches = [(a, b) for a, b in stretches if b <= time_s[k] or a >= time_s[k + 1]]
    return _lines(time_s, [*stretches, *((time_s[k], time_s[k + 1]) for k in wide)])


def line_within(time_s: Floats, first_s: float, last_s: float) -> Lines:
    """The line fitted to one stretch; no line where the frames do not span it, or a gap of more than 45 s cuts it."""
    inside = time_s[(time_s >= first_s - NEAR_S) & (time_s <= last_s + NEAR_S)]
    spans = inside.size >= 3 and inside[0] <= first_s + NEAR_S and inside[-1] >= last_s - NEAR_S
    if not spans or np.diff(inside).max() > SPARSE_S:
        return _lines(time_s, [])
    return _lines(time_s, [(max(first_s, float(inside[0])), min(last_s, float(inside[-1])))])


def line_u(time_s: Floats, curve_c: Floats, first_s: float, last_s: float) -> float:
    """How far a fitted line's slope may be off for what the curve does between frames, °C/s (k = 1).

    A gap's straight line misses an area of gap³·|T″|/12, and the slope weighs areas by 6/length² at most.
    """
    squares = 0.0
    for right in range(1, time_s.size):
        if time_s[right] > first_s and time_s[right - 1] < last_s:
            missed = (time_s[right] - time_s[right - 1]) ** 3 * bend(time_s, curve_c, right) / 12.0
            squares += missed**2
    return float(sqrt(squares) * 6.0 / (last_s - first_s) ** 2)


def _lines(time_s: Floats, stretches: list[tuple[float, float]]) -> Lines:
    """Least squares through the curve, taken as straight from frame to frame, along each stretch (first, last)."""
    shape = (len(stretches), time_s.size)
    ends = np.array(stretches, dtype=np.float64).reshape(-1, 2)
    length = ends[:, 1] - ends[:, 0]
    if not stretches:
        none = sparse.csr_array(shape)
        return Lines(none, none, none, ends[:, 0], length)
    along = (np.arange(FINE_POINTS) + 0.5) / FINE_POINTS
    fine = ends[:, :1] + length[:, None] * along
    right = np.clip(np.searchsorted(time_s, fine, side="right"), 1, time_s.size - 1)
    share = (fine - time_s[right - 1]) / (time_s[right] - time_s[right - 1])
    x = fine - fine.mean(axis=1, keepdims=True)
    weight = x / (x * x).sum(axis=1, keepdims=True)
    place = (
        np.repeat(np.arange(len(stretches)), 2 * FINE_POINTS),
        np.concatenate([right - 1, right], axis=1).ravel(),
    )
    square = x * x - (x * x).mean(axis=1, keepdims=True)
    curved = square / (square * square).sum(axis=1, keepdims=True)
    slope, mean, bow = (
        sparse.csr_array((np.concatenate([of * (1.0 - share), of * share], axis=1).ravel(), place), shape=shape)
        for of in (weight, np.full_like(x, 1.0 / FINE_POINTS), curved)
    )
    return Lines(slope, mean, bow, ends.mean(axis=1), length)


def value_at(time_s: Floats, at_s: float) -> tuple[Floats, float] | None:
    """Weights (times,) that read the value at a time, and how far its neighbours are (the gap it lies in, s).

    None where the curve does not reach so far, or does not begin early enough. Linear between neighbours; beyond the
    ends, up to 15 s, the end's own value.
    """
    weights = np.zeros(time_s.size)
    if at_s <= time_s[0] or at_s >= time_s[-1]:
        end = 0 if at_s <= time_s[0] else time_s.size - 1
        if abs(time_s[end] - at_s) > NEAR_S:
            return None
        weights[end] = 1.0
        return weights, 0.0
    right = int(np.searchsorted(time_s, at_s, side="left"))
    if time_s[right] == at_s:
        weights[right] = 1.0
        return weights, 0.0
    left = right - 1
    gap = float(time_s[right] - time_s[left])
    weights[right] = (at_s - time_s[left]) / gap
    weights[left] = 1.0 - weights[right]
    return weights, gap


def interpolation_u_c(time_s: Floats, curve_c: Floats, at_s: float) -> float:
    """How far the straight line between a time's neighbours may be off there: from the curve's own bend, °C (k = 1)."""
    right = int(np.clip(np.searchsorted(time_s, at_s, side="left"), 1, time_s.size - 1))
    before, after = at_s - time_s[right - 1], time_s[right] - at_s
    if before <= 0 or after <= 0:
        return 0.0
    return float(0.5 * before * after * bend(time_s, curve_c, right) / sqrt(3.0))


def bend(time_s: Floats, curve_c: Floats, right: int) -> float:
    """|second derivative| of a curve around the gap that ends at index ``right``, °C/s²; the larger of both sides'."""
    gap = time_s[right] - time_s[right - 1]
    found = 0.0
    for inner, way in ((right - 1, -1), (right, 1)):
        reached = np.flatnonzero(way * (time_s - time_s[inner]) >= min(gap, 60.0))
        outer = reached[-1] if way < 0 and reached.size else (reached[0] if reached.size else None)
        if outer is None:
            continue
        own = (curve_c[outer] - curve_c[inner]) / (time_s[outer] - time_s[inner])
        across = (curve_c[right] - curve_c[right - 1]) / gap
        found = max(found, abs(own - across) / (0.5 * (gap + abs(time_s[outer] - time_s[inner]))))
    return float(found)


def area_weights(time_s: Floats, first_s: float, last_s: float) -> Floats | None:
    """Weights (times,) of the trapezoidal area between two times, °C·s; None where the curve does not span them."""
    ends = value_at(time_s, first_s), value_at(time_s, last_s)
    if ends[0] is None or ends[1] is None:
        return None
    inside = np.flatnonzero((time_s > first_s) & (time_s < last_s))
    rows = [ends[0][0], *np.eye(time_s.size)[inside], ends[1][0]]
    times = np.concatenate([[first_s], time_s[inside], [last_s]])
    steps = np.diff(times)
    weights = np.zeros(time_s.size)
    for k, step in enumerate(steps):
        weights += 0.5 * step * (rows[k] + rows[k + 1])
    return weights


def area_u(time_s: Floats, curve_c: Floats, first_s: float, last_s: float) -> float:
    """How far the trapezoids may be off, °C·s (k = 1): gap³·|T″|/12 by the curve's bend in each gap, all one way."""
    total = 0.0
    for right in range(1, time_s.size):
        if time_s[right] <= first_s or time_s[right - 1] >= last_s:
            continue
        gap = time_s[right] - time_s[right - 1]
        if gap > SPARSE_S / 2:
            total += gap**3 * bend(time_s, curve_c, right) / 12.0
    return total / sqrt(3.0)


def first_reached(time_s: Floats, curves_c: Floats, levels_c: Floats, begin: NDArray[np.int64]) -> Floats:
    """When each of many curves (curves, times) first reaches its level (curves,) at or after index ``begin``.

    NaN where it never does; linear between frames.
    """
    after = np.arange(time_s.size)[None, :] >= begin[:, None]
    reached = (curves_c >= levels_c[:, None]) & after
    right = reached.argmax(axis=1)
    rows = np.arange(len(curves_c))
    left = np.maximum(right - 1, 0)
    low, high = curves_c[rows, left], curves_c[rows, right]
    rise = np.where(high > low, high - low, 1.0)
    share = np.clip((levels_c - low) / rise, 0.0, 1.0)
    found = time_s[left] + share * (time_s[right] - time_s[left])
    found = np.where((right == begin) | (right == 0), time_s[right], found)
    return np.where(reached.any(axis=1), found, np.nan)


def crossing_u_s(time_s: Floats, curve_c: Floats, at_s: float) -> float:
    """How far a crossing may lie from where the straight line across its gap puts it, s (k = 1).

    The curve's bend moves it by gap²·|T″|/8 over the line's slope, but no further than the gap. Of what goes on in a
    gap of more than 45 s nothing is known: the crossing may lie anywhere in it (rectangular, gap/√12).
    """
    right = int(np.clip(np.searchsorted(time_s, at_s, side="left"), 1, time_s.size - 1))
    gap = float(time_s[right] - time_s[right - 1])
    slope = abs(float(curve_c[right] - curve_c[right - 1])) / gap
    widest = gap / sqrt(12.0)
    if slope <= 0.0 or gap > SPARSE_S:
        return widest
    return min(widest, gap**2 * bend(time_s, curve_c, right) / 8.0 / slope)
