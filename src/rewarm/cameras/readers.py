"""The door to every recording: an explicit, ordered list of readers that look at a file's first bytes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import xarray as xr

from rewarm.cameras.dicom import open_dicom, sniff_dicom
from rewarm.cameras.flir_fff import sniff_fff
from rewarm.cameras.flir_jpeg import open_flir_jpeg, sniff_jpeg
from rewarm.cameras.flir_public import open_fpf, sniff_fpf
from rewarm.cameras.flir_sequence import open_fff
from rewarm.cameras.infratec import open_irb, sniff_irb
from rewarm.cameras.matrix_text import open_text, sniff_text
from rewarm.cameras.npy import open_npy, sniff_npy
from rewarm.cameras.parameters import check_overrides
from rewarm.cameras.plugins import find_outside, guarded_open
from rewarm.cameras.source import HEAD_BYTES, Source, load_source
from rewarm.cameras.store import open_store, sniff_store
from rewarm.cameras.tiff import open_tiff, sniff_tiff
from rewarm.cameras.vendor_extras import open_irg, sniff_irg, unreadable_maker
from rewarm.errors import InvalidInputError, NotRadiometricError, RewarmError, UnreadableFileError
from rewarm.thermogram import ObjectParameters


@dataclass(frozen=True)
class Reader:
    """One format.

    ``sniff`` is asked with the file's first 4,096 bytes (empty for a folder) and its path whether it is this reader's;
    ``open`` makes a thermogram of the source, or raises one of :mod:`rewarm.errors` with a message without file name.
    ``keeps_counts`` says whether the format holds raw counts, so that emissivity and the rest can be overridden.
    ``reads_on_demand``: of a long recording it wants no bytes but the first, and takes from the file what is asked for.
    """

    name: str
    formats: str
    sniff: Callable[[bytes, Path], bool]
    open: Callable[[Source, ObjectParameters], xr.Dataset]
    keeps_counts: bool
    reads_on_demand: bool = False


READERS: Final = (
    Reader("Zarr store", ".zarr written by rewarm", lambda _, path: sniff_store(path), open_store, True),
    Reader("FLIR JPEG", "FLIR radiometric JPEG", lambda head, _: sniff_jpeg(head), open_flir_jpeg, True),
    Reader("FLIR FFF", "FLIR FFF picture, SEQ or CSQ", lambda head, _: sniff_fff(head), open_fff, True, True),
    Reader("FLIR FPF", "FLIR public image format", lambda head, _: sniff_fpf(head), open_fpf, False),
    Reader("InfraTec IRB", "InfraTec .irb", lambda head, _: sniff_irb(head), open_irb, False, True),
    Reader("DICOM", "DICOM Parametric Map in °C", lambda head, _: sniff_dicom(head), open_dicom, False),
    Reader("InfiRay IRG", "InfiRay .irg", lambda head, _: sniff_irg(head), open_irg, False),
    Reader("npy", ".npy matrix in °C", lambda head, _: sniff_npy(head), open_npy, False),
    Reader("TIFF", "float or 16-bit radiometric TIFF", lambda head, _: sniff_tiff(head), open_tiff, False),
    Reader("text matrix", "CSV, TXT or ASC matrix in °C", lambda head, _: sniff_text(head), open_text, False),
)
"""Asked in this order; the first that recognises the file opens it. Text comes last: much else may look like text."""

_PICTURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"BM", "a BMP picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
)
_OTHERS: Final = (
    (4, b"ftyp", "a video. Export single frames as radiometric JPEG or CSV"),
    (0, b"PK\x03\x04", "a ZIP archive or office document. Unpack it, or save the sheet as CSV"),
)


def open_thermogram(
    path: str | os.PathLike[str],
    *,
    emissivity: float | None = None,
    reflected_c: float | None = None,
    distance_m: float | None = None,
    humidity_pct: float | None = None,
    air_c: float | None = None,
) -> xr.Dataset:
    """Open a camera's file as a thermogram: an :class:`xarray.Dataset` with ``temperature`` (y, x), float32, °C.

    The format is told from the file's first bytes. The parameters replace what the file stores: ``emissivity`` 0..1,
    reflected apparent temperature in °C, distance in metres, relative humidity in per cent, air temperature in °C; they
    need a format that keeps raw counts. ``attrs["warnings"]`` holds sentences that a person should read. See
    :mod:`rewarm.thermogram` for the whole contract.

    Raises :class:`InvalidInputError` for parameters that cannot be (all of them named together) or cannot be honoured,
    :class:`NotRadiometricError` for a picture or text without temperatures, :class:`UnreadableFileError` for a missing,
    empty, damaged or unknown file.
    """
    overrides = check_overrides(
        emissivity=emissivity,
        reflected_c=reflected_c,
        distance_m=distance_m,
        humidity_pct=humidity_pct,
        air_c=air_c,
    )
    file = as_path(path)
    try:
        source = load_source(
            file, may_stay=lambda head: any(r.reads_on_demand and r.sniff(head, file) for r in READERS)
        )
        return find_reader(source).open(source, overrides)
    except RewarmError as error:  # readers need not know the file's name: it is put before their message here
        raise type(error)(f"{file}: {error}") from error.__cause__


def as_path(path: str | os.PathLike[str]) -> Path:
    """``path`` as a :class:`pathlib.Path`; raises :class:`InvalidInputError` for anything that names no file."""
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str) or not os.fspath(path):
        raise InvalidInputError(f"path: expected the name of a file, as str or Path; found {path!r}")
    return Path(path)


def find_reader(source: Source) -> Reader:
    """The first that recognises ``source``: of :data:`READERS`, then of :mod:`rewarm.cameras.plugins`.

    Raises :class:`UnreadableFileError` or :class:`NotRadiometricError` where none does, naming what was looked for.
    """
    head = source.data[:HEAD_BYTES]
    for reader in READERS:
        if reader.sniff(head, source.path):
            return reader
    outsider, troubles = find_outside(head, source.path)
    if outsider is not None:
        theirs = outsider.reader
        return Reader(theirs.name, theirs.formats, theirs.sniff, guarded_open(outsider), theirs.keeps_counts)
    readable = ". ".join(["; ".join(reader.formats for reader in READERS), *troubles])
    if not source.data:
        raise UnreadableFileError(
            f"expected a file, or a Zarr store; found a folder. Name one file inside it. Readable are: {readable}"
        )
    maker = unreadable_maker(head, source.suffix)
    if maker is not None:
        raise UnreadableFileError(f"expected a readable recording; found {maker}. Readable are: {readable}")
    for magic, words in _PICTURES:
        if head.startswith(magic):
            raise NotRadiometricError(
                f"expected a radiometric file; found {words}. Looked for raw counts or °C (FLIR's APP1 segments, FFF, "
                "npy, TIFF, a text matrix) and found colours only, which cannot be turned back into temperatures. "
                "Copy the camera's original radiometric file instead of a screenshot or an export of the picture"
            )
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        raise NotRadiometricError("expected a radiometric file; found a WebP picture. Copy the camera's original file")
    for offset, magic, words in _OTHERS:
        if head.startswith(magic, offset):
            raise UnreadableFileError(f"expected a readable recording; found {words}. Readable are: {readable}")
    raise UnreadableFileError(
        f"expected a recording in a known format; its first bytes ({head[:8].hex(' ')}) belong to none. Readable are: "
        f"{readable}"
    )
