"""A slow drift with sudden jumps, seen through noise: how it is smoothed, and how well it is then known.

The offset of an uncooled camera wanders slowly and jumps when its shutter closes. One frame's reading of a reference
carries that frame's noise. So the offset is taken as a random walk seen through white noise (a local-level model), cut
where it jumps. Both variances are estimated from the frames themselves, so that there is nothing to tune; the Kalman
smoother (Rauch, Tung and Striebel 1965, doi 10.2514/3.3166) then weighs each frame's neighbours in the way that has the
least mean square error for these variances. A still camera is averaged over many frames, a restless one over few.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

FEWEST_FRAMES: Final = 8
"""With fewer frames their variances cannot be told apart, and nothing is smoothed."""

MOST_AVERAGED: Final = 200
"""However steady it looks, no offset is averaged over more frames than this: a drift may be too slow to be seen."""

JUMP_SIGMAS: Final = 6.0
LEAST_JUMP_C: Final = 0.03
"""Smaller steps are left to the random walk."""


@dataclass(frozen=True, eq=False)
class Smoothed:
    """``level_c`` and its standard uncertainty ``u_c``, both float64 (time,); where it jumps; what was averaged."""

    level_c: NDArray[np.float64]
    u_c: NDArray[np.float64]
    jumps: tuple[int, ...]
    averaged_frames: NDArray[np.float64]


def smooth(seen_c: NDArray[np.float64], *, noise_c: float) -> Smoothed:
    """Smooth ``seen_c`` (time,), without gaps; ``noise_c`` is one value's noise where frames are too few to tell."""
    count = seen_c.size
    jumps = find_jumps(seen_c)
    noise, walk = variances(seen_c, jumps) if count >= FEWEST_FRAMES else (noise_c**2, np.inf)
    level, variance = np.empty(count), np.empty(count)
    edges = (0, *jumps, count)
    for first, last in pairwise(edges):
        level[first:last], variance[first:last] = _smooth_piece(seen_c[first:last], noise=noise, walk=walk)
    averaged = noise / np.maximum(variance, 1e-18) if noise > 0 else np.ones(count)
    return Smoothed(level, np.sqrt(variance), jumps, averaged)


def find_jumps(seen_c: NDArray[np.float64]) -> tuple[int, ...]:
    """Frames whose step from the frame before is no part of the noise: beyond six robust standard deviations."""
    if seen_c.size < FEWEST_FRAMES:
        return ()
    steps = np.diff(seen_c)
    middle = float(np.median(steps))
    spread = 1.4826 * float(np.median(np.abs(steps - middle)))
    found = np.flatnonzero(np.abs(steps - middle) > max(JUMP_SIGMAS * spread, LEAST_JUMP_C)) + 1
    return tuple(int(frame) for frame in found)


def variances(seen_c: NDArray[np.float64], jumps: tuple[int, ...]) -> tuple[float, float]:
    """Of the noise and of the walk's steps: var(step) = walk + 2·noise, cov(step, next step) = −noise."""
    steps = np.diff(seen_c)
    kept = np.ones(steps.size, dtype=bool)
    kept[[frame - 1 for frame in jumps]] = False
    if kept.sum() < 2:
        return 0.0, np.inf
    both = kept[1:] & kept[:-1]
    total = float(np.mean(steps[kept] ** 2))
    next_to = float(np.mean(steps[1:][both] * steps[:-1][both])) if both.any() else 0.0
    noise = min(max(-next_to, 0.0), total / 2.0)
    least = noise * (2.0 / MOST_AVERAGED) ** 2  # the smoother averages 2·√(noise/walk) frames
    return noise, max(total - 2.0 * noise, least)


def _smooth_piece(
    seen_c: NDArray[np.float64], *, noise: float, walk: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Forward filter and backward smoother from a level of which nothing is known; level and variance, (time,)."""
    count = seen_c.size
    if noise == 0.0 or not np.isfinite(walk):
        return seen_c.copy(), np.full(count, noise)
    level, variance = np.empty(count), np.empty(count)
    level[0], variance[0] = seen_c[0], noise
    for i in range(1, count):
        before = variance[i - 1] + walk
        gain = before / (before + noise)
        level[i] = level[i - 1] + gain * (seen_c[i] - level[i - 1])
        variance[i] = (1.0 - gain) * before
    for i in range(count - 2, -1, -1):
        gain = variance[i] / (variance[i] + walk)
        level[i] += gain * (level[i + 1] - level[i])
        variance[i] += gain**2 * (variance[i + 1] - variance[i] - walk)
    return level, variance
