"""What a simulated study is made of: every choice of a plan, with its unit, its default and what it means.

A plan is data, nothing more: :mod:`rewarm.twin.studies.plan_file` reads one from TOML, and
:mod:`rewarm.twin.studies.draw` draws the study. Each field's ``metadata`` holds what a person must know to set it
(meaning, range, words), so that the reader, the page of documentation and this declaration cannot disagree.
Figures that have a published source name it in their meaning; all others are chosen, and say so by naming none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from rewarm.regions import SIDES, TOES

CONDITIONS: Final = ("primary_raynaud", "secondary_raynaud", "forefoot_pain", "healthy", "other")
DESIGNS: Final = ("case_series", "split_limb", "parallel", "n_of_1")
CONTROLS: Final = ("none", "untreated_limb", "untreated_region", "placebo")
TREATMENTS: Final = ("toxin", "placebo", "none")
PICTURES: Final = ("none", "stills", "recordings")
TREATED_SIDES: Final = ("both", *SIDES, "random")
DIARY_COLUMNS: Final = (
    *("rcs", "attacks_n", "attack_minutes", "pain_vas", "numbness", "tingling"),
    *("colour_change", "cold_intolerance", "swelling_mm"),
)

REFERENCE_OUTDOOR_C: Final = 3.0
"""The outdoor temperature at which a person's own level is stated, °C."""


def _number(default: float, meaning: str, *, low: float = -1e6, high: float = 1e6, unit: str = "") -> Any:
    return field(default=default, metadata={"meaning": meaning, "low": low, "high": high, "unit": unit})


def _maybe(meaning: str, *, low: float = -1e6, high: float = 1e6, unit: str = "") -> Any:
    return field(default=None, metadata={"meaning": meaning, "low": low, "high": high, "unit": unit})


def _whole(default: int, meaning: str, *, low: int = 0, high: int = 1_000_000) -> Any:
    return field(default=default, metadata={"meaning": meaning, "low": low, "high": high})


def _word(default: str, meaning: str, words: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"meaning": meaning, "words": words})


def _list(default: tuple[Any, ...], meaning: str, *, words: tuple[str, ...] = (), low: float = -1e6) -> Any:
    return field(default=default, metadata={"meaning": meaning, "words": words, "low": low, "high": 1e6})


def _yes_no(default: bool, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True)
class DesignPlan:
    """``[design]``: written into the study's ``study.toml``; who is treated where follows from it."""

    kind: str = _word("case_series", "case_series, split_limb, parallel or n_of_1", DESIGNS)
    control: str = _word("none", "none, untreated_limb, untreated_region or placebo", CONTROLS)
    randomised: bool = _yes_no(False, "whether chance decided who, which limb or which period was treated")
    masked_reading: bool = _yes_no(False, "whether who read the scans did not know which was which")
    masked_rating: bool = _yes_no(False, "whether who filled in the diary did not know the treatment")


@dataclass(frozen=True)
class OutcomesPlan:
    """``[outcomes]``: what the study declares in ``study.toml`` before anything is measured; empty: nothing."""

    primary: str = _word("", "the one outcome that decides: a metric, or a column of the diary")
    secondary: tuple[str, ...] = _list((), "the others")


@dataclass(frozen=True)
class GroupPlan:
    """``[[group]]``: people of one kind who are treated alike; the arm's name is what ``participants.csv`` shows."""

    n: int = _whole(3, "how many people", low=1, high=5000)
    condition: str = _word("secondary_raynaud", "why they are here", CONDITIONS)
    underlying: str = _word("", "underlying disease, e.g. systemic_sclerosis")
    treatment: str = _word("toxin", "toxin, placebo or none", TREATMENTS)
    arm: str = _word("", "the arm's name in participants.csv; empty: not written")
    female_share: float = _number(0.9, "share of women", low=0, high=1)
    toes_c: float | None = _maybe("toes at rest at 22.5 °C; left out: by condition", low=10, high=36, unit="°C")
    nerve_block: float | None = _maybe("instead of the toxin's, in this group", low=0, high=1)
    direct_dilation: float | None = _maybe("instead of the toxin's, in this group", low=0, high=1)
    sweat_block: float | None = _maybe("instead of the toxin's, in this group", low=0, high=1)
    rcs: float = _number(5.5, "Raynaud's condition score in winter, untreated", low=0, high=10)
    attacks: float = _number(3.5, "attacks a day in winter, untreated", low=0, high=50)
    pain: float = _number(45.0, "worst pain in winter, untreated, 0 to 100", low=0, high=100)


