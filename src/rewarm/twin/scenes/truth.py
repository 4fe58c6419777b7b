"""From limbs in the world and a camera to the truth of every pixel, the landmarks, and the views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from rewarm.twin.scenes.people import Limb
from rewarm.twin.scenes.render import Camera, Drawn, draw
from rewarm.twin.scenes.vocabulary import DORSUM, FINGER1, SIDE_CODES, TOE1, Codes, Layout, Map

_BEHIND: Final = 0.12
"""How far, in foot lengths, a landmark may lie behind the visible surface and still count as visible: it is inside."""


def layout_of(limbs: Sequence[Limb], camera: Camera, shape: tuple[int, int]) -> Layout:
    """The truth of these limbs as this camera sees them, ``shape`` being (rows, columns)."""
    if not limbs:
        nothing = np.zeros(shape, dtype=np.uint8)
        blank = np.full(shape, np.nan, dtype=np.float32)
        marks = np.zeros((0, 19, 3), dtype=np.float32)
        return Layout(nothing, nothing.copy(), nothing.copy(), blank, blank.copy(), marks, (), ())
    drawn = draw([limb.mesh for limb in limbs], camera, shape)
    codes = np.array([0, *(SIDE_CODES.index(limb.side) for limb in limbs)], dtype=np.uint8)
    return Layout(
        parts=drawn.parts,
        sides=np.where(drawn.parts >= TOE1, codes[drawn.owner], 0).astype(np.uint8),
        limbs=drawn.owner,
        along=drawn.along,
        facing=drawn.facing,
        landmarks=np.stack([_marks(limb, number, drawn, camera) for number, limb in enumerate(limbs, start=1)]),
        kinds=tuple(_kind_seen(limb, drawn.parts[drawn.owner == n]) for n, limb in enumerate(limbs, start=1)),
        views=tuple(_view(limb, camera) for limb in limbs),
    )


def _marks(limb: Limb, number: int, drawn: Drawn, camera: Camera) -> Map:
    """Landmarks (19, 3) in the picture; visible where the same limb's surface lies at most a little in front."""
    seen = camera.project(limb.landmarks)
    rows, columns = drawn.owner.shape
    marks = np.full((19, 3), np.nan, dtype=np.float32)
    for i, (x, y, depth) in enumerate(seen):
        if np.isnan(x):
            continue
        visible = False
        if 0 <= x < columns and 0 <= y < rows:
            near = np.s_[max(int(y) - 1, 0) : int(y) + 2, max(int(x) - 1, 0) : int(x) + 2]
            owner, front = drawn.owner[near], drawn.depth[near] - depth
            visible = bool(
                ((owner == number) & (front < _BEHIND)).any() and not ((owner > 0) & (front > _BEHIND)).all()
            )
        marks[i] = (x, y, visible)
    return marks


def _kind_seen(limb: Limb, parts: Codes) -> str:
    """A limb of which neither foot nor hand is in view is a leg or an arm."""
    if limb.kind == "foot":
        return "foot" if ((parts >= TOE1) & (parts <= DORSUM)).any() else "leg"
    if limb.kind == "hand":
        return "hand" if (parts >= FINGER1).any() else "arm"
    return "other"


def _view(limb: Limb, camera: Camera) -> str:
    """The face turned most to the camera."""
    if limb.kind == "other":
        return "none"
    words = ("plantar", "medial", "lateral") if limb.kind == "foot" else ("palmar", "radial", "ulnar")
    forward, inner, back = limb.frame @ camera.axes[2]
    turned = {
        "distal": forward,
        "proximal": -forward,
        words[1]: inner,
        words[2]: -inner,
        "dorsal": back,
        words[0]: -back,
    }
    return max(turned, key=lambda face: turned[face])
