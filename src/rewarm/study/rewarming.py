"""Scans while rewarming → challenges: a recording, or the stills of one visit, with curves, figures and a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.measures.challenge import ChallengeFacts, review_challenge
from rewarm.measures.perfusion import digit_flows, flow_table
from rewarm.measures.rewarming import Baseline, rewarming_metrics, rewarming_table
from rewarm.measures.rewarming_curves import RegionCurves, still_curves
from rewarm.regions import FINGERS, TOES
from rewarm.study.baseline import rest_before
from rewarm.study.outputs import stacked
from rewarm.study.results import Followed, Rewarming, ScanResult
from rewarm.tables import CURVES, MEASUREMENTS
from rewarm.version import __version__

NAMED_TIMES_S: Final = (0.0, 300.0, 600.0, 900.0)
"""At these times the mean temperatures of a recording are rows of the measurements table; all others are in curves/."""
NEAR_S: Final = 20.0
"""A picture taken within so many seconds of such a time stands for it."""
STRAY: Final = "far off its neighbours"
"""Why a value of a frame that was followed is missing all the same."""
WATER_C: Final = 15.0
IMMERSION_S: Final = 60.0
"""The usual cold challenge, where neither the study nor its protocol says otherwise."""
FEWEST_STILLS: Final = 3
"""Fewer still pictures of one visit are no course."""


def with_rewarmings(
    scans: Sequence[ScanResult], *, facts: ChallengeFacts | None = None
) -> tuple[list[ScanResult], list[Rewarming]]:
    """The challenges of all scans, and the scans with the challenges' rows and checks added to the first of each."""
    whole = list(scans)
    place = {id(scan): i for i, scan in enumerate(whole)}
    challenges = []
    for group in _groups(scans):
        first = group[0]
        challenge, checks = _challenge(group, scans, facts or ChallengeFacts())
        rows = [first.measurements, challenge.metrics]
        review = first.review
        whole[place[id(first)]] = replace(
            first,
            measurements=stacked(rows, MEASUREMENTS),
            review=None if review is None else replace(review, checks=(*review.checks, *checks)),
            warnings=(*first.warnings, *challenge.warnings),
        )
        challenges.append(challenge)
    return whole, challenges


def _groups(scans: Sequence[ScanResult]) -> list[list[ScanResult]]:
    """Each recording for itself; stills of one visit, limb and view together, in the order of their times."""
    groups: list[list[ScanResult]] = []
    stills: dict[tuple[str, str, str, str], list[ScanResult]] = {}
    for scan in scans:
        if scan.phase != "rewarming" or not scan.regions.found:
            continue
        if scan.followed is not None:
            groups.append([scan])
        elif scan.time_s is not None and not scan.thermogram.attrs.get("recording_frames"):
            key = (scan.participant, scan.visit, scan.limb, scan.view)
            if key not in stills:
                groups.append(stills.setdefault(key, []))
            stills[key].append(scan)
    for group in groups:
        group.sort(key=lambda scan: scan.time_s or 0.0)
    return [group for group in groups if group[0].followed is not None or len(group) >= FEWEST_STILLS]


def _challenge(
    group: Sequence[ScanResult], scans: Sequence[ScanResult], facts: ChallengeFacts
) -> tuple[Rewarming, tuple[Any, ...]]:
    first = group[0]
    followed = first.followed
    if followed is None:
        stills = [(scan.time_s or 0.0, scan.thermogram, scan.regions) for scan in group]
        curves = still_curves(stills, assumptions=first.assumptions)
    else:
        curves = followed.curves
    rest = rest_before(first, group[-1].regions, scans)
    baseline = rest.baseline
    result = rewarming_metrics(curves, baseline=baseline)
    table = rewarming_table(result, participant=first.participant, visit=first.visit, scan=first.scan)
    maps_missing = () if followed is None else followed.maps.missing
    flows, flow_warnings = _flows(first, curves, baseline, facts)
    challenge = Rewarming(
        participant=first.participant,
        visit=first.visit,
        scan=first.scan,
        scans=tuple(scan.scan for scan in group),
        limb=first.limb,
        view=first.view,
        date=first.date,
        curves=curves_table(curves, followed),
        metrics=stacked([*([] if followed is None else [_mean_rows(curves, first)]), table, flows], MEASUREMENTS),
        regions=group[-1].regions,
        baseline_scan=rest.scan,
        since_immersion=followed is None or followed.plan.time_s is not None,
        followed=followed,
        stills=() if followed is not None else tuple((scan.time_s or 0.0, scan.thermogram) for scan in group),
        warnings=tuple(
            dict.fromkeys((*rest.warnings, *curves.left_out, *maps_missing, *result.warnings, *flow_warnings))
        ),
    )
    digits = [item.value_c for (_, region), item in baseline.items() if region in (*TOES, *FINGERS)]
    mean_c = float(np.mean(digits)) if digits else None
    return challenge, review_challenge(curves, replace(facts, baseline=tuple(baseline), baseline_c=mean_c))


