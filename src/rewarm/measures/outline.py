"""What a region's mean owes to where exactly its outline lies."""

from __future__ import annotations

from math import pi, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.regions import Mask

Temperatures = NDArray[np.float32] | NDArray[np.float64]


def segmentation_px(mask: Mask, confidence: float) -> float:
    """How far an outline may lie off, px, by the finder's confidence, read as the expected overlap (Dice).

    A disc of radius r drawn δ too large has Dice 2r²/(r² + (r + δ)²) ≈ 1 − δ/r, so δ = (1 − confidence)·r with
    r = √(area/π). A region that a person drew has confidence 1 and adds nothing here.
    """
    return (1.0 - min(max(confidence, 0.0), 1.0)) * sqrt(np.count_nonzero(mask) / pi)


def mean_per_pixel_of_outline(temperature: Temperatures, mask: Mask) -> float:
    """How much a region's mean changes when its outline moves outwards by one pixel, °C/px.

    Central difference of the means over the mask eroded and dilated by one pixel; one-sided where only one of the two
    exists. Pixels without a temperature, and pixels of exactly 0 °C (a cut-out background), cannot be moved into.
    """
    values, inside, usable = _window(temperature, mask)
    now = inside & usable
    if not now.any():
        return 0.0
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    as_bytes = inside.astype(np.uint8)
    smaller = (cv2.erode(as_bytes, cross) > 0) & usable
    larger = (cv2.dilate(as_bytes, cross) > 0) & usable
    mean_now = float(values[now].mean())
    steps: list[float] = []
    if smaller.any():
        steps.append(mean_now - float(values[smaller].mean()))
    if int(larger.sum()) > int(now.sum()):
        steps.append(float(values[larger].mean()) - mean_now)
    return float(np.mean(steps)) if steps else 0.0


def mean_per_pixel_of_shift(temperature: Temperatures, mask: Mask) -> float:
    """How much a region's mean changes when its outline moves sideways by one pixel, °C/px, over all directions.

    The root mean square over directions of the gradient of the mean; what cannot be moved into is left out.
    """
    values, inside, usable = _window(temperature, mask)
    if not (inside & usable).any():
        return 0.0
    squares = 0.0
    for axis in (0, 1):
        means = [
            float(values[moved].mean())
            for step in (-1, 1)
            if (moved := np.roll(inside, step, axis=axis) & usable).any()
        ]
        squares += ((means[1] - means[0]) / 2.0) ** 2 if len(means) == 2 else 0.0
    return sqrt(squares / 2.0)


def _window(temperature: Temperatures, mask: Mask) -> tuple[NDArray[np.float64], Mask, Mask]:
    """The mask's surroundings alone, with a margin of two pixels: values, mask, what can be moved into."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        empty = np.zeros((0, 0))
        return empty, empty.astype(bool), empty.astype(bool)
    top, left = max(rows[0] - 2, 0), max(columns[0] - 2, 0)
    window = (slice(top, rows[-1] + 3), slice(left, columns[-1] + 3))
    # a frame of what cannot be moved into keeps a shift from coming in again on the other side
    values = np.pad(temperature[window].astype(np.float64), 1, constant_values=np.nan)
    inside = np.pad(mask[window], 1)
    return values, inside, np.isfinite(values) & ((values != 0.0) | inside)
