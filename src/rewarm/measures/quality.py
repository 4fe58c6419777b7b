"""How good a picture is, from its pixels alone: sharpness, motion, clipping, noise, feet cut off, pixels per toe.

Sharpness is read where a picture holds an edge by nature: at the outer rim of the feet. Along normals to the outline
a blurred step is fitted, T(s) = a + b·s + (c + d·s)·Φ(s/σ), with slopes on both sides because skin cools towards its
rim and a bed is warmed by feet. Its width from 10 to 90 % is 2.563·σ. An optic's blur is the same in every direction;
motion by an extent L in the direction θ adds a box's variance L²/12·cos²(φ − θ) to normals in the direction φ, so both
follow from how σ² varies around the feet.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, degrees, hypot, nan, radians, sqrt
from typing import Final

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtr

from rewarm.regions import ANGIOSOMES, FINGERS, TOES, Mask, Region, Regions
from rewarm.thermogram import temperature_c

Floats = NDArray[np.float64]

WIDTH_PER_SIGMA: Final = 2.5631031310892007
"""From 10 to 90 % of a Gaussian's blurred step, in units of its standard deviation."""

_DIRECTIONS: Final = 6  # bins of 30° of a normal's direction, taken modulo 180°
_MIN_PROFILES: Final = 8  # in a bin; fewer are left out
_MIN_CONTRAST_C: Final = 0.8
_SIGMAS: Final = np.concatenate([np.arange(0.3, 3.0, 0.1), np.arange(3.0, 8.01, 0.25)])
_STEP_PX: Final = 0.5
_RAMP_SIGMA: Final = 1.108
"""A Gaussian's blurred step fitted to the ramp that motion leaves is so much wider than the ramp's own deviation."""


@dataclass(frozen=True)
class Quality:
    """Figures of one still picture; None where there was nothing to read them from, ``reasons`` saying why.

    ``rim_width_px`` is the width from 10 to 90 % of the feet's rim without its motion, ``motion_px`` and
    ``motion_direction_deg`` (0: along rows, 90: down the columns, modulo 180) how far the picture moved while it was
    taken. ``clipped_share`` is the share of the limbs' pixels at an end of the camera's range, ``noise_c`` the
    standard deviation from pixel to pixel. ``cut`` maps each limb's side to the pixels of it that lie on the picture's
    border, ``cut_digits`` names the toes or fingers among them. ``digit_px`` is the area of the smallest digit found,
    ``digit_name`` its name.
    """

    rim_width_px: float | None
    motion_px: float | None
    motion_direction_deg: float | None
    clipped_share: float | None
    noise_c: float
    cut: dict[str, int]
    cut_digits: tuple[str, ...]
    digit_px: int | None
    digit_name: str
    reasons: dict[str, str]


def picture_quality(thermogram: xr.Dataset, regions: Regions) -> Quality:
    """Read all figures of :class:`Quality` off a still picture (y, x) and its regions.

    Raises :class:`rewarm.errors.InvalidThermogramError` for a recording.
    """
    temperature = temperature_c(thermogram)
    limbs = limb_masks(regions)
    noise = noise_c(temperature)
    reasons: dict[str, str] = {}
    width = motion = direction = None
    sharpness = rim_sharpness(temperature, limbs)
    if isinstance(sharpness, str):
        reasons["rim"] = sharpness
    else:
        width, motion, direction = sharpness
        if motion is None:
            reasons["motion"] = "the rim is seen in too few directions"
    digits = [item for item in regions.found if item.region in (*TOES, *FINGERS)]
    smallest = min(digits, key=lambda item: int(item.mask.sum()), default=None)
    together = np.any(list(limbs.values()), axis=0) if limbs else None
    return Quality(
        rim_width_px=width,
        motion_px=motion,
        motion_direction_deg=direction,
        clipped_share=None if together is None else clipped_share(thermogram, together),
        noise_c=noise,
        cut={side: border_px(mask) for side, mask in limbs.items()},
        cut_digits=tuple(digit_words(item) for item in digits if border_px(item.mask) >= 2),
        digit_px=None if smallest is None else int(smallest.mask.sum()),
        digit_name="" if smallest is None else digit_words(smallest),
        reasons=reasons,
    )


