"""Makers whose files a maintained library of others reads, as optional extras; and those whose files nobody reads.

InfiRay's cameras write .irg, which ``infiray-irg`` reads. What has no maintained reader with a known layout is refused
by its name, with the export to ask the maker's program for: guessing at temperatures helps no patient.
"""

from __future__ import annotations

import struct
import warnings
from typing import Final

import numpy as np
import xarray as xr

from rewarm.cameras.parameters import refuse_overrides
from rewarm.cameras.source import Source, check_size
from rewarm.errors import UnreadableFileError
from rewarm.thermogram import CameraIdentity, ObjectParameters, make_thermogram

IRG_MAGICS: Final = (b"\xca\xac", b"\xba\xab", b"\x04\xa0")
IRG_HEADER_BYTES: Final = (78, 4096)
LARGEST_IRG_BYTES: Final = 64 * 1024**2
"""Its pictures have 0.05 to 0.3 megapixels, three bytes each, and a photo."""
INSTALL_INFIRAY: Final = 'pip install "rewarm[infiray]"'
EXPORT: Final = "as CSV in °C, or as a float or 16-bit radiometric TIFF"


def sniff_irg(head: bytes) -> bool:
    """Whether a file begins like an InfiRay .irg: its mark, and a size that agrees with itself."""
    if head[:2] not in IRG_MAGICS or len(head) < 12:
        return False
    header_bytes, coarse_bytes, height, width = struct.unpack_from("<HIHH", head, 2)
    fits = IRG_HEADER_BYTES[0] <= header_bytes <= IRG_HEADER_BYTES[1]
    return bool(fits and coarse_bytes == height * width and coarse_bytes > 0)


def open_irg(source: Source, overrides: ObjectParameters) -> xr.Dataset:
    """Open an InfiRay .irg with the package infiray-irg: one picture, (y, x), steps of 1/16 or 1/10 K.

    Raises :class:`UnreadableFileError` for damage and where infiray-irg is not installed, :class:`InvalidInputError` if
    there are overrides.
    """
    refuse_overrides(overrides, kind="an InfiRay picture")
    try:
        from infiray_irg import load  # an optional dependency
    except ImportError as error:
        raise UnreadableFileError(
            f"expected infiray-irg to read an InfiRay .irg; found it not installed. Install it: {INSTALL_INFIRAY}"
        ) from error
    if len(source.data) > LARGEST_IRG_BYTES:
        raise UnreadableFileError(
            f"expected an InfiRay .irg of at most {LARGEST_IRG_BYTES // 1024**2} MiB; found "
            f"{len(source.data) / 1024**2:.0f} MiB: it is damaged"
        )
    height, width = struct.unpack_from("<HH", source.data, 8)
    check_size(width, height)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _, fine_c, _ = load(source.data)
    except Exception as error:  # the library raises whatever its parsing trips over
        brief = (str(error) or type(error).__name__).splitlines()[0][:120]
        raise UnreadableFileError(
            f"expected an InfiRay .irg; found a damaged or unsupported one ({brief}). Copy it again from the camera"
        ) from error
    notes = ["The file's reader, infiray-irg, does not tell emissivity or distance: check them in the camera."]
    notes += [str(warning.message).split(" Please report")[0] for warning in caught]
    return make_thermogram(
        np.ascontiguousarray(fine_c, dtype=np.float32),
        provenance=source.provenance("InfiRay IRG"),
        camera=CameraIdentity(camera_make="InfiRay"),
        warnings=notes,
    )


def unreadable_maker(head: bytes, suffix: str) -> str | None:
    """What a file is that no maintained open reader reads, and what to do; None for any other."""
    maker = None
    if head.startswith(b"PK\x03\x04") and (suffix in (".is2", ".is3") or b".gpbenc" in head or b"IR.data" in head):
        maker, program = "a Fluke picture", "SmartView or Fluke Connect"
    elif suffix == ".bmt" and head.startswith(b"BM"):
        maker, program = "a Testo picture", "IRSoft"
    elif head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        if suffix != ".ravi":
            return "a video. Export single frames as radiometric files or CSV"
        maker, program = "an Optris recording (.ravi)", "PIX Connect"
    return f"{maker}, whose layout is not published. Open it in {program} and export {EXPORT}" if maker else None
