"""The outline of an average sole, and how it lies in a picture.

Foot coordinates are (u, v) in foot lengths: v runs from the back of the heel (0) to the tip of the longest toe (1), u
from the medial border to the lateral one, zero on the line from the middle of the heel to the second toe. The shape
is drawn by hand from anthropometric proportions, not learned from pictures: ball of the great toe at about 0.73 and
of the little toe at about 0.63 of the foot's length, width of the ball about 0.40 and of the heel about 0.26 of it
(Krauss et al. 2008, doi 10.1080/00140130802376026).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

BODY: Final = (
    (0.0, 0.0),
    (-0.055, 0.012),
    (-0.105, 0.055),
    (-0.127, 0.125),
    (-0.120, 0.22),
    (-0.105, 0.33),
    (-0.105, 0.44),
    (-0.130, 0.56),
    (-0.172, 0.66),
    (-0.192, 0.73),
    (-0.185, 0.79),
    (-0.10, 0.83),
    (0.0, 0.845),
    (0.08, 0.815),
    (0.140, 0.765),
    (0.185, 0.70),
    (0.200, 0.62),
    (0.188, 0.52),
    (0.165, 0.40),
    (0.142, 0.25),
    (0.130, 0.13),
    (0.105, 0.055),
    (0.055, 0.012),
)
"""The sole without its toes."""

TOE_BASES: Final = ((-0.112, 0.78), (-0.012, 0.80), (0.055, 0.78), (0.110, 0.74), (0.152, 0.69))
TOE_TIPS: Final = ((-0.105, 1.0), (-0.008, 0.985), (0.065, 0.945), (0.122, 0.892), (0.164, 0.822))
TOE_WIDTHS: Final = (0.140, 0.078, 0.072, 0.068, 0.068)
"""Toes as capsules from base to tip, great toe first."""

WEBS: Final = ((-0.051, 0.854), (0.016, 0.857), (0.080, 0.836), (0.139, 0.798))
"""Between toes 1–2, 2–3, 3–4 and 4–5: the mean of twelve of the twin's drawn soles, in the poses fitted to them."""
GREAT_TOE_BASE: Final = (-0.190, 0.829)
LITTLE_TOE_BASE: Final = (0.195, 0.725)
"""Where the line at the toes' bases meets the medial and the lateral border."""

_RASTER: Final = 240
_MARGIN: Final = 0.25


@dataclass(frozen=True)
class Pose:
    """How a sole lies in a picture.

    ``x``, ``y`` (pixels, pixel-edge coordinates) is where (u, v) = (0, 0.5) lies; ``length`` is the foot's in pixels;
    ``width`` scales u besides; ``turn`` is the angle of the toes from straight up, radians, clockwise on the screen;
    ``mirrored`` is False where the great toe points to the left when the toes are up.
    """

    x: float
    y: float
    length: float
    width: float
    turn: float
    mirrored: bool

    def to_picture(self, points: Points) -> Points:
        """(n, 2) foot coordinates → (n, 2) picture coordinates (x, y)."""
        u = points[:, 0] * (self.length * self.width * (-1.0 if self.mirrored else 1.0))
        v = (points[:, 1] - 0.5) * self.length
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        return np.stack([self.x + cos * u + sin * v, self.y + sin * u - cos * v], axis=1)

    def to_foot(self, points: Points) -> Points:
        """(n, 2) picture coordinates (x, y) → (n, 2) foot coordinates."""
        dx, dy = points[:, 0] - self.x, points[:, 1] - self.y
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        u = (cos * dx + sin * dy) / (self.length * self.width * (-1.0 if self.mirrored else 1.0))
        v = (sin * dx - cos * dy) / self.length + 0.5
        return np.stack([u, v], axis=1)

    def scaled(self, factor: float) -> Pose:
        """The same pose in a picture resampled by ``factor``."""
        return replace(self, x=self.x * factor, y=self.y * factor, length=self.length * factor)


def side_of(pose: Pose, *, view: str) -> str:
    """The person's own side: a left sole with its toes up has the great toe on the picture's left."""
    great_toe_left = not pose.mirrored
    return "left" if great_toe_left == (view == "plantar") else "right"


def side_is_mirrored(side: str, *, view: str) -> bool:
    """The inverse of :func:`side_of`."""
    return (side == "left") != (view == "plantar")


@dataclass(frozen=True, eq=False)
class SoleShape:
    """The average sole as an outline and a signed distance map.

    ``outline`` is (n, 2) in foot coordinates, evenly spaced; ``normals`` point outwards; ``distance`` is the signed
    distance to the outline in foot lengths, negative inside, on a grid of ``_RASTER`` cells a foot length.
    """

    outline: Points
    normals: Points
    distance: NDArray[np.float32]


