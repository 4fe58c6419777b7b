"""Relief that hides something: the probability that pain fell while load or harm rose, and its sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.effects.alike import people_alike
from rewarm.effects.harm import (
    SYMPTOMS_ROSE,
    Harm,
    harm_words,
    probabilities_symptoms_rose,
    probability_harm_rose,
    probability_of_harm,
)
from rewarm.effects.heels import HeelFit
from rewarm.effects.pooling import pool

Floats = NDArray[np.float64]

LOAD_ROSE: Final = 0.10
"""A rise of the load counts from a tenth of what it was."""
FLAG: Final = 0.5
"""From this probability on the sentence is a warning."""

_DRAWS: Final = 4000
_PAIN_MEAN_SD: Final = 20.0
_PAIN_SPREADS: Final = (3.0, 6.0, 12.0, 20.0)
"""What is taken beforehand of pain's changes, in points of 100: SD of their mean, and how people may differ."""


@dataclass(frozen=True)
class Masking:
    """``probability`` that pain fell while load or harm rose, and the parts it is made of (NaN: not recorded).

    ``flagged`` from :data:`FLAG` on; ``sentence`` in plain words.
    """

    who: str
    probability: float
    pain_fell: float
    load_rose: float
    harm_rose: float
    flagged: bool
    sentence: str


def masking(fit: HeelFit, harm: Harm | None, *, seed: int = 0) -> Masking:
    """The probability that one person's pain fell while the load rose by a tenth or more, or harm rose."""
    return people_masking([fit], {} if harm is None else {fit.who: harm}, seed=seed)[0]


def people_masking(fits: Sequence[HeelFit], harm_of: Mapping[str, Harm], *, seed: int = 0) -> tuple[Masking, ...]:
    """The same of everybody; people inform each other about how pain changed and whether harm rose
    (:mod:`rewarm.effects.alike`). Who is not in ``harm_of`` was not watched for harm.
    """
    if not fits:
        return ()
    symptoms = probabilities_symptoms_rose(harm_of)
    pain = people_alike(
        [fit.pain_change for fit in fits],
        [max(fit.pain_change_sd, 1e-6) for fit in fits],
        mean_sd=_PAIN_MEAN_SD,
        spreads=_PAIN_SPREADS,
    )
    return tuple(
        _own_masking(fit, harm_of.get(fit.who), pain.draws(number, _DRAWS, seed), symptoms.get(fit.who, 0.0), seed)
        for number, fit in enumerate(fits)
    )


def _own_masking(fit: HeelFit, harm: Harm | None, pain: Floats, symptoms_rose: float, seed: int) -> Masking:
    load = _load_draws(fit, seed)
    fell = pain < 0
    rose = np.zeros(fell.size, dtype=bool) if load is None else load > LOAD_ROSE * fit.load_before
    p_harm = float("nan") if harm is None else probability_of_harm(harm, symptoms_rose)
    hurt = np.random.default_rng(seed + 1).random(fell.size) < (0.0 if harm is None else p_harm)
    probability = float(np.mean(fell & (rose | hurt)))
    load_rose = float("nan") if load is None else float(rose.mean())
    flagged = probability >= FLAG
    parts = (float(fell.mean()), load_rose, p_harm)
    return Masking(fit.who, probability, *parts, flagged, _sentence(fit, harm, probability, parts, flagged))


