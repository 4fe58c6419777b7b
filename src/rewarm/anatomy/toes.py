"""Splitting the front of a sole into five toes, from its outline's webs and from warm or cold lines between the toes.

Work is done on a fan: rays from a point in the middle of the foot, ``angle`` from the medial to the lateral side
(degrees from the foot's axis), ``radius`` in foot lengths. Every picture pixel has one place in the fan, so that the
split is exact in the picture, however the foot lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from rewarm.anatomy.fan import (
    ANGLES,
    HUB,
    RADII,
    Fan,
    Floats,
    concavity_near,
    expected_webs,
    lag,
    line_strength,
    lines_between_toes,
    polar,
    rim_concavity,
    rim_envelope,
)
from rewarm.anatomy.sole_shape import Points
from rewarm.regions import Mask

_CREASE_HALF_WIDTH: Final = 5  # radii
_RELATIVE_WIDTH_SD: Final = 0.24
_PLACE_SD_DEG: Final = 5.0
_BASE_SD: Final = 0.025
_USUAL_SHARES: Final = np.array([0.42, 0.16, 0.15, 0.13, 0.14])
_SHARE_SD: Final = 0.35
"""Each toe's share of all toes' area, and how much its logarithm varies between feet."""
_TILT_RADIUS: Final = 0.15
_TILTS_DEG: Final = (-16.0, -12.0, -8.0, -4.0, 0.0, 4.0, 8.0)
_USUAL_TILT: Final = -0.25
_TILT_SD_DEG: Final = 4.0
"""How a border between two toes may leave its ray: its angle changes by the tilt over ``_TILT_RADIUS`` foot lengths.

Toes splay less than the rays do, so the usual tilt is a share of the ray's own angle."""


@dataclass(frozen=True, eq=False)
class ToeSplit:
    """Where the toes are. ``separators`` (4, radius) are angles in degrees at each of :data:`RADII`; ``base``
    (angle,) is the radius of the line at the toes' bases; ``evidence`` (4,) is 0..1, how clearly each separator
    shows; ``base_evidence`` 0..1; ``notches`` counts the borders at which the rim bends in; ``score`` is the split's
    total.
    """

    separators: Floats
    base: Floats
    evidence: Floats
    base_evidence: float
    notches: int
    score: float


def split_toes(fan: Fan) -> ToeSplit:
    """Find four separators and the base line."""
    webs, prior = expected_webs(fan)
    lines, noise = lines_between_toes(fan, prior)
    before, after = lag(fan.temperature, 3, 0)
    steps = np.clip(np.abs(after - before) / max(2.0 * noise, 0.04), 0.0, 3.0)
    envelope = rim_envelope(fan.rim)
    zone = (RADII[None, :] >= prior[:, None] - 0.01) & (RADII[None, :] <= envelope[:, None])
    flesh = (zone & fan.inside).sum(axis=1) / np.maximum(zone.sum(axis=1), 4)
    best: tuple[float, NDArray[np.int_], float] | None = None
    for sign in (1.0, -1.0):
        column, tilts = _column(_evidence_map(fan, sign * lines, steps), zone, fan.rim, prior)
        for trust in (1.0, 0.5, 0.2):  # how far evidence outweighs the usual proportions
            score, places = _best_places(column, webs, flesh, trust)
            score += _area_prior(fan, places, tilts, prior, webs)
            if best is None or score > best[0]:
                best = (score, places, sign)
    assert best is not None
    score, places, sign = best
    evidence_map = _evidence_map(fan, sign * lines, steps)
    column, tilts = _column(evidence_map, zone, fan.rim, prior)
    separators = np.stack([_separator(evidence_map, p, float(tilts[p]), fan.rim, prior) for p in places.tolist()])
    base, base_evidence = _base_line(fan, prior, separators, places, sign, lines, noise)
    evidence = 1.0 / (1.0 + np.exp(-1.8 * (_prominence(column, places) - 0.7)))
    notches = int((concavity_near(fan.rim, separators) > 0.4).sum())
    return ToeSplit(separators, base, evidence, base_evidence, notches, float(score))


