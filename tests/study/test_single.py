from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from rewarm.anatomy.corrections import apply_corrections, read_corrections
from rewarm.errors import InvalidInputError, OutputError, RewarmError, UnreadableFileError
from rewarm.regions import Region, Regions
from rewarm.study import measure_files
from rewarm.study.columns import file_id_trouble
from rewarm.study.scan_ids import scan_ids
from rewarm.tables import MEASUREMENTS
from rewarm.thermogram import temperature_c


def test_files_are_measured_and_written(study: Path, tmp_path: Path) -> None:
    scans = study / "thermograms"
    table = measure_files([scans / "before.npy", str(scans / "week06.npy")], tmp_path / "out")
    assert list(table.columns) == list(MEASUREMENTS)
    assert table["scan"].unique().tolist() == ["before", "week06"]
    written = pd.read_csv(tmp_path / "out" / "measurements.csv")
    assert written["value"].tolist() == table["value"].tolist()
    names = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert [name for name in names if not name.endswith(".proposed.geojson")] == [
        "checks.csv", "measurements.csv", "measurements.parquet", "regions/before.geojson", "regions/before.tif",
        "regions/legend.json", "regions/week06.geojson", "regions/week06.tif", "run.json",
    ]  # fmt: skip
    assert list(json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["inputs"]) == [
        "before.npy",
        "week06.npy",
    ]


def test_regions_that_were_written_can_be_given_back_as_corrections(study: Path, tmp_path: Path) -> None:
    before = study / "thermograms" / "before.npy"
    first = measure_files([before], tmp_path / "one")
    again = measure_files([before], tmp_path / "two", corrections=tmp_path / "one" / "regions")
    single = measure_files([before], tmp_path / "three", corrections=tmp_path / "one" / "regions" / "before.geojson")
    for other in (again, single):
        pd.testing.assert_series_equal(
            other.query("metric == 'mean'").set_index(["side", "region"])["value"],
            first.query("metric == 'mean'").set_index(["side", "region"])["value"],
        )


def test_corrections_that_match_nothing_are_refused(study: Path, tmp_path: Path) -> None:
    scans = [study / "thermograms" / name for name in ("before.npy", "week06.npy")]
    (tmp_path / "drawn").mkdir()
    with pytest.raises(InvalidInputError, match=r"expected before.geojson, week06.geojson; found none"):
        measure_files(scans, tmp_path / "out", corrections=tmp_path / "drawn")
    with pytest.raises(InvalidInputError, match="found nothing of that name"):
        measure_files(scans, tmp_path / "out", corrections=tmp_path / "nowhere")
    drawn = tmp_path / "drawn" / "x.geojson"
    drawn.write_text("{}", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"because there are 2 recordings.*before.geojson"):
        measure_files(scans, tmp_path / "out", corrections=drawn)


def test_all_files_that_cannot_be_measured_are_named_and_nothing_is_written(study: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.jpg"
    words.write_text("not a picture", encoding="utf-8")
    files = [study / "thermograms" / "before.npy", words, tmp_path / "nowhere.jpg"]
    with pytest.raises(InvalidInputError, match=r"2 of 3 files cannot be measured[^$]*words.jpg[^$]*nowhere.jpg"):
        measure_files(files, tmp_path / "out")
    with pytest.raises(UnreadableFileError, match=r"words\.jpg"):
        measure_files([words], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_found_in_any_file_is_an_error(tmp_path: Path) -> None:
    empty = tmp_path / "empty.npy"
    np.save(empty, np.full((120, 160), 22.0, dtype=np.float32))
    with pytest.raises(InvalidInputError, match=r"empty.npy: no region of feet.*draw the regions yourself"):
        measure_files([empty], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_picture_without_feet_beside_another_is_a_warning(study: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.npy"
    np.save(empty, np.full((120, 160), 22.0, dtype=np.float32))
    table = measure_files([study / "thermograms" / "before.npy", empty], tmp_path / "out")
    assert table["scan"].unique().tolist() == ["before"]
    assert "empty.npy: no region" in table.attrs["warnings"][0]


def test_no_file_and_no_place_are_refused(study: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="at least one recording"):
        measure_files([], tmp_path / "out")
    with pytest.raises(OutputError, match="apart from the input"):
        measure_files([study / "thermograms" / "before.npy"], study / "thermograms")


def unsure_regions(thermogram: xr.Dataset, *, limb: str, view: str, corrections: Path | None) -> Regions:
    """A finder that sees a foot and is not sure of it; a person's drawing wins as ever."""
    shape = temperature_c(thermogram).shape
    foot = np.zeros(shape, dtype=bool)
    foot[10:60, 20:50] = True
    seen = Regions((shape[0], shape[1]), limb, view, (Region("left", "foot", foot, 0.3, "finder", reason="faint"),), {})
    drawn = None if corrections is None else read_corrections(corrections, shape=shape, limb=limb)
    return seen if drawn is None else apply_corrections(seen, drawn)


def test_a_foot_that_is_only_proposed_can_be_taken_over(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rewarm.study.scan.find_regions", unsure_regions)
    picture = study / "thermograms" / "before.npy"
    table = measure_files([picture], tmp_path / "first")
    assert table.empty
    assert "Look at the proposed outlines" in table.attrs["warnings"][0]
    proposed = tmp_path / "first" / "regions" / "before.proposed.geojson"
    again = measure_files([picture], tmp_path / "second", corrections=proposed)
    assert set(again["region"]) == {"foot"}
    assert set(again["side"]) == {"left"}


def test_overrides_out_of_range_are_refused(study: Path, tmp_path: Path) -> None:
    with pytest.raises(RewarmError, match="emissivity"):
        measure_files([study / "thermograms" / "before.npy"], tmp_path / "out", emissivity=98.0)


def test_ids_of_equal_names_differ() -> None:
    files = [
        Path("a/IR 1.jpg"),
        Path("b/ir 1.jpg"),
        Path("IR 1.csv"),
        Path("con.jpg"),
        Path("=1+1.jpg"),
        Path("a?b.jpg"),
    ]
    assert scan_ids(files) == ["IR 1", "ir 1_2", "IR 1_3", "_con", "_=1+1", "a_b"]


@given(st.lists(st.text(min_size=1, max_size=150).filter(lambda name: "/" not in name and "\x00" not in name)))
def test_any_file_name_gives_a_safe_id_of_its_own(names: list[str]) -> None:
    ids = scan_ids([Path(name) for name in names])
    assert len({name.lower() for name in ids}) == len(names)
    assert [name for name in ids if file_id_trouble(name)] == []
