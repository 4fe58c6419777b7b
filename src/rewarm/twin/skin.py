"""Paint temperatures on drawn soles, and the sheet behind them. Temperatures know nothing of a sole's shape.

What a healthy sole looks like comes from 16 people (doi 10.1155/2015/831369): arch 29.3 ± 0.9, toes 26.2 ± 1.2, whole
sole 27.8 ± 1.0 °C (mean ± SD between people); the great toe and the fifth warmest of the toes, the second to fourth
cooler; the warm arches of both soles together look like a butterfly. Ball and heel are not given there; they follow
from the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rewarm.regions import SOLE_REGIONS, TOES
from rewarm.twin.phantom import DrawnSoles, Map, SoleMaps

Floats = NDArray[np.float64]
FiveToes = tuple[float, float, float, float, float]

_TOE_PATTERN_C: Final = np.array([0.45, -0.25, -0.50, -0.30, 0.60])
"""How each toe differs from the toes' mean in healthy people, °C: great toe and fifth warmest."""
_BEND_C: Final = 0.3
_TEXTURE_STEP: Final = 0.01  # foot lengths: about 2.4 mm
_TEXTURE_ORIGIN: Final = (-0.1, -0.3)  # (v, u) of the first grid point
_TEXTURE_SHAPE: Final = (121, 61)


@dataclass(frozen=True)
class SoleTemperatures:
    """Mean temperature of each region of one sole, °C; ``toe_c`` runs from toe1 to toe5.

    ``tip_gradient_c`` is how much warmer a toe's tip is than its base; cold toes get colder towards the tip (negative).
    """

    arch_c: float
    ball_c: float
    heel_c: float
    toe_c: FiveToes
    tip_gradient_c: float = -0.8

    def warmed(self, toe_change_c: FiveToes, *, sole_change_c: float = 0.0) -> SoleTemperatures:
        """The same sole with each toe, and the rest of the sole, changed by so many °C."""
        toes = np.add(self.toe_c, toe_change_c)
        return replace(
            self,
            arch_c=self.arch_c + sole_change_c,
            ball_c=self.ball_c + sole_change_c,
            heel_c=self.heel_c + sole_change_c,
            toe_c=five(toes),
        )


def healthy_temperatures(rng: np.random.Generator) -> SoleTemperatures:
    """One healthy sole: means and between-person spread as published (see the module's docstring)."""
    person = rng.normal(0, 0.8)
    toes = 26.2 + person + rng.normal(0, 0.85) + _TOE_PATTERN_C + rng.normal(0, 0.3, 5)
    return SoleTemperatures(
        arch_c=29.3 + person + rng.normal(0, 0.35),
        ball_c=27.6 + person + rng.normal(0, 0.4),
        heel_c=27.2 + person + rng.normal(0, 0.5),
        toe_c=five(toes),
        tip_gradient_c=float(rng.normal(-0.8, 0.3)),
    )


def cold_temperatures(rng: np.random.Generator, *, ambient_c: float) -> SoleTemperatures:
    """One sole in secondary Raynaud's: cool all over, each toe cold in its own way.

    Chosen, not published: toes 1.8 to 4.5 °C above the room, forefoot between toes and arch, colder towards the tips.
    """
    arch = ambient_c + rng.uniform(5.0, 6.5)
    toes = ambient_c + np.clip(rng.uniform(2.2, 3.4) + 0.4 * _TOE_PATTERN_C + rng.normal(0, 0.5, 5), 1.8, 4.5)
    ball = 0.55 * arch + 0.45 * float(toes.mean())
    return SoleTemperatures(
        arch_c=arch,
        ball_c=ball + rng.normal(0, 0.3),
        heel_c=arch - rng.uniform(1.5, 2.5),
        toe_c=five(toes),
        tip_gradient_c=float(rng.uniform(-1.2, -0.4)),
    )


def random_texture(rng: np.random.Generator, *, sd_c: float = 0.25) -> Floats:
    """Smooth variation within skin, in foot coordinates (v, u), SD ``sd_c`` °C: patches of about 8 and 3 mm."""
    coarse = ndimage.gaussian_filter(rng.normal(size=_TEXTURE_SHAPE), 3.5)
    fine = ndimage.gaussian_filter(rng.normal(size=_TEXTURE_SHAPE), 1.2)
    texture = coarse / coarse.std() + 0.35 * fine / fine.std()
    return np.asarray(sd_c * (texture - texture.mean()) / texture.std())


