"""People informing each other about how they changed."""

import numpy as np
import pytest

from rewarm.effects.alike import people_alike


def test_one_person_with_wide_priors_keeps_what_was_seen():
    alone = people_alike([-8.0], [2.0], mean_sd=50.0, spreads=[30.0])
    assert 1 - alone.above(0, 0.0) > 0.999
    draws = alone.draws(0, 20_000, seed=1)
    assert draws.mean() == pytest.approx(-8.0, abs=0.1)
    assert draws.std() == pytest.approx(2.0, abs=0.1)


def test_a_person_against_all_the_others_moves_towards_them_and_less_where_own_days_say_more():
    others = [-10.0, -9.0, -11.0, -10.0, -9.5]
    vague, sure = (
        people_alike([2.0, *others], [error, *[1.0] * 5], mean_sd=20.0, spreads=[3.0]).draws(0, 20_000, 1).mean()
        for error in (4.0, 0.5)
    )
    assert -8.5 < vague < -3.0
    assert 1.0 < sure < 2.0


def test_probabilities_are_right_over_people_drawn_from_the_model():
    """Of changes given as above 0 with probability p, a share p is above 0."""
    rng = np.random.default_rng(2)
    said, true = [], []
    for _ in range(300):
        mean, spread = 0.2 * rng.normal(), rng.choice([0.1, 0.3])
        changes = np.where(rng.random(3) < rng.choice([0.2, 0.8]), mean + spread * rng.normal(size=3), 0.0)
        errors = rng.uniform(0.05, 0.15, 3)
        found = people_alike(
            changes + errors * rng.normal(size=3), errors, mean_sd=0.2, spreads=[0.1, 0.3], shares_changed=[0.2, 0.8]
        )
        said += [found.above(person, 0.1) for person in range(3)]
        true += list(changes > 0.1)
    said_, true_ = np.array(said), np.array(true)
    assert said_.mean() == pytest.approx(true_.mean(), abs=0.04)
    for low, high in ((0.0, 0.2), (0.2, 0.6), (0.6, 1.0)):
        inside = (said_ >= low) & (said_ <= high)
        assert said_[inside].mean() == pytest.approx(true_[inside].mean(), abs=0.09)


def test_no_change_is_neither_above_nor_below_zero():
    none = people_alike([0.0, 0.0, 0.0], [0.02] * 3, mean_sd=1.0, spreads=[0.5], shares_changed=[0.1])
    assert none.above(0, 0.0) < 0.01
    assert none.above(0, -0.1) > 0.99
