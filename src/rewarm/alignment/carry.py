"""Regions and landmarks of one picture carried onto another through an alignment."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.alignment.feet import SideAlignment
from rewarm.regions import Mask

_REACH_PX: Final = 1.0
"""A landmark further than this from every place that the map reaches lies outside what was aligned."""


def carried_mask(mask: Mask, side: SideAlignment, shape: tuple[int, int]) -> Mask:
    """A mask (y, x) of the picture *after*, as it lies in the picture *before* of ``shape`` (y, x).

    All False where nothing of it lies within the alignment's window.
    """
    share = cv2.remap(
        mask.astype(np.float32),
        side.map_x,
        side.map_y,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    carried = np.zeros(shape, dtype=np.bool_)
    carried[side.window] = share > 0.5
    return carried


def carried_point(point: tuple[float, float], side: SideAlignment) -> tuple[float, float] | None:
    """Where a point (x, y) of the picture *after* lies *before*, both pixel-edge; None where the map does not reach."""
    wanted = np.array(point, dtype=np.float64) - 0.5
    off_x, off_y = side.map_x - wanted[0], side.map_y - wanted[1]
    rows, columns = off_x.shape
    nearest = divmod(int(np.argmin(off_x * off_x + off_y * off_y)), columns)
    row, column = min(max(nearest[0], 1), rows - 2), min(max(nearest[1], 1), columns - 2)
    here = np.array([off_x[row, column], off_y[row, column]], dtype=np.float64)
    step = np.asarray(np.linalg.inv(_jacobian(side, row, column)) @ -here)
    if np.abs(step).max() > _REACH_PX:
        return None
    return (
        float(side.window[1].start + column + step[0] + 0.5),
        float(side.window[0].start + row + step[1] + 0.5),
    )


def _jacobian(side: SideAlignment, row: int, column: int) -> NDArray[np.float64]:
    """How the place after changes with the column and with the row, by central differences."""
    maps = (side.map_x, side.map_y)
    along_x = [(m[row, column + 1] - m[row, column - 1]) / 2 for m in maps]
    along_y = [(m[row + 1, column] - m[row - 1, column]) / 2 for m in maps]
    return np.array([along_x, along_y], dtype=np.float64).T
