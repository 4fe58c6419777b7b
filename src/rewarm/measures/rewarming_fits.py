"""Models of a rewarming curve: exponential, sigmoid, two-phase; which describes it, and how doubtful that is.

``exponential``
    T = start until onset, then start + rise·(1 − e^(−(t − onset)/τ)): Newton's cooling with vessels that open once
``sigmoid``
    T = start + rise/(1 + e^(−(t − middle)/width)): vessels that open by and by
``two_phase``
    T = start + slow·(1 − e^(−t/τ_slow)) + fast·(1 − e^(−(t − onset)/τ_fast)): warmed by the room from the beginning, by
    blood from the onset
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from math import exp, log, nan, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

Floats = NDArray[np.float64]

MODELS: Final = ("exponential", "sigmoid", "two_phase")
FEWEST_BESIDE: Final = 3
"""A model needs this many frames more than it has parameters."""
LEAST_RISE_C: Final = 0.3
MOST_FITTED: Final = 400
"""Of a longer curve neighbours are averaged to about this many values."""
MOST_STEPS: Final = 100
SHARE: Final = 1.0 - exp(-1.0)


@dataclass(frozen=True, eq=False)
class RewarmingFit:
    """One model fitted to one curve.

    ``parameters`` by name with their unit in it; ``u`` the same names: standard uncertainties, widened for what
    neighbouring residuals have in common. ``fitted_c`` (times,) is the model at the curve's times. ``weight`` is the
    Akaike weight among the models tried (by AICc, Burnham and Anderson 2002, doi 10.1007/b97636, with as many values as
    the residuals are worth). ``autocorrelation`` is that of the residuals at lag one: near 0 where the model says it
    all. ``time_constant_s`` is from the begin of the fitted rise until 63.2 % of it, the begin being where the tangent
    at the steepest place cuts the start: the exponential's τ.
    """

    model: str
    parameters: dict[str, float]
    u: dict[str, float]
    fitted_c: Floats
    residual_sd_c: float
    aicc: float
    weight: float
    autocorrelation: float
    time_constant_s: float
    u_time_constant_s: float


@dataclass(frozen=True, eq=False)
class _Model:
    """A model that is linear in its levels: ``basis(t, shape)`` (times, levels) for its shape parameters."""

    name: str
    levels: tuple[str, ...]
    shape: tuple[str, ...]
    basis: Callable[[Floats, Floats], Floats]
    time_constant: Callable[[Mapping[str, float]], float]


@dataclass(frozen=True, eq=False)
class _Found:
    model: _Model
    values: Floats
    jacobian: Floats
    off: Floats

    @property
    def count(self) -> int:
        """Parameters, the noise's among them."""
        return self.values.size + 1


def fit_rewarming(time_s: Floats, temperature_c: Floats) -> tuple[RewarmingFit, ...]:
    """All models that the curve can support, the best (lowest AICc) first; empty where there is nothing to fit.

    ``time_s`` (times,) ascends, ``temperature_c`` (times,) is without gaps, °C. A curve that rises by less than
    0.3 °C, or has fewer than three frames more than the simplest model has parameters, is not fitted.
    """
    t, y = _thinned(time_s, temperature_c)
    if t.size < 4 + FEWEST_BESIDE or float(np.ptp(y)) < LEAST_RISE_C:
        return ()
    found = [_fitted(model, t, y) for model in _models() if t.size >= _size(model) + FEWEST_BESIDE]
    solved = [item for item in found if item is not None]
    if not solved:
        return ()
    shared = min(max(_autocorrelation(item.off), 0.0) for item in solved)
    worth = max(t.size * (1.0 - shared) / (1.0 + shared), 1.0)
    aicc = np.array([_aicc(item, worth) for item in solved])
    if not np.isfinite(aicc).any():
        aicc = np.array([_aicc(item, float(t.size)) for item in solved])
    weights = np.exp(-0.5 * (aicc - aicc[np.isfinite(aicc)].min()))
    weights = np.where(np.isfinite(aicc), weights, 0.0)
    weights /= weights.sum()
    order = np.argsort(aicc, kind="stable")
    return tuple(_told(solved[k], time_s, float(aicc[k]), float(weights[k])) for k in order)


def _models() -> tuple[_Model, ...]:
    return (
        _Model("exponential", ("start_c", "rise_c"), ("onset_s", "tau_s"), _exponential, lambda p: p["tau_s"]),
        _Model("sigmoid", ("start_c", "rise_c"), ("middle_s", "width_s"), _sigmoid, _sigmoid_constant),
        _Model(
            "two_phase", ("start_c", "slow_c", "fast_c"), ("tau_slow_s", "onset_s", "tau_fast_s"), _two_phase,
            _two_phase_constant,
        ),
    )  # fmt: skip


