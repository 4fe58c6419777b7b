"""Compose a random scene's geometry: whose limbs, seen from where, behind and under what; with its truth."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from rewarm.errors import InvalidInputError
from rewarm.twin.scenes.covers import add_blanket, add_things
from rewarm.twin.scenes.mesh import rotation_about
from rewarm.twin.scenes.people import (
    Limb,
    between,
    hand_with_arm,
    leg_with_foot,
    placed,
    random_blob,
    random_body,
    random_face,
    random_foot,
    random_hand,
    random_leg,
)
from rewarm.twin.scenes.ranges import TRAINING, Cameras, Mix, Ranges
from rewarm.twin.scenes.render import Camera
from rewarm.twin.scenes.truth import layout_of
from rewarm.twin.scenes.vocabulary import DORSUM, OTHER_SKIN, TOE1, Floats, Layout

_SMALLEST_PX: Final = 32
_MARGIN_PX: Final = 2.0
"""Between a whole foot and the picture's border."""
_AIMED_AGAIN: Final = 12
"""How often the camera is aimed anew, at the same size, before it stands back."""
_STANDS_BACK: Final = 0.9
_COVERED_KNEES: Final = 0.4
_BODY_IN_VIEW: Final = 0.5


@dataclass(frozen=True, eq=False)
class Shot:
    """Limbs in the world, the camera's axes and turn, the size of a foot as a share of the width, and where to aim."""

    limbs: list[Limb]
    axes: Floats
    size: float
    distance: float
    aim: Floats
    cut: bool


def random_layout(
    random: np.random.Generator, ranges: Ranges = TRAINING, *, shape: tuple[int, int] = (192, 256)
) -> Layout:
    """The geometry of one random scene of ``shape`` (rows, columns).

    Raises :class:`rewarm.errors.InvalidInputError` where ``shape`` is smaller than 32 × 32.
    """
    if min(shape) < _SMALLEST_PX:
        raise InvalidInputError(
            f"shape: expected at least {_SMALLEST_PX} rows and columns; found {shape}. "
            "Draw a larger layout and reduce it."
        )
    kind = _kind(random, ranges.mix)
    shot = _SHOTS[kind](random, ranges)
    camera = _camera_on_whole_feet(random, shot, shape) if ranges.cameras.whole_feet else _camera(random, shot, shape)
    layout = layout_of(shot.limbs, camera, shape)
    if kind not in ("sole", "empty", "face", "hands"):
        thighs = np.count_nonzero((layout.parts == OTHER_SKIN) & (layout.along < 0.01)) > _SMALLEST_PX
        if kind == "bed_soles":
            if random.random() < _COVERED_KNEES:
                layout = add_blanket(layout, random, reach=(0.0, 0.4))
        elif random.random() < (0.9 if thighs else ranges.mix.blanket_share):
            layout = add_blanket(layout, random)
        if random.random() < ranges.mix.things_share:
            layout = add_things(layout, random)
    return layout


def _kind(random: np.random.Generator, mix: Mix) -> str:
    names = [field.name for field in fields(Mix) if not field.name.endswith("_share")]
    weights = np.array([getattr(mix, name) for name in names], dtype=float)
    return str(random.choice(names, p=weights / weights.sum()))


def _legs(random: np.random.Generator, ranges: Ranges, *, legs: bool = True) -> list[Limb]:
    """One or two legs of one person, their ankles on either side of the origin."""
    first = random_foot(random, ranges)
    pose = ranges.pose
    sides = (
        ["left", "right"] if random.random() > ranges.mix.one_foot_share else [str(random.choice(["left", "right"]))]
    )
    apart = between(random, pose.separation)
    lifted = 0.0
    chance = random.random()
    if chance < pose.crossed_share:
        apart, lifted = -random.uniform(0.0, 0.3), random.uniform(0.35, 0.55)
    elif chance < pose.crossed_share + pose.touching_share:
        apart = random.uniform(0.33, 0.45)
    common = random.uniform(0.5, 1.0)
    leg = random_leg(random, ranges, first.ankle)
    limbs = []
    for side in sides:
        other = random_foot(random, ranges) if random.random() < 0.15 else first
        shape = replace(first, toe_lift=other.toe_lift, toe_bend=other.toe_bend, missing=other.missing)
        held = replace(pose, outward=(pose.outward[0], pose.outward[0] + common * (pose.outward[1] - pose.outward[0])))
        one = leg_with_foot(random, side=side, shape=shape, leg=leg if legs else None, pose=held)
        out = apart / 2 * (1 if side == "right" else -1)
        at = np.array([out, between(random, pose.stagger) / 2, lifted if side == "left" else 0.0])
        limbs.append(placed(one, np.eye(3), at))
    return limbs


