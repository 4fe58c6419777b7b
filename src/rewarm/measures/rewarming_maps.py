"""Maps of a rewarming, pixel by pixel: when the rise begins, how fast it is, when half of it is done.

Every pixel gets T = start + rise·(1 − e^(−(t − onset)/τ)) after its onset, by least squares. For given onset and τ the
levels follow by linear algebra (variable projection: Golub and Pereyra 1973, doi 10.1137/0710036), so that a grid of
onsets and τ is one product of matrices over all pixels, and the refinement has two unknowns a pixel, solved in closed
form for many pixels at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import log
from typing import Final

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.measures.frames import evenly_spread, frame_blocks
from rewarm.motion import LimbMotion, Motion
from rewarm.regions import ANGIOSOMES, Mask, Regions

Floats = NDArray[np.float32]

CHUNK_PX: Final = 4096
"""Pixels at a time: what is computed of them stays in a core's cache."""
MOST_THREADS: Final = 2
ONSETS: Final = 12
TAUS: Final = 12
LATEST: Final = 0.7
"""Onsets are looked for in this share of the recording: a later rise cannot be told from noise."""
REFINEMENTS: Final = 8
SETTLED: Final = 2e-4
"""Steps of an onset under this share of the recording (0.2 s of 15 min), and of log τ under ten times it, are none."""
LEAST_RISE_C: Final = 0.5
RISE_SIGMAS: Final = 3.0
MOST_MISSING: Final = 0.2
"""A pixel without a temperature in more than this share of the frames is left out; else neighbours in time fill in."""
FEWEST_FRAMES: Final = 6


@dataclass(frozen=True, eq=False)
class RewarmingMaps:
    """All float32 (y, x), in the geometry of the reference frame; NaN outside the limbs.

    ``lag_s`` from the end of the immersion until the rise begins; ``rate_c_per_min`` at the begin of the rise;
    ``half_time_s`` from the begin of the rise until half of it is done, NaN where that lies beyond the recording's
    end; ``start_c`` and ``rise_c`` the fitted temperature before the rise and how far it goes; ``residual_c`` what the
    fit leaves (standard deviation). All but ``start_c`` and ``residual_c`` are NaN where nothing rose by 0.5 °C, or by
    three times what the fit leaves, before the end. ``missing`` says which limbs have none, and why.
    """

    lag_s: Floats
    rate_c_per_min: Floats
    half_time_s: Floats
    start_c: Floats
    rise_c: Floats
    residual_c: Floats
    missing: tuple[str, ...] = ()


def rewarming_maps(
    recording: xr.Dataset,
    regions: Regions,
    motion: Motion,
    *,
    start_s: float = 0.0,
    most_frames: int = 180,
) -> RewarmingMaps:
    """Maps over all pixels of the limbs, from at most ``most_frames`` frames, each moved back onto the reference.

    ``start_s`` is when the recording's first frame was taken, in seconds since the end of the immersion; frames before
    that end do not count. In memory are the limbs' pixels of the frames chosen, and a few whole frames.

    A limb of which fewer than six frames were followed after the immersion has no maps: NaN, and a word in
    :attr:`RewarmingMaps.missing`.
    """
    array = recording["temperature"]
    times = recording["time"].to_numpy().astype(np.float64)
    time_s = start_s + times[motion.frames] - times[0]
    shape = (int(array.sizes["y"]), int(array.sizes["x"]))
    found = np.full((6, *shape), np.nan, dtype=np.float32)
    missing: list[str] = []
    for side, limb in motion.limbs.items():
        mask = np.zeros(shape, dtype=np.bool_)
        for item in regions.found:
            if item.side == side and item.region not in ANGIOSOMES:
                mask |= item.mask
        places = evenly_spread(np.flatnonzero(limb.followed & (time_s >= 0.0)).astype(np.int64), most_frames)
        if places.size < FEWEST_FRAMES:
            missing.append(
                f"{side}: no maps, because the limb was followed in {places.size} frames after the immersion; "
                f"{FEWEST_FRAMES} are needed"
            )
            continue
        values = np.stack(list(_limb_pixels(array, motion, limb, places, mask)))
        found[:, mask] = _fitted(time_s[places], values)
    return replace(RewarmingMaps(*found), missing=tuple(missing))


