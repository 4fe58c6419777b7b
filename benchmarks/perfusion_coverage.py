"""Flow estimated from simulated recordings beside the flow that made them.

Run: python benchmarks/perfusion_coverage.py [--people 12] [--seed 31] [--rooms 20 30]. The
recordings come from the twin's vessels and its full digit (11 cells, 5 segments, anastomoses densest at the tip, foot
and sweat alive); the estimate from the coarse digit of rewarm.measures, which knows none of a person's own figures.
Camera: an offset of SD 0.5 °C for a recording, noise of 0.03 °C; room read to 0.3 °C. Prints coverage of the 90 %
intervals, rank correlation, bias, what toes without any blood come to in rooms of all kinds, and in how many toes flow
is said to be needed by how much they truly had; rank correlation is over toes and people at one time.
"""

from __future__ import annotations

import argparse
import time
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from rewarm.heat import Surroundings, make_digits, settled, skin_c, step_digits
from rewarm.measures.perfusion import AT_S, FlowResult, digit_flows, flow_at
from rewarm.measures.rewarming_curves import Cause, RegionCurves
from rewarm.regions import SIDES, TOES
from rewarm.twin.challenge import Challenge, DigitCourses
from rewarm.twin.groups import draw_people
from rewarm.twin.vessels import simulate_digits

Floats = NDArray[np.float64]
OFFSET_C, NOISE_C, ROOM_SD_C = 0.5, 0.03, 0.3
ROOMS_C = (20.0, 30.0)
COOL_C = 24.0
PASSIVE_ROOMS_C = (18.0, 21.0, 24.0, 27.0, 30.0)
FLOW_BINS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, np.inf)


def curves_of(
    rng: np.random.Generator, time_s: Floats, toes_c: Floats, dorsum_c: Floats, *, offset_c: float = OFFSET_C
) -> RegionCurves:
    """What a camera would give: ``toes_c`` (times, 2, 5), ``dorsum_c`` (times, 2)."""
    names = [(side, region) for side in SIDES for region in (*TOES, "dorsum")]
    true = np.concatenate([toes_c, dorsum_c[..., None]], axis=2).reshape(time_s.size, -1).T.astype(float)
    seen = true + offset_c * rng.normal() + NOISE_C * rng.normal(size=true.shape)
    cause = Cause("camera accuracy", "normal", np.full(true.shape, offset_c))
    return RegionCurves(
        time_s, tuple(names), seen, np.full(true.shape, NOISE_C), (cause,), np.full(len(names), 300), "feet",
        "dorsal", ("twin",) * len(names),
    )  # fmt: skip


def of_person(rng: np.random.Generator, courses: DigitCourses, person: int, room_c: float) -> FlowResult:
    """Estimates of one person's ten toes."""
    curves = curves_of(
        rng, courses.time_s, courses.skin_c[:, person, 0].astype(float), courses.dorsum_c[:, person, 0].astype(float)
    )
    return digit_flows(curves, room_c=room_c + ROOM_SD_C * rng.normal(), room_u_c=ROOM_SD_C)


