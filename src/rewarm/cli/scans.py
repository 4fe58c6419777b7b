"""Commands on single recordings: what one holds, its temperatures, its regions, and two of them compared."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from rewarm.cli.options import (
    Air,
    Distance,
    Emissivity,
    File,
    Humidity,
    Json,
    Limb,
    NoPdf,
    Output,
    Palette,
    Reflected,
    View,
)
from rewarm.cli.outcome import pdf_printer, say_where, write_report_and_tables
from rewarm.cli.running import as_json_text, interruptions, progress


def info(file: File, as_json: Json = False) -> None:
    """Show what a recording holds: camera, size, temperatures, parameters, warnings.

    Example:  **rewarm info IR_0042.jpg**
    """
    from rewarm.cameras import describe, description_text, open_thermogram

    description = describe(open_thermogram(file))
    typer.echo(as_json_text(description) if as_json else description_text(description))


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

    with interruptions(lambda: cameras.unfinished(output)), progress() as tell:
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


def measure(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Recordings as the camera wrote them.", show_default=False)
    ],
    output: Output,
    limb: Limb = "feet",
    view: View = "plantar",
    phase: Annotated[str, typer.Option(help="rest, or rewarming after a cold challenge.")] = "rest",
    time_s: Annotated[
        float | None,
        typer.Option(
            "--time-s", help="Rewarming: first frame, seconds after the end of the immersion.", show_default=False
        ),
    ] = None,
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
    With --phase rewarming a recording is followed frame by frame and also gives the figures of the cold challenge,
    curves/SCAN.csv and maps/SCAN.half_time_s.tif.

    Example:  **rewarm measure before.jpg after.jpg -o results --emissivity 0.98**
    """
    from rewarm.report.terminal import rewarming_table_text, toe_table_text
    from rewarm.study import measure_files

    table = measure_files(
        files,
        output,
        limb=limb,
        view=view,
        phase=phase,
        time_s=time_s,
        corrections=corrections,
        emissivity=emissivity,
        reflected_c=reflected_c,
        distance_m=distance_m,
        humidity_pct=humidity_pct,
        air_c=air_c,
    )
    typer.echo(rewarming_table_text(table) if phase == "rewarming" else toe_table_text(table))
    for warning in table.attrs["warnings"] if phase == "rewarming" or table.empty else ():
        typer.echo(f"note: {warning}", err=True)
    scans = table["scan"].nunique()
    typer.echo(f"{output}: {len(table)} figures from {scans} {'scan' if scans == 1 else 'scans'}")


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
    with pdf_printer(no_pdf) as printer, study.staged_output(output, protect=[before, after]) as stage:
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
        files = write_report_and_tables(comparison, stage, write_tables, palette=palette, printer=printer)
    say_where(output, files, comparison)


COMMANDS = (info, convert, measure, compare)
