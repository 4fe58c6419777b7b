"""One scan through the chain: opened, corrected by its reference, its regions found, measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from rewarm.alignment.motion import follow_motion
from rewarm.anatomy import find_regions
from rewarm.cameras import open_thermogram
from rewarm.measures import Circumstances, measure, measurement_warnings, review_picture
from rewarm.measures.rewarming_curves import region_curves
from rewarm.measures.rewarming_maps import rewarming_maps
from rewarm.motion import Motion
from rewarm.regions import Regions
from rewarm.study.outputs import stacked
from rewarm.study.pictures import Course, Pictures, course_picture, take_pictures, with_temperature
from rewarm.study.results import Followed, ScanResult
from rewarm.study.scan_plan import ScanPlan as ScanPlan
from rewarm.tables import MEASUREMENTS
from rewarm.thermogram import ObjectParameters

LEAST_FOLLOWED: Final = 0.5
"""Where a limb was followed in a smaller share of the frames, its outlines are tried from another one."""


def measure_scan(plan: ScanPlan) -> ScanResult:
    """Carry out a plan.

    A recording at rest is measured as the mean of its steady frames. One of rewarming is followed through up to
    :data:`rewarm.study.pictures.MOST_FRAMES` of its frames and has no rows yet: :func:`with_rewarmings` computes them
    when the visit's scan at rest is known. Raises the :class:`rewarm.errors.RewarmError` of whichever step cannot be
    done.
    """
    pictures = take_pictures(plan, open_scan(plan))
    found = _found(plan, pictures)
    motion = None
    if pictures.course is not None:
        found, motion = _best_followed(plan, pictures.course, found)
    thermogram, regions = found[0].still, found[0].regions
    warnings = [*pictures.warnings]
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
        measurements=_measurements(plan, pictures, regions),
        time_s=plan.time_s,
        followed=None
        if pictures.course is None or motion is None
        else _followed(plan, pictures.course, thermogram, regions, motion),
        date=plan.date,
        ambient_c=plan.ambient_c,
        reference_offset_c=thermogram.attrs.get("reference_offset_c"),
        warnings=(*warnings, *measurement_warnings(thermogram, regions)),
        review=review_picture(thermogram, regions, circumstances=_circumstances(plan), jumps=pictures.jumps),
        assumptions=plan.assumptions,
    )


def _measurements(plan: ScanPlan, pictures: Pictures, regions: Regions) -> pd.DataFrame:
    if pictures.course is not None:
        return stacked([], MEASUREMENTS)
    return measure(
        pictures.still,
        regions,
        participant=plan.participant,
        visit=plan.visit,
        scan=plan.scan,
        time_s=plan.time_s,
        assumptions=plan.assumptions,
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """A picture on which regions were found, the regions, and which frame it is (0 of a still)."""

    still: xr.Dataset
    regions: Regions
    frame: int


def _found(plan: ScanPlan, pictures: Pictures) -> list[_Found]:
    """The pictures on which regions were sought, the best first; of a still the one.

    Of a recording of rewarming several frames are tried, because a hand may lie over one, and cold toes vanish in
    another: those with the most regions, and of these the surest, come first. What a person drew was drawn on the first
    of them.
    """
    course = pictures.course
    if course is None:
        still = pictures.still
        return [_Found(still, find_regions(still, limb=plan.limb, view=plan.view, corrections=plan.corrections), 0)]
    tried = []
    for frame in course.candidates if plan.corrections is None else course.candidates[:1]:
        still = course_picture(course, frame).load()
        regions = find_regions(still, limb=plan.limb, view=plan.view, corrections=plan.corrections)
        tried.append(_Found(still, regions, frame))
    return sorted(tried, key=lambda one: (-len(one.regions.found), -sum(r.confidence for r in one.regions.found)))


def _best_followed(plan: ScanPlan, course: Course, found: list[_Found]) -> tuple[list[_Found], Motion | None]:
    """The limbs followed from the best picture; where one is lost most of the time, from the others, too.

    Outlines that were drawn with something lying over the limb cannot be followed without it. The picture from which
    limbs were followed furthest comes first; no motion where no region was found in any.
    """
    best: tuple[float, _Found, Motion] | None = None
    for one in found:
        if not one.regions.found:
            continue
        find = _finder(plan, one.still) if plan.corrections is None else None
        motion = follow_motion(course.recording, one.regions, reference=one.frame, frames=course.frames, find=find)
        share = min(float(limb.followed.mean()) for limb in motion.limbs.values())
        if best is None or share > best[0]:
            best = share, one, motion
        if best[0] >= LEAST_FOLLOWED:
            break
    return (found, None) if best is None else ([best[1]], best[2])


def _followed(plan: ScanPlan, course: Course, reference: xr.Dataset, regions: Regions, motion: Motion) -> Followed:
    """A recording's curves and its maps."""
    start_s = plan.time_s or 0.0
    recording = course.recording
    if course.offsets is not None:  # so that the reference's uncertainty stands in for the camera's
        said = {name: value for name, value in reference.attrs.items() if name.startswith("reference_")}
        recording = recording.assign_attrs(said | {"reference_own_u_c": float(course.offsets.own_u_c.min())})
    curves = region_curves(
        recording, regions, motion, start_s=start_s, offsets=course.offsets, assumptions=plan.assumptions
    )
    maps = rewarming_maps(course.recording, regions, motion, start_s=start_s)
    seconds = course.recording["time"].to_numpy().astype(np.float64)
    time_s = start_s + seconds[motion.frames] - seconds[0]
    offset_c = np.zeros(len(motion.frames)) if course.offsets is None else course.offsets.offset_c
    return Followed(plan, curves, motion, maps, reference, time_s, offset_c)


