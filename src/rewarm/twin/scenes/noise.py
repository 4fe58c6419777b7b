"""Smooth random fields: cheap enough to be drawn afresh for every picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.twin.scenes.vocabulary import Map


def smooth_field(random: np.random.Generator, shape: tuple[int, int], cells: tuple[float, float]) -> Map:
    """A field of mean about 0 and SD about 1, float32 ``shape``; ``cells`` patches fit into its height and width."""
    rows, columns = max(round(cells[0]) + 3, 4), max(round(cells[1]) + 3, 4)
    coarse = random.standard_normal((rows, columns), dtype=np.float32)
    fine = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(fine * 1.1, dtype=np.float32)


def ridges(random: np.random.Generator, shape: tuple[int, int]) -> Map:
    """Folds of a cloth, 0..1: ridges that run in one direction, bend, and come to an end."""
    side = 96
    cells = float(random.uniform(2, 9)), float(random.uniform(0.5, 3))
    field = smooth_field(random, (side, side), cells)
    if random.random() < 0.5:
        field += np.float32(0.4) * smooth_field(random, (side, side), (3 * cells[0], cells[1]))
    height = (1 - np.minimum(np.abs(field), 1)) ** np.float32(random.uniform(1.5, 6))
    height *= np.clip(0.5 + 0.8 * smooth_field(random, (side, side), (3, 3)), 0, 1)
    rows, columns = shape
    scale, angle = 0.7 * side / np.hypot(rows, columns), random.uniform(0, np.pi)
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    middle = side / 2
    back = np.array(
        [[c, -s, middle - c * columns / 2 + s * rows / 2], [s, c, middle - s * columns / 2 - c * rows / 2]],
        dtype=np.float32,
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    turned = cv2.warpAffine(height, back, (columns, rows), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(turned, dtype=np.float32)


def blurred(values: Map, sigma_px: float) -> Map:
    """Gaussian blur; where ``sigma_px`` is wide, by way of a smaller picture, which is faster."""
    if sigma_px < 0.2:
        return values
    if sigma_px < 6:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE))
    factor = sigma_px / 3
    rows, columns = values.shape
    small = (max(round(columns / factor), 4), max(round(rows / factor), 4))
    reduced = cv2.GaussianBlur(
        cv2.resize(values, small, interpolation=cv2.INTER_AREA), (0, 0), 3.0, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(cv2.resize(reduced, (columns, rows), interpolation=cv2.INTER_LINEAR))


def blurred_within(values: Map, mask: NDArray[np.bool_], size_px: int) -> Map:
    """Box blur that takes no notice of what lies outside the mask."""
    if size_px < 2:
        return values
    weight = mask.astype(np.float32)
    size = (size_px, size_px)
    summed = cv2.blur(cv2.blur(values * weight, size), size)
    return np.asarray(summed / np.maximum(cv2.blur(cv2.blur(weight, size), size), 1e-4), dtype=np.float32)
