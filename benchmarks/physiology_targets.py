"""What is published about toes and fingers in the cold beside what the twin does: the table in docs/physiology.md.

Every row simulates people of the published kind under the published protocol, with the twin's committed parameters, and
says whether the simulated mean lies within one published SD (courses), or the simulated figure within the published 95
% interval (correlations, shares and reliabilities; where the paper gives none, the interval of its number of people).

A second table holds the spread between simulated people against the published one.

Run: python benchmarks/physiology_targets.py [--people 160] [--seed 7] [-o docs/physiology-table.md]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, chi2

from rewarm.heat import lumped_digit
from rewarm.twin.groups import People, draw_people
from rewarm.twin.vessels import Block, Challenge, DigitCourses, simulate_digits

Floats = NDArray[np.float64]

NORRBRAND = Challenge(water_c=8.0, immersion_s=1800.0, bagged=False, follow_s=900.0, frame_s=20.0)
EGLIN = Challenge(water_c=15.0, immersion_s=120.0, settling_s=4800.0, follow_s=600.0, frame_s=20.0)
WILKINSON = Challenge(water_c=15.0, immersion_s=60.0, follow_s=900.0, frame_s=10.0)
REST = Challenge(immersion_s=0.0, baseline_s=0.0, follow_s=60.0, frame_s=10.0)


@dataclass(frozen=True)
class Spread:
    """SD between people: published, of how many people, simulated; the 95 % interval of the published one."""

    published: float
    people: int
    simulated: float

    @property
    def limits(self) -> tuple[float, float]:
        freedom = self.people - 1
        low, high = (self.published * np.sqrt(freedom / chi2.ppf(p, freedom)) for p in (0.975, 0.025))
        return float(low), float(high)

    @property
    def holds(self) -> bool:
        return bool(self.limits[0] <= self.simulated <= self.limits[1])


@dataclass(frozen=True)
class Row:
    """One line: what, published (text), simulated (text), the range it must lie in (text), and whether it does."""

    source: str
    what: str
    published: str
    simulated: str
    allowed: str
    holds: bool
    spread: Spread | None = None


def within(source: str, what: str, published: str, value: float, low: float, high: float, *, spread: str = "") -> Row:
    digits = 1 if abs(high) >= 5 else 2
    return Row(
        source, what, published, f"{value:.{digits}f}{spread}", f"{low:.{digits}f} to {high:.{digits}f}",
        bool(low <= value <= high),
    )  # fmt: skip


def course(source: str, what: str, mean: float, sd: float, people: Floats, *, of: int | None = None) -> Row:
    """The simulated mean within one published SD; ``of`` so many people, where the spread is held against theirs."""
    found = float(people.std(ddof=1))
    row = within(
        source, what, f"{mean:.1f} ± {sd:.1f}", float(people.mean()), mean - sd, mean + sd, spread=f" ± {found:.1f}"
    )
    return row if of is None else replace(row, spread=Spread(sd, of, found))


def at(courses: DigitCourses, time_s: float) -> int:
    return int(np.argmin(np.abs(courses.time_s - time_s)))


def norrbrand(people: int, seed: int, step_s: float = 2.0) -> list[Row]:
    """Healthy right foot and right hand, not at once, 30 min in water of 8 °C, in air of 25 °C."""
    source = "Norrbrand 2017, healthy, 8 °C × 30 min"
    drawn = draw_people(np.random.default_rng(seed), "healthy", people)
    rows, peaks = [], []
    published = {"toes": ((27.8, 3.0), (8.8, 0.7), (22.5, 5.1)), "fingers": ((33.9, 2.5), (9.7, 1.4), (32.7, 3.6))}
    for (name, figures), vessels in zip(published.items(), (drawn.feet, drawn.hands), strict=True):
        courses = simulate_digits(np.random.default_rng(seed + 1), vessels, NORRBRAND, room_c=25.0, step_s=step_s)
        mean = courses.skin_c[:, :, 0, 1].mean(axis=-1)
        peak = mean[courses.time_s >= 0].max(axis=0)
        peaks.append(peak)
        values = (mean[0], mean[at(courses, 0)], peak)
        for when, (centre, sd), value in zip(("before", "in the water", "peak after"), figures, values, strict=True):
            rows.append(course(source, f"{name} {when}, °C", centre, sd, value, of=70))
    rows.append(
        within(source, "toe–finger correlation of the peaks", "0.26", float(np.corrcoef(*peaks)[0, 1]), *of_r(0.26, 70))
    )
    return rows


def of_r(r: float, people: int) -> tuple[float, float]:
    """95 % interval of a correlation (Fisher's z)."""
    half = 1.96 / np.sqrt(people - 3)
    return float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half))


