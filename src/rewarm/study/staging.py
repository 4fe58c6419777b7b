"""Output folders that are either complete or not there: built beside their place, then renamed into it."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from rewarm.errors import OutputError
from rewarm.version import __version__

MARKER: Final = "run.json"
CONTRACT: Final = "rewarm output 1"
_LITTER: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


@contextmanager
def staged_output(output: str | Path, *, marker: str = MARKER, protect: Sequence[Path] = ()) -> Iterator[Path]:
    """Yield an empty folder beside ``output``; when the block ends well it becomes ``output``, else it vanishes.

    ``output`` may be absent, empty, or an earlier output of rewarm, which is replaced as a whole: it is recognised by
    ``marker``, a JSON file that names every file of the folder and that is completed here. Nothing else is ever
    overwritten: a folder that holds a file rewarm did not write, or one of the paths in ``protect``, is refused.

    Raises :class:`OutputError`.
    """
    target = Path(output).resolve()
    _check_replaceable(target, marker, protect)
    created = _make_parents(target.parent)
    stage = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.part"
    try:
        _write(lambda: stage.mkdir(), target)
        yield stage
        complete_marker(stage, marker)
        _write(lambda: _swap(stage, target), target)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        for folder in created:
            with suppress(OSError):
                folder.rmdir()
        raise


def complete_marker(folder: Path, marker: str = MARKER) -> None:
    """Write into the marker which contract the folder follows and which files belong to it."""
    path = folder / marker
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    content["contract"] = CONTRACT
    content.setdefault("software", f"rewarm {__version__}")
    content["files"] = sorted({*_files(folder), marker})
    write_json(path, content)


def write_json(path: Path, content: object) -> None:
    """UTF-8, readable, the same bytes on every system."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_bytes((text + "\n").encode())


def _files(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()]


def _check_replaceable(target: Path, marker: str, protect: Sequence[Path]) -> None:
    if target.exists() and not target.is_dir():
        raise OutputError(f"{target}: expected a folder for the output; found a file. Give another name")
    for path in protect:
        if path.resolve().is_relative_to(target):
            holds = "the input itself" if path.resolve() == target else f"that it holds {path}"
            raise OutputError(
                f"{target}: expected an output folder apart from the input; found {holds}. Give another folder"
            )
    if not target.exists():
        return
    try:
        found = [name for name in _files(target) if name.rsplit("/", maxsplit=1)[-1] not in _LITTER]
    except OSError as error:
        raise OutputError(f"{target}: the folder cannot be read: {_reason(error)}") from None
    if not found:
        return
    known = _written_by_rewarm(target / marker)
    if known is None:
        raise OutputError(
            f"{target}: expected an empty folder, or an earlier output of rewarm; found other files "
            f"({_some(found)}). Give a new folder, or empty this one yourself"
        )
    if foreign := sorted(set(found) - known):
        raise OutputError(
            f"{target}: expected an earlier output of rewarm, to replace it; found files in it that rewarm did not "
            f"write ({_some(foreign)}). Move them elsewhere, or give a new folder"
        )


def _written_by_rewarm(marker: Path) -> set[str] | None:
    try:
        content = json.loads(marker.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if (
        not isinstance(content, dict)
        or content.get("contract") != CONTRACT
        or not isinstance(content.get("files"), list)
    ):
        return None
    return {name for name in content["files"] if isinstance(name, str)}


def _make_parents(folder: Path) -> list[Path]:
    """Create what is missing; returned innermost first, to be taken away again after a failure."""
    missing: list[Path] = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    if missing:
        _write(lambda: missing[0].mkdir(parents=True, exist_ok=True), missing[0])
    return missing


def _write(step: Any, target: Path) -> None:
    try:
        step()
    except OSError as error:
        raise OutputError(
            f"{target}: the output cannot be written: {_reason(error)}. Close programs that have its files open, "
            "or give a folder that you may write to"
        ) from error


def _swap(stage: Path, target: Path) -> None:
    """Put the stage in its place; what was there comes back if that fails."""
    if not target.exists():
        stage.rename(target)
        return
    old = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.old"
    target.rename(old)
    try:
        stage.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown}, and {len(names) - 3} more"
