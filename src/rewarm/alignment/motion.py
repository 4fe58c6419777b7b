"""Limbs followed through a recording, frame by frame, while they change their temperature."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.alignment.appearance import limb_appearance, limb_mask
from rewarm.alignment.tracker import Seen, Tracker
from rewarm.errors import InvalidInputError
from rewarm.motion import BLURRED, COVERED, LOST, OUTSIDE, LimbMotion, Motion
from rewarm.regions import ANGIOSOMES, SIDES, WHOLE_LIMBS, Region, Regions

Frame = NDArray[np.float32]
Finder = Callable[[Frame], Regions]
"""Finds the regions of one frame (y, x), °C."""

BLOCK_PIXELS: Final = 8 * 1024**2
"""About how many pixels are in memory at once: 32 MiB of float32."""
CHUNK_FRAMES: Final = 30
"""Recordings are stored in chunks of so many frames: blocks of whole ones are not read twice."""
GROWN_PX: Final = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
"""By how much outlines are tried larger or smaller against the reference frame, px."""
BETTER: Final = 0.95
"""Outlines are moved where the frame is explained so much better: a limb as warm as the room tells nothing of them."""
ANCHOR_EVERY_S: Final = 120.0
ASK_AGAIN_FRAMES: Final = 5
"""While a limb is lost, the finder is asked in every fifth frame."""
ANCHOR_PX: Final = 4.0
ANCHOR_SIGMAS: Final = 3.0
"""A finder's own outlines wander by a pixel or two; beyond this it is believed, and not the tracking."""


def follow_motion(
    recording: xr.Dataset,
    regions: Regions,
    *,
    reference: int,
    frames: NDArray[np.int64] | None = None,
    find: Finder | None = None,
) -> Motion:
    """Follow each limb of ``regions`` through a recording (time, y, x), both ways from frame ``reference``.

    ``regions`` were found in frame ``reference``. ``frames`` (ascending indices, ``reference`` among them) are looked
    at; all where it is None. Each side's limb moves for itself, by a rotation and a shift. What changes with its
    temperature is not taken for motion (:mod:`rewarm.alignment.appearance`). ``find``, where given, anchors the
    tracking anew: every two minutes it is asked whether the limb is still where it was followed to, and where it is
    lost, where it is now. About 32 MiB of frames are in memory.

    Raises :class:`rewarm.errors.InvalidInputError` where regions and recording do not fit, no limb was found, or
    ``reference`` is not among ``frames``.
    """
    array = recording["temperature"]
    _check(array, regions)
    chosen = np.arange(array.sizes["time"], dtype=np.int64) if frames is None else np.asarray(frames, dtype=np.int64)
    at = int(np.searchsorted(chosen, reference))
    if at == len(chosen) or chosen[at] != reference:
        raise InvalidInputError(f"reference: expected one of the frames looked at; found {reference}")
    time_s = recording["time"].to_numpy().astype(np.float64)[chosen]
    first = array.isel(time=int(reference)).to_numpy().astype(np.float32)
    sides = [side for side in SIDES if limb_mask(regions, side).any()]
    if not sides:
        raise InvalidInputError(
            "regions: expected at least one region that was found; found none. Draw them, or find them in another frame"
        )
    seen: dict[str, list[Seen | None]] = {side: [None] * len(chosen) for side in sides}
    matrices: dict[str, NDArray[np.float64]] = {side: np.tile(np.eye(2, 3), (len(chosen), 1, 1)) for side in sides}
    for places in (np.arange(at, len(chosen)), np.arange(at - 1, -1, -1)):
        followers = {side: _Follower(_begun(regions, side, first), regions, side, find) for side in sides}
        before_s = time_s[at]
        for place, frame in _one_by_one(array, chosen, places):
            for side, follower in followers.items():
                found, matrices[side][place] = follower.follow(frame, float(time_s[place] - before_s))
                seen[side][place] = found
            before_s = time_s[place]
    limbs = {side: _limb(matrices[side], [item for item in seen[side] if item is not None]) for side in sides}
    return Motion(chosen, int(reference), limbs)


