"""A right foot in its own frame: x from the heel point to the tips, y towards the great toe, z towards the back.

Lengths are fractions of the foot's length. The plantar zones divide the sole without its toes in thirds, as in the arch
index (Cavanagh and Rodgers 1987, doi 10.1016/0021-9290(87)90255-7). The proportions were chosen by eye to look like
feet seen from all sides; they are no one's measurement.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from rewarm.twin.scenes.mesh import Digit, Mesh, digit_mesh, ease, ellipsoid, joined, loft, through
from rewarm.twin.scenes.vocabulary import ARCH, BALL, DORSUM, HEEL, TOE1, Floats

JOINT: Final = np.array([0.235, 0.0, 0.275])
"""The ankle, between the malleoli."""
MALLEOLUS: Final = 0.125
"""How far each malleolus stands from the ankle's middle before ``ankle`` scales it."""
_ZONES: Final = (0.277, 0.555)
_WEB_U: Final = np.array([0.0, 0.325, 0.507, 0.679, 0.839, 1.0])
_WEB_V: Final = np.array([0.800, 0.828, 0.832, 0.812, 0.775, 0.722])
_OUTLINE_X: Final = np.array([0.0, 0.02, 0.06, 0.14, 0.25, 0.40, 0.52, 0.62, 0.70, 0.76, 0.81, 0.86])
_LATERAL: Final = np.array([0.0, 0.052, 0.090, 0.122, 0.128, 0.138, 0.158, 0.180, 0.194, 0.196, 0.184, 0.168])
_BOTTOM_X: Final = np.array([0.0, 0.02, 0.06, 0.12, 0.72, 0.78, 0.84])
_BOTTOM: Final = np.array([0.085, 0.035, 0.012, 0.0, 0.0, 0.006, 0.018])
_TOP_X: Final = np.array([0.0, 0.02, 0.06, 0.12, 0.25, 0.35, 0.45, 0.55, 0.65, 0.72, 0.78, 0.84])
_TOP: Final = np.array([0.13, 0.20, 0.255, 0.285, 0.315, 0.305, 0.255, 0.205, 0.162, 0.132, 0.103, 0.088])
_PLANTAR_NORMAL: Final = -0.25
_STATIONS: Final = np.concatenate([0.25 * (1 - np.cos(np.linspace(0.12, np.pi / 2, 10))), np.linspace(0.28, 0.805, 20)])
_FRONT: Final = np.sin(np.linspace(0.25, np.pi / 2, 5))

Five = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class FootShape:
    """One right foot. Fractions of foot length; degrees; tuples run from toe1 to toe5.

    ``toe_reach`` is where each straight toe ends along x. ``toe_angle`` turns a toe towards the great toe's side.
    ``toe_lift`` is at its base, ``toe_bend`` at its middle joint. ``missing`` are toes that are not there, ``stumps``
    toes of which a third is left. ``swelling`` scales the thickness of the foot, ``toe_girth`` that of each toe.
    """

    breadth: float = 1.0
    heel: float = 1.0
    arch: float = 0.5
    thickness: float = 1.0
    ankle: float = 1.0
    bunion: float = 0.0
    toe_reach: Five = (1.0, 0.985, 0.950, 0.905, 0.850)
    toe_girth: Five = (1.0, 1.0, 1.0, 1.0, 1.0)
    toe_angle: Five = (-3.0, 0.0, 1.5, 3.0, 5.0)
    toe_lift: Five = (4.0, 8.0, 8.0, 8.0, 8.0)
    toe_bend: Five = (6.0, 18.0, 20.0, 22.0, 22.0)
    toe_raise: Five = (0.0, 0.0, 0.0, 0.0, 0.0)
    missing: frozenset[int] = frozenset()
    stumps: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class Built:
    """A limb's mesh in its own frame, and its landmarks (19, 3), NaN where absent."""

    mesh: Mesh
    landmarks: Floats


