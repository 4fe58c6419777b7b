"""Silhouettes of feet: from the cut-out of a prepared picture, or from temperature levels in a simple scene."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.anatomy.pose import Fit, fit_silhouette, silhouette_outline
from rewarm.anatomy.rims import components, disc, noise_level, refine_mask, rim_contrast
from rewarm.anatomy.shape_search import draw_to_edges, find_pair
from rewarm.anatomy.sole_shape import Pose, sample
from rewarm.regions import Mask

Image = NDArray[np.float32]

SMALLEST_FOOT_PX: Final = 60
"""Length below which toes are a pixel or two wide: no foot is looked for."""
_LEVELS: Final = 14
_SEARCH_SIZE_PX: Final = 170.0
_LONGER: Final = 0.2
"""Toes' share of a foot's length, about: how much longer a foot is than its sole without them."""
_SOLE_LIKE: Final = 0.014
"""Misfit, in foot lengths, under which an outline is plainly a sole's, so that toes may be looked for beyond it."""
_PLAUSIBLE_ELONGATION: Final = (1.45, 4.2)


@dataclass(frozen=True, eq=False)
class FootCandidate:
    """A silhouette that may be a foot.

    ``mask`` (y, x); ``fits`` poses, best first; ``contrast`` is 0..1, the share of the rim that stands out from what is
    around it; ``cut_out`` whether the background had been removed before; ``sure``, where the outline was searched
    for in a scene, is 0..1, how well it and its mirror image lie on edges, and None where ``fits`` were made to a
    silhouette.
    """

    mask: Mask
    fits: tuple[Fit, ...]
    contrast: float
    cut_out: bool
    sure: float | None = None


def valid_pixels(temperature_c: Image) -> tuple[Mask, bool]:
    """Pixels that hold a temperature, and whether the picture is a cut-out (background NaN, or exactly zero)."""
    valid = np.isfinite(temperature_c)
    zero = valid & (temperature_c == 0.0)
    if zero.mean() > 0.05 and np.median(temperature_c[valid & ~zero] if (valid & ~zero).any() else [0.0]) > 10.0:
        valid = valid & ~zero
    return valid, bool((~valid).mean() > 0.05)


