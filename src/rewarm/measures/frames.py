"""A recording frame by frame: where its camera jumped, how it drifted, which frames are blurred, which are steady.

Every frame is read once, a few at a time; what stays in memory is three figures a frame. Pixels are thinned out, so
that most of the time goes into reading the frames, not into looking at them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import median_filter

Floats = NDArray[np.float64]

BLOCK_PIXELS: Final = 8 * 1024**2
"""About how many pixels are in memory at once: 32 MiB of float32."""
CHUNK_FRAMES: Final = 30
"""Recordings are stored in chunks of so many frames: blocks of whole ones are not read twice."""

LEAST_JUMP_C: Final = 0.05
JUMP_SIGMAS: Final = 6.0

BLURRED_SHARE: Final = 0.8
"""A frame whose steepest places are flatter than this share of its neighbours' is blurred, unless all vary as much."""
BLUR_SIGMAS: Final = 6.0
_NEIGHBOURS: Final = 31
_STEEPEST: Final = 0.02
"""Share of the places whose steps from pixel to pixel tell how sharp a frame is: the rims of what is in view."""


@dataclass(frozen=True)
class FrameJumps:
    """Sudden offsets of whole frames of a recording: a camera's shutter (NUC) events.

    ``n_frames`` were looked at, ``gap_frames`` apart; ``at_frame`` are the frames before which the whole picture
    jumped, by ``jump_c``. ``noise_c`` is what frames differ by otherwise.
    """

    n_frames: int
    gap_frames: int
    at_frame: tuple[int, ...]
    jump_c: tuple[float, ...]
    noise_c: float

    @property
    def largest_c(self) -> float:
        """The largest jump's size, °C; 0 where there is none."""
        return max((abs(jump) for jump in self.jump_c), default=0.0)


@dataclass(frozen=True, eq=False)
class FrameSurvey:
    """Figures of the frames looked at, ``gap`` apart; all float64 (frames looked at,).

    ``step_c`` is the median over the pixels of the difference from the frame before (the first: 0), ``level_c`` of that
    from the first frame. ``edge_c`` is the mean step from pixel to pixel at the steepest places. All are NaN for a
    frame without temperatures.
    """

    gap: int
    step_c: Floats
    level_c: Floats
    edge_c: Floats


@dataclass(frozen=True, eq=False)
class SteadyFrames:
    """Which frames of a recording can stand for it, as indices (ascending), and how many were left out for what.

    ``frames`` lie between two jumps of the camera's offset (the longest such stretch), have temperatures and are not
    blurred. ``usable`` is the same regardless of jumps. ``best`` is the sharpest of ``frames``.
    """

    frames: NDArray[np.int64]
    usable: NDArray[np.int64]
    best: int
    beyond_jumps: int
    blurred: int
    empty: int


