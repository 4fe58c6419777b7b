"""How a command with a report ends: the report written, the PDF printed beside it, and one line that says where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rewarm.pdf import Printed, Printer
    from rewarm.report import ReportFiles
    from rewarm.study import Comparison, StudyResult


def write_report_and_tables(
    result: StudyResult | Comparison,
    stage: Path,
    write_tables: Callable[[], None],
    *,
    palette: str,
    printer: Printer | None,
) -> ReportFiles:
    """Write the report, and the tables while the second process prints the PDF."""
    from rewarm.report import write_report

    path = stage / "report.html"
    if printer is None:
        write_tables()
        return write_report(result, path, palette=palette, pdf=False)

    def print_beside(html: str) -> Callable[[], Printed]:
        printed = printer(html)
        write_tables()
        return printed

    return write_report(result, path, palette=palette, printer=print_beside)


@contextmanager
def pdf_printer(no_pdf: bool) -> Iterator[Printer | None]:
    """A second process that loads what the PDF needs while this one analyses."""
    if no_pdf:
        yield None
        return
    from rewarm.pdf import second_process

    with second_process() as printer:
        yield printer


def say_where(output: Path, files: ReportFiles, result: StudyResult | Comparison) -> None:
    """Print the short table, what went without, and the files that were written: last the report."""
    from rewarm.report.terminal import summary_text

    typer.echo(summary_text(result))
    for note in files.notes:
        typer.echo(f"note: {note}", err=True)
    if files.pdf is not None:
        typer.echo(f"PDF:    {output / files.pdf.name}")
    typer.echo(f"Report: {output / files.html.name}")
