"""Which file in ``annotations/`` is what.

``SCAN.geojson`` holds the corrections that every analysis uses. ``SCAN.AUTHOR.geojson`` is another person's drawing of
the same scan, used for nothing but the agreement between the two. ``SCAN.proposed.geojson`` is a proposal that nobody
has looked at yet, and is not used.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SUFFIX: Final = ".geojson"
PROPOSED: Final = "proposed"
"""No author's name: it marks proposals."""


@dataclass(frozen=True)
class Annotation:
    """A file of annotations/: of which scan, and by which other author ("" for the corrections that are used)."""

    path: Path
    scan: str
    author: str


def annotation_path(folder: Path, scan: str) -> Path:
    """Where the corrections of a scan lie that every analysis uses."""
    return folder / "annotations" / f"{scan}{SUFFIX}"


def annotation_of(path: Path, scans: Collection[str]) -> Annotation | None:
    """What a file is, by its name; None where it belongs to no scan.

    A scan's name may hold dots: a file that is named exactly as a scan is that scan's, else the longest name that fits
    counts. An author's name is made of letters, digits, - and _.
    """
    if path.suffix != SUFFIX:
        return None
    if path.stem in scans:
        return Annotation(path, path.stem, "")
    scan, _, author = path.stem.rpartition(".")
    if scan in scans and re.fullmatch(r"[\w-]+", author):
        return Annotation(path, scan, author)
    return None


def study_annotations(folder: Path, scans: Collection[str]) -> tuple[Annotation, ...]:
    """Every annotation of the scans, proposals left out, in the order of their names."""
    place = folder / "annotations"
    if not place.is_dir():
        return ()
    found = (annotation_of(path, scans) for path in sorted(place.iterdir()) if path.is_file())
    return tuple(item for item in found if item is not None and item.author != PROPOSED)
