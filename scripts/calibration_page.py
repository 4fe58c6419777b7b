"""Write docs/calibration.md and its figures from docs/calibration/*.csv, so that the page cannot say anything else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.stats import binom

from rewarm.effects.rows import CALLED

ROOT: Final = Path(__file__).parents[1]
TABLES: Final = ROOT / "docs" / "calibration"
IMAGES: Final = ROOT / "docs" / "images"
PAGE: Final = ROOT / "docs" / "calibration.md"
WANTED: Final = (0.87, 0.93)
MOST_CALLED: Final = 0.05
ENOUGH: Final = 200

INK, FAINT, GOOD, OFF = "#1b2a41", "#c9d3df", "#2a6f97", "#c8553d"

DESIGNS: Final = {
    "before_after": "before–after, 3 people, one baseline",
    "repeated_baseline": "before–after, 3 people, three baselines",
    "split_limb": "one foot untreated, 6 people",
    "parallel": "10 people beside 10 with placebo",
    "n_of_1": "one person, six baselines",
}
QUANTITIES: Final = {
    "covered": "effect, mean of the treated",
    "people_covered": "effect, each person's own",
    "duration_covered": "duration, of the mean effect",
    "people_duration_covered": "duration, each person's own",
}
RANKED: Final = {
    "effect": "effect, mean",
    "person": "effect, one person",
    "duration": "duration D, one person",
    "onset": "onset τ",
}
TRUTHS: Final = {
    "weather only": "nothing; it gets warmer outdoors",
    "regression to the mean only": "nothing; enrolled on a bad day",
    "the same": "nothing; enrolled on a bad day",
    "placebo only": "nothing; calmer toes are 0.8 °C warmer",
    "camera": "nothing; the camera reads 1.2 °C more",
    "toxin in one foot": "2 °C in the treated foot",
    "a real": "3 °C for 150 days",
}

HEAD: Final = """\
# Is it calibrated? Simulated studies whose truth is known

Numbers with intervals are worth something only if the intervals hold the truth as often as they say. So studies were
simulated, handed to rewarm as if a clinic had sent them, and what it said was held against what was put in. Every study
is a row of the tables in [docs/calibration](calibration); this page and its figures are made from them by
`scripts/calibration_page.py`.

Two generators make the studies. One (`scripts/effect_studies.py`) was written apart from the estimator: the effect
rises and falls by logistic curves, days are skewed, weather acts by a curve that flattens, and every person has an
effect, an onset and a duration of their own. The other is rewarm's own twin, with the ready plans of
`examples/plans`. The fast estimator reads them (`rewarm effect --fast`); what is estimated is the effect on day 42, and
for how many days it is at least 1 °C.
"""


def main() -> None:
    """Page and figures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    coverage_figure().savefig(IMAGES / "calibration_coverage.png", dpi=110, metadata={"Software": None})
    ranks_figure().savefig(IMAGES / "calibration_ranks.png", dpi=110, metadata={"Software": None})
    PAGE.write_text(page(), encoding="utf-8", newline="\n")


def page() -> str:
    """The page's text."""
    designs, traps, ranks = (table(name) for name in ("designs", "traps", "ranks"))
    plans = table("plans") if (TABLES / "plans.csv").is_file() else designs.head(0)
    parts = [
        HEAD,
        "## In short\n\n" + _in_short(designs, traps, plans, ranks),
        "## Do 90 % intervals hold the truth?\n\n"
        "![Coverage of 90 % intervals by design: dots with 95 % intervals of the simulation, the wanted band of 87 to "
        "93 % shaded; beside them how often something is found where nothing is](images/calibration_coverage.png)\n\n"
        f"{_designs_table(designs)}\n\n{READING}",
        f"## The traps\n\n{_traps_table(traps)}\n\n{TRAPS_READING}",
        f"## The ready plans\n\n{_plans_table(plans) + chr(10) * 2 + PLANS_READING if len(plans) else NO_PLANS}",
        "## Is the posterior that of the model?\n\n"
        "![Histograms of the rank of the truth among the posterior's draws, by design and quantity, with the band in "
        f"which 95 % of bars of an even histogram lie](images/calibration_ranks.png)\n\n{RANKS_READING}\n\n"
        f"{_ranks_table(ranks)}",
        f"## What remains off, and why\n\n{_remains(designs, traps, plans)}",
        f"## Again\n\n{_commands(designs, traps, plans, ranks)}",
    ]
    text = "\n\n".join(part.strip() for part in parts) + "\n"
    return re.sub(r"(?<=[ (])-(?=\d+\.\d)", "−", text)