def of_share(share: float, people: int) -> tuple[float, float]:
    """95 % interval of a share (Clopper–Pearson), percent."""
    count = share / 100 * people
    return float(100 * beta.ppf(0.025, count, people - count + 1)), float(
        100 * beta.ppf(0.975, count + 1, people - count)
    )


def eglin(people: int, seed: int, step_s: float = 2.0) -> list[Row]:
    """Great toe, bagged, 2 min in water of 15 °C, in air of 31 °C; the published people had a cold injury."""
    rows = []
    for group in ("healthy", "primary_raynaud"):
        feet = draw_people(np.random.default_rng(seed), group, people).feet
        courses = simulate_digits(np.random.default_rng(seed + 1), feet, EGLIN, room_c=31.0, step_s=step_s)
        toe = courses.skin_c[:, :, 0, 1, 0]
        source = f"Eglin 2013, cold injury, 15 °C × 2 min, beside {group.replace('_', ' ')}"
        values = (toe[0], toe[at(courses, 300)], toe[at(courses, 600)])
        for (mean, sd, when), value in zip(
            ((32.5, 3.4, "before"), (29.8, 3.4, "after 5 min"), (32.0, 4.0, "after 10 min")), values, strict=True
        ):
            rows.append(course(source, f"great toe {when}, °C", mean, sd, value))
    return rows


def mariotti(people: int, seed: int, step_s: float = 2.0) -> list[Row]:
    """Fingers after a bagged challenge: the order of healthy, systemic sclerosis, primary Raynaud's."""
    source = "Mariotti 2009, fingers, order of groups"
    gained, active, wait, gain, delay = {}, {}, {}, {}, {}
    for group in ("healthy", "systemic_sclerosis", "primary_raynaud"):
        hands = draw_people(np.random.default_rng(seed), group, people).hands
        courses = simulate_digits(np.random.default_rng(seed + 1), hands, WILKINSON, room_c=23.0, step_s=step_s)
        first, ten = at(courses, 0), at(courses, 600)
        start, end, before = (courses.skin_c[i].mean(axis=(-1, -2)) for i in (first, ten, 0))
        gained[group] = float(np.mean((end - start) / (before - start)))
        opened = courses.flow_ml_100ml_min[first:].mean(axis=(-1, -2))[..., 0]
        active[group] = float(np.mean(opened.max(axis=0)))
        responds = opened.max(axis=0) > 2 * opened.min(axis=0)
        lowest = np.argmin(opened, axis=0)
        later = np.arange(len(opened))[:, None] >= lowest
        doubled = np.argmax(later & (opened > 2 * opened.min(axis=0)), axis=0)
        wait[group] = float(np.median(courses.time_s[first:][doubled[responds]]))
        gain[group] = float(np.median(hands.gain_per_c))
        delay[group] = float(np.median(hands.delay_s))
    h, s, p = "healthy", "systemic_sclerosis", "primary_raynaud"

    def order(what: str, published: str, figures: dict[str, float], form: str, holds: bool) -> Row:
        return Row(source, what, published, ", ".join(f"{figures[g]:{form}}" for g in (h, s, p)), "this order", holds)

    return [
        order("gain of the loop per °C (healthy, SSc, primary)", "highest in healthy", gain, ".3f",
              gain[h] > gain[s] > gain[p]),
        order("share of the fall regained in 10 min (healthy, SSc, primary)", "fastest in healthy, slowest in primary",
              gained, ".2f", gained[h] > gained[s] > gained[p]),
        order("highest flow after cold, mL/100 mL/min", "primary mostly passive", active, ".1f",
              active[h] > active[s] > active[p]),
        order("delay of the loop, s (healthy, SSc, primary)", "longest in SSc", delay, ".0f",
              delay[s] > delay[h] and delay[s] > delay[p]),
        order("time until the flow has doubled where it does, s", "later in SSc than in healthy", wait, ".0f",
              wait[s] > wait[h]),
    ]  # fmt: skip


