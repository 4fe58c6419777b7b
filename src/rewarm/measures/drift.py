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

RATIOS: Final = np.geomspace((2.0 / MOST_AVERAGED) ** 2, 1e4, 60)
"""Variance of the walk's steps over that of the noise; the smoother averages 2·√(noise/walk) frames."""
RATIOS.flags.writeable = False

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
    """Smooth ``seen_c`` (time,), without gaps; ``noise_c`` is one value's noise as its pixels tell it.

    The frames themselves say more, but never that it is less than half of that.
    """
    count = seen_c.size
    jumps = find_jumps(seen_c)
    least = (noise_c / 2.0) ** 2
    few = count < FEWEST_FRAMES
    noise, walk = (noise_c**2, np.inf) if few else variances(seen_c, jumps, least_noise=least)
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


def variances(seen_c: NDArray[np.float64], jumps: tuple[int, ...], *, least_noise: float = 0.0) -> tuple[float, float]:
    """Of the noise and of the walk's steps, by how likely the filter's one-step predictions make them.

    The likelihood is computed for a grid of ratios walk/noise at once, the noise being the best for each (Harvey 1990,
    doi 10.1017/CBO9781107049994, section 3.4). Its mean over the grid is taken, not its peak: where few frames leave
    the ratio open, that smooths less. Noise under ``least_noise`` (a variance) is ruled out: a restless camera's walk
    would swallow it. Moments of the steps would be simpler, and far worse for slow drifts.
    """
    if not np.any(np.diff(seen_c)):
        return 0.0, np.inf
    starts = {0, *jumps}
    variance = np.ones_like(RATIOS)
    level = np.full_like(RATIOS, seen_c[0])
    squares, logs, count = np.zeros_like(RATIOS), np.zeros_like(RATIOS), 0
    for i, value in enumerate(seen_c):
        if i in starts:  # of a new piece nothing is known before its first frame
            level[:], variance[:] = value, 1.0
            continue
        before = variance + RATIOS
        expected = before + 1.0
        surprise = value - level
        squares += surprise**2 / expected
        logs += np.log(expected)
        count += 1
        gain = before / expected
        level += gain * surprise
        variance = gain
    if count == 0:
        return 0.0, np.inf
    noises = squares / count
    unlikely = logs + count * np.log(np.maximum(noises, 1e-30))
    possible = noises >= least_noise
    if not possible.any():
        return least_noise, float(np.mean(np.diff(seen_c) ** 2))
    weights = np.exp(-0.5 * np.where(possible, unlikely - unlikely[possible].min(), np.inf))
    weights /= weights.sum()
    return float(weights @ noises), float(weights @ (noises * RATIOS))


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
