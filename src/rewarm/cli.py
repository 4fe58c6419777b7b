"""The command line: one thin command per task. Everything it does is a function of the package.

Rooms are imported inside the commands, because ``rewarm --help`` must answer at once.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rewarm.errors import RewarmError
from rewarm.version import __version__

if TYPE_CHECKING:
    from rewarm.pdf import Printed, Printer
    from rewarm.report import ReportFiles
    from rewarm.study import Comparison, StudyResult

app = typer.Typer(
    name="rewarm",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

MOST_PROCESSES = 16
"""Processes that share the scans of a study, at most; each holds the package, some 200 MB."""

PARAMETERS = "Object parameters (instead of what the file holds)"

File = Annotated[Path, typer.Argument(metavar="FILE", help="A recording as the camera wrote it.", show_default=False)]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]
Limb = Annotated[str, typer.Option(help="What the picture shows: feet, left_foot, right_foot.")]
View = Annotated[str, typer.Option(help="plantar (soles) or dorsal (backs of the feet).")]
Emissivity = Annotated[
    float | None, typer.Option(help="Emissivity, 0 to 1; skin is 0.98.", rich_help_panel=PARAMETERS, show_default=False)
]
Reflected = Annotated[
    float | None,
    typer.Option(
        "--reflected-c", help="Reflected apparent temperature, °C.", rich_help_panel=PARAMETERS, show_default=False
    ),
]
Distance = Annotated[
    float | None,
    typer.Option("--distance-m", help="Camera to skin, m.", rich_help_panel=PARAMETERS, show_default=False),
]
Humidity = Annotated[
    float | None,
    typer.Option("--humidity-pct", help="Relative humidity, %.", rich_help_panel=PARAMETERS, show_default=False),
]
Air = Annotated[
    float | None, typer.Option("--air-c", help="Air temperature, °C.", rich_help_panel=PARAMETERS, show_default=False)
]
Palette = Annotated[str, typer.Option(help="blue_red (blue is cold), or cividis (safe for the colour-blind).")]
NoPdf = Annotated[bool, typer.Option("--no-pdf", help="Write the HTML report only.")]


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


@app.command()
def info(file: File, as_json: Json = False) -> None:
    """Show what a recording holds: camera, size, temperatures, parameters, warnings.

    Example:  **rewarm info IR_0042.jpg**
    """
    from rewarm.cameras import describe, description_text, open_thermogram

    description = describe(open_thermogram(file))
    typer.echo(_json(description) if as_json else description_text(description))


@app.command()
def convert(
    file: File,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="OUT", help=".npy, .csv, .tif (float32 °C), .zarr or .dcm.", show_default=False
        ),
    ],
    emissivity: Emissivity = None,
    reflected_c: Reflected = None,
    distance_m: Distance = None,
    humidity_pct: Humidity = None,
    air_c: Air = None,
) -> None:
    """Convert a recording into temperatures in °C that any program can read.

    A .zarr keeps the camera's raw counts, so that emissivity can still be changed afterwards.

    A recording on its way to .zarr that is interrupted goes on from where it was when the same command is given again.

    Example:  **rewarm convert IR_0042.jpg -o toes.csv --emissivity 0.98**
    """
    from rewarm import cameras

    with _interruptions(lambda: cameras.unfinished(output)), _progress() as tell:
        written = cameras.convert(
            file,
            output,
            emissivity=emissivity,
            reflected_c=reflected_c,
            distance_m=distance_m,
            humidity_pct=humidity_pct,
            air_c=air_c,
            on_progress=tell,
        )
    typer.echo(written)


@app.command()
def measure(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Recordings as the camera wrote them.", show_default=False)
    ],
    output: Output,
    limb: Limb = "feet",
    view: View = "plantar",
    corrections: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of SCAN.geojson drawn by a person; they win.", show_default=False),
    ] = None,
    emissivity: Emissivity = None,
    reflected_c: Reflected = None,
    distance_m: Distance = None,
    humidity_pct: Humidity = None,
    air_c: Air = None,
) -> None:
    """Find the regions in one or more scans and measure them.

    Writes measurements.csv and .parquet (one row a figure, with its standard uncertainty u), checks.csv (how each
    picture was taken), run.json, and for each scan regions/SCAN.geojson and regions/SCAN.tif with regions/legend.json.

    Example:  **rewarm measure before.jpg after.jpg -o results --emissivity 0.98**
    """
    from rewarm.report.terminal import toe_table_text
    from rewarm.study import measure_files

    table = measure_files(
        files,
        output,
        limb=limb,
        view=view,
        corrections=corrections,
        emissivity=emissivity,
        reflected_c=reflected_c,
        distance_m=distance_m,
        humidity_pct=humidity_pct,
        air_c=air_c,
    )
    typer.echo(toe_table_text(table))
    typer.echo(f"{output}: {len(table)} figures from {table['scan'].nunique()} scan(s)")


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="The recording before.", show_default=False)],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="The recording after.", show_default=False)],
    output: Output,
    limb: Limb = "feet",
    view: View = "plantar",
    ambient_before_c: Annotated[
        float | None, typer.Option("--ambient-before-c", help="Room before, °C.", show_default=False)
    ] = None,
    ambient_after_c: Annotated[
        float | None, typer.Option("--ambient-after-c", help="Room after, °C.", show_default=False)
    ] = None,
    corrections_before: Annotated[
        Path | None, typer.Option(metavar="GEOJSON", help="Regions drawn by a person.", show_default=False)
    ] = None,
    corrections_after: Annotated[
        Path | None, typer.Option(metavar="GEOJSON", help="Regions drawn by a person.", show_default=False)
    ] = None,
    emissivity: Emissivity = None,
    reflected_c: Reflected = None,
    distance_m: Distance = None,
    humidity_pct: Humidity = None,
    palette: Palette = "blue_red",
    no_pdf: NoPdf = False,
) -> None:
    """Compare two scans of the same feet: what changed, by how much, and whether the camera can tell.

    Writes report.html (and report.pdf), measurements.csv and .parquet, comparisons.csv, checks.csv, regions/ and
    run.json.

    Example:  **rewarm compare before.jpg after.jpg -o change --ambient-before-c 23 --ambient-after-c 23.4**
    """
    from rewarm import report, study

    report.choose_palette(palette)  # a wrong word is refused before the work, not after it
    with _printer(no_pdf) as printer, study.staged_output(output, protect=[before, after]) as stage:
        comparison = study.compare(
            before,
            after,
            limb=limb,
            view=view,
            ambient_before_c=ambient_before_c,
            ambient_after_c=ambient_after_c,
            corrections_before=corrections_before,
            corrections_after=corrections_after,
            emissivity=emissivity,
            reflected_c=reflected_c,
            distance_m=distance_m,
            humidity_pct=humidity_pct,
        )
        write_tables = partial(study.write_comparison, comparison, stage)
        files = _report(comparison, stage, write_tables, palette=palette, printer=printer)
    _close(output, files, comparison)


@app.command()
def check(
    study_folder: Annotated[Path, typer.Argument(metavar="STUDY", help="A study folder.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Check a study folder: every problem at once, with file, row, column, expected and found.

    Exit status 0: it can be analysed (there may be warnings). 2: there is something to correct.

    Example:  **rewarm check my-study**
    """
    from rewarm.report.terminal import check_as_dict, check_text
    from rewarm.study import check_study

    result = check_study(study_folder)
    typer.echo(_json(check_as_dict(result)) if as_json else check_text(result))
    if result.errors:
        raise typer.Exit(2)


