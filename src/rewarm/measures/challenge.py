"""Was a cold challenge carried out as it should be? What is not known is "unknown", never "pass"."""

from __future__ import annotations

from dataclasses import dataclass

from rewarm.measures.protocol import Check
from rewarm.measures.rewarming_curves import RegionCurves


@dataclass(frozen=True)
class ChallengeFacts:
    """What people wrote down about the immersion; None: not recorded. Planned figures are the study protocol's."""

    water_c: float | None = None
    immersion_s: float | None = None
    kept_dry: bool | None = None
    planned_water_c: float | None = None
    planned_immersion_s: float | None = None
    planned_follow_up_s: float | None = None
    baseline_taken: bool | None = None


def review_challenge(curves: RegionCurves, facts: ChallengeFacts | None = None) -> tuple[Check, ...]:
    """Judge a cold challenge by every rule of :mod:`rewarm.measures.challenge_rules`, in their order."""
    raise NotImplementedError
