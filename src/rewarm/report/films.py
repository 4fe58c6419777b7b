"""The animations of a study's report: before beside the first visit after, of each person whose challenges allow it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rewarm.errors import RewarmError
from rewarm.report.animation import write_animations
from rewarm.report.people import Person
from rewarm.report.words import visit_words
from rewarm.study.films import rewarming_film
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
