"""The command that simulates a study from a plan."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from rewarm.cli.running import interruptions, progress

MOST_PROCESSES = 16


def simulate(
    plan: Annotated[
        Path, typer.Argument(metavar="PLAN", help="A plan in TOML; examples/plans/ holds some.", show_default=False)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="STUDY", help="The study folder to make.", show_default=False)
    ],
    seed: Annotated[int | None, typer.Option(help="Instead of the plan's: other people.", show_default=False)] = None,
) -> None:
    """Simulate a study of any size from a plan: a study folder as a clinic would hand it in, its truth beside it.

    Pictures, rewarming recordings, diaries, injections and events, in a life with seasons, rooms, missed visits,
    placebo and regression to the mean, as the plan says. STUDY/truth says what is true; no analysis reads it. The same
    plan and seed give the same bytes. A study that was simulated before is replaced as a whole when the new one is
    complete; any other folder is left alone. A simulation that was interrupted keeps its finished scans beside STUDY,
    and the same command goes on from them.

    Example:  **rewarm simulate examples/plans/is_it_the_season.toml -o season**
    """
    from rewarm.processes import process_pool
    from rewarm.twin.staging import unfinished
    from rewarm.twin.studies import read_plan, scans_kept, simulate_study

    chosen = read_plan(plan)  # a wrong plan is refused before processes start
    kept = scans_kept(chosen, output, seed=seed)
    several = chosen.pictures.kind != "none" and chosen.people * len(chosen.visits.weeks) > 8
    cores = min(MOST_PROCESSES, os.cpu_count() or 1) if several else 0
    with (
        interruptions(lambda: unfinished(output)),
        process_pool(cores if cores > 1 else 0, preload="rewarm.twin.studies.recordings") as pool,
        progress() as tell,
    ):
        simulate_study(chosen, output, seed=seed, pool=pool, on_progress=tell)
    if kept:
        typer.echo(f"Went on from {kept} scans that an interrupted simulation had finished")
    typer.echo(f"{output}: {chosen.people} participants, {len(chosen.visits.weeks)} visits planned")
    if chosen.question:
        typer.echo(f"It asks:   {chosen.question}")
    typer.echo(f"Check it:  rewarm check {output}")
    typer.echo(f"The truth: {output / 'truth' / 'README.md'}")


COMMANDS = (simulate,)
