"""Numbers and sentences: what the tables say, in words a patient can read, and nothing more than they say."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from rewarm.regions import ANGIOSOMES, FINGERS, TOES, Region
from rewarm.study.results import Comparison, ScanResult
from rewarm.tables import SMALLEST_DETECTABLE_FACTOR

DIGITS: Final = (*TOES, *FINGERS)
UNKNOWN: Final = "–"
NBSP: Final = "\N{NO-BREAK SPACE}"

CONTROLS: Final = {
    "untreated_limb": "an untreated limb",
    "untreated_region": "an untreated region",
    "placebo": "a placebo group",
}


def number(value: float | None, decimals: int = 1, *, signed: bool = False) -> str:
    """A figure with a real minus sign; "–" where there is none."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    text = f"{value:+.{decimals}f}" if signed else f"{value:.{decimals}f}"
    if float(text) == 0:
        text = f"{0:.{decimals}f}"
    return text.replace("-", "−")


def typeset(value: object) -> object:
    """For Jinja's ``finalize``: text with real minus signs before figures and a fixed space before per cent signs.

    What is marked as safe (figures, styles) and what is no text passes unchanged.
    """
    if type(value) is not str:
        return value
    return re.sub(r"(?<=\d) ?%", f"{NBSP}%", re.sub(r"(?<![\w-])-(?=\d)", "−", value))


def region_words(region: str) -> str:
    """``toe1`` → "toe 1 (big toe)", ``finger2`` → "finger 2"."""
    for stem in ("toe", "finger"):
        if region.startswith(stem) and region[len(stem) :].isdigit():
            extra = {"toe1": " (big toe)", "finger1": " (thumb)"}.get(region, "")
            return f"{stem} {region[len(stem) :]}{extra}"
    return region.replace("_", " ")


def short_region(region: str) -> str:
    """``toe1`` → "T1", ``finger2`` → "F2"."""
    return f"{region[0].upper()}{region[-1]}"


def list_regions(items: Iterable[Region]) -> str:
    """In few words, "left toes 3 to 5; right toe 1": sides and digits gathered, so that a list stays short.

    Angiosomes are zones of a foot and are named only where they stand alone.
    """
    gathered: dict[tuple[str, str], list[int]] = {}
    items = tuple(items)
    named = [item for item in items if item.region not in ANGIOSOMES]
    for item in named or items:
        stem = item.region.rstrip("0123456789")
        numbers = gathered.setdefault((item.side, stem), [])
        if item.region != stem:
            numbers.append(int(item.region[len(stem) :]))
    return "; ".join(f"{side} {_numbered(stem.replace('_', ' '), found)}" for (side, stem), found in gathered.items())


def _numbered(stem: str, numbers: Sequence[int]) -> str:
    if not numbers:
        return stem
    if len(numbers) == 1:
        return f"{stem} {numbers[0]}"
    in_a_row = len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1
    figures = f"{numbers[0]} to {numbers[-1]}" if in_a_row else ", ".join(map(str, numbers))
    return f"{stem}s {figures}"


_SPAN: Final = re.compile(r"(day|week|month|year)s?[ _-]*0*([1-9]\d*)", re.IGNORECASE)
_NONE_YET: Final = re.compile(r"(day|week|month|year)s?[ _-]*0+", re.IGNORECASE)
START: Final = "start"


def visit_words(visit: str) -> str:
    """A visit's name as recorded, with blanks for underscores; ``week06`` reads "6 weeks", ``week00`` "start"."""
    words = visit.replace("_", " ").strip()
    if _NONE_YET.fullmatch(words):
        return START
    span = _SPAN.fullmatch(words)
    if span is None:
        return words
    return f"{span[2]} {span[1].lower()}{'' if span[2] == '1' else 's'}"


def at_visit(visit: str) -> str:
    """When, as in "at 6 weeks" or "at the visit “follow-up”"."""
    words = visit_words(visit)
    if words[:1].isdigit():
        return f"at {words}"
    if words == START:
        return f"at the {words}"
    return f"at the visit “{words}”" if words else "in the second scan"


@dataclass(frozen=True)
class InPicture:
    """The difference inside one picture that a view allows: its metric, the region that digits are compared with."""

    metric: str
    proximal: str


