"""The documentation's page of plans says what the plans' declarations say."""

from __future__ import annotations

import importlib.util
from dataclasses import fields
from pathlib import Path

from rewarm.twin.studies import CameraPlan, GroupPlan, HeelsPlan, StudyPlan

ROOT = Path(__file__).parents[1]


def test_the_page_is_the_one_that_its_script_writes() -> None:
    spec = importlib.util.spec_from_file_location("plan_page", ROOT / "scripts" / "plan_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (ROOT / "docs" / "simulated-studies.md").read_text(encoding="utf-8")
    assert module.page() == page, "run scripts/plan_page.py"
    for part in fields(StudyPlan):
        cls = {"heels": HeelsPlan, "groups": GroupPlan, "cameras": CameraPlan}.get(part.name, type(part.default))
        for field in [part] if part.metadata else fields(cls):
            assert f"| `{field.name}` | " in page
