"""Film both soles after cold water: feet that wander, a camera that drifts and shuts, a hand in the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.errors import OutputError
from rewarm.regions import SIDES, TOES
from rewarm.twin.camera import View, record
from rewarm.twin.phantom import DrawnSoles, Map
from rewarm.twin.recording_files import write_flir_sequence
from rewarm.twin.skin import SoleLayers, add_reference, paint_scene, sheet, sole_layers
from rewarm.twin.staging import write_whole
from rewarm.twin.stills import landmark_rows, place_soles, region_rows
from rewarm.twin.studies.physiology import Rewarming
from rewarm.twin.studies.pictures import (
    REFERENCE_BOX,
    REFERENCE_C,
    ScanTruth,
    Sitting,
    camera_row,
    feet_of,
    take_still,
    unevenness,
    view_of,
    write_labels,
)
from rewarm.twin.studies.plan import PicturesPlan

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_WANDER_S: Final = 60.0
_TURN_DEG_PER_PX: Final = 0.25
_TOGETHER: Final = 0.6
"""Share of the wandering's variance that both feet do together."""
_MARGIN_PX: Final = 24
_HAND_C: Final = 31.0
_DEFOCUS_PX: Final = 4.0
"""Standard deviation of the blur of a frame that is out of focus."""
_AFTER_REST: Final = timedelta(minutes=25)


@dataclass(frozen=True, eq=False)
class Film:
    """What happens in one recording: true temperatures at each frame, arrays (times, 2, …), and how it is filmed."""

    time_s: Floats
    toes_c: Floats
    tip_gradient_c: Floats
    sole_c: Floats
    flow_ml_100ml_min: Floats
    tone: Floats
    sweat_w_m2: Floats
    drive: Floats
    filming: PicturesPlan


@dataclass(frozen=True, eq=False)
class Disturbance:
    """What disturbs a recording, frame by frame: ``shift_px`` (times, 2, 2) how far each foot has moved (x, y) since
    the first frame, ``turn_deg`` (times, 2) about its middle; ``offset_c`` (times,) what the camera adds to the whole
    picture; ``shutter``, ``covered`` and ``defocused`` (times,).
    """

    shift_px: Floats
    turn_deg: Floats
    offset_c: Floats
    shutter: Bools
    covered: Bools
    defocused: Bools


def film_of(happened: Rewarming, person: int, visit: int, filming: PicturesPlan) -> Film:
    """One person's visit, out of everybody's."""
    return Film(
        time_s=happened.time_s,
        toes_c=happened.toes_c[:, person, visit],
        tip_gradient_c=happened.tip_gradient_c[:, person, visit],
        sole_c=happened.sole_c[:, person, visit],
        flow_ml_100ml_min=happened.flow_ml_100ml_min[:, person, visit],
        tone=happened.tone[:, person, visit],
        sweat_w_m2=happened.sweat_w_m2[:, person, visit],
        drive=happened.drive[:, person, visit],
        filming=filming,
    )


def take(job: tuple[Sitting, Film | None]) -> ScanTruth:
    """Take one scan: a still at rest, or with a film a recording."""
    sitting, film = job
    return take_still(sitting) if film is None else take_recording(sitting, film)


def take_noted(job: tuple[Sitting, Film | None], note: Path) -> ScanTruth:
    """Take one scan, and note its truth once its files are complete."""
    write_whole(note, {name: _plain(value) for name, value in asdict(take(job)).items()})
    scan = noted(note)  # what goes on is what a later run would read, to the last bit
    if scan is None:
        raise OutputError(f"{note}: cannot be read again after it was written. Choose another disk")
    return scan


