"""What an animation is drawn from: a few pictures of a recording, or two still pictures, ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from rewarm.cameras import open_thermogram
from rewarm.errors import InvalidInputError
from rewarm.measures import evenly_spread, frame_blocks
from rewarm.motion import Motion
from rewarm.regions import FINGERS, TOES, Mask, Regions, limb_whole
from rewarm.study.comparison import compare
from rewarm.study.results import Comparison, Followed, Rewarming
from rewarm.study.scan import open_scan
from rewarm.study.scan_plan import ScanPlan
from rewarm.study.single import follow_file
from rewarm.thermogram import temperature_c

MOST_PICTURES: Final = 90
"""Of a longer recording so many pictures, evenly spread, are kept."""
SAME_S: Final = 1.0
WIDEST_PX: Final = 400
"""Larger pictures are reduced by whole factors: an animation shows no more."""


@dataclass(frozen=True, eq=False)
class Film:
    """Pictures of one visit in the order of time.

    ``temperature_c`` is float32 (pictures, y, x), °C, NaN where there is nothing to show; ``time_s`` (pictures,) in
    seconds, ascending, since the end of the cold immersion (``since_immersion``) or since the recording began.
    ``digits_c`` (pictures,) is the median of the toes' (or fingers') temperatures in each picture, NaN where none was
    measured. ``limbs`` (y, x) are the pixels of the feet or hands, which decide the colours' scale. ``name`` says which
    visit, ``noun`` what is shown: "toes" or "fingers".
    """

    name: str
    time_s: NDArray[np.float64]
    temperature_c: NDArray[np.float32]
    digits_c: NDArray[np.float64]
    limbs: Mask
    noun: str = "toes"
    since_immersion: bool = True


def rewarming_film(item: Rewarming, *, name: str) -> Film:
    """Pictures of a challenge after the immersion, moved onto each other and cut to the limbs.

    A recording is read again, at most :data:`MOST_PICTURES` of its frames. Raises
    :class:`rewarm.errors.InvalidInputError` where stills differ in size or no picture can be shown, and what reading
    the recording raises.
    """
    box = _box(item.regions)
    if item.followed is not None:
        times, pictures = _recorded(item.followed, box)
    else:
        times, pictures = _stills(item, box)
    if not len(times):
        raise InvalidInputError(f"{item.scan}: expected pictures that can be shown; found none that was followed")
    digits = FINGERS if limb_whole(item.limb) == "hand" else TOES
    return Film(
        name=name,
        time_s=times,
        temperature_c=pictures,
        digits_c=_median_of(item.curves, digits, times),
        limbs=_reduced_mask(_limbs(item.regions)[box], pictures.shape[1:]),
        noun="fingers" if digits is FINGERS else "toes",
        since_immersion=item.since_immersion,
    )


@dataclass(frozen=True)
class Shot:
    """A file to be shown: what stands over it, and when its first frame was taken, s since the end of the immersion."""

    path: Path
    name: str
    time_s: float | None = None


def file_films(
    before: Shot, after: Shot, *, limb: str = "feet", view: str = "plantar"
) -> tuple[Literal["rewarming", "fade"], Film, Film]:
    """The films of two files outside a study: two recordings of rewarming, or two still pictures that are compared.

    Raises :class:`rewarm.errors.InvalidInputError` for one of each, and what measuring and comparing raise.
    """
    moving = ["time" in open_thermogram(shot.path).dims for shot in (before, after)]
    if moving[0] != moving[1]:
        kinds = ["a recording" if item else "a single picture" for item in moving]
        raise InvalidInputError(
            f"animation: expected two recordings, or two single pictures; found {kinds[0]} ({before.path.name}) before "
            f"and {kinds[1]} ({after.path.name}) after"
        )
    if not moving[0]:
        comparison = compare(before.path, after.path, limb=limb, view=view)
        return "fade", *fade_films(comparison, before=before.name, after=after.name)
    films = []
    for shot in (before, after):
        plan = ScanPlan(shot.path, shot.path.stem, limb=limb, view=view, phase="rewarming", time_s=shot.time_s)
        films.append(rewarming_film(follow_file(plan), name=shot.name))
    return "rewarming", films[0], films[1]


def fade_films(comparison: Comparison, *, before: str, after: str) -> tuple[Film, Film]:
    """Two still pictures in the geometry of the first, limbs only; after lies over before as its map of change does."""
    shown = np.isfinite(comparison.change_c)
    if not shown.any():
        raise InvalidInputError(
            "animation: expected limbs that lie over each other; found no pixel that could be compared. "
            "Look at the regions of both scans"
        )
    first = temperature_c(comparison.before.thermogram)
    regions = comparison.before.regions
    box = _box(regions)
    hand = limb_whole(comparison.before.limb) == "hand"
    digits = np.isin(comparison.table["region"], FINGERS if hand else TOES) & comparison.table["metric"].eq("mean")
    films = []
    for name, picture, column in ((before, first, "before"), (after, first + comparison.change_c, "after")):
        values = comparison.table.loc[digits, column]
        cut = np.where(shown, picture, np.nan).astype(np.float32)[box]
        films.append(
            Film(
                name=name,
                time_s=np.zeros(1),
                temperature_c=_reduced(cut)[None],
                digits_c=np.array([float(values.median()) if len(values) else np.nan]),
                limbs=np.isfinite(_reduced(cut)),
                noun="fingers" if hand else "toes",
            )
        )
    return films[0], films[1]


def _recorded(followed: Followed, box: tuple[slice, slice]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    motion = followed.motion
    recording = open_scan(followed.plan)
    time_s = followed.time_s
    seen = np.logical_or.reduce([limb.followed for limb in motion.limbs.values()]) & (time_s >= 0)
    chosen = evenly_spread(np.flatnonzero(seen), MOST_PICTURES)
    pictures = []
    for block in frame_blocks(recording["temperature"], motion.frames[chosen]):
        for picture in block:
            number = int(chosen[len(pictures)])
            still = _moved_back(picture.astype(np.float32), motion, number) + np.float32(followed.offset_c[number])
            pictures.append(_reduced(still[box]))
    return time_s[chosen], np.array(pictures, dtype=np.float32)


def _moved_back(picture: NDArray[np.float32], motion: Motion, number: int) -> NDArray[np.float32]:
    """A frame laid onto the reference frame; where two limbs moved apart, by the mean of both."""
    transform = np.mean([limb.transforms[number] for limb in motion.limbs.values() if limb.followed[number]], axis=0)
    height, width = picture.shape
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved: NDArray[np.float32] = cv2.warpAffine(
        picture, transform, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return moved


def _stills(item: Rewarming, box: tuple[slice, slice]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    shapes = {_shape(still) for _, still in item.stills}
    if len(shapes) > 1:
        raise InvalidInputError(
            f"{item.scan}: expected still pictures of one size; found {' and '.join(map(str, sorted(shapes)))} (y, x)"
        )
    pictures = [_reduced(temperature_c(still).astype(np.float32)[box]) for _, still in item.stills]
    return np.array([time_s for time_s, _ in item.stills]), np.array(pictures, dtype=np.float32)


def _shape(still: xr.Dataset) -> tuple[int, int]:
    return still.sizes["y"], still.sizes["x"]


def _median_of(curves: pd.DataFrame, digits: tuple[str, ...], time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """The digits' median at each time: frames within a second are one value of a curve, so the nearest is taken."""
    mine = curves[curves["region"].isin(digits)]
    medians = mine.groupby("time_s")["celsius"].median()
    known_s = medians.index.to_numpy(dtype=np.float64)
    if not known_s.size:
        return np.full(time_s.shape, np.nan)
    apart = np.abs(time_s[:, None] - known_s[None, :])
    values = medians.to_numpy(dtype=np.float64)[apart.argmin(axis=1)]
    return np.where(apart.min(axis=1) <= SAME_S, values, np.nan)


