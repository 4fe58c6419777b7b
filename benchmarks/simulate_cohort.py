"""A large simulated study: 100 people × 6 visits, stills of 320 × 240 with diaries, by `rewarm simulate`.

Beside it the limit that no way of simulating gets below: encoding and writing as many pictures, on one core. And the
studies in memory that calibrating an analysis needs by the hundred.

Run: python benchmarks/simulate_cohort.py
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from rewarm.twin import SimulatedCamera, View, write_flir_jpeg
from rewarm.twin.studies import DiaryPlan, GroupPlan, StudyPlan, ToxinPlan, VisitsPlan, simulate_measurements

PLAN = """[[group]]
n = {people}
[visits]
weeks = [0, 3, 6, 10, 14, 22]
[toxin]
effect_c = 3.0
[diary]
columns = ["rcs", "attacks_n", "pain_vas", "cold_intolerance"]
"""


def timed_s(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def written_s(folder: Path, pictures: int) -> float:
    """Encode and write as many pictures of that size, of noise as a camera's."""
    counts = np.random.default_rng(1).normal(14000, 40, (240, 320)).round().astype(np.uint16)
    camera, view, now = SimulatedCamera(), View(), datetime(2025, 1, 13, tzinfo=UTC)
    few = min(pictures, 30)
    took = timed_s(
        lambda: [write_flir_jpeg(folder / f"{i}.jpg", counts, camera, view, acquired_at=now) for i in range(few)]
    )
    return took * pictures / few


def in_memory_ms(plan: StudyPlan, repeats: int) -> float:
    simulate_measurements(plan)
    return 1000 * statistics.median(timed_s(lambda i=i: simulate_measurements(plan, i)) for i in range(repeats))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100)
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "plan.toml").write_text(PLAN.format(people=people), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "rewarm.cli",
            "simulate",
            str(folder / "plan.toml"),
            "-o",
            str(folder / "study"),
        ]
        took = timed_s(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
        pictures = len(list((folder / "study" / "thermograms").iterdir()))
        (folder / "limit").mkdir()
        limit = written_s(folder / "limit", pictures)
    weeks = VisitsPlan(weeks=(0, 3, 6, 10, 14, 22))
    small = StudyPlan(visits=weeks, toxin=ToxinPlan(effect_c=3))
    large = StudyPlan(groups=(GroupPlan(n=100),), visits=weeks, toxin=ToxinPlan(effect_c=3))
    diary = StudyPlan(visits=weeks, diary=DiaryPlan(columns=("rcs", "attacks_n")))
    print(f"{people} people, {pictures} pictures, {os.cpu_count()} cores\n")
    print("| what | took | at most |\n|---|---|---|")
    print(f"| rewarm simulate, pictures and diaries | {took:.0f} s | 300 s |")
    print(f"| encoding and writing the pictures alone, one core (the limit) | {limit:.0f} s | – |")
    print(f"| 3 people × 6 visits in memory | {in_memory_ms(small, 30):.1f} ms | 20 ms |")
    print(f"| the same with a diary | {in_memory_ms(diary, 30):.1f} ms | 20 ms |")
    print(f"| 100 people × 6 visits in memory | {in_memory_ms(large, 10):.1f} ms | – |")


if __name__ == "__main__":
    main()
