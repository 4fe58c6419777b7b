"""Simulate a whole case series: a study folder as a clinic would hand it in, with its truth beside it in ``truth/``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, time
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import tifffile

from rewarm.regions import LEGEND, SIDES, SOLE_REGIONS, TOES
from rewarm.twin.camera import SimulatedCamera, View, non_uniformity, record
from rewarm.twin.patients import (
    Patient,
    ToeWarmth,
    VisitDay,
    draw_diary,
    draw_patients,
    draw_visits,
    injection_rows,
    temperatures_at,
    toe_warmth,
)
from rewarm.twin.phantom import DrawnSoles, Map, truth_labels
from rewarm.twin.recording_files import write_flir_jpeg
from rewarm.twin.skin import add_reference, paint_scene, paint_sole, sheet
from rewarm.twin.staging import staged_study, write_marker
from rewarm.twin.stills import landmark_rows, place_soles, region_rows

TIMEZONE: Final = "Europe/Zurich"
CAMERA_ID: Final = "cam1"
MADE_BY: Final = "rewarm.twin.simulate_case_series"
_COLDEST_SKIN_C: Final = 1.2
"""Skin over the room, °C, where vessels are shut: what little heat is left keeps it there. Chosen, not published; the
sheet's own unevenness is about a third of it, so the coldest toes are faint in the picture but in it."""
_REFERENCE_C: Final = 30.0
_REFERENCE_BOX: Final = (8, 8, 32, 32)

_README: Final = r"""# The truth of this simulated study

Nobody was measured: everything in this study was simulated, and this folder says what is true. No analysis may read it;
it is here to judge one.

| file | what |
|---|---|
| `made_by.json` | what made the study, and the seed that makes it again |
| `scans.csv` | what the camera did to each recording |
| `regions.csv` | each region's true mean temperature and size, before any camera |
| `landmarks.csv` | toe tips, webs and heel points, in pixels |
| `labels/SCAN.tif` | the true regions as a label image, coded by `legend.json`; 0 is no foot |
| `toes.csv` | why each toe is as warm as it is |

`scans.csv`: `camera_offset_c` is the error common to the picture (calibration and drift), `non_uniformity_sd_c` the
spread of the error that depends on the place in it, `netd_mk` the noise, `mm_per_px` the size of a pixel on the skin.

`regions.csv`: `skin_mean_c` is the mean over the skin alone, each pixel counted by the share that the region covers;
`scene_mean_c` is the mean over the pixels of the label image, whose rim mixes with what lies behind. `area_px` counts
shares of pixels, `n_px` whole ones.

`landmarks.csv`: the centre of the first pixel is (0.5, 0.5); x grows to the right, y downwards.

`toes.csv`: °C over the same toe untreated, in a room of 22.5 °C, with 3 °C outdoors. `injection_c` is the effect of the
injections; `room_c`, `season_c` and `day_c` are not. No skin gets colder than 1.2 °C over the room, so
the coldest toes warm by less than the sum of these figures.

Temperatures are in °C of the skin's surface. Who reads a recording with the right emissivity, distance, reflected and
air temperature finds the scene's temperature, blurred by the optics, plus `camera_offset_c`, plus the other two
errors.
"""


@dataclass(frozen=True, eq=False)
class _Scan:
    """One simulated recording with its truth; ``warmth`` is by side."""

    scan: str
    patient: Patient
    visit: VisitDay
    view: View
    drawn: DrawnSoles
    skin_c: Mapping[str, Map]
    scene_c: Map
    warmth: Mapping[str, ToeWarmth]
    camera_row: Mapping[str, Any]


def simulate_case_series(folder: Path | str, *, seed: int = 20260101, reference_in_view: bool = False) -> Path:
    """Simulate three women with secondary Raynaud's phenomenon before and after botulinum toxin, and write their study.

    Both soles in each picture; visits before the injections and 6 weeks, 3 and 5 months after, from winter into
    summer, so that season and effect are mixed as in life; one responds little; one is once seen in a room over 1 °C
    warmer; one has her swelling taped. ``folder`` becomes a study folder of FLIR radiometric JPEGs and tables, with
    the truth in ``folder/truth``. The same ``seed`` gives the same bytes. With ``reference_in_view`` a black body of
    known temperature lies in each picture. A folder that this function made before is replaced as a whole, and only
    once the new one is complete. Returns the folder.

    Raises :class:`rewarm.errors.OutputError` where ``folder`` exists and is anything else, or cannot be written.
    """
    target = Path(folder)
    with staged_study(target) as made:
        _write_study(made, seed=seed, reference_in_view=reference_in_view)
    return target


