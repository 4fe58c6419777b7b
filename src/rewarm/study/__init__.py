"""The only composer: reads and checks a study folder, runs the chain scan by scan, gathers the tables."""

from rewarm.study.clinical import load_tables, study_tables
from rewarm.study.comparison import compare, compare_scans
from rewarm.study.diary import diary_coverage, diary_days
from rewarm.study.folder import StudyCheck, check_study, load_study
from rewarm.study.outputs import write_comparison, write_study_result
from rewarm.study.proposals import Proposal, propose_corrections, propose_for_study
from rewarm.study.results import Comparison, ScanResult, StudyResult
from rewarm.study.run import analyse_study, run_study
from rewarm.study.single import measure_files
from rewarm.study.staging import staged_output
from rewarm.study.template import write_template
from rewarm.study.workers import sharing

__all__ = [
    "Comparison",
    "Proposal",
    "ScanResult",
    "StudyCheck",
    "StudyResult",
    "analyse_study",
    "check_study",
    "compare",
    "compare_scans",
    "diary_coverage",
    "diary_days",
    "load_study",
    "load_tables",
    "measure_files",
    "propose_corrections",
    "propose_for_study",
    "run_study",
    "sharing",
    "staged_output",
    "study_tables",
    "write_comparison",
    "write_study_result",
    "write_template",
]
