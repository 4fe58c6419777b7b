"""Times to recovery and readers' agreement in the report."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rewarm.errors import InvalidInputError
from rewarm.measures.recovery_times import RecoveryCurve
from rewarm.report import recovery as recovery_module
from rewarm.report.agreement import agreement_table
from rewarm.report.recovery import recovery, recovery_svg
from rewarm.study.results import StudyResult
from rewarm.tables import AGREEMENT
from tests.report.challenges import make_challenge
from tests.report.conftest import draw_regions


def curve(
    group: str, minutes: list[float], left: list[float], *, median_min: float, followed_min: float | None = None
) -> RecoveryCurve:
    share = np.array(left)
    return RecoveryCurve(
        group=group,
        time_s=60.0 * np.array(minutes),
        not_recovered=share,
        lower=np.clip(share - 0.2, 0, 1),
        upper=np.clip(share + 0.2, 0, 1),
        at_risk=np.arange(len(minutes), 0, -1),
        n=20,
        reached=15,
        people=2,
        median_s=60.0 * median_min,
        median_lower_s=60.0 * 2.0,
        median_upper_s=math.nan,
        followed_s=60.0 * minutes[-1] if followed_min is None else 60.0 * followed_min,
    )


def test_the_staircase_rises_by_those_who_recovered():
    svg = str(recovery_svg([curve("before", [2.0, 5.0, 10.0], [0.75, 0.5, 0.25], median_min=5.0)]))
    (line,) = re.findall(r'<path d="M([^"]*)" stroke="[^"]*" stroke-width="2.6"/>', svg)
    corners = [tuple(map(float, pair.split())) for pair in line.split("L")]
    heights = [y for _, y in corners]
    assert heights == sorted(heights, reverse=True)  # up is smaller
    bottom, top = recovery_module._y(0.0), recovery_module._y(1.0)
    assert corners[0][1] == pytest.approx(bottom, abs=0.1)
    assert corners[-1][1] == pytest.approx(bottom - 0.75 * (bottom - top), abs=0.1)
    assert corners[-1][0] == pytest.approx(recovery_module._x(10.0, 10.0), abs=0.1)
    assert "15 of 20 in 2 people regained half of their warmth" in svg


def test_the_staircase_goes_on_until_watching_ended():
    short = curve("before", [2.0, 5.0], [0.75, 0.5], median_min=5.0, followed_min=12.0)
    svg = str(recovery_svg([short, curve("week06", [3.0], [0.5], median_min=3.0, followed_min=15.0)]))
    lines = re.findall(r'<path d="M([^"]*)" stroke="[^"]*" stroke-width="2.6"/>', svg)
    ends = [float(line.split("L")[-1].split()[0]) for line in lines]
    assert ends == pytest.approx([recovery_module._x(12.0, 15.0), recovery_module._x(15.0, 15.0)], abs=0.1)


def test_a_median_that_was_not_reached_is_said():
    never = recovery_module._line(curve("week06", [5.0], [0.9], median_min=math.nan))
    assert never.startswith("6 weeks: 15 of 20 in 2 people")
    assert never.endswith("half of them had not when watching ended.")
    reached = recovery_module._line(curve("before", [5.0], [0.4], median_min=5.0)).replace("\N{NO-BREAK SPACE}", " ")
    assert reached.endswith("half of them within 5.0 min (95 %: 2.0 to not reached).")


@pytest.fixture(scope="module")
def several(study: StudyResult) -> StudyResult:
    regions = draw_regions()
    made = [
        make_challenge(regions, who, visit, tau_s=tau_s, plateau_c=plateau_c, day=day)
        for who, slow, quick in (("P1", 900.0, 240.0), ("P2", 700.0, 300.0), ("P3", 800.0, 280.0))
        for visit, tau_s, plateau_c, day in (("before", slow, 24.0, 0), ("6 weeks", quick, 29.0, 42))
    ]
    return replace(study, rewarmings=tuple(made))


def test_several_people_make_a_picture_in_the_order_of_their_visits(several: StudyResult):
    pytest.importorskip("statsmodels", reason="times to recovery need the extra effects")
    found = recovery(several)
    before, after = found.lines
    assert before.startswith("before: ")
    assert after.startswith("6 weeks: 30 of 30 in 3 people")
    assert int(re.search(r"before: (\d+) of 30", before)[1]) < 10
    assert found.drawing.count('stroke-width="2.6"') == 2


def test_one_person_makes_no_picture(several: StudyResult, study: StudyResult):
    assert recovery(replace(several, rewarmings=several.rewarmings[:2])) is None
    assert recovery(study) is None


def test_what_is_missing_for_the_picture_is_said_in_its_place(several: StudyResult, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise InvalidInputError("statsmodels is missing. Install rewarm[effects]")

    monkeypatch.setattr(recovery_module, "recovery_curves", refuse)
    found = recovery(several)
    assert found.drawing == ""
    assert found.lines == ("No picture of times to recovery: statsmodels is missing. Install rewarm[effects]",)


def rows(*items: tuple[str, str, str, str, float]) -> pd.DataFrame:
    """(scan, side, region, metric, value) of the readers used and B."""
    blank = dict.fromkeys(AGREEMENT, "") | {"lower": math.nan, "upper": math.nan, "level": math.nan, "n": 40}
    return pd.DataFrame(
        [
            blank
            | {"reader_1": "used", "reader_2": "B"}
            | dict(zip(("scan", "side", "region", "metric", "value"), item, strict=True))
            for item in items
        ]
    )


def test_agreement_is_a_row_a_region_with_all_toes_first(study: StudyResult):
    table = rows(
        ("s1", "left", "toe1", "dice", 0.9),
        ("s1", "left", "toe1", "mean_difference", -0.1),
        ("s2", "left", "toe1", "dice", 0.8),
        ("s2", "left", "toe1", "mean_difference", 0.3),
        ("s2", "left", "heel", "dice", 0.95),
        ("", "", "toes", "icc_2_1", 0.87),
    )
    table.loc[5, ["lower", "upper", "level"]] = [0.6, 0.97, 0.95]
    found = agreement_table(replace(study, agreement=table))
    assert found.caption == "How well two readers agree"
    cells = [[cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row] for row in found.rows]
    who = "the outlines used and B"
    assert cells[0] == [who, "all toes", "", "", "", "0.87 (0.60 to 0.97), 40 toes"]
    assert cells[1] == [who, "toe 1 (big toe)", "2", "0.85 (0.80 to 0.90)", "+0.10 (−0.10 to +0.30)", ""]
    assert cells[2] == [who, "heel", "1", "0.95", "", ""]
    assert agreement_table(study) is None
