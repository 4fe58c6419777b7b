"""Thermal pictures and maps of change as SVG, with outlined and named toes, and their scale bars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from shapely import LineString, simplify

from rewarm.anatomy import outline
from rewarm.regions import ANGIOSOMES, WHOLE_LIMBS, Mask, Region, Regions
from rewarm.report.labels import Box, Label, place_labels
from rewarm.report.palettes import CHANGE, FIRST_LEVEL, LEVELS, Palette, png_data_uris, to_levels
from rewarm.report.words import DIGITS, number

WIDTH: Final = 480.0
"""Nominal width of a picture in SVG units; all letters and strokes are sized for it."""
LARGEST_PX: Final = 300
"""Pictures wider than this are reduced by whole factors: a report is mailed, the recording keeps every pixel."""
STAIRS_PX: Final = 0.72
"""Outlines are drawn straight where that moves them by less: just over half a pixel's diagonal, so no stairs remain."""
FONT: Final = "Arial, Helvetica, 'Liberation Sans', sans-serif"


Temperatures = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True)
class Layered:
    """A drawing whose middle exists once a palette, by the palette's key."""

    head: Markup
    layers: Mapping[str, Markup]
    tail: Markup = Markup("")  # noqa: RUF009 - Markup is a text, and texts do not change


@dataclass(frozen=True)
class Scale:
    """A common temperature scale, °C, and the distance of its ticks."""

    low: float
    high: float
    tick: float

    @property
    def ticks(self) -> tuple[float, ...]:
        """Round values within the scale."""
        first = math.ceil(self.low / self.tick - 1e-9)
        last = math.floor(self.high / self.tick + 1e-9)
        return tuple(i * self.tick for i in range(first, last + 1))


def limb_mask(regions: Regions, side: str | None = None) -> Mask:
    """Every pixel of the limbs that were found, of one side or of both; boolean (y, x)."""
    mask = np.zeros(regions.shape, dtype=bool)
    for item in regions.found:
        if side is None or item.side == side:
            mask |= item.mask
    return mask


def common_scale(pictures: Sequence[tuple[Temperatures, Mask]]) -> Scale:
    """One scale for several pictures: nearly all of the limbs' pixels, and what surrounds them where it is close.

    ``pictures`` holds temperatures and limb masks, both (y, x). Half a per cent of the limbs' pixels may lie outside at
    either end, so that a single hot pixel does not take the colours away from all others; it is marked as clipped.
    """
    inside = [values[mask & np.isfinite(values)] for values, mask in pictures]
    inside = [values for values in inside if values.size] or [values[np.isfinite(values)] for values, _ in pictures]
    values: NDArray[np.float64] = np.concatenate([np.zeros(0), *inside])
    if not values.size:
        return Scale(20.0, 36.0, 2.0)
    low, high = float(np.percentile(values, 0.5)), float(np.percentile(values, 99.5))
    for picture, mask in pictures:
        around = picture[~mask & np.isfinite(picture)]
        if around.size:
            edge = float(np.percentile(around, 2))
            low = edge if low - 4 < edge < low else low
    low, high = math.floor(low), math.ceil(high)
    if high - low < 2:
        low, high = low - 1, high + 1
    return Scale(float(low), float(high), _tick(high - low))


def change_scale(maps: Sequence[Temperatures]) -> Scale:
    """One scale for several maps of change, centred at zero; 98 % of all pixels lie inside, 1 °C at least."""
    values = [np.abs(values[np.isfinite(values)]) for values in maps]
    joined = np.concatenate(values) if values else np.zeros(0, np.float32)
    limit = float(max(1, math.ceil(np.percentile(joined, 98)))) if joined.size else 1.0
    return Scale(-limit, limit, _tick(2 * limit) if limit > 1 else 0.5)


def _tick(span: float) -> float:
    return next((tick for tick in (1.0, 2.0, 5.0, 10.0, 20.0) if span / tick <= 8), 50.0)


def clipped_shares(values: Temperatures, mask: Mask, scale: Scale) -> tuple[float, float]:
    """Which share of the masked pixels is colder and which is warmer than the scale, 0..1."""
    inside = values[mask & np.isfinite(values)]
    if not inside.size:
        return 0.0, 0.0
    return float((inside < scale.low).mean()), float((inside > scale.high).mean())


