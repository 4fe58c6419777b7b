"""A recording of rewarming to all its figures: time and memory; and the map of half-times beside a loop of SciPy fits.

python benchmarks/rewarming.py [--frames N] [--long N] [--sample N]

The recordings are simulated: 640 × 480 frames of two feet that move and warm by 10 °C through the room's temperature.
The long one is a Zarr store of 15 min whose frames show the short one's scenes in the same order, each for as long as
it takes until the next, under noise of their own and in steps of 1/64 °C, as a camera counts; it needs 0.2 MB of disk
a frame. It is written frame by frame, and measured in a process of its own, whose memory the system tells. The loop
fits the same model to a sample of the same pixels with ``scipy.optimize.curve_fit``, and its time for all pixels
follows from that.
"""

from __future__ import annotations

import argparse
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from benchmarks.rewarming_scene import (
    Scene,
    as_recording,
    make_scene,
    only,
    paint,
    pose_matrix,
    restless_poses,
    usual_courses,
)
from rewarm.alignment import follow_motion
from rewarm.alignment.appearance import limb_mask
from rewarm.cameras.recording import lazy
from rewarm.cameras.store import write_store
from rewarm.measures import Baseline, pixel_maps, region_curves, rewarming_metrics, rewarming_table

SHAPE = (480, 640)
TOES = ("toe1", "toe2", "toe3", "toe4", "toe5")
MOST_S, MOST_MB, MOST_PX = 5.0, 1024.0, 0.3
MAP_S, FASTER = 10.0, 50.0
FOLLOWED_S, NOISE_C = 900.0, 0.05
MOST_DISK_MB = 6000.0
MEASURE = """
import pickle, sys, time
from benchmarks.rewarming import peak_mb
from rewarm.cameras import open_thermogram
from rewarm.alignment import follow_motion
from rewarm.measures import region_curves, rewarming_maps, rewarming_metrics
recording = open_thermogram(sys.argv[1])
regions = pickle.load(open(sys.argv[2], "rb"))
start = time.perf_counter()
motion = follow_motion(recording, regions, reference=0)
result = rewarming_metrics(region_curves(recording, regions, motion))
rewarming_maps(recording, regions, motion)
took, worked = time.perf_counter() - start, time.process_time()
lost = sum(sum(motion.left_out(side).values()) for side in motion.limbs)
print(took, worked, peak_mb(), recording.sizes["time"], len(result.metrics), lost)
"""


