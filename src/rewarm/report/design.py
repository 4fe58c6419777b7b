"""The page of a planned study: one sentence, the curve, what to choose, what cannot be ruled out, and what is still to
state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rewarm.effects.power import PowerRow
from rewarm.report.design_figure import power_figure
from rewarm.report.words import number, typeset
from rewarm.study.analysis_plan import TO_STATE, answers, checklist, power_percent, power_words, unit_words
from rewarm.study.design import Design
from rewarm.version import __version__

FILE: Final = "design.html"
FIGURE: Final = "power.svg"
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _choices(rows: Sequence[PowerRow]) -> list[tuple[str, PowerRow]]:
    """Each choice with its months; months that change nothing share a line.

    Choices have no assurance: it is NaN, which equals nothing, and so is left out of the comparison, as is what only
    the order of a sum makes of the other figures.
    """
    months: dict[PowerRow, list[str]] = {}
    for row in rows:
        same = replace(
            row, start_month=0.0, assurance=0.0, bias=round(row.bias, 6), half_width=round(row.half_width, 6)
        )
        months.setdefault(same, []).append(_MONTHS[int(row.start_month - 1) % 12])
    every = len({row.start_month for row in rows})
    return [("whichever month" if len(names) == every > 1 else ", ".join(names), row) for row, names in months.items()]


def write_design_page(design: Design, folder: Path) -> Path:
    """Write ``design.html`` (self-contained) and ``power.svg`` into an existing folder; returns the page's path."""
    figure = power_figure(
        design.rows,
        wanted=design.plan["design.power"],
        alpha=design.plan["design.alpha"],
        needed=design.participants_needed,
    )
    (folder / FIGURE).write_text(str(figure) + "\n", encoding="utf-8")
    environment = Environment(
        loader=PackageLoader("rewarm.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=typeset,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["power"] = power_percent
    environment.filters["number"] = number
    items = checklist(design)
    html = environment.get_template("design.html").render(
        design=design,
        unit=unit_words(design.plan["outcome.unit"]),
        style=Markup(environment.get_template("report.css").render(palettes=[])),
        figure=figure,
        sentence=power_words(design),
        known=answers(design),
        choices=_choices(design.choices),
        items=items.to_dict("records"),
        open_items=int((items["answer"] == TO_STATE).sum()),
        to_state=TO_STATE,
        version=__version__,
    )
    path = folder / FILE
    path.write_text(html, encoding="utf-8")
    return path
