"""The only composer: reads and checks a study folder, runs the chain scan by scan, gathers the tables."""

from rewarm.study.folder import StudyCheck, check_study, load_study
from rewarm.study.results import Comparison, ScanResult, StudyResult
from rewarm.study.staging import staged_output

__all__ = [
    "Comparison",
    "ScanResult",
    "StudyCheck",
    "StudyResult",
    "check_study",
    "load_study",
    "staged_output",
]