def great_toe_difference(people: People, seed: int, step_s: float) -> tuple[Floats, Floats]:
    """Great toe − dorsum and lesser toes − dorsum at rest in 23 °C, mean of both feet, °C, (people,)."""
    courses = simulate_digits(np.random.default_rng(seed), people.feet, REST, room_c=23.0, step_s=step_s)
    difference = (courses.skin_c - courses.dorsum_c[..., None]).mean(axis=0)[:, 0]
    return difference[:, :, 0].mean(axis=1), difference[:, :, 1:].mean(axis=(1, 2))


def differences(people: int, seed: int, step_s: float = 2.0) -> list[Row]:
    """Distal–dorsal differences of toes: two papers whose first author is called Lim."""
    drawn = {
        g: draw_people(np.random.default_rng(seed + i), g, people)
        for i, g in enumerate(("healthy", "systemic_sclerosis", "primary_raynaud"))
    }
    toes = {g: great_toe_difference(p, seed + 5, step_s) for g, p in drawn.items()}
    source = "Lim R. 2024 (PMID 38855628), 40 SSc, 20 healthy"
    # P = 0.37 for 0.51 °C between groups of 40 and 20: a common SD of 2.07 °C
    sclerosis, healthy, primary = (
        toes["systemic_sclerosis"][0],
        toes["healthy"][0],
        toes["primary_raynaud"][0],
    )
    spreads = [Spread(2.07, n, float(values.std(ddof=1))) for values, n in ((healthy, 20), (sclerosis, 40))]
    rows = [
        replace(within(source, "great toe − dorsum, healthy, °C", "−2.39", float(healthy.mean()), -2.39 - 0.91,
                       -2.39 + 0.91, spread=f" ± {healthy.std(ddof=1):.1f}"), spread=spreads[0]),
        replace(within(source, "great toe − dorsum, SSc, °C", "−2.90", float(sclerosis.mean()), -2.90 - 0.64,
                       -2.90 + 0.64, spread=f" ± {sclerosis.std(ddof=1):.1f}"), spread=spreads[1]),
        within(source, "lesser toes − dorsum, SSc, °C", "−2.61", float(toes["systemic_sclerosis"][1].mean()),
               -2.61 - 0.64, -2.61 + 0.64),
    ]  # fmt: skip
    source = "Lim M.J. 2014 (PMC3991792), cut-off 3.11 °C at the great toe"
    patients = np.concatenate([np.resize(primary, 33 * people), np.resize(sclerosis, 24 * people)])
    rows.append(
        within(source, "sensitivity (33 primary, 24 secondary), %", "73", float(100 * np.mean(patients < -3.11)),
               *of_share(73, 57))
    )  # fmt: skip
    rows.append(
        within(source, "specificity (146 healthy), %", "66", float(100 * np.mean(healthy >= -3.11)), *of_share(66, 146))
    )
    return rows


def reliability(people: int, seed: int, step_s: float = 2.0) -> list[Row]:
    """Two days, both hands without thumbs, averaged over eight fingers."""
    source = "Wilkinson 2018, SSc, 15 °C × 60 s, two days"
    hands = draw_people(np.random.default_rng(seed), "systemic_sclerosis", 3 * people, visits=2).hands
    courses = simulate_digits(np.random.default_rng(seed + 1), hands, WILKINSON, room_c=23.0, step_s=step_s)
    # each day's camera reads the whole picture a little high or low
    offset = np.random.default_rng(seed + 2).normal(0, 0.3, courses.drive.shape[1:])
    fingers = courses.skin_c[..., 1:].mean(axis=(-1, -2))
    seen = fingers + offset
    after = courses.time_s >= 0
    rise = seen[at(courses, 120)] - seen[at(courses, 0)]
    measures = {
        "DDD": ((0.58, 0.43, 0.71), fingers[0] - courses.dorsum_c[0].mean(axis=-1)),
        "log AUC": ((0.68, 0.58, 0.80), np.log(np.trapezoid(seen[after], courses.time_s[after], axis=0))),
        "log MAX": ((0.72, 0.64, 0.81), np.log(seen[after].max(axis=0))),
        "2-min gradient": ((0.56, 0.40, 0.74), rise / 2),
    }
    return [
        within(source, f"ICC of {name}", f"{icc:.2f} ({low:.2f}–{high:.2f})", one_way(values), low, high)
        for name, ((icc, low, high), values) in measures.items()
    ]


