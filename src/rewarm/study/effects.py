"""A study folder, or its measurements, or its diaries alone → effects, tests, sensitivity and posterior draws."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import nan
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from rewarm.clinical import StudyTables
from rewarm.effects.bayes import DEFAULT_SAMPLING, Sampling
from rewarm.effects.classical import ClassicalTest, with_holm
from rewarm.effects.design import DesignFacts, Threat, design_facts, threats_to
from rewarm.effects.diaries import DiaryResult, diary_effects
from rewarm.effects.dose import treated_regions
from rewarm.effects.frame import DIGITS, analysis_frame, digits_measured
from rewarm.effects.heel_effects import HeelsResult, heel_effects
from rewarm.effects.metrics import METRIC_OUTCOMES, Outcome
from rewarm.effects.outcomes import DIARY_OUTCOMES
from rewarm.effects.rows import Effect, effects_table
from rewarm.effects.sensitivity import Sensitivity
from rewarm.effects.temperature import OutcomeEffects, outcome_effects
from rewarm.errors import InvalidInputError, OutputError
from rewarm.measures.recovery_times import recovery_hazards, recovery_times
from rewarm.study.clinical import load_tables
from rewarm.study.first_table import first_table
from rewarm.study.outputs import write_table
from rewarm.study.staging import MARKER, write_json
from rewarm.version import __version__

Tell = Callable[[int, int, str], None]

DEFAULT_SECONDARY: Final = (
    *("distal_dorsal_difference", "distal_proximal_difference", "t50", "auc", "recovery_10min", "gradient_2min"),
)
"""Metrics that are analysed beside the primary where study.toml declares no secondary ones, if they were measured."""

FEW_CLUSTERS: Final = 20

_TABLE_NAMES: Final = ("measurements.csv", "measurements.xlsx", "measurements.parquet")


@dataclass(frozen=True, eq=False)
class StudyEffects:
    """What ``rewarm effect`` found. ``metrics`` holds the outcomes of pictures, the primary first.

    ``primary`` is the outcome that decides, ``declared`` whether study.toml named it. ``tests`` have their p adjusted
    over all secondary outcomes. ``notes`` are sentences on what was not done, and why.
    """

    study_id: str
    title: str
    tables: StudyTables
    facts: DesignFacts
    primary: str
    declared: bool
    metrics: tuple[OutcomeEffects, ...]
    diaries: DiaryResult | None
    heels: HeelsResult | None
    tests: tuple[ClassicalTest, ...]
    notes: tuple[str, ...]

    @property
    def lead(self) -> OutcomeEffects | None:
        """The primary outcome where pictures show it; None where it is one of the diary."""
        first = self.metrics[0] if self.metrics else None
        return first if first is not None and first.outcome.name == self.primary else None

    @property
    def threats(self) -> tuple[Threat, ...]:
        """Rival explanations of the primary outcome."""
        if self.lead is not None:
            return self.lead.threats
        return threats_to(self.facts, self.primary, "1", estimand=self.diary_estimand)

    @property
    def diary_estimand(self) -> str:
        """The strongest estimand that the diaries carry for the primary outcome."""
        rows = self.diaries.effects if self.diaries else ()
        found = {item.effect.estimand for item in rows if item.effect.outcome == self.primary}
        return "effect_vs_control" if "effect_vs_control" in found else "change_from_baseline"

    @property
    def effects(self) -> tuple[Effect, ...]:
        """All rows of effects.csv, the primary outcome's first."""
        rows = [row for item in self.metrics for row in item.effects]
        diary = [item.effect for item in self.diaries.effects] if self.diaries else []
        heels = list(self.heels.effects) if self.heels else []
        seen = {(row.who, row.side, row.outcome, row.estimand) for row in heels}
        rows += [row for row in diary if (row.who, row.side, row.outcome, row.estimand) not in seen] + heels
        return tuple(sorted(rows, key=lambda row: row.outcome != self.primary))