def _evidence_map(fan: Fan, lines: Floats, steps: Floats) -> Floats:
    """How much each place of the fan looks like the border of two toes.

    Lines of the usual sign count most; strong ones of the other sign (an open web that shows the bed) and steps from
    one toe's temperature to the next count too; background most of all.
    """
    seen = np.minimum(np.maximum(lines, -lines - 1.5) + 0.35 * steps, 3.0)
    return np.asarray(np.where(fan.inside, seen, 3.5), dtype=np.float64)


def _column(evidence: Floats, zone: Mask, rim: Floats, prior: Floats) -> tuple[Floats, Floats]:
    """For a border that starts at each ray: its evidence, and the tilt (degrees a ``_TILT_RADIUS``) it runs at."""
    concavity = rim_concavity(rim)
    rays = np.arange(len(ANGLES))
    beyond = (RADII[None, :] - prior[:, None]) / _TILT_RADIUS
    scores = []
    for tilt in _TILTS_DEG:
        ray = np.clip(np.rint(rays[:, None] + tilt * beyond), 0, len(ANGLES) - 1).astype(np.int_)
        inside = zone[ray, np.arange(len(RADII))[None, :]] & (beyond > -0.1)
        mean = np.where(inside, evidence[ray, np.arange(len(RADII))[None, :]], 0.0).sum(axis=1)
        mean /= np.maximum(inside.sum(axis=1), 5)
        at_rim = np.clip(np.rint(rays + tilt * np.clip((rim - prior) / _TILT_RADIUS, 0.0, 2.0)), 0, len(ANGLES) - 1)
        scores.append(
            0.8 * mean
            + 0.8 * concavity[at_rim.astype(np.int_)]
            - 0.5 * ((tilt - _USUAL_TILT * ANGLES) / _TILT_SD_DEG) ** 2
        )
    stack = np.stack(scores)
    pick = np.argmax(stack, axis=0)
    return stack[pick, rays], np.array(_TILTS_DEG)[pick]


def _prominence(column: Floats, places: NDArray[np.int_]) -> Floats:
    """How far the evidence at each border stands out over the lowest within a toe's breadth on its weaker side."""
    result = []
    for place in places.tolist():
        left, right = column[max(place - 9, 0) : place + 1], column[place : place + 10]
        result.append(float(column[place] - max(left.min(), right.min())))
    return np.array(result)


def _area_prior(fan: Fan, places: NDArray[np.int_], tilts: Floats, prior: Floats, webs: Floats) -> float:
    """Log-probability of the five toes' shares of the skin beyond their base."""
    beyond = np.maximum((RADII - prior[places][:, None]) / _TILT_RADIUS, 0.0)
    courses = ANGLES[places][:, None] + tilts[places][:, None] * np.minimum(beyond, 1.6)
    label = (ANGLES[:, None, None] > courses.T[None, :, :]).sum(axis=2)
    toes = fan.inside & (RADII[None, :] > prior[:, None]) & (webs[0] <= ANGLES)[:, None] & (webs[5] >= ANGLES)[:, None]
    areas = np.bincount(label[toes], weights=np.broadcast_to(RADII[None, :], label.shape)[toes], minlength=5)
    shares = np.maximum(areas / max(float(areas.sum()), 1e-9), 1e-3)
    return float(-0.5 * np.sum((np.log(shares / _USUAL_SHARES) / _SHARE_SD) ** 2))


