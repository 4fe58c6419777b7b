"""Averages and comparisons of groups against figures worked out another way, and against simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from rewarm.errors import InvalidInputError
from rewarm.measures import average_maps, benjamini_hochberg, compare_groups

SHAPE = (20, 30)


def group(seed: int, n: int, *, sd: float = 1.0, mean: float = 30.0) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).normal(mean, sd, (n, *SHAPE)))


def test_mean_sd_and_standard_error_are_the_usual_ones() -> None:
    maps = group(0, 6)
    found = average_maps(maps)
    np.testing.assert_allclose(found.mean_c, np.mean(maps, axis=0))
    np.testing.assert_allclose(found.sd_c, np.std(maps, axis=0, ddof=1))
    np.testing.assert_allclose(found.standard_error_c, np.std(maps, axis=0, ddof=1) / np.sqrt(6))
    assert (found.n == 6).all()


def test_gaps_are_left_out_pixel_by_pixel() -> None:
    maps = group(1, 3)
    maps[0][3, 4] = np.nan
    for item in maps:
        item[5, 6] = np.nan
    maps[1][7, 8] = maps[2][7, 8] = np.nan
    found = average_maps(maps)
    assert found.mean_c[3, 4] == pytest.approx(np.mean([maps[1][3, 4], maps[2][3, 4]]))
    assert (found.n[3, 4], found.n[5, 6], found.n[7, 8]) == (2, 0, 1)
    assert np.isnan(found.mean_c[5, 6])
    assert found.mean_c[7, 8] == maps[0][7, 8]
    assert np.isnan([found.sd_c[7, 8], found.standard_error_c[7, 8], found.sd_c[5, 6]]).all()


def test_two_feet_of_a_person_count_as_one() -> None:
    left, right = group(2, 4), group(3, 4)
    right[1][:] = np.nan  # one foot of one person is missing
    people = ["a", "b", "c", "d"]
    both = average_maps([*left, *right], people=people * 2)
    whole = average_maps([left[1] if i == 1 else (left[i] + right[i]) / 2 for i in range(4)])
    np.testing.assert_allclose(both.mean_c, whole.mean_c)
    np.testing.assert_allclose(both.sd_c, whole.sd_c)
    assert (both.n == 4).all()


def test_welchs_test_is_scipys() -> None:
    one, other = group(4, 7, sd=2.0), group(5, 12, mean=31.0)
    one[0][2, 2] = np.nan
    found = compare_groups(average_maps(one), average_maps(other))
    expected = ttest_ind(np.array(one), np.array(other), equal_var=False, nan_policy="omit")
    np.testing.assert_allclose(found.p, expected.pvalue, rtol=1e-9)
    np.testing.assert_allclose(found.difference_c, np.nanmean(one, axis=0) - np.mean(other, axis=0))


def test_pixels_of_too_few_people_are_not_tested() -> None:
    one, other = group(6, 4), group(7, 4, mean=40.0)
    for item in one[:2]:
        item[:, 0] = np.nan
    found = compare_groups(average_maps(one), average_maps(other))
    assert np.isnan(found.p[:, 0]).all()
    assert np.isnan(found.difference_c[:, 0]).all()
    assert not found.marked[:, 0].any()
    assert found.marked[:, 1:].all()


def test_the_procedure_of_benjamini_and_hochberg_on_their_own_example() -> None:
    """The fifteen p values of their section 3.2: four are kept at 0.05 (Bonferroni keeps three)."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
         0.7590, 1.0]  # fmt: skip
    order = np.random.default_rng(0).permutation(15)
    kept = benjamini_hochberg(np.array(p)[order], q=0.05)
    assert sorted(np.array(p)[order][kept]) == p[:4]
    assert not benjamini_hochberg(np.array([0.2, 0.9]), q=0.05).any()
    assert benjamini_hochberg(np.zeros(0), q=0.05).size == 0


def test_the_share_of_wrong_marks_is_what_was_asked_for() -> None:
    """A fifth of the pixels truly differ: of those marked, 0.05 × 0.8 or so are wrong; few real ones are missed."""
    real = np.zeros(SHAPE, dtype=bool)
    real[:4] = True
    wrong, missed = [], []
    for seed in range(60):
        one, other = group(2 * seed, 12), group(2 * seed + 1, 12)
        for item in one:
            item[real] += 2.0
        marked = compare_groups(average_maps(one), average_maps(other), q=0.05).marked
        wrong.append((marked & ~real).sum() / max(marked.sum(), 1))
        missed.append((real & ~marked).sum() / real.sum())
    assert 0.02 < np.mean(wrong) < 0.06
    assert np.mean(missed) < 0.1


@pytest.mark.parametrize(
    ("maps", "people", "message"),
    [
        ([], None, "expected one map or more; found none"),
        ([np.zeros(SHAPE), np.zeros((3, 4))], None, r"expected one shape \(y, x\); found"),
        ([np.zeros(3)], None, r"expected one shape \(y, x\); found"),
        ([np.zeros(SHAPE)], ["a", "b"], "expected one name a map, 1; found 2"),
    ],
)
def test_maps_that_cannot_be_averaged_are_refused(
    maps: list[np.ndarray], people: list[str] | None, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        average_maps(maps, people=people)


def test_groups_that_cannot_be_compared_are_refused() -> None:
    one = average_maps(group(0, 3))
    with pytest.raises(InvalidInputError, match="expected maps on one atlas"):
        compare_groups(one, average_maps([np.zeros((3, 4))]))
    with pytest.raises(InvalidInputError, match=r"q: expected a share between 0 and 1, such as 0\.05; found 5"):
        compare_groups(one, one, q=5)
