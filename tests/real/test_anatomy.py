"""The finder on real soles: 80 cut-out ones of the Plantar Thermogram Database, and a person lying on a bed.

Hernandez-Contreras et al. 2019, doi 10.1109/ACCESS.2019.2951356. What is counted is sides, toes reported with
confidence, their order, and the published angiosomes; floors lie a little under what is reached. Where the toes lie is
held against marks on real feet in ``benchmarks/real_marks.py``.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from rewarm.anatomy import find_regions
from rewarm.regions import ANGIOSOMES, SIDES, TOES, Regions
from rewarm.thermogram import Provenance, make_thermogram

Image = NDArray[np.float64]


def thermogram(temperature_c: Image) -> xr.Dataset:
    provenance = Provenance(file="real.csv", sha256="0" * 64, reader="test", version="0")
    return make_thermogram(np.asarray(temperature_c, dtype=np.float32), provenance=provenance)


@lru_cache(maxsize=400)
def matrix(path: Path) -> Image:
    return np.loadtxt(path, delimiter=",")


@lru_cache(maxsize=1)
def soles(folder: Path) -> dict[str, tuple[str, Image, Regions]]:
    """Name → side, picture (background 0), regions."""
    found = {}
    for path in sorted((folder / "plantar_inaoe").glob("*_[LR].csv")):
        picture = matrix(path)
        found[path.stem] = ({"L": "left", "R": "right"}[path.stem[-1]], picture, find_regions(thermogram(picture)))
    return found


@pytest.fixture
def feet(real_data: Path) -> dict[str, tuple[str, Image, Regions]]:
    found = soles(real_data)
    if len(found) < 80:
        pytest.skip(f"expected 80 cut-out soles in {real_data / 'plantar_inaoe'}; found {len(found)}")
    return found


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float(2 * (one & other).sum() / max(int(one.sum() + other.sum()), 1))


def test_the_side_of_each_sole_is_told(feet: dict[str, tuple[str, Image, Regions]]) -> None:
    right = 0
    for side, picture, regions in feet.values():
        own, other = (regions.get(name, "foot") for name in (side, "right" if side == "left" else "left"))
        assert own is not None
        assert other is not None
        right += own.found and not other.found
        if own.found:
            assert dice(own.mask, picture > 0) > 0.99
    assert right >= 78  # 80 of 80 when this was written


def test_most_toes_are_found_and_lie_in_order(feet: dict[str, tuple[str, Image, Regions]]) -> None:
    toes, all_five, ordered = 0, 0, 0
    for side, _, regions in feet.values():
        tips = [regions.landmarks[f"{side}_{toe}_tip"][0] for toe in TOES if f"{side}_{toe}_tip" in regions.landmarks]
        steps = np.diff(tips) * (1 if side == "left" else -1)  # a left sole's great toe is on the picture's left
        ordered += bool((steps > 0).all())
        items = [regions.get(side, toe) for toe in TOES]
        count = sum(item is not None and item.found for item in items)
        toes += count
        all_five += count == 5
    assert toes >= 360  # of 400; 377 when this was written
    assert all_five >= 55  # of 80; 63 when this was written
    assert ordered >= 78


def test_the_great_toe_is_the_largest(feet: dict[str, tuple[str, Image, Regions]]) -> None:
    largest = 0
    for side, _, regions in feet.values():
        areas = [item.mask.sum() for toe in TOES if (item := regions.get(side, toe)) is not None]
        largest += int(np.argmax(areas)) == 0
    assert largest >= 77


def test_angiosomes_are_the_published_ones(real_data: Path, feet: dict[str, tuple[str, Image, Regions]]) -> None:
    floors = {"mpa": 0.88, "lpa": 0.93, "mca": 0.88, "lca": 0.88}
    for name in ANGIOSOMES:
        values = []
        for stem, (side, _, regions) in feet.items():
            item = regions.get(side, name)
            assert item is not None
            values.append(dice(item.mask, matrix(real_data / "plantar_inaoe" / f"{stem}_{name.upper()}.csv") > 0))
        assert np.mean(values) > floors[name], name


def test_two_feet_pasted_side_by_side_are_told_apart(real_data: Path) -> None:
    folder = real_data / "plantar_inaoe"
    stems = sorted(path.stem[:-2] for path in folder.glob("*_R.csv"))
    assert stems
    good = 0
    for stem in stems:
        right, left = matrix(folder / f"{stem}_R.csv"), matrix(folder / f"{stem}_L.csv")
        both = np.zeros((max(len(right), len(left)), right.shape[1] + left.shape[1]))
        both[: len(right), : right.shape[1]] = right
        both[: len(left), right.shape[1] :] = left
        regions = find_regions(thermogram(both))
        found = [regions.get(side, "foot") for side in SIDES]
        truth = [np.zeros(both.shape, dtype=bool), np.zeros(both.shape, dtype=bool)]
        truth[0][: len(left), right.shape[1] :] = left > 0
        truth[1][: len(right), : right.shape[1]] = right > 0
        good += all(
            item is not None and item.found and dice(item.mask, mask) > 0.98
            for item, mask in zip(found, truth, strict=True)
        )
    assert good >= 0.95 * len(stems)


def test_both_soles_of_a_person_lying_on_a_bed(real_data: Path) -> None:
    path = real_data / "soles_csv" / "both_soles_464x348.csv"
    if not path.is_file():
        pytest.skip(f"no {path}")
    picture = matrix(path)
    regions = find_regions(thermogram(picture))
    names = {item.name for item in regions.found}
    assert {f"{side}_{name}" for side in SIDES for name in ("ball", "arch", "heel", "foot")} <= names
    # Of the outlines' ten toes five have their tips more than 4 % of the foot's length off: none may be told silently.
    doubted = [regions.get(side, toe) for side in SIDES for toe in TOES]
    assert all(item is not None and (item.found or item.reason) for item in doubted)
    assert sum(item is not None and item.found for item in doubted) <= 5
    for side, half in (("left", slice(170, None)), ("right", slice(None, 170))):
        foot = regions.get(side, "foot")
        assert foot is not None
        assert foot.mask[:, half].sum() > 0.97 * foot.mask.sum()  # the person's left foot is on the picture's right
        x, y = regions.landmarks[f"{side}_heel_point"]
        assert 270 < y < 305
        assert x > 190 if side == "left" else x < 125
        assert 6000 < foot.mask.sum() < 9500
        assert picture[foot.mask].mean() == pytest.approx(32.3, abs=0.4)  # legs and arms are 33–34.5, the bed 30–31
