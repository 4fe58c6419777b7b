"""What a camera's optics took off each pixel, estimated from the picture itself."""

from __future__ import annotations

from math import hypot, sqrt
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.measures.assumptions import DEFAULT_ASSUMPTIONS, Assumptions
from rewarm.measures.outline import Temperatures

_PIXEL_PX: Final = 1.0 / sqrt(12.0)
"""Standard deviation of a pixel's own width."""


def blur_loss_c(temperature: Temperatures, *, assumptions: Assumptions = DEFAULT_ASSUMPTIONS) -> NDArray[np.float64]:
    """By how much optics of the assumed blur and scatter moved each pixel, estimated from the picture: float64, °C.

    The picture has been blurred once, over what a pixel's own width of 1 px (p = 1/√12 px) had blurred already. It is
    blurred again, by k such that this takes as much off a sharp edge as the optics' σ did:
    √(p² + σ² + k²) − √(p² + σ²) = √(p² + σ²) − p. Off soft edges it takes more: the cautious side. Positive: the
    surroundings are warmer. Pixels without a temperature, and pixels of exactly 0 °C (a cut-out background), are not
    mixed in; NaN stays NaN.
    """
    values = temperature.astype(np.float64)
    usable = np.isfinite(values) & (values != 0.0)
    level = float(values[usable].mean()) if usable.any() else 0.0
    filled = np.where(usable, values - level, 0.0).astype(np.float32)  # near zero, where float32 keeps 1e-6 °C
    weights = None if bool(usable.all()) else usable.astype(np.float32)

    def mixed(width_px: float) -> NDArray[np.float64]:
        total = _blurred(filled, width_px)
        if weights is not None:
            share = _blurred(weights, width_px)
            with np.errstate(invalid="ignore", divide="ignore"):
                total = np.where(usable & (share > 1e-6), total / share, np.nan)
        return np.asarray(total + level, dtype=np.float64)

    near = mixed(_as_much_again_px(assumptions.blur_px)) if assumptions.blur_px > 0 else values
    around = mixed(assumptions.scatter_px) if assumptions.scatter > 0 and assumptions.scatter_px > 0 else values
    lost = (near - values) + assumptions.scatter * (around - values)
    return np.asarray(np.where(usable, lost, np.where(np.isfinite(values), 0.0, np.nan)))


def _blurred(values: NDArray[np.float32], width_px: float) -> NDArray[np.float32]:
    """Gaussian blur; a wide one on a coarser grid, which is as good and many times as fast."""
    coarser = min(int(width_px / 3.0), *values.shape)
    if coarser < 2:
        blurred = cv2.GaussianBlur(values, (0, 0), width_px, borderType=cv2.BORDER_REPLICATE)
    else:
        height, width = values.shape
        small = cv2.resize(values, (-(-width // coarser), -(-height // coarser)), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), width_px / coarser, borderType=cv2.BORDER_REPLICATE)
        blurred = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(blurred, dtype=np.float32)


def _as_much_again_px(blur_px: float) -> float:
    once = hypot(_PIXEL_PX, blur_px)
    return sqrt((2.0 * once - _PIXEL_PX) ** 2 - once**2)
