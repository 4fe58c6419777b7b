"""The finder on pictures whose truth is known, and on pictures without feet."""

from __future__ import annotations

from types import ModuleType

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import label

from rewarm.anatomy import find_regions
from rewarm.errors import InvalidInputError, InvalidThermogramError
from rewarm.regions import ANGIOSOMES, CONFIDENCE_LIMIT, SIDES, SOLE_REGIONS, TOES, Regions
from rewarm.twin import DrawnSoles

Found = list[tuple[Regions, DrawnSoles]]


def overlaps(found_scenes: Found, scenes: ModuleType, name: str) -> list[float]:
    """Dice coefficients of the regions called ``name`` that were found."""
    result = []
    for regions, truth in found_scenes:
        for side in SIDES:
            mine, true = regions.get(side, name), truth.regions.get(side, name)
            assert mine is not None
            assert true is not None
            if mine.found:
                result.append(scenes.dice(mine.mask, true.mask))
    return result


@pytest.mark.parametrize(("name", "mean"), [("foot", 0.975), ("heel", 0.96), ("arch", 0.92), ("ball", 0.92)])
def test_feet_and_zones_lie_where_they_are(found_scenes: Found, scenes: ModuleType, name: str, mean: float) -> None:
    values = overlaps(found_scenes, scenes, name)
    assert len(values) == 2 * len(found_scenes)
    assert np.mean(values) > mean
    assert min(values) > 0.8


def test_toes_that_are_found_lie_where_they_are(found_scenes: Found, scenes: ModuleType) -> None:
    values = [value for toe in TOES for value in overlaps(found_scenes, scenes, toe)]
    assert len(values) > 0.85 * 10 * len(found_scenes)
    assert np.mean(values) > 0.85
    assert np.mean(np.array(values) > 0.7) > 0.88


def test_every_found_region_is_plausible(found_scenes: Found) -> None:
    for regions, _ in found_scenes:
        labels = regions.label_image()
        assert labels.any()
        for side in SIDES:
            foot = regions.get(side, "foot")
            assert foot is not None
            taken = np.zeros(regions.shape, dtype=bool)
            for name in SOLE_REGIONS:
                item = regions.get(side, name)
                assert item is not None
                assert not (item.mask & taken).any()
                assert (item.mask & ~foot.mask).sum() == 0
                taken |= item.mask
                assert item.found or item.reason
                if name in TOES and item.found:
                    assert label(item.mask)[1] == 1
            angiosomes = [regions.get(side, name) for name in ANGIOSOMES]
            union = np.any([item.mask for item in angiosomes if item is not None], axis=0)
            np.testing.assert_array_equal(union, foot.mask)


def test_confidence_says_how_often_a_toe_is_right(found_scenes: Found, scenes: ModuleType) -> None:
    sure, right = [], []
    for regions, truth in found_scenes:
        for item in regions.found:
            true = truth.regions.get(item.side, item.region)
            if item.region in TOES and true is not None:
                sure.append(item.confidence)
                right.append(scenes.dice(item.mask, true.mask) >= 0.7)
    assert abs(float(np.mean(sure)) - float(np.mean(right))) < 0.12


def test_landmarks_lie_near_the_true_ones(found_scenes: Found) -> None:
    misses = []
    for regions, truth in found_scenes:
        length = regions.shape[0] * 0.65
        for name, (x, y) in truth.regions.landmarks.items():
            if name.endswith("heel_point"):
                assert np.hypot(x - regions.landmarks[name][0], y - regions.landmarks[name][1]) < 0.06 * length
            elif name in regions.landmarks:
                misses.append(np.hypot(x - regions.landmarks[name][0], y - regions.landmarks[name][1]) / length)
    assert np.median(misses) < 0.03


def test_toes_as_cold_as_the_sheet_are_not_invented(scenes: ModuleType) -> None:
    claimed, right = 0, 0
    for seed in range(20, 24):
        picture, truth = scenes.soles(seed, toes_c=scenes.SHEET_C + 0.05)
        regions = find_regions(scenes.thermogram(picture))
        assert {item.name for item in regions.found} >= {"left_heel", "right_heel", "left_arch", "right_arch"}
        for item in regions.found:
            true = truth.regions.get(item.side, item.region)
            if item.region in TOES and true is not None:
                claimed += 1
                right += scenes.dice(item.mask, true.mask) >= 0.5
    assert right >= 0.7 * claimed


def test_one_foot_is_found_and_the_other_reported_missing(scenes: ModuleType) -> None:
    picture, _ = scenes.soles(3, one=True)
    regions = find_regions(scenes.thermogram(picture))
    left, right = regions.get("left", "foot"), regions.get("right", "foot")
    assert left is not None
    assert right is not None
    assert left.found
    assert not right.found
    assert "no right foot found" in right.reason


def test_the_wrong_side_is_a_warning_and_no_confident_region(scenes: ModuleType) -> None:
    picture, _ = scenes.soles(3, one=True)
    regions = find_regions(scenes.thermogram(picture), limb="right_foot")
    assert regions.found == ()
    assert any("looks like the" in warning and "taken as the right one" in warning for warning in regions.warnings)


