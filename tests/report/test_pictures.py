"""Drawings: colours that mean the same everywhere, clipped values marked, labels that cover no toe."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewarm.regions import TOES, Region, Regions
from rewarm.report.curves import Moment, Series, common_axis, curves_svg, equally_spaced
from rewarm.report.labels import LABEL_HEIGHT, LABEL_WIDTH, place_labels
from rewarm.report.palettes import (
    ABOVE,
    BELOW,
    BLUE_RED,
    CHANGE,
    CIVIDIS,
    FIRST_LEVEL,
    LEVELS,
    NO_TEMPERATURE,
    png_data_uris,
    to_levels,
)
from rewarm.report.pictures import change_scale, common_scale, crop_box, limb_mask, picture_labels, thermal_svg
from rewarm.study.results import StudyResult
from rewarm.thermogram import temperature_c


def decode(uri: str) -> np.ndarray:
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def test_levels_mark_what_is_clipped_or_missing() -> None:
    values = np.array([[20.0, 19.9, 30.0, 30.1, np.nan, 25.0]], dtype=np.float32)
    levels = to_levels(values, low=20.0, high=30.0)[0]
    assert levels.tolist() == [
        FIRST_LEVEL,
        BELOW,
        FIRST_LEVEL + LEVELS - 1,
        ABOVE,
        NO_TEMPERATURE,
        FIRST_LEVEL + LEVELS // 2,
    ]


@settings(max_examples=40)
@given(st.lists(st.floats(-50, 80, width=32), min_size=1, max_size=30))
def test_warmer_never_gets_a_colder_level(values: list[float]) -> None:
    row = np.sort(np.array([values], dtype=np.float32))
    levels = to_levels(row, low=-60.0, high=90.0)[0].astype(int)
    assert (np.diff(levels) >= 0).all()
    assert levels.min() >= FIRST_LEVEL


def test_a_picture_is_drawn_in_the_palettes_colours() -> None:
    levels = np.array(
        [[NO_TEMPERATURE, BELOW, ABOVE], [FIRST_LEVEL, FIRST_LEVEL + 60, FIRST_LEVEL + LEVELS - 1]], np.uint8
    )
    for uri, palette in zip(png_data_uris(levels, (BLUE_RED, CIVIDIS)), (BLUE_RED, CIVIDIS), strict=True):
        np.testing.assert_array_equal(decode(uri), palette.table()[levels])


def test_cold_is_blue_and_warm_is_red() -> None:
    table = BLUE_RED.table().astype(int)[FIRST_LEVEL:]
    assert table[0, 2] > table[0, 0] + 60
    assert table[-1, 0] > table[-1, 2] + 60
    assert (np.diff(CIVIDIS.table()[FIRST_LEVEL:].astype(int) @ (2126, 7152, 722)) > 0).all()


def test_change_is_white_at_zero() -> None:
    scale = change_scale([np.array([[-0.4, 2.2, np.nan]], np.float32)])
    assert scale.low == -scale.high
    zero = to_levels(np.zeros((1, 1), np.float32), low=scale.low, high=scale.high)
    assert CHANGE.table()[zero[0, 0]].min() >= 250


def test_one_scale_holds_nearly_all_of_the_limbs(study: StudyResult) -> None:
    pictures = [(temperature_c(scan.thermogram), limb_mask(scan.regions)) for scan in study.scans[:4]]
    scale = common_scale(pictures)
    assert scale.low == int(scale.low)
    for values, mask in pictures:
        inside = values[mask]
        assert ((inside < scale.low) | (inside > scale.high)).mean() < 0.02


def test_labels_cover_neither_toes_nor_each_other(study: StudyResult) -> None:
    regions = study.scans[0].regions
    toes = np.logical_or.reduce([item.mask for item in regions.found if item.region in TOES])
    labels = picture_labels(regions, crop_box([regions]))
    assert sorted(label.text for label in labels) == sorted(["Left", "Right"] + [f"T{i}" for i in range(1, 6)] * 2)
    for i, label in enumerate(labels):
        box = label.box
        rows, columns = slice(max(0, int(box.y0)), int(box.y1) + 1), slice(max(0, int(box.x0)), int(box.x1) + 1)
        assert not toes[rows, columns].any(), label.text
        assert not any(box.meets(other.box) for other in labels[i + 1 :])


@settings(max_examples=25, deadline=None)
@given(angle=st.floats(0, 2 * np.pi))
def test_labels_follow_a_foot_however_it_lies(angle: float) -> None:
    """Five round toes in a row beyond a round sole, turned about the picture's middle."""
    y, x = np.mgrid[0.5:200, 0.5:200]
    axis, across = np.array([np.sin(angle), -np.cos(angle)]), np.array([np.cos(angle), np.sin(angle)])

    def disc(along: float, aside: float, radius: float) -> np.ndarray:
        cx, cy = 100 + axis * along + across * aside
        return np.hypot(x - cx, y - cy) < radius

    items = [Region("left", toe, disc(62, 18 * (i - 2), 8), 0.9, "t") for i, toe in enumerate(TOES)]
    items.append(Region("left", "ball", disc(0, 0, 45), 0.9, "t"))
    regions = Regions((200, 200), "left_foot", "plantar", tuple(items), {})
    labels = {label.text: label.box for label in place_labels(regions, unit=0.4)}
    for i, item in enumerate(items[:5], start=1):
        box = labels[f"T{i}"]
        middle = np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2]) - 100
        assert middle @ axis > 70
        assert box.width == pytest.approx(LABEL_WIDTH * 0.4)
        assert box.height == pytest.approx(LABEL_HEIGHT * 0.4)
        own = np.hypot(*(middle - axis * 62 - across * 18 * (i - 3)))
        others = [np.hypot(*(middle - axis * 62 - across * 18 * k)) for k in range(-2, 3) if k != i - 3]
        assert own < min(others), item.region


