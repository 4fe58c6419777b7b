"""One person's daily series, regressed with errors that remember: intervals that stay honest when days resemble each
other.

The model is y = X β + e with Cov(e) = σ² V, V = (1 − λ) exp(−|tᵢ − tⱼ| / τ) + λ I: a part that fades over the
correlation time τ (an AR(1) process seen on whatever days were recorded; days may be missing) and a part λ that is
each day's own. Diaries also remember at two speeds, a mood of a day or two beside a flare of weeks; then a third part
fades over :data:`FAST_DAYS`. With one speed only, the many short gaps decide τ and the flare is overlooked. None of
this can be known from a few weeks of diary, and plugging in the best values makes intervals too short. So they are
summed over a grid: with flat priors on β and log σ, β given the dependence follows a multivariate t with n − p degrees
of freedom, and the grid's points are weighted by :class:`Memory`'s probabilities times their restricted likelihood,
which is the marginal one (Harville 1974, doi 10.1093/biomet/61.2.383). The result
is a mixture of t distributions, exact up to the grid and without random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpbtrf, dpbtrs
from scipy.optimize import brentq
from scipy.special import stdtr, stdtrit

from rewarm.errors import InvalidInputError

Floats = NDArray[np.float64]

CORRELATION_DAYS: Final = (5.0, 15.0, 30.0, 60.0)
"""Correlation times that a diary's days may have; 60 days is a flare of a season. Long ones are as likely beforehand as
short ones: weeks of diary hold so few long flares that chance hides them, and what is then overlooked is paid for with
an interval that is too short. Moods of a day or two are those of two speeds.
"""

OWN_SHARES: Final = (0.0, 0.4, 0.75)
"""Shares of the variance that are each day's own."""

INDEPENDENT: Final = 0.05
"""Probability, beforehand, that days do not depend on each other."""

TWO_SPEEDS: Final = 0.35
"""Probability, beforehand, that a part fades within days and another over weeks."""

FAST_DAYS: Final = 1.5
SLOW_DAYS: Final = (15.0, 45.0)
SLOW_SHARES: Final = (0.3, 0.6)
"""With two speeds: correlation time of the fast part, those of the slow one, and the slow one's shares of the variance;
a fifth of what is left is each day's own."""

LEAST_SPARE_DAYS: Final = 3
"""Days needed beyond the coefficients, at least."""


@dataclass(frozen=True)
class Dependence:
    """One way in which days may depend on each other: shares of the variance that are each day's own, that fade over
    :data:`FAST_DAYS`, and (the rest) that fade over ``tau_days``; with its probability beforehand.
    """

    tau_days: float
    own: float
    fast: float
    probability: float

    @property
    def correlation_days(self) -> float:
        """Correlation time, averaged over the shares."""
        return self.tau_days * (1 - self.own - self.fast) + FAST_DAYS * self.fast

    @property
    def days_a_value_counts(self) -> float:
        """How many days' worth of one's own noise a day holds: 1 for independent days, more for moods of days; slow
        parts are no noise but how the person was.
        """
        fast = self.fast + (1 - self.own if 0 < self.tau_days <= FAST_DAYS else 0.0)
        keep = np.exp(-1 / FAST_DAYS)
        return float(self.own + fast * (1 + keep) / (1 - keep))


@dataclass(frozen=True)
class Memory:
    """Which dependences between days are thought possible, and how likely beforehand.

    ``correlation_days`` are values of τ, ``own_shares`` values of λ (below 1); independent days are one more
    possibility, with probability ``independent``, and memory at two speeds with probability ``two_speeds``. The others
    share the rest alike. ``Memory((), ())`` is ordinary regression.
    """

    correlation_days: tuple[float, ...] = CORRELATION_DAYS
    own_shares: tuple[float, ...] = OWN_SHARES
    independent: float = INDEPENDENT
    two_speeds: float = 0.0

    def points(self) -> tuple[Dependence, ...]:
        """Every dependence of the grid; (0, 1, 0) stands for independent days."""
        pairs = [(tau, share) for tau in self.correlation_days for share in self.own_shares]
        if not pairs:
            return (Dependence(0.0, 1.0, 0.0, 1.0),)
        each = (1 - self.independent - self.two_speeds) / len(pairs)
        found = [Dependence(tau, own, 0.0, each) for tau, own in pairs]
        slow = [(tau, share) for tau in SLOW_DAYS for share in SLOW_SHARES]
        found += [
            Dependence(tau, 0.2 * (1 - share), 0.8 * (1 - share), self.two_speeds / len(slow)) for tau, share in slow
        ]
        independent = Dependence(0.0, 1.0, 0.0, self.independent)
        return tuple(one for one in (independent, *found) if one.probability > 0)


USUAL_MEMORY: Final = Memory(two_speeds=TWO_SPEEDS)
"""What is taken of a diary of which nothing is known."""

