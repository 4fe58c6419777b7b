"""People's own changes, informed by how the others changed: a few people, told apart as far as their errors allow.

Each person's true change is 0 with probability 1 − π, else normal about μ with standard deviation s; it was seen with
an error of known standard deviation. π, μ and s are summed over a grid, so that three people move each other little
and thirty much. One person alone gets what the priors of μ and s leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]

_MEANS: Final = np.linspace(-2.5, 2.5, 41)
"""Grid of μ, in standard deviations of its normal prior."""


@dataclass(frozen=True, eq=False)
class Alike:
    """Everybody's change, as mixtures over the grid (k points).

    ``weights`` (k,) sum to 1; given a point, the change of each of n people is normal with ``means`` and ``sds``
    (n, k) with probability ``changed`` (n, k), else 0.
    """

    weights: Floats
    changed: Floats
    means: Floats
    sds: Floats

    def above(self, person: int, value: float) -> float:
        """Probability that the person's change is larger than ``value``."""
        beyond = self.changed[person] * ndtr((self.means[person] - value) / self.sds[person])
        return float(self.weights @ (beyond + (1 - self.changed[person]) * (value < 0)))

    def draws(self, person: int, n: int, seed: int) -> Floats:
        """``n`` draws of the person's change."""
        rng = np.random.default_rng(seed)
        at = rng.choice(self.weights.size, size=n, p=self.weights)
        drawn = self.means[person, at] + self.sds[person, at] * rng.standard_normal(n)
        return np.where(rng.random(n) < self.changed[person, at], drawn, 0.0)


def people_alike(
    changes: Sequence[float],
    errors: Sequence[float],
    *,
    mean_sd: float,
    spreads: Sequence[float],
    shares_changed: Sequence[float] = (1.0,),
) -> Alike:
    """How much each of n people changed, from what was seen of all of them.

    ``changes`` (n,) were seen with standard errors ``errors`` (n,), above 0, in one unit. Beforehand μ is normal about
    0 with ``mean_sd``, s one of ``spreads`` and π one of ``shares_changed``, each as likely as the others.
    """
    seen, own = np.asarray(changes, dtype=float)[:, None], np.asarray(errors, dtype=float)[:, None] ** 2
    grid = np.meshgrid(_MEANS * mean_sd, np.asarray(spreads), np.asarray(shares_changed), indexing="ij")
    mean, spread, share = (axis.ravel() for axis in grid)
    whole = own + spread**2
    some = share * np.exp(-0.5 * (seen - mean) ** 2 / whole) / np.sqrt(whole)
    none = (1 - share) * np.exp(-0.5 * seen**2 / own) / np.sqrt(own)
    logs = np.log(some + none + 1e-300).sum(axis=0) - 0.5 * (mean / mean_sd) ** 2
    weights = np.exp(logs - logs.max())
    return Alike(
        weights=weights / weights.sum(),
        changed=some / (some + none + 1e-300),
        means=(seen * spread**2 + mean * own) / whole,
        sds=np.sqrt(own * spread**2 / whole),
    )
