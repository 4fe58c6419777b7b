"""The table contracts against the contract page that people read."""

from __future__ import annotations

from pathlib import Path

from rewarm.tables import AGREEMENT, COMPARISON, MEASUREMENTS


def test_every_column_is_on_the_documented_page() -> None:
    page = (Path(__file__).parents[1] / "docs" / "study-folder.md").read_text(encoding="utf-8")
    for column in [*MEASUREMENTS, *COMPARISON, *AGREEMENT]:
        assert f"`{column}`" in page, f"docs/study-folder.md does not say what {column} is"
