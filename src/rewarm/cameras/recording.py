"""Recordings: temperatures of many frames as one array that is read and computed only where it is asked for.

xarray indexes such an array lazily by itself: ``thermogram.isel(time=slice(100, 110))`` reads nothing, and its values
are those of ten frames, decoded then. What was read is not kept: ``thermogram.load()`` keeps it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Protocol, cast

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing

from rewarm.cameras.parameters import settle_parameters
from rewarm.cameras.radiometry import apply_table, temperature_table
from rewarm.errors import RewarmError
from rewarm.thermogram import Calibration, CameraIdentity, ObjectParameters, Provenance, make_thermogram

_PASSED: Final = ("emissivity", "reflected_c", "distance_m", "humidity_pct", "air_c")
MOST_WORKERS: Final = 8
PART_FRAMES: Final = 8
"""How many frames a thread reads before it asks for more: few, so that all threads end together."""
MOST_TABLES: Final = 64
Frames = NDArray[np.int64]
Axis = slice | NDArray[np.int64]
"""What of an axis is asked for: a slice, or the indices."""
_NAMES: Final = (*(f.name for f in fields(ObjectParameters)), *(f.name for f in fields(Calibration)))


class FrameReader(Protocol):
    """Something that reads chosen frames on demand."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows, columns."""

    @property
    def workers(self) -> int:
        """On how many threads it may be called at once."""

    def pieces(self, frames: Frames, rows: Axis, columns: Axis) -> Iterator[tuple[slice, NDArray[Any]]]:
        """The chosen frames' rows and columns, some frames at a time: which of the chosen, and their values.

        The values, (frames, rows, columns), may be overwritten when the next piece is asked for.
        """


@dataclass(frozen=True, eq=False)
class FrameSettings:
    """What each frame's temperatures are computed with: ``of_frame`` (n,) says which of the pairs."""

    parameters: tuple[ObjectParameters, ...]
    calibrations: tuple[Calibration, ...]
    of_frame: NDArray[np.int64]


class LazyFrames(BackendArray):
    """What xarray keeps in the place of an array: it asks ``reader`` when values are needed."""

    def __init__(
        self, reader: FrameReader, dtype: np.dtype[Any], name: str, settings: FrameSettings | None = None
    ) -> None:
        """``name`` of the file goes before every message; with ``settings`` the reader's counts become °C."""
        self.reader, self.dtype, self.name, self.settings = reader, dtype, name, settings
        self.shape = reader.shape

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Called by xarray."""
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> NDArray[Any]:
        frames = np.atleast_1d(np.arange(self.shape[0], dtype=np.int64)[key[0]])
        rows, columns = (_axis(part, size) for part, size in zip(key[1:], self.shape[1:], strict=True))
        shape = (len(frames), _length(rows, self.shape[1]), _length(columns, self.shape[2]))
        values = np.empty(shape, self.dtype)
        try:
            self._fill(values, frames, rows, columns)
        except RewarmError as error:  # at the door, the message would get its file's name there
            raise type(error)(f"{self.name}: {error}") from error.__cause__
        single = tuple(0 if isinstance(part, int | np.integer) else slice(None) for part in key)
        return values[single]

    def _fill(self, values: NDArray[Any], frames: Frames, rows: Axis, columns: Axis) -> None:
        workers = self.reader.workers
        size = len(frames) if workers < 2 else PART_FRAMES
        tables: dict[int, NDArray[np.float32]] = {}

        def fill(start: int) -> None:
            part = slice(start, min(start + size, len(frames)))
            for which, piece in self.reader.pieces(frames[part], rows, columns):
                into = slice(part.start + which.start, part.start + which.stop)
                if self.settings is None:
                    values[into] = piece
                else:
                    _to_celsius(piece, self.settings, self.settings.of_frame[frames[into]], tables, values[into])

        if values.size:
            in_parallel(fill, range(0, len(frames), size), workers)


def _to_celsius(
    counts: NDArray[np.uint16],
    settings: FrameSettings,
    kinds: NDArray[np.int64],
    tables: dict[int, NDArray[np.float32]],
    out: NDArray[np.float32],
) -> None:
    """Frames that have the same settings together, each with its table; tables are made when they are needed."""
    edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(kinds)]
    for first, last in pairwise(edges):
        kind = int(kinds[first])
        table = tables.get(kind)
        if table is None:
            table = temperature_table(settings.calibrations[kind], settings.parameters[kind])
            if len(tables) >= MOST_TABLES:  # parameters of their own in every frame: not all are kept
                tables.clear()
            tables[kind] = table
        apply_table(table, counts[first:last], out[first:last])


def lazy(reader: FrameReader, dtype: type[np.generic], path: Path, settings: FrameSettings | None = None) -> Any:
    """``reader``'s frames as an array that xarray indexes without reading; with ``settings``, as °C."""
    return indexing.LazilyIndexedArray(LazyFrames(reader, np.dtype(dtype), str(path), settings))


