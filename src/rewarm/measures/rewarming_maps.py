"""Maps of a rewarming, pixel by pixel: when the rise begins, how fast it is, when half of it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.motion import Motion
from rewarm.regions import Mask, Regions


@dataclass(frozen=True, eq=False)
class RewarmingMaps:
    """All float32 (y, x), in the geometry of the reference frame; NaN outside the limbs or where nothing can be said.

    ``lag_s`` from the end of the immersion until the rise begins; ``rate_c_per_min`` at the begin of the rise;
    ``half_time_s`` from the begin of the rise until half of it is done; ``start_c`` and ``rise_c`` the fitted
    temperature before the rise and how far it goes; ``residual_c`` what the fit leaves.
    """

    lag_s: NDArray[np.float32]
    rate_c_per_min: NDArray[np.float32]
    half_time_s: NDArray[np.float32]
    start_c: NDArray[np.float32]
    rise_c: NDArray[np.float32]
    residual_c: NDArray[np.float32]


def rewarming_maps(
    recording: xr.Dataset,
    regions: Regions,
    motion: Motion,
    *,
    start_s: float = 0.0,
    most_frames: int = 180,
) -> RewarmingMaps:
    """Maps over all pixels of the limbs, from at most ``most_frames`` frames, each moved back onto the reference."""
    raise NotImplementedError


def pixel_maps(
    time_s: NDArray[np.float64], temperature_c: NDArray[np.float32], masks: Mapping[str, Mask] | None = None
) -> RewarmingMaps:
    """The same from frames (time, y, x), °C, that are in memory and do not move."""
    raise NotImplementedError
