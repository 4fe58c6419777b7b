"""From the network's maps to anatomy: whole limbs with a side, digits in one piece, landmarks, signs of doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.anatomy.network import FOOT_PARTS, HAND_PARTS, Peak, Prediction
from rewarm.anatomy.rims import components, fill_holes
from rewarm.regions import FINGERS, SIDES, TOES, Mask

Image = NDArray[np.float32]

SMALLEST_LIMB_SHARE: Final = 0.0012
"""Of the picture's pixels: a foot of 20 pixels' length in a picture of 320 × 240."""
_LIKELY: Final = 0.5
_FRAGMENT: Final = 0.35
"""A piece smaller than this share of a limb may be a part of it that something lies across."""
_NEAR: Final = 0.2
"""How far apart, in limb lengths, pieces of one limb may be."""
_BOTH_SIDES: Final = 0.22
"""Share of a piece that must be of the other side for it to be two limbs that touch."""


@dataclass(frozen=True, eq=False)
class SeenLimb:
    """A foot or a hand as the network sees it.

    ``mask`` (y, x); ``side`` and ``side_share``, the network's mean probability for that side; ``parts`` are masks by
    name (toe1 … dorsum, or finger1 … palm) that do not overlap and, together, are ``mask``; ``landmarks`` are (x, y) in
    pixel-edge coordinates; ``signs`` are figures by part, and by "limb", from which a confidence is told.
    """

    mask: Mask
    side: str
    side_share: float
    parts: Mapping[str, Mask]
    landmarks: Mapping[str, tuple[float, float]]
    signs: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class _Piece:
    mask: Mask
    area: int
    left_share: float

    @property
    def side(self) -> str:
        return "left" if self.left_share >= 0.5 else "right"

    @property
    def side_share(self) -> float:
        return max(self.left_share, 1.0 - self.left_share)


def seen_limbs(prediction: Prediction, whole: str, *, cut_out: Mask | None = None) -> tuple[list[SeenLimb], list[str]]:
    """The limbs of kind ``whole`` ("foot" or "hand"), at most one of each side, and warnings.

    ``cut_out`` (y, x) is what was left of a picture whose background was removed: there the silhouettes are known.
    """
    likely = prediction.foot if whole == "foot" else prediction.hand
    if cut_out is not None:
        likely = _within(cut_out, likely)
    left, right = prediction.sides[1], prediction.sides[2]
    leftness = left / np.maximum(left + right, np.float32(1e-6))
    smallest = max(12, int(SMALLEST_LIMB_SHARE * likely.size))
    pieces: list[_Piece] = []
    for part in components(likely >= _LIKELY, smallest=max(6, smallest // 4)):
        pieces += _by_side(part, likely, leftness)
    limbs = [piece for piece in _joined(pieces, likely, leftness) if piece.area >= smallest]
    chosen, warnings = _one_of_each_side(limbs, whole)
    return [_described(prediction, piece, side, whole) for side, piece in chosen.items()], warnings


def _within(cut_out: Mask, likely: Image) -> Image:
    """Certainty on every part of the foreground that is mostly such a limb, and none elsewhere."""
    known = np.zeros_like(likely)
    for part in components(cut_out, smallest=2):
        if float(likely[part].mean()) >= _LIKELY:
            known[part] = 1.0
    return known


def _piece(mask: Mask, likely: Image, leftness: Image) -> _Piece:
    weight = likely[mask]
    return _Piece(mask, int(mask.sum()), float((leftness[mask] * weight).sum() / max(float(weight.sum()), 1e-9)))


def _by_side(part: Mask, likely: Image, leftness: Image) -> list[_Piece]:
    """One piece, or two where a left and a right limb touch."""
    whole = _piece(part, likely, leftness)
    left = part & (leftness >= 0.5)
    halves = [components(half, smallest=1) for half in (left, part & ~left)]
    if any(not half or half[0].sum() < _BOTH_SIDES * whole.area for half in halves):
        return [whole]
    near = [cv2.distanceTransform(1 - half[0].astype(np.uint8), cv2.DIST_L2, 5) for half in halves]
    first = part & (near[0] <= near[1])
    two = [_piece(half, likely, leftness) for half in (first, part & ~first)]
    # A side that the network wavers on within one foot gives halves that are not sure of themselves.
    return two if min(piece.side_share for piece in two) > 0.7 else [whole]


def _joined(pieces: list[_Piece], likely: Image, leftness: Image) -> list[_Piece]:
    """Fragments join the limb of which they may be a part."""
    rest = sorted(pieces, key=lambda piece: -piece.area)
    limbs: list[_Piece] = []
    for piece in rest:
        home = next((i for i, limb in enumerate(limbs) if _belongs(piece, limb)), None)
        if home is None:
            limbs.append(piece)
        else:
            limbs[home] = _piece(limbs[home].mask | piece.mask, likely, leftness)
    return limbs


def _belongs(piece: _Piece, limb: _Piece) -> bool:
    if piece.area > _FRAGMENT * limb.area or (piece.side != limb.side and piece.side_share > 0.8):
        return False
    rows, columns = np.nonzero(limb.mask)
    length = float(np.hypot(np.ptp(rows), np.ptp(columns)))
    distance = cv2.distanceTransform(1 - limb.mask.astype(np.uint8), cv2.DIST_L2, 5)
    return float(distance[piece.mask].min()) < _NEAR * length


def _one_of_each_side(limbs: list[_Piece], whole: str) -> tuple[dict[str, _Piece], list[str]]:
    """The two limbs that are the most likely pair; what is left over is said."""
    if not limbs:
        return {}, []
    best: tuple[float, dict[str, _Piece]] = (-np.inf, {})
    options: list[_Piece | None] = [None, *limbs[:6]]
    for left in options:
        for right in options:
            if left is right:
                continue
            pick = {side: piece for side, piece in zip(SIDES, (left, right), strict=True) if piece is not None}
            value = sum(
                piece.area * (0.6 + 0.8 * (piece.left_share if side == "left" else 1.0 - piece.left_share))
                for side, piece in pick.items()
            )
            if value > best[0]:
                best = (value, pick)
    chosen = best[1]
    left_over = [piece for piece in limbs if not any(piece is taken for taken in chosen.values())]
    largest = max(piece.area for piece in limbs)
    more = sum(piece.area > 0.4 * largest for piece in left_over)
    warnings = []
    if more:
        plural = "feet" if whole == "foot" else "hands"
        warnings.append(
            f"{len(chosen) + more} {plural} seem to be in the picture; the two that are clearest are taken. Check that "
            "they are the right person's"
        )
    return chosen, warnings


def _described(prediction: Prediction, piece: _Piece, side: str, whole: str) -> SeenLimb:
    """A limb with its parts; a pixel of it that the network calls something else takes its most likely part."""
    names = FOOT_PARTS if whole == "foot" else HAND_PARTS
    digits = TOES if whole == "foot" else FINGERS
    mask = fill_holes(piece.mask, largest=max(4, piece.area // 50))
    maps = np.stack([prediction.probability((name,)) for name in names])
    share = maps / np.maximum(maps.sum(axis=0), np.float32(1e-6))
    codes = np.where(mask, share.argmax(axis=0) + 1, 0).astype(np.uint8)
    codes = _whole_digits(codes, [names.index(name) + 1 for name in digits])
    parts = {name: codes == number for number, name in enumerate(names, start=1)}
    landmarks = _landmarks(prediction.peaks, parts, mask, whole)
    agreement = piece.left_share if side == "left" else 1.0 - piece.left_share
    signs = _signs(prediction, share, names, parts, mask, landmarks, agreement)
    return SeenLimb(mask, side, agreement, parts, {name: (x, y) for name, (x, y, _) in landmarks.items()}, signs)


def _whole_digits(codes: NDArray[np.uint8], digits: list[int]) -> NDArray[np.uint8]:
    """Each digit keeps its largest piece; crumbs go to the part that surrounds them."""
    result = codes.copy()
    for code in digits:
        for crumb in components(codes == code, smallest=1)[1:]:
            around = (cv2.dilate(crumb.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~crumb
            beside = result[around & (result > 0)]
            result[crumb] = np.bincount(beside).argmax() if beside.size else code
    return result


def _landmarks(
    peaks: tuple[Peak, ...], parts: Mapping[str, Mask], mask: Mask, whole: str
) -> dict[str, tuple[float, float, float]]:
    """For each landmark the best peak on, or close to, what it belongs to: (x, y, score)."""
    rows, columns = np.nonzero(mask)
    length = float(np.hypot(np.ptp(rows), np.ptp(columns)))
    found: dict[str, tuple[float, float, float]] = {}
    distances: dict[str, Image] = {}
    for peak in peaks:
        if peak.name in found or peak.name.startswith("finger") != (whole == "hand"):
            continue
        home = peak.name.removesuffix("_tip")
        own = parts[home] if home in parts and parts[home].any() else mask
        if home not in distances:
            distances[home] = cv2.distanceTransform(1 - own.astype(np.uint8), cv2.DIST_L2, 5)
        row = min(int(peak.y), mask.shape[0] - 1)
        column = min(int(peak.x), mask.shape[1] - 1)
        if distances[home][row, column] <= 0.05 * length + 1.0:
            found[peak.name] = (peak.x, peak.y, peak.score)
    return found


SIGNS: Final = (
    "mean probability of the part within it",
    "mean probability of the limb within it",
    "share of the part's probability that lies within it",
    "steepness at its rim",
    "logarithm of its pixels, as the network sees them",
    "agreement on the side",
    "score of its landmark",
)
"""What :attr:`SeenLimb.signs` hold, in this order."""


def _signs(
    prediction: Prediction,
    share: Image,
    names: tuple[str, ...],
    parts: Mapping[str, Mask],
    mask: Mask,
    landmarks: Mapping[str, tuple[float, float, float]],
    agreement: float,
) -> dict[str, NDArray[np.float64]]:
    likely = prediction.foot if names is FOOT_PARTS else prediction.hand
    near = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    scale = prediction.fitting.height * prediction.fitting.width / mask.size
    signs: dict[str, NDArray[np.float64]] = {}
    for name, own in {"limb": mask, **parts}.items():
        if not own.any():
            continue
        probability = likely if name == "limb" else share[names.index(name)] * likely
        landmark = landmarks.get("heel_point" if name in ("limb", "heel") else f"{name}_tip", (0.0, 0.0, 0.0))[2]
        signs[name] = np.array(
            [
                float(probability[own].mean()),
                float(likely[own].mean()),
                float(probability[own].sum() / max(float(probability[near].sum()), 1e-6)),
                _steepness(probability, own),
                float(np.log(max(scale * own.sum(), 1.0))),
                agreement,
                landmark,
            ]
        )
    return signs


def _steepness(probability: Image, own: Mask) -> float:
    """How sure the network is on both sides of the rim: mean distance of the probability from one half, 0..1."""
    kernel = np.ones((3, 3), np.uint8)
    rim = (cv2.dilate(own.astype(np.uint8), kernel) > 0) & ~(cv2.erode(own.astype(np.uint8), kernel) > 0)
    return float(np.abs(2.0 * probability[rim] - 1.0).mean()) if rim.any() else 0.0
