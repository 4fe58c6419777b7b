"""Simulated studies that are either complete or not there: made beside their place, then renamed into it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rewarm.errors import OutputError
from rewarm.version import __version__

MARKER: Final = "truth/made_by.json"
MAKERS: Final = ("rewarm.twin.simulate_case_series", "rewarm.twin.simulate_study")
"""What may stand as ``made_by`` in the marker of a folder that may be replaced."""


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
