"""The data dictionary: what every table, column and setting means, written from the declarations that are checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from rewarm.study.columns import YES_NO
from rewarm.study.diary import COVERAGE
from rewarm.study.first_table import FIRST_TABLE
from rewarm.study.injections import TOTALS
from rewarm.study.numbers import interval_words
from rewarm.study.records import TABLES, Column, Table
from rewarm.study.settings import CAMERA, DESIGN, OUTCOMES, PROTOCOL, TOP, UNCERTAINTY, Setting
from rewarm.tables import AGREEMENT, COMPARISON, CURVES, MEASUREMENTS, METRICS

_KINDS: Final = {
    "text": "text",
    "id": "a code",
    "file_id": "a code that names files",
    "path": "a path",
    "word": "a word",
    "words": "words, joined by `;`",
    "date": "a date",
    "number": "a number",
    "integer": "a whole number",
    "yes_no": "yes or no",
    "box": "four numbers, joined by `;`",
}
_DAILY: Final = {"sum": "added", "mean": "averaged", "worst": "the highest counts", "joined": "joined", "": ""}
_SETTING_KINDS: Final = {
    "id": "a code",
    "timezone": "a time zone of the IANA list",
    "yes_no": "`true` or `false`",
    "pixels": "`[width, height]`",
    "texts": "a list of texts",
    "figures": "`{ name = figure }`",
}
SECTIONS: Final[Mapping[str, tuple[str, tuple[Setting, ...]]]] = {
    "": ("at the top", TOP),
    "design": ("how the study was designed", DESIGN),
    "outcomes": ("what was to be judged, named before the data were looked at", OUTCOMES),
    "camera.ID": ("one section a camera; scans.csv names it by its ID", CAMERA),
    "protocol": ("as planned, or as it was at every visit", PROTOCOL),
    "uncertainty": ("what every standard uncertainty takes for granted, in place of the defaults", UNCERTAINTY),
}
"""Section of study.toml → what it is about, and its settings."""
OUTPUTS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "measurements.csv": ("one row a figure", MEASUREMENTS),
    "comparisons.csv": ("one row a change of a later visit against the first", COMPARISON),
    "curves/SCAN.csv": ("one row a figure of a rewarming: time × side × region", CURVES),
    "agreement.csv": ("one row a figure of two readers' agreement", AGREEMENT),
    "first_table.csv": ("who took part: one row a characteristic, level and arm", FIRST_TABLE),
    "injections.csv": ("totals: one row a product within a limb and visit, a visit, or a year", TOTALS),
    "diary_coverage.csv": ("one row a person who kept a diary", COVERAGE),
}
"""File that a run writes → what a row is, and its columns."""


def dictionary_page() -> str:
    """The whole page as Markdown."""
    parts = [_HEAD]
    for section, (about, settings) in SECTIONS.items():
        title = f"`[{section}]`" if section else "Top"
        parts += [f"### {title}: {about}\n", setting_rows(settings)]
    parts.append("## Tables\n")
    for table in TABLES.values():
        parts += [f"### {table.file}: {table.meaning}\n", _key_words(table), column_rows(table)]
    parts.append(_READING)
    parts.append("## What a run writes\n")
    for file, (about, columns) in OUTPUTS.items():
        rows = [f"| `{name}` | {_one_cell(meaning)} |" for name, meaning in columns.items()]
        parts += [f"### {file}: {about}\n", _lines(["| column | meaning |", "|---|---|", *rows])]
    metrics = [f"| `{name}` | {unit} | {meaning} |" for name, (unit, meaning) in METRICS.items()]
    parts += ["## Metrics\n", _lines(["| metric | unit | meaning |", "|---|---|---|", *metrics])]
    return "\n".join(part for part in parts if part)


def column_rows(table: Table) -> str:
    """The columns of a table as a Markdown table; required ones with a star."""
    diary = any(column.daily for column in table.columns)
    header = ["| column | kind | meaning | unit | allowed |", "|---|---|---|---|---|"]
    if diary:
        header = ["| column | kind | meaning | unit | allowed | several a day are |", "|---|---|---|---|---|---|"]
    rows = []
    for column in table.columns:
        cells = [
            _starred(column.name, column.required),
            _KINDS[column.kind],
            column.meaning,
            column.unit,
            allowed_words(column),
        ]
        rows.append(f"| {' | '.join([*cells, *([_DAILY[column.daily]] if diary else [])])} |")
    return _lines([*header, *rows])


def allowed_words(column: Column) -> str:
    """Words or limits of a column, in words; "" where anything is allowed."""
    if column.vocabulary:
        words = ", ".join(f"`{word}`" for word in column.vocabulary)
        return f"{words}; others are kept with a warning" if column.open else words
    if column.kind == "yes_no":
        return ", ".join(f"`{word}`" for word in YES_NO)
    parts = [interval_words(column)]
    usual = [
        f"{word} {bound:g}"
        for word, bound in (("from", column.usual_low), ("to", column.usual_high))
        if bound is not None
    ]
    if usual:
        parts.append(f"usually {' '.join(usual)}")
    return "; ".join(part for part in parts if part)


def setting_rows(settings: Iterable[Setting]) -> str:
    """Settings as a Markdown table; required ones with a star."""
    rows = []
    for setting in settings:
        words = ", ".join(f"`{word}`" for word in setting.vocabulary)
        kind = words or _SETTING_KINDS.get(setting.kind, f"a {setting.kind}" if setting.kind == "number" else "text")
        rows.append(f"| {_starred(setting.name, setting.required)} | {kind} | {setting.meaning} |")
    return _lines(["| setting | kind | meaning |", "|---|---|---|", *rows])


def _one_cell(text: str) -> str:
    return text.replace("|", "\\|")


def _starred(name: str, required: bool) -> str:
    return f"`{name}`" + ("\\*" if required else "")


def _key_words(table: Table) -> str:
    if not table.key:
        return ""
    return f"No two rows may share {' + '.join(f'`{name}`' for name in table.key)}.\n"


def _lines(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


_HEAD: Final = """\
# Data dictionary

