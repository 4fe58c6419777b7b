"""What lies over skin: blankets and gowns with a wavy edge, electrodes, tubes, straps."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.twin.scenes.vocabulary import OTHER_SKIN, TOE1, Layout

_OVER_FEET: Final = 0.08  # share of blankets that hide what is behind their line of the feet, too
_BARE: Final = {"foot": "leg", "hand": "arm"}


def add_blanket(layout: Layout, random: np.random.Generator, *, reach: tuple[float, float] = (0.0, 0.85)) -> Layout:
    """Cover the legs from the body's side up to a wavy line across them; most often feet in front of it stay in view.

    ``reach`` says where the line may lie: 0 is the knee, 1 the ankle. Nothing is added where no leg is in view.
    """
    leg = (layout.parts == OTHER_SKIN) & (layout.along < 0.98)
    if np.count_nonzero(leg) < 30:
        return layout
    rows, columns = leg.shape
    y, x = np.nonzero(leg)
    along = layout.along[leg]
    slope = np.linalg.lstsq(np.stack([x, y, np.ones_like(x)], axis=1), along, rcond=None)[0][:2]
    size = float(np.hypot(*slope))
    if size < 1e-4:
        return layout
    down = slope / size
    line = random.uniform(*reach)
    near = np.abs(along - line) < 0.05
    at = np.array([x[near].mean(), y[near].mean()]) if near.any() else np.array([x.mean(), y.mean()])
    grid_y, grid_x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    depth = (grid_x - at[0]) * down[0] + (grid_y - at[1]) * down[1]
    across = -(grid_x - at[0]) * down[1] + (grid_y - at[1]) * down[0]
    wavy = columns * random.uniform(0.01, 0.06)
    for period in (0.9, 0.35, 0.15):
        wave = 2 * np.pi * across / (columns * period * random.uniform(0.7, 1.4)) + random.uniform(0, 2 * np.pi)
        depth += wavy * period * np.sin(wave)
    covered = depth < 0
    if random.random() > _OVER_FEET:
        covered &= (layout.parts == 0) | ((layout.parts == OTHER_SKIN) & ~(layout.along > 0.98))
    return covered_with(layout, covered)


def add_things(layout: Layout, random: np.random.Generator) -> Layout:
    """Lay one to three electrodes, tubes or straps on limbs."""
    for _ in range(int(random.integers(1, 4))):
        skin = np.flatnonzero(layout.facing.ravel() > 0.5)
        if skin.size < 50:
            break
        columns = layout.parts.shape[1]
        spot = int(random.choice(skin))
        at = (spot % columns, spot // columns)
        mask = np.zeros(layout.parts.shape, dtype=np.uint8)
        kind = random.random()
        if kind < 0.45:
            axes = (int(random.integers(2, 7)), int(random.integers(2, 5)))
            cv2.ellipse(mask, at, axes, float(random.uniform(0, 180)), 0, 360, 1, -1)
        elif kind < 0.8:
            cv2.polylines(mask, [_curve(at, random, columns)], False, 1, int(random.integers(1, 4)))
        else:
            angle = random.uniform(0, np.pi)
            step = columns * random.uniform(0.05, 0.2) * np.array([np.cos(angle), np.sin(angle)])
            ends = np.round([np.array(at) - step, np.array(at) + step]).astype(int)
            cv2.line(mask, ends[0].tolist(), ends[1].tolist(), 1, int(random.integers(3, 10)))
        layout = covered_with(layout, mask > 0)
    return layout


def _curve(at: tuple[int, int], random: np.random.Generator, columns: int) -> NDArray[np.int32]:
    t = np.linspace(-1, 1, 24)
    angle, bend = random.uniform(0, np.pi), random.uniform(-0.5, 0.5)
    reach = columns * random.uniform(0.2, 0.8)
    along, across = t * reach, bend * reach * (t * t) + 0.05 * reach * np.sin(5 * t)
    x = at[0] + along * np.cos(angle) - across * np.sin(angle)
    y = at[1] + along * np.sin(angle) + across * np.cos(angle)
    return np.round(np.stack([x, y], axis=1)).astype(np.int32)


def covered_with(layout: Layout, mask: NDArray[np.bool_]) -> Layout:
    """The layout with one more thing over it; landmarks under it are not visible any more.

    A foot or hand that disappears altogether leaves a leg or an arm.
    """
    number = len(layout.kinds) + 1
    rows, columns = mask.shape
    marks = np.concatenate([layout.landmarks, np.full((1, 19, 3), np.nan, dtype=np.float32)])
    x, y = np.nan_to_num(marks[..., 0], nan=-1), np.nan_to_num(marks[..., 1], nan=-1)
    inside = (x >= 0) & (y >= 0) & (x < columns) & (y < rows)
    under = inside & mask[np.clip(y, 0, rows - 1).astype(int), np.clip(x, 0, columns - 1).astype(int)]
    marks[..., 2] = np.where(under, 0, marks[..., 2])
    parts = np.where(mask, np.uint8(0), layout.parts)
    kinds = list(layout.kinds)
    for i, kind in enumerate(kinds):
        if kind in _BARE and not ((layout.limbs == i + 1) & (parts >= TOE1)).any():
            kinds[i] = _BARE[kind]
    return replace(
        layout,
        parts=parts,
        sides=np.where(mask, np.uint8(0), layout.sides),
        limbs=np.where(mask, np.uint8(number), layout.limbs),
        along=np.where(mask, np.float32(np.nan), layout.along),
        facing=np.where(mask, np.float32(np.nan), layout.facing),
        landmarks=marks,
        kinds=(*kinds, "other"),
        views=(*layout.views, "none"),
    )
