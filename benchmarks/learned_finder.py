"""The learned finder beside what finds feet without learning: run time, simulated scenes, real soles.

Simulated: scenes of anatomy, poses and cameras that training never showed; seeds of their own. Real: cut-out soles
pasted side by side onto a simulated sheet as warm as their own toes, so that no threshold can find the toes. Each
baseline divides the picture in two; of the two halves the one nearer to the truth is counted, which favours it.

Run: python benchmarks/learned_finder.py
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage
from skimage.filters import sobel, threshold_otsu
from skimage.segmentation import morphological_chan_vese, watershed

from rewarm.anatomy.network import FOOT_PARTS, PARTS, network_facts, predict
from rewarm.regions import TOES
from rewarm.twin import sheet
from rewarm.twin.scenes import HELD_OUT, ORDINARY, paint, random_layout

REAL = Path(os.environ.get("REWARM_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
FOOT_CODES = [PARTS.index(name) for name in FOOT_PARTS]
SEED = 4_000_037


def dice(one: np.ndarray, other: np.ndarray) -> float:
    total = int(one.sum() + other.sum())
    return 2.0 * int((one & other).sum()) / total if total else 1.0


def otsu(celsius: np.ndarray) -> np.ndarray:
    return celsius > threshold_otsu(celsius)


def k_means(celsius: np.ndarray) -> np.ndarray:
    cv2.setRNGSeed(1)
    values = np.ascontiguousarray(celsius.reshape(-1, 1), dtype=np.float32)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 1e-3)
    _, labels, centres = cv2.kmeans(values, 3, None, stop, 2, cv2.KMEANS_PP_CENTERS)
    return (labels != int(centres.argmin())).reshape(celsius.shape)


def active_contour(celsius: np.ndarray) -> np.ndarray:
    low, high = np.percentile(celsius, (1, 99))
    scaled = np.clip((celsius - low) / max(high - low, 1e-6), 0.0, 1.0)
    return morphological_chan_vese(scaled, num_iter=60, init_level_set="checkerboard", smoothing=1) > 0


def watershed_of_edges(celsius: np.ndarray) -> np.ndarray:
    smooth = ndimage.gaussian_filter(celsius, 1.0)
    low, high = np.percentile(smooth, (25, 85))
    return watershed(sobel(smooth), (smooth <= low) + 2 * (smooth >= high).astype(int)) == 2


BASELINES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "Otsu's threshold": otsu,
    "k-means, 3 clusters": k_means,
    "active contour (Chan–Vese)": active_contour,
    "watershed": watershed_of_edges,
}


def better_half(mask: np.ndarray, truth: np.ndarray) -> float:
    return max(dice(mask, truth), dice(~mask, truth))


def report(title: str, scores: dict[str, list[float]]) -> None:
    print(f"\n{title}\n\n| method | mean Dice of the foot | median | 10th percentile |\n|---|---|---|---|")
    for name, values in scores.items():
        low = np.percentile(values, 10)
        print(f"| {name} | {statistics.mean(values):.3f} | {statistics.median(values):.3f} | {low:.3f} |")


def run_time(pictures: int) -> None:
    """Of ordinary scenes, mostly of two feet; each is asked three times and the median counts."""
    random = np.random.default_rng(SEED)
    scenes = [paint(random_layout(random, ORDINARY), random, ORDINARY).celsius for _ in range(pictures)]
    print(f"| {pictures} pictures | temperatures → whole answer, median | slowest | of which the networks, median |")
    print("|---|---|---|---|")
    predict(scenes[0])
    for columns, rows in ((320, 240), (640, 480)):
        whole, network = [], []
        for scene in scenes:
            celsius = cv2.resize(scene, (columns, rows))
            times = [_asked(celsius) for _ in range(3)]
            network.append(1e3 * statistics.median(first for first, _ in times))
            whole.append(1e3 * statistics.median(all_of_it for _, all_of_it in times))
        middle, inner = statistics.median(whole), statistics.median(network)
        print(f"| {columns} × {rows} | {middle:.1f} ms | {max(whole):.1f} ms | {inner:.1f} ms |")


def _asked(celsius: np.ndarray) -> tuple[float, float]:
    """Seconds until the networks have answered, and until every map is there."""
    start = time.perf_counter()
    answer = predict(celsius)
    first = time.perf_counter() - start
    _ = answer.foot, answer.codes, answer.sides, answer.peaks
    return first, time.perf_counter() - start


def simulated(count: int) -> None:
    random = np.random.default_rng(SEED)
    feet: dict[str, list[float]] = {name: [] for name in ("learned finder", *BASELINES)}
    toes: dict[str, list[float]] = {name: [] for name in TOES}
    while len(feet["learned finder"]) < count:
        scene = paint(random_layout(random, HELD_OUT), random, HELD_OUT)
        truth = np.isin(scene.layout.parts, FOOT_CODES)
        if truth.sum() < 100:
            continue
        answer = predict(scene.celsius)
        feet["learned finder"].append(dice(answer.foot > 0.5, truth))
        for name, find in BASELINES.items():
            feet[name].append(better_half(find(scene.celsius), truth))
        for name in TOES:
            toe = scene.layout.parts == PARTS.index(name)
            if toe.sum() >= 20:
                toes[name].append(dice(answer.codes == PARTS.index(name), toe))
    report(f"{count} simulated scenes with feet in view", feet)
    print("\n| toe | mean Dice | median | scenes |\n|---|---|---|---|")
    for name, values in toes.items():
        print(f"| {name} | {statistics.mean(values):.3f} | {statistics.median(values):.3f} | {len(values)} |")


def pasted(left: np.ndarray, right: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Both soles of one person in a picture of 240 × 320, and where they are; zeros in ``left`` and ``right`` are none.

    As seen from the foot of the bed: the left foot on the right.
    """
    celsius, mask = np.zeros((240, 320), np.float32), np.zeros((240, 320), bool)
    length = random.uniform(110, 190)
    for foot, middle in ((right, 160 - random.uniform(42, 75)), (left, 160 + random.uniform(42, 75))):
        scale = length / foot.shape[0]
        angle = np.deg2rad(random.uniform(-12, 12))
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        centre = np.array([foot.shape[1], foot.shape[0]]) / 2.0
        matrix = np.column_stack((turn, np.array([middle, 120 + random.uniform(-15, 15)]) - turn @ centre))
        there = cv2.warpAffine((foot != 0).astype(np.float32), matrix, (320, 240))
        warm = cv2.warpAffine(foot.astype(np.float32), matrix, (320, 240))
        # Divided by its share, a pixel at the rim has the temperature of its foot alone, not mixed with zeros.
        new = (there > 0.5) & ~mask
        celsius[new] = warm[new] / there[new]
        mask |= new
    fifths = [foot[: round(0.2 * len(foot))] for foot in (left, right)]
    toes = np.concatenate([fifth[fifth != 0] for fifth in fifths])
    level = float(np.median(toes))
    around = sheet(random, shape=mask.shape, ambient_c=level, imprint=mask.astype(np.float64))
    around += np.float32(level - np.median(around[~mask]))
    scene = ndimage.gaussian_filter(np.where(mask, celsius, around), 0.7) + random.normal(0.0, 0.05, mask.shape)
    return scene.astype(np.float32), mask


def real_soles() -> None:
    folder = REAL / "plantar_inaoe"
    lefts = sorted(path for path in folder.glob("*_L.csv") if path.stem.count("_") == 2)
    if not lefts:
        print("\nreal soles: folder not there")
        return
    random = np.random.default_rng(SEED)
    feet: dict[str, list[float]] = {name: [] for name in ("learned finder", *BASELINES)}
    for path in lefts:
        soles = [np.genfromtxt(file, delimiter=",") for file in (path, path.with_name(f"{path.stem[:-1]}R.csv"))]
        celsius, mask = pasted(soles[0], soles[1], random)
        feet["learned finder"].append(dice(predict(celsius).foot > 0.5, mask))
        for name, find in BASELINES.items():
            feet[name].append(better_half(find(celsius), mask))
    report(f"{len(lefts)} people's real soles on a simulated sheet as warm as their own toes", feet)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--pictures", type=int, default=30, help="whose time is taken")
    arguments = parser.parse_args()
    facts = network_facts()
    print(f"weights made on {facts['made_on']} by `{facts['command']}`, {facts['examples_seen']} examples seen\n")
    run_time(arguments.pictures)
    simulated(arguments.scenes)
    real_soles()


if __name__ == "__main__":
    main()