NOISY_MEMORY: Final = Memory((1.5, *CORRELATION_DAYS), independent=0.15, two_speeds=TWO_SPEEDS)
"""The same where much of a day is that day's own: of counts, whose chance it is, and of pain when the load has
explained its part. A short memory, or none, is then likelier.
"""


@dataclass(frozen=True, eq=False)
class SerialFit:
    """A mixture of multivariate t distributions of the coefficients, all with ``df`` degrees of freedom.

    ``weights`` (k,) sum to 1; ``means`` (k, p); ``scales`` (k, p, p) are the t distributions' scale matrices;
    ``points`` name the dependence of each and, in ``variants``, which of the designs offered it belongs to.
    ``residual_sd`` is σ's estimate, averaged; ``n`` the days used.
    """

    names: tuple[str, ...]
    weights: Floats
    means: Floats
    scales: Floats
    df: float
    n: int
    residual_sd: float
    points: tuple[Dependence, ...] = field(repr=False)
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
        return float(self.weights @ stdtr(self.df, (value - centres) / widths))

    def interval(self, contrast: Floats, level: float) -> tuple[float, float]:
        """The central interval of contrast · β that holds ``level`` of its distribution."""
        tail = (1 - level) / 2
        return self.quantile(contrast, tail), self.quantile(contrast, 1 - tail)

    def quantile(self, contrast: Floats, share: float) -> float:
        """The value that contrast · β stays below with probability ``share``."""
        centres, widths = self._parts(contrast)
        ends = centres + widths * float(stdtrit(self.df, share))
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
        return float(sum(w * point.correlation_days for w, point in zip(self.weights, self.points, strict=True)))

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
    grid = memory or USUAL_MEMORY
    offered: list[Design] = list(designs) if isinstance(designs, (list, tuple)) else [designs]  # type: ignore[list-item]
    n, p = y.size, len(names)
    if n < p + LEAST_SPARE_DAYS:
        raise InvalidInputError(
            f"diary: expected at least {p + LEAST_SPARE_DAYS} days with a value for {p} coefficients; found {n}. "
            "Record more days"
        )
    order = np.argsort(day, kind="stable")
    gaps = np.diff(day[order])
    if np.any(gaps <= 0):
        raise InvalidInputError("diary: expected one value a day; found several. Join them before the regression")
    scale = np.ones(n) if noise_sd is None else noise_sd[order]
    points = grid.points()
    speeds = {tau for point in points for tau in (point.tau_days, FAST_DAYS) if point.tau_days > 0}
    decays = {tau: _decay(gaps, tau) for tau in speeds}
    fixed = np.column_stack([y, *offered])[order] / scale[:, None] if not any(map(callable, offered)) else None  # type: ignore[list-item]
    grams, log_dets = [], []
    for point in points:
        if fixed is None:
            columns = [y, *(design(point.tau_days) if callable(design) else design for design in offered)]
            z = np.column_stack(columns)[order] / scale[:, None]
        else:
            z = fixed
        gram, log_det = _gram(z, decays, point)
        grams.append(gram)
        log_dets.append(log_det + 2.0 * float(np.log(scale).sum()))
    k = len(offered)
    own = np.hstack([np.zeros((k, 1), dtype=np.int64), 1 + np.arange(k * p).reshape(k, p)])
    blocks = np.stack(grams)[:, own[:, :, None], own[:, None, :]].reshape(-1, p + 1, p + 1)
    fitted = _conditional_fits(blocks, np.repeat(log_dets, k), n, prior_sd)
    likely = [point.probability for point in points]
    prior = np.outer(likely, np.ones(k) if design_weights is None else design_weights).ravel()
    usable = fitted.usable & (prior > 0)
    if not usable.any():
        raise InvalidInputError(
            f"diary: expected days that tell {', '.join(names)} apart; found columns that always move together. "
            "Leave one out, or record days on which they differ"
        )
    logs = fitted.log_weights[usable] + np.log(prior[usable])
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    which = np.flatnonzero(usable)
    return SerialFit(
        names=tuple(names),
        weights=weights,
        means=fitted.means[usable],
        scales=fitted.scales[usable],
        df=float(n - p),
        n=n,
        residual_sd=float(weights @ fitted.sds[usable]),
        points=tuple(points[i] for i in which // k),
        variants=(which % k).astype(np.int64),
    )


class _Decay(NamedTuple):
    """Of a part that fades over τ, on the days of a series: what is kept from one to the next and what is new (n − 1,);
    diagonal (n,) and what lies beside it (n − 1,) of its inverse covariance; log determinant of the covariance.
    """

    keep: Floats
    new: Floats
    diagonal: Floats
    beside: Floats
    log_det: float


def _decay(gaps: Floats, tau: float) -> _Decay:
    keep = np.exp(-gaps / tau)
    new = 1.0 - keep**2
    beside = -keep / new
    diagonal = np.ones(gaps.size + 1)
    diagonal[1:] = 1.0 / new
    diagonal[:-1] -= keep * beside
    return _Decay(keep, new, diagonal, beside, float(np.log(new).sum()))


def _gram(z: Floats, decays: Mapping[float, _Decay], point: Dependence) -> tuple[Floats, float]:
    """Zᵀ V⁻¹ Z and log |V|, for days in order; in O(n).

    Each fading part's covariance K has a tridiagonal inverse. With V = λ I + H P⁻¹ Hᵀ, where P holds those inverses
    and H adds the parts up, V⁻¹ = (I − H (λ P + Hᵀ H)⁻¹ Hᵀ) / λ: a banded system, given to LAPACK itself, because
    SciPy's door costs more than what lies behind it.
    """
    n, own = len(z), point.own
    if point.tau_days <= 0 or own >= 1:
        return z.T @ z, 0.0
    if own <= 0:
        decay = decays[point.tau_days]
        white = np.vstack([z[:1], (z[1:] - decay.keep[:, None] * z[:-1]) / np.sqrt(decay.new)[:, None]])
        return white.T @ white, decay.log_det
    parts = [(1 - own - point.fast, point.tau_days), *([(point.fast, FAST_DAYS)] if point.fast > 0 else [])]
    m = len(parts)
    bands = np.zeros((m + 1, m * n), order="F")
    bands[0] = 1.0
    if m > 1:
        bands[1, ::m] = 1.0
    log_det = n * float(np.log(own))
    for number, (share, tau) in enumerate(parts):
        decay = decays[tau]
        bands[0, number::m] += own / share * decay.diagonal
        bands[m, number : (n - 1) * m : m] = own / share * decay.beside
        log_det += decay.log_det + n * float(np.log(share / own))
    spread = np.repeat(z, m, axis=0)
    root, failed = dpbtrf(bands, lower=1, overwrite_ab=1)
    if failed:
        raise InvalidInputError(
            "diary: expected finite values on every day; found some that are not. Leave those days out"
        )
    smooth, _ = dpbtrs(root, spread, lower=1)
    gram = (z.T @ z - spread.T @ smooth) / own
    return (gram + gram.T) / 2, log_det + 2.0 * float(np.log(root[0]).sum())


@dataclass(frozen=True, eq=False)
class _Conditional:
    """The coefficients' t distributions at every point of the grid and every design, (k, ...)."""

    usable: NDArray[np.bool_]
    log_weights: Floats
    means: Floats
    scales: Floats
    sds: Floats


def _conditional_fits(blocks: Floats, log_dets: Floats, n: int, prior_sd: Floats | None) -> _Conditional:
    """Solve them all at once; where a design's columns move together, the point is not usable."""
    yy, xy, gram = blocks[:, 0, 0], blocks[:, 1:, 0], blocks[:, 1:, 1:]
    p = xy.shape[1]
    size = np.sqrt(np.einsum("kii->ki", gram))
    usable = np.all(size > 0, axis=1)
    size = np.where(size > 0, size, 1.0)
    unit = np.where(usable[:, None, None], gram / (size[:, :, None] * size[:, None, :]), np.eye(p))
    usable &= np.linalg.eigvalsh(unit)[:, 0] >= 1e-10
    gram = np.where(usable[:, None, None], gram, np.eye(p))
    beta: Floats = np.asarray(np.linalg.solve(gram, xy[:, :, None])[:, :, 0], dtype=np.float64)
    variance = np.maximum(_rest(yy, xy, gram, beta) / (n - p), 1e-12)
    if prior_sd is not None and np.isfinite(prior_sd).any():
        # The prior is stated in units of y, everything here in units of σ: one step with σ from the unbounded fit.
        penalty = variance[:, None] / prior_sd**2
        bounded = gram + penalty[:, :, None] * np.eye(p)
        beta = np.asarray(np.linalg.solve(bounded, xy[:, :, None])[:, :, 0], dtype=np.float64)
        rest = _rest(yy, xy, gram, beta) + np.einsum("kp,kp->k", penalty, beta**2)
        variance, gram = np.maximum(rest / (n - p), 1e-12), bounded
    logs = -0.5 * (log_dets + np.linalg.slogdet(gram)[1] + (n - p) * np.log(variance))
    scales = variance[:, None, None] * np.linalg.inv(gram)
    return _Conditional(usable, logs, beta, scales, np.sqrt(variance))


def _rest(yy: Floats, xy: Floats, gram: Floats, beta: Floats) -> Floats:
    """Weighted sum of squared residuals at any β, (k,)."""
    return np.asarray(yy - 2 * np.einsum("kp,kp->k", beta, xy) + np.einsum("kp,kpq,kq->k", beta, gram, beta))


def _root(scale: Floats) -> Floats:
    values, vectors = np.linalg.eigh(scale)
    return np.asarray(vectors * np.sqrt(np.clip(values, 0.0, None)))
