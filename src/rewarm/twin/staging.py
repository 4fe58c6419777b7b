"""Simulated studies that are either complete or not there: made beside their place, then renamed into it.

A study whose scans take long is made in the hidden folder ``.NAME.part`` beside its place. What was finished when the
simulation was interrupted stays there, and the same simulation goes on from it; any other starts over.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rewarm.errors import OutputError
from rewarm.locks import locked
from rewarm.version import __version__

MARKER: Final = "truth/made_by.json"
MAKERS: Final = ("rewarm.twin.simulate_case_series", "rewarm.twin.simulate_study")
"""What may stand as ``made_by`` in the marker of a folder that may be replaced."""
_LOCK: Final = "lock"
_MADE_OF: Final = "made_of.json"
_NOTES: Final = "done"


@contextmanager
def staged_study(target: Path) -> Iterator[Path]:
    """Yield a new folder beside ``target``; when the block ends well it becomes ``target``, else it vanishes.

    ``target`` may be absent, empty, or a study that the simulator made, which is replaced as a whole.
    Raises :class:`rewarm.errors.OutputError` where it is anything else, or cannot be written.
    """
    _check_replaceable(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise OutputError(
            f"{target}: cannot be made ({error.strerror}). Choose a folder that you may write to"
        ) from error
    try:
        made = stage / "study"
        for name in ("thermograms", "truth/labels"):
            (made / name).mkdir(parents=True)
        yield made
        _swap(made, target, stage / "old")
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror}). Choose another folder") from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


@dataclass(frozen=True)
class Stage:
    """Where a study is made: ``study`` is its folder, ``notes`` holds one note for each scan that is complete."""

    study: Path
    notes: Path

    def note(self, scan: str) -> Path:
        """Where the note of a scan is, or will be."""
        return self.notes / f"{scan}.json"


@contextmanager
def resumable_study(target: Path, made_of: str) -> Iterator[Stage]:
    """Yield where the study is to be made; when the block ends well it becomes ``target``.

    ``made_of`` tells this simulation from others: scans that the same one has noted are there already. If the block
    ends otherwise, they are kept; where there is none, nothing is left. ``target`` is as in :func:`staged_study`.
    Raises :class:`rewarm.errors.OutputError` where it is anything else, cannot be written, or another process is
    making it at this moment.
    """
    _check_replaceable(target)
    part = _part(target)
    try:
        part.mkdir(parents=True, exist_ok=True)
        with (part / _LOCK).open("a+b") as stream:
            if not locked(stream):
                raise OutputError(
                    f"{target}: another process is simulating into it. Wait for it, or choose another folder"
                )
            stage = _begun(part, made_of)
            try:
                yield stage
                _swap(stage.study, target, part / "old")
            finally:
                if not any(stage.notes.glob("*.json")) or not stage.study.exists():
                    shutil.rmtree(part, ignore_errors=True)
        if not stage.study.exists():
            shutil.rmtree(part, ignore_errors=True)  # where a file that is open cannot be removed
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror}). Choose another folder") from error


def kept_scans(target: Path, made_of: str) -> int:
    """How many complete scans an interrupted simulation of the same study left beside ``target``."""
    part = _part(target)
    return len(list((part / _NOTES).glob("*.json"))) if _made_of(part) == _digest(made_of) else 0


def unfinished(target: Path) -> str:
    """One line on what an interrupted simulation left beside ``target``, or "" where it left nothing."""
    part = _part(target)
    kept = len(list((part / _NOTES).glob("*.json")))
    if not kept or _made_of(part) is None:
        return ""
    return (
        f"{kept} finished scans are kept in {part}; the same command goes on from there. Delete it if it is not wanted"
    )


def write_whole(path: Path, content: Any) -> None:
    """Write JSON so that a kill leaves nothing, or all of it."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content), encoding="utf-8", newline="\n")
    fresh.replace(path)


def _begun(part: Path, made_of: str) -> Stage:
    stage = Stage(part / "study", part / _NOTES)
    if _made_of(part) != _digest(made_of) or not stage.study.is_dir():
        for folder in (stage.study, stage.notes, part / "old"):
            shutil.rmtree(folder, ignore_errors=True)
        write_whole(part / _MADE_OF, _digest(made_of))
    for folder in (stage.notes, stage.study / "thermograms", stage.study / "truth" / "labels"):
        folder.mkdir(parents=True, exist_ok=True)
    return stage


def _made_of(part: Path) -> str | None:
    try:
        return str(json.loads((part / _MADE_OF).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def _digest(made_of: str) -> str:
    return hashlib.sha256(f"{__version__} {made_of}".encode()).hexdigest()


def _part(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


def write_marker(study: Path, *, made_by: str, seed: int) -> None:
    """Say in the truth what made the study, and the seed that makes it again."""
    made = {"made_by": made_by, "version": __version__, "seed": seed}
    (study / MARKER).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8", newline="\n")


def _swap(made: Path, target: Path, aside: Path) -> None:
    """Put ``made`` where ``target`` is or will be; what was there comes back if that fails."""
    if target.exists():
        target.replace(aside)
    try:
        made.replace(target)
    except OSError:
        if aside.exists():
            aside.replace(target)
        raise


def _check_replaceable(target: Path) -> None:
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    try:
        made_by = json.loads((target / MARKER).read_text(encoding="utf-8")).get("made_by")
    except (OSError, ValueError, AttributeError):
        made_by = None
    if made_by not in MAKERS:
        raise OutputError(
            f"{target}: expected a new folder, or a study that the simulator made (it holds {MARKER}); "
            "found something else. Nothing was changed. Choose another folder, or move this one away"
        )