def build_foot(shape: FootShape) -> Built:
    """The foot up to the ankle, without the leg."""
    body = loft(_sections(shape), part=DORSUM)
    ankle = np.diag([0.125, 0.105 * shape.heel, 0.12]) * (0.7 + 0.3 * shape.ankle)
    meshes = [
        body,
        ellipsoid(JOINT - np.array([0, 0, 0.02]), ankle, part=DORSUM, rings=12, around=18),
        *_malleoli(shape),
    ]
    if shape.bunion > 0:
        meshes.append(_bunion(shape))
    body = _zoned(joined(meshes))
    landmarks = np.full((19, 3), np.nan)
    toes = []
    for i in range(5):
        if i in shape.missing:
            continue
        toe, tip = digit_mesh(_toe(shape, i), part=TOE1 + i, rest=DORSUM)
        toes.append(_zoned(toe))
        landmarks[i] = tip
    for i in range(4):
        if not {i, i + 1} & shape.missing:
            landmarks[5 + i] = _web(shape, i)
    landmarks[9] = (0.0, 0.0, 0.085)
    return Built(joined([body, *toes]), landmarks)


def _outline(shape: FootShape, x: Floats) -> tuple[Floats, Floats]:
    """Medial and lateral borders (y) over x, where x is counted along the curved line of the toes in front."""
    waist = 0.115 - 0.045 * shape.arch
    medial = np.array([0.0, 0.052, 0.090, 0.122, 0.118, waist, waist + 0.028, 0.150, 0.172, 0.174, 0.166, 0.150])
    heel = shape.heel + (shape.breadth - shape.heel) * ease((x - 0.2) / 0.4)
    return through(_OUTLINE_X, medial, x) * heel, -through(_OUTLINE_X, _LATERAL, x) * heel


def _web_line(u: Floats) -> Floats:
    return np.asarray(through(_WEB_U, _WEB_V, u))


def _sections(shape: FootShape) -> Floats:
    """Cross-sections (k, m, 3) of the foot without toes, from the back of the heel to the webs."""
    x = np.concatenate([_STATIONS, np.full(_FRONT.size, 0.805) + 0.03 * _FRONT])
    medial, lateral = _outline(shape, x)
    shut = np.concatenate([np.ones(_STATIONS.size), np.sqrt(np.clip(1 - _FRONT**2, 0, 1))])[:, None]
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)[None]
    cos, sin = np.cos(turn), np.sin(turn)
    low = sin < 0
    power = np.where(low, 2 / 3.2, 2 / 2.2)
    wide = np.sign(cos) * np.abs(cos) ** power
    tall = np.abs(sin) ** power
    y = ((medial + lateral) / 2)[:, None] + ((medial - lateral) / 2)[:, None] * wide
    crest = (0.10 * ease((x - 0.3) / 0.3) * shape.breadth)[:, None] * 0.35
    y = np.where(low, y, y + crest * tall * (1 - np.abs(wide)))
    bottom = through(_BOTTOM_X, _BOTTOM, x)[:, None]
    top = (through(_TOP_X, _TOP, x) * (1 + (shape.thickness - 1) * ease((x - 0.2) / 0.3)))[:, None]
    share = (y - lateral[:, None]) / np.maximum(medial - lateral, 1e-3)[:, None]
    slope = ease((x - 0.3) / 0.25)[:, None] * 0.30 * (1 - np.clip(share, 0, 1))
    middle = bottom + (0.36 + 0.04 * shut) * (top - bottom)
    vault = np.exp(-(((x - 0.42) / 0.13) ** 2))[:, None] * ease((share - 0.25) / 0.6) * (0.02 + 0.06 * shape.arch)
    z = np.where(low, middle - (middle - bottom) * tall, middle + (top - middle) * tall * (1 - slope))
    z = z + np.where(low, vault * tall, 0)
    z = np.where(np.arange(x.size)[:, None] >= _STATIONS.size, 0.048 + (z - 0.048) * (0.02 + 0.98 * shut), z)
    u = np.clip((medial[:, None] - y) / np.maximum(medial - lateral, 1e-3)[:, None], 0, 1)
    back = ease((x - 0.5) / 0.33)[:, None] * (_WEB_V.max() - _web_line(u))
    rings = np.stack([x[:, None] - back, y, z], axis=-1)
    pole = np.broadcast_to(rings[:1].mean(axis=1, keepdims=True), rings[:1].shape)
    return np.concatenate([pole - [0.0018, 0, 0], rings])


