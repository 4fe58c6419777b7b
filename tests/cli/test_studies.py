"""Commands on study folders, as a user meets them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd

import rewarm
from rewarm.anatomy import Drawing, mask_polygon, write_drawings
from rewarm.regions import TOES

Run = Callable[..., tuple[int, str, str]]


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
