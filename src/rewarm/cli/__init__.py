"""The command line: one thin command per task. Everything it does is a function of the package.

A new command is a function in a module of this package, which names it in its COMMANDS; a new module is one line in
``MODULES``. Rooms are imported inside the commands, because ``rewarm --help`` must answer at once.
"""

from __future__ import annotations

import gc
import os
from importlib import import_module
from typing import Annotated

import typer

from rewarm.cli.running import errors_told
from rewarm.version import __version__

MODULES = (
    "rewarm.cli.scans",
    "rewarm.cli.studies",
    "rewarm.cli.effects",
    "rewarm.cli.mechanisms",
    "rewarm.cli.templates",
    "rewarm.cli.simulating",
    "rewarm.cli.planning",
    "rewarm.cli.movies",
)
"""The modules whose COMMANDS ``rewarm --help`` lists, in this order."""

app = typer.Typer(
    name="rewarm",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rewarm {__version__}")
        raise typer.Exit


@app.callback()
def _rewarm(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Did the treatment warm the toes: by how much, for how long, and how sure can one be?

    rewarm reads the recordings of a thermal camera, finds the toes, measures them with their uncertainty, and
    compares visits. It is research software and no medical device; it never recommends a dose.

    Start with:  **rewarm demo -o demo**
    """


for _module in MODULES:
    for _command in import_module(_module).COMMANDS:
        app.command()(_command)


def main() -> None:
    """Run the command line; a RewarmError becomes its message on standard error and exit status 2."""
    # All matrices here are small: BLAS threads would only wait for each other. Read when NumPy is first loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(50_000, 20, 20)  # a short life leaves few cycles behind; looking for them cost a twentieth
    with errors_told():
        app()
