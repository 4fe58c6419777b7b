"""Recording or stills, and regions → temperature curves, with everything they may be off by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from typing import Final

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.measures.assumptions import DEFAULT_ASSUMPTIONS, Assumptions
from rewarm.measures.budget import REACH, Shape
from rewarm.measures.drift import find_jumps
from rewarm.measures.frames import frame_blocks
from rewarm.measures.reference import ReferenceOffsets
from rewarm.measures.regional import MIN_REGION_PX
from rewarm.measures.rewarming_budget import RegionBudget, non_uniformity_causes, region_budgets, shared_causes
from rewarm.measures.uncertainty import picture_parts
from rewarm.motion import COVERED, REASONS, LimbMotion, Motion
from rewarm.regions import ANGIOSOMES, SIDES, WHOLE_LIMBS, Mask, Region, Regions
from rewarm.thermogram import temperature_c

Floats = NDArray[np.float64]

ANCHORS: Final = 6
"""At how many frames, evenly spread, the budget is worked out; between them it is interpolated."""
BIN_S: Final = 1.0
"""Frames that follow each other faster are averaged over this time."""
MOTION_PX: Final = 0.1
"""What is left of motion after following it, px; each frame's for itself."""
SPIKE_C: Final = 1.0
SPIKE_SIGMAS: Final = 8.0
"""A region that is off its neighbours in time by this, there and back, was covered by something."""
DENSE_S: Final = 30.0
"""Between frames further apart than this, skin may change by itself: nothing is called a spike."""
LEAST_SEEN: Final = 0.9
"""A region counts where at least this share of its pixels has a temperature."""
_STEP_PX: Final = 8
_LEAST_ROOM_PX: Final = 100


@dataclass(frozen=True, eq=False)
class Cause:
    """One reason why all of a recording's temperatures may be off, together.

    ``effect_c`` (regions, times) is what one standard deviation of it adds to each region's temperature, °C, with its
    sign. Two values that one cause moves by the same amount keep their difference.
    """

    name: str
    shape: Shape
    effect_c: Floats


@dataclass(frozen=True, eq=False)
class RegionCurves:
    """Temperature courses of the regions of one recording, or one series of still pictures.

    ``time_s`` (times,) ascends, in seconds since the end of the immersion; negative before it. ``names`` are (side,
    region). ``temperature_c`` (regions, times) is the regions' mean, NaN where a region was not measured; ``noise_c``
    the same shape: the standard uncertainty of each value for itself, which no other value shares. ``causes`` are what
    values share. ``n_px`` (regions,) are the pixels behind a region, ``drawn_by`` (regions,) is who drew it. ``limb``
    and ``view`` are those of the regions. ``left_out`` says in plain words which frames are missing, and why.
    ``jumps_s`` are the times at which the camera's offset jumped and was put right by the room.
    """

    time_s: Floats
    names: tuple[tuple[str, str], ...]
    temperature_c: Floats
    noise_c: Floats
    causes: tuple[Cause, ...]
    n_px: NDArray[np.int64]
    limb: str
    view: str
    drawn_by: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    jumps_s: tuple[float, ...] = ()

    def of(self, side: str, region: str) -> Floats | None:
        """One region's temperatures (times,), °C; None where it has no curve."""
        key = (side, region)
        return self.temperature_c[self.names.index(key)] if key in self.names else None