def _finder(plan: ScanPlan, reference: xr.Dataset) -> Callable[[NDArray[np.float32]], Regions]:
    """Finds the regions of other frames of a recording. What a person drew stays: no finder may anchor it anew."""

    asked: dict[bytes, Regions] = {}

    def find(frame: NDArray[np.float32]) -> Regions:
        key = frame.tobytes()
        if key not in asked:  # each limb asks for the same frames; one answer is kept
            asked.clear()
            asked[key] = find_regions(with_temperature(reference, frame), limb=plan.limb, view=plan.view)
        return asked[key]

    return find


def nothing_found(name: str, regions: Regions) -> str:
    """The sentence for a picture in which no region was sure enough to be measured."""
    reasons = list(dict.fromkeys([*regions.warnings, *(item.reason for item in regions.missing if item.reason)]))
    why = f": {'; '.join(reasons[:3])}" if reasons else ""
    what = f"{name}: no region of {regions.limb.replace('_', ' ')}, {regions.view} view, could be found"
    if regions.proposed:
        return (
            f"{what} surely enough to be measured{why.rstrip('.')}. Look at the proposed outlines (`rewarm measure` "
            "writes them as regions/SCAN.proposed.geojson), and give them as corrections once they are right"
        )
    return (
        f"{what}{why.rstrip('.')}. Check limb and view, or draw the regions yourself and give them as corrections "
        "(GeoJSON)"
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


def open_scan(plan: ScanPlan) -> xr.Dataset:
    """The still picture or recording of a plan, nothing of it read yet, with its camera's specification."""
    given = plan.parameters
    if plan.lenient:
        thermogram = open_thermogram(plan.path)
        raw = "counts" in thermogram
        thermogram = _with_parameters(plan, given) if raw else thermogram.assign_attrs(_known(given))
    else:
        thermogram = _with_parameters(plan, given)
    camera = {
        key: value
        for key, value in plan.camera.items()
        if key != "camera_model" or not thermogram.attrs["camera_model"]
    }
    stated_in = dict.fromkeys(_known(given), "as given") | dict(plan.stated_in)
    return thermogram.assign_attrs(camera | {"stated_in": stated_in})


def _with_parameters(plan: ScanPlan, given: ObjectParameters) -> xr.Dataset:
    if not _known(given):
        return open_thermogram(plan.path)
    return open_thermogram(
        plan.path,
        emissivity=given.emissivity,
        reflected_c=given.reflected_c,
        distance_m=given.distance_m,
        humidity_pct=given.humidity_pct,
        air_c=given.air_c,
    )


def _known(given: ObjectParameters) -> dict[str, float]:
    names = ("emissivity", "reflected_c", "distance_m", "humidity_pct", "air_c")
    return {name: value for name in names if (value := getattr(given, name)) is not None}
