"""Regions sampled from the frames of a recording in which their limbs move."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.measures.regional import MIN_REGION_PX
from rewarm.motion import LimbMotion
from rewarm.regions import ANGIOSOMES, SIDES, WHOLE_LIMBS, Mask, Region, Regions

Floats = NDArray[np.float64]

ANCHORS: Final = 6
"""At how many frames, evenly spread, the budget is worked out; between them it is interpolated."""
LEAST_SEEN: Final = 0.9
"""A region counts where at least this share of its pixels has a temperature."""
_STEP_PX: Final = 8
_LEAST_ROOM_PX: Final = 100


class Sampler:
    """Samples one limb's regions from frames: the pixels of each region, one region's after the other's."""

    def __init__(self, limb: LimbMotion, items: Sequence[Region]) -> None:
        """``items`` are regions of this limb, in the reference frame."""
        self.limb, self.items = limb, tuple(items)
        found = [np.flatnonzero(item.mask) for item in items]
        self.pixels = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
        self.sizes = np.array([len(pixels) for pixels in found])
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(np.int64)
        rows, columns = np.divmod(self.pixels, items[0].mask.shape[1])
        self.box = (slice(int(rows.min()), int(rows.max()) + 1), slice(int(columns.min()), int(columns.max()) + 1))
        self.inside = (rows - rows.min()) * (self.box[1].stop - self.box[1].start) + columns - columns.min()

    def back(self, frame: NDArray[np.float32], place: int) -> NDArray[np.float32]:
        """The frame as it would be if the limb had not moved; NaN beyond its edges."""
        return self._back(frame, place, (slice(0, frame.shape[0]), slice(0, frame.shape[1])))

    def _back(self, frame: NDArray[np.float32], place: int, box: tuple[slice, slice]) -> NDArray[np.float32]:
        """A part of :meth:`back`: these rows and columns of it."""
        matrix = self.limb.transforms[place].copy()
        if self.limb.reasons[place] or np.abs(matrix - np.eye(2, 3)).max() < 1e-6:
            return frame[box]
        matrix[:, 2] += matrix[:, :2] @ np.array([box[1].start, box[0].start])
        size = (box[1].stop - box[1].start, box[0].stop - box[0].start)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(
            frame, matrix, size, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=float("nan")
        )
        return np.asarray(moved, dtype=np.float32)

    def means(self, frame: NDArray[np.float32], place: int) -> Floats:
        """Mean of each region in a frame, NaN where too little of it has a temperature."""
        if self.limb.reasons[place]:
            return np.full(len(self.items), np.nan)
        values = self._back(frame, place, self.box).ravel()[self.inside].astype(np.float64)
        known = np.isfinite(values)
        if known.all():
            return np.asarray(np.add.reduceat(values, self.starts) / self.sizes)
        count = np.add.reduceat(known.astype(np.float64), self.starts)
        total = np.add.reduceat(np.where(known, values, 0.0), self.starts)
        enough = (count >= LEAST_SEEN * self.sizes) & (count > 0)
        return np.where(enough, total / np.maximum(count, 1), np.nan)


class Room:
    """What of a frame is neither foot nor hand, thinned out: how the picture as a whole moves."""

    def __init__(self, regions: Regions) -> None:
        """``regions`` tell where limbs are."""
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


def measured_regions(regions: Regions) -> list[Region]:
    """The regions that get a curve: those found, large enough, neither whole limbs nor overlapping angiosomes."""
    return [
        item
        for side in SIDES
        for item in regions.found
        if item.side == side
        and item.region not in (*ANGIOSOMES, *WHOLE_LIMBS)
        and np.count_nonzero(item.mask) >= MIN_REGION_PX
    ]


def anchor_places(samplers: Sequence[Sampler], count: int) -> tuple[int, ...]:
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
