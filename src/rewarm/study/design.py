"""A plan → power curves, choices of visits and season, a sealed allocation, an analysis plan and a checklist."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd

from rewarm.effects.allocation import Allocation, allocate, allocate_starts
from rewarm.effects.diary_days import day_series, starts
from rewarm.effects.outcomes import DIARY_OUTCOMES
from rewarm.effects.pilot import PilotEffect, pilot_effect, variance_from_diary
from rewarm.effects.power import LEAST_PEOPLE, PowerRow, power, smallest_size
from rewarm.effects.trials import TrialPlan, Variance
from rewarm.errors import InvalidInputError, OutputError, UnreadableFileError
from rewarm.study.analysis_plan import analysis_plan, checklist, power_words
from rewarm.study.design_plan import DesignPlan, read_design_plan, trial_plan
from rewarm.study.folder import load_study
from rewarm.study.staging import write_json

MARKER: Final = "design.json"
SEALED: Final = Path("sealed") / "allocation.csv"

Tell = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class Design:
    """A planned study: its plan, the trial that was simulated, and what came out.

    ``rows`` are one a size, ``choices`` one a combination of visits and season at one size; ``allocation`` is None
    where nothing is allocated. ``effect`` is in the outcome's own direction. ``notes`` say what a reader should know.
    """

    plan: DesignPlan
    trial: TrialPlan
    effect: float
    rows: tuple[PowerRow, ...]
    choices: tuple[PowerRow, ...]
    participants_needed: int | None
    allocation: Allocation | None
    pilot: PilotEffect | None
    notes: tuple[str, ...]


def plan_study(path: str | Path, *, on_progress: Tell | None = None) -> Design:
    """Read a plan and simulate it.

    Raises :class:`UnreadableFileError` and :class:`InvalidInputError` for the plan or its pilot.
    """
    plan = read_design_plan(path)
    pilot = _pilot_effect(plan)
    effect = plan["outcome.effect"] if plan["outcome.effect"] is not None else _known(pilot).effect
    trial = trial_plan(plan, float(effect), _variance(plan, pilot))
    sizes = sorted({size for size in plan["design.participants"] if size >= LEAST_PEOPLE[trial.kind]})
    if not sizes:
        least = LEAST_PEOPLE[trial.kind]
        raise InvalidInputError(
            f"design.participants: expected at least one size from {least} on for {trial.kind}; found "
            f"{plan['design.participants']}. Try more people"
        )
    options = _options(trial, [float(month) for month in plan["visits.start_months"]])
    total = len(sizes) + len(options)
    rows = []
    for done, size in enumerate(sizes):
        _say(on_progress, done, total, f"{size} people")
        rows.append(_power(plan, trial, size, pilot))
    needed = _confirmed(plan, trial, _whole_arms(plan, smallest_size(rows, plan["design.power"])), rows)
    at = needed if needed is not None else sizes[-1]
    choices = []
    for done, option in enumerate(options, start=len(sizes)):
        _say(on_progress, done, total, f"month {option.start_month:g}")
        choices.append(_power(plan, option, at, None))
    _say(on_progress, total, total, "done")
    return Design(
        plan=plan,
        trial=trial,
        effect=float(effect),
        rows=_own_direction(plan, rows),
        choices=_own_direction(plan, choices),
        participants_needed=needed,
        allocation=_allocation(plan, at),
        pilot=pilot,
        notes=tuple(_notes(plan, trial, rows, needed)),
    )


def write_design(design: Design, folder: Path) -> None:
    """Write everything but the figure and the page: tables, plan, checklist, lists; ``folder`` must exist."""
    pd.DataFrame([asdict(row) for row in design.rows]).to_csv(folder / "power.csv", index=False)
    pd.DataFrame([asdict(row) for row in design.choices]).to_csv(folder / "choices.csv", index=False)
    (folder / "analysis_plan.md").write_text(analysis_plan(design), encoding="utf-8")
    checklist(design).to_csv(folder / "checklist.csv", index=False)
    content: dict[str, object] = {
        "id": design.plan["id"],
        "title": design.plan["title"],
        "participants_needed": design.participants_needed,
        "sentence": power_words(design),
        "notes": list(design.notes),
        "trial": {key: value for key, value in asdict(design.trial).items() if key != "course"},
    }
    if design.allocation is not None:
        (folder / "allocation.csv").write_text(design.allocation.open_list(), encoding="utf-8")
        (folder / SEALED.parent).mkdir(mode=0o700)  # for the eyes of whoever drew it, until it is given away
        (folder / SEALED).write_bytes(design.allocation.sealed_list().encode())
        (folder / SEALED.parent / "README.txt").write_text(
            f"{_SEALED_README}\nHow the list was drawn: {design.allocation.method}; "
            f"{design.allocation.restriction or 'no further restriction'}.\n",
            encoding="utf-8",
        )
        content["allocation"] = {
            "method": design.allocation.method,
            "sha256": design.allocation.commitment(),
            "places": len(design.allocation.places),
        }
    write_json(folder / MARKER, json.loads(json.dumps(content, allow_nan=False, default=str)))


def check_not_sealed(output: str | Path) -> None:
    """Raise :class:`OutputError` where a folder already holds a sealed list: a second one would break the first
    promise.
    """
    if (Path(output) / SEALED).exists():
        raise OutputError(
            f"{output}: expected a folder without a sealed allocation; found {SEALED.as_posix()}, whose hash may "
            f"already be "
            "published. Give a new folder, or move this one away"
        )


_SEALED_README: Final = """\
allocation.csv says what each code means. Give this folder to somebody who neither enrols nor treats nor rates,
and take it away from everybody else, before the first person is enrolled.