@app.command()
def run(
    study_folder: Annotated[Path, typer.Argument(metavar="STUDY", help="A study folder.", show_default=False)],
    output: Output,
    palette: Palette = "blue_red",
    no_pdf: NoPdf = False,
) -> None:
    """Analyse a study folder from its recordings to a report.

    Writes report.html (and report.pdf), measurements.csv and .parquet, comparisons.csv, checks.csv, regions/, run.json,
    and agreement.csv where a second person marked scans (annotations/SCAN.AUTHOR.geojson). A folder that an earlier run
    wrote is replaced as a whole when the new one is complete; any other folder is left alone.

    Example:  **rewarm run my-study -o results**
    """
    _run(study_folder, output, palette=palette, no_pdf=no_pdf)


@app.command()
def propose(
    study_folder: Annotated[Path, typer.Argument(metavar="STUDY", help="A study folder.", show_default=False)],
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


@app.command()
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
    _run(study_folder, output / "results", palette=palette, no_pdf=no_pdf)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)


def _run(study_folder: Path, output: Path, *, palette: str, no_pdf: bool) -> None:
    from rewarm.processes import process_pool

    others = min(MOST_PROCESSES, (os.cpu_count() or 1) - 1)
    with process_pool(others, preload="rewarm.study.scan") as pool, _printer(no_pdf) as printer, _progress() as tell:
        from rewarm import report, study

        report.choose_palette(palette)  # a wrong word is refused before the work, not after it
        with study.staged_output(output, protect=[study_folder]) as stage:
            result = study.analyse_study(study_folder, on_progress=tell, measurer=study.sharing(pool, others))
            tell(0, 0, "writing the report")
            write_tables = partial(study.write_study_result, result, stage)
            files = _report(result, stage, write_tables, palette=palette, printer=printer)
    _close(output, files, result)


