"""How soon and how long: days on which an effect is at least the important difference, censored by the last visit."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np

from rewarm.effects.draws import Draws, Floats

_LEAST_PROBABILITY = 0.5


@dataclass(frozen=True, eq=False)
class Duration:
    """Of one person, or of the mean over the treated people. Each array has one value a draw, in days.

    ``onset`` is the first day on which the effect is at least ``important`` (NaN in draws in which it never is);
    ``days`` how long it stays so from then on (0 in these draws), at most until ``last_day``; ``censored`` tells which
    draws were still there on the last day, so that "at least" is all that can be said of them.
    """

    who: str
    important: float
    last_day: float
    onset: Floats
    days: Floats
    censored: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

    @property
    def reached(self) -> float:
        """Probability that the effect ever was that large."""
        return float(np.isfinite(self.onset).mean())

    @property
    def at_least(self) -> bool:
        """Whether the middle of the distribution lies beyond the last visit."""
        return self.reached >= _LEAST_PROBABILITY and float(self.censored.mean()) >= 0.5


def durations(draws: Draws, important: float, *, better: int = 1) -> tuple[Duration, ...]:
    """The duration of the mean effect (who: ``group``) and of each treated person's.

    ``important`` is the size that matters, positive, in the unit of the draws; ``better`` is −1 where less is better.
    The group is followed until the median of its people's last visits.
    """
    found = [_duration("group", draws, None, important, better, float(np.median(draws.last_day)))]
    found += [
        _duration(who, draws, i, important, better, float(draws.last_day[i])) for i, who in enumerate(draws.people)
    ]
    return tuple(found)


def _duration(who: str, draws: Draws, index: int | None, important: float, better: int, last_day: float) -> Duration:
    days = np.arange(0.0, np.floor(last_day) + 1.0)
    effect = draws.mean_effect(days) if index is None else draws.person_effect(days, index)
    above = better * effect >= important
    ever = above.any(axis=1)
    first = days[np.argmax(above, axis=1)]
    last = days[len(days) - 1 - np.argmax(above[:, ::-1], axis=1)]
    return Duration(
        who=who,
        important=important,
        last_day=last_day,
        onset=np.where(ever, first, nan),
        days=np.where(ever, last - first, 0.0),
        censored=ever & above[:, -1],
    )


def onset_interval(duration: Duration, level: float) -> tuple[float, float, float]:
    """Median, lower and upper day of onset among the draws that have one; NaN where most have none."""
    if duration.reached < _LEAST_PROBABILITY:
        return nan, nan, nan
    lower, middle, upper = np.nanquantile(duration.onset, [(1 - level) / 2, 0.5, (1 + level) / 2])
    return float(middle), float(lower), float(upper)


def duration_interval(duration: Duration, level: float) -> tuple[float, float, float]:
    """Median, lower and upper duration; ``upper`` is NaN where it lies beyond the last visit.

    A median beyond the last visit is given as what was seen of it: read it as "at least".
    """
    lower, middle, upper = np.quantile(duration.days, [(1 - level) / 2, 0.5, (1 + level) / 2])
    beyond = float(duration.censored.mean()) > (1 - level) / 2
    return float(middle), float(lower), nan if beyond else float(upper)


def duration_words(duration: Duration) -> str:
    """One plain phrase: "at least 5 months", "about 3 months", "never as large as that"."""
    if duration.reached < _LEAST_PROBABILITY:
        return "never as large as that, as far as can be told"
    middle = float(np.median(duration.days))
    return f"{'at least' if duration.at_least else 'about'} {span_words(middle)}"


def span_words(days: float) -> str:
    """``3 days``, ``5 weeks``, ``4 months``: whichever a person would say."""
    if days < 21:
        count, noun = max(round(days), 1), "day"
    elif days < 75:
        count, noun = round(days / 7), "week"
    else:
        count, noun = round(days / 30.44), "month"
    return f"{count} {noun}{'' if count == 1 else 's'}"
