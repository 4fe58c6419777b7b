"""Onset and duration of courses whose days can be counted."""

import numpy as np
import pytest

from rewarm.effects.draws import Draws
from rewarm.effects.duration import duration_interval, duration_words, durations, onset_interval


def draws(
    size: float, *, lasts: float = 100.0, last_day: float = 200.0, sharp: float = 60.0, spread: float = 0.0
) -> Draws:
    """Two people alike, 400 draws; with ``spread`` the durations differ between draws."""
    count = 400
    duration = lasts * np.exp(spread * np.linspace(-2, 2, count))
    return Draws(
        people=("P01", "P02"), last_day=np.array([last_day, last_day]), person=np.full((count, 2), size),
        population=np.full(count, size), onset=np.full(count, 1e-6), duration=np.column_stack([duration, duration]),
        shape=np.full(count, sharp), tail=np.full(count, 0.1), rise=np.ones(count),
        others={}, diagnostics={}, method="made up",
    )  # fmt: skip


def test_a_step_is_counted_in_days():
    group, first, second = durations(draws(3.0), 1.0)
    assert (group.who, first.who, second.who) == ("group", "P01", "P02")
    assert onset_interval(group, 0.9) == (1.0, 1.0, 1.0)
    assert duration_interval(group, 0.9)[0] == pytest.approx(99, abs=2)
    assert duration_words(group) == "about 3 months"
    assert group.reached == 1.0


def test_the_last_visit_censors():
    group = durations(draws(3.0, lasts=400.0, last_day=150.0), 1.0)[0]
    estimate, lower, upper = duration_interval(group, 0.9)
    assert (estimate, lower) == (149.0, 149.0)
    assert np.isnan(upper)
    assert duration_words(group) == "at least 5 months"


def test_a_censored_tail_leaves_the_upper_end_open_and_the_middle_known():
    group = durations(draws(3.0, lasts=100.0, last_day=150.0, spread=0.4), 1.0)[0]
    estimate, lower, upper = duration_interval(group, 0.9)
    assert lower < estimate == pytest.approx(99, abs=4)
    assert np.isnan(upper)
    assert not group.at_least


def test_an_effect_that_never_matters_has_no_onset_and_no_duration():
    group = durations(draws(0.5), 1.0)[0]
    assert np.isnan(onset_interval(group, 0.9)).all()
    assert duration_interval(group, 0.9) == (0.0, 0.0, 0.0)
    assert duration_words(group) == "never as large as that, as far as can be told"


def test_less_is_better_where_the_outcome_says_so():
    assert durations(draws(-3.0), 1.0, better=-1)[0].reached == 1.0
    assert durations(draws(-3.0), 1.0)[0].reached == 0.0


@pytest.mark.parametrize(
    ("lasts", "words"), [(10.0, "about 9 days"), (40.0, "about 6 weeks"), (130.0, "about 4 months")]
)
def test_spans_are_said_in_the_unit_that_people_use(lasts, words):
    assert duration_words(durations(draws(3.0, lasts=lasts), 1.0)[0]) == words