def camera_axes(elevation_deg: float, azimuth_deg: float, turn_deg: float) -> Floats:
    """Rows right, down, towards the camera, which stands at the foot end (0, 0) or above (90)."""
    e, a = np.deg2rad(elevation_deg), np.deg2rad(azimuth_deg)
    eye = np.array([np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), np.sin(e)])
    up = np.array([-np.sin(a) * np.sin(e), -np.cos(a) * np.sin(e), np.cos(e)])
    plain = np.stack([np.cross(-eye, up), -up, eye])
    return np.asarray(rotation_about(2, turn_deg) @ plain)


def _turn(random: np.random.Generator, cameras: Cameras) -> float:
    wide = random.random() < cameras.wide_turn_share
    turn = between(random, cameras.wide_turn if wide else cameras.turn)
    return turn + (180.0 if random.random() < cameras.upside_down_share else 0.0)


def _size(random: np.random.Generator, cameras: Cameras) -> float:
    large = random.random() < cameras.large_share
    low, high = cameras.large_size if large else cameras.usual_size
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def _of_legs(random: np.random.Generator, ranges: Ranges, limbs: list[Limb], axes: Floats) -> Shot:
    feet = [limb for limb in limbs if limb.kind in ("foot", "hand")]
    chosen = feet if random.random() < 0.8 else [feet[int(random.integers(len(feet)))]]
    aim = np.mean([np.nanmean(limb.landmarks, axis=0) for limb in chosen], axis=0)
    shot = Shot(
        limbs=limbs,
        axes=axes,
        size=_size(random, ranges.cameras),
        distance=between(random, ranges.cameras.distance),
        aim=aim,
        cut=bool(random.random() < ranges.cameras.cut_share),
    )
    if random.random() < ranges.mix.strange_hand_share:
        limbs.append(_strange_hand(random, ranges, shot))
    if random.random() < ranges.mix.strange_skin_share:
        at = aim + axes[:2].T @ random.uniform(-2.0, 2.0, 2) + axes[2] * random.uniform(-1, 0.8)
        limbs.append(placed(random_blob(random), _any_rotation(random), at))
    return shot


def _strange_hand(random: np.random.Generator, ranges: Ranges, shot: Shot) -> Limb:
    """Another person's hand, palm or back to the camera, about the size of the feet, near them or on them."""
    hand = hand_with_arm(random_hand(random, ranges), side=str(random.choice(["left", "right"])))
    face = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    turned = rotation_about(2, random.uniform(0, 360)) @ rotation_about(
        0, random.choice([0, 180]) + random.normal(0, 20)
    )
    rotation = shot.axes.T @ turned @ face
    at = shot.aim + shot.axes[:2].T @ random.normal(0, 0.7, 2) + shot.axes[2] * random.uniform(0.3, 0.8)
    return placed(hand, rotation, at, float(random.uniform(0.65, 0.9)))


def _bed_end(random: np.random.Generator, ranges: Ranges) -> Shot:
    cameras = ranges.cameras
    axes = camera_axes(
        between(random, cameras.end_elevation), between(random, cameras.end_azimuth), _turn(random, cameras)
    )
    return _of_legs(random, ranges, _legs(random, ranges), axes)


def _bed_soles(random: np.random.Generator, ranges: Ranges) -> Shot:
    """A person lies with bare legs: soles towards the camera and, close behind them, shins, thighs, maybe the body."""
    pose = replace(
        ranges.pose, plantarflexion=(-15.0, 18.0), outward=(-8.0, 60.0), raised=(-6.0, 10.0), knee=(0.0, 30.0)
    )
    limbs = _legs(random, replace(ranges, pose=pose, mix=replace(ranges.mix, one_foot_share=0.08)))
    if random.random() < _BODY_IN_VIEW:
        limbs.append(random_body(random))
    axes = camera_axes(random.uniform(-2.0, 38.0), random.normal(0.0, 12.0), random.normal(0.0, 9.0))
    return replace(_of_legs(random, ranges, limbs, axes), distance=float(random.uniform(3.2, 10.0)))


