"""Heels' rows of ``effects.csv``: relief, relief at equal load, change of load, masking; each with its sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.effects.design import DesignFacts, design_facts, grade_design, statuses, threats_to
from rewarm.effects.diary_days import Window, starts, treated_people
from rewarm.effects.flats import FlatsDay, flats, flats_sentence, group_flats
from rewarm.effects.harm import SYMPTOMS, harms, probabilities_symptoms_rose
from rewarm.effects.heels import HeelFit, fit_people, observed_relief
from rewarm.effects.load import heel_days
from rewarm.effects.masking import Masking, group_masking, people_masking
from rewarm.effects.outcomes import DIARY_OUTCOMES, within_scale
from rewarm.effects.pooling import Pooled, pool
from rewarm.effects.rows import GROUP, LEVEL, Effect
from rewarm.effects.serial import Memory, SerialFit

Floats = NDArray[np.float64]

OUTCOME: Final = "pain_vas"
_PAIN: Final = DIARY_OUTCOMES[OUTCOME]
FEEDBACK_LIMIT: Final = 0.2

SAME_DAY: Final = (
    "Relief at equal load, and what flats would have done, take it that on one and the same day load makes pain and "
    "not pain the choice of shoes, and that nothing else drives both. A diary cannot check this; days in flats drawn "
    "by chance could. What flats would have done takes it, too, that heels are worn as before on the other days; "
    "where numbness or tingling rose, harm that heals in flats is counted in, by a sixth give or take as much."
)


@dataclass(frozen=True)
class HeelsResult:
    """Rows for ``effects.csv``, what flats would have done, the masking flags, and sentences for people.

    ``sentences`` go with ``effects``, one each.
    """

    effects: tuple[Effect, ...]
    sentences: tuple[str, ...]
    flats: tuple[FlatsDay, ...]
    flats_sentences: tuple[str, ...]
    masking: tuple[Masking, ...]
    notes: tuple[str, ...]


def heel_effects(
    settings: Mapping[str, Any],
    participants: pd.DataFrame,
    visits: pd.DataFrame,
    injections: pd.DataFrame | None,
    diary: pd.DataFrame,
    *,
    events: pd.DataFrame | None = None,
    window: Window | None = None,
    level: float = LEVEL,
    memory: Memory | None = None,
) -> HeelsResult | None:
    """Everything that a diary with heel hours and pain can say; None where it holds no heel hours or no treatment.

    Tables are typed as :func:`rewarm.study.check_study` gives them. Only people who got toxin are reported.
    """
    if injections is None or injections.empty or "heel_hours" not in diary:
        return None
    treated = treated_people(injections)
    start_of = {who: day for who, day in starts(injections).items() if who in treated}
    people = heel_days(diary, start_of)
    fits = fit_people(people, window=window, memory=memory)
    facts = design_facts(settings, participants, visits, injections, diary=diary)
    facts = replace(facts, within_picture_control=False, parallel_control=False, control="none")
    harm_of = harms(events, diary, start_of)
    watched = events is not None or bool({"ulcers_n", *SYMPTOMS} & set(diary.columns))
    flags = [*people_masking(fits, harm_of if watched else {})]
    if (together := group_masking(fits, harm_of)) is not None:
        flags.append(together)
    told = [
        *_pain_rows(fits, facts, level, "observed_relief"),
        *_pain_rows(fits, facts, level, "relief_at_equal_load"),
        *_load_rows(fits, facts, level),
        *(_masking_row(flag, facts, level, len(fits)) for flag in flags),
    ]
    harmed = probabilities_symptoms_rose(harm_of)
    by_person = [flats(fit, level=level, harmed=harmed.get(fit.who, 0.0)) for fit in fits]
    tables = [*by_person, *([group_flats(fits, level=level, harmed=harmed)] if len(fits) > 1 else [])]
    return HeelsResult(
        effects=tuple(effect for effect, _ in told),
        sentences=tuple(sentence for _, sentence in told),
        flats=tuple(row for rows in tables for row in rows),
        flats_sentences=tuple(flats_sentence(rows) for rows in tables if rows),
        masking=tuple(flags),
        notes=tuple(_notes(fits, {days.who for days in people}, events)),
    )


def _pain_rows(fits: Sequence[HeelFit], facts: DesignFacts, level: float, estimand: str) -> list[tuple[Effect, str]]:
    rows: list[tuple[Effect, str]] = []
    known: list[tuple[SerialFit, Floats]] = []
    starts_at: list[float] = []
    for fit in fits:
        serial, contrast = observed_relief(fit)
        if estimand == "relief_at_equal_load":
            contrast = serial.vector(effect=1)
        if estimand == "relief_at_equal_load" and fit.joint is None:
            effect = _effect(fit.who, estimand, (nan, nan, nan), nan, 0, facts, level)
            reason = "; ".join(fit.cannot_tell)
            rows.append((effect, f"{fit.who}: relief at equal load cannot be told: {reason}."))
            continue
        known.append((serial, contrast))
        starts_at.append(fit.pain_before)
        figures = within_scale((serial.mean(contrast), *serial.interval(contrast, level)), _PAIN, fit.pain_before)
        effect = _effect(fit.who, estimand, figures, serial.cdf(contrast, 0.0), serial.n, facts, level)
        rows.append((effect, _pain_words(effect)))
    if (group := _pool(known)) is not None:
        figures = within_scale((group.mean, *group.interval(level)), _PAIN, float(np.mean(starts_at)))
        effect = _effect(GROUP, estimand, figures, group.cdf(0.0), group.n, facts, level)
        rows.append((effect, _pain_words(effect)))
    return rows


def _load_rows(fits: Sequence[HeelFit], facts: DesignFacts, level: float) -> list[tuple[Effect, str]]:
    rows: list[tuple[Effect, str]] = []
    known: list[tuple[SerialFit, Floats]] = []
    for fit in fits:
        if fit.load is None:
            effect = _effect(fit.who, "load_change", (nan, nan, nan), nan, 0, facts, level, fit.unit)
            rows.append(
                (effect, f"{fit.who}: the change of load is not known, because it was written on too few days.")
            )
            continue
        contrast = fit.load.vector(effect=1)
        known.append((fit.load, contrast))
        figures = (fit.load.mean(contrast), *fit.load.interval(contrast, level))
        effect = _effect(
            fit.who, "load_change", figures, fit.load.cdf(contrast, 0.0), fit.load.n, facts, level, fit.unit
        )
        rows.append((effect, _load_words(effect, fit.load_before)))
    units = {fit.unit for fit in fits if fit.load is not None}
    if len(units) == 1 and (group := _pool(known)) is not None:
        figures = (group.mean, *group.interval(level))
        effect = _effect(GROUP, "load_change", figures, group.cdf(0.0), group.n, facts, level, units.pop())
        usual = float(np.mean([fit.load_before for fit in fits if fit.load is not None]))
        rows.append((effect, _load_words(effect, usual)))
    return rows


def _pool(known: Sequence[tuple[SerialFit, Floats]]) -> Pooled | None:
    """The mean over people, each counting the same: with three people this is exactly the t interval of their changes,
    while weights that are themselves estimated make it too narrow.
    """
    means, sds = [fit.mean(contrast) for fit, contrast in known], [fit.sd(contrast) for fit, contrast in known]
    return pool(means, sds, equal_weights=True, own_errors=True)


def _masking_row(flag: Masking, facts: DesignFacts, level: float, n: int) -> tuple[Effect, str]:
    figures = (flag.probability, nan, nan)
    people = n if flag.who == GROUP else 1
    effect = _effect(flag.who, "masking", figures, 1.0 - flag.probability, people, facts, level)
    return effect, flag.sentence


def _effect(
    who: str,
    estimand: str,
    figures: tuple[float, float, float],
    probability: float,
    n: int,
    facts: DesignFacts,
    level: float,
    unit: str = "1",
) -> Effect:
    outcome = "heel_hours" if estimand == "load_change" else OUTCOME
    threats = statuses(threats_to(facts, OUTCOME, "1"))
    return Effect(
        who=who, outcome=outcome, estimand=estimand, estimate=figures[0], lower=figures[1], upper=figures[2], unit=unit,
        probability=probability, n=n, design=grade_design(facts).grade, threats=threats, level=level,
    )  # fmt: skip


def _pain_words(effect: Effect) -> str:
    who = "On average" if effect.who == GROUP else effect.who
    interval = f"{effect.level:.0%} interval {effect.lower:+.0f} to {effect.upper:+.0f}"
    important = _PAIN.important
    if effect.estimand == "observed_relief":
        start = (
            f"{who}, pain changed by {effect.estimate:+.0f} of 100 points at whatever load ({interval}; a minus is "
            "less pain)."
        )
    else:
        start = (
            f"{who}, at the load of the days before, pain would have changed by {effect.estimate:+.0f} points "
            f"({interval})."
        )
    if effect.lower <= -important and effect.upper >= important:
        return f"{start} The data cannot tell an important relief from an important worsening."
    return start


def _load_words(effect: Effect, usual: float) -> str:
    who = "On average" if effect.who == GROUP else effect.who
    share = f", {100 * effect.estimate / usual:+.0f} % of what it was" if isfinite(usual) and usual > 0 else ""
    return (
        f"{who}, the load changed by {effect.estimate:+.1f} {effect.unit} a day{share} "
        f"({effect.level:.0%} interval {effect.lower:+.1f} to {effect.upper:+.1f})."
    )


def _notes(fits: Sequence[HeelFit], people: set[str], events: pd.DataFrame | None) -> list[str]:
    notes = [SAME_DAY] if any(fit.joint is not None for fit in fits) else []
    if left := sorted(people - {fit.who for fit in fits}):
        notes.append(f"Too few days of pain before or after the injection: {', '.join(left)}.")
    if events is None:
        notes.append("There is no table of events: whether harm rose is not known, and counts as no rise.")
    for fit in fits:
        if abs(fit.pain_drives_load) > FEEDBACK_LIMIT:
            word = "less" if fit.pain_drives_load < 0 else "more"
            notes.append(
                f"{fit.who}: after a day of more pain {word} heels were worn the next day (rank correlation "
                f"{fit.pain_drives_load:+.2f}); the estimate allows for that, but it says that pain moves the "
                f"choice of shoes."
            )
    return notes
