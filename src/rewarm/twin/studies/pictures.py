"""Take the pictures of a simulated study, one job a scan; jobs are independent, so that processes can share them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import tifffile
from numpy.typing import NDArray

from rewarm.regions import SIDES
from rewarm.twin.camera import SimulatedCamera, View, non_uniformity, record
from rewarm.twin.phantom import DrawnSoles, Map, SoleShape, random_sole, truth_labels
from rewarm.twin.recording_files import write_flir_jpeg
from rewarm.twin.skin import SoleTemperatures, add_reference, five, paint_scene, paint_sole, random_texture, sheet
from rewarm.twin.stills import landmark_rows, place_soles, region_rows

Floats = NDArray[np.float64]

REFERENCE_C: Final = 30.0
REFERENCE_BOX: Final = (8, 8, 32, 32)
_PERSON, _CAMERA, _SCAN = 1, 2, 3
"""What a stream of chance belongs to; with the study's seed and a number they make its seed."""


@dataclass(frozen=True)
class Sitting:
    """A camera before one person at one visit: everything that a picture or recording of it needs.

    ``person``, ``number`` and ``camera_number`` count people, scans and cameras of the study and seed their chance;
    ``toes_c`` (2, 5) and ``sole_c`` (2, 3: ball, arch, heel) are nested tuples, left first; ``tip_gradient_c`` (2,) is
    how much warmer tips are than bases, the person's own where it is None.
    """

    folder: Path
    scan: str
    seed: int
    person: int
    number: int
    camera_id: str
    camera_number: int
    camera: SimulatedCamera
    nonuniformity_c: float
    offset_c: float
    acquired_at: datetime
    ambient_c: float
    humidity_pct: float
    toes_c: tuple[tuple[float, ...], ...]
    sole_c: tuple[tuple[float, ...], ...]
    tip_gradient_c: tuple[float, ...] | None
    reference: bool

    def chance(self) -> np.random.Generator:
        """The scan's own stream."""
        return np.random.default_rng([self.seed, _SCAN, self.number])

    def at_home(self) -> np.random.Generator:
        """The person's own stream: it begins anew at each visit."""
        return np.random.default_rng([self.seed, _PERSON, self.person])

    def in_camera(self) -> np.random.Generator:
        """The camera's own stream."""
        return np.random.default_rng([self.seed, _CAMERA, self.camera_number])


@dataclass(frozen=True, eq=False)
class Feet:
    """What stays of a person from visit to visit: the sole's shape, how the feet lie, and the skin's texture."""

    sole: SoleShape
    rotations: Mapping[str, float]
    textures: Mapping[str, Floats]
    tip_gradient_c: Mapping[str, float]


@dataclass(frozen=True)
class ScanTruth:
    """What the truth holds of one scan: rows of ``regions.csv`` and ``landmarks.csv``, and its row of ``scans.csv``."""

    scan: str
    distance_m: float
    reflected_c: float
    regions: list[dict[str, Any]]
    landmarks: list[dict[str, Any]]
    camera: dict[str, Any]


def simulated_camera(
    model: str, pixels: tuple[int, int], accuracy_c: float, netd_mk: float, number: int
) -> SimulatedCamera:
    """A camera of the plan, as its files say."""
    return SimulatedCamera(
        model=model, serial=f"TWIN{number + 1:04d}", pixels=pixels, accuracy_c=accuracy_c, netd_mk=netd_mk
    )


def feet_of(sitting: Sitting) -> Feet:
    """The person's feet, the same at every visit."""
    rng = sitting.at_home()
    length = float(np.clip(rng.normal(238, 8), 222, 252))
    return Feet(
        sole=random_sole(rng, foot_length_mm=length),
        rotations={"left": float(rng.uniform(3, 8)), "right": -float(rng.uniform(3, 8))},
        textures={side: random_texture(rng) for side in SIDES},
        tip_gradient_c={side: float(rng.uniform(-1.2, -0.4)) for side in SIDES},
    )


