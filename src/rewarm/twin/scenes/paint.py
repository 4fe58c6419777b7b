"""Give a layout temperatures and let a camera see it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.twin.scenes.noise import blurred
from rewarm.twin.scenes.optics import burn_in, cut_out, photograph
from rewarm.twin.scenes.people import between
from rewarm.twin.scenes.ranges import TRAINING, Painting, Ranges
from rewarm.twin.scenes.skin import Patch, Warmth, like, paint_skin, random_warmth
from rewarm.twin.scenes.surroundings import paint_ground, paint_over_ground
from rewarm.twin.scenes.vocabulary import DORSUM, FINGER1, PALM, TOE1, TOE5, Layout, Map, Scene

_RING_PX: Final = 9


def paint(layout: Layout, random: np.random.Generator, ranges: Ranges = TRAINING) -> Scene:
    """Random temperatures on ``layout``, seen by a random camera; the truth stays as it is."""
    painting = ranges.painting
    ground = paint_ground(layout, random, painting)
    around = paint_over_ground(layout, ground, random, painting)
    surface = around.copy()
    width = layout.parts.shape[1]
    level = blurred(around, width * random.uniform(0.05, 0.20))
    near = ground if random.random() < 0.3 else blurred(around, width * random.uniform(0.02, 0.06))
    for number, warmth in enumerate(_warmths(layout, random, painting), start=1):
        _paint_limb(surface, (level, near), layout, number, warmth, random, painting)
    figures = _figures(surface, layout)
    seen = photograph(surface, random, painting)
    skin = layout.parts > 0
    often = 4 if skin.mean() > 0.2 else 1  # cut-outs are made of single feet that fill the picture
    if random.random() < often * painting.cut_out_share:
        seen = cut_out(seen, skin, random)
    if random.random() < painting.burnt_in_share:
        seen = burn_in(seen, random)
    return Scene(seen, layout, figures)


def _warmths(layout: Layout, random: np.random.Generator, painting: Painting) -> list[Warmth]:
    """One person's limbs are alike, but for a share of them; other people's and other skin differ."""
    first = {kind: random_warmth(random, painting) for kind in ("foot", "hand")}
    apart = random.random() < painting.two_temperatures_share
    warmths = []
    for kind in layout.kinds:
        if kind == "other":
            own = random_warmth(random, painting)
            warmths.append(replace(own, profile=np.full(own.profile.size, between(random, painting.leg_c))))
            continue
        shared = first["foot" if kind in ("foot", "leg") else "hand"]
        warmths.append(random_warmth(random, painting) if apart else like(shared, random))
    return warmths


def _paint_limb(
    surface: Map,
    behind: tuple[Map, Map],
    layout: Layout,
    number: int,
    warmth: Warmth,
    random: np.random.Generator,
    painting: Painting,
) -> None:
    """Paint one limb's skin into ``surface``."""
    mask = (layout.limbs == number) & (layout.parts > 0)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    patch = Patch(mask[box], layout.parts[box], layout.along[box], layout.facing[box], behind[0][box], behind[1][box])
    painted = paint_skin(patch, warmth, random, painting)
    surface[box] = np.where(patch.mask, painted, surface[box])


def _figures(surface: Map, layout: Layout) -> dict[str, float]:
    """Contrasts of every foot and hand to the surroundings next to it, before the camera."""
    figures: dict[str, float] = {}
    outside = layout.parts == 0
    if outside.any():
        figures["surroundings_c"] = float(np.median(surface[outside]))
    for number, kind in enumerate(layout.kinds, start=1):
        if kind not in ("foot", "hand"):
            continue
        first, last = (TOE1, DORSUM) if kind == "foot" else (FINGER1, PALM)
        last_digit = TOE5 if kind == "foot" else PALM - 1
        own = layout.limbs == number
        for name, end in (("contrast_c", last), ("digits_contrast_c", last_digit)):
            contrast = _contrast(surface, own & (layout.parts >= first) & (layout.parts <= end), outside)
            if contrast is not None:
                figures[f"limb{number}_{name}"] = contrast
    return figures


def _contrast(surface: Map, mask: NDArray[np.bool_], outside: NDArray[np.bool_]) -> float | None:
    """Mean within the mask minus the mean of the surroundings within a few pixels of it; None where either is empty."""
    kernel = np.ones((_RING_PX, _RING_PX), dtype=np.uint8)
    ring = (cv2.dilate(mask.astype(np.uint8), kernel) > 0) & outside
    if not mask.any() or not ring.any():
        return None
    return float(surface[mask].mean() - surface[ring].mean())
