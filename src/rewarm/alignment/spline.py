"""A smooth plane map through points and lines: a thin-plate spline fitted by least squares on few control points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from rewarm.alignment.shapes import WHOLE, Outline

Points = NDArray[np.float64]

STIFFNESS: Final = (30.0, 10.0, 3.0, 1.0)
"""Weight of the bending energy, round by round: a stiff map first, so that a bad match cannot bend it."""

TRUSTING_ROUNDS: Final = 2
"""Rounds in which every match counts in full, since the map has not bent yet; then those that stay off count less."""

TRUST_SPREADS: Final = 2.0
"""What lies this many usual distances from where the map takes it counts a quarter: a border between two regions that
was drawn elsewhere in one picture must not bend the map."""

LEAST_SPREAD_PX: Final = 0.5
"""The usual distance is never taken as less: pixels alone make as much."""

SAME_FACE: Final = 0.6
"""Cosine between outline normals beyond which two points lie on the same face of a toe (53°)."""

REGION_POINTS: Final = 24
WHOLE_POINTS: Final = 90
CONTROL_SPACING: Final = 0.11
"""Distance of the control points as a share of the limb's length."""

ANCHOR_WEIGHT: Final = 0.2
"""Weight of a landmark or centroid beside an outline's point: a bent region's centroid is not the bent centroid."""


@dataclass(frozen=True, eq=False)
class Warp:
    """A plane map: affine plus a spline. Points are (n, 2), x and y, in pixel-edge coordinates.

    ``weights`` (k + 3, 2) act on the basis of ``control`` points (k, 2), in units of ``scale`` about ``centre``.
    """

    control: Points
    centre: Points
    scale: float
    weights: Points

    def __call__(self, points: Points) -> Points:
        """Where ``points`` of the picture before lie after."""
        return np.asarray(_basis((points - self.centre) / self.scale, self.control) @ self.weights)


def fit_warp(
    anchors_before: Points,
    anchors_after: Points,
    lines_before: Mapping[str, Outline],
    lines_after: Mapping[str, Outline],
    *,
    length_px: float,
    forgetful: bool = True,
) -> tuple[Warp, int]:
    """The smooth map that brings anchors onto anchors and outlines onto outlines, and how many points it rests on.

    Outlines match point to line (Chen and Medioni 1992, doi 10.1016/0262-8856(92)90066-C): along a straight border of a
    foot no point is known from its neighbour, so only the distance across it counts, and the spline's bending energy
    (Bookstein 1989, doi 10.1109/34.24792) decides along it. Matches and map are found in turns; ``forgetful`` lets what
    then still lies far off count less.
    """
    whole = lines_before[WHOLE].points
    centre, scale = anchors_before.mean(axis=0), max(length_px / 10.0, 1.0)
    control = (_control_points(whole, CONTROL_SPACING * length_px) - centre) / scale
    affine = robust_affine(anchors_before, anchors_after)
    # the affine map in the spline's own basis: constant, x and y of the scaled coordinates
    start = np.vstack([affine[:, :2] @ centre + affine[:, 2], scale * affine[:, 0], scale * affine[:, 1]])
    warp = Warp(control, centre, scale, np.vstack([np.zeros((len(control), 2)), start]))
    names = [name for name in lines_before if name in lines_after]
    trees = {name: cKDTree(lines_after[name].points) for name in names}
    sources = {name: lines_before[name].thinned(WHOLE_POINTS if name == WHOLE else REGION_POINTS) for name in names}
    null = null_space(np.column_stack([np.ones(len(control)), control]).T)
    energy = null.T @ _kernel(cdist(control, control)) @ null
    points_n = len(anchors_before)
    for number, stiffness in enumerate(STIFFNESS):
        matches = [_match(warp, sources[name], lines_after[name], trees[name], length_px) for name in names]
        source = np.concatenate([match[0] for match in matches])
        target = np.concatenate([match[1] for match in matches])
        normal = np.concatenate([match[2] for match in matches])
        points_n = len(anchors_before) + len(source)
        line_trust, anchor_trust = np.ones(len(source)), np.ones(len(anchors_before))
        if forgetful and number >= TRUSTING_ROUNDS:
            line_trust = _trust(np.sum((warp(source) - target) * normal, axis=1))
            anchor_trust = _trust(np.linalg.norm(warp(anchors_before) - anchors_after, axis=1))
        lines, anchors = (
            (source, target, normal, line_trust),
            (anchors_before, anchors_after, ANCHOR_WEIGHT**2 * anchor_trust),
        )
        warp = _solve(warp, anchors, lines, null, energy, stiffness)
    return warp, points_n


