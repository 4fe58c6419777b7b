"""Fitting the average sole to a silhouette."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.anatomy.sole_shape import Points, Pose, average_sole, distance_to_average, evenly, sample, signed_distance
from rewarm.regions import Mask

_CONTOUR_POINTS: Final = 120
_WORKING_LENGTH_PX: Final = 110.0
_OUTLIER: Final = 0.03
_STEP: Final = 1e-3


@dataclass(frozen=True)
class Fit:
    """A pose and its misfit: mean distance between the two outlines, in foot lengths."""

    pose: Pose
    misfit: float


def silhouette_outline(mask: Mask) -> Points:
    """The longest outer contour of ``mask``, (n, 2) in pixel-edge coordinates."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    longest = max(contours, key=len)
    return np.asarray(longest[:, 0, :], dtype=np.float64) + 0.5


def fit_silhouette(mask: Mask, *, roughly: bool = False) -> tuple[Fit, ...]:
    """Fit the average sole to one silhouette, best first: toes up or down, great toe left or right.

    ``mask`` is boolean (y, x) with one foot in it; the two best of the four fits are refined.
    ``roughly``: toes up only, nothing refined, for choosing among silhouettes.
    """
    ys, xs = np.nonzero(mask)
    extent = float(max(np.ptp(ys), np.ptp(xs)) + 1)
    factor = min(1.0, _WORKING_LENGTH_PX / extent)
    x0, y0 = int(xs.min()), int(ys.min())
    crop = mask[y0 : int(ys.max()) + 1, x0 : int(xs.max()) + 1].astype(np.uint8)
    small = (
        cv2.resize(crop * 255, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) > 127
        if factor < 1
        else crop > 0
    )
    margin = 12
    small = np.pad(small, margin)
    if small.sum() < 20:
        return ()
    fits = _fit_small(small, roughly)
    return tuple(
        replace(
            fit,
            pose=replace(
                fit.pose.scaled(1.0),
                x=(fit.pose.x - margin) / factor + x0,
                y=(fit.pose.y - margin) / factor + y0,
                length=fit.pose.length / factor,
            ),
        )
        for fit in fits
    )


def _fit_small(mask: Mask, roughly: bool) -> list[Fit]:
    distance = signed_distance(mask)
    contour = evenly(silhouette_outline(mask), _CONTOUR_POINTS)
    ys, xs = np.nonzero(mask)
    centre = np.array([xs.mean() + 0.5, ys.mean() + 0.5])
    values, vectors = np.linalg.eigh(np.round(np.cov(np.stack([xs, ys])), 6) + 1e-6 * np.eye(2))
    axis = vectors[:, 1] * (1.0 if vectors[1, 1] < 0 else -1.0)  # upwards in the picture
    turn = float(np.arctan2(axis[0], -axis[1]))
    length = float(np.sqrt(max(values[1], 1.0)) * 3.75)
    width = float(np.clip(np.sqrt(values[0] / max(values[1], 1e-9)) / 0.345, 0.7, 1.5))
    starts = [
        Pose(float(centre[0]), float(centre[1]), length, width, turn + flip, mirror)
        for flip in ((0.0,) if roughly else (0.0, np.pi))
        for mirror in (False, True)
    ]
    rough = sorted((refine(start, distance, contour[::3], steps=4) for start in starts), key=lambda fit: fit.misfit)
    if roughly:
        return rough
    refined = [refine(fit.pose, distance, contour, steps=8) for fit in rough[:2]]
    return sorted(refined, key=lambda fit: fit.misfit) + rough[2:]


def refine(start: Pose, distance: NDArray[np.float32], contour: Points, *, steps: int) -> Fit:
    """Move, turn and stretch ``start`` until the two outlines lie on each other.

    ``distance`` is the silhouette's signed distance map (pixels), ``contour`` (n, 2) points on its outline.
    """
    outline = average_sole().outline[:: 2 if len(contour) > 60 else 5]
    size = start.length

    def pose_of(p: NDArray[np.float64]) -> Pose:
        return replace(
            start,
            x=start.x + p[0] * size,
            y=start.y + p[1] * size,
            length=size * float(np.exp(p[2])),
            width=start.width * float(np.exp(p[3])),
            turn=start.turn + p[4],
        )

    def residuals(p: NDArray[np.float64]) -> NDArray[np.float64]:
        pose = pose_of(p)
        forth = sample(distance, pose.to_picture(outline)) / pose.length
        back = distance_to_average(pose.to_foot(contour))
        prior = np.array([0.15 * (np.log(pose.width)), 0.05 * p[4]])
        return np.concatenate([forth, back, prior])

    p = np.zeros(5)
    now = residuals(p)
    damping = 1e-3
    for _ in range(steps):  # Levenberg–Marquardt with weights that spare outliers
        weight = 1.0 / np.sqrt(1.0 + (now / _OUTLIER) ** 2)
        slope = np.stack([(residuals(p + step) - now) / _STEP for step in _STEP * np.eye(5)], axis=1)
        curvature = slope.T @ (weight[:, None] * slope)
        downhill = slope.T @ (weight * now)
        for _ in range(4):
            move = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature) + 1e-9), -downhill)
            there = residuals(p + np.clip(move, -0.3, 0.3))
            if _loss(there) < _loss(now):
                p, now, damping = p + np.clip(move, -0.3, 0.3), there, damping / 4.0
                break
            damping *= 8.0
        else:
            break
    p = np.round(p, 7)  # the last bits depend on the machine and on memory; the result must not
    return Fit(pose_of(p), round(float(np.abs(residuals(p)[:-2]).mean()), 9))


def _loss(residuals: NDArray[np.float64]) -> float:
    return float(np.sum(np.sqrt(1.0 + (residuals / _OUTLIER) ** 2) - 1.0))