def _best_places(column: Floats, webs: Floats, flesh: Floats, trust: float) -> tuple[float, NDArray[np.int_]]:
    """Four rays of largest total, with the toes' expected widths and places as priors (dynamic programming).

    ``flesh`` (angle,) is the share of each ray beyond the toes' base that is skin: open gaps add nothing to a toe's
    width.
    """
    n = len(ANGLES)
    widths = np.diff(webs)
    toes = (webs[0] < ANGLES) & (webs[5] > ANGLES)
    across = np.cumsum(np.where(toes, np.maximum(flesh, 0.02), 1.0))
    across *= float(webs[5] - webs[0]) / max(float(across[toes].max() - across[toes].min()), 1.0)
    start, end = (float(np.interp(web, ANGLES, across)) for web in (webs[0], webs[5]))
    place = -0.5 * ((ANGLES[None, :] - webs[1:5, None]) / _PLACE_SD_DEG) ** 2
    own = trust * column[None, :] + place
    back = np.zeros((4, n), dtype=np.int_)
    scores = own[0] + _width_prior(across - start, float(widths[0]))
    step = across[None, :] - across[:, None]  # (from, to)
    dip = _dip(column) * trust
    for i in range(1, 4):
        total = scores[:, None] + _width_prior(step, float(widths[i])) + dip
        back[i] = np.argmax(total, axis=0)
        scores = total[back[i], np.arange(n)] + own[i]
    scores = scores + _width_prior(end - across, float(widths[4]))
    places = np.empty(4, dtype=np.int_)
    places[3] = int(np.argmax(scores))
    for i in (3, 2, 1):
        places[i - 1] = back[i, places[i]]
    return float(scores[places[3]] + (1.0 - trust) * column[places].sum()), places


def _dip(column: Floats) -> Floats:
    """Penalty (from, to) for two borders without a toe in between: the evidence must fall and rise again."""
    n = len(column)
    lowest = np.minimum.accumulate(np.where(np.tri(n, dtype=bool).T, column[None, :], np.inf), axis=1)
    depth = np.minimum(column[:, None], column[None, :]) - lowest
    return np.asarray(-3.0 * np.clip(1.0 - depth, 0.0, 1.0))


def _width_prior(width: Floats, usual: float) -> Floats:
    return np.asarray(-0.5 * (np.log(np.maximum(width, 0.5) / usual) / _RELATIVE_WIDTH_SD) ** 2)


def _cheapest_path(cost: Floats, reach: int) -> NDArray[np.int_]:
    """Column of the cheapest path through ``cost`` (rows, columns), one a row, at most ``reach`` columns a step."""
    rows, columns = cost.shape
    back = np.zeros((rows, columns), dtype=np.int_)
    shifts = np.arange(-reach, reach + 1)
    bends = 0.15 * np.abs(shifts)[:, None]
    places = np.arange(columns)
    edged = np.full(columns + 2 * reach, np.inf)  # the totals so far, between walls
    edged[reach : reach + columns] = cost[0]
    neighbours = np.lib.stride_tricks.sliding_window_view(edged, columns)  # row i: the totals seen with shifts[i]
    for row in range(1, rows):
        choices = neighbours + bends
        pick = choices.argmin(axis=0)
        back[row] = places + shifts[pick]
        edged[reach : reach + columns] = choices[pick, places] + cost[row]
    total = edged[reach : reach + columns]
    path = np.empty(rows, dtype=np.int_)
    path[-1] = int(np.argmin(total))
    for row in range(rows - 1, 0, -1):
        path[row - 1] = back[row, path[row]]
    return path


def _separator(evidence: Floats, place: int, tilt: float, rim: Floats, prior: Floats) -> Floats:
    """One separator, angle in degrees at each radius: near its tilted ray, along the line between two toes."""
    low, high = max(place - 16, 0), min(place + 17, len(ANGLES))
    course = ANGLES[place] + tilt * np.clip((RADII - prior[place]) / _TILT_RADIUS, -0.3, 1.6)
    away = ANGLES[low:high][None, :] - course[:, None]
    end = int(np.clip(np.rint(place + tilt * (rim[place] - prior[place]) / _TILT_RADIUS), 0, len(ANGLES) - 1))
    seen = (prior[place] - 0.05 < RADII) & (max(float(rim[end]), float(rim[place])) + 0.02 >= RADII)
    cost = np.where(seen[:, None], 0.5 * (away / 3.0) ** 2 - 0.5 * evidence[low:high].T, 0.3 * away**2)
    path = _cheapest_path(cost, 1)
    return np.asarray(gaussian_filter(ANGLES[low:high][path].astype(np.float64), 1.5, mode="nearest"))


