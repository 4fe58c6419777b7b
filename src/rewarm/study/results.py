"""What a study's run, and a comparison of two scans, hand to the report: plain frozen containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from rewarm.measures import DEFAULT_ASSUMPTIONS, Assumptions, Check, Difference, Review
from rewarm.measures.rewarming_curves import RegionCurves
from rewarm.measures.rewarming_maps import RewarmingMaps
from rewarm.motion import Motion
from rewarm.regions import Regions
from rewarm.study.scan_plan import ScanPlan


@dataclass(frozen=True, eq=False)
class Followed:
    """A recording of rewarming, followed frame by frame.

    ``reference`` is the picture (y, x) in which the regions were found; the maps lie in its geometry. ``time_s``
    (frames,) is when each of ``motion.frames`` was taken, in seconds since the end of the immersion; ``offset_c``
    (frames,) was added to each because a reference was in view, 0 without one. ``plan`` opens the recording again,
    because its pictures are not kept.
    """

    plan: ScanPlan
    curves: RegionCurves
    motion: Motion
    maps: RewarmingMaps
    reference: xr.Dataset
    time_s: NDArray[np.float64]
    offset_c: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rewarming:
    """One cold challenge: a recording, or still pictures of one visit at their times.

    ``scan`` is the recording or the first of the stills, ``scans`` all of them. ``curves`` has the columns of
    :data:`rewarm.tables.CURVES`, ``metrics`` those of :data:`rewarm.tables.MEASUREMENTS`. ``regions`` are those of the
    reference picture (of stills: of the last). ``baseline_scan`` is the scan at rest whose temperatures stand for those
    before the immersion, "" where there is none. ``since_immersion`` is False where nobody stated when the immersion
    ended. ``followed`` is None for stills; ``stills`` are their pictures, each with its time, empty for a recording.
    """

    participant: str
    visit: str
    scan: str
    scans: tuple[str, ...]
    limb: str
    view: str
    date: date | None
    curves: pd.DataFrame
    metrics: pd.DataFrame
    regions: Regions
    baseline_scan: str = ""
    since_immersion: bool = True
    followed: Followed | None = None
    stills: tuple[tuple[float, xr.Dataset], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ScanResult:
    """One scan: its picture, its regions, its figures.

    ``measurements`` has the columns of :data:`rewarm.tables.MEASUREMENTS`. ``ambient_c`` is the room's temperature.
    ``reference_offset_c`` is what was added to all temperatures because a reference of known temperature was in view.
    ``review`` judges how the picture was taken; None where nobody looked. ``assumptions`` are what u rests on where
    neither the file nor the tables say better. ``time_s`` of a still picture while rewarming is when it was taken, in
    seconds since the end of the immersion. ``followed`` is None but for a recording of rewarming.
    """

    participant: str
    visit: str
    scan: str
    limb: str
    view: str
    phase: str
    thermogram: xr.Dataset
    regions: Regions
    measurements: pd.DataFrame
    date: date | None = None
    ambient_c: float | None = None
    reference_offset_c: float | None = None
    warnings: tuple[str, ...] = ()
    review: Review | None = None
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS
    time_s: float | None = None
    followed: Followed | None = None

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks of the review, in the rules' order; none where nobody looked."""
        return () if self.review is None else self.review.checks


@dataclass(frozen=True, eq=False)
class Comparison:
    """After against before.

    ``change_c`` is float32 (y, x) in the geometry of ``before``: after − before, NaN outside the feet or where the
    alignment does not hold. ``table`` has the columns of :data:`rewarm.tables.COMPARISON`. ``alignment_error_px`` is
    the residual distance of corresponding outline points, per side. ``comparability`` says what else differs.
    """

    before: ScanResult
    after: ScanResult
    change_c: NDArray[np.float32]
    alignment_error_px: Mapping[str, float]
    table: pd.DataFrame
    warnings: tuple[str, ...] = ()
    comparability: tuple[Difference, ...] = ()

    @property
    def room_change_c(self) -> float | None:
        """Room temperature after − before, °C; None where either is unknown."""
        if self.before.ambient_c is None or self.after.ambient_c is None:
            return None
        return self.after.ambient_c - self.before.ambient_c


@dataclass(frozen=True, eq=False)
class StudyResult:
    """Everything that a run found out.

    ``tables`` holds the study's own tables, as read (text columns kept). ``inputs`` maps each file that was read,
    relative to the study folder, to the SHA-256 of its bytes. ``agreement`` has the columns of
    :data:`rewarm.tables.AGREEMENT`; None where no scan was marked by a second reader. ``first_table`` says who took
    part (:data:`rewarm.study.first_table.FIRST_TABLE`), ``injection_totals`` what they were given
    (:data:`rewarm.study.injections.TOTALS`), ``diary_coverage`` which days their diaries hold
    (:data:`rewarm.study.diary.COVERAGE`); None where the study has nothing of it. ``rewarmings``
    are in the order of their first scans.
    """

    study_id: str
    title: str
    design: str
    control: str
    tables: Mapping[str, pd.DataFrame]
    scans: tuple[ScanResult, ...]
    comparisons: tuple[Comparison, ...]
    measurements: pd.DataFrame
    comparison_table: pd.DataFrame
    warnings: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    agreement: pd.DataFrame | None = None
    first_table: pd.DataFrame | None = None
    injection_totals: pd.DataFrame | None = None
    diary_coverage: pd.DataFrame | None = None
    rewarmings: tuple[Rewarming, ...] = ()
