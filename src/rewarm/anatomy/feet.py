"""From silhouettes to feet: which is left, which is right, what their parts are, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label as connected

from rewarm.anatomy.found import FoundLimb, Part
from rewarm.anatomy.lobes import even, uneven
from rewarm.anatomy.pose import Fit, silhouette_outline
from rewarm.anatomy.rims import noise_level, rim_sharpness, rim_support
from rewarm.anatomy.silhouettes import FootCandidate
from rewarm.anatomy.sole_shape import Points, side_of
from rewarm.anatomy.toes import ToeSplit, split_toes, toe_labels
from rewarm.anatomy.zones import angiosomes, sole_zones
from rewarm.regions import TOES, Mask
from rewarm.version import __version__

DRAWN_BY: Final = f"rewarm {__version__} geometry"

_MISFIT_LIMIT: Final = 0.025
_MISFIT_SCALE: Final = 0.002
_MIRROR_SCALE: Final = 0.0012
_TOES_DOWN: Final = 0.004
_STEEPEST: Final = np.radians(75.0)
"""In a scene, toes point up; a cut-out may have been turned."""


@dataclass(frozen=True, eq=False)
class ChosenFoot:
    """A candidate as one side; ``confidence`` that it is a foot, of this side."""

    candidate: FootCandidate
    fit: Fit
    confidence: float
    doubt: str


def _logistic(value: float) -> float:
    return float(1.0 / (1.0 + np.exp(-np.clip(value, -30, 30))))


def _as_side(candidate: FootCandidate, side: str, view: str) -> tuple[Fit, float, float] | None:
    """The best fit of that side, the confidence that it is a foot, and that it is of this side."""
    if candidate.sure is not None:  # its side came with the search
        fit = candidate.fits[0]
        return (fit, candidate.sure, 1.0) if side_of(fit.pose, view=view) == side else None
    fits = [fit for fit in candidate.fits if candidate.cut_out or abs(_turn(fit)) < _STEEPEST]
    own = _best(fit for fit in fits if side_of(fit.pose, view=view) == side)
    rival = _best(fit for fit in fits if side_of(fit.pose, view=view) != side)
    if own is None or rival is None:
        return None
    is_foot = _logistic((_MISFIT_LIMIT - min(own.misfit, rival.misfit)) / _MISFIT_SCALE)
    return own, is_foot, _logistic((_cost(rival) - _cost(own)) / _MIRROR_SCALE)


def _best(fits: Iterable[Fit]) -> Fit | None:
    return min(fits, key=_cost, default=None)


def _cost(fit: Fit) -> float:
    """Misfit, a little more with the toes down: pictures are usually taken with the toes up."""
    return fit.misfit + (_TOES_DOWN if abs(_turn(fit)) > np.pi / 2 else 0.0)


def looks_like_a_foot(candidate: FootCandidate) -> float:
    """0..1: how sure it is that a candidate is a foot whose side can be told."""
    best = 0.0
    for side in ("left", "right"):
        seen = _as_side(candidate, side, "plantar")
        if seen is not None:
            best = max(best, seen[1] * max(2.0 * seen[2] - 1.0, 0.0))
    return best


def _turn(fit: Fit) -> float:
    return float((fit.pose.turn + np.pi) % (2 * np.pi) - np.pi)


def pair_feet(
    candidates: list[FootCandidate], *, sides: tuple[str, ...], view: str
) -> tuple[dict[str, ChosenFoot], list[str]]:
    """Give each side its candidate: the assignment that is most probable as a whole.

    Returns the chosen feet by side, and warnings. A silhouette that looks like the other side than the one asked for is
    kept with a low confidence and a warning.
    """
    views = {side: [_as_side(candidate, side, view) for candidate in candidates] for side in ("left", "right")}
    best: tuple[float, dict[str, int]] = (-np.inf, {})
    options = [None, *range(len(candidates))]
    for left in options if "left" in sides else [None]:
        for right in options if "right" in sides else [None]:
            if left is not None and left == right:
                continue
            pick = {side: i for side, i in (("left", left), ("right", right)) if i is not None}
            total = 0.0
            for side, i in pick.items():
                seen = views[side][i]
                total += -10.0 if seen is None else max(float(np.log(seen[1] * seen[2] + 1e-9)), -5.0) + 6.0
            if total > best[0]:
                best = (total, pick)
    chosen: dict[str, ChosenFoot] = {}
    warnings: list[str] = []
    for side, i in best[1].items():
        seen = views[side][i]
        if seen is None:
            continue
        fit, is_foot, is_side = seen
        doubt = ""
        if is_side < 0.5 and is_foot >= 0.5:
            doubt = f"its outline looks like the other foot's, but it is taken as the {side} one"
            warnings.append(f"{side} foot: {doubt}. Check `limb` and `view`, and whether the picture is mirrored")
        elif is_foot < 0.5:
            doubt = "its outline is not like a foot's"
        elif is_side < 0.75:
            doubt = "its outline does not tell a left from a right foot"
        chosen[side] = ChosenFoot(candidates[i], fit, is_foot * max(2.0 * is_side - 1.0, 0.0), doubt)
    return chosen, warnings


def describe_foot(temperature_c: NDArray[np.float32], chosen: ChosenFoot, *, mirrored: bool, view: str) -> FoundLimb:
    """All parts of one foot, each with a mask (y, x), a confidence and a doubt; and its landmarks."""
    assert chosen.fit.pose.mirrored == mirrored
    mask, pose = chosen.candidate.mask, chosen.fit.pose
    filled = np.where(np.isfinite(temperature_c), temperature_c, 0.0).astype(np.float32)
    split = split_toes(filled, mask, pose, exact=chosen.candidate.cut_out)
    ys, xs = np.nonzero(mask)
    points = pose.to_foot(np.stack([xs + 0.5, ys + 0.5], axis=1))
    toe = np.zeros(len(points), dtype=np.int8)
    if split is not None:
        toe = _one_piece_each(toe_labels(split, points, pose), ys, xs, mask.shape)
    seen = chosen.candidate.contrast

    def full(chosen_pixels: NDArray[np.bool_]) -> Mask:
        whole = np.zeros(mask.shape, dtype=bool)
        whole[ys[chosen_pixels], xs[chosen_pixels]] = True
        return whole

    whole = chosen.confidence * (0.4 + 0.6 * seen)
    doubt = chosen.doubt or ("its rim can hardly be told from what is around it" if seen < 0.4 else "")
    parts: dict[str, Part] = {"foot": (mask, whole, doubt)}
    toe_sure = [(0.0, "the front of its outline is not like a foot's")] * 5
    if split is not None:
        toe_sure = _toe_confidence(split, toe, points, chosen, _toes_seen(filled, chosen, split))
    for i, name in enumerate(TOES, start=1):
        confidence, reason = toe_sure[i - 1]
        parts[name] = (full(toe == i), confidence, doubt or reason)
    zones = sole_zones(points, toe) if view == "plantar" else {"dorsum": toe == 0}
    for name, pixels in zones.items():
        near_toes = 0.92 if name == "ball" else 0.97
        parts[name] = (full(pixels), whole * near_toes, doubt)
    for name, pixels in angiosomes(points).items():
        parts[name] = (full(pixels), whole * 0.95, doubt)
    return FoundLimb(parts, _landmarks(split, toe, points, xs, ys, chosen), DRAWN_BY)


def _guessed(chosen: ChosenFoot, split: ToeSplit) -> float:
    """What is left of the toes' confidence where the outline is rough or smooth at the front."""
    searched = 0.85 if chosen.candidate.sure is not None else 1.0  # outlines that were searched for are rougher at toes
    if not chosen.candidate.cut_out and split.bent_in < 2:
        searched *= 0.5  # a smooth front: the toes may be too cold to be seen at all
    return searched


