from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from numpy.typing import NDArray

import rewarm.study.run as run_module
from rewarm.anatomy import regions_from_masks, write_regions
from rewarm.errors import InvalidStudyError, OutputError, RewarmError
from rewarm.regions import LEGEND
from rewarm.study import StudyResult, run_study
from rewarm.tables import COMPARISON, MEASUREMENTS

Pictures = dict[str, NDArray[np.float32]]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def change(result: StudyResult, region: str, metric: str = "mean") -> pd.DataFrame:
    table = result.comparison_table
    return table[(table["metric"] == metric) & (table["region"] == region) & (table["side"] != "")]


def annotate(study: Path, scan: str, box: tuple[int, int, int, int]) -> None:
    """A person draws the left great toe and the left arch: plain rectangles."""
    x0, y0, x1, y1 = box
    toe = np.zeros((120, 160), dtype=bool)
    toe[y0:y1, x0:x1] = True
    regions = regions_from_masks({"left_toe1": toe}, limb="feet", view="plantar", drawn_by="Dr. A")
    write_regions(regions, study / "drawn", scan=scan)
    (study / "annotations").mkdir(exist_ok=True)
    (study / "drawn" / "regions" / f"{scan}.geojson").rename(study / "annotations" / f"{scan}.geojson")


def test_a_run_measures_every_scan_and_compares_each_later_visit_with_the_first(study: Path, tmp_path: Path) -> None:
    result = run_study(study, tmp_path / "out")
    assert [scan.scan for scan in result.scans] == ["P1-before", "P1-week06"]
    assert [(c.before.visit, c.after.visit) for c in result.comparisons] == [("before", "week06")]
    assert list(result.measurements.columns) == list(MEASUREMENTS)
    assert list(result.comparison_table.columns) == list(COMPARISON)
    assert (result.study_id, result.title, result.design, result.control) == (
        "toes", "Warm toes", "case_series", "none",
    )  # fmt: skip
    assert result.warnings == ()
    attrs = result.scans[0].thermogram.attrs
    assert (attrs["accuracy_c"], attrs["netd_mk"], attrs["camera_model"]) == (2.0, 50.0, "FLIR E60")
    assert (attrs["emissivity"], attrs["air_c"], attrs["humidity_pct"]) == (0.98, 23.1, 40.0)
    assert str(result.scans[1].date) == "2026-02-23"
    assert result.comparisons[0].room_change_c == pytest.approx(0.3)
    toes = pd.concat([change(result, f"toe{i}") for i in range(1, 6)])
    assert len(toes) >= 8  # of ten toes, three to six pixels wide, whose edges mix with the sheet
    # At 160 × 120 pixels the finder may shift the smallest two by a pixel or two, which is half of them.
    larger = toes[toes["region"].isin(["toe1", "toe2", "toe3"])]
    assert larger["change"].between(0.7, 3.0).all()
    assert change(result, "toe1")["change"].to_numpy() == pytest.approx(2.5, abs=0.6)
    assert change(result, "arch")["change"].to_numpy() == pytest.approx(0.0, abs=0.2)


def test_the_output_is_the_contract(study: Path, tmp_path: Path) -> None:
    result = run_study(study, tmp_path / "out")
    unsure = [f"regions/{scan.scan}.proposed.geojson" for scan in result.scans if scan.regions.proposed]
    assert set(contents(tmp_path / "out")) == {
        *unsure,
        "checks.csv",
        "comparisons.csv",
        "first_table.csv",
        "measurements.csv",
        "measurements.parquet",
        "regions/P1-before.geojson",
        "regions/P1-before.tif",
        "regions/P1-week06.geojson",
        "regions/P1-week06.tif",
        "regions/legend.json",
        "run.json",
    }
    text = pd.read_csv(tmp_path / "out" / "measurements.csv", keep_default_na=False, dtype=str)
    assert list(text.columns) == list(MEASUREMENTS)
    assert text["time_s"].unique().tolist() == [""]
    assert [float(value) for value in text["value"]] == result.measurements["value"].tolist()
    stored = pd.read_parquet(tmp_path / "out" / "measurements.parquet")
    pd.testing.assert_frame_equal(stored, result.measurements, check_dtype=False)
    legend = json.loads((tmp_path / "out" / "regions" / "legend.json").read_text(encoding="utf-8"))
    assert legend == dict(LEGEND)


def test_run_json_says_from_what_and_how_but_not_when_or_where(study: Path, tmp_path: Path) -> None:
    run_study(study, tmp_path / "out")
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert list(record["inputs"]) == [
        "participants.csv", "scans.csv", "study.toml", "thermograms/before.npy", "thermograms/week06.npy", "visits.csv",
    ]  # fmt: skip
    assert {len(digest) for digest in record["inputs"].values()} == {64}
    assert record["versions"]["rewarm"] in record["software"]
    assert record["scans"][0]["parameters"]["emissivity"] == 0.98
    assert str(tmp_path) not in json.dumps(record)


