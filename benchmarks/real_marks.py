"""Toes that rewarm finds on real feet, against marks set on screen; the marker's own error beside them.

python benchmarks/real_marks.py

The marks are in tests/real/marks, whose README.md says how they were made and how far they can be trusted. The
recordings are not part of the project: REWARM_REAL_DATA names their folder. Errors of tips, webs and heel points are in
% of the foot's length, over those that were found; a toe that was not found counts as a miss in each share. The
temperature is the mean over the region found, less the mean over the polygon drawn, without the background that was cut
out; "mean" keeps the sign (positive: the region found is warmer).
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import rewarm
from rewarm.regions import TOES, Regions

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "real"))
from marks import MarkedFoot, outline_mask, read_marks, same_recording

REAL = Path(os.environ.get("REWARM_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
WEBS = ("web1", "web2", "web3", "web4")
TIP_LIMIT_PERCENT = 4.0
TEMPERATURE_LIMIT_C = 0.3


@dataclass(frozen=True)
class ToeResult:
    """One marked toe; the errors are NaN where the finder did not find it."""

    foot: MarkedFoot
    toe: str
    tip_percent: float
    temperature_c: float

    @property
    def found(self) -> bool:
        return not math.isnan(self.temperature_c)

    @property
    def cut_out(self) -> bool:
        return self.foot.file.startswith("plantar_inaoe/")

    @property
    def sure(self) -> bool:
        return f"{self.toe}_tip" not in self.foot.unsure


def main() -> None:
    """Print markdown tables; exit with status 1 where no marked recording is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", action="store_true", help="also a line for every toe that missed a limit")
    each = parser.parse_args().each
    feet = [foot for foot in read_marks(marking=1) if is_there(foot)]
    if not feet:
        raise SystemExit(f"none of the marked recordings is in {REAL}: name their folder with REWARM_REAL_DATA")
    toes = [result for foot in feet for result in toe_results(foot)]
    print(f"{len(feet)} marked feet, {len(toes)} toes\n")
    print_toes(toes)
    print_points(feet)
    if each:
        print_misses(toes)


def is_there(foot: MarkedFoot) -> bool:
    path = REAL / foot.file
    if not path.is_file():
        return False
    if not same_recording(path, foot):
        raise SystemExit(f"{path}: expected the recording that was marked (sha256 {foot.sha256}); found another")
    return True


@lru_cache(maxsize=100)
def found_regions(path: Path) -> tuple[NDArray[np.float64], Regions]:
    """Temperature (y, x), °C, NaN where the background was cut out; regions."""
    picture: xr.Dataset = rewarm.open_thermogram(path)
    temperature = np.asarray(picture["temperature"].values, dtype=np.float64)
    return np.where(temperature == 0.0, np.nan, temperature), rewarm.find_regions(picture, limb="feet")


def toe_results(foot: MarkedFoot) -> list[ToeResult]:
    temperature, regions = found_regions(REAL / foot.file)
    results = []
    for toe in TOES:
        item = regions.get(foot.side, toe)
        if item is None or not item.found:
            results.append(ToeResult(foot, toe, math.nan, math.nan))
            continue
        drawn = outline_mask(foot.outlines[toe], (temperature.shape[0], temperature.shape[1]))
        difference = np.nanmean(temperature[item.mask]) - np.nanmean(temperature[drawn])
        results.append(ToeResult(foot, toe, point_percent(foot, f"{toe}_tip", regions), float(difference)))
    return results


def point_percent(foot: MarkedFoot, name: str, regions: Regions) -> float:
    """Distance between the point found and the one marked, % of the foot's length; NaN where none was found."""
    point = regions.landmarks.get(f"{foot.side}_{name}")
    return math.nan if point is None else 100 * math.dist(point, foot.landmarks[name]) / foot.length_px


