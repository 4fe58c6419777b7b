"""A right hand with its forearm: x from the wrist to the tips, y towards the thumb, z towards the back of the hand.

Lengths are fractions of the hand's length. The proportions were chosen by eye; they are no one's measurement.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from rewarm.twin.scenes.foot import Built, Five
from rewarm.twin.scenes.mesh import Digit, Mesh, digit_mesh, ease, ellipsoid, joined, loft, through
from rewarm.twin.scenes.vocabulary import FINGER1, OTHER_SKIN, PALM, Floats

_BASE: Final = np.array(
    [[0.10, 0.135, -0.02], [0.40, 0.150, 0.0], [0.42, 0.052, 0.0], [0.41, -0.048, 0.0], [0.38, -0.140, 0.0]]
)
_REACH: Final = np.array([0.52, 0.53, 0.58, 0.54, 0.45])
_HALF: Final = np.array([0.054, 0.053, 0.054, 0.051, 0.045])
_ROOT: Final = np.array([0.235, 0.135, 0.135, 0.130, 0.125])


@dataclass(frozen=True)
class HandShape:
    """One right hand. ``spread`` fans the fingers (degrees between neighbours), ``bend`` flexes each finger's joints.

    ``lift`` is at the knuckles (positive backwards), ``thumb_deg`` the thumb's angle from the hand's axis.
    """

    breadth: float = 1.0
    finger_length: float = 1.0
    girth: Five = (1.0, 1.0, 1.0, 1.0, 1.0)
    spread: float = 5.0
    bend: Five = (15.0, 12.0, 12.0, 12.0, 12.0)
    lift: Five = (0.0, 0.0, 0.0, 0.0, 0.0)
    thumb_deg: float = 40.0
    forearm: float = 1.0
    missing: frozenset[int] = frozenset()


def build_hand(shape: HandShape) -> Built:
    """The hand and a forearm of about 1.4 hand lengths."""
    thenar = np.array([[0.17, 0.05, 0.0], [-0.03, 0.08, 0.0], [0.0, 0.0, 0.065]])
    fold = np.array([[0.09, 0.055, 0.0], [-0.04, 0.05, 0.0], [0.0, 0.0, 0.032]])
    meshes = [
        loft(_sections(shape), part=PALM),
        ellipsoid(np.array([0.2, 0.115 * shape.breadth, -0.045]), thenar, part=PALM),
        ellipsoid(np.array([0.27, 0.17 * shape.breadth, -0.01]), fold, part=PALM),
    ]
    landmarks = np.full((19, 3), np.nan)
    for i in range(5):
        if i in shape.missing:
            continue
        finger, tip = digit_mesh(_finger(shape, i), part=FINGER1 + i, rest=PALM)
        meshes.append(finger)
        landmarks[10 + i] = tip
    for i in range(4):
        if not {i, i + 1} & shape.missing:
            landmarks[15 + i] = _web(shape, i)
    hand = joined(meshes)
    along = 1 + np.clip(hand.centres[:, 0] / 0.98, 0, 1)
    return Built(joined([replace(hand, along=along), _forearm(shape)]), landmarks)


def _sections(shape: HandShape) -> Floats:
    x = np.concatenate([np.linspace(-0.04, 0.46, 14), 0.46 + 0.07 * np.sin(np.linspace(0.3, np.pi / 2, 5))])
    at = np.array([-0.04, 0.0, 0.1, 0.2, 0.3, 0.42, 0.47, 0.54])
    thumb_side = through(at, np.array([0.135, 0.140, 0.165, 0.185, 0.198, 0.203, 0.200, 0.19]), x) * shape.breadth
    far_side = through(at, np.array([0.135, 0.140, 0.170, 0.190, 0.196, 0.192, 0.186, 0.17]), x) * shape.breadth
    thick = through(at, np.array([0.095, 0.095, 0.092, 0.085, 0.075, 0.064, 0.058, 0.045]), x)
    shut = np.where(x > 0.46, np.sqrt(np.clip(1 - ((x - 0.46) / 0.0705) ** 2, 0.02, 1)), 1.0)
    turn = np.linspace(0, 2 * np.pi, 32, endpoint=False)[None]
    cos, sin = np.cos(turn), np.sin(turn)
    y = ((thumb_side - far_side) / 2)[:, None] + ((thumb_side + far_side) / 2)[:, None] * np.sign(cos) * np.abs(
        cos
    ) ** 0.8
    z = (thick * shut)[:, None] * np.sign(sin) * np.abs(sin) ** 0.75
    back = ease((x - 0.2) / 0.3)[:, None] * (0.25 * np.maximum(-y - 0.02, 0) + 0.06 * np.maximum(y - 0.1, 0))
    return np.stack([x[:, None] - back, y, z], axis=-1)


def _finger(shape: HandShape, i: int) -> Digit:
    base = _BASE[i] * [1, shape.breadth, 1]
    angle = shape.thumb_deg if i == 0 else shape.spread * (2.4 - i)
    length = float(_REACH[i] * (1 if i == 0 else shape.finger_length))
    bend = shape.bend[i]
    half = float(_HALF[i] * shape.girth[i] * np.sqrt(shape.breadth))
    return Digit(
        base=(float(base[0]), float(base[1]), float(base[2])),
        length=length,
        angle=angle,
        lift=shape.lift[i],
        joints=(0.47, 0.72) if i == 0 else (0.25, 0.55, 0.78),
        bends=(0.4 * bend, bend) if i == 0 else (0.8 * bend, bend, 0.6 * bend),
        half_width=half,
        half_height=half * 0.92,
        neck=1.45 if i == 0 else 1.08,
        web=float(_ROOT[i]) / length,
        blunt=1.15,
    )


def _web(shape: HandShape, i: int) -> Floats:
    if i == 0:
        return np.array([0.30, 0.205 * shape.breadth, -0.01])
    return np.asarray((_BASE[i] + _BASE[i + 1]) / 2 * [1, shape.breadth, 1] + [0.115, 0.0, 0.0])


def _forearm(shape: HandShape) -> Mesh:
    at = np.concatenate([[0.06, 0.0], np.linspace(-0.05, -1.45, 20), [-1.6, -2.2, -2.21]])
    wide = np.interp(-at, [-0.06, 0, 0.15, 0.4, 0.9, 1.3, 2.2], [0.12, 0.142, 0.142, 0.165, 0.225, 0.23, 0.25])
    thick = np.interp(-at, [-0.06, 0, 0.15, 0.4, 0.9, 1.3, 2.2], [0.06, 0.098, 0.105, 0.135, 0.19, 0.2, 0.24])
    wide, thick = wide * shape.forearm, thick * shape.forearm
    wide[-1] = thick[-1] = 0.01
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)[None]
    sections = np.stack([at[:, None] + 0 * turn, wide[:, None] * np.cos(turn), thick[:, None] * np.sin(turn)], axis=-1)
    mesh = loft(sections, part=OTHER_SKIN)
    middle = mesh.centres[:, 0]
    return replace(
        mesh,
        parts=np.where(middle < 0, OTHER_SKIN, PALM).astype(np.uint8),
        along=np.clip(1 + np.minimum(middle, 0) / 1.4, 0, 1),
    )
