from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rewarm.alignment import align, change_map
from rewarm.errors import InvalidInputError
from rewarm.regions import Region, Regions
from rewarm.twin import SolePose, SoleShape, draw_soles

Floats = NDArray[np.float64]
Inverse = Callable[[Floats, Floats], tuple[Floats, Floats]]
SHAPE = (240, 320)

# Soles of ellipses in continuous coordinates: any smooth map of them has a known truth. Centre x, centre y, half-width,
# half-height in units of the foot's length; x grows towards the little toe.
TOES = {
    "toe1": (-0.125, 0.085, 0.055, 0.080),
    "toe2": (-0.030, 0.065, 0.036, 0.060),
    "toe3": (0.042, 0.085, 0.033, 0.055),
    "toe4": (0.106, 0.115, 0.031, 0.052),
    "toe5": (0.163, 0.155, 0.031, 0.050),
}
LEVELS_C = {
    "toe1": 26.0, "toe2": 24.0, "toe3": 23.5, "toe4": 23.0, "toe5": 23.8, "ball": 27.5, "arch": 29.0, "heel": 27.0
}  # fmt: skip
TOE_CHANGES_C = {"toe1": 8.0, "toe2": -8.0, "toe3": 3.0, "toe4": 0.0, "toe5": 5.0}


def sole_masks(u: Floats, v: Floats) -> dict[str, NDArray[np.bool_]]:
    """Masks at foot coordinates: u across (towards the little toe), v from the toes (0) to the heel (1)."""
    masks: dict[str, NDArray[np.bool_]] = {}
    taken = np.zeros(u.shape, dtype=bool)
    for name, (cx, cy, a, b) in TOES.items():
        masks[name] = (((u - cx) / a) ** 2 + ((v - cy) / b) ** 2 <= 1) & ~taken
        taken |= masks[name]
    t = np.clip((v - 0.14) / 0.86, 0, 1)
    half = 0.205 * np.sqrt(np.clip(1 - (2 * t - 1) ** 6, 0, None)) * (1 - 0.35 * t)
    body = (np.abs(u - 0.02 - 0.045 * np.sin(np.pi * t)) <= half) & (v >= 0.14) & (v <= 1.0) & ~taken
    masks["ball"], masks["arch"], masks["heel"] = body & (v < 0.4), body & (v >= 0.4) & (v < 0.74), body & (v >= 0.74)
    masks["foot"] = np.any(list(masks.values()), axis=0)
    return masks