@dataclass(frozen=True)
class VisitsPlan:
    """``[visits]``: weeks since enrolment, which is the first visit; and what becomes of visits in life."""

    weeks: tuple[float, ...] = _list((0.0, 6.0, 13.0, 22.0), "weeks since enrolment, the first 0", low=0)
    start: date = field(default=date(2025, 1, 13), metadata={"meaning": "the earliest enrolment, a date"})
    start_spread_days: int = _whole(21, "enrolments are spread evenly over so many days", high=3650)
    slack_days: int = _whole(3, "a visit is up to so many days early or late", high=20)
    missed: float = _number(0.0, "probability that a visit after the first is missed", low=0, high=0.95)
    drop_out_per_month: float = _number(0.0, "probability of leaving the study, a month", low=0, high=0.95)
    cameras: tuple[str, ...] = _list((), "the camera of each visit in turn; left out: the first camera at all")


@dataclass(frozen=True)
class RoomPlan:
    """``[room]``: the examination room, and how skin follows it."""

    mean_c: float = _number(22.5, "its temperature", low=10, high=35, unit="°C")
    sd_c: float = _number(0.2, "SD from visit to visit", low=0, high=10, unit="°C")
    trend_c_per_month: float = _number(0.0, "how it warms over the study", low=-5, high=5, unit="°C a month")
    after_c: float = _number(
        0.0, "how much warmer it is at all visits after the injections", low=-10, high=10, unit="°C"
    )
    toes_per_c: float = _number(0.7, "°C of toes per °C of room", low=0, high=2)
    sole_per_c: float = _number(0.4, "°C of the rest of the sole per °C of room", low=0, high=2)


@dataclass(frozen=True)
class OutdoorPlan:
    """``[outdoor]``: the weather of each day, and what it does to toes and complaints.

    The day's mean is ``mean_c`` − ``amplitude_c`` cos(2π (day of the year − ``coldest_day``)/365.25) plus weather that
    lasts for days. The defaults are Zürich's plains: 1 °C in January, 19 °C in July.
    """

    mean_c: float = _number(10.0, "the year's mean", low=-40, high=40, unit="°C")
    amplitude_c: float = _number(9.0, "half of summer − winter; 0: no season", low=0, high=40, unit="°C")
    coldest_day: float = _number(15.0, "day of the year", low=1, high=366)
    noise_sd_c: float = _number(2.5, "SD of the weather around the season", low=0, high=15, unit="°C")
    noise_days: float = _number(4.0, "how long weather lasts (correlation time)", low=0.1, high=60, unit="days")
    toes_per_c: float = _number(0.05, "°C of toes per °C outdoors below comfortable_c", low=-1, high=1)
    sole_per_c: float = _number(0.02, "°C of the rest of the sole per °C outdoors", low=-1, high=1)
    comfortable_c: float = _number(20.0, "warmer days than this warm toes no further", low=0, high=40, unit="°C")
    attacks_per_c: float = _number(
        -0.0617, "change of ln(attacks a day) per °C: −48 % for +10.6 °C (PMID 10451070)", low=-1, high=1
    )
    drive_per_c: float = _number(
        -0.006, "with a mechanism or recordings: change of the sympathetic drive per °C outdoors", low=-1, high=1
    )
    rcs_share: float = _number(
        1.0, "how much of the published curve of severity (doi 10.1016/S2665-9913(24)00189-9)", low=0, high=5
    )


