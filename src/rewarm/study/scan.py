"""One scan through the chain: opened, corrected by its reference, its regions found, measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import xarray as xr

from rewarm.anatomy import find_regions
from rewarm.cameras import open_thermogram
from rewarm.measures import apply_reference, measure, measurement_warnings, reference_offset
from rewarm.regions import Regions
from rewarm.study.results import ScanResult
from rewarm.thermogram import ObjectParameters


@dataclass(frozen=True)
class ScanPlan:
    """What is to be done with one file, and what is known of it from elsewhere.

    ``parameters`` override the file's own. With ``lenient`` they also may be given for a file of finished
    temperatures, which then keeps its temperatures and is described by them (a study states its room and skin once, for
    whatever its cameras wrote); without it such a file is refused. ``camera`` holds what is known of the camera by the
    keys of the image contract: ``accuracy_c`` and ``netd_mk`` win over the file's, ``camera_model`` fills a gap.
    ``reference_box`` is x0, y0, x1, y1 in pixels.
    """

    path: Path
    scan: str
    limb: str = "feet"
    view: str = "plantar"
    phase: str = "rest"
    participant: str = ""
    visit: str = ""
    date: date | None = None
    time_s: float | None = None
    ambient_c: float | None = None
    parameters: ObjectParameters = field(default_factory=ObjectParameters)
    lenient: bool = False
    camera: Mapping[str, Any] = field(default_factory=dict)
    reference_c: float | None = None
    reference_box: tuple[float, float, float, float] | None = None
    corrections: Path | None = None


def measure_scan(plan: ScanPlan) -> ScanResult:
    """Carry out a plan.

    Raises the :class:`rewarm.errors.RewarmError` of whichever step cannot be done.
    """
    thermogram, warnings = _open(plan)
    offset_c: float | None = None
    if plan.reference_c is not None and plan.reference_box is not None:
        x0, y0, x1, y1 = (round(edge) for edge in plan.reference_box)
        offset = reference_offset(thermogram, reference_c=plan.reference_c, reference_box=(x0, y0, x1, y1))
        thermogram = apply_reference(thermogram, offset)
        offset_c = offset.offset_c
    regions = find_regions(thermogram, limb=plan.limb, view=plan.view, corrections=plan.corrections)
    measurements = measure(
        thermogram, regions, participant=plan.participant, visit=plan.visit, scan=plan.scan, time_s=plan.time_s
    )
    if not regions.found:
        warnings.append(nothing_found(plan.path.name, regions))
    return ScanResult(
        participant=plan.participant,
        visit=plan.visit,
        scan=plan.scan,
        limb=plan.limb,
        view=plan.view,
        phase=plan.phase,
        thermogram=thermogram,
        regions=regions,
        measurements=measurements,
        date=plan.date,
        ambient_c=plan.ambient_c,
        reference_offset_c=offset_c,
        warnings=(*warnings, *measurement_warnings(thermogram, regions)),
    )


def nothing_found(name: str, regions: Regions) -> str:
    """The sentence for a picture in which no region was sure enough to be measured."""
    reasons = list(dict.fromkeys([*regions.warnings, *(item.reason for item in regions.missing if item.reason)]))
    why = f": {'; '.join(reasons[:3])}" if reasons else ""
    return (
        f"{name}: no region of {regions.limb.replace('_', ' ')}, {regions.view} view, could be found{why.rstrip('.')}. "
        "Check limb and view, or draw the regions yourself and give them as corrections (GeoJSON)"
    )


def _open(plan: ScanPlan) -> tuple[xr.Dataset, list[str]]:
    """The still picture of a plan, with its camera's specification, and what should be said about it."""
    given = plan.parameters
    if plan.lenient:
        thermogram = open_thermogram(plan.path)
        if "counts" in thermogram:
            thermogram = _with_parameters(plan.path, given)
        else:
            thermogram = thermogram.assign_attrs(_known(given))
    else:
        thermogram = _with_parameters(plan.path, given)
    camera = {
        key: value
        for key, value in plan.camera.items()
        if key != "camera_model" or not thermogram.attrs["camera_model"]
    }
    thermogram = thermogram.assign_attrs(camera)
    warnings: list[str] = []
    if "time" in thermogram.dims:
        frames = thermogram.sizes["time"]
        if frames > 1:
            warnings.append(f"{plan.path.name} is a recording: the first of its {frames} frames was measured.")
        thermogram = thermogram.isel(time=0, drop=True).assign_attrs(recording_frames=frames)
    return thermogram.load(), warnings


def _with_parameters(path: Path, given: ObjectParameters) -> xr.Dataset:
    if not _known(given):
        return open_thermogram(path)
    return open_thermogram(
        path,
        emissivity=given.emissivity,
        reflected_c=given.reflected_c,
        distance_m=given.distance_m,
        humidity_pct=given.humidity_pct,
        air_c=given.air_c,
    )


def _known(given: ObjectParameters) -> dict[str, float]:
    names = ("emissivity", "reflected_c", "distance_m", "humidity_pct", "air_c")
    return {name: value for name in names if (value := getattr(given, name)) is not None}
