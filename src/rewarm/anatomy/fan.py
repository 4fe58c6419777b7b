"""The fan: rays from the middle of a foot over its toes, on which the toes are told apart.

``angle`` runs from the medial to the lateral side (degrees from the foot's axis), ``radius`` is in foot lengths. Every
pixel of the picture has one place in the fan, so a split made on it is exact in the picture, however the foot lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter1d, minimum_filter1d

from rewarm.anatomy.sole_shape import GREAT_TOE_BASE, LITTLE_TOE_BASE, LITTLE_TOE_CREASE, WEBS, Points, Pose, sample
from rewarm.regions import Mask

Floats = NDArray[np.float64]

HUB: Final = (-0.005, 0.55)
ANGLES: Final = np.arange(-62.0, 88.01, 1.0)
RADII: Final = np.arange(0.08, 0.601, 0.005)
_LINE_HALF_WIDTH_DEG: Final = 4


def polar(points: Points) -> tuple[Floats, Floats]:
    """Angle (degrees) and radius of (n, 2) foot coordinates."""
    du, dv = points[:, 0] - HUB[0], points[:, 1] - HUB[1]
    return np.degrees(np.arctan2(du, dv)), np.hypot(du, dv)


_WEB_ANGLES, _WEB_RADII = polar(np.array([GREAT_TOE_BASE, *WEBS, LITTLE_TOE_BASE]))
_CREASE_ANGLE, _CREASE_RADIUS = (float(values[0]) for values in polar(np.array([LITTLE_TOE_CREASE])))


@dataclass(frozen=True, eq=False)
class Fan:
    """Temperature and silhouette along the rays: (angle, radius) arrays; temperature is filled in outside the foot."""

    temperature: Floats
    inside: Mask
    rim: Floats
    """Radius of the outermost silhouette point on each ray, 0 where there is none."""


def make_fan(temperature_c: NDArray[np.float32], mask: Mask, pose: Pose) -> Fan:
    """Sample the picture (y, x) along the rays of ``pose``."""
    angle, radius = np.meshgrid(np.radians(ANGLES), RADII, indexing="ij")
    foot = np.stack([(HUB[0] + radius * np.sin(angle)).ravel(), (HUB[1] + radius * np.cos(angle)).ravel()], axis=1)
    points = pose.to_picture(foot)
    margin = np.pad(mask, 1).astype(np.float32)  # nothing goes on beyond the picture's border
    inside = (sample(margin, points + 1.0) > 0.5).reshape(angle.shape)
    filled = fill_outside(temperature_c, mask, reach_px=max(2.0, 0.03 * pose.length))
    values = sample(filled, points).reshape(angle.shape)
    rim = np.where(inside.any(axis=1), RADII[inside.shape[1] - 1 - np.argmax(inside[:, ::-1], axis=1)], 0.0)
    return Fan(gaussian_filter(values, (1.2, 1.2)), inside, rim)


def fill_outside(temperature_c: NDArray[np.float32], mask: Mask, *, reach_px: float) -> NDArray[np.float32]:
    """The picture with all that lies outside ``mask`` replaced by a blur of what is inside: no edge at its rim."""
    factor = min(1.0, 2.0 / reach_px)  # what is far from the mask needs no detail
    weight = mask.astype(np.float32)
    values = np.where(mask, temperature_c, np.float32(0.0)).astype(np.float32)
    mean = float(values.sum() / max(float(weight.sum()), 1.0))
    values = (values - mean) * weight
    rows, columns = mask.shape
    if factor < 1.0:
        weight, values = (
            cv2.resize(a, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) for a in (weight, values)
        )
    filled = np.zeros(weight.shape, dtype=np.float32)
    for sigma in (4 * reach_px * factor, reach_px * factor):
        w, t = cv2.GaussianBlur(weight, (0, 0), sigma), cv2.GaussianBlur(values, (0, 0), sigma)
        filled = np.where(w > 0.02, t / np.maximum(w, 1e-6), filled).astype(np.float32)
    if factor < 1.0:
        filled = cv2.resize(filled, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.where(mask, temperature_c, filled + np.float32(mean)).astype(np.float32)


def lag(values: Floats, cells: int, axis: int) -> tuple[Floats, Floats]:
    """``values`` from ``cells`` before and after along ``axis``; the ends are repeated."""
    pad = [(0, 0), (0, 0)][: values.ndim]
    pad[axis] = (cells, cells)
    padded = np.pad(values, pad, mode="edge")
    n = values.shape[axis]
    return np.take(padded, np.arange(n), axis=axis), np.take(padded, np.arange(2 * cells, n + 2 * cells), axis=axis)


def line_strength(values: Floats, cells: int, axis: int) -> Floats:
    """Warm lines positive, cold ones negative: a value against the mean of both neighbours ``cells`` away."""
    before, after = lag(values, cells, axis)
    return values - 0.5 * (before + after)


def expected_webs(fan: Fan) -> tuple[Floats, Floats]:
    """Angles of the toes' ends and webs (6,), in degrees, and the base line's usual radius on each ray.

    The usual places are stretched to where this foot's rim really is at the toes' two ends.
    """
    height = HUB[1] + fan.rim * np.cos(np.radians(ANGLES))
    medial = np.nonzero((height >= GREAT_TOE_BASE[1]) & (ANGLES < -15))[0]
    lateral = np.nonzero((height >= LITTLE_TOE_BASE[1]) & (ANGLES > 30))[0]
    webs = _WEB_ANGLES
    if medial.size and lateral.size:
        notches = np.maximum(rim_concavity(fan.rim), 0.0)
        ends = np.array([_near_notch(notches, float(ANGLES[end])) for end in (medial[0], lateral[-1])])
        ends = np.clip(ends, webs[[0, 5]] - 10.0, webs[[0, 5]] + 10.0)
        webs = np.interp(webs, webs[[0, 5]], ends)
    crease = np.interp(_CREASE_ANGLE, _WEB_ANGLES, webs)
    angles = np.array([*webs[:5], crease, webs[5]])
    radii = np.array([*_WEB_RADII[:5], _CREASE_RADIUS, _WEB_RADII[5]])
    for end, angle in ((0, webs[0]), (-1, webs[5])):
        rim = float(np.interp(angle, ANGLES, fan.rim))
        radii[end] = float(np.clip(rim, radii[end] - 0.04, radii[end] + 0.04))
    return webs, np.interp(ANGLES, angles, radii)


def rim_concavity(rim: Floats) -> Floats:
    """How much the rim bends in at each ray, about 1 at a clear notch between two toes."""
    return np.asarray(np.clip(-line_strength(rim, _LINE_HALF_WIDTH_DEG, 0) / 0.012, -2.0, 3.0))


def concavity_near(rim: Floats, separators: Floats) -> Floats:
    """The largest concavity of the rim within two rays of where each separator meets it."""
    concavity = rim_concavity(rim)
    result = []
    for separator in separators:
        ray = np.rint(separator - ANGLES[0]).astype(np.int_).clip(0, len(ANGLES) - 1)
        end = int(np.argmin(np.abs(rim[ray] - RADII)))
        result.append(float(concavity[max(ray[end] - 2, 0) : ray[end] + 3].max()))
    return np.array(result)


def _near_notch(notches: Floats, expected_deg: float) -> float:
    """The ray of the clearest notch near the expected end of the toes; the expected one where there is none."""
    return float(ANGLES[int(np.argmax(np.minimum(notches, 1.5) - 0.5 * ((ANGLES - expected_deg) / 5.0) ** 2))])


def lines_between_toes(fan: Fan, prior: Floats) -> tuple[Floats, float]:
    """Warm (+) and cold (-) lines that run outwards, in units of the ball's own unevenness; and that unevenness, °C."""
    plain = line_strength(fan.temperature, _LINE_HALF_WIDTH_DEG, 0)
    before, after = lag(fan.temperature, _LINE_HALF_WIDTH_DEG, 0)
    ridge = np.maximum(fan.temperature - np.maximum(before, after), 0.0)
    valley = np.maximum(np.minimum(before, after) - fan.temperature, 0.0)
    ball = (RADII[None, :] < prior[:, None] - 0.05) & (RADII[None, :] > 0.1) & fan.inside
    front = (RADII[None, :] > prior[:, None]) & fan.inside
    noise = float(np.sqrt(np.mean(plain[ball] ** 2))) if ball.any() else 1.0
    if front.any():  # toes differ more among themselves than the ball's skin does
        noise = max(noise, 0.8 * float(np.sqrt(np.mean(plain[front] ** 2))))
    lines = (0.6 * (ridge - valley) + 0.4 * plain) / max(noise, 0.02)
    return np.asarray(np.clip(1.3 * lines, -4.0, 4.0)), noise


def rim_envelope(rim: Floats) -> Floats:
    """The rim with the webs between the tips filled."""
    return np.asarray(minimum_filter1d(maximum_filter1d(rim, 9), 9), dtype=np.float64)
