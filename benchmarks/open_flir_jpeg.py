"""Time from a FLIR JPEG on disk to temperatures in memory: rewarm beside flyr, same file, same run.

python benchmarks/open_flir_jpeg.py [FILE...] [--repeats N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import flyr
import numpy as np

from rewarm.cameras import open_thermogram

FLOOR = 4.0


def main() -> None:
    """Print a markdown table of medians; exit with status 1 where rewarm needs over a quarter of flyr's time."""
    arguments = parse_arguments()
    files = arguments.files or real_files()
    if not files:
        raise SystemExit("no 640 × 480 FLIR JPEG: name one, or the folder of recordings in REWARM_REAL_DATA")
    print("| file | pixels | rewarm, ms | flyr, ms | flyr / rewarm |")
    print("|---|---|---|---|---|")
    ratios = []
    for file in files:
        shape = open_thermogram(file)["temperature"].shape
        ours, theirs = alternate(
            lambda file=file: open_thermogram(file)["temperature"].values,
            lambda file=file: flyr.unpack(str(file)).celsius,
            arguments.repeats,
        )
        ratios.append(theirs / ours)
        print(f"| {file.name} | {shape[1]} × {shape[0]} | {ours:.2f} | {theirs:.1f} | {ratios[-1]:.0f} |")
    print(f"\nMedians of {arguments.repeats} runs each, taken in turn; the file is in the system's cache.")
    raise SystemExit(0 if min(ratios) >= FLOOR else 1)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "files", nargs="*", type=Path, help="FLIR JPEGs; default: all of 640 × 480 among the recordings"
    )
    parser.add_argument("--repeats", type=int, default=15, help="runs per reader and file (default 15)")
    return parser.parse_args()


def alternate(ours: Callable[[], object], theirs: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median milliseconds of both, called in turn so that a busy machine troubles both alike; one pair to warm up."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats + 1):
        for call, kept in zip((ours, theirs), times, strict=True):
            start = time.perf_counter()
            call()
            kept.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[0][1:]), statistics.median(times[1][1:])


def real_files() -> list[Path]:
    named = os.environ.get("REWARM_REAL_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    candidates = [path for path in sorted(folder.glob("flir_*/*.jpg")) if path.is_file()]
    return [path for path in candidates if np.shape(open_thermogram(path)["temperature"]) == (480, 640)]


if __name__ == "__main__":
    main()
