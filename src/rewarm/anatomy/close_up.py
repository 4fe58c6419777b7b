"""Squares of a picture in which one limb is seen at a size that does not depend on the camera's distance.

The first network tells where limbs are; each is then cut out and looked at by the second one. Training cuts with these
functions too. Frames are squares of the network's picture (192 × 256), in its pixel-edge coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.anatomy.network_input import (
    CHANNELS,
    NETWORK_SHAPE,
    OVERVIEW_SHAPE,
    Fitting,
    border_median,
    channels_of,
    to_picture,
)

Image = NDArray[np.float32]

CLOSE_UP_PX: Final = 96
"""Side of what the second network sees."""
LIMB_PX: Final = 68
"""How long the limb's box is in it."""
GUIDES: Final = 4
"""Maps of the first network that the second one is given too: foot, hand, other skin, left."""
CLOSE_UP_CHANNELS: Final = CHANNELS + GUIDES
SMALLEST_SIDE_PX: Final = 20.0
"""Of a frame: a limb smaller than that shows nothing more by being enlarged."""
_LIKELY: Final = 0.4
_SMALLEST_SHARE: Final = 0.001
_BOTH_SIDES: Final = 0.25
_MOST: Final = 4
_RIM_PX: Final = 8.0
"""Towards its border a close-up gives way to the first network, which saw what lies beyond."""


@dataclass(frozen=True)
class Frame:
    """A square with its corner at (``left``, ``top``) and sides of ``side`` pixels of the network's picture."""

    left: float
    top: float
    side: float

    @property
    def scale(self) -> float:
        """Pixels of the network's picture in one of the close-up."""
        return self.side / CLOSE_UP_PX


def frame_around(box: tuple[float, float, float, float]) -> Frame:
    """The frame in which a limb of this box (x0, y0, x1, y1) is 68 pixels long."""
    x0, y0, x1, y1 = box
    side = max(max(x1 - x0, y1 - y0) * CLOSE_UP_PX / LIMB_PX, SMALLEST_SIDE_PX)
    return Frame(0.5 * (x0 + x1 - side), 0.5 * (y0 + y1 - side), side)


def cut_out(picture_c: Image, fitting: Fitting, frame: Frame) -> Image:
    """The frame's square of a picture (y, x), °C: (96, 96); outside the picture the median of its border."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]) * frame.side + (frame.left, frame.top)
    first, right, down = to_picture(corners, fitting)
    matrix = np.column_stack(((right - first) / CLOSE_UP_PX, (down - first) / CLOSE_UP_PX, first))
    step = float(np.hypot(*matrix[:, 0]))
    outside = border_median(picture_c)
    if step > 1.0:  # several pixels become one: their mean, not one of them
        size = (max(1, round(picture_c.shape[1] / step)), max(1, round(picture_c.shape[0] / step)))
        shrunk = cv2.resize(picture_c, size, interpolation=cv2.INTER_AREA)
        matrix *= np.array([[size[0] / picture_c.shape[1]], [size[1] / picture_c.shape[0]]])
        picture_c = np.asarray(shrunk, dtype=np.float32)
    return _warped(picture_c, matrix, outside)


def close_up_channels(picture_c: Image, fitting: Fitting, frame: Frame) -> Image:
    """The frame's square as the second network sees it, but for its guides: (2, 96, 96)."""
    square = cut_out(picture_c, fitting, frame)
    return channels_of(square, square)


def guides_of(parts: Image, sides: Image) -> Image:
    """What the first network says, (17, 96, 128) and (3, 48, 64) → maps (4, 96, 128) that guide the second."""
    foot, hand = parts[2:11].sum(axis=0), parts[11:].sum(axis=0)
    left = sides[1] / np.maximum(sides[1] + sides[2], np.float32(1e-6))
    return np.stack((foot, hand, parts[1], left.repeat(2, axis=0).repeat(2, axis=1))).astype(np.float32)


def sides_exchanged(guides: Image) -> Image:
    """The guides of a picture's mirror image, not yet mirrored: what is left there is right here."""
    exchanged = guides.copy()
    exchanged[3] = 1.0 - guides[3]
    return exchanged