def _write_study(folder: Path, *, seed: int, reference_in_view: bool) -> None:
    camera = SimulatedCamera()
    rng = np.random.default_rng(seed)
    patients = draw_patients(rng)
    warm_room, swollen = (int(i) for i in rng.choice(3, size=2, replace=False))
    fixed = non_uniformity(rng, shape=camera.shape)
    bias_c = float(rng.normal(0, 0.4))
    scans: list[_Scan] = []
    diaries, injections = [], []
    for i, patient in enumerate(patients):
        visits = draw_visits(rng, warm_room=i == warm_room)
        injected = visits[0].date
        rotations = {"left": float(rng.uniform(3, 8)), "right": -float(rng.uniform(3, 8))}
        for visit in visits:
            scan = _simulate_scan(
                rng, folder, camera, patient, visit, rotations, fixed, bias_c=bias_c, reference=reference_in_view
            )
            scans.append(scan)
        diaries.append(draw_diary(rng, patient, injected, swelling=i == swollen))
        injections.append(injection_rows(patient, injected))
    _write_tables(folder, patients, scans, camera, reference=reference_in_view)
    _csv(pd.concat(diaries), folder / "diary.csv")
    _csv(pd.concat(injections), folder / "injections.csv")
    _write_truth(folder / "truth", scans, seed=seed)


def _simulate_scan(
    rng: np.random.Generator,
    folder: Path,
    camera: SimulatedCamera,
    patient: Patient,
    visit: VisitDay,
    rotations: Mapping[str, float],
    fixed: Map,
    *,
    bias_c: float,
    reference: bool,
) -> _Scan:
    """Place, warm, paint and record both soles at one visit, and write the recording."""
    name = f"{patient.participant}_{visit.visit}"
    view = View(
        reflected_c=round(visit.ambient_c + 0.4, 1),
        distance_m=round(float(rng.uniform(0.83, 0.89)), 2),
        humidity_pct=visit.humidity_pct,
        air_c=visit.ambient_c,
    )
    drawn = place_soles(rng, camera, patient.sole, distance_m=view.distance_m, rotations=rotations)
    warmth = {side: toe_warmth(rng, patient, visit, side=side) for side in SIDES}
    skin = {}
    for side in SIDES:
        temperatures = temperatures_at(rng, patient, visit, warmth[side], side=side)
        skin[side] = paint_sole(
            drawn.soles[side], temperatures, texture=patient.textures[side], floor_c=visit.ambient_c + _COLDEST_SKIN_C
        )
    feet = np.asarray(sum(maps.foot for maps in drawn.soles.values()), dtype=np.float32)
    scene = paint_scene(drawn, skin, sheet(rng, shape=camera.shape, ambient_c=visit.ambient_c, imprint=feet))
    if reference:
        scene = add_reference(scene, reference_c=_REFERENCE_C, box=_REFERENCE_BOX)
    offset_c = bias_c + float(rng.uniform(-0.5, 0.5))
    uneven = fixed + non_uniformity(rng, shape=camera.shape, centre_to_corner_c=0.08, tilt_c=0.04)
    recording = record(scene, camera, view, rng, offset_c=offset_c, non_uniformity_c=uneven)
    taken = time(9 + int(rng.integers(0, 6)), int(rng.integers(0, 60)), int(rng.integers(0, 60)))
    acquired_at = datetime.combine(visit.date, taken, tzinfo=ZoneInfo(TIMEZONE))
    write_flir_jpeg(folder / "thermograms" / f"{name}.jpg", recording.counts, camera, view, acquired_at=acquired_at)
    row = {
        "scan": name,
        "camera_offset_c": offset_c,
        "non_uniformity_sd_c": float(uneven.std()),
        "netd_mk": camera.netd_mk,
        "mm_per_px": drawn.mm_per_px,
    }
    return _Scan(name, patient, visit, view, drawn, skin, scene, warmth, row)


