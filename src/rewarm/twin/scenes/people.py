"""Draw random people: shapes, joint angles, and limbs placed in the world.

The world is a bed: x to the side (a right leg lies at positive x), y towards the foot end, z up. A leg at rest runs
along y with its toes up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rewarm.twin.scenes.foot import JOINT, Five, FootShape, build_foot
from rewarm.twin.scenes.hand import HandShape, build_hand
from rewarm.twin.scenes.leg import LegShape, above_ankle, build_leg
from rewarm.twin.scenes.mesh import Mesh, ellipsoid, joined, moved, rotation_about
from rewarm.twin.scenes.ranges import Anatomy, Pair, Pose, Ranges
from rewarm.twin.scenes.vocabulary import OTHER_SKIN, Floats

_LYING = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
"""From the foot's frame to the world's: toes up, the sole towards the foot end, the great toe towards negative x."""


@dataclass(frozen=True, eq=False)
class Limb:
    """One instance in the world: its mesh, landmarks (19, 3), kind (foot, hand, other), side, and its frame's axes.

    The rows of ``frame`` are forward (tips), towards the first digit, and towards the back of the foot or hand.
    """

    mesh: Mesh
    landmarks: Floats
    kind: str
    side: str
    frame: Floats


def between(random: np.random.Generator, pair: Pair) -> float:
    """A number drawn evenly between low and high."""
    return float(random.uniform(*pair))


def random_foot(random: np.random.Generator, ranges: Ranges) -> FootShape:
    """A right foot with its toes' postures."""
    anatomy, pose = ranges.anatomy, ranges.pose
    breadth = between(random, anatomy.breadth)
    thick = between(random, anatomy.thickness)
    swollen = bool(random.random() < anatomy.swollen_share)
    girth = between(random, anatomy.toe_girth) + random.normal(0, 0.04, 5)
    if swollen:
        which = random.random(5) < random.choice([0.3, 1.0])
        girth = np.where(which, girth * between(random, anatomy.swollen_girth), girth)
        thick *= random.uniform(1.0, 1.25)
    angles, bunion = _toe_angles(random, anatomy)
    lift = between(random, pose.toe_lift) * random.random() + random.normal(0, 4, 5) + 4
    bend = between(random, pose.toe_bend) * random.uniform(0.4, 1, 5)
    bend[0] *= 0.5
    raised = np.zeros(5)
    if random.random() < anatomy.overlap_share:
        over = int(random.integers(1, 5))
        raised[over] = 0.05
        angles[over] += random.choice([-1, 1]) * random.uniform(8, 16)
        lift[over] += 14
    lost = random.permutation(5)[: random.choice([1, 2, 3, 5], p=[0.6, 0.25, 0.1, 0.05])]
    missing = frozenset(lost.tolist()) if _hit(random, anatomy.missing_share) else frozenset()
    stumps = frozenset(random.integers(0, 5, 2).tolist()) if _hit(random, anatomy.stump_share) else frozenset()
    return FootShape(
        breadth=breadth,
        heel=between(random, anatomy.heel),
        arch=between(random, anatomy.arch),
        thickness=thick,
        ankle=between(random, anatomy.ankle),
        bunion=bunion,
        toe_reach=_reach(random, anatomy),
        toe_girth=_five(girth),
        toe_angle=_five(angles),
        toe_lift=_five(lift),
        toe_bend=_five(bend),
        toe_raise=_five(raised),
        missing=missing,
        stumps=stumps,
    )


def _toe_angles(random: np.random.Generator, anatomy: Anatomy) -> tuple[Floats, float]:
    """Each toe's direction, and how far a bunion stands out (0..1): the great toe leans on its neighbours."""
    strong = _hit(random, anatomy.strong_valgus_share)
    valgus = between(random, anatomy.strong_valgus_deg if strong else anatomy.valgus_deg)
    splay = between(random, anatomy.splay_deg)
    angles = splay * np.array([0.8, 0.9, 0.1, -0.8, -1.8]) + np.array([0, 0, 1.0, 3.0, 6.0]) + random.normal(0, 1.3, 5)
    angles[0] -= valgus
    if valgus > 8:
        angles[1:] -= (valgus - 8) * np.array([0.75, 0.5, 0.3, 0.1])
    return angles, float(np.clip((valgus - 8) / 22, 0, 1))


def _reach(random: np.random.Generator, anatomy: Anatomy) -> Five:
    """Egyptian, Greek and square feet, by the second toe's reach and the steps after it."""
    second = between(random, anatomy.second_toe)
    steps = np.cumsum(random.uniform(*anatomy.toe_step, 3) + np.array([0.0, 0.008, 0.014]))
    reach = np.array([1.0, second, *(second - steps)])
    return _five(np.maximum(reach, [0.93, 0.92, 0.895, 0.855, 0.80]))


def random_leg(random: np.random.Generator, ranges: Ranges, ankle: float) -> LegShape:
    """The leg above a foot."""
    bent = _hit(random, ranges.pose.bent_knee_share)
    return LegShape(
        girth=between(random, ranges.anatomy.leg_girth),
        ankle=ankle,
        calf=between(random, ranges.anatomy.calf),
        length=between(random, ranges.anatomy.leg_length),
        knee_deg=between(random, ranges.pose.knee) if bent else float(random.uniform(0, 8)),
        top=float(random.uniform(3.2, 4.2)),
    )