def study_effects(
    folder: str | Path,
    *,
    measurements: str | Path | None = None,
    sampler: Sampling | None = DEFAULT_SAMPLING,
    on_progress: Tell = lambda _done, _all, _what: None,
) -> StudyEffects:
    """Analyse a study folder.

    ``measurements`` is a table that ``rewarm run`` wrote, or its folder; where it is left out the study's own
    measurements.csv is taken, and diaries alone where there is none. ``sampler`` None takes the fast estimator for
    everything; otherwise the primary outcome and censored ones are sampled and the others estimated fast.

    Raises :class:`rewarm.errors.InvalidStudyError` for a study with problems, and
    :class:`rewarm.errors.InvalidInputError` where it holds nothing that an effect could be computed from.
    """
    tables = load_tables(folder, measurements=measurements_in(measurements))
    if tables.injections.empty:
        raise InvalidInputError(
            f"{folder}: expected injections.csv, which says who was treated, where and when; found none. Add it "
            "(rewarm new writes an empty one)"
        )
    settings = _settings(tables)
    facts = study_facts(tables)
    wanted, declared = _wanted(tables)
    _check_primary(folder, tables, wanted[0][0])
    notes: list[str] = []
    metrics = _metric_effects(tables, facts, wanted, sampler, on_progress, notes)
    on_progress(len(metrics), len(metrics) + 1, "diaries")
    diaries, heels = _diaries(settings, tables)
    control = tables.design.control
    if metrics and control != "none" and metrics[0].grade.estimand != "effect_vs_control":
        notes.append(
            f"study.toml says that the control is {control.replace('_', ' ')}, but no untreated toe or finger was "
            "measured at the same visits: there is nothing to compare with"
        )
    if not declared:
        notes.append(
            "study.toml declares no primary outcome, so rewarm took the usual one. Chosen after the data were seen, it "
            "could have been another: declare it under [outcomes] before the next study"
        )
    tests = with_holm([test for item in metrics for test in (*item.tests, *_recovery_tests(tables, item, notes))])
    primary = wanted[0][0] if wanted else ""
    return StudyEffects(
        tables.study_id, tables.title, tables, facts, primary, declared, tuple(metrics), diaries, heels, tests,
        tuple(notes),
    )  # fmt: skip


def write_study_effects(result: StudyEffects, folder: str | Path) -> None:
    """Write effects.csv, first_table.csv (who they are), tests.csv, threats.csv, sensitivity.csv, posterior.nc and
    run.json into an existing folder.
    """
    place = Path(folder)
    write_table(effects_table(result.effects), place / "effects.csv")
    measured = None if result.tables.measurements.empty else result.tables.measurements
    write_table(first_table(result.tables, measured), place / "first_table.csv")
    write_table(_rows_table(result.tests, ClassicalTest), place / "tests.csv")
    threats = [(item.outcome.name, item.region, threat) for item in result.metrics for threat in item.threats]
    if result.lead is None:
        threats = [(result.primary, "", threat) for threat in result.threats] + threats
    write_table(_labelled(threats, Threat), place / "threats.csv")
    checks = [(item.outcome.name, item.region, row) for item in result.metrics for row in item.sensitivity]
    write_table(_labelled(checks, Sensitivity), place / "sensitivity.csv")
    write_posterior(result.metrics, place / "posterior.nc")
    write_json(place / MARKER, _record(result))


