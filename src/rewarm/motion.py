"""How limbs moved in a recording: the plain container in which motion travels from who follows it to who measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

EMPTY: Final = "no temperatures"
SHUTTER: Final = "shutter"
BLURRED: Final = "out of focus"
COVERED: Final = "covered"
LOST: Final = "lost"
OUTSIDE: Final = "out of the picture"

REASONS: Final = (EMPTY, SHUTTER, BLURRED, COVERED, LOST, OUTSIDE)
"""Why a frame is left out: it holds no temperatures; the camera re-set its offset (NUC); it is blurred; something that
is no part of the limb lies over it (a hand, a towel); the limb could not be followed; it left the picture."""


@dataclass(frozen=True, eq=False)
class LimbMotion:
    """How one limb moved.

    ``transforms`` (frames, 2, 3), float64, take a point of the reference frame, (x, y, 1) with the centre of the first
    pixel at (0, 0), to where it lies in each frame: a rotation and a shift. ``reasons`` (frames,) is "" where the limb
    was followed, else one of :data:`REASONS`; a transform is then carried over from a neighbour and not to be
    used. ``likeness`` (frames,) is the correlation with the reference after moving, NaN where none was computed.
    """

    transforms: NDArray[np.float64]
    reasons: tuple[str, ...]
    likeness: NDArray[np.float64]

    @property
    def followed(self) -> NDArray[np.bool_]:
        """(frames,): whether the frame can be measured."""
        return np.array([not reason for reason in self.reasons], dtype=np.bool_)


@dataclass(frozen=True, eq=False)
class Motion:
    """How the limbs of a recording moved, each for itself.

    ``frames`` (frames,) are the indices of the frames that were looked at, ascending. ``reference`` is the index of
    the frame in which the regions were found, one of them. ``limbs`` is by side ("left", "right").
    """

    frames: NDArray[np.int64]
    reference: int
    limbs: Mapping[str, LimbMotion]

    def left_out(self, side: str) -> dict[str, int]:
        """How many frames of a limb were left out, by reason; empty where none was."""
        counts: dict[str, int] = {}
        for reason in self.limbs[side].reasons:
            if reason:
                counts[reason] = counts.get(reason, 0) + 1
        return counts

    def largest_px(self, side: str, *, at: tuple[float, float]) -> float:
        """How far a limb's point (x, y) of the reference frame moved at most, px, over the frames followed."""
        limb = self.limbs[side]
        moved = limb.transforms[limb.followed] @ np.array([*at, 1.0])
        return float(np.hypot(*(moved - np.array(at)).T).max()) if moved.size else 0.0


def still_motion(frames: NDArray[np.int64], reference: int, sides: tuple[str, ...]) -> Motion:
    """The motion of a recording in which nothing moved and no frame is left out."""
    eye = np.broadcast_to(np.eye(2, 3), (len(frames), 2, 3)).copy()
    limb = LimbMotion(eye, ("",) * len(frames), np.ones(len(frames)))
    return Motion(frames, reference, dict.fromkeys(sides, limb))