def _exponential(t: Floats, shape: Floats) -> Floats:
    onset, tau = shape
    return np.column_stack([np.ones_like(t), -np.expm1(-np.maximum(t - onset, 0.0) / tau)])


def _sigmoid(t: Floats, shape: Floats) -> Floats:
    middle, width = shape
    return np.column_stack([np.ones_like(t), 1.0 / (1.0 + np.exp(-np.clip((t - middle) / width, -60.0, 60.0)))])


def _two_phase(t: Floats, shape: Floats) -> Floats:
    tau_slow, onset, tau_fast = shape
    slow, fast = -np.expm1(-np.maximum(t, 0.0) / tau_slow), -np.expm1(-np.maximum(t - onset, 0.0) / tau_fast)
    return np.column_stack([np.ones_like(t), slow, fast])


def _sigmoid_constant(p: Mapping[str, float]) -> float:
    """From middle − 2·width, where the tangent cuts the start, until 63.2 % is done."""
    return (2.0 + log(SHARE / (1.0 - SHARE))) * p["width_s"]


def _two_phase_constant(p: Mapping[str, float]) -> float:
    """From where the tangent at the steepest place (the begin, or the onset) cuts the start, until 63.2 % is done."""
    total = p["slow_c"] + p["fast_c"]
    shape = np.array([p["tau_slow_s"], p["onset_s"], p["tau_fast_s"]])

    def risen(t: float) -> float:
        basis = _two_phase(np.array([t]), shape)[0]
        return float(basis[1] * p["slow_c"] + basis[2] * p["fast_c"])

    onset = max(p["onset_s"], 0.0)
    at_begin, at_onset = p["slow_c"] / p["tau_slow_s"], p["fast_c"] / p["tau_fast_s"]
    at_onset += at_begin * exp(-onset / p["tau_slow_s"])
    begin = onset - risen(onset) / at_onset if at_onset > at_begin else 0.0
    last = onset + 20.0 * max(p["tau_slow_s"], p["tau_fast_s"])
    if total <= 0.0 or risen(last) <= SHARE * total:
        return nan
    return float(brentq(lambda t: risen(t) - SHARE * total, 0.0, last)) - begin


def _size(model: _Model) -> int:
    return len(model.levels) + len(model.shape)


def _fitted(model: _Model, t: Floats, y: Floats) -> _Found | None:
    """Least squares: the best of a grid of shapes, whose levels follow by linear algebra, then all refined together.

    Refined by Levenberg's and Marquardt's steps (Marquardt 1963, doi 10.1137/0111030), cut off at the bounds.
    """
    values = _begun(model, t, y)
    if values is None:
        return None
    low, high = _bounds(model, t)
    values = np.clip(values, low, high)
    off, slopes = _off(model, t, y, values), _slopes(model, t, y, values)
    squares, damping = float(off @ off), 1e-3
    for _ in range(MOST_STEPS):
        normal = slopes.T @ slopes
        scale = np.sqrt(np.maximum(np.diag(normal), 1e-18))
        system = normal / np.outer(scale, scale) + damping * np.eye(scale.size)
        step = np.linalg.solve(system, slopes.T @ off / scale) / scale
        moved = np.clip(values + step, low, high)
        tried = _off(model, t, y, moved)
        better = squares - float(tried @ tried)
        if better <= 0.0:
            damping *= 10.0
            if damping > 1e8:
                break
            continue
        values, off, squares, damping = moved, tried, squares - better, max(damping / 10.0, 1e-9)
        slopes = _slopes(model, t, y, values)
        if better < 1e-10 * squares:
            break
    return _Found(model, values, slopes, off)


def _off(model: _Model, t: Floats, y: Floats, values: Floats) -> Floats:
    split = len(model.levels)
    return np.asarray(y - model.basis(t, values[split:]) @ values[:split])


def _slopes(model: _Model, t: Floats, y: Floats, values: Floats) -> Floats:
    """How the model changes with every parameter, (times, parameters): its basis, and central differences in shape."""
    split = len(model.levels)
    columns = [model.basis(t, values[split:])]
    for k in range(split, values.size):
        step = np.zeros_like(values)
        step[k] = 1e-4 * max(abs(float(values[k])), 1.0)
        columns.append((_off(model, t, y, values - step) - _off(model, t, y, values + step))[:, None] / (2 * step[k]))
    return np.hstack(columns)