def _flows(
    first: ScanResult, curves: RegionCurves, baseline: Mapping[tuple[str, str], Baseline], facts: ChallengeFacts
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The flow that each digit's course needs: of recordings whose room is known; single pictures lie too far apart."""
    if first.followed is None or first.ambient_c is None:
        return pd.DataFrame(columns=list(MEASUREMENTS)), ()
    water_c = next((value for value in (facts.water_c, facts.planned_water_c) if value is not None), WATER_C)
    immersed_s = next((s for s in (facts.immersion_s, facts.planned_immersion_s) if s is not None), IMMERSION_S)
    found = digit_flows(curves, room_c=first.ambient_c, water_c=water_c, immersion_s=immersed_s, baseline=baseline)
    table = flow_table(found, participant=first.participant, visit=first.visit, scan=first.scan)
    return table, found.warnings


def curves_table(curves: RegionCurves, followed: Followed | None) -> pd.DataFrame:
    """Curves as rows of :data:`rewarm.tables.CURVES`, with the pictures that were left out and why."""
    u_c = _u_c(curves)
    tables = []
    for i, (side, region) in enumerate(curves.names):
        value = curves.temperature_c[i]
        used = np.isfinite(value)
        reasons = _reasons(curves, followed, side, used)
        tables.append(
            pd.DataFrame(
                {
                    "time_s": curves.time_s,
                    "side": side,
                    "region": region,
                    "celsius": value,
                    "u": np.where(used, u_c[i], nan),
                    "used": used.astype(np.int64),
                    "reason": reasons,
                }
            )
        )
    if not tables:
        return pd.DataFrame(columns=list(CURVES))
    return pd.concat(tables, ignore_index=True)[list(CURVES)]


def _reasons(curves: RegionCurves, followed: Followed | None, side: str, used: NDArray[np.bool_]) -> list[str]:
    """Why a value is missing: what the nearest frame was left out for."""
    if followed is None:
        return ["" if fine else "not found" for fine in used]
    said = followed.motion.limbs[side].reasons
    nearest = np.abs(curves.time_s[:, None] - followed.time_s[None, :]).argmin(axis=1)
    return ["" if fine else said[frame] or STRAY for fine, frame in zip(used, nearest, strict=True)]


def _u_c(curves: RegionCurves) -> NDArray[np.float64]:
    """(regions, times): standard uncertainty of each temperature for itself, what all share included."""
    variance = curves.noise_c**2
    for cause in curves.causes:
        variance = variance + cause.effect_c**2
    return np.sqrt(variance)


def _mean_rows(curves: RegionCurves, scan: ScanResult) -> pd.DataFrame:
    """Mean temperatures at the named times, each from the nearest picture in which the region was measured."""
    u_c = _u_c(curves)
    rows: list[dict[str, Any]] = []
    for i, (side, region) in enumerate(curves.names):
        usable = np.flatnonzero(np.isfinite(curves.temperature_c[i]) & (curves.time_s >= 0))
        taken: set[int] = set()
        for named_s in NAMED_TIMES_S:
            if not usable.size:
                break
            at = int(usable[np.abs(curves.time_s[usable] - named_s).argmin()])
            if at in taken or (named_s > 0 and abs(curves.time_s[at] - named_s) > NEAR_S):
                continue
            taken.add(at)
            rows.append(
                {
                    "participant": scan.participant,
                    "visit": scan.visit,
                    "scan": scan.scan,
                    "time_s": float(curves.time_s[at]),
                    "side": side,
                    "region": region,
                    "metric": "mean",
                    "value": float(curves.temperature_c[i, at]),
                    "unit": "degC",
                    "u": float(u_c[i, at]),
                    "n_px": int(curves.n_px[i]),
                    "method": "; ".join(filter(None, (curves.drawn_by[i], "one frame, region carried along"))),
                    "software": f"rewarm {__version__}",
                }
            )
    return stacked([pd.DataFrame(rows, columns=list(MEASUREMENTS))], MEASUREMENTS)