def _bed_above(random: np.random.Generator, ranges: Ranges) -> Shot:
    cameras = ranges.cameras
    elevation, azimuth = between(random, cameras.above_elevation), between(random, cameras.above_azimuth)
    return _of_legs(random, ranges, _legs(random, ranges), camera_axes(elevation, azimuth, _turn(random, cameras)))


def _bed_side(random: np.random.Generator, ranges: Ranges) -> Shot:
    cameras = ranges.cameras
    elevation, azimuth = between(random, cameras.side_elevation), between(random, cameras.side_azimuth)
    axes = camera_axes(elevation, azimuth * random.choice([-1, 1]), _turn(random, cameras))
    return _of_legs(random, ranges, _legs(random, ranges), axes)


def _anywhere(random: np.random.Generator, ranges: Ranges) -> Shot:
    axes = camera_axes(random.uniform(-90, 180), random.uniform(-110, 110), random.uniform(-60, 60))
    return _of_legs(random, ranges, _legs(random, ranges, legs=bool(random.random() < 0.85)), axes)


def _sole(random: np.random.Generator, ranges: Ranges) -> Shot:
    """One sole, or both, straight from below and large; a portrait is turned to fill the landscape picture."""
    calm = replace(
        ranges,
        mix=replace(ranges.mix, one_foot_share=0.65),
        pose=replace(
            ranges.pose,
            plantarflexion=(-8.0, 12.0),
            inversion=(-8.0, 8.0),
            outward=(-5.0, 12.0),
            toe_bend=(0.0, 25.0),
            toe_lift=(-6.0, 8.0),
            abduction=(-5.0, 5.0),
        ),
    )
    limbs = _legs(random, calm, legs=bool(random.random() < 0.3))
    lying = len(limbs) == 1 and random.random() < 0.6
    turn = random.uniform(-20, 20) + (random.choice([90, -90]) if lying else 0)
    turn += 180 if random.random() < ranges.cameras.upside_down_share else 0
    axes = camera_axes(random.uniform(-14, 14), random.uniform(-14, 14), turn)
    alone = random.uniform(0.72, 0.98) * (1.0 if lying else 0.75)
    size = alone if len(limbs) == 1 else random.uniform(0.4, 0.62)
    aim = np.mean([np.nanmean(limb.landmarks[[0, 4, 9]], axis=0) for limb in limbs], axis=0)
    aim = limbs[0].landmarks[9] + 0.5 * limbs[0].frame[0] if len(limbs) == 1 else aim - np.array([0, 0, 0.15])
    return Shot(limbs, axes, float(size), between(random, ranges.cameras.distance), aim, bool(random.random() < 0.04))


def _hands(random: np.random.Generator, ranges: Ranges) -> Shot:
    """One or two hands, palms or backs, seldom edge-on."""
    sides = ["left", "right"] if random.random() < 0.55 else [str(random.choice(["left", "right"]))]
    palmar = bool(random.random() < 0.5)
    anyhow = bool(random.random() < 0.08)
    upright = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    limbs = []
    common = random_hand(random, ranges)
    for side in sides:
        shape = common if random.random() < 0.8 else random_hand(random, ranges)
        turn = rotation_about(1, 180 if palmar else 0) @ upright
        tilt = rotation_about(0, random.normal(0, 18)) @ rotation_about(1, random.normal(0, 18))
        rotation = _any_rotation(random) if anyhow else rotation_about(2, random.normal(0, 16)) @ tilt @ turn
        out = (1 if (side == "right") != palmar else -1) * random.uniform(0.32, 0.75) if len(sides) == 2 else 0.0
        limbs.append(placed(hand_with_arm(shape, side=side), rotation, np.array([out, random.normal(0, 0.1), 0.0])))
    axes = rotation_about(2, _turn(random, ranges.cameras)) @ np.diag([1.0, -1.0, 1.0])
    size = min(_size(random, ranges.cameras) * 1.25, 0.85 if len(limbs) == 1 else 0.65)
    aim = np.mean([np.nanmean(limb.landmarks, axis=0) for limb in limbs], axis=0)
    return Shot(limbs, axes, size, between(random, ranges.cameras.distance), aim, bool(random.random() < 0.08))


