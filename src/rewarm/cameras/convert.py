"""Write a recording in an open format, whole or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import xarray as xr

from rewarm.cameras.dicom_write import write_dicom
from rewarm.cameras.readers import as_path, open_thermogram
from rewarm.cameras.resume import forget, held_part, unfinished, write_resumably
from rewarm.cameras.source import PARTIAL, hash_file
from rewarm.cameras.store import set_origin, sniff_store, write_store
from rewarm.cameras.writers import (
    Progress,
    is_recording,
    no_progress,
    refuse_recording,
    write_csv,
    write_npy,
    write_tiff,
)
from rewarm.errors import InvalidInputError, OutputError

Writer = Callable[[xr.Dataset, Path, Progress], None]


def convert(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    emissivity: float | None = None,
    reflected_c: float | None = None,
    distance_m: float | None = None,
    humidity_pct: float | None = None,
    air_c: float | None = None,
    on_progress: Progress | None = None,
) -> Path:
    """Open ``path`` and write it to ``output``, whose suffix chooses the format; returns the path written.

    ``.npy`` (°C), ``.csv`` (°C, four decimals, comma, no header), ``.tif`` or ``.tiff`` (float32 °C), ``.zarr``
    (raw counts and parameters where the camera stored them, otherwise °C), ``.dcm`` (DICOM Parametric Map in °C of a
    still picture). A recording goes block by block into ``.zarr``, ``.npy`` (time, y, x) or ``.tif`` (a page a frame),
    and ``on_progress`` is told how many of its frames are done, of how many. The other arguments are those of
    :func:`open_thermogram`. An existing output of the same kind is replaced once the new one is complete. What is
    interrupted leaves nothing, but for a recording on its way to ``.zarr``: it leaves the hidden folder
    ``.NAME.zarr.part``, from which the same conversion (same bytes, same arguments) goes on; any other removes it.

    Raises what :func:`open_thermogram` raises, :class:`InvalidInputError` for an unknown suffix, :class:`OutputError`
    where the result cannot be written.
    """
    told = no_progress if on_progress is None else on_progress
    source, target = as_path(path), as_path(output)
    check_output(target)
    if target.exists() and source.exists() and target.samefile(source):
        raise OutputError(f"{target}: expected an output beside the input; found the input itself. Choose another name")
    thermogram = open_thermogram(
        source,
        emissivity=emissivity,
        reflected_c=reflected_c,
        distance_m=distance_m,
        humidity_pct=humidity_pct,
        air_c=air_c,
    )

    if target.suffix.lower() != ".zarr" or not is_recording(thermogram):
        return _save(thermogram, target, told, lambda _: None)
    sha256 = str(thermogram.attrs["provenance_sha256"])
    partly_hashed = sha256.startswith(PARTIAL) and source.is_file()
    if partly_hashed:
        # A long recording is hashed whole here, where it is read whole anyway, and not each time that it is opened.
        told(0, 1, "checksums")
        sha256 = hash_file(source)
        told(1, 1, "checksums")

    def finish(written: Path) -> None:
        if partly_hashed:
            set_origin(written, file=source.name, sha256=sha256)

    options = [emissivity, reflected_c, distance_m, humidity_pct, air_c]
    return _save_resumably(
        thermogram, target, told, finish, {"file": source.name, "sha256": sha256, "options": options}
    )


def save_thermogram(
    thermogram: xr.Dataset, output: str | os.PathLike[str], *, on_progress: Progress | None = None
) -> Path:
    """Write ``thermogram`` to ``output`` as :func:`convert` does.

    Raises :class:`InvalidInputError`, :class:`OutputError`.
    """
    target = as_path(output)
    check_output(target)
    return _save(thermogram, target, no_progress if on_progress is None else on_progress, lambda _: None)


def _save_resumably(
    thermogram: xr.Dataset,
    target: Path,
    on_progress: Progress,
    finish: Callable[[Path], None],
    made_of: Mapping[str, Any],
) -> Path:
    """As :func:`_save`, but what is interrupted can go on; where another process is at it, beside it and as a whole."""
    try:
        with held_part(target) as part:
            if part is None:
                return _save(thermogram, target, on_progress, finish)
            try:
                written = write_resumably(thermogram, part, made_of, on_progress)
                finish(written)
                _replace(written, target)
            except Exception:
                forget(part)  # what cannot be read or written now cannot be either when it is tried again
                raise
            except KeyboardInterrupt:
                if not unfinished(target):
                    forget(part)
                raise
            forget(part)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written; the system answered: {error.strerror or error}") from error
    return target


def _save(thermogram: xr.Dataset, target: Path, on_progress: Progress, finish: Callable[[Path], None]) -> Path:
    if target.suffix.lower() == ".csv":
        refuse_recording(thermogram)
    writer = _WRITERS[target.suffix.lower()]
    # Beside the target, so that the last step is a rename on one disk; its own suffix keeps other programs away.
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        writer(thermogram, temporary, on_progress)
        finish(temporary)
        _replace(temporary, target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written; the system answered: {error.strerror or error}") from error
    finally:
        _remove(temporary)
    return target


def check_output(target: Path) -> None:
    """Raise :class:`InvalidInputError` or :class:`OutputError` unless ``target`` can be written; writes nothing."""
    suffix = target.suffix.lower()
    if suffix not in _WRITERS:
        raise InvalidInputError(
            f"{target}: expected an output that ends in {', '.join(_WRITERS)}; found {suffix or 'no suffix'!r}"
        )
    if not target.parent.is_dir():
        raise OutputError(
            f"{target}: expected an existing folder for the output; found none at {target.parent}. Create it"
        )
    if suffix == ".zarr" and target.exists() and not sniff_store(target):
        raise OutputError(
            f"{target}: expected nothing or a Zarr store to replace; found something else. Choose another name"
        )
    if suffix != ".zarr" and target.is_dir():
        raise OutputError(f"{target}: expected nothing or a file to replace; found a folder. Choose another name")


def _write_picture_as_dicom(thermogram: xr.Dataset, path: Path, _: Progress) -> None:
    write_dicom(thermogram, path)


_WRITERS: Final[Mapping[str, Writer]] = MappingProxyType(
    {
        ".npy": write_npy,
        ".csv": write_csv,
        ".tif": write_tiff,
        ".tiff": write_tiff,
        ".zarr": write_store,
        ".dcm": _write_picture_as_dicom,
    }
)


def _replace(new: Path, target: Path) -> None:
    if not target.is_dir():
        new.replace(target)
        return
    # No system replaces a folder that is not empty: the old one steps aside, and comes back if the rename fails.
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.old")
    target.replace(aside)
    try:
        new.replace(target)
    except OSError:
        aside.replace(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
