"""A study's tables → features of each treated person, their probabilities of mechanisms, rows of effects.csv."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import hypot, nan, sqrt
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from rewarm.clinical import StudyTables
from rewarm.effects.dose import first_injections, treated_regions
from rewarm.effects.mechanism import (
    MECHANISMS,
    Feature,
    MechanismEstimate,
    mechanism_probabilities,
)
from rewarm.effects.rows import Effect
from rewarm.regions import SIDES, TOES

ROOMS_C: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"usual": (21.5, 25.5), "challenge": (20.5, 25.5), "warm": (25.5, 29.5), "cool": (18.0, 21.5)}
)
"""Rooms that count as each; the simulated patients' were about 23.2, 27.5 and 20 °C. Others are not like theirs."""
AFTER_DAYS: Final = (14, 100)
"""Visits so long after the first injection count as after: when nerves are blocked, if they ever are."""
ROOM_U_C: Final = 0.3
OUTDOOR_U_C: Final = 1.0
OWN_U_C: Final = 0.1
"""What a mean over toes is off for itself, where differences inside a picture state nothing better."""

_CHALLENGE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "t0": "t0",
        "gradient_2min": "gradient_2min",
        "max_gradient": "max_gradient",
        "recovery_10min": "recovery",
    }
)
_METRICS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "challenge": MappingProxyType({"tpre": "usual", **_CHALLENGE}),
        "usual": MappingProxyType({"mean": "usual"}),
        "warm": MappingProxyType({"mean": "warm"}),
        "cool": MappingProxyType({"mean": "cool"}),
    }
)
"""Metrics of the tables that each recording gives, and the first word of their features. A challenge comes first: what
it says of rest in a usual room is not taken from other pictures too."""
_SHARED: Final = frozenset({"mean", "tpre", "t0"})
"""Absolute temperatures: a part of their u is common to the picture and cancels beside a control."""


@dataclass(frozen=True)
class PersonMechanism:
    """One person's features and what follows from them. ``visits`` are those that were used; ``notes`` what was not."""

    participant: str
    features: Mapping[str, Feature]
    estimate: MechanismEstimate
    visits: tuple[str, ...]
    notes: tuple[str, ...]


def person_mechanisms(
    tables: StudyTables, *, prior: Mapping[str, float] | None = None
) -> tuple[tuple[PersonMechanism, ...], tuple[str, ...]]:
    """Every person whose toes were injected and who was seen before and 14 to 100 days after in rooms alike.

    Returns the people, and a sentence for each who was left out. Rest in a room colder than 18 or warmer than 29.5 °C
    is not used: the simulated patients were not seen in it.
    """
    found, left_out = [], []
    treated = treated_regions(tables.injections)
    for person in sorted({who for who, _, region in treated if region in TOES}):
        features, visits, notes = person_features(tables, person)
        if not any(name != "outdoor_change" for name in features):
            left_out.append(
                f"{person}: no recording before and after in rooms alike (at rest in 18–21.5, 21.5–25.5 or "
                "25.5–29.5 °C, or a cold challenge in 20.5–25.5 °C): no mechanism can be told"
            )
            continue
        estimate = mechanism_probabilities(features, prior=prior)
        found.append(PersonMechanism(person, MappingProxyType(features), estimate, visits, notes))
    return tuple(found), tuple(left_out)


def mechanism_effects(people: tuple[PersonMechanism, ...], *, design: str) -> tuple[Effect, ...]:
    """A row a person and cause: estimand ``mechanism``, outcome the cause, estimate its probability.

    ``design`` is the grade of the study's design. No interval: a probability is its own doubt. ``probability`` (of the
    direction that helps) is empty: a cause helps nobody by itself.
    """
    return tuple(
        Effect(
            who=item.participant, outcome=cause, estimand="mechanism", estimate=item.estimate.probability[cause],
            lower=nan, upper=nan, unit="1", probability=nan, n=len(item.visits), design=design, threats={},
            region="toes",
        )
        for item in people
        for cause in MECHANISMS
    )  # fmt: skip


