from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rewarm.errors import InvalidInputError, RewarmError, UnreadableFileError
from rewarm.study import compare, staged_output, write_comparison


def test_two_scans_are_compared(study: Path) -> None:
    scans = study / "thermograms"
    comparison = compare(scans / "before.npy", scans / "week06.npy", ambient_before_c=23.0, ambient_after_c=24.5)
    assert comparison.before.scan == "before"
    assert comparison.change_c.shape == (120, 160)
    assert comparison.change_c.dtype == np.float32
    assert set(comparison.alignment_error_px) == {"left", "right"}
    assert comparison.room_change_c == pytest.approx(1.5)
    assert any("The room was 1.5 °C warmer" in text for text in comparison.warnings)
    arch = comparison.table.query("region == 'arch' and metric == 'mean'")
    assert arch["change"].to_numpy() == pytest.approx(0.0, abs=0.2)


def test_a_comparison_is_written_as_the_contract_has_it(study: Path, tmp_path: Path) -> None:
    scans = study / "thermograms"
    with staged_output(tmp_path / "out") as stage:
        write_comparison(compare(scans / "before.npy", str(scans / "week06.npy")), stage)
    names = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert [name for name in names if not name.endswith(".proposed.geojson")] == [
        "checks.csv", "comparisons.csv", "measurements.csv", "measurements.parquet", "regions/before.geojson",
        "regions/before.tif", "regions/legend.json", "regions/week06.geojson", "regions/week06.tif", "run.json",
    ]  # fmt: skip
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert list(record["inputs"]) == ["before.npy", "week06.npy"]


def test_the_same_picture_twice_is_refused(study: Path, tmp_path: Path) -> None:
    before = study / "thermograms" / "before.npy"
    copy = tmp_path / "copy.npy"
    copy.write_bytes(before.read_bytes())
    for after in (before, copy):
        with pytest.raises(InvalidInputError, match=r"the same picture twice .* Give the recording of the later visit"):
            compare(before, after)


def test_other_views_or_limbs_are_refused(study: Path) -> None:
    scans = study / "thermograms"
    with pytest.raises(InvalidInputError, match="found plantar before and dorsal after"):
        compare(scans / "before.npy", scans / "week06.npy", view_after="dorsal")
    with pytest.raises(InvalidInputError, match="found left_foot before and right_foot after"):
        compare(scans / "before.npy", scans / "week06.npy", limb="left_foot", limb_after="right_foot")


def test_a_picture_without_feet_is_named_with_what_to_do(study: Path) -> None:
    empty = study / "thermograms" / "empty.npy"
    np.save(empty, np.full((120, 160), 22.0, dtype=np.float32))
    with pytest.raises(InvalidInputError, match=r"after: empty.npy: no region of feet.*draw the regions yourself"):
        compare(study / "thermograms" / "before.npy", empty)


def test_a_recording_against_a_still_is_refused(study: Path) -> None:
    movie = study / "thermograms" / "movie.npy"
    np.save(movie, np.stack([np.load(study / "thermograms" / "week06.npy")] * 3))
    with pytest.raises(RewarmError):
        compare(study / "thermograms" / "before.npy", movie)


def test_what_is_no_recording_is_the_readers_error(study: Path) -> None:
    words = study / "thermograms" / "words.jpg"
    words.write_text("not a picture", encoding="utf-8")
    with pytest.raises(UnreadableFileError):
        compare(study / "thermograms" / "before.npy", words)


def test_an_override_that_cannot_be_applied_is_refused_not_ignored(study: Path) -> None:
    scans = study / "thermograms"
    with pytest.raises(InvalidInputError, match="emissivity"):
        compare(scans / "before.npy", scans / "week06.npy", emissivity=0.95)
