"""A plan is read whole or not at all: every problem is told at once, with its line, what was expected and found."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewarm.errors import InvalidInputError, RewarmError, UnreadableFileError
from rewarm.twin.studies import StudyPlan, parse_plan, read_plan

PLANS = Path(__file__).parents[3] / "examples" / "plans"


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        parse_plan(text, name="p.toml")
    return str(caught.value).splitlines()


def outcome(text: str) -> str | None:
    """None for a plan, or for an error that says what was expected; otherwise the error."""
    try:
        parse_plan(text)
    except RewarmError as error:
        return None if "expected" in str(error) else str(error)
    return None


def test_an_empty_plan_is_the_default_and_sections_become_its_parts() -> None:
    assert parse_plan("") == StudyPlan()
    plan = parse_plan(
        'seed = 3\nid = "x"\n[visits]\nweeks = [0, 6]\nstart = 2024-02-29\ncameras = ["a", "b"]\n'
        "[toxin]\neffect_c = 3\n[[group]]\nn = 5\n[[group]]\nn = 2\n"
        "[camera.a]\nbias_c = 1\n[camera.b]\npixels = [160, 120]"
    )
    assert (plan.seed, plan.people, plan.toxin.effect_c) == (3, 7, 3.0)
    assert plan.visits.weeks == (0.0, 6.0)
    assert plan.visits.start == date(2024, 2, 29)
    assert [(camera.id, camera.bias_c, camera.pixels) for camera in plan.cameras] == [
        ("a", 1.0, (320, 240)),
        ("b", None, (160, 120)),
    ]
    assert plan.heels is None
    assert parse_plan("[heels]\nhours = 3").heels is not None


def test_all_problems_come_together_in_the_order_of_their_lines() -> None:
    lines = problems(
        'seed = "a"\ntitel = "x"\n[toxin]\neffect_c = "3"\nonsetdays = 3\nside = "lft"\n[visits]\nweeks = [0, "a"]\n'
        '[[group]]\nn = 0\n[design]\nkind = "paralel"\n[diary]\ncolumns = ["rsc"]'
    )
    assert lines[0] == "p.toml: 9 problems to correct before anything is simulated"
    assert lines[1:] == [
        "  p.toml, row 1, column seed: expected a whole number from 0; found 'a'",
        "  p.toml, row 2, column titel: expected a known setting; found an unknown one. Did you mean 'title'?",
        "  p.toml, row 4, column toxin.effect_c: expected a number from -10 to 12 (°C); found '3'",
        "  p.toml, row 5, column toxin.onsetdays: expected a known setting; found an unknown one. "
        "Did you mean 'onset_days'?",
        "  p.toml, row 6, column toxin.side: expected one of both, left, right, random; found 'lft'. "
        "Did you mean 'left'?",
        "  p.toml, row 8, column visits.weeks: expected a list of numbers from 0; found [0, 'a']",
        "  p.toml, row 10, column group.n: expected a whole number from 1 to 5000; found 0",
        "  p.toml, row 12, column design.kind: expected one of case_series, split_limb, parallel, n_of_1; "
        "found 'paralel'. Did you mean 'parallel'?",
        "  p.toml, row 14, column diary.columns: expected a list of words, each one of rcs, attacks_n, attack_minutes, "
        "pain_vas, numbness, tingling, colour_change, cold_intolerance, swelling_mm; found ['rsc']. "
        "Did you mean 'rcs'?",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[visits]\nweeks = [1, 2]", "weeks since enrolment, rising from 0"),
        ("[visits]\nweeks = [0, 3, 2]", "weeks since enrolment, rising from 0"),
        ("[visits]\nweeks = [0, 1]\nslack_days = 5", "so that visits keep their order"),
        ('[visits]\ncameras = ["cam1"]', "one camera for each visit; found 1 cameras for 4 visits"),
        ('[visits]\nweeks=[0]\ncameras = ["cam9"]', "cameras of the plan (cam1); found 'cam9'. Add [camera.cam9]"),
        ('[design]\nkind = "parallel"', "two sections [[group]] or more with an arm each"),
        ('[design]\nkind = "split_limb"', "left, right or random, for a split-limb design"),
        ('[design]\ncontrol = "untreated_limb"', "because a limb is the control"),
        ('[design]\ncontrol = "untreated_region"', "fewer toes than five"),
        ('[design]\nkind = "n_of_1"', "weeks from which each start is drawn"),
        ("[toxin]\neffect_c = 2\nnerve_block = 0.5", "either a plain effect or a mechanism"),
        ('[toxin]\nsites = ["toe1", "toe1"]', "each toe once"),
        ("[toxin]\nsites = []", "at least one toe"),
        ("[camera]\nmodel = 3", "sections [camera.ID]"),
        ('[camera.cam1]\nid = "x"', "the ID in the section's name alone"),
        ("[camera.cam1]\npixels = [80, 80]", "at least 120 pixels a side"),
        ('timezone = "Europe/Zurch"', "Did you mean 'Europe/Zurich'?"),
        ('id = "a b"', "a short code of letters, digits, - and _"),
        ("toxin = 3", "a section [toxin]; found 3"),
        ("group = 3", "one or more sections [[group]]; found 3"),
        ("[room]\nmean_c = nan", "a number from 10 to 35 (°C); found nan"),
        ("[visits]\nstart = 2025-01-13T10:00:00", "a date, e.g. 2025-01-13"),
        ("[design]\nmasked_reading = 1", "true or false; found 1"),
        ('[[group]]\ntreatment = "placebo"', "placebo in a parallel design alone"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_told(text: str, message: str) -> None:
    assert any(message in line for line in problems(text)[1:])


def test_files_that_are_no_plans(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"nothing\.toml: expected a plan in TOML; found no such file"):
        read_plan(tmp_path / "nothing.toml")
    with pytest.raises(UnreadableFileError, match="found a folder"):
        read_plan(tmp_path)
    bad = tmp_path / "bad.toml"
    bad.write_text("seed = ", encoding="utf-8")
    with pytest.raises(UnreadableFileError, match=r"bad\.toml: expected TOML; found .*title = "):
        read_plan(bad)
    bad.write_bytes(b"title = '\xff'")
    with pytest.raises(UnreadableFileError, match="found byte 0xFF"):
        read_plan(bad)
    bad.write_bytes(b"\xef\xbb\xbfseed = 4\n")
    assert read_plan(bad).seed == 4


@given(st.text(max_size=60))
def test_any_text_is_a_plan_or_a_clear_error(text: str) -> None:
    assert outcome(text) is None


_KEYS = [
    (part.name, field.name)
    for part in fields(StudyPlan)
    if hasattr(part.default, "__dataclass_fields__")
    for field in fields(part.default)
]
_VALUES = st.one_of(
    st.integers(-5, 500),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(['"both"', '""', "true", "[]", "[0, 4]", '["toe1"]', '["rcs"]', "2025-01-01"]),
)


@given(st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=6))
def test_any_values_of_known_keys_are_a_plan_or_a_clear_error(values: dict[tuple[str, str], object]) -> None:
    sections: dict[str, list[str]] = {}
    for (section, key), value in values.items():
        sections.setdefault(section, []).append(f"{key} = {value}")
    text = "\n".join(f"[{section}]\n" + "\n".join(lines) for section, lines in sections.items())
    assert outcome(text) is None


@pytest.mark.parametrize("path", sorted(PLANS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_ready_plan_is_valid_and_poses_a_question(path: Path) -> None:
    plan = read_plan(path)
    assert plan.question.endswith("?")
    assert path.read_text(encoding="utf-8").startswith("# ")


def test_ready_plans_differ_in_id_and_seed() -> None:
    plans = [read_plan(path) for path in sorted(PLANS.glob("*.toml"))]
    assert len(plans) >= 12
    assert len({plan.id for plan in plans}) == len(plans)
    assert len({plan.seed for plan in plans}) == len(plans)
