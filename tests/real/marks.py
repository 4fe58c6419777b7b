"""Reads the marks on real feet: ``marks/feet.json``, described in ``marks/README.md``."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage.measure import grid_points_in_poly

from rewarm.regions import TOES

TABLE = Path(__file__).parent / "marks" / "feet.json"

Point = tuple[float, float]


@dataclass(frozen=True)
class MarkedFoot:
    """One marking of one foot; points are (x, y) in pixel-edge coordinates, the first pixel's centre is (0.5, 0.5).

    ``file`` is relative to the folder of real recordings. ``landmarks`` holds ``toe1_tip`` … ``toe5_tip``, ``web1`` …
    ``web4`` and ``heel_point``; those in ``unsure`` could not be seen well. ``outlines`` holds a polygon for each toe.
    ``marking`` is 1, or 2 for the second look at the same foot.
    """

    file: str
    sha256: str
    side: str
    marking: int
    landmarks: Mapping[str, Point]
    unsure: frozenset[str]
    outlines: Mapping[str, tuple[Point, ...]]

    @property
    def length_px(self) -> float:
        """From the heel point to the farthest tip."""
        heel = self.landmarks["heel_point"]
        return max(math.dist(heel, self.landmarks[f"{toe}_tip"]) for toe in TOES)

    @property
    def half(self) -> str:
        """Either "development" or "test", by person: see :func:`half_of`."""
        return half_of(self.file)


def half_of(file: str) -> str:
    """The half "development", where the finder may be tuned, or "test", which only measures it; a person is in one.

    Nearly all marked people have an odd number n in the database, so that (n + 1) // 2 counts them: odd counts are
    development, even ones test. The picture without such a number is development: it was looked at before.
    """
    number = re.match(r"(?:CG|DM)(\d+)_", Path(file).name)
    return "test" if number and (int(number[1]) + 1) // 2 % 2 == 0 else "development"


def read_marks(*, marking: int) -> tuple[MarkedFoot, ...]:
    """The feet of marking 1 (all) or 2 (some, for the marker's own error), in the table's order."""
    rows = json.loads(TABLE.read_text(encoding="utf-8"))["feet"]
    return tuple(_foot(row) for row in rows if row["marking"] == marking)


def _foot(row: dict[str, object]) -> MarkedFoot:
    landmarks, outlines = row["landmarks"], row["outlines"]
    assert isinstance(landmarks, dict)
    assert isinstance(outlines, dict)
    return MarkedFoot(
        file=str(row["file"]),
        sha256=str(row["sha256"]),
        side=str(row["side"]),
        marking=int(str(row["marking"])),
        landmarks={name: (float(x), float(y)) for name, (x, y, _) in landmarks.items()},
        unsure=frozenset(name for name, (_, _, visible) in landmarks.items() if visible == "unsure"),
        outlines={toe: tuple((float(x), float(y)) for x, y in points) for toe, points in outlines.items()},
    )


def outline_mask(outline: tuple[Point, ...], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(y, x): the pixels whose centres lie inside the polygon."""
    rows_columns = [(y - 0.5, x - 0.5) for x, y in outline]
    return np.asarray(grid_points_in_poly(shape, rows_columns), dtype=bool)


def same_recording(path: Path, foot: MarkedFoot) -> bool:
    """Whether the file is byte for byte the one that was marked."""
    return hashlib.sha256(path.read_bytes()).hexdigest() == foot.sha256
