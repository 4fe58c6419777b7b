"""Recording or stills, and regions → temperature curves, with everything they may be off by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.measures.assumptions import DEFAULT_ASSUMPTIONS, Assumptions
from rewarm.measures.budget import REACH, Shape
from rewarm.measures.curve_faults import binned_means, curve_noise, spikes_in, without_jumps
from rewarm.measures.frames import frame_blocks
from rewarm.measures.reference import ReferenceOffsets
from rewarm.measures.region_sampling import Room, Sampler, anchor_places, measured_regions
from rewarm.measures.rewarming_budget import RegionBudget, non_uniformity_causes, region_budgets, shared_causes
from rewarm.measures.uncertainty import picture_parts
from rewarm.motion import COVERED, REASONS, Motion
from rewarm.regions import SIDES, Region, Regions
from rewarm.thermogram import temperature_c

Floats = NDArray[np.float64]


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
    items = [item for item in measured_regions(regions) if item.side in motion.limbs]
    samplers = [
        Sampler(motion.limbs[side], [item for item in items if item.side == side])
        for side in SIDES
        if any(item.side == side for item in items)
    ]
    items = [item for sampler in samplers for item in sampler.items]
    if not items:
        raise InvalidInputError("regions: expected at least one region of a limb that was followed; found none")
    times_s = recording["time"].to_numpy().astype(np.float64)
    time_s = start_s + times_s[motion.frames] - times_s[0]
    anchors = anchor_places(samplers, len(motion.frames))
    room = Room(regions)
    means = np.full((len(items), len(motion.frames)), np.nan)
    levels = np.full(len(motion.frames), np.nan)
    budgets: list[list[RegionBudget]] = []
    place = 0
    for block in frame_blocks(array, motion.frames):
        for frame in block:
            picture = np.asarray(frame, dtype=np.float32)
            means[:, place] = np.concatenate([sampler.means(picture, place) for sampler in samplers])
            levels[place] = room.level(picture)
            if place in anchors:
                budgets.append(
                    [
                        found
                        for sampler in samplers
                        for found in region_budgets(
                            sampler.back(picture, place), sampler.items, recording.attrs, assumptions
                        )
                    ]
                )
            place += 1
    jumps: tuple[int, ...] = ()
    if offsets is not None:
        means, drift_c = means + offsets.offset_c, np.zeros_like(time_s)
    else:
        means, drift_c, jumps = without_jumps(means, levels, time_s, assumptions)
    spikes = spikes_in(means, time_s)
    means[spikes] = np.nan
    binned = binned_means(time_s, means)
    n_px = np.array([int(np.count_nonzero(item.mask)) for item in items], dtype=np.int64)
    noise_c = curve_noise(binned, budgets, time_s[np.array(anchors)])
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
    names = list(dict.fromkeys((r.side, r.region) for _, _, regions in ordered for r in measured_regions(regions)))
    if not names:
        raise InvalidInputError("stills: expected at least one region that was found; found none")
    means = np.full((len(names), len(ordered)), np.nan)
    own = np.full_like(means, np.nan)
    shared: dict[tuple[str, Shape], Floats] = {}
    n_px = np.zeros(len(names), dtype=np.int64)
    drawn = [""] * len(names)
    for column, (_, still, regions) in enumerate(ordered):
        temperature = np.asarray(temperature_c(still), dtype=np.float32)
        items = measured_regions(regions)
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
