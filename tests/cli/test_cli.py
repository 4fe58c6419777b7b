"""The command line as a whole: its help, its version, a quick start, and words that it does not know."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command

import rewarm
from rewarm.cli import MODULES, app

Run = Callable[..., tuple[int, str, str]]


def test_help_of_every_command_has_an_example(run: Run) -> None:
    status, text, _ = run("--help")
    assert status == 0
    commands = list(get_command(app).commands)  # type: ignore[attr-defined]
    assert commands[:8] == ["info", "convert", "measure", "compare", "check", "run", "propose", "demo"]
    for command in commands:
        assert command in text
        status, manual, _ = run(command, "--help")
        assert status == 0
        assert f"rewarm {command}" in manual.replace("\n", " "), f"{command} --help shows no example"


def test_every_module_of_commands_is_registered() -> None:
    folder = Path(rewarm.__file__).parent / "cli"
    names = {f"rewarm.cli.{path.stem}" for path in folder.glob("*.py") if not path.stem.startswith("_")}
    assert {name for name in names if hasattr(importlib.import_module(name), "COMMANDS")} == set(MODULES)


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"rewarm {rewarm.__version__}\n", "")


def test_starting_is_cheap() -> None:
    """Nothing heavy is loaded before a command needs it."""
    code = "import sys, rewarm.cli; print([name for name in ('numpy', 'pandas', 'xarray') if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"


def test_public_names_can_be_loaded_and_others_not() -> None:
    for name in rewarm.__all__:
        assert getattr(rewarm, name) is not None
    assert set(dir(rewarm)) == set(rewarm.__all__)
    with pytest.raises(AttributeError, match="no attribute 'measur'"):
        _ = rewarm.measur


def test_wrong_words_name_the_right_ones(run: Run, scan: Path, study: Path, tmp_path: Path) -> None:
    for arguments, said in (
        (("measure", scan, "-o", tmp_path / "a", "--limb", "paw"), "left_foot"),
        (("measure", scan, "-o", tmp_path / "a", "--view", "top"), "plantar"),
        (("run", study, "-o", tmp_path / "a", "--palette", "jet"), "cividis"),
        (("convert", scan, "-o", tmp_path / "a.xyz"), ".zarr"),
    ):
        status, _, errors = run(*arguments)
        assert status == 2, arguments
        assert said in errors, errors
    assert not list(tmp_path.iterdir())
