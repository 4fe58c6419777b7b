"""What problems look like to a person."""

from __future__ import annotations

from rewarm.errors import InvalidStudyError, Problem


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
