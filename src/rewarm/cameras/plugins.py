"""Readers from other packages: entry points of the group ``rewarm.readers``.

They are asked after rewarm's own readers, in the order of their entry points' names, and nothing of them is imported
before that. A package that cannot be loaded, or whose reader trips, is named in the message; it spoils no other reader.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final, Protocol

import xarray as xr

from rewarm.cameras.source import Source
from rewarm.errors import InvalidThermogramError, RewarmError, UnreadableFileError
from rewarm.thermogram import ObjectParameters, check_thermogram

GROUP: Final = "rewarm.readers"
Open = Callable[[Source, ObjectParameters], xr.Dataset]


class OutsideReader(Protocol):
    """What an entry point must lead to: an object like :class:`rewarm.cameras.Reader`."""

    @property
    def name(self) -> str:
        """Of the reader."""

    @property
    def formats(self) -> str:
        """What it reads, in a few words."""

    @property
    def sniff(self) -> Callable[[bytes, Path], bool]:
        """Whether a file that begins with these bytes, of that path, is this reader's."""

    @property
    def open(self) -> Open:
        """Make a thermogram of the source."""

    @property
    def keeps_counts(self) -> bool:
        """Whether the format holds raw counts."""


@dataclass(frozen=True)
class Outsider:
    """A reader that recognised a file, the package that it comes from, and what went wrong before it was found."""

    reader: OutsideReader
    package: str
    troubles: tuple[str, ...]


def find_outside(head: bytes, path: Path) -> tuple[Outsider | None, tuple[str, ...]]:
    """The first reader of another package that recognises a file, or None; and a sentence for each broken package."""
    troubles: list[str] = []
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, _package(entry))):
        package = _package(entry)
        try:
            reader = _load(entry)
            recognised = bool(reader.sniff(head, path))
        except Exception as error:  # another package's code: whatever it raises must not spoil the others
            troubles.append(f"The reader {entry.name!r} of the package {package!r} does not work ({_brief(error)})")
            continue
        if recognised:
            return Outsider(reader=reader, package=package, troubles=tuple(troubles)), tuple(troubles)
    return None, tuple(troubles)


def guarded_open(outsider: Outsider) -> Open:
    """Its ``open``, with every failure as an error of ours that names the package, and its result checked."""

    def open_guarded(source: Source, overrides: ObjectParameters) -> xr.Dataset:
        try:
            thermogram = outsider.reader.open(source, overrides)
            check_thermogram(thermogram)
        except InvalidThermogramError as error:
            raise UnreadableFileError(
                f"expected a thermogram from the reader {outsider.reader.name!r} of the package "
                f"{outsider.package!r}; found one that breaks the contract. Tell its makers: {error}"
            ) from error
        except RewarmError:
            raise
        except Exception as error:
            raise UnreadableFileError(
                f"expected a readable recording; the reader {outsider.reader.name!r} of the package "
                f"{outsider.package!r} stopped with {_brief(error)}. The file may be damaged; if it is not, tell the "
                "package's makers"
            ) from error
        notes = [f"{trouble}. Update or uninstall it." for trouble in outsider.troubles]
        return thermogram.assign_attrs(warnings=[*thermogram.attrs["warnings"], *notes])

    return open_guarded


def _load(entry: EntryPoint) -> OutsideReader:
    reader: OutsideReader = entry.load()
    for attribute, expected in (("name", str), ("formats", str), ("keeps_counts", bool)):
        if not isinstance(getattr(reader, attribute, None), expected):
            raise TypeError(f"expected a rewarm.cameras.Reader; found {type(reader).__name__} without {attribute}")
    if not callable(reader.sniff) or not callable(reader.open):
        raise TypeError("expected a rewarm.cameras.Reader; found one whose sniff or open is no function")
    return reader


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.module


def _brief(error: Exception) -> str:
    words = str(error).splitlines()
    return f"{type(error).__name__}: {words[0][:160]}" if words else type(error).__name__
