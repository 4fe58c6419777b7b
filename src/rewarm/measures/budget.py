"""A budget of named parts after the GUM (JCGM 100:2008): how they add up, what cancels, how wide an interval is.

A reading of a thermal camera is off by several amounts at once. Some of them are shared: the camera's calibration by
all its pictures, the drift since by all pictures of a session, the skin's emissivity and the air by one picture. What
is shared cancels in a difference inside a picture, and it does not cancel between visits. The picture's
non-uniformity cancels in part: regions close to each other share most of it. Others belong to a region (its outline)
or to a pixel (noise) and never cancel, but for pixels that two regions share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, sqrt
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from rewarm.errors import InvalidInputError
from rewarm.regions import Mask
from rewarm.tables import SMALLEST_DETECTABLE_FACTOR

Scope = Literal["camera", "session", "image", "region", "pixel"]
Shape = Literal["normal", "rectangular", "triangular"]

SHARED_SCOPES: Final = ("camera", "session", "image")
"""What these hold is the same error in every region of one picture."""

REACH: Final = {"normal": 1.0, "rectangular": sqrt(3.0), "triangular": sqrt(6.0)}
"""Half-width of a bounded distribution in standard deviations (GUM 4.3.7, 4.3.9)."""

_STEP: Final = 0.1


@dataclass(frozen=True)
class Place:
    """Where a region lies, in pixels: centre (x, y), second moments, and how far non-uniformity stays alike."""

    x: float
    y: float
    xx: float
    xy: float
    yy: float
    reach_px: float


@dataclass(frozen=True)
class Part:
    """One reason why a value may be off.

    ``u_c`` is its standard uncertainty in the value, °C (k = 1). ``scope`` says who shares the error. ``shape`` is the
    distribution that was taken for it. ``sign`` is −1 where the shared cause moves this value downwards. ``source``
    says in words where the figure comes from, ``doi`` where it is published; ``assumed`` is True where neither the file
    nor the study gave it. A part with a ``place`` is correlated with parts of its name at other places. ``known_from``
    says in a word where its figures come from: "default", "file", "study.toml", "scans.csv", …; "" where it follows
    from other parts or from the picture.
    """

    name: str
    scope: Scope
    u_c: float
    source: str
    shape: Shape = "normal"
    sign: int = 1
    doi: str = ""
    assumed: bool = False
    place: Place | None = None
    known_from: str = ""


def place_of(mask: Mask, *, reach_px: float) -> Place:
    """Centre and second moments of a mask of at least one pixel."""
    y, x = np.nonzero(mask)
    return Place(
        float(x.mean()) + 0.5,
        float(y.mean()) + 0.5,
        float(x.var()),
        float(((x - x.mean()) * (y - y.mean())).mean()),
        float(y.var()),
        reach_px,
    )


def alike(first: Place, second: Place) -> float:
    """Covariance of a smooth unit-variance error averaged over two regions: 1 for points at one place, 0 far apart.

    The error's correlation at a distance d is exp(−d²/2ℓ²), ℓ being ``reach_px``. Each region is taken as a Gaussian
    cloud of its own second moments C, for which the average over all pairs of points has the closed form
    |I + C/ℓ²|^(−½) · exp(−½ Δᵀ(ℓ²I + C)⁻¹Δ), with C the sum of both.
    """
    squared = first.reach_px * second.reach_px
    xx = squared + first.xx + second.xx
    yy = squared + first.yy + second.yy
    xy = first.xy + second.xy
    determinant = xx * yy - xy * xy
    dx, dy = second.x - first.x, second.y - first.y
    far = (dx * dx * yy - 2.0 * dx * dy * xy + dy * dy * xx) / determinant
    return squared / sqrt(determinant) * exp(-0.5 * far)


def correlation(first: Part, second: Part) -> float:
    """Correlation of two parts of one name at their places; 1 for the same place."""
    if first.place is None or second.place is None:
        return 0.0
    own = alike(first.place, first.place) * alike(second.place, second.place)
    return alike(first.place, second.place) / sqrt(own)


def combined_parts(
    terms: Sequence[tuple[float, Sequence[Part]]], *, shared_px: NDArray[np.int64] | None = None
) -> tuple[Part, ...]:
    """The budget of Σ factor·mean over regions of **one** picture: parts that are independent of each other.

    Parts of a shared scope and the same name are one error (correlation 1, GUM 5.2.2), so their signed sum counts.
    Parts with a place add with the correlation of their places. Noise is independent unless ``shared_px`` is given,
    an (n, n) array of how many pixels term i and term j have in common (on its diagonal: how many each has). The
    others are independent.
    """
    shared: dict[tuple[str, str], tuple[float, Part]] = {}
    correlated: dict[tuple[str, str], list[tuple[float, int, Part]]] = {}
    own: list[Part] = []
    for i, (factor, parts) in enumerate(terms):
        for part in parts:
            signed_c = factor * part.sign * part.u_c
            key = (part.scope, part.name)
            if part.scope in SHARED_SCOPES:
                shared[key] = (shared.get(key, (0.0, part))[0] + signed_c, part)
            elif part.place is not None or (part.scope == "pixel" and shared_px is not None):
                correlated.setdefault(key, []).append((signed_c, i, part))
            else:
                own.append(replace(part, u_c=abs(signed_c), sign=1))
    merged = [replace(part, u_c=abs(total), sign=-1 if total < 0 else 1) for total, part in shared.values()]
    for entries in correlated.values():
        signed = np.array([entry[0] for entry in entries])
        variance = float(signed @ correlations(entries, shared_px) @ signed)
        merged.append(replace(entries[0][2], u_c=sqrt(max(variance, 0.0)), sign=1, place=None))
    return (*merged, *own)


def correlations(
    entries: Sequence[tuple[float, int, Part]], shared_px: NDArray[np.int64] | None
) -> NDArray[np.float64]:
    """The matrix of correlations between parts of one name: by place, or by the pixels that their terms share."""
    matrix = np.eye(len(entries))
    for i, (_, one, first) in enumerate(entries):
        for j, (_, other, second) in enumerate(entries[:i]):
            if first.place is not None:
                value = correlation(first, second)
            elif shared_px is None:
                value = 0.0
            else:
                value = float(shared_px[one, other]) / sqrt(float(shared_px[one, one] * shared_px[other, other]))
            matrix[i, j] = matrix[j, i] = value
    return matrix


def u_combination_c(
    terms: Sequence[tuple[float, Sequence[Part]]], *, shared_px: NDArray[np.int64] | None = None
) -> float:
    """Standard uncertainty of Σ factor·mean over regions of **one** picture, °C (see :func:`combined_parts`)."""
    return _root_sum(combined_parts(terms, shared_px=shared_px))


def u_region_mean_c(parts: Sequence[Part]) -> float:
    """Standard uncertainty of a region's mean itself, as an absolute temperature, °C."""
    return u_combination_c([(1.0, parts)])


