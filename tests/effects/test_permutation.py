"""Randomisation tests counted by hand, and Holm."""

from math import comb, nan

import numpy as np
import pytest

from rewarm.effects.classical import ClassicalTest, classical_tests, with_holm
from rewarm.effects.frame import analysis_frame
from rewarm.effects.metrics import outcome_named
from rewarm.effects.permutation import parallel_test, person_changes, split_limb_test, start_test
from rewarm.errors import InvalidInputError
from tests.effects.effect_worlds import world


def frame_of(made):
    return analysis_frame(outcome_named("mean"), "toes", made.measurements, made.visits, made.injections)


def test_signs_of_five_people_give_the_exact_p():
    found = split_limb_test(frame_of(world(people=5, treated_sides=("left",), effect_c=3.0, lasts=999)))
    assert found.p == pytest.approx(2 / 2**5)  # all five differences point one way
    assert (found.allocations, found.smallest_p, found.exact) == (32, 2 / 32, True)
    assert found.estimate == pytest.approx(3.0, abs=0.3)


def test_labels_of_people_give_the_exact_p():
    found = parallel_test(frame_of(world(people=4, controls=4, effect_c=5.0, lasts=999)))
    assert found.p == pytest.approx(2 / comb(8, 4))
    assert found.smallest_p == pytest.approx(2 / comb(8, 4))


def test_no_effect_gives_no_small_p_more_often_than_stated():
    small = [
        split_limb_test(frame_of(world(seed=s, people=6, treated_sides=("left",), effect_c=0.0))).p <= 0.05
        for s in range(60)
    ]
    assert np.mean(small) <= 0.12  # 5 % stated; 60 studies


def test_starts_are_counted():
    made = world(people=2, days=(-42, -28, -14, 0, 14, 28, 42), effect_c=4.0, lasts=999)
    found = start_test(frame_of(made))
    assert found.allocations == 4**2  # seven visits, two on either side at least
    assert found.p == pytest.approx(1 / 16)
    with pytest.raises(InvalidInputError, match="expected at least 4 visits of each person; found 2"):
        start_test(frame_of(world(people=1, days=(0, 42))))


def test_tests_say_what_is_missing():
    with pytest.raises(InvalidInputError, match="found only one kind"):
        split_limb_test(frame_of(world()))
    with pytest.raises(InvalidInputError, match="found only one kind"):
        parallel_test(frame_of(world()))


def test_person_changes_average_toes_of_a_person():
    changes = person_changes(frame_of(world(effect_c=2.0, lasts=999, day_sd_c=0.01)))
    assert changes.shape == (3, 1)
    assert changes[True].to_numpy() == pytest.approx([2, 2, 2], abs=0.8)


def made_test(outcome, p, role):
    return ClassicalTest(outcome, "toes", "t", "change_from_baseline", 1.0, 0.0, 2.0, 3.0, p, nan, role)


def test_holm_leaves_the_primary_alone_and_adjusts_the_rest():
    tests = [made_test("mean", 0.04, "primary"), made_test("a", 0.01, "secondary"), made_test("b", 0.04, "secondary")]
    tests += [made_test("b", 0.5, "secondary"), made_test("c", 0.03, "secondary")]
    adjusted = [test.p_holm for test in with_holm(tests)]
    assert adjusted[:3] == pytest.approx([0.04, 0.03, 0.06])
    assert np.isnan(adjusted[3])  # only the first test of an outcome counts
    assert adjusted[4] == pytest.approx(0.06)


def test_classical_tests_put_randomisation_first_only_where_it_was_drawn():
    frame = frame_of(world(people=5, treated_sides=("left",)))
    drawn = classical_tests(frame, "mean", "toes", kind="split_limb", randomised=True, role="primary", level=0.9)
    assert [test.test.split(":")[0].split(",")[0] for test in drawn] == ["randomisation", "mixed model", "mixed model"]
    chosen = classical_tests(frame, "mean", "toes", kind="split_limb", randomised=None, role="primary", level=0.9)
    assert not any(test.test.startswith("randomisation") for test in chosen)
    assert drawn[1].estimate == pytest.approx(2.0, abs=0.3)
    uncontrolled = classical_tests(
        frame_of(world()), "mean", "toes", kind="case_series", randomised=None, role="primary", level=0.9
    )
    assert {test.estimand for test in uncontrolled} == {"change_from_baseline"}