Every table, column and setting of a study folder, and of what a run writes. Written by `scripts/data_dictionary.py`
from the declarations that `rewarm check` checks by, so that it cannot say anything else. Required ones carry a star.
[The study folder](study-folder.md) tells how the files belong together; `rewarm new STUDY` makes an empty one.

## study.toml
"""
_READING: Final = """\
## How cells are read

Each table is a CSV file (UTF-8, comma or semicolon) or, in its place, an Excel workbook of the same name that ends in
`.xlsx`: the sheet of the table's name is read, or else the first. What spreadsheets do to tables is read where one
reading is left, with a warning that says how; where two are left it is an error.

| found | read |
|---|---|
| a byte-order mark, blanks of any kind round a cell, empty rows and columns | left out |
| `23,1` or `0,250` in a column of numbers | with a decimal point, warning |
| `1,250` beside `23,1` in the same column | 1.250, warning |
| `1,250` otherwise; `1.250` beside `23,1` | error: it may mean 1.250 or 1250 |
| `31.03.2026`, `31/03/2026`, `03/31/2026` | a date, warning, where a cell of the column proves which part is the day |
| `03.04.2026` where none proves it | error |
| `2026/03/31`, `2026.3.31`, `2026-03-31 00:00:00` | a date, warning |
| `46112` in a column of dates | the spreadsheet's day number, warning |
| two ways of writing dates in one column | error: the spreadsheet may have swapped days and months in some |
| a time without its UTC offset | error |
| `n/a`, `-`, `#N/A`; in columns of figures, dates and words also `NA`, `?`, `unknown` | not recorded, warning |
| `#REF!`, `#DIV/0!` and their like | error |
| in a workbook: merged cells, a formula that was never computed | error |
| in a workbook: hidden rows, further sheets | warning: hidden rows are read, other sheets are not |
| in a workbook: a cell shown in per cent | error: write the number alone |

A date may carry a time with its UTC offset. The day is then the one that the person's own clock showed, wherever that
was; the moment is kept beside it. Several entries of a diary's day become one as its table says; heel heights are
averaged by hours.

What does not add up in injections is a warning with its sentence and stands in `injections.csv` beside the totals:
units that are not volume × concentration, a dilution or a volume that no vial is likely to have had, a limb's total in
every row, an unknown product, several products on one day. The limits find probable mistakes of recording; they were
chosen by rewarm and recommend nothing. Products are never converted into each other and never added.
"""