def cut_out_feet(valid: Mask) -> list[FootCandidate]:
    """The feet of a cut-out picture: each large part of the foreground, touching feet divided."""
    smallest = max(SMALLEST_FOOT_PX * SMALLEST_FOOT_PX // 8, int(0.03 * valid.size))
    found = []
    for part in components(valid, smallest=smallest):
        for foot in _divide(part):
            if _extent(foot) >= SMALLEST_FOOT_PX:
                found += [FootCandidate(foot, fit_silhouette(foot), 1.0, True)]
    return found


def _extent(mask: Mask) -> int:
    ys, xs = np.nonzero(mask)
    return int(max(np.ptp(ys), np.ptp(xs)) + 1) if ys.size else 0


def _divide(part: Mask) -> list[Mask]:
    """Two feet that touch in a few pixels, apart; anything else as it is."""
    for radius in (1, 2, 3):
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        cores = components(cv2.erode(part.astype(np.uint8), kernel) > 0, smallest=int(0.25 * part.sum()))
        if len(cores) == 2:
            near = [cv2.distanceTransform(1 - core.astype(np.uint8), cv2.DIST_L2, 5) for core in cores]
            first = part & (near[0] <= near[1])
            return [components(half, smallest=1)[0] for half in (first, part & ~first)]
    return [part]


def scene_feet(temperature_c: Image, *, at_most: int = 2) -> list[FootCandidate]:
    """Feet that stand out from what is around them at some level of temperature, in (y, x) °C without NaN."""
    factor = min(1.0, _SEARCH_SIZE_PX / max(temperature_c.shape))
    small = cv2.resize(temperature_c, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 0.8)
    noise = noise_level(temperature_c)
    parts = _level_parts(small, noise)
    found = []
    for fits in _best_by_place(parts, at_most):
        mask, fits = _whole_foot(temperature_c, fits[0].pose.scaled(1.0 / factor), noise)
        if _extent(mask) >= SMALLEST_FOOT_PX:
            found.append(FootCandidate(mask, fits, rim_contrast(temperature_c, mask, noise), False))
    return found


def _whole_foot(temperature_c: Image, pose: Pose, noise: float) -> tuple[Mask, tuple[Fit, ...]]:
    """The silhouette near ``pose`` and its fits; or near a longer foot on the same heel, where that is more of a foot.

    Cold toes are faint beside a warm sole, and the clearest outline may be that of a sole without them.
    """
    near = refine_mask(temperature_c, pose, noise)
    fits = fit_silhouette(near) if near.any() else ()
    if not fits or fits[0].misfit > _SOLE_LIKE:
        return near, fits
    longer = replace(
        pose,
        x=pose.x + 0.5 * _LONGER * pose.length * float(np.sin(pose.turn)),
        y=pose.y - 0.5 * _LONGER * pose.length * float(np.cos(pose.turn)),
        length=(1.0 + _LONGER) * pose.length,
        width=pose.width / (1.0 + _LONGER),
    )
    far = refine_mask(temperature_c, longer, noise)
    if far.sum() < 1.04 * near.sum():
        return near, fits
    far_fits = fit_silhouette(far)
    return (far, far_fits) if far_fits and far_fits[0].misfit < fits[0].misfit else (near, fits)


def _best_by_place(parts: list[tuple[float, Mask]], at_most: int) -> list[tuple[Fit, ...]]:
    """At each place of the picture, of the clearest few parts the one that is most like a foot."""
    places: list[list[tuple[float, Mask]]] = []
    for strength, part in parts:
        for place in places:
            other = place[0][1]
            if (part & other).sum() > 0.2 * min(part.sum(), other.sum()):
                if len(place) < 3 and all(_difference(part, kept) > 0.04 for _, kept in place):
                    place.append((strength, part))
                break
        else:
            if len(places) < 2 * at_most:
                places.append([(strength, part)])
    chosen = []
    for place in places:
        fits = [
            (fits[0].misfit - 0.01 * strength / place[0][0], fits)
            for strength, part in place
            if (fits := fit_silhouette(part, roughly=True))
        ]
        if fits:
            best = min(fits, key=lambda item: item[0])[1]
            if best[0].misfit < 0.045:
                chosen.append(best)
    return sorted(chosen, key=lambda fits: fits[0].misfit)[:at_most]


def _difference(part: Mask, other: Mask) -> float:
    return float((part ^ other).sum() / max(int((part | other).sum()), 1))


def _level_parts(small: Image, noise: float) -> list[tuple[float, Mask]]:
    """Parts of the picture over or under some level that could be a foot, clearest outline first."""
    low, high = (float(value) for value in np.percentile(small, (1, 99)))
    if high - low < max(6.0 * noise, 0.3):
        return []
    gx, gy = cv2.Sobel(small, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(small, cv2.CV_32F, 0, 1, scale=0.125)
    slope = np.hypot(gx, gy)
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    ground = float(np.median(border))
    levels = [*np.linspace(low, high, _LEVELS + 2)[1:-1], ground + max(4 * noise, 0.25), ground - max(4 * noise, 0.25)]
    binaries = [small > level if level > ground else small < level for level in levels]
    for least in (max(3.0 * noise, 0.2), max(6.0 * noise, 0.5)):  # a foot may be in part warmer, in part colder
        warm, cold = small > ground + least, small < ground - least
        seam = (cv2.dilate(warm.astype(np.uint8), disc(3)) > 0) & (cv2.dilate(cold.astype(np.uint8), disc(3)) > 0)
        binaries.append(warm | cold | seam)
    parts = []
    for binary in binaries:
        closed = cv2.morphologyEx(binary.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0
        for part in components(closed, smallest=int(0.015 * small.size)):
            for foot in _divide(part):
                if _could_be_foot(foot):
                    rim = silhouette_outline(foot)
                    strength = float(np.mean(np.minimum(sample(slope, rim), 1.0)))
                    parts.append((strength * float(np.sqrt(foot.mean())), foot))
    return sorted(parts, key=lambda item: -item[0])


def _could_be_foot(part: Mask) -> bool:
    ys, xs = np.nonzero(part)
    if part.mean() > 0.6:
        return False
    on_border = (ys == 0) | (xs == 0) | (ys == part.shape[0] - 1) | (xs == part.shape[1] - 1)
    if on_border.sum() > 0.15 * np.sqrt(ys.size) * 3.5:
        return False
    spread = np.linalg.eigvalsh(np.cov(np.stack([xs, ys])))
    elongation = float(np.sqrt(spread[1] / max(spread[0], 1e-6)))
    return _PLAUSIBLE_ELONGATION[0] < elongation < _PLAUSIBLE_ELONGATION[1]


def searched_feet(temperature_c: Image) -> list[FootCandidate]:
    """Two soles found by their outline alone in (y, x) °C without NaN: see :mod:`rewarm.anatomy.shape_search`."""
    pair = find_pair(temperature_c)
    drawn = [draw_to_edges(temperature_c, sighting.pose) for sighting in pair]
    if not pair or min(_extent(mask) for mask, _ in drawn) < SMALLEST_FOOT_PX:
        return []
    (one, _), (two, _) = drawn
    if (one & two).sum() > 0.05 * min(one.sum(), two.sum()):
        return []
    on_edge = min(share for _, share in drawn)
    aligned = float(np.mean([sighting.score for sighting in pair]))
    sure = 1.0 / (1.0 + np.exp(-(on_edge - 0.68) / 0.04)) / (1.0 + np.exp(-(aligned - 0.36) / 0.03))
    noise = noise_level(temperature_c)
    return [
        FootCandidate(mask, (Fit(sighting.pose, 0.0),), rim_contrast(temperature_c, mask, noise), False, float(sure))
        for sighting, (mask, _) in zip(pair, drawn, strict=True)
    ]
