"""Why are the toes warmer? Each treated person's probabilities of the causes, from a study folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rewarm.effects.design import DesignFacts, grade_design
from rewarm.effects.mechanism_features import PersonMechanism, mechanism_effects, person_mechanisms
from rewarm.effects.rows import effects_table
from rewarm.errors import InvalidInputError
from rewarm.study.clinical import load_tables
from rewarm.study.effects import measurements_in, study_facts
from rewarm.study.outputs import write_table


@dataclass(frozen=True, eq=False)
class StudyMechanisms:
    """``people`` with their probabilities; ``left_out`` a sentence for each person of whom nothing can be said."""

    people: tuple[PersonMechanism, ...]
    left_out: tuple[str, ...]
    facts: DesignFacts

    @property
    def table(self) -> pd.DataFrame:
        """Rows of effects.csv, estimand ``mechanism``: a person and cause each."""
        return effects_table(mechanism_effects(self.people, design=grade_design(self.facts).grade))


def study_mechanisms(folder: str | Path, *, measurements: str | Path | None = None) -> StudyMechanisms:
    """The causes of warmer toes in a study folder; ``measurements`` as :func:`rewarm.study.effects.study_effects`.

    Raises :class:`rewarm.errors.InvalidStudyError` for a study with problems, and
    :class:`rewarm.errors.InvalidInputError` where nobody's toes were injected or nothing was measured.
    """
    tables = load_tables(folder, measurements=measurements_in(measurements))
    if tables.injections.empty:
        raise InvalidInputError(
            f"{folder}: expected injections.csv, which says whose toes were treated; found none. Add it (rewarm new "
            "writes an empty one)"
        )
    if tables.measurements.empty:
        raise InvalidInputError(
            f"{folder}: expected measurements; found none. Give the folder of an earlier 'rewarm run' with "
            "--measurements"
        )
    people, left_out = person_mechanisms(tables)
    return StudyMechanisms(people, left_out, study_facts(tables))


def write_study_mechanisms(result: StudyMechanisms, folder: Path) -> None:
    """Write mechanism.csv into an existing folder."""
    write_table(result.table, folder / "mechanism.csv")
