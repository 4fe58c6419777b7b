"""What scripts/fuzz_readers.py has found: each finding stays a test."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rewarm.cameras import open_thermogram
from rewarm.cameras.infratec import palette_table
from rewarm.errors import UnreadableFileError

Write = Callable[[str, bytes | str], Path]


@pytest.mark.parametrize("length", [0x20000000, 0x7FFFFFFF])
def test_a_directory_that_declares_gigabytes_takes_no_memory(
    write: Write, flir_fff: Callable[..., bytes], length: int
) -> None:
    """One damaged length field once made 4 GiB of padding: 24 seconds for a file of 6 kB."""
    data = bytearray(flir_fff() + flir_fff(milliseconds=290))
    for entry in range(3):  # the first frame's records are nothing that is known; the second frame is whole
        struct.pack_into(">H", data, 0x40 + 0x20 * entry, 99)
        struct.pack_into(">2I", data, 0x40 + 0x20 * entry + 0x0C, 0x1000, length)
    path = write("a.seq", bytes(data))
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFileError):
            open_thermogram(path)
        assert tracemalloc.get_traced_memory()[1] < 20 * 1024**2
    finally:
        tracemalloc.stop()


def test_signalling_nan_in_an_infratec_palette_is_no_warning_of_numpy() -> None:
    palette = np.linspace(290.0, 310.0, 256, dtype="<f4")
    palette.view("<u4")[3] = 0x7FA00000
    table = palette_table(palette.tobytes())
    assert np.isnan(table[: 3 * 256]).all()
    assert np.isfinite(table[5 * 256 :]).all()
