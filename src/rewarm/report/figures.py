"""Which pictures stand side by side, on which scale, with which caption and alternative text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from rewarm.regions import SIDES
from rewarm.report.palettes import CHANGE, Palette
from rewarm.report.pictures import (
    Layered,
    Scale,
    change_scale,
    change_svg,
    clipped_shares,
    common_scale,
    crop_box,
    label_canvas,
    limb_mask,
    picture_labels,
    scale_bar_svg,
    thermal_svg,
)
from rewarm.report.rows import digit_figures, index_rows
from rewarm.report.words import NBSP, is_hand, list_regions, number, short_region, visit_words
from rewarm.study.results import Comparison, ScanResult
from rewarm.thermogram import temperature_c

SMALL_WIDTH = 340.0
"""Nominal width of maps of change, which stand three in a row: their letters are larger against the picture."""


@dataclass(frozen=True)
class Picture:
    """One figure: its drawing, a title, and the lines under it."""

    drawing: Layered
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class PictureSet:
    """Figures that share a scale; ``bars`` holds the scale bar of each palette, by its key.

    ``unsure`` says that some hold dotted outlines of regions that are only proposed.
    """

    pictures: tuple[Picture, ...]
    bars: Mapping[str, Markup]
    scale_words: str
    unsure: bool = False


def picture_set(scans: Sequence[ScanResult], *, palettes: Sequence[Palette]) -> PictureSet:
    """A person's scans of one kind, on one scale and, where the pictures have one size, with one frame."""
    values = [temperature_c(scan.thermogram) for scan in scans]
    masks = [limb_mask(scan.regions) for scan in scans]
    scale = common_scale(list(zip(values, masks, strict=True)))
    crops = {
        shape: crop_box([scan.regions for scan in scans if scan.regions.shape == shape])
        for shape in {scan.regions.shape for scan in scans}
    }
    pictures = []
    labels_of = [picture_labels(scan.regions, crops[scan.regions.shape]) for scan in scans]
    canvases = {
        shape: label_canvas(
            crop,
            [x for scan, labels in zip(scans, labels_of, strict=True) if scan.regions.shape == shape for x in labels],
        )
        for shape, crop in crops.items()
    }
    for scan, picture, mask, labels in zip(scans, values, masks, labels_of, strict=True):
        crop, canvas = crops[scan.regions.shape], canvases[scan.regions.shape]
        svg = thermal_svg(
            picture,
            scan.regions,
            scale=scale,
            palettes=palettes,
            crop=crop,
            canvas=canvas,
            labels=labels,
            alt=_alt(scan, scale),
        )
        clipped = clipped_shares(picture, mask, scale)
        pictures.append(Picture(svg, _title(scan), _caption(scan, clipped)))
    bars = {item.key: scale_bar_svg(scale, item, caption="Temperature scale") for item in palettes}
    words = f"All on one scale, {number(scale.low, 0)} to {number(scale.high, 0)} °C"
    return PictureSet(tuple(pictures), bars, words, any(scan.regions.proposed for scan in scans))


def change_set(comparisons: Sequence[Comparison]) -> PictureSet:
    """A person's maps of change, on one scale centred at zero."""
    scale = change_scale([item.change_c for item in comparisons])
    pictures = []
    for item in comparisons:
        regions = item.before.regions
        crop = crop_box([regions])
        svg = change_svg(item.change_c, regions, scale=scale, crop=crop, alt=_change_alt(item), width=SMALL_WIDTH)
        before, after = (
            visit_words(item.before.visit) or item.before.scan,
            visit_words(item.after.visit) or item.after.scan,
        )
        pictures.append(Picture(svg, f"{after} minus {before}", _change_caption(item, scale)))
    bars = {CHANGE.key: scale_bar_svg(scale, CHANGE, caption="Scale of change", signed=True)}
    limit = number(scale.high, 0)
    return PictureSet(tuple(pictures), bars, f"One scale, −{limit} to +{limit} °C, white at no change")


def _title(scan: ScanResult) -> str:
    words = visit_words(scan.visit) or scan.scan
    words = f"{words}, {scan.date.isoformat()}" if scan.date else words
    seconds = _taken_s(scan)
    return words if seconds is None else f"{words}, at {number(seconds / 60.0)} min"


