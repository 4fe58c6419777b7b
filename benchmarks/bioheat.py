"""The digit solver beside an explicit one: the same answer, and how much faster.

The reference is written apart, in numba: forward Euler with steps of 10 ms on a grid that it makes itself, one digit
after the other; blood in artery and vein in balance at each of its steps. Both follow toes of many sizes through 60 s
in water of 15 °C and 15 min in a room, with a flow that shuts and opens again. The limit is 1e-3 °C.

Then a cohort with its vessels: 100 people, six visits, ten toes, half an hour of settling, the challenge and 15 min after
it. The limit is 120 s; processor time is stated beside it.

Run: python benchmarks/bioheat.py [--digits 1000] [--people 100]
"""

from __future__ import annotations

import argparse
import time

import numba
import numpy as np
from numpy.typing import NDArray

from rewarm.heat import DIGIT_LAYERS, Surroundings, after_jump, make_digits, skin_c, step_digits, uniform_state
from rewarm.twin import Challenge, draw_people, simulate_digits

Floats = NDArray[np.float64]

WATER_S, FOLLOW_S, STEP_S = 60.0, 900.0, 1.0
WATER, ROOM = (15.0, 90.0), (23.0, 10.0)
INLET_C, BASE_C, START_C, COUNTER_W_K, SEGMENTS = 34.0, 31.0, 31.0, 0.04, 5
PROFILE = np.array([0.6, 0.8, 1.0, 1.2, 1.4])


def flow_at(time_s: float, most: Floats | float) -> Floats:
    """Shut in the water, open again over minutes, and never quite still."""
    opening = 1 / (1 + np.exp(-(time_s - 300.0) / 60.0))
    return np.asarray(0.5 + most * (opening + 0.1 * np.sin(2 * np.pi * time_s / 50.0) ** 2))


def implicit(radius_mm: Floats, length_mm: Floats, most: Floats) -> Floats:
    """Skin after every minute, (minutes, segments, digits)."""
    digits = make_digits(radius_mm, length_mm, countercurrent_w_k=COUNTER_W_K)
    state = uniform_state(digits, START_C)
    frames = []
    for i in range(round((WATER_S + FOLLOW_S) / STEP_S)):
        now = i * STEP_S
        around = Surroundings(*(WATER if now < WATER_S else ROOM))
        given = {"flow_ml_100ml_min": flow_at(now + STEP_S / 2, most), "inlet_c": INLET_C, "base_c": BASE_C}
        if i in (0, 1) or WATER_S <= now < WATER_S + 2 * STEP_S:
            state = after_jump(digits, state, around, step_s=STEP_S, **given)
        else:
            state, _ = step_digits(digits, state, around, step_s=STEP_S, **given)
        if (i + 1) % round(60 / STEP_S) == 0:
            frames.append(skin_c(digits, state, around))
    return np.array(frames)


@numba.njit(cache=False)
def explicit_one(
    radius: float, length: float, most: float, thick: Floats, k: Floats, heat: Floats, share: Floats, made: Floats,
    profile: Floats, step: float, seconds: float, water_s: float, environment: Floats, fixed: Floats,
) -> Floats:  # fmt: skip
    """Forward Euler for one digit; ``fixed`` is inlet, base, start, counter-current; returns (minutes, segments)."""
    cells, segments = thick.size, profile.size
    inlet, base, start, counter = fixed[0], fixed[1], fixed[2], fixed[3] / segments
    dz = length / segments
    face = np.zeros(cells + 1)
    for i in range(cells):
        face[i + 1] = face[i] + thick[i] * radius
    area = np.pi * (face[1:] ** 2 - face[:-1] ** 2)
    mean_share = (share * area).sum() / area.sum()
    per_flow = 3.84e6 / 6000 * share / mean_share * area * dz  # W/K per mL/100 mL/min
    weight = per_flow / per_flow.sum()
    T = np.full((segments, cells), start)
    artery, vein, passing = np.zeros(segments), np.zeros(segments), np.zeros(segments)
    steps, minute = round(seconds / step), round(60 / step)
    frames = np.zeros((int(seconds / 60), segments))
    for n in range(steps):
        now = n * step
        env, h = (environment[0], environment[1]) if now < water_s - step / 2 else (environment[2], environment[3])
        flow = 0.5 + most * (1 / (1 + np.exp(-(now - 300.0) / 60.0)) + 0.1 * np.sin(2 * np.pi * now / 50.0) ** 2)
        total = 0.0
        for j in range(segments - 1, -1, -1):
            total += per_flow.sum() * flow * profile[j]
            passing[j] = total
        # artery and vein: linear in the artery's temperature at the tip; try two, then interpolate
        inlet_0, inlet_1 = 0.0, 0.0
        for trial in range(2):
            a = float(trial)
            back = 0.0
            for j in range(segments - 1, -1, -1):
                w = per_flow.sum() * flow * profile[j]
                mean = (weight * T[j]).sum()
                v = (back + w * mean + counter * a) / (passing[j] + counter)
                back = passing[j] * v
                a = a + counter / passing[j] * (a - v)
            if trial == 0:
                inlet_0 = a
            else:
                inlet_1 = a
        a = (inlet - inlet_0) / (inlet_1 - inlet_0)
        back = 0.0
        for j in range(segments - 1, -1, -1):
            w = per_flow.sum() * flow * profile[j]
            mean = (weight * T[j]).sum()
            artery[j] = a
            vein[j] = (back + w * mean + counter * a) / (passing[j] + counter)
            back = passing[j] * vein[j]
            a = a + counter / passing[j] * (a - vein[j])
        new = T.copy()
        for j in range(segments):
            side = 2 * np.pi * radius * dz
            if j == segments - 1:
                side += np.pi * radius**2
            for i in range(cells):
                gain = per_flow[i] * flow * profile[j] * (artery[j] - T[j, i]) + made[i] * area[i] * dz
                if i > 0:
                    resistance = (thick[i - 1] / k[i - 1] + thick[i] / k[i]) * radius / 2
                    gain += 2 * np.pi * face[i] * dz / resistance * (T[j, i - 1] - T[j, i])
                if i < cells - 1:
                    resistance = (thick[i] / k[i] + thick[i + 1] / k[i + 1]) * radius / 2
                    gain += 2 * np.pi * face[i + 1] * dz / resistance * (T[j, i + 1] - T[j, i])
                else:
                    skin = 2 * np.pi * radius * dz * k[i] / (thick[i] * radius / 2)
                    gain += (env - T[j, i]) / (1 / (h * side) + 1 / skin)
                along = k[i] * area[i] / dz
                if j > 0:
                    gain += along * (T[j - 1, i] - T[j, i])
                else:
                    gain += 2 * along * (base - T[j, i])
                if j < segments - 1:
                    gain += along * (T[j + 1, i] - T[j, i])
                new[j, i] = T[j, i] + step * gain / (heat[i] * area[i] * dz)
        T = new
        if (n + 1) % minute == 0:
            m = (n + 1) // minute - 1
            if now < water_s - step / 2:
                env, h = environment[0], environment[1]
            for j in range(segments):
                side = 2 * np.pi * radius * dz
                if j == segments - 1:
                    side += np.pi * radius**2
                skin = 2 * np.pi * radius * dz * k[-1] / (thick[-1] * radius / 2)
                frames[m, j] = (skin * T[j, -1] + h * side * env) / (skin + h * side)
    return frames


