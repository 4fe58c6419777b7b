"""One outcome of the measurements → its effects: change, effect, onset and duration, for each person and the group."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, isfinite, log, nan
from typing import Final

import numpy as np
import pandas as pd

from rewarm.effects.bayes import DEFAULT_SAMPLING, Sampling, fit_bayes
from rewarm.effects.classical import ClassicalTest, classical_tests
from rewarm.effects.design import DesignFacts, DesignGrade, Threat, grade_design, statuses, threats_to
from rewarm.effects.draws import Draws, Floats, interval
from rewarm.effects.duration import Duration, duration_interval, durations, onset_interval
from rewarm.effects.fast import fit_fast
from rewarm.effects.metrics import Outcome
from rewarm.effects.model import ModelData, build_model
from rewarm.effects.rows import GROUP, LEVEL, Effect
from rewarm.effects.sensitivity import Sensitivity, explain_away, leave_one_out, prior_sensitivity

USUAL_DAY: Final = 42.0
"""Six weeks: the visit of the published case series (doi 10.1136/bcr-2017-219348), near the peak at five weeks."""
USUAL_SPAN: Final = (21.0, 84.0)


@dataclass(frozen=True, eq=False)
class OutcomeEffects:
    """All that the study says of one outcome on ``region`` (toes or fingers).

    ``role`` is primary or secondary. ``day`` is the day after the injection that the effect is stated for. ``draws``
    are those of the effect, ``change`` of the unadjusted change. ``important`` is on the scale of the draws (NaN:
    none). ``notes`` are sentences on what could not be done.
    """

    outcome: Outcome
    region: str
    role: str
    day: float
    level: float
    important: float
    facts: DesignFacts
    grade: DesignGrade
    threats: tuple[Threat, ...]
    frame: pd.DataFrame
    draws: Draws
    change: Draws
    durations: tuple[Duration, ...]
    effects: tuple[Effect, ...]
    tests: tuple[ClassicalTest, ...]
    sensitivity: tuple[Sensitivity, ...]
    notes: tuple[str, ...]

    @property
    def group(self) -> Effect:
        """The group's row of the effect itself."""
        return next(row for row in self.effects if row.who == GROUP and row.estimand == self.grade.estimand)


def outcome_effects(
    frame: pd.DataFrame,
    outcome: Outcome,
    region: str,
    facts: DesignFacts,
    *,
    role: str = "primary",
    important: float = nan,
    level: float = LEVEL,
    sampler: Sampling | None = DEFAULT_SAMPLING,
    with_sensitivity: bool = True,
) -> OutcomeEffects:
    """Analyse a frame of :func:`rewarm.effects.frame.analysis_frame`.

    ``important`` is in the outcome's unit (a temperature's °C; a time's ratio below 1), the outcome's own where NaN.
    ``sampler`` None takes the fast estimator.

    Raises :class:`rewarm.errors.InvalidInputError` where nobody treated was seen before and after, where the sampler is
    not installed, and for censored outcomes without a sampler.
    """
    facts = _facts_of(frame, facts)
    grade = grade_design(facts)
    data = build_model(frame, outcome, enrolled_at_worst=facts.enrolled_at_worst, randomised=facts.randomised)
    draws = _fit(data, sampler)
    plain = build_model(frame, outcome, adjusted=False)
    change = fit_fast(plain) if plain.reached.all() else _fit(plain, sampler)
    notes = [item.trouble for item in (draws, change) if item.trouble]
    if not isfinite(facts.day_to_day_c) and data.unit == 1.0:  # one baseline: what the model makes of all visits
        facts = replace(facts, day_to_day_c=float(np.median(draws.others["sd_visit"])))
    day = _assessment_day(frame)
    size = _important_size(outcome, important)
    spans = durations(draws, size, better=outcome.better) if isfinite(size) else ()
    found = OutcomeEffects(
        outcome=outcome,
        region=region,
        role=role,
        day=day,
        level=level,
        important=size,
        facts=facts,
        grade=grade,
        threats=threats_to(facts, outcome.name, outcome.unit, estimand=grade.estimand),
        frame=frame,
        draws=draws,
        change=change,
        durations=spans,
        effects=(),
        tests=classical_tests(
            frame, outcome.name, region, kind=facts.kind, randomised=facts.randomised, role=role, level=level
        ),
        sensitivity=(),
        notes=tuple(notes),
    )
    found = replace(found, effects=_rows(found))
    if not with_sensitivity:
        return found
    return replace(found, sensitivity=_sensitivity(found))


