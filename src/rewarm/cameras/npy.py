"""NumPy's .npy with one matrix of °C. Its header is read here, so that no declared size is believed unchecked."""

from __future__ import annotations

import io
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rewarm.cameras.celsius import celsius_thermogram
from rewarm.cameras.source import Source, check_size
from rewarm.errors import UnreadableFileError
from rewarm.thermogram import ObjectParameters

MAGIC: Final = b"\x93NUMPY"


def sniff_npy(head: bytes) -> bool:
    """Whether a file begins like .npy."""
    return head.startswith(MAGIC)


def open_npy(source: Source, overrides: ObjectParameters) -> xr.Dataset:
    """Open a .npy of numbers, (y, x), in °C. Raises :class:`UnreadableFileError` for anything else."""
    return celsius_thermogram(
        _matrix(source.data), source=source, reader="npy", kind="a .npy matrix", overrides=overrides
    )


def _matrix(data: bytes) -> NDArray[Any]:
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read_header(stream)
    except Exception as error:  # NumPy parses the header as Python text: many things can be wrong with it
        raise UnreadableFileError("expected a .npy file; found one with a damaged header. Write it again") from error
    if dtype.hasobject or dtype.kind not in "fiu" or dtype.itemsize > 16:
        raise UnreadableFileError(f"expected a .npy of plain numbers (float32 or float64, °C); found {dtype}")
    if len(shape) != 2:
        raise UnreadableFileError(
            f"expected a .npy with one matrix (rows, columns) of °C; found shape {shape}. Save one picture a file"
        )
    if min(shape) < 0:
        raise UnreadableFileError(f"expected a .npy file; found a damaged header (shape {shape}). Write it again")
    height, width = shape
    check_size(width, height)
    needed, start = height * width * dtype.itemsize, stream.tell()
    if len(data) - start < needed:
        raise UnreadableFileError(
            f"expected {needed} bytes for {width} × {height} numbers; found {len(data) - start}: the file is truncated"
        )
    flat = np.frombuffer(data, dtype=dtype, count=height * width, offset=start)
    matrix = flat.reshape(shape, order="F" if fortran else "C")
    kept = np.float64 if dtype.kind == "f" and dtype.itemsize >= 8 else np.float32
    with np.errstate(all="ignore"):  # a number beyond the type becomes infinite, which is refused later
        return np.ascontiguousarray(matrix.astype(kept))
