"""The statistical analysis plan and the checklist of a planned study: what is known is filled in, the rest says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import pandas as pd

from rewarm.effects.metrics import METRIC_OUTCOMES
from rewarm.effects.outcomes import DIARY_OUTCOMES
from rewarm.effects.trials import Variance
from rewarm.study.reporting_items import SOURCES, items_for
from rewarm.version import __version__

if TYPE_CHECKING:
    from rewarm.study.design import Design

TO_STATE: Final = "TO BE STATED"

_DESIGN: Final = {
    "case_series": "Case series without a control: people are compared with themselves before the treatment",
    "split_limb": "Split limb: one limb of each person, drawn by chance, is treated, the other is the control",
    "parallel": "Parallel groups: chance decides who is treated",
    "n_of_1": "Single patients with a randomised start (multiple baseline): chance decides when each is treated",
}
_ANALYSIS: Final = {
    "case_series": (
        "mean over the visits after the treatment minus mean over the baseline visits of each person; one-sample "
        "t-test and "
        "t interval over people. This is a change from baseline, whatever caused it, and is reported as nothing else"
    ),
    "split_limb": (
        "treated minus untreated limb of each person over the visits after the treatment, with the same "
        "difference of the "
        "baseline visits as covariate; ordinary least squares over people and its t interval"
    ),
    "parallel": (
        "analysis of covariance: mean over the visits after the treatment by arm, with the mean of the baseline "
        "visits as "
        "covariate; t interval. People are analysed in the arm they were allocated to"
    ),
    "n_of_1": (
        "regression on treatment, person and week; two-sided p by the randomisation test over all starts that "
        "chance could "
        "have drawn; interval by the jackknife over people"
    ),
}

_UNITS: Final = {"degC": "°C", "delta_degC": "°C", "1": "", "ratio": "times"}
_SPREADS: Final = {
    "person_sd": "between people",
    "limb_sd": "between the limbs of a person",
    "noise_sd": "of a single reading",
    "effect_sd": "of the effect between people",
}
"""What varies, in the words that stand after its standard deviation."""
_DEPENDENCE: Final = (
    "A level for each person and each week; no carry-over is possible before the start; the randomisation test needs "
    "no model of dependence."
)


def answers(design: Design) -> dict[str, str]:
    """Name of an answer (as in :mod:`rewarm.study.reporting_items`) → what the plan says, "" where it does not."""
    plan = design.plan
    kind, control = plan["design.kind"], plan["design.control"]
    size = design.participants_needed
    outcome, unit = outcome_words(plan["outcome.name"]), unit_words(plan["outcome.unit"])
    important = plan["outcome.important"]
    weeks = ", ".join(f"{week:g}" for week in design.trial.weeks()).replace("-", "−")
    readings = plan["visits.readings"]
    masked = control == "placebo"
    single = kind == "n_of_1"
    return {
        "title": plan["title"],
        "comparator": _sentence(_words(control)) if control != "none" else "There is no comparator.",
        "objective": (
            f"Whether the treatment {'lowers' if plan['outcome.better'] == 'lower' else 'raises'} the outcome "
            f"({outcome}), by how much, for how long and how sure; two-sided, because in one trial flow fell "
            "(doi 10.1002/art.40123)."
        ),
        "design": _DESIGN[kind] + (f"; control: {_words(control)}" if control != "none" else "; no control")
        + (f"; allocation {':'.join(map(str, plan['allocation.ratio']))}" if kind == "parallel" else "")
        + (f"; the start may fall in weeks {', '.join(f'{w:g}' for w in plan['visits.start_weeks'])}" if single else "")
        + ".",
        "outcome": f"Primary: {outcome}{f' ({unit})' if unit else ''}, {_ANALYSIS[kind].split(';')[0]}"
        + (f"; smallest important difference {important:g}{f' {unit}' if unit else ''}" if important else "")
        + ".",
        "timeline": f"Visits in weeks {weeks} ({'from enrolment' if single else 'from the treatment'}).",
        "sample_size": _sample_size(design),
        "allocation": f"{design.allocation.method}." if design.allocation else "Nothing is allocated by chance.",
        "concealment": (
            "Codes in the open list, what they mean in a sealed one, whose SHA-256 is to be published before the "
            "first person: "
            f"{design.allocation.commitment()}."
            if design.allocation
            else ""
        ),
        "masking": "The control is a placebo; temperatures are read by a program." if masked else
        "People know their treatment; temperatures are read by a program. What people rate themselves is not masked.",
        "data": (f"Each value is the mean of {readings} readings" if readings > 1 else "Each value is a single reading")
        + "; measurement uncertainty by rewarm.",
        "analysis": f"{_ANALYSIS[kind][0].upper()}{_ANALYSIS[kind][1:]}.",
        "further_analysis": "The full model with season, room and measurement uncertainty besides; no subgroups.",
        "missing": "People are analysed with the visits they have; nothing is imputed; times not reached are censored.",
        "interim": "None planned.",
        "harms": "Every adverse event, weakness above all, with severity and relatedness, by arm; none is left out.",
        "why_single": "People vary and few have the disease; each is their own control." if single else "",
        "replication": f"{size} people." if single and size else "",
        "dependence": _DEPENDENCE if single else "",
    }  # fmt: skip


def checklist(design: Design) -> pd.DataFrame:
    """guideline, item, topic, answer (or what is still to be stated), and where the guideline is."""
    known = answers(design)
    rows = [
        {
            "guideline": item.guideline,
            "item": item.number,
            "topic": item.topic,
            "answer": known.get(item.answer, "") or TO_STATE,
            "source": SOURCES[item.guideline],
        }
        for item in items_for(design.plan["design.kind"])
    ]
    return pd.DataFrame(rows)


def analysis_plan(design: Design) -> str:
    """The plan as Markdown."""
    plan, known = design.plan, answers(design)
    parts = [
        f"# Statistical analysis plan: {plan['title']}",
        f"Study `{plan['id']}`. Written by rewarm {__version__} from the plan; every figure below comes from it "
        f"or from "
        f"{plan['simulation.trials']} simulated trials (seed {plan['simulation.seed']}). {TO_STATE} marks what a "
        f"person must add. "
        "Date it, sign it and register it before the first person is treated.",
        "## Question and estimand",
        known["objective"],
        _bullets(
            {
                "Treatment": _comparison(plan["design.arms"][0], plan["design.control"]),
                "Population": TO_STATE,
                "Variable": known["outcome"],
                "Intercurrent events": "other treatments started meanwhile are noted, and the values kept "
                "(treatment policy); "
                f"others: {TO_STATE}",
                "Summary": "difference of means over people",
            }
        ),
        "The five parts are those of the estimand in ICH E9(R1).",
        "## Design",
        _bullets({"Design": known["design"], "Visits": known["timeline"], "Masking": known["masking"]}),
        _limits(plan),
        "## Number of people",
        known["sample_size"],
        _table(design),
        "## Allocation",
        f"{known['allocation']} {known['concealment']}".strip(),
        "## Primary analysis",
        known["analysis"],
        f"Two-sided level {plan['design.alpha']:g}; {plan['design.level']:.0%} intervals. The person is the unit: "
        f"not the limb, "
        "toe, picture, pixel or day.",
        "## Other outcomes",
        "Declared before the start in `study.toml`; Holm's correction over all secondary outcomes; everything "
        "else is named "
        f"exploratory. Secondary outcomes: {TO_STATE}",
        "## Missing data",
        known["missing"]
        + " If more than a tenth of the people have no value after the treatment, it is stated how much worse "
        "they would have to be for the conclusion to change.",
        "## What is told beside the estimate",
        "The design's grade, and each threat (season, room, regression to the mean, placebo, unmasked rating, "
        "other treatments, "
        "drop-out) as present, excluded or unknown with its plausible size.",
        "## Harms",
        known["harms"],
        "## Sensitivity",
        known["further_analysis"]
        + " Leaving each person out; how large an unmeasured confounder would explain the result away.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def outcome_words(name: str) -> str:
    """What an outcome is called in a sentence: ``mean`` → "temperature at rest"; an unknown name as it stands."""
    if name in METRIC_OUTCOMES:
        return METRIC_OUTCOMES[name].words
    return DIARY_OUTCOMES[name].words if name in DIARY_OUTCOMES else name.replace("_", " ")


def unit_words(unit: str) -> str:
    """A unit as people write it: ``degC`` → "°C", ``1`` → ""."""
    return _UNITS.get(unit, unit)


def power_percent(power: float) -> str:
    """A simulated power in per cent; "over 99%" where it is not quite all of the trials, never rounded up to all."""
    return "over 99%" if 0.99 < power < 1 else f"{power:.0%}"


def power_words(design: Design) -> str:
    """The result in one sentence."""
    size, wanted = design.participants_needed, design.plan["design.power"]
    effect = f"{design.effect:g} {unit_words(design.plan['outcome.unit'])}".strip().replace("-", "−")
    finds = "find an effect"
    if design.plan["design.kind"] == "case_series":
        finds = "show a change, whatever causes it, where the treatment makes one"
    if size is None:
        most = max(design.rows, key=lambda row: row.participants)
        return (
            f"Even {most.participants} people {finds} of {effect} with a power of {most.power:.0%} only; "
            f"{wanted:.0%} were wanted."
        )
    return f"{size} people {finds} of {effect}, with a power of {wanted:.0%}."


def _sample_size(design: Design) -> str:
    plan = design.plan
    text = (
        power_words(design)
        + f" By {plan['simulation.trials']} simulated trials a size, two-sided {plan['design.alpha']:g}, "
    )
    text += _spread(design.trial.variance, unit_words(plan["outcome.unit"]))
    if plan["life.drop_out"]:
        text += f". {plan['life.drop_out']:.0%} drop out"
    worst = max(row.false_alarms for row in design.rows)
    text += "."
    if worst > 2.5 * plan["design.alpha"]:
        text += (
            f" Beware: without any effect, up to {worst:.0%} of such trials would call the treatment effective, "
            f"because of what "
            "else moves the outcome (season, placebo, enrolment at the worst)."
        )
    return text


def _spread(variance: Variance, unit: str) -> str:
    """The standard deviations that were simulated, in words; those that are zero are not told."""
    found = [f"{size:g} {words}" for name, words in _SPREADS.items() if (size := float(getattr(variance, name))) > 0]
    if variance.flare_sd > 0:
        found.append(
            f"{variance.flare_sd:g} of the disease's own course (correlated over {variance.flare_days:g} days)"
        )
    return f"with standard deviations{f' in {unit}' if unit else ''} of: " + "; ".join(found)


def _limits(plan: Mapping[str, object] | object) -> str:
    if plan["design.kind"] != "case_series":  # type: ignore[index]
        return ""
    return (
        "**This design cannot show efficacy.** Season, regression to the mean and placebo are not told apart "
        "from the treatment. "
        "A split limb, or a randomised start, would do so with the same people."
    )


def _table(design: Design) -> str:
    unit = unit_words(design.plan["outcome.unit"])
    head = "| people | power | its 95% interval | called effective without effect | half-width of the interval"
    head += f" ({unit}) |\n" if unit else " |\n"
    head += "|---:|---:|---:|---:|---:|\n"
    return head + "\n".join(
        f"| {row.participants} | {power_percent(row.power)} | {row.power_lower:.0%} to {row.power_upper:.0%} | "
        f"{row.false_alarms:.1%} "
        f"| {row.half_width:.2f} |"
        for row in design.rows
    )


def _bullets(points: Mapping[str, str]) -> str:
    return "\n".join(f"* **{name}.** {text}" for name, text in points.items())


def _comparison(arm: str, control: str) -> str:
    return f"{arm}, after it against before it" if control == "none" else f"{arm} against {_words(control)}"


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _words(control: str) -> str:
    return {
        "none": "no control",
        "untreated_limb": "an untreated limb",
        "untreated_region": "an untreated region",
        "placebo": "a placebo",
    }[control]
