"""Open formats, written block by block: of a recording no more than a few frames are in memory at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.thermogram import temperature_c

Progress = Callable[[int, int, str], None]
"""Called with what is done, how much there is in all, and what is counted."""
BLOCK_FRAMES: Final = 30
CLASSIC_TIFF_BYTES: Final = 2**31
"""Beyond this much data a TIFF needs 64-bit offsets: BigTIFF."""


def no_progress(_done: int, _total: int, _what: str) -> None:
    """Tell nobody."""


def is_recording(thermogram: xr.Dataset) -> bool:
    """Whether there are frames along time."""
    return "time" in thermogram["temperature"].dims


def blocks(array: xr.DataArray, on_progress: Progress, *, start: int = 0) -> Iterator[tuple[slice, NDArray[Any]]]:
    """The frames of ``array`` (time, y, x) from ``start`` on, thirty at a time: where they belong, and their values."""
    total = array.sizes["time"]
    on_progress(start, total, "frames")
    for first in range(start, total, BLOCK_FRAMES):
        where = slice(first, min(first + BLOCK_FRAMES, total))
        yield where, array.isel(time=where).to_numpy()
        on_progress(where.stop, total, "frames")


def write_npy(thermogram: xr.Dataset, path: Path, on_progress: Progress) -> None:
    """°C, (y, x) or (time, y, x); times are not kept."""
    array = thermogram["temperature"]
    header = {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape}
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        if is_recording(thermogram):
            stream.writelines(np.ascontiguousarray(values).data for _, values in blocks(array, on_progress))
        else:
            stream.write(np.ascontiguousarray(array.to_numpy()).data)


def write_csv(thermogram: xr.Dataset, path: Path, _: Progress) -> None:
    """°C of one picture, four decimals, comma, no header."""
    refuse_recording(thermogram)
    values = temperature_c(thermogram)
    line = ",".join(["%.4f"] * values.shape[1])
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(line % tuple(row) + "\n" for row in values.tolist())


def refuse_recording(thermogram: xr.Dataset) -> None:
    """Raise :class:`InvalidInputError` for what does not fit into one matrix of text."""
    if is_recording(thermogram):
        raise InvalidInputError(
            f"expected one picture for a CSV; found a recording of {thermogram.sizes['time']} frames. Choose a frame "
            "(save_thermogram(thermogram.isel(time=0), ...)), or an output that ends in .zarr, .npy or .tif"
        )


def write_tiff(thermogram: xr.Dataset, path: Path, on_progress: Progress) -> None:
    """Float °C, compressed without loss; of a recording one page a frame, whose description says its time."""
    import tifffile  # a fifth of a second, for this format alone

    array = thermogram["temperature"]
    with tifffile.TiffWriter(path, bigtiff=array.nbytes > CLASSIC_TIFF_BYTES) as writer:

        def write(picture: NDArray[Any], description: str) -> None:
            writer.write(
                np.ascontiguousarray(picture),
                photometric="minisblack",
                compression="zlib",
                predictor=True,
                description=description,
                metadata=None,
                software="rewarm",
            )

        if not is_recording(thermogram):
            write(array.to_numpy(), "temperature, degC")
            return
        time_s = thermogram["time"].to_numpy()
        for where, values in blocks(array, on_progress):
            for picture, moment in zip(values, time_s[where], strict=True):
                write(picture, f"temperature, degC; time {moment:.4f} s")
