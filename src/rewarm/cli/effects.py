"""The command that asks whether it worked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rewarm.cli.options import NoPdf, Output, StudyFolder
from rewarm.cli.outcome import pdf_printer
from rewarm.cli.running import progress


def effect(
    study_folder: StudyFolder,
    output: Output,
    measurements: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Measurements (.csv, .xlsx, .parquet), or the folder of an earlier 'rewarm run'.",
            show_default=False,
        ),
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Estimate without the sampler (seconds; not for censored times).")
    ] = False,
    seed: Annotated[int, typer.Option(help="Another seed draws other samples.")] = 1,
    no_pdf: NoPdf = False,
) -> None:
    """Did it work? How large, how soon, how long, how sure, and what this design cannot rule out.

    Works from the study's measurements.csv, from an earlier run's, or from diaries alone. Writes effects.csv,
    first_table.csv (who they are), tests.csv, threats.csv, sensitivity.csv, posterior.nc (NetCDF), effects.html (and
    effects.pdf) and run.json. Needs the extra rewarm[effects], unless --fast is given.

    Example:  **rewarm effect my-study -o effects --measurements results**
    """
    from rewarm.effects.bayes import Sampling
    from rewarm.study.effects import study_effects, write_study_effects
    from rewarm.study.staging import staged_output

    sampler = None if fast else Sampling(seed=seed)
    protect = [study_folder, *([measurements] if measurements else [])]
    with pdf_printer(no_pdf) as printer, progress() as tell, staged_output(output, protect=protect) as stage:
        from rewarm.report.effects import effects_text, write_effects_report

        result = study_effects(study_folder, measurements=measurements, sampler=sampler, on_progress=tell)
        tell(0, 0, "writing the report")
        write_study_effects(result, stage)
        files = write_effects_report(result, stage / "effects.html", printer=printer)
    typer.echo(effects_text(result))
    for note in files.notes:
        typer.echo(f"note: {note}", err=True)
    if files.pdf is not None:
        typer.echo(f"PDF:    {output / files.pdf.name}")
    typer.echo(f"Report: {output / files.html.name}")


COMMANDS = (effect,)