def _fit(data: ModelData, sampler: Sampling | None) -> Draws:
    return fit_fast(data) if sampler is None else fit_bayes(data, sampling=sampler)


def _facts_of(frame: pd.DataFrame, facts: DesignFacts) -> DesignFacts:
    """What this outcome's own rows say of controls: it may not have been measured everywhere."""
    treated = frame.groupby("participant")["treated"]
    some, every = treated.any(), treated.all()
    return replace(
        facts,
        within_picture_control=bool((some & ~every).any()),
        parallel_control=bool((~some).any()) and bool(some.any()),
    )


def _assessment_day(frame: pd.DataFrame) -> float:
    days = frame.loc[frame["treated"] & ~frame["baseline"], "day"]
    return USUAL_DAY if days.between(*USUAL_SPAN).any() else float(days.median())


def _important_size(outcome: Outcome, important: float) -> float:
    """The important difference as a positive size on the scale of the draws."""
    value = important if isfinite(important) else outcome.important
    if not isfinite(value):
        return nan
    return abs(log(value)) if outcome.log and value > 0 else abs(value)


def _rows(found: OutcomeEffects) -> tuple[Effect, ...]:
    rows = []
    for estimand, draws in ((found.grade.estimand, found.draws), ("change_from_baseline", found.change)):
        day = np.array([found.day])
        rows.append(_row(found, GROUP, estimand, draws.mean_effect(day)[:, 0], len(draws.people)))
        for i, who in enumerate(draws.people):
            visits = found.frame.loc[found.frame["participant"] == who, "visit"].nunique()
            rows.append(_row(found, who, estimand, draws.person_effect(day, i)[:, 0], visits))
    for span in found.durations:
        count = len(found.draws.people)
        if span.who != GROUP:
            count = found.frame.loc[found.frame["participant"] == span.who, "visit"].nunique()
        rows += _time_rows(found, span, count)
    return tuple(rows)


def _row(found: OutcomeEffects, who: str, estimand: str, values: Floats, n: int) -> Effect:
    outcome = found.outcome
    estimate, lower, upper = interval(values, found.level)
    if outcome.log:
        estimate, lower, upper = exp(estimate), exp(lower), exp(upper)
    threats = threats_to(found.facts, outcome.name, outcome.unit, estimand=estimand)
    return Effect(
        who=who,
        side=_side(found.frame, who),
        region=found.region,
        outcome=outcome.name,
        estimand=estimand,
        estimate=estimate,
        lower=lower,
        upper=upper,
        level=found.level,
        unit=outcome.unit,
        probability=float(np.mean(outcome.better * values > 0)),
        n=int(n),
        design=found.grade.grade,
        threats=statuses(threats),
    )


def _time_rows(found: OutcomeEffects, span: Duration, n: int) -> list[Effect]:
    """Onset and duration; their probability is that the effect ever was as large as matters."""
    threats = statuses(found.threats)
    rows = []
    for estimand, values in (
        ("onset_days", onset_interval(span, found.level)),
        ("duration_days", duration_interval(span, found.level)),
    ):
        estimate, lower, upper = values
        rows.append(
            Effect(
                who=span.who,
                side=_side(found.frame, span.who),
                region=found.region,
                outcome=found.outcome.name,
                estimand=estimand,
                estimate=estimate,
                lower=lower,
                upper=upper,
                level=found.level,
                unit="d",
                probability=span.reached,
                n=int(n),
                design=found.grade.grade,
                threats=threats,
            )
        )
    return rows


def _side(frame: pd.DataFrame, who: str) -> str:
    """The treated side where only one was."""
    if who == GROUP:
        return ""
    sides = set(frame.loc[(frame["participant"] == who) & frame["treated"], "side"])
    return next(iter(sides)) if len(sides) == 1 else ""


def _sensitivity(found: OutcomeEffects) -> tuple[Sensitivity, ...]:
    flags = {"enrolled_at_worst": found.facts.enrolled_at_worst, "randomised": found.facts.randomised}
    results = [explain_away(found.draws, found.outcome, found.day, found.level)]
    if found.frame["reached"].all():
        results += prior_sensitivity(found.frame, found.outcome, found.day, found.level, flags=flags)
        results += leave_one_out(found.frame, found.outcome, found.day, found.level, flags=flags)
    return tuple(results)