def test_outlines_lie_on_the_toes(study: StudyResult) -> None:
    regions = study.scans[0].regions
    crop = crop_box([regions])
    drawing = thermal_svg(
        temperature_c(study.scans[0].thermogram), regions, scale=common_scale([]), palettes=(BLUE_RED,), crop=crop,
        canvas=crop, labels=(), alt="x 1",
    )  # fmt: skip
    solid = re.search(r'<path d="([^"]*)" fill="none" stroke="#111" stroke-width="1.3"', str(drawing.tail))
    assert solid is not None
    rings = [
        np.array(re.findall(r"-?[\d.]+", ring), dtype=float).reshape(-1, 2) for ring in solid[1].split("Z") if ring
    ]
    toes = [item for item in regions.found if item.region in TOES]
    assert len(rings) == len(toes) == 10
    unit = crop.width / 480
    for ring, item in zip(rings, toes, strict=True):
        rows, columns = np.nonzero(item.mask)
        low, high = ring.min(axis=0) * unit + (crop.x0, crop.y0), ring.max(axis=0) * unit + (crop.x0, crop.y0)
        np.testing.assert_allclose(low, (columns.min(), rows.min()), atol=1.2)
        np.testing.assert_allclose(high, (columns.max() + 1, rows.max() + 1), atol=1.2)


def test_large_pictures_are_reduced_and_small_ones_kept() -> None:
    mask = np.ones((900, 700), dtype=bool)
    regions = Regions(mask.shape, "left_foot", "plantar", (Region("left", "heel", mask, 0.9, "t"),), {})
    crop = crop_box([regions])
    drawing = thermal_svg(
        np.full(mask.shape, 25.0, np.float32), regions, scale=common_scale([]), palettes=(BLUE_RED,), crop=crop,
        canvas=crop, labels=(), alt="x 1",
    )  # fmt: skip
    uri = re.search(r'href="([^"]*)"', str(drawing.layers["blue_red"]))
    assert uri is not None
    assert decode(uri[1]).shape == (300, 233, 3)


def test_a_picture_without_regions_or_temperatures_is_still_drawn() -> None:
    regions = Regions((20, 30), "feet", "plantar", (), {})
    assert crop_box([regions]).width == 30
    assert picture_labels(regions, crop_box([regions])) == ()
    empty = np.full((20, 30), np.nan, np.float32)
    assert common_scale([(empty, limb_mask(regions))]).high > common_scale([(empty, limb_mask(regions))]).low


def moments(days: tuple[float | None, ...]) -> list[Moment]:
    return [Moment(f"visit {i}", "", day, 22.0) for i, day in enumerate(days)]


def test_visits_too_close_or_without_dates_are_drawn_at_equal_distances() -> None:
    assert not equally_spaced(moments((0, 42, 91, 152)))
    assert equally_spaced(moments((0, 1, 200)))
    assert equally_spaced(moments((0, None, 200)))
    assert equally_spaced(moments((0, 0)))


def test_curves_tell_toes_apart_without_colour_and_show_the_room() -> None:
    series = [Series(toe, (24.0 + i, 25.0 + i), (0.4, 0.4)) for i, toe in enumerate(TOES)]
    visits = moments((0, 50))
    drawing = str(curves_svg(series, visits, axis=common_axis(series, visits), title="Left foot", alt="a 1"))
    grey = re.sub(r"#[0-9a-f]{3,6}", "", drawing)
    marks = [
        re.search(pattern, grey) for pattern in (r"<circle", r"h7\.4v7\.4", r"l4\.8 8\.4", r"l5\.4 5\.4", r"l8 8m0")
    ]
    assert all(marks)
    for name in ("T1", "T2", "T3", "T4", "T5", "room", "Left foot", "visit 1"):
        assert f">{name}<" in drawing


def test_a_gap_breaks_the_line() -> None:
    series = [Series("toe1", (24.0, None, 26.0), (None, None, None))]
    visits = moments((0, 50, 100))
    drawing = str(curves_svg(series, visits, axis=common_axis(series, visits), title="Left", alt="a 1"))
    line = re.search(r'<path d="([^"]*)" stroke="#0072b2" stroke-width="1.8"', drawing)
    assert line is not None
    assert line[1].count("M") == 2
    assert "L" not in line[1]


def test_axis_holds_all_values_with_their_uncertainty() -> None:
    series = [Series("toe1", (20.3, 33.9), (0.5, 0.5))]
    axis = common_axis(series, moments((0, 40)))
    assert axis.low <= 19.8
    assert axis.high >= 34.4


def test_what_is_only_proposed_is_dotted_and_never_drawn_as_found(study: StudyResult) -> None:
    regions = study.scans[0].regions
    items = [
        replace(item, confidence=0.3) if item.name in ("left_toe1", "left_heel", "left_mpa") else item
        for item in regions.items
    ]
    crop = crop_box([regions])

    def dotted(shown: Regions) -> str:
        drawing = thermal_svg(
            temperature_c(study.scans[0].thermogram), shown, scale=common_scale([]), palettes=(BLUE_RED,), crop=crop,
            canvas=crop, labels=(), alt="x 1",
        )  # fmt: skip
        found = re.search(r'<path d="([^"]*)"[^>]*stroke-dasharray="1 3"', str(drawing.tail))
        assert found is not None
        return found[1]

    assert dotted(regions) == ""
    assert dotted(replace(regions, items=tuple(items))).count("Z") == 2  # the toe and the heel; angiosomes overlap
