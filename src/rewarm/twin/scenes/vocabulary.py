"""What a simulated scene consists of: the classes of pixels, the landmarks, and the containers of truth and picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]
Map = NDArray[np.float32]
Floats = NDArray[np.float64]

PARTS: Final = (
    "surroundings",
    "other_skin",
    "toe1",
    "toe2",
    "toe3",
    "toe4",
    "toe5",
    "ball",
    "arch",
    "heel",
    "dorsum",
    "finger1",
    "finger2",
    "finger3",
    "finger4",
    "finger5",
    "palm",
)
"""A pixel's class; its code is the index. ``dorsum`` is every surface of the foot that is not plantar."""

SIDE_CODES: Final = ("none", "left", "right")
"""The person's own side; the code is the index."""

LANDMARKS: Final = (
    *(f"toe{i}_tip" for i in range(1, 6)),
    *(f"web{i}" for i in range(1, 5)),
    "heel_point",
    *(f"finger{i}_tip" for i in range(1, 6)),
    *(f"finger_web{i}" for i in range(1, 5)),
)

SURROUNDINGS: Final = PARTS.index("surroundings")
OTHER_SKIN: Final = PARTS.index("other_skin")
TOE1: Final = PARTS.index("toe1")
TOE5: Final = PARTS.index("toe5")
BALL: Final = PARTS.index("ball")
ARCH: Final = PARTS.index("arch")
HEEL: Final = PARTS.index("heel")
DORSUM: Final = PARTS.index("dorsum")
FINGER1: Final = PARTS.index("finger1")
PALM: Final = PARTS.index("palm")


@dataclass(frozen=True, eq=False)
class Layout:
    """The geometry of one scene, without temperatures: dear to make, small to store, painted many times.

    ``parts``, ``sides`` (non-zero only on feet and hands) and ``limbs`` are uint8 (y, x). ``limbs`` numbers every limb
    instance from 1; a leg with its foot is one instance, a thing that lies over skin is one too (its parts are
    surroundings). ``along`` and ``facing`` are float32 (y, x): the position along the limb (0 knee or elbow, 1 ankle
    or wrist, 2 tips) and the cosine between the surface's normal and the line of sight; both NaN off the skin.
    ``landmarks`` is float32 (n, 19, 3), one row per instance: x and y in pixel-edge coordinates and visible (1 or 0),
    NaN where the limb has no such landmark. ``kinds`` and ``views`` name each instance: kinds are foot, hand, leg, arm
    and other; views are the face that is turned most to the camera (plantar, dorsal, medial, lateral, distal,
    proximal; for hands palmar, dorsal, radial, ulnar, distal, proximal; none for other things).
    """

    parts: Codes
    sides: Codes
    limbs: Codes
    along: Map
    facing: Map
    landmarks: Map
    kinds: tuple[str, ...]
    views: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Scene:
    """What the camera reports of a layout, °C, float32 (y, x), and what was drawn.

    ``figures`` tells, from the surfaces before the camera, for every foot or hand n: ``limb<n>_contrast_c`` (whole foot
    or hand minus the surroundings next to it), ``limb<n>_digits_contrast_c`` (its digits likewise; absent where none is
    in view) and ``surroundings_c`` (the median of the surroundings; absent where there are none).
    """

    celsius: Map
    layout: Layout
    figures: Mapping[str, float]
