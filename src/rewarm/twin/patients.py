"""Women with Raynaud's phenomenon in systemic sclerosis, over the months before and after botulinum toxin in the toes.

The picture follows a published case series (doi 10.1136/bcr-2017-219348): 10 U into each foot, at the base of each
toe, better at six weeks, some benefit up to five months. Its size in °C, and how it differs between people, is chosen
here, not published: 2 to 4 °C in two of three, little in one, so that an analysis has both to find.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

from rewarm.regions import SIDES, TOES
from rewarm.twin.phantom import Floats, SoleShape, random_sole
from rewarm.twin.skin import SoleTemperatures, cold_temperatures, five, random_texture

NOMINAL_ROOM_C: Final = 22.5
NOMINAL_OUTDOOR_C: Final = 3.0
_ONSET_DAYS: Final = 6.7
"""Mean onset in movement disorders (n = 186, PMID 35113259); toes have none published."""
_FADE_DAYS: Final = 165.0
_FADE_STEEPNESS: Final = 5.0
_TREATMENTS: Final = ("nifedipine;iloprost", "nifedipine;sildenafil;bosentan", "amlodipine;iloprost")


@dataclass(frozen=True, eq=False)
class Patient:
    """One simulated woman. ``temperatures`` and ``textures`` map left and right to her untreated soles in winter.

    ``effect_c`` is what the injections add to each toe at their best, °C, by side, (5,).
    """

    participant: str
    birth_year: int
    prior_treatments: str
    sole: SoleShape
    temperatures: Mapping[str, SoleTemperatures]
    textures: Mapping[str, Floats]
    effect_c: Mapping[str, Floats]
    rcs: float
    attacks_a_day: float

    @property
    def mean_effect_c(self) -> float:
        """What the injections add at their best, mean over the ten toes, °C."""
        return float(np.mean([*self.effect_c.values()]))


@dataclass(frozen=True)
class VisitDay:
    """One visit: ``days`` after the injections (0: before them, on the same day), the room and the weather."""

    visit: str
    date: date
    days: int
    ambient_c: float
    humidity_pct: float
    settling_min: int
    outdoor_mean_c: float


@dataclass(frozen=True, eq=False)
class ToeWarmth:
    """What makes one foot's toes warmer than her untreated winter's baseline at a visit, °C, each (5,)."""

    injection_c: Floats
    room_c: Floats
    season_c: Floats
    day_c: Floats

    @property
    def total_c(self) -> Floats:
        """All of it."""
        return np.asarray(self.injection_c + self.room_c + self.season_c + self.day_c)


def effect_course(days: float) -> float:
    """Share of the best effect that is there so many days after the injections: it sets in, lasts, and fades.

    (1 − exp(−t / 6.7 days)) × exp(−(t / 165 days)⁵): 1.00 at 6 weeks, 0.95 at 3 months, about a half at 5 months.
    """
    if days <= 0:
        return 0.0
    return float((1 - np.exp(-days / _ONSET_DAYS)) * np.exp(-((days / _FADE_DAYS) ** _FADE_STEEPNESS)))


def draw_patients(rng: np.random.Generator) -> tuple[Patient, ...]:
    """Three patients, of whom one responds little."""
    little = int(rng.integers(3))
    patients = []
    for i in range(3):
        best = rng.uniform(0.2, 0.5) if i == little else rng.uniform(2.4, 3.6)
        length = float(np.clip(rng.normal(238, 8), 222, 252))
        cold = cold_temperatures(rng, ambient_c=NOMINAL_ROOM_C)
        other = cold.warmed(five(rng.normal(0, 0.35, 5)), sole_change_c=float(rng.normal(0, 0.2)))
        patients.append(
            Patient(
                participant=f"P{i + 1:02d}",
                birth_year=int(rng.integers(1956, 1984)),
                prior_treatments=_TREATMENTS[i],
                sole=random_sole(rng, foot_length_mm=length),
                temperatures={"left": cold, "right": other},
                textures={side: random_texture(rng) for side in SIDES},
                effect_c={side: best * np.clip(rng.normal(1.0, 0.15, 5), 0.5, 1.5) for side in SIDES},
                rcs=float(rng.uniform(5.0, 7.0)),
                attacks_a_day=float(rng.uniform(2.5, 4.5)),
            )
        )
    return tuple(patients)


def draw_visits(rng: np.random.Generator, *, warm_room: bool) -> tuple[VisitDay, ...]:
    """Visits from winter into summer; with ``warm_room`` the third month's room is over 1 °C warmer."""
    start = date(2025, 1, 13) + timedelta(days=int(rng.integers(0, 21)))
    visits = []
    for name, planned, slack in (("before", 0, 0), ("week06", 42, 3), ("month03", 91, 4), ("month05", 152, 5)):
        days = planned + int(rng.integers(-slack, slack + 1))
        day = start + timedelta(days=days)
        ambient = NOMINAL_ROOM_C + float(np.clip(rng.normal(0, 0.2), -0.4, 0.4))
        if warm_room and name == "month03":
            ambient += 1.9
        visits.append(
            VisitDay(
                visit=name,
                date=day,
                days=days,
                ambient_c=round(ambient, 1),
                humidity_pct=float(rng.integers(38, 52)),
                settling_min=int(rng.choice([15, 20, 20, 30])),
                outdoor_mean_c=round(outdoor_c(day) + float(rng.normal(0, 2)), 1) + 0.0,  # no "-0"
            )
        )
    return tuple(visits)


