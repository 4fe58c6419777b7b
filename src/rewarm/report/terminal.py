"""The short tables that commands print: what changed in each toe, in a terminal's width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from rewarm.regions import SIDES, TOES
from rewarm.report.rewarming_figures import METRICS, value_text, values_of
from rewarm.study import Comparison, Proposal, StudyCheck, StudyResult

MINUS = "−"


def summary_text(result: StudyResult | Comparison) -> str:
    """The change of the toes, one row a comparison and side; then what the reader must know."""
    comparisons = result.comparisons if isinstance(result, StudyResult) else (result,)
    rows = [row for comparison in comparisons for row in _comparison_rows(comparison)]
    header = ["who", "visit", "side", "toes found", "before", "after", "change", "± 95 %", "room", "beyond camera?"]
    units = ["", "", "", "", "°C", "°C", "°C", "°C", "°C", "toes"]
    if not rows:
        return "No two scans of the same feet to compare."
    note = "Mean of the toes found in both scans. A change has many causes; the report says which cannot be ruled out."
    return "\n".join([*_columns([header, units, *rows]), note])


def _comparison_rows(comparison: Comparison) -> list[list[str]]:
    table = comparison.table
    toes = table[(table["metric"] == "mean") & table["region"].isin(TOES)]
    room = comparison.room_change_c
    rows = []
    for side in SIDES:
        mine = toes[toes["side"] == side]
        if mine.empty:
            continue
        # Errors that toes of one picture share do not average out; a mean is at most as unsure as its least sure toe.
        half_width = float(mine["sdc"].max())
        rows.append(
            [
                comparison.before.participant or comparison.before.scan,
                comparison.after.visit or comparison.after.scan,
                side,
                f"{len(mine)} of {len(TOES)}",
                f"{mine['before'].mean():.1f}",
                f"{mine['after'].mean():.1f}",
                signed(float(mine["change"].mean())),
                f"{half_width:.1f}",
                "?" if room is None else signed(room),
                f"{int(mine['detectable'].astype(bool).sum())} of {len(mine)}",
            ]
        )
    return rows


def toe_table_text(measurements: pd.DataFrame) -> str:
    """Mean temperature of each toe, one row a scan and side; a dash where a toe was not found."""
    toes = measurements[(measurements["metric"] == "mean") & measurements["region"].isin(TOES)]
    rows = []
    for scan in dict.fromkeys(measurements["scan"]):
        for side in SIDES:
            mine = toes[(toes["scan"] == scan) & (toes["side"] == side)].set_index("region")
            if len(mine):
                cells = [f"{mine.at[toe, 'value']:.1f}" if toe in mine.index else "–" for toe in TOES]
                rows.append([str(scan), side, *cells, f"{mine['u'].max():.1f}"])
    if not rows:
        return "No toe was found in any scan."
    header = ["scan", "side", *(f"toe {number}" for number in range(1, 6)), "u"]
    units = ["", "", *(["°C"] * 6)]
    return "\n".join(_columns([header, units, *rows]))


def rewarming_table_text(measurements: pd.DataFrame) -> str:
    """Each toe's figures of a cold challenge that matter most, one row a scan and side; ">" where not reached."""
    shown = [metric for metric in METRICS if metric.name in ("tmin", "lag", "gradient_2min", "recovery_10min", "t50")]
    rows = []
    for scan in dict.fromkeys(measurements["scan"]):
        mine = measurements[measurements["scan"] == scan]
        for side in SIDES:
            for metric in shown:
                values = values_of(mine, side, metric)
                if values:
                    cells = [value_text(values.get(toe), metric).replace("\N{NO-BREAK SPACE}", " ") for toe in TOES]
                    rows.append([str(scan), side, f"{metric.words}, {metric.unit}", *cells])
    if not rows:
        return "No toe could be followed in any recording of rewarming."
    return "\n".join(_columns([["scan", "side", "", *(f"toe {number}" for number in range(1, 6))], *rows]))


def check_text(check: StudyCheck) -> str:
    """Every problem of a study folder, a line each, errors first; then the verdict."""
    lines = [f"error:   {problem}" for problem in check.errors]
    lines += [f"warning: {problem}" for problem in check.warnings]
    rows = ", ".join(f"{len(table)} {name}" for name, table in check.tables.items())
    if check.errors:
        verdict = f"{check.folder}: {_count(len(check.errors), 'error')} to correct before it can be analysed"
    else:
        verdict = f"{check.folder}: can be analysed ({rows})"
    if check.warnings:
        verdict += f"; {_count(len(check.warnings), 'warning')}"
    return "\n".join([*lines, verdict])


def check_as_dict(check: StudyCheck) -> dict[str, Any]:
    """The same for programs: ``folder``, ``ok``, ``problems`` (severity, file, row, column, ...), ``rows`` a table."""
    return {
        "folder": str(check.folder),
        "ok": not check.errors,
        "problems": [asdict(problem) for problem in (*check.errors, *check.warnings)],
        "rows": {name: len(table) for name, table in check.tables.items()},
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def signed(value: float) -> str:
    """One decimal with its sign, a true minus included; zero without one."""
    text = f"{abs(value):.1f}"
    if float(text) == 0:
        return text
    return f"{'+' if value > 0 else MINUS}{text}"


def _columns(rows: Iterable[list[str]]) -> list[str]:
    rows = list(rows)
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def proposals_text(proposals: Sequence[Proposal]) -> str:
    """What was proposed for each scan, what was not and why, and what to do next."""
    lines = []
    for item in proposals:
        what = ", ".join(item.names) if item.names else "nothing to propose"
        lines.append(f"{item.path}: {what}" if item.path is not None else f"{item.scan}: {what}")
        lines += [f"  {reason}" for reason in item.left_out]
    if any(item.path is not None for item in proposals):
        lines.append("No analysis uses a proposal. Look at each, then rename it to SCAN.geojson.")
    return "\n".join(lines)
