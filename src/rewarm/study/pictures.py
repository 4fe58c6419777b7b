"""A still or a recording → the picture that is measured, and of rewarming the frames that are followed.

A recording is never in memory as a whole: it is read a few frames at a time, once to look at all frames, once more to
average or measure those that were chosen. At rest frames are not moved onto each other: who moved is seen where the
mean blurs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from rewarm.errors import InvalidInputError, RewarmError
from rewarm.measures import (
    DEFAULT_REFERENCE_HALF_WIDTH_C,
    FrameJumps,
    FrameSurvey,
    ReferenceOffset,
    ReferenceOffsets,
    SteadyFrames,
    apply_reference,
    evenly_spread,
    frame_blocks,
    jumps_in,
    reference_offset,
    reference_offsets,
    steady_frames,
    survey_frames,
)
from rewarm.study.scan_plan import ScanPlan

MOST_FRAMES: Final = 600
"""Of a longer recording so many frames, evenly spread, are averaged or followed; all are looked at."""
SHARPER_FRAMES: Final = 31
SHARPER_SHARE: Final = 0.05
SHARPER_SIGMAS: Final = 4.0
"""A frame is sharper than those around it by this share of its steepness, and by so many robust deviations."""


@dataclass(frozen=True, eq=False)
class Course:
    """A recording of rewarming: the frames that are followed (indices, ascending).

    ``candidates`` are those of them on which regions may be found, the likeliest first. ``offsets`` has one for each of
    ``frames`` where a reference is in view.
    """

    recording: xr.Dataset
    frames: NDArray[np.int64]
    candidates: tuple[int, ...]
    offsets: ReferenceOffsets | None


@dataclass(frozen=True, eq=False)
class Pictures:
    """``still`` (y, x), in memory, is what a scan is measured on, and where its regions are found.

    Of a recording of rewarming it is the first of the ``candidates`` of ``course``, which is then what is measured;
    None otherwise.
    """

    still: xr.Dataset
    course: Course | None
    jumps: FrameJumps | None
    warnings: tuple[str, ...]


def take_pictures(plan: ScanPlan, thermogram: xr.Dataset) -> Pictures:
    """Choose what of a still or recording is measured, and correct it by the reference in view, where there is one.

    Raises :class:`InvalidInputError` for a time that the recording does not have, or a reference that does not fit.
    """
    if "time" not in thermogram.dims:
        return Pictures(_corrected(plan, thermogram.load()), None, None, ())
    count = thermogram.sizes["time"]
    recording = thermogram.assign_attrs(recording_frames=count)
    if count == 1:
        return Pictures(_corrected(plan, _frame(recording, 0).load()), None, None, ())
    try:
        survey = survey_frames(recording)
    except RewarmError as error:
        warning = (
            f"{plan.path.name} is a recording: the first of its {count} frames alone was measured, and shutter "
            f"events could not be looked for, because a frame cannot be read: {error}"
        )
        return Pictures(_corrected(plan, _frame(recording, 0).load()), None, None, (warning,))
    jumps = jumps_in(survey)
    steady = steady_frames(survey)
    if plan.phase == "rewarming":
        return _rewarming(plan, recording, survey, steady, jumps)
    if plan.time_s is not None:
        return _at_time(plan, recording, steady, jumps, plan.time_s)
    return _at_rest(plan, recording, survey, steady, jumps)


def _at_rest(
    plan: ScanPlan, recording: xr.Dataset, survey: FrameSurvey, steady: SteadyFrames, jumps: FrameJumps | None
) -> Pictures:
    """The mean of the steady frames."""
    chosen = evenly_spread(steady.frames, MOST_FRAMES)
    count = recording.sizes["time"]
    mean = _mean_picture(recording["temperature"], chosen)
    still = with_temperature(_frame(recording, steady.best), mean).load()
    still = still.assign_attrs(recording_frames_measured=len(chosen))
    if _has_reference(plan):
        offsets = _offsets(plan, recording, chosen)
        still = apply_reference(still, _mean_offset(offsets))
    else:
        levels = survey.level_c[chosen]
        still = still.assign_attrs(recording_drift_c=float(np.abs(levels - levels.mean()).max()))
    spread = ", evenly spread," if len(chosen) < len(steady.frames) else ""
    warning = (
        f"{plan.path.name} is a recording: the mean of {len(chosen)}{spread} of its {count} frames was measured"
        f"{_left_out(steady)}. Motion between frames was not corrected."
    )
    return Pictures(still, None, jumps, (warning,))


def _at_time(
    plan: ScanPlan, recording: xr.Dataset, steady: SteadyFrames, jumps: FrameJumps | None, time_s: float
) -> Pictures:
    """The one frame that time_s asks for."""
    times = recording["time"].to_numpy().astype(np.float64)
    times -= times[0]
    index = int(np.abs(times - time_s).argmin())
    if abs(times[index] - time_s) > max(1.0, float(np.median(np.diff(times)))):
        raise InvalidInputError(
            f"{plan.path.name}: time_s: expected 0 to {times[-1]:g} s, within the recording; found {time_s:g} s. "
            "Correct time_s, or leave it empty to measure the mean of the steady frames"
        )
    still = _corrected(plan, _frame(recording, index).load())
    flaw = "" if index in steady.usable else "; it is blurred or empty"
    warning = (
        f"{plan.path.name} is a recording: frame {index + 1} of {len(times)} was measured, {times[index]:g} s after "
        f"the first, as time_s asks{flaw}."
    )
    return Pictures(still.assign_attrs(recording_frames_measured=1), None, jumps, (warning,))


def _rewarming(
    plan: ScanPlan, recording: xr.Dataset, survey: FrameSurvey, steady: SteadyFrames, jumps: FrameJumps | None
) -> Pictures:
    """The frames that are followed, and the sharpest of them, on which the regions are found."""
    count = recording.sizes["time"]
    usable = evenly_spread(steady.usable, MOST_FRAMES)
    candidates = _candidates(usable, survey)
    # A frame that shows nothing cannot be corrected by what stands in it; without a reference it is told as left out.
    frames = usable if _has_reference(plan) else np.union1d(evenly_spread(np.arange(count), MOST_FRAMES), candidates)
    offsets = _offsets(plan, recording, frames) if _has_reference(plan) else None
    recording = recording.assign_attrs(recording_frames_measured=len(frames))
    warnings = []
    if plan.time_s is None:
        warnings.append(f"{plan.path.name}: no time_s is stated, so that its times count from its own first frame.")
    if len(frames) < count:
        left_out = _left_out(steady, jumps=False) if offsets is not None else ""
        warnings.append(
            f"{plan.path.name}: {len(frames)} of its {count} frames, evenly spread, were followed{left_out}."
        )
    if jumps is not None and jumps.at_frame:
        treated = "the reference in view corrects them" if offsets else "they are taken off as the room shows them"
        times = "once" if len(jumps.at_frame) == 1 else f"{len(jumps.at_frame)} times"
        warnings.append(
            f"{plan.path.name}: the camera's offset jumped {times}, by up to "
            f"{jumps.largest_c:.2f} °C (shutter); {treated}."
        )
    course = Course(recording, frames.astype(np.int64), candidates, offsets)
    return Pictures(course_picture(course, candidates[0]).load(), course, jumps, tuple(warnings))


def _candidates(usable: NDArray[np.int64], survey: FrameSurvey) -> tuple[int, ...]:
    """The sharpest frame, and the middling ones of the last and the middle third, where toes are warmer.

    What passes before the limbs, such as a warm hand, has rims of its own: frames that are sharper than those around
    them are none.
    """
    clear = usable[~_sharper(survey.edge_c[usable])]
    thirds = np.array_split(clear, 3)
    middling = [third[np.argsort(survey.edge_c[third])[third.size // 2]] for third in thirds[:0:-1] if third.size]
    sharpest = clear[np.argmax(survey.edge_c[clear])]
    return tuple(dict.fromkeys(int(frame) for frame in (sharpest, *middling)))


def _sharper(edge_c: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Frames whose steepest places are steeper than those of their neighbours in time."""
    if edge_c.size < 5:
        return np.zeros(edge_c.size, dtype=np.bool_)
    off = edge_c - median_filter(edge_c, size=min(SHARPER_FRAMES, edge_c.size | 1), mode="nearest")
    spread = 1.4826 * float(np.median(np.abs(off)))
    return np.asarray(off > np.maximum(SHARPER_SHARE * edge_c, SHARPER_SIGMAS * spread))


