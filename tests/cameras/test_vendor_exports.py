"""Exports of the makers' own programs, as small files of the same layout.

Where a layout is known from:

- FLIR Tools, FLIR Tools+: the exports of the data set doi 10.7717/peerj-cs.977 (tabs, semicolons or commas; decimal
  point or comma; no header).
- FLIR ResearchIR: open readers of its CSV (the path after "File:", an empty line, "Parameters:" and one line each for
  emissivity, distance and so on with an empty first cell, then the frame's name before the first row).
- InfraTec IRBIS 3: open readers of its ASCII export (pascalbourgault's ircam_reader.py, djessop's irbisCSV2file.py):
  sections [Settings] with TempUnit, [Parameter], [MeasDefs], [Data]; tab or comma, decimal comma; Windows encoding.
- Optris PIX Connect: no public description was found; matrices with semicolons or tabs, one decimal, are what its
  users show.
- FLIR Duo, 14-bit TIFF: its manual, 5.1.7.3.1: counts × 0.01 − 273.15.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from rewarm.cameras import open_thermogram
from rewarm.errors import UnreadableFileError

Write = Callable[[str, bytes | str], Path]
VALUES = np.round(np.random.default_rng(11).uniform(21, 35, size=(12, 16)), 2)


def rows(
    separator: str, decimal: str, values: NDArray[np.float64] = VALUES, *, digits: int = 2, end: str = ""
) -> list[str]:
    return [separator.join(f"{v:.{digits}f}".replace(".", decimal) for v in row) + end for row in values]


RESEARCHIR = [
    "File:,C:\\Users\\Lab\\foot, left.seq",
    "",
    "Parameters:,Emissivity:,0.98",
    ",Distance:,1 m",
    ",Reflected Temp:,20 °C",
    ",Atmospheric Temp:,20 °C",
    ",Relative Humidity:,30 %",
    ",Transmission:,0.99",
    ",Ext. Optics Temp:,20 °C",
    "",
]
IRBIS = [
    "[Settings]",
    "Version=2",
    "ImageWidth=16",
    "ImageHeight=12",
    "ShotRange=-30,87;60,1",
    "CalibRange=-40,00;120,00",
    "TempUnit=°C",
    "",
    "[Parameter]",
    "Level=24,50",
    "Span=10,00",
    "RecDate=14.01.2014",
    "RecTime=17:33:45",
    "Image=1",
    "",
    "[MeasDefs]",
    "ID=Min\tMax\tAvg",
    "R01=21,03\t34,90\t27,45",
    "",
    "[Data]",
]
NUMBERED = ["\t" + "\t".join(map(str, range(1, 17)))]
EXPORTS = {
    "FLIR Tools, tabs": rows("\t", ".", digits=3),
    "FLIR Tools, semicolons and decimal comma": rows(";", ",", digits=3),
    "FLIR Tools, commas and an empty last cell": rows(",", ".", digits=3, end=","),
    "ResearchIR": RESEARCHIR + [("Frame 1," if i == 0 else ",") + row for i, row in enumerate(rows(",", "."))],
    "ResearchIR, plain": rows(",", "."),
    "ResearchIR, semicolons": [line.replace(",", ";") for line in RESEARCHIR] + rows(";", ","),
    "IRBIS, tabs and decimal comma": IRBIS + rows("\t", ","),
    "IRBIS, tabs and an empty last cell": IRBIS + rows("\t", ",", end="\t"),
    "IRBIS, commas": [line.replace("\t", ",") for line in IRBIS] + rows(",", "."),
    "IRBIS, semicolons": IRBIS + rows(";", ","),
    "PIX Connect, semicolons": rows(";", ","),
    "PIX Connect, tabs": rows("\t", "."),
    "PIX Connect, numbered": NUMBERED + [f"{i}\t{row}" for i, row in enumerate(rows("\t", ","), start=1)],
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
@pytest.mark.parametrize("content", EXPORTS.values(), ids=EXPORTS.keys())
def test_exported_text(write: Write, content: list[str], encoding: str, newline: str) -> None:
    thermogram = open_thermogram(write("a.csv", newline.join([*content, ""]).encode(encoding)))
    np.testing.assert_allclose(thermogram["temperature"], VALUES, atol=1e-9)


@pytest.mark.parametrize(("unit", "values"), [("K", VALUES + 273.15), ("°F", VALUES * 1.8 + 32), ("C", VALUES)])
def test_the_unit_that_irbis_states(write: Write, unit: str, values: NDArray[np.float64]) -> None:
    header = [line.replace("TempUnit=°C", f"TempUnit={unit}") for line in IRBIS]
    thermogram = open_thermogram(write("a.asc", "\n".join(header + rows("\t", ",", values, digits=4)).encode("cp1252")))
    np.testing.assert_allclose(thermogram["temperature"], VALUES, atol=1e-4)


def test_the_unit_that_researchir_states(write: Write) -> None:
    """Its reflected temperature may be in °C while the matrix is in kelvin: then the matrix' unit is not guessed."""
    content = RESEARCHIR + rows(",", ".", VALUES + 273.15)
    with pytest.raises(UnreadableFileError, match="looks like kelvin"):
        open_thermogram(write("a.csv", "\n".join(content)))


def tiff(values: NDArray[np.uint16], description: str | None = None) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, description=description)
    return stream.getvalue()


def test_flir_duo_tiff(write: Write) -> None:
    counts = np.round((VALUES + 273.15) / 0.01).astype(np.uint16)
    np.testing.assert_allclose(open_thermogram(write("a.tiff", tiff(counts)))["temperature"], VALUES, atol=0.0051)


@pytest.mark.parametrize(
    "counts",
    [np.round(VALUES * 10 + 1000), np.round(VALUES * 50 + 12000)],
    ids=["tenths of a degree over -100 °C", "raw counts of a detector"],
)
def test_16_bit_tiffs_without_a_known_scale_are_refused(write: Write, counts: NDArray[np.float64]) -> None:
    with pytest.raises(UnreadableFileError, match="expected 16-bit counts that are linear in temperature"):
        open_thermogram(write("a.tiff", tiff(counts.astype(np.uint16))))
