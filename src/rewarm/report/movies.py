"""Frames of palette indices → GIF, or MP4 that browsers play; the same bytes each time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from PIL import Image

from rewarm.errors import InvalidInputError, OutputError
from rewarm.report.canvas import Canvas

MOST_GIF_BYTES: Final = 3_000_000
"""A GIF above this shows fewer frames, each for longer: it is to travel by mail."""
HOLD_MS: Final = 2000
"""How long the last frame stays."""
SUFFIXES: Final = (".gif", ".mp4")
ENCODERS: Final = ("libx264", "libopenh264", "libvpx-vp9")
"""Whichever of them this PyAV was built with, in this order; browsers play all three from an MP4."""

BT601: Final = int(Colorspace.ITU601)
LIMITED: Final = int(ColorRange.MPEG)


def check_name(path: Path) -> None:
    """Raise for a name that no animation can have, before the work and not after it."""
    if path.suffix.lower() not in SUFFIXES:
        raise InvalidInputError(f"animation: expected a file name that ends in .gif or .mp4; found {path.name!r}")
    if not path.parent.is_dir():
        raise OutputError(f"animation: expected an existing folder; found none at {path.parent}. Create it first")
    if path.is_dir():
        raise OutputError(f"animation: expected a file name; found a folder, {path}. Name a file in it")


def movie_bytes(frames: Sequence[Canvas], colours: NDArray[np.uint8], *, frame_ms: int, suffix: str) -> bytes:
    """Frames (y, x) of one shape, both sizes even, as the bytes of a ``.gif`` or ``.mp4``; the last frame is held."""
    if suffix.lower() == ".mp4":
        return _mp4(frames, colours, frame_ms=frame_ms)
    count = len(frames)
    while True:
        chosen = _evenly(frames, count)
        longer_ms = round(frame_ms * len(frames) / count / 10) * 10
        data = _gif(chosen, colours, frame_ms=longer_ms)
        if len(data) <= MOST_GIF_BYTES or count <= 2:
            return data
        count = max(2, min(count - 1, int(0.95 * count * MOST_GIF_BYTES / len(data))))


def _evenly(frames: Sequence[Canvas], count: int) -> list[Canvas]:
    """So many frames, evenly spread; the first and the last are kept, because they are the beginning and the result."""
    return [frames[round(place)] for place in np.linspace(0, len(frames) - 1, count)]


def _gif(frames: Sequence[Canvas], colours: NDArray[np.uint8], *, frame_ms: int) -> bytes:
    pictures = [Image.fromarray(frame, mode="P") for frame in frames]
    for picture in pictures:
        picture.putpalette(colours.tobytes())
    stream = io.BytesIO()
    durations = [frame_ms] * (len(pictures) - 1) + [HOLD_MS]
    pictures[0].save(
        stream,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=0,
        optimize=True,  # what did not change is left transparent
        disposal=1,
    )
    return stream.getvalue()


def _mp4(frames: Sequence[Canvas], colours: NDArray[np.uint8], *, frame_ms: int) -> bytes:
    with TemporaryDirectory() as folder:  # a movie whose index comes first is written twice, so it needs a file
        path = Path(folder, "movie.mp4")
        _encode(frames, colours, path, frame_ms=frame_ms)
        return path.read_bytes()


def _encode(frames: Sequence[Canvas], colours: NDArray[np.uint8], path: Path, *, frame_ms: int) -> None:
    height, width = frames[0].shape
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        video = container.add_stream(_encoder(), rate=Fraction(1000, frame_ms))
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.thread_count = 1  # several threads need not give the same bytes twice
        video.codec_context.options = {"crf": "20", "preset": "veryfast", "flags": "+bitexact"}
        video.codec_context.colorspace, video.codec_context.color_range = BT601, LIMITED
        table = yuv(colours)
        held = max(1, round(HOLD_MS / frame_ms))
        for indices in (*frames, *(frames[-1],) * (held - 1)):
            picture = av.VideoFrame.from_ndarray(_planes(indices, table), format="yuv420p")
            picture.colorspace, picture.color_range = BT601, LIMITED
            container.mux(video.encode(picture))
        container.mux(video.encode())


def yuv(colours: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Colours (n, 3) as luma and chroma (3, n) after ITU-R BT.601, in the limited range of video."""
    red, green, blue = colours.astype(np.float64).T / 255.0
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = (16 + 219 * luma, 128 + 112 * (blue - luma) / 0.886, 128 + 112 * (red - luma) / 0.701)
    return np.stack(planes).astype(np.float32)


def _planes(indices: Canvas, table: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A canvas (y, x) as the planes of yuv420p under each other: chroma is the mean of four pixels."""
    height, width = indices.shape
    planes = [np.rint(table[0]).astype(np.uint8)[indices]]
    for channel in table[1:]:
        full = channel[indices]
        mean = (full[::2, ::2] + full[1::2, ::2] + full[::2, 1::2] + full[1::2, 1::2]) / np.float32(4.0)
        planes.append(np.rint(mean).astype(np.uint8))
    return np.concatenate([plane.ravel() for plane in planes]).reshape(height * 3 // 2, width)


def _encoder() -> str:
    known = [name for name in ENCODERS if name in av.codecs_available]
    for name in known:
        try:
            av.Codec(name, "w")
        except ValueError:
            continue
        return name
    raise InvalidInputError(
        f"animation: expected a PyAV with one of the encoders {', '.join(ENCODERS)}; found none of them. "
        "Write a .gif instead, or install PyAV from its wheel"
    )
