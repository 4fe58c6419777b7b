"""Temperature matrices as text, the way camera programs export them: CSV, TXT, ASC.

Separators: comma, semicolon, tab or blanks. Decimal sign: point or comma. Before the matrix there may be lines of other
text, a line of column numbers, and each row may begin with a label.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.cameras.celsius import celsius_thermogram
from rewarm.cameras.source import Source, check_size
from rewarm.errors import NotRadiometricError, UnreadableFileError
from rewarm.thermogram import ObjectParameters

SUFFIXES: Final = (".csv", ".txt", ".asc", ".tsv", ".dat", ".ascii", "")
SNIFF_BYTES: Final = 4096
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?nan", re.IGNORECASE)
_INTEGER = re.compile(r"\d+")
_DIGITS = re.compile(r"\d+")
_UNITS: Final = (
    ("°C", re.compile(r"°\s?C\b|\bdeg\s?C\b|\bcelsius\b|units?\W{0,5}C\b", re.IGNORECASE)),
    ("°F", re.compile(r"°\s?F\b|\bdeg\s?F\b|\bfahrenheit\b|units?\W{0,5}F\b", re.IGNORECASE)),
    ("K", re.compile(r"[\[(]K[\])]|\bkelvin\b|units?\W{0,5}K\b", re.IGNORECASE)),
)


@dataclass(frozen=True)
class _Layout:
    """How cells are written: ``separator`` None means blanks; ``decimal`` is "." or ","."""

    separator: str | None
    decimal: str

    def cells(self, line: str) -> list[str]:
        cells = line.split(self.separator)
        while cells and not cells[-1].strip():
            cells.pop()
        return [cell.strip() for cell in cells]

    def is_number(self, cell: str) -> bool:
        return _NUMBER.fullmatch(cell.replace(",", ".") if self.decimal == "," else cell) is not None


@dataclass(frozen=True, eq=False)
class TextMatrix:
    """``values`` float64 (y, x) as written, their ``unit``, and what a person should know."""

    values: NDArray[np.float64]
    unit: str
    warnings: tuple[str, ...]


def sniff_text(head: bytes) -> bool:
    """Whether a file begins like text: a byte-order mark, or no control characters."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or head[:3] == b"\xef\xbb\xbf":
        return True
    sample = head[:SNIFF_BYTES]
    if _utf16_without_mark(sample):
        return True
    return bool(sample) and not any(byte < 9 or 13 < byte < 32 for byte in sample)


def open_text(source: Source, overrides: ObjectParameters) -> xr.Dataset:
    """Open a text matrix.

    Raises :class:`NotRadiometricError` for text without a matrix, :class:`UnreadableFileError` naming row and column of
    what is not a number, or for a file name that promises another format.
    """
    if source.suffix not in SUFFIXES:
        raise UnreadableFileError(
            f"expected what its name promises ({source.suffix}); found text. If it is a temperature matrix, rename it "
            "to .csv; otherwise copy the original file again"
        )
    matrix = parse_matrix(decode_text(source.data))
    return celsius_thermogram(
        matrix.values,
        source=source,
        reader="text matrix",
        kind="a text matrix",
        overrides=overrides,
        unit=matrix.unit,
        warnings=matrix.warnings,
    )


def decode_text(data: bytes) -> str:
    """Text from UTF-8 or UTF-16, with or without a mark, or from Windows' western encoding."""
    encoding = "utf-8-sig"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif _utf16_without_mark(data[:SNIFF_BYTES]):
        encoding = "utf-16-le" if data[1] == 0 else "utf-16-be"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding.startswith("utf-16"):
            raise UnreadableFileError("expected UTF-16 text; found damaged data. Export the file again") from error
    return data.decode("cp1252", errors="replace")


def parse_matrix(text: str) -> TextMatrix:
    """Find the matrix in ``text``. Raises :class:`NotRadiometricError`, :class:`UnreadableFileError`."""
    if '"' in text:  # quoted cells may hold a decimal comma between separating ones
        text = text.replace('","', ";").replace('"', "")
    lines = text.splitlines()
    while lines and not lines[-1].strip(" \t,;"):
        lines.pop()
    layout = _find_layout(lines)
    width, first = _find_block(lines, layout)
    rows = lines[first:]
    warnings: list[str] = []
    has_column_labels = _is_label_line(rows, layout)
    if has_column_labels:
        rows, first = rows[1:], first + 1
    labelled = _has_row_labels(rows, layout, has_column_labels)
    if labelled:
        width = _common_width(rows, layout) - 1
    if labelled or has_column_labels:
        warnings.append("Labels of rows or columns were left out of the matrix.")
    check_size(width, len(rows))
    values = _numbers(rows, layout, width=width, labelled=labelled, first_line=first + 1)
    unit = _unit(lines[:first])
    others = first - int(has_column_labels)
    if others:
        lines_of = "1 line of other text stands" if others == 1 else f"{others} lines of other text stand"
        warnings.append(f"{lines_of} before the matrix; nothing but a unit was looked for there.")
    return TextMatrix(values=values, unit=unit, warnings=tuple(warnings))


