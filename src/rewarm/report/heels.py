"""Heels on the page: one row a person (relief, load, masking, flats), and the few sentences that a table cannot say."""

from __future__ import annotations

import re
from typing import Final

from rewarm.effects.heel_effects import HeelsResult
from rewarm.effects.rows import GROUP, Effect
from rewarm.report.context import TextTable
from rewarm.report.words import UNKNOWN, number

HEEL_ESTIMANDS: Final = ("observed_relief", "relief_at_equal_load", "load_change", "masking")
_FLATS: Final = (3, 5, 7)
_NOTE: Final = (
    "All figures are changes against the days before, with intervals; a minus is less pain, or less load. Pain is in "
    "points of 100, cut where the scale ends. Flats: what so many days a week without heels would have done over four "
    "weeks, without toxin, heels worn as before on the other days. Hiding: the probability that pain, as it was "
    "written, fell while the load (hours in heels × their height) rose by a tenth or more, or harm rose."
)


def heels_table(heels: HeelsResult) -> TextTable:
    """Everybody's relief beside their load, what flats would have done, and masking; the group first."""
    people = list(dict.fromkeys(effect.who for effect in heels.effects))
    found = {(effect.who, effect.estimand): effect for effect in heels.effects}
    flats = {(row.who, row.flats_days): row for row in heels.flats}
    rows = []
    for who in sorted(people, key=lambda one: (one != GROUP, people.index(one))):
        cells = [_span(found.get((who, name))) for name in HEEL_ESTIMANDS[:3]]
        for days in _FLATS:
            row = flats.get((who, days))
            told = row is not None and not row.cannot_tell
            cells.append(_points(row.change, row.lower, row.upper) if told and row is not None else "cannot tell")
        masking = found.get((who, "masking"))
        cells.append(percent(masking.estimate) if masking else UNKNOWN)
        rows.append(("All together" if who == GROUP else who, *cells))
    unit = next((effect.unit for effect in heels.effects if effect.estimand == "load_change"), "h")
    header = (
        *("Who", "Pain, whatever the load", "Pain at equal load", f"Load a day, {unit.replace(' ', '·')}"),
        *("Flats on 3 days", "Flats on 5 days", "No heels", "Hiding"),
    )
    return TextTable("Heels: heal or hide?", header, tuple(rows), _NOTE)


def heel_sentences(heels: HeelsResult) -> list[str]:
    """Each person's hours, events and masking in words, and what flats would have done for the group."""
    told = [words for effect, words in zip(heels.effects, heels.sentences, strict=True) if effect.estimand == "masking"]
    unsaid = [
        words
        for effect, words in zip(heels.effects, heels.sentences, strict=True)
        if effect.estimand != "masking" and effect.estimate != effect.estimate
    ]
    return [*told, *unsaid, *heels.flats_sentences[-1:]]


def percent(probability: float) -> str:
    """A probability in per cent; never none and never all."""
    if probability != probability:
        return UNKNOWN
    if probability > 0.99:
        return "over 99 %"
    return "under 1 %" if probability < 0.01 else f"{probability:.0%}".replace("%", " %")


def with_minus_signs(text: str) -> str:
    """Hyphens before figures as the minus signs that they are."""
    return re.sub(r"(?<![\w-])-(?=\d)", "−", text)


def _span(effect: Effect | None) -> str:
    return UNKNOWN if effect is None else _points(effect.estimate, effect.lower, effect.upper)


def _points(estimate: float, lower: float, upper: float) -> str:
    if estimate != estimate:
        return "cannot tell"
    return f"{number(estimate, 0, signed=True)} ({number(lower, 0, signed=True)} to {number(upper, 0, signed=True)})"
