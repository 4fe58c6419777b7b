"""Simulated studies whose truth is known: written apart from the estimator, and the ready plans of rewarm's twin.

Other courses over time than the estimator's, other curves of room and weather, skewed day-to-day variation, a person's
own everything. The tables are what a clinic would hand in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from rewarm.twin.studies import read_plan, simulate_measurements

TOES: Final = ("toe1", "toe2", "toe3", "toe4", "toe5")


@dataclass(frozen=True)
class Scenario:
    """What is simulated; temperatures in °C, times in days, ``visits`` as days from the injection."""

    name: str
    kind: str
    control: str = "none"
    people: int = 3
    controls: int = 0
    visits: tuple[int, ...] = (0, 14, 42, 90, 150, 190)
    randomised: bool = False
    effect_c: float = 2.0
    effect_sd_c: float = 0.5
    lasts: float = 150.0
    lasts_sd: float = 0.15
    start_of_year: int = 20
    season_c: float = 1.5
    weather: str = "seasons"
    day_sd_c: float = 0.6
    limb_day_sd_c: float = 0.25
    enrolled_below_c: float | None = None
    placebo_c: float = 0.0
    camera_shift_c: float = 0.0
    reference: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Study:
    """Tables as a study folder holds them, and the truth: each treated person's effect on each day (function)."""

    settings: dict[str, Any]
    participants: pd.DataFrame
    visits: pd.DataFrame
    injections: pd.DataFrame
    measurements: pd.DataFrame
    scans: pd.DataFrame
    effects: Mapping[str, Callable[[np.ndarray], np.ndarray]]

    def true_effect(self, days: np.ndarray) -> np.ndarray:
        """Mean effect over the treated people on these days, °C."""
        return np.mean([effect(days) for effect in self.effects.values()], axis=0)

    def true_duration(self, threshold_c: float, last: float) -> float:
        """Days from onset to the end of the mean effect over the threshold, or to the last visit."""
        return days_over(self.true_effect, threshold_c, last)


def days_over(effect: Callable[[np.ndarray], np.ndarray], threshold_c: float, last: float) -> float:
    """Days from the first to the last day with at least so large an effect, up to the day ``last``."""
    above = np.flatnonzero(effect(np.arange(0.0, last + 1.0)) >= threshold_c)
    return float(above[-1] - above[0]) if len(above) else 0.0


def course(days: np.ndarray, size: float, onset: float, lasts: float, width: float) -> np.ndarray:
    """A logistic rise and a logistic fall: not the estimator's curve."""
    days = np.asarray(days, dtype=float)
    rise = 1.0 / (1.0 + np.exp(-(days - onset) / (onset / 4.0)))
    fall = 1.0 / (1.0 + np.exp((days - lasts) / width))
    return np.where(days > 0, size * rise * fall, 0.0)


def planned(path: Path, seed: int) -> Study:
    """A study of a ready plan, drawn by rewarm's twin, whose physiology knows nothing of the estimator."""
    simulated = simulate_measurements(read_plan(path), seed)
    tables, courses, people = simulated.tables, simulated.truth["course"], simulated.truth["people"]
    treated = set(people.loc[people["treatment"] == "toxin", "participant"])
    effects = {}
    for who, rows in courses[courses["participant"].isin(treated)].groupby("participant"):
        days, values = rows["days_since_injection"].to_numpy(), rows["effect_c"].to_numpy()
        effects[str(who)] = partial(np.interp, xp=days, fp=values)
    plan = simulated.plan.design
    randomised = plan.kind in ("split_limb", "parallel", "n_of_1")
    settings = {"id": path.stem, "design": {"kind": plan.kind, "control": plan.control, "randomised": randomised}}
    measured = tables["measurements"]
    visits = measured[["participant", "visit", "scan"]].drop_duplicates()
    scans = visits.merge(simulated.truth["scans"][["scan", "camera"]], on="scan").assign(view="plantar")
    return Study(settings, tables["participants"], tables["visits"], tables["injections"], measured, scans, effects)


