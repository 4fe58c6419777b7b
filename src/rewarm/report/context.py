"""What the report says about the study as a whole: the short answer, warnings, and how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from rewarm.regions import Region
from rewarm.report.people import comparisons_of, in_order
from rewarm.report.rewarming import rewarming_headline
from rewarm.report.words import (
    NBSP,
    cannot_rule_out,
    change_sentences,
    design_sentence,
    headline,
    headline_difference,
    list_regions,
    number,
    visit_words,
)
from rewarm.study.results import Comparison, ScanResult, StudyResult

DESIGNS = {
    "case_series": "case series",
    "split_limb": "split-limb comparison",
    "parallel": "parallel groups",
    "n_of_1": "single-patient (n-of-1) study",
}


@dataclass(frozen=True)
class TextTable:
    """A table of recorded text, as the study holds it."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class WarningGroup:
    """Warnings of one kind; each with the scans that it concerns ("" where it concerns the whole)."""

    title: str
    items: tuple[tuple[str, str], ...]


def facts(result: StudyResult) -> str:
    """One line under the title: design, people, scans, dates."""
    people = len({scan.participant for scan in result.scans} or set(_recorded_people(result)))
    parts = [DESIGNS.get(result.design, result.design)] if result.design else []
    parts += [count_words(people, "person", "people"), count_words(len(result.scans), "scan", "scans")]
    dates = sorted(scan.date for scan in result.scans if scan.date)
    if dates:
        parts.append(
            dates[0].isoformat() if dates[0] == dates[-1] else f"{dates[0].isoformat()} to {dates[-1].isoformat()}"
        )
    text = " · ".join(parts)
    return text[:1].upper() + text[1:]


def _recorded_people(result: StudyResult) -> Sequence[str]:
    """Of a study without scans, who is in its table of participants."""
    table = result.tables.get("participants")
    return [] if table is None else [str(name) for name in table["participant"]]


def count_words(n: int, one: str, many: str) -> str:
    """``1 person``, ``2 people``."""
    return f"{n} {one if n == 1 else many}"


def short_answer(result: StudyResult) -> tuple[str, ...]:
    """The sentences that a patient reads first."""
    names = list(dict.fromkeys(scan.participant for scan in result.scans))
    firsts = [found[0] for name in names if (found := comparisons_of(result, name))]
    injected = len(result.tables.get("injections", ())) > 0
    rewarming = rewarming_headline(result)
    if not firsts and rewarming:
        return (*rewarming, design_sentence(control=result.control, injected=injected))
    if not firsts:
        return ("No two scans of the same limb were there to compare, so this report says nothing about change.",)
    if len(names) == 1:
        sentences: list[str] = list(change_sentences(names[0], firsts[0]))
    else:
        sentences = [text for text in (headline(firsts), headline_difference(firsts)) if text]
        if not sentences:
            sentences = ["No toe or finger was found both before and after, so no change can be given."]
    return (*sentences, *rewarming, design_sentence(control=result.control, injected=injected))


def limits(result: StudyResult) -> str:
    """What the figures cannot rule out."""
    return cannot_rule_out(control=result.control)


def cell_text(value: object) -> str:
    """A recorded value as text: dates as ISO, whole numbers without decimals, "" where nothing is recorded."""
    if value is None or value is pd.NaT or (isinstance(value, float) and pd.isna(value)):
        return ""
    if isinstance(value, pd.Timestamp):
        day = value.strftime("%Y-%m-%d")
        return day if value == value.normalize() else f"{day} {value.strftime('%H:%M')}"
    if isinstance(value, float):
        return f"{value:.10g}".replace("-", "−")
    return str(value).strip()


def scan_words(scan: ScanResult) -> str:
    """Which scan: "P1, 6 weeks", or the scan's own name where there is neither; of rewarming, that and when."""
    words = ", ".join(text for text in (scan.participant, visit_words(scan.visit)) if text) or scan.scan
    if scan.phase != "rewarming":
        return words
    when = "" if scan.followed is not None or scan.time_s is None else f"{number(scan.time_s / 60.0)}{NBSP}min "
    return f"{words}, {when}after cold water"


_ADOPT: Final = (
    "where they are right, or once corrected, save regions/SCAN.proposed.geojson as annotations/SCAN.geojson in the "
    "study and run it again."
)


def comparison_words(item: Comparison) -> str:
    """Which comparison: "P1, 6 weeks against before"."""
    before = visit_words(item.before.visit) or item.before.scan
    return f"{scan_words(item.after)} against {before}"


