"""Flow from temperature: an estimate with an interval, no flow where none is needed, and what sweating does to it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from rewarm.errors import InvalidInputError
from rewarm.heat import Surroundings, make_digits, settled, skin_c, step_digits
from rewarm.measures.perfusion import (
    AT_S,
    digit_flows,
    flow_at,
    flow_table,
    perfusion_index,
    sweating_bias,
)
from rewarm.measures.rewarming import Baseline
from rewarm.measures.rewarming_curves import Cause, RegionCurves
from rewarm.tables import MEASUREMENTS, METRICS
from rewarm.twin.challenge import Challenge
from rewarm.twin.groups import draw_people
from rewarm.twin.vessels import simulate_digits

ROOM_C = 23.0
INLET_C = 32.3
CORE_C = 28.5
FOLLOWED_S = 600.0


def toes_through_the_cold(flows, *, inlet_c=INLET_C, core_c=CORE_C):
    """Skin of toes with steady flows (toes,) before, in and after 60 s of 15 °C, by the full digit: times and (times,
    toes) °C, 30 s before and 10 min after."""
    flow = np.asarray(flows, float)
    digits = make_digits(np.full(flow.size, 8.5), np.full(flow.size, 40.0), along_flow=(0.7, 0.85, 1.0, 1.15, 1.3))
    air, water = Surroundings(ROOM_C, 7.8, 10.0), Surroundings(15.0, 90.0)
    given = {"inlet_c": inlet_c, "base_c": core_c, "step_s": 2.0, "implicit": 1.0}
    state = settled(digits, air, flow_ml_100ml_min=flow, inlet_c=inlet_c, base_c=core_c, tolerance_c=1e-3)
    rest = skin_c(digits, state, air)[-2:].mean(axis=0)
    for _ in range(30):
        state, _ = step_digits(digits, state, water, flow_ml_100ml_min=flow, **given)
    times, seen = [-90.0, -80.0, -70.0], [rest, rest, rest]
    for i in range(int(FOLLOWED_S / 2) + 1):
        if i % 5 == 0:
            times.append(2.0 * i)
            seen.append(skin_c(digits, state, air)[-2:].mean(axis=0))
        state, _ = step_digits(digits, state, air, flow_ml_100ml_min=flow, **given)
    return np.array(times), np.stack(seen)


def curves_of(times, toes_c, *, regions, dorsum_c=28.0, offset_c=0.3):
    seen = np.vstack([toes_c.T, np.full(times.size, dorsum_c)])
    rng = np.random.default_rng(3)
    seen = seen + 0.02 * rng.normal(size=seen.shape)
    cause = Cause("camera accuracy", "normal", np.full(seen.shape, offset_c))
    names = (*(("left", region) for region in regions), ("left", "dorsum"))
    return RegionCurves(
        times, names, seen, np.full(seen.shape, 0.02), (cause,), np.full(len(names), 200), "feet", "dorsal",
        ("test",) * len(names),
    )  # fmt: skip


FLOWS = (0.0, 1.0, 4.0, 12.0)


@pytest.fixture(scope="module")
def curves():
    times, toes = toes_through_the_cold(FLOWS)
    return curves_of(times, toes, regions=("toe2", "toe3", "toe4", "toe5"))


@pytest.fixture(scope="module")
def result(curves):
    return digit_flows(curves, room_c=ROOM_C, room_u_c=0.3)


def test_intervals_hold_the_flow_that_made_the_curves(result):
    held = [
        low <= true <= high
        for item, true in zip(result.digits[1:], FLOWS[1:], strict=True)
        for _, low, high in [flow_at(item, at) for at in AT_S if at <= FOLLOWED_S]
    ]
    assert sum(held) >= len(held) - 1


def test_more_flow_is_read_as_more_flow(result):
    found = [flow_at(item, 600.0)[0] for item in result.digits]
    assert found == sorted(found)
    assert found[-1] > 5 * found[1]
    indices = [item.index[-4:].mean() for item in result.digits]
    assert indices[1:] == sorted(indices[1:])
    assert max(indices[:2]) < 0.3 * indices[-1]


def test_a_toe_that_warms_by_the_room_alone_needs_no_flow(result):
    passive, *fed = result.digits
    assert not passive.needed
    assert passive.excess_c[1] < 0
    assert flow_at(passive, 600.0)[0] < 0.3
    assert all(item.needed for item in fed[1:])
    row = flow_table(result).query("metric == 'flow_needed' and region == 'toe2'").iloc[0]
    assert row["value"] == 0
    assert "no flow is needed" in row["method"]


def test_rows_say_that_they_are_an_estimate_with_their_interval(result):
    table = flow_table(result, participant="P1", visit="V1", scan="S1")
    assert list(table.columns) == list(MEASUREMENTS)
    flows = table[table["metric"] == "flow"]
    assert set(flows["unit"]) == {METRICS["flow"][0]} == {"mL/100 mL/min"}
    assert flows["method"].str.contains("90 % interval").all()
    assert flows["method"].str.contains("less sweating would read as more flow, wet skin as less").all()
    assert (flows["method"].str.contains("cannot be told from each other") == (flows["value"] < 1.0)).all()
    assert (flows["value"] < 1.0).any()
    assert flows["method"].str.contains(r"all of it gone: \d\.\d °C warmer, read as \d+\.\d mL", regex=True).all()
    assert sorted(set(flows["time_s"])) == [-1.0, 300.0, 600.0]
    assert set(table["metric"]) <= set(METRICS)


def test_doubt_of_the_camera_widens_the_interval(curves, result):
    doubtful = replace(curves, causes=tuple(replace(cause, effect_c=5 * cause.effect_c) for cause in curves.causes))
    wide = digit_flows(doubtful, room_c=ROOM_C, room_u_c=0.3)

    def width(item):
        _, low, high = flow_at(item, 600.0)
        return np.log(high / low)

    assert width(wide.digits[2]) > width(result.digits[2])


def test_the_same_seed_gives_the_same_interval(curves, result):
    again = digit_flows(curves, room_c=ROOM_C, room_u_c=0.3)
    assert np.array_equal(again.digits[2].draws, result.digits[2].draws)


def test_without_a_baseline_it_says_what_stands_for_it(curves):
    after = curves.time_s >= 0
    cut = replace(
        curves, time_s=curves.time_s[after], temperature_c=curves.temperature_c[:, after],
        noise_c=curves.noise_c[:, after],
        causes=tuple(replace(cause, effect_c=cause.effect_c[:, after]) for cause in curves.causes),
    )  # fmt: skip
    found = digit_flows(cut, room_c=ROOM_C)
    assert any("no baseline" in warning for warning in found.warnings)
    assert np.isnan(found.digits[0].resting[0])
    given = digit_flows(cut, room_c=ROOM_C, baseline={("left", "toe4"): Baseline(28.0, 0.2)})
    assert np.isfinite(given.digits[2].resting[0])


def test_frames_too_far_apart_give_a_sentence_and_no_flow(curves):
    few = np.flatnonzero(curves.time_s >= 0)[::10]
    sparse = replace(
        curves, time_s=curves.time_s[few], temperature_c=curves.temperature_c[:, few], noise_c=curves.noise_c[:, few],
        causes=(),
    )  # fmt: skip
    found = digit_flows(sparse, room_c=ROOM_C)
    assert found.digits == ()
    assert "frames further apart than 45 s" in found.warnings[0]


def test_index_is_what_blood_brings_over_what_air_takes():
    # h (T − T_room) = h·4 is balanced by w·h·(T_a − T) = w·h·8 where nothing is made and nothing evaporates
    index = float(
        perfusion_index("toe3", 27.0, 0.0, room_c=23.0, arterial_c=35.0, coefficient_w_m2k=8.0, evaporation_w_m2=0.0)
    )
    assert index == pytest.approx(0.5, abs=0.03)
    warming = float(perfusion_index("toe3", 27.0, 0.01, room_c=23.0, arterial_c=35.0, evaporation_w_m2=0.0))
    assert warming > index
    assert float(perfusion_index("toe3", 20.0, 0.0, room_c=23.0, arterial_c=35.0, evaporation_w_m2=0.0)) < 0.0
    with pytest.raises(InvalidInputError, match="expected a toe or finger"):
        perfusion_index("heel", 27.0, 0.0, room_c=23.0, arterial_c=35.0)


def test_lost_sweating_reads_as_flow_that_is_not_there():
    bias = sweating_bias("toe2", 28.0, room_c=23.0, arterial_c=33.0)
    assert 0.3 < bias.warmer_c < 1.5
    assert bias.flow_ml_100ml_min > 0.5
    more = sweating_bias("toe2", 28.0, room_c=23.0, arterial_c=33.0, evaporation_w_m2=24.0)
    assert more.warmer_c == pytest.approx(2 * bias.warmer_c, rel=0.5)
    assert more.flow_ml_100ml_min > bias.flow_ml_100ml_min


def test_of_the_twins_toes_intervals_hold_the_truth_and_ranks_follow_it():
    rooms = np.array([[21.0], [24.0], [26.0], [28.5]])
    rng = np.random.default_rng(8)
    courses = simulate_digits(rng, draw_people(rng, "healthy", 4).feet, Challenge(), room_c=rooms)
    rows = []
    for person, room in enumerate(rooms[:, 0]):
        seen = np.concatenate([courses.skin_c[:, person, 0].reshape(-1, 10), courses.dorsum_c[:, person, 0]], axis=1)
        sides = ["left"] * 5 + ["right"] * 5 + ["left", "right"]
        regions = [f"toe{i}" for i in range(1, 6)] * 2 + ["dorsum"] * 2
        values = seen.T + 0.02 * rng.normal(size=seen.T.shape)
        cause = Cause("camera accuracy", "normal", np.full(values.shape, 0.3))
        curves = RegionCurves(
            courses.time_s, tuple(zip(sides, regions, strict=True)), values, np.full(values.shape, 0.02), (cause,),
            np.full(12, 200), "feet", "dorsal", ("test",) * 12,
        )  # fmt: skip
        for item, true in zip(
            digit_flows(curves, room_c=room).digits,
            np.moveaxis(courses.flow_ml_100ml_min[:, person, 0].reshape(-1, 10), 0, 1),
            strict=True,
        ):
            rows += [(true[np.abs(courses.time_s - at) <= 30].mean(), *flow_at(item, at)) for at in AT_S]
    true, flow, low, high = np.array(rows).T
    assert np.mean((true >= low) & (true <= high)) >= 0.8
    assert spearmanr(true, flow).statistic >= 0.8