def _utf16_without_mark(sample: bytes) -> bool:
    even = sample[: len(sample) // 2 * 2]
    if len(even) < 8:
        return False
    return (not any(even[1::2]) and all(even[::2])) or (not any(even[::2]) and all(even[1::2]))


def _find_layout(lines: list[str]) -> _Layout:
    """Judge by the line with the most numbers among a few: whatever else a file holds, most of it is the matrix."""
    some = {len(lines) * part // 8 for part in range(1, 8)} if lines else set()
    typical = max((lines[index] for index in sorted(some)), key=lambda line: len(_DIGITS.findall(line)), default="")
    if "\t" in typical.strip():
        return _Layout("\t", "," if "," in typical else ".")
    if ";" in typical:
        return _Layout(";", "," if "," in typical else ".")
    if "," in typical:
        blanks_between = re.search(r"\d\s+[-+\d]", typical) is not None
        if blanks_between and "." not in typical and re.search(r",\s", typical) is None:
            return _Layout(None, ",")
        return _Layout(",", ".")
    return _Layout(None, ".")


def _find_block(lines: list[str], layout: _Layout) -> tuple[int, int]:
    """(cells a row, index of the first line of the matrix, which may be a line of column labels)."""
    width = _common_width(lines, layout)
    if width >= 2:
        for index, line in enumerate(lines):
            cells = layout.cells(line)
            numbers = sum(map(layout.is_number, cells))
            if len(cells) in (width - 1, width, width + 1) and 2 * numbers >= len(cells):
                return width, index
            if 2 * len(cells) > width and numbers == len(cells):  # too short or too long, yet nothing but numbers
                return width, index
    raise NotRadiometricError(
        "expected a matrix of temperatures (numbers separated by comma, semicolon, tab or blanks); found text without "
        "one. Export the temperatures of all pixels from the camera's own program"
    )


def _common_width(lines: list[str], layout: _Layout) -> int:
    widths = Counter(len(layout.cells(line)) for line in lines if line.strip())
    # Counted in cells, not lines: many short lines of description must not outvote a small matrix.
    return max(widths, key=lambda width: (widths[width] * width, width)) if widths else 0


def _is_label_line(rows: list[str], layout: _Layout) -> bool:
    """Whether the first line counts the columns, 0, 1, 2 … or 1, 2, 3 …, in whole numbers, unlike the next line."""
    if len(rows) < 2:
        return False
    cells, after = layout.cells(rows[0]), layout.cells(rows[1])
    if cells and not layout.is_number(cells[0]):
        cells = cells[1:]
    return _counts_up(cells) and not _counts_up(after) and not _counts_up(after[1:])


def _has_row_labels(rows: list[str], layout: _Layout, has_column_labels: bool) -> bool:
    firsts = [line.split(layout.separator, maxsplit=1)[0].strip() if line.strip() else "" for line in rows]
    if layout.separator is None and not has_column_labels:
        return len(firsts) > 1 and not any(map(layout.is_number, firsts))
    if len(firsts) > 1 and not any(map(layout.is_number, firsts)):
        return True
    return has_column_labels and _counts_up(firsts)


def _counts_up(cells: list[str]) -> bool:
    if len(cells) < 2 or not all(_INTEGER.fullmatch(cell) and len(cell) < 8 for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _numbers(rows: list[str], layout: _Layout, *, width: int, labelled: bool, first_line: int) -> NDArray[np.float64]:
    prepared = rows
    if labelled:
        prepared = [[*line.split(layout.separator, maxsplit=1), ""][1] for line in prepared]
    if layout.separator is not None:
        prepared = [line.rstrip(" \t" + layout.separator) for line in prepared]
    if layout.decimal == ",":
        prepared = [line.replace(",", ".") for line in prepared]
    try:
        values = np.loadtxt(prepared, delimiter=layout.separator, comments=None, ndmin=2, dtype=np.float64)
    except (ValueError, OverflowError):
        values = None
    # NumPy passes over empty lines and accepts a few spellings that are not numbers of a camera program.
    if values is None or values.shape != (len(rows), width) or np.isinf(values).any():
        raise UnreadableFileError(_what_is_wrong(rows, layout, width=width, labelled=labelled, first_line=first_line))
    return values


def _what_is_wrong(rows: list[str], layout: _Layout, *, width: int, labelled: bool, first_line: int) -> str:
    """The first cells that are not numbers and rows of another length, numbered as a spreadsheet shows them."""
    problems: list[str] = []
    skip = int(labelled)
    for number, line in enumerate(rows, start=first_line):
        cells = layout.cells(line)
        problems += [
            f"row {number}, column {column + 1}: expected a number; found {cells[column][:30]!r}"
            for column in range(skip, len(cells))
            if not layout.is_number(cells[column]) or not np.isfinite(_lenient(cells[column], layout))
        ]
        if len(cells) - skip != width:
            problems.append(f"row {number}: expected {width + skip} columns; found {len(cells)}")
    shown = problems[:5] or ["expected one number a cell; found a spelling that is not one"]
    more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
    return "; ".join(shown) + more + ". Correct the file or export it again"


def _lenient(cell: str, layout: _Layout) -> float:
    """The number in a cell; 0 for NaN, which is allowed."""
    value = float(cell.replace(",", ".") if layout.decimal == "," else cell)
    return 0.0 if np.isnan(value) else value


def _unit(header: list[str]) -> str:
    """The unit that the lines before the matrix state: °C where they state none.

    A line that speaks of a unit counts before others. Raises :class:`UnreadableFileError` where they contradict.
    """
    speaking = [line for line in header if re.search(r"unit|einheit", line, re.IGNORECASE)]
    for lines in (speaking, header):
        found = [unit for unit, pattern in _UNITS if any(pattern.search(line) for line in lines)]
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            raise UnreadableFileError(
                f"expected one unit of temperature in the lines before the matrix; found {' and '.join(found)}. Export "
                "in °C"
            )
    return "°C"
