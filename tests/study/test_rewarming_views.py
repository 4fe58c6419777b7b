"""Hands and backs of feet warm again: the same path, with the figures named for what is seen."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from rewarm.anatomy import Drawing, mask_polygon, write_drawings
from rewarm.anatomy.atlas import hand_atlas, sole_atlas
from rewarm.regions import FINGERS, TOES, Regions
from rewarm.report.rewarming import rewarming_sections
from rewarm.study import run_study
from rewarm.study.films import rewarming_film
from rewarm.study.results import StudyResult
from tests.study.challenge import write_recording

ROOM_C, LOWEST_C, REST_C, BODY_C = 21.0, 15.0, 31.0, 29.0
TAU_S = 200.0
TIME_S = np.arange(46) * 20.0
VIEWS = [
    ("left_hand", "palmar", FINGERS, "palm", "distal_proximal_difference"),
    ("left_hand", "dorsal", FINGERS, "hand_dorsum", "distal_dorsal_difference"),
    ("left_foot", "dorsal", TOES, "dorsum", "distal_dorsal_difference"),
]


def drawn_masks(digits: tuple[str, ...], base: str) -> dict[str, NDArray[np.bool_]]:
    """A hand, or a foot whose body is one region, with a margin round it."""
    whole: Regions = hand_atlas(160) if digits is FINGERS else sole_atlas(300)
    parts = {item.region: item.mask for item in whole.items}
    body = parts["palm"] if digits is FINGERS else parts["ball"] | parts["arch"] | parts["heel"]
    return {name: np.pad(mask, 12) for name, mask in ({name: parts[name] for name in digits} | {base: body}).items()}


def picture(masks: dict[str, NDArray[np.bool_]], levels: dict[str, float], sway_px: float = 0.0) -> NDArray[np.float32]:
    """Skin of one temperature in each region before a room, blurred and moved sideways."""
    values = np.full(next(iter(masks.values())).shape, ROOM_C)
    for name, mask in masks.items():
        values[mask] = levels[name]
    return ndimage.shift(ndimage.gaussian_filter(values, 0.6), (0.0, sway_px), order=1, mode="nearest").astype(
        np.float32
    )


def tau_s(digits: tuple[str, ...], name: str) -> float:
    return TAU_S * (1.0 + 0.2 * digits.index(name))


@pytest.fixture(scope="module", params=VIEWS, ids=lambda view: f"{view[0]}, {view[1]}")
def ran(request, tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyResult, tuple[str, ...], str, str]:
    from tests.study.conftest import PARTICIPANTS, STUDY_TOML, VISITS

    limb, view, digits, base, metric = request.param
    place = tmp_path_factory.mktemp("views")
    (place / "thermograms").mkdir()
    masks = drawn_masks(digits, base)
    frames = []
    for i, now_s in enumerate(TIME_S):
        levels = {base: BODY_C - 6.0 * np.exp(-now_s / 120.0)}
        levels |= {name: REST_C - (REST_C - LOWEST_C) * np.exp(-now_s / tau_s(digits, name)) for name in digits}
        frames.append(picture(masks, levels, 1.2 * np.sin(0.4 * i)))
    write_recording(place / "thermograms" / "cold.zarr", TIME_S, np.array(frames))
    rest = picture(masks, {base: BODY_C} | dict.fromkeys(digits, REST_C))
    noise = np.random.default_rng(4).normal(0, 0.05, rest.shape)
    np.save(place / "thermograms" / "rest.npy", rest + noise.astype(np.float32))
    marks = [Drawing("left", name, mask_polygon(mask), "a reader") for name, mask in masks.items()]
    for scan in ("rest", "cold"):
        write_drawings(marks, place / "annotations" / f"{scan}.geojson")
    rows = (
        f"P1,before,rest,thermograms/rest.npy,{limb},{view},rest,E60,0.98,\n"
        f"P1,before,cold,thermograms/cold.zarr,{limb},{view},rewarming,E60,0.98,0\n"
    )
    header = "participant,visit,scan,file,limb,view,phase,camera,emissivity,time_s\n"
    for name, text in {
        "study.toml": STUDY_TOML, "participants.csv": PARTICIPANTS, "visits.csv": VISITS, "scans.csv": header + rows,
    }.items():  # fmt: skip
        (place / name).write_text(text, encoding="utf-8")
    return run_study(place, place / "out"), digits, base, metric


def test_every_digit_has_its_figures_under_its_own_name(ran):
    result, digits, base, metric = ran
    rows = result.measurements.query("scan == 'cold'").set_index(["region", "metric"]).sort_index()
    assert set(rows.index.get_level_values("region")) == {*digits, base}
    assert (rows["side"] == "left").all()
    for name in digits:
        truth_s = tau_s(digits, name) * np.log(2.0)
        assert rows.loc[(name, "t50_reached"), "value"].item() == 1.0
        assert rows.loc[(name, "t50"), "value"].item() == pytest.approx(truth_s, rel=0.12)
        assert rows.loc[(name, "tpre"), "value"].item() == pytest.approx(REST_C, abs=0.6)
        assert rows.loc[(name, "tmin"), "value"].item() == pytest.approx(LOWEST_C, abs=0.9)
    apart = rows.loc[(digits[0], metric)].sort_values("time_s")
    assert apart["time_s"].tolist() == [0.0, 300.0, 600.0, 900.0]
    assert (np.diff(apart["value"]) > 0).all()
    other = {"distal_proximal_difference", "distal_dorsal_difference"} - {metric}
    assert not rows.index.get_level_values("metric").isin(other).any()


def test_the_report_and_the_film_speak_of_what_is_seen(ran):
    result, digits, base, _ = ran
    (section,) = rewarming_sections(result, "P1")
    noun = "fingers" if digits is FINGERS else "toes"
    title = {"palm": "Palms", "hand_dorsum": "Backs of the hands", "dorsum": "Backs of the feet"}[base]
    assert section.title == f"{title} after cold water"
    assert noun in section.sentences[0]
    assert section.tables[0].first == ("Thumb" if digits is FINGERS else "Big toe")
    assert rewarming_film(result.rewarmings[0], name="before").noun == noun
