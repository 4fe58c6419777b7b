"""Silhouettes of feet: from the cut-out of a prepared picture, or from temperature levels in a simple scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.anatomy.pose import Fit, fit_silhouette, silhouette_outline
from rewarm.anatomy.sole_shape import Points, Pose, average_sole, distance_to_average, sample
from rewarm.anatomy.toes import fill_outside
from rewarm.regions import Mask

Image = NDArray[np.float32]

SMALLEST_FOOT_PX: Final = 60
"""Length below which toes are a pixel or two wide: no foot is looked for."""
_LEVELS: Final = 14
_SEARCH_SIZE_PX: Final = 170.0
_PLAUSIBLE_ELONGATION: Final = (1.45, 4.2)


@dataclass(frozen=True, eq=False)
class FootCandidate:
    """A silhouette that may be a foot.

    ``mask`` (y, x); ``fits`` poses, best first; ``contrast`` is 0..1 how clearly the silhouette stands out, None-free;
    ``cut_out`` whether a person or program had removed the background.
    """

    mask: Mask
    fits: tuple[Fit, ...]
    contrast: float
    cut_out: bool


def valid_pixels(temperature_c: Image) -> tuple[Mask, bool]:
    """Pixels that hold a temperature, and whether the picture is a cut-out (background NaN, or exactly zero)."""
    valid = np.isfinite(temperature_c)
    zero = valid & (temperature_c == 0.0)
    if zero.mean() > 0.05 and np.median(temperature_c[valid & ~zero] if (valid & ~zero).any() else [0.0]) > 10.0:
        valid = valid & ~zero
    return valid, bool((~valid).mean() > 0.05)


def components(mask: Mask, *, smallest: int) -> list[Mask]:
    """Connected parts (4-neighbours) of at least ``smallest`` pixels, largest first, as full-size masks."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    order = sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA]))
    return [labels == i for i in order if stats[i, cv2.CC_STAT_AREA] >= smallest]


