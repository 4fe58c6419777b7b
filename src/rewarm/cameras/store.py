"""rewarm's own store: a thermogram in a Zarr v3 folder.

Where raw counts exist they are stored with the radiometric parameters, and the temperatures are computed when it is
opened, so that emissivity and the rest can still be changed; otherwise the temperatures themselves are stored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.cameras.flir_fff import missing_pixel_warnings
from rewarm.cameras.parameters import given, refuse_overrides, settle_parameters
from rewarm.cameras.radiometry import apply_table, temperature_table
from rewarm.cameras.recording import (
    Axis,
    Frames,
    change_warnings,
    counts_recording,
    lazy,
    settings_from,
    settle_all,
)
from rewarm.cameras.source import STORE_METADATA, Source, check_size
from rewarm.cameras.writers import Progress, blocks, no_progress
from rewarm.errors import InvalidThermogramError, RewarmError, UnreadableFileError
from rewarm.thermogram import (
    CONTRACT,
    ObjectParameters,
    calibration,
    camera_identity,
    check_thermogram,
    make_thermogram,
    object_parameters,
)

CHUNKS: Final = {"time": 30, "y": 240, "x": 320}
STORE_MARK: Final = "rewarm_store"
STORE_VERSION: Final = 1
READER: Final = "Zarr store"
PIECE_PIXELS: Final = 4 * 1024**2
"""About how many pixels are read at once: whole pictures chunk by chunk, the trace of a pixel in one go."""


def sniff_store(path: Path) -> bool:
    """Whether ``path`` is a folder with the metadata of a Zarr v3 group."""
    return path.is_dir() and (path / STORE_METADATA).is_file()


def write_store(thermogram: xr.Dataset, folder: Path, on_progress: Progress = no_progress) -> None:
    """Write ``thermogram`` into the new folder ``folder`` (chunks 30 × 240 × 320, Blosc zstd with shuffle).

    A recording is read and written thirty frames at a time; parameters that differ from frame to frame go with it.
    """
    fill_store(thermogram, create_store(thermogram, folder), on_progress)


def create_store(thermogram: xr.Dataset, folder: Path) -> Any:
    """The new store ``folder`` with everything but the values, and the array for those."""
    import zarr  # a third of a second, for this format alone
    from zarr.codecs import BloscCodec

    name = _stored_name(thermogram)
    array = thermogram[name]
    described = thermogram[[name]].drop_vars(name).assign_attrs({STORE_MARK: STORE_VERSION})
    described.to_zarr(folder, mode="w-", zarr_format=3, consolidated=False)
    return zarr.open_group(folder, mode="r+", zarr_format=3).create_array(
        name,
        shape=array.shape,
        dtype=array.dtype,
        chunks=_chunks(array),
        compressors=BloscCodec(cname="zstd", clevel=3, shuffle="shuffle"),
        fill_value=0 if name == "counts" else float("nan"),
        dimension_names=[str(dim) for dim in array.dims],
        attributes=dict(array.attrs),
    )


def reopen_store(thermogram: xr.Dataset, folder: Path) -> Any | None:
    """The array of a store that :func:`create_store` made of this thermogram; None where there is none, or another."""
    import zarr  # a third of a second, for this format alone

    array = thermogram[_stored_name(thermogram)]
    try:
        stored = zarr.open_group(folder, mode="r+", zarr_format=3)[str(array.name)]
    except Exception:  # Zarr raises whatever damage makes it trip over; then all is written anew
        return None
    if not isinstance(stored, zarr.Array):
        return None
    same = (stored.shape, stored.dtype, stored.chunks) == (array.shape, array.dtype, _chunks(array))
    return stored if same else None


def fill_store(
    thermogram: xr.Dataset,
    stored: Any,
    on_progress: Progress,
    *,
    start: int = 0,
    on_block: Callable[[int], None] | None = None,
) -> None:
    """Write the values, of a recording from frame ``start`` on; ``on_block`` is told how many frames are complete."""
    array = thermogram[_stored_name(thermogram)]
    if "time" not in array.dims:
        stored[...] = array.to_numpy()
        return
    for where, values in blocks(array, on_progress, start=start):
        stored[where] = values
        if on_block is not None:
            on_block(where.stop)


def _stored_name(thermogram: xr.Dataset) -> str:
    return "counts" if "counts" in thermogram and calibration(thermogram) is not None else "temperature"


def _chunks(array: xr.DataArray) -> tuple[int, ...]:
    return tuple(min(CHUNKS[str(dim)], size) for dim, size in zip(array.dims, array.shape, strict=True))


def set_origin(folder: Path, *, file: str, sha256: str) -> None:
    """Note in a store which camera's file it was made of."""
    import zarr  # a third of a second, for this format alone

    zarr.open_group(folder, mode="r+", zarr_format=3).attrs.update({"origin_file": file, "origin_sha256": sha256})