def passive_toe(rng: np.random.Generator, *, room_c: float = 23.0, start_c: float = 15.0) -> FlowResult:
    """Toes without any blood that warm up in the room after the cold; nothing but air, core and base warms them."""
    digits = make_digits(np.array([8.5] * 10), np.array([40.0] * 10))
    around = Surroundings(room_c, 7.5)
    none = np.zeros(10)
    state = settled(digits, around, flow_ml_100ml_min=none, inlet_c=30.0, base_c=None, tolerance_c=1e-3)
    times, seen = [], []
    for i in range(-3, 0):
        times.append(10.0 * i - 60.0)
        seen.append(skin_c(digits, state, around)[-2:].mean(axis=0))
    water = Surroundings(start_c, 90.0)
    for _ in range(30):
        state, _ = step_digits(digits, state, water, flow_ml_100ml_min=none, inlet_c=30.0, base_c=None, step_s=2.0)
    for i in range(451):
        if i % 5 == 0:
            times.append(2.0 * i)
            seen.append(skin_c(digits, state, around)[-2:].mean(axis=0))
        state, _ = step_digits(
            digits, state, around, flow_ml_100ml_min=none, inlet_c=30.0, base_c=None, step_s=2.0, implicit=1.0
        )
    toes = np.stack(seen).reshape(-1, 2, 5)
    dorsum = np.full((len(times), 2), room_c + 0.4 * (36.8 - room_c))
    return digit_flows(curves_of(rng, np.array(times), toes, dorsum), room_c=room_c, room_u_c=ROOM_SD_C)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=12, help="of each group")
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--rooms", type=float, nargs=2, default=ROOMS_C, help="coolest and warmest, °C")
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    rows: list[tuple[float, ...]] = []
    said: list[tuple[float, float]] = []
    spent = 0.0
    for group in ("healthy", "primary_raynaud", "systemic_sclerosis"):
        vessels = draw_people(rng, group, given.people).feet
        room = rng.uniform(*given.rooms, size=(given.people, 1))
        courses = simulate_digits(rng, vessels, Challenge(), room_c=room)
        for person in range(given.people):
            began = time.process_time()
            result = of_person(rng, courses, person, float(room[person, 0]))
            spent += time.process_time() - began
            for item in result.digits:
                side, toe = SIDES.index(item.side), TOES.index(item.region)
                truth = courses.flow_ml_100ml_min[:, person, 0, side, toe].astype(float)
                rest = truth[courses.time_s < 0].mean()
                said.append((truth[courses.time_s >= 300].mean(), float(item.needed)))
                rows.append((-1.0, rest, *item.resting, item.resting_index[0], room[person, 0]))
                for at in AT_S:
                    true = truth[np.abs(courses.time_s - at) <= 30].mean()
                    index = item.index[np.abs(item.time_s - at) <= 30].mean()
                    rows.append((at, true, *flow_at(item, at), index, room[person, 0]))
    table = np.array(rows)
    print("which      figures  coverage  below  above  rank  index's rank  median log2 ratio  true median  upper/lower")
    chosen = {"rest": table[:, 0] < 0} | {f"{at:.0f} s": table[:, 0] == at for at in AT_S}
    chosen |= {"cool room": table[:, -1] < COOL_C, "warmer": table[:, -1] >= COOL_C, "all": table[:, 0] < np.inf}
    for name, some in chosen.items():
        if not some.any():
            continue
        true, flow, low, high, index, _ = table[some, 1:].T
        inside = np.mean((true >= low) & (true <= high))
        rank, other = spearmanr(true, flow).statistic, spearmanr(true, index).statistic
        print(
            f"{name:9s}  {some.sum():7d}  {inside:8.3f}  {np.mean(true < low):5.3f}  {np.mean(true > high):5.3f}  "
            f"{rank:4.2f}  {other:12.2f}  {np.median(np.log2(flow / true)):17.2f}  {np.median(true):11.2f}  "
            f"{np.median(high / low):11.1f}"
        )
    had, needed_of = np.array(said).T
    for low, high in pairwise(FLOW_BINS):
        some = (had >= low) & (had < high)
        if some.any():
            share = f"{needed_of[some].mean():.0%} of {some.sum()} toes"
            print(f"true flow from 5 min on {low:g} to {high:g} mL/100 mL/min: needed in {share}")
    passive = [passive_toe(rng, room_c=room_c) for room_c in PASSIVE_ROOMS_C]
    needed = [item.needed for result in passive for item in result.digits]
    late = [flow_at(item, 600.0) for result in passive for item in result.digits]
    print(
        f"toes without blood, rooms of {PASSIVE_ROOMS_C[0]:g} to {PASSIVE_ROOMS_C[-1]:g} °C: flow needed in "
        f"{sum(needed)} of {len(needed)}; at 10 min median {np.median([f for f, _, _ in late]):.2f}, upper end "
        f"{np.median([h for _, _, h in late]):.2f} mL/100 mL/min"
    )
    print(f"{spent / (3 * given.people):.2f} s of processor time a recording of ten toes")


if __name__ == "__main__":
    main()
