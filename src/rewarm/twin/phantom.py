"""Draw soles whose every region and landmark is known: a parametric sole, seen plantar with the toes up.

A sole is described in *foot coordinates*: ``u`` across, positive towards the little toe, and ``v`` along, from the
heel point (0) to the tip of the longest toe (1); both are fractions of the foot's length. Zones divide the sole without
its toes in thirds along ``v``, as in the arch index (Cavanagh and Rodgers 1987, doi 10.1016/0021-9290(87)90255-7):
heel, arch, ball. The toes begin at a smooth curve through the webs. What varies is what varies most between healthy
feet: arch, breadth, spread of the toes, direction of the great toe, and the order of the toes' lengths (Stanković et
al. 2018, doi 10.1186/s13047-018-0251-8). The default proportions were chosen by eye to look like a foot; they are no
one's measurement.

The person lies on the back and the camera looks at the soles: the left foot is on the right of the picture, its great
toe towards the picture's middle, that is, to the left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import CubicSpline

from rewarm.errors import InvalidInputError
from rewarm.regions import LEGEND, SIDES, SOLE_REGIONS, TOES, Region, Regions, check_word
from rewarm.version import __version__

Floats = NDArray[np.float64]
Map = NDArray[np.float32]

DRAWN_BY: Final = f"rewarm.twin {__version__}"

_SAMPLES: Final = 4  # sub-pixels a side: coverage is exact to about 1/16 of a pixel
_WEB_V: Final = np.array([0.795, 0.828, 0.832, 0.812, 0.775, 0.712])
"""``v`` of the toes' line: medial border of the foot, the four webs, lateral border."""
_BASE_BREADTH: Final = np.array([0.325, 0.182, 0.172, 0.160, 0.161])
"""Breadth of each toe's base as a fraction of the toes' line across the foot; sums to 1."""


@dataclass(frozen=True)
class SoleShape:
    """One person's sole. Lengths without a unit are fractions of the foot's length; tuples run from toe1 to toe5.

    ``arch_height`` is 0 (flat) to 1 (high: the medial border is cut in deeply). ``toe_reach`` is where each tip ends
    along the foot (``v``). ``toe_breadth`` scales each toe's own breadth. ``toe_angle_deg`` turns each toe about its
    base, positive towards the little toe. ``splay`` is 0 (toes touch one another) to 1 (spread wide).
    """

    foot_length_mm: float = 240.0
    breadth: float = 0.38
    heel_breadth: float = 0.26
    arch_height: float = 0.5
    toe_reach: tuple[float, float, float, float, float] = (1.0, 0.982, 0.945, 0.898, 0.838)
    toe_breadth: tuple[float, float, float, float, float] = (1.0, 1.0, 1.0, 1.0, 1.0)
    toe_angle_deg: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    splay: float = 0.5


@dataclass(frozen=True)
class SolePose:
    """Where a sole lies in the picture: its heel point in pixel-edge coordinates, and its rotation.

    ``rotation_deg`` turns the foot about its heel point, positive clockwise (the toes go to the right of the picture).
    """

    heel_x: float
    heel_y: float
    rotation_deg: float = 0.0