def _begun(model: _Model, t: Floats, y: Floats) -> Floats | None:
    """The best shape of the grid with its levels; None where no shape of it rises."""
    shapes = np.array(list(product(*_grid(model, t))))
    bases = np.stack([model.basis(t, shape) for shape in shapes])
    gram = np.einsum("gtk,gtl->gkl", bases, bases) + 1e-9 * np.eye(len(model.levels))
    levels = np.linalg.solve(gram, np.einsum("gtk,t->gk", bases, y)[..., None])[..., 0]
    squares = ((y - np.einsum("gtk,gk->gt", bases, levels)) ** 2).sum(axis=1)
    squares[np.any(levels[:, 1:] < 0.0, axis=1)] = np.inf
    best = int(squares.argmin())
    return np.concatenate([levels[best], shapes[best]]) if np.isfinite(squares[best]) else None


def _grid(model: _Model, t: Floats) -> list[Floats]:
    """Shapes to begin from: onsets over the first two thirds, time constants from a frame's to twice the span."""
    span = float(t[-1] - t[0])
    taus = np.geomspace(max(2.0 * float(np.median(np.diff(t))), 0.02 * span), 2.0 * span, 10)
    onsets = t[0] + span * np.linspace(0.0, 0.7, 12)
    if model.name == "two_phase":
        return [np.geomspace(0.1 * span, 4.0 * span, 5), onsets[::2], taus[::2]]
    return [onsets, taus] if model.name == "exponential" else [t[0] + span * np.linspace(0.0, 0.9, 12), taus / 3.0]


def _bounds(model: _Model, t: Floats) -> tuple[Floats, Floats]:
    span = float(t[-1] - t[0])
    low = {"start_c": -np.inf, "onset_s": min(float(t[0]), 0.0), "middle_s": t[0] - span}
    high = {"onset_s": float(t[-1]), "middle_s": t[-1] + span, "tau_slow_s": 20 * span}
    names = (*model.levels, *model.shape)
    least = 1e-3 * span
    lows = [low.get(name, least if name.startswith(("tau", "width")) else 0.0) for name in names]
    highs = [high.get(name, 10.0 * span if name.endswith("_s") else np.inf) for name in names]
    return np.array(lows, dtype=np.float64), np.array(highs, dtype=np.float64)


def _thinned(t: Floats, y: Floats) -> tuple[Floats, Floats]:
    each = -(-t.size // MOST_FITTED)
    if each < 2:
        return t, y
    edges = np.arange(0, t.size, each)
    counts = np.diff([*edges, t.size])
    return np.add.reduceat(t, edges) / counts, np.add.reduceat(y, edges) / counts


def _aicc(found: _Found, worth: float) -> float:
    """n·ln(SSE/n) + 2k + 2k(k + 1)/(n − k − 1); infinite where the values are too few for the parameters."""
    beyond = worth - found.count - 1.0
    if beyond <= 0.0:
        return float("inf")
    mean_square = max(float(np.mean(found.off**2)), 1e-12)
    return worth * log(mean_square) + 2.0 * found.count + 2.0 * found.count * (found.count + 1.0) / beyond


def _autocorrelation(off: Floats) -> float:
    square = float(off @ off)
    return float(off[1:] @ off[:-1]) / square if square > 0.0 else 0.0


def _told(found: _Found, time_s: Floats, aicc: float, weight: float) -> RewarmingFit:
    model = found.model
    names = (*model.levels, *model.shape)
    free = max(found.off.size - found.values.size, 1)
    variance = float(found.off @ found.off) / free
    alike = _autocorrelation(found.off)
    widened = (1.0 + max(alike, 0.0)) / (1.0 - min(max(alike, 0.0), 0.99))
    covariance = np.linalg.pinv(found.jacobian.T @ found.jacobian) * variance * widened
    spread = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    parameters = dict(zip(names, map(float, found.values), strict=True))
    constant = model.time_constant(parameters)
    split = len(model.levels)
    return RewarmingFit(
        model=model.name,
        parameters=parameters,
        u=dict(zip(names, map(float, spread), strict=True)),
        fitted_c=np.asarray(model.basis(time_s, found.values[split:]) @ found.values[:split]),
        residual_sd_c=sqrt(variance),
        aicc=aicc,
        weight=weight,
        autocorrelation=alike,
        time_constant_s=constant,
        u_time_constant_s=_u_of(model, names, found.values, covariance, constant),
    )


def _u_of(
    model: _Model, names: tuple[str, ...], values: Floats, covariance: NDArray[np.floating], constant: float
) -> float:
    """Standard uncertainty of the time constant: its slope in every parameter, by small steps (GUM 5.1.3)."""
    slopes = np.zeros(values.size)
    for k in range(values.size):
        step = 1e-4 * max(abs(float(values[k])), 1e-3)
        moved = values.copy()
        moved[k] += step
        slopes[k] = (model.time_constant(dict(zip(names, map(float, moved), strict=True))) - constant) / step
    variance = float(slopes @ covariance @ slopes)
    return sqrt(variance) if variance >= 0.0 else nan
