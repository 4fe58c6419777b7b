"""Draws from the posterior of the effects model: what both estimators give, and what everything else is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rewarm.effects.model import ModelData, course

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Draws:
    """R draws, in the outcome's own unit (logarithms where it is analysed so).

    ``person`` (R, people) holds the full effect of each treated person (mean over the treated digits), in the order of
    ``people``; ``mean`` (R,) its mean over these people, ``population`` (R,) that of people like them. ``onset``,
    ``duration`` (R, people), ``shape``, ``tail`` and ``rise`` are the course's parameters, times in days. ``others``
    holds further parameters by name. The draws of ``chains`` chains follow each other. ``trouble`` says in a sentence
    what was wrong with the sampling, or "".
    """

    people: tuple[str, ...]
    last_day: Floats
    person: Floats
    population: Floats
    onset: Floats
    duration: Floats
    shape: Floats
    tail: Floats
    rise: Floats
    others: Mapping[str, Floats]
    diagnostics: Mapping[str, float]
    method: str
    trouble: str = ""
    chains: int = 1

    @property
    def mean(self) -> Floats:
        """Mean full effect over the people who were treated, (R,)."""
        return np.asarray(self.person.mean(axis=1))

    def person_effect(self, days: Floats, index: int) -> Floats:
        """Effect of one treated person on each day: (R, days)."""
        onset, shape, tail, rise = (values[:, None] for values in (self.onset, self.shape, self.tail, self.rise))
        share = course(days[None, :], onset, self.duration[:, [index]], shape, tail, rise)
        return np.asarray(self.person[:, [index]] * share)

    def mean_effect(self, days: Floats) -> Floats:
        """Effect on each day, mean over the treated people: (R, days)."""
        total = np.zeros((len(self.onset), len(days)))
        for index in range(len(self.people)):
            total += self.person_effect(days, index)
        return np.asarray(total / len(self.people))


def interval(values: Floats, level: float) -> tuple[float, float, float]:
    """Median and the equal-tailed interval that holds ``level`` of the draws."""
    lower, middle, upper = np.quantile(values, [(1 - level) / 2, 0.5, (1 + level) / 2])
    return float(middle), float(lower), float(upper)


def treated_names(data: ModelData) -> tuple[str, ...]:
    """Participants with a treated digit, in the model's order."""
    return tuple(data.people[i] for i in data.treated_people)
