"""Limbs followed through a recording, frame by frame, while they change their temperature."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.motion import Motion
from rewarm.regions import Regions


def follow_motion(
    recording: xr.Dataset, regions: Regions, *, reference: int, frames: NDArray[np.int64] | None = None
) -> Motion:
    """Follow each limb of ``regions`` through a recording (time, y, x), both ways from frame ``reference``.

    ``regions`` were found in frame ``reference``. ``frames`` (ascending indices, ``reference`` among them) are looked
    at; all where it is None. A few frames at a time are in memory (about 32 MiB).

    Raises :class:`rewarm.errors.InvalidInputError` where regions and recording do not fit, or ``reference`` is not
    among ``frames``.
    """
    raise NotImplementedError


def anchored(motion: Motion, regions: Regions, anchors: Mapping[int, Regions]) -> Motion:
    """``motion`` corrected by what a finder (or a person) saw in some frames.

    ``regions`` are those of the reference frame; ``anchors`` has the regions found in other frames, by frame index.
    """
    raise NotImplementedError


def carried_regions(regions: Regions, motion: Motion, frame: int) -> Regions:
    """The regions as they lie in another frame, for showing; sides that were not followed there are left out."""
    raise NotImplementedError
