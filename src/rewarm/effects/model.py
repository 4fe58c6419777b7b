"""The model of a temperature over people, limbs, digits and visits: its data, its terms and its priors.

    y = X·β + person + limb + digit + visit + visit×limb + slopes of the person + c(t)·treated·effect + error

``c(t) = (1 − exp(−(t/τ)^r))·S(t)`` is the course of an injection t days old: it sets in around day τ, at once or after
a delay, lasts about D days, and fades by a fall S of a family that holds Weibull's and the log-logistic one
(:func:`course`), because two visits around the beginning or the end do not tell which it is. The effect has a mean over
people, each person's own share and each digit's. What all digits of one visit share (the day, the camera's offset) is
one number a visit; so untreated digits in the same picture take it away from the treated ones. The camera's share has
at most its known variance (how much of it differs between visits is estimated), the region's own u is added to the
error.

Both estimators (:mod:`rewarm.effects.fast`, :mod:`rewarm.effects.bayes`) fit exactly this with exactly these priors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.effects.metrics import Outcome
from rewarm.errors import InvalidInputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SPREADS: Final = (
    "person",
    "limb",
    "digit",
    "visit",
    "visit_limb",
    "residual",
    "effect_person",
    "effect_digit",
    "change",
)
"""Standard deviations that are estimated. ``change`` is how differently untreated people change by themselves; it is
only there where other people are the control."""

ENROLMENT: Final = "enrolment"
"""Name of the one column whose prior is written in standard deviations between visits."""

KNOTS: Final = (0.05, 0.35, 0.65, 0.95)
_LEAST_RANGE_C: Final = 0.3
_LEAST_OFFSET: Final = 0.05
_LEAST_LOG_UNIT: Final = 0.3
"""Of logarithms of times: an effect of half or double the time then lies within one prior standard deviation."""


@dataclass(frozen=True)
class Priors:
    """Priors in units of the outcome (1 °C for temperatures); see docs/effects.md for where each comes from.

    ``spreads`` are the means of Gamma(2) priors of the standard deviations, which vanish at zero so that a handful of
    people cannot look identical by chance (Chung et al. 2013, doi 10.1007/s11336-013-9328-2); ``duration_spread`` is
    the same for log D between people. Slopes are per °C.

    ``offset_share`` is a Beta prior of how much of the u that a picture shares differs from visit to visit: a camera's
    calibration stays, its drift does not, and the table of measurements does not tell them apart. ``camera_sd`` is √2
    of what ±2 °C leaves open for a camera. ``flare`` is the share of the variance between visits that neighbouring days
    have in common, and how many days it lasts (chosen: visits a week apart are not independent, a month apart nearly).

    ``enrolment`` is how much worse the first baseline was than usual, in standard deviations between visits: whoever
    enrols on a bad day is on average 0.8 below the own mean if every second day would do, 1.5 if only the worst of ten
    does. Onset 6.7 ± 5 days (n = 186, PMID 35113259) gives the lognormal of τ; the same source's 78.5 ± 28.4 days and
    the five months of the toes' case series (doi 10.1136/bcr-2017-219348) both lie well inside that of D.
    ``log_rise`` lets it set in at its fastest on the first day (r = 1) or all at once around day τ (r = 4);
    ``log_tail`` favours neither Weibull's fall (γ = 0) nor the log-logistic one (γ = 1): its median lies halfway.
    """

    effect_sd: float = 2.5
    common_change_sd: float = 1.5
    room_slope: tuple[float, float] = (0.7, 0.4)
    outdoor_slope: tuple[float, float] = (0.15, 0.15)
    curvature_sd: float = 0.4
    season_sd: float = 1.0
    room_slope_person_sd: float = 0.2
    outdoor_slope_person_sd: float = 0.05
    enrolment: tuple[float, float] = (0.8, 0.8)
    enrolment_at_worst: tuple[float, float] = (1.3, 0.5)
    camera_sd: float = 1.6
    flare: tuple[float, float] = (0.5, 15.0)
    offset_share: tuple[float, float] = (2.0, 2.0)
    log_onset: tuple[float, float] = (1.68, 0.67)
    log_duration: tuple[float, float] = (4.8, 0.5)
    log_shape: tuple[float, float] = (1.5, 0.9)
    log_tail: tuple[float, float] = (-0.69, 1.0)
    log_rise: tuple[float, float] = (0.69, 0.42)
    duration_spread: float = 0.2
    spreads: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType(
            {
                "person": 1.5,
                "limb": 0.5,
                "digit": 1.0,
                "visit": 0.8,
                "visit_limb": 0.4,
                "residual": 0.4,
                "effect_person": 0.7,
                "effect_digit": 0.3,
                "change": 0.4,
            }
        )
    )


DEFAULT_PRIORS: Final = Priors()


@dataclass(frozen=True, eq=False)
class ModelData:
    """What the estimators see; n rows, sorted by person. Everything of the outcome is divided by ``unit``.

    ``columns`` (n, p) are the fixed terms with independent normal priors ``prior_mean``, ``prior_sd`` (p,) and names;
    ``slopes`` (n, k) are columns whose coefficients differ between people with known ``slope_sd`` (k,). Index arrays
    count from 0. ``treated`` is 0 or 1; ``day`` is days since the injection; ``u_visit`` (visits,) the camera's share,
    ``u_own`` (n,) the region's. ``after`` is 1 after the injection day. ``people`` names the persons in order, and
    ``treated_people`` holds the indices of those with a treated digit.
    """

    outcome: Outcome
    unit: float
    y: Floats
    u_own: Floats
    u_visit: Floats
    reached: NDArray[np.bool_]
    person: Ints
    limb: Ints
    digit: Ints
    visit: Ints
    visit_limb: Ints
    day: Floats
    treated: Floats
    after: Floats
    columns: Floats
    names: tuple[str, ...]
    prior_mean: Floats
    prior_sd: Floats
    slopes: Floats
    slope_sd: Floats
    people: tuple[str, ...]
    treated_people: Ints
    last_day: Floats
    parallel: bool
    priors: Priors

    @property
    def has_offset(self) -> bool:
        """Whether pictures share an error that is worth a parameter."""
        return bool(self.u_visit.max() > _LEAST_OFFSET)

    def visit_correlation(self) -> Floats:
        """Correlation of the visits' deviations (visits, visits): less the further apart, 0 between people."""
        first = np.unique(self.visit, return_index=True)[1]
        day, person = self.day[first], self.person[first]
        share, days = self.priors.flare
        near = share * np.exp(-np.abs(day[:, None] - day[None, :]) / days)
        same = person[:, None] == person[None, :]
        return np.asarray(np.where(np.eye(len(day), dtype=bool), 1.0, near * same))

    @property
    def typical_offset(self) -> float:
        """Root mean square of the u that pictures share."""
        return float(np.sqrt(np.mean(self.u_visit**2)))

    @property
    def spreads(self) -> tuple[str, ...]:
        """Names of the standard deviations that this design can carry."""
        return SPREADS if self.parallel else SPREADS[:-1]


