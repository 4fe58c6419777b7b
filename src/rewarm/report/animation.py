"""Before | after as a moving picture that a patient understands: GIF, or MP4 that browsers play."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.report import canvas as on
from rewarm.report.canvas import Canvas
from rewarm.report.movies import check_name, movie_bytes
from rewarm.report.palettes import NO_TEMPERATURE, choose_palette
from rewarm.report.pictures import Scale, common_scale
from rewarm.report.whole import write_whole
from rewarm.report.words import number
from rewarm.study.films import Film

MOST_FRAMES: Final = 60
"""Of longer recordings so many pictures are shown, at equal steps of time."""
WHOLE_MS: Final = 12_000
"""About how long an animation runs before it starts again."""
FADE_FRAMES: Final = 24

PANEL_WIDTH: Final = 352
HEIGHTS: Final = (200, 400)
"""A panel is as high as its pictures ask for, within these, px."""
MARGIN: Final = 16
HEAD: Final = 84
FOOT: Final = 166


@dataclass(frozen=True)
class _Panel:
    """Where a film is drawn, px."""

    film: Film
    x: int
    y: int
    width: int
    height: int


def write_animation(
    before: Film, after: Film, path: str | os.PathLike[str], *, palette: str = "blue_red", who: str = ""
) -> Path:
    """Draw two recordings of rewarming side by side on one scale and one clock, and write them as ``path``.

    A name that ends in ``.gif`` gives a GIF of at most :data:`rewarm.report.movies.MOST_GIF_BYTES`, one in ``.mp4``
    H.264 (yuv420p). The same films give the same bytes with the same versions of the libraries.

    Raises :class:`rewarm.errors.InvalidInputError` for another suffix, an unknown palette or a film without pictures,
    and :class:`rewarm.errors.OutputError` where the file cannot be written.
    """
    return write_animations(before, after, [path], palette=palette, who=who)[0]


def write_animations(
    before: Film,
    after: Film,
    paths: Sequence[str | os.PathLike[str]],
    *,
    palette: str = "blue_red",
    who: str = "",
) -> tuple[Path, ...]:
    """The same as several files, drawn once."""
    return _write(lambda: rewarming_frames(before, after, who=who), paths, palette)


def write_fade(
    before: Film, after: Film, path: str | os.PathLike[str], *, palette: str = "blue_red", who: str = ""
) -> Path:
    """Draw two still pictures of one geometry that turn into each other; else as :func:`write_animation`."""
    return _write(lambda: fade_frames(before, after, who=who), [path], palette)[0]


def _write(
    draw: Callable[[], tuple[list[Canvas], int]], paths: Sequence[str | os.PathLike[str]], palette: str
) -> tuple[Path, ...]:
    targets = tuple(Path(path) for path in paths)
    for target in targets:
        check_name(target)
    colours = on.colours(choose_palette(palette))
    frames, frame_ms = draw()
    for target in targets:
        write_whole(target, movie_bytes(frames, colours, frame_ms=frame_ms, suffix=target.suffix), what="animation")
    return targets


def rewarming_frames(before: Film, after: Film, *, who: str = "") -> tuple[list[Canvas], int]:
    """The frames of :func:`write_animation` as palette indices, and how long each is shown, ms."""
    films = (before, after)
    _check(films)
    clock_s = clock(before, after)
    scale = film_scale(films)
    height = _panel_height(films)
    panels = [
        _Panel(film, MARGIN + i * (PANEL_WIDTH + MARGIN), HEAD, PANEL_WIDTH, height) for i, film in enumerate(films)
    ]
    since_immersion = all(film.since_immersion for film in films)
    title = f"How the {before.noun} warm up again{' after cold water' if since_immersion else ''}"
    base = _base(panels, scale, who, title, _note(since_immersion=since_immersion))
    levels: list[Canvas | None] = [None, None]
    frames = []
    for now_s in clock_s:
        picture = base.copy()
        for i, panel in enumerate(panels):
            shown, words = _shown(panel.film, float(now_s), float(clock_s[1] - clock_s[0]))
            if shown is not None:
                levels[i] = _paste(picture, panel, panel.film.temperature_c[shown], scale, levels[i])
            elif (kept := levels[i]) is not None:
                picture[panel.y : panel.y + panel.height, panel.x : panel.x + panel.width] = kept
            _caption(picture, panel, shown, words)
        _clock_bar(picture, float(now_s), clock_s, since_immersion=since_immersion)
        frames.append(picture)
    return frames, _frame_ms(len(frames))


def fade_frames(before: Film, after: Film, *, who: str = "") -> tuple[list[Canvas], int]:
    """The frames of :func:`write_fade`: before, turning into after, after, and back."""
    films = (before, after)
    _check(films)
    first, last = before.temperature_c[0], after.temperature_c[0]
    if first.shape != last.shape:
        raise InvalidInputError(
            f"animation: expected two pictures of one shape, after laid over before; found {first.shape} and "
            f"{last.shape} (y, x)"
        )
    scale = film_scale(films)
    panel = _Panel(before, MARGIN, HEAD - 40, 2 * PANEL_WIDTH + MARGIN, _panel_height(films, 2 * PANEL_WIDTH))
    limbs = "hands" if before.noun == "fingers" else "feet"
    note = f"The same {limbs} in the same colours. Colours show skin temperature, not blood flow."
    base = _base([panel], scale, who, f"How warm the {before.noun} are, before and after", note)
    rise = (1 - np.cos(np.linspace(0, np.pi, FADE_FRAMES // 2))) / 2
    shares = [0.0] * 8 + [*rise] + [1.0] * 10 + [*rise[::-1]]
    frames = []
    for share in shares:
        picture = base.copy()
        _paste(picture, panel, ((1 - share) * first + share * last).astype(np.float32), scale, None)
        _fade_bar(picture, panel, films, float(share))
        frames.append(picture)
    return frames, 100


def clock(before: Film, after: Film) -> NDArray[np.float64]:
    """The times that are shown, s, evenly spread from the earlier beginning to the later end; two at least."""
    start = min(float(film.time_s[0]) for film in (before, after))
    end = max(float(film.time_s[-1]) for film in (before, after))
    steps = [float(np.median(np.diff(film.time_s))) for film in (before, after) if len(film.time_s) > 1]
    end = max(end, start + 1.0)
    count = round((end - start) / min(steps, default=end - start)) + 1
    return np.linspace(start, end, min(MOST_FRAMES, max(2, count)))


def film_scale(films: tuple[Film, Film]) -> Scale:
    """One scale for all pictures of both films, from the limbs in the first, the last and one between."""
    pictures = [
        (film.temperature_c[i], film.limbs)
        for film in films
        for i in sorted({0, len(film.time_s) // 2, len(film.time_s) - 1})
    ]
    return common_scale(pictures)


def clock_words(seconds: float) -> str:
    """150 → "2 min 30 s"."""
    whole = max(0, round(seconds))
    return f"{whole // 60} min {whole % 60:02d} s"


def _check(films: tuple[Film, Film]) -> None:
    for film in films:
        if not len(film.time_s) or not np.isfinite(film.temperature_c).any():
            raise InvalidInputError(
                f"animation: expected pictures with temperatures; found none of {film.name!r}. "
                "Look at the warnings of its scan"
            )


def _frame_ms(count: int) -> int:
    """In whole hundredths of a second, which is what a GIF can hold."""
    return max(80, min(600, round(WHOLE_MS / count / 10) * 10))


def _panel_height(films: tuple[Film, Film], width: int = PANEL_WIDTH) -> int:
    wanted = max(width * film.temperature_c.shape[1] / film.temperature_c.shape[2] for film in films)
    return 2 * round(float(min(max(wanted, HEIGHTS[0]), HEIGHTS[1])) / 2)


def _note(*, since_immersion: bool) -> str:
    clock_note = (
        "Same colours, same clock on both sides."
        if since_immersion
        else ("Same colours; each side’s time counts from the beginning of its own recording.")
    )
    return f"{clock_note} Colours show skin temperature, not blood flow."


def _base(panels: list[_Panel], scale: Scale, who: str, title: str, note: str) -> Canvas:
    """What is the same in all frames."""
    width = 3 * MARGIN + 2 * PANEL_WIDTH
    bottom = panels[0].y + panels[0].height
    height = bottom + FOOT
    base = on.blank(width, height)
    on.write(base, title, MARGIN, 22, size=19, bold=True)
    if who:
        on.write(base, who, width - MARGIN, 22, size=15, align="right")
    if len(panels) == 2:
        for panel in panels:
            on.write(base, panel.film.name, panel.x, 62, size=18, bold=True)
    for panel in panels:
        on.fill(base, panel.x, panel.y, panel.width, panel.height, NO_TEMPERATURE)
    on.scale_bar(base, scale, x=MARGIN + 84, y=bottom + 92, width=width - 2 * (MARGIN + 84))
    on.write(base, note, MARGIN, bottom + 140, size=12)
    on.write(base, "Research software, not a medical device.", MARGIN, bottom + 156, size=12)
    return base


def _shown(film: Film, now_s: float, step_s: float) -> tuple[int | None, str]:
    """Which picture is shown at a time, and what is said where there is none and the last one stays."""
    times = film.time_s
    reach = 0.75 * max(step_s, float(np.median(np.diff(times))) if len(times) > 1 else step_s)
    nearest = int(np.abs(times - now_s).argmin())
    if abs(times[nearest] - now_s) <= reach:
        return nearest, ""
    if now_s < times[0]:
        return None, "no picture yet"
    still = f"; still that of {clock_words(float(times[times <= now_s][-1]))}"
    return None, ("recording ended" if now_s > times[-1] else "no usable picture just now") + still


def _paste(picture: Canvas, panel: _Panel, values: NDArray[np.float32], scale: Scale, before: Canvas | None) -> Canvas:
    enlarged = on.fitted(values, width=panel.width, height=panel.height)
    levels = on.held_levels(enlarged, scale, before)
    picture[panel.y : panel.y + panel.height, panel.x : panel.x + panel.width] = levels
    return levels


def _caption(picture: Canvas, panel: _Panel, shown: int | None, words: str) -> None:
    y = panel.y + panel.height + 17
    if shown is None:
        on.write(picture, words, panel.x, y, size=15)
        return
    value = float(panel.film.digits_c[shown])
    noun = panel.film.noun.capitalize()
    text = f"{noun}: {number(value)} °C" if np.isfinite(value) else f"{noun}: not measured in this picture"
    on.write(picture, text, panel.x, y, size=17)


def _clock_bar(picture: Canvas, now_s: float, clock_s: NDArray[np.float64], *, since_immersion: bool) -> None:
    """The time in words, over a bar that fills."""
    width = picture.shape[1]
    y = picture.shape[0] - FOOT + 40
    words = f"{clock_words(now_s)} {'out of the cold water' if since_immersion else 'after the recording began'}"
    on.write(picture, words, width / 2, y + 8, size=16, bold=True, align="middle")
    x, span, top = MARGIN, width - 2 * MARGIN, y + 24
    share = (now_s - clock_s[0]) / (clock_s[-1] - clock_s[0])
    on.fill(picture, x, top, span, 8, on.grey(0.15))
    on.fill(picture, x, top, max(2.0, span * share), 8, on.grey(0.75))


def _fade_bar(picture: Canvas, panel: _Panel, films: tuple[Film, Film], share: float) -> None:
    """Both names with their figures, and a mark that moves from one to the other."""
    y = panel.y + panel.height + 24
    for film, x, align, mine in (
        (films[0], panel.x, "left", 1 - share),
        (films[1], panel.x + panel.width, "right", share),
    ):
        value = float(film.digits_c[0])
        figure = f", {film.noun} {number(value)} °C" if np.isfinite(value) else ""
        on.write(picture, f"{film.name}{figure}", x, y, size=17, bold=mine > 0.5, align=align)
    span = panel.width - 16
    on.fill(picture, panel.x, y + 25, panel.width, 4, on.grey(0.25))
    on.fill(picture, panel.x + span * share, y + 19, 16, 16, on.grey(0.9))
