"""The command that asks why the toes are warmer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rewarm.cli.options import Output, StudyFolder


def mechanism(
    study_folder: StudyFolder,
    output: Output,
    measurements: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="measurements.csv, or the folder of an earlier 'rewarm run'.", show_default=False
        ),
    ] = None,
) -> None:
    """Why are the toes warmer: blocked nerves, dilated vessels, lost sweating, surroundings, or nothing?

    A probability of each cause for each treated person, from rest in a warm and a cool room and from cold challenges,
    before and after; and the recording that would tell more. It compares with simulated patients: no patient's
    mechanism is known. Writes mechanism.csv.

    Example:  **rewarm mechanism my-study -o why --measurements results**
    """
    from rewarm.study.mechanism import study_mechanisms, write_study_mechanisms
    from rewarm.study.staging import staged_output

    protect = [study_folder, *([measurements] if measurements else [])]
    result = study_mechanisms(study_folder, measurements=measurements)
    with staged_output(output, protect=protect) as stage:
        write_study_mechanisms(result, stage)
    for person in result.people:
        typer.echo(f"{person.participant}: {person.estimate.sentence}")
        shares = person.estimate.probability.items()
        typer.echo("  " + ", ".join(f"{cause.replace('_', ' ')} {share:.0%}" for cause, share in shares))
    for sentence in result.left_out:
        typer.echo(sentence)
    typer.echo(f"Table: {output / 'mechanism.csv'}")


COMMANDS = (mechanism,)
