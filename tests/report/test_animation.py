"""Animations before | after: one scale, one clock, honest gaps, small files that play, the same bytes each time."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from rewarm.errors import InvalidInputError, OutputError
from rewarm.report import animation, canvas, movies
from rewarm.report.palettes import BLUE_RED, FIRST_LEVEL, LEVELS, NO_TEMPERATURE
from rewarm.study.films import Film

SHAPE = (120, 160)


def rewarming_film(name: str, *, tau_s: float, frames: int = 40, step_s: float = 10.0, noise_c: float = 0.05) -> Film:
    """One toe on a cool ground that warms exponentially from 15 towards 30 °C."""
    time_s = np.arange(frames) * step_s
    toe_c = 30.0 - 15.0 * np.exp(-time_s / tau_s)
    limbs = np.zeros(SHAPE, dtype=bool)
    limbs[30:90, 50:110] = True
    rng = np.random.default_rng(len(name))
    pictures = np.where(limbs, toe_c[:, None, None], 20.0) + rng.normal(0.0, noise_c, (frames, *SHAPE))
    return Film(name, time_s, pictures.astype(np.float32), toe_c, limbs)


@pytest.fixture(scope="module")
def films() -> tuple[Film, Film]:
    return rewarming_film("before", tau_s=600.0), rewarming_film("6 weeks", tau_s=150.0)


def panel(frame: np.ndarray, side: int) -> np.ndarray:
    x = animation.MARGIN + side * (animation.PANEL_WIDTH + animation.MARGIN)
    bottom = frame.shape[0] - animation.FOOT
    return frame[animation.HEAD : bottom, x : x + animation.PANEL_WIDTH]


def toe_level(frame: np.ndarray, side: int) -> int:
    part = panel(frame, side)
    height, width = part.shape
    return int(np.median(part[height // 2 - 8 : height // 2 + 8, width // 2 - 8 : width // 2 + 8]))


def test_both_sides_share_one_scale_and_one_clock(films):
    frames, frame_ms = animation.rewarming_frames(*films)
    assert len(frames) == 40
    assert frame_ms * len(frames) == pytest.approx(animation.WHOLE_MS, rel=0.05)
    scale = animation.film_scale(films)
    for index in (0, 12, 39):
        for side, film in enumerate(films):
            share = (film.digits_c[index] - scale.low) / (scale.high - scale.low)
            expected = FIRST_LEVEL + share * LEVELS
            assert toe_level(frames[index], side) == pytest.approx(expected, abs=canvas.HELD_LEVELS + 2)
    assert toe_level(frames[12], 1) > toe_level(frames[12], 0) + 20  # warmer sooner, in the same colours


def test_a_gap_and_an_early_end_are_shown_as_such(films):
    before, after = films
    kept = np.ones(40, dtype=bool)
    kept[10:20] = False
    gappy = replace(before, time_s=before.time_s[kept], temperature_c=before.temperature_c[kept],
                    digits_c=before.digits_c[kept])  # fmt: skip
    short = replace(
        after, time_s=after.time_s[:25], temperature_c=after.temperature_c[:25], digits_c=after.digits_c[:25]
    )
    assert animation._shown(gappy, 150.0, 10.0) == (None, "no usable picture just now; still that of 1 min 30 s")
    assert animation._shown(gappy, 210.0, 10.0) == (11, "")
    assert animation._shown(short, 300.0, 10.0) == (None, "recording ended; still that of 4 min 00 s")
    assert animation._shown(replace(short, time_s=short.time_s + 60.0), 0.0, 10.0) == (None, "no picture yet")
    frames, _ = animation.rewarming_frames(gappy, short)
    whole, _ = animation.rewarming_frames(before, after)
    caption = slice(-animation.FOOT, -animation.FOOT + 30)
    assert (frames[15][caption] != whole[15][caption]).any()
    assert (frames[35][caption, 400:] != whole[35][caption, 400:]).any()
    np.testing.assert_array_equal(frames[35][caption, :360], whole[35][caption, :360])


def test_the_clock_covers_both_recordings_in_at_most_sixty_steps(films):
    long = rewarming_film("long", tau_s=100.0, frames=180, step_s=5.0)
    times = animation.clock(films[0], long)
    assert len(times) == animation.MOST_FRAMES
    assert (times[0], times[-1]) == (0.0, 895.0)
    assert animation.clock_words(150.4) == "2 min 30 s"
    assert animation.clock_words(3599.6) == "60 min 00 s"


def test_a_gif_says_how_long_each_frame_stays_and_holds_the_last(films, tmp_path: Path):
    path = animation.write_animation(*films, tmp_path / "toes.gif", who="P1")
    with Image.open(path) as picture:
        assert picture.n_frames == 40
        durations = []
        for index in range(picture.n_frames):
            picture.seek(index)
            durations.append(picture.info["duration"])
        assert picture.info["loop"] == 0
    assert set(durations[:-1]) == {300}
    assert durations[-1] == movies.HOLD_MS


def test_180_noisy_frames_of_320_by_240_stay_below_the_limit(tmp_path: Path):
    time_s = np.arange(180) * 5.0
    rng = np.random.default_rng(5)
    rows = np.linspace(0.0, 4.0, 320)[None, None, :]  # a ground that has more than one colour
    limbs = np.zeros((240, 320), dtype=bool)
    limbs[60:180, 80:240] = True
    films = []
    for tau_s in (700.0, 200.0):
        toe_c = 30.0 - 15.0 * np.exp(-time_s / tau_s)
        pictures = np.where(limbs, toe_c[:, None, None] + rows, 18.0 + rows) + rng.normal(0, 0.08, (180, 240, 320))
        films.append(Film(f"{tau_s:.0f}", time_s, pictures.astype(np.float32), toe_c, limbs))
    path = animation.write_animation(films[0], films[1], tmp_path / "a.gif")
    assert path.stat().st_size <= movies.MOST_GIF_BYTES


def test_a_gif_that_would_be_too_large_shows_fewer_frames_for_longer(films, monkeypatch):
    frames, frame_ms = animation.rewarming_frames(*films)
    colours = canvas.colours(BLUE_RED)
    whole = movies.movie_bytes(frames, colours, frame_ms=frame_ms, suffix=".gif")
    limit = int(0.6 * len(whole))
    monkeypatch.setattr(movies, "MOST_GIF_BYTES", limit)
    thinned = movies.movie_bytes(frames, colours, frame_ms=frame_ms, suffix=".gif")
    assert len(thinned) <= limit
    with Image.open(io.BytesIO(thinned)) as picture:
        count = picture.n_frames
        assert 10 <= count < 40
        assert picture.info["duration"] == pytest.approx(frame_ms * 40 / count, abs=5)
        picture.seek(count - 1)
        last = np.asarray(picture.convert("RGB"))
    np.testing.assert_array_equal(last, colours[frames[-1]])


def test_an_mp4_is_one_that_browsers_play(films, tmp_path: Path):
    path = animation.write_animation(*films, tmp_path / "toes.MP4")
    with av.open(str(path)) as movie:
        (video,) = movie.streams.video
        assert video.codec_context.name == "h264"
        assert video.codec_context.pix_fmt == "yuv420p"
        pictures = [frame.to_ndarray(format="rgb24") for frame in movie.decode(video)]
        seconds = float(video.duration * video.time_base)
    frames, frame_ms = animation.rewarming_frames(*films)
    assert len(pictures) == len(frames) - 1 + round(movies.HOLD_MS / frame_ms)
    assert seconds == pytest.approx(len(pictures) * frame_ms / 1000.0, abs=0.01)
    error = np.abs(pictures[20].astype(float) - canvas.colours(BLUE_RED)[frames[20]].astype(float))
    assert float(np.median(error)) <= 3.0
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")  # plays while it loads


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_the_same_films_give_the_same_bytes(films, tmp_path: Path, suffix: str):
    first = animation.write_animation(*films, tmp_path / f"a{suffix}").read_bytes()
    assert animation.write_animation(*films, tmp_path / f"b{suffix}").read_bytes() == first
    assert animation.write_animation(films[1], films[0], tmp_path / f"c{suffix}").read_bytes() != first


def still(name: str, toe_c: float) -> Film:
    limbs = np.zeros(SHAPE, dtype=bool)
    limbs[30:90, 50:110] = True
    picture = np.where(limbs, toe_c, np.nan).astype(np.float32)
    return Film(name, np.zeros(1), picture[None], np.array([toe_c]), limbs)


def test_two_stills_turn_into_each_other_and_back(tmp_path: Path):
    before, after = still("before", 22.0), still("6 weeks", 30.0)
    frames, _ = animation.fade_frames(before, after)
    middle = (animation.HEAD - 40 + 130, frames[0].shape[1] // 2)
    levels = [int(frame[middle]) for frame in frames]
    assert levels[0] == levels[-1] == min(levels)
    turn = int(np.argmax(levels))
    assert (np.diff(levels[: turn + 1]) >= 0).all()
    assert (np.diff(levels[turn:]) <= 0).all()
    assert frames[0][middle[0], 30] == NO_TEMPERATURE
    path = animation.write_fade(before, after, tmp_path / "fade.gif")
    with Image.open(path) as picture:
        assert picture.n_frames > 10


def test_what_cannot_be_drawn_is_said_before_the_work(films, tmp_path: Path):
    with pytest.raises(InvalidInputError, match=r"ends in \.gif or \.mp4; found 'toes\.avi'"):
        animation.write_animation(*films, tmp_path / "toes.avi")
    with pytest.raises(OutputError, match="expected an existing folder"):
        animation.write_animation(*films, tmp_path / "nowhere" / "toes.gif")
    with pytest.raises(InvalidInputError, match="palette: expected one of"):
        animation.write_animation(*films, tmp_path / "toes.gif", palette="rainbow")
    empty = replace(films[0], temperature_c=np.full_like(films[0].temperature_c, np.nan))
    with pytest.raises(InvalidInputError, match="found none of 'before'"):
        animation.write_animation(empty, films[1], tmp_path / "toes.gif")
    other = still("6 weeks", 30.0)
    cut = replace(other, temperature_c=other.temperature_c[:, :60], limbs=other.limbs[:60])
    with pytest.raises(InvalidInputError, match=r"two pictures of one shape.*found \(120, 160\) and \(60, 160\)"):
        animation.write_fade(still("before", 20.0), cut, tmp_path / "toes.gif")
    assert list(tmp_path.iterdir()) == []


def test_letters_of_many_languages_can_be_written():
    picture = canvas.blank(300, 40)
    canvas.write(picture, "Zoë −3,5 °C · Świeża Ελένη", 4, 20)
    assert (picture > canvas.PAPER).sum() > 200
    missing = canvas.blank(300, 40)
    canvas.write(missing, "\N{BALLOT BOX}", 290, 39)  # cut at the edge, not an error
    assert picture.shape == missing.shape