def _toes_seen(filled: NDArray[np.float32], chosen: ChosenFoot, split: ToeSplit) -> list[float]:
    """For each toe, 0..1: how clearly its own rim stands out from what is around it."""
    if chosen.candidate.cut_out:
        return [1.0] * 5
    mask, pose = chosen.candidate.mask, chosen.fit.pose
    rim = silhouette_outline(mask)
    support = rim_support(filled, mask, noise_level(filled), rim)
    sharp = rim_sharpness(filled, mask, rim, pose.length)
    place = pose.to_foot(rim)
    owner = toe_labels(split, place, pose)
    heel = float(np.median(sharp[place[:, 1] < 0.3])) if (place[:, 1] < 0.3).any() else 1.0
    seen = []
    for i in range(1, 6):
        own = owner == i
        if own.sum() < 4:
            seen.append(0.0)
            continue
        fading = float(np.quantile(sharp[own], 0.25)) / max(heel, 0.3)
        seen.append(float(support[own].mean() * np.clip((fading - 0.30) / 0.25, 0.0, 1.0)))
    return seen


def _one_piece_each(
    toe: NDArray[np.int8], ys: NDArray[np.intp], xs: NDArray[np.intp], shape: tuple[int, ...]
) -> NDArray[np.int8]:
    """Each toe keeps its largest piece; crumbs go to the neighbour that surrounds them, or to the sole."""
    image = np.full(shape, -1, dtype=np.int8)
    image[ys, xs] = toe
    for i in range(1, 6):
        pieces, count = connected(image == i)
        if count > 1:
            sizes = np.bincount(pieces.ravel())[1:]
            for piece in np.nonzero(np.arange(count) != int(np.argmax(sizes)))[0]:
                crumb = pieces == piece + 1
                image[crumb] = _commonest_neighbour(image, crumb)
    return np.asarray(image[ys, xs])