def leg_with_foot(
    random: np.random.Generator, *, side: str, shape: FootShape, leg: LegShape | None, pose: Pose
) -> Limb:
    """A leg in the world with its ankle at the origin; ``leg`` None leaves the foot alone."""
    built = build_foot(shape)
    bend = rotation_about(1, between(random, pose.plantarflexion)) @ rotation_about(0, -between(random, pose.inversion))
    turn = rotation_about(1, between(random, pose.outward))
    turn = rotation_about(2, -between(random, pose.abduction)) @ rotation_about(0, between(random, pose.raised)) @ turn
    whole = turn @ _LYING
    if side == "left":
        whole = np.diag([-1.0, 1.0, 1.0]) @ whole
    foot = moved(built.mesh, bend, -bend @ JOINT)
    landmarks = (built.landmarks - JOINT) @ bend.T
    if leg is not None:
        foot = joined([above_ankle(foot, np.zeros(3), np.array([0.0, 0.0, 1.0])), build_leg(leg)])
    return Limb(moved(foot, whole, np.zeros(3)), landmarks @ whole.T, "foot", side, (whole @ bend).T)


def random_hand(random: np.random.Generator, ranges: Ranges) -> HandShape:
    """A right hand with its posture."""
    anatomy, pose = ranges.anatomy, ranges.pose
    curled = _hit(random, pose.curled_share)
    bend = between(random, pose.curled_bend if curled else pose.finger_bend) + random.normal(0, 5, 5)
    if _hit(random, 0.08):
        bend[random.integers(1, 5)] += 40
    missing = frozenset([int(random.integers(0, 5))]) if _hit(random, anatomy.missing_share) else frozenset[int]()
    return HandShape(
        breadth=between(random, anatomy.hand_breadth),
        finger_length=between(random, anatomy.finger_length),
        girth=_five(between(random, anatomy.finger_girth) + random.normal(0, 0.04, 5)),
        spread=between(random, pose.finger_spread),
        bend=_five(bend),
        lift=_five(random.uniform(-12, 6) + random.normal(0, 4, 5)),
        thumb_deg=between(random, pose.thumb),
        forearm=float(random.uniform(0.85, 1.2)),
        missing=missing,
    )


def hand_with_arm(shape: HandShape, *, side: str) -> Limb:
    """A hand in its own frame (x forward, z back), mirrored for the left, with its middle at the origin."""
    built = build_hand(shape)
    whole = np.diag([1.0, -1.0, 1.0]) if side == "left" else np.eye(3)
    shift = np.array([-0.45, 0.0, 0.0])
    return Limb(moved(built.mesh, whole, shift), built.landmarks @ whole.T + shift, "hand", side, whole.T)


def placed(limb: Limb, rotation: Floats, shift: Floats, scale: float = 1.0) -> Limb:
    """The limb turned, scaled and shifted in the world."""
    return replace(
        limb,
        mesh=replace(moved(limb.mesh, rotation * scale, shift), normals=limb.mesh.normals @ rotation.T),
        landmarks=limb.landmarks @ (rotation * scale).T + shift,
        frame=limb.frame @ rotation.T,
    )


def random_face(random: np.random.Generator) -> Limb:
    """A head with nose and neck, looking along z, about one foot length high."""
    wide, tall = random.uniform(0.28, 0.36), random.uniform(0.40, 0.52)
    head = ellipsoid(np.zeros(3), np.diag([wide, tall, 0.38]), part=OTHER_SKIN, rings=24, around=32)
    nose = ellipsoid(np.array([0, 0.02, 0.37]), np.diag([0.05, 0.11, 0.07]), part=OTHER_SKIN)
    neck = ellipsoid(np.array([0, 0.6, -0.1]), np.diag([0.2, 0.45, 0.2]), part=OTHER_SKIN, rings=16, around=20)
    return Limb(joined([head, nose, neck]), np.full((19, 3), np.nan), "other", "none", np.eye(3))


def random_body(random: np.random.Generator) -> Limb:
    """The trunk, arms and head above legs whose ankles are at the origin, lying along y."""
    hip = random.uniform(3.2, 3.8)
    wide, long, deep = random.uniform([0.55, 1.0, 0.35], [0.95, 1.4, 0.60])
    meshes = [ellipsoid(np.array([0.0, -hip - long, 0.1]), np.diag([wide, long * 1.15, deep]), part=OTHER_SKIN)]
    for out in (-1.0, 1.0):
        at = np.array([out * (wide + random.uniform(0.0, 0.5)), -hip - random.uniform(0.6, 1.2), 0.0])
        lean = rotation_about(2, out * random.uniform(-5.0, 25.0))
        meshes.append(ellipsoid(at, lean @ np.diag([0.17, 1.2, 0.17]), part=OTHER_SKIN))
    meshes.append(ellipsoid(np.array([0.0, -hip - 2.3 * long, 0.15]), np.diag([0.32, 0.45, 0.4]), part=OTHER_SKIN))
    return Limb(joined(meshes), np.full((19, 3), np.nan), "other", "none", np.eye(3))


def random_blob(random: np.random.Generator) -> Limb:
    """A forearm, shoulder or other skin that is no foot and no hand: an ellipsoid."""
    half = np.diag(random.uniform([0.5, 0.15, 0.15], [1.4, 0.4, 0.4]))
    skin = ellipsoid(np.zeros(3), half, part=OTHER_SKIN, rings=24, around=28)
    return Limb(skin, np.full((19, 3), np.nan), "other", "none", np.eye(3))


def _hit(random: np.random.Generator, share: float) -> bool:
    return bool(random.random() < share)


def _five(values: Floats) -> Five:
    a, b, c, d, e = (float(value) for value in values)
    return a, b, c, d, e