def paint_sole(
    maps: SoleMaps,
    temperatures: SoleTemperatures,
    *,
    texture: Floats | None = None,
    floor_c: float | None = None,
) -> Map:
    """Temperature of one sole, °C, float32 (y, x); it means something only where the sole covers a pixel.

    With neither ``texture`` nor ``floor_c`` each region's coverage-weighted mean equals ``temperatures`` exactly
    (where the region is in the picture). ``texture`` from :func:`random_texture` is added on top. ``floor_c`` is the
    coldest that skin gets, usually the room: what would be colder bends smoothly towards it.
    """
    basis = _basis(maps)
    detail = _detail(maps, temperatures.tip_gradient_c)
    wanted = [*temperatures.toe_c, temperatures.ball_c, temperatures.arch_c, temperatures.heel_c]
    weights = np.stack([maps.coverage[name] for name in SOLE_REGIONS]).astype(np.float64).reshape(8, -1)
    area = weights.sum(axis=1)
    seen = area > 0.5
    share = weights[seen] / area[seen, None]
    target = np.asarray(wanted)[seen] - share @ detail.ravel()
    matrix = share @ basis.reshape(8, -1).T
    level, *_ = np.linalg.lstsq(matrix, target, rcond=None)
    painted = detail + np.tensordot(level, basis, axes=1)
    if texture is not None:
        painted = painted + _sample(texture, maps)
    if floor_c is not None:
        painted = floor_c + _BEND_C * np.logaddexp(0, (painted - floor_c) / _BEND_C)
    return np.asarray(painted, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class SoleLayers:
    """A sole as a sum of layers, so that painting it again in other temperatures costs a product.

    ``box`` is (y0, y1, x0, x1) in the picture, around the sole; ``inside`` (n,) are the flat indices of its pixels in
    the box. ``foot`` (n,) is the share of each that the sole covers; ``basis`` (8, n), ``plain`` and ``per_tip`` (n,)
    are what the temperatures are painted with, ``solve`` (8, 8) and ``offsets`` (2, 8) what makes each region's mean
    exact.
    """

    box: tuple[int, int, int, int]
    inside: NDArray[np.intp]
    foot: Floats
    basis: Floats
    plain: Floats
    per_tip: Floats
    texture: Floats
    solve: Floats
    offsets: Floats

    def painted(self, regions_c: Floats, tip_gradient_c: float) -> Floats:
        """Skin (n,), °C, for the means of toe1 .. toe5, ball, arch and heel (8,)."""
        level = self.solve @ (regions_c - self.offsets[0] - tip_gradient_c * self.offsets[1])
        return np.asarray(self.plain + tip_gradient_c * self.per_tip + level @ self.basis + self.texture)


def sole_layers(maps: SoleMaps, *, texture: Floats, margin_px: int = 0) -> SoleLayers:
    """The layers of a drawn sole that lies wholly in the picture; the box is ``margin_px`` wider than the sole.

    :func:`paint_sole` paints the same, but for a floor.
    """
    rows, columns = np.nonzero(maps.foot > 0)
    height, width = maps.foot.shape
    y0, y1 = max(int(rows.min()) - margin_px, 0), min(int(rows.max()) + 1 + margin_px, height)
    x0, x1 = max(int(columns.min()) - margin_px, 0), min(int(columns.max()) + 1 + margin_px, width)
    plain, tipped = _detail(maps, 0.0), _detail(maps, 1.0)
    basis = _basis(maps)
    weights = np.stack([maps.coverage[name] for name in SOLE_REGIONS]).astype(np.float64)[:, rows, columns]
    share = weights / weights.sum(axis=1, keepdims=True)
    inner = basis[:, rows, columns]
    details = np.stack([plain, tipped - plain])[:, rows, columns]
    return SoleLayers(
        box=(y0, y1, x0, x1),
        inside=(rows - y0) * (x1 - x0) + columns - x0,
        foot=maps.foot[rows, columns].astype(np.float64),
        basis=inner,
        plain=details[0],
        per_tip=details[1],
        texture=_sample(texture, maps)[rows, columns],
        solve=np.linalg.pinv(share @ inner.T),
        offsets=details @ share.T,
    )


def _basis(maps: SoleMaps) -> Floats:
    """Eight smooth weights (8, y, x) in the order of the vocabulary, summing to one on the sole."""
    v = maps.v.astype(np.float64)
    ball = 1 / (1 + np.exp(-(v - 0.555) / 0.035))
    heel = 1 / (1 + np.exp(-(0.277 - v) / 0.035))
    arch = 1 - ball - heel
    foot = np.maximum(maps.foot.astype(np.float64), 1e-6)
    rise = np.clip((maps.beyond_webs.astype(np.float64) + 0.005) / 0.06, 0, 1)
    rise = rise * rise * (3 - 2 * rise)
    toes = np.stack([maps.coverage[name] * rise / foot for name in TOES])
    rest = 1 - toes.sum(axis=0)
    return np.concatenate([toes, np.stack([ball * rest, arch * rest, heel * rest])])


def _detail(maps: SoleMaps, tip_gradient_c: float) -> Floats:
    """What varies within the regions: the warm arch, cool pads under metatarsals and heel, warm creases, cold tips."""
    u, v = maps.u.astype(np.float64), maps.v.astype(np.float64)

    def spot(height: float, at_u: float, at_v: float, wide: float, long: float) -> Floats:
        return np.asarray(height * np.exp(-(((u - at_u) / wide) ** 2) - ((v - at_v) / long) ** 2))

    detail = spot(1.9, -0.045, 0.43, 0.085, 0.13) + spot(0.5, -0.02, 0.58, 0.05, 0.12)
    detail += spot(-0.5, 0.0, 0.11, 0.09, 0.08) + spot(-0.45, -0.12, 0.72, 0.05, 0.05)
    detail += sum(spot(-0.25, at, 0.73 - 0.9 * at * at, 0.028, 0.04) for at in (-0.02, 0.05, 0.11))
    detail -= 0.5 * np.clip(np.abs(u) / 0.19, 0, 1.2) ** 3
    crease = np.exp(-((maps.beyond_webs.astype(np.float64) / 0.016) ** 2))
    detail += 0.5 * crease * np.clip((u + 0.12) / 0.1, 0, 1)
    foot = np.maximum(maps.foot, 1e-6)
    for name in TOES:
        along = np.clip(maps.toe_s[name].astype(np.float64), 0, 1)
        detail += maps.coverage[name] / foot * tip_gradient_c * (along - 0.5)
    return detail


def _sample(texture: Floats, maps: SoleMaps) -> Floats:
    at = np.stack([maps.v - _TEXTURE_ORIGIN[0], maps.u - _TEXTURE_ORIGIN[1]]) / _TEXTURE_STEP
    return np.asarray(ndimage.map_coordinates(texture, at, order=1, mode="nearest"))


def sheet(rng: np.random.Generator, *, shape: tuple[int, int], ambient_c: float, imprint: Map | None = None) -> Map:
    """A bed's sheet at about room temperature, °C, float32 (y, x): uneven, with folds, and a faint warm imprint.

    ``imprint`` is what warmed it before (0..1), usually the feet's coverage; it is blurred and moved by a few pixels.
    """
    rows, columns = shape
    reach = max(rows, columns)
    uneven = ndimage.gaussian_filter(rng.normal(size=shape), reach / 14, mode="reflect")
    surface = ambient_c + 0.3 + 0.2 * uneven / max(float(uneven.std()), 1e-9)
    y, x = np.mgrid[0:rows, 0:columns]
    for _ in range(int(rng.integers(4, 8))):
        angle, wave = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi)
        along = x * np.cos(angle) + y * np.sin(angle)
        across = -x * np.sin(angle) + y * np.cos(angle)
        middle = rng.uniform(across.min(), across.max()) + 0.02 * reach * np.sin(along / (0.12 * reach) + wave)
        surface += rng.uniform(-0.35, 0.35) * np.exp(-(((across - middle) / (0.012 * reach)) ** 2))
    if imprint is not None:
        moved = np.roll(imprint, tuple(int(step) for step in rng.integers(-8, 9, 2)), axis=(0, 1))
        surface += 0.7 * ndimage.gaussian_filter(moved.astype(np.float64), reach / 28, mode="constant")
    return np.asarray(surface, dtype=np.float32)


