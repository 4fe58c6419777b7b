from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from rewarm.errors import InvalidInputError
from rewarm.twin.challenge import NO_BLOCK, Block, Challenge
from rewarm.twin.groups import GROUPS, Vessels, draw_people
from rewarm.twin.vessels import bypass_of_tone, flow_of_tone, simulate_digits

SHORT = Challenge(settling_s=900.0, follow_s=600.0, frame_s=20.0, baseline_s=20.0)
REST = Challenge(immersion_s=0.0, settling_s=1200.0, baseline_s=0.0, follow_s=20.0, frame_s=10.0)


def _block(**parts: float) -> Block:
    return replace(NO_BLOCK, **{name: np.full((), value) for name, value in parts.items()})


def _feet(group: str = "healthy", people: int = 12) -> Vessels:
    return draw_people(np.random.default_rng(3), group, people).feet


def _toes_c(room_c: float, block: Block = NO_BLOCK, *, group: str = "primary_raynaud", people: int = 12) -> np.ndarray:
    courses = simulate_digits(np.random.default_rng(4), _feet(group, people), REST, room_c=room_c, block=block)
    return courses.skin_c[-1]


def test_frames_come_before_and_after_the_water_and_shapes_are_as_said():
    courses = simulate_digits(np.random.default_rng(1), _feet(people=3), SHORT)
    assert courses.time_s[0] == -80.0  # 20 s of baseline before 60 s in the water
    assert not ((courses.time_s > -60.0) & (courses.time_s < 0.0)).any()
    assert courses.time_s[-1] == 600.0
    times = courses.time_s.size
    assert courses.skin_c.shape == courses.flow_ml_100ml_min.shape == courses.tone.shape == (times, 3, 1, 2, 5)
    assert courses.profile_c.shape == (times, 3, 1, 2, 5, 5)
    assert courses.dorsum_c.shape == (times, 3, 1, 2)
    assert courses.drive.shape == (times, 3, 1)
    assert all(getattr(courses, f.name).dtype == np.float32 for f in fields(courses) if f.name != "time_s")
    assert courses.skin_c == pytest.approx(courses.profile_c[..., -2:].mean(axis=-1), abs=1e-4)


def test_the_same_seed_gives_the_same_courses_and_another_does_not():
    first, again, other = (simulate_digits(np.random.default_rng(seed), _feet(people=2), SHORT) for seed in (1, 1, 2))
    assert all(np.array_equal(getattr(first, f.name), getattr(again, f.name)) for f in fields(first))
    assert not np.array_equal(first.skin_c, other.skin_c)


def test_people_beyond_one_batch_are_simulated_too():
    feet = draw_people(np.random.default_rng(1), "healthy", 35, visits=3).feet
    courses = simulate_digits(np.random.default_rng(2), feet, REST, step_s=5.0)
    assert courses.skin_c.shape[1:] == (35, 3, 2, 5)
    assert np.isfinite(courses.skin_c).all()
    assert courses.skin_c[-1].std(axis=(2, 3)).min() > 0


def test_cold_water_shuts_vessels_and_healthy_fingers_open_them_again():
    hands = draw_people(np.random.default_rng(3), "healthy", 12).hands
    courses = simulate_digits(np.random.default_rng(4), hands, SHORT, room_c=23.0)
    flow = courses.flow_ml_100ml_min.mean(axis=(1, 2, 3, 4))
    skin = courses.skin_c.mean(axis=(1, 2, 3, 4))
    after = int(np.argmin(np.abs(courses.time_s)))
    assert flow[after] < 0.4 * flow[0]
    assert skin[after] < skin[0] - 6
    assert flow[-1] > 3 * flow[after]
    assert skin[-1] > skin[0] - 1.5


def test_flow_follows_tone_between_least_and_most():
    feet = _feet(people=2)
    open_, shut = flow_of_tone(feet, np.array(-2.0)), flow_of_tone(feet, np.array(3.0))
    scale = 8.5 / feet.radius_mm
    assert open_ == pytest.approx(feet.most_flow * scale, rel=0.01)
    assert shut == pytest.approx(feet.least_flow * scale, rel=0.01)
    assert (np.diff([flow_of_tone(feet, np.array(t))[0, 0, 0, 0] for t in np.linspace(0, 1, 9)]) < 0).all()


def test_anastomoses_carry_what_an_open_digit_has_above_its_capillaries():
    feet = _feet(people=2)
    open_, shut = (bypass_of_tone(feet, np.array(tone)) for tone in (-2.0, 3.0))
    assert (open_ > 0.6 * flow_of_tone(feet, np.array(-2.0))).all()
    assert (shut < 0.02 * feet.most_flow).all()
    courses = simulate_digits(np.random.default_rng(1), feet, REST, room_c=29.0)
    assert (courses.bypass_ml_100ml_min < courses.flow_ml_100ml_min).all()