Its SHA-256 stands in design.json and in the analysis plan: publish it (in the registry) before the start.
Afterwards anybody can check, with `sha256sum allocation.csv`, that the list was not changed.
Do not open and save it in a spreadsheet: that changes its bytes.
"""


def _power(plan: DesignPlan, trial: TrialPlan, people: int, pilot: PilotEffect | None) -> PowerRow:
    return power(
        trial,
        people,
        trials=plan["simulation.trials"],
        alpha=plan["design.alpha"],
        level=plan["design.level"],
        seed=plan["simulation.seed"],
        effect_se=None if pilot is None else pilot.effect_se,
    )


def _whole_arms(plan: DesignPlan, needed: int | None) -> int | None:
    """As many people as fill the arms in their ratio."""
    if needed is None or plan["design.kind"] != "parallel":
        return needed
    unit = int(sum(plan["allocation.ratio"]))
    return -(-needed // unit) * unit


def _confirmed(plan: DesignPlan, trial: TrialPlan, needed: int | None, rows: list[PowerRow]) -> int | None:
    """The size between those tried, or the next one that reaches the power when it is simulated itself."""
    known = {row.participants: row.power for row in rows}
    while needed is not None and needed < max(known):
        if needed not in known:
            known[needed] = _power(plan, trial, needed, None).power
        if known[needed] >= plan["design.power"]:
            break
        needed = _whole_arms(plan, needed + 1)
    return needed


def _own_direction(plan: DesignPlan, rows: list[PowerRow]) -> tuple[PowerRow, ...]:
    """Where more is better the simulation ran with signs turned; turn them back."""
    if plan["outcome.better"] == "lower":
        return tuple(rows)
    return tuple(replace(row, effect=-row.effect, bias=-row.bias) for row in rows)


def _options(trial: TrialPlan, months: list[float]) -> list[TrialPlan]:
    """One or all baselines, one or all visits after, in each month; what cannot be chosen is not varied."""
    baselines = [trial.baseline_weeks]
    afters = [trial.after_weeks]
    if trial.kind != "n_of_1":
        if len(trial.baseline_weeks) > 1:
            baselines.insert(0, (max(trial.baseline_weeks),))
        if len(trial.after_weeks) > 1:
            afters.insert(0, (sorted(trial.after_weeks)[len(trial.after_weeks) // 2],))
    return [
        replace(trial, baseline_weeks=before, after_weeks=after, start_month=month)
        for before in baselines
        for after in afters
        for month in months
    ]


def _allocation(plan: DesignPlan, needed: int) -> Allocation | None:
    kind = plan["design.kind"]
    if kind == "case_series":
        return None
    places = plan["allocation.participants"] or needed
    secret = plan["allocation.secret"] or secrets.token_hex(16)
    if kind == "n_of_1":
        return allocate_starts([float(week) for week in plan["visits.start_weeks"]], places, secret=secret)
    arms = ["left", "right"] if kind == "split_limb" else list(plan["design.arms"])
    return allocate(
        arms, places, secret=secret, ratio=plan["allocation.ratio"], block_sizes=plan["allocation.block_sizes"],
        strata=plan["allocation.strata"],
    )  # fmt: skip


def _pilot_effect(plan: DesignPlan) -> PilotEffect | None:
    if plan["pilot.effects"] is None:
        return None
    path = plan.folder / plan["pilot.effects"]
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise UnreadableFileError(
            f"{path}: expected a pilot's effects.csv; found {error}. Check [pilot] effects"
        ) from None
    if missing := {"who", "outcome", "estimand", "estimate", "lower", "upper", "level"} - set(table.columns):
        raise InvalidInputError(
            f"{path}: expected the columns of effects.csv; found none named {', '.join(sorted(missing))}. Name "
            f"another file"
        )
    return pilot_effect(table, plan["outcome.name"], plan["pilot.estimand"])


def _known(pilot: PilotEffect | None) -> PilotEffect:
    if pilot is None:
        raise InvalidInputError("outcome.effect: expected the effect to be found, or [pilot] effects; found neither")
    return pilot


def _variance(plan: DesignPlan, pilot: PilotEffect | None) -> Variance:
    """The plan's own figures; what it leaves out comes from the pilot."""
    given = {name: value for name, value in plan.values["variance"].items() if value is not None}
    effect_sd = given.pop("effect_sd", 0.0 if pilot is None else pilot.effect_sd)
    if plan["pilot.study"] is None:
        return Variance(**given, effect_sd=effect_sd)
    check = load_study(plan.folder / plan["pilot.study"])
    outcome = DIARY_OUTCOMES.get(plan["outcome.name"])
    if outcome is None or "diary" not in check.tables or "injections" not in check.tables:
        raise InvalidInputError(
            f"pilot.study: expected a study with injections and a diary that holds {plan['outcome.name']}, one of "
            f"{', '.join(DIARY_OUTCOMES)}; found none. State the [variance] instead"
        )
    people = day_series(check.tables["diary"], outcome, starts(check.tables["injections"]))
    found = asdict(variance_from_diary(people))
    stated = {name: given[name] for name in ("person_sd", "noise_sd", "limb_sd") if given.get(name)}
    return Variance(**{**found, **stated, "effect_sd": effect_sd})


