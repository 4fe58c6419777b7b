"""rewarm's own store: a thermogram in a Zarr v3 folder.

Where raw counts exist they are stored with the radiometric parameters, and the temperatures are computed when it is
opened, so that emissivity and the rest can still be changed; otherwise the temperatures themselves are stored.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from rewarm.cameras.flir_fff import missing_pixel_warnings
from rewarm.cameras.parameters import given, refuse_overrides, settle_parameters
from rewarm.cameras.radiometry import apply_table, temperature_table
from rewarm.cameras.source import STORE_METADATA, Source, check_size
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


def sniff_store(path: Path) -> bool:
    """Whether ``path`` is a folder with the metadata of a Zarr v3 group."""
    return path.is_dir() and (path / STORE_METADATA).is_file()


def write_store(thermogram: xr.Dataset, folder: Path) -> None:
    """Write ``thermogram`` into the new folder ``folder`` (chunks 30 × 240 × 320, Blosc zstd with shuffle)."""
    from zarr.codecs import BloscCodec  # a third of a second, for this format alone

    name = "counts" if "counts" in thermogram and calibration(thermogram) is not None else "temperature"
    kept = thermogram[[name]].assign_attrs({STORE_MARK: STORE_VERSION})
    array = kept[name]
    chunks = tuple(min(CHUNKS[str(dim)], size) for dim, size in zip(array.dims, array.shape, strict=True))
    codec = BloscCodec(cname="zstd", clevel=3, shuffle="shuffle")
    encoding: dict[str, Any] = {name: {"chunks": chunks, "compressors": [codec]}}
    if name == "temperature":
        encoding[name]["_FillValue"] = array.dtype.type("nan")
    kept.to_zarr(folder, mode="w-", zarr_format=3, consolidated=False, encoding=encoding)


def open_store(source: Source, overrides: ObjectParameters) -> xr.Dataset:
    """Open a store. Raises :class:`UnreadableFileError` for damage or another program's store."""
    _check_metadata(source.path)
    try:
        with xr.open_zarr(source.path, chunks=None, consolidated=False, zarr_format=3) as lazy:
            for variable in lazy.variables.values():
                if variable.ndim in (2, 3):
                    check_size(int(variable.shape[-1]), int(variable.shape[-2]))
            stored = lazy.load()
    except RewarmError:
        raise
    except Exception as error:  # Zarr and its codecs raise whatever damage makes them trip over
        brief = (str(error) or type(error).__name__).splitlines()[0][:120]
        raise UnreadableFileError(
            f"expected a Zarr store; found a damaged one ({brief}). Convert the recording again"
        ) from error
    try:
        return _rebuild(stored, source, overrides)
    except (KeyError, TypeError, ValueError, InvalidThermogramError) as error:
        raise UnreadableFileError(f"expected a store as rewarm writes it; found a damaged one ({error})") from error


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
    time_s = stored["time"].values.astype(np.float64) if "time" in stored.coords else None
    constants = calibration(stored)
    if "counts" not in stored or constants is None:
        refuse_overrides(overrides, kind="a Zarr store without raw counts")
        return _with_origin(
            make_thermogram(
                stored["temperature"].values,
                provenance=source.provenance("Zarr store"),
                camera=camera_identity(stored),
                parameters=object_parameters(stored),
                calibration=constants,
                time_s=time_s,
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
        provenance=source.provenance("Zarr store"),
        camera=camera_identity(stored),
        parameters=parameters,
        calibration=constants,
        counts=counts,
        time_s=time_s,
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
