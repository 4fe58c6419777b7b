"""Upright close-ups: every limb is seen from one distance, digits up, the first digit towards the same border.

The first network tells where limbs are, which way their digits point, which side they are of and whether the sole is
seen; each is then cut out, turned, mirrored where its first digit would lie towards the right border, and looked at by
the second network, which need not learn what a foot looks like from every side. (The sole of a left foot has the
outline of the back of a right one.) Training cuts with these functions too. Frames lie in the network's picture
(192 × 256), in its pixel-edge coordinates.
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
Mask = NDArray[np.bool_]
Matrix = NDArray[np.float64]

CLOSE_UP_SHAPE: Final = (128, 64)
"""Rows and columns of what the second network sees."""
LIMB_PX: Final = (88.0, 44.0)
"""How long a limb may be in it, and how broad: it is enlarged until it reaches either."""
GUIDES: Final = 6
"""Maps of the first network that the second one is given too: foot, hand, other skin, left, along the limb, sole."""
CLOSE_UP_CHANNELS: Final = CHANNELS + GUIDES
SMALLEST_SCALE: Final = 0.22
"""Of a frame: a limb smaller than that shows nothing more by being enlarged."""
TOWARDS_DIGITS: Final = (0.0, 0.0, *(5 * (1.0,)), 0.45, -0.2, -1.0, -0.25, *(5 * (1.0,)), -0.5)
"""How far along its limb each part lies, from the heel (-1) to the digits (1); by the network's codes."""
_FIRST_FOOT, _FIRST_SOLE, _DORSUM, _FIRST_HAND = 2, 7, 10, 11
_FOOT, _HAND, _SKIN, _LEFT, _ALONG, _SOLE = range(GUIDES)
_LIKELY: Final = 0.4
_SMALLEST_SHARE: Final = 0.001
_BOTH_SIDES: Final = 0.25
_MOST: Final = 4
_RIM_PX: Final = 6.0
"""Towards its border a close-up gives way to the first network, which saw what lies beyond."""
_CHANNELS: Final = 4
"""Maps that are put back at a time: OpenCV warps as many in the time of two."""
_SAME_TURN_DEG: Final = 4.0
_SAME_PX: Final = 2.0
_SAME_SCALE: Final = 1.04
"""What a frame may change by and still show the same: about half of what training varies it by."""
_OUTERMOST: Final = (1.0, 99.0)
"""Percentiles of a limb's pixels that count as its ends: a whisker of the mask must not shrink the limb."""
_WEAKEST_SLOPE: Final = 0.05
"""How much of ``towards_digits`` (its standard deviation along the limb, of about 0.6 in a whole foot) must follow the
places for a direction to be known."""


@dataclass(frozen=True)
class Frame:
    """A rectangle around (``x``, ``y``), shown as 128 × 64 pixels.

    ``scale`` is pixels of the network's picture in one of the close-up; ``turn_deg`` is how far its upper side is
    turned clockwise from the picture's. Where it is ``mirrored`` left and right are exchanged in it.
    """

    x: float
    y: float
    scale: float
    turn_deg: float = 0.0
    mirrored: bool = False

    @property
    def matrix(self) -> Matrix:
        """2 × 3: from the close-up's pixel-edge coordinates to those of the network's picture."""
        turn = np.deg2rad(self.turn_deg)
        across = -1.0 if self.mirrored else 1.0
        turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        linear = self.scale * turned * (across, 1.0)
        middle = np.array([CLOSE_UP_SHAPE[1], CLOSE_UP_SHAPE[0]]) / 2.0
        return np.column_stack((linear, np.array([self.x, self.y]) - linear @ middle))

    @property
    def inverse(self) -> Matrix:
        """2 × 3: from the network's picture to the close-up."""
        return np.asarray(cv2.invertAffineTransform(self.matrix))


def frame_around(mask: Mask, towards_digits: Image, *, mirrored: bool, step: float) -> Frame:
    """The upright frame of a limb.

    ``mask`` (y, x) is not empty, each of its pixels ``step`` pixels of the network's picture wide; ``towards_digits``
    (y, x) is as :data:`TOWARDS_DIGITS` says. Without a direction in it, the longer axis is taken to point up.
    """
    rows, columns = np.nonzero(mask)
    places = np.column_stack((columns + 0.5, rows + 0.5)) * step
    middle = places.mean(axis=0)
    places -= middle
    up = _direction(places, towards_digits[mask].astype(np.float64))
    along, across = places @ up, places @ (-up[1], up[0])
    tail, tip = np.percentile(along, _OUTERMOST)
    left, right = np.percentile(across, _OUTERMOST)
    scale = max((tip - tail + step) / LIMB_PX[0], (right - left + step) / LIMB_PX[1], SMALLEST_SCALE)
    centre = middle + 0.5 * (tip + tail) * up + 0.5 * (right + left) * np.array([-up[1], up[0]])
    turn = float(np.rad2deg(np.arctan2(up[0], -up[1])))
    return Frame(float(centre[0]), float(centre[1]), float(scale), turn, mirrored)


