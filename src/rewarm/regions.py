"""The anatomical vocabulary, and the plain container in which regions travel; nothing else.

One vocabulary everywhere: files, tables, reports, Python. A *side* is the person's own left or right. In a plantar
picture with the toes up, the left foot's great toe points to the left of the picture; in a dorsal one, to the right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError

SIDES: Final = ("left", "right")
TOES: Final = ("toe1", "toe2", "toe3", "toe4", "toe5")
FINGERS: Final = ("finger1", "finger2", "finger3", "finger4", "finger5")
SOLE_REGIONS: Final = (*TOES, "ball", "arch", "heel")
FOOT_REGIONS: Final = (*SOLE_REGIONS, "dorsum")
HAND_REGIONS: Final = (*FINGERS, "palm", "hand_dorsum")
ANGIOSOMES: Final = ("mpa", "lpa", "mca", "lca")
"""Plantar angiosomes: medial and lateral plantar artery, medial and lateral calcaneal artery. They overlap."""
WHOLE_LIMBS: Final = ("foot", "hand")
"""The union of everything that belongs to a limb."""

LIMBS: Final = ("feet", "left_foot", "right_foot", "hands", "left_hand", "right_hand")
VIEWS: Final = ("plantar", "dorsal", "palmar")
PHASES: Final = ("rest", "rewarming")

CONFIDENCE_LIMIT: Final = 0.5
"""Below this confidence a region is reported as not found and is not measured."""

Mask = NDArray[np.bool_]


def limb_sides(limb: str) -> tuple[str, ...]:
    """The sides that a limb of the study folder holds: ``feet`` → both, ``left_foot`` → left."""
    check_word("limb", limb, LIMBS)
    return SIDES if limb in ("feet", "hands") else (limb.split("_", maxsplit=1)[0],)


def limb_whole(limb: str) -> str:
    """``foot`` or ``hand``."""
    check_word("limb", limb, LIMBS)
    return "hand" if limb.endswith(("hand", "hands")) else "foot"


def check_word(name: str, word: str, allowed: Iterable[str]) -> None:
    """Raise :class:`InvalidInputError` unless ``word`` is one of ``allowed``."""
    allowed = tuple(allowed)
    if word not in allowed:
        raise InvalidInputError(f"{name}: expected one of {', '.join(allowed)}; found {word!r}")


def _legend() -> Mapping[str, int]:
    codes: dict[str, int] = {}
    for side, base in (("left", 0), ("right", 100)):
        names = (*FOOT_REGIONS, "foot", *HAND_REGIONS, "hand")
        codes.update({f"{side}_{name}": base + i for i, name in enumerate(names, start=1)})
    return MappingProxyType(codes)


LEGEND: Final = _legend()
"""Codes of the label images, the same in every scan: ``left_toe1`` is 1, ``right_toe1`` is 101, 0 is no region.

``left_foot`` marks the pixels of the left foot that no named region claims, so that the union of all codes that begin
with ``left_`` is the whole left foot. Angiosomes overlap and therefore have no code; they live in the GeoJSON.
"""


@dataclass(frozen=True)
class Replaced:
    """Who or what drew the version that a drawing replaced, and when (ISO 8601, or "" where not known)."""

    drawn_by: str
    drawn_at: str = ""


@dataclass(frozen=True, eq=False)
class Region:
    """One region of one side in one picture.

    ``mask`` is boolean with the picture's shape (y, x). Where the region was not ``found`` it is all False, or a
    proposal to a person, which is not measured. ``confidence`` is 0..1. ``drawn_by`` names the finder and version, or
    the person; ``drawn_at`` is an ISO 8601 time or "". ``reason`` says why a region was not found, or what is doubtful;
    ``replaces``, of a person's, which version it took the place of.
    """

    side: str
    region: str
    mask: Mask
    confidence: float
    drawn_by: str
    drawn_at: str = ""
    reason: str = ""
    replaces: Replaced | None = None

    @property
    def name(self) -> str:
        """``left_toe1``."""
        return f"{self.side}_{self.region}"

    @property
    def found(self) -> bool:
        """Whether the region may be measured: confident enough and not empty."""
        return self.confidence >= CONFIDENCE_LIMIT and bool(self.mask.any())


@dataclass(frozen=True, eq=False)
class Regions:
    """All regions of one picture, found or not, in a fixed order; ``shape`` is (y, x) in pixels.

    ``landmarks`` maps names such as ``left_toe1_tip`` or ``left_heel_point`` to (x, y) in pixel-edge coordinates: the
    centre of the pixel in the first row and column is (0.5, 0.5), x grows to the right and y downwards.
    """

    shape: tuple[int, int]
    limb: str
    view: str
    items: tuple[Region, ...]
    landmarks: Mapping[str, tuple[float, float]]
    warnings: tuple[str, ...] = ()

    def get(self, side: str, region: str) -> Region | None:
        """The region of that name, found or not; None where nobody looked for it."""
        return next((item for item in self.items if item.side == side and item.region == region), None)

    @property
    def found(self) -> tuple[Region, ...]:
        """The regions that may be measured."""
        return tuple(item for item in self.items if item.found)

    @property
    def missing(self) -> tuple[Region, ...]:
        """The regions that were looked for and not found."""
        return tuple(item for item in self.items if not item.found)

    @property
    def proposed(self) -> tuple[Region, ...]:
        """Those of the missing that lie somewhere: too uncertain to be measured before a person has looked."""
        return tuple(item for item in self.missing if item.mask.any())

    def label_image(self) -> NDArray[np.uint8]:
        """The partition of the picture, uint8 (y, x), coded by :data:`LEGEND`; angiosomes are not in it."""
        labels = np.zeros(self.shape, dtype=np.uint8)
        ordered = sorted(self.found, key=lambda item: item.region not in WHOLE_LIMBS)
        for item in ordered:  # whole limbs first, so that named regions lie on top
            if item.region not in ANGIOSOMES:
                labels[item.mask] = LEGEND[item.name]
        return labels