def pixel_maps(time_s: NDArray[np.float64], temperature_c: Floats, mask: Mask | None = None) -> RewarmingMaps:
    """The same from frames (time, y, x), °C, that are in memory and do not move; of all pixels without a ``mask``.

    ``time_s`` (time,) ascends, in seconds since the end of the immersion. Raises :class:`InvalidInputError` for shapes
    that do not fit, or fewer than six frames.
    """
    if temperature_c.ndim != 3 or time_s.shape != temperature_c.shape[:1] or time_s.size < FEWEST_FRAMES:
        raise InvalidInputError(
            f"temperature_c: expected (time, y, x) of {FEWEST_FRAMES} frames or more, with a time for each; "
            f"found {temperature_c.shape} and {time_s.size} times"
        )
    shape = temperature_c.shape[1:]
    inside = np.ones(shape, dtype=np.bool_) if mask is None else mask
    found = np.full((6, *shape), np.nan, dtype=np.float32)
    if mask is None:
        found[:] = _fitted(time_s, temperature_c.reshape(len(time_s), -1)).reshape(6, *shape)
    else:
        found[:, inside] = _fitted(time_s, temperature_c[:, inside])
    return RewarmingMaps(*found)


def _limb_pixels(
    array: xr.DataArray, motion: Motion, limb: LimbMotion, places: NDArray[np.int64], mask: Mask
) -> Iterator[Floats]:
    """The limb's pixels in each of the chosen frames, moved back onto the reference: (pixels,)."""
    rows, columns = mask.shape
    number = 0
    for block in frame_blocks(array, motion.frames[places]):
        for frame in block:
            back = cv2.warpAffine(
                frame.astype(np.float32), limb.transforms[places[number]], (columns, rows),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT, borderValue=float("nan"),
            )  # fmt: skip
            yield np.asarray(back, dtype=np.float32)[mask]
            number += 1


def _fitted(time_s: NDArray[np.float64], values: Floats) -> Floats:
    """The six maps' values, float32 (6, pixels), of ``values`` (time, pixels)."""
    t = time_s.astype(np.float32)
    onsets, taus, projector = _grid(t)
    found = np.full((6, values.shape[1]), np.nan, dtype=np.float32)

    def fit(first: int) -> None:
        part = slice(first, first + CHUNK_PX)
        y = np.ascontiguousarray(values[:, part])
        usable = _filled(t, y)
        if usable.any():
            kept = y if usable.all() else np.ascontiguousarray(y[:, usable])
            found[:, part][:, usable] = _fitted_chunk(t, kept, onsets, taus, projector)

    with ThreadPoolExecutor(MOST_THREADS) as pool:  # NumPy lets go of the interpreter while it computes
        for _ in pool.map(fit, range(0, values.shape[1], CHUNK_PX)):
            pass
    return found


def _grid(t: Floats) -> tuple[Floats, Floats, Floats]:
    """Onsets and τ (shapes,), and their curves, centred and of unit length, (shapes, time)."""
    span = float(t[-1] - t[0])
    step = float(np.median(np.diff(t)))
    onset_axis = t[0] + span * np.linspace(0.0, LATEST, ONSETS)
    tau_axis = np.geomspace(max(step, 0.01 * span), 1.5 * span, TAUS)
    onsets, taus = (axis.ravel() for axis in np.meshgrid(onset_axis, tau_axis, indexing="ij"))
    curves = -np.expm1(-np.maximum(t[None, :] - onsets[:, None], 0.0) / taus[:, None])
    curves -= curves.mean(axis=1, keepdims=True)
    curves /= np.linalg.norm(curves, axis=1, keepdims=True)
    return onsets.astype(np.float32), taus.astype(np.float32), curves.astype(np.float32)


def _filled(t: Floats, y: Floats) -> NDArray[np.bool_]:
    """Which pixels (columns) are usable; gaps in these are filled in place, linearly in time."""
    missing = ~np.isfinite(y)
    if not missing.any():
        return np.ones(y.shape[1], dtype=np.bool_)
    usable = np.asarray(missing.mean(axis=0) <= MOST_MISSING)
    for column in np.flatnonzero(usable & missing.any(axis=0)):
        known = ~missing[:, column]
        y[~known, column] = np.interp(t[~known], t[known], y[known, column])
    return usable


