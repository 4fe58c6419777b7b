"""When people come, in what weather and what room: enrolment, visits, missed visits, drop-out, season."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded

from rewarm.twin.studies.plan import OutdoorPlan, StudyPlan

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_MONTH_DAYS: Final = 30.4375
LEAD_DAYS: Final = 366
"""Weather and disease are drawn from so long before enrolment, whatever a diary asks for, so that neither changes with
it."""


@dataclass(frozen=True, eq=False)
class Calendar:
    """Days and circumstances; ``day`` counts from a person's enrolment, which is the first visit.

    ``enrolled`` (people,) datetime64[D]; ``visit_day`` (people, visits); ``attended`` (people, visits), the first
    always; ``leaves`` (people,) the day of drop-out (a large number: never). ``ambient_c``, ``humidity_pct``,
    ``settling_min`` (people, visits). ``outdoor_c`` (days,) is the weather from ``first_date`` on.
    """

    enrolled: NDArray[np.datetime64]
    visit_day: Ints
    attended: Bools
    leaves: Ints
    ambient_c: Floats
    humidity_pct: Floats
    settling_min: Floats
    first_date: np.datetime64
    outdoor_c: Floats

    def outdoor_on(self, days: Ints) -> Floats:
        """The day's mean outdoors, °C; ``days`` (people, n) since each person's enrolment."""
        origin = (self.enrolled - self.first_date).astype(np.int64)
        return np.asarray(self.outdoor_c[origin[:, None] + days])


def draw_calendar(rng: np.random.Generator, weather: np.random.Generator, plan: StudyPlan) -> Calendar:
    """Draw all but the room, which may depend on the treatment: see :func:`with_room`."""
    visits, people = plan.visits, plan.people
    spread = rng.integers(0, visits.start_spread_days + 1, people)
    enrolled = np.datetime64(visits.start, "D") + spread.astype("timedelta64[D]")
    weeks = np.asarray(visits.weeks)
    slack = rng.integers(-visits.slack_days, visits.slack_days + 1, (people, weeks.size))
    slack[:, 0] = 0
    day = np.rint(7 * weeks).astype(np.int64) + slack
    monthly = -np.log1p(-visits.drop_out_per_month)
    stays = rng.exponential(1.0, people) / monthly * _MONTH_DAYS if monthly > 0 else np.full(people, np.inf)
    leaves = np.minimum(np.ceil(stays), 10**6).astype(np.int64)
    attended = (rng.random((people, weeks.size)) >= visits.missed) & (day < leaves[:, None])
    attended[:, 0] = True
    after = max(int(day.max()), plan.diary.days_after) + visits.start_spread_days + 2
    first = np.datetime64(visits.start, "D") - np.timedelta64(LEAD_DAYS, "D")
    return Calendar(
        enrolled=enrolled,
        visit_day=day,
        attended=attended,
        leaves=leaves,
        ambient_c=np.zeros(day.shape),
        humidity_pct=np.rint(rng.uniform(38, 52, day.shape)),
        settling_min=rng.choice([15.0, 20.0, 20.0, 30.0], day.shape),
        first_date=first,
        outdoor_c=weather_of(weather, plan.outdoor, first, LEAD_DAYS + after),
    )


def room_of(rng: np.random.Generator, plan: StudyPlan, calendar: Calendar, injection_day: Ints) -> Floats:
    """Room temperatures (people, visits), °C, to a tenth as a thermometer shows them."""
    room = plan.room
    months = (
        calendar.visit_day + (calendar.enrolled - calendar.enrolled.min()).astype(np.int64)[:, None]
    ) / _MONTH_DAYS
    after = calendar.visit_day > injection_day[:, None]
    drawn = rng.normal(0, room.sd_c, months.shape) + room.trend_c_per_month * months + room.after_c * after
    return np.asarray(np.round(np.clip(room.mean_c + drawn, 5, 40), 1))


def season_c(plan: OutdoorPlan, dates: NDArray[np.datetime64]) -> Floats:
    """The season's share of the outdoor temperature on each date, °C."""
    day_of_year = (dates.astype("datetime64[D]") - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(
        int
    ) + 1
    return np.asarray(plan.mean_c - plan.amplitude_c * np.cos(2 * np.pi * (day_of_year - plan.coldest_day) / 365.25))


def weather_of(rng: np.random.Generator, plan: OutdoorPlan, first: np.datetime64, days: int) -> Floats:
    """Daily means outdoors from ``first`` on, °C: the season, and weather that lasts for days."""
    dates = first + np.arange(days).astype("timedelta64[D]")
    return np.asarray(season_c(plan, dates) + plan.noise_sd_c * remembering(rng, (1, days), plan.noise_days)[0])


def remembering(rng: np.random.Generator, shape: tuple[int, int], forget_days: float) -> Floats:
    """Processes of mean 0 and SD 1 that forget over ``forget_days`` (AR(1)), one a row, stationary from the start.

    More columns leave the earlier ones as they are.
    """
    keep = float(np.exp(-1 / forget_days))
    noise = rng.normal(size=shape[::-1]).T
    noise[:, 1:] *= np.sqrt(1 - keep * keep)
    bands = np.stack([np.ones(shape[1]), np.full(shape[1], -keep)])  # x(d) − keep x(d − 1) = noise(d)
    return np.asarray(solve_banded((1, 0), bands, noise.T)).T