def _report(
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
def _printer(no_pdf: bool) -> Iterator[Printer | None]:
    """A second process that loads what the PDF needs while this one analyses."""
    if no_pdf:
        yield None
        return
    from rewarm.pdf import second_process

    with second_process() as printer:
        yield printer


def _close(output: Path, files: ReportFiles, result: StudyResult | Comparison) -> None:
    from rewarm.report.terminal import summary_text

    typer.echo(summary_text(result))
    for note in files.notes:
        typer.echo(f"note: {note}", err=True)
    if files.pdf is not None:
        typer.echo(f"PDF:    {output / files.pdf.name}")
    typer.echo(f"Report: {output / files.html.name}")


@contextmanager
def _interruptions(left: Callable[[], str]) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the block alike, with one line that says what was ``left`` behind."""

    def stop(number: int, _frame: object) -> None:
        raise _Interrupted(number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt as error:
        number = error.args[0] if isinstance(error, _Interrupted) else signal.SIGINT
        typer.echo(f"rewarm: interrupted. {left() or 'Nothing was written'}", err=True)
        raise SystemExit(128 + int(number)) from None
    finally:
        signal.signal(signal.SIGTERM, before)


class _Interrupted(KeyboardInterrupt):
    """SIGTERM, which otherwise would end the process without tidying up."""


@contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None]]:
    """A progress line on a terminal; nothing where output goes to a file."""
    if not sys.stderr.isatty():
        yield _say_nothing
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def tell(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total or None, description=what)

        yield tell


def _say_nothing(_done: int, _total: int, _what: str) -> None:
    """Progress that nobody watches."""


def main() -> None:
    """Run the command line; a RewarmError becomes its message on standard error and exit status 2."""
    # All matrices here are small: BLAS threads would only wait for each other. Read when NumPy is first loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(50_000, 20, 20)  # a short life leaves few cycles behind; looking for them cost a twentieth
    try:
        app()
    except RewarmError as error:
        _stop(str(error))
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        _stop(f"{name}{error.strerror or error}. Check that the place exists, may be written to and has space left")


def _stop(message: str) -> None:
    typer.echo(f"rewarm: {message}", err=True)
    raise SystemExit(2)


if __name__ == "__main__":
    main()
