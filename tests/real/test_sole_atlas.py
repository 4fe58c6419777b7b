"""Real soles on the atlas keep their published mean temperature (doi 10.1109/ACCESS.2019.2951356)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rewarm.alignment import on_atlas
from rewarm.anatomy import find_regions, sole_atlas
from rewarm.cameras import open_thermogram
from rewarm.errors import InvalidInputError


def test_nearly_all_soles_are_carried_and_keep_their_mean(real_data: Path) -> None:
    folder = real_data / "plantar_inaoe"
    if not folder.is_dir():
        pytest.skip(f"recordings absent: no folder {folder}")
    atlas = sole_atlas()
    off_c, residuals_px = [], []
    people = pd.read_csv(folder / "published_table.csv").to_dict("records")[::4]
    for person in people:
        for side in ("left", "right"):
            picture = open_thermogram(folder / f"{person['subject']}_{side[0].upper()}.csv")
            regions = find_regions(picture, limb=f"{side}_foot")
            try:
                carried = on_atlas(picture["temperature"].values, regions, atlas, side=side)
            except InvalidInputError:
                continue
            off_c.append(float(np.nanmean(carried.temperature_c)) - person[f"{side}_general_C"])
            residuals_px.append(carried.residual_mean_px)
    assert len(off_c) >= 0.9 * 2 * len(people)
    assert abs(np.median(off_c)) < 0.1
    assert np.abs(off_c).max() < 0.3
    assert np.median(residuals_px) < 1.0
