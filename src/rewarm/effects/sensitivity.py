"""How far a result leans on what was taken for granted: on the priors, on any one person, on what nobody measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from rewarm.effects.draws import Draws, interval
from rewarm.effects.fast import fit_fast
from rewarm.effects.model import DEFAULT_PRIORS, Priors, build_model
from rewarm.effects.metrics import Outcome
from rewarm.errors import InvalidInputError

WIDER: Final = 2.0


@dataclass(frozen=True)
class Sensitivity:
    """The same effect under another assumption; ``kind`` is prior, person or confounder."""

    kind: str
    what: str
    estimate: float
    lower: float
    upper: float


def scaled_priors(factor: float, priors: Priors = DEFAULT_PRIORS) -> Priors:
    """Priors ``factor`` times as wide: effect, spreads and the covariates' slopes."""
    spreads = {name: value * factor for name, value in priors.spreads.items()}
    return replace(
        priors,
        effect_sd=priors.effect_sd * factor,
        common_change_sd=priors.common_change_sd * factor,
        room_slope=(priors.room_slope[0], priors.room_slope[1] * factor),
        outdoor_slope=(priors.outdoor_slope[0], priors.outdoor_slope[1] * factor),
        curvature_sd=priors.curvature_sd * factor,
        season_sd=priors.season_sd * factor,
        enrolment=(priors.enrolment[0], priors.enrolment[1] * factor),
        spreads=MappingProxyType(spreads),
    )


def prior_sensitivity(
    frame: pd.DataFrame, outcome: Outcome, day: float, level: float, *, flags: Mapping[str, bool | None]
) -> tuple[Sensitivity, ...]:
    """The group's effect with priors twice and half as wide (fast estimator, as the reference beside them)."""
    cases = (("as stated", 1.0), ("twice as wide", WIDER), ("half as wide", 1.0 / WIDER))
    return tuple(
        _refit("prior", f"priors {words}", frame, outcome, day, level, flags=flags, priors=scaled_priors(factor))
        for words, factor in cases
    )


def leave_one_out(
    frame: pd.DataFrame, outcome: Outcome, day: float, level: float, *, flags: Mapping[str, bool | None]
) -> tuple[Sensitivity, ...]:
    """The group's effect without each treated person in turn; empty where there is one person only."""
    treated = sorted(set(frame.loc[frame["treated"], "participant"]))
    if len(treated) < 2:
        return ()
    found = []
    for who in treated:
        rest = frame[frame["participant"] != who]
        try:
            found.append(_refit("person", f"without {who}", rest, outcome, day, level, flags=flags))
        except InvalidInputError:  # the others were not seen on both sides
            continue
    return tuple(found)


def explain_away(draws: Draws, outcome: Outcome, day: float, level: float) -> Sensitivity:
    """How large a shift that nobody measured would have to be, from before to after and in the treated alone.

    ``estimate`` is the shift that leaves nothing of the effect, ``lower`` the smallest one that makes the interval hold
    zero (0 where it does already), ``upper`` the one that leaves no doubt that nothing is left. In the spirit of the
    E-value (VanderWeele & Ding 2017, doi 10.7326/M16-2607), on the outcome's own scale instead of a risk ratio.
    """
    middle, low, high = interval(outcome.better * draws.mean_effect(np.array([day]))[:, 0], level)
    return Sensitivity("confounder", "a shift that would explain it away", middle, max(low, 0.0), high)


def _refit(
    kind: str,
    what: str,
    frame: pd.DataFrame,
    outcome: Outcome,
    day: float,
    level: float,
    *,
    flags: Mapping[str, bool | None],
    priors: Priors = DEFAULT_PRIORS,
) -> Sensitivity:
    data = build_model(
        frame,
        outcome,
        enrolled_at_worst=flags.get("enrolled_at_worst"),
        randomised=flags.get("randomised"),
        priors=priors,
    )
    draws = fit_fast(data, draws=600)
    return Sensitivity(kind, what, *interval(draws.mean_effect(np.array([day]))[:, 0], level))
