"""The Zarr store: bit by bit back, emissivity still to be changed, damage named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from rewarm.cameras import convert, open_thermogram
from rewarm.errors import InvalidInputError, UnreadableFileError

Write = Callable[[str, bytes | str], Path]
Jpeg = Callable[..., bytes]


@pytest.fixture
def camera_file(write: Write, flir_jpeg: Jpeg) -> Path:
    return write("a.jpg", flir_jpeg(emissivity=0.95))


def test_counts_and_temperatures_come_back_bit_by_bit(camera_file: Path, tmp_path: Path) -> None:
    original = open_thermogram(camera_file)
    again = open_thermogram(convert(camera_file, tmp_path / "a.zarr"))
    np.testing.assert_array_equal(again["temperature"], original["temperature"])
    np.testing.assert_array_equal(again["counts"], original["counts"])
    same = [key for key in original.attrs if not key.startswith("provenance")]
    assert {key: again.attrs[key] for key in same} == {key: original.attrs[key] for key in same}


def test_the_way_back_to_the_cameras_file_stays(camera_file: Path, tmp_path: Path) -> None:
    first = convert(camera_file, tmp_path / "a.zarr")
    second = open_thermogram(convert(first, tmp_path / "b.zarr"))
    assert second.attrs["origin_file"] == "a.jpg"
    assert second.attrs["origin_sha256"] == open_thermogram(camera_file).attrs["provenance_sha256"]
    assert second.attrs["provenance_file"] == "b.zarr"


def test_emissivity_can_still_be_changed(camera_file: Path, tmp_path: Path) -> None:
    store = convert(camera_file, tmp_path / "a.zarr")
    changed = open_thermogram(store, emissivity=0.98)
    np.testing.assert_array_equal(changed["temperature"], open_thermogram(camera_file, emissivity=0.98)["temperature"])
    assert changed.attrs["emissivity"] == 0.98
    assert changed.attrs["warnings"] == []


def test_finished_temperatures_come_back_and_cannot_be_changed(
    write: Write, tmp_path: Path, celsius: NDArray[np.float32]
) -> None:
    values = celsius.copy()
    values[0, 0] = np.nan
    np.save(tmp_path / "a.npy", values)
    store = convert(tmp_path / "a.npy", tmp_path / "a.zarr")
    np.testing.assert_array_equal(open_thermogram(store)["temperature"], values)
    with pytest.raises(InvalidInputError, match="a Zarr store without raw counts"):
        open_thermogram(store, emissivity=0.98)


def test_layout_on_disk(camera_file: Path, tmp_path: Path) -> None:
    array = zarr.open_group(convert(camera_file, tmp_path / "a.zarr"), mode="r")["counts"]
    assert isinstance(array, zarr.Array)
    assert array.dtype == np.uint16
    assert array.chunks == (24, 32)
    codec = array.compressors[0].to_dict()
    assert (codec["name"], codec["configuration"]["cname"], codec["configuration"]["shuffle"]) == (
        "blosc",
        "zstd",
        "shuffle",
    )


def test_a_hash_that_changes_with_any_byte(camera_file: Path, tmp_path: Path) -> None:
    store = convert(camera_file, tmp_path / "a.zarr")
    before = open_thermogram(store).attrs["provenance_sha256"]
    assert open_thermogram(store).attrs["provenance_sha256"] == before
    metadata = store / "zarr.json"
    metadata.write_text(metadata.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert open_thermogram(store).attrs["provenance_sha256"] != before


def test_another_programs_store_is_refused(tmp_path: Path) -> None:
    zarr.create_group(tmp_path / "a.zarr", zarr_format=3).create_array("x", shape=(3, 3), dtype="f4")
    with pytest.raises(UnreadableFileError, match="expected a Zarr store written by rewarm"):
        open_thermogram(tmp_path / "a.zarr")


def test_a_newer_store_is_refused(camera_file: Path, tmp_path: Path) -> None:
    store = convert(camera_file, tmp_path / "a.zarr")
    metadata = json.loads((store / "zarr.json").read_text(encoding="utf-8"))
    metadata["attributes"]["rewarm_store"] = 99
    (store / "zarr.json").write_text(json.dumps(metadata), encoding="utf-8")
    with pytest.raises(UnreadableFileError, match="found version 99"):
        open_thermogram(store)


@pytest.mark.parametrize("damage", ["metadata cut", "array metadata cut", "chunk cut", "chunk noise", "attribute lost"])
def test_damage_is_named(camera_file: Path, tmp_path: Path, damage: str) -> None:
    store = convert(camera_file, tmp_path / "a.zarr")
    chunk = next(path for path in (store / "counts" / "c").rglob("*") if path.is_file())
    if damage == "metadata cut":
        (store / "zarr.json").write_text("{", encoding="utf-8")
    elif damage == "array metadata cut":
        (store / "counts" / "zarr.json").write_text("{", encoding="utf-8")
    elif damage == "chunk cut":
        chunk.write_bytes(chunk.read_bytes()[:20])
    elif damage == "chunk noise":
        chunk.write_bytes(b"\x02\x01\x31\x02" + b"\xff" * 40)
    else:
        metadata = json.loads((store / "zarr.json").read_text(encoding="utf-8"))
        del metadata["attributes"]["emissivity"]
        (store / "zarr.json").write_text(json.dumps(metadata), encoding="utf-8")
    with pytest.raises(UnreadableFileError, match=r"a\.zarr: expected a .*[Ss]tore"):
        open_thermogram(store)
