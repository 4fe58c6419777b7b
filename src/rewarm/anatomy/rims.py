"""Where a foot ends in a full-size picture: its rim, to the pixel, and how clearly it shows."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.anatomy.pose import silhouette_outline
from rewarm.anatomy.sole_shape import Points, Pose, average_sole, distance_to_average, sample
from rewarm.regions import Mask

Image = NDArray[np.float32]


def noise_level(temperature_c: Image) -> float:
    """The picture's noise, °C (SD), from second differences (Immerkaer 1996, doi 10.1006/cviu.1996.0060)."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
    second = np.abs(cv2.filter2D(temperature_c, -1, kernel))
    return float(np.median(second) / 0.6745 / 6.0)


def components(mask: Mask, *, smallest: int) -> list[Mask]:
    """Connected parts (4-neighbours) of at least ``smallest`` pixels, largest first, as full-size masks."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    order = sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA]))
    return [labels == i for i in order if stats[i, cv2.CC_STAT_AREA] >= smallest]


def refine_mask(temperature_c: Image, pose: Pose, noise: float) -> Mask:
    """The foot's silhouette in the full picture (y, x), near ``pose``'s outline.

    Skin is what differs from the ground around the foot; parts warmer than it and parts colder both belong to the foot,
    and so does the seam between them. A warm sheet beside the foot does not: the rim lies where the slope is steepest,
    so what falls off ever more gently (second derivative of the other sign) is taken off from outside.
    """
    window = _window(pose, temperature_c.shape)
    picture = temperature_c[window]
    top, left = window[0].start, window[1].start
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]]
    places = np.stack([x.ravel() + 0.5 + left, y.ravel() + 0.5 + top], axis=1)
    distance = distance_to_average(pose.to_foot(places)).reshape(picture.shape)
    mask = np.zeros(temperature_c.shape, dtype=bool)
    ring = (distance > 0.05) & (distance < 0.14)
    if ring.sum() < 30:
        return mask
    difference, scatter = _over_ground(picture, ring, pose.length)
    floor = max(3.0 * max(scatter, 0.6 * noise), 0.15)
    strong = (np.abs(difference) > floor) & (distance < 0.08)
    strong = _take_off_halo(difference, strong, steps=max(3, round(0.08 * pose.length)))
    reach = max(1, round(0.02 * pose.length))
    warm, cold = (cv2.dilate((strong & s).astype(np.uint8), disc(reach)) > 0 for s in (difference > 0, difference < 0))
    whole = strong | (warm & cold & (distance < 0.02))
    both = (
        cv2.dilate((warm & cold).astype(np.uint8), disc(3 * reach)) > 0
    )  # fading through the ground's own temperature
    whole &= both | ~_shreds(difference, whole, distance, pose.length)
    core = cv2.morphologyEx(whole.astype(np.uint8), cv2.MORPH_OPEN, disc(max(1, round(0.007 * pose.length))))
    opened = whole & (cv2.dilate(core, disc(1)) > 0)  # thin shreds of a warm sheet go, a toe's round tip stays
    parts = components(opened, smallest=20)
    for i, part in enumerate(parts):  # a toe that a cold ring cuts off still belongs to the foot
        if i == 0 or (part.sum() > 0.004 * parts[0].sum() and (distance[part] < 0.0).mean() > 0.7):
            mask[window] |= part
    return fill_holes(mask, largest=int(0.004 * pose.length**2))


def _over_ground(picture: Image, ring: Mask, length: float) -> tuple[Image, float]:
    """The picture over (or under) its ground, which is known in ``ring`` and smooth; and the ground's scatter, °C."""
    middle = float(np.median(picture[ring]))
    spread = 1.4826 * float(np.median(np.abs(picture[ring] - middle)))
    bare = ring & (np.abs(picture - middle) < max(4.0 * spread, 0.3))
    ground = fill_outside(picture, bare, reach_px=0.06 * length)
    ground = cv2.GaussianBlur(ground, (0, 0), max(2.0, 0.02 * length))
    scatter = 1.4826 * float(np.median(np.abs((picture - ground)[bare])))
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.6) - ground, dtype=np.float32), scatter


