"""What effects say in words: the sentence that a patient understands, and what each row and threat means."""

from __future__ import annotations

from typing import Final

from rewarm.effects.design import Threat, grade_design
from rewarm.effects.duration import duration_interval, duration_words, span_words
from rewarm.effects.heel_effects import OUTCOME as HEELS_OUTCOME
from rewarm.effects.heel_effects import HeelsResult
from rewarm.effects.outcomes import DIARY_OUTCOMES
from rewarm.effects.rows import CALLED, ESTIMANDS, GRADES, GROUP, Effect
from rewarm.effects.temperature import OutcomeEffects
from rewarm.report.heels import with_minus_signs
from rewarm.report.words import NBSP, number
from rewarm.study.effects import StudyEffects

UNITS: Final = {
    "delta_degC": "°C", "degC": "°C", "degC/min": "°C/min", "degC min": "°C·min", "degC2": "°C²", "d": "days",
    "1/d": "a day", "min/d": "minutes a day", "h cm": "h·cm", "ratio": "times", "percent": "%", "1": "",
}  # fmt: skip
THREAT_WORDS: Final = {
    "season": "the weather",
    "room": "the room",
    "regression_to_the_mean": "a bad first day",
    "placebo": "being treated at all (placebo)",
    "unmasked_rating": "knowing the treatment while rating",
    "co_treatment": "other treatments",
    "drop_out": "people who stayed away",
    "camera": "the camera",
    "lost_sweating": "dry skin",
}
ESTIMAND_WORDS: Final = {
    "change_from_baseline": "change from before, whatever caused it",
    "effect_vs_control": "effect beside untreated",
    "effect_modelled": "what room, weather and a bad first day leave over",
    "onset_days": "first day with a difference that matters",
    "duration_days": "how long it mattered, from then",
    "observed_relief": "change at whatever load",
    "relief_at_equal_load": "change at equal load",
    "load_change": "change of load",
    "masking": "relief that hides load or harm (probability)",
}

ESTIMAND_NAMES: Final = {
    "change_from_baseline": "change from baseline",
    "effect_vs_control": "effect against the control",
    "effect_modelled": "modelled effect",
}


def answer(result: StudyEffects) -> tuple[str, ...]:
    """One sentence that a patient understands, then what it rests on."""
    item = result.lead
    if item is None:
        return _diary_answer(result)
    sentences = [_main(item)]
    if _helps(item) and item.durations:
        sentences.append(_lasting(item))
    sentences.append(f"{item.grade.sentence}.")
    return tuple(sentences)


def amount(value: float, unit: str, *, signed: bool = True, decimals: int | None = None) -> str:
    """``+2.1 °C``, ``0.7 times``, ``150 days``; with as many decimals as the unit asks for where none are given."""
    text = number(
        value, _decimals(unit) if decimals is None else decimals, signed=signed and unit not in ("d", "ratio")
    )
    words = UNITS.get(unit, unit.replace("_", " "))
    return f"{text}{NBSP}{words}" if words else text


def interval_words(row: Effect) -> str:
    """``+1.8 to +2.4 °C``; an open end where the last visit came first."""
    signed = row.unit not in ("d", "ratio")
    lower, upper = (number(value, _row_decimals(row), signed=signed) for value in (row.lower, row.upper))
    if row.lower != row.lower:
        return "–"
    if row.upper != row.upper:
        return f"{lower} to beyond the last visit"
    return f"{lower}{NBSP}to{NBSP}{upper}"


def estimate_words(row: Effect, *, at_least: bool = False) -> str:
    """The estimate with its unit; "at least" where the follow-up ended first."""
    if row.estimate != row.estimate:
        return "never that large"
    text = amount(row.estimate, row.unit, decimals=_row_decimals(row))
    return f"at least {text}" if at_least else text


def _decimals(unit: str) -> int:
    return 0 if unit == "d" else 2 if unit in ("ratio", "1") else 1


def _row_decimals(row: Effect) -> int:
    """One decimal for points of a diary's scale, which nobody rates to a hundredth."""
    outcome = DIARY_OUTCOMES.get(row.outcome)
    return 1 if row.unit == "1" and outcome is not None and outcome.scale == "bounded" else _decimals(row.unit)


