"""What the camera makes of the surfaces: blur, pixels, noise, non-uniformity, steps, and what its software draws in."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.twin.scenes.noise import blurred, smooth_field
from rewarm.twin.scenes.people import between
from rewarm.twin.scenes.ranges import Painting
from rewarm.twin.scenes.vocabulary import Map


def photograph(surface: Map, random: np.random.Generator, painting: Painting) -> Map:
    """The surfaces as a camera of random quality reports them, °C, float32, in the same shape."""
    rows, columns = surface.shape
    seen = blurred(surface, between(random, painting.blur_px) * columns / 256)
    low, high = painting.sensor_width_px
    width = float(np.exp(random.uniform(np.log(low), np.log(high))))
    factor = min(width / columns, 1.0)
    if factor < 0.95:
        size = (max(round(columns * factor), 8), max(round(rows * factor), 8))
        seen = cv2.resize(seen, size, interpolation=cv2.INTER_AREA)
    averaged = max(width / columns, 1.0)
    seen = _noisy(seen, random, painting, averaged)
    if seen.shape != surface.shape:
        way = cv2.INTER_LINEAR if random.random() < 0.7 else cv2.INTER_NEAREST
        seen = cv2.resize(seen, (columns, rows), interpolation=way)
    if random.random() < 0.3:
        step = np.float32(random.choice([0.05, 0.1, 0.1, 0.2]))
        seen = np.round(seen / step) * step
    return np.asarray(seen, dtype=np.float32)


def _noisy(seen: Map, random: np.random.Generator, painting: Painting, averaged: float) -> Map:
    rows, columns = seen.shape
    netd = between(random, painting.netd_c) / averaged
    noise = np.float32(netd) * random.standard_normal(seen.shape, dtype=np.float32)
    if random.random() < 0.5:
        lines = between(random, painting.stripes_c)
        noise += np.float32(lines) * random.standard_normal((1, columns), dtype=np.float32)
        noise += np.float32(0.5 * lines) * random.standard_normal((rows, 1), dtype=np.float32)
    if random.random() < 0.5:
        noise += np.float32(random.uniform(0, 0.2)) * smooth_field(random, seen.shape, (6, 8))
    y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, columns, dtype=np.float32)[None]
    noise += np.float32(between(random, painting.vignette_c)) * (x * x + y * y)
    seen = seen + noise
    if random.random() < 0.08:
        count = int(random.integers(1, 12))
        spots = (random.integers(0, rows, count), random.integers(0, columns, count))
        seen[spots] += random.normal(0, 15, count)
    return seen


def cut_out(seen: Map, keep: NDArray[np.bool_], random: np.random.Generator) -> Map:
    """The background removed: all of it one constant, at times the skin's own temperature."""
    if not keep.any():
        return seen
    skin = seen[keep]
    constant = random.choice(
        [float(skin.mean()), float(np.median(skin)), float(skin.min()), float(skin.min()) - 5, 0.0]
    )
    return np.where(keep, seen, np.float32(constant))


def burn_in(seen: Map, random: np.random.Generator) -> Map:
    """A scale bar, a crosshair, or blocks of text, drawn into the picture by the camera's software."""
    rows, columns = seen.shape
    low, high = float(seen.min()), float(seen.max())
    drawn = seen.copy()
    ink = high if random.random() < 0.7 else low
    if random.random() < 0.6:
        wide = max(int(columns * random.uniform(0.02, 0.06)), 2)
        top, left = int(rows * random.uniform(0.05, 0.2)), columns - wide - int(columns * random.uniform(0.01, 0.04))
        drawn[top : rows - top, left : left + wide] = np.linspace(high, low, rows - 2 * top, dtype=np.float32)[:, None]
    if random.random() < 0.5:
        x, y, reach = columns // 2, rows // 2, max(int(columns * 0.04), 3)
        cv2.line(drawn, (x - reach, y), (x + reach, y), ink, 1)
        cv2.line(drawn, (x, y - reach), (x, y + reach), ink, 1)
    if random.random() < 0.6:
        text = f"{random.uniform(18, 40):.1f} C"
        at = (int(random.choice([3, columns * 0.75])), int(random.choice([rows * 0.08, rows * 0.96])))
        letters = np.zeros(seen.shape, dtype=np.uint8)
        cv2.putText(letters, text, at, cv2.FONT_HERSHEY_SIMPLEX, columns / 700, 255, 1)
        drawn = np.where(letters > 127, np.float32(ink), drawn)
    return drawn