def person_features(tables: StudyTables, person: str) -> tuple[dict[str, Feature], tuple[str, ...], tuple[str, ...]]:
    """Features of one person, the visits they rest on, and what was left out and why."""
    treated = treated_regions(tables.injections)
    toes = {side: {region for who, where, region in treated if (who, where) == (person, side)} for side in SIDES}
    sides = [side for side in SIDES if toes[side] & set(TOES)]
    control = next((side for side in SIDES if side not in sides), "")
    visits = tables.visits[tables.visits["participant"] == person].copy()
    start = first_injections(tables.injections)[person].normalize()
    visits["since"] = (visits["date"].dt.normalize() - start).dt.days
    rows = tables.measurements[tables.measurements["participant"] == person]
    role = {(control, toe): "control" for toe in TOES}
    role |= {(side, toe): "treated" for side in sides for toe in toes[side]}
    rows = rows.assign(role=[role.get(key, "") for key in zip(rows["side"], rows["region"], strict=True)])
    rows = rows[rows["role"] != ""]
    features: dict[str, Feature] = {}
    used: list[str] = []
    notes: list[str] = []
    in_challenge: set[str] = set()
    for recording, metrics in _METRICS.items():
        low, high = ROOMS_C[recording]
        of_kind = rows[rows["metric"].isin(metrics) & rows["time_s"].isna()]
        near = visits[visits["ambient_c"].between(low, high) & visits["visit"].isin(of_kind["visit"])]
        if recording != "challenge":  # a picture from before the water is not evidence twice
            near = near[~near["visit"].isin(in_challenge)]
        before, after = near[near["since"] <= 0], near[near["since"].between(*AFTER_DAYS)]
        if before.empty or after.empty:
            if not near.empty:
                notes.append(f"{recording}: seen {'after' if before.empty else 'before'} only")
            continue
        used += [*before["visit"], *after["visit"]]
        features = _features(recording, metrics, rows, before, after) | features
        if recording == "challenge" and "usual_change" in features:
            in_challenge = set(used)
    both = visits[visits["visit"].isin(used)]
    first, later = (both[both["since"] <= 0], both[both["since"] > 0])
    if used and first["outdoor_mean_c"].notna().any() and later["outdoor_mean_c"].notna().any():
        change = later["outdoor_mean_c"].mean() - first["outdoor_mean_c"].mean()
        features["outdoor_change"] = Feature(float(change), OUTDOOR_U_C)
    return features, tuple(dict.fromkeys(used)), tuple(notes)


def _features(
    recording: str, metrics: Mapping[str, str], rows: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame
) -> dict[str, Feature]:
    """All features of one recording; ``metrics`` maps those of the tables to the features' first words."""
    found: dict[str, Feature] = {}
    for metric, name in metrics.items():
        levels = {
            role: [_level(rows, metric, role, some) for some in (before, after)] for role in ("treated", "control")
        }
        one, two = levels["treated"]
        if one is None or two is None:
            continue
        found[f"{name}_change"] = Feature(two[0] - one[0], hypot(one[1], two[1]))
        beside = levels["control"]
        if beside[0] is not None and beside[1] is not None:
            change = (two[0] - one[0]) - (beside[1][0] - beside[0][0])
            us = [item[1] if metric not in _SHARED else min(item[1], OWN_U_C) for item in (one, two, *beside) if item]
            found[f"{name}_beside_control"] = Feature(change, sqrt(sum(u**2 for u in us)))
        if metric in ("mean", "tpre"):
            room = float(before["ambient_c"].mean())
            found[f"{name}_before"] = Feature(one[0] - room, hypot(one[1], ROOM_U_C))
            dorsal = [
                _level(rows, "distal_dorsal_difference", "treated", some, at_rest=metric == "tpre")
                for some in (before, after)
            ]
            if dorsal[0] is not None and dorsal[1] is not None:
                found[f"{name}_dorsal_change"] = Feature(dorsal[1][0] - dorsal[0][0], hypot(dorsal[0][1], dorsal[1][1]))
    if found:
        kind = "usual" if recording == "challenge" else recording
        room_c = [float(some["ambient_c"].mean()) for some in (before, after)]
        found[f"{kind}_room_change"] = Feature(room_c[1] - room_c[0], ROOM_U_C * sqrt(2.0))
        if kind == "usual":
            found["usual_room"] = Feature(room_c[0], ROOM_U_C)
    return found


def _level(
    rows: pd.DataFrame, metric: str, role: str, visits: pd.DataFrame, *, at_rest: bool = False
) -> tuple[float, float] | None:
    """Mean over toes and visits, and its uncertainty as if all toes were off together.

    With ``at_rest`` rows from before the cold water count, whose time is negative, in place of those without a time.
    """
    when = rows["time_s"] < 0 if at_rest else rows["time_s"].isna()
    some = rows[
        (rows["metric"] == metric)
        & (rows["role"] == role)
        & when
        & rows["visit"].isin(visits["visit"])
        & rows["value"].notna()
    ]
    if some.empty:
        return None
    u = some["u"].mean()
    return float(some["value"].mean()), float(u) if np.isfinite(u) else OWN_U_C
