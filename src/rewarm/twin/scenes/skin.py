"""Skin temperatures of limbs, independent of their shape: gradients, odd toes, spots, vessels, edges that melt away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.twin.scenes.noise import blurred, blurred_within, smooth_field
from rewarm.twin.scenes.people import between
from rewarm.twin.scenes.ranges import Painting
from rewarm.twin.scenes.vocabulary import ARCH, BALL, FINGER1, HEEL, PALM, PARTS, TOE1, TOE5, Codes, Map

_STOPS: Final = np.array([0.0, 0.5, 0.95, 1.25, 1.55, 1.75, 2.0])


@dataclass(frozen=True, eq=False)
class Warmth:
    """One limb's temperatures relative to the surroundings, °C.

    ``profile`` holds them at seven places from knee to tips, ``parts`` what each part adds, ``fade`` (0..1) by how much
    each part takes the temperature of the surroundings instead.
    """

    profile: NDArray[np.float64]
    parts: NDArray[np.float64]
    fade: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Patch:
    """What the picture holds of one limb, cut to its bounding box.

    ``level`` is the surroundings' temperature, so smooth that no object or fold behind shines through; ``near`` is what
    melting parts take on; both °C.
    """

    mask: NDArray[np.bool_]
    parts: Codes
    along: Map
    facing: Map
    level: Map
    near: Map


def random_warmth(random: np.random.Generator, painting: Painting) -> Warmth:
    """A limb's temperatures: digits at, under or over the surroundings, the leg mostly warmer."""
    near = random.random() < painting.near_share
    digits = between(random, painting.near_c if near else painting.digits_c)
    ankle, knee = between(random, painting.ankle_c), between(random, painting.leg_c)
    manner = random.random() * 0.82 / (1.0 - painting.warm_shin_share)
    if manner < 0.40:  # an even way from the ankle to the tips
        bend = random.uniform(0.5, 2.5)
        way = np.array([0.15, 0.40, 0.72, 1.0]) ** bend
        foot = ankle + (digits - ankle) * way
    elif manner < 0.62:  # the whole foot alike
        ankle = digits + random.normal(0, 0.5)
        foot = np.full(4, digits) + random.normal(0, 0.3, 4)
    elif manner < 0.82:  # only the toes differ
        foot = np.array([ankle, ankle, ankle + 0.35 * (digits - ankle), digits])
    else:  # the foot as warm as the shin behind it
        ankle = knee + random.normal(0, 0.5)
        foot = np.array([ankle, ankle, ankle, digits if near or random.random() < 0.5 else ankle])
    if near and random.random() < 0.5:
        foot[2] = digits  # from the webs on
    profile = np.array([knee, (knee + ankle) / 2 + random.normal(0, 0.8), ankle, *foot])
    parts = np.zeros(len(PARTS))
    parts[TOE1:] = random.normal(0, 0.35, len(PARTS) - TOE1) * abs(between(random, painting.part_c))
    parts[HEEL] += between(random, painting.heel_c) * random.random()
    parts[ARCH] += random.uniform(-0.5, 2.0) * random.random()
    if random.random() < painting.odd_toe_share:
        for first in (TOE1, FINGER1):
            parts[first + random.integers(0, 5)] += random.choice([-1, 1]) * random.uniform(1.5, 7)
    fade = np.zeros(len(PARTS))
    if random.random() < painting.isothermal_heel_share:
        fade[HEEL] = random.uniform(0.6, 1.0)
        fade[ARCH] = random.choice([0, 1]) * random.uniform(0.3, 1.0)
        fade[BALL] = fade[ARCH] * random.choice([0, 1])
    if near and random.random() < 0.4:
        fade[TOE1 : TOE5 + 1] = fade[FINGER1:PALM] = random.uniform(0.5, 1.0)
    return Warmth(profile, parts, fade)


def like(warmth: Warmth, random: np.random.Generator) -> Warmth:
    """The other limb of the same person: almost the same."""
    return replace(
        warmth,
        profile=warmth.profile + random.normal(0, 0.25) + random.normal(0, 0.15, warmth.profile.size),
        parts=warmth.parts + random.normal(0, 0.15, warmth.parts.size) * (np.arange(warmth.parts.size) >= TOE1),
    )


