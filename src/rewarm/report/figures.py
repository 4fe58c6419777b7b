"""Which pictures stand side by side, on which scale, with which caption and alternative text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup

from rewarm.regions import SIDES
from rewarm.report.palettes import CHANGE, Palette
from rewarm.report.pictures import (
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
from rewarm.report.words import DIGITS, number, region_words, short_region, visit_words
from rewarm.study.results import Comparison, ScanResult
from rewarm.thermogram import temperature_c


@dataclass(frozen=True)
class Picture:
    """One figure: its drawing, a title, and the lines under it."""

    svg: Markup
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class PictureSet:
    """Figures that share a scale; ``bars`` holds the scale bar once a palette."""

    pictures: tuple[Picture, ...]
    bars: tuple[Markup, ...]
    scale_words: str


def picture_set(scans: Sequence[ScanResult], *, key: str, palettes: Sequence[Palette]) -> PictureSet:
    """A person's scans of one kind, on one scale and, where the pictures have one size, with one frame."""
    values = [temperature_c(scan.thermogram) for scan in scans]
    masks = [limb_mask(scan.regions) for scan in scans]
    scale = common_scale(list(zip(values, masks, strict=True)))
    crops = {
        shape: crop_box([scan.regions for scan in scans if scan.regions.shape == shape])
        for shape in {scan.regions.shape for scan in scans}
    }
    pictures = []
    for scan, picture, mask in zip(scans, values, masks, strict=True):
        crop = crops[scan.regions.shape]
        labels = picture_labels(scan.regions, crop)
        alike = [other for other in scans if other.regions.shape == scan.regions.shape]
        canvas = label_canvas(crop, [label for other in alike for label in picture_labels(other.regions, crop)])
        svg = thermal_svg(
            picture, scan.regions, scale=scale, palettes=palettes, crop=crop, canvas=canvas, labels=labels, alt=_alt(scan, scale)
        )
        clipped = clipped_shares(picture, mask, scale)
        pictures.append(Picture(svg, _title(scan), _caption(scan, clipped)))
    bars = tuple(scale_bar_svg(scale, palette, key=key, caption="Temperature scale") for palette in palettes)
    words = f"All on one scale, {number(scale.low, 0)} to {number(scale.high, 0)} °C"
    return PictureSet(tuple(pictures), bars, words)


def change_set(comparisons: Sequence[Comparison], *, key: str) -> PictureSet:
    """A person's maps of change, on one scale centred at zero."""
    scale = change_scale([item.change_c for item in comparisons])
    pictures = []
    for item in comparisons:
        regions = item.before.regions
        crop = crop_box([regions])
        svg = change_svg(
            item.change_c, regions, scale=scale, crop=crop, labels=picture_labels(regions, crop), alt=_change_alt(item)
        )
        before, after = visit_words(item.before.visit) or item.before.scan, visit_words(item.after.visit) or item.after.scan
        pictures.append(Picture(svg, f"{after} minus {before}", _change_caption(item, scale)))
    bars = (scale_bar_svg(scale, CHANGE, key=key, caption="Scale of change", signed=True),)
    limit = number(scale.high, 0)
    return PictureSet(tuple(pictures), bars, f"One scale, −{limit} to +{limit} °C, white at no change")


def _title(scan: ScanResult) -> str:
    words = visit_words(scan.visit) or scan.scan
    return f"{words}, {scan.date.isoformat()}" if scan.date else words


def digit_means(scan: ScanResult, side: str) -> pd.Series:
    """Mean temperatures of a side's digits, °C, by region."""
    table = scan.measurements
    rows = table[table["metric"].eq("mean") & table["side"].eq(side) & table["region"].isin(DIGITS)]
    return pd.Series(rows["value"].astype(float).to_numpy(), index=rows["region"].to_numpy()).dropna()


def _caption(scan: ScanResult, clipped: tuple[float, float]) -> tuple[str, ...]:
    means = [(side, digit_means(scan, side)) for side in SIDES]
    noun = "Fingers" if scan.limb.endswith(("hand", "hands")) else "Toes"
    toes = ", ".join(f"{side} {number(float(values.mean()))}" for side, values in means if not values.empty)
    facts = [f"{noun}, average: {toes} °C" if toes else f"No {noun.lower()} measured"]
    facts.append("Room not recorded" if scan.ambient_c is None else f"Room {number(scan.ambient_c)} °C")
    lines = [". ".join(facts) + "."]
    missing = [f"{item.side} {region_words(item.region)}" for item in scan.regions.missing]
    if missing:
        lines.append(f"Not found, not measured: {', '.join(missing)}.")
    shares = [f"{_percent(share)} {word}" for share, word in zip(clipped, ("colder", "warmer"), strict=True) if share]
    if shares:
        lines.append(f"Beyond the scale, marked with the end colours: {' and '.join(shares)}.")
    return tuple(lines)


def _percent(share: float) -> str:
    return "under 1 % of the skin" if share < 0.01 else f"{100 * share:.0f} % of the skin"


def _alt(scan: ScanResult, scale: Scale) -> str:
    sides = []
    for side in SIDES:
        values = digit_means(scan, side)
        if not values.empty:
            figures = ", ".join(f"{short_region(str(region))} {number(float(value))}" for region, value in values.items())
            sides.append(f"{side} {figures}")
    means = "; ".join(sides) or "no toes or fingers measured"
    who = f" of {scan.participant}" if scan.participant else ""
    return (
        f"Thermal picture{who}, {_title(scan)}, colours from {number(scale.low, 0)} to {number(scale.high, 0)} °C. "
        f"Mean temperatures in °C: {means}."
    )


def _change_rows(item: Comparison, side: str) -> pd.DataFrame:
    table = item.table
    rows = table[table["metric"].eq("mean") & table["side"].eq(side) & table["region"].isin(DIGITS)]
    return rows[rows["change"].notna()]


def _change_caption(item: Comparison, scale: Scale) -> tuple[str, ...]:
    means = [(side, _change_rows(item, side)["change"].astype(float)) for side in SIDES]
    toes = ", ".join(f"{side} {number(float(values.mean()), signed=True)}" for side, values in means if not values.empty)
    noun = "Fingers" if item.before.limb.endswith(("hand", "hands")) else "Toes"
    room = item.room_change_c
    facts = [f"{noun}, average: {toes} °C" if toes else f"No {noun.lower()} compared"]
    facts.append("Room’s change not known" if room is None else f"Room {number(room, signed=True)} °C")
    lines = [". ".join(facts) + "."]
    finite = np.isfinite(item.change_c)
    shares = clipped_shares(item.change_c, finite, scale)
    words = [f"{_percent(share)} {word}" for share, word in zip(shares, ("colder", "warmer"), strict=True) if share]
    if words:
        lines.append(f"Beyond the scale, marked with the end colours: {' and '.join(words)}.")
    return tuple(lines)


def _change_alt(item: Comparison) -> str:
    sides = []
    for side in SIDES:
        rows = _change_rows(item, side)
        if not rows.empty:
            figures = ", ".join(
                f"{short_region(str(row.region))} {number(float(str(row.change)), signed=True)}" for row in rows.itertuples()
            )
            sides.append(f"{side} {figures}")
    who = f" of {item.after.participant}" if item.after.participant else ""
    before, after = visit_words(item.before.visit) or item.before.scan, visit_words(item.after.visit) or item.after.scan
    return f"Map of change{who}, {after} minus {before}. Mean changes in °C: {'; '.join(sides) or 'none measured'}."
