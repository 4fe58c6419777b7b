"""Classical tests beside the Bayesian model: mixed models with small-sample degrees of freedom, randomisation, Holm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan

import numpy as np
import pandas as pd

from rewarm.effects.mixed import Method, MixedFit, RandomTerm, contrast, fit_mixed, random_intercept
from rewarm.effects.permutation import RandomisationTest, parallel_test, split_limb_test, start_test
from rewarm.errors import InvalidInputError

WINDOW: tuple[float, float] = (14.0, 100.0)
"""Days after the injection in which its effect is at its plateau; visits outside are left out where there are some."""


@dataclass(frozen=True)
class ClassicalTest:
    """One test of one outcome. ``p`` is two-sided; ``p_holm`` is adjusted among the secondary outcomes."""

    outcome: str
    region: str
    test: str
    estimand: str
    estimate: float
    lower: float
    upper: float
    df: float
    p: float
    p_holm: float
    role: str
    note: str = ""


def classical_tests(
    frame: pd.DataFrame, outcome: str, region: str, *, kind: str, randomised: bool | None, role: str, level: float
) -> tuple[ClassicalTest, ...]:
    """Every test that the design can carry, the one that counts first; none where values are censored."""
    if not frame["reached"].all():
        return ()
    plateau = _plateau(frame)
    controlled = bool((~frame["treated"]).any())
    estimand = "effect_vs_control" if controlled else "change_from_baseline"
    found: list[ClassicalTest] = []
    if randomised:
        try:
            test = _randomisation(plateau, frame, kind)
        except InvalidInputError:
            test = None
        if test is not None:
            note = f"{test.allocations} allocations; no p below {test.smallest_p:.3g} is possible"
            found.append(
                ClassicalTest(
                    outcome, region, f"randomisation: {test.name}", estimand, test.estimate, nan, nan, nan, test.p,
                    nan, role, note,
                )
            )  # fmt: skip
    found += _mixed(plateau, outcome, region, estimand, controlled=controlled, role=role, level=level)
    return tuple(found)


def with_holm(tests: Sequence[ClassicalTest]) -> tuple[ClassicalTest, ...]:
    """Holm's adjusted p (Holm 1979) for the first test of each secondary outcome; the primary's stays as it is."""
    first: dict[tuple[str, str], int] = {}
    for i, test in enumerate(tests):
        if isfinite(test.p):
            first.setdefault((test.outcome, test.region), i)
    secondary = sorted((i for i in first.values() if tests[i].role == "secondary"), key=lambda i: tests[i].p)
    adjusted = {i: tests[i].p for i in first.values() if tests[i].role == "primary"}
    running = 0.0
    for rank, i in enumerate(secondary):
        running = max(running, min(1.0, (len(secondary) - rank) * tests[i].p))
        adjusted[i] = running
    return tuple(replace(test, p_holm=adjusted.get(i, nan)) for i, test in enumerate(tests))


def _plateau(frame: pd.DataFrame) -> pd.DataFrame:
    inside = frame["day"].between(*WINDOW)
    return frame[frame["baseline"] | inside] if inside.any() else frame


def _randomisation(plateau: pd.DataFrame, frame: pd.DataFrame, kind: str) -> RandomisationTest | None:
    if kind == "split_limb":
        return split_limb_test(plateau)
    if kind == "parallel":
        return parallel_test(plateau)
    return start_test(frame) if kind == "n_of_1" else None


def _mixed(
    frame: pd.DataFrame, outcome: str, region: str, estimand: str, *, controlled: bool, role: str, level: float
) -> list[ClassicalTest]:
    keys = ["participant", "visit", "side", "treated"]
    first = dict.fromkeys(("ambient_c", "baseline"), "first")
    cells = frame.groupby(keys, as_index=False).agg({"value": "mean", **first})
    after = (~cells["baseline"].to_numpy(dtype=bool)).astype(np.float64)
    treated = cells["treated"].to_numpy(dtype=np.float64)
    room = cells["ambient_c"].to_numpy(dtype=np.float64)
    columns = {"level": np.ones(len(cells)), "after": after}
    if controlled:
        columns |= {"treated": treated, "effect": after * treated}
    elif np.isfinite(room).all() and np.ptp(room) > 0.3:
        columns["room"] = room - room.mean()
    tested = "effect" if controlled else "after"
    fit = _fit(cells, columns, tested)
    if fit is None:
        return []
    weights = np.array([float(name == tested) for name in columns])
    results = []
    methods: tuple[Method, ...] = ("kenward_roger", "satterthwaite")
    for method in methods:
        found = contrast(fit, weights, method=method, level=level)
        note = "a variance is estimated as zero" if fit.singular else ""
        name = f"mixed model, {'Kenward–Roger' if method == 'kenward_roger' else 'Satterthwaite'}"
        results.append(
            ClassicalTest(
                outcome, region, name, estimand, found.estimate, found.lower, found.upper, found.df, found.p, nan,
                role, note,
            )
        )  # fmt: skip
    return results


def _fit(cells: pd.DataFrame, columns: dict[str, np.ndarray], tested: str) -> MixedFit | None:
    """People, limbs and visits at random, and the effect itself different between people; fewer where too few rows."""
    people = cells["participant"].to_numpy()
    limb = people + cells["side"].to_numpy()
    visit = people + "|" + cells["visit"].to_numpy()
    terms = [
        random_intercept("person", people),
        RandomTerm("effect", people, columns[tested][:, None]),
        random_intercept("visit", visit),
        random_intercept("limb", limb),
    ]
    if cells["participant"].nunique() < 2:
        terms = terms[2:]
    x = np.column_stack(list(columns.values()))
    while terms:
        try:
            return fit_mixed(cells["value"].to_numpy(dtype=np.float64), x, list(columns), terms)
        except (InvalidInputError, np.linalg.LinAlgError):
            terms = terms[:-1]
    return None
