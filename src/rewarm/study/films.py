"""What an animation is drawn from: a few pictures of a recording, or two still pictures, ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rewarm.regions import Mask


@dataclass(frozen=True, eq=False)
class Film:
    """Pictures of one visit in the order of time.

    ``temperature_c`` is float32 (pictures, y, x), °C, NaN where there is nothing to show; ``time_s`` (pictures,) in
    seconds, ascending, since the end of the cold immersion (``since_immersion``) or since the recording began.
    ``digits_c`` (pictures,) is the median of the toes' (or fingers') temperatures in each picture, NaN where none was
    measured. ``limbs`` (y, x) are the pixels of the feet or hands, which decide the colours' scale. ``name`` says which
    visit, ``noun`` what is shown: "toes" or "fingers".
    """

    name: str
    time_s: NDArray[np.float64]
    temperature_c: NDArray[np.float32]
    digits_c: NDArray[np.float64]
    limbs: Mask
    noun: str = "toes"
    since_immersion: bool = True
