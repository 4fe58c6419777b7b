"""Scan ids made from file names: safe as file names on every system, and each different."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rewarm.study.columns import file_id_trouble

_LONGEST: Final = 80


def scan_ids(files: Sequence[Path]) -> list[str]:
    """One id a file, in order: its name without suffix, characters that file systems dislike replaced by ``_``.

    Names that are equal but for case get ``_2``, ``_3``, ...
    """
    ids: list[str] = []
    taken: set[str] = set()
    for file in files:
        base = _safe(file.stem)
        name, count = base, 1
        while name.lower() in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name.lower())
        ids.append(name)
    return ids


def _safe(stem: str) -> str:
    kept = "".join(c if c.isprintable() and c not in '\\/:*?"<>|' else "_" for c in stem)[:_LONGEST].strip(" .")
    return f"_{kept}" if not kept or file_id_trouble(kept) else kept
