"""The front of a sole as a line: its rim from the great toe's base over the tips to the little toe's base.

Toes are lobes of that line, and the borders between them begin at its notches, or where a warm or cold line between two
toes meets it. Everything here is in *even foot coordinates*: those of :class:`Pose`, with u in foot lengths as v is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from rewarm.anatomy.pose import silhouette_outline
from rewarm.anatomy.rims import disc, fill_outside
from rewarm.anatomy.sole_shape import Points, Pose, sample
from rewarm.regions import Mask

Floats = NDArray[np.float64]

STEP: Final = 0.005
"""Distance of two points of the rim, in foot lengths."""
MEDIAL_END_V: Final = 0.80
LATERAL_END_V: Final = 0.60
"""Where along the foot the rim of the toes begins, and where it has surely ended."""
DEPTHS: Final = np.arange(0.010, 0.181, 0.006)
"""How far inwards from the rim, in foot lengths, lines between toes are looked for."""
TILTS_DEG: Final = np.arange(-40.0, 41.0, 10.0)
"""Directions of such lines against the rim's inward normal."""
_GAP: Final = 0.012
"""Half the width of a gap between two toes that still belongs to the line of the rim."""
_SMOOTH: Final = 1.2
_NORMAL_SMOOTH: Final = 9.0
_LAG: Final = 0.022
"""How far beside a line its neighbours are looked at: a third of a small toe's breadth."""


@dataclass(frozen=True, eq=False)
class Rim:
    """Points (n, 2) from the medial to the lateral end, ``inwards`` (n, 2) unit vectors; ``concavity`` (n,) is about 1
    at a clear notch between two toes and negative on the toes' tips."""

    points: Points
    inwards: Points
    concavity: Floats


@dataclass(frozen=True, eq=False)
class Lines:
    """What runs inwards from each point of the rim: arrays (n, tilt, depth).

    ``strength`` is positive for warm lines and negative for cold ones, ``step`` the change of temperature across, both
    in units of the skin's own unevenness; ``slope`` how fast the temperature changes inwards, in such units over a
    line's breadth; ``open`` is where there is no skin.
    """

    strength: Floats
    step: Floats
    slope: Floats
    open: NDArray[np.bool_]


def even(points: Points, pose: Pose) -> Points:
    """(n, 2) foot coordinates of ``pose`` → even ones."""
    return np.asarray(points * np.array([pose.width, 1.0]))


def uneven(points: Points, pose: Pose) -> Points:
    """The inverse of :func:`even`."""
    return np.asarray(points / np.array([pose.width, 1.0]))


def front_rim(mask: Mask, pose: Pose) -> Rim | None:
    """The rim of a foot's toes; None where the silhouette has no front."""
    radius = max(1, round(_GAP * pose.length))
    padded = np.pad(mask.astype(np.uint8), radius + 1)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc(radius))
    outline = silhouette_outline(closed > 0) - (radius + 1)
    points = even(pose.to_foot(outline), pose)
    points = np.roll(points, -int(np.argmin(points[:, 1])), axis=0)  # from the heel's end, once around
    if points[: len(points) // 3, 0].mean() > points[-len(points) // 3 :, 0].mean():
        points = points[::-1]
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    at = np.arange(0.0, along[-1], STEP)
    line = np.stack([np.interp(at, along, points[:, i]) for i in (0, 1)], axis=1)
    line = gaussian_filter1d(line, _SMOOTH, axis=0, mode="wrap")
    medial, lateral = np.nonzero(line[:, 1] >= MEDIAL_END_V)[0], np.nonzero(line[:, 1] >= LATERAL_END_V)[0]
    if not medial.size or lateral[-1] - medial[0] < 40:
        return None
    own = slice(int(medial[0]), int(lateral[-1]) + 1)
    calm = gaussian_filter1d(line, _NORMAL_SMOOTH, axis=0, mode="wrap")
    way = np.roll(calm, -1, axis=0) - np.roll(calm, 1, axis=0)
    inwards = np.stack([way[:, 1], -way[:, 0]], axis=1) / np.maximum(np.hypot(*way.T), 1e-9)[:, None]
    return Rim(line[own], inwards[own], _concavity(line)[own])


def _concavity(line: Points) -> Floats:
    """How far each point lies within the chord of its neighbours, at two widths, over what is usual at a notch."""
    total = np.zeros(len(line))
    for cells, usual in ((6, 0.005), (9, 0.009)):
        before, after = np.roll(line, cells, axis=0), np.roll(line, -cells, axis=0)
        chord, arm = after - before, line - before
        within = chord[:, 1] * arm[:, 0] - chord[:, 0] * arm[:, 1]
        total += 0.5 * within / np.maximum(np.hypot(*chord.T), 1e-9) / usual
    return np.clip(total, -2.0, 2.5)


def lines_inwards(temperature_c: NDArray[np.float32], mask: Mask, pose: Pose, rim: Rim) -> Lines:
    """Look along every tilt inwards from every point of the rim."""
    reach = max(2.0, 0.03 * pose.length)
    filled = fill_outside(temperature_c, mask, reach_px=reach)
    filled = cv2.GaussianBlur(filled, (0, 0), max(0.8, 0.006 * pose.length))
    margin = np.pad(mask, 1).astype(np.float32)
    tilt = np.radians(TILTS_DEG)[None, :, None]
    way = np.stack(
        [
            np.cos(tilt) * rim.inwards[:, None, None, 0] - np.sin(tilt) * rim.inwards[:, None, None, 1],
            np.sin(tilt) * rim.inwards[:, None, None, 0] + np.cos(tilt) * rim.inwards[:, None, None, 1],
        ],
        axis=-1,
    )
    centre = rim.points[:, None, None, :] + DEPTHS[None, None, :, None] * way
    across = _LAG * np.stack([-way[..., 1], way[..., 0]], axis=-1)
    values = [_at(filled, centre + shift * across, pose) for shift in (0.0, -1.0, 1.0)]
    line, step = _line_and_step(*values)
    outside = _at(margin, centre, pose, offset=1.0) < 0.5
    skin = ~outside
    unevenness = max(float(np.sqrt(np.mean(line[skin] ** 2))) if skin.any() else 1.0, 0.02)
    strength = np.clip(1.3 * line / unevenness, -4.0, 4.0)
    slope = np.abs(np.gradient(sum(values) / 3.0, DEPTHS, axis=2)) * _LAG / unevenness
    return Lines(strength, np.clip(step / max(2.0 * unevenness, 0.04), 0.0, 3.0), slope, outside)


def _at(image: NDArray[np.float32], places: Floats, pose: Pose, *, offset: float = 0.0) -> Floats:
    """Samples of an image at even foot coordinates (…, 2)."""
    picture = pose.to_picture(uneven(places.reshape(-1, 2), pose))
    return sample(image, picture + offset).reshape(places.shape[:-1])


def _line_and_step(middle: Floats, one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Warm (+) and cold (−) lines, in which a slope counts less; and the step from one side to the other, °C."""
    ridge = np.maximum(middle - np.maximum(one, other), 0.0)
    valley = np.maximum(np.minimum(one, other) - middle, 0.0)
    return 0.6 * (ridge - valley) + 0.4 * (middle - 0.5 * (one + other)), np.abs(other - one)