def carried_regions(regions: Regions, motion: Motion, frame: int) -> Regions:
    """The regions as they lie in frame ``frame``, for showing; of sides that were not followed there, nothing.

    Raises :class:`rewarm.errors.InvalidInputError` where the frame was not looked at.
    """
    place = int(np.searchsorted(motion.frames, frame))
    if place == len(motion.frames) or motion.frames[place] != frame:
        raise InvalidInputError(f"frame: expected one of the {len(motion.frames)} frames looked at; found {frame}")
    items = []
    for item in regions.items:
        limb = motion.limbs.get(item.side)
        if limb is None or limb.reasons[place]:
            reason = "not followed" if limb is None else f"frame left out: {limb.reasons[place]}"
            items.append(replace(item, mask=np.zeros_like(item.mask), confidence=0.0, reason=reason))
        else:
            items.append(replace(item, mask=_carried(item, limb.transforms[place])))
    landmarks = {
        name: _carried_point(point, motion.limbs[side].transforms[place])
        for name, point in regions.landmarks.items()
        if (side := name.split("_", maxsplit=1)[0]) in motion.limbs and not motion.limbs[side].reasons[place]
    }
    return replace(regions, items=tuple(items), landmarks=landmarks)


class _Follower:
    """One limb's tracker, with the finder that helps it."""

    def __init__(self, tracker: Tracker, regions: Regions, side: str, find: Finder | None) -> None:
        self.tracker, self.regions, self.side, self.find = tracker, regions, side, find
        self.since_anchor_s, self.lost = 0.0, 0

    def follow(self, frame: Frame, step_s: float) -> tuple[Seen, NDArray[np.float64]]:
        """What the frame told, and the motion from the reference to it, in the picture's pixels."""
        seen = self.tracker.follow(frame, step_s)
        self.since_anchor_s += abs(step_s)
        if seen.reason in (LOST, COVERED, BLURRED, OUTSIDE):
            if self.find is not None and self.lost % ASK_AGAIN_FRAMES == 0:
                seen = self._anchored(frame, seen, step_s)
            self.lost = self.lost + 1 if seen.reason else 0
        elif not seen.reason:
            self.lost = 0
            if self.find is not None and self.since_anchor_s >= ANCHOR_EVERY_S:
                self.since_anchor_s = 0.0
                seen = self._anchored(frame, seen, step_s)
        return seen, self.tracker.in_picture(seen.matrix)

    def _anchored(self, frame: Frame, seen: Seen, step_s: float) -> Seen:
        assert self.find is not None
        anchor = _anchor(self.regions, self.find(frame), self.side)
        if anchor is None:
            return seen
        motion, centres, spread_px = anchor
        followed = self.tracker.in_picture(seen.matrix)
        apart_px = float(np.hypot(*((motion - followed) @ np.vstack([centres.T, np.ones(len(centres))]))).mean())
        if not seen.reason and apart_px <= max(ANCHOR_PX, ANCHOR_SIGMAS * spread_px):
            return seen
        self.tracker.matrix = self.tracker.of_picture(motion)
        again = self.tracker.follow(frame, step_s)
        if again.reason:  # the limb is not there either: a finder may be wrong, too
            self.tracker.matrix = seen.matrix.copy()
            return seen
        return again


def _check(array: xr.DataArray, regions: Regions) -> None:
    if array.dims != ("time", "y", "x"):
        raise InvalidInputError(f"recording: expected dims (time, y, x); found {array.dims}. A still does not move")
    if regions.shape != array.shape[1:]:
        raise InvalidInputError(
            f"regions: expected the frames' shape (y, x) = {array.shape[1:]}; found {regions.shape}. "
            "Find or draw the regions on a frame of this recording"
        )