def table(name: str) -> pd.DataFrame:
    """One of the summaries."""
    return pd.read_csv(TABLES / f"{name}.csv")


def _in_short(designs: pd.DataFrame, traps: pd.DataFrame, plans: pd.DataFrame, ranks: pd.DataFrame) -> str:
    real = designs[~designs["design"].str.endswith("_no_effect")]
    every = pd.concat([item for item in (designs, traps, plans) if len(item)])
    nothing = pd.concat([designs[designs["design"].str.endswith("_no_effect")], traps[traps["truth"] == 0]])
    controlled = nothing[nothing["controlled"] == 1]
    studies = int(every["studies"].sum() + ranks.groupby("design")["studies"].first().sum())
    failed = int(every["failed"].sum() + ranks.groupby("design")["failed"].first().sum())
    trouble = int(every["trouble"].sum() + ranks.groupby("design")["trouble"].first().sum())
    long = traps[traps["design"].str.startswith("a real")]
    off = bool((long["duration_covered_high"] < WANTED[0]).any())
    precise = (
        f"- {'**Off**: w' if off else 'W'}here eight people make a 3 °C effect precise, intervals of its duration hold "
        f"the truth in {'only ' if off else ''}{_span(long['duration_covered'])} ([more](#what-remains-off-and-why))."
    )
    few = every[every["studies"] < ENOUGH]
    lines = [
        f"- {studies} studies. {failed} could not be analysed; of {trouble} the estimator said that its draws are not "
        "reliable. All count in the figures below.",
        f"- With an effect, 90 % intervals of the mean effect hold it in {_span(real['covered'])} of studies, by "
        f"design; of each person's own effect in {_span(real['people_covered'])}; of the duration in "
        f"{_span(real['duration_covered'])}. Wanted were 87 to 93 %.",
        f"- Without an effect but with a control, the 90 % interval lies over zero in {_span(controlled['over_zero'])} "
        f"of studies (5 % by chance), and an effect is called in {_span(controlled['called'])} (at most 5 % wanted; "
        f"words call one from a probability of {100 * CALLED:g} %). Without a control rewarm never calls anything an "
        "effect of the injections: it says by how much toes changed, what it could take out, and what may be in the "
        "rest.",
        f"- A paired t-test over toes, as usually done, calls an effect in {_span(nothing['t_test_called'])} of the "
        "studies without one.",
        precise,
    ]
    if len(few) or not len(plans):
        least = int(every["studies"].min())
        lines.append(
            f"- **Not at its end yet**: {ENOUGH} studies of each were wanted; here are {least} at least"
            f"{'' if len(plans) else ', and the ready plans are missing'}. The rows are kept: the commands below go on."
        )
    return "\n".join(lines)


def _designs_table(designs: pd.DataFrame) -> str:
    head = (
        "| design | studies | effect, °C: true / said | effect held | each person's | duration, days: true / said | "
        "duration held | each person's | over zero | called |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    rows = [
        f"| {_design_words(row.design)} | {row.studies} | {row.truth:.2f} / {row.estimate:.2f} | "
        f"{_share(row, 'covered')} | {_share(row, 'people_covered')} | {row.true_duration:.0f} / {row.duration:.0f} | "
        f"{_share(row, 'duration_covered')} | {_share(row, 'people_duration_covered')} | {_share(row, 'over_zero')} | "
        f"{_share(row, 'called') if row.controlled else '–'} |"
        for row in designs.itertuples()
    ]
    return "\n".join([head, *rows])


def _traps_table(traps: pd.DataFrame) -> str:
    head = (
        "| what acts | truth | a paired t-test over toes says | rewarm says | intervals that hold the truth |\n"
        "|---|---|---|---|---|"
    )
    rows = []
    for row in traps.itertuples():
        truth = next(words for start, words in TRUTHS.items() if row.design.startswith(start))
        t_test = f"“{row.t_test_estimate:+.1f} °C”; an effect in {_percent(row.t_test_called)} of {row.studies}"
        if row.controlled:
            says = (
                f"{row.estimate:+.2f} °C beside the control; beyond zero in {_percent(row.over_zero)}, called an "
                f"effect in {_share(row, 'called')}"
            )
        else:
            says = (
                f"a change; {row.estimate:+.2f} °C of it left over, beyond zero in {_share(row, 'over_zero')}; "
                "never an effect of the injections"
            )
        rows.append(f"| {row.design} | {truth} | {t_test} | {says} | {_share(row, 'covered')} |")
    return "\n".join([head, *rows])


