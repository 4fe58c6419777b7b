"""The documentation's page of checks says what the checks say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from rewarm.measures import CHALLENGE_RULES, RULES, TISEM_ITEMS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")


def test_every_check_stands_there_with_its_limits_reason_and_source() -> None:
    lines = PAGE.splitlines()
    for rule in (*RULES.values(), *CHALLENGE_RULES.values()):
        (line,) = [text for text in lines if text.startswith(f"| `{rule.id}` |")]
        for text in (rule.question, rule.expected, rule.unit, rule.reason, rule.source):
            assert text in line


def test_the_limits_in_words_are_the_limits_in_figures() -> None:
    apart = {"emissivity", "cut_off", "clipping", "reference", "angle", "room_as_planned", "accuracy"}
    for rule in RULES.values():
        if rule.good is None or rule.id in apart:
            continue
        ends = [end for end in rule.good if abs(end) != float("inf") and end != 0]
        assert all(f"{abs(end):g}" in rule.expected for end in ends), rule.id


def test_the_page_is_the_one_that_its_script_writes() -> None:
    spec = importlib.util.spec_from_file_location("protocol_page", ROOT / "scripts" / "protocol_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.page() == PAGE, "run scripts/protocol_page.py"


def test_every_item_of_the_consensus_is_named_with_its_checks() -> None:
    for number, text in TISEM_ITEMS.items():
        (line,) = [row for row in PAGE.splitlines() if row.startswith(f"| {number} | {text} |")]
        assert all(f"`{rule.id}`" in line for rule in RULES.values() if number in rule.tisem)