def region_curves(
    recording: xr.Dataset,
    regions: Regions,
    motion: Motion,
    *,
    start_s: float = 0.0,
    offsets: ReferenceOffsets | None = None,
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
) -> RegionCurves:
    """The mean temperature of every region in every frame that was followed, a few frames in memory at a time.

    ``recording`` has dims (time, y, x); ``regions`` were found in frame ``motion.reference``. ``start_s`` is when the
    recording's first frame was taken, in seconds since the end of the immersion. Frames are sampled back onto the
    reference frame's pixels (bilinear), so that a region is the same skin throughout. ``offsets``, one for each of
    ``motion.frames``, are added where a reference is in view; without one, jumps of the whole picture (the camera's
    shutter) are taken off as the room shows them, and how the room drifts otherwise is a cause of uncertainty. Frames
    that follow each other within a second are averaged. Whole feet or hands and angiosomes have no curve.

    Raises :class:`InvalidInputError` where regions, motion or offsets do not fit the recording.
    """
    array = recording["temperature"]
    _check(array, regions, motion, offsets)
    items = [item for item in _measured(regions) if item.side in motion.limbs]
    samplers = [_Sampler(motion.limbs[side], [r for r in items if r.side == side]) for side in SIDES]
    samplers = [sampler for sampler in samplers if sampler.items]
    items = [item for sampler in samplers for item in sampler.items]
    if not items:
        raise InvalidInputError("regions: expected at least one region of a limb that was followed; found none")
    times_s = recording["time"].to_numpy().astype(np.float64)
    time_s = start_s + times_s[motion.frames] - times_s[0]
    anchors = _anchors(samplers, len(motion.frames))
    room = _Room(regions)
    means = np.full((len(items), len(motion.frames)), np.nan)
    levels = np.full(len(motion.frames), np.nan)
    budgets: list[list[RegionBudget]] = []
    place = 0
    for block in frame_blocks(array, motion.frames):
        for frame in block:
            picture = np.asarray(frame, dtype=np.float32)
            backs = [sampler.back(picture, place) for sampler in samplers]
            means[:, place] = np.concatenate([s.means(back, place) for s, back in zip(samplers, backs, strict=True)])
            levels[place] = room.level(picture)
            if place in anchors:
                budgets.append(
                    [
                        found
                        for sampler, back in zip(samplers, backs, strict=True)
                        for found in region_budgets(back, sampler.items, recording.attrs, assumptions)
                    ]
                )
            place += 1
    jumps: tuple[int, ...] = ()
    if offsets is not None:
        means, drift_c = means + offsets.offset_c, np.zeros_like(time_s)
    else:
        means, drift_c, jumps = _without_jumps(means, levels, time_s, assumptions)
    spikes = _spikes(means, time_s)
    means[spikes] = np.nan
    binned = _binned(time_s, means)
    n_px = np.array([int(np.count_nonzero(item.mask)) for item in items], dtype=np.int64)
    noise_c = _noise(binned, budgets, time_s[np.array(anchors)])
    causes = (
        *shared_causes(budgets, time_s[np.array(anchors)], binned.time_s, recording.attrs, assumptions),
        *non_uniformity_causes(items, recording.attrs, regions.shape, assumptions),
        *_drift_causes(drift_c, offsets, time_s, binned.time_s, len(items)),
    )
    return RegionCurves(
        time_s=binned.time_s,
        names=tuple((item.side, item.region) for item in items),
        temperature_c=binned.mean_c,
        noise_c=noise_c,
        causes=tuple(Cause(name, shape, _over_time(effect, len(binned.time_s))) for name, shape, effect in causes),
        n_px=n_px,
        limb=regions.limb,
        view=regions.view,
        drawn_by=tuple(item.drawn_by for item in items),
        left_out=(*_left_out(motion), *_spike_words(items, spikes)),
        jumps_s=tuple(float(time_s[jump]) for jump in jumps),
    )


def still_curves(
    stills: Sequence[tuple[float, xr.Dataset, Regions]], *, assumptions: Assumptions = DEFAULT_ASSUMPTIONS
) -> RegionCurves:
    """The same from still pictures at their times (seconds since the end of the immersion), each with its regions.

    Feet move between stills, and each has its own outlines: what depends on the place in a picture counts as
    independent from still to still. Camera, session and room are shared.

    Raises :class:`InvalidInputError` for no still at all, or two at one time.
    """
    ordered = sorted(stills, key=lambda item: item[0])
    time_s = np.array([time for time, _, _ in ordered], dtype=np.float64)
    if time_s.size == 0 or np.any(np.diff(time_s) <= 0):
        raise InvalidInputError(
            f"stills: expected one or more, each at a time of its own; found times {time_s.tolist()} s. Correct time_s"
        )
    names = list(dict.fromkeys((r.side, r.region) for _, _, regions in ordered for r in _measured(regions)))
    if not names:
        raise InvalidInputError("stills: expected at least one region that was found; found none")
    means = np.full((len(names), len(ordered)), np.nan)
    own = np.full_like(means, np.nan)
    shared: dict[tuple[str, Shape], Floats] = {}
    n_px = np.zeros(len(names), dtype=np.int64)
    drawn = [""] * len(names)
    for column, (_, still, regions) in enumerate(ordered):
        temperature = np.asarray(temperature_c(still), dtype=np.float32)
        items = _measured(regions)
        for item, budget in zip(items, region_budgets(temperature, items, still.attrs, assumptions), strict=True):
            row = names.index((item.side, item.region))
            means[row, column] = budget.mean_c
            own[row, column] = sqrt(budget.noise_c**2 + budget.place_c**2)
            n_px[row] = max(n_px[row], budget.n_px)
            drawn[row] = item.drawn_by
            for name, (shape, signed_c) in budget.shared.items():
                effect = shared.setdefault((name, shape), np.zeros_like(means))
                effect[row, column] = signed_c
    for part in picture_parts(ordered[0][1], assumptions=assumptions):
        shared[part.name, part.shape] = np.full_like(means, part.u_c)
    causes = tuple(Cause(name, shape, effect) for (name, shape), effect in shared.items())
    first = ordered[0][2]
    return RegionCurves(time_s, tuple(names), means, own, causes, n_px, first.limb, first.view, tuple(drawn))


