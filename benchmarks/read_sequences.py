"""Frames a second from a FLIR recording on disk to temperatures, beside the machine's and the decoder's limits.

python benchmarks/read_sequences.py [--seconds N] [--flirpy PYTHON]

The raw recording is made here: 640 × 480, each frame's counts its own. The compressed one is the CSQ among the real
recordings, its frames repeated. ``--flirpy`` names the Python of another environment in which flirpy is installed.
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
from pathlib import Path

import imagecodecs
import numpy as np

from rewarm.cameras import open_thermogram

sys.path.insert(0, str(Path(__file__).parent))
from flir_recording import repeat_frames, write_raw_recording

BLOCK = 20
RAW_FLOOR, ONE_FLOOR, TWO_FLOOR = 2000.0, 90.0, 160.0
FLIRPY = """
import sys, time
from flirpy.io.seq import Splitter
from flirpy.io.fff import Fff
import mmap, re
start = time.perf_counter()
data = open(sys.argv[1], 'rb').read()
at = [m.start() for m in re.finditer(b'FFF\\0', data)] + [len(data)]
count = 0
for first, last in zip(at[:-1], at[1:]):
    frame = Fff(data[first:last], height=480, width=640)
    frame.get_image()
    count += 1
print(count / (time.perf_counter() - start))
"""


def main() -> None:
    """Print a markdown table; exit with status 1 where a rate is under its floor."""
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.seq"
        write_raw_recording(raw, frames=400)
        rates = raw_rates(raw, arguments.seconds)
        print("| recording | what | frames/s |\n|---|---|---|")
        for what, rate in rates.items():
            print(f"| SEQ, 640 × 480, 400 frames | {what} | {rate:.0f} |")
        if arguments.flirpy:
            done = subprocess.run(
                [arguments.flirpy, "-c", FLIRPY, str(raw)], capture_output=True, text=True, check=False
            )
            answer = done.stdout.strip() or "failed: " + done.stderr.strip().splitlines()[-1]
            print(f"| SEQ, 640 × 480, 400 frames | flirpy, counts only, one thread | {answer} |")
        good = rates["rewarm, one thread"] >= RAW_FLOOR
        sample = real_csq()
        if sample is None:
            print("\nNo real CSQ: name the folder of recordings in REWARM_REAL_DATA.")
            raise SystemExit(0 if good else 1)
        csq = Path(folder) / "long.csq"
        frames = repeat_frames(sample, csq, frames=160)
        packed = csq_rates(csq, frames, arguments.seconds)
        for what, rate in packed.items():
            print(f"| CSQ, 1024 × 768, 160 frames | {what} | {rate:.0f} |")
        print("\nMedians over blocks of frames, the system's file cache warm; 'one thread' runs on one core.")
        good = good and packed["rewarm, one thread"] >= ONE_FLOOR
        good = good and (len(cores()) < 2 or packed["rewarm, two threads"] >= TWO_FLOOR)
    raise SystemExit(0 if good else 1)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each rate is measured (default 2)")
    parser.add_argument("--flirpy", help="a Python that has flirpy")
    return parser.parse_args()


def raw_rates(path: Path, seconds: float) -> dict[str, float]:
    size = path.stat().st_size // 400
    buffer, target = bytearray(size), bytearray(size)
    celsius, copied = np.zeros((480, 640), np.float32), np.empty((480, 640), np.float32)

    def read_file() -> int:
        with path.open("rb", buffering=0) as stream:
            for _ in range(BLOCK):
                stream.readinto(buffer)
                target[:] = buffer  # the one copy that no reader can avoid
        return BLOCK

    def copy() -> int:
        for _ in range(BLOCK):
            np.copyto(copied, celsius)
        return BLOCK

    rates = {"limit: reading the bytes and one copy": rate(read_file, seconds)}
    rates["limit: copying the temperatures once"] = rate(copy, seconds)
    rates |= on_cores(1, lambda: {"rewarm, one thread": rate(opened(path), seconds)})
    rates |= on_cores(2, lambda: {"rewarm, two threads": rate(opened(path), seconds)})
    return rates


def csq_rates(path: Path, streams: list[bytes], seconds: float) -> dict[str, float]:
    def decode() -> int:
        for stream in streams:
            imagecodecs.jpegls_decode(stream)
        return len(streams)

    rates = on_cores(1, lambda: {"limit: the JPEG-LS decoder alone, one thread": rate(decode, seconds)})
    rates |= on_cores(1, lambda: {"rewarm, one thread": rate(opened(path), seconds)})
    rates |= on_cores(2, lambda: {"rewarm, two threads": rate(opened(path), seconds)})
    return rates


def opened(path: Path) -> Callable[[], int]:
    """Temperatures of one block of frames after the other, from a recording that is open."""
    thermogram = open_thermogram(path)
    total, state = thermogram.sizes["time"], [0]

    def read_block() -> int:
        start = state[0]
        state[0] = (start + BLOCK) % (total - BLOCK)
        return len(thermogram["temperature"].isel(time=slice(start, start + BLOCK)).values)

    return read_block


def rate(work: Callable[[], int], seconds: float) -> float:
    """Median frames a second of repeated calls over ``seconds``, after one to warm up."""
    work()
    rates, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(rates) < 3:
        start = time.perf_counter()
        rates.append(work() / (time.perf_counter() - start))
    return statistics.median(rates)


def cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


def on_cores(count: int, measure: Callable[[], dict[str, float]]) -> dict[str, float]:
    """Measure on ``count`` cores only, where the system lets one choose."""
    if not hasattr(os, "sched_setaffinity"):
        return measure()
    all_cores = cores()
    os.sched_setaffinity(0, set(sorted(all_cores)[:count]))
    try:
        return measure()
    finally:
        os.sched_setaffinity(0, all_cores)


def real_csq() -> Path | None:
    named = os.environ.get("REWARM_REAL_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    return next(iter(sorted((folder / "flir_sequences").glob("*.csq"))), None)


if __name__ == "__main__":
    main()
