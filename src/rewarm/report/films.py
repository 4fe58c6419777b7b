"""Animations of a study's report (before beside the first visit after, of each person), and of two files."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rewarm.errors import RewarmError
from rewarm.report.animation import write_animation, write_animations, write_fade
from rewarm.report.movies import check_name
from rewarm.report.palettes import choose_palette
from rewarm.report.people import Person
from rewarm.report.words import visit_words
from rewarm.study.films import Shot, file_films, rewarming_film
from rewarm.study.results import Rewarming

FOLDER: Final = "animations"


@dataclass(frozen=True)
class FilmLinks:
    """Where an animation lies, relative to the report, and what it shows."""

    gif: str
    mp4: str
    words: str


def write_films(people: tuple[Person, ...], folder: Path, *, palette: str) -> tuple[dict[str, FilmLinks], list[str]]:
    """Write ``folder``/animations/NAME.gif and .mp4; the links by the sections' keys, and what could not be drawn."""
    links: dict[str, FilmLinks] = {}
    notes: list[str] = []
    for person in people:
        for section in person.rewarmings:
            if len(section.challenges) < 2:
                continue
            before, after = section.challenges[:2]
            name = re.sub(r"[^\w-]+", "_", section.key) or "rewarming"
            paths = [f"{FOLDER}/{name}{suffix}" for suffix in (".gif", ".mp4")]
            try:
                films = [rewarming_film(item, name=_name(item)) for item in (before, after)]
                (folder / FOLDER).mkdir(exist_ok=True)
                write_animations(
                    films[0], films[1], [folder / path for path in paths], palette=palette, who=person.name
                )
            except RewarmError as error:
                notes.append(f"No animation of {section.key}: {error}")
                continue
            words = [visit_words(item.visit) or item.scan for item in (before, after)]
            links[section.key] = FilmLinks(paths[0], paths[1], f"{words[0]} and {words[1]}")
    return links, notes


def _name(item: Rewarming) -> str:
    words = visit_words(item.visit) or item.scan
    return f"{words}, {item.date.isoformat()}" if item.date else words


def animate_files(
    before: str | os.PathLike[str],
    after: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    limb: str = "feet",
    view: str = "plantar",
    time_before_s: float | None = None,
    time_after_s: float | None = None,
    name_before: str = "before",
    name_after: str = "after",
    palette: str = "blue_red",
) -> Path:
    """Show two recordings of rewarming side by side, or two still pictures that turn into each other, as ``path``.

    ``time_*_s`` is when a recording's first frame was taken, in seconds since the end of the cold immersion. Where one
    of them is not given, times count from each recording's beginning. Returns the file's path.

    Raises what :func:`rewarm.report.animation.write_animation` and :func:`rewarm.study.films.file_films` raise.
    """
    target = Path(path)
    check_name(target)
    choose_palette(palette)  # both are refused before the work, not after it
    shots = (Shot(Path(before), name_before, time_before_s), Shot(Path(after), name_after, time_after_s))
    kind, first, second = file_films(*shots, limb=limb, view=view)
    if kind == "fade":
        return write_fade(first, second, target, palette=palette)
    return write_animation(first, second, target, palette=palette)
