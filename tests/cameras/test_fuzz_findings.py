"""What scripts/fuzz_readers.py has found: each finding stays a test."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from rewarm.cameras import open_thermogram
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
