"""Each mistake of the clinical tables, made in a study that is right otherwise: found where it is, and said how."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from rewarm.study import check_study

MEASURED = "participant,visit,scan,time_s,side,region,metric,value,unit\n"
INJECTED = "participant,date,side,site,product,units_u,volume_ml,concentration_u_per_ml\n"
ONA = "onabotulinumtoxinA"


@dataclass(frozen=True)
class Case:
    file: str
    content: str
    row: int
    column: str
    message: str
    severity: str = "warning"
    beside: dict[str, str] | None = None
    where: str = ""


def toml(extra: str) -> dict[str, str]:
    return {"study.toml": extra}


CASES = {
    # dates
    "resolved before begun": Case(
        "events.csv",
        "participant,date,term,severity,resolved_date\nP1,2026-02-01,weak toe,1,2026-01-20\n",
        2,
        "resolved_date",
        "a day from 2026-02-01 on, when it began; found 2026-01-20. Correct the one",
        "error",
    ),
    "a mistyped year": Case(
        "diary.csv",
        "participant,date,rcs\nP1,2026-01-12,4\nP1,2016-01-13,4\n",
        3,
        "date",
        "within two years of the person's visits; found '2016-01-13'. Is the year right",
    ),
    "born after the visit": Case(
        "participants.csv",
        "participant,condition,birth_year\nP1,other,2030\n",
        2,
        "birth_year",
        "an age of -4",
        "error",
    ),
    "very old": Case(
        "participants.csv", "participant,condition,birth_year\nP1,other,1910\n", 2, "birth_year", "an age of 116 years"
    ),
    "no baseline": Case(
        "injections.csv",
        f"{INJECTED}P1,2026-01-11,left,toe1,{ONA},2,,\n",
        2,
        "date",
        "a visit of participant 'P1' before the first injection; found 2026-01-11.*Without a baseline",
    ),
    # time zones
    "summer time in winter": Case(
        "visits.csv",
        "participant,visit,date,ambient_c\nP1,before,2026-01-12T09:30+02:00,23\n",
        2,
        "date",
        "of Europe/Zurich on that day; found 1 time of 'P1', 2026-01-12T09:30 when it was 2026-01-12T08:30 there",
    ),
    "an impossible offset": Case(
        "diary.csv",
        "participant,date,rcs\nP1,2026-01-12T09:30+15:00,4\n",
        2,
        "date",
        r"from -12:00 to \+14:00",
        "error",
    ),
    "one moment twice": Case(
        "diary.csv",
        "participant,date,rcs\nP1,2026-01-12T09:30+01:00,4\nP1,2026-01-12T08:30Z,5\n",
        3,
        "date",
        "every moment of a person and side once.*'2026-01-12 08:30'. An earlier row has the same moment",
        "error",
    ),
    # diary
    "several entries a day": Case(
        "diary.csv",
        "participant,date,attacks_n,pain_vas\nP1,2026-01-12T08:00+01:00,1,20\nP1,2026-01-12T20:00+01:00,2,30\n",
        0,
        "date",
        "one entry a person, side and day; found 1 day with up to 2 entries.*are attacks_n; of pain_vas the highest",
    ),
    "a whole day beside its parts": Case(
        "diary.csv",
        "participant,date,attacks_n\nP1,2026-01-12,3\nP1,2026-01-12T20:00+01:00,2\n",
        2,
        "date",
        "either a single entry, or entries with their times; found both, on 1 day",
    ),
    "thirty hours in heels": Case(
        "diary.csv",
        "participant,date,heel_hours\nP1,2026-01-12T08:00+01:00,15\nP1,2026-01-12T20:00+01:00,15\n",
        0,
        "heel_hours",
        "at most 24 h on one day of participant 'P1'; found 30 h over the entries of 2026-01-12",
        "error",
    ),
    "minutes of no attack": Case(
        "diary.csv",
        "participant,date,attacks_n,attack_minutes\nP1,2026-01-12,0,30\n",
        2,
        "attack_minutes",
        "0 minutes, because attacks_n is 0; found '30'",
    ),
    # measurements made elsewhere
    "degrees Fahrenheit": Case(
        "measurements.csv",
        f"{MEASURED}P1,before,,,left,toe1,mean,77,degF\n",
        2,
        "unit",
        "degC, the unit of mean; found 'degF'. Convert the values to degC",
        "error",
    ),
    "another word for the unit": Case(
        "measurements.csv",
        f"{MEASURED}P1,before,,,left,toe1,mean,25,°C\n",
        2,
        "unit",
        "found '°C'. Write degC",
        "error",
    ),
    "an unknown metric": Case(
        "measurements.csv",
        f"{MEASURED}P1,before,,,left,toe1,maen,25,degC\n",
        2,
        "metric",
        "kept, but not analysed. Did you mean 'mean'",
    ),
    "a toe of 200 degrees": Case(
        "measurements.csv", f"{MEASURED}P1,before,,,left,toe1,mean,200,degC\n", 2, "value", "-40 to 80", "error"
    ),
    "two values of one figure": Case(
        "measurements.csv",
        f"{MEASURED}P1,before,,,left,toe1,mean,25,degC\nP1,before,,,left,toe1,mean,26,degC\n",
        3,
        "value",
        "every participant.*once; found '26'. An earlier row has another value",
        "error",
    ),
    "one figure twice": Case(
        "measurements.csv",
        f"{MEASURED}P1,before,,,left,toe1,mean,25,degC\nP1,before,,,left,toe1,mean,25,degC\n",
        3,
        "value",
        "found 1 row that repeat an earlier one",
    ),
    "censored or not": Case(
        "measurements.csv",
        f"{MEASURED}P1,before,,,left,toe1,t50,900,s\n",
        2,
        "metric",
        "rows of t50_reached beside those of t50.*found none. Without them every time counts as reached",
    ),
    "whose side": Case(
        "measurements.csv",
        f"{MEASURED}P1,before,,,,toe1,mean,25,degC\nP1,before,,,,toe1,left_right_difference,1,delta_degC\n",
        2,
        "side",
        "left or right of every figure but left_right_difference; found none in 1 row. Without it",
    ),
    "half reached": Case(
        "measurements.csv",
        f"{MEASURED}P1,before,,,left,toe1,t50_reached,0.5,1\n",
        2,
        "value",
        r"1 \(reached\) or 0 \(not reached\); found '0.5'",
        "error",
    ),
    # injections
    "units are not volume times concentration": Case(
        "injections.csv",
        f"{INJECTED}P1,2026-01-14,left,toe1,{ONA},2,0.5,20\n",
        2,
        "units_u",
        "volume × concentration: 0.5 mL × 20 U/mL = 10 U; found 2 U. One of the three is mistaken",
    ),
    "10 U a foot and 2 mL a toe": Case(
        "injections.csv",
        INJECTED + "".join(f"P1,2026-01-14,left,toe{i},{ONA},2,2,\n" for i in range(1, 6)),
        2,
        "volume_ml",
        "a dilution from 10 to 200 U/mL.*found 2 U in 2 mL, which is 1 U/mL. Are units or volume those of the whole",
    ),
    "2 mL into a toe": Case(
        "injections.csv",
        f"{INJECTED}P1,2026-01-14,left,toe1,{ONA},50,2,\n",
        2,
        "volume_ml",
        "at most 1 mL into one toe, finger or web; found 2 mL",
    ),
    "stated dilution of water": Case(
        "injections.csv",
        f"{INJECTED}P1,2026-01-14,left,heel,{ONA},2,,1\n",
        2,
        "concentration_u_per_ml",
        "from 10 to 200 U/mL of 'onabotulinumtoxinA'; found 1 U/mL",
    ),
    "two dilutions of a day": Case(
        "injections.csv",
        f"{INJECTED}P1,2026-01-14,left,toe1,{ONA},2,0.1,\nP1,2026-01-14,left,toe2,{ONA},2,0.2,\n",
        2,
        "concentration_u_per_ml",
        "one dilution of 'onabotulinumtoxinA' for participant 'P1' on 2026-01-14; found from 10 to 20 U/mL",
    ),
    "the limb's total in every row": Case(
        "injections.csv",
        INJECTED + "".join(f"P1,2026-01-14,left,toe{i},{ONA},50,,\n" for i in range(1, 6)),
        2,
        "units_u",
        "at most 200 U.*in the left foot of participant 'P1'.*found 250 U over 5 sites. Does every row hold the limb's",
    ),
    "ten litres": Case(
        "injections.csv",
        INJECTED
        + "".join(f"P1,2026-01-14,left,{site},{ONA},,6,\n" for site in ("heel", "arch")).replace(",,6", ",60,6"),
        2,
        "volume_ml",
        "at most 10 mL into the left foot.*found 12 mL over 2 sites",
    ),
    "an unknown product": Case(
        "injections.csv",
        f"{INJECTED}P1,2026-01-14,left,toe1,botoks,2,,\n",
        2,
        "product",
        "a product that is known.*found 'botoks'. Did you mean 'botox'",
    ),
    "two products of a day": Case(
        "injections.csv",
        f"{INJECTED}P1,2026-01-14,left,toe1,Botox,2,,\nP1,2026-01-14,left,toe2,Dysport,6,,\n",
        2,
        "product",
        "one product for participant 'P1'.*neither converted nor added",
    ),
    "one product in two spellings": Case(
        "injections.csv",
        f"{INJECTED}P1,2026-01-14,left,toe1,Botox,2,,\nP1,2026-01-14,left,toe2,botox,2,,\n",
        3,
        "product",
        "one spelling of a product, 'Botox'; found 'botox'",
    ),
    "a placebo of 2 units": Case(
        "injections.csv", f"{INJECTED}P1,2026-01-14,left,toe1,saline,2,,\n", 2, "units_u", "0 U, because the product is"
    ),
    "no units of a toxin": Case(
        "injections.csv", f"{INJECTED}P1,2026-01-14,left,toe1,{ONA},0,,\n", 2, "units_u", "Name the product placebo"
    ),
    "a site twice": Case(
        "injections.csv",
        f"{INJECTED}P1,2026-01-14,left,toe1,{ONA},2,,\nP1,2026-01-14,left,toe1,{ONA},2,,\n",
        3,
        "site",
        "every site once a day and product.*found left toe1 again on 2026-01-14. Both rows are added",
    ),
    # the design
    "parallel without arms": Case(
        "study.toml", 'kind = "parallel"', 0, "arm", "two arms or more.*found none", where="participants.csv"
    ),
    "an arm of some": Case(
        "participants.csv",
        "participant,condition,arm\nP1,other,A\nP2,other,\n",
        3,
        "arm",
        "an arm of every participant, because others have one; found 'P2'",
    ),
    "no untreated limb": Case(
        "study.toml",
        'kind = "case_series"\ncontrol = "untreated_limb"',
        2,
        "side",
        "one untreated side of participant 'P1', because the design's control is untreated_limb; found both treated",
        where="injections.csv",
        beside={"injections.csv": f"{INJECTED}P1,2026-01-14,left,toe1,{ONA},2,,\nP1,2026-01-14,right,toe1,{ONA},2,,\n"},
    ),
    # outcomes
    "no primary outcome": Case(
        "study.toml", '[outcomes]\nsecondary = ["rcs"]', 0, "outcomes.primary", "one primary outcome, named before"
    ),
    "a misspelt outcome": Case(
        "study.toml", '[outcomes]\nprimary = "pain_vass"', 10, "outcomes.primary", "Did you mean 'pain_vas'", "error"
    ),
    "an outcome nobody recorded": Case(
        "study.toml",
        '[outcomes]\nprimary = "pain_vas"',
        0,
        "outcomes.primary",
        "entries of it in diary.csv, because it is the primary outcome; found none of 'pain_vas'",
    ),
    "an outcome nobody measured": Case(
        "study.toml",
        '[outcomes]\nprimary = "t50"',
        0,
        "outcomes.primary",
        "rows of it in measurements.csv, or recordings",
    ),
    "an outcome twice": Case(
        "study.toml",
        '[outcomes]\nprimary = "rcs"\nsecondary = ["rcs"]',
        11,
        "outcomes.secondary",
        "every outcome once; found 'rcs' twice",
        "error",
    ),
    "outcomes in one text": Case(
        "study.toml",
        '[outcomes]\nprimary = "rcs"\nsecondary = "attacks_n"',
        11,
        "outcomes.secondary",
        "texts in quotation marks; found 'attacks_n'",
        "error",
    ),
    "an important difference of nothing": Case(
        "study.toml",
        '[outcomes]\nprimary = "rcs"\nimportant = { rcs = 0 }',
        11,
        "outcomes.important",
        "a figure over 0 of each outcome.*Write it like important =",
        "error",
    ),
    "an important difference of what": Case(
        "study.toml",
        '[outcomes]\nprimary = "rcs"\nimportant = { rsc = 1 }',
        11,
        "outcomes.important",
        "Did you mean 'rcs'",
        "error",
    ),
}


def broken(folder: Path, case: Case) -> None:
    if case.file == "study.toml":
        text = (folder / "study.toml").read_text(encoding="utf-8")
        old = 'kind = "case_series"\ncontrol = "none"\n'
        assert old in text
        new = f"{case.content}\n" if case.content.startswith("kind") else f"{old}\n{case.content}\n"
        (folder / "study.toml").write_text(text.replace(old, new), encoding="utf-8")
    else:
        (folder / case.file).write_text(case.content, encoding="utf-8")
    for name, content in (case.beside or {}).items():
        (folder / name).write_text(content, encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_one_mistake_is_reported_where_it_is(tables: Path, name: str) -> None:
    case = CASES[name]
    broken(tables, case)
    problems = check_study(tables).problems
    found = [p for p in problems if (p.file, p.column) == (case.where or case.file, case.column)]
    matching = [p for p in found if re.search(case.message, str(p))]
    assert matching, f"no problem says {case.message!r}: {[str(p) for p in problems]}"
    assert (matching[0].row, matching[0].severity) == (case.row, case.severity)
    assert all(problem.advice for problem in problems if problem.severity == "error")


def test_a_study_of_tables_alone_has_no_problem(tables: Path) -> None:
    assert check_study(tables).problems == ()


def test_plausible_injections_of_several_products_are_not_flagged(tables: Path) -> None:
    rows = [f"P1,2026-01-14,left,toe{i},{ONA},2,0.1,20" for i in range(1, 6)]
    rows += [f"P1,2026-02-24,left,toe{i},abobotulinumtoxinA,10,0.1,100" for i in range(1, 6)]
    rows += ["P1,2026-01-14,right,toe1,saline (placebo),0,0.1,"]
    (tables / "injections.csv").write_text(INJECTED + "\n".join(rows) + "\n", encoding="utf-8")
    assert check_study(tables).problems == ()


def test_a_diary_of_someone_who_travels_is_kept_by_the_day_that_was_written(tables: Path) -> None:
    rows = "P1,2026-01-12T22:00+01:00,4\nP1,2026-01-14T07:00+09:00,5\nP1,2026-01-14T21:00+09:00,5\n"
    (tables / "diary.csv").write_text(f"participant,date,rcs\n{rows}", encoding="utf-8")
    check = check_study(tables)
    assert not check.errors
    zones = [str(p) for p in check.warnings if "offset" in p.expected]
    assert zones == [
        "diary.csv, row 3, column date: expected the UTC offset of Europe/Zurich on that day; found 2 times of 'P1', "
        "2026-01-14T07:00 when it was 2026-01-13T23:00 there. "
        "Correct the offset, or leave it where the person travelled: the day is the one written"
    ]


def test_the_same_time_on_two_clocks_is_two_moments(tables: Path) -> None:
    rows = "P1,2026-01-12T08:00+09:00,4\nP1,2026-01-12T08:00+01:00,4\n"
    (tables / "diary.csv").write_text(f"participant,date,rcs\n{rows}", encoding="utf-8")
    assert not check_study(tables).errors


def test_a_cell_that_is_no_date_is_said_beside_two_ways_of_writing(tables: Path) -> None:
    rows = "P1,2026-01-12,4\nP1,13.01.2026,4\nP1,yesterday,4\n"
    (tables / "diary.csv").write_text(f"participant,date,rcs\n{rows}", encoding="utf-8")
    found = {(p.row, p.found) for p in check_study(tables).errors if p.column == "date"}
    assert found == {(3, "'13.01.2026'"), (4, "'yesterday'")}


def test_one_mistake_of_every_row_is_named_three_times_and_then_counted(tables: Path) -> None:
    rows = "".join(f"P1,2026-01-14,left,toe{i},{ONA},2,2,\n" for i in range(1, 6))
    (tables / "injections.csv").write_text(INJECTED + rows, encoding="utf-8")
    dilutions = [p for p in check_study(tables).warnings if "a dilution from" in p.expected]
    assert [p.row for p in dilutions] == [0, 2, 3, 4]
    assert dilutions[0].found == "something alike in 2 more rows, the last of them row 6"
