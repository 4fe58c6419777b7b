"""Agreement of readers against a published worked example, an independent program's figures, and the extremes."""

from __future__ import annotations

import numpy as np
import pytest

from rewarm.errors import InvalidInputError
from rewarm.measures import dice, icc_2_1

# Shrout and Fleiss 1979, table 2: six targets by four judges; their table 4 gives ICC(2,1) = .29
PUBLISHED = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
TWO_READERS = [
    [32.0, 32.08], [22.57, 22.97], [28.98, 28.96], [27.15, 27.0], [27.1, 27.76], [27.73, 27.62],
    [23.91, 24.32], [28.12, 27.66], [26.2, 26.77], [34.38, 34.76], [28.72, 28.83], [27.32, 27.7],
]  # fmt: skip


def test_the_published_example_is_reproduced() -> None:
    found = icc_2_1(PUBLISHED)
    assert round(found.value, 2) == 0.29
    assert (found.n, found.k, found.level) == (6, 4, 0.95)


def test_an_independent_programs_figures_are_reproduced() -> None:
    """pingouin 0.7.0, ICC(A,1); it rounds its intervals to two places."""
    first, second = icc_2_1(PUBLISHED), icc_2_1(TWO_READERS)
    assert first.value == pytest.approx(0.28976377952755916, abs=1e-12)
    assert (round(first.lower, 2), round(first.upper, 2)) == (0.02, 0.76)
    assert second.value == pytest.approx(0.9930110792622715, abs=1e-12)
    assert (round(second.lower, 2), round(second.upper, 2)) == (0.97, 1.0)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Targets, readers and errors drawn from normal distributions whose ICC is known: 4 / (4 + 1 + 1)."""
    rng = np.random.default_rng(0)
    n, k, truth, inside = 12, 4, 4 / 6, 0
    for _ in range(1500):
        table = rng.normal(0, 2, (n, 1)) + rng.normal(0, 1, (1, k)) + rng.normal(0, 1, (n, k))
        found = icc_2_1(table)
        inside += found.lower <= truth <= found.upper
    assert 0.925 <= inside / 1500 <= 0.985  # Satterthwaite's degrees of freedom are an approximation


def test_readers_who_agree_exactly_and_readers_apart_by_a_constant() -> None:
    column = np.array([20.0, 24.0, 25.5, 31.0])
    same = icc_2_1(np.stack([column, column], axis=1))
    assert (same.value, same.lower, same.upper) == (1.0, 1.0, 1.0)
    apart = icc_2_1(np.stack([column, column + 3.0], axis=1))
    spread = column.var(ddof=1)
    assert apart.value == pytest.approx(spread / (spread + 4.5))  # variance of two values 3 apart: 4.5
    assert apart.lower < apart.value < apart.upper <= 1.0
    assert np.isnan(icc_2_1(np.full((4, 2), 30.1)).value)


def test_adding_a_constant_to_everything_changes_nothing() -> None:
    table = np.array(TWO_READERS)
    assert icc_2_1(table + 100.0).value == pytest.approx(icc_2_1(table).value, abs=1e-9)


@pytest.mark.parametrize(
    ("readings", "level", "message"),
    [
        ([[1.0, 2.0]], 0.95, "2 or more targets by 2 or more readers; found shape"),
        ([1.0, 2.0], 0.95, "2 or more targets by 2 or more readers; found shape"),
        ([[1.0, 2.0], [np.nan, 3.0]], 0.95, "found a gap"),
        (PUBLISHED, 95.0, "level: expected a figure between 0 and 1"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(readings: object, level: float, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        icc_2_1(readings, level=level)  # type: ignore[arg-type]


def test_dice_of_known_squares() -> None:
    one, other = np.zeros((2, 10, 10), dtype=bool)
    one[2:6, 2:6] = True
    other[4:8, 2:6] = True
    assert dice(one, other) == 0.5
    assert dice(one, one) == 1.0
    assert dice(one, ~one) == 0.0
    assert np.isnan(dice(one & False, one & False))
    with pytest.raises(InvalidInputError, match="expected one shape"):
        dice(one, other[:5])
