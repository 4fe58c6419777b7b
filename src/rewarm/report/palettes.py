"""Colour tables, and temperatures drawn with them as small indexed PNG files."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError

LEVELS: Final = 120
"""Steps of a colour scale: finer than an eye tells apart, coarse enough for files that travel by mail."""
NO_TEMPERATURE: Final = 0
BELOW: Final = 1
ABOVE: Final = 2
FIRST_LEVEL: Final = 3


@dataclass(frozen=True)
class Palette:
    """Colours from cold to warm at equal distances, and the colours of what lies outside the scale, as #rrggbb."""

    key: str
    title: str
    anchors: tuple[str, ...]
    below: str
    above: str
    none: str = "#e6e8eb"

    def table(self) -> NDArray[np.uint8]:
        """The colours of an indexed picture, uint8 (FIRST_LEVEL + LEVELS, 3)."""
        anchors = np.array([_rgb(anchor) for anchor in self.anchors], dtype=np.float64)
        where = np.linspace(0, len(anchors) - 1, LEVELS)
        scale = np.stack([np.interp(where, np.arange(len(anchors)), anchors[:, i]) for i in range(3)], axis=1)
        outside = np.array([_rgb(self.none), _rgb(self.below), _rgb(self.above)], dtype=np.float64)
        table: NDArray[np.uint8] = np.rint(np.concatenate([outside, scale])).astype(np.uint8)
        return table


BLUE_RED: Final = Palette(
    key="blue_red",
    title="blue (cold) to red (warm)",
    anchors=("#24348a", "#3a6fb7", "#6fb1d8", "#c3e3ea", "#fdf3c0", "#fbbf6c", "#ef7a43", "#cf2f2b", "#8c0d25"),
    below="#10142e",
    above="#f7c6e4",
)
CIVIDIS: Final = Palette(
    key="cividis",
    title="cividis, safe for colour-blind readers (dark blue = cold, yellow = warm)",
    anchors=(
        "#00224e",
        "#123570",
        "#3b496c",
        "#575d6d",
        "#707173",
        "#8a8678",
        "#a59c74",
        "#c3b369",
        "#e1cc55",
        "#fee838",
    ),
    below="#000000",
    above="#ffffff",
)
CHANGE: Final = Palette(
    key="change",
    title="blue (colder) through white (no change) to red (warmer)",
    anchors=("#174a7c", "#3f86bd", "#a5cbe2", "#ffffff", "#f3b49b", "#d3574a", "#8b1428"),
    below="#0a1f38",
    above="#43040f",
    none="#e6e8eb",
)
HALF_TIME: Final = Palette(
    key="half_time",
    title="yellow (soon) to dark violet (late)",
    anchors=("#fcf7b0", "#fec287", "#f8765c", "#d3436e", "#982d80", "#5f187f", "#231151"),
    below="#ffffff",
    above="#000004",
    none="#d9dce0",
)
PALETTES: Final[Mapping[str, Palette]] = MappingProxyType({BLUE_RED.key: BLUE_RED, CIVIDIS.key: CIVIDIS})
"""What a reader can choose for temperatures; the first is what patients know."""


def choose_palette(key: str) -> Palette:
    """The palette of that name. Raises :class:`rewarm.errors.InvalidInputError`."""
    if key not in PALETTES:
        raise InvalidInputError(f"palette: expected one of {', '.join(PALETTES)}; found {key!r}")
    return PALETTES[key]


def to_levels(values: NDArray[np.float32] | NDArray[np.float64], *, low: float, high: float) -> NDArray[np.uint8]:
    """Temperatures (y, x) as indices into :meth:`Palette.table`, with what is clipped or missing marked."""
    missing = ~np.isfinite(values)
    known = np.where(missing, low, values)
    steps = np.floor((known - low) / (high - low) * LEVELS)
    levels = (np.clip(steps, 0, LEVELS - 1) + FIRST_LEVEL).astype(np.uint8)
    levels[known < low] = BELOW
    levels[known > high] = ABOVE
    levels[missing] = NO_TEMPERATURE
    return levels


def png_data_uris(levels: NDArray[np.uint8], palettes: Sequence[Palette]) -> tuple[str, ...]:
    """An indexed picture (y, x) as a ``data:`` address once a palette; a few kB each, and the same bytes each time."""
    height, width = levels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), levels], axis=1)  # filter "none" fits indices best
    head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
    body = _chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)) + _chunk(b"IEND", b"")
    files = [head + _chunk(b"PLTE", palette.table().tobytes()) + body for palette in palettes]
    return tuple("data:image/png;base64," + base64.b64encode(data).decode("ascii") for data in files)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
