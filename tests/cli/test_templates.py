"""The command that begins a study, as a user meets it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Run = Callable[..., tuple[int, str, str]]


def test_new_makes_a_study_that_check_says_how_to_fill_in(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "my-study"
    status, text, _ = run("new", folder, "--design", "parallel", "--with", "diary, injections")
    assert status == 0
    made = sorted(path.name for path in folder.iterdir())
    assert made == ["README.md", "diary.csv", "injections.csv", "participants.csv", "study.toml", "visits.csv"]
    assert all(str(folder / name) in text for name in made)
    assert text.rstrip().endswith(f"then: rewarm check {folder}")
    status, text, _ = run("check", folder)
    assert status == 2
    assert "found nothing yet. Fill it in" in text
    assert "one row a person; found none. Fill it in" in text
    assert "Traceback" not in text


def test_new_makes_workbooks(run: Run, tmp_path: Path) -> None:
    status, _, _ = run("new", tmp_path / "my-study", "--xlsx")
    assert status == 0
    assert (tmp_path / "my-study" / "visits.xlsx").is_file()
    assert not list((tmp_path / "my-study").glob("*.csv"))


def test_new_overwrites_nothing_and_names_what_it_did_not_understand(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", encoding="utf-8")
    status, _, error = run("new", tmp_path / "mine")
    assert (status, [path.name for path in (tmp_path / "mine").iterdir()]) == (2, ["letter.txt"])
    assert "expected a new or an empty folder; found a folder that is not empty" in error
    status, _, error = run("new", tmp_path / "other", "--with", "dairy")
    assert status == 2
    assert "Did you mean 'diary'?" in error
    assert not (tmp_path / "other").exists()
