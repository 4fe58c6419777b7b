"""Arguments and options that several commands take, so that they are named and explained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PARAMETERS = "Object parameters (instead of what the file holds)"

File = Annotated[Path, typer.Argument(metavar="FILE", help="A recording as the camera wrote it.", show_default=False)]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results.", show_default=False)
]
StudyFolder = Annotated[Path, typer.Argument(metavar="STUDY", help="A study folder.", show_default=False)]
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
