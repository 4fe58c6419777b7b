"""How sure a region is: the network's own signs, turned into a probability on simulated scenes kept for that.

A confidence is the probability that a region overlaps the true one with a Dice coefficient of at least 0.7. It is 0.9
or more only where the probability of a Dice of at least 0.85 is 0.95 or more as well. ``python -m training.calibrate``
makes ``confidence.json``: for each kind of region a logistic regression on the signs, and the share that was right in
groups of its scores, pooled so that it never falls (Zadrozny and Elkan 2002, doi 10.1145/775047.775151).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.errors import UnreadableFileError

TABLE: Final = Path(__file__).with_name("confidence.json")
GOOD_DICE: Final = 0.7
SURE_DICE: Final = 0.85
SURE: Final = 0.9
"""A confidence of this or more promises :data:`SURE_DICE` in 95 % of regions."""
SURE_SHARE: Final = 0.95
_JUST_UNDER: Final = 0.899
KINDS: Final = ("foot", "toe", "sole", "dorsum", "hand", "finger", "palm")


@dataclass(frozen=True, eq=False)
class Curve:
    """From signs (k,) to a probability: logistic regression, then a line through ``knots`` and ``shares``."""

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: float
    knots: NDArray[np.float64]
    shares: NDArray[np.float64]

    def probability(self, signs: NDArray[np.float64]) -> float:
        """0..1."""
        score = float(((signs - self.centre) / self.scale) @ self.weights + self.bias)
        return float(np.interp(score, self.knots, self.shares))


def kind_of(part: str) -> str:
    """The kind of region, of :data:`KINDS`, that a part is judged as; the whole limb is "foot" or "hand"."""
    if part.startswith(("toe", "finger")):
        return part.rstrip("12345")
    return "sole" if part in ("ball", "arch", "heel") else part


def confidence(part: str, signs: NDArray[np.float64]) -> float:
    """How sure a part with these signs (:data:`rewarm.anatomy.learned.SIGNS`) is, 0..1."""
    curves = _curves()[kind_of(part)]
    good, sure = curves["good"].probability(signs), curves["sure"].probability(signs)
    return max(good, SURE) if sure >= SURE_SHARE else min(good, _JUST_UNDER)


@cache
def _curves() -> Mapping[str, Mapping[str, Curve]]:
    try:
        stored = json.loads(TABLE.read_text(encoding="utf-8"))["curves"]
        return {
            kind: {
                name: Curve(
                    **{field: np.asarray(values) for field, values in curve.items() if field != "bias"},
                    bias=float(curve["bias"]),
                )
                for name, curve in stored[kind].items()
            }
            for kind in KINDS
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableFileError(
            f"{TABLE}: expected the learned finder's table of confidences; {error}. Install rewarm again"
        ) from error