def crop_box(regions: Sequence[Regions]) -> Box:
    """The part of pictures of one shape in which limbs were found, with a margin; pixel edges."""
    height, width = regions[0].shape
    mask = np.logical_or.reduce([limb_mask(item) for item in regions])
    if not mask.any():
        return Box(0, 0, width, height)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    margin = round(0.05 * max(rows[-1] - rows[0], columns[-1] - columns[0])) + 2
    return Box(
        max(0, int(columns[0]) - margin),
        max(0, int(rows[0]) - margin),
        min(width, int(columns[-1]) + 1 + margin),
        min(height, int(rows[-1]) + 1 + margin),
    )


def label_canvas(crop: Box, labels: Sequence[Label]) -> Box:
    """The crop, widened so that all labels lie on the canvas."""
    boxes = [crop, *(label.box for label in labels)]
    return Box(
        min(box.x0 for box in boxes),
        min(box.y0 for box in boxes),
        max(box.x1 for box in boxes),
        max(box.y1 for box in boxes),
    )


def picture_labels(regions: Regions, crop: Box, *, width: float = WIDTH) -> tuple[Label, ...]:
    """Names of toes and sides beside what they name, in the picture's pixels."""
    return place_labels(regions, unit=crop.width / width)


def thermal_svg(
    values: Temperatures,
    regions: Regions,
    *,
    scale: Scale,
    palettes: Sequence[Palette],
    crop: Box,
    canvas: Box,
    labels: Sequence[Label],
    alt: str,
    width: float = WIDTH,
) -> Layered:
    """One picture (y, x) in °C, or a map of change, with outlines and labels; a layer for each palette."""
    unit = crop.width / width
    wide, high = canvas.width / unit, canvas.height / unit
    x0, y0 = (crop.x0 - canvas.x0) / unit, (crop.y0 - canvas.y0) / unit
    cut = _reduced(values[int(crop.y0) : int(crop.y1), int(crop.x0) : int(crop.x1)])
    levels = to_levels(cut, low=scale.low, high=scale.high)
    place = f'x="{x0:.1f}" y="{y0:.1f}" width="{crop.width / unit:.1f}" height="{crop.height / unit:.1f}"'
    head = (
        f'<svg class="thermal" role="img" viewBox="0 0 {wide:.0f} {high:.0f}" aria-label="{escape(alt)}" '
        f'font-family="{FONT}"><rect width="{wide:.0f}" height="{high:.0f}" fill="{palettes[0].none}"/>'
    )
    layers = {
        palette.key: Markup(f'<image class="layer-{palette.key}" {place} preserveAspectRatio="none" href="{uri}"/>')
        for palette, uri in zip(palettes, png_data_uris(levels, palettes), strict=True)
    }
    tail = _outlines_svg(regions, canvas, unit) + _labels_svg(labels, canvas, unit) + "</svg>"
    return Layered(Markup(head), layers, Markup(tail))


