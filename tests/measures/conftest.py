"""Small pictures whose truth is known."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage

from rewarm.regions import Region, Regions
from rewarm.thermogram import CameraIdentity, ObjectParameters, Provenance, make_thermogram
from rewarm.twin import (
    SolePose,
    cold_temperatures,
    draw_soles,
    healthy_temperatures,
    paint_scene,
    paint_sole,
    random_sole,
    random_texture,
    sheet,
)

SHAPE = (240, 320)
MM_PER_PX = 1.25
ROOM_C = 22.0
OPTICS_PX = 0.6
"""Standard deviation of the simulated optics' blur."""

Picture = NDArray[np.float32]
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


@functools.cache
def soles(
    seed: int = 1,
    *,
    cold: bool = False,
    shape: tuple[int, int] = SHAPE,
    mm_per_px: float = MM_PER_PX,
    down_px: float = 0,
) -> tuple[Picture, Regions]:
    """The scene before the optics, °C, and its true regions; ``down_px`` moves both feet down."""
    rng = np.random.default_rng(seed)
    half, (height, width) = 120 / mm_per_px, shape
    poses = {
        "left": SolePose(width * 0.635, height / 2 + half + down_px, 5.0),
        "right": SolePose(width * 0.365, height / 2 + half + down_px, -5.0),
    }
    drawn = draw_soles(
        {side: (random_sole(rng), pose) for side, pose in poses.items()}, shape=shape, mm_per_px=mm_per_px
    )
    warmth = cold_temperatures(rng, ambient_c=ROOM_C) if cold else healthy_temperatures(rng)
    skin = {side: paint_sole(maps, warmth, texture=random_texture(rng)) for side, maps in drawn.soles.items()}
    feet = np.asarray(sum(maps.foot for maps in drawn.soles.values()), dtype=np.float32)
    return paint_scene(drawn, skin, sheet(rng, shape=shape, ambient_c=ROOM_C, imprint=feet)), drawn.regions


def seen(
    scene_c: Picture,
    *,
    blur_px: float = OPTICS_PX,
    motion_px: float = 0.0,
    motion_deg: float = 0.0,
    noise_c: float = 0.04,
    seed: int = 9,
) -> Picture:
    """The scene through optics, moved while it was taken, with noise."""
    picture = ndimage.gaussian_filter(scene_c.astype(np.float64), blur_px, mode="nearest")
    if motion_px:
        picture = ndimage.convolve(picture, motion_kernel(motion_px, motion_deg), mode="nearest")
    return (picture + np.random.default_rng(seed).normal(0, noise_c, picture.shape)).astype(np.float32)


def motion_kernel(extent_px: float, direction_deg: float) -> NDArray[np.float64]:
    """A straight, even motion: a box of ``extent_px`` along ``direction_deg``."""
    n = int(extent_px) + 3
    n += 1 - n % 2
    fine = np.zeros((n * 8, n * 8))
    along = np.linspace(-extent_px / 2, extent_px / 2, 2001) * 8
    column = np.floor(n * 4 + along * np.cos(np.deg2rad(direction_deg))).astype(int)
    row = np.floor(n * 4 + along * np.sin(np.deg2rad(direction_deg))).astype(int)
    np.add.at(fine, (row, column), 1.0)
    kernel = fine.reshape(n, 8, n, 8).sum(axis=(1, 3))
    return kernel / kernel.sum()


def still(
    picture_c: Picture, *, camera: CameraIdentity | None = None, parameters: ObjectParameters | None = None
) -> xr.Dataset:
    return make_thermogram(
        picture_c, provenance=Provenance("made.csv", "0" * 64, "test", "0"), camera=camera, parameters=parameters
    )


def recording(frames_c: NDArray[np.float32]) -> xr.Dataset:
    return make_thermogram(
        frames_c,
        provenance=Provenance("made.seq", "0" * 64, "test", "0"),
        time_s=np.arange(len(frames_c), dtype=np.float64),
    )


class Pictures:
    """Two simulated soles, and the faults that a camera or a person can add to their picture, each of known size."""

    optics_px = OPTICS_PX
    soles = staticmethod(soles)
    seen = staticmethod(seen)
    still = staticmethod(still)
    recording = staticmethod(recording)


@pytest.fixture(scope="session")
def pictures() -> Pictures:
    return Pictures()
