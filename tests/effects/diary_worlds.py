"""Diaries whose truth is known, drawn without any of the package's code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

INJECTED = pd.Timestamp("2025-02-01")


@dataclass(frozen=True)
class World:
    people: int = 6
    days_before: int = 28
    days_after: int = 84
    rcs: float = 6.0
    rcs_effect: float = 0.0
    attacks: float = 3.0
    attacks_factor: float = 1.0
    dispersion: float = 2.0
    flare_sd: float = 0.6
    flare_days: float = 6.0
    noise_sd: float = 1.0
    warming: float = 0.0  # °C from the first day to the last
    rcs_per_c: float = 0.0
    enrolled_bad: bool = False
    missing: float = 0.1


def diary(world: World, seed: int, *, first: int = 1, effect: bool = True) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(diary, visits) of people P1, P2, ...; the effect is there from day 10 on."""
    rng = np.random.default_rng(seed)
    day = np.arange(-world.days_before, world.days_after + 1)
    outdoor = 2.0 + world.warming * (day - day[0]) / (day[-1] - day[0])
    rows, visits = [], []
    for person in range(world.people):
        who = f"P{first + person}"
        while True:
            flare = np.empty(day.size)
            flare[0] = rng.normal()
            keep = np.exp(-1 / world.flare_days)
            for k in range(1, day.size):
                flare[k] = keep * flare[k - 1] + np.sqrt(1 - keep**2) * rng.normal()
            if not world.enrolled_bad or flare[0] > 1.0:
                break
        on = (day >= 10) * float(effect)
        level = world.rcs + rng.normal(0, 0.5) + world.flare_sd * flare + world.rcs_per_c * (outdoor - outdoor[0])
        rcs = np.clip(np.rint(level + world.rcs_effect * on + rng.normal(0, world.noise_sd, day.size)), 0, 10)
        rate = world.attacks * np.exp(0.2 * rng.normal() + 0.2 * flare) * world.attacks_factor**on
        attacks = rng.poisson(rate * rng.gamma(world.dispersion, 1 / world.dispersion, day.size))
        for k in np.flatnonzero(rng.random(day.size) >= world.missing):
            rows.append((who, INJECTED + pd.Timedelta(days=int(day[k])), rcs[k], float(attacks[k])))
        for number, at in enumerate(range(0, day.size, 28)):
            visits.append((who, f"v{number}", INJECTED + pd.Timedelta(days=int(day[at])), 22.0, outdoor[at]))
    return (
        pd.DataFrame(rows, columns=["participant", "date", "rcs", "attacks_n"]),
        pd.DataFrame(visits, columns=["participant", "visit", "date", "ambient_c", "outdoor_mean_c"]),
    )


def injections(people: int, *, first: int = 1, units: float = 10.0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "participant": [f"P{first + k}" for k in range(people)],
            "date": INJECTED,
            "side": "left",
            "site": "toe1",
            "product": "toxin A",
            "units_u": units,
        }
    )


def participants(people: int) -> pd.DataFrame:
    return pd.DataFrame({"participant": [f"P{1 + k}" for k in range(people)], "condition": "primary_raynaud"})