def simulate(scenario: Scenario, seed: int) -> Study:
    """One study of a scenario."""
    rng = np.random.default_rng(seed)
    people = [f"P{i + 1:02d}" for i in range(scenario.people + scenario.controls)]
    visits, rows, injections, effects = [], [], [], {}
    for i, who in enumerate(people):
        treated = i < scenario.people
        sides = ("left", "right")
        if scenario.control == "untreated_limb":
            sides = (sides[int(rng.integers(2))],)
        start = date(2025, 1, 1) + timedelta(days=scenario.start_of_year + int(rng.integers(-10, 11)))
        values = (
            float(rng.normal(scenario.effect_c, scenario.effect_sd_c)) if scenario.effect_c else 0.0,
            float(np.exp(rng.normal(np.log(8.0), 0.3))),
            float(scenario.lasts * np.exp(rng.normal(0, scenario.lasts_sd))),
            float(rng.uniform(6, 14)),
        )
        if treated:
            effects[who] = partial(course, size=values[0], onset=values[1], lasts=values[2], width=values[3])
        for side in sides if treated else ("left", "right"):
            for site in TOES:
                dose = 2.0 if treated else 0.0
                injections.append((who, start, side, site, "productA", dose))
        made = _person(rng, scenario, who, start, sides if treated else (), values)
        visits += made[0]
        rows += made[1]
    return _tables(scenario, people, visits, rows, injections, effects)


