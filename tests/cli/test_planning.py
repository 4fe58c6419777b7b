"""The command that plans a study, as a user meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rewarm.report.words import typeset

Run = Callable[..., tuple[int, str, str]]
READY = Path(__file__).parents[2] / "examples" / "designs"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.toml"
    path.write_text(
        'id = "x"\ntitle = "Is it <better>?"\n[design]\nkind = "split_limb"\ncontrol = "untreated_limb"\n'
        'participants = [8, 16]\n[outcome]\nname = "rcs"\neffect = -2\n[variance]\nperson_sd = 1\nnoise_sd = 1\n'
        "[simulation]\ntrials = 60\n",
        encoding="utf-8",
    )
    return path


def test_a_plan_becomes_a_page_a_list_and_its_hash(run: Run, plan: Path, tmp_path: Path) -> None:
    status, text, _ = run("design", plan, "-o", tmp_path / "out")
    assert status == 0
    written = json.loads((tmp_path / "out" / "design.json").read_text())
    assert written["allocation"]["sha256"] in text
    assert text.splitlines()[-1] == str(tmp_path / "out" / "design.html")
    page = (tmp_path / "out" / "design.html").read_text()
    assert "Is it &lt;better&gt;?" in page
    assert str(typeset(written["sentence"])) in page
    assert (tmp_path / "out" / "power.svg").read_text().startswith("<svg")


def test_a_second_list_is_refused(run: Run, plan: Path, tmp_path: Path) -> None:
    run("design", plan, "-o", tmp_path / "out")
    before = (tmp_path / "out" / "sealed" / "allocation.csv").read_bytes()
    status, _, error = run("design", plan, "-o", tmp_path / "out")
    assert status == 2
    assert "a folder without a sealed allocation" in error
    assert (tmp_path / "out" / "sealed" / "allocation.csv").read_bytes() == before


def test_a_wrong_plan_leaves_nothing_behind(run: Run, plan: Path, tmp_path: Path) -> None:
    plan.write_text(plan.read_text().replace("split_limb", "split_leg"), encoding="utf-8")
    status, _, error = run("design", plan, "-o", tmp_path / "out")
    assert status == 2
    assert "line 4, design.kind: expected one of case_series, split_limb, parallel, n_of_1; found 'split_leg'" in error
    assert not (tmp_path / "out").exists()


def test_json_is_for_programs(run: Run, plan: Path, tmp_path: Path) -> None:
    status, text, _ = run("design", plan, "-o", tmp_path / "out", "--json")
    assert status == 0
    assert [row["participants"] for row in json.loads(text)["power"]] == [8, 16]


@pytest.mark.parametrize("path", sorted(READY.glob("*.toml")), ids=lambda path: path.stem)
def test_the_ready_plans_can_be_planned(path: Path) -> None:
    from rewarm.study.design_plan import read_design_plan

    assert read_design_plan(path)["title"].endswith("?")


def test_there_are_ready_plans() -> None:
    assert len(list(READY.glob("*.toml"))) >= 4
