"""What is known of each outcome: which way helps, on which scale it is analysed, which change matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from types import MappingProxyType
from typing import Final

from rewarm.errors import InvalidInputError


@dataclass(frozen=True)
class Outcome:
    """One outcome of the measurements table.

    ``better`` is +1 where more helps the patient and −1 where less does. With ``log`` it is analysed as its natural
    logarithm and its effect is a ratio. ``prior_unit`` is the amount in which the priors of the model are written (1 °C
    for temperatures; NaN: half the spread of the data). ``important`` is the change that matters to a patient, in the
    unit of the effect; no published figure exists for toes in °C, so 1 °C is a convention that study.toml can replace.
    ``event`` names the metric that is 1 where the time was reached and 0 where it is censored.
    """

    name: str
    words: str
    unit: str
    better: int = 1
    log: bool = False
    prior_unit: float = nan
    important: float = nan
    event: str = ""


_TEMPERATURES: Final = tuple(
    Outcome(name, words, "delta_degC", prior_unit=1.0, important=1.0)
    for name, words in (
        ("mean", "temperature at rest"),
        ("median", "median temperature at rest"),
        ("p5", "temperature of the coldest part"),
        ("p95", "temperature of the warmest part"),
        ("distal_dorsal_difference", "temperature above that of the back of the foot or hand"),
        ("distal_proximal_difference", "temperature above that of the arch or palm"),
        ("tpre", "temperature before the cold water"),
        ("t0", "temperature right after the cold water"),
        ("tmin", "lowest temperature after the cold water"),
        ("rewarming_max", "highest temperature reached after the cold water"),
    )
)
_TIMES: Final = tuple(
    Outcome(name, words, "ratio", better=-1, log=True, important=0.8, event=event)
    for name, words, event in (
        ("lag", "time until rewarming begins", ""),
        ("t25", "time to a quarter of the recovery", "t25_reached"),
        ("t50", "time to half of the recovery", "t50_reached"),
        ("t100", "time to full recovery", "t100_reached"),
        ("time_constant", "time constant of rewarming", ""),
    )
)
_OTHERS: Final = (
    Outcome("max_gradient", "fastest rewarming", "degC/min"),
    Outcome("gradient_2min", "rewarming in the first two minutes", "degC/min"),
    Outcome("auc", "area under the rewarming curve", "degC min"),
    Outcome("recovery_5min", "recovery after 5 minutes", "percent"),
    Outcome("recovery_10min", "recovery after 10 minutes", "percent"),
    Outcome("recovery_15min", "recovery after 15 minutes", "percent"),
    Outcome("vasomotion_power", "slow waves of the skin's temperature", "degC2"),
    Outcome("perfusion_index", "estimated blood flow", "1"),
)

METRIC_OUTCOMES: Final[Mapping[str, Outcome]] = MappingProxyType(
    {outcome.name: outcome for outcome in (*_TEMPERATURES, *_TIMES, *_OTHERS)}
)
"""Metrics that an effect is asked for, in the order in which one is taken as primary where none is declared."""


def outcome_named(name: str) -> Outcome:
    """The outcome of a metric's name.

    Raises :class:`InvalidInputError` where no effect on it is defined.
    """
    if name not in METRIC_OUTCOMES:
        raise InvalidInputError(
            f"outcome: expected one of {', '.join(METRIC_OUTCOMES)}; found {name!r}. "
            "Correct [outcomes] in study.toml, or leave it out"
        )
    return METRIC_OUTCOMES[name]
