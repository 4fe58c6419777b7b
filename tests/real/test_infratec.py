"""Real VarioCAM pictures: the temperatures that another open reader's own test states, and plausible others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rewarm.cameras import open_thermogram


def test_the_published_extremes(real_data: Path) -> None:
    """jonathanschilling/irb holds its reader against these two kelvin."""
    thermogram = open_thermogram(real_data / "infratec" / "AA011400.irb")
    temperature_c = thermogram["temperature"]
    assert temperature_c.shape == (480, 640)
    assert float(temperature_c.min()) + 273.15 == pytest.approx(296.5852, abs=5e-5)
    assert float(temperature_c.max()) + 273.15 == pytest.approx(311.3182, abs=5e-5)
    assert thermogram.attrs["acquired_at"] == "2014-01-14T17:33:45"
    assert thermogram.attrs["camera_serial"] == "5020"
    assert thermogram.attrs["lens"] == "VarioCAM II standard optics, IR 1.0/30 LW"


def test_all_open(real_data: Path) -> None:
    paths = sorted((real_data / "infratec").glob("*.irb"))
    assert paths
    for path in paths:
        thermogram = open_thermogram(path)
        values, attrs = thermogram["temperature"].values, thermogram.attrs
        assert values.shape == (480, 640)
        assert np.isfinite(values).all(), path.name
        assert values.min() > -20, path.name
        assert values.max() < 80, path.name
        # Neighbours of a real scene differ little: a wrong palette or byte order would tear it apart.
        assert np.median(np.abs(np.diff(values, axis=1))) < 0.1, path.name
        assert attrs["camera_model"] == "VARIOCAM"
        assert attrs["acquired_at"].startswith("2014-0")
        assert attrs["emissivity"] == 1.0
        assert attrs["reflected_c"] == pytest.approx(25.0, abs=0.01)
        assert 0.5 < attrs["distance_m"] < 5
        assert "emissivity of 1" in attrs["warnings"][0]
