"""Slow waves of skin temperature: how strong, and whether the recording is long enough to say so."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Floats = NDArray[np.float64]

BAND_HZ: Final = (0.005, 0.05)
"""Endothelial and sympathetic waves of skin flow, as far as they reach the skin's temperature (0.005 to 0.05 Hz)."""
LEAST_CYCLES: Final = 3.0
"""The recording must hold this many of the band's slowest waves: 600 s."""
FINEST_SHARE: Final = 0.5
"""Frames must follow each other at least twice in the band's fastest wave: every 10 s."""
MOST_GAP_S: Final = 30.0
DETREND_HZ: Final = 0.003
"""Slower than this is rewarming, not a wave."""


@dataclass(frozen=True)
class Vasomotion:
    """``power_c2`` is the variance of the temperature between 0.005 and 0.05 Hz, °C², the noise's share taken off.

    ``peak_hz`` is the frequency of the strongest wave. NaN with a ``reason`` where the recording cannot say.
    """

    power_c2: float
    u_c2: float
    peak_hz: float
    reason: str = ""


def vasomotion(time_s: Floats, temperature_c: Floats, *, noise_c: float = 0.0) -> Vasomotion:
    """Power of slow waves in one curve (times,), °C.

    Give the curve without its rewarming (minus :attr:`rewarm.measures.rewarming_fits.RewarmingFit.fitted_c`), whose
    bend would pass for a wave. What the fit left of it is taken off: a straight line, and all that is slower than
    0.003 Hz (cosines). The spectrum is Lomb's and Scargle's (Scargle 1982, doi 10.1086/160554),
    because frames are missing where something covered the limb; it is scaled so that its sum over the band is the
    variance there. ``noise_c`` is the standard uncertainty of each value for itself, whose share is subtracted.
    ``u_c2`` follows from how few independent frequencies the band holds in so short a time.
    """
    duration = float(time_s[-1] - time_s[0]) if time_s.size > 1 else 0.0
    reason = _too_little(time_s, duration)
    if reason:
        return Vasomotion(nan, nan, nan, reason)
    flat = _without_course(time_s, temperature_c, duration)
    frequencies = np.arange(np.ceil(BAND_HZ[0] * duration), np.floor(BAND_HZ[1] * duration) + 1) / duration
    power = signal.lombscargle(time_s - time_s[0], flat, 2.0 * np.pi * frequencies)
    variances = 2.0 * power / time_s.size  # a wave's variance is half its squared amplitude: 2·P/n
    noise_share = 2.0 * noise_c**2 / time_s.size
    total = float(variances.sum() - noise_share * frequencies.size)
    spread = float(np.sqrt((variances**2).sum()))
    peak = float(frequencies[int(variances.argmax())])
    return Vasomotion(max(total, 0.0), max(spread / sqrt(2.0), noise_share * sqrt(frequencies.size)), peak)


def _too_little(time_s: Floats, duration: float) -> str:
    needed = LEAST_CYCLES / BAND_HZ[0]
    if duration < 0.98 * needed:
        return f"the recording must last {needed:.0f} s or more, for three of the slowest waves"
    gaps = np.diff(time_s)
    if float(np.median(gaps)) > FINEST_SHARE / BAND_HZ[1]:
        return f"frames must follow each other within {FINEST_SHARE / BAND_HZ[1]:.0f} s"
    if float(gaps.max()) > MOST_GAP_S or float(gaps[gaps > 1.5 * np.median(gaps)].sum()) > 0.2 * duration:
        return f"gaps of more than {MOST_GAP_S:.0f} s, or over a fifth of the recording"
    return ""


def _without_course(time_s: Floats, temperature_c: Floats, duration: float) -> Floats:
    """The curve without its line and without cosines slower than the waves (least squares, so gaps do not matter)."""
    x = (time_s - time_s[0]) / duration
    slow = int(np.floor(2.0 * DETREND_HZ * duration))
    basis = np.column_stack([np.ones_like(x), x, *(np.cos(np.pi * k * x) for k in range(1, slow + 1))])
    fitted = basis @ np.linalg.lstsq(basis, temperature_c, rcond=None)[0]
    return np.asarray(temperature_c - fitted)
