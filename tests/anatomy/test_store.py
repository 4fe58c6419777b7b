"""Regions on disk: the output contract of a study folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from rewarm.anatomy import read_regions, regions_from_masks, write_regions
from rewarm.anatomy.corrections import apply_corrections, read_corrections
from rewarm.errors import InvalidInputError, OutputError, UnreadableFileError
from rewarm.regions import LEGEND, Region, Regions, Replaced


@pytest.fixture
def regions() -> Regions:
    """A great toe, a ball with a hole, an overlapping angiosome, the foot, and a toe that was not found."""
    shape = (12, 9)
    toe, ball, foot = (np.zeros(shape, dtype=bool) for _ in range(3))
    toe[0:3, 1:4] = True
    ball[4:9, 1:7] = True
    ball[6, 3] = False
    foot[0:12, 1:7] = True
    items = (
        Region("left", "toe1", toe, 0.9, "finder 1"),
        Region("left", "toe2", np.zeros(shape, dtype=bool), 0.2, "finder 1", reason="too cold"),
        Region("left", "ball", ball, 0.8, "Dr A", "2026-03-01T10:00:00+01:00", replaces=Replaced("Dr B", "2026-02-01")),
        Region("left", "foot", foot, 0.95, "finder 1"),
        Region("left", "mpa", ball | toe, 0.7, "finder 1", reason="rim faint"),
    )
    return Regions(shape, "left_foot", "plantar", items, {"left_toe1_tip": (2.5, 0.5)}, ("a warning",))


def test_what_was_written_is_read_back(tmp_path: Path, regions: Regions) -> None:
    write_regions(regions, tmp_path, scan="P01_before")
    again = read_regions(tmp_path / "regions" / "P01_before.geojson", shape=regions.shape)
    assert [item.name for item in again.items] == [item.name for item in regions.items]
    for item, other in zip(again.items, regions.items, strict=True):
        np.testing.assert_array_equal(item.mask, other.mask)
        assert (item.confidence, item.drawn_by, item.drawn_at) == (other.confidence, other.drawn_by, other.drawn_at)
        assert item.reason == other.reason
        assert item.replaces == other.replaces
    assert (again.limb, again.view, again.warnings) == (regions.limb, regions.view, regions.warnings)
    assert dict(again.landmarks) == dict(regions.landmarks)


def test_the_three_files_hold_what_the_contract_says(tmp_path: Path, regions: Regions) -> None:
    paths = write_regions(regions, tmp_path, scan="s1")
    assert [path.name for path in paths] == ["s1.geojson", "s1.tif", "legend.json"]
    assert sorted(path.name for path in (tmp_path / "regions").iterdir()) == ["legend.json", "s1.geojson", "s1.tif"]
    labels = tifffile.imread(paths[1])
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, regions.label_image())
    assert json.loads(paths[2].read_text(encoding="utf-8")) == dict(LEGEND)
    document = json.loads(paths[0].read_text(encoding="utf-8"))
    assert document["type"] == "FeatureCollection"
    assert document["shape"] == [12, 9]
    assert "pixel-edge" in document["coordinates"]
    assert [feature["properties"]["region"] for feature in document["features"]] == ["toe1", "ball", "foot", "mpa"]
    assert document["not_found"][0]["region"] == "toe2"
    assert document["not_found"][0]["reason"] == "too cold"


@pytest.fixture
def unsure(regions: Regions) -> Regions:
    """The same, where the second toe may lie somewhere."""
    place = np.zeros(regions.shape, dtype=bool)
    place[0:3, 4:6] = True
    items = [replace(item, mask=place) if item.region == "toe2" else item for item in regions.items]
    return replace(regions, items=tuple(items))


def test_what_is_only_proposed_is_read_back_and_still_not_found(tmp_path: Path, unsure: Regions) -> None:
    write_regions(unsure, tmp_path, scan="s1")
    again = read_regions(tmp_path / "regions" / "s1.geojson", shape=unsure.shape)
    (toe,) = again.proposed
    assert (toe.name, toe.reason, toe.found) == ("left_toe2", "too cold", False)
    np.testing.assert_array_equal(toe.mask, unsure.proposed[0].mask)
    assert LEGEND["left_toe2"] not in again.label_image()


def test_a_proposal_that_a_person_takes_over_is_measured(tmp_path: Path, unsure: Regions) -> None:
    write_regions(unsure, tmp_path, scan="s1")
    drawn = read_corrections(tmp_path / "regions" / "s1.proposed.geojson", shape=unsure.shape, limb="left_foot")
    toe = apply_corrections(unsure, drawn).get("left", "toe2")
    assert toe is not None
    assert toe.found
    assert toe.drawn_by == "proposed by finder 1"
    np.testing.assert_array_equal(toe.mask, unsure.proposed[0].mask)


def test_no_proposal_of_an_earlier_run_stays(tmp_path: Path, regions: Regions, unsure: Regions) -> None:
    write_regions(unsure, tmp_path, scan="s1")
    write_regions(regions, tmp_path, scan="s1")
    assert not (tmp_path / "regions" / "s1.proposed.geojson").exists()


def test_a_scan_that_is_no_file_name_is_refused(tmp_path: Path, regions: Regions) -> None:
    for name in ("../out", "a/b", "", "x:y"):
        with pytest.raises(InvalidInputError, match="name that can be a file's name"):
            write_regions(regions, tmp_path, scan=name)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path, regions: Regions) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(OutputError, match="folder that can be written"):
        write_regions(regions, tmp_path / "taken", scan="s1")


def test_regions_of_another_picture_are_refused(tmp_path: Path, regions: Regions) -> None:
    path = write_regions(regions, tmp_path, scan="s1")[0]
    with pytest.raises(InvalidInputError, match=r"shape \(9, 12\)"):
        read_regions(path, shape=(9, 12))


def test_files_that_are_no_regions_are_refused(tmp_path: Path, regions: Regions) -> None:
    with pytest.raises(UnreadableFileError, match="expected regions as GeoJSON"):
        read_regions(tmp_path / "absent.geojson", shape=(3, 3))
    (tmp_path / "a.geojson").write_text("{", encoding="utf-8")
    with pytest.raises(UnreadableFileError, match="expected regions as GeoJSON"):
        read_regions(tmp_path / "a.geojson", shape=(3, 3))
    (tmp_path / "b.geojson").write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    with pytest.raises(InvalidInputError, match="format"):
        read_regions(tmp_path / "b.geojson", shape=(3, 3))
    path = write_regions(regions, tmp_path, scan="s1")[0]
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["features"][0]["geometry"]
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InvalidInputError, match="complete regions"):
        read_regions(path, shape=regions.shape)


def test_regions_from_masks_are_certain_and_named() -> None:
    made = regions_from_masks({"right_toe1": np.eye(4, dtype=bool)}, limb="feet", view="plantar", drawn_by="Dr A")
    item = made.get("right", "toe1")
    assert item is not None
    assert (item.confidence, item.drawn_by, item.mask.sum()) == (1.0, "Dr A", 4)


def test_masks_that_do_not_fit_are_listed_together() -> None:
    masks = {"left_toe9": np.ones((2, 2), dtype=bool), "right_toe1": np.ones((3, 2), dtype=bool)}
    with pytest.raises(InvalidInputError, match=r"(?s)left_toe9.*right_toe1: not of limb.*one shape"):
        regions_from_masks(masks, limb="left_foot", view="plantar", drawn_by="x")