def guides_in(guides: Image, frame: Frame) -> Image:
    """The frame's square of the guides: (4, 96, 96), zero outside the picture."""
    step = frame.scale / 2.0
    matrix = np.array([[step, 0.0, frame.left / 2.0], [0.0, step, frame.top / 2.0]])
    return np.stack([_warped(guide, matrix, 0.0) for guide in guides])


def frames_in(guides: Image) -> list[Frame]:
    """Where the first network sees limbs: at most four frames, the largest first."""
    smallest = _SMALLEST_SHARE * OVERVIEW_SHAPE[0] * OVERVIEW_SHAPE[1]
    boxes: list[tuple[float, tuple[float, float, float, float]]] = []
    for likely in guides[:2]:
        count, labels, stats, _ = cv2.connectedComponentsWithStats((likely >= _LIKELY).astype(np.uint8))
        for label in range(1, count):
            area = float(stats[label, cv2.CC_STAT_AREA])
            if area < smallest:
                continue
            own = labels == label
            left = own & (guides[3] >= 0.5)
            share = float(left.sum()) / area
            halves = [left, own & ~left] if _BOTH_SIDES <= share <= 1.0 - _BOTH_SIDES else [own]
            boxes += [(float(half.sum()), _box(half)) for half in halves]
    boxes.sort(key=lambda item: -item[0])
    return [frame_around(box) for _, box in boxes[:_MOST]]


def merged(over: Image, close_ups: Sequence[Image], frames: Sequence[Frame]) -> Image:
    """Maps of the first network (n, y, x), in which those of the close-ups (n, h, h) replace what they show.

    ``over`` covers the network's picture at any resolution. Towards its border a close-up fades; where several show
    the same pixel, the one that has it farther from its border counts more.
    """
    part = NETWORK_SHAPE[0] / over.shape[1]
    total, weights = np.zeros_like(over), np.zeros(over.shape[1:], np.float32)
    most = np.zeros_like(weights)
    for maps, frame in zip(close_ups, frames, strict=True):
        pixels = maps.shape[1]
        step = pixels / frame.side * part
        matrix = np.array([[step, 0.0, -frame.left * step / part], [0.0, step, -frame.top * step / part]])
        weight = _warped(_inner(pixels), matrix, 0.0, over.shape[1:])
        rows, columns = np.flatnonzero(weight.any(axis=1)), np.flatnonzero(weight.any(axis=0))
        if rows.size == 0:
            continue
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        moved = matrix.copy()
        moved[:, 2] += step * np.array([columns[0], rows[0]])
        weight = weight[box]
        for place, one in enumerate(maps):
            total[place][box] += weight * _warped(one, moved, 0.0, weight.shape)
        weights[box] += weight
        most[box] = np.maximum(most[box], weight)
    seen = weights > 0.0
    share = np.where(seen, most / np.maximum(weights, np.float32(1e-6)), np.float32(0.0))
    return np.asarray(over * (1.0 - most) + total * share, dtype=np.float32)


def _inner(pixels: int) -> Image:
    """1 in the middle of a close-up, falling to 0 at its border."""
    edge = np.minimum(np.arange(pixels) + 0.5, pixels - np.arange(pixels) - 0.5) * (CLOSE_UP_PX / pixels) / _RIM_PX
    line: Image = np.clip(edge, 0.0, 1.0).astype(np.float32)
    inner: Image = np.minimum(line[:, None], line[None])
    return inner


def _box(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """The box of an overview's mask in pixels of the network's picture."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (2.0 * columns[0], 2.0 * rows[0], 2.0 * (columns[-1] + 1), 2.0 * (rows[-1] + 1))


def _warped(
    picture: Image, matrix: NDArray[np.float64], outside: float, shape: tuple[int, ...] = (CLOSE_UP_PX, CLOSE_UP_PX)
) -> Image:
    """Sampled where ``matrix`` (2 × 3, pixel-edge coordinates of the result → of the picture) says, bilinear."""
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5  # OpenCV counts from the centre of the first pixel
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (int(shape[1]), int(shape[0]))
    warped = cv2.warpAffine(picture, centred, size, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=(outside,))
    return np.asarray(warped, dtype=np.float32)