def explicit(radius_mm: Floats, length_mm: Floats, most: Floats, step_s: float = 0.01) -> Floats:
    counts = [layer.cells for layer in DIGIT_LAYERS]

    def of(values: list[float]) -> Floats:
        return np.repeat(np.array(values, float), counts)

    materials = (
        of([layer.thickness / layer.cells for layer in DIGIT_LAYERS]),
        of([layer.conductivity_w_mk for layer in DIGIT_LAYERS]),
        of([layer.heat_j_m3k for layer in DIGIT_LAYERS]),
        of([layer.flow_share for layer in DIGIT_LAYERS]),
        of([layer.metabolism_w_m3 for layer in DIGIT_LAYERS]),
    )
    environment = np.array([*WATER, *ROOM])
    fixed = np.array([INLET_C, BASE_C, START_C, COUNTER_W_K])
    frames = [
        explicit_one(
            float(r) / 1000, float(length) / 1000, float(q), *materials, PROFILE, step_s, WATER_S + FOLLOW_S, WATER_S,
            environment, fixed,
        )
        for r, length, q in zip(radius_mm, length_mm, most, strict=True)
    ]  # fmt: skip
    return np.stack(frames, axis=-1)


def cohort(people: int) -> tuple[float, float]:
    """Wall and processor time, s, of a cohort's six visits with ten toes each."""
    feet = draw_people(np.random.default_rng(1), "systemic_sclerosis", people, visits=6).feet
    start, used = time.perf_counter(), time.process_time()
    simulate_digits(np.random.default_rng(2), feet, Challenge())
    return time.perf_counter() - start, time.process_time() - used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--digits", type=int, default=1000)
    parser.add_argument("--reference", type=int, default=10, help="digits that the explicit solver follows")
    parser.add_argument("--people", type=int, default=100)
    given = parser.parse_args()
    rng = np.random.default_rng(3)
    radius, length, most = (rng.uniform(*range_, given.digits) for range_ in ((7, 12), (30, 60), (2, 25)))
    some = slice(0, given.reference)
    explicit(radius[:1], length[:1], most[:1])  # compiled once
    start = time.perf_counter()
    reference = explicit(radius[some], length[some], most[some])
    reference_s = (time.perf_counter() - start) / given.reference
    start = time.perf_counter()
    found = implicit(radius, length, most)
    found_s = (time.perf_counter() - start) / given.digits
    worst = float(np.abs(found[..., some] - reference).max())
    print(f"largest difference {worst:.1e} °C over {given.reference} digits, 16 min (limit 1e-3)")
    print(f"explicit, numba: {1e3 * reference_s:.0f} ms a digit; rewarm.heat: {1e3 * found_s:.2f} ms a digit")
    start = time.perf_counter()
    coarse = explicit(radius[some], length[some], most[some], 0.2)
    coarse_s = (time.perf_counter() - start) / given.reference
    print(f"ratio {reference_s / found_s:.0f}")
    print(
        f"explicit at 0.2 s, near the longest stable step: {1e3 * coarse_s:.0f} ms a digit, "
        f"{np.abs(coarse - reference).max():.1e} °C from itself at 10 ms; ratio {coarse_s / found_s:.1f}"
    )
    wall_s, used_s = cohort(given.people)
    print(f"{given.people} people × 6 visits × 10 toes: {wall_s:.1f} s, processor {used_s:.1f} s (limit 120 s)")
    if worst > 1e-3:
        raise SystemExit("differs by more than 1e-3 °C")


if __name__ == "__main__":
    main()
