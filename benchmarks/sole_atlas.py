"""Two groups of real soles averaged and compared on the atlas, held against a published table; and a figure.

The soles are those of Hernandez-Contreras et al. 2019 (doi 10.1109/ACCESS.2019.2951356): controls (CG) and people with
diabetes (DM), cut out, both feet. A sole carried onto the atlas is stretched, so its mean there need not be its mean in
the picture: the difference from the published mean shows how much that does. The groups also differ in age and weight,
so their difference is no effect of diabetes.

Run: python benchmarks/sole_atlas.py [-o FOLDER]        (the figure is written only where a folder is named)
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd

import rewarm
from rewarm.alignment import OnAtlas, on_atlas
from rewarm.anatomy import sole_atlas
from rewarm.errors import InvalidInputError
from rewarm.measures import GroupDifference, GroupMap, average_maps, compare_groups
from rewarm.regions import Regions

REAL = Path(os.environ.get("REWARM_REAL_DATA", Path(__file__).parents[2] / "shared" / "data")) / "plantar_inaoe"
GROUPS = {"CG": "controls", "DM": "diabetes"}


def carried(atlas: Regions) -> tuple[dict[Path, OnAtlas], dict[Path, str]]:
    """Every sole on the atlas, and why the others are not."""
    done: dict[Path, OnAtlas] = {}
    refused: dict[Path, str] = {}
    for path in sorted(path for path in REAL.glob("*_?.csv") if path.stem.count("_") == 2):
        side = {"L": "left", "R": "right"}[path.stem[-1]]
        picture = rewarm.open_thermogram(path)
        regions = rewarm.find_regions(picture, limb=f"{side}_foot")
        try:
            done[path] = on_atlas(picture["temperature"].values, regions, atlas, side=side)
        except InvalidInputError as error:
            refused[path] = str(error)
    return done, refused


def against_published(done: dict[Path, OnAtlas]) -> np.ndarray:
    """Mean on the atlas − published mean of the whole sole, °C, one figure a sole."""
    table = pd.read_csv(REAL / "published_table.csv").set_index("subject")
    off = []
    for path, item in done.items():
        person, _ = path.stem.rsplit("_", 1)
        if person in table.index:
            off.append(float(np.nanmean(item.temperature_c)) - float(table.loc[person, f"{item.side}_general_C"]))
    return np.array(off)


def report(done: dict[Path, OnAtlas], refused: dict[Path, str]) -> None:
    residuals = np.array([item.residual_mean_px for item in done.values()])
    tails = np.array([item.residual_p95_px for item in done.values()])
    stretch = np.array([item.stretch for item in done.values()])
    print(f"carried: {len(done)} of {len(done) + len(refused)} soles")
    for path, reason in refused.items():
        print(f"  {path.stem}: {reason}")
    print(f"outlines apart after alignment: median {np.median(residuals):.2f} px, worst {residuals.max():.2f} px; 95th "
          f"percentile in a sole: median {np.median(tails):.2f} px, worst {tails.max():.2f} px")  # fmt: skip
    print(f"one direction stretched more than the other: median {np.median(stretch):.3f}, most {stretch.max():.3f}")
    off = against_published(done)
    print(f"mean on the atlas − published mean of the sole: median {np.median(off):+.2f} °C, "
          f"95 % within {np.percentile(np.abs(off), 95):.2f} °C, {len(off)} soles")  # fmt: skip


def averaged(done: dict[Path, OnAtlas]) -> dict[str, GroupMap]:
    maps: dict[str, list[np.ndarray]] = defaultdict(list)
    people: dict[str, list[str]] = defaultdict(list)
    for path, item in done.items():
        maps[path.stem[:2]].append(item.temperature_c)
        people[path.stem[:2]].append(path.stem.split("_")[0])
    groups = {name: average_maps(maps[name], people=people[name]) for name in GROUPS}
    for name, words in GROUPS.items():
        group = groups[name]
        print(f"{words}: {len(set(people[name]))} people, {len(maps[name])} soles; mean "
              f"{np.nanmean(group.mean_c):.2f} °C, SD between people at a pixel, median {np.nanmedian(group.sd_c):.2f} "
              f"°C, standard error {np.nanmedian(group.standard_error_c):.2f} °C")  # fmt: skip
    return groups


def split_in_two(done: dict[Path, OnAtlas], *, splits: int = 40) -> None:
    """Two halves of one group differ by chance alone: how often is anything marked?"""
    rng = np.random.default_rng(0)
    soles = [(path.stem.split("_")[0], item.temperature_c) for path, item in done.items() if path.stem[:2] == "DM"]
    people = sorted({person for person, _ in soles})
    shares = []
    for _ in range(splits):
        half = set(rng.permutation(people)[: len(people) // 2])
        groups = [[(p, m) for p, m in soles if (p in half) == inside] for inside in (True, False)]
        one, other = (average_maps([m for _, m in group], people=[p for p, _ in group]) for group in groups)
        shares.append(float(compare_groups(one, other).marked.mean()))
    print(f"diabetes split in two at random, {splits} times: anything marked in {sum(s > 0 for s in shares)} of them")


def by_region(difference: GroupDifference, atlas: Regions) -> None:
    print("\n| region of the atlas | diabetes − controls, °C | standard error at a pixel, °C | pixels marked |")
    print("|---|---|---|---|")
    for item in atlas.items:
        tested = item.mask & np.isfinite(difference.difference_c)
        if item.region in ("mpa", "lpa", "mca", "lca") or not tested.any():
            continue
        print(f"| {item.region} | {difference.difference_c[tested].mean():+.2f} "
              f"| {np.median(difference.standard_error_c[tested]):.2f} "
              f"| {100 * difference.marked[tested].mean():.0f} % |")  # fmt: skip


def figure(groups: dict[str, GroupMap], difference: GroupDifference, path: Path) -> None:
    from matplotlib.figure import Figure

    levels = np.concatenate([group.mean_c[np.isfinite(group.mean_c)] for group in groups.values()])
    low, high = np.percentile(levels, [1, 99])
    size = float(np.nanpercentile(np.abs(difference.difference_c), 99))
    panels = [
        ("mean, controls", groups["CG"].mean_c, "inferno", low, high),
        ("mean, diabetes", groups["DM"].mean_c, "inferno", low, high),
        ("SD between controls", groups["CG"].sd_c, "viridis", 0, 4),
        ("SD between diabetes", groups["DM"].sd_c, "viridis", 0, 4),
        ("diabetes − controls", difference.difference_c, "RdBu_r", -size, size),
        ("its standard error", difference.standard_error_c, "viridis", 0, 2),
    ]
    sheet = Figure(figsize=(15, 5), layout="constrained")
    for axes, (title, values, palette, least, most) in zip(sheet.subplots(1, 6), panels, strict=True):
        image = axes.imshow(values, cmap=palette, vmin=least, vmax=most)
        if title == "diabetes − controls" and difference.marked.any():
            axes.contour(difference.marked, levels=[0.5], colors="black", linewidths=0.8)
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
        sheet.colorbar(image, ax=axes, label="°C", shrink=0.8)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.savefig(path, dpi=110)
    print(f"\n{path}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, help="folder for the figure")
    output = parser.parse_args().output
    if not REAL.is_dir():
        raise SystemExit(f"{REAL}: no such folder; name the recordings' folder in REWARM_REAL_DATA")
    atlas = sole_atlas()
    done, refused = carried(atlas)
    report(done, refused)
    groups = averaged(done)
    difference = compare_groups(groups["DM"], groups["CG"])
    print(f"marked at a false discovery rate of {difference.q:g}: {difference.marked.sum()} of "
          f"{np.isfinite(difference.p).sum()} pixels")  # fmt: skip
    split_in_two(done)
    by_region(difference, atlas)
    if output is not None:
        figure(groups, difference, output / "sole_atlas.png")


if __name__ == "__main__":
    main()