def one_way(values: Floats) -> float:
    """Intraclass correlation of one measurement, one-way random effects (Shrout & Fleiss 1979), (people, visits)."""
    visits = values.shape[1]
    between = visits * values.mean(axis=1).var(ddof=1)
    inside = values.var(axis=1, ddof=1).mean()
    return float((between - inside) / (between + (visits - 1) * inside))


def others(people: int, seed: int, step_s: float = 2.0) -> list[Row]:
    """Hands at rest in primary Raynaud's, a passive toe, and what lost sweating does."""
    source = "PMC5020104, primary Raynaud's (n = 85), 23 °C"
    hands = draw_people(np.random.default_rng(seed), "primary_raynaud", people).hands
    rest = simulate_digits(np.random.default_rng(seed + 1), hands, REST, room_c=23.0, step_s=step_s)
    digits, dorsum = rest.skin_c[0, ..., 1:].mean(axis=(1, 2, 3)), rest.dorsum_c[0].mean(axis=(1, 2))
    feet = draw_people(np.random.default_rng(seed), "healthy", people).feet

    def toes(block: Block) -> float:
        return float(
            simulate_digits(
                np.random.default_rng(seed), feet, REST, room_c=27.0, step_s=step_s, block=block
            ).skin_c.mean()
        )

    zero, one = np.zeros(()), np.ones(())
    dry = toes(Block(zero, zero, one)) - toes(Block(zero, zero, zero))
    return [
        within(source, "fingers, °C", "29.0", float(digits.mean()), 28.0, 30.0, spread=f" ± {digits.std(ddof=1):.1f}"),
        within(source, "dorsum of the hand, °C", "30.2", float(dorsum.mean()), 29.2, 31.2),
        within(source, "difference, °C", "−0.9", float((digits - dorsum).mean()), -1.9, 0.1),
        within("derived", "time constant of a 2 cm toe without flow, min", "30",
               lumped_digit(10.0, heat_j_m3k=3.6e6).time_constant_s(10.0) / 60, 29.0, 31.0),
        within("diabetic feet that do not sweat (32.1 beside 30.6 °C)", "warming by lost sweat alone, 27 °C, °C", "1.5",
               dry, 0.5, 1.5),
    ]  # fmt: skip


PARTS: tuple[Callable[[int, int, float], list[Row]], ...] = (
    norrbrand,
    eglin,
    mariotti,
    differences,
    reliability,
    others,
)


def table(
    people: int, seed: int, parts: tuple[Callable[[int, int, float], list[Row]], ...], step_s: float
) -> list[Row]:
    rows = []
    for part in parts:
        rows += part(people, seed, step_s)
        missed = [f"{row.what}: {row.simulated}, must lie in {row.allowed}" for row in rows if not row.holds]
        print(f"{part.__name__} done; outside: {missed or 'none'}", flush=True)
    return rows


def as_markdown(rows: list[Row]) -> str:
    lines = ["| source | quantity | published | simulated | must lie in | holds |", "|---|---|---|---|---|---|"]
    for r in rows:
        cells = [r.source, r.what, r.published, r.simulated, r.allowed, "yes" if r.holds else "**no**"]
        lines.append("| " + " | ".join(c.replace("-", "−") if c[:1] == "-" else c for c in cells) + " |")
    return "\n".join(lines) + "\n"


def spreads_as_markdown(rows: list[Row]) -> str:
    """Spread between people beside the published one."""
    lines = ["| source | quantity | published SD | simulated SD | 95 % interval of the published | holds |",
             "|---|---|---:|---:|---:|---|"]  # fmt: skip
    for row, given in [(row, row.spread) for row in rows if row.spread]:
        low, high = given.limits
        lines.append(
            f"| {row.source} | {row.what} | {given.published:.1f} | {given.simulated:.1f} | {low:.1f} to {high:.1f} | "
            f"{'yes' if given.holds else '**no**'} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=160)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--only", choices=[part.__name__ for part in PARTS])
    parser.add_argument("--step", type=float, default=2.0, help="seconds; 5 is a quick look")
    given = parser.parse_args()
    parts = tuple(part for part in PARTS if given.only in (None, part.__name__))
    rows = table(given.people, given.seed, parts, given.step)
    text = as_markdown(rows) + "\n" + spreads_as_markdown(rows)
    spreads = [row.spread for row in rows if row.spread]
    print(text)
    print(
        f"{sum(r.holds for r in rows)} of {len(rows)} hold; {sum(s.holds for s in spreads)} of {len(spreads)} spreads"
    )
    if given.output:
        given.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
