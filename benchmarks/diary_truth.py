"""Diaries: do the intervals of one person's change hold the truth when days resemble each other?

Days are drawn here, without any of the package's code: a flare that fades over 3, 7 or 15 days, with half of the
variance of a day's log rate, score or pain, above a noise of each day. Five weeks before (``--days-before``), ten
weeks of effect, a tenth of the days missing. The truth is the change of the long-run mean (of the rate, for attacks;
P(worse) − P(better), for colours), from a million days without flares' memory, which have the same distribution.

Each cell: how many hold the truth, the median half width, and the estimates' standard deviation about the truth.

    python benchmarks/diary_truth.py --people 300
"""

from __future__ import annotations

import argparse
from math import log

import numpy as np
from numpy.typing import NDArray

from rewarm.effects.diary_days import DaySeries, Window
from rewarm.effects.diary_fit import Adjustments, person_change
from rewarm.effects.outcomes import DIARY_OUTCOMES
from rewarm.effects.serial import Memory

Floats = NDArray[np.float64]

OUTCOMES = ("attacks_n", "rcs", "pain_vas", "colour_change")
TAUS = (3.0, 7.0, 15.0)
MEMORIES: dict[str, Memory | None] = {
    "days independent": Memory((), ()),
    "as used": None,
    "known": None,
}
"""``as used`` is what the package takes where nothing is said, ``known`` the memory that the flares really have."""
DAYS_BEFORE, LAST_DAY = 35, 84


def written(outcome: str, latent: Floats, treated: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """What is written on days of a latent state of SD 1: half flare, half the day's own."""
    if outcome == "attacks_n":
        rate = 3.0 * np.exp(0.5 * latent) * np.where(treated, 0.6, 1.0)
        return rng.poisson(rate * rng.gamma(2.0, 0.5, latent.shape)).astype(float)
    if outcome == "rcs":
        return np.clip(np.rint(5.5 + 1.5 * latent - 1.5 * treated), 0, 10)
    if outcome == "pain_vas":
        return np.clip(np.rint(35 + 14 * latent - 12 * treated), 0, 100)
    return np.clip(np.rint(1.6 + 0.9 * latent - 0.6 * treated), 0, 3)


def true_change(outcome: str) -> float:
    """The change that the estimate is about."""
    if outcome == "attacks_n":
        return log(0.6)
    rng = np.random.default_rng(0)
    before, after = (written(outcome, rng.normal(size=10**6), np.full(10**6, on), rng) for on in (False, True))
    if outcome != "colour_change":
        return float(after.mean() - before.mean())
    shares = [np.bincount(days.astype(int), minlength=4) / days.size for days in (before, after)]
    below = np.cumsum(shares[0]) - shares[0]
    above = 1 - np.cumsum(shares[0])
    return float(shares[1] @ (below - above))


def person(outcome: str, tau: float, rng: np.random.Generator, days_before: int = DAYS_BEFORE) -> DaySeries:
    """One person's days."""
    day = np.arange(-days_before, LAST_DAY + 1).astype(float)
    gap = np.abs(day[:, None] - day)
    latent = np.linalg.cholesky(0.5 * np.exp(-gap / tau) + 0.5 * np.eye(day.size)) @ rng.normal(size=day.size)
    value = written(outcome, latent, day >= 0, rng)
    kept = rng.random(day.size) > 0.1
    day, value = day[kept], value[kept]
    return DaySeries("P1", outcome, day, value, np.full(day.size, np.nan), day - day[0])


def main() -> None:
    """Draw, analyse, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--outcomes", nargs="*", default=list(OUTCOMES), choices=OUTCOMES)
    parser.add_argument("--flares", nargs="*", type=float, default=list(TAUS), help="how long they last, in days")
    parser.add_argument("--days-before", type=int, default=DAYS_BEFORE)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    print("| outcome | flares of | " + " | ".join(MEMORIES) + " |")
    print("|---|---|" + "---|" * len(MEMORIES))
    for outcome in options.outcomes:
        truth = true_change(outcome)
        for tau in options.flares:
            hits = dict.fromkeys(MEMORIES, 0)
            halves: dict[str, list[float]] = {name: [] for name in MEMORIES}
            errors: dict[str, list[float]] = {name: [] for name in MEMORIES}
            memories = {**MEMORIES, "known": Memory((tau,), (0.5,), independent=0.0)}
            for _ in range(options.people):
                series = person(outcome, tau, rng, options.days_before)
                for name, memory in memories.items():
                    if name == "known" and outcome == "attacks_n":
                        continue  # the chance of each day's count is noise besides, of no fixed share
                    found = person_change(
                        series,
                        DIARY_OUTCOMES[outcome],
                        window=Window(),
                        level=0.90,
                        adjust=Adjustments(),
                        memory=memory,
                    )
                    assert found is not None
                    estimate, lower, upper = found.estimate, found.lower, found.upper
                    if found.ratio is not None:
                        estimate, lower, upper = (float(np.log(ratio)) for ratio in found.ratio)
                    hits[name] += lower <= truth <= upper
                    halves[name].append((upper - lower) / 2)
                    errors[name].append(estimate - truth)
            cells = [
                f"{hits[name] / options.people:.0%}, ± {np.median(halves[name]):.2g}, off by {np.std(errors[name]):.2g}"
                if errors[name]
                else "–"
                for name in MEMORIES
            ]
            print(f"| {outcome} | {tau:.0f} days | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
