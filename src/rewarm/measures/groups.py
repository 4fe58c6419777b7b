"""Groups of people averaged and compared pixel by pixel on an atlas, with their uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from rewarm.errors import InvalidInputError

Map = NDArray[np.float32] | NDArray[np.float64]

FEWEST_PEOPLE: Final = 3
"""A pixel that fewer people of a group show is neither tested nor marked."""


@dataclass(frozen=True, eq=False)
class GroupMap:
    """A group's average on an atlas; all maps are (y, x).

    ``mean_c`` (°C) and ``n`` (people, int64) hold where at least one person has a temperature. ``sd_c`` is the standard
    deviation between people (what one person's visit adds is in it), ``standard_error_c`` that of the mean; both are
    NaN where fewer than two people have one.
    """

    mean_c: NDArray[np.float64]
    sd_c: NDArray[np.float64]
    standard_error_c: NDArray[np.float64]
    n: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GroupDifference:
    """One group − another, pixel by pixel; all maps are (y, x), NaN (False) where it was not tested.

    ``p`` is Welch's two-sided; ``marked`` are the pixels at which the difference is declared real so that, of all
    marked ones, a share of at most ``q`` is expected to be wrong.
    """

    difference_c: NDArray[np.float64]
    standard_error_c: NDArray[np.float64]
    p: NDArray[np.float64]
    marked: NDArray[np.bool_]
    q: float


def average_maps(maps: Sequence[Map], *, people: Sequence[str] | None = None) -> GroupMap:
    """Average maps (y, x) of one shape, °C, NaN where there is none.

    ``people`` names whose each map is: several of one person (both feet) are averaged first, so that a person counts
    once. Without it every map is another person's. Raises :class:`InvalidInputError`.
    """
    stack = _per_person(maps, people)
    here = np.isfinite(stack)
    n = here.sum(axis=0)
    total = np.where(here, stack, 0.0).sum(axis=0)
    mean = np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
    squares = np.where(here, (stack - mean) ** 2, 0.0).sum(axis=0)
    variance = np.divide(squares, n - 1, out=np.full(n.shape, np.nan), where=n > 1)
    sd = np.sqrt(variance)
    return GroupMap(mean, sd, sd / np.sqrt(np.maximum(n, 1)), n.astype(np.int64))


def _per_person(maps: Sequence[Map], people: Sequence[str] | None) -> NDArray[np.float64]:
    """(people, y, x): the mean of each person's maps."""
    if not maps:
        raise InvalidInputError("maps: expected one map or more; found none")
    if people is not None and len(people) != len(maps):
        raise InvalidInputError(f"people: expected one name a map, {len(maps)}; found {len(people)}")
    shapes = sorted({np.shape(item) for item in maps})
    if len(shapes) != 1 or len(shapes[0]) != 2:
        raise InvalidInputError(f"maps: expected one shape (y, x); found {shapes}. Carry all onto the same atlas")
    stack = np.stack([np.asarray(item, dtype=np.float64) for item in maps])
    if people is None:
        return stack
    names = list(dict.fromkeys(people))
    whose = np.array([names.index(name) for name in people])
    merged = np.full((len(names), *shapes[0]), np.nan)
    for i in range(len(names)):
        own = stack[whose == i]
        count = np.isfinite(own).sum(axis=0)
        np.divide(np.nansum(own, axis=0), count, out=merged[i], where=count > 0)
    return merged


def compare_groups(one: GroupMap, other: GroupMap, *, q: float = 0.05) -> GroupDifference:
    """``one`` − ``other`` with its standard error, tested at every pixel at which three people of each are seen.

    Welch's test (1947, doi 10.1093/biomet/34.1-2.28) allows each group its own variance. Of its p values those are
    marked that Benjamini and Hochberg's procedure (1995, doi 10.1111/j.2517-6161.1995.tb02031.x) keeps at the false
    discovery rate ``q``; neighbouring pixels are positively dependent, under which it still holds (Benjamini and
    Yekutieli 2001, doi 10.1214/aos/1013699998). Two groups that differ in age, room or camera differ in those, too.

    Raises :class:`InvalidInputError` for two shapes, or a ``q`` outside 0 to 1.
    """
    if one.mean_c.shape != other.mean_c.shape:
        raise InvalidInputError(
            f"groups: expected maps on one atlas; found shapes {one.mean_c.shape} and {other.mean_c.shape}"
        )
    if not 0.0 < q < 1.0:
        raise InvalidInputError(f"q: expected a share between 0 and 1, such as 0.05; found {q}")
    difference = one.mean_c - other.mean_c
    variances = one.standard_error_c**2, other.standard_error_c**2
    error = np.sqrt(variances[0] + variances[1])
    tested = (one.n >= FEWEST_PEOPLE) & (other.n >= FEWEST_PEOPLE) & (error > 0.0)
    a, b = (variance[tested] for variance in variances)
    freedom = (a + b) ** 2 / (a**2 / (one.n[tested] - 1) + b**2 / (other.n[tested] - 1))
    p = np.full(difference.shape, np.nan)
    p[tested] = 2.0 * stdtr(freedom, -np.abs(difference[tested] / error[tested]))
    marked = np.zeros(difference.shape, dtype=np.bool_)
    marked[tested] = benjamini_hochberg(p[tested], q=q)
    blank = np.where(tested, 0.0, np.nan)
    return GroupDifference(difference + blank, error + blank, p, marked, q)


def benjamini_hochberg(p: NDArray[np.float64], *, q: float) -> NDArray[np.bool_]:
    """Which of the p values (n,) are kept at the false discovery rate ``q``.

    The largest i with p(i) ≤ q·i/n, and all below it (doi 10.1111/j.2517-6161.1995.tb02031.x).
    """
    if p.size == 0:
        return np.zeros(0, dtype=np.bool_)
    ordered = np.sort(p)
    below = np.flatnonzero(ordered <= q * np.arange(1, p.size + 1) / p.size)
    if below.size == 0:
        return np.zeros(p.shape, dtype=np.bool_)
    return np.asarray(p <= ordered[below[-1]])
