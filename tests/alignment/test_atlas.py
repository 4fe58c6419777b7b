"""What lies at a known place of a foot lies at that place of the atlas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rewarm.alignment import on_atlas
from rewarm.errors import InvalidInputError
from rewarm.regions import Regions
from rewarm.twin import DrawnSoles, SolePose, SoleShape, draw_soles, random_sole

TARGET_SHAPE = (260, 170)


def target() -> DrawnSoles:
    """A left sole of the simulator stands for the atlas: its foot coordinates are known at every pixel."""
    return draw_soles({"left": (SoleShape(), SolePose(85, 245))}, shape=TARGET_SHAPE, mm_per_px=1.05)


def scan(seed: int) -> DrawnSoles:
    rng = np.random.default_rng(seed)
    poses = {"left": SolePose(222, 215, rng.uniform(-8, 8)), "right": SolePose(98, 215, rng.uniform(-8, 8))}
    sole = random_sole(rng)
    return draw_soles({side: (sole, pose) for side, pose in poses.items()}, mm_per_px=1.3)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("side", ["left", "right"])
def test_each_regions_temperature_lands_in_that_region(seed: int, side: str) -> None:
    drawn, atlas = scan(seed), target().regions
    levels = {
        "toe1": 24.0,
        "toe2": 25.0,
        "toe3": 26.0,
        "toe4": 27.0,
        "toe5": 28.0,
        "ball": 31.0,
        "arch": 33.0,
        "heel": 30.0,
    }
    picture = np.full((240, 320), 15.0, dtype=np.float32)
    for item in drawn.regions.items:
        if item.region in levels:
            picture[item.mask] = levels[item.region] + (10.0 if item.side == "right" else 0.0)
    carried = on_atlas(picture, drawn.regions, atlas, side=side)
    shift = 10.0 if side == "right" else 0.0
    for item in atlas.items:
        values = carried.temperature_c[item.mask]
        assert np.isnan(carried.temperature_c[~atlas.get("left", "foot").mask]).all()  # type: ignore[union-attr]
        if item.region in levels:
            assert np.isfinite(values).mean() > 0.93
            assert np.nanmedian(values) == pytest.approx(levels[item.region] + shift, abs=0.01)
    assert carried.residual_mean_px < 1.0


@pytest.mark.parametrize("seed", range(3))
def test_places_along_the_foot_land_within_a_few_hundredths_of_its_length(seed: int) -> None:
    """The picture shows how far along and across its own foot each pixel lies; so should the atlas."""
    drawn, goal = scan(seed), target()
    for name, limit in (("v", 0.025), ("u", 0.02)):
        own = getattr(drawn.soles["left"], name)
        carried = on_atlas(own, drawn.regions, goal.regions, side="left").temperature_c
        off = np.abs(carried - getattr(goal.soles["left"], name))
        assert np.nanmean(off) < limit


def test_a_region_that_was_not_found_stays_empty() -> None:
    drawn, atlas = scan(0), target().regions
    lost = drawn.regions.get("left", "toe5")
    assert lost is not None
    items = tuple(
        replace(item, mask=item.mask & ~lost.mask) if item.region == "foot" else item
        for item in drawn.regions.items
        if item.name != "left_toe5"
    )
    carried = on_atlas(np.full((240, 320), 30.0), replace(drawn.regions, items=items), atlas, side="left")
    for item in atlas.items:
        share = np.isfinite(carried.temperature_c[item.mask]).mean()
        assert share == 0.0 if item.region == "toe5" else share > 0.7, item.region


def test_what_cannot_be_carried_is_refused_with_its_reason() -> None:
    drawn, atlas = scan(0), target().regions
    picture = np.full((240, 320), 30.0)
    with pytest.raises(InvalidInputError, match=r"side: expected left \(limb left_foot\); found 'right'"):
        on_atlas(picture, replace(drawn.regions, limb="left_foot"), atlas, side="right")
    with pytest.raises(InvalidInputError, match=r"temperature_c: expected the shape of the regions, \(240, 320\)"):
        on_atlas(picture[:100], drawn.regions, atlas, side="left")
    with pytest.raises(InvalidInputError, match="the left side cannot be carried onto the atlas: 0 of its regions"):
        on_atlas(picture, replace(drawn.regions, items=()), atlas, side="left")
    with pytest.raises(InvalidInputError, match="view: expected the same in both"):
        on_atlas(picture, replace(drawn.regions, view="dorsal"), atlas, side="left")


def long_and_narrow(regions: Regions) -> Regions:
    """Every second column left out."""
    items = tuple(replace(item, mask=item.mask[:, ::2]) for item in regions.items)
    return replace(regions, shape=(240, 160), items=items, landmarks={})


def test_a_foot_of_no_ones_build_is_refused() -> None:
    narrow = long_and_narrow(scan(1).regions)
    with pytest.raises(InvalidInputError, match="which no difference in build explains"):
        on_atlas(np.full((240, 160), 30.0), narrow, target().regions, side="left")
