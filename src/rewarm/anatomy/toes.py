"""Splitting the front of a sole into five toes, from its outline's webs and from warm or cold lines between the toes.

Work is done on a fan: rays from a point in the middle of the foot, ``angle`` from the medial to the lateral side
(degrees from the foot's axis), ``radius`` in foot lengths. Every picture pixel has one place in the fan, so that the
split is exact in the picture, however the foot lies.
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
_CREASE_HALF_WIDTH: Final = 5  # radii
_RELATIVE_WIDTH_SD: Final = 0.24
_PLACE_SD_DEG: Final = 5.0
_BASE_SD: Final = 0.025


def _polar(points: Points) -> tuple[Floats, Floats]:
    du, dv = points[:, 0] - HUB[0], points[:, 1] - HUB[1]
    return np.degrees(np.arctan2(du, dv)), np.hypot(du, dv)


_WEB_ANGLES, _WEB_RADII = _polar(np.array([GREAT_TOE_BASE, *WEBS, LITTLE_TOE_BASE]))
_CREASE_ANGLE, _CREASE_RADIUS = (float(values[0]) for values in _polar(np.array([LITTLE_TOE_CREASE])))


@dataclass(frozen=True, eq=False)
class Fan:
    """Temperature and silhouette along the rays: (angle, radius) arrays; temperature is filled in outside the foot."""

    temperature: Floats
    inside: Mask
    rim: Floats
    """Radius of the outermost silhouette point on each ray, 0 where there is none."""


@dataclass(frozen=True, eq=False)
class ToeSplit:
    """Where the toes are. ``separators`` (4, radius) are angles in degrees at each of :data:`RADII`; ``base`` (angle,) is the
    radius of the line at the toes' bases; ``evidence`` (4,) is 0..1, how clearly each separator shows; ``base_evidence``
    0..1; ``score`` is the split's total, for choosing between mirror images.
    """

    separators: Floats
    base: Floats
    evidence: Floats
    base_evidence: float
    score: float
    rim: Floats


def make_fan(temperature_c: NDArray[np.float32], mask: Mask, pose: Pose) -> Fan:
    """Sample the picture (y, x) along the rays of ``pose``."""
    angle, radius = np.meshgrid(np.radians(ANGLES), RADII, indexing="ij")
    foot = np.stack([(HUB[0] + radius * np.sin(angle)).ravel(), (HUB[1] + radius * np.cos(angle)).ravel()], axis=1)
    points = pose.to_picture(foot)
    inside = (sample(mask.astype(np.float32), points) > 0.5).reshape(angle.shape)
    filled = fill_outside(temperature_c, mask, reach_px=max(2.0, 0.03 * pose.length))
    values = sample(filled, points).reshape(angle.shape)
    rim = np.where(inside.any(axis=1), RADII[inside.shape[1] - 1 - np.argmax(inside[:, ::-1], axis=1)], 0.0)
    return Fan(gaussian_filter(values, (1.2, 1.2)), inside, rim)


def fill_outside(temperature_c: NDArray[np.float32], mask: Mask, *, reach_px: float) -> NDArray[np.float32]:
    """The picture with everything outside ``mask`` replaced by a blur of what is inside, so that its rim makes no edge."""
    weight = mask.astype(np.float32)
    values = np.where(mask, temperature_c, 0.0).astype(np.float32)
    mean = float(values.sum() / max(weight.sum(), 1.0))
    filled = np.full(mask.shape, mean, dtype=np.float32)
    for sigma in (4 * reach_px, reach_px):
        w = cv2.GaussianBlur(weight, (0, 0), sigma)
        t = cv2.GaussianBlur((values - mean) * weight, (0, 0), sigma)
        filled = np.where(w > 0.02, mean + t / np.maximum(w, 1e-6), filled).astype(np.float32)
    return np.where(mask, temperature_c, filled).astype(np.float32)


def _lag(values: Floats, lag: int, axis: int) -> tuple[Floats, Floats]:
    pad = [(0, 0), (0, 0)][: values.ndim]
    pad[axis] = (lag, lag)
    padded = np.pad(values, pad, mode="edge")
    n = values.shape[axis]
    return np.take(padded, np.arange(n), axis=axis), np.take(padded, np.arange(2 * lag, n + 2 * lag), axis=axis)


def _line_strength(values: Floats, lag: int, axis: int) -> Floats:
    """Warm lines positive, cold ones negative: a value against the mean of both neighbours ``lag`` away."""
    before, after = _lag(values, lag, axis)
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
        ends = np.array([ANGLES[medial[0]], ANGLES[lateral[-1]]])
        ends = np.clip(ends, webs[[0, 5]] - 10.0, webs[[0, 5]] + 10.0)
        webs = np.interp(webs, webs[[0, 5]], ends)
    crease = np.interp(_CREASE_ANGLE, _WEB_ANGLES, webs)
    angles = np.array([*webs[:5], crease, webs[5]])
    radii = np.array([*_WEB_RADII[:5], _CREASE_RADIUS, _WEB_RADII[5]])
    for end, angle in ((0, webs[0]), (-1, webs[5])):
        rim = float(np.interp(angle, ANGLES, fan.rim))
        radii[end] = float(np.clip(rim, radii[end] - 0.04, radii[end] + 0.04))
    return webs, np.interp(ANGLES, angles, radii)


def split_toes(fan: Fan) -> ToeSplit:
    """Find four separators and the base line."""
    webs, prior = expected_webs(fan)
    lines = _line_strength(fan.temperature, _LINE_HALF_WIDTH_DEG, 0)
    ball = (RADII[None, :] < prior[:, None] - 0.05) & (RADII[None, :] > 0.1) & fan.inside
    noise = float(np.sqrt(np.mean(lines[ball] ** 2))) if ball.any() else 1.0
    z = np.clip(lines / max(noise, 0.02), -4.0, 4.0)
    before, after = _lag(fan.temperature, 3, 0)
    steps = np.clip(np.abs(after - before) / max(2.0 * noise, 0.04), 0.0, 3.0)
    envelope = _envelope(fan.rim)
    band = (RADII[None, :] >= prior[:, None] - 0.01) & (RADII[None, :] <= fan.rim[:, None])
    gap = _gap_depth(fan, prior, envelope)
    concavity = np.clip(-_line_strength(fan.rim, _LINE_HALF_WIDTH_DEG, 0) / 0.012, -2.0, 3.0)
    toes_inside = np.maximum(band.sum(axis=1), 4)
    best: tuple[float, NDArray[np.int_], float] | None = None
    for sign in (1.0, -1.0):
        line_score = np.where(band & fan.inside, _evidence(sign * z, steps), 0.0).sum(axis=1) / toes_inside
        column = 0.9 * line_score + 0.8 * concavity + 1.2 * np.minimum(gap / 0.03, 2.5)
        total, places = _best_places(column, webs)
        if best is None or total > best[0]:
            best = (total, places, sign)
    assert best is not None
    score, places, sign = best
    evidence_map = np.where(fan.inside, _evidence(sign * z, steps), 3.0)
    base, base_evidence = _base_line(fan, prior, places, sign, noise)
    separators = np.stack([_separator(evidence_map, int(place), fan.rim) for place in places])
    line_at = np.array(
        [np.where(band & fan.inside, _evidence(sign * z, steps), 0.0)[p].sum() / toes_inside[p] for p in places]
    )
    strength = 0.9 * line_at + 0.8 * concavity[places] + 1.2 * np.minimum(gap[places] / 0.03, 2.5)
    evidence = 1.0 / (1.0 + np.exp(-1.6 * (strength - 1.0)))
    return ToeSplit(separators, base, evidence, base_evidence, float(score), fan.rim)


def _evidence(lines: Floats, steps: Floats) -> Floats:
    """Lines of the usual sign count most; strong ones of the other sign (an open web that shows the bed) and steps too."""
    return np.asarray(np.maximum(lines, -lines - 1.5) + 0.35 * steps, dtype=np.float64)


def _envelope(rim: Floats) -> Floats:
    return np.asarray(minimum_filter1d(maximum_filter1d(rim, 9), 9), dtype=np.float64)


def _gap_depth(fan: Fan, prior: Floats, envelope: Floats) -> Floats:
    """How much background, in foot lengths, each ray meets between the toes' base and the line over the toes' tips."""
    zone = (RADII[None, :] >= prior[:, None] - 0.03) & (RADII[None, :] <= envelope[:, None])
    return np.asarray((zone & ~fan.inside).sum(axis=1) * 0.005, dtype=np.float64)


def _best_places(column: Floats, webs: Floats) -> tuple[float, NDArray[np.int_]]:
    """Four angles of largest total, with the toes' expected widths and places as priors (dynamic programming)."""
    n = len(ANGLES)
    widths = np.diff(webs)
    scores = np.empty((4, n))
    back = np.zeros((4, n), dtype=np.int_)
    place = -0.5 * ((ANGLES[None, :] - webs[1:5, None]) / _PLACE_SD_DEG) ** 2
    first = np.log(np.maximum(ANGLES - webs[0], 1.0) / widths[0]) / _RELATIVE_WIDTH_SD
    last = np.log(np.maximum(webs[5] - ANGLES, 1.0) / widths[4]) / _RELATIVE_WIDTH_SD
    scores[0] = column + place[0] - 0.5 * first**2
    step = ANGLES[None, :] - ANGLES[:, None]  # (from, to)
    for i in range(1, 4):
        deviation = np.where(step > 3.0, np.log(np.maximum(step, 1.0) / widths[i]) / _RELATIVE_WIDTH_SD, 40.0)
        total = scores[i - 1][:, None] - 0.5 * deviation**2
        back[i] = np.argmax(total, axis=0)
        scores[i] = total[back[i], np.arange(n)] + column + place[i]
    scores[3] -= 0.5 * last**2
    places = np.empty(4, dtype=np.int_)
    places[3] = int(np.argmax(scores[3]))
    for i in (3, 2, 1):
        places[i - 1] = back[i, places[i]]
    return float(scores[3, places[3]]), places


