"""One region's curve after the immersion, and hundreds of versions of it, each moved by what it may be off.

Uncertainty is propagated by drawing (GUM Supplement 1, JCGM 101:2008): every version is read as the curve itself is
(:mod:`rewarm.measures.course_figures`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rewarm.measures.curve_shape import Lines, area_weights, line_within, smoother, steep_lines
from rewarm.measures.rewarming_curves import RegionCurves

Floats = NDArray[np.float64]
Name = tuple[str, str]

DRAWS: Final = 400
FOLLOWED_S: Final = 900.0
"""Areas, recoveries and the maximum are of the first 15 min."""


@dataclass(frozen=True)
class Baseline:
    """A region's temperature before the immersion, where the recording itself does not hold it (a scan at rest).

    ``u_c`` is its uncertainty as far as the recording does not share it: outlines, noise, and the camera's drift
    between both; its offset, which both share, is added here. ``note`` is what a person should know of it.
    """

    value_c: float
    u_c: float
    note: str = ""


@dataclass(frozen=True, eq=False)
class Reading:
    """What reads figures off all curves that have the same times."""

    smooth: sparse.csr_array
    steep: Lines
    first: Lines
    area: Floats | None


@dataclass(frozen=True, eq=False)
class Course:
    """One region's curve after the immersion and its versions: row 0 is the curve itself, the others are draws.

    ``time_s`` (times,), ``raw_c`` and ``smooth_c`` (1 + draws, times), ``tpre_c`` (1 + draws,) or None, with the time
    it was taken at, seconds (negative), or None where it comes from another scan, of which ``tpre_note`` tells.
    """

    name: Name
    n_px: int
    time_s: Floats
    raw_c: Floats
    smooth_c: Floats
    noise_c: float
    tpre_c: Floats | None
    tpre_s: float | None
    tpre_note: str
    reading: Reading


def drawn_causes(curves: RegionCurves, random: np.random.Generator) -> Floats:
    """By how many standard deviations each cause that curves share is off in each version, (causes, draws)."""
    if not curves.causes:
        return np.zeros((0, DRAWS))
    return np.stack([_drawn(random, cause.shape) for cause in curves.causes])


def _drawn(random: np.random.Generator, shape: str) -> Floats:
    """Standard deviations by which a cause is off, (draws,); their mean is 0, lest it pass for a bias of extremes."""
    if shape == "rectangular":
        off = random.uniform(-sqrt(3.0), sqrt(3.0), DRAWS)
    elif shape == "triangular":
        off = random.triangular(-sqrt(6.0), 0.0, sqrt(6.0), DRAWS)
    else:
        off = random.normal(size=DRAWS)
    return np.asarray(off - off.mean())


def region_course(
    curves: RegionCurves,
    row: int,
    moves: Floats,
    given: Baseline | None,
    random: np.random.Generator,
    readings: dict[bytes, Reading],
) -> Course | None:
    """One region's curve and its versions; None with fewer than two frames after the immersion.

    ``moves`` are those of :func:`drawn_causes`, ``given`` the temperature before the immersion where the curve does not
    hold it. ``readings`` keeps what reads curves of the same times, so that it is made once.
    """
    known = np.isfinite(curves.temperature_c[row])
    after = known & (curves.time_s >= 0.0)
    if np.count_nonzero(after) < 2:
        return None
    effects = np.stack([cause.effect_c[row] for cause in curves.causes]) if len(moves) else np.zeros((0, known.size))

    def versions(which: NDArray[np.bool_]) -> Floats:
        values, noise = curves.temperature_c[row][which], curves.noise_c[row][which]
        moved = values + moves.T @ effects[:, which] + random.normal(size=(moves.shape[1], values.size)) * noise
        return np.vstack([values, moved])

    time_s, raw = curves.time_s[after], versions(after)
    before = known & (curves.time_s < 0.0)
    tpre: Floats | None = None
    tpre_s: float | None = None
    note = ""
    if before.any():
        tpre, tpre_s = versions(before).mean(axis=1), float(curves.time_s[before].mean())
    elif given is not None:
        alike = int(np.argmin(np.abs(raw[0] - given.value_c)))
        off = moves.T @ effects[:, after][:, alike] + random.normal(0.0, 1.0, moves.shape[1]) * given.u_c
        tpre = np.concatenate([[given.value_c], given.value_c + off])
        note = "; ".join(filter(None, ("scan at rest", given.note)))
    noise_c = float(np.median(curves.noise_c[row][after]))
    reading = readings.get(time_s.tobytes()) or _reading(time_s)
    readings[time_s.tobytes()] = reading
    smooth = np.ascontiguousarray((reading.smooth @ raw.T).T)
    return Course(curves.names[row], int(curves.n_px[row]), time_s, raw, smooth, noise_c, tpre, tpre_s, note, reading)


def _reading(time_s: Floats) -> Reading:
    return Reading(
        smoother(time_s), steep_lines(time_s), line_within(time_s, 0.0, 120.0), area_weights(time_s, 0.0, FOLLOWED_S)
    )