@dataclass(frozen=True)
class ToxinPlan:
    """``[toxin]``: what the injections do. Doses are written into the tables, never recommended.

    Either ``effect_c``, a plain warming of the treated toes at rest, or a mechanism: ``nerve_block``,
    ``direct_dilation`` and ``sweat_block``, each the share 0..1 that is blocked or dilated at its best, whose warming
    follows from the physiology. Left out, the toxin does nothing. All follow one course:
    (1 − exp(−t/onset)) × exp(−ln 2 (t/duration)^steepness).
    """

    effect_c: float | None = _maybe(
        "warming of the treated toes at its best; left out: 0, or by mechanism", low=-10, high=12, unit="°C"
    )
    nerve_block: float = _number(0.0, "share of the sympathetic drive that is blocked", low=0, high=1)
    direct_dilation: float = _number(0.0, "vessels dilated whatever the drive, 0 to 1", low=0, high=1)
    sweat_block: float = _number(0.0, "share of sweating that is lost", low=0, high=1)
    person_sd: float = _number(0.2, "SD of the effect between people, as a share of it", low=0, high=2)
    toe_sd: float = _number(0.15, "SD of the effect between one person's toes, as a share", low=0, high=2)
    non_responders: float = _number(0.0, "share of people in whom it does nothing", low=0, high=1)
    onset_days: float = _number(6.7, "τ of the onset (movement disorders: 6.7 ± 5, PMID 35113259)", low=0.1, high=60)
    onset_sd: float = _number(0.3, "SD of ln τ between people", low=0, high=2)
    duration_days: float = _number(120.0, "days until a half of it is left", low=5, high=1000)
    duration_sd: float = _number(0.15, "SD of ln duration between people", low=0, high=2)
    sweat_days: float = _number(180.0, "days until a half of the lost sweating is back", low=5, high=1000)
    steepness: float = _number(5.0, "how suddenly it wanes (Weibull's shape)", low=0.5, high=20)
    week: float = _number(0.0, "weeks from enrolment to the injections", low=0, high=200)
    start_weeks: tuple[float, ...] = _list((), "randomised start: one of these weeks is drawn for each person", low=0)
    side: str = _word("both", "which feet are injected: both, left, right or random", TREATED_SIDES)
    sites: tuple[str, ...] = _list(TOES, "which toes are injected", words=TOES)
    spill: float = _number(0.0, "share of the effect that the toes not injected get too", low=0, high=1)
    ball_share: float = _number(0.25, "share of the toes' mean effect that the ball gets", low=0, high=1)
    rcs_change: float = _number(0.0, "change of the Raynaud's condition score at best", low=-10, high=10)
    attacks_factor: float = _number(1.0, "attacks a day are multiplied by this at best", low=0.01, high=10)
    pain_change: float = _number(0.0, "change of pain at best, 0 to 100", low=-100, high=100)
    cold_change: float = _number(0.0, "change of cold intolerance at best, 0 to 100", low=-100, high=100)
    weakness: float = _number(0.0, "probability of weakness after the toxin", low=0, high=1)
    weakness_placebo: float = _number(0.0, "probability of weakness without it", low=0, high=1)
    product: str = _word("onabotulinumtoxinA", "the product as written into injections.csv")
    units_u: float = _number(2.0, "units at each site, as written into injections.csv", low=0, high=500)
    volume_ml: float = _number(0.1, "volume at each site, as written into injections.csv", low=0.001, high=10)


@dataclass(frozen=True)
class PlaceboPlan:
    """``[placebo]``: what being treated does by itself, to whoever was injected with anything.

    Published placebo arms: −0.65 to −1.20 points and −0.6 to −0.75 attacks a day, regression to the mean included
    (doi 10.1016/j.semarthrit.2022.152087).
    """

    rcs_change: float = _number(0.0, "change of the Raynaud's condition score at best", low=-10, high=10)
    attacks_change: float = _number(0.0, "change of attacks a day at best", low=-20, high=20)
    pain_change: float = _number(0.0, "change of pain at best, 0 to 100", low=-100, high=100)
    cold_change: float = _number(0.0, "change of cold intolerance at best, 0 to 100", low=-100, high=100)
    toes_c: float = _number(0.0, "warming of the toes at best (calmer people are warmer)", low=-5, high=5, unit="°C")
    onset_days: float = _number(5.0, "τ of its onset", low=0.1, high=60)
    fade_days: float = _number(1000.0, "days until a half of it is left", low=5, high=100_000)
    person_sd: float = _number(0.5, "SD between people, as a share", low=0, high=3)


@dataclass(frozen=True)
class SelectionPlan:
    """``[selection]``: who enrols when. A disease that comes and goes is brought to the clinic at its worst."""

    worst_of_days: int = _whole(0, "people enrol on the worst of so many days; 0: on any day", high=730)


@dataclass(frozen=True)
class VariationPlan:
    """``[variation]``: how people, limbs, toes and days differ. All SDs of toes at rest.

    The *flare* is the course of the disease itself, a process of SD 1 that forgets over ``flare_days``: it moves toes
    and complaints together, and enrolment at its worst makes regression to the mean.
    """

    person_c: float = _number(1.0, "SD between people", low=0, high=10, unit="°C")
    limb_c: float = _number(0.3, "SD between the feet of one person", low=0, high=5, unit="°C")
    toe_c: float = _number(0.4, "SD between the toes of one foot", low=0, high=5, unit="°C")
    day_c: float = _number(0.4, "SD from day to day, all toes together", low=0, high=5, unit="°C")
    limb_day_c: float = _number(0.15, "the same, each foot by itself", low=0, high=5, unit="°C")
    toe_day_c: float = _number(0.25, "the same, each toe by itself", low=0, high=5, unit="°C")
    room_slope: float = _number(0.2, "SD between people of what a °C of room does, as a share", low=0, high=1)
    flare_c: float = _number(0.4, "how much colder toes are per SD of flare", low=0, high=5, unit="°C")
    flare_drive: float = _number(
        0.08, "with a mechanism or recordings: sympathetic drive per SD of flare", low=0, high=1
    )
    flare_rcs: float = _number(1.0, "points of the Raynaud's condition score per SD of flare", low=0, high=5)
    flare_attacks: float = _number(0.3, "ln(attacks a day) per SD of flare", low=0, high=3)
    flare_pain: float = _number(8.0, "points of pain and cold intolerance per SD of flare", low=0, high=50)
    flare_days: float = _number(15.0, "how long a flare lasts (correlation time)", low=0.5, high=365, unit="days")