def print_toes(toes: Sequence[ToeResult]) -> None:
    groups: list[tuple[str, Callable[[ToeResult], bool]]] = [
        ("all", is_any),
        ("development half", lambda one: one.foot.half == "development"),
        ("test half", lambda one: one.foot.half == "test"),
        ("cut-out soles", lambda one: one.cut_out),
        ("both soles on a bed", lambda one: not one.cut_out),
        ("tip surely seen", lambda one: one.sure),
        ("tip unsure", lambda one: not one.sure),
    ]
    groups += [(toe, partial(is_toe, toe=toe)) for toe in TOES]
    limits = f"share ≤ {TIP_LIMIT_PERCENT:g} %", f"share ≤ {TEMPERATURE_LIMIT_C} °C"
    print(f"| toes | not found | tip, %: median | 95 % | {limits[0]} | °C: median | 95 % | {limits[1]} | mean |")
    print("|---|---|---|---|---|---|---|---|---|")
    for title, belongs in groups:
        chosen = [one for one in toes if belongs(one)]
        missing = sum(not one.found for one in chosen)
        tips = spread([one.tip_percent for one in chosen], TIP_LIMIT_PERCENT, "{:.1f}")
        temperatures = spread([abs(one.temperature_c) for one in chosen], TEMPERATURE_LIMIT_C, "{:.2f}")
        signed = [one.temperature_c for one in chosen if one.found]
        mean = f"{np.mean(signed):+.2f}" if signed else "–"
        print(f"| {title} | {missing} of {len(chosen)} | {tips} | {temperatures} | {mean} |")
    tips, temperatures = marker_again()
    print(f"| the marker, again | – | {tips} | {temperatures} | – |")


def is_any(_: ToeResult) -> bool:
    return True


def is_toe(one: ToeResult, toe: str) -> bool:
    return one.toe == toe


def spread(errors: Sequence[float], limit: float, form: str) -> str:
    """Three cells: median and 95th percentile of those found, share of all within the limit."""
    values = np.array(errors)
    if not np.isfinite(values).any():
        return "– | – | 0 %"
    middle, high = np.nanpercentile(values, [50, 95])
    return f"{form.format(middle)} | {form.format(high)} | {100 * np.mean(values <= limit):.0f} %"


def marker_again() -> tuple[str, str]:
    """The cells of :func:`spread` for the second marking against the first, of the feet that have both."""
    first = {(foot.file, foot.side): foot for foot in read_marks(marking=1)}
    tips, temperatures = [], []
    for again in read_marks(marking=2):
        foot = first[again.file, again.side]
        for toe in TOES:
            name = f"{toe}_tip"
            tips.append(100 * math.dist(foot.landmarks[name], again.landmarks[name]) / foot.length_px)
            if is_there(foot):
                temperature = np.loadtxt(REAL / foot.file, delimiter=",")
                means = [
                    temperature[outline_mask(one.outlines[toe], temperature.shape) & (temperature != 0)].mean()
                    for one in (foot, again)
                ]
                temperatures.append(abs(means[1] - means[0]))
    return spread(tips, TIP_LIMIT_PERCENT, "{:.1f}"), spread(temperatures or [math.nan], TEMPERATURE_LIMIT_C, "{:.2f}")


def print_points(feet: Sequence[MarkedFoot]) -> None:
    print(
        f"\n| points | not found | error, %: median | 95 % | share ≤ {TIP_LIMIT_PERCENT:g} % |\n|---|---|---|---|---|"
    )
    named: list[tuple[str, list[tuple[MarkedFoot, str]]]] = [
        ("webs", [(foot, web) for foot in feet for web in WEBS]),
        ("webs, test half", [(foot, web) for foot in feet for web in WEBS if foot.half == "test"]),
        ("webs surely seen", [(foot, web) for foot in feet for web in WEBS if web not in foot.unsure]),
        ("heel point", [(foot, "heel_point") for foot in feet]),
    ]
    for title, points in named:
        errors = [point_percent(foot, name, found_regions(REAL / foot.file)[1]) for foot, name in points]
        missing = sum(map(math.isnan, errors))
        print(f"| {title} | {missing} of {len(errors)} | {spread(errors, TIP_LIMIT_PERCENT, '{:.1f}')} |")


def print_misses(toes: Sequence[ToeResult]) -> None:
    print("\n| foot | toe | tip error, % | temperature, °C | tip |\n|---|---|---|---|---|")
    for one in toes:
        if not (one.tip_percent <= TIP_LIMIT_PERCENT and abs(one.temperature_c) <= TEMPERATURE_LIMIT_C):
            seen = "sure" if one.sure else "unsure"
            values = f"{one.tip_percent:.1f} | {one.temperature_c:+.2f}" if one.found else "not found | "
            print(f"| {Path(one.foot.file).stem}, {one.foot.side} | {one.toe} | {values} | {seen} |")


if __name__ == "__main__":
    main()