def _limbs(regions: Regions) -> Mask:
    mask = np.zeros(regions.shape, dtype=bool)
    for region in regions.found:
        mask |= region.mask
    return mask


def _box(regions: Regions) -> tuple[slice, slice]:
    """The part of the picture in which limbs were found, with a margin; all of it where none were."""
    mask = _limbs(regions)
    if not mask.any():
        return slice(0, regions.shape[0]), slice(0, regions.shape[1])
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    margin = round(0.08 * max(rows[-1] - rows[0], columns[-1] - columns[0])) + 2
    return (
        slice(max(0, int(rows[0]) - margin), min(regions.shape[0], int(rows[-1]) + 1 + margin)),
        slice(max(0, int(columns[0]) - margin), min(regions.shape[1], int(columns[-1]) + 1 + margin)),
    )


def _reduced(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    factor = -(-max(picture.shape) // WIDEST_PX)
    if factor == 1:
        return picture
    height, width = (size // factor * factor for size in picture.shape)
    blocks = picture[:height, :width].reshape(height // factor, factor, width // factor, factor)
    reduced: NDArray[np.float32] = blocks.mean(axis=(1, 3), dtype=np.float32)
    return reduced


def _reduced_mask(mask: Mask, shape: tuple[int, ...]) -> Mask:
    if mask.shape == shape:
        return mask
    reduced: Mask = cv2.resize(mask.astype(np.uint8), (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST) > 0
    return reduced
