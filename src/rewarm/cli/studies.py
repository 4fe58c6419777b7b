"""Commands on study folders: check one, analyse one, carry corrections to other visits, simulate one and analyse it."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from rewarm.cli.options import Json, NoPdf, Output, Palette, StudyFolder
from rewarm.cli.outcome import pdf_printer, say_where, write_report_and_tables
from rewarm.cli.running import as_json_text, progress

MOST_PROCESSES = 16
"""Processes that share the scans of a study, at most; each holds the package, some 200 MB."""


def check(
    study_folder: StudyFolder,
    as_json: Json = False,
) -> None:
    """Check a study folder: every problem at once, with file, row, column, expected and found.

    Exit status 0: it can be analysed (there may be warnings). 2: there is something to correct.

    Example:  **rewarm check my-study**
    """
    from rewarm.report.terminal import check_as_dict, check_text
    from rewarm.study import check_study

    result = check_study(study_folder)
    typer.echo(as_json_text(check_as_dict(result)) if as_json else check_text(result))
    if result.errors:
        raise typer.Exit(2)


def run(
    study_folder: StudyFolder,
    output: Output,
    palette: Palette = "blue_red",
    no_pdf: NoPdf = False,
) -> None:
    """Analyse a study folder from its recordings to a report.

    Writes report.html (and report.pdf), measurements.csv and .parquet, comparisons.csv, checks.csv, regions/, run.json,
    first_table.csv (who took part); injections.csv (totals), diary_coverage.csv and agreement.csv (of a second person's
    marks, annotations/SCAN.AUTHOR.geojson) where there is anything to say in them. A folder that an earlier run wrote
    is replaced as a whole when the new one is complete; any other folder is left alone.

    Example:  **rewarm run my-study -o results**
    """
    _analyse_and_report(study_folder, output, palette=palette, no_pdf=no_pdf)


def propose(
    study_folder: StudyFolder,
    scan: Annotated[
        str, typer.Argument(metavar="SCAN", help="A scan with annotations/SCAN.geojson.", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Folder instead of STUDY/annotations.", show_default=False),
    ] = None,
) -> None:
    """Propose the corrections of one scan for the same person's other visits.

    Writes OTHER.proposed.geojson for each other scan of the same limb and view, never over a file that is there. No
    analysis uses a proposal: look at it, then rename it to OTHER.geojson.

    Example:  **rewarm propose my-study P01-before**
    """
    from rewarm.report.terminal import proposals_text
    from rewarm.study import propose_for_study

    typer.echo(proposals_text(propose_for_study(study_folder, scan, output=output)))


def demo(
    output: Output = Path("rewarm-demo"),
    seed: Annotated[int, typer.Option(help="Another seed simulates other people.")] = 20260101,
    palette: Palette = "blue_red",
    no_pdf: NoPdf = False,
) -> None:
    """Simulate a small case series, analyse it as if it were real, and report.

    Three women with Raynaud's phenomenon in systemic sclerosis, both soles, before and 6 weeks, 3 and 5 months after.
    The study lies in DIR/study with its truth beside it in DIR/study/truth, the results in DIR/results.

    Example:  **rewarm demo -o demo**
    """
    from rewarm.twin import simulate_case_series

    study_folder = output / "study"
    output.mkdir(parents=True, exist_ok=True)
    simulate_case_series(study_folder, seed=seed)
    _analyse_and_report(study_folder, output / "results", palette=palette, no_pdf=no_pdf)


def _analyse_and_report(study_folder: Path, output: Path, *, palette: str, no_pdf: bool) -> None:
    from rewarm.processes import process_pool

    others = min(MOST_PROCESSES, (os.cpu_count() or 1) - 1)
    with process_pool(others, preload="rewarm.study.scan") as pool, pdf_printer(no_pdf) as printer, progress() as tell:
        from rewarm import report, study

        report.choose_palette(palette)  # a wrong word is refused before the work, not after it
        with study.staged_output(output, protect=[study_folder]) as stage:
            result = study.analyse_study(study_folder, on_progress=tell, measurer=study.sharing(pool, others))
            tell(0, 0, "writing the report")
            write_tables = partial(study.write_study_result, result, stage)
            files = write_report_and_tables(result, stage, write_tables, palette=palette, printer=printer)
    say_where(output, files, result)


COMMANDS = (check, run, propose, demo)