def _write_tables(
    folder: Path, patients: tuple[Patient, ...], scans: list[_Scan], camera: SimulatedCamera, *, reference: bool
) -> None:
    (folder / "study.toml").write_text(_study_toml(camera), encoding="utf-8", newline="\n")
    people = [
        {
            "participant": patient.participant,
            "sex": "female",
            "birth_year": patient.birth_year,
            "condition": "secondary_raynaud",
            "underlying": "systemic_sclerosis",
            "prior_treatments": patient.prior_treatments,
            "notes": "simulated",
        }
        for patient in patients
    ]
    visits = [
        {
            "participant": scan.patient.participant,
            "visit": scan.visit.visit,
            "date": scan.visit.date,
            "ambient_c": scan.visit.ambient_c,
            "humidity_pct": scan.visit.humidity_pct,
            "settling_min": scan.visit.settling_min,
            "outdoor_mean_c": scan.visit.outdoor_mean_c,
            "recent_exercise": "no",
            "recent_smoking": "no",
            "recent_caffeine": "no",
        }
        for scan in scans
    ]
    box = ";".join(map(str, _REFERENCE_BOX))
    pictures = [
        {
            "participant": scan.patient.participant,
            "visit": scan.visit.visit,
            "scan": scan.scan,
            "file": f"thermograms/{scan.scan}.jpg",
            "limb": "feet",
            "view": "plantar",
            "phase": "rest",
            "camera": CAMERA_ID,
            "distance_m": scan.view.distance_m,
            "emissivity": scan.view.emissivity,
            "reflected_c": scan.view.reflected_c,
        }
        | ({"reference_c": _REFERENCE_C, "reference_box": box} if reference else {})
        for scan in scans
    ]
    for name, rows in (("participants", people), ("visits", visits), ("scans", pictures)):
        _csv(pd.DataFrame(rows), folder / f"{name}.csv")


def _study_toml(camera: SimulatedCamera) -> str:
    return f"""id = "simulated-case-series"
title = "Botulinum toxin in the toes of three simulated women with systemic sclerosis"
timezone = "{TIMEZONE}"

[design]
kind = "case_series"
control = "none"
masked_reading = false

[protocol]
ambient_c = 22.5
settling_min = 15

[camera.{CAMERA_ID}]
model = "{camera.model}"
accuracy_c = {camera.accuracy_c}
netd_mk = {camera.netd_mk:g}
pixels = [{camera.pixels[0]}, {camera.pixels[1]}]
"""


def _write_truth(truth: Path, scans: list[_Scan], *, seed: int) -> None:
    write_marker(truth.parent, made_by=MADE_BY, seed=seed)
    (truth / "README.md").write_text(_README, encoding="utf-8", newline="\n")
    legend = {name: code for name, code in LEGEND.items() if name.partition("_")[2] in SOLE_REGIONS}
    (truth / "legend.json").write_text(json.dumps(legend, indent=2) + "\n", encoding="utf-8", newline="\n")
    for scan in scans:
        labels = truth_labels(scan.drawn)
        tifffile.imwrite(truth / "labels" / f"{scan.scan}.tif", labels, compression="zlib", metadata=None)
    _csv(pd.DataFrame([scan.camera_row for scan in scans]), truth / "scans.csv")
    regions = [row for scan in scans for row in region_rows(scan.scan, scan.drawn, scan.skin_c, scan.scene_c)]
    _csv(pd.DataFrame(regions), truth / "regions.csv")
    _csv(pd.DataFrame([row for scan in scans for row in _toe_rows(scan)]), truth / "toes.csv")
    landmarks = [row for scan in scans for row in landmark_rows(scan.scan, scan.drawn)]
    _csv(pd.DataFrame(landmarks), truth / "landmarks.csv")


def _toe_rows(scan: _Scan) -> list[dict[str, Any]]:
    return [
        {
            "scan": scan.scan,
            "participant": scan.patient.participant,
            "visit": scan.visit.visit,
            "days": scan.visit.days,
            "side": side,
            "region": toe,
            **{part.name: float(getattr(warmth, part.name)[i]) for part in fields(warmth)},
        }
        for side, warmth in scan.warmth.items()
        for i, toe in enumerate(TOES)
    ]


def _csv(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False, encoding="utf-8", lineterminator="\n", float_format="%.6g")
