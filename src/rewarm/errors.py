"""The package's exceptions. Every message says what was expected, what was found and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


class RewarmError(Exception):
    """Base of every error that rewarm raises on purpose; the command line turns it into exit status 2."""


class UnreadableFileError(RewarmError):
    """A file that cannot be opened or decoded: missing, empty, truncated, damaged, no permission, a folder."""


class NotRadiometricError(UnreadableFileError):
    """A picture or text that holds no temperatures."""


class InvalidThermogramError(RewarmError):
    """A Dataset that breaks the image contract of :mod:`rewarm.thermogram`."""


class InvalidInputError(RewarmError):
    """An argument, option, table or annotation that cannot be used as given."""


class OutputError(RewarmError):
    """A result cannot be written where it was asked for."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or doubtful, in a study folder.

    ``row`` is the line number in the file as a spreadsheet shows it (the header is row 1); 0 where the problem
    concerns the whole file.
    """

    file: str
    row: int
    column: str
    expected: str
    found: str
    severity: Literal["error", "warning"] = "error"
    advice: str = ""

    def __str__(self) -> str:
        """One line: where, expected, found, what to do."""
        where = self.file
        if self.row:
            where += f", row {self.row}"
        if self.column:
            where += f", column {self.column}"
        text = f"{where}: expected {self.expected}; found {self.found}"
        return f"{text}. {self.advice}" if self.advice else text


class InvalidStudyError(RewarmError):
    """A study folder with problems; carries all of them, not only the first."""

    def __init__(self, folder: str, problems: Sequence[Problem]) -> None:
        """``problems`` holds at least one with severity "error"."""
        self.folder = folder
        self.problems = tuple(problems)
        errors = [problem for problem in self.problems if problem.severity == "error"]
        noun = "problem" if len(errors) == 1 else "problems"
        lines = [f"{folder}: {len(errors)} {noun} to correct before anything is analysed"]
        super().__init__("\n  ".join(lines + [str(problem) for problem in errors]))

    def __reduce__(self) -> tuple[type[InvalidStudyError], tuple[str, tuple[Problem, ...]]]:
        """So that it survives the way from one process to another."""
        return type(self), (self.folder, self.problems)