def paint_scene(drawn: DrawnSoles, skin_c: Mapping[str, Map], background_c: Map) -> Map:
    """True surface temperature, °C, float32 (y, x): each sole's skin over the background, edges anti-aliased.

    ``skin_c`` maps the sides of ``drawn`` to what :func:`paint_sole` gives.
    """
    scene = background_c.astype(np.float64)
    for side, maps in drawn.soles.items():
        foot = maps.foot
        scene = scene * (1 - foot) + skin_c[side] * foot
    return np.asarray(scene, dtype=np.float32)


def add_reference(scene_c: Map, *, reference_c: float, box: tuple[int, int, int, int]) -> Map:
    """The scene with a black body of known temperature in view; ``box`` is (x0, y0, x1, y1) in pixel edges."""
    x0, y0, x1, y1 = box
    framed = scene_c.copy()
    framed[max(y0 - 2, 0) : y1 + 2, max(x0 - 2, 0) : x1 + 2] = (reference_c + float(scene_c.mean())) / 2  # its housing
    framed[y0:y1, x0:x1] = reference_c
    return framed


def five(values: Floats) -> FiveToes:
    """Five figures as the tuple, from toe1 to toe5, that the dataclasses here hold."""
    a, b, c, d, e = (float(value) for value in values)
    return a, b, c, d, e
