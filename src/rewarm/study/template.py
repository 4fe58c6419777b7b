"""An empty study folder to fill in: headers, a commented study.toml, and a README with an example of every table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from rewarm.errors import InvalidInputError, OutputError
from rewarm.study.columns import YES_NO, did_you_mean
from rewarm.study.dictionary import SECTIONS, allowed_words, column_rows
from rewarm.study.records import DESIGNS, INSTEAD_OF_SCANS, REQUIRED_TABLES, TABLES, Column, Table
from rewarm.study.settings import FILE as SETTINGS_FILE
from rewarm.study.settings import Setting

README: Final = "README.md"
CHOICES: Final = tuple(name for name in TABLES if name not in REQUIRED_TABLES)
"""Tables that a template may hold beside participants and visits."""
EXAMPLES: Final[Mapping[str, tuple[Mapping[str, str], ...]]] = MappingProxyType(
    {
        "participants": (
            {"participant": "P01", "sex": "female", "birth_year": "1970", "condition": "secondary_raynaud",
             "underlying": "systemic_sclerosis", "prior_treatments": "nifedipine;iloprost"},
        ),
        "visits": (
            {"participant": "P01", "visit": "baseline", "date": "2026-01-12T09:30+01:00", "ambient_c": "23.1",
             "humidity_pct": "40", "settling_min": "20", "outdoor_mean_c": "1.5", "recent_exercise": "no",
             "recent_smoking": "no", "recent_caffeine": "no"},
            {"participant": "P01", "visit": "week06", "date": "2026-02-23", "ambient_c": "23.4"},
        ),
        "scans": (
            {"participant": "P01", "visit": "baseline", "scan": "P01-baseline", "file": "thermograms/IR_0042.jpg",
             "limb": "feet", "view": "plantar", "phase": "rest", "camera": "E60", "distance_m": "1.0",
             "emissivity": "0.98"},
        ),
        "measurements": (
            {"participant": "P01", "visit": "baseline", "scan": "P01-baseline", "side": "left", "region": "toe1",
             "metric": "mean", "value": "25.3", "unit": "degC", "u": "0.6"},
        ),
        "injections": (
            {"participant": "P01", "date": "2026-01-12", "side": "left", "site": "toe1",
             "product": "onabotulinumtoxinA", "units_u": "2", "volume_ml": "0.1", "concentration_u_per_ml": "20",
             "injections_n": "1", "depth": "subcutaneous", "guidance": "by hand", "operator": "AB"},
        ),
        "diary": (
            {"participant": "P01", "date": "2026-01-12", "rcs": "4", "attacks_n": "2", "attack_minutes": "30",
             "pain_vas": "35", "colour_change": "white;blue", "medication_change": "none"},
            {"participant": "P01", "date": "2026-01-13", "rcs": "5", "attacks_n": "1", "attack_minutes": "10"},
        ),
        "events": (
            {"participant": "P01", "date": "2026-01-20", "term": "weakness of the toes", "severity": "1",
             "relatedness": "probable", "resolved_date": "2026-02-10"},
        ),
    }
)  # fmt: skip
"""Rows that stand in the README: together a study without a problem (but for the recording that they name)."""
_SETTING_EXAMPLES: Final = {
    "id": '"warm-toes"',
    "title": '"Warm toes: three women, both feet"',
    "timezone": '"Europe/Zurich"',
    "primary": '"rcs"',
    "secondary": '["attacks_n", "mean"]',
    "important": "{ rcs = 1.4, mean = 1.0 }",
    "model": '"FLIR E60"',
    "accuracy_c": "2.0",
    "netd_mk": "50",
    "pixels": "[320, 240]",
    "ambient_c": "23",
    "settling_min": "20",
    "warm_up_min": "30",
    "viewing_angle_deg": "10",
    "reference_accuracy_c": "0.2",
}
_CONTROL_OF: Final = {"case_series": "none", "split_limb": "untreated_limb", "parallel": "placebo", "n_of_1": "none"}
_WRITTEN_SECTIONS: Final = ("design", "outcomes", "camera.ID", "protocol")


def write_template(
    folder: str | Path,
    *,
    design: str = "case_series",
    tables: Sequence[str] = ("scans",),
    workbooks: bool = False,
) -> tuple[Path, ...]:
    """Write an empty study folder and return the files in it, study.toml and the README first.

    ``tables`` come beside participants and visits; one of scans, measurements and diary is needed. With ``workbooks``
    tables are .xlsx, with a note on every heading and lists to choose words from. Nothing is ever overwritten.

    Raises :class:`InvalidInputError` for an unknown design or table, :class:`OutputError` where ``folder`` is not empty
    or cannot be written.
    """
    place = Path(folder)
    chosen = _chosen(design, tables)
    try:
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            what = "a folder that is not empty" if place.is_dir() else "a file"
            raise OutputError(f"{place}: expected a new or an empty folder; found {what}. Choose another name")
        place.mkdir(parents=True, exist_ok=True)
        files = [place / SETTINGS_FILE, place / README]
        _write(files[0], settings_text(design).encode())
        _write(files[1], readme_text(place.name, chosen, workbooks=workbooks).encode())
        for table in chosen:
            path = place / (f"{table.name}.xlsx" if workbooks else table.file)
            _write(path, _workbook(table) if workbooks else f"{','.join(c.name for c in table.columns)}\n".encode())
            files.append(path)
        if any(table.name == "scans" for table in chosen):
            (place / "thermograms").mkdir()
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{place}: expected to be able to write there; found: {reason}. Choose another place"
        ) from None
    return tuple(files)


def _chosen(design: str, tables: Sequence[str]) -> list[Table]:
    if design not in DESIGNS:
        raise InvalidInputError(
            f"design: expected one of {', '.join(DESIGNS)}; found {design!r}.{did_you_mean(design, DESIGNS)}"
        )
    for name in tables:
        if name not in CHOICES:
            raise InvalidInputError(
                f"tables: expected some of {', '.join(CHOICES)}; found {name!r}.{did_you_mean(name, CHOICES)} "
                "Participants and visits are always there"
            )
    substance = ("scans", *INSTEAD_OF_SCANS)
    if not set(tables).intersection(substance):
        raise InvalidInputError(
            f"tables: expected at least one of {', '.join(substance)}, because a study needs something to analyse; "
            f"found {', '.join(tables) or 'none'}"
        )
    return [table for name, table in TABLES.items() if name in REQUIRED_TABLES or name in tables]


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(content)


def settings_text(design: str) -> str:
    """study.toml to fill in: what is required stands empty, the rest as comments with an example."""
    lines = [
        "# What this study is. Lines that begin with # are ignored: take the # away and fill in what you know.",
        "",
    ]
    lines += [_setting_line(setting, '""', commented=False) for setting in SECTIONS[""][1]]
    for section in _WRITTEN_SECTIONS:
        about, settings = SECTIONS[section]
        required = section == "design"
        lines += ["", f"# {about[0].upper()}{about[1:]}.", f"[{section}]" if required else f"# [{section}]"]
        for setting in settings:
            values = {"kind": f'"{design}"', "control": f'"{_CONTROL_OF[design]}"'}
            value = values.get(setting.name) if required else None
            lines.append(_setting_line(setting, value or example_of(setting), commented=value is None))
    return "\n".join(lines) + "\n"


def example_of(setting: Setting) -> str:
    """What may stand behind the = of a setting, as TOML."""
    if setting.kind == "yes_no":
        return "true"
    return _SETTING_EXAMPLES[setting.name]


def _setting_line(setting: Setting, value: str, *, commented: bool) -> str:
    words = f"{setting.meaning}: {', '.join(setting.vocabulary)}" if setting.vocabulary else setting.meaning
    if value == '""' and "e.g." not in words:
        words += f", e.g. {example_of(setting)}"
    return f"{'# ' * commented}{setting.name} = {value}  # {words}"


def readme_text(name: str, tables: Iterable[Table], *, workbooks: bool) -> str:
    """How to fill the folder in: each table with its columns and an example."""
    kind = "Excel workbooks" if workbooks else "CSV files (UTF-8, comma or semicolon)"
    parts = [
        f"# {name}: a study for rewarm\n",
        "Fill in `study.toml` with a text editor and the tables with a spreadsheet, then ask what is still missing:\n",
        f"    rewarm check {name}\n    rewarm run {name} -o results\n",
        f"Tables are {kind}; one row below the headings each. Starred columns are required; leave a cell empty where",
        "nothing was recorded, and delete columns that you do not need. Dates read 2026-03-31, times",
        "2026-03-31T09:30+02:00 with their UTC offset, numbers 23.5 with a decimal point. Write codes, never names.",
        "A table that was not filled in counts as not there.\n",
    ]
    for table in tables:
        file = f"{table.name}.xlsx" if workbooks else table.file
        parts += [f"## {file}: {table.meaning}\n", column_rows(table)]
        parts += ["Example:\n", _indented(example_csv(table))]
    if any(table.name == "scans" for table in tables):
        parts.append("Copy the recordings, as the camera wrote them, into `thermograms/`.\n")
    return "\n".join(parts)


def example_csv(table: Table) -> str:
    """The example rows as a CSV file, with the columns that they fill."""
    rows = EXAMPLES[table.name]
    names = [column.name for column in table.columns if any(column.name in row for row in rows)]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([row.get(name, "") for name in names] for row in rows)
    return stream.getvalue()


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def _workbook(table: Table) -> bytes:
    """One sheet of the table's name: headings with notes, lists of words, dates in the format that is read."""
    import openpyxl  # 0.15 s, which a template of CSV files should not wait for
    from openpyxl.comments import Comment
    from openpyxl.styles import Font

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = table.name
    sheet.freeze_panes = "A2"
    for place, column in enumerate(table.columns, start=1):
        cell = sheet.cell(1, place, column.name)
        cell.font = Font(bold=column.required)
        cell.comment = Comment(_note(table, column), "rewarm", width=320, height=140)
        letter = cell.column_letter
        sheet.column_dimensions[letter].width = max(12, len(column.name) + 2)
        if column.kind == "date":
            sheet.column_dimensions[letter].number_format = "yyyy-mm-dd"
        _offer_words(sheet, letter, column)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _note(table: Table, column: Column) -> str:
    """What stands on a heading: meaning, unit, what is allowed, an example."""
    lines = [f"{column.meaning[0].upper()}{column.meaning[1:]}{f', {column.unit}' if column.unit else ''}."]
    lines.append("Required." if column.required else "May stay empty.")
    if words := allowed_words(column).replace("`", ""):
        lines.append(f"{words[0].upper()}{words[1:]}.")
    example = next((row[column.name] for row in EXAMPLES[table.name] if column.name in row), "")
    return " ".join([*lines, *([f"Example: {example}"] if example else [])])


def _offer_words(sheet: Any, letter: str, column: Column) -> None:
    """A list to choose from below the heading; a warning, not a refusal, where other words are kept too."""
    from openpyxl.worksheet.datavalidation import DataValidation

    words = column.vocabulary if column.kind == "word" else YES_NO[:2] if column.kind == "yes_no" else ()
    if not words:
        return
    choice = DataValidation(type="list", formula1=f'"{",".join(words)}"', allow_blank=True)
    choice.errorStyle = "warning" if column.open else "stop"
    sheet.add_data_validation(choice)
    choice.add(f"{letter}2:{letter}1000")
