"""Counts → °C of 640 × 480 frames, beside copying the result and beside other ways to do it; one thread each.

python benchmarks/counts_to_celsius.py [--seconds N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

import numpy as np

from rewarm.cameras.radiometry import apply_table, celsius_from_counts, temperature_table
from rewarm.thermogram import Calibration, ObjectParameters

SHAPE = (480, 640)
SHARE = 0.5
CALIBRATION = Calibration(
    planck_r1=15000.0,
    planck_r2=0.0112,
    planck_b=1400.0,
    planck_f=1.0,
    planck_o=-6000.0,
    atmosphere_alpha1=0.006569,
    atmosphere_alpha2=0.01262,
    atmosphere_beta1=-0.002276,
    atmosphere_beta2=-0.00667,
    atmosphere_x=1.9,
)
PARAMETERS = ObjectParameters(
    emissivity=0.98,
    reflected_c=22.0,
    distance_m=0.8,
    humidity_pct=45.0,
    air_c=23.0,
    window_c=20.0,
    window_transmission=1.0,
)


def main() -> None:
    """Print a markdown table; exit with status 1 under half the rate of a copy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each way is measured (default 2)")
    seconds = parser.parse_args().seconds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    random = np.random.default_rng(1)
    slope = 14000 + np.add.outer(3 * np.arange(SHAPE[0]), 2 * np.arange(SHAPE[1]))
    counts = (slope + random.integers(-12, 13, size=SHAPE)).astype(np.uint16)
    table = temperature_table(CALIBRATION, PARAMETERS)
    out, result = np.empty(SHAPE, np.float32), np.take(table, counts)
    ways: dict[str, Callable[[], object]] = {
        "copy of the result (the limit)": lambda: np.copyto(out, result),
        "rewarm": lambda: apply_table(table, counts, out),
        'NumPy, take(mode="wrap", out=...)': lambda: np.take(table, counts, mode="wrap", out=out),
        "NumPy, table[counts]": lambda: table[counts],
        "the formula for every pixel": lambda: celsius_from_counts(counts, CALIBRATION, PARAMETERS),
        "making the table": lambda: temperature_table(CALIBRATION, PARAMETERS),
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    end = time.perf_counter() + seconds * len(ways)
    while time.perf_counter() < end:  # in turn, so that a busy machine troubles all alike
        for way, work in ways.items():
            start = time.perf_counter()
            for _ in range(10):
                work()
            times[way].append((time.perf_counter() - start) / 10)
    medians = {way: statistics.median(found[1:]) for way, found in times.items()}
    np.testing.assert_array_equal(apply_table(table, counts), result)
    copy = medians["copy of the result (the limit)"]
    print("| way | µs a frame | frames/s | share of the copy's rate |\n|---|---|---|---|")
    for way, median in medians.items():
        print(f"| {way} | {1e6 * median:.0f} | {1 / median:.0f} | {copy / median:.2f} |")
    raise SystemExit(0 if copy / medians["rewarm"] >= SHARE else 1)


if __name__ == "__main__":
    main()
