"""Draw simulated scenes beside their truth: docs/images/scenes.png, to be judged by eye."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from matplotlib import colormaps

from rewarm.twin.scenes import HELD_OUT, TRAINING, Scene, paint, random_layout

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "scenes.png"
ACROSS, DOWN = 4, 8
DIGITS = ("#e62828", "#fa9f3c", "#e6e63c", "#50dc50", "#3c9fe6")
COLOURS = ("#141414", "#969696", *DIGITS, "#9f50c8", "#a0c878", "#f078a0", "#78c8c8", *DIGITS, "#b08cdc")


def main() -> None:
    """Write the sheet; the first argument is the first seed, ``held-out`` as the second takes the held-out ranges."""
    first = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    ranges = HELD_OUT if "held-out" in sys.argv else TRAINING
    tiles = []
    for seed in range(first, first + ACROSS * DOWN):
        random = np.random.default_rng(seed)
        tiles.append(tile(paint(random_layout(random, ranges), random, ranges)))
    rows = [np.hstack(tiles[i : i + ACROSS]) for i in range(0, len(tiles), ACROSS)]
    sheet = cv2.resize(np.vstack(rows), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(PICTURE), sheet[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])


def tile(scene: Scene) -> np.ndarray:
    """The picture beside its parts, shaded by the surface's direction, with visible landmarks; RGB, uint8."""
    low, high = np.percentile(scene.celsius, [0.5, 99.5])
    warm = colormaps["inferno"](np.clip((scene.celsius - low) / max(high - low, 1e-3), 0, 1))[..., :3] * 255
    layout = scene.layout
    rgb = np.array([[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in COLOURS])
    shade = np.nan_to_num(layout.facing, nan=1.0)[..., None] * 0.7 + 0.3
    truth = rgb[layout.parts] * shade
    truth[(layout.parts == 0) & (layout.limbs > 0)] = (30, 45, 80)
    truth = np.ascontiguousarray(truth.astype(np.uint8))
    for x, y, visible in layout.landmarks.reshape(-1, 3):
        if visible == 1:
            cv2.circle(truth, (int(x), int(y)), 1, (255, 255, 255), -1)
    both = np.hstack([warm.astype(np.uint8), truth])
    return cv2.copyMakeBorder(both, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(255, 255, 255))


if __name__ == "__main__":
    main()
