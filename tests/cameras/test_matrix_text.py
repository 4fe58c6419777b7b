"""Text matrices as camera programs write them, and what is said where they are broken."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from rewarm.cameras import open_thermogram
from rewarm.cameras.matrix_text import parse_matrix
from rewarm.errors import InvalidInputError, NotRadiometricError, RewarmError, UnreadableFileError

Write = Callable[[str, bytes | str], Path]
Matrix = NDArray[np.float32]
VALUES = np.round(np.random.default_rng(5).uniform(21, 35, size=(6, 8)), 2)


def text(separator: str = ",", decimal: str = ".", end: str = "", values: NDArray[np.float64] = VALUES) -> str:
    return "".join(separator.join(f"{v:.2f}".replace(".", decimal) for v in row) + end + "\n" for row in values)


def opened(path: Path) -> NDArray[np.float32]:
    return open_thermogram(path)["temperature"].values


@pytest.mark.parametrize(
    ("separator", "decimal"),
    [(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ","), (" ", "."), ("   ", ","), (", ", "."), (" ; ", ",")],
)
@pytest.mark.parametrize("end", ["", "separator"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_separators_and_decimal_signs(write: Write, separator: str, decimal: str, end: str, newline: str) -> None:
    content = text(separator, decimal, separator.strip(" ") if end else "").replace("\n", newline)
    np.testing.assert_allclose(opened(write("a.csv", content)), VALUES, atol=1e-5)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings(write: Write, encoding: str) -> None:
    content = ("" if encoding in ("utf-16-le", "utf-16-be") else "Temperatur [°C]\n") + text("\t", ",")
    np.testing.assert_allclose(opened(write("a.txt", content.encode(encoding))), VALUES, atol=1e-5)


def test_gzip(write: Write) -> None:
    np.testing.assert_allclose(opened(write("a.csv.gz", gzip.compress(text().encode()))), VALUES, atol=1e-5)


def test_quoted_cells(write: Write) -> None:
    content = "\n".join(",".join(f'"{v:.2f}"'.replace(".", ",") for v in row) for row in VALUES)
    np.testing.assert_allclose(opened(write("a.csv", content)), VALUES, atol=1e-5)


ROWS = text(";", ",").splitlines()
HEADERS = {
    "frame label in the first cell": "Frame 1;" + "\n;".join(ROWS),
    "parameters before": "File:;a.jpg\nEmissionsgrad:;0,95\nRefl. Temp.:;20,0 °C\n\n" + "\n".join(ROWS),
    "section names": "[Settings]\nVersion=2\nImageWidth=8\nShotRange=-30,87;60,1\nTempUnit=°C\n[Data]\n"
    + text("\t", ","),
    "column numbers from 0": ";".join(map(str, range(8))) + "\n" + "\n".join(ROWS),
    "column and row numbers from 1": ";"
    + ";".join(map(str, range(1, 9)))
    + "\n"
    + "\n".join(f"{i};{row}" for i, row in enumerate(ROWS, start=1)),
    "corner word": "y/x;" + ";".join(map(str, range(8))) + "\n" + "\n".join(f"{i};{row}" for i, row in enumerate(ROWS)),
    "row names": "\n".join(f"Row {i};{row}" for i, row in enumerate(ROWS)),
    "blank lines after": "\n".join(ROWS) + "\n\n\n",
}


@pytest.mark.parametrize("content", HEADERS.values(), ids=HEADERS.keys())
def test_what_programs_write_around_a_matrix(write: Write, content: str) -> None:
    np.testing.assert_allclose(opened(write("a.csv", content)), VALUES, atol=1e-5)


def test_labels_and_headers_are_said(write: Write) -> None:
    warnings = open_thermogram(write("a.csv", HEADERS["parameters before"])).attrs["warnings"]
    assert warnings == ["4 lines of other text stand before the matrix; nothing but a unit was looked for there."]
    warnings = open_thermogram(write("b.csv", HEADERS["corner word"])).attrs["warnings"]
    assert warnings == ["Labels of rows or columns were left out of the matrix."]


def test_a_ramp_of_temperatures_is_no_label(write: Write) -> None:
    ramp = np.arange(1, 49, dtype=np.float64).reshape(6, 8)
    np.testing.assert_array_equal(opened(write("a.csv", text(values=ramp))), ramp)
    down = np.repeat(np.arange(1, 7, dtype=np.float64)[:, None], 8, axis=1)
    whole = "\n".join(",".join(f"{v:.0f}" for v in row) for row in down)
    np.testing.assert_array_equal(opened(write("b.csv", whole)), down)


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("Unit;K", VALUES + 273.15),
        ("Temperature [°F]", VALUES * 1.8 + 32),
        ("TempUnit=Kelvin", VALUES + 273.15),
        ("Reflected 20 °C\nTemperature unit: K", VALUES + 273.15),
    ],
)
def test_units_in_headers_are_converted_and_said(write: Write, header: str, values: NDArray[np.float64]) -> None:
    thermogram = open_thermogram(write("a.csv", f"{header}\n" + text(";", values=values)))
    np.testing.assert_allclose(thermogram["temperature"], VALUES, atol=0.011)
    assert any("converted to °C" in warning for warning in thermogram.attrs["warnings"])


def test_contradicting_units_are_refused(write: Write) -> None:
    with pytest.raises(UnreadableFileError, match="found °C and °F"):
        open_thermogram(write("a.csv", "Low 20 °C\nHigh 90 °F\n" + text()))


def broken(row: int, column: int, cell: str) -> str:
    lines = text().splitlines()
    cells = lines[row].split(",")
    cells[column] = cell
    lines[row] = ",".join(cells)
    return "\n".join(lines)


@pytest.mark.parametrize("cell", ["cold", "", "inf", "1e999", "1_0", "0x10", "--5", "21.3C"])
@pytest.mark.parametrize(("row", "column"), [(0, 4), (3, 2), (5, 6)])
def test_words_are_named_with_their_place(write: Write, cell: str, row: int, column: int) -> None:
    expected = f"row {row + 1}, column {column + 1}: expected a number; found {cell!r}"
    with pytest.raises(UnreadableFileError, match=expected.replace("(", r"\(")):
        open_thermogram(write("a.csv", broken(row, column, cell)))


@pytest.mark.parametrize(("row", "length"), [(0, 5), (2, 5), (5, 3), (3, 9)])
def test_ragged_rows_are_named(write: Write, row: int, length: int) -> None:
    lines = text().splitlines()
    lines[row] = ",".join((lines[row] + ",21.00,21.00").split(",")[:length])
    with pytest.raises(UnreadableFileError, match=f"row {row + 1}: expected 8 columns; found {length}"):
        open_thermogram(write("a.csv", "\n".join(lines)))


def test_an_empty_line_inside_is_named(write: Write) -> None:
    lines = text().splitlines()
    lines.insert(3, "")
    with pytest.raises(UnreadableFileError, match="row 4: expected 8 columns; found 0"):
        open_thermogram(write("a.csv", "\n".join(lines)))


def test_many_problems_come_together_and_are_counted(write: Write) -> None:
    content = text().replace(".", "?")
    with pytest.raises(RewarmError, match=r"text without one|and 43 more"):
        open_thermogram(write("a.csv", content))
    lines = text().splitlines()
    lines[1] = lines[1].replace(".", "x")
    with pytest.raises(UnreadableFileError, match=r"row 2, column 1: .*row 2, column 5: .*and 3 more"):
        open_thermogram(write("b.csv", "\n".join(lines)))


def test_nan_is_a_missing_pixel(write: Write) -> None:
    values = opened(write("a.csv", broken(2, 3, "NaN")))
    assert np.isnan(values[2, 3])
    assert int(np.isnan(values).sum()) == 1


@pytest.mark.parametrize("content", ["hello world\nthis is text", "42\n", "\n \n", "<html><body>1,2</body></html>"])
def test_text_without_a_matrix(write: Write, content: str) -> None:
    with pytest.raises(NotRadiometricError, match="expected a matrix of temperatures"):
        open_thermogram(write("a.txt", content))


@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "a.npy"])
def test_text_under_another_name(write: Write, name: str) -> None:
    with pytest.raises(UnreadableFileError, match="expected what its name promises"):
        open_thermogram(write(name, text()))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (VALUES + 273.15, "looks like kelvin"),
        (VALUES * 500, "looks like raw counts"),
        (VALUES - 400, "nothing is colder"),
    ],
)
def test_what_cannot_be_celsius_is_refused(write: Write, values: NDArray[np.float64], words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        open_thermogram(write("a.csv", text(values=values)))


def test_what_may_be_fahrenheit_is_warned_of(write: Write) -> None:
    warnings = open_thermogram(write("a.csv", text(values=VALUES * 1.8 + 32))).attrs["warnings"]
    assert len(warnings) == 1
    assert "If the numbers are °F" in warnings[0]


def test_cut_out_background_has_no_temperature(write: Write) -> None:
    values = np.zeros((6, 8))
    values[1:5, 2:6] = 24.5
    values[2, 3] = 0  # a hole: zero cannot be a temperature of this scene either
    thermogram = open_thermogram(write("a.csv", text(values=values)))
    assert int(np.isnan(thermogram["temperature"].values).sum()) == 48 - 15
    assert "33 of 48 pixels are exactly 0" in thermogram.attrs["warnings"][0]


@pytest.mark.parametrize("warmest", [2.5, 30.0])
def test_a_scene_around_zero_keeps_its_zeros(write: Write, warmest: float) -> None:
    values = np.linspace(-warmest, warmest, 48).reshape(6, 8)
    values[0, 0] = 0
    thermogram = open_thermogram(write("a.csv", text(values=values)))
    assert thermogram["temperature"].values[0, 0] == 0
    assert thermogram.attrs["warnings"] == []


def test_overrides_cannot_be_honoured(write: Write) -> None:
    with pytest.raises(InvalidInputError, match="emissivity, air_c: expected a file that holds"):
        open_thermogram(write("a.csv", text()), emissivity=0.98, air_c=22)


@given(
    values=hnp.arrays(
        np.float64, hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=9), elements=st.floats(-40, 150)
    ),
    layout=st.sampled_from([(",", "."), (";", ","), ("\t", ","), (" ", "."), ("\t", ".")]),
)
def test_any_matrix_comes_back(values: NDArray[np.float64], layout: tuple[str, str]) -> None:
    separator, decimal = layout
    written = "\n".join(separator.join(f"{v:.3f}".replace(".", decimal) for v in row) for row in values)
    np.testing.assert_allclose(parse_matrix(written).values, values, atol=0.000501)