def _toe(shape: FootShape, i: int) -> Digit:
    """The toe numbered from 0, rooted inside the ball."""
    u = (_WEB_U[i] + _WEB_U[i + 1]) / 2
    medial, lateral = (float(edge[0]) for edge in _outline(shape, np.array([0.80])))
    web = float(_web_line(np.array([u]))[0])
    spacing = (medial - lateral) * (_WEB_U[i + 1] - _WEB_U[i])
    half = 0.53 * spacing * shape.toe_girth[i] * (1.03 if i == 0 else 1.06)
    height = half * (0.78 if i == 0 else 0.84)
    root = 0.10
    start = web - root
    sideways = np.tan(np.deg2rad(shape.toe_angle[i])) * root
    length = max(shape.toe_reach[i] - start, root + 0.05)
    if i in shape.stumps:
        length = root + 0.035
    base = (start, medial - u * (medial - lateral) - sideways, height + 0.008 + shape.toe_raise[i])
    bends = (shape.toe_bend[i],) if i == 0 else (shape.toe_bend[i], 0.6 * shape.toe_bend[i])
    joints = (0.62,) if i == 0 else (0.62, 0.80)
    return Digit(
        base=base,
        length=length,
        angle=shape.toe_angle[i],
        lift=shape.toe_lift[i],
        joints=joints,
        bends=bends,
        half_width=half,
        half_height=height,
        neck=0.80 if i == 0 else 0.72,
        web=min((root + 0.004) / length, 0.9),
        blunt=1.0 if i == 0 else 1.05,
    )


def _web(shape: FootShape, i: int) -> tuple[float, float, float]:
    u = float(_WEB_U[i + 1])
    medial, lateral = (float(edge[0]) for edge in _outline(shape, np.array([0.80])))
    return float(_web_line(np.array([u]))[0]) + 0.005, medial - u * (medial - lateral), 0.05


def _malleoli(shape: FootShape) -> list[Mesh]:
    half = np.diag([0.045, 0.030, 0.055])
    away = MALLEOLUS * shape.ankle * 0.74
    inner = ellipsoid(JOINT + np.array([0.025, away, 0.015]), half, part=DORSUM)
    outer = ellipsoid(JOINT + np.array([-0.025, -away, -0.01]), half, part=DORSUM)
    return [inner, outer]


def _bunion(shape: FootShape) -> Mesh:
    medial, _ = _outline(shape, np.array([0.74]))
    at = np.array([0.715, float(medial[0]) - 0.045 + 0.03 * shape.bunion, 0.06])
    return ellipsoid(at, np.diag([0.07, 0.045, 0.05]), part=DORSUM)


def _zoned(mesh: Mesh) -> Mesh:
    """Give the plantar faces of the body their zones, and every face its ``along``."""
    x, _, z = mesh.centres.T
    zone = np.where(x < _ZONES[0], HEEL, np.where(x < _ZONES[1], ARCH, BALL))
    body = (mesh.parts == DORSUM) & (mesh.normals[:, 2] < _PLANTAR_NORMAL) & (z < 0.16)
    front = np.clip((x - 0.3) / 0.7, 0, 1)
    below = np.clip((JOINT[2] - z) / JOINT[2], 0, 1)
    along = 1 + np.clip(0.3 * below * (1 - front) + front, 0, 1)
    return replace(mesh, parts=np.where(body, zone, mesh.parts).astype(np.uint8), along=along)
