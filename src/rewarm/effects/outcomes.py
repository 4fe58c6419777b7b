"""What a diary's columns are: their scale, their bounds, and what counts as an important difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType
from typing import Final, Literal

Scale = Literal["bounded", "count", "ordinal", "length"]


@dataclass(frozen=True)
class DiaryOutcome:
    """One column of the diary. For all of them, less is better.

    ``important`` is the smallest change that matters to a person (for a length: the smallest that is real beyond the
    tape's error), NaN where none is published; ``season_slope`` and ``season_slope_sd`` say what is known beforehand of
    its change per °C outdoors (of its logarithm, for counts), NaN where nothing is.
    """

    name: str
    words: str
    scale: Scale
    unit: str
    low: float
    high: float
    important: float
    important_source: str
    season_slope: float = float("nan")
    season_slope_sd: float = float("nan")


_NONE: Final = float("nan")
_COUNT_SLOPE: Final = (-0.062, 0.04)
"""ln(1 − 0.48) / 10.6 °C: attacks fall by 48 % from winter to summer (PMID 10451070); as wide as people may differ."""

DIARY_OUTCOMES: Final[Mapping[str, DiaryOutcome]] = MappingProxyType(
    {
        outcome.name: outcome
        for outcome in (
            DiaryOutcome(
                "rcs", "the Raynaud's condition score", "bounded", "1", 0, 10, 1.4, "PMC2837770",
                # 6.8 at −25 °C and 2.6 at 25 °C (2,243 people; doi 10.1016/S2665-9913(24)00189-9)
                -0.084, 0.06,
            ),
            DiaryOutcome(
                "attacks_n", "attacks a day", "count", "1/d", 0, float("inf"), _NONE, "", *_COUNT_SLOPE,
            ),
            DiaryOutcome(
                "attack_minutes", "minutes in attacks a day", "count", "min/d", 0, 1440, _NONE, "", *_COUNT_SLOPE,
            ),
            DiaryOutcome(
                "pain_vas", "the day's worst pain", "bounded", "1", 0, 100, 8.0,
                "8 of 100 for average, 19 for first-step heel pain; attacks' pain has no published figure",
            ),
            DiaryOutcome("cold_intolerance", "cold intolerance", "bounded", "1", 0, 100, _NONE, ""),
            DiaryOutcome("colour_change", "colours seen", "ordinal", "1", 0, 3, _NONE, ""),
            DiaryOutcome(
                "swelling_mm", "swelling", "length", "mm", -float("inf"), float("inf"), 5.0,
                "figure-of-eight tape: a change is real over 0.5 cm",
            ),
        )
    }
)  # fmt: skip
"""The diary's outcomes that are figures, by column. Numbness and tingling are free text and are not analysed."""


def within_scale(
    figures: tuple[float, float, float], outcome: DiaryOutcome, before: float
) -> tuple[float, float, float]:
    """(estimate, lower, upper) of a change, cut where ``before`` plus the change leaves the outcome's scale.

    Means are compared by lines that know of no ends. A true change cannot lie beyond them, so that an interval that is
    cut holds the truth as often. Ordinal outcomes change by −1 to 1, whatever they were. NaN stays NaN.
    """
    low, high = (-1.0, 1.0) if outcome.scale == "ordinal" else (outcome.low - before, outcome.high - before)
    estimate, lower, upper = (min(max(value, low), high) if isfinite(value) else value for value in figures)
    return estimate, lower, upper