def _reduced(values: Temperatures) -> Temperatures:
    factor = math.ceil(max(values.shape) / LARGEST_PX)
    if factor == 1:
        return values
    height, width = (size // factor * factor for size in values.shape)
    blocks = values[:height, :width].reshape(height // factor, factor, width // factor, factor)
    reduced: Temperatures = blocks.mean(axis=(1, 3), dtype=np.float32)
    return reduced


def _outlines_svg(regions: Regions, canvas: Box, unit: float) -> str:
    """Digits as solid lines with a light rim, other regions dashed, what is only proposed dotted.

    Few elements, for PDF's sake.
    """
    digits = "".join(_path(item.mask, canvas, unit) for item in regions.found if item.region in DIGITS)
    others = "".join(_path(item.mask, canvas, unit) for item in regions.found if _dashed(item))
    proposed = "".join(_path(item.mask, canvas, unit) for item in regions.proposed if _dotted(item, regions))
    return (
        f'<path d="{proposed}" fill="none" stroke="#fff" stroke-opacity=".75" stroke-width="2.2"/>'
        f'<path d="{proposed}" fill="none" stroke="#111" stroke-width="1.2" stroke-dasharray="1 3"/>'
        f'<path d="{others}" fill="none" stroke="#111" stroke-opacity=".55" stroke-width=".9" stroke-dasharray="3 3"/>'
        f'<path d="{digits}" fill="none" stroke="#fff" stroke-opacity=".75" stroke-width="3"/>'
        f'<path d="{digits}" fill="none" stroke="#111" stroke-width="1.3"/>'
    )


def _dashed(item: Region) -> bool:
    return item.region not in (*DIGITS, *ANGIOSOMES, *WHOLE_LIMBS)


def _dotted(item: Region, regions: Regions) -> bool:
    """A limb's outline stands for its parts, but for digits."""
    if item.region in ANGIOSOMES:
        return False
    whole = any(other.side == item.side and other.region in WHOLE_LIMBS for other in regions.proposed)
    return item.region in (*DIGITS, *WHOLE_LIMBS) or not whole


def _path(mask: Mask, canvas: Box, unit: float) -> str:
    path = ""
    for ring in outline(mask):
        corners = simplify(LineString(ring), STAIRS_PX).coords
        points = (np.asarray(corners, dtype=np.float64) - (canvas.x0, canvas.y0)) / unit
        path += "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in points[:-1]) + "Z"
    return path


def _labels_svg(labels: Sequence[Label], canvas: Box, unit: float) -> str:
    pointers, plates, words = "", "", ""
    for label in labels:
        x, y = (label.box.x0 - canvas.x0) / unit, (label.box.y0 - canvas.y0) / unit
        width, height = label.box.width / unit, label.box.height / unit
        middle = x + width / 2
        if label.anchor is not None:
            ax, ay = (label.anchor[0] - canvas.x0) / unit, (label.anchor[1] - canvas.y0) / unit
            pointers += f"M{ax:.1f} {ay:.1f}L{middle:.1f} {y + height / 2:.1f}"
        plates += f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}Z"
        words += (
            f'<text x="{middle:.1f}" y="{y + height / 2 + 4.6:.1f}" text-anchor="middle">{escape(label.text)}</text>'
        )
    return (
        f'<path d="{pointers}" stroke="#fff" stroke-width="2.6"/><path d="{pointers}" stroke="#111" stroke-width="1"/>'
        f'<path d="{plates}" fill="#fff"/><g font-size="13" font-weight="bold" fill="#111">{words}</g>'
    )


def scale_bar_svg(
    scale: Scale,
    palette: Palette,
    *,
    caption: str,
    signed: bool = False,
    unit: str = "°C",
    ends: tuple[str, str] = ("colder", "warmer"),
) -> Markup:
    """A scale bar with ticks in ``unit`` and the colours of clipped values, named by ``ends`` ("": none is below)."""
    width, bar, left = 480.0, 16.0, 76.0
    span = width - 2 * left
    strip = np.tile(np.arange(LEVELS, dtype=np.uint8) + FIRST_LEVEL, (4, 1))
    (colours,) = png_data_uris(strip, (palette,))
    ticks = ""
    for tick in scale.ticks:
        x = left + span * (tick - scale.low) / (scale.high - scale.low)
        decimals = 1 if scale.tick < 1 else 0
        ticks += (
            f'<path d="M{x:.1f} {bar}v5" stroke="#333"/>'
            f'<text x="{x:.1f}" y="{bar + 18}" font-size="12.5" text-anchor="middle" fill="#222">'
            f"{number(tick, decimals, signed=signed)}</text>"
        )
    colder = (
        f'<rect x="{left - 26}" y=".5" width="20" height="{bar - 1}" fill="{palette.below}" stroke="#333"/>'
        f'<text x="{left - 30}" y="12.5" font-size="12" text-anchor="end" fill="#222">{ends[0]}</text>'
    )
    clipped = (colder if ends[0] else "") + (
        f'<rect x="{width - left + 6}" y=".5" width="20" height="{bar - 1}" fill="{palette.above}" stroke="#333"/>'
        f'<text x="{width - left + 30}" y="12.5" font-size="12" fill="#222">{ends[1]}</text>'
    )
    alt = f"{caption}: {number(scale.low, 0)} to {number(scale.high, 0)} {unit}, {palette.title}"
    return Markup(
        f'<svg class="scale layer-{palette.key}" role="img" aria-label="{escape(alt)}" viewBox="0 0 {width:.0f} 38" '
        f'font-family="{FONT}">'
        f'<image x="{left}" y=".5" width="{span}" height="{bar - 1}" preserveAspectRatio="none" href="{colours}"/>'
        f'<rect x="{left}" y=".5" width="{span}" height="{bar - 1}" fill="none" stroke="#333" stroke-width=".6"/>'
        f'{clipped}{ticks}<text x="{width - left + 30}" y="{bar + 18}" font-size="12.5" fill="#222">{unit}</text></svg>'
    )


def change_svg(
    change_c: Temperatures, regions: Regions, *, scale: Scale, crop: Box, alt: str, width: float = WIDTH
) -> Layered:
    """A map of change (y, x) in the geometry of ``regions``."""
    labels = picture_labels(regions, crop, width=width)
    return thermal_svg(
        change_c,
        regions,
        scale=scale,
        palettes=(CHANGE,),
        crop=crop,
        canvas=label_canvas(crop, labels),
        labels=labels,
        alt=alt,
        width=width,
    )
