"""What a person sets for a picture: overrides are validated, stored values are doubted aloud."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from rewarm.errors import InvalidInputError
from rewarm.thermogram import ObjectParameters

ABSOLUTE_ZERO_C: Final = -273.15
SKIN_EMISSIVITY: Final = 0.98
"""Of skin in the long-wave band, 8–14 µm (Steketee 1973, doi 10.1088/0031-9155/18/5/307)."""


@dataclass(frozen=True)
class _Rule:
    """Of one parameter: what physics allows, what a clinic makes likely, what stands in for the impossible."""

    name: str
    words: str
    unit: str
    expected: str
    possible: Callable[[float], bool]
    likely: Callable[[float], bool]
    usual: str
    stand_in: float
    can_be_passed: bool = True

    def show(self, value: float) -> str:
        return f"{value:.4g}{self.unit}"


_RULES: Final = (
    _Rule("emissivity", "emissivity", "", "a number over 0, up to 1", lambda v: 0 < v <= 1, lambda v: v >= 0.5,
          "0.5 to 1; skin has 0.98", SKIN_EMISSIVITY),
    _Rule("reflected_c", "reflected temperature", " °C", "a temperature over -273.15 and up to 2000 °C",
          lambda v: ABSOLUTE_ZERO_C < v <= 2000, lambda v: -20 <= v <= 60, "near the room's, -20 to 60 °C", 20.0),
    _Rule("distance_m", "distance to the object", " m", "0 to 100000 m", lambda v: 0 <= v <= 1e5,
          lambda v: 0 < v <= 100, "over 0, up to 100 m", 1.0),
    _Rule("humidity_pct", "relative humidity", " %", "0 to 100 %", lambda v: 0 <= v <= 100, lambda v: v >= 5,
          "5 to 100 %", 50.0),
    _Rule("air_c", "air temperature", " °C", "a temperature over -273.15 and up to 2000 °C",
          lambda v: ABSOLUTE_ZERO_C < v <= 2000, lambda v: -30 <= v <= 50, "-30 to 50 °C", 20.0),
    _Rule("window_transmission", "transmission of an infrared window", "", "a number over 0, up to 1",
          lambda v: 0 < v <= 1, lambda _: True, "1, which means no window", 1.0, can_be_passed=False),
    _Rule("window_c", "temperature of an infrared window", " °C", "a temperature over -273.15 °C",
          lambda v: ABSOLUTE_ZERO_C < v <= 2000, lambda _: True, "near the room's", 20.0, can_be_passed=False),
)  # fmt: skip


def check_overrides(
    *,
    emissivity: float | None,
    reflected_c: float | None,
    distance_m: float | None,
    humidity_pct: float | None,
    air_c: float | None,
) -> ObjectParameters:
    """The overrides as one container; raises :class:`InvalidInputError` naming every value that cannot be."""
    overrides = ObjectParameters(
        emissivity=emissivity, reflected_c=reflected_c, distance_m=distance_m, humidity_pct=humidity_pct, air_c=air_c
    )
    problems: list[str] = []
    numbers: dict[str, float] = {}
    for rule in _RULES:
        value = getattr(overrides, rule.name)
        if value is None:
            continue
        if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
            problems.append(f"{rule.name}: expected {rule.expected}; found {value!r}")
        elif not (math.isfinite(value) and rule.possible(float(value))):
            hint = _hint(rule, float(value))
            problems.append(f"{rule.name}: expected {rule.expected}; found {float(value):g}{hint}")
        else:
            numbers[rule.name] = float(value)
    if problems:
        raise InvalidInputError("\n  ".join(problems))
    return replace(overrides, **numbers)


def given(overrides: ObjectParameters) -> tuple[str, ...]:
    """The names of the parameters that somebody asked to change."""
    return tuple(field.name for field in fields(overrides) if getattr(overrides, field.name) is not None)


def refuse_overrides(overrides: ObjectParameters, *, kind: str) -> None:
    """Raise :class:`InvalidInputError` if any was given: finished temperatures cannot be computed anew."""
    names = given(overrides)
    if names:
        raise InvalidInputError(
            f"{', '.join(names)}: expected a file that holds the camera's raw counts; found {kind}, which holds "
            "finished temperatures that cannot be computed anew. Open it without these options, or use the camera's "
            "original file"
        )


def settle_parameters(stored: ObjectParameters, overrides: ObjectParameters) -> tuple[ObjectParameters, list[str]]:
    """What to compute with, and what a person should know about it.

    An override wins. A stored value that physics forbids gives way to a stand-in; one that is only unlikely is used as
    stored, as the vendor's programs do. Both are said in the returned sentences.
    """
    warnings: list[str] = []
    settled: dict[str, float] = {}
    for rule in _RULES:
        override = getattr(overrides, rule.name)
        value = override if override is not None else getattr(stored, rule.name)
        if value is None or not math.isfinite(value) or not rule.possible(value):
            if rule.name == "window_c" and settled["window_transmission"] == 1:
                continue
            warnings.append(_impossible(rule, value))
            value = rule.stand_in
        elif not rule.likely(value):
            origin = "was given" if override is not None else "is stored in the file"
            warnings.append(
                f"{_sentence(rule)} of {rule.show(value)} {origin} and was used, but expected is "
                f"{rule.usual}{_advice(rule)}."
            )
        settled[rule.name] = float(value)
    warnings += _doubts(ObjectParameters(**settled))
    return ObjectParameters(**settled), warnings


def _doubts(settled: ObjectParameters) -> list[str]:
    """What is possible and likely, and still wrong for a person's skin."""
    doubts: list[str] = []
    emissivity, window = settled.emissivity, settled.window_transmission
    if emissivity is not None and emissivity >= 0.5 and abs(emissivity - SKIN_EMISSIVITY) > 0.0101:
        default = ", a usual default of cameras" if round(emissivity, 3) in (0.95, 1.0) else ""
        doubts.append(
            f"The emissivity is {emissivity:.4g}{default}; skin has {SKIN_EMISSIVITY}. For skin pass "
            f"emissivity={SKIN_EMISSIVITY}."
        )
    if window is not None and window != 1:
        shown = "unknown" if settled.window_c is None else f"{settled.window_c:.4g} °C"
        doubts.append(
            f"The temperatures were computed as if seen through an infrared window of transmission {window:.4g} at "
            f"{shown}, as the file says. If there was no window they are wrong: set the window's transmission to 1 in "
            "the camera's own program and save the picture again."
        )
    return doubts


def _impossible(rule: _Rule, value: float | None) -> str:
    found = "no readable value" if value is None or not math.isfinite(value) else f"{rule.show(value)}, which cannot be"
    return f"{_sentence(rule)}: the file stores {found}; {rule.show(rule.stand_in)} was used instead{_advice(rule)}."


def _sentence(rule: _Rule) -> str:
    return rule.words[0].upper() + rule.words[1:]


def _advice(rule: _Rule) -> str:
    return f"; pass {rule.name}=… to correct it" if rule.can_be_passed else ""


def _hint(rule: _Rule, value: float) -> str:
    if rule.name == "emissivity" and 1 < value <= 100:
        return f". Did you mean {value / 100:g}?"
    return ""
