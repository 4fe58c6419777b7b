"""Readers of other packages: installed in a folder as pip would, found by Python's own entry points."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rewarm.cameras import open_thermogram
from rewarm.errors import InvalidInputError, NotRadiometricError, UnreadableFileError

Write = Callable[[str, bytes | str], Path]
Install = Callable[..., None]

SOUND = """
import numpy as np
from rewarm.cameras import Reader
from rewarm.errors import UnreadableFileError
from rewarm.cameras.parameters import refuse_overrides
from rewarm.thermogram import make_thermogram

def sniff(head, path):
    return head.startswith(b"\\x00ACME")

def open_acme(source, overrides):
    refuse_overrides(overrides, kind="an Acme picture")
    if len(source.data) < 9:
        raise UnreadableFileError("expected an Acme picture; found a truncated one")
    return make_thermogram(
        np.full((4, 5), source.data[5], np.float32), provenance=source.provenance("NAME"), warnings=["Read by Acme."]
    )

READER = Reader("NAME", "Acme .acm", sniff, open_acme, False)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package with one module and one reader, in the way that pip leaves behind."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def put(package: str, code: str, *, name: str = "acme", target: str = "READER") -> None:
        module = package.replace("-", "_")
        (site / f"{module}.py").write_text(code, encoding="utf-8")
        metadata = site / f"{module}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
        (metadata / "entry_points.txt").write_text(f"[rewarm.readers]\n{name} = {module}:{target}\n", encoding="utf-8")
        monkeypatch.delitem(sys.modules, module, raising=False)

    return put


def sound(name: str = "Acme") -> str:
    return SOUND.replace("NAME", name)


ACME = b"\0ACME" + bytes([30]) + bytes(10)


def test_an_installed_reader_opens_its_files(write: Write, install: Install) -> None:
    with pytest.raises(UnreadableFileError, match="belong to none"):
        open_thermogram(write("a.acm", ACME))
    install("rewarm-acme", sound())
    thermogram = open_thermogram(write("a.acm", ACME))
    np.testing.assert_array_equal(thermogram["temperature"], np.full((4, 5), 30))
    assert thermogram.attrs["provenance_reader"] == "Acme"
    assert thermogram.attrs["warnings"] == ["Read by Acme."]


def test_its_errors_get_the_files_name(write: Write, install: Install) -> None:
    install("rewarm-acme", sound())
    with pytest.raises(UnreadableFileError, match=r"a\.acm: expected an Acme picture; found a truncated one"):
        open_thermogram(write("a.acm", b"\0ACME"))
    with pytest.raises(InvalidInputError, match="found an Acme picture, which holds finished temperatures"):
        open_thermogram(write("a.acm", ACME), emissivity=0.9)


def test_names_decide_the_order(write: Write, install: Install) -> None:
    install("rewarm-zebra", sound("last"), name="zebra")
    install("rewarm-acme", sound("first"), name="beaver")
    assert open_thermogram(write("a.acm", ACME)).attrs["provenance_reader"] == "first"


def test_rewarms_own_readers_come_first(write: Write, install: Install) -> None:
    greedy = sound().replace('head.startswith(b"\\x00ACME")', "True")
    install("rewarm-acme", greedy, name="aaa")
    assert open_thermogram(write("a.csv", "20,21\n22,23\n")).attrs["provenance_reader"] == "text matrix"


def test_a_picture_format_may_be_anothers(write: Write, install: Install) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(20)
    with pytest.raises(NotRadiometricError, match="a PNG picture"):
        open_thermogram(write("a.png", picture))
    install("rewarm-acme", sound().replace('b"\\x00ACME"', 'b"\\x89PNG"'))
    assert open_thermogram(write("a.png", picture)).attrs["provenance_reader"] == "Acme"


BROKEN = {
    "a missing dependency": ("import no_such_module_anywhere\n", "ModuleNotFoundError: No module named"),
    "a syntax error": ("def (:\n", "SyntaxError"),
    "no such attribute": ("OTHER = 1\n", "AttributeError"),
    "no reader": ("READER = 5\n", "TypeError: expected a rewarm.cameras.Reader; found int without name"),
    "sniff trips": (sound().replace("return head", "1 / 0\n    return head"), "ZeroDivisionError"),
    "sniff is no function": (
        sound().replace("sniff, open_acme", "None, open_acme"),
        "TypeError: expected a rewarm.cameras.Reader; found one whose sniff or open is",
    ),
}


@pytest.mark.parametrize("case", list(BROKEN))
def test_a_broken_package_is_named_and_spoils_no_other(write: Write, install: Install, case: str) -> None:
    code, words = BROKEN[case]
    install("rewarm-broken", code, name="aaa")
    with pytest.raises(UnreadableFileError, match=f"'aaa' of the package 'rewarm-broken' does not work .{words}"):
        open_thermogram(write("a.acm", ACME))
    install("rewarm-acme", sound(), name="bbb")
    thermogram = open_thermogram(write("a.acm", ACME))
    assert thermogram.attrs["provenance_reader"] == "Acme"
    assert "'aaa' of the package 'rewarm-broken' does not work" in thermogram.attrs["warnings"][1]
    assert open_thermogram(write("a.csv", "20,21\n22,23\n")).attrs["warnings"] == []


def test_a_reader_that_trips_is_named(write: Write, install: Install) -> None:
    install("rewarm-acme", sound().replace("    refuse_overrides", "    1 / 0\n    refuse_overrides"))
    with pytest.raises(UnreadableFileError, match=r"a\.acm: .*package 'rewarm-acme' stopped with ZeroDivisionError"):
        open_thermogram(write("a.acm", ACME))


def test_a_result_that_breaks_the_contract_is_named(write: Write, install: Install) -> None:
    install("rewarm-acme", sound().replace("    return make_thermogram(", "    return (lambda *_, **__: {})("))
    with pytest.raises(UnreadableFileError, match="'rewarm-acme'; found one that breaks the contract"):
        open_thermogram(write("a.acm", ACME))