def limb_masks(regions: Regions) -> dict[str, Mask]:
    """The union of everything found of each side's foot or hand."""
    masks: dict[str, Mask] = {}
    for item in regions.found:
        if item.region not in ANGIOSOMES:
            masks[item.side] = item.mask | masks[item.side] if item.side in masks else item.mask.copy()
    return masks


def noise_c(temperature: NDArray[np.float32] | NDArray[np.float64]) -> float:
    """Standard deviation of a picture's noise from pixel to pixel, °C.

    By the difference of two Laplacians, which a smooth scene does not answer to (Immerkær 1996,
    doi 10.1006/cviu.1996.0060); the median of its size instead of the mean, so that edges do not count.
    """
    values = np.asarray(temperature, dtype=np.float64)
    valid = np.isfinite(values)
    if not valid.any() or min(values.shape) < 5:
        return nan
    kernel = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])
    filled = np.where(valid, values, float(values[valid].mean()))
    response = np.abs(cv2.filter2D(filled, cv2.CV_64F, kernel))[1:-1, 1:-1]
    usable = cv2.erode(valid.astype(np.uint8), np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
    return float(np.median(response[usable]) / 0.6744897501960817 / 6.0) if usable.any() else nan


def clipped_share(thermogram: xr.Dataset, mask: Mask) -> float:
    """Share of a mask's pixels that stand at an end of the camera's range, 0..1.

    An end of the range is 0 or 65,535 counts, or a temperature that is the picture's highest (or lowest) and that ten
    pixels or more share, over ten times as many as each of the next five levels on average: temperatures thin out
    towards their ends, clipped ones pile up there.
    """
    temperature = temperature_c(thermogram)
    clipped = np.zeros(temperature.shape, dtype=np.bool_)
    if "counts" in thermogram:
        counts = thermogram["counts"].to_numpy()
        clipped |= (counts == 0) | (counts == np.iinfo(np.uint16).max)
    finite = temperature[np.isfinite(temperature)]
    if finite.size:
        for extreme, order in ((finite.max(), -1), (finite.min(), 1)):
            near = finite[np.abs(finite - extreme) < 1.0]
            levels, sizes = np.unique(near, return_counts=True)
            levels, sizes = levels[::order], sizes[::order]
            if sizes[0] >= 10 and sizes[0] > 10 * sizes[1:6].sum() / max(len(sizes[1:6]), 1):
                clipped |= temperature == extreme
    inside = mask & np.isfinite(temperature)
    return float(clipped[inside].mean()) if inside.any() else 0.0


def border_px(mask: Mask) -> int:
    """How many of a mask's pixels lie on the picture's border."""
    rim = np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]])
    return int(np.count_nonzero(rim))


def rim_sharpness(
    temperature: NDArray[np.float32] | NDArray[np.float64], limbs: dict[str, Mask]
) -> tuple[float, float | None, float | None] | str:
    """Rim width without motion (px, 10 to 90 %), motion's extent (px) and direction (°); or why there is none.

    Motion needs normals in at least four of six directions; with fewer it is None and the width is the narrowest.
    """
    if not limbs:
        return "no limb was found"
    values = np.asarray(temperature, dtype=np.float32)
    profiles: list[Floats] = []
    angles: list[Floats] = []
    s = np.empty(0)
    for mask in limbs.values():
        taken = _profiles(values, mask, np.any(list(limbs.values()), axis=0))
        if taken is None:
            continue
        here, at, angle = taken
        if s.size and here.size != s.size:  # the smaller limb's shorter reach counts
            keep = min(here.size, s.size)
            trim = (here.size - keep) // 2, (s.size - keep) // 2
            at = at[:, trim[0] : trim[0] + keep]
            profiles = [rows[:, trim[1] : trim[1] + keep] for rows in profiles]
            here = here[trim[0] : trim[0] + keep]
        s = here
        profiles.append(at)
        angles.append(angle)
    if not profiles:
        return "no stretch of the rim has nothing but background beside it"
    rows, angle = np.concatenate(profiles), np.concatenate(angles)
    aligned, clear = _align(rows)
    if int(clear.sum()) < _MIN_PROFILES:
        return f"the feet differ from what is around them by less than {_MIN_CONTRAST_C:g} °C along the rim"
    rows, angle = aligned[clear], angle[clear]
    reach = rows.shape[1] // 2
    s = np.arange(-reach, reach + 1) * _STEP_PX
    found: list[tuple[float, float, int]] = []
    bins = np.floor(np.mod(angle, np.pi) / (np.pi / _DIRECTIONS) + 0.5).astype(int) % _DIRECTIONS
    for which in range(_DIRECTIONS):
        mine = rows[bins == which]
        if len(mine) >= _MIN_PROFILES:
            sigma = _fit_sigma(s, np.median(mine, axis=0))
            if sigma is not None:
                found.append((which * np.pi / _DIRECTIONS, sigma, len(mine)))
    if not found:
        return "the rim holds no step that a blurred edge could be fitted to"
    return _split(found)


