"""The atlases are whole, in order, of one geometry at every size, and say what they are."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import label

from rewarm.anatomy import hand_atlas, sole_atlas
from rewarm.errors import InvalidInputError
from rewarm.regions import ANGIOSOMES, FINGERS, SOLE_REGIONS, TOES, Mask, Regions

Atlas = Callable[[int], Regions]


def centre(mask: Mask) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.mean() + 0.5), float(rows.mean() + 0.5)


def masks(atlas: Regions) -> dict[str, Mask]:
    return {item.region: item.mask for item in atlas.items}


@pytest.mark.parametrize(
    ("atlas", "whole", "parts", "digits"),
    [(sole_atlas, "foot", SOLE_REGIONS, TOES), (hand_atlas, "hand", (*FINGERS, "palm"), FINGERS)],
)
@pytest.mark.parametrize("length_px", [80, 200, 333])
def test_parts_divide_the_whole_and_come_in_order(
    atlas: Atlas, whole: str, parts: tuple[str, ...], digits: tuple[str, ...], length_px: int
) -> None:
    regions = atlas(length_px)
    found = masks(regions)
    assert (np.sum([found[name] for name in parts], axis=0) == found[whole]).all()  # no gap, no overlap
    for name in (whole, *parts):
        assert label(found[name])[1] == 1, f"{name} is in pieces"
    rows = np.flatnonzero(found[whole].any(axis=1))
    assert len(rows) == pytest.approx(length_px, abs=2)
    assert not found[whole][0].any()
    assert not found[whole][:, [0, -1]].any()
    across = [centre(found[name])[0] for name in digits]
    assert across == sorted(across)  # great toe, or thumb, on the left
    assert all(centre(found[name])[1] < centre(found[parts[-1]])[1] for name in digits)
    for name in digits:
        x, y = regions.landmarks[f"left_{name}_tip"]
        own = found[name]
        rows, columns = np.nonzero(own)
        assert np.hypot(columns + 0.5 - x, rows + 0.5 - y).min() < 0.02 * length_px
        assert y <= np.quantile(rows + 0.5, 0.35)


def test_the_sole_has_its_angiosomes_and_says_what_it_is() -> None:
    found = masks(sole_atlas())
    assert np.any([found[name] for name in ANGIOSOMES], axis=0)[found["foot"]].all()
    assert (found["mpa"] & found["lpa"]).any()
    assert {item.drawn_by for item in sole_atlas().items} == {"rewarm atlas of the sole 2"}
    assert {item.drawn_by for item in hand_atlas().items} == {"rewarm atlas of the palm 1"}


def test_webs_lie_between_their_digits() -> None:
    for regions, prefix, digits in ((sole_atlas(), "web", TOES), (hand_atlas(), "finger_web", FINGERS)):
        found = masks(regions)
        for i, (one, other) in enumerate(pairwise(digits), start=1):
            x, y = regions.landmarks[f"left_{prefix}{i}"]
            for name in (one, other if i > 1 or prefix == "web" else "palm"):  # the thumb leaves the palm at its side
                rows, columns = np.nonzero(found[name])
                assert np.hypot(columns + 0.5 - x, rows + 0.5 - y).min() < 0.06 * 200, (prefix, i, name)


@pytest.mark.parametrize("atlas", [sole_atlas, hand_atlas])
def test_an_atlas_too_small_for_toes_is_refused(atlas: Atlas) -> None:
    with pytest.raises(InvalidInputError, match="length_px: expected 60 or more; found 40"):
        atlas(40)
