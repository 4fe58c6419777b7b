"""Figures off real recordings of feet: they can be read, and they are of a plausible size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rewarm.anatomy import find_regions
from rewarm.cameras import open_thermogram
from rewarm.measures import frame_jumps, review_picture


def test_both_soles_on_a_bed(real_data: Path) -> None:
    path = next((real_data / "soles_csv").glob("*.csv*"))
    thermogram = open_thermogram(path)
    regions = find_regions(thermogram, limb="feet", view="plantar")
    review = review_picture(thermogram, regions)
    assert 0.001 < review.quality.noise_c < 0.3
    status = {item.id: item.status for item in review.checks}
    assert status["resolution"] == "pass"
    assert status["clipping"] in ("pass", "unknown")
    assert status["warm_up"] == "unknown"
    if review.quality.rim_width_px is not None:
        assert 1.0 < review.quality.rim_width_px < 12.0


def test_soles_cut_out_of_their_background(real_data: Path) -> None:
    """Zeros around the feet are no background: sharpness cannot be read there, and nothing is clipped."""
    files = (
        sorted((real_data / "plantar_inaoe").rglob("*_L.csv"))[:3]
        or sorted(path for path in (real_data / "plantar_inaoe").rglob("*.csv") if "table" not in path.name)[:3]
    )
    assert files
    for path in files:
        thermogram = open_thermogram(path)
        regions = find_regions(thermogram, limb="left_foot", view="plantar")
        review = review_picture(thermogram, regions)
        assert review.quality.rim_width_px is None
        assert {item.id: item.status for item in review.checks}["focus"] == "unknown"
        assert not review.quality.clipped_share


def test_a_real_sequence_gives_its_jumps(real_data: Path) -> None:
    for path in sorted((real_data / "infratec").glob("*.irb")):
        recording = open_thermogram(path)
        found = frame_jumps(recording)
        frames = recording.sizes.get("time", 1)
        assert (found is None) == (frames < 3)
        if found is not None:
            assert np.isfinite(found.noise_c)