def _notes(plan: DesignPlan, trial: TrialPlan, rows: list[PowerRow], needed: int | None) -> list[str]:
    notes = []
    if trial.kind == "case_series":
        notes.append(
            "A case series shows a change, not an effect: season, regression to the mean and placebo stay in it. "
            "Power here is the power to see a change."
        )
    worst = max(rows, key=lambda row: row.false_alarms_lower)
    if worst.false_alarms_lower > plan["design.alpha"] / 2 + 0.02:
        notes.append(
            f"Without any effect, {worst.false_alarms:.0%} of the simulated trials ({worst.participants} people) "
            f"would call the "
            f"treatment effective; {plan['design.alpha'] / 2:.1%} would be right. The design, not its size, must "
            f"change."
        )
    if needed is None:
        notes.append("No size that was tried reaches the power wanted.")
    if plan["allocation.secret"]:
        notes.append(
            "The allocation's secret stands in the plan: whoever reads the plan can find out who gets what. "
            "Leave it out, and the computer draws one."
        )
    if plan["outcome.important"] is not None and abs(trial.effect) < plan["outcome.important"]:
        notes.append(
            f"The effect planned for ({abs(trial.effect):g}) is smaller than the smallest important difference "
            f"({plan['outcome.important']:g})."
        )
    return notes


def _say(tell: Tell | None, done: int, total: int, what: str) -> None:
    if tell is not None:
        tell(done, total, what)
