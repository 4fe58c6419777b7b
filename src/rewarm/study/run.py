"""A study folder → its result: every scan measured, every later visit compared with the first, one table of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path

import pandas as pd

from rewarm.errors import InvalidInputError, InvalidStudyError, Problem, RewarmError
from rewarm.measures import compare_measurements
from rewarm.measures.rewarming_change import compare_rewarmings
from rewarm.study.agreement import study_agreement
from rewarm.study.clinical import study_tables
from rewarm.study.comparison import compare_scans
from rewarm.study.diary import diary_coverage
from rewarm.study.first_table import first_table
from rewarm.study.folder import StudyCheck, load_study
from rewarm.study.injections import injection_totals
from rewarm.study.outputs import (
    gather_comparisons,
    gather_measurements,
    sha256,
    software_versions,
    stacked,
    write_study_result,
)
from rewarm.study.plan import Step, challenge_facts, pairs_to_compare, study_steps, study_visits
from rewarm.study.results import Comparison, ScanResult, StudyResult
from rewarm.study.rewarming import with_rewarmings
from rewarm.study.rewarming_changes import rewarming_changes
from rewarm.study.settings import FILE as SETTINGS_FILE
from rewarm.study.staging import staged_output
from rewarm.study.workers import Measurer, measure_in_turn
from rewarm.tables import COMPARISON, MEASUREMENTS

Progress = Callable[[int, int, str], None]
"""Called with (steps done, steps in all, what was done)."""


def run_study(folder: str | Path, output: str | Path, *, on_progress: Progress | None = None) -> StudyResult:
    """Analyse a study folder: write measurements.csv and .parquet, comparisons.csv, checks.csv, regions/ and run.json.

    And first_table.csv, injections.csv (totals) and diary_coverage.csv where the tables hold anything of it, and
    agreement.csv where a second reader marked scans (annotations/SCAN.AUTHOR.geojson); curves/SCAN.csv and
    maps/SCAN.NAME.tif of recordings of rewarming.

    ``output`` is built beside its place and renamed into it when complete, so that it is never half-written; it may be
    absent, empty, or an earlier output of rewarm (replaced as a whole). The same inputs give the same bytes.

    Raises :class:`InvalidStudyError` with all problems together (the folder's, or all scans' that cannot be measured),
    :class:`OutputError` where ``output`` may not be written.
    """
    with staged_output(output, protect=[Path(folder)]) as stage:
        result = analyse_study(folder, on_progress=on_progress)
        write_study_result(result, stage)
    return result


def analyse_study(
    folder: str | Path, *, on_progress: Progress | None = None, measurer: Measurer = measure_in_turn
) -> StudyResult:
    """What :func:`run_study` computes, without writing anything.

    ``measurer`` may share the scans with other processes, see :func:`rewarm.study.workers.shared_measuring`.
    """
    tell = on_progress or (lambda _done, _total, _what: None)
    check = load_study(folder)
    steps = study_steps(check)
    scans = _measure_all(check, steps, tell, measurer)
    _refuse_copies(check, steps, scans)
    comparisons, failures = _compare_all(steps, scans, tell)
    scans, rewarmings = with_rewarmings(scans, facts=challenge_facts(check.settings))
    changes = stacked([gather_comparisons(comparisons), rewarming_changes(rewarmings, scans)], COMPARISON)
    measurements, changes, notes = _with_own_measurements(check, scans, changes)
    agreement, unread, second_readers = study_agreement(check.folder, scans)
    design: Mapping[str, str] = check.settings.get("design", {})
    tables = study_tables(check)
    return StudyResult(
        study_id=str(check.settings["id"]),
        title=str(check.settings["title"]),
        design=str(design.get("kind", "")),
        control=str(design.get("control", "none")),
        tables=check.tables,
        scans=tuple(scans),
        comparisons=tuple(comparisons),
        measurements=measurements,
        comparison_table=changes,
        warnings=(*map(str, check.warnings), *_camera_notes(steps), *failures, *notes, *unread),
        versions=software_versions(),
        inputs=_inputs(check, steps, scans) | {f"annotations/{path.name}": sha256(path) for path in second_readers},
        agreement=agreement,
        first_table=_unless_empty(first_table(tables, measurements)),
        injection_totals=_unless_empty(injection_totals(tables)),
        diary_coverage=_unless_empty(diary_coverage(tables.diary, tables.injections)),
        rewarmings=tuple(rewarmings),
    )


def _unless_empty(table: pd.DataFrame) -> pd.DataFrame | None:
    return None if table.empty else table


def _measure_all(check: StudyCheck, steps: Sequence[Step], tell: Progress, measurer: Measurer) -> list[ScanResult]:
    """Every scan, in order; or one error that names all scans that cannot be measured."""
    done = count(1)
    outcomes = measurer([step.plan for step in steps], lambda plan: tell(next(done), len(steps), f"scan {plan.scan}"))
    scans = [outcome for outcome in outcomes if isinstance(outcome, ScanResult)]
    expected = "a recording that can be measured"
    problems = [
        Problem("scans.csv", step.row, "file", expected, f"{step.file}: {outcome}")
        for step, outcome in zip(steps, outcomes, strict=True)
        if isinstance(outcome, RewarmError)
    ]
    if problems:
        raise InvalidStudyError(str(check.folder), [*problems, *check.warnings])
    return scans


def _refuse_copies(check: StudyCheck, steps: Sequence[Step], scans: Sequence[ScanResult]) -> None:
    """The same bytes under two names are one picture copied, not two visits."""
    seen: dict[str, Step] = {}
    problems: list[Problem] = []
    for step, scan in zip(steps, scans, strict=True):
        first = seen.setdefault(str(scan.thermogram.attrs["provenance_sha256"]), step)
        same_picture = (first.visit, first.file) == (step.visit, step.file)  # of two limbs, told apart by the checks
        if first is not step and not same_picture:
            expected = "a recording of its own for every scan"
            found = f"{step.file}, which holds the same bytes as {first.file} (row {first.row})"
            problems.append(Problem("scans.csv", step.row, "file", expected, found, advice="Copy the right recording"))
    if problems:
        raise InvalidStudyError(str(check.folder), [*problems, *check.warnings])


def _compare_all(
    steps: Sequence[Step], scans: Sequence[ScanResult], tell: Progress
) -> tuple[list[Comparison], list[str]]:
    """All comparisons that can be made, and a sentence for each that cannot."""
    pairs = pairs_to_compare(
        [(step.visit, scan.limb, scan.view, scan.phase, scan) for step, scan in zip(steps, scans, strict=True)]
    )
    made: list[Comparison] = []
    failures: list[str] = []
    for done, (before, after) in enumerate(pairs, start=1):
        try:
            made.append(compare_scans(before, after))
        except InvalidInputError as error:
            failures.append(f"Scan {after.scan} could not be compared with {before.scan}: {error}")
        tell(done, len(pairs), f"{after.scan} against {before.scan}")
    return made, failures


def _with_own_measurements(
    check: StudyCheck, scans: Sequence[ScanResult], changes: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """The tables of this run, and below them what the study's own measurements.csv says."""
    measured = gather_measurements(scans)
    own = check.tables.get("measurements")
    if own is None or own.empty:
        return measured, changes, []
    table = pd.DataFrame(index=own.index)
    for column in MEASUREMENTS:
        blank = float("nan") if column in ("time_s", "u", "n_px") else ""
        table[column] = own[column] if column in own else pd.Series([blank] * len(own), index=own.index)
    known = {scan.scan for scan in scans}
    fresh = table[~table["scan"].isin(known)]
    notes = []
    if len(fresh) < len(table):
        notes.append("measurements.csv also holds scans of scans.csv: these were measured anew from their recordings.")
    table = fresh.assign(n_px=fresh["n_px"].fillna(0).astype("int64"))
    own_changes, failures = _compare_own(check, table)
    return (
        stacked([measured, table], MEASUREMENTS),
        stacked([changes, *own_changes], COMPARISON),
        [*notes, *failures],
    )


