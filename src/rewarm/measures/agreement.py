"""How well two people agree who marked the same pictures: overlap of their regions, and the same toe's temperature."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import f as f_distribution

from rewarm.errors import InvalidInputError
from rewarm.regions import Mask

_NOTHING: Final = 1e-12
"""Mean squares below this share of the table's whole spread are rounding."""


@dataclass(frozen=True)
class IntraclassCorrelation:
    """ICC(2,1) with its two-sided confidence interval at ``level``; ``n`` targets, ``k`` readers.

    NaN where it is not defined: every target has the same value for every reader.
    """

    value: float
    lower: float
    upper: float
    level: float
    n: int
    k: int


def dice(one: Mask, other: Mask) -> float:
    """Overlap of two masks of one shape (y, x), 0 to 1: 2 |A ∩ B| / (|A| + |B|) (Dice 1945, doi 10.2307/1932409).

    NaN where both are empty. Raises :class:`InvalidInputError` for two shapes.
    """
    if one.shape != other.shape:
        raise InvalidInputError(f"masks: expected one shape; found {one.shape} and {other.shape}")
    total = int(one.sum()) + int(other.sum())
    return 2.0 * int((one & other).sum()) / total if total else nan


def icc_2_1(readings: ArrayLike, *, level: float = 0.95) -> IntraclassCorrelation:
    """Agreement of single readings of readers who stand for others like them: ICC(2,1), two-way random, absolute.

    ``readings`` is (n targets, k readers), without gaps, n and k at least 2. A reader who reads warmer than the other
    lowers it, unlike a correlation. Estimate and interval follow Shrout and Fleiss 1979 (doi
    10.1037/0033-2909.86.2.420); the interval takes the targets as independent of each other.

    Raises :class:`InvalidInputError` for another shape, a gap, or a level outside 0 to 1.
    """
    table = np.asarray(readings, dtype=np.float64)
    if table.ndim != 2 or min(table.shape) < 2:
        raise InvalidInputError(
            f"readings: expected a table of 2 or more targets by 2 or more readers; found shape {table.shape}"
        )
    if not np.isfinite(table).all():
        raise InvalidInputError(
            "readings: expected finite values; found a gap. Leave out targets that one did not read"
        )
    if not 0.0 < level < 1.0:
        raise InvalidInputError(f"level: expected a figure between 0 and 1, such as 0.95; found {level}")
    n, k = table.shape
    targets, readers, rest = _mean_squares(table)
    spread = targets + (k - 1) * rest + k * (readers - rest) / n
    if targets == 0.0 and readers == 0.0 and rest == 0.0:
        return IntraclassCorrelation(nan, nan, nan, level, n, k)
    value = (targets - rest) / spread
    lower, upper = _interval(value, targets, readers, rest, n=n, k=k, level=level)
    return IntraclassCorrelation(value, lower, upper, level, n, k)


def _mean_squares(table: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean squares between targets, between readers, and of the residuals; what is only rounding is 0."""
    n, k = table.shape
    centred = table - table.mean()
    of_target, of_reader = centred.mean(axis=1, keepdims=True), centred.mean(axis=0, keepdims=True)
    squares = (
        float(k * (of_target**2).sum()) / (n - 1),
        float(n * (of_reader**2).sum()) / (k - 1),
        float(((centred - of_target - of_reader) ** 2).sum()) / ((n - 1) * (k - 1)),
    )
    whole = max(sum(squares), float(np.abs(table).max()) ** 2 * _NOTHING)
    targets, readers, rest = (square if square > _NOTHING * whole else 0.0 for square in squares)
    return targets, readers, rest


def _interval(
    value: float, targets: float, readers: float, rest: float, *, n: int, k: int, level: float
) -> tuple[float, float]:
    """Satterthwaite's degrees of freedom for the readers' share, then the two limits, as in the article."""
    if readers == 0.0 and rest == 0.0:
        return 1.0, 1.0
    ratio = readers / rest if rest > 0.0 else inf
    inner = n * (1.0 + (k - 1) * value) - k * value
    if ratio == inf:
        freedom = float(k - 1)
    else:
        above = (k - 1) * (n - 1) * (k * value * ratio + inner) ** 2
        freedom = above / ((n - 1) * k**2 * value**2 * ratio**2 + inner**2)
    high = float(f_distribution.ppf(0.5 + level / 2, n - 1, freedom))
    low = float(f_distribution.ppf(0.5 + level / 2, freedom, n - 1))
    others = k * readers + (k * n - k - n) * rest
    lower = n * (targets - high * rest) / (high * others + n * targets)
    upper = n * (low * targets - rest) / (others + n * low * targets)
    return float(lower), float(upper)
