"""A whole limb laid onto a picture of the same limb whose cold end was missed.

Toes as cold as the room vanish into it, and what draws outlines then ends the foot at its ball and divides what is
left into toes, ball, arch and heel. Such outlines are right but for their distal end, and their regions are all wrong.
So nothing but the outline is used here, without its end, and only a rotation, a scale and a shift are allowed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from rewarm.alignment.shapes import Points, SideShape, distal_axis, outline, side_shape
from rewarm.regions import Mask, Regions

END_SHARE: Final = 0.15
"""The last part of a cut limb's length: where it was cut, its outline is no outline."""
KEPT_SHARE: Final = 0.85
"""Of the other outline points the nearest are kept: some are the finder's and not the foot's."""
MOST_STEPS: Final = 60
ENOUGH_PX: Final = 0.01
MOST_OFF_SHARE: Final = 0.015
"""Outlines further apart than this share of the limb's length, on average, are not those of one limb."""
LEAST_OFF_PX: Final = 1.0
MOST_SCALING: Final = 1.15
"""How far the scale may end from that of the breadths, which hold the toes' joints in both."""
LEAST_INSIDE: Final = 0.93
"""Of the cut limb's pixels so many must lie within the whole one."""


@dataclass(frozen=True, eq=False)
class PartialFit:
    """``matrix`` (2, 3) takes points of the whole limb's picture to the other's, both pixel-edge coordinates.

    ``off_px`` is the mean distance of the outlines that were kept; ``longer`` is by how much the whole limb reaches
    beyond the other's distal end, as a share of its own length.
    """

    matrix: Points
    off_px: float
    longer: float

    def carried(self, mask: Mask, shape: tuple[int, int]) -> Mask:
        """A mask (y, x) of the whole limb's picture as it lies in the other, of ``shape`` (y, x)."""
        turned = self.matrix[:, :2]
        centred = np.column_stack([turned, turned @ np.array([0.5, 0.5]) + self.matrix[:, 2] - 0.5])
        moved = cv2.warpAffine(mask.astype(np.float32), centred, (shape[1], shape[0]), flags=cv2.INTER_LINEAR)
        return np.asarray(moved > 0.5)


def slenderness(regions: Regions, side: str, names: Collection[str]) -> float | None:
    """Length over breadth of what these regions of one side cover, along its own axis; None without an axis."""
    shape = side_shape(regions, side)
    mine = [name for name in names if name in shape.masks]
    axis = distal_axis(shape, mine)
    if axis is None:
        return None
    points = np.argwhere(np.any([shape.masks[name] for name in mine], axis=0))[:, ::-1].astype(np.float64)
    along, across = points @ axis, points @ np.array([-axis[1], axis[0]])
    return float((np.ptp(along) + 1.0) / (np.ptp(across) + 1.0))


def fit_partial(whole: Regions, part: Regions, side: str) -> PartialFit | None:
    """Lay the limb of ``whole`` onto that of ``part``, whose distal end was missed; None where it does not fit.

    The outline of ``part`` without its distal end is matched to the nearest points of the whole outline, again and
    again (iterative closest point; Besl and McKay 1992, doi 10.1109/34.121791).
    """
    shapes = side_shape(whole, side), side_shape(part, side)
    axes = [distal_axis(shape, list(shape.masks)) for shape in shapes]
    if axes[0] is None or axes[1] is None:
        return None
    source, target = (outline(shape.whole).points for shape in shapes)
    if len(source) < 20 or len(target) < 20:
        return None
    start = _begun(source, target, axes[0], axes[1])
    along = target @ axes[1]
    target = target[along <= along.max() - END_SHARE * np.ptp(along)]
    matrix = start
    for _ in range(MOST_STEPS):
        moved = _applied(matrix, source)
        apart, nearest = map(np.asarray, cKDTree(moved).query(target))
        kept = apart <= np.quantile(apart, KEPT_SHARE)
        step = _similarity(source[nearest[kept]], target[kept])
        settled = float(np.abs(_applied(step, source) - moved).max()) < ENOUGH_PX
        matrix = step
        if settled:
            break
    return _judged(matrix, start, shapes, source, target, axes[1])


def _judged(
    matrix: Points, start: Points, shapes: tuple[SideShape, SideShape], source: Points, target: Points, axis: Points
) -> PartialFit | None:
    moved = _applied(matrix, source)
    apart = np.asarray(cKDTree(moved).query(target)[0])
    off_px = float(np.sort(apart)[: max(1, int(KEPT_SHARE * len(apart)))].mean())
    length_px = float(np.ptp(moved @ axis))
    scaled = float(np.sqrt(np.linalg.det(matrix[:, :2]) / np.linalg.det(start[:, :2])))
    cut = np.argwhere(shapes[1].whole)[:, ::-1] + 0.5
    fit = PartialFit(matrix, off_px, float((moved @ axis).max() - (cut @ axis).max()) / length_px)
    inside = fit.carried(shapes[0].whole, shapes[1].whole.shape)[shapes[1].whole].mean()
    bad = (
        off_px > max(LEAST_OFF_PX, MOST_OFF_SHARE * length_px)
        or not 1.0 / MOST_SCALING < scaled < MOST_SCALING
        or inside < LEAST_INSIDE
    )
    return None if bad else fit


def _begun(source: Points, target: Points, axis_source: Points, axis_target: Points) -> Points:
    """Axes onto each other, breadths alike, proximal ends in one place."""
    frames = [np.stack([axis, [-axis[1], axis[0]]]) for axis in (axis_source, axis_target)]
    own = [points @ frame.T for points, frame in zip((source, target), frames, strict=True)]
    scale = float(np.ptp(own[1][:, 1]) / np.ptp(own[0][:, 1]))
    turned = scale * frames[1].T @ frames[0]
    ends = []
    for points, frame in zip(own, frames, strict=True):
        reach = points[:, 0].min() + 0.3 * np.ptp(points[:, 1])  # the heel: as long as it is narrow
        heel = points[points[:, 0] <= reach]
        ends.append(frame.T @ np.array([points[:, 0].min(), 0.5 * (heel[:, 1].min() + heel[:, 1].max())]))
    return np.column_stack([turned, ends[1] - turned @ ends[0]])


def _similarity(source: Points, target: Points) -> Points:
    """Least squares rotation, scale and shift (Umeyama 1991, doi 10.1109/34.88573), (2, 3)."""
    from_mean, to_mean = source.mean(axis=0), target.mean(axis=0)
    here, there = source - from_mean, target - to_mean
    u, sizes, vt = np.linalg.svd(there.T @ here)
    sign = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    turned = u @ np.diag(sign) @ vt
    scale = float((sizes * sign).sum() / (here**2).sum())
    return np.column_stack([scale * turned, to_mean - scale * turned @ from_mean])


def _applied(matrix: Points, points: NDArray[np.float64]) -> Points:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])
