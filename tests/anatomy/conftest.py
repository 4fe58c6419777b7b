"""Fixtures: pictures whose regions are known, and what the finder makes of them (each found once)."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from rewarm.anatomy import find_regions
from rewarm.regions import Regions
from rewarm.twin import DrawnSoles


def _scenes() -> ModuleType:
    name = "rewarm_test_anatomy_scenes"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("scenes.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def scenes() -> ModuleType:
    return _scenes()


@pytest.fixture(scope="session")
def found_scenes() -> list[tuple[Regions, DrawnSoles]]:
    """Eight pictures of both soles with toes that differ from the sheet, and their regions."""
    made = _scenes()
    result = []
    for seed in range(8):
        picture, truth = made.soles(seed, shape=(480, 640) if seed % 4 == 0 else (240, 320))
        result.append((find_regions(made.thermogram(picture)), truth))
    return result
