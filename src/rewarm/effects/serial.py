"""One person's daily series, regressed with errors that remember: intervals that stay honest when days resemble each other.

The model is y = X β + e with Cov(e) = σ² V, V = (1 − λ) exp(−|tᵢ − tⱼ| / τ) + λ I: a part that fades over the
correlation time τ (an AR(1) process seen on whatever days were recorded; days may be missing) and a part λ that is each
day's own. Neither τ nor λ can be known from a few weeks of diary, and plugging in their best values makes intervals too
short. So they are summed over a grid: with flat priors on β and log σ, β given (τ, λ) follows a multivariate t with n − p
degrees of freedom, and the grid's points are weighted by :class:`Memory`'s probabilities times their
restricted likelihood, which is the marginal one (Harville 1974, doi 10.1093/biomet/61.2.383). The result is
a mixture of t distributions, exact up to the grid and without random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import brentq
from scipy.stats import t as student_t

from rewarm.errors import InvalidInputError

Floats = NDArray[np.float64]

CORRELATION_DAYS: Final = (1.5, 5.0, 15.0, 45.0)
"""Correlation times that a diary's days may have; 45 days is a flare of a season."""

OWN_SHARES: Final = (0.0, 0.4, 0.75)
"""Shares of the variance that are each day's own."""

INDEPENDENT: Final = 0.2
"""Probability, beforehand, that days do not depend on each other."""

LEAST_SPARE_DAYS: Final = 3
"""Days needed beyond the coefficients, at least."""


@dataclass(frozen=True)
class Memory:
    """Which dependences between days are thought possible, and how likely beforehand.

    ``correlation_days`` are values of τ, ``own_shares`` values of λ (below 1); independent days are one more possibility, with
    probability ``independent``. The others share the rest by 1/√τ: long memories are rarer, and a diary of some weeks can
    hardly refute them. ``Memory((), ())`` is ordinary regression.
    """

    correlation_days: tuple[float, ...] = CORRELATION_DAYS
    own_shares: tuple[float, ...] = OWN_SHARES
    independent: float = INDEPENDENT

    def points(self) -> tuple[tuple[float, float, float], ...]:
        """Every (τ, λ) of the grid with its probability beforehand; (0, 1) stands for independent days."""
        pairs = [(tau, share) for tau in self.correlation_days for share in self.own_shares]
        if not pairs:
            return ((0.0, 1.0, 1.0),)
        weights = np.ones(len(pairs))
        weights *= (1 - self.independent) / weights.sum()
        others = [(tau, share, float(weight)) for (tau, share), weight in zip(pairs, weights, strict=True)]
        return ((0.0, 1.0, self.independent), *others) if self.independent > 0 else tuple(others)


@dataclass(frozen=True, eq=False)
class SerialFit:
    """A mixture of multivariate t distributions of the coefficients, all with ``df`` degrees of freedom.

    ``weights`` (k,) sum to 1; ``means`` (k, p); ``scales`` (k, p, p) are the t distributions' scale matrices; ``points``
    name the (τ, λ) of each and, in ``variants``, which of the designs offered it belongs to. ``residual_sd`` is σ's
    estimate, averaged; ``n`` the days used.
    """

    names: tuple[str, ...]
    weights: Floats
    means: Floats
    scales: Floats
    df: float
    n: int
    residual_sd: float
    points: tuple[tuple[float, float], ...] = field(repr=False)
    variants: NDArray[np.int64] = field(repr=False)

    def vector(self, **coefficients: float) -> Floats:
        """A contrast by name: ``fit.vector(after=1)``. KeyError for a name that the fit does not have."""
        contrast = np.zeros(len(self.names))
        for name, value in coefficients.items():
            if name not in self.names:
                raise KeyError(name)
            contrast[self.names.index(name)] = value
        return contrast

    def mean(self, contrast: Floats) -> float:
        """Expectation of contrast · β."""
        return float(self.weights @ (self.means @ contrast))

    def sd(self, contrast: Floats) -> float:
        """Standard deviation of contrast · β under the mixture (infinite below three degrees of freedom)."""
        if self.df <= 2:
            return float("inf")
        centres = self.means @ contrast
        within = np.einsum("i,kij,j->k", contrast, self.scales, contrast) * self.df / (self.df - 2)
        return float(np.sqrt(self.weights @ (within + (centres - self.weights @ centres) ** 2)))

    def cdf(self, contrast: Floats, value: float) -> float:
        """Probability that contrast · β lies below ``value``."""
        centres, widths = self._parts(contrast)
        return float(self.weights @ student_t.cdf((value - centres) / widths, self.df))

    def interval(self, contrast: Floats, level: float) -> tuple[float, float]:
        """The central interval of contrast · β that holds ``level`` of its distribution."""
        tail = (1 - level) / 2
        return self.quantile(contrast, tail), self.quantile(contrast, 1 - tail)

    def quantile(self, contrast: Floats, share: float) -> float:
        """The value that contrast · β stays below with probability ``share``."""
        centres, widths = self._parts(contrast)
        ends = centres + widths * student_t.ppf(share, self.df)
        low, high = float(ends.min()), float(ends.max())
        if high - low < 1e-12 * max(1.0, abs(low)):
            return low
        return float(brentq(lambda x: self.cdf(contrast, x) - share, low, high, xtol=1e-10))

    def draws(self, n: int, seed: int) -> Floats:
        """``n`` draws of β, (n, p)."""
        rng = np.random.default_rng(seed)
        which = rng.choice(self.weights.size, size=n, p=self.weights)
        roots = np.stack([_root(scale) for scale in self.scales])
        normal = rng.standard_normal((n, len(self.names)))
        stretch = np.sqrt(self.df / rng.chisquare(self.df, size=n))
        return np.asarray(self.means[which] + np.einsum("nij,nj->ni", roots[which], normal) * stretch[:, None])

    def correlation_days(self) -> float:
        """Expected correlation time of the days, 0 where they are independent."""
        return float(sum(w * tau * (1 - share) for w, (tau, share) in zip(self.weights, self.points, strict=True)))

    def _parts(self, contrast: Floats) -> tuple[Floats, Floats]:
        widths = np.sqrt(np.einsum("i,kij,j->k", contrast, self.scales, contrast))
        return self.means @ contrast, np.maximum(widths, 1e-300)


