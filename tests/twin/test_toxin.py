from __future__ import annotations

import numpy as np
import pytest

from rewarm.errors import InvalidInputError
from rewarm.study.records import INJECTION_SITES
from rewarm.twin.toxin import Mechanism, Responses, Timing, block_at, course, digit_doses, draw_responses

FULL = Mechanism(nerve_block=0.8, direct_dilation=0.3, sweat_block=0.9)


def _usual(people: int = 1) -> Responses:
    ones = np.ones(people)
    return Responses(6.7 * ones, 80.0 * ones, 180.0 * ones, ones)


def test_the_effect_sets_in_lasts_and_wanes():
    assert course(np.array([-30.0, 0.0]), 6.7, 80.0) == pytest.approx([0, 0])
    assert course(6.7, 6.7, 80.0) == pytest.approx(1 - np.exp(-1), abs=0.001)
    assert course(35.0, 6.7, 80.0) > 0.97  # the peak lies near five weeks
    assert course(80.0, 6.7, 80.0) == pytest.approx(0.5, abs=0.001)
    assert course(180.0, 6.7, 80.0) < 1e-6


def test_people_answer_as_published():
    drawn = draw_responses(np.random.default_rng(1), 4000)
    assert drawn.onset_days.mean() == pytest.approx(6.7, abs=0.3)
    assert drawn.onset_days.std() == pytest.approx(5.0, abs=0.4)
    assert drawn.duration_days.mean() == pytest.approx(78.5, abs=2)
    assert drawn.duration_days.std() == pytest.approx(28.4, abs=2)
    assert drawn.sweat_duration_days.min() >= 3 * 30.4
    assert drawn.sweat_duration_days.max() <= 9 * 30.4


def test_a_plan_may_fix_its_own_timing():
    drawn = draw_responses(
        np.random.default_rng(1), 5, timing=Timing(onset_days=(4.0, 0.0), duration_days=(150.0, 0.0))
    )
    assert drawn.onset_days == pytest.approx(4.0)
    assert drawn.duration_days == pytest.approx(150.0)


def test_each_site_of_the_contract_reaches_its_digits():
    for site in INJECTION_SITES:
        both = digit_doses({("left", site): 2.0}, limb="foot") + digit_doses({("left", site): 2.0}, limb="hand")
        assert (both[1] == 0).all()
        assert both.sum() <= 2.0
    assert digit_doses({("right", "toe3"): 2.0}, limb="foot")[1] == pytest.approx([0, 0, 2, 0, 0])
    assert digit_doses({("left", "web1"): 2.0}, limb="foot")[0] == pytest.approx([1, 1, 0, 0, 0])
    assert digit_doses({("left", "heel"): 40.0}, limb="foot").sum() == 0


def test_wrong_sites_and_doses_are_named():
    with pytest.raises(InvalidInputError, match=r"found 'left', 'toe6'\. Correct the injections table"):
        digit_doses({("left", "toe6"): 2.0}, limb="foot")
    with pytest.raises(InvalidInputError, match="expected units of 0 or more, found -1"):
        digit_doses({("left", "toe1"): -1.0}, limb="foot")
    with pytest.raises(InvalidInputError, match="expected foot or hand, found 'leg'"):
        digit_doses({}, limb="leg")


def test_blocks_stay_apart_and_only_the_injected_foot_has_them():
    dose = digit_doses({("left", f"toe{i}"): 2.0 for i in range(1, 6)}, limb="foot")
    days = np.array([[-np.inf, -3.0, 42.0, 120.0]])
    block = block_at(days, dose, _usual(), FULL)
    assert block.nerve.shape == (1, 4, 2, 5)
    assert (block.nerve[0, :2] == 0).all()
    assert (block.nerve[0, :, 1] == 0).all()
    assert block.nerve[0, 2, 0] == pytest.approx(0.8 * 2 / 2.5, rel=0.05)
    assert block.dilation[0, 2] == pytest.approx(block.nerve[0, 2] * 0.3 / 0.8)
    # at four months the vessels are free again, the sweat glands are not
    assert block.nerve[0, 3, 0].max() < 0.01
    assert block.sweat[0, 3, 0].min() > 0.6


def test_more_dose_does_more_but_never_more_than_the_most():
    days = np.full((1, 1), 30.0)
    shares = [block_at(days, np.full((2, 5), u), _usual(), FULL).nerve.max() for u in (0.0, 0.5, 2.0, 100.0)]
    assert shares[0] == 0
    assert (np.diff(shares) > 0).all()
    assert shares[-1] < 0.8
