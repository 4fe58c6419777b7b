"""The report: figures, tables and plain words in one self-contained HTML file, and a PDF of it."""

from rewarm.report.films import animate_files as animate_files
from rewarm.report.palettes import choose_palette as choose_palette
from rewarm.report.write import ReportFiles as ReportFiles
from rewarm.report.write import write_report as write_report

__all__ = ["ReportFiles", "animate_files", "choose_palette", "write_report"]
