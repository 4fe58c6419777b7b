"""Randomisation tests: how often chance alone, drawn again as the design drew it, gives as large a difference.

Nothing is assumed about distributions; the unit is the person. The test is two-sided, and exact where all allocations
can be counted. It is only valid where chance decided, so that is for the caller to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import permutation_test

from rewarm.errors import InvalidInputError

Floats = NDArray[np.float64]

MOST_ALLOCATIONS: Final = 20_000
LEAST_EACH_SIDE: Final = 2


@dataclass(frozen=True)
class RandomisationTest:
    """``estimate`` is the difference tested, ``p`` two-sided, ``allocations`` how many were counted or drawn.

    ``smallest_p`` is the least that so few people (or starts) can give: where it is over 0.05, no result could have
    been significant.
    """

    name: str
    estimate: float
    p: float
    allocations: int
    exact: bool
    smallest_p: float


def split_limb_test(frame: pd.DataFrame, *, seed: int = 1) -> RandomisationTest:
    """Treated against untreated limb within each person, of whom chance chose the treated one.

    ``frame`` has the columns of :data:`rewarm.effects.frame.FRAME`. Each person's difference of changes is given every
    pattern of signs. Raises :class:`InvalidInputError` where nobody has both limbs before and after.
    """
    changes = person_changes(frame, by_treatment=True)
    if not {True, False} <= set(changes.columns):
        raise InvalidInputError("expected treated and untreated limbs measured before and after; found only one kind")
    differences = (changes[True] - changes[False]).dropna().to_numpy(dtype=np.float64)
    if not len(differences):
        raise InvalidInputError("expected people with both limbs measured before and after; found none")
    n = len(differences)
    exact = 2**n <= MOST_ALLOCATIONS
    p = _scipy_p((differences,), "samples", exact=exact, seed=seed)
    return RandomisationTest(
        "signs of the limbs' differences", float(differences.mean()), p, 2**n if exact else MOST_ALLOCATIONS, exact,
        min(1.0, 2.0 ** (1 - n)),
    )  # fmt: skip


def parallel_test(frame: pd.DataFrame, *, seed: int = 1) -> RandomisationTest:
    """Treated against untreated people, whom chance allotted, by their changes from baseline."""
    changes = person_changes(frame)[True]
    treated = frame.groupby("participant")["treated"].any().reindex(changes.index)
    one, other = changes[treated].dropna().to_numpy(float), changes[~treated].dropna().to_numpy(float)
    if not len(one) or not len(other):
        raise InvalidInputError("expected treated and untreated people measured before and after; found only one kind")
    count = _choose(len(one) + len(other), len(one))
    exact = count <= MOST_ALLOCATIONS
    p = _scipy_p((one, other), "independent", exact=exact, seed=seed)
    allocations = count if exact else MOST_ALLOCATIONS
    smallest = min(1.0, (2.0 if len(one) == len(other) else 1.0) / count)
    return RandomisationTest("labels of the people", float(one.mean() - other.mean()), p, allocations, exact, smallest)


def start_test(frame: pd.DataFrame, *, seed: int = 1) -> RandomisationTest:
    """Randomised start (N-of-1): the mean after against before, for every start that chance could have drawn.

    Any visit can have been the last before the start that leaves two on either side; all people's starts are drawn
    independently. Raises :class:`InvalidInputError` where a person has fewer than four visits.
    """
    treated = frame[frame["treated"]]
    courses = [
        rows.groupby("day")["value"].mean().sort_index() for _, rows in treated.groupby("participant", sort=True)
    ]
    options = []
    for values in courses:
        n = len(values)
        if n < 2 * LEAST_EACH_SIDE:
            raise InvalidInputError(f"expected at least {2 * LEAST_EACH_SIDE} visits of each person; found {n}")
        y = values.to_numpy(dtype=np.float64)
        options.append([y[i:].mean() - y[:i].mean() for i in range(LEAST_EACH_SIDE, n - LEAST_EACH_SIDE + 1)])
    observed = float(
        np.mean([values[values.index > 0].mean() - values[values.index <= 0].mean() for values in courses])
    )
    count = prod(len(choice) for choice in options)
    exact = count <= MOST_ALLOCATIONS
    if exact:
        drawn = np.array([np.mean(combination) for combination in product(*options)])
        p = float(np.mean(np.abs(drawn) >= abs(observed) - 1e-12))
    else:
        rng = np.random.default_rng(seed)
        picked = np.column_stack([rng.choice(choice, MOST_ALLOCATIONS - 1) for choice in options]).mean(axis=1)
        p = float((np.sum(np.abs(picked) >= abs(observed) - 1e-12) + 1) / MOST_ALLOCATIONS)
    return RandomisationTest(
        "starts of the treatment", observed, max(p, 1.0 / count), min(count, MOST_ALLOCATIONS), exact, 1.0 / count
    )


def person_changes(frame: pd.DataFrame, *, by_treatment: bool = False) -> pd.DataFrame:
    """Change from the mean of the baselines to the mean of the visits after, mean over digits.

    Rows are participants. Columns are True and False for treated and untreated digits with ``by_treatment``, else True
    alone for all digits of people.
    """
    kind = frame["treated"] if by_treatment else pd.Series(True, index=frame.index)
    digits = frame.assign(kind=kind).groupby(["participant", "kind", "side", "region", "baseline"])["value"].mean()
    wide = digits.unstack("baseline").reindex(columns=[True, False])
    change = (wide[False] - wide[True]).dropna()
    return change.groupby(["participant", "kind"]).mean().unstack("kind")


def _scipy_p(samples: tuple[Floats, ...], kind: Literal["samples", "independent"], *, exact: bool, seed: int) -> float:
    def statistic(*arrays: Floats, axis: int = -1) -> Floats:
        means = [np.mean(array, axis=axis) for array in arrays]
        return np.asarray(means[0] - means[1] if len(means) == 2 else means[0])

    result = permutation_test(
        samples,
        statistic,
        permutation_type=kind,
        vectorized=True,
        alternative="two-sided",
        n_resamples=MOST_ALLOCATIONS + 1 if exact else MOST_ALLOCATIONS,
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)


def _choose(n: int, k: int) -> int:
    return prod(range(n - k + 1, n + 1)) // prod(range(1, k + 1))