def _commonest_neighbour(image: NDArray[np.int8], crumb: Mask) -> int:
    rows, columns = np.nonzero(crumb)
    around = []
    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        y = np.clip(rows + dy, 0, image.shape[0] - 1)
        x = np.clip(columns + dx, 0, image.shape[1] - 1)
        outside = ~crumb[y, x]
        around.append(image[y[outside], x[outside]])
    values = np.concatenate(around)
    values = values[values >= 0]
    return int(np.bincount(values).argmax()) if values.size else 0


_EXPECTED_AREA: Final = (0.0211, 0.0094, 0.0073, 0.0057, 0.0055)
"""Area of each toe in squared foot lengths (u scaled): of twelve of the twin's drawn soles."""
_AREA_RANGE: Final = 0.40
"""How far the logarithm of a toe's area may be from that without any doubt."""
_CURLED: Final = 1.00
"""The same for the little toe of a cut-out, which may be curled; elsewhere its rim may have been missed."""


def _toe_confidence(
    split: ToeSplit, toe: NDArray[np.int8], points: Points, chosen: ChosenFoot, seen: list[float]
) -> list[tuple[float, str]]:
    """Per toe: sure if both its borders show and its size is a toe's."""
    cut_out, guessed = chosen.candidate.cut_out, _guessed(chosen, split)
    spread = np.ptp(points[:, 1])
    pixels_per_area = len(toe) / (0.30 * float(spread) ** 2)  # a sole covers about 0.30 squared lengths
    sides = [1.0, *split.evidence.tolist(), 1.0]
    result = []
    for i in range(1, 6):
        area = float((toe == i).sum()) / pixels_per_area
        ratio = np.log(max(area, 1e-6) / _EXPECTED_AREA[i - 1])
        usual = _CURLED if cut_out and i == 5 else _AREA_RANGE
        plausible = float(np.exp(-0.5 * max(abs(ratio) - usual, 0.0) ** 2 / 0.25**2))
        shown = 0.5 * (sides[i - 1] + sides[i])
        rim = 0.25 + 0.75 * seen[i - 1]
        confidence = chosen.confidence * plausible * rim * guessed * (0.50 + 0.40 * shown + 0.10 * split.base_evidence)
        reason = ""
        if plausible < 0.5:
            reason = "too small for this toe: it may be hidden, missing or as cold as what is around it"
            if ratio > 0:
                reason = "too large for this toe: it cannot be told from its neighbour"
        elif seen[i - 1] < 0.4:
            reason = "its rim can hardly be told from what is around it"
        elif shown < 0.4:
            reason = "the borders to its neighbours hardly show; divided by the usual proportions"
        result.append((confidence, reason))
    return result


def _landmarks(
    split: ToeSplit | None,
    toe: NDArray[np.int8],
    points: Points,
    xs: NDArray[np.intp],
    ys: NDArray[np.intp],
    chosen: ChosenFoot,
) -> dict[str, tuple[float, float]]:
    """Toe tips, webs and the heel point, (x, y) in pixel-edge coordinates."""
    landmarks: dict[str, tuple[float, float]] = {}
    if split is not None:
        for i, name in enumerate(TOES, start=1):
            own = np.nonzero(toe == i)[0]
            if own.size:
                tip = own[_outermost(split, i, even(points[own], chosen.fit.pose))]
                landmarks[f"{name}_tip"] = (float(xs[tip].mean() + 0.5), float(ys[tip].mean() + 0.5))
        webs = chosen.fit.pose.to_picture(uneven(split.webs, chosen.fit.pose))
        landmarks |= {f"web{i}": (float(x), float(y)) for i, (x, y) in enumerate(webs.tolist(), start=1)}
    low = points[:, 1] < np.quantile(points[:, 1], 0.004) + 1e-9
    landmarks["heel_point"] = (float(xs[low].mean() + 0.5), float(ys[low].mean() + 0.5))
    return landmarks


_BLUNT: Final = 0.004
"""Pixels that are less than this part of a foot's length behind a toe's outermost one are its tip too."""


def _outermost(split: ToeSplit, number: int, pixels: Points) -> NDArray[np.intp]:
    """Indices of the pixels, (n, 2) even foot coordinates, of toe ``number`` that lie farthest out.

    Outwards is half way between square to the line at the toe's base and from that line's middle to the toe's own.
    """
    start, end = split.line[number - 1], split.line[number]
    square = np.array([start[1] - end[1], end[0] - start[0]])
    along = pixels.mean(axis=0) - 0.5 * (start + end)
    reach = pixels @ (square / max(float(np.hypot(*square)), 1e-9) + along / max(float(np.hypot(*along)), 1e-9))
    return np.nonzero(reach >= reach.max() - 2.0 * _BLUNT)[0]
