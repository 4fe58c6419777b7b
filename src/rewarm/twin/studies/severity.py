"""What outdoor temperature does to complaints."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

Floats = NDArray[np.float64]

_PUBLISHED: Final = np.array([(-25.0, 6.8), (25.0, 2.6), (35.0, 3.5), (40.0, 5.6)])
"""Outdoor temperature, °C, and severity 0..10 in 2,243 people (doi 10.1016/S2665-9913(24)00189-9)."""


def severity(outdoor_c: Floats) -> Floats:
    """Mean severity of Raynaud's phenomenon at an outdoor temperature: falls up to 25 °C, and rises again above.

    Runs smoothly through the published points, flat beyond them.
    """
    curve = PchipInterpolator(_PUBLISHED[:, 0], _PUBLISHED[:, 1])
    return np.asarray(curve(np.clip(outdoor_c, _PUBLISHED[0, 0], _PUBLISHED[-1, 0])))
