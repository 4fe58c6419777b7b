"""The shape of one foot or hand: its regions' outlines and the points that can be told apart on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from rewarm.regions import ANGIOSOMES, FINGERS, TOES, WHOLE_LIMBS, Mask, Regions

DIGITS: Final = (*TOES, *FINGERS)
WHOLE: Final = "whole"

Points = NDArray[np.float64]

_SMOOTH_PX: Final = 1.5
FRAME_PX: Final = 1.5
"""Outline points nearer to the picture's frame are the frame's, not the foot's."""

_LEAST_PART: Final = 0.02
_TIP_SHARE: Final = 0.2


@dataclass(frozen=True, eq=False)
class Outline:
    """Points (n, 2), x and y in pixel-edge coordinates, about evenly spaced, and their outward unit normals (n, 2)."""

    points: Points
    normals: Points

    def thinned(self, most: int) -> Outline:
        """About ``most`` of the points, evenly taken."""
        step = max(1, round(len(self.points) / most))
        return Outline(self.points[::step], self.normals[::step])


@dataclass(frozen=True, eq=False)
class SideShape:
    """One side of one picture: masks of the regions found, their union, and the landmarks that were given."""

    masks: Mapping[str, Mask]
    whole: Mask
    landmarks: Mapping[str, tuple[float, float]]

    @property
    def length_px(self) -> float:
        """Longest extent of the limb along its principal axis."""
        points = np.argwhere(self.whole).astype(np.float64)
        if len(points) < 3:
            return float(len(points))
        points -= points.mean(axis=0)
        return float(np.ptp(points @ np.linalg.eigh(np.cov(points.T))[1][:, -1])) + 1.0


def side_shape(regions: Regions, side: str) -> SideShape:
    """Gather what was found of one side; angiosomes overlap and are left out."""
    mine = [item for item in regions.found if item.side == side and item.region not in ANGIOSOMES]
    whole = np.zeros(regions.shape, dtype=np.bool_)
    for item in mine:
        whole |= item.mask
    masks = {item.region: item.mask for item in mine if item.region not in WHOLE_LIMBS}
    prefix = f"{side}_"
    landmarks = {name.removeprefix(prefix): xy for name, xy in regions.landmarks.items() if name.startswith(prefix)}
    return SideShape(masks, whole, landmarks)


def outline(mask: Mask) -> Outline:
    """The outline of a mask, smoothed against the pixel staircase; parts cut by the picture's frame are left out."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return Outline(np.empty((0, 2)), np.empty((0, 2)))
    y0, x0 = int(rows[0]), int(columns[0])
    crop = np.pad(mask[y0 : rows[-1] + 1, x0 : columns[-1] + 1], 1).astype(np.uint8)
    rings, _ = cv2.findContours(crop, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    least = _LEAST_PART * float(mask.sum())
    points, normals = [], []
    for ring in rings:
        if len(ring) < 8 or cv2.contourArea(ring) < least:
            continue
        xy = _resampled(ring[:, 0, :].astype(np.float64))
        tangent = np.roll(xy, -1, axis=0) - np.roll(xy, 1, axis=0)
        normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        if _signed_area(xy) < 0:
            normal = -normal
        # +0.5: from pixel indices to pixel-edge coordinates; +0.5 along the normal: from border pixels to their edge
        points.append(xy + (x0 - 0.5, y0 - 0.5) + 0.5 * normal)
        normals.append(normal)
    if not points:
        return Outline(np.empty((0, 2)), np.empty((0, 2)))
    all_points, all_normals = np.concatenate(points), np.concatenate(normals)
    height, width = mask.shape
    inner = (all_points > FRAME_PX).all(axis=1) & (all_points < (width - FRAME_PX, height - FRAME_PX)).all(axis=1)
    return Outline(all_points[inner], all_normals[inner])


def outlines(shape: SideShape, names: Sequence[str]) -> dict[str, Outline]:
    """Outlines of the named regions and of their union, those without any point left out."""
    found = {name: outline(shape.masks[name]) for name in names}
    found[WHOLE] = outline(np.any([shape.masks[name] for name in names], axis=0))
    return {name: line for name, line in found.items() if len(line.points) >= 4}


def anchors(before: SideShape, after: SideShape, names: Sequence[str]) -> tuple[Points, Points]:
    """Corresponding points (n, 2) before and after: landmarks given in both, else found alike in both; centroids.

    A digit's tip is the middle of its most distal fifth, the heel's point that of its most proximal fifth.
    """
    pairs: dict[str, tuple[Points, Points]] = {}
    axes = tuple(distal_axis(shape, names) for shape in (before, after))
    for name in names:
        pairs[name] = (_centroid(before.masks[name]), _centroid(after.masks[name]))
        if axes[0] is None or axes[1] is None or name not in (*DIGITS, "heel"):
            continue
        towards = -1.0 if name == "heel" else 1.0
        landmark = "heel_point" if name == "heel" else f"{name}_tip"
        pairs[landmark] = (
            _end(before.masks[name], towards * axes[0]),
            _end(after.masks[name], towards * axes[1]),
        )
    for name in sorted(set(before.landmarks) & set(after.landmarks)):
        pairs[name] = (np.asarray(before.landmarks[name]), np.asarray(after.landmarks[name]))
    first, second = zip(*pairs.values(), strict=True)
    return np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)


def distal_axis(shape: SideShape, names: Sequence[str]) -> Points | None:
    """Unit vector from the limb's body to its digits, in this picture."""
    digits = [_centroid(shape.masks[name]) for name in names if name in DIGITS]
    body = [_centroid(shape.masks[name]) for name in names if name not in DIGITS]
    if not digits or not body:
        return None
    axis = np.mean(digits, axis=0) - np.mean(body, axis=0)
    length = float(np.linalg.norm(axis))
    return axis / length if length > 0 else None


def _centroid(mask: Mask) -> Points:
    rows, columns = np.nonzero(mask)
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5])


def _end(mask: Mask, direction: Points) -> Points:
    rows, columns = np.nonzero(mask)
    points = np.stack([columns + 0.5, rows + 0.5], axis=1)
    along = points @ direction
    return np.asarray(points[along >= along.max() - _TIP_SHARE * np.ptp(along)].mean(axis=0))


def _resampled(ring: Points) -> Points:
    """A closed ring at half-pixel steps, smoothed along its length."""
    closed = np.concatenate([ring, ring[:1]])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    n = max(8, int(length[-1] * 2))
    at = np.arange(n) * (length[-1] / n)
    xy = np.stack([np.interp(at, length, closed[:, 0]), np.interp(at, length, closed[:, 1])], axis=1)
    sigma = min(_SMOOTH_PX * 2, n / 16)
    return np.asarray(gaussian_filter1d(xy, sigma, axis=0, mode="wrap"))


def _signed_area(ring: Points) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