def _cheapest_path(cost: Floats, reach: int) -> NDArray[np.int_]:
    """Column of the cheapest path through ``cost`` (rows, columns), one cell a row, at most ``reach`` columns a step."""
    rows, columns = cost.shape
    total = cost[0].copy()
    back = np.zeros((rows, columns), dtype=np.int_)
    shifts = np.arange(-reach, reach + 1)
    for row in range(1, rows):
        padded = np.pad(total, reach, constant_values=np.inf)
        choices = np.stack([padded[reach + s : reach + s + columns] + 0.15 * abs(s) for s in shifts])
        pick = np.argmin(choices, axis=0)
        back[row] = np.clip(np.arange(columns) + shifts[pick], 0, columns - 1)
        total = choices[pick, np.arange(columns)] + cost[row]
    path = np.empty(rows, dtype=np.int_)
    path[-1] = int(np.argmin(total))
    for row in range(rows - 1, 0, -1):
        path[row - 1] = back[row, path[row]]
    return path


def _separator(evidence: Floats, place: int, rim: Floats) -> Floats:
    """One separator, angle at each radius: near its ray, along the line between two toes."""
    low, high = max(place - 7, 0), min(place + 8, len(ANGLES))
    near = ANGLES[low:high] - ANGLES[place]
    outer = RADII <= max(float(rim[place]) + 0.02, 0.2)
    cost = -0.5 * evidence[low:high].T + 0.5 * (near[None, :] / 3.0) ** 2
    cost = np.where((outer & (RADII > 0.18))[:, None], cost, 0.3 * near[None, :] ** 2)
    path = _cheapest_path(cost, 1)
    smooth = gaussian_filter(ANGLES[low:high][path].astype(np.float64), 2.0, mode="nearest")
    return np.asarray(smooth)


