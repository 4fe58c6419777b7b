"""What the report shows of a person's cold challenges: sentences, curves, a table of figures, maps of half-times."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from rewarm.regions import SIDES, limb_whole
from rewarm.report.figures import Picture, PictureSet
from rewarm.report.palettes import HALF_TIME
from rewarm.report.pictures import (
    WIDTH,
    Scale,
    crop_box,
    label_canvas,
    picture_labels,
    scale_bar_svg,
    thermal_svg,
)
from rewarm.report.rewarming_curves import MOST_VISITS, Course, common_axes, rewarming_svg, side_course
from rewarm.report.rewarming_figures import (
    EMPTY,
    METRICS,
    ChangeText,
    Metric,
    Value,
    change_text,
    over_digits,
    value_text,
    values_of,
)
from rewarm.report.words import DIGITS, NBSP, at_visit, number, visit_words
from rewarm.study.results import Rewarming, StudyResult
from rewarm.study.rewarming_changes import one_a_visit

HALF: Final = next(metric for metric in METRICS if metric.name == "t50")
REST: Final = next(metric for metric in METRICS if metric.name == "tpre")
FOLLOWED_MIN: Final = 15.0
"""A scale of half-times ends here, where the usual challenge does."""
SMALL_WIDTH: Final = 340.0

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class RewarmingRow:
    """One figure of a side: of all toes together, and of the great toe or the thumb."""

    name: str
    together: ChangeText
    first: ChangeText


@dataclass(frozen=True)
class RewarmingVisit:
    """The rows of one later visit, or of the only one, under its heading."""

    heading: str
    rows: tuple[RewarmingRow, ...]


@dataclass(frozen=True)
class RewarmingTable:
    """Everything about one side; ``compared`` is False where there is one visit only."""

    caption: str
    together: str
    first: str
    compared: bool
    visits: tuple[RewarmingVisit, ...]


@dataclass(frozen=True)
class RewarmingSection:
    """One kind of challenge of one person, such as both soles; ``key`` names its animation."""

    key: str
    title: str
    sentences: tuple[str, ...]
    panels: tuple[Markup, ...]
    note: str
    tables: tuple[RewarmingTable, ...]
    maps: PictureSet | None
    challenges: tuple[Rewarming, ...]


def rewarming_sections(result: StudyResult, participant: str) -> tuple[RewarmingSection, ...]:
    """A person's challenges, those of one kind together, each in the order of the visits."""
    groups: dict[tuple[str, str], list[Rewarming]] = {}
    for item in result.rewarmings:
        if item.participant == participant:
            groups.setdefault((limb_whole(item.limb), item.view), []).append(item)
    return tuple(_section(kind, one_a_visit(items)) for kind, items in groups.items())


def _section(kind: tuple[str, str], items: Sequence[Rewarming]) -> RewarmingSection:
    limb, view = kind
    shown = {"plantar": "soles", "palmar": "palms"}.get(view, f"backs of the {'hands' if limb == 'hand' else 'feet'}")
    courses = {side: _courses(items, side) for side in SIDES}
    courses = {side: found for side, found in courses.items() if found}
    axes = common_axes([course for found in courses.values() for course in found]) if courses else None
    panels = (
        ()
        if axes is None
        else tuple(
            rewarming_svg(found, axes, title=f"{side.capitalize()} {limb}", alt=_alt(side, limb, found))
            for side, found in courses.items()
        )
    )
    left = f"The {MOST_VISITS} first visits are drawn. " if len(items) > MOST_VISITS else ""
    return RewarmingSection(
        key="-".join(filter(None, (items[0].participant, limb, view))),
        title=f"{shown.capitalize()} after cold water",
        sentences=rewarming_sentences(items),
        panels=panels,
        note=left + _baseline_note(items),
        tables=tuple(table for side in SIDES if (table := _table(items, side)) is not None),
        maps=half_time_maps(items),
        challenges=tuple(items),
    )


def _courses(items: Sequence[Rewarming], side: str) -> list[Course]:
    found = []
    for item in items[:MOST_VISITS]:
        half = over_digits(list(values_of(item.metrics, side, HALF).values()))
        rest = over_digits(list(values_of(item.metrics, side, REST).values()))
        course = side_course(
            item.curves,
            side,
            _words(item),
            rest_c=None if rest is None else rest.value,
            half_s=None if half is None else half.value * HALF.divisor,
            half_reached=half is None or half.reached,
        )
        if course is not None:
            found.append(course)
    return found