def noted(note: Path) -> ScanTruth | None:
    """The truth of a scan that is complete; None where it is not."""
    try:
        return ScanTruth(**json.loads(note.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _plain(value: Any) -> Any:
    """NumPy's figures as Python's, so that JSON can hold them."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.item() if isinstance(value, np.generic) else value


def take_recording(sitting: Sitting, film: Film) -> ScanTruth:
    """Film one rewarming, write it, its true labels (of the first frame) and its frames' truth."""
    rng = sitting.chance()
    feet, view = feet_of(sitting), view_of(rng, sitting)
    drawn = place_soles(rng, sitting.camera, feet.sole, distance_m=view.distance_m, rotations=feet.rotations)
    layers = {s: sole_layers(drawn.soles[s], texture=feet.textures[s], margin_px=_MARGIN_PX) for s in SIDES}
    cover = np.asarray(sum(maps.foot for maps in drawn.soles.values()), dtype=np.float32)
    behind = sheet(rng, shape=sitting.camera.shape, ambient_c=sitting.ambient_c, imprint=cover)
    if sitting.reference:
        behind = add_reference(behind, reference_c=REFERENCE_C, box=REFERENCE_BOX)
    uneven = unevenness(sitting, rng)
    disturbed = disturb(rng, film)
    began = sitting.acquired_at + _AFTER_REST
    path = sitting.folder / "thermograms" / f"{sitting.scan}.csq"
    frames = _frames(rng, sitting, film, disturbed, layers, behind, uneven, view, began)
    write_flir_sequence(path, frames, sitting.camera, view)
    write_labels(sitting, drawn)
    truth = frames_table(sitting, film, disturbed)
    truth.to_csv(
        sitting.folder / "truth" / "frames" / f"{sitting.scan}.csv",
        index=False, lineterminator="\n", float_format="%.6g",
    )  # fmt: skip
    skin, scene = _first(drawn, layers, film, behind)
    return ScanTruth(
        scan=sitting.scan,
        distance_m=view.distance_m,
        reflected_c=view.reflected_c,
        regions=region_rows(sitting.scan, drawn, skin, scene),
        landmarks=landmark_rows(sitting.scan, drawn),
        camera=camera_row(sitting, uneven, drawn.mm_per_px),
    )


def disturb(rng: np.random.Generator, film: Film) -> Disturbance:
    """Draw what disturbs the recording: nothing moves before the first frame."""
    plan, time_s = film.filming, film.time_s
    count = time_s.size
    shift = _wander(rng, time_s, (2, 2), plan.motion_px) + _twitches(rng, time_s, plan)
    turn = _wander(rng, time_s, (2, 1), _TURN_DEG_PER_PX * plan.motion_px)[..., 0]
    period = np.floor((time_s + plan.nuc_every_s / 2) / plan.nuc_every_s).astype(np.int64)
    shutter = np.diff(period, prepend=period[0]) > 0
    jumps = plan.nuc_jump_c * rng.normal(size=int(period[-1]) + 1)
    jumps[0] = 0.0
    drift = plan.drift_c_per_min * float(rng.normal()) * time_s / 60
    return Disturbance(
        shift_px=shift - shift[:1],
        turn_deg=turn - turn[:1],
        offset_c=jumps[period] + drift,
        shutter=shutter,
        covered=(rng.random(count) < plan.covered) & (np.arange(count) > 0),
        defocused=_defocused(rng, count, plan.defocused),
    )


def _defocused(rng: np.random.Generator, count: int, share: float) -> Bools:
    """Frames out of focus, not the first; nothing is drawn where there are none, so that other chances stay."""
    if share == 0:
        return np.zeros(count, dtype=np.bool_)
    return (rng.random(count) < share) & (np.arange(count) > 0)


def _wander(rng: np.random.Generator, time_s: Floats, kind: tuple[int, int], sd: float) -> Floats:
    """Slow wandering of SD ``sd``, (times, feet, axes); the feet wander together in part."""
    keep = np.exp(-np.diff(time_s, prepend=time_s[0] - 1e9) / _WANDER_S)
    steps = rng.normal(size=(time_s.size, *kind))
    both = rng.normal(size=(time_s.size, 1, kind[1]))
    noise = np.sqrt(_TOGETHER) * both + np.sqrt(1 - _TOGETHER) * steps
    wandered = np.zeros_like(noise)
    for i in range(time_s.size):
        before = wandered[i - 1] if i else 0.0
        wandered[i] = keep[i] * before + np.sqrt(1 - keep[i] ** 2) * noise[i]
    return np.asarray(sd * wandered)


def _twitches(rng: np.random.Generator, time_s: Floats, plan: PicturesPlan) -> Floats:
    """Sudden moves that stay, (times, 2, 2): both feet, or one."""
    shift = np.zeros((time_s.size, 2, 2))
    for _ in range(int(rng.poisson(plan.twitches))):
        at = rng.uniform(time_s[0], time_s[-1])
        which = rng.choice([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
        shift += (time_s > at)[:, None, None] * which[:, None] * rng.normal(0, 2 * plan.motion_px, (1, 1, 2))
    return shift


def _frames(
    rng: np.random.Generator,
    sitting: Sitting,
    film: Film,
    disturbed: Disturbance,
    layers: dict[str, SoleLayers],
    behind: Map,
    uneven: Map,
    view: View,
    began: datetime,
) -> Iterator[tuple[NDArray[np.uint16], datetime]]:
    for i, time_s in enumerate(film.time_s):
        scene = _scene(film, disturbed, layers, behind, i)
        if disturbed.covered[i]:
            scene = _with_hand(rng, scene)
        if disturbed.defocused[i]:
            scene = cv2.GaussianBlur(scene, (0, 0), _DEFOCUS_PX)
        offset = sitting.offset_c + float(disturbed.offset_c[i])
        taken = record(scene, sitting.camera, view, rng, offset_c=offset, non_uniformity_c=uneven)
        yield taken.counts, began + timedelta(seconds=float(time_s))


def _scene(film: Film, disturbed: Disturbance, layers: dict[str, SoleLayers], behind: Map, i: int) -> Map:
    """The true scene of a frame: each sole, moved, over what lies behind, which stays."""
    scene = behind.copy()
    for number, side in enumerate(SIDES):
        layer = layers[side]
        y0, y1, x0, x1 = layer.box
        patch = np.zeros((2, (y1 - y0) * (x1 - x0)), dtype=np.float32)
        regions = np.concatenate([film.toes_c[i, number], film.sole_c[i, number]])
        patch[0, layer.inside] = layer.painted(regions, float(film.tip_gradient_c[i, number])) * layer.foot
        patch[1, layer.inside] = layer.foot
        moved = [
            _moved(part.reshape(y1 - y0, x1 - x0), disturbed.shift_px[i, number], float(disturbed.turn_deg[i, number]))
            for part in patch
        ]
        scene[y0:y1, x0:x1] = scene[y0:y1, x0:x1] * (1 - moved[1]) + moved[0]
    return scene


def _moved(patch: Map, shift_px: Floats, turn_deg: float) -> Map:
    """A patch turned about its middle and shifted; what comes from outside it is nothing."""
    if not shift_px.any() and turn_deg == 0:
        return patch
    height, width = patch.shape
    matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), -turn_deg, 1.0)
    matrix[:, 2] += shift_px
    moved = cv2.warpAffine(patch, matrix, (width, height), flags=cv2.INTER_CUBIC)
    return np.asarray(moved, dtype=np.float32)


def _with_hand(rng: np.random.Generator, scene: Map) -> Map:
    """A hand on its way through the picture, in front of everything."""
    height, width = scene.shape
    y, x = np.mgrid[0:height, 0:width]
    middle = rng.uniform(0.2, 0.8, 2) * (width, height)
    inside = ((x - middle[0]) / (0.22 * width)) ** 2 + ((y - middle[1]) / (0.16 * height)) ** 2 < 1
    return np.where(inside | ((np.abs(x - middle[0]) < 0.09 * width) & (y > middle[1])), _HAND_C, scene).astype(
        np.float32
    )


def _first(drawn: DrawnSoles, layers: dict[str, SoleLayers], film: Film, behind: Map) -> tuple[dict[str, Map], Map]:
    """Skin by side, and the scene, of the first frame, before which nothing moved."""
    skin = {}
    for number, side in enumerate(SIDES):
        layer = layers[side]
        y0, y1, x0, x1 = layer.box
        patch = np.zeros((y1 - y0) * (x1 - x0), dtype=np.float32)
        regions = np.concatenate([film.toes_c[0, number], film.sole_c[0, number]])
        patch[layer.inside] = layer.painted(regions, float(film.tip_gradient_c[0, number]))
        skin[side] = np.zeros_like(behind)
        skin[side][y0:y1, x0:x1] = patch.reshape(y1 - y0, x1 - x0)
    return skin, paint_scene(drawn, skin, behind)


def frames_table(sitting: Sitting, film: Film, disturbed: Disturbance) -> pd.DataFrame:
    """The truth of every frame: what moved, what the camera added, and each toe's temperature, flow, tone and sweat."""
    columns: dict[str, object] = {
        "time_s": film.time_s,
        "camera_offset_c": sitting.offset_c + disturbed.offset_c,
        "shutter": disturbed.shutter.astype(int),
        "covered": disturbed.covered.astype(int),
        "defocused": disturbed.defocused.astype(int),
        "drive": film.drive,
    }
    for number, side in enumerate(SIDES):
        columns |= {
            f"{side}_shift_x_px": disturbed.shift_px[:, number, 0],
            f"{side}_shift_y_px": disturbed.shift_px[:, number, 1],
            f"{side}_turn_deg": disturbed.turn_deg[:, number],
        }
        for t, toe in enumerate(TOES):
            columns |= {
                f"{side}_{toe}_c": film.toes_c[:, number, t],
                f"{side}_{toe}_flow_ml_100ml_min": film.flow_ml_100ml_min[:, number, t],
                f"{side}_{toe}_tone": film.tone[:, number, t],
                f"{side}_{toe}_sweat_w_m2": film.sweat_w_m2[:, number, t],
            }
        columns |= {f"{side}_{part}_c": film.sole_c[:, number, k] for k, part in enumerate(("ball", "arch", "heel"))}
    return pd.DataFrame(columns)