def view_of(rng: np.random.Generator, sitting: Sitting) -> View:
    """The distance of the day, and the room as the camera is told."""
    return View(
        reflected_c=round(sitting.ambient_c + 0.4, 1),
        distance_m=round(float(rng.uniform(0.83, 0.89)), 2),
        humidity_pct=sitting.humidity_pct,
        air_c=sitting.ambient_c,
    )


def unevenness(sitting: Sitting, rng: np.random.Generator) -> Map:
    """The camera's own pattern, and what the session adds, °C (y, x)."""
    own = sitting.nonuniformity_c
    shape = sitting.camera.shape
    fixed = non_uniformity(sitting.in_camera(), shape=shape, centre_to_corner_c=own, tilt_c=0.375 * own)
    return fixed + non_uniformity(rng, shape=shape, centre_to_corner_c=0.2 * own, tilt_c=0.1 * own)


def paint(rng: np.random.Generator, sitting: Sitting, feet: Feet, drawn: DrawnSoles) -> tuple[dict[str, Map], Map]:
    """The skin of each side, and the scene with the sheet behind, °C (y, x)."""
    skin = {}
    for i, side in enumerate(SIDES):
        ball, arch, heel = sitting.sole_c[i]
        toes = five(np.asarray(sitting.toes_c[i]))
        tips = feet.tip_gradient_c[side] if sitting.tip_gradient_c is None else sitting.tip_gradient_c[i]
        temperatures = SoleTemperatures(arch, ball, heel, toes, tips)
        skin[side] = paint_sole(drawn.soles[side], temperatures, texture=feet.textures[side])
    cover = np.asarray(sum(maps.foot for maps in drawn.soles.values()), dtype=np.float32)
    behind = sheet(rng, shape=sitting.camera.shape, ambient_c=sitting.ambient_c, imprint=cover)
    scene = paint_scene(drawn, skin, behind)
    if sitting.reference:
        scene = add_reference(scene, reference_c=REFERENCE_C, box=REFERENCE_BOX)
    return skin, scene


def take_still(sitting: Sitting) -> ScanTruth:
    """Take one picture at rest, write it and its true label image, and return the rest of its truth."""
    rng = sitting.chance()
    feet, view = feet_of(sitting), view_of(rng, sitting)
    drawn = place_soles(rng, sitting.camera, feet.sole, distance_m=view.distance_m, rotations=feet.rotations)
    skin, scene = paint(rng, sitting, feet, drawn)
    uneven = unevenness(sitting, rng)
    taken = record(scene, sitting.camera, view, rng, offset_c=sitting.offset_c, non_uniformity_c=uneven)
    path = sitting.folder / "thermograms" / f"{sitting.scan}.jpg"
    write_flir_jpeg(path, taken.counts, sitting.camera, view, acquired_at=sitting.acquired_at)
    write_labels(sitting, drawn)
    return ScanTruth(
        scan=sitting.scan,
        distance_m=view.distance_m,
        reflected_c=view.reflected_c,
        regions=region_rows(sitting.scan, drawn, skin, scene),
        landmarks=landmark_rows(sitting.scan, drawn),
        camera=camera_row(sitting, uneven, drawn.mm_per_px),
    )


def write_labels(sitting: Sitting, drawn: DrawnSoles) -> None:
    """The true regions as a label image."""
    path = sitting.folder / "truth" / "labels" / f"{sitting.scan}.tif"
    tifffile.imwrite(path, truth_labels(drawn), compression="zlib", metadata=None)


def camera_row(sitting: Sitting, uneven: Map, mm_per_px: float) -> dict[str, Any]:
    """The row of ``truth/scans.csv``."""
    return {
        "scan": sitting.scan,
        "camera": sitting.camera_id,
        "camera_offset_c": sitting.offset_c,
        "non_uniformity_sd_c": float(uneven.std()),
        "netd_mk": sitting.camera.netd_mk,
        "mm_per_px": mm_per_px,
    }


def moment(date: np.datetime64, rng: np.random.Generator, timezone: str) -> datetime:
    """A moment of that day between nine and three o'clock, with its UTC offset."""
    day = date.astype("datetime64[D]").astype(datetime)
    hour, minute, second = 9 + int(rng.integers(0, 6)), int(rng.integers(0, 60)), int(rng.integers(0, 60))
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=ZoneInfo(timezone))
