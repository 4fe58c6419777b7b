"""HTML → PDF by WeasyPrint, if wanted in a second process that loads it while the analysis still runs.

This module imports little else of rewarm, so that the second process starts fast.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager

from rewarm.processes import process_pool

Printed = tuple[bytes | None, str]
"""The PDF's bytes and "", or None and what to install."""

Printer = Callable[[str], Callable[[], Printed]]
"""Takes HTML and starts to print it; what it returns waits for the end and gives the result."""


def print_pdf(html: str) -> Printed:
    """``html`` as PDF; or None, and one line that names the missing packages.

    WeasyPrint loads system libraries when it is imported, so it is imported here.
    """
    try:
        from weasyprint import HTML
    except (ImportError, OSError):
        return None, _advice()
    document: bytes = HTML(string=html).write_pdf()
    return document, ""


def print_here(html: str) -> Callable[[], Printed]:
    """The printer of this process: prints when asked for the result."""
    return lambda: print_pdf(html)


@contextmanager
def second_process() -> Iterator[Printer]:
    """A printer in a process of its own, loading from now on; where none can be had, this process prints."""
    with process_pool(1, preload="weasyprint") as pool:
        yield print_here if pool is None else lambda html: _awaiting(pool.submit(print_pdf, html), html)


def _awaiting(printing: Future[Printed], html: str) -> Callable[[], Printed]:
    def result() -> Printed:
        try:
            return printing.result()
        except BrokenExecutor:
            return print_pdf(html)

    return result


def _advice() -> str:
    need = "the GTK runtime (its Pango library)" if sys.platform == "win32" else "Pango"
    install = (
        "install MSYS2 and in its shell: pacman -S mingw-w64-x86_64-pango"
        if sys.platform == "win32"
        else "on Debian or Ubuntu: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
    )
    return (
        f"No PDF was made: WeasyPrint could not load {need}; {install}. The HTML report is complete and can be printed."
    )