def write_posterior(metrics: Sequence[OutcomeEffects], path: Path) -> None:
    """Draws to NetCDF, one group an outcome (``mean_toes``), dimensions chain, draw and participant.

    Nothing is written where there are none. Raises :class:`OutputError` where h5netcdf is not installed.
    """
    for i, item in enumerate(metrics):
        draws = item.draws
        shape = (draws.chains, len(draws.onset) // draws.chains)

        def by_chain(values: np.ndarray[Any, np.dtype[np.float64]], shape: tuple[int, int] = shape) -> Any:
            return values.reshape(*shape, *values.shape[1:])

        people = ("chain", "draw", "participant")
        variables: dict[str, Any] = {
            "effect": (people, by_chain(draws.person), {"unit": item.outcome.unit}),
            "duration": (people, by_chain(draws.duration), {"unit": "d"}),
            "onset": (people[:2], by_chain(draws.onset), {"unit": "d"}),
            "shape": (people[:2], by_chain(draws.shape)),
            "tail": (people[:2], by_chain(draws.tail)),
            "rise": (people[:2], by_chain(draws.rise)),
            "population": (people[:2], by_chain(draws.population), {"unit": item.outcome.unit}),
        }
        variables |= {name.replace(" ", "_"): (people[:2], by_chain(values)) for name, values in draws.others.items()}
        attributes: dict[str, str | int] = {"outcome": item.outcome.name, "region": item.region, "method": draws.method}
        attributes |= {"logarithm": int(item.outcome.log), "software": f"rewarm {__version__}"}
        dataset = xr.Dataset(variables, {"participant": list(draws.people)}, attributes)
        try:
            group = f"{item.outcome.name}_{item.region}"
            dataset.to_netcdf(path, mode="w" if i == 0 else "a", group=group, engine="h5netcdf")
        except (ImportError, ValueError) as error:
            raise OutputError(
                f"{path}: expected h5netcdf to write posterior draws; found: {error}. "
                "Install it with: pip install 'rewarm[effects]'"
            ) from error


def measurements_in(measurements: str | Path | None) -> Path | None:
    """The measurements of a run's folder, or the table itself.

    Raises :class:`rewarm.errors.InvalidInputError` where there is no such file, or none of that name in the folder.
    """
    if measurements is None:
        return None
    path = Path(measurements)
    if path.is_dir():
        for name in _TABLE_NAMES:
            if (path / name).is_file():
                return path / name
        raise InvalidInputError(
            f"{path}: expected the folder of an earlier 'rewarm run', which holds measurements.csv; found none in it. "
            "Run 'rewarm run STUDY -o DIR' first and give that DIR, or name the table itself"
        )
    if not path.exists():
        raise InvalidInputError(
            f"{path}: expected a table of measurements (.csv, .xlsx, .parquet), or the folder of an earlier "
            "'rewarm run'; found nothing of that name. Check the path"
        )
    return path


def _settings(tables: StudyTables) -> dict[str, Any]:
    return {"design": {key: value for key, value in asdict(tables.design).items() if value is not None}}


def study_facts(tables: StudyTables) -> DesignFacts:
    """What a study's tables say of its design."""
    return design_facts(
        _settings(tables),
        tables.participants,
        tables.visits,
        tables.injections,
        scans=None if tables.scans.empty else tables.scans,
        diary=None if tables.diary.empty else tables.diary,
        measurements=None if tables.measurements.empty else tables.measurements,
    )


def _wanted(tables: StudyTables) -> tuple[list[tuple[str, str]], bool]:
    """(outcome, role) in order, and whether the primary one was declared."""
    measured = set(tables.measurements["metric"]) if not tables.measurements.empty else set()
    declared = bool(tables.outcomes.primary)
    primary = tables.outcomes.primary or next((name for name in METRIC_OUTCOMES if name in measured), "rcs")
    secondary = tables.outcomes.secondary or tuple(name for name in DEFAULT_SECONDARY if name in measured)
    wanted = [(primary, "primary")]
    wanted += [(name, "secondary") for name in secondary if name != primary]
    return wanted, declared


def _check_primary(folder: str | Path, tables: StudyTables, primary: str) -> None:
    """Raise where the primary outcome is nowhere: what is then left must not take its place."""
    measured = sorted(set(tables.measurements["metric"]).intersection(METRIC_OUTCOMES))
    if not measured and tables.diary.empty:
        raise InvalidInputError(
            f"{folder}: expected measurements or a diary; found neither. Give the folder of an earlier "
            "'rewarm run' with --measurements, or add diary.csv"
        )
    diary = [name for name in DIARY_OUTCOMES if name in tables.diary and tables.diary[name].notna().any()]
    here = measured if primary in METRIC_OUTCOMES else diary
    if tables.outcomes.primary and primary not in here:
        raise InvalidInputError(
            f"{folder}: expected figures of {primary}, the primary outcome that study.toml declares; found "
            f"{', '.join([*measured, *diary]) or 'none'}. Measure it (rewarm run, or --measurements), or correct "
            "[outcomes] primary"
        )


def _check_before_and_after(frame: pd.DataFrame, tables: StudyTables, region: str) -> None:
    """Raise where nothing that was treated was measured, or not before or after, with what the tables hold instead."""
    treated = frame[frame["treated"]]
    injected = tables.injections
    if treated.empty and not (injected["units_u"] > 0).any():
        raise InvalidInputError(
            "injections.csv: expected units over 0 (units_u) in at least one row; found none: nobody counts as "
            "treated. Write the units of each site; a placebo has 0"
        )
    if treated.empty:
        sites = ", ".join(sorted(set(injected["site"]))[:8])
        raise InvalidInputError(
            f"injections.csv: expected sites that reach {region} which were measured; found {sites}. Correct "
            "participant, side or site, or measure the treated side"
        )
    last, first = tables.visits["day"].max(), injected["day"].min()
    if treated["baseline"].all():
        raise InvalidInputError(
            f"visits.csv: expected measurements of treated {region} after the injections, of which the first was on "
            f"{first:%Y-%m-%d}; found visits up to {last:%Y-%m-%d} only. Correct the dates in visits.csv or "
            "injections.csv, or wait for a visit"
        )
    if not treated["baseline"].any():
        raise InvalidInputError(
            f"visits.csv: expected measurements of treated {region} on or before the day of the injections; found none "
            "of those who were treated. Correct the dates, or measure a visit from before"
        )


def _without_u(frame: pd.DataFrame, outcome: Outcome, region: str) -> list[str]:
    """A sentence where no uncertainty is known of any value."""
    if frame[["u_shared", "u_own"]].to_numpy().any():
        return []
    return [
        f"No measurement of {outcome.name} on {region} has a standard uncertainty (column u): what the camera adds is "
        "seen only as far as digits and visits scatter. Write u, or measure with rewarm run"
    ]


def _metric_effects(
    tables: StudyTables,
    facts: DesignFacts,
    wanted: Sequence[tuple[str, str]],
    sampler: Sampling | None,
    on_progress: Tell,
    notes: list[str],
) -> list[OutcomeEffects]:
    asked = [
        (METRIC_OUTCOMES[name], role if place == 0 else "secondary", region)
        for name, role in wanted
        if name in METRIC_OUTCOMES
        for place, region in enumerate(_treated_digits(tables, name))
    ]
    found = []
    for i, (outcome, role, region) in enumerate(asked):
        on_progress(i, len(asked) + 1, f"{outcome.words}, {region}")
        try:
            frame = analysis_frame(
                outcome, region, tables.measurements, tables.visits, tables.injections,
                scans=None if tables.scans.empty else tables.scans,
            )  # fmt: skip
            _check_before_and_after(frame, tables, region)
            notes += _without_u(frame, outcome, region)
            important = _important(tables, outcome, frame)
            chosen = sampler if role == "primary" or not frame["reached"].all() else None
            found.append(
                outcome_effects(
                    frame, outcome, region, facts, role=role, important=important, sampler=chosen,
                    with_sensitivity=role == "primary",
                )
            )  # fmt: skip
        except InvalidInputError as error:
            if role == "primary":
                raise
            notes.append(f"{outcome.name} on {region} was left out: {error}")
    for name, _ in wanted:
        if name not in METRIC_OUTCOMES and name not in DIARY_OUTCOMES and name != "heel_hours":
            notes.append(f"{name} was left out: no effect on it is defined")
    return found


def _treated_digits(tables: StudyTables, outcome: str) -> tuple[str, ...]:
    """toes, fingers: those measured of which any was treated; all measured ones where no site is a digit."""
    measured = digits_measured(tables.measurements, outcome)
    reached = {region for _, _, region in treated_regions(tables.injections)}
    return tuple(name for name in measured if reached.intersection(DIGITS[name])) or measured


def _recovery_tests(tables: StudyTables, item: OutcomeEffects, notes: list[str]) -> list[ClassicalTest]:
    """Cox regression of times to recovery, which takes those that were not reached as censored."""
    if not item.outcome.event:
        return []
    keys = ["participant", "visit", "side", "region"]
    try:
        times = recovery_times(tables.measurements, item.outcome.name).merge(item.frame[[*keys, "baseline", "treated"]])
        times["after"] = (~times["baseline"]).astype("float64")
        times["treated"] = times["treated"].astype("float64")
        times["effect"] = times["after"] * times["treated"]
        controlled = bool((times["treated"] == 0).any())
        found = recovery_hazards(times, ["after", "treated", "effect"] if controlled else ["after"])[-1]
    except InvalidInputError as error:
        notes.append(f"Cox regression of {item.outcome.name} on {item.region} was left out: {error}")
        return []
    note = f"ratio of recovery rates, over 1 is faster; {found.people} people"
    if found.people < FEW_CLUSTERS:
        note += ": too few for its standard error, which is then too small"
    estimand = "effect_vs_control" if controlled else "change_from_baseline"
    return [
        ClassicalTest(
            item.outcome.name, item.region, "Cox regression, clustered by person", estimand, found.ratio, found.lower,
            found.upper, nan, found.p, nan, item.role, note,
        )
    ]  # fmt: skip


def _important(tables: StudyTables, outcome: Outcome, frame: pd.DataFrame) -> float:
    """What study.toml states; for times, which are analysed as ratios, turned into the ratio that it means here."""
    stated = tables.outcomes.important.get(outcome.name, nan)
    if not outcome.log or np.isnan(stated):
        return float(stated)
    usual = float(np.exp(frame.loc[frame["baseline"], "value"].median()))
    return max(usual - float(stated), 0.05 * usual) / usual


def _diaries(settings: Mapping[str, Any], tables: StudyTables) -> tuple[DiaryResult | None, HeelsResult | None]:
    if tables.diary.empty:
        return None, None
    arguments = (settings, tables.participants, tables.visits, tables.injections, tables.diary)
    diaries = diary_effects(*arguments)
    heels = heel_effects(*arguments, events=None if tables.events.empty else tables.events)
    return diaries, heels


def _rows_table(rows: Sequence[Any], kind: type[Any]) -> pd.DataFrame:
    names = [item.name for item in fields(kind)]
    return pd.DataFrame([[getattr(row, name) for name in names] for row in rows], columns=names)


def _labelled(rows: Sequence[tuple[str, str, Any]], kind: type[Any]) -> pd.DataFrame:
    table = _rows_table([row for _, _, row in rows], kind)
    table.insert(0, "outcome", [outcome for outcome, _, _ in rows])
    table.insert(1, "region", [region for _, region, _ in rows])
    return table


def _record(result: StudyEffects) -> dict[str, Any]:
    diagnostics = {
        f"{item.outcome.name}_{item.region}": {"method": item.draws.method}
        | {name: value if np.isfinite(value) else None for name, value in item.draws.diagnostics.items()}
        | {"trouble": item.draws.trouble}
        for item in result.metrics
    }
    facts = json.loads(json.dumps(asdict(result.facts), default=str).replace("NaN", "null"))
    return {
        "software": f"rewarm {__version__}",
        "study": result.study_id,
        "title": result.title,
        "primary": result.primary,
        "primary_declared": result.declared,
        "design": facts,
        "estimation": diagnostics,
        "notes": list(result.notes),
    }