def paint_skin(patch: Patch, warmth: Warmth, random: np.random.Generator, painting: Painting) -> Map:
    """One limb's temperatures, °C, float32; they mean something only within the patch's mask."""
    mask, shape = patch.mask, patch.mask.shape
    soft = int(random.integers(1, 2 + max(round(0.09 * np.sqrt(mask.sum())), 2)))
    steps = np.linspace(0, 2, 256)
    curve = np.interp(steps, _STOPS, warmth.profile).astype(np.float32)
    at = np.clip(np.nan_to_num(patch.along) * 127.5, 0, 255).astype(np.uint8)
    inside = patch.parts >= TOE1  # the shin behind a sole must not mix with it
    onset = np.clip(np.nan_to_num(patch.along - 1) * 6, 0, 1)
    relative = curve[at] + onset * blurred_within(warmth.parts.astype(np.float32)[patch.parts], inside, soft) * inside
    texture = between(random, painting.texture_c) * random.random()
    cells = random.uniform(2, 9, 2)
    relative += np.float32(texture) * smooth_field(random, shape, (cells[0], cells[1]))
    limb_darkening = np.float32(random.uniform(-0.4, 2.2) * random.random())
    relative -= limb_darkening * (1 - np.nan_to_num(patch.facing)) ** 2
    _add_spots(relative, mask, random)
    if random.random() < 0.25:
        relative += _vessels(shape, random)
    if random.random() < 0.5:
        relative += _creases(patch.parts, random)
    celsius = patch.level + relative
    return _melted(celsius, patch, warmth, random, painting, soft)


def _add_spots(relative: Map, mask: NDArray[np.bool_], random: np.random.Generator) -> None:
    """Hot and cold zones inside the limb, and streaks of evaporating water, in place."""
    inside = np.flatnonzero(mask)
    size = np.sqrt(inside.size)
    for _ in range(int(random.choice([0, 1, 2, 3], p=[0.5, 0.25, 0.15, 0.1]))):
        spot = int(random.choice(inside))
        y, x = divmod(spot, mask.shape[1])
        wide, long = size * np.exp(random.uniform(np.log(0.04), np.log(0.35), 2))
        angle = random.uniform(0, np.pi)
        rows, columns = np.ogrid[0 : mask.shape[0], 0 : mask.shape[1]]
        a = ((columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)) / max(wide, 1)
        b = ((rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)) / max(long, 1)
        relative += np.float32(random.normal(0, 2.5)) * np.exp(-(a * a + b * b)).astype(np.float32)


def _vessels(shape: tuple[int, int], random: np.random.Generator) -> Map:
    lines = np.zeros(shape, dtype=np.float32)
    for _ in range(int(random.integers(1, 6))):
        count = int(random.integers(3, 7))
        start, end = random.random(2), random.random(2)
        points = start + (end - start) * np.linspace(0, 1, count)[:, None] + random.normal(0, 0.05, (count, 2))
        path = np.round(points * [shape[1], shape[0]]).astype(np.int32)
        cv2.polylines(lines, [path], False, 1.0, int(random.integers(1, 3)))
    return np.float32(random.uniform(-0.3, 2.0)) * blurred(lines, random.uniform(0.8, 2.0))


def _creases(parts: Codes, random: np.random.Generator) -> Map:
    """Warmer or cooler skin where digits touch each other or their webs."""
    digit = ((parts >= TOE1) & (parts <= TOE5)) | ((parts >= FINGER1) & (parts < PALM))
    codes = np.where(digit, parts, 0).astype(np.uint8)
    kernel = np.ones((3, 3), dtype=np.uint8)
    edge = (cv2.dilate(codes, kernel) != codes) & digit & (parts > 0)
    return np.float32(random.normal(0, 1.2)) * blurred(edge.astype(np.float32), random.uniform(0.6, 1.6))


def _melted(
    celsius: Map, patch: Patch, warmth: Warmth, random: np.random.Generator, painting: Painting, soft: int
) -> Map:
    """Parts or edges take the temperature of what lies around them."""
    fade = np.zeros(patch.mask.shape, dtype=np.float32)
    if warmth.fade.any():
        inside = patch.parts >= TOE1
        fade = blurred_within(warmth.fade.astype(np.float32)[patch.parts], inside, soft) * inside
    if random.random() < painting.melting_share:
        inward = cv2.distanceTransform(np.pad(patch.mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
        reach = random.uniform(0.01, 0.10) * np.sqrt(patch.mask.sum())
        edge = np.exp(-inward / np.float32(max(reach, 0.6)))
        where = smooth_field(random, patch.mask.shape, (2, 2)) > random.uniform(-1.5, 0.8)
        edge *= blurred(where.astype(np.float32), 3.0)
        fade = np.maximum(fade, edge)
    return np.asarray(celsius + fade * (patch.near - celsius), dtype=np.float32)
