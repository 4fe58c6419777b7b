"""The command line as a user meets it: what it prints, what it writes, and how it refuses."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pandas as pd
import pytest

import rewarm
from rewarm.anatomy import Drawing, mask_polygon, write_drawings
from rewarm.cli import main
from rewarm.regions import TOES
from rewarm.tables import COMPARISON, MEASUREMENTS

Run = Callable[..., tuple[int, str, str]]
COMMANDS = ("info", "convert", "measure", "compare", "check", "run", "propose", "demo")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process: (exit status, standard output, standard error)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rewarm", *map(str, arguments)])
        capsys.readouterr()
        status = 0
        try:
            main()
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 0
        streams = capsys.readouterr()
        return status, streams.out, streams.err

    return call


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated case series; tests only read it."""
    return rewarm.simulate_case_series(tmp_path_factory.mktemp("series") / "study")


@pytest.fixture
def scan(study: Path) -> Path:
    return study / "thermograms" / "P01_month03.jpg"


def test_help_of_every_command_has_an_example(run: Run) -> None:
    status, text, _ = run("--help")
    assert status == 0
    for command in COMMANDS:
        assert command in text
        status, manual, _ = run(command, "--help")
        assert status == 0
        assert f"rewarm {command}" in manual.replace("\n", " "), f"{command} --help shows no example"


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"rewarm {rewarm.__version__}\n", "")


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


def test_check_says_it_can_be_analysed(run: Run, study: Path) -> None:
    status, text, _ = run("check", study)
    assert status == 0
    assert "can be analysed (3 participants, 12 visits, 12 scans" in text
    status, text, _ = run("check", study, "--json")
    assert json.loads(text)["ok"] is True


def test_check_names_every_problem_and_exits_2(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "study.toml").write_text('id = "x"\ntitle = "X"\ntimezone = "Mars/Base"\n', encoding="utf-8")
    (folder / "participants.csv").write_text("participant,condition\nA,unwell\n", encoding="utf-8")
    (folder / "visits.csv").write_text("participant,visit,date,ambient_c\nB,v1,31.12.2025,warm\n", encoding="utf-8")
    status, text, _ = run("check", folder)
    assert status == 2
    for said in ("Mars/Base", "'unwell'", "31.12.2025", "'warm'", "scans.csv", "participants.csv, row 2"):
        assert said in text
    status, text, _ = run("check", folder, "--json")
    assert status == 2
    problems = json.loads(text)["problems"]
    assert {"file", "row", "column", "expected", "found", "severity", "advice"} == set(problems[0])


def test_demo_ends_with_a_report_and_a_table(run: Run, tmp_path: Path) -> None:
    status, text, _ = run("demo", "-o", tmp_path / "demo")
    assert status == 0
    results = tmp_path / "demo" / "results"
    lines = text.rstrip().splitlines()
    assert lines[-1] == f"Report: {results / 'report.html'}"
    assert lines[0].startswith("who")
    assert (tmp_path / "demo" / "study" / "truth").is_dir()
    report = (results / "report.html").read_text(encoding="utf-8")
    assert "not a medical device" in report
    table = pd.read_csv(results / "comparisons.csv")
    assert set(table["participant"]) == {"P01", "P02", "P03"}
    assert {"u", "sdc", "detectable"} <= set(table.columns)
    assert set(table.loc[table["metric"] == "mean", "region"]) >= set(TOES)
    status, _, _ = run("run", tmp_path / "demo" / "study", "-o", results, "--no-pdf")
    assert status == 0
    assert not (results / "report.pdf").exists(), "the earlier results were not replaced as a whole"


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


def test_wrong_words_name_the_right_ones(run: Run, scan: Path, study: Path, tmp_path: Path) -> None:
    for arguments, said in (
        (("measure", scan, "-o", tmp_path / "a", "--limb", "paw"), "left_foot"),
        (("measure", scan, "-o", tmp_path / "a", "--view", "top"), "plantar"),
        (("run", study, "-o", tmp_path / "a", "--palette", "jet"), "cividis"),
        (("convert", scan, "-o", tmp_path / "a.xyz"), ".zarr"),
    ):
        status, _, errors = run(*arguments)
        assert status == 2, arguments
        assert said in errors, errors
    assert not list(tmp_path.iterdir())


def test_starting_is_cheap() -> None:
    """Nothing heavy is loaded before a command needs it."""
    code = "import sys, rewarm.cli; print([name for name in ('numpy', 'pandas', 'xarray') if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"


def test_public_names_can_be_loaded_and_others_not() -> None:
    for name in rewarm.__all__:
        assert getattr(rewarm, name) is not None
    assert set(dir(rewarm)) == set(rewarm.__all__)
    with pytest.raises(AttributeError, match="no attribute 'measur'"):
        _ = rewarm.measur


def test_propose_writes_beside_the_corrections_and_says_what_to_do(run: Run, study: Path, tmp_path: Path) -> None:
    copy = tmp_path / "study"
    shutil.copytree(study, copy, ignore=shutil.ignore_patterns("truth"))
    status, _, errors = run("propose", copy, "P01_before")
    assert (status, "found none. Draw them first" in errors) == (2, True)
    regions = rewarm.find_regions(rewarm.open_thermogram(copy / "thermograms" / "P01_before.jpg"))
    heel = regions.get("left", "heel")
    assert heel is not None
    drawing = Drawing("left", "heel", mask_polygon(heel.mask), "Dr A", "2026-03-01T09:30:00+01:00")
    write_drawings([drawing], copy / "annotations" / "P01_before.geojson")
    status, text, errors = run("propose", copy, "P01_before", "-o", tmp_path / "looked-at")
    assert (status, errors) == (0, "")
    written = sorted(path.name for path in (tmp_path / "looked-at").iterdir())
    assert len(written) == 3
    assert all(name.startswith("P01_") and name.endswith(".proposed.geojson") for name in written)
    assert text.count(".proposed.geojson: left_heel") == 3
    assert "Look at each, then rename it to SCAN.geojson." in text