def course_picture(course: Course, frame: int) -> xr.Dataset:
    """One of the frames as a still picture, corrected by the reference where there is one."""
    still = _frame(course.recording, frame)
    offsets = course.offsets
    if offsets is None:
        return still
    number = int(np.flatnonzero(course.frames == frame)[0])
    return apply_reference(
        still,
        ReferenceOffset(
            offset_c=float(offsets.offset_c[number]),
            u_c=float(offsets.u_c[number]),
            n_px=offsets.n_px,
            own_u_c=float(offsets.own_u_c[number]),
            place=offsets.place,
        ),
    )


def _frame(recording: xr.Dataset, index: int) -> xr.Dataset:
    return recording.isel(time=index, drop=True)


def with_temperature(frame: xr.Dataset, temperature: NDArray[Any]) -> xr.Dataset:
    """A picture (y, x) with other temperatures and everything else as it was."""
    values = frame["temperature"].variable
    replaced = xr.Variable(values.dims, temperature, values.attrs)
    return frame.assign(temperature=replaced)


def _mean_picture(array: xr.DataArray, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
    """Per pixel over the frames where it has a temperature; NaN where it never has."""
    total = np.zeros(array.shape[1:], dtype=np.float64)
    count = np.zeros(array.shape[1:], dtype=np.int64)
    for block in frame_blocks(array, chosen):
        known = np.isfinite(block)
        total += np.where(known, block, 0.0).sum(axis=0, dtype=np.float64)
        count += known.sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _offsets(plan: ScanPlan, recording: xr.Dataset, chosen: NDArray[np.int64]) -> ReferenceOffsets:
    numbers = (chosen + 1).tolist()  # as people count
    return reference_offsets(
        recording.isel(time=chosen), **_reference(plan), assumptions=plan.assumptions, frame_numbers=numbers
    )


def _mean_offset(offsets: ReferenceOffsets) -> ReferenceOffset:
    """Of the mean picture. Smoothed offsets share their errors, so averaging them makes nothing surer."""
    return ReferenceOffset(
        offset_c=float(offsets.offset_c.mean()),
        u_c=float(offsets.u_c.mean()),
        n_px=offsets.n_px,
        own_u_c=float(offsets.own_u_c.mean()),
        place=offsets.place,
    )


def _left_out(steady: SteadyFrames, *, jumps: bool = True) -> str:
    reasons = [
        f"{number} {words}"
        for number, words in (
            (steady.beyond_jumps if jumps else 0, "beyond a jump of the camera's offset (shutter)"),
            (steady.blurred, "blurred"),
            (steady.empty, "without temperatures"),
        )
        if number
    ]
    return f"; left out: {', '.join(reasons)}" if reasons else ""


def _has_reference(plan: ScanPlan) -> bool:
    return plan.reference_c is not None and plan.reference_box is not None


def _reference(plan: ScanPlan) -> dict[str, Any]:
    x0, y0, x1, y1 = (round(edge) for edge in plan.reference_box or (0, 0, 0, 0))
    stated_c = plan.circumstances.reference_accuracy_c
    return {
        "reference_c": plan.reference_c,
        "reference_box": (x0, y0, x1, y1),
        "reference_half_width_c": DEFAULT_REFERENCE_HALF_WIDTH_C if stated_c is None else stated_c,
    }


def _corrected(plan: ScanPlan, still: xr.Dataset) -> xr.Dataset:
    if not _has_reference(plan):
        return still
    return apply_reference(still, reference_offset(still, **_reference(plan), assumptions=plan.assumptions))
