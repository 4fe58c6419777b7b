"""InfiRay through its library; other makers refused by name with the export to ask for."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rewarm.cameras import open_thermogram
from rewarm.errors import InvalidInputError, UnreadableFileError

Write = Callable[[str, bytes | str], Path]
Irg = Callable[..., bytes]
Matrix = NDArray[np.float32]


def test_infiray_temperatures(write: Write, irg: Irg, celsius: Matrix) -> None:
    thermogram = open_thermogram(write("a.irg", irg(celsius)))
    np.testing.assert_allclose(thermogram["temperature"], celsius, atol=1 / 32 + 1e-4)
    assert thermogram.attrs["camera_make"] == "InfiRay"
    assert "does not tell emissivity" in thermogram.attrs["warnings"][0]


@pytest.mark.parametrize(
    ("at", "patch", "words"),
    [
        (126, b"\0\0", "end marker not found"),
        (8, b"\xff\xff", "belong to none"),  # a size that contradicts itself is nobody's
        (28, b"\1\0\1\0", None),
    ],
)
def test_damaged_infiray(write: Write, irg: Irg, celsius: Matrix, at: int, patch: bytes, words: str | None) -> None:
    data = bytearray(irg(celsius))
    data[at : at + len(patch)] = patch
    path = write("a.irg", bytes(data))
    if words is None:
        assert open_thermogram(path)["temperature"].shape == (24, 32)
    else:
        with pytest.raises(UnreadableFileError, match=words):
            open_thermogram(path)


def test_truncated_infiray(write: Write, irg: Irg, celsius: Matrix) -> None:
    with pytest.raises(UnreadableFileError, match="File is truncated"):
        open_thermogram(write("a.irg", irg(celsius)[:-10]))


def test_overrides_are_refused(write: Write, irg: Irg, celsius: Matrix) -> None:
    with pytest.raises(InvalidInputError, match="found an InfiRay picture"):
        open_thermogram(write("a.irg", irg(celsius)), emissivity=0.9)


def test_without_the_library_the_install_line(
    write: Write, irg: Irg, celsius: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "infiray_irg", None)  # what Python does for a package that is not there
    with pytest.raises(UnreadableFileError, match=re.escape('pip install "rewarm[infiray]"')):
        open_thermogram(write("a.irg", irg(celsius)))


@pytest.mark.parametrize(
    ("name", "head", "words"),
    [
        ("a.is2", b"PK\x03\x04" + bytes(30), "a Fluke picture.*export as CSV in °C"),
        ("renamed", b"PK\x03\x04" + bytes(26) + b"CameraInfo.gpbenc" + bytes(30), "a Fluke picture"),
        ("a.bmt", b"BM" + bytes(60), "a Testo picture.*IRSoft"),
        ("a.ravi", b"RIFF\0\0\0\0AVI LIST" + bytes(60), "an Optris recording.*PIX Connect"),
        ("a.avi", b"RIFF\0\0\0\0AVI LIST" + bytes(60), "a video"),
        ("a.zip", b"PK\x03\x04" + bytes(60), "a ZIP archive"),
    ],
)
def test_makers_without_a_maintained_reader_are_refused_by_name(
    write: Write, name: str, head: bytes, words: str
) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        open_thermogram(write(name, head))