Design = Floats | Callable[[float], Floats]
"""X (n, p), or a function of the correlation time τ that gives it."""


def fit_serial(
    y: Floats,
    day: Floats,
    designs: Design | Sequence[Design],
    names: Sequence[str],
    *,
    memory: Memory | None = None,
    noise_sd: Floats | None = None,
    prior_sd: Floats | None = None,
    design_weights: Sequence[float] | None = None,
) -> SerialFit:
    """Regress a series on a design, summed over how the days may depend on each other.

    ``y`` (n,) are the values on days ``day`` (n,), without gaps filled; ``designs`` is X (n, p), or several of them (a
    carry-over that is not known), or functions of τ. Several are equally likely beforehand, or in the proportions of
    ``design_weights``. ``noise_sd`` (n,) are relative
    standard deviations of the values (1 where not given). ``prior_sd`` (p,) bounds coefficients softly around 0, in
    units of ``y`` (infinite: flat).

    Raises :class:`InvalidInputError` where there are too few days or the design cannot tell its columns apart.
    """
    grid = memory or Memory()
    offered: list[Design] = list(designs) if isinstance(designs, (list, tuple)) else [designs]  # type: ignore[list-item]
    n, p = y.size, len(names)
    if n < p + LEAST_SPARE_DAYS:
        raise InvalidInputError(
            f"diary: expected at least {p + LEAST_SPARE_DAYS} days with a value for {p} coefficients; found {n}. "
            "Record more days"
        )
    gaps = np.abs(day[:, None] - day[None, :])
    scale = np.ones(n) if noise_sd is None else noise_sd
    parts: list[tuple[float, Floats, Floats, float]] = []
    points: list[tuple[float, float]] = []
    variants: list[int] = []
    for tau, own, likely in grid.points():
        root, log_det = _whitener(gaps, tau, own, scale)
        white_y = solve_triangular(root, y, lower=True)
        for number, design in enumerate(offered):
            x = design(tau) if callable(design) else design
            part = _one_point(white_y, solve_triangular(root, x, lower=True), log_det, prior_sd)
            if part is not None:
                weight = likely * (1.0 if design_weights is None else design_weights[number])
                parts.append((part[0] + float(np.log(weight)), *part[1:]))
                points.append((tau, own))
                variants.append(number)
    if not parts:
        raise InvalidInputError(
            f"diary: expected days that tell {', '.join(names)} apart; found columns that always move together. "
            "Leave one out, or record days on which they differ"
        )
    logs = np.array([part[0] for part in parts])
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    return SerialFit(
        names=tuple(names),
        weights=weights,
        means=np.stack([part[1] for part in parts]),
        scales=np.stack([part[2] for part in parts]),
        df=float(n - p),
        n=n,
        residual_sd=float(weights @ [part[3] for part in parts]),
        points=tuple(points),
        variants=np.array(variants, dtype=np.int64),
    )


def _whitener(gaps: Floats, tau: float, own: float, noise_sd: Floats) -> tuple[Floats, float]:
    """The Cholesky factor of the covariance at (τ, λ), and the logarithm of its determinant."""
    shared = np.exp(-gaps / tau) if tau > 0 else np.eye(len(gaps))
    covariance = (1 - own) * shared
    covariance[np.diag_indices_from(covariance)] = 1.0
    root = np.linalg.cholesky(covariance) * noise_sd[:, None]
    return root, 2.0 * float(np.log(np.diag(root)).sum())


def _one_point(
    y: Floats, x: Floats, log_det: float, prior_sd: Floats | None
) -> tuple[float, Floats, Floats, float] | None:
    """(log weight, mean, scale matrix, σ) at one point of the grid; None where the design is singular there."""
    n, p = x.shape
    gram = x.T @ x
    size = np.sqrt(np.diag(gram))
    if not np.all(size > 0) or np.linalg.eigvalsh(gram / np.outer(size, size))[0] < 1e-10:
        return None
    beta = np.linalg.solve(gram, x.T @ y)
    rest = y - x @ beta
    variance = max(float(rest @ rest) / (n - p), 1e-12)
    if prior_sd is not None and np.isfinite(prior_sd).any():
        # The prior is stated in units of y, everything here in units of σ: one step with σ from the unbounded fit.
        penalty = variance / prior_sd**2
        gram = gram + np.diag(penalty)
        beta = np.linalg.solve(gram, x.T @ y)
        rest = y - x @ beta
        variance = max(float(rest @ rest + penalty @ beta**2) / (n - p), 1e-12)
    log_weight = -0.5 * (log_det + float(np.linalg.slogdet(gram)[1]) + (n - p) * np.log(variance))
    return log_weight, beta, variance * np.linalg.inv(gram), float(np.sqrt(variance))


def _root(scale: Floats) -> Floats:
    values, vectors = np.linalg.eigh(scale)
    return np.asarray(vectors * np.sqrt(np.clip(values, 0.0, None)))
