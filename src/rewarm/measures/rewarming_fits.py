"""Models of a rewarming curve: exponential, sigmoid, two-phase; which describes it, and how doubtful that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MODELS: Final = ("exponential", "sigmoid", "two_phase")


@dataclass(frozen=True, eq=False)
class RewarmingFit:
    """One model fitted to one curve.

    ``parameters`` by name with their unit in it; ``u`` the same names: standard uncertainties. ``weight`` is the
    Akaike weight among the models tried (by AICc). ``autocorrelation`` is that of the residuals at lag one.
    ``time_constant_s`` is from the begin of the fitted rise until 63.2 % of it.
    """

    model: str
    parameters: dict[str, float]
    u: dict[str, float]
    residual_sd_c: float
    aicc: float
    weight: float
    autocorrelation: float
    time_constant_s: float
    u_time_constant_s: float


def fit_rewarming(time_s: NDArray[np.float64], temperature_c: NDArray[np.float64]) -> tuple[RewarmingFit, ...]:
    """All models that the curve can support, the best first; empty where there is nothing to fit."""
    raise NotImplementedError
