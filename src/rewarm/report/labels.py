"""Where the names of toes and sides go in a picture: beside what they name, never on a toe, never on each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.regions import ANGIOSOMES, SIDES, Mask, Region, Regions
from rewarm.report.words import DIGITS, short_region

LABEL_WIDTH: Final = 23.0
LABEL_HEIGHT: Final = 17.0
SIDE_WIDTHS: Final = {"left": 42.0, "right": 48.0}
GAP: Final = 7.0
LARGEST_SHIFT: Final = 90


@dataclass(frozen=True)
class Box:
    """A rectangle in pixel-edge coordinates."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """Its extent along x."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Its extent along y."""
        return self.y1 - self.y0

    def meets(self, other: Box) -> bool:
        """Whether the two overlap."""
        return self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1


@dataclass(frozen=True)
class Label:
    """A word on a small plate; ``anchor`` (x, y) is the end of its pointer, None for none."""

    text: str
    box: Box
    anchor: tuple[float, float] | None


def place_labels(regions: Regions, *, unit: float) -> tuple[Label, ...]:
    """Labels T1 … T5 beyond the tips, "Left" or "Right" beyond the heel; ``unit`` is pixels per unit of the drawing."""
    taken = np.zeros(regions.shape, dtype=bool)
    for item in regions.found:
        if item.region in DIGITS:
            taken |= item.mask
    labels: list[Label] = []
    for side in SIDES:
        found = [item for item in regions.found if item.side == side and item.region not in ANGIOSOMES]
        if not found:
            continue
        limb = np.logical_or.reduce([item.mask for item in found])
        digits = [item for item in found if item.region in DIGITS]
        axis = _axis(limb, digits)
        heel = _extreme(limb, -axis)
        labels.append(_side_label(side, heel, axis, limb, labels, unit))
        labels += _digit_labels(digits, axis, taken, tuple(labels), unit)
    return tuple(labels)


def _axis(limb: Mask, digits: Sequence[Region]) -> NDArray[np.float64]:
    """Unit vector (x, y) from the middle of the limb to its digits; upwards where none was found."""
    if not digits:
        return np.array([0.0, -1.0])
    tips = np.logical_or.reduce([item.mask for item in digits])
    vector = _centre(tips) - _centre(limb)
    length = float(np.hypot(*vector))
    return vector / length if length > 0 else np.array([0.0, -1.0])


def _points(mask: Mask) -> NDArray[np.float64]:
    rows, columns = np.nonzero(mask)
    return np.stack([columns + 0.5, rows + 0.5], axis=1)


def _centre(mask: Mask) -> NDArray[np.float64]:
    centre: NDArray[np.float64] = _points(mask).mean(axis=0)
    return centre


def _extreme(mask: Mask, direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """The middle of the mask across ``direction``, moved to its farthest extent along it."""
    points = _points(mask)
    along = points @ direction
    centre = points.mean(axis=0)
    farthest: NDArray[np.float64] = centre + direction * (along.max() - centre @ direction)
    return farthest


def _side_label(
    side: str, heel: NDArray[np.float64], axis: NDArray[np.float64], limb: Mask, others: Sequence[Label], unit: float
) -> Label:
    width = SIDE_WIDTHS[side] * unit
    boxes = [label.box for label in others]
    return Label(side.capitalize(), _free_box(heel, -axis, width, LABEL_HEIGHT * unit, limb, boxes, unit), None)


def _digit_labels(
    digits: Sequence[Region], axis: NDArray[np.float64], taken: Mask, others: Sequence[Label], unit: float
) -> list[Label]:
    across = np.array([-axis[1], axis[0]])
    tips = [_extreme(item.mask, axis) for item in digits]
    order = sorted(range(len(digits)), key=lambda i: float(tips[i] @ across))
    wanted = [float(tips[i] @ across) for i in order]
    spread = _spread(wanted, gap=(LABEL_WIDTH + 2) * unit)
    labels: list[Label] = []
    for i, where, was in zip(order, spread, wanted, strict=True):
        start = tips[i] + across * (where - was)
        boxes = [label.box for label in (*others, *labels)]
        box = _free_box(start, axis, LABEL_WIDTH * unit, LABEL_HEIGHT * unit, taken, boxes, unit)
        anchor = tips[i] - axis * unit
        labels.append(Label(short_region(digits[i].region), box, (float(anchor[0]), float(anchor[1]))))
    return labels


def _spread(positions: Sequence[float], *, gap: float) -> list[float]:
    """Sorted positions moved apart to at least ``gap``, as a group around where they were."""
    placed: list[float] = []
    for position in positions:
        placed.append(max(position, placed[-1] + gap) if placed else position)
    shift = (sum(positions) - sum(placed)) / len(placed) if placed else 0.0
    return [position + shift for position in placed]


def _free_box(
    start: NDArray[np.float64],
    direction: NDArray[np.float64],
    width: float,
    height: float,
    taken: Mask,
    others: Sequence[Box],
    unit: float,
) -> Box:
    """The first box along ``direction`` that covers neither ``taken`` pixels nor other boxes."""
    reach = abs(direction[0]) * width / 2 + abs(direction[1]) * height / 2 + GAP * unit
    box = Box(0, 0, 0, 0)
    for shift in range(0, LARGEST_SHIFT, 3):
        x, y = start + direction * (reach + shift * unit)
        box = Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        if not _covers(box, taken, 2 * unit) and not any(box.meets(other) for other in others):
            break
    return box


def _covers(box: Box, taken: Mask, margin: float) -> bool:
    rows = slice(max(0, int(box.y0 - margin)), max(0, int(np.ceil(box.y1 + margin))))
    columns = slice(max(0, int(box.x0 - margin)), max(0, int(np.ceil(box.x1 + margin))))
    return bool(taken[rows, columns].any())
