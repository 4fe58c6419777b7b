"""Recordings of feet that warm and move in a known way, for benchmarks and tests; apart from what measures them.

The feet are drawn once, three times as fine as the camera sees them. Every frame's temperatures follow closed-form
courses, each foot is moved by its own rotation and shift, and the whole is averaged down to the camera's pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage

from rewarm.regions import SOLE_REGIONS, TOES, Region, Regions
from rewarm.thermogram import Provenance, make_thermogram
from rewarm.twin import SolePose, SoleShape, draw_soles

FINE = 3
"""Painted pixels along one of the camera's."""

Poses = dict[str, NDArray[np.float64]]
"""By side (frames, 3): shift to the right and downwards, px; rotation clockwise about the foot's middle, radians."""


@dataclass(frozen=True)
class Course:
    """A region's temperature: ``start_c`` until ``lag_s``, then a rise by ``rise_c`` with time constant ``tau_s``."""

    start_c: float
    rise_c: float
    tau_s: float
    lag_s: float

    def at(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Its temperature, °C."""
        since = np.maximum(time_s - self.lag_s, 0.0)
        return self.start_c + self.rise_c * (1.0 - np.exp(-since / self.tau_s))


@dataclass(frozen=True, eq=False)
class Scene:
    """What stays the same from frame to frame: fine maps of the feet, and the regions as the camera would see them."""

    regions: Regions
    fine_shape: tuple[int, int]
    coverage: dict[str, NDArray[np.float32]]
    shares: dict[tuple[str, str], NDArray[np.float32]]
    texture_c: NDArray[np.float32]
    room_c: NDArray[np.float32]
    middle: dict[str, tuple[float, float]]


def make_scene(shape: tuple[int, int] = (240, 320), *, seed: int = 1, texture_c: float = 0.25) -> Scene:
    """Two soles side by side, toes up, in a room at 22 °C with a faint gradient."""
    rows, columns = shape
    fine = (rows * FINE, columns * FINE)
    length_px = 0.8 * rows
    mm_per_px = 240.0 / length_px
    base_y = 0.93 * rows
    places = {"left": (0.71 * columns, 4.0), "right": (0.29 * columns, -4.0)}
    sole = SoleShape()

    poses = {side: (sole, SolePose(x, base_y, turn)) for side, (x, turn) in places.items()}
    random = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(random.normal(size=fine), 0.02 * fine[0])
    down, across = np.linspace(-0.5, 0.5, fine[0])[:, None], np.linspace(-0.5, 0.5, fine[1])[None, :]
    coverage, shares, middle = {}, {}, {}
    for side, (x, turn) in places.items():  # one after the other, and not in the whole picture: fine maps are large
        left, right = round(FINE * (x - 0.22 * columns)), round(FINE * (x + 0.22 * columns))
        pose = SolePose(FINE * x - left, FINE * base_y, turn)
        maps = draw_soles({side: (sole, pose)}, shape=(fine[0], right - left), mm_per_px=mm_per_px / FINE).soles[side]
        beside = ((0, 0), (left, fine[1] - right))
        coverage[side] = np.pad(maps.foot, beside).astype(np.float32)
        soft = {r: ndimage.gaussian_filter(maps.coverage[r], 0.03 * fine[0]) + 1e-9 for r in SOLE_REGIONS}
        total = np.sum(list(soft.values()), axis=0)
        for region, share in soft.items():
            shares[side, region] = np.pad((share / total).astype(np.float32), beside, mode="edge")
        y, x = np.nonzero(coverage[side] > 0.5)
        middle[side] = (float(x.mean()), float(y.mean()))
        del maps, soft, total
    return Scene(
        draw_soles(poses, shape=shape, mm_per_px=mm_per_px).regions,
        fine,
        coverage,
        shares,
        (texture_c / noise.std() * noise).astype(np.float32),
        (22.0 + 0.4 * down + 0.3 * across).astype(np.float32),
        middle,
    )


def usual_courses() -> dict[tuple[str, str], Course]:
    """Cold toes that warm by 10 °C and pass the room's temperature, later from toe to toe; a warmer, slower arch."""
    found = {}
    for side, later in (("left", 0.0), ("right", 60.0)):
        for number, toe in enumerate(TOES):
            found[side, toe] = Course(15.0 + 0.3 * number, 11.0, 180.0 + 20.0 * number, 30.0 + 15.0 * number + later)
        found[side, "ball"] = Course(17.0, 9.0, 220.0, 20.0)
        found[side, "arch"] = Course(20.0, 7.0, 260.0, 0.0)
        found[side, "heel"] = Course(17.5, 7.0, 300.0, 30.0)
    return found


def restless_poses(count: int, *, seed: int = 2, shift_px: float = 6.0, turn: float = 0.04) -> Poses:
    """Smooth wandering and some sudden steps, of each foot for itself; none in the first frame."""
    random = np.random.default_rng(seed)
    poses = {}
    for side in ("left", "right"):
        smooth = ndimage.gaussian_filter1d(random.normal(size=(count, 3)), max(count / 12, 1.0), axis=0)
        smooth /= np.abs(smooth).max(axis=0)
        steps = np.zeros((count, 3))
        for at in random.choice(np.arange(count // 6, count), 2, replace=False):
            steps[at:] += random.uniform(-0.5, 0.5, 3)
        moved = (smooth + steps) * np.array([shift_px, shift_px, turn])
        poses[side] = moved - moved[0]
    return poses


def pose_matrix(scene: Scene, side: str, pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 3): where a point of the unmoved foot, in the camera's pixels with (0, 0) in a pixel's centre, goes."""
    shift_x, shift_y, turn = (float(value) for value in pose)
    x, y = ((value + 0.5) / FINE - 0.5 for value in scene.middle[side])
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    back = np.array([x, y]) - turned @ np.array([x, y])
    return np.column_stack([turned, back + np.array([shift_x, shift_y])])


def paint(
    scene: Scene,
    courses: dict[tuple[str, str], Course],
    time_s: NDArray[np.float64],
    poses: Poses | None = None,
    *,
    noise_c: float = 0.05,
    seed: int = 3,
    blur_px: float = 0.6,
    spoil: Callable[[int, NDArray[np.float32]], NDArray[np.float32]] | None = None,
) -> Iterator[NDArray[np.float32]]:
    """One frame after the other, float32 (y, x), °C; ``spoil`` may change a frame's picture before the noise."""
    random = np.random.default_rng(seed)
    rows, columns = (size // FINE for size in scene.fine_shape)
    for i, t in enumerate(time_s):
        picture = scene.room_c.copy()
        for side, cover in scene.coverage.items():
            skin = scene.texture_c.copy()
            for region in SOLE_REGIONS:
                skin += scene.shares[side, region] * np.float32(courses[side, region].at(np.array([t]))[0])
            over = cover
            if poses is not None:
                fine = _fine_matrix(pose_matrix(scene, side, poses[side][i]))
                size = (cover.shape[1], cover.shape[0])
                skin = cv2.warpAffine(skin, fine, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
                over = cv2.warpAffine(cover, fine, size, flags=cv2.INTER_LINEAR)
            picture += over * (skin - picture)
        picture = cv2.GaussianBlur(picture, (0, 0), blur_px * FINE)
        frame = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
        if spoil is not None:
            frame = spoil(i, frame)
        yield (frame + random.normal(0, noise_c, frame.shape)).astype(np.float32)


def as_recording(frames: NDArray[np.float32], time_s: NDArray[np.float64]) -> xr.Dataset:
    """Frames as a thermogram; its clock begins with the first of them."""
    return make_thermogram(
        frames, provenance=Provenance("rewarming", "0" * 64, "simulated", "0"), time_s=time_s - time_s[0]
    )


def only(regions: Regions, names: tuple[str, ...]) -> Regions:
    """The regions of these names alone."""
    items: tuple[Region, ...] = tuple(item for item in regions.items if item.region in names)
    return Regions(regions.shape, regions.limb, regions.view, items, regions.landmarks)


def _fine_matrix(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same map between fine pixels: x_fine = FINE·(x + ½) − ½."""
    offset = (FINE - 1) / 2.0
    turned = matrix[:, :2]
    return np.column_stack([turned, FINE * matrix[:, 2] + offset - turned @ np.array([offset, offset])])
