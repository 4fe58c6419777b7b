"""The command that begins a study: an empty folder to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def new(
    study_folder: Annotated[Path, typer.Argument(metavar="STUDY", help="The folder to make.", show_default=False)],
    design: Annotated[str, typer.Option(help="case_series, split_limb, parallel or n_of_1.")] = "case_series",
    tables: Annotated[
        str,
        typer.Option(
            "--with",
            metavar="TABLES",
            help="Tables beside participants and visits, by comma: scans, measurements, injections, diary, events.",
        ),
    ] = "scans",
    xlsx: Annotated[bool, typer.Option("--xlsx", help="Excel workbooks instead of CSV files.")] = False,
) -> None:
    """Make an empty study folder to fill in: tables with their headings, study.toml, and a README with examples.

    Nothing is overwritten. **rewarm check STUDY** says what is still to be filled in.

    Example:  **rewarm new my-study --with scans,injections,diary**
    """
    from rewarm.study import write_template

    chosen = [name.strip() for name in tables.split(",") if name.strip()]
    for path in write_template(study_folder, design=design, tables=chosen, workbooks=xlsx):
        typer.echo(path)
    typer.echo(f"Fill these in ({study_folder / 'README.md'} says how), then: rewarm check {study_folder}")


COMMANDS = (new,)
