"""Coordinates of a limb that was seen part by part: along its length, and across from the inner to the outer side."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.anatomy.learned import SeenLimb
from rewarm.regions import TOES, Mask

Points = NDArray[np.float64]

_BACK: Final = ("heel", "arch", "dorsum")
_FRONT: Final = (*TOES, "ball")
_DOWN: Final = 0.5
"""Downward share of the foot's direction."""


def foot_coordinates(limb: SeenLimb, *, view: str) -> Points | None:
    """Of every pixel of a foot (in the order of ``np.nonzero``): u, across, growing from the inner (great toe's) to the
    outer side, and v, along, growing from the heel to the toes; float64 (n, 2), in foot lengths. None where the foot's
    direction cannot be told.
    """
    along = _axis(limb)
    if along is None:
        return None
    rows, columns = np.nonzero(limb.mask)
    places = np.stack((columns + 0.5, rows + 0.5), axis=1)
    across = np.array([-along[1], along[0]])
    if _inner_is_positive(limb, across, view):
        across = -across
    points = np.stack((places @ across, places @ along), axis=1)
    length = max(float(np.ptp(points[:, 1])), 1e-9)
    return np.asarray((points - points.mean(axis=0)) / length)


def toes_point_down(limb: SeenLimb) -> bool:
    """Whether a foot lies in the picture with its toes down, by more than 30 degrees under the horizontal."""
    along = _axis(limb)
    return along is not None and float(along[1]) > _DOWN


def _axis(limb: SeenLimb) -> NDArray[np.float64] | None:
    """Unit vector (x, y) from the heel to the toes."""
    front = _centre(*(limb.parts[name] for name in _FRONT))
    back = _centre(limb.parts["heel"])
    if back is None:
        back = _centre(*(limb.parts[name] for name in _BACK))
    if front is None or back is None:
        return None
    step = front - back
    size = float(np.hypot(*step))
    return step / size if size > 1.0 else None


def _inner_is_positive(limb: SeenLimb, across: NDArray[np.float64], view: str) -> bool:
    """Whether ``across`` points to the great toe; from the toes where two are seen, else from side and view."""
    seen = [(number, centre) for number, name in enumerate(TOES) if (centre := _centre(limb.parts[name])) is not None]
    if len(seen) >= 2:
        (first, inner), (last, outer) = seen[0], seen[-1]
        return bool(last > first and (outer - inner) @ across < 0)
    # With the toes up, the sole of the left foot has its great toe on the left of the picture.
    return (limb.side == "left") != (view == "plantar")


def _centre(*masks: Mask) -> NDArray[np.float64] | None:
    union = np.logical_or.reduce(masks)
    if not union.any():
        return None
    rows, columns = np.nonzero(union)
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5])
