"""Finding two soles by their outline alone, where no level of temperature cuts them out.

Soles in front of legs that are as warm have rims that are here warmer, there colder than what is behind. So the average
outline is laid over the picture's edges, whatever their sign, in many places, turns and sizes (oriented chamfer
matching, Shotton et al. 2008, doi 10.1109/TPAMI.2007.70772); the best pair that mirrors itself, as two feet of one
person do, is kept, and its rim is drawn to the strongest edges nearby (active shapes, Cootes et al. 1995, doi
10.1006/cviu.1995.1004).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import minimize

from rewarm.anatomy.sole_shape import Points, Pose, average_sole, sample
from rewarm.regions import Mask

Image = NDArray[np.float32]
Floats = NDArray[np.float64]

_SEARCH_SIZE_PX: Final = 116.0
_DIRECTIONS: Final = 8
_TURNS_DEG: Final = np.arange(-42.0, 42.1, 7.0)
_LENGTHS: Final = (0.24, 0.28, 0.33, 0.39, 0.46, 0.54, 0.64)
"""Foot lengths that are tried, in shares of the picture's longer side."""
_WIDTHS: Final = (0.9, 1.15)
_KEEP: Final = 40
_FAINTEST_C_PER_PX: Final = 0.02
"""A slope below this is no edge, however even the rest of the picture is."""
_SIZE_BONUS: Final = 0.04
_SETTLED: Final = 8


@dataclass(frozen=True)
class Sighting:
    """A pose, and the mean strength of aligned edges along its outline, 0..1."""

    pose: Pose
    score: float


def edge_channels(picture: Image) -> NDArray[np.float32]:
    """Strength of edges by the direction of their normal, (direction, y, x), 0..1; directions cover half a turn."""
    smooth = cv2.GaussianBlur(picture, (0, 0), 1.0)
    gx, gy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125)
    size = np.hypot(gx, gy)
    usual = max(float(np.percentile(size, 75)), _FAINTEST_C_PER_PX)
    strength = size / (size + 2.0 * usual)
    channels = []
    for k in range(_DIRECTIONS):
        angle = np.pi * k / _DIRECTIONS
        along = np.abs(gx * np.cos(angle) + gy * np.sin(angle)) / np.maximum(size, 1e-6)
        channels.append(cv2.GaussianBlur((strength * along**4).astype(np.float32), (0, 0), 1.0))
    return np.stack(channels)


def _laid_out(pose: Pose, every: int) -> tuple[Points, NDArray[np.int_]]:
    """The outline in the picture, and the edge channel of each point's normal."""
    shape = average_sole()
    points = pose.to_picture(shape.outline)
    tangent = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    normal = np.arctan2(tangent[:, 0], -tangent[:, 1])
    channel = np.rint((normal % np.pi) / np.pi * _DIRECTIONS).astype(np.int_) % _DIRECTIONS
    return points[::every], channel[::every]


