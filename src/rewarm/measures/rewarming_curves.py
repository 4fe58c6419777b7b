"""Recording or stills, and regions → temperature curves, with everything they may be off by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.measures.assumptions import DEFAULT_ASSUMPTIONS, Assumptions
from rewarm.measures.budget import Shape
from rewarm.measures.reference import ReferenceOffsets
from rewarm.motion import Motion
from rewarm.regions import Regions

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cause:
    """One reason why all of a recording's temperatures may be off, together.

    ``effect_c`` (regions, times) is what one standard deviation of it adds to each region's temperature, °C, with its
    sign. Two values that one cause moves by the same amount keep their difference.
    """

    name: str
    shape: Shape
    effect_c: Floats


@dataclass(frozen=True, eq=False)
class RegionCurves:
    """Temperature courses of the regions of one recording, or one series of still pictures.

    ``time_s`` (times,) ascends, in seconds since the end of the immersion; negative before it. ``names`` are (side,
    region). ``temperature_c`` (regions, times) is the regions' mean, NaN where a region was not measured; ``noise_c``
    the same shape: the standard uncertainty of each value for itself, which no other value shares. ``causes`` are what
    values share. ``n_px`` (regions,) are the pixels behind a region. ``reasons`` has for each side that lost frames how
    many and why. ``view`` and ``limb`` are those of the regions. ``drawn_by`` (regions,) is who drew each.
    """

    time_s: Floats
    names: tuple[tuple[str, str], ...]
    temperature_c: Floats
    noise_c: Floats
    causes: tuple[Cause, ...]
    n_px: NDArray[np.int64]
    limb: str
    view: str
    drawn_by: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def of(self, side: str, region: str) -> Floats | None:
        """One region's temperatures (times,), °C; None where it has no curve."""
        key = (side, region)
        return self.temperature_c[self.names.index(key)] if key in self.names else None


def region_curves(
    recording: xr.Dataset,
    regions: Regions,
    motion: Motion,
    *,
    start_s: float = 0.0,
    offsets: ReferenceOffsets | None = None,
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
) -> RegionCurves:
    """The mean temperature of every region in every frame that was followed, a few frames in memory at a time.

    ``recording`` has dims (time, y, x); ``regions`` were found in frame ``motion.reference``. ``start_s`` is when the
    first frame was taken, in seconds since the end of the immersion. ``offsets``, one for each of ``motion.frames``,
    are added where a reference is in view.
    """
    raise NotImplementedError


def still_curves(
    stills: Sequence[tuple[float, xr.Dataset, Regions]], *, assumptions: Assumptions = DEFAULT_ASSUMPTIONS
) -> RegionCurves:
    """The same from still pictures at their times (seconds since the end of the immersion), each with its regions."""
    raise NotImplementedError
