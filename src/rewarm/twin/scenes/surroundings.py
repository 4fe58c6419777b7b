"""Temperatures of everything that is not skin: wall, sheet with folds, warm imprints, objects, blankets, gowns."""

from __future__ import annotations

import cv2
import numpy as np

from rewarm.twin.scenes.noise import blurred, ridges, smooth_field
from rewarm.twin.scenes.people import between
from rewarm.twin.scenes.ranges import Painting
from rewarm.twin.scenes.vocabulary import Layout, Map


def paint_ground(layout: Layout, random: np.random.Generator, painting: Painting) -> Map:
    """What lies behind the limbs, °C, float32 (y, x), without objects and imprints."""
    shape = layout.parts.shape
    calm = random.random() < painting.calm_share
    ground = np.full(shape, between(random, painting.surroundings_c), dtype=np.float32)
    uneven = random.uniform(0.02, 0.25 if calm else 1.0)
    ground += uneven * smooth_field(random, shape, (random.uniform(1, 4), random.uniform(1, 5)))
    if random.random() < 0.3:
        ground += _slope(random, shape, between(random, (0.0, 3.0)))
    if not calm:
        for _ in range(int(random.integers(1, 4))):
            height = between(random, painting.folds_c) * random.choice([-1, 1], p=[0.35, 0.65]) * random.random()
            ground += np.float32(height) * ridges(random, shape)
    return ground


def paint_over_ground(layout: Layout, ground: Map, random: np.random.Generator, painting: Painting) -> Map:
    """The ground with warm imprints of limbs, objects beside them, and the things that lie over skin."""
    skin = (layout.parts > 0).astype(np.float32)
    around = ground.copy()
    if random.random() < 0.45:
        for _ in range(int(random.integers(1, 3))):
            reach = shape_px(layout) * random.uniform(0.005, 0.06)
            move = np.array([[1, 0, random.normal(0, reach)], [0, 1, random.normal(0, reach)]], dtype=np.float32)
            size = (skin.shape[1], skin.shape[0])
            warm = blurred(cv2.warpAffine(skin, move, size), reach)
            around += np.float32(random.uniform(-0.4, 3.5) * random.random()) * warm
    if random.random() > painting.calm_share:
        for _ in range(int(random.integers(0, 4))):
            _add_object(around, random, between(random, painting.object_c))
    for number, kind in enumerate(layout.kinds, start=1):
        if kind == "other":
            mask = (layout.limbs == number) & (layout.parts == 0)
            if mask.any():
                cover = _cover(mask.shape, random, painting)
                if random.random() < 0.5:
                    around[mask] = float(ground.mean()) + cover[mask]
                else:
                    around[mask] += cover[mask]
    return around


def shape_px(layout: Layout) -> int:
    """The picture's width, to which sizes relate."""
    return int(layout.parts.shape[1])


def _slope(random: np.random.Generator, shape: tuple[int, int], height: float) -> Map:
    angle = random.uniform(0, 2 * np.pi)
    y = np.linspace(-0.5, 0.5, shape[0], dtype=np.float32)[:, None] * np.float32(np.sin(angle))
    x = np.linspace(-0.5, 0.5, shape[1], dtype=np.float32)[None] * np.float32(np.cos(angle))
    return np.asarray(np.float32(height) * (x + y), dtype=np.float32)


def _cover(shape: tuple[int, int], random: np.random.Generator, painting: Painting) -> Map:
    """A blanket, an electrode, a tube: its own temperature and folds, relative to the ground."""
    own = between(random, painting.object_c) * random.random()
    folds = between(random, painting.folds_c) * ridges(random, shape)
    return np.asarray(own + folds, dtype=np.float32)


def _add_object(around: Map, random: np.random.Generator, height: float) -> None:
    """A box, a disc or a pole somewhere behind the limbs, in place."""
    rows, columns = around.shape
    mask = np.zeros(around.shape, dtype=np.float32)
    x, y = float(random.uniform(-0.1, 1.1) * columns), float(random.uniform(-0.1, 1.1) * rows)
    sizes = np.exp(random.uniform(np.log(0.02), np.log(0.3), 2)) * columns
    kind = random.random()
    if kind < 0.4:
        corners = cv2.boxPoints(((x, y), (float(sizes[0]), float(sizes[1])), float(random.uniform(0, 90))))
        cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 1.0)
    elif kind < 0.75:
        axes = (max(int(sizes[0] / 2), 1), max(int(sizes[1] / 2), 1))
        cv2.ellipse(mask, (int(x), int(y)), axes, float(random.uniform(0, 180)), 0, 360, 1.0, -1)
    else:
        angle = random.uniform(0, np.pi)
        step = columns * np.array([np.cos(angle), np.sin(angle)])
        ends = np.round([np.array([x, y]) - step, np.array([x, y]) + step]).astype(int)
        cv2.line(mask, ends[0].tolist(), ends[1].tolist(), 1.0, max(int(sizes.min() / 3), 1))
    around += np.float32(height) * blurred(mask, random.uniform(0, 3) if random.random() < 0.7 else 8.0)