def open_store(source: Source, overrides: ObjectParameters) -> xr.Dataset:
    """Open a store; the frames of a recording are read on demand.

    Raises :class:`UnreadableFileError` for damage or another program's store.
    """
    _check_metadata(source.path)
    try:
        with xr.open_zarr(source.path, chunks=None, consolidated=False, zarr_format=3) as lazily:
            for variable in lazily.variables.values():
                if variable.ndim in (2, 3):
                    check_size(int(variable.shape[-1]), int(variable.shape[-2]))
            stored = _without_frames(lazily).load() if "time" in lazily.dims else lazily.load()
    except RewarmError:
        raise
    except Exception as error:  # Zarr and its codecs raise whatever damage makes them trip over
        raise _damaged(error) from error
    try:
        return (
            _rebuild_recording(stored, source, overrides)
            if "time" in stored.dims
            else _rebuild(stored, source, overrides)
        )
    except (KeyError, TypeError, ValueError, InvalidThermogramError) as error:
        raise UnreadableFileError(f"expected a store as rewarm writes it; found a damaged one ({error})") from error


@dataclass(frozen=True, eq=False)
class StoredFrames:
    """The frames of a recording in a store, read on demand."""

    array: Any

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows, columns."""
        frames, height, width = self.array.shape
        return frames, height, width

    @property
    def workers(self) -> int:
        """One: Zarr has threads of its own."""
        return 1

    def pieces(self, frames: Frames, rows: Axis, columns: Axis) -> Iterator[tuple[slice, NDArray[Any]]]:
        """The chosen frames, rows and columns, chunk by chunk. Raises :class:`UnreadableFileError`."""
        y, x = (np.arange(size)[axis] for size, axis in zip(self.shape[1:], (rows, columns), strict=True))
        box = (slice(int(y.min()), int(y.max()) + 1), slice(int(x.min()), int(x.max()) + 1))
        chunk = max(1, int(self.array.chunks[0]))
        most = max(1, PIECE_PIXELS // (len(y) * len(x) * chunk)) * chunk
        for where in _runs(frames, chunk, most):
            chosen = frames[where]
            first = int(chosen.min())
            try:
                part = self.array[(slice(first, int(chosen.max()) + 1), *box)]
            except Exception as error:  # Zarr and its codecs raise whatever damage makes them trip over
                raise _damaged(error) from error
            yield where, part[chosen - first][:, y - y.min()][:, :, x - x.min()]


def _runs(frames: Frames, chunk: int, most: int) -> Iterator[slice]:
    """``frames`` in pieces of neighbours: no gap of a chunk or more in one, nor more than ``most`` from end to end."""
    start = 0
    for end in range(1, len(frames) + 1):
        if end < len(frames):
            apart = abs(int(frames[end]) // chunk - int(frames[end - 1]) // chunk) > 1
            far = abs(int(frames[end]) // most - int(frames[start]) // most) > 0
            if not (apart or far):
                continue
        yield slice(start, end)
        start = end


def _without_frames(lazily: xr.Dataset) -> xr.Dataset:
    """Everything but the frames, which may be large."""
    for name in ("counts", "temperature"):
        if name in lazily and lazily[name].dims != ("time", "y", "x"):
            raise UnreadableFileError(
                f"expected {name} by time, y and x; found {lazily[name].dims}: the store is damaged. Convert the "
                "recording again"
            )
    return lazily.drop_vars(("counts", "temperature"), errors="ignore")


def _damaged(error: Exception) -> UnreadableFileError:
    brief = (str(error) or type(error).__name__).splitlines()[0][:120]
    return UnreadableFileError(f"expected a Zarr store; found a damaged one ({brief}). Convert the recording again")


def _rebuild_recording(stored: xr.Dataset, source: Source, overrides: ObjectParameters) -> xr.Dataset:
    import zarr  # a third of a second, for this format alone

    group = zarr.open_group(source.path, mode="r", zarr_format=3)
    constants, parameters = calibration(stored), object_parameters(stored)
    time_s, warnings = stored["time"].to_numpy().astype(np.float64), list(stored.attrs["warnings"])
    name = "counts" if "counts" in group and constants is not None else "temperature"
    array = group[name]
    if not isinstance(array, zarr.Array) or array.ndim != 3 or array.shape[0] != time_s.size:
        raise UnreadableFileError(f"expected {name} of {time_s.size} frames; found others: the store is damaged")
    frames = StoredFrames(array)
    if name == "temperature" or constants is None:
        refuse_overrides(overrides, kind="a Zarr store without raw counts")
        rebuilt = make_thermogram(
            lazy(frames, array.dtype.type, source.path),
            provenance=source.provenance(READER),
            camera=camera_identity(stored),
            parameters=parameters,
            calibration=constants,
            time_s=time_s,
            warnings=warnings,
        )
        return _with_origin(rebuilt, stored)
    if array.dtype != np.uint16:
        raise UnreadableFileError(f"expected uint16 counts; found {array.dtype}: the store is damaged")
    settings = settings_from(parameters, constants, stored)
    if given(overrides):
        settings, warnings = settle_all(settings, overrides)
        warnings += change_warnings(settings)
    rebuilt = counts_recording(
        frames,
        settings,
        path=source.path,
        provenance=source.provenance(READER),
        camera=camera_identity(stored),
        time_s=time_s,
        warnings=warnings,
    )
    return _with_origin(rebuilt, stored)


def _check_metadata(folder: Path) -> None:
    """Refuse early what is no store of ours, before any library interprets it."""
    try:
        metadata = json.loads((folder / STORE_METADATA).read_text(encoding="utf-8"))
        mark, contract = metadata["attributes"][STORE_MARK], metadata["attributes"]["contract"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableFileError(
            "expected a Zarr store written by rewarm; found another one, or a damaged one"
        ) from error
    if mark != STORE_VERSION or contract != CONTRACT:
        raise UnreadableFileError(
            f"expected a store of version {STORE_VERSION} with {CONTRACT!r}; found version {mark!r} with {contract!r}. "
            "Convert the recording again with this version of rewarm"
        )


def _rebuild(stored: xr.Dataset, source: Source, overrides: ObjectParameters) -> xr.Dataset:
    constants = calibration(stored)
    if "counts" not in stored or constants is None:
        refuse_overrides(overrides, kind="a Zarr store without raw counts")
        return _with_origin(
            make_thermogram(
                stored["temperature"].values,
                provenance=source.provenance(READER),
                camera=camera_identity(stored),
                parameters=object_parameters(stored),
                calibration=constants,
                warnings=stored.attrs["warnings"],
            ),
            stored,
        )
    counts = np.asarray(stored["counts"].values)
    if counts.dtype != np.uint16:
        raise UnreadableFileError(f"expected uint16 counts; found {counts.dtype}: the store is damaged")
    parameters, warnings = object_parameters(stored), list(stored.attrs["warnings"])
    if given(overrides):
        parameters, warnings = settle_parameters(parameters, overrides)
    temperature_c = apply_table(temperature_table(constants, parameters), counts)
    if given(overrides):
        warnings += missing_pixel_warnings(temperature_c)
    rebuilt = make_thermogram(
        temperature_c,
        provenance=source.provenance(READER),
        camera=camera_identity(stored),
        parameters=parameters,
        calibration=constants,
        counts=counts,
        warnings=warnings,
    )
    return _with_origin(rebuilt, stored)


def _with_origin(rebuilt: xr.Dataset, stored: xr.Dataset) -> xr.Dataset:
    """Keep the way back to the camera's file: its name and hash go on as ``origin_file`` and ``origin_sha256``."""
    file = stored.attrs.get("origin_file", stored.attrs["provenance_file"])
    sha256 = stored.attrs.get("origin_sha256", stored.attrs["provenance_sha256"])
    thermogram = rebuilt.assign_attrs(origin_file=file, origin_sha256=sha256)
    check_thermogram(thermogram)
    return thermogram
