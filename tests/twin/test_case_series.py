"""The simulated study keeps the study folder's contract, tells its truth, repeats itself, and never overwrites."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from rewarm.errors import OutputError
from rewarm.regions import LEGEND, SIDES, SOLE_REGIONS, TOES
from rewarm.twin import patients, simulate_case_series

VISITS = ["before", "week06", "month03", "month05"]


def table(study: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(study / f"{name}.csv", encoding="utf-8")


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_folder_holds_three_women_four_visits_and_a_scan_each(study: Path) -> None:
    people, visits, scans = table(study, "participants"), table(study, "visits"), table(study, "scans")
    assert people["participant"].tolist() == ["P01", "P02", "P03"]
    assert set(people["condition"]) == {"secondary_raynaud"}
    assert set(people["underlying"]) == {"systemic_sclerosis"}
    assert people["prior_treatments"].str.contains(";").all()
    assert visits.groupby("participant")["visit"].apply(list).tolist() == [VISITS] * 3
    assert visits.groupby("participant")["date"].apply(lambda days: days.is_monotonic_increasing).all()
    assert len(scans) == 12
    assert scans["scan"].is_unique
    assert all((study / file).is_file() for file in scans["file"])
    assert {"limb": {"feet"}, "view": {"plantar"}, "phase": {"rest"}, "emissivity": {0.98}} == {
        column: set(scans[column]) for column in ("limb", "view", "phase", "emissivity")
    }
    assert "reference_c" not in scans


def test_settings_name_the_design_and_the_camera(study: Path) -> None:
    settings = tomllib.loads((study / "study.toml").read_text(encoding="utf-8"))
    assert settings["design"] == {"kind": "case_series", "control": "none", "masked_reading": False}
    assert settings["camera"]["cam1"] == {
        "model": "Simulated 320",
        "accuracy_c": 2.0,
        "netd_mk": 40,
        "pixels": [320, 240],
    }
    assert set(table(study, "scans")["camera"]) == {"cam1"}


def test_one_womans_room_is_once_over_a_degree_warmer(study: Path) -> None:
    visits = table(study, "visits").pivot(index="participant", columns="visit", values="ambient_c")
    change = visits[VISITS[1:]].sub(visits["before"], axis=0)
    assert (change > 1).sum().sum() == 1
    assert change.abs().stack().nsmallest(8).max() < 1


def test_ten_units_a_foot_two_at_each_toe_and_the_figures_add_up(study: Path) -> None:
    given = table(study, "injections")
    assert given.groupby(["participant", "side"])["units_u"].sum().tolist() == [10] * 6
    assert given.groupby(["participant", "side"])["site"].apply(list).tolist() == [list(TOES)] * 6
    np.testing.assert_allclose(given["volume_ml"] * given["concentration_u_per_ml"], given["units_u"])
    before = table(study, "visits").query("visit == 'before'").set_index("participant")["date"]
    assert (given["date"] == given["participant"].map(before)).all()


def test_the_diary_stays_within_its_scales_and_one_womans_swelling_is_in_it(study: Path) -> None:
    diary = table(study, "diary")
    assert not diary.duplicated(["participant", "date"]).any()
    assert diary["rcs"].between(0, 10).all()
    assert diary[["pain_vas", "cold_intolerance"]].stack().between(0, 100).all()
    assert (diary["attacks_n"] >= 0).all()
    assert set(diary["colour_change"].dropna().str.split(";").explode()) == {"white", "blue", "red"}
    assert (diary["colour_change"].isna() == (diary["attacks_n"] == 0)).all()
    taped = diary.dropna(subset="swelling_mm")
    assert taped["participant"].nunique() == 1
    assert len(taped) > 15


def test_two_respond_one_hardly_and_the_effect_sets_in_lasts_and_wanes(study: Path) -> None:
    toes = table(study / "truth", "toes")
    effect = toes.pivot_table(index="participant", columns="visit", values="injection_c")[VISITS]
    assert (effect["before"] == 0).all()
    assert effect["week06"].between(2, 4).sum() == 2
    assert (effect["week06"] < 0.7).sum() == 1
    assert effect["month03"].div(effect["week06"]).between(0.85, 1.0).all()
    assert effect["month05"].div(effect["week06"]).between(0.3, 0.8).all()


def test_true_temperatures_are_the_sum_of_their_causes(study: Path) -> None:
    """Toes far warmer than the room feel nothing of the floor: they change by the sum of the causes."""
    toes, regions = table(study / "truth", "toes"), table(study / "truth", "regions")
    causes = toes.set_index(["scan", "side", "region"])[["injection_c", "room_c", "season_c", "day_c"]].sum(axis=1)
    skin = regions.set_index(["scan", "side", "region"])["skin_mean_c"]
    checked = 0
    for person in ("P01", "P02", "P03"):
        for side in SIDES:
            for toe in TOES:
                late, later = (person + "_month03", side, toe), (person + "_month05", side, toe)
                if min(skin[late], skin[later]) > 26.5:
                    assert skin[later] - skin[late] == pytest.approx(causes[later] - causes[late], abs=0.1)
                    checked += 1
    assert checked > 5


def test_the_recordings_hold_the_truth_plus_the_cameras_offset(study: Path) -> None:
    flyr = pytest.importorskip("flyr")
    offsets = table(study / "truth", "scans").set_index("scan")["camera_offset_c"]
    regions = table(study / "truth", "regions").set_index(["scan", "side", "region"])
    assert offsets.between(-2, 2).all()
    for scan in ("P01_before", "P03_month05"):
        read = flyr.unpack(str(study / "thermograms" / f"{scan}.jpg")).celsius
        labels = tifffile.imread(study / "truth" / "labels" / f"{scan}.tif")
        for side in SIDES:
            for name in SOLE_REGIONS:
                mask = labels == LEGEND[f"{side}_{name}"]
                truth = regions.loc[(scan, side, name)]
                assert mask.sum() == truth["n_px"]
                assert truth["area_px"] == pytest.approx(truth["n_px"], rel=0.08)
                # 0.35: non-uniformity, and blur across the rim of a small toe
                assert read[mask].mean() - offsets[scan] == pytest.approx(truth["scene_mean_c"], abs=0.35)


def test_toes_are_large_enough_to_be_found(study: Path) -> None:
    regions = table(study / "truth", "regions")
    assert regions[regions["region"].isin(TOES)]["n_px"].min() > 100
    marks = table(study / "truth", "landmarks")
    assert marks["x_px"].between(5, 315).all()
    assert marks["y_px"].between(5, 235).all()


def test_the_truth_says_what_it_is(study: Path) -> None:
    made = json.loads((study / "truth" / "made_by.json").read_text(encoding="utf-8"))
    assert made["seed"] == 20260101
    text = (study / "truth" / "README.md").read_text(encoding="utf-8")
    listed = {path.name for path in (study / "truth").iterdir() if path.suffix in (".csv", ".json")}
    assert all(f"`{name}`" in text for name in listed)


def test_the_same_seed_gives_the_same_bytes_and_replaces_only_its_own(study: Path, tmp_path: Path) -> None:
    again = simulate_case_series(tmp_path / "deep" / "study", seed=20260101)
    assert hashes(again) == hashes(study)
    (again / "left behind.txt").write_text("x", encoding="utf-8")
    other = simulate_case_series(again, seed=7, reference_in_view=True)
    assert not (other / "left behind.txt").exists()
    assert hashes(other)["thermograms/P01_before.jpg"] != hashes(study)["thermograms/P01_before.jpg"]
    assert [path.name for path in other.parent.iterdir()] == ["study"]
    scans = table(other, "scans")
    assert set(scans["reference_c"]) == {30.0}
    assert set(scans["reference_box"]) == {"8;8;32;32"}
    truth = table(other / "truth", "scans").set_index("scan")
    flyr = pytest.importorskip("flyr")
    read = flyr.unpack(str(other / "thermograms" / "P02_week06.jpg")).celsius[10:30, 10:30].mean()
    assert read - truth.loc["P02_week06", "camera_offset_c"] == pytest.approx(30.0, abs=0.5)


def test_a_folder_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "study"
    theirs.mkdir()
    (theirs / "participants.csv").write_text("participant\n", encoding="utf-8")
    with pytest.raises(OutputError, match=r"Nothing was changed\. Choose another folder"):
        simulate_case_series(theirs)
    (theirs / "truth").mkdir()
    (theirs / "truth" / "made_by.json").write_text('["not ours"]', encoding="utf-8")
    with pytest.raises(OutputError, match="found something else"):
        simulate_case_series(theirs)
    assert sorted(path.name for path in theirs.rglob("*")) == ["made_by.json", "participants.csv", "truth"]
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match="found something else"):
        simulate_case_series(file)
    with pytest.raises(OutputError, match="cannot be made"):
        simulate_case_series(file / "study")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "study"]


def test_the_effects_course() -> None:
    course = [patients.effect_course(days) for days in (-1, 0, 7, 42, 91, 152, 300)]
    assert course[:2] == [0, 0]
    assert course[2] == pytest.approx(0.65, abs=0.02)
    assert course[3] > 0.99
    assert course[4] == pytest.approx(0.95, abs=0.01)
    assert course[5] == pytest.approx(0.51, abs=0.03)
    assert course[6] < 0.001
