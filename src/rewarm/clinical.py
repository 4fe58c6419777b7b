"""A study's tables as the rooms that compute take them: typed, complete in their columns, free of file formats.

:func:`rewarm.study.load_tables` makes them of a study folder; a simulation or a program may make them itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Design:
    """``[design]`` of study.toml. None: not stated, which is never read as no.

    ``kind`` is ``case_series``, ``split_limb``, ``parallel`` or ``n_of_1``; ``control`` is ``none``,
    ``untreated_limb``, ``untreated_region`` or ``placebo``. ``randomised``: chance decided who, which limb or which
    period was treated. ``masked_reading``: who read the pictures did not know which was which; ``masked_rating``: who
    filled in the diary did not know the treatment. ``enrolled_at_worst``: people came, or were let in, because they
    were worse than usual, so that they get better by themselves.
    """

    kind: str
    control: str = "none"
    randomised: bool | None = None
    masked_reading: bool | None = None
    masked_rating: bool | None = None
    enrolled_at_worst: bool | None = None


@dataclass(frozen=True)
class Outcomes:
    """``[outcomes]`` of study.toml: each a metric of the measurements or a column of the diary.

    ``primary`` is "" where none was declared. ``important`` maps an outcome to the smallest difference that matters,
    in the outcome's unit, always positive.
    """

    primary: str = ""
    secondary: tuple[str, ...] = ()
    important: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, eq=False)
class StudyTables:
    """A study without errors. Every table has all its columns, also where the folder has none of it (no rows then).

    The columns are those of docs/data-dictionary.md, in that order, then unknown ones as text. The index, named
    ``row``, is the row in the file as a spreadsheet shows it. Types:

    * numbers and integers: float64, NaN where not recorded, in the unit of the data dictionary;
    * yes/no: pandas' nullable boolean, NA where not recorded;
    * dates: datetime64[s], NaT where not recorded, as the person's own clock showed it; midnight where the file holds a
      date alone;
    * everything else: str, "" where not recorded; several words are joined by ``;``.

    Added by reading:

    * ``day`` of visits, injections, diary, events (and of measurements, that of their visit): datetime64[s], the
      calendar day of ``date`` where the person was;
    * ``utc`` of visits and diary: datetime64[s], the moment; NaT where the file holds a date alone;
    * ``limb`` of injections and measurements: ``foot``, ``hand``, or "" where the word belongs to neither.

    A diary may hold several entries a day; :func:`rewarm.study.diary_days` makes one row a day of them.
    """

    study_id: str
    title: str
    timezone: str
    design: Design
    outcomes: Outcomes
    participants: pd.DataFrame
    visits: pd.DataFrame
    scans: pd.DataFrame
    injections: pd.DataFrame
    diary: pd.DataFrame
    events: pd.DataFrame
    measurements: pd.DataFrame
    warnings: tuple[str, ...] = ()