def _base_line(fan: Fan, prior: Floats, places: NDArray[np.int_], sign: float, noise: float) -> tuple[Floats, float]:
    """The line at the toes' bases: through the bottoms of open webs, along the crease elsewhere, near its usual place."""
    creases = _line_strength(fan.temperature, _CREASE_HALF_WIDTH, 1)
    z = np.clip(sign * creases / max(noise, 0.02), -3.0, 3.0)
    z = np.where(fan.inside, z, 0.0)
    cost = 0.5 * ((RADII[None, :] - prior[:, None]) / _BASE_SD) ** 2 - 0.35 * z
    pinned = 0
    for place in places:
        bottom = _web_bottom(fan, int(place), float(prior[place]))
        if bottom is not None:
            pinned += 1
            cost[max(place - 1, 0) : place + 2] += 2.0 * ((RADII - bottom) / 0.012) ** 2
    path = _cheapest_path(cost, 2)
    crease = float(np.mean(z[np.arange(len(ANGLES)), path][places[0] - 10 : places[3] + 8]))
    evidence = 1.0 / (1.0 + np.exp(-1.5 * (crease + 0.6 * pinned - 0.8)))
    return np.asarray(gaussian_filter(RADII[path], 1.5, mode="nearest")), float(evidence)


def _web_bottom(fan: Fan, place: int, prior: float) -> float | None:
    """Radius at which an open web ends, if one shows within two rays of ``place``."""
    bottoms = []
    for ray in range(max(place - 2, 0), min(place + 3, len(ANGLES))):
        open_cells = (~fan.inside[ray]) & (RADII > prior - 0.06) & (RADII < prior + 0.10)
        if open_cells.any():
            bottoms.append(float(RADII[int(np.argmax(open_cells))]))
    return min(bottoms) if bottoms else None


def toe_labels(split: ToeSplit, foot_points: Points) -> NDArray[np.int8]:
    """0 for the sole behind the toes, 1..5 for the toes, at (n, 2) foot coordinates."""
    angle, radius = _polar(foot_points)
    distal = (radius > np.interp(angle, ANGLES, split.base)) & (foot_points[:, 1] > HUB[1] + 0.1)
    label = np.ones(len(angle), dtype=np.int8)
    for separator in split.separators:
        label += (angle > np.interp(radius, RADII, separator)).astype(np.int8)
    return np.where(distal, label, 0).astype(np.int8)


def web_points(split: ToeSplit) -> Points:
    """The four webs, (4, 2) foot coordinates, where the separators meet the base line."""
    points = []
    for separator in split.separators:
        at_base = np.interp(separator, ANGLES, split.base)
        cell = int(np.argmin(np.abs(RADII - at_base)))
        angle = np.radians(separator[cell])
        points.append((HUB[0] + RADII[cell] * np.sin(angle), HUB[1] + RADII[cell] * np.cos(angle)))
    return np.array(points)
