"""Commands before there is a study: plan one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rewarm.cli.options import Json, Output
from rewarm.cli.running import as_json_text, interruptions, progress


def design(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan in TOML.", show_default=False)],
    output: Output,
    as_json: Json = False,
) -> None:
    """Plan the trial that would prove it: how many people, which visits and season, who gets what.

    Simulates the trials that a plan describes (case_series, split_limb, parallel, or n_of_1 with a randomised start) and
    writes design.html, power.csv, choices.csv, analysis_plan.md, checklist.csv, design.json, the open allocation.csv and, in
    sealed/, what its codes mean. A folder that already holds a sealed list is never replaced.

    Example:  **rewarm design PLAN.toml -o design**
    """
    from rewarm import study
    from rewarm.report.design import write_design_page
    from rewarm.study.analysis_plan import power_words
    from rewarm.study.design import MARKER, check_not_sealed, plan_study, write_design

    check_not_sealed(output)
    with interruptions(str), progress() as tell:
        with study.staged_output(output, marker=MARKER, protect=[plan_file]) as stage:
            planned = plan_study(plan_file, on_progress=tell)
            write_design(planned, stage)
            page = write_design_page(planned, stage)
    sentence = power_words(planned)
    if as_json:
        rows = [{"participants": row.participants, "power": row.power} for row in planned.rows]
        found = {"participants_needed": planned.participants_needed, "power": rows, "notes": list(planned.notes)}
        typer.echo(as_json_text(found))
        return
    typer.echo(sentence)
    for note in planned.notes:
        typer.echo(f"note: {note}", err=True)
    if planned.allocation is not None:
        typer.echo(f"SHA-256 of the sealed list, to be published before the first person: {planned.allocation.commitment()}")
    typer.echo(output / page.name)


COMMANDS = (design,)
