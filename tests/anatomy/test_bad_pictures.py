"""Pictures that do not show two whole feet: each gets an answer, and none gets ten confident toes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rewarm import find_regions
from rewarm.regions import SIDES, TOES, Regions
from rewarm.thermogram import Provenance, make_thermogram
from rewarm.twin.scenes import PARTS, TRAINING, Mix, Scene, paint, random_layout

SEEDS = range(6)
KINDS = ("bed_end", "bed_above", "bed_side", "sole", "anywhere", "hands", "legs_only", "three_feet", "face", "empty")
NOTHING = dict.fromkeys(KINDS, 0.0)


def scene(seed: int, **mix: float) -> Scene:
    ranges = replace(TRAINING, mix=replace(Mix(), **{**NOTHING, **mix}))
    random = np.random.default_rng((77, seed))
    return paint(random_layout(random, ranges), random, ranges)


def regions(celsius: NDArray[np.float32], limb: str = "feet", view: str = "plantar") -> Regions:
    provenance = Provenance(file="simulated", sha256="", reader="test", version="0")
    return find_regions(make_thermogram(celsius, provenance=provenance), limb=limb, view=view)


def found_toes(found: Regions, at_least: float = 0.5) -> int:
    return sum(item.found and item.region in TOES and item.confidence >= at_least for item in found.items)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["empty", "face", "legs_only"])
def test_without_a_foot_no_toe_is_found_with_confidence(kind: str, seed: int) -> None:
    found = regions(scene(seed, **{kind: 1.0}).celsius)
    assert found_toes(found, 0.9) == 0
    assert found_toes(found) <= 1
    assert all(item.reason for item in found.missing)


def test_a_picture_of_one_temperature_holds_nothing() -> None:
    found = regions(np.full((240, 320), 23.0, np.float32))
    assert not found.found
    assert "no left foot found" in found.missing[0].reason


@pytest.mark.parametrize("shape", [(15, 20), (20, 15), (1, 1), (2, 39)])
def test_a_picture_too_small_to_tell_a_toe_says_so(shape: tuple[int, int]) -> None:
    found = regions(np.random.default_rng(1).normal(25.0, 2.0, shape).astype(np.float32))
    assert not found.found
    assert f"{shape[1]} × {shape[0]} pixels" in found.warnings[0]


def test_hands_are_no_feet_and_feet_no_hands() -> None:
    hands = [scene(seed, hands=1.0).celsius for seed in SEEDS]
    assert sum(found_toes(regions(picture), 0.9) for picture in hands) == 0


def test_half_a_foot_does_not_get_ten_toes() -> None:
    for seed in SEEDS:
        picture = scene(seed, sole=1.0).celsius
        cut = picture[picture.shape[0] // 2 :]
        assert found_toes(regions(np.ascontiguousarray(cut)), 0.9) < 6


def test_a_mirror_image_swaps_the_sides_and_never_doubles_them() -> None:
    swapped = 0
    for seed in SEEDS:
        picture = scene(seed, sole=1.0).celsius
        plain, mirrored = regions(picture), regions(np.ascontiguousarray(picture[:, ::-1]))
        for side, other in (("left", "right"), ("right", "left")):
            one, two = plain.get(side, "foot"), mirrored.get(other, "foot")
            swapped += bool(one and two and one.found and two.found and (one.mask & two.mask[:, ::-1]).sum()
                            > 0.8 * one.mask.sum())  # fmt: skip
    assert swapped >= len(SEEDS) // 2


def test_upside_down_only_what_is_right_is_told_with_confidence() -> None:
    warned = sure = 0
    for seed in range(12):
        drawn = scene(seed, sole=1.0)
        found = regions(np.ascontiguousarray(drawn.celsius[::-1, ::-1]))
        warned += any("toes point down" in warning for warning in found.warnings)
        for item in found.items:
            if item.found and item.region in TOES and item.confidence >= 0.9:
                own = drawn.layout.sides == 1 + SIDES.index(item.side)
                truth = (own & (drawn.layout.parts == PARTS.index(item.region)))[::-1, ::-1]
                sure += 1
                assert 2 * (item.mask & truth).sum() >= 0.85 * (item.mask.sum() + truth.sum())
        assert found_toes(found, 0.9) < 10
    assert warned >= 3
    assert sure >= 1


def test_hands_have_no_plantar_and_feet_no_palmar_view() -> None:
    picture = np.full((60, 80), 25.0, np.float32)
    assert "use palmar or dorsal" in regions(picture, limb="hands").warnings[0]
    assert "use plantar or dorsal" in regions(picture, view="palmar").warnings[0]
