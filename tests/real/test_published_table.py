"""The published table of doi 10.1109/ACCESS.2019.2951356 (Plantar Thermogram Database), from the files' own masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rewarm.cameras import open_thermogram
from rewarm.measures import measure
from rewarm.regions import ANGIOSOMES, Region, Regions
from rewarm.thermogram import Provenance, make_thermogram


@pytest.fixture(scope="module")
def plantar_inaoe(real_data: Path) -> Path:
    folder = real_data / "plantar_inaoe"
    if not folder.is_dir():
        pytest.skip(f"recordings absent: no folder {folder}")
    return folder


def own_masks(folder: Path, stem: str, side: str) -> tuple[np.ndarray, Regions]:
    """The foot's matrix as text holds it (0 is outside), and the five regions that the files themselves draw."""
    foot = np.loadtxt(folder / f"{stem}.csv", delimiter=",")
    masks = {"foot": foot != 0}
    masks |= {zone: np.loadtxt(folder / f"{stem}_{zone.upper()}.csv", delimiter=",") != 0 for zone in ANGIOSOMES}
    items = tuple(Region(side, name, mask, 1.0, "published masks") for name, mask in masks.items())
    return foot, Regions(foot.shape, f"{side}_foot", "plantar", items, {})


@pytest.mark.parametrize("opened_by", ["make_thermogram", "open_thermogram"])
def test_all_eighty_feet_are_reproduced_to_a_nanokelvin(plantar_inaoe: Path, opened_by: str) -> None:
    published = pd.read_csv(plantar_inaoe / "published_table.csv")
    compared = 0
    for person in published.to_dict("records"):
        for side in ("left", "right"):
            stem = f"{person['subject']}_{side[0].upper()}"
            foot, regions = own_masks(plantar_inaoe, stem, side)
            if opened_by == "open_thermogram":
                thermogram = open_thermogram(plantar_inaoe / f"{stem}.csv")
            else:
                thermogram = make_thermogram(foot, provenance=Provenance(f"{stem}.csv", "", "test", "0"))
            values = measure(thermogram, regions).set_index(["region", "metric"])["value"]
            expected = {("foot", "mean"): "general_C", ("foot", "tci"): "TCI"}
            expected |= {(zone, "mean"): f"{zone.upper()}_C" for zone in ANGIOSOMES}
            for key, column in expected.items():
                assert values[key] == pytest.approx(person[f"{side}_{column}"], abs=1e-9, rel=0), (stem, key)
            compared += 1
    assert compared == 80