def threat_sentence(threat: Threat) -> str:
    """Status, reason and plausible size in one sentence."""
    size = ""
    if threat.size == threat.size and threat.unit in UNITS and threat.status != "excluded":
        size = f" That alone may make about {amount(threat.size, threat.unit, signed=threat.unit != '1')}"
        size += f" ({threat.source})." if threat.source else "."
    return f"{threat.reason}.{size}"


def grade_words(grade: str) -> str:
    """The design's grade with its meaning."""
    return f"{grade.replace('_', ' ')}: {GRADES[grade]}"


def estimand_sentence(item: OutcomeEffects) -> str:
    """What is estimated, in words."""
    regions = {"toes": "toes", "fingers": "fingers"}[item.region]
    meaning = ESTIMANDS[item.grade.estimand]
    return (
        f"What was estimated: the {ESTIMAND_NAMES[item.grade.estimand]} ({meaning}) in the {item.outcome.words} of the "
        f"treated {regions}, {item.day:.0f} days after the first injection, on average over the "
        f"{_people(len(item.draws.people))} who were treated."
    )


def confounder_sentence(item: OutcomeEffects) -> str:
    """How large an unmeasured shift would have to be; "" where that was not computed."""
    found = next((row for row in item.sensitivity if row.kind == "confounder"), None)
    if found is None or item.outcome.log:
        return ""
    unit = item.outcome.unit
    if found.lower == 0:
        return "The interval holds zero already: nothing unmeasured is needed to explain what was seen."
    if found.lower < 0.05:
        return (
            "Hardly anything unmeasured is needed to leave the effect in doubt, and "
            f"{amount(found.estimate, unit, signed=False)} would explain all of it."
        )
    return (
        f"Something that nobody measured, and that changed after the injections in the treated alone, would have to "
        f"make {amount(found.lower, unit, signed=False)} to leave the effect in doubt, and "
        f"{amount(found.estimate, unit, signed=False)} to explain all of it."
    )


def _main(item: OutcomeEffects) -> str:
    row = item.group
    change = next(other for other in item.effects if other.who == GROUP and other.estimand == "change_from_baseline")
    when = _when(item.day)
    what = "toes" if item.region == "toes" else "fingers"
    size, span = _plain(item, row.estimate), _span(item, row)
    if row.estimand == "effect_vs_control":
        if _helps(item):
            return f"{when}, the treated {what} were {size} than untreated ones let one expect ({span})."
        if _harms(item):
            return f"{when}, the treated {what} were {size} than untreated ones let one expect ({span}): not better."
        if _leans(row):
            return (
                f"{when}, the treated {what} were {size} than untreated ones let one expect ({span}). "
                f"{_not_sure_enough(row)}"
            )
        return (
            f"Whether the injections helped cannot be told: {_lower(when)}, the treated {what} were {size} than "
            f"untreated ones let one expect, but anything from {_range(row)} fits."
        )
    changed = _plain(item, change.estimate)
    if _helps(item):
        return (
            f"{when}, the {what} were {changed} than before; room, weather and a bad first day leave "
            f"{_leftover(item, row)} ({span}). {_untreated(item)}"
        )
    if _leans(row):
        return (
            f"{when}, the {what} were {changed} than before; room, weather and a bad first day leave "
            f"{_leftover(item, row)} ({span}). {_not_sure_enough(row)} {_untreated(item)}"
        )
    return (
        f"{when}, the {what} were {changed} than before, but room, weather and chance could explain this: what they "
        f"leave over is anything from {_range(row)}. Whether the injections helped cannot be told."
    )


def _untreated(item: OutcomeEffects) -> str:
    words = "There was nobody untreated to compare with"
    if item.facts.kind == "n_of_1" and item.facts.randomised:
        return f"{words}."  # the next sentence says what chance, which drew the start, makes of this
    return f"{words}, so nobody can say that the injections did it."


def _lasting(item: OutcomeEffects) -> str:
    whole = item.durations[0]
    if whole.reached < 0.5:
        return "It was never large enough to matter, as far as can be told."
    size = (
        "that matters" if item.outcome.log else f"of {amount(item.important, item.outcome.unit, signed=False)} or more"
    )
    _, low, high = duration_interval(whole, item.level)
    lasted = f"A difference {size} lasted {duration_words(whole)}"
    if high == high:
        return f"{lasted} (from {span_words(low)} to {span_words(high)})."
    if duration_words(whole) == f"at least {span_words(low)}":
        return f"{lasted}: it was still there at the last visit."
    return f"{lasted} (from {span_words(low)} to beyond the last visit)."


