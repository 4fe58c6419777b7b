"""One scan through the chain: opened, corrected by its reference, its regions found, measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import xarray as xr

from rewarm.anatomy import find_regions
from rewarm.cameras import open_thermogram
from rewarm.errors import RewarmError
from rewarm.measures import (
    DEFAULT_REFERENCE_HALF_WIDTH_C,
    Circumstances,
    FrameJumps,
    apply_reference,
    frame_jumps,
    measure,
    measurement_warnings,
    reference_offset,
    review_picture,
)
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
    ``reference_box`` is x0, y0, x1, y1 in pixels. ``circumstances`` is what people wrote down beside the picture; room
    and humidity, where it holds none, are taken from ``ambient_c`` and ``parameters``.
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
    circumstances: Circumstances = field(default_factory=Circumstances)


def measure_scan(plan: ScanPlan) -> ScanResult:
    """Carry out a plan.

    Raises the :class:`rewarm.errors.RewarmError` of whichever step cannot be done.
    """
    thermogram, warnings, jumps = _open(plan)
    offset_c: float | None = None
    if plan.reference_c is not None and plan.reference_box is not None:
        x0, y0, x1, y1 = (round(edge) for edge in plan.reference_box)
        stated_c = plan.circumstances.reference_accuracy_c
        offset = reference_offset(
            thermogram,
            reference_c=plan.reference_c,
            reference_box=(x0, y0, x1, y1),
            reference_half_width_c=DEFAULT_REFERENCE_HALF_WIDTH_C if stated_c is None else stated_c,
        )
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
        review=review_picture(thermogram, regions, circumstances=_circumstances(plan), jumps=jumps),
    )


def nothing_found(name: str, regions: Regions) -> str:
    """The sentence for a picture in which no region was sure enough to be measured."""
    reasons = list(dict.fromkeys([*regions.warnings, *(item.reason for item in regions.missing if item.reason)]))
    why = f": {'; '.join(reasons[:3])}" if reasons else ""
    return (
        f"{name}: no region of {regions.limb.replace('_', ' ')}, {regions.view} view, could be found{why.rstrip('.')}. "
        "Check limb and view, or draw the regions yourself and give them as corrections (GeoJSON)"
    )


def _circumstances(plan: ScanPlan) -> Circumstances:
    """What the plan says of the room also holds where nobody wrote down more."""
    known = plan.circumstances
    return replace(
        known,
        ambient_c=plan.ambient_c if known.ambient_c is None else known.ambient_c,
        humidity_pct=plan.parameters.humidity_pct if known.humidity_pct is None else known.humidity_pct,
        reference_in_view=plan.reference_c is not None and plan.reference_box is not None,
    )


def _open(plan: ScanPlan) -> tuple[xr.Dataset, list[str], FrameJumps | None]:
    """The still picture of a plan, with its camera's specification; what should be said of it; its shutter's jumps."""
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
    jumps = _jumps(plan.path.name, thermogram, warnings)
    if "time" in thermogram.dims:
        frames = thermogram.sizes["time"]
        if frames > 1:
            warnings.append(f"{plan.path.name} is a recording: the first of its {frames} frames was measured.")
        thermogram = thermogram.isel(time=0, drop=True).assign_attrs(recording_frames=frames)
    return thermogram.load(), warnings, jumps


def _jumps(name: str, thermogram: xr.Dataset, warnings: list[str]) -> FrameJumps | None:
    """The shutter's jumps; a recording whose later frames cannot be read can still be measured by its first."""
    try:
        return frame_jumps(thermogram)
    except RewarmError as error:
        warnings.append(f"{name}: shutter events could not be looked for, because a frame cannot be read: {error}")
        return None


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
