"""The command that shows before beside after as a moving picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rewarm.cli.options import Limb, Palette, View


def animate(
    before: Annotated[
        Path, typer.Argument(metavar="BEFORE", help="The recording or picture before.", show_default=False)
    ],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="The recording or picture after.", show_default=False)],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="A .gif, or an .mp4.", show_default=False)
    ],
    limb: Limb = "feet",
    view: View = "plantar",
    time_before_s: Annotated[
        float | None,
        typer.Option(
            "--time-before-s", help="First frame before: seconds after the cold immersion.", show_default=False
        ),
    ] = None,
    time_after_s: Annotated[
        float | None,
        typer.Option("--time-after-s", help="First frame after: seconds after the cold immersion.", show_default=False),
    ] = None,
    name_before: Annotated[str, typer.Option("--name-before", help="What stands over the first.")] = "before",
    name_after: Annotated[str, typer.Option("--name-after", help="What stands over the second.")] = "after",
    palette: Palette = "blue_red",
) -> None:
    """Show before and after as a moving picture that anybody understands, as a GIF or an MP4.

    Two recordings of rewarming run side by side, in the same colours and on one clock. Two single pictures turn into
    each other.

    Example:  **rewarm animate before.seq after.seq -o toes.mp4 --time-before-s 0 --time-after-s 0**
    """
    from rewarm.report import animate_files

    typer.echo(
        animate_files(
            before,
            after,
            output,
            limb=limb,
            view=view,
            time_before_s=time_before_s,
            time_after_s=time_after_s,
            name_before=name_before,
            name_after=name_after,
            palette=palette,
        )
    )


COMMANDS = (animate,)