def course(
    day: Floats,
    onset: Floats | float,
    duration: Floats | float,
    shape: Floats | float,
    tail: Floats | float,
    rise: Floats | float,
) -> Floats:
    """Share of the full effect so many days after the injection; 0 up to day 0. Broadcasts.

    It rises by 1 − exp(−(t/τ)^r), ``onset`` τ and ``rise`` r, and falls by S = (1 + (e^γ − 1)·(t/D)^p)^(−1/γ), where
    p = k·γ/(1 − e^−γ): the survival function of the Burr XII distribution (Burr 1942, doi 10.1214/aoms/1177731607), for
    γ → 0 Weibull's exp(−(t/D)^k), for γ = 1 the log-logistic one. It is written so that ``duration`` D is where 1/e is
    left, and ``shape`` k how steeply ln S falls with ln t there, whatever ``tail`` γ is.
    """
    log_day = np.log(np.maximum(day, 1e-9))
    begun = np.exp(np.minimum(rise * (log_day - np.log(onset)), 50.0))
    risen = np.where(np.asarray(day) > 0, -np.expm1(-begun), 0.0)
    weight = -np.expm1(-np.asarray(tail))
    power = shape * tail / weight * (log_day - np.log(duration))
    fallen = np.logaddexp(0.0, tail + np.log(weight) + power) / tail
    return np.asarray(risen * np.exp(-fallen))


