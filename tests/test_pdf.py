"""The PDF printer: the same bytes from either process, and an answer where WeasyPrint is missing."""

from __future__ import annotations

import sys

import pytest

from rewarm.pdf import print_here, print_pdf, second_process

PAGE = "<!doctype html><html lang='en'><head><title>Toes</title></head><body><h1>Warmer: +2.1 °C</h1></body></html>"


def test_both_printers_give_the_same_pdf() -> None:
    here, note = print_here(PAGE)()
    assert note == ""
    assert here is not None
    assert here.startswith(b"%PDF-")
    with second_process() as printer:
        there, _ = printer(PAGE)()
    assert there == here


def test_without_weasyprint_one_line_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    monkeypatch.setattr(sys, "platform", "linux")
    document, advice = print_pdf(PAGE)
    assert document is None
    assert "libpango-1.0-0" in advice
    assert "\n" not in advice


def test_where_no_process_can_be_had_this_one_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no further processes")

    monkeypatch.setattr("rewarm.processes.get_context", refuse)
    with second_process() as printer:
        document, _ = printer(PAGE)()
    assert document is not None
