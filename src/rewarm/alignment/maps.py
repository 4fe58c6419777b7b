"""The map of change: a picture taken after, brought into the geometry of the one before, minus that."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.alignment.feet import Alignment, SideAlignment
from rewarm.errors import InvalidInputError
from rewarm.regions import Mask

Temperatures = NDArray[np.float32] | NDArray[np.float64]

_LEAST_SHARE: Final = 0.5
"""A pixel counts where at least half of what it is interpolated from lies on the foot."""


def change_map(
    before_c: Temperatures, after_c: Temperatures, alignment: Alignment, *, rim_px: int = 1
) -> NDArray[np.float32]:
    """After − before, °C, float32 (y, x) in the geometry of ``before``; positive is warmer.

    ``before_c`` and ``after_c`` are (y, x), °C, of the shapes that were aligned. NaN outside the feet, on sides that
    were refused, in regions that were not found in both, and where either picture has no temperature. The outermost
    ``rim_px`` pixels of a foot are left out, too: they show foot and surroundings mixed. Values of ``after`` are
    interpolated bilinearly from pixels of the foot alone, so that a cold background does not bleed into its edge.

    Raises :class:`InvalidInputError` where a shape is not that of the alignment, or for a negative ``rim_px``.
    """
    if rim_px < 0:
        raise InvalidInputError(f"rim_px: expected 0 or more; found {rim_px}")
    for name, found, expected in (
        ("before_c", before_c.shape, alignment.before_shape),
        ("after_c", after_c.shape, alignment.after_shape),
    ):
        if found != expected:
            raise InvalidInputError(f"{name}: expected the shape that was aligned, {expected}; found {found}")
    change = np.full(alignment.before_shape, np.nan, dtype=np.float32)
    for side in alignment.sides.values():
        after_here, enough = carried_temperature(after_c, side)
        window = side.window
        valid = _without_rim(side.before_mask, rim_px)[window] & enough & np.isfinite(before_c[window])
        change[window][valid] = (after_here - before_c[window])[valid].astype(np.float32)
    return change


def carried_temperature(after_c: Temperatures, side: SideAlignment) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """Temperatures after, °C, at the pixels of the side's window before; and where enough of the limb supports them."""
    usable = side.after_mask & np.isfinite(after_c)
    level_c = float(after_c[usable].mean(dtype=np.float64)) if usable.any() else 0.0
    lifted = np.where(usable, after_c - level_c, 0.0).astype(np.float32)  # small numbers keep float32's digits
    moved, share = (
        cv2.remap(layer, side.map_x, side.map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        for layer in (lifted, usable.astype(np.float32))
    )
    return moved / np.maximum(share, _LEAST_SHARE) + level_c, np.asarray(share >= _LEAST_SHARE)


def _without_rim(mask: Mask, rim_px: int) -> Mask:
    """The mask without its outermost pixels; the picture's frame is no rim."""
    if rim_px == 0:
        return mask
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return np.asarray(cv2.erode(mask.astype(np.uint8), cross, iterations=rim_px) > 0)
