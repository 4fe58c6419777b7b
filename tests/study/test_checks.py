"""From what a study folder says to checks.csv."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import rewarm.study.pictures as pictures_module
from rewarm.cameras.store import write_store
from rewarm.errors import UnreadableFileError
from rewarm.measures import RULES, Circumstances
from rewarm.study import check_study, compare, measure_files, run_study
from rewarm.study.outputs import CHECK_COLUMNS, gather_checks, write_comparison
from rewarm.study.scan import ScanPlan, measure_scan
from rewarm.thermogram import Provenance, make_thermogram

Pictures = dict[str, NDArray[np.float32]]


def read(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "checks.csv", dtype=str, keep_default_na=False)


def test_a_run_writes_every_check_of_every_scan(study: Path, tmp_path: Path) -> None:
    run_study(study, tmp_path / "out")
    table = read(tmp_path / "out")
    assert tuple(table.columns) == CHECK_COLUMNS
    assert table["scan"].unique().tolist() == ["P1-before", "P1-week06"]
    assert not table.duplicated(["scan", "check"]).any()
    assert set(table["check"]) == set(RULES) - {"reference", "shutter", "room_as_planned"}
    assert set(table["status"]) <= {"pass", "warn", "fail", "unknown"}
    for column in ("found", "expected", "reason", "source"):
        assert (table[column] != "").all()
    first = table[table["scan"] == "P1-before"].set_index("check")
    assert first.loc["room", ["status", "found", "unit"]].tolist() == ["pass", "23.1 °C", "°C"]
    assert first.loc["settling", "found"] == "20 min"
    assert first.loc["resolution", ["status", "found"]].tolist() == ["warn", "160 × 120 px"]
    assert first.loc["accuracy", "found"] == "±2 °C, no reference in view"
    assert first.loc["smoking", "status"] == "unknown"
    assert first.loc["person", "status"] == "pass"
    second = table[table["scan"] == "P1-week06"].set_index("check")
    assert second.loc["humidity", "status"] == "unknown"


def test_what_the_protocol_and_the_visits_state_is_judged(study: Path, tmp_path: Path) -> None:
    toml = (study / "study.toml").read_text(encoding="utf-8").replace("[camera.E60]", "[camera.E60]\nwarm_up_min = 5")
    toml += "\n[protocol]\nambient_c = 20\nwarm_up_min = 60\nviewing_angle_deg = 10\n"
    toml += "draught_free = true\nskin_dry = false\n"
    (study / "study.toml").write_text(toml, encoding="utf-8")
    (study / "visits.csv").write_text(
        "participant,visit,date,ambient_c,recent_exercise,recent_smoking,recent_caffeine\n"
        "P1,before,2026-01-12,23.1,no,yes,maybe\nP1,week06,2026-02-23,20.5,yes,0,\n",
        encoding="utf-8",
    )
    assert all(item.severity == "warning" for item in check_study(study).problems)
    run_study(study, tmp_path / "out")
    status = read(tmp_path / "out").set_index(["scan", "check"])["status"].to_dict()
    expected = {
        "room_as_planned": ("fail", "pass"), "warm_up": ("fail", "fail"), "angle": ("pass", "pass"),
        "draughts": ("pass", "pass"), "skin_dry": ("fail", "fail"), "exercise": ("pass", "fail"),
        "smoking": ("fail", "pass"), "caffeine": ("unknown", "unknown"), "settling": ("unknown", "unknown"),
    }  # fmt: skip
    for name, (before, after) in expected.items():
        assert (status["P1-before", name], status["P1-week06", name]) == (before, after), name


def test_a_stated_accuracy_of_the_reference_is_judged_and_used(tmp_path: Path, pictures: Pictures) -> None:
    picture = pictures["before"].copy()
    picture[2:14, 2:14] = 30.0
    np.save(tmp_path / "scan.npy", picture)
    plan = ScanPlan(path=tmp_path / "scan.npy", scan="scan", reference_c=30.2, reference_box=(3, 3, 13, 13))
    assumed = measure_scan(plan)
    stated = measure_scan(replace(plan, circumstances=Circumstances(reference_accuracy_c=0.05)))
    found = [{item.id: item for item in scan.checks}["reference"].status for scan in (assumed, stated)]
    assert found == ["unknown", "pass"]
    assert stated.thermogram.attrs["reference_u_c"] < assumed.thermogram.attrs["reference_u_c"]


def test_a_recordings_shutter_is_looked_at(tmp_path: Path, pictures: Pictures) -> None:
    rng = np.random.default_rng(1)
    frames = np.stack([pictures["before"] + rng.normal(0, 0.03, (120, 160)).astype(np.float32) for _ in range(12)])
    frames[7:] += 0.5
    recording = make_thermogram(
        frames.astype(np.float32), provenance=Provenance("r", "0" * 64, "test", "0"), time_s=np.arange(12.0)
    )
    write_store(recording, tmp_path / "r.zarr")
    scan = measure_scan(ScanPlan(path=tmp_path / "r.zarr", scan="r"))
    (shutter,) = [item for item in scan.checks if item.id == "shutter"]
    assert shutter.status == "fail"
    assert shutter.found.startswith("1 of up to 0.5")
    assert "before frame 7" in shutter.found


def test_two_files_are_compared_with_what_differs(tmp_path: Path, pictures: Pictures) -> None:
    for name, picture in pictures.items():
        np.save(tmp_path / f"{name}.npy", picture)
    result = compare(tmp_path / "before.npy", tmp_path / "week06.npy", ambient_before_c=22.0, ambient_after_c=24.0)
    found = {item.id: item for item in result.comparability}
    assert (found["room"].likeness, found["room"].difference) == ("differs", "+2.0 °C")
    assert found["camera"].likeness == "unknown"
    assert found["sharpness"].likeness == "alike"


def test_without_scans_the_table_has_its_columns_only() -> None:
    table = gather_checks([])
    assert tuple(table.columns) == CHECK_COLUMNS
    assert table.empty


def test_single_files_and_a_comparison_write_the_checks_of_a_run(study: Path, tmp_path: Path) -> None:
    """The same columns and the same checks; only what a study states besides is unknown."""
    files = [study / "thermograms" / f"{name}.npy" for name in ("before", "week06")]
    measure_files(files, tmp_path / "single")
    (tmp_path / "compared").mkdir()
    write_comparison(compare(*files, ambient_before_c=23.1, ambient_after_c=23.4), tmp_path / "compared")
    run_study(study, tmp_path / "run")
    of_run = read(tmp_path / "run")
    for folder in ("single", "compared"):
        table = read(tmp_path / folder)
        assert tuple(table.columns) == CHECK_COLUMNS
        assert table["scan"].unique().tolist() == ["before", "week06"]
        assert table["check"].tolist() == of_run["check"].tolist()
        assert table.query("check == 'settling'")["status"].tolist() == ["unknown", "unknown"]
    rooms = read(tmp_path / "compared").query("check == 'room'")
    assert rooms["found"].tolist() == ["23.1 °C", "23.4 °C"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("warm_up_min = -1", "warm_up_min"),
        ('skin_dry = "yes"', "skin_dry"),
        ("reference_accuracy_c = 0", "reference_accuracy_c"),
        ("viewing_angle_deg = true", "viewing_angle_deg"),
    ],
)
def test_settings_that_cannot_be_are_refused(study: Path, line: str, message: str) -> None:
    path = study / "study.toml"
    path.write_text(path.read_text(encoding="utf-8") + f"\n[protocol]\n{line}\n", encoding="utf-8")
    problems = [item for item in check_study(study).problems if item.severity == "error"]
    assert [item.column for item in problems] == [f"protocol.{message}"]


def test_a_recording_with_a_broken_frame_is_still_measured(
    tmp_path: Path, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = make_thermogram(
        np.stack([pictures["before"]] * 4), provenance=Provenance("r", "0" * 64, "test", "0"), time_s=np.arange(4.0)
    )
    write_store(recording, tmp_path / "r.zarr")

    def broken(_recording: object) -> None:
        raise UnreadableFileError("frame 3: expected 38400 bytes; found 12")

    monkeypatch.setattr(pictures_module, "survey_frames", broken)
    scan = measure_scan(ScanPlan(path=tmp_path / "r.zarr", scan="r"))
    assert scan.regions.found
    assert any("shutter events could not be looked for" in text and "frame 3" in text for text in scan.warnings)
    assert "shutter" not in {item.id for item in scan.checks}