def _compare_own(check: StudyCheck, table: pd.DataFrame) -> tuple[list[pd.DataFrame], list[str]]:
    """Later visits against the first, of figures that were measured elsewhere: at rest, and of cold challenges."""
    visits = study_visits(check)
    figures = table[table["time_s"].isna()]
    cold = figures["scan"].isin(set(table.loc[table["metric"].eq("tmin"), "scan"]))
    changes: list[pd.DataFrame] = []
    failures: list[str] = []
    for rows, compared in ((figures[~cold], compare_measurements), (figures[cold], compare_rewarmings)):
        items = [
            (visits[str(participant), str(visit)], "", "", "rest", (str(scan), part))
            for (participant, visit, scan), part in rows.groupby(["participant", "visit", "scan"], sort=False)
        ]
        for (scan_before, before), (scan_after, after) in pairs_to_compare(items):
            rooms = [visits[str(part["participant"].iloc[0]), str(part["visit"].iloc[0])] for part in (before, after)]
            try:
                changes.append(
                    compared(before, after, before_ambient_c=rooms[0].ambient_c, after_ambient_c=rooms[1].ambient_c)
                )
            except InvalidInputError as error:
                failures.append(f"measurements.csv: {scan_after} could not be compared with {scan_before}: {error}")
    return changes, failures


def _camera_notes(steps: Sequence[Step]) -> list[str]:
    bare = [step.plan.scan for step in steps if "accuracy_c" not in step.plan.camera]
    if not bare:
        return []
    which = "any scan" if len(bare) == len(steps) else f"{len(bare)} of {len(steps)} scans"
    return [
        f"The camera's accuracy is not stated for {which} (accuracy_c in study.toml, camera in scans.csv): "
        "what the recording says, or the usual ±2 °C, stands in."
    ]


def _inputs(check: StudyCheck, steps: Sequence[Step], scans: Sequence[ScanResult]) -> dict[str, str]:
    files = [SETTINGS_FILE, *(check.files[name] for name in check.tables)]
    inputs = {name: sha256(check.folder / name) for name in files}
    for step, scan in zip(steps, scans, strict=True):
        inputs[step.file.replace("\\", "/")] = str(scan.thermogram.attrs["provenance_sha256"])
        if step.plan.corrections is not None:
            inputs[f"annotations/{step.plan.corrections.name}"] = sha256(step.plan.corrections)
    return inputs
