"""Every ready plan becomes a folder that can be analysed, whole or not at all, with a truth that fits it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

import rewarm
from rewarm.errors import OutputError
from rewarm.processes import process_pool
from rewarm.regions import LEGEND, SIDES, TOES
from rewarm.study import check_study
from rewarm.twin.staging import resumable_study, unfinished
from rewarm.twin.studies import (
    CameraPlan,
    GroupPlan,
    PicturesPlan,
    StudyPlan,
    ToxinPlan,
    VisitsPlan,
    read_plan,
    recordings,
    scans_kept,
    simulate_study,
)

PLANS = Path(__file__).parents[3] / "examples" / "plans"
SMALL = StudyPlan(groups=(GroupPlan(n=1),), visits=VisitsPlan(weeks=(0, 6)), toxin=ToxinPlan(effect_c=3, person_sd=0))


def small(plan: StudyPlan) -> StudyPlan:
    """The same plan with one person a group, few visits and few frames, so that its pictures take a second."""
    pictures = replace(plan.pictures, frames=4, interval_s=60.0)
    groups = tuple(replace(group, n=1) for group in plan.groups)
    if plan.pictures.kind == "none":
        return replace(plan, groups=tuple(replace(group, n=2) for group in groups))
    cut = replace(plan.visits, weeks=plan.visits.weeks[:2], cameras=plan.visits.cameras[:2])
    return replace(plan, groups=groups, visits=cut, pictures=pictures)


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("path", sorted(PLANS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_ready_plan_becomes_a_study_without_a_problem(path: Path, tmp_path: Path) -> None:
    plan = small(read_plan(path))
    folder = simulate_study(plan, tmp_path / "study")
    result = check_study(folder)
    assert not result.problems, [str(problem) for problem in result.problems]
    truth = folder / "truth"
    readme = (truth / "README.md").read_text(encoding="utf-8")
    assert plan.question in readme
    assert all(f"`{table.name}`" in readme for table in truth.glob("*.csv"))
    assert not any(column.startswith("truth") for column in pd.read_csv(folder / "visits.csv").columns)
    assert (folder / "measurements.csv").exists() == (plan.pictures.kind == "none")
    assert (folder / "diary.csv").exists() == bool(plan.diary.columns or plan.heels)


@pytest.fixture(scope="module")
def stills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_study(SMALL, tmp_path_factory.mktemp("stills") / "study")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    filming = PicturesPlan(kind="recordings", frames=19, interval_s=25.0, nuc_every_s=150, covered=0.15, motion_px=1.5)
    plan = replace(SMALL, toxin=ToxinPlan(nerve_block=0.8, person_sd=0), pictures=filming, seed=4)
    return simulate_study(plan, tmp_path_factory.mktemp("films") / "study")


def test_stills_hold_the_truth_plus_the_cameras_offset(stills: Path) -> None:
    offsets = pd.read_csv(stills / "truth" / "scans.csv").set_index("scan")["camera_offset_c"]
    toes = pd.read_csv(stills / "truth" / "toes.csv").set_index(["participant", "visit", "side", "region"])["true_c"]
    regions = pd.read_csv(stills / "truth" / "regions.csv").set_index(["scan", "side", "region"])
    for visit in ("week00", "week06"):
        scan = f"P01_{visit}"
        read = rewarm.open_thermogram(stills / "thermograms" / f"{scan}.jpg")["temperature"].to_numpy()
        labels = tifffile.imread(stills / "truth" / "labels" / f"{scan}.tif")
        for side in SIDES:
            for toe in TOES:
                truth = regions.loc[(scan, side, toe)]
                assert truth["skin_mean_c"] == pytest.approx(toes[("P01", visit, side, toe)], abs=0.25)  # its texture
                seen = read[labels == LEGEND[f"{side}_{toe}"]].mean() - offsets[scan]
                assert seen == pytest.approx(truth["scene_mean_c"], abs=0.35)
    change = toes.unstack("visit").diff(axis=1)["week06"].mean()
    assert change > 2


def test_the_same_seed_gives_the_same_bytes_and_other_processes_too(stills: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with process_pool(1, preload="rewarm.twin.studies.recordings") as pool:
        again = simulate_study(
            SMALL, tmp_path / "again", pool=pool, on_progress=lambda done, total, _: told.append((done, total))
        )
    assert hashes(again) == hashes(stills)
    assert told == [(1, 2), (2, 2)]
    other = simulate_study(SMALL, again, seed=99)
    assert json.loads((other / "truth" / "made_by.json").read_text())["seed"] == 99
    changed = {name for name, digest in hashes(other).items() if hashes(stills).get(name) != digest}
    assert {"thermograms/P01_week00.jpg", "truth/toes.csv", "visits.csv"} <= changed
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_a_folder_of_someone_else_is_left_alone_and_a_broken_simulation_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "participants.csv").write_text("participant\n", encoding="utf-8")
    with pytest.raises(OutputError, match="Nothing was changed"):
        simulate_study(SMALL, theirs)
    assert [path.name for path in theirs.iterdir()] == ["participants.csv"]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rewarm.twin.studies.write.write_csv", full)
    with pytest.raises(OutputError, match=r"cannot be written \(No space left on device\)"):
        simulate_study(replace(SMALL, pictures=PicturesPlan(kind="none")), tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


def test_each_visit_names_the_camera_that_took_it(tmp_path: Path) -> None:
    cameras = (CameraPlan(id="old", pixels=(160, 120)), CameraPlan(id="new", pixels=(192, 144), model="N"))
    plan = replace(SMALL, cameras=cameras, visits=VisitsPlan(weeks=(0, 6), cameras=("old", "new")))
    folder = simulate_study(plan, tmp_path / "study")
    scans = pd.read_csv(folder / "scans.csv").set_index("scan")
    assert scans["camera"].to_dict() == {"P01_week00": "old", "P01_week06": "new"}
    sizes = [rewarm.open_thermogram(folder / file)["temperature"].shape for file in scans["file"]]
    assert sizes == [(120, 160), (144, 192)]
    assert not check_study(folder).problems


def test_a_black_body_lies_in_every_picture_where_asked(tmp_path: Path) -> None:
    plan = replace(SMALL, pictures=PicturesPlan(reference_in_view=True), visits=VisitsPlan(weeks=(0,)))
    folder = simulate_study(plan, tmp_path / "study")
    scans = pd.read_csv(folder / "scans.csv")
    assert scans.loc[0, "reference_c"] == 30.0
    x0, y0, x1, y1 = (int(part) for part in scans.loc[0, "reference_box"].split(";"))
    read = rewarm.open_thermogram(folder / scans.loc[0, "file"])["temperature"].to_numpy()
    offset = pd.read_csv(folder / "truth" / "scans.csv").loc[0, "camera_offset_c"]
    assert read[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2].mean() - offset == pytest.approx(30, abs=0.6)


def test_a_visit_with_recordings_has_a_still_at_rest_and_a_film_after_the_water(films: Path) -> None:
    scans = pd.read_csv(films / "scans.csv").set_index("scan")
    assert scans["phase"].to_dict() == {
        "P01_week00": "rest",
        "P01_week00_cold": "rewarming",
        "P01_week06": "rest",
        "P01_week06_cold": "rewarming",
    }
    assert scans["time_s"].dropna().tolist() == [0, 0]
    film = rewarm.open_thermogram(films / scans.loc["P01_week00_cold", "file"])
    assert film["temperature"].shape == (19, 240, 320)
    np.testing.assert_allclose(film["time"], 25.0 * np.arange(19), atol=0.002)
    rest = rewarm.open_thermogram(films / scans.loc["P01_week00", "file"])
    still, frame = (np.datetime64(item.attrs["acquired_at"][:19]) for item in (rest, film))
    assert frame - still == np.timedelta64(25, "m")


def test_frames_hold_the_truth_where_nothing_is_in_the_way(films: Path) -> None:
    truth = pd.read_csv(films / "truth" / "frames" / "P01_week00_cold.csv")
    film = rewarm.open_thermogram(films / "thermograms" / "P01_week00_cold.csq")["temperature"].to_numpy()
    labels = tifffile.imread(films / "truth" / "labels" / "P01_week00_cold.tif")
    inside = labels == LEGEND["left_toe1"]
    inside &= np.roll(inside, 3, 0) & np.roll(inside, -3, 0) & np.roll(inside, 3, 1) & np.roll(inside, -3, 1)
    for i in np.flatnonzero(truth["covered"] == 0):
        shift = truth.loc[i, ["left_shift_x_px", "left_shift_y_px"]].to_numpy(float)
        if np.abs(shift).max() < 12 and abs(truth.loc[i, "left_turn_deg"]) < 1:
            moved = np.roll(inside, np.rint(shift[::-1]).astype(int), axis=(0, 1))
            seen = film[i][moved].mean() - truth.loc[i, "camera_offset_c"]
            assert seen == pytest.approx(truth.loc[i, "left_toe1_c"], abs=0.8), (
                f"frame {i}"
            )  # texture, middle of the toe
    covered = np.flatnonzero(truth["covered"])
    assert covered.size > 0
    assert all((np.abs(film[i] - film[i - 1]) > 3).mean() > 0.03 for i in covered if i - 1 not in covered)


def test_frames_out_of_focus_are_blurred_and_nothing_else_changes(films: Path, tmp_path: Path) -> None:
    filming = PicturesPlan(
        kind="recordings", frames=19, interval_s=25.0, nuc_every_s=150, covered=0.15, motion_px=1.5, defocused=0.2
    )
    plan = replace(SMALL, toxin=ToxinPlan(nerve_block=0.8, person_sd=0), pictures=filming, seed=4)
    folder = simulate_study(plan, tmp_path / "study")
    truth = pd.read_csv(folder / "truth" / "frames" / "P01_week00_cold.csv")
    blurred = np.flatnonzero((truth["defocused"] == 1) & (truth["covered"] == 0))
    assert 0 < blurred.size < 10
    frames = rewarm.open_thermogram(folder / "thermograms" / "P01_week00_cold.csq")["temperature"].to_numpy()
    edges = np.array([np.percentile(np.abs(np.diff(frame, axis=0)), 99.5) for frame in frames])
    sharp = np.flatnonzero((truth["defocused"] == 0) & (truth["covered"] == 0))
    assert edges[blurred].max() < 0.8 * edges[sharp].min()
    same = ["time_s", "camera_offset_c", "covered", "left_toe1_c", "left_shift_x_px"]
    before = pd.read_csv(films / "truth" / "frames" / "P01_week00_cold.csv")
    pd.testing.assert_frame_equal(truth[same], before[same])


def test_toes_rewarm_after_the_water_and_the_camera_jumps_at_its_shutter(films: Path) -> None:
    truth = pd.read_csv(films / "truth" / "frames" / "P01_week06_cold.csv")
    toes = truth[[f"{side}_{toe}_c" for side in SIDES for toe in TOES]].mean(axis=1)
    rest = pd.read_csv(films / "truth" / "toes.csv").query("visit == 'week06'")["true_c"].mean()
    assert toes.iloc[0] < rest - 1.5
    assert toes.iloc[-1] > toes.iloc[0] + 1
    assert truth["shutter"].sum() == 3
    step = truth["camera_offset_c"].diff().abs()
    assert step[truth["shutter"] == 1].mean() > 3 * step[truth["shutter"] == 0].mean()
    assert (truth.loc[0, [c for c in truth if "shift" in c or "turn" in c]] == 0).all()
    assert truth[[f"{side}_{toe}_flow_ml_100ml_min" for side in SIDES for toe in TOES]].min(axis=None) > 0


def test_a_mechanisms_effect_is_the_difference_to_the_same_days_without_it(films: Path) -> None:
    toes = pd.read_csv(films / "truth" / "toes.csv")
    assert (toes.query("visit == 'week00'")["injection_c"].abs() < 1e-6).all()
    assert toes.query("visit == 'week06'")["injection_c"].mean() > 0.05
    people = pd.read_csv(films / "truth" / "people.csv")
    assert people.loc[0, ["nerve_block", "direct_dilation", "sweat_block"]].tolist() == [0.8, 0, 0]
    visits = pd.read_csv(films / "truth" / "visits.csv").query("visit == 'week06'")
    parts = visits.filter(regex=r"change_(?!true)").sum(axis=1)
    np.testing.assert_allclose(parts, visits["change_true_c"], atol=1e-4)


def test_an_interrupted_simulation_keeps_its_finished_scans_and_goes_on_from_them(
    stills: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(done: int, _total: int, _what: str) -> None:
        if done == 1:
            raise KeyboardInterrupt

    study, taken = tmp_path / "study", []
    with pytest.raises(KeyboardInterrupt):
        simulate_study(SMALL, study, on_progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == [".study.part"]
    assert (scans_kept(SMALL, study), scans_kept(SMALL, study, seed=99)) == (1, 0)
    assert unfinished(study).startswith(f"1 finished scans are kept in {tmp_path / '.study.part'}; the same command")

    real = recordings.take
    monkeypatch.setattr(recordings, "take", lambda job: taken.append(job[0].scan) or real(job))
    simulate_study(SMALL, study)
    assert taken == ["P01_week06"]
    assert hashes(study) == hashes(stills)
    assert [path.name for path in tmp_path.iterdir()] == ["study"]
    assert (scans_kept(SMALL, study), unfinished(study)) == (0, "")


def test_another_simulation_starts_over_where_one_was_interrupted(tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    plain = replace(SMALL, pictures=PicturesPlan(kind="none"))
    study = tmp_path / "study"
    with pytest.raises(KeyboardInterrupt):
        simulate_study(SMALL, study, on_progress=stop)
    simulate_study(plain, study)
    assert hashes(study) == hashes(simulate_study(plain, tmp_path / "again"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "study"]


def test_two_simulations_at_once_do_not_make_the_same_study(tmp_path: Path) -> None:
    plain = replace(SMALL, pictures=PicturesPlan(kind="none"))
    with (
        resumable_study(tmp_path / "study", "the first"),
        pytest.raises(OutputError, match="another process is simulating into it"),
    ):
        simulate_study(plain, tmp_path / "study")
