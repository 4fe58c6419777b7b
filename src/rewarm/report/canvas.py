"""A picture of palette indices with letters on it: what animations are drawn on, frame by frame."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from rewarm.report.palettes import FIRST_LEVEL, LEVELS, NO_TEMPERATURE, Palette, to_levels
from rewarm.report.pictures import Scale

Canvas = NDArray[np.uint8]
"""Palette indices (y, x): those of :meth:`rewarm.report.palettes.Palette.table`, and greys behind them."""

GREYS: Final = 24
PAPER: Final = FIRST_LEVEL + LEVELS
"""The index of white; each following one is darker, up to :data:`INK`."""
INK: Final = PAPER + GREYS - 1
_DARKEST: Final = 22


def colours(palette: Palette) -> NDArray[np.uint8]:
    """The colours of a canvas, uint8 (256, 3): the palette's, then greys from white to nearly black; the rest black."""
    table = np.zeros((256, 3), dtype=np.uint8)
    table[:PAPER] = palette.table()
    table[PAPER : INK + 1] = np.rint(np.linspace(255, _DARKEST, GREYS)).astype(np.uint8)[:, None]
    return table


def grey(share: float) -> int:
    """The index of a grey, 0 white to 1 nearly black."""
    return PAPER + round(share * (GREYS - 1))


def blank(width: int, height: int) -> Canvas:
    """A white canvas."""
    return np.full((height, width), PAPER, dtype=np.uint8)


def write(
    canvas: Canvas, text: str, x: float, y: float, *, size: int = 15, bold: bool = False, align: str = "left"
) -> None:
    """Write on white, in place: ``y`` is the middle of the line, ``x`` its left end, its middle or its right end."""
    letters = _letters(text, size, bold)
    height, width = letters.shape
    left = round(x - {"left": 0.0, "middle": width / 2, "right": float(width)}[align])
    top = round(y - height / 2)
    x0, y0 = max(0, left), max(0, top)
    place = canvas[y0 : top + height, x0 : left + width]
    cut = letters[y0 - top :, x0 - left :][: place.shape[0], : place.shape[1]]
    place[cut > 0] = cut[cut > 0]


def text_width(text: str, *, size: int = 15, bold: bool = False) -> int:
    """How wide a text will be, px."""
    return int(_letters(text, size, bold).shape[1])


def fill(canvas: Canvas, x: float, y: float, width: float, height: float, index: int) -> None:
    """Fill a rectangle, in place."""
    canvas[round(y) : round(y + height), round(x) : round(x + width)] = index


def frame(canvas: Canvas, x: int, y: int, width: int, height: int, index: int) -> None:
    """Draw a rectangle's edge of one pixel, in place, inside of it."""
    fill(canvas, x, y, width, 1, index)
    fill(canvas, x, y + height - 1, width, 1, index)
    fill(canvas, x, y, 1, height, index)
    fill(canvas, x + width - 1, y, 1, height, index)


def fitted(temperature_c: NDArray[np.float32], *, width: int, height: int) -> NDArray[np.float32]:
    """A picture (y, x) enlarged or reduced to fit, its shape kept; NaN around it where it leaves room."""
    rows, columns = temperature_c.shape
    scale = min(width / columns, height / rows)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    known = np.isfinite(temperature_c)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    if known.all():
        resized = cv2.resize(temperature_c, size, interpolation=way)
    else:  # what is missing may not bleed into what is known
        weight = cv2.resize(known.astype(np.float32), size, interpolation=way)
        total = cv2.resize(np.where(known, temperature_c, np.float32(0.0)), size, interpolation=way)
        resized = np.where(weight >= 0.5, total / np.maximum(weight, 1e-6), np.float32(np.nan))
    whole = np.full((height, width), np.nan, dtype=np.float32)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    whole[top : top + size[1], left : left + size[0]] = resized
    return whole


def held_levels(values: NDArray[np.float32], scale: Scale, before: Canvas | None) -> Canvas:
    """Palette indices of a picture; a pixel keeps its index ``before`` where it hardly changed.

    Noise that flickers between two neighbouring colours tells nobody anything and makes files large.
    """
    levels = to_levels(values, low=scale.low, high=scale.high)
    if before is None:
        return levels
    near = np.abs(levels.astype(np.int16) - before.astype(np.int16)) <= HELD_LEVELS
    near &= (levels >= FIRST_LEVEL) & (before >= FIRST_LEVEL)
    return np.where(near, before, levels)


HELD_LEVELS: Final = 3
"""Of 120 levels: with a scale of 12 °C a colour follows its temperature in steps of 0.4 °C."""


def scale_bar(canvas: Canvas, scale: Scale, *, x: int, y: int, width: int) -> None:
    """A scale bar with its ticks below and words at its ends, in place; about 36 px high."""
    height, step = 14, width / LEVELS
    ends = np.clip((np.arange(width) / step).astype(np.int64), 0, LEVELS - 1) + FIRST_LEVEL
    canvas[y : y + height, x : x + width] = ends.astype(np.uint8)
    frame(canvas, x, y, width, height, grey(0.7))
    write(canvas, "colder", x - 8, y + height / 2, size=13, align="right")
    write(canvas, "warmer", x + width + 8, y + height / 2, size=13)
    for tick in scale.ticks:
        at = x + (width - 1) * (tick - scale.low) / (scale.high - scale.low)
        fill(canvas, at, y + height, 1, 4, grey(0.7))
        last = tick == scale.ticks[-1]
        write(canvas, f"{tick:.0f}".replace("-", "−") + (" °C" if last else ""), at, y + height + 13, size=13,
              align="middle")  # fmt: skip


@lru_cache(maxsize=512)
def _letters(text: str, size: int, bold: bool) -> Canvas:
    """A line of text as indices, 0 where there is none."""
    font = _font(size, bold)
    ascent, descent = font.getmetrics()
    width = max(1, int(np.ceil(font.getlength(text))))
    picture = Image.new("L", (width, ascent + descent))
    ImageDraw.Draw(picture).text((0, 0), text, font=font, fill=255)
    covered = np.asarray(picture).astype(np.float64) / 255.0
    indices = PAPER + np.rint(covered * (GREYS - 1))
    return np.where(covered > 0, indices, NO_TEMPERATURE).astype(np.uint8)


@lru_cache(maxsize=16)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which matplotlib brings along: the same letters on every machine, those of many languages."""
    spec = find_spec("matplotlib")
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(places[0], "mpl-data", "fonts", "ttf", name)), size)