def main() -> None:
    """Print a markdown table; exit with status 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=180)
    parser.add_argument("--long", type=int, default=18_000, help="frames of the long recording; 0: leave it out")
    parser.add_argument("--sample", type=int, default=300, help="pixels of the SciPy loop")
    arguments = parser.parse_args()
    scene = make_scene(SHAPE)
    time_s = FOLLOWED_S * np.arange(arguments.frames) / arguments.frames
    poses = restless_poses(arguments.frames, shift_px=12.0)
    frames = np.empty((arguments.frames, *SHAPE), dtype=np.float32)
    for i, frame in enumerate(paint(scene, usual_courses(), time_s, poses, noise_c=NOISE_C)):
        frames[i] = frame
    scene = replace(scene, coverage={}, shares={})  # what is needed of it from here on is small
    missed = 0
    print("| | measured | limit |\n|---|---|---|")
    for words, value, unit, limit in (
        *_all_metrics(scene, frames, time_s, poses),
        *(_long(scene, frames, arguments.long) if arguments.long else ()),
        *_maps(frames, time_s, arguments.sample),
    ):
        bad = value < -limit if limit < 0 else value > limit
        missed += bad
        said = f"at least {-limit:g}" if limit < 0 else ("" if limit == np.inf else f"at most {limit:g}")
        print(f"| {words} | {value:.4g} {unit}{' (missed)' if bad else ''} | {said} |")
    sys.exit(1 if missed else 0)


def peak_mb() -> float:
    """This process's highest memory so far; on Linux without its parent's, which the usual count holds."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [text for text in status.read_text().splitlines() if text.startswith("VmHWM:")]
        return float(line.split()[1]) / 1024.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def _all_metrics(scene: Scene, frames, time_s, poses):
    """Motion, curves and figures of ten toes (and two arches), one after the other."""
    recording = as_recording(frames, time_s)
    regions = only(scene.regions, (*TOES, "ball", "arch", "heel"))
    measured = only(regions, (*TOES, "arch"))
    start = time.perf_counter()
    motion = follow_motion(recording, regions, reference=0)
    followed = time.perf_counter()
    curves = region_curves(recording, measured, motion)
    read = time.perf_counter()
    table = rewarming_table(rewarming_metrics(curves, baseline=dict.fromkeys(curves.names, Baseline(28.0, 0.2))))
    done = time.perf_counter()
    size = f"{len(time_s)} frames of 640 × 480"
    yield f"{size}: motion", followed - start, "s", np.inf
    yield f"{size}: curves of {len(curves.names)} regions", read - followed, "s", np.inf
    yield f"{size}: {len(table)} figures from them", done - read, "s", np.inf
    yield f"{size}: all together", done - start, "s", MOST_S
    off = [_off_px(scene, motion, poses, side) for side in motion.limbs]
    yield "residual motion, root mean square over a limb, worst frame", max(off), "px", MOST_PX
    for words, change in (("large", cv2.dilate), ("small", cv2.erode)):
        items = tuple(
            replace(item, mask=change(item.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
            for item in regions.items
        )
        beside = follow_motion(recording, replace(regions, items=items), reference=0)
        worst = max(_off_px(scene, beside, poses, side) for side in beside.limbs)
        yield f"the same with outlines one pixel too {words} all round", worst, "px", MOST_PX
    yield "frames left out", float(sum(sum(motion.left_out(side).values()) for side in motion.limbs)), "", 0.0


def _off_px(scene: Scene, motion, poses, side: str) -> float:
    y, x = np.nonzero(limb_mask(scene.regions, side))
    points = np.stack([x, y, np.ones_like(x)]).astype(float)
    start = np.linalg.inv(np.vstack([pose_matrix(scene, side, poses[side][0]), [0, 0, 1]]))
    worst = 0.0
    for matrix, pose in zip(motion.limbs[side].transforms, poses[side], strict=True):
        off = (matrix - (np.vstack([pose_matrix(scene, side, pose), [0, 0, 1]]) @ start)[:2]) @ points
        worst = max(worst, float(np.sqrt((off**2).sum(axis=0).mean())))
    return worst


def _course(t, start, rise, onset, tau):
    return start + rise * -np.expm1(-np.maximum(t - onset, 0.0) / tau)


def _maps(frames, time_s, sample: int):
    """Every pixel of the picture rises, with an onset and a time constant of its own."""
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    onset, tau, rise = 20.0 + 80.0 * x / SHAPE[1], 60.0 + 240.0 * y / SHAPE[0], 4.0 + 8.0 * x / SHAPE[1]
    random = np.random.default_rng(1)
    painted = np.empty_like(frames)
    for i, t in enumerate(time_s):
        painted[i] = _course(t, 15.0, rise, onset, tau) + random.normal(0, 0.1, SHAPE)
    start = time.perf_counter()
    maps = pixel_maps(time_s, painted)
    took = time.perf_counter() - start
    pixels = random.integers(0, SHAPE, (sample, 2))
    start = time.perf_counter()
    fitted = [
        curve_fit(_course, time_s, painted[:, row, column].astype(float), p0=[15.0, 8.0, 40.0, 150.0])[0][3]
        for row, column in pixels
    ]
    loop = (time.perf_counter() - start) / sample * SHAPE[0] * SHAPE[1]
    zipped = zip(pixels, fitted, strict=True)
    apart = [maps.half_time_s[row, column] - tau_s * np.log(2.0) for (row, column), tau_s in zipped]
    yield "half-time map of 640 × 480 × 180", took, "s", MAP_S
    yield f"curve_fit over the same pixels ({sample} measured)", loop, "s", np.inf
    yield "how many times as fast", loop / took, "×", -FASTER
    yield "half-times apart from curve_fit's, median", float(np.median(np.abs(apart))), "s", np.inf
    yield (
        "half-times off the truth, median",
        float(np.nanmedian(np.abs(maps.half_time_s - tau * np.log(2)))),
        "s",
        np.inf,
    )


@dataclass(frozen=True, eq=False)
class _LongFrames:
    """``count`` frames that are made when they are read: scenes of a short recording, each for a while, as counted."""

    scenes: NDArray[np.float32]
    noise: NDArray[np.float32]
    count: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows, columns."""
        rows, columns = self.scenes.shape[1:]
        return self.count, rows, columns

    @property
    def workers(self) -> int:
        """One."""
        return 1

    def pieces(self, frames: NDArray[np.int64], rows: Any, columns: Any) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """One frame after the other."""
        for place, number in enumerate(frames.tolist()):
            scene = self.scenes[number * len(self.scenes) // self.count]
            moved = np.random.default_rng(number).integers(0, self.noise.shape)
            seen = scene + np.roll(self.noise, moved, axis=(0, 1))
            counted = np.round(64.0 * seen).astype(np.float32) / np.float32(64.0)
            yield slice(place, place + 1), counted[None][:, rows][:, :, columns]


def _long(scene: Scene, frames: NDArray[np.float32], count: int):
    """The short recording's scenes for as long, at so many frames a second, from a store on disk."""
    noise = np.random.default_rng(5).normal(0.0, NOISE_C, SHAPE).astype(np.float32)
    described = as_recording(frames[:2], np.array([0.0, 1.0]))
    values = lazy(_LongFrames(frames, noise, count), np.float32, Path("long"))
    recording = described.isel(time=0, drop=True).assign(temperature=(("time", "y", "x"), values, {"units": "degC"}))
    recording = recording.assign_coords(time=("time", FOLLOWED_S * np.arange(count) / count, {"units": "s"}))
    with tempfile.TemporaryDirectory() as folder:
        store, kept = Path(folder) / "long.zarr", Path(folder) / "regions.pickle"
        start = time.perf_counter()
        write_store(recording, store)
        made_s = time.perf_counter() - start
        disk_mb = sum(path.stat().st_size for path in store.rglob("*") if path.is_file()) / 1e6
        kept.write_bytes(pickle.dumps(only(scene.regions, (*TOES, "ball", "arch", "heel"))))
        here = str(Path(__file__).parents[1])
        ran = subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, {here!r})\n{MEASURE}", store, kept],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    took, worked, peak, total, figures, lost = (float(word) for word in ran.stdout.split())
    yield f"{total:.0f} frames written as a store", made_s, "s", np.inf
    yield f"{total:.0f} frames: the store on disk", disk_mb, "MB", MOST_DISK_MB
    yield f"{total:.0f} frames: memory of who wrote it", peak_mb(), "MB", MOST_MB
    yield f"{total:.0f} frames from the store: motion, maps, and {figures:.0f} figures", took, "s", np.inf
    yield f"{total:.0f} frames: processor time of that", worked, "s", np.inf
    yield f"{total:.0f} frames: memory", peak, "MB", MOST_MB
    yield f"{total:.0f} frames: left out", lost, "", 0.0


if __name__ == "__main__":
    main()