def _smooth_closed(points: Points, count: int) -> Points:
    """A closed Catmull–Rom curve through ``points``."""
    p0, p1, p2, p3 = (np.roll(points, shift, axis=0) for shift in (1, 0, -1, -2))
    t = np.linspace(0.0, 1.0, count, endpoint=False)[:, None, None]
    curve = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    return np.swapaxes(curve, 0, 1).reshape(-1, 2)


def _to_raster(points: Points) -> Points:
    return np.stack([(points[:, 0] + 0.5) * _RASTER, (1.0 + _MARGIN - points[:, 1]) * _RASTER], axis=1)


def _from_raster(points: Points) -> Points:
    return np.stack([points[:, 0] / _RASTER - 0.5, 1.0 + _MARGIN - points[:, 1] / _RASTER], axis=1)


def signed_distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance of each pixel's centre from the mask's edge in pixels, negative inside; float32 (y, x)."""
    inside = mask.astype(np.uint8)
    outside_distance = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inside_distance = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.where(mask, 0.5 - inside_distance, outside_distance - 0.5), dtype=np.float32)


def evenly(points: Points, count: int) -> Points:
    """``count`` points at equal distances along the closed line ``points``."""
    closed = np.vstack([points, points[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    at = np.linspace(0.0, along[-1], count, endpoint=False)
    return np.stack([np.interp(at, along, closed[:, 0]), np.interp(at, along, closed[:, 1])], axis=1)


@lru_cache(maxsize=1)
def average_sole() -> SoleShape:
    """Draw the average sole once."""
    canvas = np.zeros((round(_RASTER * (1 + 2 * _MARGIN)), _RASTER), dtype=np.uint8)
    body = _to_raster(_smooth_closed(np.array(BODY), 8))
    cv2.fillPoly(canvas, [np.round(body * 16).astype(np.int32)], 1, shift=4)
    for base, tip, width in zip(TOE_BASES, TOE_TIPS, TOE_WIDTHS, strict=True):
        end = (tip[0], tip[1] - width / 2)
        (x0, y0), (x1, y1) = _to_raster(np.array([base, end])).round().astype(int).tolist()
        cv2.line(canvas, (x0, y0), (x1, y1), 1, thickness=round(width * _RASTER))
        cv2.circle(canvas, (x1, y1), round(width / 2 * _RASTER), 1, thickness=-1)
    distance = signed_distance(canvas > 0)
    contours, _ = cv2.findContours(canvas, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    ring = evenly(contours[0][:, 0, :].astype(np.float64) + 0.5, 200)
    smooth = np.stack(
        [np.convolve(np.pad(ring[:, i], 2, mode="wrap"), [0.1, 0.2, 0.4, 0.2, 0.1], "valid") for i in (0, 1)], 1
    )
    outline = _from_raster(smooth)
    tangent = np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0)
    normals = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1) / np.hypot(*tangent.T)[:, None]
    ahead = sample(distance, _to_raster(outline + 0.01 * normals))
    normals = normals if float(ahead.mean()) > 0 else -normals
    return SoleShape(outline, normals, distance / np.float32(_RASTER))


def sample(image: NDArray[np.float32], points: Points) -> NDArray[np.float64]:
    """Bilinear samples of ``image`` at (n, 2) points in pixel-edge coordinates; the border is repeated outside."""
    rows, columns = image.shape  # not cv2.remap: it rounds places to 1/32 pixel, which makes derivatives jump
    x = np.clip(points[:, 0] - 0.5, 0.0, columns - 1.0)
    y = np.clip(points[:, 1] - 0.5, 0.0, rows - 1.0)
    left, top = np.minimum(x.astype(np.int32), max(columns - 2, 0)), np.minimum(y.astype(np.int32), max(rows - 2, 0))
    right, below = (1 if columns > 1 else 0), (columns if rows > 1 else 0)
    x, y = x - left, y - top
    flat = np.ascontiguousarray(image).ravel()
    at = top * columns + left
    above = flat[at] * (1.0 - x) + flat[at + right] * x
    under = flat[at + below] * (1.0 - x) + flat[at + below + right] * x
    return np.asarray(above * (1.0 - y) + under * y, dtype=np.float64)


def distance_to_average(points: Points) -> NDArray[np.float64]:
    """Signed distance, in foot lengths, of (n, 2) foot coordinates from the average outline; negative inside."""
    return sample(average_sole().distance, _to_raster(points))
