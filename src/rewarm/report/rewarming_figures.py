"""Figures of a cold challenge over several toes, before and after: medians, times that were not reached, changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from rewarm.report.rows import Rows, figure, index_rows
from rewarm.report.words import DIGITS, NBSP, UNKNOWN, number
from rewarm.tables import SMALLEST_DETECTABLE_FACTOR


@dataclass(frozen=True)
class Metric:
    """A figure as a report shows it: its name in the tables, in words, its unit, what one of it is divided by.

    Times may be ``censored``; of a ``sparse`` figure there is a row only where both visits have it.
    """

    name: str
    words: str
    unit: str
    divisor: float = 1.0
    decimals: int = 1
    censored: bool = False
    sparse: bool = False


METRICS: Final = (
    Metric("tpre", "before the cold water", "°C"),
    Metric("t0", "just out of the water", "°C"),
    Metric("tmin", "lowest", "°C"),
    Metric("rewarming_max", "highest within 15 min", "°C"),
    Metric("lag", "until the rise begins", "min", 60.0, 1, censored=True),
    Metric("gradient_2min", "rise in the first 2 min", "°C/min", decimals=2),
    Metric("max_gradient", "steepest rise in 1 min", "°C/min", decimals=2),
    Metric("auc", "area over 15 min", "°C·min", decimals=0),
    Metric("recovery_5min", "warmth regained at 5 min", "%", decimals=0),
    Metric("recovery_10min", "warmth regained at 10 min", "%", decimals=0),
    Metric("recovery_15min", "warmth regained at 15 min", "%", decimals=0),
    Metric("t25", "a quarter regained after", "min", 60.0, 1, censored=True),
    Metric("t50", "half regained after", "min", 60.0, 1, censored=True),
    Metric("t100", "all regained after", "min", 60.0, 1, censored=True),
    Metric("time_constant", "time constant of the rise", "min", 60.0, 1),
    Metric("vasomotion_power", "slow waves, variance", "°C²", decimals=4, sparse=True),
)
"""In the order of a table; the warmth regained is (T − lowest)/(before the cold water − lowest)."""


@dataclass(frozen=True)
class Value:
    """One figure in the metric's shown unit; ``reached`` is False where a time is longer than ``value``."""

    value: float
    u: float | None
    reached: bool
    n: int


@dataclass(frozen=True)
class ChangeText:
    """Before, after and what changed, as printed."""

    before: str
    after: str
    change: str
    u: str
    sdc: str
    detectable: str


EMPTY: Final = ChangeText(*(UNKNOWN,) * 6)


def values_of(metrics: pd.DataFrame, side: str, metric: Metric, regions: Sequence[str] = DIGITS) -> dict[str, Value]:
    """The metric of each of ``regions`` of a side that has one, in the shown unit."""
    rows = index_rows(metrics[metrics["metric"].isin((metric.name, f"{metric.name}_reached"))])
    found = {region: _value(rows, side, region, metric) for region in regions}
    return {region: value for region, value in found.items() if value is not None}


def _value(rows: Rows, side: str, region: str, metric: Metric) -> Value | None:
    row = rows.get((side, region, metric.name))
    value = None if row is None else figure(row["value"])
    if row is None or value is None:
        return None
    u = figure(row["u"])
    flag = rows.get((side, region, f"{metric.name}_reached"))
    reached = not metric.censored or flag is None or bool(figure(flag["value"]))
    return Value(value / metric.divisor, None if u is None else u / metric.divisor, reached, 1)


def over_digits(values: Sequence[Value]) -> Value | None:
    """The median over toes; of times, when half of the toes had reached it, so that those that never did count too.

    The uncertainty is the toes' average, as if all of it were shared, which is the cautious bound.
    """
    if not values:
        return None
    timed = [value.u for value in values if value.reached]
    known = [u for u in timed if u is not None]
    u = float(np.mean(known)) if known and len(known) == len(timed) else None
    if all(value.reached for value in values):
        return Value(float(np.median([value.value for value in values])), u, True, len(values))
    reached = sorted(value.value for value in values if value.reached)
    needed = math.ceil(len(values) / 2)
    if len(reached) >= needed:
        return Value(reached[needed - 1], u, True, len(values))
    followed = min(value.value for value in values if not value.reached)
    return Value(followed, None, False, len(values))


def value_text(value: Value | None, metric: Metric) -> str:
    """The figure, "> 15.0" where it was not reached, "–" where there is none."""
    if value is None:
        return UNKNOWN
    return number(value.value, metric.decimals) if value.reached else f">{NBSP}{number(value.value, metric.decimals)}"


def change_text(before: Value | None, after: Value | None, metric: Metric) -> ChangeText:
    """After − before; where one of them was not reached, the bound that can be given."""
    texts = value_text(before, metric), value_text(after, metric)
    if before is None or after is None or not (before.reached or after.reached):
        return ChangeText(*texts, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)
    known = [value.u for value in (before, after) if value.reached]
    u = None if any(item is None for item in known) else math.sqrt(sum(item**2 for item in known if item is not None))
    sdc = None if u is None else SMALLEST_DETECTABLE_FACTOR * u
    change = after.value - before.value
    certain = change if before.reached and after.reached else min(change, 0.0) if after.reached else max(change, 0.0)
    bound = "" if before.reached and after.reached else f"<{NBSP}" if after.reached else f">{NBSP}"
    return ChangeText(
        *texts,
        bound + number(change, metric.decimals, signed=True),
        number(u, metric.decimals),
        number(sdc, metric.decimals),
        UNKNOWN if sdc is None else "yes" if abs(certain) > sdc else "no",
    )
