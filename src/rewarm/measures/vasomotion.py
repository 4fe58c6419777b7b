"""Slow waves of skin temperature: how strong, and whether the recording is long enough to say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

BAND_HZ: Final = (0.005, 0.05)


@dataclass(frozen=True)
class Vasomotion:
    """``power_c2`` is the variance of the temperature between 0.005 and 0.05 Hz, °C², noise taken off.

    NaN with a ``reason`` where the recording cannot say.
    """

    power_c2: float
    u_c2: float
    peak_hz: float
    reason: str = ""


def vasomotion(time_s: NDArray[np.float64], temperature_c: NDArray[np.float64], *, noise_c: float = 0.0) -> Vasomotion:
    """Power of slow waves in one curve (times,), detrended."""
    raise NotImplementedError
