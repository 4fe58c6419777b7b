"""Write docs/data-dictionary.md from the declarations themselves, so that the page cannot say anything else."""

from __future__ import annotations

from pathlib import Path

from rewarm.study.dictionary import dictionary_page

PAGE = Path(__file__).parents[1] / "docs" / "data-dictionary.md"


if __name__ == "__main__":
    PAGE.write_text(dictionary_page(), encoding="utf-8", newline="\n")
