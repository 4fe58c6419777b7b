"""Linear mixed models by REML with degrees of freedom that are right for a handful of people.

``y = Xβ + Σ Z_k b_k + e`` with any number of nested or crossed random terms. Kenward–Roger's covariance and degrees of
freedom follow Kenward & Roger 1997 (doi 10.2307/2533558) as R's pbkrtest computes them (Halekoh & Højsgaard 2014,
doi 10.18637/jss.v059.i09); Satterthwaite's as lmerTest does (Kuznetsova et al. 2017, doi 10.18637/jss.v082.i13).
Estimates are those of lme4 (Bates et al. 2015, doi 10.18637/jss.v067.i01), which the tests compare with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution

from rewarm.errors import InvalidInputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Method = Literal["kenward_roger", "satterthwaite"]

_STEP: Final = 1e-4
_SINGULAR: Final = 1e-4


@dataclass(frozen=True, eq=False)
class RandomTerm:
    """Coefficients of ``columns`` (n, q) that differ between ``groups`` (n,), with an unstructured covariance.

    One column of ones is a random intercept; ones and a covariate a random intercept and slope.
    """

    name: str
    groups: NDArray[np.generic]
    columns: Floats


@dataclass(frozen=True, eq=False)
class MixedFit:
    """A fitted mixed model.

    ``beta`` (p,) with ``names``; ``covariance`` (p, p) as the inverse information, ``adjusted`` Kenward and Roger's.
    ``components`` maps ``term``, ``term:i:j`` and ``residual`` to variances and covariances. ``singular`` tells whether
    a variance was estimated as zero (or a correlation as ±1), which is common and harmless in small studies.
    """

    names: tuple[str, ...]
    beta: Floats
    covariance: Floats
    adjusted: Floats
    components: dict[str, float]
    criterion: float
    singular: bool
    n: int
    _first: Floats
    _information: Floats
    _variance_covariance: Floats
    _theta_gradient: Floats


@dataclass(frozen=True)
class Contrast:
    """A linear combination of coefficients with its standard error, degrees of freedom, interval and two-sided p."""

    estimate: float
    standard_error: float
    df: float
    lower: float
    upper: float
    p: float
    method: Method


@dataclass(frozen=True)
class FTest:
    """Kenward and Roger's scaled F test of several linear combinations at once."""

    f: float
    numerator_df: int
    denominator_df: float
    p: float


def random_intercept(name: str, groups: ArrayLike) -> RandomTerm:
    """A random intercept of each group."""
    codes = np.asarray(groups)
    return RandomTerm(name, codes, np.ones((len(codes), 1)))


def fit_mixed(y: Floats, x: Floats, names: Sequence[str], random: Sequence[RandomTerm]) -> MixedFit:
    """Fit by REML: ``y`` (n,), ``x`` (n, p) with its columns' ``names``, and at least one random term.

    Raises :class:`InvalidInputError` where there is nothing to estimate a spread from: fewer rows than coefficients,
    columns that depend on each other, one group in all, or a group a row.
    """
    _check(y, x, names, random)
    blocks = _split(y, x, random)
    theta, bounds = _start(random)
    theta = _optimise(blocks, theta, bounds)
    solved = _evaluate(blocks, theta, None, derivatives=True)
    w, adjusted = _kenward_roger(solved)
    hessian, jacobian = _hessian(blocks, theta, solved.sigma)
    labels = _labels(random)
    return MixedFit(
        names=tuple(names),
        beta=solved.beta,
        covariance=solved.phi,
        adjusted=adjusted,
        components=dict(zip(labels, solved.values.tolist(), strict=True)),
        criterion=solved.criterion,
        singular=bool(any(theta[i] < _SINGULAR for i, (low, _) in enumerate(bounds) if low == 0.0)),
        n=len(y),
        _first=solved.first,
        _information=w,
        _variance_covariance=2.0 * _positive_inverse(hessian),
        _theta_gradient=jacobian,
    )


def contrast(fit: MixedFit, weights: Floats, *, method: Method = "kenward_roger", level: float = 0.90) -> Contrast:
    """``weights`` (p,) · β with its interval at ``level`` and the two-sided p of being 0."""
    weights = np.asarray(weights, dtype=np.float64)
    estimate = float(weights @ fit.beta)
    if method == "kenward_roger":
        variance = float(weights @ fit.adjusted @ weights)
        df = _kenward_roger_f(fit, weights[None])[1]
    else:
        variance = float(weights @ fit.covariance @ weights)
        v = fit.covariance @ weights
        gradient = fit._theta_gradient.T @ np.array([-(v @ first @ v) for first in fit._first])
        df = 2.0 * variance**2 / float(gradient @ fit._variance_covariance @ gradient)
    error = float(np.sqrt(variance))
    half = float(t_distribution.ppf(0.5 + level / 2, df)) * error
    p = float(2.0 * t_distribution.sf(abs(estimate) / error, df))
    return Contrast(estimate, error, df, estimate - half, estimate + half, p, method)


