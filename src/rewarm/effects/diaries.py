"""Diaries → effects: scores, attacks, colours and swelling, per person and for the group, beside what matters to
people.

Three questions are kept apart. ``change_from_baseline``: the window of effect against the days before the injection,
whatever caused it. ``effect_modelled``: the same with season and a bad start taken out
(:mod:`rewarm.effects.diary_fit`). ``effect_vs_control``: beside people or sides that got no toxin over the same days.
People are pooled by a t interval over people, so that neither days nor sides count as independent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.effects.design import DesignFacts, design_facts, grade_design, statuses, threats_to
from rewarm.effects.diary_days import (
    DaySeries,
    Window,
    day_series,
    local_day,
    outdoor_by_day,
    starts,
    treated_people,
    treated_sides,
)
from rewarm.effects.diary_fit import LEAST_DAYS, Adjustments, PersonChange, person_change
from rewarm.effects.diary_words import sentence_of
from rewarm.effects.outcomes import DIARY_OUTCOMES, DiaryOutcome, within_scale
from rewarm.effects.pooling import Pooled, pool
from rewarm.effects.rows import GROUP, LEVEL, Effect
from rewarm.effects.serial import Memory
from rewarm.errors import InvalidInputError

LEAST_PER_ARM: Final = 2
LEAST_IN_ARMS: Final = 5
"""People in both arms together, at least, for a comparison with baseline as covariate."""
MISSING_LIMIT: Final = 0.2


@dataclass(frozen=True)
class DiaryEffect:
    """One effect of a diary, with what the row has no column for.

    ``before`` and ``after`` are the levels compared, ``important`` the smallest important difference and its source
    (NaN and "" where none is published), ``probability_important`` that the improvement is at least that. ``sentence``
    says it in plain words.
    """

    effect: Effect
    before: float
    after: float
    important: float
    important_source: str
    probability_important: float
    sentence: str


@dataclass(frozen=True)
class DiaryResult:
    """All effects of the diaries, and in ``notes`` what could not be computed, or should be known, in plain words."""

    effects: tuple[DiaryEffect, ...]
    notes: tuple[str, ...]


def diary_effects(
    settings: Mapping[str, Any],
    participants: pd.DataFrame,
    visits: pd.DataFrame,
    injections: pd.DataFrame | None,
    diary: pd.DataFrame,
    *,
    outcomes: Iterable[str] | None = None,
    window: Window | None = None,
    level: float = LEVEL,
    outdoor: pd.Series | None = None,
    memory: Memory | None = None,
    estimands: Collection[str] = ("change_from_baseline", "effect_modelled", "effect_vs_control"),
) -> DiaryResult:
    """Every effect that the diaries of a study can show (typed tables, as :func:`rewarm.study.check_study` gives them).

    ``outcomes`` are names of :data:`rewarm.effects.outcomes.DIARY_OUTCOMES`; all that the diary holds where not given.
    ``outdoor`` is °C by calendar day where known better than from the visits. People without an injection (or a
    placebo's date) count as controls of a parallel study from the treated people's median date on.

    Only the ``estimands`` asked for are computed.

    Raises :class:`InvalidInputError` for an outcome that is not one.
    """
    wanted = list(DIARY_OUTCOMES) if outcomes is None else list(outcomes)
    for name in wanted:
        if name not in DIARY_OUTCOMES:
            raise InvalidInputError(f"outcome: expected one of {', '.join(DIARY_OUTCOMES)}; found {name!r}")
    if injections is None or injections.empty:
        return DiaryResult((), ("There are no injections, so the diary has no before and after.",))
    facts = design_facts(settings, participants, visits, injections, diary=diary)
    study = _Study(
        facts=facts,
        starts=_starts(participants, injections, diary),
        treated=treated_people(injections),
        sides=treated_sides(injections),
        outdoor=outdoor_by_day(visits) if outdoor is None else outdoor,
        window=window or Window(),
        level=level,
        memory=memory,
        estimands=frozenset(estimands),
    )
    found: list[DiaryEffect] = []
    notes: list[str] = []
    for name in wanted:
        if name not in diary or (outcomes is None and _never_written(diary[name])):
            continue
        effects, told = _outcome_effects(diary, DIARY_OUTCOMES[name], study)
        found += effects
        notes += told
    return DiaryResult(tuple(found), tuple(dict.fromkeys(notes)))


def _never_written(cells: pd.Series) -> bool:
    """Whether a column is there but empty: days without attacks would else make a colour of it."""
    return bool((cells.isna() | cells.astype(str).str.strip().eq("")).all())


@dataclass(frozen=True)
class _Study:
    facts: DesignFacts
    starts: dict[str, pd.Timestamp]
    treated: set[str]
    sides: dict[str, set[str]]
    outdoor: pd.Series
    window: Window
    level: float
    memory: Memory | None
    estimands: frozenset[str]


def _starts(participants: pd.DataFrame, injections: pd.DataFrame, diary: pd.DataFrame) -> dict[str, pd.Timestamp]:
    """Own first injection; for people without any, the median of the others', if their diary spans it."""
    own = starts(injections)
    typical = sorted(own.values())[(len(own) - 1) // 2]
    days = local_day(diary["date"]).groupby(diary["participant"].astype(str))
    first, last = days.min().to_dict(), days.max().to_dict()
    for who in participants["participant"].astype(str):
        if who not in own and who in first and first[who] < typical < last[who]:
            own[who] = typical
    return own


def _outcome_effects(diary: pd.DataFrame, outcome: DiaryOutcome, study: _Study) -> tuple[list[DiaryEffect], list[str]]:
    everybody = day_series(diary, outcome, study.starts, outdoor=study.outdoor)
    treated = [series for series in everybody if series.who in study.treated]
    controls = [series for series in everybody if series.who not in study.treated]
    if not treated:
        return [], [f"{outcome.name}: no treated person has a value."]
    found: list[DiaryEffect] = []
    notes: list[str] = []
    if "change_from_baseline" in study.estimands:
        raw = _changes(treated, outcome, study, Adjustments())
        notes += _notes(treated, raw, outcome)
        found += _own_rows(raw, outcome, study, "change_from_baseline", seasonal=False)
    if "effect_modelled" in study.estimands:
        season = not study.outdoor.empty
        bad_start = study.facts.enrolled_at_worst is not False
        modelled = _changes(treated, outcome, study, Adjustments(season=season, bad_start=bad_start))
        if (season or bad_start) and modelled:
            found += _own_rows(modelled, outcome, study, "effect_modelled", seasonal=season)
        if not season:
            notes.append("Outdoor temperatures are not known: the season could not be taken out of the diary.")
    if "effect_vs_control" in study.estimands:
        found += _beside_people(treated, controls, outcome, study)
        found += _beside_sides(diary, outcome, study)
    return found, notes


def _changes(
    people: Sequence[DaySeries], outcome: DiaryOutcome, study: _Study, adjust: Adjustments
) -> list[PersonChange]:
    found = []
    for series in people:
        try:
            change = person_change(
                series, outcome, window=study.window, level=study.level, adjust=adjust, memory=study.memory
            )
        except InvalidInputError:  # too few days for this regression
            continue
        if change is not None:
            found.append(change)
    return found


def _own_rows(
    changes: Sequence[PersonChange], outcome: DiaryOutcome, study: _Study, estimand: str, *, seasonal: bool
) -> list[DiaryEffect]:
    """A row a person and one of the group, without a control."""
    rows = [
        _row(
            study, outcome, estimand, change.who, change.before, change.after, change.estimate,
            (change.lower, change.upper), change.probability, change.probability_important,
            change.days_before + change.days_effect, seasonal=seasonal, written_before=change.written_before,
        )
        for change in changes
    ]  # fmt: skip
    if (group := pool_changes(changes, outcome)) is None:
        return rows
    before = float(np.mean([change.before for change in changes]))
    interval = group.interval(study.level)
    important = group.cdf(-outcome.important) if isfinite(outcome.important) else nan
    rows.append(
        _row(
            study, outcome, estimand, GROUP, before, before + group.mean, group.mean, interval, group.cdf(0.0),
            important, group.n, seasonal=seasonal,
            written_before=float(np.mean([change.written_before for change in changes])),
        )
    )  # fmt: skip
    return rows


def pool_changes(changes: Sequence[PersonChange], outcome: DiaryOutcome) -> Pooled | None:
    """The mean change over people; who never changed counts as a change of 0, known as well as the others' median."""
    if len(changes) < 2:
        return None
    sds = np.array([change.sd for change in changes])
    typical = float(np.nanmedian(sds)) if np.isfinite(sds).any() else 0.0
    prior = outcome.season_slope_sd if isfinite(outcome.season_slope_sd) else 0.0
    return pool(
        [change.estimate for change in changes],
        np.where(np.isfinite(sds), sds, typical),
        equal_weights=outcome.scale == "count",
        shared_sd=abs(float(np.mean([change.season_leverage for change in changes]))) * prior,
    )


def _beside_people(
    treated: Sequence[DaySeries], controls: Sequence[DaySeries], outcome: DiaryOutcome, study: _Study
) -> list[DiaryEffect]:
    """Treated against untreated people: mean of the days after, with that of the days before as covariate (ANCOVA)."""
    arms = [_levels(arm, study.window) for arm in (treated, controls)]
    found = compare_arms(arms[0][:, 1], arms[1][:, 1], arms[0][:, 0], arms[1][:, 0])
    if found is None:
        return []
    important = found.cdf(-outcome.important) if isfinite(outcome.important) else nan
    return [
        _row(
            study, outcome, "effect_vs_control", GROUP, float(arms[1][:, 1].mean()), float(arms[0][:, 1].mean()),
            found.mean, found.interval(study.level), found.cdf(0.0), important, found.n, seasonal=False, control=True,
        )
    ]  # fmt: skip


def _levels(people: Sequence[DaySeries], window: Window) -> NDArray[np.float64]:
    """(mean before, mean in the window of effect) of everybody with enough days of both, (people, 2)."""
    found = []
    for series in people:
        period = series.period(window)
        before, after = (series.value[period == word] for word in ("before", "effect"))
        if min(before.size, after.size) >= LEAST_DAYS:
            found.append((before.mean(), after.mean()))
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def compare_arms(
    treated: Sequence[float] | NDArray[np.float64],
    controls: Sequence[float] | NDArray[np.float64],
    treated_before: Sequence[float] | NDArray[np.float64] | None,
    controls_before: Sequence[float] | NDArray[np.float64] | None,
) -> Pooled | None:
    """Treated − control, with the value before as a covariate where given: ordinary least squares and its t.

    Analysis of covariance is unbiased under regression to the mean where chance made the arms, and never less precise
    than the change (Vickers and Altman 2001, doi 10.1136/bmj.323.7321.1123). None with fewer than two people in an
    arm, or five together.
    """
    if min(len(treated), len(controls)) < LEAST_PER_ARM or len(treated) + len(controls) < LEAST_IN_ARMS:
        return None
    y = np.concatenate([treated, controls]).astype(float)
    arm = np.repeat([1.0, 0.0], [len(treated), len(controls)])
    columns = [np.ones(y.size), arm]
    if treated_before is not None and controls_before is not None:
        before = np.concatenate([treated_before, controls_before]).astype(float)
        if np.ptp(before) > 0:
            columns.append(before - before.mean())
    x = np.column_stack(columns)
    beta, *_ = np.linalg.lstsq(x, y, rcond=None)
    df = float(y.size - x.shape[1])
    variance = float(np.sum((y - x @ beta) ** 2)) / df
    se = float(np.sqrt(variance * np.linalg.inv(x.T @ x)[1, 1]))
    return Pooled(float(beta[1]), se, df, int(y.size), nan)


def _beside_sides(diary: pd.DataFrame, outcome: DiaryOutcome, study: _Study) -> list[DiaryEffect]:
    """Treated − untreated side of the same person, on days that have both; needs rows by side."""
    one_sided = {who: sides for who, sides in study.sides.items() if len(sides) == 1}
    if "side" not in diary or not one_sided or outcome.scale == "ordinal":
        return []
    plain = replace(outcome, scale="length", low=-float("inf"), high=float("inf"))
    differences = day_series(
        diary, plain, {who: study.starts[who] for who in one_sided if who in study.starts}, treated_side=one_sided
    )
    changes = _changes(differences, plain, study, Adjustments())
    return [
        replace(
            row,
            effect=replace(
                row.effect, estimand="effect_vs_control", design=grade_design(_facts(study, control=True)).grade,
                threats=statuses(threats_to(_facts(study, control=True), outcome.name, outcome.unit)),
            ),
        )
        for row in _own_rows(changes, plain, study, "effect_vs_control", seasonal=False)
    ]  # fmt: skip


def _row(
    study: _Study,
    outcome: DiaryOutcome,
    estimand: str,
    who: str,
    before: float,
    after: float,
    estimate: float,
    interval: tuple[float, float],
    probability: float,
    important: float,
    n: int,
    *,
    seasonal: bool,
    control: bool = False,
    written_before: float | None = None,
) -> DiaryEffect:
    facts = _facts(study, control=control)
    threats = statuses(threats_to(facts, outcome.name, outcome.unit))
    if estimand == "effect_modelled" and seasonal and facts.seasons_overlap:
        threats["season"] = "excluded"
    ends = before if written_before is None else written_before
    estimate, lower, upper = within_scale((estimate, *interval), outcome, ends)
    effect = Effect(
        who=who, outcome=outcome.name, estimand=estimand, estimate=estimate, lower=lower, upper=upper,
        unit=outcome.unit, probability=probability, n=n, design=grade_design(facts).grade, threats=threats,
        level=study.level,
    )  # fmt: skip
    words = sentence_of(effect, outcome, before, after, important)
    return DiaryEffect(effect, before, after, outcome.important, outcome.important_source, important, words)


def _facts(study: _Study, *, control: bool) -> DesignFacts:
    """What the tables say about *this* comparison: a control that it does not use excludes nothing."""
    facts = replace(study.facts, within_picture_control=False)
    return replace(facts, parallel_control=True) if control else replace(facts, parallel_control=False, control="none")


def _notes(treated: Sequence[DaySeries], changes: Sequence[PersonChange], outcome: DiaryOutcome) -> list[str]:
    notes = []
    left_out = sorted({series.who for series in treated} - {change.who for change in changes})
    if left_out:
        notes.append(
            f"{outcome.name}: fewer than {LEAST_DAYS} days before the injection or in the window of effect for "
            f"{', '.join(left_out)}; no change is stated for them."
        )
    for change in changes:
        if change.missing_share > MISSING_LIMIT and change.estimate < 0 and outcome.scale != "ordinal":
            worse = -change.estimate / change.missing_share
            notes.append(
                f"{change.who}: {change.missing_share:.0%} of the days after have no {outcome.name}. The "
                f"improvement would "
                f"vanish if those days were worse than the recorded ones by {worse:.3g} {_unit(outcome)} on average."
            )
        if outcome.scale == "bounded" and change.boundary_share > 0.3:
            notes.append(
                f"{change.who}: {change.boundary_share:.0%} of the days have the lowest or highest possible "
                f"{outcome.name}; "
                "a change beyond the scale's end cannot be seen."
            )
        if not isfinite(change.sd):
            notes.append(f"{change.who}: {outcome.name} is the same on every day, so that no interval can be formed.")
    return notes


def _unit(outcome: DiaryOutcome) -> str:
    return {"1": "points", "1/d": "a day", "min/d": "minutes a day", "mm": "mm"}[outcome.unit]
