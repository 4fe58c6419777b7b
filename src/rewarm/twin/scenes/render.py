"""Draw meshes with occlusion: faces sorted by depth and painted from far to near, on a grid twice as fine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.twin.scenes.mesh import Mesh
from rewarm.twin.scenes.vocabulary import Codes, Floats, Map

_FINE: Final = 2
_STEP: Final = 0.08  # foot lengths in depth between neighbours: more is an edge
_SHIFT: Final = 3  # binary digits of sub-pixel precision


@dataclass(frozen=True, eq=False)
class Camera:
    """Weak perspective: ``axes`` (3, 3) has the rows right, down and towards the camera, in the world's frame.

    ``scale_px`` are pixels per unit at the origin's depth, ``origin_px`` where the origin comes to lie (pixel edges),
    ``distance`` the camera's, in units.
    """

    axes: Floats
    scale_px: float
    origin_px: tuple[float, float]
    distance: float

    def project(self, points: Floats) -> Floats:
        """(…, 3) in the world → (…, 3): x, y in pixel edges, and the depth towards the camera in units."""
        seen = points @ self.axes.T
        zoom = self.distance / np.maximum(self.distance - seen[..., 2], 0.15 * self.distance)
        x = seen[..., 0] * zoom * self.scale_px + self.origin_px[0]
        y = seen[..., 1] * zoom * self.scale_px + self.origin_px[1]
        return np.stack([x, y, seen[..., 2]], axis=-1)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Per pixel (y, x): the mesh seen (0 none, else its number from 1), part, along, facing, and depth (-inf none)."""

    owner: Codes
    parts: Codes
    along: Map
    facing: Map
    depth: Map


def draw(meshes: Sequence[Mesh], camera: Camera, shape: tuple[int, int]) -> Drawn:
    """What the camera sees of the meshes."""
    rows, columns = shape
    ids = np.zeros((rows * _FINE, columns * _FINE), dtype=np.int32)
    corners = camera.project(np.concatenate([mesh.corners for mesh in meshes]))
    normals = np.concatenate([mesh.normals for mesh in meshes])
    eye = camera.axes[2] * camera.distance
    sight = eye - np.concatenate([mesh.centres for mesh in meshes])
    facing = np.sum(normals * sight, axis=1) / np.maximum(np.linalg.norm(sight, axis=1), 1e-9)
    depth = corners[..., 2].mean(axis=1)
    flat = corners[..., :2]
    inside = (flat.max(axis=1) > -1).all(axis=1) & (flat.min(axis=1) < [columns + 1, rows + 1]).all(axis=1)
    shown = np.flatnonzero((facing > -0.02) & inside & (depth < 0.8 * camera.distance))
    shown = shown[np.argsort(depth[shown], kind="stable")]
    fixed = np.round((flat[shown] * _FINE - 1) * (1 << _SHIFT)).astype(np.int32)
    for number, quad in zip(shown.tolist(), fixed, strict=True):
        cv2.fillConvexPoly(ids, quad, number + 1, cv2.LINE_8, _SHIFT)
    ids = ids[::_FINE, ::_FINE]
    return _looked_up(meshes, ids, facing, depth)


def _looked_up(meshes: Sequence[Mesh], ids: NDArray[np.int32], facing: Floats, depth: Floats) -> Drawn:
    def table(values: Sequence[NDArray[np.generic]], empty: float) -> NDArray[np.generic]:
        joined = np.concatenate(values)
        return np.concatenate([np.array([empty], dtype=joined.dtype), joined])[ids]

    owner = table([np.full(len(mesh.parts), i, dtype=np.uint8) for i, mesh in enumerate(meshes, start=1)], 0).astype(
        np.uint8
    )
    mask = owner > 0
    distance = table([depth], 0).astype(np.float32)
    even = _even(distance, mask)
    return Drawn(
        owner=owner,
        parts=table([mesh.parts for mesh in meshes], 0).astype(np.uint8),
        along=_smoothed(table([mesh.along for mesh in meshes], 0), mask, even, 5),
        facing=_smoothed(np.clip(table([facing], 0).astype(np.float32), 0, 1), mask, even, 3),
        depth=np.where(mask, distance, -np.inf).astype(np.float32),
    )


def _smoothed(values: NDArray[np.generic], mask: NDArray[np.bool_], even: NDArray[np.bool_], size: int) -> Map:
    """Averaged over about the size of a face where the surface is ``even``; NaN outside the mask."""
    box = (size, size)
    weight = cv2.blur(mask.astype(np.float32), box, borderType=cv2.BORDER_REPLICATE)
    summed = cv2.blur(np.where(mask, values, 0).astype(np.float32), box, borderType=cv2.BORDER_REPLICATE)
    averaged = np.where(even, summed / np.maximum(weight, 1e-6), values)
    return np.where(mask, averaged, np.nan).astype(np.float32)


def _even(depth: Map, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where no nearer surface ends against a farther one: a shin behind a sole must not mix with it."""
    kernel = np.ones((5, 5), dtype=np.uint8)
    highest = cv2.dilate(np.where(mask, depth, np.float32(-1e3)), kernel)
    lowest = cv2.erode(np.where(mask, depth, np.float32(1e3)), kernel)
    return np.asarray(highest - lowest < _STEP)