def build_model(
    frame: pd.DataFrame,
    outcome: Outcome,
    *,
    adjusted: bool = True,
    enrolled_at_worst: bool | None = None,
    randomised: bool | None = None,
    priors: Priors = DEFAULT_PRIORS,
) -> ModelData:
    """The model's data from a frame of :func:`rewarm.effects.frame.analysis_frame`.

    With ``adjusted`` False only treated digits are kept and nothing is adjusted for: what is then estimated is a change
    from baseline. Untreated digits or people, where the frame holds any, are the control. ``randomised`` leaves the
    shift of the first baseline out, because it cancels.

    Raises :class:`InvalidInputError` where no treated digit was seen both before and after.
    """
    frame = frame if adjusted else frame[frame["treated"]]
    frame = frame.sort_values(["participant", "visit", "side", "region"]).reset_index(drop=True)
    _check_both_sides(frame)
    people = tuple(sorted(set(frame["participant"])))
    treated = frame["treated"].to_numpy(dtype=np.float64)
    day = frame["day"].to_numpy(dtype=np.float64)
    after = (day > 0).astype(np.float64)
    person = _codes(frame, ["participant"])
    unit = _unit(frame, outcome)
    visit = _codes(frame, ["participant", "visit"])
    u_shared = frame["u_shared"].to_numpy(dtype=np.float64) / unit
    u_visit = np.zeros(visit.max() + 1)
    np.maximum.at(u_visit, visit, u_shared)
    with_treated = np.unique(person[treated > 0])
    controlled = bool((treated == 0).any())
    terms = _Terms(frame, unit, priors)
    terms.add("level", np.ones(len(frame)), float(np.mean(frame["value"]) / unit), 10.0)
    terms.regions()
    if adjusted:
        terms.covariates(season=controlled is False or len(with_treated) < len(people))
        terms.cameras(outcome)
        if not (controlled and randomised) and enrolled_at_worst is not False:
            terms.enrolment(outcome, at_worst=bool(enrolled_at_worst))
        if controlled:
            terms.add("common_change", after, 0.0, priors.common_change_sd)
    last = frame.groupby("participant")["day"].max().reindex(people).to_numpy(dtype=np.float64)
    return ModelData(
        outcome=outcome,
        unit=unit,
        y=frame["value"].to_numpy(dtype=np.float64) / unit,
        u_own=frame["u_own"].to_numpy(dtype=np.float64) / unit,
        u_visit=u_visit,
        reached=frame["reached"].to_numpy(dtype=bool),
        person=person,
        limb=_codes(frame, ["participant", "side"]),
        digit=_codes(frame, ["participant", "side", "region"]),
        visit=visit,
        visit_limb=_codes(frame, ["participant", "visit", "side"]),
        day=day,
        treated=treated,
        after=after,
        columns=np.column_stack(terms.columns),
        names=tuple(terms.names),
        prior_mean=np.array(terms.mean),
        prior_sd=np.array(terms.sd),
        slopes=np.column_stack(terms.slopes) if terms.slopes else np.zeros((len(frame), 0)),
        slope_sd=np.array(terms.slope_sd),
        people=people,
        treated_people=with_treated,
        last_day=last,
        parallel=adjusted and len(with_treated) < len(people),
        priors=priors,
    )


def natural_spline(x: Floats, knots: Floats) -> Floats:
    """The non-linear columns (n, len(knots) − 2) of a restricted cubic spline, linear beyond the outer knots.

    Truncated powers after Harrell, Regression Modeling Strategies, 2nd ed. 2015, section 2.4.5
    (doi 10.1007/978-3-319-19425-7), each made free of a straight line over ``x`` and scaled to a largest size of 1.
    """
    last, before = knots[-1], knots[-2]

    def cubed(at: float) -> Floats:
        return np.maximum(x - at, 0.0) ** 3

    columns = []
    line = np.column_stack([np.ones_like(x), x])
    for knot in knots[:-2]:
        raw = (
            cubed(knot)
            - cubed(before) * (last - knot) / (last - before)
            + cubed(last) * (before - knot) / (last - before)
        )
        curved = raw - line @ np.linalg.lstsq(line, raw, rcond=None)[0]
        columns.append(curved / max(float(np.abs(curved).max()), 1e-12))
    return np.column_stack(columns)


