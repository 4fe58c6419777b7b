"""Overrides are validated all together; doubtful stored values are said aloud."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rewarm.cameras.parameters import check_overrides, settle_parameters
from rewarm.errors import InvalidInputError
from rewarm.thermogram import ObjectParameters

NONE = {"emissivity": None, "reflected_c": None, "distance_m": None, "humidity_pct": None, "air_c": None}
SOUND = ObjectParameters(0.98, 22.0, 1.0, 45.0, 23.0, 20.0, 1.0)
NOTHING = ObjectParameters()


def test_sound_values_pass_as_floats() -> None:
    checked = check_overrides(**(NONE | {"emissivity": 1, "air_c": np.float32(21.5)}))
    assert checked == ObjectParameters(emissivity=1.0, air_c=21.5)
    assert type(checked.emissivity) is float
    assert type(checked.air_c) is float


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("emissivity", 0),
        ("emissivity", 1.01),
        ("emissivity", math.nan),
        ("emissivity", "0.98"),
        ("emissivity", True),
        ("reflected_c", -273.15),
        ("reflected_c", math.inf),
        ("distance_m", -1),
        ("humidity_pct", 100.1),
        ("humidity_pct", -0.1),
        ("air_c", -300),
    ],
)
def test_impossible_overrides_are_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidInputError, match=f"{name}: expected .*; found "):
        check_overrides(**(NONE | {name: value}))


def test_all_problems_come_together() -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_overrides(emissivity=98, reflected_c=-300, distance_m=-1, humidity_pct=101, air_c=math.nan)
    for name in NONE:
        assert f"{name}: " in str(caught.value)
    assert "Did you mean 0.98?" in str(caught.value)


def test_a_sound_file_needs_no_warning() -> None:
    assert settle_parameters(SOUND, NOTHING) == (SOUND, [])


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("emissivity", 0.3, "0.3"),
        ("reflected_c", 298.0, "298 °C"),
        ("distance_m", 0.0, "0 m"),
        ("distance_m", 250.0, "250 m"),
        ("humidity_pct", 0.0, "0 %"),
        ("air_c", 80.0, "80 °C"),
    ],
)
def test_absurd_but_possible_is_used_and_said(name: str, value: float, shown: str) -> None:
    stored = ObjectParameters(**(SOUND.__dict__ | {name: value}))
    settled, warnings = settle_parameters(stored, NOTHING)
    assert getattr(settled, name) == value
    assert len(warnings) == 1
    assert f"of {shown} is stored in the file and was used" in warnings[0]
    assert f"pass {name}=" in warnings[0]


@pytest.mark.parametrize(
    ("name", "value", "stand_in"),
    [
        ("emissivity", 0.0, 0.98),
        ("emissivity", 3.0, 0.98),
        ("emissivity", None, 0.98),
        ("reflected_c", -400.0, 20.0),
        ("distance_m", -2.0, 1.0),
        ("humidity_pct", 900.0, 50.0),
        ("air_c", math.nan, 20.0),
        ("window_transmission", 0.0, 1.0),
    ],
)
def test_impossible_gives_way_to_a_stand_in_and_is_said(name: str, value: float | None, stand_in: float) -> None:
    settled, warnings = settle_parameters(ObjectParameters(**(SOUND.__dict__ | {name: value})), NOTHING)
    assert getattr(settled, name) == stand_in
    assert len(warnings) == 1
    assert "was used instead" in warnings[0]


def test_an_override_silences_the_doubt_about_the_stored_value() -> None:
    stored = ObjectParameters(**(SOUND.__dict__ | {"reflected_c": 298.0, "emissivity": 0.95}))
    settled, warnings = settle_parameters(stored, ObjectParameters(reflected_c=23.0, emissivity=0.98))
    assert (settled.reflected_c, settled.emissivity, warnings) == (23.0, 0.98, [])


@pytest.mark.parametrize("emissivity", [0.95, 1.0])
def test_a_cameras_default_is_not_skin(emissivity: float) -> None:
    _, warnings = settle_parameters(ObjectParameters(**(SOUND.__dict__ | {"emissivity": emissivity})), NOTHING)
    assert len(warnings) == 1
    assert "usual default of cameras" in warnings[0]
    assert "pass emissivity=0.98" in warnings[0]


def test_a_window_is_said_with_its_value() -> None:
    _, warnings = settle_parameters(ObjectParameters(**(SOUND.__dict__ | {"window_transmission": 0.82})), NOTHING)
    assert len(warnings) == 1
    assert "transmission 0.82 at 20 °C" in warnings[0]


def test_without_a_window_its_temperature_does_not_matter() -> None:
    settled, warnings = settle_parameters(ObjectParameters(**(SOUND.__dict__ | {"window_c": math.nan})), NOTHING)
    assert settled.window_c is None
    assert warnings == []
