"""Files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

from rewarm.errors import OutputError


def write_whole(path: Path, data: bytes, *, what: str = "report") -> None:
    """Write a file so that it is there whole or not at all; ``what`` it is, for the message.

    Raises :class:`rewarm.errors.OutputError`.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputError(
            f"{what}: expected to be able to write {path}; found: {error.strerror or error}. Choose another folder"
        ) from error
