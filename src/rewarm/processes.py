"""Processes beside this one that load what they will need from the moment they are asked for.

Only the command line starts them: a script without ``if __name__ == "__main__"`` would be run once more by each. This
module imports nothing else of rewarm, so that they start at once.

Each process has a connection and a thread of its own and shares nothing with the others, so that any of them can be
stopped at any moment. The standard library's pool shares queues with locks: a process that is stopped while it holds
one leaves the others waiting for ever; and it starts processes later than asked for, which nobody would then stop.
"""

from __future__ import annotations

import gc
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar, TypeVarTuple

_Result = TypeVar("_Result")
_Arguments = TypeVarTuple("_Arguments")

NONE_LEFT: Final = "no process is left to do the work"
STOP_S: Final = 30.0
"""A killed process is gone within milliseconds; after this time it is left to the system."""


@dataclass(frozen=True, eq=False)
class _Task:
    future: Future[Any]
    work: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(eq=False)
class ProcessPool:
    """Work for processes beside this one; made by :func:`process_pool`."""

    _tasks: SimpleQueue[_Task | None] = field(default_factory=SimpleQueue)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _processes: list[BaseProcess] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _serving: int = 0
    _closed: bool = False

    def submit(self, work: Callable[[*_Arguments], _Result], *arguments: *_Arguments) -> Future[_Result]:
        """Have ``work(*arguments)`` done by the next process that is free; both, and the result, must be picklable.

        Raises :class:`concurrent.futures.BrokenExecutor` where no process is left; the future raises it where its
        process ended before the work did.
        """
        future: Future[_Result] = Future()
        with self._lock:
            if self._closed or not self._serving:
                raise BrokenExecutor(NONE_LEFT)
            self._tasks.put(_Task(future, work, arguments))
        return future

    def _start(self, preload: str) -> None:
        """Start one process, and the thread that hands it work."""
        spawn = get_context("spawn")
        here, there = spawn.Pipe()
        process = spawn.Process(target=_serve, args=(there, preload), daemon=True)
        try:
            process.start()
        except BaseException:
            here.close()
            raise
        finally:
            there.close()
        self._processes.append(process)
        thread = threading.Thread(target=self._attend, args=(process.sentinel, here), daemon=True)
        with self._lock:
            self._serving += 1
        self._threads.append(thread)
        thread.start()

    def _attend(self, sentinel: int, connection: Connection) -> None:
        """Hand one process its work, one task after the other, until it ends or there is no more."""
        with connection:
            while (task := self._tasks.get()) is not None:
                if task.future.set_running_or_notify_cancel() and not _done(task, sentinel, connection):
                    break
        with self._lock:
            self._serving -= 1
            last = not self._serving
        if last:  # what waits would never be done, and nothing more is taken
            for task in self._waiting():
                if task.future.set_running_or_notify_cancel():
                    task.future.set_exception(BrokenExecutor(NONE_LEFT))

    def _waiting(self) -> Iterator[_Task]:
        """Take out what no process has begun."""
        with suppress(Empty):
            while True:
                task = self._tasks.get_nowait()
                if task is not None:
                    yield task

    def _stop(self) -> None:
        """End all processes at once, at work or not, and see them gone."""
        with self._lock:
            self._closed = True
        for task in self._waiting():
            task.future.cancel()
        for _ in self._threads:
            self._tasks.put(None)
        for process in self._processes:
            process.kill()
        # Only here is a process waited for: of two threads that do so, one would take it to be alive for ever.
        for process in self._processes:
            process.join(STOP_S)
        for thread in self._threads:
            thread.join(STOP_S)


@contextmanager
def process_pool(processes: int, *, preload: str) -> Iterator[ProcessPool | None]:
    """``processes`` processes that import the module ``preload`` now; None where none are asked for or can be had.

    At the end they are stopped, not asked to tidy up: their results are here, and tidying up took half a second.
    """
    pool = ProcessPool()
    try:
        yield pool if _started(pool, processes, preload) else None
    finally:
        pool._stop()


def _started(pool: ProcessPool, processes: int, preload: str) -> bool:
    try:
        for _ in range(processes):
            pool._start(preload)
    except (OSError, ImportError):  # no further processes: some sandboxes
        pool._stop()
        return False
    return processes > 0


def _done(task: _Task, sentinel: int, connection: Connection) -> bool:
    """Have the process at the other end of ``connection`` do ``task``; False where it ended before it answered."""
    try:
        request = pickle.dumps((task.work, task.arguments))
        connection.send_bytes(request)
        if connection not in wait([connection, sentinel]):
            raise EOFError
        good, answer = pickle.loads(connection.recv_bytes())
    except (EOFError, OSError):
        task.future.set_exception(BrokenExecutor("the process that did the work ended before it was done"))
        return False
    except Exception as error:  # cannot be handed over, or back: said where the result is asked for
        task.future.set_exception(error)
        return True
    if good:
        task.future.set_result(answer)
    else:
        task.future.set_exception(answer)
    return True


def _serve(connection: Connection, preload: str) -> None:
    """What a process does: load, then work until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all: the first process decides, and stops the others
    gc.set_threshold(50_000, 20, 20)  # a short life leaves few cycles behind; looking for them cost a tenth
    with suppress(ImportError, OSError):  # the work itself says what is missing
        import_module(preload)
    with suppress(EOFError, OSError):  # the first process is gone
        while True:
            connection.send_bytes(_answer(connection.recv_bytes()))


def _answer(request: bytes) -> bytes:
    """Pickled: True and the result of the work that was asked for, or False and its exception."""
    try:
        work, arguments = pickle.loads(request)
        return pickle.dumps((True, work(*arguments)))
    except Exception as error:  # of the work, or of handing it over
        error.add_note("".join(traceback.format_exception(error)))
        try:
            return pickle.dumps((False, error))
        except Exception as unpicklable:
            return pickle.dumps((False, RuntimeError(f"{error!r}, which cannot be handed over: {unpicklable!r}")))