def u_difference_c(minuend: Sequence[Part], subtrahend: Sequence[Part]) -> float:
    """Standard uncertainty of a difference of two regions of **one** picture, °C: what they share cancels."""
    return u_combination_c([(1.0, minuend), (-1.0, subtrahend)])


def change_parts(before: Sequence[Part], after: Sequence[Part]) -> tuple[Part, ...]:
    """The budget of after − before of a value measured at two visits: all parts of both, none of which cancels.

    Each budget is that of the value at its visit (:func:`rewarm.measures.region_parts`, or :func:`combined_parts` for a
    difference inside the picture). Nothing is taken to cancel between visits, not even with the same camera: its offset
    drifts. What ties visits together is a reference in view of both, whose small share has then replaced the camera's.
    """
    return tuple(part for budget in (before, after) for part in combined_parts([(1.0, budget)]))


def u_change_c(before: Sequence[Part], after: Sequence[Part]) -> float:
    """Standard uncertainty of after − before, °C (see :func:`change_parts`)."""
    return _root_sum(change_parts(before, after))


def smallest_detectable_change_c(u_c: float) -> float:
    """1.96·u of a change: what measurement alone would exceed in 5 % of people whose feet did not change, °C.

    It covers measurement alone. A person's own variation from day to day comes on top
    (:func:`rewarm.measures.smallest_detectable_changes`).
    """
    return SMALLEST_DETECTABLE_FACTOR * u_c


def expanded_u_c(parts: Sequence[Part], *, level: float = 0.95) -> float:
    """Half-width of the interval that holds the truth with probability ``level``, °C.

    The parts must be independent (:func:`combined_parts`). 1.96·u is right where no part dominates; where a specified
    ±a does, the sum is flatter than a normal distribution and 1.96·u too wide (GUM G.1.5). So the distribution of the
    sum is computed, by inversion of its characteristic function (Gil-Pelaez 1951, doi 10.1093/biomet/38.3-4.481).
    """
    if not 0.0 < level < 1.0:
        raise InvalidInputError(f"level: expected a probability between 0 and 1; found {level:g}")
    parts = [part for part in parts if part.u_c > 0]
    if not parts:
        return 0.0
    u_c = _root_sum(parts)
    t: NDArray[np.float64] = (np.arange(1_000, dtype=np.float64) + 0.5) * _STEP  # in units of 1/u; midpoints avoid 0
    product = np.ones_like(t)
    for part in parts:
        product = product * _characteristic(part.shape, t * (part.u_c / u_c))

    def missing(x: float) -> float:
        return float(np.sum(product * np.sin(t * x) / t) * _STEP * 2.0 / np.pi) - level

    return float(brentq(missing, 1e-6, 8.0, xtol=1e-6)) * u_c


def _root_sum(parts: Sequence[Part]) -> float:
    return sqrt(sum(part.u_c**2 for part in parts))


def _characteristic(shape: Shape, t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Characteristic function at ``t``·u of a distribution with standard deviation u."""
    if shape == "normal":
        return np.exp(-0.5 * t * t)
    if shape == "rectangular":
        return np.sinc(t * REACH["rectangular"] / np.pi)
    return np.sinc(t * REACH["triangular"] / (2 * np.pi)) ** 2
