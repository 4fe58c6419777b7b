"""The vocabulary and the container of regions."""

from __future__ import annotations

import numpy as np
import pytest

from rewarm.errors import InvalidInputError
from rewarm.regions import CONFIDENCE_LIMIT, LEGEND, Region, Regions, check_word, limb_sides, limb_whole


def region(side: str, name: str, rows: slice, *, confidence: float = 1.0) -> Region:
    mask = np.zeros((6, 4), dtype=bool)
    mask[rows] = True
    return Region(side=side, region=name, mask=mask, confidence=confidence, drawn_by="test")


def regions(*items: Region) -> Regions:
    return Regions(shape=(6, 4), limb="feet", view="plantar", items=items, landmarks={})


def test_codes_are_unique_fit_a_byte_and_never_zero() -> None:
    codes = list(LEGEND.values())
    assert len(set(codes)) == len(codes)
    assert min(codes) == LEGEND["left_toe1"] == 1
    assert max(codes) < 256
    assert LEGEND["right_toe1"] == 101


def test_named_regions_lie_on_top_of_the_whole_foot_whatever_their_order() -> None:
    toe = region("left", "toe1", slice(0, 2))
    foot = region("left", "foot", slice(0, 5))
    for order in ((toe, foot), (foot, toe)):
        labels = regions(*order).label_image()
        assert labels.dtype == np.uint8
        np.testing.assert_array_equal(labels[:, 0], [LEGEND["left_toe1"]] * 2 + [LEGEND["left_foot"]] * 3 + [0])


def test_angiosomes_overlap_and_are_not_in_the_label_image() -> None:
    labels = regions(region("left", "mpa", slice(0, 6))).label_image()
    assert not labels.any()


def test_below_the_limit_a_region_is_not_found() -> None:
    sure = region("left", "toe1", slice(0, 1), confidence=CONFIDENCE_LIMIT)
    doubtful = region("left", "toe2", slice(1, 2), confidence=CONFIDENCE_LIMIT - 0.01)
    empty = region("left", "toe3", slice(0, 0))
    found = regions(sure, doubtful, empty)
    assert [item.name for item in found.found] == ["left_toe1"]
    assert [item.name for item in found.missing] == ["left_toe2", "left_toe3"]
    assert found.get("left", "toe2") is doubtful
    assert found.get("right", "toe2") is None


def test_limbs() -> None:
    assert limb_sides("feet") == ("left", "right")
    assert limb_sides("right_foot") == ("right",)
    assert (limb_whole("feet"), limb_whole("left_hand")) == ("foot", "hand")
    with pytest.raises(InvalidInputError, match=r"limb: expected one of feet, .*; found 'paw'"):
        limb_sides("paw")


def test_a_wrong_word_names_the_right_ones() -> None:
    with pytest.raises(InvalidInputError, match="view: expected one of plantar, dorsal; found 'top'"):
        check_word("view", "top", ("plantar", "dorsal"))
