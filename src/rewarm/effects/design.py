"""What a design can show: its grade, the estimand in words, and each threat with its plausible size.

Nothing here is an opinion about a study's quality: grade and threats follow from what the tables hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isnan, nan, sqrt
from typing import Any, Final

import numpy as np
import pandas as pd

from rewarm.effects.dose import first_injections, treated_regions
from rewarm.effects.rows import THREATS

ROOM_LIMIT_C: Final = 0.5
"""A mean change of the room up to this much is taken as none."""
OUTDOOR_LIMIT_C: Final = 2.0
SEASON_LIMIT_DAYS: Final = 30.0
"""Days of the year that baseline and follow-up may differ by before the season counts as another."""
LOST_LIMIT: Final = 0.05

ROOM_C_PER_C: Final = 0.8
"""Warming of a toe per °C of room: between none (vasoconstricted sole over a warm core) and 1 (passive body)."""
OUTDOOR_C_PER_C: Final = 0.15
"""Warming of a toe per °C outdoors, at rest in a room. No figure is published for toes: this is a convention, about
1.5 °C from winter to summer, and the model lets it lie anywhere near it."""
ATTACKS_SEASON: Final = 0.48 / 10.6
"""Share of attacks that vanishes per °C outdoors (PMID 10451070); linear only near the observed range."""
_DIARY_PLACEBO: Final[Mapping[str, tuple[float, str]]] = {
    "rcs": (1.2, "placebo arms −0.65 to −1.20 (doi 10.1016/j.semarthrit.2022.152087)"),
    "attacks_n": (0.75, "placebo arms −0.6 to −0.75 a day (doi 10.1016/j.semarthrit.2022.152087)"),
}
RATED: Final = (
    *("rcs", "attacks_n", "attack_minutes", "pain_vas", "numbness", "tingling"),
    *("colour_change", "cold_intolerance", "swelling_mm"),
)
"""Outcomes that a person rates or counts."""


@dataclass(frozen=True)
class DesignFacts:
    """What the tables say about a design. None means that nothing says so.

    ``kind`` and ``control`` are the words of study.toml. ``baselines`` is the smallest number of visits that any
    treated person had before the first injection. ``within_picture_control`` tells whether untreated limbs or regions
    were seen in the same visits as treated ones. Changes are means after − before over people, in °C; ``co_treatments``
    counts people whose diary tells of a change of medication after the first injection; ``lost_share`` is the share of
    people without any visit after it. ``camera_u_c`` is the typical standard uncertainty that is shared by a picture,
    ``day_to_day_c`` how much a person's toes vary between baseline visits (NaN: unknown).
    """

    kind: str
    control: str
    randomised: bool | None
    masked_reading: bool | None
    masked_rating: bool | None
    enrolled_at_worst: bool | None
    people: int
    baselines: int
    within_picture_control: bool
    parallel_control: bool
    outdoor_change_c: float
    outdoor_known: bool
    seasons_overlap: bool | None
    season_change_days: float
    room_change_c: float
    same_camera: bool | None
    reference_in_view: bool | None
    camera_u_c: float
    day_to_day_c: float
    co_treatments: int | None
    lost_share: float


@dataclass(frozen=True)
class Threat:
    """One rival explanation of a change.

    ``size`` is how much of the outcome it may plausibly make, in the outcome's ``unit`` and the direction that looks
    like benefit; NaN where nothing is known. ``reason`` says in a sentence why it has this status, ``source`` where
    the size comes from.
    """

    name: str
    status: str
    size: float
    unit: str
    reason: str
    source: str


@dataclass(frozen=True)
class DesignGrade:
    """``grade`` is a word of :data:`rewarm.effects.rows.GRADES`; ``estimand`` the one that the design can carry."""

    grade: str
    estimand: str
    sentence: str


def design_facts(
    settings: Mapping[str, Any],
    participants: pd.DataFrame,
    visits: pd.DataFrame,
    injections: pd.DataFrame | None = None,
    *,
    scans: pd.DataFrame | None = None,
    diary: pd.DataFrame | None = None,
    measurements: pd.DataFrame | None = None,
) -> DesignFacts:
    """Gather what the tables of a study folder (typed, as :func:`rewarm.study.check_study` gives them) say.

    ``settings`` is study.toml; ``[design] randomised`` and ``[design] enrolled_at_worst`` are read where they stand.
    """
    design = settings.get("design", {})
    injected = _injected(injections)
    dated = visits.merge(injected.rename("injected"), left_on="participant", right_index=True, how="inner")
    after = dated["date"].dt.normalize() > dated["injected"].dt.normalize()
    before, later = dated[~after], dated[after]
    kind, control = str(design.get("kind", "case_series")), str(design.get("control", "none"))
    treated = sorted(set(dated["participant"]))
    counts = before.groupby("participant").size().reindex(treated, fill_value=0)
    untreated = sorted(set(participants["participant"]) - _active(injections))
    outdoor = _numbers(visits, "outdoor_mean_c")
    return DesignFacts(
        kind=kind,
        control=control,
        randomised=_flag(design, "randomised"),
        masked_reading=_flag(design, "masked_reading"),
        masked_rating=_flag(design, "masked_rating"),
        enrolled_at_worst=_flag(design, "enrolled_at_worst"),
        people=len(participants),
        baselines=int(counts.min()) if treated else 0,
        within_picture_control=_within_picture_control(injections, measurements),
        parallel_control=bool(untreated) and bool(_active(injections)),
        outdoor_change_c=_mean_change(before, later, "outdoor_mean_c"),
        outdoor_known=bool(outdoor.notna().all()) and len(outdoor) > 0,
        seasons_overlap=_seasons_overlap(before, later),
        season_change_days=_season_change(before, later),
        room_change_c=_mean_change(before, later, "ambient_c"),
        same_camera=_same_camera(scans, before, later),
        reference_in_view=_all_filled(scans, "reference_c"),
        camera_u_c=_camera_u(measurements),
        day_to_day_c=_day_to_day(measurements, before),
        co_treatments=_co_treatments(diary, injected),
        lost_share=1.0 - later["participant"].nunique() / len(treated) if treated else nan,
    )


def grade_design(facts: DesignFacts) -> DesignGrade:
    """Grade of the design, the estimand it can carry, and what that means in one sentence."""
    controlled = facts.within_picture_control or facts.parallel_control
    if facts.kind == "n_of_1" and facts.randomised and facts.baselines >= 2:
        sentence = "The start of the treatment was drawn by chance, so that time alone is an unlikely cause"
        return DesignGrade("randomised_start", "effect_vs_control" if controlled else "effect_modelled", sentence)
    if controlled and facts.randomised:
        by = "the treatment alone" if facts.control == "placebo" else "the treatment, or by what expecting it does"
        sentence = f"Chance decided what was treated, so treated and untreated differ by {by}"
        return DesignGrade("randomised_controlled", "effect_vs_control", sentence)
    if controlled:
        sentence = (
            "Treated and untreated were seen at the same time, but nothing says that chance decided which was treated"
        )
        return DesignGrade("controlled", "effect_vs_control", sentence)
    grade = "repeated_baseline" if facts.baselines >= 2 else "before_after"
    sentence = "Nothing untreated was seen at the same time: what changed is known, what changed it is not"
    return DesignGrade(grade, "effect_modelled", sentence)


def threats_to(
    facts: DesignFacts, outcome: str, unit: str, *, estimand: str = "effect_vs_control"
) -> tuple[Threat, ...]:
    """Every threat of :data:`rewarm.effects.rows.THREATS` that concerns ``outcome``, with its status and size.

    A control excludes nothing from a ``change_from_baseline``, which does not use it. Sizes are in °C for temperatures
    and in the diary's unit for RCS and attacks; NaN for other outcomes, for which nothing is published.
    """
    if estimand == "change_from_baseline":
        control = "none" if facts.control == "placebo" else facts.control
        facts = replace(facts, within_picture_control=False, parallel_control=False, randomised=None, control=control)
    rated = outcome in RATED
    degrees = unit in ("degC", "delta_degC")
    found = [
        _season(facts, outcome, unit, degrees=degrees),
        _room(facts, unit, degrees=degrees),
        _regression(facts, outcome, unit, degrees=degrees),
        _placebo(facts, outcome, unit, rated=rated),
        _unmasked(facts, unit, rated=rated),
        _co_treatment(facts, unit),
        _drop_out(facts, unit),
    ]
    if not rated:
        found += [_camera(facts, outcome, unit, degrees=degrees), _sweating(unit)]
    return tuple(sorted(found, key=lambda threat: list(THREATS).index(threat.name)))


def statuses(threats: tuple[Threat, ...]) -> dict[str, str]:
    """Name → status, as :class:`rewarm.effects.rows.Effect` takes them."""
    return {threat.name: threat.status for threat in threats}


def _controlled(facts: DesignFacts) -> bool:
    return facts.within_picture_control or facts.parallel_control


def _compared(change_c: float, where: str = "") -> str:
    """``0.6 °C colder outdoors after than before``; what is rounded to nothing is neither warmer nor colder."""
    size = f"{abs(change_c):.1f}"
    if float(size) == 0:
        return f"as warm{where} after as before"
    return f"{size} °C {'warmer' if change_c > 0 else 'colder'}{where} after than before"


def _season(facts: DesignFacts, outcome: str, unit: str, *, degrees: bool) -> Threat:
    change_c = facts.outdoor_change_c
    size, source = nan, ""
    if degrees and not isnan(change_c):
        size, source = OUTDOOR_C_PER_C * change_c, f"{OUTDOOR_C_PER_C} °C a °C outdoors, a convention"
    elif outcome == "attacks_n" and not isnan(change_c):
        size, source = ATTACKS_SEASON * change_c, "share of attacks, −48 % for +10.6 °C (PMID 10451070)"
        unit = "share"
    if _controlled(facts):
        return Threat("season", "excluded", size, unit, "The untreated had the same weather", source)
    if not isnan(change_c):
        status = "present" if abs(change_c) > OUTDOOR_LIMIT_C else "excluded"
        reason = f"It was {_compared(change_c, ' outdoors')}"
        return Threat("season", status, size, unit, reason, source)
    days = facts.season_change_days
    if isnan(days):
        return Threat("season", "unknown", nan, unit, "No outdoor temperatures and no visits on both sides", "")
    status = "present" if days > SEASON_LIMIT_DAYS else "unknown"
    reason = f"No outdoor temperatures; the visits after lie {days:.0f} days of the year from those before"
    return Threat("season", status, nan, unit, reason, "")


def _room(facts: DesignFacts, unit: str, *, degrees: bool) -> Threat:
    change_c = facts.room_change_c
    size = ROOM_C_PER_C * change_c if degrees else nan
    source = f"{ROOM_C_PER_C} °C a °C of room, a convention" if degrees else ""
    if isnan(change_c):
        return Threat("room", "unknown", nan, unit, "The room's temperature is not known on both sides", "")
    reason = f"The room was {_compared(change_c)}"
    if _controlled(facts):
        return Threat("room", "excluded", size, unit, f"{reason}; the untreated were in the same rooms", source)
    status = "present" if abs(change_c) > ROOM_LIMIT_C else "excluded"
    return Threat("room", status, size, unit, reason, source)


def _regression(facts: DesignFacts, outcome: str, unit: str, *, degrees: bool) -> Threat:
    size, source = nan, ""
    if degrees and not isnan(facts.day_to_day_c):
        size, source = 0.8 * facts.day_to_day_c, "mean of the worse half of a normal distribution, 0.8 SD between days"
    elif outcome in _DIARY_PLACEBO:
        size, source = _DIARY_PLACEBO[outcome]
    if _controlled(facts) and facts.randomised:
        reason = "Chance decided what was treated, so both sides return to the mean alike"
        return Threat("regression_to_the_mean", "excluded", size, unit, reason, source)
    if facts.enrolled_at_worst is False:
        reason = "study.toml says that nobody was enrolled for being at their worst"
        return Threat("regression_to_the_mean", "excluded", size, unit, reason, source)
    if facts.enrolled_at_worst:
        reason = "study.toml says that people were enrolled at their worst"
        return Threat("regression_to_the_mean", "present", size, unit, reason, source)
    visits = "one visit" if facts.baselines == 1 else f"{facts.baselines} visits"
    reason = f"Nothing says how people were chosen; {visits} before the treatment"
    return Threat("regression_to_the_mean", "unknown", size, unit, reason, source)


def _placebo(facts: DesignFacts, outcome: str, unit: str, *, rated: bool) -> Threat:
    size, source = _DIARY_PLACEBO.get(outcome, (nan, ""))
    if facts.control == "placebo":
        return Threat("placebo", "excluded", size, unit, "The control was a placebo", source)
    if rated:
        return Threat("placebo", "present", size, unit, "No placebo was given, and people rated themselves", source)
    reason = "No placebo was given; what expectation does to skin temperature is not known"
    return Threat("placebo", "unknown", nan, unit, reason, "")


def _unmasked(facts: DesignFacts, unit: str, *, rated: bool) -> Threat:
    if rated and facts.masked_rating:
        reason = "People rated themselves without knowing their treatment"
        return Threat("unmasked_rating", "excluded", nan, unit, reason, "")
    if rated:
        masked = facts.control == "placebo" and facts.masked_rating is None
        reason = (
            "People had a placebo to compare with, but nothing says whether they knew which they got"
            if masked
            else "People rated themselves and knew their treatment"
        )
        return Threat("unmasked_rating", "unknown" if masked else "present", nan, unit, reason, "")
    if facts.masked_reading:
        reason = "Pictures were read without knowing the visit"
    elif facts.masked_reading is False:
        reason = "Who corrected the outlines knew the visit; temperatures inside them are read by a program"
    else:
        reason = "Nothing says whether those who corrected outlines knew the visit"
    return Threat("unmasked_rating", "excluded" if facts.masked_reading else "unknown", nan, unit, reason, "")


def _co_treatment(facts: DesignFacts, unit: str) -> Threat:
    if facts.co_treatments is None:
        return Threat("co_treatment", "unknown", nan, unit, "No diary tells of other treatments", "")
    if facts.co_treatments:
        reason = f"{facts.co_treatments} of {facts.people} changed a medication after the first injection"
        return Threat("co_treatment", "present", nan, unit, reason, "")
    return Threat("co_treatment", "excluded", 0.0, unit, "The diaries tell of no change of medication", "")


def _drop_out(facts: DesignFacts, unit: str) -> Threat:
    if isnan(facts.lost_share):
        return Threat("drop_out", "unknown", nan, unit, "Nobody was treated", "")
    reason = (
        f"{facts.lost_share:.0%} of those treated have no visit afterwards"
        if facts.lost_share > 0
        else "Everybody who was treated was seen afterwards"
    )
    return Threat("drop_out", "present" if facts.lost_share > LOST_LIMIT else "excluded", nan, unit, reason, "")


def _camera(facts: DesignFacts, outcome: str, unit: str, *, degrees: bool) -> Threat:
    size = sqrt(2.0) * facts.camera_u_c if degrees else nan
    source = "√2 × what the uncertainty budget gives to the camera" if degrees else ""
    if facts.within_picture_control or outcome.endswith("_difference"):
        reason = "Differences inside a picture are free of the camera's offset"
        return Threat("camera", "excluded", 0.0, unit, reason, "")
    if facts.reference_in_view:
        return Threat("camera", "excluded", size, unit, "A reference of known temperature lies in each picture", source)
    if facts.same_camera is False:
        return Threat("camera", "present", size, unit, "Before and after were taken with different cameras", source)
    reason = "No reference of known temperature lies in the pictures"
    if facts.same_camera:
        reason += ", though one camera took them all"
    return Threat("camera", "unknown", size, unit, reason, source)


def _sweating(unit: str) -> Threat:
    reason = "Botulinum toxin stops sweating, and dry skin is warmer without more blood (PMC3705293)"
    return Threat("lost_sweating", "unknown", nan, unit, reason, "PMC3705293")


def _flag(design: Mapping[str, Any], name: str) -> bool | None:
    return bool(design[name]) if name in design else None


def _injected(injections: pd.DataFrame | None) -> pd.Series:
    if injections is None or injections.empty:
        return pd.Series(dtype="datetime64[s]", index=pd.Index([], name="participant", dtype="str"))
    return first_injections(injections)


def _active(injections: pd.DataFrame | None) -> set[str]:
    if injections is None or injections.empty:
        return set()
    return set(injections.loc[injections["units_u"] > 0, "participant"])


def _within_picture_control(injections: pd.DataFrame | None, measurements: pd.DataFrame | None) -> bool:
    """Whether every treated person has an untreated digit that was measured too."""
    if injections is None or injections.empty or measurements is None or measurements.empty:
        return False
    treated = treated_regions(injections)
    digits = measurements[measurements["region"].str.fullmatch(r"(toe|finger)\d")]
    seen = set(zip(digits["participant"], digits["side"], digits["region"], strict=True))
    people = {who for who, _, _ in treated} & {who for who, _, _ in seen}
    return bool(people) and all(
        any(who == other and (who, side, region) not in treated for other, side, region in seen) for who in people
    )


def _numbers(table: pd.DataFrame, column: str) -> pd.Series:
    return table[column] if column in table else pd.Series(nan, index=table.index, dtype="float64")


def _mean_change(before: pd.DataFrame, later: pd.DataFrame, column: str) -> float:
    """Mean over people of (mean after − mean before); NaN where nobody has both."""
    early = _numbers(before, column).groupby(before["participant"]).mean()
    late = _numbers(later, column).groupby(later["participant"]).mean()
    changes = (late - early).dropna()
    return float(changes.mean()) if len(changes) else nan


def _season_change(before: pd.DataFrame, later: pd.DataFrame) -> float:
    """Days of the year between the circular means of the visits before and after."""
    if before.empty or later.empty:
        return nan
    angles = [np.exp(2j * np.pi * side["date"].dt.day_of_year.to_numpy() / 365.25).mean() for side in (before, later)]
    return float(abs(np.angle(angles[1] / angles[0])) * 365.25 / (2 * np.pi))


def _seasons_overlap(before: pd.DataFrame, later: pd.DataFrame) -> bool | None:
    """Whether the outdoor temperatures before and after have a range in common; None where unknown."""
    early, late = _numbers(before, "outdoor_mean_c").dropna(), _numbers(later, "outdoor_mean_c").dropna()
    if early.empty or late.empty:
        return None
    return bool(max(early.min(), late.min()) <= min(early.max(), late.max()))


def _same_camera(scans: pd.DataFrame | None, before: pd.DataFrame, later: pd.DataFrame) -> bool | None:
    if scans is None or "camera" not in scans or (scans["camera"] == "").any():
        return None
    cameras = scans.set_index(["participant", "visit"])["camera"]
    keys = pd.concat([before, later])[["participant", "visit"]]
    used = cameras[cameras.index.isin(list(zip(keys["participant"], keys["visit"], strict=True)))]
    return bool(used.groupby(level="participant").nunique().max() == 1) if len(used) else None


def _all_filled(scans: pd.DataFrame | None, column: str) -> bool | None:
    if scans is None or scans.empty:
        return None
    return column in scans and bool(scans[column].notna().all())


def _camera_u(measurements: pd.DataFrame | None) -> float:
    if measurements is None or "u" not in measurements:
        return nan
    u = measurements.loc[measurements["metric"] == "mean", "u"].dropna()
    return float(u.median()) if len(u) else nan


def _day_to_day(measurements: pd.DataFrame | None, before: pd.DataFrame) -> float:
    """Standard deviation of a person's mean digit temperature between baseline visits, pooled over people."""
    if measurements is None or measurements.empty:
        return nan
    rows = measurements[(measurements["metric"] == "mean") & measurements["region"].str.fullmatch(r"(toe|finger)\d")]
    means = rows.groupby(["participant", "visit"])["value"].mean()
    early = means[means.index.isin(list(zip(before["participant"], before["visit"], strict=True)))]
    variances = early.groupby(level="participant").var().dropna()
    return float(np.sqrt(variances.mean())) if len(variances) else nan


def _co_treatments(diary: pd.DataFrame | None, injected: pd.Series) -> int | None:
    if diary is None or "medication_change" not in diary:
        return None
    start = diary["participant"].map(injected)
    changed = (diary["date"] > start) & ~diary["medication_change"].str.lower().isin(["", "no", "none", "0", "false"])
    return int(diary.loc[changed, "participant"].nunique())
