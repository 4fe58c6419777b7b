"""Fitting the average sole to a silhouette."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from rewarm.anatomy.sole_shape import Points, Pose, average_sole, distance_to_average, evenly, sample, signed_distance
from rewarm.regions import Mask

_CONTOUR_POINTS: Final = 120
_WORKING_LENGTH_PX: Final = 110.0


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


def fit_silhouette(mask: Mask, *, fine: int = 2) -> tuple[Fit, ...]:
    """Fit the average sole to one silhouette, best first: toes up or down, great toe left or right.

    ``mask`` is boolean (y, x) with one foot in it; the ``fine`` best of the four fits are refined.
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
    fits = _fit_small(small, fine)
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


def _fit_small(mask: Mask, fine: int) -> list[Fit]:
    distance = signed_distance(mask)
    contour = evenly(silhouette_outline(mask), _CONTOUR_POINTS)
    ys, xs = np.nonzero(mask)
    centre = np.array([xs.mean() + 0.5, ys.mean() + 0.5])
    values, vectors = np.linalg.eigh(np.cov(np.stack([xs, ys])) + 1e-9 * np.eye(2))
    axis = vectors[:, 1] * (1.0 if vectors[1, 1] < 0 else -1.0)  # upwards in the picture
    turn = float(np.arctan2(axis[0], -axis[1]))
    length = float(np.sqrt(max(values[1], 1.0)) * 3.75)
    width = float(np.clip(np.sqrt(values[0] / max(values[1], 1e-9)) / 0.345, 0.7, 1.5))
    starts = [
        Pose(float(centre[0]), float(centre[1]), length, width, turn + flip, mirror)
        for flip in (0.0, np.pi)
        for mirror in (False, True)
    ]
    rough = sorted((refine(start, distance, contour[::3], steps=5) for start in starts), key=lambda fit: fit.misfit)
    refined = [refine(fit.pose, distance, contour, steps=8) for fit in rough[:fine]]
    return sorted(refined, key=lambda fit: fit.misfit) + rough[fine:]


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

    solution = least_squares(residuals, np.zeros(5), loss="soft_l1", f_scale=0.03, max_nfev=steps, diff_step=1e-3)
    final = residuals(solution.x)[:-2]
    return Fit(pose_of(solution.x), float(np.abs(final).mean()))