def _taken_s(scan: ScanResult) -> float | None:
    """When the picture of a scan while rewarming was taken, s since the end of the immersion; None at rest."""
    if scan.followed is not None:
        motion = scan.followed.motion
        return float(scan.followed.time_s[motion.frames == motion.reference][0])
    return scan.time_s if scan.phase == "rewarming" else None


def _side_means(scan: ScanResult) -> dict[str, dict[str, float]]:
    """Mean temperatures of each side's digits, °C, by region; sides without any, and recordings, left out."""
    if scan.followed is not None:
        return {}  # its rows are of other frames than the one that is shown
    rows = index_rows(scan.measurements)
    means = {side: digit_figures(rows, side, "mean", "value") for side in SIDES}
    return {side: figures for side, figures in means.items() if figures}


def _side_changes(item: Comparison) -> dict[str, dict[str, float]]:
    rows = index_rows(item.table)
    changes = {side: digit_figures(rows, side, "mean", "change") for side in SIDES}
    return {side: figures for side, figures in changes.items() if figures}


def _averages(sides: Mapping[str, Mapping[str, float]], *, signed: bool = False) -> str:
    return ", ".join(
        f"{side} {number(sum(figures.values()) / len(figures), signed=signed)}" for side, figures in sides.items()
    )


def _listed(sides: Mapping[str, Mapping[str, float]], *, signed: bool = False) -> str:
    return "; ".join(
        side
        + " "
        + ", ".join(f"{short_region(name)} {number(value, signed=signed)}" for name, value in figures.items())
        for side, figures in sides.items()
    )


def _caption(scan: ScanResult, clipped: tuple[float, float]) -> tuple[str, ...]:
    noun = "Fingers" if is_hand(scan) else "Toes"
    toes = _averages(_side_means(scan))
    facts = [f"{noun}: {toes}{NBSP}°C" if toes else f"No {noun.lower()} measured"]
    if scan.followed is not None:
        facts = ["The frame on which the regions were found"]
    facts.append("Room not recorded" if scan.ambient_c is None else f"Room: {number(scan.ambient_c)}{NBSP}°C")
    lines = [". ".join(facts) + "."]
    unsure = scan.regions.proposed
    nowhere = [item for item in scan.regions.missing if not item.mask.any()]
    if unsure:
        lines.append(f"Unsure (dotted), not measured: {list_regions(unsure)}.")
    if nowhere:
        lines.append(f"Not found, not measured: {list_regions(nowhere)}.")
    shares = [f"{_percent(share)} {word}" for share, word in zip(clipped, ("colder", "warmer"), strict=True) if share]
    if shares:
        lines.append(f"Beyond the scale (end colours): {' and '.join(shares)}.")
    return tuple(lines)


def _percent(share: float) -> str:
    return "under 1 % of the skin" if share < 0.01 else f"{100 * share:.0f} % of the skin"


def _alt(scan: ScanResult, scale: Scale) -> str:
    means = _listed(_side_means(scan)) or "no toes or fingers measured"
    who = f" of {scan.participant}" if scan.participant else ""
    return (
        f"Thermal picture{who}, {_title(scan)}, colours from {number(scale.low, 0)} to {number(scale.high, 0)} °C. "
        f"Mean temperatures in °C: {means}."
    )


def _change_caption(item: Comparison, scale: Scale) -> tuple[str, ...]:
    toes = _averages(_side_changes(item), signed=True)
    noun = "Fingers" if is_hand(item.before) else "Toes"
    room = item.room_change_c
    facts = [f"{noun}: {toes}{NBSP}°C" if toes else f"No {noun.lower()} compared"]
    facts.append("Room’s change not known" if room is None else f"Room: {number(room, signed=True)}{NBSP}°C")
    lines = [". ".join(facts) + "."]
    finite = np.isfinite(item.change_c)
    shares = clipped_shares(item.change_c, finite, scale)
    words = [f"{_percent(share)} {word}" for share, word in zip(shares, ("colder", "warmer"), strict=True) if share]
    if words:
        lines.append(f"Beyond the scale (end colours): {' and '.join(words)}.")
    return tuple(lines)


def _change_alt(item: Comparison) -> str:
    changes = _listed(_side_changes(item), signed=True) or "none measured"
    who = f" of {item.after.participant}" if item.after.participant else ""
    before, after = visit_words(item.before.visit) or item.before.scan, visit_words(item.after.visit) or item.after.scan
    return f"Map of change{who}, {after} minus {before}. Mean changes in °C: {changes}."
