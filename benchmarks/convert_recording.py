"""A recording of ten minutes into a Zarr store: time, size, memory; and how long it takes to open both.

python benchmarks/convert_recording.py [--frames N] [--folder FOLDER]

The SEQ is made here: raw 640 × 480 frames, each with its own time stamp and a patch that moves; the noise repeats after
16 frames. 18,000 frames are 11 GB, and the store about half of it: both lie in FOLDER (the system's folder for
temporary files) while this runs, and are removed. Opening, converting and reading run in processes of their own, whose
memory the system tells.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from flir_recording import write_raw_recording

FRAME_BYTES = 617_000
MOST_MB, OPEN_MS = 600.0, 50.0
MEASURE = """
import resource, sys, time
from pathlib import Path
import cv2, zarr
from rewarm.cameras import convert, open_thermogram
what, source, target = sys.argv[1:]
start = time.perf_counter()
if what == "convert":
    convert(source, target)
elif what == "open":
    times = []
    for _ in range(7):
        start = time.perf_counter()
        thermogram = open_thermogram(source)
        times.append(time.perf_counter() - start)
    start = time.perf_counter() - sorted(times)[3]
elif what == "trace":
    open_thermogram(source)["temperature"].isel(y=240, x=320).values
else:
    thermogram = open_thermogram(source)
    middle = thermogram.sizes["time"] // 2
    start = time.perf_counter()
    thermogram["temperature"].isel(time=slice(middle, middle + 10)).values
took = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
print(took, peak)
"""


def main() -> None:
    """Print a markdown table; exit with status 1 where memory or opening is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=18_000)
    parser.add_argument("--folder", help="where there is space")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        needed = 2 * arguments.frames * FRAME_BYTES
        if shutil.disk_usage(folder).free < needed:
            raise SystemExit(f"{needed / 1e9:.0f} GB are needed in {folder}: name another --folder, or fewer --frames")
        recording, store = folder / "recording.seq", folder / "recording.zarr"
        start = time.perf_counter()
        write_raw_recording(recording, frames=arguments.frames)
        written_s = time.perf_counter() - start
        opened_s, _ = measure("open", recording)
        ten_s, ten_mb = measure("ten", recording)
        converted_s, peak_mb = measure("convert", recording, store)
        store_s, _ = measure("open", store)
        stored_ten_s, _ = measure("ten", store)
        trace_s, trace_mb = measure("trace", store)
        size = sum(file.stat().st_size for file in store.rglob("*") if file.is_file())
        original = recording.stat().st_size
    rate = arguments.frames / converted_s
    print(f"{arguments.frames} frames of 640 × 480, {original / 1e9:.2f} GB; made in {written_s:.0f} s.\n")
    print("| what | time | peak memory, MB |\n|---|---|---|")
    print(f"| open the SEQ (median of 7) | {1e3 * opened_s:.0f} ms | |")
    print(f"| ten frames from its middle, °C | {1e3 * ten_s:.0f} ms | {ten_mb:.0f} |")
    done = f"{converted_s:.0f} s, {rate:.0f} frames/s"
    print(f"| convert to Zarr, {size / 1e9:.2f} GB, checksum included | {done} | {peak_mb:.0f} |")
    print(f"| open the store (median of 7) | {1e3 * store_s:.0f} ms | |")
    print(f"| ten frames from its middle, °C | {1e3 * stored_ten_s:.0f} ms | |")
    print(f"| one pixel through all frames, °C, opening included | {1e3 * trace_s:.0f} ms | {trace_mb:.0f} |")
    raise SystemExit(0 if peak_mb < MOST_MB and max(opened_s, store_s) * 1e3 < OPEN_MS else 1)


def measure(what: str, source: Path, target: Path | str = "") -> tuple[float, float]:
    """Seconds and peak memory in MB of a task in a process of its own, imports not counted in the time."""
    command = [sys.executable, "-c", MEASURE, what, str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, peak_mb = map(float, done.stdout.split())
    return seconds, peak_mb


if __name__ == "__main__":
    main()