def _direction(places: NDArray[np.float64], towards: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vector of the digits' direction, from ``towards`` (n,) at centred ``places`` (n, 2).

    How places vary with ``towards``, times how they vary at all: of a long limb that is its axis, which a mask tells
    better than its parts do (half of the first network's feet are within 2° of the truth; by the slope of ``towards``
    alone, within 9°); of a round one, the way its digits are.
    """
    spread = places.T @ places / len(places)
    together = places.T @ (towards - towards.mean()) / len(places)
    values, axes = np.linalg.eigh(spread)
    if float(np.hypot(*together)) < _WEAKEST_SLOPE * float(np.sqrt(values[1])):
        longer: NDArray[np.float64] = axes[:, 1]
        return longer if longer[1] <= 0.0 else -longer
    pointing = (spread + 0.01 * values[1] * np.eye(2)) @ together
    return np.asarray(pointing / np.hypot(*pointing))


def cut_out(picture_c: Image, fitting: Fitting, frame: Frame) -> Image:
    """What the frame shows of a picture (y, x), °C: (128, 64); outside the picture the median of its border."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    matrix = frame.matrix
    first, right, down = to_picture(corners @ matrix[:, :2].T + matrix[:, 2], fitting)
    matrix = np.column_stack((right - first, down - first, first))
    step = float(np.hypot(*matrix[:, 0]))
    outside = border_median(picture_c)
    if step > 1.0:  # several pixels become one: their mean, not one of them
        size = (max(1, round(picture_c.shape[1] / step)), max(1, round(picture_c.shape[0] / step)))
        shrunk = cv2.resize(picture_c, size, interpolation=cv2.INTER_AREA)
        matrix *= np.array([[size[0] / picture_c.shape[1]], [size[1] / picture_c.shape[0]]])
        picture_c = np.asarray(shrunk, dtype=np.float32)
    return _warped(picture_c, matrix, outside)


def close_up_channels(picture_c: Image, fitting: Fitting, frame: Frame) -> Image:
    """The frame as the second network sees it, but for its guides: (2, 128, 64)."""
    upright = cut_out(picture_c, fitting, frame)
    return channels_of(upright, upright)


def guides_of(parts: Image, sides: Image) -> Image:
    """What the first network says, (17, 96, 128) and (3, 48, 64) → maps (6, 96, 128) that guide the second.

    Probabilities of a foot, a hand and other skin; the share of left in left and right; how far along its limb a pixel
    lies, -1..1; probability of the sole less that of the back of a foot.
    """
    return _guides(_summed(parts), sides[1], sides[2])


def _summed(parts: Image) -> Image:
    """Maps of parts (17, y, x) → what can be merged: foot, hand, skin, along the limb times limb, sole; (5, y, x)."""
    weights = np.asarray(TOWARDS_DIGITS, dtype=np.float32)
    foot, hand = parts[_FIRST_FOOT:_FIRST_HAND].sum(axis=0), parts[_FIRST_HAND:].sum(axis=0)
    sole = parts[_FIRST_SOLE:_DORSUM].sum(axis=0) - parts[_DORSUM]
    return np.stack((foot, hand, parts[1], np.tensordot(weights, parts, axes=1), sole)).astype(np.float32)


def _guides(summed: Image, left: Image, right: Image) -> Image:
    foot, hand, skin, along, sole = summed
    share = (left / np.maximum(left + right, np.float32(1e-6))).repeat(2, axis=0).repeat(2, axis=1)
    return np.stack((foot, hand, skin, share, along / np.maximum(foot + hand, np.float32(1e-6)), sole))


def guides_in(guides: Image, frame: Frame) -> Image:
    """What the frame shows of the guides: (6, 128, 64), zero outside the picture; mirrored, left has become right."""
    if frame.mirrored:
        guides = guides.copy()
        guides[_LEFT] = 1.0 - guides[_LEFT]
    matrix = frame.matrix * (OVERVIEW_SHAPE[0] / NETWORK_SHAPE[0])
    return np.stack([_warped(guide, matrix, 0.0) for guide in guides])


def frames_in(guides: Image) -> list[Frame]:
    """Where the first network sees limbs: at most four frames, the largest first."""
    smallest = _SMALLEST_SHARE * OVERVIEW_SHAPE[0] * OVERVIEW_SHAPE[1]
    masks: list[Mask] = []
    for likely in guides[[_FOOT, _HAND]]:
        count, labels, stats, _ = cv2.connectedComponentsWithStats((likely >= _LIKELY).astype(np.uint8))
        for label in range(1, count):
            area = float(stats[label, cv2.CC_STAT_AREA])
            if area < smallest:
                continue
            own = labels == label
            left = own & (guides[_LEFT] >= 0.5)
            share = float(left.sum()) / area
            masks += [left, own & ~left] if _BOTH_SIDES <= share <= 1.0 - _BOTH_SIDES else [own]
    masks.sort(key=lambda mask: -int(mask.sum()))
    step = NETWORK_SHAPE[0] / OVERVIEW_SHAPE[0]
    frames = []
    for mask in masks[:_MOST]:
        # Of a hand, too, as training did it: which face of it is seen is not known, and faint signs of a sole decide.
        mirrored = to_mirror(left=bool(guides[_LEFT][mask].mean() >= 0.5), sole=bool(guides[_SOLE][mask].sum() > 0))
        frames.append(frame_around(mask, guides[_ALONG], mirrored=mirrored, step=step))
    return frames


def to_mirror(*, left: bool, sole: bool) -> bool:
    """Whether a limb, digits up, has its first digit towards the right: the back of a left foot, a right one's sole."""
    return left != sole


def second_frames(parts: Image, sides: Image, near: Sequence[Sequence[Image]], frames: Sequence[Frame]) -> list[Frame]:
    """Frames from what the second network said of ``frames`` (parts, sides, …): nearer to the limbs than the first.

    ``parts`` (17, 96, 128) and ``sides`` (3, 48, 64) are what the first network said.
    """
    summed = merged(_summed(parts), [_summed(answer[0]) for answer in near], frames)
    own = [as_seen(answer[1], frame) for answer, frame in zip(near, frames, strict=True)]
    _, left, right = merged(sides, own, frames)
    return frames_in(_guides(summed, left, right))


def alike(one: Frame, other: Frame) -> bool:
    """Whether two frames show so nearly the same that the second network need not be asked for both."""
    turn = abs((one.turn_deg - other.turn_deg + 180.0) % 360.0 - 180.0)
    apart = float(np.hypot(one.x - other.x, one.y - other.y)) / one.scale
    larger = max(one.scale / other.scale, other.scale / one.scale)
    near = turn <= _SAME_TURN_DEG and apart <= _SAME_PX and larger <= _SAME_SCALE
    return near and one.mirrored == other.mirrored


def as_seen(sides: Image, frame: Frame) -> Image:
    """Maps of sides (3, y, x) of a close-up, with the names that the picture has for them."""
    return np.ascontiguousarray(sides[[0, 2, 1]]) if frame.mirrored else sides


def merged(over: Image, close_ups: Sequence[Image], frames: Sequence[Frame]) -> Image:
    """Maps of the first network (n, y, x), in which those of the close-ups (n, h, w) replace what they show.

    ``over`` covers the network's picture at any resolution. Towards its border a close-up fades; where several show
    the same pixel, the one that has it farther from its border counts more.
    """
    part = NETWORK_SHAPE[0] / over.shape[1]
    total, weights = np.zeros_like(over), np.zeros(over.shape[1:], np.float32)
    most = np.zeros_like(weights)
    for maps, frame in zip(close_ups, frames, strict=True):
        shape = (maps.shape[1], maps.shape[2])
        matrix = frame.inverse
        matrix[:, :2] *= part  # of pixels of ``over``
        matrix *= shape[0] / CLOSE_UP_SHAPE[0]  # to those of the maps
        weight = _warped(_inner(shape), matrix, 0.0, over.shape[1:])
        rows, columns = np.flatnonzero(weight.any(axis=1)), np.flatnonzero(weight.any(axis=0))
        if rows.size == 0:
            continue
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        moved = matrix.copy()
        moved[:, 2] += matrix[:, :2] @ np.array([columns[0], rows[0]], dtype=np.float64)
        weight = weight[box]
        for first in range(0, len(maps), _CHANNELS):
            some = np.ascontiguousarray(maps[first : first + _CHANNELS].transpose(1, 2, 0))
            moved_maps = _warped(some, moved, None, weight.shape).reshape(*weight.shape, -1)
            moved_maps *= weight[..., None]
            total[first : first + _CHANNELS, box[0], box[1]] += moved_maps.transpose(2, 0, 1)
        weights[box] += weight
        most[box] = np.maximum(most[box], weight)
    seen = weights > 0.0
    share = np.where(seen, most / np.maximum(weights, np.float32(1e-6)), np.float32(0.0))
    return np.asarray(over * (1.0 - most) + total * share, dtype=np.float32)


def _inner(shape: tuple[int, int]) -> Image:
    """1 in the middle of a close-up, falling to 0 at its border."""
    pixel = CLOSE_UP_SHAPE[0] / shape[0]
    down, across = (
        np.clip((np.minimum(np.arange(size) + 0.5, size - np.arange(size) - 0.5) * pixel) / _RIM_PX, 0.0, 1.0)
        for size in shape
    )
    inner: Image = np.minimum(down[:, None], across[None]).astype(np.float32)
    return inner


def _warped(picture: Image, matrix: Matrix, outside: float | None, shape: tuple[int, ...] = CLOSE_UP_SHAPE) -> Image:
    """Sampled where ``matrix`` (2 × 3, pixel-edge coordinates of the result → of the picture) says, bilinear.

    ``outside`` the picture, or what its border has there where it is None.
    """
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5  # OpenCV counts from the centre of the first pixel
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (int(shape[1]), int(shape[0]))
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    warped = cv2.warpAffine(picture, centred, size, flags=flags, borderMode=border, borderValue=(outside or 0.0,))
    return np.asarray(warped, dtype=np.float32)
