"""Cold challenges whose curves are closed forms, as the report gets them; no estimator of the package is used."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pandas as pd

from rewarm.measures.rewarming_maps import RewarmingMaps
from rewarm.regions import SIDES, TOES, Regions
from rewarm.study.results import Followed, Rewarming
from rewarm.tables import CURVES, MEASUREMENTS

REST_C, LOWEST_C = 29.0, 14.0
TOE_FACTORS = (0.8, 1.0, 1.1, 1.2, 1.3)
U_C = 0.6


def toe_c(time_s: np.ndarray, tau_s: float, plateau_c: float) -> np.ndarray:
    return plateau_c - (plateau_c - LOWEST_C) * np.exp(-time_s / tau_s)


def half_s(tau_s: float, plateau_c: float) -> float:
    """When toe_c regains half of what was lost; infinite where its plateau lies below."""
    share = 0.5 * (REST_C - LOWEST_C) / (plateau_c - LOWEST_C)
    return -tau_s * math.log(1 - share) if share < 1 else math.inf


def metric_rows(who: dict[str, str], side: str, toe: str, tau_s: float, plateau_c: float, end_s: float) -> list[dict]:
    half = half_s(tau_s, plateau_c)
    reached = half <= end_s
    at_10_min_c = float(toe_c(np.array(600.0), tau_s, plateau_c))
    figures = [
        ("tpre", REST_C, "degC", U_C),
        ("tmin", LOWEST_C, "degC", U_C),
        ("lag", 12.0, "s", 4.0),
        ("lag_reached", 1.0, "1", math.nan),
        ("gradient_2min", 60 * (plateau_c - LOWEST_C) / tau_s * 0.9, "degC/min", 0.05),
        ("recovery_10min", 100 * (at_10_min_c - LOWEST_C) / (REST_C - LOWEST_C), "percent", 2.0),
        ("t50", half if reached else end_s, "s", 15.0 if reached else math.nan),
        ("t50_reached", float(reached), "1", math.nan),
        ("t100", end_s, "s", math.nan),
        ("t100_reached", 0.0, "1", math.nan),
    ]  # fmt: skip
    common = {**who, "time_s": math.nan, "side": side, "region": toe, "n_px": 80, "method": "", "software": "rewarm 0"}
    return [common | {"metric": m, "value": float(v), "unit": unit, "u": u} for m, v, unit, u in figures]


def make_challenge(
    regions: Regions,
    participant: str,
    visit: str,
    *,
    tau_s: float,
    plateau_c: float = 29.0,
    day: int = 0,
    frames: int = 90,
    step_s: float = 10.0,
    gap: slice | None = None,
    recording: bool = True,
) -> Rewarming:
    time_s = np.arange(frames) * step_s
    scan = f"{participant}_{visit.replace(' ', '_')}_cold"
    who = {"participant": participant, "visit": visit, "scan": scan}
    curves, metrics = [], []
    for s, side in enumerate(SIDES):
        for toe, factor in zip(TOES, TOE_FACTORS, strict=True):
            value = toe_c(time_s, tau_s * factor * (1 + 0.15 * s), plateau_c)
            if gap is not None and side == "left":
                value[gap] = np.nan
            used = np.isfinite(value)
            curves.append(
                pd.DataFrame(
                    {
                        "time_s": time_s,
                        "side": side,
                        "region": toe,
                        "celsius": value,
                        "u": np.where(used, U_C, np.nan),
                        "used": used.astype(int),
                        "reason": np.where(used, "", "covered"),
                    }
                )
            )
            metrics += metric_rows(who, side, toe, tau_s * factor * (1 + 0.15 * s), plateau_c, float(time_s[-1]))
    return Rewarming(
        participant=participant,
        visit=visit,
        scan=scan,
        scans=(scan,),
        limb="feet",
        view="plantar",
        date=date(2026, 1, 12) + timedelta(days=day),
        curves=pd.concat(curves, ignore_index=True)[list(CURVES)],
        metrics=pd.DataFrame(metrics, columns=list(MEASUREMENTS)),
        regions=regions,
        baseline_scan=f"{participant}_{visit}",
        followed=make_followed(regions, tau_s) if recording else None,
    )


def make_followed(regions: Regions, tau_s: float) -> Followed:
    """The maps alone: what opens a recording again is not there."""
    half = np.full(regions.shape, np.nan, dtype=np.float32)
    for region in regions.found:
        if region.region in TOES:
            half[region.mask] = tau_s * TOE_FACTORS[TOES.index(region.region)] * math.log(2.0)
        else:
            half[region.mask] = 0.3 * tau_s
    blank = np.full(regions.shape, np.nan, dtype=np.float32)
    maps = RewarmingMaps(blank, blank, half, blank, blank, blank)
    return Followed(None, None, None, maps, None, np.zeros(0), np.zeros(0))  # type: ignore[arg-type]
