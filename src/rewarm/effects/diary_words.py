"""A diary's effect as a sentence that a patient understands and a statistician accepts."""

from __future__ import annotations

from math import isfinite
from typing import Final

from rewarm.effects.outcomes import DiaryOutcome
from rewarm.effects.rows import GROUP, Effect

_UNITS: Final = {"1": "points", "1/d": "a day", "min/d": "minutes a day", "mm": "mm"}


def sentence_of(effect: Effect, outcome: DiaryOutcome, before: float, after: float, important: float) -> str:
    """One or two sentences: how much, how sure, and whether it matters; a change is never called an effect."""
    who = "On average" if effect.who == GROUP else effect.who
    if not isfinite(effect.lower):
        return f"{who}: {outcome.words} was the same on every day ({before:.3g}); how sure that is cannot be computed."
    unit = "" if outcome.scale == "ordinal" else f" {_UNITS[outcome.unit]}"
    direction = "fell" if effect.estimate < 0 else "rose"
    decimals = 1 if effect.upper - effect.lower >= 1 else 2
    change = f"{effect.estimate:+.{decimals}f}"
    interval = f"{effect.level:.0%} interval {effect.lower:+.{decimals}f} to {effect.upper:+.{decimals}f}"
    if effect.estimand == "effect_vs_control":
        body = f"{who}, {outcome.words} differed by {change}{unit} from what it was without toxin ({interval})"
    elif outcome.scale == "ordinal":
        body = (
            f"{who}, a day after was more coloured than a day before {_net(effect.estimate)} "
            f"({interval}; 0 is no change, −1 every day better)"
        )
    else:
        body = f"{who}, {outcome.words} {direction} from {before:.2g} to {after:.2g}{unit}: {change} ({interval})"
    tail = {
        "change_from_baseline": "; that is a change, whatever caused it.",
        "effect_modelled": "; season and a bad start were taken out by a model, with nobody untreated to compare with.",
        "effect_vs_control": ".",
    }[effect.estimand]
    return body + tail + _importance(outcome, important)


def _net(estimate: float) -> str:
    if estimate < 0:
        return f"{-estimate:.0%} less often than the reverse"
    return f"{estimate:.0%} more often than the reverse"


def _importance(outcome: DiaryOutcome, probability: float) -> str:
    if not isfinite(probability):
        return ""
    what = "a change beyond the tape's error" if outcome.scale == "length" else "an improvement that matters"
    return f" The probability of {what} ({outcome.important:g} {_UNITS[outcome.unit]} or more) is {probability:.0%}."