@dataclass(frozen=True, eq=False)
class SoleMaps:
    """One drawn sole, as float32 maps (y, x) of the picture's shape.

    ``coverage`` holds, for each of :data:`rewarm.regions.SOLE_REGIONS`, the share of each pixel that it covers (0..1);
    their sum is the foot's. ``u`` and ``v`` are the foot coordinates of every pixel's centre. ``toe_s`` is, for each
    toe, the way from its base (0) to its tip (1). ``beyond_webs`` is how far a pixel lies distal to the toes' line, as
    a fraction of foot length.
    """

    side: str
    shape: SoleShape
    pose: SolePose
    coverage: Mapping[str, Map]
    u: Map
    v: Map
    toe_s: Mapping[str, Map]
    beyond_webs: Map

    @property
    def foot(self) -> Map:
        """Share of each pixel that the foot covers, 0..1."""
        total = np.sum(np.stack([*self.coverage.values()]), axis=0)
        return np.asarray(np.clip(total, 0, 1), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class DrawnSoles:
    """A picture's anatomical truth: hard regions with landmarks, and the soft maps that a picture is painted from."""

    regions: Regions
    soles: Mapping[str, SoleMaps]
    mm_per_px: float


def random_sole(rng: np.random.Generator, *, foot_length_mm: float = 240.0) -> SoleShape:
    """A plausible healthy sole, drawn from ``rng``: Egyptian or Greek toes, arch, breadth, splay, slight valgus."""
    second = rng.normal(0.98, 0.015)
    longest = max(1.0, second)
    reach = np.array([1.0, second, second - 0.037, second - 0.084, second - 0.144]) + rng.normal(0, 0.006, 5)
    reach[0] = 1.0
    reach /= max(longest, float(reach.max()))
    angles = np.array([rng.normal(3.0, 3.0), *rng.normal(0, 1.5, 4)])
    return SoleShape(
        foot_length_mm=foot_length_mm,
        breadth=float(np.clip(rng.normal(0.38, 0.012), 0.35, 0.41)),
        heel_breadth=float(np.clip(rng.normal(0.26, 0.010), 0.23, 0.29)),
        arch_height=float(np.clip(rng.normal(0.5, 0.2), 0.0, 1.0)),
        toe_reach=_five(reach),
        toe_breadth=_five(np.clip(rng.normal(1.0, 0.03, 5), 0.9, 1.1)),
        toe_angle_deg=_five(np.clip(angles, -4.0, 10.0)),
        splay=float(rng.uniform(0.35, 0.8)),
    )


def draw_soles(
    soles: Mapping[str, tuple[SoleShape, SolePose]],
    *,
    shape: tuple[int, int] = (240, 320),
    mm_per_px: float = 1.25,
) -> DrawnSoles:
    """Draw one sole or two in a picture of ``shape`` (y, x); ``soles`` maps left and right to their shape and pose.

    Masks are cut at half a pixel's coverage; every pixel of a foot belongs to the region that covers most of it
    (but for single stray ones: each region is one piece).
    Regions come in the order of the vocabulary with ``foot`` last, confidence 1. A part that the frame cuts off is
    simply not there; landmarks may then lie outside the picture. Raises :class:`rewarm.errors.InvalidInputError`.
    """
    for side in soles:
        check_word("side", side, SIDES)
    if not soles:
        raise InvalidInputError("soles: expected one sole or two; found none. Give {'left': (shape, pose)}")
    if min(shape) < 1 or not mm_per_px > 0:
        raise InvalidInputError(f"shape and mm_per_px: expected positive figures; found {shape} and {mm_per_px}")
    items: list[Region] = []
    landmarks: dict[str, tuple[float, float]] = {}
    maps: dict[str, SoleMaps] = {}
    for side in (side for side in SIDES if side in soles):
        sole, pose = soles[side]
        drawn = _draw_sole(side, sole, pose, shape=shape, mm_per_px=mm_per_px)
        maps[side] = drawn
        items += _hard_regions(drawn)
        landmarks |= _landmarks(side, sole, pose, mm_per_px=mm_per_px)
    limb = "feet" if len(maps) == 2 else f"{next(iter(maps))}_foot"
    return DrawnSoles(Regions(shape, limb, "plantar", tuple(items), landmarks), maps, mm_per_px)


def _hard_regions(drawn: SoleMaps) -> list[Region]:
    stack = np.stack([drawn.coverage[name] for name in SOLE_REGIONS])
    foot = stack.sum(axis=0) >= 0.5
    owner = np.where(foot, stack.argmax(axis=0) + 1, 0)
    strays = np.zeros_like(foot)
    for code in range(1, len(SOLE_REGIONS) + 1):
        pieces, count = ndimage.label(owner == code)
        if count > 1:
            strays |= (pieces > 0) & (pieces != np.bincount(pieces.ravel())[1:].argmax() + 1)
    if strays.any():  # single pixels in a web, or at a corner of the rim, go to the region beside them
        nearest = ndimage.distance_transform_edt(strays | ~foot, return_distances=False, return_indices=True)
        owner = np.where(strays, owner[tuple(nearest)], owner)
    masks = {name: owner == code for code, name in enumerate(SOLE_REGIONS, start=1)} | {"foot": foot}
    return [Region(drawn.side, name, mask, 1.0, DRAWN_BY) for name, mask in masks.items()]


def truth_labels(drawn: DrawnSoles) -> NDArray[np.uint8]:
    """The partition of the picture, uint8 (y, x), coded by :data:`rewarm.regions.LEGEND`; 0 is no foot."""
    labels = np.zeros(drawn.regions.shape, dtype=np.uint8)
    for item in drawn.regions.items:
        if item.region in SOLE_REGIONS:
            labels[item.mask] = LEGEND[item.name]
    return labels


@dataclass(frozen=True, eq=False)
class _Toe:
    """A toe in foot coordinates: from ``base`` along the unit vector ``way`` for ``length``; ``half`` its breadth."""

    base: Floats
    way: Floats
    length: float
    half: float

    @property
    def tip(self) -> Floats:
        return self.base + self.length * self.way


def _toe_line(sole: SoleShape) -> Floats:
    """The medial end of the toes' line, the four webs and its lateral end, (6, 2) in foot coordinates."""
    across = np.concatenate([[0.0], np.cumsum(_BASE_BREADTH)])
    u = sole.breadth * (-0.455 + 0.93 * across)
    return np.column_stack([u, _WEB_V])


def _toes(sole: SoleShape) -> list[_Toe]:
    line = _toe_line(sole)
    fan = np.array([-3.0, 0.5, 3.0, 4.5, 4.0]) + (sole.splay - 0.5) * np.array([-6.0, -2.0, 1.0, 4.0, 8.0])
    toes = []
    for i in range(5):
        base = (line[i] + line[i + 1]) / 2
        angle = np.deg2rad(fan[i] + sole.toe_angle_deg[i])
        way = np.array([np.sin(angle), np.cos(angle)])
        length = (sole.toe_reach[i] - base[1]) / way[1]
        gap = 1.0 - 0.12 * sole.splay  # spread toes part from each other
        half = 0.5 * gap * (line[i + 1, 0] - line[i, 0]) * sole.toe_breadth[i]
        toes.append(_Toe(base, way, float(length), float(half)))
    return toes


def _toe_outline(toe: _Toe) -> Floats:
    """A closed outline (n, 2): a neck, a wider pulp, a rounded tip; it starts inside the sole so that nothing gaps."""
    s = np.concatenate([np.linspace(-0.35, 0.65, 21)[:-1], 0.65 + 0.35 * np.sin(np.linspace(0, np.pi / 2, 25))])
    neck = 1.0 - 0.14 * np.exp(-(((s - 0.18) / 0.20) ** 2))
    cap = np.sqrt(np.clip(1 - (np.clip(s - 0.65, 0, None) / 0.35) ** 2, 0, None)) ** 0.85
    half = toe.half * neck * cap
    normal = np.array([toe.way[1], -toe.way[0]])
    axis = toe.base + np.outer(s * toe.length, toe.way)
    return np.vstack([axis + np.outer(half, normal), (axis - np.outer(half, normal))[::-1]])


def _body_outline(sole: SoleShape) -> Floats:
    """The sole without its toes, a closed outline (n, 2): from the toes' line's lateral end round the heel."""
    line = _toe_line(sole)
    ball, heel = sole.breadth / 2, sole.heel_breadth / 2
    waist = 0.092 - 0.065 * (sole.arch_height - 0.5)
    lateral = [(ball * 1.02, 0.610), (ball * 0.93, 0.50), (ball * 0.80, 0.38), (heel * 1.03, 0.25), (heel, 0.14)]
    round_heel = [(heel * 0.72, 0.045), (0.0, 0.0), (-heel * 0.72, 0.045)]
    medial = [(-heel, 0.14), (-heel * 0.96, 0.24), (-waist, 0.40), (-0.012 - waist, 0.49), (-ball * 0.83, 0.60)]
    forefoot = [(-ball * 0.99, 0.70)]
    border = np.array([tuple(line[5]), *lateral, *round_heel, *medial, *forefoot, tuple(line[0])])
    return np.vstack([_smooth(border, 240), _smooth(line, 60)[1:-1]])


def _smooth(points: Floats, n: int) -> Floats:
    """A cubic spline through ``points``; stepping by the root of their distances keeps it from overshooting."""
    steps = np.sqrt(np.linalg.norm(np.diff(points, axis=0), axis=1))
    t = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(CubicSpline(t, points, bc_type="natural")(np.linspace(0, t[-1], n)))


def _to_picture(points: Floats, side: str, sole: SoleShape, pose: SolePose, mm_per_px: float) -> Floats:
    """Foot coordinates (n, 2) → pixel-edge coordinates (n, 2)."""
    scale = sole.foot_length_mm / mm_per_px
    across = (1.0 if side == "left" else -1.0) * points[:, 0]
    cos, sin = np.cos(np.deg2rad(pose.rotation_deg)), np.sin(np.deg2rad(pose.rotation_deg))
    x = pose.heel_x + scale * (across * cos + points[:, 1] * sin)
    y = pose.heel_y + scale * (across * sin - points[:, 1] * cos)
    return np.column_stack([x, y])


def _to_foot(
    x: Floats, y: Floats, side: str, sole: SoleShape, pose: SolePose, mm_per_px: float
) -> tuple[Floats, Floats]:
    """Pixel-edge coordinates → foot coordinates (u, v); the inverse of :func:`_to_picture`."""
    scale = sole.foot_length_mm / mm_per_px
    cos, sin = np.cos(np.deg2rad(pose.rotation_deg)), np.sin(np.deg2rad(pose.rotation_deg))
    dx, dy = (x - pose.heel_x) / scale, (y - pose.heel_y) / scale
    u = (1.0 if side == "left" else -1.0) * (dx * cos + dy * sin)
    return u, dx * sin - dy * cos


def _fill(outline: Floats, rows: int, columns: int) -> NDArray[np.bool_]:
    """Even-odd fill of a closed outline (n, 2) in sub-pixel units: whether each sub-pixel's centre lies inside."""
    filled = np.zeros((rows, columns), dtype=np.bool_)
    low, high = np.floor(outline.min(axis=0)).astype(int), np.ceil(outline.max(axis=0)).astype(int)
    left, right = np.clip([low[0], high[0]], 0, columns)
    top, bottom = np.clip([low[1], high[1]], 0, rows)
    if left == right or top == bottom:
        return filled
    (x0, y0), (x1, y1) = outline.T, np.roll(outline, -1, axis=0).T
    centre = np.arange(top, bottom)[:, None] + 0.5
    row, edge = np.nonzero((np.minimum(y0, y1) <= centre) & (centre < np.maximum(y0, y1)))
    at = x0[edge] + (row + top + 0.5 - y0[edge]) * (x1[edge] - x0[edge]) / (y1[edge] - y0[edge])
    column = np.clip(np.ceil(at - 0.5), left, right).astype(np.intp) - left
    toggles = np.zeros((bottom - top, right - left + 1), dtype=np.uint8)
    np.add.at(toggles, (row, column), 1)
    filled[top:bottom, left:right] = np.bitwise_xor.accumulate(toggles[:, :-1] & 1, axis=1)
    return filled


def _draw_sole(side: str, sole: SoleShape, pose: SolePose, *, shape: tuple[int, int], mm_per_px: float) -> SoleMaps:
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    u, v = _to_foot(x, y, side, sole, pose, mm_per_px)
    toes = _toes(sole)
    parts = _fine_parts(toes, side, sole, pose, shape=shape, mm_per_px=mm_per_px)
    coverage = {name: _coverage(part) for name, part in zip(SOLE_REGIONS, parts, strict=True)}
    toe_s = {
        name: (((u - toe.base[0]) * toe.way[0] + (v - toe.base[1]) * toe.way[1]) / toe.length).astype(np.float32)
        for name, toe in zip(TOES, toes, strict=True)
    }
    line = _smooth(_toe_line(sole), 60)
    beyond = (v - np.interp(u, line[:, 0], line[:, 1])).astype(np.float32)
    return SoleMaps(side, sole, pose, coverage, u.astype(np.float32), v.astype(np.float32), toe_s, beyond)


def _fine_parts(
    toes: list[_Toe], side: str, sole: SoleShape, pose: SolePose, *, shape: tuple[int, int], mm_per_px: float
) -> list[NDArray[np.bool_]]:
    """Masks of the sole's regions on the sub-pixel grid, in the vocabulary's order; no two share a sub-pixel."""
    fine = (shape[0] * _SAMPLES, shape[1] * _SAMPLES)

    def filled(outline: Floats) -> NDArray[np.bool_]:
        return _fill(_to_picture(outline, side, sole, pose, mm_per_px) * _SAMPLES, *fine)

    body = filled(_body_outline(sole))
    masks = _share_overlaps(
        np.stack([filled(_toe_outline(toe)) & ~body for toe in toes]), toes, side, sole, pose, mm_per_px
    )
    third = float(_WEB_V.max()) / 3  # of the length without toes, from the heel point to the highest web
    row, column = np.nonzero(body)
    _, v = _to_foot((column + 0.5) / _SAMPLES, (row + 0.5) / _SAMPLES, side, sole, pose, mm_per_px)
    zones = []
    for low, high in ((2 * third, np.inf), (third, 2 * third), (-np.inf, third)):  # ball, arch, heel
        inside = (low <= v) & (v < high)
        zone = np.zeros(fine, dtype=np.bool_)
        zone[row[inside], column[inside]] = True
        zones.append(zone)
    return [*masks, *zones]


def _share_overlaps(
    masks: NDArray[np.bool_], toes: list[_Toe], side: str, sole: SoleShape, pose: SolePose, mm_per_px: float
) -> NDArray[np.bool_]:
    """Where toes overlap, a sub-pixel goes to the toe whose axis is nearer, in units of that toe's breadth."""
    row, column = np.nonzero(masks.sum(axis=0) > 1)
    if row.size == 0:
        return masks
    u, v = _to_foot((column + 0.5) / _SAMPLES, (row + 0.5) / _SAMPLES, side, sole, pose, mm_per_px)
    away = np.stack(
        [np.abs((u - toe.base[0]) * toe.way[1] - (v - toe.base[1]) * toe.way[0]) / toe.half for toe in toes]
    )
    away[~masks[:, row, column]] = np.inf
    shared = masks.copy()
    shared[:, row, column] = np.arange(5)[:, None] == away.argmin(axis=0)
    return shared


def _coverage(mask: NDArray[np.bool_]) -> Map:
    fine = mask.view(np.uint8)  # strided sums of bytes are several times as fast as a mean over blocks
    columns = np.add.reduce([fine[:, i::_SAMPLES] for i in range(_SAMPLES)])
    count = np.add.reduce([columns[i::_SAMPLES] for i in range(_SAMPLES)])
    return np.asarray(count / np.float32(_SAMPLES**2), dtype=np.float32)


def _landmarks(side: str, sole: SoleShape, pose: SolePose, *, mm_per_px: float) -> dict[str, tuple[float, float]]:
    line = _toe_line(sole)
    points = {f"{name}_tip": toe.tip for name, toe in zip(TOES, _toes(sole), strict=True)}
    points |= {f"web{i}": line[i] for i in range(1, 5)}
    points["heel_point"] = np.zeros(2)
    pixels = _to_picture(np.array([*points.values()]), side, sole, pose, mm_per_px)
    return {f"{side}_{name}": (float(x), float(y)) for name, (x, y) in zip(points, pixels, strict=True)}


def _five(values: Floats) -> tuple[float, float, float, float, float]:
    a, b, c, d, e = (float(value) for value in values)
    return a, b, c, d, e