def warning_groups(result: StudyResult) -> tuple[WarningGroup, ...]:
    """Every warning once, under what it is about, with all scans that it concerns."""
    scans = in_order(result.scans)
    camera = [(text, scan_words(scan)) for scan in scans for text in scan.thermogram.attrs.get("warnings") or ()]
    regions = [(text, scan_words(scan)) for scan in scans for text in scan.regions.warnings]
    regions += [found for scan in scans for found in _missing(scan)]
    changes = [(text, comparison_words(item)) for item in result.comparisons for text in item.warnings]
    known = {text for text, _ in (*camera, *regions, *changes)}
    scan_level = [(text, scan_words(scan)) for scan in scans for text in scan.warnings if text not in known]
    known |= {text for text, _ in scan_level}
    study = [(text, "") for text in result.warnings if text not in known]
    groups = (
        ("The study", study),
        ("Comparing visits", changes),
        ("Recordings and camera", [*camera, *scan_level]),
        ("Regions", regions),
    )
    wholes = {"Comparing visits": len(result.comparisons)}
    return tuple(WarningGroup(title, _merged(items, wholes.get(title, len(scans)))) for title, items in groups if items)


def _missing(scan: ScanResult) -> list[tuple[str, str]]:
    """Why regions were not found, or what of them is unsure, and which they are in this scan."""
    reasons: dict[str, list[Region]] = {}
    for item in scan.regions.missing:
        reason = item.reason.rstrip(". ")
        if item.mask.any():
            said = f"Unsure, and therefore not measured{_because(reason)}. Look at their dotted outlines: {_ADOPT}"
        else:
            said = f"Not found, and therefore not measured{_because(reason)}."
        reasons.setdefault(said, []).append(item)
    return [(said, f"{scan_words(scan)} ({list_regions(items)})") for said, items in reasons.items()]


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _merged(items: Sequence[tuple[str, str]], total: int) -> tuple[tuple[str, str], ...]:
    concerned: dict[str, list[str]] = {}
    for text, where in items:
        places = concerned.setdefault(text, [])
        if where and where not in places:
            places.append(where)
    noun = "comparisons" if any(" against " in where for _, where in items) else "scans"
    return tuple(
        (text, f"all {total} {noun}" if len(places) == total > 2 else "; ".join(places))
        for text, places in concerned.items()
    )


def count_warnings(groups: Sequence[WarningGroup]) -> int:
    """How many different warnings there are."""
    return sum(len(group.items) for group in groups)


def recordings_table(result: StudyResult) -> TextTable:
    """Each file with the parameters that its temperatures were computed with."""
    rows = []
    for scan in in_order(result.scans):
        attrs = scan.thermogram.attrs
        camera = " ".join(str(attrs[key]) for key in ("camera_make", "camera_model") if attrs.get(key))
        shape = "×".join(str(size) for size in reversed(scan.regions.shape))
        offset = number(scan.reference_offset_c, 2, signed=True)
        rows.append(
            (
                scan_words(scan),
                str(attrs.get("provenance_file") or "–"),
                f"{camera or 'camera not known'}, {shape}",
                *(
                    _parameter(attrs.get(key))
                    for key in ("emissivity", "reflected_c", "distance_m", "humidity_pct", "air_c")
                ),
                offset,
                str(attrs.get("provenance_reader") or "–"),
            )
        )
    header = (
        "scan", "file", "camera, pixels", "emissivity", "reflected, °C", "distance, m", "humidity, %", "air, °C",
        "reference added, °C", "reader",
    )  # fmt: skip
    note = (
        "–: not recorded in the file and not given. Reference: what was added because a body of known temperature was "
        "in view."
    )
    return TextTable("Recordings and their parameters", header, tuple(rows), note)


def _parameter(value: object) -> str:
    return "–" if value is None else cell_text(float(str(value)))


def hashes_table(result: StudyResult) -> TextTable:
    """SHA-256 of each file's bytes: all files of a study that were read, or the recordings alone."""
    attributes = [scan.thermogram.attrs for scan in in_order(result.scans)]
    recordings = {str(item.get("provenance_file")): item.get("provenance_sha256") for item in attributes}
    rows = tuple((name, str(value or "–")) for name, value in (result.inputs or recordings).items())
    return TextTable("Fingerprints of the files (SHA-256)", ("file", "hash"), rows)


def versions_table(result: StudyResult) -> TextTable | None:
    """Which software computed this."""
    if not result.versions:
        return None
    return TextTable("Software", ("name", "version"), tuple((str(k), str(v)) for k, v in result.versions.items()))


def method_notes(result: StudyResult) -> tuple[str, ...]:
    """Who or what drew the regions, and how figures were measured, as the tables say."""
    drawn = sorted({item.drawn_by for scan in result.scans for item in scan.regions.found if item.drawn_by})
    table = result.measurements
    parts = [part.strip() for text in table.loc[table["metric"].eq("mean"), "method"] for part in str(text).split(";")]
    methods = [part for part in dict.fromkeys(parts) if part and part not in drawn]
    errors = [value for item in result.comparisons for value in item.alignment_error_px.values()]
    notes = []
    if drawn:
        notes.append(f"Regions were drawn by: {', '.join(drawn)}.")
    if methods:
        notes.append(f"Mean temperatures: {'; '.join(methods)}.")
    if errors:
        notes.append(
            "After was laid over before by the outlines of the feet; the outlines then differed by "
            f"{number(min(errors))} to {number(max(errors))} pixels on average."
        )
    return tuple(notes)
