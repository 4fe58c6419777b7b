"""The page of effects: one sentence, the figure, the table, what cannot be ruled out, the details; HTML and PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rewarm.effects.classical import ClassicalTest
from rewarm.effects.metrics import METRIC_OUTCOMES
from rewarm.effects.outcomes import DIARY_OUTCOMES
from rewarm.effects.rows import GROUP, Effect
from rewarm.effects.temperature import OutcomeEffects
from rewarm.pdf import Printer
from rewarm.report.context import TextTable
from rewarm.report.effect_figure import course_figure, forest_figure
from rewarm.report.effect_words import (
    ESTIMAND_WORDS,
    THREAT_WORDS,
    amount,
    answer,
    confounder_sentence,
    estimand_sentence,
    estimate_words,
    grade_words,
    interval_words,
    threat_sentence,
)
from rewarm.report.heels import HEEL_ESTIMANDS, heel_sentences, heels_table, percent, with_minus_signs
from rewarm.report.recorded import first_table_text
from rewarm.report.whole import write_whole
from rewarm.report.words import NBSP, number, typeset
from rewarm.report.write import ReportFiles, as_image
from rewarm.study.effects import StudyEffects
from rewarm.study.first_table import first_table
from rewarm.version import __version__


def write_effects_report(result: StudyEffects, path: Path, *, printer: Printer | None = None) -> ReportFiles:
    """Write ``path`` (.html), and with a ``printer`` the PDF beside it.

    Raises :class:`rewarm.errors.OutputError` where the folder cannot be written to.
    """
    printed = printer(_render(result, interactive=False)) if printer is not None else None
    write_whole(path, _render(result, interactive=True).encode("utf-8"))
    if printed is None:
        return ReportFiles(path, None)
    document, note = printed()
    if document is None:
        return ReportFiles(path, None, (note,))
    write_whole(path.with_suffix(".pdf"), document)
    return ReportFiles(path, path.with_suffix(".pdf"))


def effects_text(result: StudyEffects) -> str:
    """What the terminal shows: the answer, and the group's rows."""
    lines = [*answer(result), ""]
    followed = _at_least(result)
    for row in result.effects:
        if row.who == GROUP:
            where = f" ({row.region})" if row.region else ""
            at_least = row.estimand == "duration_days" and (row.outcome, row.who) in followed
            figures = _figures(row, at_least=at_least)
            lines.append(f"  {_capital(_outcome_words(row.outcome))}{where}, {ESTIMAND_WORDS[row.estimand]}: {figures}")
    return "\n".join([*lines, ""])


def _at_least(result: StudyEffects) -> set[tuple[str, str]]:
    """(outcome, who) whose effect was still there when they were last seen."""
    return {(item.outcome.name, span.who) for item in result.metrics for span in item.durations if span.at_least}


def _figures(row: Effect, *, at_least: bool) -> str:
    if row.estimand == "masking":
        return percent(row.estimate)
    if row.estimate != row.estimate:
        return estimate_words(row)
    return f"{estimate_words(row, at_least=at_least)} ({interval_words(row)})"


