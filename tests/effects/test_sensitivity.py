"""Sensitivity: priors, people, and what nobody measured."""

import numpy as np
import pytest

from rewarm.effects.draws import Draws
from rewarm.effects.frame import analysis_frame
from rewarm.effects.metrics import outcome_named
from rewarm.effects.model import DEFAULT_PRIORS
from rewarm.effects.sensitivity import explain_away, leave_one_out, prior_sensitivity, scaled_priors
from tests.effects.effect_worlds import world

FLAGS = {"randomised": True, "enrolled_at_worst": None}


@pytest.fixture(scope="module")
def frame():
    made = world(people=3, treated_sides=("left",))
    return analysis_frame(outcome_named("mean"), "toes", made.measurements, made.visits, made.injections)


def test_wider_priors_are_wider_everywhere():
    wide = scaled_priors(2.0)
    assert wide.effect_sd == 2 * DEFAULT_PRIORS.effect_sd
    assert wide.room_slope == (DEFAULT_PRIORS.room_slope[0], 2 * DEFAULT_PRIORS.room_slope[1])
    assert all(wide.spreads[name] == 2 * value for name, value in DEFAULT_PRIORS.spreads.items())


def test_priors_matter_little_beside_a_control(frame):
    stated, wide, narrow = prior_sensitivity(frame, outcome_named("mean"), 42.0, 0.9, flags=FLAGS)
    assert stated.what == "priors as stated"
    assert wide.estimate == pytest.approx(stated.estimate, abs=0.15)
    assert narrow.estimate == pytest.approx(stated.estimate, abs=0.25)


def test_each_person_is_left_out_once(frame):
    found = leave_one_out(frame, outcome_named("mean"), 42.0, 0.9, flags=FLAGS)
    assert [row.what for row in found] == ["without P01", "without P02", "without P03"]
    assert all(row.lower < row.estimate < row.upper for row in found)
    one = frame[frame["participant"] == "P01"]
    assert leave_one_out(one, outcome_named("mean"), 42.0, 0.9, flags=FLAGS) == ()


def draws_around(size: float) -> Draws:
    values = size + np.linspace(-1, 1, 201)[:, None]
    ones = np.ones(201)
    return Draws(
        people=("P01",), last_day=np.array([100.0]), person=values, population=values[:, 0], onset=1e-6 * ones,
        duration=1e6 * ones[:, None], shape=5 * ones, tail=0.1 * ones, rise=ones,
        others={}, diagnostics={}, method="made up",
    )  # fmt: skip


def test_a_shift_explains_away_what_is_there():
    found = explain_away(draws_around(2.0), outcome_named("mean"), 42.0, 0.9)
    assert (found.estimate, found.lower, found.upper) == pytest.approx((2.0, 1.1, 2.9), abs=0.02)


def test_nothing_needs_explaining_where_zero_is_inside():
    assert explain_away(draws_around(0.5), outcome_named("mean"), 42.0, 0.9).lower == 0.0


def test_less_is_better_counts_the_other_way():
    assert explain_away(draws_around(-2.0), outcome_named("t50"), 42.0, 0.9).estimate == pytest.approx(2.0, abs=0.02)