def group_masking(fits: Sequence[HeelFit], harm_of: dict[str, Harm], *, seed: int = 0) -> Masking | None:
    """The same for the mean person; None for fewer than three people with a load.

    The means of pain's and load's changes follow a bivariate t with n − 1 degrees of freedom, from people alone.
    """
    known = [fit for fit in fits if fit.load is not None]
    if len(known) < 3:
        return None
    changes = np.array([[fit.pain_change, fit.load_after - fit.load_before] for fit in known])
    usual = float(np.mean([fit.load_before for fit in known]))
    n = len(known)
    rng = np.random.default_rng(seed)
    normal = rng.multivariate_normal(np.zeros(2), np.cov(changes.T) / n, size=_DRAWS, method="eigh")
    draws = changes.mean(axis=0) + normal * np.sqrt((n - 1) / rng.chisquare(n - 1, size=_DRAWS))[:, None]
    fell, rose = draws[:, 0] < 0, draws[:, 1] > LOAD_ROSE * usual
    own = [harm_of[fit.who] for fit in known if fit.who in harm_of]
    total = Harm(
        "group",
        sum(harm.before for harm in own),
        sum(harm.after for harm in own),
        sum(harm.days_before for harm in own),
        sum(harm.days_after for harm in own),
    )
    p_harm = 1 - (1 - probability_harm_rose(total)) * (1 - _symptoms_rose(own)) if own else float("nan")
    hurt = rng.random(_DRAWS) < (p_harm if isfinite(p_harm) else 0.0)
    probability = float(np.mean(fell & (rose | hurt)))
    flagged = probability >= FLAG
    hours = [float(np.mean([getattr(fit, name) for fit in known])) for name in ("hours_before", "hours_after")]
    words = (
        f"In the group, time in heels went from {hours[0]:.1f} to {hours[1]:.1f} h a day. Pain fell (probability "
        f"{_sure(fell.mean())}), and the load rose by a tenth or more (probability {_sure(rose.mean())}). "
        f"{'Relief may be hiding load or harm' if flagged else 'Nothing says that relief hides load or harm'} "
        f"(probability {_sure(probability)})."
    )
    return Masking("group", probability, float(fell.mean()), float(rose.mean()), p_harm, flagged, words)


def _symptoms_rose(own: Sequence[Harm]) -> float:
    """The same of numbness and tingling for the mean person; 0 where fewer than two wrote of them."""
    known = [harm for harm in own if isfinite(harm.symptoms_rise_sd)]
    mean = pool([harm.symptoms_rise for harm in known], [harm.symptoms_rise_sd for harm in known])
    return 0.0 if mean is None else 1.0 - mean.cdf(SYMPTOMS_ROSE)


def _load_draws(fit: HeelFit, seed: int) -> Floats | None:
    """Draws of how the load differed on *these* days, of which missing ones leave some open; not of what it would do in
    the long run: relief hides load where it was felt, whatever made it. Pain's change likewise has its flares in it.
    """
    if fit.load is None:
        return None
    chance = np.random.default_rng(seed + 2).standard_normal(_DRAWS)
    return np.asarray(fit.load_after - fit.load_before + fit.load_change_sd * chance)


def _sentence(
    fit: HeelFit, harm: Harm | None, probability: float, parts: tuple[float, float, float], flagged: bool
) -> str:
    _, load_rose, _ = parts
    change = fit.pain_change
    moved = f"changed by {change:+.0f} of 100 points" if abs(change) >= 0.5 else "stayed"
    words = [f"{fit.who}: pain as written, flares included, {moved}"]
    if isfinite(load_rose):
        words.append(
            f"while time in heels went from {fit.hours_before:.1f} to {fit.hours_after:.1f} h a day"
            + (f" (load {_percent(fit.load_after, fit.load_before)})" if fit.load_before > 0 else "")
        )
    else:
        words.append("and how the load changed is not known")
    text = " ".join(words) + "."
    if harm is not None:
        text += harm_words(harm)
    if flagged:
        return f"{text} Feeling better may be hiding more load or harm (probability {_sure(probability)})."
    return f"{text} The probability that the relief hides load or harm is {_sure(probability)}."


def _sure(probability: float) -> str:
    """A probability in words; drawn ones are never quite none and never quite all."""
    if probability > 0.99:
        return "over 99%"
    return "under 1%" if probability < 0.01 else f"{probability:.0%}"


def _percent(after: float, before: float) -> str:
    return f"{100 * (after / before - 1):+.0f} %"