def counts_recording(
    counts: FrameReader,
    settings: FrameSettings,
    *,
    path: Path,
    provenance: Provenance,
    camera: CameraIdentity,
    time_s: NDArray[np.float64],
    warnings: Sequence[str],
) -> xr.Dataset:
    """A thermogram (time, y, x) whose ``temperature`` and ``counts`` are read on demand.

    A parameter that is not the same in all frames is a coordinate along ``time`` beside the first frame's in ``attrs``.
    """
    first = int(settings.of_frame[0])
    thermogram = make_thermogram(
        cast(Any, lazy(counts, np.float32, path, settings)),
        provenance=provenance,
        camera=camera,
        parameters=settings.parameters[first],
        calibration=settings.calibrations[first],
        counts=cast(Any, lazy(counts, np.uint16, path)),
        time_s=time_s,
        warnings=warnings,
    )
    return thermogram.assign_coords({name: ("time", values) for name, values in varying(settings).items()})


def varying(settings: FrameSettings) -> dict[str, NDArray[np.float64]]:
    """Each parameter and calibration constant that is not the same in all frames: its value per frame, float64 (n,)."""
    if len(settings.parameters) == 1:
        return {}
    rows = [asdict(p) | asdict(c) for p, c in zip(settings.parameters, settings.calibrations, strict=True)]
    columns = {name: np.array([row[name] for row in rows], dtype=np.float64)[settings.of_frame] for name in _NAMES}
    return {name: values for name, values in columns.items() if np.unique(values).size > 1}


def settings_from(parameters: ObjectParameters, constants: Calibration, recording: xr.Dataset) -> FrameSettings:
    """The inverse of :func:`varying`: one set of values, and the coordinates of ``recording`` that differ from it."""
    names = [name for name in _NAMES if name in recording.coords and recording[name].dims == ("time",)]
    if not names:
        return FrameSettings((parameters,), (constants,), np.zeros(recording.sizes["time"], np.int64))
    columns = np.stack([recording[name].to_numpy().astype(np.float64) for name in names], axis=1)
    distinct, of_frame = np.unique(columns, axis=0, return_inverse=True)
    own = {field.name for field in fields(ObjectParameters)}
    rows = [dict(zip(names, map(float, row), strict=True)) for row in distinct]
    return FrameSettings(
        tuple(replace(parameters, **{k: _known(v) for k, v in row.items() if k in own}) for row in rows),
        tuple(replace(constants, **{k: v for k, v in row.items() if k not in own}) for row in rows),
        of_frame.reshape(-1).astype(np.int64),
    )


def settle_all(stored: FrameSettings, overrides: ObjectParameters) -> tuple[FrameSettings, list[str]]:
    """As :func:`settle_parameters`, for every frame; what is to be said is said once."""
    settled, warnings = [], []
    for parameters in stored.parameters:
        used, sentences = settle_parameters(parameters, overrides)
        settled.append(used)
        warnings += [sentence for sentence in sentences if sentence not in warnings]
    if len(warnings) > 2 * len(fields(ObjectParameters)):
        warnings = [*warnings[: 2 * len(fields(ObjectParameters))], "More such values differ from frame to frame."]
    return FrameSettings(tuple(settled), stored.calibrations, stored.of_frame), warnings


def change_warnings(settings: FrameSettings) -> list[str]:
    """Sentences that say which parameters change within a recording."""
    changing = varying(settings)
    sentences = []
    own = [name for name in changing if name in {field.name for field in fields(ObjectParameters)}]
    for name in own:
        values = changing[name]
        at = int(np.flatnonzero(values != values[0])[0])
        sentence = (
            f"{name} changes within the recording, first from {values[0]:.4g} to {values[at]:.4g} at frame {at + 1}; "
            "each frame was computed with its own."
        )
        if name in _PASSED:
            sentence += f" Pass {name}=… to compute all with one."
        sentences.append(sentence)
    if len(changing) > len(own):
        at = min(int(np.flatnonzero(v != v[0])[0]) for k, v in changing.items() if k not in own)
        sentences.append(
            f"The camera changed its calibration or measurement range within the recording, first at frame {at + 1}. "
            "Each frame was computed with its own."
        )
    return sentences


def in_parallel(work: Callable[[int], None], items: Sequence[int], workers: int) -> None:
    """Call ``work`` with every item, on up to ``workers`` threads; the first error, in the items' order, is raised."""
    if workers < 2 or len(items) < 2:
        for item in items:
            work(item)
        return

    def work_through(part: Sequence[int]) -> None:
        for item in part:
            work(item)

    with ThreadPoolExecutor(workers) as pool:
        for job in [pool.submit(work_through, items[number::workers]) for number in range(workers)]:
            job.result()


def available_workers() -> int:
    """How many threads are worth starting on this machine."""
    if hasattr(os, "sched_getaffinity"):
        return min(MOST_WORKERS, len(os.sched_getaffinity(0)))
    return min(MOST_WORKERS, os.cpu_count() or 1)


def _axis(part: Any, size: int) -> Axis:
    if isinstance(part, int | np.integer):
        index = int(part) % size
        return slice(index, index + 1)
    return part if isinstance(part, slice) else np.asarray(part, dtype=np.int64)


def _length(axis: Axis, size: int) -> int:
    return len(range(*axis.indices(size))) if isinstance(axis, slice) else len(axis)


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
