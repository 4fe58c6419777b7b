"""Processes beside this one: they load early, leave nothing behind, and their absence is no error."""

from __future__ import annotations

import sys
import time
from multiprocessing import active_children

import pytest

from rewarm.processes import process_pool


def loaded(module: str) -> bool:
    return module in sys.modules


def test_what_was_asked_for_is_loaded_before_the_work_comes() -> None:
    with process_pool(1, preload="wave") as pool:
        assert pool is not None
        assert pool.submit(loaded, "wave").result()
        assert not pool.submit(loaded, "aifc").result()


def test_at_the_end_no_process_is_left_even_where_one_is_at_work() -> None:
    before = set(active_children())
    start = time.monotonic()
    with process_pool(2, preload="wave") as pool:
        assert pool is not None
        pool.submit(time.sleep, 60)
        started = set(active_children()) - before
        assert len(started) == 2
    for process in started:
        process.join(timeout=20)
    assert not started & set(active_children())
    assert time.monotonic() - start < 30


def test_a_module_that_cannot_be_loaded_is_left_to_the_work() -> None:
    with process_pool(1, preload="no_such_module") as pool:
        assert pool is not None
        assert pool.submit(abs, -2).result() == 2


def test_none_asked_for_or_none_to_be_had_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise OSError("no semaphores")

    with process_pool(0, preload="wave") as pool:
        assert pool is None
    monkeypatch.setattr("rewarm.processes.ProcessPoolExecutor", refuse)
    with process_pool(1, preload="wave") as pool:
        assert pool is None
