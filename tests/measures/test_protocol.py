"""Each check, judged on facts whose answer is known; what is not known never passes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rewarm.errors import InvalidThermogramError
from rewarm.measures import RULES, TISEM_ITEMS, Check, Circumstances, FrameJumps, Setting, comparability, review_picture
from rewarm.measures.protocol import JUDGES
from rewarm.measures.protocol_rules import GROUPS
from rewarm.regions import Region, Regions, limb_sides
from rewarm.thermogram import CameraIdentity, ObjectParameters

WELL_TAKEN = Circumstances(
    person_described=True,
    smoking=False,
    caffeine=False,
    exercise=False,
    ambient_c=22.0,
    planned_room_c=22.5,
    humidity_pct=45.0,
    settling_min=20.0,
    draught_free=True,
    skin_dry=True,
    warm_up_min=40.0,
    viewing_angle_deg=5.0,
)
CAMERA = CameraIdentity(
    camera_make="FLIR", camera_model="T540", acquired_at="2026-01-12T10:05:00", accuracy_c=2.0, field_of_view_deg=25.0
)
SETTINGS = ObjectParameters(emissivity=0.98, reflected_c=22.0, distance_m=0.9)


@pytest.fixture(scope="session")
def scene(pictures: Any) -> tuple[np.ndarray, Regions]:
    picture, regions = pictures.soles(1)
    return pictures.seen(picture), regions


@pytest.fixture
def check(pictures: Any, scene: tuple[np.ndarray, Regions]) -> Any:
    """The outcome of one check, of a picture that is right in every other respect."""

    def one(
        name: str,
        *,
        camera: CameraIdentity = CAMERA,
        settings: ObjectParameters = SETTINGS,
        regions: Regions | None = None,
        picture: np.ndarray | None = None,
        jumps: FrameJumps | None = None,
        reference_u_c: float | None = None,
        **recorded: Any,
    ) -> Check | None:
        still = pictures.still(scene[0] if picture is None else picture, camera=camera, parameters=settings)
        if reference_u_c is not None:
            still = still.assign_attrs(reference_u_c=reference_u_c)
        known = replace(WELL_TAKEN, **recorded)
        review = review_picture(still, regions or scene[1], circumstances=known, jumps=jumps)
        return next((item for item in review.checks if item.id == name), None)

    return one


def test_every_rule_has_a_judge_and_says_why_and_who() -> None:
    assert list(RULES) == list(JUDGES)
    for name, rule in RULES.items():
        assert rule.id == name
        assert rule.group in GROUPS
        assert all((rule.title, rule.question, rule.expected, rule.reason, rule.source)), name
        if rule.good is not None:
            assert rule.unit, name
            if rule.tolerable is not None:
                assert rule.tolerable[0] <= rule.good[0] <= rule.good[1] <= rule.tolerable[1], name


def test_every_item_of_the_consensus_has_a_check() -> None:
    assert sorted(TISEM_ITEMS) == list(range(1, 16))
    assert {item for rule in RULES.values() for item in rule.tisem} == set(TISEM_ITEMS)


def test_a_picture_taken_well_passes_everything_but_the_cameras_accuracy(
    pictures: Any, scene: tuple[np.ndarray, Regions]
) -> None:
    still = pictures.still(scene[0], camera=CAMERA, parameters=SETTINGS)
    review = review_picture(still, scene[1], circumstances=WELL_TAKEN)
    assert [item.id for item in review.checks] == [name for name in RULES if name not in ("reference", "shutter")]
    assert {item.id: (item.status, item.found) for item in review.checks if item.status != "pass"} == {
        "accuracy": ("warn", "±2 °C, no reference in view")
    }
    assert all((item.expected, item.reason, item.source, item.title) for item in review.checks)


def test_what_is_not_known_never_passes(pictures: Any, scene: tuple[np.ndarray, Regions]) -> None:
    review = review_picture(pictures.still(scene[0]), scene[1])
    status = {item.id: item.status for item in review.checks}
    from_pixels = {"resolution", "pixels_per_toe", "angle", "position", "evaluation"}
    from_pixels |= {"cut_off", "clipping", "focus", "motion"}
    assert {name for name, value in status.items() if value != "unknown"} == from_pixels
    assert "room_as_planned" not in status  # nothing was planned


def test_without_any_region_the_pictures_checks_are_unknown(pictures: Any, scene: tuple[np.ndarray, Regions]) -> None:
    nothing = replace(scene[1], items=tuple(replace(item, confidence=0.1) for item in scene[1].items))
    status = {item.id: item.status for item in review_picture(pictures.still(scene[0]), nothing).checks}
    for name in ("pixels_per_toe", "angle", "cut_off", "clipping", "focus", "motion"):
        assert status[name] == "unknown", name
    assert status["evaluation"] == "fail"


@pytest.mark.parametrize(
    ("name", "recorded", "status", "found"),
    [
        ("room", {"ambient_c": 18.0}, "pass", "18 °C"),
        ("room", {"ambient_c": 24.0}, "pass", "24 °C"),
        ("room", {"ambient_c": 24.5}, "warn", "24.5 °C"),
        ("room", {"ambient_c": 16.0}, "warn", "16 °C"),
        ("room", {"ambient_c": 27.0}, "fail", "27 °C"),
        ("room", {"ambient_c": -3.0}, "fail", "−3 °C"),
        ("room", {"ambient_c": None}, "unknown", "not recorded"),
        ("room_as_planned", {"ambient_c": 23.4, "planned_room_c": 22.5}, "pass", "23.4 °C, planned 22.5 °C"),
        ("room_as_planned", {"ambient_c": 21.1, "planned_room_c": 22.5}, "warn", "21.1 °C, planned 22.5 °C"),
        ("room_as_planned", {"ambient_c": 26.0, "planned_room_c": 22.5}, "fail", "26 °C, planned 22.5 °C"),
        ("humidity", {"humidity_pct": 20.0}, "pass", "20 %"),
        ("humidity", {"humidity_pct": 80.0}, "warn", "80 %"),
        ("humidity", {"humidity_pct": 5.0}, "fail", "5 %"),
        ("settling", {"settling_min": 15.0}, "pass", "15 min"),
        ("settling", {"settling_min": 12.0}, "warn", "12 min"),
        ("settling", {"settling_min": 3.0}, "fail", "3 min"),
        ("warm_up", {"warm_up_min": 30.0}, "pass", "30 min"),
        ("warm_up", {"warm_up_min": 15.0}, "warn", "15 min"),
        ("warm_up", {"warm_up_min": 0.0}, "fail", "0 min"),
        ("warm_up", {"warm_up_min": None}, "unknown", "not recorded (warm_up_min under [protocol])"),
        ("smoking", {"smoking": True}, "fail", "yes"),
        ("caffeine", {"caffeine": True}, "fail", "yes"),
        ("exercise", {"exercise": None}, "unknown", "not recorded (recent_exercise in visits.csv)"),
        ("draughts", {"draught_free": False}, "fail", "no"),
        ("skin_dry", {"skin_dry": True}, "pass", "yes"),
        ("person", {"person_described": False}, "unknown", "not recorded"),
        ("angle", {"viewing_angle_deg": 30.0}, "pass", "30°"),
        ("angle", {"viewing_angle_deg": 40.0}, "warn", "40°"),
        ("angle", {"viewing_angle_deg": 60.0}, "fail", "60°"),
        ("reference", {"reference_in_view": True, "reference_accuracy_c": 0.1}, "pass", "±0.1 °C"),
        ("reference", {"reference_in_view": True, "reference_accuracy_c": 0.3}, "warn", "±0.3 °C"),
        ("reference", {"reference_in_view": True, "reference_accuracy_c": 1.0}, "fail", "±1 °C"),
    ],
)
def test_what_was_written_down(check: Any, name: str, recorded: dict[str, Any], status: str, found: str) -> None:
    item = check(name, **recorded)
    assert (item.status, item.found) == (status, found)
    assert item.expected == RULES[name].expected


def test_a_reference_whose_accuracy_nobody_stated_is_not_known(check: Any) -> None:
    item = check("reference", reference_in_view=True)
    assert item.status == "unknown"
    assert "±0.3 °C assumed" in item.found
    assert check("reference") is None


@pytest.mark.parametrize(
    ("emissivity", "status", "found"),
    [
        (0.98, "pass", "0.98"),
        (0.97, "pass", "0.97"),
        (0.95, "warn", "0.95, a usual default of cameras"),
        (1.0, "warn", "1, a usual default of cameras"),
        (0.7, "fail", "0.7"),
        (None, "unknown", "not recorded"),
    ],
)
def test_emissivity(check: Any, emissivity: float | None, status: str, found: str) -> None:
    item = check("emissivity", settings=replace(SETTINGS, emissivity=emissivity))
    assert (item.status, item.found) == (status, found)


@pytest.mark.parametrize(
    ("reflected_c", "room_c", "status", "found"),
    [
        (23.0, 22.0, "pass", "23 °C, room 22 °C"),
        (20.0, 20.5, "pass", "20 °C, room 20.5 °C"),
        (20.0, 23.0, "warn", "20 °C, a usual default of cameras, room 23 °C"),
        (30.0, 22.0, "warn", "30 °C, room 22 °C"),
        (298.0, 22.0, "fail", "298 °C, room 22 °C"),
        (298.0, None, "fail", "298 °C, which cannot be"),
        (22.0, None, "unknown", "22 °C, room not recorded"),
        (None, 22.0, "unknown", "not recorded"),
    ],
)
def test_reflected_temperature(
    check: Any, reflected_c: float | None, room_c: float | None, status: str, found: str
) -> None:
    item = check("reflected", settings=replace(SETTINGS, reflected_c=reflected_c), ambient_c=room_c)
    assert (item.status, item.found) == (status, found)


def test_the_camera_its_accuracy_and_a_reference(check: Any) -> None:
    assert check("camera").found == "FLIR T540"
    assert check("camera", camera=replace(CAMERA, camera_model=None)).status == "unknown"
    assert check("accuracy", camera=replace(CAMERA, accuracy_c=0.3)).status == "pass"
    assert check("accuracy", camera=replace(CAMERA, accuracy_c=5.0)).status == "fail"
    assert check("accuracy", camera=replace(CAMERA, accuracy_c=None)).status == "unknown"
    assert check("accuracy", reference_u_c=0.2).found == "a reference in view"
    assert check("time_of_day").found == "2026-01-12 10:05"
    assert check("time_of_day", camera=replace(CAMERA, acquired_at="2026-01-12")).status == "unknown"


def test_a_stored_distance_that_cannot_be_is_doubtful(check: Any) -> None:
    item = check("distance")
    assert item.status == "pass"
    assert item.found.startswith("0.9 m, a pixel is 1.25 mm")
    item = check("distance", settings=replace(SETTINGS, distance_m=2.0))
    assert item.status == "warn"
    assert "would make a foot" in item.found
    assert check("distance", settings=replace(SETTINGS, distance_m=20.0)).status == "fail"
    assert check("distance", settings=replace(SETTINGS, distance_m=None)).status == "unknown"


@pytest.mark.parametrize(
    ("shape", "mm_per_px", "status"),
    [((240, 320), 1.25, "pass"), ((320, 240), 1.25, "pass"), ((120, 160), 2.5, "warn"), ((60, 80), 5.0, "fail")],
)
def test_pixels_of_the_picture_and_of_toes(
    pictures: Any, check: Any, shape: tuple[int, int], mm_per_px: float, status: str
) -> None:
    picture, regions = pictures.soles(1, shape=shape, mm_per_px=mm_per_px)
    seen = pictures.seen(picture)
    item = check("resolution", picture=seen, regions=regions)
    assert (item.status, item.found) == (status, f"{shape[1]} × {shape[0]} px")
    assert check("pixels_per_toe", picture=seen, regions=regions).status == status


def test_blur_motion_clipping_and_cut_feet(pictures: Any, check: Any) -> None:
    scene, regions = pictures.soles(1)
    assert [
        check("focus", picture=pictures.seen(scene, blur_px=blur_px)).status for blur_px in (0.6, 1.3, 1.9, 3.0)
    ] == ["pass", "pass", "warn", "fail"]
    sharp, moved = pictures.seen(scene), pictures.seen(scene, motion_px=10, motion_deg=90)
    assert check("motion", picture=sharp).found == "less than the blur"
    assert check("motion", picture=moved).status in ("warn", "fail")
    assert check("motion", picture=moved).found.endswith("px up and down")
    assert check("motion", picture=pictures.seen(scene, blur_px=3.0)).status == "pass"
    assert check("clipping", picture=np.minimum(sharp, 28.0)).status == "fail"
    higher, cut = pictures.soles(1, down_px=-40)
    item = check("cut_off", picture=pictures.seen(higher), regions=cut)
    assert item.status == "fail"
    assert "left toe 1" in item.found
    lower, cut = pictures.soles(1, down_px=40)
    assert check("cut_off", picture=pictures.seen(lower), regions=cut).status == "warn"
    assert check("cut_off", regions=regions).found == "whole"


def test_the_angle_is_only_judged_where_the_feets_shape_is_clear(check: Any, scene: tuple[np.ndarray, Regions]) -> None:
    assert check("angle", viewing_angle_deg=None).found == "0 to 25°, by the feet's shape"
    toes_only = tuple(item for item in scene[1].items if item.region not in ("heel", "foot"))
    item = check("angle", viewing_angle_deg=None, regions=replace(scene[1], items=toes_only))
    assert item.status == "unknown"


def test_shutter_events_are_for_recordings(check: Any) -> None:
    assert check("shutter") is None
    assert check("shutter", jumps=FrameJumps(50, 1, (), (), 0.01)).status == "pass"
    assert check("shutter", jumps=FrameJumps(50, 1, (7,), (-0.1,), 0.01)).status == "warn"
    item = check("shutter", jumps=FrameJumps(50, 2, (8, 20), (0.3, -0.4), 0.01))
    assert item.status == "fail"
    assert item.found == "2 of up to 0.40 °C, before frame 8, 20; 50 frames looked at"


def test_missing_regions_are_a_warning(check: Any, scene: tuple[np.ndarray, Regions]) -> None:
    first, *rest = scene[1].items
    some = replace(scene[1], items=(replace(first, confidence=0.2), *rest))
    assert (check("evaluation", regions=some).status, check("evaluation", regions=some).found) == ("warn", "17 of 18")


def test_a_recording_is_refused(pictures: Any, scene: tuple[np.ndarray, Regions]) -> None:
    recording: xr.Dataset = pictures.recording(np.stack([scene[0]] * 3))
    with pytest.raises(InvalidThermogramError, match="expected one picture"):
        review_picture(recording, scene[1])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    seed=st.integers(0, 2**32 - 1),
    holes=st.sampled_from([0.0, 0.3, 1.0]),
    levels=st.sampled_from([1, 2, 1000]),
    limb=st.sampled_from(["feet", "left_foot", "hands"]),
)
def test_any_picture_with_any_regions_is_judged(
    pictures: Any, height: int, width: int, seed: int, holes: float, levels: int, limb: str
) -> None:
    """However small, empty, flat or full of gaps: outcomes, no exception, no numerical warning."""
    rng = np.random.default_rng(seed)
    picture = (20 + rng.integers(0, levels, (height, width)) * (12 / levels)).astype(np.float32)
    picture[rng.random(picture.shape) < holes] = np.nan
    items = []
    for side in limb_sides(limb):
        for name in ("finger1", "palm", "hand") if limb == "hands" else ("toe1", "heel", "arch", "foot"):
            mask = np.zeros(picture.shape, dtype=bool)
            y, x = rng.integers(0, height), rng.integers(0, width)
            mask[y : y + rng.integers(0, height + 1), x : x + rng.integers(0, width + 1)] = True
            items.append(Region(side, name, mask, float(rng.uniform(0.3, 1)), "test"))
    view = "palmar" if limb == "hands" else "plantar"
    regions = Regions(picture.shape, limb, view, tuple(items), {})
    still = pictures.still(picture, camera=CAMERA, parameters=SETTINGS)
    review = review_picture(still, regions, circumstances=Circumstances(ambient_c=22.0))
    assert all(item.status in ("pass", "warn", "fail", "unknown") and item.found for item in review.checks)
    setting = Setting(still, regions, review)
    assert all(item.limit for item in comparability(setting, setting))
