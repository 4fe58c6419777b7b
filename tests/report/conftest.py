"""A small case series with drawn soles whose tables are known: three people, four visits, a toe that is not found."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rewarm.regions import SIDES, TOES, Region, Regions
from rewarm.study.clinical import study_tables
from rewarm.study.diary import diary_coverage
from rewarm.study.first_table import first_table
from rewarm.study.folder import StudyCheck
from rewarm.study.injections import injection_totals
from rewarm.study.results import Comparison, ScanResult, StudyResult
from rewarm.tables import COMPARISON, MEASUREMENTS, SMALLEST_DETECTABLE_FACTOR
from rewarm.thermogram import CameraIdentity, ObjectParameters, Provenance, make_thermogram, temperature_c

HEIGHT, WIDTH = 240, 320
VISITS = (("before", 0), ("6 weeks", 42), ("3 months", 91), ("5 months", 152))
U_MEAN, U_DIFFERENCE = 0.55, 0.08
TOE_SHAPES = {  # centre across and along, half width and length; a left sole, toes up
    "toe1": (15, 22, 8.5, 14),
    "toe2": (-1, 17, 5.8, 11),
    "toe3": (-13, 23, 5.4, 10),
    "toe4": (-23.5, 31, 5.2, 9),
    "toe5": (-32, 42, 5.2, 8.5),
}


def ellipse(centre_x: float, centre_y: float, half_x: float, half_y: float) -> np.ndarray:
    y, x = np.mgrid[0.5:HEIGHT, 0.5:WIDTH]
    return ((x - centre_x) / half_x) ** 2 + ((y - centre_y) / half_y) ** 2 <= 1


def sole_masks(side: str) -> dict[str, np.ndarray]:
    """A left sole left of the middle, its great toe towards the middle; the right one is its mirror image."""
    sign, middle = (1, 100) if side == "left" else (-1, 220)
    masks = {
        name: ellipse(middle + sign * x * 1.1, 18 + y, half_x * 1.1, half_y)
        for name, (x, y, half_x, half_y) in TOE_SHAPES.items()
    }
    masks["ball"] = ellipse(middle - sign * 6, 88, 40, 30)
    masks["arch"] = ellipse(middle - sign * 10, 140, 27, 48) & ~masks["ball"]
    masks["heel"] = ellipse(middle - sign * 6, 198, 28, 32) & ~masks["arch"]
    taken = np.logical_or.reduce([masks[name] for name in TOES])
    return {name: mask if name in TOES else mask & ~taken for name, mask in masks.items()}


def draw_regions(*, missing: dict[str, str] | None = None) -> Regions:
    items = []
    for side in SIDES:
        for name, mask in sole_masks(side).items():
            reason = (missing or {}).get(f"{side}_{name}", "")
            found = np.zeros_like(mask) if reason else mask
            items.append(Region(side, name, found, 0.2 if reason else 0.9, "drawn for tests", reason=reason))
    return Regions((HEIGHT, WIDTH), "feet", "plantar", tuple(items), {})


def draw_temperatures(regions: Regions, *, toes_c: float, room_c: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 0.05, (HEIGHT, WIDTH))
    picture = np.full((HEIGHT, WIDTH), room_c)
    base = {"ball": 28.0, "arch": 30.0, "heel": 27.5} | {
        name: toes_c + warmth for name, warmth in zip(TOES, (0.8, -0.4, -0.7, -0.5, 0.3), strict=True)
    }
    for side in SIDES:
        for name, mask in sole_masks(side).items():
            picture[mask] = base[name] + (0.3 if side == "left" else 0.0)
    return (picture + noise).astype(np.float32)


def measurements_of(scan: ScanResult) -> pd.DataFrame:
    picture = temperature_c(scan.thermogram)
    common = {"participant": scan.participant, "visit": scan.visit, "scan": scan.scan, "time_s": math.nan}
    rows = []
    for side in SIDES:
        means = {item.region: float(picture[item.mask].mean()) for item in scan.regions.found if item.side == side}
        for name, value in means.items():
            more = {
                "side": side,
                "region": name,
                "n_px": 100,
                "method": "drawn regions, plain mean",
                "software": "rewarm 0",
            }
            rows.append(common | more | {"metric": "mean", "value": value, "unit": "degC", "u": 0.4})
            if name in TOES and "arch" in means:
                difference = {
                    "metric": "distal_proximal_difference",
                    "value": value - means["arch"],
                    "unit": "delta_degC",
                }
                rows.append(common | more | difference | {"u": U_DIFFERENCE})
    return pd.DataFrame(rows, columns=list(MEASUREMENTS))


def make_scan(
    participant: str,
    visit: str,
    *,
    day: int = 0,
    toes_c: float = 24.0,
    room_c: float = 22.5,
    seed: int = 1,
    missing: dict[str, str] | None = None,
    warnings: tuple[str, ...] = (),
) -> ScanResult:
    regions = draw_regions(missing=missing)
    scan = f"{participant}_{visit.replace(' ', '_')}"
    thermogram = make_thermogram(
        draw_temperatures(regions, toes_c=toes_c, room_c=room_c, seed=seed),
        provenance=Provenance(f"{scan}.csv", f"{seed:064x}", "matrix", "0.1"),
        camera=CameraIdentity(camera_make="Drawn", camera_model="Model 1"),
        parameters=ObjectParameters(emissivity=0.98, reflected_c=22.0, distance_m=0.8),
        warnings=["The file holds no calibration: temperatures are taken as they are."],
    )
    bare = ScanResult(
        participant,
        visit,
        scan,
        "feet",
        "plantar",
        "rest",
        thermogram,
        regions,
        pd.DataFrame(),
        date=date(2026, 1, 12) + timedelta(days=day),
        ambient_c=room_c,
        warnings=warnings,
    )
    return replace(bare, measurements=measurements_of(bare))


def make_comparison(before: ScanResult, after: ScanResult, *, warnings: tuple[str, ...] = ()) -> Comparison:
    keys = ["side", "region", "metric"]
    joined = before.measurements.merge(after.measurements, on=keys, suffixes=("_before", "_after"))
    rows = []
    for row in joined.to_dict("records"):
        u = U_MEAN if row["metric"] == "mean" else U_DIFFERENCE
        change, sdc = row["value_after"] - row["value_before"], SMALLEST_DETECTABLE_FACTOR * u
        rows.append(
            {
                "participant": after.participant,
                "visit_before": before.visit,
                "visit_after": after.visit,
                "scan_before": before.scan,
                "scan_after": after.scan,
                **{key: row[key] for key in keys},
                "before": row["value_before"],
                "after": row["value_after"],
                "change": change,
                "unit": row["unit_before"],
                "u": u,
                "sdc": sdc,
                "detectable": abs(change) > sdc,
                "room_change": after.ambient_c - before.ambient_c,
                "censored": "",
            }
        )
    change_c = temperature_c(after.thermogram) - temperature_c(before.thermogram)
    inside = np.logical_or.reduce([item.mask for item in before.regions.found])
    change_c = np.where(inside, change_c, np.nan).astype(np.float32)
    table = pd.DataFrame(rows, columns=list(COMPARISON))
    return Comparison(before, after, change_c, {"left": 0.6, "right": 0.8}, table, warnings)


TOES_C = {"P1": (23.6, 26.9, 26.2, 24.9), "P2": (25.5, 25.8, 25.4, 25.6), "P3": (26.0, 24.1, 25.0, 25.9)}
ROOM_WARNING = "The rooms differ by more than 1 °C (21.9 and 23.4 °C)."
SCAN_WARNING = "The person had settled for 8 min only; 15 min are asked for."
STUDY_WARNING = "visits.csv has an unknown column, mood: it is kept and not used."


def make_study() -> StudyResult:
    scans, comparisons = [], []
    for p, (participant, toes) in enumerate(TOES_C.items()):
        mine = []
        for v, ((visit, day), toes_c) in enumerate(zip(VISITS, toes, strict=True)):
            lost = {"left_toe5": "hidden behind toe 4"} if (p, v) == (1, 1) else None
            room = (21.9, 23.4, 22.6, 22.1)[v] + 0.1 * p
            warnings = (SCAN_WARNING,) if (p, v) == (0, 2) else ()
            mine.append(
                make_scan(
                    participant,
                    visit,
                    day=day + 3 * p,
                    toes_c=toes_c,
                    room_c=room,
                    seed=10 * p + v,
                    missing=lost,
                    warnings=warnings,
                )
            )
        scans += mine
        comparisons += [
            make_comparison(mine[0], after, warnings=(ROOM_WARNING,) if after is mine[1] else ()) for after in mine[1:]
        ]
    dates = [pd.Timestamp(scan.date) for scan in scans]
    tables = {
        "participants": pd.DataFrame(
            {
                "participant": ["P1", "P2", "P3"],
                "sex": ["female"] * 3,
                "birth_year": [1971.0, 1984.0, math.nan],
                "condition": ["secondary_raynaud", "primary_raynaud", "secondary_raynaud"],
                "underlying": ["systemic_sclerosis", "", "systemic_sclerosis"],
                "prior_treatments": ["nifedipine;iloprost", "", "nifedipine"],
                "notes": ["", "wool socks <b>daily</b>", ""],
            }
        ),
        "visits": pd.DataFrame(
            {
                "participant": [scan.participant for scan in scans],
                "visit": [scan.visit for scan in scans],
                "date": dates,
                "ambient_c": [scan.ambient_c for scan in scans],
            }
        ),
        "injections": pd.DataFrame(
            {
                "participant": ["P1", "P1"],
                "date": [pd.Timestamp("2026-01-12")] * 2,
                "side": ["left", "right"],
                "site": ["web1", "web1"],
                "product": ["onabotulinumtoxinA"] * 2,
                "units_u": [10.0, 10.0],
                "volume_ml": [math.nan, 2.0],
            }
        ),
        "diary": pd.DataFrame(
            {
                "participant": ["P2", "P2"],
                "date": [pd.Timestamp("2026-01-15"), pd.Timestamp("2026-02-26")],
                "side": ["left", "left"],
                "swelling_mm": [3.0, 9.0],
                "colour_change": ["white;blue", ""],
            }
        ),
    }
    settings = {"id": "drawn-1", "title": "Drawn toes", "timezone": "Europe/Zurich", "design": {"kind": "case_series"}}
    clinical = study_tables(StudyCheck(Path("drawn"), (), tables, settings))
    measurements = pd.concat([scan.measurements for scan in scans], ignore_index=True)
    return StudyResult(
        study_id="drawn-1",
        title="Drawn toes, a case series",
        design="case_series",
        control="none",
        tables=tables,
        scans=tuple(scans),
        comparisons=tuple(comparisons),
        measurements=measurements,
        comparison_table=pd.concat([item.table for item in comparisons], ignore_index=True),
        warnings=(STUDY_WARNING,),
        versions={"rewarm": "0.1", "numpy": "2.4"},
        first_table=first_table(clinical, measurements),
        injection_totals=injection_totals(clinical),
        diary_coverage=diary_coverage(clinical.diary, clinical.injections),
    )


@pytest.fixture(scope="session")
def study() -> StudyResult:
    return make_study()