def _base_line(
    fan: Fan,
    prior: Floats,
    separators: Floats,
    places: NDArray[np.int_],
    sign: float,
    lines: Floats,
    noise: float,
) -> tuple[Floats, float]:
    """The line at the toes' bases: through open webs, along the crease elsewhere, near its usual place."""
    envelope = rim_envelope(fan.rim)
    pins: dict[int, float] = {}
    for separator in separators:
        bottom = _web_bottom(fan, separator, prior, lines, envelope)
        if bottom is not None:
            pins[bottom[0]] = bottom[1]
    if pins:  # what open webs say about the line holds beyond them, too
        at = sorted(pins)
        shift = np.interp(ANGLES, ANGLES[at], [pins[i] - float(prior[i]) for i in at])
        prior = prior + np.clip(shift, -0.04, 0.045)
    creases = line_strength(fan.temperature, _CREASE_HALF_WIDTH, 1)
    z = np.clip(sign * creases / max(noise, 0.02), -3.0, 3.0)
    z = np.where(fan.inside, z, 0.0)
    cost = 0.5 * ((RADII[None, :] - prior[:, None]) / _BASE_SD) ** 2 - 0.35 * z
    for place, radius in pins.items():
        cost[max(place - 1, 0) : place + 2] += 2.0 * ((RADII - radius) / 0.012) ** 2
    path = _cheapest_path(cost, 2)
    crease = float(np.mean(z[np.arange(len(ANGLES)), path][max(places[0] - 10, 0) : places[3] + 8]))
    evidence = 1.0 / (1.0 + np.exp(-1.5 * (crease + 0.6 * len(pins) - 0.8)))
    return np.asarray(gaussian_filter(RADII[path], 1.5, mode="nearest")), float(evidence)


def _web_bottom(
    fan: Fan, separator: Floats, prior: Floats, lines: Floats, envelope: Floats
) -> tuple[int, float] | None:
    """Ray and radius at which an open web ends: where background, or a cold cleft, begins along a separator."""
    ray = np.clip(np.rint(separator - ANGLES[0]).astype(np.int_), 1, len(ANGLES) - 2)
    cells = np.arange(len(RADII))
    open_cells, cold_cells = np.zeros(len(RADII), dtype=bool), np.zeros(len(RADII), dtype=bool)
    for side in (-1, 0, 1):
        open_cells |= ~fan.inside[ray + side, cells]
        cold_cells |= lines[ray + side, cells] < -2.0
    usual = prior[ray]
    near = np.abs(RADII - usual - 0.015) < 0.075
    outer = envelope[ray] - 0.01 > RADII
    for kind, least in ((open_cells, 0.5), (open_cells | cold_cells, 0.75)):
        runs = kind & near & np.roll(kind, -1) & np.roll(kind, -2)
        if not runs.any():
            continue
        first = int(np.argmax(runs))
        rest = (cells >= first) & outer
        over = float(RADII[first] - usual[first])
        deep = float(envelope[ray[first]] - RADII[first]) > 0.035  # otherwise only the notch between two tips is open
        if rest.any() and float(kind[rest].mean()) >= least and -0.05 < over < (0.08 if deep else 0.03):
            return int(ray[first]), float(RADII[first])
    return None


def toe_labels(split: ToeSplit, foot_points: Points) -> NDArray[np.int8]:
    """0 for the sole behind the toes, 1..5 for the toes, at (n, 2) foot coordinates."""
    angle, radius = polar(foot_points)
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
