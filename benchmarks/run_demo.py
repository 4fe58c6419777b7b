"""The whole chain on the simulated case series: simulate, then run with the report, as separate commands.

The limit beside it: opening the 12 recordings alone, which no analysis can do without.

Run: python benchmarks/run_demo.py
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def timed_s(*arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        study = folder / "demo" / "study"
        demo = [timed_s("-m", "rewarm.cli", "demo", "-o", str(folder / "demo")) for _ in range(repeats)]
        run = [timed_s("-m", "rewarm.cli", "run", str(study), "-o", str(folder / "out")) for _ in range(repeats)]
        scans = sorted(str(path) for path in (study / "thermograms").iterdir())
        code = "import sys, rewarm\nfor name in sys.argv[1:]: rewarm.open_thermogram(name)"
        limit = [timed_s("-c", code, *scans) for _ in range(repeats)]
    print(f"{len(scans)} scans, medians of {repeats} runs, one process each, start of Python included\n")
    print("| what | median s | at most s |\n|---|---|---|")
    print(f"| rewarm demo (simulate, run, report) | {statistics.median(demo):.1f} | 20 |")
    print(f"| rewarm run (report and PDF included) | {statistics.median(run):.1f} | 10 |")
    print(f"| opening the recordings alone (the limit) | {statistics.median(limit):.1f} | – |")


if __name__ == "__main__":
    main()
