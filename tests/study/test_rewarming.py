"""Recordings and stills of rewarming become challenges: rows, curves, maps, checks; their truth is a closed form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile

from rewarm.cameras import open_thermogram
from rewarm.errors import InvalidInputError
from rewarm.motion import LOST
from rewarm.regions import SIDES, TOES
from rewarm.study import run_study
from rewarm.study import scan as scan_module
from rewarm.study.films import Shot, file_films, rewarming_film
from rewarm.study.pictures import take_pictures
from rewarm.study.results import ScanResult, StudyResult
from rewarm.study.rewarming import STRAY, with_rewarmings
from rewarm.study.scan import ScanPlan, measure_scan, open_scan
from rewarm.tables import CURVES, MEASUREMENTS
from tests.study.challenge import LOWEST_C, REST_C, challenge_frames, half_s, rest_frame, write_recording

TAU_S = 240.0
TIME_S = np.arange(61) * 15.0
PROTOCOL = """
[protocol]
water_c = 19
immersion_s = 60
follow_up_min = 15
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of one person: at rest and followed before, three single pictures at six weeks."""
    from tests.study.conftest import PARTICIPANTS, STUDY_TOML, VISITS

    place = tmp_path_factory.mktemp("challenge")
    (place / "thermograms").mkdir()
    frames = challenge_frames(TIME_S, TAU_S, sway_px=1.5)
    frames[20:26, 8:60, 60:150] = 33.0  # a hand over one foot's toes
    write_recording(place / "thermograms" / "cold.zarr", TIME_S, frames)
    noise = np.random.default_rng(4)
    rows = ["P1,before,rest,thermograms/rest.npy,feet,plantar,rest,E60,0.98,"]
    rows.append("P1,before,cold,thermograms/cold.zarr,feet,plantar,rewarming,E60,0.98,0")
    np.save(place / "thermograms" / "rest.npy", rest_frame() + noise.normal(0, 0.05, (120, 160)).astype(np.float32))
    for minute in (0, 5, 10):
        still = challenge_frames(np.array([60.0 * minute]), 2 * TAU_S)[0]
        np.save(place / "thermograms" / f"s{minute}.npy", still + noise.normal(0, 0.05, still.shape).astype(np.float32))
        rows.append(f"P1,week06,s{minute},thermograms/s{minute}.npy,feet,plantar,rewarming,E60,0.98,{60 * minute}")
    tables = {
        "study.toml": STUDY_TOML + PROTOCOL,
        "participants.csv": PARTICIPANTS,
        "visits.csv": VISITS,
        "scans.csv": "participant,visit,scan,file,limb,view,phase,camera,emissivity,time_s\n" + "\n".join(rows) + "\n",
    }
    for name, text in tables.items():
        (place / name).write_text(text, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def ran(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyResult, Path]:
    output = tmp_path_factory.mktemp("results") / "out"
    return run_study(folder, output), output


def metric(result: StudyResult, scan: str, name: str) -> pd.Series:
    rows = result.measurements.query("scan == @scan and metric == @name")
    return rows.set_index(["side", "region"])["value"]


def test_a_recording_gives_the_known_half_times(ran: tuple[StudyResult, Path]):
    result, _ = ran
    found, reached = metric(result, "cold", "t50"), metric(result, "cold", "t50_reached")
    truth = {(side, toe): half_s(TAU_S, n, side) for side in SIDES for n, toe in enumerate(TOES, start=1)}
    truth = {where: seconds for where, seconds in truth.items() if where in found.index}
    assert len(truth) >= 8  # the smallest toes are a few pixels wide
    assert (reached.loc[list(truth)] == 1).all()
    ratios = pd.Series({where: found[where] / seconds for where, seconds in truth.items()})
    assert ratios.between(0.8, 1.25).all()  # a toe's rim shares pixels with the ground and with its neighbours
    assert ratios.mean() == pytest.approx(1.0, abs=0.08)
    assert metric(result, "cold", "tpre").loc[list(truth)].mean() == pytest.approx(REST_C, abs=1.0)
    assert metric(result, "cold", "tmin").loc[list(truth)].mean() == pytest.approx(LOWEST_C, abs=1.0)
    rows = result.measurements.query("scan == 'cold'")
    assert list(rows.columns) == list(MEASUREMENTS)
    means = rows.query("metric == 'mean' and side == 'left' and region == 'toe1'")
    assert means["time_s"].tolist() == [0.0, 285.0, 600.0, 900.0]  # at 300 s a hand lay over it
    assert rows[rows["metric"].eq("t50")]["time_s"].isna().all()


def test_curves_say_which_frames_were_left_out_and_why(ran: tuple[StudyResult, Path]):
    result, output = ran
    curves = pd.read_csv(output / "curves" / "cold.csv")
    assert list(curves.columns) == list(CURVES)
    assert set(curves["region"]) >= set(TOES)
    covered = curves.query("side == 'left' and region == 'toe3'").set_index("time_s")
    hidden = covered.loc[TIME_S[20] : TIME_S[25]]
    assert (hidden["used"] == 0).all()
    assert hidden["celsius"].isna().all()
    assert hidden["reason"].isin(["covered", "lost", "out of focus", STRAY]).all()
    clear = covered.loc[TIME_S[30] :]
    assert (clear["used"] == 1).mean() > 0.9
    assert clear["reason"].isna().mean() > 0.9
    assert (clear["u"] > 0).all()
    assert any("left out" in text for text in result.rewarmings[0].warnings)


def test_maps_lie_in_the_geometry_of_the_regions(ran: tuple[StudyResult, Path]):
    _, output = ran
    labels = tifffile.imread(output / "regions" / "cold.tif")
    half = tifffile.imread(output / "maps" / "cold.half_time_s.tif")
    assert half.dtype == np.float32
    assert half.shape == labels.shape
    assert np.isnan(half[labels == 0]).mean() > 0.95
    timed = half[(labels > 0) & np.isfinite(half)]
    assert 60.0 < float(np.median(timed)) < 400.0
    assert not (output / "maps" / "s0.half_time_s.tif").exists()


def test_stills_of_a_visit_keep_their_temperatures_and_are_one_challenge(ran: tuple[StudyResult, Path]):
    result, output = ran
    challenge = result.rewarmings[1]
    assert (challenge.scan, challenge.scans) == ("s0", ("s0", "s5", "s10"))
    own = result.measurements.query("metric == 'mean' and region == 'toe1' and side == 'left' and visit == 'week06'")
    assert own["time_s"].tolist() == [0.0, 300.0, 600.0]
    assert (np.diff(own["value"]) > 1.0).all()
    assert set(result.measurements.query("metric == 'tmin' and visit == 'week06'")["scan"]) == {"s0"}
    # nothing was measured at rest at this visit, and the visit before must not stand for it
    assert result.measurements.query("metric == 't50' and visit == 'week06'").empty
    assert challenge.baseline_scan == ""
    assert result.rewarmings[0].baseline_scan == "rest"
    assert len(pd.read_csv(output / "curves" / "s0.csv")["time_s"].unique()) == 3


def test_what_was_wrong_with_the_challenge_is_among_the_checks(ran: tuple[StudyResult, Path]):
    _, output = ran
    checks = pd.read_csv(output / "checks.csv")
    cold = checks[checks["scan"].eq("cold")].set_index("check")
    alone = checks[checks["scan"].eq("rest")]
    more = cold.index.difference(alone["check"])
    assert len(more) >= 4
    water = [name for name in more if "water" in name]
    assert cold.loc[water, "status"].isin(["warn", "fail"]).all()
    assert any("19" in str(found) for found in cold.loc[water, "found"])


def test_a_film_is_still_while_the_feet_sway(ran: tuple[StudyResult, Path]):
    result, _ = ran
    film = rewarming_film(result.rewarmings[0], name="before")
    assert film.noun == "toes"
    assert (np.diff(film.time_s) > 0).all()
    assert not np.isin(TIME_S[21:25], film.time_s).any() or np.isin(TIME_S[:20], film.time_s).all()
    curves = result.rewarmings[0].curves
    last = curves[curves["time_s"].eq(film.time_s[-1]) & curves["region"].isin(TOES)]["celsius"].median()
    assert film.digits_c[-1] == pytest.approx(last)
    late = [film.temperature_c[i] for i in np.flatnonzero(film.time_s > 600.0)]
    shifts_px = [cv2.phaseCorrelate(late[-1], picture)[0][0] for picture in late]
    assert np.abs(shifts_px).max() < 0.5  # both soles sway by ±1.5 px


def test_regions_are_not_sought_where_a_hand_lies_over_the_feet(folder: Path):
    plan = ScanPlan(folder / "thermograms" / "cold.zarr", "cold", phase="rewarming", time_s=0.0)
    pictures = take_pictures(plan, open_scan(plan))
    assert pictures.course is not None
    assert len(pictures.course.candidates) == 3
    assert not set(pictures.course.candidates) & set(range(20, 26))


def test_outlines_that_cannot_be_followed_are_sought_in_another_frame(folder: Path, monkeypatch: pytest.MonkeyPatch):
    plan = ScanPlan(folder / "thermograms" / "cold.zarr", "cold", phase="rewarming", time_s=0.0)
    usual = measure_scan(plan)
    real, asked = scan_module.follow_motion, []

    def follow(recording, regions, *, reference: int, frames, find):
        asked.append(reference)
        motion = real(recording, regions, reference=reference, frames=frames, find=find)
        if len(asked) > 1:
            return motion
        limbs = {side: replace(m, reasons=(LOST,) * len(m.reasons)) for side, m in motion.limbs.items()}
        return replace(motion, limbs=limbs)

    monkeypatch.setattr(scan_module, "follow_motion", follow)
    found = measure_scan(plan)
    assert len(asked) == 2
    assert usual.followed is not None
    assert found.followed is not None
    assert found.followed.motion.reference == asked[1] != usual.followed.motion.reference
    assert found.regions.found


def test_two_files_of_different_kinds_cannot_be_animated(folder: Path):
    rest, cold = (Shot(folder / "thermograms" / name, name) for name in ("rest.npy", "cold.zarr"))
    with pytest.raises(InvalidInputError, match=r"found a single picture \(rest.npy\) before and a recording"):
        file_films(rest, cold)


def test_a_recording_without_limbs_is_no_challenge(folder: Path, tmp_path: Path):
    write_recording(tmp_path / "wall.zarr", TIME_S[:8], np.full((8, 120, 160), 22.0, dtype=np.float32))
    scan = measure_scan(ScanPlan(tmp_path / "wall.zarr", "wall", phase="rewarming", time_s=0.0))
    assert scan.followed is None
    assert with_rewarmings([scan])[1] == []


def test_two_stills_are_no_course(folder: Path):
    scans: list[ScanResult] = [
        measure_scan(
            ScanPlan(folder / "thermograms" / f"s{minute}.npy", f"s{minute}", phase="rewarming", time_s=60.0 * minute)
        )
        for minute in (0, 5)
    ]
    whole, challenges = with_rewarmings(scans)
    assert challenges == []
    assert [scan.scan for scan in whole] == ["s0", "s5"]
    assert open_thermogram(folder / "thermograms" / "s0.npy").sizes["x"] == 160
    unsaid = [replace(scan, time_s=None) for scan in scans]
    assert with_rewarmings([*unsaid, *unsaid])[1] == []
