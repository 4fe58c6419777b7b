"""One self-contained HTML file, and a PDF made from it; both written whole or not at all."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rewarm.errors import InvalidInputError, OutputError
from rewarm.pdf import Printer, print_here
from rewarm.report import context
from rewarm.report.agreement import agreement_table
from rewarm.report.budget import budget_section
from rewarm.report.films import FilmLinks, write_films
from rewarm.report.palettes import CHANGE, HALF_TIME, PALETTES, Palette, choose_palette
from rewarm.report.people import Person, people
from rewarm.report.protocol import protocol_section
from rewarm.report.recorded import recorded_tables
from rewarm.report.recovery import recovery
from rewarm.report.sources import SOURCES
from rewarm.report.whole import write_whole
from rewarm.report.words import visit_words
from rewarm.study.results import Comparison, StudyResult
from rewarm.version import __version__


@dataclass(frozen=True)
class ReportFiles:
    """What was written; ``notes`` are sentences for the person who asked for it, such as why there is no PDF."""

    html: Path
    pdf: Path | None
    notes: tuple[str, ...] = ()
    animations: tuple[Path, ...] = ()


def write_report(
    result: StudyResult | Comparison,
    path: str | os.PathLike[str],
    *,
    palette: str = "blue_red",
    pdf: bool = True,
    printer: Printer = print_here,
    animations: bool = True,
) -> ReportFiles:
    """Write the report of a study, or of two scans, as HTML, and (unless ``pdf`` is False) as PDF beside it.

    ``path`` is the HTML file's name (``.html`` is appended where it has no suffix); the PDF has the same name and ends
    in ``.pdf``. ``palette`` is ``"blue_red"`` or ``"cividis"``: the HTML holds both and opens with this one, the PDF
    holds this one. ``printer`` may be another process, see :func:`rewarm.pdf.second_process`. The same result gives the
    same bytes. The HTML asks for nothing outside itself.

    Where a person's rewarming was seen at two visits or more, animations/NAME.gif and .mp4 are written beside the
    report, which links to them (unless ``animations`` is False).

    Raises :class:`rewarm.errors.InvalidInputError` for an unknown palette or another suffix, and
    :class:`rewarm.errors.OutputError` where the folder is missing or cannot be written to. Without the system libraries
    that WeasyPrint needs there is no PDF, and a note names the packages.
    """
    chosen = choose_palette(palette)
    html_path = _html_path(Path(path))
    study = as_study(result) if isinstance(result, Comparison) else result
    others = [other for other in PALETTES.values() if other is not chosen]
    shown = people(study, (chosen, *others))  # drawn once, shown twice
    films, notes = write_films(shown, html_path.parent, palette=palette) if animations else ({}, [])
    drawn = tuple(html_path.parent / name for film in films.values() for name in (film.gif, film.mp4))
    printed = printer(_render(study, shown, films, palettes=(chosen,), interactive=False)) if pdf else None
    html = _render(study, shown, films, palettes=(chosen, *others), interactive=True)
    write_whole(html_path, html.encode("utf-8"))
    if printed is None:
        return ReportFiles(html_path, None, tuple(notes), drawn)
    document, note = printed()
    if document is None:
        return ReportFiles(html_path, None, (*notes, note), drawn)
    pdf_path = html_path.with_suffix(".pdf")
    write_whole(pdf_path, document)
    return ReportFiles(html_path, pdf_path, tuple(notes), drawn)


def _html_path(path: Path) -> Path:
    if not path.suffix:
        path = path.with_name(path.name + ".html")
    if path.suffix.lower() not in (".html", ".htm"):
        raise InvalidInputError(f"report: expected a file name that ends in .html; found {path.name!r}")
    if not path.parent.is_dir():
        raise OutputError(f"report: expected an existing folder; found none at {path.parent}. Create it first")
    if path.is_dir():
        raise OutputError(f"report: expected a file name; found a folder, {path}. Name a file in it")
    return path


def as_study(comparison: Comparison) -> StudyResult:
    """Two scans as the smallest study there is: one person, no control, no tables."""
    before, after = comparison.before, comparison.after
    names = [visit_words(scan.visit) or scan.scan for scan in (before, after)]
    return StudyResult(
        study_id="",
        title="Change from {} to {}".format(*(names if names[0] != names[1] else (before.scan, after.scan))),
        design="",
        control="none",
        tables={},
        scans=(before, after),
        comparisons=(comparison,),
        measurements=pd.concat([before.measurements, after.measurements], ignore_index=True),
        comparison_table=comparison.table,
        versions={"rewarm": __version__},
    )


def _render(
    result: StudyResult,
    persons: Sequence[Person],
    films: Mapping[str, FilmLinks],
    *,
    palettes: Sequence[Palette],
    interactive: bool,
) -> str:
    """The report as one HTML text; the first palette is shown, and only ``interactive`` offers the others."""
    environment = Environment(
        loader=PackageLoader("rewarm.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["figure"] = Markup if interactive else as_image
    style = Markup(environment.get_template("report.css").render(palettes=[item.key for item in palettes]))
    groups = context.warning_groups(result)
    recordings = (context.versions_table(result), context.recordings_table(result), context.hashes_table(result))
    return environment.get_template("report.html").render(
        result=result,
        style=style,
        palettes=palettes,
        interactive=interactive,
        facts=context.facts(result),
        answer=context.short_answer(result),
        limits=context.limits(result),
        people=persons,
        films=films,
        recovery=recovery(result),
        agreement=agreement_table(result),
        shown={CHANGE.key, HALF_TIME.key, *(item.key for item in palettes)},
        recorded=recorded_tables(result),
        taken=protocol_section(result),
        warnings=groups,
        warnings_count=context.count_warnings(groups),
        made=[table for table in recordings if table is not None],
        notes=context.method_notes(result),
        budget=budget_section(result),
        sources=SOURCES,
    )


def as_image(svg: str) -> Markup:
    """A drawing as an image of its own: WeasyPrint is twice as fast with these, and keeps the alternative text."""
    label = re.search(r'aria-label="([^"]*)"', svg)
    kind = re.search(r'class="([^"]*)"', svg)
    document = str(svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    data = base64.b64encode(document.encode("utf-8")).decode("ascii")
    return Markup('<img class="{}" alt="{}" src="data:image/svg+xml;base64,{}">').format(
        Markup(kind[1] if kind else ""), Markup(label[1] if label else ""), data
    )
