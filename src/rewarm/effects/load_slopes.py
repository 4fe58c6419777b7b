"""Points of pain per load, and how long a load is felt: what one person's diary leaves open, others' diaries narrow.

How much pain a load makes can hardly be told from how long it is felt: of a load that is carried on for days, twice as
much pain a unit fits nearly as well. One person's six weeks leave that open, and what is best by chance is often far
off. So people are taken to be alike, as far as they are: a person's slope is normal about the people's mean μ with SD
σ, and a carry-over is that of most people (with :data:`ALIKE`) or any other of the grid. μ, σ and the carry-over of
most people are summed over a grid, so that three people are trusted less than thirty; for each person it is weighted
by what the *others* say. Slopes start from "half of the pain before comes from the load, give or take half".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.effects.serial import SerialFit

Floats = NDArray[np.float64]

ALIKE: Final = 0.6
"""Probability that a person's carry-over is that of most people; the rest is spread over the whole grid."""

_MEANS: Final = np.linspace(-0.5, 1.5, 41)
_MEAN_PRIOR: Final = (0.5, 0.5)
_SPREADS: Final = np.array([0.05, 0.1, 0.2, 0.35, 0.6])
"""Grids of μ and σ, and μ's normal prior: as shares of the slope at which load would make all of the pain."""


@dataclass(frozen=True, eq=False)
class SharedSlope:
    """One person's regression, informed by the others.

    ``fit`` has the same coefficients as the regression that came in. ``shared_sd`` is how far the mean of the people's
    own slopes moves, as a share of it, with what is left open about the carry-over of most: no number of people
    averages that out.
    """

    fit: SerialFit
    shared_sd: float


def share_slopes(fits: Sequence[SerialFit], variants: int, whole: float) -> list[SharedSlope]:
    """Every person's regression informed by the others'; all in one unit of load.

    ``fits`` have a coefficient ``load`` under a flat prior, and ``variants`` carry-overs as designs, equally likely;
    ``whole`` is the slope at which the load would make all of the pain.
    """
    parts = [_parts(fit) for fit in fits]
    means, spreads = whole * _MEANS, whole * _SPREADS
    likelihoods = [
        _likelihood(fit, slope, sd, variants, means, spreads) for fit, (slope, sd) in zip(fits, parts, strict=True)
    ]
    kernel = ALIKE * np.eye(variants) + (1 - ALIKE) / variants
    prior = np.exp(-0.5 * ((_MEANS - _MEAN_PRIOR[0]) / _MEAN_PRIOR[1]) ** 2)
    base = np.log(np.broadcast_to(prior[None, :, None], (variants, means.size, spreads.size)))
    evidence = np.stack([np.log(np.einsum("cv,vms->cms", kernel, own) + 1e-300) for own in likelihoods])
    total = base + evidence.sum(axis=0)
    informed = []
    for fit, (slope, sd), own in zip(fits, parts, evidence, strict=True):
        others = _normalised(total - own)
        informed.append(_informed(fit, slope, sd, np.einsum("cms,cv->vms", others, kernel), means, spreads))
    common = _normalised(total).sum(axis=(1, 2))
    given = np.stack([_slope_given(fit, slope, kernel) for fit, (slope, _) in zip(fits, parts, strict=True)]).mean(
        axis=0
    )
    centre = float(common @ given)
    shared = float(np.sqrt(common @ (given - centre) ** 2)) / abs(centre) if centre else 0.0
    return [SharedSlope(other, shared) for other in informed]


def _parts(fit: SerialFit) -> tuple[Floats, Floats]:
    """Mean and SD of the slope at every point of a regression's grid, (k,)."""
    contrast = fit.vector(load=1)
    variance = np.einsum("i,kij,j->k", contrast, fit.scales, contrast) * fit.df / max(fit.df - 2, 1.0)
    return fit.means @ contrast, np.sqrt(variance)


def _normalised(logs: Floats) -> Floats:
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def _likelihood(fit: SerialFit, slope: Floats, sd: Floats, variants: int, means: Floats, spreads: Floats) -> Floats:
    """What one person's days say of (own carry-over, μ, σ), (variants, means, spreads), up to a factor."""
    variance = sd[:, None, None] ** 2 + spreads[None, None, :] ** 2
    distance = slope[:, None, None] - means[None, :, None]
    density = np.exp(-0.5 * distance**2 / variance) / np.sqrt(variance) * fit.weights[:, None, None]
    found = np.zeros((variants, means.size, spreads.size))
    np.add.at(found, fit.variants, density)
    return found


def _informed(fit: SerialFit, slope: Floats, sd: Floats, others: Floats, means: Floats, spreads: Floats) -> SerialFit:
    """The mixture with the slope's prior put in: each point's moments over (μ, σ), and its new weight."""
    own, spread = sd[:, None, None] ** 2, spreads[None, None, :] ** 2
    distance = slope[:, None, None] - means[None, :, None]
    joint = np.exp(-0.5 * distance**2 / (own + spread)) / np.sqrt(own + spread) * others[fit.variants]
    weight = joint.sum(axis=(1, 2))
    share = joint / np.maximum(weight, 1e-300)[:, None, None]
    kept = spread / (own + spread)
    moved = means[None, :, None] + kept * distance
    mean = (share * moved).sum(axis=(1, 2))
    variance = (share * (own * kept + (moved - mean[:, None, None]) ** 2)).sum(axis=(1, 2))
    contrast = fit.vector(load=1)
    along = fit.scales @ contrast
    along /= (along @ contrast)[:, None]
    outer = along[:, :, None] * along[:, None, :]
    before = np.einsum("i,kij,j->k", contrast, fit.scales, contrast)
    weights = fit.weights * weight
    return SerialFit(
        names=fit.names,
        weights=weights / weights.sum(),
        means=fit.means + along * (mean - slope)[:, None],
        scales=fit.scales + outer * (before * (variance / sd**2 - 1))[:, None, None],
        df=fit.df,
        n=fit.n,
        residual_sd=fit.residual_sd,
        points=fit.points,
        variants=fit.variants,
    )


def _slope_given(fit: SerialFit, slope: Floats, kernel: Floats) -> Floats:
    """The person's mean slope given each carry-over of most people, (variants,)."""
    weights = fit.weights[None, :] * kernel[:, fit.variants]
    return np.asarray((weights @ slope) / weights.sum(axis=1))