def f_test(fit: MixedFit, weights: Floats) -> FTest:
    """Test that all rows of ``weights`` (q, p) · β are 0."""
    weights = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    scale, df = _kenward_roger_f(fit, weights)
    values = weights @ fit.beta
    q = len(weights)
    f = scale * float(values @ np.linalg.solve(weights @ fit.adjusted @ weights.T, values)) / q
    return FTest(f, q, df, float(f_distribution.sf(f, q, df)))


@dataclass(frozen=True, eq=False)
class _Block:
    """Rows that share no random effect with any other row: ``pieces`` (components − 1, b, b) without the residual's."""

    y: Floats
    x: Floats
    pieces: Floats


@dataclass(frozen=True, eq=False)
class _Blocks:
    items: tuple[_Block, ...]
    sizes: tuple[int, ...]
    n: int


@dataclass(frozen=True, eq=False)
class _Solved:
    """At one θ: REML criterion, estimates, and sums over blocks for the derivatives by each variance component r.

    ``first`` (r, p, p) is −XᵀV⁻¹G_rV⁻¹X, ``second`` (r, s, p, p) XᵀV⁻¹G_rV⁻¹G_sV⁻¹X, ``traces`` (r, s) those of
    V⁻¹G_rV⁻¹G_s, ``gradient`` (r,) of the criterion by the component.
    """

    criterion: float
    sigma: float
    beta: Floats
    phi: Floats
    values: Floats
    first: Floats
    second: Floats
    traces: Floats
    gradient: Floats


def _check(y: Floats, x: Floats, names: Sequence[str], random: Sequence[RandomTerm]) -> None:
    n, p = x.shape
    if len(y) != n or len(names) != p:
        raise InvalidInputError(f"expected y of {n} rows and {p} names; found {len(y)} and {len(names)}")
    if not (np.isfinite(y).all() and np.isfinite(x).all()):
        raise InvalidInputError("expected finite numbers in y and x; found some that are not. Leave these rows out")
    if n <= p + 1 or np.linalg.matrix_rank(x) < p:
        raise InvalidInputError(
            f"expected more rows than the {p} coefficients, and none of these that follows from the others; found {n} "
            f"rows of rank {np.linalg.matrix_rank(x)}. Leave coefficients out"
        )
    if not random:
        raise InvalidInputError("expected at least one random term; found none")
    for term in random:
        groups = len(np.unique(term.groups))
        if groups < 2 or (groups >= n and term.columns.shape[1] == 1):
            raise InvalidInputError(
                f"{term.name}: expected at least two groups and fewer than the {n} rows; found {groups}. "
                "Leave this random term out"
            )


def _split(y: Floats, x: Floats, random: Sequence[RandomTerm]) -> _Blocks:
    """Rows by connected component of the graph of groups."""
    n = len(y)
    rows, columns, offset = [], [], n
    codes = [np.unique(term.groups, return_inverse=True)[1].reshape(-1) for term in random]
    for code in codes:
        rows.append(np.arange(n))
        columns.append(code + offset)
        offset += int(code.max()) + 1
    at, to = np.concatenate(rows), np.concatenate(columns)
    label = connected_components(coo_array((np.ones(len(at)), (at, to)), shape=(offset, offset)), directed=False)[1][:n]
    items = []
    for which in np.unique(label):
        index = np.flatnonzero(label == which)
        pieces = []
        for term, code in zip(random, codes, strict=True):
            same = (code[index][:, None] == code[index][None, :]).astype(np.float64)
            z = term.columns[index]
            for i in range(z.shape[1]):
                for j in range(i + 1):
                    outer = np.outer(z[:, i], z[:, j])
                    pieces.append(same * (outer if i == j else outer + outer.T))
        items.append(_Block(y[index], x[index], np.array(pieces)))
    return _Blocks(tuple(items), tuple(term.columns.shape[1] for term in random), n)