def _render(result: StudyEffects, *, interactive: bool) -> str:
    environment = Environment(
        loader=PackageLoader("rewarm.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=typeset,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["figure"] = Markup if interactive else as_image
    style = Markup(environment.get_template("report.css").render(palettes=["one"]))
    measured = None if result.tables.measurements.empty else result.tables.measurements
    who = first_table_text(first_table(result.tables, measured))
    return environment.get_template("effects.html").render(
        result=result,
        style=style,
        answer=answer(result),
        figures=_figures_of(result),
        caption=_caption(result),
        tables=_effect_tables(result),
        doubts=_doubts(result),
        estimand=[estimand_sentence(result.lead)] if result.lead else [],
        confounder=[sentence for item in [result.lead] if item and (sentence := confounder_sentence(item))],
        sentences=_diary_sentences(result),
        who=[who] if who is not None else [],
        details=_details(result),
        notes=_notes(result),
        version=__version__,
    )


def _figures_of(result: StudyEffects) -> list[Markup]:
    """The primary outcome over time and for each person; diaries have the second alone."""
    kinds = ("change_from_baseline", "effect_modelled", "effect_vs_control")
    rows = [row for row in result.effects if row.outcome == result.primary and row.estimand in kinds]
    item = result.lead
    if item is not None:
        shown = [row for row in rows if row.region == item.region]
        return [course_figure(item), forest_figure(_without_doubles(shown), logarithm=item.outcome.log)]
    return [forest_figure(_without_doubles([row for row in rows if not row.side]))] if rows else []


def _caption(result: StudyEffects) -> str:
    item = result.lead
    if item is None:
        return "Each person and all together: full, with season and a bad start taken out; hollow, the mere change."
    text = "First picture: the effect over time, mean over the treated people; the band holds it with "
    text += f"{item.level:.0%} probability. Grey ticks are the days of visits; the broken line is the difference that "
    text += "matters."
    return (
        text
        + f" Second: each treated person and the group, day {item.day:.0f}; full: the effect, hollow: the mere change."
    )


def _effect_tables(result: StudyEffects) -> list[TextTable]:
    tables = [heels_table(result.heels)] if result.heels and result.heels.effects else []
    followed = _at_least(result)
    others = [row for row in result.effects if row.estimand not in HEEL_ESTIMANDS]
    for outcome in dict.fromkeys(row.outcome for row in others):
        rows = [row for row in others if row.outcome == outcome]
        primary = outcome == result.primary
        shown = rows if primary else [row for row in rows if row.who == GROUP] or rows
        order = list(dict.fromkeys(row.estimand for row in shown))
        shown = sorted(_without_doubles(shown), key=lambda row: (order.index(row.estimand), row.who != GROUP))
        role = "primary outcome" + ("" if result.declared else ", not declared beforehand") if primary else "secondary"
        name = _outcome_words(outcome) + _scale_words(outcome)
        people = {row.who for row in shown} != {GROUP}
        several = len({row.region for row in shown}) > 1
        cells: list[tuple[str, ...]] = []
        before = ""
        for row in shown:
            if people and row.estimand != before:
                before = row.estimand
                cells.append((_capital(ESTIMAND_WORDS[row.estimand]),))
            at_least = (row.outcome, row.who) in followed
            cells.append(_cells(row, at_least=at_least, several=several, people=people))
        header = ("Who" if people else "What", "Estimate", f"{shown[0].level:.0%} interval", "Helps with probability")
        note = _probability_note(shown)
        tables.append(TextTable(f"{_capital(name)} ({role})", (*header, "From"), tuple(cells), note))
    return tables


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _without_doubles(rows: list[Effect]) -> list[Effect]:
    """Of a single person, all together is the same once more."""
    people = {row.who for row in rows} - {GROUP}
    return [row for row in rows if row.who != GROUP] if len(people) == 1 else rows


def _outcome_words(outcome: str) -> str:
    if outcome in METRIC_OUTCOMES:
        return METRIC_OUTCOMES[outcome].words
    return DIARY_OUTCOMES[outcome].words if outcome in DIARY_OUTCOMES else outcome.replace("_", " ")


def _scale_words(outcome: str) -> str:
    """What points a diary's figures are in, as ``, points of 100``."""
    found = DIARY_OUTCOMES.get(outcome)
    return f", points of {found.high:g}" if found is not None and found.scale == "bounded" else ""


def _count(row: Effect) -> str:
    """How many people the group's figure rests on, or how many visits or days a person's."""
    if row.who == GROUP:
        return f"{row.n}{NBSP}{'person' if row.n == 1 else 'people'}"
    noun = "day" if row.outcome in DIARY_OUTCOMES else "visit"
    return f"{row.n}{NBSP}{noun}{'' if row.n == 1 else 's'}"


def _cells(row: Effect, *, at_least: bool, several: bool, people: bool) -> tuple[str, ...]:
    """One row; who it is of where there are ``people``, else what it is."""
    who = "All together" if row.who == GROUP else row.who
    who = who if people else _capital(ESTIMAND_WORDS[row.estimand])
    if row.side:
        who += f", {row.side}"
    if row.region and (several or row.region not in ("toes", "fingers")):
        who += f", {row.region}"
    at_least = at_least and row.estimand == "duration_days"
    estimate = number(row.estimate, 2) if row.estimand == "masking" else estimate_words(row, at_least=at_least)
    return (
        who,
        estimate,
        interval_words(row),
        _probability_words(row.probability),
        _count(row),
    )


def _probability_words(probability: float) -> str:
    """No probability from a few thousand draws is 0 or 1."""
    if probability > 0.99:
        return ">0.99"
    return "<0.01" if probability < 0.01 else number(probability, 2)


def _probability_note(rows: Sequence[Effect]) -> str:
    if any(row.estimand in ("onset_days", "duration_days") for row in rows):
        return "For onset and duration the probability is that the effect ever was as large as matters."
    return ""


def _doubts(result: StudyEffects) -> list[tuple[str, list[tuple[str, str]]]]:
    """Threats by status, what is there first; of the primary outcome."""
    threats = result.threats
    titles = (
        ("present", "There, and part of what was seen"),
        ("unknown", "Not known"),
        ("excluded", "Ruled out by the design or the records"),
    )
    groups = []
    for status, title in titles:
        items = [(THREAT_WORDS[item.name], threat_sentence(item)) for item in threats if item.status == status]
        if items:
            groups.append((title, items))
    return groups


def _diary_sentences(result: StudyEffects) -> list[str]:
    sentences = [item.sentence for item in result.diaries.effects if item.effect.who == GROUP] if result.diaries else []
    if result.heels:
        sentences += heel_sentences(result.heels)
    said = answer(result)
    return [words for words in dict.fromkeys(map(with_minus_signs, sentences)) if words not in said]


def _details(result: StudyEffects) -> list[TextTable]:
    return [
        *([_tests_table(result)] if result.tests else []),
        *(_sensitivity_table(item) for item in result.metrics if item.sensitivity),
        *([_estimation_table(result)] if result.metrics else []),
    ]


def _p_words(p: float) -> str:
    """No p is zero: what would be rounded to it is below the last decimal."""
    return "<0.001" if p < 0.0005 else number(p, 3)


def _tests_table(result: StudyEffects) -> TextTable:
    rows = [
        (
            f"{_outcome_words(test.outcome)}, {test.region}",
            test.role,
            test.test,
            number(test.estimate, 2, signed=True),
            f"{number(test.lower, 2, signed=True)} to {number(test.upper, 2, signed=True)}"
            if test.lower == test.lower
            else "–",
            number(test.df, 1),
            _p_words(test.p),
            _p_words(test.p_holm),
            test.note,
        )
        for test in result.tests
    ]
    note = f"Two-sided. {_tests_words(result.tests)}"
    header = ("Outcome", "Role", "Test", "Estimate", "Interval", "df", "p", "p, Holm", "Note")
    return TextTable("Classical tests beside the model", header, tuple(rows), note)


def _tests_words(tests: Sequence[ClassicalTest]) -> str:
    """What the tests assume, and how several outcomes are dealt with."""
    sentences = []
    if any(test.test.startswith("mixed") for test in tests):
        sentences.append(
            "Mixed models have people, limbs and visits at random, and the effect itself different between people."
        )
    if any(test.test.startswith("Cox") for test in tests):
        sentences.append(
            "Cox regression takes times that were not reached as longer than was waited; its ratio is of the rates at "
            "which toes or fingers recover, so that over 1 is quicker."
        )
    count = len({(test.outcome, test.region) for test in tests if test.role == "secondary"})
    if count:
        noun = "outcome" if count == 1 else "outcomes"
        sentences.append(
            f"The primary outcome's p stands as it is; the first test of each of the {count} secondary {noun} is "
            "adjusted by Holm's method for their number."
        )
    else:
        sentences.append("There is one outcome, so that no p needs an adjustment for several.")
    return " ".join(sentences)


def _sensitivity_table(item: OutcomeEffects) -> TextTable:
    unit = item.outcome.unit
    rows = [
        (row.what, *(number(value, 2, signed=True) for value in (row.estimate, row.lower, row.upper)))
        for row in item.sensitivity
        if row.kind != "confounder"
    ]
    scale = "on the logarithm's scale" if item.outcome.log else f"in {unit.replace('delta_degC', '°C')}"
    note = (
        "By the fast estimator, which averages over digits; the first line is its own answer under the stated priors."
    )
    return TextTable(
        f"The effect under other assumptions, {scale}", ("Assumption", "Estimate", "Lower", "Upper"), tuple(rows), note
    )


def _estimation_table(result: StudyEffects) -> TextTable:
    rows = []
    for item in result.metrics:
        figures = ", ".join(
            f"{name.replace('_', ' ')} {number(value, 3 if name == 'r_hat' else 2 if name == 'pareto_k' else 0)}"
            for name, value in item.draws.diagnostics.items()
        )
        rows.append((f"{item.outcome.words}, {item.region}", item.draws.method, figures, item.draws.trouble or "none"))
    return TextTable("How the model was estimated", ("Outcome", "By", "Diagnostics", "Trouble"), tuple(rows))


def _notes(result: StudyEffects) -> list[str]:
    notes = [*result.notes, *(note for item in result.metrics for note in item.notes)]
    if (item := result.lead) is not None:
        notes.append(f"Design: {grade_words(item.grade.grade)}.")
        if item.important == item.important and not item.outcome.log:
            stated = item.outcome.name in result.tables.outcomes.important
            ending = ", as study.toml says." if stated else ", by convention: no figure is published."
            size = amount(item.important, item.outcome.unit, signed=False)
            notes.append(f"A difference of {size} is taken as one that matters{ending}")
    if result.diaries:
        notes += list(result.diaries.notes)
    if result.heels:
        notes += list(result.heels.notes)
    notes += [f"In the records: {warning}" for warning in result.tables.warnings]
    return list(dict.fromkeys(notes))