def in_picture(scan: ScanResult) -> InPicture:
    """Digits against the arch or palm; against the back of foot or hand where that is what the picture shows."""
    hand = is_hand(scan)
    if scan.view == "dorsal":
        return InPicture("distal_dorsal_difference", "hand_dorsum" if hand else "dorsum")
    return InPicture("distal_proximal_difference", "palm" if hand else "arch")


def is_hand(scan: ScanResult) -> bool:
    """Whether the scan shows hands, not feet."""
    return scan.limb.endswith(("hand", "hands"))


PROXIMAL_WORDS: Final = {"dorsum": "back of the foot", "hand_dorsum": "back of the hand"}


@dataclass(frozen=True)
class DigitsSummary:
    """All toes (or fingers) of one comparison together, °C; None where nothing could be compared.

    The uncertainty of the average is taken as the average uncertainty, as if all of it were shared by the toes: the
    camera's part is, so averaging does not make it smaller, and this is the cautious bound for the rest.
    """

    noun: str
    proximal: str
    found: int
    change: float | None
    half_width: float | None
    difference_change: float | None
    difference_half_width: float | None
    difference_found: int
    room_change: float | None

    @property
    def detectable(self) -> bool:
        """Whether the average change is beyond the measurement's own error at 95 %."""
        return _beyond(self.change, self.half_width)

    @property
    def difference_detectable(self) -> bool:
        """The same for the difference inside the picture."""
        return _beyond(self.difference_change, self.difference_half_width)


def _beyond(change: float | None, half_width: float | None) -> bool:
    return change is not None and half_width is not None and abs(change) > half_width


def summarise(comparison: Comparison) -> DigitsSummary:
    """The digits of a comparison together, from its table."""
    table = comparison.table
    inside = in_picture(comparison.before)
    digits = table[table["region"].isin(DIGITS) & table["side"].isin(("left", "right"))]
    change, half_width, found = _average(digits[digits["metric"] == "mean"])
    d_change, d_half, d_found = _average(digits[digits["metric"] == inside.metric])
    room = comparison.room_change_c
    return DigitsSummary(
        _noun(comparison.before), inside.proximal, found, change, half_width, d_change, d_half, d_found, room
    )


def _noun(scan: ScanResult) -> str:
    return "fingers" if is_hand(scan) else "toes"


def _proximal_words(proximal: str) -> str:
    owner = "the same hand" if proximal in ("palm", "hand_dorsum") else "the same foot"
    return PROXIMAL_WORDS.get(proximal, f"{proximal} of {owner}")


def _average(rows: pd.DataFrame) -> tuple[float | None, float | None, int]:
    change = pd.to_numeric(rows["change"], errors="coerce").astype(float)
    uncertainty = pd.to_numeric(rows["u"], errors="coerce").astype(float)[change.notna()]
    change = change.dropna()
    if change.empty:
        return None, None, 0
    known = uncertainty.notna().all()
    half_width = SMALLEST_DETECTABLE_FACTOR * float(uncertainty.mean()) if known else None
    return float(change.mean()), half_width, len(change)


def warmer(change: float, decimals: int = 1) -> str:
    """How a change reads: "2.8 °C warmer", "1.0 °C colder", or "unchanged" where it rounds to nothing."""
    text = number(abs(change), decimals)
    if float(text) == 0:
        return f"unchanged to within 0.1{NBSP}°C"
    return f"{text}{NBSP}°C {'warmer' if change > 0 else 'colder'}"


def give_or_take(half_width: float | None, decimals: int = 1) -> str:
    """How an uncertainty reads: "± 1.5 °C", or that it is unknown."""
    return "uncertainty unknown" if half_width is None else f"±{NBSP}{number(half_width, decimals)}{NBSP}°C"


def decimals_for(change: float, half_width: float | None) -> int:
    """Tenths; hundredths where tenths would hide which of the two is larger."""
    return 2 if half_width is not None and number(abs(change)) == number(half_width) else 1