def _take_off_halo(difference: Image, strong: Mask, *, steps: int) -> Mask:
    """Peel ``strong`` from outside, at most ``steps`` pixels deep, as long as the slope still grows inwards."""
    smooth = cv2.GaussianBlur(difference, (0, 0), 1.0)
    bend = cv2.Laplacian(smooth, cv2.CV_32F, ksize=3) * np.sign(smooth)
    may_go = (~strong | (bend > 0)).astype(np.uint8)
    gone = (~strong).astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    for _ in range(steps):
        gone = cv2.dilate(gone, cross) & may_go
    return np.asarray(strong & (gone == 0))


def _shreds(difference: Image, whole: Mask, distance: NDArray[np.float64], length: float) -> Mask:
    """What lies outside the average foot and is much fainter than the skin beside it: a warm spot of the sheet."""
    weight = whole.astype(np.float32)
    strength = np.abs(difference) * weight
    sigma = 0.03 * length
    beside = cv2.GaussianBlur(strength, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3)
    return np.asarray(whole & (distance > 0.0) & (strength < 0.3 * beside))


def disc(radius: int) -> NDArray[np.uint8]:
    """A round structuring element."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), dtype=np.uint8)


def _window(pose: Pose, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The part of the picture around a pose."""
    outline = pose.to_picture(average_sole().outline)
    margin = 0.18 * pose.length
    low, high = outline.min(axis=0) - margin, outline.max(axis=0) + margin
    return (
        slice(int(np.clip(low[1], 0, shape[0] - 1)), int(np.clip(high[1], 1, shape[0]))),
        slice(int(np.clip(low[0], 0, shape[1] - 1)), int(np.clip(high[0], 1, shape[1]))),
    )


def fill_holes(mask: Mask, *, largest: int) -> Mask:
    """The mask without holes of at most ``largest`` pixels."""
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
    inward = _inward(mask, rim)
    smooth = cv2.GaussianBlur(temperature_c, (0, 0), 1.0)
    step = np.abs(sample(smooth, rim + 3.0 * inward) - sample(smooth, rim - 3.0 * inward))
    return np.asarray(np.clip((step / max(noise, 0.03) - 2.0) / 4.0, 0.0, 1.0))


def rim_sharpness(temperature_c: Image, mask: Mask, rim: Points, length: float) -> NDArray[np.float64]:
    """At each rim point (n, 2), 0..1: how much of the step across the rim happens right there.

    A toe that fades into the ground goes on where it cannot be seen: its rim is not sharp, as a heel's is.
    """
    inward = _inward(mask, rim)
    near, far = max(0.008 * length, 1.0), max(0.026 * length, 3.0)
    smooth = cv2.GaussianBlur(temperature_c, (0, 0), 0.7)
    close = np.abs(sample(smooth, rim + near * inward) - sample(smooth, rim - near * inward))
    wide = np.abs(sample(smooth, rim + far * inward) - sample(smooth, rim - far * inward))
    return np.asarray(np.clip(close / np.maximum(wide, 0.05), 0.0, 1.0))


def _inward(mask: Mask, rim: Points) -> Points:
    """Unit vectors into the mask at its rim."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 2.0)
    gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    inward = np.stack([sample(gx, rim), sample(gy, rim)], axis=1)
    return np.asarray(inward / np.maximum(np.hypot(*inward.T)[:, None], 1e-6))


def fill_outside(temperature_c: NDArray[np.float32], mask: Mask, *, reach_px: float) -> NDArray[np.float32]:
    """The picture with all that lies outside ``mask`` replaced by a blur of what is inside: no edge at its rim."""
    factor = min(1.0, 2.0 / reach_px)  # what is far from the mask needs no detail
    weight = mask.astype(np.float32)
    values = np.where(mask, temperature_c, np.float32(0.0)).astype(np.float32)
    mean = float(values.sum() / max(float(weight.sum()), 1.0))
    values = (values - mean) * weight
    rows, columns = mask.shape
    if factor < 1.0:
        weight, values = (
            cv2.resize(a, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) for a in (weight, values)
        )
    filled = np.zeros(weight.shape, dtype=np.float32)
    for sigma in (4 * reach_px * factor, reach_px * factor):
        w, t = cv2.GaussianBlur(weight, (0, 0), sigma), cv2.GaussianBlur(values, (0, 0), sigma)
        filled = np.where(w > 0.02, t / np.maximum(w, 1e-6), filled).astype(np.float32)
    if factor < 1.0:
        filled = cv2.resize(filled, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.where(mask, temperature_c, filled + np.float32(mean)).astype(np.float32)
