"""The command line called in this process, and a simulated case series for it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import rewarm
from rewarm.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process: (exit status, standard output, standard error)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rewarm", *map(str, arguments)])
        capsys.readouterr()
        status = 0
        try:
            main()
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 0
        streams = capsys.readouterr()
        return status, streams.out, streams.err

    return call


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated case series; tests only read it."""
    return rewarm.simulate_case_series(tmp_path_factory.mktemp("series") / "study")


@pytest.fixture
def scan(study: Path) -> Path:
    return study / "thermograms" / "P01_month03.jpg"
