from __future__ import annotations

import json
from pathlib import Path

import pytest

from rewarm.errors import OutputError
from rewarm.study import staged_output


def write(output: Path, **files: str) -> None:
    with staged_output(output) as stage:
        for name, text in files.items():
            (stage / f"{name}.txt").write_text(text, encoding="utf-8")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_appears_complete_with_a_marker_that_names_its_files(tmp_path: Path) -> None:
    write(tmp_path / "deep" / "out", a="1", b="2")
    assert names(tmp_path / "deep") == ["out"]
    assert names(tmp_path / "deep" / "out") == ["a.txt", "b.txt", "run.json"]
    marker = json.loads((tmp_path / "deep" / "out" / "run.json").read_text(encoding="utf-8"))
    assert marker["files"] == ["a.txt", "b.txt", "run.json"]


def test_what_the_marker_already_says_is_kept(tmp_path: Path) -> None:
    with staged_output(tmp_path / "out") as stage:
        (stage / "run.json").write_text('{"study": "x"}', encoding="utf-8")
    assert json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["study"] == "x"


def test_an_empty_folder_is_used_and_an_earlier_output_replaced_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write(tmp_path / "out", a="1")
    write(tmp_path / "out", b="2")
    assert names(tmp_path / "out") == ["b.txt", "run.json"]
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
def test_an_interruption_leaves_nothing_behind(tmp_path: Path, error: type[BaseException]) -> None:
    def stop_halfway() -> None:
        with staged_output(tmp_path / "deep" / "er" / "out") as stage:
            (stage / "half.txt").write_text("half", encoding="utf-8")
            raise error

    with pytest.raises(error):
        stop_halfway()
    assert names(tmp_path) == []


def test_an_interruption_leaves_the_earlier_output_as_it_was(tmp_path: Path) -> None:
    write(tmp_path / "out", a="1")
    with pytest.raises(KeyboardInterrupt), staged_output(tmp_path / "out"):
        raise KeyboardInterrupt
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "a.txt").read_text(encoding="utf-8") == "1"


def test_a_rename_that_fails_brings_the_earlier_output_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "out", a="1")
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.name.endswith(".part"):
            raise PermissionError(13, "Permission denied")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(OutputError, match=r"permission denied\. Close programs that have its files open"):
        write(tmp_path / "out", b="2")
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["a.txt", "run.json"]


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work", encoding="utf-8")
    with pytest.raises(OutputError, match=r"found other files \(thesis.docx\). Give a new folder"):
        write(tmp_path, a="1")
    assert names(tmp_path) == ["thesis.docx"]


@pytest.mark.parametrize("marker", ["{}", "[]", "{", '{"contract": "rewarm output 1"}'])
def test_a_run_json_of_somebody_else_is_no_licence_to_delete(tmp_path: Path, marker: str) -> None:
    (tmp_path / "run.json").write_text(marker, encoding="utf-8")
    with pytest.raises(OutputError, match="earlier output of rewarm"):
        write(tmp_path, a="1")
    assert names(tmp_path) == ["run.json"]


def test_a_file_that_a_person_added_to_an_earlier_output_is_protected(tmp_path: Path) -> None:
    write(tmp_path / "out", a="1")
    (tmp_path / "out" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"did not write \(notes.txt\). Move them elsewhere"):
        write(tmp_path / "out", b="2")
    assert names(tmp_path / "out") == ["a.txt", "notes.txt", "run.json"]


def test_what_file_managers_leave_is_no_reason_to_refuse(tmp_path: Path) -> None:
    write(tmp_path / "out", a="1")
    (tmp_path / "out" / "Thumbs.db").write_bytes(b"x")
    write(tmp_path / "out", b="2")
    assert names(tmp_path / "out") == ["b.txt", "run.json"]


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match=r"found a file\. Give another name"):
        write(tmp_path / "out", a="1")
    with pytest.raises(OutputError, match="cannot be written"):
        write(tmp_path / "out" / "inside", a="1")


def test_an_output_that_holds_its_own_input_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "out", a="1")
    with (
        pytest.raises(OutputError, match="apart from the input"),
        staged_output(tmp_path / "out", protect=[tmp_path / "out" / "a.txt"]),
    ):
        pass
    assert names(tmp_path / "out") == ["a.txt", "run.json"]