def _profiles(values: NDArray[np.float32], mask: Mask, others: Mask) -> tuple[Floats, Floats, Floats] | None:
    """Temperatures along normals where inside is only limb and outside only background.

    Returns positions s (m,), negative inside; temperatures (n, m), °C; and the normals' directions (n,), radians.
    """
    reach = float(np.clip(sqrt(float(mask.sum())) / 8.0, 5.0, 12.0))
    if min(values.shape) < 2 * reach:
        return None
    inside = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    signed = cv2.GaussianBlur(outside - inside, (0, 0), 2.0)
    away = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, 5)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate([contour[:, 0, :] for contour in contours]).astype(np.float64)
    gy, gx = np.gradient(signed)
    columns, lines = points[:, 0].astype(int), points[:, 1].astype(int)
    nx, ny = gx[lines, columns], gy[lines, columns]
    length = np.hypot(nx, ny)
    s = np.arange(-reach, reach + _STEP_PX / 2, _STEP_PX)
    good = length > 0.5
    points, nx, ny = points[good], nx[good] / length[good], ny[good] / length[good]
    x = (points[:, :1] + nx[:, None] * s).astype(np.float32)
    y = (points[:, 1:] + ny[:, None] * s).astype(np.float32)
    height, width = values.shape
    framed = (x.min(axis=1) >= 1) & (x.max(axis=1) <= width - 2) & (y.min(axis=1) >= 1) & (y.max(axis=1) <= height - 2)
    if not framed.any():
        return None
    x, y, nx, ny = x[framed], y[framed], nx[framed], ny[framed]
    deep = cv2.remap(inside, x[:, :1], y[:, :1], cv2.INTER_LINEAR)[:, 0]
    far = cv2.remap(away, x[:, -1:], y[:, -1:], cv2.INTER_LINEAR)[:, 0]
    plain = (deep > 0.75 * reach) & (far > 0.75 * reach)
    if not plain.any():
        return None
    sampled = cv2.remap(values, x[plain], y[plain], cv2.INTER_CUBIC).astype(np.float64)
    finite = np.isfinite(sampled).all(axis=1) & (sampled != 0.0).all(axis=1)  # zeros: a background cut away
    return (s, sampled[finite], np.arctan2(ny[plain], nx[plain])[finite]) if finite.any() else None


