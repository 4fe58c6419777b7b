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

SMOOTH_S: Final = 15.0
"""Half-width of the window over which a curve is smoothed, where it has frames that close."""
SPARSE_S: Final = 45.0
"""Frames further apart than this (stills) are not smoothed over, and the curve between them is a gap."""
GRADIENT_S: Final = 60.0
"""Over how long the steepest rise is looked for."""
NEAR_S: Final = 15.0
"""A value at a named time is read from the curve where a frame lies at least this near, or one on either side."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Straight lines fitted to stretches of a curve: ``slope`` and ``middle`` are sparse (lines, times) matrices.

    ``middle_s`` (lines,) is the time at which a line has the value that ``middle`` gives.
    """

    slope: sparse.csr_array
    middle: sparse.csr_array
    middle_s: Floats


def smoother(time_s: Floats) -> sparse.csr_array:
    """Local straight lines with tricube weights (Cleveland 1979, doi 10.1080/01621459.1979.10481038), (times, times).

    The window reaches 15 s, or one and a half of the usual spacing, to either side. Values without two neighbours in
    it stay as they are.
    """
    count = time_s.size
    spacing = float(np.median(np.diff(time_s))) if count > 1 else np.inf
    if count < 4 or spacing > SPARSE_S:
        return sparse.csr_array(sparse.eye_array(count))
    half = max(SMOOTH_S, 1.5 * spacing)
    rows, columns, entries = [], [], []
    for i, t in enumerate(time_s):
        near = np.flatnonzero(np.abs(time_s - t) < half)
        if near.size < 3:
            near, values = np.array([i]), np.array([1.0])
        else:
            x = time_s[near] - t
            weight = (1.0 - (np.abs(x) / half) ** 3) ** 3
            w, wx, wxx = weight.sum(), (weight * x).sum(), (weight * x * x).sum()
            values = weight * (wxx - wx * x) / (w * wxx - wx * wx)
        rows += [i] * near.size
        columns += near.tolist()
        entries += values.tolist()
    return sparse.csr_array((entries, (rows, columns)), shape=(count, count))


def steep_lines(time_s: Floats) -> Lines:
    """Lines fitted to every 60 s that hold three frames or more and no gap; between stills, from one to the next."""
    spacing = float(np.median(np.diff(time_s))) if time_s.size > 1 else np.inf
    if spacing > SPARSE_S / 2:
        return _lines(time_s, [np.array([i, i + 1]) for i in range(time_s.size - 1)])
    windows = []
    for i, t in enumerate(time_s):
        inside = np.arange(i, int(np.searchsorted(time_s, t + GRADIENT_S + 1e-9)))
        times = time_s[inside]
        if inside.size >= 3 and times[-1] - t >= 0.75 * GRADIENT_S and np.diff(times).max() <= 0.5 * GRADIENT_S:
            windows.append(inside)
    return _lines(time_s, windows)


def line_within(time_s: Floats, first_s: float, last_s: float) -> Lines:
    """The line fitted to the frames of one stretch; no line where they do not reach from end to end."""
    inside = np.flatnonzero((time_s >= first_s) & (time_s <= last_s))
    times = time_s[inside]
    slack = 0.15 * (last_s - first_s)
    spans = inside.size >= 3 and times[0] <= first_s + slack and times[-1] >= last_s - slack
    return _lines(time_s, [inside] if spans and np.diff(times).max() <= SPARSE_S else [])


def _lines(time_s: Floats, windows: list[NDArray[np.int64]]) -> Lines:
    shape = (len(windows), time_s.size)
    rows = np.repeat(np.arange(len(windows)), [len(window) for window in windows])
    columns = np.concatenate(windows) if windows else np.zeros(0, dtype=np.int64)
    slopes, means, middle = [], [], []
    for window in windows:
        x = time_s[window] - time_s[window].mean()
        slopes.append(x / (x @ x))
        means.append(np.full(window.size, 1.0 / window.size))
        middle.append(float(time_s[window].mean()))
    values = [np.concatenate(of) if of else np.zeros(0) for of in (slopes, means)]
    slope, mean = (sparse.csr_array((of, (rows, columns)), shape=shape) for of in values)
    return Lines(slope, mean, np.array(middle))


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

    The curve's bend moves it by gap²·|T″|/8 over the line's slope; never by more than the gap, as if nothing were known
    of the curve within it (rectangular, gap/√12).
    """
    right = int(np.clip(np.searchsorted(time_s, at_s, side="left"), 1, time_s.size - 1))
    gap = float(time_s[right] - time_s[right - 1])
    slope = abs(float(curve_c[right] - curve_c[right - 1])) / gap
    widest = gap / sqrt(12.0)
    if slope <= 0.0:
        return widest
    return min(widest, gap**2 * bend(time_s, curve_c, right) / 8.0 / slope / sqrt(3.0))