@dataclass(frozen=True)
class CameraPlan:
    """``[camera.ID]``: what its data sheet says, and what it truly does."""

    id: str = _word("cam1", "its ID in scans.csv")
    model: str = _word("Simulated 320", "maker and model")
    pixels: tuple[int, int] = field(
        default=(320, 240), metadata={"meaning": "width and height", "low": 80, "high": 1280}
    )
    accuracy_c: float = _number(2.0, "half-width of the specified accuracy", low=0.01, high=10, unit="°C")
    bias_c: float | None = _maybe(
        "its true common error; left out: drawn within its accuracy", low=-20, high=20, unit="°C"
    )
    drift_c: float = _number(0.25, "SD of that error from session to session", low=0, high=5, unit="°C")
    netd_mk: float = _number(40.0, "noise of a pixel", low=1, high=1000, unit="mK")
    nonuniformity_c: float = _number(0.4, "centre to corner", low=0, high=5, unit="°C")


@dataclass(frozen=True)
class PicturesPlan:
    """``[pictures]``: what is recorded. With ``none`` measurements.csv is written, straight from truth and camera."""

    kind: str = _word("stills", "none, stills (both soles at rest) or recordings (after cold water, too)", PICTURES)
    rewarming: bool = _yes_no(False, "with none: whether measurements.csv holds a cold challenge, too")
    reference_in_view: bool = _yes_no(False, "whether a black body lies in each picture")
    frames: int = _whole(91, "frames of a rewarming recording", low=3, high=20_000)
    interval_s: float = _number(10.0, "time between them", low=0.02, high=120, unit="s")
    water_c: float = _number(15.0, "the cold water", low=1, high=30, unit="°C")
    immersion_s: float = _number(60.0, "how long the feet are in it", low=5, high=3600, unit="s")
    motion_px: float = _number(1.0, "SD of how far feet wander during a recording", low=0, high=20, unit="px")
    twitches: float = _number(1.0, "sudden moves in a recording, on average", low=0, high=50)
    drift_c_per_min: float = _number(0.02, "SD of the camera's drift in a recording", low=0, high=1, unit="°C a minute")
    nuc_jump_c: float = _number(0.15, "SD of the offset's jump at each shutter event", low=0, high=3, unit="°C")
    nuc_every_s: float = _number(180.0, "time between shutter events", low=5, high=100_000, unit="s")
    covered: float = _number(0.0, "probability that a hand passes through a frame", low=0, high=0.5)
    defocused: float = _number(0.0, "probability that a frame is out of focus", low=0, high=0.5)


@dataclass(frozen=True)
class DiaryPlan:
    """``[diary]``: what people write down each day; nothing where ``columns`` is empty."""

    columns: tuple[str, ...] = _list((), "which columns of diary.csv are kept", words=DIARY_COLUMNS)
    days_before: int = _whole(14, "days before enrolment that it begins", high=365)
    days_after: int = _whole(160, "days after enrolment that it ends", low=1, high=1500)
    serial: float = _number(0.5, "correlation of one day's own noise with the next day's", low=0, high=0.98)
    rcs_sd: float = _number(1.0, "SD of a day's own noise of the condition score", low=0, high=5)
    pain_sd: float = _number(9.0, "SD of a day's own noise of pain and cold intolerance", low=0, high=50)
    dispersion: float = _number(2.0, "shape of the gamma that makes attacks over-dispersed; large: Poisson", low=0.1)
    person_sd: float = _number(0.2, "SD between people of their level, as a share", low=0, high=1)
    missing: float = _number(0.08, "share of days not filled in", low=0, high=0.9)
    missing_run: float = _number(2.0, "mean length of a gap", low=1, high=60, unit="days")


