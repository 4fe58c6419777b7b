"""Two atlases, each the ``Regions`` of one left limb, on which people are averaged.

The sole is the average outline of :mod:`rewarm.anatomy.sole_shape` (proportions from anthropometry, drawn by hand).
The hand is an analytic drawing: a rounded palm, and fingers with parallel sides and round tips, of proportions chosen
by eye to look like an adult's; it is no one's measurement.

A left sole with its toes up, and a left palm with its fingers up, have the great toe, or the thumb, on the left of the
picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, label

from rewarm.anatomy.sole_shape import (
    GREAT_TOE_BASE,
    LITTLE_TOE_BASE,
    TOE_BASES,
    TOE_TIPS,
    TOE_WIDTHS,
    WEBS,
    Points,
    Pose,
    distance_to_average,
)
from rewarm.anatomy.zones import angiosomes, sole_zones
from rewarm.errors import InvalidInputError
from rewarm.regions import FINGERS, TOES, Mask, Region, Regions

SOLE_ATLAS: Final = "rewarm atlas of the sole 2"
HAND_ATLAS: Final = "rewarm atlas of the palm 1"
ATLAS_LENGTH_PX: Final = 200
"""From the heel to the longest toe, or from the wrist to the middle finger's tip: about 1 mm a pixel."""

SHORTEST_PX: Final = 60
"""Below, toes are a pixel or two wide."""

_MARGIN_SHARE: Final = 0.06

FINGER_BASES: Final = ((-0.185, 0.235), (-0.142, 0.530), (-0.045, 0.555), (0.055, 0.540), (0.142, 0.490))
FINGER_TIPS: Final = ((-0.345, 0.545), (-0.200, 0.925), (-0.050, 1.000), (0.095, 0.945), (0.235, 0.770))
"""The line in the middle of each finger, thumb first, (across, along) in hand lengths from the middle of the wrist."""
FINGER_WIDTHS: Final = (0.105, 0.090, 0.092, 0.086, 0.076)
FINGER_WEBS: Final = ((-0.208, 0.395), (-0.093, 0.540), (0.005, 0.552), (0.100, 0.523))
PALM: Final = (-0.190, 0.190, 0.0, 0.555)
"""Left, right, wrist and the fingers' bases; the corners are rounded."""
PALM_CORNER: Final = 0.085


def sole_atlas(length_px: int = ATLAS_LENGTH_PX) -> Regions:
    """The average left sole: toes, ball, arch, heel, the whole foot, four angiosomes, landmarks.

    ``length_px`` is the foot's length; the picture is that high and half as wide, with a margin. Raises
    :class:`InvalidInputError` below ``SHORTEST_PX``.
    """
    shape, pose = _frame(length_px, left=-0.20, right=0.205)
    points = pose.to_foot(_centres(shape))
    inside = distance_to_average(points) < 0.0
    toe = np.zeros(len(points), dtype=np.int8)
    toe[inside] = _toe(points[inside])
    toe = _one_piece_each(toe.reshape(shape), inside.reshape(shape)).ravel()
    own = points[inside]
    parts = {name: toe == i for i, name in enumerate(TOES, start=1)}
    for name, pixels in {
        **sole_zones(own, toe[inside]),
        "foot": np.ones(len(own), dtype=bool),
        **angiosomes(own),
    }.items():
        parts[name] = np.zeros(len(points), dtype=bool)
        parts[name][inside] = pixels
    tips = {f"{name}_tip": point for name, point in zip(TOES, TOE_TIPS, strict=True)}
    webs = {f"web{i}": point for i, point in enumerate(WEBS, start=1)}
    return _regions(shape, pose, parts, {**tips, **webs, "heel_point": (0.0, 0.0)}, "left_foot", "plantar", SOLE_ATLAS)


