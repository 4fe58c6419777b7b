"""Draw a whole study in memory from its plan: people, visits, weather, effects, diaries, and their truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from rewarm.twin.studies.plan import StudyPlan


@dataclass(frozen=True, eq=False)
class SimulatedStudy:
    """``tables`` maps the study folder's tables (``participants``, ``visits``, ``injections``, ``diary``, ``events``,
    ``measurements``; those that the plan asks for) to frames in the columns of the contract: dates as datetime64,
    empty cells as NaN or "". ``truth`` maps the files of ``truth/`` to frames; its README names their columns.
    """

    plan: StudyPlan
    seed: int
    tables: Mapping[str, pd.DataFrame]
    truth: Mapping[str, pd.DataFrame]


def simulate_measurements(plan: StudyPlan, seed: int | None = None) -> SimulatedStudy:
    """Draw the study without pictures: ``measurements`` comes straight from the truth and the measurement model.

    ``seed`` in place of the plan's. Rows at rest, for each scan and side: ``mean`` (degC) of toe1..toe5, ball, arch and
    heel, and ``distal_proximal_difference`` (delta_degC, toe − arch) of each toe; with ``u`` as rewarm states it, the
    part common to a picture included in the first and not in the second.
    """
    raise NotImplementedError
