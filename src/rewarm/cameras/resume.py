"""A recording's conversion that was killed goes on from its last complete block.

Beside the output ``a.zarr`` lies the hidden folder ``.a.zarr.part`` while it is made: the unfinished store, and a note
of what is made of what, and how many frames are done. The same conversion goes on from there; any other starts over.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import xarray as xr

from rewarm.cameras.store import STORE_VERSION, create_store, fill_store, reopen_store
from rewarm.cameras.writers import Progress
from rewarm.locks import locked
from rewarm.version import __version__

_STORE: Final = "store"
_NOTE: Final = "resume.json"
_LOCK: Final = "lock"


@contextmanager
def held_part(target: Path) -> Iterator[Path | None]:
    """The part folder of ``target``, kept from others until the block ends; None where another process has it.

    What lies in it afterwards stays there: :func:`forget` removes it. A process that is killed lets go of it.
    """
    part = _part(target)
    part.mkdir(exist_ok=True)
    with (part / _LOCK).open("a+b") as stream:
        yield part if locked(stream) else None
    if sys.platform == "win32" and not (part / _NOTE).exists():  # where a file that is open cannot be removed
        forget(part)


def write_resumably(thermogram: xr.Dataset, part: Path, made_of: Mapping[str, Any], on_progress: Progress) -> Path:
    """Write a recording's store into ``part`` and return it; frames that are complete in it already are not read.

    ``made_of`` (JSON) tells this conversion from others: the source's hash and the options. What lies in ``part`` of
    another conversion, of another version of rewarm, or damaged, is removed first.
    """
    folder = part / _STORE
    identity = {**made_of, "software": f"rewarm {__version__}", "store": STORE_VERSION}
    total = thermogram.sizes["time"]
    note = _read(part)
    stored = reopen_store(thermogram, folder) if note.get("made_of") == identity else None
    start = note.get("frames_done")
    if stored is None or not isinstance(start, int) or not 0 <= start <= total:
        shutil.rmtree(folder, ignore_errors=True)
        (part / _NOTE).unlink(missing_ok=True)
        stored, start = create_store(thermogram, folder), 0

    def complete(frames_done: int) -> None:
        _write(part, {"made_of": identity, "frames_done": frames_done, "frames": total})

    complete(start)
    fill_store(thermogram, stored, on_progress, start=start, on_block=complete)
    return folder


def unfinished(output: Path) -> str:
    """One line on what an interrupted conversion to ``output`` left, or "" where it left nothing."""
    note = _read(_part(output))
    if not note or not note["frames_done"]:
        return ""
    return (
        f"{note['frames_done']} of {note['frames']} frames are kept in {_part(output)}; the same command goes on from "
        "there. Delete that folder if it is not wanted"
    )


def forget(part: Path) -> None:
    """Remove a part folder."""
    shutil.rmtree(part, ignore_errors=True)


def _part(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


def _read(part: Path) -> dict[str, Any]:
    try:
        note = json.loads((part / _NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) and {"made_of", "frames_done", "frames"} <= note.keys() else {}


def _write(part: Path, note: Mapping[str, Any]) -> None:
    """Replaced at once, so that a kill leaves the old note or the new one."""
    fresh = part / f"{_NOTE}.new"
    fresh.write_text(json.dumps(note, sort_keys=True), encoding="utf-8")
    fresh.replace(part / _NOTE)