def _person(
    rng: np.random.Generator,
    scenario: Scenario,
    who: str,
    start: date,
    sides: tuple[str, ...],
    values: tuple[float, float, float, float],
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    base = 25.5 + rng.normal(0, 1.5)
    limb = {side: rng.normal(0, 0.3) for side in ("left", "right")}
    toe = {(side, t): rng.normal(0, 0.5) for side in ("left", "right") for t in range(5)}
    room_slope, season = rng.normal(0.8, 0.15), scenario.season_c * rng.uniform(0.6, 1.4)
    share = {(side, t): np.clip(rng.normal(1, 0.12), 0.5, 1.5) for side in ("left", "right") for t in range(5)}
    share = {key: value / np.mean([share[key[0], t] for t in range(5)]) for key, value in share.items()}
    visits, rows = [], []
    for number, day in enumerate(scenario.visits):
        when = start + timedelta(days=day)
        phase = np.cos(2 * np.pi * (when.timetuple().tm_yday - 200) / 365.25)
        outdoor = 10.0 + 9.5 * phase + rng.normal(0, 3.0)
        if scenario.weather == "constant":
            outdoor = 5.0 + rng.normal(0, 1.0)
        warmth = season * np.tanh((outdoor - 8.0) / 9.0)
        room = 22.5 + rng.normal(0, 0.7)
        skew = rng.gamma(4.0, 0.5) - 2.0
        shared = scenario.day_sd_c * skew
        if scenario.enrolled_below_c is not None and number == 0:
            while shared > scenario.enrolled_below_c:
                shared = scenario.day_sd_c * (rng.gamma(4.0, 0.5) - 2.0)
        if day > 0:
            shared += scenario.placebo_c + scenario.camera_shift_c
        offset = rng.normal(0, 0.15 if scenario.reference else 0.6)
        visits.append((who, f"V{number}", when, room, outdoor))
        for side in ("left", "right"):
            wobble = rng.normal(0, scenario.limb_day_sd_c)
            for t in range(5):
                effect = share[side, t] * float(course(np.array(day), *values)) if side in sides else 0.0
                value = (
                    base + limb[side] + toe[side, t] + room_slope * (room - 22.5) + warmth + shared + wobble + offset
                    + effect + rng.normal(0, 0.3)
                )  # fmt: skip
                rows.append((who, f"V{number}", f"{who}_V{number}", side, TOES[t], value))
    return visits, rows


def _tables(
    scenario: Scenario,
    people: list[str],
    visits: list[tuple[Any, ...]],
    rows: list[tuple[Any, ...]],
    injections: list[tuple[Any, ...]],
    effects: Mapping[str, Callable[[np.ndarray], np.ndarray]],
) -> Study:
    settings = {
        "id": scenario.name,
        "design": {"kind": scenario.kind, "control": scenario.control, "randomised": scenario.randomised}
        | dict(scenario.settings),
    }
    arms = ["treated" if who in effects else "control" for who in people]
    participants = pd.DataFrame({"participant": people, "condition": "secondary_raynaud", "arm": arms})
    visit_table = pd.DataFrame(visits, columns=["participant", "visit", "date", "ambient_c", "outdoor_mean_c"])
    visit_table["date"] = pd.to_datetime(visit_table["date"]).astype("datetime64[s]")
    injected = pd.DataFrame(injections, columns=["participant", "date", "side", "site", "product", "units_u"])
    injected["date"] = pd.to_datetime(injected["date"]).astype("datetime64[s]")
    measured = pd.DataFrame(rows, columns=["participant", "visit", "scan", "side", "region", "value"])
    u_shared, u_own = (0.15 if scenario.reference else 0.6), 0.1
    measured = measured.assign(time_s=np.nan, metric="mean", unit="degC", u=float(np.hypot(u_shared, u_own)))
    scans = visit_table[["participant", "visit"]].copy()
    scans["scan"] = scans["participant"] + "_" + scans["visit"]
    scans["camera"], scans["view"] = "cam1", "plantar"
    scans["reference_c"] = 30.0 if scenario.reference else np.nan
    return Study(settings, participants, visit_table, injected, measured, scans, effects)


BASELINES: Final = (-42, -21, 0)
AFTER: Final = (14, 42, 90, 150, 190)
SCENARIOS: Final = tuple(
    replaced
    for base in (
        Scenario("before_after", "case_series"),
        Scenario("repeated_baseline", "case_series", visits=(*BASELINES, *AFTER)),
        Scenario("split_limb", "split_limb", "untreated_limb", people=6, randomised=True),
        Scenario("parallel", "parallel", "placebo", people=10, controls=10, randomised=True),
        Scenario("n_of_1", "n_of_1", people=1, visits=(-70, -56, -42, -28, -14, 0, *AFTER, 220), randomised=True),
    )
    for replaced in (base, replace(base, name=f"{base.name}_no_effect", effect_c=0.0, effect_sd_c=0.0))
)

_ALONE: Final = Scenario("", "case_series", visits=(-14, 0, 42, 90), effect_c=0.0, effect_sd_c=0.0, people=8)
_SPLIT: Final = replace(_ALONE, kind="split_limb", control="untreated_limb", randomised=True)
_WARMER: Final = {"start_of_year": 20, "season_c": 2.5}
_WORST: Final = {"enrolled_below_c": -0.5, "day_sd_c": 1.0, "weather": "constant", "visits": (0, 14, 42, 90)}
_CAMERA: Final = {"camera_shift_c": 1.2, "reference": False, "weather": "constant"}
_REAL: Final = {
    "effect_c": 3.0,
    "effect_sd_c": 0.3,
    "lasts": 150.0,
    "lasts_sd": 0.05,
    "visits": (-14, *(0, 14, 42), *(90, 140, 190)),
}
TRAPS: Final = (
    replace(_ALONE, name="weather only, no control", **_WARMER),
    replace(_SPLIT, name="weather only, one foot untreated", **_WARMER),
    replace(_ALONE, name="regression to the mean only, no control", **_WORST),
    replace(_ALONE, name="the same, and study.toml says so", settings={"enrolled_at_worst": True}, **_WORST),
    replace(_SPLIT, name="regression to the mean only, one foot untreated", **_WORST),
    replace(_ALONE, name="placebo only, no control", placebo_c=0.8, weather="constant"),
    replace(_SPLIT, name="placebo only, one foot untreated", placebo_c=0.8, weather="constant"),
    replace(_ALONE, name="camera reads 1.2 °C more after, no control", **_CAMERA),
    replace(_SPLIT, name="camera reads 1.2 °C more after, one foot untreated", **_CAMERA),
    replace(_SPLIT, name="toxin in one foot only, 2 °C", effect_c=2.0, effect_sd_c=0.5),
    replace(_ALONE, name="a real 3 °C for 150 days, no control", **_REAL),
    replace(_SPLIT, name="a real 3 °C for 150 days, one foot untreated", **_REAL),
)
"""What is true is in the name; nothing else acts."""
