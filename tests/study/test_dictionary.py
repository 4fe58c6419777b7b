"""The data dictionary says what the declarations say."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from rewarm.study.dictionary import OUTPUTS, SECTIONS, dictionary_page
from rewarm.study.records import OUTCOME_UNITS, TABLES
from rewarm.study.settings import SECTIONS as TOML_SECTIONS
from rewarm.tables import METRICS

PAGE = (Path(__file__).parents[2] / "docs" / "data-dictionary.md").read_text(encoding="utf-8")


def test_the_page_is_the_one_that_its_script_writes() -> None:
    assert dictionary_page() == PAGE, "run scripts/data_dictionary.py"


@pytest.mark.parametrize("name", TABLES)
def test_every_column_stands_under_its_table_with_its_words(name: str) -> None:
    table = TABLES[name]
    section = PAGE.split(f"### {table.file}: {table.meaning}")[1].split("\n#")[0]
    for column in table.columns:
        (line,) = [row for row in section.splitlines() if row.startswith(f"| `{column.name}`")]
        assert column.meaning in line
        assert ("\\*" in line) == column.required
        assert all(f"`{word}`" in line for word in column.vocabulary)


def test_every_section_of_the_settings_is_there() -> None:
    assert {name.split(".")[0] for name in SECTIONS if name} == set(TOML_SECTIONS)
    for _, settings in SECTIONS.values():
        for setting in settings:
            assert f"| `{setting.name}`" in PAGE


def test_every_output_column_and_metric_is_there() -> None:
    for file, (_, columns) in OUTPUTS.items():
        assert f"### {file}" in PAGE
        assert all(f"| `{name}` | {_escaped(meaning)} |" in PAGE for name, meaning in columns.items())
    assert all(f"| `{name}` | {unit} |" in PAGE for name, (unit, _) in METRICS.items())


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def test_tables_keep_their_columns_apart() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("|") and not line.startswith("|---")]
    unescaped = [line.replace("\\|", "") for line in lines]
    plain = PAGE.replace("\\|", "")
    for line, after in pairwise(unescaped):
        if f"{line}\n{after}\n" in plain:
            assert line.count("|") == after.count("|"), after


def test_an_outcome_has_one_unit() -> None:
    assert OUTCOME_UNITS["rcs"] == "1"
    assert OUTCOME_UNITS["t50"] == "s"
    assert not set(METRICS).intersection(column.name for column in TABLES["diary"].columns)
