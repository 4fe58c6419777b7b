"""Surfaces made of quadrilaterals: lofts over cross-sections, digits as bent tubes, ellipsoids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rewarm.twin.scenes.vocabulary import Codes, Floats


@dataclass(frozen=True, eq=False)
class Mesh:
    """Quadrilaterals: ``corners`` (n, 4, 3), outward ``normals`` (n, 3), and per face the part's code and ``along``."""

    corners: Floats
    normals: Floats
    parts: Codes
    along: Floats

    @property
    def centres(self) -> Floats:
        """Middle of every face, (n, 3)."""
        return np.asarray(self.corners.mean(axis=1))


def loft(sections: Floats, *, part: int) -> Mesh:
    """The surface through closed cross-sections (k, m, 3); ``along`` is 0 and the part is the same everywhere."""
    ring = np.concatenate([sections, sections[:, :1]], axis=1)
    corners = np.stack([ring[:-1, :-1], ring[1:, :-1], ring[1:, 1:], ring[:-1, 1:]], axis=2)
    normals = np.cross(corners[:, :, 2] - corners[:, :, 0], corners[:, :, 3] - corners[:, :, 1])
    size = np.linalg.norm(normals, axis=-1, keepdims=True)
    middle = (sections[:-1] + sections[1:]).mean(axis=1)[:, None] / 2
    inward = np.sum(normals * (corners.mean(axis=2) - middle)) < 0
    normals = np.where(size > 0, normals / np.maximum(size, 1e-12), 0.0) * (-1 if inward else 1)
    count = corners.shape[0] * corners.shape[1]
    return Mesh(
        corners.reshape(count, 4, 3), normals.reshape(count, 3), np.full(count, part, dtype=np.uint8), np.zeros(count)
    )


def ellipsoid(centre: Floats, axes: Floats, *, part: int, rings: int = 9, around: int = 14) -> Mesh:
    """An ellipsoid; the rows of ``axes`` (3, 3) are its half axes."""
    polar = np.linspace(0, np.pi, rings)[:, None]
    turn = np.linspace(0, 2 * np.pi, around, endpoint=False)[None]
    unit = np.stack([np.cos(polar) + 0 * turn, np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn)], axis=-1)
    return loft(centre + unit @ axes, part=part)


@dataclass(frozen=True)
class Digit:
    """A toe or finger in its limb's frame. Lengths are fractions of the limb's length, angles degrees.

    It starts at ``base`` inside the limb, points ``angle`` sideways and ``lift`` upwards, and bends down at ``joints``
    (fractions of its length) by ``bends``. ``half_width`` and ``half_height`` are those of its pulp; ``neck`` is its
    breadth behind the pulp relative to it. It counts as a digit from ``web`` (fraction of its length) on; ``blunt``
    is the length of the rounded tip relative to its half width.
    """

    base: tuple[float, float, float]
    length: float
    angle: float
    lift: float
    joints: tuple[float, ...]
    bends: tuple[float, ...]
    half_width: float
    half_height: float
    neck: float
    web: float
    blunt: float = 1.0


def digit_mesh(digit: Digit, *, part: int, rest: int) -> tuple[Mesh, Floats]:
    """The bent tube and its tip (3,). Faces before the web get the code ``rest``."""
    round_from = 1 - min(0.45, digit.blunt * digit.half_width / digit.length)
    steps = np.unique(np.concatenate([np.linspace(0, round_from, 9), [digit.web]]))
    s = np.concatenate([steps, round_from + (1 - round_from) * np.sin(np.linspace(0, np.pi / 2, 6))[1:]])
    bent = np.full(s.size, np.deg2rad(digit.lift))
    for joint, bend in zip(digit.joints, digit.bends, strict=True):
        bent -= np.deg2rad(bend) * ease((s - joint + 0.08) / 0.16)
    turn = np.deg2rad(digit.angle)
    heading = np.array([np.cos(turn), np.sin(turn), 0.0])
    sideways = np.array([-np.sin(turn), np.cos(turn), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    forward = np.cos(bent)[:, None] * heading + np.sin(bent)[:, None] * up
    upward = -np.sin(bent)[:, None] * heading + np.cos(bent)[:, None] * up
    step = np.diff(s, prepend=0)[:, None] * digit.length
    middle = np.array(digit.base) + np.cumsum(step * (forward + np.roll(forward, 1, axis=0)) / 2, axis=0)
    pulp = digit.neck + (1 - digit.neck) * ease((s - 0.45) / 0.35)
    tip = np.sqrt(np.clip(1 - (np.maximum(s - round_from, 0) / (1 - round_from)) ** 2, 0.0004, 1))
    turns = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    across = (digit.half_width * pulp * tip)[:, None, None] * np.cos(turns)[None, :, None] * sideways
    raised = (digit.half_height * (0.5 + 0.5 * pulp) * tip)[:, None, None] * np.sin(turns)[None, :, None]
    mesh = loft(middle[:, None] + across + raised * upward[:, None], part=part)
    first = np.repeat(s[:-1] < digit.web - 1e-9, turns.size)
    return replace(mesh, parts=np.where(first, np.uint8(rest), mesh.parts)), middle[-1]


def ease(t: Floats) -> Floats:
    """Rise smoothly from 0 at t = 0 to 1 at t = 1."""
    t = np.clip(t, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def through(at: Floats, values: Floats, x: Floats) -> Floats:
    """A smooth curve through (``at``, ``values``) that does not overshoot, at ``x``; constant beyond its ends.

    Monotone slopes (harmonic means of the neighbouring secants) as in PCHIP, which takes ten times as long to set up
    for curves as short as these.
    """
    width = np.diff(at)
    rise = np.diff(values) / width
    product = rise[:-1] * rise[1:]
    slope = np.zeros(at.size)
    slope[1:-1] = np.where(product > 0, 2 * product / np.where(product > 0, rise[:-1] + rise[1:], 1.0), 0.0)
    slope[0], slope[-1] = rise[0], rise[-1]
    inside = np.clip(x, at[0], at[-1])
    i = np.clip(np.searchsorted(at, inside, side="right") - 1, 0, width.size - 1)
    t = (inside - at[i]) / width[i]
    left, right = values[i] + t * width[i] * slope[i], values[i + 1] - (1 - t) * width[i] * slope[i + 1]
    return np.asarray(left + t * t * (3 - 2 * t) * (right - left))


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """All faces of several meshes in one."""
    return Mesh(
        np.concatenate([mesh.corners for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.parts for mesh in meshes]),
        np.concatenate([mesh.along for mesh in meshes]),
    )


def moved(mesh: Mesh, rotation: Floats, shift: Floats) -> Mesh:
    """The mesh turned by ``rotation`` (3, 3; it may mirror) and then shifted (3,)."""
    return replace(mesh, corners=mesh.corners @ rotation.T + shift, normals=mesh.normals @ rotation.T)


def rotation_about(axis: int, angle_deg: float) -> Floats:
    """Matrix of the right-handed rotation about one coordinate axis."""
    c, s = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return matrix