def test_the_same_study_gives_the_same_bytes(study: Path, tmp_path: Path) -> None:
    run_study(study, tmp_path / "one")
    run_study(study, tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_an_earlier_output_is_replaced_and_a_foreign_folder_refused(study: Path, tmp_path: Path) -> None:
    run_study(study, tmp_path / "out")
    first = contents(tmp_path / "out")
    run_study(study, tmp_path / "out")
    assert contents(tmp_path / "out") == first
    before = contents(study)
    with pytest.raises(OutputError, match="apart from the input"):
        run_study(study, study)
    assert contents(study) == before


def test_the_output_may_lie_inside_the_study(study: Path) -> None:
    run_study(study, study / "results")
    run_study(study, study / "results")
    assert (study / "results" / "run.json").exists()


def test_a_study_with_errors_is_not_analysed(study: Path, tmp_path: Path) -> None:
    (study / "thermograms" / "week06.npy").unlink()
    with pytest.raises(InvalidStudyError, match="which does not exist"):
        run_study(study, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_all_scans_that_cannot_be_read_are_named_together_and_nothing_is_written(study: Path, tmp_path: Path) -> None:
    for name in ("before", "week06"):
        (study / "thermograms" / f"{name}.npy").write_bytes(b"no picture at all")
    with pytest.raises(InvalidStudyError, match="2 problems to correct") as caught:
        run_study(study, tmp_path / "out")
    assert [(p.file, p.row, p.column) for p in caught.value.problems] == [
        ("scans.csv", 2, "file"),
        ("scans.csv", 3, "file"),
    ]
    assert not (tmp_path / "out").exists()


def test_the_same_picture_under_two_names_is_no_second_visit(study: Path, tmp_path: Path) -> None:
    (study / "thermograms" / "week06.npy").write_bytes((study / "thermograms" / "before.npy").read_bytes())
    with pytest.raises(InvalidStudyError, match=r"row 3.*the same bytes as thermograms/before.npy \(row 2\)"):
        run_study(study, tmp_path / "out")


def test_an_interruption_leaves_nothing(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())

    def interrupt(_done: int, _total: int, _what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(study, tmp_path / "out", on_progress=interrupt)
    assert sorted(path.name for path in tmp_path.iterdir()) == before

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_module, "write_study_result", full)
    with pytest.raises(OSError, match="No space left"):
        run_study(study, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_progress_counts_up_to_all_scans_and_comparisons(study: Path, tmp_path: Path) -> None:
    said: list[tuple[int, int, str]] = []
    run_study(study, tmp_path / "out", on_progress=lambda *step: said.append(step))
    assert said == [(1, 2, "scan P1-before"), (2, 2, "scan P1-week06"), (1, 1, "P1-week06 against P1-before")]


def test_what_a_person_drew_wins_and_is_among_the_inputs(study: Path, tmp_path: Path, pictures: Pictures) -> None:
    annotate(study, "P1-before", (60, 40, 70, 50))
    result = run_study(study, tmp_path / "out")
    toe = result.measurements.query("scan == 'P1-before' and side == 'left' and region == 'toe1'")
    value = toe.loc[toe["metric"] == "mean", "value"].item()
    assert value == pytest.approx(float(pictures["before"][40:50, 60:70].mean(dtype=np.float64)), abs=1e-6)
    assert "annotations/P1-before.geojson" in result.inputs


def test_a_reference_in_view_corrects_all_temperatures(study: Path, tmp_path: Path, pictures: Pictures) -> None:
    for name, offset_c in (("before", 1.5), ("week06", -0.5)):
        picture = pictures[name] + np.float32(offset_c)
        picture[2:14, 2:14] = 30.0 + offset_c
        np.save(study / "thermograms" / f"{name}.npy", picture)
    header, first, second = (study / "scans.csv").read_text(encoding="utf-8").splitlines()
    lines = [f"{header},reference_c,reference_box", f"{first},30.0,3;3;13;13", f"{second},30.0,3;3;13;13", ""]
    (study / "scans.csv").write_text("\n".join(lines), encoding="utf-8")
    result = run_study(study, tmp_path / "out")
    offsets = [scan.reference_offset_c for scan in result.scans]
    assert offsets == pytest.approx([-1.5, 0.5], abs=1e-4)
    arch = change(result, "arch")
    assert arch["change"].to_numpy() == pytest.approx(0.0, abs=0.2)
    assert (arch["u"] < 0.8).all()  # without a reference the camera's accuracy alone makes it 1.7


def test_a_reference_that_does_not_fit_is_reported_with_its_row(study: Path, tmp_path: Path) -> None:
    header, first, second = (study / "scans.csv").read_text(encoding="utf-8").splitlines()
    lines = [f"{header},reference_c,reference_box", f"{first},40.0,3;3;13;13", f"{second},,", ""]
    (study / "scans.csv").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InvalidStudyError, match=r"scans.csv, row 2, column file.*reference_c"):
        run_study(study, tmp_path / "out")  # the sheet in that box has 22 °C


def test_a_picture_without_feet_is_a_warning_and_is_not_compared(study: Path, tmp_path: Path) -> None:
    np.save(study / "thermograms" / "week06.npy", np.full((120, 160), 22.0, dtype=np.float32))
    result = run_study(study, tmp_path / "out")
    assert result.comparisons == ()
    assert len(result.comparison_table) == 0
    assert list(result.comparison_table.columns) == list(COMPARISON)
    assert any("P1-week06 could not be compared with P1-before" in text for text in result.warnings)
    assert "no region of feet, plantar view, could be found" in result.scans[1].warnings[0]


def test_only_rest_is_compared_and_the_earliest_visit_is_the_first(study: Path, tmp_path: Path) -> None:
    scans = (study / "scans.csv").read_text(encoding="utf-8")
    header, first, second = scans.splitlines()
    (study / "scans.csv").write_text(f"{header}\n{second}\n{first}\n", encoding="utf-8")
    (comparison,) = run_study(study, tmp_path / "out").comparisons
    assert (comparison.before.visit, comparison.after.visit) == ("before", "week06")
    rewarming = second.replace(",rest,", ",rewarming,")
    (study / "scans.csv").write_text(f"{header},time_s\n{first},\n{rewarming},60\n", encoding="utf-8")
    result = run_study(study, tmp_path / "out")
    assert result.comparisons == ()
    assert result.measurements.loc[result.measurements["scan"] == "P1-week06", "time_s"].unique().tolist() == [60.0]


def test_measurements_made_elsewhere_are_carried_and_compared(study: Path, tmp_path: Path) -> None:
    run_study(study, tmp_path / "first")
    (study / "scans.csv").unlink()
    text = (tmp_path / "first" / "measurements.csv").read_text(encoding="utf-8")
    (study / "measurements.csv").write_text(text, encoding="utf-8")
    result = run_study(study, tmp_path / "second")
    assert result.scans == ()
    first = pd.read_csv(tmp_path / "first" / "comparisons.csv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "second" / "comparisons.csv"), first)
    assert (tmp_path / "second" / "measurements.csv").read_text(encoding="utf-8") == text


def test_a_study_of_diaries_alone_gives_empty_tables(study: Path, tmp_path: Path) -> None:
    (study / "scans.csv").unlink()
    (study / "diary.csv").write_text("participant,date,rcs\nP1,2026-01-12,4\n", encoding="utf-8")
    result = run_study(study, tmp_path / "out")
    assert len(result.measurements) == 0
    assert (tmp_path / "out" / "measurements.csv").read_text(encoding="utf-8") == ",".join(MEASUREMENTS) + "\n"
    assert result.tables["diary"]["rcs"].tolist() == [4.0]
    assert result.diary_coverage is not None
    assert (tmp_path / "out" / "diary_coverage.csv").read_text(encoding="utf-8").count("\n") == 2
    first = pd.read_csv(tmp_path / "out" / "first_table.csv")
    assert first.loc[first["characteristic"] == "rcs", "mean"].tolist() == [4.0]
    assert not (tmp_path / "out" / "injections.csv").exists()


def test_tables_of_workbooks_are_analysed_and_named_among_the_inputs(tables: Path, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in csv.reader((tables / "diary.csv").read_text(encoding="utf-8").splitlines()):
        book.active.append(row)
    book.save(tables / "diary.xlsx")
    (tables / "diary.csv").unlink()
    rows = "participant,date,side,site,product,units_u\nP1,2026-01-14,left,toe1,Botox,2\n"
    (tables / "injections.csv").write_text(rows, encoding="utf-8")
    result = run_study(tables, tmp_path / "out")
    assert {"diary.xlsx", "injections.csv", "study.toml"}.issubset(result.inputs)
    totals = pd.read_csv(tmp_path / "out" / "injections.csv")
    assert totals["units_u"].tolist() == [2.0, 2.0, 2.0]
    assert result.diary_coverage is not None
    assert result.diary_coverage["days_kept"].tolist() == [2]


def test_every_error_of_a_run_is_the_packages_own(study: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    picture = (study / "thermograms" / "before.npy").read_bytes()
    for trial in range(5):
        broken = bytearray(picture[: int(rng.integers(1, len(picture)))])
        broken[int(rng.integers(0, min(len(broken), 80)))] ^= 1 << trial
        (study / "thermograms" / "before.npy").write_bytes(bytes(broken))
        try:
            run_study(study, tmp_path / f"out{trial}")
        except RewarmError:
            assert not (tmp_path / f"out{trial}").exists()
