"""A whole sole is laid onto one whose toes were missed, and what does not fit is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rewarm.alignment import fit_partial, slenderness
from rewarm.regions import SOLE_REGIONS, Regions
from rewarm.twin import SolePose, SoleShape, draw_soles

SHAPE = (200, 260)


def soles(x: float = 190.0, turn: float = 5.0, mm_per_px: float = 1.5, sole: SoleShape | None = None) -> Regions:
    shape = sole or SoleShape()
    poses = {"left": (shape, SolePose(x, 190.0, turn)), "right": (shape, SolePose(x - 110.0, 190.0, -turn))}
    return draw_soles(poses, shape=SHAPE, mm_per_px=mm_per_px).regions


def without_toes(regions: Regions) -> Regions:
    """The toes vanish into the room, and what is left of each foot is divided into toes, ball, arch and heel again."""
    left = {}
    for side in ("left", "right"):
        foot = np.any(
            [item.mask for item in regions.items if item.side == side and item.region in SOLE_REGIONS], axis=0
        )
        toes = np.any([regions.get(side, f"toe{n}").mask for n in range(1, 6)], axis=0)
        y, x = np.nonzero(foot & ~toes)
        ends = np.quantile(y, [0.0, 0.2, 0.45, 0.75, 1.0])
        steps = np.quantile(x, np.linspace(0.0, 1.0, 6))
        bands = {"ball": (1, 2), "arch": (2, 3), "heel": (3, 4)}
        for name in SOLE_REGIONS:
            mask = np.zeros(SHAPE, dtype=bool)
            if name.startswith("toe"):
                n = int(name[3:])
                inside = (y <= ends[1]) & (x >= steps[n - 1]) & (x <= steps[n])
            else:
                inside = (y > ends[bands[name][0]]) & (y <= ends[bands[name][1]])
            mask[y[inside], x[inside]] = True
            left[side, name] = mask
    items = tuple(
        replace(item, mask=left[item.side, item.region]) for item in regions.items if item.region in SOLE_REGIONS
    )
    return Regions(regions.shape, regions.limb, regions.view, items, {})


@pytest.mark.parametrize("side", ["left", "right"])
def test_toes_are_carried_to_where_they_were_missed(side: str):
    cold, rest = soles(x=186.0, turn=3.0, mm_per_px=1.42), soles()
    cut = without_toes(rest)
    ratio = slenderness(cut, side, SOLE_REGIONS) / slenderness(cold, side, SOLE_REGIONS)
    assert ratio < 0.9
    fit = fit_partial(cold, cut, side)
    assert fit is not None
    assert 0.1 < fit.longer < 0.3
    for toe in ("toe1", "toe3"):
        carried, true = fit.carried(cold.get(side, toe).mask, SHAPE), rest.get(side, toe).mask
        assert 2.0 * (carried & true).sum() / (carried.sum() + true.sum()) > 0.8
        assert (carried & cut.get(side, toe).mask).sum() < 0.2 * carried.sum()


def test_the_same_sole_is_as_slender_in_every_pose():
    one, other = soles(), soles(x=180.0, turn=-8.0, mm_per_px=1.7)
    assert slenderness(one, "left", SOLE_REGIONS) == pytest.approx(slenderness(other, "left", SOLE_REGIONS), rel=0.03)
    assert slenderness(one, "left", ("toe1", "toe2")) is None, "no axis without a body"


def test_what_is_no_part_of_the_sole_does_not_fit():
    cold, rest = soles(), soles()
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    blob = (x > 150) & (x < 235) & (y > 90) & (y < 190) & ~((x - 190) ** 2 + (y - 140) ** 2 < 20**2)
    square = replace(rest, items=tuple(replace(item, mask=item.mask & blob) for item in without_toes(rest).items))
    bigger = replace(
        square,
        items=tuple(replace(i, mask=blob & (y > 150)) if i.name == "left_heel" else i for i in square.items),
    )
    assert fit_partial(cold, bigger, "left") is None