def _begun(regions: Regions, side: str, first: Frame) -> Tracker:
    """A tracker that has learned the reference frame, its outlines moved onto the limb."""
    tried: dict[float, tuple[float, Tracker]] = {}

    def left_c(grow_px: float) -> float:
        appearance = limb_appearance(regions, side, grow_px=grow_px)
        assert appearance is not None
        tracker = Tracker(appearance)
        tried[grow_px] = tracker.begin(first), tracker
        return tried[grow_px][0]

    lefts = np.array([left_c(grow_px) for grow_px in GROWN_PX]) ** 2
    at = int(lefts.argmin())
    if 0 < at < len(lefts) - 1:  # what is left is a parabola of how far the outline is off
        before, here, after = lefts[at - 1 : at + 2]
        if (bend := before - 2.0 * here + after) > 0.0:
            left_c(float(GROWN_PX[at] + 0.5 * (before - after) / bend))
    best, as_drawn = min(tried.values(), key=lambda item: item[0]), tried[0.0]
    return (best if best[0] < BETTER * as_drawn[0] else as_drawn)[1]


def _one_by_one(
    array: xr.DataArray, chosen: NDArray[np.int64], places: NDArray[np.int64]
) -> Iterator[tuple[int, Frame]]:
    """The frames at ``places`` of ``chosen``, one after the other, read in blocks in ascending order."""
    size = max(1, BLOCK_PIXELS // max(1, array.sizes["y"] * array.sizes["x"]))
    if size > CHUNK_FRAMES // 2:
        size = CHUNK_FRAMES * round(size / CHUNK_FRAMES)
    for part in np.split(places, np.flatnonzero(np.diff(places // size)) + 1):
        ascending = np.sort(part)
        block: NDArray[Any] = array.isel(time=chosen[ascending]).to_numpy()
        for place in part:
            yield int(place), block[int(place) - int(ascending[0])].astype(np.float32, copy=False)


def _limb(matrices: NDArray[np.float64], seen: list[Seen]) -> LimbMotion:
    return LimbMotion(
        matrices, tuple(item.reason for item in seen), np.array([item.likeness for item in seen], dtype=np.float64)
    )


def _carried(item: Region, matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    rows, columns = item.mask.shape
    moved = cv2.warpAffine(item.mask.astype(np.float32), matrix, (columns, rows), flags=cv2.INTER_LINEAR)
    return np.asarray(moved > 0.5)


def _carried_point(point: tuple[float, float], matrix: NDArray[np.float64]) -> tuple[float, float]:
    """Landmarks are in pixel-edge coordinates, transforms in those of pixels' centres."""
    x, y = matrix @ np.array([point[0] - 0.5, point[1] - 0.5, 1.0])
    return float(x) + 0.5, float(y) + 0.5


def _anchor(
    regions: Regions, found: Regions, side: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], float] | None:
    """Rotation and shift from the reference's regions to those found: matrix (2, 3), centres (n, 2), spread in px.

    From the centres of the regions that both have, weighted alike (Procrustes; Arun, Huang and Blostein 1987, doi
    10.1109/TPAMI.1987.4767965). None with fewer than three.
    """
    pairs = []
    for item in regions.found:
        other = found.get(side, item.region)
        if item.side != side or item.region in (*ANGIOSOMES, *WHOLE_LIMBS) or other is None or not other.found:
            continue
        pairs.append((_centre(item), _centre(other)))
    if len(pairs) < 3:
        return None
    here, there = (np.array([pair[k] for pair in pairs]) for k in (0, 1))
    u, _, vt = np.linalg.svd((here - here.mean(axis=0)).T @ (there - there.mean(axis=0)))
    turned = vt.T @ np.diag([1.0, np.sign(np.linalg.det(vt.T @ u.T))]) @ u.T
    shift = there.mean(axis=0) - turned @ here.mean(axis=0)
    matrix = np.column_stack([turned, shift])
    off = there - (here @ turned.T + shift)
    return matrix, here, float(np.sqrt((off**2).sum() / (2 * len(pairs) - 3)))


def _centre(item: Region) -> tuple[float, float]:
    y, x = np.nonzero(item.mask)
    return float(x.mean()), float(y.mean())
