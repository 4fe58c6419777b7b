"""The smallest change that can be told from none: what measurement alone allows, and what people's own days allow.

The two are different things, and both count. The first is this package's own budget, in °C, of the very scans in hand.
The second is how much the same person's figure varies from day to day when nothing was done, from published
test–retest studies: SDC = 1.96·√2·√(1 − ICC) of the standard deviation between people (de Vet et al. 2006,
doi 10.1186/1477-7525-4-54).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt
from typing import Final

import pandas as pd

from rewarm.errors import InvalidInputError
from rewarm.tables import COMPARISON, SMALLEST_DETECTABLE_FACTOR


@dataclass(frozen=True)
class TestRetest:
    """A published repeatability: ICC with its 95 % interval, of whom it was found, and where."""

    __test__ = False  # a name, not a test

    metric: str
    icc: float
    low: float
    high: float
    of_whom: str
    doi: str


_FINGERS: Final = "159 people with Raynaud's phenomenon, eight fingers averaged, cold challenge of the hands; not toes"
_FINGERS_DOI: Final = "10.1002/art.40457"

PUBLISHED: Final = (
    TestRetest("distal_dorsal_difference", 0.58, 0.43, 0.71, _FINGERS, _FINGERS_DOI),
    TestRetest("log_auc", 0.68, 0.58, 0.80, _FINGERS, _FINGERS_DOI),
    TestRetest("log_max", 0.72, 0.64, 0.81, _FINGERS, _FINGERS_DOI),
    TestRetest("gradient_2min", 0.56, 0.40, 0.74, _FINGERS, _FINGERS_DOI),
)
"""Wilkinson et al. 2018. None of the other metrics, and no toe, has a published figure that could be used here."""


@dataclass(frozen=True)
class DetectableChange:
    """One metric's smallest detectable change at 95 %.

    From measurement alone: ``measurement``, the median over ``n`` changes, between ``lowest`` and ``highest``, in the
    metric's ``unit``; NaN where nothing was measured. Times that were not reached have no change and do not count. From
    a person's own variation: ``person_sd``, in standard deviations between people, with the bounds that the ICC's 95 %
    interval gives; None where nothing is published. ``of_whom`` and ``doi`` belong to the latter.
    """

    metric: str
    n: int
    unit: str
    measurement: float
    lowest: float
    highest: float
    person_sd: float | None = None
    person_sd_low: float | None = None
    person_sd_high: float | None = None
    of_whom: str = ""
    doi: str = ""


def smallest_detectable_changes(comparisons: pd.DataFrame) -> tuple[DetectableChange, ...]:
    """Each metric's smallest detectable change, from measurement and, where published, from people's own variation.

    ``comparisons`` has the columns of :data:`rewarm.tables.COMPARISON`, of any number of comparisons. Metrics in it
    come first, in its order; then those that only a publication knows. Raises :class:`InvalidInputError` for other
    columns.
    """
    missing = [column for column in COMPARISON if column not in comparisons.columns]
    if missing:
        raise InvalidInputError(
            f"comparisons: expected the columns of a comparison table; missing {', '.join(missing)}. "
            "Use the table that rewarm.compare gives"
        )
    published = {item.metric: item for item in PUBLISHED}
    names = [str(name) for name in comparisons["metric"].drop_duplicates()]
    names += [name for name in published if name not in names]
    return tuple(_one(name, comparisons, published.get(name)) for name in names)


def person_sdc(icc: float) -> float:
    """1.96·√2·√(1 − ICC): in standard deviations between people; raises :class:`InvalidInputError` outside 0..1."""
    if not 0.0 <= icc <= 1.0:
        raise InvalidInputError(f"icc: expected a figure from 0 to 1; found {icc:g}")
    return SMALLEST_DETECTABLE_FACTOR * sqrt(2.0) * sqrt(1.0 - icc)


def _one(metric: str, comparisons: pd.DataFrame, known: TestRetest | None) -> DetectableChange:
    rows = comparisons.loc[comparisons["metric"] == metric]
    unit = "" if rows.empty else str(rows["unit"].iloc[0])
    sdc = pd.to_numeric(rows["sdc"], errors="coerce").dropna()
    figures = (float(sdc.median()), float(sdc.min()), float(sdc.max())) if len(sdc) else (nan, nan, nan)
    if known is None:
        return DetectableChange(metric, len(sdc), unit, *figures)
    return DetectableChange(
        metric,
        len(sdc),
        unit,
        *figures,
        person_sdc(known.icc),
        person_sdc(known.high),
        person_sdc(known.low),
        known.of_whom,
        known.doi,
    )
