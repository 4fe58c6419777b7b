"""Relief that hides something: the probability that pain fell while load or harm rose, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.effects.diary_days import local_day
from rewarm.effects.heels import HeelFit, slope_after

Floats = NDArray[np.float64]

LOAD_ROSE: Final = 0.10
"""A rise of the load counts from a tenth of what it was."""
FLAG: Final = 0.5
"""From this probability on the sentence is a warning."""
UNRELATED: Final = ("unrelated", "not related", "not_related", "none", "no")

_DRAWS: Final = 4000


@dataclass(frozen=True)
class Harm:
    """Recorded adverse events of one person, before the injection and from it on, over so many days of observation.

    ``terms`` names those from the injection on, with how often.
    """

    who: str
    before: int
    after: int
    days_before: float
    days_after: float
    terms: tuple[tuple[str, int], ...] = ()


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


def harms(
    events: pd.DataFrame | None, diary: pd.DataFrame, start_of: dict[str, pd.Timestamp]
) -> dict[str, Harm]:
    """Who → recorded events and new ulcers; events that are said to be unrelated are left out.

    The time observed runs from the first diary day to the last, of each person.
    """
    days = local_day(diary["date"]).groupby(diary["participant"].astype(str))
    found = {}
    for who, start in start_of.items():
        if who not in days.groups:
            continue
        own = days.get_group(who)
        dates = [*_event_days(events, who), *_ulcer_days(diary, who)]
        inside = [(day, term) for day, term in dates if own.min() <= day]
        after = pd.Series([term for day, term in inside if day >= start], dtype=object).value_counts()
        found[who] = Harm(
            who,
            sum(day < start for day, _ in inside),
            sum(day >= start for day, _ in inside),
            max((start - own.min()).days, 0),
            max((own.max() - start).days + 1, 0),
            tuple((str(term), int(count)) for term, count in after.items()),
        )
    return found


def probability_harm_rose(harm: Harm) -> float:
    """Probability that events came more often after than before; 0 where none was recorded after.

    Rates with Jeffreys' prior, Gamma(½): P(after > before) by the beta distribution of their ratio.
    """
    if harm.after == 0 or harm.days_after <= 0:
        return 0.0
    if harm.days_before <= 0:
        return 1.0
    from scipy.stats import beta

    share = harm.days_after / (harm.days_after + harm.days_before)
    return float(beta.sf(share, harm.after + 0.5, harm.before + 0.5))


def masking(fit: HeelFit, harm: Harm | None, *, seed: int = 0) -> Masking:
    """The probability that one person's pain fell while the load rose by a tenth or more, or harm rose."""
    pain, load = _joint_draws(fit, seed)
    fell = pain < 0
    rose = np.zeros(fell.size, dtype=bool) if load is None else load > LOAD_ROSE * fit.load_before
    p_harm = float("nan") if harm is None else probability_harm_rose(harm)
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
    changes = np.array([[fit.pain.mean(fit.pain.vector(effect=1)), _load_mean(fit)] for fit in known])
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
    p_harm = probability_harm_rose(total) if own else float("nan")
    hurt = rng.random(_DRAWS) < (p_harm if isfinite(p_harm) else 0.0)
    probability = float(np.mean(fell & (rose | hurt)))
    flagged = probability >= FLAG
    words = (
        f"In the group, pain fell with a probability of {fell.mean():.0%} and the load rose with {rose.mean():.0%}. "
        f"{'Relief may be hiding load or harm' if flagged else 'Nothing says that relief hides load or harm'} "
        f"(probability {probability:.0%})."
    )
    return Masking("group", probability, float(fell.mean()), float(rose.mean()), p_harm, flagged, words)


def _load_mean(fit: HeelFit) -> float:
    assert fit.load is not None
    return fit.load.mean(fit.load.vector(effect=1))


def _joint_draws(fit: HeelFit, seed: int) -> tuple[Floats, Floats | None]:
    """Draws of pain's and load's change. Where pain on load is known, pain = relief at equal load + slope × more load."""
    if fit.load is None:
        return fit.pain.draws(_DRAWS, seed) @ fit.pain.vector(effect=1), None
    load = fit.load.draws(_DRAWS, seed + 2) @ fit.load.vector(effect=1)
    if fit.joint is None:
        return fit.pain.draws(_DRAWS, seed) @ fit.pain.vector(effect=1), load
    beta = fit.joint.draws(_DRAWS, seed)
    return beta @ fit.joint.vector(effect=1) + (beta @ slope_after(fit.joint)) * load, load


def _sentence(
    fit: HeelFit, harm: Harm | None, probability: float, parts: tuple[float, float, float], flagged: bool
) -> str:
    _, load_rose, _ = parts
    change = fit.pain.mean(fit.pain.vector(effect=1))
    words = [f"{fit.who}: pain {'fell' if change < 0 else 'rose'} by {abs(change):.0f} of 100 points"]
    if isfinite(load_rose):
        words.append(
            f"while time in heels went from {fit.hours_before:.1f} to {fit.hours_after:.1f} h a day"
            + (f" (load {_percent(fit.load_after, fit.load_before)})" if fit.load_before > 0 else "")
        )
    else:
        words.append("and how the load changed is not known")
    text = " ".join(words) + "."
    if harm is not None and harm.terms:
        told = ", ".join(f"{term} ({count} ×)" if count > 1 else term for term, count in harm.terms)
        text += f" Recorded after the injection: {told}."
    if flagged:
        return f"{text} Feeling better may be hiding more load or harm (probability {probability:.0%})."
    return f"{text} The probability that the relief hides load or harm is {probability:.0%}."


def _percent(after: float, before: float) -> str:
    return f"{100 * (after / before - 1):+.0f} %"


def _event_days(events: pd.DataFrame | None, who: str) -> list[tuple[pd.Timestamp, str]]:
    if events is None or events.empty:
        return []
    rows = events[events["participant"].astype(str) == who]
    if "relatedness" in rows:
        rows = rows[~rows["relatedness"].fillna("").astype(str).str.strip().str.lower().isin(UNRELATED)]
    return list(zip(local_day(rows["date"]), rows["term"].astype(str), strict=True))


def _ulcer_days(diary: pd.DataFrame, who: str) -> list[tuple[pd.Timestamp, str]]:
    """The days on which the number of ulcers rose, once for each more."""
    if "ulcers_n" not in diary:
        return []
    rows = diary[(diary["participant"].astype(str) == who) & diary["ulcers_n"].notna()]
    daily = rows.groupby(local_day(rows["date"]))["ulcers_n"].max().astype(float)
    more = daily.diff().clip(lower=0).fillna(0).astype(int)
    return [(pd.Timestamp(str(day)), "new ulcer") for day, count in more.items() for _ in range(int(count))]
