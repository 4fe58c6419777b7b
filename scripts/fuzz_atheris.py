"""Fuzz all readers led by coverage: atheris looks for bytes that reach code which no input has reached before.

python scripts/fuzz_atheris.py [LIBFUZZER OPTIONS, e.g. -runs=100000 -max_total_time=600]

Needs atheris (pip install atheris; Linux and macOS). It starts from the same small sound files as fuzz_readers.py, and
stops with a traceback, and the input in a file crash-…, at the first exception that is no RewarmError or at the first
input that takes over 1 s.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["rewarm.cameras"]):
    from rewarm.cameras import open_thermogram

from fuzz_readers import MAX_SECONDS, sound_files

from rewarm.errors import RewarmError
from rewarm.thermogram import check_thermogram

MAX_BYTES = 20_000
MEMORY_MB = 1500  # of the whole process, libraries included


def main() -> None:
    """Hand over to libFuzzer, which ends the process."""
    logging.disable(logging.CRITICAL)  # tifffile tells of every damaged tag
    with tempfile.TemporaryDirectory() as name:
        corpus = Path(name) / "corpus"
        corpus.mkdir()
        for kind, data in sound_files().items():
            (corpus / kind).write_bytes(data)
        file = Path(name) / "input"

        def open_once(data: bytes) -> None:
            file.write_bytes(data)
            start = time.perf_counter()
            try:
                thermogram = open_thermogram(file)
                check_thermogram(thermogram)
                if "time" in thermogram.dims:  # a recording decodes its frames only now
                    thermogram["temperature"].isel(time=[0, -1]).load()
            except RewarmError:
                pass
            seconds = time.perf_counter() - start
            if seconds > MAX_SECONDS:
                raise TimeoutError(f"expected at most {MAX_SECONDS:g} s; took {seconds:.1f} s")

        options = [f"-max_len={MAX_BYTES}", f"-rss_limit_mb={MEMORY_MB}", "-timeout=20"]
        atheris.Setup([sys.argv[0], *options, *sys.argv[1:], str(corpus)], open_once)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
