from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from rewarm.measures import Part
from rewarm.regions import Regions
from rewarm.report import write_report
from rewarm.report.budget import BARS, NAMES, WIDTH, Budget, alt_text, budget_section, budget_svg, merged

SVG = "{http://www.w3.org/2000/svg}"


def drawing(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(str(markup).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def texts(markup: str) -> list[str]:
    return [item.text or "" for item in drawing(markup).iter(f"{SVG}text")]


PARTS = (
    Part("camera accuracy", "camera", 1.2, "±2 °C", "rectangular"),
    Part("non-uniformity", "region", 0.3, "±0.5 °C"),
    Part("noise", "pixel", 0.01, "NETD 100 mK"),
    Part("humidity", "image", 0.02, "50 ± 25 %"),
)
BUDGET = Budget("Left toe 1 in one picture", PARTS, "with a black body", 0.4)


def test_bars_are_as_long_as_their_parts_and_named():
    widest = BUDGET.u_c
    shown = texts(budget_svg(BUDGET, widest_c=widest))
    bars = [float(item.get("width")) for item in drawing(budget_svg(BUDGET, widest_c=widest)).iter(f"{SVG}rect")]
    assert shown[0] == "Left toe 1 in one picture"
    assert bars[:2] == [pytest.approx(BARS * u_c / widest, abs=0.06) for u_c in (1.2, 0.3)]
    assert {"camera accuracy", "non-uniformity", "2 smaller parts", "together", "with a black body"} <= set(shown)
    assert "1.20 °C · 94 %" in shown
    assert "1.24 °C, 95 %: ±2.4 °C" in shown
    assert "0.40 °C, 95 %: ±0.8 °C" in shown


def test_the_longest_bar_and_its_figures_fit_into_the_drawing():
    figures = 7.3 * len("1.24 °C, 95 %: ±2.4 °C")  # bold, 13 px
    assert NAMES + BARS + 7 + figures <= WIDTH


def test_the_alternative_text_says_what_dominates_and_what_a_reference_buys():
    assert alt_text(BUDGET) == (
        "Left toe 1 in one picture: standard uncertainty 1.24 °C, mostly camera accuracy 1.20 °C (94 % of the "
        "variance), non-uniformity 0.30 °C (6 % of the variance), noise 0.01 °C (under 1 % of the "
        "variance); with a black body it would be 0.40 °C."
    )
    label = drawing(budget_svg(BUDGET, widest_c=2.0)).get("aria-label")
    assert label == alt_text(BUDGET)


def test_markup_in_a_name_is_text():
    odd = Budget('<b>&"', (Part("<i>", "pixel", 0.1, ""),))
    assert texts(budget_svg(odd, widest_c=1.0))[:2] == ['<b>&"', "<i>"]


def test_nothing_known_draws_nothing_but_the_sum():
    shown = texts(budget_svg(Budget("Empty", ()), widest_c=0.0))
    assert shown[:3] == ["Empty", "together", "0.00 °C, 95 %: ±0.0 °C"]


def test_parts_of_one_name_are_one_bar():
    two = merged([Part("noise", "pixel", 0.3, ""), Part("outline", "region", 0.1, ""), Part("noise", "pixel", 0.4, "")])
    assert [(part.name, part.u_c) for part in two] == [("noise", pytest.approx(0.5)), ("outline", 0.1)]


def test_the_example_shows_a_toe_its_difference_and_their_changes(study):
    section = budget_section(study)
    titles = [texts(panel)[0] for panel in section.panels]
    assert titles == [
        "Left toe 1 in one picture",
        "Left toe 1 − arch in one picture",
        "Change of left toe 1 between visits",
        "Change of left toe 1 − arch between visits",
    ]
    assert "P1, left toe 1 (big toe), before and 6 weeks" in section.introduction
    u = [
        float(re.search(r"standard uncertainty ([\d.]+)", drawing(panel).get("aria-label"))[1])
        for panel in section.panels
    ]
    assert u[0] > 1.15
    assert u[1] < u[0] / 2
    assert u[2] == pytest.approx(u[0] * 2**0.5, rel=0.1)
    assert "camera accuracy" not in " ".join(texts(section.panels[1]))
    assert "with a black body" in texts(section.panels[0])


def test_where_a_reference_was_in_view_it_says_what_it_saved(study):
    comparison = study.comparisons[0]
    tied = []
    for scan in (comparison.before, comparison.after):
        thermogram = scan.thermogram.copy()
        thermogram.attrs = {**scan.thermogram.attrs, "reference_u_c": 0.3, "reference_own_u_c": 0.18}
        tied.append(replace(scan, thermogram=thermogram))
    one = replace(study, comparisons=(replace(comparison, before=tied[0], after=tied[1]),))
    panels = budget_section(one).panels
    assert "without the reference" in texts(panels[0])
    assert "without the references" in texts(panels[2])
    mixed = replace(study, comparisons=(replace(comparison, before=tied[0]),))
    assert not any("reference" in text and "with" in text for text in texts(budget_section(mixed).panels[2]))


def test_without_an_arch_only_the_toe_is_shown(study):
    comparison = study.comparisons[0]
    regions = comparison.before.regions
    kept = replace(regions, items=tuple(item for item in regions.items if item.region != "arch"))
    bare = replace(study, comparisons=(replace(comparison, before=replace(comparison.before, regions=kept)),))
    assert [texts(panel)[0] for panel in budget_section(bare).panels] == [
        "Left toe 1 in one picture",
        "Change of left toe 1 between visits",
    ]


def test_without_a_toe_in_both_there_is_no_section(study):
    comparison = study.comparisons[0]
    nothing = Regions(comparison.before.regions.shape, "feet", "plantar", (), {})
    bare = replace(study, comparisons=(replace(comparison, before=replace(comparison.before, regions=nothing)),))
    assert budget_section(bare) is None
    assert budget_section(replace(study, comparisons=())) is None


def test_both_kinds_of_smallest_detectable_change_stand_apart(study):
    table = budget_section(study).tables[1]
    rows = {row[0]: row[1:] for row in table.rows}
    sdc = study.comparison_table.loc[study.comparison_table["metric"] == "mean", "sdc"]
    assert rows["temperature of a region"][1].startswith(f"{np.median(sdc):.2f}")
    assert rows["temperature of a region"][2] == "not published"
    assert rows["after cold water: logarithm of the area over 15 min"][1:] == (
        "–",
        "1.6 (1.2 to 1.8)",
        "fingers, not toes",
    )
    assert "10.1002/art.40457" in table.note


class Images(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.labels: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "svg" and given.get("class") == "budget":
            self.labels.append(given.get("aria-label", ""))


def test_the_report_holds_the_panels_and_every_part_with_its_source(study, tmp_path):
    html = write_report(study, tmp_path / "r.html", pdf=False).html.read_text(encoding="utf-8")
    images = Images()
    images.feed(html)
    assert len(images.labels) == 4
    assert all("standard uncertainty" in label for label in images.labels)
    assert "How far the figures can be trusted" in html
    for words in ("camera accuracy", "doubt of the outline", "blur of 0 to 1.2 px", "doi:10.1088/0031-9155/18/5/307"):
        assert words in html