def survey_frames(recording: xr.Dataset, *, most_frames: int | None = None) -> FrameSurvey:
    """Look at all frames of a recording (time, y, x), or at ``most_frames`` evenly spread, reading a few at a time.

    Beside reading it, a frame of 640 × 480 costs about 2 ms on one core (18,000 of them half a minute); in memory are
    about 32 MiB of frames and three figures a frame.

    Raises what reading a damaged frame raises.
    """
    array = recording["temperature"]
    total = array.sizes["time"]
    gap = 1 if most_frames is None else max(1, -(-total // most_frames))
    steps, levels, edges = [], [], []
    first: NDArray[Any] | None = None
    before: NDArray[Any] | None = None
    for frames in frame_blocks(array, np.arange(0, total, gap)):
        for frame in frames:
            apart = _apart(frame)
            thin = frame[::apart, ::apart]
            edges.append(_edge_c(frame))
            if not np.isfinite(thin).any():
                steps.append(np.nan)
                levels.append(np.nan)
                continue
            first = thin.copy() if first is None else first
            steps.append(0.0 if before is None else _median(thin - before))
            levels.append(_median(thin - first))
            before = thin.copy()
    return FrameSurvey(gap, *(np.asarray(values, dtype=np.float64) for values in (steps, levels, edges)))


def frame_blocks(array: xr.DataArray, chosen: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
    """The chosen frames of an array (time, y, x) in blocks (frames, y, x) of about 32 MiB, read when asked for."""
    size = block_frames(array.sizes["y"] * array.sizes["x"])
    for start in range(0, len(chosen), size):
        yield array.isel(time=chosen[start : start + size]).to_numpy()


def block_frames(pixels: int) -> int:
    """How many frames of so many pixels are read at once: whole chunks where they are small enough."""
    frames = max(1, BLOCK_PIXELS // max(1, pixels))
    return frames if frames <= CHUNK_FRAMES // 2 else CHUNK_FRAMES * round(frames / CHUNK_FRAMES)


def frame_jumps(recording: xr.Dataset, *, most_frames: int | None = None) -> FrameJumps | None:
    """Where a recording (time, y, x) jumps as a whole; None for a still, or fewer than three frames.

    The median over pixels of the difference between successive frames does not answer to feet that warm while the
    rest stays, and moves with a camera's offset. A jump exceeds six robust standard deviations of these medians, and
    0.05 °C. All frames are read, a few at a time, or ``most_frames`` evenly spread: what a quick look can afford.
    """
    if "time" not in recording["temperature"].dims or recording["temperature"].sizes["time"] < 3:
        return None
    return jumps_in(survey_frames(recording, most_frames=most_frames))


def jumps_in(survey: FrameSurvey) -> FrameJumps | None:
    """The jumps of a survey; None where fewer than three frames were looked at. See :func:`frame_jumps`."""
    if survey.step_c.size < 3:
        return None
    steps = survey.step_c[1:]
    known = steps[np.isfinite(steps)]
    centre = float(np.median(known)) if known.size else 0.0
    spread = 1.4826 * float(np.median(np.abs(known - centre))) if known.size else 0.0
    jumps = np.flatnonzero(np.abs(steps - centre) > max(JUMP_SIGMAS * spread, LEAST_JUMP_C))
    return FrameJumps(
        n_frames=int(survey.step_c.size),
        gap_frames=survey.gap,
        at_frame=tuple(int(i + 1) * survey.gap for i in jumps),
        jump_c=tuple(float(steps[i] - centre) for i in jumps),
        noise_c=spread,
    )


def steady_frames(survey: FrameSurvey) -> SteadyFrames:
    """Choose the frames that can stand for a recording, all of whose frames were looked at.

    Where no frame is free of faults, the one sharpest frame is chosen all the same.
    """
    count = survey.step_c.size
    found = jumps_in(survey)
    edges = (0, *(() if found is None else found.at_frame), count)
    first, last = max(pairwise(edges), key=lambda ends: ends[1] - ends[0])
    within = np.zeros(count, dtype=bool)
    within[first:last] = True
    empty = ~np.isfinite(survey.level_c)
    blurred = _blurred(survey.edge_c) & ~empty
    usable = ~empty & ~blurred
    frames = np.flatnonzero(within & usable)
    if frames.size == 0:
        frames = np.flatnonzero(usable)[:1] if usable.any() else np.array([0])
    sharpness = np.where(np.isfinite(survey.edge_c), survey.edge_c, -1.0)
    return SteadyFrames(
        frames=frames.astype(np.int64),
        usable=np.flatnonzero(usable).astype(np.int64) if usable.any() else frames.astype(np.int64),
        best=int(frames[np.argmax(sharpness[frames])]),
        beyond_jumps=int((~within & usable).sum()),
        blurred=int(blurred.sum()),
        empty=int(empty.sum()),
    )


def evenly_spread(frames: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most ``most`` of ``frames``, evenly spread, the first and the last among them."""
    if frames.size <= most:
        return frames
    return frames[np.round(np.linspace(0, frames.size - 1, most)).astype(np.int64)]


def _edge_c(frame: NDArray[Any]) -> float:
    """Mean step from pixel to pixel at the steepest places, along about sixty rows and columns."""
    apart = _apart(frame)
    steps = (np.diff(frame[::apart], axis=1).ravel(), np.diff(frame[:, ::apart], axis=0).ravel())
    steep = np.abs(np.concatenate(steps))
    steep = steep[np.isfinite(steep)]
    if steep.size == 0:
        return float("nan")
    place = steep.size - max(1, int(_STEEPEST * steep.size))
    return float(np.partition(steep, place)[place:].mean(dtype=np.float64))


def _apart(frame: NDArray[Any]) -> int:
    """Every how many rows and columns are looked at: about sixty of the shorter side."""
    return max(1, int(min(frame.shape)) // 60)


def _blurred(edge_c: Floats) -> NDArray[np.bool_]:
    """Frames much flatter than their neighbours; skin that warms changes slowly and is no blur."""
    if edge_c.size < 5:
        return np.zeros(edge_c.size, dtype=bool)
    filled = np.where(np.isfinite(edge_c), edge_c, np.nanmedian(edge_c) if np.isfinite(edge_c).any() else 0.0)
    usual = median_filter(filled, size=min(_NEIGHBOURS, edge_c.size | 1), mode="nearest")
    off = filled - usual
    spread = 1.4826 * float(np.median(np.abs(off)))
    return np.asarray((filled < BLURRED_SHARE * usual) & (off < -BLUR_SIGMAS * spread))


def _median(values: NDArray[Any]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")