def _plans_table(plans: pd.DataFrame) -> str:
    head = (
        "| plan | studies | effect, °C: true / said | effect held | each person's | duration, days: true / said | "
        "duration held | over zero | a t-test calls it |\n|---|---|---|---|---|---|---|---|---|"
    )
    rows = [
        f"| [`{row.design}`](../examples/plans/{row.design}.toml) | {row.studies} | {row.truth:.2f} / "
        f"{row.estimate:.2f} | {_share(row, 'covered')} | {_share(row, 'people_covered')} | {row.true_duration:.0f} / "
        f"{row.duration:.0f} | {_share(row, 'duration_covered')} | {_share(row, 'over_zero')} | "
        f"{_percent(row.t_test_called)} |"
        for row in plans.itertuples()
    ]
    return "\n".join([head, *rows])


def _ranks_table(ranks: pd.DataFrame) -> str:
    head = "| design | quantity | studies | ranks, by tenths | p of an even histogram |\n|---|---|---|---|---|"
    rows = [
        f"| {_design_words(row.design)} | {RANKED[row.quantity]} | {row.studies} | {row.ranks} | {row.p:.2f} |"
        for row in ranks.itertuples()
    ]
    return "\n".join([head, *rows])


def _remains(designs: pd.DataFrame, traps: pd.DataFrame, plans: pd.DataFrame) -> str:
    """What the figures above do not fulfil, with its reason."""
    real = traps[traps["design"].str.startswith("a real")].set_index("design")
    alone, beside = (real.loc[f"a real 3 °C for 150 days, {words}"] for words in ("no control", "one foot untreated"))
    one = designs.set_index("design").loc["before_after"]
    shrunk = one["truth"] - one["estimate"]
    placebo = traps.set_index("design").loc["placebo only, no control"]
    return f"""\
- **Durations of precisely known effects.** Eight people with 3 °C for {beside["true_duration"]:.0f} days, no visit
  between days 0 and 14, nor between days 140 and 190: rewarm says {beside["duration"]:.0f} days with one foot untreated
  and {alone["duration"]:.0f} without a control; its intervals hold the truth in
  {_percent(beside["duration_covered"])} and {_percent(alone["duration_covered"])}. How an effect begins and ends
  between two visits is not seen. With one form of each (an exponential rise, Weibull's fall, its steepness k between 2
  and 10) the intervals held the truth in 50 % and 71 % of 200 studies: the rise of that model reached 1 °C some five
  days too early, and its fall was too slow. Rise and fall are families now ([the model](effects.md#the-model)), and k
  lies between 1, an exponential fade, and 20, an end in two weeks. What the visits do not tell of the form comes from
  these priors, which hold slower falls than the simulation's, too: hence the durations that are said too long. A visit
  near the expected end is what helps.
- **One baseline, no control.** The mean of {one["truth"]:.1f} °C is said {shrunk:.1f} °C too small, because rewarm
  reckons with a first day that was worse than usual, and these people had none: without that term the same error was
  −0.03 °C instead of −0.37 °C in 12 other studies. The interval holds the truth all the same. Three baselines leave
  little of it.
- **Placebo and cameras without a control** stay in what is left over: beyond zero in
  {_percent(placebo["over_zero"])} of studies with 0.8 °C of placebo. No model takes out what nobody has seen. They are
  named as not excluded.
{_plans_that_miss(plans)}- **The sampler** was not calibrated: it takes minutes a study. It fits the same model
  with the same priors."""


def _plans_that_miss(plans: pd.DataFrame) -> str:
    """The ready plans whose intervals hold the effect surely too seldom."""
    missed = plans[plans["covered_high"] < 0.9]
    if missed.empty:
        return ""
    each = " and ".join(
        f"`{name}` ({_percent(share)}; said {said - truth:+.1f} °C off)"
        for name, share, said, truth in missed[["design", "covered", "estimate", "truth"]].itertuples(index=False)
    )
    return f"""- **Ready plans whose intervals hold the effect too seldom**: {each}.
  A few people each, and no control: what is said is too small on average, as with one baseline. The rest was not looked
  into.
"""