@dataclass(frozen=True, eq=False)
class _Binned:
    time_s: Floats
    mean_c: Floats
    frames: Floats


class _Sampler:
    """Samples one limb's regions from frames: the pixels of each region, one region's after the other's."""

    def __init__(self, limb: LimbMotion, items: Sequence[Region]) -> None:
        self.limb, self.items = limb, tuple(items)
        found = [np.flatnonzero(item.mask) for item in items]
        self.pixels = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
        self.sizes = np.array([len(pixels) for pixels in found])
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(np.int64)

    def back(self, frame: NDArray[np.float32], place: int) -> NDArray[np.float32]:
        """The frame as it would be if the limb had not moved; NaN beyond its edges."""
        matrix = self.limb.transforms[place]
        if self.limb.reasons[place] or np.abs(matrix - np.eye(2, 3)).max() < 1e-6:
            return frame
        rows, columns = frame.shape
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(
            frame, matrix, (columns, rows), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=float("nan")
        )
        return np.asarray(moved, dtype=np.float32)

    def means(self, back: NDArray[np.float32], place: int) -> Floats:
        """Mean of each region, NaN where too little of it has a temperature."""
        if self.limb.reasons[place]:
            return np.full(len(self.items), np.nan)
        values = back.ravel()[self.pixels].astype(np.float64)
        known = np.isfinite(values)
        if known.all():
            return np.asarray(np.add.reduceat(values, self.starts) / self.sizes)
        count = np.add.reduceat(known.astype(np.float64), self.starts)
        total = np.add.reduceat(np.where(known, values, 0.0), self.starts)
        enough = (count >= LEAST_SEEN * self.sizes) & (count > 0)
        return np.where(enough, total / np.maximum(count, 1), np.nan)