class _Terms:
    """Collects the fixed columns with their priors while a model is built."""

    def __init__(self, frame: pd.DataFrame, unit: float, priors: Priors) -> None:
        self.frame, self.unit, self.priors = frame, unit, priors
        self.names: list[str] = []
        self.columns: list[Floats] = []
        self.mean: list[float] = []
        self.sd: list[float] = []
        self.slopes: list[Floats] = []
        self.slope_sd: list[float] = []

    def add(self, name: str, column: Floats, mean: float, sd: float) -> None:
        """One column; mean and sd are in the outcome's priors' unit."""
        self.names.append(name)
        self.columns.append(column)
        self.mean.append(mean)
        self.sd.append(sd)

    def regions(self) -> None:
        """What a toe differs from the great toe by, in everybody."""
        regions = sorted(set(self.frame["region"]))
        for region in regions[1:]:
            self.add(region, (self.frame["region"] == region).to_numpy(dtype=np.float64), 0.0, 2.0)

    def covariates(self, *, season: bool) -> None:
        """Room, and weather where the control does not share it (``season``), smooth and with a person's own slope."""
        room = self.frame["ambient_c"].to_numpy(dtype=np.float64)
        self._smooth("room", room, self.priors.room_slope, self.priors.room_slope_person_sd)
        outdoor = self.frame["outdoor_c"].to_numpy(dtype=np.float64)
        if np.isfinite(outdoor).all():
            self._smooth("outdoor", outdoor, self.priors.outdoor_slope, self.priors.outdoor_slope_person_sd)
        elif season:
            angle = 2 * np.pi * (self.frame["day_of_year"].to_numpy(dtype=np.float64) - 200.0) / 365.25
            for name, column in (("season_cos", np.cos(angle)), ("season_sin", np.sin(angle))):
                self.add(name, column - column.mean(), 0.0, self.priors.season_sd)

    def cameras(self, outcome: Outcome) -> None:
        """An offset for each camera but the first, where several were used and offsets do not cancel."""
        cameras = sorted(set(self.frame["camera"]))
        if outcome.prior_unit == 1.0 and not outcome.name.endswith("_difference"):
            for camera in cameras[1:]:
                column = (self.frame["camera"] == camera).to_numpy(dtype=np.float64)
                self.add(f"camera {camera}", column, 0.0, self.priors.camera_sd)

    def enrolment(self, outcome: Outcome, *, at_worst: bool) -> None:
        """How much worse than usual people were on the day that they were enrolled."""
        mean, sd = self.priors.enrolment_at_worst if at_worst else self.priors.enrolment
        self.add(ENROLMENT, self.frame["first_baseline"].to_numpy(dtype=np.float64), -mean * outcome.better, sd)

    def _smooth(self, name: str, x: Floats, slope: tuple[float, float], person_sd: float) -> None:
        x = np.where(np.isfinite(x), x, np.nanmean(x)) if np.isfinite(x).any() else np.zeros_like(x)
        if np.ptp(x) < _LEAST_RANGE_C:
            return
        centred = x - x.mean()
        # The published slopes are of temperatures; of anything else the sign is not known.
        mean, sd = slope if self.unit == 1.0 else (0.0, slope[1])
        self.add(name, centred, mean, sd)
        self.slopes.append(centred)
        self.slope_sd.append(person_sd)
        distinct = np.unique(x)
        if len(distinct) >= 8:
            knots = np.quantile(distinct, KNOTS)
            for i, column in enumerate(natural_spline(x, knots).T):
                self.add(f"{name} curve {i + 1}", column, 0.0, self.priors.curvature_sd)


def _codes(frame: pd.DataFrame, keys: list[str]) -> Ints:
    return np.asarray(frame.groupby(keys, sort=True).ngroup(), dtype=np.int64)


def _unit(frame: pd.DataFrame, outcome: Outcome) -> float:
    """1 °C for temperatures; for other outcomes two thirds of the baseline's spread, as toes spread by 1.5 °C."""
    if outcome.prior_unit == outcome.prior_unit:
        return outcome.prior_unit
    spread = float(frame.loc[frame["baseline"], "value"].std())
    unit = spread / 1.5 if np.isfinite(spread) and spread > 0 else 1.0
    # Times that were given up at one length hide how much people differ: priors would shut out any effect.
    return max(unit, _LEAST_LOG_UNIT) if outcome.log else unit


def _check_both_sides(frame: pd.DataFrame) -> None:
    treated = frame[frame["treated"]]
    seen_before = set(treated.loc[treated["baseline"], "participant"])
    seen_after = set(treated.loc[~treated["baseline"], "participant"])
    if not seen_before & seen_after:
        raise InvalidInputError(
            "expected at least one person whose treated digits were measured before and after the injections; found "
            "none. Check the dates in visits.csv and injections.csv, and the sites in injections.csv"
        )
