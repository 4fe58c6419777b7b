"""The leg above a right foot, in its own frame: ankle at the origin, z up to the knee, x to the front, y inwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from rewarm.twin.scenes.mesh import Mesh, ease, loft, through
from rewarm.twin.scenes.vocabulary import DORSUM, OTHER_SKIN, Floats

KNEE: Final = 1.62
"""From the ankle to the knee, in foot lengths, before ``length`` scales it."""
_AT: Final = np.array([-0.16, -0.06, 0.0, 0.12, 0.30, 0.60, 0.95, 1.25, 1.45, 1.62, 1.85, 2.4, 3.2, 4.2])
_SIDEWAYS: Final = np.array(
    [0.07, 0.110, 0.116, 0.104, 0.112, 0.160, 0.215, 0.212, 0.200, 0.205, 0.225, 0.28, 0.34, 0.37]
)
_FRONT_BACK: Final = np.array(
    [0.07, 0.120, 0.130, 0.122, 0.130, 0.180, 0.235, 0.228, 0.212, 0.225, 0.245, 0.30, 0.36, 0.4]
)
_BACK: Final = np.array([0.0, 0.0, 0.0, 0.008, 0.015, 0.03, 0.055, 0.05, 0.03, 0.0, 0.0, 0.02, 0.03, 0.03])


@dataclass(frozen=True)
class LegShape:
    """``girth`` and ``length`` scale the leg, ``calf`` how much the calf bulges; ``knee_deg`` bends the knee.

    ``top`` is where the mesh ends, in foot lengths above the ankle.
    """

    girth: float = 1.0
    ankle: float = 1.0
    calf: float = 1.0
    length: float = 1.0
    knee_deg: float = 0.0
    top: float = 3.6


def build_leg(shape: LegShape) -> Mesh:
    """The leg as one loft; below the ankle its faces belong to the back of the foot."""
    at = np.concatenate(
        [
            np.linspace(-0.16, 0.0, 4),
            np.linspace(0.06, 0.96, 17),
            np.linspace(1.02, 1.7, 14),
            np.linspace(1.85, shape.top, 8),
        ]
    )
    plain = np.where(at > 0, at / shape.length, at)
    bulge = 1 + (shape.calf - 1) * np.exp(-(((plain - 1.0) / 0.3) ** 2))
    girth = (shape.ankle + (shape.girth - shape.ankle) * ease(plain / 0.6)) * bulge
    wide = through(_AT, _SIDEWAYS, plain) * girth
    deep = through(_AT, _FRONT_BACK, plain) * girth
    wide[-1] = deep[-1] = 0.01
    bent = np.deg2rad(shape.knee_deg) * ease((plain - KNEE + 0.2) / 0.4)
    step = np.diff(at, prepend=at[0])
    x = np.cumsum(-np.sin(bent) * step) - through(_AT, _BACK, plain)
    z = at[0] + np.cumsum(np.cos(bent) * step)
    turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)[None]
    front = deep[:, None] * np.cos(turn)
    sections = np.stack(
        [
            x[:, None] + front * np.cos(bent)[:, None],
            wide[:, None] * np.sin(turn),
            z[:, None] + front * np.sin(bent)[:, None],
        ],
        axis=-1,
    )
    mesh = loft(sections, part=OTHER_SKIN)
    height = np.repeat((plain[:-1] + plain[1:]) / 2, 28)
    along = np.where(height > 0, np.clip(1 - height / KNEE, 0, 1), 1.0)
    part = np.where(height > 0, OTHER_SKIN, DORSUM).astype(np.uint8)
    return replace(mesh, parts=part, along=along)


def above_ankle(mesh: Mesh, ankle: Floats, axis: Floats) -> Mesh:
    """What of the foot's hull lies above the plane of the malleoli (through ``ankle``, across ``axis``) is leg."""
    above = ((mesh.centres - ankle) @ axis > 0) & (mesh.parts == DORSUM)
    return replace(mesh, parts=np.where(above, np.uint8(OTHER_SKIN), mesh.parts))
