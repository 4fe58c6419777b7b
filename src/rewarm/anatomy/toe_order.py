"""Toes in order: all toes of a foot are numbered at once, along their own line, instead of pixel by pixel.

The network says of each pixel how likely it is of each toe. Here every foot's toe pixels are laid along one line, on
which the toe's expected number grows, and the line is cut into five segments in order. How likely every cutting is
follows from what the network says of the pixels, from the webs it sees, and from how wide toes are; forward and
backward sums over all cuttings (a hidden semi-Markov model, Rabiner 1989, doi 10.1109/5.18626) give the probability of
every toe at every place of the line. How likely a pixel is of any toe stays as the network said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.regions import Mask

Image = NDArray[np.float32]
Floats = NDArray[np.float64]

TOES: Final = slice(2, 7)
"""Of the maps of parts: toe1 to toe5."""
FOOT: Final = slice(2, 11)
"""Of the maps of parts: all of a foot."""
WEBS: Final = slice(5, 9)
"""Of the maps of landmarks: web1 to web4."""

BINS: Final = 48
"""Places on the line."""
USUAL_SHARES: Final = np.array([0.27, 0.16, 0.175, 0.19, 0.205])
SHARE_SDS: Final = np.array([0.30, 0.35, 0.30, 0.40, 0.45])
"""Each toe's share of the line, and how much its logarithm varies, on simulated feet as in training."""
_HIDDEN: Final = -5.0
"""Logarithm of how likely a toe is to have no place on the line at all."""
_PIXELS_COUNT: Final = 10.0
"""Pixels err together: all of a foot's toes tell as much as so many that err on their own."""
_SEEN: Final = 0.35
"""Each toe's part of what the network calls toes, over its usual share, from which on all five are in view.

Where one is hidden or cut, as in a foot seen from its side, the network is right more often than the order is."""
_WEBS_COUNT: Final = 3.0
_FAINTEST_WEB: Final = 0.03
_FAINTEST_TOE: Final = 0.02
_LIKELY: Final = 0.3
_FEWEST_PX: Final = 15
_BOTH_SIDES: Final = 0.22
"""Share of a piece that must be of the other side for it to be two feet that touch."""
_BENT: Final = 0.3
"""How hard the line is kept from bending."""
_OUTLIERS: Final = 0.01
"""Share of the toes' pixels beyond either end of the line."""


@dataclass(frozen=True, eq=False)
class _Line:
    """Where the pixels of a foot lie: ``places`` (n,) 0 … BINS - 1; ``toe`` marks those likely to be of a toe."""

    places: NDArray[np.intp]
    toe: Mask


