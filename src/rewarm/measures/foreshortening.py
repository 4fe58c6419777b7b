"""From which angle a sole was seen, as far as its shape tells."""

from __future__ import annotations

from math import degrees
from typing import Final

import cv2
import numpy as np

from rewarm.measures.quality import border_px, limb_masks
from rewarm.regions import Regions

FOOT_BREADTH_TO_LENGTH: Final = (0.378, 0.017)
"""A foot's breadth over its length: mean of ANSUR II (NATICK/TR-15/007); the standard deviation, 4.5 %, is assumed."""


def viewing_angle_range_deg(regions: Regions) -> tuple[float, float] | None:
    """Lowest and highest angle, °, between the camera's axis and square to the soles that the feet's shape allows.

    A sole seen at an angle θ is shorter by cos θ along the tilt. From breadth over length (of feet seen whole, plantar
    or dorsal: heel and toe found, none at the border), with people's own spread at ± 2 standard deviations, and from
    the ratio of the two feet's lengths, which differ by a few percent in life (5 % are allowed). A tilt along both
    axes alike does not show. None where no whole foot is seen.
    """
    ratios: list[float] = []
    lengths: list[float] = []
    for side, mask in limb_masks(regions).items():
        names = {item.region for item in regions.found if item.side == side}
        if "heel" not in names or not names & {"toe1", "toe2"} or border_px(mask) > 0:
            continue
        contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        largest = max(contours, key=len)
        _, (a, b), _ = cv2.minAreaRect(largest)
        breadth, length = sorted((a + 1.0, b + 1.0))
        ratios.append(breadth / length)
        lengths.append(length)
    if not ratios:
        return None
    seen = float(np.mean(ratios))
    mean, sd = FOOT_BREADTH_TO_LENGTH
    narrow, wide = mean - 2 * sd, mean + 2 * sd
    cos_low = min(1.0, wide / seen, seen / narrow)
    cos_high = min(1.0, narrow / seen, seen / wide)
    if len(lengths) == 2:
        cos_low = min(cos_low, min(lengths) / max(lengths) / 0.95)
    return _angle(cos_low), max(_angle(cos_high), _angle(cos_low))


def _angle(cosine: float) -> float:
    return degrees(float(np.arccos(np.clip(cosine, 0.0, 1.0))))
