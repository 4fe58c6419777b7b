"""Processes beside this one: they load early, leave nothing behind, and their absence is no error."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import BrokenExecutor, CancelledError
from multiprocessing import active_children
from pathlib import Path

import pytest

from rewarm.errors import InvalidInputError
from rewarm.processes import process_pool


def loaded(module: str) -> bool:
    return module in sys.modules


def process_after(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def refuse() -> None:
    raise InvalidInputError("expected a foot, found a hand")


def a_function() -> object:
    return lambda: None


def test_what_was_asked_for_is_loaded_before_the_work_comes() -> None:
    with process_pool(1, preload="wave") as pool:
        assert pool is not None
        assert pool.submit(loaded, "wave").result()
        assert not pool.submit(loaded, "aifc").result()


def test_all_are_started_at_once_and_share_the_work() -> None:
    before = set(active_children())
    with process_pool(2, preload="wave") as pool:
        assert pool is not None
        started = set(active_children()) - before
        assert len(started) == 2
        pool.submit(abs, -1).result()  # one that is free must not keep the other from being used
        done = [pool.submit(process_after, 0.5) for _ in range(4)]
        assert {future.result() for future in done} <= {process.pid for process in started}
        assert set(active_children()) - before == started, "a process was started later, which nobody will stop"


def test_none_is_left_where_this_process_is_slow_and_the_first_is_idle_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a busy machine: the first process has loaded and waits before the second is asked for."""
    start = threading.Thread.start

    def slowly(thread: threading.Thread) -> None:
        start(thread)
        if threading.current_thread() is threading.main_thread():
            time.sleep(1.5)

    monkeypatch.setattr(threading.Thread, "start", slowly)
    before = set(active_children())
    with process_pool(2, preload="wave") as pool:
        assert pool is not None
        started = set(active_children()) - before
        assert len(started) == 2
        pool.submit(time.sleep, 600)
        assert set(active_children()) - before == started, "a process was started later, which nobody will stop"
    for process in started:
        process.join(timeout=5)
    assert not started & set(active_children())


@pytest.mark.parametrize("wait_s", [0.0, 0.3, 1.5])
def test_at_the_end_no_process_is_left_even_where_one_is_at_work(wait_s: float) -> None:
    """Whatever they are doing when they are stopped: starting, loading, working, waiting for work."""
    before, threads = set(active_children()), set(threading.enumerate())
    with process_pool(2, preload="wave") as pool:
        assert pool is not None
        time.sleep(wait_s)
        at_work = pool.submit(time.sleep, 600)
        started = set(active_children()) - before
        end = time.monotonic()
    assert time.monotonic() - end < 60
    assert len(started) == 2
    assert all(process.exitcode for process in started)
    assert not started & set(active_children())
    assert set(threading.enumerate()) <= threads
    with pytest.raises((BrokenExecutor, CancelledError)):
        at_work.result(timeout=1)
    with pytest.raises(BrokenExecutor, match="no process is left"):
        pool.submit(abs, -1)


def test_work_that_waits_when_the_last_process_dies_is_given_back() -> None:
    with process_pool(1, preload="wave") as pool:
        assert pool is not None
        given = [pool.submit(os._exit, 1), *(pool.submit(abs, -2) for _ in range(3))]
        for future in given:
            with pytest.raises(BrokenExecutor):
                future.result(timeout=60)
        with pytest.raises(BrokenExecutor, match="no process is left"):
            pool.submit(abs, -2)


def test_what_one_process_takes_with_it_the_others_do_not_miss() -> None:
    with process_pool(2, preload="wave") as pool:
        assert pool is not None
        with pytest.raises(BrokenExecutor, match="ended before it was done"):
            pool.submit(os._exit, 1).result(timeout=60)
        assert [pool.submit(abs, -number).result(timeout=60) for number in range(5)] == [0, 1, 2, 3, 4]


def test_errors_of_the_work_come_back_with_where_they_arose() -> None:
    with process_pool(1, preload="wave") as pool:
        assert pool is not None
        with pytest.raises(InvalidInputError, match="expected a foot") as caught:
            pool.submit(refuse).result()
        assert str(caught.value) == "expected a foot, found a hand"
        assert "in refuse" in "".join(caught.value.__notes__)
        with pytest.raises(Exception, match="lambda"):
            pool.submit(a_function).result()
        with pytest.raises(Exception, match="pickle"):
            pool.submit(a_function()).result()  # type: ignore[arg-type]
        assert pool.submit(abs, -2).result() == 2


@pytest.mark.skipif(sys.platform == "win32", reason="looks for a process by signal 0")
def test_they_end_by_themselves_where_the_first_process_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "first.py"
    script.write_text(
        textwrap.dedent("""
            import os, signal
            from rewarm.processes import process_pool
            if __name__ == "__main__":
                with process_pool(2, preload="wave") as pool:
                    others = {pool.submit(os.getpid).result() for _ in range(4)}
                    print(*others, flush=True)
                    os.kill(os.getpid(), signal.SIGKILL)
            """),
        encoding="utf-8",
    )
    first = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False)
    others = [int(word) for word in first.stdout.split()]
    assert others, first.stderr
    deadline = time.monotonic() + 60
    while any(runs(pid) for pid in others):
        assert time.monotonic() < deadline, "a process outlived the one that it worked for"
        time.sleep(0.05)


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"


def test_a_module_that_cannot_be_loaded_is_left_to_the_work() -> None:
    with process_pool(1, preload="no_such_module") as pool:
        assert pool is not None
        assert pool.submit(abs, -2).result() == 2


def test_none_asked_for_or_none_to_be_had_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_all(*_: object) -> None:
        raise OSError("no further processes")

    with process_pool(0, preload="wave") as pool:
        assert pool is None
    monkeypatch.setattr("rewarm.processes.get_context", refuse_all)
    with process_pool(1, preload="wave") as pool:
        assert pool is None
