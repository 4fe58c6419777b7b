"""Counts → °C of 640 × 480 frames, beside copying the result and beside other ways to do it.

A frame that lies in the processor's cache is copied several times faster than one that comes from memory, as the
frames of a recording do; both are shown.

python benchmarks/counts_to_celsius.py [--seconds N]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np

from rewarm.cameras.radiometry import apply_table, celsius_from_counts, temperature_table
from rewarm.thermogram import Calibration, ObjectParameters

SHAPE = (480, 640)
SHARE = 0.5
THREADS = cv2.getNumberOfCPUs()
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


FRAMES = 100


def main() -> None:
    """Print a markdown table; exit with status 1 where rewarm is under half the rate of a copy of a recording."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each way is measured (default 2)")
    seconds = parser.parse_args().seconds
    random = np.random.default_rng(1)
    slope = 14000 + np.add.outer(3 * np.arange(SHAPE[0]), 2 * np.arange(SHAPE[1]))
    counts = (slope + random.integers(-12, 13, size=(FRAMES, *SHAPE))).astype(np.uint16)
    table = temperature_table(CALIBRATION, PARAMETERS)
    result = np.take(table, counts)
    out = np.empty_like(result)
    np.testing.assert_array_equal(apply_table(table, counts), result)
    print("| picture | way | µs a frame | share of the copy's rate |\n|---|---|---|---|")
    shares = []
    for name, frames in ((f"{FRAMES} frames of a recording, from memory", FRAMES), ("one frame, in the cache", 1)):
        medians = measured(counts[:frames], result[:frames], out[:frames], table, seconds)
        copy = medians["copy of the result, one thread (the limit)"]
        for way, median in medians.items():
            print(f"| {name} | {way} | {1e6 * median / frames:.0f} | {copy / median:.2f} |")
        shares.append(copy / medians["rewarm, one thread"])
    raise SystemExit(0 if shares[0] >= SHARE else 1)


def measured(
    counts: np.ndarray, result: np.ndarray, out: np.ndarray, table: np.ndarray, seconds: float
) -> dict[str, float]:
    """Seconds of each way, medians, taken in turn so that a busy machine troubles all alike."""
    ways: dict[str, Callable[[], object]] = {
        "copy of the result, one thread (the limit)": lambda: np.copyto(out, result),
        "rewarm, one thread": lambda: apply_table(table, counts, out),
        "rewarm, all threads": lambda: apply_table(table, counts, out),
        'NumPy, take(mode="wrap", out=...)': lambda: np.take(table, counts, mode="wrap", out=out),
        "NumPy, table[counts]": lambda: table[counts],
    }
    if len(counts) == 1:
        ways["the formula for every pixel"] = lambda: celsius_from_counts(counts, CALIBRATION, PARAMETERS)
        ways["making the table"] = lambda: temperature_table(CALIBRATION, PARAMETERS)
    times: dict[str, list[float]] = {way: [] for way in ways}
    end = time.perf_counter() + seconds * len(ways)
    repeats = max(1, 10 // len(counts))
    while time.perf_counter() < end or min(map(len, times.values())) < 3:
        for way, work in ways.items():
            cv2.setNumThreads(THREADS if way == "rewarm, all threads" else 1)
            work()
            start = time.perf_counter()
            for _ in range(repeats):
                work()
            times[way].append((time.perf_counter() - start) / repeats)
    return {way: statistics.median(found[1:]) for way, found in times.items()}


if __name__ == "__main__":
    main()
