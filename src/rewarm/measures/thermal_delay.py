"""Slow waves of skin temperature → waves of blood flow beneath: the thermal delay taken out, frequency by frequency.

A wave of flow reaches the skin as a thermal wave through the tissue above the vessels: its delay is proportional to
f^(−1/2), its attenuation to exp(√f) (Sagaidachnyi et al., doi 10.1080/10255842.2019.1615058). So temperature and flow
of one toe may hardly correlate though one follows from the other. Turning both round between 0.005 and 0.05 Hz gives a
course that has the shape of flow's waves, in arbitrary units: it says when flow rose and fell, not how much there was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.measures.vasomotion import BAND_HZ

Floats = NDArray[np.float64]

DIFFUSIVITY_M2_S: Final = 0.33 / (1200 * 3224.0)
"""Of dermis: 0.33 W/(m K), 1200 kg/m³ (chosen), 3224 J/(kg K) (PMC5459687)."""
DEPTH_MM: Final = 1.5
"""How deep the vessels lie that matter, in effect (chosen: about the dermis of a toe's pulp)."""
_LEAST_FRAMES: Final = 3.0
"""Frames in the fastest wave of the band."""


@dataclass(frozen=True, eq=False)
class FlowWaves:
    """``wave`` (times,) is the corrected course, mean 0, in °C of a wave at the vessels' depth, at ``time_s`` (times,).

    ``gain`` is by how much the fastest wave of the band was raised, and the noise of the camera with it.
    """

    time_s: Floats
    wave: Floats
    gain: float


def thermal_delay_s(frequency_hz: Floats | float, *, depth_mm: float = DEPTH_MM) -> Floats:
    """How long after the flow the skin follows, s; arrays broadcast."""
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    return np.asarray(_depth(frequency, depth_mm) / (2 * np.pi * frequency))


def thermal_attenuation(frequency_hz: Floats | float, *, depth_mm: float = DEPTH_MM) -> Floats:
    """By how much a wave is smaller at the skin than at the vessels, 0 to 1; arrays broadcast."""
    return np.asarray(np.exp(-_depth(np.asarray(frequency_hz, dtype=np.float64), depth_mm)))


def flow_waves(time_s: Floats, temperature_c: Floats, *, depth_mm: float = DEPTH_MM) -> FlowWaves:
    """Waves of flow from one curve (times,), °C, without its rewarming (as :func:`rewarm.measures.vasomotion` takes
    it).

    Times between frames are filled linearly. Raises :class:`InvalidInputError` for a recording shorter than one wave of
    0.005 Hz (200 s), with frames too far apart for 0.05 Hz (more than 7 s), or a depth that is not positive.
    """
    span = float(time_s[-1] - time_s[0]) if time_s.size > 1 else 0.0
    every = float(np.median(np.diff(time_s))) if time_s.size > 1 else np.inf
    if span < 1 / BAND_HZ[0] or every > 1 / (_LEAST_FRAMES * BAND_HZ[1]) or depth_mm <= 0:
        raise InvalidInputError(
            f"waves of flow: expected 200 s or more, a frame at least every {1 / (_LEAST_FRAMES * BAND_HZ[1]):.1f} s "
            f"and a depth above 0; found {span:.0f} s, a frame every {every:.1f} s, {depth_mm:g} mm"
        )
    grid = np.arange(time_s[0], time_s[-1] + every / 2, every)
    values = np.interp(grid, time_s, temperature_c)
    x = grid - grid.mean()
    values = values - values.mean() - x * ((values @ x) / (x @ x))
    frequency = np.fft.rfftfreq(grid.size, every)
    inside = (frequency >= BAND_HZ[0]) & (frequency <= BAND_HZ[1])
    spectrum = np.where(inside, np.fft.rfft(values), 0.0)
    depth = _depth(np.maximum(frequency, 1e-9), depth_mm)
    wave = np.fft.irfft(spectrum * np.where(inside, np.exp((1 + 1j) * np.where(inside, depth, 0.0)), 0.0), grid.size)
    return FlowWaves(grid, wave, float(1 / thermal_attenuation(BAND_HZ[1], depth_mm=depth_mm)))


def _depth(frequency: Floats, depth_mm: float) -> Floats:
    """The vessels' depth in lengths over which a thermal wave falls by e: √(π f / α) · depth."""
    return np.asarray(depth_mm / 1000.0 * np.sqrt(np.pi * frequency / DIFFUSIVITY_M2_S))