def _helps(item: OutcomeEffects) -> bool:
    """Whether words may call it a benefit: a 95 % interval over nothing, though a narrower one is shown."""
    return item.group.probability >= CALLED


def _harms(item: OutcomeEffects) -> bool:
    return item.group.probability <= 1.0 - CALLED


def _leans(row: Effect) -> bool:
    """Whether the interval that is shown excludes nothing at all: neither a call nor to be passed over."""
    nothing = 1.0 if row.unit == "ratio" else 0.0
    return row.lower > nothing or row.upper < nothing


def _not_sure_enough(row: Effect) -> str:
    for_it = row.probability > 0.5
    sure = row.probability if for_it else 1.0 - row.probability
    return (
        f"That points {'to a benefit' if for_it else 'the other way'}, but may be chance: it is {sure:.0%} sure, and "
        f"rewarm calls nothing an effect under {100 * CALLED:g}{NBSP}%."
    )


def _plain(item: OutcomeEffects, value: float) -> str:
    """``2.1 °C warmer``; for others ``30 % quicker`` or ``3.2 lower``."""
    unit = item.outcome.unit
    if unit == "delta_degC":
        return f"{number(abs(value), 1)}{NBSP}°C {'warmer' if value >= 0 else 'colder'}"
    if unit == "ratio":
        return f"{_share(value)} in '{item.outcome.words}'"
    word = "higher" if value >= 0 else "lower"
    return f"{amount(abs(value), unit, signed=False)} {word} in '{item.outcome.words}'"


def _share(ratio: float) -> str:
    """``30 % quicker``: what a ratio of times means."""
    return f"{abs(1.0 - ratio):.0%} {'quicker' if ratio < 1.0 else 'slower'}".replace("%", f"{NBSP}%")


def _leftover(item: OutcomeEffects, row: Effect) -> str:
    if item.outcome.unit == "ratio":
        return f"{_share(row.estimate)} of this"
    signed = item.outcome.unit != "delta_degC" or row.estimate < 0
    return f"{amount(row.estimate, item.outcome.unit, signed=signed)} of this"


def _span(item: OutcomeEffects, row: Effect) -> str:
    return f"we are {item.level:.0%} sure that it is between {_range(row, joint=' and ')}"


def _range(row: Effect, *, joint: str = " to ") -> str:
    if row.unit == "ratio":
        return f"{_share(row.upper)}{joint}{_share(row.lower)}"
    words = UNITS.get(row.unit, row.unit)
    return f"{number(row.lower, 1)}{joint}{number(row.upper, 1)}{NBSP}{words}".rstrip()


def _when(day: float) -> str:
    weeks = round(day / 7)
    numbers = ("", "One week", "Two weeks", "Three weeks", "Four weeks", "Five weeks", "Six weeks", "Seven weeks")
    text = numbers[weeks] if 0 < weeks < len(numbers) else f"{weeks} weeks" if weeks else f"{day:.0f} days"
    return f"{text} after the injections"


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def _people(count: int) -> str:
    return "one person" if count == 1 else f"{count} people"


def _diary_answer(result: StudyEffects) -> tuple[str, ...]:
    rows = result.diaries.effects if result.diaries else ()
    group = [item for item in rows if item.effect.who == GROUP] or list(rows)
    best = sorted(group, key=lambda item: (item.effect.outcome != result.primary, item.effect.estimand))
    heels = _heels_answer(result.heels) if result.heels else ()
    # Observed relief says the same of pain as its change from before, with the load in view.
    first = tuple(item.sentence for item in best[:1] if not heels or item.effect.outcome != HEELS_OUTCOME)
    return tuple(with_minus_signs(words) for words in (*first, *heels, f"{grade_design(result.facts).sentence}."))


def _heels_answer(heels: HeelsResult) -> tuple[str, ...]:
    """Relief, relief at equal load and masking, of the group where there is one; else of the first person."""
    told = list(zip(heels.effects, heels.sentences, strict=True))
    who = GROUP if any(effect.who == GROUP for effect, _ in told) else next((effect.who for effect, _ in told), "")
    wanted = ("observed_relief", "relief_at_equal_load", "masking")
    return tuple(words for name in wanted for effect, words in told if effect.who == who and effect.estimand == name)
