"""The table of effects: its columns and words, the frozen row, and how threats are written into one cell.

Everything in this room that estimates anything gives :class:`Effect` objects; :func:`effects_table` makes the table of
them that is written as ``effects.csv``, and refuses words that the contract does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isnan, nan
from types import MappingProxyType
from typing import Final

import pandas as pd

from rewarm.errors import InvalidInputError
from rewarm.regions import SIDES

EFFECTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "who": "a participant's id, or `group`",
        "side": "left or right, the person's own; empty for both together",
        "region": "word of the anatomical vocabulary, or toes, fingers; empty where the outcome has none",
        "outcome": "a metric of the measurements table, or a column of the diary",
        "estimand": "what is estimated: change_from_baseline, effect_vs_control, effect_modelled, ...",
        "estimate": "the figure, in `unit`",
        "lower": "lower end of its interval",
        "upper": "upper end; empty where it lies beyond the last visit (censored)",
        "level": "level of the interval, 0.90",
        "unit": "delta_degC, d, 1, ...",
        "probability": "that it goes the way that helps the patient; called an effect from 0.975, not by `lower` alone",
        "n": "people that the figure rests on (visits, in a row about one person)",
        "design": "grade of the design, from what the data hold",
        "threats": "name:present, excluded or unknown, joined by ;",
    }
)
"""One row an effect: who × side × region × outcome × estimand."""

GROUP: Final = "group"

ESTIMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "change_from_baseline": "before–after without a control: whatever caused it",
        "effect_vs_control": "beside untreated limbs, regions or people",
        "effect_modelled": "season, room and regression to the mean taken out by a model, no control",
        "onset_days": "days from the injection until the effect first reaches the important difference",
        "duration_days": "days from onset until the effect falls below the important difference",
        "observed_relief": "pain after against before, at whatever load",
        "relief_at_equal_load": "pain after against before, had the load stayed the same",
        "load_change": "load after against before",
        "masking": "probability that relief hides load or harm",
        "mechanism": "probability that this caused the warming (the outcome names the cause)",
    }
)

GRADES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "randomised_controlled": "treatment allotted by chance, with an untreated or placebo control at the same time",
        "randomised_start": "the time of the start drawn by chance, several visits before and after",
        "controlled": "a control at the same time, but not allotted by chance (or not stated)",
        "repeated_baseline": "no control; two or more visits before the treatment",
        "before_after": "no control, one visit before the treatment",
    }
)
"""Grades of a design, the strongest first."""

THREATS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "season": "the weather changed between the visits",
        "room": "the room was warmer or colder after",
        "regression_to_the_mean": "people enrol when they are worst, and get better by themselves",
        "placebo": "being treated helps by itself",
        "unmasked_rating": "who rates knows the treatment",
        "co_treatment": "something else was changed at the same time",
        "drop_out": "those who stayed are not those who began",
        "camera": "the camera read differently after",
        "lost_sweating": "dry skin is warmer without more blood",
    }
)
STATUSES: Final = ("present", "excluded", "unknown")

LEVEL: Final = 0.90
"""Level of every interval unless another is asked for."""

CALLED: Final = 0.975
"""Probability of the helpful direction from which words call something an effect: the 95 % interval excludes zero.

An interval of :data:`LEVEL` lies over zero by chance in one of twenty studies without an effect; a call shall be rarer.
"""


@dataclass(frozen=True)
class Effect:
    """One row of ``effects.csv`` (columns of :data:`EFFECTS`); numbers that do not apply are NaN.

    ``threats`` maps names of :data:`THREATS` to a word of :data:`STATUSES`. An ``upper`` of NaN beside a finite
    ``estimate`` of a duration means that the last visit came first ("at least").
    """

    who: str
    outcome: str
    estimand: str
    estimate: float
    lower: float
    upper: float
    unit: str
    probability: float
    n: int
    design: str
    threats: Mapping[str, str]
    side: str = ""
    region: str = ""
    level: float = LEVEL


def effects_table(effects: Iterable[Effect]) -> pd.DataFrame:
    """The table of effects in order: text columns as str, numbers as float64, ``n`` as int64.

    Raises :class:`InvalidInputError`, naming all, where a word is not the contract's, an interval does not hold its
    estimate, or a probability is not one.
    """
    rows = list(effects)
    troubles = [trouble for row in rows for trouble in _troubles(row)]
    if troubles:
        raise InvalidInputError("effects: " + "; ".join(dict.fromkeys(troubles)))
    cells = {name: [_cell(row, name) for row in rows] for name in EFFECTS}
    return pd.DataFrame({name: pd.Series(values, dtype=_dtype(name)) for name, values in cells.items()})


def encode_threats(threats: Mapping[str, str]) -> str:
    """``season:present;room:excluded``, in the order of :data:`THREATS`.

    Raises :class:`InvalidInputError` for a threat or status that the contract does not know.
    """
    for name, status in threats.items():
        if name not in THREATS:
            raise InvalidInputError(f"threat: expected one of {', '.join(THREATS)}; found {name!r}")
        if status not in STATUSES:
            raise InvalidInputError(f"threat {name}: expected one of {', '.join(STATUSES)}; found {status!r}")
    return ";".join(f"{name}:{threats[name]}" for name in THREATS if name in threats)


def decode_threats(text: str) -> dict[str, str]:
    """The inverse of :func:`encode_threats`; "" gives no threats.

    Raises :class:`InvalidInputError` for anything else than ``name:status`` joined by ``;``.
    """
    threats: dict[str, str] = {}
    for part in filter(None, text.split(";")):
        name, colon, status = part.partition(":")
        if not colon:
            raise InvalidInputError(f"threats: expected name:status joined by ;; found {part!r}")
        threats[name] = status
    encode_threats(threats)
    return threats


def _cell(row: Effect, name: str) -> object:
    return encode_threats(row.threats) if name == "threats" else getattr(row, name)


def _dtype(name: str) -> str:
    numbers = ("estimate", "lower", "upper", "level", "probability")
    return "int64" if name == "n" else "float64" if name in numbers else "str"


def _troubles(row: Effect) -> list[str]:
    found = []
    if row.estimand not in ESTIMANDS:
        found.append(f"estimand: expected one of {', '.join(ESTIMANDS)}; found {row.estimand!r}")
    if row.design not in GRADES:
        found.append(f"design: expected one of {', '.join(GRADES)}; found {row.design!r}")
    if row.side not in ("", *SIDES):
        found.append(f"side: expected left, right or nothing; found {row.side!r}")
    if not isnan(row.probability) and not 0.0 <= row.probability <= 1.0:
        found.append(f"probability: expected 0 to 1; found {row.probability:g}")
    if row.lower > row.estimate or row.upper < row.estimate:
        found.append(
            f"{row.who} {row.outcome} {row.estimand}: expected an estimate inside its interval; "
            f"found {row.estimate:g} in [{row.lower:g}, {row.upper:g}]"
        )
    if not 0.0 < row.level < 1.0:
        found.append(f"level: expected a probability between 0 and 1; found {row.level:g}")
    return found


NOT_KNOWN: Final = nan
