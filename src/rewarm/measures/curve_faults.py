"""What is wrong with curves beside noise: jumps of the camera, values that something covered; and the noise itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.measures.assumptions import Assumptions
from rewarm.measures.drift import find_jumps
from rewarm.measures.rewarming_budget import RegionBudget

Floats = NDArray[np.float64]

BIN_S: Final = 1.0
"""Frames that follow each other faster are averaged over this time."""
MOTION_PX: Final = 0.1
"""What is left of motion after following it, px; each frame's for itself."""
SPIKE_C: Final = 1.0
SPIKE_SIGMAS: Final = 8.0
"""A region that is off its neighbours in time by this, there and back, was covered by something."""
DENSE_S: Final = 30.0
"""Between frames further apart than this, skin may change by itself: nothing is called a spike."""


@dataclass(frozen=True, eq=False)
class Binned:
    """Means of each second: ``time_s`` (times,); ``mean_c`` and ``frames``, how many of them, (regions, times)."""

    time_s: Floats
    mean_c: Floats
    frames: Floats


def without_jumps(
    means: Floats, levels: Floats, time_s: Floats, assumptions: Assumptions
) -> tuple[Floats, Floats, tuple[int, ...]]:
    """Means without the jumps of the picture as a whole; how far it may have drifted besides (half-widths); jumps."""
    known = np.isfinite(levels)
    if known.sum() < 2:  # no room in view: the drift that sessions are taken to have may have come meanwhile
        span = max(float(np.ptp(time_s)), 1e-9)
        return means, assumptions.drift_c * (time_s - time_s[0]) / span, ()
    filled = np.interp(time_s, time_s[known], levels[known])
    jumps = find_jumps(filled)
    steps = np.zeros_like(filled)
    for jump in jumps:
        before, after = filled[max(jump - 3, 0) : jump], filled[jump : jump + 3]
        steps[jump:] += float(np.median(after) - np.median(before))
    return means - steps, filled - steps - filled[0], jumps


def spikes_in(means: Floats, time_s: Floats) -> NDArray[np.bool_]:
    """Values that are off their neighbours by much, there and back within a few frames."""
    found = np.zeros(means.shape, dtype=np.bool_)
    for row, values in enumerate(means):
        places = np.flatnonzero(np.isfinite(values))
        if places.size < 7 or float(np.median(np.diff(time_s[places]))) > DENSE_S:
            continue
        here = values[places]
        padded = np.pad(here, 3, mode="reflect", reflect_type="odd")
        usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, 7), axis=1)
        off = np.abs(here - usual)
        limit = max(SPIKE_C, SPIKE_SIGMAS * 1.4826 * float(np.median(off)))
        found[row, places[off > limit]] = True
    return found


def binned_means(time_s: Floats, means: Floats) -> Binned:
    """``means`` (regions, frames) averaged over each second where frames follow each other faster."""
    if time_s.size < 3 or float(np.median(np.diff(time_s))) >= BIN_S / 2:
        return Binned(time_s, means, np.isfinite(means).astype(np.float64))
    _, which = np.unique(np.floor(time_s / BIN_S), return_inverse=True)
    count = int(which.max()) + 1
    frames = np.stack([np.bincount(which, np.isfinite(row), count) for row in means]).astype(np.float64)
    total = np.stack([np.bincount(which, np.nan_to_num(row), count) for row in means])
    middle = np.asarray(np.bincount(which, time_s, count) / np.bincount(which, minlength=count), dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return Binned(middle, np.where(frames > 0, total / frames, np.nan), frames)


def curve_noise(binned: Binned, budgets: Sequence[Sequence[RegionBudget]], anchor_s: Floats) -> Floats:
    """Per value: the larger of what pixels and motion explain, and of what the curve itself shows."""
    noise = np.empty_like(binned.mean_c)
    for row in range(len(noise)):
        told = [hypot(at[row].noise_c, MOTION_PX * at[row].per_px_c) for at in budgets]
        frames = np.maximum(binned.frames[row], 1.0)
        noise[row] = np.maximum(np.interp(binned.time_s, anchor_s, told) / np.sqrt(frames), _shown_noise(binned, row))
    return np.where(np.isfinite(binned.mean_c), noise, np.nan)


def _shown_noise(binned: Binned, row: int) -> float:
    """Standard deviation from third differences, to which a smooth course does not answer; 0 where too few."""
    values = binned.mean_c[row][np.isfinite(binned.mean_c[row])]
    times = binned.time_s[np.isfinite(binned.mean_c[row])]
    if values.size < 16:
        return 0.0
    gaps = np.diff(times)
    even = np.abs(gaps - np.median(gaps)) < 0.2 * np.median(gaps)
    thirds = np.diff(values, 3)[np.lib.stride_tricks.sliding_window_view(even, 3).all(axis=1)]
    return float(1.4826 * np.median(np.abs(thirds)) / sqrt(20.0)) if thirds.size >= 8 else 0.0