def _commands(designs: pd.DataFrame, traps: pd.DataFrame, plans: pd.DataFrame, ranks: pd.DataFrame) -> str:
    lines = [
        f"| `python scripts/calibrate_effects.py {flags}-o docs/calibration` | {_studies(found)} | {_minutes(found)} |"
        for flags, found in (
            ("--studies 200 ", designs),
            ("--studies 200 --traps ", traps),
            ("--studies 200 --ranks ", ranks),
            ("--studies 200 --plans examples/plans ", plans),
        )
    ]
    table_text = "\n".join(["| command | studies here | processor time |", "|---|---|---|", *lines])
    return f"{table_text}\n\n{AGAIN}"


def _studies(found: pd.DataFrame) -> int:
    return int(found.groupby("design")["studies"].first().sum())


def _minutes(found: pd.DataFrame) -> str:
    if "cpu_s" not in found:
        return "not measured"
    each = found.groupby("design")[["studies", "cpu_s"]].first()
    return f"{float((each['studies'] * each['cpu_s']).sum()) / 60:.0f} min"


def coverage_figure() -> Figure:
    """Coverage of four intervals by design, and how often something is found where nothing is."""
    designs = table("designs")
    figure = Figure(figsize=(11, 5.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[2.2, 1])
    names = list(DESIGNS)
    left.axvspan(*WANTED, color=FAINT, alpha=0.6, linewidth=0)
    left.axvline(0.9, color=INK, linewidth=0.8)
    markers = ("o", "s", "D", "^")
    for k, quantity in enumerate(QUANTITIES):
        for i, name in enumerate(names):
            row = designs[designs["design"] == name].iloc[0]
            at = len(names) - 1 - i + 0.27 - 0.18 * k
            _dot(left, row, quantity, at, markers[k], WANTED, label=None)
    left.set_xlim(0.6, 1.005)
    left.set_yticks(range(len(names)), [_wrapped(DESIGNS[name]) for name in reversed(names)])
    left.set_title("Share of 90 % intervals that hold the truth (studies with an effect)", fontsize=10, loc="left")
    keys = [
        Line2D([], [], marker=marker, color=INK, linestyle="", label=words)
        for marker, words in zip(markers, QUANTITIES.values(), strict=True)
    ]
    keys.append(Line2D([], [], color=OFF, linewidth=1.6, label="red: interval wholly outside the shaded band"))
    left.legend(handles=keys, loc="lower left", fontsize=8, frameon=False)
    right.axvspan(0, MOST_CALLED, color=FAINT, alpha=0.6, linewidth=0)
    for i, name in enumerate(names):
        row = designs[designs["design"] == f"{name}_no_effect"].iloc[0]
        at = len(names) - 1 - i
        _dot(
            right,
            row,
            "over_zero",
            at + 0.1,
            "o",
            (0, MOST_CALLED),
            label="rewarm: 90 % interval over zero" if i == 0 else None,
        )
        right.plot(row["t_test_called"], at - 0.15, "x", color=OFF, label="paired t-test" if i == 0 else None)
    right.set_xlim(-0.02, 1.02)
    right.set_yticks(range(len(names)), [""] * len(names))
    right.set_title("Something found where nothing is", fontsize=10, loc="left")
    right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.06), fontsize=8, frameon=False)
    for axes in (left, right):
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _dot(
    axes: Axes, row: pd.Series, name: str, at: float, marker: str, wanted: tuple[float, float], *, label: str | None
) -> None:
    """A share with its interval; red where the interval lies wholly outside what is wanted."""
    low, high = float(row[f"{name}_low"]), float(row[f"{name}_high"])
    colour = OFF if high < wanted[0] or low > wanted[1] else GOOD
    axes.plot([max(low, 0.0), min(high, 1.0)], [at, at], color=colour, linewidth=1.6)
    axes.plot(float(row[name]), at, marker, color=colour, markersize=6, label=label)