def test_a_nerve_block_warms_in_a_cool_room_and_hardly_in_a_warm_one():
    blocked = _block(nerve=0.8)
    cool = (_toes_c(21.0, blocked) - _toes_c(21.0)).mean()
    warm = (_toes_c(33.0, blocked) - _toes_c(33.0)).mean()
    assert cool > 2.0
    assert warm < 0.1 * cool


def test_direct_dilation_raises_flow_where_there_is_no_drive():
    feet = _feet("systemic_sclerosis")
    still = replace(feet, drive=np.zeros_like(feet.drive))

    def flow(block: Block) -> float:
        courses = simulate_digits(np.random.default_rng(4), still, REST, room_c=31.0, block=block)
        return float(courses.flow_ml_100ml_min[-1].mean())

    assert flow(_block(dilation=0.3)) > 1.1 * flow(NO_BLOCK)
    assert flow(_block(nerve=0.9)) == pytest.approx(flow(NO_BLOCK), rel=0.01)


def test_lost_sweat_warms_skin_without_more_blood():
    feet = _feet()
    wet, dry = (
        simulate_digits(np.random.default_rng(4), feet, REST, room_c=27.0, block=block)
        for block in (NO_BLOCK, _block(sweat=1.0))
    )
    assert 0.4 < (dry.skin_c[-1] - wet.skin_c[-1]).mean() < 2.0
    assert (dry.sweat_w_m2[-1] == 0).all()
    assert (wet.sweat_w_m2[-1] > 0).all()
    # warmer skin asks for less feedback: flow does not rise by more than its own restlessness
    assert dry.flow_ml_100ml_min[-1].mean() < 1.1 * wet.flow_ml_100ml_min[-1].mean()


def test_one_foot_blocked_leaves_the_other_as_it_was():
    left = np.zeros((2, 5))
    left[0] = 0.8
    change = _toes_c(21.0, replace(NO_BLOCK, nerve=left)) - _toes_c(21.0)
    assert change[..., 0, :].mean() > 2.0
    assert np.abs(change[..., 1, :]).max() < 1e-3


def test_cooler_rooms_and_stress_make_colder_toes():
    feet = _feet()
    usual, stress = (
        simulate_digits(np.random.default_rng(4), feet, REST, room_c=23.0, extra_drive=extra).skin_c[-1].mean()
        for extra in (0.0, 0.3)
    )
    assert stress < usual - 0.5
    cool, warm = (
        simulate_digits(np.random.default_rng(4), feet, REST, room_c=room).skin_c[-1].mean(axis=(1, 2, 3))
        for room in (19.0, 29.0)
    )
    assert (warm > cool + 2.0).all()
    assert (cool > 18.5).all()  # no skin falls much below its room


def test_groups_are_distributions_with_each_component():
    drawn = draw_people(np.random.default_rng(5), "systemic_sclerosis", 400, visits=3).hands.gain_per_c
    logs = np.log(drawn)
    spread = GROUPS["systemic_sclerosis"][1].gain_per_c
    assert np.median(drawn) == pytest.approx(spread.middle, rel=0.08)
    assert logs.mean(axis=(1, 2, 3)).std() == pytest.approx(np.hypot(spread.person, spread.day / np.sqrt(3)), rel=0.12)
    day = logs.mean(axis=(2, 3)).std(axis=1, ddof=1)
    assert np.sqrt((day**2).mean()) == pytest.approx(spread.day, rel=0.12)
    # the same digit differs from its neighbours in the same way on every day
    digit = logs - logs.mean(axis=3, keepdims=True)
    assert digit[:, 0] == pytest.approx(digit[:, 1])


def test_feet_and_hands_of_a_person_are_alike_a_little():
    people = draw_people(np.random.default_rng(5), "healthy", 600)
    r = np.corrcoef(people.feet.most_flow[:, 0].mean(axis=(1, 2)), people.hands.most_flow[:, 0].mean(axis=(1, 2)))[0, 1]
    assert 0.25 < r < 0.6


def test_wrong_inputs_are_named():
    with pytest.raises(InvalidInputError, match="healthy, primary_raynaud, systemic_sclerosis, found 'x'"):
        draw_people(np.random.default_rng(1), "x", 3)
    with pytest.raises(InvalidInputError, match="frame_s: expected a multiple of the step of 2 s, found 5"):
        simulate_digits(np.random.default_rng(1), _feet(people=1), Challenge(frame_s=5.0))