def _start(random: Sequence[RandomTerm]) -> tuple[Floats, list[tuple[float | None, float | None]]]:
    """Relative Cholesky factors, row by row: 1 on the diagonal and not below 0, 0 beside it."""
    values: list[float] = []
    bounds: list[tuple[float | None, float | None]] = []
    for term in random:
        for i in range(term.columns.shape[1]):
            for j in range(i + 1):
                values.append(1.0 if i == j else 0.0)
                bounds.append((0.0 if i == j else None, None))
    return np.array(values), bounds


def _components(theta: Floats, sizes: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Relative (co)variances of the pieces, (r,), and their derivatives by θ, (r, len θ)."""
    values, at = [], 0
    jacobian = np.zeros((len(theta), len(theta)))
    for q in sizes:
        count = q * (q + 1) // 2
        lower = np.zeros((q, q))
        places = [(i, j) for i in range(q) for j in range(i + 1)]
        for (i, j), value in zip(places, theta[at : at + count], strict=True):
            lower[i, j] = value
        whole = lower @ lower.T
        values += [whole[i, j] for i, j in places]
        for column, (a, b) in enumerate(places):
            unit = np.zeros((q, q))
            unit[a, b] = 1.0
            change = unit @ lower.T + lower @ unit.T
            jacobian[at : at + count, at + column] = [change[i, j] for i, j in places]
        at += count
    return np.array(values), jacobian


def _evaluate(blocks: _Blocks, theta: Floats, sigma: float | None, *, derivatives: bool = False) -> _Solved:
    """The REML criterion at θ; σ profiled out where None is given."""
    relative, _ = _components(theta, blocks.sizes)
    p, r = blocks.items[0].x.shape[1], len(relative) + 1
    xx, xy, yy, log_det = np.zeros((p, p)), np.zeros(p), 0.0, 0.0
    inverses = []
    for block in blocks.items:
        v = np.eye(len(block.y)) + np.tensordot(relative, block.pieces, axes=1)
        lower = np.linalg.cholesky(v)
        white = np.linalg.solve(lower, np.column_stack([block.x, block.y]))
        xx += white[:, :-1].T @ white[:, :-1]
        xy += white[:, :-1].T @ white[:, -1]
        yy += float(white[:, -1] @ white[:, -1])
        log_det += 2.0 * float(np.log(np.diag(lower)).sum())
        if derivatives:
            inverse_lower = np.linalg.inv(lower)
            inverses.append(inverse_lower.T @ inverse_lower)
    beta: Floats = np.asarray(np.linalg.solve(xx, xy), dtype=np.float64)
    rest = max(yy - float(xy @ beta), 1e-300)
    freedom = blocks.n - p
    variance = rest / freedom if sigma is None else sigma**2
    criterion = log_det + float(np.linalg.slogdet(xx)[1]) + freedom * np.log(2 * np.pi * variance) + rest / variance
    phi = np.linalg.inv(xx) * variance
    values = np.append(relative, 1.0) * variance
    empty = np.zeros(0)
    if not derivatives:
        return _Solved(criterion, float(np.sqrt(variance)), beta, phi, values, empty, empty, empty, empty)
    first, second = np.zeros((r, p, p)), np.zeros((r, r, p, p))
    traces, gradient = np.zeros((r, r)), np.zeros(r)
    for block, relative_inverse in zip(blocks.items, inverses, strict=True):
        inverse = relative_inverse / variance
        pieces = np.concatenate([block.pieces, np.eye(len(block.y))[None]])
        vg = inverse @ pieces
        vx = inverse @ block.x
        vr = inverse @ (block.y - block.x @ beta)
        gvx = pieces @ vx
        first -= np.einsum("ap,rab,bs->rps", vx, pieces, vx, optimize=True)
        second += np.einsum("rap,ab,sbq->rspq", gvx, inverse, gvx, optimize=True)
        traces += np.einsum("rab,sba->rs", vg, vg, optimize=True)
        gradient += np.einsum("raa->r", vg) - np.einsum("a,rab,b->r", vr, pieces, vr, optimize=True)
    gradient += np.einsum("pq,rqp->r", phi, first)
    return _Solved(criterion, float(np.sqrt(variance)), beta, phi, values, first, second, traces, np.asarray(gradient))


def _optimise(blocks: _Blocks, start: Floats, bounds: list[tuple[float | None, float | None]]) -> Floats:
    def objective(theta: Floats) -> tuple[float, Floats]:
        solved = _evaluate(blocks, theta, None, derivatives=True)
        jacobian = _components(theta, blocks.sizes)[1] * solved.sigma**2
        return solved.criterion, np.asarray(jacobian.T @ solved.gradient[:-1])

    best = None
    for scale in (1.0, 0.2):
        found = minimize(
            objective, start * scale, jac=True, method="L-BFGS-B", bounds=bounds,
            options={"maxiter": 500, "ftol": 1e-14, "gtol": 1e-8},
        )  # fmt: skip
        if best is None or found.fun < best.fun - 1e-9:
            best = found
    assert best is not None
    return np.asarray(best.x, dtype=np.float64)


def _kenward_roger(solved: _Solved) -> tuple[Floats, Floats]:
    """Covariance of the variance components from their expected information, and the adjusted covariance of β."""
    phi, first, second = solved.phi, solved.first, solved.second
    phi_first = phi @ first
    information = (
        solved.traces - 2.0 * np.einsum("pq,rsqp->rs", phi, second) + np.einsum("rpq,sqp->rs", phi_first, phi_first)
    )
    w = 2.0 * (
        np.linalg.inv(information)
        if np.linalg.eigvalsh(information).min() > 1e-10
        else np.linalg.pinv(information, hermitian=True)
    )
    u = np.einsum("rs,rspq->pq", w, second) - np.einsum("rs,rpa,ab,sbq->pq", w, first, phi, first, optimize=True)
    return w, phi + 2.0 * phi @ u @ phi


def _kenward_roger_f(fit: MixedFit, weights: Floats) -> tuple[float, float]:
    """Scale λ and denominator degrees of freedom of the F test of ``weights`` (q, p)."""
    q = len(weights)
    phi = fit.covariance
    theta = weights.T @ np.linalg.solve(weights @ phi @ weights.T, weights)
    products = np.array([theta @ phi @ first @ phi for first in fit._first])
    traces = np.einsum("rpp->r", products)
    a1 = float(traces @ fit._information @ traces)
    a2 = float(np.einsum("rs,rpq,sqp->", fit._information, products, products, optimize=True))
    b = (a1 + 6.0 * a2) / (2.0 * q)
    g = ((q + 1.0) * a1 - (q + 4.0) * a2) / ((q + 2.0) * a2)
    below = 3.0 * q + 2.0 * (1.0 - g)
    c1, c2, c3 = g / below, (q - g) / below, (q + 2.0 - g) / below
    mean = 1.0 / (1.0 - a2 / q)
    variance = 2.0 / q * (1.0 + c1 * b) / ((1.0 - c2 * b) ** 2 * (1.0 - c3 * b))
    rho = variance / (2.0 * mean**2)
    df = 4.0 + (q + 2.0) / (q * rho - 1.0)
    return df / (mean * (df - 2.0)), df


def _hessian(blocks: _Blocks, theta: Floats, sigma: float) -> tuple[Floats, Floats]:
    """Second derivatives of the criterion by (θ, σ), and the components' first derivatives by them, (r, len θ + 1)."""

    def jacobian_at(point: Floats) -> Floats:
        relative, by_theta = _components(point[:-1], blocks.sizes)
        out = np.zeros((len(relative) + 1, len(point)))
        out[:-1, :-1] = by_theta * point[-1] ** 2
        out[:-1, -1] = relative * 2.0 * point[-1]
        out[-1, -1] = 2.0 * point[-1]
        return out

    def gradient_at(point: Floats) -> Floats:
        solved = _evaluate(blocks, point[:-1], float(point[-1]), derivatives=True)
        return np.asarray(jacobian_at(point).T @ solved.gradient)

    point = np.append(theta, sigma)
    columns = []
    for step in np.eye(len(point)) * _STEP:
        size = float(max(abs(point[np.argmax(step)]), 1.0))
        columns.append((gradient_at(point + step * size) - gradient_at(point - step * size)) / (2 * _STEP * size))
    hessian = np.array(columns)
    return 0.5 * (hessian + hessian.T), jacobian_at(point)


def _positive_inverse(matrix: Floats) -> Floats:
    """Inverse on the eigenvectors of positive eigenvalue alone, as lmerTest does at the boundary."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > 1e-8
    return np.asarray((vectors[:, kept] / values[kept]) @ vectors[:, kept].T)


def _labels(random: Sequence[RandomTerm]) -> list[str]:
    labels = []
    for term in random:
        q = term.columns.shape[1]
        labels += [term.name if q == 1 else f"{term.name}:{i}:{j}" for i in range(q) for j in range(i + 1)]
    return [*labels, "residual"]
