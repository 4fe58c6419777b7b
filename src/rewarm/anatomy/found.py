"""What either finder says of one limb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rewarm.regions import Mask

Part = tuple[Mask, float, str]
"""A region's mask, its confidence and what is doubtful."""


@dataclass(frozen=True, eq=False)
class FoundLimb:
    """A limb's parts by name, and its landmarks in pixel-edge coordinates (x, y)."""

    parts: Mapping[str, Part]
    landmarks: Mapping[str, tuple[float, float]]
    drawn_by: str
