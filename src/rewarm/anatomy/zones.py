"""Dividing a sole without its toes into ball, arch and heel, and the whole sole into four angiosomes.

Ball, arch and heel are equal thirds of the foot's length without the toes, as for the arch index (Cavanagh and Rodgers
1987, doi 10.1016/0021-9290(87)90255-7).

The angiosomes follow the picture of Hernandez-Contreras et al. 2019 (doi 10.1109/ACCESS.2019.2951356): cuts along and
across the foot's axis, at fixed fractions of its length and width. Medial and lateral plantar territories meet the
calcaneal ones at 0.4 of the length from the heel; the lateral plantar territory takes everything distal of two thirds
of the length and, behind that, all but the medial third of the width; the medial plantar territory is the medial third
up to the tip of the toes, so that the two overlap there. The heel is halved along its own middle.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.anatomy.sole_shape import Points

Bools = NDArray[np.bool_]

CALCANEAL_END: Final = 0.40
FOREFOOT_START: Final = 0.67
MEDIAL_SHARE: Final = 1.0 / 3.0


def sole_zones(foot_points: Points, toe: NDArray[np.int8]) -> Mapping[str, Bools]:
    """Ball, arch and heel of the (n, 2) foot coordinates of a foot's pixels; ``toe`` is 0 behind the toes."""
    v = foot_points[:, 1]
    behind = toe == 0
    if not behind.any():
        return {name: np.zeros(len(v), dtype=bool) for name in ("ball", "arch", "heel")}
    start, end = float(v[behind].min()), float(v[behind].max())
    first, second = start + (end - start) / 3.0, start + 2.0 * (end - start) / 3.0
    return {
        "ball": behind & (v >= second),
        "arch": behind & (v >= first) & (v < second),
        "heel": behind & (v < first),
    }


def angiosomes(foot_points: Points) -> Mapping[str, Bools]:
    """The four overlapping angiosomes of the (n, 2) foot coordinates of a foot's pixels."""
    u, v = foot_points[:, 0], foot_points[:, 1]
    share = (v - v.min()) / max(float(np.ptp(v)), 1e-9)
    across = (u - u.min()) / max(float(np.ptp(u)), 1e-9)
    heel = share < CALCANEAL_END
    back = u[share < 0.25]
    middle = 0.5 * (float(back.min()) + float(back.max())) if back.size else 0.0
    return {
        "mpa": ~heel & (across <= MEDIAL_SHARE),
        "lpa": ~heel & ((across > MEDIAL_SHARE) | (share >= FOREFOOT_START)),
        "mca": heel & (u <= middle),
        "lca": heel & (u > middle),
    }
