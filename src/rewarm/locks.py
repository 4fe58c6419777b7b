"""A file that one process at a time has to itself, so that two do not make the same thing in the same place."""

from __future__ import annotations

import sys
from typing import IO, Any


def locked(stream: IO[Any]) -> bool:
    """Whether this process now has the open file to itself; the system lets go of it when the process ends, however."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
