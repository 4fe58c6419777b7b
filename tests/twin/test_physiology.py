"""A reduced version of the table *published | simulated*; the whole is ``python benchmarks/physiology_targets.py``."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

TARGETS = Path(__file__).parents[2] / "benchmarks" / "physiology_targets.py"


@pytest.fixture(scope="module")
def targets() -> ModuleType:
    spec = spec_from_file_location("physiology_targets", TARGETS)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("part", "people"), [("norrbrand", 32), ("mariotti", 32), ("differences", 120), ("reliability", 64)]
)
def test_few_people_already_show_what_is_published(targets: ModuleType, part: str, people: int):
    rows = getattr(targets, part)(people, 7, step_s=5.0)
    missed = [f"{row.what}: {row.simulated}, must lie in {row.allowed}" for row in rows if not row.holds]
    # so few people scatter: a figure near its limit may fall beside it, the committed table has more of them
    assert len(missed) <= 1, missed
    assert len(rows) >= 4


def test_a_row_outside_its_limits_says_so(targets: ModuleType):
    rows = [targets.within("a source", "a figure", "1", value, 0.0, 2.0) for value in (1.0, 3.0)]
    assert [row.holds for row in rows] == [True, False]
    assert "**no**" in targets.as_markdown(rows)


def test_the_spread_between_people_is_held_against_the_published_one(targets: ModuleType):
    people = 20.0 + 3.0 * np.random.default_rng(2).normal(size=500)
    rows = [targets.course("a source", "toes", 20.0, sd, people, of=70) for sd in (3.0, 6.0)]
    assert [row.holds for row in rows] == [True, True]
    assert [row.spread.holds for row in rows] == [True, False]
    # 95 % interval of the SD of 70 people: 0.857 to 1.2 times it (chi squared)
    assert rows[0].spread.limits == pytest.approx((0.857 * 3.0, 1.2 * 3.0), rel=0.01)
    assert "| toes | 6.0 |" in targets.spreads_as_markdown(rows)


def test_the_one_way_reliability_is_that_of_its_definition(targets: ModuleType):
    rng = np.random.default_rng(1)
    person = rng.normal(0, 2.0, (4000, 1))
    assert targets.one_way(person + rng.normal(0, 1.0, (4000, 2))) == pytest.approx(0.8, abs=0.02)