def hand_atlas(length_px: int = ATLAS_LENGTH_PX) -> Regions:
    """The drawn left hand from its palm's side: five fingers, the palm, the whole hand, landmarks.

    ``length_px`` is the length from the wrist to the middle finger's tip. Raises :class:`InvalidInputError` below
    ``SHORTEST_PX``.
    """
    shape, pose = _frame(length_px, left=-0.41, right=0.29)
    points = pose.to_foot(_centres(shape))
    bases, tips, halves = np.array(FINGER_BASES), np.array(FINGER_TIPS), np.array(FINGER_WIDTHS) / 2
    ends = tips - halves[:, None] * (tips - bases) / np.linalg.norm(tips - bases, axis=1, keepdims=True)
    beside = np.stack([_to_segment(points, a, b) - half for a, b, half in zip(bases, ends, halves, strict=True)])
    left, right, low, high = PALM
    palm = _rounded_box(points, (left, low), (right, high), PALM_CORNER) < 0.0
    nearest = beside.argmin(axis=0)
    finger = np.where((beside.min(axis=0) < 0.0) & ~palm, nearest + 1, 0)
    parts = {name: finger == i for i, name in enumerate(FINGERS, start=1)}
    parts |= {"palm": palm, "hand": palm | (finger > 0)}
    marks = {f"{name}_tip": point for name, point in zip(FINGERS, FINGER_TIPS, strict=True)}
    marks |= {f"finger_web{i}": point for i, point in enumerate(FINGER_WEBS, start=1)}
    return _regions(shape, pose, parts, marks, "left_hand", "palmar", HAND_ATLAS)


def _frame(length_px: int, *, left: float, right: float) -> tuple[tuple[int, int], Pose]:
    """The picture's shape, and how the limb lies in it."""
    if length_px < SHORTEST_PX:
        raise InvalidInputError(f"length_px: expected {SHORTEST_PX} or more; found {length_px}")
    margin = _MARGIN_SHARE * length_px
    shape = (round(length_px + 2 * margin), round((right - left) * length_px + 2 * margin))
    return shape, Pose(margin - left * length_px, shape[0] / 2, float(length_px), 1.0, 0.0, mirrored=False)


def _centres(shape: tuple[int, int]) -> Points:
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _toe(points: Points) -> NDArray[np.int8]:
    """0 behind the line through the webs, else the toe whose drawn axis is nearest in units of its width."""
    line = np.array([GREAT_TOE_BASE, *WEBS, LITTLE_TOE_BASE])
    beyond = points[:, 1] > np.interp(points[:, 0], line[:, 0], line[:, 1])
    distances = np.stack(
        [
            _to_segment(points, np.array(base), np.array(tip)) / width
            for base, tip, width in zip(TOE_BASES, TOE_TIPS, TOE_WIDTHS, strict=True)
        ]
    )
    return np.where(beyond, distances.argmin(axis=0) + 1, 0).astype(np.int8)


def _one_piece_each(toe: NDArray[np.int8], inside: Mask) -> NDArray[np.int8]:
    """Stray pixels of a toe go to what lies beside them, so that each toe is one piece."""
    strays = np.zeros(toe.shape, dtype=np.bool_)
    for i in range(1, len(TOES) + 1):
        pieces, _ = label(toe == i)
        strays |= (pieces > 0) & (pieces != np.bincount(pieces.ravel())[1:].argmax() + 1)
    nearest = distance_transform_edt(strays | ~inside, return_distances=False, return_indices=True)
    return np.asarray(np.where(strays, toe[tuple(nearest)], toe))


def _to_segment(points: Points, start: Points, end: Points) -> NDArray[np.float64]:
    """Distance of (n, 2) points from the straight line between two."""
    way = end - start
    share = np.clip((points - start) @ way / float(way @ way), 0.0, 1.0)
    return np.asarray(np.hypot(*(points - start - share[:, None] * way).T))


def _rounded_box(
    points: Points, low: tuple[float, float], high: tuple[float, float], corner: float
) -> NDArray[np.float64]:
    """Signed distance from a rectangle with round corners, negative inside."""
    middle, half = np.add(low, high) / 2, np.subtract(high, low) / 2 - corner
    beyond = np.abs(points - middle) - half
    outside = np.hypot(*np.maximum(beyond, 0.0).T)
    return np.asarray(outside + np.minimum(beyond.max(axis=1), 0.0) - corner)


def _regions(
    shape: tuple[int, int],
    pose: Pose,
    parts: Mapping[str, NDArray[np.bool_]],
    marks: Mapping[str, tuple[float, float]],
    limb: str,
    view: str,
    drawn_by: str,
) -> Regions:
    items = tuple(Region("left", name, mask.reshape(shape), 1.0, drawn_by) for name, mask in parts.items())
    places = pose.to_picture(np.array(list(marks.values())))
    landmarks = {f"left_{name}": (float(x), float(y)) for name, (x, y) in zip(marks, places, strict=True)}
    return Regions(shape, limb, view, items, landmarks)