class _Room:
    """What of a frame is neither foot nor hand, thinned out: how the picture as a whole moves."""

    def __init__(self, regions: Regions) -> None:
        limbs = np.any([item.mask for item in regions.found], axis=0)
        reach = 2 * round(0.04 * hypot(*regions.shape)) + 1
        near = cv2.dilate(limbs.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
        away: Mask = ~near[::_STEP_PX, ::_STEP_PX]
        self.pixels = np.flatnonzero(away)
        self.first: NDArray[np.float32] | None = None

    def level(self, frame: NDArray[np.float32]) -> float:
        """By how much the room is off the first frame, °C; NaN where too little of it is in view."""
        if self.pixels.size < _LEAST_ROOM_PX:
            return float("nan")
        values = frame[::_STEP_PX, ::_STEP_PX].ravel()[self.pixels]
        if not np.isfinite(values).all():
            return float("nan")
        self.first = values.copy() if self.first is None else self.first
        return float(np.median(values - self.first))


def _check(array: xr.DataArray, regions: Regions, motion: Motion, offsets: ReferenceOffsets | None) -> None:
    if array.dims != ("time", "y", "x"):
        raise InvalidInputError(
            f"recording: expected dims (time, y, x); found {array.dims}. For stills use still_curves"
        )
    if regions.shape != array.shape[1:]:
        raise InvalidInputError(f"regions: expected the frames' shape {array.shape[1:]}; found {regions.shape}")
    if motion.frames.size == 0 or int(motion.frames[-1]) >= array.sizes["time"]:
        raise InvalidInputError(
            f"motion: expected frames of this recording, 0 to {array.sizes['time'] - 1}; found {motion.frames.tolist()}"
        )
    if offsets is not None and offsets.offset_c.shape != motion.frames.shape:
        raise InvalidInputError(
            f"offsets: expected one for each of the {motion.frames.size} frames looked at; "
            f"found {offsets.offset_c.size}"
        )


def _measured(regions: Regions) -> list[Region]:
    """The regions that get a curve: those found, large enough, neither whole limbs nor overlapping angiosomes."""
    return [
        item
        for side in SIDES
        for item in regions.found
        if item.side == side
        and item.region not in (*ANGIOSOMES, *WHOLE_LIMBS)
        and np.count_nonzero(item.mask) >= MIN_REGION_PX
    ]


def _anchors(samplers: Sequence[_Sampler], count: int) -> tuple[int, ...]:
    """Places at which every limb was followed, evenly spread, the first and last among them."""
    good = np.flatnonzero(np.all([sampler.limb.followed for sampler in samplers], axis=0))
    if good.size == 0:
        good = np.flatnonzero(np.any([sampler.limb.followed for sampler in samplers], axis=0))
    if good.size == 0:
        raise InvalidInputError(
            f"motion: expected at least one frame in which a limb was followed; found none of {count}. "
            "Look at the recording: is the limb in view and in focus?"
        )
    chosen = good[np.unique(np.linspace(0, good.size - 1, ANCHORS).round().astype(int))]
    return tuple(int(place) for place in chosen)


def _without_jumps(
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


def _drift_causes(
    drift_c: Floats, offsets: ReferenceOffsets | None, frame_s: Floats, time_s: Floats, regions: int
) -> Iterator[tuple[str, Shape, Floats]]:
    if offsets is not None:
        smallest = float(np.min(offsets.own_u_c))
        wander = np.sqrt(np.maximum(offsets.own_u_c**2 - smallest**2, 0.0))
        if wander.any():
            yield "reference's drift", "normal", np.tile(np.interp(time_s, frame_s, wander), (regions, 1))
        return
    if drift_c.any():
        effect = np.interp(time_s, frame_s, drift_c / REACH["rectangular"])
        yield "drift within the recording", "rectangular", np.tile(effect, (regions, 1))


def _spikes(means: Floats, time_s: Floats) -> NDArray[np.bool_]:
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


def _binned(time_s: Floats, means: Floats) -> _Binned:
    if time_s.size < 3 or float(np.median(np.diff(time_s))) >= BIN_S / 2:
        return _Binned(time_s, means, np.isfinite(means).astype(np.float64))
    _, which = np.unique(np.floor(time_s / BIN_S), return_inverse=True)
    count = int(which.max()) + 1
    frames = np.stack([np.bincount(which, np.isfinite(row), count) for row in means]).astype(np.float64)
    total = np.stack([np.bincount(which, np.nan_to_num(row), count) for row in means])
    middle = np.asarray(np.bincount(which, time_s, count) / np.bincount(which, minlength=count), dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _Binned(middle, np.where(frames > 0, total / frames, np.nan), frames)


def _noise(binned: _Binned, budgets: Sequence[Sequence[RegionBudget]], anchor_s: Floats) -> Floats:
    """Per value: the larger of what pixels and motion explain, and of what the curve itself shows."""
    noise = np.empty_like(binned.mean_c)
    for row in range(len(noise)):
        told = [hypot(at[row].noise_c, MOTION_PX * at[row].per_px_c) for at in budgets]
        frames = np.maximum(binned.frames[row], 1.0)
        noise[row] = np.maximum(np.interp(binned.time_s, anchor_s, told) / np.sqrt(frames), _shown_noise(binned, row))
    return np.where(np.isfinite(binned.mean_c), noise, np.nan)


def _shown_noise(binned: _Binned, row: int) -> float:
    """Standard deviation from third differences, to which a smooth course does not answer; 0 where too few."""
    values = binned.mean_c[row][np.isfinite(binned.mean_c[row])]
    times = binned.time_s[np.isfinite(binned.mean_c[row])]
    if values.size < 16:
        return 0.0
    gaps = np.diff(times)
    even = np.abs(gaps - np.median(gaps)) < 0.2 * np.median(gaps)
    thirds = np.diff(values, 3)[np.lib.stride_tricks.sliding_window_view(even, 3).all(axis=1)]
    return float(1.4826 * np.median(np.abs(thirds)) / sqrt(20.0)) if thirds.size >= 8 else 0.0


def _over_time(effect: Floats, times: int) -> Floats:
    return np.tile(effect[:, None], (1, times)) if effect.ndim == 1 else effect


def _left_out(motion: Motion) -> Iterator[str]:
    for side in motion.limbs:
        counts = motion.left_out(side)
        if counts:
            words = ", ".join(f"{counts[reason]} {reason}" for reason in REASONS if reason in counts)
            total = sum(counts.values())
            yield f"{side}: {total} of {len(motion.frames)} frames left out ({words})"


def _spike_words(items: Sequence[Region], spikes: NDArray[np.bool_]) -> Iterator[str]:
    for item, row in zip(items, spikes, strict=True):
        if row.any():
            yield f"{item.side} {item.region}: {int(row.sum())} of {row.size} frames left out ({COVERED})"