def _legs_only(random: np.random.Generator, ranges: Ranges) -> Shot:
    shot = _bed_above(random, ranges)
    size = float(random.uniform(0.3, 0.7))
    away = random.uniform(0.9, 1.5) / size * 0.4
    return replace(shot, aim=shot.aim - np.array([0, max(away, 1.1), 0]), size=size, cut=False)


def _three_feet(random: np.random.Generator, ranges: Ranges) -> Shot:
    shot = _bed_end(random, ranges)
    third = _legs(random, ranges)[0]
    at = np.array([random.choice([-1, 1]) * random.uniform(1.0, 1.9), 0, random.uniform(-0.3, 0.5)])
    return replace(shot, limbs=[*shot.limbs, placed(third, rotation_about(1, random.uniform(-90, 90)), at)])


def _face(random: np.random.Generator, ranges: Ranges) -> Shot:
    turned = rotation_about(1, random.normal(0, 25)) @ rotation_about(0, random.normal(0, 15))
    face = placed(random_face(random), turned, np.zeros(3))
    size = between(random, ranges.cameras.usual_size) * 1.8
    return Shot([face], rotation_about(2, random.normal(0, 25)), size, 8.0, np.zeros(3), bool(random.random() < 0.3))


def _empty(random: np.random.Generator, ranges: Ranges) -> Shot:
    return Shot([], np.eye(3), between(random, ranges.cameras.usual_size), 8.0, np.zeros(3), cut=False)


_SHOTS: Final = {
    "bed_end": _bed_end,
    "bed_above": _bed_above,
    "bed_side": _bed_side,
    "sole": _sole,
    "anywhere": _anywhere,
    "hands": _hands,
    "legs_only": _legs_only,
    "three_feet": _three_feet,
    "face": _face,
    "empty": _empty,
    "bed_soles": _bed_soles,
}


def _any_rotation(random: np.random.Generator) -> Floats:
    turned, _ = np.linalg.qr(random.normal(size=(3, 3)))
    return np.asarray(turned * np.sign(np.linalg.det(turned)))


def _camera(random: np.random.Generator, shot: Shot, shape: tuple[int, int]) -> Camera:
    """Aim: what is aimed at comes to lie in the middle, more or less, or at the picture's border."""
    rows, columns = shape
    if shot.cut:
        edge = random.uniform(-0.02, 0.12)
        spot = np.array([random.random(), edge if random.random() < 0.5 else 1 - edge])
        spot = spot[random.permutation(2)]
    else:
        loose = 0.22 * max(0.1, 1 - 1.6 * shot.size)
        spot = 0.5 + random.uniform(-loose, loose, 2)
    scale = shot.size * columns
    at = Camera(shot.axes, scale, (0.0, 0.0), shot.distance).project(shot.aim)
    return Camera(shot.axes, scale, (spot[0] * columns - at[0], spot[1] * rows - at[1]), shot.distance)


def _camera_on_whole_feet(random: np.random.Generator, shot: Shot, shape: tuple[int, int]) -> Camera:
    """A camera as :func:`_camera` gives it, drawn again until no part of a foot, hidden or not, is cut by the frame.

    A shot so close that the feet cannot fit, or seldom do, is taken from ever farther away.
    """
    shot = replace(shot, cut=False)
    feet = [limb.mesh.corners[(limb.mesh.parts >= TOE1) & (limb.mesh.parts <= DORSUM)] for limb in shot.limbs]
    skin = np.concatenate([foot.reshape(-1, 3) for foot in feet]) if feet else np.zeros((0, 3))
    room = np.array(shape[::-1]) - _MARGIN_PX
    while True:
        for _ in range(_AIMED_AGAIN):
            camera = _camera(random, shot, shape)
            places = camera.project(skin)[:, :2]
            if bool(np.all((places >= _MARGIN_PX) & (places <= room))):
                return camera
        shot = replace(shot, size=shot.size * _STANDS_BACK)
