"""Small pictures whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from rewarm.regions import Region, Regions
from rewarm.thermogram import CameraIdentity, ObjectParameters, Provenance, make_thermogram

LEVELS_C = {"toe1": 26.0, "toe2": 24.5, "ball": 28.0, "arch": 30.0, "heel": 27.0}


@pytest.fixture
def make_picture() -> Callable[..., xr.Dataset]:
    """A thermogram of a given array, with whatever the camera is to be known by."""

    def make(
        temperature_c: np.ndarray,
        *,
        camera: CameraIdentity | None = None,
        parameters: ObjectParameters | None = None,
    ) -> xr.Dataset:
        return make_thermogram(
            temperature_c,
            provenance=Provenance("made.csv", "0" * 64, "test", "0"),
            camera=camera,
            parameters=parameters,
        )

    return make


@pytest.fixture
def two_feet() -> tuple[np.ndarray, Regions]:
    """Blocks of 10 × 10 pixels on 22 °C: two toes, ball, arch and heel on each side; the right foot 0.5 °C colder."""
    picture = np.full((80, 60), 22.0, dtype=np.float64)
    items: list[Region] = []
    for side, column, offset_c in (("left", 10, 0.0), ("right", 40, -0.5)):
        for row, (name, level_c) in enumerate(LEVELS_C.items()):
            mask = np.zeros(picture.shape, dtype=bool)
            mask[10 + 12 * row : 20 + 12 * row, column : column + 10] = True
            picture[mask] = level_c + offset_c
            items.append(Region(side, name, mask, 0.9, "drawn by hand"))
    return picture, Regions(picture.shape, "feet", "plantar", tuple(items), {})
