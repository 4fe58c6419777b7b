"""Between masks and polygons that follow the pixels' edges, without loss."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import label

from rewarm.regions import Mask

Ring = NDArray[np.float64]


def outline(mask: Mask) -> list[Ring]:
    """The closed rings of a mask (y, x), each (n, 2) as x, y in pixel-edge coordinates, first point = last.

    Rings run along the pixels' edges, with corners only where they turn; outer rings and holes alike.
    """
    return [ring for polygon in mask_rings(mask) for ring in polygon]


def mask_rings(mask: Mask) -> list[list[Ring]]:
    """For each connected part (4-neighbours) of the mask: its outer ring, then its holes; all simple and closed."""
    pieces, count = label(mask)
    result = []
    for i in range(1, count + 1):
        rings = _trace(pieces == i)
        rings.sort(key=lambda ring: -abs(_area(ring)))
        result.append(rings)
    return result


def _area(ring: Ring) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return float(0.5 * np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))


def _trace(part: Mask) -> list[Ring]:
    """Simple closed rings around one connected part, the part always on the same hand."""
    rows, columns = np.nonzero(part)
    y0, x0 = int(rows.min()), int(columns.min())
    padded = np.pad(part[y0 : int(rows.max()) + 1, x0 : int(columns.max()) + 1], 1)
    following: dict[tuple[int, int], list[tuple[int, int]]] = {}
    here = padded[1:-1, 1:-1]
    for edge, start, end in (
        (here & ~padded[:-2, 1:-1], (0, 0), (1, 0)),
        (here & ~padded[1:-1, 2:], (1, 0), (1, 1)),
        (here & ~padded[2:, 1:-1], (1, 1), (0, 1)),
        (here & ~padded[1:-1, :-2], (0, 1), (0, 0)),
    ):
        for y, x in np.argwhere(edge).tolist():
            following.setdefault((x + start[0], y + start[1]), []).append((x + end[0], y + end[1]))
    rings = []
    while following:
        path = [next(iter(following))]
        place = {path[0]: 0}
        while path:
            ends = following[path[-1]]
            corner = ends.pop()
            if not ends:
                del following[path[-1]]
            if corner not in place:
                place[corner] = len(path)
                path.append(corner)
                continue
            loop = path[place[corner] :]  # cut at every corner met twice, so that each ring is simple
            rings.append(_straighten(loop, x0, y0))
            for gone in loop[1:]:
                del place[gone]
            path = path[: place[corner] + 1]
            if len(path) == 1 and corner not in following:
                break
    return rings


def _straighten(loop: list[tuple[int, int]], x0: int, y0: int) -> Ring:
    points = np.array(loop, dtype=np.float64)
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    turn = (points - before)[:, 0] * (after - points)[:, 1] != (points - before)[:, 1] * (after - points)[:, 0]
    corners = points[turn] + np.array([x0, y0], dtype=np.float64)
    return np.vstack([corners, corners[:1]])


def mask_polygon(mask: Mask) -> shapely.Polygon | shapely.MultiPolygon:
    """The mask as one valid polygon or several, in pixel-edge coordinates (x, y)."""
    polygons = [shapely.Polygon(rings[0], rings[1:]) for rings in mask_rings(mask)]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def rasterise(geometry: shapely.Polygon | shapely.MultiPolygon, shape: tuple[int, int]) -> Mask:
    """Pixels of a picture of ``shape`` (y, x) whose centres lie inside ``geometry``."""
    mask = np.zeros(shape, dtype=bool)
    if geometry.is_empty:
        return mask
    left, top, right, bottom = geometry.bounds
    x0, x1 = max(int(np.floor(left)), 0), min(int(np.ceil(right)), shape[1])
    y0, y1 = max(int(np.floor(top)), 0), min(int(np.ceil(bottom)), shape[0])
    if x0 >= x1 or y0 >= y1:
        return mask
    shapely.prepare(geometry)
    x, y = np.meshgrid(np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5)
    mask[y0:y1, x0:x1] = shapely.contains_xy(geometry, x, y)
    return mask
