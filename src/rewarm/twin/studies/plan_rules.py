"""What the settings of a plan, each fine in itself, say wrongly together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from rewarm.twin.studies.plan import StudyPlan

Rule = tuple[str, str, str, str]
"""Where (``section.key``), expected, found, advice."""


def rule_problems(plan: StudyPlan) -> list[Rule]:
    """All that contradicts itself, in the plan's order."""
    return [*_design(plan), *_visits(plan), *_toxin(plan), *_outputs(plan)]


def _design(plan: StudyPlan) -> Iterator[Rule]:
    kind, control, side = plan.design.kind, plan.design.control, plan.toxin.side
    treatments = {group.treatment for group in plan.groups}
    if kind == "parallel" and (len(plan.groups) < 2 or len({group.arm for group in plan.groups}) < 2):
        found = f"{len(plan.groups)} with the arm(s) {', '.join(sorted({repr(g.arm) for g in plan.groups}))}"
        yield "group", "two sections [[group]] or more with an arm each, for a parallel design", found, ""
    if kind != "parallel" and "placebo" in treatments and kind != "n_of_1":
        yield (
            "group.treatment",
            "placebo in a parallel design alone",
            f"kind = {kind!r}",
            'A limb beside gets it by [design] control = "placebo" with kind = "split_limb"',
        )
    if kind == "split_limb" and side == "both":
        yield "toxin.side", "left, right or random, for a split-limb design", "'both'", 'Write side = "random"'
    if control == "untreated_limb" and side == "both":
        yield "toxin.side", "left, right or random, because a limb is the control", "'both'", ""
    if control == "untreated_region" and len(set(plan.toxin.sites)) == 5:
        yield (
            "toxin.sites",
            "fewer toes than five, because the others are the control",
            "all five",
            'For instance sites = ["toe1", "toe2"]',
        )
    if kind == "n_of_1" and not plan.toxin.start_weeks:
        yield "toxin.start_weeks", "weeks from which each start is drawn, for n_of_1", "none", "E.g. [3, 4, 5, 6]"


def _visits(plan: StudyPlan) -> Iterator[Rule]:
    weeks = plan.visits.weeks
    if not weeks or weeks[0] != 0 or any(b <= a for a, b in pairwise(weeks)):
        yield "visits.weeks", "weeks since enrolment, rising from 0", repr(list(weeks)), ""
    elif min([b - a for a, b in pairwise(weeks)], default=99) * 7 <= 2 * plan.visits.slack_days:
        found = f"{plan.visits.slack_days} days, more than a half of the shortest time between two visits"
        yield "visits.slack_days", "less, so that visits keep their order", found, ""
    known = [camera.id for camera in plan.cameras]
    if plan.visits.cameras and len(plan.visits.cameras) != len(weeks):
        found = f"{len(plan.visits.cameras)} cameras for {len(weeks)} visits"
        yield "visits.cameras", "one camera for each visit", found, ""
    for name in dict.fromkeys(plan.visits.cameras):
        if name not in known:
            yield "visits.cameras", f"cameras of the plan ({', '.join(known)})", repr(name), f"Add [camera.{name}]"


def _toxin(plan: StudyPlan) -> Iterator[Rule]:
    toxin = plan.toxin
    if plan.mechanistic and toxin.effect_c is not None:
        found = f"effect_c = {toxin.effect_c:g} beside a mechanism"
        yield "toxin.effect_c", "either a plain effect or a mechanism", found, "Leave one of them out"
    if plan.pictures.kind == "recordings" and toxin.effect_c:
        found = f"effect_c = {toxin.effect_c:g}, which says nothing of rewarming"
        advice = "For instance nerve_block = 0.8 in place of effect_c"
        yield "toxin.effect_c", "a mechanism, because recordings follow from the physiology", found, advice
    if plan.physiological and any(group.toes_c is not None for group in plan.groups):
        expected = "no stated temperature, because toes follow from the physiology here"
        yield "group.toes_c", expected, "one", "Leave it out, or leave mechanism and recordings out"
    if not toxin.sites:
        yield "toxin.sites", "at least one toe", "none", ""
    if len(set(toxin.sites)) < len(toxin.sites):
        yield "toxin.sites", "each toe once", repr(list(toxin.sites)), ""


def _outputs(plan: StudyPlan) -> Iterator[Rule]:
    small = [camera for camera in plan.cameras if min(camera.pixels) < 120]
    if plan.pictures.kind != "none" and small:
        found = f"{small[0].pixels[0]} × {small[0].pixels[1]}"
        where = f"camera.{small[0].id}.pixels"
        yield where, "at least 120 pixels a side, so that toes can be drawn", found, ""
    if len(set(plan.diary.columns)) < len(plan.diary.columns):
        yield "diary.columns", "each column once", repr(list(plan.diary.columns)), ""