def _fitted_chunk(t: Floats, y: Floats, onsets: Floats, taus: Floats, projector: Floats) -> Floats:
    level = y.mean(axis=0)
    y = y - level
    scores = projector @ y
    best = scores.argmax(axis=0)
    span = float(t[-1] - t[0])
    low_tau, high_tau = log(0.3 * float(taus.min())), log(5.0 * span)
    onset, log_tau = onsets[best], np.log(taus[best])
    square = np.einsum("tp,tp->p", y, y)
    state = _state(t, y, square, onset, log_tau)
    moving = np.arange(y.shape[1])
    part, here = state, y
    for _ in range(REFINEMENTS):
        near_onset, near_tau = onset[moving], log_tau[moving]
        trial_onset = np.clip(near_onset + part.step_onset, t[0], t[0] + LATEST * span).astype(np.float32)
        trial_tau = np.clip(near_tau + np.clip(part.step_tau, -1.0, 1.0), low_tau, high_tau).astype(np.float32)
        trial = _state(t, here, square[moving], trial_onset, trial_tau)
        better = trial.squares < part.squares
        onset[moving] = np.where(better, trial_onset, near_onset)
        log_tau[moving] = np.where(better, trial_tau, near_tau)
        part = _kept(part, trial, better)
        for name in ("start", "rise", "squares"):
            getattr(state, name)[moving] = getattr(part, name)
        far = (np.abs(part.step_onset) > SETTLED * span) | (np.abs(part.step_tau) > 10.0 * SETTLED)
        if not far.any():
            break
        if far.mean() < 0.7:  # the others have settled: no more work on these
            moving, here = moving[far], np.ascontiguousarray(here[:, far])
            part = _State(*(getattr(part, name)[far] for name in _STATE))
    tau = np.exp(log_tau)
    residual = np.sqrt(np.maximum(state.squares, 0.0) / max(len(t) - 4, 1))
    seen = state.rise * -np.expm1(-(t[-1] - onset) / tau)  # of the rise, what the recording shows
    rose = (seen >= np.maximum(LEAST_RISE_C, RISE_SIGMAS * residual)) & np.isfinite(state.rise)
    half = tau * np.float32(log(2.0))
    halved = rose & (onset + half <= t[-1])
    nothing = np.float32(np.nan)
    return np.stack(
        [
            np.where(rose, np.maximum(onset, 0.0), nothing),
            np.where(rose, 60.0 * state.rise / tau, nothing),
            np.where(halved, half, nothing),
            level + state.start,
            np.where(rose, state.rise, nothing),
            residual,
        ]
    ).astype(np.float32)


@dataclass(frozen=True, eq=False)
class _State:
    """Of each pixel at its onset and τ: the levels, the squares that are left, and the next step."""

    start: Floats
    rise: Floats
    squares: Floats
    step_onset: Floats
    step_tau: Floats


_STATE: Final = ("start", "rise", "squares", "step_onset", "step_tau")


def _kept(old: _State, new: _State, better: NDArray[np.bool_]) -> _State:
    """The new state where it is better; elsewhere the old one, with a quarter of its step."""
    return _State(
        np.where(better, new.start, old.start),
        np.where(better, new.rise, old.rise),
        np.where(better, new.squares, old.squares),
        np.where(better, new.step_onset, 0.25 * old.step_onset),
        np.where(better, new.step_tau, 0.25 * old.step_tau),
    )


def _state(t: Floats, y: Floats, square: Floats, onset: Floats, log_tau: Floats) -> _State:
    """Levels by linear algebra, and Gauss–Newton's step in onset and log τ, projected off the levels (Kaufman 1975).

    ``y`` (time, pixels) has mean zero in time, so that the start's level is −rise·mean(b).
    """
    count = np.float32(len(t))
    since = t[:, None] - onset
    np.maximum(since, 0.0, out=since)
    after = since > 0.0
    since /= np.exp(log_tau)
    fall = np.exp(-since)
    b = 1.0 - fall
    by_tau = -(since * fall)
    by_onset = np.where(after, fall, np.float32(0.0))
    mean_b, mean_o, mean_t = b.mean(axis=0), by_onset.mean(axis=0), by_tau.mean(axis=0)

    def centred(one: Floats, other: Floats, mean_one: Floats, mean_other: Floats) -> NDArray[np.float64]:
        products = np.einsum("tp,tp->p", one, other).astype(np.float64)
        return np.asarray(products - float(count) * mean_one * mean_other)

    bb = np.maximum(centred(b, b, mean_b, mean_b), 1e-9)
    by = np.einsum("tp,tp->p", b, y).astype(np.float64)
    rise = np.maximum(by / bb, 0.0)
    squares = square - rise * (2.0 * by - rise * bb)
    bo, bt = centred(b, by_onset, mean_b, mean_o), centred(b, by_tau, mean_b, mean_t)
    oo = centred(by_onset, by_onset, mean_o, mean_o) - bo * bo / bb
    tt = centred(by_tau, by_tau, mean_t, mean_t) - bt * bt / bb
    ot = centred(by_onset, by_tau, mean_o, mean_t) - bo * bt / bb
    yo = np.einsum("tp,tp->p", by_onset, y) - rise * bo
    yt = np.einsum("tp,tp->p", by_tau, y) - rise * bt
    oo, tt = np.maximum(oo, 1e-9) * 1.0001, np.maximum(tt, 1e-9) * 1.0001
    determinant = np.maximum(oo * tt - ot * ot, 1e-6 * oo * tt)
    scale = np.maximum(rise, 1e-6)
    step_o = (tt * yo - ot * yt) / determinant / scale
    step_t = (oo * yt - ot * yo) / determinant / scale
    tau = np.exp(log_tau)
    return _State(
        (-rise * mean_b).astype(np.float32),
        rise.astype(np.float32),
        squares.astype(np.float32),
        np.clip(-tau * step_o, -tau, tau).astype(np.float32),
        step_t.astype(np.float32),
    )
