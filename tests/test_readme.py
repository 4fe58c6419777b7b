"""The README's words: its Python runs, its commands exist, its links lead somewhere."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.main import get_command

import rewarm
from rewarm.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_first_lines_are_the_two_commands() -> None:
    first = README.split("```")[1]
    assert "make demo" in first
    assert "make test" in first
    assert README.index("make demo") < 60


def test_its_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    study = rewarm.simulate_case_series(tmp_path / "study")
    shutil.copy(study / "thermograms" / "P01_month03.jpg", tmp_path / "before.jpg")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "toe1" in printed
    assert "degC" in printed


def test_its_commands_exist() -> None:
    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"^rewarm (\w+)", README, flags=re.MULTILINE))
    assert named
    assert named <= known
    assert known - {"demo"} <= named, "a command is missing from the README"


def test_the_functions_that_it_names_are_there() -> None:
    for name in set(re.findall(r"rewarm\.(\w+)\(", README)):
        assert name in rewarm.__all__, name


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert ((ROOT / page).parent / target).exists(), f"{page} links to {target}, which is not there"