def _align(rows: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Each profile moved so that its half height lies in the middle, its range 1 (inside) to 0; and which are clear."""
    m = rows.shape[1]
    side = max(m // 5, 2)
    level_in, level_out = np.median(rows[:, :side], axis=1), np.median(rows[:, -side:], axis=1)
    contrast = level_in - level_out
    clear = np.abs(contrast) >= _MIN_CONTRAST_C
    unit = (rows - level_out[:, None]) / np.where(clear, contrast, 1.0)[:, None]
    smooth = cv2.blur(unit, (3, 1))
    crossing = (smooth[:, :-1] >= 0.5) & (smooth[:, 1:] < 0.5)
    middle = (m - 1) / 2.0
    distance = np.where(crossing, np.abs(np.arange(m - 1) + 0.5 - middle), np.inf)
    first = distance.argmin(axis=1)
    shift_limit = m // 4
    clear &= distance[np.arange(len(rows)), first] <= shift_limit
    lines = np.arange(len(rows))
    drop = smooth[lines, first] - smooth[lines, first + 1]
    at = first + np.clip((smooth[lines, first] - 0.5) / np.where(drop > 0, drop, 1.0), 0, 1)
    reach = (m - 1) // 2 - shift_limit
    x = (at[:, None] + np.arange(-reach, reach + 1)).astype(np.float32)
    y = np.broadcast_to(lines[:, None], x.shape).astype(np.float32)
    moved = cv2.remap(unit.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return moved.astype(np.float64), clear


def _fit_sigma(s: Floats, profile: Floats) -> float | None:
    """Standard deviation, px, of the Gaussian that blurs the step of a profile; None where no step fits."""
    shifts = np.arange(-1.0, 1.01, 0.25)
    sigma, shift = np.meshgrid(_SIGMAS[s[-1] >= _SIGMAS], shifts, indexing="ij")
    z = s - shift.reshape(-1, 1)
    step = ndtr(-z / sigma.reshape(-1, 1))
    basis = np.stack([np.ones_like(z), z, step, z * step], axis=-1)
    gram = basis.transpose(0, 2, 1) @ basis + 1e-9 * np.eye(4)
    right = basis.transpose(0, 2, 1) @ profile
    fit = np.linalg.solve(gram, right[..., None])[..., 0]
    residual = ((np.einsum("nmk,nk->nm", basis, fit) - profile) ** 2).sum(axis=1).reshape(sigma.shape)
    best = residual.min(axis=1)
    at = int(best.argmin())
    if at == len(best) - 1:
        return float(sigma[at, 0])
    if fit.reshape(*sigma.shape, 4)[at, int(residual[at].argmin()), 2] < 0.3:
        return None
    if at == 0:
        return float(sigma[0, 0])
    x0, x1, x2 = sigma[at - 1 : at + 2, 0]
    y0, y1, y2 = best[at - 1 : at + 2]
    upper = (x1 - x0) ** 2 * (y1 - y2) - (x1 - x2) ** 2 * (y1 - y0)
    lower = (x1 - x0) * (y1 - y2) - (x1 - x2) * (y1 - y0)
    return float(x1 if lower == 0 else x1 - 0.5 * upper / lower)


def _split(found: list[tuple[float, float, int]]) -> tuple[float, float | None, float | None]:
    """σ(φ) → width without motion, motion's extent and direction, by least squares on σ²."""
    phi = np.array([item[0] for item in found])
    variance = np.array([item[1] ** 2 for item in found])
    if len(found) < 4:
        return WIDTH_PER_SIGMA * sqrt(float(variance.min())), None, None
    weight = np.sqrt(np.array([item[2] for item in found], dtype=np.float64)) / variance  # σ² errs in proportion to σ²
    design = np.column_stack([np.ones_like(phi), np.cos(2 * phi), np.sin(2 * phi)])
    (mean, cosine, sine), *_ = np.linalg.lstsq(design * weight[:, None], variance * weight, rcond=None)
    swing = hypot(float(cosine), float(sine))
    still = max(float(mean) - swing, 0.2**2)
    extent = sqrt(12.0 * 2.0 * swing) / _RAMP_SIGMA
    return WIDTH_PER_SIGMA * sqrt(still), extent, degrees(0.5 * atan2(float(sine), float(cosine))) % 180.0


def digit_words(region: Region) -> str:
    """``left toe 4``."""
    return f"{region.side} {region.region[:-1]} {region.region[-1]}"


def direction_words(direction_deg: float) -> str:
    """Along rows, down the columns, or between."""
    angle = radians(direction_deg % 180.0)
    if abs(np.sin(angle)) < 0.4:
        return "sideways"
    return "up and down" if abs(np.cos(angle)) < 0.4 else "diagonally"
