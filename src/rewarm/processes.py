"""Processes beside this one that load what they will need from the moment they are asked for.

Only the command line starts them: a script without ``if __name__ == "__main__"`` would be run once more by each. This
module imports nothing else of rewarm, so that they start at once.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import active_children, get_context


@contextmanager
def process_pool(processes: int, *, preload: str) -> Iterator[ProcessPoolExecutor | None]:
    """``processes`` processes that import the module ``preload`` now; None where none are asked for or can be had.

    At the end they are stopped, not asked to tidy up: their results are here, and tidying up took half a second.
    """
    before = set(active_children())
    pool = _started(processes, preload) if processes > 0 else None
    started = set(active_children()) - before
    try:
        yield pool
    finally:
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
        for process in started:
            process.terminate()


def _started(processes: int, preload: str) -> ProcessPoolExecutor | None:
    try:
        pool = ProcessPoolExecutor(max_workers=processes, mp_context=get_context("spawn"))
        for _ in range(processes):
            pool.submit(_load, preload)
    except (OSError, ImportError):  # no semaphores, no further processes: some sandboxes
        return None
    return pool


def _load(module: str) -> None:
    gc.set_threshold(50_000, 20, 20)  # a short life leaves few cycles behind; looking for them cost a tenth
    try:
        import_module(module)
    except (ImportError, OSError):
        return  # the work itself says what is missing