def test_a_dorsal_view_turns_the_sides_and_names_the_dorsum(scenes: ModuleType) -> None:
    picture, _ = scenes.soles(3, one=True)  # the great toe points to the left, as a right foot's does from above
    regions = find_regions(scenes.thermogram(picture), view="dorsal")
    names = {item.name for item in regions.found}
    assert {"right_foot", "right_dorsum", "right_toe1"} <= names
    assert not any(name.startswith("left") for name in names)


@pytest.mark.parametrize("background", [np.nan, 0.0])
def test_a_cut_out_foot_is_found_upside_down_too(scenes: ModuleType, background: float) -> None:
    picture, truth = scenes.soles(4, one=True)
    foot = truth.regions.get("left", "foot")
    assert foot is not None
    cut = np.where(foot.mask, picture, background)
    for turned in (cut, cut[::-1, ::-1]):
        regions = find_regions(scenes.thermogram(np.ascontiguousarray(turned)))
        names = {item.name for item in regions.found}
        assert {"left_foot", "left_toe1", "left_heel"} <= names
        assert not any(name.startswith("right") for name in names)


def test_the_same_picture_gives_the_same_regions(scenes: ModuleType) -> None:
    picture, _ = scenes.soles(5)
    one, other = (find_regions(scenes.thermogram(picture)) for _ in range(2))
    for first, second in zip(one.items, other.items, strict=True):
        np.testing.assert_array_equal(first.mask, second.mask)
        assert first.confidence == second.confidence


def hand() -> NDArray[np.float64]:
    canvas = np.zeros((240, 320), dtype=np.uint8)
    cv2.ellipse(canvas, (160, 165), (38, 45), 0, 0, 360, 1, -1)
    for start, end, width in (
        ((130, 145), (118, 70), 14),
        ((150, 145), (146, 55), 15),
        ((170, 145), (172, 58), 15),
        ((188, 145), (196, 75), 13),
        ((135, 185), (80, 140), 17),
    ):
        cv2.line(canvas, start, end, 1, width)
    cv2.rectangle(canvas, (138, 200), (182, 239), 1, -1)
    return cv2.GaussianBlur(22.0 + 9.0 * canvas, (0, 0), 1.0)


def rectangle(width: int, height: int) -> NDArray[np.float64]:
    picture = np.full((240, 320), 22.0)
    top, left = (240 - height) // 2, (320 - width) // 2
    picture[top : top + height, left : left + width] = 31.0
    return picture


def no_feet() -> dict[str, NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:240, 0:320]
    clouds = 25.0 + cv2.GaussianBlur(rng.normal(0, 30, (240, 320)), (0, 0), 12)
    return {
        "flat": np.full((240, 320), 25.0),
        "noise": 25.0 + rng.normal(0, 1, (240, 320)),
        "clouds": clouds,
        "hand": hand() + rng.normal(0, 0.05, (240, 320)),
        "big rectangle": rectangle(250, 200) + rng.normal(0, 0.05, (240, 320)),
        "foot-sized rectangle": rectangle(70, 180) + rng.normal(0, 0.05, (240, 320)),
        "ellipse": np.where(((x - 160) / 32) ** 2 + ((y - 120) / 90) ** 2 < 1, 31.0, 22.0),
        "tiny": 25.0 + rng.normal(0, 1, (15, 20)),
        "one pixel": np.full((1, 1), 25.0),
        "no temperatures": np.full((240, 320), np.nan),
        "cut-out ellipse": np.where(((x - 160) / 36) ** 2 + ((y - 120) / 90) ** 2 < 1, 31.0, np.nan),
        "infinite": np.full((240, 320), np.inf),
    }


@pytest.mark.parametrize("name", list(no_feet()))
def test_where_there_are_no_feet_none_are_found(scenes: ModuleType, name: str) -> None:
    regions = find_regions(scenes.thermogram(no_feet()[name]))
    assert regions.found == ()
    assert len(regions.items) == 2 * 13
    for item in regions.items:
        assert item.reason
        assert item.confidence < CONFIDENCE_LIMIT


def test_feet_are_no_hands(scenes: ModuleType) -> None:
    picture, _ = scenes.soles(0)
    regions = find_regions(scenes.thermogram(picture), limb="hands", view="palmar")
    assert not any(item.confidence >= 0.9 for item in regions.found)
    assert all(item.reason for item in regions.missing)


def test_words_outside_the_vocabulary_are_refused(scenes: ModuleType) -> None:
    flat = scenes.thermogram(np.full((40, 60), 25.0))
    with pytest.raises(InvalidInputError, match="limb: expected one of feet"):
        find_regions(flat, limb="paw")
    with pytest.raises(InvalidInputError, match="view: expected one of plantar"):
        find_regions(flat, view="above")


def test_only_a_still_picture_is_taken(scenes: ModuleType) -> None:
    with pytest.raises(InvalidThermogramError, match=r"expected an xarray\.Dataset"):
        find_regions(np.zeros((3, 3)))  # type: ignore[arg-type]