def drawn(shape: tuple[int, int] = SHAPE, inverse: Inverse | None = None) -> Regions:
    """Both soles, toes up; ``inverse`` gives for each pixel centre the point of the undeformed picture seen there."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    if inverse is not None:
        x, y = inverse(x, y)
    items: list[Region] = []
    for side, middle, sign in (("left", 0.3, 1.0), ("right", 0.7, -1.0)):
        length = 0.8 * shape[0]
        masks = sole_masks(sign * (x - middle * shape[1]) / length, (y - 0.08 * shape[0]) / length)
        items += [Region(side, name, mask, 1.0, "drawn") for name, mask in masks.items()]
    return Regions(shape, "feet", "plantar", tuple(items), {})


def deformation(seed: int, shape: tuple[int, int] = SHAPE) -> Inverse:
    """Rotation to ±12°, scale, shear and shift, and a smooth wave of up to 2 % of the picture's height."""
    rng = np.random.default_rng(seed)
    height, width = shape
    angle, scale = np.deg2rad(rng.uniform(-12, 12)), rng.uniform(0.9, 1.06)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[1, rng.uniform(-0.06, 0.06)], [0, 1]])
    shift, phase = rng.uniform(-0.03, 0.03, 2) * height, rng.uniform(0, 2 * np.pi, (2, 2))
    size, k = 0.02 * height * rng.uniform(0.5, 1, 2), 2 * np.pi / (rng.uniform(0.8, 1.4) * height)

    def inverse(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        dx, dy = x - width / 2, y - height / 2
        to_x = matrix[0, 0] * dx + matrix[0, 1] * dy + width / 2 + shift[0]
        to_y = matrix[1, 0] * dx + matrix[1, 1] * dy + height / 2 + shift[1]
        return (
            to_x + size[0] * np.sin(k * y + phase[0, 0]) * np.cos(k * x + phase[0, 1]),
            to_y + size[1] * np.sin(k * x + phase[1, 0]) * np.cos(k * y + phase[1, 1]),
        )

    return inverse


def painted(regions: Regions, toe_changes_c: dict[str, float], room_c: float) -> NDArray[np.float32]:
    picture = np.full(regions.shape, room_c, dtype=np.float32)
    for item in regions.items:
        if item.region != "foot":
            picture[item.mask] = LEVELS_C[item.region] + toe_changes_c.get(item.region, 0.0)
    return picture


def errors_px(alignment, inverse: Inverse) -> dict[str, Floats]:
    """Per side: how far each pixel of the foot lies from where it came from, there and back."""
    found = {}
    for side, aligned in alignment.sides.items():
        x, y = inverse(aligned.map_x + 0.5, aligned.map_y + 0.5)
        rows, columns = np.mgrid[aligned.window] + 0.5
        found[side] = np.hypot(x - columns, y - rows)[aligned.before_mask[aligned.window]]
    return found


def test_a_picture_aligns_with_itself():
    regions = drawn()
    alignment = align(regions, regions)
    assert set(alignment.sides) == {"left", "right"}
    assert not alignment.refused
    for error in errors_px(alignment, lambda x, y: (x, y)).values():
        assert error.max() < 0.05
    assert max(alignment.error_px.values()) < 0.05


@pytest.mark.parametrize("seed", range(8))
def test_a_known_deformation_is_found_to_a_pixel_and_a_half(seed):
    inverse = deformation(seed)
    alignment = align(drawn(), drawn(inverse=inverse))
    assert set(alignment.sides) == {"left", "right"}
    for error in errors_px(alignment, inverse).values():
        assert error.mean() < 1.5
    assert max(alignment.error_px.values()) < 0.6


@pytest.mark.parametrize("seed", range(4))
def test_the_map_of_change_shows_what_each_toe_did(seed):
    inverse = deformation(seed)
    before, after = drawn(), drawn(inverse=inverse)
    change = change_map(painted(before, {}, 22.0), painted(after, TOE_CHANGES_C, 25.0), align(before, after))
    assert change.dtype == np.float32
    assert change.shape == SHAPE
    feet = np.any([item.mask for item in before.items], axis=0)
    assert np.isnan(change[~feet]).all()
    whole_map = change_map(
        painted(before, {}, 22.0), painted(after, TOE_CHANGES_C, 25.0), align(before, after), rim_px=0
    )
    assert np.isnan(whole_map[feet]).mean() < 0.02
    assert 0.05 < np.isnan(change[feet]).mean() < 0.12  # the rim
    for item in before.items:
        if item.region in TOE_CHANGES_C:
            assert np.nanmedian(change[item.mask]) == pytest.approx(TOE_CHANGES_C[item.region], abs=0.05)
            assert np.nanmean(change[item.mask]) == pytest.approx(TOE_CHANGES_C[item.region], abs=0.5)


def test_the_room_does_not_bleed_into_the_feets_edge():
    before, after = drawn(), drawn(inverse=lambda x, y: (x + 0.5, y + 0.3))
    level = {name: 30.0 - LEVELS_C[name] for name in LEVELS_C}
    pictures = [painted(regions, level, room_c) for regions, room_c in ((before, 10.0), (after, 60.0))]
    change = change_map(*pictures, align(before, after))
    np.testing.assert_allclose(change[np.isfinite(change)], 0.0, atol=1e-3)


def test_missing_temperatures_stay_missing():
    regions = drawn()
    before, after = painted(regions, {}, 22.0), painted(regions, {}, 22.0)
    before[60, 96] = np.nan
    after[150:155, 90:95] = np.nan
    change = change_map(before, after, align(regions, regions))
    assert np.isnan(change[60, 96])
    assert np.isnan(change[152, 92])
    assert np.isfinite(change[140, 92])


def test_a_camera_of_another_resolution_aligns():
    shape = (480, 640)
    before, after = drawn(), drawn(shape)
    alignment = align(before, after)
    for error in errors_px(alignment, lambda x, y: (x / 2, y / 2)).values():
        assert error.mean() < 0.5
    change = change_map(painted(before, {}, 22.0), painted(after, {"toe1": 2.0}, 22.0), alignment)
    toe = next(item for item in before.items if item.name == "left_toe1")
    assert np.nanmedian(change[toe.mask]) == pytest.approx(2.0, abs=0.01)


def test_a_foot_whose_cold_toes_were_not_found_aligns_without_them():
    """As a finder leaves it: the lost toes are neither regions nor part of the foot."""
    inverse = deformation(3)
    before, after = drawn(), drawn(inverse=inverse)
    lost = [item for item in after.items if item.name in ("left_toe3", "left_toe4")]
    kept = [item for item in after.items if item not in lost]
    foot = next(item for item in kept if item.name == "left_foot")
    smaller = replace(foot, mask=foot.mask & ~lost[0].mask & ~lost[1].mask)
    after = replace(after, items=tuple(smaller if item is foot else item for item in kept))
    alignment = align(before, after)
    assert errors_px(alignment, inverse)["left"].mean() < 1.5
    change = change_map(painted(before, {}, 22.0), painted(after, {}, 22.0), alignment)
    for item in before.items:
        if item.side == "left" and item.region != "foot":
            assert np.isnan(change[item.mask]).all() == (item.region in ("toe3", "toe4"))


def test_toes_missed_and_drawn_elsewhere_are_doubted():
    """The foot of one scan ends where its toes begin: it can be aligned, but not without a word."""
    before = drawn()
    squeezed = drawn(inverse=lambda x, y: (x, 20.0 + (y - 20.0) * 1.25))
    alignment = align(before, squeezed)
    assert all(aligned.stretch == pytest.approx(1.25, abs=0.03) for aligned in alignment.sides.values())
    assert "left foot or hand is stretched 1.2" in alignment.warnings[0]
    hopeless = align(before, drawn(inverse=lambda x, y: (x, 20.0 + (y - 20.0) * 1.5)))
    assert not hopeless.sides
    assert "no tilt of a camera explains" in hopeless.refused["left"]


def test_too_few_common_regions_are_refused_with_a_reason():
    regions = drawn()
    few = tuple(item for item in regions.items if item.side == "right" or item.region in ("toe1", "heel"))
    alignment = align(regions, replace(regions, items=few))
    assert set(alignment.sides) == {"right"}
    assert "2 of its regions were found in both scans, at least 3" in alignment.refused["left"]
    assert alignment.warnings == (f"The left side was not aligned: {alignment.refused['left']}.",)


def test_a_mirror_image_is_refused():
    regions = drawn()
    mirrored = replace(regions, items=tuple(replace(item, mask=item.mask[:, ::-1]) for item in regions.items))
    alignment = align(regions, mirrored)
    assert not alignment.sides
    assert all("mirror image" in reason for reason in alignment.refused.values())


def test_another_shape_altogether_is_refused():
    regions = drawn()
    rng = np.random.default_rng(0)
    blocks = [np.zeros(SHAPE, dtype=bool) for _ in regions.items]
    for block in blocks:
        row, column = rng.integers(0, 200), rng.integers(0, 280)
        block[row : row + 30, column : column + 30] = True
    wrong = replace(
        regions, items=tuple(replace(item, mask=block) for item, block in zip(regions.items, blocks, strict=True))
    )
    alignment = align(regions, wrong)
    assert not alignment.sides
    assert set(alignment.refused) == {"left", "right"}


def test_one_foot_aligns_with_the_same_foot_of_two():
    both = drawn()
    one = replace(both, limb="left_foot", items=tuple(item for item in both.items if item.side == "left"))
    assert set(align(both, one).sides) == {"left"}


@pytest.mark.parametrize("changed", [{"limb": "hands"}, {"view": "dorsal"}])
def test_other_limbs_and_views_are_refused(changed):
    regions = drawn()
    with pytest.raises(
        InvalidInputError, match=r"the two scans cannot be aligned\. (limb|view): expected the same in both"
    ):
        align(regions, replace(regions, **changed))


def test_pictures_of_another_shape_are_refused():
    regions = drawn()
    alignment = align(regions, regions)
    picture = painted(regions, {}, 22.0)
    with pytest.raises(InvalidInputError, match=r"after_c: expected the shape that was aligned, \(240, 320\); found"):
        change_map(picture, picture[:100], alignment)


def test_a_foot_cut_by_the_frame_aligns_where_it_is_seen():
    def inverse(x, y):
        return x, y - 40.0

    before, after = drawn(), drawn(inverse=inverse)  # the heels leave the picture
    alignment = align(before, after)
    for side, aligned in alignment.sides.items():
        x, y = inverse(aligned.map_x + 0.5, aligned.map_y + 0.5)
        rows, columns = np.mgrid[aligned.window] + 0.5
        toes = np.any([item.mask for item in before.items if item.side == side and "toe" in item.region], axis=0)
        assert np.hypot(x - columns, y - rows)[toes[aligned.window]].mean() < 1.0
    assert alignment.sides


def test_soles_of_the_simulator_align_by_region():
    """Another posture of the same soles: every toe of one lands in the same toe of the other."""
    sole = SoleShape()
    splayed = replace(sole, splay=0.65, toe_angle_deg=(3.0, 1.0, 0.0, -1.0, -2.0))
    before = draw_soles({"left": (sole, SolePose(95, 215)), "right": (sole, SolePose(225, 215))}).regions
    after = draw_soles({"left": (splayed, SolePose(100, 210, -6)), "right": (splayed, SolePose(220, 212, 5))}).regions
    alignment = align(before, after)
    assert set(alignment.sides) == {"left", "right"}
    for item in before.found:
        aligned, goal = alignment.sides[item.side], after.get(item.side, item.region)
        assert goal is not None
        x, y = (np.rint(each).astype(int).clip(0) for each in (aligned.map_x, aligned.map_y))
        landed = goal.mask[y.clip(max=SHAPE[0] - 1), x.clip(max=SHAPE[1] - 1)]
        assert landed[item.mask[aligned.window]].mean() > 0.85, item.name


def test_the_least_jacobian_tells_how_near_a_map_is_to_folding():
    before = drawn()
    for aligned in align(before, before).sides.values():
        assert aligned.least_jacobian == pytest.approx(1.0, abs=0.02)

    def pinched(x: Floats, y: Floats) -> tuple[Floats, Floats]:  # the arch squeezed along the foot to a half or so
        return x, y + 12.0 * np.tanh((y - 130.0) / 12.0)

    for aligned in align(before, drawn(inverse=pinched)).sides.values():
        assert 0.05 < aligned.least_jacobian < 0.85