def cut_out_feet(valid: Mask) -> list[FootCandidate]:
    """The feet of a cut-out picture: each large part of the foreground, touching feet divided."""
    smallest = max(SMALLEST_FOOT_PX * SMALLEST_FOOT_PX // 8, int(0.03 * valid.size))
    found = []
    for part in components(valid, smallest=smallest):
        for foot in _divide(part):
            if _extent(foot) >= SMALLEST_FOOT_PX:
                found.append(FootCandidate(foot, fit_silhouette(foot), 1.0, True))
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


def noise_level(temperature_c: Image) -> float:
    """The picture's noise, °C (standard deviation), from second differences (Immerkaer 1996, doi 10.1006/cviu.1996.0060)."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
    second = np.abs(cv2.filter2D(temperature_c, -1, kernel))
    return float(np.median(second) / 0.6745 / 6.0)


def scene_feet(temperature_c: Image, *, at_most: int = 2) -> list[FootCandidate]:
    """Feet that stand out from what is around them at some level of temperature, in (y, x) °C without NaN."""
    factor = min(1.0, _SEARCH_SIZE_PX / max(temperature_c.shape))
    small = cv2.resize(temperature_c, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 0.8)
    noise = noise_level(temperature_c)
    parts = _level_parts(small, noise)
    chosen: list[tuple[float, Mask, tuple[Fit, ...]]] = []
    for strength, part in parts:
        if any((part & other).sum() > 0.2 * min(part.sum(), other.sum()) for _, other, _ in chosen):
            continue
        fits = fit_silhouette(part)
        if fits and fits[0].misfit < 0.040:
            chosen.append((strength, part, fits))
        if len(chosen) == at_most:
            break
    found = []
    for _, part, fits in chosen:
        mask = refine_mask(temperature_c, fits[0].pose.scaled(1.0 / factor), noise)
        if _extent(mask) >= SMALLEST_FOOT_PX:
            contrast = rim_contrast(temperature_c, mask, noise)
            found.append(FootCandidate(mask, fit_silhouette(mask), contrast, False))
    return found


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
    parts = []
    for level in levels:
        binary = small > level if level > ground else small < level
        binary = cv2.morphologyEx(binary.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0
        for part in components(binary, smallest=int(0.015 * small.size)):
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


def refine_mask(temperature_c: Image, pose: Pose, noise: float) -> Mask:
    """The foot's silhouette in the full picture: half-way between the skin and what is around, near ``pose``'s outline."""
    rows, columns = temperature_c.shape
    y, x = np.mgrid[0:rows, 0:columns]
    distance = distance_to_average(pose.to_foot(np.stack([x.ravel() + 0.5, y.ravel() + 0.5], axis=1))).reshape(
        rows, columns
    )
    ring = (distance > 0.05) & (distance < 0.14)
    if ring.sum() < 30:
        return np.zeros(temperature_c.shape, dtype=bool)
    ground = fill_outside(temperature_c, ring, reach_px=0.06 * pose.length)
    ground = np.where(ring, cv2.GaussianBlur(ground, (0, 0), 0.03 * pose.length), ground).astype(np.float32)
    scatter = 1.4826 * float(np.median(np.abs((temperature_c - ground)[ring])))
    smooth = cv2.GaussianBlur(temperature_c, (0, 0), 0.6)
    difference = np.abs(smooth - ground)
    floor = max(3.0 * max(scatter, noise * 0.6), 0.15)
    core = (difference > floor) & (distance < 0.02)
    skin = fill_outside(
        difference.astype(np.float32),
        cv2.erode(core.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0,
        reach_px=0.02 * pose.length,
    )
    mask = (difference > np.maximum(floor, 0.5 * skin)) & (distance < 0.07)
    mask = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
    parts = components(mask, smallest=20)
    if not parts:
        return np.zeros(temperature_c.shape, dtype=bool)
    whole = parts[0].copy()
    for part in parts[1:]:  # a toe that a cold ring cuts off still belongs to the foot
        if part.sum() > 0.004 * whole.sum():
            whole |= part
    return _fill_holes(whole, largest=int(0.004 * pose.length**2))


def _fill_holes(mask: Mask, *, largest: int) -> Mask:
    filled = mask.copy()
    for hole in components(~mask, smallest=1):
        edge = hole[0].any() or hole[-1].any() or hole[:, 0].any() or hole[:, -1].any()
        if not edge and hole.sum() <= largest:
            filled |= hole
    return filled


def rim_contrast(temperature_c: Image, mask: Mask, noise: float) -> float:
    """Share of the rim whose inside differs from its outside by more than the noise explains, 0..1."""
    return float(rim_support(temperature_c, mask, noise, silhouette_outline(mask)).mean())


def rim_support(temperature_c: Image, mask: Mask, noise: float, rim: Points) -> NDArray[np.float64]:
    """At each rim point (n, 2), 0..1: how clearly the skin 3 px inside differs from the ground 3 px outside."""
    weight = mask.astype(np.float32)
    gx, gy = (
        cv2.Sobel(cv2.GaussianBlur(weight, (0, 0), 2.0), cv2.CV_32F, 1, 0),
        cv2.Sobel(cv2.GaussianBlur(weight, (0, 0), 2.0), cv2.CV_32F, 0, 1),
    )
    inward = np.stack([sample(gx, rim), sample(gy, rim)], axis=1)
    inward /= np.maximum(np.hypot(*inward.T)[:, None], 1e-6)
    smooth = cv2.GaussianBlur(temperature_c, (0, 0), 1.0)
    step = np.abs(sample(smooth, rim + 3.0 * inward) - sample(smooth, rim - 3.0 * inward))
    return np.asarray(np.clip((step / max(noise, 0.03) - 2.0) / 4.0, 0.0, 1.0))


def template_outline(pose: Pose) -> Points:
    """The average sole's outline in the picture."""
    return pose.to_picture(average_sole().outline)