def rewarming_sentences(items: Sequence[Rewarming]) -> tuple[str, ...]:
    """For each later visit, or the only one: when half of the warmth was regained, in words a patient can read."""
    noun = _noun(items[0])
    if len(items) == 1:
        times = _half_words(items[0])
        return (f"{_when(items[0])}, half of the {noun}’ warmth was regained {times}.",) if times else ()
    before, sentences = items[0], []
    for after in items[1:]:
        parts = []
        for side in SIDES:
            first, later = _together(before, after, (side,))
            if first is not None and later is not None:
                parts.append(f"{side} {_after_words(later)} ({_words(before)}: {_after_words(first)})")
        if parts:
            sentences.append(
                f"{_when(after)}, half of the {noun}’ warmth was regained after the cold water: {'; '.join(parts)}."
            )
    return tuple(sentences)


def rewarming_headline(result: StudyResult) -> tuple[str, ...]:
    """For the short answer: how soon half of the warmth was back, before and at the first visit after.

    Of one person the sentences of that visit, of several people one sentence over all who were seen twice.
    """
    pairs = []
    for name in dict.fromkeys(item.participant for item in result.rewarmings):
        for section in rewarming_sections(result, name):
            if len(section.challenges) > 1:
                pairs.append(section.challenges[:2])
                break
    if len(pairs) < 2:
        return rewarming_sentences(pairs[0])[:1] if pairs else ()
    rows = []
    for before, after in pairs:
        first, later = _together(before, after, SIDES)
        if first is not None and later is not None:
            rows.append((before.participant, first, later))
    if not rows:
        return ()
    counts = [sum(before.reached for _, before, _ in rows), sum(after.reached for _, _, after in rows)]
    who = "; ".join(
        f"{name}: from {value_text(before, HALF)} to {value_text(after, HALF)}{NBSP}min" for name, before, after in rows
    )
    return (
        f"After cold water, half of the {_noun(pairs[0][0])}’ warmth was back, while watched, in {counts[0]} of "
        f"{len(rows)} people before and in {counts[1]} of {len(rows)} at the first visit after ({who}).",
    )


def _together(before: Rewarming, after: Rewarming, sides: Sequence[str]) -> tuple[Value | None, Value | None]:
    """When half of the warmth was back before and after, over the toes that were seen both times."""
    pair: tuple[list[Value], list[Value]] = ([], [])
    for side in sides:
        first, later = (values_of(item.metrics, side, HALF) for item in (before, after))
        for region in DIGITS:
            if region in first and region in later:
                pair[0].append(first[region])
                pair[1].append(later[region])
    return over_digits(pair[0]), over_digits(pair[1])


def _half_words(item: Rewarming) -> str:
    parts = []
    for side in SIDES:
        value = over_digits(list(values_of(item.metrics, side, HALF).values()))
        if value is not None:
            parts.append(f"{side} {_after_words(value)}")
    return "; ".join(parts)


def _after_words(value: Value) -> str:
    minutes = number(value.value)
    return f"after {minutes}{NBSP}min" if value.reached else f"not within {minutes}{NBSP}min"


def _when(item: Rewarming) -> str:
    text = at_visit(item.visit) if item.visit else f"in {item.scan}"
    return text[:1].upper() + text[1:]


def _words(item: Rewarming) -> str:
    return visit_words(item.visit) or item.scan


def _noun(item: Rewarming) -> str:
    return "fingers" if limb_whole(item.limb) == "hand" else "toes"


def _baseline_note(items: Sequence[Rewarming]) -> str:
    without = [_words(item) for item in items if not item.metrics["metric"].eq("tpre").any()]
    if not without:
        return ""
    return (
        f"Nothing was measured before the immersion at: {', '.join(without)}. What was regained, and when, cannot be "
        "said there."
    )


def _table(items: Sequence[Rewarming], side: str) -> RewarmingTable | None:
    """Each later visit against the first; the first alone where there is no other."""
    limb, noun = limb_whole(items[0].limb), _noun(items[0])
    owner = f"{items[0].participant}, " if items[0].participant else ""
    before = items[0]
    pairs = [(before, after) for after in items[1:]] or [(before, before)]
    visits = []
    for first, after in pairs:
        rows = tuple(row for metric in METRICS if (row := _row(first, after, side, metric)) is not None)
        if rows:
            visits.append(RewarmingVisit(_heading(after), rows))
    if not visits:
        return None
    compared = len(items) > 1
    against = f", compared with {_heading(before)}" if compared else ""
    return RewarmingTable(
        caption=f"{owner}{side} {limb} after cold water{against}",
        together=f"All {noun} together",
        first="Thumb" if limb == "hand" else "Big toe",
        compared=compared,
        visits=tuple(visits),
    )


def _heading(item: Rewarming) -> str:
    return f"{_words(item)}, {item.date.isoformat()}" if item.date else _words(item)


