"""What happens around a command: errors become one line and a status, interruptions are told, progress is shown."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from rewarm.errors import RewarmError


@contextmanager
def errors_told() -> Iterator[None]:
    """A RewarmError, or a place that cannot be written to, becomes one line on standard error and exit status 2."""
    try:
        yield
    except RewarmError as error:
        _stop(str(error))
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        _stop(f"{name}{error.strerror or error}. Check that the place exists, may be written to and has space left")


def _stop(message: str) -> None:
    typer.echo(f"rewarm: {message}", err=True)
    raise SystemExit(2)


@contextmanager
def interruptions(left: Callable[[], str]) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the block alike, with one line that says what was ``left`` behind."""

    def stop(number: int, _frame: object) -> None:
        raise _Interrupted(number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt as error:
        number = error.args[0] if isinstance(error, _Interrupted) else signal.SIGINT
        typer.echo(f"rewarm: interrupted. {left() or 'Nothing was written'}", err=True)
        raise SystemExit(128 + int(number)) from None
    finally:
        signal.signal(signal.SIGTERM, before)


class _Interrupted(KeyboardInterrupt):
    """SIGTERM, which otherwise would end the process without tidying up."""


@contextmanager
def progress() -> Iterator[Callable[[int, int, str], None]]:
    """A progress line on a terminal; nothing where output goes to a file."""
    if not sys.stderr.isatty():
        yield _say_nothing
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def tell(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total or None, description=what)

        yield tell


def _say_nothing(_done: int, _total: int, _what: str) -> None:
    """Progress that nobody watches."""


def as_json_text(value: object) -> str:
    """``value`` as ``--json`` prints it; what JSON cannot hold (NaN) is an error."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
