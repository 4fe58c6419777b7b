"""Toes missed at rest, because they were as cold as the room, do not become the temperature before the cold water."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from rewarm.regions import SOLE_REGIONS, TOES, Regions
from rewarm.study.baseline import rest_before
from rewarm.study.outputs import stacked
from rewarm.study.results import ScanResult
from rewarm.tables import MEASUREMENTS
from rewarm.thermogram import Provenance, make_thermogram
from tests.alignment.test_partial import SHAPE, soles, without_toes

ROOM_C, TOES_C, BODY_C = 21.0, 21.3, 29.0


def scan(name: str, phase: str, picture: NDArray[np.float32], regions: Regions) -> ScanResult:
    still = make_thermogram(picture, provenance=Provenance(f"{name}.npy", "0" * 64, "test", "0"))
    signed = tuple(replace(item, drawn_by="rewarm test finder", confidence=0.9) for item in regions.items)
    return ScanResult(
        participant="P1", visit="before", scan=name, limb="feet", view="plantar", phase=phase, thermogram=still,
        regions=replace(regions, items=signed), measurements=stacked([pd.DataFrame()], MEASUREMENTS),
    )  # fmt: skip


def painted(regions: Regions, toes_c: float) -> NDArray[np.float32]:
    picture = np.full(SHAPE, ROOM_C, dtype=np.float32)
    for item in regions.items:
        if item.region in SOLE_REGIONS:
            picture[item.mask] = toes_c if item.region in TOES else BODY_C
    return picture


@pytest.fixture
def rest_regions() -> Regions:
    return soles()


@pytest.fixture
def cold() -> ScanResult:
    regions = soles(x=186.0, turn=3.0, mm_per_px=1.42)
    return scan("cold", "rewarming", painted(regions, 24.0), regions)


def test_toes_sought_on_the_ball_are_carried_from_the_rewarming_and_told(rest_regions, cold):
    rest = scan("rest", "rest", painted(rest_regions, TOES_C), without_toes(rest_regions))
    found = rest_before(cold, cold.regions, [rest, cold])
    assert found.scan == "rest"
    for side in ("left", "right"):
        for toe in ("toe1", "toe2", "toe3"):
            baseline = found.baseline[side, toe]
            assert baseline.value_c == pytest.approx(TOES_C, abs=1.2), "the ball's 29 °C are not the toes'"
            assert baseline.note == "carried there"
    assert len(found.warnings) == 2
    assert "rest: left foot: the regions at rest do not lie as while rewarming" in found.warnings[0]
    assert "probably cold toes or fingers were missed at rest" in found.warnings[0]


def test_where_nothing_is_wrong_the_scan_at_rest_stands_as_it_is(rest_regions, cold):
    rest = scan("rest", "rest", painted(rest_regions, TOES_C), rest_regions)
    found = rest_before(cold, cold.regions, [rest, cold])
    assert found.warnings == ()
    for side in ("left", "right"):
        assert found.baseline[side, "toe1"].value_c == pytest.approx(TOES_C, abs=0.01)
        assert found.baseline[side, "toe1"].note == ""


def test_a_toe_that_was_not_found_at_rest_is_sought_where_it_must_lie(rest_regions, cold):
    without = replace(
        rest_regions,
        items=tuple(
            replace(item, mask=np.zeros(SHAPE, dtype=bool)) if item.name == "left_toe2" else item
            for item in rest_regions.items
            if item.region in SOLE_REGIONS
        ),
    )
    rest = scan("rest", "rest", painted(rest_regions, TOES_C), without)
    hidden = replace(
        rest.regions,
        items=tuple(replace(i, confidence=0.0) if i.name == "left_toe2" else i for i in rest.regions.items),
    )
    found = rest_before(cold, cold.regions, [replace(rest, regions=hidden), cold])
    assert found.baseline["left", "toe2"].value_c == pytest.approx(TOES_C, abs=1.0)
    assert found.baseline["left", "toe2"].note == "carried there"


def test_where_the_rewarming_missed_the_toes_nothing_is_said_of_the_temperature_before(rest_regions, cold):
    rest = scan("rest", "rest", painted(rest_regions, TOES_C), rest_regions)
    found = rest_before(cold, without_toes(cold.regions), [rest, cold])
    assert found.baseline == {}
    assert found.scan == ""
    assert "so that nothing is said of the temperature before the cold water" in found.warnings[0]
    assert "Look at the rewarming's outlines" in found.warnings[0]


def test_what_a_person_drew_at_rest_is_believed(rest_regions, cold):
    rest = scan("rest", "rest", painted(rest_regions, TOES_C), without_toes(rest_regions))
    drawn = replace(rest.regions, items=tuple(replace(item, drawn_by="a reader") for item in rest.regions.items))
    found = rest_before(cold, cold.regions, [replace(rest, regions=drawn), cold])
    assert found.warnings == ()
    assert found.baseline["left", "toe2"].value_c > 26.0
