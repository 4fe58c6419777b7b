"""People in heels whose truth is known: lived day by day, not drawn from the model that is tested.

Pain of a day = rest + slope × carried load + what the toxin does + a slow flare + the day's own noise, rounded and kept in 0 to
100. Relief felt over the last days tempts into longer hours, so that load after treatment depends on pain before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

INJECTED = pd.Timestamp("2025-03-01")


@dataclass(frozen=True)
class Person:
    rest: float = 12.0
    slope: float = 0.9  # points per h·cm of carried load
    carry_over: float = 0.4
    toxin: float = -12.0
    temptation: float = 0.0  # hours gained per point of relief felt
    hours: float = 5.0
    heel_days: float = 5.0
    height_mm: float = 70.0
    noise: float = 7.0
    flare: float = 4.0
    days_before: int = 35
    days_after: int = 84
    missing: float = 0.08
    hours_sd: float = 1.5
    flats_days: float = 0.0


@dataclass(frozen=True)
class Lived:
    diary: pd.DataFrame
    load_before: float
    load_after: float
    pain_before: float  # expected, without the day's noise and flare
    pain_after: float


def live(person: Person, seed: int, who: str = "H1") -> Lived:
    """One person's diary; the window after is from day 14 on."""
    rng = np.random.default_rng(seed)
    days = np.arange(-person.days_before, person.days_after + 1)
    level = usual = person.hours * person.height_mm / 10 * person.heel_days / 7
    expected_usual = person.rest + person.slope * usual
    felt, flare = expected_usual, rng.normal(0, person.flare)
    rows, loads, pains = [], [], []
    for day in days:
        gained = np.clip(person.temptation * max(expected_usual - felt, 0.0), 0, 6)
        worn = rng.random() < person.heel_days / 7
        flat = rng.random() < person.flats_days / 7 and day >= 0
        hours = float(np.clip(rng.normal(person.hours + gained, person.hours_sd), 0.3, 15)) if worn and not flat else 0.0
        load = hours * person.height_mm / 10
        level = person.carry_over * level + (1 - person.carry_over) * load
        flare = np.exp(-1 / 10) * flare + np.sqrt(1 - np.exp(-2 / 10)) * rng.normal(0, person.flare)
        course = 0.0 if day < 0 else 1 - np.exp(-day / 5)
        expected = person.rest + person.slope * level + person.toxin * course
        pain = float(np.clip(np.rint(expected + flare + rng.normal(0, person.noise)), 0, 100))
        felt = 0.8 * felt + 0.2 * pain
        loads.append(load)
        pains.append(expected)
        if rng.random() > person.missing:
            rows.append((who, INJECTED + pd.Timedelta(days=int(day)), pain, round(hours, 1), person.height_mm))
    columns = ["participant", "date", "pain_vas", "heel_hours", "heel_height_mm"]
    before, after = days < 0, days >= 14
    loads_, pains_ = np.array(loads), np.array(pains)
    return Lived(
        pd.DataFrame(rows, columns=columns),
        loads_[before].mean(),
        loads_[after].mean(),
        pains_[before].mean(),
        pains_[after].mean(),
    )


def injections(*people: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "participant": list(people),
            "date": INJECTED,
            "side": "left",
            "site": "ball_central",
            "product": "toxin A",
            "units_u": 20.0,
        }
    )


def visits(*people: str) -> pd.DataFrame:
    rows = [(who, f"v{k}", INJECTED + pd.Timedelta(days=d), 22.0) for who in people for k, d in enumerate((-35, -1, 42))]
    return pd.DataFrame(rows, columns=["participant", "visit", "date", "ambient_c"])


def participants(*people: str) -> pd.DataFrame:
    return pd.DataFrame({"participant": list(people), "condition": "forefoot_pain"})