def find_pair(temperature_c: Image) -> list[Sighting]:
    """The two soles, toes up, that lie best on the edges of a picture (y, x), °C; empty where nothing does."""
    factor = _SEARCH_SIZE_PX / max(temperature_c.shape)
    small = cv2.resize(temperature_c, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    channels = edge_channels(small)
    sightings = {mirrored: _scan(channels, mirrored) for mirrored in (False, True)}
    pairs = [(one, other) for one in sightings[False] for other in sightings[True]]
    pairs = sorted(pairs, key=lambda pair: -_pair_score(*pair))
    chosen: list[Sighting] = []
    for pair in pairs:  # every sighting of the best pairs is looked at again, finer
        chosen += [sighting for sighting in pair if sighting not in chosen]
        if len(chosen) >= _SETTLED:
            break
    finer = min(1.0, 2.0 * factor)
    picture = cv2.resize(temperature_c, None, fx=finer, fy=finer, interpolation=cv2.INTER_AREA)
    fine = edge_channels(picture)
    settled = [_settle(fine, sighting.pose.scaled(finer / factor)) for sighting in chosen]
    settled = [Sighting(sighting.pose.scaled(1.0 / finer), sighting.score) for sighting in settled]
    pairs = [(one, two) for one in settled for two in settled if one.pose.mirrored < two.pose.mirrored]
    if not pairs:
        return []
    return list(max(pairs, key=lambda pair: _pair_score(*pair)))


def _pair_score(one: Sighting, other: Sighting) -> float:
    larger = _SIZE_BONUS * float(np.log(one.pose.length * other.pose.length))  # short outlines fit by chance
    return one.score + other.score + _mirror_prior(one.pose, other.pose) + larger


def _scan(channels: NDArray[np.float32], mirrored: bool) -> list[Sighting]:
    _, rows, columns = channels.shape
    longer = max(rows, columns)
    found: list[Sighting] = []
    for share in _LENGTHS:
        for width in _WIDTHS:
            for turn in _TURNS_DEG:
                pose = Pose(0.0, 0.0, share * longer, width, float(np.radians(turn)), mirrored)
                found += _slide(channels, pose)
    found.sort(key=lambda sighting: -sighting.score)
    kept: list[Sighting] = []
    for sighting in found:
        if all(_apart(sighting.pose, other.pose) for other in kept):
            kept.append(sighting)
        if len(kept) == _KEEP:
            break
    return kept


def _apart(one: Pose, other: Pose) -> bool:
    return bool(
        np.hypot(one.x - other.x, one.y - other.y) > 0.12 * other.length or abs(np.log(one.length / other.length)) > 0.2
    )


def _slide(channels: NDArray[np.float32], pose: Pose) -> list[Sighting]:
    """Move the outline over every place where it lies inside the picture; the best few."""
    points, channel = _laid_out(pose, 6)
    cells = np.floor(points).astype(np.int_)
    low, high = cells.min(axis=0), cells.max(axis=0)
    _, rows, columns = channels.shape
    free_x, free_y = columns - int(high[0] - low[0]), rows - int(high[1] - low[1])
    if free_x < 1 or free_y < 1:
        return []
    total = np.zeros((free_y, free_x), dtype=np.float32)
    for (x, y), k in zip((cells - low).tolist(), channel.tolist(), strict=True):
        total += channels[k, y : y + free_y, x : x + free_x]
    total /= len(cells)
    result = []
    for _ in range(3):
        y, x = np.unravel_index(int(np.argmax(total)), total.shape)
        result.append(Sighting(replace(pose, x=float(x - low[0]), y=float(y - low[1])), float(total[y, x])))
        reach = max(2, int(0.1 * pose.length))
        total[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1] = 0.0
    return result


def _mirror_prior(one: Pose, other: Pose) -> float:
    """Two feet of one person: as long, as wide, mirror images, great toes towards each other, toes outwards."""
    size = np.log(one.length / other.length) / 0.12
    width = np.log(one.width / other.width) / 0.25
    turn = (one.turn + other.turn) / np.radians(14.0)
    splay = (0.5 * (one.turn - other.turn) - np.radians(10.0)) / np.radians(16.0)
    dx, dy = (one.x - other.x) / one.length, (one.y - other.y) / one.length
    if dx < 0.30:
        return -10.0
    odd = size**2 + width**2 + turn**2 + splay**2 + (dy / 0.25) ** 2 + (max(dx - 1.0, 0.0) / 0.3) ** 2
    return float(-0.02 * odd)


def outline_score(channels: NDArray[np.float32], pose: Pose, every: int = 2) -> float:
    """Mean strength of aligned edges along a pose's outline."""
    points, channel = _laid_out(pose, every)
    values = np.empty(len(points))
    for k in range(_DIRECTIONS):
        here = channel == k
        if here.any():
            values[here] = sample(channels[k], points[here])
    _, rows, columns = channels.shape
    outside = (points[:, 0] < 0) | (points[:, 1] < 0) | (points[:, 0] > columns) | (points[:, 1] > rows)
    values[outside] = 0.0
    return float(values.mean())


def _settle(channels: NDArray[np.float32], start: Pose) -> Sighting:
    def moved(p: Floats) -> Pose:
        return replace(
            start,
            x=start.x + float(p[0]) * start.length,
            y=start.y + float(p[1]) * start.length,
            length=start.length * float(np.exp(p[2])),
            width=start.width * float(np.exp(p[3])),
            turn=start.turn + float(p[4]),
        )

    def cost(p: Floats) -> float:
        return -outline_score(channels, moved(p), 4) + 0.4 * float(np.sum(np.square(p[:4] / 0.25))) * 0.02

    simplex = np.vstack([np.zeros(5), np.diag([0.03, 0.03, 0.06, 0.08, 0.08])])
    solution = minimize(cost, np.zeros(5), method="Nelder-Mead", options={"maxfev": 140, "initial_simplex": simplex})
    best = np.array([float(value) for value in solution.x])
    pose = moved(np.round(best, 7))
    return Sighting(pose, outline_score(channels, pose))


def draw_to_edges(temperature_c: Image, pose: Pose) -> tuple[Mask, float]:
    """The foot's mask (y, x) with its rim on the strongest edges near ``pose``'s outline; and how much of it lies on
    one.

    The rim moves along its normals by at most 0.05 foot lengths, smoothly (dynamic programming).
    """
    shape = average_sole()
    outline = pose.to_picture(shape.outline)
    tangent = np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1) / np.maximum(np.hypot(*tangent.T)[:, None], 1e-9)
    smooth = cv2.GaussianBlur(temperature_c, (0, 0), 1.2)
    offsets = np.linspace(-0.05, 0.05, 21) * pose.length
    probes = outline[:, None, :] + offsets[None, :, None] * normal[:, None, :]
    inner = sample(smooth, (probes - 1.5 * normal[:, None, :]).reshape(-1, 2)).reshape(len(outline), -1)
    outer = sample(smooth, (probes + 1.5 * normal[:, None, :]).reshape(-1, 2)).reshape(len(outline), -1)
    step = np.abs(outer - inner)
    usual = max(float(np.percentile(step, 60)), _FAINTEST_C_PER_PX)
    strength = step / (step + usual)
    cost = -strength + 0.15 * (offsets[None, :] / (0.04 * pose.length)) ** 2
    path = _closed_path(cost)
    moved = gaussian_filter1d(offsets[path], 1.5, mode="wrap")
    rim = outline + moved[:, None] * normal
    canvas = np.zeros(temperature_c.shape, dtype=np.uint8)
    cv2.fillPoly(canvas, [np.round((rim - 0.5) * 16).astype(np.int32)], 1, shift=4)
    return canvas > 0, float(np.mean(strength[np.arange(len(path)), path] > 0.6))


def _closed_path(cost: Floats) -> NDArray[np.int_]:
    """One column a row, changing by at most one a step, around a closed line: two rounds, the second one kept."""
    rows, columns = cost.shape
    twice = np.vstack([cost, cost])
    total = twice[0].copy()
    back = np.zeros((2 * rows, columns), dtype=np.int_)
    for row in range(1, 2 * rows):
        padded = np.pad(total, 1, constant_values=np.inf)
        choices = np.stack([padded[:-2] + 0.05, padded[1:-1], padded[2:] + 0.05])
        pick = np.argmin(choices, axis=0)
        back[row] = np.arange(columns) + pick - 1
        total = choices[pick, np.arange(columns)] + twice[row]
    path = np.empty(2 * rows, dtype=np.int_)
    path[-1] = int(np.argmin(total))
    for row in range(2 * rows - 1, 0, -1):
        path[row - 1] = back[row, path[row]]
    middle = rows // 2
    return np.concatenate([path[rows : rows + middle], path[middle:rows]])
