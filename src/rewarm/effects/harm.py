"""Harm that a diary and a table of events can show: events, new ulcers, weakness, numbness and tingling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.effects.alike import people_alike
from rewarm.effects.diary_days import local_day
from rewarm.effects.diary_fit import LEAST_DAYS

UNRELATED: Final = ("unrelated", "not related", "not_related", "none", "no")
SYMPTOMS: Final = ("numbness", "tingling")
ABSENT: Final = ("no", "none", "never", "not at all", "false", "0", "0.0", "nein", "keine", "non", "aucun")
"""Words in these columns that say that there was none; any other word says that there was some."""
SYMPTOMS_ROSE: Final = 0.10
"""A rise of the share of days with numbness or tingling counts from here."""
_MEAN_RISE_SD: Final = 0.2
_RISE_SPREADS: Final = (0.1, 0.2, 0.3)
_SHARES_HARMED: Final = (0.1, 0.3, 0.5, 0.7, 0.9)
"""What is taken beforehand of rises of that share: SD of their mean, how people may differ, how many have any."""


@dataclass(frozen=True)
class Harm:
    """Recorded adverse events of one person, before the injection and from it on, over so many days of observation.

    ``terms`` names those from the injection on, with how often. ``symptoms_before`` and ``symptoms_after`` are the
    shares of the days on which numbness or tingling was written, NaN where neither column was filled in;
    ``symptoms_rise`` and ``symptoms_rise_sd`` the difference and its standard error.
    """

    who: str
    before: int
    after: int
    days_before: float
    days_after: float
    terms: tuple[tuple[str, int], ...] = ()
    symptoms_before: float = float("nan")
    symptoms_after: float = float("nan")
    symptoms_rise: float = float("nan")
    symptoms_rise_sd: float = float("nan")


def harms(events: pd.DataFrame | None, diary: pd.DataFrame, start_of: dict[str, pd.Timestamp]) -> dict[str, Harm]:
    """Who → recorded events, new ulcers, and days of numbness or tingling; events that are said to be unrelated are
    left out.

    The time observed runs from the first diary day to the last, of each person.
    """
    days = local_day(diary["date"]).groupby(diary["participant"].astype(str))
    felt = _symptom_days(diary)
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
            *_symptoms(felt.get(who), start),
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


def probabilities_symptoms_rose(harm_of: Mapping[str, Harm]) -> dict[str, float]:
    """Who → probability that the share of days with numbness or tingling rose by :data:`SYMPTOMS_ROSE` or more; 0 where
    neither was written.

    What wears one person's forefoot down is likely to wear the others' down, so people inform each other
    (:mod:`rewarm.effects.alike`). Of one person alone, half of the probability beforehand is that nothing changed, the
    other half a change of 0 ± 0.3.
    """
    known = {
        who: harm
        for who, harm in harm_of.items()
        if isfinite(harm.symptoms_rise) and isfinite(harm.symptoms_rise_sd) and harm.symptoms_rise_sd > 0
    }
    found = dict.fromkeys(harm_of, 0.0)
    if not known:
        return found
    everybody = people_alike(
        [harm.symptoms_rise for harm in known.values()],
        [harm.symptoms_rise_sd for harm in known.values()],
        mean_sd=_MEAN_RISE_SD,
        spreads=_RISE_SPREADS,
        shares_changed=_SHARES_HARMED,
    )
    for number, (who, harm) in enumerate(known.items()):
        found[who] = everybody.above(number, SYMPTOMS_ROSE) if harm.symptoms_rise > 0 else 0.0
    return found


def probability_of_harm(harm: Harm, symptoms_rose: float) -> float:
    """Probability that harm rose: events came more often, or (``symptoms_rose``, of
    :func:`probabilities_symptoms_rose`) numbness and tingling on more days.
    """
    return 1.0 - (1.0 - probability_harm_rose(harm)) * (1.0 - symptoms_rose)


def harm_words(harm: Harm) -> str:
    """What was recorded, in plain words; empty where nothing was."""
    text = ""
    if harm.terms:
        told = ", ".join(f"{term} ({count} ×)" if count > 1 else term for term, count in harm.terms)
        text += f" Recorded after the injection: {told}."
    if any("weak" in term.lower() for term, _ in harm.terms):
        text += " Weakness is the toxin's own doing: a weak forefoot bears less, and hurting less is then not healing."
    if isfinite(harm.symptoms_after):
        text += (
            f" Numbness or tingling was written on {harm.symptoms_after:.0%} of the days from the injection on, and on "
            f"{harm.symptoms_before:.0%} of those before."
        )
    return text


def _symptom_days(diary: pd.DataFrame) -> dict[str, pd.Series]:
    """Who → 1 or 0 by calendar day: numbness or tingling was written, or written as absent; other days are missing."""
    columns = [name for name in SYMPTOMS if name in diary]
    if not columns:
        return {}
    cells = diary[columns].astype(object).where(diary[columns].notna(), "").astype(str)
    words = cells.apply(lambda column: column.str.strip().str.lower())
    written = words.ne("").any(axis=1)
    felt = (words.ne("") & ~words.isin(ABSENT)).any(axis=1).astype(float)[written]
    who = diary["participant"].astype(str)[written]
    daily = felt.groupby([who, local_day(diary["date"])[written]]).max()
    return {str(one): rows.droplevel(0) for one, rows in daily.groupby(level=0)}


def _symptoms(daily: pd.Series | None, start: pd.Timestamp) -> tuple[float, float, float, float]:
    """(share before, share after, rise, its standard error); NaN where too few days were written."""
    nan = float("nan")
    if daily is None:
        return nan, nan, nan, nan
    day = np.asarray((pd.DatetimeIndex(daily.index) - start) / pd.Timedelta(days=1), dtype=np.float64)
    value, after = daily.to_numpy(dtype=np.float64), day >= 0
    if min(int(after.sum()), int((~after).sum())) < LEAST_DAYS:
        return nan, nan, nan, nan
    # As with pain, these days count as they were: a flare of numbness was felt. What is left open is each day's chance.
    before, since = float(value[~after].mean()), float(value[after].mean())
    return before, since, since - before, float(np.sqrt(_share_variance(value[after]) + _share_variance(value[~after])))


def _share_variance(value: NDArray[np.float64]) -> float:
    """Variance of a share of days; with half a day more of each kind, so that none or all is not known for sure."""
    share = (value.sum() + 0.5) / (value.size + 1.0)
    return float(share * (1 - share) / (value.size + 1.0))


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