def outdoor_c(day: date) -> float:
    """A central European town's mean outdoor temperature on that day of the year, °C: 1 in January, 19 in July."""
    return float(10 - 9 * np.cos(2 * np.pi * (day.timetuple().tm_yday - 15) / 365.25))


def toe_warmth(rng: np.random.Generator, patient: Patient, visit: VisitDay, *, side: str) -> ToeWarmth:
    """What warms each toe of one foot at one visit: injections, the room, the season, and how the day happens to be."""
    return ToeWarmth(
        injection_c=patient.effect_c[side] * effect_course(visit.days),
        room_c=np.full(5, 0.7 * (visit.ambient_c - NOMINAL_ROOM_C)),
        season_c=np.full(5, 0.05 * (visit.outdoor_mean_c - NOMINAL_OUTDOOR_C)),
        day_c=rng.normal(0, 0.3) + rng.normal(0, 0.25, 5),
    )


def temperatures_at(
    rng: np.random.Generator, patient: Patient, visit: VisitDay, warmth: ToeWarmth, *, side: str
) -> SoleTemperatures:
    """One sole's temperatures at a visit; the ball shares a little of what the injections do, arch and heel none."""
    sole_change = 0.4 * (visit.ambient_c - NOMINAL_ROOM_C) + 0.02 * (visit.outdoor_mean_c - NOMINAL_OUTDOOR_C)
    sole_change += float(rng.normal(0, 0.25))
    changed = patient.temperatures[side].warmed(five(warmth.total_c), sole_change_c=sole_change)
    return replace(changed, ball_c=changed.ball_c + 0.25 * float(warmth.injection_c.mean()))


def draw_diary(rng: np.random.Generator, patient: Patient, injected: date, *, swelling: bool) -> pd.DataFrame:
    """A diary from two weeks before the injections to about five months after, some days forgotten.

    Complaints ease with the injections and with the season alike; with ``swelling`` the feet's swelling is taped
    weekly.
    """
    rows = []
    for after in range(-14, 160):
        day = injected + timedelta(days=after)
        relief = effect_course(after) * min(patient.mean_effect_c / 3.0, 1.2)
        mild = max(outdoor_c(day) - NOMINAL_OUTDOOR_C, 0.0)
        rcs = float(np.clip(patient.rcs * (1 - 0.40 * relief) - 0.06 * mild + rng.normal(0, 0.9), 0, 10))
        attacks = int(rng.poisson(patient.attacks_a_day * (1 - 0.5 * relief) * np.exp(-0.03 * mild)))
        pain = float(np.clip(9 * rcs + rng.normal(0, 8), 0, 100))
        cold = float(np.clip(11 * patient.rcs * (1 - 0.35 * relief) - 0.8 * mild + rng.normal(0, 5), 0, 100))
        phases = int(rng.integers(1, 4)) if attacks else 0
        taped = ""
        if swelling and after % 7 == 0:
            taped = f"{max(4.0 * np.exp(-max(after, 0) / 9) * (after >= 0) + rng.normal(0, 0.6), -2):.0f}"
        forgotten = rng.random() < 0.08
        if not forgotten:
            colours = ";".join(("white", "blue", "red")[:phases])
            rows.append((patient.participant, day, f"{rcs:.1f}", attacks, round(pain), colours, round(cold), taped))
    columns = ["participant", "date", "rcs", "attacks_n", "pain_vas", "colour_change", "cold_intolerance"]
    return pd.DataFrame(rows, columns=[*columns, "swelling_mm"])


def injection_rows(patient: Patient, injected: date) -> pd.DataFrame:
    """10 U a foot: 2 U at the base of each toe, units, volume and dilution each in its own column."""
    rows = [
        (patient.participant, injected, side, toe, "onabotulinumtoxinA", 2, 0.1, 20, 1, "subcutaneous", "by hand", "A")
        for side in SIDES
        for toe in TOES
    ]
    columns = ["participant", "date", "side", "site", "product", "units_u", "volume_ml", "concentration_u_per_ml"]
    return pd.DataFrame(rows, columns=[*columns, "injections_n", "depth", "guidance", "operator"])