def robust_affine(source: Points, target: Points) -> Points:
    """Affine map (2, 3) from source to target points (n, 2) by Huber-weighted least squares (Huber 1981)."""
    design = np.column_stack([source, np.ones(len(source))])
    weights = np.ones(len(source))
    solution = np.zeros((3, 2))
    for _ in range(8):
        root = np.sqrt(weights)[:, None]
        solution = np.linalg.lstsq(design * root, target * root, rcond=None)[0]
        off = np.linalg.norm(design @ solution - target, axis=1)
        spread = max(1.4826 * float(np.median(off)), 0.25)
        weights = np.minimum(1.0, 1.345 * spread / np.maximum(off, 1e-9))
    return np.asarray(solution.T)


def _match(
    warp: Warp, source: Outline, target: Outline, tree: cKDTree, length_px: float
) -> tuple[Points, Points, Points]:
    """Source points with a counterpart on the target outline (the nearest on the same face), it, and its normal."""
    moved = warp(source.points)
    ahead = warp(source.points + 0.5 * source.normals) - moved
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    distance, index = (np.asarray(found) for found in tree.query(moved))
    reach = max(3.0 * float(np.median(distance)), 0.03 * length_px)
    kept = (np.sum(ahead * target.normals[index], axis=1) > SAME_FACE) & (distance <= reach)
    return source.points[kept], target.points[index[kept]], target.normals[index[kept]]


def _trust(off: Points) -> Points:
    """Weights 0 to 1 of squared distances (n,), by Geman and McClure's function, which forgets what lies far off."""
    spread = max(1.4826 * float(np.median(np.abs(off))), LEAST_SPREAD_PX)
    return np.asarray((1.0 + np.square(off / (TRUST_SPREADS * spread))) ** -2)


def _solve(
    warp: Warp,
    anchors: tuple[Points, Points, Points],
    lines: tuple[Points, Points, Points, Points],
    null: Points,
    energy: Points,
    stiffness: float,
) -> Warp:
    """One regularised least-squares fit: anchors in both directions, outlines across only, bending penalised.

    The last of ``anchors`` and of ``lines`` are the weights of their squared distances.
    """
    source, target, normal, line_weight = lines
    root, normal = np.sqrt(anchors[2])[:, None], normal * np.sqrt(line_weight)[:, None]
    k = null.shape[1]
    reduce = np.zeros((len(warp.control) + 3, k + 3))
    reduce[: len(warp.control), :k] = null
    reduce[len(warp.control) :, k:] = np.eye(3)
    at_anchors = _basis((anchors[0] - warp.centre) / warp.scale, warp.control) @ reduce * root
    at_lines = _basis((source - warp.centre) / warp.scale, warp.control) @ reduce
    zeros = np.zeros_like(at_anchors)
    design = np.vstack(
        [
            np.hstack([at_anchors, zeros]),
            np.hstack([zeros, at_anchors]),
            np.hstack([at_lines * normal[:, :1], at_lines * normal[:, 1:]]),
        ]
    )
    places = anchors[1] * root
    wanted = np.concatenate([places[:, 0], places[:, 1], (target * normal).sum(axis=1)])
    penalty = np.zeros((2 * (k + 3), 2 * (k + 3)))
    penalty[:k, :k] = penalty[k + 3 : 2 * k + 3, k + 3 : 2 * k + 3] = stiffness * energy
    solution = np.linalg.solve(design.T @ design + penalty, design.T @ wanted)
    weights = reduce @ np.column_stack([solution[: k + 3], solution[k + 3 :]])
    return Warp(warp.control, warp.centre, warp.scale, weights)


def _basis(points: Points, control: Points) -> Points:
    return np.hstack([_kernel(cdist(points, control)), np.ones((len(points), 1)), points])


def _kernel(r: Points) -> Points:
    """r²·log r, the thin plate's."""
    return np.asarray(r * r * np.log(np.maximum(r, 1e-12)))


def _control_points(outline: Points, spacing: float) -> Points:
    """A grid of staggered rows over the limb and a rim around it."""
    low, high = outline.min(axis=0) - spacing, outline.max(axis=0) + spacing
    rows = [
        np.column_stack([columns, np.full_like(columns, y)])
        for i, y in enumerate(np.arange(low[1], high[1], spacing * 0.87))
        for columns in [np.arange(low[0] + spacing * (i % 2) / 2, high[0], spacing)]
    ]
    nodes = np.concatenate(rows)
    distance = np.asarray(cKDTree(outline).query(nodes)[0])
    return nodes[distance < 1.9 * spacing]
