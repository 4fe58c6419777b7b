"""Trials that have not happened yet: many at once, of a plan's design, with everything that also moves the outcome.

A reading of person i (limb l) at time t is

    person_i + limb_il + flare_i(t) + noise_ilt / √readings + season(date) + placebo + effect_i · course(t − start) · treated

with a flare that forgets over ``flare_days`` and is shared by a person's limbs. People may be enrolled at their worst: only
who is bad enough at the first visit enters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, truncnorm

Floats = NDArray[np.float64]
Kind = Literal["case_series", "split_limb", "parallel", "n_of_1"]

WEEK: Final = 7.0
YEAR: Final = 365.25
_MONTH: Final = YEAR / 12


@dataclass(frozen=True)
class Variance:
    """Standard deviations in the outcome's unit.

    ``person_sd`` between people, ``limb_sd`` between a person's limbs, ``flare_sd`` of the disease's own course with its
    ``flare_days``, ``noise_sd`` of a single reading (a visit's picture, a day of the diary), ``effect_sd`` of the effect between
    people.
    """

    person_sd: float
    noise_sd: float
    flare_sd: float = 0.0
    flare_days: float = 14.0
    limb_sd: float = 0.0
    effect_sd: float = 0.0


@dataclass(frozen=True)
class Life:
    """What also moves the outcome.

    ``season`` is the outcome's amplitude over the year: added at the coldest time of the year, taken away at the warmest
    (``warmest_month``, 7.5 is mid-July). ``placebo`` is added from the treatment on: to everybody where the control is a
    placebo (in ``n_of_1``, from the first week on: a masked start is hidden among dummy injections), else to the treated
    alone. ``drop_out`` is the share of people who miss visits after the treatment from some visit
    on. ``enrolled_above_sd`` enrols only people whose first reading lies so many standard deviations above their own mean.
    """

    season: float = 0.0
    warmest_month: float = 7.5
    placebo: float = 0.0
    drop_out: float = 0.0
    enrolled_above_sd: float | None = None


@dataclass(frozen=True)
class Course:
    """Effect over time, (1 − e^(−t/onset)) × P(duration > t), with 0 days of onset or infinite duration for a plain step.

    The defaults are those of movement disorders (onset 6.7, effect 78.5 ± 28.4 days; PMID 35113259).
    """

    onset_days: float = 6.7
    duration_days: float = 78.5
    duration_sd_days: float = 28.4

    def at(self, days: Floats) -> Floats:
        """Share of the effect that is there so many days after the treatment; 0 before."""
        rise = np.ones_like(days) if self.onset_days <= 0 else 1 - np.exp(-np.maximum(days, 0) / self.onset_days)
        if np.isfinite(self.duration_days):
            rise = rise * norm.sf((days - self.duration_days) / max(self.duration_sd_days, 1e-9))
        return np.where(days > 0, rise, 0.0)


@dataclass(frozen=True)
class TrialPlan:
    """One design. Weeks count from the treatment, in ``n_of_1`` from enrolment.

    ``baseline_weeks`` (0 is just before the treatment) and ``after_weeks`` are the visits, ``readings`` how many values each
    averages. In ``n_of_1``, ``after_weeks`` are all weeks observed and ``start_weeks`` the starts that chance chooses from.
    ``treated_share`` is the share of people who are treated in ``parallel``. ``start_month`` (1 to 12) is when enrolment begins,
    over ``spread_weeks``. ``effect`` is the full effect; less is better.
    """

    kind: Kind
    effect: float
    variance: Variance
    baseline_weeks: tuple[float, ...] = (-2.0, 0.0)
    after_weeks: tuple[float, ...] = (4.0, 8.0)
    start_weeks: tuple[float, ...] = ()
    readings: int = 1
    treated_share: float = 0.5
    masked: bool = False
    start_month: float = 1.0
    spread_weeks: float = 0.0
    course: Course = Course()
    life: Life = Life()

    def weeks(self) -> Floats:
        """All visits in order, weeks."""
        if self.kind == "n_of_1":
            return np.sort(np.array(self.after_weeks))
        return np.array(sorted({*self.baseline_weeks, *self.after_weeks}))


@dataclass(frozen=True, eq=False)
class Trials:
    """Simulated trials: ``value`` (trials, people, limbs, visits), NaN where a visit was missed.

    ``treated`` (trials, people, limbs), ``start_week`` (trials, people), ``weeks`` (visits,). Limbs are two in ``split_limb``, else
    one. ``truth`` is the mean effect over the visits after treatment, at the people's mean.
    """

    plan: TrialPlan
    weeks: Floats
    value: Floats
    treated: NDArray[np.bool_]
    start_week: Floats
    truth: float


def simulate_trials(plan: TrialPlan, people: int, trials: int, rng: np.random.Generator) -> Trials:
    """Draw ``trials`` trials of ``people`` people each."""
    weeks = plan.weeks()
    limbs = 2 if plan.kind == "split_limb" else 1
    shape = (trials, people, limbs, weeks.size)
    treated = _treated(plan, people, limbs, trials, rng)
    start = rng.choice(plan.start_weeks, size=(trials, people)) if plan.kind == "n_of_1" else np.zeros((trials, people))
    since = (weeks - start[..., None]) * WEEK
    after = since > 0
    course = plan.course.at(since)[:, :, None, :] * treated[..., None]
    effect = plan.effect + plan.variance.effect_sd * rng.standard_normal((trials, people, 1, 1))
    own = _own_course(plan, weeks, shape, rng)
    enrolled = (plan.start_month - 1) * _MONTH + plan.spread_weeks * WEEK * rng.random((trials, people, 1))
    value = own + effect * course + _season(plan.life, enrolled + weeks * WEEK)[:, :, None, :]
    placebo = after[:, :, None, :] & (np.ones_like(treated) if plan.masked else treated)[..., None]
    if plan.masked and plan.kind == "n_of_1":
        placebo = np.ones_like(placebo)  # a masked start is hidden among dummy injections from the first week on
    value = value + plan.life.placebo * placebo
    value[_missed(plan, after, rng)[:, :, None, :].repeat(limbs, axis=2)] = np.nan
    return Trials(plan, weeks, value, treated, start, mean_effect(plan))


def mean_effect(plan: TrialPlan) -> float:
    """The effect averaged over the visits after treatment; in ``n_of_1`` also over the starts that are equally likely."""
    weeks = plan.weeks()
    starts = plan.start_weeks if plan.kind == "n_of_1" else (0.0,)
    shares = [plan.course.at((weeks - start) * WEEK)[weeks > start] for start in starts]
    return plan.effect * float(np.mean([share.mean() for share in shares if share.size]))


def _treated(
    plan: TrialPlan, people: int, limbs: int, trials: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Who, or which limb, is treated, (trials, people, limbs): by chance, with the arms' sizes kept."""
    if plan.kind == "split_limb":
        first = rng.random((trials, people)) < 0.5
        return np.stack([first, ~first], axis=-1)
    if plan.kind != "parallel":
        return np.ones((trials, people, limbs), dtype=bool)
    count = int(np.clip(round(plan.treated_share * people), 1, people - 1))
    order = rng.random((trials, people)).argsort(axis=1)
    return (order < count)[..., None]


def _own_course(plan: TrialPlan, weeks: Floats, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Level, limb, flare and noise; selection at the first visit where the plan asks for it."""
    trials, people, limbs, visits = shape
    variance = plan.variance
    noise_sd = variance.noise_sd / np.sqrt(plan.readings)
    flare, noise = rng.standard_normal((trials, people, visits)), rng.standard_normal(shape)
    if plan.life.enrolled_above_sd is not None:
        total = np.hypot(variance.flare_sd, noise_sd)
        if total > 0:
            bad = truncnorm.rvs(plan.life.enrolled_above_sd, np.inf, size=(trials, people), random_state=rng)
            share = variance.flare_sd / total
            apart = rng.standard_normal((trials, people)) * share * noise_sd / total
            flare[..., 0] = bad * share + apart * noise_sd / max(noise_sd, 1e-12)
            noise[..., 0, 0] = (bad * total - flare[..., 0] * variance.flare_sd) / max(noise_sd, 1e-12)
    for k in range(1, visits):
        keep = np.exp(-(weeks[k] - weeks[k - 1]) * WEEK / max(variance.flare_days, 1e-9))
        flare[..., k] = keep * flare[..., k - 1] + np.sqrt(1 - keep**2) * flare[..., k]
    level = variance.person_sd * rng.standard_normal((trials, people, 1, 1))
    limb = variance.limb_sd * rng.standard_normal((trials, people, limbs, 1))
    return np.asarray(level + limb + variance.flare_sd * flare[:, :, None, :] + noise_sd * noise)


def _season(life: Life, day: Floats) -> Floats:
    warmest = (life.warmest_month - 1) * _MONTH
    return -life.season * np.cos(2 * np.pi * (day - warmest) / YEAR)


def _missed(plan: TrialPlan, after: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """(trials, people, visits): who drops out misses a visit after the treatment and all later ones."""
    trials, people, visits = after.shape
    leaves = rng.random((trials, people)) < plan.life.drop_out
    counts = after.sum(axis=-1)
    at = visits - np.ceil(rng.random((trials, people)) * np.maximum(counts, 1)).astype(int)
    return leaves[..., None] & (np.arange(visits) >= at[..., None]) & after
