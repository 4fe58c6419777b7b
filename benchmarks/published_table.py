"""Foot means, angiosome means and TCI of 80 feet: rewarm beside the published table.

    python benchmarks/published_table.py [FOLDER]

FOLDER holds the Plantar Thermogram Database (Hernandez-Contreras et al. 2019, doi 10.1109/ACCESS.2019.2951356) with its
``published_table.csv``; by default ``plantar_inaoe`` in the folder that REWARM_REAL_DATA names, or in ../shared/data.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from rewarm.cameras import open_thermogram
from rewarm.measures import measure
from rewarm.regions import ANGIOSOMES, Region, Regions


def measured_foot(folder: Path, subject: str, side: str) -> pd.Series:
    """The figures of one foot, by region and metric, from the files' own masks."""
    stem = f"{subject}_{side[0].upper()}"
    thermogram = open_thermogram(folder / f"{stem}.csv")
    masks = {"foot": thermogram["temperature"].notnull().to_numpy()}
    for zone in ANGIOSOMES:
        masks[zone] = open_thermogram(folder / f"{stem}_{zone.upper()}.csv")["temperature"].notnull().to_numpy()
    items = tuple(Region(side, name, mask, 1.0, "published masks") for name, mask in masks.items())
    regions = Regions(masks["foot"].shape, f"{side}_foot", "plantar", items, {})
    return measure(thermogram, regions).set_index(["region", "metric"])["value"]


def differences(folder: Path) -> pd.DataFrame:
    """rewarm − published, one row a foot, °C."""
    published = pd.read_csv(folder / "published_table.csv")
    rows = []
    for person in published.to_dict("records"):
        for side in ("left", "right"):
            values = measured_foot(folder, person["subject"], side)
            row = {"foot mean": values["foot", "mean"] - person[f"{side}_general_C"]}
            row |= {zone: values[zone, "mean"] - person[f"{side}_{zone.upper()}_C"] for zone in ANGIOSOMES}
            row["TCI"] = values["foot", "tci"] - person[f"{side}_TCI"]
            rows.append(row)
    return pd.DataFrame(rows)


def main() -> int:
    """Print the largest differences; exit status 1 where any exceeds 1e-9 °C."""
    named = os.environ.get("REWARM_REAL_DATA")
    default = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default / "plantar_inaoe"
    if not (folder / "published_table.csv").is_file():
        print(f"published_table.csv not found in {folder}; name the folder of the Plantar Thermogram Database")
        return 2
    table = differences(folder).abs()
    print(f"{len(table)} feet; largest |rewarm − published|, °C (limit 1e-9):")
    for name, worst in table.max().items():
        print(f"  {name:10} {worst:.1e}")
    return int(np.nanmax(table.to_numpy()) > 1e-9 or table.isna().to_numpy().any())


if __name__ == "__main__":
    sys.exit(main())
