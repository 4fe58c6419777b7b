"""Before | after as a moving picture that a patient understands: GIF, or MP4 that browsers play."""

from __future__ import annotations

import os
from pathlib import Path

from rewarm.study.films import Film


def write_animation(
    before: Film,
    after: Film,
    path: str | os.PathLike[str],
    *,
    palette: str = "blue_red",
    who: str = "",
) -> Path:
    """Draw two recordings of rewarming side by side on one scale and one clock, and write them as ``path``.

    A name that ends in ``.gif`` gives a GIF of at most :data:`rewarm.report.movies.MOST_GIF_BYTES`, one in ``.mp4``
    H.264 (yuv420p). The same films give the same bytes with the same versions of the libraries.

    Raises :class:`rewarm.errors.InvalidInputError` for another suffix, an unknown palette or a film without pictures,
    and :class:`rewarm.errors.OutputError` where the file cannot be written.
    """
    raise NotImplementedError


def write_fade(
    before: Film,
    after: Film,
    path: str | os.PathLike[str],
    *,
    palette: str = "blue_red",
    who: str = "",
) -> Path:
    """Draw two still pictures of one geometry that turn into each other; else as :func:`write_animation`."""
    raise NotImplementedError
