"""Small described pictures whose truth is known."""

from __future__ import annotations

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.regions import TOES, Mask
from rewarm.thermogram import Provenance, make_thermogram
from rewarm.twin import DrawnSoles, SolePose, draw_soles, random_sole

SHEET_C = 24.0


def thermogram(temperature_c: NDArray[np.floating]) -> xr.Dataset:
    provenance = Provenance(file="made.npy", sha256="0" * 64, reader="test", version="0")
    return make_thermogram(np.asarray(temperature_c, dtype=np.float32), provenance=provenance)


def soles(
    seed: int,
    *,
    shape: tuple[int, int] = (240, 320),
    toes_c: float | None = None,
    tilt_deg: float = 12.0,
    one: bool = False,
) -> tuple[NDArray[np.float32], DrawnSoles]:
    """Warm soles on a sheet of 24 °C; toes of 26–29 °C, or all near ``toes_c``; noise of 0.06 °C."""
    rng = np.random.default_rng(seed)
    mm_per_px = float(rng.uniform(1.35, 1.6)) * 240 / shape[0]
    length = 240.0 / mm_per_px
    drawn = {}
    for side, share in (("right", 0.28), ("left", 0.72)):
        pose = SolePose(shape[1] * share, shape[0] / 2 + length / 2, float(rng.uniform(-tilt_deg, tilt_deg)))
        drawn[side] = (random_sole(rng), pose)
    if one:
        drawn = {"left": drawn["left"]}
    truth = draw_soles(drawn, shape=shape, mm_per_px=mm_per_px)
    picture = np.full(shape, SHEET_C) + np.linspace(-0.2, 0.2, shape[1])[None, :]
    for maps in truth.soles.values():
        skin = 29.0 + 1.5 * np.exp(-(((maps.v - 0.45) / 0.18) ** 2) - ((maps.u + 0.05) / 0.12) ** 2)
        for toe in TOES:
            warmth = (rng.uniform(26, 29) if toes_c is None else toes_c) + rng.normal(0, 0.2)
            share_of_tip = np.clip(maps.toe_s[toe] + 0.2, 0, 1)
            skin = np.where(maps.coverage[toe] > 0, 29.0 * (1 - share_of_tip) + warmth * share_of_tip, skin)
        picture = picture * (1 - maps.foot) + skin * maps.foot
    picture = cv2.GaussianBlur(picture, (0, 0), 0.6) + rng.normal(0, 0.06, shape)
    return picture.astype(np.float32), truth


def dice(one: Mask, other: Mask) -> float:
    return float(2 * (one & other).sum() / max(int(one.sum() + other.sum()), 1))