def in_order(parts: Image, sides: Image, landmarks: Image) -> Image:
    """Maps of parts (17, y, x) in which each foot's toes are in order; the other two at half the resolution.

    What a pixel's five toes have together does not change, nor does any other part.
    """
    ordered = parts
    for foot in _feet(parts, sides):
        rows, columns = np.nonzero(foot)
        toes = parts[TOES, rows, columns].astype(np.float64)
        line = _line_of(toes, rows, columns) if _five_in_view(toes) else None
        if line is None:
            continue
        webs = landmarks[WEBS, rows // 2, columns // 2].astype(np.float64)
        shares = _shares(toes, webs, line)[:, line.places] * (toes + 1e-3)
        if ordered is parts:
            ordered = parts.copy()
        ordered[TOES, rows, columns] = toes.sum(axis=0) * shares / shares.sum(axis=0)
    return ordered


def _feet(parts: Image, sides: Image) -> Iterator[Mask]:
    """The pixels of every foot with toes in view."""
    toes = parts[TOES].sum(axis=0) > _LIKELY
    if not toes.any():
        return
    left = (sides[1] >= sides[2]).repeat(2, axis=0).repeat(2, axis=1)
    count, labels = cv2.connectedComponents((parts[FOOT].sum(axis=0) > _LIKELY).astype(np.uint8))
    for label in range(1, count):
        own = labels == label
        share = float(left[own].mean())
        halves = [own & left, own & ~left] if _BOTH_SIDES <= share <= 1.0 - _BOTH_SIDES else [own]
        for half in halves:
            if np.count_nonzero(half & toes) >= _FEWEST_PX:
                yield half


def _five_in_view(toes: Floats) -> bool:
    likely = toes[:, toes.sum(axis=0) > _LIKELY].sum(axis=1)
    return bool((likely >= _SEEN * USUAL_SHARES * likely.sum()).all())


def _line_of(toes: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> _Line | None:
    """The line on which the expected number of the toe grows: a slightly bent fit to what the network says."""
    whole = toes.sum(axis=0)
    toe = whole > _LIKELY
    weight = np.where(toe, whole, 0.0)
    total = weight.sum()
    number = np.arange(1, 6) @ toes / np.maximum(whole, 1e-9)
    x, y = (axis - (weight @ axis) / total for axis in (columns.astype(np.float64), rows.astype(np.float64)))
    size = np.sqrt((weight @ (x * x + y * y)) / total)
    if size < 1.0:
        return None
    x, y = x / size, y / size
    terms = np.stack((x, y, x * x - y * y, x * y, x * x + y * y - 1.0))
    held = np.diag([1e-6, 1e-6, _BENT, _BENT, _BENT]) * total
    slope = np.linalg.solve((terms * weight) @ terms.T + held, (terms * weight) @ (number - weight @ number / total))
    along = slope @ terms
    order = np.argsort(along[toe])
    passed = np.cumsum(weight[toe][order]) / total
    first, last = np.interp((_OUTLIERS, 1.0 - _OUTLIERS), passed, along[toe][order])
    if last - first < 1e-6:
        return None
    places = np.clip((along - first) / (last - first) * BINS, 0, BINS - 1).astype(np.intp)
    return _Line(places, toe)


def _shares(toes: Floats, webs: Floats, line: _Line) -> Floats:
    """Probability of each toe at each place of the line, (5, BINS)."""
    whole = toes[:, line.toe].sum(axis=0)
    says = _PIXELS_COUNT / whole.size * whole * np.log(toes[:, line.toe] / whole + _FAINTEST_TOE)
    pixels = np.stack([np.bincount(line.places[line.toe], weights=of_toe, minlength=BINS) for of_toe in says])
    heat = np.zeros((4, BINS + 2))
    for web, own in zip(heat, webs, strict=True):
        np.maximum.at(web, line.places[line.toe] + 1, own[line.toe])
    between = np.maximum(heat[:, :-1], heat[:, 1:]) + _FAINTEST_WEB
    return segmented(pixels, _WEBS_COUNT * np.log(between / between.mean(axis=1, keepdims=True)))


def segmented(evidence: Floats, borders: Floats) -> Floats:
    """Probability (5, n) of each toe at each of n places, all ways to cut them into five segments in order weighed.

    ``evidence`` (5, n) is the logarithm of how well each toe goes with each place, ``borders`` (4, n + 1) of how well
    a border of two neighbours lies before each place.
    """
    n = evidence.shape[1]
    width = np.arange(n + 1)[None, :] - np.arange(n + 1)[:, None]
    up_to = np.concatenate((np.zeros((5, 1)), np.cumsum(evidence, axis=1)), axis=1)
    score = up_to[:, None, :] - up_to[:, :, None] + _widths(n)[:, np.maximum(width, 0)]
    score[:4] += borders[:, None, :]
    score[:, width < 0] = -np.inf
    before, behind = [np.where(np.arange(n + 1) == 0, 0.0, -np.inf)], [np.where(np.arange(n + 1) == n, 0.0, -np.inf)]
    for toe in range(5):
        before.append(_log_sum(before[-1][:, None] + score[toe], axis=0))
        behind.append(_log_sum(score[4 - toe] + behind[-1][None, :], axis=1))
    shares = []
    for toe in range(5):
        segment = np.exp(before[toe][:, None] + score[toe] + behind[4 - toe][None, :] - before[5][n])
        shares.append(np.cumsum(segment.sum(axis=1) - segment.sum(axis=0))[:n])
    return np.clip(np.stack(shares), 1e-6, 1.0)


def _widths(places: int) -> Floats:
    """Logarithm of how likely each toe is to have 0 … ``places`` places, (5, places + 1)."""
    share = np.maximum(np.arange(places + 1), 1) / places
    usual = -0.5 * (np.log(share / USUAL_SHARES[:, None]) / SHARE_SDS[:, None]) ** 2
    usual[:, 0] = _HIDDEN
    return np.asarray(usual)


def _log_sum(values: Floats, axis: int) -> Floats:
    top = np.maximum(values.max(axis=axis, keepdims=True), -1e12)
    with np.errstate(divide="ignore"):
        return np.asarray((top + np.log(np.exp(values - top).sum(axis=axis, keepdims=True))).squeeze(axis))