def ranks_figure() -> Figure:
    """Histograms of ranks, with the band in which 95 % of the bars of an even one lie."""
    ranks = table("ranks")
    names = [name for name in DESIGNS if name in set(ranks["design"])]
    figure = Figure(figsize=(11, 1.7 * len(names) + 0.6), layout="constrained")
    grid = figure.subplots(len(names), len(RANKED), squeeze=False, sharex=True)
    for i, name in enumerate(names):
        for j, quantity in enumerate(RANKED):
            row = ranks[(ranks["design"] == name) & (ranks["quantity"] == quantity)].iloc[0]
            counts = np.array(row["ranks"].split(), dtype=float)
            axes = grid[i, j]
            low, high = binom.interval(0.95, int(counts.sum()), 1 / len(counts))
            axes.axhspan(low, high, color=FAINT, alpha=0.6, linewidth=0)
            axes.bar((np.arange(len(counts)) + 0.5) / len(counts), counts, width=0.094, color=GOOD)
            axes.set_ylim(0, max(2.2 * counts.mean(), counts.max() * 1.1))
            axes.set_xticks([0, 0.5, 1])
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(labelsize=7)
            if i == 0:
                axes.set_title(RANKED[quantity], fontsize=9)
            if j == 0:
                axes.set_ylabel(_wrapped(DESIGNS[name], 20), fontsize=8)
    figure.supxlabel(
        "rank of the truth among the posterior's draws (0: below all, 1: above all); height: number of studies",
        fontsize=9,
    )
    return figure


def _wrapped(words: str, width: int = 26) -> str:
    at = words.find(" ", width - 8)
    return words if len(words) <= width or at < 0 else f"{words[:at]}\n{words[at + 1 :]}"


def _design_words(design: str) -> str:
    base = design.removesuffix("_no_effect")
    return DESIGNS[base] + (", no effect" if base != design else "")


def _share(row: object, name: str) -> str:
    low, high = getattr(row, f"{name}_low"), getattr(row, f"{name}_high")
    low, high = max(low, 0.0), min(high, 1.0)
    return f"{_percent(getattr(row, name))} ({100 * low:.0f}–{100 * high:.0f})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _span(shares: pd.Series) -> str:
    low, high = 100 * shares.min(), 100 * shares.max()
    return f"{low:.0f} %" if round(low) == round(high) else f"{low:.0f} to {high:.0f} %"


READING: Final = """\
In brackets: 95 % intervals of the simulation itself (Wilson's; for shares over people of one study, from the spread
between studies). *Held* is the share of 90 % intervals that hold the truth, a study that failed counting as one that
does not. *True / said* are means over the studies. *Over zero* is how often the interval's lower end lies over zero:
5 % by chance where there is no effect. *Called* is how often words call it an effect: from a probability of 97.5 % on
that it is over zero. Without a control it is called a change that is left over, never an effect.

Where there is no effect the true duration is zero, and an interval from zero upwards holds it nearly always; where the
last visit comes before the end, the interval is open upwards. Both lift a duration's coverage over 90 %. That is not
all of it: of the closed intervals of durations over zero, too, 94 to 98 % held the truth by design when this was
looked at (110 studies each), so in these designs durations are given a little too widely.
"""
TRAPS_READING: Final = """\
Eight people, four visits (seven for the real effect). With one foot untreated each trap is seen through, because what
acts on both feet cancels. Without a control a placebo's warming and a camera that reads more *cannot* be told from an
effect, by rewarm or by anybody: they stay in what is left over, the truth lies outside the interval, and the report
says that this design excludes neither. That is why it is never called an effect of the injections.
"""
PLANS_READING: Final = """\
Drawn by the twin, whose toes follow from physiology where the plan has a mechanism. Lost sweat warms toes without any
more blood in them: that warming is real, and counts as truth here; what it is caused by is asked by
[`rewarm mechanism`](mechanism.md). Temperatures are analysed as they are, not the outcome that a plan declares.
"""
NO_PLANS: Final = """\
Not run with the present estimator yet; its command stands below.
"""
RANKS_READING: Final = """\
Simulation-based calibration ([arXiv:1804.06788](https://arxiv.org/abs/1804.06788)): the truth is drawn from the model's
own priors, its values from the model, and the truth's rank among the posterior's draws must be uniform if the estimator
does what it says. A hump in the middle would be intervals too wide, a bowl intervals too narrow, a slope a bias. The
shaded band holds 95 % of the bars of an even histogram.
"""
AGAIN: Final = """\
`make calibrate-effects` runs all four and writes this page. A run that is stopped goes on where it was; other seeds
(`--first-seed 10001`) are there for trying things out. Studies run on two processes (`--processes`).
"""


if __name__ == "__main__":
    main()
