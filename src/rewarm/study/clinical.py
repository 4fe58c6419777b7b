"""A checked study folder → :class:`rewarm.clinical.StudyTables`, the tables that effects are computed from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from rewarm.clinical import StudyTables
from rewarm.study.folder import StudyCheck


def load_tables(folder: str | Path, *, measurements: str | Path | None = None) -> StudyTables:
    """The tables of a study folder without errors.

    ``measurements`` is a measurements table made by ``rewarm run`` or elsewhere (.csv, .xlsx or .parquet) that takes the
    place of the folder's own. Raises :class:`rewarm.errors.InvalidStudyError` with every problem together, of the folder
    and of that table.
    """
    raise NotImplementedError


def study_tables(check: StudyCheck) -> StudyTables:
    """The typed tables of a study that was checked and has no errors."""
    raise NotImplementedError


def diary_days(diary: pd.DataFrame) -> pd.DataFrame:
    """One row a participant, side and day (the person's own calendar), of entries that may be several a day.

    ``diary`` is that of :class:`StudyTables`. Counts and minutes are added, scores and pain are averaged or the worst
    taken, as the data dictionary says of each column; words are joined. Sorted by participant, side and day; ``entries``
    says how many entries a row rests on.
    """
    raise NotImplementedError
