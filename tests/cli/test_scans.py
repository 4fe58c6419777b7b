"""Commands on single recordings, as a user meets them: what they print, what they write, and how they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pandas as pd
import pytest

import rewarm
from rewarm.tables import COMPARISON, MEASUREMENTS

Run = Callable[..., tuple[int, str, str]]


def test_info_for_people_and_for_programs(run: Run, scan: Path) -> None:
    status, text, errors = run("info", scan)
    assert (status, errors) == (0, "")
    for said in ("320 × 240 pixels", "°C", "Emissivity", "0.98", "FLIR JPEG"):
        assert said in text
    status, text, _ = run("info", scan, "--json")
    described = json.loads(text)
    assert described["size"] == {"width": 320, "height": 240, "frames": 1}
    assert described["parameters"]["emissivity"] == pytest.approx(0.98)
    assert described["temperature_c"]["min"] < described["temperature_c"]["median"] < described["temperature_c"]["max"]


@pytest.mark.parametrize("suffix", [".npy", ".csv", ".tif", ".zarr"])
def test_convert_reads_back_the_same(run: Run, scan: Path, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"toes{suffix}"
    status, text, errors = run("convert", scan, "-o", output, "--emissivity", "0.95")
    assert (status, errors) == (0, "")
    assert str(output) in text
    expected = rewarm.open_thermogram(scan, emissivity=0.95)["temperature"].values
    again = rewarm.open_thermogram(output)["temperature"].values
    np.testing.assert_allclose(again, expected, atol=0.0005 if suffix == ".csv" else 0)


def test_measure_writes_the_contract(run: Run, scan: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    status, text, errors = run("measure", scan, "-o", output)
    assert (status, errors) == (0, "")
    assert "toe 1" in text
    table = pd.read_csv(output / "measurements.csv")
    assert list(table.columns) == list(MEASUREMENTS)
    assert len(pd.read_parquet(output / "measurements.parquet")) == len(table)
    regions = json.loads((output / "regions" / "P01_month03.geojson").read_text(encoding="utf-8"))
    assert regions["type"] == "FeatureCollection"
    legend = json.loads((output / "regions" / "legend.json").read_text(encoding="utf-8"))
    assert legend["left_toe1"] == 1
    assert (output / "regions" / "P01_month03.tif").is_file()


def test_compare_writes_change_and_report(run: Run, study: Path, tmp_path: Path) -> None:
    before, after = study / "thermograms" / "P01_week06.jpg", study / "thermograms" / "P01_month03.jpg"
    output = tmp_path / "change"
    rooms = ("--ambient-before-c", "22.0", "--ambient-after-c", "23.5")
    status, text, _ = run("compare", before, after, "-o", output, *rooms, "--no-pdf")
    assert status == 0
    assert text.rstrip().endswith("report.html")
    table = pd.read_csv(output / "comparisons.csv")
    assert list(table.columns) == list(COMPARISON)
    assert (table["room_change"].dropna() == 1.5).all()
    assert "Toes follow the room" in (output / "report.html").read_text(encoding="utf-8")
    assert not (output / "report.pdf").exists()


def bad_files(folder: Path, scan: Path) -> dict[str, tuple[Path, str]]:
    data = bytearray(scan.read_bytes())
    made = {
        "empty.jpg": (b"", "empty"),
        "cut.jpg": (bytes(data[: len(data) // 3]), "expected"),
        "picture.jpg": (imagecodecs.jpeg_encode(np.zeros((8, 8, 3), np.uint8)), "only a picture"),
        "text.jpg": (b"this is no picture at all, only some words\n", "expected"),
        "ragged.csv": (b"20.1,20.2,20.3\n20.1,20.2\n20.0,20.1,20.2\n", "row 2"),
        "words.csv": (b"20.1,20.2\n20.1,warm\n20.3,20.4\n", "warm"),
    }
    files = {}
    for name, (content, said) in made.items():
        (folder / name).write_bytes(content)
        files[name] = (folder / name, said)
    files["a folder"] = (folder, "folder")
    files["nothing"] = (folder / "nothing.jpg", "there is none")
    return files


def test_bad_files_get_one_error_status_2_and_nothing_written(run: Run, scan: Path, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for name, (path, said) in bad_files(source, scan).items():
        output = tmp_path / "out"
        commands = (
            ("info", path),
            ("convert", path, "-o", tmp_path / "out.npy"),
            ("measure", scan, path, "-o", output),
            ("compare", scan, path, "-o", output),
        )
        for command in commands:
            status, text, errors = run(*command)
            assert status == 2, (name, command)
            assert errors.startswith("rewarm: "), (name, errors)
            assert said in errors, (name, errors)
            assert "Traceback" not in errors + text
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["in"], name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--emissivity", "1.5"), "emissivity"),
        (("--humidity-pct", "140"), "humidity"),
        (("--emissivity", "0", "--distance-m", "-1"), "distance"),
    ],
)
def test_impossible_parameters_are_refused(
    run: Run, scan: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    status, _, errors = run("convert", scan, "-o", tmp_path / "out.npy", *arguments)
    assert status == 2
    assert said in errors
    assert not list(tmp_path.iterdir())


def test_a_scan_compared_with_itself_is_refused(run: Run, scan: Path, tmp_path: Path) -> None:
    status, _, errors = run("compare", scan, scan, "-o", tmp_path / "out")
    assert status == 2
    assert "same" in errors
    assert not list(tmp_path.iterdir())


def test_a_folder_with_other_things_in_it_is_left_alone(run: Run, scan: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    status, _, errors = run("measure", scan, "-o", tmp_path)
    assert status == 2
    assert "thesis.txt" in errors
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]
