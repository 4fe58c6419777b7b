"""A recording of rewarming to all its figures: time and memory; and the map of half-times beside a loop of SciPy fits.

python benchmarks/rewarming.py [--frames N] [--long N] [--sample N]

The recordings are simulated: 640 × 480 frames of two feet that move and warm by 10 °C through the room's temperature.
The long one is a Zarr store whose frames repeat the short one's; measuring it runs in a process of its own, whose
memory the system tells. The loop fits the same model to a sample of the same pixels with ``scipy.optimize.curve_fit``,
and its time for all pixels follows from that.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
import numpy as np
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
from rewarm.measures import Baseline, pixel_maps, region_curves, rewarming_metrics, rewarming_table

SHAPE = (480, 640)
TOES = ("toe1", "toe2", "toe3", "toe4", "toe5")
MOST_S, MOST_MB, MOST_PX = 5.0, 1024.0, 0.3
MAP_S, FASTER = 10.0, 50.0
MEASURE = """
import pickle, resource, sys, time
from rewarm.cameras import open_thermogram
from rewarm.alignment import follow_motion
from rewarm.measures import region_curves, rewarming_metrics
recording = open_thermogram(sys.argv[1])
regions = pickle.load(open(sys.argv[2], "rb"))
start = time.perf_counter()
motion = follow_motion(recording, regions, reference=0)
result = rewarming_metrics(region_curves(recording, regions, motion))
took = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
print(took, peak, recording.sizes["time"], len(result.metrics))
"""


def main() -> None:
    """Print a markdown table; exit with status 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=180)
    parser.add_argument("--long", type=int, default=18_000, help="frames of the long recording; 0: leave it out")
    parser.add_argument("--sample", type=int, default=300, help="pixels of the SciPy loop")
    arguments = parser.parse_args()
    scene = make_scene(SHAPE)
    time_s = 900.0 * np.arange(arguments.frames) / arguments.frames
    poses = restless_poses(arguments.frames, shift_px=12.0)
    frames = np.stack(list(paint(scene, usual_courses(), time_s, poses)))
    missed = 0
    print("| | measured | limit |\n|---|---|---|")
    for words, value, unit, limit in (
        *_all_metrics(scene, frames, time_s, poses),
        *_maps(frames, time_s, arguments.sample),
        *(_long(scene, frames, arguments.long) if arguments.long else ()),
    ):
        bad = value < -limit if limit < 0 else value > limit
        missed += bad
        said = f"at least {-limit:g}" if limit < 0 else ("" if limit == np.inf else f"at most {limit:g}")
        print(f"| {words} | {value:.3g} {unit}{' (missed)' if bad else ''} | {said} |")
    sys.exit(1 if missed else 0)


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


def _long(scene: Scene, frames, count: int):
    """The same to and fro at 30 frames a second, from a store on disk."""
    import pickle

    import xarray as xr

    from rewarm.cameras.store import write_store

    there_and_back = np.concatenate([np.arange(len(frames)), np.arange(len(frames) - 2, 0, -1)])
    each = max(1, -(-count // len(there_and_back)))
    order = np.repeat(there_and_back, each)[:count]
    with tempfile.TemporaryDirectory() as folder:
        store, kept = Path(folder) / "long.zarr", Path(folder) / "regions.pickle"
        lazily = as_recording(frames, 900.0 * np.arange(len(frames)) / len(frames)).isel(time=order)
        lazily = lazily.assign_coords(time=("time", np.arange(count) / 30.0, {"units": "s"}))
        assert isinstance(lazily, xr.Dataset)
        write_store(lazily, store)
        kept.write_bytes(pickle.dumps(only(scene.regions, (*TOES, "ball", "arch", "heel"))))
        ran = subprocess.run([sys.executable, "-c", MEASURE, store, kept], capture_output=True, text=True, check=True)
    took, peak, total, figures = (float(word) for word in ran.stdout.split())
    yield f"{total:.0f} frames from a store: motion to {figures:.0f} figures", took, "s", np.inf
    yield f"{total:.0f} frames: memory", peak, "MB", MOST_MB


if __name__ == "__main__":
    main()