def _row(before: Rewarming, after: Rewarming, side: str, metric: Metric) -> RewarmingRow | None:
    first, later = values_of(before.metrics, side, metric), values_of(after.metrics, side, metric)
    if (not first and not later) or (metric.sparse and not (first and later)):
        return None
    if before is after:
        return RewarmingRow(_name(metric), _alone(over_digits(list(first.values())), metric), _great(first, metric))
    common = [region for region in DIGITS if region in first and region in later]
    together = EMPTY
    if common:
        pair = [over_digits([values[region] for region in common]) for values in (first, later)]
        together = change_text(pair[0], pair[1], metric)
    great = [next((values[name] for name in ("toe1", "finger1") if name in values), None) for values in (first, later)]
    return RewarmingRow(_name(metric), together, change_text(great[0], great[1], metric))


def _great(values: Mapping[str, Value], metric: Metric) -> ChangeText:
    return _alone(next((values[name] for name in ("toe1", "finger1") if name in values), None), metric)


def _alone(value: Value | None, metric: Metric) -> ChangeText:
    u = None if value is None or not value.reached else value.u
    return ChangeText(value_text(value, metric), "", "", number(u, metric.decimals), "", "")


def _name(metric: Metric) -> str:
    return f"{metric.words}, {metric.unit}"


def half_time_maps(items: Sequence[Rewarming]) -> PictureSet | None:
    """Per pixel, when half of the rise was done, on one scale; None where there is no recording."""
    recorded = [item for item in items if item.followed is not None]
    maps = [item.followed.maps.half_time_s / 60.0 for item in recorded if item.followed is not None]
    known = [_toes_of(item, values) for item, values in zip(recorded, maps, strict=True)]
    known = [values[np.isfinite(values)] for values in known]
    if not recorded or not any(values.size for values in known):
        return None
    longest = float(np.percentile(np.concatenate(known), 98))
    high = float(min(max(2.0, math.ceil(longest)), FOLLOWED_MIN))
    scale = Scale(0.0, high, 1.0 if high <= 8 else 2.0 if high <= 10 else 5.0)
    width = WIDTH if len(recorded) == 2 else SMALL_WIDTH  # two share a row, three share one as well
    pictures = []
    for item, values in zip(recorded, maps, strict=True):
        crop = crop_box([item.regions])
        labels = picture_labels(item.regions, crop, width=width)
        drawing = thermal_svg(
            values,
            item.regions,
            scale=scale,
            palettes=(HALF_TIME,),
            crop=crop,
            canvas=label_canvas(crop, labels),
            labels=labels,
            alt=_map_alt(item, values, scale),
            width=width,
        )
        pictures.append(Picture(drawing, _heading(item), _map_lines(item, values)))
    bar = scale_bar_svg(scale, HALF_TIME, caption="Scale of half-times", unit="min", ends=("", "later"))
    words = f"One scale, 0 to {number(high, 0)} minutes"
    return PictureSet(tuple(pictures), {HALF_TIME.key: bar}, words)


def _map_lines(item: Rewarming, values: Floats) -> tuple[str, ...]:
    inside = _toes_of(item, values)
    if not inside.size:
        return ()
    missing = np.isnan(inside)
    if missing.all():
        return (f"No pixel of the {_noun(item)} could be timed.",)
    median = float(np.median(np.where(missing, np.inf, inside)))  # what could not be timed is later, never left out
    told = f"{number(median)}{NBSP}min" if math.isfinite(median) else "not within the recording"
    lines = [f"{_noun(item).capitalize()}: {told} (median)."]
    if missing.mean() >= 0.01:
        lines.append(f"Grey: {100 * missing.mean():.0f} % of the {_noun(item)} could not be timed.")
    return tuple(lines)


def _toes_of(item: Rewarming, values: Floats) -> Floats:
    """The pixels of toes or fingers of a map, (pixels,)."""
    mask = np.zeros(values.shape, dtype=bool)
    for region in item.regions.found:
        if region.region in DIGITS:
            mask |= region.mask
    return values[mask]


def _map_alt(item: Rewarming, values: Floats, scale: Scale) -> str:
    said = " ".join(_map_lines(item, values)) or "nothing could be timed"
    return f"Map of half-times, {_heading(item)}, colours from 0 to {number(scale.high, 0)} minutes. {said}"


def _alt(side: str, limb: str, courses: Sequence[Course]) -> str:
    parts = []
    for course in courses:
        median, minutes = course.median_c, course.time_s / 60.0
        known = np.flatnonzero(np.isfinite(median))
        if not known.size:
            continue
        at = [known[0], known[len(known) // 2], known[-1]]
        values = ", ".join(f"{number(float(median[i]))} at {number(float(minutes[i]))} min" for i in at)
        half = ""
        if course.half_s is not None:
            half_min = number(course.half_s / 60.0)
            half = (
                f"; half regained after {half_min} min" if course.half_reached else f"; half not within {half_min} min"
            )
        parts.append(f"{course.words}: {values}{half}")
    return f"Temperature after cold water, median of the {side} {limb}’s toes or fingers in °C: {'. '.join(parts)}."