def change_sentences(who: str, comparison: Comparison) -> tuple[str, ...]:
    """What one comparison shows: the toes' temperature, and the same against the arch in the same picture."""
    summary = summarise(comparison)
    when = at_visit(comparison.after.visit)
    owner = f" of {who}" if who else ""
    if summary.change is None:
        return (f"{_capital(when)}, no {summary.noun}{owner} could be compared with before.",)
    decimals = decimals_for(summary.change, summary.half_width)
    head = f"{_capital(when)} the {summary.noun}{owner} were on average {warmer(summary.change, decimals)} than before"
    if warmer(summary.change).startswith("unchanged"):
        head = f"{_capital(when)} the {summary.noun}{owner} were on average {warmer(summary.change)}"
    head += f" ({give_or_take(summary.half_width, decimals)})"
    if summary.half_width is None:
        verdict = ": whether that is more than the measurement’s own error is not known."
    elif summary.detectable:
        verdict = ", more than the measurement’s own error can explain."
    else:
        verdict = ", too small a change for this measurement to detect."
    sentences = [head + verdict]
    if summary.difference_change is not None:
        proximal = _proximal_words(summary.proximal)
        decimals = decimals_for(summary.difference_change, summary.difference_half_width)
        change = warmer(summary.difference_change, decimals)
        tail = "" if summary.difference_detectable else ", too small to detect"
        lead = f"Against the {proximal} in the same picture they were {change}"
        lead += " than before" if not change.startswith("unchanged") else ""
        sentences.append(f"{lead} ({give_or_take(summary.difference_half_width, decimals)}){tail}.")
    return tuple(sentences)


def headline(comparisons: Sequence[Comparison]) -> str:
    """One sentence over several people, each at the first visit after; "" where there is nothing to compare."""
    warm, cold, neither = "warmer", "colder", "no detectable change"
    groups: dict[str, list[str]] = {warm: [], cold: [], neither: []}
    noun = "Toes"
    for comparison in comparisons:
        summary = summarise(comparison)
        if summary.change is None:
            continue
        who = comparison.after.participant
        decimals = decimals_for(summary.change, summary.half_width)
        text = f"{who}: {number(summary.change, decimals, signed=True)} {give_or_take(summary.half_width, decimals)}"
        noun = summary.noun.capitalize()
        groups[neither if not summary.detectable else warm if summary.change > 0 else cold].append(text)
    people = sum(len(texts) for texts in groups.values())
    if not people:
        return ""
    parts = [f"{kind} in {len(texts)} of {people} ({'; '.join(texts)})" for kind, texts in groups.items() if texts]
    return f"{noun} at the first visit after, compared with before: {', '.join(parts)}."


def headline_difference(comparisons: Sequence[Comparison]) -> str:
    """The same for the toes against the arch in the same picture."""
    proximal = "arch"
    counts = {"warmer": 0, "colder": 0, "no detectable change": 0}
    for comparison in comparisons:
        summary = summarise(comparison)
        if summary.difference_change is None:
            continue
        proximal = summary.proximal
        if not summary.difference_detectable:
            counts["no detectable change"] += 1
        else:
            counts["warmer" if summary.difference_change > 0 else "colder"] += 1
    people = sum(counts.values())
    if not people:
        return ""
    parts = [f"{kind} in {count} of {people}" for kind, count in counts.items() if count]
    return (
        f"Against the {_proximal_words(proximal)} in the same picture, which does not depend on the camera’s absolute "
        f"error: {', '.join(parts)}."
    )


def design_sentence(*, control: str, injected: bool) -> str:
    """What the design can and cannot say about causes."""
    treatment = "the injection" if injected else "a treatment"
    if control in CONTROLS:
        return (
            f"The plan names {CONTROLS[control]} as a control, but this report shows only changes from before to "
            f"after: on its own it does not say whether {treatment} caused them."
        )
    return (
        f"Nobody and nothing untreated was measured beside them, so this design cannot tell whether {treatment} "
        "caused a change or something else did."
    )


def cannot_rule_out(*, control: str) -> str:
    """The other explanations, in one short paragraph (sources in the report's last section)."""
    alone = (
        "The control of this study is not used here."
        if control in CONTROLS
        else "There is no untreated control that would show the same changes without treatment."
    )
    return (
        "A difference between before and after can also come from the season and the weather of the days before; from "
        "the room and how long the limbs had settled in it; from starting on a bad day, after which most people "
        "improve without any treatment (regression to the mean); from sweating less, which makes skin warmer without "
        f"more blood in it; and from the camera, whose error can differ from visit to visit. {alone} Skin temperature "
        "is not blood flow."
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