@dataclass(frozen=True)
class HeelsPlan:
    """``[heels]``: forefoot pain in high heels; its presence adds heel hours, height and steps to the diary.

    Load of a day = hours × height in dm. Its carry-over L(d) = (1 − c) Σ c^k load(d − k) drives the pain:
    pain = rest + slope × L + harm felt + what the toxin does × course, in points of 0..100. Less pain than before
    tempts into longer hours; load over what is tolerated adds harm, which heals slowly, and which the toxin hides.
    """

    hours: float = _number(5.0, "hours in heels on a day with heels", low=0, high=16, unit="h")
    hours_sd: float = _number(0.35, "SD of ln hours from day to day", low=0, high=2)
    height_mm: float = _number(70.0, "height of the heels", low=0, high=150, unit="mm")
    height_sd_mm: float = _number(12.0, "SD of the height from day to day", low=0, high=60, unit="mm")
    days_a_week: float = _number(4.0, "days with heels", low=0, high=7)
    pain_rest: float = _number(15.0, "pain without any load", low=0, high=100)
    pain_per_load: float = _number(9.0, "points of pain per hour·dm of carried load", low=0, high=100)
    slope_sd: float = _number(0.15, "SD of that between people, as a share", low=0, high=1)
    carry_over: float = _number(0.4, "c: how much of yesterday's load is left", low=0, high=0.95)
    temptation: float = _number(0.0, "ln hours gained per 10 points less pain than before", low=-1, high=1)
    harm_per_load: float = _number(0.0, "harm gained a day per hour·dm over what is tolerated", low=0, high=5)
    tolerated: float = _number(2.5, "carried load that does no harm", low=0, high=30, unit="h·dm")
    harm_heals_days: float = _number(90.0, "time constant of healing", low=1, high=2000, unit="days")
    harm_felt: float = _number(1.0, "points of pain per unit of harm", low=0, high=50)
    harm_hidden: float = _number(0.7, "share of the harm's pain that the toxin hides at its best", low=0, high=1)


@dataclass(frozen=True)
class StudyPlan:
    """A whole simulated study. ``question`` is what it poses, for the README of its truth."""

    id: str = _word("simulated-study", "the study's short code")
    title: str = _word("A simulated study", "its title")
    question: str = _word("", "the question that it poses, in words")
    seed: int = _whole(1, "the same seed makes the same bytes", high=2**63 - 1)
    timezone: str = _word("Europe/Zurich", "where its clocks are, an IANA time zone")
    important_c: float = _number(
        1.0, "smallest warming that matters, for the truth about duration", low=0.01, unit="°C"
    )
    design: DesignPlan = DesignPlan()
    outcomes: OutcomesPlan = OutcomesPlan()
    groups: tuple[GroupPlan, ...] = (GroupPlan(),)
    visits: VisitsPlan = VisitsPlan()
    room: RoomPlan = RoomPlan()
    outdoor: OutdoorPlan = OutdoorPlan()
    toxin: ToxinPlan = ToxinPlan()
    placebo: PlaceboPlan = PlaceboPlan()
    selection: SelectionPlan = SelectionPlan()
    variation: VariationPlan = VariationPlan()
    cameras: tuple[CameraPlan, ...] = (CameraPlan(),)
    pictures: PicturesPlan = PicturesPlan()
    diary: DiaryPlan = DiaryPlan()
    heels: HeelsPlan | None = None

    @property
    def people(self) -> int:
        """How many take part."""
        return sum(group.n for group in self.groups)

    @property
    def mechanisms(self) -> tuple[tuple[float, float, float], ...]:
        """``nerve_block``, ``direct_dilation`` and ``sweat_block`` of each group."""
        usual = (self.toxin.nerve_block, self.toxin.direct_dilation, self.toxin.sweat_block)
        own = ((group.nerve_block, group.direct_dilation, group.sweat_block) for group in self.groups)
        return tuple(
            (usual[0] if a is None else a, usual[1] if b is None else b, usual[2] if c is None else c)
            for a, b, c in own
        )

    @property
    def mechanistic(self) -> bool:
        """Whether the warming follows from a mechanism instead of ``effect_c``."""
        return max(max(group) for group in self.mechanisms) > 0

    @property
    def physiological(self) -> bool:
        """Whether toes follow from vessels: for a mechanism, and for recordings after cold water."""
        return self.mechanistic or self.challenged

    @property
    def challenged(self) -> bool:
        """Whether feet are cooled in water and followed afterwards."""
        return self.pictures.kind == "recordings" or (self.pictures.kind == "none" and self.pictures.rewarming)
