"""From [uncertainty] in study.toml to every u, and where each figure comes from."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from rewarm.measures import Assumptions, region_parts
from rewarm.report.budget import budget_section
from rewarm.study import analyse_study, check_study, measure_files, run_study
from rewarm.study.folder import load_study
from rewarm.study.plan import stated_assumptions, study_steps
from rewarm.study.scan import ScanPlan, measure_scan
from rewarm.study.settings import UNCERTAINTY

PAGE = Path(__file__).parents[2] / "docs" / "study-folder.md"


def state(study: Path, *lines: str) -> None:
    path = study / "study.toml"
    path.write_text("\n".join([path.read_text(encoding="utf-8"), "[uncertainty]", *lines, ""]), encoding="utf-8")


def test_every_key_sets_a_figure_of_its_own_and_stands_on_the_page_with_its_default():
    page = PAGE.read_text(encoding="utf-8").splitlines()
    names = {item.name for item in fields(Assumptions)}
    reached = set()
    for setting in UNCERTAINTY:
        changed = stated_assumptions({"uncertainty": {setting.name: 3}})
        (field,) = changed.stated
        percent = field != setting.name
        assert field in names
        assert getattr(changed, field) == (0.03 if percent else 3.0)
        assert replace(Assumptions(), **{field: getattr(changed, field)}, stated=changed.stated) == changed
        reached.add(field)
        (line,) = [text for text in page if text.startswith(f"| `{setting.name}` |")]
        default = getattr(Assumptions(), field) * (100 if percent else 1)
        assert line.endswith(f"| {default:g} | {setting.up_to:g} |")
    elsewhere = {"accuracy_c", "netd_mk", "reflected_c", "air_c", "distance_m", "humidity_pct", "stated"}
    assert reached == names - elsewhere


@pytest.mark.parametrize(
    ("line", "expected", "found", "advice"),
    [
        ("drift_c = 0", "a number over 0 up to 10", "0", "Correct the line"),
        ("drift_c = -0.5", "a number over 0 up to 10", "-0.5", "Correct the line"),
        ("nonuniformity_c = 300", "a number over 0 up to 10", "300", "Correct the line"),
        ("noise_shared_px = 0.5", "a number from 1 up to 1000", "0.5", "Correct the line"),
        ("blur_px = -1", "a number from 0 up to 20", "-1", "Correct the line"),
        ("edge_px = nan", "a number without quotation marks", "nan", "Correct the line"),
        ("edge_px = true", "a number without quotation marks", "True", "Correct the line"),
        ('scatter_pct = "1"', "a number without quotation marks", "'1'", "Correct the line"),
        ("drift = 0.2", "one of drift_c, ", "'drift'", "Did you mean 'drift_c'?"),
        ("accuracy_c = 1", "one of drift_c, ", "'accuracy_c'", "State it under [camera.ID]"),
    ],
)
def test_what_cannot_be_is_an_error_with_all_others(study: Path, line: str, expected: str, found: str, advice: str):
    state(study, "emissivity_half_width = 2", line)
    first, second = [item for item in check_study(study).problems if item.severity == "error"]
    assert (first.column, first.found) == ("uncertainty.emissivity_half_width", "2")
    assert second.column == f"uncertainty.{line.split(' ')[0]}"
    assert second.expected.startswith(expected)
    assert (second.found, second.advice) == (found, advice)
    assert second.row == len((study / "study.toml").read_text(encoding="utf-8").splitlines())


def test_a_section_that_is_none_is_an_error(study: Path):
    path = study / "study.toml"
    path.write_text("uncertainty = 3\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    (problem,) = [item for item in check_study(study).problems if item.severity == "error"]
    assert problem.expected == "a section [uncertainty]"


def test_stated_figures_change_every_u_and_the_budget_says_so(study: Path, tmp_path: Path):
    default = analyse_study(study)
    state(study, "drift_c = 3", "nonuniformity_c = 1.5", "nonuniformity_reach_pct = 40", "reflected_half_width_c = 4")
    result = run_study(study, tmp_path / "out")
    means = [item.measurements.query("metric == 'mean'") for item in (default, result)]
    assert (means[1]["u"].to_numpy() > means[0]["u"].to_numpy() + 0.3).all()
    inside = [
        item.comparison_table.query("metric == 'left_right_difference'")["u"].mean() for item in (default, result)
    ]
    assert inside[1] > 1.5 * inside[0]
    method = str(means[1]["method"].iloc[0])
    assert "session drift" not in method.split("assumed:")[1]
    assert "outline (" in method.split("assumed:")[1]
    scan = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["scans"][0]
    assert scan["assumptions"]["drift_c"] == 3.0
    assert scan["assumptions"]["stated"] == [
        "drift_c", "nonuniformity_c", "nonuniformity_reach", "reflected_half_width_c",
    ]  # fmt: skip
    assert scan["stated_in"] == {
        "accuracy_c": "study.toml", "air_c": "visits.csv", "camera_model": "study.toml", "emissivity": "scans.csv",
        "humidity_pct": "visits.csv", "netd_mk": "study.toml",
    }  # fmt: skip
    section = budget_section(result)
    assert section is not None
    known = {row[0]: (row[4], row[5]) for row in section.tables[0].rows}
    assert known["session drift"] == ("±3 °C between sessions, stated in study.toml", "study.toml")
    assert known["camera accuracy"][1] == "study.toml"
    assert known["non-uniformity"][1] == "study.toml"
    assert known["emissivity"][1] == "scans.csv, ± default"
    assert known["air temperature"][1] == "visits.csv, ± default"
    assert known["outline"][1] == "default"
    assert known["doubt of the outline"][1] == "derived"
    assert known["noise"][1] == "study.toml, neighbours default"


def test_what_visits_are_compared_by_rests_on_the_stated_figures(study: Path):
    default = {item.id: item for item in analyse_study(study).comparisons[0].comparability}
    state(study, "drift_c = 3")
    stated = {item.id: item for item in analyse_study(study).comparisons[0].comparability}
    assert stated["reference"].u_c > default["reference"].u_c + 0.5


def test_a_file_measured_alone_says_file_or_as_given(study: Path, tmp_path: Path):
    path = study / "thermograms" / "before.npy"
    scan = measure_scan(ScanPlan(path=path, scan="a"))
    region = scan.regions.found[0]
    parts = {part.name: part for part in region_parts(scan.thermogram, region.mask)}
    assert parts["emissivity"].known_from == "default"
    stated = region_parts(scan.thermogram.assign_attrs(emissivity=0.95, accuracy_c=1.0), region.mask)
    parts = {part.name: part for part in stated}
    assert parts["emissivity"].known_from == "file, ± default"
    assert parts["camera accuracy"].known_from == "file"
    given = scan.thermogram.assign_attrs(emissivity=0.95, stated_in={"emissivity": "as given"})
    parts = {part.name: part for part in region_parts(given, region.mask)}
    assert parts["emissivity"].known_from == "as given, ± default"
    measure_files([path], tmp_path / "out")
    scan_record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["scans"][0]
    assert scan_record["assumptions"]["stated"] == []


def test_partly_stated_figures_say_which():
    partly = Assumptions(blur_px=1.0, stated=frozenset({"blur_px"}))
    assert partly.origin("blur_px", "scatter") == "blur_px study.toml, scatter default"
    assert partly.said("blur_px", "scatter") == "partly stated in study.toml, assumed otherwise"
    assert partly.said("blur_px") == "stated in study.toml"
    assert partly.said("scatter") == "assumed"


def test_the_plan_of_each_scan_carries_them(study: Path):
    state(study, "scatter_pct = 2")
    steps = study_steps(load_study(study))
    assert {step.plan.assumptions.scatter for step in steps} == {0.02}
