"""Regions that the finder finds, against the truth of simulated scans; the usual threshold (Otsu) beside it.

Also counts, on the real cut-out soles where that folder is there, how many feet get the right side and all five toes.

Run: python benchmarks/find_regions.py
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import tifffile
from skimage.filters import threshold_otsu

import rewarm
from rewarm.regions import LEGEND, SIDES, SOLE_REGIONS, TOES, Regions

REAL = Path(os.environ.get("REWARM_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))


def dice(one: np.ndarray, other: np.ndarray) -> float:
    total = int(one.sum() + other.sum())
    return 2.0 * int((one & other).sum()) / total if total else 1.0


def side_mask(labels: np.ndarray, side: str) -> np.ndarray:
    codes = [code for name, code in LEGEND.items() if name.startswith(side)]
    return np.isin(labels, codes)


def simulated(seeds: list[int]) -> None:
    scores: dict[str, list[float]] = defaultdict(list)
    asked: dict[str, int] = defaultdict(int)
    otsu, seconds = [], []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as scratch:
            study = rewarm.simulate_case_series(Path(scratch) / "study", seed=seed)
            for path in sorted((study / "thermograms").iterdir()):
                truth = tifffile.imread(study / "truth" / "labels" / f"{path.stem}.tif")
                picture = rewarm.open_thermogram(path)
                start = time.perf_counter()
                regions = rewarm.find_regions(picture)
                seconds.append(time.perf_counter() - start)
                collect(regions, truth, scores, asked)
                values = picture["temperature"].values
                otsu.append(dice(values > threshold_otsu(values), truth > 0))
    print(f"{len(seconds)} simulated scans of both soles, cold toes and folded sheets; {len(seeds)} seeds\n")
    print("| region | found | median Dice where found | found with Dice under 0.5 |\n|---|---|---|---|")
    for name in ("foot", *SOLE_REGIONS):
        found = scores[name]
        wrong = sum(score < 0.5 for score in found)
        print(f"| {name} | {len(found)} of {asked[name]} | {statistics.median(found):.3f} | {wrong} |")
    print(f"| both feet by Otsu's threshold | – | {statistics.median(otsu):.3f} | {sum(s < 0.5 for s in otsu)} |")
    print(f"\nmedian {1000 * statistics.median(seconds):.0f} ms a scan")


def collect(regions: Regions, truth: np.ndarray, scores: dict[str, list[float]], asked: dict[str, int]) -> None:
    for side in SIDES:
        for name in ("foot", *SOLE_REGIONS):
            asked[name] += 1
            item = regions.get(side, name)
            if item is not None and item.found:
                wanted = side_mask(truth, side) if name == "foot" else truth == LEGEND[f"{side}_{name}"]
                scores[name].append(dice(item.mask, wanted))


def real_soles() -> None:
    files = sorted(path for path in (REAL / "plantar_inaoe").glob("*_?.csv") if path.stem.count("_") == 2)
    if not files:
        print("\nreal cut-out soles: folder not there")
        return
    sides = five = 0
    for path in files:
        side = {"L": "left", "R": "right"}[path.stem[-1]]
        regions = rewarm.find_regions(rewarm.open_thermogram(path), limb="feet")
        whole = {item.side for item in regions.found if item.region == "foot"}
        sides += whole == {side}
        five += sum(item.region in TOES and item.side == side for item in regions.found) == len(TOES)
    print(f"\nreal cut-out soles: side right in {sides} of {len(files)}, five toes found in {five} of {len(files)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[20260101, 1, 2, 3, 4])
    simulated(parser.parse_args().seeds)
    real_soles()


if __name__ == "__main__":
    main()
