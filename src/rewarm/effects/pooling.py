"""From people to the group: the person is the unit, and few people mean wide intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student_t

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pooled:
    """The mean effect in people like these: a t distribution, and how much people differ (``between_sd``).

    ``own_se`` is what the people's own errors alone leave open about their mean; the interval is never shorter, and a
    probability never surer, than that makes it: three people may agree by chance.
    """

    mean: float
    se: float
    df: float
    n: int
    between_sd: float
    own_se: float = 0.0

    def interval(self, level: float) -> tuple[float, float]:
        """The central interval that holds ``level``."""
        share = (1 + level) / 2
        half = max(float(student_t.ppf(share, self.df)) * self.se, float(norm.ppf(share)) * self.own_se)
        return self.mean - half, self.mean + half

    def cdf(self, value: float) -> float:
        """Probability that the mean effect lies below ``value``."""
        distance = value - self.mean
        likely = [float(student_t.cdf(distance / self.se, self.df))] if self.se > 0 else []
        likely += [float(norm.cdf(distance / self.own_se))] if self.own_se > 0 else []
        return min(likely, key=lambda p: abs(p - 0.5)) if likely else float(distance > 0)


def pool(
    estimates: Sequence[float] | Floats,
    sds: Sequence[float] | Floats,
    *,
    equal_weights: bool = False,
    shared_sd: float = 0.0,
    own_errors: bool = False,
) -> Pooled | None:
    """The mean of people's effects, by random effects with Hartung and Knapp's t interval; None for fewer than two
    people.

    ``sds`` are the people's own standard errors. Between-person variance by Paule and Mandel's equation; interval with
    n − 1 degrees of freedom (IntHout, Ioannidis, Borm 2014, doi 10.1186/1471-2288-14-25). With equal standard errors,
    or ``equal_weights``, this is exactly the one-sample t-test on people's effects. Equal weights are right where
    people with small effects also have small errors, as with counts: weighting would then shrink the mean.
    ``shared_sd`` is an error that all people share and that no number of people makes smaller; it is added in squares.
    With ``own_errors`` the mean is never surer than ``sds`` alone make it.
    """
    y = np.asarray(estimates, dtype=float)
    v = np.asarray(sds, dtype=float) ** 2
    known = np.isfinite(y) & np.isfinite(v)
    y, v = y[known], v[known]
    n = y.size
    if n < 2:
        return None
    v = np.maximum(v, 1e-12 * max(1.0, float(np.var(y))))
    between = _paule_mandel(y, v)
    w = np.ones(n) if equal_weights else 1 / (v + between)
    mean = float(w @ y / w.sum())
    spread = float(w @ (y - mean) ** 2) / (n - 1)
    se = float(np.sqrt(spread / w.sum() + shared_sd**2))
    own = float(np.sqrt(w**2 @ v) / w.sum()) if own_errors else 0.0
    return Pooled(mean, se, float(n - 1), n, float(np.sqrt(between)), own)


def _paule_mandel(y: Floats, v: Floats) -> float:
    """The between-person variance at which the weighted sum of squares equals its expectation n − 1; 0 at least."""

    def excess(between: float) -> float:
        w = 1 / (v + between)
        mean = w @ y / w.sum()
        return float(w @ (y - mean) ** 2) - (y.size - 1)

    if excess(0.0) <= 0:
        return 0.0
    high = float(np.var(y, ddof=1)) + float(v.max())
    while excess(high) > 0:
        high *= 2
    low = 0.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
        if high - low < 1e-12 * high:
            break
    return (low + high) / 2
