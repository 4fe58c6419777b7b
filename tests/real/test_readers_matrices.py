"""Real temperature matrices are read; real pictures are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rewarm.cameras import open_thermogram
from rewarm.errors import NotRadiometricError


def test_soles_in_their_bed(real_data: Path) -> None:
    thermogram = open_thermogram(real_data / "soles_csv" / "both_soles_464x348.csv")
    assert thermogram["temperature"].shape == (464, 348)
    assert float(thermogram["temperature"].min()) == pytest.approx(29.5, abs=0.1)
    assert float(thermogram["temperature"].max()) == pytest.approx(35.7, abs=0.1)
    assert thermogram.attrs["warnings"] == []


def test_cut_out_feet_keep_every_pixel_of_the_foot_and_no_other(real_data: Path) -> None:
    paths = sorted((real_data / "plantar_inaoe").glob("*_M_[LR].csv"))
    assert paths
    for path in paths:
        plain = np.loadtxt(path, delimiter=",")
        values = open_thermogram(path)["temperature"].values
        np.testing.assert_array_equal(np.isfinite(values), plain != 0, err_msg=path.name)
        np.testing.assert_allclose(values[plain != 0], plain[plain != 0], atol=2e-6, err_msg=path.name)


def test_pictures_are_refused(real_data: Path) -> None:
    paths = sorted((real_data / "not_radiometric").iterdir())
    assert paths
    for path in paths:
        with pytest.raises(NotRadiometricError, match="expected a radiometric"):
            open_thermogram(path)
