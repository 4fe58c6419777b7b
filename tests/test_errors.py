"""What problems look like to a person."""

from __future__ import annotations

import pickle

import pytest

from rewarm import errors
from rewarm.errors import InvalidStudyError, Problem, RewarmError


def test_a_problem_says_where_expected_found_and_what_next() -> None:
    problem = Problem("visits.csv", 3, "date", "an ISO date", "'31.12.2025'", advice="Write 2025-12-31")
    assert str(problem) == "visits.csv, row 3, column date: expected an ISO date; found '31.12.2025'. Write 2025-12-31"
    assert str(Problem("study.toml", 0, "", "a title", "none")) == "study.toml: expected a title; found none"


def test_an_invalid_study_counts_and_lists_its_errors_and_keeps_its_warnings() -> None:
    problems = [
        Problem("visits.csv", 2, "visit", "a name", "nothing"),
        Problem("visits.csv", 5, "notes2", "a known column", "an unknown one", severity="warning"),
        Problem("scans.csv", 2, "file", "a file", "none"),
    ]
    error = InvalidStudyError("my-study", problems)
    assert str(error).startswith("my-study: 2 problems to correct")
    assert "scans.csv, row 2" in str(error)
    assert "notes2" not in str(error)
    assert len(error.problems) == 3


@pytest.mark.parametrize("kind", [*RewarmError.__subclasses__(), errors.NotRadiometricError])
def test_every_error_survives_the_way_between_processes(kind: type[RewarmError]) -> None:
    problem = Problem("scans.csv", 2, "file", "a file", "none")
    error = kind("my-study", [problem]) if kind is InvalidStudyError else kind("expected a foot; found a hand")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert getattr(copy, "problems", ()) == getattr(error, "problems", ())
