"""Both soles before a camera: where they lie in the picture, and the truth of each region of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from rewarm.twin.camera import SimulatedCamera
from rewarm.twin.phantom import DrawnSoles, Map, SolePose, SoleShape, draw_soles


def place_soles(
    rng: np.random.Generator,
    camera: SimulatedCamera,
    sole: SoleShape,
    *,
    distance_m: float,
    rotations: Mapping[str, float],
) -> DrawnSoles:
    """Both soles side by side, turned and spread a little differently each time; the left on the picture's right."""
    mm_per_px = camera.mm_per_px(distance_m)
    width, height = camera.pixels
    half_length = sole.foot_length_mm / mm_per_px / 2
    scale = width / 320
    soles = {}
    for side, where in (("left", 0.5 + 0.135), ("right", 0.5 - 0.135)):
        moved = {field.name: getattr(sole, field.name) for field in fields(sole)}
        moved["splay"] = float(np.clip(sole.splay + rng.normal(0, 0.05), 0.3, 0.85))
        pose = SolePose(
            heel_x=width * where + scale * float(rng.normal(0, 3)),
            heel_y=height / 2 + half_length + scale * float(rng.normal(0, 2)),
            rotation_deg=rotations[side] + float(rng.normal(0, 1.5)),
        )
        soles[side] = (type(sole)(**moved), pose)
    return draw_soles(soles, shape=camera.shape, mm_per_px=mm_per_px)


def region_rows(scan: str, drawn: DrawnSoles, skin_c: Mapping[str, Map], scene_c: Map) -> list[dict[str, Any]]:
    """Each region's true mean temperature and size, before any camera; ``skin_c`` by side."""
    rows = []
    for item in drawn.regions.items:
        maps = drawn.soles[item.side]
        cover = (maps.foot if item.region == "foot" else maps.coverage[item.region]).astype(np.float64)
        rows.append(
            {
                "scan": scan,
                "side": item.side,
                "region": item.region,
                "skin_mean_c": float((skin_c[item.side] * cover).sum() / cover.sum()),
                "scene_mean_c": float(scene_c[item.mask].mean(dtype=np.float64)),
                "area_px": float(cover.sum()),
                "n_px": int(item.mask.sum()),
            }
        )
    return rows


def landmark_rows(scan: str, drawn: DrawnSoles) -> list[dict[str, Any]]:
    """Toe tips, webs and heel points, in pixel edges."""
    return [{"scan": scan, "landmark": name, "x_px": x, "y_px": y} for name, (x, y) in drawn.regions.landmarks.items()]
