"""Means over the digits of one limb that were treated alike: all that the mean effect rests on, in fewer rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.effects.model import Floats, Ints, ModelData
from rewarm.regions import FINGERS, TOES

_ROUNDS: Final = 30


@dataclass(frozen=True, eq=False)
class Cells:
    """One cell per person, visit, side and treatment (c of them, sorted by person).

    ``y`` is the mean over the cell's digits, each freed of its own constant so that a toe missing once moves nothing.
    ``noise_sd`` is the standard error of that mean from how the digits scatter, ``digit_sd`` what the mean of the
    digits' constants is uncertain by, shared by the cells of one ``group`` (person, side and treatment).
    """

    y: Floats
    noise_sd: Floats
    digit_sd: Floats
    person: Ints
    limb: Ints
    group: Ints
    visit: Ints
    visit_limb: Ints
    day: Floats
    treated: Floats
    after: Floats
    columns: Floats
    slopes: Floats


def is_common(data: ModelData) -> NDArray[np.bool_]:
    """Which fixed columns belong to the mean over digits: all but those of single digits."""
    return np.array([name not in (*TOES, *FINGERS) for name in data.names])


def mean_cells(data: ModelData) -> Cells:
    """Average the rows of a model's data over digits of one limb and treatment."""
    group = _codes(np.column_stack([data.limb, data.treated.astype(np.int64)]))
    cell = _codes(np.column_stack([data.visit, group]))
    level, digit, residual = _two_way(data.y, cell, data.digit)
    counts = np.bincount(cell).astype(np.float64)
    digits_in = np.array([len(np.unique(data.digit[group == g])) for g in range(group.max() + 1)], dtype=np.float64)
    freedom = len(data.y) - len(digit) - len(counts) + len(digits_in)
    noise = float(np.sum(residual**2)) / freedom if freedom > 0 else float(np.mean(data.u_own**2))
    noise = max(noise, float(np.mean(data.u_own**2)))
    spread = float(np.sum(digit**2)) / max(len(digit) - len(digits_in), 1)
    first = np.unique(cell, return_index=True)[1]
    order = np.argsort(data.person[first], kind="stable")
    rows = first[order]
    return Cells(
        y=level[order],
        noise_sd=np.sqrt(noise / counts)[order],
        digit_sd=np.sqrt(spread / digits_in[group[rows]]),
        person=data.person[rows],
        limb=data.limb[rows],
        group=group[rows],
        visit=data.visit[rows],
        visit_limb=data.visit_limb[rows],
        day=data.day[rows],
        treated=data.treated[rows],
        after=data.after[rows],
        columns=data.columns[rows][:, is_common(data)],
        slopes=data.slopes[rows],
    )


def _two_way(y: Floats, cell: Ints, digit: Ints) -> tuple[Floats, Floats, Floats]:
    """Cells' means, digits' constants (mean 0 within the cells seen) and what is left, by alternating means."""
    of_cell, of_digit = np.bincount(cell), np.bincount(digit)
    constants = np.zeros(len(of_digit))
    level = np.bincount(cell, y) / of_cell
    for _ in range(_ROUNDS):
        constants = np.bincount(digit, y - level[cell]) / of_digit
        level = np.bincount(cell, y - constants[digit]) / of_cell
    return level, constants, y - level[cell] - constants[digit]


def _codes(keys: NDArray[np.int64]) -> Ints:
    return np.asarray(np.unique(keys, axis=0, return_inverse=True)[1], dtype=np.int64).reshape(-1)
